"""Coordinates of the synthetic district: everything is drawn in UTM 38N metres and written in other systems.

For the generator only; shares no code with geotools, so that tests may use its results as truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pyproj
import shapely
from shapely import affinity

SEED = 20260630
NOTE = "SYNTHETIC"
AS_OF = date(2026, 6, 30)
UTM, WGS84, GK8 = "EPSG:32638", "EPSG:4326", "EPSG:28408"
PULKOVO_OPERATION = "EPSG:15865"  # Pulkovo 1942 to WGS 84 (16), 4.5 m

_GEOD = pyproj.Geod(ellps="WGS84")
_TO_WGS84 = pyproj.Transformer.from_crs(UTM, WGS84, always_xy=True)
_TO_UTM = pyproj.Transformer.from_crs(WGS84, UTM, always_xy=True)
_TO_GK8 = pyproj.Transformer.from_crs("EPSG:4284", GK8, always_xy=True)
_PULKOVO_TO_WGS84 = pyproj.Transformer.from_pipeline(PULKOVO_OPERATION)  # latitude, longitude in degrees


def rng(part: int) -> np.random.RandomState:
    """A random stream per part, of the frozen kind, so that one part may change without moving the others."""
    return np.random.RandomState(SEED + part)


def lonlat(x: float, y: float) -> tuple[float, float]:
    """WGS 84 longitude and latitude of a UTM point, 7 decimals."""
    lon, lat = _TO_WGS84.transform(x, y)
    return round(lon, 7), round(lat, 7)


def utm(lon: float, lat: float) -> tuple[float, float]:
    """UTM 38N metres of a WGS 84 point."""
    return _TO_UTM.transform(lon, lat)


def _each(geometry, move, decimals: int):
    return (
        None
        if geometry is None
        else shapely.transform(geometry, lambda xy: np.round(np.column_stack(move(xy)), decimals))
    )


def to_wgs84(geometry):
    """A UTM geometry in WGS 84 degrees, 7 decimals."""
    return _each(geometry, lambda xy: _TO_WGS84.transform(xy[:, 0], xy[:, 1]), 7)


def to_pulkovo(geometry):
    """A UTM geometry in Pulkovo 1942 longitude and latitude (by the inverse of EPSG:15865)."""

    def move(xy):
        lon, lat = _TO_WGS84.transform(xy[:, 0], xy[:, 1])
        lat, lon = _PULKOVO_TO_WGS84.transform(lat, lon, direction="INVERSE")[:2]
        return lon, lat

    return _each(geometry, move, 9)


def to_gk8(geometry):
    """A UTM geometry in Pulkovo 1942 / Gauss-Krüger zone 8 (x easting with zone prefix, y northing), 1 mm."""
    return _each(to_pulkovo(geometry), lambda xy: _TO_GK8.transform(xy[:, 0], xy[:, 1]), 3)


def area_m2(geometry) -> float:
    """Geodesic area of a valid UTM polygon, m², 0.1."""
    if geometry is None or geometry.is_empty:
        return 0.0
    degrees = shapely.transform(geometry, lambda xy: np.column_stack(_TO_WGS84.transform(xy[:, 0], xy[:, 1])))
    return round(
        sum(
            abs(_GEOD.geometry_area_perimeter(shapely.orient_polygons(part))[0]) for part in shapely.get_parts(degrees)
        ),
        1,
    )


def tidy(geometry, decimals: int = 3):
    """Coordinates rounded to a millimetre."""
    return shapely.transform(geometry, lambda xy: np.round(xy, decimals))


def placed(local, centre: tuple[float, float], angle: float):
    """A geometry of a local frame turned by `angle` degrees and moved to `centre`."""
    moved = tidy(affinity.translate(affinity.rotate(local, angle, origin=(0, 0)), *centre))
    return moved if "Point" in moved.geom_type else shapely.remove_repeated_points(moved)


def polygons_only(geometry):
    """The polygon parts of a geometry above 5 m², one polygon or a multipolygon."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area > 5]
    return None if not parts else parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def some_day(stream, first: date, last: date) -> date:
    """A random day between two days."""
    return first + timedelta(days=int(stream.randint(0, max((last - first).days, 1))))


def pick(stream, words: Iterable):
    """One of several words."""
    choices = list(words)
    return choices[stream.randint(len(choices))]
