"""The engine that is always there: bulk GEOS overlays in order of priority.

For valid polygons on one plane; what the areas mean is in `credit`.
"""

from __future__ import annotations

from collections import defaultdict
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
    """Area of each piece that no earlier piece of its container covers."""
    net = raw.copy()
    if not len(pieces):
        return net
    earlier, shared = _earlier(container, pieces)
    touching: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (later, first), area in zip(earlier, shared, strict=True):
        touching[int(later)].append((int(first), float(area)))
    meets = set(zip(earlier[:, 0].tolist(), earlier[:, 1].tolist(), strict=True))
    hard: list[int] = []
    for later, found in touching.items():
        firsts = [first for first, _ in found]
        if len(firsts) == 1 or not any((b, a) in meets for n, a in enumerate(firsts) for b in firsts[n + 1 :]):
            net[later] -= sum(area for _, area in found)  # the earlier ones do not meet each other
        else:
            hard.append(later)
    if hard:
        before = np.array([union(pieces[[first for first, _ in touching[later]]]) for later in hard], dtype=object)
        net[hard] = shapely.area(overlay(shapely.difference, pieces[hard], before))
    return np.maximum(net, 0.0)


def _earlier(container: np.ndarray, pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (later, earlier) of pieces of one container that share ground, sorted, and the area shared."""
    one, two = shapely.STRtree(pieces).query(pieces)
    keep = (two < one) & (container[one] == container[two])
    one, two = one[keep], two[keep]
    order = np.lexsort((two, one))
    one, two = one[order], two[order]
    near = shapely.intersects(pieces[one], pieces[two])
    one, two = one[near], two[near]
    shared = shapely.area(overlay(shapely.intersection, pieces[one], pieces[two]))
    some = shared > 0
    return np.column_stack([one[some], two[some]]), shared[some]


def _subtract(rest: np.ndarray, container: np.ndarray, pieces: np.ndarray) -> None:
    """Take from each container the union of its pieces."""
    if not len(container):
        return
    starts = np.r_[0, np.flatnonzero(np.diff(container)) + 1]
    rows = container[starts]
    joined = np.array([union(group) for group in np.split(pieces, starts[1:])], dtype=object)
    rest[rows] = polygonal(overlay(shapely.difference, rest[rows], joined))
