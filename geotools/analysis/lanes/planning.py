"""`plan`: lanes, lines and figures of tasks, in the order of work.

For the public call and its result; each stage is a file of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.lanes import heading
from geotools.analysis.lanes.ground import EMPTY, Plane, permitted, plane_of, reachable, task_rows, thick, zones_of
from geotools.analysis.lanes.result import Plan, TaskPlan, findings, kept_off
from geotools.analysis.lanes.sequence import Step, in_turn, sequence
from geotools.analysis.lanes.strips import Piece, rounds, strips
from geotools.analysis.lanes.tool import Settings, Tool, hours
from geotools.model.arguments import placed
from geotools.model.doors import checked
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space import geom

TOLERANCE_M = 1e-6
COLUMNS = (
    "id", "task_id", "lane_no", "pass_no", "kind", "cell", "bearing_deg", "length_m", "width_m", "area_m2", "turn_m", "move_m", "minutes", "status",
)  # fmt: skip


@checked
def plan(
    task: gpd.GeoDataFrame | gpd.GeoSeries, tool: Tool, *, settings: Settings | None = None, exclusions: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    start: gpd.GeoDataFrame | gpd.GeoSeries | None = None, slopes: Mapping[str, heading.Slopes] | None = None,
) -> Plan:  # fmt: skip
    """Lay lanes over tasks.

    Parameters
    ----------
    task
        Polygons in any CRS with ``id``; rows of the same id are one task. Holes are left out.
    tool, settings
        What works the lanes, and how they are laid.
    exclusions
        Ground no lane may touch, as polygons, lines or points; see `Settings.setback_m`. From points and lines lanes keep at least half
        the tool's width; a row without a place on the map is an error among the issues.
    start
        Cleared ground (polygons) or a start line: work begins at it, and lanes of people run straight off it, each begun at its near end.
    slopes
        Task id → rise per metre to the east and to the north at places of the task (`terrain.gradients` gives them), for `Settings.slope_limits_deg`.

    Returns
    -------
    Plan

    Raises
    ------
    CoverageError
        If a tool or setting makes no sense, or no row has an area.
    CRSError
        If something has no CRS.

    Notes
    -----
    A machine reaches the ground eroded by half its width and grown again (`ground.reachable`); its lanes stay inside by construction: the
    middle keeps half a width from the boundary. Rounds along the boundary come first, so that lanes end and turn on ground already worked.
    Lengths and widths are metres on the ground.

    Examples
    --------
    >>> field = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(500000, 4380000, 500100, 4380050)], crs="EPSG:32638")
    >>> made = plan(field, Tool(1.7, 0.2, speed_kmh=1.0, turn_s=30), settings=Settings(headlands=0))
    >>> made.table[["lanes", "work_m", "hours"]].round(3).values.tolist()
    [[34.0, 3401.361, 3.676]]
    """
    settings = settings or Settings()
    rows = task_rows(task)
    plane = plane_of(task)
    zones, issues = _zones(plane, exclusions, (tool, settings))
    begun = _placed(plane, start, "start")
    grounds = list[TaskPlan]()
    for name, shape in rows:
        ground = shapely.union_all(plane.place([shape], _crs.require(task, "task")))
        grounds.append(_task(name, ground, (tool, settings, plane), zones, begun, (slopes or {}).get(name)))
        issues += findings(grounds[-1], begun, plane, tool)
    home = _crs.require(task)
    parameters = {
        **vars(tool),
        **vars(settings),
        "crs": _crs.label(plane.crs),
        "exclusions": len(zones),
        "start": len(begun) > 0,
    }
    return Plan(
        lines=_frame(grounds, "line", plane, home), lanes=_frame(grounds, "lane", plane, home), narrow=_rest(grounds, "narrow", plane, home),
        left=_rest(grounds, "left", plane, home), table=pd.DataFrame([g.figures for g in grounds]), issues=issues_frame(issues), parameters=parameters,
    )  # fmt: skip


def _placed(plane: Plane, frame: gpd.GeoDataFrame | gpd.GeoSeries | None, what: str) -> np.ndarray:
    if frame is None or not len(frame):
        return np.array([], dtype=object)
    shapes = np.asarray(frame.geometry.array, dtype=object)[placed(frame)]
    return plane.place(shapes, _crs.require(frame, what))


def _zones(
    plane: Plane, frame: gpd.GeoDataFrame | gpd.GeoSeries | None, how: tuple[Tool, Settings]
) -> tuple[np.ndarray, list[Issue]]:
    """Exclusion zones on the plane, and what must be known about them."""
    if frame is None or not len(frame):
        return np.array([], dtype=object), []
    zones, lost = zones_of(
        plane, np.asarray(frame.geometry.array, dtype=object), _crs.require(frame.geometry, "exclusions")
    )
    named = (
        frame["id"]
        if isinstance(frame, gpd.GeoDataFrame) and "id" in frame
        else pd.Series(np.arange(1, len(frame) + 1))
    )
    return zones, kept_off(zones, named.astype(str).to_numpy()[lost].tolist(), *how)


def _on_plane(tool: Tool, settings: Settings, plane: Plane) -> tuple[Tool, Settings]:
    """Widths in map metres and bearings from grid north."""

    def grid(angle: float | None) -> float | None:
        return None if angle is None else angle - plane.convergence_deg

    scaled = replace(
        tool,
        width_m=tool.width_m * plane.scale,
        overlap_m=tool.overlap_m * plane.scale,
        turn_radius_m=tool.turn_radius_m * plane.scale,
    )
    turned = replace(
        settings,
        bearing_deg=grid(settings.bearing_deg),
        wind_from_deg=grid(settings.wind_from_deg),
        setback_m=settings.setback_m * plane.scale,
    )
    return scaled, turned


def _task(
    name: str,
    task: BaseGeometry,
    how: tuple[Tool, Settings, Plane],
    zones: np.ndarray,
    begun: np.ndarray,
    slopes: heading.Slopes | None,
) -> TaskPlan:
    tool, settings, plane = how
    own, laid = _on_plane(tool, settings, plane)
    middle = task.representative_point()
    origin = np.round(shapely.get_coordinates(middle)[0])

    def near(shape: BaseGeometry) -> BaseGeometry:
        return shapely.transform(shape, lambda points: points - origin)

    ground = near(permitted(task, zones, laid.setback_m, own.width_m / 2))
    start = near(shapely.union_all(begun)) if len(begun) else None
    made: list[dict[str, Any]] = []
    facts: list[tuple[float, float, str]] = []
    usable = [p for p in shapely.get_parts(ground if tool.rigid else thick(ground)) if not p.is_empty]
    for number in range(1, settings.passes + 1):
        for part in sorted(usable, key=lambda p: p.bounds):
            bearing, why = heading.chosen(part, own, laid, start, _turned(slopes, plane))
            facts.append((part.area, (bearing + plane.convergence_deg) % 180, why))
            across = number == 2 and settings.second == "perpendicular"
            steps = _block(part, own, laid, (bearing + 90 * across, number == 2 and not across), start)
            allowed = shapely.buffer(part, TOLERANCE_M / 10)
            shapely.prepare(allowed)
            made += [_row(step, number, own, plane, allowed) for step in steps]
    for number, row in enumerate(made, 1):
        row |= {
            "id": f"{name}-{number:03d}",
            "task_id": name,
            "lane_no": number,
            "minutes": 60 * hours(row["length_m"], int(number > 1), tool),
        }
        row |= {
            "line": shapely.transform(row["line"], lambda p: p + origin),
            "lane": shapely.transform(row["lane"], lambda p: p + origin),
        }
    return _measured(
        name,
        task,
        shapely.transform(ground, lambda p: p + origin),
        made,
        how,
        own,
        max(facts, default=(0, math.nan, "no ground")),
    )


def _turned(slopes: heading.Slopes | None, plane: Plane) -> heading.Slopes | None:
    """Slopes along the axes of the plane."""
    if slopes is None:
        return None
    sine, cosine = math.sin(math.radians(plane.convergence_deg)), math.cos(math.radians(plane.convergence_deg))
    east, north = (np.asarray(v, dtype=float) for v in slopes)
    return east * cosine - north * sine, east * sine + north * cosine


def _block(
    ground: BaseGeometry, tool: Tool, settings: Settings, lay: tuple[float, bool], start: BaseGeometry | None
) -> list[Step]:
    """Rounds and lanes of one piece of ground, in the order of work."""
    count = settings.headlands
    if count is None:
        count = max(1, math.ceil((tool.turn_radius_m + tool.width_m / 2) / tool.step_m - 1e-9)) if tool.rigid else 0
    first: list[Piece] = rounds(ground, tool, count, start)
    done = shapely.union_all(np.array([p.lane for p in first], dtype=object)) if first else EMPTY
    if count and tool.rigid and not first:
        return []
    pieces = strips(ground, tool, lay[0], done, count=count, offset=lay[1])
    steps = in_turn(first, ground)
    begin = shapely.Point(first[-1].ends[1]) if first else _lee(pieces, settings) if tool.kind == "dog" else None
    return steps + sequence(
        pieces,
        tool,
        settings.pattern,
        ground,
        begin if begin is not None and tool.rigid else start if start is not None else begin,
    )


def _lee(pieces: list[Piece], settings: Settings) -> BaseGeometry | None:
    """The end of the lane that lies farthest down the wind, to begin there."""
    if settings.wind_from_deg is None or not pieces:
        return None
    angle = math.radians(settings.wind_from_deg)
    ends = [end for piece in pieces for end in piece.ends]
    return shapely.Point(min(ends, key=lambda p: float(p[0] * math.sin(angle) + p[1] * math.cos(angle))))


def _row(step: Step, number: int, tool: Tool, plane: Plane, allowed: BaseGeometry) -> dict[str, Any]:
    line, lane = step.piece.line, step.piece.lane
    line = shapely.reverse(line) if step.reverse else line
    if not shapely.covers(allowed, lane):
        lane = geom.polygonal([shapely.intersection(lane, allowed)])[0]
    first, last = step.ends
    bearing = math.degrees(math.atan2(*(last - first))) + plane.convergence_deg if step.cell else math.nan
    return {
        "pass_no": number, "kind": "lane" if step.cell else "headland", "cell": step.cell, "bearing_deg": round(bearing % 360, 2),
        "length_m": line.length / plane.scale, "width_m": tool.width_m / plane.scale, "area_m2": lane.area / plane.scale**2,
        "turn_m": step.turn_m / plane.scale, "move_m": step.move_m / plane.scale, "status": "planned", "line": line, "lane": lane,
    }  # fmt: skip


def _measured(
    name: str, task: BaseGeometry, ground: BaseGeometry, made: list[dict[str, Any]], how: tuple[Tool, Settings, Plane], own: Tool,
    fact: tuple[float, float, str],
) -> TaskPlan:  # fmt: skip
    tool, _, plane = how
    can = reachable(ground, own.width_m) if tool.rigid else thick(ground)
    under = shapely.union_all(np.array([row["lane"] for row in made], dtype=object)) if made else EMPTY
    left = geom.polygonal([shapely.difference(can, under)])[0]
    square = plane.scale**2
    work, moved = sum(row["length_m"] for row in made), [row["move_m"] for row in made]
    figures = {
        "task_id": name, "task_m2": task.area / square, "permitted_m2": ground.area / square, "reachable_m2": can.area / square,
        "covered_m2": under.area / square, "coverage": 1 - left.area / can.area if can.area else 0.0,
        "lanes": sum(row["kind"] == "lane" for row in made), "headlands": sum(row["kind"] == "headland" for row in made),
        "work_m": work, "turn_m": sum(row["turn_m"] for row in made), "move_m": float(sum(v for v in moved if math.isfinite(v))),
        "hours": hours(work + tool.rigid * sum(v for v in moved if math.isfinite(v)), max(len(made) - 1, 0), tool), "bearing_deg": fact[1], "direction": fact[2],
    }  # fmt: skip
    for row in made:
        row["move_m"] = row["move_m"] if math.isfinite(row["move_m"]) else math.nan
    return TaskPlan(name, made, geom.polygonal([shapely.difference(ground, can)])[0], left, figures, ground)


def _frame(tasks: list[TaskPlan], what: str, plane: Plane, home: Any) -> gpd.GeoDataFrame:
    rows = [row for task in tasks for row in task.rows]
    data = {name: [row[name] for row in rows] for name in COLUMNS}
    shapes = gpd.GeoSeries([row[what] for row in rows], crs=plane.crs)
    return gpd.GeoDataFrame(data, geometry=_home(shapes, plane, home))


def _rest(tasks: list[TaskPlan], what: str, plane: Plane, home: Any) -> gpd.GeoDataFrame:
    kept = [(task.name, getattr(task, what)) for task in tasks if getattr(task, what).area / plane.scale**2 > 1e-3]
    shapes = gpd.GeoSeries([shape for _, shape in kept], crs=plane.crs)
    data = {
        "id": [name for name, _ in kept],
        "task_id": [name for name, _ in kept],
        "area_m2": [shape.area / plane.scale**2 for _, shape in kept],
    }
    return gpd.GeoDataFrame(data, geometry=_home(shapes, plane, home))


def _home(shapes: gpd.GeoSeries, plane: Plane, home: Any) -> gpd.GeoSeries:
    return gpd.GeoSeries(_crs.transform(shapes.array, plane.crs, home), index=shapes.index, crs=home)
