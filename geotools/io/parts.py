"""Layers in parts: a folder of GeoParquet files, neighbours together, read and written without ever holding all of it.

For national layers that are larger than memory; one file that fits is read by `parquet` like any other.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyproj
import shapely

from geotools.io import words
from geotools.io.atomic import replacing
from geotools.model.errors import ReadError, WriteError
from geotools.model.parallel import map_ordered
from geotools.model.provenance import version
from geotools.space import crs as _crs
from geotools.space.shapes import hilbert

MARK = b"geotools"
ROWS = 50_000  # rows of a part
GROUP = 12_500  # rows that are read at a time


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        hint = "workers on other machines need to see the layer under the same name; put it in a folder that all of them share"
        raise ReadError(
            "this part of the layer is not there, or a worker cannot see it", hint=hint, file=file
        ) from error
    except (pa.ArrowException, OSError, ValueError, shapely.errors.ShapelyError) as error:
        raise ReadError(f"it is damaged{words.bracketed(words.said(error))}", hint=words.AGAIN, file=file) from error


@dataclass(frozen=True)
class Batch:
    """Some row groups of one file, as many as are worked on at a time."""

    file: Path
    groups: tuple[int, ...]
    rows: int
    column: str

    def __getstate__(self) -> dict[str, Any]:
        """Whoever gets it may work in another folder."""
        return {**self.__dict__, "file": self.file.absolute()}

    def shapes(self) -> np.ndarray:
        """The geometries, as they are in the file."""
        with _readable(self.file):
            table = pq.ParquetFile(self.file).read_row_groups(list(self.groups), columns=[self.column])
            return np.asarray(shapely.from_wkb(table.column(0).to_numpy()), dtype=object)


@dataclass(frozen=True)
class Parts:
    """A layer in a folder of GeoParquet files that `write` made.

    Examples
    --------
    >>> import tempfile
    >>> frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=shapely.points([[47.0, 39], [46, 40]]), crs=4326)
    >>> layer = Parts.open(write(frame, Path(tempfile.mkdtemp()) / "finds.parquet", "finds"))
    >>> layer.kind, len(layer), layer.crs.to_epsg()
    ('finds', 2, 4326)
    """

    path: Path
    kind: str
    crs: pyproj.CRS | None
    batches: tuple[Batch, ...]
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path) -> Parts:
        """Look at the files; nothing but their headers is read.

        Raises
        ------
        ReadError
            If it is no such folder, or a file is damaged, foreign or of another layer.
        """
        folder = Path(path)
        files = sorted(folder.glob("*.parquet")) if folder.is_dir() else [folder]
        if not files or not folder.exists():
            raise ReadError("no such folder of GeoParquet files", hint=HINT, file=folder)
        batches: list[Batch] = []
        told: list[tuple[str, str, tuple[str, ...]]] = []
        for file in files:
            with _readable(file):
                known = pq.ParquetFile(file)
                meta = known.schema_arrow.metadata or {}
                said = json.loads(meta.get(b"geo", b"{}")), json.loads(meta.get(MARK, b"{}"))
            if "kind" not in said[1] or not said[0]:
                raise ReadError("it was not written as a layer in parts", hint=HINT, file=file)
            column = said[0]["primary_column"]
            system = json.dumps(said[0]["columns"][column].get("crs", "OGC:CRS84"))
            told.append((said[1]["kind"], system, tuple(name for name in known.schema_arrow.names if name != column)))
            batches += _batches(file, known, column)
        if len({(kind, system) for kind, system, _ in told}) > 1:
            raise ReadError("its files are of different layers", hint="keep one layer in a folder", file=folder)
        kind, system, _ = told[0]
        names = dict.fromkeys(name for _, _, columns in told for name in columns)
        crs = json.loads(system)
        return cls(folder, kind, None if crs is None else pyproj.CRS(crs), tuple(batches), tuple(names))

    def __len__(self) -> int:
        return sum(batch.rows for batch in self.batches)

    def attributes(self, wanted: Sequence[str] | None = None) -> pd.DataFrame:
        """The columns without geometry of all rows, in the order of the files; those that are not there are left out."""
        names = [name for name in self.columns if wanted is None or name in wanted]
        tables = []
        for file in dict.fromkeys(batch.file for batch in self.batches):
            with _readable(file):
                known = pq.ParquetFile(file)
                tables.append(known.read(columns=[name for name in names if name in known.schema_arrow.names]))
        if not names or not tables:
            return pd.DataFrame({name: pd.Series([], dtype=object) for name in names}, index=range(len(self)))
        joined = pa.concat_tables(tables, promote_options="permissive").select(names)
        columns = {name: _column(joined.column(name)) for name in names}
        return pd.DataFrame(columns)

    def draw(self, rows: np.ndarray) -> np.ndarray:
        """Geometries of these rows, as they are in the files; see `geotools.space.shapes.Shelf`."""
        out = np.empty(len(rows), dtype=object)
        ends = np.cumsum([batch.rows for batch in self.batches])
        which = np.searchsorted(ends, rows, side="right")
        for number in np.unique(which):
            batch, mine = self.batches[number], which == number
            out[mine] = batch.shapes()[rows[mine] - (ends[number] - batch.rows)]
        return out

    def named(self, rows: np.ndarray) -> bytes:
        """What stands for the content of these rows."""
        return "|".join(self.digests.values()).encode() + np.ascontiguousarray(rows, dtype=np.int64).tobytes()

    @cached_property
    def digests(self) -> dict[Path, str]:
        """SHA-256 of every file."""
        files = list(dict.fromkeys(batch.file for batch in self.batches))
        return dict(zip(files, (_digest(file) for file in files), strict=True))

    def read(self) -> gpd.GeoDataFrame:
        """All of it, as a frame in memory, in the order of the files."""
        shapes = np.concatenate([np.zeros(0, dtype=object), *map_ordered(Batch.shapes, self.batches)])
        return gpd.GeoDataFrame(self.attributes(), geometry=gpd.GeoSeries(shapes, crs=self.crs), crs=self.crs)


HINT = "geotools convert … releases.parquet --parts makes one"


def is_parts(path: str | Path) -> bool:
    """Whether a folder is a layer in parts, by a look at one of its files.

    Examples
    --------
    >>> is_parts("no such folder")
    False
    """
    folder = Path(path)
    first = next(iter(sorted(folder.glob("*.parquet"))), None) if folder.is_dir() else None
    if first is None:
        return False
    try:
        return MARK in (pq.read_schema(first).metadata or {})
    except (pa.ArrowException, OSError, ValueError):
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _batches(file: Path, known: pq.ParquetFile, column: str) -> list[Batch]:
    found: list[Batch] = []
    groups: list[int] = []
    rows = 0
    for group in range(known.num_row_groups):
        more = known.metadata.row_group(group).num_rows
        if groups and rows + more > GROUP:
            found.append(Batch(file, tuple(groups), rows, column))
            groups, rows = [], 0
        groups.append(group)
        rows += more
    return [*found, Batch(file, tuple(groups), rows, column)] if rows else found


def _column(column: pa.ChunkedArray) -> pd.Series:
    """Text that repeats is kept once; everything else as it is."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.Series(_texts(column), dtype=object)
    series: pd.Series = column.to_pandas(date_as_object=True, integer_object_nulls=True)
    return series


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    out = np.empty(len(column), dtype=object)
    place = 0
    for chunk in column.chunks:
        known = np.array([*chunk.dictionary.to_pylist(), None], dtype=object)
        codes = chunk.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
        out[place : place + len(chunk)] = known[codes]
        place += len(chunk)
    return out


def write(
    frames: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame],
    path: str | Path,
    kind: str,
    *,
    rows: int = ROWS,
    overwrite: bool = False,
) -> Path:
    """Write a layer in parts: neighbours along a Hilbert curve go into one file. Any program that reads GeoParquet reads them.

    Parameters
    ----------
    frames
        Records with columns as in `geotools.schema`; or several frames of one layer, of which one at a time is held.
    path
        The folder.
    kind
        What the records are.
    rows
        Rows of one file.

    Raises
    ------
    WriteError
        If it exists and `overwrite` is false, the frames are in different systems, or writing fails.

    Examples
    --------
    >>> frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=shapely.points([[47.0, 39], [46, 40]]), crs=4326)
    >>> folder = write(frame, Path(tempfile.mkdtemp()) / "finds.parquet", "finds", rows=1)
    >>> sorted(file.name for file in folder.iterdir())
    ['part-00000.parquet', 'part-00001.parquet']
    """
    if rows < 1:
        raise WriteError("a part has at least one row", hint="leave the number out", file=path)
    folder = Path(path)
    if folder.is_dir() and not all(entry.match("part-*.parquet") for entry in folder.iterdir()):
        raise WriteError(
            "it holds other things than a layer in parts", hint="name a folder of its own, e.g. releases.parquet", file=path
        )  # fmt: skip
    with replacing(path, overwrite=overwrite) as temporary, tempfile.TemporaryDirectory(dir=temporary.parent) as room:
        temporary.mkdir()
        kept, bounds = _collected([frames] if isinstance(frames, gpd.GeoDataFrame) else frames, Path(room), path)
        order = np.argsort(hilbert(bounds), kind="stable")
        count = max(1, -(-len(order) // rows))
        part = np.empty(len(order), dtype=np.int64)
        for number, places in enumerate(np.array_split(order, count)):
            part[places] = number
        rank = np.argsort(order, kind="stable")
        _dealt(kept, part, rank, Path(room))
        for number in range(count):
            _write(Path(room) / str(number), temporary / f"part-{number:05d}.parquet", kind)
    return Path(path)


RANK = "__rank__"


def _collected(frames: Iterable[gpd.GeoDataFrame], room: Path, path: str | Path) -> tuple[list[Path], np.ndarray]:
    """Every frame in a file of its own, and the boxes of all rows."""
    kept, bounds, systems = [], [np.zeros((0, 4))], set()
    for number, frame in enumerate(frames):
        systems.add(None if frame.crs is None else _system(frame.crs))
        if len(systems) > 1:
            raise WriteError("its rows are in different reference systems", hint="bring them to one first", file=path)
        plain = frame.rename_geometry("geometry") if frame.geometry.name != "geometry" else frame
        bounds.append(shapely.bounds(np.asarray(plain.geometry.array, dtype=object)).reshape(-1, 4))
        kept.append(room / f"frame-{number}.parquet")
        plain.to_parquet(kept[-1], index=False, compression="lz4")
    return kept, np.concatenate(bounds)


def _system(crs: pyproj.CRS) -> str:
    """What tells a system from every other: its code, or all of it; two local grids may have one title, or none."""
    name = _crs.label(crs)
    return name if name.startswith("EPSG:") else _crs.code_or_wkt(crs)


def _dealt(kept: list[Path], part: np.ndarray, rank: np.ndarray, room: Path) -> None:
    """The rows of every frame, by the part they belong to."""
    start = 0
    for file in kept:
        table = pq.read_table(file)
        mine = slice(start, start + table.num_rows)
        table = table.append_column(RANK, pa.array(rank[mine]))
        for number in np.unique(part[mine]) if len(part) else [0]:
            bucket = room / str(number)
            bucket.mkdir(exist_ok=True)
            pq.write_table(table.filter(pa.array(part[mine] == number)), bucket / file.name, compression="lz4")
        start += table.num_rows
        file.unlink()


def _write(bucket: Path, path: Path, kind: str) -> None:
    """One part, in order, with a note of what it is."""
    tables = [pq.read_table(file) for file in sorted(bucket.glob("*.parquet"))]
    if not tables:
        return
    joined = pa.concat_tables(tables, promote_options="permissive")
    joined = joined.take(pc.sort_indices(joined.column(RANK))).drop_columns([RANK])
    note = json.dumps({"kind": kind, "version": version()}).encode()
    head = dict(tables[0].schema.metadata or {})
    geo = json.loads(head[b"geo"])
    for column in geo["columns"].values():  # of the first frame, not of this part
        column.pop("bbox", None)
        column["geometry_types"] = []
    marked = joined.replace_schema_metadata({**head, b"geo": json.dumps(geo).encode(), MARK: note})
    pq.write_table(marked, path, row_group_size=GROUP, compression="zstd")
    shutil.rmtree(bucket)
