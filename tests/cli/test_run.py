"""The main job end to end on the sample: everything promised is there, adds up, and is whole or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import geotools as gt
from geotools.cli.main import cli

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["run", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("run") / "out"
    return out, run(SAMPLE, "-o", out, "--skip", "swath")


def test_everything_promised_is_there(folder: tuple[Path, Result]) -> None:
    out, result = folder
    assert result.exit_code == 0, result.output
    for name in ("map.html", "coverage.csv", "coverage.json", "survey.gpkg", "issues.csv", "provenance.json"):
        assert (out / name).stat().st_size > 500, name
    assert list((out / "field").glob("*.geojson"))
    assert not [p for p in out.parent.iterdir() if p.name.startswith(".geotools-")], "nothing temporary is left"
    for words in (
        "hazardous land recorded",
        "remaining",
        "coverage (released / recorded)",
        "issues:",
        "does not declare land safe",
    ):
        assert words in result.output


def test_tables_totals_and_layers_tell_one_story(folder: tuple[Path, Result]) -> None:
    out, _ = folder
    table = pd.read_csv(out / "coverage.csv")
    data = json.loads((out / "coverage.json").read_text("utf-8"))
    totals = data["totals"]
    parts = table["cancelled_m2"] + table["reduced_m2"] + table["cleared_m2"]
    assert (parts - table["released_m2"]).abs().max() < 0.025, "cells have two decimals"
    whole = table["released_m2"] + table["remaining_m2"] + table["transferred_m2"] + table["corrected_m2"]
    assert (whole - table["area_m2"]).abs().max() < 0.03
    assert totals["claimed_m2"] == pytest.approx(
        totals["released_m2"] + totals["outside_m2"] + totals["overlap_m2"] + totals.get("reopened_m2", 0), abs=1
    )
    assert totals["area_m2"] <= table["area_m2"].sum() + 1e-3, "hazards that overlap are counted once in the total"
    reopened = gt.open_survey(out / "survey.gpkg")
    survey = gt.open_survey(SAMPLE)
    assert {k: len(reopened.layers[k]) for k in ("hazards", "releases")} == {
        k: len(survey.layers[k]) for k in ("hazards", "releases")
    }
    again = gt.coverage(reopened.hazards, reopened.releases, programme=survey.programme)
    assert again.totals["released_m2"] == pytest.approx(totals["released_m2"], rel=1e-6)


def test_provenance_names_every_input_with_its_hash_and_no_path(folder: tuple[Path, Result]) -> None:
    out, _ = folder
    data = json.loads((out / "provenance.json").read_text("utf-8"))
    assert {item["name"] for item in data["inputs"]} >= {"hazards.gpkg", "az_unit_1_pulkovo.zip"}
    assert all(len(item["sha256"]) == 64 for item in data["inputs"])
    shifted = next(item for item in data["inputs"] if item["name"] == "az_unit_1_pulkovo.zip")
    assert shifted["operation"] == "EPSG:15865"
    assert str(out.parent) not in (out / "provenance.json").read_text("utf-8")


def test_issues_open_in_a_spreadsheet_in_plain_words(folder: tuple[Path, Result]) -> None:
    out, _ = folder
    issues = pd.read_csv(out / "issues.csv")
    assert {"check", "severity", "kind", "id", "message"} <= set(issues.columns)
    assert issues["message"].str.len().min() > 10
    assert not issues["message"].astype(str).str.match(r"[=+@]").any()


def test_a_second_run_refuses_then_replaces_and_never_touches_a_foreign_folder(tmp_path: Path, make: Any) -> None:
    gt.write(make.frame(make.hazard()), tmp_path / "s" / "hazards.gpkg")
    out = tmp_path / "out"
    assert run(tmp_path / "s", "-o", out, "--skip", "map").exit_code == 0
    from geotools.model.errors import WriteError

    again = run(tmp_path / "s", "-o", out, "--skip", "map")
    assert isinstance(again.exception, WriteError)
    assert run(tmp_path / "s", "-o", out, "--skip", "map", "--overwrite").exit_code == 0
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "a.jpg").write_bytes(b"x")
    refused = run(tmp_path / "s", "-o", foreign, "--overwrite")
    assert "holds other things" in str(refused.exception)
    assert (foreign / "a.jpg").read_bytes() == b"x"


def test_fail_on_and_json_serve_scripts(tmp_path: Path, make: Any) -> None:
    gt.write(make.frame(make.hazard(), make.hazard("H-2")), tmp_path / "s" / "hazards.gpkg")
    result = run(tmp_path / "s", "-o", tmp_path / "out", "--skip", "map", "--json", "--fail-on", "error")
    assert result.exit_code == 1, "two hazards on the same ground are an error or a warning"
    assert json.loads(result.stdout)["coverage"]["hazards"] == 2


@pytest.mark.slow
def test_tracks_of_tasks_are_evaluated_too(tmp_path: Path) -> None:
    result = run(SAMPLE, "-o", tmp_path / "out", "--skip", "map", "--skip", "check")
    assert result.exit_code == 0, result.output
    assert "tracks of TASK-D1" in result.output
    assert (tmp_path / "out" / "swath" / "TASK-M1" / "gaps.gpx").is_file()
