"""Tables as bulletins and annual reports show them, with a total row; and any table as people open it.

For arranging; the sums are made in `periods`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.progress.periods import as_days, found, released
from geotools.model.arguments import columns
from geotools.model.doors import checked
from geotools.model.errors import SchemaError, StatisticsError
from geotools.model.figures import TOTAL, direction, in_hectares

ADDED_UP = ("released", "found", "annual", "balance")


@checked
def bulletin(credits: pd.DataFrame, finds: pd.DataFrame, *, start: date, end: date) -> pd.DataFrame:
    """One period as bulletins show it: land in hectares *and* in m², devices by category, who worked.

    Parameters
    ----------
    credits, finds
        As for `released` and `found`; ``organisation`` where known.
    start, end
        First and last day of the period.

    Returns
    -------
    DataFrame
        One row per organisation and a last row ``Total``: ``organisation, hectares, released_m2, cleared_m2, reduced_m2,
        cancelled_m2, ap_mines, av_mines, uxo, other_devices``. Hectares are cut at two decimals, never rounded up.

    Raises
    ------
    StatisticsError
        If the period ends before it starts.

    Examples
    --------
    >>> credits = pd.DataFrame({"product": ["cleared"], "date": pd.to_datetime(["2024-03-05"]), "net_m2": [12500.0], "organisation": ["A"]})
    >>> bulletin(credits, pd.DataFrame(), start=date(2024, 3, 4), end=date(2024, 3, 10))[["organisation", "hectares"]].values.tolist()
    [['A', 1.25], ['Total', 1.25]]
    """
    if end < start:
        raise StatisticsError("the period ends before it starts")
    land = released(_between(credits, start, end), period="all", by=("organisation",)).set_index("organisation")
    devices = (
        found(_between(finds, start, end), period="all", by=("organisation",)).set_index("organisation")
        if len(finds)
        else pd.DataFrame()
    )
    names = sorted({*land.index, *devices.index})
    out = pd.DataFrame({"organisation": pd.Series(names, dtype=object)})
    for column in ("released_m2", "cleared_m2", "reduced_m2", "cancelled_m2"):
        out[column] = np.array([float(land[column].get(name, 0.0)) for name in names], dtype=float)
    groups = {
        "ap_mines": ("ap_mine",),
        "av_mines": ("av_mine",),
        "uxo": ("uxo", "axo", "submunition"),
        "other_devices": ("ied", "unknown"),
    }
    for column, keys in groups.items():
        counts = [sum(devices[k].get(name, 0) for k in keys) if len(devices) else 0 for name in names]
        out[column] = np.array(counts, dtype=int)
    out = with_total(out)
    out.insert(1, "hectares", [in_hectares(value, "down") for value in out["released_m2"]])
    return out


@checked
def with_total(table: pd.DataFrame) -> pd.DataFrame:
    """A table of sums with a last row ``Total``: figures added up, in the first column the word, in other columns of words nothing.

    Of a balance sheet (``opening_m2``, ``closing_m2``) the total opens as its first row and closes as its last.

    Raises
    ------
    SchemaError
        If the table has no columns.

    Examples
    --------
    >>> with_total(pd.DataFrame({"period": ["2024", "2025"], "cleared_m2": [1.0, 2.0]})).values.tolist()[-1]
    ['Total', 3.0]
    """
    if not len(table.columns):
        raise SchemaError("a table without columns has no total", hint="give a table of figures per period")
    total: dict[str, Any] = {}
    figures = [c for c in table.columns[1:] if pd.api.types.is_numeric_dtype(table[c])]
    for name in table.columns:
        total[str(name)] = table[name].sum() if name in figures else ""
    total[str(table.columns[0])] = TOTAL
    for name, row in (("start", 0), ("opening_m2", 0), ("end", -1), ("closing_m2", -1)):
        if name in table and "opening_m2" in table:
            total[name] = table[name].iloc[row]
    if "opening_m2" in table:
        table = table.assign(start=table["start"].astype(object))
        total["start"] = TOTAL
    last = pd.DataFrame([total]).astype({c: table[c].dtype for c in figures})
    return pd.concat([table, last], ignore_index=True)


def readable(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables as people open them: a total row where figures add up, m² with two decimals (released m² and hectares cut).

    Examples
    --------
    >>> rows = pd.DataFrame({"period": ["2024"], "released_m2": [19999.4], "released_ha": [1.99994]})
    >>> readable({"released": rows})["released"].values.tolist()
    [['2024', 19999.4, 1.99], ['Total', 19999.4, 1.99]]
    """
    out = {}
    for name, table in tables.items():
        told = with_total(table) if name in ADDED_UP and len(table) else table
        if "released_ha" in told:
            cut = [in_hectares(float(value), "down") for value in told["released_m2"]]
            told = told.assign(released_ha=cut)
        rounded = {
            str(c): told[c].astype(float).round(2) + 0.0
            for c in told
            if str(c).endswith(("_m2", "_per_ha", "_per_hour", "_per_worker_day"))
        }
        for column in rounded:
            if direction(column) == "down":  # m² with two decimals are cut as hectares with two are
                cut = [
                    in_hectares(m2 * 10_000, "down") if math.isfinite(m2) else m2 for m2 in told[column].astype(float)
                ]
                rounded[column] = pd.Series(cut, index=told.index, dtype=float)
        out[name] = told.assign(**rounded)
    return out


@checked
def annual(credits: pd.DataFrame, finds: pd.DataFrame, *, by: str = "admin1") -> pd.DataFrame:
    """Years in the shape of treaty reports: m² cancelled, reduced and cleared, and devices by category.

    Parameters
    ----------
    credits, finds
        As for `bulletin`; without finds there is no column of devices.
    by
        Column of both that makes the areas.

    Returns
    -------
    DataFrame
        One row per year and area `by`: ``year``, `by`, ``cancelled_m2 reduced_m2 cleared_m2 released_m2`` and, where there are finds, one
        column per device category. Rows without a date stand under ``not stated``.

    Examples
    --------
    >>> credits = pd.DataFrame({"product": ["reduced"], "date": pd.to_datetime(["2023-03-05"]), "net_m2": [10.0], "admin1": ["Fuzuli"]})
    >>> annual(credits, pd.DataFrame())[["year", "admin1", "reduced_m2"]].values.tolist()
    [['2023', 'Fuzuli', 10.0]]
    """
    land = released(credits, period="year", by=(by,)).drop(columns=["released_ha", "releases"])
    devices = (
        found(finds, period="year", by=(by,)) if len(finds) else pd.DataFrame({"period": [], by: []}, dtype=object)
    )
    both = land.merge(devices, on=["period", by], how="outer").sort_values(["period", by], ignore_index=True)
    figures = [c for c in both.columns if c not in ("period", by)]
    whole = {c: both[c].fillna(0).astype(float if c.endswith("_m2") else int) for c in figures}
    return both.assign(**whole).rename(columns={"period": "year"})


def _between(table: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    columns(table, "the table", ("date",))
    days = as_days(table["date"])
    return table[(days >= pd.Timestamp(start)) & (days < pd.Timestamp(end) + pd.Timedelta(days=1))]
