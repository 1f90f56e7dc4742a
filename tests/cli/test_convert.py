"""`geotools convert`: every row told on stderr, results on stdout, the right exit code."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely

from geotools import io
from geotools.cli.main import main


@pytest.fixture
def hazards(tmp_path):
    frame = gpd.GeoDataFrame(
        {"id": ["a", "b"], "classification": ["CHA", "SHA"]},
        geometry=[shapely.box(700000, 4380000, 700100, 4380100), None],
        crs="EPSG:32638",
    )
    return io.write(frame, tmp_path / "hazards.gpkg")


def run(arguments, stdin=None):
    from click.testing import CliRunner

    from geotools.cli.main import cli

    return CliRunner().invoke(cli, ["convert", *map(str, arguments)], input=stdin)


def test_a_file_is_converted_and_counted(hazards, tmp_path):
    out = tmp_path / "out.geojson"
    result = run([hazards, out])
    assert result.exit_code == 0, result.output
    assert "2 rows: 2 kept, 0 repaired, 0 rejected" in result.stderr
    assert result.stdout == ""
    assert json.loads(out.read_text("utf-8"))["features"][0]["id"] == "a"


def test_lines_on_stdout_and_back_from_stdin(hazards, tmp_path):
    lines = run([hazards, "-", "-q"])
    features = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [f["id"] for f in features] == ["a", "b"]
    assert lines.stderr == ""
    back = run(["-", tmp_path / "back.gpkg", "--kind", "hazards"], stdin=lines.stdout)
    assert back.exit_code == 0
    assert io.read(tmp_path / "back.gpkg", "hazards")["id"].tolist() == ["a", "b"]


def test_another_system_names_the_operation(tmp_path):
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(8683738, 4385550, 12.0)], crs="EPSG:28408")
    source = io.write(frame, tmp_path / "finds.gpkg")
    result = run([source, tmp_path / "out.gpkg", "--dst-crs", "EPSG:32638"])
    assert result.exit_code == 0
    assert "EPSG:15865 (4.5 m)" in result.stderr
    moved = io.read(tmp_path / "out.gpkg", "finds")
    assert moved.crs.to_epsg() == 32638
    assert moved.geometry.iloc[0].z == 12.0


def test_all_layers_go_into_a_geopackage(hazards, tmp_path):
    io.write(gpd.GeoDataFrame({"id": ["t"]}, geometry=[shapely.Point(47, 39)], crs=4326), hazards, layer="finds")
    assert run([hazards, tmp_path / "all.gpkg"]).exit_code == 0
    assert io.layers(tmp_path / "all.gpkg") == ["hazards", "finds"]


def test_the_list_of_formats():
    result = run(["--formats"])
    assert result.exit_code == 0
    assert {"geojson", "gpkg", "nmea"} <= {line.split()[0] for line in result.stdout.splitlines()}


def test_rejected_rows_fail_on_request(tmp_path):
    path = tmp_path / "hazards.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":[null,{"type":"Feature","properties":{"id":"a"},"geometry":null}]}'
    )
    assert run([path, tmp_path / "a.gpkg"]).exit_code == 0
    assert run([path, tmp_path / "b.gpkg", "--fail-on", "error"]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.gpkg", "x.geojson"], "no such file"),
        (["broken.gpkg", "x.geojson"], "damaged"),
        (["points.csv", "x.geojson"], "--crs"),
        (["sound.csv", "x.xyz"], "not a known format"),
        (["sound.csv", "x.nmea"], "only read"),
        (["sound.csv", "there.geojson"], "--overwrite"),
        (["sound.csv", "x.gpkg", "--dst-crs", "EPSG:1"], "coordinate reference system"),
        (["sound.csv", "x.gpkg", "--kind", "mines"], "record kind"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_hint(arguments, said, tmp_path, capsys):
    (tmp_path / "broken.gpkg").write_text("x")
    (tmp_path / "points.csv").write_text("id,x,y\n1,700000,4380000\n")
    (tmp_path / "sound.csv").write_text("id,lon,lat\n1,47,39\n")
    (tmp_path / "there.geojson").write_text("mine")
    with pytest.raises(SystemExit) as stopped:
        main(["convert", *(str(tmp_path / a) if "." in a else a for a in arguments)])
    told = capsys.readouterr().err
    assert stopped.value.code == 3, told
    assert said in told
    assert told.startswith("error: ")
    assert "hint: " in told
    assert "Traceback" not in told
    assert (tmp_path / "there.geojson").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.gpkg", "points.csv", "sound.csv", "there.geojson"]
