"""From scores to survey priority: classes by area, and a rule that only ever raises.

For ordering survey; the lowest class says nothing about the ground.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from geotools.model import arguments
from geotools.model.errors import SchemaError, StatisticsError

SHARES = (0.20, 0.10, 0.05)


def classes(scores: Any, *, shares: Sequence[float] = SHARES) -> np.ndarray:
    """Survey priority 0 to n: the share of places with the highest scores gets at least that class.

    With several scores per place the highest class counts: a model adds to what the baseline gives and takes nothing from it.

    Parameters
    ----------
    scores
        One score per place, or a table with one column per model; missing scores give class 0.
    shares
        Falling shares of the places, e.g. the best 20, 10 and 5 % for the classes 1, 2 and 3.

    Raises
    ------
    StatisticsError
        If the scores are not one list or table, or the shares do not fall.

    Examples
    --------
    >>> classes([0.1, 0.2, 0.3, 0.4], shares=(0.5, 0.25)).tolist()
    [0, 0, 1, 2]
    """
    values = np.asarray(arguments.array(scores, "scores"))
    if values.ndim not in (1, 2):
        raise StatisticsError(
            "scores are one list, or a table with a column per model", hint="one score for every place"
        )
    table = values[:, None] if values.ndim == 1 else values
    steps = [arguments.number(share, "a share", above=0, most=1) for share in arguments.sequence(shares, "shares")]
    if sorted(steps, reverse=True) != steps or not steps:
        raise StatisticsError("shares fall from class to class", hint="for example (0.2, 0.1, 0.05)")
    out = np.zeros(len(table), dtype=np.uint8)
    for column in table.T:
        known = np.flatnonzero(np.isfinite(column))
        if len(known):
            ranked = np.sort(column[known])[::-1]
            limits = [
                ranked[min(len(known) - 1, max(0, math.ceil(round(share * len(known), 9)) - 1))] for share in steps
            ]
            out[known] = np.maximum(out[known], sum((column[known] >= limit).astype(np.uint8) for limit in limits))
    return out


def raise_priority(current: pd.Series, score: pd.Series, *, threshold: float) -> pd.Series:
    """Survey priority, raised to at least 1 step where the score reaches the threshold; nowhere lowered.

    Parameters
    ----------
    current
        Present priority, larger is more urgent.
    score
        From `Surface.predict` or `Surface.scores`, on the same index.

    Raises
    ------
    SchemaError
        If priority and score do not share one index, or a place has two scores.

    Examples
    --------
    >>> raise_priority(pd.Series([3, 0, 0]), pd.Series([0.0, 0.9, 0.1]), threshold=0.5).tolist()
    [3, 1, 0]
    """
    if not (isinstance(current, pd.Series) and isinstance(score, pd.Series)):
        raise SchemaError("priority and score are Series on one index", hint="pd.Series(..., index=places.index)")
    arguments.array(current.to_numpy(), "the present priority")
    arguments.array(score.to_numpy(), "the score")
    threshold = arguments.number(threshold, "threshold")
    if not score.index.is_unique:
        raise SchemaError("a place has two scores", hint="one score for each index value")
    aligned = score.reindex(current.index)
    return current.where(~(aligned >= threshold), np.maximum(current, 1)).rename("survey_priority")
