"""GPX 1.0 and 1.1: waypoints, routes, tracks and track points, with every child element kept; written for hand-helds.

Read in one pass over the file. GPX has no areas: a boundary is written as a closed track and stays a line when read.
"""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import Any
from xml.parsers import expat

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io import geojson, markup
from geotools.io.raw import Finding, Raw, Source, choose_layer
from geotools.model.schema import kind_of
from geotools.space import crs as _crs

POINTS = {"wpt": "waypoints", "rtept": "route_points", "trkpt": "fixes"}
LINES = {"rte": "routes", "trk": "tracks"}
PREFERRED = {"fixes": "fixes", "tracks": "tracks"}
NAMESPACE = "https://geotools.example/gpx/1"
_NUMERIC = frozenset({"ele", "hdop", "vdop", "pdop", "speed", "course"})
_RENAMED = {
    "ele": "elevation_m",
    "sat": "satellites",
    "fix": "fix_quality",
    "course": "heading_deg",
    "speed": "speed_mps",
}


QUICK_MAX = 512 << 20
_LEAVES = ("ele", "time")
# One track point with plain children in the order of the standard; anything else is caught by the last group.
_TRKPT = re.compile(
    rb'<trkpt\s+lat="([^"]*)"\s+lon="([^"]*)"\s*>\s*(?:<ele>([^<]*)</ele>\s*)?(?:<time>([^<]*)</time>\s*)?'
    rb"((?:<(?:fix|sat|hdop|vdop|pdop)>[^<]*</\w+>\s*)*)</trkpt>|(\S)"
)
_LEAF = re.compile(rb"<(\w+)>([^<]*)</\1>")
_LAST = operator.itemgetter(5)
_SLICE = 1 << 18
_Block = tuple[list[bytes], list[bytes], list[bytes], list[bytes], list[bytes]]


def _segment(data: bytes, begin: int, end: int) -> _Block | None:
    """Columns (lat, lon, ele, time, other leaves) of a track segment that holds nothing but plain points, else None.

    In slices: tuples of a whole segment would live long enough to trouble the garbage collector.
    """
    if data.find(b"&", begin, end) >= 0:
        return None
    columns: _Block = ([], [], [], [], [])
    while begin < end:
        stop = data.rfind(b"</trkpt>", begin, min(begin + _SLICE, end)) + 8 if begin + _SLICE < end else end
        found = _TRKPT.findall(data, begin, stop) if stop > begin else []
        if not found and not data[begin:stop].strip():
            break
        if not found or any(map(_LAST, found)):
            return None
        for column, values in zip(columns, zip(*found, strict=True), strict=False):
            column.extend(values)
        begin = stop
    return columns if columns[0] else None


def _is_plain(data: bytes) -> bool:
    """UTF-8 without comments, CDATA, declarations or entities, in which text search sees what an XML parser sees."""
    head = data[:200]
    declared = re.search(rb"encoding=[\"']([\w\-]+)", head)
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        return False
    return b"<!" not in data and b"<?geotools" not in data and b"\x00" not in head


class _Points:
    """Points of one kind: positions, and child values by row."""

    __slots__ = ("blocks", "lat", "lon", "values")

    def __init__(self) -> None:
        self.lat: list[float] = []
        self.lon: list[float] = []
        self.values: dict[str, dict[int, str]] = {}
        self.blocks: dict[str, list[tuple[int, list[str]]]] = {}

    @property
    def names(self) -> list[str]:
        """Child elements that some point has."""
        return list(dict.fromkeys((*self.blocks, *self.values)))

    def texts(self, name: str) -> list[str | None]:
        """The values of a child element, one for each point."""
        out: list[str | None] = [None] * len(self.lat)
        for begin, column in self.blocks.get(name, []):
            out[begin : begin + len(column)] = [text or None for text in column] if "" in column else column
        for row, value in self.values.get(name, {}).items():
            out[row] = value
        return out


class _Lines:
    """Routes or tracks: child values, and where the segments of each begin."""

    __slots__ = ("rows", "segments")

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.segments: list[tuple[int, int]] = []


class Document:
    """All there is in a GPX file, column by column."""

    def __init__(self, source: Source) -> None:
        self.points = {name: _Points() for name in POINTS}
        self.lines = {name: _Lines() for name in LINES}
        self.is_gpx = False
        if not self._quickly(source):
            parser = markup.parser()
            _handlers(self, parser)
            markup.feed(parser, source)
        if not self.is_gpx:
            raise source.refuse("it is XML but not GPX", "is it a KML or another format with the wrong ending?")

    def _quickly(self, source: Source) -> bool:
        """Read plain track segments as text and only the rest as XML; false (and nothing done) where that is not safe."""
        if source.path.stat().st_size > QUICK_MAX:
            return False
        data = source.path.read_bytes()
        if not _is_plain(data):
            return False
        blocks: list[_Block] = []
        pieces: list[bytes] = []
        at = 0
        while (begin := data.find(b"<trkseg>", at)) >= 0 and (end := data.find(b"</trkseg>", begin)) >= 0:
            found = _segment(data, begin + 8, end)
            if found is not None:
                pieces += [data[at:begin], b"<trkseg><?geotools %d?></trkseg>" % len(blocks)]
                blocks.append(found)
            else:
                pieces.append(data[at : end + 9])
            at = end + 9
        skeleton = b"".join((*pieces, data[at:]))
        if not blocks:
            return False
        fresh = {name: _Points() for name in POINTS}, {name: _Lines() for name in LINES}
        try:
            parser = markup.parser()
            _handlers(self, parser)
            parser.ProcessingInstructionHandler = lambda target, number: self._fill(blocks[int(number)])
            parser.Parse(skeleton, True)
        except (expat.ExpatError, markup.RefusedError, ValueError, LookupError):
            self.points, self.lines = fresh  # the slow way finds the place of the damage
            return False
        return True

    def _fill(self, block: _Block) -> None:
        points = self.points["trkpt"]
        begin = len(points.lat)
        points.lat.extend(map(float, block[0]))
        points.lon.extend(map(float, block[1]))
        for name, column in zip(_LEAVES, block[2:4], strict=True):
            if any(column):
                texts = b"\x00".join(column).decode("utf-8").split("\x00")
                points.blocks.setdefault(name, []).append((begin, texts))
        for row, rest in enumerate(block[4], start=begin) if any(block[4]) else ():
            leaves = _LEAF.findall(rest)
            if len(leaves) != rest.count(b"</"):
                raise ValueError("elements do not match")
            for leaf, text in leaves:
                points.values.setdefault(leaf.decode(), {})[row] = text.decode("utf-8").strip()

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each layer."""
        found = {
            "waypoints": len(self.points["wpt"].lat),
            "routes": len(self.lines["rte"].rows),
            "tracks": len(self.lines["trk"].rows),
        }
        return found | {"route_points": len(self.points["rtept"].lat), "fixes": len(self.points["trkpt"].lat)}


def _number(text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")


def _handlers(document: Document, parser: Any) -> None:
    """Callbacks with as little work per element as can be: a track log has millions."""
    names: dict[str, str] = {}
    text: list[str] = []
    points: _Points | None = None
    row = 0
    lines: _Lines | None = None
    key = ""
    numbers = float

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal points, row, lines, key
        local = names.get(name)
        if local is None:
            local = names.setdefault(name, name.rpartition(":")[2])
        text.clear()
        if local in POINTS:
            points = document.points[local]
            row = len(points.lat)
            try:
                points.lat.append(numbers(attributes["lat"]))
                points.lon.append(numbers(attributes["lon"]))
            except (KeyError, ValueError):
                del points.lat[row:], points.lon[row:]
                points.lat.append(_number(attributes.get("lat")))
                points.lon.append(_number(attributes.get("lon")))
                points.values.setdefault("source_coords", {})[row] = (
                    f"{attributes.get('lat', '')} {attributes.get('lon', '')}"
                )
        elif local in LINES:
            lines = document.lines[local]
            lines.rows.append({})
            if local == "rte":
                lines.segments.append((len(lines.rows) - 1, len(document.points["rtept"].lat)))
        elif local == "trkseg" and lines is not None:
            lines.segments.append((len(lines.rows) - 1, len(document.points["trkpt"].lat)))
        elif local == "gpx":
            document.is_gpx = True
        elif local == "value" and "name" in attributes:
            key = attributes["name"]
        elif local == "link" and "href" in attributes:
            text.append(attributes["href"])

    def end(name: str) -> None:
        nonlocal points, lines, key
        local = names[name]
        if local in POINTS:
            points = None
        elif local in LINES:
            lines = None
        elif text and (points is not None or lines is not None):
            value = "".join(text).strip()
            if value:
                column = key or local
                if points is not None:
                    cells = points.values.get(column)
                    if cells is None:
                        cells = points.values.setdefault(column, {})
                    cells[row] = value if row not in cells else f"{cells[row]}; {value}"
                elif lines is not None:
                    own = lines.rows[-1]
                    own[column] = f"{own[column]}; {value}" if column in own else value
        text.clear()
        key = ""

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append


def layers(source: Source) -> list[str]:
    """Layers with rows: waypoints, routes, tracks. Single track points are the layer ``fixes``, on request only."""
    counts = Document(source).counts
    return [name for name in ("waypoints", "routes", "tracks") if counts[name]] or ["waypoints"]


def read(source: Source) -> Raw:
    """Read waypoints, routes or tracks as rows; ``layer="fixes"`` or kind ``fixes`` reads the points of tracks.

    Raises
    ------
    ReadError
        If it is not GPX, or holds several layers and none was named.
    """
    document = Document(source)
    counts = document.counts
    kind = source.kind or kind_of(source.path.stem)
    names = [name for name, count in counts.items() if count] or ["waypoints"]
    offered = [name for name in names if name not in ("route_points", "fixes")] or names
    prefer = PREFERRED.get(kind or "", "waypoints" if kind else None)
    if source.layer is not None or prefer in names:
        layer, findings = choose_layer(source, names if source.layer is not None else [str(prefer)])
        left = [name for name in offered if name != layer and not (layer == "fixes" and name == "tracks")]
        if source.layer is None and left:
            findings.append(
                Finding(
                    "RD-07",
                    "info",
                    f"{source.label}: only {layer} were read; the file also has {', '.join(left)}",
                    value=layer,
                )
            )
    else:
        layer, findings = choose_layer(source, offered)
    tag = next(t for t, n in (POINTS | LINES).items() if n == layer)
    raw = _point_layer(document, tag, source) if tag in POINTS else _line_layer(document, tag, source)
    raw.findings[:0] = findings
    return raw


def _point_layer(document: Document, tag: str, source: Source) -> Raw:
    points = document.points[tag]
    count = len(points.lat)
    data: dict[str, Any] = {_RENAMED.get(name, name): _column(points.texts(name), name) for name in points.names}
    if tag != "wpt":
        data |= _owners(document, tag, count)
    table = pd.DataFrame(data, index=range(count))
    x, y = np.array(points.lon, dtype=float), np.array(points.lat, dtype=float)
    bad = np.flatnonzero(np.isnan(x) | np.isnan(y))
    shapes = np.empty(count, dtype=object)
    good = ~(np.isnan(x) | np.isnan(y))
    shapes[good] = shapely.points(x[good], y[good])
    if tag != "trkpt":
        _raise(shapes, table, keep=source.kind == "fixes")
    findings = [
        Finding("RD-03", "error", "its lat or lon is missing or not a number; the row is kept without geometry", int(r))
        for r in bad
    ]
    if tag == "wpt":
        _id_from_names(table)
    return Raw(POINTS[tag], table, shapes, _crs.WGS84, False, findings)


def _raise(shapes: np.ndarray, table: pd.DataFrame, *, keep: bool) -> None:
    """Elevations of waypoints become heights of their points; fixes keep them as a column too."""
    if "elevation_m" not in table or table["elevation_m"].dtype == object:
        return
    z = table["elevation_m"].to_numpy(dtype=float)
    rows = np.flatnonzero(np.isfinite(z) & ~shapely.is_missing(shapes))
    shapes[rows] = shapely.points(shapely.get_x(shapes[rows]), shapely.get_y(shapes[rows]), z[rows])
    if not keep:
        del table["elevation_m"]


def _owners(document: Document, tag: str, count: int) -> dict[str, Any]:
    """The run (track and segment) that each point belongs to."""
    lines = document.lines["trk" if tag == "trkpt" else "rte"]
    out = np.full(count, None, dtype=object)
    seen: dict[int, int] = {}
    for number, (owner, begin) in enumerate(lines.segments):
        stop = lines.segments[number + 1][1] if number + 1 < len(lines.segments) else count
        seen[owner] = seen.get(owner, 0) + 1
        title = lines.rows[owner].get("name", f"{owner + 1}")
        out[begin:stop] = title if tag == "rtept" else f"{title}/{seen[owner]}"
    return {"run_id": pd.Series(out, dtype=object)}


def _column(values: list[str | None], name: str) -> pd.Series:
    column = pd.Series(values, dtype=object)
    return _times(column) if name == "time" else _numbers(column) if name in _NUMERIC else column


def _times(column: pd.Series) -> pd.Series:
    """Instants in UTC where every text has its zone; otherwise left to be judged row by row."""
    filled = column.dropna()
    if not len(filled) or not all(v[-1] in "Zz" or v[-6:-5] in "+-" for v in filled):
        return column
    try:
        return pd.to_datetime(column, utc=True, format="ISO8601").astype("datetime64[ms, UTC]")
    except (ValueError, OverflowError):
        return column


def _numbers(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column


def _line_layer(document: Document, tag: str, source: Source) -> Raw:
    lines = document.lines[tag]
    points = document.points["trkpt" if tag == "trk" else "rtept"]
    x, y = np.array(points.lon, dtype=float), np.array(points.lat, dtype=float)
    heights = np.array([_number(value) for value in points.texts("ele")], dtype=float)
    findings: list[Finding] = []
    parts: list[list[np.ndarray]] = [[] for _ in lines.rows]
    times: list[list[str]] = [[] for _ in lines.rows]
    clock = points.texts("time")
    for number, (owner, begin) in enumerate(lines.segments):
        stop = lines.segments[number + 1][1] if number + 1 < len(lines.segments) else len(x)
        times[owner] += [t for r in (begin, stop - 1) if begin < stop and (t := clock[r])]
        if stop - begin == 1:
            findings.append(
                Finding(
                    "RD-06",
                    "warning",
                    "a segment of a single point is not part of the line",
                    owner,
                    value=f"{x[begin]:.7f} {y[begin]:.7f}",
                )
            )
        elif stop > begin:
            whole = np.isfinite(heights[begin:stop]).all()
            parts[owner].append(np.column_stack([x, y, heights] if whole else [x, y])[begin:stop])
    shapes = np.empty(len(lines.rows), dtype=object)
    shapes[:] = [_line(own) for own in parts]
    names = dict.fromkeys(name for row in lines.rows for name in row)
    table = pd.DataFrame(
        {n: pd.Series([row.get(n) for row in lines.rows], dtype=object) for n in names}, index=range(len(lines.rows))
    )
    if any(times):
        table["start"] = pd.Series([own[0] if own else None for own in times], dtype=object)
        table["end"] = pd.Series([own[-1] if own else None for own in times], dtype=object)
    _id_from_names(table)
    return Raw(LINES[tag], table, shapes, _crs.WGS84, False, findings)


def _line(parts: list[np.ndarray]) -> BaseGeometry | None:
    with np.errstate(invalid="ignore"):
        if not parts:
            return None
        if len(parts) == 1:
            return shapely.LineString(parts[0])
        flat = len({p.shape[1] for p in parts}) > 1
        return shapely.MultiLineString([p[:, :2] if flat else p for p in parts])


def _id_from_names(table: pd.DataFrame) -> None:
    """Hand-helds name each point: where names are there and differ, they are the key."""
    if "id" in table or "name" not in table:
        return
    if table["name"].notna().all() and table["name"].is_unique:
        table.insert(0, "id", table["name"])


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write GPX 1.1: points as waypoints, lines as tracks, areas as closed tracks; columns as extensions."""
    shapes = geojson.to_rfc7946(frame)
    names = [name for name in frame.columns if name != frame.geometry.name]
    values = {name: [geojson._json_value(v) for v in frame[name]] for name in names}
    body: dict[str, list[str]] = {"wpt": [], "trk": []}
    for row, shape in enumerate(shapes):
        data = {name: values[name][row] for name in names if values[name][row] is not None}
        tag, text = _element(shape, data)
        body[tag].append(text)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="geotools" ')
        stream.write(f'xmlns="http://www.topografix.com/GPX/1/1" xmlns:geotools="{NAMESPACE}">\n')
        stream.writelines((*body["wpt"], *body["trk"]))
        stream.write("</gpx>\n")


def _element(shape: Any, data: dict[str, Any]) -> tuple[str, str]:
    from geotools.model.errors import WriteError

    title = markup.quoted(str(data.get("name", data.get("id", ""))))
    more = "".join(
        f'<geotools:value name="{markup.attribute(str(k))}">{markup.quoted(str(v).lower() if isinstance(v, bool) else str(v))}</geotools:value>'
        for k, v in data.items()
        if k not in ("name", "time")
    )
    extensions = f"<extensions>{more}</extensions>" if more else ""
    if shape is None:
        raise WriteError(
            f"the row '{title}' has no geometry, and GPX holds nothing without a position",
            hint="write GeoPackage or CSV, or leave such rows out",
        )
    if shape.geom_type == "Point":
        head = f"<ele>{shape.z!r}</ele>" if shape.has_z else ""
        head += f"<time>{markup.quoted(str(data['time']))}</time>" if "time" in data else ""
        return "wpt", f'<wpt lat="{shape.y!r}" lon="{shape.x!r}">{head}<name>{title}</name>{extensions}</wpt>\n'
    if shape.geom_type in ("MultiPoint", "GeometryCollection"):
        raise WriteError(
            f"GPX has no place for the {shape.geom_type} of '{title}'",
            hint="split it into points, or write a GeoPackage",
        )
    rings = [
        r
        for part in shapely.get_parts(shape)
        for r in ([part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part])
    ]
    segments = "".join(
        f"<trkseg>{''.join(_trkpt(p) for p in shapely.get_coordinates(r, include_z=r.has_z))}</trkseg>" for r in rings
    )
    return "trk", f"<trk><name>{title}</name>{extensions}{segments}</trk>\n"


def _trkpt(point: np.ndarray) -> str:
    ele = f"<ele>{float(point[2])!r}</ele>" if len(point) > 2 else ""
    return f'<trkpt lat="{float(point[1])!r}" lon="{float(point[0])!r}">{ele}</trkpt>'
