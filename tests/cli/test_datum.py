"""`geotools datum`: the shift and its record, and the doctor's words."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from geotools.cli.main import cli
from geotools.space import crs

BOUNDS = ("--bounds", "44.7,38.3,51,42")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    frame = gpd.GeoDataFrame(
        {"id": [f"P{i}" for i in range(20)]},
        geometry=gpd.points_from_xy(rng.uniform(46.9, 47.4, 20), rng.uniform(39.3, 39.8, 20)),
        crs=4326,
    )
    frame.to_file("true.gpkg")
    soviet = crs.shift(frame, "EPSG:28408")[0]
    soviet.to_file("gk.shp")
    pd.DataFrame({"id": frame["id"], "x": soviet.geometry.y, "y": soviet.geometry.x}).to_csv("gk.csv", index=False)
    pd.DataFrame({"id": frame["id"], "lat": frame.geometry.x, "lon": frame.geometry.y}).to_csv(
        "swapped.csv", index=False
    )
    utm = frame.to_crs(32638)
    pd.DataFrame({"id": frame["id"], "x": utm.geometry.x, "y": utm.geometry.y}).to_csv("utm.csv", index=False)

    def call(*args, code=0):
        result = CliRunner().invoke(cli, ["datum", *args])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    call.true = frame
    return call


def far(run, path):
    got = gpd.read_file(path).to_crs(4326)
    return float(np.max(crs.GEOD.inv(got.geometry.x, got.geometry.y, run.true.geometry.x, run.true.geometry.y)[2]))


def test_a_shift_is_written_and_recorded(run):
    result = run("gk.shp", "-o", "out.gpkg")
    assert "EPSG:15865" in result.stdout
    assert "4.5 m" in result.stdout
    assert "CR-02" in result.stderr
    out = gpd.read_file("out.gpkg")
    assert far(run, "out.gpkg") < 0.01
    assert out["source_crs"].eq("EPSG:28408").all()
    assert out["transform_op"].eq("EPSG:15865 (4.5 m)").all()
    assert json.loads(run("gk.shp", "--operation", "1808", "--json").stdout)["operation"] == "EPSG:1808"
    run("gk.shp", "--fail-on", "warning", code=1)


def test_operations_are_listed_the_used_one_first(run):
    lines = run("gk.shp", "--list-operations").stdout.splitlines()
    assert lines[1].startswith("EPSG:15865")
    assert "used" in lines[1]
    assert json.loads(run("gk.shp", "--list-operations", "--json").stdout)[0]["code"] == "EPSG:15865"


def test_the_doctor_speaks_and_its_option_works(run):
    said = run("--explain", "gk.csv", *BOUNDS).stdout
    assert "--crs EPSG:28408 --swap-xy" in said
    run("gk.csv", "--crs", "EPSG:28408", "--swap-xy", "-o", "a.geojson")
    assert far(run, "a.geojson") < 0.02
    said = run("--explain", "swapped.csv", *BOUNDS).stdout
    assert "exchanged" in said
    assert " km from where they belong" in said
    run("swapped.csv", "--swap-xy", "-o", "b.geojson")
    assert far(run, "b.geojson") < 0.02


def test_it_asks_where_two_readings_fit_and_a_reference_settles_it(run):
    asked = run("--explain", "utm.csv", *BOUNDS).stdout
    assert "? these coordinates fit 2 readings" in asked
    data = json.loads(run("--explain", "utm.csv", "--reference", "true.gpkg", "--json").stdout)
    assert data["option"] == "--crs EPSG:32638"
    run("--explain", "utm.csv", *BOUNDS, "--fail-on", "error", code=1)


def test_nothing_is_guessed_without_a_system(run):
    result = CliRunner().invoke(cli, ["datum", "utm.csv", "-o", "x.gpkg"])
    assert "does not say its reference system" in str(result.exception)
    assert "--explain" in result.exception.hint


def test_right_layers_are_healthy(run):
    assert "nothing wrong was found" in run("--explain", "gk.shp", "--reference", "true.gpkg").stdout
