"""`Rings`: the vertices of many polygons as flat arrays, with who follows whom. For vertex rules; not for areas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely


@dataclass(frozen=True)
class Rings:
    """Vertices of all rings of a layer, without the closing one.

    Attributes
    ----------
    row, part, hole
        Per ring: row in the layer, part number in the row, whether it is a hole.
    start, count
        Per ring: first vertex and number of vertices.
    ring
        Per vertex: its ring.
    lonlat, xy
        Per vertex: degrees, and metres on the plane.
    """

    row: np.ndarray
    part: np.ndarray
    hole: np.ndarray
    start: np.ndarray
    count: np.ndarray
    ring: np.ndarray
    lonlat: np.ndarray
    xy: np.ndarray

    @classmethod
    def of(cls, lonlat: np.ndarray, plane: np.ndarray) -> Rings:
        """Take apart polygons given twice, in degrees and on the plane, vertex by vertex alike."""
        parts, row_of_part = shapely.get_parts(lonlat, return_index=True)
        first = np.r_[0, np.flatnonzero(np.diff(row_of_part)) + 1] if len(parts) else np.empty(0, int)
        number = np.arange(len(parts)) - np.repeat(first, np.diff(np.r_[first, len(parts)])) if len(parts) else first
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        hole = np.r_[False, part_of_ring[1:] == part_of_ring[:-1]] if len(rings) else np.zeros(0, dtype=bool)
        coords, ring = shapely.get_coordinates(rings, return_index=True)
        xy = shapely.get_coordinates(plane)
        last = np.r_[ring[1:] != ring[:-1], True] if len(ring) else np.zeros(0, dtype=bool)
        ring = ring[~last]
        count = np.bincount(ring, minlength=len(rings))
        start = np.r_[0, np.cumsum(count)[:-1]] if len(count) else np.empty(0, int)
        return cls(row_of_part[part_of_ring], number[part_of_ring], hole, start, count, ring, coords[~last], xy[~last])

    @cached_property
    def following(self) -> np.ndarray:
        """Per vertex: the next one around its ring."""
        after = np.arange(1, len(self.ring) + 1)
        filled = self.count > 0
        after[(self.start + self.count - 1)[filled]] = self.start[filled]
        return after

    @cached_property
    def before(self) -> np.ndarray:
        """Per vertex: the one before it around its ring."""
        out = np.empty(len(self.ring), dtype=int)
        out[self.following] = np.arange(len(self.ring))
        return out

    @cached_property
    def edge(self) -> np.ndarray:
        """Per vertex: length in metres of the edge to the next one."""
        step = self.xy[self.following] - self.xy
        return np.hypot(step[:, 0], step[:, 1])

    @cached_property
    def number(self) -> np.ndarray:
        """Per vertex: its place in its ring, from 1."""
        return np.arange(len(self.ring)) - self.start[self.ring] + 1

    @cached_property
    def vertex_row(self) -> np.ndarray:
        """Per vertex: row in the layer."""
        return self.row[self.ring]

    def repeats(self, tolerance_deg: float) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of vertices of one ring that are the same place within a tolerance in degrees."""
        return same_place(self.lonlat, self.ring, tolerance_deg)

    def point(self, vertex: int | np.integer) -> Any:
        """A vertex as a WGS 84 point."""
        return shapely.Point(self.lonlat[vertex])


def same_place(xy: np.ndarray, group: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (i < j) of points of one group at most `tolerance` apart along each axis.

    Sorted on four staggered lattices, so that no such pair falls between two cells; n·log n.

    Examples
    --------
    >>> a, b = same_place(np.array([[0, 0], [5, 5], [0, 1e-7]]), np.zeros(3, int), 1e-6)
    >>> a.tolist(), b.tolist()
    ([0], [2])
    """
    found: list[np.ndarray] = []
    for dx in (0.0, 0.5):
        for dy in (0.0, 0.5):
            cell_x = np.floor(xy[:, 0] / (2 * tolerance) + dx).astype(np.int64)
            cell_y = np.floor(xy[:, 1] / (2 * tolerance) + dy).astype(np.int64)
            with np.errstate(over="ignore"):
                key = (cell_x * np.int64(73856093)) ^ (cell_y * np.int64(19349669)) ^ (group.astype(np.int64) << 40)
            order = np.argsort(key, kind="stable")
            alike = key[order][1:] == key[order][:-1]
            a, b = order[:-1][alike], order[1:][alike]
            near = (group[a] == group[b]) & (np.abs(xy[a] - xy[b]) <= tolerance).all(axis=1)
            found.append(np.column_stack([a[near], b[near]]))
    pairs = np.unique(np.concatenate(found), axis=0) if found else np.empty((0, 2), int)
    return pairs[:, 0], pairs[:, 1]
