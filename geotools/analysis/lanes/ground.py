"""The ground lanes may be laid on: the task without exclusion zones, on a plane in metres, and what a tool can reach of it.

For geometry before lanes; distances to the boundary are kept exactly, never a little less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.model.errors import CoverageError
from geotools.space import crs as _crs
from geotools.space import geom

QUARTER, COARSE = 32, 8  # segments of a quarter circle, and where there are many bends
MANY = 400  # edges from which on bends are drawn coarsely
SCALE_LIMIT = 1e-3
HAIR_M = 0.002
HAND_M = 0.1  # narrower ground gets no lane of its own
EMPTY = shapely.Polygon()
AREAL = 2  # dimension of a polygon
MULTI = 3  # types above a polygon hold several geometries


@dataclass(frozen=True)
class Plane:
    """Where lanes are laid: a system, its map metres per metre on the ground, and its grid north east of true north, in degrees."""

    crs: pyproj.CRS
    scale: float
    convergence_deg: float

    def place(self, shapes: Any, source: Any) -> np.ndarray:
        """Polygons, lines or points of another system on this plane, repaired."""
        array = np.asarray(shapes, dtype=object)
        array = array[~shapely.is_missing(array) & ~shapely.is_empty(array)]
        if not len(array):
            return array
        if _crs.parse(source) == self.crs:
            return np.asarray(geom.repair(array), dtype=object)
        return np.asarray(geom.repair(_crs.to_equal_area(geom.repair(array), source, self.crs)), dtype=object)


def task_rows(task: gpd.GeoDataFrame | gpd.GeoSeries) -> list[tuple[str, BaseGeometry]]:
    """Tasks by id, rows of the same id joined; without ids they are numbered."""
    shapes = np.asarray(task.geometry.array, dtype=object)
    names = (
        task["id"].astype(str)
        if isinstance(task, gpd.GeoDataFrame) and "id" in task
        else pd.Series(range(1, len(shapes) + 1)).astype(str)
    )
    own: dict[str, list[BaseGeometry]] = {}
    for name, shape in zip(names, geom.repair(shapes), strict=True):
        if shape is not None and shapely.area(shape) > 0:
            own.setdefault(name, []).append(shape)
    if not own:
        raise CoverageError("the task has no area", hint="give the polygon of the task, for example a row of hazards")
    return [(name, shapely.union_all(parts) if len(parts) > 1 else parts[0]) for name, parts in sorted(own.items())]


def zones_of(plane: Plane, array: np.ndarray, source: Any) -> tuple[np.ndarray, np.ndarray]:
    """Exclusion zones as single polygons, lines and points on the plane, and which rows gave none: those have no place on the map."""
    rows = np.flatnonzero(~shapely.is_missing(array))
    parts = np.asarray(array, dtype=object)[rows]
    while (shapely.get_type_id(parts) > MULTI).any():
        parts, owner = shapely.get_parts(parts, return_index=True)
        rows = rows[owner]
    kept = ~shapely.is_empty(parts) & np.isfinite(shapely.bounds(parts)).all(axis=1)
    placed, rows = plane.place(parts[kept], source), rows[kept]
    kept = ~shapely.is_empty(placed) & np.isfinite(shapely.bounds(placed)).all(axis=1)
    lost = np.ones(len(array), dtype=bool)
    lost[rows[kept]] = False
    return placed[kept], lost


def plane_of(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> Plane:
    """The task's own system if it is a map in metres that is true to a thousandth, else an equal-area plane through the task."""
    crs = _crs.require(frame, "task")
    west, south, east, north = _crs.transform(
        [shapely.box(*shapely.total_bounds(np.asarray(frame.geometry.array, dtype=object)))], crs, _crs.WGS84
    )[0].bounds
    middle = ((west + east) / 2, (south + north) / 2)
    metric = crs.is_projected and all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info[:2])
    if metric:
        own = _measured(crs, middle)
        if abs(own.scale - 1) <= SCALE_LIMIT:
            return own
    return _measured(_crs.equal_area((west, south, east, north)), middle)


def _measured(crs: pyproj.CRS, middle: tuple[float, float]) -> Plane:
    """Scale and convergence from two points 100 m apart on the ground."""
    lon, lat, _ = _crs.GEOD.fwd(*middle, 0.0, 100.0)
    a, b = shapely.get_coordinates(
        _crs.transform(shapely.points([middle, (lon, lat)]), _crs.WGS84, crs)  # type: ignore[arg-type]
    )
    east, north = b - a
    return Plane(crs, float(np.hypot(east, north)) / 100, -math.degrees(math.atan2(east, north)))


def capsules(shape: BaseGeometry, distance: float, quarter: int | None = None) -> BaseGeometry:
    """Everything within `distance` of a line or of the boundary of a polygon, edge by edge; round ends drawn from inside, never larger."""
    lines = shapely.get_parts(shape.boundary if shape.geom_type.endswith("Polygon") else shape)
    points, owner = shapely.get_coordinates(lines, return_index=True)
    same = owner[1:] == owner[:-1]
    if not same.any():
        return EMPTY
    edges: Any = shapely.linestrings(np.stack([points[:-1][same], points[1:][same]], axis=1))
    quarter = quarter or (QUARTER if len(edges) < MANY else COARSE)
    return shapely.union_all(shapely.buffer(edges, distance, quad_segs=quarter))


def inside(ground: BaseGeometry, distance: float) -> BaseGeometry:
    """The part of the ground at least `distance` from its boundary (a hair farther where the boundary bends inwards).

    A library's buffer smooths small bends, so it is taken only if its distance, measured afterwards, is kept; else edge by edge.
    """
    if distance <= 0 or ground.is_empty:
        return ground
    quarter = QUARTER if shapely.get_num_coordinates(ground) < MANY else 2 * COARSE
    safe = distance / math.cos(math.pi / (4 * quarter))
    quick: BaseGeometry = geom.polygonal([ground.buffer(-safe, quad_segs=quarter)])[0]
    if not quick.is_empty and quick.boundary.distance(ground.boundary) >= distance and ground.covers(quick):
        return quick
    left: BaseGeometry = geom.polygonal([shapely.difference(ground, capsules(ground, safe, quarter))])[0]
    return left


def middles(ground: BaseGeometry, distance: float) -> BaseGeometry:
    """Where the middle of a tool may be: `inside`; with many bends drawn with fewer points, which costs up to 4 mm but keeps the distance."""
    middle = inside(ground, distance)
    if shapely.get_num_coordinates(middle) < 5 * MANY:
        return middle
    drawn = shapely.simplify(inside(ground, distance + HAIR_M), HAIR_M)
    only: BaseGeometry = geom.polygonal([geom.repair(drawn)])[0]
    return only


def reachable(ground: BaseGeometry, width: float) -> BaseGeometry:
    """What a tool that keeps its width inside the ground can reach: the ground eroded by half the width and grown again."""
    middle = middles(ground, width / 2)
    if middle.is_empty:
        return EMPTY
    return shapely.union_all([middle, capsules(middle, width / 2)])


def thick(ground: BaseGeometry, least: float = HAND_M) -> BaseGeometry:
    """The ground without threads narrower than a hand, such as layers that do not quite meet leave between them."""
    core = ground.buffer(-least / 2)
    grown = core.buffer(least / 2 + HAIR_M, join_style="mitre", mitre_limit=5.0)  # no more: a thread would leave a stub
    kept = shapely.intersection(ground, grown)
    only: BaseGeometry = geom.polygonal([kept])[0]
    return only


def permitted(task: BaseGeometry, zones: np.ndarray, setback: float, least: float = 0.0) -> BaseGeometry:
    """The task without the zones and the setback around them; around points and lines the setback is `least` or more."""
    if not len(zones):
        return task
    blocked = [*zones]
    for zone in zones:
        keep = setback if shapely.get_dimensions(zone) == AREAL else max(setback, least)
        if keep > 0:
            far = keep / math.cos(math.pi / (4 * COARSE))  # round ends are drawn from inside: never a little short
            blocked.append(zone.buffer(far, quad_segs=COARSE) if zone.length == 0 else capsules(zone, far))
    left: BaseGeometry = geom.polygonal([shapely.difference(task, shapely.union_all(blocked))])[0]
    return left
