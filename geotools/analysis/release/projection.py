"""Bring the polygons of every layer onto one equal-area plane, repaired, with the factor to ellipsoidal square metres.

For the geometry of the ledger only; which row means what is in `entries`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from geotools.space.outlines import Outlines

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
class Taken:
    """The geometries of one layer as they came (2-D), what can be used of them, and where they are in WGS 84, if that is known already."""

    given: np.ndarray
    state: np.ndarray
    source: pyproj.CRS | None
    lonlat: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Taken:
        """The same, for some rows in a given order."""
        lonlat = None if self.lonlat is None else self.lonlat[rows]
        return Taken(self.given[rows], self.state[rows], self.source, lonlat)

    def located(self) -> Taken:
        """The same in WGS 84: an empty polygon where it cannot be used or has no place there."""
        if self.lonlat is not None:
            return self
        lonlat = np.full(len(self.given), shapely.Polygon(), dtype=object)
        state = self.state.copy()
        usable = state == USABLE
        if self.source is not None:
            lonlat[usable], lost = _to_lonlat(self.given[usable], self.source)
            state[np.flatnonzero(usable)[lost]] = NO_PLACE
        lonlat[state != USABLE] = shapely.Polygon()
        return Taken(self.given, state, self.source, lonlat)

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Some of the geometries in WGS 84."""
        found = self.take(rows).located().lonlat
        assert found is not None
        return found


@dataclass(frozen=True)
class Ground:
    """The polygons of one layer on the plane; arrays are aligned with the rows of the frame.

    Attributes
    ----------
    given
        Geometries as they came (2-D), in the CRS of the layer.
    plane
        Valid polygons on the plane; an empty polygon where `state` is not `USABLE`.
    area
        Area on the plane, m²; `before` the same for the boundary as recorded, where it was `repaired`.
    dense
        Which have vertices added along long edges.
    """

    given: np.ndarray
    plane: np.ndarray
    area: np.ndarray
    state: np.ndarray
    repaired: np.ndarray
    before: np.ndarray
    crs: pyproj.CRS
    plane_crs: pyproj.CRS
    dense: np.ndarray
    located: np.ndarray | None = None

    @cached_property
    def outlines(self) -> Outlines:
        """The polygons on the plane as arrays."""
        return Outlines(self.plane, valid=True)

    @cached_property
    def lonlat(self) -> np.ndarray:
        """Valid polygons in WGS 84, without added vertices; empty where `state` is not `USABLE`."""
        if self.located is not None:
            return self.located
        out = np.full(len(self.given), shapely.Polygon(), dtype=object)
        for rows, shapes, system in (
            (self.repaired, self.plane, self.plane_crs),
            (~self.repaired & (self.state == USABLE), self.given, self.crs),
        ):
            out[rows] = _crs.transform(shapes[rows], system, _crs.WGS84)
        return out

    def points(self, rows: np.ndarray) -> np.ndarray:
        """A point inside each of these polygons, in WGS 84; None where there is no ground."""
        found = np.asarray(shapely.point_on_surface(self.plane[rows]), dtype=object)
        found[shapely.is_empty(found)] = None
        return _crs.transform(found, self.plane_crs, _crs.WGS84)


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


def taken(frame: gpd.GeoDataFrame, source: pyproj.CRS | None) -> Taken:
    """Geometries as given (2-D), and their state."""
    if source is None:
        none = np.full(len(frame), None, dtype=object)
        return Taken(none, np.full(len(frame), MISSING, dtype=np.int8), None)
    given = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    state = np.zeros(len(given), dtype=np.int8)
    state[~np.isin(shapely.get_type_id(given), (*geom.POLYGONAL, 7))] = NOT_AREA
    state[shapely.is_empty(given)] = EMPTY
    state[shapely.is_missing(given)] = MISSING
    if not np.isfinite(shapely.get_coordinates(given).sum()):
        finite = np.isfinite(shapely.bounds(given)).all(axis=1) & _finite(given)
        state[(state == USABLE) & ~finite] = NO_PLACE
    found = Taken(given, state, source)
    return found if _is_direct(source) else found.located()


def _is_direct(source: pyproj.CRS) -> bool:
    """Whether a projected system stands on WGS 84, so that one step leads from it to the plane."""
    geodetic = source.geodetic_crs
    return source.is_projected and geodetic is not None and geodetic.equals(_crs.WGS84, ignore_axis_order=True)


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


def plane_for(layers: list[Taken]) -> pyproj.CRS:
    """The local equal-area plane of a computation: centred on the median of the first layer that has any ground.

    The median, not the extent: one row with coordinates on another continent does not move it.
    """
    for layer in layers:
        bounds = shapely.bounds(layer.places(np.flatnonzero(layer.state == USABLE)))
        bounds = bounds[np.isfinite(bounds).all(axis=1)]
        if len(bounds):
            x, y = np.median((bounds[:, 0] + bounds[:, 2]) / 2), np.median((bounds[:, 1] + bounds[:, 3]) / 2)
            return _crs.equal_area((float(x), float(y), float(x), float(y)))
    return _crs.equal_area((0.0, 0.0, 0.0, 0.0))


def settle(layer: Taken, plane: pyproj.CRS) -> Ground:
    """Project, follow long edges along the geodesic, and repair what is invalid on the plane."""
    straight = None if layer.lonlat is not None or layer.source is None else _straight(layer, plane)
    if straight is None:
        layer = layer.located()
        assert layer.lonlat is not None
        dense, flat, lost = _flattened(layer.lonlat, plane)
        longer = np.fromiter((a is not b for a, b in zip(dense, layer.lonlat, strict=True)), bool, count=len(dense))
    else:
        flat, longer, lost = straight
    state, lonlat = layer.state.copy(), layer.lonlat
    state[lost & (state == USABLE)] = NO_PLACE
    bad = (state == USABLE) & (~geom.valid(flat) | (shapely.get_type_id(flat) == 7))
    before = np.abs(shapely.area(flat))
    if bad.any():
        flat[bad] = geom.repair(flat[bad])
    area = shapely.area(flat)
    state[(state == USABLE) & ~(area > 0)] = COLLAPSED
    flat[state != USABLE] = shapely.Polygon()
    area[state != USABLE] = 0.0
    if lonlat is not None:
        lonlat = lonlat.copy()
        lonlat[bad] = _crs.transform(flat[bad], plane, _crs.WGS84)
        lonlat[lost] = shapely.Polygon()
    return Ground(layer.given, flat, area, state, bad, before, layer.source or _crs.WGS84, plane, longer & ~bad, lonlat)


def _straight(layer: Taken, plane: pyproj.CRS) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """On the plane in one step, which were densified, and which cannot be there; None if some row has no place there at all."""
    assert layer.source is not None
    flat = np.full(len(layer.given), shapely.Polygon(), dtype=object)
    usable = layer.state == USABLE
    try:
        flat[usable] = _crs.transform(layer.given[usable], layer.source, plane)
    except CRSError:
        return None
    dense, lost = np.zeros(len(flat), dtype=bool), np.zeros(len(flat), dtype=bool)
    points, owner = shapely.get_coordinates(flat, return_index=True)
    step = np.diff(points, axis=0)
    step *= step
    long = np.flatnonzero(step[:, 0] + step[:, 1] > (0.95 * _crs.EDGE_M) ** 2)
    rows = np.unique(owner[long][owner[long] == owner[long + 1]])
    reach = np.abs(shapely.bounds(flat))
    far = np.flatnonzero(np.nan_to_num(reach).max(axis=1) > 0.5 * FAR_M)
    rows = np.union1d(rows, far)
    if len(rows):
        was = layer.places(rows)
        now, flat[rows], lost[rows] = _flattened(was, plane)
        dense[rows] = [a is not b for a, b in zip(now, was, strict=True)]
    return flat, dense, lost


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


def sigmas(lines: Outlines, sigma_m: np.ndarray) -> np.ndarray:
    """Standard deviation of polygon areas, m²: (σ/2)·sqrt(Σ|p(i+1) − p(i−1)|²) over the vertices of all rings.

    Source: propagation of independent vertex errors through the shoelace formula.
    """
    total: np.ndarray = np.zeros(len(lines.polygons))
    if len(lines.xy):
        starts, ends = lines.ring[:-1], lines.ring[1:] - 1  # the closing vertex repeats the first
        x, y = lines.xy.T
        squares = np.zeros(len(x))
        squares[1:-1] = (x[2:] - x[:-2]) ** 2 + (y[2:] - y[:-2]) ** 2
        squares[starts] = (x[starts + 1] - x[ends - 1]) ** 2 + (y[starts + 1] - y[ends - 1]) ** 2
        squares[ends] = 0.0
        full = lines.first[1:] > lines.first[:-1]
        total[full] = np.add.reduceat(squares, lines.first[:-1][full])
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
