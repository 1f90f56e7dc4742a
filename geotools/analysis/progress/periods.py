"""Square metres released and devices found per period, and by whom; each m² stands in one period.

For sums of the ledger's credits; the credits themselves come from `analysis.release`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geotools.model.arguments import array, columns
from geotools.model.doors import checked
from geotools.model.errors import StatisticsError
from geotools.model.figures import NOT_STATED
from geotools.model.vocab import vocabulary

PRODUCTS = ("cancelled", "reduced", "cleared")
PERIODS = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
UNKNOWN = NOT_STATED


@checked
def released(credits: pd.DataFrame, *, period: str = "month", by: Sequence[str] = ()) -> pd.DataFrame:
    """Square metres released per period and product.

    Parameters
    ----------
    credits
        One row per release with ``product, date, net_m2`` (m² it was the first to release) and the columns of `by`.
    period
        ``week`` (Monday to Sunday), ``month``, ``quarter``, ``year`` or ``all``.
    by
        Further columns to split by, e.g. ``("organisation", "admin1")``; missing values are a row of their own.

    Returns
    -------
    DataFrame
        Columns ``period``, those of `by`, ``cancelled_m2 reduced_m2 cleared_m2 released_m2 released_ha releases``.
        Undated releases stand in the period ``not stated``: the column sums equal the sum of ``net_m2``.

    Raises
    ------
    StatisticsError
        If the period is unknown.

    Examples
    --------
    >>> credits = pd.DataFrame({"product": ["cleared"], "date": pd.to_datetime(["2024-03-05"]), "net_m2": [250.0]})
    >>> released(credits)[["period", "cleared_m2"]].values.tolist()
    [['2024-03', 250.0]]
    """
    credits = counted(sound(credits, "the credits", ("date", "product", "net_m2"), "net_m2"))
    table = credits.assign(period=_periods(credits["date"], period))
    for name in by:
        table[name] = _stated(table[name]) if name in table else UNKNOWN
    table = table[table["product"].isin(PRODUCTS)]
    keys = ["period", *by]
    sums = table.pivot_table(
        index=keys, columns="product", values="net_m2", aggfunc="sum", fill_value=0.0, observed=True
    )
    sums = sums.reindex(columns=list(PRODUCTS), fill_value=0.0)
    sums.columns = [f"{name}_m2" for name in PRODUCTS]
    sums["released_m2"] = sums.sum(axis=1)
    sums["released_ha"] = sums["released_m2"] / 10_000
    sums["releases"] = table.groupby(keys, observed=True).size()
    return sums.reset_index().sort_values(keys, ignore_index=True)


@checked
def counted(credits: pd.DataFrame) -> pd.DataFrame:
    """Only what the ledger counts as released, under the product it counted it as.

    Ground that was only worked by a machine has credit of its own in the ledger (``counted_as`` processed); it is not
    released land and must not enter any figure of it.

    Examples
    --------
    >>> rows = pd.DataFrame({"product": ["cleared"], "counted_as": ["processed"], "net_m2": [9.0]})
    >>> len(counted(rows))
    0
    """
    if "counted_as" not in credits:
        return credits
    kept = credits[credits["counted_as"].isin(PRODUCTS)]
    return kept.assign(product=kept["counted_as"])


@checked
def found(finds: pd.DataFrame, *, period: str = "month", by: Sequence[str] = ()) -> pd.DataFrame:
    """Devices found per period and category, by quantity (a row without ``qty`` counts as one device).

    Returns
    -------
    DataFrame
        Columns ``period``, those of `by`, one per category of the vocabulary, and ``devices``; fragments and
        unknown categories are listed, never dropped, and ``devices`` counts ordnance only.

    Examples
    --------
    >>> rows = pd.DataFrame({"category": ["ap_mine", None], "qty": [3, 1], "date": pd.to_datetime(["2024-01-09"] * 2)})
    >>> found(rows)[["ap_mine", "unknown", "devices"]].values.tolist()
    [[3, 1, 4]]
    """
    names = vocabulary("find_category").keys
    finds = sound(finds, "the finds", ("date",), "qty")
    qty = pd.to_numeric(finds["qty"], errors="coerce").fillna(1) if "qty" in finds else pd.Series(1, index=finds.index)
    table = pd.DataFrame({"qty": qty.astype(int), "period": _periods(finds["date"], period)})
    category = finds["category"] if "category" in finds else pd.Series(None, index=finds.index, dtype=object)
    table["category"] = category.where(category.isin(names), "unknown")
    for name in by:
        table[name] = _stated(finds[name]) if name in finds else UNKNOWN
    keys = ["period", *by]
    sums = table.pivot_table(index=keys, columns="category", values="qty", aggfunc="sum", fill_value=0, observed=True)
    sums = sums.reindex(columns=list(names), fill_value=0).astype(int)
    sums["devices"] = sums[[n for n in names if n not in ("fragment", "other")]].sum(axis=1)
    return sums.reset_index().sort_values(keys, ignore_index=True).rename_axis(columns=None)


def sound(table: pd.DataFrame, name: str, wanted: tuple[str, ...], figure: str) -> pd.DataFrame:
    """The table with its figure as numbers.

    Raises
    ------
    SchemaError
        If a column is missing.
    StatisticsError
        If the figure is in words, or infinite.
    """
    columns(table, name, wanted)
    if figure not in table:
        return table
    plain = array(table[figure].to_numpy(dtype=object, na_value=np.nan), f"{figure} of {name}")
    if np.isinf(plain).any():
        raise StatisticsError(f"{figure} of {name} is infinite in a row", hint="correct the record")
    return table.assign(**{figure: plain})


def as_days(values: pd.Series) -> pd.Series:
    """Days; what is none is missing, and a number is none."""
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    return pd.to_datetime(values, errors="coerce", format="ISO8601")


def _stated(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), UNKNOWN).astype(str)


def _periods(days: pd.Series, period: str) -> pd.Series:
    if period == "all":
        return pd.Series("all", index=days.index)
    if period not in PERIODS:
        raise StatisticsError(f"'{period}' is not a period", hint=f"use one of {', '.join(PERIODS)} or all")
    stamps = as_days(days)
    if period == "week":
        iso = stamps.dt.isocalendar()
        text = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    else:
        text = stamps.dt.to_period(PERIODS[period]).astype(str)
    return pd.Series(text, index=days.index, dtype=object).where(stamps.notna(), UNKNOWN)
