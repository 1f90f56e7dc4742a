"""`geotools swath` from outside: what it prints, writes and refuses. All data are synthetic."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from click.testing import CliRunner

from geotools.cli.main import cli

LANES = 8


@pytest.fixture
def files(tmp_path):
    """Eight lanes of 1 m at 0.9 m spacing with lane 4 left out, as CSV in degrees, and the task as GeoJSON."""
    rows = []
    clock = pd.Timestamp("2026-05-04T06:00Z")
    for lane in range(LANES):
        if lane == 4:
            continue
        x = 684000 + 0.45 + 0.9 * lane
        for step in range(101):
            rows.append(
                {
                    "id": f"F-{len(rows)}",
                    "asset_id": "D-1",
                    "time": clock.isoformat(),
                    "width_m": 1.0,
                    "h_acc_m": 0.02,
                    "x": x,
                    "y": 4385000 + 0.3 * (step if lane % 2 == 0 else 100 - step),
                }
            )
            clock += pd.Timedelta("0.4s")
        clock += pd.Timedelta("20s")
    table = pd.DataFrame(rows)
    points = gpd.GeoSeries(gpd.points_from_xy(table["x"], table["y"]), crs="EPSG:32638").to_crs(4326)
    table.assign(longitude=points.x.round(9), latitude=points.y.round(9)).drop(columns=["x", "y"]).to_csv(
        tmp_path / "fixes.csv", index=False
    )
    ground = gpd.GeoDataFrame(
        {"id": ["T-1"]}, geometry=[shapely.box(684000, 4385000, 684000 + 0.9 * LANES, 4385030)], crs="EPSG:32638"
    )
    ground.to_crs(4326).to_file(tmp_path / "task.geojson")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, ["swath", *map(str, arguments)])


def test_everything_is_written_and_agrees(files):
    out = files / "out"
    result = run(files / "fixes.csv", "--task", files / "task.geojson", "--pod", "27/30", "--draws", "8", "-o", out)
    assert result.exit_code == 0, result.output
    assert "The tracks cover" in result.output
    data = json.loads((out / "swath.json").read_text("utf-8"))
    total = data["coverage"]["totals"]
    assert total["missed_m2"] == pytest.approx(30 * 0.8, rel=0.01)
    assert total["covered_m2"] + total["missed_m2"] == pytest.approx(total["task_m2"], rel=1e-9)
    assert data["assurance"]["totals"]["expected_uncovered_m2"] > 20
    assert data["residual"]["totals"]["correlated"] >= data["residual"]["totals"]["independent"]
    layers = set(pyogrio.list_layers(out / "swath.gpkg")[:, 0])
    assert {
        "result_swath_covered",
        "result_swath_missed",
        "result_swath_gaps",
        "result_swath_passes",
        "result_swath_assured",
        "issues",
    } <= layers
    gaps = gpd.read_file(out / "gaps.geojson")
    assert gaps["area_m2"].sum() == pytest.approx(total["gaps_m2"], rel=1e-6)
    assert len(ET.parse(out / "gaps.gpx").getroot()) == len(gaps)
    with rasterio.open(out / "passes.tif") as source:
        cells = source.read(1)
        assert (cells > 0).sum() * 0.0025 == pytest.approx(
            total["covered_m2"], rel=0.03
        )  # the grid reaches a little beyond the task
        assert cells.max() == 2
    with rasterio.open(out / "probability_searched.tif") as source:
        assert 0 <= source.read(1).min() <= source.read(1).max() <= 1
    assert "does not mean that the ground is safe" in (out / "summary.txt").read_text("utf-8")


def test_json_is_one_document_on_stdout(files):
    result = CliRunner().invoke(
        cli, ["swath", str(files / "fixes.csv"), "--task", str(files / "task.geojson"), "--draws", "0", "--json", "-q"]
    )
    data = json.loads(result.stdout)
    assert data["coverage"]["totals"]["fixes_read"] == 7 * 101
    assert data["residual"] is None


def test_poor_positions_are_said_plainly(files):
    result = run(files / "fixes.csv", "--task", files / "task.geojson", "--sigma", "2", "--draws", "4")
    assert "cannot show coverage" in result.output


def test_machine_ground_is_processed(files):
    result = run(files / "fixes.csv", "--task", files / "task.geojson", "--method", "mechanical", "--draws", "0")
    assert "not cleared until a search has followed" in result.output


@pytest.mark.parametrize(
    ("word", "text"), [("Flail", "not cleared until a search has followed"), ("zzz", "'zzz' is not a known word")]
)
def test_a_free_word_for_the_method_never_makes_a_search_of_it(files, word, text):
    result = run(files / "fixes.csv", "--task", files / "task.geojson", "--method", word, "--draws", "0")
    assert text in result.output


@pytest.mark.parametrize(
    ("columns", "method"),
    [
        ({"method": ["manual"]}, "manual"),
        ({"method": ["Flail"]}, "mechanical"),
        ({"method": ["manual", "mechanical"]}, "mechanical"),
        ({"method": [None], "method_as_entered": ["machine run 2"]}, "mechanical"),
        ({"method": [None], "method_as_entered": ["zzz"]}, "zzz"),
        ({"method": ["manual", None], "method_as_entered": [None, "zzz"]}, "zzz"),
        ({"asset": ["Flail 3"]}, "mechanical"),
        ({"asset": ["Team 3"]}, None),
        ({"method": [float("nan")]}, None),
    ],
)
def test_the_method_of_a_task_is_the_most_cautious_of_what_its_rows_say(columns, method):
    from geotools.cli.swath.source import _method_of

    assert _method_of(pd.DataFrame(columns)) == method


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--task", "T-1"], "must be a file"),
        (["--task", "{task}", "--pod", "0.9"], "lone number"),
        (["--task", "{fixes}"], "no area"),
        (["--task", "{task}", "--pod", "31/30"], "not a trial result"),
    ],
)
def test_what_cannot_be_done_is_said(files, arguments, text, capsys):
    from geotools.cli.main import main

    filled = [a.format(task=files / "task.geojson", fixes=files / "fixes.csv") for a in arguments]
    with pytest.raises(SystemExit) as stop:
        main(["swath", str(files / "fixes.csv"), *filled, "--draws", "0"])
    assert stop.value.code in (2, 3)
    said = capsys.readouterr().err
    assert text in said
    assert "Traceback" not in said


def test_an_existing_result_stays_unless_asked(files):
    out = files / "out"
    arguments = (files / "fixes.csv", "--task", files / "task.geojson", "--draws", "0", "-o", out)
    assert run(*arguments).exit_code == 0
    assert run(*arguments).exit_code != 0
    assert run(*arguments, "--overwrite").exit_code == 0


SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


@pytest.mark.skipif(not (SAMPLE / "survey.toml").exists(), reason="the sample survey is not there")
def test_a_task_of_a_survey_by_its_id(tmp_path):
    result = CliRunner().invoke(cli, ["swath", str(SAMPLE), "--task", "TASK-M1", "--draws", "0", "--json", "-q"])
    total = json.loads(result.stdout)["coverage"]["totals"]
    truth = json.loads((SAMPLE / "truth.json").read_text("utf-8"))["fixes"]["machine_rtk"]
    assert total["task_m2"] == pytest.approx(truth["task_m2"], rel=1e-4)
    assert total["missed_m2"] == pytest.approx(truth["missed_m2"], rel=0.03)
    assert total["processed_m2"] == pytest.approx(total["covered_m2"])


def test_the_account_goes_from_the_rows_of_the_file_to_the_passes(files):
    table = pd.read_csv(files / "fixes.csv", dtype={"id": str})
    table.loc[[3, 9], ["longitude", "latitude"]] = 0.0
    table.loc[[11, 12, 13], ["longitude", "latitude"]] = float("nan")
    table.to_csv(files / "fixes.csv", index=False)
    arguments = (
        "swath",
        str(files / "fixes.csv"),
        "--task",
        str(files / "task.geojson"),
        "--draws",
        "0",
        "--json",
        "-q",
    )
    found = json.loads(CliRunner().invoke(cli, arguments).stdout)["account"]
    assert found["in_files"] == len(table) == found["read"] + sum(found["refused"].values())
    assert sum(found["refused"].values()) == 2
    assert found["dropped"]["no_geometry"] == 3
    assert found["read"] == found["used"] + found["lifted"] + sum(found["dropped"].values())
    said = run(files / "fixes.csv", "--task", files / "task.geojson", "--draws", "0", "--fail-on", "error").output
    assert f"rows of the files: {len(table)} = {len(table) - 2} of this task + 2 refused in reading" in said


def test_lengths_in_any_unit_and_sections(files):
    table = pd.read_csv(files / "fixes.csv").drop(columns="width_m")
    table.to_csv(files / "bare.csv", index=False)
    call = (files / "bare.csv", "--task", files / "task.geojson", "--draws", "0")
    lines = [run(*call, "--width", width).output.splitlines()[0] for width in ("1.0", "100cm", "1000 mm")]
    assert len(set(lines)) == 1
    halves = run(*call, "--section", "left,0.5,-0.25", "--section", "right,50cm,25cm").output.splitlines()[0]
    assert halves == lines[0]
    for option, text in (("--width", "wide"), ("--width", "0"), ("--section", "left"), ("--section", "left,1,x")):
        bad = run(*call, option, text)
        assert bad.exit_code == 2
        assert "Traceback" not in bad.output


def test_the_words_of_a_programme_name_the_method(files):
    pd.read_csv(files / "fixes.csv").assign(task_id="T-1").to_csv(files / "fixes.csv", index=False)
    task = gpd.read_file(files / "task.geojson").assign(method="Kratzer")
    task.to_file(files / "activities.geojson")
    (files / "task.geojson").unlink()
    layers = [("fixes", "fixes.csv"), ("activities", "activities.geojson")]
    text = "".join(f'[[layer]]\nkind = "{kind}"\nfile = "{name}"\n' for kind, name in layers)
    (files / "survey.toml").write_text('[programme]\nname = "P"\n' + text, "utf-8")
    assert "'Kratzer' is not a known word" in run(files, "--task", "T-1", "--draws", "0").output
    words = '[programme.words.method]\n"Kratzer" = "mechanical"\n"Sonde" = "detector"\n'
    (files / "survey.toml").write_text('[programme]\nname = "P"\n' + words + text, "utf-8")
    assert "not cleared until a search has followed" in run(files, "--task", "T-1", "--draws", "0").output
    spoken = run(files, "--task", "T-1", "--draws", "0", "--method", "Sonde", "--json", "-q").output
    assert json.loads(spoken)["coverage"]["totals"]["searched_m2"] > 100


def test_a_large_table_is_worked_from_disk_with_the_same_figures(files, monkeypatch):
    from geotools.cli.swath import source

    table = pd.read_csv(files / "fixes.csv")
    table["time"] = pd.to_datetime(table["time"], format="ISO8601")
    table.to_parquet(files / "fixes.parquet")
    small = json.loads(
        run(files / "fixes.parquet", "--task", files / "task.geojson", "--draws", "0", "--json", "-q").output
    )
    monkeypatch.setattr(source, "MANY", 100)
    out = files / "out"
    result = CliRunner().invoke(
        cli,
        ["swath", str(files / "fixes.parquet"), "--task", str(files / "task.geojson"), "-o", str(out), "--json", "-q"],
    )
    assert result.exit_code == 0, result.output
    large = json.loads(result.stdout)
    for name, value in small["coverage"]["totals"].items():
        assert large["coverage"]["totals"][name] == pytest.approx(value, rel=1e-6), name
    words = {"gaps.gpx", "gaps.geojson", "swath.json", "summary.txt"}
    assert {p.name for p in out.iterdir()} == {"swath.gpkg", "passes.tif", "probability_searched.tif", *words}
    run(files / "fixes.csv", "--task", files / "task.geojson", "--draws", "0", "-o", files / "small", "-q")
    for name in ("passes", "probability_searched"):
        with rasterio.open(out / f"{name}.tif") as disk, rasterio.open(files / "small" / f"{name}.tif") as memory:
            assert disk.transform == memory.transform
            assert disk.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert (disk.read(1) == memory.read(1)).all(), name
    assert large["coverage"]["rasters"]["files"]["passes"] == "passes.tif"
    assert "Layouts were not drawn" in (out / "summary.txt").read_text("utf-8")
    assert "result_swath_missed" in set(pyogrio.list_layers(out / "swath.gpkg")[:, 0])


def test_the_executor_changes_nothing_and_finished_parts_are_kept(files, monkeypatch):
    from geotools.cli.swath import source

    table = pd.read_csv(files / "fixes.csv")
    table["time"] = pd.to_datetime(table["time"], format="ISO8601")
    table.to_parquet(files / "fixes.parquet")
    base = ("--task", files / "task.geojson", "--draws", "4", "--json", "-q", "--pod", "27/30")
    more = ("--executor", "serial", "--keep", files / "parts")
    assert run(files / "fixes.csv", *base).output == run(files / "fixes.csv", *base, *more).output
    monkeypatch.setattr(source, "MANY", 100)
    assert run(files / "fixes.parquet", *base).output == run(files / "fixes.parquet", *base, *more).output
    kinds = {p.name.split("-")[0] for p in (files / "parts").iterdir()}
    assert {"draws", "probability", "assured", "fixes", "tile"} <= kinds
    refused = run(files / "fixes.csv", *base[:2], "--scheduler", "tcp://127.0.0.1:1")
    assert refused.exit_code != 0
