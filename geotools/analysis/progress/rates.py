"""Rates of activities, from the task's own records: m² per worker and day, devices per hectare.

For what was done; rates of teams for a plan are calibrated in `analysis.teams`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.progress.periods import as_days, counted, sound
from geotools.model.arguments import columns
from geotools.model.doors import checked


@checked
def productivity(activities: pd.DataFrame, credits: pd.DataFrame, finds: pd.DataFrame) -> pd.DataFrame:
    """Rates per activity, from the task's own records and never from brochures.

    Parameters
    ----------
    activities
        ``id, method, start, end, hours, workers, processed_m2`` as far as known.
    credits
        Releases with ``activity_id`` and ``net_m2``.
    finds
        Devices with ``activity_id`` and ``qty``.

    Returns
    -------
    DataFrame
        One row per activity: ``id, method, days, released_m2, m2_per_worker_day, m2_per_hour, devices,
        devices_per_ha, nothing_found``. A rate whose inputs are missing is NaN, not zero.

    Examples
    --------
    >>> acts = pd.DataFrame({"id": ["A"], "workers": [10], "hours": [80.0],
    ...                      "start": pd.to_datetime(["2024-05-06"]), "end": pd.to_datetime(["2024-05-10"])})
    >>> creds = pd.DataFrame({"activity_id": ["A"], "net_m2": [2000.0]})
    >>> float(productivity(acts, creds, pd.DataFrame())["m2_per_worker_day"].iloc[0])
    40.0
    """
    columns(activities, "the activities", ("id",))
    credits, finds = (
        sound(table, name, (), figure)
        for table, name, figure in ((credits, "the credits", "net_m2"), (finds, "the finds", "qty"))
    )
    out = pd.DataFrame({"id": activities["id"].to_numpy()})
    take = {
        c: activities[c].to_numpy() if c in activities else None for c in ("method", "start", "end", "hours", "workers")
    }
    out["method"] = take["method"]
    span = as_days(pd.Series(take["end"])) - as_days(pd.Series(take["start"]))
    days = span.dt.days.to_numpy(dtype=float) + 1 if take["start"] is not None and take["end"] is not None else np.nan
    out["days"] = np.where(np.asarray(days, dtype=float) >= 1, days, np.nan)
    out["released_m2"] = _per_activity(out["id"], counted(credits), "net_m2")
    workers = (
        pd.to_numeric(pd.Series(take["workers"]), errors="coerce").to_numpy(dtype=float)
        if take["workers"] is not None
        else np.nan
    )
    hours = (
        pd.to_numeric(pd.Series(take["hours"]), errors="coerce").to_numpy(dtype=float)
        if take["hours"] is not None
        else np.nan
    )
    out["m2_per_worker_day"] = _ratio(out["released_m2"], workers * out["days"])
    out["m2_per_hour"] = _ratio(out["released_m2"], hours)
    out["devices"] = _per_activity(out["id"], finds, "qty").astype(int)
    out["devices_per_ha"] = _ratio(out["devices"], out["released_m2"] / 10_000)
    out["nothing_found"] = out["devices"] == 0
    return out


def _per_activity(ids: pd.Series, table: pd.DataFrame, column: str) -> pd.Series:
    if "activity_id" not in table or not len(table):
        return pd.Series(0.0, index=ids.index)
    values = pd.to_numeric(table[column], errors="coerce") if column in table else pd.Series(1.0, index=table.index)
    sums = values.fillna(1.0 if column == "qty" else 0.0).groupby(table["activity_id"]).sum()
    return ids.map(sums).astype(float).fillna(0.0)


def _ratio(top: Any, bottom: Any) -> np.ndarray:
    top, bottom = np.asarray(top, dtype=float), np.asarray(bottom, dtype=float) * np.ones(len(top))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)
