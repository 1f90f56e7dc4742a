"""The engine that is always there: bulk GEOS overlays in order of priority.

For valid polygons on one plane; what the areas mean is in `credit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.errors import GEOSException

from geotools.analysis.release import clean
from geotools.analysis.release.engine import Job, Settled
from geotools.space.geom import polygonal, repair

GRIDS_M = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5)  # grids of further attempts where plain overlay fails
AGREE_M2, AGREE_SHARE = 1e-6, 1e-12  # parts must add up to the whole to within this


def run(work: Job[np.ndarray]) -> Settled:
    """Answer one chunk: from clean outlines where they are clean, else by overlays."""
    if not len(work.cover):
        return _overlaid(work)
    found, good = clean.settle(work)
    rows = np.flatnonzero(~good)
    if len(rows):
        pairs = np.flatnonzero(~good[work.container])
        place = np.searchsorted(rows, work.container[pairs])
        hard = _overlaid(replace(work, containers=work.containers[rows], container=place, cover=work.cover[pairs]))
        found.net[pairs], found.raw[pairs], found.left[rows] = hard.net, hard.raw, hard.left
        if found.rest is not None:
            found.rest[rows] = hard.rest
    return found


def _overlaid(work: Job[np.ndarray]) -> Settled:
    """Plain overlays first; a container whose parts fail to add up is worked again on a grid.

    Each container is worked in coordinates from its own corner: far from the origin of a plane, overlays of nearly parallel
    edges lose digits.
    """
    corner = np.nan_to_num(shapely.bounds(work.containers)[:, :2])
    ground = _moved(work.containers, -corner)
    covers = _moved(work.covers[work.cover], -corner[work.container])
    taken = work.cover < work.kept
    near = replace(work, containers=ground, covers=covers, cover=np.arange(len(covers)))
    found = _credited(near, taken) if work.credit else _rest_only(near, taken)
    if not work.geometry:
        return replace(found, rest=None)
    assert found.rest is not None
    rest = work.containers.copy()
    changed = np.flatnonzero([a is not b for a, b in zip(found.rest, ground, strict=True)])
    rest[changed] = _moved(found.rest[changed], corner[changed])
    for row in changed[~shapely.is_valid(rest[changed])]:
        rest[row] = _placed(found.rest[row], corner[row])
    return replace(found, rest=rest)


def _moved(polygons: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Polygons moved by an offset each."""
    points, owner = shapely.get_coordinates(polygons, return_index=True)
    return np.asarray(shapely.set_coordinates(polygons.copy(), points + offset[owner]), dtype=object)


def _credited(work: Job[np.ndarray], taken: np.ndarray) -> Settled:
    """Who took what, and the rest."""
    raw, fails = np.zeros(len(work.cover)), np.zeros(len(work.containers), dtype=bool)
    pieces = _clip(work, raw, fails)
    net = _first(work.container, pieces, raw, fails)
    rest = work.containers.copy()
    _subtract(rest, work.container[taken & (raw > 0)], pieces[taken & (raw > 0)], fails)
    left, none = shapely.area(rest), rest.copy()
    _subtract(none, work.container[~taken & (raw > 0)], pieces[~taken & (raw > 0)], fails)
    fails |= _fails(work.container, work.containers, net, none) | _fails(
        work.container[taken], work.containers, net[taken], rest
    )
    fails |= ~shapely.is_valid(rest)
    for row in np.flatnonzero(fails):
        mine = np.flatnonzero(work.container == row)
        net[mine], raw[mine], rest[row], left[row] = _on_grid(
            work.containers[row], work.covers[work.cover[mine]], taken[mine]
        )
    return Settled(net, raw, left, rest)


def _rest_only(work: Job[np.ndarray], taken: np.ndarray) -> Settled:
    """What no cover takes, without asking who took the rest."""
    fails = np.zeros(len(work.containers), dtype=bool)
    shapely.prepare(work.containers)
    near = taken.copy()
    near[near] = shapely.intersects(work.containers[work.container[near]], work.covers[work.cover[near]])
    rest = work.containers.copy()
    _subtract(rest, work.container[near], work.covers[work.cover[near]], fails)
    left = shapely.area(rest)
    for row in np.flatnonzero(
        fails | ~shapely.is_valid(rest) | (left > shapely.area(work.containers) * (1 + 1e-12) + AGREE_M2)
    ):
        mine = np.flatnonzero(near & (work.container == row))
        _, _, rest[row], left[row] = _on_grid(
            work.containers[row], work.covers[work.cover[mine]], np.ones(len(mine), dtype=bool)
        )
    none = np.zeros(len(work.cover))
    return Settled(none, none.copy(), left, rest)


def _fails(container: np.ndarray, containers: np.ndarray, net: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Containers whose parts and rest do not add up."""
    gross = shapely.area(containers)
    spent = np.bincount(container, weights=net, minlength=len(gross))
    return np.abs(gross - spent - shapely.area(rest)) > np.maximum(AGREE_M2, AGREE_SHARE * gross)


def _on_grid(container: Any, cover: np.ndarray, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any, float]:
    """One container by snap rounding on the finest grid that works, in coordinates from its own corner."""
    corner = shapely.bounds(container)[:2]
    near, *parts = shifted(np.array([container, *cover], dtype=object), -corner)
    finest = max(GRIDS_M[0], 1e-13 * max(shapely.bounds(near)))
    for size in GRIDS_M:
        try:
            net, raw, rest = _in_turn(near, np.array(parts, dtype=object), taken, max(size, finest))
        except GEOSException:
            if size == GRIDS_M[-1]:
                raise
            continue
        return net, raw, _placed(rest, corner), float(shapely.area(rest))
    raise AssertionError


def _in_turn(container: Any, cover: np.ndarray, taken: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray, Any]:
    """Cover after cover: net, raw and rest."""
    ground, *parts = snapped(np.array([container, *cover], dtype=object), size)
    net, raw = np.zeros(len(parts)), np.zeros(len(parts))
    still = rest = ground
    for n, part in enumerate(parts):
        raw[n] = shapely.area(shapely.intersection(ground, part, grid_size=size))
        after = polygonal([shapely.difference(still, part, grid_size=size)])[0]
        net[n] = max(shapely.area(still) - shapely.area(after), 0.0)
        still = after
        rest = after if taken[n] else rest
    return net, raw, rest


def snapped(polygons: np.ndarray, size: float) -> np.ndarray:
    """Valid polygons with their vertices on a grid; nothing is lost but what is thinner than the grid."""
    polygons = np.asarray(polygons, dtype=object)
    try:
        return polygonal(shapely.set_precision(polygons, size))
    except GEOSException:  # a valid polygon, moved, may cross itself by its last digit
        return polygonal(shapely.set_precision(repair(polygons), size))


def _placed(rest: Any, corner: np.ndarray) -> Any:
    """A polygon moved to its place; where rounding would make it cross itself, its needles are taken off first."""
    out = shifted(np.array([rest], dtype=object), corner)
    for size in GRIDS_M:
        if shapely.is_valid(out[0]):
            break
        try:
            out = shifted(snapped(np.array([rest], dtype=object), size), corner)
        except GEOSException:
            continue
    return repair(out[0])


def shifted(polygons: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Polygons moved by an offset."""
    return shapely.set_coordinates(polygons.copy(), shapely.get_coordinates(polygons) + offset)


def _clip(work: Job[np.ndarray], raw: np.ndarray, fails: np.ndarray) -> np.ndarray:
    """The ground of each pair; `raw` receives its area. A cover wholly inside needs no overlay."""
    inside, cover = work.containers[work.container], work.covers[work.cover]
    shapely.prepare(work.containers)
    within = shapely.covers(inside, cover)
    pieces: np.ndarray = np.where(within, cover, np.full(len(cover), None, dtype=object))
    other = np.flatnonzero(~within)
    other = other[shapely.intersects(inside[other], cover[other])]
    shared, bad = _attempt(shapely.intersection, inside[other], cover[other])
    pieces[other] = polygonal(shared)
    fails[work.container[other[bad]]] = True
    pieces[shapely.is_missing(pieces)] = shapely.Polygon()
    raw[:] = shapely.area(pieces)
    return pieces


def _attempt(operation: Any, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A GEOS overlay of two aligned arrays, and which of them failed (they give an empty polygon)."""
    try:
        return operation(left, right), np.zeros(len(left), dtype=bool)
    except GEOSException:
        out, bad = np.full(len(left), shapely.Polygon(), dtype=object), np.zeros(len(left), dtype=bool)
    for n, (a, b) in enumerate(zip(left, right, strict=True)):
        try:
            out[n] = operation(a, b)
        except GEOSException:
            bad[n] = True
    return out, bad


def overlay(operation: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A GEOS overlay of two aligned arrays; the rare pair that fails is done again on a fine grid."""
    try:
        return operation(left, right)
    except GEOSException:
        return np.array([_one(operation, a, b) for a, b in zip(left, right, strict=True)], dtype=object)


def _one(operation: Any, left: Any, right: Any) -> Any:
    try:
        return operation(left, right)
    except GEOSException:
        return _on_some_grid(np.array([left, right], dtype=object), lambda two, size: operation(*two, grid_size=size))


def _on_some_grid(polygons: np.ndarray, attempt: Callable[[np.ndarray, float], Any]) -> Any:
    for size in GRIDS_M[:-1]:
        try:
            return attempt(snapped(polygons, size), size)
        except GEOSException:
            continue
    clean = polygonal(shapely.make_valid(polygons))
    return attempt(snapped(clean, GRIDS_M[-1]), GRIDS_M[-1])


def union(pieces: np.ndarray) -> Any:
    """The union of polygons, whatever they are."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return shapely.union_all(pieces)
    except GEOSException:
        return _on_some_grid(pieces, lambda some, size: shapely.union_all(some, grid_size=size))


def _first(container: np.ndarray, pieces: np.ndarray, raw: np.ndarray, fails: np.ndarray) -> np.ndarray:
    """Area of each piece that no earlier piece of its container covers: the earlier ones are taken off one by one."""
    net = raw.copy()
    if not len(pieces):
        return net
    later, first = _earlier(container, pieces)
    if not len(later):
        return net
    turn = np.arange(len(later)) - np.repeat(
        np.flatnonzero(np.r_[True, np.diff(later) != 0]), np.unique(later, return_counts=True)[1]
    )
    alone = pieces.copy()
    for n in range(int(turn.max()) + 1):
        rows = np.flatnonzero(turn == n)
        rows = rows[~shapely.is_empty(alone[later[rows]])]
        alone[later[rows]], bad = _attempt(shapely.difference, alone[later[rows]], pieces[first[rows]])
        fails[container[later[rows[bad]]]] = True
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


def _subtract(rest: np.ndarray, container: np.ndarray, pieces: np.ndarray, fails: np.ndarray) -> None:
    """Take from each container the union of its pieces."""
    if not len(container):
        return
    starts = np.r_[0, np.flatnonzero(np.diff(container)) + 1]
    rows = container[starts]
    joined = np.full(len(rows), shapely.Polygon(), dtype=object)
    for n, group in enumerate(np.split(pieces, starts[1:])):
        try:
            joined[n] = group[0] if len(group) == 1 else shapely.union_all(group)
        except GEOSException:
            fails[rows[n]] = True
    cut, bad = _attempt(shapely.difference, rest[rows], joined)
    rest[rows] = polygonal(cut)
    fails[rows[bad]] = True
