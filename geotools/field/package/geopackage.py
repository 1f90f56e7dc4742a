"""The GeoPackage that a team edits: one typed table per layer, with every column of the schema, also where there are no rows.

For QField and QGIS; the project around it is in `qfield`. Bytes depend on the content and the stated time only.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from geotools.field.package.cargo import Cargo, empty
from geotools.field.package.points import Points
from geotools.io.writing import plain as plain_frame
from geotools.model.provenance import now
from geotools.model.schema import KINDS, Column

EDITABLE = ("hazards", "releases", "events", "activities", "finds", "samples", "marks")
SPACE = uuid.UUID("6f0f1f3e-5a0c-5c52-9d60-0f6e67656f74")  # name space of permanent numbers of records without one
TYPES = {
    "id": pa.string(), "text": pa.string(), "word": pa.string(), "words": pa.string(), "number": pa.float64(),
    "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(), "time": pa.timestamp("ms", "UTC"),
}  # fmt: skip
EDITS = (Column("edited_at", "time"), Column("edited_by", "text"))


@dataclass(frozen=True)
class Table:
    """One table of the GeoPackage: its name, record kind or result, geometry type and columns."""

    name: str
    kind: str
    geometry: str
    columns: tuple[Column, ...]
    frame: gpd.GeoDataFrame
    editable: bool

    @property
    def shape(self) -> str:
        """``area``, ``line`` or ``point``."""
        return (
            {"P": "area", "L": "line"}[self.geometry.replace("Multi", "")[0]]
            if "Point" not in self.geometry
            else "point"
        )


def tables(cargo: Cargo, points: Points | None = None) -> list[Table]:
    """The tables of a cargo, drawing order bottom to top: context, results, records, turning points and approach."""
    out: list[Table] = []
    for name in ("landuse", "places", "processed", "released", "remaining"):
        frame = cargo.layers.get(name, cargo.results.get(name))
        if frame is not None and len(frame):
            out += _parted(name, frame, editable=False)
    for kind in EDITABLE if not cargo.public else ("hazards",):
        frame = cargo.layers.get(kind)
        if frame is not None or not cargo.public:
            out += _parted(kind, empty(kind) if frame is None else frame, editable=not cargo.public)
    for kind in ("accidents", "tracks"):
        if kind in cargo.layers and len(cargo.layers[kind]):
            out += _parted(kind, cargo.layers[kind], editable=False)
    return out if points is None else [*out, *_walk(points)]


def _walk(points: Points) -> Iterator[Table]:
    if len(points.approaches):
        lanes = points.approaches.rename(columns={"feature": "id"})
        yield Table("approach", "approach", "LineString", (Column("id", "id"),), lanes, False)
    if len(points.table):
        spots = gpd.GeoDataFrame(
            points.table.assign(id=points.table["point"]),
            geometry=gpd.points_from_xy(points.table["lon_deg"], points.table["lat_deg"]), crs="EPSG:4326",
        )  # fmt: skip
        sorts = {
            name: Column(name, _sort(spots[name]))
            for name in spots.columns
            if name not in ("id", "geometry", "lat_deg", "lon_deg", "ring")
        }
        yield Table("turning_points", "turning_points", "Point", (Column("id", "id"), *sorts.values()), spots, False)


def _parted(name: str, frame: gpd.GeoDataFrame, *, editable: bool) -> Iterator[Table]:
    """One table per sort of geometry: areas, lines and points stand apart in a GeoPackage."""
    shapes = np.asarray(frame.geometry.array, dtype=object)
    dimension = shapely.get_dimensions(shapes)
    dimension = np.where(shapely.is_empty(shapes) | shapely.is_missing(shapes), -1, dimension)
    allowed = KINDS[name].geometry if name in KINDS else ("Polygon", "MultiPolygon")
    main = {"Point": 0, "LineString": 1, "Polygon": 2}[allowed[0]]
    for wanted, ending, sort in ((2, "areas", "Polygon"), (1, "lines", "LineString"), (0, "points", "Point")):
        rows = frame[(dimension == wanted) | ((dimension == -1) & (wanted == main))]
        if not len(rows) and not (editable and wanted == main):
            continue
        many = bool(len(rows)) and rows.geometry.geom_type.fillna("").str.startswith("Multi").any()
        kind = f"Multi{sort}" if many or (editable and wanted == 2) else sort
        yield Table(
            name if wanted == main else f"{name}_{ending}",
            name,
            kind,
            _columns(name, rows, editable=editable),
            rows,
            editable,
        )


def _columns(name: str, frame: gpd.GeoDataFrame, *, editable: bool) -> tuple[Column, ...]:
    """Columns of the schema, then others that the rows have, then who edited when; no two alike but for case."""
    known = {c.name: c for c in KINDS[name]} if name in KINDS else {}
    listed = [c for c in known.values() if editable or c.name in frame]
    seen = {c.name.casefold() for c in listed} | {"fid", "geom", "geometry"}
    others = [
        str(c) for c in frame.columns if c != "geometry" and str(c) not in known and str(c).casefold() not in seen
    ]
    extra = [Column(c, _sort(frame[c])) for c in dict.fromkeys(others)]
    unique = {c.name.casefold(): c for c in reversed(extra)}
    more = EDITS if editable else ()
    return (
        *listed,
        *(c for c in extra if unique[c.name.casefold()] is c),
        *(c for c in more if c.name not in {e.name for e in extra}),
    )


def _sort(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values.dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "integer"
    if pd.api.types.is_float_dtype(values.dtype):
        return "number"
    return "text"


def write(listed: list[Table], path: Path) -> None:
    """Write the tables, then drop every trace of how: fixed times, no free pages."""
    with _stated_time():
        for number, table in enumerate(listed):
            pyogrio.write_arrow(
                arrow(table), path, layer=table.name, driver="GPKG", geometry_name="geom", geometry_type=table.geometry,
                crs="EPSG:4326", append=number > 0, **({} if number else {"dataset_options": {"VERSION": "1.2"}}),
            )  # fmt: skip
    day = now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(path)) as connection:
        with connection:
            connection.execute("UPDATE gpkg_contents SET last_change = ?", (day,))
        connection.execute("VACUUM")


@contextmanager
def _stated_time() -> Iterator[None]:
    """GDAL writes the stated time, not that of the clock."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": now().strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def arrow(table: Table) -> pa.Table:
    """The rows as an Arrow table with the types of the schema and WKB in ``geom``."""
    frame = plain_frame(table.frame)
    arrays, fields = [], []
    for column in table.columns:
        values = list(frame[column.name]) if column.name in frame else [None] * len(frame)
        if column.name == "guid":
            values = [
                v if isinstance(v, str) and v else _guid(table.kind, i)
                for v, i in zip(values, frame["id"], strict=True)
            ]
        sort = TYPES[column.kind]
        arrays.append(pa.array([_cell(v, column.kind) for v in values], type=sort))
        fields.append(pa.field(column.name, sort))
    shapes = np.array(frame.geometry.array, dtype=object)
    if table.geometry.startswith("Multi"):
        shapes = np.array([_multi(s) for s in shapes] or [], dtype=object)
    arrays.append(
        pa.array([None if s is None else shapely.to_wkb(shapely.force_2d(s)) for s in shapes], type=pa.binary())
    )
    fields.append(pa.field("geom", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _guid(kind: str, key: Any) -> str:
    return str(uuid.uuid5(SPACE, f"{kind}/{key}"))


def _multi(shape: Any) -> Any:
    if shape is None or hasattr(shape, "geoms"):
        return shape
    maker: Any = {"Polygon": shapely.MultiPolygon, "LineString": shapely.MultiLineString, "Point": shapely.MultiPoint}[
        shape.geom_type
    ]
    return maker([shape])


def _cell(value: Any, kind: str) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if kind in ("id", "text", "word", "words"):
        return str(value)
    if kind == "date":
        return pd.Timestamp(value).date() if not isinstance(value, str) else _day(value)
    if kind == "time":
        stamp = pd.Timestamp(value)
        return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return {"number": float, "integer": int, "boolean": bool}[kind](value)


def _day(text: str) -> Any:
    stamp = pd.to_datetime(text, errors="coerce")
    return None if stamp is pd.NaT else stamp.date()
