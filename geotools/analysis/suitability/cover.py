"""Land cover: a raster of codes on a lattice of its own as states of our cells, and the distance from built ground and water in it.

For rasters; layers of polygons, lines and points are in `layers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyproj
from rasterio.windows import Window
from scipy import ndimage

from geotools.analysis.suitability.layers import Lattice
from geotools.analysis.suitability.limits import NOT, OK, UNKNOWN, doubted
from geotools.analysis.suitability.machines import Figure
from geotools.model.errors import CRSError, ReadError
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs

PIXELS = 4_000_000  # cells of the cover read at a time
SHRUNK = 1e-3  # of a cell of the cover: what only touches does not count


@dataclass
class Cover:
    """A land-cover raster on another lattice: the worst state of all its cells that a cell of ours touches."""

    source: Any
    lattice: Lattice
    legend: Mapping[int, str]
    crs: pyproj.CRS = field(init=False)

    def __post_init__(self) -> None:
        if self.source.crs is None:
            raise CRSError(
                "the land cover has no coordinate reference system",
                hint="add one, for example with gdal_edit.py -a_srs",
                file=self.source.name,
            )
        where = self.source.transform
        if where.b or where.d or where.a <= 0 or where.e >= 0:
            raise ReadError(
                "the land cover is rotated or upside down",
                hint="resample it first, for example with gdalwarp",
                file=self.source.name,
            )
        self.crs = pyproj.CRS.from_wkt(self.source.crs.to_wkt())

    def states(self, of: Callable[[str | None], int], row: int, column: int, rows: int, columns: int) -> np.ndarray:
        """States of a window; `of` gives the state of a word, and of None where there is no data."""
        if self.crs == self.lattice.crs:
            return self._aligned(of, row, column, rows, columns)
        return self._under(of, row, column, rows, columns)

    def _read(self, of: Callable[[str | None], int], top: int, left: int, rows: int, columns: int) -> np.ndarray:
        """States of a window of the cover's own cells; outside it is no data."""
        out = np.full((rows, columns), of(None), dtype=np.uint8)
        low, high = max(top, 0), min(top + rows, self.source.height)
        near, far = max(left, 0), min(left + columns, self.source.width)
        if low < high and near < far:
            values = self.source.read(1, window=Window(near, low, far - near, high - low), masked=True)
            raw = np.ma.getdata(values)
            codes, back = (np.arange(256), raw) if raw.dtype == np.uint8 else np.unique(raw, return_inverse=True)
            table = np.array(
                [of(self.legend.get(int(c)) if float(c).is_integer() else None) for c in codes], dtype=np.uint8
            )
            part = table[back].reshape(values.shape)
            part[np.ma.getmaskarray(values)] = of(None)
            out[low - top : high - top, near - left : far - left] = part
        return out

    def _aligned(self, of: Callable[[str | None], int], row: int, column: int, rows: int, columns: int) -> np.ndarray:
        mine, its = self.lattice.transform, self.source.transform
        spans = []
        for first, count, start, step, begin, size in (
            (row, rows, mine.f, mine.e, its.f, its.e), (column, columns, mine.c, mine.a, its.c, its.a),
        ):  # fmt: skip
            edges = (start + np.arange(first, first + count + 1) * step - begin) / size
            low = np.floor(edges[:-1] + 1e-6).astype(int)
            spans.append((low, np.maximum(np.ceil(edges[1:] - 1e-6).astype(int) - 1, low)))
        (top, bottom), (left, right) = spans
        part = self._read(of, int(top[0]), int(left[0]), int(bottom[-1] - top[0] + 1), int(right[-1] - left[0] + 1))
        high = part[top - top[0]]
        for step in range(1, int((bottom - top).max()) + 1):
            np.maximum(high, part[np.minimum(top + step, bottom) - top[0]], out=high)
        out: np.ndarray = high[:, left - left[0]]
        for step in range(1, int((right - left).max()) + 1):
            out = np.maximum(out, high[:, np.minimum(left + step, right) - left[0]])
        return out

    def _under(self, of: Callable[[str | None], int], row: int, column: int, rows: int, columns: int) -> np.ndarray:
        """In another system: the worst state in the box that each cell fills on the cover's lattice, however many cells of the cover that is."""
        spans = self._boxes(row, column, rows, columns)
        deep, wide = int((spans[1] - spans[0]).max()) + 1, int((spans[3] - spans[2]).max()) + 1
        high, broad = max(1, math.isqrt(PIXELS) // deep), max(1, math.isqrt(PIXELS) // wide)
        out = np.empty((rows, columns), dtype=np.uint8)
        for top in range(0, rows, high):
            for left in range(0, columns, broad):
                part = np.s_[top : top + high, left : left + broad]
                out[part] = self._worst(of, *(span[part] for span in spans))
        return out

    def _boxes(self, row: int, column: int, rows: int, columns: int) -> list[np.ndarray]:
        """First and last row and column of the cover under each cell; corners and middles of sides are looked at, beyond the cover is -1 or its size."""
        change = _crs.transformer(_crs.code_or_wkt(self.lattice.crs), _crs.code_or_wkt(self.crs))
        across: Any
        along: Any
        across, along = np.meshgrid(column + np.arange(2 * columns + 1) / 2, row + np.arange(2 * rows + 1) / 2)
        x, y = change.transform(*(self.lattice.transform @ (across, along)))
        right, down = ~self.source.transform @ (np.asarray(x), np.asarray(y))
        spans = []
        for values, size in ((down, self.source.height), (right, self.source.width)):
            inside = np.where(np.isfinite(values), np.clip(values, -0.5, size + 0.5), np.nan)
            steps = [inside[a : a + 2 * rows : 2, b : b + 2 * columns : 2] for a in range(3) for b in range(3)]
            low, high = np.minimum.reduce(steps) + SHRUNK, np.maximum.reduce(steps) - SHRUNK
            lost = np.isnan(low) | np.isnan(high)
            first = np.where(lost, -1, np.floor(np.where(lost, 0, low))).astype(int)
            last = np.where(lost, -1, np.floor(np.where(lost, 0, high))).astype(int)
            spans += [first, np.maximum(last, first)]
        return spans

    def _worst(
        self, of: Callable[[str | None], int], top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray
    ) -> np.ndarray:
        """The worst state in each box, by counting the cells of each state in it."""
        begin, end, west, east = int(top.min()), int(bottom.max()), int(left.min()), int(right.max())
        out = np.zeros(top.shape, dtype=np.uint8)
        if top.size == 1:  # one cell may hold more than is read at a time
            step = max(1, PIXELS // (east - west + 1))
            worst = [
                self._read(of, r, west, min(step, end - r + 1), east - west + 1).max()
                for r in range(begin, end + 1, step)
            ]
            out[:] = max(worst)
            return out
        part = self._read(of, begin, west, end - begin + 1, east - west + 1)
        rows, columns = (top - begin, bottom - begin + 1), (left - west, right - west + 1)
        for state in np.unique(part[part > 0]).tolist():
            sums = np.zeros((part.shape[0] + 1, part.shape[1] + 1), dtype=np.int32)
            np.cumsum(np.cumsum(part == state, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
            count = (
                sums[rows[1], columns[1]]
                - sums[rows[0], columns[1]]
                - sums[rows[1], columns[0]]
                + sums[rows[0], columns[0]]
            )
            out[count > 0] = state
        return out


def legend_of(source: Any, given: Mapping[int, str] | None) -> dict[int, str]:
    """Code → word, as given or as the raster's tag says; empty where nobody says."""
    if given is not None:
        return {int(code): str(word).strip().lower() for code, word in given.items()}
    text = source.tags().get("CLASSES", "") or source.tags(1).get("CLASSES", "")
    pairs = [part.split("=", 1) for part in text.replace(";", ",").split(",") if "=" in part]
    return {int(code): word.strip().lower() for code, word in pairs if code.strip().isdigit()}


def word_of(name: str | None) -> str | None:
    """The word of the `landcover` vocabulary that a name in a legend stands for; None where the vocabulary does not tell what it is.

    Examples
    --------
    >>> word_of("Permanent water bodies"), word_of("built_up"), word_of("class 7"), word_of("other")
    ('water', 'built', None, None)
    """
    key = None if name is None else vocabulary("landcover").match(name)
    return None if key == "other" else key


def near_cover(cover: Cover, word: str, figure: Figure, window: tuple[int, int, int, int]) -> np.ndarray:
    """NOT within a distance of cells of some cover, unknown within it of cells whose cover nobody knows; distances between edges of cells.

    A name that the vocabulary does not know could mean that cover: it is never taken for something else.
    """
    distance = 0.0 if figure.any else figure.value or 0.0
    lattice, (row, column, rows, columns) = cover.lattice, window
    halo = math.ceil(distance / lattice.side_m) + 2 if distance else 0
    wide = (row - halo, column - halo, rows + 2 * halo, columns + 2 * halo)
    kinds = {name: word_of(name) for name in cover.legend.values()}
    there = cover.states(lambda w: {None: UNKNOWN, word: NOT}.get(None if w is None else kinds[w], OK), *wide)
    out = np.zeros((rows, columns), dtype=np.uint8)
    inner = np.s_[halo : halo + rows, halo : halo + columns]
    for state in (UNKNOWN, NOT):
        hit = there == state
        if not hit.any():
            continue
        if distance:
            apart = ndimage.distance_transform_edt(~hit) * lattice.side_m
            hit = apart - math.sqrt(2) * lattice.side_m < distance
        np.maximum(out, hit[inner] * np.uint8(state), out=out)
    return doubted(out, figure)
