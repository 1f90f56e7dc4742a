"""PROMETHEE: pairwise preferences by the six functions of Brans and Vincke, and net flows, also for many thousands of tasks.

For comparing without adding up unlike things; unknown values prefer nothing and are preferred to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geotools.model.doors import check_fields, checked
from geotools.model.errors import StatisticsError

SHAPES = ("usual", "u-shape", "v-shape", "level", "linear", "gaussian")
CHUNK = 2_000_000  # pairs at a time where a function must look at each pair


@dataclass(frozen=True)
class Preference:
    """How a difference ``d`` of two values becomes a preference between 0 and 1.

    ``usual``: 1 if d > 0 · ``u-shape``: 1 if d > q · ``v-shape``: d / p · ``level``: ½ if d > q, 1 if d > p ·
    ``linear``: (d − q) / (p − q) · ``gaussian``: 1 − exp(−d² / 2s²); each at most 1, and 0 for d ≤ 0.

    Examples
    --------
    >>> Preference("linear", q=1, p=3).of(np.array([-1.0, 1.0, 2.0, 5.0])).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """

    shape: str = "usual"
    q: float = 0.0
    p: float = 0.0
    s: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.shape not in SHAPES:
            raise StatisticsError(
                f"'{self.shape}' is not a preference function", hint=f"use one of {', '.join(SHAPES)}"
            )
        bad = (self.shape in ("v-shape", "linear", "level") and not self.p > self.q) or (
            self.shape == "gaussian" and not self.s > 0
        )
        if bad or self.q < 0:
            raise StatisticsError("thresholds: q is not negative, p is more than q, s is more than 0")

    def of(self, difference: np.ndarray) -> np.ndarray:
        """Preference for each difference."""
        d = np.asarray(difference, dtype=float)
        if self.shape == "usual":
            return (d > 0).astype(float)
        if self.shape == "u-shape":
            return (d > self.q).astype(float)
        if self.shape == "level":
            return 0.5 * (d > self.q) + 0.5 * (d > self.p)
        if self.shape == "gaussian":
            return np.where(d > 0, -np.expm1(-(d**2) / (2 * self.s**2)), 0.0)
        q = self.q if self.shape == "linear" else 0.0
        return np.clip((d - q) / (self.p - q), 0.0, 1.0)


@checked
def flows(values: np.ndarray, preference: Preference) -> tuple[np.ndarray, np.ndarray]:
    """Leaving and entering flow of each value on one criterion, between 0 and 1; 0 for an unknown value.

    More is better. Piecewise linear functions are summed over sorted values, in ``n log n``.

    Examples
    --------
    >>> leaving, entering = flows(np.array([1.0, 2.0, 4.0]), Preference("v-shape", p=2))
    >>> leaving.tolist(), entering.tolist()
    ([0.0, 0.25, 1.0], [0.75, 0.5, 0.0])
    """
    x = np.asarray(values, dtype=float)
    known = np.isfinite(x)
    plus, minus = np.zeros(len(x)), np.zeros(len(x))
    if len(x) > 1 and known.any():
        places = np.flatnonzero(known)
        places = places[np.argsort(x[places], kind="stable")]
        ordered = x[places]  # neighbours in value are looked up one after the other, which the cache likes
        plus[places] = over(ordered, ordered, preference) / (len(x) - 1)
        minus[places[::-1]] = over(-ordered[::-1], -ordered[::-1], preference) / (len(x) - 1)
    return plus, minus


def over(x: np.ndarray, others: np.ndarray, preference: Preference) -> np.ndarray:
    """Sum of the preferences of each `x` over all `others`."""
    if preference.shape == "gaussian":
        return _pairs(x, others, preference)
    ordered = np.sort(others)
    if preference.shape in ("usual", "u-shape", "level"):
        steps = {"usual": (0.0, 0.0), "u-shape": (preference.q, preference.q), "level": (preference.q, preference.p)}
        return sum(0.5 * np.searchsorted(ordered, x - t, side="left") for t in steps[preference.shape])  # type: ignore[return-value]
    q = preference.q if preference.shape == "linear" else 0.0
    sums = np.r_[0.0, np.cumsum(ordered)]
    full = np.searchsorted(ordered, x - preference.p, side="right")
    part = np.searchsorted(ordered, x - q, side="left")
    part = np.maximum(part, full)
    between = (part - full) * (x - q) - (sums[part] - sums[full])
    out: np.ndarray = full + between / (preference.p - q)
    return out


def _pairs(x: np.ndarray, others: np.ndarray, preference: Preference) -> np.ndarray:
    out = np.empty(len(x))
    rows = max(1, CHUNK // max(1, len(others)))
    for low in range(0, len(x), rows):
        out[low : low + rows] = preference.of(x[low : low + rows, None] - others[None, :]).sum(axis=1)
    return out
