"""One pass over a GPX file: positions and child values, column by column. Not for making layers of them (see `layers`)."""

from __future__ import annotations

import operator
import re
from typing import Any
from xml.parsers import expat

from geotools.io import markup
from geotools.io.raw import Source

POINTS = {"wpt": "waypoints", "rtept": "route_points", "trkpt": "fixes"}
LINES = {"rte": "routes", "trk": "tracks"}
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


def as_number(text: str | None) -> float:
    """A number from text; NaN where it is none."""
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
                points.lat.append(as_number(attributes.get("lat")))
                points.lon.append(as_number(attributes.get("lon")))
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
