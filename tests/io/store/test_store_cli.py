"""`geotools store …` and store addresses where a SURVEY is asked for: results, words, exit codes."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli
from geotools.io import store as stores
from geotools.model.errors import ReadError


def run(*arguments, code=0):
    done = CliRunner().invoke(cli, [str(a) for a in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert code != 0, done.exception
        return done
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def records(tmp_path, make):
    folder = tmp_path / "records"
    folder.mkdir()
    make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300))).to_file(
        folder / "hazards.gpkg", layer="hazards"
    )
    make.frame(make.release("R-1")).to_file(folder / "releases.gpkg", layer="releases")
    (folder / "survey.toml").write_text(
        '[programme]\nname = "District T"\n[programme.limits]\noverlap_m2 = 3\n', "utf-8"
    )
    return folder


@pytest.fixture
def filled(place, records, clock, monkeypatch):
    monkeypatch.setenv("GEOTOOLS_AUTHOR", "B. Clerk (synthetic)")
    clock("2024-01-01")
    run("store", "init", place, "--name", "District T")
    clock("2024-02-01")
    run("store", "save", place, records, "--note", "first import")
    clock("2024-03-01")
    return place


def test_the_whole_way(filled, records, make, tmp_path, clock):
    assert "3 as they were" in run("store", "save", filled, records, "--note", "again").output
    edited = make.frame(make.hazard("H-1", status="closed"), make.hazard("H-3", make.square(900)))
    edited.to_file(tmp_path / "hazards.geojson")
    done = json.loads(
        run(
            "store",
            "save",
            filled,
            tmp_path / "hazards.geojson",
            "--note",
            "week 9",
            "--crs",
            "EPSG:32638",
            "--json",
            "-q",
        ).stdout
    )
    assert (done["changed"] + done["added"], done["revision"]["number"]) == (2, 2), (
        "brought into the system of the store"
    )
    assert done["revision"]["sources"][0]["name"] == "hazards.geojson"
    told = json.loads(run("store", "history", filled, "H-1", "--json").stdout)
    assert [row["revision"] for row in told] == [1, 2]
    assert "status" in told[1]["changed"]
    assert "revision 2" in run("store", "history", filled).output
    assert "status: open → closed" in run("store", "diff", filled, "2024-02-15").output
    run("store", "diff", filled, "1", "2", "-o", tmp_path / "changes.csv")
    run("store", "load", filled, "hazards", "--as-of", "1", "-o", tmp_path / "then.gpkg")
    assert gpd.read_file(tmp_path / "then.gpkg")["id"].tolist() == ["H-1", "H-2"]
    assert run("store", "load", filled, "hazards", "--where", "id=H-3", "-o", "-").stdout.count("Feature") == 1
    run("store", "load", filled, "-o", tmp_path / "all.gpkg")
    assert "1 deleted" in run("store", "restore", filled, "1", "--note", "wrong file").output
    whole = run("store", "verify", filled)
    anchor = whole.stdout.split()[-1]
    assert "history is whole: revisions 0 to 3" in whole.stdout
    run("store", "verify", filled, "--anchor", anchor)
    cut = run("store", "verify", filled, "--anchor", "0" * 64, code=1)
    assert "ST-16" in cut.output


def test_coverage_map_and_run_take_a_store_and_ask_what_it_knew(filled, records, make, tmp_path, clock):
    make.frame(make.release("R-2", make.square(50, side=50), date="2023-01-01")).to_file(
        tmp_path / "releases.gpkg", layer="releases"
    )
    run("store", "save", filled, tmp_path / "releases.gpkg", "--note", "a late report")

    def cleared(*more):
        return round(json.loads(run("coverage", filled, "--json", *more).stdout)["totals"]["cleared_m2"])

    early, late = cleared("--as-of", "2024-02-15"), cleared("--as-of", "2024-03-15")
    assert late == 2 * early, "the late report was not known in February"
    assert cleared("--as-of", "2024-02-15", "--known-on", "2024-03-15") == late, "hindsight, when it is asked for"
    assert cleared("--as-of", "2022-06-01", "--known-on", "2024-03-15") == early, "dated later"
    out = tmp_path / "out"
    run("run", filled, "-o", out, "--as-of", "2024-02-15", "--skip", "check", "--skip", "field", "-q")
    sealed = json.loads((out / "provenance.json").read_text("utf-8"))["inputs"]
    assert [item["rows"] for item in sealed] == [3]
    assert sealed[0]["name"].endswith("revision 1")
    run("map", filled, "-o", tmp_path / "map.html", "--as-of", "2024-02-15", "-q")
    assert "District T" in run("info", filled).output
    assert "knew nothing then" in str(run("coverage", filled, "--as-of", "2020-01-01", code=1).exception)


def test_history_names_the_layer_where_several_know_the_id(filled, make, tmp_path):
    make.frame(make.release("H-1")).to_file(tmp_path / "releases.gpkg", layer="releases")
    run("store", "save", filled, tmp_path / "releases.gpkg", "--note", "the same number")
    told = run("store", "history", filled, "H-1").output
    assert ": hazards added" in told
    assert ": releases added" in told
    kinds = [row["kind"] for row in json.loads(run("store", "history", filled, "H-1", "--json").stdout)]
    assert kinds == ["hazards", "releases"]
    assert "releases" not in run("store", "history", filled, "H-1", "--kind", "hazards").output


def test_a_wrong_clock_is_said_on_the_command_line(filled, records, make, tmp_path, clock):
    make.frame(make.hazard("H-1", name="new")).to_file(tmp_path / "hazards.gpkg", layer="hazards")
    clock("2023-01-01")
    assert "clocks is wrong" in run("store", "save", filled, tmp_path / "hazards.gpkg", "--note", "n").output
    told = run("store", "verify", filled).output
    assert "history is whole" in told and "ST-17" in told, "the chain is whole, the dates are not"
    assert json.loads(run("store", "verify", filled, "--json").stdout)["whole"] is True


def test_only_a_store_has_a_memory(records):
    done = run("coverage", records, "--known-on", "2024-01-01", code=2)
    assert "only a store remembers" in done.output


def test_refusals_say_which_rows_and_what_to_do(filled, make, tmp_path):
    make.frame(make.hazard("H-1", name="theirs")).to_file(tmp_path / "hazards.gpkg", layer="hazards")
    run("store", "save", filled, tmp_path / "hazards.gpkg", "--note", "theirs")
    make.frame(make.hazard("H-1", name="mine")).to_file(tmp_path / "mine.gpkg", layer="hazards")
    done = run("store", "save", filled, tmp_path / "mine.gpkg", "--note", "mine", "--base", "1", code=3)
    assert "changed by someone else in revision 2" in done.output
    assert "merge" in done.exception.hint
    assert (
        "no layer 'tracks'"
        in run("store", "save", filled, tmp_path / "mine.gpkg", "--note", "x", "--only", "tracks", code=2).output
    )
    assert "COLUMN=VALUE" in run("store", "load", filled, "hazards", "--where", "x", "-o", "-", code=2).output


def test_a_survey_opens_from_a_store_as_it_was_known_and_says_from_which_revision(filled, make, records):
    survey = gt.open_survey(filled)
    assert (survey.name, len(survey.hazards), survey.programme.limits["overlap_m2"]) == ("District T", 2, 3)
    with stores.open(filled) as store:
        assert survey.inputs[0].sha256 == store.head().hash
    counts = survey.issues[survey.issues["check"] == "RD-00"]["value"].tolist()
    assert counts == ["rows=2 kept=2 repaired=0 rejected=0", "rows=1 kept=1 repaired=0 rejected=0"]
    assert len(gt.open_survey(filled, as_of=1).releases) == 1
    assert gt.open_survey(filled, as_of=0).layers == {}
    with pytest.raises(ReadError, match="only a store remembers"):
        gt.open_survey(records, as_of="2024-01-01")


def test_a_layer_in_another_datum_is_shifted_when_the_survey_opens(place, make):
    frame = make.frame(make.hazard("H-1", shapely.box(8_683_700, 4_385_500, 8_683_800, 4_385_600)), crs="EPSG:28408")
    with stores.init(place, author="a") as store:
        store.save(frame, kind="hazards", note="n", author="a")
    survey = gt.open_survey(place)
    assert survey.hazards.crs.to_epsg() == 4326
    assert survey.hazards["source_crs"][0] == "EPSG:28408"


def test_ids_that_reading_made_are_not_kept(filled, make, tmp_path):
    """A row number is another row next week: the second would become a new version of the first."""
    wells = gpd.GeoDataFrame(
        {"name": ["well", "school"]}, geometry=gpd.points_from_xy([47.0, 47.1], [39.5, 39.5]), crs=4326
    )
    file = tmp_path / "places.geojson"

    def refused(frame):
        frame.to_file(file, driver="GeoJSON")
        done = run("store", "save", filled, file, "--note", "n", code=3)
        assert "no id of their own" in done.exception.message
        assert "column 'id'" in done.exception.hint
        assert set(done.exception.issues["check"]) == {"ST-01"}
        return done.exception.issues["id"].tolist()

    assert len(refused(wells)) == 2, "no id column"
    assert len(refused(wells.assign(id=["A", None]))) == 1, "one row without"
    assert refused(wells.assign(id=["A", "A"])) == ["A~2"], "one id twice"
    assert len(refused(wells.assign(guid=["g1", "g1"]))) == 2, "a guid that is no key"
    assert len(refused(wells.assign(guid=["g1", None]))) == 2, "not every row has one"
    assert len(refused(wells.assign(id=["A", None], guid=["g1", "g2"]))) == 1, "A keeps its id"
    with stores.open(filled) as store:
        assert store.head().number == 1
    for frame in (wells.assign(guid=["g1", "g2"]), wells.assign(guid=["g1", "g2"])[::-1]):
        frame.to_file(file, driver="GeoJSON")
        run("store", "save", filled, file, "--note", "n")
    with stores.open(filled) as store:
        assert store.load("places").set_index("id")["name"].to_dict() == {"g1": "well", "g2": "school"}
        assert store.head().number == 2, "the same rows in another order are no edit"


def test_one_id_in_two_files_of_a_kind_is_refused(place, make, tmp_path, monkeypatch):
    monkeypatch.setenv("GEOTOOLS_AUTHOR", "B. Clerk (synthetic)")
    run("store", "init", place)
    for name in ("hazards_north", "hazards_south"):
        make.frame(make.hazard("H-1", name=name)).to_file(tmp_path / f"{name}.gpkg", layer="hazards")
    folder = tmp_path / "records"
    folder.mkdir()
    for file in tmp_path.glob("hazards_*.gpkg"):
        file.rename(folder / file.name)
    done = run("store", "save", place, folder, "--note", "n", code=3)
    assert done.exception.issues["id"].tolist() == ["H-1~2"]
