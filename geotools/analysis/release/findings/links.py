"""The hazard a release names against the ground it touches: RL-08, 09, 10, 14."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.analysis.release.findings.found import Found
from geotools.analysis.release.ledger import Ledger, Snapshot


def links(book: Ledger, shot: Snapshot) -> Iterator[Found]:
    """The hazard a release names against the hazards it touches."""
    layer, ids = book.releases, book.releases.rows.id
    link = layer.rows.text("hazard_id")
    every = {name: row for row, name in enumerate(book.hazards.rows.id)}
    position = {int(row): n for n, row in enumerate(shot.hazard)}
    touched: dict[int, list[tuple[float, int]]] = {}
    own = (shot.release[shot.pair_c] < len(layer)) & (shot.raw > 1e-6)
    for release, hazard, area in zip(shot.release[shot.pair_c[own]], shot.pair_h[own], shot.raw[own], strict=True):
        touched.setdefault(int(release), []).append((-float(area), int(hazard)))
    for row in np.sort(shot.release[shot.release < len(layer)]):
        text, meets = link[row], sorted(touched.get(int(row), []))
        most = book.hazards.rows.id[shot.hazard[meets[0][1]]] if meets else None
        if text is None:
            says = f"it lies mostly in {most}" if most else "it touches no hazard"
            yield Found(
                "RL-10",
                "info",
                "releases",
                ids[row],
                "hazard_id",
                f"it names no hazard: {says}",
                limit=most or "",
                at=row,
            )
        elif text not in every:
            says = f"it lies mostly in {most}" if most else "it touches no hazard"
            yield Found(
                "RL-08",
                "error",
                "releases",
                ids[row],
                "hazard_id",
                f"it names hazard '{text}', which is not in the records: {says}",
                value=text,
                limit=most or "",
                at=row,
            )
        elif every[text] in position:
            yield from _compared(book, shot, row, position[every[text]], meets)


def _compared(book: Ledger, shot: Snapshot, row: int, linked: int, meets: list[tuple[float, int]]) -> Iterator[Found]:
    layer, names = book.releases, book.hazards.rows.id
    ids = layer.rows.id
    name = names[shot.hazard[linked]]
    inside = -sum(area for area, hazard in meets if hazard == linked)
    if inside <= 0:
        if shot.gross[linked] <= 0:
            return  # the hazard has no ground to compare with; RL-01 says so
        says = f"its ground lies in {names[shot.hazard[meets[0][1]]]}" if meets else "its ground touches no hazard"
        yield Found(
            "RL-09",
            "error",
            "releases",
            ids[row],
            "hazard_id",
            f"it names hazard {name} but does not touch it: {says}",
            value=name,
            at=row,
        )
        return
    limit = max(book.programme.limit("overlap_m2"), book.programme.limit("overlap_share") * layer.ground.area[row])
    astray = sum(-area for area, hazard in meets if hazard != linked)
    if astray > limit and layer.ground.area[row] - inside > limit:
        others = ", ".join(str(names[shot.hazard[hazard]]) for _, hazard in meets if hazard != linked)
        yield Found(
            "RL-09",
            "warning",
            "releases",
            ids[row],
            "hazard_id",
            f"it names hazard {name}, but {astray:.1f} m² of it lie in {others}",
            value=float(astray),
            limit=float(limit),
            at=row,
        )
    found = book.hazards.rows.day[shot.hazard[linked]]
    if layer.rows.day[row] < found:
        yield Found(
            "RL-14",
            "warning",
            "releases",
            ids[row],
            "date",
            f"it is dated {layer.rows.day[row]}, before hazard {name} was recorded ({found}): it is booked on the later day",
            value=str(layer.rows.day[row]),
            limit=str(found),
            at=row,
        )
