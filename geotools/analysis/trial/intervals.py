"""Exact intervals of proportions and rates, and how many targets a claim needs.

For counts from lanes; not for fitting curves (see `trial.depth`) or comparing groups (see `trial.groups`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.model import arguments
from geotools.model.errors import StatisticsError

METHODS = ("clopper-pearson", "wilson")
SIDES = ("both", "lower", "upper")
MOST_TARGETS = 10_000_000


def interval(
    k: Any, n: Any, *, confidence: float = 0.95, method: str = "clopper-pearson", side: str = "both"
) -> tuple[Any, Any]:
    """Confidence limits of a proportion such as a probability of detection.

    Clopper–Pearson: Beta⁻¹(α/2; k, n−k+1) … Beta⁻¹(1−α/2; k+1, n−k), never below nominal coverage.
    Wilson: centre (p+z²/2n)/(1+z²/n), half-width z·√(p(1−p)/n+z²/4n²)/(1+z²/n), nominal on average.

    Parameters
    ----------
    k, n
        Detected and present; numbers or arrays of one shape.
    method
        ``clopper-pearson`` or ``wilson``.
    side
        ``both``; or ``lower``/``upper`` for a one-sided limit, the other one being 1 or 0.

    Returns
    -------
    low, high
        Floats, or arrays for arrays. Without any trial (n = 0) the limits are 0 and 1.

    Raises
    ------
    StatisticsError
        If counts are not whole, negative, k > n, or the confidence is not between 0 and 1.

    Examples
    --------
    >>> low, high = interval(16, 16)
    >>> round(low, 4), high
    (0.7941, 1.0)
    >>> round(interval(16, 16, side="lower")[0], 4)
    0.8293
    """
    hits, trials = _counts(k, n)
    tail = _tail(confidence, side)
    arguments.one_of(method, "interval", METHODS)
    low, high = (_exact if method == "clopper-pearson" else _wilson)(hits, trials, tail)
    low = np.where(trials == 0, 0.0, low) if side != "upper" else np.zeros_like(low)
    high = np.where(trials == 0, 1.0, high) if side != "lower" else np.ones_like(high)
    return (float(low), float(high)) if np.ndim(k) == 0 and np.ndim(n) == 0 else (low, high)


def _counts(k: Any, n: Any) -> tuple[np.ndarray, np.ndarray]:
    hits, trials = _together(arguments.array(k, "k"), arguments.array(n, "n"))
    whole = np.isfinite(hits) & np.isfinite(trials) & (hits == np.floor(hits)) & (trials == np.floor(trials))
    if not (whole & (hits >= 0) & (hits <= trials)).all():
        raise StatisticsError(
            "counts must be whole numbers with 0 ≤ k ≤ n", hint="k is what was found, n what was there"
        )
    return hits, trials


def _together(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        a, b = np.broadcast_arrays(one, other)
    except ValueError as error:
        raise StatisticsError("two lists of counts must have the same length", hint="one k for every n") from error
    return a, b


def _tail(confidence: float, side: str = "both") -> float:
    confidence = arguments.number(confidence, "confidence", above=0, below=1)
    arguments.one_of(side, "side", SIDES)
    return (1 - confidence) / 2 if side == "both" else 1 - confidence


def _exact(k: np.ndarray, n: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import betaincinv

    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - np.minimum(k, n) + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return low, high


def _wilson(k: np.ndarray, n: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import ndtri

    z, trials = -ndtri(tail), np.maximum(n, 1)
    p = k / trials
    scale = 1 + z**2 / trials
    half = z * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2)) / scale
    centre = (p + z**2 / (2 * trials)) / scale
    return np.where(k == 0, 0.0, np.maximum(centre - half, 0)), np.where(k == n, 1.0, np.minimum(centre + half, 1))


def rate_interval(count: Any, exposure: Any, *, confidence: float = 0.95) -> tuple[Any, Any]:
    """Garwood (exact Poisson) limits of a rate, e.g. false alarms per square metre.

    χ²(α/2; 2F)/2A … χ²(1−α/2; 2F+2)/2A.

    Parameters
    ----------
    count
        Events F, whole and not negative; number or array.
    exposure
        A, e.g. searched area in m² outside all halos; > 0.

    Raises
    ------
    StatisticsError
        If a count or exposure is out of range.

    Examples
    --------
    >>> [round(v, 4) for v in rate_interval(3, 10)]
    [0.0619, 0.8767]
    """
    from scipy.special import gammaincinv

    events, amount = _together(arguments.array(count, "the count"), arguments.array(exposure, "the area"))
    if not (
        np.isfinite(events) & (events >= 0) & (events == np.floor(events)) & np.isfinite(amount) & (amount > 0)
    ).all():
        raise StatisticsError("a rate needs a whole count ≥ 0 and a positive area", hint="is the lane outline given?")
    tail = _tail(confidence)
    low = np.where(events > 0, gammaincinv(np.maximum(events, 1), tail), 0.0) / amount
    high = gammaincinv(events + 1, 1 - tail) / amount
    return (float(low), float(high)) if np.ndim(count) == 0 and np.ndim(exposure) == 0 else (low, high)


def zero_failure_n(pod: float, confidence: float = 0.95) -> int:
    """How many targets must be found without a miss to show POD ≥ `pod`: ceil(ln(1−C)/ln p).

    Raises
    ------
    StatisticsError
        If `pod` or `confidence` is not strictly between 0 and 1.

    Examples
    --------
    >>> zero_failure_n(0.9), zero_failure_n(0.996)
    (29, 748)
    """
    return targets_needed(pod, confidence, misses=0)


def targets_needed(pod: float, confidence: float = 0.95, *, misses: int = 0) -> int:
    """Smallest number of targets that shows POD ≥ `pod` one-sidedly although `misses` of them were missed.

    The smallest n with P(Bin(n, 1−pod) ≤ misses) ≤ 1−confidence, which is where the one-sided
    Clopper–Pearson lower limit reaches `pod`.

    Raises
    ------
    StatisticsError
        If `pod` or `confidence` is not strictly between 0 and 1, or `misses` is negative.

    Examples
    --------
    >>> [targets_needed(0.95, 0.95, misses=m) for m in range(5)]
    [59, 93, 124, 153, 181]
    """
    _tail(confidence)
    pod = arguments.number(pod, "the POD to be shown", above=0, below=1)
    misses = arguments.whole(misses, "misses", most=MOST_TARGETS)
    low, high = int(misses), int(misses) + 1
    while not _shown(high, misses, pod, confidence):
        low, high = high, high * 2
        if high > MOST_TARGETS:
            raise StatisticsError(
                f"showing {pod} would need more than {MOST_TARGETS:,} targets", hint="choose a lower POD"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _shown(middle, misses, pod, confidence) else (middle, high)
    return high


def _shown(n: int, misses: int, pod: float, confidence: float) -> bool:
    from scipy.special import bdtr

    return bool(bdtr(misses, n, 1 - pod) <= (1 - confidence) * (1 + 1e-12))


def further_targets(k: int, n: int, *, pod: float = 0.95, confidence: float = 0.95) -> int:
    """How many more targets, all found, would show POD ≥ `pod`; 0 if the counts show it already.

    Examples
    --------
    >>> further_targets(16, 16), further_targets(59, 59), further_targets(58, 59)
    (43, 0, 34)
    """
    k, n = arguments.whole(k, "k"), arguments.whole(n, "n")
    _counts(k, n)
    return max(0, targets_needed(pod, confidence, misses=int(n) - int(k)) - int(n))
