"""The first hour with one's own files: `geotools init` proposes, asks and never guesses; `geotools info` lists every file."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner, Result

import geotools as gt
from geotools.cli.main import cli, main
from geotools.model.errors import CRSError

UTM = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0
SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


def run(*args: object, code: int | None = 0) -> Result:
    result = CliRunner().invoke(cli, [str(a) for a in args])
    assert code is None or result.exit_code == code, (result.output, result.exception)
    return result


def square(number: int, side: float = 80.0) -> shapely.Polygon:
    return shapely.box(X + 200 * number, Y, X + 200 * number + side, Y + side)


def areas(side: float = 80.0, **columns: list[Any]) -> gpd.GeoDataFrame:
    rows = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[square(n, side) for n in range(rows)], crs=UTM)


@pytest.fixture
def mess(tmp_path: Path) -> Path:
    """What is on the desk of an information officer: names in her language, lost .prj files, copies, letters, rubbish."""
    root = tmp_path / "my files"
    (root / "unit 2").mkdir(parents=True)
    keys = [f"AZ-{n:03d}" for n in range(6)]
    hazards = areas(KOD=keys, TIP=["SHA", "CHA", "Suspected"] * 2, RAYON=["Füzuli"] * 6)
    hazards.to_file(root / "Minalı sahələr 2024.shp", encoding="utf-8")
    hazards.to_crs(4326).rename(columns={"KOD": "id", "TIP": "classification"}).to_file(root / "hazards_again.geojson")
    releases = areas(
        40, NOM=[f"R{n}" for n in range(6)], OPASN=keys, VID=["cleared", "reduced"] * 3,
        METOD=["manual", "mdd", "mechanical"] * 2, DATA=["05.03.2024"] * 6,
    )  # fmt: skip
    releases.to_file(root / "unit 2" / "cleared.shp")
    (root / "unit 2" / "cleared.prj").unlink()
    forms = ["grp/find_id;grp/type;gps;_gps_precision;_uuid"]
    forms += [f"N-{n};AP mine;39.60{n} 47.14{n} 100 4.5;4.5;uuid:{n}" for n in range(5)]
    (root / "KoBo finds v3.csv").write_text("\n".join(forms) + "\n", "utf-8-sig")
    points = "".join(f'<wpt lat="39.60{n}" lon="47.14{n}"><name>WP{n}</name></wpt>' for n in range(4))
    way = "".join(f'<trkpt lat="39.60{n}" lon="47.14{n}"/>' for n in range(6))
    head = '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
    (root / "Garmin.gpx").write_text(f"{head}{points}<trk><name>walk</name><trkseg>{way}</trkseg></trk></gpx>")
    villages = "name;population;latitude;longitude\nAşağı K.;1200;39.61;47.13\nNowhere;5;0;0\n"
    (root / "villages.csv").write_text(villages + "Exchanged;7;47.14;39.62\nYuxarı K.;300;39.62;47.15\n", "utf-8")
    shutil.copy(root / "villages.csv", root / "villages - Copy.csv")
    (root / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    (root / "IMG_0001.JPG").write_bytes(b"\xff\xd8")
    (root / "orphan.dbf").write_bytes(b"\x03")
    (root / "empty.csv").write_bytes(b"")
    (root / "hazards damaged.gpkg").write_bytes(b"SQLite format 3\x00" + b"x" * 100)
    (root / "numbers.csv").write_text("1,2,3\n4,5,6\n")
    (root / 'a "quoted"\n[[layer]]\nkind = "releases" \u202ename.csv').write_text(
        'id,lat,lon,"=x""]\ny"\nA,39.6,47.1,1\n'
    )
    return root


def test_the_sample_without_its_table_is_understood_or_asked_about(tmp_path: Path) -> None:
    """Nothing that init says of kind, system or columns contradicts the table written by hand; the rest are questions."""
    folder = tmp_path / "fuzuli"
    shutil.copytree(SAMPLE, folder)
    truth = {row["file"]: row for row in tomllib.loads((folder / "survey.toml").read_text("utf-8"))["layer"]}
    (folder / "survey.toml").unlink()
    said = json.loads(run("init", folder, "--json").stdout)
    made = tomllib.loads((folder / "survey.toml").read_text("utf-8"))
    rows = {row["file"]: row for row in made["layer"]}
    assert set(truth) <= set(rows)
    for name, row in rows.items():
        if name in truth:
            assert row.get("kind") in (None, truth[name]["kind"]), name
            assert row.get("crs") in (None, truth[name].get("crs", "EPSG:4326")), name
            known = truth[name].get("columns", {})
            wrong = {c: to for c, to in row.get("columns", {}).items() if known.get(c, to) != to}
            assert not wrong, name
    unknown = {name for name in truth if "kind" not in rows[name]}
    assert len(unknown) <= 1, "nearly every kind is found without the table"
    asked = [one for one in said["layers"] if not one["crs_known"]]
    assert [one["file"] for one in asked] == ["releases/ngo_utm38n.csv"]
    assert "EPSG:32638" in asked[0]["crs_choices"], "the true system is among those asked about"
    assert "crs" not in rows["releases/ngo_utm38n.csv"]
    assert made["rasters"] == {"dem": "dem.tif", "landcover": "landcover.tif"}
    west, south, east, north = made["programme"]["extent"]
    assert west < 47.08
    assert east > 48.04
    assert south < 39.54
    assert 39.65 < north < 41.0, "rows with exchanged axes do not stretch it"
    told = json.loads(run("info", folder, "--json", code=3).stdout)
    assert [s["file"] for s in told["states"] if s["state"] == "question"] == ["releases/ngo_utm38n.csv"]
    assert told["layers"]["fixes"]["rows"] == 24789


def test_answering_its_questions_gives_the_figures_of_the_sample(tmp_path: Path) -> None:
    """Hazards and releases, proposed and answered, are the layers that the table written by hand gives."""
    folder = tmp_path / "fuzuli"
    shutil.copytree(
        SAMPLE, folder, ignore=shutil.ignore_patterns("fixes", "training", "traverse", "survey.toml", "*.tif")
    )
    run("init", folder)
    table = folder / "survey.toml"
    text = (
        table.read_text("utf-8").replace('# crs = "EPSG:…"', 'crs = "EPSG:32638"').replace('# Kod = "id"', 'Kod = "id"')
    )
    text = text.replace('# kind = "releases"', 'kind = "releases"')
    table.write_text(text, "utf-8")
    run("info", folder)
    mine, theirs = gt.open_survey(folder), gt.open_survey(SAMPLE)
    assert set(mine.hazards["id"]) == set(theirs.hazards["id"])
    assert len(mine.releases) == len(theirs.releases)
    both = set(mine.releases["id"]) & set(theirs.releases["id"])
    assert len(both) > 0.75 * len(theirs.releases)
    here, there = (s.releases.set_index("id").loc[sorted(both)] for s in (mine, theirs))
    for column in ("product", "method", "hazard_id"):
        told = here[column].notna()
        assert told.mean() > 0.7
        assert here[column][told].tolist() == there[column][told].tolist(), column


def test_a_messy_folder_every_file_is_named_and_no_name_becomes_a_table(mess: Path) -> None:
    said = run("init", mess).output
    text = (mess / "survey.toml").read_text("utf-8")
    made = tomllib.loads(text)
    by_file: dict[str, list[dict[str, Any]]] = {}
    for row in made["layer"]:
        by_file.setdefault(row["file"], []).append(row)
        assert set(row) <= {"kind", "file", "layer", "crs", "columns"}
        assert (mess / row["file"]).exists()
    assert set(made) == {"programme", "layer"}
    hazards = by_file["Minalı sahələr 2024.shp"][0]
    assert (hazards["kind"], hazards["columns"]["TIP"], hazards["columns"]["KOD"]) == (
        "hazards",
        "classification",
        "id",
    )
    releases = by_file["unit 2/cleared.shp"][0]
    assert releases["kind"] == "releases"
    assert {c: releases["columns"][c] for c in ("VID", "METOD", "OPASN")} == {
        "VID": "product", "METOD": "method", "OPASN": "hazard_id",
    }  # fmt: skip
    assert "crs" not in releases, "a lost .prj is a question"
    assert "DATA" not in releases["columns"], "which day it is, a person says"
    assert by_file["KoBo finds v3.csv"][0]["columns"]["grp/find_id"] == "id"
    assert [row["layer"] for row in by_file["Garmin.gpx"]] == ["waypoints", "tracks"]
    assert by_file["hazards damaged.gpkg"], (
        "a damaged file of hazards stays named: leaving it out would change the figures"
    )
    for name in ("villages - Copy.csv", "hazards_again.geojson", "numbers.csv", "empty.csv"):
        assert name not in by_file, name
    for path in mess.rglob("*"):
        if (
            path.suffix in (".shx", ".prj", ".cpg", ".toml")
            or path.is_dir()
            or (path.suffix == ".dbf" and path.stem != "orphan")
        ):
            continue
        shown = path.name if path.name.isprintable() else "quoted"
        assert shown in text, path.name
        assert shown in said, path.name
    assert "\u202e" not in said


def test_what_is_not_known_is_never_read(mess: Path) -> None:
    """Until its question is answered, a file without a system stops every computation; the answer is taken as given."""
    (mess / "hazards damaged.gpkg").unlink()
    run("init", mess)
    with pytest.raises(CRSError):
        gt.open_survey(mess)
    table = mess / "survey.toml"
    text = table.read_text("utf-8")
    assert "#   EPSG:32638: " in text
    table.write_text(text.replace('# crs = "EPSG:…"', 'crs = "EPSG:32638"'), "utf-8")
    survey = gt.open_survey(mess)
    assert len(survey.releases) == len(survey.hazards) == 6
    assert survey.releases["hazard_id"].tolist() == survey.hazards["id"].tolist()
    assert len(survey.tracks) == 1
    assert len(survey.layers["waypoints"]) == 4


def test_a_table_that_is_there_is_kept(mess: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mess / "survey.toml").write_text('[programme]\nname = "mine"\n', "utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["init", str(mess)])
    assert stop.value.code == 3
    assert "--force" in capsys.readouterr().err
    assert "mine" in (mess / "survey.toml").read_text("utf-8")
    shown = run("init", mess, "--dry-run").stdout
    assert tomllib.loads(shown)["layer"]
    assert "mine" in (mess / "survey.toml").read_text("utf-8")
    run("init", mess, "--force")
    assert (mess / "survey.toml").read_text("utf-8") == shown, "the same folder, the same text"


def test_no_folder_and_an_empty_folder_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (tmp_path / "absent", tmp_path):
        with pytest.raises(SystemExit) as stop:
            main(["init", str(place)])
        assert stop.value.code == 3
        assert "hint:" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_info_lists_every_file_and_its_next_commands_run(mess: Path) -> None:
    result = run("info", mess, code=3)
    for words in ("not read, an answer is needed" not in result.output, "villages.csv: 4 rows" in result.output):
        assert words
    for name in ("old.xls", "IMG_0001.JPG", "orphan.dbf", "empty.csv", "numbers.csv", "hazards damaged.gpkg", "unit 2"):
        assert name in result.output, name
    assert f"geotools init {shlex.quote(str(mess))}" in result.output
    run("init", mess)
    told = json.loads(run("info", mess, "--json", code=3).stdout)
    states = {item["file"]: item for item in told["states"]}
    assert states["unit 2/cleared.shp"]["state"] == "question"
    assert states["hazards damaged.gpkg"]["state"] == "unreadable"
    assert states["villages - Copy.csv"]["state"] == "unnamed"
    read = sum(item.get("rows", 0) for item in states.values() if item["state"] == "read")
    assert read == sum(layer["rows"] for layer in told["layers"].values())
    for line in told["next"]:
        words = shlex.split(line)
        assert words[0] == "geotools"
        run(*words[1:], code=3 if words[1] == "info" else None)


def test_one_file_that_cannot_be_read_is_refused_as_before(mess: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["info", str(mess / "unit 2" / "cleared.shp")])
    assert stop.value.code == 3
    assert capsys.readouterr().out == ""


def test_the_extent_says_its_units_and_what_it_leaves_out(mess: Path) -> None:
    said = run("info", mess / "villages.csv").output
    assert "longitude 47.1300 … 47.1500, latitude 39.6100 … 39.6200 (degrees, WGS 84, EPSG:4326)" in said
    assert "rows left out of it: 1 with latitude and longitude exchanged" in said


@pytest.mark.parametrize(
    ("lonlat", "left"),
    [
        ([(47.1, 39.6), (47.2, 39.5), (0, 0)], {"zero": 1}),
        ([(47.1, 39.6), (47.2, 39.5), (39.6, 47.1)], {"exchanged": 1}),
        ([(47.1, 39.6), (47.2, 39.5), (-47.1, 39.6)], {"far": 1}),
        ([(47.1, 39.6), (47.2, 39.5), (683_000, 4_385_000)], {"impossible": 1}),
        ([(47.1, 39.6), (47.2, 39.5)], {}),
    ],
)
def test_extent_of_rows(lonlat: list[tuple[float, float]], left: dict[str, int]) -> None:
    """Whatever lies elsewhere is counted, and the box is that of the others, in any order of the rows."""
    from geotools.survey.extent import extent_of

    for order in (lonlat, lonlat[::-1]):
        frame = gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in order], crs=4326)
        found = extent_of([frame])
        assert found.bounds == (47.1, 39.5, 47.2, 39.6)
        assert found.left_out == left


def test_the_extent_of_a_programme_decides() -> None:
    """With a stated extent even a majority of exchanged rows is left out."""
    from geotools.model.programme import Programme
    from geotools.survey.extent import extent_of

    points = [
        shapely.Point(47.1, 39.6),
        shapely.Point(39.6, 47.1),
        shapely.Point(39.5, 47.2),
        shapely.Point(50.5, 40.4),
    ]
    found = extent_of([gpd.GeoDataFrame(geometry=points, crs=4326)], Programme(extent=(46.8, 39.3, 48.3, 39.9)))
    assert found.bounds == (47.1, 39.6, 47.1, 39.6)
    assert found.left_out == {"exchanged": 2, "outside": 1}


def test_numbers_that_fit_two_systems_are_a_question_with_both(tmp_path: Path) -> None:
    areas(id=["a", "b"], classification=["SHA", "CHA"]).to_file(tmp_path / "hazards.gpkg")
    table = pd.DataFrame({"id": ["f1", "f2", "f3"], "easting": [X, X + 50, X + 90], "northing": [Y, Y + 60, Y + 10]})
    table.to_csv(tmp_path / "finds.csv", index=False)
    asked = json.loads(run("init", tmp_path, "--json").stdout)["layers"][0]
    assert (asked["kind"], asked["crs"], asked["crs_known"]) == ("finds", "", False)
    assert set(asked["crs_choices"]) == {"EPSG:32638", "EPSG:2498"}


def test_hostile_files_neither_stop_nor_hang_it(tmp_path: Path) -> None:
    """Pipes, links in a circle or out of the folder, archives that explode, names that are no text: said, and passed over."""
    folder = tmp_path / "drop"
    (folder / "a" / "b").mkdir(parents=True)
    os.mkfifo(folder / "pipe.csv")
    (folder / "loop").symlink_to(folder)
    (folder / "self.csv").symlink_to(folder / "self.csv")
    (folder / "gone.geojson").symlink_to(tmp_path / "absent.geojson")
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.csv", "0" * 60_000_000)
    (folder / "xxe.gpx").write_text('<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx>&x;</gpx>', "utf-8")
    (folder / "survey.gdb").mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.csv")).write_text("id,lat,lon\nA,39.6,47.1\n", "utf-8")
    (folder / "a" / "b" / "places.csv").write_text("name,population,lat,lon\nA,7,39.6,47.1\nB,8,39.7,47.2\n", "utf-8")
    said = run("init", folder).output
    made = tomllib.loads((folder / "survey.toml").read_text("utf-8"))
    assert [row["file"] for row in made["layer"]] == ["a/b/places.csv"]
    for name in ("pipe.csv", "loop", "self.csv", "gone.geojson", "bomb.zip", "xxe.gpx", "survey.gdb", "csv: its name"):
        assert name in said, name
    told = json.loads(run("info", folder, "--json").stdout)
    assert told["layers"]["places"]["rows"] == 2
    (folder / "survey.toml").unlink()
    run("info", folder, code=3)


def test_released_ground_is_not_lost_behind_a_word_in_the_name(tmp_path: Path) -> None:
    """Completion reports with a product in each row are releases, whatever reports are called; two readings are a question."""
    table = pd.DataFrame(
        {"No": range(4), "Result": ["Cleared"] * 4, "Method": ["manual"] * 4, "wkt": [square(n).wkt for n in range(4)]}
    )
    table.to_csv(tmp_path / "Completion reports.csv", index=False)
    made = json.loads(run("init", tmp_path, "--json").stdout)["layers"][0]
    assert made["kind"] in ("releases", "")
    text = (tmp_path / "survey.toml").read_text("utf-8")
    assert "releases" in text
    assert "Result" in text


def test_a_column_of_what_is_planned_is_a_question(tmp_path):
    shapes = [shapely.box(47 + n / 100, 39.5, 47.005 + n / 100, 39.51) for n in range(3)]
    frame = gpd.GeoDataFrame({"id": ["a", "b", "c"], "planned_outcome": "cleared"}, geometry=shapes, crs=4326)
    frame.to_file(tmp_path / "releases.geojson")
    result = CliRunner().invoke(cli, ["init", str(tmp_path)])
    assert result.exit_code == 0, result.output
    lines = [line for line in (tmp_path / "survey.toml").read_text("utf-8").splitlines() if "planned_outcome" in line]
    assert lines
    assert all(line.lstrip().startswith("#") for line in lines)
