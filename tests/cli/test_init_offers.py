"""`geotools init` where a kind is not known: it offers kinds and columns, takes an answer, and asks about strange words."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


def run(*arguments: object) -> str:
    shown = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert shown.exit_code == 0, shown.output
    return shown.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    boxes = [shapely.box(47 + n * 0.01, 39.6, 47.005 + n * 0.01, 39.605) for n in range(4)]
    rows = {
        "Kod": [f"TS-{n}" for n in range(4)],
        "Növ": ["ABC", "ABC", "ABC", "X"],
        "Sahə, ha": 2.5,
        "Tarix": "05.03.2024",
    }
    gpd.GeoDataFrame(rows, geometry=boxes, crs=4326).to_file(tmp_path / "sahe.geojson", driver="GeoJSON")
    points = [box.centroid for box in boxes]
    gpd.GeoDataFrame({"N": range(4), "A": "x"}, geometry=points, crs=4326).to_file(
        tmp_path / "a.geojson", driver="GeoJSON"
    )
    return tmp_path


def test_kinds_and_columns_are_offered(folder: Path) -> None:
    shown = run("init", folder)
    assert "sahe.geojson: what does it hold? Perhaps hazards (4 of 4 columns fit) or releases" in shown
    assert "a.geojson: what does it hold? Perhaps finds (0 of 2 columns fit) or accidents" in shown
    assert "--kind a.geojson=finds" in shown
    text = (folder / "survey.toml").read_text("utf-8")
    assert '# "Sahə, ha" = "area_reported_m2"' in text and '# A = "…"' in text
    assert "columns that finds have: id guid" in text
    assert not any("kind" in layer for layer in tomllib.loads(text)["layer"]), "nothing is guessed without a person"


def test_an_answer_on_the_command_line_is_taken(folder: Path) -> None:
    shown = run("init", folder, "--kind", "sahe.geojson=hazards", "--kind", "a.geojson=places")
    assert "what does it hold" not in shown
    assert "what do these words stand for in classification: 'ABC', 'X'" in shown
    survey = gt.open_survey(folder)
    assert survey.hazards["area_reported_m2"].tolist() == [25000.0] * 4
    text = (folder / "survey.toml").read_text("utf-8")
    assert '# "ABC" = "…"  # 3 rows' in text
    answered = text.replace("# [programme.words.classification]", "[programme.words.classification]")
    (folder / "survey.toml").write_text(
        answered.replace('# "ABC" = "…"', '"ABC" = "cha"').replace('# "X" = "…"', '"X" = "…"'), "utf-8"
    )
    survey = gt.open_survey(folder)
    assert survey.hazards["classification"].tolist()[:3] == ["CHA"] * 3
    assert survey.hazards["classification"].isna().tolist() == [False] * 3 + [True], "a word for no word is none"


@pytest.mark.parametrize("answer", ["sahe.geojson", "sahe.geojson=hazard", "other.csv=finds"])
def test_an_answer_that_fits_nothing_is_refused(folder: Path, answer: str) -> None:
    shown = CliRunner().invoke(cli, ["init", str(folder), "--kind", answer])
    assert shown.exit_code != 0 and not (folder / "survey.toml").exists()
