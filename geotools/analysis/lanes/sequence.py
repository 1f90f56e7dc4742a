"""In which order lanes are worked: patterns within a cell, cells one after the other.

For order and direction; where lanes lie is in `strips`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.lanes.strips import Piece
from geotools.analysis.lanes.tool import Tool, turn_m
from geotools.model.doors import checked
from geotools.model.errors import CoverageError


@checked
def order(count: int, pattern: str, *, size: int = 2) -> list[int]:
    """Lane numbers (from 1) in the order of work.

    ``boustrophedon`` 1, 2, 3, …; ``snake`` the odd ones out and the even ones back; ``spiral`` in groups of `size`, from the outer
    lanes of a group inwards; ``interleaved`` alternates between two halves of 2 x `size` lanes, so that no turn is shorter than
    `size` - 1 lanes within a group.

    Raises
    ------
    CoverageError
        If there is no such order.

    Examples
    --------
    >>> order(10, "snake")
    [1, 3, 5, 7, 9, 10, 8, 6, 4, 2]
    >>> order(10, "spiral", size=6)
    [1, 6, 2, 5, 3, 4, 7, 10, 8, 9]
    >>> order(8, "interleaved", size=4)
    [1, 5, 2, 6, 3, 7, 4, 8]
    """
    numbers = list(range(1, count + 1))
    if pattern == "boustrophedon":
        return numbers
    if pattern == "snake":
        return numbers[::2] + numbers[1::2][::-1]
    group = max(1, size) * (2 if pattern == "interleaved" else 1)
    if pattern not in ("spiral", "interleaved"):
        raise CoverageError(f"there is no order '{pattern}'")
    out: list[int] = []
    for begin in range(0, count, group):
        part = numbers[begin : begin + group]
        half = (len(part) + 1) // 2
        first, second = part[:half], part[half:] if pattern == "interleaved" else part[half:][::-1]
        out += [number for pair in zip(first, second, strict=False) for number in pair] + first[len(second) :]
    return out


@dataclass(frozen=True)
class Step:
    """One lane in the order of work: its piece, whether it is worked backwards, its cell and the way to it."""

    piece: Piece
    reverse: bool
    cell: int
    turn_m: float
    move_m: float

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last point."""
        return self.piece.ends[::-1] if self.reverse else self.piece.ends


def cells(pieces: list[Piece]) -> list[list[Piece]]:
    """Groups of lanes that lie side by side without a branching: the cells of a boustrophedon decomposition at lane width."""
    ahead: dict[int, list[int]] = {i: [] for i in range(len(pieces))}
    behind: dict[int, list[int]] = {i: [] for i in range(len(pieces))}
    rows: dict[int, list[int]] = {}
    for index, piece in enumerate(pieces):
        rows.setdefault(piece.strip, []).append(index)
    for strip, here in rows.items():
        for i in here:
            for j in rows.get(strip + 1, []):
                if min(pieces[i].stop, pieces[j].stop) > max(pieces[i].begin, pieces[j].begin):
                    ahead[i].append(j)
                    behind[j].append(i)
    out, seen = [], set()
    for index in range(len(pieces)):
        if index in seen:
            continue
        chain = [index]
        seen.add(index)
        while len(ahead[chain[-1]]) == 1 and len(behind[ahead[chain[-1]][0]]) == 1:
            chain.append(ahead[chain[-1]][0])
            seen.add(chain[-1])
        out.append([pieces[i] for i in chain])
    return out


def sequence(
    pieces: list[Piece], tool: Tool, pattern: str, region: BaseGeometry, start: BaseGeometry | None
) -> list[Step]:
    """Lanes of one block in the order of work. `start` is cleared ground; every lane of people and dogs begins at its end nearest to it."""
    left, out = cells(pieces), list[Step]()
    corners = np.array([[[cell[f].ends[r] for r in (0, 1)] for f in (0, -1)] for cell in left]).reshape(-1, 2)
    free = np.ones(len(corners), dtype=bool)
    parts = shapely.get_parts(region)
    shapely.prepare(parts)
    one_way = start is not None and not tool.rigid
    number = 0
    while free.any():
        best = _nearest(corners, free, out[-1].ends[1] if out else start)
        index, flip, reverse = best // 4, best // 2 % 2, best % 2
        cell = left[index][:: -1 if flip else 1]
        free[4 * index : 4 * index + 4] = False
        number += 1
        spacing = _spacing(cell)
        chosen, size = _pattern(pattern, tool, spacing)
        last = 0
        for place, lane in enumerate(order(len(cell), chosen, size=size)):
            piece = cell[lane - 1]
            back = _from_far(piece, start) if one_way else bool(reverse + place & 1)
            turn, move = 0.0, 0.0
            if out:
                before, begin = out[-1].ends[1], piece.ends[1 if back else 0]
                if one_way:  # back over the lane just searched, then along the start line
                    first = out[-1].ends[0]
                    move = out[-1].piece.line.length + float(np.hypot(*(begin - first)))
                elif place:
                    turn = _turned(before, begin, spacing * abs(lane - last), tool.turn_radius_m)
                else:
                    move = way(before, begin, parts)
            elif tool.rigid and isinstance(start, shapely.Point):  # from the last round
                move = way(np.asarray(start.coords[0]), piece.ends[1 if back else 0], parts)
            out.append(Step(piece, back, number, turn, move))
            last = lane
    return out


def _turned(before: np.ndarray, begin: np.ndarray, across: float, radius: float) -> float:
    """A turn into a lane `across` away, and the way along it if its end lies farther on."""
    apart = float(np.hypot(*(begin - before)))
    return turn_m(across, radius) + math.sqrt(max(0.0, apart**2 - across**2))


def _pattern(pattern: str, tool: Tool, spacing: float) -> tuple[str, int]:
    size = math.ceil(2 * tool.turn_radius_m / spacing - 1e-9) + 1 if spacing > 0 else 2
    if pattern == "auto":
        return ("interleaved", size) if tool.rigid and size > 2 else ("boustrophedon", size)
    return pattern, max(size, 2)


def _spacing(cell: list[Piece]) -> float:
    return abs(cell[-1].across - cell[0].across) / (len(cell) - 1) if len(cell) > 1 else 0.0


def _from_far(piece: Piece, start: BaseGeometry | None) -> bool:
    """Whether the lane's last point is nearer to cleared ground than its first."""
    a, b = (shapely.Point(p) for p in piece.ends)
    return start is not None and b.distance(start) < a.distance(start) - 1e-9


def _nearest(corners: np.ndarray, free: np.ndarray, near: BaseGeometry | np.ndarray | None) -> int:
    """Which free corner lies nearest (the first of equals); the first of all if there is nowhere to come from."""
    rows = np.flatnonzero(free)
    if near is None:
        return int(rows[0])
    if isinstance(near, np.ndarray):
        away = np.hypot(*(corners[rows] - near).T)
    else:
        away = shapely.distance(shapely.points(corners[rows]), near)
    return int(rows[np.argmin(np.round(away, 6))])


def in_turn(rounds: list[Piece], ground: BaseGeometry) -> list[Step]:
    """Rounds in the order given, each with the way from the one before."""
    parts = shapely.get_parts(ground)
    shapely.prepare(parts)
    before = [None, *rounds][: len(rounds)]
    moves = [0.0 if a is None else way(a.ends[1], b.ends[0], parts) for a, b in zip(before, rounds, strict=True)]
    return [Step(piece, False, 0, 0.0, move) for piece, move in zip(rounds, moves, strict=True)]


def way(a: np.ndarray, b: np.ndarray, parts: np.ndarray) -> float:
    """Length of a way from a to b that stays in one of the parts: straight, else along its outer boundary; infinite if there is none."""
    straight = shapely.LineString([a, b])
    if shapely.covers(parts, straight).any():
        return float(straight.length)
    ends = [shapely.Point(a), shapely.Point(b)]
    both = shapely.dwithin(parts, ends[0], 1e-3) & shapely.dwithin(parts, ends[1], 1e-3)
    for part in parts[both]:
        ring = part.exterior
        along = abs(ring.project(ends[0]) - ring.project(ends[1]))
        return float(ring.distance(ends[0]) + ring.distance(ends[1]) + min(along, ring.length - along))
    return math.inf
