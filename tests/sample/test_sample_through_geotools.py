"""geotools finds in the sample what was planted there: reading, systems, ledger and overlaps against truth.json."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import geotools as gt

ROOT = Path(__file__).resolve().parents[2]
GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((ROOT / "sample_data" / "fuzuli" / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def survey():
    return gt.open_survey(ROOT / "sample_data" / "fuzuli")


@pytest.fixture(scope="module")
def cover(survey):
    return gt.coverage(survey.hazards, survey.releases, programme=survey.programme)


def _ids(survey, check: str, kind: str) -> set[str]:
    found = survey.issues
    return set(found.loc[(found["check"] == check) & (found["kind"] == kind), "id"])


def test_every_row_of_every_file_is_accounted_for(survey):
    """kept + repaired + rejected = rows in the file, for each of the files of survey.toml."""
    accounts = survey.issues.loc[survey.issues["check"] == "RD-00", "value"]
    assert len(accounts) == 25
    for text in accounts:
        said = {key: int(number) for key, number in (part.split("=") for part in text.split())}
        assert said["kept"] + said["repaired"] + said["rejected"] == said["rows"]


def test_exactly_the_invalid_polygons_are_repaired(survey, truth):
    """All kinds but `two_points`, of which no area is left: those rows are kept without geometry."""
    for kind in ("hazards", "releases"):
        planted = {row["id"]: row["kind"] for row in truth[kind]["invalid"]}
        nothing_left = {ident for ident, what in planted.items() if what == "two_points"}
        assert _ids(survey, "RD-01", kind) == set(planted) - nothing_left
        layer = survey.layers[kind].set_index("id")
        assert layer.loc[sorted(nothing_left)].geometry.isna().all()
        assert layer.geometry.dropna().is_valid.all()


def test_words_in_four_languages_are_understood(survey, truth):
    """Every product and method of six organisations is known; only the three planted words are not."""
    assert survey.releases["product"].notna().all()
    assert survey.releases["method"].notna().all()
    assert _ids(survey, "RD-11", "hazards") == set(truth["hazards"]["unknown_words"])
    assert set(survey.releases["organisation"]) == set(truth["releases"]["rows_per_organisation"])
    assert any("а" <= letter <= "я" for letter in "".join(survey.places["name"]))


def test_pulkovo_releases_lie_at_their_true_place(survey, truth):
    """Within 5 cm of the true corner by the operation the programme names; forgetting it costs 100 m."""
    ground = survey.releases.to_crs(4326).set_index("id").geometry
    for point in truth["releases"]["pulkovo_points"]:
        corners = shapely.get_coordinates(ground[point["id"]])
        off = [GEOD.inv(x, y, point["lon"], point["lat"])[2] for x, y in corners]
        assert min(off) < 0.05


def test_null_island_is_no_place(survey, truth):
    finds = survey.finds.set_index("id")
    assert finds.loc[truth["finds"]["null_island"]].geometry.isna().all()
    fixes = set(survey.fixes.loc[~(survey.fixes.geometry.isna() | survey.fixes.geometry.is_empty), "id"])
    for name in ("detector", "machine_consumer"):
        assert not fixes & set(truth["fixes"][name]["null_island"])


def test_hazard_areas_are_those_meant(cover, truth):
    """Recorded ground of each sound hazard to 1e-4 (corners in the file have 7 decimals)."""
    table = cover.table.set_index("id")["area_m2"]
    bad = {row["id"] for row in truth["hazards"]["invalid"]}
    for ident, meant in truth["hazards"]["area_m2"].items():
        if ident not in bad:
            assert table[ident] == pytest.approx(meant, rel=1e-4)


def test_planted_overlaps_are_found_with_their_areas(cover, truth):
    """Pairs of released ground; machine-processed ground is no release and has its own column."""
    facts = truth["releases"]
    spoiled = (
        {row["id"] for row in facts["invalid"]}
        | set(facts["pulkovo_as_wgs84"])
        | set(facts["mechanical_without_follow_up"])
    )
    found = {
        frozenset((a, b)): area
        for a, b, area in zip(
            cover.overlaps["id"], cover.overlaps["other_id"], cover.overlaps["overlap_m2"], strict=True
        )
    }
    checked = 0
    for pair in facts["overlaps"]:
        if not spoiled & set(pair["ids"]):
            checked += 1
            assert found[frozenset(pair["ids"])] == pytest.approx(pair["area_m2"], rel=0.02, abs=2.5)
    assert checked > 40


def test_ground_outside_is_found(cover, truth):
    outside = cover.credits.set_index("id")["outside_m2"]
    for row in truth["releases"]["outside"]:
        if row["id"] not in truth["releases"]["mechanical_without_follow_up"]:
            assert outside[row["id"]] == pytest.approx(row["area_m2"], rel=0.05, abs=5.0)
    for ident in truth["releases"]["pulkovo_as_wgs84"]:
        if ident in outside.index and ident not in truth["releases"]["mechanical_without_follow_up"]:
            assert outside[ident] > 100


def test_machine_ground_without_search_is_never_released(cover, truth):
    released = set(cover.released["id"])
    assert not released & set(truth["releases"]["mechanical_without_follow_up"])
    assert cover.totals["processed_m2"] > 0


def test_a_repeated_row_counts_once(cover, survey, truth):
    """Repeating rows and entering ground again adds to what is claimed, never to what is released."""
    again = [
        ids[1] if ids[0] != ids[1] else f"{ids[0]}~2" for ids in (d["ids"] for d in truth["releases"]["duplicates"])
    ]
    once = gt.coverage(survey.hazards, survey.releases[~survey.releases["id"].isin(again)], programme=survey.programme)
    assert once.totals["released_m2"] == pytest.approx(cover.totals["released_m2"], abs=1.0)
    assert once.totals["claimed_m2"] < cover.totals["claimed_m2"]


def test_identities(cover):
    """A1 and A4: every m² in one state; claims = released + outside + claimed more than once."""
    t = cover.totals
    tolerance = max(1.0, 1e-9 * t["area_m2"])
    assert (
        abs(t["area_m2"] - t["released_m2"] - t["transferred_m2"] - t["corrected_m2"] - t["remaining_m2"]) <= tolerance
    )
    assert abs(t["claimed_m2"] - t["released_m2"] - t["outside_m2"] - t["overlap_m2"] - t["reopened_m2"]) <= tolerance
    table = cover.table
    assert (
        np.abs(
            table["area_m2"]
            - table["released_m2"]
            - table["transferred_m2"]
            - table["corrected_m2"]
            - table["remaining_m2"]
        ).max()
        <= 1.0
    )


def test_history_is_monotone(cover):
    """With time, released ground only grows (nothing was reopened)."""
    done = [
        cover.at(day).totals["released_m2"]
        for day in ("2021-12-31", "2022-12-31", "2023-12-31", "2024-12-31", "2025-12-31", "2026-06-30")
    ]
    assert all(a <= b + 1.0 for a, b in itertools.pairwise(done))
    assert done[0] < done[-1]


def test_planted_faults_become_issues_of_the_checks(survey, truth):
    found = gt.check(survey)
    ids = found.groupby("check")["id"].agg(set)
    assert {row["id"] for row in truth["releases"]["mislinked"]} <= ids["TP-16"]
    assert set(truth["releases"]["depth_missing"]) | set(truth["releases"]["depth_short"]) <= ids["WF-07"]
    assert set(truth["finds"]["swapped"]) <= ids["CR-04"]
    assert {row["find"] for row in truth["finds"]["in_released_land_later"]} <= ids["TP-10"]
    assert {row["accident"] for row in truth["accidents"]["in_released_land_later"]} <= ids["TP-10"]
    assert set(truth["activities"]["start_after_end"]) <= ids["WF-03"]
    assert set(truth["activities"]["closed_without_completion_report"]) <= ids["WF-01"]
    assert (
        set(truth["releases"]["mechanical_without_follow_up"])
        & set(survey.releases.loc[survey.releases["product"] == "cleared", "id"])
        <= ids["WF-08"]
    )
    assert pd.Series(found["message"]).str.len().max() < 400


def _task(survey, name: str):
    return survey.activities[survey.activities["task_id"] == name]


def test_missed_strips_of_the_rtk_task_are_found(survey, truth):
    """Four strips, their ground and their area; spikes and repeated times cost nothing and hide nothing."""
    facts = truth["fixes"]["machine_rtk"]
    task = _task(survey, "TASK-M1").to_crs(32638)
    fixes = survey.fixes[survey.fixes["task_id"] == "TASK-M1"]
    covered = gt.swath.cover(gt.swath.prepare(fixes, task), task, method="mechanical")
    missed = shapely.union_all(covered.missed.to_crs(32638).geometry.to_numpy())
    planted = [shapely.from_geojson(json.dumps(strip["geometry_utm38n"])) for strip in facts["missed"]]
    assert missed.area == pytest.approx(facts["missed_m2"], rel=0.06)
    for strip in planted:
        assert missed.intersection(strip).area > 0.85 * strip.area
    assert missed.difference(shapely.union_all(planted).buffer(0.15)).area < 1.0


def test_a_coarse_receiver_is_not_believed(survey, truth):
    """TASK-M2 has 78 m² missed; tracks with errors of metres must not claim to cover more than was worked."""
    facts = truth["fixes"]["machine_consumer"]
    task = _task(survey, "TASK-M2").to_crs(32638)
    covered = gt.swath.cover(
        gt.swath.prepare(survey.fixes[survey.fixes["task_id"] == "TASK-M2"], task), task, method="mechanical"
    )
    assert covered.missed.to_crs(32638).area.sum() >= facts["missed_m2"]


def test_blind_lanes_are_scored_as_planted(survey, truth):
    """Hits, misses, false alarms and duplicates of six operators, each exactly."""
    facts = truth["training"]
    table = (
        gt.trial.score(survey.targets, survey.signals, halo_m=facts["halo_m"])
        .strata(["operator"])
        .set_index("operator")
    )
    for operator, expected in facts["operators"].items():
        assert (table.loc[operator, "k"], table.loc[operator, "n"]) == (expected["hits"], expected["targets"])
        assert table.loc[operator, "false_alarms"] == expected["false_alarms"]


def test_sheets_close_as_planted(survey, truth):
    """Misclosures in the plane; the sheet without a closing leg has none."""
    for name, facts in truth["traverse"].items():
        legs = survey.legs[survey.legs["feature_id"] == name]
        mark = survey.marks[survey.marks["id"] == f"{name}-SP"].geometry.iloc[0]
        solved = gt.traverse.solve(legs, mark)
        if facts["closing_leg"]:
            assert solved.misclosure.distance_m == pytest.approx(facts["misclosure_m"], abs=0.01)
        else:
            assert not solved.misclosure.measured


def test_the_compass_sheets_give_back_their_corners(survey, truth):
    """Magnetic bearings with the declination of place and day: corners within the noise of a compass (0.2 degrees)."""
    for name in ("SHEET-MILS", "SHEET-OPEN"):
        facts = truth["traverse"][name]
        x, y = facts["corners_utm"][0]
        start = shapely.Point(*pyproj.Transformer.from_crs(32638, 4326, always_xy=True).transform(x, y))
        solved = gt.traverse.solve(survey.legs[survey.legs["feature_id"] == name], start)
        corners = shapely.get_coordinates(solved.points.to_crs(32638).geometry.to_numpy())
        for corner in facts["corners_utm"]:
            assert np.hypot(*(corners - corner).T).min() < 1.5
