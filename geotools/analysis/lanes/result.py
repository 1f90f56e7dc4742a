"""`Plan`: lanes, lines and figures of tasks, and what a planner must know about them.

For reading and writing a plan; it is laid in `planning`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.lanes.ground import AREAL, Plane
from geotools.analysis.lanes.tool import Settings, Tool
from geotools.model.figures import percent, square_metres
from geotools.model.schema import Issue
from geotools.space import crs as _crs

SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """Result of `plan`; frames are in the CRS of the task. A plan is not clearance: every lane has the status ``planned``.

    Attributes
    ----------
    lines, lanes
        The middle line and the ground of each lane, one row per lane in the order of work: ``id task_id lane_no pass_no kind``
        (``headland`` or ``lane``) ``cell bearing_deg`` (from first to last point, true north) ``length_m width_m area_m2 turn_m move_m``
        (the way from the lane before) ``minutes`` (missing without a speed) ``status``.
    narrow
        Permitted ground where no lane fits, by task: too narrow for the full width of a machine, or for people and dogs narrower than a hand.
    left
        Reachable ground under no lane, by task.
    table
        One row per task: ``task_m2 permitted_m2 reachable_m2 covered_m2 coverage`` (covered / reachable) ``lanes headlands work_m turn_m
        move_m hours bearing_deg direction``. Hours hold the work, the turns, and a machine's moves at its working speed; people's walks are not in them.
    issues
        ISSUES rows, LN-01 to LN-10.

    Examples
    --------
    >>> import shapely
    >>> from geotools.analysis.lanes import Settings, Tool, plan

    >>> field = gpd.GeoDataFrame({"id": ["T-1"]}, geometry=[shapely.box(500000, 4380000, 500100, 4380050)], crs="EPSG:32638")

    >>> made = plan(field, Tool(1.7, 0.2, speed_kmh=1.0, turn_s=30), settings=Settings(headlands=0))
    >>> print(made.sentences[0])
    T-1: 34 lanes and 0 rounds planned, 3,401 m of work, 3.7 h; bearing 90.0° (fewest lanes).
    >>> sorted(made.layers())
    ['issues', 'lane_lines', 'lanes', 'lanes_narrow']
    """

    lines: gpd.GeoDataFrame
    lanes: gpd.GeoDataFrame
    narrow: gpd.GeoDataFrame
    left: gpd.GeoDataFrame
    table: pd.DataFrame
    issues: gpd.GeoDataFrame
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        """The plan in plain words."""
        out = []
        for row in self.table.to_dict("records"):
            time = (
                f", {row['hours']:,.1f} h" if np.isfinite(row["hours"]) else ", time unknown (no working speed given)"
            )
            out.append(
                f"{row['task_id']}: {_many(row['lanes'], 'lane')} and {_many(row['headlands'], 'round')} planned, {row['work_m']:,.0f} m of work{time}; "
                f"bearing {row['bearing_deg']:.1f}° ({row['direction']})."
            )
            out.append(
                f"  {square_metres(row['permitted_m2'])} of {square_metres(row['task_m2'])} m² are permitted, "
                f"{square_metres(row['reachable_m2'], toward='down')} m² can be worked, {percent(row['coverage'])} of that lies under a planned lane; "
                f"{square_metres(max(row['permitted_m2'] - row['covered_m2'], 0.0), toward='up')} m² of permitted ground do not."
            )
        return [*out, "This is a plan. It says nothing about the state of the land."]

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Layers to write or map, by name; empty ones are left out."""
        frames = {
            "lane_lines": self.lines,
            "lanes": self.lanes,
            "lanes_narrow": self.narrow,
            "lanes_left": self.left,
            "issues": self.issues,
        }
        return {name: frame for name, frame in frames.items() if len(frame)}

    def to_dict(self) -> dict[str, Any]:
        """Figures by task, issues and parameters as plain data."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        found = pd.DataFrame(self.issues.drop(columns="geometry")).to_dict("records")
        return {
            "status": "planned",
            "tasks": rows,
            "issues": found,
            "parameters": self.parameters,
            "sentences": self.sentences,
        }


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class TaskPlan:
    """One task while it is planned: its lanes as rows, ground that stays without, figures."""

    name: str
    rows: list[dict[str, Any]]
    narrow: BaseGeometry
    left: BaseGeometry
    figures: dict[str, Any]
    ground: BaseGeometry


def findings(task: TaskPlan, begun: np.ndarray, plane: Plane, tool: Tool) -> list[Issue]:
    """What a planner must know about this task."""
    out, figures = [], task.figures
    where = _crs.transform(
        [shapely.Point(task.ground.representative_point()) if not task.ground.is_empty else shapely.Point()],
        plane.crs,
        _crs.WGS84,
    )[0]

    def say(check: str, severity: str, message: str, value: Any = "", limit: Any = "") -> None:
        out.append(
            Issue(check, severity, "tasks", task.name, "", message, value, limit, None if where.is_empty else where)
        )

    if task.ground.is_empty:
        say("LN-01", "error", "exclusion zones leave no ground of this task; there is nothing to plan")
    elif not task.rows:
        say(
            "LN-02",
            "error",
            f"no part of this task is wide enough for a tool of {tool.width_m:g} m; use a narrower one",
            "",
            tool.width_m,
        )
    else:
        narrow = figures["permitted_m2"] - figures["reachable_m2"]
        if narrow > 1.0:
            say(
                "LN-03",
                "warning",
                f"{square_metres(narrow, toward='up')} m² lie in corners and narrow places where no lane fits; plan them for another method",
                round(narrow, 1),
            )
        if not len(begun):
            say(
                "LN-04",
                "warning",
                "no cleared ground was given: show how the first lane is reached without crossing hazardous ground",
            )
        else:
            gap = shapely.distance(task.rows[0]["lane"], shapely.union_all(begun)) / plane.scale
            if gap > tool.width_m / 2:
                say(
                    "LN-04",
                    "warning",
                    f"the first lane lies {gap:,.1f} m away from the cleared ground given: the way between is not cleared",
                    round(gap, 1),
                    tool.width_m / 2,
                )
        broken = sum(math.isnan(row["move_m"]) for row in task.rows)
        if broken:
            say(
                "LN-05",
                "warning",
                f"{broken} lanes lie on ground that no permitted way joins to the lane before: clear an access to them first",
                broken,
            )
        holes = sum(len(part.interiors) for part in shapely.get_parts(task.ground))
        if holes and figures["headlands"]:
            say(
                "LN-07",
                "info",
                f"rounds around {holes} holes or exclusion zones are reached over ground not yet worked: drive there with the tool at work",
                holes,
            )
        if figures["covered_m2"] < figures["reachable_m2"] - max(1.0, 0.005 * figures["reachable_m2"]):
            missing = figures["reachable_m2"] - figures["covered_m2"]
            say(
                "LN-06",
                "warning",
                f"{square_metres(missing, toward='up')} m² that could be reached lie under no lane; plan rounds along the boundary (headlands)",
                round(missing, 1),
            )
    return out


def kept_off(zones: np.ndarray, lost: list[str], tool: Tool, settings: Settings) -> list[Issue]:
    """What a planner must know about exclusion zones: rows without a place, and the distance from points and lines."""
    out = []
    if lost:
        rest = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        listed = ", ".join(lost[:SHOWN]) + rest
        out.append(
            Issue(
                "LN-08",
                "error",
                "exclusions",
                lost[0] if len(lost) == 1 else "",
                "geometry",
                f"{_many(len(lost), 'exclusion zone')} without a place on the map ({listed}): lanes may cross them; do not use this plan before they are placed",
                len(lost),
            )
        )
    thin = int((shapely.get_dimensions(zones) < AREAL).sum())
    if thin and settings.setback_m < tool.width_m / 2:
        out.append(
            Issue(
                "LN-09",
                "info",
                "exclusions",
                message=f"{_many(thin, 'exclusion')} given as points or lines: lanes keep half the tool's width, {tool.width_m / 2:g} m, from them; give a greater setback if it is needed",
                value=settings.setback_m,
                limit=tool.width_m / 2,
            )
        )
    return out
