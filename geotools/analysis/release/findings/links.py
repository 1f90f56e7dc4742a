"""The hazard a release names against the ground it touches: RL-08, 09, 10, 14."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geotools.analysis.release.findings.found import Found
from geotools.analysis.release.ledger import Ledger, Snapshot
from geotools.analysis.release.succession import sortable
from geotools.model.figures import square_metres


def links(book: Ledger, shot: Snapshot) -> Iterator[Found]:
    """The hazard a release names against the hazards it touches."""
    layer, ids = book.releases, book.releases.rows.id
    link = layer.rows.text("hazard_id")
    every = {name: row for row, name in enumerate(book.hazards.rows.id)}
    position = {int(row): n for n, row in enumerate(shot.hazard)}
    own = (shot.release[shot.pair_c] < len(layer)) & (shot.raw > 1e-6)
    pairs = (shot.release[shot.pair_c[own]], -shot.raw[own], shot.pair_h[own])
    named = np.array([-1 if text is None else position.get(every.get(text, -1), -1) for text in link], dtype=int)
    plain = _plain(book, shot, (pairs[0], pairs[2]), named)
    touched: dict[int, list[tuple[float, int]]] = {}
    for release, area, hazard in zip(*(column[~plain[pairs[0]]].tolist() for column in pairs), strict=True):
        touched.setdefault(release, []).append((area, hazard))
    counted = np.sort(shot.release[shot.release < len(layer)])
    for row in counted[~plain[counted]].tolist():
        text, meets = link[row], sorted(touched.get(row, ()))
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
        else:
            day, then = book.hazards.rows.day[every[text]], f"counts in {most}" if most else "is outside all hazards"
            yield Found(
                "RL-14",
                "warning",
                "releases",
                ids[row],
                "date",
                f"it names hazard {text}, which was recorded only on {day}: as of {shot.as_of} what it released {then}",
                value=str(layer.rows.day[row]),
                limit=str(day),
                at=row,
            )


def _plain(book: Ledger, shot: Snapshot, pairs: tuple[np.ndarray, np.ndarray], named: np.ndarray) -> np.ndarray:
    """Which releases lie where they say, in that hazard alone, and came later: nothing is to be said of them."""
    release, hazard = pairs
    only = np.full(len(named), -1)
    only[release] = hazard
    only[np.bincount(release, minlength=len(named)) != 1] = -1
    since = sortable(book.hazards.rows.day[shot.hazard])
    day = sortable(book.releases.rows.day, undated_last=True)
    plain = (only >= 0) & (only == named)
    plain[plain] = day[plain] >= since[only[plain]]
    return plain


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
            f"it names hazard {name}, but {square_metres(astray, toward='up')} m² of it lie in {others}",
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
            f"it is dated {layer.rows.day[row]}, before hazard {name} was recorded ({found}): tables by year or "
            f"period count its ground on its own day; the state as of a day and the balance know it in {name} from {found} on",
            value=str(layer.rows.day[row]),
            limit=str(found),
            at=row,
        )
