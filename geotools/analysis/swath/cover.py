"""`cover`: what the passes covered of a task, what they missed, and what lies outside it. Exact polygons, no cells.

For geometry and figures; "covered" says where the tool went. Position error is in `assurance`, detection in `detection`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.findings import wide_findings
from geotools.analysis.swath.gaps import gap_list
from geotools.analysis.swath.ground import SHAPES, Asked, Work, lengths, metres, share_table, work_of
from geotools.analysis.swath.outages import empty_outages
from geotools.analysis.swath.passes import require_passes, widened
from geotools.analysis.swath.prepare import Prepared, empty_dropped
from geotools.analysis.swath.rows import Rows
from geotools.analysis.swath.rules import Rules, real
from geotools.analysis.swath.summary import Position, card, cover_findings, sentences
from geotools.analysis.swath.task import Task
from geotools.model.errors import CoverageError
from geotools.model.methods import MACHINE, UNKNOWN, method_key
from geotools.model.programme import Programme
from geotools.model.progress import Progress
from geotools.model.schema import issues_frame, join_issues
from geotools.space import crs as _crs


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
    programme
        Its words for methods count beside those of the vocabulary.

    Raises
    ------
    CoverageError
        If a limit is negative, or passes and overlap do not go together.

    Examples
    --------
    >>> CoverRules(required_passes=2).gap_area_m2
    0.15
    >>> CoverRules(required_passes=2, overlap=False)
    Traceback (most recent call last):
    geotools.model.errors.CoverageError: two required passes need the overlap
    """

    gap_area_m2: float = 0.15
    gap_width_m: float = 0.05
    required_passes: int = 1
    overlap: bool = True
    tile_m: float | None = None
    programme: Programme | None = None

    def __post_init__(self) -> None:
        if not (
            real("limits", "gap_area_m2", self.gap_area_m2) >= 0 <= real("limits", "gap_width_m", self.gap_width_m)
        ):
            raise CoverageError("limits of the gap list must not be negative")
        if self.required_passes not in (1, 2):
            raise CoverageError(
                "required_passes is 1 or 2", hint="for more passes use geotools.swath.count and its cells"
            )
        if self.required_passes == 2 and not self.overlap:
            raise CoverageError("two required passes need the overlap", hint="leave overlap=True")
        if self.tile_m is not None and real("limits", "tile_m", self.tile_m) < 1:
            raise CoverageError("tile_m must be at least 1 m")


@dataclass(frozen=True)
class Meant:
    """What the work proves: the key of its method, what was entered, and the state of covered ground that follows.

    `shown` is false where no track is accurate enough for the width of the tool: nothing is then shown to be searched.
    """

    key: str | None
    entered: Any
    shown: bool = True

    @classmethod
    def of(cls, method: Any, programme: Programme | None) -> Meant:
        """From a word in any spelling, with the words of a programme."""
        return cls(method_key(method, programme.words.get("method") if programme else None), method)

    @property
    def is_search(self) -> bool:
        """Whether covered ground counts as searched."""
        return self.shown and self.key not in (None, UNKNOWN, MACHINE)

    @property
    def state(self) -> str:
        """Word for covered ground."""
        return "searched" if self.is_search else "processed" if self.key == MACHINE else "worked"


class SwathCoverage:
    """Result of `cover`. Frames are in the CRS of the task; areas are equal-area square metres. Each is made when it is asked for.

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
        Per day, asset, organisation and operator (``by key``): ``passes length_m covered_m2``, and ``new_m2``, the new ground of each day.
    covered_m2, missed_m2, task_m2
        The three figures that cost least.
    totals
        Figures by name; ``covered_m2 + missed_m2 = task_m2``.
    outages, dropped, issues
        Interruptions, fixes left out, and ISSUES rows, of the preparation as well if it was given.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd, shapely
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=101, freq="s")
    >>> points = gpd.points_from_xy([700000 + 0.5 * i for i in range(101)], [4380000] * 101)
    >>> fixes = gpd.GeoDataFrame({"id": range(101), "time": times, "width_m": 1.0}, geometry=points, crs="EPSG:32638")
    >>> task = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(700000, 4379999, 700050, 4380001)], crs="EPSG:32638")

    >>> from geotools.analysis.swath.prepare import prepare
    >>> done = cover(prepare(fixes, task), task)
    >>> round(done.covered_m2, 1), round(done.missed_m2, 1), round(done.task_m2, 1), len(done.gaps)
    (50.0, 50.0, 100.0, 1)
    """

    def __init__(self, work: Work, task: Task, limits: CoverRules, meant: Meant, prepared: Prepared | None) -> None:
        self._work, self._task, self._limits, self._meant, self._prepared = work, task, limits, meant, prepared

    @property
    def task_m2(self) -> float:
        """Area of the task."""
        return float(self._task.ground.area)

    @property
    def covered_m2(self) -> float:
        """Area of the task under at least one pass."""
        return float(self._work.covered.area)

    @property
    def missed_m2(self) -> float:
        """Area of the task that no pass covered."""
        return float(self._work.missed.area)

    @cached_property
    def task(self) -> gpd.GeoDataFrame:
        """The task as one row."""
        return self._frame(self._task.ground, "task")

    @cached_property
    def _position(self) -> Position:
        work = self._work
        return Position.on(work.ground, work.rows, work.shapes, assumed_m(self._limits))

    @cached_property
    def _proves(self) -> Meant:
        return replace(self._meant, shown=self._position.shows)

    @cached_property
    def covered(self) -> gpd.GeoDataFrame:
        """Ground under at least one pass."""
        return self._frame(self._work.covered, self._proves.state)

    @cached_property
    def missed(self) -> gpd.GeoDataFrame:
        """The rest of the task."""
        return self._frame(self._work.missed, "missed")

    @cached_property
    def outside(self) -> gpd.GeoDataFrame:
        """Worked ground outside the task."""
        return self._frame(self._work.outside, "outside")

    @cached_property
    def overlap(self) -> gpd.GeoDataFrame:
        """Ground under two or more passes."""
        return self._frame(self._work.overlap, "overlap")

    @cached_property
    def short(self) -> gpd.GeoDataFrame:
        """Ground with fewer passes than required."""
        return self._frame(self._work.short, "short")

    @cached_property
    def shallow(self) -> gpd.GeoDataFrame:
        """Covered ground short of the required depth."""
        return self._frame(self._work.shallow, "shallow")

    @cached_property
    def fast(self) -> gpd.GeoDataFrame:
        """Covered ground that was worked too fast."""
        return self._frame(self._work.fast, "fast")

    @cached_property
    def _gaps(self) -> gpd.GeoDataFrame:
        missed, limits = np.array([self._work.missed], dtype=object), self._limits
        return gap_list(missed, self._task.plane, area_m2=limits.gap_area_m2, width_m=limits.gap_width_m)

    @cached_property
    def gaps(self) -> gpd.GeoDataFrame:
        """Missed places worth walking to."""
        return self._gaps.to_crs(self._task.home)

    @cached_property
    def outages(self) -> gpd.GeoDataFrame:
        """Interruptions of the tracks."""
        if self._prepared is not None:
            return self._prepared.outages.to_crs(self._task.home)
        return replace(empty_outages(), crs=self._task.home).frame()

    @cached_property
    def dropped(self) -> gpd.GeoDataFrame:
        """Fixes that were not used, with the reason; the first 10 000."""
        if self._prepared is not None:
            return self._prepared.dropped.to_crs(self._task.home)
        return replace(empty_dropped(), crs=self._task.home).frame()

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Who covered what, and when."""
        return share_table(self._work.shares(), lengths(self._work.rows))

    @cached_property
    def totals(self) -> pd.Series:
        """All figures by name."""
        area = {name: float(self._work.shape(name).area) for name in SHAPES}
        rows, gaps = self._work.rows, self._gaps
        trips = {
            "passes": len(pd.unique(rows.data["pass_id"])),
            "length_m": float(metres(rows).sum()),
        }
        widest = float(gaps["width_m"].max()) if len(gaps) else 0.0
        found = {"gaps": len(gaps), "gaps_m2": float(gaps["area_m2"].sum()), "widest_gap_m": widest}
        known = None if self._prepared is None else self._prepared.to_dict()
        return pd.Series(figures(self.task_m2, area, found | trips, self._proves, known), dtype=object)

    @cached_property
    def issues(self) -> gpd.GeoDataFrame:
        """Findings."""
        rows, plane = self._work.rows, self._task.plane
        notes = list(self._task.notes)
        if self._prepared is None and len(rows):
            width = rows.numbers("width_m")
            notes += wide_findings(int((width > Rules.width_warn_m).sum()), float(width.max()), Rules.width_warn_m)

        def where(name: str) -> Any:
            shape = self._work.shape(name)
            if shape.is_empty:
                return None
            point = np.array([shapely.point_on_surface(shape)], dtype=object)
            return _crs.transform(point, plane, _crs.WGS84)[0]

        said = cover_findings(self.totals, self._position, where, (self._meant.key, self._meant.entered))
        known = None if self._prepared is None else self._prepared.issues
        return join_issues(known, issues_frame([*notes, *said]))

    @property
    def parameters(self) -> dict[str, Any]:
        """What the figures were made with."""
        limits = {name: value for name, value in vars(self._limits).items() if name != "programme"}
        follow_up = self._work.asked.follow_up is not None
        return {**limits, "method": self._meant.key, "follow_up": follow_up}

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
            "dropped",
        )
        repeated = "short" if self._limits.required_passes == 1 else ""  # it is then what was missed
        found = {f"swath_{name}": getattr(self, name) for name in names if name != repeated} | {"issues": self.issues}
        return {name: frame for name, frame in found.items() if len(frame)}

    def to_dict(self) -> dict[str, Any]:
        """Totals, gaps and shares as plain data."""
        gaps = pd.DataFrame(self.gaps.drop(columns="geometry"))
        said = pd.DataFrame(self.issues.drop(columns="geometry")).to_dict("records")
        return {
            "totals": {k: plain(v) for k, v in self.totals.items()},
            "gaps": [{k: plain(v) for k, v in row.items()} for row in gaps.to_dict("records")],
            "shares": [{k: plain(v) for k, v in row.items()} for row in self.shares.to_dict("records")],
            "issues": [{k: str(v) for k, v in row.items()} for row in said],
            "sentences": self.sentences,
            "parameters": self.parameters,
        }

    def _repr_html_(self) -> str:
        return card(self)

    def _frame(self, shape: BaseGeometry, state: str) -> gpd.GeoDataFrame:
        return state_frame(shape, state, self._task.plane, self._task.home)


def assumed_m(limits: CoverRules) -> float:
    """Standard deviation per axis in metres that is taken where fixes state none: the programme's limit."""
    return (limits.programme or Programme()).limit("h_acc_default_m")


def plain(value: Any) -> Any:
    """A value as JSON knows it; what is not a number is nothing."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def figures(
    task_m2: float, area: dict[str, float], found: dict[str, Any], meant: Meant, prepared: dict[str, Any] | None
) -> dict[str, Any]:
    """Figures of a coverage in their order; `found` holds gaps and passes, `prepared` the account of the fixes."""
    searched = area["covered"] - area["processed"] if meant.is_search or meant.key == MACHINE else 0.0
    out: dict[str, Any] = {
        "task_m2": task_m2, "covered_m2": area["covered"], "missed_m2": area["missed"], "coverage": area["covered"] / task_m2,
        "searched_m2": max(0.0, searched), "processed_m2": area["processed"], "outside_m2": area["outside"], "overlap_m2": area["overlap"],
        "short_m2": area["short"], "shallow_m2": area["shallow"], "fast_m2": area["fast"], **found,
    }  # fmt: skip
    if prepared is not None:
        out |= {"outages": prepared["outages"], "bridged": prepared["bridged"]}
        account = prepared["fixes"].items()
        out |= {f"fixes_{name}": count for name, count in account if count or name in ("read", "used")}
    return out


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
    meant = Meant.of(method, limits.programme)
    prepared = passes if isinstance(passes, Prepared) else None
    ready = prepared.task if prepared is not None else None
    ground = ready if ready is not None and ready.is_of(task) else Task(task)
    made = rows_on_plane(prepared.piece.passes if prepared else Rows.of(require_passes(passes)), ground.plane)  # type: ignore[arg-type]
    made = made.ordered("id")
    depth = prepared.rules.depth_cm is not None if prepared else _recorded(made)
    after = None if follow_up is None else _swaths(rows_on_plane(Rows.of(require_passes(follow_up)), ground.plane))
    asked = Asked(limits.required_passes, limits.overlap, depth, meant.key == MACHINE, after)
    work = work_of(made, _swaths(made), ground.ground, asked, limits.tile_m)
    return SwathCoverage(work, ground, limits, meant, prepared)


def _swaths(rows: Rows) -> np.ndarray:
    return widened(rows.geometry, rows.numbers("width_m"))


def _recorded(rows: Rows) -> bool:
    """Whether passes of an unknown origin were held against a depth."""
    deep = np.asarray(rows.data["is_deep"], dtype=bool).any() if "is_deep" in rows else False
    return bool(deep or not np.isnan(rows.numbers("depth_cm")).all())


def rows_on_plane(rows: Rows, plane: pyproj.CRS) -> Rows:
    """Passes with their centrelines on that plane."""
    if rows.crs is plane or rows.crs == plane:
        return rows
    if rows.crs is None:
        raise _crs.CRSError(
            "the passes have no coordinate reference system", hint="give one, for example crs='EPSG:32638'"
        )
    return Rows(rows.data, _crs.transform(rows.geometry, rows.crs, plane), plane)


def on_plane(passes: gpd.GeoDataFrame, plane: pyproj.CRS) -> gpd.GeoDataFrame:
    """Passes with their centrelines on that plane."""
    if pyproj.CRS(_crs.require(passes, "passes")) == plane:
        return passes
    lines = _crs.transform(passes.geometry.array, passes.crs, plane)
    return passes.set_geometry(gpd.GeoSeries(lines, index=passes.index, crs=plane))


def in_order(passes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Passes in the order of their ids as text."""
    return passes.sort_values("id", ignore_index=True, kind="stable", key=lambda names: names.astype(str))


def state_frame(shape: BaseGeometry, state: str, plane: pyproj.CRS, home: pyproj.CRS) -> gpd.GeoDataFrame:
    """One row with its area, in the CRS of the task; no row for nothing."""
    rows = [] if shape.is_empty else [shape]
    data = {"id": [state] * len(rows), "state": [state] * len(rows), "area_m2": [float(row.area) for row in rows]}
    return gpd.GeoDataFrame(
        data, geometry=gpd.GeoSeries(_crs.transform(np.array(rows, dtype=object), plane, home), crs=home), crs=home
    )
