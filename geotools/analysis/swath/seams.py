"""Missed ground that lies in several tiles, put together again into the gaps it is.

For the gap list of jobs worked tile by tile; areas are sums of what the tiles hold, nothing is measured twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.gaps import ranked, widest
from geotools.analysis.swath.spill import Pieces

ON_LINE_M, TOUCH_M, LATTICE_M = 1e-7, 1e-6, 1e-6
DRAWN_BYTES = 8_000_000  # a gap of more (half a million corners) is listed by its widest piece
LISTED = 10_000  # gaps in the list; all are counted


@dataclass(frozen=True)
class Piece:
    """A polygon of missed ground as WKB, its area, and its edges on lines of the lattice of tiles."""

    area_m2: float
    shape: bytes
    edges: np.ndarray


class Seams:
    """Collects missed polygons tile by tile; `gaps` then joins those that share a border between tiles.

    Parameters
    ----------
    path
        File for polygons that wait.
    side_m
        Tiles are on a lattice of this side, or of one that was halved so often as `add` says.
    area_m2, width_m
        Limits of the gap list.
    """

    def __init__(self, path: Path, side_m: float, *, area_m2: float, width_m: float) -> None:
        self._pieces, self._side, self._limits = Pieces(path), side_m, (area_m2, width_m)
        self._areas: list[float] = []
        self._touch: list[np.ndarray] = []  # rows: axis, line, from, to, piece
        self.count, self.area_m2, self.widest_m, self.undrawn = 0, 0.0, 0.0, 0

    def __enter__(self) -> Seams:
        return self

    def __exit__(self, *_: object) -> None:
        self._pieces.__exit__()

    def add(self, missed: BaseGeometry, level: int) -> None:
        """Missed ground of a tile that was halved so often."""
        for piece in self.pieces(missed, self._side / 2**level, self._limits[0]):
            self.put(piece)

    @staticmethod
    def pieces(missed: BaseGeometry, side_m: float, area_m2: float) -> Iterator[Piece]:
        """Missed ground of a tile of that side, as far as it can be a gap or a part of one."""
        for part in shapely.get_parts(missed):
            edges = _edges(part, side_m)
            area = float(part.area)
            if len(edges) or area >= area_m2:
                yield Piece(area, shapely.to_wkb(part), edges)

    def put(self, piece: Piece) -> None:
        """Put a piece of missed ground aside."""
        number = self._pieces.add(piece.shape)
        self._areas.append(piece.area_m2)
        if len(piece.edges):
            self._touch.append(np.column_stack([piece.edges, np.full(len(piece.edges), number)]))

    def gaps(self, crs: Any) -> gpd.GeoDataFrame:
        """The largest gaps as a list; `count`, `area_m2` and `widest_m` are of all of them."""
        root = _linked(np.concatenate(self._touch) if self._touch else np.zeros((0, 5)), len(self._areas))
        areas = np.bincount(root, weights=self._areas, minlength=len(self._areas)) if len(self._areas) else np.zeros(0)
        order = np.argsort(root, kind="stable")
        starts = np.searchsorted(root[order], np.arange(len(areas) + 1))
        found: list[tuple[Any, float, float, np.ndarray]] = []
        for gap in np.flatnonzero(areas >= max(self._limits[0], 1e-12)):
            shape, whole = self._shape(order[starts[gap] : starts[gap + 1]])
            widths, middle, may = widest(np.array([shape], dtype=object), areas[gap : gap + 1], self._limits[1])
            if not may[0]:
                continue
            self.undrawn += not whole
            self.count, self.area_m2 = self.count + 1, self.area_m2 + float(areas[gap])
            self.widest_m = max(self.widest_m, float(widths[0]))
            found.append((shape, float(areas[gap]), float(widths[0]), middle[0]))
            if len(found) > 2 * LISTED:
                found = sorted(found, key=lambda one: -one[1])[:LISTED]
        found = sorted(found, key=lambda one: -one[1])[:LISTED]
        parts = np.empty(len(found), dtype=object)
        parts[:] = [one[0] for one in found]
        middle = np.array([one[3] for one in found]).reshape(-1, 2)
        return ranked(parts, np.array([one[1] for one in found]), np.array([one[2] for one in found]), middle, crs=crs)

    def _shape(self, numbers: np.ndarray) -> tuple[BaseGeometry, bool]:
        """Pieces of one gap joined, and whether it could be drawn whole."""
        if len(numbers) == 1:
            return self._pieces.get(int(numbers[0])), True
        if sum(self._pieces.size(int(n)) for n in numbers) > DRAWN_BYTES:
            largest = max(numbers.tolist(), key=lambda n: self._areas[n])
            return self._pieces.get(largest), False
        return shapely.union_all([self._pieces.get(int(n)) for n in numbers], grid_size=LATTICE_M), True


def _edges(part: BaseGeometry, side: float) -> np.ndarray:
    """Edges of a polygon on lines of the lattice: axis (0: the line is x = …), line, from, to."""
    xy, ring = shapely.get_coordinates(shapely.get_rings(part), return_index=True)
    a, b = xy[:-1], xy[1:]
    same = ring[1:] == ring[:-1]
    out = []
    for axis in (0, 1):
        line = np.rint(a[:, axis] / side) * side
        on = same & (np.abs(a[:, axis] - line) < ON_LINE_M) & (np.abs(b[:, axis] - line) < ON_LINE_M)
        along = np.sort(np.column_stack([a[on, 1 - axis], b[on, 1 - axis]]), axis=1)
        out.append(np.column_stack([np.full(on.sum(), axis), np.round(line[on], 6), along]))
    edges = np.concatenate(out)
    return edges[edges[:, 3] - edges[:, 2] > TOUCH_M]


def _linked(edges: np.ndarray, count: int) -> np.ndarray:
    """For every piece the first piece it hangs together with by edges on the same line that overlap."""
    root = list(range(count))

    def top(n: int) -> int:
        while root[n] != n:
            root[n] = root[root[n]]
            n = root[n]
        return n

    key: tuple[float, float] | None = None
    open_: list[tuple[float, int]] = []
    for axis, line, begin, end, piece in edges[np.lexsort((edges[:, 2], edges[:, 1], edges[:, 0]))].tolist():
        if (axis, line) != key:
            key, open_ = (axis, line), []
        open_ = [(until, other) for until, other in open_ if until - begin > TOUCH_M]
        for _, other in open_:
            a, b = top(int(piece)), top(other)
            root[max(a, b)] = min(a, b)
        open_.append((end, int(piece)))
    return np.array([top(n) for n in range(count)], dtype=np.int64)
