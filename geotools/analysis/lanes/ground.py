"""The ground lanes may be laid on: the task without exclusion zones, on a plane in metres, and what a tool can reach of it.

For geometry before lanes; distances to the boundary are kept exactly, never a little less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.space import crs as _crs
from geotools.space import geom

QUARTER = 32  # segments of a quarter circle
SCALE_LIMIT = 1e-3
EMPTY = shapely.Polygon()


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


def capsules(shape: BaseGeometry, distance: float) -> BaseGeometry:
    """Everything within `distance` of a line or of the boundary of a polygon, edge by edge; round ends drawn from inside, never larger."""
    lines = shapely.get_parts(shape.boundary if shape.geom_type.endswith("Polygon") else shape)
    points, owner = shapely.get_coordinates(lines, return_index=True)
    same = owner[1:] == owner[:-1]
    if not same.any():
        return EMPTY
    edges = shapely.linestrings(np.stack([points[:-1][same], points[1:][same]], axis=1))
    return shapely.union_all(shapely.buffer(edges, distance, quad_segs=QUARTER))


def inside(ground: BaseGeometry, distance: float) -> BaseGeometry:
    """The part of the ground at least `distance` from its boundary (at most 0.03 % farther where the boundary bends inwards)."""
    if distance <= 0 or ground.is_empty:
        return ground
    safe = distance / math.cos(math.pi / (4 * QUARTER))
    left: BaseGeometry = geom.polygonal([shapely.difference(ground, capsules(ground, safe))])[0]
    return left


def reachable(ground: BaseGeometry, width: float) -> BaseGeometry:
    """What a tool that keeps its width inside the ground can reach: the ground eroded by half the width and grown again."""
    middle = inside(ground, width / 2)
    if middle.is_empty:
        return EMPTY
    return shapely.union_all([middle, capsules(middle, width / 2)])


def permitted(task: BaseGeometry, zones: np.ndarray, setback: float) -> BaseGeometry:
    """The task without the zones and the setback around them."""
    if not len(zones):
        return task
    blocked = shapely.union_all(zones)
    if setback > 0:
        blocked = shapely.union_all(
            shapely.buffer(zones, setback / math.cos(math.pi / (4 * QUARTER)), quad_segs=QUARTER)
        )
    left: BaseGeometry = geom.polygonal([shapely.difference(task, blocked)])[0]
    return left
