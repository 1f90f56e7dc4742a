"""Bring the polygons of every layer onto one equal-area plane, repaired, with the factor to ellipsoidal square metres.

For the geometry of the ledger only; which row means what is in `entries`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.errors import GEOSException

from geotools.model.errors import CRSError, SchemaError
from geotools.space import crs as _crs
from geotools.space import geom, measure

NEEDLE_M = 1e-6
FAR_M = 12.3e6  # 150° from the centre of an equal-area plane; a ring around its antipode would turn inside out
USABLE, MISSING, EMPTY, NOT_AREA, NO_PLACE, COLLAPSED = range(6)
REASONS = {
    MISSING: "it has no geometry",
    EMPTY: "its geometry is empty",
    NOT_AREA: "its geometry is a point or a line, not an area",
    NO_PLACE: "its coordinates are not numbers, lie outside the reference system or on the other side of the Earth",
    COLLAPSED: "its boundary encloses no area",
}


@dataclass(frozen=True)
class Ground:
    """The polygons of one layer on the plane; arrays are aligned with the rows of the frame.

    Attributes
    ----------
    given
        Geometries as they came (2-D), in the CRS of the layer.
    lonlat, plane
        Valid polygons in WGS 84 and on the plane; an empty polygon where `state` is not `USABLE`.
    area
        Area on the plane, m²; `before` the same for the boundary as recorded, where it was `repaired`.
    """

    given: np.ndarray
    lonlat: np.ndarray
    plane: np.ndarray
    area: np.ndarray
    state: np.ndarray
    repaired: np.ndarray
    before: np.ndarray
    crs: pyproj.CRS
    dense: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @cached_property
    def points(self) -> np.ndarray:
        """A point inside each polygon, in WGS 84; None where there is no ground."""
        found = np.asarray(shapely.point_on_surface(self.lonlat), dtype=object)
        return np.where(shapely.is_empty(found), np.full(len(found), None, dtype=object), found)

    def take(self, rows: np.ndarray) -> Ground:
        """The same, for some rows in a given order."""
        names = ("given", "lonlat", "plane", "area", "state", "repaired", "before", "dense")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def layer_crs(frame: gpd.GeoDataFrame, what: str) -> pyproj.CRS | None:
    """The CRS of a layer, None for an empty frame that has none.

    Raises
    ------
    SchemaError
        If the frame has rows but no geometry column.
    CRSError
        If it has geometries without a CRS.
    """
    try:
        series = frame.geometry
    except AttributeError as error:
        if not len(frame):
            return None
        raise SchemaError(
            f"the {what} have no geometry column",
            hint="use frame.set_geometry('…') or geopandas.GeoDataFrame(table, geometry=…)",
        ) from error
    if series.crs is None:
        if series.notna().any():
            _crs.require(series, what)
        return None
    return pyproj.CRS(series.crs)


def lonlat_of(frame: gpd.GeoDataFrame, source: pyproj.CRS | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Geometries as given (2-D), in WGS 84, and their state; unusable ones are empty polygons in WGS 84."""
    if source is None:
        none = np.full(len(frame), None, dtype=object)
        return none, np.full(len(frame), shapely.Polygon(), dtype=object), np.full(len(frame), MISSING, dtype=np.int8)
    given = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    state = np.zeros(len(given), dtype=np.int8)
    state[~np.isin(shapely.get_type_id(given), (*geom.POLYGONAL, 7))] = NOT_AREA
    state[shapely.is_empty(given)] = EMPTY
    state[shapely.is_missing(given)] = MISSING
    finite = np.isfinite(shapely.bounds(given)).all(axis=1) & _finite(given)
    state[(state == USABLE) & ~finite] = NO_PLACE
    usable = state == USABLE
    lonlat = np.full(len(given), shapely.Polygon(), dtype=object)
    lonlat[usable], lost = _to_lonlat(given[usable], source)
    state[np.flatnonzero(usable)[lost]] = NO_PLACE
    lonlat[state != USABLE] = shapely.Polygon()
    return given, lonlat, state


def _finite(geometries: np.ndarray) -> np.ndarray:
    points, owner = shapely.get_coordinates(geometries, return_index=True)
    good = np.ones(len(geometries), dtype=bool)
    good[owner[~np.isfinite(points).all(axis=1)]] = False
    return good


def _to_lonlat(geometries: np.ndarray, source: pyproj.CRS) -> tuple[np.ndarray, np.ndarray]:
    try:
        out = _crs.transform(geometries, source, _crs.WGS84)
    except CRSError:  # some row is out of the world: find which
        out = np.array([_one(geometry, source) for geometry in geometries], dtype=object)
    west, south, east, north = np.nan_to_num(shapely.bounds(out).T, nan=0.0)
    lost = (
        shapely.is_empty(out)
        | (np.abs(west) > 360)
        | (np.abs(east) > 360)
        | (np.abs(south) > 90)
        | (np.abs(north) > 90)
    )
    return out, lost


def _one(geometry: Any, source: pyproj.CRS) -> Any:
    try:
        return _crs.transform([geometry], source, _crs.WGS84)[0]
    except CRSError:
        return shapely.Polygon()


def plane_for(lonlats: list[np.ndarray]) -> pyproj.CRS:
    """The local equal-area plane of a computation: centred on the median of the first layer that has any ground.

    The median, not the extent: one row with coordinates on another continent does not move it.
    """
    for lonlat in lonlats:
        bounds = shapely.bounds(lonlat)
        bounds = bounds[np.isfinite(bounds).all(axis=1)]
        if len(bounds):
            x, y = np.median((bounds[:, 0] + bounds[:, 2]) / 2), np.median((bounds[:, 1] + bounds[:, 3]) / 2)
            return _crs.equal_area((float(x), float(y), float(x), float(y)))
    return _crs.equal_area((0.0, 0.0, 0.0, 0.0))


def settle(
    given: np.ndarray, lonlat: np.ndarray, state: np.ndarray, source: pyproj.CRS | None, plane: pyproj.CRS
) -> Ground:
    """Project, follow long edges along the geodesic, and repair what is invalid on the plane."""
    state = state.copy()
    dense, flat, lost = _flattened(lonlat, plane)
    if (lost & (state == USABLE)).any():
        state[lost & (state == USABLE)] = NO_PLACE
        lonlat = lonlat.copy()
        lonlat[lost] = shapely.Polygon()
    bad = (state == USABLE) & (~shapely.is_valid(flat) | (shapely.get_type_id(flat) == 7))
    before = np.abs(shapely.area(flat))
    if bad.any():
        flat[bad] = geom.repair(flat[bad])
        lonlat = lonlat.copy()
        lonlat[bad] = _crs.transform(flat[bad], plane, _crs.WGS84)
    area = shapely.area(flat)
    collapsed = (state == USABLE) & ~(area > 0)
    state[collapsed] = COLLAPSED
    flat[collapsed] = shapely.Polygon()
    area[state != USABLE] = 0.0
    longer = np.fromiter((a is not b for a, b in zip(dense, lonlat, strict=True)), dtype=bool, count=len(lonlat))
    return Ground(given, lonlat, flat, area, state, bad, before, source or _crs.WGS84, longer)


def _flattened(lonlat: np.ndarray, plane: pyproj.CRS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Densified in WGS 84, on the plane, and which cannot be there (empty in both)."""

    lost = np.zeros(len(lonlat), dtype=bool)
    dense, flat = lonlat.copy(), lonlat.copy()
    parts = [np.arange(len(lonlat))]
    while parts:  # where a row cannot be expressed, halves are tried until it stands alone
        rows = parts.pop()
        try:
            long = _crs.densify(lonlat[rows])
            flat[rows], dense[rows] = _crs.transform(long, _crs.WGS84, plane), long
        except CRSError:
            if len(rows) == 1:
                lost[rows] = True
            else:
                parts += np.array_split(rows, 2)
    reach = np.nan_to_num(np.abs(shapely.bounds(flat)), nan=0.0, posinf=np.inf)
    lost |= np.hypot(reach[:, [0, 2]].max(axis=1), reach[:, [1, 3]].max(axis=1)) > FAR_M
    dense[lost] = flat[lost] = shapely.Polygon()
    return dense, flat, lost


def factors(ground: Ground) -> np.ndarray:
    """Ellipsoidal m² per m² on the plane, per row: 1 within about 1e-7, so that a hazard's area is its geodesic area."""
    exact = measure.area(gpd.GeoSeries(ground.lonlat, crs=_crs.WGS84)).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = exact / ground.area
    return np.where((ground.area > 0) & (np.abs(factor - 1) < 1e-3), factor, 1.0)


def sigmas(plane: np.ndarray, sigma_m: np.ndarray) -> np.ndarray:
    """Standard deviation of polygon areas, m²: (σ/2)·sqrt(Σ|p(i+1) − p(i−1)|²) over the vertices of all rings.

    Source: propagation of independent vertex errors through the shoelace formula.
    """
    parts, owner = shapely.get_parts(plane, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    total: np.ndarray = np.zeros(len(plane))
    if len(rings):
        points, ring = shapely.get_coordinates(rings, return_index=True)
        starts = np.r_[0, np.flatnonzero(np.diff(ring)) + 1]
        ends = np.r_[starts[1:], len(ring)] - 1  # the closing vertex repeats the first
        after, before = np.arange(1, len(ring) + 1), np.arange(-1, len(ring) - 1)
        before[starts] = ends - 1
        after[ends] = ends  # not used
        across = points[after] - points[before]
        squares = (across**2).sum(axis=1)
        squares[ends] = 0.0
        total = np.bincount(owner[part[ring]], weights=squares, minlength=len(plane))
    return 0.5 * np.asarray(sigma_m, dtype=float) * np.sqrt(total)


def back(geometries: np.ndarray, plane: pyproj.CRS, target: pyproj.CRS) -> np.ndarray:
    """Polygons on the plane, in the CRS of a layer; valid there too (needles that rounding would cross are taken off)."""

    def move(shapes: np.ndarray) -> np.ndarray:
        return _crs.transform(_crs.transform(shapes, plane, _crs.WGS84), _crs.WGS84, target)

    flat = np.asarray(geometries, dtype=object)
    out = move(flat)
    for row in np.flatnonzero(~shapely.is_valid(out)):
        try:
            out[[row]] = move(geom.polygonal(shapely.set_precision(flat[[row]], NEEDLE_M)))
        except GEOSException:
            continue
    return geom.repair(out)
