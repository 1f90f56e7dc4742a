"""The gap list: missed ground as numbered places to walk to, with area, width and centre, largest first.

For ground inside the task that no pass covered; slivers below the limits stay in the missed area and are only left off this list.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.space import crs as _crs

COLUMNS = ("id", "rank", "area_m2", "width_m", "longitude", "latitude", "geometry")


def gap_list(missed: np.ndarray, crs: Any, *, area_m2: float, width_m: float) -> gpd.GeoDataFrame:
    """Gaps at least as large and as wide as the limits.

    Parameters
    ----------
    missed
        Polygons of missed ground on a metric plane.
    crs
        Of the polygons.
    area_m2, width_m
        Limits; the width of a gap is the diameter of the largest circle that fits into it.

    Returns
    -------
    GeoDataFrame
        ``id`` (G-001 …), ``rank``, ``area_m2``, ``width_m``, ``longitude``, ``latitude`` of the middle of the widest place
        (WGS 84), polygons in `crs`; largest first.

    Examples
    --------
    >>> strip = shapely.box(0, 0, 10, 0.4)
    >>> gap_list(np.array([strip]), "EPSG:32638", area_m2=0.25, width_m=0.05)["width_m"].round(2).tolist()
    [0.4]
    """
    parts = np.asarray([part for part in shapely.get_parts(missed) if part.geom_type == "Polygon"], dtype=object)
    areas = shapely.area(parts)
    parts, areas = parts[areas >= area_m2], areas[areas >= area_m2]
    widths, middle, may = widest(parts, areas, width_m)
    return ranked(parts[may], areas[may], widths[may], middle[may], crs=crs)


def widest(parts: np.ndarray, areas: np.ndarray, width_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths of gaps, the middle of their widest place (x, y), and whether they may be wide enough.

    The search may stop short of the true width by its tolerance, so a gap counts if it may be wide enough.
    """
    if not len(parts):
        return np.zeros(0), np.zeros((0, 2)), np.zeros(0, dtype=bool)
    tolerance = np.clip(np.sqrt(areas) / 200, 0.002, 0.5)
    found = [shapely.maximum_inscribed_circle(part, tolerance=t) for part, t in zip(parts, tolerance, strict=True)]
    radii = np.array(found, dtype=object)
    widths = 2 * shapely.length(radii)
    return widths, shapely.get_coordinates(shapely.get_point(radii, 0)), widths + 2 * tolerance >= width_m


def ranked(
    parts: np.ndarray, areas: np.ndarray, widths: np.ndarray, middle: np.ndarray, *, crs: Any
) -> gpd.GeoDataFrame:
    """The list, largest first."""
    order = np.lexsort((middle[:, 1], middle[:, 0], -np.round(areas, 9)))
    centre = shapely.points(middle[order]) if len(order) else np.zeros(0, dtype=object)
    lonlat = shapely.get_coordinates(_crs.transform(centre, crs, _crs.WGS84)).reshape(-1, 2)
    data = {
        "id": np.asarray([f"G-{n + 1:03d}" for n in range(len(order))], dtype=object), "rank": np.arange(1, len(order) + 1),
        "area_m2": areas[order], "width_m": widths[order], "longitude": lonlat[:, 0], "latitude": lonlat[:, 1],
    }  # fmt: skip
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry=gpd.GeoSeries(parts[order], crs=crs), crs=crs)
