"""Exact shares of cells in polygons, and what they say of each task.

For figures by task; a cell at the edge counts with the part of it that lies inside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geotools.analysis.suitability.limits import CONDITIONAL, CRITERIA, LOW, NOT, OK, UNKNOWN, state_of, worst

STEPS = (64, 8, 1)
Read = Callable[[int, int, int, int], np.ndarray]


def fractions(
    polygon: BaseGeometry, transform: Affine, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and exact covered share of the cells that a polygon touches, inside a lattice of `shape`.

    Found from coarse to fine: blocks wholly inside count at once, only cells at the edge are cut.

    Examples
    --------
    >>> rows, columns, share = fractions(shapely.box(0.5, 0.5, 2, 2), Affine(1, 0, 0, 0, -1, 3), (3, 3))
    >>> dict(zip(zip(rows.tolist(), columns.tolist()), share.tolist()))
    {(1, 0): 0.5, (1, 1): 1.0, (2, 0): 0.25, (2, 1): 0.5}
    """
    none = np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0)
    if polygon is None or polygon.is_empty:
        return none
    back = ~transform
    west, south, east, north = polygon.bounds
    corner = np.floor(np.min([back @ (west, north), back @ (east, south)], axis=0))
    start = np.clip(corner, 0, [shape[1], shape[0]]).astype(int)
    # cells are unit squares of a plane that begins at the first of them: no digits are lost in large coordinates
    size = np.array([transform.a, transform.e])
    origin = np.array(transform @ (int(start[0]), int(start[1])))
    local = shapely.transform(polygon, lambda points: (points - origin) / size)
    extent = shape[1] - int(start[0]), shape[0] - int(start[1])
    if min(extent) <= 0:
        return none
    local = shapely.intersection(local, shapely.box(0, 0, *extent))
    if local.is_empty:
        return none
    right, down = np.ceil(np.array(local.bounds[2:])).astype(int)
    x, y = (v.ravel() for v in np.meshgrid(np.arange(0, max(right, 1), STEPS[0]), np.arange(0, max(down, 1), STEPS[0])))
    columns, rows, share = _refined(x, y, np.full(len(x), local, dtype=object), 0)
    order = np.lexsort((columns, rows))
    return rows[order] + start[1], columns[order] + start[0], share[order]


def _refined(x: np.ndarray, y: np.ndarray, pieces: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells and shares below blocks at (x, y), each with the piece of the polygon to look at."""
    size = STEPS[level]
    if level == 0 and len(x):
        shapely.prepare(pieces[0])
    boxes = shapely.box(x, y, x + size, y + size)
    cut = shapely.intersection(boxes, pieces)
    area = shapely.area(cut)
    if size == 1:
        keep = area > 0
        return x[keep], y[keep], np.minimum(area[keep], 1.0)
    full = area >= size * size * (1 - 1e-12)
    part = (area > 0) & ~full
    inner = np.arange(size)
    cells_x, cells_y = (x[full, None, None] + inner[None, None, :]), (y[full, None, None] + inner[None, :, None])
    whole = np.broadcast_arrays(cells_x, cells_y)
    step = np.arange(0, size, STEPS[level + 1])
    sub = np.broadcast_arrays(x[part, None, None] + step[None, None, :], y[part, None, None] + step[None, :, None])
    below = _refined(sub[0].ravel(), sub[1].ravel(), np.repeat(cut[part], len(step) ** 2), level + 1)
    return (
        np.r_[whole[0].ravel(), below[0]].astype(int),
        np.r_[whole[1].ravel(), below[1]].astype(int),
        np.r_[np.ones(whole[0].size), below[2]],
    )


def ground(
    codes: np.ndarray, weights: np.ndarray, total_m2: float, outside: float
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Ground of a task by class, and by criterion what it excludes, alone or with others, leaves unknown or makes conditional.

    `weights` are m² of each cell inside the task, `outside` those beyond the lattice; all are scaled to `total_m2`.
    """
    scale = total_m2 / (weights.sum() + outside) if weights.sum() + outside > 0 else 0.0
    area, beyond = weights * scale, outside * scale
    state = worst(codes)
    sums = np.bincount(state, weights=area, minlength=4)
    figures = {
        "workable_m2": sums[OK],
        "conditional_m2": sums[CONDITIONAL],
        "unknown_m2": sums[UNKNOWN] + beyond,
        "not_m2": sums[NOT],
    }
    bits = (codes & (codes >> np.uint32(1))) & LOW
    single = (bits & (bits - np.uint32(1))) == 0
    rows = []
    for name in CRITERIA:
        own = state_of(codes, name)
        by = np.bincount(own, weights=area, minlength=4)
        alone = float(area[(own == NOT) & single].sum())
        rows.append(
            {
                "criterion": name,
                "not_m2": float(by[NOT]),
                "only_not_m2": alone,
                "unknown_m2": float(by[UNKNOWN]) + beyond,
                "conditional_m2": float(by[CONDITIONAL]),
            }
        )
    return {name: float(value) for name, value in figures.items()}, rows


def task_class(shares: dict[str, float], least: float) -> str:
    """Class of a task: ``workable`` or ``not`` if nearly all of it is, else ``conditional``; ``unknown`` if what is unknown could change that.

    Examples
    --------
    >>> task_class({"workable": 0.97, "conditional": 0.0, "unknown": 0.03, "not": 0.0}, 0.95)
    'workable'
    >>> task_class({"workable": 0.5, "conditional": 0.0, "unknown": 0.5, "not": 0.0}, 0.95)
    'unknown'
    """

    def of(workable: float, excluded: float) -> str:
        return "workable" if workable >= least else "not" if excluded >= least else "conditional"

    best = of(shares["workable"] + shares["unknown"], shares["not"])
    poorest = of(shares["workable"], shares["not"] + shares["unknown"])
    return best if best == poorest else "unknown"


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows as a frame that has its columns even when it is empty."""
    return pd.DataFrame(rows, columns=list(columns))
