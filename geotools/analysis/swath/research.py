"""What must be searched again: everything worked since the last passed check, and the re-work list after a find in searched ground.

For the quality officer; who checks what and how often is in `sampling`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.swath import union
from geotools.analysis.swath.passes import require_passes, swaths
from geotools.model.errors import CoverageError, SchemaError
from geotools.space import crs as _crs

BY = ("asset_id", "operator", "organisation")
COLUMNS = ("id", "since", "first", "last", "passes", "length_m", "area_m2", "reason", "geometry")


def research_area(
    passes: gpd.GeoDataFrame,
    checks: pd.DataFrame,
    *,
    by: str = "asset_id",
    who: str | None = None,
    as_of: date | None = None,
) -> gpd.GeoDataFrame:
    """Ground worked by each asset (or operator) since its last passed quality check.

    A check holds for what was done before its day; work on the day itself is taken as not yet checked. Without a passed check
    everything counts. A failed check ends nothing.

    Parameters
    ----------
    passes
        As made by `passes`.
    checks
        Records of the kind ``samples``: ``date``, ``result`` (passed, failed, pending) and ``asset_id``, or the column named by `by`.
    by
        ``asset_id``, ``operator`` or ``organisation``.
    who
        Only this one.
    as_of
        Work and checks after this day are left out.

    Returns
    -------
    GeoDataFrame
        ``id`` (whose work), ``since`` (day of the last passed check, missing if none), ``first`` and ``last`` day of the work,
        ``passes``, ``length_m``, ``area_m2``, ``reason``, polygons on the plane of the passes.

    Raises
    ------
    CoverageError
        If `by` is none of the three.
    SchemaError
        If a needed column is missing.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> made = {"id": ["a", "b"], "pass_id": ["a", "b"], "asset_id": "D-1", "day": ["2026-05-01", "2026-05-03"], "width_m": 1.0}
    >>> lines = [shapely.LineString([(0, y), (10, y)]) for y in (0, 3)]
    >>> passes = gpd.GeoDataFrame(made, geometry=lines, crs="EPSG:32638")
    >>> checks = pd.DataFrame({"asset_id": ["D-1"], "date": pd.to_datetime(["2026-05-02"]), "result": ["passed"]})
    >>> research_area(passes, checks)[["id", "area_m2"]].values.tolist()
    [['D-1', 10.0]]
    """
    made = _known(passes, by)
    if as_of is not None:
        made = made[made["day"].astype(str) <= as_of.isoformat()]
    passed = _passed(checks, by, as_of)
    rows = []
    for name, part in made.groupby(made[by].astype(str), sort=True):
        if who is not None and name != who:
            continue
        since = passed.get(name)
        work = part if since is None else part[part["day"].astype(str) >= since]
        if len(work):
            rows.append(
                _row(
                    str(name),
                    since,
                    work,
                    "no check has passed" if since is None else "worked since the last passed check",
                )
            )
    return _table(rows, passes.crs)


def rework(
    passes: gpd.GeoDataFrame, find: Any, checks: pd.DataFrame, *, by: str = "asset_id", radius_m: float = 0.0
) -> gpd.GeoDataFrame:
    """The re-work list after a find in ground that was searched.

    Everybody who passed over the place is listed with all their work since the last check they had passed before they were there:
    what made them miss it may have held since then.

    Parameters
    ----------
    passes
        As made by `passes`.
    find
        A GeoDataFrame or GeoSeries of points (the kind ``finds``), any CRS.
    checks
        As in `research_area`.
    by
        As in `research_area`.
    radius_m
        Position uncertainty of the find: passes that near are included.

    Returns
    -------
    GeoDataFrame
        As `research_area`; no row if nobody had searched the place.

    Raises
    ------
    CoverageError
        If `by` is none of the three, or the passes are not in metres.
    SchemaError
        If a needed column is missing.
    CRSError
        If the find has no CRS.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> made = {"id": ["a", "b"], "pass_id": ["a", "b"], "asset_id": ["D-1", "D-2"], "day": ["2026-05-01", "2026-05-03"], "width_m": 1.0}
    >>> lines = [shapely.LineString([(700000, y), (700010, y)]) for y in (4380000, 4380003)]
    >>> passes = gpd.GeoDataFrame(made, geometry=lines, crs="EPSG:32638")
    >>> checks = pd.DataFrame({"asset_id": ["D-1"], "date": pd.to_datetime(["2026-04-30"]), "result": ["passed"]})
    >>> find = gpd.GeoSeries([shapely.Point(700004, 4380000.2)], crs="EPSG:32638")
    >>> rework(passes, find, checks)[["id", "area_m2", "reason"]].values.tolist()
    [['D-1', 10.0, 'searched the place of the find on 2026-05-01']]
    """
    made = _known(passes, by)
    points = _crs.transform(find.geometry.array, _crs.require(find, "find"), _crs.require(passes, "passes"))
    shapes = np.asarray(swaths(made).array, dtype=object)
    place = shapely.union_all(points)
    there = made[shapely.dwithin(shapes, place, max(radius_m, 1e-9))]
    rows = []
    for name, visits in there.groupby(there[by].astype(str), sort=True):
        earliest = str(visits["day"].astype(str).min())
        since = _passed(checks, by, None, before=earliest).get(str(name))
        mine = made[made[by].astype(str) == name]
        work = mine if since is None else mine[mine["day"].astype(str) >= since]
        rows.append(_row(str(name), since, work, f"searched the place of the find on {earliest}"))
    return _table(rows, passes.crs)


def _known(passes: gpd.GeoDataFrame, by: str) -> gpd.GeoDataFrame:
    require_passes(passes)
    if not _crs.require(passes, "passes").is_projected:
        raise CoverageError("the passes must be in metres", hint="take them as geotools.swath.passes made them")
    if by not in BY:
        raise CoverageError(f"by is one of {', '.join(BY)}, not '{by}'")
    for column in (by, "day"):
        if column not in passes:
            raise SchemaError(
                f"the passes lack the column '{column}'", hint="make passes with geotools.swath.passes(fixes)"
            )
    return passes


def _passed(checks: pd.DataFrame, by: str, as_of: date | None, *, before: str | None = None) -> dict[str, str]:
    """Day of the last passed check of each, as ISO text."""
    column = by if by in checks else {"organisation": "inspected", "operator": "asset_id"}.get(by, by)
    for name in (column, "date", "result"):
        if name not in checks:
            raise SchemaError(f"the checks lack the column '{name}'", hint="they are records of the kind samples")
    days = pd.to_datetime(checks["date"], errors="coerce", utc=True).dt.strftime("%Y-%m-%d")
    good = (checks["result"] == "passed") & days.notna() & checks[column].notna()
    if as_of is not None:
        good &= days <= as_of.isoformat()
    if before is not None:
        good &= days < before
    return {str(name): str(day) for name, day in days[good].groupby(checks[column][good].astype(str)).max().items()}


def _row(name: str, since: str | None, work: gpd.GeoDataFrame, reason: str) -> dict[str, Any]:
    shape = union.joined(np.asarray(swaths(work).array, dtype=object))
    days = work["day"].astype(str)
    return {
        "id": name, "since": since, "first": days.min(), "last": days.max(), "passes": int(work["pass_id"].nunique()), "length_m": float(work.length.sum()),
        "area_m2": float(shape.area), "reason": reason, "geometry": shape,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]], crs: Any) -> gpd.GeoDataFrame:
    data = {name: [row[name] for row in rows] for name in COLUMNS}
    geometry = gpd.GeoSeries(data.pop("geometry"), crs=crs)
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry=geometry, crs=crs)
