"""Traverse legs: SV-01…04: north named, bearings in their unit, the figure closes, two fixes that hold it. Not a solver."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import shapely

from geotools.checks.layers import Data, Layer
from geotools.checks.rule import Check, Finding, listed, metres
from geotools.model.errors import GeotoolsError
from geotools.space import crs as _crs
from geotools.space.traverse import Start, Traverse, TraverseOptions, solve

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


def _solve(data: Data, layer: Layer, rows: np.ndarray, known: dict[str, tuple[float, float]]) -> Traverse | None:
    """The figure as `space.traverse` computes it, or None where its legs are not fit for that (SV-04 says why).

    Where no north is named, grid: closure does not depend on it. Where no station is known, anywhere in the programme.
    """
    north = [text or "grid" for text in layer.text("north")[rows]]
    part = layer.frame.iloc[rows].assign(north=north)
    first = layer.text("from_point")[rows[0]] or ""
    stations = {*layer.text("from_point")[rows], *layer.text("to_point")[rows]}
    fixes = {name: place for name, place in known.items() if name in stations}
    name = first if first in fixes else next(iter(sorted(fixes)), first)
    lon, lat = fixes.get(name, data.centre)
    start = Start(lon, lat, crs=_crs.WGS84, name=name)
    try:
        return solve(
            part,
            start,
            date=data.today,
            fixes=fixes or None,
            options=TraverseOptions(programme=data.programme),
        )
    except (GeotoolsError, ValueError, KeyError):
        return None


def misclosure(data: Data) -> Iterator[Finding]:
    """SV-02: the legs do not come back to where they began, or the last leg was not measured."""
    for layer in data.each("legs"):
        start, end = layer.text("from_point"), layer.text("to_point")
        for name, rows in _figures(layer).items():
            done = _solve(data, layer, rows, _known(data, name))
            record = name or layer.ids[rows[0]]
            if done is None:
                continue
            if not done.misclosure.measured:
                if len(rows) >= 2:
                    words = {"first": start[rows[0]] or "?", "last": end[rows[-1]] or "?"}
                    yield Finding("legs", record, "", words, variant="open")
                continue
            miss, total = done.misclosure.distance_m, done.misclosure.length_m
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
                severity = "error" if worst else "warning"
                yield Finding(
                    "legs", record, "", words, severity=severity, value=round(miss, 3), limit=round(allowed, 3)
                )


def _known(data: Data, figure: str) -> dict[str, tuple[float, float]]:
    """Marks of a figure with coordinates of their own, not computed from a bearing: name → longitude, latitude.

    A mark may carry the name of its figure before its own: ``SHEET-72-TP1`` is TP1 of SHEET-72.
    """
    marks = data.layer("marks")
    there = ~(shapely.is_missing(marks.lonlat) | shapely.is_empty(marks.lonlat))
    measured = there & np.array([b is None for b in marks.text("bearing")], dtype=bool)
    feature = marks.text("feature_id")
    out: dict[str, tuple[float, float]] = {}
    for row in np.flatnonzero(measured & ((feature == figure) | (feature == None))).tolist():  # noqa: E711
        x, y = shapely.get_coordinates(marks.lonlat[row])[0]
        name = str(marks.ids[row])
        out.setdefault(name, (float(x), float(y)))
        if figure and name.startswith(figure):
            out.setdefault(name[len(figure) :].lstrip("-_/. "), (float(x), float(y)))
    return out


def fixes_of_figure(data: Data) -> Iterator[Finding]:
    """SV-03: fewer than two points of a traverse known otherwise, or turned against them."""
    for layer in data.each("legs"):
        start, end, north = layer.text("from_point"), layer.text("to_point"), layer.text("north")
        for name, rows in _figures(layer).items():
            record, known = name or layer.ids[rows[0]], _known(data, name)
            stations = list(dict.fromkeys([start[rows[0]], *(end[r] for r in rows)]))
            fixed = [s for s in stations if s in known]
            if len(fixed) < 2:
                words: dict[str, object] = {"count": len(fixed), "points": listed(fixed) or "-"}
                yield Finding("legs", record, "", words, value=len(fixed), limit=2)
                continue
            done = _solve(data, layer, rows, known) if all(north[r] for r in rows) else None
            turn = done.fit.rotation_deg if done is not None and done.fit is not None else 0.0
            if abs(turn) > data.limit("rotation_warn_deg"):
                turned = {"angle": f"{turn:+.1f}°", "points": listed(fixed)}
                limit = data.limit("rotation_warn_deg")
                yield Finding("legs", record, "north", turned, variant="turned", value=round(turn, 2), limit=limit)


LEGS = ("legs",)
RULES = (
    Check("SV-01", north_missing, ("legs", "marks"), "error"),
    Check(
        "SV-02", misclosure, LEGS, "warning", ("misclosure_warn_ratio", "misclosure_error_ratio", "misclosure_floor_m")
    ),
    Check("SV-03", fixes_of_figure, ("legs", "marks"), "warning", ("rotation_warn_deg",)),
    Check("SV-04", bad_measure, ("legs", "marks"), "error"),
)
