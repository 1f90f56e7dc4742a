"""maXML field reports (IMSMA NG exports), read leniently: the shared geospatial blocks and the plain fields around them.

Country forms differ and may not follow the generic schema, so elements are recognised by what they hold. Read only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io import markup
from geotools.io.raw import Finding, Raw, Source, choose_layer
from geotools.model.schema.conform import to_number
from geotools.model.vocab import fold
from geotools.space import crs as _crs

BODIES = {
    "hazard": "hazards", "hazardreduction": "releases", "accident": "accidents", "location": "places",
    "qaactivity": "samples", "mreactivity": "mre", "victim": "victims", "victimassistance": "victim_assistance",
}  # fmt: skip
_REPORT = ("reportguid", "reportid", "fieldreportguid")
_BLOCK = ("geospatialinfo", "geospatialinformation", "geospatial")
_LAT = ("latitude", "lat", "y")
_LON = ("longitude", "lon", "long", "x")
_OUTSIDE = frozenset({"landmark", "reference", "benchmark", "reference point", "evidence", "usage"})


@dataclass
class _Node:
    name: str
    text: str = ""
    children: list[_Node] = field(default_factory=list)

    def find(self, names: tuple[str, ...]) -> Iterator[_Node]:
        for child in self.children:
            if child.name.lower() in names:
                yield child
            else:
                yield from child.find(names)

    def value(self, names: tuple[str, ...]) -> str | None:
        return next((c.text for c in self.children if c.name.lower() in names and c.text), None)


def _tree(source: Source) -> _Node:
    root = _Node("")
    stack = [root]
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        node = _Node(
            name, "", [_Node(k.rpartition(":")[2], v) for k, v in attributes.items() if not k.startswith("xmlns")]
        )
        stack[-1].children.append(node)
        stack.append(node)
        text.clear()

    def end(name: str) -> None:
        stack.pop().text = "".join(text).strip()
        text.clear()

    markup.run(source, start, end, text.append)
    return root


def _bodies(root: _Node) -> list[tuple[str, _Node, dict[str, str]]]:
    """Each report body with its layer and the ids of its report."""
    reports = list(root.find(("fieldreport",))) or [root]
    out = []
    for report in reports:
        info = {
            n.name: n.text
            for block in [report, *report.find(("fieldreportinfo",))]
            for n in block.children
            if n.name.lower() in _REPORT and n.text
        }
        out += [(BODIES[body.name.lower()], body, info) for body in report.find(tuple(BODIES))]
    return out


def layers(source: Source) -> list[str]:
    """Layers by report body: hazards, releases (hazard reductions), accidents, ….

    Raises
    ------
    ReadError
        If there is no report in it.
    """
    found = list(dict.fromkeys(name for name, _, _ in _bodies(_tree(source))))
    if not found:
        raise source.refuse(
            "it is XML, but there is no IMSMA field report in it", "is it a KML or GPX with the wrong ending?"
        )
    return found


def read(source: Source) -> Raw:
    """Read the bodies of one kind as rows.

    Raises
    ------
    ReadError
        As `layers`.
    """
    bodies = _bodies(_tree(source))
    names = list(dict.fromkeys(name for name, _, _ in bodies))
    if not names:
        raise source.refuse(
            "it is XML, but there is no IMSMA field report in it", "is it a KML or GPX with the wrong ending?"
        )
    layer, findings = choose_layer(source, names)
    rows: list[dict[str, Any]] = []
    shapes: list[BaseGeometry | None] = []
    for name, body, info in bodies:
        if name != layer:
            continue
        row = len(rows)
        values: dict[str, Any] = {}
        _fields(body, values)
        for key, value in info.items():
            values.setdefault(key, value)
        rows.append(values)
        shapes.append(_shape(body, row, findings))
    table = pd.DataFrame(
        {n: pd.Series([r.get(n) for r in rows], dtype=object) for n in dict.fromkeys(k for r in rows for k in r)},
        index=range(len(rows)),
    )
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return Raw(layer, table, array, _crs.WGS84, True, findings)


def _fields(node: _Node, values: dict[str, Any], prefix: str = "", depth: int = 0) -> None:
    """Plain elements as columns; repeated ones joined by semicolons; geospatial blocks left out."""
    for child in node.children:
        if child.name.lower() in _BLOCK:
            continue
        name = f"{prefix}{child.name}"
        if child.text:
            values[name] = f"{values[name]}; {child.text}" if values.get(name) else child.text
        if child.children and depth < 8:
            _fields(child, values, f"{name}_" if child.name.lower() not in BODIES else "", depth + 1)


def _points(block: _Node) -> Iterator[_Node]:
    for child in block.children:
        if child.value(_LAT) is not None and child.value(_LON) is not None:
            yield child
        else:
            yield from _points(child)


def _shape(body: _Node, row: int, findings: list[Finding]) -> BaseGeometry | None:
    """Areas of all geospatial blocks; where there are none, lines, else points."""
    areas: list[Any] = []
    lines: list[Any] = []
    points: list[Any] = []
    for block in body.find(_BLOCK):
        for kind, corners in _shapes(block, row, findings):
            flat = np.array(corners)
            distinct = len({tuple(c) for c in corners})
            if kind.startswith("polyg") and distinct >= 3:
                areas.append(shapely.Polygon(flat))
            elif kind.startswith("polyg"):
                findings.append(
                    Finding(
                        "RD-06",
                        "error",
                        f"a polygon of the report has {distinct} different points and was left out",
                        row,
                    )
                )
            elif kind.startswith(("polyl", "line")) and distinct >= 2:
                lines.append(shapely.LineString(flat))
            else:
                points += [shapely.Point(c) for c in corners]
    if areas:
        if lines or points:
            findings.append(
                Finding(
                    "RD-06",
                    "info",
                    f"beside its areas the report has {len(points)} points and {len(lines)} lines, which are left out",
                    row,
                )
            )
        return areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)
    if lines:
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    return None if not points else points[0] if len(points) == 1 else shapely.MultiPoint(points)


def _shapes(block: _Node, row: int, findings: list[Finding]) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Shape type and ordered positions, by shape id."""
    groups: dict[tuple[str, str], list[tuple[float, int, tuple[float, float]]]] = {}
    default = (block.value(("shapeenum", "shapetype", "type", "geometrytype")) or "").lower()
    shape_id = block.value(("shapeid", "shape_id", "polygonid")) or ""
    for place, point in enumerate(_points(block)):
        lat, lon = (to_number(point.value(names) or "") for names in (_LAT, _LON))
        if lat is None or lon is None:
            findings.append(
                Finding(
                    "RD-06",
                    "error",
                    f"a point of the report has no usable coordinates ({point.value(_LAT)}, {point.value(_LON)})",
                    row,
                )
            )
            continue
        role = fold(point.value(("pointtypeenum", "pointtype", "type")) or "")
        kind = (
            "point" if role in _OUTSIDE else (point.value(("shapeenum", "shapetype")) or default or "polygon").lower()
        )
        number = to_number(point.value(("pointno", "pointnumber", "no")) or "")
        own = point.value(("shapeid", "shape_id", "polygonid")) or shape_id
        groups.setdefault((kind, own), []).append((place if number is None else number, place, (lon, lat)))
    for (kind, _), members in groups.items():
        corners = [position for _, _, position in sorted(members)]
        if len(corners) == 1 and kind.startswith("polyg"):
            kind = "point"
        yield kind, corners
