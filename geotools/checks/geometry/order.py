"""TP-13: points entered in the wrong order, and the smallest change of order that mends the polygon.

It proposes, it never applies: which point was meant is known in the field. Not for other faults of a ring.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import shapely

from geotools.checks.geometry.validity import AREAS
from geotools.checks.layers import Data
from geotools.checks.rule import Check, Finding

MOST_POINTS = 80  # beyond this a proposal would be a guess among thousands


def wrong_order(data: Data) -> Iterator[Finding]:
    """TP-13."""
    for layer in data.each(*AREAS):
        rings = layer.rings
        bad_rows = np.flatnonzero(~layer.valid)
        for ring in np.flatnonzero(np.isin(rings.row, bad_rows) & (rings.count >= 4) & (rings.count <= MOST_POINTS)):
            points = rings.xy[rings.start[ring] : rings.start[ring] + rings.count[ring]]
            found = smallest_change(points)
            if found is None:
                continue
            change, first, second, order = found
            mended = shapely.Polygon(points[order])
            yield Finding(
                layer.kind,
                layer.ids[rings.row[ring]],
                "geometry",
                {"first": first, "second": second},
                variant=change,
                value=f"{change} {first} {second}",
                geometry=data.place(mended),
            )


def smallest_change(points: np.ndarray) -> tuple[str, int, int, np.ndarray] | None:
    """The smallest change of order that turns a crossing ring into a valid polygon.

    Tried in turn: two points swapped, one point moved, a run of points turned round. Of the changes of one sort that
    work, the one with the shortest boundary wins: points are walked one after the other.

    Parameters
    ----------
    points
        Ring vertices (n, 2) without the closing one, all different.

    Returns
    -------
    change, first, second, order
        ``swap``, ``move`` or ``turn``; the numbers (from 1) of the points concerned; the new order as positions.
        None if the ring is valid, repeats points, or no such change mends it.

    Examples
    --------
    >>> smallest_change(np.array([[0, 0], [2, 2], [2, 0], [0, 2], [-1, 1]]))[:3]
    ('swap', 2, 3)
    """
    count = len(points)
    if (
        count < 4
        or not (np.abs(points) < 1e12).all()
        or len(np.unique(points, axis=0)) < count
        or shapely.Polygon(points).is_valid
    ):
        return None
    crossing = _crossing_edges(points)
    for change, candidates in (("swap", _swaps), ("move", _moves), ("turn", _turns)):
        first, second, touched = candidates(count)
        # every crossing must lose one of its two edges
        useful = (touched[:, crossing[:, 0]] | touched[:, crossing[:, 1]]).all(axis=1)
        if not useful.any():
            continue
        first, second = first[useful], second[useful]
        orders = np.array([_ORDER[change](count, i, j) for i, j in zip(first, second, strict=True)])
        rings = points[orders]
        closed = np.concatenate([rings, rings[:, :1]], axis=1)
        valid = shapely.is_valid(shapely.polygons(closed))
        if valid.any():
            length = np.hypot(*np.moveaxis(np.diff(closed, axis=1), 2, 0)).sum(axis=1)
            length[~valid] = np.inf
            best = int(np.flatnonzero(length <= length.min() * (1 + 1e-9))[0])
            return change, int(first[best]) + 1, int(second[best]) + 1, orders[best]
    return None


def _crossing_edges(points: np.ndarray) -> np.ndarray:
    """Pairs of edges (numbered by their first point) that are not neighbours and yet meet."""
    count = len(points)
    i, j = np.triu_indices(count, 2)
    apart = ~((i == 0) & (j == count - 1))
    i, j = i[apart], j[apart]
    a, b, c, d = points[i], points[(i + 1) % count], points[j], points[(j + 1) % count]

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        return np.asarray(
            np.sign((q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0]))
        )

    boxes = (np.minimum(a, b) <= np.maximum(c, d)).all(axis=1) & (np.minimum(c, d) <= np.maximum(a, b)).all(axis=1)
    meet = boxes & (side(a, b, c) * side(a, b, d) <= 0) & (side(c, d, a) * side(c, d, b) <= 0)
    return np.column_stack([i[meet], j[meet]])


def _touched(count: int, *edges: np.ndarray) -> np.ndarray:
    out = np.zeros((len(edges[0]), count), dtype=bool)
    for edge in edges:
        out[np.arange(len(edge)), edge % count] = True
    return out


@lru_cache(maxsize=MOST_POINTS)
def _swaps(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    i, j = np.triu_indices(count, 1)
    near = np.lexsort((i, np.minimum(j - i, count - j + i)))  # neighbours first: the usual slip
    i, j = i[near], j[near]
    return i, j, _touched(count, i - 1, i, j - 1, j)


@lru_cache(maxsize=MOST_POINTS)
def _moves(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Point i goes to directly after point j."""
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
    real = (j != i) & (j != (i - 1) % count)
    i, j = i[real], j[real]
    return i, j, _touched(count, i - 1, i, j)


@lru_cache(maxsize=MOST_POINTS)
def _turns(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    i, j = np.triu_indices(count, 2)
    return i, j, _touched(count, i - 1, j)


def _swap_order(count: int, i: int, j: int) -> np.ndarray:
    order = np.arange(count)
    order[[i, j]] = order[[j, i]]
    return order


def _move_order(count: int, i: int, j: int) -> np.ndarray:
    rest = np.delete(np.arange(count), i)
    return np.insert(rest, int(np.flatnonzero(rest == j)[0]) + 1, i)


def _turn_order(count: int, i: int, j: int) -> np.ndarray:
    order = np.arange(count)
    order[i : j + 1] = order[i : j + 1][::-1]
    return order


_ORDER = {"swap": _swap_order, "move": _move_order, "turn": _turn_order}

RULES = (Check("TP-13", wrong_order, AREAS, "error"),)
