"""A Parquet table of fixes, read by the numbers of its rows, here or by whoever is handed the work.

For opening and reading; what the fixes mean is in `fixes`, which rows belong together in `plan`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from geotools.analysis.swath import units
from geotools.analysis.swath.fixes import Table, require_single
from geotools.analysis.swath.rules import Tool
from geotools.io.logs import names_a_state
from geotools.model.errors import CoverageError, ReadError
from geotools.model.schema import schema
from geotools.model.vocab import fold
from geotools.space import crs as _crs

X_NAMES, Y_NAMES = ("x", "longitude", "lon", "easting"), ("y", "latitude", "lat", "northing")
ORDER = ("asset_id", "run_id", "time")  # what tells which rows belong together
NEEDED = (
    "id",
    *ORDER,
    "width_m",
    "is_on",
    "fix_quality",
    "h_acc_m",
    "hdop",
    "depth_cm",
    "organisation",
    "operator",
    "source_crs",
)


@dataclass(frozen=True)
class Source:
    """A table on disk and how to read it; small, so that it can travel with the work.

    Attributes
    ----------
    path, size
        The file, and its size: whoever reads it must see the same.
    place, system
        Columns of the coordinates, and their system.
    meaning
        Column of the file → name of the schema, for the columns that are wanted.
    stated
        Working flags that have a value somewhere in the file.
    batch
        Rows read at once.
    """

    path: Path
    size: int
    place: tuple[str, ...]
    system: pyproj.CRS
    meaning: tuple[tuple[str, str], ...]
    stated: frozenset[str]
    batch: int

    @classmethod
    def of(cls, path: Path, crs: Any, tool: Tool, batch: int) -> Source:
        """Open a table.

        Raises
        ------
        ReadError, CRSError
            If it is not Parquet, has no coordinates, or nobody says their system.
        CoverageError
            If two columns mean the same, or whether the tool was at work is told in a column that is not read here.
        """
        file, place, system = opened(path, crs)
        spellings = schema("fixes").by_spelling
        known = {name: spellings.get(fold(name), name) for name in file.schema_arrow.names}
        flags = {"is_on", *(section.is_on for section in tool.sections)}
        _require_read_states(known, tool)
        needed = {*NEEDED, *place, *flags}
        wanted = {
            name: meant
            for name, meant in known.items()
            if meant in needed or name in needed or units.unit_of(name, "width") or units.unit_of(name, "depth")
        }
        self = cls(path, path.stat().st_size, place, system, tuple(wanted.items()), frozenset(), batch)
        require_single(
            pd.DataFrame(columns=[known[n] for n in file.schema_arrow.names if n in wanted and n not in place])
        )
        said = [(name, meant) for name, meant in wanted.items() if meant in flags]
        typed = {meant: f"{meant}_as_entered" for _, meant in said if f"{meant}_as_entered" in file.schema_arrow.names}
        stated = frozenset(
            meant
            for name, meant in said
            if self._has_values(name) or (meant in typed and self._has_values(typed[meant]))
        )
        return cls(path, self.size, place, system, self.meaning, stated, batch)

    @property
    def is_here(self) -> bool:
        """Whether the same file can be read from here."""
        try:
            return self.path.stat().st_size == self.size
        except OSError:
            return False

    @cached_property
    def content(self) -> str:
        """A name for what is in the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _metadata(self) -> Any:
        return pq.read_metadata(self.path)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was read of the file already, for someone who may work in another folder."""
        kept = {name: value for name, value in self.__dict__.items() if name not in ("_metadata", "content")}
        return {**kept, "path": self.path.absolute()}

    @property
    def borders(self) -> np.ndarray:
        """Numbers of the rows at which groups of rows begin, and the number of all rows."""
        groups = [self._metadata.row_group(n).num_rows for n in range(self._metadata.num_row_groups)]
        return np.cumsum([0, *groups])

    def _has_values(self, column: str) -> bool:
        """Whether a column holds anything at all; it is read up to the first value."""
        return any(batch.to_pandas()[column].notna().any() for _, batch in self.batches([column]))

    def batches(self, columns: list[str], first: int = 0, last: int | None = None) -> Iterator[tuple[int, Any]]:
        """Pieces of the table with the number of their first row; only those with rows from `first` to `last`.

        Every group of rows has a reader of its own: one reader over all of them keeps what it has read.
        """
        try:
            borders = self.borders
            end = borders[-1] if last is None else last + 1
            for group, (begin, stop) in enumerate(itertools.pairwise(borders.tolist())):
                if stop <= first or begin >= end:
                    continue
                with pq.ParquetFile(self.path, metadata=self._metadata) as file:
                    for batch in file.iter_batches(self.batch, row_groups=[group], columns=columns, use_threads=False):
                        if begin >= end:
                            break
                        if begin + batch.num_rows > first:
                            yield int(begin), batch
                        begin += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise ReadError("the file is damaged", hint="copy or export it again", file=self.path) from error

    def order(self) -> Iterator[tuple[int, Any]]:
        """Asset, run and time of all rows, piece by piece."""
        names = {name: meant for name, meant in self.meaning if meant in ORDER}
        for begin, batch in self.batches(list(names)):
            yield begin, _frame(batch).rename(columns=names)

    def tables(self, rows: Sequence[np.ndarray]) -> Iterator[Table]:
        """A table of each of some sets of rows (stretches from … to), in one passage over the file."""
        every = np.concatenate(list(rows))
        every = every[np.argsort(every[:, 0], kind="stable")]
        pieces = self.batches([name for name, _ in self.meaning], int(every[0, 0]), int(every[:, 1].max()) - 1)
        held: tuple[np.ndarray, Table] | None = None
        for stretches in rows:
            numbers = numbers_of(stretches)
            while held is None or not len(held[0]) or held[0][-1] < numbers[-1]:
                begin, batch = next(pieces)
                number = np.arange(begin, begin + batch.num_rows)
                at = np.searchsorted(every[:, 0], number, side="right") - 1
                mine = (at >= 0) & (number < every[at, 1])
                if mine.any():
                    new = number[mine], part(self._table(batch), mine)
                    held = new if held is None else (np.concatenate([held[0], new[0]]), together(held[1], new[1]))
            chosen = np.zeros(len(held[0]), dtype=bool)
            chosen[np.searchsorted(held[0], numbers)] = True
            yield part(held[1], chosen)
            held = held[0][~chosen], part(held[1], ~chosen)

    def _table(self, batch: Any) -> Table:
        frame = _frame(batch)
        try:
            if len(self.place) == 1:
                points = shapely.from_wkb(frame.pop(self.place[0]).to_numpy())
                xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
            else:
                xy = np.column_stack([frame.pop(name).to_numpy(dtype=float, na_value=np.nan) for name in self.place])
        except (TypeError, ValueError, shapely.errors.ShapelyError) as error:
            raise ReadError(
                f"the column '{self.place[0]}' does not hold coordinates",
                hint="x and y must be numbers, a geometry must be points as WKB",
                file=self.path,
            ) from error
        return Table(frame.rename(columns=dict(self.meaning)), xy, self.system, self.stated)


def _require_read_states(known: dict[str, str], tool: Tool) -> None:
    """A table read in parts is not searched for other names of ``is_on``; to overlook one would claim ground that nobody worked."""
    told = [name for name, meant in known.items() if meant == name and names_a_state(name)]
    if told and not tool.sections and "is_on" not in known.values():
        raise CoverageError(
            f"the column '{told[0]}' seems to tell whether the tool was at work, but a table this large is read in parts, by is_on only",
            hint="add a column is_on (true, false) to the file",
        )


def _frame(batch: Any) -> pd.DataFrame:
    """A piece as a frame; whole numbers stay whole where some are missing, so that a name reads alike in every piece."""
    frame: pd.DataFrame = batch.to_pandas()
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_integer(column.type) and column.null_count and not pd.api.types.is_object_dtype(frame[name]):
            frame[name] = column.to_pandas(integer_object_nulls=True)
    return frame


def numbers_of(stretches: np.ndarray) -> np.ndarray:
    """Numbers of the rows of stretches.

    Examples
    --------
    >>> numbers_of(np.array([[3, 5], [8, 9]])).tolist()
    [3, 4, 8]
    """
    size = stretches[:, 1] - stretches[:, 0]
    return np.repeat(stretches[:, 0] - (np.cumsum(size) - size), size) + np.arange(size.sum())


def stretches_of(numbers: np.ndarray) -> np.ndarray:
    """Stretches (from, to) of rising numbers.

    Examples
    --------
    >>> stretches_of(np.array([3, 4, 8])).tolist()
    [[3, 5], [8, 9]]
    """
    turn = np.flatnonzero(np.diff(numbers) != 1) + 1
    first, last = np.concatenate(([0], turn)), np.concatenate((turn, [len(numbers)])) - 1
    return np.column_stack([numbers[first], numbers[last] + 1])


def part(table: Table, mask: np.ndarray) -> Table:
    """Some rows of a table."""
    if mask.all():
        return table
    return Table(table.rows[mask].reset_index(drop=True), table.xy[mask], table.crs, table.stated)


def together(first: Table, second: Table) -> Table:
    """Two tables of the same columns, one after the other."""
    if not len(first.rows):
        return second
    rows = pd.concat([first.rows, second.rows], ignore_index=True)
    return Table(rows, np.vstack([first.xy, second.xy]), first.crs, first.stated)


def opened(path: Path, crs: Any) -> tuple[pq.ParquetFile, tuple[str, ...], pyproj.CRS]:
    """The opened table, its columns of coordinates and their system.

    Raises
    ------
    ReadError, CRSError
        As `Source.of`.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ReadError(
            "not a Parquet file that can be read",
            hint="convert the fixes first: geotools convert FIXES -o fixes.parquet",
            file=path,
        ) from error
    place = _place(file, path)
    return file, place, _system(file, place, crs)


def _place(file: pq.ParquetFile, path: Path) -> tuple[str, ...]:
    names = {name.lower(): name for name in file.schema_arrow.names}
    for pair in zip(X_NAMES, Y_NAMES, strict=True):
        if all(name in names for name in pair):
            return tuple(names[name] for name in pair)
    if "geometry" in names:
        return (names["geometry"],)
    raise ReadError(
        "the table has no coordinates", hint="it needs x and y, longitude and latitude, or a WKB geometry", file=path
    )


def _system(file: pq.ParquetFile, place: tuple[str, ...], crs: Any) -> pyproj.CRS:
    if crs is not None:
        return _crs.parse(crs)
    metadata = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    column = metadata.get("columns", {}).get(place[0], {})
    if column:
        return _crs.parse(column.get("crs") or _crs.WGS84)
    if place[0].lower() in ("longitude", "lon"):
        return _crs.WGS84
    raise _crs.CRSError(
        "the table does not say the reference system of x and y", hint="give one, for example crs='EPSG:32638'"
    )
