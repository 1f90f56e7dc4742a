"""Which cells a machine can be brought to from a road, over ground it can cross at its width.

For reachability over a whole lattice with little memory; whether the way is cleared is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from geotools.analysis.suitability.limits import NOT, OK, UNKNOWN

STRIP = 512
CROSS = ndimage.generate_binary_structure(2, 1)


class Mask:
    """Yes or no for every cell, eight to a byte."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.bytes = np.zeros((shape[0], math.ceil(shape[1] / 8)), dtype=np.uint8)

    def put(self, row: int, values: np.ndarray) -> None:
        """Set whole rows."""
        self.bytes[row : row + len(values)] = np.packbits(values, axis=1)

    def rows(self, first: int, count: int) -> np.ndarray:
        """Whole rows; beyond the lattice it is no."""
        low, high = max(first, 0), min(first + count, self.shape[0])
        out = np.zeros((count, self.shape[1]), dtype=bool)
        if low < high:
            out[low - first : high - first] = np.unpackbits(self.bytes[low:high], axis=1, count=self.shape[1]).astype(
                bool
            )
        return out


def wide_enough(mask: Mask, cells: int) -> Mask:
    """Cells that lie in some square of `cells` by `cells` yes-cells: where something that wide can stand."""
    if cells <= 1:
        return mask
    out = Mask(mask.shape)
    square = np.ones((cells, cells), dtype=bool)
    for first in range(0, mask.shape[0], STRIP):
        count = min(STRIP, mask.shape[0] - first)
        part = np.pad(mask.rows(first - cells, count + 2 * cells), ((0, 0), (cells, cells)))
        opened = ndimage.binary_opening(part, square)
        out.put(first, opened[cells : cells + count, cells:-cells])
    return out


def reached(passable: Mask, seeds: Mask) -> Mask:
    """Cells joined to a seed over passable cells, side by side (not over corners). Seeds are passable."""
    strips = [(first, min(STRIP, passable.shape[0] - first)) for first in range(0, passable.shape[0], STRIP)]
    parent = np.zeros(1, dtype=np.int64)
    starts, live = [], [np.zeros(1, dtype=bool)]
    last = np.zeros(passable.shape[1], dtype=np.int64)
    for first, count in strips:
        labels, found = _labelled(passable, seeds, first, count)
        base = len(parent) - 1
        starts.append(base)
        parent = np.r_[parent, np.arange(base + 1, base + found + 1)]
        own = np.zeros(found + 1, dtype=bool)
        own[labels[seeds.rows(first, count)]] = True
        live.append(own[1:])
        top = labels[0]
        both = (last > 0) & (top > 0)
        for a, b in np.unique(np.c_[last[both], top[both] + base], axis=0):
            _join(parent, int(a), int(b))
        last = np.where(labels[-1] > 0, labels[-1] + base, 0)
    for index in range(len(parent)):
        parent[index] = _root(parent, index)
    roots = np.zeros(len(parent), dtype=bool)
    roots[parent[np.concatenate(live)]] = True
    roots[0] = False
    joined = roots[parent]
    out = Mask(passable.shape)
    for (first, count), base in zip(strips, starts, strict=True):
        labels, found = _labelled(passable, seeds, first, count)
        table = np.r_[False, joined[base + 1 : base + found + 1]]
        out.put(first, table[labels])
    return out


def _labelled(passable: Mask, seeds: Mask, first: int, count: int) -> tuple[np.ndarray, int]:
    labels, found = ndimage.label(passable.rows(first, count) | seeds.rows(first, count), CROSS)
    return labels, int(found)


def _root(parent: np.ndarray, index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = int(parent[index])
    return index


def _join(parent: np.ndarray, a: int, b: int) -> None:
    a, b = _root(parent, a), _root(parent, b)
    parent[max(a, b)] = min(a, b)


def states(sure: Mask, maybe: Mask) -> Iterator[tuple[int, np.ndarray]]:
    """States of strips: OK where the way is sure, unknown where it may be, NOT where there is none."""
    for first in range(0, sure.shape[0], STRIP):
        count = min(STRIP, sure.shape[0] - first)
        near, far = sure.rows(first, count), maybe.rows(first, count)
        yield first, np.where(near, np.uint8(OK), np.where(far, np.uint8(UNKNOWN), np.uint8(NOT)))
