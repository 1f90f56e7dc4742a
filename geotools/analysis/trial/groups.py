"""Are two groups different? Exact tests with multiplicity control; and shrinkage, so that 8 targets are not ranked against 60.

For fair comparison; deliberately no ranking: every figure comes with its interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.trial.intervals import interval
from geotools.model import arguments
from geotools.model.errors import StatisticsError


def compare(k: pd.Series, n: pd.Series, *, confidence: float = 0.95) -> pd.DataFrame:
    """Fisher's exact test for every pair of groups, Holm-adjusted.

    Parameters
    ----------
    k, n
        Found and present per group, on one index of group names.

    Returns
    -------
    DataFrame
        `first, second, pod_first, pod_second, p_value, p_adjusted, different`; `different` only if the adjusted p-value is
        at most 1 − confidence. Sorted by the names, never by merit.

    Examples
    --------
    >>> table = compare(pd.Series({"P": 19, "Q": 18, "R": 5}), pd.Series({"P": 20, "Q": 20, "R": 20}))
    >>> table["different"].tolist()
    [False, True, True]
    """
    from scipy.stats import fisher_exact

    found, present = _groups(k, n)
    confidence = arguments.number(confidence, "confidence", above=0, below=1)
    interval(found.to_numpy(), present.to_numpy())  # refuses impossible counts
    rows = []
    for a, b in combinations(found.index, 2):
        table = [[found[a], present[a] - found[a]], [found[b], present[b] - found[b]]]
        p = float(fisher_exact(table).pvalue)
        pods = [found[g] / present[g] if present[g] else np.nan for g in (a, b)]
        rows.append({"first": a, "second": b, "pod_first": pods[0], "pod_second": pods[1], "p_value": p})
    out = pd.DataFrame(rows, columns=["first", "second", "pod_first", "pod_second", "p_value"])
    out["p_adjusted"] = holm(out["p_value"].to_numpy(dtype=float))
    out["different"] = out["p_adjusted"] <= 1 - confidence
    return out


def _groups(k: Any, n: Any) -> tuple[pd.Series, pd.Series]:
    if not (isinstance(k, pd.Series) and isinstance(n, pd.Series)):
        raise StatisticsError("counts per group are two Series", hint="pd.Series({'P': 19, 'Q': 18}) for k, and for n")
    arguments.array(k.to_numpy(), "k")
    arguments.array(n.to_numpy(), "n")
    if not (k.index.is_unique and n.index.is_unique and set(k.index) == set(n.index)):
        raise StatisticsError("k and n must name the same groups, each once", hint="use one index for both")
    order = sorted(k.index, key=str)
    return k.reindex(order).astype(float), n.reindex(order).astype(float)


def holm(p_values: Any) -> np.ndarray:
    """Holm's step-down adjustment: the chance of any false claim stays below the level.

    Raises
    ------
    StatisticsError
        If a p-value is missing or not between 0 and 1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.atleast_1d(arguments.array(p_values, "p-values"))
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise StatisticsError("p-values lie between 0 and 1", hint="none may be missing")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1)
    return out


@dataclass(frozen=True)
class Shrunk:
    """Beta-binomial shrinkage of groups towards their common level.

    Parameters
    ----------
    table
        Per group `n, k, pod, low, high` (exact) and `shrunk, shrunk_low, shrunk_high`.
    mean, mean_low, mean_high
        Level of the population of groups, with a credible interval.
    sd
        Spread of POD between groups: what a new operator or detector of the same kind may differ by.

    Examples
    --------
    >>> fit = shrink(pd.Series({"P": 8, "Q": 54}), pd.Series({"P": 8, "Q": 60}))
    >>> bool(fit.mean_low < fit.mean < fit.mean_high), fit.table.columns.tolist()
    (True, ['n', 'k', 'pod', 'low', 'high', 'shrunk', 'shrunk_low', 'shrunk_high'])
    """

    table: pd.DataFrame
    mean: float
    mean_low: float
    mean_high: float
    sd: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        rows = self.table.rename_axis("group").reset_index()
        rows["group"] = rows["group"].astype(str)
        return {
            "mean": self.mean,
            "mean_low": self.mean_low,
            "mean_high": self.mean_high,
            "sd": self.sd,
            "groups": rows.to_dict("records"),
        }


def shrink(k: pd.Series, n: pd.Series, *, confidence: float = 0.95) -> Shrunk:
    """Fully Bayesian beta-binomial: k_g ~ Bin(n_g, p_g), p_g ~ Beta(a, b); the level and the spread are integrated out.

    Uniform priors on the level a/(a+b) and on the intra-class correlation 1/(a+b+1), on a grid of 120 × 60.

    Parameters
    ----------
    k, n
        Found and present per group.

    Raises
    ------
    StatisticsError
        If there is no group to compare.

    Examples
    --------
    >>> fit = shrink(pd.Series({"P": 8, "Q": 54}), pd.Series({"P": 8, "Q": 60}))
    >>> bool(0.9 < fit.table.loc["P", "shrunk"] < 1.0)
    True
    """
    found, present = _groups(k, n)
    confidence = arguments.number(confidence, "confidence", above=0, below=1)
    if found.empty:
        raise StatisticsError("there is no group to compare")
    low, high = interval(found.to_numpy(), present.to_numpy(), confidence=confidence)
    a, b, weight = _posterior(found.to_numpy(), present.to_numpy())
    tail = (1 - confidence) / 2
    rows = []
    for hits, trials in zip(found, present, strict=True):
        shape = a + hits, b + trials - hits
        rows.append(
            (
                float((weight * shape[0] / (shape[0] + shape[1])).sum()),
                _quantile(*shape, weight, tail),
                _quantile(*shape, weight, 1 - tail),
            )
        )
    table = pd.DataFrame(
        {"n": present.astype(int), "k": found.astype(int), "pod": found / present, "low": low, "high": high}
    )
    table[["shrunk", "shrunk_low", "shrunk_high"]] = np.array(rows)
    level = a / (a + b)
    order = np.argsort(level, kind="stable")
    cumulated = np.cumsum(weight[order])
    limits = [float(level[order][min(np.searchsorted(cumulated, q), len(order) - 1)]) for q in (tail, 1 - tail)]
    sd = np.sqrt(level * (1 - level) / (a + b + 1))
    return Shrunk(table, float((weight * level).sum()), limits[0], limits[1], float((weight * sd).sum()))


def _posterior(k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.special import betaln

    level, correlation = np.meshgrid((np.arange(120) + 0.5) / 120, (np.arange(60) + 0.5) / 60, indexing="ij")
    size = (1 / correlation - 1).ravel()
    a, b = level.ravel() * size, (1 - level.ravel()) * size
    log = sum(
        (betaln(a + hits, b + trials - hits) - betaln(a, b) for hits, trials in zip(k, n, strict=True)),
        np.zeros_like(a),
    )
    weight = np.exp(log - log.max())
    return a, b, weight / weight.sum()


def _quantile(a: np.ndarray, b: np.ndarray, weight: np.ndarray, q: float) -> float:
    from scipy.special import betainc

    keep = weight > 1e-7
    a, b, weight = a[keep], b[keep], weight[keep] / weight[keep].sum()
    low, high = 0.0, 1.0
    for _ in range(22):
        middle = (low + high) / 2
        low, high = (middle, high) if float((weight * betainc(a, b, middle)).sum()) < q else (low, middle)
    return (low + high) / 2
