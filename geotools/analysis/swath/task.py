"""The ground of a task on a metric plane: where figures are taken, and how far from it fixes still count.

For the polygon of one task; what was covered of it is in `cover`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import union
from geotools.analysis.swath.rules import Rules
from geotools.analysis.swath.summary import repaired_note
from geotools.model.errors import CoverageError
from geotools.space import crs as _crs
from geotools.space import geom

NO_AREA = "the task has no area"
UNPLACED = "the outline of the task has no place on the earth, or is larger than a country"
CHECK = "check its coordinates and its reference system"
HINT = "give the polygon of the task, for example a row of hazards"


def system_of(frame: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> pyproj.CRS:
    """The reference system of a frame, which it must have."""
    if not isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
        raise CoverageError(
            f"the {what} is not a layer of polygons", hint="read it with geotools.read, or make a GeoSeries"
        )
    crs = frame.crs
    return crs if isinstance(crs, pyproj.CRS) else _crs.require(frame, what)


@contextmanager
def _placing() -> Iterator[None]:
    """Coordinates that have no place on the earth are said as such."""
    try:
        yield
    except (_crs.CRSError, pyproj.exceptions.ProjError) as error:
        raise _crs.CRSError(UNPLACED, hint=CHECK) from error


class Task:
    """Polygons of a task: `home` is their system, `plane` an equal-area plane around them, `ground` their union on it."""

    def __init__(self, frame: gpd.GeoDataFrame | gpd.GeoSeries) -> None:
        self.home = system_of(frame, "task")
        shapes = np.asarray(frame.geometry.array, dtype=object)
        area_like = np.isin(shapely.get_type_id(shapes), (3, 6, 7))
        if not len(shapes) or not (area_like & ~shapely.is_empty(shapes)).any():
            raise CoverageError(NO_AREA, hint=HINT)
        self.shapes = shapes[~shapely.is_missing(shapes)]
        with _placing():
            west, south, east, north = shapely.total_bounds(self._degrees)
            self.plane = _crs.equal_area((west, south, east, north))
            reach = self.ground.bounds
        if not np.isfinite([west, south, east, north, *reach]).all() or east - west > 20 or north - south > 20:
            raise CoverageError(UNPLACED, hint=CHECK)

    @cached_property
    def _degrees(self) -> np.ndarray:
        return _crs.transform(self.shapes, self.home, _crs.WGS84)

    def is_of(self, frame: gpd.GeoDataFrame | gpd.GeoSeries) -> bool:
        """Whether it was made of these very polygons."""
        if not isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
            return False
        shapes = np.asarray(frame.geometry.array, dtype=object)
        same = len(shapes) == len(self.shapes) and all(a is b for a, b in zip(shapes, self.shapes, strict=True))
        return bool(same and (frame.crs is self.home or frame.crs == self.home))

    def reach(self, rules: Rules) -> tuple[float, float, float, float]:
        """Bounds on the plane beyond which fixes are far away."""
        west, south, east, north = self.ground.bounds
        return (west - rules.far_m, south - rules.far_m, east + rules.far_m, north + rules.far_m)

    @cached_property
    def _mended(self) -> np.ndarray:
        mended: np.ndarray = geom.repair(self.shapes)
        return mended

    @cached_property
    def ground(self) -> BaseGeometry:
        """The polygons, repaired and joined, on the plane."""
        untouched = all(a is b for a, b in zip(self._mended, self.shapes, strict=True))
        degrees = self._degrees if untouched else _crs.transform(self._mended, self.home, _crs.WGS84)
        ground = union.joined(_crs.transform(_crs.densify(degrees), _crs.WGS84, self.plane))
        if not ground.area > 0:
            raise CoverageError(NO_AREA, hint=HINT)
        return ground

    @property
    def notes(self) -> list[Any]:
        """Issues about repairs of the outline."""
        return repaired_note(self.shapes, self._mended, self.home)


def task_ground(task: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[pyproj.CRS, BaseGeometry, list[Any]]:
    """Plane of a task, its ground as one geometry on it, and notes about repairs."""
    made = Task(task)
    return made.plane, made.ground, made.notes
