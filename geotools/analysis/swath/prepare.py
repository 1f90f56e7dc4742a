"""`prepare`: from a frame of fixes to passes, outages, dropped fixes and issues, with counts that add up.

For one frame in memory; for tables larger than memory see `stream`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.analysis.swath import path
from geotools.analysis.swath.findings import Found, Seen, fix_findings, interruptions, pass_findings
from geotools.analysis.swath.fixes import FAR_ALONE_M, LIFTED, REASONS, Fixes, Gate, Table, admitted, plane_of_fixes
from geotools.analysis.swath.outages import Edges, between, edges, empty_outages, outages
from geotools.analysis.swath.passes import build, empty_passes
from geotools.analysis.swath.rows import Rows, joined
from geotools.analysis.swath.rules import Rules, Tool
from geotools.analysis.swath.task import Task
from geotools.model.schema import issues_frame

LISTED = 10_000  # dropped fixes are all counted; so many of them are listed one by one


@dataclass(frozen=True)
class Prepared:
    """What became of the fixes. Tables are made when they are asked for.

    Attributes
    ----------
    passes
        One row per part of a pass: a centreline on a local equal-area plane, with ``id pass_id asset_id run_id section organisation
        operator start end day width_m length_m speed_mps heading_deg heading_sd_deg depth_cm h_acc_m is_deep is_fast`` and what else was given.
    outages
        Interruptions of a working track as lines: ``id asset_id run_id why start end seconds length_m``; `is_bridged` tells whether the
        swath runs across.
    dropped
        Fixes that were not used, ``id`` and ``reason`` (the first 10 000; all are counted).
    counts
        ``read`` = ``used`` + ``tool_lifted`` + one number per reason.
    issues
        ISSUES rows SW-00 … SW-10.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd, shapely
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=101, freq="s")
    >>> points = gpd.points_from_xy([700000 + 0.5 * i for i in range(101)], [4380000] * 101)
    >>> fixes = gpd.GeoDataFrame({"id": range(101), "time": times, "width_m": 1.0}, geometry=points, crs="EPSG:32638")
    >>> task = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(700000, 4379999, 700050, 4380001)], crs="EPSG:32638")

    >>> made = prepare(fixes, task)
    >>> int(made.counts["read"]), int(made.counts["used"]), made.passes["length_m"].round(1).tolist(), len(made.outages)
    (101, 101, [50.0], 0)
    """

    piece: Piece
    seen: Seen
    tool: Tool
    rules: Rules
    task: Task | None = None

    @cached_property
    def passes(self) -> gpd.GeoDataFrame:
        """Passes, see `passes`."""
        return self.piece.passes.frame()

    @cached_property
    def outages(self) -> gpd.GeoDataFrame:
        """Interruptions."""
        return self.piece.outages.frame()

    @cached_property
    def dropped(self) -> gpd.GeoDataFrame:
        """Fixes left out."""
        return self.piece.dropped.frame()

    @cached_property
    def counts(self) -> pd.Series:
        """The account of fixes."""
        return pd.Series(self.piece.counts, dtype="int64")

    @cached_property
    def issues(self) -> gpd.GeoDataFrame:
        """Findings."""
        found = Found.of(self.piece.passes, self.rules)
        breaks = interruptions(self.piece.outages)
        return issues_frame(
            [*fix_findings(self.seen, self.piece.counts, self.tool), *breaks, *pass_findings(found, self.rules)]
        )

    def to_dict(self) -> dict[str, Any]:
        """Counts as plain data."""
        made, bridged = self.piece.passes, self.piece.outages.data["is_bridged"].astype(bool)
        return {
            "fixes": {name: int(value) for name, value in self.piece.counts.items()},
            "passes": len(set(made.data["pass_id"].tolist())),
            "outages": int((~bridged).sum()),
            "bridged": int(bridged.sum()),
            "length_m": float(made.data["length_m"].sum()),
        }


@dataclass(frozen=True)
class Piece:
    """What one chunk of fixes gave; `prepare` has one, `stream` joins many. `ends` tells where each asset and run began and ended."""

    passes: Rows
    outages: Rows
    dropped: Rows
    counts: dict[str, int]
    ends: Edges = field(default_factory=dict)

    def after(self, known: Edges) -> Piece:
        """With the interruptions since the chunks before, whose ends are `known`; those are brought up to date."""
        since = replace(between(known, self.ends), crs=self.outages.crs)
        return replace(self, outages=joined([self.outages, since]), ends={})


def prepare(
    fixes: gpd.GeoDataFrame,
    task: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    *,
    tool: Tool | None = None,
    rules: Rules | None = None,
) -> Prepared:
    """Turn fixes into passes, and account for every fix.

    Fixes are gated (no position, null island, simulated, inaccurate, far away, no time or width), sorted by asset, run and time,
    freed of repeated times, spikes and stretches that jump to and fro, broken at outages, steps and a lifted tool, smoothed inside runs, moved to the place of an
    offset tool, thinned, and split into passes at turns. An outage is never bridged.

    Parameters
    ----------
    fixes
        Records of the kind ``fixes`` in any CRS. ``time`` is needed; ``width_m`` or `tool` gives the width.
    task
        Polygons of the task in any CRS: it sets the plane and says which fixes are far away.
    tool
        Width where fixes state none, place of the tool, sections.
    rules
        Limits; see `Rules`.

    Returns
    -------
    Prepared

    Raises
    ------
    CoverageError
        If the fixes have no time column, are not points, or the task is empty.
    CRSError
        If the fixes or the task have no CRS.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=11, freq="s")
    >>> points = gpd.points_from_xy([700000 + 0.5 * i for i in range(11)], [4380000] * 11)
    >>> fixes = gpd.GeoDataFrame({"id": [str(i) for i in range(11)], "time": times}, geometry=points, crs="EPSG:32638")
    >>> prepare(fixes, tool=Tool(width_m=0.5)).to_dict()["fixes"]["used"]
    11
    """
    tool, rules = tool or Tool(), rules or Rules()
    table, ground = Table.of(fixes), None if task is None else Task(task)
    gate = gate_of(ground, plane_of_fixes(table) if ground is None else ground.plane, tool, rules)
    return finish([work(table, gate)], Seen.of(table, tool), gate, ground)


def passes(
    fixes: gpd.GeoDataFrame,
    task: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    *,
    tool: Tool | None = None,
    rules: Rules | None = None,
) -> gpd.GeoDataFrame:
    """The passes of `prepare`, without the account of fixes. Use `prepare` wherever figures are reported.

    Parameters
    ----------
    fixes, task, tool, rules
        As `prepare`.

    Returns
    -------
    GeoDataFrame
        Centrelines on a local equal-area plane: ``id, pass_id, asset_id, run_id, section, organisation, operator, start, end,
        day (UTC), width_m, length_m, speed_mps, heading_deg, heading_sd_deg, depth_cm, h_acc_m, is_deep, is_fast, fixes``.
        Rows with the same ``pass_id`` are parts of one trip and count once.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=11, freq="s")
    >>> points = gpd.points_from_xy([700000 + 0.5 * i for i in range(11)], [4380000] * 11)
    >>> fixes = gpd.GeoDataFrame({"id": [str(i) for i in range(11)], "time": times}, geometry=points, crs="EPSG:32638")
    >>> passes(fixes, tool=Tool(width_m=0.5))["length_m"].round(2).tolist()
    [5.0]
    """
    return prepare(fixes, task, tool=tool, rules=rules).passes


def gate_of(task: Task | None, plane: pyproj.CRS, tool: Tool, rules: Rules) -> Gate:
    """What fixes are judged by, with or without a task."""
    alone = (-FAR_ALONE_M, -FAR_ALONE_M, FAR_ALONE_M, FAR_ALONE_M)
    return Gate(plane, alone if task is None else task.reach(rules), tool, rules)


def work(table: Table, gate: Gate) -> Piece:
    """Passes, outages and the account of one chunk that holds whole blocks of fixes."""
    rules = gate.rules
    fixes, reason = admitted(table, gate)

    def refuse(rows: np.ndarray, why: str) -> None:
        reason[rows] = list(REASONS).index(why)

    fixes, copied = path.copies(fixes)
    refuse(copied, "duplicate_time")
    fixes, repeated = path.in_time_order(fixes)
    refuse(repeated, "duplicate_time")
    wild = path.spikes(fixes, path.blocks(fixes, rules), rules)
    refuse(fixes.row[wild], "spike")
    fixes = fixes.take(~wild) if wild.any() else fixes
    first, breaks = path.sequences(fixes, rules)
    mixed = path.mixed(fixes, path.blocks(fixes, rules)) & fixes.on.any(axis=1)
    refuse(fixes.row[mixed], "mixed_tools")
    working, run_first, alone = _working(fixes, first, ~mixed)
    refuse(alone, "alone")
    made, refused = build(working, run_first, table, gate.tool, rules)
    for why, rows in refused.items():
        refuse(rows, why)
    lifted = int((~fixes.on.any(axis=1) & (reason[fixes.row] < 0)).sum())
    counts = _count(reason, lifted)
    made, gaps = (replace(rows, crs=gate.plane) for rows in (made, outages(fixes, breaks, table)))
    return Piece(made, gaps, _dropped(table, reason), counts, edges(fixes, table))


def _working(fixes: Fixes, first: np.ndarray, usable: np.ndarray) -> tuple[Fixes, np.ndarray, np.ndarray]:
    """Usable fixes with the tool on in runs of at least two, marks at the first of each run, and rows of those left alone."""
    on = np.flatnonzero(fixes.on.any(axis=1) & usable)
    if not len(on):
        return fixes.take(on), np.zeros(0, dtype=bool), fixes.row[:0]
    begins = first[on] | np.concatenate(([True], np.diff(on) != 1))
    low, high = path.extent(begins)
    paired = high > low
    return fixes.take(on[paired]), begins[paired], fixes.row[on[~paired]]


def _count(reason: np.ndarray, lifted: int) -> dict[str, int]:
    dropped = np.bincount(reason[reason >= 0], minlength=len(REASONS)).tolist()
    used = len(reason) - lifted - sum(dropped)
    return {"read": len(reason), "used": used, LIFTED: lifted, **dict(zip(REASONS, dropped, strict=True))}


def _dropped(table: Table, reason: np.ndarray) -> Rows:
    rows = np.flatnonzero(reason >= 0)[:LISTED]
    points = np.full(len(rows), None, dtype=object)
    if not len(rows):
        return Rows({"id": points, "reason": points}, points, table.crs)
    named = "id" in table.rows
    ids = table.words("id", rows) if named else np.array([f"row-{r + 1}" for r in rows], dtype=object)
    placed = np.isfinite(table.xy[rows]).all(axis=1)
    points[placed] = shapely.points(table.xy[rows][placed])
    return Rows({"id": ids, "reason": np.array(list(REASONS), dtype=object)[reason[rows]]}, points, table.crs)


def empty_dropped() -> Rows:
    """No dropped fixes."""
    return Rows({"id": np.zeros(0, dtype=object), "reason": np.zeros(0, dtype=object)}, np.zeros(0, dtype=object))


def finish(pieces: Sequence[Piece], seen: Seen, gate: Gate, task: Task | None) -> Prepared:
    """Join pieces into one `Prepared`, sorted so that chunking leaves no trace."""
    nothing = np.zeros(0, dtype=np.int8)
    start = Piece(
        replace(empty_passes(), crs=gate.plane), replace(empty_outages(), crs=gate.plane),
        replace(empty_dropped(), crs=gate.plane), _count(nothing, 0),
    )  # fmt: skip
    every = list(pieces) or [start]
    made = joined([piece.passes for piece in every]).ordered("id", "section")
    gaps = joined([piece.outages for piece in every]).ordered("id")
    dropped = joined([piece.dropped for piece in every]).ordered("reason", "id").head(LISTED)
    whole = Piece(made, gaps, dropped, added(piece.counts for piece in every))
    return Prepared(whole, seen, gate.tool, gate.rules, task)


def added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """The sum of accounts."""
    total = Counter[str]()
    for part in counts:
        total.update(part)
    return {name: total[name] for name in ("read", "used", LIFTED, *REASONS)}
