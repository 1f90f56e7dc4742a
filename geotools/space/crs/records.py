"""`unshifted_records`: single records of a layer whose datum shift was forgotten, seen against the area they belong to.

For polygons linked to polygons; whole layers are judged in `doctor`.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geotools.model.errors import CRSError
from geotools.space.crs.finding import Finding, metres_text
from geotools.space.crs.operations import choose
from geotools.space.crs.planes import transform
from geotools.space.crs.systems import GEOD, WGS84, equal_area, parse

_LINKS = ("hazard_id", "id")
_DATUMS = (("EPSG:4284", "Pulkovo 1942"), ("EPSG:4230", "ED50"))
_NEAR_DEG = 0.005  # about 500 m
_INSIDE, _OUTSIDE = 0.97, 0.85  # share of a record inside its area: right, and wrong


def unshifted_records(frame: gpd.GeoDataFrame, reference: gpd.GeoDataFrame | gpd.GeoSeries) -> list[Finding]:
    """Records that lie in their own area only if their coordinates are read in another datum.

    Parameters
    ----------
    frame
        Polygons with ``id`` and, where known, ``hazard_id``: the row of `reference` they belong to. Where that lies elsewhere
        or is not named, all areas near the record count.
    reference
        Polygons, with ``id`` where records name them.

    Returns
    -------
    list of Finding
        At most one per datum, naming the records; a record is named only where one datum explains it.
    """
    pairs = _pairs(frame, reference)
    if pairs is None:
        return []
    names, shapes, areas = pairs
    plane = equal_area(tuple(shapely.total_bounds(areas)))
    flat_areas = _valid(transform(areas, WGS84, plane))
    now = _share(_valid(transform(shapes, WGS84, plane)), flat_areas)
    best: dict[int, tuple[float, int, float]] = {}
    for number, (code, _) in enumerate(_DATUMS):
        moved = _reread(shapes, code)
        if moved is None:
            continue
        share = _share(_valid(transform(moved, WGS84, plane)), flat_areas)
        away = _moved(shapes, moved)
        for row in np.flatnonzero((now < _OUTSIDE) & (share > _INSIDE)):
            if int(row) not in best or share[row] > best[int(row)][0]:
                best[int(row)] = (float(share[row]), number, float(away[row]))
    findings = []
    for number, (code, title) in enumerate(_DATUMS):
        rows = sorted(row for row, (_, which, _) in best.items() if which == number)
        if rows:
            metres = float(np.median([best[row][2] for row in rows]))
            text = f"{len(rows)} records lie in their own area only if they are {title} coordinates whose datum shift was forgotten ({metres_text(metres)}): "
            listed = ", ".join(sorted(names[row] for row in rows)[:12]) + (" …" if len(rows) > 12 else "")
            findings.append(
                Finding(
                    "CR-03",
                    "warning",
                    "unshifted-records",
                    f"{text}{listed}. Read these, and only these, as {code}",
                    metres,
                    "",
                    len(rows),
                )
            )
    return findings


def _pairs(frame: gpd.GeoDataFrame, reference: Any) -> tuple[list[str], np.ndarray, np.ndarray] | None:
    """Names and shapes of the polygons, and the ground each should lie in: its own area, or whatever areas are near."""
    if not isinstance(reference, gpd.GeoDataFrame) or "id" not in frame.columns:
        return None
    bodies = transform(reference.geometry.array, reference.crs, WGS84)
    solid = np.array([_area_like(body) for body in bodies], dtype=bool)
    bodies = _valid(bodies[solid])
    named = dict(zip(reference.loc[solid, "id"].astype(str), bodies, strict=True)) if "id" in reference.columns else {}
    link = frame[next((name for name in _LINKS if name in frame.columns), "id")]
    tree = shapely.STRtree(bodies)
    rows = []
    for name, key, shape in zip(frame["id"], link, transform(frame.geometry.array, frame.crs, WGS84), strict=True):
        if not _area_like(shape):
            continue
        ground = named.get(str(key))
        if ground is None or ground.distance(shape) > _NEAR_DEG:
            near = tree.query(shape.envelope.buffer(_NEAR_DEG))
            ground = shapely.union_all(bodies[np.sort(near)]) if len(near) else None
        if ground is not None:
            rows.append((str(name), shape, ground))
    if not rows:
        return None
    out = np.empty((2, len(rows)), dtype=object)
    out[0], out[1] = [row[1] for row in rows], [row[2] for row in rows]
    return [row[0] for row in rows], out[0], out[1]


def _area_like(shape: Any) -> bool:
    return shape is not None and not shape.is_empty and shape.geom_type in ("Polygon", "MultiPolygon")


def _valid(shapes: np.ndarray) -> np.ndarray:
    return np.where(
        shapely.is_valid(shapes), shapes, shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    )


def _share(shapes: np.ndarray, areas: np.ndarray) -> np.ndarray:
    size = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes, areas))
    return np.divide(inside, size, out=np.ones(len(size)), where=size > 0)


def _reread(shapes: np.ndarray, code: str) -> np.ndarray | None:
    """The same numbers read as degrees of another datum, if an operation of known accuracy is made for the place."""
    points = shapely.get_coordinates(shapes)
    try:
        operation, _, _ = choose(parse(code), WGS84, points)
    except CRSError:
        return None
    bounds = (*points.min(axis=0), *points.max(axis=0))
    if operation.accuracy_m is None or not operation.covers(bounds):
        return None
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(operation.apply(xy[:, 0], xy[:, 1]))), dtype=object
    )


def _moved(shapes: np.ndarray, moved: np.ndarray) -> np.ndarray:
    a, b = shapely.get_coordinates(shapely.centroid(shapes)), shapely.get_coordinates(shapely.centroid(moved))
    return np.asarray(GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2])
