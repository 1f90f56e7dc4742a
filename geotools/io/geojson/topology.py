"""TopoJSON: shapes whose boundaries are shared arcs. Not for GeoJSON (see `parse`).

Layout after the TopoJSON format specification 1.0: arcs are delta-coded where the file has a transform; ~n is arc n backwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from geotools.io.geojson.columns import table
from geotools.io.geojson.shapes import TYPES, OddError, shape
from geotools.io.raw import Finding, Raw, Source, choose_layer
from geotools.space import crs as _crs

_DEPTH = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}


def is_topology(data: Any) -> bool:
    """Whether a JSON document is a topology with objects."""
    return isinstance(data, dict) and str(data.get("type", "")).casefold() == "topology" and bool(data.get("objects"))


def names(data: Mapping[str, Any]) -> list[str]:
    """The objects of a topology, each a layer."""
    return [str(name) for name in data["objects"]] if isinstance(data["objects"], dict) else []


def read(data: dict[str, Any], source: Source, findings: list[Finding]) -> Raw:
    """The rows of one object of a topology, in WGS 84 as the format has it.

    Raises
    ------
    ReadError
        If it has several objects and none is named, or its arcs are damaged.
    """
    # a file with one object has the layer that is its own name, as other formats of one layer do
    known = names(data)
    asked = replace(source, layer=None) if len(known) == 1 else source
    name, told = choose_layer(asked, known)
    findings += told
    try:
        arcs = _arcs(data)
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise source.refuse("its arcs are damaged", "export it again from where it came from") from error
    members = data["objects"][name]
    listed = members.get("geometries") if isinstance(members, dict) and _is_list(members) else [members]
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    shapes: list[Any] = []
    for number, member in enumerate(listed or [], start=1):
        if not isinstance(member, dict):
            said = f"rejected: {'it is null' if member is None else 'it is not a geometry'}"
            findings.append(Finding("RD-02", "error", said, number=number, value=str(member)[:80]))
            continue
        values = member.get("properties")
        row = dict(values) if isinstance(values, dict) else {}
        if "id" in member and "id" not in row:
            row["id"] = member["id"]
        try:
            shapes.append(_shape(member, arcs, data.get("transform")))
        except (OddError, TypeError, ValueError, IndexError, RecursionError) as odd:
            reason = str(odd) if isinstance(odd, OddError) else "its arcs are not all there"
            said = f"{reason}; the row is kept without geometry"
            findings.append(Finding("RD-03", "error", said, len(rows), value=str(member.get("arcs"))[:120]))
            shapes.append(None)
        rows.append(row)
        numbers.append(number)
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = shapes
    layer = name if len(known) > 1 else source.path.stem
    return Raw(layer, table(rows), geometry, _crs.WGS84, True, findings, np.array(numbers, dtype=np.int64))


def _is_list(member: Mapping[str, Any]) -> bool:
    """Whether an object is a list of rows and not one row: a collection without properties of its own."""
    return str(member.get("type", "")).casefold() == "geometrycollection" and not member.get("properties")


def _arcs(data: Mapping[str, Any]) -> list[np.ndarray]:
    moved = []
    for arc in data.get("arcs") or []:
        points = np.array([position[:2] for position in arc], dtype=float)
        moved.append(_placed(np.cumsum(points, axis=0), data["transform"]) if data.get("transform") else points)
    return moved


def _placed(points: np.ndarray, transform: Mapping[str, Any] | None) -> np.ndarray:
    if not transform:
        return points
    made: np.ndarray = points * np.array(transform["scale"], dtype=float) + np.array(
        transform["translate"], dtype=float
    )
    return made


def _shape(member: Mapping[str, Any], arcs: Sequence[np.ndarray], transform: Any) -> Any:
    """A geometry with its arcs put in; None for a row without one."""
    kind = TYPES.get(str(member.get("type", "")).casefold())
    if kind is None:
        if member.get("type") is None:
            return None
        raise OddError(f"its geometry type '{str(member.get('type'))[:40]}' does not exist")
    remarks: dict[str, None] = {}
    if kind == "GeometryCollection":
        made = [_shape(part, arcs, transform) for part in member.get("geometries") or [] if part is not None]
        return shapely.GeometryCollection([part for part in made if part is not None])
    if kind in _DEPTH:
        return shape({"type": kind, "coordinates": _joined(member["arcs"], arcs, _DEPTH[kind])}, remarks)
    points = np.array(member["coordinates"], dtype=float)
    return shape({"type": kind, "coordinates": _placed(points[..., :2], transform).tolist()}, remarks)


def _joined(numbers: Any, arcs: Sequence[np.ndarray], depth: int) -> list[Any]:
    if depth:
        return [_joined(part, arcs, depth - 1) for part in numbers]
    points: list[list[float]] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc.tolist()[1 if points else 0 :]
    return points
