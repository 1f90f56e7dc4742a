"""Repair what is safe and reversible, log every change, propose the rest. It never decides which record is right.

Safe: closing a ring, dropping repeated points, turning rings, trimming ids, making a polygon valid while its area stays
within the limits of the programme. Everything else is proposed, and the row is left out as rejected where it is invalid.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.checks.attributes import ID_COLUMNS
from geotools.checks.geometry.order import smallest_change
from geotools.checks.layers import POLYGONAL, Data, Layer, project
from geotools.model.arguments import columns
from geotools.model.errors import SchemaError
from geotools.model.programme import Programme
from geotools.model.schema import KINDS
from geotools.model.schema.conform import as_text
from geotools.space import crs as _crs
from geotools.space import geom

CHANGE_COLUMNS = (
    "kind",
    "id",
    "row",
    "rule",
    "check",
    "state",
    "column",
    "before",
    "after",
    "area_before_m2",
    "area_after_m2",
    "note",
)
NUMBERS = {"row": "int64", "area_before_m2": "float64", "area_after_m2": "float64"}  # the others are text
STATES = ("done", "proposed", "rejected")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


@dataclass
class _Log:
    """Changes of one layer as they are made."""

    kind: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    row: int = 0  # number in the layer, from 1, of the row at work

    def add(self, id: str, rule: str, check: str, state: str, **more: Any) -> None:
        empty = {"column": "", "before": "", "after": "", "area_before_m2": np.nan, "area_after_m2": np.nan, "note": ""}
        shapes = {"geometry": None, "geometry_before": None}
        self.rows.append(
            {
                "kind": self.kind,
                "id": id,
                "row": self.row,
                "rule": rule,
                "check": check,
                "state": state,
                **empty,
                **shapes,
                **more,
            }
        )

    def frame(self, crs: Any) -> gpd.GeoDataFrame:
        table = pd.DataFrame(self.rows, columns=[*CHANGE_COLUMNS, "geometry_before", "geometry"])
        if not self.rows:  # the types of a log with rows, so that logs of any length can be put together
            table = table.astype({c: NUMBERS.get(c, str) for c in CHANGE_COLUMNS})
        for column in ("geometry_before", "geometry"):
            table[column] = gpd.GeoSeries(list(table[column]), index=table.index, crs=crs)
        return gpd.GeoDataFrame(table, geometry="geometry", crs=crs)


def repair(
    frame: gpd.GeoDataFrame, *, kind: str | None = None, programme: Programme | None = None
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Repair what is safe in one layer.

    Parameters
    ----------
    frame
        Rows of one record kind, in any reference system.
    kind
        Record kind; default: told from the columns (``product`` → releases, ``classification`` → hazards).
    programme
        Whose limits apply: `repair_area_share` and `repair_area_m2` (the change of area must be below both),
        `vertex_repeat_deg`.

    Returns
    -------
    frame, changes
        The rows, in their order, index and reference system, every polygon valid; **rows that cannot be made valid
        within the limits are not among them** but in `changes` with state ``rejected`` (see `rejected`).
        Changes: kind, id, row (number in the input, from 1), rule, check, state (done, proposed, rejected), column, before, after, area_before_m2,
        area_after_m2, note, geometry_before, geometry. Repairing the result again changes nothing.

    Raises
    ------
    SchemaError
        If the kind is not given and cannot be told.

    Examples
    --------
    >>> ring = shapely.Polygon([(47, 39.5), (47.001, 39.5), (47.001, 39.501), (47.001, 39.501), (47, 39.501)])
    >>> frame = gpd.GeoDataFrame({"id": ["H-1 "], "classification": ["SHA"]}, geometry=[ring], crs=4326)
    >>> out, changes = repair(frame)
    >>> out["id"].tolist(), changes["rule"].tolist(), changes["state"].tolist()
    (['H-1'], ['trim', 'repeats'], ['done', 'done'])
    """
    columns(frame, "what is repaired")
    name = kind or _kind(frame)
    settings = programme or Programme()
    log = _Log(name)
    out = frame.copy()
    _trim(out, log)
    if isinstance(out, gpd.GeoDataFrame) and out.active_geometry_name and name in KINDS:
        keep = _shapes(out, name, settings, log)
        out = out[keep]
    return out, log.frame(getattr(frame, "crs", None) if isinstance(frame, gpd.GeoDataFrame) else None)


def rejected(frame: gpd.GeoDataFrame, changes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows of the original frame that `repair` left out.

    Examples
    --------
    >>> bow = shapely.Polygon([(47, 39.5), (47.001, 39.501), (47.001, 39.5), (47, 39.501)])
    >>> frame = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["SHA"]}, geometry=[bow], crs=4326)
    >>> out, changes = repair(frame)
    >>> len(out), rejected(frame, changes)["id"].tolist()
    (0, ['H-1'])
    """
    rows = sorted(set(changes.loc[changes["state"] == "rejected", "row"].astype(int)))
    return frame.iloc[[row - 1 for row in rows]]


def _kind(frame: pd.DataFrame) -> str:
    for column, name in (("product", "releases"), ("classification", "hazards"), ("point_type", "marks"), ("category", "finds"), ("cause", "accidents"), ("use", "landuse")):  # fmt: skip
        if column in frame.columns:
            return name
    raise SchemaError("it cannot be told what these records are", hint='give kind=, for example kind="hazards"')


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", text).strip()


def _trim(frame: pd.DataFrame, log: _Log) -> None:
    """Blanks and invisible characters off ids and links, unless two ids would become one."""
    for column in (*ID_COLUMNS, "shape_id"):
        if column not in frame.columns:
            continue
        cells = list(frame[column])
        after = [_clean(v) if isinstance(v, str) else v for v in cells]
        changed = [k for k, (a, b) in enumerate(zip(cells, after, strict=True)) if isinstance(a, str) and a != b]
        if not changed:
            continue
        taken = Counter(as_text(value) for value in after)  # cells may hold anything, also what is no key
        for k in changed:
            log.row = k + 1
            clash = column == "id" and taken[as_text(after[k])] > 1
            state = "proposed" if clash else "done"
            note = (
                "two records would get one id: decide which is which"
                if clash
                else "blanks and invisible characters removed"
            )
            log.add(
                str(after[k]),
                "trim",
                "AT-02",
                state,
                column=column,
                before=repr(cells[k])[1:-1],
                after=after[k],
                note=note,
            )
            if clash:
                after[k] = cells[k]
        frame[column] = pd.Series(after, index=frame.index, dtype=frame[column].dtype)


def _shapes(frame: gpd.GeoDataFrame, kind: str, programme: Programme, log: _Log) -> np.ndarray:
    """Repair the geometry column in place; which rows to keep."""
    numbered = frame.reset_index(drop=True)
    data = Data({kind: numbered}, programme)
    layer = data.layer(kind)
    shapes = _geometry_by_position(layer)
    names = dict(zip(layer.row_number - 1, layer.ids, strict=True))
    if KINDS[kind].geometry[:1] != ("Polygon",):
        return np.ones(len(frame), dtype=bool)
    work = _Work(data, layer, log)
    keep = np.ones(len(frame), dtype=bool)
    out = list(frame.geometry)
    for position in work.suspects(shapes):
        log.row = position + 1
        result = work.one(names[position], shapes[position])
        keep[position] = result is not None
        if result is not None and result is not shapes[position]:
            out[position] = result
    frame[frame.active_geometry_name] = gpd.GeoSeries(out, index=frame.index, crs=frame.crs)
    return keep


def _geometry_by_position(layer: Layer) -> np.ndarray:
    out = np.empty(len(layer), dtype=object)
    out[layer.row_number - 1] = layer.raw
    return out


class _Work:
    """The polygon repairs of one layer."""

    def __init__(self, data: Data, layer: Layer, log: _Log) -> None:
        self.data, self.layer, self.log = data, layer, log
        programme = data.programme
        self.tolerance = programme.limit("vertex_repeat_deg")
        self.share, self.most = programme.limit("repair_area_share"), programme.limit("repair_area_m2")
        # the tolerance in the units of the layer; a degree of latitude is 111 km
        geographic = layer.crs is None or layer.crs.is_geographic
        self.step = self.tolerance if geographic else self.tolerance * 112_000 / _metres_per_unit(layer)

    def suspects(self, shapes: np.ndarray) -> list[int]:
        """Positions of rows that may need something, in order."""
        sort = shapely.get_type_id(shapes)
        lines = np.isin(sort, (1, 2, 5))
        areas = np.isin(sort, (*POLYGONAL, 7))
        sane = _sane(shapes)
        odd = areas & ~sane & ~shapely.is_valid(shapes)
        usable = np.flatnonzero(areas & sane)
        odd[usable] = self._odd(shapes[usable])
        return [int(i) for i in np.flatnonzero((lines & sane) | odd)]

    def _odd(self, shapes: np.ndarray) -> np.ndarray:
        wrong = ~shapely.is_valid(shapes) | (shapely.get_type_id(shapes) == 7)
        turned = ~shapely.equals_exact(shapes, _oriented(shapes), tolerance=0.0)
        return np.asarray(wrong | turned | self._repeating(shapes))

    def _repeating(self, shapes: np.ndarray) -> np.ndarray:
        coords, owner = shapely.get_coordinates(shapes, return_index=True)
        if len(coords) < 2:
            return np.zeros(len(shapes), dtype=bool)
        near = (np.abs(np.diff(coords, axis=0)) <= self.step).all(axis=1) & (owner[1:] == owner[:-1])
        found = np.zeros(len(shapes), dtype=bool)
        found[owner[1:][near]] = True
        return found

    def one(self, id: str, shape: Any) -> Any:
        """The repaired polygon, the same object if nothing was needed, or None if it is rejected."""
        if not _sane(np.array([shape], dtype=object))[0]:
            self._reject(id, shape, float("nan"), "a coordinate is not a number")
            return None
        original, before = shape, self.area(shape)
        shape = self._closed(id, shape)
        if shapely.get_type_id(shape) not in (*POLYGONAL, 7):
            return original  # a point or an open line: another rule's matter
        shape = self._without_repeats(id, shape, before)
        if not shape.is_valid or shape.geom_type == "GeometryCollection":
            shape = self._valid(id, shape, original, before)
            if shape is None:
                return None
        turned = _oriented(np.array([shape], dtype=object))[0]
        if not turned.equals_exact(shape, 0.0):
            self.log.add(id, "orientation", "TP-05", "done", geometry=turned, geometry_before=original, area_before_m2=before, area_after_m2=self.area(turned), note="outer rings counter-clockwise, holes clockwise")  # fmt: skip
            shape = turned
        return shape if not shape.equals_exact(original, 0.0) or shape.geom_type != original.geom_type else original

    def area(self, shape: Any) -> float:
        """Area in m² on the equal-area plane of the layer, as the vertices say, crossing or not; NaN without a CRS."""
        if self.layer.crs is None or shapely.get_type_id(shape) not in POLYGONAL:
            return float("nan")
        lonlat = project(np.array([shape], dtype=object), self.layer.crs, _crs.WGS84)[0]
        flat = self.data.to_plane(lonlat)[0]
        return float("nan") if flat is None else float(flat.area)

    def small(self, before: float, after: float) -> bool:
        """Whether a change of area is below both limits."""
        change = abs(after - before)
        return bool(change <= self.share * before and change <= self.most)

    def _closed(self, id: str, shape: Any) -> Any:
        """A line whose ends meet is the boundary of an area."""
        if shape.geom_type not in ("LineString", "LinearRing"):
            return shape
        points = shapely.get_coordinates(shape)
        if len(points) < 4 or (np.abs(points[0] - points[-1]) > 10 * self.step).any():
            if len(points) >= 3:
                self.log.add(id, "close", "TP-20", "proposed", geometry=shapely.Polygon(points), geometry_before=shape, note="an open line: close it only if it is the boundary of an area")  # fmt: skip
            return shape
        area = shapely.Polygon(np.vstack([points[:-1], points[:1]]))
        if not area.is_valid:
            return shape
        self.log.add(id, "close", "TP-20", "done", geometry=area, geometry_before=shape, area_after_m2=self.area(area), note="a closed line made an area")  # fmt: skip
        return area

    def _without_repeats(self, id: str, shape: Any, before: float) -> Any:
        tidy, dropped = _tidy(shape, self.step)
        if not dropped:
            return shape
        after = self.area(tidy)
        state = "done" if self.small(before, after) or (np.isnan(before) and tidy.is_valid) else "proposed"
        self.log.add(id, "repeats", "GC-16", state, geometry=tidy, geometry_before=shape, area_before_m2=before, area_after_m2=after, note=f"{dropped} repeated point(s) dropped")  # fmt: skip
        return tidy if state == "done" else shape

    def _valid(self, id: str, shape: Any, original: Any, before: float) -> Any:
        reason, _ = geom.why_invalid(shape)
        mended = geom.repair(shape)
        for _ in range(3):
            mended, again = _tidy(_oriented(np.array([mended], dtype=object))[0], self.step)
            if mended.is_valid and not again:
                break
            mended = geom.repair(mended)
        after = self.area(mended)
        facts = {"geometry_before": original, "area_before_m2": before, "area_after_m2": after}
        if mended.is_valid and not mended.is_empty and self.small(before, after) and not _tidy(mended, self.step)[1]:
            self.log.add(id, "make_valid", "GC-01", "done", geometry=mended, note=reason, **facts)
            return mended
        self._propose(id, shape, mended, reason, facts)
        return None

    def _propose(self, id: str, shape: Any, mended: Any, reason: str, facts: Mapping[str, Any]) -> None:
        if shape.geom_type == "Polygon" and not shape.interiors and 4 <= len(shape.exterior.coords) - 1 <= 80:
            points = shapely.get_coordinates(shape.exterior)[:-1]
            found = smallest_change(points)
            if found is not None:
                change, first, second, order = found
                better = shapely.Polygon(points[order])
                proposed = {**facts, "area_after_m2": self.area(better)}
                self.log.add(id, "vertex_order", "TP-13", "proposed", geometry=better, note=f"{change} points {first} and {second}", **proposed)  # fmt: skip
        if mended.is_valid and not mended.is_empty:
            self.log.add(id, "make_valid", "GC-01", "proposed", geometry=mended, note=f"{reason}; the area would change too much", **facts)  # fmt: skip
        self._reject(id, facts["geometry_before"], facts["area_before_m2"], reason)

    def _reject(self, id: str, shape: Any, area: float, reason: str) -> None:
        note = f"{reason}; not repaired, the row is left out"
        self.log.add(id, "make_valid", "GC-01", "rejected", geometry_before=shape, area_before_m2=area, note=note)


def _sane(shapes: np.ndarray) -> np.ndarray:
    """Rows whose coordinates are all numbers that a place on earth can have in some unit."""
    coords, owner = shapely.get_coordinates(shapes, return_index=True)
    out = np.ones(len(shapes), dtype=bool)
    out[owner[~(np.abs(coords) < 1e12).all(axis=1)]] = False
    return out


def _metres_per_unit(layer: Layer) -> float:
    axis = layer.crs.axis_info[0] if layer.crs is not None and layer.crs.axis_info else None
    return float(axis.unit_conversion_factor) if axis is not None else 1.0


def _oriented(shapes: np.ndarray) -> np.ndarray:
    """Rings turned to the usual direction; geometry that is no polygon as it was."""
    out = shapes.copy()
    areas = np.isin(shapely.get_type_id(out), POLYGONAL)
    if areas.any():
        out[areas] = geom.orient(out[areas])
    return out


def _tidy(shape: Any, step: float) -> tuple[Any, int]:
    """Without points that repeat the one before within `step` along each axis, and how many those were."""
    dropped = 0

    def ring(line: Any) -> np.ndarray:
        nonlocal dropped
        points = shapely.get_coordinates(line)[:-1]
        keep = [0] if len(points) else []
        for k in range(1, len(points)):
            if (np.abs(points[k] - points[keep[-1]]) > step).any():
                keep.append(k)
        while len(keep) > 1 and (np.abs(points[keep[-1]] - points[keep[0]]) <= step).all():
            keep.pop()
        if len(keep) < 3:
            return points
        dropped += len(points) - len(keep)
        return points[keep]

    def polygon(part: Any) -> Any:
        return shapely.Polygon(ring(part.exterior), [ring(hole) for hole in part.interiors])

    if shape.geom_type == "Polygon" and not shape.is_empty:
        tidy = polygon(shape)
    elif shape.geom_type == "MultiPolygon":
        tidy = shapely.MultiPolygon([polygon(part) for part in shape.geoms])
    else:
        return shape, 0
    return (tidy, dropped) if dropped else (shape, 0)


def repair_layers(
    layers: Mapping[str, gpd.GeoDataFrame], *, programme: Programme | None = None
) -> tuple[dict[str, gpd.GeoDataFrame], gpd.GeoDataFrame]:
    """Repair every layer of a survey, for one file that keeps the originals.

    Parameters
    ----------
    layers
        Record kind → frame, in any reference system.
    programme
        As for `repair`.

    Returns
    -------
    layers, changes
        Layers for a GeoPackage: each kind repaired; ``<kind>_rejected`` with the rows left out of it (read again as
        that kind, so that no record is lost); ``result_<kind>_as_entered``, the rows as they came;
        ``result_changes`` and ``result_changes_before``, the log with the geometry after and before. And the log in WGS 84, with the columns
        of the changes of `repair`.

    Examples
    --------
    >>> ring = shapely.Polygon([(47, 39.5), (47, 39.501), (47.001, 39.501), (47.001, 39.5)])
    >>> frame = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["SHA"]}, geometry=[ring], crs=4326)
    >>> sorted(repair_layers({"hazards": frame})[0])
    ['hazards', 'result_changes', 'result_changes_before', 'result_hazards_as_entered']
    """
    out: dict[str, gpd.GeoDataFrame] = {}
    logs: list[gpd.GeoDataFrame] = []
    for kind, frame in layers.items():
        fixed, changes = repair(frame, kind=kind, programme=programme)
        out[kind] = fixed
        left = rejected(frame, changes)
        if len(left):
            out[f"{kind}_rejected"] = left
        if len(changes):
            out[f"result_{kind}_as_entered"] = frame
        logs.append(_in_wgs84(changes))
    told = [changes for changes in logs if len(changes)]  # an empty log has no say in the types of the others
    log = (
        gpd.GeoDataFrame(pd.concat(told, ignore_index=True), geometry="geometry", crs="EPSG:4326")
        if told
        else _Log("").frame("EPSG:4326")
    )
    before = log.drop(columns="geometry").set_geometry("geometry_before", crs="EPSG:4326").rename_geometry("geometry")
    out["result_changes"] = log.drop(columns="geometry_before")
    out["result_changes_before"] = before[["kind", "id", "rule", "state", "geometry"]]
    return out, log


def _in_wgs84(changes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if changes.crs is None:
        return _Log("").frame("EPSG:4326").iloc[:0] if changes.empty else _placeless(changes)
    moved = changes.to_crs(4326)
    return moved.assign(geometry_before=gpd.GeoSeries(changes["geometry_before"], crs=changes.crs).to_crs(4326))


def _placeless(changes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The log of a layer without a reference system: what was changed, without a place on the map."""
    nowhere = gpd.GeoSeries([None] * len(changes), index=changes.index, crs="EPSG:4326")
    return gpd.GeoDataFrame(
        changes.drop(columns=["geometry", "geometry_before"]).assign(geometry_before=nowhere),
        geometry=nowhere,
        crs="EPSG:4326",
    )
