"""Metres: UTM text and easting/northing pairs, Gauss-Krüger with or without the zone in front, in either order.

For pairs with a stated reference system; degrees are read in `geographic`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from geotools.model.errors import NotationError
from geotools.space.crs import transformer
from geotools.space.crs.mgrs import BANDS
from geotools.space.notation.numbers import step_of, tidy
from geotools.space.notation.systems import Bounds, System, facts, gauss_kruger

_NUMBER = r"(\d{5,8}(?:[.,]\d+)?)"
_METRES = r"\s*(?:MT?\.?)?\s*"
_PAIR = rf"(?:E|X)?\s*[:=]?\s*{_NUMBER}{_METRES}(E|N)?[\s,;/]+(?:N|Y)?\s*[:=]?\s*{_NUMBER}{_METRES}(N|E)?"
_ZONE = r"(?:UTM)?\s*(?:ZONE)?\s*(\d{1,2})\s*([C-HJ-NP-X]|NORTH|SOUTH)?"
_UTM = (re.compile(rf"{_ZONE}[\s,;:/]+{_PAIR}"), re.compile(rf"{_PAIR}[\s,;/(]+{_ZONE}\)?"))
# UTM zones in which there is land between 50° and 58° south, where 'S' can really mean the southern hemisphere
_FAR_SOUTH = frozenset({18, 19, 20, 21, 24, 26, 31, 42, 43, 57, 58, 59})
_FAMILIES = {
    "WGS 84": (32600, 32700, range(1, 61)),
    "ED50": (23000, None, range(28, 39)),
    "WGS 72": (32200, 32300, range(1, 61)),
}


@dataclass(frozen=True)
class GridPoint:
    """A point in metres: x, y in (easting, northing) order, its system as text, and the last typed digit in metres."""

    x: float
    y: float
    crs: str
    step: float
    note: str = ""


def looks_utm(text: str) -> re.Match[str] | None:
    """The match of UTM text with a zone, or None."""
    plain = tidy(text).upper()
    return next((m for m in (pattern.fullmatch(plain) for pattern in _UTM) if m), None)


def read_utm(text: str, crs: System | None, extent: Bounds | None) -> GridPoint:
    """A point from UTM text such as ``38S 683738 4385550`` or ``683738 E 4385550 N zone 38 north``.

    Raises
    ------
    NotationError
        If the zone, easting or northing is impossible, or S can mean band S as well as south.

    Examples
    --------
    >>> read_utm("38S 683738 4385550", None, None).crs
    'EPSG:32638'
    """
    match = looks_utm(text)
    if match is None:
        raise NotationError(f"'{text}' is not UTM text", hint="write 38S 683738 4385550")
    order = (1, 2, 3, 4, 5, 6) if match.re is _UTM[0] else (5, 6, 1, 2, 3, 4)
    zone_text, letter, a, a_name, b, b_name = (match[i] for i in order)
    zone, texts = int(zone_text), [a.replace(",", "."), b.replace(",", ".")]
    values = [float(value) for value in texts]
    if not 1 <= zone <= 60:
        raise NotationError(f"there is no UTM zone {zone}", hint="zones are 1 to 60; Azerbaijan is in 38 and 39")
    if (a_name, b_name) == ("N", "E") or (
        not a_name and not 100_000 <= values[0] <= 900_000 and 100_000 <= values[1] <= 900_000
    ):
        values.reverse()
    east, north = values
    if not 100_000 <= east <= 900_000 or not 0 <= north <= 10_000_000:
        raise NotationError(
            f"'{text}': easting {east:g} or northing {north:g} is outside what UTM allows",
            hint="easting 100,000 to 900,000 m comes first",
        )
    south = _southern(text, letter, zone, north, extent)
    return GridPoint(east, north, f"EPSG:{_utm_code(zone, south, crs)}", min(step_of(value) for value in texts))


def _southern(text: str, letter: str | None, zone: int, north: float, extent: Bounds | None) -> bool:
    if letter in ("NORTH", "SOUTH"):
        return letter == "SOUTH"
    one_side = None if extent is None or extent[1] < 0 < extent[3] else extent[3] <= 0
    if letter is None:
        if one_side is not None:
            return one_side
        raise NotationError(
            f"'{text}' does not say whether the zone is north or south of the equator",
            hint=f"write {zone}N or the latitude band",
        )
    if letter == "N":
        return False  # band N and the northern hemisphere are the same side
    low = -80 + 8 * BANDS.index(letter)
    fits = _touches_band(zone, north, low)
    if letter != "S":
        if not fits:
            raise NotationError(
                f"'{text}': northing {north:g} does not lie in latitude band {letter}",
                hint="check the band letter and the northing",
            )
        return low < 0
    if not fits:
        return True
    if one_side is not None:
        return one_side
    if zone in _FAR_SOUTH:
        raise NotationError(
            f"'{text}' reads two ways: band S (32 to 40° N) or the southern hemisphere",
            hint="write NORTH or SOUTH after the zone",
        )
    return False


def _touches_band(zone: int, north: float, low: float) -> bool:
    code = (32700 if low < 0 else 32600) + zone
    _, lat = transformer(f"EPSG:{code}", "EPSG:4326").transform(500_000.0, north)
    top = 84 if low == 72 else low + 8
    return bool(low - 1 <= lat <= top + 1)


def _utm_code(zone: int, south: bool, crs: System | None) -> int:
    name = "WGS 84" if crs is None or not crs.base else facts(crs.base).crs.name
    up, down, zones = _FAMILIES.get(name, (None, None, range(0)))
    base = down if south else up
    if base is None or zone not in zones:
        raise NotationError(
            f"UTM zone {zone} on the datum '{name}' is not known here",
            hint="leave crs out for WGS 84, or give the projected system and two columns",
        )
    if crs is not None and crs.projected and crs.epsg != base + zone:
        raise NotationError(
            f"the text says zone {zone}, but crs is {crs.crs.name}", hint="leave crs out, or correct the zone"
        )
    return base + zone


def read_grid(first: str, second: str, crs: System, *, order: str | None, extent: Bounds | None) -> GridPoint:
    """A point from two numbers in metres (or feet) of a stated system.

    The zone figure in front of a Gauss-Krüger easting decides the zone; without `order`, the order is taken that lies
    in the area the system is made for, if only one does.

    Raises
    ------
    NotationError
        If neither order fits, or both do.
    """
    texts = [_metres(first), _metres(second)]
    values = [float(text) for text in texts]
    step = min(step_of(text) for text in texts)
    orders = {"xy": [(0, 1)], "yx": [(1, 0)]}.get(order or "", [(0, 1), (1, 0)])
    found = [point for i, j in orders if (point := _place(values[i], values[j], crs, step)) is not None]
    if len(found) > 1 and extent is not None:
        found = [point for point in found if _inside(point, extent)] or found
    if len(found) == 1 or (len(found) == 2 and found[0] == found[1]):
        return found[0]
    typed = f"{first} / {second}"
    if found:
        raise NotationError(
            f"'{typed}' fits {crs.crs.name} in both orders",
            hint="say order='xy' (easting first) or order='yx' (northing first)",
        )
    if crs.epsg == 4284 and all(value < 1_000_000 or 3_000_000 < value < 9_100_000 for value in values):
        raise NotationError(
            f"'{typed}' has no zone figure in front of the easting",
            hint="name the zone: EPSG:2498 (zone 8, west of 48° E) or EPSG:2499 (zone 9)",
        )
    raise NotationError(
        f"'{typed}' lies outside the area {crs.crs.name} is made for",
        hint="is it another zone or system? try: geotools datum --explain FILE",
    )


def _metres(cell: str) -> str:
    text = re.sub(r"(?i)^[a-zа-я]+\s*[:=]?\s*|\s*(m|м|mt|metre|metres|e|n)\.?$", "", tidy(cell))
    text = re.sub(r"(?<=\d)[\s'](?=\d{3})", "", text)
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?", text):
        text = text.replace(",", "")
    text = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
        raise NotationError(f"'{cell}' is not a number of metres", hint="write 4385550.0")
    return text


def _place(east: float, north: float, crs: System, step: float) -> GridPoint | None:
    code, note = gauss_kruger(east, crs.epsg) if crs.gauss_kruger else (crs.code, "")
    if not code:
        return None
    place = facts(code)
    lon, lat = transformer(code, place.base).transform(east, north) if place.base else (np.nan, np.nan)
    if not np.isfinite([lon, lat]).all():
        return None
    if place.area is not None:
        west, south, right, top = place.area
        wide = (right - west) % 360.0
        if not (south - 1 <= lat <= top + 1 and (lon - west + 1) % 360.0 <= wide + 2):
            return None
    return GridPoint(east, north, code, step, note)


def _inside(point: GridPoint, extent: Bounds) -> bool:
    lon, lat = transformer(point.crs, "EPSG:4326").transform(point.x, point.y)
    return bool(extent[0] <= lon <= extent[2] and extent[1] <= lat <= extent[3])
