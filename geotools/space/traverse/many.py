"""`solve_all`: a sheet with several figures, each from its own known start; one bad figure does not stop the others.

For tables of many traverses; one figure is computed in `solving`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from geotools.model.doors import checked
from geotools.model.errors import GeotoolsError, TraverseError
from geotools.model.schema import Issue, conform, issues_frame, join_issues, schema
from geotools.space import crs as _crs
from geotools.space.traverse.legs import read_legs
from geotools.space.traverse.settings import Start, TraverseOptions, known_points
from geotools.space.traverse.solving import Traverse, solve


@dataclass(frozen=True)
class Figures:
    """Several traverses, solved one by one: the figures of a sheet.

    Parameters
    ----------
    solved
        Figure → `Traverse`.
    polygons
        One row per figure with a polygon, in WGS 84 (see `Traverse.to_frame`).
    issues
        ISSUES of all of them; a figure that could not be computed is an error row.

    Examples
    --------
    >>> sheet = pd.DataFrame({"from": ["SP", "TP1", "TP2"], "to": ["TP1", "TP2", "SP"], "bearing": [90, 180, 315],
    ...                       "distance": [100, 100, 141.42]})

    >>> found = solve_all(sheet, (45.0, 40.0), north="grid")
    >>> {name: round(done.area_m2) for name, done in found.solved.items()}
    {'traverse': 5000}
    """

    solved: dict[str, Traverse]
    polygons: gpd.GeoDataFrame
    issues: gpd.GeoDataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        failed = self.issues[(self.issues["severity"] == "error") & ~self.issues["id"].isin(self.solved)]
        return {
            "figures": {name: done.to_dict() for name, done in self.solved.items()},
            "failed": [
                {"id": row["id"], "message": row["message"]}
                for row in failed.to_dict("records")
                if row["id"].split(":")[0] not in self.solved
            ],
        }


@checked
def solve_all(
    legs: pd.DataFrame,
    start: Any = None,
    *,
    north: str | None = None,
    date: dt.date | None = None,
    fixes: gpd.GeoDataFrame | None = None,
    options: TraverseOptions | None = None,
) -> Figures:
    """Compute every figure of a table of legs.

    Parameters
    ----------
    legs
        As for `solve`, with ``feature_id`` where there are several figures.
    start
        Known point of the one figure, or None: then each figure starts from its own fix.
    fixes
        Layer of GNSS positions whose ``id`` (less the name of the figure) are point names; ``feature_id`` says which figure
        they belong to.

    Raises
    ------
    TraverseError
        If there are no legs, or one start is given for several figures.

    Examples
    --------
    >>> sheet = pd.DataFrame({"from": ["SP", "TP1", "TP2"], "to": ["TP1", "TP2", "SP"], "bearing": [90, 180, 315],
    ...                       "distance": [100, 100, 141.42]})
    >>> solve_all(sheet, (45.0, 40.0), north="grid").polygons["id"].tolist()
    ['traverse']
    """
    table = (
        legs
        if {"from_point", "to_point", "bearing", "distance_m"} <= set(legs.columns)
        else conform(pd.DataFrame(legs), schema("legs"))[0]
    )
    named = (
        table["feature_id"]
        if "feature_id" in table.columns
        else pd.Series([None] * len(table), index=table.index, dtype=object)
    )
    keys = sorted({str(key) for key in named if pd.notna(key) and str(key).strip()}) or ["traverse"]
    if start is not None and len(keys) > 1:
        raise TraverseError(
            f"one start cannot serve {len(keys)} figures", hint="give the starts as a layer of fixes (--fixes)"
        )
    solved: dict[str, Traverse] = {}
    frames, issues = [], []
    for key in keys:
        part = table[named.astype(str) == key] if keys != ["traverse"] or named.notna().any() else table
        try:
            done = _one(part, (start, _of(fixes, key)), north, date, options or TraverseOptions())
        except GeotoolsError as error:
            own = getattr(error, "issues", None)
            if own is None:
                hint = f" ({error.hint})" if error.hint else ""
                own = issues_frame([Issue("SV-04", "error", "legs", key, message=f"{error.message}{hint}")])
            issues.append(own)
            continue
        solved[key] = done
        issues.append(done.issues.assign(id=[f"{key}:{name}" if name else key for name in done.issues["id"]]))
        if done.polygon is not None:
            frames.append(done.to_frame(key))
    empty = gpd.GeoDataFrame({"id": pd.Series(dtype=object)}, geometry=gpd.GeoSeries([], crs=_crs.WGS84))
    polygons = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=_crs.WGS84) if frames else empty
    return Figures(solved, polygons, join_issues(*issues))


def _of(fixes: gpd.GeoDataFrame | None, key: str) -> gpd.GeoDataFrame | None:
    if fixes is None or "feature_id" not in fixes.columns or not fixes["feature_id"].notna().any():
        return fixes
    return fixes[fixes["feature_id"].astype(str) == key]


def _one(
    legs: pd.DataFrame, known: tuple[Any, Any], north: str | None, date: dt.date | None, options: TraverseOptions
) -> Traverse:
    start, layer = known
    fixes = known_points(layer)
    if start is None:
        first = read_legs(legs, north=north, unit=options.unit)[0].start
        start = fixes.get(first) or next((fixes[name] for name in _points(legs) if name in fixes), None)
        if start is None:
            raise TraverseError(
                f"no known position for '{first}' or any other point",
                hint="give --start, or a layer of fixes whose ids are the point names",
            )
    own = {name: point for name, point in fixes.items() if name in set(_points(legs))}
    return solve(
        legs,
        start,
        north=north,
        date=date,
        fixes={name: Start(p.x, p.y, p.crs, name, p.h_acc_m) for name, p in own.items()},
        options=options,
    )


def _points(legs: pd.DataFrame) -> list[str]:
    return list(
        dict.fromkeys(
            str(name).strip() for pair in zip(legs["from_point"], legs["to_point"], strict=True) for name in pair
        )
    )
