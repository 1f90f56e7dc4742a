"""Ground in whole grid squares: never smaller than a hazard, never larger than released land.

For what a public file may say of unreleased ground; squares are those of MGRS (UTM zone of the shape). Not for measuring.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geotools.model.errors import SchemaError
from geotools.space import crs as _crs
from geotools.space import geom

SIDES_M = (10.0, 100.0, 1000.0, 10_000.0)  # squares that an MGRS reference of 8, 6, 4 or 2 digits names
MOST = 4_000_000
MARGIN_M = 1.0
EARTH_M = 6_371_000.0


def covering(shapes: Any, side_m: float) -> np.ndarray:
    """Each shape as the union of all squares that it touches, in WGS 84; it lies wholly inside, by a metre at least.

    Parameters
    ----------
    shapes
        Geometries of any sort in WGS 84 longitude and latitude; None and empty stay None.
    side_m
        Side of a square in metres, one of `SIDES_M`.

    Raises
    ------
    SchemaError
        If the side is not that of an MGRS square, or a shape needs millions of squares.

    Examples
    --------
    >>> spot = covering([shapely.Point(47.14, 39.6)], 100.0)[0]
    >>> spot.contains(shapely.Point(47.14, 39.6)), round(abs(_crs.GEOD.geometry_area_perimeter(spot)[0]) / 10_000, 2)
    (True, 1.0)
    """
    return np.array([_squares(shape, _checked(side_m), inside=False) for shape in shapes] or [], dtype=object)


def inside(shapes: Any, side_m: float) -> np.ndarray:
    """Each area as the union of all squares that lie wholly inside it, in WGS 84; None where there is none."""
    return np.array([_squares(shape, _checked(side_m), inside=True) for shape in shapes] or [], dtype=object)


def _checked(side_m: float) -> float:
    if float(side_m) not in SIDES_M:
        raise SchemaError(
            f"{side_m:g} m is not the side of an MGRS square",
            hint="public_grid_m and unsafe_grid_m are 10, 100, 1000 or 10000 (metres)",
        )
    return float(side_m)


def _squares(shape: Any, side: float, *, inside: bool) -> Any:
    if shape is None or shape.is_empty:
        return None
    whole = shape
    if shape.geom_type.endswith("Polygon") and not shape.is_valid:
        sound = geom.repair(shape)
        # Covering an invalid outline means covering its lines as well: nothing of it is lost by repairing.
        whole = sound if inside else shapely.GeometryCollection([p for p in (sound, *_rings(shape)) if not p.is_empty])
        if whole.is_empty:
            return None
    west, south, east, north = whole.bounds
    plane = _crs.utm((west + east) / 2, (south + north) / 2)
    dense = _crs.densify(np.array([whole], dtype=object), 100.0)
    flat = shapely.force_2d(_crs.transform(dense, _crs.WGS84, plane)[0])
    margin = MARGIN_M + _bow(whole)
    # An edge may be read as straight in degrees or as the shortest line on the ground: both stay on the safe side.
    grown = shapely.buffer(flat, -margin if inside else margin, quad_segs=2)
    if grown.is_empty:
        return None
    chosen = _touched(grown, side, inside=inside)
    if not len(chosen):
        return None
    joined = shapely.segmentize(shapely.union_all(chosen), side)
    return shapely.transform(_crs.transform([joined], plane, _crs.WGS84)[0], lambda xy: np.round(xy, 7))


def _rings(shape: Any) -> list[Any]:
    return [
        shapely.LineString(r.coords)
        for p in shapely.get_parts(shape)
        for r in (p.exterior, *p.interiors)
        if not r.is_empty
    ]


def _bow(shape: Any) -> float:
    """How far a straight line in degrees can lie from the shortest line on the ground, for the longest edge, in metres."""
    xy, owner = shapely.get_coordinates(shape, return_index=True)
    if len(xy) < 2:
        return 0.0
    *_, length = _crs.GEOD.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    length = np.where(owner[1:] == owner[:-1], length, 0.0)
    slope = np.tan(np.radians(np.minimum(np.abs(xy[:, 1]).max(), 85.0)))
    return float(length.max() ** 2 * slope / (4 * EARTH_M))


def _touched(shape: Any, side: float, *, inside: bool) -> np.ndarray:
    """Squares of the grid that the shape touches, or that lie inside it; large blocks are decided as one."""
    west, south, east, north = np.asarray(shape.bounds) / side
    column, row = int(np.floor(west)), int(np.floor(south))
    count = max(int(np.ceil(east)) - column, int(np.ceil(north)) - row, 1)
    size = 1 << int(np.ceil(np.log2(count)))
    blocks = np.array([(column, row)], dtype=float)
    done = []
    shapely.prepare(shape)
    while len(blocks):
        if len(blocks) > MOST:
            raise SchemaError("an area holds millions of squares", hint="use coarser squares (public_grid_m)")
        boxes = np.atleast_1d(np.asarray(shapely.box(*(blocks * side).T, *((blocks + size) * side).T), dtype=object))
        whole = shapely.contains(shape, boxes)
        done.append(boxes[whole])
        part = shapely.intersects(shape, boxes) & ~whole
        if size == 1:
            if not inside:
                done.append(boxes[part])
            break
        size //= 2
        blocks = np.concatenate([blocks[part] + (dx * size, dy * size) for dx in (0, 1) for dy in (0, 1)])
    return np.concatenate(done)
