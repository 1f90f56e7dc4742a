"""The fast engine (extra ``fast``): exact areas and remaining ground of each hazard, without GEOS overlay.

For feeding polygons to `arrange` and `scanline` and building polygons from rings; right on unrepaired rings by the even-odd rule.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from geotools.analysis.release import geos
from geotools.analysis.release.arrange import arrange
from geotools.analysis.release.engine import Job, Settled
from geotools.analysis.release.rings import SMALL_M2, polygons
from geotools.analysis.release.scanline import sweep
from geotools.space.geom import polygonal, repair
from geotools.space.outlines import Outlines

AGREE_M2, AGREE_SHARE = 1e-6, 1e-12  # a traced rest must have the swept area to within this


def run(work: Job[np.ndarray]) -> Settled:
    """Answer one chunk: areas from clean outlines where they are clean, else, and for remaining ground, by scan line."""
    return _scanned(work) if work.geometry else _areas(work)


def _areas(work: Job[np.ndarray]) -> Settled:
    count = len(work.containers)
    net, raw, good = crossed(work)
    left = shapely.area(work.containers)
    taken = work.cover < work.kept
    left -= np.bincount(work.container[taken], weights=net[taken], minlength=count)
    np.maximum(left, 0.0, out=left)
    rows = np.flatnonzero(~good)
    if len(rows):
        pairs = np.flatnonzero(~good[work.container])
        place = np.searchsorted(rows, work.container[pairs])
        hard = _scanned(replace(work, containers=work.containers[rows], container=place, cover=work.cover[pairs]))
        net[pairs], raw[pairs], left[rows] = hard.net, hard.raw, hard.left
    return Settled(net, raw, left, None)


def crossed(work: Job[np.ndarray], *, touched_only: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Net and raw areas of the pairs, and for which containers they could be had from the outlines.

    Parameters
    ----------
    touched_only
        Only raw areas: covers are not compared with each other.
    """
    used, cover = np.unique(work.cover, return_inverse=True)
    polygons_, place = _once(np.r_[work.containers, work.covers[used]])
    known = Outlines(polygons_, valid=True)
    own, cover = place[: len(work.containers)], place[len(work.containers) :][cover]
    starts = np.r_[0, np.cumsum(np.bincount(work.container, minlength=len(own)))]
    net, raw, good = np.zeros(len(cover)), np.zeros(len(cover)), np.zeros(len(own), dtype=bool)
    arrange(
        known.xy, known.last, known.first, known.ring_first, known.sign, known.box, known.sure, own, starts, cover,
        touched_only, net, raw, good,
    )  # fmt: skip
    good &= _plausible(work, net, raw, touched_only)
    return net, raw, good


def _once(polygons_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each object once, in the order of first appearance, and where each position's now stands."""
    keys = np.fromiter(map(id, polygons_), dtype=np.int64, count=len(polygons_))
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return polygons_[first[order]], rank[place]


def _plausible(work: Job[np.ndarray], net: np.ndarray, raw: np.ndarray, touched_only: bool) -> np.ndarray:
    """Containers of which no part is negative or larger than what it is a part of."""
    gross = shapely.area(work.containers)
    slack = np.maximum(AGREE_M2, AGREE_SHARE * gross)
    low = slack[work.container]
    odd = (raw < -low) | (raw > gross[work.container] + low)
    if not touched_only:
        odd |= (net < -low) | (net > raw + low)
    spent = np.bincount(work.container, weights=net, minlength=len(gross))
    fine = spent <= gross + slack
    fine[work.container[odd]] = False
    np.maximum(raw, 0.0, out=raw)
    np.clip(net, 0.0, raw, out=net)
    return fine


def _scanned(work: Job[np.ndarray]) -> Settled:
    count = len(work.containers)
    used, cover = np.unique(work.cover, return_inverse=True)
    sizes = np.bincount(work.container, minlength=count)
    starts = np.r_[0, np.cumsum(sizes)]
    kept = np.bincount(work.container[work.cover < work.kept], minlength=count)
    net, raw, left = np.zeros(len(cover)), np.zeros(len(cover)), np.zeros(count)
    trace = np.full(count, work.geometry) & (sizes > 0)
    alone = sizes == 0
    ground, ground_last, ground_from = flat(work.containers)
    paint, paint_last, paint_from = flat(work.covers[used])
    boxes = np.nan_to_num(shapely.bounds(work.containers))
    xy, rings, owner, good = sweep(
        ground,
        ground_last,
        ground_from,
        boxes,
        paint,
        paint_last,
        paint_from,
        starts,
        cover.astype(np.int64),
        kept,
        trace,
        net,
        raw,
        left,
    )
    left[alone] = shapely.area(work.containers[alone])
    if not work.geometry:
        return Settled(net, raw, left, None)
    rest = polygons(xy, rings, owner, count)
    untouched = alone | (np.bincount(work.container, weights=raw, minlength=count) <= 0)
    rest[untouched] = work.containers[untouched]
    _mend(work, rest, ~good | _differs(rest, left, rings, owner), untouched)
    return Settled(net, raw, left, rest)


def flat(polygons_: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of polygons in one array, which vertex closes a ring, and the first vertex of each polygon."""
    if not len(polygons_):
        return np.zeros((0, 2)), np.zeros(0, dtype=bool), np.zeros(1, dtype=np.int64)
    kind, xy, offsets = shapely.to_ragged_array(polygons_, include_z=False)
    rings, *outer = (np.asarray(o, dtype=np.int64) for o in offsets)
    last = np.zeros(len(xy) + 1, dtype=bool)
    ends = rings[1:][np.diff(rings) > 0]
    last[ends - 1] = True
    first = outer[0] if kind == shapely.GeometryType.POLYGON else outer[0][outer[1]]
    return np.ascontiguousarray(xy), last[: len(xy)], rings[first]


def _differs(rest: np.ndarray, left: np.ndarray, sizes: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Where the traced polygon is not valid or has not the swept area."""
    bad = ~shapely.is_valid(rest)
    rest[bad] = polygonal(shapely.make_valid(rest[bad], method="linework"))  # even-odd, as the sweep
    bound = shapely.bounds(rest)
    span = np.nan_to_num((bound[:, 2] - bound[:, 0]) * (bound[:, 3] - bound[:, 1]))
    rings = np.bincount(owner, minlength=len(rest))
    limit = np.maximum(AGREE_M2, AGREE_SHARE * span) + SMALL_M2 * (1 + rings)
    return np.abs(shapely.area(rest) - left) > limit


def _mend(work: Job[np.ndarray], rest: np.ndarray, bad: np.ndarray, untouched: np.ndarray) -> None:
    """The rest of the few containers whose rings could not be traced, by GEOS."""
    for row in np.flatnonzero(bad & ~untouched):
        mine = np.flatnonzero(work.container == row)
        few = repair(work.covers[work.cover[mine]])
        stop = int((work.cover[mine] < work.kept).sum())
        found = geos.run(
            Job(repair(work.containers[[row]]), few, np.zeros(len(mine), dtype=int), np.arange(len(mine)), stop)
        )
        assert found.rest is not None
        rest[row] = found.rest[0]
