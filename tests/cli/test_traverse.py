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
