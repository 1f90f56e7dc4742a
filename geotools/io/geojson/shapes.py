"""Geometry objects of GeoJSON to shapely, understood kindly. Not for features around them (see `parse`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

TYPES = {
    name.casefold(): name
    for name in (
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
    )
}


class OddError(ValueError):
    """A geometry that cannot be used, with the reason in plain words."""


def shape(raw: Any, remarks: dict[str, None]) -> BaseGeometry:
    """A shapely geometry from a GeoJSON geometry object; what had to be understood kindly goes into `remarks`."""
    if not isinstance(raw, dict):
        raise OddError("its geometry is not an object")
    given = str(raw.get("type", ""))
    kind = TYPES.get(given.casefold())
    if kind is None:
        raise OddError(f"its geometry type '{given[:40]}' does not exist" if given else "its geometry has no type")
    if kind != given:
        remarks[f"its geometry type '{given}' should be written '{kind}'; it was read"] = None
    if kind == "GeometryCollection":
        members = raw.get("geometries")
        if not isinstance(members, list):
            raise OddError("its GeometryCollection has no list of geometries")
        return shapely.GeometryCollection([shape(member, remarks) for member in members if member is not None])
    if "coordinates" not in raw:
        raise OddError("its geometry has no coordinates")
    coordinates = raw["coordinates"]
    if not isinstance(coordinates, list):
        raise OddError("its coordinates are not a list")
    if not coordinates:
        return getattr(shapely, kind)()
    try:
        with np.errstate(invalid="ignore"):
            return _made(kind, coordinates, remarks)
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        if isinstance(error, OddError):
            raise
        raise OddError(_plain(str(error), kind)) from error


def _plain(said: str, kind: str) -> str:
    if "linearring" in said.lower() or "ring" in said.lower():
        return "a ring has fewer than three different points"
    if "linestring" in said.lower() or "at least 2" in said.lower():
        return "a line has fewer than two points"
    return f"its coordinates are not those of a {kind}"


def _made(kind: str, coordinates: list[Any], remarks: dict[str, None]) -> BaseGeometry:
    if kind == "Point":
        return shapely.Point(_positions([coordinates], remarks)[0])
    if kind == "LineString":
        return shapely.LineString(_positions(coordinates, remarks))
    if kind == "Polygon":
        return _polygon(coordinates, remarks)
    if kind == "MultiPoint":
        return shapely.MultiPoint(_positions(coordinates, remarks))
    if kind == "MultiLineString":
        return shapely.MultiLineString([_positions(line, remarks) for line in coordinates])
    return shapely.MultiPolygon([_polygon(part, remarks) for part in coordinates])


def _polygon(rings: Any, remarks: dict[str, None]) -> shapely.Polygon:
    if not isinstance(rings, list) or not rings:
        raise OddError("an area has no boundary")
    made = []
    for ring in rings:
        points = _positions(ring, remarks)
        if len(points) < 3:
            raise OddError("a ring has fewer than three different points")
        if (points[0] != points[-1]).any():
            remarks["a ring was not closed; it was closed"] = None
        made.append(points)
    return shapely.Polygon(made[0], made[1:])


def _positions(values: Any, remarks: dict[str, None]) -> np.ndarray:
    """An (n, 2) or (n, 3) array of positions."""
    if not isinstance(values, list):
        raise OddError("a list of positions is missing")
    try:
        array = np.array(values, dtype=float)
    except (ValueError, TypeError, OverflowError):
        array = _slow_positions(values, remarks)
    else:
        if any(isinstance(v, str) for p in values[:1] if isinstance(p, list) for v in p):
            remarks["its coordinates are written as text; they were read as numbers"] = None
    if array.ndim != 2 or array.shape[1] < 2:
        raise OddError("its coordinates are not nested as its type needs")
    if array.shape[1] > 3:
        remarks["positions have more than three values; those after the height are left out"] = None
        array = array[:, :3]
    return array


def _slow_positions(values: list[Any], remarks: dict[str, None]) -> np.ndarray:
    rows = []
    for position in values:
        if not isinstance(position, list) or len(position) < 2:
            raise OddError("a position has fewer than two numbers")
        try:
            rows.append([float(v) for v in position[:3]])
        except (TypeError, ValueError, OverflowError) as error:
            raise OddError(f"a coordinate is not a number ({str(position)[:40]})") from error
    if any(isinstance(v, str) for p in values for v in p):
        remarks["its coordinates are written as text; they were read as numbers"] = None
    if any(len(p) > 3 for p in values):
        remarks["positions have more than three values; those after the height are left out"] = None
    if len({len(r) for r in rows}) > 1:
        remarks["some positions have a height and some have none; heights of this row are left out"] = None
        rows = [r[:2] for r in rows]
    return np.array(rows, dtype=float)
