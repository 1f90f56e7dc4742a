"""Transfers and outward corrections take ground from the record they name; what another record claims stays open."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geotools as gt

EAST, NORTH = 500_000, 4_400_000


def box(west, east):
    return shapely.box(EAST + west, NORTH, EAST + east, NORTH + 100)


def frame(columns, *rows):
    table = pd.DataFrame([row[:-1] for row in rows], columns=columns)
    return gpd.GeoDataFrame(table, geometry=[row[-1] for row in rows], crs="EPSG:32638")


def hazards(*rows):
    return frame(["id", "date_info", "supersedes_id"], *rows)


def events(*rows):
    return frame(["id", "event", "hazard_id", "date"], *rows)


NONE = frame(["id", "product", "date"]).set_crs("EPSG:32638", allow_override=True)
TWO = hazards(("H1", "2020-01-01", None, box(0, 100)), ("H2", "2020-01-01", None, box(60, 160)))
UNIT = gt.measure.area(TWO)[0] / 100


def open_strips(ground, changes, **more):
    """Strips of 1 m by 100 m that remain: of all, and per hazard."""
    found = gt.coverage(ground, NONE, events=changes, **more)
    assert abs(found.between(None, None).closing_m2 - found.totals["remaining_m2"]) < 1e-6 or more
    return round(found.totals["remaining_m2"] / UNIT, 3), (found.table["remaining_m2"] / UNIT).round(3).tolist(), found


@pytest.mark.parametrize("word", ["corrected_out", "transferred"])
def test_a_duplicate_record_goes_without_the_ground_of_the_other(word):
    twice = hazards(("H1", "2020-01-01", None, box(0, 100)), ("H1-copy", "2020-02-01", None, box(0, 100)))
    total, _, found = open_strips(twice, events(("e", word, "H1-copy", "2021-01-01", box(0, 100))))
    assert total == 100
    issue = found.issues.query("check == 'RL-16'")
    assert issue["severity"].tolist() == ["warning"]
    assert "also claimed by H1: they remain open" in issue["message"].iloc[0]


def test_only_ground_that_no_other_record_claims_is_taken():
    total, each, found = open_strips(TWO, events(("e", "corrected_out", "H1", "2021-01-01", box(0, 160))))
    assert (total, each) == (100, [40, 100])
    assert found.totals["corrected_m2"] / UNIT == pytest.approx(60, abs=1e-3)


def test_ground_goes_when_the_last_record_lets_it_go():
    both = events(
        ("e", "transferred", "H1", "2021-01-01", box(0, 100)), ("f", "transferred", "H2", "2022-01-01", box(60, 160))
    )
    assert open_strips(TWO, both, as_of="2021-06-01")[:2] == (100, [40, 100])
    assert open_strips(TWO, both, as_of="2022-06-01")[:2] == (0, [0, 0])
    assert open_strips(TWO, both)[0] == 0


def test_ground_that_came_back_holds_again():
    changes = events(
        ("e", "transferred", "H2", "2021-01-01", box(60, 160)),
        ("f", "reopened", "H2", "2021-06-01", box(60, 100)),
        ("g", "transferred", "H1", "2022-01-01", box(0, 100)),
    )
    assert open_strips(TWO, changes)[0] == 40


def test_a_record_that_comes_later_is_not_taken_by_an_earlier_correction():
    again = hazards(("old", "2020-01-01", None, box(0, 100)), ("new", "2022-01-01", None, box(2, 98)))
    total, _, _ = open_strips(again, events(("e", "corrected_out", "old", "2021-01-01", box(0, 100))))
    assert total == 96


def test_a_superseded_record_has_no_claim_of_its_own():
    changed = hazards(("SHA", "2020-01-01", None, box(0, 100)), ("CHA", "2021-01-01", "SHA", box(0, 60)))
    assert open_strips(changed, events(("e", "transferred", "CHA", "2022-01-01", box(0, 60))))[0] == 40
    assert open_strips(changed, events(("e", "corrected_out", "SHA", "2022-01-01", box(0, 100))))[0] == 60


def test_extended_ground_is_claimed_too():
    changes = events(
        ("x", "extended", "H2", "2020-06-01", box(0, 60)), ("e", "corrected_out", "H1", "2021-01-01", box(0, 100))
    )
    assert open_strips(TWO, changes)[0] == 160


def test_without_a_name_ground_decides_and_an_unknown_name_takes_nothing():
    assert open_strips(TWO, events(("e", "transferred", None, "2021-01-01", box(0, 160))))[0] == 0
    total, _, found = open_strips(TWO, events(("e", "transferred", "H9", "2021-01-01", box(0, 160))))
    assert total == 160
    issue = found.issues.query("check == 'RL-16'")
    assert issue["severity"].tolist() == ["error"] and "nothing is taken" in issue["message"].iloc[0]


@pytest.mark.parametrize("word", ["extended", "corrected_in"])
def test_ground_added_after_its_release_is_told(word):
    done = frame(["id", "product", "date"], ("R", "cleared", "2021-01-01", box(0, 130)))
    for day, told in (("2022-01-01", 1), ("2020-06-01", 0)):
        found = gt.coverage(TWO.iloc[:1], done, events=events(("x", word, "H1", day, box(100, 130))))
        issue = found.issues.query("check == 'RL-14' and kind == 'events'")
        assert len(issue) == told
        assert found.totals["released_m2"] / UNIT == pytest.approx(130, abs=1e-3)
    assert (
        "first by R"
        in gt.coverage(TWO.iloc[:1], done, events=events(("x", word, "H1", "2022-01-01", box(100, 130))))
        .issues.query("kind == 'events'")["message"]
        .iloc[0]
    )
