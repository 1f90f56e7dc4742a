"""The QGIS project around the team's GeoPackage: styles, forms, constraints and lists of words from the schema.

For QField and QGIS 3.22 or later; paths are relative. The tables are written by `geopackage`, styles come from the map floor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import shapely

from geotools.field.package.cargo import Cargo, placed
from geotools.field.package.geopackage import Table
from geotools.field.package.looks import Looks
from geotools.field.package.phrases import Phrases
from geotools.model.schema import Column
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs

DATA = "team.gpkg"
VERSION = "3.22.16-Białowieża"
UNLABELLED = ("landuse", "processed", "released", "remaining")  # the records that they come from carry the label
NEW_ID = "substr(uuid(), 2, 36)"
DEFAULTS = {
    "id": (NEW_ID, "0"), "guid": (NEW_ID, "0"), "edited_at": ("now()", "1"),
    "edited_by": ("coalesce(@cloud_username, @user_full_name)", "1"), "h_acc_m": ("@position_horizontal_accuracy", "0"),
    "date": ("to_date(now())", "0"), "date_info": ("to_date(now())", "0"),
}  # fmt: skip
READ_ONLY = ("id", "guid", "edited_at", "edited_by", "precision_m")
LINKS = {"hazard_id": "hazards", "activity_id": "activities", "feature_id": "hazards"}
NOT_NULL, UNIQUE, EXPRESSION = 1, 2, 4


def project(cargo: Cargo, listed: list[Table], phrases: Phrases, looks: Looks | None) -> bytes:
    """The project file as bytes; `listed` are the tables of ``team.gpkg``, bottom to top."""
    plane, extent = _view(cargo, listed)
    title = " · ".join(t for t in (cargo.title, cargo.name) if t)
    root = ET.Element("qgis", {"version": VERSION, "projectname": title})
    ET.SubElement(root, "homePath", {"path": ""})
    _text(root, "title", title)
    ET.SubElement(root, "projectCrs").append(_system(plane))
    ids = {table.name: _id(table.name) for table in listed}
    _tree(root, listed, ids, phrases)
    _canvas(root, plane, extent)
    layers = ET.SubElement(root, "projectlayers")
    for table in listed:
        layers.append(_layer(table, ids, phrases, looks))
    order = ET.SubElement(root, "layerorder")
    for table in reversed(listed):
        ET.SubElement(order, "layer", {"id": ids[table.name]})
    _properties(root, cargo, phrases)
    ET.indent(root, " ")
    head = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + ET.tostring(root, encoding="utf-8") + b"\n"


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _id(name: str) -> str:
    return f"{name}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _view(cargo: Cargo, listed: list[Table]) -> tuple[Any, tuple[float, ...]]:
    """The UTM zone and the extent in it: around the figures of the team, else around everything."""
    figures = list(cargo.figures().values())
    shapes = figures or [s for t in listed for s in t.frame.geometry[placed(t.frame)].array]
    if not shapes:
        return _crs.WGS84, (-180.0, -90.0, 180.0, 90.0)
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object))
    plane = _crs.utm((west + east) / 2, (south + north) / 2)
    flat = _crs.transform([shapely.box(west, south, east, north)], _crs.WGS84, plane)[0].buffer(50).bounds
    return plane, tuple(round(v, 1) for v in flat)


def _system(crs: Any) -> ET.Element:
    out = ET.Element("spatialrefsys", {"nativeFormat": "Wkt"})
    code = crs.to_epsg()
    _text(out, "wkt", crs.to_wkt())
    _text(out, "srid", str(code))
    _text(out, "authid", f"EPSG:{code}")
    _text(out, "description", crs.name)
    _text(out, "geographicflag", "true" if crs.is_geographic else "false")
    return out


def _tree(root: ET.Element, listed: list[Table], ids: Mapping[str, str], phrases: Phrases) -> None:
    tree = ET.SubElement(root, "layer-tree-group")
    ET.SubElement(tree, "customproperties")
    for table in reversed(listed):
        ET.SubElement(tree, "layer-tree-layer", {
            "id": ids[table.name], "name": _title(table, phrases), "source": f"./{DATA}|layername={table.name}", "providerKey": "ogr",
            "checked": "Qt::Checked" if len(table.frame) or table.editable else "Qt::Unchecked", "expanded": "0",
        })  # fmt: skip


def _title(table: Table, phrases: Phrases) -> str:
    ending = table.name.removeprefix(table.kind).strip("_")
    return phrases.kind(table.kind) + (f" ({ending})" if ending else "")


def _canvas(root: ET.Element, plane: Any, extent: tuple[float, ...]) -> None:
    canvas = ET.SubElement(root, "mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    _text(canvas, "units", "degrees" if plane.is_geographic else "meters")
    box = ET.SubElement(canvas, "extent")
    for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        _text(box, tag, f"{value:.10g}")
    _text(canvas, "rotation", "0")
    ET.SubElement(canvas, "destinationsrs").append(_system(plane))


def _properties(root: ET.Element, cargo: Cargo, phrases: Phrases) -> None:
    properties = ET.SubElement(root, "properties")
    _text(ET.SubElement(properties, "Paths"), "Absolute", "false", type="bool")
    _text(ET.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", "1", type="int")
    _text(ET.SubElement(properties, "PositionPrecision"), "Automatic", "true", type="bool")
    measure = ET.SubElement(properties, "Measure")
    _text(measure, "Ellipsoid", "EPSG:7030", type="QString")
    units = ET.SubElement(properties, "Measurement")
    _text(units, "DistanceUnits", "meters", type="QString")
    _text(units, "AreaUnits", "m2", type="QString")
    about = ET.SubElement(root, "projectMetadata")
    _text(about, "title", " · ".join(t for t in (cargo.title, cargo.name) if t))
    _text(about, "abstract", " ".join([phrases("warning"), phrases("supports"), *cargo.said(phrases)]))


def _layer(table: Table, ids: Mapping[str, str], phrases: Phrases, looks: Looks | None) -> ET.Element:
    title = _title(table, phrases)
    out = ET.Element("maplayer", {
        "type": "vector", "geometry": {"area": "Polygon", "line": "Line", "point": "Point"}[table.shape], "wkbType": table.geometry,
        "readOnly": "0" if table.editable else "1", "labelsEnabled": "0" if table.kind in UNLABELLED else "1",
        "hasScaleBasedVisibilityFlag": "0", "simplifyDrawingHints": "0",
    })  # fmt: skip
    _text(out, "id", ids[table.name])
    _text(out, "datasource", f"./{DATA}|layername={table.name}")
    _text(out, "layername", title)
    ET.SubElement(out, "srs").append(_system(_crs.WGS84))
    _text(out, "provider", "ogr", encoding="UTF-8")
    flags = ET.SubElement(out, "flags")
    for name in ("Identifiable", "Searchable"):
        _text(flags, name, "1")
    _text(flags, "Removable", "0")
    if looks is not None:
        for part in looks.qgis(table.kind, table.shape, phrases.lang):
            out.append(part)
    _form(out, table, ids, phrases)
    _text(out, "previewExpression", '"id"')
    return out


def _form(out: ET.Element, table: Table, ids: Mapping[str, str], phrases: Phrases) -> None:
    """Widgets, names, defaults and constraints of every column."""
    fields, aliases, defaults = (ET.SubElement(out, tag) for tag in ("fieldConfiguration", "aliases", "defaults"))
    rules, texts, editable = (ET.SubElement(out, tag) for tag in ("constraints", "constraintExpressions", "editable"))
    hidden = ET.SubElement(fields, "field", {"name": "fid", "configurationFlags": "None"})
    _widget(hidden, "Hidden", {})
    for index, column in enumerate(table.columns, start=1):
        field = ET.SubElement(fields, "field", {"name": column.name, "configurationFlags": "None"})
        _widget(field, *_widget_of(column, ids, phrases))
        ET.SubElement(aliases, "alias", {"field": column.name, "index": str(index), "name": phrases.column(column)})
        expression, again = DEFAULTS.get(column.name, ("", "0")) if table.editable else ("", "0")
        ET.SubElement(defaults, "default", {"field": column.name, "expression": expression, "applyOnUpdate": again})
        _constraint(rules, texts, column, table, phrases)
        free = table.editable and column.name not in READ_ONLY
        ET.SubElement(editable, "field", {"name": column.name, "editable": "1" if free else "0"})
    _text(out, "editorlayout", "generatedlayout")


def _constraint(rules: ET.Element, texts: ET.Element, column: Column, table: Table, phrases: Phrases) -> None:
    key = column.name == "id"
    expression = _limits(column) if table.editable else ""
    sorts = (NOT_NULL if column.required else 0) | (UNIQUE if key else 0) | (EXPRESSION if expression else 0)
    on = table.editable
    ET.SubElement(rules, "constraint", {
        "field": column.name, "constraints": str(sorts if on else 0), "notnull_strength": "1" if on and column.required else "0",
        "unique_strength": "1" if on and key else "0", "exp_strength": "1" if expression else "0",
    })  # fmt: skip
    said = phrases("in_future") if column.kind == "date" else phrases("out_of_range")
    ET.SubElement(texts, "constraint", {"field": column.name, "exp": expression, "desc": said if expression else ""})


def _limits(column: Column) -> str:
    name = f'"{column.name}"'
    if column.kind == "date":
        return f"{name} IS NULL OR {name} <= to_date(now())" if column.name not in ("end", "start") else ""
    limits = [f"{name} >= {column.minimum:g}"] if column.minimum is not None else []
    limits += [f"{name} <= {column.maximum:g}"] if column.maximum is not None else []
    return f"{name} IS NULL OR ({' AND '.join(limits)})" if limits else ""


def _widget_of(column: Column, ids: Mapping[str, str], phrases: Phrases) -> tuple[str, dict[str, Any]]:
    if column.kind == "word":
        words = vocabulary(column.words)
        return "ValueMap", {"map": [{words.label(key, phrases.lang): key} for key in words.keys]}
    if column.name in LINKS and LINKS[column.name] in ids:
        return "ValueRelation", {
            "Layer": ids[LINKS[column.name]], "LayerName": LINKS[column.name], "Key": "id", "Value": "id", "AllowNull": True,
            "OrderByValue": True, "AllowMulti": False, "UseCompleter": True, "NofColumns": 1, "FilterExpression": "",
        }  # fmt: skip
    if column.kind == "date":
        return "DateTime", {
            "display_format": "yyyy-MM-dd",
            "field_format": "yyyy-MM-dd",
            "calendar_popup": True,
            "allow_null": True,
        }
    if column.kind == "time":
        return "DateTime", {
            "display_format": "yyyy-MM-dd HH:mm:ss",
            "field_iso_format": True,
            "calendar_popup": True,
            "allow_null": True,
        }
    if column.kind == "boolean":
        return "ValueMap", {"map": [{phrases("yes"): "true"}, {phrases("no"): "false"}]}
    return "TextEdit", {"IsMultiline": column.name == "note", "UseHtml": False}


def _widget(field: ET.Element, kind: str, config: Mapping[str, Any]) -> None:
    inner = ET.SubElement(ET.SubElement(field, "editWidget", {"type": kind}), "config")
    inner.append(_option(None, dict(config)))


def _option(name: str | None, value: Any) -> ET.Element:
    """A value as QGIS keeps it in XML."""
    own = {} if name is None else {"name": name}
    if isinstance(value, dict):
        out = ET.Element("Option", {"type": "Map", **own})
        out.extend([_option(k, v) for k, v in value.items()])
        return out
    if isinstance(value, list):
        out = ET.Element("Option", {"type": "List", **own})
        out.extend([_option(None, v) for v in value])
        return out
    if isinstance(value, bool):
        return ET.Element("Option", {"type": "bool", **own, "value": "true" if value else "false"})
    return ET.Element("Option", {"type": "int" if isinstance(value, int) else "QString", **own, "value": str(value)})
