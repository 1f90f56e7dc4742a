"""Esri JSON, as ArcGIS services and IMSMA Core send it: rings, coded words, milliseconds. Not for GeoJSON (see `parse`).

Layout after the ArcGIS REST documentation: outer rings run clockwise, holes the other way, a curve is a point or more
with the name of its kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io import epochs
from geotools.io.geojson.columns import table
from geotools.io.geojson.shapes import OddError
from geotools.io.raw import Finding, Raw, Source
from geotools.model.errors import CRSError
from geotools.space import crs as _crs

_GEOMETRY = ("rings", "curveRings", "paths", "curvePaths", "points", "x", "y", "xmin")
STEP_DEG = 2.0  # between points of a circular arc


def is_esri(data: Any) -> bool:
    """Whether a JSON document is a feature set of Esri."""
    if not isinstance(data, dict) or not isinstance(data.get("features"), list):
        return False
    if str(data.get("type", "")).casefold() == "featurecollection":
        return False
    if "spatialReference" in data or str(data.get("geometryType", "")).startswith("esriGeometry"):
        return True
    first = next((f for f in data["features"] if isinstance(f, dict)), {})
    return isinstance(first.get("attributes"), dict) and "properties" not in first


def is_answer_of_server(data: Any) -> str | None:
    """The words of a server that sent an error in place of records; None for anything else."""
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict) or "features" in data:
        return None
    return str(error.get("message") or error.get("code") or "no reason")[:120]


def cut_short(data: Any, source: Source) -> list[Finding]:
    """An error if the server says that it did not send all rows."""
    if not isinstance(data, dict):
        return []
    more = data.get("properties")
    flags = [data.get("exceededTransferLimit"), more.get("exceededTransferLimit") if isinstance(more, dict) else None]
    if True not in flags:
        return []
    rows = len(data.get("features") or [])
    said = f"{source.label}: the server cut this export off: it sent {rows} rows and says that there are more. Export the rest as well, or as a file geodatabase"
    return [Finding("RD-07", "error", said, value=rows)]


def read(data: dict[str, Any], source: Source, findings: list[Finding]) -> Raw:
    """The rows of a feature set; words in place of codes, days and times in place of milliseconds.

    Raises
    ------
    CRSError
        If its geometries are in different systems, or in one that is not known.
    """
    rows: list[dict[str, Any]] = []
    shapes: list[BaseGeometry | None] = []
    numbers: list[int] = []
    systems: list[Any] = [data.get("spatialReference")]
    for number, feature in enumerate(data["features"], start=1):
        if not isinstance(feature, dict):
            said = "rejected: it is null" if feature is None else "rejected: it is not a feature"
            findings.append(Finding("RD-02", "error", said, number=number, value=str(feature)[:80]))
            continue
        row = len(rows)
        attributes = feature.get("attributes")
        rows.append(dict(attributes) if isinstance(attributes, dict) else {})
        numbers.append(number)
        raw_shape = feature.get("geometry")
        if isinstance(raw_shape, dict):
            systems.append(raw_shape.get("spatialReference"))
        shapes.append(_shape(raw_shape, data, row, findings))
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = shapes
    raw = Raw(
        source.path.stem, table(rows), geometry, _system(systems, source), False, findings,
        np.array(numbers, dtype=np.int64),
    )  # fmt: skip
    _fields(raw, data.get("fields"), source)
    return raw


def _fields(raw: Raw, fields: Any, source: Source) -> None:
    """Words for codes and times for milliseconds, as the list of fields says; `raw` is changed."""
    for field in fields if isinstance(fields, list) else []:
        name = field.get("name") if isinstance(field, dict) else None
        if name not in raw.table:
            continue
        if field.get("type") == "esriFieldTypeDate":
            values = _milliseconds(raw.table[name])
            if values is not None:
                raw.table[name] = _days_or_times(values, epochs.longitude(raw))
        domain = field.get("domain")
        coded = domain.get("codedValues") if isinstance(domain, dict) else None
        if isinstance(coded, list):
            words = {
                _code(c["code"]): str(c["name"]) for c in coded if isinstance(c, dict) and {"code", "name"} <= set(c)
            }
            before = list(raw.table[name])
            after = [words.get(_code(v), v) if v is not None and v is not pd.NA else None for v in before]
            if any(_code(v) in words for v in before):
                raw.table[name] = pd.Series(after, dtype=object)
                said = f"{source.label}: the codes of {name} were replaced by the words that the file gives for them"
                raw.findings.append(Finding("RD-07", "info", said, column=str(name), value=len(words)))


def _code(value: Any) -> str:
    """A code as text, one that is a number alike whether it is written 1 or 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _milliseconds(column: pd.Series) -> list[int | None] | None:
    """A column of the type Date as whole milliseconds; None if it holds text or numbers that are none."""
    out: list[int | None] = []
    values: list[Any] = column.tolist()
    for value in values:
        if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            out.append(None)
        elif isinstance(value, int | float) and abs(value) <= epochs.LARGEST and float(value) == int(value):
            out.append(int(value))
        else:
            return None
    return out


def _days_or_times(values: list[int | None], lon: float | None) -> pd.Series:
    """Days if every instant is a midnight, of UTC or of the civil time of the place; else times in UTC."""
    days = epochs.days(values, lon)
    return days if all(v is None or epochs.is_midnight(v, lon) for v in values) else epochs.instants(values)


def _system(said: Sequence[Any], source: Source) -> pyproj.CRS | None:
    """The one system of the file, or None if it names none."""
    found: list[pyproj.CRS] = []
    for reference in said:
        if not isinstance(reference, Mapping) or not reference:
            continue
        crs = _parsed(reference, source)
        if crs is not None and crs not in found:
            found.append(crs)
    if len(found) > 1:
        names = ", ".join(crs.name for crs in found)
        raise CRSError(f"its rows are in different systems ({names})", hint="make one file for each", file=source.label)
    return found[0] if found else None


def _parsed(reference: Mapping[str, Any], source: Source) -> pyproj.CRS | None:
    codes = [reference.get(key) for key in ("latestWkid", "wkid") if reference.get(key) not in (None, 0)]
    tries = [f"{authority}:{code}" for code in codes for authority in ("EPSG", "ESRI")]
    tries += [str(reference["wkt"])] if reference.get("wkt") else []
    for text in tries:
        try:
            crs = _crs.parse(text)
        except CRSError:
            continue
        return _crs.parse("EPSG:3857") if crs.to_epsg() == 3857 else crs
    if not tries:
        return None
    raise CRSError(
        f"its reference system {tries[0][:60]} is not known", hint="give one: crs='EPSG:32638'", file=source.label
    )


def _shape(raw: Any, data: Mapping[str, Any], row: int, findings: list[Finding]) -> BaseGeometry | None:
    if raw is None:
        return None
    remarks: dict[str, None] = {}
    try:
        made = shape(raw, remarks, has_z=data.get("hasZ"), has_m=data.get("hasM"))
    except (OddError, shapely.errors.ShapelyError, ValueError, TypeError) as odd:
        reason = str(odd) if isinstance(odd, OddError) else "its geometry cannot be read"
        said = f"{reason}; the row is kept without geometry"
        findings.append(Finding("RD-03", "error", said, row, value=str(raw)[:120]))
        return None
    findings.extend(Finding("RD-06", "warning", remark, row) for remark in remarks)
    return made


def shape(raw: Any, remarks: dict[str, None], *, has_z: Any = None, has_m: Any = None) -> BaseGeometry:
    """A shapely geometry from an Esri geometry; what had to be understood kindly goes into `remarks`.

    Raises
    ------
    OddError
        If it cannot be used.

    Examples
    --------
    >>> shape({"x": 47.2, "y": 39.6}, {}).wkt
    'POINT (47.2 39.6)'
    """
    if not isinstance(raw, Mapping):
        raise OddError("its geometry is not an object")
    if not any(key in raw for key in _GEOMETRY):
        raise OddError("its geometry is of no type that is known")
    z, m = bool(raw.get("hasZ", has_z)), bool(raw.get("hasM", has_m))
    if "x" in raw or "y" in raw:
        place = [_number(raw.get(key)) for key in ("x", "y")]
        if not all(map(math.isfinite, place)):
            return shapely.Point()
        height = _number(raw.get("z"))
        return shapely.Point([*place, height] if math.isfinite(height) else place)
    if "xmin" in raw:
        west, south, east, north = (_finite(_number(raw.get(key))) for key in ("xmin", "ymin", "xmax", "ymax"))
        return shapely.box(west, south, east, north)
    if "points" in raw:
        return shapely.MultiPoint(_flat([_position(p, z, m) for p in _listed(raw["points"])]))
    for key, make in (("curveRings", _areas), ("rings", _areas), ("curvePaths", _lines), ("paths", _lines)):
        if key in raw:
            return make([_drawn(part, z, m, remarks) for part in _listed(raw[key])], remarks)
    raise OddError("its geometry is of no type that is known")


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise OddError("its coordinates are not a list")
    return value


def _number(value: Any) -> float:
    """A number, also where it is written as text; what is none is NaN, as Esri writes a missing one."""
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError) as error:
        raise OddError(f"a coordinate is not a number ({str(value)[:40]})") from error


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OddError("a coordinate is not a number")
    return value


def _position(values: Any, z: bool, m: bool) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) < 2:
        raise OddError("a position has fewer than two numbers")
    x, y = (_finite(_number(v)) for v in values[:2])
    height = _number(values[2]) if len(values) > 2 and (z or (not m and len(values) == 3)) else math.nan
    return (x, y, height) if math.isfinite(height) else (x, y)


def _flat(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return points if len({len(p) for p in points}) == 1 else [p[:2] for p in points]


def _drawn(part: Any, z: bool, m: bool, remarks: dict[str, None]) -> list[tuple[float, ...]]:
    """The points of a ring or path; arcs and Bézier curves drawn with straight edges."""
    points: list[tuple[float, ...]] = []
    for item in _listed(part):
        if not isinstance(item, Mapping):
            points.append(_position(item, z, m))
            continue
        if not points:
            raise OddError("a curve has no beginning")
        remarks["its curves were drawn with straight edges"] = None
        points += _curve(points[-1], item, z, m)
    return _flat(points)


def _curve(start: tuple[float, ...], item: Mapping[str, Any], z: bool, m: bool) -> list[tuple[float, ...]]:
    ((kind, values),) = item.items() if len(item) == 1 else [("", None)]
    if kind == "c" and isinstance(values, list) and len(values) >= 2:
        end, through = _position(values[0], z, m), _position(values[1], False, False)
        return [*_arc(start, through[:2], end), end]
    if kind == "a" and isinstance(values, list) and len(values) >= 4:
        end, middle = _position(values[0], z, m), _position(values[1], False, False)[:2]
        if len(values) >= 7 and float(values[6]) != 1:
            raise OddError("it has elliptic arcs, which are not read")
        return [*_about(start, middle, end, clockwise=bool(values[3]), minor=bool(values[2])), end]
    if kind == "b" and isinstance(values, list) and len(values) >= 3:
        end = _position(values[0], z, m)
        one, two = (np.array(_position(v, False, False)[:2]) for v in values[1:3])
        at = np.linspace(0, 1, 33)[1:-1, None]
        a, d = np.array(start[:2]), np.array(end[:2])
        drawn = (1 - at) ** 3 * a + 3 * (1 - at) ** 2 * at * one + 3 * (1 - at) * at**2 * two + at**3 * d
        return [*map(tuple, drawn.tolist()), end]
    raise OddError("it has a curve of a kind that is not read")


def _arc(start: Sequence[float], through: Sequence[float], end: Sequence[float]) -> list[tuple[float, ...]]:
    """Points between the ends of the circle through three points."""
    a, b, c = (complex(p[0], p[1]) for p in (start, through, end))
    if a == c:  # a whole circle: the point given lies opposite
        return _turned(a, (a + b) / 2, 2 * math.pi)
    w = (c - a) / (b - a) if b != a else complex(0, 0)
    if w.imag == 0:
        return [] if b in (a, c) else [(b.real, b.imag)]
    middle = a + (b - a) * (w - abs(w) ** 2) / (2j * w.imag)
    turn = _angle(a, middle, c, clockwise=_is_right(a, b, c))
    return _turned(a, middle, turn)


def _about(
    start: Sequence[float], middle: Sequence[float], end: Sequence[float], *, clockwise: bool, minor: bool
) -> list[tuple[float, ...]]:
    """Points between the ends of an arc about a centre."""
    a, o, c = (complex(p[0], p[1]) for p in (start, middle, end))
    if abs(a - c) <= 1e-12 * abs(a - o):
        return _turned(a, o, -2 * math.pi if clockwise else 2 * math.pi)
    turn = _angle(a, o, c, clockwise=clockwise)
    if minor and abs(turn) > math.pi + 1e-9:
        raise OddError("an arc contradicts itself")
    return _turned(a, o, turn)


def _is_right(a: complex, b: complex, c: complex) -> bool:
    return ((b - a).conjugate() * (c - b)).imag < 0


def _angle(a: complex, middle: complex, c: complex, *, clockwise: bool) -> float:
    turn = math.atan2(((a - middle).conjugate() * (c - middle)).imag, ((a - middle).conjugate() * (c - middle)).real)
    turn %= 2 * math.pi
    return turn - 2 * math.pi if clockwise else turn


def _turned(a: complex, middle: complex, turn: float) -> list[tuple[float, ...]]:
    count = max(2, math.ceil(abs(math.degrees(turn)) / STEP_DEG))
    steps = (middle + (a - middle) * complex(math.cos(t), math.sin(t)) for t in turn * np.arange(1, count) / count)
    return [(p.real, p.imag) for p in steps]


def _lines(parts: list[list[tuple[float, ...]]], remarks: dict[str, None]) -> BaseGeometry:
    lines = [shapely.LineString(part) for part in parts if len(part) > 1]
    if len(lines) < len(parts):
        remarks["a line in it has fewer than two points and was left out"] = None
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def _areas(parts: list[list[tuple[float, ...]]], remarks: dict[str, None]) -> BaseGeometry:
    """Areas from rings by the way they run; a hole belongs to the smallest area around it."""
    rings = []
    for part in parts:
        if len({p[:2] for p in part}) < 3:
            raise OddError("a ring has fewer than three different points")
        rings.append(shapely.LinearRing(part))
    filled = [shapely.Polygon(ring) for ring in rings]
    outer = [number for number, ring in enumerate(rings) if not shapely.is_ccw(ring)]
    inner = [number for number in range(len(rings)) if number not in outer]
    if any(not any(_within(filled, number, o) for o in outer) for number in inner):
        remarks["its rings run the wrong way round; those inside others were read as holes"] = None
        depths = [
            sum(_within(filled, n, other) for other in range(len(rings)) if other != n) for n in range(len(rings))
        ]
        outer = [number for number, depth in enumerate(depths) if depth % 2 == 0]
    holes: dict[int, list[Any]] = {number: [] for number in outer}
    for number in (n for n in range(len(rings)) if n not in holes):
        around = [o for o in outer if _within(filled, number, o)]
        holes[min(around, key=lambda o: filled[o].area)].append(rings[number])
    made = [shapely.Polygon(rings[number], within) for number, within in holes.items()]
    return made[0] if len(made) == 1 else shapely.MultiPolygon(made)


def _within(filled: Sequence[Any], one: int, other: int) -> bool:
    """Whether one ring lies in another, also where both touch: by its corners, for either may cross itself."""
    if (filled[one].area, one) > (filled[other].area, other):
        return False
    corners = shapely.points(shapely.get_coordinates(filled[one].exterior))
    around = filled[other] if filled[other].is_valid else shapely.make_valid(filled[other])
    return bool(shapely.covers(around, corners).all())
