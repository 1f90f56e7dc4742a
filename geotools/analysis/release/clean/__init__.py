"""Areas and remaining ground from clean outlines, in whole arrays: what the engine that is always there does first.

For polygons in general position, told group by group; wherever two outlines come closer than `NEAR_M` without crossing at a
clear angle, the group is handed back and `geos` overlays it. The compiled engine does the same in `arrange`.

Every outline is cut where others cross it. Which polygons a piece lies in says whose area it bounds: an area is the sum of
½(x₁y₂ − x₂y₁) over its boundary (Green's theorem). The pieces around the remaining ground, put end to end, are its rings.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import shapely

from geotools.analysis.release.clean.pieces import Pieces
from geotools.analysis.release.clean.scene import Scene, events, scene, total
from geotools.analysis.release.engine import Job, Settled
from geotools.analysis.release.rings import SMALL_M2
from geotools.space import geom

MOST = 300  # covers of one container


def settle(work: Job[np.ndarray]) -> tuple[Settled, np.ndarray]:
    """Who took what, and for which containers that could be told; the others have zeros and no rest."""
    count = len(work.containers)
    size = np.bincount(work.container, minlength=count)
    fit = np.flatnonzero((size > 0) & (size <= MOST))
    net, raw, left = np.zeros(len(work.cover)), np.zeros(len(work.cover)), shapely.area(work.containers)
    rest = work.containers.copy() if work.geometry else None
    good = size == 0
    pairs = np.flatnonzero(np.isin(work.container, fit))
    twin = _twins(work, pairs)
    mine = pairs[twin[pairs] < 0]
    if len(mine):
        place = np.searchsorted(fit, work.container[mine])
        used, cover = np.unique(work.cover[mine], return_inverse=True)
        kept = np.bincount(place[work.cover[mine] < work.kept], minlength=len(fit))
        made = scene(work.containers[fit], work.covers[used], (place, cover), kept)
        net[mine], raw[mine], fine, ground = _answer(made, work.geometry)
        doubled = pairs[twin[pairs] >= 0]
        raw[doubled] = raw[twin[doubled]]
        taken = pairs[work.cover[pairs] < work.kept]
        left -= total(work.container[taken], weights=net[taken], minlength=count)
        np.maximum(left, 0.0, out=left)
        fine &= _plausible(replace(work, containers=work.containers), pairs, net, raw)[fit]
        if rest is not None and ground is not None:
            rest[fit] = ground
            rows = np.flatnonzero(fine)
            fine[rows] &= _whole(rest[fit[rows]], left[fit[rows]])
        good[fit] = fine
    return Settled(net, raw, left, rest), good


def _twins(work: Job[np.ndarray], pairs: np.ndarray) -> np.ndarray:
    """For each pair, the earlier pair of the same container whose cover has the same vertices; −1 for none."""
    twin = np.full(len(work.cover), -1)
    box = pd.DataFrame(shapely.bounds(work.covers[work.cover[pairs]]))
    box["container"], box["size"] = work.container[pairs], shapely.get_num_coordinates(work.covers[work.cover[pairs]])
    for _, rows in box[box.duplicated(keep=False)].groupby(list(box.columns), sort=False).groups.items():
        first, *others = pairs[np.asarray(rows)]
        for other in others:
            if shapely.equals_exact(work.covers[work.cover[first]], work.covers[work.cover[other]], 0.0):
                twin[other] = first
    return twin


def _plausible(work: Job[np.ndarray], pairs: np.ndarray, net: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Containers of which no part is negative or larger than what it is a part of."""
    gross = shapely.area(work.containers)
    slack = np.maximum(1e-6, 1e-12 * gross)
    low = slack[work.container[pairs]]
    odd = (raw[pairs] < -low) | (raw[pairs] > gross[work.container[pairs]] + low)
    odd |= (net[pairs] < -low) | (net[pairs] > raw[pairs] + low)
    fine = total(work.container[pairs], weights=net[pairs], minlength=len(gross)) <= gross + slack
    fine[work.container[pairs[odd]]] = False
    raw[pairs] = np.maximum(raw[pairs], 0.0)
    net[pairs] = np.clip(net[pairs], 0.0, raw[pairs])
    return np.asarray(fine)


def _whole(rest: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Whether the traced ground is valid and has the area that is left."""
    parts = shapely.get_num_geometries(rest) + shapely.get_num_interior_rings(rest)
    limit = np.maximum(1e-6, 1e-12 * left) + SMALL_M2 * (2 + np.maximum(parts, 0))
    return np.asarray(geom.valid(rest) & (np.abs(shapely.area(rest) - left) <= limit))


def _answer(found: Scene, geometry: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Net and raw area of each cover member, which groups are good, and what is left of each container."""
    one, two = found.near()
    crossings = found.crossings(one, two)
    at = events(found, crossings)
    pieces = Pieces.cut(found, at)
    inside, low = pieces.states(one, two)
    covers = found.rank > 0
    net, raw = pieces.areas(inside, low)
    rest = pieces.rest(inside, low) if geometry else None
    return net[covers], raw[covers], ~found.bad, rest
