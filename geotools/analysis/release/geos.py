"""The engine that is always there: bulk GEOS overlays in order of priority.

For valid polygons on one plane; what the areas mean is in `credit`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.errors import GEOSException

from geotools.analysis.release.engine import Job, Settled
from geotools.space.geom import polygonal

RESCUE_M = 1e-7  # precision of the second attempt where an overlay fails


def run(work: Job) -> Settled:
    """Answer one chunk."""
    raw = np.zeros(len(work.cover))
    pieces = _clip(work, raw)
    net = _first(work.container, pieces, raw)
    rest = work.containers.copy()
    taken = (work.cover < work.kept) & (raw > 0)
    _subtract(rest, work.container[taken], pieces[taken])
    return Settled(net, raw, shapely.area(rest), rest if work.geometry else None)


def _clip(work: Job, raw: np.ndarray) -> np.ndarray:
    """The ground of each pair; `raw` receives its area. A cover wholly inside needs no overlay."""
    inside, cover = work.containers[work.container], work.covers[work.cover]
    shapely.prepare(work.containers)
    within = shapely.covers(inside, cover)
    pieces: np.ndarray = np.where(within, cover, np.full(len(cover), None, dtype=object))
    other = np.flatnonzero(~within)
    other = other[shapely.intersects(inside[other], cover[other])]
    pieces[other] = polygonal(overlay(shapely.intersection, inside[other], cover[other]))
    pieces[shapely.is_missing(pieces)] = shapely.Polygon()
    raw[:] = shapely.area(pieces)
    return pieces


def overlay(operation: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A GEOS overlay of two aligned arrays; the rare pair that fails is done again on a grid of 0.1 µm."""
    try:
        return operation(left, right)
    except GEOSException:
        return np.array([_one(operation, a, b) for a, b in zip(left, right, strict=True)], dtype=object)


def _one(operation: Any, left: Any, right: Any) -> Any:
    try:
        return operation(left, right)
    except GEOSException:
        return operation(shapely.make_valid(left), shapely.make_valid(right), grid_size=RESCUE_M)


def union(pieces: np.ndarray) -> Any:
    """The union of polygons, whatever they are."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return shapely.union_all(pieces)
    except GEOSException:
        return shapely.union_all(shapely.make_valid(pieces), grid_size=RESCUE_M)


def _first(container: np.ndarray, pieces: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Area of each piece that no earlier piece of its container covers: the earlier ones are taken off one by one."""
    net = raw.copy()
    if not len(pieces):
        return net
    later, first = _earlier(container, pieces)
    if not len(later):
        return net
    turn = np.arange(len(later)) - np.repeat(np.flatnonzero(np.r_[True, np.diff(later) != 0]), np.unique(later, return_counts=True)[1])
    alone = pieces.copy()
    for n in range(int(turn.max()) + 1):
        rows = np.flatnonzero(turn == n)
        rows = rows[~shapely.is_empty(alone[later[rows]])]
        alone[later[rows]] = overlay(shapely.difference, alone[later[rows]], pieces[first[rows]])
    changed = np.unique(later)
    net[changed] = shapely.area(alone[changed])
    return net


def _earlier(container: np.ndarray, pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (later, earlier) of pieces of one container that meet, sorted."""
    one, two = shapely.STRtree(pieces).query(pieces)
    keep = (two < one) & (container[one] == container[two])
    one, two = one[keep], two[keep]
    order = np.lexsort((two, one))
    one, two = one[order], two[order]
    near = shapely.intersects(pieces[one], pieces[two])
    return one[near], two[near]


def _subtract(rest: np.ndarray, container: np.ndarray, pieces: np.ndarray) -> None:
    """Take from each container the union of its pieces."""
    if not len(container):
        return
    starts = np.r_[0, np.flatnonzero(np.diff(container)) + 1]
    rows = container[starts]
    joined = np.array([union(group) for group in np.split(pieces, starts[1:])], dtype=object)
    rest[rows] = polygonal(overlay(shapely.difference, rest[rows], joined))
