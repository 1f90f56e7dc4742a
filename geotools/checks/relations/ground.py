"""Links that must hold on the ground: TP-02, 08, 09, 10, 16 and RP-02. Not for links as text (see `workflow`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from geotools.checks import overlay
from geotools.checks.layers import POLYGONAL, Data, Layer
from geotools.checks.rule import Check, Finding, listed, m2, metres, spot
from geotools.model import methods
from geotools.model.vocab import fold

ELSEWHERE_M = 100_000.0  # farther than this the coordinates themselves are wrong (CR-04)
CIRCLE_95 = 2.4477  # radius of the 95 % circle of a two-dimensional normal error, in sigmas


def ids_of(text: str | None) -> list[str]:
    """The ids in a link field: one, or several separated by commas or semicolons."""
    return [part.strip() for part in (text or "").replace(";", ",").split(",") if part.strip()]


def linked_hazards(data: Data, layer: Layer) -> list[list[int]]:
    """Per row: the hazards it is linked to, directly or through its activity, as rows of the hazard layer."""
    if layer.kind not in data.links:
        data.links[layer.kind] = _linked(data, layer)
    return data.links[layer.kind]


def _linked(data: Data, layer: Layer) -> list[list[int]]:
    hazards, activities = data.layer("hazards"), data.layer("activities")
    through = activities.text("hazard_id")
    out: list[list[int]] = []
    for own, activity in zip(layer.text("hazard_id"), layer.text("activity_id"), strict=True):
        names = ids_of(own)
        if not names:
            names = [h for a in ids_of(activity) if a in activities.index for h in ids_of(through[activities.index[a]])]
        out.append([hazards.index[name] for name in names if name in hazards.index])
    return out


def processed_only(data: Data, releases: Layer) -> np.ndarray:
    """Rows worked by a machine, or in no known way, without a search that followed: processed ground, which is not released."""
    return methods.processed_rows(releases.frame, data.programme.words.get("method"))


def _union(layer: Layer, rows: list[int]) -> Any:
    shapes = layer.plane[rows]
    shapes = shapes[np.isin(shapely.get_type_id(shapes), POLYGONAL)]
    if not len(shapes):
        return None
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def _has_area(layer: Layer) -> np.ndarray:
    return np.isin(shapely.get_type_id(layer.plane), POLYGONAL) & ~shapely.is_empty(layer.plane)


def linked_ground(data: Data, layer: Layer) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """Rows with a polygon and a linked hazard polygon, and the joined ground of those hazards."""
    hazards = data.layer("hazards")
    links = linked_hazards(data, layer)
    rows, shapes = [], []
    for row in np.flatnonzero(_has_area(layer)):
        ground = _union(hazards, links[row]) if links[row] else None
        if ground is not None and not ground.is_empty:
            rows.append(row)
            shapes.append(ground)
    return np.array(rows, dtype=int), np.array([*shapes, None], dtype=object)[:-1], links


def outside_hazard(data: Data) -> Iterator[Finding]:
    """TP-02 (identity A5): part of a release lies outside the hazard it is linked to."""
    limit = data.limit("overlap_m2")
    for layer in data.each("releases"):
        rows, grounds, links = linked_ground(data, layer)
        touching = shapely.intersects(layer.plane[rows], grounds)
        rows, grounds = rows[touching], grounds[touching]
        # area first: the outline of the rest is drawn only where there is enough of it
        outside = layer.area[rows] - shapely.area(overlay.intersection(layer.plane[rows], grounds))
        for k in np.flatnonzero(outside > limit):
            row = int(rows[k])
            rest = data.place(overlay.difference(layer.plane[row], grounds[k]))
            names = listed(data.layer("hazards").ids[links[row]])
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {"other": names, "area": m2(outside[k], "up"), "share": f"{100 * outside[k] / layer.area[row]:.1f}"},
                value=round(float(outside[k]), 3),
                limit=limit,
                geometry=rest,
            )


def untouched_hazard(data: Data) -> Iterator[Finding]:
    """TP-16: a release linked to a hazard that it does not touch, with the hazard it does lie in."""
    hazards = data.layer("hazards")
    for layer in data.each("releases"):
        rows, grounds, links = linked_ground(data, layer)
        if not len(rows):
            continue
        apart = shapely.distance(layer.plane[rows], grounds)
        reach = np.fmax(np.nan_to_num(layer.accuracy[rows]), 0.0)
        for k in np.flatnonzero(apart > np.maximum(reach, 0.01)):
            row = int(rows[k])
            inside = hazards.tree.query(layer.plane[row], predicate="intersects")
            real = [hazards.ids[i] for i in sorted(inside) if hazards.area[i] > 0]
            yield Finding(
                layer.kind,
                layer.ids[row],
                "hazard_id",
                {"other": listed(hazards.ids[links[row]]), "distance": metres(float(apart[k])), "real": listed(real)},
                variant="elsewhere" if real else "",
                value=round(float(apart[k]), 2),
                geometry=layer.lonlat[row],
            )


def finds_outside(data: Data) -> Iterator[Finding]:
    """TP-09: a find outside every polygon it is linked to, farther than its accuracy explains (95 % circle)."""
    hazards, activities, releases = data.layer("hazards"), data.layer("activities"), data.layer("releases")
    by_activity: dict[str, list[Any]] = {}
    for layer, column in ((activities, "id"), (releases, "activity_id")):
        names = layer.ids if column == "id" else layer.text(column)
        for row in np.flatnonzero(_has_area(layer)):
            by_activity.setdefault(str(names[row]), []).append(layer.plane[row])
    for layer in data.each("finds"):
        links = linked_hazards(data, layer)
        named = layer.text("activity_id")
        there = ~(shapely.is_missing(layer.plane) | shapely.is_empty(layer.plane))
        for row in np.flatnonzero(there):
            shapes = [hazards.plane[i] for i in links[row] if hazards.area[i] > 0] + by_activity.get(
                str(named[row]), []
            )
            if not shapes:
                continue
            apart = float(shapely.distance(layer.plane[row], np.array(shapes, dtype=object)).min())
            sigma = layer.accuracy[row] if np.isfinite(layer.accuracy[row]) else data.limit("h_acc_default_m")
            if CIRCLE_95 * sigma < apart < ELSEWHERE_M:
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    "geometry",
                    {"distance": metres(apart), "limit": metres(CIRCLE_95 * sigma)},
                    value=round(apart, 2),
                    limit=round(CIRCLE_95 * sigma, 2),
                    geometry=layer.lonlat[row],
                )


def found_after_release(data: Data) -> Iterator[Finding]:
    """TP-10: ordnance or an accident in land released before that day. The release stands; the hazard reopens."""
    releases = data.layer("releases")
    days = releases.days("date")
    processed = processed_only(data, releases)
    for layer in data.each("finds", "accidents"):
        when = layer.days("date")
        there = np.flatnonzero(~(shapely.is_missing(layer.plane) | shapely.is_empty(layer.plane)) & ~np.isnat(when))
        if not len(there) or not len(releases):
            continue
        point, area = releases.tree.query(layer.plane[there], predicate="intersects")
        rows = there[point]
        later = (when[rows] > days[area]) & ~processed[area]
        for row in np.unique(rows[later]):
            hits = sorted(int(i) for i in area[later][rows[later] == row])
            last = max(hits, key=lambda i: (days[i], releases.ids[i]))
            hazard = listed(ids_of(releases.text("hazard_id")[last])) or "?"
            words = {
                "date": str(when[row]),
                "release": releases.ids[last],
                "released": str(days[last]),
                "hazard": hazard,
            }
            yield Finding(
                layer.kind,
                layer.ids[row],
                "date",
                words,
                value=str(when[row]),
                limit=str(days[last]),
                geometry=layer.lonlat[row],
            )


SAFE_MARKS = ("landmark", "reference", "benchmark")


def marks_in_hazard(data: Data) -> Iterator[Finding]:
    """TP-08: a mark that people walk to, or the line between two of them, lies in an open hazard."""
    hazards, marks = data.layer("hazards"), data.layer("marks")
    if not len(hazards) or not len(marks):
        return
    sort = marks.text("point_type")
    there = ~(shapely.is_missing(marks.plane) | shapely.is_empty(marks.plane))
    live = data.is_open(hazards) & _has_area(hazards)
    rows = np.flatnonzero(np.isin(sort.astype(str), SAFE_MARKS) & there)
    point, area = hazards.tree.query(marks.plane[rows], predicate="intersects")
    for k in np.lexsort((area, point)):
        row, hazard = int(rows[point[k]]), int(area[k])
        if live[hazard] and hazards.plane[hazard].contains(marks.plane[row]):
            yield Finding(
                "marks",
                marks.ids[row],
                "geometry",
                {"type": sort[row], "hazard": hazards.ids[hazard]},
                value=hazards.ids[hazard],
                geometry=marks.lonlat[row],
            )
    yield from _approaches(data, hazards, marks, live)


def _approaches(data: Data, hazards: Layer, marks: Layer, live: np.ndarray) -> Iterator[Finding]:
    """Walks landmark → benchmark → start of every feature."""
    feature, sort = marks.text("feature_id"), marks.text("point_type")
    there = ~(shapely.is_missing(marks.plane) | shapely.is_empty(marks.plane))
    by_feature: dict[str, dict[str, list[int]]] = {}
    for row in np.flatnonzero(there):
        if feature[row] and sort[row]:
            name = "landmark" if sort[row] == "reference" else str(sort[row])
            by_feature.setdefault(str(feature[row]), {}).setdefault(name, []).append(int(row))
    for name, points in sorted(by_feature.items()):
        stations = [points[key][0] for key in ("landmark", "benchmark", "start") if key in points]
        for first, second in itertools.pairwise(stations):
            walk = shapely.LineString(shapely.get_coordinates(marks.plane[[first, second]]))
            for hazard in sorted(hazards.tree.query(walk, predicate="intersects")):
                crossed = overlay.intersection(walk, hazards.plane[hazard])
                if live[hazard] and shapely.length(crossed) > 1.0:
                    words = {
                        "feature": name,
                        "second": marks.ids[second],
                        "hazard": hazards.ids[hazard],
                        "length": metres(float(shapely.length(crossed))),
                    }
                    yield Finding(
                        "marks",
                        marks.ids[first],
                        "geometry",
                        words,
                        variant="approach",
                        value=round(float(shapely.length(crossed)), 2),
                        limit=1.0,
                        geometry=data.place(crossed),
                    )


def admin_contradiction(data: Data) -> Iterator[Finding]:
    """RP-02: the named district or place is not where the record lies."""
    places = data.layer("places")
    if not len(places):
        return
    district = places.text("admin1")
    outlines = np.flatnonzero(_has_area(places) & np.array([bool(d) for d in district], dtype=bool))
    names = {fold(n): row for row, n in enumerate(places.text("name")) if n and places.plane[row] is not None}
    for layer in data.each("hazards", "releases", "finds", "accidents", "activities"):
        centres = shapely.point_on_surface(layer.plane)
        there = np.flatnonzero(~(shapely.is_missing(centres) | shapely.is_empty(centres)))
        said = layer.text("admin1")
        if len(outlines):
            tree = shapely.STRtree(places.plane[outlines])
            point, area = tree.query(centres[there], predicate="intersects")
            found: dict[int, set[str]] = {}
            for row, k in zip(there[point], outlines[area], strict=True):
                found.setdefault(int(row), set()).add(str(district[k]))
            for row, real in sorted(found.items()):
                if said[row] and fold(said[row]) not in {fold(r) for r in real}:
                    words = {"said": said[row], "real": listed(sorted(real)), "place": spot(layer.lonlat[row])}
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        "admin1",
                        words,
                        value=said[row],
                        limit=listed(sorted(real)),
                        geometry=layer.lonlat[row],
                    )
        yield from _far_place(data, layer, places, names, there)


def _far_place(data: Data, layer: Layer, places: Layer, names: dict[str, int], there: np.ndarray) -> Iterator[Finding]:
    limit = data.limit("place_distance_m")
    said = layer.text("place")
    for row in there:
        known = names.get(fold(said[row])) if said[row] else None
        if known is None:
            continue
        apart = float(shapely.distance(layer.plane[row], places.plane[known]))
        if apart > limit:
            words = {"said": said[row], "distance": metres(apart)}
            yield Finding(
                layer.kind,
                layer.ids[row],
                "place",
                words,
                variant="far",
                value=round(apart),
                limit=limit,
                geometry=layer.lonlat[row],
            )


RULES = (
    Check("TP-02", outside_hazard, ("releases", "hazards"), "warning", ("overlap_m2",)),
    Check("TP-08", marks_in_hazard, ("marks", "hazards"), "error"),
    Check("TP-09", finds_outside, ("finds", "hazards", "activities", "releases"), "warning", ("h_acc_default_m",)),
    Check("TP-10", found_after_release, ("finds", "accidents", "releases"), "error"),
    Check("TP-16", untouched_hazard, ("releases", "hazards"), "error"),
    Check(
        "RP-02",
        admin_contradiction,
        ("places", "hazards", "releases", "finds", "accidents", "activities"),
        "warning",
        ("place_distance_m",),
    ),
)
