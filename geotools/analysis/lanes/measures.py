"""Coverage, overlap and route length of swaths laid on a field.

For any set of lane polygons, ours or others'; true unions, not pairs.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry


def coverage(lanes: Any, field: BaseGeometry) -> float:
    """Share of the field under at least one lane, 0-1 (plane of the coordinates).

    Examples
    --------
    >>> field = shapely.box(0, 0, 4, 4)
    >>> coverage([shapely.box(0, 0, 4, 2), shapely.box(0, 1, 4, 3)], field)
    0.75
    """
    shapes = np.asarray(list(lanes), dtype=object)
    return float(shapely.union_all(shapely.intersection(shapes, field)).area / field.area) if len(shapes) else 0.0


def overlap(lanes: Any, field: BaseGeometry) -> float:
    """Share of the field under two or more lanes, 0-1: every overlap counts, each piece of ground once.

    Examples
    --------
    >>> field = shapely.box(0, 0, 4, 4)
    >>> overlap([shapely.box(0, 0, 4, 2), shapely.box(0, 1, 4, 3)], field)
    0.25
    """
    shapes = shapely.intersection(np.asarray(list(lanes), dtype=object), field)
    if len(shapes) < 2:
        return 0.0
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    pair = first < second
    twice = shapely.intersection(shapes[first[pair]], shapes[second[pair]])
    return float(shapely.union_all(twice).area / field.area)


def route_length_m(lines: Any) -> float:
    """Length of lines in the order given plus the straight ways between them.

    Examples
    --------
    >>> route_length_m([shapely.LineString([(0, 1), (4, 1)]), shapely.LineString([(4, 3), (0, 3)])])
    10.0
    """
    shapes = list(lines)
    ends = [(shapely.get_coordinates(s)[0], shapely.get_coordinates(s)[-1]) for s in shapes]
    ways = sum(float(np.hypot(*(b[0] - a[1]))) for a, b in pairwise(ends))
    return float(sum(s.length for s in shapes)) + ways
