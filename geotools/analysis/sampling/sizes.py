"""How many units must be inspected, and what finding nothing in them would show.

For exact accept-on-zero sizes and the ISO 2859-1 level II table; not for choosing places (see `sampling.plans`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
import pandas as pd

from geotools.model.arguments import number, sequence, whole
from geotools.model.errors import StatisticsError

# ISO 2859-1 (and MIL-STD-105E) general inspection level II: greatest lot size, code letter, single sample size.
# The acceptance numbers of the master table are not here: on land any item found rejects the lot.
LEVEL_II: tuple[tuple[float, str, int], ...] = (
    (8, "A", 2), (15, "B", 3), (25, "C", 5), (50, "D", 8), (90, "E", 13), (150, "F", 20), (280, "G", 32), (500, "H", 50),
    (1200, "J", 80), (3200, "K", 125), (10_000, "L", 200), (35_000, "M", 315), (150_000, "N", 500), (500_000, "P", 800),
    (math.inf, "Q", 1250),
)  # fmt: skip
MOST_REMAINING = 2000
MOST_UNITS = 10**9


class Rule(Protocol):
    """Anything that turns a number of units into a sample size.

    Examples
    --------
    >>> [(rule.size(1000), sorted(rule.to_dict())[0]) for rule in (AcceptZero(10, 0.9), Share(0.1))]
    [(205, 'confidence'), (100, 'rule')]
    """

    def size(self, units: int) -> int:
        """Units to inspect of `units`."""

    def to_dict(self) -> dict[str, object]:
        """The rule as plain data."""


@dataclass(frozen=True)
class AcceptZero:
    """Accept only if nothing is found; sized so that `remaining` units with an item would be met with `confidence`.

    Parameters
    ----------
    remaining
        Number of units that still hold an item, the case to be detected; 1 is the last one.
    sensitivity
        Chance that inspecting such a unit reveals the item, from blind lanes; 1 is a perfect inspection.

    Examples
    --------
    >>> AcceptZero(1, 0.9).size(1000), AcceptZero(10, 0.9).size(1000)
    (900, 205)
    """

    remaining: int = 1
    confidence: float = 0.90
    sensitivity: float = 1.0

    def __post_init__(self) -> None:
        number(self.confidence, "confidence", above=0, below=1)
        number(self.sensitivity, "sensitivity", above=0, most=1)
        whole(self.remaining, "remaining", least=1, most=MOST_REMAINING)

    def size(self, units: int) -> int:
        """Smallest exact sample size; all units where even that cannot reach the confidence."""
        return accept_zero_n(units, self.remaining, self.confidence, sensitivity=self.sensitivity)

    def to_dict(self) -> dict[str, object]:
        """The rule as plain data."""
        return {
            "rule": "accept on zero",
            "remaining": self.remaining,
            "confidence": self.confidence,
            "sensitivity": self.sensitivity,
        }


@dataclass(frozen=True)
class Iso2859:
    """Single sampling of ISO 2859-1 (MIL-STD-105E), general level II, by lot size. It was made for goods, not for land.

    Examples
    --------
    >>> Iso2859().size(1000), Iso2859().letter(1000)
    (80, 'J')
    """

    def size(self, units: int) -> int:
        """Sample size for a lot of `units` (all of a lot smaller than the sample)."""
        return min(_units(units), next(size for most, _, size in LEVEL_II if units <= most))

    def letter(self, units: int) -> str:
        """Code letter for a lot of `units`."""
        return next(letter for most, letter, _ in LEVEL_II if _units(units) <= most)

    def to_dict(self) -> dict[str, object]:
        """The rule as plain data."""
        return {"rule": "ISO 2859-1 level II, single sampling"}


@dataclass(frozen=True)
class Share:
    """A fixed share of the area, where the national standard prescribes one.

    Examples
    --------
    >>> Share(0.1).size(1001)
    101
    """

    share: float

    def __post_init__(self) -> None:
        number(self.share, "share", above=0, most=1)

    def size(self, units: int) -> int:
        """The share of `units`, rounded up."""
        return min(_units(units), math.ceil(round(self.share * units, 9)))

    def to_dict(self) -> dict[str, object]:
        """The rule as plain data."""
        return {"rule": "fixed share", "share": self.share}


def _units(units: int) -> int:
    try:
        return whole(units, "units", least=1, most=MOST_UNITS)
    except StatisticsError as error:
        raise StatisticsError(
            "a lot has at least one whole unit",
            hint=f"from 1 to {MOST_UNITS:,}; is the area empty or the cell too large?",
        ) from error


def miss_probability(units: int, sample: int, remaining: int, *, sensitivity: float = 1.0) -> float:
    """Chance of finding nothing in a random sample although `remaining` units hold an item.

    Exact: Σ_j Hypergeometric(j; N, D, n) · (1 − q)^j.

    Examples
    --------
    >>> miss_probability(1000, 900, 1), round(miss_probability(1000, 100, 10, sensitivity=0.8), 4)
    (0.1, 0.4331)
    """
    units = _units(units)
    sample, remaining = whole(sample, "sample", most=units), whole(remaining, "remaining", most=units)
    number(sensitivity, "sensitivity", above=0, most=1)
    if sensitivity >= 1:
        if sample + remaining > units:
            return 0.0
        few, many = sorted((sample, remaining))
        i = np.arange(few)
        return (
            float(np.exp(np.log((units - many - i) / (units - i)).sum()))
            if few > 1
            else float((units - many) / units)
            if few
            else 1.0
        )
    from scipy.stats import hypergeom

    j = np.arange(max(0, sample + remaining - units), min(sample, remaining) + 1)
    return float((hypergeom.pmf(j, units, remaining, sample) * (1 - sensitivity) ** j).sum())


def accept_zero_n(units: int, remaining: int, confidence: float, *, sensitivity: float = 1.0) -> int:
    """Smallest sample that finds at least one of `remaining` items with `confidence`, by the exact hypergeometric law.

    Returns `units` where even inspecting everything does not reach the confidence (imperfect inspection).

    Raises
    ------
    StatisticsError
        If a number is out of range.

    Examples
    --------
    >>> [accept_zero_n(1000, 3, c) for c in (0.8, 0.9, 0.95)]
    [415, 536, 631]
    """
    number(confidence, "confidence", above=0, below=1)
    number(sensitivity, "sensitivity", above=0, most=1)
    remaining = whole(remaining, "remaining", least=1)
    low, high = 0, _units(units)
    held = min(int(remaining), high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _enough(units, middle, held, confidence, sensitivity) else (middle, high)
    return high


def _enough(units: int, sample: int, remaining: int, confidence: float, sensitivity: float) -> bool:
    miss, allowed = miss_probability(units, sample, remaining, sensitivity=sensitivity), 1 - confidence
    if sensitivity >= 1 and miss > 0 and abs(miss / allowed - 1) < 1e-7:  # a tie in floating point: decide it exactly
        few, many = sorted((sample, remaining))
        exact = Fraction(math.perm(units - many, few), math.perm(units, few))
        return exact <= 1 - Fraction(str(confidence))
    return miss <= allowed * (1 + 1e-12)


def p_accept(share: float, items: int, *, sensitivity: float = 1.0) -> float:
    """Chance that a lot with `items` left is accepted when a share of its area is inspected: (1 − f·q)^K.

    Examples
    --------
    >>> round(p_accept(0.1, 10), 4)
    0.3487
    """
    number(share, "share", least=0, most=1)
    number(sensitivity, "sensitivity", above=0, most=1)
    number(items, "items", least=0)
    return float((1 - share * sensitivity) ** items)


def operating_curve(
    units: int, sample: int, *, sensitivity: float = 1.0, remaining: Sequence[int] = (1, 2, 3, 5, 10, 20, 50)
) -> pd.DataFrame:
    """What a sample can and cannot show, for several numbers of remaining items.

    Returns
    -------
    DataFrame
        `remaining, p_accept, p_found`, and `needs_80, needs_90, needs_95`: share of the lot that must be inspected to find
        one of them with 80, 90 and 95 % confidence (missing where even everything does not suffice).

    Raises
    ------
    StatisticsError
        If `remaining` is not a list of whole numbers.

    Examples
    --------
    >>> operating_curve(1000, 80)[["remaining", "p_accept", "needs_90"]].head(3).round(3).values.tolist()
    [[1.0, 0.92, 0.9], [2.0, 0.846, 0.684], [3.0, 0.778, 0.536]]
    """
    rows = []
    if isinstance(remaining, str | bytes) or not isinstance(remaining, Sequence | np.ndarray):
        raise StatisticsError("remaining must be a list of whole numbers", hint="for example (1, 2, 5)")
    for held in (whole(d, "remaining", least=1) for d in remaining):
        if held > _units(units):
            continue
        miss = miss_probability(units, sample, held, sensitivity=sensitivity)
        row: dict[str, float] = {"remaining": held, "p_accept": miss, "p_found": 1 - miss}
        for level in (0.80, 0.90, 0.95):
            size = accept_zero_n(units, held, level, sensitivity=sensitivity)
            row[f"needs_{level * 100:.0f}"] = (
                size / units if _enough(units, size, held, level, sensitivity) else math.nan
            )
        rows.append(row)
    return pd.DataFrame(rows)


def in_words(units: int, sample: int, *, sensitivity: float = 1.0) -> str:
    """The operating curve as sentences for a field officer.

    Examples
    --------
    >>> print(in_words(1000, 80))
    Inspecting 80 of 1,000 units (8.0 %) and finding nothing would let a single remaining item pass 92 times in 100.
    Finding one remaining item with 90 % confidence needs 90 % of the area.
    A small sample shows whether the process failed; it does not find the last item.
    """
    row = operating_curve(units, sample, sensitivity=sensitivity, remaining=(1,)).iloc[0]
    if math.isnan(row["needs_90"]):
        need = f"Finding one remaining item with 90 % confidence is not possible with an inspection that finds {sensitivity:.0%} of items."
    else:
        need = f"Finding one remaining item with 90 % confidence needs {_ceil_percent(row['needs_90'])} % of the area."
    passes = f"{100 * row['p_accept']:.0f}" if row["p_accept"] < 0.995 else "more than 99"
    return (
        f"Inspecting {sample:,} of {units:,} units ({100 * sample / units:.1f} %) and finding nothing would let a single remaining item "
        f"pass {passes} times in 100.\n{need}\nA small sample shows whether the process failed; it does not find the last item."
    )


def _ceil_percent(share: float) -> str:
    return f"{math.ceil(round(1000 * share, 6)) / 10:g}"


def worst_miss(units: Sequence[int], samples: Sequence[int], remaining: int, *, sensitivity: float = 1.0) -> float:
    """Chance of finding nothing in a stratified sample for the most unlucky spread of the items over the strata.

    Raises
    ------
    StatisticsError
        If the lists of units and samples differ in length.

    Examples
    --------
    >>> round(worst_miss([500, 500], [450, 450], 1), 6)
    0.1
    """
    best = np.zeros(1)
    remaining = whole(remaining, "remaining")
    units, samples = sequence(units, "units"), sequence(samples, "samples")
    if len(units) != len(samples):
        raise StatisticsError("every stratum needs its units and its sample", hint="two lists of the same length")
    units = [_units(size) for size in units]
    for size, sample in zip(units, samples, strict=True):
        held = np.arange(min(remaining, size) + 1)
        with np.errstate(divide="ignore"):
            here = np.log([miss_probability(size, sample, int(d), sensitivity=sensitivity) for d in held])
        joined = np.full(min(len(best) + len(here) - 1, remaining + 1), -np.inf)
        for d, value in enumerate(here):
            reach = min(len(best), len(joined) - d)
            joined[d : d + reach] = np.maximum(joined[d : d + reach], best[:reach] + value)
        best = joined
    return float(np.exp(best[remaining])) if remaining < len(best) else 0.0
