"""Where water runs: pits filled, each cell to its steepest lower neighbour (D8), upstream ground added up.

For whole height models: water comes from anywhere upstream, so no window with a margin could give the same answer.
"""

from __future__ import annotations

import heapq
import importlib.util
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from geotools.analysis.terrain.elevation import Elevation
from geotools.model.errors import ReadError
from geotools.model.progress import Progress, tracked

MOST_CELLS = 50_000_000  # 22 bytes each and the flood's queue: 1.5 GB
MOST_PLAIN = 4_000_000  # without compilation, a minute or two
UNSEEN, OUTLET = -1, 8
ROW = (-1, -1, -1, 0, 0, 1, 1, 1)  # the step opposite to step k is step 7 - k
COLUMN = (-1, 0, 1, -1, 1, -1, 0, 1)


def upstream(
    dem: Elevation, *, tile: int = 512, progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Upstream ground in m² (at least), where more may come from unseen ground, and where nothing is known.

    Pits are filled to their lowest outlet (priority flood, Barnes, Lehman and Mulla 2014); flats drain the way the flood came. Cells
    with a missing neighbour are where water may leave; what they would pass on is not counted, but marks what lies downstream as unsure.

    Raises
    ------
    ReadError
        If the model is larger than can be kept in memory, or than is sensible without compilation.
    """
    _affordable(dem.shape)
    level = np.full(dem.shape, np.nan)
    area = np.zeros(dem.shape)
    for row, column, rows, columns in tracked(list(dem.windows(tile)), "reading heights", progress):
        here = np.s_[row : row + rows, column : column + columns]
        level[here] = dem.read(row, column, rows, columns)
        area[here] = dem.ground.area(row, column, (rows, columns))
    level[~np.isfinite(area)] = np.nan
    flood, steepest, accumulate = _engine()
    direction = np.full(dem.shape, UNSEEN, dtype="int8")
    order = np.empty(level.size, dtype="int32")
    unsure = np.zeros(dem.shape, dtype=bool)
    stages = (
        lambda: flood(level, direction, order),
        lambda: steepest(level, direction, unsure, _reach(dem)),
        lambda: accumulate(direction, order[: int((direction != UNSEEN).sum())], area, unsure),
    )
    for stage in tracked(stages, "following the water", progress):
        stage()
    unknown = (direction == OUTLET) | np.isnan(level)
    return area, unsure, unknown


def _affordable(shape: tuple[int, int]) -> None:
    cells = shape[0] * shape[1]
    if cells > MOST_CELLS:
        raise ReadError(
            f"drainage needs the whole model at once, and {cells:,} cells are more than {MOST_CELLS:,}",
            hint="cut it along a watershed or use larger cells, for example with gdalwarp -tr",
        )
    if cells > MOST_PLAIN and importlib.util.find_spec("numba") is None:
        raise ReadError(
            f"drainage of {cells:,} cells takes too long without numba", hint="pip install 'geotools-demining[fast]'"
        )


def _reach(dem: Elevation) -> np.ndarray:
    """Metres to each of the eight neighbours, per row, as at the middle column."""
    rows, columns = dem.shape
    planes = dem.ground.over(0, columns // 2, (rows, 1))[:, :, 0]
    area = planes[4]
    row_step, column_step = (-planes[2] * area, planes[0] * area), (planes[3] * area, -planes[1] * area)
    reach = [
        np.hypot(column_step[0] * c - row_step[0] * r, column_step[1] * c - row_step[1] * r)
        for r, c in zip(ROW, COLUMN, strict=True)
    ]
    return np.stack(reach, axis=1)


@lru_cache(maxsize=1)
def _engine() -> tuple[Callable[..., Any], ...]:
    """The three passes, compiled if numba is there; the results are the same."""
    passes = (_flood, _steepest, _accumulate)
    if importlib.util.find_spec("numba") is None:
        return passes
    import numba

    try:
        return tuple(numba.njit(cache=True, nogil=True)(one) for one in passes)
    except RuntimeError:  # no folder can be written
        return tuple(numba.njit(nogil=True)(one) for one in passes)


def _flood(level: np.ndarray, direction: np.ndarray, order: np.ndarray) -> int:
    """Fill pits in place; `direction` leads back the way the flood came, `order` lists cells from the outlets inwards."""
    rows, columns = level.shape
    heap = [(0.0, 0, 0)]
    heap.pop()
    count = 0
    for r in range(rows):
        for c in range(columns):
            if np.isnan(level[r, c]):
                continue
            border = False
            for k in range(8):
                y, x = r + ROW[k], c + COLUMN[k]
                if y < 0 or x < 0 or y >= rows or x >= columns or np.isnan(level[y, x]):
                    border = True
            if border:
                direction[r, c] = OUTLET
                heapq.heappush(heap, (level[r, c], count, r * columns + c))
                count += 1
    done = 0
    while len(heap) > 0:
        height, _, cell = heapq.heappop(heap)
        order[done] = cell
        done += 1
        r, c = cell // columns, cell % columns
        for k in range(8):
            y, x = r + ROW[k], c + COLUMN[k]
            if y < 0 or x < 0 or y >= rows or x >= columns:
                continue
            if np.isnan(level[y, x]) or direction[y, x] != UNSEEN:
                continue
            direction[y, x] = 7 - k
            level[y, x] = max(level[y, x], height)
            heapq.heappush(heap, (level[y, x], count, y * columns + x))
            count += 1
    return done


def _steepest(level: np.ndarray, direction: np.ndarray, unsure: np.ndarray, reach: np.ndarray) -> None:
    """Turn each cell to its steepest lower neighbour; for an outlet, note where its water might go instead."""
    rows, columns = level.shape
    for r in range(rows):
        for c in range(columns):
            if direction[r, c] == UNSEEN:
                continue
            best, way = 0.0, -1
            for k in range(8):
                y, x = r + ROW[k], c + COLUMN[k]
                if y < 0 or x < 0 or y >= rows or x >= columns or np.isnan(level[y, x]):
                    continue
                fall = (level[r, c] - level[y, x]) / reach[r, k]
                if fall > best:
                    best, way = fall, k
            if way >= 0 and direction[r, c] == OUTLET:
                unsure[r + ROW[way], c + COLUMN[way]] = True
            elif way >= 0:
                direction[r, c] = way


def _accumulate(direction: np.ndarray, order: np.ndarray, area: np.ndarray, unsure: np.ndarray) -> None:
    """Add each cell's upstream ground to the cell it drains to, from the divides down."""
    columns = direction.shape[1]
    for n in range(len(order) - 1, -1, -1):
        r, c = order[n] // columns, order[n] % columns
        k = direction[r, c]
        if k == OUTLET:
            continue
        y, x = r + ROW[k], c + COLUMN[k]
        area[y, x] += area[r, c]
        unsure[y, x] |= unsure[r, c]
