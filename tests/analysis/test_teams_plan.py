"""Plans: Smith's rule, brute force, laws of scheduling, and dates that agree with plain arithmetic."""

from __future__ import annotations

import itertools
import sys
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis import teams
from geotools.analysis.teams import EVERY_DAY, Calendar, Rate, Team, sequence
from geotools.analysis.teams.problem import NEVER, problem_of
from geotools.maps.charts import save
from geotools.model.errors import MapError, SchemaError, StatisticsError

START = date(2026, 6, 1)
DAILY = Calendar(weekdays=EVERY_DAY)
QUICK = settings(max_examples=12, deadline=None, derandomize=True)


def tasks_of(areas, values=None, **more):
    count = len(areas)
    data = {"id": [f"T{k:02d}" for k in range(count)], "area_m2": np.asarray(areas, dtype=float)}
    data["value"] = np.ones(count) if values is None else np.asarray(values, dtype=float)
    points = [shapely.Point(47.1 + 0.01 * k, 39.6) for k in range(count)]
    return gpd.GeoDataFrame({**data, **more}, geometry=points, crs=4326)


def problem(work, crews, horizon=500):
    return problem_of(work, crews, start=START, horizon_days=horizon)[0]


def brute(numbers, goal):
    """The best of all orders on all teams."""
    jobs, crews = range(len(numbers.jobs)), range(len(numbers.teams))
    best = None
    for order in itertools.permutations(jobs):
        for places in itertools.product(crews, repeat=len(numbers.jobs)):
            if all(np.isfinite(numbers.need[j, i]) for j, i in zip(order, places, strict=True)):
                orders = [[j for j, i in zip(order, places, strict=True) if i == crew] for crew in crews]
                cost = numbers.cost(numbers.run(orders)[1], goal)
                best = cost if best is None or cost < best else best
    return best


def test_smiths_rule_example():
    value, time = [5, 3, 8, 2, 6, 1], [4, 6, 3, 5, 2, 7]
    assert teams.smith_order(value, time) == [4, 2, 0, 1, 3, 5]
    costs = {}
    for order in itertools.permutations(range(6)):
        costs[order] = sum(value[j] * sum(time[k] for k in order[: n + 1]) for n, j in enumerate(order))
    assert min(costs.values()) == costs[4, 2, 0, 1, 3, 5] == 209


@pytest.mark.parametrize("effort", [0.0, 1.0])
def test_one_team_plans_smiths_example(effort):
    work = teams.steps(tasks_of(np.array([4, 6, 3, 5, 2, 7]) * 100, [5, 3, 8, 2, 6, 1]))
    plan = teams.plan(work, [Team("T", {"manual": Rate(100)}, calendar=DAILY)], start=START, effort=effort)
    assert plan.table.sort_values("start")["id"].tolist() == ["T04", "T02", "T00", "T01", "T03", "T05"]
    assert plan.objective == pytest.approx(209)
    assert plan.finish == date(2026, 6, 27)  # 27 days of work, the first of June included
    if effort:
        assert plan.optimal


CASES = [
    pytest.param({"calendar": DAILY}, "value", 0, id="every day"),
    pytest.param({"calendar": Calendar(weather=0.1)}, "value", 1, id="weeks and weather"),
    pytest.param({"calendar": Calendar(seasons=(("06-01", "06-20"), ("08-01", "12-31")))}, "finish", 2, id="season"),
    pytest.param({"calendar": Calendar(closed=((date(2026, 6, 8), date(2026, 6, 19)),)), "move_days": 2}, "value", 3, id="stand-down and moves"),
    pytest.param({"calendar": DAILY, "move_days": 1}, "finish", 4, id="moves, finish"),
]  # fmt: skip


@pytest.mark.parametrize(("crew", "goal", "seed"), CASES)
def test_small_plans_equal_brute_force_and_bounds_stay_below(crew, goal, seed):
    pytest.importorskip("ortools")
    rng = np.random.default_rng(seed)
    work = teams.steps(tasks_of(rng.integers(200, 3000, 5), rng.integers(1, 10, 5)), skills=("manual",))
    crews = [Team("A", {"manual": Rate(110)}, **crew), Team("B", {"manual": Rate(170)}, base=(47.12, 39.6), **crew)]
    numbers = problem(work, crews)
    best = brute(numbers, goal)
    plan = teams.plan(work, crews, start=START, goal=goal, horizon_days=500, effort=3)
    assert plan.method in ("cp-sat", "greedy")
    assert plan.objective == pytest.approx(best[0])
    assert plan.optimal
    assert plan.gap == 0
    assert sequence.bound(numbers, goal) <= best[0] + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_machine_first_plans_equal_brute_force(seed):
    pytest.importorskip("ortools")
    rng = np.random.default_rng(100 + seed)
    tasks = tasks_of(rng.integers(500, 3000, 3), rng.integers(1, 10, 3), workable_m2=rng.integers(0, 2, 3) * 5000.0)
    work = teams.steps(tasks, skills=("manual",))
    crews = [
        Team("Hand", {"manual": Rate(100), "follow_up": Rate(250)}),
        Team("Dogs", {"follow_up": Rate(400)}, move_days=1),
        Team("Tiller", {"mechanical": Rate(900)}, move_days=1),
    ]
    numbers = problem(work, crews)
    best = brute(numbers, "value")
    assert sequence.bound(numbers, "value") <= best[0] + 1e-9
    assert teams.plan(work, crews, start=START, horizon_days=500, effort=3).objective == pytest.approx(best[0])


def _random(seed, jobs=9):
    rng = np.random.default_rng(seed)
    tasks = tasks_of(
        rng.integers(300, 9000, jobs), rng.integers(0, 9, jobs), workable_m2=rng.integers(0, 2, jobs) * 4000.0
    )
    calendar = Calendar(weather=float(rng.choice([0, 0.2])), closed=((date(2026, 7, 1), date(2026, 7, 20)),))
    crews = [
        Team(
            "Hand-1", {"manual": Rate(150, 0.2, 0.4), "follow_up": Rate(300, 0.2, 0.4)}, calendar=calendar, move_days=1
        ),
        Team("Hand-2", {"manual": Rate(130, 0.2, 0.4)}, calendar=calendar, base=(47.1, 39.55)),
        Team("Tiller", {"mechanical": Rate(900, 0.3, 0.4)}, calendar=calendar, move_days=2, first=date(2026, 6, 15)),
    ]
    return teams.steps(tasks, skills=("manual",), lot_m2=5000), crews


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_breaks_a_rule(seed):
    work, crews = _random(seed)
    plan = teams.plan(work, crews, start=START, effort=0.2)
    table = plan.table.set_index("id")
    assert sorted(table.index) == sorted(work["id"])
    assert table["end"].notna().all()
    for crew in crews:
        mine = table[table["team"] == crew.id].sort_values("start")
        open_ = crew.calendar.open_days(START, 1200)
        for step in mine.itertuples():
            assert step.skill in crew.rates
            first, last = (step.start.date() - START).days, (step.end.date() - START).days
            assert open_[first]
            share = crew.calendar.available(START, 1200)
            assert share[first : last + 1].sum() >= step.work_days - 1e-6 > share[first:last].sum() - 1e-6
            assert crew.first is None or step.start.date() >= crew.first
        for a, b in itertools.pairwise(mine.itertuples()):
            gap = crew.move_days if a.task_id != b.task_id else 0
            assert (b.start - a.end).days - 1 >= gap
    for step in work.itertuples():
        if step.after:
            assert table.loc[step.id, "start"] > table.loc[step.after, "end"]
    assert plan.table["area_m2"].sum() == pytest.approx(work["area_m2"].sum())
    assert plan.teams["area_m2"].sum() == pytest.approx(work["area_m2"].sum())


def test_the_same_plan_every_time_and_for_shuffled_rows():
    work, crews = _random(2)
    plans = [teams.plan(w, crews, start=START, effort=0.5) for w in (work, work, work.sample(frac=1, random_state=3))]
    for other in plans[1:]:
        pd.testing.assert_frame_equal(pd.DataFrame(plans[0].table.drop(columns="geometry")), pd.DataFrame(other.table.drop(columns="geometry")))  # fmt: skip
        assert other.words == plans[0].words
    assert teams.simulate(plans[0], draws=50).to_dict() == teams.simulate(plans[2], draws=50).to_dict()


@QUICK
@given(st.integers(0, 10_000))
def test_improvement_and_one_more_team_never_make_it_worse(seed):
    work, crews = _random(seed, jobs=5)
    numbers = problem(work, crews)
    for goal in teams.GOALS:
        first = sequence.greedy(numbers, goal)
        better = sequence.improve(numbers, first, goal, tries=300)
        costs = [numbers.cost(numbers.run(o)[1], goal)[0] for o in (first, better)]
        assert costs[1] <= costs[0] + 1e-9
        assert sequence.bound(numbers, goal) <= costs[1] + 1e-9
        wider = problem(work, [*crews, Team("More", {"manual": Rate(200)})])
        assert wider.cost(wider.run([*better, []])[1], goal)[0] == pytest.approx(costs[1])


def test_without_the_solver_the_plan_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    work, crews = _random(1)
    plan = teams.plan(work, crews, start=START, effort=0.2)
    assert plan.method == "greedy"
    assert not plan.optimal
    assert 0 < plan.gap < 1
    assert "planning" in plan.words
    assert f"{plan.gap:.1%}" in plan.words


def test_a_solver_that_runs_out_leaves_the_greedy_plan_and_says_so():
    pytest.importorskip("ortools")
    work, crews = _random(1)
    plan = teams.plan(work, crews, start=START, effort=1e-9)
    assert plan.method == "greedy"
    assert "within its limit" in plan.words
    assert plan.table["end"].notna().all()


def test_the_solver_is_never_worse_than_greedy():
    pytest.importorskip("ortools")
    for seed in range(2):
        work, crews = _random(seed)
        quick = teams.plan(work, crews, start=START, effort=0)
        assert quick.method == "greedy"
        assert teams.plan(work, crews, start=START, effort=0.5).objective <= quick.objective + 1e-9


def test_what_cannot_be_done_is_said_and_not_planned():
    tasks = tasks_of([100, 100, 100, 5000], skill=["manual", "bac", "manual", "manual"])
    tasks.geometry = [shapely.Point(47.1, 39.6), shapely.Point(47.1, 39.6), shapely.Point(50.0, 40.0), None]
    tasks["latest"] = ["2026-05-01", None, None, None]
    crew = Team("T", {"manual": Rate(100)}, base=(47.1, 39.6), calendar=DAILY)
    plan = teams.plan(teams.steps(tasks), [crew], start=START, horizon_days=30)
    assert sorted(zip(plan.issues["check"], plan.issues["id"], strict=True)) == [
        ("TM-02", "T01"), ("TM-03", "T02"), ("TM-04", "T03"), ("TM-05", "T00"),
    ]  # fmt: skip
    assert plan.table.set_index("id")["end"].isna().to_dict() == {"T00": False, "T01": True, "T02": True, "T03": True}
    assert plan.finish is None
    assert "3 of 4 steps are not in the plan" in plan.words


def test_travel_takes_its_share_of_the_day():
    near, far = tasks_of([1000]), tasks_of([1000])
    far.geometry = [shapely.Point(47.1, 39.6 + 0.5)]
    crew = Team("T", {"manual": Rate(100)}, base=(47.1, 39.6), hours=8, speed_kmh=40, detour=1.0, calendar=DAILY)
    days = [teams.plan(teams.steps(t), [crew], start=START).table["work_days"].iloc[0] for t in (near, far)]
    hours = 2 * 55.5 / 40
    assert days[0] == pytest.approx(10)
    assert days[1] == pytest.approx(10 * 8 / (8 - hours), rel=1e-3)


def test_machine_ground_counts_only_when_it_was_searched():
    tasks = tasks_of([1000], workable_m2=[1000.0])
    crews = [
        Team("Tiller", {"mechanical": Rate(500)}, calendar=DAILY),
        Team("Hand", {"manual": Rate(100)}, calendar=DAILY),
    ]
    plan = teams.plan(teams.steps(tasks), crews, start=START)
    assert plan.table["value"].tolist() == [1.0, 0.0]  # follow-up, machine
    assert plan.table["start"].dt.date.tolist() == [date(2026, 6, 3), START]
    sure = teams.simulate(plan, draws=20)
    assert sure.by_day.loc[sure.by_day["date"] <= "2026-06-11", "p50_m2"].max() == 0
    assert sure.by_day["p50_m2"].iloc[-1] == 1000
    only_machine = teams.plan(teams.steps(tasks), crews[:1], start=START)
    assert only_machine.table.set_index("id")["end"].isna().to_dict() == {"T00 machine": False, "T00 follow-up": True}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ["A", "A"]}, "there twice"),
        ({"area_m2": [1.0, -1.0]}, "missing or negative"),
        ({"area_m2": [1.0, None]}, "missing or negative"),
        ({"after": ["B", "A"]}, "circle"),
        ({"after": ["C", ""]}, "not in the work"),
        ({"seasons": ["spring", ""]}, "not a season"),
    ],
)
def test_work_that_cannot_be_is_refused(change, said):
    work = gpd.GeoDataFrame({"id": ["A", "B"], "skill": "manual", "area_m2": [1.0, 2.0]} | change, geometry=[shapely.Point(0, 0)] * 2, crs=4326)  # fmt: skip
    with pytest.raises(SchemaError, match=said):
        teams.plan(work, [Team("T", {"manual": Rate(1)})], start=START)


def test_broken_calls():
    work, crews = _random(0)
    with pytest.raises(StatisticsError, match="no team"):
        teams.plan(work, [], start=START)
    with pytest.raises(StatisticsError, match="no work"):
        teams.plan(work.iloc[:0], crews, start=START)
    with pytest.raises(StatisticsError, match="not a goal"):
        teams.plan(work, crews, start=START, goal="speed")
    with pytest.raises(SchemaError, match="area_m2"):
        teams.steps(work.drop(columns="area_m2"))


# ---- dates and how sure they are


@pytest.mark.parametrize("teams_at_work", [1, 3, 7])
def test_without_doubt_every_date_is_area_over_rate(teams_at_work):
    need = int(np.ceil(50_000 / (400 * teams_at_work)))
    expected = np.busday_offset("2026-06-01", need - 1, roll="forward").astype(object)
    done = teams.finish(50_000, [Rate(400)] * teams_at_work, start=START, draws=50)
    assert done.expected == done.p10 == done.p50 == done.p90 == expected


def test_the_median_goes_to_the_plain_date_as_doubt_goes_to_nothing():
    plain = teams.finish(80_000, Rate(400), start=START, calendar=DAILY)
    gaps, widths = [], []
    for cv in (0.5, 0.25, 0.1, 0.02, 0.001):
        done = teams.finish(80_000, Rate(400, cv, cv), start=START, calendar=DAILY, draws=1000, seed=1)
        gaps.append(abs((done.p50 - plain.p50).days))
        widths.append((done.p90 - done.p10).days)
    assert gaps[-1] <= 1
    assert gaps == sorted(gaps, reverse=True)
    assert widths == sorted(widths, reverse=True)
    work, crews = _random(4)
    sure = [Team(c.id, {s: Rate(r.m2_per_day) for s, r in c.rates.items()}, c.base, c.hours, c.speed_kmh, c.detour, c.move_days, Calendar(closed=c.calendar.closed), c.first) for c in crews]  # fmt: skip
    plan = teams.plan(work, sure, start=START, effort=0.1)
    futures = teams.simulate(plan, draws=20)
    for mark in ("p10", "p50", "p90"):
        assert futures.table.set_index("id")[mark].equals(plan.table.set_index("id")["end"].rename(mark).astype(futures.table[mark].dtype))  # fmt: skip


def test_the_spread_of_dates_is_that_of_the_rate():
    cv = 0.3
    sigma = np.sqrt(np.log1p(cv**2))
    done = teams.finish(100_000, Rate(100, cv), start=START, calendar=DAILY, draws=5000, seed=3)
    for mark, z in (("p10", -1.2816), ("p50", 0.0), ("p90", 1.2816)):
        days = (getattr(done, mark) - START).days + 1
        assert days == pytest.approx(1000 * np.exp(sigma**2 / 2 + z * sigma), rel=0.03)


def test_weather_delays_by_its_share():
    wet = teams.finish(
        40_000, Rate(400), start=START, calendar=Calendar(weekdays=EVERY_DAY, weather=0.2), draws=3000, seed=1
    )
    days = [(d - START).days + 1 for d in (wet.p10, wet.p50, wet.p90)]
    draws = 100 + np.random.default_rng(5).negative_binomial(100, 0.8, 100_000)
    assert days == pytest.approx(np.quantile(draws, [0.1, 0.5, 0.9]), abs=1.01)
    assert (wet.expected - START).days + 1 == 125


@QUICK
@given(st.integers(1, 9), st.floats(0, 0.6), st.integers(0, 99))
def test_more_teams_never_finish_later_and_marks_are_in_order(count, cv, seed):
    few, more = (
        teams.finish(30_000, [Rate(300, cv, cv)] * n, start=START, draws=200, seed=seed) for n in (count, 2 * count)
    )
    assert few.p10 <= few.p50 <= few.p90
    assert more.expected <= few.expected
    assert more.p90 <= few.p90


def test_what_does_not_end_within_the_horizon_has_no_date():
    done = teams.finish(1e9, Rate(10), start=START, draws=20)
    assert (done.expected, done.p10, done.p90) == (None, None, None)


def test_a_plan_of_one_step_has_the_dates_of_the_formula():
    rate = Rate(300, 0.3, 0.4)
    calendar = Calendar(weather=0.15)
    plan = teams.plan(teams.steps(tasks_of([20_000])), [Team("T", {"manual": rate}, calendar=calendar)], start=START)
    a = teams.simulate(plan, draws=2000, seed=1).finish
    b = teams.finish(20_000, rate, start=START, calendar=calendar, draws=2000, seed=2)
    for mark in ("expected", "p10", "p50", "p90"):
        assert abs((getattr(a, mark) - getattr(b, mark)).days) <= (0 if mark == "expected" else 9)


def test_one_more_buys_days_only_where_it_is_short():
    tasks = tasks_of([20_000, 15_000, 12_000], [3, 2, 1], workable_m2=[20_000.0, 15_000.0, 12_000.0])
    crews = [Team("Tiller", {"mechanical": Rate(4000)}), Team("Hand", {"manual": Rate(300, 0.2, 0.3)})]
    plan = teams.plan(teams.steps(tasks), crews, start=START, effort=0.2)
    table = teams.marginal(plan, effort=0.2, draws=100).set_index("extra")
    assert table["days_earlier"]["+1 Hand"] > 30
    assert table["days_earlier"]["+1 Tiller"] == 0
    assert table["more_m2"]["+1 Hand"] > 0
    assert (table["value_days_saved"] >= 0).all()
    dogs = Team("Dogs", {"manual": Rate(800)}, first=date(2026, 9, 1))
    both = teams.marginal(plan, [dogs], by=date(2026, 10, 1), effort=0.2, draws=100)
    assert both["extra"].tolist() == ["", "Dogs"]
    assert both["busy_days"].iloc[1] > 0


def test_steps_keep_every_square_metre():
    tasks = tasks_of([900, 5000, 0.5], [4, 2, 1], workable_m2=[0.0, 7000.0, 0.0])
    work = teams.steps(tasks, lot_m2=1800)
    assert work["id"].tolist() == sorted(
        ["T00", *(f"T01 {w} {n}/3" for w in ("machine", "follow-up") for n in (1, 2, 3))]
    )
    searched = work[work["skill"] != "mechanical"]
    assert searched["area_m2"].sum() == pytest.approx(5900)
    assert work["value"].sum() == pytest.approx(6)
    assert work.loc[work["id"] == "T01 follow-up 2/3", "after"].item() == "T01 machine 2/3"


# ---- pictures


def test_charts_are_the_same_bytes_and_take_hostile_names(tmp_path):
    work, crews = _random(3)
    work["task_id"] = [f"$x_{{{k}}}$ <b>&\u202e=1+1" for k in range(len(work))]
    plan = teams.plan(work, crews, start=START, effort=0.1)
    futures = teams.simulate(plan, draws=30)
    table = teams.marginal(plan, effort=0, draws=20)
    for turn in ("a", "b"):
        drawn = {
            "gantt": teams.gantt(plan, futures, title="$a^$"),
            "finished": teams.finished(plan, futures),
            "bought": teams.bought(table),
        }
        save(drawn, tmp_path / turn)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    assert "P90" in (tmp_path / "a" / "gantt.svg").read_text("utf-8")


def test_there_is_no_chart_of_nothing():
    plan = teams.plan(teams.steps(tasks_of([100], skill=["bac"])), [Team("T", {"manual": Rate(1)})], start=START)
    assert plan.problem.run(plan.orders)[1] == [NEVER]
    with pytest.raises(MapError, match="no step"):
        teams.gantt(plan)
    with pytest.raises(MapError, match="no extra"):
        teams.bought(teams.marginal(plan, []))
