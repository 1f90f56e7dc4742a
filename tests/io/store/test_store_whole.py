"""`store save --whole` deletes only what the files really leave out, not what reading had to reject."""

from __future__ import annotations

import json

import geopandas as gpd
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


def test_rejected_rows_are_not_deleted(tmp_path):
    rows = gpd.GeoDataFrame(
        {"id": ["H-1", "H-2"], "classification": ["CHA", "SHA"]},
        geometry=[shapely.box(47, 39, 47.01, 39.01), shapely.box(47.1, 39, 47.11, 39.01)], crs=4326,
    )  # fmt: skip
    file, store = tmp_path / "hazards.geojson", tmp_path / "p.gpkg"
    rows.to_file(file, driver="GeoJSON")

    def run(*words):
        return CliRunner().invoke(cli, ["store", *map(str, words)])

    assert run("init", store, "--author", "A").exit_code == 0
    assert run("save", store, file, "--note", "week 1", "--author", "A").exit_code == 0
    data = json.loads(file.read_text("utf-8"))
    data["features"][1] = "not a feature"
    file.write_text(json.dumps(data), "utf-8")
    refused = run("save", store, file, "--whole", "--note", "week 2", "--author", "A")
    assert refused.exit_code != 0 and "rejected rows" in str(refused.exception)
    assert gt.store.open(store).load("hazards")["id"].tolist() == ["H-1", "H-2"]
    data["features"].pop()
    file.write_text(json.dumps(data), "utf-8")
    assert run("save", store, file, "--whole", "--note", "week 2", "--author", "A").exit_code == 0
    assert gt.store.open(store).load("hazards")["id"].tolist() == ["H-1"]
