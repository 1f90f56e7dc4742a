"""Read back what was just written: a disk that fills up while a library closes a file is not always reported.

For files that GDAL writes, before they take their place; our own writers raise on every byte that does not fit.
"""

from __future__ import annotations

import mmap
import sqlite3
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geotools.model.errors import WriteError

HINT = "is the disk full, the path very long, or the file open elsewhere? Make room and write it again"
_SIZE = struct.Struct("<I")


def geopackage(path: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Every page is in order, and each of these layers has all its rows, its extent and its spatial index.

    Parameters
    ----------
    frames
        What was written, by layer; other layers of the file are looked at only as pages.

    Raises
    ------
    WriteError
        If something is missing.
    """
    if any(path.with_name(path.name + end).exists() for end in ("-journal", "-wal")):
        raise _broken("its last change was not finished")
    try:
        with closing(sqlite3.connect(path)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise _broken("parts of it are missing")
            for name, frame in frames.items():
                _layer(connection, name, frame)
    except (sqlite3.Error, TypeError) as error:
        raise _broken("parts of it are missing") from error


def _layer(connection: sqlite3.Connection, name: str, frame: pd.DataFrame) -> None:
    quoted = name.replace('"', '""')
    there = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0]  # noqa: S608
    if there != len(frame):
        raise _broken(f"{there} of {len(frame)} rows of '{name}' are in it")
    stated = connection.execute(
        "SELECT feature_count FROM gpkg_ogr_contents WHERE lower(table_name) = lower(?)", (name,)
    ).fetchone()
    if stated is not None and stated[0] not in (None, len(frame)):
        raise _broken(f"it announces {stated[0]} of {len(frame)} rows of '{name}'")
    column = connection.execute(
        "SELECT column_name FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)", (name,)
    ).fetchone()
    places = _with_place(frame)
    if column is None:
        if places:
            raise _broken(f"'{name}' has no geometry")
        return
    index = f"rtree_{name}_{column[0]}".replace('"', '""')
    indexed = connection.execute(f'SELECT count(*) FROM "{index}_rowid"').fetchone()[0]  # noqa: S608
    if indexed != places:
        raise _broken(f"the spatial index of '{name}' is not complete")
    extent = connection.execute(
        "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE lower(table_name) = lower(?)", (name,)
    ).fetchone()
    _same_bounds(extent, frame)


def flatgeobuf(path: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Header, number of rows and extent are as written, and the rows end where the file ends.

    Raises
    ------
    WriteError
        If something is missing.
    """
    (frame,) = frames.values()
    _header(path, frame)
    read = _SIZE.unpack_from
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            at = 12 + read(data, 8)[0]
            for _ in range(len(frame)):  # each row begins with its length
                at += 4 + read(data, at)[0]
        except struct.error as error:
            raise _broken("it ends too early") from error
        if at != len(data):
            raise _broken("it does not end where its rows end")


def shapefile(path: Path, frame: gpd.GeoDataFrame) -> None:
    """The .shp, .shx and .dbf are as long as they say and have all rows; .prj and .cpg are there.

    Raises
    ------
    WriteError
        If something is missing.
    """
    for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
        part = path.with_suffix(suffix)
        if not part.exists() or not part.stat().st_size:
            raise _broken(f"the {suffix} is missing")
    for suffix in (".shp", ".shx"):
        with path.with_suffix(suffix).open("rb") as stream:
            header = stream.read(100)
        if len(header) < 100 or 2 * int.from_bytes(header[24:28], "big") != path.with_suffix(suffix).stat().st_size:
            raise _broken(f"the {suffix} ends too early")
    _attributes(path.with_suffix(".dbf"), len(frame))
    if (
        path.with_suffix(".cpg").read_bytes().strip() != b"UTF-8"
        or path.with_suffix(".prj").read_bytes().strip()[-1:] != b"]"
    ):
        raise _broken("the .prj or .cpg ends too early")
    _header(path, frame)


def _attributes(dbf: Path, count: int) -> None:
    """The .dbf has its header, and a live row wherever one should be."""
    with dbf.open("rb") as stream:
        head = stream.read(32)
    rows, first, width = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    if len(head) < 32 or rows != count or first < 65 or width < 2 or dbf.stat().st_size < first + rows * width:
        raise _broken("the .dbf ends too early")
    data = np.fromfile(dbf, dtype=np.uint8, offset=first, count=rows * width)
    if (data[::width] != ord(" ")).any():
        raise _broken("rows are missing in the .dbf")


def _header(path: Path, frame: pd.DataFrame) -> None:
    """Rows and extent as the file states them."""
    try:
        told = pyogrio.read_info(path, force_feature_count=True, force_total_bounds=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError) as error:
        raise _broken("it cannot be opened") from error
    if told["features"] != len(frame):
        raise _broken(f"{max(told['features'], 0)} of {len(frame)} rows are in it")
    _same_bounds(told["total_bounds"], frame)


def _with_place(frame: pd.DataFrame) -> int:
    """Number of rows with a geometry that is not empty."""
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        return 0
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return len(shapes) - int((shapely.is_missing(shapes) | shapely.is_empty(shapes)).sum())


def _same_bounds(stated: Sequence[float | None] | None, frame: pd.DataFrame) -> None:
    placed = isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None
    wanted = np.asarray(frame.geometry.total_bounds if placed else [np.nan], dtype=float)
    if np.isnan(wanted).all():
        return
    found = np.full(4, np.nan) if stated is None else np.asarray(stated, dtype=float)
    if not np.allclose(found, wanted, rtol=1e-9, atol=1e-9, equal_nan=True):
        raise _broken("its extent is not that of the rows")


def _broken(what: str) -> WriteError:
    return WriteError(f"writing failed: {what}; nothing was changed", hint=HINT)
