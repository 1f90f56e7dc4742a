"""The balance sheet: periods add up, reopenings come back, conversions and corrections release nothing."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.analysis.release.balance import COMING, GOING
from geotools.model.errors import ReleaseError

EAST, NORTH = 500_000, 4_400_000
FLOWS = [f"{kind}_m2" for kind in (*COMING, *GOING)]


def box(west, south, east, north):
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def frame(rows, columns):
    table = pd.DataFrame([row[:-1] for row in rows], columns=columns)
    return gpd.GeoDataFrame(table, geometry=[row[-1] for row in rows], crs="EPSG:32638")


def hazards(*rows):
    return frame(rows, ["id", "date_info", "classification", "parent_id", "supersedes_id"])


def releases(*rows):
    return frame(rows, ["id", "product", "date"])


def events(*rows):
    return frame(rows, ["id", "event", "hazard_id", "date"])


ONE = hazards(("H", "2020-01-01", "SHA", None, None, box(0, 0, 100, 100)))
UNIT = gt.measure.area(ONE)[0] / 10_000


def near(value):
    return pytest.approx(value * UNIT, rel=1e-5, abs=1e-6)


def test_release_reopen_release():
    done = releases(
        ("a", "cleared", "2021-01-01", box(0, 0, 60, 100)), ("b", "cleared", "2023-01-01", box(0, 0, 30, 100))
    )
    back = events(("e", "reopened", "H", "2022-01-01", box(0, 0, 50, 100)))
    found = gt.coverage(ONE, done, events=back)
    assert found.totals["released_m2"] == near(4000)
    assert found.totals["reopened_m2"] == near(5000)
    assert found.at("2021-06-01").totals["released_m2"] == near(6000)
    assert found.at("2022-06-01").totals["remaining_m2"] == near(9000)
    sheet = found.between("2020-12-31", None)
    assert (sheet.opening_m2, sheet.reopened_m2, sheet.cleared_m2, sheet.closing_m2) == (
        near(10000),
        near(5000),
        near(9000),
        near(6000),
    )
    assert abs(sheet.difference_m2) < 1e-6


def test_release_and_reopening_of_one_day_leave_the_ground_open():
    done = releases(("a", "cleared", "2021-01-01", box(0, 0, 60, 100)))
    found = gt.coverage(ONE, done, events=events(("e", "reopened", "H", "2021-01-01", box(0, 0, 60, 100))))
    assert found.totals["remaining_m2"] == near(10000)
    assert found.credits["why_zero"].tolist() == ["all of its ground was reopened"]


def test_conversion_releases_nothing():
    changed = hazards(
        ("S", "2020-01-01", "SHA", None, None, box(0, 0, 100, 100)),
        ("C", "2021-01-01", "CHA", None, "S", box(0, 0, 40, 100)),
    )
    found = gt.coverage(changed, releases())
    assert found.totals["released_m2"] == 0
    assert found.totals["remaining_m2"] == near(10000)
    sheet = found.between("2020-06-01", "2021-06-01")
    assert (sheet.conversions, sheet.converted_m2, sheet.new_m2, sheet.closing_m2) == (1, near(4000), 0, near(10000))
    assert "RL-15" in set(found.issues["check"])
    by = found.by("classification").set_index("classification")
    assert by["area_m2"].tolist() == [near(4000), near(6000)]


def test_extension_correction_and_transfer_have_their_own_columns():
    changes = events(
        ("x", "extended", "H", "2021-01-01", box(100, 0, 120, 100)),
        ("i", "corrected_in", "H", "2021-02-01", box(120, 0, 130, 100)),
        ("o", "corrected_out", "H", "2022-01-01", box(0, 0, 10, 100)),
        ("t", "transferred", "H", "2022-02-01", box(10, 0, 30, 100)),
    )
    found = gt.coverage(ONE, releases(("a", "cleared", "2021-06-01", box(0, 0, 5, 100))), events=changes)
    row = found.table.iloc[0]
    assert (row["area_m2"], row["cleared_m2"], row["corrected_m2"], row["transferred_m2"]) == (
        near(13000),
        near(500),
        near(500),
        near(2000),
    )
    assert row["cancelled_m2"] == 0
    sheet = found.between("2020-06-01")
    assert (sheet.extended_m2, sheet.corrected_in_m2, sheet.corrected_out_m2, sheet.transferred_m2) == (
        near(2000),
        near(1000),
        near(500),
        near(2000),
    )
    assert sheet.closing_m2 == pytest.approx(found.totals["remaining_m2"], abs=1e-6)


def test_odd_events_are_told():
    odd = events(
        ("a", "vanished", "H", "2021-01-01", box(0, 0, 9, 9)), ("b", "extended", "nowhere", "2021-01-01", box(0, 0, 9, 9)),
        ("c", "reopened", "H", None, box(0, 0, 9, 9)),
    )  # fmt: skip
    found = gt.coverage(ONE, releases(("a", "cleared", "2021-06-01", box(0, 0, 9, 9))), events=odd)
    assert found.issues.loc[found.issues["check"] == "RL-16", "id"].tolist() == ["a", "b", "c"]
    assert found.totals["released_m2"] == 0


def history(seed):
    rng = np.random.default_rng(seed)

    def day(share=0.0):
        return (
            None
            if rng.random() < share
            else str(np.datetime64("2020-01-01") + np.timedelta64(int(rng.integers(0, 1500)), "D"))
        )

    def shape():
        x, y = rng.integers(0, 20, 2) * 10
        return box(x, y, x + int(rng.integers(2, 12)) * 10, y + int(rng.integers(2, 12)) * 10)

    ground = hazards(
        *((f"H{n}", day(0.2), "SHA", None, "H0" if n == 2 else None, shape()) for n in range(rng.integers(1, 5)))
    )
    done = releases(
        *(
            (f"R{n}", rng.choice(["cleared", "reduced", "cancelled"]), day(0.1), shape())
            for n in range(rng.integers(1, 9))
        )
    )
    words = ["reopened", "reopened", "extended", "transferred", "corrected_out", "corrected_in"]
    change = events(
        *((f"E{n}", rng.choice(words), f"H{rng.integers(0, 4)}", day(0.05), shape()) for n in range(rng.integers(0, 6)))
    )
    return ground, done, change


def check_history(seed):
    ground, done, change = history(seed)
    found = gt.coverage(ground, done, events=change, geometry=False)
    cuts = [None, *(np.datetime64("2019-12-01") + np.arange(0, 1700, 170, dtype="timedelta64[D]")).tolist(), None]
    sheets = [found.between(a, b) for a, b in itertools.pairwise(cuts)]
    whole = found.between(None, None)
    for name in FLOWS:
        assert sum(getattr(sheet, name) for sheet in sheets) == pytest.approx(getattr(whole, name), abs=1e-5), (
            seed,
            name,
        )
    for sheet in sheets:
        assert abs(sheet.difference_m2) < 1e-6, seed
        state = found.at(sheet.end).totals
        assert sheet.closing_m2 == pytest.approx(state["remaining_m2"], abs=1e-4), (seed, sheet.end)
    released = sum(getattr(whole, f"{name}_m2") for name in GOING) - whole.reopened_m2
    last = found.totals
    assert released == pytest.approx(last["released_m2"] + last["transferred_m2"] + last["corrected_m2"], abs=1e-4), (
        seed
    )
    years = found.periods("year")
    assert (years["closing_m2"].to_numpy()[:-1] == years["opening_m2"].to_numpy()[1:]).all()


@pytest.mark.parametrize("seed", range(12))
def test_periods_add_up_to_the_difference_of_snapshots(seed):
    check_history(seed)


@pytest.mark.slow
def test_periods_add_up_in_two_hundred_histories():
    for seed in range(100, 300):
        check_history(seed)


def test_periods_are_asked_for_in_words():
    found = gt.coverage(ONE, releases())
    with pytest.raises(ReleaseError):
        found.periods("fortnight")
    with pytest.raises(ReleaseError):
        found.between("2022-01-01", "2021-01-01")
    assert found.between().to_dict()["closing_m2"] == near(10000)
    assert "open after" in found.between()._repr_html_()


def test_the_sheet_cuts_what_was_released_and_raises_what_is_open():
    import dataclasses

    found = dataclasses.replace(
        gt.coverage(ONE, releases()).between(), opening_m2=0.02, cleared_m2=99.9, closing_m2=10.3
    )
    shown = found._repr_html_()
    for name, value in (("open before", "0.1"), ("− cleared", "99"), ("open after", "11")):
        assert f"<tr><td>{name}</td><td style='text-align:right'>{value} m²</td></tr>" in shown
