"""Validity, repair and orientation of polygons.

For making geometry usable without changing what it says; not for deciding which record is right (see `checks`).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.model.parallel import map_here, workers

POLYGONAL = (3, 6)  # shapely type ids of Polygon and MultiPolygon
MANY = 500  # geometries from which looking through their outlines first pays


def valid(geometries: Any) -> np.ndarray:
    """Which geometries are valid: the answer of `shapely.is_valid`, missing ones are not.

    Where the compiled test of outlines is loaded already, clean polygons are told by it, several times faster, and GEOS
    looks only at the others.

    Examples
    --------
    >>> valid([shapely.box(0, 0, 1, 1), shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), None]).tolist()
    [True, False, False]
    """
    array = np.asarray(geometries, dtype=object)
    if len(array) < MANY or "geotools.space.simple" not in sys.modules:
        return np.asarray(shapely.is_valid(array))
    parts = np.array_split(array, min(workers(), len(array) // MANY))
    return np.concatenate(map_here(_valid, parts))


def _valid(array: np.ndarray) -> np.ndarray:
    from geotools.space.outlines import Outlines

    found = np.zeros(len(array), dtype=bool)
    areas = np.isin(shapely.get_type_id(array), POLYGONAL)
    found[areas] = Outlines(array[areas]).clean
    rest = ~found
    found[rest] = shapely.is_valid(array[rest])
    return found


def repair(geometry: Any) -> Any:
    """A valid polygon (or multipolygon) with the same ground as an invalid one.

    Valid input comes back unchanged. Crossing rings are split, repeated rings and spikes dropped; lower-dimensional
    left-overs are not kept. A geometry of which no area remains becomes an empty polygon.

    Parameters
    ----------
    geometry
        One shapely geometry, or an array of them; None stays None.

    Examples
    --------
    >>> bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    >>> repair(bow).is_valid, repair(bow).area
    (True, 2.0)
    """
    single = geometry is None or isinstance(geometry, BaseGeometry)
    array = np.array([geometry], dtype=object) if single else np.asarray(geometry, dtype=object).copy()
    area_like = np.isin(shapely.get_type_id(array), (*POLYGONAL, 7))
    bad = area_like & ~valid(array)
    with np.errstate(over="ignore", invalid="ignore"):  # a damaged corner may lie at 1e300; what comes of it is valid
        if bad.any():
            array[bad] = _mended(array[bad])
        mixed = shapely.get_type_id(array) == 7
        if mixed.any():
            array[mixed] = polygonal(array[mixed])
    return array[0] if single else array


def _mended(shapes: np.ndarray) -> np.ndarray:
    """Valid areas. Where rings run over each other, GEOS may hand back something that is not: that is mended again."""
    out = polygonal(shapely.make_valid(shapes, method="structure", keep_collapsed=False))
    for method in ({"method": "structure", "keep_collapsed": False}, {"method": "linework"}):
        left = ~shapely.is_valid(out)
        if not left.any():
            return out
        out[left] = polygonal(shapely.make_valid(out[left], **method))  # type: ignore[arg-type]
    left = ~shapely.is_valid(out)
    if left.any():
        out[left] = polygonal(shapely.buffer(out[left], 0))
    return out


def polygonal(geometries: Any) -> np.ndarray:
    """Only the polygon parts of each geometry, joined; an empty polygon where there are none.

    Examples
    --------
    >>> mixed = shapely.from_wkt("GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 1 1, 0 0)))")
    >>> polygonal([mixed])[0].geom_type
    'Polygon'
    """
    array = np.asarray(geometries, dtype=object).copy()
    for index in np.flatnonzero(~np.isin(shapely.get_type_id(array), POLYGONAL) & ~shapely.is_missing(array)):
        parts = [p for p in _flat(array[index]) if p.geom_type == "Polygon" and not p.is_empty]
        if not parts:
            array[index] = shapely.Polygon()
        elif len(parts) == 1:
            array[index] = parts[0]
        else:
            joined: BaseGeometry = shapely.multipolygons(np.asarray(parts, dtype=object))  # type: ignore[assignment]
            array[index] = joined if joined.is_valid else shapely.union_all(parts)
    return array


def _flat(geometry: BaseGeometry) -> list[BaseGeometry]:
    return [leaf for part in geometry.geoms for leaf in _flat(part)] if hasattr(geometry, "geoms") else [geometry]


def why_invalid(geometry: BaseGeometry) -> tuple[str, shapely.Point | None]:
    """In plain words why a polygon is invalid, and where.

    Returns
    -------
    reason, place
        An empty reason and None for a valid geometry.

    Examples
    --------
    >>> why_invalid(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
    ('the boundary crosses itself', <POINT (1 1)>)
    """
    text = shapely.is_valid_reason(geometry)
    if text == "Valid Geometry":
        return "", None
    reason, _, place = text.partition("[")
    plain = next((words for start, words in _REASONS if reason.strip().startswith(start)), reason.strip().lower())
    numbers = place.rstrip("]").split()
    try:
        where = shapely.Point(float(numbers[0]), float(numbers[1]))
    except (IndexError, ValueError):
        where = None
    return plain, where if where is not None and np.isfinite([where.x, where.y]).all() else None


_REASONS = (
    ("Self-intersection", "the boundary crosses itself"),
    ("Ring Self-intersection", "the boundary touches itself"),
    ("Hole lies outside shell", "a hole lies outside the area"),
    ("Holes are nested", "one hole lies inside another"),
    ("Nested shells", "one part lies inside another"),
    ("Interior is disconnected", "holes cut the area into pieces"),
    ("Duplicate Rings", "the same ring is there twice"),
    ("Too few points", "the boundary has fewer than three different points"),
    ("Invalid Coordinate", "a coordinate is not a number"),
)


def orient(geometries: Any) -> np.ndarray:
    """Outer rings counter-clockwise, holes clockwise (RFC 7946).

    Examples
    --------
    >>> orient([shapely.Polygon([(0, 0), (0, 1), (1, 0)])])[0].exterior.is_ccw
    True
    """
    return shapely.orient_polygons(np.asarray(geometries, dtype=object), exterior_cw=False)
