"""Where a working track is interrupted: outages and jumps that are not bridged, short pauses that are.

For the list and map of interruptions; nothing here paints ground.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.swath.fixes import UNIT_M, Fixes, text
from geotools.analysis.swath.path import SECOND, Break

COLUMNS = ("id", "asset_id", "run_id", "why", "is_bridged", "start", "end", "seconds", "length_m", "geometry")


def outages(fixes: Fixes, breaks: Break, frame: pd.DataFrame, crs: Any) -> gpd.GeoDataFrame:
    """One row per interruption of a working track, as a line from the last fix before to the first after.

    Interruptions with the tool lifted on both sides are left out: nothing was claimed or lost there.
    """
    working = np.asarray(fixes.on.any(axis=1))
    use = working[breaks.before] | working[breaks.after]
    a, b, why = breaks.before[use], breaks.after[use], breaks.why[use]
    if not len(a):
        return empty_outages(crs)
    rows = frame.iloc[fixes.row[a]]
    start, end = (fixes.t[i].astype("datetime64[us]") for i in (a, b))
    ends = np.stack([np.column_stack([fixes.x[i], fixes.y[i]]) * UNIT_M for i in (a, b)], axis=1)
    assets, runs = text(rows, "asset_id").to_numpy(), text(rows, "run_id").to_numpy()
    stamps = np.datetime_as_string(start, unit="ms").tolist()
    data = {
        "id": np.asarray([f"{':'.join(filter(None, key))}@{stamp}Z" for *key, stamp in zip(assets, runs, stamps, strict=True)], dtype=object),
        "asset_id": assets, "run_id": runs, "why": why, "is_bridged": (why == "bridged"),
        "start": pd.to_datetime(start).tz_localize("UTC"), "end": pd.to_datetime(end).tz_localize("UTC"),
        "seconds": (fixes.t[b] - fixes.t[a]) / SECOND, "length_m": np.hypot(*(ends[:, 1] - ends[:, 0]).T), "geometry": shapely.linestrings(ends),
    }  # fmt: skip
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry="geometry", crs=crs)[list(COLUMNS)]


def empty_outages(crs: Any) -> gpd.GeoDataFrame:
    """A frame of interruptions without rows."""
    kinds: dict[str, Any] = {
        "is_bridged": bool,
        "start": "datetime64[us, UTC]",
        "end": "datetime64[us, UTC]",
        "seconds": float,
        "length_m": float,
    }
    data = {name: pd.Series([], dtype=kinds.get(name, object)) for name in COLUMNS if name != "geometry"}
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
