"""Is there a polygon at all, and is it one: GC-01, 02, 03, 15, TP-05, 19, 20. Not for its edges (see `shape`)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from geotools.checks.layers import Data, Layer
from geotools.checks.marks import points
from geotools.checks.rule import GEOCHECK, Check, Finding, spot
from geotools.space import geom

AREAS = ("hazards", "releases", "activities", "samples", "places", "landuse")
WORKED = ("hazards", "releases", "activities", "samples")  # walked and measured, unlike districts and fields
PLACED = ("hazards", "releases", "finds", "accidents", "marks", "tracks", "places")
GEOMETRIC = (*AREAS, "finds", "accidents", "tracks", "marks", "fixes")


def invalid_polygon(data: Data) -> Iterator[Finding]:
    """GC-01."""
    for layer in data.each():
        for row in np.flatnonzero(~layer.valid):
            shape = layer.lonlat[row] if layer.lonlat[row] is not None else layer.raw[row]
            if _few_points(shape):
                continue
            reason, where = geom.why_invalid(shape)
            known = layer.lonlat[row] is not None
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {"reason": reason, "place": spot(where)},
                value=reason,
                geometry=(where or shape) if known else None,
            )


def _few_points(shape: shapely.Geometry) -> bool:
    return bool(len(np.unique(shapely.get_coordinates(shape), axis=0)) < 3)


def few_vertices(data: Data) -> Iterator[Finding]:
    """GC-02: a ring with fewer than three different points (within the repeat tolerance)."""
    for layer in data.each():
        rings = layer.rings
        a, b = rings.repeats(data.limit("vertex_repeat_deg"))
        suspects = np.union1d(np.flatnonzero(rings.count < 3), np.unique(rings.ring[a]))
        for ring in suspects:
            start, count = rings.start[ring], rings.count[ring]
            within = (a >= start) & (a < start + count)
            different = count - len(np.unique(b[within]))
            if different < 3:
                yield Finding(
                    layer.kind,
                    layer.ids[rings.row[ring]],
                    "geometry",
                    {"count": int(different)},
                    value=int(different),
                    limit=3,
                    geometry=rings.point(start) if count else None,
                )


def few_vertices_or_points(data: Data) -> Iterator[Finding]:
    """GC-02, for polygons and for polygons given as points."""
    yield from few_vertices(data)
    yield from points.few_points(data)


def identical_parts(data: Data) -> Iterator[Finding]:
    """GC-03: the same polygon twice in one record: among its parts, or among rows with one id."""
    for layer in data.each():
        several = np.flatnonzero(layer.is_area & (shapely.get_num_geometries(layer.raw) > 1))
        ids, counts = np.unique(layer.ids.astype(str), return_counts=True)
        repeated = set(ids[counts > 1])
        rows = np.union1d(several, [i for i in np.flatnonzero(layer.is_area) if layer.ids[i] in repeated]).astype(int)
        if not len(rows):
            continue
        parts, owner = shapely.get_parts(layer.raw[rows], return_index=True)
        keys = shapely.to_wkb(shapely.normalize(parts))
        seen: dict[tuple[str, bytes], int] = {}
        told: set[str] = set()
        for part, row, key in zip(parts, rows[owner], keys, strict=True):
            record = layer.ids[row]
            seen[record, key] = seen.get((record, key), 0) + 1
            if seen[record, key] > 1 and record not in told and not part.is_empty:
                told.add(record)
                yield Finding(layer.kind, record, "geometry", value=seen[record, key], geometry=layer.lonlat[row])


def parts_overlap(data: Data) -> Iterator[Finding]:
    """GC-15: parts of one record cover the same ground; invalid polygons are repaired part by part first."""
    limit = data.limit("part_overlap_percent")
    for layer in data.each():
        several = np.flatnonzero(layer.is_area & (shapely.get_num_geometries(layer.raw) > 1) & ~layer.valid)
        for row in several:
            if layer.flat[row] is None:
                continue
            parts = geom.repair(shapely.get_parts(layer.flat[row]))
            union = shapely.area(shapely.union_all(parts))
            percent = (shapely.area(parts).sum() - union) / union * 100 if union > 0 else 0.0
            if percent > limit:
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "geometry",
                    {"percent": f"{percent:.1f}"},
                    value=round(float(percent), 3),
                    limit=limit,
                    geometry=layer.lonlat[row],
                )
        yield from _rows_of_one_record(layer, data, limit)


def _rows_of_one_record(layer: Layer, data: Data, limit: float) -> Iterator[Finding]:
    if len(np.unique(layer.ids.astype(str))) == len(layer):
        return
    pairs = data.overlaps(layer.kind)
    for k in np.flatnonzero(layer.ids[pairs.a] == layer.ids[pairs.b]):
        percent = float(pairs.area[k] / (layer.area[pairs.a[k]] + layer.area[pairs.b[k]] - pairs.area[k]) * 100)
        if percent > limit:
            yield Finding(
                layer.kind,
                layer.ids[pairs.a[k]],
                "geometry",
                {"percent": f"{percent:.1f}"},
                value=round(percent, 3),
                limit=limit,
                geometry=data.place(pairs.shape[k]),
            )


def holes_and_parts(data: Data) -> Iterator[Finding]:
    """TP-05: holes outside their area or around it, one part inside another, holes drawn the same way as their shell."""
    for layer in data.each():
        several = layer.is_area & (
            (shapely.get_num_geometries(layer.raw) > 1) | (shapely.get_num_coordinates(layer.raw) > 8)
        )
        for row in np.flatnonzero(several & ~layer.valid):
            reason, _where = geom.why_invalid(layer.raw[row])
            if "hole" in reason or "part" in reason or _nested(layer.raw[row]):
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "geometry",
                    {"reason": reason},
                    value=reason,
                    geometry=layer.lonlat[row],
                )
        yield from _hole_direction(layer)


def _nested(shape: shapely.Geometry) -> bool:
    """Whether a part lies in another, or a hole is not in its shell."""
    parts = [shapely.Polygon(p.exterior) for p in getattr(shape, "geoms", [shape])]
    if not all(p.is_valid for p in parts):
        return False
    if len(parts) > 1:
        a, b = shapely.STRtree(parts).query(parts, predicate="within")
        if (a != b).any():
            return True
    holes = [
        (shapely.Polygon(h), s)
        for s, p in zip(parts, getattr(shape, "geoms", [shape]), strict=True)
        for h in p.interiors
    ]
    return any(not shell.covers(hole) for hole, shell in holes if hole.is_valid)


def _hole_direction(layer: Layer) -> Iterator[Finding]:
    rings = layer.rings
    if not rings.hole.any():
        return
    x, y = rings.xy[:, 0], rings.xy[:, 1]
    # relative to the first vertex of the ring: keeps the digits that matter
    x0, y0 = x[rings.start[rings.ring]], y[rings.start[rings.ring]]
    cross = (x - x0) * (y[rings.following] - y0) - (x[rings.following] - x0) * (y - y0)
    signed = np.bincount(rings.ring, weights=cross, minlength=len(rings.row))
    shell = np.maximum.accumulate(np.where(rings.hole, 0, np.arange(len(rings.hole))))
    same = rings.hole & (np.sign(signed) == np.sign(signed[shell])) & (signed != 0)
    for row in np.unique(rings.row[same]):
        yield Finding(
            layer.kind, layer.ids[row], "geometry", variant="order", severity="warning", geometry=layer.lonlat[row]
        )


def no_geometry(data: Data) -> Iterator[Finding]:
    """TP-19. Marks given by bearing and distance have their place from there."""
    for layer in data.each(*PLACED):
        nothing = shapely.is_missing(layer.raw) | shapely.is_empty(layer.raw)
        measured = np.array([b is not None for b in layer.text("bearing")], dtype=bool)
        for row in np.flatnonzero(nothing & ~measured):
            yield Finding(layer.kind, layer.ids[row], "geometry", severity="info" if layer.kind == "places" else "")


def wrong_type(data: Data) -> Iterator[Finding]:
    """TP-20: a point where a polygon belongs, and so on."""
    for layer in data.each(*GEOMETRIC):
        if layer.schema is None or not layer.schema.geometry:
            continue
        there = ~(shapely.is_missing(layer.raw) | shapely.is_empty(layer.raw))
        for row in np.flatnonzero(there):
            found = layer.raw[row].geom_type
            if not layer.schema.accepts(found):
                allowed = " / ".join(layer.schema.geometry)
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "geometry",
                    {"found": found, "allowed": allowed},
                    value=found,
                    limit=allowed,
                    geometry=layer.lonlat[row],
                )


RULES = (
    Check("GC-01", invalid_polygon, AREAS, "error", source=f"{GEOCHECK} invalid_polys"),
    Check(
        "GC-02", few_vertices_or_points, (*AREAS, "marks"), "error", ("vertex_repeat_deg",), f"{GEOCHECK} few_vertices"
    ),
    Check("GC-03", identical_parts, AREAS, "error", source=f"{GEOCHECK} duplicate_polygons"),
    Check("GC-15", parts_overlap, AREAS, "warning", ("part_overlap_percent",), f"{GEOCHECK} adv_overlapping"),
    Check("TP-05", holes_and_parts, AREAS, "error"),
    Check("TP-19", no_geometry, PLACED, "warning"),
    Check("TP-20", wrong_type, GEOMETRIC, "error"),
)
