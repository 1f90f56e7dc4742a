"""From the text of GeoJSON to numbered rows, each oddity named. Not for the geometry objects themselves (see `shapes`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyproj
from shapely.geometry.base import BaseGeometry

from geotools.io import text
from geotools.io.geojson import esri, topology
from geotools.io.geojson.columns import table
from geotools.io.geojson.shapes import TYPES, OddError, shape
from geotools.io.raw import Finding, Raw, Source
from geotools.model.errors import CRSError
from geotools.model.schema import KINDS, kind_of, renaming
from geotools.space import crs as _crs

_GEOMETRY_KEYS = ("geom", "the_geom", "shape", "geometrie", "wkb_geometry")


def read(source: Source) -> Raw:
    """Read a GeoJSON file: a FeatureCollection, a Feature, a bare geometry or a list of features; also Esri JSON and TopoJSON.

    Raises
    ------
    ReadError
        With line and column if it is not JSON; if there are no features in it.
    """
    content = decode(source)
    try:
        data, twice = parse(content)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and _is_sequence(content):
            return read_sequence(source)
        _refuse_json(error, source, content)
    except (ValueError, RecursionError) as error:
        raise source.refuse(
            f"it is not usable JSON ({str(error)[:120]})", "export it again from where it came from"
        ) from error
    findings: list[Finding] = []
    if twice:
        findings.append(
            Finding(
                "RD-07",
                "warning",
                f"{source.label}: {twice} names stand twice in one object; the last value was taken",
                value=twice,
            )
        )
    findings += esri.cut_short(data, source)
    if esri.is_esri(data):
        return esri.read(data, source, findings)
    if topology.is_topology(data):
        return topology.read(data, source, findings)
    features = _features(data, source, findings)
    if features is None:
        from geotools.io import forms

        return forms.from_json(data, source)
    said, implied = _said_crs(data, source)
    return build(enumerate(features, start=1), source, said, implied=implied, findings=findings)


def layers(source: Source) -> list[str]:
    """Names of the objects of a TopoJSON file; else the file's own name."""
    try:
        data, _ = parse(decode(source))
    except (ValueError, RecursionError) as error:
        raise source.refuse("it is not usable JSON", "export it again from where it came from") from error
    return topology.names(data) if topology.is_topology(data) else [source.path.stem]


def decode(source: Source) -> str:
    """The text of a file: by its byte-order mark, as UTF-8, or as the caller says."""
    data = source.path.read_bytes()
    encoding = text.bom(data) or source.encoding or "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        guess = text.suspect([data])
        line = data[: error.start].count(b"\n") + 1
        raise source.refuse(
            f"line {line} is not {encoding} text; it looks like {guess}",
            f"read it with encoding='{guess}' (--encoding {guess})",
        ) from error
    except LookupError as error:
        raise source.refuse(f"there is no text encoding '{encoding}'", "for example utf-8, cp1251, cp1254") from error


def parse(content: str) -> tuple[Any, int]:
    """JSON and how many names stood twice in one object."""
    twice = 0

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        made = dict(items)
        twice += len(items) - len(made)
        return made

    return json.loads(content, object_pairs_hook=pairs), twice


def _refuse_json(error: json.JSONDecodeError, source: Source, content: str) -> NoReturn:
    cut = error.pos >= len(content.rstrip())
    what = (
        "it is cut off: the JSON ends too early"
        if cut
        else f"it is not JSON at line {error.lineno}, column {error.colno} ({error.msg})"
    )
    if cut:
        what += f" (line {error.lineno}, after {content.count(chr(34) + 'Feature' + chr(34))} features)"
    raise source.refuse(what, "copy it again, or export it again from where it came from") from error


def _is_sequence(content: str) -> bool:
    head = content.lstrip("\x1e \r\n\t").split("\n", 1)[0].strip()
    try:
        first = json.loads(head)
    except ValueError:
        return False
    return isinstance(first, dict)


def _features(data: Any, source: Source, findings: list[Finding]) -> list[Any] | None:
    """The features of a document, or None if it is not GeoJSON but may be something else."""
    if isinstance(data, dict):
        kind = str(data.get("type", "")).casefold()
        for key in ("features", "Features"):
            if isinstance(data.get(key), list):
                if kind != "featurecollection":
                    findings.append(
                        Finding(
                            "RD-07", "info", f"{source.label}: its type should be FeatureCollection; it was read as one"
                        )
                    )
                listed: list[Any] = data[key]
                return listed
        if kind == "feature" or kind in TYPES:
            return [data]
        if kind == "featurecollection":
            raise source.refuse("the FeatureCollection has no list of features", "export it again")
        if said := esri.is_answer_of_server(data):
            raise source.refuse(
                f"there are no records in it, but an error that a server sent ({said})",
                "download it again, logged in where the server asks for that",
            )
        if kind == "topology" or "spatialReference" in data:
            raise source.refuse("this is Esri JSON or TopoJSON without any rows", "export it again")
    if isinstance(data, list) and any(
        isinstance(item, dict) and str(item.get("type", "")).casefold() == "feature" for item in data
    ):
        findings.append(
            Finding("RD-07", "info", f"{source.label}: a bare list of features; it was read as a FeatureCollection")
        )
        return data
    return None


def _said_crs(data: Any, source: Source) -> tuple[pyproj.CRS, bool]:
    member = data.get("crs") if isinstance(data, dict) else None
    if not member:
        return _crs.WGS84, True
    name = _named_system(member)
    if re.search(r"CRS:?84$", name):
        return _crs.WGS84, False
    try:
        return _crs.parse(name), False
    except CRSError as error:
        if source.crs is not None:
            return source.crs, False
        shown = name or json.dumps(member, ensure_ascii=False)[:80]
        raise CRSError(
            f"its reference system '{shown}' is not known", hint="give one: crs='EPSG:32638'", file=source.label
        ) from error


def _named_system(member: Any) -> str:
    """The name or code in a ``crs`` member, also of the kinds that were never common (``EPSG``, ``link``)."""
    values = member.get("properties") if isinstance(member, dict) else None
    if not isinstance(values, dict):
        return str(member.get("name") or "") if isinstance(member, dict) else str(member)
    if values.get("name"):
        return str(values["name"])
    if values.get("code"):
        return f"EPSG:{values['code']}"
    linked = re.search(r"epsg[/:](?:0/)?(\d{4,6})", str(values.get("href", "")), re.IGNORECASE)
    return f"EPSG:{linked[1]}" if linked else ""


def read_sequence(source: Source) -> Raw:
    """Read one JSON text per line (or separated by RS characters); damaged lines are rejected one by one.

    Raises
    ------
    ReadError
        If no line is a feature.
    """
    content = decode(source)
    separated = content.replace("\x1e", "\n") if "\x1e" in content else content
    findings: list[Finding] = []

    def each() -> Iterator[tuple[int, Any]]:
        for number, line in enumerate(separated.split("\n"), start=1):
            stripped = line.strip()
            if not stripped:
                continue
            try:
                yield number, json.loads(stripped)
            except (ValueError, RecursionError) as error:
                place = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
                findings.append(
                    Finding(
                        "RD-02", "error", f"rejected: the line is not JSON{place}", number=number, value=stripped[:80]
                    )
                )

    items = list(each())
    if not items and findings:
        raise source.refuse("no line of it is JSON", "is it really a GeoJSON text sequence?")
    if items and not any(isinstance(item, dict) and (_is_feature(item)) for _, item in items):
        raise source.refuse("no line of it is a GeoJSON feature", "is it really a GeoJSON text sequence?")
    flat = [
        (n, f)
        for n, item in items
        for f in (item["features"] if isinstance(item, dict) and isinstance(item.get("features"), list) else [item])
    ]
    return build(flat, source, _crs.WGS84, implied=True, findings=findings)


def _is_feature(item: dict[str, Any]) -> bool:
    return str(item.get("type", "")).casefold() in {"feature", "featurecollection", *TYPES}


def build(
    features: Iterable[tuple[int, Any]],
    source: Source,
    crs: pyproj.CRS,
    *,
    implied: bool,
    findings: list[Finding] | None = None,
) -> Raw:
    """A raw layer from numbered features."""
    found = [] if findings is None else findings
    properties: list[dict[str, Any]] = []
    shapes: list[BaseGeometry | None] = []
    ids: list[Any] = []
    numbers: list[int] = []
    for number, feature in features:
        if not isinstance(feature, dict):
            what = "it is null" if feature is None else "it is not a feature"
            found.append(Finding("RD-02", "error", f"rejected: {what}", number=number, value=str(feature)[:80]))
            continue
        row = len(numbers)
        numbers.append(number)
        values, raw_shape = _parts(feature, row, found)
        properties.append(values)
        ids.append(feature.get("id"))
        shapes.append(_shape(raw_shape, row, found))
    made = table(properties)
    _take_ids(made, ids, source)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return Raw(source.path.stem, made, array, crs, implied, found, np.array(numbers, dtype=np.int64))


def _parts(feature: dict[str, Any], row: int, found: list[Finding]) -> tuple[dict[str, Any], Any]:
    """Properties and geometry object of a feature, wherever they are."""
    if "geometry" in feature:
        raw = feature["geometry"]
    elif str(feature.get("type", "")).casefold() in TYPES:
        raw = {k: feature[k] for k in ("type", "coordinates", "geometries") if k in feature}
        found.append(Finding("RD-06", "info", "a bare geometry without a feature around it; it was read as one", row))
    else:
        key = next((k for k in feature if k.casefold() in ("geometry", *_GEOMETRY_KEYS)), None)
        raw = feature[key] if key else None
        if key:
            found.append(
                Finding("RD-06", "warning", f"its geometry is called '{key}' instead of 'geometry'; it was read", row)
            )
        else:
            found.append(Finding("RD-03", "warning", "it has no member 'geometry'; the row is kept", row))
    values = feature.get("properties")
    if values is None:
        known = {"type", "geometry", "id", "bbox", "properties", "coordinates", "geometries"}
        values = {
            k: v for k, v in feature.items() if k not in known and k.casefold() not in ("geometry", *_GEOMETRY_KEYS)
        }
    elif not isinstance(values, dict):
        found.append(
            Finding("RD-06", "warning", "its properties are not an object; they are kept as text in 'properties'", row)
        )
        values = {"properties": json.dumps(values, ensure_ascii=False)}
    return values, raw


def _take_ids(table: pd.DataFrame, ids: list[Any], source: Source) -> None:
    """Feature ids become ``id``, unless a property already is the key; then ``feature_id`` where they differ."""
    if all(value is None for value in ids):
        return
    kind = source.kind or kind_of(source.path.stem)
    key = "id" if "id" in table else None
    if key is None and kind:
        mapped = renaming(table.columns, KINDS[kind])
        key = next((name for name, target in mapped.items() if target == "id"), None)
    if key is None:
        table.insert(0, "id", pd.Series(ids, dtype=object))
        return
    own = [None if v is None or v is pd.NA else str(v) for v in table[key]]
    if any(i is not None and str(i) != o for i, o in zip(ids, own, strict=True)) and "feature_id" not in table:
        table["feature_id"] = pd.Series(ids, dtype=object)


def _shape(raw: Any, row: int, found: list[Finding]) -> BaseGeometry | None:
    if raw is None:
        return None
    remarks: dict[str, None] = {}
    try:
        made = shape(raw, remarks)
    except (OddError, RecursionError) as odd:
        reason = str(odd) if isinstance(odd, OddError) else "its geometry is nested too deeply"
        found.append(
            Finding(
                "RD-03",
                "error",
                f"{reason}; the row is kept without geometry",
                row,
                value=json.dumps(raw, default=str)[:120],
            )
        )
        return None
    found.extend(Finding("RD-06", "info" if "closed" in r else "warning", r, row) for r in remarks)
    return made
