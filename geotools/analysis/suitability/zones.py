"""Exact shares of cells in polygons, and what they say of each task.

For figures by task; a cell at the edge counts with the part of it that lies inside.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geotools.analysis.suitability.limits import CONDITIONAL, CRITERIA, LOW, NOT, OK, UNKNOWN, state_of, worst
from geotools.space import geom

BAND = 4_000_000  # cells worked at a time
NOTHING = 1e-11  # shares below it are rounding


def fractions(
    polygon: BaseGeometry, transform: Affine, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and exact covered share of the cells that a polygon covers in part or whole, inside a lattice of `shape`.

    Every edge is cut at the lines between cells. A piece with rise dy inside a cell adds dy to all cells on its right and, to its own, dy times
    the share of the cell on its right: the signed sums of all pieces are the covered shares.

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
    origin, size = np.array(transform @ (int(start[0]), int(start[1]))), np.array([transform.a, transform.e])
    extent = shape[1] - int(start[0]), shape[0] - int(start[1])
    if min(extent) <= 0:
        return none
    local = shapely.transform(polygon, lambda points: (points - origin) / size)
    local = geom.polygonal([shapely.intersection(local, shapely.box(0, 0, *extent))])[0]
    if local.is_empty:
        return none
    begin, end = _pieces(local)
    wide = min(math.ceil(local.bounds[2]), extent[0])
    found = [_band(begin, end, top, wide) for top in range(0, math.ceil(local.bounds[3]), max(1, BAND // wide))]
    rows, columns, share = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows + start[1], columns + start[0], share


def _pieces(polygon: BaseGeometry) -> tuple[np.ndarray, np.ndarray]:
    """First and last points of all edges, shells one way round and holes the other, cut at whole numbers."""
    points, ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(shapely.orient_polygons(polygon))), return_index=True
    )
    same = ring[1:] == ring[:-1]
    begin, end = points[:-1][same], points[1:][same]
    for axis in (1, 0):
        begin, end = _cut(begin, end, axis)
    return begin, end


def _cut(begin: np.ndarray, end: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of segments between whole numbers of one coordinate."""
    a, b = begin[:, axis], end[:, axis]
    first, last = np.floor(np.minimum(a, b)) + 1, np.ceil(np.maximum(a, b)) - 1
    cuts = np.maximum(last - first + 1, 0).astype(int)
    owner = np.repeat(np.arange(len(a)), cuts + 1)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(cuts + 1) - cuts - 1, cuts + 1)
    up = (b >= a)[owner]

    def at(step: np.ndarray) -> np.ndarray:
        line = np.where(up, first[owner] + step - 1, last[owner] - step + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = ((line - a[owner]) / (b - a)[owner])[:, None]
            place = begin[owner] + part * (end - begin)[owner]
        place[:, axis] = line
        place[step == 0] = begin[owner][step == 0]
        over = step == cuts[owner] + 1
        place[over] = end[owner][over]
        return place

    return at(number), at(number + 1)


def _band(begin: np.ndarray, end: np.ndarray, top: int, wide: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells and shares of the rows from `top` on, as many as fit a band."""
    middle = (begin + end) / 2
    high = max(1, BAND // wide)
    row = np.floor(middle[:, 1]).astype(int) - top
    here = (row >= 0) & (row < high)
    high = int(row[here].max()) + 1 if here.any() else 0
    row, column = row[here], np.clip(np.floor(middle[here, 0]).astype(int), 0, wide)
    rise, inner = (begin - end)[here, 1], np.clip(middle[here, 0] - column, 0.0, 1.0)
    cell = row * (wide + 2) + column
    total = np.bincount(cell, rise * (1 - inner), minlength=high * (wide + 2))
    total += np.bincount(cell + 1, rise * inner, minlength=high * (wide + 2))[: len(total)]
    share = np.abs(np.cumsum(total.reshape(high, wide + 2), axis=1)[:, :wide])
    rows, columns = np.nonzero(share > NOTHING)
    share = share[rows, columns]
    share[share > 1 - NOTHING] = 1.0
    return rows + top, columns, share


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
