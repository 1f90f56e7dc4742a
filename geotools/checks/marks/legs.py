"""Traverse legs: SV-01…04: north named, bearings in their unit, the figure closes, two fixes that hold it. Not a solver."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyproj
import shapely

from geotools.checks.layers import Data, Layer
from geotools.checks.rule import Check, Finding, listed, metres
from geotools.space import crs as _crs

CIRCLE = {"deg": 360.0, "dms": 360.0, "gon": 400.0, "mil6000": 6000.0, "mil6400": 6400.0}
_DMS = re.compile(
    r"^\s*(\d+(?:\.\d+)?)\s*[°d:\s]\s*(?:(\d+(?:\.\d+)?)\s*['′m:\s]?\s*)?(?:(\d+(?:\.\d+)?)\s*(?:\"|″|''|s)?\s*)?$"
)
_QUADRANT = re.compile(r"^\s*([NS])\s*(\d+(?:\.\d+)?)\s*°?\s*([EW])\s*$", re.IGNORECASE)


def bearing_in_unit(text: object, unit: str) -> float | None:
    """A bearing as a number of its own unit (quadrant bearings in degrees), None if it cannot be read.

    Examples
    --------
    >>> bearing_in_unit("92,5", "deg"), bearing_in_unit("45°30'", "dms"), bearing_in_unit("S 30 E", "quadrant")
    (92.5, 45.5, 150.0)
    """
    raw = str(text).strip().replace(",", ".")
    if match := _QUADRANT.match(raw):
        angle, north, east = float(match[2]), match[1].upper() == "N", match[3].upper() == "E"
        if angle > 90:
            return None
        return (angle if north else 180 - angle) if east else (360 - angle if north else 180 + angle)
    try:
        return float(raw)
    except ValueError:
        pass
    if unit == "mil6000" and (match := re.fullmatch(r"(\d{1,2})-(\d{2})", raw)):
        return float(match[1]) * 100 + float(match[2])
    if match := _DMS.match(raw):
        minutes, seconds = float(match[2] or 0), float(match[3] or 0)
        return None if minutes >= 60 or seconds >= 60 else float(match[1]) + minutes / 60 + seconds / 3600
    return None


def _degrees(layer: Layer) -> np.ndarray:
    units = layer.text("bearing_unit")
    values = np.full(len(layer), np.nan)
    for row, text in enumerate(layer.text("bearing")):
        unit = units[row] or "deg"
        number = None if text is None else bearing_in_unit(text, unit)
        if number is not None:
            values[row] = number * 360 / CIRCLE.get(unit, 360.0)
    return values


def _figures(layer: Layer) -> dict[str, np.ndarray]:
    feature, numbers = layer.text("feature_id"), layer.numbers("leg_no")
    out: dict[str, list[int]] = {}
    for row in range(len(layer)):
        out.setdefault(feature[row] or "", []).append(row)
    return {name: np.array(sorted(rows, key=lambda r: (numbers[r], r))) for name, rows in sorted(out.items())}


def north_missing(data: Data) -> Iterator[Finding]:
    """SV-01."""
    for layer in data.each("legs", "marks"):
        north, bearing = layer.text("north"), layer.text("bearing")
        feature = layer.text("feature_id")
        bad: dict[str, list[str]] = {}
        for row in range(len(layer)):
            if bearing[row] and not north[row]:
                bad.setdefault(feature[row] or "", []).append(layer.ids[row])
        for name, ids in sorted(bad.items()):
            yield Finding(layer.kind, name or ids[0], "north", {"count": len(ids), "ids": listed(ids)}, value=len(ids))


def bad_measure(data: Data) -> Iterator[Finding]:
    """SV-04: a bearing that its unit does not have, or a distance that is none."""
    for layer in data.each("legs", "marks"):
        units, texts, distance = layer.text("bearing_unit"), layer.text("bearing"), layer.numbers("distance_m")
        for row in np.flatnonzero(distance <= 0).tolist():
            yield Finding(
                layer.kind,
                layer.ids[row],
                "distance_m",
                {"value": f"{distance[row]:g}"},
                variant="distance",
                value=float(distance[row]),
                limit="> 0",
            )
        if layer.kind == "legs":
            for missing in np.flatnonzero(np.isnan(distance)):
                row = int(missing)
                yield Finding(layer.kind, layer.ids[row], "distance_m", {"value": "-"}, variant="distance", limit="> 0")
        for row, text in enumerate(texts):
            if text is None:
                continue
            unit = units[row] or "deg"
            number, circle = bearing_in_unit(text, unit), CIRCLE.get(unit, 360.0)
            if number is None:
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "bearing",
                    {"value": text, "unit": unit},
                    variant="unreadable",
                    value=text,
                )
            elif not 0 <= number <= circle:
                fits = next((name for name, size in CIRCLE.items() if 0 <= number <= size and size > circle), "?")
                words = {"value": text, "unit": unit, "limit": f"{circle:g}", "fits": fits}
                yield Finding(layer.kind, layer.ids[row], "bearing", words, value=text, limit=f"0–{circle:g}")


def misclosure(data: Data) -> Iterator[Finding]:
    """SV-02: the legs do not come back to where they began, or the last leg was not measured."""
    for layer in data.each("legs"):
        bearings, lengths = _degrees(layer), _horizontal(layer)
        start, end = layer.text("from_point"), layer.text("to_point")
        for name, rows in _figures(layer).items():
            stations = {start[row]: k for k, row in reversed(list(enumerate(rows)))}
            back = stations.get(end[rows[-1]])
            record = name or layer.ids[rows[0]]
            if back is None:
                if len(rows) >= 2:
                    words = {"first": start[rows[0]] or "?", "last": end[rows[-1]] or "?"}
                    yield Finding("legs", record, "", words, variant="open")
                continue
            loop = rows[back:]
            if np.isnan(bearings[loop]).any() or np.isnan(lengths[loop]).any() or len(loop) < 3:
                continue
            angle = np.radians(bearings[loop])
            miss = float(np.hypot((lengths[loop] * np.sin(angle)).sum(), (lengths[loop] * np.cos(angle)).sum()))
            total = float(lengths[loop].sum())
            floor = data.limit("misclosure_floor_m")
            allowed = max(floor, total / data.limit("misclosure_warn_ratio"))
            if miss > allowed:
                worst = miss > max(floor, total / data.limit("misclosure_error_ratio"))
                words = {
                    "miss": metres(miss),
                    "total": metres(total),
                    "ratio": f"{total / miss:.0f}",
                    "limit": metres(allowed),
                }
                yield Finding(
                    "legs",
                    record,
                    "",
                    words,
                    severity="error" if worst else "warning",
                    value=round(miss, 3),
                    limit=round(allowed, 3),
                )


def _horizontal(layer: Layer) -> np.ndarray:
    slope = np.nan_to_num(layer.numbers("slope_deg"))
    return layer.numbers("distance_m") * np.cos(np.radians(slope))


def fixes_of_figure(data: Data) -> Iterator[Finding]:
    """SV-03: fewer than two points of a traverse known otherwise, or turned against them."""
    marks = data.layer("marks")
    there = ~(shapely.is_missing(marks.lonlat) | shapely.is_empty(marks.lonlat))
    measured = there & np.array([b is None for b in marks.text("bearing")], dtype=bool)
    known = {marks.ids[row]: row for row in np.flatnonzero(measured).tolist()}
    for layer in data.each("legs"):
        start, end, north = layer.text("from_point"), layer.text("to_point"), layer.text("north")
        for name, rows in _figures(layer).items():
            record = name or layer.ids[rows[0]]
            stations = list(dict.fromkeys([start[rows[0]], *(end[r] for r in rows)]))
            fixed = [s for s in stations if s in known]
            if len(fixed) < 2:
                yield Finding(
                    "legs", record, "", {"count": len(fixed), "points": listed(fixed) or "-"}, value=len(fixed), limit=2
                )
                continue
            turn = _turn(layer, rows, marks, [known[s] for s in fixed], fixed, str(north[rows[0]] or ""))
            if turn is not None and abs(turn) > data.limit("rotation_warn_deg"):
                words = {"angle": f"{turn:+.1f}°", "points": listed(fixed)}
                yield Finding(
                    "legs",
                    record,
                    "north",
                    words,
                    variant="turned",
                    value=round(turn, 2),
                    limit=data.limit("rotation_warn_deg"),
                )


def _turn(layer: Layer, rows: np.ndarray, marks: Layer, known: list[int], names: list[str], north: str) -> float | None:
    """Angle in degrees from the traverse, its north corrected to true, to the two fixes farthest apart."""
    bearings, lengths = np.radians(_degrees(layer)[rows]), _horizontal(layer)[rows]
    if np.isnan(bearings).any() or np.isnan(lengths).any():
        return None
    east, north_m = np.r_[0, np.cumsum(lengths * np.sin(bearings))], np.r_[0, np.cumsum(lengths * np.cos(bearings))]
    chain = [layer.text("from_point")[rows[0]], *layer.text("to_point")[rows]]
    where = {name: k for k, name in reversed(list(enumerate(chain)))}
    lonlat = shapely.get_coordinates(marks.lonlat[known])
    correction = _correction(north, lonlat, marks)
    if correction is None:
        return None
    base = where[names[0]]
    apart = [np.hypot(east[where[n]] - east[base], north_m[where[n]] - north_m[base]) for n in names]
    far = int(np.argmax(apart))
    if apart[far] < 20:
        return None
    chained = np.degrees(np.arctan2(east[where[names[far]]] - east[base], north_m[where[names[far]]] - north_m[base]))
    true, _, _ = _crs.GEOD.inv(*lonlat[0], *lonlat[far])
    return float((true - chained - correction + 180) % 360 - 180)


def _correction(north: str, lonlat: np.ndarray, marks: Layer) -> float | None:
    lon, lat = lonlat.mean(axis=0)
    if north == "true":
        return 0.0
    if north == "grid":
        crs = marks.crs if marks.crs is not None and marks.crs.is_projected else _crs.utm(lon, lat)
        return float(pyproj.Proj(crs).get_factors(lon, lat).meridian_convergence)
    return None  # magnetic: declination needs the day; `traverse.solve` reports the rotation of a dated figure


LEGS = ("legs",)
RULES = (
    Check("SV-01", north_missing, ("legs", "marks"), "error"),
    Check(
        "SV-02", misclosure, LEGS, "warning", ("misclosure_warn_ratio", "misclosure_error_ratio", "misclosure_floor_m")
    ),
    Check("SV-03", fixes_of_figure, ("legs", "marks"), "warning", ("rotation_warn_deg",)),
    Check("SV-04", bad_measure, ("legs", "marks"), "error"),
)
