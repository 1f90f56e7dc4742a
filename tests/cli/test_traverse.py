"""`geotools traverse` from the sheet to the file and back."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from geotools.cli.main import cli

LEGS = "from,to,bearing,distance\nSP,TP1,92,118.40\nTP1,TP2,171.5,76.20\nTP2,TP3,244,64.90\nTP3,TP4,278.5,88.70\nTP4,SP,8,93.10\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "legs.csv").write_text(LEGS, "utf-8")

    def call(*args, code=0):
        result = CliRunner().invoke(cli, ["traverse", *args])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return call


def test_a_sheet_becomes_a_polygon(run, tmp_path):
    args = [
        "legs.csv",
        "-o",
        "a.geojson",
        "--points",
        "p.geojson",
        "--start",
        "683750 4385600",
        "--crs",
        "EPSG:32638",
        "--north",
        "magnetic",
        "--grid-correction",
        "4.95",
    ]
    result = run(*args)
    assert "4.392 m in 441.30 m (1:100)" in result.stdout
    assert "m² ±" in result.stdout
    assert "a wrong north cannot be seen" in result.stderr
    assert gpd.read_file(tmp_path / "a.geojson").to_crs(32638).area.iloc[0] == pytest.approx(12_680.15, rel=1e-3)
    assert len(gpd.read_file(tmp_path / "p.geojson")) == 5
    again = CliRunner().invoke(cli, ["traverse", *args])
    assert again.exception is not None  # it exists already
    run(*args, "--overwrite")


def test_north_is_asked_for_and_json_is_plain(run):
    refused = run("legs.csv", "--start", "39.6 N 47.14 E", code=3)
    assert "SV-01" in refused.stderr
    assert refused.stdout == ""
    data = json.loads(run("legs.csv", "--start", "39.60000 N 47.14000 E", "--north", "true", "--json").stdout)
    assert data["figures"]["traverse"]["misclosure"]["ratio"] == 100
    run("legs.csv", "--start", "39.60000 N 47.14000 E", "--north", "true", "--fail-on", "warning", code=1)


def test_fixes_start_the_figures_and_check_them(run, tmp_path):
    points = gpd.GeoDataFrame(
        {"id": ["SP", "TP2"], "point_type": ["start", "turning"]},
        geometry=gpd.points_from_xy([683_750.0, 683_873.9], [4_385_600.0, 4_385_510.6]),
        crs=32638,
    )
    points.to_crs(4326).to_file(tmp_path / "marks.geojson")
    result = run("legs.csv", "--fixes", "marks.geojson", "--north", "grid", "-o", "fit.gpkg", "--fitted")
    assert "declination probably not applied" in result.stderr
    assert "rotation +4.9" in result.stdout


def test_template_and_inverse(run, tmp_path):
    run("template", "sheet.xlsx")
    run("template", "sheet.csv")
    assert pd.read_excel(tmp_path / "sheet.xlsx").shape == pd.read_csv(tmp_path / "sheet.csv").shape
    assert "closure" in run("sheet.xlsx", "--start", "39.6000 N 47.1400 E", "-o", "h.geojson").stdout
    printed = run("inverse", "h.geojson", "--unit", "mil6000", "--date", "2026-11-20").stdout
    assert "declination +6.31°" in printed
    assert "TP3 → SP" in printed
    run("inverse", "h.geojson", "-o", "walk.csv")
    assert pd.read_csv(tmp_path / "walk.csv")["distance_m"].gt(0).all()
    assert json.loads(run("inverse", "h.geojson", "--json").stdout)["legs"][0]["from_point"] == "SP"
    assert CliRunner().invoke(cli, ["traverse", "template", "sheet.csv"]).exception is not None


def test_help_is_short_and_names_its_parts(run):
    text = run("--help").stdout
    for word in ("solve", "template", "inverse", "Example"):
        assert word in text


def test_a_start_on_a_soviet_map(run):
    result = run("legs.csv", "--start", "4385550 8683738", "--crs", "GK", "--north", "grid")
    assert "38SPJ8" in result.stdout
    refused = CliRunner().invoke(cli, ["traverse", "legs.csv", "--start", "683738 4385550", "--north", "grid"])
    assert "not stated" in str(refused.exception)


def test_the_walk_back_goes_the_way_of_the_sheet_whatever_the_file_has_turned(run, tmp_path):
    run(
        "legs.csv", "-o", "leg.geojson", "--start", "683750 4385600", "--crs", "EPSG:32638", "--north", "grid", "--adjust", "none"
    )  # fmt: skip
    run("inverse", "leg.geojson", "-o", "walk.csv", "--date", "2026-06-12")
    walk = pd.read_csv(tmp_path / "walk.csv")
    assert walk["grid_deg"].iloc[:4].round(1).tolist() == [92.0, 171.5, 244.0, 278.5]
    assert walk["distance_m"].iloc[:4].tolist() == pytest.approx([118.4, 76.2, 64.9, 88.7], abs=0.06)
    run("inverse", "leg.geojson", "-o", "back.csv", "--direction", "counterclockwise")
    back = pd.read_csv(tmp_path / "back.csv")
    assert back["distance_m"].tolist() == pytest.approx(walk["distance_m"].tolist()[::-1], abs=0.011)


def test_a_slope_that_is_no_number_is_told_and_never_taken_as_level(run, tmp_path):
    (tmp_path / "slope.csv").write_text(
        LEGS.replace("distance\n", "distance,slope_deg\n").replace("76.20\n", "76.20,steep\n"), "utf-8"
    )
    done = CliRunner().invoke(
        cli, ["traverse", "slope.csv", "--start", "683750 4385600", "--crs", "EPSG:32638", "--north", "grid"]
    )
    assert "steep" in done.stderr


def test_a_template_takes_its_name_either_way(run, tmp_path):
    run("template", "one.csv")
    run("template", "-o", "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    run("template", code=2)
