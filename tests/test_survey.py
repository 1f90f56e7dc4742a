"""Opening a programme: folder, GeoPackage, survey.toml, one file; rows and systems accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.model.errors import CRSError, ReadError
from geotools.model.schema import KINDS


@pytest.fixture
def folder(tmp_path: Path, make: Any) -> Path:
    make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300))).to_file(
        tmp_path / "hazards.gpkg", layer="hazards"
    )
    make.frame(make.release("R-1")).to_crs("EPSG:4326").to_file(tmp_path / "releases_north.geojson")
    make.frame(make.release("R-1", make.square(300, side=20)), crs="EPSG:32638").to_file(
        tmp_path / "releases_south.gpkg"
    )
    return tmp_path


def test_a_folder_is_read_by_the_names_of_its_files(folder: Path) -> None:
    survey = gt.open_survey(folder)
    assert {k: len(v) for k, v in survey.layers.items()} == {"hazards": 2, "releases": 2}
    assert survey.hazards.crs.to_epsg() == 32638
    assert survey.releases.crs.to_epsg() == 4326, "files of one kind in different systems meet in WGS 84"
    assert survey.finds.empty
    assert list(survey.finds.columns[:1]) == ["id"]
    with pytest.raises(AttributeError, match="record kinds are"):
        survey.nonsense


def test_the_same_id_in_two_files_keeps_both_rows_and_says_so(folder: Path) -> None:
    survey = gt.open_survey(folder)
    assert sorted(survey.releases["id"]) == ["R-1", "R-1~2"]
    clash = survey.issues[(survey.issues["check"] == "RD-10") & (survey.issues["id"] == "R-1~2")]
    assert len(clash) == 1
    assert "releases_south.gpkg" in clash["message"].iloc[0]


def test_rows_in_files_equal_rows_in_layers_plus_rejected(folder: Path) -> None:
    survey = gt.open_survey(folder)
    counts = survey.issues.loc[survey.issues["check"] == "RD-00", "value"].str.extractall(r"(\w+)=(\d+)").reset_index()
    total = counts.assign(n=counts[1].astype(int)).groupby(0)["n"].sum()
    assert total["rows"] == total["kept"] + total["repaired"] + total["rejected"] == 4
    assert sum(len(f) for f in survey.layers.values()) == total["kept"] + total["repaired"]


def test_survey_toml_names_files_kinds_systems_columns_and_values(tmp_path: Path, make: Any) -> None:
    pd.DataFrame({"KOD": ["r1"], "X": [683_010.0], "Y": [4_385_010.0], "Növ": ["AP"]}).to_csv(
        tmp_path / "list.csv", index=False
    )
    (tmp_path / "survey.toml").write_text(
        '[programme]\nname = "Test"\nextent = [44, 38, 51, 42]\n[[layer]]\nkind = "finds"\nfile = "list.csv"\ncrs = "EPSG:32638"\n'
        'columns = { "KOD" = "id", "Növ" = "category" }\nvalues = { organisation = "Synthetic Unit" }\n',
        "utf-8",
    )
    survey = gt.open_survey(tmp_path)
    assert survey.name == "Test"
    row = survey.finds.iloc[0]
    assert (row["id"], row["category"], row["organisation"]) == ("r1", "ap_mine", "Synthetic Unit")
    assert gt.open_survey(tmp_path / "survey.toml").finds.equals(survey.finds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[layer]]\nkind = "hazards"\n', "has no 'file'"),
        ('[[layer]]\nkind = "hazard areas"\nfile = "x.gpkg"', "is not a record kind"),
        ('[[layer]]\nkind = "hazards"\nfile = "x.gpkg"\nnonsense = 1', "unknown key 'nonsense'"),
        ('[[layer]]\nkind = "hazards"\nfile = "x.gpkg"', "it is not there"),
        ('[layer]\nfile = "x.gpkg"', r"written as \[\[layer\]\]"),
        ('[rasters]\ndem = "dem.tif"\n[[layer]]\nfile = "survey.toml"', "raster 'dem'"),
    ],
)
def test_a_wrong_survey_toml_is_explained(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "survey.toml").write_text(text, "utf-8")
    with pytest.raises(ReadError, match=message) as caught:
        gt.open_survey(tmp_path)
    assert caught.value.hint or "not there" in str(caught.value)


def test_a_geopackage_of_results_opens_as_its_records(tmp_path: Path, make: Any) -> None:
    file = tmp_path / "programme.gpkg"
    make.frame(make.hazard()).to_file(file, layer="hazards")
    make.frame(make.hazard()).to_file(file, layer="result_remaining")
    make.frame({"check": "X", "geometry": shapely.Point(0, 0)}).to_file(file, layer="issues")
    survey = gt.open_survey(file)
    assert list(survey.layers) == ["hazards"]


def test_a_file_of_unknown_kind_is_kept_and_mentioned(tmp_path: Path, make: Any) -> None:
    make.frame({"height": 3, "geometry": shapely.Point(683_000, 4_385_000)}).to_file(
        tmp_path / "antennas.gpkg", layer="antennas"
    )
    survey = gt.open_survey(tmp_path)
    assert list(survey.layers) == ["antennas"]
    assert (survey.issues["check"] == "RD-04").any()


def test_nothing_to_read_no_file_and_no_crs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="nothing here"):
        gt.open_survey(tmp_path)
    with pytest.raises(ReadError, match="no such file"):
        gt.open_survey(tmp_path / "absent")
    pd.DataFrame({"id": ["a"], "x": [683_000.0], "y": [4_385_000.0]}).to_csv(tmp_path / "finds.csv", index=False)
    with pytest.raises(CRSError) as caught:
        gt.open_survey(tmp_path)
    assert "crs" in caught.value.hint.lower()
    assert len(gt.open_survey(tmp_path, crs="EPSG:32638").finds) == 1


def test_summary_is_plain_data_and_shows_in_jupyter_without_running_text(folder: Path) -> None:
    import json

    survey = gt.open_survey(folder)
    data = json.loads(json.dumps(survey.summary().to_dict(), allow_nan=False))
    assert data["layers"]["hazards"]["rows"] == 2
    hostile = gt.Survey("<img src=x onerror=alert(1)>", {"hazards": survey.hazards})
    assert "<img" not in hostile._repr_html_()


def test_layers_are_sorted_by_id_and_empty_kinds_have_their_columns() -> None:
    survey = gt.Survey("empty")
    for kind in KINDS:
        layer = getattr(survey, kind)
        assert isinstance(layer, gpd.GeoDataFrame)
        assert set(KINDS[kind].names) <= set(layer.columns)


def test_another_datum_is_shifted_once_and_the_operation_is_on_record(tmp_path: Path, make: Any) -> None:
    """Reading Pulkovo 1942 as WGS 84 misplaces a polygon here by about 100 m."""
    crs = "EPSG:28408"
    shape = shapely.box(8_683_700, 4_385_500, 8_683_800, 4_385_600)
    make.frame(make.hazard(geometry=shape), crs=crs).to_file(tmp_path / "hazards.gpkg", layer="hazards")
    (tmp_path / "survey.toml").write_text(
        '[programme.operations]\n"EPSG:28408" = "EPSG:1808"\n[[layer]]\nkind = "hazards"\nfile = "hazards.gpkg"\n',
        "utf-8",
    )
    survey = gt.open_survey(tmp_path)
    assert survey.hazards.crs.to_epsg() == 4326
    assert "1808" in survey.hazards["transform_op"].iloc[0]
    assert survey.hazards["source_crs"].iloc[0] == crs
    assert survey.inputs[0].operation == "EPSG:1808"
    own = gpd.GeoSeries([shape.centroid], crs=crs).set_crs("EPSG:4284", allow_override=True, inplace=False)
    assert own.crs is not None
    raw = gpd.GeoSeries([shape.centroid], crs=crs).to_crs("EPSG:4284").iloc[0]
    point = survey.hazards.geometry.iloc[0].centroid
    from pyproj import Geod

    azimuth, _, metres = Geod(ellps="WGS84").inv(raw.x, raw.y, point.x, point.y)
    assert 95 < metres < 110
    assert 255 < azimuth % 360 < 275, "the true place is to the west"


def test_a_file_whose_name_says_nothing_is_known_by_its_columns_and_that_is_said(make, tmp_path):
    frame = make.frame(make.release("R-1", make.square()), make.release("R-2", make.square(200)))
    gt.write(frame, tmp_path / "export_final_v3.geojson")
    survey = gt.open_survey(tmp_path / "export_final_v3.geojson")
    assert list(survey.layers) == ["releases"] and len(survey.releases) == 2
    said = survey.issues[survey.issues["check"] == "RD-04"].iloc[0]
    assert said["severity"] == "warning" and "product" in said["message"]


def test_words_nobody_knows_tell_no_kind(make, tmp_path):
    frame = make.frame(make.release("R-1", make.square(), product="zzz"))
    gt.write(frame, tmp_path / "export_final_v3.geojson")
    survey = gt.open_survey(tmp_path / "export_final_v3.geojson")
    assert "releases" not in survey.layers
    assert (survey.issues["check"] == "RD-04").sum() == 1


def test_the_kind_may_be_given_for_one_file_and_must_be_one(make, tmp_path):
    frame = make.frame(make.release("R-1", make.square(), product="zzz"))
    file = gt.write(frame, tmp_path / "export_final_v3.geojson")
    assert len(gt.open_survey(file, kind="releases").releases) == 1
    with pytest.raises(gt.errors.ReadError, match="not a record kind"):
        gt.open_survey(file, kind="rleases")
    gt.write(frame, tmp_path / "hazards.geojson")
    with pytest.raises(gt.errors.ReadError, match="2 layers"):
        gt.open_survey(tmp_path, kind="releases")


def test_results_show_themselves_with_a_small_map_and_no_name_as_markup(make: Any) -> None:
    hazards = make.frame(make.hazard("<b>H-1</b>", make.square(0, 0, 100)))
    releases = make.frame(make.release("R-1", make.square(0, 0, 40), date=pd.Timestamp("2022-04-01")))
    shown = gt.coverage(hazards, releases)._repr_html_()
    assert shown.count("<svg") == 1 and shown.count("<path") == 2
    assert "<b>H-1" not in shown and "&lt;b&gt;H-1" in shown
    empty = gt.coverage(hazards.iloc[:0], releases.iloc[:0])._repr_html_()
    assert "<svg" not in empty


@pytest.mark.parametrize("values", [[3, 4], [True, False], [1.5, 2.5], ["a", "b"], [2**60, 1]])
def test_a_column_that_only_one_file_has_is_joined_with_gaps(tmp_path: Path, make: Any, values: list[Any]) -> None:
    one = make.frame(make.release("R-1"), make.release("R-2")).assign(own=values)
    one.to_file(tmp_path / "releases_a.gpkg")
    make.frame(make.release("R-3")).to_file(tmp_path / "releases_b.gpkg")
    own = gt.open_survey(tmp_path).releases.set_index("id")["own"]
    assert own[["R-1", "R-2"]].tolist() == values
    assert pd.isna(own["R-3"])


def test_waypoints_beside_tracks_are_read_as_points(tmp_path: Path) -> None:
    """A hand-held writes both into one file; however the file is named, both are records."""
    points = "".join(f'<wpt lat="39.6{n}" lon="47.1{n}"><name>WP{n}</name></wpt>' for n in range(4))
    way = "".join(f'<trkpt lat="39.60{n}" lon="47.14{n}"><time>2024-03-01T08:00:0{n}Z</time></trkpt>' for n in range(6))
    head = '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
    text = f"{head}{points}<trk><name>walk</name><trkseg>{way}</trkseg></trk></gpx>"
    for name, kind, rows in (("walk.gpx", "tracks", 1), ("tracks_7.gpx", "tracks", 1), ("fixes_7.gpx", "fixes", 6)):
        folder = tmp_path / name.removesuffix(".gpx")
        folder.mkdir()
        (folder / name).write_text(text, "utf-8")
        tables = [folder, folder / name]
        for number, key in enumerate(("", f'kind = "{kind}"\n')):
            table = folder / f"{number}.toml"
            table.write_text(f'[[layer]]\nfile = "{name}"\n{key}', "utf-8")
            tables += [table] if kind == "tracks" or key else []
        for source in tables:
            survey = gt.open_survey(source)
            assert {k: len(v) for k, v in survey.layers.items()} == {kind: rows, "waypoints": 4}, source
    assert len(gt.open_survey(tmp_path / "walk" / "walk.gpx", kind="fixes").fixes) == 6


def test_the_books_of_a_store_in_a_folder_are_no_records(tmp_path: Path, make: Any) -> None:
    from click.testing import CliRunner

    from geotools.cli.main import cli

    file = tmp_path / "incoming" / "hazards.gpkg"
    file.parent.mkdir()
    make.frame(make.hazard("H-1")).to_file(file, layer="hazards")
    folder = tmp_path / "office"
    folder.mkdir()
    store = str(folder / "programme.gpkg")
    for words in (["store", "init", store], ["store", "save", store, str(file), "--note", "first"]):
        done = CliRunner().invoke(cli, [*words, "--author", "A. Officer"])
        assert done.exit_code == 0, done.output
    assert list(gt.open_survey(folder).layers) == ["hazards"]
    assert CliRunner().invoke(cli, ["init", str(folder)]).exit_code == 0
    assert "store_" not in (folder / "survey.toml").read_text("utf-8")
    assert list(gt.open_survey(folder).layers) == ["hazards"]
