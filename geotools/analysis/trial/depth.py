"""How detection falls with depth: a penalised logistic curve that stays finite when everything was found.

For a curve with its uncertainty; not for extrapolating beyond the depths that were tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geotools.model import arguments
from geotools.model.errors import StatisticsError

STEPS = 60
WIDEST = 25.0  # |logit| beyond which a probability is 0 or 1 for any purpose


@dataclass(frozen=True)
class DepthCurve:
    """Fitted POD against depth: `logit POD = intercept + slope · depth_cm`.

    Parameters
    ----------
    intercept, slope
        Of the logit, at depth 0 and per cm.
    n, k
        Targets and hits.
    curve
        Columns `depth_cm, pod, low, high`: limits by profile penalised likelihood, only over the depths tried.
    depths
        Columns `pod, depth_cm, low_cm, high_cm`: depth at which POD falls to 0.9 and 0.5. A limit the data do not give is
        missing; `extrapolated` marks depths outside those tried.

    Examples
    --------
    >>> fit = depth_curve([5, 5, 10, 10, 15, 15, 20, 20], [1, 1, 1, 1, 1, 0, 0, 0])
    >>> fit.k, fit.n, fit.depths["pod"].tolist(), bool(fit.curve["pod"].is_monotonic_decreasing)
    (5, 8, [0.9, 0.5], True)
    """

    intercept: float
    slope: float
    n: int
    k: int
    curve: pd.DataFrame
    depths: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        rows = [
            {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
            for row in self.depths.to_dict("records")
        ]
        return {"intercept": self.intercept, "slope_per_cm": self.slope, "n": self.n, "k": self.k, "depths": rows}


def depth_curve(depth_cm: Any, hit: Any, *, confidence: float = 0.95) -> DepthCurve:
    """Firth-penalised logistic regression of hits on depth (Jeffreys prior), finite under complete separation.

    Parameters
    ----------
    depth_cm
        Depth of each target in centimetres; rows without a depth are left out.
    hit
        Whether it was found.

    Raises
    ------
    StatisticsError
        If there are fewer than two different depths.

    Examples
    --------
    >>> fit = depth_curve([5, 5, 10, 10, 15, 15, 20, 20], [1, 1, 1, 1, 1, 0, 0, 0])
    >>> bool(fit.slope < 0 and 10 < fit.depths.depth_cm.iloc[1] < 20)
    True
    """
    x, y = np.atleast_1d(arguments.array(depth_cm, "depth_cm")), np.atleast_1d(arguments.array(hit, "hit"))
    confidence = arguments.number(confidence, "confidence", above=0, below=1)
    if x.shape != y.shape or x.ndim != 1:
        raise StatisticsError("depth_cm and hit must have the same length", hint="one depth for every target")
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if not np.isin(y, (0.0, 1.0)).all():
        raise StatisticsError("hit is yes or no for every target", hint="True and False, or 1 and 0")
    if len(np.unique(x)) < 2:
        raise StatisticsError("POD against depth needs targets at two depths or more")
    levels, index = np.unique(x, return_inverse=True)
    data = levels, np.bincount(index).astype(float), np.bincount(index, weights=y)
    beta, best = _fit(np.column_stack([np.ones_like(levels), levels]), np.zeros_like(levels), data)
    from scipy.stats import chi2

    drop = float(chi2.ppf(confidence, 1)) / 2
    spots = np.linspace(levels[0], levels[-1], 25)
    bands = [_pod_limits(data, d, best - drop, beta) for d in spots]
    curve = pd.DataFrame(
        {
            "depth_cm": spots,
            "pod": _sigmoid(beta[0] + beta[1] * spots),
            "low": [b[0] for b in bands],
            "high": [b[1] for b in bands],
        }
    )
    rows = [_depth_at(data, p, beta, best - drop) for p in (0.9, 0.5)]
    return DepthCurve(float(beta[0]), float(beta[1]), len(y), int(y.sum()), curve, pd.DataFrame(rows))


def _sigmoid(eta: Any) -> Any:
    from scipy.special import expit

    return expit(eta)


def _penalised(beta: np.ndarray, design: np.ndarray, offset: np.ndarray, data: tuple[np.ndarray, ...]) -> float:
    levels, n, k = data
    eta = offset + design @ beta
    full = np.column_stack([np.ones_like(levels), levels])
    p = _sigmoid(eta)
    information = full.T @ (full * (n * p * (1 - p))[:, None])
    sign, logdet = np.linalg.slogdet(information)
    likelihood = float((k * eta - n * np.logaddexp(0, eta)).sum())
    return likelihood + 0.5 * float(logdet) if sign > 0 and np.isfinite(logdet) else -np.inf


def _fit(design: np.ndarray, offset: np.ndarray, data: tuple[np.ndarray, ...]) -> tuple[np.ndarray, float]:
    levels, n, k = data
    beta = np.zeros(design.shape[1])
    value = _penalised(beta, design, offset, data)
    full = np.column_stack([np.ones_like(levels), levels])
    for _ in range(STEPS):
        p = _sigmoid(offset + design @ beta)
        weight = n * p * (1 - p)
        inverse = np.linalg.pinv(full.T @ (full * weight[:, None]))
        leverage = weight * np.einsum("ij,jk,ik->i", full, inverse, full)
        gradient = design.T @ (k - n * p + leverage * (0.5 - p))
        step = np.linalg.pinv(design.T @ (design * weight[:, None])) @ gradient
        scale = 1.0
        while scale > 1e-8 and not (trial := _penalised(beta + scale * step, design, offset, data)) > value:
            scale /= 2
        if scale <= 1e-8:
            break
        beta, gain, value = beta + scale * step, trial - value, trial
        if gain < 1e-10:
            break
    return beta, value


def _profile(data: tuple[np.ndarray, ...], depth: float, logit: float) -> float:
    """Greatest penalised likelihood of a curve through `logit` at `depth`."""
    levels = data[0]
    _, value = _fit((levels - depth)[:, None], np.full_like(levels, logit), data)
    return value


def _pod_limits(data: tuple[np.ndarray, ...], depth: float, floor: float, beta: np.ndarray) -> tuple[float, float]:
    centre = float(beta[0] + beta[1] * depth)
    low = _edge(lambda v: _profile(data, depth, v) - floor, centre, -1.0, WIDEST)
    high = _edge(lambda v: _profile(data, depth, v) - floor, centre, 1.0, WIDEST)
    return (0.0 if low is None else float(_sigmoid(low)), 1.0 if high is None else float(_sigmoid(high)))


def _depth_at(data: tuple[np.ndarray, ...], pod: float, beta: np.ndarray, floor: float) -> dict[str, Any]:
    levels, logit = data[0], float(np.log(pod / (1 - pod)))
    row: dict[str, Any] = {"pod": pod, "depth_cm": np.nan, "low_cm": np.nan, "high_cm": np.nan, "extrapolated": True}
    if beta[1] >= 0:
        return row  # detection does not fall with depth in these data
    depth = (logit - beta[0]) / beta[1]
    reach = 10 * (levels[-1] - levels[0])
    low = _edge(lambda d: _profile(data, d, logit) - floor, depth, -1.0, reach)
    high = _edge(lambda d: _profile(data, d, logit) - floor, depth, 1.0, reach)
    row |= {"depth_cm": float(depth), "extrapolated": not levels[0] <= depth <= levels[-1]}
    return row | {"low_cm": np.nan if low is None else low, "high_cm": np.nan if high is None else high}


def _edge(above: Any, start: float, side: float, reach: float) -> float | None:
    """Where `above` falls through zero, going from `start` to one side; None if not within `reach`."""
    from scipy.optimize import brentq

    inner, width = start, reach / 64
    while width <= reach * 1.001:
        outer = start + side * width
        if above(outer) < 0:
            return float(brentq(above, inner, outer, xtol=1e-6))
        inner, width = outer, width * 2
    return None
