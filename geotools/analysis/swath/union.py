"""Unions of many swaths, whole or tile by tile, always from the same order.

For the ground that passes share; not for what it means (see `cover`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

EMPTY = shapely.Polygon()
LAYERS = 5
TILE_M = 100.0
WHOLE = 8000  # so many swaths are joined in one go; more are joined in tiles


def polygons(geometry: BaseGeometry) -> BaseGeometry:
    """Only the polygon parts of a geometry, without re-joining them."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = [
        part
        for part in shapely.get_parts(geometry)
        if part.geom_type in ("Polygon", "MultiPolygon") and not part.is_empty
    ]
    return shapely.MultiPolygon(list(shapely.get_parts(parts))) if parts else EMPTY


def joined(shapes: np.ndarray) -> BaseGeometry:
    """Union of polygons; an empty polygon for none."""
    if len(shapes) < 2:
        return polygons(shapes[0]) if len(shapes) else EMPTY
    return polygons(shapely.union_all(shapes))


def overlaps(shapes: np.ndarray, trips: np.ndarray) -> BaseGeometry:
    """Ground under at least two different trips."""
    if len(shapes) < 2:
        return EMPTY
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = (left < right) & (trips[left] != trips[right])
    left, right = left[pair], right[pair]
    if not len(left):
        return EMPTY
    layer = _layers(left, right, trips)
    if layer.max() < LAYERS:
        sheets = [_sheet(shapes[layer == k], trips[layer == k]) for k in range(layer.max() + 1)]
        twice = [shapely.intersection(a, b) for k, a in enumerate(sheets) for b in sheets[k + 1 :]]
        return joined(np.array([polygons(shape) for shape in twice], dtype=object))
    return joined(shapely.intersection(shapes[left], shapes[right]))


def _sheet(shapes: np.ndarray, trips: np.ndarray) -> BaseGeometry:
    """Shapes of trips that do not meet as one geometry, without an overlay; only parts of one trip are joined."""
    _, first, size = np.unique(trips, return_index=True, return_counts=True)
    alone = shapes[first[size == 1]]
    parts = [joined(shapes[trips == trips[i]]) for i in first[size > 1]]
    flat = shapely.get_parts(np.array([*alone, *parts], dtype=object))
    return shapely.MultiPolygon(list(flat[shapely.get_type_id(flat) == 3]))


def _layers(left: np.ndarray, right: np.ndarray, trips: np.ndarray) -> np.ndarray:
    """Sheets such that no two trips of one sheet meet (greedy colouring, in order): lanes need two, so few overlays do for many."""
    meets: dict[int, set[int]] = {}
    for a, b in zip(trips[left].tolist(), trips[right].tolist(), strict=True):
        meets.setdefault(a, set()).add(b)
        meets.setdefault(b, set()).add(a)
    sheet: dict[int, int] = {}
    for trip in np.unique(trips).tolist():
        taken = {sheet[other] for other in meets.get(trip, ()) if other in sheet}
        sheet[trip] = next(k for k in range(len(taken) + 1) if k not in taken)
    return np.array([sheet[trip] for trip in trips.tolist()])


def tiles(
    shapes: np.ndarray, tile_m: float, *, force: bool = False
) -> Iterator[tuple[BaseGeometry, np.ndarray]] | None:
    """Boxes of a lattice fixed to the plane with the positions of the shapes that reach into each; None for few shapes."""
    if not len(shapes) or (len(shapes) <= WHOLE and not force):
        return None
    return _boxes(shapes, tile_m)


def _boxes(shapes: np.ndarray, tile_m: float) -> Iterator[tuple[BaseGeometry, np.ndarray]]:
    tree = shapely.STRtree(shapes)
    west, south, east, north = shapely.total_bounds(shapes)
    for column in range(int(np.floor(west / tile_m)), int(np.floor(east / tile_m)) + 1):
        for row in range(int(np.floor(south / tile_m)), int(np.floor(north / tile_m)) + 1):
            box = shapely.box(column * tile_m, row * tile_m, (column + 1) * tile_m, (row + 1) * tile_m)
            inside = np.sort(tree.query(box, predicate="intersects"))
            if len(inside):
                yield box, inside
