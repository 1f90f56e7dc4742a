"""KML and KMZ styled like the map: one folder per layer, colours by class, letters and swatches where KML has no hatch.

For Google Earth, OsmAnd, ATAK and the like; element order as in OGC KML 2.2. Attributes are shown as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import shapely

from geotools.field.package.cargo import Cargo, placed
from geotools.field.package.looks import Looks
from geotools.field.package.phrases import Phrases
from geotools.field.package.points import Points
from geotools.io import geojson
from geotools.io.writing import plain as plain_frame

NAMESPACE = "http://www.opengis.net/kml/2.2"
ORDER = (
    "landuse",
    "places",
    "hazards",
    "remaining",
    "released",
    "releases",
    "processed",
    "activities",
    "samples",
    "finds",
    "accidents",
    "tracks",
    "marks",
)
QUIET = ("releases", "activities", "samples", "landuse", "tracks", "marks")
SHAPES = {0: "point", 1: "line", 2: "area"}
_TAGS = str.maketrans({"<": "‹", ">": "›"})  # viewers read attribute text as HTML


def document(
    cargo: Cargo, points: Points | None, phrases: Phrases, looks: Looks | None
) -> tuple[bytes, dict[str, bytes]]:
    """The KML document and the icons that it shows (file name → PNG), which lie in ``icons/`` beside it."""
    root = ET.Element("kml", {"xmlns": NAMESPACE})
    document = ET.SubElement(root, "Document")
    _text(document, "name", " · ".join(t for t in (cargo.title, cargo.name) if t))
    _text(document, "open", "1")
    _text(document, "description", escape(f"{phrases('warning')} {phrases('supports')}"))
    used: dict[str, str] = {}
    folders = [
        f for f in (_layer(kind, frame, phrases, looks, used) for kind, frame in _layers(cargo)) if f is not None
    ]
    folders += _walk(points, phrases)
    icons: dict[str, bytes] = {}
    for style_id in sorted(used):
        assert looks is not None
        icons[f"{style_id}.png"] = looks.picture(style_id)
        document.append(looks.kml_style(style_id, f"icons/{style_id}.png"))
    document.extend(folders)
    ET.indent(root, " ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n", icons


def _layers(cargo: Cargo) -> Iterable[tuple[str, gpd.GeoDataFrame]]:
    for kind in ORDER:
        frame = cargo.layers.get(kind, cargo.results.get(kind))
        if frame is not None and placed(frame).any():
            yield kind, frame[placed(frame)]


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, tag)
    child.text = text
    return child


def _layer(
    kind: str, frame: gpd.GeoDataFrame, phrases: Phrases, looks: Looks | None, used: dict[str, str]
) -> ET.Element | None:
    folder = ET.Element("Folder")
    _text(folder, "name", f"{phrases.kind(kind)} ({len(frame)})")
    _text(folder, "visibility", "0" if kind in QUIET else "1")
    rows = plain_frame(frame)
    shapes = geojson.to_rfc7946(rows)
    names = [c for c in rows.columns if c != rows.geometry.name]
    columns = {c: [geojson.json_value(v) for v in rows[c]] for c in names}
    for row, shape in enumerate(shapes):
        values = {c: columns[c][row] for c in names}
        style = letter = said = ""
        if looks is not None:
            style, letter, said = looks.style(kind, SHAPES[int(shapely.get_dimensions(shape))], values)
            used[style] = letter
        title = " ".join(
            str(v)
            for v in (
                f"[{letter}]" if letter else None,
                values.get("name") if kind == "places" else None,
                values.get("id"),
            )
            if v
        )
        _placemark(folder, title, said, style, values, phrases, shape)
        if letter and shapely.get_dimensions(shape) == 2:
            _placemark(folder, title, said, style, {}, phrases, shape.representative_point())
    return folder


def _placemark(
    folder: ET.Element, title: str, said: str, style: str, values: dict[str, Any], phrases: Phrases, shape: Any
) -> None:
    mark = ET.SubElement(folder, "Placemark")
    _text(mark, "name", title.translate(_TAGS))
    if said:
        _text(mark, "description", escape(said))
    if style:
        _text(mark, "styleUrl", f"#{style}")
    filled = {name: value for name, value in values.items() if value is not None}
    if filled:
        data = ET.SubElement(mark, "ExtendedData")
        for name, value in filled.items():
            item = ET.SubElement(data, "Data", {"name": name.translate(_TAGS)})
            _text(item, "displayName", phrases.column(name).translate(_TAGS))
            _text(item, "value", (str(value).lower() if isinstance(value, bool) else str(value)).translate(_TAGS))
    mark.append(geometry(shape))


def geometry(shape: Any) -> ET.Element:
    """A KML geometry element, on the ground."""
    if hasattr(shape, "geoms"):
        out = ET.Element("MultiGeometry")
        out.extend([geometry(part) for part in shape.geoms])
        return out
    out = ET.Element(shape.geom_type)
    if shape.geom_type != "Point":
        _text(out, "tessellate", "1")
    if shape.geom_type == "Polygon":
        for tag, rings in (("outerBoundaryIs", [shape.exterior]), ("innerBoundaryIs", shape.interiors)):
            for ring in rings:
                _text(ET.SubElement(ET.SubElement(out, tag), "LinearRing"), "coordinates", _coordinates(ring))
    else:
        _text(out, "coordinates", _coordinates(shape))
    return out


def _coordinates(shape: Any) -> str:
    return " ".join(f"{lon:.7f},{lat:.7f}" for lon, lat in np.round(shapely.get_coordinates(shape), 7).tolist())


def _walk(points: Points | None, phrases: Phrases) -> list[ET.Element]:
    """Turning points and the approach lane."""
    if points is None:
        return []
    out = []
    if len(points.table):
        folder = ET.Element("Folder")
        _text(folder, "name", f"{phrases.kind('turning_points')} ({len(points.table)})")
        for row in points.table.to_dict("records"):
            mark = ET.SubElement(folder, "Placemark")
            _text(mark, "name", str(row["point"]))
            _text(mark, "description", escape(f"{row['feature']}, {row['mgrs']}".translate(_TAGS)))
            mark.append(geometry(shapely.Point(row["lon_deg"], row["lat_deg"])))
        out.append(folder)
    if len(points.approaches):
        folder = ET.Element("Folder")
        _text(folder, "name", phrases.kind("approach"))
        for feature, lane in zip(points.approaches["feature"], points.approaches.geometry, strict=True):
            mark = ET.SubElement(folder, "Placemark")
            _text(mark, "name", str(feature).translate(_TAGS))
            _text(mark, "description", escape(phrases("approach_note")))
            mark.append(geometry(lane))
        out.append(folder)
    return out
