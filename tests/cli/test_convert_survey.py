"""`geotools convert` of a folder or survey.toml: a layer per kind in one GeoPackage, or the one that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import geotools as gt
from geotools import io
from geotools.cli.main import cli
from geotools.model.errors import WriteError


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(cli, ["convert", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path, make: Any) -> Path:
    place = tmp_path / "district"
    place.mkdir()
    make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300))).to_file(
        place / "hazards.gpkg", layer="hazards"
    )
    make.frame(make.release("R-1")).to_crs(4326).to_file(place / "releases_1.geojson")
    make.frame(make.release("R-2", make.square(300))).to_crs(4326).to_file(place / "releases_2.geojson")
    (place / "accidents.csv").write_text("id,date,lon,lat\nA-1,2025-01-02,,\n", "utf-8")
    return place


def test_a_folder_becomes_one_geopackage_that_reads_back_the_same(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.gpkg"
    done = run(folder, out)
    assert done.exit_code == 0, done.output
    before, after = gt.open_survey(folder), gt.open_survey(out)
    assert io.layers(out) == list(before.layers)
    for name, frame in before.layers.items():
        assert after.layers[name]["id"].tolist() == frame["id"].tolist()
        assert after.layers[name].geometry.geom_equals_exact(frame.geometry, 1e-9).where(
            frame.geometry.notna(), True
        ).all()  # fmt: skip
        assert f"{name}: {len(frame)} rows written" in done.stderr
    assert "releases_2.geojson: 1 rows: 1 kept" in done.stderr


def test_a_file_that_is_there_is_not_replaced_unasked(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.gpkg"
    out.write_bytes(b"mine")
    assert run(folder, out).exit_code != 0
    assert out.read_bytes() == b"mine"
    assert run(folder, out, "--overwrite").exit_code == 0


def test_the_table_of_a_survey_and_another_system(folder: Path, tmp_path: Path) -> None:
    (folder / "survey.toml").write_text('[[layer]]\nfile = "hazards.gpkg"\nkind = "hazards"\n', "utf-8")
    out = folder / "all.gpkg"  # what the table lists is read, not what lies beside it
    done = run(folder / "survey.toml", out, "--dst-crs", "EPSG:4326")
    assert done.exit_code == 0, done.output
    assert io.read(out).crs.to_epsg() == 4326
    assert len(gt.open_survey(folder).hazards) == 2
    kept = (folder / "hazards.gpkg").read_bytes()
    assert isinstance(run(folder / "survey.toml", folder / "hazards.gpkg", "--overwrite").exception, WriteError)
    assert (folder / "hazards.gpkg").read_bytes() == kept


def test_nothing_is_written_among_the_files_that_are_read(folder: Path) -> None:
    done = run(folder, folder / "all.gpkg")
    assert isinstance(done.exception, WriteError)
    assert "read twice" in str(done.exception)
    assert not (folder / "all.gpkg").exists()


def test_one_layer_is_named_where_the_output_holds_one(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path / "x.geojson")
    assert done.exit_code == 2
    assert "hazards, releases" in done.stderr and "--layer hazards" in done.stderr
    for option in ("--layer", "--kind"):
        done = run(folder, tmp_path / f"{option}.geojson", option, "releases")
        assert done.exit_code == 0, done.output
        assert "not written: hazards" in done.stderr
        assert io.read(tmp_path / f"{option}.geojson", "releases")["id"].tolist() == ["R-1", "R-2"]
    assert "layers: hazards, releases" in run(folder, tmp_path / "y.gpkg", "--layer", "roads").stderr
