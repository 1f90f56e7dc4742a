"""Vertices, edges and size of polygons: GC-06, 14, 16, TP-06, 07, 11, 12, 17. All on flat arrays, n·log n."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from geotools.checks.geometry.validity import WORKED
from geotools.checks.layers import Data, Layer
from geotools.checks.marks import points
from geotools.checks.rule import GEOCHECK, Check, Finding, m2, metres, spot
from geotools.checks.vertices import Rings


def _per_row(layer: Layer, vertices: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """(row, its vertices among these), one per row, in order."""
    if not len(vertices):
        return
    rows = layer.rings.vertex_row[vertices]
    order = np.lexsort((vertices, rows))
    cuts = np.flatnonzero(np.diff(rows[order])) + 1
    for group in np.split(order, cuts):
        yield int(rows[group[0]]), vertices[group]


def _split_repeats(rings: Rings, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(consecutive repeats as the later vertex, other repeats as pairs a, b)."""
    a, b = rings.repeats(tolerance)
    after = rings.following[a] == b
    around = rings.following[b] == a
    return np.where(after, b, a)[after | around], a[~(after | around)], b[~(after | around)]


def repeated_points(data: Data) -> Iterator[Finding]:
    """GC-06: a polygon comes back to the same place, not at once."""
    tolerance = data.limit("vertex_repeat_deg")
    for layer in data.each(*WORKED):
        _, a, b = _split_repeats(layer.rings, tolerance)
        for row, vertices in _per_row(layer, b):
            first = vertices[0]
            other = a[np.flatnonzero(b == first)[0]]
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {
                    "first": int(layer.rings.number[other]),
                    "second": int(layer.rings.number[first]),
                    "place": spot(layer.rings.point(first)),
                },
                value=len(vertices),
                limit=tolerance,
                geometry=layer.rings.point(first),
            )
    yield from points.repeated_perimeter_points(data)


def closing_repeats(data: Data) -> Iterator[Finding]:
    """GC-16: points repeated one after the other, at the end of the ring too, and rings that run on past their start."""
    tolerance = data.limit("vertex_repeat_deg")
    for layer in data.each(*WORKED):
        rings = layer.rings
        again, a, b = _split_repeats(rings, tolerance)
        for row, vertices in _per_row(layer, again):
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {"count": len(vertices), "place": spot(rings.point(vertices[0]))},
                value=len(vertices),
                limit=tolerance,
                geometry=rings.point(vertices[0]),
            )
        starts = rings.number[a] == 1
        ends = rings.number[b] == rings.count[rings.ring[b]] - 1
        second = set(zip(a[~starts].tolist(), b[~starts].tolist(), strict=True))
        for first, near_end in zip(a[starts & ends], b[starts & ends], strict=True):
            if (first + 1, near_end + 1) in second:
                yield Finding(
                    layer.kind,
                    layer.ids[rings.vertex_row[first]],
                    "geometry",
                    variant="overrun",
                    value=2,
                    geometry=rings.point(first),
                )


def long_edges(data: Data) -> Iterator[Finding]:
    """GC-14: neighbouring points too far apart."""
    limit = data.limit("edge_max_m")
    for layer in data.each(*WORKED):
        rings = layer.rings
        open_edge = rings.following > np.arange(len(rings.ring))
        for row, vertices in _per_row(layer, np.flatnonzero((rings.edge > limit) & open_edge)):
            yield _edge(layer, row, vertices, limit)


def closing_edge(data: Data) -> Iterator[Finding]:
    """TP-06: the edge that closes the ring is too long, or crosses the others."""
    limit = data.limit("edge_max_m")
    for layer in data.each(*WORKED):
        rings = layer.rings
        closing = rings.following <= np.arange(len(rings.ring))
        for row, vertices in _per_row(layer, np.flatnonzero((rings.edge > limit) & closing)):
            yield _edge(layer, row, vertices, limit)
        bad = np.isin(rings.row, np.flatnonzero(~layer.valid)) & (rings.count > 3)
        for ring in np.flatnonzero(bad):
            points = rings.xy[rings.start[ring] : rings.start[ring] + rings.count[ring]]
            path = shapely.LineString(points)
            last = shapely.LineString([points[-1], points[0]])
            if path.is_simple and last.length > 0 and path.crosses(last):
                row = int(rings.row[ring])
                crossing = data.place(path.intersection(last).representative_point())
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "geometry",
                    {"place": spot(crossing)},
                    variant="crosses",
                    geometry=crossing,
                )


def _edge(layer: Layer, row: int, vertices: np.ndarray, limit: float) -> Finding:
    rings = layer.rings
    longest = vertices[np.argmax(rings.edge[vertices])]
    line = shapely.LineString(rings.lonlat[[longest, rings.following[longest]]])
    words = {
        "first": int(rings.number[longest]),
        "second": int(rings.number[rings.following[longest]]),
        "length": metres(float(rings.edge[longest])),
        "limit": metres(limit),
    }
    return Finding(
        layer.kind,
        layer.ids[row],
        "geometry",
        words,
        value=round(float(rings.edge[longest]), 1),
        limit=limit,
        geometry=line,
    )


def implausible_area(data: Data) -> Iterator[Finding]:
    """TP-07."""
    low, high = data.limit("area_min_m2"), data.limit("area_max_m2")
    for layer in data.each(*WORKED):
        areas = np.where(layer.is_area & ~shapely.is_empty(layer.raw), layer.area, np.nan)
        with np.errstate(invalid="ignore"):
            small, large = areas < low, areas > high
        if layer.kind in ("samples", "activities"):
            small[:] = False
        for row in np.flatnonzero(small | large):
            limit = low if small[row] else high
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {"area": m2(areas[row]), "limit": m2(limit)},
                variant="small" if small[row] else "large",
                value=round(float(areas[row]), 3),
                limit=limit,
                geometry=layer.lonlat[row],
            )


def spikes(data: Data) -> Iterator[Finding]:
    """TP-11: the boundary runs out and comes back on itself (angle below the limit, both sides longer than 1 m)."""
    limit = data.limit("spike_angle_deg")
    for layer in data.each(*WORKED):
        rings = layer.rings
        if not len(rings.ring):
            continue
        back, ahead = rings.xy[rings.before] - rings.xy, rings.xy[rings.following] - rings.xy
        left, right = rings.edge[rings.before], rings.edge
        with np.errstate(invalid="ignore", divide="ignore"):
            cosine = (back * ahead).sum(axis=1) / (left * right)
        sharp = (cosine > np.cos(np.radians(limit))) & (np.minimum(left, right) > 1.0)
        for row, vertices in _per_row(layer, np.flatnonzero(sharp)):
            tip = vertices[0]
            angle = float(np.degrees(np.arccos(np.clip(cosine[tip], -1, 1))))
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {
                    "number": int(rings.number[tip]),
                    "length": metres(float(min(left[tip], right[tip]))),
                    "place": spot(rings.point(tip)),
                },
                value=round(angle, 3),
                limit=limit,
                geometry=rings.point(tip),
            )


def near_points(data: Data) -> Iterator[Finding]:
    """TP-12: neighbouring points closer than anyone can measure, yet not the same."""
    limit, same = data.limit("vertex_near_m"), data.limit("vertex_repeat_deg")
    for layer in data.each(*WORKED):
        rings = layer.rings
        step = np.abs(rings.lonlat[rings.following] - rings.lonlat) if len(rings.ring) else rings.lonlat
        near = (rings.edge < limit) & (step > same).any(axis=1)
        for row, vertices in _per_row(layer, np.flatnonzero(near)):
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {
                    "first": int(rings.number[vertices[0]]),
                    "second": int(rings.number[rings.following[vertices[0]]]),
                    "length": metres(float(rings.edge[vertices[0]])),
                    "count": len(vertices),
                },
                value=round(float(rings.edge[vertices].min()), 3),
                limit=limit,
                geometry=rings.point(vertices[0]),
            )


def thin_polygon(data: Data) -> Iterator[Finding]:
    """TP-17: a polygon narrower on average than positions are known (2·area / perimeter)."""
    limit = data.limit("sliver_width_m")
    for layer in data.each("hazards", "releases"):
        with np.errstate(invalid="ignore", divide="ignore"):
            width = 2 * layer.area / shapely.length(layer.plane)
            thin = layer.is_area & (width < limit) & (layer.area >= data.limit("area_min_m2"))
        for row in np.flatnonzero(thin):
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {"width": metres(float(width[row])), "limit": metres(limit), "area": m2(layer.area[row])},
                value=round(float(width[row]), 3),
                limit=limit,
                geometry=layer.lonlat[row],
            )


RULES = (
    Check(
        "GC-06",
        repeated_points,
        (*WORKED, "marks"),
        "error",
        ("vertex_repeat_deg",),
        f"{GEOCHECK} duplicate_polygon_points",
    ),
    Check("GC-14", long_edges, WORKED, "warning", ("edge_max_m",), f"{GEOCHECK} adv_distance"),
    Check("GC-16", closing_repeats, WORKED, "info", ("vertex_repeat_deg",), f"{GEOCHECK} ToolBox"),
    Check("TP-06", closing_edge, WORKED, "warning", ("edge_max_m",)),
    Check("TP-07", implausible_area, WORKED, "warning", ("area_min_m2", "area_max_m2")),
    Check("TP-11", spikes, WORKED, "warning", ("spike_angle_deg",)),
    Check("TP-12", near_points, WORKED, "info", ("vertex_near_m", "vertex_repeat_deg")),
    Check("TP-17", thin_polygon, ("hazards", "releases"), "warning", ("sliver_width_m", "area_min_m2")),
)
