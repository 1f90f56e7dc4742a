"""Events that cannot be applied, or only with an assumption: RL-16. Their ground is in `records`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release.findings.found import Found
from geotools.analysis.release.geos import overlay, union
from geotools.analysis.release.ledger import Ledger
from geotools.analysis.release.withdrawals import Withheld
from geotools.model.figures import square_metres
from geotools.model.methods import UNKNOWN
from geotools.space.geom import polygonal
from geotools.space.shapes import meeting


def events(book: Ledger) -> Iterator[Found]:
    """Events that cannot be applied, or only with an assumption."""
    layer = book.events
    known = set(book.hazards.rows.id)
    what, typed = _e.events_of(layer.rows.frame, book.programme), _e.as_entered(layer.rows.frame, "event")
    adds, link = _e.event_adds(layer.rows.frame, book.programme), layer.rows.text("hazard_id")
    for row in range(len(layer)):
        name, act = layer.rows.id[row], layer.rows.act[row]
        if act == _e.REOPENED and (what[row] == UNKNOWN or row in book.reopened_whole or layer.ground.area[row] <= 0):
            yield Found(
                "RL-16", "error", "events", name, "event" if what[row] == UNKNOWN else "geometry",
                _reopening(book, row, typed[row] if what[row] == UNKNOWN else None, link[row], what[row] == UNKNOWN),
                value=typed[row] or "", limit=", ".join(sorted({*_e.EVENT_ACTS, *_e.ADDING})), at=row,
            )  # fmt: skip
        elif adds[row] is not None and link[row] not in known:
            yield Found(
                "RL-16",
                "error",
                "events",
                name,
                "hazard_id",
                f"it extends hazard '{link[row] or ''}', which is not in the records: its ground is not counted",
                at=row,
            )
        kept = book.withheld.get(row)
        if kept is not None and (not kept.hazards or kept.area_m2 > book.programme.limit("overlap_m2")):
            yield Found(
                "RL-16", "warning" if kept.hazards else "error", "events", name, "hazard_id", _withheld(kept, link[row]),
                value=kept.area_m2, at=row,
            )  # fmt: skip
        if np.isnat(layer.rows.day[row]):
            then = (
                "it applies to every release"
                if act == _e.REOPENED
                else "it counts on every day"
                if adds[row]
                else "it applies after all dated acts"
            )
            yield Found("RL-16", "warning", "events", name, "date", f"it has no date: {then}", at=row)


def late_additions(book: Ledger) -> Iterator[Found]:
    """Ground added to a hazard although it had been released before."""
    layer, done = book.events, book.releases
    adds, link = _e.event_adds(layer.rows.frame, book.programme), layer.rows.text("hazard_id")
    rows = np.flatnonzero((adds != None) & (layer.ground.area > 0) & ~np.isnat(layer.rows.day))  # noqa: E711
    earlier = np.flatnonzero((done.rows.act <= _e.CANCELLED) & (done.ground.area > 0) & ~np.isnat(done.rows.day))
    place, other = meeting(layer.ground.plane.take(rows).bounds, done.ground.plane.take(earlier).bounds)
    for n, row in enumerate(rows):
        mine = earlier[other[place == n]]
        mine = np.sort(mine[done.rows.day[mine] < layer.rows.day[row]])
        if not len(mine):
            continue
        ground = union(_common(done.ground.plane[mine], layer.ground.plane[row]))
        if shapely.area(ground) > book.programme.limit("overlap_m2"):
            first = done.rows.id[mine[np.argmin(done.rows.day[mine])]]
            yield Found(
                "RL-14", "warning", "events", layer.rows.id[row], "date",
                f"it adds ground to hazard {link[row]} of which {square_metres(shapely.area(ground), toward='down')} m² had been "
                f"released before, first by {first}: they count as released. If danger was found there again, record a reopening",
                value=float(shapely.area(ground)), limit=book.programme.limit("overlap_m2"), at=row,
            )  # fmt: skip


def _common(shapes: np.ndarray, one: shapely.Geometry) -> np.ndarray:
    """What each polygon has in common with one."""
    return np.asarray(polygonal(overlay(shapely.intersection, shapes, np.full(len(shapes), one, dtype=object))))


def _withheld(kept: Withheld, hazard: str | None) -> str:
    """What a transfer or correction may not take, in words."""
    if not kept.hazards:
        return f"it takes ground from hazard '{hazard or ''}', which is not in the records: nothing is taken, correct the id"
    others = ", ".join(kept.hazards[:3]) + (f" and {len(kept.hazards) - 3} more" if len(kept.hazards) > 3 else "")
    return (
        f"it names hazard {hazard}, but {square_metres(kept.area_m2, toward='up')} m² of its ground are also claimed by "
        f"{others}: they remain open. If they are to go too, record an event for each hazard"
    )


def _reopening(book: Ledger, row: int, word: str | None, hazard: str | None, unknown: bool) -> str:
    """What is done with a reopening that is not clear, in words."""
    if row in book.reopened_whole:
        then = f"it has no ground on hazard {hazard}, so all of that hazard counts as reopened"
    elif book.events.ground.area[row] > 0:
        then = "its ground counts as reopened"
    else:
        then = "it has no ground and names no known hazard, so nothing could be reopened: find out where it was"
    if not unknown:
        return then
    return (
        f"'{word}' is not a known event, it may be a reopening: {then}"
        if word
        else f"it does not say what happened: {then}"
    )
