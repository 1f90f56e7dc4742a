"""Tell a pattern from scattered clutter by how far away the k-th neighbour is.

For a first look at a cloud of finds or signals; rows themselves are found in `pattern.lines`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geotools.model import arguments
from geotools.model.errors import StatisticsError

STEPS = 200


def feature_probability(xy: np.ndarray, *, neighbours: int = 8) -> pd.Series:
    """Probability that each point belongs to the denser of two overlapping Poisson processes.

    In a plane Poisson process of intensity λ, λ·π·D_k² of the distance D_k to the k-th neighbour follows Gamma(k, 1); the mixture of a
    dense and a sparse process is fitted by expectation-maximisation (Byers and Raftery 1998, JASA 93:577–584).

    Parameters
    ----------
    xy
        Shape (n, 2), metres on a plane; n > `neighbours`.
    neighbours
        k, the neighbour whose distance is used.

    Returns
    -------
    Series
        ``p_feature`` in the order of the points. Where two intensities explain the points no better than one (difference of
        BIC), all are missing: there is then no denser part.

    Raises
    ------
    StatisticsError
        If the points are not metres on a plane, (n, 2), or too few for the neighbour number.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cloud = np.vstack([rng.uniform(0, 200, (150, 2)), rng.uniform(90, 110, (150, 2))])
    >>> p = feature_probability(cloud)
    >>> bool(p[150:].mean() > 0.9 and p[:150].mean() < 0.2)
    True
    """
    points = np.atleast_1d(arguments.array(xy, "xy"))
    neighbours = arguments.whole(neighbours, "neighbours", least=1)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise StatisticsError("xy must have the shape (n, 2)", hint="metres on a plane, none missing")
    if len(points) <= neighbours or neighbours < 1:
        raise StatisticsError(f"{len(points)} points are too few for the neighbour number {neighbours}")
    from scipy.spatial import cKDTree

    distance = cKDTree(points).query(points, neighbours + 1)[0][:, -1]
    area = np.pi * np.maximum(distance, 1e-6) ** 2
    single = neighbours / area.mean()
    order = np.sort(area)
    half = len(order) // 2
    rates = np.array([neighbours / order[:half].mean(), neighbours / order[half:].mean()])
    share = 0.5
    for _ in range(STEPS):
        dense = _posterior(area, rates, share, neighbours)
        new = np.array(
            [
                neighbours * dense.sum() / (dense * area).sum(),
                neighbours * (1 - dense).sum() / ((1 - dense) * area).sum(),
            ]
        )
        done = np.allclose(new, rates, rtol=1e-9) and abs(dense.mean() - share) < 1e-9
        rates, share = new, float(np.clip(dense.mean(), 1e-6, 1 - 1e-6))
        if done:
            break
    mixed = np.logaddexp(
        np.log(share) + _log(area, rates[0], neighbours), np.log1p(-share) + _log(area, rates[1], neighbours)
    ).sum()
    # neighbouring distances are not independent: count n/k of them
    gain = (mixed - _log(area, single, neighbours).sum()) / neighbours
    if 2 * gain < 2 * np.log(len(points)) or rates[0] <= rates[1]:
        return pd.Series(np.full(len(points), np.nan), name="p_feature")
    return pd.Series(_posterior(area, rates, share, neighbours), name="p_feature")


def _log(area: np.ndarray, rate: float, k: int) -> np.ndarray:
    from scipy.special import gammaln

    return k * np.log(rate) + (k - 1) * np.log(area) - rate * area - gammaln(k)


def _posterior(area: np.ndarray, rates: np.ndarray, share: float, k: int) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(np.log(share) - np.log1p(-share) + _log(area, rates[0], k) - _log(area, rates[1], k)))
