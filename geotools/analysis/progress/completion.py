"""Done by when: monthly rates of the record and a forecast from them.

For the remaining ground as a whole; who works where is planned in `analysis.teams`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.progress.periods import as_days, counted, sound
from geotools.model.doors import checked
from geotools.model.errors import StatisticsError


@dataclass(frozen=True)
class Forecast:
    """When the remaining land will be released at the rates seen so far.

    Attributes
    ----------
    as_of, remaining_m2
        As given.
    months_observed, rate_m2_per_month
        Length of the record, and its mean.
    p10, p50, p90
        Month ends by which a tenth, half and nine tenths of the simulated futures are done; None where fewer are done within the horizon.
    months
        The same in months from `as_of`.
    note
        What the forecast assumes.

    Examples
    --------
    >>> steady = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=24, freq="MS"), "net_m2": 1000.0})
    >>> cast = forecast(steady, 6000, as_of=date(2023, 12, 31))
    >>> cast.rate_m2_per_month, cast.months["p90"], cast.to_dict()["p90"]
    (1000.0, 6.0, '2024-06-30')
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


@checked(least={"months": 1, "draws": 1})
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


@checked(least={"months": 1})
def monthly_rates(credits: pd.DataFrame, *, as_of: date, months: int = 36) -> pd.Series:
    """Square metres released in each whole month up to `as_of`, months without a release as 0.

    The record begins with the month of the first release, or `months` months before `as_of`, whichever is later.

    Parameters
    ----------
    credits
        One row per release with ``date`` and ``net_m2``; rows without a date are left out, and ground only worked by a machine (see `counted`).
    as_of
        Last day of the record; its month counts only if it is the last day of it.
    months
        Longest record, in months.

    Returns
    -------
    Series
        m², on a monthly PeriodIndex without gaps; empty where nothing was released.

    Examples
    --------
    >>> credits = pd.DataFrame({"date": pd.to_datetime(["2024-01-09", "2024-03-05"]), "net_m2": [500.0, 250.0]})
    >>> rates = monthly_rates(credits, as_of=date(2024, 4, 12))
    >>> rates.index.astype(str).tolist(), rates.tolist()
    (['2024-01', '2024-02', '2024-03'], [500.0, 0.0, 250.0])
    """
    credits = counted(sound(credits, "the credits", ("date", "net_m2"), "net_m2"))
    stamps = as_days(credits["date"])
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
