"""Closed forms of search and of what may remain: misses of repeated looks, posteriors, counts left, allocation of effort.

For numbers and arrays; the ledger on a grid is in `residual.account`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.model import arguments
from geotools.model.errors import StatisticsError

MOST_FOUND = 10**9


def random_search(coverage: Any) -> Any:
    """Detection by random search at coverage C = swept area / area: 1 − e^(−C).

    Examples
    --------
    >>> round(float(random_search(1.0)), 4)
    0.6321
    """
    return -np.expm1(-_amount(coverage, "coverage"))


def inverse_cube(coverage: Any) -> Any:
    """Detection by parallel sweeps under the inverse-cube law: erf(√π/2 · C).

    Examples
    --------
    >>> round(float(inverse_cube(1.0)), 4)
    0.7899
    """
    from scipy.special import erf

    return erf(np.sqrt(np.pi) / 2 * _amount(coverage, "coverage"))


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
    mean, sd = arguments.number(mean, "the mean"), arguments.number(sd, "the spread")
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
    n = _amount(passes, "passes")
    pod, sd = arguments.number(pod, "POD", least=0, most=1), arguments.number(sd, "the spread", least=0)
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
    return updated(*_same(_amount(prior, "prior", most=1), _amount(missed, "missed", most=1)))


def updated(pi: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`posterior` of arrays that are known to be probabilities."""
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
    found, pod = _found(found, pod)
    return (found + 1) * (1 - pod) / pod


def probability_none(found: int, pod: float) -> float:
    """Probability that none is left after finding k with effective POD p: p^(k+1).

    Examples
    --------
    >>> round(probability_none(20, 0.9), 4), round(probability_none(20, 0.99), 4)
    (0.1094, 0.8097)
    """
    found, pod = _found(found, pod)
    return float(pod ** (found + 1))


def _found(found: int, pod: float) -> tuple[int, float]:
    return arguments.whole(found, "found", most=MOST_FOUND), arguments.number(pod, "POD", above=0, most=1)


def _amount(values: Any, name: str, *, most: float | None = None) -> np.ndarray:
    """Finite numbers that are not negative."""
    numbers = arguments.array(values, name)
    if not (np.isfinite(numbers) & (numbers >= 0) & (numbers <= (np.inf if most is None else most))).all():
        limits = "not negative and finite" if most is None else f"between 0 and {most:g}"
        raise StatisticsError(f"{name} must be {limits}", hint="none may be missing")
    return numbers


def _same(*values: np.ndarray) -> list[np.ndarray]:
    try:
        return [np.array(v) for v in np.broadcast_arrays(*values)]
    except ValueError as error:
        raise StatisticsError(
            "lists of different lengths do not go together", hint="one value for every place"
        ) from error


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

    Raises
    ------
    StatisticsError
        If the lists differ in length, or a rate or cost is not above 0.

    Examples
    --------
    >>> allocate([0.5, 0.3, 0.15, 0.05], 1.0, 1.0).round(4).tolist()
    [0.7554, 0.2446, 0.0, 0.0]
    """
    pi, b, c = _same(*(_amount(v, name) for v, name in ((prior, "prior"), (rate, "rate"), (cost, "cost"))))
    effort = arguments.number(effort, "effort", least=0)
    if pi.ndim != 1 or (b <= 0).any() or (c <= 0).any():
        raise StatisticsError(
            "places need a prior, and a rate and a cost above 0", hint="one list with a value for every place"
        )
    out = np.zeros_like(pi)
    live = np.flatnonzero(pi > 0)
    if not len(live) or effort == 0:
        return out
    worth = np.log(pi[live]) + np.log(b[live]) - np.log(c[live])  # the product of tiny numbers would be 0
    order = live[np.argsort(-worth, kind="stable")]
    worth = np.sort(worth)[::-1]
    share = c[order] / b[order]
    level = (np.cumsum(share * worth) - effort) / np.cumsum(share)  # ln λ if the first m places are searched
    active = int(np.flatnonzero(np.r_[True, (worth > level)[1:]])[-1]) + 1  # the best place is always searched
    chosen = order[:active]
    out[chosen] = np.maximum((worth[:active] - level[active - 1]) / b[chosen], 0)
    return out
