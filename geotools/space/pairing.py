"""Pair the points of two sets within a reach: as many pairs as possible, and of those the nearest.

For marks and targets, finds and recorded positions; not for deciding what a pair means.
"""

from __future__ import annotations

import numpy as np


def pair(first: np.ndarray, second: np.ndarray, reach: float) -> np.ndarray:
    """Maximum-cardinality, then minimum-total-distance pairing of two point sets.

    Parameters
    ----------
    first, second
        Arrays of shape (n, 2) and (m, 2), metres on a plane.
    reach
        Greatest distance of a pair in metres (inclusive).

    Returns
    -------
    numpy.ndarray
        Integer array of shape (pairs, 2): index in `first`, index in `second`; sorted by the first.
        Every index occurs at most once.

    Examples
    --------
    >>> pair(np.array([[0.0, 0], [1, 0]]), np.array([[0.9, 0.0], [1.8, 0]]), 1.0).tolist()
    [[0, 0], [1, 1]]
    """
    rows, columns, distance = _within(np.asarray(first, float), np.asarray(second, float), reach)
    if not len(rows):
        return np.empty((0, 2), dtype=int)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = len(first) + len(second)
    graph = coo_array((np.ones(len(rows)), (rows, columns + len(first))), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    group = label[rows]
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    found = [_assign(rows[part], columns[part], distance[part], reach) for part in np.split(order, cuts)]
    pairs = np.concatenate(found)
    return pairs[np.argsort(pairs[:, 0], kind="stable")]


def _within(first: np.ndarray, second: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not len(first) or not len(second):
        return np.empty(0, int), np.empty(0, int), np.empty(0)
    from scipy.spatial import cKDTree

    near = cKDTree(second).query_ball_point(first, reach * (1 + 1e-12) + 1e-9)
    rows = np.repeat(np.arange(len(first)), [len(n) for n in near])
    columns = np.array([c for n in near for c in sorted(n)], dtype=int)
    distance = np.hypot(*(first[rows] - second[columns]).T) if len(rows) else np.empty(0)
    return rows, columns, distance


def _assign(rows: np.ndarray, columns: np.ndarray, distance: np.ndarray, reach: float) -> np.ndarray:
    if len(rows) == 1:
        return np.array([[rows[0], columns[0]]])
    from scipy.optimize import linear_sum_assignment

    left, i = np.unique(rows, return_inverse=True)
    right, j = np.unique(columns, return_inverse=True)
    # one pair outside the reach costs more than all pairs inside it, so the number of pairs comes first
    outside = (reach + 1.0) * (min(len(left), len(right)) + 1)
    cost = np.full((len(left), len(right)), outside)
    cost[i, j] = distance
    a, b = linear_sum_assignment(cost)
    inside = cost[a, b] < outside
    return np.column_stack([left[a[inside]], right[b[inside]]])
