"""Transfers and outward corrections that name a hazard: they take ground from the record they name, not from what others claim.

For erring to the safe side before the ledger is computed; how acts take ground is in `ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release.entries import Entries
from geotools.analysis.release.geos import overlay, union
from geotools.analysis.release.reopenings import Layer, named
from geotools.analysis.release.succession import sortable
from geotools.model.programme import Programme
from geotools.model.vocab import fold
from geotools.space.geom import polygonal
from geotools.space.shapes import Shapes, meeting


@dataclass(frozen=True)
class Withheld:
    """What an act does not take: m² that stay open, and the hazards that claim them (none: it names no known hazard)."""

    area_m2: float
    hazards: tuple[str, ...]


def placed(hazards: Layer, events: Layer, programme: Programme) -> tuple[Layer, Mapping[int, Withheld]]:
    """The events, with what they may take: of ground that another hazard claims too, nothing until its own record lets it go.

    A duplicate record can so leave the books without the ground of the other record. A hazard that the named one supersedes
    has no claim of its own. Without ``hazard_id`` an act counts wherever it lies; if no such hazard is recorded, nowhere.
    """
    rows, link = events.rows, events.rows.text("hazard_id")
    takes = np.isin(rows.act, (_e.TRANSFERRED, _e.CORRECTED)) & (events.ground.area > 0)
    acts = [int(row) for row in np.flatnonzero(takes) if link[row] is not None]
    if not acts:
        return events, {}
    known = named(hazards)
    mine = {row: frozenset(known.get(str(link[row])) or known.get(fold(link[row]), [])) for row in acts}
    plane, area = np.asarray(events.ground.plane).copy(), events.ground.area.copy()
    claims = _Claims(hazards, events, mine, programme)
    withheld: dict[int, Withheld] = {}
    for row in acts:
        shape = plane[row]
        held = claims.against(row)
        if not mine[row]:
            shape = shapely.Polygon()
        elif held:
            shape = _cut(shapely.difference, shape, union(np.array([*held.values()], dtype=object)))
        if shape is not plane[row]:
            names = tuple(str(hazards.rows.id[hazard]) for hazard in held) if mine[row] else ()
            withheld[row] = Withheld(float(area[row] - shapely.area(shape)), names)
            plane[row], area[row] = shape, shapely.area(shape)
    return Layer(rows, replace(events.ground, plane=Shapes.of(plane), area=area)), withheld


class _Claims:
    """The ground of hazards with all that was ever added to them, less what their own acts let go."""

    def __init__(self, hazards: Layer, events: Layer, mine: Mapping[int, frozenset[int]], programme: Programme) -> None:
        self.hazards, self.events, self.mine = hazards, events, mine
        self.day = sortable(events.rows.day, undated_last=True)
        self.back = np.flatnonzero((events.rows.act == _e.REOPENED) & (events.ground.area > 0))
        self.before = _superseded(hazards.rows)
        self.acts: dict[int, list[int]] = {}
        for row, named_rows in mine.items():
            for hazard in named_rows:
                self.acts.setdefault(hazard, []).append(row)
        self.added = _added(hazards, events, programme)
        bounds = hazards.ground.plane.bounds.copy()
        for hazard, more in self.added.items():
            bounds[hazard] = shapely.total_bounds(np.r_[hazards.ground.plane[[hazard]], events.ground.plane[more]])
        acts = np.array(sorted(mine))
        self.near: dict[int, set[int]] = {row: set() for row in mine}
        for place, hazard in zip(*meeting(events.ground.plane.take(acts).bounds, bounds), strict=True):
            self.near[int(acts[place])].add(int(hazard))

    def against(self, row: int) -> dict[int, shapely.Geometry]:
        """What other hazards claim of the ground of an act, on its day or ever after."""
        mine = self.mine[row]
        before = {old for hazard in mine for old in self.before.get(hazard, ())}
        ground = self.events.ground.plane[row]
        held = {}
        for hazard in sorted(self.near[row] - mine - before):
            shape = _cut(shapely.intersection, self._claim(hazard, self.day[row]), ground)
            if shapely.area(shape) > 0:
                held[hazard] = shape
        return held

    def _claim(self, hazard: int, day: int) -> shapely.Geometry:
        plane = self.events.ground.plane
        ground = union(np.r_[self.hazards.ground.plane[[hazard]], plane[self.added.get(hazard, [])]])
        for row in (row for row in self.acts.get(hazard, ()) if self.day[row] <= day):
            back = [b for b in self.back if self.day[b] >= self.day[row] or np.isnat(self.events.rows.day[b])]
            gone = _cut(shapely.difference, plane[row], union(plane[back])) if back else plane[row]
            ground = _cut(shapely.difference, ground, gone)
        return ground


def _cut(how: Callable[..., Any], one: shapely.Geometry, other: shapely.Geometry) -> shapely.Geometry:
    """One polygon cut by another, also where the plain overlay fails."""
    pair = np.array([one, other], dtype=object)
    return polygonal(overlay(how, pair[:1], pair[1:]))[0]


def _added(hazards: Layer, events: Layer, programme: Programme) -> dict[int, list[int]]:
    """Events that add ground to each hazard."""
    place = {name: row for row, name in enumerate(hazards.rows.id)}
    link, adds = events.rows.text("hazard_id"), _e.event_adds(events.rows.frame, programme)
    found: dict[int, list[int]] = {}
    for row in np.flatnonzero((adds != None) & (events.ground.area > 0)):  # noqa: E711
        if link[row] in place:
            found.setdefault(place[link[row]], []).append(int(row))
    return found


def _superseded(rows: Entries) -> dict[int, set[int]]:
    """For each hazard that supersedes one: all whose place it took, in turn."""
    place = {name: row for row, name in enumerate(rows.id)}
    old = {row: place[text] for row, text in enumerate(rows.text("supersedes_id")) if text in place}
    found: dict[int, set[int]] = {}
    for row in old:
        step: int | None = row
        while step is not None:
            step = old.get(step)
            if step is not None:
                found.setdefault(row, set()).add(step)
    return found
