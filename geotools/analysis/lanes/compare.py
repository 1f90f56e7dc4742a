"""`compare`: which planned lanes are done, worked in part, or not begun, from the ground that was covered.

For plan against work; how covered ground is worked out from tracks is in the swath room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.lanes.ground import EMPTY, plane_of
from geotools.model.arguments import placed
from geotools.model.doors import checked
from geotools.model.errors import CoverageError
from geotools.model.figures import percent, square_metres
from geotools.space import crs as _crs
from geotools.space import geom

DONE = 0.995
STATES = ("done", "part", "not_begun")


@dataclass(frozen=True)
class Comparison:
    """Result of `compare`.

    Attributes
    ----------
    lanes
        The planned lanes, columns as planned, with ``done_m2 left_m2 share`` (of the lane's ground) ``line_share`` (of its middle line) and ``state``.
    left
        Planned ground that no work covered, one row per task: ``id task_id area_m2``.
    table
        Per task and state: ``task_id state lanes planned_m2 done_m2 left_m2 share``; per task, ground under several lanes counts once in the
        row ``all``.

    Examples
    --------
    >>> from geotools.analysis.lanes import Tool, plan
    >>> field = gpd.GeoDataFrame({"id": ["T"]}, geometry=[shapely.box(500000, 0, 500010, 4)], crs="EPSG:32638")
    >>> worked = gpd.GeoSeries([shapely.box(500000, 0, 500010, 2.0)], crs="EPSG:32638")
    >>> done = compare(plan(field, Tool(1, kind="manual")).lanes, worked)
    >>> done.sentences
    ['T: 2 lanes done, 1 in part, 2 not begun; 20 of 40 m² planned ground worked (50.0 %), 21 m² left.']
    """

    lanes: gpd.GeoDataFrame
    left: gpd.GeoDataFrame
    table: pd.DataFrame

    @property
    def sentences(self) -> list[str]:
        """The result in plain words."""
        out = []
        for name, rows in self.table.groupby("task_id", sort=True):
            count = rows.set_index("state")["lanes"]
            whole = rows[rows["state"] == "all"].iloc[0]
            done, left = square_metres(whole["done_m2"], toward="down"), square_metres(whole["left_m2"], toward="up")
            out.append(
                f"{name}: {count['done']} lanes done, {count['part']} in part, {count['not_begun']} not begun; "
                f"{done} of {square_metres(whole['planned_m2'])} m² planned ground worked ({percent(whole['share'])}), {left} m² left."
            )
        return out

    def to_dict(self) -> dict[str, Any]:
        """Figures per task and state."""
        return {"lanes": self.table.to_dict("records"), "sentences": self.sentences}


@checked
def compare(
    lanes: gpd.GeoDataFrame, covered: gpd.GeoDataFrame | gpd.GeoSeries, *, done_share: float = DONE
) -> Comparison:
    """Compare planned lanes with covered ground.

    Parameters
    ----------
    lanes
        `Plan.lanes`.
    covered
        Ground under the tool, such as `SwathCoverage.covered`, in any CRS.
    done_share
        A lane is ``done`` from this share of its ground on. It is ``not_begun`` while under 1 % of its middle line is covered: work in a
        neighbouring lane reaches into its overlap. Whatever is not covered stays in ``left``, also of lanes that count as done.

    Raises
    ------
    CoverageError
        If there are no lanes or the share is not within 0 and 1.

    Examples
    --------
    >>> from geotools.analysis.lanes.planning import plan
    >>> from geotools.analysis.lanes.tool import Settings, Tool
    >>> field = gpd.GeoDataFrame({"id": ["T"]}, geometry=[shapely.box(500000, 0, 500010, 4)], crs="EPSG:32638")
    >>> lanes = plan(field, Tool(1, kind="manual")).lanes
    >>> worked = gpd.GeoSeries([shapely.box(500000, 0, 500010, 2.0)], crs="EPSG:32638")
    >>> sorted(compare(lanes, worked).lanes["state"])
    ['done', 'done', 'not_begun', 'not_begun', 'part']
    """
    if not len(lanes) or not {"id", "task_id"} <= set(lanes.columns):
        raise CoverageError(
            "there are no planned lanes to compare", hint="give Plan.lanes, or the lanes written by geotools plan lanes"
        )
    if not 0 < done_share <= 1:
        raise CoverageError("the share of a lane that counts as done is above 0 and at most 1")
    if lanes["task_id"].isna().any() or not placed(lanes).all():
        raise CoverageError("a planned lane has no geometry or no task", hint="give the lanes as planned")
    plane = plane_of(lanes)
    shapes = plane.place(lanes.geometry.array, _crs.require(lanes, "lanes"))
    if len(shapes) != len(lanes):
        raise CoverageError("a planned lane has no geometry", hint="give the lanes as planned")
    ground = plane.place(covered.geometry.array, _crs.require(covered, "covered ground"))
    worked = shapely.union_all(ground) if len(ground) else EMPTY
    shapely.prepare(worked)
    if not (shapely.area(shapes) > 0).all():
        raise CoverageError("a planned lane has no ground", hint="give the polygons of Plan.lanes, not its lines")
    inside = shapely.area(shapely.intersection(shapes, worked)) / plane.scale**2
    whole = shapely.area(shapes) / plane.scale**2
    middle = _middles(shapes)
    along = shapely.length(shapely.intersection(middle, worked)) / np.maximum(shapely.length(middle), 1e-12)
    share = inside / whole
    state = np.where(share >= done_share, "done", np.where(along < 0.01, "not_begun", "part"))
    out = lanes.copy()
    out["area_m2"], out["done_m2"], out["left_m2"] = whole, inside, np.maximum(whole - inside, 0.0)
    out["share"], out["line_share"], out["state"] = share, along, state
    left, table = [], []
    for name, index in out.groupby("task_id", sort=True).indices.items():
        planned = shapely.union_all(shapes[index])
        rest = geom.polygonal([shapely.difference(planned, worked)])[0]
        left.append({"id": str(name), "task_id": name, "area_m2": rest.area / plane.scale**2, "geometry": rest})
        table += _rows(str(name), out.iloc[index], planned.area / plane.scale**2, rest.area / plane.scale**2)
    frame = gpd.GeoDataFrame(left, geometry="geometry", crs=plane.crs)
    frame = frame.set_geometry(
        gpd.GeoSeries(_crs.transform(frame.geometry.array, plane.crs, lanes.crs), index=frame.index, crs=lanes.crs)
    )
    return Comparison(out, frame[frame["area_m2"] > 1e-3].reset_index(drop=True), pd.DataFrame(table))


def _middles(shapes: np.ndarray) -> np.ndarray:
    """A line along the middle of each lane: half way between the long sides of its narrowest box; of rounds, a line within the ring."""
    out = np.empty(len(shapes), dtype=object)
    for index, shape in enumerate(shapes):
        box = shapely.oriented_envelope(shape)
        points = shapely.get_coordinates(box)
        if len(points) < 5:
            out[index] = shape.boundary
            continue
        sides = np.hypot(*np.diff(points, axis=0)[:2].T)
        a, b, c, d = points[:4] if sides[0] <= sides[1] else points[[1, 2, 3, 0]]
        middle = shapely.intersection(shapely.LineString([(a + b) / 2, (c + d) / 2]), shape)
        hollow = shape.area < 0.5 * box.area
        out[index] = shapely.buffer(shape, -0.49 * _thin(shape)).boundary if hollow else middle
        if out[index].length == 0:
            out[index] = shape.boundary
    return out


def _thin(shape: Any) -> float:
    """Width of a ring-shaped lane: twice its ground over the length of its boundary."""
    return float(2 * shape.area / shape.length)


def _rows(name: str, lanes: gpd.GeoDataFrame, planned: float, left: float) -> list[dict[str, Any]]:
    rows = []
    for state in STATES:
        part = lanes[lanes["state"] == state]
        area, done = float(part["area_m2"].sum()), float(part["done_m2"].sum())
        rows.append(
            {
                "task_id": name,
                "state": state,
                "lanes": len(part),
                "planned_m2": area,
                "done_m2": done,
                "left_m2": area - done,
                "share": done / area if area else 0.0,
            }
        )
    rows.append(
        {
            "task_id": name,
            "state": "all",
            "lanes": len(lanes),
            "planned_m2": planned,
            "done_m2": planned - left,
            "left_m2": left,
            "share": 1 - left / planned if planned else 0.0,
        }
    )
    return rows
