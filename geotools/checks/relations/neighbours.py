"""Polygons beside polygons of the same layer: TP-01, 03, 04, 14, 15. Found by spatial index, any organisation.

Not for links between layers (see `ground`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geotools.checks import overlay
from geotools.checks.layers import POLYGONAL, Data, Layer, Overlaps
from geotools.checks.relations.ground import processed_only
from geotools.checks.rule import Check, Finding, m2, metres, spot
from geotools.space import geom

NOISE_M2 = 0.01  # shared edges of neighbours differ by rounding


def _tolerance(data: Data, layer: Layer, pairs: Overlaps) -> np.ndarray:
    """The smaller of 1 m² and 0.1 % of the smaller polygon (identity A3), never below rounding."""
    smaller = np.minimum(layer.area[pairs.a], layer.area[pairs.b])
    return np.maximum(NOISE_M2, np.minimum(data.limit("overlap_m2"), data.limit("overlap_share") * smaller))


def _related(layer: Layer) -> set[tuple[str, str]]:
    """Pairs of ids that are meant to lie on the same ground: parent and child, old and new."""
    related: set[tuple[str, str]] = set()
    for column in ("parent_id", "supersedes_id"):
        for own, other in zip(layer.ids, layer.text(column), strict=True):
            if other:
                related |= {(own, other), (other, own)}
    return related


def _width(shape: Any) -> float:
    length = shapely.length(shape)
    return float(2 * shapely.area(shape) / length) if length > 0 else 0.0


def _sort_of(data: Data, layer: Layer, pairs: Overlaps) -> np.ndarray:
    """Per pair: same, inside, sliver, overlap, or nothing."""
    sort = np.full(len(pairs), "overlap", dtype=object)
    widths = np.array([_width(s) for s in pairs.shape]) if len(pairs) else np.empty(0)
    sort[widths < data.limit("sliver_width_m")] = "sliver"
    sort[pairs.smaller_share >= data.limit("contained_share")] = "inside"
    sort[pairs.union_share >= data.limit("duplicate_share")] = "same"
    sort[pairs.area <= _tolerance(data, layer, pairs)] = ""
    related = _related(layer)
    if related:
        for k in range(len(pairs)):
            if (layer.ids[pairs.a[k]], layer.ids[pairs.b[k]]) in related:
                sort[k] = ""
    one_record = layer.ids[pairs.a] == layer.ids[pairs.b]
    sort[one_record & (sort != "same")] = ""
    return sort


def _pair(data: Data, layer: Layer, pairs: Overlaps, k: Any, **more: Any) -> Finding:
    a, b = int(pairs.a[k]), int(pairs.b[k])
    ground = data.place(pairs.shape[k])
    organisations = layer.text("organisation")
    words = {
        "other": layer.ids[b],
        "area": m2(pairs.area[k]),
        "share": f"{100 * pairs.smaller_share[k]:.1f}",
        "organisations": f" ({organisations[a] or '?'} / {organisations[b] or '?'})"
        if organisations[a] != organisations[b]
        else "",
        "place": spot(ground),
    }
    return Finding(
        layer.kind, layer.ids[a], "geometry", words, value=round(float(pairs.area[k]), 3), geometry=ground, **more
    )


def _both_open(data: Data, layer: Layer, pairs: Overlaps) -> np.ndarray:
    live = data.is_open(layer)
    return np.asarray(live[pairs.a] & live[pairs.b])


def hazards_overlap(data: Data) -> Iterator[Finding]:
    """TP-01."""
    for layer in data.each("hazards"):
        pairs = data.overlaps("hazards")
        for k in np.flatnonzero((_sort_of(data, layer, pairs) == "overlap") & _both_open(data, layer, pairs)):
            yield _pair(data, layer, pairs, k, limit=data.limit("overlap_m2"))


def releases_overlap(data: Data) -> Iterator[Finding]:
    """TP-03: the same ground released twice, whoever released it. Processed and searched ground may coincide."""
    for layer in data.each("releases"):
        pairs = data.overlaps("releases")
        processed = processed_only(data, layer)
        twice = (pairs.area > _tolerance(data, layer, pairs)) & ~(processed[pairs.a] ^ processed[pairs.b])
        for k in np.flatnonzero(twice & (layer.ids[pairs.a] != layer.ids[pairs.b])):
            yield _pair(data, layer, pairs, k, limit=data.limit("overlap_m2"))


def duplicates(data: Data) -> Iterator[Finding]:
    """TP-14: two records with the same or nearly the same polygon."""
    for kind in ("hazards", "releases", "landuse", "activities"):
        for layer in data.each(kind):
            pairs = data.overlaps(kind)
            same = pairs.union_share >= data.limit("duplicate_share")
            if kind in ("activities", "releases"):
                same &= _alike(layer, pairs)
            related = _related(layer)
            for k in np.flatnonzero(same & (layer.ids[pairs.a] != layer.ids[pairs.b])):
                if (layer.ids[pairs.a[k]], layer.ids[pairs.b[k]]) not in related:
                    variant = "exact" if pairs.union_share[k] > 1 - 1e-9 else ""
                    yield _pair(data, layer, pairs, k, limit=data.limit("duplicate_share"), variant=variant)


def _alike(layer: Layer, pairs: Overlaps) -> np.ndarray:
    """Pairs of the same sort of work: survey and clearance of one area are two records, not one twice."""
    sorts = ("type", "start") if layer.kind == "activities" else ("method",)
    alike = np.ones(len(pairs), dtype=bool)
    for column in sorts:
        values = layer.text(column).astype(str)
        alike &= values[pairs.a] == values[pairs.b]
    return alike


def contained(data: Data) -> Iterator[Finding]:
    """TP-15: one open hazard inside another without being linked to it as parent or successor."""
    for layer in data.each("hazards"):
        pairs = data.overlaps("hazards")
        for k in np.flatnonzero((_sort_of(data, layer, pairs) == "inside") & _both_open(data, layer, pairs)):
            inner_first = layer.area[pairs.a[k]] <= layer.area[pairs.b[k]]
            found = _pair(data, layer, pairs, k, limit=data.limit("contained_share"))
            if inner_first:
                yield found
            else:
                words = {**found.words, "other": layer.ids[pairs.a[k]]}
                yield Finding(
                    found.kind,
                    layer.ids[pairs.b[k]],
                    found.column,
                    words,
                    value=found.value,
                    limit=found.limit,
                    geometry=found.geometry,
                )


def slivers_and_gaps(data: Data) -> Iterator[Finding]:
    """TP-04: neighbours that overlap, or stand apart, by less than positions are known."""
    for kind in ("hazards", "releases"):
        for layer in data.each(kind):
            pairs = data.overlaps(kind)
            if kind == "hazards":
                for k in np.flatnonzero((_sort_of(data, layer, pairs) == "sliver") & _both_open(data, layer, pairs)):
                    width = _width(pairs.shape[k])
                    found = _pair(data, layer, pairs, k, limit=data.limit("sliver_width_m"), variant="overlap")
                    yield Finding(
                        **{**vars(found), "words": {**found.words, "width": metres(width)}, "value": round(width, 3)}
                    )
            yield from _gaps(data, layer)


def _gaps(data: Data, layer: Layer) -> Iterator[Finding]:
    """Strips of open ground between two neighbours, narrower than the limit (or than both positions are known)."""
    rows = np.flatnonzero(np.isin(shapely.get_type_id(layer.plane), POLYGONAL) & ~shapely.is_empty(layer.plane))
    if kind_is_closed := layer.kind == "hazards":
        rows = rows[data.is_open(layer)[rows]]
    if len(rows) < 2:
        return
    base = data.limit("sliver_width_m")
    reach = np.fmax(base, np.minimum(np.nan_to_num(layer.accuracy), data.limit("h_acc_max_m")))
    shapes = layer.plane[rows]
    tree = shapely.STRtree(shapes) if kind_is_closed else layer.tree
    a, b = tree.query(shapes, predicate="dwithin", distance=reach[rows])
    a, b = rows[a], rows[b] if kind_is_closed else b
    low, high = np.minimum(a, b), np.maximum(a, b)
    keep = (low < high) & np.isin(shapely.get_type_id(layer.plane[high]), POLYGONAL)
    pairs = np.unique(np.column_stack([low[keep], high[keep]]), axis=0)
    overlapping = _plainly_overlapping(data, layer)
    pairs = np.array([p for p in pairs if (int(p[0]), int(p[1])) not in overlapping], dtype=int).reshape(-1, 2)
    apart = shapely.distance(layer.plane[pairs[:, 0]], layer.plane[pairs[:, 1]]) if len(pairs) else np.empty(0)
    for (first, second), distance in zip(pairs, apart, strict=True):
        limit = float(max(reach[first], reach[second]))
        gap = _gap(layer.plane[first], layer.plane[second], limit, touching=bool(distance < 1e-6))
        if gap is None:
            continue
        width = _width(gap)
        place = data.place(gap)
        yield Finding(
            layer.kind,
            layer.ids[first],
            "geometry",
            {
                "other": layer.ids[second],
                "width": metres(width),
                "limit": metres(limit),
                "area": m2(gap.area, "up"),
                "place": spot(place),
            },
            variant="gap",
            value=round(width, 3),
            limit=limit,
            geometry=place,
        )


def _plainly_overlapping(data: Data, layer: Layer) -> set[tuple[int, int]]:
    """Pairs whose common ground is another rule's matter."""
    pairs = data.overlaps(layer.kind)
    plain = pairs.area > _tolerance(data, layer, pairs)
    return set(zip(pairs.a[plain].tolist(), pairs.b[plain].tolist(), strict=True))


def _gap(first: Any, second: Any, limit: float, *, touching: bool) -> Any:
    """The open strip between two polygons where they are less than `limit` apart over at least four times that length."""
    near = shapely.box(*_meeting(first, second, 2 * limit))
    a, b = (geom.polygonal([overlay.intersection(shape, near)])[0] for shape in (first, second))
    if touching and shapely.area(a) == 0:
        return None
    both = overlay.union(a, b)
    closed = shapely.buffer(shapely.buffer(both, limit / 2, join_style="mitre"), -limit / 2, join_style="mitre")
    between = overlay.difference(closed, both)
    pieces = [
        p
        for p in shapely.get_parts(between)
        if p.geom_type == "Polygon"
        and p.area > max(NOISE_M2, limit * limit)
        and p.length / 2 >= 4 * limit
        and _width(p) <= limit
        and _shared(p, a) > limit
        and _shared(p, b) > limit
    ]
    return max(pieces, key=lambda p: (p.area, p.centroid.x, p.centroid.y)) if pieces else None


def _shared(strip: Any, side: Any) -> float:
    """How much of the outline of the strip runs along that side."""
    return float(shapely.length(overlay.intersection(shapely.boundary(strip), shapely.buffer(side, 0.02))))


def _meeting(first: Any, second: Any, margin: float) -> tuple[float, float, float, float]:
    a, b = shapely.bounds(first), shapely.bounds(second)
    low, high = np.maximum(a[:2], b[:2]) - margin, np.minimum(a[2:], b[2:]) + margin
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


PAIR = ("overlap_m2", "overlap_share")
RULES = (
    Check("TP-01", hazards_overlap, ("hazards",), "warning", PAIR),
    Check("TP-03", releases_overlap, ("releases",), "error", PAIR),
    Check("TP-04", slivers_and_gaps, ("hazards", "releases"), "warning", ("sliver_width_m", "h_acc_max_m")),
    Check("TP-14", duplicates, ("hazards", "releases", "activities", "landuse"), "error", ("duplicate_share",)),
    Check("TP-15", contained, ("hazards",), "warning", ("contained_share",)),
)
