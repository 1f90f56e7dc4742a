"""Datum shifts: which operation, how good it is where the data lie, and what the other sensible ones would say.

For a change that is chosen, recorded and defended; not for planes to compute in (see `planes`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from pyproj.transformer import TransformerGroup

from geotools.model.doors import checked
from geotools.model.errors import CRSError
from geotools.model.programme import Programme
from geotools.model.schema import Issue, issues_frame, join_issues
from geotools.space.crs.parameters import pipeline, stated
from geotools.space.crs.systems import GEOD, code_or_wkt, label, parse, require, transformer

Bounds = tuple[float, float, float, float]
FAR_DEG, MOST = 15.0, 0.9  # points farther than this from the middle are set aside if most are nearer
_SAMPLE = 400  # points at which operations are compared


@dataclass(frozen=True)
class Operation:
    """One way from one datum to another.

    Parameters
    ----------
    code
        EPSG code such as ``EPSG:15865``; empty for a programme's own parameters and where no shift is needed.
    name
        As its author calls it.
    accuracy_m
        As stated by its author; None if unknown.
    area
        (west, south, east, north) in degrees where it is meant to be used; west > east crosses 180°.

    Examples
    --------
    >>> chosen = choose("EPSG:4284", "EPSG:4326", np.array([[47.14, 39.6]]))[0]
    >>> str(chosen), chosen.covers((47.0, 39.5, 47.2, 39.7)), [round(float(v), 4) for v in chosen.apply(47.14, 39.6)]
    ('EPSG:15865 (4.5 m)', True, [47.1388, 39.5999])
    """

    code: str
    name: str
    accuracy_m: float | None
    area: Bounds | None
    _transformer: Any = field(default=None, repr=False, compare=False)
    _backward: bool = field(default=False, repr=False, compare=False)

    def apply(self, lon: Any, lat: Any) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude in the target datum, degrees."""
        x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
        if self._transformer is None:
            return x, y
        out = self._transformer.transform(x, y, direction="INVERSE" if self._backward else "FORWARD")
        return np.asarray(out[0], dtype=float), np.asarray(out[1], dtype=float)

    def covers(self, bounds: Bounds) -> bool:
        """Whether its area of use holds all of `bounds` (degrees)."""
        if self.area is None:
            return True
        west, south, east, north = self.area
        inside = south <= bounds[1] and bounds[3] <= north
        if west <= east:
            return inside and west <= bounds[0] and bounds[2] <= east
        return inside and (bounds[0] >= west or bounds[2] <= east)

    def __str__(self) -> str:
        accuracy = "accuracy unknown" if self.accuracy_m is None else f"{self.accuracy_m:g} m"
        return f"{self.code or self.name} ({accuracy})" if self.code or self._transformer is not None else self.name


@dataclass(frozen=True)
class DatumShift:
    """What was done to coordinates, and how sure it is.

    Parameters
    ----------
    operation
        The one that was used.
    alternatives
        Every other operation on offer: ``code, name, accuracy_m, covers`` (made for this place?), ``differs_m``
        (largest distance from the chosen one at the data).
    moved_m
        How far apart the same numbers are in the two systems, at most: the error made by forgetting the shift.
    spread_m
        Largest difference between the chosen and another sensible operation; 0 if there is none.
    grids
        Shift-grid files that better operations need and this computer lacks.
    issues
        ISSUES table (code CR-02).

    Examples
    --------
    >>> old = gpd.GeoDataFrame(geometry=gpd.points_from_xy([8683738.0], [4385550.0]), crs="EPSG:28408")
    >>> done = shift(old, "EPSG:4326")[1]
    >>> done.accuracy_m, done.grid_needed, round(done.moved_m)
    (4.5, False, 102)
    """

    source: str
    target: str
    operation: Operation
    alternatives: tuple[dict[str, Any], ...] = ()
    moved_m: float = 0.0
    spread_m: float = 0.0
    grids: tuple[str, ...] = ()
    issues: Any = field(default_factory=issues_frame, compare=False, repr=False)

    @property
    def accuracy_m(self) -> float | None:
        """Stated accuracy of the operation in metres."""
        return self.operation.accuracy_m

    @property
    def grid_needed(self) -> bool:
        """Whether a better operation needs a shift grid that is not here."""
        return bool(self.grids)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "source": self.source,
            "target": self.target,
            "operation": self.operation.code or self.operation.name,
            "operation_name": self.operation.name,
            "accuracy_m": self.operation.accuracy_m,
            "moved_m": round(self.moved_m, 3),
            "spread_m": round(self.spread_m, 3),
            "grids_missing": list(self.grids),
            "alternatives": [dict(item) for item in self.alternatives],
            "issues": [{k: row[k] for k in ("check", "severity", "message")} for row in self.issues.to_dict("records")],
        }


@checked
def shift(
    frame: gpd.GeoDataFrame, to: Any, *, operation: str | int | None = None, programme: Programme | None = None
) -> tuple[gpd.GeoDataFrame, DatumShift]:
    """Move a layer to another system by one recorded datum operation.

    Of the operations whose area of use holds all the data, the one with the best stated accuracy is used; an accurate
    operation made for somewhere else never is. The whole layer takes the same operation, so no boundary is torn.

    Parameters
    ----------
    to
        Target system.
    operation
        An EPSG operation code (``"EPSG:1808"``), seven parameters ``"+towgs84=dx,dy,dz,rx,ry,rz,ppm"`` (position
        vector), ``"+proj=helmert …"``, or a whole ``"+proj=pipeline …"`` on longitude and latitude in degrees. A trailing
        ``accuracy=2`` states the metres.
    programme
        Its own operations come before the automatic choice; its limits decide what is worth a warning.

    Returns
    -------
    frame, shift
        A new frame in `to`, heights as they were, and what was done.

    Raises
    ------
    CRSError
        If the frame has no system, no operation is known, the one asked for does not lead there, or not one row has a place in
        `to` (single rows without one lose their geometry, with an issue CR-04).

    Examples
    --------
    >>> old = gpd.GeoDataFrame(geometry=gpd.points_from_xy([8683738.0], [4385550.0]), crs="EPSG:28408")
    >>> new, done = shift(old, "EPSG:4326")
    >>> done.operation.code, done.accuracy_m, 95 < done.moved_m < 110
    ('EPSG:15865', 4.5, True)
    """
    settings = programme or Programme()
    source, target = require(frame), parse(to)
    array = np.asarray(frame.geometry.array, dtype=object)
    points = shapely.get_coordinates(array)
    lonlat = geodetic(points, source)
    chosen, grids, others = choose(source, target, lonlat, operation=operation, programme=settings)

    def move(xy: np.ndarray) -> np.ndarray:
        return _projected(np.column_stack(chosen.apply(*geodetic(xy, source).T)), target) if len(xy) else xy

    moved = _each(array, move)
    xy, owner = shapely.get_coordinates(moved, return_index=True)
    lost = np.unique(owner[~np.isfinite(xy).all(axis=1)])
    if len(lost) and len(lost) == len(np.unique(owner)):
        raise CRSError(
            f"the coordinates cannot be expressed in {target.name}",
            hint=f"are they really in {source.name}? try: geotools datum --explain FILE",
        )
    moved[lost] = None
    out = frame.copy()
    out = out.set_geometry(gpd.GeoSeries(moved, index=frame.index, crs=target))
    asked = operation is not None or _own(source, target, settings) is not None
    done = _record((source, target), (chosen, others, grids), _thin(lonlat), settings, asked=asked)
    return out, replace(done, issues=join_issues(done.issues, _astray(frame, lost, target)))


def _astray(frame: gpd.GeoDataFrame, lost: np.ndarray, target: pyproj.CRS) -> gpd.GeoDataFrame:
    """Rows whose coordinates are no place in the new system: they stay, without geometry."""
    names = frame["id"] if "id" in frame else frame.index.to_series()
    shapes = frame.geometry.array
    return issues_frame(
        Issue(
            "CR-04", "error", id=str(names.iloc[row]), column="geometry", value=shapely.to_wkt(shapes[row], rounding_precision=3)[:80],
            message=f"its coordinates are no place in {target.name}: the row is kept without geometry",
        )
        for row in lost
    )  # fmt: skip


def _each(array: np.ndarray, move: Any) -> np.ndarray:
    """Geometries with x and y moved; heights stay as they are."""
    tall = shapely.has_z(array)
    out = np.empty(len(array), dtype=object)
    out[~tall] = shapely.transform(array[~tall], move)
    out[tall] = shapely.transform(
        array[tall], lambda xyz: np.column_stack([move(xyz[:, :2]), xyz[:, 2]]), include_z=True
    )
    return out


def choose(
    source: Any,
    target: Any,
    lonlat: np.ndarray,
    *,
    operation: str | int | None = None,
    programme: Programme | None = None,
) -> tuple[Operation, tuple[str, ...], tuple[Operation, ...]]:
    """The operation for points (longitude, latitude in the source datum), missing grids, and what else there is.

    Parameters
    ----------
    source, target
        Anything `parse` takes.
    lonlat
        Shape (n, 2): longitude and latitude in degrees in the datum of `source`; operations that hold for all of them come first.
    operation
        The one to take, as in `shift`; it comes before the one of the programme.
    programme
        Its ``[programme.operations]``.

    Returns
    -------
    operation, missing grids, others
        The operation chosen, names of grid files that would allow a better one but are not installed, and what else is known.

    Raises
    ------
    CRSError
        If an operation is named and both systems share one datum, if it does not lead from one to the other, or if none does.

    Examples
    --------
    >>> chosen, missing, others = choose("EPSG:28408", "EPSG:4326", np.array([[47.14, 39.6]]))
    >>> chosen.code, chosen.accuracy_m, missing
    ('EPSG:15865', 4.5, ())
    >>> choose("EPSG:32638", "EPSG:4326", np.array([[47.14, 39.6]]))[0].name
    'no datum change'
    """
    settings = programme or Programme()
    first, second = _base(parse(source)), _base(parse(target))
    if first.equals(second, ignore_axis_order=True):
        if operation is not None:
            raise CRSError("both systems share one datum: there is nothing to shift", hint="leave the operation out")
        return Operation("", "no datum change", 0.0, None), (), ()
    offered, lacking = _offered(code_or_wkt(first), code_or_wkt(second))
    bounds = _bounds(lonlat)
    wanted = operation if operation is not None else _own(source, target, settings)
    if wanted is not None:
        chosen = _asked(wanted, first, second, offered)
    elif offered:
        chosen = min(offered, key=lambda item: _rank(item, bounds))
    else:
        raise CRSError(
            f"no operation is known from {first.name} to {second.name}",
            hint="give one: --operation '+towgs84=dx,dy,dz,rx,ry,rz,ppm', or in [programme.operations]",
        )
    grids = tuple(
        sorted(
            {
                name
                for accuracy, area, names in lacking
                if area.covers(bounds) and accuracy < (chosen.accuracy_m or 999.0)
                for name in names
            }
        )
    )
    return chosen, grids, tuple(item for item in offered if item != chosen)


def operations(
    frame: gpd.GeoDataFrame | gpd.GeoSeries, to: Any = "EPSG:4326", *, programme: Programme | None = None
) -> tuple[dict[str, Any], ...]:
    """Every operation on offer for a layer, the one `shift` would take first.

    Examples
    --------
    >>> place = gpd.GeoSeries(gpd.points_from_xy([47.14], [39.6]), crs="EPSG:4284")
    >>> [(row["code"], row["covers"]) for row in operations(place)[:2]]
    [('EPSG:15865', True), ('EPSG:1808', True)]
    """
    source = require(frame)
    lonlat = geodetic(shapely.get_coordinates(np.asarray(frame.geometry.array, dtype=object)), source)
    chosen, _, others = choose(source, to, lonlat, programme=programme)
    return (
        _row(chosen, chosen, _thin(lonlat)),
        *(_row(item, chosen, _thin(lonlat)) for item in _sorted(others, lonlat)),
    )


def _sorted(items: Sequence[Operation], lonlat: np.ndarray) -> list[Operation]:
    bounds = _bounds(lonlat)
    return sorted(items, key=lambda item: _rank(item, bounds))


def _rank(item: Operation, bounds: Bounds) -> tuple[Any, ...]:
    accuracy = 1e6 if item.accuracy_m is None else item.accuracy_m
    west, south, east, north = item.area or (-180.0, -90.0, 180.0, 90.0)
    size = (east - west) % 360.0 * (north - south)
    return (not item.covers(bounds), round(_gap(bounds, item.area), 1), accuracy, size, item.code)


def _gap(bounds: Bounds, area: Bounds | None) -> float:
    """How far the middle of the data lies from an area of use, in degrees; 0 inside."""
    if area is None:
        return 0.0
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    west, south, east, north = area
    beyond = 0.0 if (x - west) % 360.0 <= (east - west) % 360.0 else min((west - x) % 360.0, (x - east) % 360.0)
    return beyond + max(south - y, y - north, 0.0)


def _base(crs: pyproj.CRS) -> pyproj.CRS:
    if crs.is_bound or crs.is_vertical or crs.is_engineering:
        return crs
    base = crs.sub_crs_list[0] if crs.is_compound else crs
    geodetic = base if base.is_geographic and not base.is_derived else base.geodetic_crs
    return crs if geodetic is None else geodetic.to_2d()


def _bounds(lonlat: np.ndarray) -> Bounds:
    """Where the data lie; a few points a continent away (null-island fixes) do not choose the operation of all others."""
    good = lonlat[np.isfinite(lonlat).all(axis=1)] if len(lonlat) else lonlat
    if not len(good):
        return (0.0, 0.0, 0.0, 0.0)
    near = (np.abs(good - np.median(good, axis=0)) <= FAR_DEG).all(axis=1)
    if near.mean() >= MOST:
        good = good[near]
    return (*(float(v) for v in good.min(axis=0)), *(float(v) for v in good.max(axis=0)))  # type: ignore[return-value]


def geodetic(points: np.ndarray, source: pyproj.CRS) -> np.ndarray:
    """Points of any system as longitude and latitude in its own datum."""
    base = _base(source)
    if base == source or not len(points):
        return points
    return np.column_stack(transformer(code_or_wkt(source), code_or_wkt(base)).transform(points[:, 0], points[:, 1]))


def _projected(lonlat: np.ndarray, target: pyproj.CRS) -> np.ndarray:
    base = _base(target)
    if base == target:
        return lonlat
    return np.column_stack(transformer(code_or_wkt(base), code_or_wkt(target)).transform(lonlat[:, 0], lonlat[:, 1]))


def _thin(lonlat: np.ndarray) -> np.ndarray:
    good = lonlat[np.isfinite(lonlat).all(axis=1)] if len(lonlat) else lonlat
    if len(good) <= _SAMPLE:
        return good
    order = np.lexsort((good[:, 1], good[:, 0]))  # the same sample whatever the order of rows
    return good[order][np.linspace(0, len(good) - 1, _SAMPLE).astype(int)]


@lru_cache(maxsize=64)
def _offered(
    source: str, target: str
) -> tuple[tuple[Operation, ...], tuple[tuple[float, Operation, tuple[str, ...]], ...]]:
    group = TransformerGroup(source, target, always_xy=True, allow_ballpark=False)
    found: dict[tuple[str, str], Operation] = {}
    for item in group.transformers:
        code, name = _identity(item)
        accuracy = None if item.accuracy is None or not 0 <= item.accuracy < 900 else float(item.accuracy)
        found.setdefault((code, name), Operation(code, name, accuracy, _area(item), item))
    lacking = []
    for absent in group.unavailable_operations:
        names = tuple(grid.short_name for grid in absent.grids if not grid.available)
        accuracy = absent.accuracy if absent.accuracy is not None and absent.accuracy >= 0 else 999.0
        lacking.append((float(accuracy), Operation("", absent.name, accuracy, _area(absent)), names))
    return tuple(found.values()), tuple(lacking)


def _area(item: Any) -> Bounds | None:
    area = item.area_of_use
    return None if area is None else (area.west, area.south, area.east, area.north)


def _identity(item: pyproj.Transformer) -> tuple[str, str]:
    data = json.loads(item.to_json())
    steps = [
        step
        for step in data.get("steps", [data])
        if not str(step.get("name", "")).lower().startswith("axis order change")
    ]
    codes, names = [], []
    for step in steps:
        key, name = step.get("id"), str(step.get("name", ""))
        names.append(name)
        if key:  # PROJ writes INVERSE(EPSG) for an operation turned round: it keeps its code
            codes.append(f"{str(key['authority']).removeprefix('INVERSE(').rstrip(')')}:{key['code']}")
    return "+".join(code for code in codes if code), " + ".join(names)


def _own(source: Any, target: Any, programme: Programme) -> str | None:
    """The programme's operation for this pair: by the source system or its datum; turned round for the way back."""
    rows = [(parse(key), value) for key, value in programme.operations.items()]
    for crs, back in ((parse(source), False), (parse(target), True)):
        for key, value in rows:
            if key == crs or _base(key).equals(_base(crs), ignore_axis_order=True):
                return f"inverse {value}" if back else value
    return None


def _asked(wanted: str | int, first: pyproj.CRS, second: pyproj.CRS, offered: tuple[Operation, ...]) -> Operation:
    text = str(wanted).strip()
    back = text.startswith("inverse ")
    text = text.removeprefix("inverse ")
    text, accuracy = stated(text)
    if text.startswith("+"):
        steps = pipeline(text, second if back else first, first if back else second)
        try:
            made = pyproj.Transformer.from_pipeline(steps)
        except pyproj.exceptions.ProjError as error:
            raise CRSError(
                f"PROJ does not understand the operation '{text}'", hint="write +towgs84=dx,dy,dz,rx,ry,rz,ppm"
            ) from error
        return Operation("", text, accuracy, None, made, back)
    code = text.upper() if ":" in text else f"EPSG:{text}"
    for item in offered:
        if code in item.code.split("+"):
            return item
    known = ", ".join(item.code for item in offered if item.code)
    raise CRSError(
        f"operation {code} does not lead from {first.name} to {second.name}",
        hint=f"on offer: {known or 'none'} (see --list-operations)",
    )


def _row(item: Operation, chosen: Operation, points: np.ndarray) -> dict[str, Any]:
    return {
        "code": item.code,
        "name": item.name,
        "accuracy_m": item.accuracy_m,
        "area": item.area,
        "covers": item.covers(_bounds(points)),
        "differs_m": round(_differ(item, chosen, points), 3),
    }


def _differ(one: Operation, other: Operation, points: np.ndarray) -> float:
    if not len(points):
        return 0.0
    a, b = one.apply(*points.T), other.apply(*points.T)
    _, _, gap = GEOD.inv(a[0], a[1], b[0], b[1])
    finite = np.asarray(gap)[np.isfinite(gap)]
    return float(finite.max()) if len(finite) else 0.0


def _record(
    systems: tuple[pyproj.CRS, pyproj.CRS],
    found: tuple[Operation, tuple[Operation, ...], tuple[str, ...]],
    points: np.ndarray,
    programme: Programme,
    *,
    asked: bool,
) -> DatumShift:
    chosen, others, grids = found
    rows = tuple(_row(item, chosen, points) for item in _sorted(others, points))
    worst = programme.limit("operation_accuracy_m")
    sensible = [row for row in rows if row["covers"] and row["accuracy_m"] is not None and row["accuracy_m"] <= worst]
    spread = max((row["differs_m"] for row in sensible), default=0.0)
    moved = _differ(chosen, Operation("", "none", 0.0, None), points)
    issues: list[Issue] = []

    def warn(message: str, value: Any, limit: Any, severity: str = "warning") -> None:
        issues.append(Issue("CR-02", severity, message=message, value=value, limit=limit))

    if not chosen.covers(_bounds(points)) and len(points):
        warn(
            f"operation {chosen.code or chosen.name} is not made for this place: its area of use does not hold all the data",
            chosen.code,
            "area of use",
        )
    if chosen.accuracy_m is None:
        warn(f"the accuracy of operation {chosen.code or chosen.name} is not known", "", f"{worst:g} m")
    elif chosen.accuracy_m > worst:
        warn(
            f"operation {chosen.code or chosen.name} is only good to {chosen.accuracy_m:g} m",
            f"{chosen.accuracy_m:g} m",
            f"{worst:g} m",
        )
    limit = programme.limit("operation_spread_m")
    if spread > limit:
        other = max(sensible, key=lambda row: row["differs_m"])
        warn(
            f"two sensible operations differ by {spread:.1f} m here: {chosen.code or chosen.name} was used, {other['code']} would put the points "
            f"{spread:.1f} m away"
            + ("" if asked else "; ask the authority which one it uses and name it in [programme.operations]"),
            f"{spread:.2f} m",
            f"{limit:g} m",
            "info" if asked else "warning",
        )
    if grids:
        warn(
            f"a better operation needs a shift grid that is not on this computer: {', '.join(grids)}",
            ", ".join(grids),
            "",
        )
    return DatumShift(label(systems[0]), label(systems[1]), chosen, rows, moved, spread, grids, issues_frame(issues))
