"""Done by when, and how sure: many futures of rates, days and weather, and what one more team would change.

For P10, P50 and P90 dates; the plan itself comes from `planning`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.teams import planning
from geotools.analysis.teams.crews import Team
from geotools.analysis.teams.planning import Plan
from geotools.analysis.teams.problem import NEVER, Problem, problem_of
from geotools.analysis.teams.rates import Rate
from geotools.analysis.teams.workdays import Calendar, day
from geotools.model.doors import checked
from geotools.model.errors import StatisticsError

FURTHER = 3  # times the horizon of a plan that futures are followed
CHUNK = 250  # futures at a time
HORIZON = 3650  # days looked at for one piece of work
MARKS = (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))


@dataclass(frozen=True)
class Finish:
    """When one piece of work is done: at mean rate and mean weather, and by a tenth, half and nine tenths of the futures.

    None: not within the horizon.

    Examples
    --------
    >>> done = finish(1000, Rate(50, cv=0.3), start=date(2026, 6, 1))
    >>> done.p10 <= done.p50 <= done.p90, done.draws
    (True, 2000)
    """

    expected: date | None
    p10: date | None
    p50: date | None
    p90: date | None
    draws: int
    note: str = (
        "futures differ in rate, days and weather only: same teams, no new land, nothing found that stops the work"
    )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, dates as ISO text."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in vars(self).items()}


@checked(least={"draws": 1})
def finish(
    area_m2: float,
    rates: Rate | Sequence[Rate],
    *,
    start: date,
    calendar: Calendar | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> Finish:
    """When one team, or several sharing one area, are done with it.

    Parameters
    ----------
    area_m2
        Ground left to do.
    rates
        Of each team. With no doubt in them and no weather every date is that of ``area / sum of rates`` working days.
    start
        First day.
    calendar
        Working days; default Monday to Friday without weather.
    draws, seed
        How many futures; same seed, same dates.

    Raises
    ------
    StatisticsError
        If the area is negative or there is no team.

    Examples
    --------
    >>> finish(1000, [Rate(50), Rate(50)], start=date(2026, 6, 1)).p50
    datetime.date(2026, 6, 12)
    """
    crews = [rates] if isinstance(rates, Rate) else list(rates)
    if not area_m2 >= 0 or not crews or draws < 1:
        raise StatisticsError("area is not negative, and there is at least one team and one draw")
    calendar = calendar or Calendar()
    rng = np.random.default_rng(seed)
    total = sum(rate.m2_per_day for rate in crews)
    need = area_m2 / total
    speed = sum(rate.m2_per_day * _lognormal(rng, rate.cv, (draws,)) for rate in crews)
    luck = sum(rate.m2_per_day * rate.luck(need * len(crews)) for rate in crews) / total
    needed = area_m2 / speed * _lognormal(rng, luck, (draws,))
    working = calendar.open_days(start, HORIZON)
    lost = calendar.lost_share(start, HORIZON)
    ends = np.empty(draws)
    for low in range(0, draws, CHUNK):
        good = working & (rng.random((min(CHUNK, draws - low), HORIZON), dtype=np.float32) >= lost)
        ends[low : low + CHUNK] = _first_at_least(np.cumsum(good, axis=1, dtype=np.int32), needed[low : low + CHUNK])
    expected = _first_at_least(np.cumsum(np.where(working, 1 - lost, 0.0))[None, :], np.array([need]))[0]
    dates = {name: _date(start, _mark(ends, q)) for name, q in MARKS}
    return Finish(_date(start, float(expected)), dates["p10"], dates["p50"], dates["p90"], draws)


def _lognormal(rng: np.random.Generator, cv: float, size: tuple[int, ...]) -> np.ndarray:
    return _factor(rng.standard_normal(size), cv)


def _first_at_least(done: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """In each row of rising sums the first day that reaches what is wanted; infinite where none does."""
    count = (done < wanted[:, None] - 1e-9).sum(axis=1).astype(float)
    return np.where(count >= done.shape[1], np.inf, count)


def _mark(ends: np.ndarray, q: float) -> float:
    return float(np.quantile(ends, q, method="higher"))


def _date(start: date, offset: float) -> date | None:
    return day(start, offset) if np.isfinite(offset) else None


@dataclass(frozen=True)
class Futures:
    """Dates of a plan in many futures.

    ``table``: one row per step, ``id p10 p50 p90``. ``finish``: of the whole plan. ``by_day``: on at most 200 days from
    the start to the last end (``date``), m² finished at mean rates (``expected_m2``) and the 10th, 50th and 90th percentile of the
    futures (``low_m2 p50_m2 high_m2``).

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.analysis.teams import EVERY_DAY, plan, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [400.0, 100.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))

    >>> found = simulate(plan(steps(tasks), [team], start=date(2026, 6, 1)), draws=100)
    >>> found.table.columns.tolist(), found.finish.p90, len(found.by_day)
    (['id', 'p10', 'p50', 'p90'], datetime.date(2026, 6, 5), 5)
    """

    table: pd.DataFrame
    finish: Finish
    by_day: pd.DataFrame
    ends: np.ndarray = field(repr=False, default_factory=lambda: np.zeros((0, 0)))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [{k: v.date().isoformat() if isinstance(v, pd.Timestamp) else None if v is pd.NaT else v for k, v in row.items()} for row in self.table.to_dict("records")]  # fmt: skip
        return {"finish": self.finish.to_dict(), "steps": rows}


@checked(least={"draws": 1})
def simulate(plan: Plan, *, draws: int = 1000, seed: int = 0) -> Futures:
    """Replay a plan in many futures: each team keeps its order, rates and days differ, bad weather hits all teams on the same days.

    A team's rate in one future is drawn once per skill (it is the mean that is uncertain), the ground of a task once for all who work there,
    and each step has the luck of its own days besides. Where several teams must all be done, the date at mean rates is earlier than P50.

    Parameters
    ----------
    plan
        As from `plan`.
    draws, seed
        How many futures; same seed, same dates.

    Raises
    ------
    StatisticsError
        If there are fewer than 10 draws.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.analysis.teams import EVERY_DAY, plan, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A"], "area_m2": [1000.0]}, geometry=[shapely.Point(0, 0)], crs=4326)
    >>> sure = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))
    >>> simulate(plan(steps(tasks), [sure], start=date(2026, 6, 1))).finish.p90
    datetime.date(2026, 6, 10)
    """
    if draws < 10:
        raise StatisticsError("fewer than ten futures say nothing")
    problem = _problem(plan)
    rng = np.random.default_rng(seed)
    needed = _needed(plan, problem, rng, draws)
    parts = []
    for low in range(0, draws, CHUNK):
        weather = rng.random((min(CHUNK, draws - low), problem.horizon), dtype=np.float32)
        parts.append(_replay(plan, problem, needed[low : low + CHUNK], weather))
    ends = np.concatenate(parts)
    marks = {name: [_date(plan.start, _mark(row, q)) for row in ends.T] for name, q in MARKS}
    table = pd.DataFrame(
        {"id": list(problem.jobs), **{name: pd.to_datetime(pd.Series(v, dtype=object)) for name, v in marks.items()}}
    )
    last = ends.max(axis=1) if ends.shape[1] else np.zeros(draws)
    whole = {name: _date(plan.start, _mark(last, q)) for name, q in MARKS}
    done = Finish(plan.finish, whole["p10"], whole["p50"], whole["p90"], draws)
    return Futures(table, done, _by_day(plan, problem, ends), ends)


def _problem(plan: Plan) -> Problem:
    """The plan's problem, looking further so that late futures have dates."""
    assert plan.work is not None
    problem, _ = problem_of(plan.work, plan.crews, start=plan.start, horizon_days=FURTHER * plan.horizon_days)
    return problem


def _needed(plan: Plan, problem: Problem, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Working days needed in each future, (draws, steps); infinite for a step that is not in the plan.

    The rate of a team is uncertain as a whole (one draw per team and skill), the ground of a task is easier or harder for whoever works
    there (one draw per task), and each step has the luck of its own days.
    """
    needed = np.full((draws, len(problem.jobs)), np.inf)
    ground = {task: rng.standard_normal(draws) for task in sorted(set(problem.tasks))}
    for i, team in enumerate(plan.crews):
        own = {skill: _lognormal(rng, rate.cv, (draws,)) for skill, rate in sorted(team.rates.items())}
        for j in sorted(plan.orders[i]):
            skill = problem.skill[j, i]
            rate, days = team.rates[skill], float(problem.need[j, i])
            luck = _lognormal(rng, rate.day_cv / math.sqrt(max(1.0, days)), (draws,))
            needed[:, j] = days * luck * _factor(ground[problem.tasks[j]], rate.ground_cv) / own[skill]
    return needed


def _factor(z: np.ndarray, cv: float) -> np.ndarray:
    """Factors of mean 1 and relative standard deviation `cv` from standard normal draws."""
    sigma = math.sqrt(math.log1p(cv**2))
    return np.exp(z * sigma - sigma**2 / 2)


def _replay(plan: Plan, problem: Problem, needed: np.ndarray, weather: np.ndarray) -> np.ndarray:
    """Last day of each step in each future, (draws, steps); infinite where it does not end."""
    draws = len(needed)
    ends = np.full((draws, len(problem.jobs)), np.inf)
    settled = [False] * len(problem.jobs)
    inside = {j for order in plan.orders for j in order}
    free = np.zeros((len(plan.crews), draws))
    open_days: dict[tuple[int, int], np.ndarray] = {}
    head, last = [0] * len(plan.crews), [-1] * len(plan.crews)
    moving = True
    while moving:
        moving = False
        for i, order in enumerate(plan.orders):
            while head[i] < len(order):
                j = order[head[i]]
                first = problem.before[j]
                if first in inside and not settled[first]:
                    break
                head[i] += 1
                settled[j] = moving = True
                gap = problem.move[i] if last[i] >= 0 and problem.tasks[last[i]] != problem.tasks[j] else 0
                soonest = np.maximum(free[i] + gap, problem.ready[j])
                if first >= 0:
                    soonest = np.maximum(soonest, ends[:, first] + 1)
                key = (i, problem.window[j])
                if key not in open_days:
                    open_days[key] = _open_days(plan.crews[i], problem, key, weather)
                ends[:, j] = _ends(open_days[key], soonest, needed[:, j])
                free[i], last[i] = np.where(np.isfinite(ends[:, j]), ends[:, j] + 1, free[i]), j
    return ends


def _open_days(team: Team, problem: Problem, key: tuple[int, int], weather: np.ndarray) -> np.ndarray:
    """Days a team can work in a window, counted up, in each future."""
    open_ = (problem.available[key[0]] > 0) & (problem.windows[key[1]] > 0)
    lost = team.calendar.lost_share(problem.start, problem.horizon)
    counted: np.ndarray = np.cumsum(open_ & (weather >= lost), axis=1, dtype=np.int32)
    return counted


def _ends(done: np.ndarray, soonest: np.ndarray, needed: np.ndarray) -> np.ndarray:
    horizon = done.shape[1]
    start = np.where(np.isfinite(soonest), soonest, horizon).astype(int)
    before = np.where(start > 0, done[np.arange(len(done)), np.clip(start - 1, 0, horizon - 1)], 0)
    end = _first_at_least(done, before + needed)
    return np.where(start < horizon, np.maximum(end, start), np.inf)


def _by_day(plan: Plan, problem: Problem, ends: np.ndarray) -> pd.DataFrame:
    """m² finished by the end of each day: ground counts when its search is done, not when a machine has passed."""
    counts = np.where(problem.value > 0, plan.table["area_m2"].to_numpy(), 0.0)
    finite = ends[np.isfinite(ends)]
    last = int(finite.max()) if len(finite) else 0
    days = np.unique(np.linspace(0, last, min(last + 1, 200)).astype(int))
    sums = np.array([(np.where(ends <= d, counts, 0.0)).sum(axis=1) for d in days])
    quantiles = np.quantile(sums, [0.1, 0.5, 0.9], axis=1)
    planned = (
        plan.table["end"].map(lambda v: np.inf if pd.isna(v) else (v.date() - plan.start).days).to_numpy(dtype=float)
    )
    mean = [float(counts[planned <= d].sum()) for d in days]
    dates = pd.to_datetime([day(plan.start, int(d)) for d in days])
    return pd.DataFrame(
        {"date": dates, "expected_m2": mean, "low_m2": quantiles[0], "p50_m2": quantiles[1], "high_m2": quantiles[2]}
    )


@checked(least={"draws": 1, "effort": 0})
def marginal(
    plan: Plan,
    extras: Sequence[Team] | None = None,
    *,
    by: date | None = None,
    effort: float = 1.0,
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """What one more machine, team or dog set buys.

    Parameters
    ----------
    plan
        The plan without it.
    extras
        Teams to try, one at a time; default: one more of each kind (teams with the same skills) that the plan has.
    by
        Day at which ground finished is compared; default half-way to the end of the plan, or of its horizon.
    effort
        As for `plan`. The search starts from the plan at hand with the new team idle, so that a new team never makes it worse.

    Returns
    -------
    DataFrame
        First row the plan itself, then one per extra: ``extra skills finish p50 days_earlier p50_days_earlier done_m2 more_m2
        value_days_saved busy_days by``. ``done_m2`` is ground finished by the day `by` at mean rates.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.analysis.teams import EVERY_DAY, plan, steps
    >>> tasks = gpd.GeoDataFrame({"id": ["A", "B"], "area_m2": [500.0, 500.0]}, geometry=[shapely.Point(0, 0)] * 2, crs=4326)
    >>> team = Team("T", {"manual": Rate(100)}, calendar=Calendar(weekdays=EVERY_DAY))
    >>> marginal(plan(steps(tasks), [team], start=date(2026, 6, 1)))[["extra", "days_earlier", "more_m2"]].values.tolist()
    [['', 0, 0.0], ['+1 T', 5, 500.0]]
    """
    tried = list(extras) if extras is not None else _one_more_of_each(plan)
    length = (plan.finish - plan.start).days if plan.finish else plan.horizon_days
    at = by or day(plan.start, length / 2)
    base = _figures(plan, at, draws, seed)
    rows = [{"extra": "", "skills": "", **base, "value_days_saved": 0.0, "busy_days": 0.0}]
    for extra in tried:
        wider = _with(plan, extra, effort)
        saved = _weighted(plan) - _weighted(wider)
        busy = float(wider.teams.loc[wider.teams["team"] == extra.id, "work_days"].sum())
        figures = _figures(wider, at, draws, seed)
        rows.append({"extra": extra.id, "skills": ", ".join(extra.skills), **figures, "value_days_saved": saved, "busy_days": busy})  # fmt: skip
    table = pd.DataFrame(rows)
    for name in ("finish", "p50"):
        table[name] = pd.to_datetime(table[name])
    table.insert(4, "days_earlier", _earlier(table["finish"]))
    table.insert(5, "p50_days_earlier", _earlier(table["p50"]))
    table.insert(7, "more_m2", table["done_m2"] - table["done_m2"].iloc[0])
    table["by"] = pd.Timestamp(at)
    return table


def _earlier(dates: pd.Series) -> pd.Series:
    days = (dates.iloc[0] - dates).dt.days
    return days.astype("Int64")


def _one_more_of_each(plan: Plan) -> list[Team]:
    kinds: dict[tuple[str, ...], Team] = {}
    for team in plan.crews:
        kinds.setdefault(tuple(sorted(team.skills)), team)
    return [replace(team, id=f"+1 {team.id}") for _, team in sorted(kinds.items())]


def _with(plan: Plan, extra: Team, effort: float) -> Plan:
    assert plan.work is not None
    crews = (*plan.crews, extra)
    problem, issues = problem_of(plan.work, crews, start=plan.start, horizon_days=plan.horizon_days)
    orders, how = planning.search(problem, plan.goal, effort=effort, first=[*plan.orders, []])
    return planning.result(plan.work, crews, problem, (orders, how, plan.goal), issues)


def _figures(plan: Plan, at: date, draws: int, seed: int) -> dict[str, Any]:
    problem = plan.problem
    assert problem is not None
    counts = np.where(problem.value > 0, plan.table["area_m2"].to_numpy(), 0.0)
    done = (plan.table["end"] <= pd.Timestamp(at)).to_numpy()
    p50 = simulate(plan, draws=draws, seed=seed).finish.p50
    return {"finish": plan.finish, "p50": p50, "done_m2": float(counts[done].sum())}


def _weighted(plan: Plan) -> float:
    assert plan.problem is not None
    ends = plan.problem.run(plan.orders)[1]
    return (
        plan.problem.cost(ends, "value")[0]
        if NEVER in ends or plan.goal == "value"
        else float(np.dot(plan.problem.value, [e + 1 for e in ends]))
    )
