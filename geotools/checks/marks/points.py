"""Points grouped into polygons, and loose points of a record: GC-04, 05, 07…11, SV-05…07, and the points side of GC-02/06.

After GICHD geocheck, which sees polygons as numbered points. Not for bearings (see `legs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geotools.checks.layers import Data, Layer
from geotools.checks.rule import GEOCHECK, Check, Finding, listed, metres, spot
from geotools.checks.vertices import same_place

PERIMETER = ("start", "turning", "intermediate", "end")
_MADE = re.compile(r"~\d+(\.\d+)?$")


def stem(text: str) -> str:
    """An id without the suffix that reading gives to its second use.

    Examples
    --------
    >>> stem("TP1~2"), stem("H-1")
    ('TP1', 'H-1')
    """
    return _MADE.sub("", text)


def squeezed(text: str) -> str:
    """An id as people mean it: no blanks around, single ones inside, one case."""
    return " ".join(text.split()).casefold()


def _groups(layer: Layer, *, loose: bool) -> dict[tuple[str, str], np.ndarray]:
    """Rows per (record, polygon): points of a perimeter, or all others."""
    feature, shape, sort = layer.text("feature_id"), layer.text("shape_id"), layer.text("point_type")
    on_perimeter = np.isin(sort.astype(str), PERIMETER) | np.array([bool(s) for s in shape], dtype=bool)
    out: dict[tuple[str, str], list[int]] = {}
    for row in np.flatnonzero(on_perimeter != loose):
        out.setdefault((feature[row] or "", "" if loose else shape[row] or ""), []).append(int(row))
    numbers = layer.numbers("point_no")
    return {key: np.array(sorted(rows, key=lambda r: (numbers[r], r))) for key, rows in sorted(out.items())}


def _located(layer: Layer, rows: np.ndarray) -> np.ndarray:
    there = ~(shapely.is_missing(layer.lonlat[rows]) | shapely.is_empty(layer.lonlat[rows]))
    rows = rows[there]
    return rows[shapely.get_type_id(layer.lonlat[rows]) == 0] if len(rows) else rows


def shape_id_twice(data: Data) -> Iterator[Finding]:
    """GC-04: one polygon id used for two polygons of a record: its point numbers start again."""
    for layer in data.each("marks"):
        numbers = layer.numbers("point_no")
        for (feature, shape), rows in _groups(layer, loose=False).items():
            given = numbers[rows][np.isfinite(numbers[rows])]
            values, counts = np.unique(given, return_counts=True)
            if (counts > 1).sum() >= 3:
                again = [int(v) for v in values[counts > 1]]
                yield Finding(
                    "marks",
                    feature,
                    "shape_id",
                    {"shape": shape or "?", "numbers": listed(again)},
                    value=shape,
                    geometry=layer.lonlat[rows[0]],
                )
    for layer in data.each("hazards", "releases", "activities"):
        if not layer.has("shape_id"):
            continue
        seen: dict[tuple[str, str], int] = {}
        for row, shape in enumerate(layer.text("shape_id")):
            key = (stem(layer.ids[row]), shape or "")
            seen[key] = seen.get(key, 0) + 1
            if shape and seen[key] == 2:
                yield Finding(
                    layer.kind,
                    key[0],
                    "shape_id",
                    {"shape": shape, "numbers": "-"},
                    variant="rows",
                    value=shape,
                    geometry=layer.lonlat[row],
                )


def shape_id_trimmed(data: Data) -> Iterator[Finding]:
    """GC-05: polygon ids of a record that differ only by blanks or case."""
    for layer in data.each("marks", "hazards", "releases", "activities"):
        if not layer.has("shape_id"):
            continue
        owner = (
            layer.text("feature_id")
            if layer.kind == "marks"
            else np.array([stem(i) for i in layer.ids] + [None], dtype=object)[:-1]
        )
        yield from _spellings(layer, owner, layer.typed("shape_id"), "shape_id")


def _spellings(layer: Layer, owner: np.ndarray, typed: np.ndarray, column: str) -> Iterator[Finding]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row, text in enumerate(typed):
        if text and text.strip():
            found.setdefault((str(owner[row] or ""), squeezed(text)), {}).setdefault(text, row)
    for (record, _), spellings in sorted(found.items()):
        if len(spellings) > 1:
            row = next(iter(spellings.values()))
            yield Finding(
                layer.kind,
                record,
                column,
                {"values": _quoted(spellings)},
                value=_quoted(spellings),
                geometry=layer.lonlat[row],
            )


def _quoted(texts: Any) -> str:
    return ", ".join(f"'{t}'" for t in sorted(texts))


def _same_name(data: Data, *, loose: bool, trimmed: bool) -> Iterator[Finding]:
    for layer in data.each("marks"):
        typed, sort = layer.typed("id"), layer.text("point_type")
        names = [t if t is not None else layer.ids[r] for r, t in enumerate(typed)]
        for (feature, shape), rows in _groups(layer, loose=loose).items():
            seen: dict[tuple[str, str], list[int]] = {}
            for row in rows:
                seen.setdefault((squeezed(stem(names[row].strip())), str(sort[row] or "")), []).append(int(row))
            for (_, point_type), found in seen.items():
                spellings = {stem(names[r]) for r in found}
                if len(found) > 1 and (len(spellings) > 1) == trimmed:
                    words = {
                        "point": _quoted(spellings),
                        "type": point_type or "?",
                        "shape": shape or "-",
                        "count": len(found),
                    }
                    yield Finding(
                        "marks", feature, "id", words, value=_quoted(spellings), geometry=layer.lonlat[found[1]]
                    )


def polygon_point_name(data: Data) -> Iterator[Finding]:
    """GC-07."""
    yield from _same_name(data, loose=False, trimmed=False)


def polygon_point_name_trimmed(data: Data) -> Iterator[Finding]:
    """GC-08."""
    yield from _same_name(data, loose=False, trimmed=True)


def loose_point_name(data: Data) -> Iterator[Finding]:
    """GC-10."""
    yield from _same_name(data, loose=True, trimmed=False)


def loose_point_name_trimmed(data: Data) -> Iterator[Finding]:
    """GC-11."""
    yield from _same_name(data, loose=True, trimmed=True)


def _same_spot(data: Data, *, loose: bool) -> Iterator[Finding]:
    """Two points of one group at one place, unless they are the first and the last that close the ring."""
    tolerance = data.limit("vertex_repeat_deg")
    for layer in data.each("marks"):
        groups = _groups(layer, loose=loose)
        sizes = [_located(layer, rows) for rows in groups.values()]
        if not any(len(rows) > 1 for rows in sizes):
            continue
        rows = np.concatenate(sizes)
        group = np.repeat(np.arange(len(sizes)), [len(s) for s in sizes])
        a, b = same_place(shapely.get_coordinates(layer.lonlat[rows]), group, tolerance)
        names = list(groups)
        for i, j in zip(a, b, strict=True):
            members = sizes[group[i]]
            closes = (
                not loose and len(members) > 3 and {int(rows[i]), int(rows[j])} == {int(members[0]), int(members[-1])}
            )
            if not closes:
                feature, _ = names[group[i]]
                first, second = layer.ids[rows[i]], layer.ids[rows[j]]
                place = layer.lonlat[rows[i]]
                yield Finding(
                    "marks",
                    feature,
                    "geometry",
                    {"first": first, "second": second, "place": spot(place)},
                    variant="marks",
                    value=f"{first}, {second}",
                    limit=tolerance,
                    geometry=place,
                )


def repeated_perimeter_points(data: Data) -> Iterator[Finding]:
    """GC-06 for polygons given as points."""
    yield from _same_spot(data, loose=False)


def repeated_loose_points(data: Data) -> Iterator[Finding]:
    """GC-09."""
    yield from _same_spot(data, loose=True)


def few_points(data: Data) -> Iterator[Finding]:
    """GC-02 for polygons given as points."""
    for layer in data.each("marks"):
        for (feature, _), rows in _groups(layer, loose=False).items():
            placed = _located(layer, rows)
            if len(placed) < len(rows):
                continue  # relative points, their places come from legs
            different = len(np.unique(shapely.get_coordinates(layer.lonlat[placed]), axis=0))
            if different < 3:
                yield Finding(
                    "marks",
                    feature,
                    "geometry",
                    {"count": different},
                    value=different,
                    limit=3,
                    geometry=layer.lonlat[placed[0]],
                )


def long_legs_without_points(data: Data) -> Iterator[Finding]:
    """SV-05: turning points far apart without a point between them."""
    limit = data.limit("turning_point_gap_m")
    for layer in data.each("marks"):
        for (feature, _), rows in _groups(layer, loose=False).items():
            placed = _located(layer, rows)
            if len(placed) < 3 or len(placed) < len(rows):
                continue
            xy = shapely.get_coordinates(layer.plane[placed])
            length = np.hypot(*(np.roll(xy, -1, axis=0) - xy).T)
            long = np.flatnonzero(length > limit)
            if len(long):
                k = int(long[np.argmax(length[long])])
                ends = placed[[k, (k + 1) % len(placed)]]
                words = {
                    "count": len(long),
                    "first": layer.ids[ends[0]],
                    "second": layer.ids[ends[1]],
                    "length": metres(float(length[k])),
                    "limit": metres(limit),
                }
                line = shapely.LineString(shapely.get_coordinates(layer.lonlat[ends]))
                yield Finding(
                    "marks", feature, "geometry", words, value=round(float(length[k]), 1), limit=limit, geometry=line
                )


def accuracy(data: Data) -> Iterator[Finding]:
    """SV-06: position accuracy beyond the limit; missing where other rows have it, and of marks always."""
    limit = data.limit("h_acc_max_m")
    for layer in data.each("hazards", "releases", "finds", "accidents", "marks"):
        values = layer.accuracy
        nowhere = bool(np.isnan(values).all())
        if nowhere and layer.kind != "marks":
            continue
        with np.errstate(invalid="ignore"):
            poor = values > limit
        for row in np.flatnonzero(poor):
            words = {"accuracy": metres(float(values[row])), "limit": metres(limit)}
            yield Finding(
                layer.kind,
                layer.ids[row],
                "h_acc_m",
                words,
                value=float(values[row]),
                limit=limit,
                geometry=layer.lonlat[row],
            )
        missing = np.flatnonzero(np.isnan(values))
        if len(missing):
            lacking = {"count": len(missing), "ids": listed(layer.ids[missing])}
            yield Finding(
                layer.kind, "", "h_acc_m", lacking, variant="nowhere" if nowhere else "missing", value=len(missing)
            )


def number_gaps(data: Data) -> Iterator[Finding]:
    """SV-07: point numbers of a polygon leave one out: was a turning point lost?"""
    for layer in data.each("marks"):
        numbers = layer.numbers("point_no")
        for (feature, shape), rows in _groups(layer, loose=False).items():
            given = np.unique(numbers[rows][np.isfinite(numbers[rows])]).astype(int)
            if len(given) < 2:
                continue
            lost = sorted(set(range(int(given[0]), int(given[-1]) + 1)) - set(given.tolist()))
            if lost and len(lost) <= len(given):
                yield Finding(
                    "marks",
                    feature,
                    "point_no",
                    {"numbers": listed(lost), "shape": shape or "-"},
                    value=listed(lost),
                    geometry=layer.lonlat[rows[0]],
                )


MARKS = ("marks",)
RECORDS = ("marks", "hazards", "releases", "activities")
RULES = (
    Check("GC-04", shape_id_twice, RECORDS, "error", source=f"{GEOCHECK} duplicate_polygon_polyid"),
    Check("GC-05", shape_id_trimmed, RECORDS, "error", source=f"{GEOCHECK} duplicate_polygon_polyid_trimmed"),
    Check("GC-07", polygon_point_name, MARKS, "error", source=f"{GEOCHECK} polygon_point_localid"),
    Check("GC-08", polygon_point_name_trimmed, MARKS, "error", source=f"{GEOCHECK} polygon_point_localid_trimmed"),
    Check("GC-09", repeated_loose_points, MARKS, "error", ("vertex_repeat_deg",), f"{GEOCHECK} duplicate_points"),
    Check("GC-10", loose_point_name, MARKS, "error", source=f"{GEOCHECK} point_point_localid"),
    Check("GC-11", loose_point_name_trimmed, MARKS, "error", source=f"{GEOCHECK} point_point_localid_trimmed"),
    Check("SV-05", long_legs_without_points, MARKS, "info", ("turning_point_gap_m",), "IMSMA wiki, point types"),
    Check("SV-06", accuracy, ("hazards", "releases", "finds", "accidents", "marks"), "warning", ("h_acc_max_m",)),
    Check("SV-07", number_gaps, MARKS, "warning"),
)
