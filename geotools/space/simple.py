"""The compiled test of outlines: which rings certainly neither cross nor touch themselves, and how two edges lie.

For telling clean polygons from those that need a closer look (`geom.valid`); it never calls a polygon invalid. Needs numba
(extra ``fast``). Source of the certainty: error bounds of orientation, Shewchuk (1997).
"""

# mypy: ignore-errors
# (numba infers the types when it compiles)

from __future__ import annotations

import numba
import numpy as np

SIMPLE = 1e-9  # edges of one outline farther apart than this, in units of the coordinates, are certainly apart


def jit(function):
    """Compile, and keep the result on disk where there is a place to keep it."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder can be written
        return numba.njit(nogil=True, error_model="numpy")(function)


@jit
def meet(ax, ay, bx, by, cx, cy, dx, dy, near):
    """How two edges a–b and c–d lie: 0 certainly apart, 1 crossing at a clear angle, 2 neither is certain."""
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    c = ux * (cy - ay) - uy * (cx - ax)
    d = ux * (dy - ay) - uy * (dx - ax)
    least = near * (abs(ux) + abs(uy))
    if (c > least and d > least) or (c < -least and d < -least):
        return 0
    a = vx * (ay - cy) - vy * (ax - cx)
    b = vx * (by - cy) - vy * (bx - cx)
    other = near * (abs(vx) + abs(vy))
    if (a > other and b > other) or (a < -other and b < -other):
        return 0
    if abs(a) > other and abs(b) > other and abs(c) > least and abs(d) > least:
        return 1
    return 2


@jit
def simple(xy, last, first, ring_first):
    """Which polygons are one ring that certainly neither crosses nor touches itself.

    Parameters
    ----------
    xy, last
        Vertices, and which of them closes a ring.
    first
        First vertex of each polygon.
    ring_first
        First ring of each polygon.
    """
    count = first.size - 1
    sure = np.zeros(count, np.bool_)
    for p in range(count):
        if ring_first[p + 1] - ring_first[p] == 1:
            sure[p] = _is_simple(xy, last, first[p], first[p + 1])
    return sure


@jit
def _is_simple(xy, last, start, stop):
    most = stop - start
    edge = np.empty((most, 4), np.float64)
    box = np.empty((most, 4), np.float64)
    n = 0
    ox, oy = xy[start, 0], xy[start, 1]
    for v in range(start, stop - 1):
        ax, ay, bx, by = xy[v, 0] - ox, xy[v, 1] - oy, xy[v + 1, 0] - ox, xy[v + 1, 1] - oy
        if ax == bx and ay == by:
            continue
        if not (np.isfinite(ax) and np.isfinite(ay) and np.isfinite(bx) and np.isfinite(by)):
            return False
        edge[n, 0], edge[n, 1], edge[n, 2], edge[n, 3] = ax, ay, bx, by
        box[n, 0], box[n, 1] = min(ax, bx) - SIMPLE, min(ay, by) - SIMPLE
        box[n, 2], box[n, 3] = max(ax, bx), max(ay, by)
        n += 1
    if n < 3:
        return False
    order = np.argsort(box[:n, 1])
    for i in range(n):  # neighbours must not fold back
        j = i + 1 if i + 1 < n else 0
        ux, uy, vx, vy = (
            edge[i, 2] - edge[i, 0],
            edge[i, 3] - edge[i, 1],
            edge[j, 2] - edge[j, 0],
            edge[j, 3] - edge[j, 1],
        )
        if ux * vx + uy * vy <= 0 and abs(ux * vy - uy * vx) <= SIMPLE * (abs(ux) + abs(uy) + abs(vx) + abs(vy)):
            return False
    for k in range(n):
        i = order[k]
        for m in range(k + 1, n):
            j = order[m]
            if box[j, 1] > box[i, 3]:
                break
            if box[j, 0] > box[i, 2] or box[i, 0] > box[j, 2]:
                continue
            gap = i - j if i > j else j - i
            if gap == 1 or gap == n - 1:
                continue
            if (
                meet(
                    edge[i, 0],
                    edge[i, 1],
                    edge[i, 2],
                    edge[i, 3],
                    edge[j, 0],
                    edge[j, 1],
                    edge[j, 2],
                    edge[j, 3],
                    SIMPLE,
                )
                != 0
            ):
                return False
    return True


@jit
def signs(xy, ring_start, shell):
    """+1 for rings whose order of vertices is that of their area (shells counter-clockwise, holes clockwise), else −1."""
    out = np.ones(shell.size, np.float64)
    for r in range(shell.size):
        a, b = ring_start[r], ring_start[r + 1]
        area = 0.0
        for v in range(a, b - 1):
            x, y = xy[v, 0] - xy[a, 0], xy[v, 1] - xy[a, 1]
            area += x * (xy[v + 1, 1] - xy[a, 1]) - (xy[v + 1, 0] - xy[a, 0]) * y
        if (area > 0) != shell[r]:
            out[r] = -1.0
    return out
