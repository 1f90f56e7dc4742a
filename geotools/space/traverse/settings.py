"""`Start` and `TraverseOptions`: where a traverse begins and how it is computed.

For what the caller decides; tolerances an authority sets are in its `Programme`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from geotools.model.errors import TraverseError
from geotools.model.programme import Programme
from geotools.space import crs as _crs
from geotools.space.notation import Position

ADJUSTMENTS = ("bowditch", "least-squares", "none")
# instrument → (warn ratio, error ratio, floor in metres); compass limits come from the programme
TOLERANCES = {"compass": None, "total-station": (2000.0, 1000.0, 0.1)}


@dataclass(frozen=True)
class Start:
    """A point with known coordinates.

    Parameters
    ----------
    x, y
        In `crs`, (longitude, latitude) or (easting, northing).
    name
        Its name in the legs; empty: the point the first leg starts from.
    h_acc_m
        Standard deviation per axis, metres; None: not known, and error ellipses are relative to this point.

    Examples
    --------
    >>> Start(47.14, 39.6, name="SP", h_acc_m=0.5).crs
    'EPSG:4326'
    """

    x: float
    y: float
    crs: Any = "EPSG:4326"
    name: str = ""
    h_acc_m: float | None = None


@dataclass(frozen=True)
class TraverseOptions:
    """How legs become points.

    Parameters
    ----------
    crs
        Projected system of the grid; default: the programme's, else the UTM zone of the start.
    unit
        Unit of bearings where the legs do not say (`space.notation.ANGLE_UNITS`).
    adjust
        ``bowditch``, ``least-squares`` or ``none``.
    declination_deg
        Declination to use instead of the magnetic model, east positive.
    grid_correction_deg
        Magnetic to grid in one figure, found between two known points of the task; preferred over model and convergence.
    local_deg
        Added to every magnetic bearing on top of the declination: a local anomaly.
    scale
        Reduce distances to the grid by the point scale; off: distances are grid distances.
    instrument
        ``compass`` (programme's limits) or ``total-station``.
    sigma_bearing_deg, sigma_distance_m, sigma_distance_share
        Standard deviation of one bearing, and of one distance as metres plus a share of it.
    sigma_north_deg
        Common error of all bearings; default: that of the magnetic model if it is used, else 0.
    programme
        Limits and the programme's own system.

    Raises
    ------
    TraverseError
        If the adjustment or instrument is not known.

    Examples
    --------
    >>> options = TraverseOptions(unit="mil6000", declination_deg=6.3)
    >>> options.adjust, options.tolerances(), options.plane(Start(47.14, 39.6)).to_epsg()
    ('bowditch', (100.0, 50.0, 1.0), 32638)
    """

    crs: Any = None
    unit: str = "deg"
    adjust: str = "bowditch"
    declination_deg: float | None = None
    grid_correction_deg: float | None = None
    local_deg: float = 0.0
    scale: bool = True
    instrument: str = "compass"
    sigma_bearing_deg: float = 1.0
    sigma_distance_m: float = 0.1
    sigma_distance_share: float = 0.005
    sigma_north_deg: float | None = None
    programme: Programme = field(default_factory=Programme)

    def __post_init__(self) -> None:
        if self.adjust not in ADJUSTMENTS:
            raise TraverseError(f"'{self.adjust}' is not an adjustment", hint=f"use one of {', '.join(ADJUSTMENTS)}")
        if self.instrument not in TOLERANCES:
            raise TraverseError(f"'{self.instrument}' is not an instrument", hint=f"use one of {', '.join(TOLERANCES)}")

    def tolerances(self) -> tuple[float, float, float]:
        """Warn ratio, error ratio and floor in metres."""
        limit = self.programme.limit
        return TOLERANCES[self.instrument] or (
            limit("misclosure_warn_ratio"),
            limit("misclosure_error_ratio"),
            limit("misclosure_floor_m"),
        )

    def plane(self, start: Start) -> pyproj.CRS:
        """The projected system of the computation."""
        crs = self.crs or self.programme.crs
        if not crs and _crs.parse(start.crs).is_projected:
            crs = start.crs
        if not crs:
            lon, lat = _to(start, _crs.WGS84)
            zone = int(_crs.utm_zone(lon, lat))
            crs = f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"
        plane = _crs.parse(crs)
        if not plane.is_projected:
            raise TraverseError(
                f"{plane.name} has no grid to compute on", hint="give a projected system such as EPSG:32638"
            )
        if abs(plane.axis_info[0].unit_conversion_factor - 1.0) > 1e-9:
            raise TraverseError(
                f"{plane.name} is not in metres", hint="compute in a metric system and convert the result"
            )
        return plane


def _to(start: Start, target: pyproj.CRS) -> tuple[float, float]:
    moved = _crs.transform([shapely.Point(start.x, start.y)], start.crs, target)[0]
    return float(moved.x), float(moved.y)


def known_point(value: Any, crs: Any = None) -> Start:
    """A start from what callers have: `Start`, `Position`, (lon, lat), a shapely point, or a one-row layer.

    Numbers beyond 180/90 are taken in `crs` if it is given.

    Raises
    ------
    TraverseError
        If it is none of these, or metres without a system.

    Examples
    --------
    >>> known_point((47.14, 39.6)).crs
    'EPSG:4326'
    """
    if isinstance(value, Start):
        return value
    if isinstance(value, Position):
        return Start(value.lon, value.lat, h_acc_m=value.h_acc_m)
    if isinstance(value, gpd.GeoDataFrame | gpd.GeoSeries):
        return _from_layer(value)
    if isinstance(value, shapely.Point):
        value = (value.x, value.y)
    try:
        x, y = (float(number) for number in value)
    except (TypeError, ValueError) as error:
        raise TraverseError(
            "the start must be a point with known coordinates", hint="give (longitude, latitude) or traverse.Start(…)"
        ) from error
    if abs(x) <= 180 and abs(y) <= 90:
        return Start(x, y)
    if crs is None:
        raise TraverseError(
            f"the start {x:g}, {y:g} is in metres of a system that is not stated",
            hint="give TraverseOptions(crs='EPSG:32638')",
        )
    return Start(x, y, crs)


def _from_layer(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> Start:
    if len(layer) != 1:
        raise TraverseError(f"the start layer has {len(layer)} points; one is needed", hint="choose one by its id")
    point = layer.geometry.iloc[0]
    if point is None or point.is_empty or point.geom_type != "Point":
        raise TraverseError("the start is not a point")
    row = layer.iloc[0] if isinstance(layer, gpd.GeoDataFrame) else {}
    accuracy = row.get("h_acc_m")
    spread = float(accuracy) if accuracy is not None and pd.notna(accuracy) else None
    return Start(point.x, point.y, _crs.require(layer), point_name(row.get("id"), row.get("feature_id")), spread)


def point_name(key: Any, feature: Any = None) -> str:
    """Name of a point in its legs: its id without the name of the figure in front.

    Examples
    --------
    >>> point_name("H-7/TP1", "H-7"), point_name("TP1")
    ('TP1', 'TP1')
    """
    name = "" if key is None or pd.isna(key) else str(key)
    figure = "" if feature is None or pd.isna(feature) else str(feature)
    short = name.removeprefix(figure).lstrip("-_/: .") if figure and name.startswith(figure) else name
    return short or name


def known_points(fixes: Any, crs: Any = None) -> dict[str, Start]:
    """Named GNSS fixes from a mapping of name to point, or from a layer with `id`.

    Raises
    ------
    TraverseError
        If it is neither.
    """
    if fixes is None:
        return {}
    if isinstance(fixes, gpd.GeoDataFrame):
        rows = [fixes.iloc[[i]] for i in range(len(fixes)) if fixes.geometry.iloc[i] is not None]
        return {point.name: point for point in map(_from_layer, rows) if point.name}
    if not isinstance(fixes, Mapping):
        raise TraverseError("fixes are a layer with an id column, or a mapping of point name to (longitude, latitude)")
    return {str(name): known_point(value, crs) for name, value in fixes.items()}
