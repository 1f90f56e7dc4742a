"""What is odd in the records of land release, as rows of the ISSUES table (RL- and AR- codes).

For faults the ledger meets; faults of a single record are in `checks`.

RL-01 hazard without usable ground    RL-02 release or event without usable ground    RL-03 repaired boundary
RL-04 release without a date          RL-05 hazard without a date                     RL-06 product missing or unknown
RL-07 mechanical without a search     RL-08 link to no known hazard                   RL-09 link and geometry disagree
RL-10 release without a link          RL-11 all ground released before                RL-12 hazards share ground
RL-13 closed but ground remains       RL-14 released before it was recorded           RL-15 superseded ground without a release
RL-16 event that cannot be applied    RL-17 left out as of the day                    RL-18 id missing or used twice
RL-19 method is not a known word      RL-20 hazard that names itself as another
AR-01 the ledger does not close       AR-03 released twice                            AR-05 released outside every hazard
AR-13 reported and measured area differ
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.release import entries as _e
from geotools.analysis.release import layers as _layers
from geotools.analysis.release import projection as _p
from geotools.analysis.release import tables as _tables
from geotools.analysis.release.ledger import Ledger, Snapshot
from geotools.analysis.release.reopenings import Layer
from geotools.model.methods import UNKNOWN
from geotools.model.schema import Issue, issues_frame
from geotools.model.vocab import vocabulary

CLOSED = frozenset({"closed", "released", "cancelled"})
IDENTITY_M2, IDENTITY_SHARE = 1.0, 0.001  # A1


def findings(book: Ledger, shot: Snapshot, table: pd.DataFrame, credits_: pd.DataFrame) -> gpd.GeoDataFrame:
    """All findings, sorted by severity, check and id."""
    found: list[Issue] = []
    for name in ("hazards", "releases", "events"):
        found += _rows(book, shot, name)
    found += _release_rows(book, shot, credits_)
    found += _links(book, shot)
    found += _events(book)
    found += _hazard_rows(book, shot, table)
    found += _shared(book, shot)
    found += _doubles(book, shot)
    found += _left_out(book, shot)
    weight = {"error": 0, "warning": 1, "info": 2}
    found.sort(key=lambda i: (weight[i.severity], i.check, i.kind, i.id, i.message))
    return issues_frame(found)


def _where(layer: Layer, row: Any) -> Any:
    return layer.ground.points(np.array([row]))[0]


def _rows(book: Ledger, shot: Snapshot, name: str) -> Iterator[Issue]:
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
        yield Issue(code, severity, name, ids[row], "geometry", f"{_p.REASONS[int(ground.state[row])]}: {result}")
    for row in np.flatnonzero(ground.repaired & (ground.state == _p.USABLE)):
        yield Issue(
            "RL-03", "warning", name, ids[row], "geometry",
            f"its boundary was not valid and was repaired: {ground.before[row]:.1f} m² before, {ground.area[row]:.1f} m² after",
            value=float(ground.area[row]), limit=float(ground.before[row]), geometry=_where(layer, row),
        )  # fmt: skip
    for row in np.flatnonzero(layer.rows.twice):
        yield Issue(
            "RL-18",
            "warning",
            name,
            ids[row],
            "id",
            "its id is used by another record: it is counted under a name of its own",
            geometry=_where(layer, row),
        )
    if layer.rows.made.any():
        count = int(layer.rows.made.sum())
        yield Issue(
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
        yield Issue(
            "RL-20", "warning", name, ids[own], column,
            f"it names itself in {column}: the link is ignored", value=ids[own], geometry=_where(layer, own),
        )  # fmt: skip
    for row in shot.hazard[np.isnat(layer.rows.day[shot.hazard])]:
        told = "a date that cannot be read" if layer.rows.odd_day[row] else "no date of information"
        yield Issue(
            "RL-05",
            "info",
            name,
            ids[row],
            "date_info",
            f"it has {told}: it is counted on every day",
            geometry=_where(layer, row),
        )


def _release_rows(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> Iterator[Issue]:
    """Day, product, method, effect and reported area of each release."""
    layer = book.releases
    rows, ids, day = layer.rows, layer.rows.id, layer.rows.day
    usable = layer.ground.state == _p.USABLE
    for row in np.flatnonzero(np.isnat(day)):
        told = "a date that cannot be read" if rows.odd_day[row] else "no date"
        then = "is credited after all dated ones" if shot.as_of is None else f"is not counted as of {shot.as_of}"
        yield Issue(
            "RL-04", "warning", "releases", ids[row], "date", f"it has {told}: it {then}", geometry=_where(layer, row)
        )
    for row in np.flatnonzero(rows.act == _e.NOTHING):
        yield Issue(
            "RL-06",
            "error",
            "releases",
            ids[row],
            "product",
            "its product is missing or not a known word: it releases 0 m²",
            limit=", ".join(_e.PRODUCTS),
            geometry=_where(layer, row),
        )
    yield from _strange_methods(book)
    strange = _e.methods(rows.frame, book.programme) == UNKNOWN
    for row in np.flatnonzero((rows.act == _e.PROCESSED) & usable & ~strange):
        yield Issue(
            "RL-07",
            "warning",
            "releases",
            ids[row],
            "follow_up",
            "a machine processed this ground and no search after it is recorded: it is processed, not released",
            geometry=_where(layer, row),
        )
    acts = np.isin(rows.act, _e.RELEASING)
    why = credits_["why_zero"].to_numpy()
    for row in np.flatnonzero(acts & usable & (why == "all of its ground had been released before")):
        yield Issue(
            "RL-11",
            "warning",
            "releases",
            ids[row],
            "",
            "all of its ground had been released before: it adds 0 m²",
            value=0,
            geometry=_where(layer, row),
        )
    out = credits_["outside_m2"].to_numpy()
    share = book.programme.limit("overlap_share")
    for row in np.flatnonzero(out > np.maximum(book.programme.limit("overlap_m2"), share * layer.ground.area)):
        yield Issue(
            "AR-05",
            "warning",
            "releases",
            ids[row],
            "geometry",
            f"{out[row]:.1f} m² of it lie outside every recorded hazard: they are listed apart",
            value=float(out[row]),
            limit=book.programme.limit("overlap_m2"),
            geometry=_where(layer, row),
        )
    reported = rows.number("area_reported_m2")
    yield from _reported(book, layer, "releases", reported)
    yield from _reported(book, book.hazards, "hazards", book.hazards.rows.number("area_reported_m2"))


def _strange_methods(book: Ledger) -> Iterator[Issue]:
    """A method nobody knows proves no search: cleared ground under it is not released."""
    layer = book.releases
    typed = _e.as_entered(layer.rows.frame, "method")
    for row in np.flatnonzero(_e.methods(layer.rows.frame, book.programme) == UNKNOWN):
        held = layer.rows.act[row] == _e.PROCESSED
        then = "a search is not proved, its ground is processed, not released" if held else "it is counted as it says"
        yield Issue(
            "RL-19", "error" if held else "warning", "releases", layer.rows.id[row], "method",
            f"its method '{typed[row]}' is not a known word: {then}", value=typed[row],
            limit=", ".join(vocabulary("method").keys), geometry=_where(layer, row),
        )  # fmt: skip


def _reported(book: Ledger, layer: Layer, name: str, reported: np.ndarray) -> Iterator[Issue]:
    """A11: reported against measured area, beyond the larger of 2 % and twice the ±."""
    area = layer.ground.area
    sigma = book.sigma[0] if name == "hazards" else book.sigma[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(reported - area) / area
        limit = np.maximum(book.programme.limit("area_mismatch_share"), 2 * sigma / area)
    for row in np.flatnonzero((area > 0) & np.isfinite(reported) & (off > limit)):
        ratio = max(reported[row], 1e-9) / area[row]
        slip = next(
            (
                f": the figure may be in {unit}"
                for factor, unit in _SLIPS
                if abs(np.log10(ratio) - np.log10(factor)) < 0.1
            ),
            "",
        )
        yield Issue(
            "AR-13", "warning", name, layer.rows.id[row], "area_reported_m2",
            f"it reports {reported[row]:,.0f} m² and measures {area[row]:,.0f} ± {sigma[row]:,.0f} m²{slip}",
            value=float(reported[row]), limit=f"{100 * limit[row]:.1f} %", geometry=_where(layer, row),
        )  # fmt: skip


_SLIPS = (
    (1e-4, "hectares"),
    (1e-6, "square kilometres"),
    (1e-3, "dönüm of 1,000 m²"),
    (1e4, "square centimetres or entered twice as hectares"),
)


def _links(book: Ledger, shot: Snapshot) -> Iterator[Issue]:
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
        where = _where(layer, row)
        if text is None:
            says = f"it lies mostly in {most}" if most else "it touches no hazard"
            yield Issue(
                "RL-10",
                "info",
                "releases",
                ids[row],
                "hazard_id",
                f"it names no hazard: {says}",
                limit=most or "",
                geometry=where,
            )
        elif text not in every:
            says = f"it lies mostly in {most}" if most else "it touches no hazard"
            yield Issue(
                "RL-08",
                "error",
                "releases",
                ids[row],
                "hazard_id",
                f"it names hazard '{text}', which is not in the records: {says}",
                value=text,
                limit=most or "",
                geometry=where,
            )
        elif every[text] in position:
            yield from _compared(book, shot, row, position[every[text]], meets)


def _compared(book: Ledger, shot: Snapshot, row: int, linked: int, meets: list[tuple[float, int]]) -> Iterator[Issue]:
    layer, names = book.releases, book.hazards.rows.id
    ids, where = layer.rows.id, _where(layer, row)
    name = names[shot.hazard[linked]]
    inside = -sum(area for area, hazard in meets if hazard == linked)
    if inside <= 0:
        if shot.gross[linked] <= 0:
            return  # the hazard has no ground to compare with; RL-01 says so
        says = f"its ground lies in {names[shot.hazard[meets[0][1]]]}" if meets else "its ground touches no hazard"
        yield Issue(
            "RL-09",
            "error",
            "releases",
            ids[row],
            "hazard_id",
            f"it names hazard {name} but does not touch it: {says}",
            value=name,
            geometry=where,
        )
        return
    limit = max(book.programme.limit("overlap_m2"), book.programme.limit("overlap_share") * layer.ground.area[row])
    astray = sum(-area for area, hazard in meets if hazard != linked)
    if astray > limit and layer.ground.area[row] - inside > limit:
        others = ", ".join(str(names[shot.hazard[hazard]]) for _, hazard in meets if hazard != linked)
        yield Issue(
            "RL-09",
            "warning",
            "releases",
            ids[row],
            "hazard_id",
            f"it names hazard {name}, but {astray:.1f} m² of it lie in {others}",
            value=float(astray),
            limit=float(limit),
            geometry=where,
        )
    found = book.hazards.rows.day[shot.hazard[linked]]
    if layer.rows.day[row] < found:
        yield Issue(
            "RL-14",
            "warning",
            "releases",
            ids[row],
            "date",
            f"it is dated {layer.rows.day[row]}, before hazard {name} was recorded ({found}): it is booked on the later day",
            value=str(layer.rows.day[row]),
            limit=str(found),
            geometry=where,
        )


def _events(book: Ledger) -> Iterator[Issue]:
    """Events that cannot be applied, or only with an assumption."""
    layer = book.events
    known = set(book.hazards.rows.id)
    what, typed = _e.events_of(layer.rows.frame, book.programme), _e.as_entered(layer.rows.frame, "event")
    adds, link = _e.event_adds(layer.rows.frame, book.programme), layer.rows.text("hazard_id")
    for row in range(len(layer)):
        name, act = layer.rows.id[row], layer.rows.act[row]
        if act == _e.REOPENED and (what[row] == UNKNOWN or row in book.reopened_whole or layer.ground.area[row] <= 0):
            yield Issue(
                "RL-16", "error", "events", name, "event" if what[row] == UNKNOWN else "geometry",
                _reopening(book, row, typed[row] if what[row] == UNKNOWN else None, link[row], what[row] == UNKNOWN),
                value=typed[row] or "", limit=", ".join(sorted({*_e.EVENT_ACTS, *_e.ADDING})), geometry=_where(layer, row),
            )  # fmt: skip
        elif adds[row] is not None and link[row] not in known:
            yield Issue(
                "RL-16",
                "error",
                "events",
                name,
                "hazard_id",
                f"it extends hazard '{link[row] or ''}', which is not in the records: its ground is not counted",
                geometry=_where(layer, row),
            )
        if np.isnat(layer.rows.day[row]):
            then = (
                "it applies to every release"
                if act == _e.REOPENED
                else "it counts on every day"
                if adds[row]
                else "it applies after all dated acts"
            )
            yield Issue(
                "RL-16", "warning", "events", name, "date", f"it has no date: {then}", geometry=_where(layer, row)
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


def _hazard_rows(book: Ledger, shot: Snapshot, table: pd.DataFrame) -> Iterator[Issue]:
    """Status against what remains, superseded ground, and whether each row closes."""
    status = book.hazards.rows.word("status", "hazard_status", book.programme)[shot.hazard]
    heir = book.hazards.rows.text("supersedes_id")
    replaced = {heir[row]: book.hazards.rows.id[row] for row in shot.hazard if heir[row]}
    left, gross = table["remaining_m2"].to_numpy(), table["area_m2"].to_numpy()
    spent = np.sum([table[f"{name}_m2"].to_numpy() for name in _tables.ACTS if name != "processed"], axis=0)
    for n, row in enumerate(shot.hazard):
        name, where = book.hazards.rows.id[row], None
        tolerance = max(IDENTITY_M2, IDENTITY_SHARE * gross[n])
        if abs(gross[n] - spent[n] - left[n]) > tolerance:
            yield Issue(
                "AR-01",
                "error",
                "hazards",
                name,
                "",
                f"its ledger does not close: {gross[n]:.3f} m² ≠ {spent[n]:.3f} + {left[n]:.3f} m²",
                value=float(gross[n]),
                limit=tolerance,
            )
        if left[n] > tolerance and status[n] in CLOSED and name not in replaced:
            where = _where(book.hazards, row)
            yield Issue(
                "RL-13",
                "error",
                "hazards",
                name,
                "status",
                f"it is {status[n]}, but {left[n]:,.1f} m² of it were never released: they remain open",
                value=float(left[n]),
                limit=tolerance,
                geometry=where,
            )
        if name in replaced and shot.own_left[n] > tolerance:
            where = _where(book.hazards, row)
            yield Issue(
                "RL-15",
                "warning",
                "hazards",
                name,
                "geometry",
                f"it is superseded by {replaced[name]}, but {shot.own_left[n]:,.1f} m² lie outside that and were never released: they remain open",
                value=float(shot.own_left[n]),
                geometry=where,
            )


def _shared(book: Ledger, shot: Snapshot) -> Iterator[Issue]:
    """Ground that two hazards claim."""
    names, link = book.hazards.rows.id, book.hazards.rows.text("supersedes_id")
    parent = book.hazards.rows.text("parent_id")
    limit, share = book.programme.limit("overlap_m2"), book.programme.limit("overlap_share")
    for one, two, area in shot.shared:
        a, b = shot.hazard[one], shot.hazard[two]
        if area <= max(limit, share * min(shot.gross[one], shot.gross[two])):
            continue
        related = names[a] in (link[b], parent[b]) or names[b] in (link[a], parent[a])
        yield Issue(
            "RL-12", "info" if related else "warning", "hazards", names[a], "geometry",
            f"it shares {area:,.1f} m² with {names[b]}: in totals that ground is counted once", value=area, limit=limit,
            geometry=_where(book.hazards, a),
        )  # fmt: skip


def _doubles(book: Ledger, shot: Snapshot) -> Iterator[Issue]:
    """A3: ground released twice."""
    later, first, area = _layers.overlap_pairs(book, shot)
    ids, ground = book.releases.rows.id, book.releases.ground.area
    one, two = shot.release[later], shot.release[first]
    limit, share = book.programme.limit("overlap_m2"), book.programme.limit("overlap_share")
    bad = np.flatnonzero((area > limit) & (area > share * np.minimum(ground[one], ground[two])))
    for n in bad:
        yield Issue(
            "AR-03", "error", "releases", ids[one[n]], "geometry",
            f"{area[n]:,.1f} m² of it were also released by {ids[two[n]]}, which keeps the credit", value=float(area[n]), limit=limit,
            geometry=_where(book.releases, one[n]),
        )  # fmt: skip


def _left_out(book: Ledger, shot: Snapshot) -> Iterator[Issue]:
    """How many records are later than the day asked for."""
    if shot.as_of is None:
        return
    for name in ("hazards", "releases", "events"):
        day = getattr(book, name).rows.day
        count = int((day > shot.as_of).sum())
        if count:
            yield Issue(
                "RL-17",
                "info",
                name,
                "",
                "",
                f"{count} records are dated after {shot.as_of} and are left out",
                value=count,
                limit=str(shot.as_of),
            )
