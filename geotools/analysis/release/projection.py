"""Bring the polygons of every layer onto one equal-area plane, repaired, with the factor to ellipsoidal square metres.

For the geometry of the ledger only; which row means what is in `entries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.errors import GEOSException

from geotools.model.errors import CRSError, SchemaError
from geotools.model.parallel import map_ordered, on_cluster, workers
from geotools.space import crs as _crs
from geotools.space import geom, measure
from geotools.space.outlines import Outlines
from geotools.space.shapes import Shapes

NEEDLE_M = 1e-6
BATCH = 50_000  # rows brought to the plane at a time
LEAST = 500  # rows below which a second thread does not pay
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
    """The geometries of one layer as they came (2-D), and what can be used of them."""

    given: np.ndarray
    state: np.ndarray
    source: pyproj.CRS | None

    def __len__(self) -> int:
        return len(self.given)

    def take(self, rows: np.ndarray) -> Taken:
        """The same, for some rows in a given order."""
        return Taken(self.given[rows], self.state[rows], self.source)

    def located(self) -> tuple[np.ndarray, np.ndarray]:
        """In WGS 84, and their state: an empty polygon where one cannot be used or has no place there."""
        lonlat = np.full(len(self.given), shapely.Polygon(), dtype=object)
        state = self.state.copy()
        usable = state == USABLE
        if self.source is not None:
            lonlat[usable], lost = _to_lonlat(self.given[usable], self.source)
            state[np.flatnonzero(usable)[lost]] = NO_PLACE
        lonlat[state != USABLE] = shapely.Polygon()
        return lonlat, state

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Some of the geometries in WGS 84."""
        return self.take(rows).located()[0]

    def centres(self) -> np.ndarray:
        """Longitude and latitude of the middle of each geometry's box, where there is one."""
        batches = (self.take(rows) for rows in _shared(np.flatnonzero(self.state == USABLE)))
        return np.concatenate([np.zeros((0, 2)), *map_ordered(centres, batches)])

    def settled(self, order: np.ndarray, plane: pyproj.CRS, *, exact: bool = False) -> Ground:
        """On the plane, in a given order; see `settle`."""
        batches = (self.take(rows) for rows in _shared(order))
        parts = map_ordered(partial(settle, plane=plane, exact=exact), batches)
        return Ground.joined(parts or [settle(self, plane, exact=exact)])


def _batches(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, -(-len(rows) // BATCH)) if len(rows) else []


def _shared(rows: np.ndarray) -> list[np.ndarray]:
    """Batches for several threads at once; every row is brought to the plane for itself, so the cut changes nothing."""
    size = BATCH if on_cluster() else min(BATCH, max(LEAST, -(-len(rows) // workers())))
    return np.array_split(rows, -(-len(rows) // size)) if len(rows) else []


def centres(layer: Taken) -> np.ndarray:
    """Middle of the box of each usable geometry in WGS 84; none for what has no place there."""
    bounds = shapely.bounds(layer.located()[0])
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    west, east = bounds[:, 0], bounds[:, 2]
    middle = (west + east) / 2 + np.where(east - west > 180, 180.0, 0.0)  # a ring across the 180th meridian
    return np.column_stack([_wrapped(middle), (bounds[:, 1] + bounds[:, 3]) / 2])


def _wrapped(lon: np.ndarray) -> np.ndarray:
    """Longitudes from −180 up to 180."""
    return np.where((lon < -180) | (lon > 180), (lon + 180) % 360 - 180, lon)


def _median_lon(lon: np.ndarray) -> float:
    """The median longitude, counted across the 180th meridian where ground lies on both sides of it."""
    east = np.where(lon < 0, lon + 360, lon)
    plain, across = float(np.median(lon)), float(np.median(east))
    apart = np.median(np.abs(east - across)) < np.median(np.abs(lon - plain))
    return float(_wrapped(np.array(across))) if apart else plain


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
    spread
        Standard deviation of the area in m² if every recorded corner had one of 1 m per axis.
    exact
        Area on the WGS 84 ellipsoid, where it was asked for; else as on the plane.
    """

    given: Shapes
    plane: Shapes
    area: np.ndarray
    state: np.ndarray
    repaired: np.ndarray
    before: np.ndarray
    dense: np.ndarray
    spread: np.ndarray
    exact: np.ndarray
    crs: pyproj.CRS
    plane_crs: pyproj.CRS

    @classmethod
    def joined(cls, parts: Sequence[Ground]) -> Ground:
        """Several, one after the other."""
        if len(parts) == 1:
            return parts[0]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
        given, plane = (
            np.concatenate([np.asarray(getattr(part, name)) for part in parts]) for name in ("given", "plane")
        )
        flat = Shapes.of(plane, area=columns["area"])
        return cls(Shapes.of(given), flat, **columns, crs=parts[0].crs, plane_crs=parts[0].plane_crs)

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Valid polygons in WGS 84, without added vertices; empty where `state` is not `USABLE`."""
        out = np.full(len(rows), shapely.Polygon(), dtype=object)
        usable, repaired = self.state[rows] == USABLE, self.repaired[rows]
        for mine, shapes, system in (
            (usable & repaired, self.plane, self.plane_crs),
            (usable & ~repaired, self.given, self.crs),
        ):
            out[mine] = _crs.transform(shapes[rows[mine]], system, _crs.WGS84)
        return out

    def points(self, rows: np.ndarray) -> np.ndarray:
        """A point inside each of these polygons, in WGS 84; None where there is no ground."""
        found = np.concatenate(
            [np.zeros(0, dtype=object), *(shapely.point_on_surface(self.plane[some]) for some in _batches(rows))]
        )
        found[shapely.is_empty(found)] = None
        return _crs.transform(found, self.plane_crs, _crs.WGS84)


COLUMNS = ("area", "state", "repaired", "before", "dense", "spread", "exact")


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


def taken(shapes: np.ndarray, source: pyproj.CRS | None) -> Taken:
    """Geometries as given (2-D), and their state."""
    if source is None:
        none = np.full(len(shapes), None, dtype=object)
        return Taken(none, np.full(len(shapes), MISSING, dtype=np.int8), None)
    flat = ~(shapely.has_z(shapes) | shapely.has_m(shapes))
    with np.errstate(invalid="ignore"):  # a corner may be no number
        given = shapes if flat.all() else shapely.force_2d(shapes)
    state = np.zeros(len(given), dtype=np.int8)
    state[~np.isin(shapely.get_type_id(given), (*geom.POLYGONAL, 7))] = NOT_AREA
    state[shapely.is_empty(given)] = EMPTY
    state[shapely.is_missing(given)] = MISSING
    if not np.isfinite(shapely.get_coordinates(given).sum()):
        finite = np.isfinite(shapely.bounds(given)).all(axis=1) & _finite(given)
        state[(state == USABLE) & ~finite] = NO_PLACE
    return Taken(given, state, source)


def _is_direct(source: pyproj.CRS) -> bool:
    """Whether a projected system stands on WGS 84, so that one step leads from it to the plane."""
    return source.is_projected and _crs.on_wgs84(source)


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


def plane_for(layers: Sequence[Located]) -> pyproj.CRS:
    """The local equal-area plane of a computation: centred on the median of the first layer that has any ground.

    The median, not the extent: one row with coordinates on another continent does not move it.
    """
    for layer in layers:
        middle = layer.centres()
        if len(middle):
            x, y = _median_lon(middle[:, 0]), float(np.median(middle[:, 1]))
            return _crs.equal_area((x, y, x, y))
    return _crs.equal_area((0.0, 0.0, 0.0, 0.0))


class Located(Protocol):
    """A layer whose middle can be told."""

    def centres(self) -> np.ndarray:
        """Longitude and latitude of the middle of each geometry's box, where there is one."""


def settle(layer: Taken, plane: pyproj.CRS, *, exact: bool = False) -> Ground:
    """Project, follow long edges along the geodesic, and repair what is invalid on the plane; every row for itself."""
    state = layer.state.copy()
    if layer.source is None or not _is_direct(layer.source) or exact:
        lonlat, state = layer.located()
    if layer.source is None or not _is_direct(layer.source):
        corners, flat, lost = _flattened(lonlat, plane)
        longer = np.fromiter((a is not b for a, b in zip(corners, lonlat, strict=True)), bool, count=len(flat))
    else:
        flat, longer, lost = _straight(layer, state, plane)
    state[lost & (state == USABLE)] = NO_PLACE
    bad = (state == USABLE) & (~geom.valid(flat) | (shapely.get_type_id(flat) == 7))
    before = np.abs(shapely.area(flat))
    if bad.any():
        flat[bad] = geom.repair(flat[bad] if exact else _without_stray_holes(flat[bad]))
    area = shapely.area(flat)
    state[(state == USABLE) & ~(area > 0)] = COLLAPSED
    flat[state != USABLE] = shapely.Polygon()
    area[state != USABLE] = 0.0
    dense = longer & ~bad & (state == USABLE)
    measured = area.copy()
    if exact:
        lonlat[bad] = _crs.transform(flat[bad], plane, _crs.WGS84)
        measured = np.where(state == USABLE, measure.area(gpd.GeoSeries(lonlat, crs=_crs.WGS84)).to_numpy(), 0.0)
    spread = sigmas(flat, np.ones(len(flat)))
    if dense.any():  # vertices added along long edges are no observations
        recorded = layer.places(np.flatnonzero(dense))
        spread[dense] = sigmas(_crs.transform(recorded, _crs.WGS84, plane), np.ones(len(recorded)))
    return Ground(
        Shapes.of(layer.given), Shapes.of(flat, area=area), area, state, bad, before, dense, spread, measured,
        layer.source or _crs.WGS84, plane,
    )  # fmt: skip


def _common(one: Any, other: Any) -> float:
    try:
        return float(one.intersection(other).area)
    except GEOSException:
        return float(one.intersects(other))


def _without_stray_holes(shapes: np.ndarray) -> np.ndarray:
    """Areas without the holes that lie beside them: repair would make ground of them, and nobody says that it was released."""
    out = shapes.copy()
    for row in np.flatnonzero(shapely.get_num_interior_rings(shapes) > 0):
        shell = geom.repair(shapely.Polygon(shapes[row].exterior))
        filled = geom.repair(np.array([shapely.Polygon(hole) for hole in shapes[row].interiors], dtype=object))
        holes = [hole for hole, whole in zip(shapes[row].interiors, filled, strict=True) if _common(shell, whole) > 0]
        out[row] = shapely.Polygon(shapes[row].exterior, holes)
    several = np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
    for row in several:
        parts = shapely.get_parts(shapes[row])
        if shapely.get_num_interior_rings(parts).any():
            out[row] = type(shapes[row])(list(_without_stray_holes(parts)))
    return out


def _straight(layer: Taken, state: np.ndarray, plane: pyproj.CRS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """On the plane in one step, which were densified, and which cannot be there."""
    assert layer.source is not None
    count = len(layer.given)
    flat = np.full(count, shapely.Polygon(), dtype=object)
    dense, lost, odd = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    parts = [np.flatnonzero(state == USABLE)]
    while parts:  # where a row has no place, halves are tried until it stands alone
        rows = parts.pop()
        try:
            flat[rows] = _crs.transform(layer.given[rows], layer.source, plane)
        except CRSError:
            if len(rows) == 1:
                odd[rows] = True
            else:
                parts += np.array_split(rows, 2)
    points, owner = shapely.get_coordinates(flat, return_index=True)
    step = np.diff(points, axis=0)
    step *= step
    long = np.flatnonzero(step[:, 0] + step[:, 1] > (0.95 * _crs.EDGE_M) ** 2)
    odd[owner[long][owner[long] == owner[long + 1]]] = True
    odd |= np.nan_to_num(np.abs(shapely.bounds(flat))).max(axis=1, initial=0.0) > 0.5 * FAR_M
    rows = np.flatnonzero(odd)
    if len(rows):
        was, fate = layer.take(rows).located()
        now, flat[rows], lost[rows] = _flattened(was, plane)
        lost[rows] |= fate != USABLE
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
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = ground.exact / ground.area
    return np.where((ground.area > 0) & (np.abs(factor - 1) < 1e-3), factor, 1.0)


def sigmas(polygons: np.ndarray, sigma_m: np.ndarray) -> np.ndarray:
    """Standard deviation of polygon areas, m²: (σ/2)·sqrt(Σ|p(i+1) − p(i−1)|²) over the vertices of all rings.

    Source: propagation of independent vertex errors through the shoelace formula.
    """
    lines = Outlines(polygons)
    total: np.ndarray = np.zeros(len(polygons))
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
