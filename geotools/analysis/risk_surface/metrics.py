"""How well scores rank and how far they can be believed: areas under curves, heights, reliability.

For labels and scores of any model; scores must come from models that had not seen the places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geotools.model import arguments
from geotools.model.errors import StatisticsError

GROUPS = 10


def roc_auc(label: Any, score: Any) -> float:
    """Area under the ROC curve: chance that a positive outranks a negative, ties counting half.

    Examples
    --------
    >>> roc_auc([True, False, True, False], [0.9, 0.8, 0.3, 0.1])
    0.75
    """
    from scipy.stats import rankdata

    truth, values = _both(label, score)
    ranks = rankdata(values)
    positives = int(truth.sum())
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives)))


def pr_auc(label: Any, score: Any) -> float:
    """Average precision: Σ (recall step) × precision, from the highest score down, ties taken together.

    Examples
    --------
    >>> round(pr_auc([True, False, True, False], [0.9, 0.8, 0.3, 0.1]), 4)
    0.8333
    """
    truth, values = _both(label, score)
    order = np.argsort(-values, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(values[order])), len(values) - 1]
    hits = np.cumsum(truth[order])[last]
    return float((np.diff(np.r_[0, hits]) * hits / (last + 1)).sum() / hits[-1])


def heights(label: Any, score: Any) -> tuple[float, float]:
    """`r_height`: mean over positives of the negatives scored ≥ it; `height`: mean over negatives of the positives scored ≤ it.

    Without ties r_height = N₋·(1−AUC) and height = N₊·(1−AUC).

    Examples
    --------
    >>> heights([True, False, True, False], [0.9, 0.8, 0.3, 0.1])
    (0.5, 0.5)
    """
    truth, values = _both(label, score)
    yes, no = np.sort(values[truth]), np.sort(values[~truth])
    r_height = (len(no) - np.searchsorted(no, yes, side="left")).mean()
    return float(r_height), float(np.searchsorted(yes, no, side="right").mean())


def reliability(label: Any, score: Any, *, groups: int = GROUPS, confidence: float = 0.95) -> pd.DataFrame:
    """What was predicted beside what was observed, in groups of equal size from the lowest score to the highest.

    Returns
    -------
    DataFrame
        `predicted, observed, low, high, n`: exact (Clopper-Pearson) limits of the observed share.

    Examples
    --------
    >>> reliability([False, True, False, True], [0.1, 0.2, 0.8, 0.9], groups=2)[["predicted", "observed", "n"]].round(2).values.tolist()
    [[0.15, 0.5, 2.0], [0.85, 0.5, 2.0]]
    """
    from scipy.special import betaincinv

    truth, values = _both(label, score)
    tail = (1 - arguments.number(confidence, "confidence", above=0, below=1)) / 2
    rows = []
    for part in np.array_split(
        np.argsort(values, kind="stable"), arguments.whole(groups, "groups", least=1, most=10_000)
    ):
        n, k = len(part), int(truth[part].sum())
        if n:
            low = float(betaincinv(k, n - k + 1, tail)) if k else 0.0
            high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
            rows.append({"predicted": float(values[part].mean()), "observed": k / n, "low": low, "high": high, "n": n})
    return pd.DataFrame(rows)


def calibration_error(label: Any, score: Any, *, groups: int = GROUPS) -> float:
    """Mean distance between predicted and observed share over the groups of `reliability`, weighted by their size.

    Examples
    --------
    >>> round(calibration_error([False, True, False, True], [0.1, 0.2, 0.8, 0.9], groups=2), 2)
    0.35
    """
    table = reliability(label, score, groups=groups)
    return float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["n"]))


def summary(label: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """All metrics of one model."""
    r_height, height = heights(label, score)
    return {
        "roc_auc": roc_auc(label, score), "pr_auc": pr_auc(label, score), "base_rate": float(label.mean()),
        "brier": float(((score - label) ** 2).mean()), "calibration_error": calibration_error(label, score),
        "r_height": r_height, "height": height,
    }  # fmt: skip


def _both(label: Any, score: Any) -> tuple[np.ndarray, np.ndarray]:
    truth, values = np.atleast_1d(arguments.array(label, "label")), np.atleast_1d(arguments.array(score, "score"))
    if (
        truth.shape != values.shape
        or truth.ndim != 1
        or not np.isfinite(values).all()
        or not np.isin(truth, (0, 1)).all()
    ):
        raise StatisticsError(
            "every place needs one label (yes or no) and one score", hint="two lists of the same length"
        )
    if truth.all() or not truth.any():
        raise StatisticsError(
            "this needs places with and places without known ordnance", hint="more ground, or another label"
        )
    return truth > 0, values
