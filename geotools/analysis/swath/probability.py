"""Per cell: the probability that no pass went over it, or that all passes missed, when positions are uncertain.

For the two-level model on a grid; sampling of whole layouts is in `draws`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import rasterio.features
import shapely
from scipy.ndimage import gaussian_filter

from geotools.analysis.swath.errormodel import Group
from geotools.model.errors import CoverageError
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
    corners = [(row, column) for row in range(0, grid.shape[0], TILE) for column in range(0, grid.shape[1], TILE)]
    for row, column in tracked(corners, "position uncertainty", progress):
        size = (min(TILE, grid.shape[0] - row), min(TILE, grid.shape[1] - column))
        for group, tree in zip(groups, trees, strict=True):
            halo = int(np.ceil(REACH * (group.own() + group.common()) / grid.cell)) + 1
            if halo > HALO:
                raise CoverageError(
                    f"cells of {grid.cell:g} m are too fine for a position error of {group.sigma_m:g} m",
                    hint="take cells of about half of the error",
                )
            window = grid.window(row - halo, column - halo, (size[0] + 2 * halo, size[1] + 2 * halo))
            near = np.sort(tree.query(shapely.box(*window.bounds)))
            if len(near):
                block = _group_missed(group, near, window, chance)
                out[:, row : row + size[0], column : column + size[1]] *= block[
                    :, halo : halo + size[0], halo : halo + size[1]
                ]
    return out


def _group_missed(group: Group, near: np.ndarray, window: Grid, chance: np.ndarray) -> np.ndarray:
    block = np.ones((len(chance), *window.shape), dtype=np.float32)
    own, common = group.own() / window.cell, group.common() / window.cell
    for shape in group.shapes[near]:
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
    burnt = rasterio.features.rasterize(
        [shape], out_shape=fine.shape, transform=fine.transform, dtype="uint8", default_value=1
    )
    if times == 1:
        return burnt.astype(np.float32)
    return burnt.reshape(grid.shape[0], times, grid.shape[1], times).mean(axis=(1, 3), dtype=np.float32)
