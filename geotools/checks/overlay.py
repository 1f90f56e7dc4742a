"""Intersection, union and difference that do not give up: a pair GEOS refuses is computed on a fine grid. Not a policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from geotools.space import geom

GRIDS_M = (1e-4, 1e-2)  # tried in turn, metres


def _robust(operation: Callable[..., Any], first: Any, second: Any) -> Any:
    try:
        return operation(first, second)
    except shapely.errors.GEOSException:
        pass
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        a, b = np.broadcast_arrays(np.asarray(first, dtype=object), np.asarray(second, dtype=object))
        return np.array([*(_robust(operation, x, y) for x, y in zip(a, b, strict=True)), None], dtype=object)[:-1]
    for grid in GRIDS_M[:-1]:
        try:
            return operation(first, second, grid_size=grid)
        except shapely.errors.GEOSException:
            continue
    coarse = GRIDS_M[-1]
    a, b = (shapely.set_precision(_clean(shape), coarse) for shape in (first, second))
    return operation(a, b, grid_size=coarse)


def _clean(shape: Any) -> Any:
    return geom.repair(shape) if shape.geom_type in ("Polygon", "MultiPolygon", "GeometryCollection") else shape


def intersection(first: Any, second: Any) -> Any:
    """Common ground of two geometries or arrays of them.

    Examples
    --------
    >>> intersection(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)).area
    1.0
    """
    return _robust(shapely.intersection, first, second)


def union(first: Any, second: Any) -> Any:
    """Ground of either."""
    return _robust(shapely.union, first, second)


def difference(first: Any, second: Any) -> Any:
    """Ground of the first that the second does not have."""
    return _robust(shapely.difference, first, second)
