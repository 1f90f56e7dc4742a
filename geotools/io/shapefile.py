"""Shapefiles: short names, code pages and side files.

For one .shp with its .shx, .dbf, .prj and .cpg; zipped ones are unpacked by `io.archive`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geotools.io import ogr, text, verification
from geotools.io.raw import Finding, Raw, Source
from geotools.model.errors import WriteError
from geotools.model.schema import KINDS

SIDE = (".shx", ".dbf", ".prj", ".cpg")
STALE = (".sbn", ".sbx", ".qix", ".qpj", ".shp.xml", ".idm", ".ind")
TEXT_MAX = 254
_AGAIN = "copy it again with all its side files"
# Language driver ids of dBASE headers that matter here.
_ANSI = 0x57  # the page of the machine that wrote it, whichever that was
_DRIVERS = {
    0x26: "cp866",
    0x65: "cp866",
    0x58: "cp1252",
    0x03: "cp1252",
    0xC8: "cp1250",
    0xC9: "cp1251",
    0x64: "cp852",
    0x7E: "cp1256",
    0xCA: "cp1254",
    0x02: "cp850",
    0x01: "cp437",
    0x6B: "cp857",
}


def read(source: Source) -> Raw:
    """Read a shapefile; a missing .shx is rebuilt in memory, a wrong or missing .cpg is found out and said.

    Raises
    ------
    ReadError
        If the .shp or .dbf is damaged.
    """
    findings: list[Finding] = []
    path = source.path
    dbf = _side(path, ".dbf")
    if dbf is None:
        findings.append(
            Finding(
                "RD-07", "error", f"{source.label}: the .dbf with the attributes is missing; only the shapes were read"
            )
        )
    encoding, odd = _encoding(path, dbf, source)
    findings += odd
    records, deleted = _complete(source, dbf)
    with _with_index(source, findings) as usable:
        inside = Source(usable, None, source.kind, None, source.crs, source.label)
        meta, frame, blobs, heard = ogr.fetch(inside, usable.stem, encoding=encoding, deleted=deleted)
    if deleted:
        said = (
            f"{source.label}: {deleted} rows are marked as deleted in the .dbf and are left out, as other programs do"
        )
        findings.append(Finding("RD-07", "info", said, value=deleted))
    if dbf is not None and records != len(frame):
        raise source.refuse(
            f"the .shp and .dbf do not belong together: {len(frame)} shapes, {records} attribute rows",
            "copy all its side files from one place",
        )
    shapes = None
    if blobs is not None:
        shapes, more = ogr.decode(blobs, source)
        findings += more
        findings += ogr.measures(heard, shapes, source)
    frame = frame.rename(columns=_long_names(frame.columns))
    if dbf is None:
        frame = frame.drop(columns=[c for c in frame.columns if c.upper() == "FID"])
    return Raw(path.stem, frame, shapes, ogr.as_crs(meta["crs"]), False, findings)


def _side(path: Path, suffix: str) -> Path | None:
    return next((p for p in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if p.is_file()), None)


@contextmanager
def _with_index(source: Source, findings: list[Finding]) -> Any:
    """The file itself, or a copy with a rebuilt .shx where that is missing (the folder may be read-only)."""
    if _side(source.path, ".shx") is not None:
        yield source.path
        return
    findings.append(
        Finding("RD-07", "warning", f"{source.label}: the .shx index is missing; it was rebuilt from the shapes")
    )
    with tempfile.TemporaryDirectory(prefix="geotools-") as folder:
        copy = Path(folder, source.path.name)
        shutil.copyfile(source.path, copy)
        for suffix in (".dbf", ".prj", ".cpg"):
            side = _side(source.path, suffix)
            if side is not None:
                shutil.copyfile(side, copy.with_suffix(suffix))
        _rebuild(copy, source)
        yield copy


def _rebuild(shp: Path, source: Source) -> None:
    """Write the .shx from the record headers of the .shp."""
    data = shp.read_bytes()
    if len(data) < 100:
        raise source.refuse("the .shp is cut off in its header", _AGAIN)
    entries: list[bytes] = []
    at = 100
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        if length <= 0 or at + 8 + 2 * length > len(data):
            raise source.refuse(
                f"the .shp is cut off or damaged at byte {at}",
                _AGAIN,
                row=len(entries) + 1,
            )
        entries.append((at // 2).to_bytes(4, "big") + length.to_bytes(4, "big"))
        at += 8 + 2 * length
    body = b"".join(entries)
    header = bytearray(data[:100])
    header[24:28] = ((100 + len(body)) // 2).to_bytes(4, "big")
    shp.with_suffix(".shx").write_bytes(bytes(header) + body)


def _complete(source: Source, dbf: Path | None) -> tuple[int, int]:
    """Refuse a .shp or .dbf that is shorter than its header says; the numbers of attribute rows there and deleted."""
    with source.path.open("rb") as stream:
        header = stream.read(100)
    stated, actual = 2 * int.from_bytes(header[24:28], "big"), source.path.stat().st_size
    if len(header) == 100 and stated > actual:
        raise source.refuse(f"the .shp is cut off: {actual} of {stated} bytes are there", _AGAIN)
    if dbf is None:
        return 0, 0
    with dbf.open("rb") as stream:
        head = stream.read(32)
    if len(head) < 32:
        raise source.refuse("the .dbf is cut off in its header", _AGAIN)
    records, first, width = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    size = dbf.stat().st_size
    if first + records * width > size + 1:
        have = max(0, (size - first) // max(width, 1))
        raise source.refuse(f"the .dbf is cut off: {have} of {records} rows are there", _AGAIN, row=have + 1)
    deleted = _deleted(dbf, records, first, width)
    return records - deleted, deleted


def _deleted(dbf: Path, records: int, first: int, width: int) -> int:
    data = np.fromfile(dbf, dtype=np.uint8, offset=first, count=records * width)
    return (
        int((data[: records * width].reshape(-1, width)[:, 0] == ord("*")).sum()) if len(data) == records * width else 0
    )


def _encoding(path: Path, dbf: Path | None, source: Source) -> tuple[str | None, list[Finding]]:
    """The code page to read text in, and what is odd about the one that is said."""
    if dbf is None:
        return None, []
    samples = texts(dbf)
    if source.encoding is not None:
        name = text.known(source.encoding)
        if name is None:
            raise source.refuse(f"there is no text encoding '{source.encoding}'", "for example utf-8, cp1251, cp1254")
        return name, _undecodable(samples, name, source)
    cpg = _side(path, ".cpg")
    said = text.known(cpg.read_text("latin-1")[:40].split("\n")[0]) if cpg else None
    mark = dbf.read_bytes()[29] if dbf.stat().st_size > 29 else 0
    driver = _DRIVERS.get(mark)
    guess = text.suspect(samples)
    declared = said or driver
    if declared is None and mark == _ANSI and guess in (None, "cp1252"):
        declared = "cp1252"
    if guess is None:
        return declared or "utf-8", []
    if declared is None:
        what = "its .cpg names no known code page" if cpg else "it has no .cpg that names the code page of its text"
        note = f"{source.label}: {what}; it was read as {guess}. If letters look wrong, give encoding= (--encoding)"
        return guess, [Finding("RD-05", "warning", note, value=guess)]
    if _decodes(samples, declared) and not (guess == "utf-8" and text.known(declared) != "utf-8"):
        return declared, []
    note = f"{source.label}: its text is said to be {declared}, but that does not fit the letters in it; it was read as {guess}"
    return guess, [Finding("RD-05", "warning", note, value=guess, limit=declared)]


def _decodes(samples: Iterable[bytes], encoding: str) -> bool:
    try:
        for sample in samples:
            sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(samples: list[bytes], encoding: str, source: Source) -> list[Finding]:
    if _decodes(samples, encoding):
        return []
    guess = text.suspect(samples)
    note = f"{source.label}: some text is not {encoding}, as was asked; it looks like {guess}"
    return [Finding("RD-05", "error", note, value=guess or "", limit=encoding)]


def texts(dbf: Path) -> list[bytes]:
    """Distinct non-ASCII contents of the text fields, at most 2,000."""
    data = dbf.read_bytes()
    if len(data) < 33:
        return []
    records, first, width = (
        int.from_bytes(data[4:8], "little"),
        int.from_bytes(data[8:10], "little"),
        int.from_bytes(data[10:12], "little"),
    )
    usable = min(records, (len(data) - first) // width) if width else 0
    if usable <= 0:
        return []
    body = np.frombuffer(data, dtype=np.uint8, offset=first, count=usable * width).reshape(usable, width)
    names = [data[at : at + 11].split(b"\0")[0] for at in range(32, max(first - 1, 32), 32)]
    found = {name: None for name in names if not name.isascii()}
    offset = 1
    for at in range(32, max(first - 1, 32), 32):
        length, kind = data[at + 16], data[at + 11 : at + 12]
        cells = body[:, offset : offset + length]
        if kind == b"C" and length and (cells > 127).any():
            strange = cells[(cells > 127).any(axis=1)][:2000]
            found |= {bytes(row).rstrip(b" \0"): None for row in strange}
        offset += length
    return list(found)[:2000]


@cache
def _shorts() -> dict[str, str]:
    """Column name → short name, over all kinds; the first kind wins."""
    out: dict[str, str] = {}
    for schema in KINDS.values():
        for column in schema:
            out.setdefault(column.name, column.short or column.name)
    return out


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Shapefile names of at most 10 bytes for these columns.

    Raises
    ------
    WriteError
        If a name has no short form or two would be the same.

    Examples
    --------
    >>> short_names(["id", "area_reported_m2", "status_as_entered"])
    {'id': 'id', 'area_reported_m2': 'areaRepM2', 'status_as_entered': 'status_e'}
    """
    out: dict[str, str] = {}
    for name in names:
        base = name.removesuffix("_as_entered")
        short = _shorts().get(base, base)
        if base != name:
            short = f"{short[:8]}_e"
        if len(short.encode("utf-8")) > 10:
            raise WriteError(
                f"the column '{name}' does not fit a shapefile (10 letters)",
                hint="rename it, or write a GeoPackage, which keeps names whole",
            )
        clash = next((other for other, used in out.items() if used.lower() == short.lower()), None)
        if clash is not None:
            raise WriteError(
                f"the columns '{clash}' and '{name}' would both be called '{short}' in a shapefile",
                hint="rename one, or write a GeoPackage",
            )
        out[name] = short
    return out


@cache
def _entered_names() -> dict[str, str]:
    return {f"{short[:8]}_e": f"{name}_as_entered" for name, short in reversed(_shorts().items())}


def _long_names(names: Iterable[str]) -> dict[str, str]:
    known = _entered_names()
    return {name: known[name] for name in names if name in known}


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write a shapefile in UTF-8 with short names; side files are put in place before the .shp.

    Raises
    ------
    WriteError
        If names, texts or geometry types do not fit.
    """
    shapes = frame.geometry
    kinds = {kind.removeprefix("Multi") for kind in shapes.dropna().geom_type}
    if len(kinds) > 1 or "GeometryCollection" in kinds:
        raise WriteError(
            f"a shapefile holds one type of geometry, not {', '.join(sorted(kinds))}",
            hint="write a GeoPackage, or one file per type",
        )
    names = short_names(c for c in frame.columns if c != shapes.name)
    data = {short: _dbf_column(frame[name], name) for name, short in names.items()} or {
        "id": pd.Series(range(len(frame)))
    }
    if frame.crs is None:
        raise WriteError("a shapefile needs geometry", hint="write a CSV or GeoPackage")
    out = gpd.GeoDataFrame(data, geometry=shapes, crs=frame.crs)
    announced, several = ogr.geometry_type(shapes)
    if announced == "Unknown":
        announced = "Point"
    pyogrio.write_dataframe(
        ogr.apart(out), path, driver="ESRI Shapefile", use_arrow=not ogr.taken_for_row_number(data), encoding="UTF-8", geometry_type=announced, promote_to_multi=several,
    )  # fmt: skip
    verification.shapefile(path, out)  # here, for the side files take their place before the .shp
    home = path.parent.parent if path.parent.name.startswith(".geotools-") else path.parent
    if home != path.parent:
        _move_side_files(path, home)


def _move_side_files(path: Path, home: Path) -> None:
    for suffix in SIDE:
        made = path.with_suffix(suffix)
        if made.exists():
            os.replace(made, home / made.name)  # noqa: PTH105
        else:
            (home / made.name).unlink(missing_ok=True)
    for suffix in STALE:
        (home / path.with_suffix(suffix).name).unlink(missing_ok=True)


def _dbf_column(values: pd.Series, name: str) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Series(
            [None if pd.isna(v) else v.isoformat().replace("+00:00", "Z") for v in values],
            index=values.index,
            dtype=object,
        )
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("Int64")
    if values.dtype == object:
        longest = max((len(v.encode("utf-8")) for v in values if isinstance(v, str)), default=0)
        if longest > TEXT_MAX:
            raise WriteError(
                f"a text in '{name}' has {longest} bytes; a shapefile holds {TEXT_MAX}",
                hint="shorten it, or write a GeoPackage, which keeps it whole",
            )
        return values.map(lambda v: v.replace("\x00", "") if isinstance(v, str) else v).astype(object)
    if pd.api.types.is_float_dtype(values.dtype):
        return values.astype("float64")
    return values
