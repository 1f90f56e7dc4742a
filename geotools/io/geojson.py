"""GeoJSON and GeoJSON text sequences: read leniently with every oddity named, written as RFC 7946.

Read here rather than through GDAL, which passes over features it does not understand. Not for TopoJSON or Esri JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io import text
from geotools.io.raw import Finding, Raw, Source
from geotools.model.errors import CRSError, ReadError
from geotools.model.schema import KINDS, kind_of, renaming
from geotools.space import crs as _crs
from geotools.space import geom

_TYPES = {
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
_DEPTH = {"Point": 1, "MultiPoint": 2, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}
_GEOMETRY_KEYS = ("geom", "the_geom", "shape", "geometrie", "wkb_geometry")
DECIMALS = 7


class _OddError(ValueError):
    """A geometry that cannot be used, with the reason in plain words."""


def read(source: Source) -> Raw:
    """Read a GeoJSON file: a FeatureCollection, a Feature, a bare geometry or a list of features.

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
        raise source.refuse(f"it is not usable JSON ({str(error)[:120]})") from error
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
    features = _features(data, source, findings)
    if features is None:
        from geotools.io import forms

        return forms.from_json(data, source)
    said, implied = _said_crs(data, source)
    return build(enumerate(features, start=1), source, said, implied=implied, findings=findings)


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
        if kind == "feature" or kind in _TYPES:
            return [data]
        if kind == "featurecollection":
            raise source.refuse("the FeatureCollection has no list of features", "export it again")
        if kind == "topology" or "spatialReference" in data:
            raise source.refuse(
                "this is TopoJSON or Esri JSON, not GeoJSON", "convert it to GeoJSON or GeoPackage first"
            )
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
    name = (
        member.get("properties", {}).get("name", "")
        if isinstance(member, dict) and isinstance(member.get("properties"), dict)
        else member
    )
    if re.search(r"CRS:?84$", str(name)):
        return _crs.WGS84, False
    try:
        return _crs.parse(name), False
    except CRSError as error:
        raise CRSError(
            f"its reference system '{name}' is not known", hint="give one: crs='EPSG:32638'", file=source.label
        ) from error


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
    return str(item.get("type", "")).casefold() in {"feature", "featurecollection", *_TYPES}


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
    table = _table(properties)
    _take_ids(table, ids, source)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return Raw(source.path.stem, table, array, crs, implied, found, np.array(numbers, dtype=np.int64))


def _parts(feature: dict[str, Any], row: int, found: list[Finding]) -> tuple[dict[str, Any], Any]:
    """Properties and geometry object of a feature, wherever they are."""
    if "geometry" in feature:
        raw = feature["geometry"]
    elif str(feature.get("type", "")).casefold() in _TYPES:
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


def _table(properties: list[dict[str, Any]]) -> pd.DataFrame:
    names = dict.fromkeys(name for values in properties for name in values)
    columns = {}
    for name in names:
        column = [values.get(name) for values in properties]
        columns["geometry_property" if name == "geometry" else name] = _typed(column)
    return pd.DataFrame(columns, index=range(len(properties)))


def _typed(values: list[Any]) -> pd.Series:
    kinds = {type(v) for v in values if v is not None}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if None in values else bool)
    if kinds == {int} and all(v is None or abs(v) < 2**63 for v in values):
        return pd.Series(values, dtype="Int64" if None in values else "int64")
    if kinds and kinds <= {int, float}:
        return pd.Series(
            [np.nan if v is None else float(v) if abs(v) < 1e300 else np.inf for v in values], dtype="float64"
        )
    return pd.Series(values, dtype=object)


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
    except (_OddError, RecursionError) as odd:
        reason = str(odd) if isinstance(odd, _OddError) else "its geometry is nested too deeply"
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


def shape(raw: Any, remarks: dict[str, None]) -> BaseGeometry:
    """A shapely geometry from a GeoJSON geometry object; what had to be understood kindly goes into `remarks`."""
    if not isinstance(raw, dict):
        raise _OddError("its geometry is not an object")
    given = str(raw.get("type", ""))
    kind = _TYPES.get(given.casefold())
    if kind is None:
        raise _OddError(f"its geometry type '{given[:40]}' does not exist" if given else "its geometry has no type")
    if kind != given:
        remarks[f"its geometry type '{given}' should be written '{kind}'; it was read"] = None
    if kind == "GeometryCollection":
        members = raw.get("geometries")
        if not isinstance(members, list):
            raise _OddError("its GeometryCollection has no list of geometries")
        return shapely.GeometryCollection([shape(member, remarks) for member in members if member is not None])
    if "coordinates" not in raw:
        raise _OddError("its geometry has no coordinates")
    coordinates = raw["coordinates"]
    if not isinstance(coordinates, list):
        raise _OddError("its coordinates are not a list")
    if not coordinates:
        return getattr(shapely, kind)()
    try:
        with np.errstate(invalid="ignore"):
            return _made(kind, coordinates, remarks)
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        if isinstance(error, _OddError):
            raise
        raise _OddError(_plain(str(error), kind)) from error


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
        raise _OddError("an area has no boundary")
    made = []
    for ring in rings:
        points = _positions(ring, remarks)
        if len(points) < 3:
            raise _OddError("a ring has fewer than three different points")
        if (points[0] != points[-1]).any():
            remarks["a ring was not closed; it was closed"] = None
        made.append(points)
    return shapely.Polygon(made[0], made[1:])


def _positions(values: Any, remarks: dict[str, None]) -> np.ndarray:
    """An (n, 2) or (n, 3) array of positions."""
    if not isinstance(values, list):
        raise _OddError("a list of positions is missing")
    try:
        array = np.array(values, dtype=float)
    except (ValueError, TypeError, OverflowError):
        array = _slow_positions(values, remarks)
    else:
        if any(isinstance(v, str) for p in values[:1] if isinstance(p, list) for v in p):
            remarks["its coordinates are written as text; they were read as numbers"] = None
    if array.ndim != 2 or array.shape[1] < 2:
        raise _OddError("its coordinates are not nested as its type needs")
    if array.shape[1] > 3:
        remarks["positions have more than three values; those after the height are left out"] = None
        array = array[:, :3]
    return array


def _slow_positions(values: list[Any], remarks: dict[str, None]) -> np.ndarray:
    rows = []
    for position in values:
        if not isinstance(position, list) or len(position) < 2:
            raise _OddError("a position has fewer than two numbers")
        try:
            rows.append([float(v) for v in position[:3]])
        except (TypeError, ValueError, OverflowError) as error:
            raise _OddError(f"a coordinate is not a number ({str(position)[:40]})") from error
    if any(isinstance(v, str) for p in values for v in p):
        remarks["its coordinates are written as text; they were read as numbers"] = None
    if any(len(p) > 3 for p in values):
        remarks["positions have more than three values; those after the height are left out"] = None
    if len({len(r) for r in rows}) > 1:
        remarks["some positions have a height and some have none; heights of this row are left out"] = None
        rows = [r[:2] for r in rows]
    return np.array(rows, dtype=float)


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write RFC 7946 GeoJSON: WGS 84, right-hand rule, 7 decimals, ``id`` member, no ``crs``."""
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
        stream.write(
            '{"type": "FeatureCollection", "name": ' + json.dumps(layer, ensure_ascii=False) + ', "features": ['
        )
        for number, feature in enumerate(features_text(frame)):
            stream.write((",\n" if number else "\n") + feature)
        stream.write("\n]}\n")


def write_sequence(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write one RFC 7946 feature per line; with RS characters (RFC 8142) if the file is called .geojsons."""
    mark = "\x1e" if path.suffix.lower() == ".geojsons" else ""
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
        for feature in features_text(frame):
            stream.write(f"{mark}{feature}\n")


def features_text(frame: gpd.GeoDataFrame) -> Iterator[str]:
    """Each row of a plain frame (see `io.writing.plain`) as the text of an RFC 7946 feature.

    Examples
    --------
    >>> frame = gpd.GeoDataFrame({"id": ["a"], "n": [1]}, geometry=[shapely.Point(47.123456789, 39)], crs="EPSG:4326")
    >>> next(features_text(frame))
    '{"type": "Feature", "id": "a", "properties": {"n": 1}, "geometry": {"type":"Point","coordinates":[47.1234568,39.0]}}'
    """
    shapes = to_rfc7946(frame)
    texts = shapely.to_geojson(shapes)
    names = [name for name in frame.columns if name not in ("id", frame.geometry.name)]
    columns = [[_json_value(v) for v in frame[name]] for name in names]
    ids = [_json_value(v) for v in frame["id"]] if "id" in frame else None
    keys = [json.dumps(name, ensure_ascii=False) for name in names]
    for row in range(len(frame)):
        body = ", ".join(
            f"{key}: {json.dumps(column[row], ensure_ascii=False)}" for key, column in zip(keys, columns, strict=True)
        )
        head = f'"id": {json.dumps(ids[row], ensure_ascii=False)}, ' if ids is not None and ids[row] is not None else ""
        yield f'{{"type": "Feature", {head}"properties": {{{body}}}, "geometry": {texts[row] or "null"}}}'


def to_rfc7946(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Geometry in WGS 84, rounded to 7 decimals, wound by the right-hand rule.

    Where rounding would make a part collapse or the area invalid, that geometry keeps all its decimals: nothing gets lost.
    """
    shapes = np.array(frame.geometry.array, dtype=object)
    if frame.crs is not None and _crs.parse(frame.crs) != _crs.WGS84:
        shapes = to_lonlat(shapes, frame.crs)
    shapes = geom.orient(shapes)
    flat = shapely.has_z(shapes)
    rounded = shapes.copy()
    rounded[flat] = shapely.transform(
        shapes[flat], lambda c: np.column_stack([np.round(c[:, :2], DECIMALS), np.round(c[:, 2], 3)]), include_z=True
    )
    rounded[~flat] = shapely.transform(shapes[~flat], lambda c: np.round(c, DECIMALS))
    slim = rounded.copy()
    areas = shapely.get_dimensions(shapes) > 0
    slim[areas] = [_slim(shape) for shape in rounded[areas]]
    with np.errstate(invalid="ignore"):
        hurt = areas & (
            shapely.is_empty(slim)
            | (shapely.is_valid(shapes) & ~shapely.is_valid(slim))
            | (_rings(slim) != _rings(shapes))
        )
    slim[hurt] = shapes[hurt]
    return np.asarray(slim, dtype=object)


def _slim(shape: Any) -> Any:
    """Without repeated points; empty if so little is left that it is no ring or line any more."""
    try:
        return shapely.remove_repeated_points(shape)
    except shapely.errors.GEOSException:
        return type(shape)()


def _rings(shapes: np.ndarray) -> np.ndarray:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings = np.where(shapely.get_type_id(parts) == 3, shapely.get_num_interior_rings(parts) + 1, 1)
    return np.bincount(owner, weights=rings, minlength=len(shapes))


def to_lonlat(shapes: np.ndarray, crs: Any) -> np.ndarray:
    """Geometry in WGS 84 longitude and latitude with heights kept as they are."""
    moved = _crs.transform(shapes, crs, _crs.WGS84)
    return np.asarray(with_heights(gpd.GeoSeries(shapes), gpd.GeoSeries(moved)).array, dtype=object)


def with_heights(before: gpd.GeoSeries, after: gpd.GeoSeries) -> gpd.GeoSeries:
    """`after`, a plane transformation of `before`, with the heights of `before`; heights belong to no plane system."""
    out = np.array(after.array, dtype=object)
    old = np.array(before.array, dtype=object)
    for row in np.flatnonzero(shapely.has_z(old) & ~shapely.has_z(out)):
        heights = shapely.get_coordinates(old[row], include_z=True)[:, 2]
        out[row] = shapely.transform(old[row], _replaced(shapely.get_coordinates(out[row]), heights), include_z=True)
    return gpd.GeoSeries(out, index=after.index, crs=after.crs)


def _replaced(lonlat: np.ndarray, heights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda _: np.column_stack([lonlat, heights])


def _json_value(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


__all__ = [
    "ReadError",
    "build",
    "decode",
    "features_text",
    "parse",
    "read",
    "read_sequence",
    "shape",
    "to_rfc7946",
    "write",
    "write_sequence",
]
