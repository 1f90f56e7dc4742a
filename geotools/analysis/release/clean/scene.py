"""Containers and covers side by side in arrays, and where their outlines cross.

For `pieces`, which cuts the outlines there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geotools.space import geom
from geotools.space.outlines import Outlines

NEAR_M = 1e-6  # closer than this is not general position
HEAVY = 4_000_000  # vertices that the pairs of one group look at, or pairs of edges of two outlines


def spread(first: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers ``first, first + 1, …`` of each run on end, and which run each belongs to."""
    run = np.repeat(np.arange(len(size)), size)
    start = np.cumsum(size) - size
    return np.arange(len(run)) - start[run] + first[run], run


def total(index: np.ndarray, weights: np.ndarray, minlength: int) -> np.ndarray:
    """Sum of the weights per number."""
    return np.bincount(index, weights=weights, minlength=minlength).astype(float)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The z of the cross product of plane vectors."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


@dataclass
class Scene:
    """Containers and their covers as members of groups, side by side.

    Attributes
    ----------
    lines
        Outlines of all polygons, shells counter-clockwise, holes clockwise.
    group, poly, rank
        Of each member: its group, its polygon, its place in the group (0 is the container).
    start
        First member of each group.
    row
        First vertex row of each member; `xy` has the vertices of all members, from the corner of their container.
    """

    lines: Outlines
    group: np.ndarray
    poly: np.ndarray
    rank: np.ndarray
    start: np.ndarray
    kept: np.ndarray
    corner: np.ndarray
    row: np.ndarray
    vertex: np.ndarray
    xy: np.ndarray
    bad: np.ndarray

    def near(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of members of one group whose boxes meet within that of the container."""
        one, two = spread(self.start[self.group], self.rank)
        box = self.lines.box[self.poly]
        ground = box[self.start[self.group]]
        low = np.maximum(np.maximum(box[one, :2], box[two, :2]), ground[one, :2])
        high = np.minimum(np.minimum(box[one, 2:], box[two, 2:]), ground[one, 2:])
        keep = (low <= high + NEAR_M).all(axis=1)
        one, two = one[keep], two[keep]
        size = np.diff(self.row)
        self.bad |= total(self.group[one], size[one] + size[two], len(self.bad)) > HEAVY
        keep = ~self.bad[self.group[one]]
        return one[keep], two[keep]

    def _edges(
        self, member: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vertex rows of the edges of members that reach into a window, which window, and the boxes of the edges."""
        first = self.row[member]
        rows, pair = spread(first, np.maximum(self.row[member + 1] - first - 1, 0))
        west, south, east, north = self.boxes
        for least, most, axis in ((south, north, 1), (west, east, 0)):
            keep = (least[rows] <= high[pair, axis]) & (most[rows] >= low[pair, axis])
            rows, pair = rows[keep], pair[keep]
        return rows, pair, np.column_stack([side[rows] for side in self.boxes])

    @cached_property
    def boxes(self) -> tuple[np.ndarray, ...]:
        """West, south, east and north of the edge that begins at each vertex row; nowhere where there is none."""
        x, y = self.xy[:, 0], self.xy[:, 1]
        a, b = np.r_[x[1:], np.inf], np.r_[y[1:], np.inf]
        none = self.lines.last[self.vertex] | ((a == x) & (b == y))
        west, south, east, north = np.minimum(x, a), np.minimum(y, b), np.maximum(x, a), np.maximum(y, b)
        south[none], north[none] = np.inf, -np.inf
        return west, south, east, north

    def crossings(self, one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, ...]:
        """Crossings of two outlines: members, rows of the edges, places on them, point, doubt about the places."""
        box = self.lines.box[self.poly] - np.tile(self.corner[self.group], 2)
        low = np.maximum(box[one, :2], box[two, :2]) - NEAR_M
        high = np.minimum(box[one, 2:], box[two, 2:]) + NEAR_M
        left, pair_l, box_l = self._edges(one, low, high)
        right, pair_r, box_r = self._edges(two, low, high)
        at_l, at_r, heavy = _meeting((pair_l, box_l), (pair_r, box_r), low[:, 1], high[:, 1])
        self.bad[self.group[one[heavy]]] = True
        a, b, c, d = self.xy[left[at_l]], self.xy[left[at_l] + 1], self.xy[right[at_r]], self.xy[right[at_r] + 1]
        u, v = b - a, d - c
        side_c, side_d = cross(u, c - a), cross(u, d - a)
        side_a, side_b = cross(v, a - c), cross(v, b - c)
        long_u, long_v = np.abs(u).sum(axis=1), np.abs(v).sum(axis=1)
        apart = (np.minimum(side_c, side_d) > NEAR_M * long_u) | (np.maximum(side_c, side_d) < -NEAR_M * long_u)
        apart |= (np.minimum(side_a, side_b) > NEAR_M * long_v) | (np.maximum(side_a, side_b) < -NEAR_M * long_v)
        clear = (np.minimum(np.abs(side_c), np.abs(side_d)) > NEAR_M * long_u) & ~apart
        clear &= np.minimum(np.abs(side_a), np.abs(side_b)) > NEAR_M * long_v
        self.bad[self.group[one[pair_l[at_l[~apart & ~clear]]]]] = True
        k = np.flatnonzero(clear)
        turn = side_a[k] - side_b[k]
        t, s = side_a[k] / turn, side_c[k] / (side_c[k] - side_d[k])
        reach = long_u[k] + long_v[k] + np.abs(a[k] - c[k]).sum(axis=1)
        doubt = 1e-9 + 1e-14 * reach * long_u[k] * long_v[k] / np.abs(turn)
        pair = pair_l[at_l[k]]
        return (
            one[pair], two[pair], left[at_l[k]], right[at_r[k]], t, s, a[k] + t[:, None] * u[k], doubt / long_u[k], doubt / long_v[k],
        )  # fmt: skip


def scene(containers: np.ndarray, covers: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], kept: np.ndarray) -> Scene:
    """Every container beside its covers: pairs of (container, cover), sorted, and how many of each are kept."""
    place, cover = pairs
    count = len(containers)
    lines = Outlines(geom.orient(np.r_[containers, covers]))
    size = np.bincount(place, minlength=count) + 1
    start = np.cumsum(size) - size
    group = np.repeat(np.arange(count), size)
    rank = np.arange(len(group)) - start[group]
    poly = np.empty(len(group), dtype=np.int64)
    poly[rank == 0] = np.arange(count)
    poly[rank > 0] = cover + count
    corner = lines.box[:count, :2]
    vertices = lines.first[poly + 1] - lines.first[poly]
    vertex, member = spread(lines.first[poly], vertices)
    row = np.r_[0, np.cumsum(vertices)]
    xy = lines.xy[vertex] - corner[group[member]]
    return Scene(lines, group, poly, rank, start, kept, corner, row, vertex, xy, np.zeros(count, dtype=bool))


def _meeting(
    left: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray], south: np.ndarray, north: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of the two sides of a pair whose boxes meet, by their height in the window of the pair; pairs with too many to look at."""
    (pair_l, box_l), (pair_r, box_r) = left, right
    if not len(pair_l) or not len(pair_r):
        return (np.zeros(0, dtype=int),) * 3
    span = float((north - south).max()) + 1.0
    bottom = np.maximum(box_r[:, 1], south[pair_r]) - south[pair_r]
    tall = np.zeros(len(south))
    np.maximum.at(tall, pair_r, np.minimum(box_r[:, 3], north[pair_r]) - south[pair_r] - bottom)
    key = pair_r * span + bottom
    order = np.argsort(key, kind="stable")
    slack = 2 * NEAR_M + 1e-15 * span * len(south)
    low = np.maximum(box_l[:, 1], south[pair_l]) - south[pair_l] - tall[pair_l] - slack
    high = np.minimum(box_l[:, 3], north[pair_l]) - south[pair_l] + slack
    begin = np.searchsorted(key[order], pair_l * span + np.maximum(low, 0.0))
    end = np.searchsorted(key[order], pair_l * span + high, side="right")
    count = np.maximum(end - begin, 0)
    heavy = np.flatnonzero(total(pair_l, count, len(south)) > HEAVY)
    count[np.isin(pair_l, heavy)] = 0
    found, at_l = spread(begin, count)
    at_r = order[found]
    meet = (pair_l[at_l] == pair_r[at_r]) & (box_l[at_l, :2] <= box_r[at_r, 2:] + NEAR_M).all(axis=1)
    meet &= (box_r[at_r, :2] <= box_l[at_l, 2:] + NEAR_M).all(axis=1)
    return at_l[meet], at_r[meet], heavy


@dataclass
class Events:
    """Where outlines are crossed, in order along all members; `twin` is the same crossing on the other outline."""

    member: np.ndarray
    row: np.ndarray
    share: np.ndarray
    point: np.ndarray
    other: np.ndarray
    twin: np.ndarray


def events(scene: Scene, crossings: tuple[np.ndarray, ...]) -> Events:
    """Every crossing twice, once on each outline, in order along the outlines."""
    one, two, row_l, row_r, t, s, point, doubt_l, doubt_r = crossings
    member, other = np.r_[one, two], np.r_[two, one]
    row, share, doubt = np.r_[row_l, row_r], np.r_[t, s], np.r_[doubt_l, doubt_r]
    order = np.lexsort((share, row))
    count = len(one)
    back = np.empty(2 * count, dtype=np.int64)
    back[order] = np.arange(2 * count)
    twin = back[(order + count) % (2 * count)] if count else order
    close = (np.diff(row[order]) == 0) & (np.diff(share[order]) <= doubt[order][1:] + doubt[order][:-1])
    scene.bad[scene.group[member[order][1:][close]]] = True
    return Events(member[order], row[order], share[order], np.r_[point, point][order], other[order], twin)
