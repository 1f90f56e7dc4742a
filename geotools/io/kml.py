"""KML: placemarks of all folders with their ExtendedData; written for phones and Google Earth.

Read with a streaming parser; KMZ is unpacked by `io.archive`. Not for styles, overlays or network links, which are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io import balloons, geojson, markup
from geotools.io.raw import Finding, Raw, Source
from geotools.model.schema import KINDS, kind_of
from geotools.model.vocab import fold
from geotools.space import crs as _crs

_SHAPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack")
_PASSED = ("NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay")
_WORDS = ("name", "description", "address", "phoneNumber", "when", "begin", "end")
_PLACEMARK_ID = "placemark_id"
_MADE_UP = re.compile(r"(ID|kml)_\d+")  # ids of ArcGIS and of Google Earth; those of GDAL are layer.1, layer.2


def read(source: Source) -> Raw:
    """Read all placemarks of a KML file, whatever folder they are in (column ``folder``).

    Raises
    ------
    ReadError
        If it is not XML or holds no KML.
    """
    reader = _Reader()
    markup.run(source, reader.start, reader.end, reader.text)
    if not reader.is_kml:
        raise source.refuse("it is XML but not KML", "is it a GPX or another format with the wrong ending?")
    findings = reader.findings
    for name, count in reader.passed.items():
        findings.append(
            Finding(
                "RD-07", "warning", f"{source.label}: {count} × {name} is not a record and was not read", value=count
            )
        )
    findings += _from_balloons(reader.rows, source)
    _settle_ids(reader.rows, source, {source.path.stem, *reader.layers})
    if all("id" in values and values.get("name") == values["id"] for values in reader.rows):
        for values in reader.rows:
            del values["name"]  # the label that `write` gives to placemarks without a name
    names = dict.fromkeys(name for values in reader.rows for name in values)
    columns = {name: pd.Series([values.get(name) for values in reader.rows], dtype=object) for name in names}
    shapes = np.empty(len(reader.rows), dtype=object)
    shapes[:] = reader.shapes
    table = pd.DataFrame(columns, index=range(len(reader.rows)))
    return Raw(source.path.stem, table, shapes, _crs.WGS84, False, findings)


def _from_balloons(rows: list[dict[str, Any]], source: Source) -> list[Finding]:
    """Attributes from tables in descriptions, where the placemark does not have them otherwise; `rows` are changed."""
    read = 0
    for values in rows:
        pairs, rest = balloons.attributes(values.get("description") or "")
        if not pairs:
            continue
        read += 1
        values["description"] = rest if rest and rest != values.get("name") else None
        for name, value in pairs.items():
            if values.get(name) is None:
                values[name] = value
            elif value is not None and values[name] != value:
                values.setdefault(f"{name}_described", value)
    if not read:
        return []
    said = f"{source.label}: the attributes of {read} placemarks were read from the tables in their descriptions"
    return [Finding("RD-07", "info", said, value=read)]


def _settle_ids(rows: list[dict[str, Any]], source: Source, layers: set[str]) -> None:
    """The ids of placemarks are the key; where programs made them up, a key among the attributes, or names that differ, are.

    `rows` are changed; `layers` are names that may stand before the number in an id that was made up.
    """
    kind = source.kind or kind_of(source.path.stem)
    keys = {s for s, column in KINDS[kind].by_spelling.items() if column == "id"} if kind else {"id", "imsma id"}
    given = [values[_PLACEMARK_ID] for values in rows if _PLACEMARK_ID in values]
    own = any(fold(name) in keys and value is not None for values in rows for name, value in values.items())
    known = {fold(name) for name in layers}
    made_up = bool(given) and all(_MADE_UP.fullmatch(text) or _of_layer(text, known) for text in given)
    if own and made_up:
        return
    names = [values.get("name") for values in rows]
    if made_up and None not in names and len(set(names)) == len(names):
        for values in rows:
            values["id"] = values["name"]
        return
    for values in rows:
        if _PLACEMARK_ID in values:
            key = values.pop(_PLACEMARK_ID)
            other = values.pop("id", None)
            values["id"] = key
            if other is not None and other != key:
                values["id_2"] = other


def _of_layer(text: str, layers: set[str]) -> bool:
    """Whether an id is no more than the name of a layer and a number, as hazards.12; HA.0012 is somebody's key."""
    name, dot, number = text.rpartition(".")
    return bool(dot) and number.isdigit() and fold(name) in layers


class _Reader:
    """Collects placemarks while the parser runs."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.shapes: list[BaseGeometry | None] = []
        self.findings: list[Finding] = []
        self.passed: dict[str, int] = {}
        self.layers: set[str] = set()
        self.is_kml = False
        self._path: list[str] = []
        self._folders: list[str] = []
        self._text: list[str] = []
        self._row: dict[str, Any] | None = None
        self._key = ""
        self._stack: list[list[Any]] = []
        self._found: list[BaseGeometry] = []
        self._problem = ""
        self._remarks: dict[str, None] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.is_kml = self.is_kml or name in ("kml", "Placemark")
        if name == "Folder":
            self._folders.append("")
        elif name == "Schema":
            self.layers.add(attributes.get("name", ""))
        elif name == "Placemark":
            self._row, self._found, self._problem, self._remarks = {}, [], "", {}
            if attributes.get("id"):
                self._row[_PLACEMARK_ID] = attributes["id"]
        elif name in _PASSED:
            self.passed[name] = self.passed.get(name, 0) + 1
        elif self._row is not None:
            if name in ("Data", "SimpleData"):
                self._key = attributes.get("name", "")
            elif name in _SHAPES:
                self._stack.append([name, [], []])
            elif name in ("outerBoundaryIs", "innerBoundaryIs") and self._stack:
                self._stack[-1].append(name)
        self._path.append(name)
        self._text = []

    def text(self, data: str) -> None:
        self._text.append(data)

    def end(self, name: str) -> None:
        self._path.pop()
        content = "".join(self._text).strip()
        self._text = []
        parent = self._path[-1] if self._path else ""
        if name == "name" and parent in ("Folder", "Document"):
            self.layers.add(content)
        if name == "Folder" and self._folders:
            self._folders.pop()
        elif name == "name" and parent == "Folder" and self._folders:
            self._folders[-1] = content
        elif self._row is not None:
            self._inside(name, parent, content)

    def _inside(self, name: str, parent: str, content: str) -> None:
        row = self._row
        assert row is not None
        if name == "Placemark":
            self._finish(row)
        elif name in _SHAPES and self._stack:
            self._close(name)
        elif name == "coordinates" and self._stack:
            self._stack[-1][1].extend(self._coordinates(content))
        elif name == "coord" and self._stack:
            self._stack[-1][1].extend(self._coordinates(",".join(content.split())))
        elif (name == "value" and parent == "Data") or name == "SimpleData":
            self._put(self._key, content)
        elif name in _WORDS and not self._stack and parent in ("Placemark", "TimeStamp", "TimeSpan"):
            self._put({"when": "time"}.get(name, name), content)
        elif name == "when" and parent == "Track":
            row.setdefault("start", content)
            row["end"] = content

    def _put(self, key: str, value: str) -> None:
        row = self._row
        assert row is not None
        if not value:
            row.setdefault(key, None)
        elif row.get(key) in (None, value):
            row[key] = value
        else:
            other = next(f"{key}_{n}" for n in range(2, 1000) if row.get(f"{key}_{n}") is None)
            row[other] = value

    def _coordinates(self, content: str) -> list[tuple[float, ...]]:
        points = []
        for token in content.replace(", ", ",").split():
            try:
                values = tuple(float(v) for v in token.split(",") if v)
            except ValueError:
                self._problem = self._problem or f"a coordinate is not a number ({token[:40]})"
                continue
            if len(values) < 2:
                self._problem = self._problem or f"a coordinate has only one number ({token[:40]})"
                continue
            points.append(values[:3])
        return points

    def _close(self, name: str) -> None:
        _, points, children, *sides = self._stack.pop()
        try:
            made = _make(name, points, children, sides)
        except (ValueError, shapely.errors.ShapelyError):
            made = None
            what = (
                "a ring has fewer than three different points"
                if name in ("LinearRing", "Polygon")
                else f"its {name} has too few points"
            )
            self._problem = self._problem or what
        if made is None:
            return
        if self._stack:
            self._stack[-1][2].append(made)
        else:
            self._found.append(made)

    def _finish(self, row: dict[str, Any]) -> None:
        folder = " / ".join(f for f in self._folders if f)
        number = len(self.rows)
        if folder:
            row.setdefault("folder", folder)
        shape: BaseGeometry | None = None
        if self._problem:
            self.findings.append(
                Finding("RD-03", "error", f"{self._problem}; the row is kept without geometry", number)
            )
        elif len(self._found) > 1:
            shape = _gathered(self._found)
        elif self._found:
            shape = self._found[0]
        self.rows.append(row)
        self.shapes.append(shape)
        self._row, self._stack = None, []


def _make(name: str, points: list[Any], children: list[Any], sides: list[str]) -> BaseGeometry | None:
    if name == "Polygon":
        rings = dict(zip(range(len(children)), sides, strict=False))
        outer = [r for i, r in enumerate(children) if rings.get(i, "outerBoundaryIs") == "outerBoundaryIs"]
        inner = [r for i, r in enumerate(children) if rings.get(i) == "innerBoundaryIs"]
        if len(outer) != 1:
            raise ValueError("a polygon has one outer boundary")
        return shapely.Polygon(outer[0], inner)
    if name in ("MultiGeometry", "MultiTrack"):
        return _gathered(children) if children else None
    if not points:
        return None
    flat = len({len(p) for p in points}) > 1 or all(len(p) < 3 or p[2] == 0 for p in points)
    array = np.array([p[:2] for p in points] if flat else points, dtype=float)
    if name == "Point":
        return shapely.Point(array[0])
    if name == "LinearRing":
        if len(array) < 3:
            raise ValueError("too few points")
        return shapely.LinearRing(array)
    return shapely.LineString(array)


def _gathered(parts: Iterable[Any]) -> BaseGeometry:
    listed = list(parts)
    kinds = {part.geom_type for part in listed}
    if kinds == {"Polygon"}:
        return shapely.MultiPolygon(listed)
    if kinds == {"Point"}:
        return shapely.MultiPoint(listed)
    if kinds == {"LineString"}:
        return shapely.MultiLineString(listed)
    return shapely.GeometryCollection(listed)


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write KML in WGS 84: one placemark per row, all columns as ExtendedData, shapes on the ground."""
    shapes = geojson.to_rfc7946(frame)
    names = [name for name in frame.columns if name != frame.geometry.name]
    label = next((c for c in ("name", "id") if c in names), None)
    values = {name: [geojson.json_value(v) for v in frame[name]] for name in names}
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n')
        stream.write(f"<Document><name>{markup.quoted(layer)}</name>\n")
        for row in range(len(frame)):
            stream.write(_placemark({name: values[name][row] for name in names}, label, shapes[row]))
        stream.write("</Document>\n</kml>\n")


def _placemark(values: dict[str, Any], label: str | None, shape: BaseGeometry | None) -> str:
    title = values.get(label) if label else None
    head = f"<name>{markup.quoted(str(title))}</name>" if title is not None and label != "name" else ""
    if label == "name" and title is not None:
        head = f"<name>{markup.quoted(str(title))}</name>"
    data = "".join(
        f'<Data name="{markup.attribute(str(name))}"><value>{markup.quoted(_word(value))}</value></Data>'
        for name, value in values.items()
        if value is not None and name != "name"
    )
    body = f"<ExtendedData>{data}</ExtendedData>" if data else ""
    return f"<Placemark>{head}{body}{_shape(shape)}</Placemark>\n"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shape(shape: Any) -> str:
    if shape is None or shape.is_empty:
        return ""
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(_shape(part) for part in shape.geoms)}</MultiGeometry>"
    mode = "<altitudeMode>absolute</altitudeMode>" if shape.has_z else ""
    if shape.geom_type == "Polygon":
        rings = f"<outerBoundaryIs>{_ring(shape.exterior)}</outerBoundaryIs>"
        rings += "".join(f"<innerBoundaryIs>{_ring(r)}</innerBoundaryIs>" for r in shape.interiors)
        return f"<Polygon>{mode}{rings}</Polygon>"
    return f"<{shape.geom_type}>{mode}{_points(shape)}</{shape.geom_type}>"


def _ring(ring: Any) -> str:
    return f"<LinearRing>{_points(ring)}</LinearRing>"


def _points(shape: BaseGeometry) -> str:
    rows = shapely.get_coordinates(shape, include_z=shape.has_z)
    return f"<coordinates>{' '.join(','.join(format(v, '.12g') for v in row) for row in rows)}</coordinates>"
