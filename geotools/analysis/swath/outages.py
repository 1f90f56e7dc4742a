"""Where a working track is interrupted: outages and jumps that are not bridged, short pauses that are.

For the list and map of interruptions; nothing here paints ground.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geotools.analysis.swath.fixes import UNIT_M, Fixes, Table
from geotools.analysis.swath.path import SECOND, Break
from geotools.analysis.swath.rows import Rows

COLUMNS = ("id", "asset_id", "run_id", "why", "is_bridged", "start", "end", "seconds", "length_m")


def outages(fixes: Fixes, breaks: Break, table: Table) -> Rows:
    """One row per interruption of a working track, as a line from the last fix before to the first after; geometry has no CRS yet.

    Interruptions with the tool lifted on both sides are left out: nothing was claimed or lost there.
    """
    working = np.asarray(fixes.on.any(axis=1))
    use = working[breaks.before] | working[breaks.after]
    a, b, why = breaks.before[use], breaks.after[use], breaks.why[use]
    if not len(a):
        return empty_outages()
    sides = tuple(np.column_stack([fixes.t[i], fixes.x[i], fixes.y[i]]) for i in (a, b))
    return _rows(sides[0], sides[1], tuple(table.words(name, fixes.row[a]) for name in ("asset_id", "run_id")), why)


def _rows(before: np.ndarray, after: np.ndarray, names: tuple[np.ndarray, ...], why: np.ndarray) -> Rows:
    """A table of interruptions from time and place before and after."""
    start, end = (np.ascontiguousarray(side[:, 0]).astype("datetime64[us]") for side in (before, after))
    ends = np.stack([side[:, 1:] * UNIT_M for side in (before, after)], axis=1)
    assets, runs = names
    stamps = np.datetime_as_string(start, unit="ms").tolist()
    ids = [f"{':'.join(filter(None, key))}@{stamp}Z" for *key, stamp in zip(assets, runs, stamps, strict=True)]
    data = {
        "id": np.array(ids, dtype=object), "asset_id": assets, "run_id": runs, "why": why, "is_bridged": (why == "bridged"), "start": start, "end": end,
        "seconds": (after[:, 0] - before[:, 0]) / SECOND, "length_m": np.hypot(*(ends[:, 1] - ends[:, 0]).T),
    }  # fmt: skip
    return Rows(data, np.asarray(shapely.linestrings(ends)))


def empty_outages() -> Rows:
    """No interruptions."""
    kinds: dict[str, Any] = {
        "is_bridged": bool,
        "start": "datetime64[us]",
        "end": "datetime64[us]",
        "seconds": float,
        "length_m": float,
    }
    return Rows({name: np.zeros(0, dtype=kinds.get(name, object)) for name in COLUMNS}, np.zeros(0, dtype=object))


Edges = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def edges(fixes: Fixes, table: Table) -> Edges:
    """By asset and run: time, x, y and whether it worked of the first and of the last fix."""
    if not len(fixes):
        return {}
    head = np.flatnonzero(np.r_[True, np.diff(fixes.group) != 0])
    tail = np.r_[head[1:], len(fixes)] - 1
    names = zip(*(table.words(name, fixes.row[head]).tolist() for name in ("asset_id", "run_id")), strict=True)
    state = np.column_stack([fixes.t, fixes.x, fixes.y, fixes.on.any(axis=1)])
    return {key: (state[a], state[b]) for key, a, b in zip(names, head, tail, strict=True)}


def between(known: Edges, new: Edges) -> Rows:
    """Interruptions from the last fixes of earlier chunks to the first of a new one; `known` then ends where the new one does."""
    pairs = []
    for key, (first, last) in new.items():
        if key in known and (known[key][1][3] or first[3]):
            pairs.append((key, known[key][1], first))
        known[key] = (first, last)
    if not pairs:
        return empty_outages()
    names = tuple(np.array([pair[0][part] for pair in pairs], dtype=object) for part in (0, 1))
    before, after = (np.array([pair[side][:3] for pair in pairs], dtype=np.int64) for side in (1, 2))
    return _rows(before, after, names, np.array(["outage"] * len(pairs), dtype=object))
