"""`stream`: passes from a Parquet table of fixes that is larger than memory.

For hundreds of millions of fixes; what it returns is what `prepare` returns for the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from geotools.analysis.swath import units
from geotools.analysis.swath.findings import Seen
from geotools.analysis.swath.fixes import Table, times
from geotools.analysis.swath.outages import Edges
from geotools.analysis.swath.path import SECOND
from geotools.analysis.swath.prepare import LISTED, Prepared, finish, gate_of, work
from geotools.analysis.swath.rules import Rules, Tool
from geotools.analysis.swath.task import Task
from geotools.model.errors import CoverageError, ReadError
from geotools.model.progress import Progress, tracked
from geotools.model.schema import schema
from geotools.model.vocab import fold
from geotools.space import crs as _crs

ROWS = 100_000
HELD = (
    400_000  # fixes held back for what may follow; beyond it assets and runs that are not in the newest rows are let go
)
LONGEST = 2_000_000  # fixes of one asset without any pause
X_NAMES, Y_NAMES = ("x", "longitude", "lon", "easting"), ("y", "latitude", "lat", "northing")
NEEDED = (
    "id",
    "asset_id",
    "run_id",
    "time",
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


def stream(
    path: str | Path, task: gpd.GeoDataFrame | gpd.GeoSeries, *, crs: Any = None, tool: Tool | None = None, rules: Rules | None = None,
    progress: Progress | None = None,
) -> Prepared:  # fmt: skip
    """As `prepare`, reading a Parquet file piece by piece; only the passes stay in memory (about 4 MB per million fixes at 10 Hz).

    Parameters
    ----------
    path
        Parquet with the columns of ``fixes`` and either a WKB ``geometry``, or x and y (or longitude and latitude) in `crs`.
        The fixes of one asset and run must come in the order of time; several assets may alternate.
    task
        Polygons in any CRS.
    crs
        System of the coordinates where the file does not say; degrees WGS 84 for columns named longitude and latitude.
    tool, rules
        As `prepare`.

    Returns
    -------
    Prepared

    Raises
    ------
    ReadError
        If the file is not Parquet or has no coordinates.
    CoverageError
        If the fixes of an asset are not in the order of time, or one asset has more than 2 million fixes without a pause.
    CRSError
        If the system is not known.
    """
    tool, rules = tool or Tool(), rules or Rules()
    ground = Task(task)
    gate = gate_of(ground, ground.plane, tool, rules)
    seen, pieces, listed = Seen(), [], 0
    known: Edges = {}
    for table in blocks(Path(path), crs, (tool, rules), progress):
        seen += Seen.of(table, tool)
        piece = work(table, gate, known)
        pieces.append(replace(piece, dropped=piece.dropped.head(max(0, LISTED - listed))))
        listed += len(pieces[-1].dropped)
    return finish(pieces, seen, gate, ground)


def blocks(path: Path, crs: Any, how: tuple[Tool, Rules], progress: Progress | None) -> Iterator[Table]:
    """Tables that end where every asset and run pauses for longer than an outage."""
    held: Table | None = None
    tool, rules = how
    done: dict[str, int] = {}
    for new in _tables(path, crs, tool, progress):
        table = new if held is None else _together(held, new)
        ready = _ready(table, set(_keys(new.rows)) if len(table.rows) > HELD else None, rules)
        held = _part(table, ~ready)
        if len(held.rows) > LONGEST:
            raise CoverageError(
                "one asset has more than 2 million fixes without a pause",
                hint="split the file by day, or check the times",
                file=path,
            )
        if ready.any():
            out = _part(table, ready)
            _remember(out, done, rules, path)
            yield out
    if held is not None and len(held.rows):
        _remember(held, done, rules, path)
        yield held


def source(path: Path, crs: Any) -> tuple[pq.ParquetFile, tuple[str, ...], pyproj.CRS]:
    """The opened table, its columns of coordinates and their system.

    Raises
    ------
    ReadError, CRSError
        As `stream`.
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


def _tables(path: Path, crs: Any, tool: Tool, progress: Progress | None) -> Iterator[Table]:
    file, place, system = source(path, crs)
    spellings = schema("fixes").by_spelling
    known = {name: spellings.get(fold(name), name) for name in file.schema_arrow.names}
    needed = {*NEEDED, *place, *(section.is_on for section in tool.sections)}
    wanted = [
        name
        for name, meant in known.items()
        if meant in needed or name in needed or units.unit_of(name, "width") or units.unit_of(name, "depth")
    ]
    flags = {"is_on", *(section.is_on for section in tool.sections)}
    stated = frozenset(
        meant for name, meant in known.items() if meant in flags and _has_values(path, file.metadata, name)
    )
    for batch in tracked(_batches(path, file.metadata, wanted), "reading fixes", progress):
        frame = batch.to_pandas()
        try:
            if len(place) == 1:
                points = shapely.from_wkb(frame.pop(place[0]).to_numpy())
                xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
            else:
                xy = np.column_stack([frame.pop(name).to_numpy(dtype=float, na_value=np.nan) for name in place])
        except (TypeError, ValueError, shapely.errors.ShapelyError) as error:
            raise ReadError(
                f"the column '{place[0]}' does not hold coordinates",
                hint="x and y must be numbers, a geometry must be points as WKB",
                file=path,
            ) from error
        yield Table(frame.rename(columns=known), xy, system, stated)


def _has_values(path: Path, metadata: Any, column: str) -> bool:
    """Whether a column holds anything at all; it is read up to the first value."""
    return any(batch.to_pandas()[column].notna().any() for batch in _batches(path, metadata, [column]))


def _batches(path: Path, metadata: Any, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Row group by row group, each with a reader of its own: one reader over all of them keeps what it has read."""
    for group in range(metadata.num_row_groups):
        try:
            with pq.ParquetFile(path, metadata=metadata) as file:
                yield from file.iter_batches(batch_size=ROWS, row_groups=[group], columns=columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise ReadError("the file is damaged", hint="copy or export it again", file=path) from error


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
    import json

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


def _keys(rows: pd.DataFrame) -> np.ndarray:
    """Asset and run of each row as one text."""
    parts = [
        rows[name].astype(object).where(rows[name].notna(), "").astype(str)
        for name in ("asset_id", "run_id")
        if name in rows
    ]
    if not parts:
        return np.full(len(rows), "", dtype=object)
    return np.asarray(parts[0] if len(parts) == 1 else parts[0] + "\x1f" + parts[1], dtype=object)


def _ready(table: Table, current: set[str] | None, rules: Rules) -> np.ndarray:
    """Rows that no later row can belong with: before the last pause of their asset and run, or of one that is not `current` any more."""
    keys = _keys(table.rows)
    code, names = pd.factorize(keys)
    t, timed = times(table.rows)
    ready = ~timed
    order = np.lexsort((t, code))
    order = order[timed[order]]
    c, s = code[order], t[order]
    opens = (
        np.r_[True, (np.diff(c) != 0) | (np.diff(s) > rules.outage_s * SECOND)]
        if len(order)
        else np.zeros(0, dtype=bool)
    )
    last = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(last, c[opens], np.flatnonzero(opens))
    gone = np.array([current is not None and name not in current for name in names], dtype=bool)
    ready[order] = (np.arange(len(order)) < last[c]) | gone[c]
    return ready


def _remember(table: Table, done: dict[str, int], rules: Rules, path: Path) -> None:
    """Note how far each asset and run is worked; a row that belongs before that would be lost, so it is an error."""
    t, timed = times(table.rows)
    span = pd.DataFrame({"key": _keys(table.rows)[timed], "t": t[timed]}).groupby("key")["t"].agg(["min", "max"])
    for key, low, high in zip(span.index, span["min"], span["max"], strict=True):
        if key in done and low <= done[key] + rules.outage_s * SECOND:
            raise CoverageError(
                "the fixes of an asset are not in the order of time",
                hint="sort the table by asset_id, run_id and time first",
                file=path,
            )
        done[str(key)] = int(high)


def _part(table: Table, mask: np.ndarray) -> Table:
    return replace(table, rows=table.rows[mask].reset_index(drop=True), xy=table.xy[mask])


def _together(first: Table, second: Table) -> Table:
    if not len(first.rows):
        return second
    rows = pd.concat([first.rows, second.rows], ignore_index=True)
    return replace(first, rows=rows, xy=np.vstack([first.xy, second.xy]))
