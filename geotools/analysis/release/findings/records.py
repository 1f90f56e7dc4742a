"""Ground and ids of every layer: RL-01, 02, 03, 05, 18, 20. What acts say is in `releases` and `happenings`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.analysis.release import projection as _p
from geotools.analysis.release.findings.found import Found
from geotools.analysis.release.ledger import Ledger, Snapshot
from geotools.analysis.release.reopenings import Layer
from geotools.model.figures import square_metres


def ground_and_ids(book: Ledger, shot: Snapshot, name: str) -> Iterator[Found]:
    """Ground and ids of one layer."""
    layer: Layer = getattr(book, name)
    ids, ground = layer.rows.id, layer.ground
    code, severity, result = "RL-02", "warning", "it counts 0 m²"
    if name == "hazards":
        code, severity, result = (
            "RL-01",
            "error",
            "it is in no figure of released or remaining ground, and none of it is shown to be released",
        )
    apart = book.reopened_whole if name == "events" else frozenset()
    for row in np.flatnonzero(ground.state != _p.USABLE):
        if row in apart:
            continue  # RL-16 says what is done
        if name == "events":
            severity = "error"  # ground that was to be added, taken over or opened again
        yield Found(code, severity, name, ids[row], "geometry", f"{_p.REASONS[int(ground.state[row])]}: {result}")
    for row in np.flatnonzero(ground.repaired & (ground.state == _p.USABLE)):
        yield Found(
            "RL-03", "warning", name, ids[row], "geometry",
            f"its boundary was not valid and was repaired: {square_metres(ground.before[row])} m² before, {square_metres(ground.area[row])} m² after",
            value=float(ground.area[row]), limit=float(ground.before[row]), at=row,
        )  # fmt: skip
    for row in np.flatnonzero(layer.rows.twice):
        yield Found(
            "RL-18",
            "warning",
            name,
            ids[row],
            "id",
            "its id is used by another record: it is counted under a name of its own",
            at=row,
        )
    if layer.rows.made.any():
        count = int(layer.rows.made.sum())
        yield Found(
            "RL-18",
            "info",
            name,
            "",
            "id",
            f"{count} of {len(ids)} records have no id: ids were made from their place in the file",
            value=count,
        )
    if name != "hazards":
        return
    for own, column in book.self_links:
        yield Found(
            "RL-20", "warning", name, ids[own], column,
            f"it names itself in {column}: the link is ignored", value=ids[own], at=own,
        )  # fmt: skip
    for circle in book.circles:
        names = ", ".join(str(ids[row]) for row in circle)
        for member in circle:
            yield Found(
                "RL-23", "error", name, ids[member], "supersedes_id",
                f"{names} supersede each other in a circle: these links are ignored, shared ground goes to the hazard recorded first",
                value=names, at=member,
            )  # fmt: skip
    for row in shot.hazard[np.isnat(layer.rows.day[shot.hazard])]:
        told = "a date that cannot be read" if layer.rows.odd_day[row] else "no date of information"
        yield Found(
            "RL-05",
            "info",
            name,
            ids[row],
            "date_info",
            f"it has {told}: it is counted on every day",
            at=row,
        )
