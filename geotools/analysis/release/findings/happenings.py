"""Events that cannot be applied, or only with an assumption: RL-16. Their ground is in `records`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.analysis.release import entries as _e
from geotools.analysis.release.findings.found import Found
from geotools.analysis.release.ledger import Ledger
from geotools.model.methods import UNKNOWN


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
        if np.isnat(layer.rows.day[row]):
            then = (
                "it applies to every release"
                if act == _e.REOPENED
                else "it counts on every day"
                if adds[row]
                else "it applies after all dated acts"
            )
            yield Found("RL-16", "warning", "events", name, "date", f"it has no date: {then}", at=row)


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
