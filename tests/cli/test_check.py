"""`geotools check` as a person or a script uses it."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely
import shapely.affinity
from click.testing import CliRunner

from geotools.cli.main import cli


@pytest.fixture
def survey(tmp_path, make):
    folder = tmp_path / "survey"
    folder.mkdir()
    x, y = make.origin
    spiked = [(x, y), (x + 100, y), (x + 100, y), (x + 100, y + 100), (x, y + 100)]
    rows = [
        make.hazard("H-1"),
        make.hazard("H-2", make.square(60)),
        make.hazard("H-3", shapely.affinity.translate(shapely.Polygon(spiked), 900)),
    ]
    make.frame(*rows).to_file(folder / "hazards.gpkg", layer="hazards")
    return folder


def run(*arguments, code=0):
    result = CliRunner().invoke(cli, ["check", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_words_and_counts(survey):
    said = run(survey).stdout
    assert "TP-01" in said and "Hazard H-1: it overlaps hazard H-2" in said and "warnings" in said


def test_json_is_the_same_findings(survey):
    data = json.loads(run(survey, "--json", "--only", "TP,GC").stdout)
    assert data["by_check"]["TP-01"] == 1 and sum(data["counts"].values()) == len(data["issues"])


def test_language_and_rules(survey):
    assert "Опасный район H-1" in run(survey, "--lang", "ru", "--only", "TP-01").stdout
    assert "TP-01" not in run(survey, "--exclude", "TP").stdout
    run(survey, "--exclude", "RD,WF")
    assert "TP" not in run(survey, "--only", "RD").stdout
    assert "no check 'ZZ'" in run(survey, "--only", "ZZ", code=2).output


def test_fail_on(survey):
    run(survey, "--only", "TP-01", "--fail-on", "warning", code=1)
    run(survey, "--only", "TP-01", "--fail-on", "error")


def test_outputs_and_trend(survey, tmp_path):
    first = tmp_path / "first.gpkg"
    run(survey, "-o", first, "-o", tmp_path / "page.html")
    assert "<svg" in (tmp_path / "page.html").read_text("utf-8")
    frame = gpd.read_file(survey / "hazards.gpkg")
    frame[frame["id"] != "H-2"].to_file(survey / "hazards.gpkg", layer="hazards", mode="w")
    said = run(survey, "--since", first, "-o", tmp_path / "second.html").stdout
    assert "fixed" in said and " 0 fixed" not in said
    assert "Fixed" in (tmp_path / "second.html").read_text("utf-8")


def test_repair_keeps_the_originals(survey, tmp_path):
    out = tmp_path / "fixed.gpkg"
    said = run(survey, "--repair", out).stdout
    assert "changes done" in said
    layers = set(gpd.list_layers(out)["name"])
    assert {"hazards", "result_changes", "result_changes_before"} <= layers
    assert len(gpd.read_file(out, layer="hazards")) == 3
    again = json.loads(run(out, "--json", "--repair", tmp_path / "again.gpkg").stdout)
    assert again["repair"]["done"] == 0


def test_list(survey):
    said = run("--list").stdout
    assert "GC-01" in said and "geocheck" in said and "[by analysis.release]" in said
    rows = json.loads(run("--list", "--json", "--lang", "tr").stdout)
    assert {"code", "title", "kinds", "severity", "parameters", "explanation", "remedy", "source"} <= set(rows[0])


def test_survey_is_needed_and_bad_names_are_refused(survey, tmp_path):
    run(code=2)
    result = CliRunner().invoke(cli, ["check", str(survey), "-o", str(tmp_path / "x.pdf")])
    assert result.exit_code != 0 and not (tmp_path / "x.pdf").exists()
