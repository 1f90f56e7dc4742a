"""`geotools coverage` from files: table, groups, JSON, files, explanation, exit codes."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli

X, Y = 560_000, 4_380_000


def box(west, south, east, north):
    return shapely.box(X + west, Y + south, X + east, Y + north)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("survey")
    hazards = gpd.GeoDataFrame(
        {"id": ["H-1", "=H-2"], "classification": "CHA", "status": ["open", "closed"], "admin1": ["A", "B"], "date_info": "2020-01-01"},
        geometry=[box(0, 0, 100, 100), box(300, 0, 400, 100)], crs="EPSG:32638",
    )  # fmt: skip
    releases = gpd.GeoDataFrame(
        {
            "id": ["R-1", "R-2", "R-3"], "hazard_id": ["H-1", "H-1", "=H-2"], "product": ["cleared", "reduced", "cleared"],
            "method": ["manual", "ts", "mechanical"], "date": ["2024-01-01", "2024-02-01", "2024-03-01"], "organisation": ["One\u202e", "Two", None],
        },
        geometry=[box(0, 0, 60, 100), box(50, 0, 80, 100), box(300, 0, 350, 100)], crs="EPSG:32638",
    )  # fmt: skip
    hazards.to_crs(4326).to_file(place / "hazards.geojson", driver="GeoJSON")
    releases.to_file(place / "releases.gpkg", layer="releases", driver="GPKG")
    return place


def run(*arguments):
    return CliRunner().invoke(cli, ["coverage", *map(str, arguments)])


def test_the_table(folder):
    done = run(folder)
    assert done.exit_code == 0, done.output
    assert "H-1" in done.stdout and "80.0 %" in done.stdout and "No record is not no contamination" in done.stdout
    assert " ± " in done.stdout.splitlines()[0] and "±" in done.stdout and "on the grid" not in done.stdout
    (folder / "survey.toml").write_text('[programme]\ncrs = "EPSG:32638"\n', "utf-8")
    head, row = (run(folder).stdout.splitlines()[n].split() for n in (5, 6))
    assert head[1:5] == ["area_m2", "±", "on", "the"]
    area, _, grid = (float(cell.replace(",", "")) for cell in row[1:4])
    assert area != grid and grid == pytest.approx(area, rel=2e-3)


def test_json_and_groups(folder):
    data = json.loads(run(folder, "--json", "--by", "organisation").stdout)
    assert data["totals"]["coverage"] == pytest.approx(0.4, abs=1e-4)
    assert data["totals"]["processed_m2"] == pytest.approx(5000, rel=2e-3)
    assert {row["organisation"] for row in data["by"]["organisation"]} >= {"Two", "not stated"}
    earlier = json.loads(run(folder, "--json", "--as-of", "2024-01-15").stdout)
    assert earlier["totals"]["reduced_m2"] == 0 and earlier["as_of"] == "2024-01-15"
    one, two = (json.loads(run(folder, "--json", "--engine", name).stdout)["totals"] for name in ("geos", "sweep"))
    assert one == pytest.approx(two, abs=1e-6)


def test_files(folder, tmp_path):
    for name in ("table.csv", "table.json", "ground.gpkg"):
        assert run(folder, "-o", tmp_path / name).exit_code == 0
    text = (tmp_path / "table.csv").read_text("utf-8")
    assert text.splitlines()[0].startswith("\ufeffid,")
    table = pd.read_csv(tmp_path / "table.csv", encoding="utf-8-sig", dtype=str)
    areas = [name for name in table if name.endswith("_m2")]
    assert len(areas) > 10 and table[areas].stack().str.fullmatch(r"-?\d+\.\d\d").all()
    full = json.loads(run(folder, "--json").stdout)["hazards"]
    assert any(round(row["area_m2"], 2) != row["area_m2"] for row in full)
    assert pd.to_numeric(table["area_m2"]).tolist() == pytest.approx([row["area_m2"] for row in full], abs=0.005)
    assert "'=H-2" in (tmp_path / "table.csv").read_text("utf-8")
    assert json.loads((tmp_path / "table.json").read_text("utf-8"))["what"] == "coverage"
    ground = gpd.read_file(tmp_path / "ground.gpkg", layer="result_remaining")
    assert set(ground["id"]) == {"H-1", "=H-2"}
    assert run(folder, "-o", tmp_path / "table.csv").exit_code != 0
    assert run(folder, "-o", tmp_path / "table.csv", "--overwrite").exit_code == 0


def test_explain(folder, tmp_path):
    done = run(folder, "--explain", "H-1")
    assert done.exit_code == 0, done.output
    assert "R-2 by Two" in done.stdout and "had been taken before by R-1" in done.stdout
    assert "\u202e" not in done.stdout
    told = json.loads(run(folder, "--explain", "=H-2", "--json").stdout)
    assert told["acts"][0]["counted_as"] == "processed"
    assert run(folder, "--explain", "H-1", "-o", tmp_path / "why.json").exit_code == 0
    assert run(folder, "--explain", "nobody").exit_code == 2


def test_exit_codes(folder, monkeypatch):
    assert run(folder, "--fail-on", "error").exit_code == 1
    assert run(folder, "--by", "colour").exit_code == 2
    from geotools.analysis import release
    from geotools.cli.main import main
    from geotools.model.errors import ReleaseError

    def broken(*_, **__):
        raise ReleaseError("the data break a rule", hint="mend them")

    monkeypatch.setattr(release, "coverage", broken)
    with pytest.raises(SystemExit) as stop:
        main(["coverage", str(folder)])
    assert stop.value.code == 4


def test_releases_whose_product_nobody_knows_are_named_in_the_summary(make):
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 100)))
    rows = [make.release("R-1", make.square(0, 0, 50)), make.release("R-2", make.square(50, 50, 50), product="zzz")]
    told = gt.coverage(hazards, make.frame(*rows)).summary()
    assert "But 1 release counts nothing (2,500 m²)" in told and "programme.words.product" in told
    assert "counts nothing" not in gt.coverage(hazards, make.frame(rows[0])).summary()


@pytest.fixture(scope="module")
def early(tmp_path_factory):
    """A release that is a year older than the record of its hazard."""
    place = tmp_path_factory.mktemp("early")
    hazards = {
        "id": ["H-1", "H-2"],
        "classification": "CHA",
        "status": "open",
        "date_info": ["2024-06-01", "2020-01-01"],
    }
    release = {
        "id": ["R-1"],
        "hazard_id": ["H-1"],
        "product": ["cleared"],
        "method": ["manual"],
        "date": ["2023-05-01"],
    }
    ground = [box(0, 0, 100, 100), box(300, 0, 400, 100)]
    gpd.GeoDataFrame(hazards, geometry=ground, crs="EPSG:32638").to_file(place / "hazards.gpkg", layer="hazards")
    gpd.GeoDataFrame(release, geometry=[box(0, 0, 50, 100)], crs="EPSG:32638").to_file(
        place / "releases.gpkg", layer="releases"
    )
    return place


def test_a_release_before_its_hazard_is_told_wherever_the_moment_counts(early):
    survey = gt.open_survey(early)
    now, then = survey.coverage(), survey.coverage(as_of="2023-12-31")
    assert now.totals["cleared_m2"] > 4900 and then.totals["cleared_m2"] == 0 and then.totals["outside_m2"] > 4900
    said = {
        str(day): found.issues.query("check == 'RL-14'")["message"].iloc[0]
        for day, found in (("now", now), ("then", then))
    }
    assert "its own day" in said["now"] and "2024-06-01" in said["now"]
    assert (
        "H-1, which was recorded only on 2024-06-01: as of 2023-12-31" in said["then"]
        and "outside all hazards" in said["then"]
    )
    for call in (["coverage", str(early), "--by", "year"], ["progress", str(early), "--no-forecast"]):
        shown = CliRunner().invoke(cli, call)
        assert shown.exit_code == 0
        assert "releases dated before their hazard was recorded: 1 (" in shown.output, call
    plain = CliRunner().invoke(cli, ["coverage", str(early)])
    assert "before their hazard" not in plain.output


def test_nothing_is_said_where_every_release_comes_after_its_hazard(folder):
    shown = CliRunner().invoke(cli, ["coverage", str(folder), "--by", "year"])
    assert "before their hazard" not in shown.output
