"""Swaths and missed pieces put aside on disk, by tile, until their tile is worked.

For tables of fixes larger than memory; the files live in the hidden folder of the result and go with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.ground import KEYS, MARKS
from geotools.analysis.swath.rows import Rows, joined

TEXTS = ("id", "pass_id", *KEYS.values())
SCHEMA = pa.schema(
    [*((name, pa.large_string()) for name in TEXTS), *((name, pa.bool_()) for name in MARKS), ("geometry", pa.large_binary())]
)  # fmt: skip
CUTS = 50_000  # parts cut at once
Tile = tuple[int, int, int]  # how often the tile was halved, column, row


@dataclass(frozen=True)
class Cut:
    """Swath parts in one tile as a block of bytes, and how many."""

    tile: Tile
    count: int
    data: bytes


def cuts(rows: Rows, shapes: np.ndarray, side_m: float, level: int = 0) -> Iterator[Cut]:
    """Swaths cut at the borders of tiles of that side, ready to be put aside."""
    for chunk in _chunks(shapes, side_m):
        which, tiles, parts = cut_to_tiles(shapes[chunk], side_m)
        turn = np.flatnonzero((np.diff(tiles, axis=0) != 0).any(axis=1)) + 1
        ends = [0, *turn.tolist(), len(tiles)]
        for a, b in itertools.pairwise(ends) if len(tiles) else ():
            data = _packed(rows.take(chunk[which[a:b]]), parts[a:b])
            yield Cut((level, int(tiles[a, 0]), int(tiles[a, 1])), b - a, data)


def unpacked(blocks: Iterable[bytes]) -> Rows:
    """Swath parts from blocks of bytes (their polygons as geometry), in the order of ids."""
    return joined([_unpacked(block) for block in blocks]).ordered("id")


def _packed(rows: Rows, parts: np.ndarray) -> bytes:
    columns = [pa.array(rows.words(name), pa.large_string()) for name in TEXTS]
    columns += [pa.array(np.asarray(rows.data[name], dtype=bool)) for name in MARKS]
    block = pa.record_batch([*columns, pa.array(shapely.to_wkb(parts), pa.large_binary())], schema=SCHEMA)
    return block.serialize().to_pybytes()


def _unpacked(data: bytes) -> Rows:
    block = pa.ipc.read_record_batch(pa.py_buffer(data), SCHEMA)
    columns = {name: np.asarray(block[name].to_pylist(), dtype=object) for name in TEXTS}
    columns |= {name: block[name].to_numpy(zero_copy_only=False) for name in MARKS}
    return Rows(columns, np.asarray(shapely.from_wkb(np.asarray(block["geometry"].to_pylist(), dtype=object))))


class Spill:
    """Swath parts by tile, in one file of blocks.

    Parameters
    ----------
    path
        File to make.
    tile_m
        Side of a tile that was not halved.
    """

    def __init__(self, path: Path, tile_m: float) -> None:
        self._file, self.tile_m = path.open("w+b"), tile_m
        self._blocks: dict[Tile, list[tuple[int, int]]] = {}
        self._count: dict[Tile, int] = {}

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def tiles(self) -> list[Tile]:
        """Tiles with swaths, in order."""
        return sorted(self._blocks)

    def count(self, tile: Tile) -> int:
        """Swath parts in a tile."""
        return self._count.get(tile, 0)

    def box(self, tile: Tile) -> tuple[float, float, float, float]:
        """West, south, east and north of a tile."""
        side = self.tile_m / 2 ** tile[0]
        return tile[1] * side, tile[2] * side, (tile[1] + 1) * side, (tile[2] + 1) * side

    def put(self, cut: Cut) -> None:
        """Put swath parts of a tile aside."""
        place = self._file.seek(0, 2)
        self._file.write(cut.data)
        self._blocks.setdefault(cut.tile, []).append((place, len(cut.data)))
        self._count[cut.tile] = self._count.get(cut.tile, 0) + cut.count

    def _read(self, tile: Tile) -> Iterator[bytes]:
        for place, size in self._blocks[tile]:
            self._file.seek(place)
            yield self._file.read(size)

    def take(self, tile: Tile) -> tuple[bytes, ...]:
        """Blocks of a tile, see `unpacked`; the tile is forgotten."""
        blocks = tuple(self._read(tile))
        del self._blocks[tile]
        return blocks

    def halve(self, tile: Tile) -> list[Tile]:
        """Move the parts of a tile into its four quarters, block by block; returns those that hold any."""
        for block in self._read(tile):
            rows = _unpacked(block)
            for cut in cuts(rows, rows.geometry, self.tile_m / 2 ** (tile[0] + 1), tile[0] + 1):
                self.put(cut)
        del self._blocks[tile]
        quarters = [(tile[0] + 1, 2 * tile[1] + x, 2 * tile[2] + y) for x in (0, 1) for y in (0, 1)]
        return [quarter for quarter in quarters if quarter in self._blocks]


def _chunks(shapes: np.ndarray, side: float) -> list[np.ndarray]:
    """Positions of shapes in groups that reach into about so many tiles."""
    bounds = np.floor(shapely.bounds(shapes) / side)
    many = np.prod(bounds[:, 2:] - bounds[:, :2] + 1, axis=1)
    group = (np.cumsum(many) // CUTS).astype(np.int64)
    return np.split(np.arange(len(shapes)), np.flatnonzero(np.diff(group)) + 1) if len(shapes) else []


def cut_to_tiles(shapes: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shapes cut at the lines of a lattice: position of the shape, column and row of the tile, and part; in the order of tiles."""
    bounds = shapely.bounds(shapes)
    low, high = np.floor(bounds[:, :2] / side).astype(np.int64), np.floor(bounds[:, 2:] / side).astype(np.int64)
    span = high - low + 1
    many = span.prod(axis=1)
    which = np.repeat(np.arange(len(shapes)), many)
    place = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
    tiles = low[which] + np.column_stack([place // span[which, 1], place % span[which, 1]])
    parts = shapes[which]
    split = many[which] > 1
    edges = tiles[split] * side
    boxes = shapely.box(edges[:, 0], edges[:, 1], (tiles[split, 0] + 1) * side, (tiles[split, 1] + 1) * side)
    parts[split] = shapely.intersection(parts[split], boxes)
    filled = np.flatnonzero(shapely.area(parts) > 0)
    order = filled[np.lexsort((tiles[filled, 1], tiles[filled, 0]))]
    return which[order], tiles[order], parts[order]


class Pieces:
    """Polygons in a file, by number."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._place: list[tuple[int, int]] = []

    def __enter__(self) -> Pieces:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, data: bytes) -> int:
        """Put a polygon (WKB) aside; its number."""
        self._place.append((self._file.seek(0, 2), len(data)))
        self._file.write(data)
        return len(self._place) - 1

    def size(self, number: int) -> int:
        """Bytes of a polygon: about 16 for a vertex."""
        return self._place[number][1]

    def data(self, number: int) -> bytes:
        """What was put aside under a number."""
        place, size = self._place[number]
        self._file.seek(place)
        return self._file.read(size)

    def get(self, number: int) -> BaseGeometry:
        """A polygon back."""
        polygon: BaseGeometry = shapely.from_wkb(self.data(number))
        return polygon
