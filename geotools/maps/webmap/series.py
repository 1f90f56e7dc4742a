"""The time series under the slider: remaining, cleared, reduced and cancelled ground on every day something changed.

For figures equal to `coverage(as_of=day)` from one pass over the ledger; not for charts or periods (see analysis.progress).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PRODUCTS = ("cleared", "reduced", "cancelled")
FIGURES = ("remaining", *PRODUCTS)


@dataclass(frozen=True)
class Series:
    """Figures in m² on the days they change; the last day is the coverage itself.

    Attributes
    ----------
    days
        Days since 1970-01-01, ascending.
    m2
        Figure → value on each day, for `FIGURES`.
    start
        Remaining ground before the first day (hazards without a date).
    undated
        Whether the last step also counts records without a date.
    """

    days: tuple[int, ...]
    m2: dict[str, tuple[float, ...]]
    start: float
    undated: bool


def series(coverage: Any) -> Series | None:
    """The series of a coverage, or None where no release or hazard has a date.

    A m² counts from the day both its hazard was recorded and it was released; ground of several hazards belongs to the
    one recorded first. Ledgers with events (reopened ground), superseded hazards or another rule of priority are asked day by day instead.

    Parameters
    ----------
    coverage
        What `geotools.coverage` returns.
    """
    book = coverage._book
    last = None if coverage.as_of is None else np.datetime64(coverage.as_of, "D")
    days = _days(book, last)
    if not len(days):
        return None
    figures = _asked(coverage, days) if _changing(book) else _summed(book, last, days)
    end = {name: float(coverage.totals[f"{name}_m2"]) for name in FIGURES}
    undated = coverage.as_of is None and any(abs(figures[name][-1] - end[name]) > 0.005 for name in FIGURES)
    steps = days.astype(int).tolist()
    if undated:
        steps.append(steps[-1] + 1)
        figures = {name: np.append(values, end[name]) for name, values in figures.items()}
    start = _before(book)
    return Series(tuple(steps), {n: tuple(round(float(v), 2) for v in figures[n]) for n in FIGURES}, start, undated)


def _days(book: Any, last: np.datetime64 | None) -> np.ndarray:
    days = np.concatenate(
        [book.hazards.rows.day, book.releases.rows.day, book.events.rows.day if book.events is not None else []]
    )
    days = np.unique(days[~np.isnat(days.astype("datetime64[D]"))].astype("datetime64[D]"))
    return days if last is None else days[days <= last]


def _changing(book: Any) -> bool:
    superseding = book.hazards.rows.text("supersedes_id")
    events = book.events is not None and len(book.events.rows) > 0
    return events or book.work.priority != "first" or any(text for text in superseding)


def _asked(coverage: Any, days: np.ndarray) -> dict[str, np.ndarray]:
    totals = [coverage.at(day.astype(object)).totals for day in days]
    return {name: np.array([float(t[f"{name}_m2"]) for t in totals]) for name in FIGURES}


def _summed(book: Any, last: np.datetime64 | None, days: np.ndarray) -> dict[str, np.ndarray]:
    shot = book.snapshot(last, by_day=True, geometry=False)
    known = book.hazards.rows.day[shot.hazard].astype("datetime64[D]")
    known = np.where(np.isnat(known), np.datetime64("0001-01-01", "D"), known)
    act_day = book.releases.rows.day[shot.release].astype("datetime64[D]")
    pair_day = np.maximum(act_day[shot.own_c], known[shot.own_h])
    dated = ~np.isnat(act_day[shot.own_c])
    figures = {}
    for code, name in enumerate(PRODUCTS):
        mine = (shot.act[shot.own_c] == code) & dated
        figures[name] = _cumulative(pair_day[mine], shot.own_net[mine], days)
    area = _cumulative(known, shot.own_gross, days)
    figures["remaining"] = area - sum(figures[name] for name in PRODUCTS)
    return figures


def _cumulative(when: np.ndarray, amount: np.ndarray, days: np.ndarray) -> np.ndarray:
    order = np.argsort(when, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(amount[order])))
    return total[np.searchsorted(when[order], days, side="right")]


def _before(book: Any) -> float:
    shot = book.snapshot(np.datetime64("0001-01-01", "D"), by_day=True, geometry=False)
    return round(float(shot.own_gross.sum()), 2)


def day_number(day: Any) -> int:
    """Days since 1970-01-01."""
    return int(np.datetime64(day, "D").astype(int))
