"""Invalid polygons as they occur in real files, each kind made on purpose.

For planting only. Every function takes a valid polygon and returns an invalid one.
"""

from __future__ import annotations

import numpy as np
import shapely

from synthetic.plane import pick


def _ring(polygon) -> list[tuple[float, float]]:
    return [tuple(p) for p in np.round(shapely.get_coordinates(polygon.exterior), 3)[:-1]]


def _longest(points: list) -> int:
    return int(
        np.argmax([np.hypot(*np.subtract(points[(i + 1) % len(points)], points[i])) for i in range(len(points))])
    )


def bow_tie(polygon):
    """Two neighbouring corners entered in the wrong order."""
    points = list(np.round(shapely.get_coordinates(polygon.minimum_rotated_rectangle.exterior)[:-1], 3))
    return shapely.Polygon([points[0], points[2], points[1], points[3]])


def small_loop(polygon):
    """A crossing loop of a few metres on the longest edge: a vertex digitised backwards."""
    points = _ring(polygon)
    i = _longest(points)
    a, b = np.array(points[i]), np.array(points[(i + 1) % len(points)])
    along = (b - a) / np.hypot(*(b - a))
    across = np.array([-along[1], along[0]])
    middle = (a + b) / 2
    loop = [middle + u * along + v * across for u, v in ((-3, 0), (2, 3), (-2, 3), (3, 0))]
    return shapely.Polygon([*points[: i + 1], *[tuple(np.round(p, 3)) for p in loop], *points[i + 1 :]])


def spike(polygon):
    """A spike without width: out and back along the same line."""
    points = _ring(polygon)
    i = _longest(points)
    a, b = np.array(points[i]), np.array(points[(i + 1) % len(points)])
    along = (b - a) / np.hypot(*(b - a))
    foot = np.round((a + b) / 2, 3)
    tip = np.round(foot + 12 * np.array([along[1], -along[0]]), 3)
    return shapely.Polygon([*points[: i + 1], tuple(foot), tuple(tip), tuple(foot), *points[i + 1 :]])


def hole_outside(polygon):
    """A hole that lies outside the area."""
    x, y = polygon.bounds[2] + 15, polygon.bounds[3] + 15
    return shapely.Polygon(polygon.exterior, [[(x, y), (x + 8, y), (x + 8, y + 6), (x, y + 6)]])


def repeated_hole(polygon):
    """The same hole recorded twice."""
    x, y = np.round(shapely.get_coordinates(polygon.representative_point())[0], 3)
    hole = [(x, y), (x + 2, y), (x + 2, y + 2), (x, y + 2)]
    return shapely.Polygon(polygon.exterior, [hole, hole])


def two_points(polygon):
    """Only two different corners."""
    points = _ring(polygon)
    return shapely.Polygon([points[0], points[1], points[0], points[0]])


KINDS = {f.__name__: f for f in (small_loop, spike, bow_tie, hole_outside, repeated_hole, two_points)}
SINGLE_RING = ("small_loop", "spike", "bow_tie")


def corrupt(stream, rows: list[dict], kinds: tuple[str, ...], count: int) -> list[dict]:
    """Give `count` of the rows an invalid `drawn` geometry; say which, of which kind, and the area meant."""
    able = [
        r for r in rows if r["ground"] is not None and r["ground"].geom_type == "Polygon" and not r.get("keep_valid")
    ]
    out = []
    for number, index in enumerate(stream.permutation(len(able))[:count]):
        row = able[index]
        kind = kinds[number % len(kinds)] if number < len(kinds) else pick(stream, kinds[:2])
        row["drawn"] = KINDS[kind](row["ground"])
        row["invalid"] = kind
        assert not row["drawn"].is_valid, (row["id"], kind)
        out.append({"id": row["id"], "kind": kind, "ground": row["ground"]})
    return out
