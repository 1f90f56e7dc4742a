"""Trade-off curves where marks carry a score: FROC (POD against false alarms per m²) and ROC (targets against decoys).

For choosing and comparing working points; a trial without scores has one point, with its box of uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.trial.intervals import interval, rate_interval
from geotools.analysis.trial.scoring import RUN, Score
from geotools.model import arguments
from geotools.model.errors import StatisticsError
from geotools.space.pairing import pair

MOST_POINTS = 60


def froc(scored: Score, *, confidence: float = 0.95) -> pd.DataFrame:
    """POD and false alarms per m² for each threshold of the score, re-matched at every threshold.

    A mark whose score is missing is always kept. Without any score the table has one row.

    Parameters
    ----------
    scored
        As from `score`.
    confidence
        Of the two-sided limits.

    Returns
    -------
    DataFrame
        `threshold, k, n, pod, low, high, false_alarms, far_m2, far_low, far_high`, from the strictest threshold to none.

    Raises
    ------
    StatisticsError
        If it is not given a scored trial.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.analysis.trial import score
    >>> targets = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> marks = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "score": [0.8], "geometry": [None]}, geometry="geometry")

    >>> froc(score(targets, marks, halo_m=0.2))[["threshold", "k", "n", "pod", "false_alarms"]].values.tolist()
    [[0.8, 1.0, 2.0, 0.5, 0.0]]
    """
    confidence = arguments.number(confidence, "confidence", above=0, below=1)
    if not isinstance(scored, Score):
        raise StatisticsError("a curve is drawn of a scored trial", hint="the result of trial.score")
    values = np.unique(scored.marks["score"].dropna().to_numpy(dtype=float))
    if len(values) > MOST_POINTS:
        values = np.unique(np.quantile(values, np.linspace(0, 1, MOST_POINTS), method="nearest"))
    steps = [*values[::-1], -np.inf] if len(values) else [-np.inf]
    area = float(scored.runs["area_m2"].sum(skipna=False))
    runs = _runs(scored)
    false = np.sort(scored.marks.loc[scored.marks["verdict"] == "false", "score"].fillna(np.inf).to_numpy(dtype=float))
    rows = [
        {
            "threshold": step,
            "k": _hits(runs, step, scored.halo_m),
            "n": len(scored.real),
            "false_alarms": len(false) - int(np.searchsorted(false, step)),
        }
        for step in steps
    ]
    table = pd.DataFrame(rows).drop_duplicates(["k", "false_alarms"]).reset_index(drop=True)
    table["pod"] = table["k"] / table["n"]
    table["low"], table["high"] = interval(table["k"].to_numpy(), table["n"].to_numpy(), confidence=confidence)
    limits = (
        rate_interval(table["false_alarms"].to_numpy(), area, confidence=confidence) if area > 0 else (np.nan, np.nan)
    )
    return table.assign(
        far_m2=table["false_alarms"] / area if area > 0 else np.nan, far_low=limits[0], far_high=limits[1]
    )


def _runs(scored: Score) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Per run: targets, marks, and the scores of the marks (infinite where there is none)."""
    aims = dict(list(scored.real.groupby(list(RUN), sort=False)))
    return [
        (
            aims[run][["x", "y"]].to_numpy(dtype=float),
            group[["x", "y"]].to_numpy(dtype=float),
            group["score"].fillna(np.inf).to_numpy(dtype=float),
        )
        for run, group in scored.marks.groupby(list(RUN), sort=False)
        if run in aims
    ]


def _hits(runs: list[tuple[np.ndarray, np.ndarray, np.ndarray]], step: float, halo_m: float) -> int:
    return sum(len(pair(aims, marks[scores >= step], halo_m)) for aims, marks, scores in runs)


@dataclass(frozen=True)
class Roc:
    """ROC of targets against decoys: `.table` (`threshold, tpr, fpr`), area under it and its limits (DeLong, logit scale).

    Examples
    --------
    >>> found = roc([0.9, 0.8, 0.3, 0.1], [True, False, True, False])
    >>> found.table.columns.tolist(), bool(found.low < found.auc < found.high)
    (['threshold', 'tpr', 'fpr'], True)
    """

    table: pd.DataFrame
    auc: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data without the table."""
        return {"auc": self.auc, "low": self.low, "high": self.high}


def roc(score: Any, is_target: Any, *, confidence: float = 0.95) -> Roc:
    """ROC curve where every emplaced object, target or decoy, has a score (0 or less where it was not marked).

    Raises
    ------
    StatisticsError
        If there are no targets or no decoys.

    Examples
    --------
    >>> round(roc([0.9, 0.8, 0.3, 0.1], [True, False, True, False]).auc, 2)
    0.75
    """
    values, truth = (
        np.atleast_1d(arguments.array(score, "score")),
        np.atleast_1d(arguments.array(is_target, "is_target")) > 0,
    )
    if values.shape != truth.shape or not np.isfinite(values).all():
        raise StatisticsError("every object needs one score", hint="0 where it was not marked; none may be missing")
    if truth.all() or not truth.any():
        raise StatisticsError("a ROC curve needs targets and decoys", hint="mark decoys with target_type = decoy")
    yes, no = values[truth], values[~truth]
    wins = (yes[:, None] > no).astype(float) + 0.5 * (yes[:, None] == no)
    auc = float(wins.mean())
    spread = _variance(wins.mean(axis=1)) + _variance(wins.mean(axis=0))
    steps = np.r_[np.inf, np.unique(values)[::-1]]
    table = pd.DataFrame(
        {"threshold": steps, "tpr": [(yes >= s).mean() for s in steps], "fpr": [(no >= s).mean() for s in steps]}
    )
    if not 0 < auc < 1:  # perfect separation: limits of the smaller group instead of a false certainty
        low, high = interval(min(len(yes), len(no)) * round(auc), min(len(yes), len(no)), confidence=confidence)
        return Roc(table, auc, float(low), float(high))
    from scipy.special import expit, logit, ndtri

    half = float(-ndtri((1 - confidence) / 2)) * np.sqrt(spread) / (auc * (1 - auc))
    return Roc(table, auc, float(expit(logit(auc) - half)), float(expit(logit(auc) + half)))


def _variance(values: np.ndarray) -> float:
    return float(np.var(values, ddof=1) / len(values)) if len(values) > 1 else 0.25
