"""Inputs that nobody would write: structured files with one cell, node or field gone mad, or (`tests.damage`) bytes wounded.

Each mutation comes from a `random.Random`, so that a number names a case for ever. Not for judging what comes of them.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import sqlite3
import tomllib
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.damage import damaged

TEXTS = (
    "", " ", "\t", "NaN", "nan", "inf", "-inf", "Infinity", "1e309", "-1e309", "1e-400", "9" * 400, "0x10", "1_000", "٣٫٥", "１２", "²", "½", "\x00", "\x0b", "\ufeff",
    "\u202e", "\u2028", "=1+1", "@x", "2024-02-30", "0000-00-00", "10000-01-01", "9999-12-31T23:59:60Z", "1677-09-21", "2262-04-12T00:00:00Z", "31.12.99", "24:61",
    "-0001-01-01", "-1", "1,5", "1.2.3", "--1", "true", "null", "None", "İ", "ı", "ß", "ﬁ", "POLYGON((", "POLYGON EMPTY", "POINT (nan nan)", "POINT (1e308 1e308)",
    "GEOMETRYCOLLECTION (POINT (0 0), GEOMETRYCOLLECTION EMPTY)", "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))", "POINT ZM (1 2 3 4)", "LINESTRING (0 0)",
    "{}", "[[]]", "../../x", "/etc/passwd", "EPSG:999999", "EPSG:", "EPSG:4979", "+proj=longlat", "GK", "38SPJ", "38SPJ8300085000", "99ZZZ", "39 36 03 N 47 08 24 E", "91 181",
    "N 45 E", "400", "6401", "-359.9", "A" * 9_000, "a,b;c\td", '"', "'", "%s%n", "<b>&amp;", "$\\frac{$", "cleared", "mechanical", "\U0001f9e8", "e\u0301", "1" + "0" * 300,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, [], {}, [[]], [None], {"": None}, 0, -1, 1, 2**31, 2**63, 10**400, 0.1, -0.0, 1e308, -1e308, 1e-308, [1, 2], {"a": {"b": []}}, ["a", 1], [[[[]]]], [1e400, 2],
)  # fmt: skip


def text(rng: random.Random) -> str:
    return rng.choice(TEXTS)


def value(rng: random.Random) -> Any:
    return rng.choice(VALUES) if rng.random() < 0.5 else text(rng)


# ------------------------------------------------------------------------------------------------ by structure


def _nodes(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [path] if path else []
    if isinstance(data, dict):
        for key in list(data)[:60]:
            out += _nodes(data[key], (*path, key))
    elif isinstance(data, list):
        for n in range(min(len(data), 20)):
            out += _nodes(data[n], (*path, n))
    return out


def _tree(data: Any, rng: random.Random) -> Any:
    """One node replaced, gone, doubled, renamed or wrapped."""
    places = _nodes(data)
    if not places:
        return value(rng)
    *way, last = rng.choice(places)
    holder = data
    for step in way:
        holder = holder[step]
    match rng.randrange(6):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, list):
            holder.insert(last, holder[last])
        case 1:
            holder[text(rng)] = holder.pop(last)
        case 2:
            holder[last] = [holder[last]]
        case 3:
            holder[last] = {"type": holder[last]}
        case _:
            holder[last] = value(rng)
    return data


def _json(data: bytes, rng: random.Random) -> bytes:
    tree = _tree(json.loads(data), rng)
    out = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.05:
        deep = rng.choice((500, 5_000, 100_000))
        out = (
            out.replace("null", "[" * deep + "]" * deep, 1)
            if "null" in out
            else out[:-1] + ', "x": ' + "[" * deep + "]" * deep + "}"
        )
    if rng.random() < 0.1:
        out = re.sub(r"-?\d+\.\d+", lambda m: rng.choice(("1e999", "-0", "NaN", "Infinity", m[0])), out, count=3)
    return out.encode("utf-8", "surrogatepass")


def _lines(data: bytes, rng: random.Random) -> bytes:
    rows = data.splitlines(keepends=True)
    n = rng.randrange(len(rows))
    rows[n] = _json(rows[n].lstrip(b"\x1e"), rng) + b"\n"
    return b"".join(rows)


def _csv(data: bytes, rng: random.Random, delimiter: str = ",") -> bytes:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=delimiter))
    for _ in range(rng.randint(1, 3)):
        row = rng.choice(rows[:1] if rng.random() < 0.2 else rows)
        at = rng.randrange(max(1, len(row)))
        match rng.randrange(7):
            case 0 if row:
                del row[at]
            case 1:
                row.insert(at, text(rng))
            case 2:
                rows.insert(rng.randrange(len(rows) + 1), list(row))
            case 3:
                rows.remove(row) if len(rows) > 1 else None
            case _ if row:
                row[at] = text(rng)
    out = io.StringIO()
    csv.writer(
        out, delimiter=rng.choice((delimiter,) * 8 + (";", "|")), lineterminator=rng.choice(("\n", "\r\n", "\r"))
    ).writerows(rows)
    return out.getvalue().encode(rng.choice(("utf-8",) * 6 + ("utf-8-sig", "utf-16")), "surrogatepass")


def _toml_text(data: Any) -> str:
    if isinstance(data, dict):
        return (
            "{ "
            + ", ".join(f"{json.dumps(str(k), ensure_ascii=False)} = {_toml_text(v)}" for k, v in data.items())
            + " }"
        )
    if isinstance(data, list):
        return "[" + ", ".join(map(_toml_text, data)) + "]"
    if data is None:
        return '""'
    if isinstance(data, str):
        return json.dumps(data).replace("\\u007f", "")
    if isinstance(data, bool):
        return str(data).lower()
    if isinstance(data, float | int):
        return repr(data) if abs(data) < 1e300 else rng_free(data)
    return data.isoformat()


def rng_free(data: float) -> str:
    return "inf" if data > 0 else "-inf"


def _toml(data: bytes, rng: random.Random) -> bytes:
    tree = _tree(tomllib.loads(data.decode("utf-8")), rng)
    if not isinstance(tree, dict):
        tree = {"x": tree}
    return "\n".join(f"{json.dumps(str(k))} = {_toml_text(v)}" for k, v in tree.items()).encode("utf-8", "replace")


def _xml(data: bytes, rng: random.Random) -> bytes:
    whole = data.decode("utf-8")
    marks = list(re.finditer(r">([^<>]+)<|=\"([^\"]*)\"|</?[A-Za-z:]+", whole))
    mark = rng.choice(marks)
    match rng.randrange(4):
        case 0:
            return (whole[: mark.start()] + whole[mark.end() :]).encode()
        case 1:
            return (whole[: mark.end()] + mark[0] + whole[mark.end() :]).encode()
        case _:
            group = 1 if mark[1] is not None else 2 if mark[2] is not None else 0
            return (whole[: mark.start(group)] + text(rng) + whole[mark.end(group) :]).encode("utf-8", "replace")


def _nmea(data: bytes, rng: random.Random) -> bytes:
    rows = data.decode("ascii").splitlines()
    n = rng.randrange(len(rows))
    fields = rows[n].lstrip("$").partition("*")[0].split(",")
    fields[rng.randrange(len(fields))] = text(rng)[:200]
    body = ",".join(fields)
    check = 0
    for byte in body.encode("utf-8", "replace"):
        check ^= byte
    rows[n] = f"${body}*{check:02X}"
    return "\r\n".join(rows).encode("utf-8", "replace")


def _zip(data: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    hit = rng.choice(sorted(parts))
    parts[hit] = mutated(Path(hit).suffix.lower(), parts[hit], rng)
    if rng.random() < 0.1:
        parts[rng.choice(("../x.shp", "/x", "a" * 300, "x.kml", "con", "a\\..\\b", "\u202e.shp"))] = parts[hit]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, part in parts.items():
            new.writestr(name, part)
    return out.getvalue()


def _sqlite(data: bytes, rng: random.Random) -> bytes:
    with closing(sqlite3.connect(":memory:")) as file:
        file.deserialize(data)
        file.execute("PRAGMA writable_schema = ON")
        tables = [
            n
            for (n,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not n.startswith(("rtree_", "sqlite_"))
        ]
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER IF EXISTS "{name}"')
        table = rng.choice(tables)
        columns = [row[1] for row in file.execute(f'PRAGMA table_info("{table}")')]
        column = rng.choice(columns)
        try:
            match rng.randrange(8):
                case 0:
                    file.execute(f'DROP TABLE "{table}"')
                case 1:
                    file.execute(
                        f'ALTER TABLE "{table}" RENAME COLUMN "{column}" TO "{rng.choice(("x", "geom", "fid2", "İ"))}"'
                    )
                case 2:
                    file.execute(
                        f'ALTER TABLE "{table}" ADD COLUMN "{rng.choice(("x", "ID", "geometry", "="))}" {rng.choice(("BLOB", "TEXT", "INTEGER", "DATE"))}'
                    )
                case 3:
                    file.execute(f'DELETE FROM "{table}"')
                case _:
                    rows = [r[0] for r in file.execute(f'SELECT rowid FROM "{table}"')] or [0]
                    row = rng.choice(rows)
                    old = file.execute(f'SELECT "{column}" FROM "{table}" WHERE rowid = ?', (row,)).fetchone()
                    new = (
                        damaged(old[0], rng)
                        if old and isinstance(old[0], bytes)
                        else rng.choice((text(rng), rng.randbytes(9), None, 2**62, -1.5, 1e308))
                    )
                    file.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (new, row))
        except (sqlite3.Error, UnicodeEncodeError):
            return damaged(data, rng)
        file.commit()
        return bytes(file.serialize())


MUTATORS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".geojson": _json, ".json": _json, ".geojsonl": _lines, ".csv": _csv, ".tsv": lambda d, r: _csv(d, r, "\t"), ".toml": _toml, ".kml": _xml, ".gpx": _xml,
    ".maxml": _xml, ".xml": _xml, ".rels": _xml, ".nmea": _nmea, ".zip": _zip, ".kmz": _zip, ".xlsx": _zip, ".gpkg": _sqlite, ".mbtiles": _sqlite,
}  # fmt: skip


def mutated(suffix: str, data: bytes, rng: random.Random) -> bytes:
    """The file with one thing wrong by its structure, or damaged in its bytes."""
    by_structure = MUTATORS.get(suffix)
    if by_structure is None or rng.random() < 0.3:
        return damaged(data, rng)
    try:
        return by_structure(data, rng)
    except (ValueError, KeyError, IndexError, TypeError, UnicodeError, sqlite3.Error, zipfile.BadZipFile):
        return damaged(data, rng)
