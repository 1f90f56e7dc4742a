"""How areas, shares and counts are written for people: one rule for command line, map, sheet, report and tables.

For words and cells that people read; machines get full numbers. The page of the map has the same rule in `core.js`.

The rule: below one hectare whole square metres (one decimal below 10), from one hectare on hectares with two decimals.
What is less than ten square centimetres is noise of computing and no ground. What is claimed as released is cut (`toward="down"`), what remains is rounded up (`toward="up"`), all else to the nearest.
A share of released ground is cut at a tenth of a percent, and what remains is the rest to 100.0: the two always make the
whole, 100.0 % is said only where nothing is left, and what is left is never 0.0 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

NO_AREA = "no area"
UNKNOWN = "unknown"
NOT_STATED = "not stated"  # the one word for what a record leaves out
TOTAL = "Total"
MARKS = {"en": (",", "."), "az": (".", ","), "tr": (".", ","), "ru": ("\u00a0", ",")}  # thousands, decimal
CUT = ("released", "cleared", "reduced", "cancelled")  # claims: never more than the evidence
RAISED = ("remaining", "reported_without_ground", "no_ground")  # what is left: never less
NOISE = 1e-6  # of a unit of the last digit shown: what binary fractions may be off
NOISE_M2 = 1e-3  # what sums of areas may be off: less is not raised to the next digit, and no digit is lost for it


def grouped(value: float, decimals: int = 0, lang: str = "en") -> str:
    """A number with the thousands and decimal sign of a language.

    Examples
    --------
    >>> grouped(12345.678, 1), grouped(12345.678, 1, "tr"), grouped(-0.001)
    ('12,345.7', '12.345,7', '0')
    """
    thousands, decimal = MARKS.get(lang, MARKS["en"])
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.translate({ord(","): thousands, ord("."): decimal})


def square_metres(value: float, lang: str = "en", toward: str = "nearest") -> str:
    """m² for people: whole, with one decimal below 10; cut (``down``), rounded up (``up``) or to the nearest.

    Examples
    --------
    >>> square_metres(1234.56), square_metres(0.42), square_metres(0.0)
    ('1,235', '0.4', '0')
    >>> square_metres(1234.56, toward="down"), square_metres(0.04, toward="up"), square_metres(9.97, toward="down")
    ('1,234', '0.1', '9.9')
    """
    if toward != "nearest" and math.isfinite(value):
        unit = 10 if abs(value) < 10 else 1
        step = math.floor(value * unit + NOISE_M2 * unit) if toward == "down" else math.ceil((value - NOISE_M2) * unit)
        value = step / unit
    return grouped(value, 1 if 0.05 <= abs(value) < 9.95 else 0, lang)


def direction(figure: str) -> str:
    """Which way a figure of the ledger is rounded to hectares, by its name.

    Examples
    --------
    >>> direction("cleared_m2"), direction("remaining_m2"), direction("area_m2")
    ('down', 'up', 'nearest')
    """
    name = figure.removesuffix("_m2")
    return "down" if name in CUT else "up" if name in RAISED else "nearest"


def in_hectares(value_m2: float, toward: str = "nearest") -> float:
    """m² as hectares with two decimals, cut (``down``), rounded up (``up``) or to the nearest.

    Examples
    --------
    >>> in_hectares(19_999, "down"), in_hectares(19_999), in_hectares(20_001, "up"), in_hectares(20_000, "up")
    (1.99, 2.0, 2.01, 2.0)
    """
    hundredths = value_m2 / 100
    if toward == "down":
        return math.floor(hundredths + NOISE) / 100
    if toward == "up":
        return math.ceil(hundredths - NOISE) / 100
    return round(value_m2 / 10_000, 2)


def hectares(value_m2: float, toward: str = "nearest", lang: str = "en") -> str:
    """Area for people: m² below one hectare, else hectares with two decimals.

    Examples
    --------
    >>> hectares(812.4), hectares(1_234_567), hectares(1_234_567, "down"), hectares(812.4, "up")
    ('812 m²', '123.46 ha', '123.45 ha', '813 m²')
    """
    if abs(value_m2) < 10_000:
        return f"{square_metres(value_m2, lang, toward)} m²"
    return f"{grouped(in_hectares(value_m2, toward), 2, lang)} ha"


def without_polygon(count: float, reported_m2: float) -> str:
    """What stands beside a figure that cannot hold the ground of hazards without a polygon; empty where each has one.

    Examples
    --------
    >>> without_polygon(4, 318_600), without_polygon(1, 0), without_polygon(0, 0)
    ('4 hazards without a polygon, 31.86 ha reported', '1 hazard without a polygon, size not stated', '')
    """
    if not count > 0:
        return ""
    who = "1 hazard" if count == 1 else f"{count:,.0f} hazards"
    size = f"{hectares(reported_m2, 'up')} reported" if reported_m2 > 0 else "size not stated"
    return f"{who} without a polygon, {size}"


def tenths(share: float) -> int:
    """A share of released ground in whole tenths of a percent, never rounded up."""
    return math.floor(share * 1000 + NOISE)


def percent(share: float, lang: str = "en") -> str:
    """A share of released ground for people; never rounded up, so 100.0 % is all of it.

    Examples
    --------
    >>> percent(0.99999), percent(1.0), percent(float("nan"))
    ('99.9 %', '100.0 %', 'no area')
    """
    return NO_AREA if math.isnan(share) else f"{grouped(tenths(share) / 10, 1, lang)} %"


def shares(whole: float, released: Mapping[str, float]) -> dict[str, float]:
    """Percent of a whole: released ground by product, and ``remaining``, with one decimal; together exactly 100.0.

    What is released in all is cut at a tenth; its products share these tenths by largest remainder, so they add up to it,
    and what is left to 100.0 remains. Where more was released than the whole, the products share 100.0 and nothing remains;
    what is not known counts as nothing. Empty without a whole.

    Parameters
    ----------
    whole
        m² recorded.
    released
        m² by product; ground transferred or corrected may stand among them.

    Examples
    --------
    >>> shares(185000, {"cleared": 123997, "reduced": 31100, "cancelled": 29900})
    {'cleared': 67.0, 'reduced': 16.8, 'cancelled': 16.1, 'remaining': 0.1}
    >>> shares(100, {"cleared": 100})
    {'cleared': 100.0, 'remaining': 0.0}
    >>> shares(100, {"cleared": 100, "reduced": 100})
    {'cleared': 50.0, 'reduced': 50.0, 'remaining': 0.0}
    """
    if not whole > 0:
        return {}
    known = {name: max(0.0, value) for name, value in released.items()}  # not max(value, 0.0), which keeps nan
    whole = max(whole, math.fsum(known.values()))
    parts = {name: value / whole * 1000 for name, value in known.items()}
    total = min(tenths(math.fsum(parts.values()) / 1000), 1000)
    given = {name: math.floor(value + NOISE) for name, value in parts.items()}
    short = sorted(parts, key=lambda name: given[name] - parts[name])
    for name in short[: max(total - sum(given.values()), 0)]:
        given[name] += 1
    return {**{name: value / 10 for name, value in given.items()}, "remaining": (1000 - sum(given.values())) / 10}


def issue_counts(errors: int, warnings: int, notes: int) -> str:
    """How many issues there are, in the one form of all commands.

    Examples
    --------
    >>> issue_counts(2, 1, 0)
    '3 issues: 2 errors, 1 warnings, 0 notes'
    """
    return f"{errors + warnings + notes:,} issues: {errors:,} errors, {warnings:,} warnings, {notes:,} notes"
