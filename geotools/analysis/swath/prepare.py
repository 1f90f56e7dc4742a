"""`prepare`: from a frame of fixes to passes, outages, dropped fixes and issues, with counts that add up.

For one frame in memory; for tables larger than memory see `stream`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.analysis.swath import path
from geotools.analysis.swath.findings import Seen, fix_findings, pass_findings
from geotools.analysis.swath.fixes import FAR_ALONE_M, LIFTED, REASONS, Fixes, Gate, Table, admitted, plane_of
from geotools.analysis.swath.outages import empty_outages, outages
from geotools.analysis.swath.passes import build, empty_passes
from geotools.analysis.swath.rules import Rules, Tool
from geotools.model.errors import CoverageError
from geotools.model.schema import issues_frame
from geotools.space import crs as _crs

LISTED = 10_000  # dropped fixes are all counted; so many of them are listed one by one


@dataclass(frozen=True)
class Prepared:
    """What became of the fixes.

    Attributes
    ----------
    passes
        One row per part of a pass: a centreline on a local equal-area plane, with its width.
    outages
        Interruptions of a working track as lines; `is_bridged` tells whether the swath runs across.
    dropped
        Fixes that were not used, with the reason (the first 10 000; all are counted).
    counts
        ``read`` = ``used`` + ``tool_lifted`` + one number per reason.
    issues
        ISSUES rows SW-00 … SW-10.
    """

    passes: gpd.GeoDataFrame
    outages: gpd.GeoDataFrame
    dropped: gpd.GeoDataFrame
    counts: pd.Series
    issues: gpd.GeoDataFrame

    def to_dict(self) -> dict[str, Any]:
        """Counts as plain data."""
        bridged = self.outages["is_bridged"].to_numpy(dtype=bool)
        return {
            "fixes": {name: int(value) for name, value in self.counts.items()},
            "passes": int(self.passes["pass_id"].nunique()),
            "outages": int((~bridged).sum()),
            "bridged": int(bridged.sum()),
            "length_m": float(self.passes["length_m"].sum()),
        }


@dataclass(frozen=True)
class Piece:
    """What one chunk of fixes gave; `prepare` has one, `stream` joins many."""

    passes: gpd.GeoDataFrame
    outages: gpd.GeoDataFrame
    dropped: gpd.GeoDataFrame
    counts: pd.Series


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
    plane = plane_of(fixes, robust=True) if task is None else plane_of(require_task(task))
    piece = work(Table.of(fixes), Gate(plane, reach_of(task, plane, rules), tool, rules))
    return finish([piece], plane, Seen.of(fixes, tool), tool=tool, rules=rules)


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


def require_task(task: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame | gpd.GeoSeries:
    """The task, if it holds any area.

    Raises
    ------
    CoverageError
        If it is empty or holds no polygon.
    """
    _crs.require(task, "task")
    shapes = np.asarray(task.geometry.array, dtype=object)
    if not len(shapes) or not (np.isin(shapely.get_type_id(shapes), (3, 6, 7)) & ~shapely.is_empty(shapes)).any():
        raise CoverageError("the task has no area", hint="give the polygon of the task, for example a row of hazards")
    return task


def reach_of(
    task: gpd.GeoDataFrame | gpd.GeoSeries | None, plane: pyproj.CRS, rules: Rules
) -> tuple[float, float, float, float]:
    """Bounds on the plane beyond which fixes are far away."""
    if task is None:
        return (-FAR_ALONE_M, -FAR_ALONE_M, FAR_ALONE_M, FAR_ALONE_M)
    shapes = _crs.transform(task.geometry.array, _crs.require(task), plane)
    west, south, east, north = shapely.total_bounds(shapes)
    return (west - rules.far_m, south - rules.far_m, east + rules.far_m, north + rules.far_m)


def work(table: Table, gate: Gate) -> Piece:
    """Passes, outages and the account of one chunk that holds whole blocks of fixes."""
    rules, plane, frame = gate.rules, gate.plane, table.rows
    fixes, reason = admitted(table, gate)

    def refuse(rows: np.ndarray, why: str) -> None:
        reason[rows] = list(REASONS).index(why)

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
    made, refused = build(working, run_first, frame, gate.tool, rules)
    for why, rows in refused.items():
        refuse(rows, why)
    lifted = int((~fixes.on.any(axis=1)).sum())
    counts = _count(reason, lifted)
    return Piece(made.set_crs(plane), outages(fixes, breaks, frame, plane), _dropped(table, reason), counts)


def _working(fixes: Fixes, first: np.ndarray, usable: np.ndarray) -> tuple[Fixes, np.ndarray, np.ndarray]:
    """Usable fixes with the tool on in runs of at least two, marks at the first of each run, and rows of those left alone."""
    on = np.flatnonzero(fixes.on.any(axis=1) & usable)
    if not len(on):
        return fixes.take(on), np.zeros(0, dtype=bool), fixes.row[:0]
    begins = first[on] | np.r_[True, np.diff(on) != 1]
    low, high = path.extent(begins)
    paired = high > low
    return fixes.take(on[paired]), begins[paired], fixes.row[on[~paired]]


def _count(reason: np.ndarray, lifted: int) -> pd.Series:
    dropped = np.bincount(reason[reason >= 0], minlength=len(REASONS))
    used = len(reason) - lifted - int(dropped.sum())
    return pd.Series(
        {"read": len(reason), "used": used, LIFTED: lifted, **dict(zip(REASONS, dropped.tolist(), strict=True))},
        dtype="int64",
    )


def _dropped(table: Table, reason: np.ndarray) -> gpd.GeoDataFrame:
    rows = np.flatnonzero(reason >= 0)[:LISTED]
    part = table.rows.iloc[rows]
    ids = (
        part["id"].astype(str).to_numpy(dtype=object)
        if "id" in part
        else np.asarray([f"row-{r + 1}" for r in rows], dtype=object)
    )
    words = np.asarray(list(REASONS), dtype=object)[reason[rows]] if len(rows) else np.zeros(0, dtype=object)
    points = np.full(len(rows), None, dtype=object)
    placed = np.isfinite(table.xy[rows]).all(axis=1)
    points[placed] = shapely.points(table.xy[rows][placed])
    return gpd.GeoDataFrame(pd.DataFrame({"id": ids, "reason": words}), geometry=gpd.GeoSeries(points, crs=table.crs))


def finish(pieces: Sequence[Piece], plane: pyproj.CRS, seen: Seen, *, tool: Tool, rules: Rules) -> Prepared:
    """Join pieces into one `Prepared`, sorted so that chunking leaves no trace."""
    made = _joined([piece.passes for piece in pieces], empty_passes(plane), ["id", "section"])
    gaps = _joined([piece.outages for piece in pieces], empty_outages(plane), ["id"])
    listed = [piece.dropped for piece in pieces if len(piece.dropped)] or [
        gpd.GeoDataFrame({"id": [], "reason": []}, geometry=[], crs=plane)
    ]
    dropped = pd.concat(listed, ignore_index=True).sort_values(["reason", "id"], ignore_index=True).iloc[:LISTED]
    counts = (
        sum((piece.counts for piece in pieces[1:]), pieces[0].counts)
        if pieces
        else _count(np.zeros(0, dtype=np.int8), 0)
    )
    issues = [*fix_findings(seen, counts, tool), *pass_findings(made, gaps, rules)]
    return Prepared(made, gaps, gpd.GeoDataFrame(dropped, geometry="geometry"), counts, issues_frame(issues))


def _joined(frames: Sequence[gpd.GeoDataFrame], empty: gpd.GeoDataFrame, by: list[str]) -> gpd.GeoDataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return empty
    whole = filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=empty.crs).sort_values(by, ignore_index=True, kind="stable")
