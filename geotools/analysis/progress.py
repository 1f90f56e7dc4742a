"""Progress figures: what was released and found, per period and by whom, how productive, and done by when.

For tables and forecasts made from the ledger's credits; the credits themselves come from `analysis.release`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geotools.model.errors import StatisticsError
from geotools.model.figures import NOT_STATED, TOTAL, in_hectares
from geotools.model.vocab import vocabulary

PRODUCTS = ("cancelled", "reduced", "cleared")
ADDED_UP = ("released", "found", "annual", "balance")
PERIODS = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
UNKNOWN = NOT_STATED


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
    credits = counted(credits)
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


def _stated(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), UNKNOWN).astype(str)


def _periods(days: pd.Series, period: str) -> pd.Series:
    if period == "all":
        return pd.Series("all", index=days.index)
    if period not in PERIODS:
        raise StatisticsError(f"'{period}' is not a period", hint=f"use one of {', '.join(PERIODS)} or all")
    stamps = pd.to_datetime(days, errors="coerce")
    if period == "week":
        iso = stamps.dt.isocalendar()
        text = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    else:
        text = stamps.dt.to_period(PERIODS[period]).astype(str)
    return pd.Series(text, index=days.index, dtype=object).where(stamps.notna(), UNKNOWN)


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
    out = pd.DataFrame({"id": activities["id"].to_numpy()})
    take = {
        c: activities[c].to_numpy() if c in activities else None for c in ("method", "start", "end", "hours", "workers")
    }
    out["method"] = take["method"]
    span = pd.to_datetime(pd.Series(take["end"])) - pd.to_datetime(pd.Series(take["start"]))
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


@dataclass(frozen=True)
class Forecast:
    """When the remaining land will be released at the rates seen so far.

    ``p10``, ``p50``, ``p90`` are month ends by which a tenth, half and nine tenths of the simulated futures are done;
    None where fewer are done within the horizon.
    """

    as_of: date
    remaining_m2: float
    months_observed: int
    rate_m2_per_month: float
    p10: date | None
    p50: date | None
    p90: date | None
    months: Mapping[str, float | None] = field(default_factory=dict)
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, dates as ISO text."""
        return {
            k: v.isoformat() if isinstance(v, date) else dict(v) if isinstance(v, Mapping) else v
            for k, v in vars(self).items()
        }


def forecast(
    credits: pd.DataFrame, remaining_m2: float, *, as_of: date, months: int = 36, draws: int = 4000, seed: int = 0
) -> Forecast:
    """Months to completion by Monte Carlo over the monthly rates observed.

    Each simulated future weighs the observed months anew (Bayesian bootstrap, which carries the uncertainty of the
    rate itself) and then draws months from them until the remaining land is used up. Months without any release
    (winter, stand-downs) are part of the record and so of every future.

    Parameters
    ----------
    credits
        One row per release with ``date`` and ``net_m2``.
    remaining_m2
        Land still to be released.
    as_of
        Last day of the record; the last `months` whole months before it are used, at least 6 are needed.

    Raises
    ------
    StatisticsError
        If fewer than 6 whole months are recorded or nothing was released in them.

    Examples
    --------
    >>> days = pd.date_range("2022-01-15", periods=24, freq="MS")
    >>> steady = pd.DataFrame({"date": days, "net_m2": 1000.0})
    >>> forecast(steady, 6000, as_of=date(2023, 12, 31)).p50
    datetime.date(2024, 6, 30)
    """
    rates = monthly_rates(credits, as_of=as_of, months=months)
    if len(rates) < 6:
        raise StatisticsError(
            "a forecast needs at least six whole months of records", hint="report progress without a forecast"
        )
    if rates.sum() <= 0:
        raise StatisticsError("nothing was released in the months observed: no date can be forecast")
    needed = _simulate(rates.to_numpy(), float(remaining_m2), draws, np.random.default_rng(seed))
    marks = {
        name: float(np.quantile(needed, q, method="higher")) for name, q in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
    }
    ends = {name: _month_end(as_of, value) for name, value in marks.items()}
    return Forecast(
        as_of, float(remaining_m2), len(rates), float(rates.mean()), ends["p10"], ends["p50"], ends["p90"],
        {name: value if np.isfinite(value) else None for name, value in marks.items()},
        "assumes that future months look like the months observed: same teams, machines and stand-downs, and no new land",
    )  # fmt: skip


HORIZON = 1200  # months


def monthly_rates(credits: pd.DataFrame, *, as_of: date, months: int = 36) -> pd.Series:
    """Square metres released in each whole month up to `as_of`, months without a release as 0.

    The record begins with the month of the first release, or `months` months before `as_of`, whichever is later.
    """
    credits = counted(credits)
    stamps = pd.to_datetime(credits["date"], errors="coerce")
    last = pd.Period(as_of, "M") if as_of == pd.Period(as_of, "M").end_time.date() else pd.Period(as_of, "M") - 1
    known = stamps.notna() & (credits["net_m2"] > 0)
    if not known.any():
        return pd.Series(dtype=float)
    span = stamps[known].dt.to_period("M")
    first = max(span.min(), last - months + 1)
    index = pd.period_range(first, last, freq="M")
    return credits.loc[known, "net_m2"].groupby(span).sum().reindex(index, fill_value=0.0).astype(float)


def _simulate(rates: np.ndarray, remaining: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    needed = np.full(draws, np.inf)
    if remaining <= 0:
        return np.zeros(draws)
    weights = rng.dirichlet(np.ones(len(rates)), size=draws).cumsum(axis=1)
    left = np.full(draws, remaining)
    open_ = np.arange(draws)
    for month in range(1, HORIZON + 1):
        picked = (rng.random(len(open_))[:, None] > weights[open_]).sum(axis=1).clip(max=len(rates) - 1)
        left[open_] -= rates[picked]
        done = left[open_] <= 1e-9
        needed[open_[done]] = month
        open_ = open_[~done]
        if not len(open_):
            break
    return needed


def _month_end(as_of: date, months: float) -> date | None:
    if not np.isfinite(months):
        return None
    whole = pd.Period(as_of, "M") if as_of == pd.Period(as_of, "M").end_time.date() else pd.Period(as_of, "M") - 1
    return (whole + int(months)).end_time.date() if months else as_of


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


def with_total(table: pd.DataFrame) -> pd.DataFrame:
    """A table of sums with a last row ``Total``: figures added up, in the first column the word, in other columns of words nothing.

    Of a balance sheet (``opening_m2``, ``closing_m2``) the total opens as its first row and closes as its last.

    Examples
    --------
    >>> with_total(pd.DataFrame({"period": ["2024", "2025"], "cleared_m2": [1.0, 2.0]})).values.tolist()[-1]
    ['Total', 3.0]
    """
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
    """Tables as people open them: a total row where figures add up, m² with two decimals, released hectares cut at two.

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
        out[name] = told.assign(**rounded)
    return out


def annual(credits: pd.DataFrame, finds: pd.DataFrame, *, by: str = "admin1") -> pd.DataFrame:
    """Years in the shape of treaty reports: m² cancelled, reduced and cleared, and devices by category.

    Returns
    -------
    DataFrame
        One row per year and area `by`: ``year``, `by`, ``cancelled_m2 reduced_m2 cleared_m2 released_m2`` and one column
        per device category. Rows without a date stand under ``not stated``.

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
    if "date" not in table:
        return table.iloc[:0]
    days = pd.to_datetime(table["date"], errors="coerce")
    return table[(days >= pd.Timestamp(start)) & (days < pd.Timestamp(end) + pd.Timedelta(days=1))]
