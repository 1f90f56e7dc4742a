"""Lengths and areas on the WGS 84 ellipsoid, and how uncertain an area is.

For figures that are reported; never the area of a map projection.
"""

from __future__ import annotations

from typing import Any, overload

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.space import crs as _crs


@overload
def area(geometry: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.Series: ...
@overload
def area(geometry: BaseGeometry) -> float: ...
def area(geometry: Any) -> Any:
    """Area on the WGS 84 ellipsoid in square metres.

    Edges are geodesics between the recorded vertices (as in GeographicLib's polygon area); holes are subtracted
    whatever their ring order; points and lines have area 0.

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
    series = geometry.geometry
    lonlat = _crs.transform(series.array, _crs.require(series), _crs.WGS84)
    return pd.Series(_areas(lonlat), index=series.index, name="area_m2")


def _areas(lonlat: np.ndarray) -> np.ndarray:
    parts, owner = shapely.get_parts(lonlat, return_index=True)
    rings, polygon = shapely.get_rings(parts, return_index=True)
    first = np.r_[True, polygon[1:] != polygon[:-1]] if len(polygon) else np.zeros(0, dtype=bool)
    total = np.zeros(len(lonlat))
    for ring, shell, index in zip(rings, first, owner[polygon] if len(polygon) else [], strict=True):
        x, y = shapely.get_coordinates(ring)[:-1].T
        value = abs(_crs.GEOD.polygon_area_perimeter(x, y)[0])
        total[index] += value if shell else -value
    total[shapely.is_missing(lonlat)] = np.nan
    return total


@overload
def length(geometry: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.Series: ...
@overload
def length(geometry: BaseGeometry) -> float: ...
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
        return float(abs(_crs.GEOD.geometry_length(geometry)))
    series = geometry.geometry
    lonlat = _crs.transform(series.array, _crs.require(series), _crs.WGS84)
    values = [np.nan if g is None else abs(_crs.GEOD.geometry_length(g)) if not g.is_empty else 0.0 for g in lonlat]
    return pd.Series(values, index=series.index, name="length_m", dtype=float)


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
    bounds = shapely.total_bounds(lonlat)
    plane = _crs.transform(lonlat, _crs.WGS84, _crs.equal_area(tuple(bounds)))
    parts, owner = shapely.get_parts(plane, return_index=True)
    rings, polygon = shapely.get_rings(parts, return_index=True)
    total = np.zeros(len(plane))
    for ring, index in zip(rings, owner[polygon] if len(polygon) else [], strict=True):
        points = shapely.get_coordinates(ring)[:-1]
        across = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
        total[index] += float((across**2).sum())
    sigma = np.asarray(sigma_m, dtype=float)
    values = 0.5 * sigma * np.sqrt(total)
    values = np.where(shapely.is_missing(plane), np.nan, values)
    return pd.Series(values, index=series.index, name="area_sigma_m2")
