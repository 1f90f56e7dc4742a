"""From a national file to layers in parts to a ledger, and the same figures as in memory."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli
from geotools.io.parts import Parts
from geotools.model.errors import GeotoolsError
from geotools.survey import layers_in_parts

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


def run(*args):
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def said(result):
    assert result.exception is None or isinstance(result.exception, SystemExit | GeotoolsError), result.exception
    return f"{result.output} {result.exception} {getattr(result.exception, 'hint', '')}"


@pytest.fixture(scope="module")
def national(tmp_path_factory):
    """A GeoPackage of the sample's hazards and releases, and a folder of the same in parts."""
    folder = tmp_path_factory.mktemp("national")
    survey = gt.open_survey(SAMPLE)
    one = folder / "country.gpkg"
    for kind in ("hazards", "releases"):
        gt.write(survey.layers[kind], one, layer=kind)
        made = run("convert", one, folder / "parts" / f"{kind}.parquet", "--layer", kind, "--parts")
        assert made.exit_code == 0, made.output
    return one, folder / "parts"


def test_the_same_figures(national):
    one, parts = national
    whole, wide = (json.loads(run("coverage", source, "--json").stdout) for source in (one, parts))
    assert whole["totals"]["released_m2"] > 0
    assert whole["totals"] == wide["totals"]
    assert whole["hazards"] == wide["hazards"]
    told = run("coverage", parts, "--by", "organisation").output
    assert "Released" in told


def test_any_command_reads_them(national):
    _, parts = national
    survey = gt.open_survey(parts)
    assert set(survey.layers) == {"hazards", "releases"}
    assert len(survey.hazards) == len(Parts.open(parts / "hazards.parquet"))
    assert run("info", parts).exit_code == 0


def test_programme_of_the_folder(national, tmp_path):
    _, parts = national
    folder = tmp_path / "own"
    folder.mkdir()
    for layer in parts.iterdir():
        (folder / layer.name).symlink_to(layer)
    (folder / "survey.toml").write_text('[programme]\ncrs = "EPSG:32638"\n')
    out = json.loads(run("coverage", folder, "--json").stdout)
    assert "area_grid_m2" in out["hazards"][0]


def test_more_of_the_ledger_beside_the_parts_counts(national, tmp_path):
    one, parts = national
    folder = tmp_path / "own"
    folder.mkdir()
    for layer in parts.iterdir():
        (folder / layer.name).symlink_to(layer)
    assert layers_in_parts(folder) is not None
    hazards = gt.read(one, layer="hazards")
    events = hazards[hazards.geometry.notna()][["id", "geometry"]].rename(columns={"id": "hazard_id"})
    gt.write(events.assign(id=[f"E{n}" for n in range(len(events))], event="reopened"), folder / "events.gpkg")
    assert layers_in_parts(folder) is None
    assert json.loads(run("coverage", folder, "--json").stdout)["totals"]["released_m2"] == pytest.approx(0, abs=1e-3)
    (folder / "events.gpkg").unlink()
    (folder / "survey.toml").write_text('[programme.words.product]\ntemiz = "cleared"\n')
    assert layers_in_parts(folder) is None


def test_what_cannot_be_done_is_said(national, tmp_path):
    one, _ = national
    assert "--kind" in said(run("convert", one, tmp_path / "x.parquet", "--parts"))
    far = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.box(8500000, 4380000, 8500100, 4380100)], crs="EPSG:28408")
    gt.write(far, tmp_path / "hazards.gpkg")
    refused = run("convert", tmp_path / "hazards.gpkg", tmp_path / "hazards.parquet", "--parts")
    assert refused.exit_code == 1
    assert "--dst-crs" in said(refused)
    assert not (tmp_path / "hazards.parquet").exists()
    moved = run("convert", tmp_path / "hazards.gpkg", tmp_path / "hazards.parquet", "--parts", "--dst-crs", "EPSG:4326")
    assert moved.exit_code == 0, moved.output
    assert Parts.open(tmp_path / "hazards.parquet").crs.to_epsg() == 4326
    again = run("convert", tmp_path / "hazards.gpkg", tmp_path / "hazards.parquet", "--parts", "--dst-crs", "EPSG:4326")
    assert again.exit_code == 1
    assert "exists already" in said(again)


def test_a_damaged_part_is_a_clear_error(national, tmp_path):
    _, parts = national
    folder = tmp_path / "own"
    for kind in ("hazards", "releases"):
        (folder / f"{kind}.parquet").mkdir(parents=True)
        for file in (parts / f"{kind}.parquet").iterdir():
            (folder / f"{kind}.parquet" / file.name).write_bytes(file.read_bytes())
    file = next((folder / "releases.parquet").iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 4000] = bytes(4000)
    file.write_bytes(bytes(data))
    result = run("coverage", folder)
    assert result.exit_code == 1, result.output
    assert "damaged" in said(result)
