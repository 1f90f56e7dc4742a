"""The sample programme was spoiled by somebody else, with the truth written down: the checks find what was planted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import geotools as gt

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


@pytest.fixture(scope="module")
def truth():
    return json.loads((SAMPLE / "truth.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def survey():
    return gt.open_survey(SAMPLE)


@pytest.fixture(scope="module")
def issues(survey):
    return gt.checks.together(gt.check(survey), survey.issues)


def ids(issues, *codes, kind):
    return set(issues.loc[issues["check"].isin(codes) & (issues["kind"] == kind), "id"])


@pytest.mark.parametrize(
    ("layer", "key", "codes"),
    [
        ("activities", "start_after_end", ["WF-03"]),
        ("releases", "mislinked", ["TP-16"]),
        ("releases", "dangling", ["WF-06"]),
        ("releases", "depth_missing", ["WF-07"]),
        ("releases", "unit_slip", ["AR-13"]),
        ("releases", "pulkovo_as_wgs84", ["CR-07"]),
        ("releases", "mechanical_without_follow_up", ["WF-08"]),
        ("hazards", "entry_before_information", ["WF-03"]),
        ("hazards", "unknown_words", ["RP-01", "RD-11"]),
        ("hazards", "without_geometry", ["TP-19", "RD-03"]),
        ("finds", "swapped", ["CR-04"]),
    ],
)
def test_planted_rows_are_found(truth, issues, layer, key, codes):
    wanted = {row["id"] if isinstance(row, dict) else row for row in truth[layer][key]}
    assert wanted <= ids(issues, *codes, kind=layer)


def test_closed_hazards_without_a_report_are_found(truth, issues):
    assert set(truth["activities"]["closed_without_completion_report"]) <= ids(issues, "WF-01", kind="hazards")


def test_ordnance_in_released_land_is_found_and_machine_ground_is_not_called_released(truth, issues):
    later = truth["finds"]["in_released_land_later"]
    assert {row["find"] for row in later} == ids(issues, "TP-10", kind="finds")
    assert {row["accident"] for row in truth["accidents"]["in_released_land_later"]} == ids(
        issues, "TP-10", kind="accidents"
    )


def test_overlapping_hazards_are_found_where_both_are_open(truth, survey, issues):
    status = survey.hazards.set_index("id")["status"]
    wanted = {
        p["ids"][0] for p in truth["hazards"]["overlapping"] if not set(status[p["ids"]]) & {"closed", "released"}
    }
    assert wanted and wanted <= ids(issues, "TP-01", kind="hazards")


def test_overlapping_releases_are_found(truth, survey, issues):
    method, follow = (survey.releases.set_index("id")[c] for c in ("method", "follow_up"))
    machine = {i for i in method.index if method[i] == "mechanical" and not isinstance(follow[i], str)}
    moved = set(truth["releases"]["pulkovo_as_wgs84"])  # they lie elsewhere until somebody reads them right
    pairs = {
        tuple(sorted(p["ids"]))
        for p in truth["releases"]["overlaps"]
        if len(machine & set(p["ids"])) in (0, 2) and not moved & set(p["ids"])
    }
    found = issues[issues["check"] == "TP-03"]
    said = {
        tuple(sorted((row.id, row.message.split("overlaps release ")[1].split(" ")[0]))) for row in found.itertuples()
    }
    assert len(pairs) > 30 and pairs <= said


def test_traverse_blunder_and_open_figure_are_found(issues):
    found = issues[issues["check"] == "SV-02"].set_index("id")
    assert found.loc["SHEET-BLUNDER", "severity"] == "error" and "12.0 m" in found.loc["SHEET-BLUNDER", "message"]
    assert "not measured" in found.loc["SHEET-OPEN", "message"]
    assert "SHEET-MILS" not in found.index


def test_each_fault_is_said_once(issues):
    assert not (issues["check"] == "RD-00").any()
    twice = issues[issues["check"].isin(["RD-03", "TP-19"])]
    assert not twice.duplicated(["kind", "id"]).any()
