"""Polygons from closed rings: which are shells, and which hole belongs to which.

For the engines, which find the rings of remaining ground.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

SMALL_M2 = 1e-6  # rings smaller than this are not kept


def polygons(xy: np.ndarray, sizes: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """Polygons from closed rings: counter-clockwise ones are shells, clockwise ones holes of the smallest shell around them."""
    out = np.full(count, shapely.Polygon(), dtype=object)
    if not len(owner):
        return out
    rings: Any = shapely.linearrings(xy, indices=np.repeat(np.arange(len(owner)), sizes[:, 0].astype(int)))
    hole = sizes[:, 1] < 0
    holed = np.zeros(count, dtype=bool)
    holed[owner[hole]] = True
    simple = ~hole & ~holed[owner]
    parts: Any = shapely.polygons(rings[simple])
    group = owner[simple]
    many = np.bincount(group, minlength=count)
    one = many[group] == 1
    out[group[one]] = parts[one]
    if not one.all():
        numbers, index = np.unique(group[~one], return_inverse=True)
        out[numbers] = shapely.multipolygons(parts[~one], indices=index)
    starts = np.searchsorted(owner, np.flatnonzero(holed), side="left")
    stops = np.searchsorted(owner, np.flatnonzero(holed), side="right")
    for number, start, stop in zip(np.flatnonzero(holed), starts, stops, strict=True):
        out[number] = _with_holes(rings[start:stop], sizes[start:stop, 1])
    return out


def _with_holes(rings: np.ndarray, area: np.ndarray) -> Any:
    shells, holes = rings[area > 0], rings[area < 0]
    order = np.argsort(area[area > 0], kind="stable")
    solid: Any = shapely.polygons(shells[order])
    mine: list[list[Any]] = [[] for _ in order]
    if len(order) == 1:
        mine[0] = list(holes)
    else:
        shapely.prepare(solid)
        inner: Any = shapely.point_on_surface(shapely.polygons(holes))
        for ring, point in zip(holes, inner, strict=True):
            around = np.flatnonzero(shapely.contains(solid, point))
            if len(around):
                mine[around[0]].append(ring)
    parts = [shapely.Polygon(shells[n], found) for n, found in zip(order, mine, strict=True)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
