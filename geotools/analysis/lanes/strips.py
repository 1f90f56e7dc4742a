"""Lanes of one piece of ground: rounds along its boundary, and parallel strips over what they leave.

For geometry on a plane in metres with the lanes' own axes; order of work is in `sequence`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from geotools.analysis.lanes.ground import EMPTY, capsules, inside, middles
from geotools.analysis.lanes.tool import Tool, passes
from geotools.space import geom

BLOCK = 1_000_000  # strips of different pieces of ground are never neighbours
NEARER = 0.99  # rounds lie a little nearer than a step, so that rounding leaves no hair between them
SPECK_M2 = 1e-3  # ground too small to send anyone for; it stays in the figures as left over


@dataclass(frozen=True)
class Piece:
    """One lane: its middle line, its ground, the strip it lies in (-1: a round) and where it begins and stops along it."""

    line: BaseGeometry
    lane: BaseGeometry
    strip: int = -1
    across: float = 0.0
    begin: float = 0.0
    stop: float = 0.0

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last point of the middle line."""
        points = shapely.get_coordinates(self.line)
        return points[0], points[-1]


def rounds(ground: BaseGeometry, tool: Tool, count: int, start: BaseGeometry | None) -> list[Piece]:
    """Closed lanes along the boundary and around holes, from the outside in; each begins nearest to the start."""
    out = []
    for number in range(count):
        middle = middles(ground, tool.width_m / 2 + number * tool.step_m * NEARER)
        for part in sorted((p for p in shapely.get_parts(middle) if not p.is_empty), key=lambda p: p.bounds):
            for ring in (part.exterior, *part.interiors):
                line = _begun(ring, start)
                out.append(Piece(line, capsules(line, tool.width_m / 2), stop=line.length))
    return out


def _begun(ring: BaseGeometry, start: BaseGeometry | None) -> shapely.LineString:
    points = shapely.get_coordinates(ring)[:-1]
    near = 0 if start is None else int(np.argmin(shapely.distance(shapely.points(points), start)))
    return shapely.LineString(np.roll(points, -near, axis=0)[[*range(len(points)), 0]])


def strips(
    ground: BaseGeometry, tool: Tool, bearing_deg: float, done: BaseGeometry, *, count: int = 0, offset: bool = False
) -> list[Piece]:
    """Parallel lanes of a bearing (clockwise from the y axis) over the ground that the rounds `done` leave.

    With `count` rounds, lanes run into them by the overlap or more; without, a machine's lane reaches as far as its full width stays inside.
    """
    turn = bearing_deg - 90
    at = shapely.Point(0, 0)
    turned, behind = (affinity.rotate(shape, turn, origin=at) for shape in (ground, done))
    if behind.is_empty:
        made = list(_alone(turned, tool, offset))
    elif tool.rigid:
        made = list(_between(turned, behind, tool, count, offset))
    else:
        made = list(_alone(_polygons(shapely.difference(turned, behind)), tool, offset))
    return [
        Piece(
            affinity.rotate(p.line, -turn, origin=at),
            affinity.rotate(p.lane, -turn, origin=at),
            p.strip,
            p.across,
            p.begin,
            p.stop,
        )
        for p in made
    ]


def _levels(low: float, high: float, tool: Tool, offset: bool) -> np.ndarray:
    """Middles of the strips across a width: flush with both sides, evenly between; with `offset` half a step aside."""
    count = passes(high - low, tool)
    if count <= 1:
        middles = np.array([(low + high) / 2] if count else [])
    else:
        middles = np.linspace(low + tool.width_m / 2, high - tool.width_m / 2, count)
    if offset and count:
        step = tool.step_m if count == 1 else middles[1] - middles[0]
        middles = np.r_[middles - step / 2, middles[-1] + step / 2]
    return middles


def _cut(shape: BaseGeometry, middles: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Single polygons of a shape in each strip, and their strips."""
    west, _, east, _ = shape.bounds
    sides = np.full(len(middles), west - 1), np.full(len(middles), east + 1)
    boxes = shapely.box(sides[0], middles - width / 2, sides[1], middles + width / 2)
    shapely.prepare(shape)
    parts, owner = shapely.get_parts(shapely.intersection(boxes, shape), return_index=True)
    keep = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 0)
    return parts[keep], owner[keep]


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    only: BaseGeometry = geom.polygonal([shape])[0]
    return only


def _between(ground: BaseGeometry, done: BaseGeometry, tool: Tool, count: int, offset: bool) -> Iterator[Piece]:
    """Lanes over the ground that rounds leave, their ends inside the rounds.

    All reachable ground within half a width of the middle's boundary lies under the outermost round, so only the middle can be left.
    """
    middle = middles(ground, tool.width_m / 2)
    rest = _polygons(shapely.difference(middle, done))
    if rest.area <= SPECK_M2:
        return
    inner = shapely.intersection(inside(ground, count * tool.step_m), middle)
    wanted = _polygons(shapely.union_all([rest, inner]))
    shapely.prepare(middle)
    for number, block in enumerate(shapely.get_parts(wanted)):
        here = shapely.intersection(rest, block)
        if here.area <= SPECK_M2:
            continue
        levels = _levels(block.bounds[1], block.bounds[3], tool, offset)
        parts, owner = _cut(block, levels, tool.width_m)
        todo = shapely.area(shapely.intersection(parts, here)) > SPECK_M2
        for strip in np.unique(owner[todo]):
            boxes = shapely.bounds(parts[todo & (owner == strip)])
            for begin, stop in _joined(boxes[:, [0, 2]], tool.width_m):
                axis = shapely.LineString([(begin, levels[strip]), (stop, levels[strip])])
                for line in shapely.get_parts(shapely.intersection(axis, middle)):
                    if line.length > 0:
                        yield _straight(line, int(strip) + number * BLOCK, tool.width_m)


def _alone(ground: BaseGeometry, tool: Tool, offset: bool) -> Iterator[Piece]:
    """Lanes without rounds: as far as the full width stays inside, or for people and dogs all of the strip."""
    _, low, _, high = ground.bounds
    if tool.rigid:
        low, high = low + _aside(ground, tool, low, 1), high - _aside(ground, tool, high, -1)
    levels = _levels(low, high, tool, offset)
    if not tool.rigid:
        for part, strip in zip(*_cut(ground, levels, tool.width_m), strict=True):
            if part.area > SPECK_M2:
                yield _searched(part, int(strip), float(levels[strip]))
        return
    for strip, middle in enumerate(levels.tolist()):
        for begin, stop in _whole(ground, middle, tool.width_m):
            yield _straight(shapely.LineString([(begin, middle), (stop, middle)]), strip, tool.width_m)


def _whole(ground: BaseGeometry, middle: float, width: float) -> list[tuple[float, float]]:
    """Where along a strip its full width lies inside the ground."""
    west, _, east, _ = ground.bounds
    band = shapely.box(west, middle - width / 2, east, middle + width / 2)
    inner = shapely.intersection(band, ground)
    if inner.area <= 0:
        return []
    spans = inner.bounds
    band = shapely.box(spans[0], middle - width / 2, spans[2], middle + width / 2)
    blocked = [p for p in shapely.get_parts(shapely.difference(band, ground)) if p.area > 1e-9]
    holes = _joined(shapely.bounds(np.array(blocked, dtype=object))[:, [0, 2]], 0.0) if blocked else []
    out, begin = list[tuple[float, float]](), spans[0]
    for left, right in [*holes, (spans[2], math.inf)]:
        if left - begin > 1e-6:
            out.append((begin, left))
        begin = max(begin, right)
    return out


def _aside(ground: BaseGeometry, tool: Tool, side: float, inward: int) -> float:
    """How far the outermost lane moves inwards so that a side that is not quite straight does not cost the whole lane: at most a tenth of its width."""
    west, _, east, _ = ground.bounds
    for part in (0.0, 1e-6, 1e-4, 1e-3, 0.01, 0.03, 0.1):
        away = part * tool.width_m
        long = sum(b - a for a, b in _whole(ground, side + inward * (away + tool.width_m / 2), tool.width_m))
        if long >= 0.8 * (east - west):
            return away
    return 0.0


def _joined(spans: np.ndarray, gap: float) -> list[tuple[float, float]]:
    """Intervals joined where they overlap or lie no farther apart than `gap`, in order."""
    out: list[tuple[float, float]] = []
    for begin, stop in spans[np.lexsort(spans.T[::-1])].tolist():
        if out and begin <= out[-1][1] + gap:
            out[-1] = (out[-1][0], max(out[-1][1], stop))
        else:
            out.append((begin, stop))
    return out


def _straight(line: BaseGeometry, strip: int, width: float) -> Piece:
    west, south, east, _ = line.bounds
    return Piece(line, shapely.box(west, south - width / 2, east, south + width / 2), strip, south, west, east)


def _searched(part: BaseGeometry, strip: int, middle: float) -> Piece:
    """A strip's own ground with a line through it: its middle, or where that leaves it the level of an inner point."""
    west, _, east, _ = part.bounds
    line: BaseGeometry = EMPTY
    for level in (middle, part.representative_point().y):
        line = shapely.intersection(shapely.LineString([(west, level), (east, level)]), part)
        if line.length > 0:
            break
    lines = [p for p in shapely.get_parts(line) if p.geom_type == "LineString" and p.length > 0]
    if not lines:
        lines = [shapely.shortest_line(part.representative_point(), part.boundary)]
    merged = lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    return Piece(merged, part, strip, middle, west, east)
