"""Lengths and areas as people type them: a number with a unit behind it, or feet and inches.

For cells of tables; positions and angles are in `space.notation`. What can be read two ways is not read.
"""

from __future__ import annotations

import re
from fractions import Fraction
from types import MappingProxyType

METRES = MappingProxyType({
    "m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "м": 1.0, "metr": 1.0, "mt": 1.0, "cm": 0.01, "см": 0.01, "sm": 0.01, "santimetr": 0.01,
    "santimetre": 0.01, "centimetre": 0.01, "centimetres": 0.01, "centimeter": 0.01, "centimeters": 0.01, "mm": 0.001, "мм": 0.001, "dm": 0.1,
    "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "'": 0.3048, "us-ft": 1200 / 3937, "in": 0.0254, "inch": 0.0254, "inches": 0.0254, '"': 0.0254,
    "yd": 0.9144, "yard": 0.9144, "yards": 0.9144,
})  # fmt: skip
KM = MappingProxyType({"km": 1000.0, "км": 1000.0})
SQUARE_METRES = MappingProxyType({
    "m2": 1.0, "m²": 1.0, "sqm": 1.0, "sq m": 1.0, "м2": 1.0, "м²": 1.0, "kv m": 1.0, "кв м": 1.0, "metrekare": 1.0, "kvadrat metr": 1.0,
    "square metres": 1.0, "square meters": 1.0, "square metre": 1.0, "square meter": 1.0, "sq metres": 1.0, "sq meters": 1.0, "ha": 1e4, "га": 1e4,
    "hectare": 1e4, "hectares": 1e4, "hektar": 1e4, "dekar": 1000.0, "km2": 1e6, "km²": 1e6, "км2": 1e6, "км²": 1e6, "sq km": 1e6, "sqkm": 1e6, "kv km": 1e6, "кв км": 1e6, "dönüm": 1000.0,
})  # fmt: skip
_UNITS = {
    "m": {**METRES, **KM}, "cm": {**METRES, **KM}, "m2": dict(SQUARE_METRES),
}  # fmt: skip
_CELL = re.compile(
    r"([+\-−]?\d[\d\s\u00a0\u202f.,]*)\s*((?![eE]\d)[^\W\d][\w²]*\.?(?:[\s-][^\W\d][\w²]*\.?)?|'|′|’|\"|″|”|'')"
)
_FEET = re.compile(r"(\d+)\s*(?:'|′|’|ft|feet|foot)\s*(\d+(?:[.,]\d+)?)\s*(?:\"|″|”|''|in|inch|inches)", re.IGNORECASE)
_PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")  # in many languages twelve thousand five hundred square metres
_LOOSE = re.compile(r"\d\s+\d{1,2}(?!\d)")
_SIGNS = str.maketrans({"′": "'", "’": "'", "″": '"', "”": '"', "−": "-"})


def has_unit(text: str) -> bool:
    """Whether a cell is a number with something behind it that could be a unit.

    Examples
    --------
    >>> has_unit("5 ft"), has_unit("1,2 m"), has_unit("12.5"), has_unit("wide"), has_unit("5'")
    (True, True, False, False, True)
    """
    return _CELL.fullmatch(text.strip()) is not None or _FEET.fullmatch(text.strip()) is not None


def quantity(text: str, unit: str) -> float | None:
    """A length or area in `unit` (``m``, ``cm``, ``m2``) from a number with its unit; None if it is none, or can be read two ways.

    A comma is a decimal comma; before exactly three digits it could also group thousands, as a dot in an area could: that is not read.

    Examples
    --------
    >>> quantity("5 ft", "m"), quantity("1,2 m", "m"), quantity("120cm", "m"), quantity("5' 6\\"", "m"), quantity("2,5 ha", "m2")
    (1.524, 1.2, 1.2, 1.6764, 25000.0)
    >>> [quantity(text, "m") for text in ("1,200 m", "5 kg", "5-6 m", "about 5 m", "5 m2", "1.5 m (5 ft)", "5 m 3", "5 6 m")]
    [None, None, None, None, None, None, None, None]
    >>> quantity("12.500 m²", "m2"), quantity("12 500 m²", "m2"), quantity("1.234 ha", "m2")
    (None, 12500.0, 12340.0)
    """
    known = _UNITS[unit]
    cell = text.strip()
    if (both := _FEET.fullmatch(cell)) is not None:
        inches = Fraction(both[2].replace(",", "."))
        return None if unit == "m2" or inches >= 12 else _as(float(12 * int(both[1]) + inches) * METRES["in"], unit)
    found = _CELL.fullmatch(cell)
    if found is None:
        return None
    number = re.sub(r"\s", "", found[1].translate(_SIGNS))
    named = re.sub(r"\s+", " ", found[2].translate(_SIGNS).casefold().rstrip(".").replace(". ", " ")).replace("''", '"')
    if named not in known or not _PLAIN.fullmatch(number) or _GROUPED.fullmatch(number) or _LOOSE.search(found[1]):
        return None
    if unit == "m2" and known[named] == 1.0 and _DOTTED.fullmatch(number):
        return None
    return _as(float(number.replace(",", ".")) * known[named], unit)


def _as(si: float, unit: str) -> float:
    return round(si / METRES[unit] if unit in METRES else si, 9)


def factor(named: str, unit: str) -> float | None:
    """By what a number in the unit named is multiplied to be in `unit` (``m``, ``cm``, ``m2``); None if it is no such unit.

    Examples
    --------
    >>> factor("ha", "m2"), factor("кв. м", "m2"), factor("M^2", "m2"), factor("ft", "cm"), factor("m", "m2"), factor("acre", "m2")
    (10000.0, 1.0, 1.0, 30.48, None, None)
    """
    text = re.sub(r"[\s._-]+", " ", named.translate(_SIGNS).casefold().replace("^", "").replace("**", "")).strip()
    found = _UNITS.get(unit, {}).get(text.removesuffix("."))
    return None if found is None else _as(found, unit)


def units_of(unit: str) -> bool:
    """Whether cells of a column in this unit may carry units of their own.

    Examples
    --------
    >>> units_of("m"), units_of("deg")
    (True, False)
    """
    return unit in _UNITS
