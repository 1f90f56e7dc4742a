"""`geotools plan lanes` and `geotools plan suitability`: files for guidance and maps, honest words, friendly errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pytest
import rasterio
import shapely

import geotools as gt
from geotools.cli.main import main

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"
LIMITS = """
[defaults]
building_m = { value = 25, source = "SYNTHETIC order", as_of = "2026-05-01", grade = "user" }
water_m = { value = 10, source = "SYNTHETIC order", as_of = "2026-05-01", grade = "user" }
obstacle_m = { any = true, source = "SYNTHETIC order", grade = "user" }
[[machine]]
id = "mematt"
width_m = { value = 1.7, source = "SYNTHETIC: measured", grade = "user" }
slope_along_deg = { ok = 12, max = 20, source = "SYNTHETIC order", grade = "user" }
slope_across_deg = { ok = 7, max = 10, source = "SYNTHETIC order", grade = "user" }
access_slope_deg = { max = 20, source = "SYNTHETIC order", grade = "user" }
cover = { workable = ["crop", "grass", "bare"], conditional = ["shrub"], not = ["trees", "built", "water"], source = "SYNTHETIC order", grade = "user" }
soil = { any = true, source = "SYNTHETIC order", grade = "user" }
stem_cm = { any = true, source = "SYNTHETIC order", grade = "user" }
rock_cm = { any = true, source = "SYNTHETIC order", grade = "user" }
remote_m = { any = true, source = "SYNTHETIC order", grade = "user" }
"""


@dataclass(frozen=True)
class Done:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


@pytest.fixture
def call(capsys):
    def run(*words: object) -> Done:
        with pytest.raises(SystemExit) as stop:
            main(["plan", *map(str, words)])
        said = capsys.readouterr()
        return Done(int(stop.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def survey(tmp_path):
    """A small survey: tasks, landuse with a road, heights and cover of the sample."""
    folder = tmp_path / "survey"
    folder.mkdir()
    for name in ("dem.tif", "landcover.tif", "tasks.geojson", "roads.geojson"):
        (folder / name).write_bytes((SAMPLE / name).read_bytes())
    (folder / "survey.toml").write_text(
        '[rasters]\ndem = "dem.tif"\nlandcover = "landcover.tif"\n[[layer]]\nkind = "activities"\nfile = "tasks.geojson"\n[[layer]]\nkind = "landuse"\nfile = "roads.geojson"\n',
        "utf-8",
    )
    return folder


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(LIMITS, "utf-8")
    return path


def test_lanes_of_a_task_as_files_for_guidance(call, survey, tmp_path):
    out = tmp_path / "out"
    done = call(
        "lanes",
        survey,
        "--task",
        "TASK-M1",
        "--machine",
        "mematt",
        "--overlap",
        0.2,
        "--speed",
        1,
        "--turn-time",
        30,
        "-o",
        out,
    )
    assert done.exit_code == 0, done.output
    assert "a plan" in done.stdout
    assert "press only" in done.stderr
    assert "no cleared ground was given" in done.stderr
    lines, ground = (gt.read(out / "lanes.gpkg", layer=name) for name in ("lane_lines", "lanes"))
    assert set(lines["status"]) == {"planned"}
    assert (
        len(lines)
        == len(ground)
        == len(gt.read(out / "lanes.geojson"))
        == len(gt.read(out / "lanes.gpx"))
        == len(gt.read(out / "lanes.kml"))
    )
    told = json.loads((out / "lanes.json").read_text("utf-8"))
    assert told["status"] == "planned"
    assert told["tasks"][0]["coverage"] > 0.995
    again = call("lanes", survey, "--task", "TASK-M1", "--machine", "mematt", "-o", out)
    assert again.exit_code == 3
    assert "exists already" in again.stderr


def test_lanes_against_work_and_slope(call, survey, tmp_path):
    tasks = gt.read(survey / "tasks.geojson").to_crs("EPSG:32638")
    half = (
        tasks[tasks["task_id"].astype(str) == "TASK-M1"].geometry.iloc[0]
        if "task_id" in tasks
        else tasks.geometry.iloc[1]
    )
    west, south, _, north = half.bounds
    worked = gpd.GeoDataFrame({"id": ["w"]}, geometry=[shapely.box(west, south, west + 40, north)], crs="EPSG:32638")
    gt.write(worked, tmp_path / "worked.gpkg")
    done = call(
        "lanes",
        survey,
        "--task",
        "TASK-M1",
        "--width",
        1.7,
        "--worked",
        tmp_path / "worked.gpkg",
        "--slope-along",
        10,
        "--slope-across",
        5,
        "--json",
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    states = {row["state"]: row["lanes"] for row in told["worked"]["lanes"]}
    assert states["all"] == states["done"] + states["part"] + states["not_begun"]
    assert told["tasks"][0]["direction"] == "fewest lanes within the slope limits"
    assert told["tasks"][0]["hours"] is None


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--task", "NIX"), "there is no task 'NIX'", "TASK-M1"),
        (("--machine", "memat"), "there is no machine 'memat'", "did you mean 'mematt'"),
        (("--machine", "dog"), "width of Mine detection dogs is not known", "--width"),
        (("--width", "1", "--overlap", "2"), "leaves nothing", "less"),
    ],
)
def test_lanes_say_what_is_wrong(call, survey, words, message, hint):
    done = call("lanes", survey, *words)
    assert done.exit_code in (2, 3), done.output
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_suitability_with_limits_of_ones_own(call, survey, own, tmp_path):
    out = tmp_path / "out"
    done = call("suitability", survey, "--machine", "mematt", "--machines", own, "--bearing", 90, "-o", out)
    assert done.exit_code == 0, done.output
    assert "not that the land is safe" in done.stdout
    assert sorted(p.name for p in out.iterdir()) == [
        "suitability.gpkg",
        "suitability.json",
        "suitability.tif",
        "suitability_limits.csv",
        "suitability_tasks.csv",
    ]
    tasks = gt.read(out / "suitability.gpkg", layer="suitability_tasks")
    assert set(tasks["class"]) == {"workable"}
    with rasterio.open(out / "suitability.tif") as source:
        assert {1, 2, 4} <= set(source.read(1).ravel().tolist())
    told = json.loads((out / "suitability.json").read_text("utf-8"))
    assert {"dem.tif", "landcover.tif", "tasks.geojson", "limits.toml"} <= {
        item["name"] for item in told["provenance"]["inputs"]
    }
    planned = call(
        "lanes", survey, "--task", "TASK-M1", "--machine", "mematt", "--suitability", out / "suitability.gpkg"
    )
    assert planned.exit_code == 0, planned.output
    assert "not judged" not in planned.stderr
    other = call("lanes", survey, "--task", "TASK-M1", "--suitability", out / "suitability.gpkg")
    assert other.exit_code == 3
    assert "this ground was judged for mematt, not for manual" in other.stderr
    again = call("suitability", survey, "-o", out)
    assert again.exit_code == 3
    assert "exists already" in again.stderr


def test_published_limits_alone_leave_everything_unknown(call, survey):
    done = call("suitability", survey, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {row["class"] for row in told["tasks"]} == {"unknown"}
    assert "no known limit for slope along the lanes" in done.stderr


def test_without_heights_slope_is_unknown_with_the_reason(call, own):
    done = call("suitability", SAMPLE / "tasks.geojson", "--machines", own, "--json")
    assert done.exit_code == 0, done.output
    assert "there are no heights" in done.stderr
    assert {row["class"] for row in json.loads(done.stdout)["tasks"]} == {"unknown"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--machine", "bozena"), "there is no machine 'bozena'"),
        (("--waive", "soil"), "not understood"),
        (("--waive", "mood=good"), "no criterion 'mood'"),
        (("--layer-file", "mud=x.gpkg"), "no layer 'mud'"),
        (("--machines", "none.toml"), "no such file"),
        (("--dem", "none.tif"), "no such file"),
    ],
)
def test_suitability_says_what_is_wrong(call, survey, words, message):
    done = call("suitability", survey, *words)
    assert done.exit_code in (2, 3), done.output
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_lanes_on_what_remains_of_a_hazard_and_not_on_unknown_ground(call, tmp_path):
    square = shapely.box(683_000, 4_385_000, 683_100, 4_385_100)
    half = shapely.box(683_000, 4_385_000, 683_100, 4_385_060)
    folder = tmp_path / "own"
    folder.mkdir()
    row = {"id": ["H-1"], "classification": ["CHA"], "status": ["worked_on"]}
    gt.write(gpd.GeoDataFrame(row, geometry=[square], crs="EPSG:32638"), folder / "hazards.gpkg")
    act = {
        "id": ["R-1"],
        "hazard_id": ["H-1"],
        "product": ["cleared"],
        "method": ["manual"],
        "date": ["2026-01-01"],
        "depth_cm": [20.0],
    }
    gt.write(gpd.GeoDataFrame(act, geometry=[half], crs="EPSG:32638"), folder / "releases.gpkg")
    done = call("lanes", folder, "--remaining", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["tasks"][0]["task_m2"] == pytest.approx(4000, rel=1e-2)
    assert told["tasks"][0]["direction"] == "straight off the start line"
    assert "work begins at cleared ground of the survey: R-1" in done.stderr
    judged = gpd.GeoDataFrame(
        {"id": ["a"], "class": ["unknown"], "machine": ["manual"]}, geometry=[square], crs="EPSG:32638"
    )
    gt.write(judged, tmp_path / "s.gpkg", layer="suitability")
    none = call("lanes", folder, "--suitability", tmp_path / "s.gpkg")
    assert none.exit_code == 0, none.output
    assert "there is nothing to plan" in none.stderr


@pytest.fixture
def half_released(tmp_path):
    """A hazard of 100 m by 100 m, its southern part released; `method` and events as given."""
    square, half = (
        shapely.box(683_000, 4_385_000, 683_100, 4_385_100),
        shapely.box(683_000, 4_385_000, 683_100, 4_385_060),
    )

    def make(name: str, *, method: str | None, reopened: bool) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        row = {"id": ["H-1"], "classification": ["CHA"], "status": ["worked_on"]}
        gt.write(gpd.GeoDataFrame(row, geometry=[square], crs="EPSG:32638"), folder / "hazards.gpkg")
        act = {"id": ["R-1"], "hazard_id": ["H-1"], "product": ["cleared"], "method": [method], "date": ["2026-01-01"]}
        gt.write(
            gpd.GeoDataFrame(act | {"depth_cm": [20.0]}, geometry=[half], crs="EPSG:32638"), folder / "releases.gpkg"
        )
        if reopened:
            event = {"id": ["E-1"], "event": ["reopened"], "hazard_id": ["H-1"], "date": ["2026-03-01"]}
            gt.write(gpd.GeoDataFrame(event, geometry=[half], crs="EPSG:32638"), folder / "events.gpkg")
        return folder

    return make


@pytest.mark.parametrize(
    ("method", "reopened", "starts"),
    [
        ("manual", False, True),
        ("manual", True, False),
        ("mechanical", False, False),
        ("magic", False, False),
        (None, False, False),
    ],
)
def test_work_begins_only_at_ground_the_ledger_counts_as_cleared(call, half_released, method, reopened, starts):
    """Ground reopened later, and ground under a method nobody knows, is no place to start from."""
    done = call("lanes", half_released("own", method=method, reopened=reopened), "--task", "H-1", "--json")
    assert done.exit_code == 0, done.output
    assert ("work begins at cleared ground of the survey: R-1" in done.stderr) is starts
    assert ("no cleared ground was given" in done.stderr) is not starts
    assert json.loads(done.stdout)["parameters"]["start"] is starts


def test_reopened_ground_remains_to_be_worked(call, half_released):
    for reopened, ground in ((False, 4000), (True, 10_000)):
        done = call("lanes", half_released(f"r{reopened}", method="manual", reopened=reopened), "--remaining", "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["tasks"][0]["task_m2"] == pytest.approx(ground, rel=1e-2)


def test_ground_that_nobody_judged_gets_no_lanes(call, tmp_path):
    """Only the western part of A was judged: lanes lie there alone, none in B, and the plan says what was left out."""
    x, y = 683_000, 4_385_000
    tasks = gpd.GeoDataFrame(
        {"id": ["A", "B"], "classification": ["CHA"] * 2, "status": ["open"] * 2},
        geometry=[shapely.box(x, y, x + 100, y + 50), shapely.box(x + 300, y, x + 400, y + 50)],
        crs="EPSG:32638",
    )
    gt.write(tasks.to_crs(4326), tmp_path / "hazards.gpkg")
    west = gpd.GeoDataFrame(
        {"id": ["a"], "class": ["workable"], "machine": ["manual"]},
        geometry=[shapely.box(x, y, x + 40, y + 50)],
        crs="EPSG:32638",
    )
    gt.write(west, tmp_path / "s.gpkg", layer="suitability")
    out = tmp_path / "out"
    done = call("lanes", tmp_path / "hazards.gpkg", "--suitability", tmp_path / "s.gpkg", "-o", out, "--json")
    assert done.exit_code == 0, done.output
    laid = gt.read(out / "lanes.gpkg", layer="lanes").to_crs("EPSG:32638")
    assert set(laid["task_id"]) == {"A"}
    assert shapely.covers(west.geometry.iloc[0].buffer(0.02), laid.geometry.array).all()
    assert laid.geometry.union_all().area == pytest.approx(2000, rel=1e-2)
    told = {row["id"]: row for row in json.loads(done.stdout)["issues"] if row["check"] == "LN-10"}
    assert float(told["A"]["value"]) == pytest.approx(3000, rel=1e-2)
    assert float(told["B"]["value"]) == pytest.approx(5000, rel=1e-2)
    gt.write(west.drop(columns="machine"), tmp_path / "old.gpkg", layer="suitability")
    old = call("lanes", tmp_path / "hazards.gpkg", "--suitability", tmp_path / "old.gpkg")
    assert old.exit_code == 3
    assert "a machine it does not name" in old.stderr
