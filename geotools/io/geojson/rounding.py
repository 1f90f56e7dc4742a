"""Geometry for exchange: WGS 84, 7 decimals, right-hand rule, heights kept. Not for text (see `text`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geotools.space import crs as _crs
from geotools.space import geom

DECIMALS = 7


def to_rfc7946(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Geometry in WGS 84, rounded to 7 decimals, wound by the right-hand rule.

    Where rounding would make a part collapse or the area invalid, that geometry keeps all its decimals: nothing gets lost.
    """
    shapes = np.array(frame.geometry.array, dtype=object)
    if frame.crs is not None and _crs.parse(frame.crs) != _crs.WGS84:
        shapes = to_lonlat(shapes, frame.crs)
    flat = shapely.has_z(shapes)
    rounded = shapes.copy()
    rounded[flat] = shapely.transform(
        shapes[flat], lambda c: np.column_stack([np.round(c[:, :2], DECIMALS), np.round(c[:, 2], 3)]), include_z=True
    )
    rounded[~flat] = shapely.transform(shapes[~flat], lambda c: np.round(c, DECIMALS))
    slim = rounded.copy()
    areas = shapely.get_dimensions(shapes) > 0
    slim[areas] = [_slim(shape) for shape in rounded[areas]]
    with np.errstate(invalid="ignore"):
        hurt = areas & (
            shapely.is_empty(slim)
            | (shapely.is_valid(shapes) & ~shapely.is_valid(slim))
            | (_rings(slim) != _rings(shapes))
        )
    slim[hurt] = shapes[hurt]
    return geom.orient(slim)  # last, for rounding may turn a sliver over


def _slim(shape: Any) -> Any:
    """Without repeated points; empty if so little is left that it is no ring or line any more."""
    try:
        return shapely.remove_repeated_points(shape)
    except shapely.errors.GEOSException:
        return type(shape)()


def _rings(shapes: np.ndarray) -> np.ndarray:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings = np.where(shapely.get_type_id(parts) == 3, shapely.get_num_interior_rings(parts) + 1, 1)
    return np.bincount(owner, weights=rings, minlength=len(shapes))


def to_lonlat(shapes: np.ndarray, crs: Any) -> np.ndarray:
    """Geometry in WGS 84 longitude and latitude with heights kept as they are."""
    moved = _crs.transform(shapes, crs, _crs.WGS84)
    return np.asarray(with_heights(gpd.GeoSeries(shapes), gpd.GeoSeries(moved)).array, dtype=object)


def with_heights(before: gpd.GeoSeries, after: gpd.GeoSeries) -> gpd.GeoSeries:
    """`after`, a plane transformation of `before`, with the heights of `before`; heights belong to no plane system."""
    out = np.array(after.array, dtype=object)
    old = np.array(before.array, dtype=object)
    for row in np.flatnonzero(shapely.has_z(old) & ~shapely.has_z(out)):
        heights = shapely.get_coordinates(old[row], include_z=True)[:, 2]
        out[row] = shapely.transform(old[row], _replaced(shapely.get_coordinates(out[row]), heights), include_z=True)
    return gpd.GeoSeries(out, index=after.index, crs=after.crs)


def _replaced(lonlat: np.ndarray, heights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda _: np.column_stack([lonlat, heights])
