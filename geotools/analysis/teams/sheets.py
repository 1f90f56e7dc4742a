"""Rates from the task's own day sheets: few days lean on the other crews of the same skill, and every rate has its interval.

For calibrating plans from records; a maker's figure never enters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import optimize

from geotools.analysis.teams.rates import LaneMinutes, Rate
from geotools.analysis.teams.workdays import Calendar
from geotools.model.arguments import array, columns
from geotools.model.doors import checked
from geotools.model.errors import StatisticsError
from geotools.model.figures import NOT_STATED
from geotools.model.schema import Issue, issues_frame

DAY_CV_MOST = 2.0  # a larger spread is one of the ground, not of days
DAY_CV = 0.5  # taken where no crew has two sheets, so that the spread from day to day cannot be seen
BETWEEN_CV = 0.1  # crews never count as more alike than this
LONE_CV = 0.3  # doubt added for another crew where only one is on record
COLUMNS = ("id", "skill", "crew", "task", "days", "m2", "m2_per_day")


@checked
def day_sheets(
    activities: pd.DataFrame, *, calendar: Calendar | None = None, skills: Sequence[str] | None = None
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Usable day sheets: ground done and working days, per report.

    Parameters
    ----------
    activities
        ``id, method, team`` (or ``organisation``), ``task_id`` (or ``hazard_id``), ``start, end, processed_m2`` as far as known. A report
        may cover one day or a span of days.
    calendar
        Which days of a span were working days; default Monday to Friday.
    skills
        Only these methods; default all.

    Returns
    -------
    sheets, issues
        ``id, skill, crew, task, days, m2, m2_per_day``; and why a report cannot be used (TM-01). A day on which nothing was done
        counts; a report that does not say how much was done does not count as 0.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": ["A"], "method": ["manual"], "team": ["T1"], "processed_m2": [400.0],
    ...                      "start": ["2026-06-01"], "end": ["2026-06-12"]})
    >>> sheets, issues = day_sheets(rows)
    >>> float(sheets["m2_per_day"].iloc[0]), len(issues)
    (40.0, 0)
    """
    calendar = calendar or Calendar()
    columns(activities, "the activities", ("id",))
    rows, found = [], []
    for record in activities.sort_values("id").to_dict("records"):
        skill = _text(record.get("method"))
        if skills is not None and skill is not None and skill not in skills:
            continue
        sheet, why = _sheet(record, skill, calendar)
        if sheet is None:
            found.append(
                Issue("TM-01", "info", "activities", str(record["id"]), message=f"this report sets no rate: {why}")
            )
        else:
            rows.append(sheet)
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    table["m2_per_day"] = table["m2"] / table["days"]
    return table, issues_frame(found)


def _sheet(record: dict[Any, Any], skill: str | None, calendar: Calendar) -> tuple[tuple[Any, ...] | None, str]:
    given: dict[str, Any] = {name: record.get(name) for name in ("start", "end", "processed_m2")}
    first, last = (pd.to_datetime(given[name], errors="coerce") for name in ("start", "end"))
    m2 = pd.to_numeric(given["processed_m2"], errors="coerce")
    if skill is None:
        return None, "the method is not stated"
    if pd.isna(m2) or not 0 <= m2 < np.inf:
        return None, "it does not say how much ground was done"
    if pd.isna(first) or pd.isna(last):
        return None, "its first or last day is not stated"
    if last < first:
        return None, "it ends before it starts"
    days = max(1, calendar.count(first.date(), last.date()))
    crew = _text(record.get("team")) or _text(record.get("organisation")) or NOT_STATED
    task = _text(record.get("task_id")) or _text(record.get("hazard_id")) or NOT_STATED
    return (str(record["id"]), skill, crew, task, float(days), float(m2)), ""


def _text(value: Any) -> str | None:
    return None if value is None or value is pd.NA or value != value or not str(value).strip() else str(value).strip()  # noqa: PLR0124


@dataclass(frozen=True)
class Calibration:
    """Rates with their doubt.

    ``table`` has a row per group: the keys, ``sheets days m2 own_m2_per_day own_weight m2_per_day cv day_cv ground_cv low high basis``.
    ``overall`` has a row per skill, for a crew or task without records.

    Examples
    --------
    >>> sheets = pd.DataFrame({"skill": "manual", "crew": ["A"] * 20 + ["B"], "days": 1.0, "m2": [40.0, 60.0] * 10 + [150.0]})
    >>> found = calibrate(sheets)
    >>> round(found.rate("manual", crew="A").m2_per_day), found.by, found.overall["skill"].tolist()
    (50, ('crew',), ['manual'])
    """

    table: pd.DataFrame
    overall: pd.DataFrame
    by: tuple[str, ...]
    level: float

    def rate(self, skill: str, **keys: str) -> Rate:
        """The rate of a group, or that of the skill as a whole where the group has no records.

        Raises
        ------
        StatisticsError
            If nothing is on record for the skill.
        """
        rows = self.table[self.table["skill"] == skill]
        for name, value in keys.items():
            rows = rows[rows[name] == value]
        if len(rows) != 1 or not keys:
            rows = self.overall[self.overall["skill"] == skill]
        if rows.empty or not float(rows["m2_per_day"].iloc[0]) > 0:
            known = ", ".join(self.overall["skill"]) or "none"
            raise StatisticsError(f"there is no record of '{skill}' to take a rate from", hint=f"on record: {known}")
        row = rows.iloc[0]
        mean, cv, day_cv, ground_cv, days = (float(row[n]) for n in ("m2_per_day", "cv", "day_cv", "ground_cv", "days"))
        return Rate(mean, cv, day_cv, days, str(row["basis"]), ground_cv)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "by": list(self.by),
            "level": self.level,
            "rates": self.table.to_dict("records"),
            "overall": self.overall.to_dict("records"),
        }


@checked
def calibrate(sheets: pd.DataFrame, *, by: Sequence[str] = ("crew",), level: float = 0.8) -> Calibration:
    """Rates of the groups in `by` within each skill, drawn towards the skill's mean where their days are few.

    Groups of a skill are taken to differ at random around a mean (normal-normal model; spread between groups after DerSimonian and
    Laird, never less than 10 %). A group's weight is what its own days are worth against that spread.

    Parameters
    ----------
    sheets
        As from `day_sheets`.
    by
        Columns that make a group: ``crew``, ``task``, or both.
    level
        Probability of the interval ``low`` to ``high``.

    Raises
    ------
    StatisticsError
        If there is no usable sheet.

    Examples
    --------
    >>> sheets = pd.DataFrame({"skill": "manual", "crew": ["A"] * 20 + ["B"], "days": 1.0, "m2": [40.0, 60.0] * 10 + [150.0]})
    >>> table = calibrate(sheets).table.set_index("crew")
    >>> bool(60 < table.loc["B", "m2_per_day"] < 150), round(float(table.loc["A", "m2_per_day"]))
    (True, 50)
    """
    if sheets.empty:
        raise StatisticsError(
            "no day sheet can set a rate",
            hint="activities need method, start, end and processed_m2; or state the rates",
        )
    sheets = _known(sheets, by)
    parts = [_skill(str(skill), rows, tuple(by), level) for skill, rows in sheets.groupby("skill", sort=True)]
    table = pd.concat([p[0] for p in parts], ignore_index=True)
    return Calibration(table, pd.DataFrame([p[1] for p in parts]), tuple(by), level)


def _known(sheets: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The sheets with days and m² as numbers, if each says whose they are."""
    if not by:
        raise StatisticsError("no group is named", hint="by is crew, task, or both")
    columns(sheets, "the day sheets", ("skill", *by, "days", "m2"))
    numbers = {
        name: array(sheets[name].to_numpy(dtype=object, na_value=np.nan), f"{name} of the day sheets")
        for name in ("days", "m2")
    }
    good = np.isfinite(numbers["days"]) & (numbers["days"] > 0) & np.isfinite(numbers["m2"]) & (numbers["m2"] >= 0)
    if not good.all() or sheets[["skill", *by]].isna().any().any():
        raise StatisticsError(
            f"{(~good).sum() or 'some'} day sheets do not say how many m² in how many days, or whose they are",
            hint="day_sheets makes them from activities",
        )
    return sheets.assign(**numbers)


def _skill(skill: str, rows: pd.DataFrame, by: tuple[str, ...], level: float) -> tuple[pd.DataFrame, dict[str, Any]]:
    groups = rows.groupby(list(by), sort=True).agg(sheets=("m2", "size"), days=("days", "sum"), m2=("m2", "sum"))
    own = groups["m2"] / groups["days"]
    day_cv, ground_cv, seen = _spreads(rows, by, own)
    crude = float(rows["m2"].sum() / rows["days"].sum())
    squares = rows.assign(days=rows["days"] ** 2).groupby(list(by), sort=True)["days"].sum() / groups["days"] ** 2
    within = crude**2 * (ground_cv**2 * squares + day_cv**2 / groups["days"]).to_numpy()
    mean, mean_var, between = _random_effects(own.to_numpy(), within, crude)
    keep = between / (between + within) if crude > 0 else np.ones(len(own))
    value = mean + keep * (own.to_numpy() - mean)
    variance = keep * within + (1 - keep) ** 2 * mean_var
    table = groups.reset_index()
    table.insert(0, "skill", skill)
    table["own_m2_per_day"], table["own_weight"] = own.to_numpy(), keep
    table["m2_per_day"] = value
    table["cv"] = np.divide(np.sqrt(variance), value, out=np.full(len(value), np.nan), where=value > 0)
    table["day_cv"], table["ground_cv"] = day_cv, ground_cv
    said = "" if seen else f"; spread from day to day assumed {DAY_CV:.0%}"
    table["basis"] = [f"{int(n)} sheets, {d:.0f} days, own weight {k:.0%}{said}" for n, d, k in zip(table["sheets"], table["days"], keep, strict=True)]  # fmt: skip
    lone = (LONE_CV * mean) ** 2 if len(own) == 1 else 0.0
    total = math.sqrt(mean_var + between + lone)
    overall = {
        "skill": skill, "sheets": int(groups["sheets"].sum()), "days": float(groups["days"].sum()), "m2": float(groups["m2"].sum()),
        "m2_per_day": mean, "cv": total / mean if mean > 0 else math.nan, "day_cv": day_cv, "ground_cv": ground_cv,
        "basis": f"mean of {len(own)} {' and '.join(by)} groups, {groups['days'].sum():.0f} days{said}",
    }  # fmt: skip
    whole = _with_interval(pd.DataFrame([overall]), level).iloc[0]
    return _with_interval(table, level), {str(k): v for k, v in whole.to_dict().items()}


def _spreads(rows: pd.DataFrame, by: tuple[str, ...], own: pd.Series) -> tuple[float, float, bool]:
    """Relative spread from day to day and from report to report, pooled within groups.

    A report over d days lies ``ground² + day² / d`` around the mean of its group; both parts are fitted to the squared distances.
    """
    sums = rows.groupby(list(by))[["m2", "days"]].transform("sum")
    mean = (sums["m2"] / sums["days"]).to_numpy()
    free = len(rows) - len(own)
    if free < 1 or not (mean > 0).any():
        return DAY_CV, 0.0, False
    days = rows["days"].to_numpy()
    relative = np.divide((rows["m2"] / rows["days"]).to_numpy(), mean, out=np.ones(len(rows)), where=mean > 0) - 1
    squared = relative**2 * len(rows) / free
    if np.ptp(days) > 0:
        day, ground = _fitted(np.column_stack([1 / days, np.ones(len(days))]), squared)
    else:
        day, ground = float(squared.mean() * days[0]), 0.0
    if day > DAY_CV_MOST**2:
        day = DAY_CV_MOST**2
        ground = max(0.0, float((squared - day / days).mean()))
    return math.sqrt(day), math.sqrt(ground), True


def _fitted(parts: np.ndarray, squared: np.ndarray) -> tuple[float, float]:
    """Non-negative fit of squared distances, those expected to be large weighing less."""
    weight = np.ones(len(squared))
    day, ground = 0.0, 0.0
    for _ in range(5):
        day, ground = optimize.nnls(parts * weight[:, None], squared * weight)[0]
        expected = parts @ np.array([day, ground])
        weight = 1 / np.maximum(expected, max(1e-3 * float(squared.mean()), 1e-12))
    return float(day), float(ground)


def _random_effects(own: np.ndarray, within: np.ndarray, crude: float) -> tuple[float, float, float]:
    """Mean over groups, its variance, and the variance between groups (DerSimonian-Laird, with a floor)."""
    floor = (BETWEEN_CV * crude) ** 2
    within = np.maximum(within, 1e-12 * max(crude, 1.0) ** 2)
    weight = 1 / within
    between = floor
    if len(own) > 1:
        mean = (weight * own).sum() / weight.sum()
        excess = (weight * (own - mean) ** 2).sum() - (len(own) - 1)
        between = max(floor, excess / (weight.sum() - (weight**2).sum() / weight.sum()))
    weight = 1 / (within + between)
    return float((weight * own).sum() / weight.sum()), float(1 / weight.sum()), float(between)


def _with_interval(table: pd.DataFrame, level: float) -> pd.DataFrame:
    usable = (table["m2_per_day"] > 0) & table["cv"].notna()
    ends = [
        Rate(float(m), float(c)).interval(level) if ok else (math.nan, math.nan)
        for m, c, ok in zip(table["m2_per_day"], table["cv"], usable, strict=True)
    ]
    return table.assign(low=[low for low, _ in ends], high=[high for _, high in ends])


@dataclass(frozen=True)
class LaneFit:
    """Lane minutes fitted to day sheets: the fit, and the ends of its interval per part.

    Attributes
    ----------
    minutes
        The fit, in minutes per part of the work.
    low, high
        Ends of the interval of each part.
    sheets
        Day sheets used.

    Examples
    --------
    >>> days = pd.DataFrame({"minutes": [300.0] * 3, "m2": [30.0, 25.0, 20.0], "signals": [10, 17, 24], "mines": [0, 0, 0]})
    >>> found = fit_lane_minutes(days, LaneMinutes(4, 3, 0.5, 6, 45))
    >>> found.sheets, bool(found.low.sweep <= found.minutes.sweep <= found.high.sweep)
    (3, True)
    """

    minutes: LaneMinutes
    low: LaneMinutes
    high: LaneMinutes
    sheets: int


@checked(least={"draws": 1, "prior_days": 0})
def fit_lane_minutes(
    sheets: pd.DataFrame, prior: LaneMinutes, *, prior_days: float = 5.0, draws: int = 400, seed: int = 0
) -> LaneFit:
    """Minutes per m², per signal and per mine from day sheets, by non-negative least squares with a prior.

    Parameters
    ----------
    sheets
        One row per worker and day (or team and day): ``minutes`` of lane work, ``m2``, ``signals``, ``mines``.
    prior
        What is believed before; how ``vegetation``, ``sweep`` and ``checks`` share the minutes of a m² is kept from it.
    prior_days
        How many days of record the prior is worth.
    draws, seed
        Bootstrap of the sheets for the interval (80 %).

    Raises
    ------
    StatisticsError
        If there is no sheet or a column is missing.

    Examples
    --------
    >>> days = pd.DataFrame({"minutes": [300.0] * 3, "m2": [30.0, 25.0, 20.0], "signals": [10, 17, 24], "mines": [0, 0, 0]})
    >>> fit_lane_minutes(days, LaneMinutes(4, 3, 0.5, 6, 45), prior_days=0.01).sheets
    3
    """
    names = ("minutes", "m2", "signals", "mines")
    missing = [name for name in names if name not in sheets]
    if missing or sheets.empty:
        raise StatisticsError(
            "there is no day sheet" if not missing else f"the day sheets have no column '{missing[0]}'"
        )
    data = np.column_stack(
        [array(sheets[name].to_numpy(dtype=object, na_value=np.nan), f"{name} of the day sheets") for name in names]
    )
    if not np.isfinite(data).all() or (data < 0).any():
        raise StatisticsError("minutes, m², signals and mines must be known and not negative on every sheet")
    start = np.array([prior.vegetation + prior.sweep + prior.checks, prior.signal, prior.mine])
    rng = np.random.default_rng(seed)
    best = _nnls(data, start, prior_days)
    again = np.array([_nnls(data[rng.integers(0, len(data), len(data))], start, prior_days) for _ in range(draws)])
    low, high = np.quantile(again, [0.1, 0.9], axis=0)
    return LaneFit(_lane(best, prior), _lane(low, prior), _lane(high, prior), len(sheets))


def _nnls(data: np.ndarray, prior: np.ndarray, prior_days: float) -> np.ndarray:
    matrix, minutes = data[:, 1:], data[:, 0]
    scale = np.sqrt((matrix**2).mean(axis=0))
    scale[scale == 0] = 1.0
    pull = np.diag(scale) * math.sqrt(max(prior_days, 1e-9))
    solution: np.ndarray = optimize.nnls(np.vstack([matrix, pull]), np.r_[minutes, pull @ prior])[0]
    return solution


def _lane(values: np.ndarray, prior: LaneMinutes) -> LaneMinutes:
    area = prior.vegetation + prior.sweep + prior.checks
    scale = float(values[0]) / area if area > 0 else 0.0
    even = 0.0 if area > 0 else float(values[0]) / 3
    parts = [part * scale + even for part in (prior.vegetation, prior.sweep, prior.checks)]
    return LaneMinutes(parts[0], parts[1], parts[2], float(values[1]), float(values[2]))
