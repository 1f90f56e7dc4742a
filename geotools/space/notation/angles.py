"""Bearings as written: degrees, DMS, gons, mils of 6000 and 6400, quadrants; to degrees from north, clockwise.

For single angles; which north they count from is said elsewhere (see `space.traverse`).
"""

from __future__ import annotations

import math
import re
from typing import Any

from geotools.model.doors import checked
from geotools.model.errors import NotationError
from geotools.model.vocab import vocabulary
from geotools.space.notation.letters import hemispheres, is_letter
from geotools.space.notation.numbers import commas, compose, tidy

FULL_CIRCLE = {"deg": 360.0, "dms": 360.0, "gon": 400.0, "mil6000": 6000.0, "mil6400": 6400.0, "quadrant": 360.0}
ANGLE_UNITS = tuple(FULL_CIRCLE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
# intermediate Russian rhumb letters are pairs (СВ = north-east); split before reading
_QUADRANT = re.compile(r"(?P<from>[^\W\d_])[\s:]*(?P<angle>[\d.°'\"\s-]+?)[\s:]*(?P<to>[^\W\d_])")
_PAIR = re.compile(r"(?P<from>[^\W\d_])\s*(?P<to>[^\W\d_])[\s:]*(?P<angle>[\d.°'\"\s-]+)")


def parse_angle(value: Any, unit: str = "deg") -> float:
    """A bearing in degrees, 0 ≤ bearing < 360.

    Parameters
    ----------
    value
        Number or text; decimal commas are understood.
    unit
        ``deg``; ``dms`` (92°30'15", 92-30-15, 92 30 15); ``gon`` (400 in a circle); ``mil6000`` (artillery divisions,
        1-00 = 100 of 6000, written 12-34 or 1234); ``mil6400``; ``quadrant`` (N 45 E, S30°30'W, СВ:45°). Any spelling
        the vocabulary *angle_unit* knows.

    Raises
    ------
    NotationError
        A ValueError: not an angle, outside the circle of its unit, or written in another unit.

    Examples
    --------
    >>> parse_angle("92°30'"  , "dms"), parse_angle("12-34", "mil6000"), parse_angle("S 45 W", "quadrant")
    (92.5, 74.04, 225.0)
    >>> parse_angle(100, "gon"), parse_angle("1600", "NATO mils"), parse_angle("171,5")
    (90.0, 90.0, 171.5)
    """
    key = vocabulary("angle_unit").match(unit)
    if key is None:
        raise NotationError(f"'{unit}' is not a unit of angle", hint=f"use one of {', '.join(ANGLE_UNITS)}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = commas(tidy(value), single=True) if value is not None else ""
    if not text or text.casefold() in ("nan", "none", "<na>"):
        raise NotationError("the bearing is missing")
    degrees = _QUICK[key](text, value)
    turn = FULL_CIRCLE[key] if key not in ("dms", "quadrant") else 360.0
    if not 0 <= degrees <= turn:
        raise NotationError(f"bearing {value} is outside 0 to {turn:g} {_NAMES[key]}", hint=_other_unit(degrees))
    return round(degrees * 360.0 / turn, 12) % 360.0


def _plain(text: str, typed: Any, marks: str) -> float:
    bare = re.sub(rf"(?i)\s*({marks})\.?$", "", text)
    if not _NUMBER.fullmatch(bare):
        raise NotationError(
            f"'{typed}' is not a bearing in this unit",
            hint="is it degrees-minutes-seconds (dms) or 12-34 of 6000 (mil6000)?",
        )
    return float(bare)


def _degrees(text: str, typed: Any) -> float:
    return _plain(text, typed, "°|deg|degrees|d")


def _gons(text: str, typed: Any) -> float:
    return _plain(text, typed, "g|gon|gons|grad|grads")


def _nato(text: str, typed: Any) -> float:
    return _plain(text, typed, "mils?|₥")


def _divisions(text: str, typed: Any) -> float:
    match = re.fullmatch(r"(\d{1,2})-(\d{2})(\.\d+)?", text)
    if match:
        return int(match[1]) * 100 + float(match[2] + (match[3] or ""))
    return _plain(text, typed, "mils?|ду|du|д\\.у")


def _dms(text: str, typed: Any) -> float:
    parts = _NUMBER.findall(text)
    rest = re.sub(r"[\s°'\":\-]|d(?:eg)?|m(?:in)?|s(?:ec)?", "", _NUMBER.sub("", text), flags=re.IGNORECASE)
    if rest or not 1 <= len(parts) <= 3 or text.startswith("-"):
        raise NotationError(f"'{typed}' is not degrees, minutes and seconds", hint="write 92°30'15\" or 92-30-15")
    if len(parts) == 1 and "." in parts[0] and "°" not in text:
        raise NotationError(
            f"'{typed}' is a decimal number, not degrees-minutes-seconds",
            hint="is the unit deg? 92.30 can mean 92°30' or 92.3°",
        )
    return compose(parts).degrees


def _quadrant(text: str, typed: Any) -> float:
    due = re.fullmatch(r"(?:due\s+)?([^\W\d_])", text, flags=re.IGNORECASE)
    if due and is_letter(due[1]):
        axis, sign = hemispheres(due[1], None)[0]
        return {("lat", 1): 0.0, ("lon", 1): 90.0, ("lat", -1): 180.0, ("lon", -1): 270.0}[(axis, sign)]
    match = _QUADRANT.fullmatch(text) or _PAIR.fullmatch(text)
    if match is None or not (is_letter(match["from"]) and is_letter(match["to"])):
        raise NotationError(f"'{typed}' is not a quadrant bearing", hint="write N 45 E")
    start, end = hemispheres(match["from"], match["to"])
    angle = (
        _dms(match["angle"], typed)
        if re.search(r"['\"\s-]\d|\d['\"]", match["angle"].strip())
        else _plain(match["angle"].strip(), typed, "°")
    )
    if end is None or start[0] != "lat" or angle > 90:
        raise NotationError(f"'{typed}' is not a quadrant bearing", hint="from N or S, 0 to 90°, towards E or W")
    if start[1] > 0:
        return angle if end[1] > 0 else 360.0 - angle
    return 180.0 - angle if end[1] > 0 else 180.0 + angle


_QUICK = {"deg": _degrees, "dms": _dms, "gon": _gons, "mil6000": _divisions, "mil6400": _nato, "quadrant": _quadrant}
_NAMES = {
    "deg": "degrees",
    "dms": "degrees",
    "gon": "gons",
    "mil6000": "divisions of 6000",
    "mil6400": "mils",
    "quadrant": "degrees",
}


def _other_unit(value: float) -> str:
    for limit, words in ((400.0, "gons (gon)"), (6000.0, "divisions of 6000 (mil6000)"), (6400.0, "mils (mil6400)")):
        if 0 <= value <= limit:
            return f"are the bearings in {words}?"
    return "a bearing is never negative"


@checked
def format_angle(degrees: float, unit: str = "deg") -> str:
    """A bearing as people write it in a unit.

    Raises
    ------
    NotationError
        If the unit is not one of `ANGLE_UNITS`.

    Examples
    --------
    >>> [format_angle(92.5, unit) for unit in ("deg", "dms", "gon", "mil6000", "mil6400", "quadrant")]
    ['92.50', '92°30\\'00"', '102.778', '15-42', '1644', 'S 87.50 E']
    """
    key = vocabulary("angle_unit").match(unit)
    if key is None:
        raise NotationError(f"'{unit}' is not a unit of angle", hint=f"use one of {', '.join(ANGLE_UNITS)}")
    turned = float(degrees) % 360.0
    if key == "deg":
        return f"{round(turned, 2) % 360:.2f}"
    if key == "gon":
        return f"{round(turned / 0.9, 3) % 400:.3f}"
    if key == "mil6400":
        return f"{round(turned * 6400 / 360) % 6400}"
    if key == "mil6000":
        divisions = round(turned * 6000 / 360) % 6000
        return f"{divisions // 100}-{divisions % 100:02d}"
    if key == "dms":
        seconds = round(turned * 3600) % 1_296_000
        return f"{seconds // 3600}°{seconds % 3600 // 60:02d}'{seconds % 60:02d}\""
    north = math.cos(math.radians(turned)) >= 0
    east = turned <= 180
    acute = min(turned, 360 - turned) if north else abs(180 - turned)
    return f"{'N' if north else 'S'} {acute:.2f} {'E' if east else 'W'}"
