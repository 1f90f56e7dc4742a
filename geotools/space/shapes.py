"""Polygons by position, wherever they are kept: in memory, or on a shelf from which they are drawn when they are asked for.

For work on more polygons than memory holds; what they mean is known elsewhere, and a shelf on disk is in `io`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import shapely

TILE = 60_000  # boxes compared with each other at a time


class Shelf(Protocol):
    """A place that polygons can be drawn from by row."""

    def draw(self, rows: np.ndarray) -> np.ndarray:
        """Polygons of these rows."""

    def only(self, rows: np.ndarray) -> Shelf:
        """A shelf of these rows alone."""

    def named(self, rows: np.ndarray) -> bytes:
        """What stands for the content of these rows."""


class Shapes:
    """Polygons by position. Indexing gives an array of polygons (or one of them), `take` gives `Shapes` again.

    Parameters
    ----------
    sources
        Arrays of polygons, or shelves.
    source, row
        Per position: which of the sources, and the row in it.
    figures
        ``area`` (m² on the plane), ``bounds`` and ``vertices`` per position, where they are known already.

    Examples
    --------
    >>> two = Shapes.of(np.array([shapely.box(0, 0, 1, 1), shapely.box(0, 0, 2, 1)]))
    >>> float(two.area.sum()), two.take(np.array([1]))[0].area
    (3.0, 2.0)
    """

    def __init__(
        self, sources: Sequence[np.ndarray | Shelf], source: np.ndarray, row: np.ndarray, **figures: np.ndarray
    ) -> None:
        self._sources, self._source, self._row = tuple(sources), source, row
        self.__dict__.update(figures)

    @classmethod
    def of(cls, polygons: np.ndarray | Shapes, **figures: np.ndarray) -> Shapes:
        """Polygons in memory, with what is known of them already."""
        if isinstance(polygons, Shapes):
            return polygons
        polygons = np.asarray(polygons, dtype=object)
        return cls([polygons], np.zeros(len(polygons), dtype=np.int8), np.arange(len(polygons)), **figures)

    @classmethod
    def joined(cls, parts: Sequence[Shapes]) -> Shapes:
        """Several, one after the other."""
        sources = [source for part in parts for source in part._sources]
        start = np.cumsum([0, *(len(part._sources) for part in parts)])[:-1]
        source = np.concatenate([part._source + np.int8(first) for part, first in zip(parts, start, strict=True)])
        row = np.concatenate([part._row for part in parts])
        known = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("area", "bounds", "vertices")
            if any(name in part.__dict__ for part in parts)
        }
        return cls(sources, source.astype(np.int8), row, **known)

    def __len__(self) -> int:
        return len(self._row)

    def __getitem__(self, where: Any) -> Any:
        if isinstance(where, int | np.integer):
            return self._drawn(np.array([where]))[0]
        if isinstance(where, slice):
            return self._drawn(np.arange(len(self))[where])
        where = np.asarray(where)
        return self._drawn(np.flatnonzero(where) if where.dtype == bool else where.astype(np.int64, copy=False))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._drawn(np.arange(len(self)))

    def _drawn(self, places: np.ndarray) -> np.ndarray:
        rows = self._row[places]
        if len(self._sources) == 1:
            return _from(self._sources[0], rows)
        out = np.empty(len(places), dtype=object)
        source = self._source[places]
        for number in np.unique(source):
            mine = source == number
            out[mine] = _from(self._sources[number], rows[mine])
        return out

    @property
    def on_shelf(self) -> bool:
        """Whether some of them are not in memory."""
        return not all(isinstance(source, np.ndarray) for source in self._sources)

    @cached_property
    def area(self) -> np.ndarray:
        """Area of each in the square of the plane's unit."""
        return np.concatenate([np.zeros(0), *(shapely.area(some) for some in self.batches())])

    @cached_property
    def bounds(self) -> np.ndarray:
        """West, south, east and north of each; NaN where it is empty."""
        return np.concatenate([np.zeros((0, 4)), *(shapely.bounds(some) for some in self.batches())])

    @cached_property
    def vertices(self) -> np.ndarray:
        """Number of vertices of each."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *(shapely.get_num_coordinates(s) for s in self.batches())])

    def batches(self, size: int = TILE) -> Iterator[np.ndarray]:
        """All of them, so many at a time."""
        for start in range(0, len(self), size):
            yield self._drawn(np.arange(start, min(start + size, len(self))))

    def take(self, rows: np.ndarray) -> Shapes:
        """Some of them, in this order; they carry no more than they need."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)
        known = {name: self.__dict__[name][rows] for name in ("area", "bounds", "vertices") if name in self.__dict__}
        source, row = self._source[rows], self._row[rows]
        sources: list[np.ndarray | Shelf] = []
        out, place = np.zeros(len(rows), dtype=np.int8), row.copy()
        for number in np.unique(source):
            mine, kept = source == number, self._sources[number]
            out[mine] = len(sources)
            sources.append(kept[row[mine]] if isinstance(kept, np.ndarray) else kept.only(row[mine]))
            place[mine] = np.arange(int(mine.sum()))
        return Shapes(sources or [np.zeros(0, dtype=object)], out, place, **known)

    def replaced(self, rows: np.ndarray, polygons: np.ndarray) -> Shapes:
        """The same with other polygons at some positions."""
        rows, polygons = np.asarray(rows, dtype=np.int64), np.asarray(polygons, dtype=object)
        if not len(rows):
            return self
        known = {name: self.__dict__[name].copy() for name in ("area", "bounds", "vertices") if name in self.__dict__}
        fresh = Shapes.of(polygons)
        for name, values in known.items():
            values[rows] = getattr(fresh, name)
        source, row = self._source.copy(), self._row.copy()
        source[rows], row[rows] = len(self._sources), np.arange(len(rows))
        return Shapes([*self._sources, polygons], source, row, **known)

    def named(self) -> bytes:
        """What stands for their content, for the names of kept results."""
        if not self.on_shelf:
            return b"".join((block or b"-") + b"|" for block in shapely.to_wkb(self._drawn(np.arange(len(self)))))
        parts = [self._source.tobytes()]
        for number, source in enumerate(self._sources):
            rows = self._row[self._source == number]
            parts.append(Shapes.of(source[rows]).named() if isinstance(source, np.ndarray) else source.named(rows))
        return b"|".join(parts)


def _from(source: np.ndarray | Shelf, rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = source[rows] if isinstance(source, np.ndarray) else source.draw(rows)
    return found


def meeting(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of boxes that meet, by position in the two arrays, sorted by the first, then by the second.

    Parameters
    ----------
    one, other
        Bounds of shape (n, 4): west, south, east, north; a box with NaN meets nothing. They may be the same array.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 1, 1], [1, 1, 2, 2], [5, 5, 6, 6.0]])
    >>> [found.tolist() for found in meeting(boxes[:1], boxes)]
    [[0, 0], [0, 1]]
    """
    ones, others = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    mine = np.flatnonzero(np.isfinite(one).all(axis=1))
    mine = mine[np.lexsort((one[mine, 1], one[mine, 0]))]
    good = np.isfinite(other).all(axis=1)
    for part in np.array_split(mine, max(1, -(-len(mine) // TILE))):
        if not len(part):
            continue
        low, high = one[part, :2].min(axis=0), one[part, 2:].max(axis=0)
        near = np.flatnonzero(good & (other[:, :2] <= high).all(axis=1) & (other[:, 2:] >= low).all(axis=1))
        tree = shapely.STRtree(_diagonals(one[part]))
        for some in np.array_split(near, max(1, -(-len(near) // TILE))):
            theirs, ours = tree.query(_diagonals(other[some]))
            ones.append(part[ours])
            others.append(some[theirs])
    first, second = np.concatenate(ones), np.concatenate(others)
    order = np.lexsort((second, first))
    return first[order], second[order]


def _diagonals(bounds: np.ndarray) -> np.ndarray:
    """The least that has such bounds."""
    corners = bounds.reshape(-1, 2)
    return np.asarray(shapely.linestrings(corners, indices=np.repeat(np.arange(len(bounds)), 2)))


def hilbert(bounds: np.ndarray, level: int = 16) -> np.ndarray:
    """Distance of the centre of each box along a Hilbert curve over all of them.

    Source: the rotation form of the curve (Hilbert 1891), bits from coarse to fine.
    """
    if not len(bounds):
        return np.zeros(0, dtype=np.int64)
    centre = np.nan_to_num(np.column_stack([bounds[:, 0] + bounds[:, 2], bounds[:, 1] + bounds[:, 3]]) / 2)
    low, high = centre.min(axis=0), centre.max(axis=0)
    size = 1 << level
    scaled = (centre - low) / np.where(high > low, high - low, 1.0) * (size - 1)
    x, y = scaled.astype(np.int64).T
    distance = np.zeros(len(x), dtype=np.int64)
    half = size >> 1
    while half:
        right, upper = (x & half) > 0, (y & half) > 0
        distance += half * half * ((3 * right) ^ upper)
        flip = ~upper & right
        x, y = np.where(flip, size - 1 - x, x), np.where(flip, size - 1 - y, y)
        x, y = np.where(~upper, y, x), np.where(~upper, x, y)
        half >>= 1
    return distance
