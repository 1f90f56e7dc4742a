"""Closed forms of search and of what may remain: misses of repeated looks, posteriors, counts left, allocation of effort.

For numbers and arrays; the ledger on a grid is in `residual.account`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.model.errors import StatisticsError


def random_search(coverage: Any) -> Any:
    """Detection by random search at coverage C = swept area / area: 1 − e^(−C).

    Examples
    --------
    >>> round(float(random_search(1.0)), 4)
    0.6321
    """
    return -np.expm1(-np.asarray(coverage, dtype=float))


def inverse_cube(coverage: Any) -> Any:
    """Detection by parallel sweeps under the inverse-cube law: erf(√π/2 · C).

    Examples
    --------
    >>> round(float(inverse_cube(1.0)), 4)
    0.7899
    """
    from scipy.special import erf

    return erf(np.sqrt(np.pi) / 2 * np.asarray(coverage, dtype=float))


def beta_shape(mean: float, sd: float) -> tuple[float, float]:
    """Parameters (a, b) of the Beta distribution of that mean and standard deviation.

    Raises
    ------
    StatisticsError
        If the mean is not strictly between 0 and 1, or no Beta distribution has that spread.

    Examples
    --------
    >>> [round(v, 4) for v in beta_shape(0.8, 0.15)]
    [4.8889, 1.2222]
    """
    if not 0 < mean < 1 or not 0 < sd < np.sqrt(mean * (1 - mean)):
        raise StatisticsError(
            "a spread of POD must be smaller than √(mean·(1−mean))", hint="both as fractions, e.g. 0.9 and 0.1"
        )
    size = mean * (1 - mean) / sd**2 - 1
    return mean * size, (1 - mean) * size


def miss(pod: float, passes: Any, *, sd: float = 0.0) -> Any:
    """Probability that an item is missed by all of n passes.

    With sd = 0 the passes are independent: (1−p)^n. Otherwise items differ, p ~ Beta(a, b), and those missed once are the hard ones:
    E[(1−p)^n] = B(a, b+n)/B(a, b).

    Parameters
    ----------
    pod
        Mean detection probability of one pass.
    sd
        Spread of that probability between items and operators.

    Examples
    --------
    >>> miss(0.8, [1, 2, 3, 4]).round(6).tolist(), miss(0.8, [1, 2, 3, 4], sd=0.15).round(6).tolist()
    ([0.2, 0.04, 0.008, 0.0016], [0.2, 0.0625, 0.024829, 0.011506])
    """
    n = np.asarray(passes, dtype=float)
    if not 0 <= pod <= 1 or (n < 0).any():
        raise StatisticsError("POD lies between 0 and 1 and passes are not negative")
    if sd == 0 or pod in (0.0, 1.0):
        return np.where(n == 0, 1.0, (1 - pod) ** n)
    from scipy.special import betaln

    a, b = beta_shape(pod, sd)
    return np.exp(betaln(a, b + n) - betaln(a, b))


def posterior(prior: Any, missed: Any) -> Any:
    """Probability that an item is there although nothing was found: π·q/(1−π+π·q).

    Examples
    --------
    >>> posterior(0.5, [0.1, 0.01, 0.001]).round(6).tolist()
    [0.090909, 0.009901, 0.000999]
    """
    pi, q = np.asarray(prior, dtype=float), np.asarray(missed, dtype=float)
    there = pi * q
    total = 1 - pi + there
    return np.divide(there, total, out=np.ones(np.broadcast(pi, q).shape), where=total > 0)


def expected_left(found: int, pod: float) -> float:
    """Expected items left after finding k with effective POD p, all numbers equally likely beforehand: (k+1)(1−p)/p.

    Examples
    --------
    >>> round(expected_left(20, 0.9), 4), round(expected_left(20, 0.99), 4)
    (2.3333, 0.2121)
    """
    _found(found, pod)
    return (found + 1) * (1 - pod) / pod


def probability_none(found: int, pod: float) -> float:
    """Probability that none is left after finding k with effective POD p: p^(k+1).

    Examples
    --------
    >>> round(probability_none(20, 0.9), 4), round(probability_none(20, 0.99), 4)
    (0.1094, 0.8097)
    """
    _found(found, pod)
    return float(pod ** (found + 1))


def _found(found: int, pod: float) -> None:
    if found < 0 or found != int(found) or not 0 < pod <= 1:
        raise StatisticsError("found is a whole number ≥ 0 and POD lies above 0 and up to 1")


def allocate(prior: Any, rate: Any, effort: float, *, cost: Any = 1.0) -> np.ndarray:
    """Best division of search effort: maximise Σ π·(1 − e^(−b·z)) with Σ c·z = effort (Koopman; Stone).

    z = max(0, ln(π·b/(λ·c))/b), with λ solved exactly from the active cells.

    Parameters
    ----------
    prior
        Expected items (or probability) per place, ≥ 0.
    rate
        b, detection per unit of effort at that place, > 0.
    effort
        Total effort to spend, ≥ 0.
    cost
        c, cost of one unit of effort at that place, > 0.

    Examples
    --------
    >>> allocate([0.5, 0.3, 0.15, 0.05], 1.0, 1.0).round(4).tolist()
    [0.7554, 0.2446, 0.0, 0.0]
    """
    pi, b, c = (np.array(v, dtype=float) for v in np.broadcast_arrays(prior, rate, cost))
    if (pi < 0).any() or (b <= 0).any() or (c <= 0).any() or effort < 0:
        raise StatisticsError("places need a prior ≥ 0, a rate and a cost > 0, and the effort is not negative")
    out = np.zeros_like(pi)
    live = np.flatnonzero(pi > 0)
    if not len(live) or effort == 0:
        return out
    worth = np.log(pi[live] * b[live] / c[live])
    order = live[np.argsort(-worth, kind="stable")]
    worth = np.sort(worth)[::-1]
    share = c[order] / b[order]
    level = (np.cumsum(share * worth) - effort) / np.cumsum(share)  # ln λ if the first m places are searched
    active = int(np.flatnonzero(worth > level)[-1]) + 1
    chosen = order[:active]
    out[chosen] = np.maximum((worth[:active] - level[active - 1]) / b[chosen], 0)
    return out
