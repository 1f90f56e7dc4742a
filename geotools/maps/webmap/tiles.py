"""Raster tiles for the base map, from an MBTiles file or a folder of z/x/y pictures, cut to the area and to a size.

For pictures made elsewhere, embedded byte for byte; finer levels that do not fit are left out and that is said. Not for vector tiles.
"""

from __future__ import annotations

import base64
import math
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Template

from geotools.maps.webmap import words
from geotools.maps.webmap.layers import RasterLayer
from geotools.maps.webmap.words import Label
from geotools.model.errors import MapError, ReadError
from geotools.model.schema.names import whole_text

MAX_LEVEL = 22
MAX_TILE_BYTES = 3_000_000
TILE = 256
COARSER = 3  # levels kept above the one on which the whole area fits a screen
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
_NAME = re.compile(r"^(\d{1,2})[/\\](\d+)[/\\](\d+)\.(png|jpe?g|webp)$", re.IGNORECASE)
Tile = tuple[int, int, int]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class TileSource:
    """A set of tiles: level → bounds of x and y, how to read one, and what it says of itself."""

    name: str
    levels: tuple[int, ...]
    read: Callable[[Tile], bytes | None]
    attribution: str = ""


@dataclass(frozen=True)
class TileSet:
    """Chosen tiles as one block of bytes, with where each lies in it."""

    name: str
    data: bytes
    index: list[list[int]]
    mimes: list[str]
    bounds: Bounds
    levels: tuple[int, ...]
    left_out: tuple[int, ...] = ()
    attribution: str = ""
    legend: tuple[Any, ...] = field(default=())


def is_tiles(path: Path) -> bool:
    """Whether the path holds tiles: an MBTiles file, or a folder with pictures named z/x/y."""
    if path.suffix.lower() == ".mbtiles":
        return True
    return path.is_dir() and any(p.name.isdigit() and p.is_dir() for p in path.iterdir())


def open_tiles(path: Path) -> TileSource:
    """Open a set of tiles for reading.

    Raises
    ------
    ReadError
        If it is missing, broken, empty, or holds vector tiles.
    """
    if not path.exists():
        raise ReadError("there is no such file or folder", file=path)
    return _folder(path) if path.is_dir() else _mbtiles(path)


def _mbtiles(path: Path) -> TileSource:
    def ask(text: str, *values: int) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
                return list(base.execute(text, values))
        except sqlite3.Error as error:
            raise ReadError("not a readable MBTiles file", hint="is the copy complete?", file=path) from error

    facts = {str(k): str(v) for k, v in ask("select name, value from metadata")}
    if facts.get("format", "png").lower() in ("pbf", "mvt"):
        raise ReadError(
            "it holds vector tiles",
            hint="give raster tiles (png, jpg or webp), for example rendered by QGIS",
            file=path,
        )
    levels = tuple(
        int(z) for (z,) in ask("select distinct zoom_level from tiles order by 1") if 0 <= int(z) <= MAX_LEVEL
    )
    if not levels:
        raise ReadError("it holds no tiles", file=path)

    def read(tile: Tile) -> bytes | None:
        z, x, y = tile  # rows of MBTiles count from the south
        found = ask(
            "select tile_data from tiles where zoom_level=? and tile_column=? and tile_row=?", z, x, 2**z - 1 - y
        )
        return bytes(found[0][0]) if found and found[0][0] else None

    return TileSource(whole_text(facts.get("name") or path.stem), levels, read, _plain(facts.get("attribution", "")))


def _folder(path: Path) -> TileSource:
    found: dict[Tile, Path] = {}
    for file in sorted(path.glob("*/*/*.*")):
        named = _NAME.match(str(file.relative_to(path)))
        if named and int(named[1]) <= MAX_LEVEL:
            found[int(named[1]), int(named[2]), int(named[3])] = file
    if not found:
        raise ReadError("it holds no tiles named z/x/y.png, .jpg or .webp", file=path)

    def read(tile: Tile) -> bytes | None:
        return found[tile].read_bytes() if tile in found else None

    return TileSource(whole_text(path.name), tuple(sorted({z for z, _, _ in found})), read)


def _plain(text: str) -> str:
    """Attribution without markup: it is shown as text."""
    return whole_text(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text))).strip()[:300]


def kind_of_picture(data: bytes) -> str | None:
    """Media type of a picture by its first bytes; None if it is none that a page may show.

    Examples
    --------
    >>> kind_of_picture(b"\\x89PNG\\r\\n\\x1a\\n..."), kind_of_picture(b"<svg onload=alert(1)>")
    ('image/png', None)
    """
    mime = next((m for magic, m in _MAGIC.items() if data.startswith(magic)), None)
    return None if mime == "image/webp" and data[8:12] != b"WEBP" else mime


def span(bounds: Bounds, level: int) -> tuple[int, int, int, int]:
    """First and last column and row of the tiles over an area.

    Examples
    --------
    >>> span((46.7, 39.7, 46.8, 39.8), 12)
    (2579, 1553, 2580, 1555)
    """
    west, south, east, north = bounds
    n = 2**level

    def row(lat: float) -> float:
        s = math.sin(math.radians(max(-85.05, min(85.05, lat))))
        return (0.5 - math.log((1 + s) / (1 - s)) / (4 * math.pi)) * n

    def cut(v: float) -> int:
        return max(0, min(n - 1, math.floor(v)))

    return cut((west + 180) / 360 * n), cut(row(north)), cut((east + 180) / 360 * n), cut(row(south))


def fitting(bounds: Bounds) -> int:
    """The level on which an area fits a screen of 1000 pixels."""
    wide = max(bounds[2] - bounds[0], (bounds[3] - bounds[1]) * 1.3, 1e-6) / 360
    return max(0, min(MAX_LEVEL, math.floor(math.log2(1000 / TILE / wide))))


def choose(source: TileSource, bounds: Bounds, budget: int) -> TileSet:
    """The tiles over an area, coarse levels first, as many levels as the budget holds.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees; widened by a tenth.
    budget
        Bytes of page that the tiles may take (base64, so a third more than they are).

    Raises
    ------
    MapError
        If not even the coarsest level fits, or there is no tile over the area.
    """
    dx, dy = (bounds[2] - bounds[0]) * 0.1, (bounds[3] - bounds[1]) * 0.1
    area = (bounds[0] - dx, bounds[1] - dy, bounds[2] + dx, bounds[3] + dy)
    first = fitting(area) - COARSER
    wanted = [z for z in source.levels if z >= first] or [source.levels[-1]]
    parts: list[bytes] = []
    index: list[list[int]] = []
    mimes: list[str] = []
    kept: list[int] = []
    size = at = 0
    for n, z in enumerate(wanted):
        level = _level(source, area, z, (budget - size) * 3 // 4)
        if level is None:
            if not kept:
                raise MapError(
                    f"level {z} of the base map '{source.name}' alone takes more than the {budget / 1e6:.1f} MB left for it",
                    hint="allow more (--max-mb), or give tiles of a coarser level",
                )
            return _set(source, parts, index, mimes, (area, kept, wanted[n:]))
        for tile, data, mime in level:
            if mime not in mimes:
                mimes.append(mime)
            index.append([*tile, at, len(data), mimes.index(mime)])
            parts.append(data)
            at += len(data)
        size += sum(math.ceil(len(d) / 3) * 4 for _, d, _ in level)
        if level:
            kept.append(z)
    if not kept:
        raise MapError(f"the base map '{source.name}' has no picture over this area", hint="is it of another place?")
    return _set(source, parts, index, mimes, (area, kept, []))


def _level(source: TileSource, area: Bounds, z: int, room: int) -> list[tuple[Tile, bytes, str]] | None:
    """The tiles of a level over the area, or None if they take more bytes than there is room for."""
    x0, y0, x1, y1 = span(area, z)
    out, size = [], 0
    for x in range(x0, x1 + 1):
        for y in range(y0, y1 + 1):
            data = source.read((z, x, y))
            mime = kind_of_picture(data) if data and len(data) <= MAX_TILE_BYTES else None
            if data is None or mime is None:
                continue
            size += len(data)
            if size > room:
                return None
            out.append(((z, x, y), data, mime))
    return out


def _set(
    source: TileSource,
    parts: list[bytes],
    index: list[list[int]],
    mimes: list[str],
    chosen: tuple[Bounds, list[int], list[int]],
) -> TileSet:
    area, kept, left = chosen
    return TileSet(source.name, b"".join(parts), index, mimes, area, tuple(kept), tuple(left), source.attribution)


class TileLayer(RasterLayer):
    """Embedded raster tiles as a choice of base map.

    Parameters
    ----------
    tiles
        What `choose` returned.
    title
        Name in the panel.
    **settings
        ``id``.
    """

    _template = Template("{% macro html(this, kwargs) %}{{ this.blocks() }}{% endmacro %}")

    def __init__(self, tiles: TileSet, title: Label, **settings: Any) -> None:
        super(RasterLayer, self).__init__()
        self._name = "RasterLayer"
        self.title, self.image, self.settings, self.spec = title, tiles, settings, None  # type: ignore[assignment]

    def describe(self) -> dict[str, Any]:
        """The entry of this base map in the page's list."""
        tiles: Any = self.image
        return {
            "id": self.settings.get("id", self.get_name()), "data": f"{self.get_name()}_data", "title": self.title, "bounds": list(tiles.bounds),
            "overlay": False, "tiles": tiles.index, "mimes": tiles.mimes, "levels": [tiles.levels[0], tiles.levels[-1]],
        }  # fmt: skip

    def blocks(self) -> str:
        """The inert block with all tiles."""
        text = base64.b64encode(self.image.data).decode("ascii")
        return f'<script type="application/octet-stream" id="{self.get_name()}_data">{text}</script>'


def notes(tiles: TileSet, budget_mb: float) -> list[Mapping[str, str] | str]:
    """What the reader must know of this base map: levels left out, and who made it."""
    out: list[Any] = []
    if tiles.left_out:
        said = {
            "name": tiles.name,
            "a": tiles.levels[0],
            "b": tiles.levels[-1],
            "c": tiles.left_out[-1],
            "mb": f"{budget_mb:g}",
        }
        out.append(words.fill(words.label("note", "basemap_cut"), **said))
    if tiles.attribution:
        out.append(words.fill(words.label("note", "basemap_by"), name=tiles.name, who=tiles.attribution))
    return out
