"""Progress: sums add up to the ledger, forecasts are calibrated on simulated programmes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.analysis import progress
from geotools.model.errors import StatisticsError

row = st.fixed_dictionaries(
    {
        "product": st.sampled_from(["cancelled", "reduced", "cleared"]),
        "date": st.one_of(st.none(), st.dates(date(2020, 12, 20), date(2022, 1, 10)).map(pd.Timestamp)),
        "net_m2": st.floats(0, 1e6),
        "organisation": st.one_of(st.none(), st.sampled_from(["A", "B"])),
    }
)


@given(st.lists(row, min_size=1, max_size=20), st.sampled_from(["week", "month", "quarter", "year", "all"]))
def test_every_square_metre_stands_in_one_period_and_one_organisation(
    rows: list[dict[str, object]], period: str
) -> None:
    credits = pd.DataFrame(rows).astype({"date": "datetime64[ms]"})
    table = progress.released(credits, period=period, by=("organisation",))
    assert table["released_m2"].sum() == pytest.approx(credits["net_m2"].sum(), abs=1e-6)
    assert table["releases"].sum() == len(credits)
    for product in progress.PRODUCTS:
        assert table[f"{product}_m2"].sum() == pytest.approx(
            credits.loc[credits["product"] == product, "net_m2"].sum(), abs=1e-6
        )


def test_iso_weeks_cross_the_year_end_like_the_calendar_does() -> None:
    credits = pd.DataFrame(
        {
            "product": "cleared",
            "date": pd.to_datetime(["2021-01-03", "2021-01-04", "2024-12-30"]),
            "net_m2": [1.0, 2.0, 4.0],
        }
    )
    assert progress.released(credits, period="week")["period"].tolist() == ["2020-W53", "2021-W01", "2025-W01"]


def test_finds_are_counted_by_quantity_and_unknown_words_are_listed() -> None:
    finds = pd.DataFrame(
        {
            "category": ["ap_mine", "fragment", "??", None],
            "qty": [2, 7, None, 1],
            "date": pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-01-05"]),
        }
    )
    table = progress.found(finds, period="year").set_index("period")
    assert table.loc["2024", ["ap_mine", "fragment", "unknown", "devices"]].tolist() == [2, 7, 1, 3]
    assert table.loc["not stated", "unknown"] == 1


def test_a_rate_without_its_inputs_is_missing_not_zero() -> None:
    activities = pd.DataFrame(
        {
            "id": ["A", "B"],
            "workers": [5, None],
            "start": pd.to_datetime(["2024-01-01"] * 2),
            "end": pd.to_datetime(["2024-01-02"] * 2),
        }
    )
    table = progress.productivity(
        activities,
        pd.DataFrame({"activity_id": ["A"], "net_m2": [100.0]}),
        pd.DataFrame({"activity_id": ["A"], "qty": [3]}),
    )
    assert table["m2_per_worker_day"].tolist()[0] == 10.0
    assert np.isnan(table["m2_per_worker_day"][1])
    assert table["m2_per_hour"].isna().all()
    assert table["devices_per_ha"].tolist()[0] == 300.0
    assert table["nothing_found"].tolist() == [False, True]


def _covered(seed: int, *, observed: int = 30, truths: int = 1) -> bool:
    """One simulated programme: gamma months with winter stand-downs; is the true end inside P10…P90?"""
    rng = np.random.default_rng(seed)
    months = pd.date_range("2021-01-01", periods=observed + 400, freq="MS")
    rate = rng.gamma(3.0, 4000.0, len(months)) * (rng.random(len(months)) > 0.15)
    credits = pd.DataFrame({"date": months[:observed], "net_m2": rate[:observed]})
    remaining = 350_000.0
    truth = int(np.searchsorted(np.cumsum(rate[observed:]), remaining)) + 1
    as_of = (months[observed] - pd.Timedelta(days=1)).date()
    cast = progress.forecast(credits, remaining, as_of=as_of, draws=600, seed=seed)
    return bool(cast.months["p10"] <= truth <= cast.months["p90"])


@pytest.mark.slow
def test_the_eighty_percent_interval_covers_seventy_five_to_eighty_five_percent() -> None:
    hits = [_covered(seed) for seed in range(1500)]
    assert 0.75 <= np.mean(hits) <= 0.85


def test_the_interval_is_roughly_calibrated_in_a_short_run() -> None:
    assert 0.68 <= np.mean([_covered(seed) for seed in range(120)]) <= 0.92


def test_forecast_is_exact_without_variance_and_refuses_thin_records() -> None:
    days = pd.date_range("2022-01-10", periods=12, freq="MS")
    steady = pd.DataFrame({"date": days, "net_m2": 500.0})
    cast = progress.forecast(steady, 2100.0, as_of=date(2023, 1, 15), draws=50)
    assert (cast.p10, cast.p50, cast.p90) == (date(2023, 5, 31),) * 3
    assert progress.forecast(steady, 0.0, as_of=date(2022, 12, 31), draws=50).months["p90"] == 0
    with pytest.raises(StatisticsError, match="six whole months"):
        progress.forecast(steady.head(5), 100.0, as_of=date(2022, 6, 30))
    with pytest.raises(StatisticsError, match="not a period"):
        progress.released(steady.assign(product="cleared"), period="fortnight")


@given(st.lists(row, min_size=1, max_size=20))
def test_years_and_bulletins_add_up_to_the_credits(rows: list[dict[str, object]]) -> None:
    credits = pd.DataFrame(rows).astype({"date": "datetime64[ms]"})
    years = progress.annual(credits, pd.DataFrame(), by="organisation")
    assert years["released_m2"].sum() == pytest.approx(credits["net_m2"].sum(), abs=1e-6)
    one = progress.bulletin(credits, pd.DataFrame(), start=date(2021, 1, 1), end=date(2021, 12, 31)).iloc[-1]
    inside = credits.loc[credits["date"].dt.year == 2021, "net_m2"].sum()
    assert one["released_m2"] == pytest.approx(inside, abs=1e-6)
    assert one["hectares"] * 10_000 <= inside + 1e-6, "hectares are never rounded up"


def test_released_areas_of_readable_tables_are_cut_and_unknown_ones_stay_unknown():
    rows = pd.DataFrame({"period": ["a", "b"], "cleared_m2": [1.119, np.nan], "released_m2": [19_999.999, 0.1 + 0.2]})
    rows["released_ha"] = rows["released_m2"] / 10_000
    told = progress.readable({"x": rows})["x"]
    assert told["released_m2"].tolist() == [19_999.99, 0.3] and told["released_ha"].tolist() == [1.99, 0.0]
    assert told["cleared_m2"].iloc[0] == 1.11 and told["cleared_m2"].isna().tolist() == [False, True]
