"""`stream`: passes from a Parquet table of fixes that is larger than memory.

For hundreds of millions of fixes; what it returns is what `prepare` returns for the same rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd

from geotools.analysis.swath.findings import Seen
from geotools.analysis.swath.outages import Edges
from geotools.analysis.swath.parts import Recipe, blocks
from geotools.analysis.swath.prepare import LISTED, Prepared, finish, gate_of
from geotools.analysis.swath.reading import Source
from geotools.analysis.swath.rules import Rules, Tool
from geotools.analysis.swath.task import Task
from geotools.model.progress import Progress

ROWS = 100_000  # read at once


def stream(
    path: str | Path, task: gpd.GeoDataFrame | gpd.GeoSeries, *, crs: Any = None, tool: Tool | None = None, rules: Rules | None = None,
    progress: Progress | None = None,
) -> Prepared:  # fmt: skip
    """As `prepare`, reading a Parquet file piece by piece; only the passes stay in memory (about 4 MB per million fixes at 10 Hz).

    Pieces are worked under the executor of `model.parallel.using`; the passes are the same under each of them.

    Parameters
    ----------
    path
        Parquet with the columns of ``fixes`` and either a WKB ``geometry``, or x and y (or longitude and latitude) in `crs`.
        The fixes of one asset and run must come in the order of time; several assets may alternate. Workers on other machines
        must see the file under the same name.
    task
        Polygons in any CRS.
    crs
        System of the coordinates where the file does not say; degrees WGS 84 for columns named longitude and latitude.
    tool, rules
        As `prepare`.

    Returns
    -------
    Prepared
        Passes in metres, and an account of every fix; the dropped fixes are listed up to a limit.

    Raises
    ------
    ReadError
        If the file is not Parquet or has no coordinates.
    CoverageError
        If the fixes of an asset are not in the order of time, or one asset has more than 2 million fixes without a pause.
    CRSError
        If the system is not known.

    Examples
    --------
    >>> import tempfile, pandas as pd, shapely
    >>> table = pd.DataFrame({"x": [700000 + 0.5 * i for i in range(101)], "y": 4380000.0, "width_m": 1.0})
    >>> table["time"] = pd.date_range("2026-05-04T06:00Z", periods=101, freq="s")
    >>> file = Path(tempfile.mkdtemp()) / "fixes.parquet"
    >>> table.to_parquet(file)
    >>> task = gpd.GeoSeries([shapely.box(700000, 4379999, 700050, 4380001)], crs="EPSG:32638")
    >>> made = stream(file, task, crs="EPSG:32638")
    >>> made.to_dict()["fixes"]["used"], made.passes["length_m"].round(1).tolist()
    (101, [50.0])
    """
    tool, rules = tool or Tool(), rules or Rules()
    ground = Task(task)
    gate = gate_of(ground, ground.plane, tool, rules)
    seen, pieces, listed = Seen(), [], 0
    known: Edges = {}
    for block in blocks(table_at(path, crs, tool), Recipe(gate), progress):
        seen += block.seen
        piece = block.piece.after(known)
        pieces.append(replace(piece, dropped=piece.dropped.head(max(0, LISTED - listed))))
        listed += len(pieces[-1].dropped)
    return finish(pieces, seen, gate, ground)


def table_at(path: str | Path, crs: Any, tool: Tool) -> Source:
    """A table of fixes, opened.

    Raises
    ------
    ReadError, CRSError, CoverageError
        As `Source.of`.
    """
    return Source.of(Path(path), crs, tool, ROWS)
