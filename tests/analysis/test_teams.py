"""Rates, calendars and calibration: published figures, closed forms and laws."""

from __future__ import annotations

import tomllib
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis import teams
from geotools.analysis.teams import EVERY_DAY, Calendar, LaneMinutes, Rate
from geotools.model.errors import ReadError, SchemaError, StatisticsError

QUICK = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("length", "breadth", "overlap", "passes", "hours", "net"),
    [(100, 50, 0.2, 34, 3.675, 1360.5), (50, 100, 0.2, 67, 3.900, 1282.1), (100, 50, 0.0, 30, None, 1542.4)],
)
def test_a_hundred_by_fifty_metres_at_one_kilometre_an_hour(length, breadth, overlap, passes, hours, net):
    done = teams.field_work(length, breadth, width_m=1.7, overlap_m=overlap, speed_kmh=1.0, turn_s=30)
    assert done.passes == passes
    assert done.m2_per_hour == pytest.approx(net, abs=0.05)
    if hours:
        assert done.hours == pytest.approx(hours, abs=0.0005)
    assert done.efficiency == pytest.approx(length * breadth / (1.7 * 1000 * done.hours))


def test_four_kilometres_an_hour_would_be_thrice_the_published_rate():
    done = teams.field_work(100, 50, width_m=1.7, overlap_m=0.2, speed_kmh=4.0, turn_s=30)
    assert done.m2_per_hour == pytest.approx(4444, abs=1)


def test_a_machine_day_needs_every_factor():
    day = teams.machine_day(1.7, 1.0, efficiency=0.8, hours=5, availability=0.9, maintenance=0.25)
    assert day == pytest.approx(0.8 * 1700 * 5 * 0.9 * 0.75)
    with pytest.raises(TypeError):
        teams.machine_day(1.7, 1.0, hours=5, availability=0.9, maintenance=0.25)
    for wrong in ({"efficiency": 1.2}, {"availability": -0.1}, {"maintenance": 1.0}, {"hours": 30}):
        good = {"efficiency": 0.8, "hours": 5, "availability": 0.9, "maintenance": 0.25}
        with pytest.raises(StatisticsError):
            teams.machine_day(1.7, 1.0, **(good | wrong))


@QUICK
@given(st.floats(2, 400), st.floats(0.5, 4), st.floats(0, 0.45))
def test_passes_cover_the_breadth_and_one_less_would_not(breadth, width, overlap):
    n = teams.passes(breadth, width, overlap)
    covered = width + (n - 1) * (width - overlap)
    assert covered >= breadth - 1e-6
    assert n == 1 or width + (n - 2) * (width - overlap) < breadth


def test_lane_minutes_are_the_formula_and_slower_with_more_signals():
    lane = LaneMinutes(4, 3, 0.5, 6, 45)
    assert lane.m2_per_day(300, signals_m2=1.5, mines_m2=0.001) == pytest.approx(300 / (7.5 + 9 + 0.045))
    rates = [lane.m2_per_day(300, signals_m2=s, mines_m2=0) for s in (0, 0.5, 1, 2)]
    assert rates == sorted(rates, reverse=True)
    with pytest.raises(StatisticsError, match="no time"):
        LaneMinutes(0, 0, 0, 6, 45).m2_per_day(300, signals_m2=0, mines_m2=0)


def test_the_interval_of_a_rate_holds_its_share_of_draws():
    rate = Rate(200, cv=0.4)
    sigma = np.sqrt(np.log1p(0.16))
    draws = 200 * np.exp(np.random.default_rng(1).standard_normal(200_000) * sigma - sigma**2 / 2)
    low, high = rate.interval(0.8)
    assert draws.mean() == pytest.approx(200, rel=0.01)
    assert ((draws > low) & (draws < high)).mean() == pytest.approx(0.8, abs=0.005)
    assert Rate(200).interval() == (pytest.approx(200), pytest.approx(200))
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(StatisticsError):
            Rate(wrong)


# ---- calendars


def test_open_days_against_numpy_busdays():
    holidays = (date(2026, 5, 28), date(2026, 11, 8))
    calendar = Calendar(holidays=holidays)
    start = np.datetime64("2026-03-11")
    expected = [
        bool(np.is_busday(start + np.timedelta64(d, "D"), holidays=np.array(holidays, dtype="datetime64[D]")))
        for d in range(400)
    ]
    assert calendar.open_days(date(2026, 3, 11), 400).tolist() == expected


def test_seasons_may_run_over_new_year_and_stand_downs_close_both_ends():
    winter = Calendar(
        weekdays=EVERY_DAY, seasons=(("11-15", "02-29"),), closed=((date(2026, 12, 24), date(2027, 1, 3)),)
    )
    open_ = winter.open_days(date(2026, 11, 1), 150)
    days = [date(2026, 11, 1) + pd.Timedelta(days=d) for d in np.flatnonzero(open_)]
    assert min(days) == date(2026, 11, 15)
    assert max(days) == date(2027, 2, 28)
    assert date(2026, 12, 24) not in days
    assert date(2027, 1, 3) not in days
    assert date(2027, 1, 4) in days


def test_weather_takes_its_share_of_the_month():
    calendar = Calendar(weekdays=EVERY_DAY, weather=(0.5, *[0.0] * 11))
    share = calendar.available(date(2026, 1, 1), 59)
    assert share.sum() == pytest.approx(31 * 0.5 + 28)


@pytest.mark.parametrize(
    "wrong",
    [{"weekdays": ("monday",)}, {"weekdays": ()}, {"weather": 1.0}, {"weather": (0.1, 0.2)}, {"seasons": (("13-01", "02-01"),)},
     {"closed": ((date(2026, 2, 2), date(2026, 2, 1)),)}],
)  # fmt: skip
def test_a_calendar_that_cannot_be_is_refused(wrong):
    with pytest.raises(SchemaError):
        Calendar(**wrong)


# ---- calibration from day sheets


def _sheets(rates: dict[str, float], days: dict[str, int], *, cv: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [{"skill": "manual", "crew": crew, "days": 1.0, "m2": m2} for crew, rate in rates.items() for m2 in rate * rng.gamma(1 / cv**2, cv**2, days[crew])]  # fmt: skip
    return pd.DataFrame(rows)


def test_many_days_speak_for_themselves_and_few_lean_on_the_others():
    sheets = _sheets({"A": 40, "B": 60, "C": 50, "D": 120}, {"A": 200, "B": 200, "C": 200, "D": 1}, cv=0.5, seed=3)
    table = teams.calibrate(sheets).table.set_index("crew")
    assert (table["own_weight"] < 1).all()
    assert table.loc["A", "own_weight"] > 0.95 > 0.5 > table.loc["D", "own_weight"]
    assert abs(table.loc["A", "m2_per_day"] - table.loc["A", "own_m2_per_day"]) < 1
    own, mean = table.loc["D", "own_m2_per_day"], teams.calibrate(sheets).overall["m2_per_day"].iloc[0]
    assert min(own, mean) < table.loc["D", "m2_per_day"] < max(own, mean)
    assert table["cv"].idxmax() == "D"
    assert (table["low"] < table["m2_per_day"]).all()
    assert (table["m2_per_day"] < table["high"]).all()


def test_shrinkage_is_closer_to_the_truth_than_the_raw_rates():
    rng = np.random.default_rng(11)
    raw, drawn, hit, total = 0.0, 0.0, 0, 0
    for trial in range(60):
        truth = {f"K{k}": float(v) for k, v in enumerate(50 * np.exp(rng.normal(0, 0.2, 8)))}
        table = teams.calibrate(_sheets(truth, dict.fromkeys(truth, 4), cv=0.6, seed=trial)).table
        true = table["crew"].map(truth)
        raw += ((table["own_m2_per_day"] - true) ** 2).sum()
        drawn += ((table["m2_per_day"] - true) ** 2).sum()
        hit += int(((table["low"] < true) & (true < table["high"])).sum())
        total += len(table)
    assert drawn < 0.75 * raw
    assert 0.72 < hit / total < 0.90  # an 80 % interval


def test_the_spread_from_day_to_day_is_found():
    sheets = _sheets({"A": 40, "B": 90}, {"A": 400, "B": 400}, cv=0.5, seed=5)
    assert teams.calibrate(sheets).table["day_cv"].iloc[0] == pytest.approx(0.5, abs=0.03)
    weeks = (
        sheets.assign(week=np.arange(len(sheets)) // 5)
        .groupby(["skill", "crew", "week"], as_index=False)[["days", "m2"]]
        .sum()
    )
    assert teams.calibrate(weeks).table["day_cv"].iloc[0] == pytest.approx(0.5, abs=0.06)


def test_a_day_of_nothing_counts_and_silence_does_not():
    rows = pd.DataFrame(
        {
            "id": ["A", "B", "C", "D", "E", "F"],
            "method": ["manual", "manual", "manual", None, "manual", "manual"],
            "team": "T1",
            "processed_m2": [100.0, 0.0, None, 50.0, 60.0, 40.0],
            "start": ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-03", "2026-06-09", "x"],
            "end": ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-03", "2026-06-08", "2026-06-09"],
        }
    )
    sheets, issues = teams.day_sheets(rows)
    assert sheets["id"].tolist() == ["A", "B"]
    assert teams.calibrate(sheets).table["own_m2_per_day"].iloc[0] == 50
    assert issues["id"].tolist() == ["C", "D", "E", "F"]
    assert "does not say how much" in issues["message"].iloc[0]
    again, _ = teams.day_sheets(rows.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(sheets, again)


def test_a_lone_sheet_says_that_its_spread_is_assumed_and_another_crew_is_less_sure():
    sheets = pd.DataFrame({"skill": ["mdd"], "crew": ["K"], "days": [5.0], "m2": [4000.0]})
    found = teams.calibrate(sheets)
    assert "assumed" in found.table["basis"].iloc[0]
    assert found.rate("mdd", crew="K").m2_per_day == pytest.approx(800)
    assert found.rate("mdd", crew="other").cv > found.rate("mdd", crew="K").cv
    with pytest.raises(StatisticsError, match="no record of 'manual'"):
        found.rate("manual")
    with pytest.raises(StatisticsError, match="no day sheet"):
        teams.calibrate(sheets.iloc[:0])


def test_lane_minutes_are_found_again_in_exact_sheets():
    rng = np.random.default_rng(2)
    days = pd.DataFrame(
        {"m2": rng.uniform(10, 40, 30), "signals": rng.integers(0, 40, 30), "mines": rng.integers(0, 2, 30)}
    )
    days["minutes"] = 6.0 * days["m2"] + 5.0 * days["signals"] + 30 * days["mines"]
    fit = teams.fit_lane_minutes(days, LaneMinutes(4, 3, 1, 8, 45), prior_days=1e-6)
    assert fit.minutes.vegetation + fit.minutes.sweep + fit.minutes.checks == pytest.approx(6, abs=1e-3)
    assert fit.minutes.signal == pytest.approx(5, abs=1e-3)
    assert fit.minutes.mine == pytest.approx(30, abs=1e-2)
    assert fit.minutes.vegetation / fit.minutes.sweep == pytest.approx(4 / 3)
    stubborn = teams.fit_lane_minutes(days, LaneMinutes(4, 3, 1, 8, 45), prior_days=1e6)
    assert stubborn.minutes.signal == pytest.approx(8, abs=1e-3)
    with pytest.raises(StatisticsError, match="no column 'signals'"):
        teams.fit_lane_minutes(days.drop(columns="signals"), LaneMinutes(4, 3, 1, 8, 45))


# ---- tables of teams


def test_the_example_table_reads_and_expands():
    crews = teams.teams_from(tomllib.loads(teams.example_text()))
    assert [c.id for c in crews] == ["Manual-1", "Manual-2", "Dogs-1", "Machine-1", "Machine-2"]
    assert crews[2].calendar.seasons == (("03-01", "06-15"), ("09-01", "11-30"))
    assert crews[2].calendar.holidays == crews[0].calendar.holidays


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no [[team]]"),
        ("[[team]]\nid = 'A'", "needs an id and rates"),
        ("[[team]]\nid = 'A'\nrates = { manual = 0 }", "more than 0"),
        ("[[team]]\nid = 'A'\nrates = { manual = { m2 = 3 } }", "unknown entry 'm2'"),
        ("[[team]]\nid = 'A'\nrates = { manual = 3 }\nbase = [95, 200]", "base is [lon, lat]"),
        ("[[team]]\nid = 'A'\nrates = { manual = 3 }\nholidays = ['x']", "not a date"),
        ("[[team]]\nid = 'A'\nrates = { manual = 3 }\nspeed = 3", "unknown entry 'speed'"),
        ("[[team]]\nid = 'A'\nrates = { manual = 3 }\nhours = 40", "make no sense"),
        ("[[team]]\nid = 'A'\nrates = { manual = 3 }\n[[team]]\nid = 'A'\nrates = { manual = 3 }", "two teams"),
        ("[[team]]\nid = 'A'\nrates = { manual = true }", "not a number"),
        ("[calendar]\nweather = [0.1]\n[[team]]\nid = 'A'\nrates = { manual = 3 }", "twelve"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_words(text, said, tmp_path):
    file = tmp_path / "teams.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SchemaError) as caught:
        teams.load_teams(file)
    assert said in caught.value.message
    assert caught.value.file == str(file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        teams.load_teams(tmp_path / "no.toml")


def test_the_spread_between_grounds_is_told_from_that_between_days():
    rng = np.random.default_rng(8)
    rows = []
    for _ in range(400):
        days = int(rng.choice([1, 2, 5, 20, 60]))
        mean = 50 * rng.gamma(1 / 0.3**2, 0.3**2)
        rows.append(
            {
                "skill": "manual",
                "crew": str(rng.integers(4)),
                "days": float(days),
                "m2": float(mean * rng.gamma(1 / 0.8**2, 0.8**2, days).sum()),
            }
        )
    found = teams.calibrate(pd.DataFrame(rows)).overall.iloc[0]
    assert found["day_cv"] == pytest.approx(0.8, abs=0.15)
    assert found["ground_cv"] == pytest.approx(0.3, abs=0.08)
    assert Rate(50, day_cv=0.8, ground_cv=0.3).luck(16) == pytest.approx(np.hypot(0.3, 0.2))
