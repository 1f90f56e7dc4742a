"""Move geometries between systems, with long edges followed along the geodesic.

For planes to compute in; not for choosing a datum operation or recording it (see `operations`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geotools.model.arguments import positive
from geotools.model.doors import checked
from geotools.model.errors import CRSError
from geotools.space.crs.systems import GEOD, WGS84, code_or_wkt, equal_area, parse, require, transformer

EDGE_M = 500.0  # edges longer than this are densified along the geodesic before projecting


def transform(geometries: Any, source: Any, target: Any) -> np.ndarray:
    """Transform an array of shapely geometries between two systems, coordinates in (x, y) order; heights stay as they are.

    Parameters
    ----------
    geometries
        Array of shapely geometries; None and empty ones stay as they are.
    source, target
        Anything `parse` takes: an EPSG code, WKT, a PROJ string or a CRS.

    Returns
    -------
    numpy.ndarray
        Geometries in the order given; the array itself where both systems are the same.

    Raises
    ------
    CRSError
        If a finite coordinate has no image in the target system.

    Examples
    --------
    >>> moved = transform([shapely.Point(47.14, 39.6)], "EPSG:4326", "EPSG:32638")[0]
    >>> round(moved.x, 2), round(moved.y, 2)
    (683739.24, 4385550.44)
    """
    array = np.asarray(geometries, dtype=object)
    source_crs, target_crs = parse(source), parse(target)
    if source_crs == target_crs:
        return array
    if _is_laea(source_crs) and not target_crs.is_geographic:
        return transform(transform(array, source_crs, WGS84), WGS84, target_crs)
    change = transformer(code_or_wkt(source_crs), code_or_wkt(target_crs))
    correct = _is_laea(source_crs)

    def move(points: np.ndarray) -> np.ndarray:
        if not len(points):
            return points
        # one point as lists: pyproj would take arrays of one for numbers, which numpy 1.25 to 2.3 warns of
        x, y = points.T if len(points) > 1 else points.T.tolist()
        moved = np.column_stack(change.transform(x, y))
        if correct:
            moved[:, 1] += np.interp(moved[:, 1], *_laea_inverse_error())
        if not np.isfinite(moved).all():
            raise CRSError(
                f"some coordinates cannot be expressed in {target_crs.name}",
                hint=f"are they really in {source_crs.name}? try: geotools datum --explain FILE",
            )
        return moved

    high = shapely.has_z(array)
    if not high.any():
        return shapely.transform(array, move)
    out = np.empty_like(array)
    out[~high] = shapely.transform(array[~high], move)
    out[high] = shapely.transform(array[high], lambda p: np.column_stack([move(p[:, :2]), p[:, 2]]), include_z=True)
    return out


def _is_laea(crs: pyproj.CRS) -> bool:
    """Whether this is one of our own equal-area planes on WGS 84."""
    operation = crs.coordinate_operation
    return crs.name == "unknown" and operation is not None and operation.method_name == "Lambert Azimuthal Equal Area"


@cache
def _laea_inverse_error() -> tuple[np.ndarray, np.ndarray]:
    """Latitudes as PROJ's inverse gives them, and what they lack, in degrees.

    PROJ turns authalic into geodetic latitude by a short series, up to 0.8 mm off at 40°; the error depends on the
    latitude alone and is taken off here, so that ground returns to where it came from.
    """
    plane = equal_area((0.0, 0.0, 0.0, 0.0))
    there = transformer("EPSG:4326", code_or_wkt(plane))
    back = transformer(code_or_wkt(plane), "EPSG:4326")
    lat = np.linspace(-89.9, 89.9, 3597)
    given = back.transform(*there.transform(np.zeros_like(lat), lat))[1]
    return given, lat - given


@checked
def to_wgs84(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The frame in WGS 84 longitude and latitude, a new one even if it was there already; heights stay as they are.

    Raises
    ------
    CRSError
        If the frame has no CRS, or a coordinate has no image in WGS 84.

    Examples
    --------
    >>> wells = gpd.GeoDataFrame({"id": ["W-1"]}, geometry=[shapely.Point(683739.24, 4385550.44)], crs="EPSG:32638")
    >>> there = to_wgs84(wells)
    >>> there.crs.to_epsg(), there.geometry.x.round(5).tolist(), there.geometry.y.round(5).tolist()
    (4326, [47.14], [39.6])
    """
    crs = require(frame)
    out = frame.copy()
    return out.set_geometry(gpd.GeoSeries(transform(frame.geometry.array, crs, WGS84), index=frame.index, crs=WGS84))


AROUND_M = 5e7  # longer than the way round the Earth: these are no longitudes and latitudes


def densify(geometries: Any, longest_m: float = EDGE_M) -> np.ndarray:
    """Insert points along the geodesic in edges longer than `longest_m` metres.

    Parameters
    ----------
    geometries
        Polygons or lines in WGS 84 longitude and latitude.
    longest_m
        Longest edge that stays as it is, in metres on the ellipsoid.

    Returns
    -------
    numpy.ndarray
        New geometries; those without a long edge are the same objects.

    Examples
    --------
    >>> road = shapely.LineString([(47.0, 39.6), (47.1, 39.6)])
    >>> dense = densify([road, shapely.LineString([(47.0, 39.6), (47.001, 39.6)])], 1000)
    >>> shapely.get_num_coordinates(dense).tolist()
    [10, 2]
    """
    positive(longest_m, "the longest edge, in metres,")
    array = np.asarray(geometries, dtype=object).copy()
    coords, owner = shapely.get_coordinates(array, return_index=True)
    if len(coords) < 2:
        return array
    east, north = np.diff(coords[:, 0]), np.diff(coords[:, 1])
    rows = np.flatnonzero(east * east + north * north > (longest_m * 0.98 / 111_700) ** 2)
    lat = np.radians((coords[rows + 1, 1] + coords[rows, 1]) / 2)
    rough = 111_700 * np.hypot(east[rows] * np.cos(lat), north[rows])
    rows = rows[(rough > longest_m * 0.99) & (rough < AROUND_M) & (owner[rows + 1] == owner[rows])]
    for index in np.unique(owner[rows]):
        array[index] = _densified(array[index], longest_m)
    return array


def _densified(geometry: Any, longest_m: float) -> Any:
    if geometry.geom_type.startswith("Multi") or geometry.geom_type == "GeometryCollection":
        parts = [_densified(part, longest_m) for part in geometry.geoms]
        return type(geometry)(parts)
    if geometry.geom_type == "Polygon":
        return shapely.Polygon(
            _dense_ring(geometry.exterior, longest_m), [_dense_ring(r, longest_m) for r in geometry.interiors]
        )
    if geometry.geom_type in ("LineString", "LinearRing"):
        return type(geometry)(_dense_ring(geometry, longest_m))
    return geometry


def _dense_ring(ring: Any, longest_m: float) -> np.ndarray:
    points = shapely.get_coordinates(ring)
    _, _, lengths = GEOD.inv(points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1])
    out: list[Any] = []
    for start, end, length in zip(points[:-1], points[1:], np.atleast_1d(lengths), strict=True):
        out.append(start)
        extra = int(length // longest_m) if length < AROUND_M else 0  # not a number where this is no place on the Earth
        if extra:
            # computed from the smaller end so that both directions of a shared edge give the same points
            flip = tuple(end) < tuple(start)
            a, b = (end, start) if flip else (start, end)
            between = GEOD.npts(a[0], a[1], b[0], b[1], extra)
            out.extend(reversed(between) if flip else between)
    out.append(points[-1])
    return np.asarray(out, dtype=float)


def to_equal_area(geometries: Any, source: Any, target: pyproj.CRS) -> np.ndarray:
    """Geometries in any CRS, projected to an equal-area plane with long edges followed along the geodesic.

    Parameters
    ----------
    geometries
        Array of shapely geometries.
    source
        CRS of the geometries.
    target
        Usually `equal_area(...)` of the whole data, shared by all layers of one computation.

    Returns
    -------
    numpy.ndarray
        Geometries in metres of the plane; their areas are m² of ground.

    Raises
    ------
    CRSError
        If a finite coordinate has no image in the plane.

    Examples
    --------
    >>> plane = equal_area((47.0, 39.5, 47.4, 39.7))
    >>> field = shapely.box(700000, 4380000, 700100, 4380100)
    >>> round(to_equal_area([field], "EPSG:32638", plane)[0].area)
    9998
    """
    return transform(densify(transform(geometries, source, WGS84)), WGS84, target)
