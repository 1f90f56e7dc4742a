"""The way back: a polygon to a leg table a team can walk with a compass; and an empty sheet to fill in.

For tables; they are written to files by the command line.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.model.doors import checked
from geotools.model.errors import TraverseError
from geotools.space import crs as _crs
from geotools.space import declination as _north

DIRECTIONS = ("clockwise", "counterclockwise", "stored")
TEMPLATE = (
    "feature_id",
    "leg_no",
    "from_point",
    "to_point",
    "point_type",
    "bearing",
    "bearing_unit",
    "north",
    "distance_m",
    "slope_deg",
    "date",
    "note",
)


@checked
def inverse(
    polygon: Any,
    *,
    crs: Any = None,
    date: dt.date | None = None,
    landmark: tuple[float, float] | None = None,
    direction: str = "clockwise",
) -> pd.DataFrame:
    """Bearings and distances around a polygon, to true, grid and magnetic north.

    Parameters
    ----------
    polygon
        A one-row layer in any system, or a shapely polygon in WGS 84 longitude and latitude. Holes are not walked.
    crs
        Projected system of the grid bearings; default: the layer's own if projected, else the UTM zone.
    date
        Day of the walk, for magnetic bearings; without it ``magnetic_deg`` is empty.
    landmark
        (longitude, latitude) of a landmark; a leg from it to the start comes first.
    direction
        Which way round: ``clockwise``, ``counterclockwise``, or ``stored`` (files may have turned it: GeoJSON asks for
        counter-clockwise rings). The walk starts at the first point of the ring either way.

    Returns
    -------
    DataFrame
        ``leg_no, from_point, to_point, true_deg, grid_deg, magnetic_deg, distance_m`` (horizontal, on the ellipsoid),
        ``declination_deg, convergence_deg, to_lon, to_lat, to_mgrs``; the last leg returns to SP.

    Raises
    ------
    TraverseError
        If it is not one polygon, or `direction` is none of these.

    Examples
    --------
    >>> table = inverse(shapely.box(47.0, 39.5, 47.001, 39.501))
    >>> table[["from_point", "to_point"]].iloc[-1].tolist(), round(float(table["distance_m"].sum()), 1)
    (['TP3', 'SP'], 394.1)
    """
    ring, plane = _ring(polygon, crs)
    ring = _turned(ring, direction)
    names = ["SP", *(f"TP{i}" for i in range(1, len(ring)))]
    points = np.vstack([ring, ring[:1]])
    labels = [*names, "SP"]
    if landmark is not None:
        points, labels = np.vstack([[landmark], points]), ["LM", *labels]
    lon, lat = points.T
    azimuth, _, distance = _crs.GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    gamma = np.array([_north.convergence_deg(x, y, plane) for x, y in points[:-1]])
    drift = np.array([_north.declination_deg(y, x, date=date) if date else np.nan for x, y in points[:-1]])
    true = np.asarray(azimuth) % 360.0
    return pd.DataFrame(
        {
            "leg_no": range(1, len(labels)),
            "from_point": labels[:-1],
            "to_point": labels[1:],
            "true_deg": true,
            "grid_deg": (true - gamma) % 360.0,
            "magnetic_deg": (true - drift) % 360.0,
            "distance_m": distance,
            "declination_deg": drift,
            "convergence_deg": gamma,
            "to_lon": lon[1:],
            "to_lat": lat[1:],
            "to_mgrs": _crs.to_mgrs(lon[1:], lat[1:]),
        }
    )


def _turned(ring: np.ndarray, direction: str) -> np.ndarray:
    """The ring that way round, from the same first point."""
    if direction not in DIRECTIONS:
        raise TraverseError(f"'{direction}' is not a direction", hint=f"use {', '.join(DIRECTIONS)}")
    against = bool(shapely.is_ccw(shapely.linearrings(np.vstack([ring, ring[:1]]))))
    if direction == "stored" or against == (direction == "counterclockwise"):
        return ring
    return np.vstack([ring[:1], ring[:0:-1]])


def _ring(polygon: Any, crs: Any) -> tuple[np.ndarray, pyproj.CRS]:
    own: pyproj.CRS | None = None
    if isinstance(polygon, gpd.GeoDataFrame | gpd.GeoSeries):
        if len(polygon) != 1:
            raise TraverseError(
                f"the layer has {len(polygon)} polygons; one is walked at a time", hint="choose one by its id (--id)"
            )
        own = _crs.require(polygon)
        polygon = _crs.transform([polygon.geometry.iloc[0]], own, _crs.WGS84)[0]
    if getattr(polygon, "geom_type", "") == "MultiPolygon" and len(polygon.geoms) == 1:
        polygon = polygon.geoms[0]
    if getattr(polygon, "geom_type", "") != "Polygon" or polygon.is_empty:
        raise TraverseError("a leg table needs one polygon of one part", hint="split it into its parts first")
    ring = shapely.get_coordinates(polygon.exterior)[:-1]
    if crs is None:
        zone = int(_crs.utm_zone(*ring[0]))
        crs = own if own is not None and own.is_projected else f"EPSG:{(32600 if ring[0][1] >= 0 else 32700) + zone}"
    plane = _crs.parse(crs)
    if not plane.is_projected:
        raise TraverseError(f"{plane.name} has no grid", hint="give a projected system such as EPSG:32638")
    return ring, plane


def template() -> pd.DataFrame:
    """A sheet to fill in, with one invented example: landmark, benchmark, start, three turning points, back.

    Examples
    --------
    >>> template().columns[:4].tolist()
    ['feature_id', 'leg_no', 'from_point', 'to_point']
    """
    rows = [
        ("LM", "BM", "benchmark", "84.5", 61.3, 0.0, "synthetic example: replace these rows"),
        ("BM", "SP", "start", "35", 48.0, 0.0, ""),
        ("SP", "TP1", "turning", "92", 118.4, 0.0, ""),
        ("TP1", "TP2", "turning", "171.5", 76.2, 4.0, "slope distance, uphill 4°"),
        ("TP2", "TP3", "turning", "244", 64.9, 0.0, ""),
        ("TP3", "SP", "start", "326.5", 129.1, 0.0, "closing leg: measure it, it is the only check"),
    ]
    return pd.DataFrame(
        [
            ("H-1", i, a, b, kind, bearing, "deg", "magnetic", distance, slope, "2026-01-31", note)
            for i, (a, b, kind, bearing, distance, slope, note) in enumerate(rows, 1)
        ],
        columns=list(TEMPLATE),
    )
