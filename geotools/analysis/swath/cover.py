"""`cover`: what the passes covered of a task, what they missed, and what lies outside it. Exact polygons, no cells.

For geometry and figures; "covered" says where the tool went. Position error is in `assurance`, detection in `detection`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import union
from geotools.analysis.swath.findings import wide_findings
from geotools.analysis.swath.gaps import gap_list
from geotools.analysis.swath.passes import require_passes, swaths
from geotools.analysis.swath.prepare import Prepared, require_task
from geotools.analysis.swath.rules import Rules
from geotools.analysis.swath.shares import shares
from geotools.analysis.swath.summary import card, cover_findings, sentences
from geotools.model.errors import CoverageError
from geotools.model.methods import MACHINE, UNKNOWN, method_key
from geotools.model.progress import Progress, tracked
from geotools.model.schema import issues_frame, join_issues
from geotools.space import crs as _crs
from geotools.space import geom


@dataclass(frozen=True)
class CoverRules:
    """Limits of `cover`.

    Parameters
    ----------
    gap_area_m2, gap_width_m
        Missed places smaller or narrower than this are left off the gap list; they stay in the missed area.
    required_passes
        1 or 2: how many passes the ground needs.
    overlap
        Whether ground under two or more passes is worked out; without it large jobs take a third of the time.
    tile_m
        Large jobs are worked tile by tile; None decides by the number of passes.
    """

    gap_area_m2: float = 0.15
    gap_width_m: float = 0.05
    required_passes: int = 1
    overlap: bool = True
    tile_m: float | None = None

    def __post_init__(self) -> None:
        if not (
            self.gap_area_m2 >= 0 and self.gap_width_m >= 0 and np.isfinite([self.gap_area_m2, self.gap_width_m]).all()
        ):
            raise CoverageError("limits of the gap list must not be negative")
        if self.required_passes not in (1, 2):
            raise CoverageError(
                "required_passes is 1 or 2", hint="for more passes use geotools.swath.count and its cells"
            )
        if self.required_passes == 2 and not self.overlap:
            raise CoverageError("two required passes need the overlap", hint="leave overlap=True")
        if self.tile_m is not None and not self.tile_m >= 1:
            raise CoverageError("tile_m must be at least 1 m")


@dataclass(frozen=True)
class SwathCoverage:
    """Result of `cover`. Frames are in the CRS of the task; areas are equal-area square metres.

    Attributes
    ----------
    covered, missed, outside, overlap
        Ground in the task under at least one pass; the rest of the task; worked ground outside the task; ground in the task under
        two or more passes. One row each with ``area_m2`` and ``state``. Covered and missed are the task exactly.
    gaps
        Missed places worth walking to; see `gap_list`.
    short
        Ground of the task with fewer passes than required.
    shallow, fast
        Covered ground where no pass showed the required depth, and where every pass was too fast (empty if not asked for).
    shares
        Per day, asset, organisation and operator: covered area, and new ground of each day.
    totals
        Figures by name; ``covered_m2 + missed_m2 = task_m2``.
    outages, issues
        Interruptions and ISSUES rows, of the preparation as well if it was given.
    """

    task: gpd.GeoDataFrame
    covered: gpd.GeoDataFrame
    missed: gpd.GeoDataFrame
    outside: gpd.GeoDataFrame
    overlap: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    short: gpd.GeoDataFrame
    shallow: gpd.GeoDataFrame
    fast: gpd.GeoDataFrame
    shares: pd.DataFrame
    totals: pd.Series
    outages: gpd.GeoDataFrame
    issues: gpd.GeoDataFrame
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        """The result in plain words."""
        return sentences(self)

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Layers to write or map, by name; empty ones are left out."""
        names = (
            "task",
            "covered",
            "missed",
            "outside",
            "overlap",
            "gaps",
            "short",
            "shallow",
            "fast",
            "outages",
            "issues",
        )
        return {
            f"swath_{name}" if name != "issues" else name: getattr(self, name)
            for name in names
            if len(getattr(self, name))
        }

    def to_dict(self) -> dict[str, Any]:
        """Totals, gaps and shares as plain data."""
        gaps = pd.DataFrame(self.gaps.drop(columns="geometry"))
        return {
            "totals": {k: _plain(v) for k, v in self.totals.items()},
            "gaps": [{k: _plain(v) for k, v in row.items()} for row in gaps.to_dict("records")],
            "shares": [{k: _plain(v) for k, v in row.items()} for row in self.shares.to_dict("records")],
            "issues": [
                {k: str(v) for k, v in row.items()}
                for row in pd.DataFrame(self.issues.drop(columns="geometry")).to_dict("records")
            ],
            "sentences": self.sentences,
            "parameters": self.parameters,
        }

    def _repr_html_(self) -> str:
        return card(self)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def cover(
    passes: gpd.GeoDataFrame | Prepared,
    task: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    rules: CoverRules | None = None,
    method: str | None = None,
    follow_up: gpd.GeoDataFrame | None = None,
    progress: Progress | None = None,
) -> SwathCoverage:
    """Covered, missed, outside and repeated ground of a task, as exact polygons.

    Parameters
    ----------
    passes
        Passes, or the whole result of `prepare`, whose outages and issues then stay with the figures.
    task
        Polygons of the task in any CRS; overlapping polygons count once.
    rules
        Limits of the gap list, required passes, tiles.
    method
        Word of the vocabulary ``method``, in any spelling that `model.methods.method_key` knows. With a machine covered ground is
        *processed*, not searched; without a word, or with one that nobody knows, it is only *worked* (issue SW-16).
    follow_up
        Passes of a search that followed the machine; where they went, processed ground counts as searched.

    Returns
    -------
    SwathCoverage

    Raises
    ------
    CoverageError
        If the task has no area.
    SchemaError
        If `passes` are not passes.
    CRSError
        If something has no CRS.

    Notes
    -----
    One flat-ended polygon per pass, one union; no rounding of ends, so nothing is claimed beyond the tool. Areas on an equal-area
    plane through the task agree with the ellipsoid to 0.02 parts per million.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd, shapely
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=101, freq="s")
    >>> points = gpd.points_from_xy([700000 + 0.5 * i for i in range(101)], [4380000] * 101)
    >>> fixes = gpd.GeoDataFrame({"id": range(101), "time": times, "width_m": 1.0}, geometry=points, crs="EPSG:32638")
    >>> task = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(700000, 4379999, 700050, 4380001)], crs="EPSG:32638")
    >>> from geotools.analysis.swath.prepare import prepare
    >>> round(float(cover(prepare(fixes, task), task).totals["coverage"]), 3)
    0.5
    """
    limits = rules or CoverRules()
    entered, method = method, method_key(method)
    searching = method not in (None, UNKNOWN, MACHINE)
    prepared = passes if isinstance(passes, Prepared) else None
    made = require_passes(prepared.passes if prepared else passes)  # type: ignore[union-attr,arg-type]
    plane, ground, notes = task_ground(task)
    made = on_plane(made, plane).sort_values("id", ignore_index=True, kind="stable")
    parts = _measure(made, ground, limits, progress)
    covered, missed = _split(ground, parts["union"], parts["covered"])
    extra = _extra(made, covered, method, None if follow_up is None else on_plane(require_passes(follow_up), plane))
    overlap = _within(parts["overlap"], ground)
    gaps = gap_list(np.array([missed], dtype=object), plane, area_m2=limits.gap_area_m2, width_m=limits.gap_width_m)
    shapes = {
        "covered": covered,
        "missed": missed,
        "outside": union.polygons(shapely.difference(parts["union"], ground)),
        "overlap": overlap,
    }
    shapes |= {
        "short": missed if limits.required_passes == 1 else union.polygons(shapely.difference(ground, overlap)),
        **extra,
    }
    totals = _totals(shapes, ground, made, gaps, prepared)
    totals["searched_m2"] = totals["searched_m2"] if searching or method == MACHINE else 0.0
    home = _crs.require(task)
    notes += [] if prepared else wide_findings(made, Rules.width_warn_m)
    issues = join_issues(
        prepared.issues if prepared else None,
        issues_frame([*notes, *cover_findings(totals, made, shapes, (method, entered), plane)]),
    )
    words = {"covered": "searched" if searching else "processed" if method == MACHINE else "worked"}
    frames = {
        name: _frame(shape, words.get(name, name), plane, home)
        for name, shape in shapes.items()
        if name not in ("processed", "searched")
    }
    return SwathCoverage(
        task=_frame(ground, "task", plane, home), **frames, gaps=gaps.to_crs(home), shares=parts["shares"], totals=totals,
        outages=(prepared.outages if prepared else made.iloc[:0][["geometry"]]).to_crs(home), issues=issues,
        parameters={**vars(limits), "method": method, "follow_up": follow_up is not None},
    )  # fmt: skip


def task_ground(task: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[pyproj.CRS, BaseGeometry, list[Any]]:
    """Plane of a task, its ground as one geometry on it, and notes about repairs."""
    from geotools.analysis.swath.fixes import plane_of
    from geotools.analysis.swath.summary import repaired_note

    require_task(task)
    plane = plane_of(task)
    shapes = np.asarray(task.geometry.array, dtype=object)
    shapes = shapes[~shapely.is_missing(shapes)]
    mended = geom.repair(shapes)
    notes = repaired_note(shapes, mended, task)
    ground = union.joined(_crs.to_equal_area(mended, _crs.require(task), plane))
    if not ground.area > 0:
        raise CoverageError("the task has no area", hint="give the polygon of the task, for example a row of hazards")
    return plane, ground, notes


def on_plane(passes: gpd.GeoDataFrame, plane: pyproj.CRS) -> gpd.GeoDataFrame:
    """Passes with their centrelines on that plane."""
    if pyproj.CRS(_crs.require(passes, "passes")) == plane:
        return passes
    lines = _crs.transform(passes.geometry.array, passes.crs, plane)
    return passes.set_geometry(gpd.GeoSeries(lines, index=passes.index, crs=plane))


def _measure(
    made: gpd.GeoDataFrame, ground: BaseGeometry, limits: CoverRules, progress: Progress | None
) -> dict[str, Any]:
    """Union, overlap and shares of all swaths, tile by tile where there are many."""
    shapes = np.asarray(swaths(made).array, dtype=object)
    trips = pd.factorize(made["pass_id"])[0]
    todo = list(union.tiles(shapes, limits.tile_m or 100.0, force=limits.tile_m is not None))
    whole, inside, twice, tables = [], [], [], []
    for box, index in tracked(todo, "joining swaths", progress):
        cut = union.clipped(shapes[index], box)
        here = ground if box is None else union.polygons(shapely.intersection(ground, box))
        table, swept, covered = shares(made.iloc[index], cut, here)
        tables.append(table)
        whole.append(swept)
        inside.append(covered)
        twice.append(union.overlaps(cut, trips[index]) if limits.overlap else union.EMPTY)
    table = tables[0] if len(tables) == 1 else _summed(tables) if tables else shares(made, shapes, ground)[0]
    return {
        "union": _merged(whole),
        "covered": _merged(inside),
        "overlap": _merged(twice),
        "shares": _with_length(table, made),
    }


def _merged(tiles: list[BaseGeometry]) -> BaseGeometry:
    return tiles[0] if len(tiles) == 1 else union.joined(np.array(tiles, dtype=object))


def _summed(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return (
        pd.concat(tables).groupby(["by", "key"], as_index=False, sort=True)[["covered_m2", "new_m2"]].sum(min_count=1)
    )


def _with_length(table: pd.DataFrame, made: gpd.GeoDataFrame) -> pd.DataFrame:
    rows = []
    for by, key in zip(table["by"], table["key"], strict=True):
        part = made[made["day" if by == "day" else "asset_id" if by == "asset" else by].astype(str) == key]
        rows.append((int(part["pass_id"].nunique()), float(part["length_m"].sum())))
    out = table.copy()
    out.insert(2, "passes", [row[0] for row in rows])
    out.insert(3, "length_m", [row[1] for row in rows])
    return out.reset_index(drop=True)


def _split(ground: BaseGeometry, swept: BaseGeometry, covered: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    """Covered and missed ground; if rounding keeps them from adding up, both are made again on a fine lattice."""
    missed = union.polygons(shapely.difference(ground, swept))
    if abs(covered.area + missed.area - ground.area) > 1e-10 * ground.area:
        lattice = 1e-7
        covered = union.polygons(shapely.intersection(ground, swept, grid_size=lattice))
        missed = union.polygons(shapely.difference(ground, covered, grid_size=lattice))
    return covered, missed


def _within(shape: BaseGeometry, ground: BaseGeometry) -> BaseGeometry:
    return union.polygons(shapely.intersection(shape, ground))


def _extra(
    made: gpd.GeoDataFrame, covered: BaseGeometry, method: str | None, follow_up: gpd.GeoDataFrame | None
) -> dict[str, BaseGeometry]:
    """Covered ground short of depth or too fast, and machine ground processed or followed up."""

    def rest(good: pd.Series) -> BaseGeometry:
        if good.all():
            return union.EMPTY
        return union.polygons(
            shapely.difference(covered, union.joined(np.asarray(swaths(made[good]).array, dtype=object)))
        )

    deep = made["is_deep"].astype(bool) if "is_deep" in made else pd.Series(False, index=made.index)
    asked = bool(deep.any()) or bool(made.get("depth_cm", pd.Series(dtype=float)).notna().any())
    out = {
        "shallow": rest(deep) if asked else union.EMPTY,
        "fast": rest(~made["is_fast"].astype(bool)) if "is_fast" in made else union.EMPTY,
    }
    processed = covered if method == MACHINE else union.EMPTY
    if follow_up is not None:
        searched = union.joined(np.asarray(swaths(follow_up).array, dtype=object))
        processed = union.polygons(shapely.difference(processed, searched))
    return out | {"processed": processed}


def _frame(shape: BaseGeometry, state: str, plane: pyproj.CRS, home: pyproj.CRS) -> gpd.GeoDataFrame:
    """One row with its area, in the CRS of the task; no row for nothing."""
    rows = [] if shape.is_empty else [shape]
    data = {"id": [state] * len(rows), "state": [state] * len(rows), "area_m2": [float(row.area) for row in rows]}
    return gpd.GeoDataFrame(
        data, geometry=gpd.GeoSeries(_crs.transform(np.array(rows, dtype=object), plane, home), crs=home), crs=home
    )


def _totals(
    shapes: dict[str, BaseGeometry],
    ground: BaseGeometry,
    made: gpd.GeoDataFrame,
    gaps: gpd.GeoDataFrame,
    prepared: Prepared | None,
) -> pd.Series:
    area = {name: float(shape.area) for name, shape in shapes.items()}
    task = float(ground.area)
    figures: dict[str, Any] = {
        "task_m2": task, "covered_m2": area["covered"], "missed_m2": area["missed"], "coverage": area["covered"] / task,
        "searched_m2": max(0.0, area["covered"] - area["processed"]), "processed_m2": area["processed"], "outside_m2": area["outside"],
        "overlap_m2": area["overlap"], "short_m2": area["short"], "shallow_m2": area["shallow"], "fast_m2": area["fast"],
        "gaps": len(gaps), "gaps_m2": float(gaps["area_m2"].sum()), "widest_gap_m": float(gaps["width_m"].max()) if len(gaps) else 0.0,
        "passes": int(made["pass_id"].nunique()), "length_m": float(made["length_m"].sum()) if "length_m" in made else float(made.length.sum()),
    }  # fmt: skip
    if prepared is not None:
        known = prepared.to_dict()
        figures |= {"outages": known["outages"], "bridged": known["bridged"]}
        figures |= {
            f"fixes_{name}": count for name, count in known["fixes"].items() if count or name in ("read", "used")
        }
    return pd.Series(figures, dtype=object)
