"""The series of a coverage: remaining, cleared, reduced, cancelled and processed ground on every day something changed.

For figures equal to `coverage(as_of=day)`; not for flows between days (see `balance`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geotools.analysis.release import tables as _tables
from geotools.analysis.release.ledger import Ledger, Snapshot
from geotools.analysis.release.succession import sortable

FIGURES = ("area", "remaining", "released", "cleared", "reduced", "cancelled", "processed")


def series(book: Ledger, last: np.datetime64 | None) -> pd.DataFrame:
    """One row per day with a record, up to `last`: ``day`` and the totals of that day in m²."""
    days = _days(book, last)
    if _simple(book):
        figures = _summed(book, book.snapshot(last, by_day=True, geometry=False), days)
    else:
        figures = _asked(book, days)
    table = pd.DataFrame({"day": pd.Series(days.astype("datetime64[s]")).dt.as_unit("ms")})
    for name in FIGURES:
        table[f"{name}_m2"] = figures[name]
    return table


def _days(book: Ledger, last: np.datetime64 | None) -> np.ndarray:
    days = np.concatenate([layer.rows.day for layer in (book.hazards, book.releases, book.events)])
    days = np.unique(days[~np.isnat(days)]).astype("datetime64[D]")
    return days if last is None else days[days <= last]


def _simple(book: Ledger) -> bool:
    """Whether ground only ever goes from open to released by one act after another, so that one pass over the ledger will do.

    Not so with events, with superseded hazards, with machine work that a search may follow, and where not the first act has the credit.
    """
    acts = book.releases.rows.act
    processed = bool((acts == _tables.ACTS["processed"]).any())
    superseding = any(text for text in book.hazards.rows.text("supersedes_id"))
    return not len(book.events) and not superseding and not processed and book.work.priority == "first"


def _asked(book: Ledger, days: np.ndarray) -> dict[str, np.ndarray]:
    totals = [_tables.totals(book, book.snapshot(day, geometry=False)) for day in days]
    return {name: np.array([float(t[f"{name}_m2"]) for t in totals]) for name in FIGURES}


def _summed(book: Ledger, shot: Snapshot, days: np.ndarray) -> dict[str, np.ndarray]:
    known = sortable(book.hazards.rows.day)[shot.hazard]
    acted = sortable(book.releases.rows.day, undated_last=True)[shot.release]
    when = np.maximum(acted[shot.own_c], known[shot.own_h])
    steps = days.astype(np.int64)
    figures = {"processed": np.zeros(len(days)), "area": _cumulative(known, shot.own_gross, steps)}
    for name in _tables.PRODUCTS:
        mine = shot.act[shot.own_c] == _tables.ACTS[name]
        figures[name] = _cumulative(when[mine], shot.own_net[mine], steps)
    figures["released"] = np.sum([figures[name] for name in _tables.PRODUCTS], axis=0)
    figures["remaining"] = figures["area"] - figures["released"]
    return figures


def _cumulative(when: np.ndarray, amount: np.ndarray, days: np.ndarray) -> np.ndarray:
    order = np.argsort(when, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(amount[order])))
    return total[np.searchsorted(when[order], days, side="right")]
