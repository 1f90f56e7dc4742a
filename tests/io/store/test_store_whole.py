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
    assert refused.exit_code != 0 and "1 of its rows could not be read (hazards 1)" in str(refused.exception)
    assert "save without --whole" in refused.exception.hint and "--only" in refused.exception.hint
    assert "error: hazards" in refused.stderr and "not a feature" in " ".join(refused.exception.issues["value"])
    with gt.store.open(store) as opened:
        assert opened.load("hazards")["id"].tolist() == ["H-1", "H-2"]
    data["features"].pop()
    file.write_text(json.dumps(data), "utf-8")
    assert run("save", store, file, "--whole", "--note", "week 2", "--author", "A").exit_code == 0
    with gt.store.open(store) as opened:
        assert opened.load("hazards")["id"].tolist() == ["H-1"]


def test_only_rejected_rows_of_the_saved_layers_stop_it(tmp_path):
    """A copy of a row is no loss, and a broken line in another layer is no reason to keep deleted hazards."""
    folder, store = tmp_path / "week", tmp_path / "p.gpkg"
    folder.mkdir()
    shapes = [shapely.box(47, 39, 47.01, 39.01), shapely.box(47.1, 39, 47.11, 39.01)]
    rows = gpd.GeoDataFrame({"id": ["H-1", "H-2"], "classification": ["CHA", "SHA"]}, geometry=shapes, crs=4326)
    rows.to_file(folder / "hazards.geojson", driver="GeoJSON")
    rows.assign(id=["R-1", "R-2"], product="cleared").to_file(folder / "releases.geojson", driver="GeoJSON")

    def run(*words):
        return CliRunner().invoke(cli, ["store", *map(str, words)])

    assert run("init", store, "--author", "A").exit_code == 0
    assert run("save", store, folder, "--note", "week 1", "--author", "A").exit_code == 0
    for name, change in (("releases", lambda rows: ["not a feature", *rows]), ("hazards", lambda rows: rows[:1])):
        file = folder / f"{name}.geojson"
        data = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps({**data, "features": change(data["features"])}), "utf-8")
    assert run("save", store, folder, "--whole", "--note", "w", "--author", "A").exit_code != 0
    done = run("save", store, folder, "--whole", "--only", "hazards", "--note", "w", "--author", "A")
    assert done.exit_code == 0, done.exception
    with gt.store.open(store) as kept:
        assert kept.load("hazards")["id"].tolist() == ["H-1"]
        assert kept.load("releases")["id"].tolist() == ["R-1", "R-2"]


class Counter:
    """Counts what it is told, by stage."""

    def __init__(self):
        self.stages = []

    def start(self, what, total=None):
        self.stages.append([what, total, 0])

    def advance(self, steps=1):
        self.stages[-1][2] += steps

    def finish(self):
        assert self.stages[-1][1] == self.stages[-1][2], "every step was told"


def test_saving_and_restoring_tell_of_every_row(tmp_path):
    rows = gpd.GeoDataFrame(
        {"id": [f"P-{n}" for n in range(50)]}, geometry=gpd.points_from_xy([47.0] * 50, [39.5] * 50), crs=4326
    )
    told, quiet = Counter(), tmp_path / "quiet.gpkg"
    with gt.store.init(tmp_path / "p.gpkg", author="A") as store, gt.store.init(quiet, author="A") as other:
        done = store.save(rows, kind="places", note="n", author="A", progress=told)
        assert told.stages == [["comparing places", 50, 50], ["writing versions", 50, 50], ["showing layers", 1, 1]]
        assert other.save(rows, kind="places", note="n", author="A").revision.content == done.revision.content
        store.save(rows.iloc[:40], kind="places", note="n", author="A", whole=True)
        told = Counter()
        store.restore(1, note="back", author="A", progress=told)
        assert told.stages[0] == ["writing versions", 10, 10]
