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
    start, end = (fixes.t[i].astype("datetime64[us]") for i in (a, b))
    ends = np.stack([np.column_stack([fixes.x[i], fixes.y[i]]) * UNIT_M for i in (a, b)], axis=1)
    assets, runs = (table.words(name, fixes.row[a]) for name in ("asset_id", "run_id"))
    stamps = np.datetime_as_string(start, unit="ms").tolist()
    names = [f"{':'.join(filter(None, key))}@{stamp}Z" for *key, stamp in zip(assets, runs, stamps, strict=True)]
    data = {
        "id": np.array(names, dtype=object), "asset_id": assets, "run_id": runs, "why": why, "is_bridged": (why == "bridged"), "start": start, "end": end,
        "seconds": (fixes.t[b] - fixes.t[a]) / SECOND, "length_m": np.hypot(*(ends[:, 1] - ends[:, 0]).T),
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
