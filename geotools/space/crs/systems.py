"""Which system: parse it, require it, name it, and choose metres for a place.

Not for moving coordinates (see `planes`) nor for datum shifts (see `operations`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import ProjError

from geotools.model.arguments import array
from geotools.model.doors import checked
from geotools.model.errors import CRSError, SchemaError

WGS84 = pyproj.CRS.from_epsg(4326)
GEOD = pyproj.Geod(ellps="WGS84")


def parse(crs: Any) -> pyproj.CRS:
    """A CRS from an EPSG code, WKT, PROJ text or pyproj object.

    Raises
    ------
    CRSError
        If it cannot be understood.

    Examples
    --------
    >>> parse("EPSG:32638").to_epsg()
    32638
    """
    try:
        return pyproj.CRS.from_user_input(crs)
    except (pyproj.exceptions.CRSError, UnicodeError) as error:
        raise CRSError(
            f"'{str(crs)[:200]}' is not a coordinate reference system", hint="use an EPSG code such as EPSG:32638"
        ) from error


def require(frame: gpd.GeoDataFrame | gpd.GeoSeries, what: str = "layer") -> pyproj.CRS:
    """The CRS of a frame.

    Parameters
    ----------
    frame
        A layer whose CRS must be known.
    what
        What to call it in the error.

    Raises
    ------
    CRSError
        If it has none: nothing is ever guessed here.

    Examples
    --------
    >>> place = gpd.GeoSeries(gpd.points_from_xy([47.14], [39.6]), crs=4326)
    >>> require(place).to_epsg()
    4326
    >>> require(place.set_crs(None, allow_override=True), "hazards")
    Traceback (most recent call last):
    geotools.model.errors.CRSError: the hazards has no coordinate reference system
    """
    if not hasattr(frame, "crs"):
        raise SchemaError(
            f"the {what} must be a layer with geometry, not {type(frame).__name__}",
            hint="read it with geotools.read, or make a GeoDataFrame with a crs",
        )
    if frame.crs is None:
        raise CRSError(
            f"the {what} has no coordinate reference system",
            hint="give one, for example crs='EPSG:32638' or --crs EPSG:32638",
        )
    return pyproj.CRS(frame.crs)


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> pyproj.Transformer:
    """A cached transformer between two systems given as WKT or codes, in (x, y) order.

    Examples
    --------
    >>> change = transformer("EPSG:4326", "EPSG:32638")
    >>> [round(float(v), 2) for v in change.transform(47.14, 39.6)]
    [683739.24, 4385550.44]
    """
    try:
        return pyproj.Transformer.from_crs(source, target, always_xy=True)
    except ProjError as error:
        raise CRSError(
            f"nothing can be brought from {source[:80]} to {target[:80]}",
            hint="one of the two systems is damaged: name the right one, for example EPSG:32638",
        ) from error


def code_or_wkt(crs: pyproj.CRS) -> str:
    """The EPSG code where it says everything, else the WKT: a key that can be cached.

    Examples
    --------
    >>> code_or_wkt(pyproj.CRS(32638)), code_or_wkt(equal_area((47.0, 39.5, 47.1, 39.6)))[:8]
    ('EPSG:32638', 'PROJCRS[')
    """
    return _code_or_wkt(crs.srs)


@lru_cache(maxsize=256)
def _code_or_wkt(text: str) -> str:
    """The key of a system by the text it was made from, which says everything about it; looking for its code is slow."""
    crs = pyproj.CRS(text)
    code = crs.to_epsg(min_confidence=100)
    return f"EPSG:{code}" if code else crs.to_wkt()


def on_wgs84(crs: pyproj.CRS) -> bool:
    """Whether a system stands on WGS 84, so that no datum operation leads there.

    Examples
    --------
    >>> on_wgs84(pyproj.CRS("EPSG:32638")), on_wgs84(pyproj.CRS("EPSG:28408"))
    (True, False)
    """
    geodetic = crs.geodetic_crs
    return geodetic is not None and geodetic.equals(WGS84, ignore_axis_order=True)


UNNAMED = frozenset({"", "unknown", "unnamed", "undefined", "custom", "user defined"})
LONGEST = 60  # letters of a title, so that it can stand in a sentence


def label(crs: Any) -> str:
    """A short name of a system: its EPSG code, else its title, else what kind it is.

    Examples
    --------
    >>> label("EPSG:32638"), label("+proj=laea +lat_0=39 +lon_0=47")
    ('EPSG:32638', 'local equal-area plane (LAEA)')
    >>> label("+proj=tmerc +lon_0=46.9 +datum=WGS84")
    'unnamed (Transverse Mercator, metre, World Geodetic System 1984)'
    """
    system = parse(crs)
    code = system.to_epsg(min_confidence=70)
    if code:
        return f"EPSG:{code}"
    if _named(system):
        return system.name
    operation = _bare(system).coordinate_operation
    equal = operation is not None and operation.method_name == "Lambert Azimuthal Equal Area"
    return "local equal-area plane (LAEA)" if equal else f"unnamed ({_kind(system)})"


def described(crs: Any) -> str:
    """A system for a sentence: its EPSG code, else its title and what kind it is.

    Examples
    --------
    >>> described("EPSG:32638"), described('LOCAL_CS["Site grid 3",UNIT["metre",1]]')
    ('EPSG:32638', 'Site grid 3 (local, metre)')
    >>> described("+proj=longlat +ellps=bessel")
    'unnamed (longitude and latitude, Bessel 1841)'
    """
    system = parse(crs)
    code = system.to_epsg(min_confidence=70)
    if code:
        return f"EPSG:{code}"
    return f"{_title(system.name) if _named(system) else 'unnamed'} ({_kind(system)})"


def _title(name: str) -> str:
    """A title as words, cut where it is too long for a sentence."""
    words = " ".join(name.replace("_", " ").split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _named(system: pyproj.CRS) -> bool:
    return system.name.strip().lower() not in UNNAMED


def _bare(system: pyproj.CRS) -> pyproj.CRS:
    """The horizontal system itself, without a height beside it or a way to WGS 84."""
    while system.is_compound or system.is_bound:
        inner = system.source_crs if system.is_bound else next(iter(system.sub_crs_list), None)
        if inner is None:
            break
        system = inner
    return system


def _kind(system: pyproj.CRS) -> str:
    """What kind of system it is: projection and unit, or degrees, and on which datum or, where that has no name, ellipsoid."""
    plain = _bare(system)
    unit = next((axis.unit_name for axis in plain.axis_info), "")
    base = plain.geodetic_crs
    if base is None:
        return ", ".join(part for part in ("local", unit) if part)
    datum = base.datum.name if base.datum is not None else ""
    if not datum or "unknown" in datum.lower():
        datum = base.ellipsoid.name if base.ellipsoid is not None else "datum not stated"
    datum = _title(datum)
    operation = plain.coordinate_operation if plain.is_projected else None
    if operation is not None:
        return f"{operation.method_name}, {unit}, {datum}"
    return f"{'longitude and latitude' if plain.is_geographic else 'geocentric'}, {datum}"


def equal_area(bounds: tuple[float, float, float, float]) -> pyproj.CRS:
    """Local Lambert azimuthal equal-area plane on WGS 84, centred on `bounds` (west, south, east, north, degrees).

    The centre is rounded to 0.01°, so that small changes of the data do not move the plane. Scale error of areas is
    below 0.02 ppm out to 500 km.

    Raises
    ------
    CRSError
        If these are not four numbers, or no place on the Earth.

    Examples
    --------
    >>> equal_area((46.0, 39.0, 48.0, 40.0)).is_projected
    True
    """
    given = array(bounds, "bounds")
    if given.shape != (4,):
        raise CRSError("bounds are (west, south, east, north)", hint="four numbers in degrees")
    west, south, east, north = given.tolist()
    if not np.isfinite([west, south, east, north]).all():
        west, south, east, north = 0.0, 0.0, 0.0, 0.0
    lon, lat = round((west + east) / 2, 2), round((south + north) / 2, 2)
    if abs(lat) > 90 or abs(lon) > 360:
        raise CRSError(
            f"longitude {lon:g}, latitude {lat:g} is not a place on the Earth",
            hint="is the reference system the right one?",
        )
    return _laea(lon, lat)


@lru_cache(maxsize=64)
def _laea(lon: float, lat: float) -> pyproj.CRS:
    return pyproj.CRS.from_proj4(f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +no_defs")


@checked
def utm(lon: float, lat: float) -> pyproj.CRS:
    """The WGS 84 / UTM zone of a point, for plotting and metres on paper, never for areas.

    Examples
    --------
    >>> utm(47.99, 40).to_epsg(), utm(48.01, 40).to_epsg()
    (32638, 32639)
    """
    zone = int(np.floor((lon + 180) / 6)) % 60 + 1
    return pyproj.CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def utm_zone(lon: Any, lat: Any) -> np.ndarray:
    """UTM zone numbers, with the wider 32V of Norway and the four zones of Svalbard; vectorised.

    Raises
    ------
    CRSError
        If a longitude is missing or no number of degrees.

    Examples
    --------
    >>> utm_zone([47.99, 48.0, 5.0, 20.9], [40, 40, 60, 78]).tolist()
    [38, 39, 32, 33]
    """
    x, y = np.broadcast_arrays(array(lon, "longitude"), array(lat, "latitude"))
    if not (np.isfinite(x) & (np.abs(x) < 1e6)).all():
        raise CRSError("a UTM zone needs a longitude in degrees", hint="leave missing places out")
    x = (x + 180.0) % 360.0 - 180.0
    zone = np.floor((x + 180.0) / 6.0).astype(int) % 60 + 1
    zone = np.where((y >= 56) & (y < 64) & (x >= 3) & (x < 12), 32, zone)
    svalbard = np.select([x < 9, x < 21, x < 33], [31, 33, 35], 37)
    return np.where((y >= 72) & (y < 84) & (x >= 0) & (x < 42), svalbard, zone)


def metric(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.Series:
    """The WGS 84 / UTM system of each feature, by where its middle lies: right on both sides of 48° E.

    Returns
    -------
    Series
        ``crs`` as EPSG text on the index of the input, None for missing or empty geometry; group by it to work in metres.

    Examples
    --------
    >>> metric(gpd.GeoSeries(gpd.points_from_xy([47.9, 48.1], [40, 40]), crs=4326)).tolist()
    ['EPSG:32638', 'EPSG:32639']
    """
    require(frame)
    series = frame.geometry
    boxes = shapely.bounds(np.asarray(series.array, dtype=object))
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    known = np.isfinite(x) & np.isfinite(y)
    out = np.full(len(series), None, dtype=object)
    if known.any():
        lon, lat = transformer(code_or_wkt(require(series)), "EPSG:4326").transform(x[known], y[known])
        there = np.isfinite(lon) & np.isfinite(lat)
        known[known], lon, lat = there, lon[there], lat[there]
        zone = utm_zone(lon, lat)
        out[known] = [
            f"EPSG:{(32600 if north else 32700) + number}"
            for number, north in zip(zone, np.asarray(lat) >= 0, strict=True)
        ]
    return pd.Series(out, index=series.index, name="crs", dtype=object)
