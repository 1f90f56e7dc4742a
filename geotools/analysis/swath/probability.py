"""Per cell: the probability that no pass went over it, or that all passes missed, when positions are uncertain.

For the two-level model on a grid; sampling of whole layouts is in `draws`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter

from geotools.analysis.swath.counts import filled
from geotools.analysis.swath.errormodel import Group
from geotools.analysis.swath.kept import codec
from geotools.model.errors import CoverageError
from geotools.model.parallel import iter_ordered
from geotools.model.progress import Progress, tracked
from geotools.space.grid import Grid

TILE = 512  # cells of a side worked at once
HALO = 4096  # cells that an error may reach beyond a tile; more would not fit into memory
REACH = 4.0  # standard deviations after which an error is taken as impossible
FINE_M = 0.05  # masks of coarser cells are averaged from cells of about this size


def missed(
    groups: Sequence[Group], grid: Grid, pods: Sequence[float], *, progress: Progress | None = None
) -> np.ndarray:
    """Probability that a thing in the middle of each cell is missed, for each detection probability; shape (pods, rows, columns).

    Within a group (one asset and day) ``G(σ_c) * Π_i (1 − p · G(σ_i) * mask_i)``, between groups the product; G is a Gaussian blur,
    ``*`` convolution, mask the swath of a pass. With p = 1 it is the probability that the cell was not searched.
    """
    chance = np.asarray(pods, dtype=np.float32)
    out = np.ones((len(chance), *grid.shape), dtype=np.float32)
    trees = [shapely.STRtree(group.shapes) for group in groups]
    places = corners(grid.shape)
    given = (
        block_at(grid, row, column, [(g, _nearest(g, tree)) for g, tree in zip(groups, trees, strict=True)], chance)
        for row, column in places
    )
    found = iter_ordered(missed_in, given, codec=KEPT)
    for (row, column), block in tracked(
        zip(places, found, strict=True), "position uncertainty", progress, total=len(places)
    ):
        out[:, row : row + block.shape[1], column : column + block.shape[2]] = block
    return out


def corners(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Row and column at which blocks of a grid begin."""
    return [(row, column) for row in range(0, shape[0], TILE) for column in range(0, shape[1], TILE)]


@dataclass(frozen=True)
class Near:
    """Passes of a group that may reach into a window, and their errors in metres."""

    shapes: np.ndarray
    own: float
    common: float
    halo: int
    window: Grid


@dataclass(frozen=True)
class Block:
    """A block of cells for one worker: its shape, what may reach it, and the detection probabilities."""

    size: tuple[int, int]
    near: tuple[Near, ...]
    chance: np.ndarray


class Errors(Protocol):
    """The errors of a group, see `errormodel.Group`."""

    @property
    def sigma_m(self) -> float:
        """Standard deviation per axis in metres."""

    def own(self) -> float:
        """Of each pass."""

    def common(self) -> float:
        """Of all passes together."""


Nearest = Callable[[tuple[float, float, float, float]], np.ndarray]
KEPT = codec("probability")


def _nearest(group: Group, tree: shapely.STRtree) -> Nearest:
    return lambda bounds: group.shapes[np.sort(tree.query(shapely.box(*bounds)))]


def block_at(grid: Grid, row: int, column: int, groups: Sequence[tuple[Errors, Nearest]], chance: np.ndarray) -> Block:
    """The block that begins at a row and column; of each group its errors and how to ask for the swaths in some bounds are given.

    Raises
    ------
    CoverageError
        If the cells are too fine for the error.
    """
    size = (min(TILE, grid.shape[0] - row), min(TILE, grid.shape[1] - column))
    near = []
    for group, nearest in groups:
        own, common = group.own(), group.common()
        halo = int(np.ceil(REACH * (own + common) / grid.cell)) + 1
        if halo > HALO:
            raise CoverageError(
                f"cells of {grid.cell:g} m are too fine for a position error of {group.sigma_m:g} m",
                hint="take cells of about half of the error",
            )
        window = grid.window(row - halo, column - halo, (size[0] + 2 * halo, size[1] + 2 * halo))
        shapes = nearest(window.bounds)
        if len(shapes):
            near.append(Near(shapes, own, common, halo, window))
    return Block(size, tuple(near), chance)


def missed_in(block: Block) -> np.ndarray:
    """See `missed`, for one block of cells."""
    out = np.ones((len(block.chance), *block.size), dtype=np.float32)
    for near in block.near:
        rows, columns = (slice(near.halo, near.halo + n) for n in block.size)
        out *= _group_missed(near, block.chance)[:, rows, columns]
    return out


def _group_missed(near: Near, chance: np.ndarray) -> np.ndarray:
    window = near.window
    block = np.ones((len(chance), *window.shape), dtype=np.float32)
    own, common = near.own / window.cell, near.common / window.cell
    for shape in near.shapes:
        rows, columns = _around(shape.bounds, window, REACH * own + 1)
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            continue
        part = window.window(rows[0], columns[0], (rows[1] - rows[0], columns[1] - columns[0]))
        reached = mask(shape, part)
        if own > 0:
            reached = gaussian_filter(reached, own, mode="constant", truncate=REACH)
        block[:, rows[0] : rows[1], columns[0] : columns[1]] *= 1 - chance[:, None, None] * reached
    if common > 0:
        block = np.stack([gaussian_filter(layer, common, mode="nearest", truncate=REACH) for layer in block])
    return block


def _around(
    bounds: tuple[float, float, float, float], window: Grid, margin: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of a window that a shape and its blur can reach."""
    west, south, east, north = bounds
    rows = (window.north - north) / window.cell - margin, (window.north - south) / window.cell + margin
    columns = (west - window.west) / window.cell - margin, (east - window.west) / window.cell + margin
    (top, bottom), (left, right) = (
        (max(0, int(np.floor(a))), min(limit, int(np.ceil(b))))
        for (a, b), limit in zip((rows, columns), window.shape, strict=True)
    )
    return (top, bottom), (left, right)


def mask(shape: shapely.Geometry, grid: Grid) -> np.ndarray:
    """Share of each cell that a shape covers, as float32; from finer cells where the grid is coarse."""
    times = max(1, min(8, int(np.ceil(grid.cell / FINE_M - 1e-9))))
    fine = Grid(grid.west, grid.north, grid.cell / times, (grid.shape[0] * times, grid.shape[1] * times), grid.crs)
    burnt = filled([shape], fine)
    if times == 1:
        return burnt.astype(np.float32)
    return burnt.reshape(grid.shape[0], times, grid.shape[1], times).mean(axis=(1, 3), dtype=np.float32)
