"""The feature tables of a GeoPackage store: the current state as QGIS shows it, one table per record kind.

A projection that can be made again from history at any time; nothing is ever read back from it.
"""

# ruff: noqa: S608  (identifiers are our own and quoted; every value is a parameter)

from __future__ import annotations

import json
import math
import sqlite3
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely

from geotools.io.store.layout import Layout
from geotools.model.schema import KINDS
from geotools.space import crs as _crs

MESSAGE = "this layer is kept by a geotools store and cannot be edited here: save changes with  geotools store save"
TYPES = {"number": "REAL", "integer": "INTEGER", "boolean": "BOOLEAN", "date": "DATE", "time": "DATETIME"}


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def functions(connection: sqlite3.Connection) -> None:
    """The functions that the spatial index of a GeoPackage calls."""
    for place, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        connection.create_function(name, 1, _edge(place), deterministic=True)
    connection.create_function(
        "ST_IsEmpty", 1, lambda blob: None if blob is None else blob[3] >> 4 & 1, deterministic=True
    )


def _edge(place: int) -> Callable[[bytes | None], float | None]:
    def edge(blob: bytes | None) -> float | None:
        if blob is None or not blob[3] >> 1 & 7:
            return None
        return float(struct.unpack_from("<d" if blob[3] & 1 else ">d", blob, 8 + 8 * place)[0])

    return edge


def _several(wkb: bytes) -> bytes:
    """A polygon or line as a layer of several shows it; all else as it is."""
    (code,) = struct.unpack_from("<I", wkb, 1)
    return struct.pack("<BII", 1, code + 3, 1) + wkb if code % 1000 in (2, 3) else wkb


def declared(wkbs: Sequence[bytes | None], before: str) -> str:
    """Geometry type of a layer that held `before` and now also these."""
    names = {1: "POINT", 2: "MULTILINESTRING", 3: "MULTIPOLYGON", 5: "MULTILINESTRING", 6: "MULTIPOLYGON"}
    found = {names.get(struct.unpack_from("<I", w, 1)[0] % 1000, "GEOMETRY") for w in wkbs if w is not None}
    found |= {before} - {""}
    return found.pop() if len(found) == 1 else "GEOMETRY" if found else ""


def blobs(wkbs: Sequence[bytes | None], srs_id: int) -> list[bytes | None]:
    """WKB as GeoPackage geometry: header, envelope, WKB; single polygons and lines as multiple ones, as QGIS prefers."""
    shapes = np.empty(len(wkbs), dtype=object)
    shapes[:] = list(wkbs)
    bounds = shapely.bounds(shapely.from_wkb(shapes))
    out: list[bytes | None] = []
    for wkb, (west, south, east, north) in zip(wkbs, bounds.tolist(), strict=True):
        if wkb is None:
            out.append(None)
        elif math.isnan(west) or math.isnan(south):  # empty, or without a place
            out.append(struct.pack("<2sBBi", b"GP", 0, 0x11, srs_id) + _several(wkb))
        else:
            out.append(struct.pack("<2sBBi4d", b"GP", 0, 0x03, srs_id, west, east, south, north) + _several(wkb))
    return out


def columns(kind: str) -> dict[str, str]:
    """Columns of the feature table besides fid, geom, id, extra and revision: name → value kind."""
    return {c.name: c.kind for c in KINDS[kind] if c.name != "id"} if kind in KINDS else {}


def needed(
    connection: sqlite3.Connection, kind: str, wkbs: Sequence[bytes | None], replaced: Sequence[str]
) -> tuple[str, str]:
    """Geometry type that the feature table of a kind has, and the one it needs once these rows are in it; "" if none."""
    row = connection.execute(
        "SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?", (kind,)
    ).fetchone()
    if row is None:
        return "", declared(wkbs, "") or "GEOMETRY"
    others = connection.execute(
        f"SELECT 1 FROM {quoted(kind)} WHERE geom NOTNULL AND id NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
        (json.dumps(list(replaced)),),
    ).fetchone()
    return row[0], declared(wkbs, row[0] if others else "") or row[0]


def drop(connection: sqlite3.Connection, kind: str) -> None:
    """Take the feature table of a kind away, to be made again with another geometry type."""
    for table in (f"rtree_{kind}_geom", kind):
        connection.execute(f"DROP TABLE {quoted(table)}")
    for table in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"):
        connection.execute(f"DELETE FROM {table} WHERE table_name = ?", (kind,))


def create(connection: sqlite3.Connection, kind: str, shape: str) -> None:
    """Make the feature table of a kind, its spatial index, and the guards that keep others from writing it."""
    table, tree = quoted(kind), quoted(f"rtree_{kind}_geom")
    fields = "".join(f", {quoted(name)} {TYPES.get(type_, 'TEXT')}" for name, type_ in columns(kind).items())
    connection.execute(
        f"CREATE TABLE {table} (fid INTEGER PRIMARY KEY NOT NULL, geom {shape}, id TEXT NOT NULL UNIQUE{fields}, extra TEXT, revision INTEGER NOT NULL)"
    )
    connection.execute(f"CREATE VIRTUAL TABLE {tree} USING rtree(id, minx, maxx, miny, maxy)")
    new = 'NEW."geom"'
    edges = f"ST_MinX({new}), ST_MaxX({new}), ST_MinY({new}), ST_MaxY({new})"
    there, gone = f"({new} NOTNULL AND NOT ST_IsEmpty({new}))", f"({new} ISNULL OR ST_IsEmpty({new}))"
    put = f"INSERT OR REPLACE INTO {tree} VALUES (NEW.fid, {edges});"
    drop = f"DELETE FROM {tree} WHERE id = OLD.fid;"
    for name, event in (
        ("insert", f"AFTER INSERT ON {table} WHEN {there} BEGIN {put} END"),
        ("update1", f'AFTER UPDATE OF "geom" ON {table} WHEN OLD.fid = NEW.fid AND {there} BEGIN {put} END'),
        ("update2", f'AFTER UPDATE OF "geom" ON {table} WHEN OLD.fid = NEW.fid AND {gone} BEGIN {drop} END'),
        ("update3", f"AFTER UPDATE ON {table} WHEN OLD.fid != NEW.fid AND {there} BEGIN {drop} {put} END"),
        ("update4", f"AFTER UPDATE ON {table} WHEN OLD.fid != NEW.fid AND {gone} BEGIN DELETE FROM {tree} WHERE id IN (OLD.fid, NEW.fid); END"),
        ("delete", f'AFTER DELETE ON {table} WHEN OLD."geom" NOT NULL BEGIN {drop} END'),
    ):  # fmt: skip
        connection.execute(f"CREATE TRIGGER {quoted(f'rtree_{kind}_geom_{name}')} {event}")
    guard(connection, kind)
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?, 'features', ?, ?, 0)",
        (kind, kind, KINDS[kind].title if kind in KINDS else ""),
    )
    connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, 0, 0, 0)", (kind, shape))
    connection.execute(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
        (kind,),
    )


def guard(connection: sqlite3.Connection, table: str, *, message: str = MESSAGE) -> None:
    """Keep every program but a saving store from writing a table; what is shown is then what history says."""
    for event in ("INSERT", "UPDATE", "DELETE"):
        connection.execute(
            f"CREATE TRIGGER {quoted(f'store_guard_{table}_{event.lower()}')} BEFORE {event} ON {quoted(table)} "
            f"WHEN NOT EXISTS (SELECT 1 FROM store_meta WHERE key = 'saving') "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )


def place(connection: sqlite3.Connection, kind: str, layout: Layout) -> int:
    """Register the reference system of a layer; its srs_id."""
    if not layout.crs:
        return 0
    system = _crs.parse(layout.crs)
    code = layout.epsg
    definition = _definition(system)
    if code is None:
        found = connection.execute(
            "SELECT srs_id FROM gpkg_spatial_ref_sys WHERE definition = ?", (definition,)
        ).fetchone()
        highest = connection.execute("SELECT max(srs_id) FROM gpkg_spatial_ref_sys").fetchone()[0]
        code = found[0] if found else max(100_000, highest + 1)
    known = connection.execute("SELECT 1 FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (code,)).fetchone()
    if not known:
        source = "EPSG" if layout.epsg else "NONE"
        connection.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)",
            (system.name, code, source, code, definition),
        )
    for table in ("gpkg_contents", "gpkg_geometry_columns"):
        connection.execute(
            f"UPDATE {table} SET srs_id = ? WHERE table_name = ? AND srs_id IS NOT ?", (code, kind, code)
        )
    return int(code)


def _definition(system: Any) -> str:
    for version in ("WKT1_GDAL", "WKT2_2019"):
        try:
            return str(system.to_wkt(version))
        except Exception:  # noqa: S112  (pyproj cannot say every system in the older form)
            continue
    return "undefined"


def tuples(kind: str, ids: Sequence[str], texts: Sequence[str], revisions: Sequence[int]) -> list[tuple[Any, ...]]:
    """Per row: id, the columns of `columns` in order, extra, revision."""
    fields = list(columns(kind).items())
    rows = json.loads(f"[{','.join(texts)}]")
    out = []
    for id_, row, revision in zip(ids, rows, revisions, strict=True):
        cells = []
        for name, type_ in fields:
            plain = row.get(name)
            shown = None if plain is None else _shown(plain, type_)
            if shown is not None:
                del row[name]
            cells.append(shown)
        extra = json.dumps(row, ensure_ascii=False, sort_keys=True) if row else None
        out.append((id_, *cells, extra, revision))
    return out


def _shown(plain: Any, type_: str) -> Any:
    """A cell as SQLite holds it, or None where it does not fit the column and goes to `extra`."""
    if type_ not in TYPES:
        return plain if isinstance(plain, str) else None
    if type_ == "boolean":
        return int(plain) if isinstance(plain, bool) else None
    if type_ in ("number", "integer"):
        fits = isinstance(plain, int | float) and not isinstance(plain, bool) and abs(plain) < 2**62
        return plain if fits and (type_ == "number" or plain == int(plain)) else None
    if not isinstance(plain, dict):
        return None
    stamp = plain.get("$stamp", "")
    if type_ == "date":
        return plain.get("$date") or (stamp[:10] if stamp.endswith("T00:00:00") else None)
    seconds, _, fraction = stamp.removesuffix("Z").partition(".")
    fits = stamp.endswith("Z") and len(fraction) <= 3 and "zone" not in plain
    return f"{seconds}.{fraction:0<3}Z" if fits else None


def refresh(
    connection: sqlite3.Connection, kind: str, entries: Sequence[Any], srs_id: int, *, gone: Sequence[str]
) -> None:
    """Put the newest versions of rows in the feature table, and take away those deleted."""
    table = quoted(kind)
    connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(i,) for i in gone])
    rows = tuples(kind, [e.id for e in entries], [e.attributes for e in entries], [e.revision for e in entries])
    shapes = blobs([e.wkb for e in entries], srs_id)
    marks = ", ".join("?" * (len(columns(kind)) + 5))
    names = ", ".join(quoted(n) for n in ("fid", "geom", "id", *columns(kind), "extra", "revision"))
    connection.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",
        [(e.entry, blob, *row) for e, blob, row in zip(entries, shapes, rows, strict=True)],
    )
    heights = {struct.unpack_from("<I", e.wkb, 1)[0] // 1000 for e in entries if e.wkb is not None}
    for name, has in (("z", heights & {1, 3}), ("m", heights & {2, 3})):
        if has:
            connection.execute(f"UPDATE gpkg_geometry_columns SET {name} = 2 WHERE table_name = ?", (kind,))
    box = connection.execute(
        f"SELECT min(minx), min(miny), max(maxx), max(maxy) FROM {quoted(f'rtree_{kind}_geom')}"
    ).fetchone()
    connection.execute(
        "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?, last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE table_name = ?",
        (*box, kind),
    )
