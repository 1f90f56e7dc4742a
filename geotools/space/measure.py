"""Lengths and areas on the WGS 84 ellipsoid, and how uncertain an area is.

For figures that are reported; never the area of a map projection.
"""

from __future__ import annotations

import itertools
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.model.arguments import array, layer
from geotools.model.doors import checked
from geotools.space import crs as _crs


def area(geometry: Any) -> Any:
    """Area on the WGS 84 ellipsoid in square metres.

    Edges are geodesics between the recorded vertices (as in GeographicLib's polygon area); holes are subtracted
    whatever their ring order; points and lines have area 0. A boundary that crosses itself has the area that its turns
    add up to, which is not its ground: repair it first (`geom.repair`).

    Parameters
    ----------
    geometry
        A GeoDataFrame or GeoSeries in any CRS (also in feet), or one shapely geometry in WGS 84 longitude/latitude.

    Returns
    -------
    Series or float
        ``area_m2`` on the index of the input; missing geometry gives NaN, empty geometry 0.

    Raises
    ------
    CRSError
        If a frame has no CRS.

    Examples
    --------
    >>> round(area(shapely.box(47.0, 39.5, 47.01, 39.51)))
    954897
    """
    if isinstance(geometry, BaseGeometry):
        return float(_areas(np.array([geometry], dtype=object))[0])
    series = layer(geometry, "what is measured").geometry
    lonlat = _crs.transform(series.array, _crs.require(series), _crs.WGS84)
    return pd.Series(_areas(lonlat), index=series.index, name="area_m2")


def _areas(lonlat: np.ndarray) -> np.ndarray:
    points, starts, shell, owner = _rings(lonlat)
    total = np.zeros(len(lonlat))
    area_of = _crs.GEOD.polygon_area_perimeter
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    values = [abs(area_of(x[a : b - 1], y[a : b - 1])[0]) for a, b in itertools.pairwise(starts.tolist())]
    np.add.at(total, owner, np.where(shell, values, np.negative(values)))
    total[shapely.is_missing(lonlat)] = np.nan
    return total


def _rings(geometries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of all rings on end, where each ring starts (and the end), whether it is a shell, and whose it is."""
    parts, owner = _parts(geometries)
    rings, polygon = shapely.get_rings(parts, return_index=True)
    whole = ~shapely.is_empty(rings)
    rings, polygon = rings[whole], polygon[whole]
    shell = np.r_[True, polygon[1:] != polygon[:-1]] if len(polygon) else np.zeros(0, dtype=bool)
    starts = np.r_[0, np.cumsum(shapely.get_num_coordinates(rings))].astype(int)
    return shapely.get_coordinates(rings), starts, shell, owner[polygon] if len(polygon) else np.zeros(0, dtype=int)


def length(geometry: Any) -> Any:
    """Geodesic length in metres of lines, or perimeter of polygons including holes.

    Parameters
    ----------
    geometry
        As for `area`.

    Examples
    --------
    >>> round(length(shapely.LineString([(47, 39.5), (47, 39.51)])), 1)
    1110.3
    """
    if isinstance(geometry, BaseGeometry):
        return float(_lengths(np.array([geometry], dtype=object))[0])
    series = layer(geometry, "what is measured").geometry
    lonlat = _crs.transform(series.array, _crs.require(series), _crs.WGS84)
    return pd.Series(_lengths(lonlat), index=series.index, name="length_m", dtype=float)


def _lengths(lonlat: np.ndarray) -> np.ndarray:
    total = np.zeros(len(lonlat))
    paths, owner = _paths(lonlat)
    points, path = shapely.get_coordinates(paths, return_index=True)
    same = np.flatnonzero(path[1:] == path[:-1])
    if len(same):
        _, _, metres = _crs.GEOD.inv(points[same, 0], points[same, 1], points[same + 1, 0], points[same + 1, 1])
        np.add.at(total, owner[path[same]], metres)
    total[shapely.is_missing(lonlat)] = np.nan
    return total


def _parts(geometries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Single geometries, and whose they are; collections may hold collections."""
    parts, owner = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
    while np.isin(shapely.get_type_id(parts), (4, 5, 6, 7)).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    return parts, owner


def _paths(geometries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines, and all rings of polygons, with their owners."""
    parts, owner = _parts(geometries)
    kind = shapely.get_type_id(parts)
    rings, polygon = shapely.get_rings(parts[kind == 3], return_index=True)
    line = np.isin(kind, (1, 2))
    return np.r_[parts[line], rings], np.r_[owner[line], owner[kind == 3][polygon]].astype(int)


@checked
def area_sigma(geometry: gpd.GeoDataFrame | gpd.GeoSeries, sigma_m: Any) -> pd.Series:
    """Standard deviation of an area in m² when each vertex has an independent position error.

    σ_A = (σ/2)·sqrt(Σ |p(i+1) − p(i−1)|²) over the vertices of all rings, on a local equal-area plane.

    Parameters
    ----------
    geometry
        Polygons in any CRS.
    sigma_m
        Standard deviation per axis in metres, one number or one per row.

    Returns
    -------
    Series
        ``area_sigma_m2`` on the index of the input.

    Examples
    --------
    >>> square = gpd.GeoSeries([shapely.box(0, 0, 100, 100)], crs="EPSG:32638")
    >>> round(float(area_sigma(square.translate(700000, 4380000), 3.0).iloc[0]), -1)
    420.0
    """
    series = geometry.geometry
    lonlat = _crs.transform(series.array, _crs.require(series), _crs.WGS84)
    bounds = shapely.total_bounds(lonlat) if len(lonlat) else np.full(4, np.nan)
    plane = _crs.transform(lonlat, _crs.WGS84, _crs.equal_area(tuple(bounds)))
    points, starts, _, owner = _rings(plane)
    total = np.zeros(len(plane))
    if len(owner):
        # the closing vertex repeats the first: the one before the first is the last but one
        ahead, behind = np.roll(points, -1, axis=0), np.roll(points, 1, axis=0)
        behind[starts[:-1]] = points[starts[1:] - 2]
        across = ((ahead - behind) ** 2).sum(axis=1)
        across[starts[1:] - 1] = 0.0
        np.add.at(total, owner, np.add.reduceat(across, starts[:-1]))
    sigma = array(sigma_m, "sigma_m")
    values = 0.5 * sigma * np.sqrt(total)
    values = np.where(shapely.is_missing(plane), np.nan, values)
    return pd.Series(values, index=series.index, name="area_sigma_m2")
