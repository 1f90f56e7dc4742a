"""Which hazard takes the place of which: links that lead nowhere else but back, and who claims shared ground first.

For the order of claims in the ledger; shared ground itself is measured in `ledger`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geotools.analysis.release.entries import Entries


def without_circles(rows: Entries) -> tuple[Entries, tuple[tuple[int, str], ...], tuple[tuple[int, ...], ...]]:
    """The rows without links that cannot mean anything: to the record itself, and of hazards that supersede each other.

    Returns
    -------
    rows, alone, circles
        Row and column of each link of a record to itself; the rows of each circle.
    """
    frame, given, alone = rows.frame, rows.text("id"), []
    links = {column: rows.text(column) for column in ("supersedes_id", "parent_id")}
    for column, link in links.items():
        own = [n for n in range(len(rows)) if link[n] is not None and link[n] in (given[n], rows.id[n])]
        link[own] = None
        alone += [(n, column) for n in own]
    circles = _circles(_later(rows.id, links["supersedes_id"]))
    links["supersedes_id"][[n for circle in circles for n in circle]] = None
    if alone or circles:
        told = {name: pd.Series(link, index=frame.index, dtype=object) for name, link in links.items() if name in frame}
        rows = replace(rows, frame=frame.assign(**told), _texts={})
    return rows, tuple(alone), circles


def _later(names: np.ndarray, link: np.ndarray) -> list[int | None]:
    """The row that each row names, None for none that is known."""
    position = {name: n for n, name in enumerate(names)}
    return [position.get(text) if text else None for text in link]


def _circles(later: list[int | None]) -> tuple[tuple[int, ...], ...]:
    """Rows that lead back to themselves, circle by circle."""
    state = [0] * len(later)  # 0 not seen, otherwise the turn in which it was
    found = []
    for start in range(len(later)):
        path: list[int] = []
        row: int | None = start
        while row is not None and state[row] == 0:
            state[row] = start + 1
            path.append(row)
            row = later[row]
        if row is not None and state[row] == start + 1:
            found.append(tuple(sorted(path[path.index(row) :])))
    return tuple(found)


def claim_order(rows: Entries) -> np.ndarray:
    """Rank of each hazard's claim on ground it shares with others (0 claims first); there are no circles any more."""
    later = _later(rows.id, rows.text("supersedes_id"))
    depth = np.zeros(len(rows), dtype=int)  # how many steps a row is superseded
    for start in range(len(rows)):
        row, steps = later[start], 1
        while row is not None:
            depth[row] = max(depth[row], steps)
            row, steps = later[row], steps + 1
    rank = np.empty(len(rows), dtype=int)
    rank[np.lexsort((np.arange(len(rows)), sortable(rows.day), depth))] = np.arange(len(rows))
    return rank


def sortable(day: np.ndarray, *, undated_last: bool = False) -> np.ndarray:
    """Days as numbers; rows without a day come first or last."""
    number = day.astype("datetime64[D]").astype(np.int64)
    return np.where(np.isnat(day), np.iinfo(np.int64).max if undated_last else np.iinfo(np.int64).min, number)
