"""The direction of lanes: fewest lanes, within slope limits, across the wind for dogs, straight off a start line for people.

For choosing a bearing; headings of work done are in the swath room.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.lanes.tool import Settings, Tool
from geotools.model.doors import checked

Slopes = tuple[np.ndarray, np.ndarray]
STEP_DEG = 5.0


@checked(least={"width_m": 1e-6})
def crossings(ground: BaseGeometry, bearing_deg: float, width_m: float) -> float:
    """Lanes of a bearing that a polygon needs, pieces cut by holes and bays counted: its boundary across the lanes / (2 x width).

    For a convex polygon this is its width across the lanes / lane width. Bearing clockwise from the y axis.

    Examples
    --------
    >>> field = shapely.Polygon([(0, 0), (4, 0), (4, 5), (0, 4)])
    >>> round(crossings(field, 90, 0.1), 9), round(crossings(field, 0, 0.1), 9)
    (50.0, 40.0)
    """
    steps = _edges(ground)
    angle = math.radians(bearing_deg)
    return float(np.abs(steps @ np.array([math.cos(angle), -math.sin(angle)])).sum() / (2 * width_m))


def _edges(ground: BaseGeometry) -> np.ndarray:
    points, owner = shapely.get_coordinates(shapely.get_parts(ground.boundary), return_index=True)
    steps: np.ndarray = np.diff(points, axis=0)[owner[1:] == owner[:-1]]
    return steps


@checked
def bearing(
    ground: BaseGeometry, *, slopes: Slopes | None = None, limits_deg: tuple[float | None, float | None] = (None, None)
) -> float:
    """The bearing (0 to 180, clockwise from the y axis) that needs the fewest lanes, among those that exceed slope limits least.

    Parameters
    ----------
    ground
        Polygon in metres. The best direction without slope is that of one of its edges; for a convex polygon, that across its least width.
    slopes
        Rise per metre to the east and to the north at places of the ground, two arrays.
    limits_deg
        Greatest slope along and across the lanes; None: not limited.

    Examples
    --------
    >>> bearing(shapely.box(0, 0, 100, 50)), bearing(shapely.box(0, 0, 50, 100))
    (90.0, 0.0)
    """
    steps = _edges(ground)
    long = steps[np.hypot(*steps.T) > 1e-6]
    options = np.degrees(np.arctan2(long[:, 0], long[:, 1])) % 180
    if slopes is not None and any(v is not None for v in limits_deg):
        options = np.r_[options, np.arange(0, 180, STEP_DEG)]
    options = np.unique(np.round(options, 6) % 180)
    rated = [
        (round(exceeding(slopes, value, limits_deg), 2), round(crossings(ground, value, 1.0), 6), float(value))
        for value in options
    ]
    return min(rated)[2] if rated else 0.0


def exceeding(slopes: Slopes | None, bearing_deg: float, limits_deg: tuple[float | None, float | None]) -> float:
    """Share of the places where the slope along or across lanes of a bearing is over its limit; unknown slopes count as over."""
    if slopes is None or all(v is None for v in limits_deg) or not np.size(slopes[0]):
        return 0.0
    east, north = (np.asarray(v, dtype=float).ravel() for v in slopes)
    sine, cosine = math.sin(math.radians(bearing_deg)), math.cos(math.radians(bearing_deg))
    rises = (np.abs(east * sine + north * cosine), np.abs(east * cosine - north * sine))
    within = np.isfinite(east) & np.isfinite(north)
    for rise, limit in zip(rises, limits_deg, strict=True):
        if limit is not None:
            with np.errstate(invalid="ignore"):
                within &= rise <= math.tan(math.radians(limit)) + 1e-12
    return float(1 - within.mean())


def chosen(
    ground: BaseGeometry, tool: Tool, settings: Settings, start: BaseGeometry | None, slopes: Slopes | None
) -> tuple[float, str]:
    """The grid bearing of lanes and why; `settings` hold bearings of the plane already."""
    if settings.bearing_deg is not None:
        return settings.bearing_deg % 180, "as given"
    if tool.kind == "dog" and settings.wind_from_deg is not None:
        return (settings.wind_from_deg + 90) % 180, "across the wind"
    if not tool.rigid and start is not None:
        return _off(start, ground), "straight off the start line"
    limited = slopes is not None and any(v is not None for v in settings.slope_limits_deg)
    value = bearing(ground, slopes=slopes, limits_deg=settings.slope_limits_deg)
    return value, "fewest lanes within the slope limits" if limited else "fewest lanes"


def _off(start: BaseGeometry, ground: BaseGeometry) -> float:
    """Across the part of the start's boundary that lies nearest to the ground, whatever steps it has."""
    line = start.boundary if start.geom_type.endswith("Polygon") else start
    near = shapely.intersection(line, ground.buffer(max(1.0, start.distance(ground) * 1.05)))
    parts = shapely.get_parts(near if near.length else line)
    steps = np.vstack([np.diff(shapely.get_coordinates(part), axis=0) for part in parts])
    if not len(steps):
        return bearing(ground)
    # edges as double angles, weighted by length: those to and fro add up, those across each other cancel
    double = ((steps[:, 1] + 1j * steps[:, 0]) ** 2 / np.maximum(np.hypot(*steps.T), 1e-12)).sum()
    along = math.degrees(np.angle(double)) / 2
    return float((along + 90) % 180)
