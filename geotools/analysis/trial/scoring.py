"""Score a blind lane: which targets were found, which marks were false, how well, how sure.

For counting with limits; comparisons, curves and shrinkage are in their own files of this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.trial.blind import Blind, verify
from geotools.analysis.trial.intervals import further_targets, interval, rate_interval
from geotools.model import arguments
from geotools.model.errors import SchemaError, StatisticsError
from geotools.model.schema import Issue, issues_frame
from geotools.model.vocab import fold
from geotools.space import crs as _crs
from geotools.space.pairing import pair

RUN = ("lane_id", "operator", "detector", "run_id")
FACTORS = ("operator", "detector", "target_type", "depth_cm", "soil", "lane_id")
DECOYS = frozenset({"decoy", "clutter"})
VERDICTS = ("hit", "duplicate", "false", "outside")


@dataclass(frozen=True)
class Score:
    """A scored trial. Run columns are ``lane_id operator detector run_id``.

    Parameters
    ----------
    matches
        One row per run and target: run columns, `target_id, target_type, depth_cm, soil, hit, signal_id, distance_m, along_m,
        across_m, score`; `is_decoy` rows never count for POD.
    marks
        One row per mark: `id`, run columns, `verdict` (hit, duplicate, false, outside), `target_id`, `score`, `x`, `y` (m).
    runs
        One row per run: run columns, `area_m2` outside all halos (NaN if no outline), `minutes`.

    Examples
    --------
    >>> t = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> s = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "geometry": [None]}, geometry="geometry")
    >>> scored = score(t, s, halo_m=0.2)
    >>> scored.matches[["target_id", "hit"]].values.tolist(), scored.marks["verdict"].tolist(), scored.location()["mean_m"]
    ([['t1', True], ['t2', False]], ['hit'], 0.1)
    """

    matches: pd.DataFrame
    marks: pd.DataFrame
    runs: pd.DataFrame
    halo_m: float
    blind: bool
    issues: gpd.GeoDataFrame
    _plane: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def real(self) -> pd.DataFrame:
        """The matches that count for POD (no decoys)."""
        return self.matches[~self.matches["is_decoy"]]

    def strata(self, by: Sequence[str] = (), *, confidence: float = 0.95) -> pd.DataFrame:
        """POD and false-alarm rate with limits, for each combination of the factors `by` (all together if empty).

        Returns
        -------
        DataFrame
            Factor columns, then `n, k, pod, low, high, wilson_low, wilson_high, further_95` (further targets, all found, to
            show 0.95 at 95 %) and, if `by` holds no property of targets, `false_alarms, area_m2, far_m2, far_low, far_high`.
        """
        keys = [by] if isinstance(by, str) else list(by)
        unknown = sorted(set(keys) - set(FACTORS))
        if unknown:
            raise StatisticsError(f"cannot group by '{unknown[0]}'", hint=f"one of {', '.join(FACTORS)}")
        table = _pod_table(self.real, keys, confidence)
        if not set(keys) & {"target_type", "depth_cm", "soil"}:
            table = _with_far(table, self, keys, confidence)
        return table

    def location(self) -> dict[str, float | int | None]:
        """Location error of the hits in metres: mean, 95th percentile, and bias along and across the lane."""
        hits = self.real[self.real["hit"]]
        if hits.empty:
            return {"n": 0, "mean_m": None, "p95_m": None, "bias_along_m": None, "bias_across_m": None}
        return {
            "n": len(hits),
            "mean_m": float(hits["distance_m"].mean()),
            "p95_m": float(np.quantile(hits["distance_m"], 0.95)),
            "bias_along_m": float(hits["along_m"].mean()),
            "bias_across_m": float(hits["across_m"].mean()),
        }

    def direction(self, lane: str) -> float:
        """Direction of a lane on the plane of `x` and `y`, radians counter-clockwise from x; 0 in lane coordinates."""
        return float(self._plane.get("angle", {}).get(lane, 0.0))

    def to_dict(self) -> dict[str, Any]:
        """Overall figures, strata, location error and rules, as plain data."""
        overall = _records(self.strata())[0]
        factors = [f for f in FACTORS if f in self.real and self.real[f].nunique() > 1]
        area = float(self.runs["area_m2"].sum()) if self.runs["area_m2"].notna().all() else None
        timed = self.runs.dropna(subset=["minutes", "area_m2"])
        return {
            "blind": self.blind,
            "halo_m": self.halo_m,
            "runs": len(self.runs),
            "searched_outside_halos_m2": area,
            "overall": overall,
            "by": {name: _records(self.strata([name])) for name in factors},
            "marks": {verdict: int((self.marks["verdict"] == verdict).sum()) for verdict in VERDICTS},
            "location": self.location(),
            "minutes_per_m2": float(timed["minutes"].sum() / timed["area_m2"].sum())
            if len(timed) and timed["area_m2"].sum()
            else None,
            "issues": len(self.issues),
        }


def score(
    targets: gpd.GeoDataFrame,
    signals: gpd.GeoDataFrame,
    *,
    halo_m: float,
    lanes: gpd.GeoDataFrame | None = None,
    runs: pd.DataFrame | None = None,
    blind: Blind | None = None,
) -> Score:
    """Match the marks of every run to the targets of its lane and count.

    Within a run, marks and targets are paired so that the number of pairs is greatest and, of those pairings, the summed
    distance is least; a target takes one mark. Further marks inside a halo are duplicates: neither hits nor false alarms.

    Parameters
    ----------
    targets
        Kind ``targets``; type ``decoy`` or ``clutter`` marks a decoy, on which a mark is a false alarm.
    signals
        Kind ``signals``; a run is one combination of `lane_id, operator, detector, run_id`.
        Positions: `x_m`/`y_m` if every row of both layers has them, else geometry in any CRS.
    halo_m
        Radius inside which a mark counts; from the trial plan, no default.
    lanes
        Outlines with `lane_id` or `id` (any CRS): gives the area for false-alarm rates and the direction of the lane.
    runs
        The roster: run columns, optionally `minutes`. Without it a run in which nothing was marked cannot be known.
    blind
        Proof of blindness; checked before anything is scored.

    Raises
    ------
    StatisticsError
        If the halo is not positive, there is nothing to score, or the proof of blindness fails.

    Examples
    --------
    >>> t = gpd.GeoDataFrame({"id": ["t1", "t2"], "x_m": [0.0, 5], "y_m": [0.0, 0], "geometry": [None, None]}, geometry="geometry")
    >>> s = gpd.GeoDataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "geometry": [None]}, geometry="geometry")
    >>> score(t, s, halo_m=0.2).strata()[["k", "n"]].values.tolist()
    [[1, 2]]
    """
    halo_m = arguments.positive(halo_m, "halo_m, the radius in metres inside which a mark counts,")
    targets, signals = (_places(frame, name) for frame, name in ((targets, "the targets"), (signals, "the signals")))
    lanes = None if lanes is None else arguments.layer(lanes, "the lanes")
    runs = None if runs is None else arguments.columns(runs, "the roster")
    if blind is not None:
        verify(targets, signals, blind)
    issues: list[Issue] = []
    plane = _Plane.of(targets, signals, lanes)
    aims = plane.placed(_keyed(targets, ("lane_id",)), "targets", issues)
    marks = plane.placed(_keyed(signals, RUN), "signals", issues)
    if aims["is_decoy"].all():
        raise StatisticsError(
            "there is no target with a position",
            hint="targets need geometry or x_m and y_m; decoys alone show no detection",
        )
    roster = _roster(marks, runs, issues)
    strange = ~marks["lane_id"].isin(aims["lane_id"])
    for row in marks[strange].itertuples():
        issues.append(
            Issue(
                "TR-11",
                "warning",
                "signals",
                str(row.id),
                "lane_id",
                "the lane of this mark has no targets: it is not scored",
                row.lane_id,
            )
        )
    matches, judged = _judge(aims, marks, roster, plane, halo_m)
    if matches.empty:
        raise StatisticsError(
            "no run was made on a lane that has targets",
            hint="do lane_id of targets and signals agree? give the roster if nothing was marked",
        )
    area = plane.free_area(aims[~aims["is_decoy"]], halo_m)
    roster["area_m2"] = [area.get(lane, np.nan) for lane in roster["lane_id"]]
    if roster["area_m2"].isna().any():
        issues.append(
            Issue(
                "TR-12", "info", "signals", message="no outline for some lanes: no false-alarm rate is given for them"
            )
        )
    return Score(matches, judged, roster, halo_m, blind is not None, issues_frame(issues), {"angle": plane.angles})


def _places(frame: Any, name: str) -> Any:
    """A layer, or a plain table with lane coordinates."""
    arguments.columns(frame, name, ("id",))
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        return frame
    if not {"x_m", "y_m"} <= set(frame.columns):
        raise SchemaError(f"{name} have no positions", hint="a geometry with a crs, or the columns x_m and y_m")
    return gpd.GeoDataFrame(frame, geometry=[None] * len(frame))


def _keyed(frame: gpd.GeoDataFrame, keys: Sequence[str]) -> pd.DataFrame:
    out = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    for name in ("id", *keys):
        out[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str) if name in frame else ""
    for name in ("target_type", "soil"):
        out[name] = out[name].astype(object).where(out[name].notna(), "").astype(str) if name in out else ""
    for name in ("depth_cm", "score"):
        out[name] = pd.to_numeric(out[name], errors="coerce") if name in out else np.nan
    out["is_decoy"] = [fold(v) in DECOYS for v in out["target_type"]]
    return out


@dataclass(frozen=True)
class _Plane:
    """Where rows lie in metres: lane coordinates if all rows have them, else one equal-area plane."""

    xy: Mapping[int, np.ndarray]
    outlines: Mapping[str, Any]
    angles: Mapping[str, float]
    local: bool

    @classmethod
    def of(cls, targets: gpd.GeoDataFrame, signals: gpd.GeoDataFrame, lanes: gpd.GeoDataFrame | None) -> _Plane:
        if all(
            {"x_m", "y_m"} <= set(f.columns) and f[["x_m", "y_m"]].notna().all(axis=None) for f in (targets, signals)
        ):
            xy = {
                n: np.column_stack([pd.to_numeric(f[c], errors="coerce") for c in ("x_m", "y_m")]).astype(float)
                for n, f in enumerate((targets, signals))
            }
            outlines = (
                {} if lanes is None else _outlines(lanes, _crs.equal_area(tuple(_crs.to_wgs84(lanes).total_bounds)))
            )
            return cls(xy, outlines, {}, True)
        bounds = _crs.to_wgs84(targets).total_bounds
        plane = _crs.equal_area(tuple(bounds))
        xy = {n: _points(f, plane) for n, f in enumerate((targets, signals))}
        outlines = {} if lanes is None else _outlines(lanes, plane)
        return cls(xy, outlines, {lane: _direction(shape) for lane, shape in outlines.items()}, False)

    def placed(self, rows: pd.DataFrame, kind: str, issues: list[Issue]) -> pd.DataFrame:
        xy = self.xy[0 if kind == "targets" else 1]
        out = rows.assign(x=xy[:, 0], y=xy[:, 1])
        there = np.isfinite(xy).all(axis=1)
        for row in out[~there].itertuples():
            issues.append(Issue("TR-10", "error", kind, str(row.id), message="no position: this row is not scored"))
        return out[there].sort_values([*(k for k in RUN if k in out), "id"], kind="stable").reset_index(drop=True)

    def inside(self, lane: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.local or lane not in self.outlines:
            return np.ones(len(x), dtype=bool)
        return shapely.intersects_xy(self.outlines[lane], x, y)

    def free_area(self, aims: pd.DataFrame, halo_m: float) -> dict[str, float]:
        # circumscribed circles: the halo is never taken too small, so the rate never too low
        radius = halo_m / np.cos(np.pi / 128)
        out: dict[str, float] = {}
        for lane, shape in self.outlines.items():
            mine = aims[aims["lane_id"] == lane]
            halos = shapely.union_all(shapely.buffer(shapely.points(mine["x"], mine["y"]), radius, quad_segs=32))
            out[lane] = shape.area - halos.area if self.local else shape.difference(halos).area
        return {lane: area for lane, area in out.items() if area > 0}


def _points(frame: gpd.GeoDataFrame, plane: Any) -> np.ndarray:
    out = np.full((len(frame), 2), np.nan)
    there = arguments.placed(frame)
    if there.any():
        moved = _crs.transform(frame.geometry.array[there], _crs.require(frame), plane)
        out[there] = shapely.get_coordinates(shapely.centroid(moved))
    return out


def _outlines(lanes: gpd.GeoDataFrame, plane: Any) -> dict[str, Any]:
    shapes = _crs.transform(lanes.geometry.array, _crs.require(lanes), plane)
    key = next((name for name in ("lane_id", "id") if name in lanes), None)
    names = [""] * len(lanes) if key is None else [str(v) for v in lanes[key]]
    return {lane: shape for lane, shape in zip(names, shapes, strict=True) if shape is not None and shape.area > 0}


def _direction(shape: Any) -> float:
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    edges = np.diff(corners, axis=0)[:2]
    long = edges[np.argmax(np.hypot(*edges.T))]
    # turned so that "along" points east or north, whichever is nearer the lane
    return float((np.arctan2(long[1], long[0]) + np.pi / 4) % np.pi - np.pi / 4)


def _roster(marks: pd.DataFrame, runs: pd.DataFrame | None, issues: list[Issue]) -> pd.DataFrame:
    seen = marks[list(RUN)].drop_duplicates()
    if runs is None:
        issues.append(
            Issue(
                "TR-13",
                "info",
                "signals",
                message="no roster was given: runs in which nothing was marked are not counted, so POD may be too high",
            )
        )
        roster = seen.assign(minutes=np.nan)
    else:
        given = pd.DataFrame(
            {
                name: runs[name].astype(object).where(runs[name].notna(), "").astype(str) if name in runs else ""
                for name in RUN
            },
            index=runs.index,
        )
        given["minutes"] = pd.to_numeric(runs["minutes"], errors="coerce") if "minutes" in runs else np.nan
        roster = given.drop_duplicates(list(RUN))
        listed = set(roster[list(RUN)].itertuples(index=False, name=None))
        extra = seen[[row not in listed for row in seen.itertuples(index=False, name=None)]]
        for row in extra.itertuples():
            issues.append(
                Issue(
                    "TR-14",
                    "warning",
                    "signals",
                    str(row.run_id),
                    message=f"marks of {row.operator} on lane {row.lane_id} are not in the roster: scored as a run of their own",
                )
            )
        roster = pd.concat([roster, extra.assign(minutes=np.nan)], ignore_index=True) if len(extra) else roster
    return roster.sort_values(list(RUN), kind="stable").reset_index(drop=True)


def _judge(
    aims: pd.DataFrame, marks: pd.DataFrame, roster: pd.DataFrame, plane: _Plane, halo_m: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    groups = dict(list(marks.groupby(list(RUN), sort=False)))
    empty = marks.iloc[:0]
    by_lane = dict(list(aims.groupby("lane_id", sort=False)))
    matches, judged = [], []
    for run in roster[list(RUN)].itertuples(index=False, name=None):
        if run[0] in by_lane:
            one, two = _judge_run(by_lane[run[0]], groups.get(run, empty), run, plane, halo_m)
            matches.append(one)
            judged.append(two)
    columns = ["id", *RUN, "verdict", "target_id", "score", "x", "y"]
    return (
        pd.concat(matches, ignore_index=True) if matches else pd.DataFrame(),
        pd.concat(judged, ignore_index=True)[columns] if judged else pd.DataFrame(columns=columns),
    )


def _judge_run(
    aims: pd.DataFrame, marks: pd.DataFrame, run: tuple[str, ...], plane: _Plane, halo_m: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    real, decoys = aims[~aims["is_decoy"]], aims[aims["is_decoy"]]
    xy = marks[["x", "y"]].to_numpy(dtype=float)
    pairs = pair(real[["x", "y"]].to_numpy(dtype=float), xy, halo_m)
    near = _near(real, xy, halo_m)
    verdict = np.where(
        near, "duplicate", np.where(plane.inside(run[0], xy[:, 0], xy[:, 1]), "false", "outside")
    ).astype(object)
    verdict[pairs[:, 1]] = "hit"
    target_id = np.full(len(marks), "", dtype=object)
    target_id[pairs[:, 1]] = real["id"].to_numpy()[pairs[:, 0]]
    found = _target_rows(real, marks, pairs, plane.angles.get(run[0], 0.0))
    free = np.flatnonzero(verdict == "false")
    on_decoy = pair(decoys[["x", "y"]].to_numpy(dtype=float), xy[free], halo_m)
    on_decoy[:, 1] = free[on_decoy[:, 1]]
    found = pd.concat([found, _target_rows(decoys, marks, on_decoy, 0.0)], ignore_index=True) if len(decoys) else found
    for name, value in zip(RUN, run, strict=True):
        found[name] = value
    return found, marks.assign(verdict=verdict, target_id=target_id)


def _near(aims: pd.DataFrame, xy: np.ndarray, halo_m: float) -> np.ndarray:
    if aims.empty or not len(xy):
        return np.zeros(len(xy), dtype=bool)
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(aims[["x", "y"]].to_numpy(dtype=float)).query(xy)
    return distance <= halo_m * (1 + 1e-12) + 1e-9


def _target_rows(aims: pd.DataFrame, marks: pd.DataFrame, pairs: np.ndarray, angle: float) -> pd.DataFrame:
    size = len(aims)
    out = pd.DataFrame({
        "target_id": aims["id"].to_numpy(), "target_type": aims["target_type"].to_numpy(), "depth_cm": aims["depth_cm"].to_numpy(),
        "soil": aims["soil"].to_numpy(), "is_decoy": aims["is_decoy"].to_numpy(dtype=bool), "x": aims["x"].to_numpy(), "y": aims["y"].to_numpy(),
        "hit": np.zeros(size, dtype=bool), "signal_id": np.full(size, "", dtype=object),
        "distance_m": np.full(size, np.nan), "along_m": np.full(size, np.nan), "across_m": np.full(size, np.nan), "score": np.full(size, np.nan),
    })  # fmt: skip
    if len(pairs):
        a, b = pairs.T
        delta = marks[["x", "y"]].to_numpy(dtype=float)[b] - aims[["x", "y"]].to_numpy(dtype=float)[a]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        out.loc[a, "hit"] = True
        out.loc[a, "signal_id"] = marks["id"].to_numpy(dtype=object)[b]
        out.loc[a, "distance_m"] = np.hypot(*delta.T)
        out.loc[a, ["along_m", "across_m"]] = delta @ turn
        out.loc[a, "score"] = marks["score"].to_numpy(dtype=float)[b]
    return out


def _pod_table(rows: pd.DataFrame, keys: list[str], confidence: float) -> pd.DataFrame:
    if keys:
        table = rows.groupby(keys, dropna=False)["hit"].agg(n="size", k="sum").reset_index()
    else:
        table = pd.DataFrame({"n": [len(rows)], "k": [int(rows["hit"].sum())]})
    table["n"], table["k"] = table["n"].astype(int), table["k"].astype(int)
    table["pod"] = table["k"] / table["n"].where(table["n"] > 0)
    table["low"], table["high"] = interval(table["k"].to_numpy(), table["n"].to_numpy(), confidence=confidence)
    wilson = interval(table["k"].to_numpy(), table["n"].to_numpy(), confidence=confidence, method="wilson")
    table["wilson_low"], table["wilson_high"] = wilson
    table["further_95"] = [
        further_targets(k, n, pod=0.95, confidence=0.95) for k, n in zip(table["k"], table["n"], strict=True)
    ]
    return table


def _with_far(table: pd.DataFrame, scored: Score, keys: list[str], confidence: float) -> pd.DataFrame:
    runs = scored.runs[scored.runs["lane_id"].isin(scored.matches["lane_id"])]
    false = scored.marks[scored.marks["verdict"] == "false"]
    if keys:
        area = runs.groupby(keys)["area_m2"].agg(lambda s: s.sum(skipna=False)).rename("area_m2").reset_index()
        count = false.groupby(keys).size().rename("false_alarms").reset_index()
        out = table.merge(area, on=keys, how="left").merge(count, on=keys, how="left")
        out["false_alarms"] = out["false_alarms"].fillna(0).astype(int)
    else:
        out = table.assign(area_m2=runs["area_m2"].sum(skipna=False), false_alarms=len(false))
    known = (out["area_m2"] > 0).to_numpy()
    limits = np.full((2, len(out)), np.nan)
    if known.any():
        limits[:, known] = rate_interval(
            out["false_alarms"].to_numpy()[known], out["area_m2"].to_numpy()[known], confidence=confidence
        )
    return out.assign(far_m2=out["false_alarms"] / out["area_m2"].where(known), far_low=limits[0], far_high=limits[1])


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for row in table.to_dict("records"):
        rows.append(
            {
                str(k): None
                if isinstance(v, float) and not np.isfinite(v)
                else v.item()
                if isinstance(v, np.generic)
                else v
                for k, v in row.items()
            }
        )
    return rows
