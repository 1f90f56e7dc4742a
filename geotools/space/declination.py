"""Magnetic declination from the World Magnetic Model, and grid convergence of a projected system.

For turning a bearing from one north to another; the traverse itself is in `space.traverse`.
"""

from __future__ import annotations

import calendar
import datetime as dt
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj

from geotools.model.doors import checked
from geotools.model.errors import CRSError, TraverseError
from geotools.space.crs import code_or_wkt, parse

# first year → coefficient table of pygeomag; each is good for five years
MODELS = {2010: "2010", 2015: "2015v2", 2020: "2020", 2025: "2025"}


@lru_cache(maxsize=8)
def _model(name: str) -> Any:
    import importlib

    import pygeomag

    data = importlib.import_module(f"pygeomag.wmm.wmm_{name}")
    return pygeomag.GeoMag(coefficients_data=getattr(data, f"WMM_{name}"))


@checked
def decimal_year(date: dt.date | float) -> float:
    """A date as a year with decimals.

    Examples
    --------
    >>> decimal_year(dt.date(2026, 7, 2))
    2026.4986301369863
    """
    if isinstance(date, int | float):
        return float(date)
    length = 366 if calendar.isleap(date.year) else 365
    return date.year + (date.timetuple().tm_yday - 1) / length


@checked
def field(lat: float, lon: float, *, date: dt.date | float, height_m: float = 0.0) -> tuple[float, float]:
    """Declination and its standard deviation, both in degrees, from the World Magnetic Model of the time.

    The deviation is that of the model's own error statement, or 0.5° before 2015; iron near the compass is not in it.

    Parameters
    ----------
    lat, lon
        Degrees WGS 84, latitude first.
    date
        Day of the measurement, or a year with decimals.
    height_m
        Height above the ellipsoid in metres.

    Returns
    -------
    declination, deviation
        Degrees; east positive.

    Raises
    ------
    TraverseError
        If no model holds for the date, the place is not on the Earth, or a compass is unusable there.

    Examples
    --------
    >>> east, sigma = field(39.6, 47.14, date=dt.date(2026, 11, 20))
    >>> round(east, 2), round(sigma, 2)
    (6.31, 0.33)
    """
    year = decimal_year(date)
    start = next((first for first in sorted(MODELS, reverse=True) if first <= year < first + 5), None)
    if start is None:
        raise TraverseError(
            f"no magnetic model is at hand for {year:.1f}: they hold from {min(MODELS)} to {max(MODELS) + 5}",
            hint="give the declination of that time yourself (declination_deg=…, --declination)",
        )
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and np.isfinite(height_m)):
        raise TraverseError(
            f"latitude {lat:g}, longitude {lon:g} is not a place on the Earth", hint="latitude comes first here"
        )
    result = _model(MODELS[start]).calculate(glat=float(lat), glon=float(lon), alt=height_m / 1000.0, time=year)
    if result.in_blackout_zone:
        raise TraverseError("a compass cannot be used this near to a magnetic pole", hint="use true or grid bearings")
    sigma = float(result.calculate_uncertainty().d) if year >= 2015 else 0.5
    return float(result.d), sigma


@checked
def declination_deg(lat: float, lon: float, *, date: dt.date | float, height_m: float = 0.0) -> float:
    """Magnetic declination in degrees, east positive: true bearing = magnetic bearing + declination.

    World Magnetic Model (NOAA NCEI and BGS) through pygeomag: WMM2025, and the older tables for dates from 2010.

    Parameters
    ----------
    lat, lon
        Degrees WGS 84, latitude first.
    date
        Day of the measurement, or a year with decimals.
    height_m
        Height above the ellipsoid in metres.

    Raises
    ------
    TraverseError
        If no model holds for the date, or a compass is unusable there.

    Examples
    --------
    >>> round(declination_deg(39.6, 47.14, date=dt.date(2026, 11, 20)), 2)
    6.31
    """
    return field(lat, lon, date=date, height_m=height_m)[0]


@lru_cache(maxsize=32)
def _projection(code: str) -> pyproj.Proj:
    return pyproj.Proj(code)


@checked
def factors(lon: float, lat: float, crs: Any) -> tuple[float, float]:
    """Grid convergence in degrees and point scale of a projected system at a place.

    Parameters
    ----------
    lon, lat
        Degrees WGS 84, longitude first.
    crs
        A projected system: anything `parse` takes.

    Returns
    -------
    convergence, scale
        Degrees, east positive; and length on the grid over length on the ellipsoid.

    Raises
    ------
    CRSError
        If the system is not projected, or does not reach the place.

    Examples
    --------
    >>> convergence, scale = factors(47.14, 39.6, "EPSG:32638")
    >>> round(convergence, 3), round(scale, 6)
    (1.364, 1.000016)
    """
    system = parse(crs)
    if not system.is_projected:
        raise CRSError(
            f"{system.name} has no grid: convergence needs a projected system", hint="for example EPSG:32638"
        )
    found = _projection(code_or_wkt(system)).get_factors(lon, lat)
    gamma, scale = float(found.meridian_convergence), float(found.meridional_scale)
    if not np.isfinite([gamma, scale]).all():
        raise CRSError(f"{system.name} does not reach longitude {lon:g}, latitude {lat:g}")
    return gamma, scale


@checked
def convergence_deg(lon: float, lat: float, crs: Any) -> float:
    """Grid convergence in degrees, east positive: grid bearing = true bearing − convergence.

    Parameters
    ----------
    lon, lat
        Degrees, longitude first.
    crs
        A projected system.

    Raises
    ------
    CRSError
        If the system is not projected, or does not reach the place.

    Examples
    --------
    >>> round(convergence_deg(47.14, 39.6, "EPSG:32638"), 3)
    1.364
    """
    return factors(lon, lat, crs)[0]
