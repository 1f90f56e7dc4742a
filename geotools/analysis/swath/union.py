"""Unions of many swaths, whole or tile by tile, always from the same order.

For the ground that passes share; not for what it means (see `cover`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

EMPTY = shapely.Polygon()
WHOLE = 4000  # so many swaths are joined in one go; more are joined in tiles


def polygons(geometry: BaseGeometry) -> BaseGeometry:
    """Only the polygon parts of a geometry, without re-joining them."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in ("Polygon", "MultiPolygon") and not part.is_empty]
    return shapely.MultiPolygon(list(shapely.get_parts(parts))) if parts else EMPTY


def joined(shapes: np.ndarray) -> BaseGeometry:
    """Union of polygons; an empty polygon for none."""
    return polygons(shapely.union_all(shapes)) if len(shapes) else EMPTY


def overlaps(shapes: np.ndarray, trips: np.ndarray) -> BaseGeometry:
    """Ground under at least two different trips: the union of all pairwise intersections."""
    if len(shapes) < 2:
        return EMPTY
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = (left < right) & (trips[left] != trips[right])
    return joined(shapely.intersection(shapes[left[pair]], shapes[right[pair]]))


def tiles(shapes: np.ndarray, tile_m: float, *, force: bool = False) -> Iterator[tuple[BaseGeometry | None, np.ndarray]]:
    """Boxes of a lattice fixed to the plane with the positions of the shapes that reach into each, or one None box for few shapes."""
    if not len(shapes):
        return
    if len(shapes) <= WHOLE and not force:
        yield None, np.arange(len(shapes))
        return
    tree = shapely.STRtree(shapes)
    west, south, east, north = shapely.total_bounds(shapes)
    for column in range(int(np.floor(west / tile_m)), int(np.floor(east / tile_m)) + 1):
        for row in range(int(np.floor(south / tile_m)), int(np.floor(north / tile_m)) + 1):
            box = shapely.box(column * tile_m, row * tile_m, (column + 1) * tile_m, (row + 1) * tile_m)
            inside = np.sort(tree.query(box, predicate="intersects"))
            if len(inside):
                yield box, inside


def clipped(shapes: np.ndarray, box: BaseGeometry | None) -> np.ndarray:
    """Shapes cut to a tile; as they are without one."""
    return shapes if box is None else shapely.intersection(shapes, box)
