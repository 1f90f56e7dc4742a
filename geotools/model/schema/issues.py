"""The one ISSUES table: read problems, checks, ledger faults and merge conflicts.

For building and joining it; not for deciding what is an issue.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely.geometry.base import BaseGeometry

ISSUE_COLUMNS = ("check", "severity", "kind", "id", "column", "message", "value", "limit")
ISSUE_CRS = "EPSG:4326"
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Issue:
    """One finding about one record.

    Parameters
    ----------
    check
        Code of the rule, e.g. ``GC-01`` or ``RD-02``.
    severity
        ``error``, ``warning`` or ``info``.
    kind, id, column
        Layer, record and column concerned; empty where it does not apply.
    message
        A sentence a field officer understands.
    value, limit
        What was found and what was allowed, as text.
    geometry
        Where, in WGS 84 longitude and latitude.

    Examples
    --------
    >>> found = Issue("GC-01", "error", "hazards", "H-1", message="the ring crosses itself")
    >>> issues_frame([found])[["check", "severity", "kind", "id"]].values.tolist()
    [['GC-01', 'error', 'hazards', 'H-1']]
    """

    check: str
    severity: str
    kind: str = ""
    id: str = ""
    column: str = ""
    message: str = ""
    value: Any = ""
    limit: Any = ""
    geometry: BaseGeometry | None = None

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity is one of {', '.join(SEVERITIES)}, not '{self.severity}'")


def as_issue_text(value: Any) -> str:
    """A value or limit as the table tells it; empty where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def issues_frame(issues: Iterable[Issue] = ()) -> gpd.GeoDataFrame:
    """The ISSUES table of these findings: text columns `ISSUE_COLUMNS` and geometry in WGS 84.

    Examples
    --------
    >>> frame = issues_frame([Issue("GC-01", "error", "hazards", "H-1", message="ring crosses itself")])
    >>> list(frame.columns)
    ['check', 'severity', 'kind', 'id', 'column', 'message', 'value', 'limit', 'geometry']
    """
    rows = list(issues)
    data = {
        name: pd.Series([as_issue_text(getattr(row, name)) for row in rows], dtype=object) for name in ISSUE_COLUMNS
    }
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries([row.geometry for row in rows], crs=ISSUE_CRS))


def join_issues(*frames: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """One ISSUES table from several, in the order given.

    Examples
    --------
    >>> len(join_issues(issues_frame(), None))
    0
    """
    filled = [frame.to_crs(ISSUE_CRS) for frame in frames if frame is not None and len(frame)]
    if not filled:
        return issues_frame()
    joined = pd.concat(filled, ignore_index=True)
    return gpd.GeoDataFrame(joined[[*ISSUE_COLUMNS, "geometry"]], geometry="geometry", crs=ISSUE_CRS)


def worst(issues: gpd.GeoDataFrame) -> str | None:
    """The highest severity in the table, or None if it is empty.

    Parameters
    ----------
    issues
        As from `issues_frame`, or whatever has a column ``severity``.

    Examples
    --------
    >>> worst(issues_frame([Issue("RD-00", "info", "finds"), Issue("GC-01", "error", "hazards", "H-1")]))
    'error'
    >>> worst(issues_frame()) is None
    True
    """
    present = set(issues["severity"])
    return next((severity for severity in SEVERITIES if severity in present), None)
