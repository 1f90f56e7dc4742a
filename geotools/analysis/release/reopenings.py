"""Reopenings that cannot be placed: ground of an event that names a hazard but has no polygon on it.

For erring to the safe side before the ledger is computed; how reopened ground is taken off releases is in `ledger`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release.entries import Entries
from geotools.analysis.release.geos import union
from geotools.analysis.release.projection import Ground, sigmas
from geotools.model.programme import Programme
from geotools.model.vocab import fold
from geotools.space.geom import polygonal
from geotools.space.shapes import Shapes


@dataclass(frozen=True)
class Layer:
    """The rows of one layer and their ground, aligned."""

    rows: Entries
    ground: Ground

    def __len__(self) -> int:
        return len(self.rows)


def placed(hazards: Layer, events: Layer, programme: Programme) -> tuple[Layer, frozenset[int]]:
    """The events, with all ground of the named hazard for reopenings that have no ground on it, and which those are.

    Where it happened is not known, so no part of the hazard can be claimed as released. A polygon elsewhere is reopened too.
    """
    rows = events.rows
    link = rows.text("hazard_id")
    candidates = [row for row in np.flatnonzero(rows.act == _e.REOPENED) if link[row] is not None]
    if not candidates:
        return events, frozenset()
    plane = np.asarray(events.ground.plane).copy()
    area, dense, spread = (getattr(events.ground, name).copy() for name in ("area", "dense", "spread"))
    found = named(hazards)
    adds = _e.event_adds(rows.frame, programme)
    whole: set[int] = set()
    for row in candidates:
        mine = found.get(str(link[row])) or found.get(fold(link[row]), [])
        more = [n for n in np.flatnonzero(adds != None) if fold(link[n] or "") == fold(link[row])]  # noqa: E711
        ground = np.r_[hazards.ground.plane[mine], events.ground.plane[more]]
        if not mine or _touches(plane[row], ground):
            continue
        whole.add(int(row))
        plane[row] = polygonal([union(np.r_[ground, plane[[row]]])])[0]
        area[row], dense[row] = shapely.area(plane[row]), False
        spread[row] = sigmas(plane[[row]], np.ones(1))[0]
    ground = replace(events.ground, plane=Shapes.of(plane), area=area, dense=dense, spread=spread)
    return Layer(rows, ground), frozenset(whole)


def named(hazards: Layer) -> dict[str, list[int]]:
    """Rows of every hazard id as given (an id used twice means both), and of ids in folded spelling."""
    found: dict[str, list[int]] = {}
    given = hazards.rows.text("id")
    for row, name in enumerate(hazards.rows.id):
        spellings = {str(name), given[row] or str(name)}
        for text in spellings | {fold(t) for t in spellings}:
            found.setdefault(text, []).append(row)
    return found


def _touches(shape: shapely.Geometry, ground: np.ndarray) -> bool:
    return bool((shapely.area(shapely.intersection(ground, shape)) > 0).any())
