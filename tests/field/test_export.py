"""Field files and the GeoPackage of everything: complete, readable by others' tools, on the safe side, whole or not at all."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import geotools as gt
from geotools.field import export
from geotools.field.export import team
from geotools.model.errors import WriteError

ROOT = Path(__file__).resolve().parents[2]
UTM = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0
PACKAGES = ("@placemarkio/check-geojson@0.1.14", "@mapbox/geojsonhint@3.2.0")
CHECK = """
const fs = require("fs");
const { getIssues } = require("@placemarkio/check-geojson");
const { hint } = require("@mapbox/geojsonhint");
const out = {};
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, "utf8");
  out[file] = { check: getIssues(text), hint: hint(text).filter((h) => !/precision/.test(h.message)) };
}
console.log(JSON.stringify(out));
"""


@pytest.fixture(scope="session")
def validators() -> Path:
    """A folder with the two npm validators, installed once per machine."""
    folder = Path(tempfile.gettempdir()) / "geotools-geojson-validators"
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm and node are needed to run the GeoJSON validators")
    if not (folder / "node_modules" / "@mapbox" / "geojsonhint").is_dir():
        folder.mkdir(exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
        if done.returncode:
            pytest.skip(f"npm could not install the GeoJSON validators: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "validate.cjs").write_text(CHECK, "utf-8")
    return folder


def validate(folder: Path, files: list[Path]) -> dict:
    """What both validators say about each file; empty lists are praise."""
    done = subprocess.run(
        ["node", "validate.cjs", *map(str, files)], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


@dataclass
class Records:
    """A survey as far as the export needs one."""

    name: str = "Sample (synthetic)"
    layers: dict = field(default_factory=dict)
    inputs: tuple = ()


def box(x: float, y: float, w: float, h: float) -> shapely.Polygon:
    return shapely.box(X + x, Y + y, X + x + w, Y + y + h)


def layer(*rows: dict, crs: str = UTM) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


@pytest.fixture
def records() -> Records:
    hazards = layer(
        {
            "id": "H-2",
            "classification": "SHA",
            "status": "open",
            "date_info": pd.Timestamp("2023-05-01"),
            "place": "Nümunə",
            "note": "office only",
            "geometry": None,
        },
        {
            "id": "H-1",
            "classification": "CHA",
            "status": "worked_on",
            "date_info": pd.Timestamp("2022-01-05"),
            "place": "=1+1",
            "note": "office only",
            "geometry": box(0, 0, 100, 100),
        },
    )
    releases = layer(
        {
            "id": "R-1",
            "hazard_id": "H-1",
            "product": "cleared",
            "method": "manual",
            "date": pd.Timestamp("2024-05-01"),
            "depth_cm": 20.0,
            "geometry": box(0, 0, 40, 100),
        },
        {
            "id": "R-2",
            "hazard_id": "H-1",
            "product": "cleared",
            "method": "mechanical",
            "date": pd.Timestamp("2024-06-01"),
            "geometry": box(60, 0, 40, 100),
        },
    )
    activities = layer(
        {
            "id": "A-1",
            "type": "clearance",
            "task_id": "T-1",
            "start": pd.Timestamp("2024-01-01"),
            "geometry": box(0, 0, 100, 100),
        },
        {"id": "A-2", "type": "nts", "task_id": None, "start": pd.NaT, "geometry": None},
    )
    accidents = layer(
        {
            "id": "X-1",
            "date": pd.Timestamp("2023-02-02"),
            "killed": 0,
            "safe_to_publish": False,
            "activity_at_time": "private",
            "geometry": shapely.Point(X, Y),
        },
        {
            "id": "X-2",
            "date": pd.Timestamp("2023-03-02"),
            "killed": 0,
            "safe_to_publish": True,
            "activity_at_time": "private",
            "geometry": shapely.Point(X + 700, Y),
        },
        {
            "id": "X-3",
            "killed": 0,
            "safe_to_publish": None,
            "activity_at_time": "private",
            "geometry": shapely.Point(X + 800, Y),
        },
    )
    return Records(layers={"hazards": hazards, "releases": releases, "activities": activities, "accidents": accidents})


@pytest.fixture
def covered(records):
    return gt.coverage(records.layers["hazards"], records.layers["releases"])


def load(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


# ------------------------------------------------------------------------------------------------ what is in the files


def test_one_file_per_layer_that_has_anything(records, covered, tmp_path):
    paths = export.field_files(records, covered, tmp_path / "field")
    assert [p.name for p in paths] == [
        "hazards.geojson", "remaining.geojson", "released.geojson", "processed.geojson", "accidents.geojson", "tasks.geojson", "not_on_map.csv", "README.txt",
    ]  # fmt: skip
    assert all(p.is_file() for p in paths)
    assert sorted(p.name for p in (tmp_path / "field").iterdir()) == sorted(p.name for p in paths)
    assert [p.name for p in tmp_path.iterdir()] == ["field"]


def test_only_the_columns_a_team_needs(records, covered, tmp_path):
    export.field_files(records, covered, tmp_path / "field")
    allowed = {entry.name: set(entry.columns) - {"id"} for entry in export.LAYERS}
    for file in (tmp_path / "field").glob("*.geojson"):
        for feature in load(file)["features"]:
            assert feature["id"]
            assert set(feature["properties"]) <= allowed[file.stem]
            assert feature["geometry"] is not None
    text = "".join(p.read_text("utf-8") for p in (tmp_path / "field").iterdir())
    assert "office only" not in text
    assert '"private"' not in text


def test_areas_are_rounded_to_the_safe_side(records, covered, tmp_path):
    """What remains is never stated smaller, what is released never larger, and both within 0.1 m²."""
    export.field_files(records, covered, tmp_path / "field")
    totals = covered.totals
    (hazard,) = load(tmp_path / "field" / "hazards.geojson")["features"]
    assert 0 <= hazard["properties"]["remaining_m2"] - totals["remaining_m2"] <= 0.1
    (released,) = load(tmp_path / "field" / "released.geojson")["features"]
    assert 0 <= totals["released_m2"] - released["properties"]["net_m2"] <= 0.1
    (processed,) = load(tmp_path / "field" / "processed.geojson")["features"]
    assert processed["properties"]["net_m2"] > 0
    assert processed["id"] == "R-2"


def test_rfc_7946(records, covered, tmp_path):
    """WGS 84, no crs, right-hand rule, at most 7 decimals, checked by hand."""
    export.field_files(records, covered, tmp_path / "field")
    for file in (tmp_path / "field").glob("*.geojson"):
        data = load(file)
        assert "crs" not in data
        for feature in data["features"]:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            west, south, east, north = shape.bounds
            assert 47.0 < west <= east < 47.2
            assert 39.5 < south <= north < 39.7
            coordinates = shapely.get_coordinates(shape)
            assert np.abs(coordinates * 1e7 - np.round(coordinates * 1e7)).max() < 1e-5
            for part in (p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"):
                assert part.exterior.is_ccw, (file, feature["id"], part)
                assert not any(ring.is_ccw for ring in part.interiors)


def test_what_has_no_place_is_listed(records, covered, tmp_path):
    export.field_files(records, covered, tmp_path / "field")
    listed = pd.read_csv(tmp_path / "field" / "not_on_map.csv")
    assert listed[["layer", "id", "why"]].to_numpy().tolist() == [["hazards", "H-2", "no position"]]
    assert "NOT ON THE MAP: 1 hazards" in (tmp_path / "field" / "README.txt").read_text("utf-8")


def test_every_record_is_drawn_or_listed(records, covered, tmp_path):
    export.field_files(records, covered, tmp_path / "field")
    listed = set(pd.read_csv(tmp_path / "field" / "not_on_map.csv").query("layer == 'hazards'")["id"])
    drawn = {f["id"] for f in load(tmp_path / "field" / "hazards.geojson")["features"]}
    assert drawn | listed == set(records.layers["hazards"]["id"])
    assert not drawn & listed


def test_a_hazard_the_ledger_does_not_know_remains_whole(records, tmp_path):
    """As of a day before it was recorded, a hazard is still drawn, with all of its ground remaining."""
    past = gt.coverage(records.layers["hazards"], records.layers["releases"], as_of=date(2021, 1, 1))
    assert not len(past.table)
    export.field_files(records, past, tmp_path / "field")
    (hazard,) = load(tmp_path / "field" / "hazards.geojson")["features"]
    assert hazard["properties"]["remaining_m2"] == pytest.approx(10_000, rel=1e-3)
    assert "as of 2021-01-01" in (tmp_path / "field" / "README.txt").read_text("utf-8")


def test_slivers_thinner_than_the_file_can_show_are_listed(records, tmp_path):
    """2 mm of remaining ground cannot be drawn with 7 decimals: it is named, and nothing breaks."""
    hazards = records.layers["hazards"].assign(geometry=[None, box(0, 0, 100.002, 100)])
    releases = records.layers["releases"].iloc[:1].assign(geometry=[box(0, 0, 100, 100)])
    cover = gt.coverage(hazards, releases)
    if not len(cover.remaining):
        pytest.fail("the ledger keeps slivers of a tenth of a square metre")
    export.field_files(Records(layers={"hazards": hazards, "releases": releases}), cover, tmp_path / "field")
    listed = pd.read_csv(tmp_path / "field" / "not_on_map.csv").query("layer == 'remaining'")
    assert listed["why"].tolist() == ["nowhere wider than 1 cm"]


def test_readme_says_what_a_team_must_know(records, covered, tmp_path):
    export.field_files(records, covered, tmp_path / "field")
    text = (tmp_path / "field" / "README.txt").read_text("utf-8")
    for words in (
        "not a safe-route map",
        "WGS 84",
        "latest dated 2024-06-01",
        "NOT released",
        "STAYS BEHIND: 2 accidents",
        "Sample (synthetic)",
    ):
        assert words in text
    assert text.count("\r") == 0


def test_files_do_not_depend_on_row_order(records, covered, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    export.field_files(records, covered, tmp_path / "a")
    turned = Records(layers={k: f.iloc[::-1] for k, f in records.layers.items()})
    export.field_files(turned, gt.coverage(turned.layers["hazards"], turned.layers["releases"]), tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_inputs_are_not_changed(records, covered, tmp_path):
    before = {k: f.copy() for k, f in records.layers.items()}
    export.field_files(records, covered, tmp_path / "field")
    export.survey_gpkg(records, covered, tmp_path / "all.gpkg")
    for kind, frame in before.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(records.layers[kind]))


def test_an_empty_survey_gives_a_readme(tmp_path):
    nothing = gpd.GeoDataFrame({"id": pd.Series(dtype=object)}, geometry=gpd.GeoSeries([], crs=UTM))
    paths = export.field_files(Records(layers={}), gt.coverage(nothing, nothing), tmp_path / "field")
    assert [p.name for p in paths] == ["README.txt"]


def test_unsafe_places_stay_behind_unless_asked_for(records, covered, tmp_path):
    """An accident without a mark is not safe to publish; a hazard marked unsafe is drawn in squares that cover it."""
    export.field_files(records, covered, tmp_path / "field")
    assert [f["id"] for f in load(tmp_path / "field" / "accidents.geojson")["features"]] == ["X-2"]
    export.field_files(records, covered, tmp_path / "all", redact="internal")
    assert [f["id"] for f in load(tmp_path / "all" / "accidents.geojson")["features"]] == ["X-1", "X-2", "X-3"]
    unsafe = Records(layers={**records.layers, "hazards": records.layers["hazards"].assign(safe_to_publish=False)})
    export.field_files(unsafe, covered, tmp_path / "unsafe")
    (hazard,) = load(tmp_path / "unsafe" / "hazards.geojson")["features"]
    shown = shapely.from_geojson(json.dumps(hazard["geometry"]))
    exact = records.layers["hazards"].to_crs(4326).geometry.iloc[1]
    assert shown.contains(exact)
    assert hazard["properties"]["precision_m"] == 1000
    assert not (tmp_path / "unsafe" / "remaining.geojson").exists()
    corners = {tuple(xy) for xy in np.round(shapely.get_coordinates(exact), 6)}
    for file in (tmp_path / "unsafe").glob("*.geojson"):
        for feature in load(file)["features"]:
            found = shapely.get_coordinates(shapely.from_geojson(json.dumps(feature["geometry"])))
            near = np.abs(found[:, None] - np.array(sorted(corners))[None]).max(axis=2).min()
            assert near > 2e-7, file


# ------------------------------------------------------------------------------------------------ refusals


def test_never_replaces_what_is_not_ours(records, covered, tmp_path):
    (tmp_path / "field").mkdir()
    (tmp_path / "field" / "thesis.txt").write_text("mine")
    with pytest.raises(WriteError) as caught:
        export.field_files(records, covered, tmp_path / "field", overwrite=True)
    assert caught.value.hint
    assert (tmp_path / "field" / "thesis.txt").read_text() == "mine"


def test_replaces_field_files_only_when_asked(records, covered, tmp_path):
    export.field_files(records, covered, tmp_path / "field")
    with pytest.raises(WriteError):
        export.field_files(records, covered, tmp_path / "field")
    export.field_files(records, covered, tmp_path / "field", layers=["remaining"], overwrite=True)
    assert sorted(p.name for p in (tmp_path / "field").iterdir()) == ["README.txt", "remaining.geojson"]


def test_unknown_layer_and_file_in_the_way(records, covered, tmp_path):
    with pytest.raises(WriteError, match="no field layer 'mines'"):
        export.field_files(records, covered, tmp_path / "field", layers=["mines"])
    (tmp_path / "field").write_text("a file")
    with pytest.raises(WriteError, match="in the way"):
        export.field_files(records, covered, tmp_path / "field", overwrite=True)
    assert (tmp_path / "field").read_text() == "a file"


def test_a_failing_writer_leaves_nothing(records, covered, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise WriteError("no space left on the device", hint="make room")

    monkeypatch.setattr(team, "write_text", refuse)
    with pytest.raises(WriteError):
        export.field_files(records, covered, tmp_path / "field")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------ the GeoPackage


def test_geopackage_holds_everything_with_descriptions(records, covered, tmp_path):
    path = export.survey_gpkg(records, covered, tmp_path / "all.gpkg")
    names = {name for name, _ in pyogrio.list_layers(path)}
    assert set(records.layers) <= names
    assert {"result_coverage", "result_remaining", "result_released", "result_processed", "issues"} <= names
    for kind, frame in records.layers.items():
        assert len(pyogrio.read_dataframe(path, layer=kind)) == len(frame)
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute("SELECT table_name, identifier, description FROM gpkg_contents").fetchall()
    assert {name for name, *_ in rows} == names
    assert all(identifier and description for _, identifier, description in rows)
    table = pyogrio.read_dataframe(path, layer="result_coverage").set_index("id")
    assert table.loc["H-1", "remaining_m2"] == pytest.approx(covered.totals["remaining_m2"])
    assert table.loc["H-2"].geometry is None


def test_geopackage_opens_again_as_the_same_survey(records, covered, tmp_path):
    again = gt.open_survey(export.survey_gpkg(records, covered, tmp_path / "all.gpkg"))
    assert set(again.layers) == set(records.layers)
    twice = gt.coverage(again.hazards, again.releases)
    assert twice.totals["released_m2"] == pytest.approx(covered.totals["released_m2"], abs=1e-3)


def test_geopackage_is_replaced_only_when_asked(records, covered, tmp_path):
    path = export.survey_gpkg(records, covered, tmp_path / "all.gpkg")
    before = path.read_bytes()
    with pytest.raises(WriteError):
        export.survey_gpkg(records, covered, path)
    assert path.read_bytes() == before
    export.survey_gpkg(records, covered, path, overwrite=True)


# ------------------------------------------------------------------------------------------------ others' tools


@pytest.fixture(scope="module")
def sample_field(tmp_path_factory) -> list[Path]:
    survey = gt.open_survey(ROOT / "sample_data" / "fuzuli")
    cover = gt.coverage(survey.hazards, survey.releases, programme=survey.programme)
    return export.field_files(survey, cover, tmp_path_factory.mktemp("sample") / "field")


def test_npm_validators_find_nothing(validators, sample_field):
    files = [p for p in sample_field if p.suffix == ".geojson"]
    assert len(files) >= 9
    for file, said in validate(validators, files).items():
        assert said == {"check": [], "hint": []}, file


def test_the_validators_can_complain(validators, tmp_path):
    """The same validators refuse what RFC 7946 forbids: the test above is not blind."""
    wrong = tmp_path / "wrong.geojson"
    ring = [[47, 39], [47, 40], [48, 40], [47, 39]]
    wrong.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {"type": "Feature", "properties": None, "geometry": {"type": "Polygon", "coordinates": [ring[:-1]]}}
                ],
            }
        )
    )
    clockwise = tmp_path / "clockwise.geojson"
    clockwise.write_text(
        json.dumps({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}})
    )
    said = validate(validators, [wrong, clockwise])
    assert said[str(wrong)]["check"]
    assert said[str(wrong)]["hint"]
    assert said[str(clockwise)]["hint"]


def test_gdal_reads_the_sample_field_files(sample_field):
    for file in (p for p in sample_field if p.suffix == ".geojson"):
        frame = pyogrio.read_dataframe(file)
        assert frame.crs.to_epsg() == 4326
        assert frame["id"].is_unique or file.stem == "issues"
        assert frame.geometry.is_valid.all()
