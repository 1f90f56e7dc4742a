"""How the layer of a kind looks: its columns with their types, the name of its geometry, its reference system.

For taking frames apart into rows and putting them together again; not for single cells (see `cells`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.io.store import cells
from geotools.io.store.backend import Rows
from geotools.model.errors import StoreError
from geotools.model.schema.names import with_single_names
from geotools.space import crs as _crs


@dataclass(frozen=True)
class Layout:
    """Columns (name → type), geometry column and reference system of a layer; ``crs`` is empty while no shape was saved."""

    columns: Mapping[str, str]
    geometry: str = "geometry"
    crs: str = ""
    categories: Mapping[str, Any] = None  # type: ignore[assignment]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Layout:
        """The layout of a frame."""
        name = _geometry_name(frame)
        columns = {c: SHAPE if c == name else str(frame[c].dtype) for c in frame.columns}
        kinds = {
            c: {"values": [json.loads(cells.text_of(v)) for v in dtype.categories], "ordered": bool(dtype.ordered)}
            for c in columns
            if isinstance(dtype := frame[c].dtype, pd.CategoricalDtype)
        }
        system = ""
        if isinstance(frame, gpd.GeoDataFrame) and name is not None and frame.crs is not None:
            system = _crs.code_or_wkt(_crs.parse(frame.crs))
        return cls(columns, name or "", system, kinds)

    @property
    def epsg(self) -> int | None:
        """EPSG code of the system if it is exactly that one; a system that is only like it has none."""
        authority, _, code = self.crs.partition(":")
        return int(code) if authority == "EPSG" and code.isdigit() else None

    @classmethod
    def from_text(cls, text: str) -> Layout:
        """From the JSON text that a store keeps."""
        with cells.understood("the list of a layer's columns"):
            data = json.loads(text)
            return cls(dict(data["columns"]), data["geometry"], data["crs"], data["categories"])

    def to_text(self) -> str:
        """Canonical JSON text; the order of columns counts."""
        data = {
            "categories": dict(self.categories or {}),
            "columns": dict(self.columns),
            "crs": self.crs,
            "geometry": self.geometry,
        }
        return json.dumps(data, ensure_ascii=True, separators=(",", ":"))

    def with_(self, new: Layout) -> Layout:
        """This layout after frames of another one were saved into it: no column is lost, types give way."""
        renamed = {self.geometry: new.geometry} if self.geometry and new.geometry else {}
        old = {renamed.get(c, c) if t == SHAPE else c: t for c, t in self.columns.items()}
        columns = {c: _common(t, new.columns.get(c, t)) for c, t in old.items()}
        columns |= {c: t for c, t in new.columns.items() if c not in columns}
        mine, other = self.categories or {}, new.categories or {}
        kinds = {}
        for c in [c for c, t in columns.items() if t == "category"]:
            if c in mine and c in other and mine[c] != other[c]:
                columns[c] = "object"
            else:
                kinds[c] = other.get(c) or mine[c]
        return Layout(columns, new.geometry or self.geometry, self.crs or new.crs, kinds)

    def frame(self, ids: Sequence[str], texts: Sequence[str], wkbs: Sequence[bytes | None]) -> gpd.GeoDataFrame:
        """A layer from stored rows, in their order, on a 0…n−1 index."""
        with cells.understood("a row"):
            return self._frame(ids, texts, wkbs)

    def _frame(self, ids: Sequence[str], texts: Sequence[str], wkbs: Sequence[bytes | None]) -> gpd.GeoDataFrame:
        rows = json.loads(f"[{','.join(texts)}]")
        data: dict[str, Any] = {}
        shapes = np.empty(len(wkbs), dtype=object)
        shapes[:] = list(wkbs)
        active, system = self.geometry or "geometry", self.crs or "EPSG:4326"
        for name, dtype in (dict(self.columns) if active in self.columns else {**self.columns, active: SHAPE}).items():
            if dtype == SHAPE:
                data[name] = gpd.GeoSeries(shapely.set_srid(shapely.from_wkb(shapes), 0), crs=system)
                continue
            if name == "id":
                data[name] = cells.column_of(list(ids), dtype)
                continue
            plain = [row.get(name, _GAP) for row in rows]
            if dtype == "category":
                kind = (self.categories or {})[name]
                values = pd.CategoricalDtype([cells.value_of(v) for v in kind["values"]], kind["ordered"])
                data[name] = cells.column_of(plain, "object", _GAP).astype(values)
            else:
                data[name] = cells.column_of(plain, dtype, _GAP)
        return gpd.GeoDataFrame(pd.DataFrame(data, index=pd.RangeIndex(len(rows))), geometry=active, crs=system)


SHAPE = "shape"  # stands in the place of the geometry column
_GAP: Any = object()


def _common(one: str, other: str) -> str:
    """The type that holds the values of both."""
    if one == other:
        return one
    pair = {one, other}
    if pair <= {"bool", "boolean"}:
        return "boolean"
    if pair <= {"int64", "Int64"}:
        return "Int64"
    if pair <= {"int64", "float64", "Int64"}:
        return "float64"
    if all(t.startswith("datetime64[") for t in pair):
        units, zones = zip(*((t[11:-1].partition(", ")[0], t[11:-1].partition(", ")[2]) for t in pair), strict=True)
        if len(set(zones)) == 1:
            finest = max(units, key=("s", "ms", "us", "ns").index)
            return f"datetime64[{finest}{', ' + zones[0] if zones[0] else ''}]"
    return "object"


def _geometry_name(frame: pd.DataFrame) -> str | None:
    return frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with one name per column, as text, on a 0…n−1 index."""
    return with_single_names(frame).reset_index(drop=True)


def take_apart(frame: pd.DataFrame, kind: str) -> Rows:
    """Rows of a flat frame, in its order.

    Raises
    ------
    StoreError
        If a cell holds something that cannot be kept without loss.
    """
    name = _geometry_name(frame)
    written: list[list[str | None]] = []
    for column in frame.columns:
        if column in (name, "id"):
            continue
        key = cells.text_of(column)
        if key.startswith("{"):
            raise StoreError(f"column name {column!r} holds characters no database takes", hint="rename it", layer=kind)
        try:
            texts = cells.column_texts(frame[column])
        except TypeError as error:
            raise StoreError(
                f"column '{column}', {error}", hint="turn it into text, a number, a date or a list first", layer=kind
            ) from error
        written.append([None if t is None else f"{key}:{t}" for t in texts])
    keyed = sorted(zip([c for c in frame.columns if c not in (name, "id")], written, strict=True))
    rows = zip(*(w for _, w in keyed), strict=True) if keyed else [()] * len(frame)
    joined = ["{" + ",".join([cell for cell in row if cell is not None]) + "}" for row in rows]
    wkbs: list[bytes | None] = [None] * len(frame)
    if isinstance(frame, gpd.GeoDataFrame) and name is not None:
        wkbs = list(cells.to_wkb(np.asarray(frame.geometry.array, dtype=object)))
    return Rows([str(v) for v in frame["id"]], joined, wkbs)
