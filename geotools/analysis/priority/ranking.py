"""Scores and ranks of tasks by weighted sum or PROMETHEE II, what is not known carried along, and each score told in words.

For lists that can be explained; how firm the ranks are is told by `stability`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.priority import promethee
from geotools.analysis.priority.criteria import Criteria, Criterion
from geotools.analysis.priority.indicators import Indicators
from geotools.analysis.priority.promethee import Preference
from geotools.model.doors import checked
from geotools.model.errors import SchemaError, StatisticsError

METHODS = ("sum", "promethee")
NOT_RANKED = "not ranked: nothing is known of any task for any of the criteria ({names}); the order is that of the ids"


@dataclass(frozen=True)
class Ranking:
    """Tasks in order of priority.

    ``table``: ``id rank score score_low score_high unknown_weight words``, first the most urgent. A score by weighted sum lies between 0 and
    1, a net flow of PROMETHEE between −1 and 1. ``score_low`` to ``score_high`` is where it can lie given what is not known.
    ``parts``: per task and criterion, utility (0 to 1) or net flow before weighting; ``parts_low`` and ``parts_high`` likewise.
    ``unranked``: why there is no order, empty where there is one; without one, ``rank`` and ``score`` are missing.

    Examples
    --------
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7, error=0.0), Criterion("Roads", "roads", 0.3, error=0.0)))

    >>> found = rank(figures, both)
    >>> found.table[["id", "rank"]].values.tolist(), found.scores.round(2).to_dict(), found.to_dict()["method"]
    ([['A', 1], ['B', 2]], {'A': 0.7, 'B': 0.3}, 'sum')
    """

    method: str
    criteria: Criteria
    indicators: Indicators
    table: pd.DataFrame
    parts: pd.DataFrame = field(repr=False)
    parts_low: pd.DataFrame = field(repr=False)
    parts_high: pd.DataFrame = field(repr=False)
    unranked: str = ""

    @property
    def scores(self) -> pd.Series:
        """Score per task, index as the indicators."""
        return pd.Series(self.parts.to_numpy() @ self.criteria.weights, index=self.parts.index, name="score")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "method": self.method,
            **self.criteria.to_dict(),
            "words": self.criteria.words,
            "notes": dict(self.indicators.notes),
            "tasks": plain_rows(self.table),
        }


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table for JSON: what is missing or not finite is None."""
    return [
        {str(k): None if v is pd.NA or (isinstance(v, float) and not np.isfinite(v)) else v for k, v in row.items()}
        for row in table.to_dict("records")
    ]


@checked
def rank(indicators: Indicators, criteria: Criteria, *, method: str = "sum") -> Ranking:
    """Rank tasks by their indicators and the weights of the criteria.

    What is not known never counts as zero: an unknown figure scores as the tasks whose figure is known do on average, the score gets
    the interval of everything it can be, and ``unknown_weight`` says how much of it rests on unknown figures. In PROMETHEE an unknown
    figure neither prefers nor is preferred. Where nothing is known of any task, there is no order: ranks and scores are missing, and
    `Ranking.unranked` says why.

    Parameters
    ----------
    indicators
        As from `indicators` or `Indicators.of`.
    criteria
        As from `criteria`.
    method
        ``sum``: weighted sum of utilities. ``promethee``: net flows of PROMETHEE II.

    Raises
    ------
    SchemaError
        If a criterion's indicator is not there.
    StatisticsError
        If the method is unknown or there are no tasks.

    Examples
    --------
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators
    >>> figures = Indicators.of(pd.DataFrame({"people": [10.0, 200.0, None]}, index=["A", "B", "C"]))
    >>> found = rank(figures, Criteria((Criterion("People", "people", 1.0),)))
    >>> found.table[["id", "rank", "score", "score_low", "score_high"]].values.tolist()
    [['B', 1, 1.0, 1.0, 1.0], ['C', 2, 0.5, 0.0, 1.0], ['A', 3, 0.0, 0.0, 0.0]]
    """
    if method not in METHODS:
        raise StatisticsError(f"'{method}' is not a way to rank", hint=f"use one of {', '.join(METHODS)}")
    if indicators.value.empty:
        raise StatisticsError("there is no task to rank")
    missing = [c.indicator for c in criteria.rows if c.indicator not in indicators.value]
    if missing:
        raise SchemaError(
            f"there is no indicator '{missing[0]}'", hint=f"there are {', '.join(map(str, indicators.value.columns))}"
        )
    score = utilities if method == "sum" else net_flows
    columns = [score(*_figures(indicators, c), c) for c in criteria.rows]
    index = indicators.value.index
    mid, low, high = (
        pd.DataFrame(np.column_stack([col[n] for col in columns]), index=index, columns=criteria.names)
        for n in range(3)
    )
    table = _table(indicators, criteria, (mid, low, high), method)
    why = _unranked(table, criteria)
    return Ranking(method, criteria, indicators, _without_order(table, why) if why else table, mid, low, high, why)


def _unranked(table: pd.DataFrame, criteria: Criteria) -> str:
    """Why there is no order: no figure of any task is known for a criterion that counts, nor a limit of one that sets tasks apart."""
    if (table["unknown_weight"] <= 1 - 1e-9).any() or table["score"].round(9).nunique() > 1:
        return ""
    return NOT_RANKED.format(names=", ".join(c.name for c, w in zip(criteria.rows, criteria.weights, strict=True) if w))


def _without_order(table: pd.DataFrame, why: str) -> pd.DataFrame:
    blank = pd.array([pd.NA] * len(table), dtype="Int64")
    out = table.assign(rank=blank, score=np.nan, words=why)
    return out.sort_values("id", kind="stable", ignore_index=True)


Three = tuple[np.ndarray, np.ndarray, np.ndarray]


def _figures(indicators: Indicators, criterion: Criterion) -> Three:
    value, low, high = (
        f[criterion.indicator].to_numpy(dtype=float) for f in (indicators.value, indicators.low, indicators.high)
    )
    return value, low, high


def utilities(value: np.ndarray, low: np.ndarray, high: np.ndarray, criterion: Criterion) -> Three:
    """Utility of each figure between 0 and 1, and the least and most it can be."""
    worst, best = ends(value, low, high, criterion)
    middle, one, two = (utility(x, worst, best, criterion) for x in (value, low, high))
    bottom, top = np.fmin(np.fmin(one, two), middle), np.fmax(np.fmax(one, two), middle)
    bottom, top = np.where(np.isnan(bottom), 0.0, bottom), np.where(np.isnan(top), 1.0, top)
    known = np.isfinite(middle)
    typical = float(middle[known].mean()) if known.any() else 0.5
    return np.where(known, middle, np.clip(typical, bottom, top)), bottom, top


def ends(value: np.ndarray, low: np.ndarray, high: np.ndarray, criterion: Criterion) -> tuple[float, float]:
    """The figures that score 0 and 1."""
    every = np.r_[value, low, high]
    every = every[np.isfinite(every)]
    least, most = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    worst, best = (least, most) if criterion.better == "more" else (most, least)
    return (worst if criterion.worst is None else criterion.worst, best if criterion.best is None else criterion.best)


def utility(x: np.ndarray, worst: float, best: float, criterion: Criterion) -> np.ndarray:
    """Where a figure lies between the worst and the best; ½ where all tasks are alike."""
    if criterion.scale == "log":
        x, worst, best = np.log1p(np.maximum(x, 0.0)), float(np.log1p(max(worst, 0.0))), float(np.log1p(max(best, 0.0)))
    if worst == best:
        return np.where(np.isfinite(x), 0.5, np.nan)
    out: np.ndarray = np.clip((x - worst) / (best - worst), 0.0, 1.0)
    return out


def preference_of(value: np.ndarray, criterion: Criterion) -> Preference:
    """The criterion's own function, or linear without threshold up to the spread of the middle half of the tasks."""
    if criterion.preference is not None:
        return criterion.preference
    known = _scaled(value[np.isfinite(value)], criterion)
    spread = float(np.subtract(*np.quantile(known, [0.75, 0.25]))) if len(known) else 0.0
    spread = spread or (float(np.ptp(known)) if len(known) else 0.0)
    return Preference("v-shape", p=spread) if spread > 0 else Preference("usual")


def _scaled(x: np.ndarray, criterion: Criterion) -> np.ndarray:
    """A figure as PROMETHEE compares it: own functions are in units of the indicator, others follow the scale."""
    if criterion.preference is None and criterion.scale == "log":
        x = np.log1p(np.maximum(x, 0.0))
    return x if criterion.better == "more" else -x


def net_flows(value: np.ndarray, low: np.ndarray, high: np.ndarray, criterion: Criterion) -> Three:
    """Net flow on one criterion between −1 and 1; the least if the task's figure is at its worst and all others at their best."""
    function = preference_of(value, criterion)
    mid = _scaled(value, criterion)
    plus, minus = promethee.flows(mid, function)
    one, two = _scaled(low, criterion), _scaled(high, criterion)
    worst, best = np.fmin(np.fmin(one, two), mid), np.fmax(np.fmax(one, two), mid)
    return plus - minus, _extreme(worst, best, function, -1.0), _extreme(best, worst, function, 1.0)


def _extreme(own: np.ndarray, others: np.ndarray, function: Preference, unknown: float) -> np.ndarray:
    """Net flow when each task has `own` and the rest have `others`; every comparison with something unknown counts `unknown`."""
    count = len(own)
    if count < 2:
        return np.zeros(count)
    out = np.full(count, unknown)
    known = np.isfinite(own) & np.isfinite(others)
    x, rest = own[known], others[known]
    net = promethee.over(x, rest, function) - promethee.over(-x, -rest, function)
    itself = function.of(x - rest) - function.of(rest - x)  # a task is not compared with itself
    out[known] = (net - itself + unknown * (count - int(known.sum()))) / (count - 1)
    return out


def _table(indicators: Indicators, criteria: Criteria, parts: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], method: str) -> pd.DataFrame:  # fmt: skip
    weights = criteria.weights
    score, low, high = (frame.to_numpy() @ weights for frame in parts)
    unknown = (
        np.column_stack([~np.isfinite(indicators.value[c.indicator].to_numpy(dtype=float)) for c in criteria.rows])
        @ weights
    )
    table = pd.DataFrame({"id": indicators.value.index.astype(str), "score": score, "score_low": low, "score_high": high, "unknown_weight": unknown})  # fmt: skip
    order = np.lexsort((table["id"].to_numpy(dtype=str), -np.round(score, 12)))
    table = table.iloc[order].reset_index(drop=True)
    table.insert(1, "rank", np.arange(1, len(table) + 1))
    places = {str(name): place for place, name in enumerate(indicators.value.index)}
    figures = _texts(indicators, criteria)
    gives = parts[0].to_numpy() * weights
    span = (parts[2].to_numpy() - parts[1].to_numpy()) * weights / 2
    table["words"] = [
        f"rank {number} of {len(table)}, " + _words(criteria, figures[at], (gives[at], span[at]), method)
        for number, at in zip(table["rank"], table["id"].map(places), strict=True)
    ]
    return table


def _words(criteria: Criteria, figures: list[str | None], amounts: tuple[np.ndarray, np.ndarray], method: str) -> str:
    weights = criteria.weights
    gives, span = amounts
    said, nothing = [], []
    for k in np.argsort(-np.abs(gives), kind="stable"):
        figure, name = figures[k], criteria.rows[k].name.lower()
        if figure is None or weights[k] == 0:
            continue
        if figure == "0" and abs(gives[k]) < 0.005:
            nothing.append(name)
        else:
            said.append(f"{name} {figure} (weight {weights[k]:.0%}) {_gives(float(gives[k]), method)}")
    said += [f"nothing from {', '.join(nothing)}"] if nothing else []
    unsure = [
        f"{criteria.rows[k].name.lower()} (weight {weights[k]:.0%}, ±{span[k]:.2f})"
        for k in range(len(weights))
        if figures[k] is None and weights[k] > 0
    ]
    total = float(gives.sum())
    text = f"{'score' if method == 'sum' else 'net flow'} {total:.2f}: {'; '.join(said) or 'nothing is known'}"
    return text + (f"; not known: {', '.join(unsure)}" if unsure else "")


def _gives(amount: float, method: str) -> str:
    return f"gives {amount:.2f}" if method == "sum" else f"gives {amount:+.2f}"


def _texts(indicators: Indicators, criteria: Criteria) -> list[list[str | None]]:
    """Each task's figures as people read them; None where a figure is not known."""
    columns = []
    for criterion in criteria.rows:
        value, low, high = (array.tolist() for array in _figures(indicators, criterion))
        columns.append([_figure(*three, criterion.unit) for three in zip(value, low, high, strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def _figure(value: float, low: float, high: float, unit: str) -> str | None:
    if not math.isfinite(value):
        return None
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2g}"
    unit = f" {unit}" if unit and value else ""
    doubt = f" ({low:,.0f} to {high:,.0f})" if math.isfinite(low) and math.isfinite(high) and high - low > 0.5 else ""
    return f"{text}{unit}{doubt}"
