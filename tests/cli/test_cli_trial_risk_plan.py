"""The commands trial, plan sample and risk: from files to files, in words and in JSON, with hostile text and refusals."""

import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from click.testing import CliRunner

from geotools.analysis import trial
from geotools.cli.main import cli
from geotools.survey import open_survey

ORIGIN = np.array([700000.0, 4380000.0])
SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"
HOSTILE = "<script>alert(1)</script> $\\frac$ \u202eabc =1+1 & \x07"


def run(*arguments, code=0):
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    if result.exit_code != code:
        raise AssertionError(f"exit {result.exit_code}: {result.output} {result.exception!r}")
    return result


def points(path, xy, **columns):
    frame = gpd.GeoDataFrame(
        {"id": [f"p{n:03d}" for n in range(len(xy))], **columns},
        geometry=gpd.points_from_xy(*(np.asarray(xy) + ORIGIN).T),
        crs="EPSG:32638",
    )
    frame.to_crs(4326).to_file(path, driver="GeoJSON", COORDINATE_PRECISION=9)
    return path


def polygons(path, shapes, **columns):
    moved = [shapely.transform(shape, lambda c: c + ORIGIN) for shape in shapes]
    frame = gpd.GeoDataFrame({"id": [f"a{n}" for n in range(len(moved))], **columns}, geometry=moved, crs="EPSG:32638")
    frame.to_crs(4326).to_file(path, driver="GeoJSON", COORDINATE_PRECISION=9)
    return path


@pytest.fixture
def lane_files(tmp_path):
    along = np.arange(20) * 1.5 + 1
    targets = points(
        tmp_path / "targets.geojson",
        np.column_stack([along, np.ones(20)]),
        lane_id="L",
        target_type="A",
        depth_cm=np.tile([5.0, 15.0], 10),
    )
    marks = np.column_stack([along[:17] + 0.05, np.ones(17)])
    signals = points(
        tmp_path / "signals.geojson", np.vstack([marks, marks[:12] + np.array([0, 0.02])]), lane_id="L",
        operator=["OP-1"] * 17 + [HOSTILE.replace("\x07", "")] * 12, detector="D", score=np.linspace(0.2, 0.9, 29),
    )  # fmt: skip
    lanes = polygons(tmp_path / "lanes.geojson", [shapely.box(0, 0, 31, 2)]).rename(tmp_path / "ground.geojson")
    return targets, signals, lanes


def test_score_in_words_and_json(lane_files, tmp_path):
    targets, signals, lanes = lane_files
    text = run(
        "trial",
        "score",
        targets,
        signals,
        "--halo",
        0.2,
        "--lanes",
        lanes,
        "--by",
        "operator",
        "-o",
        tmp_path / "out.csv",
    ).stdout
    assert "29 times out of 40" in text
    assert len(pd.read_csv(tmp_path / "out.csv")) == 2
    data = json.loads(run("trial", "score", targets, signals, "--halo", 0.2, "--json", "-q").stdout)
    assert (data["overall"]["k"], data["overall"]["n"]) == (29, 40)
    assert data["by"]["operator"][0]["low"] < data["by"]["operator"][0]["pod"]
    assert "shrunk" in data


def test_sample_camp_gives_what_was_planted():
    camp = SAMPLE / "training"
    truth = json.loads((SAMPLE / "truth.json").read_text("utf-8"))["training"]
    data = json.loads(
        run(
            "trial",
            "score",
            camp / "targets.csv",
            camp / "signals.csv",
            "--halo",
            truth["halo_m"],
            "--lanes",
            camp / "lanes.geojson",
            "--json",
        ).stdout
    )
    for row in data["by"]["operator"]:
        planted = truth["operators"][row["operator"]]
        assert (row["k"], row["n"], row["false_alarms"]) == (
            planted["hits"],
            planted["targets"],
            planted["false_alarms"],
        )
    assert data["marks"]["duplicate"] == sum(v["duplicates"] for v in truth["operators"].values())


def test_blind_trial_from_design_to_score(lane_files, tmp_path):
    _, _, lanes = lane_files
    camp = tmp_path / "camp"
    run(
        "trial",
        "design",
        lanes,
        "--type",
        "A",
        "--depth",
        5,
        "--halo",
        0.1,
        "--head",
        0.1,
        "--pod",
        0.8,
        "--operator",
        "P",
        "--detector",
        "D",
        "-o",
        camp,
    )
    layout = gpd.read_file(camp / "director" / "targets.geojson")
    assert len(layout) == 14
    public = "".join(p.read_text("utf-8") for p in camp.iterdir() if p.is_file())
    assert (camp / "director" / "salt.txt").read_text("utf-8").strip() not in public
    signals = tmp_path / "signals.geojson"
    layout.assign(id=[f"m{n}" for n in range(14)], operator="P", detector="D", run_id="R001").drop(
        columns=["target_type", "soil"]
    ).to_file(signals, driver="GeoJSON")
    run("trial", "freeze", signals, "--seal", camp / "seal.json", "-o", tmp_path / "frozen.json")
    proof = [
        "--seal",
        camp / "seal.json",
        "--frozen",
        tmp_path / "frozen.json",
        "--salt",
        camp / "director" / "salt.txt",
    ]
    scoring = [
        "trial",
        "score",
        camp / "director" / "targets.geojson",
        signals,
        "--halo",
        0.1,
        "--runs",
        camp / "roster.csv",
        "--json",
    ]
    data = json.loads(run(*scoring, *proof).stdout)
    assert data["blind"]
    assert data["overall"]["k"] == 14
    run(*scoring, *proof[:4], code=2)
    edited = gpd.read_file(signals)
    edited.loc[0, "operator"] = "Q"
    edited.to_file(signals, driver="GeoJSON")
    refused = subprocess.run(
        ["geotools", *map(str, [*scoring, *proof])],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(Path(sys.executable).parent)},
    )
    assert refused.returncode == 3
    assert "edited after they were frozen" in refused.stderr
    assert "Traceback" not in refused.stderr


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.outside = set(), []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.outside += [
            v for k, v in attrs if k in ("src", "href", "xlink:href") and v and not v.startswith(("#", "data:"))
        ]


def test_reports_are_whole_quiet_and_repeatable(lane_files, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    targets, signals, lanes = lane_files
    common = ["trial", "report", targets, signals, "--halo", 0.2, "--lanes", lanes, "--title", HOSTILE]
    run(*common, "-o", tmp_path / "a.html")
    run(*common, "-o", tmp_path / "b.html")
    page = (tmp_path / "a.html").read_text("utf-8")
    assert page == (tmp_path / "b.html").read_text("utf-8")
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.seen
    assert "svg" in tags.seen
    assert not tags.outside
    assert not re.search(r"[\u202a-\u202e\x00-\x08]", page)
    assert not re.search(r"\bsafe\b", re.sub(r"<style>.*?</style>", "", page))
    run(*common, "-o", tmp_path / "a.pdf")
    run(*common, "-o", tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    run(*common, "-o", tmp_path / "a.docx", code=2)


def test_a_report_of_a_bare_trial_needs_no_lanes_depths_or_scores(tmp_path):
    frame = gpd.GeoDataFrame({"id": ["t"], "x_m": [1.0], "y_m": [1.0]}, geometry=[None], crs=None)
    scored = trial.score(frame, frame.assign(id="s"), halo_m=0.2)
    assert "1 of 1 targets were found" in trial.report_html(scored)


def test_plan_sample(tmp_path):
    lot = polygons(
        tmp_path / "releases.geojson",
        [shapely.box(0, 0, 40, 30), shapely.box(100, 0, 110, 10)],
        product=["cleared", "cancelled"],
    )
    text = run("plan", "sample", lot, "--remaining", 5, "-o", tmp_path / "cells.gpkg").stdout
    cells = gpd.read_file(tmp_path / "cells.gpkg")
    assert "needs 9" in text
    assert not re.search(r"\bsafe\b", text)
    assert cells.to_crs(32638).within(shapely.box(*ORIGIN - 1, *(ORIGIN + np.array([41, 31])))).all()
    data = json.loads(
        run("plan", "sample", lot, "--lot", "a1", "--rule", "iso2859", "--near-edge", 2, 3, "--json").stdout
    )
    assert data["units"] >= 100
    assert {row["stratum"] for row in data["strata"]} == {"rest", "near the edge"}
    assert (
        json.loads(run("plan", "sample", lot, "--sensitivity", 0.5, "--json").stdout)["operating_curve"][0]["needs_90"]
        is None
    )
    run("plan", "sample", lot, "--lot", "nothing", code=1)


def test_plan_sample_judges_results(tmp_path):
    lot = polygons(tmp_path / "releases.geojson", [shapely.box(0, 0, 30, 20)], product="cleared")
    base = ["plan", "sample", lot, "--remaining", 5, "--cell", 2, "--seed", 3]
    run(*base, "-o", tmp_path / "cells.geojson")
    cells = gpd.read_file(tmp_path / "cells.geojson")
    good = tmp_path / "samples.csv"
    cells.assign(result="passed", depth_cm=20)[["id", "result", "depth_cm", "lon", "lat"]].to_csv(good, index=False)
    assert run(*base, "--results", good, "--required-depth", 15).stdout.startswith(
        "accepted: accepted under this plan's rule"
    )
    assert run(*base, "--results", good, "--required-depth", 25).stdout.startswith("incomplete")
    cells.assign(result=["failed"] + ["passed"] * (len(cells) - 1))[["id", "result", "lon", "lat"]].to_csv(
        tmp_path / "bad.csv", index=False
    )
    data = json.loads(run(*base, "--results", tmp_path / "bad.csv", "--json", "-o", tmp_path / "lot.gpkg").stdout)[
        "decision"
    ]
    assert data["status"] == "rejected"
    assert data["again_m2"] == pytest.approx(600, rel=2e-3)
    words = run(*base, "--results", tmp_path / "bad.csv").stdout
    assert f"{math.ceil(data['again_m2'] - 1e-3):,} m² to inspect again" in words
    assert len(gpd.read_file(tmp_path / "lot.gpkg", layer="again")) == 1


def test_risk_residual(tmp_path):
    task = polygons(tmp_path / "task.geojson", [shapely.box(0, 0, 40, 30)], classification="CHA")
    done = polygons(tmp_path / "manual.geojson", [shapely.box(0, 0, 30, 30)], product="cleared")
    finds = points(tmp_path / "finds.geojson", [(10, 10), (12, 10)], category="ap_mine")
    base = [
        "risk",
        "residual",
        task,
        "--searched",
        done,
        "--lanes",
        "55/59",
        "--items",
        8,
        "--items-sd",
        6,
        "--found",
        5,
        "--res",
        1,
    ]
    text = run(*base, "--offer", "manual", "55/59", 4.0, "--evidence", finds, 2, 3, "-o", tmp_path / "left.tif").stdout
    assert "Expected items left" in text
    assert "releases no land" in text
    assert not re.search(r"\bsafe\b|cancel", text)
    data = json.loads(
        run(
            *base, "--json", "--fact", "pod_low", 0.85, "--fact", "sample", "accepted", "--require", "pod_low", 0.9
        ).stdout
    )
    assert [row["status"] for row in data["evidence"] if row["item"].startswith(("Detection", "Inspection"))] == [
        "not shown",
        "shown",
    ]
    assert data["evidence"][-1]["status"] == "missing"
    run(*base, "--fact", "wishes", 1, code=1)
    assert data["main_driver"] == "not searched"
    assert data["interval"][0] <= data["expected_left"] <= data["interval"][1]
    run(*base, "-o", tmp_path / "first.geojson")
    assert gpd.read_file(tmp_path / "first.geojson")["expected_left"].sum() >= 0.499 * data["expected_left"]
    with rasterio.open(tmp_path / "left.tif") as raster:
        assert raster.read(1).sum() > 0
        assert raster.crs is not None
    assert "hits/targets" in run("risk", "residual", task, "--searched", done, "--lanes", "93%", code=2).output
    run("risk", "residual", task, "--searched", done, code=2)


def test_risk_residual_speaks_to_a_manager(tmp_path):
    """Rounded, with units, what the lanes show filled in by itself, and never a bare float or nan."""
    task = polygons(tmp_path / "task.geojson", [shapely.box(0, 0, 40, 30)], classification="CHA")
    done = polygons(tmp_path / "manual.geojson", [shapely.box(0, 0, 30, 30)], product="cleared")
    base = ["risk", "residual", task, "--searched", done, "--lanes", "55/59", "--items", 8, "--items-sd", 6, "--res", 1]
    text = run(*base, "--require", "searched_share", 1, "--require", "pod_low", 0.9, "--fact", "edge_m", 12.345).stdout
    low = trial.interval(55, 59, side="lower")[0]
    assert f"Detection shown in blind lanes (lower limit): {np.floor(low * 1000) / 10:g} % (required 90 %)" in text
    assert "Distance from the outermost find to the edge: 12.3 m; the authority's requirement is not given" in text
    assert "not shown  Required coverage reached" in text
    assert not re.search(r"\bnan\b|None|\d\.\d{4,}|e-\d", text)
    assert "with a probability of" in text
    data = json.loads(run(*base, "--json").stdout)
    rows = {row["item"]: row for row in data["evidence"]}
    assert rows["Detection shown in blind lanes (lower limit)"]["value"] == pytest.approx(low)
    assert rows["Inspection sample"]["value"] is None
    assert data["interval_probability"] >= 0.9
    assert data["at_most"] >= data["interval"][1]
    run(*base, "--fact", "edge_m", "far", code=1)


def test_risk_residual_takes_the_fixes_of_a_survey(tmp_path):
    """Lanes 0.9 m apart with a tool of 1 m over half a task: just under half of it counts as searched."""
    folder = tmp_path / "survey"
    folder.mkdir()
    polygons(folder / "hazards.geojson", [shapely.box(0, 0, 20, 18)], classification="CHA")
    xy = [(x if lane % 2 == 0 else 20 - x, 0.5 + 0.9 * lane) for lane in range(10) for x in np.arange(0, 20.1, 0.5)]
    times = pd.date_range("2026-05-04T06:00Z", periods=len(xy), freq="s").astype(str)
    points(
        folder / "fixes.geojson",
        np.array(xy),
        time=times,
        width_m=1.0,
        asset_id="D1",
        run_id="1",
        fix_quality="rtk_fixed",
    )
    base = ["risk", "residual", folder, "--task", "a0", "--lanes", "227/288", "--sigma", 0.01]
    text = run(*base, "-o", tmp_path / "left.gpkg").stdout
    assert "The tracks cover" in text
    data = json.loads(run(*base, "--json").stdout)
    assert 0.40 < data["searched_share"] < 9.1 / 18
    assert data["searches"] == [{"name": "fixes", "found": 227, "targets": 288, "sd": 0.0, "reach": 1.0}]
    first = gpd.read_file(tmp_path / "left.gpkg", layer="search_first").to_crs(32638)
    assert first["expected_left"].sum() >= 0.499 * data["expected_left"]
    assert first.centroid.y.min() > ORIGIN[1] + 8  # where no lane went
    by_file = ["risk", "residual", folder, "--task", "a0", "--no-fixes", "--json"]
    assert json.loads(run(*by_file).stdout)["searched_share"] == 0
    run(*by_file[:4], "a0", code=2)
    run("risk", "residual", folder, code=2)
    run("risk", "residual", folder, "--task", "nowhere", "--lanes", "1/2", code=1)


def test_a_position_error_that_is_given_over_a_stated_one_is_said(tmp_path):
    folder = tmp_path / "survey"
    folder.mkdir()
    polygons(folder / "hazards.geojson", [shapely.box(0, 0, 10, 3)], classification="CHA")
    xy = np.array([(x, 0.5 + 0.9 * lane) for lane in range(3) for x in np.arange(0, 10.1, 0.5)])
    times = pd.date_range("2026-05-04T06:00Z", periods=len(xy), freq="s").astype(str)
    state = {"time": times, "width_m": 1.0, "asset_id": "D1", "run_id": "1"}
    base = ["risk", "residual", folder, "--task", "a0", "--lanes", "227/288"]
    for stated, given, said, smaller in ((1.5, 0.02, True, True), (0.01, 0.3, True, False), (0.02, 0.02, False, False)):
        points(folder / "fixes.geojson", xy, h_acc_m=stated, **state)
        text = run(*base, "--sigma", given).stderr
        assert (f"--sigma {given:g} m is taken" in text and f"{stated:g} m" in text) == said
        assert ("more ground counts" in text) == smaller
        (folder / "fixes.geojson").unlink()
    points(folder / "fixes.geojson", xy, h_acc_m=1.5, **state)
    assert "is taken for all positions" not in run(*base).stderr


@pytest.mark.slow
def test_coarser_cells_and_worse_positions_show_less_ground():
    base = ["risk", "residual", SAMPLE, "--task", "TASK-D1", "--lanes", "227/288", "--json", "--sigma"]
    fine, coarse, loose = (
        json.loads(run(*base, *more).stdout)["searched_share"] for more in ((0.02,), (0.02, "--res", 0.5), (0.3,))
    )
    assert coarse < fine
    assert loose < fine
    assert "The tracks cover" in run(*base[:-2], "--sigma", 0.02, "--res", 0.5).stdout


@pytest.fixture
def country(tmp_path):
    """A survey whose later finds lie near its earlier accidents: 30 × 30 km, searched in 700 places."""
    rng = np.random.default_rng(6)
    accidents = rng.uniform(2000, 28000, (10, 2))
    places = rng.uniform(0, 30000, (700, 2))
    near = np.hypot(*(places[:, None] - accidents[None]).transpose(2, 0, 1)).min(axis=1)
    hit = rng.random(700) < np.exp(-near / 2500)
    folder = tmp_path / "country"
    folder.mkdir()
    dates = pd.date_range("2020-01-01", periods=700, freq="D").strftime("%Y-%m-%d")[rng.permutation(700)]
    points(folder / "accidents.geojson", accidents, date="2015-05-05")
    points(folder / "finds.geojson", places[hit], category="ap_mine", date=dates[hit])
    squares = [shapely.box(x - 80, y - 80, x + 80, y + 80) for x, y in places]
    polygons(folder / "releases.geojson", squares, product="cleared", method="manual", date=dates)
    return folder


def test_risk_surface(country, tmp_path):
    out = [tmp_path / name for name in ("priority.tif", "score.tif", "report.json", "report.txt", "figure.png")]
    base = ["risk", "surface", country, "--res", 200]
    text = run(*base, "-o", out[0], "--scores", out[1], "--report", out[2]).stdout
    assert text.startswith("Distance to known evidence alone (the baseline)")
    assert "never removes land" in text
    assert not re.search(r"\bsafe\b|\bcancel", text)
    data = json.loads(out[2].read_text("utf-8"))
    assert data["metrics"][0]["model"] == "distance baseline"
    assert data["metrics"][0]["roc_auc"] > 0.65
    assert data["beats_chance"]
    assert len(data["calibration"]) == 10 * len(data["metrics"])
    with rasterio.open(out[0]) as raster:
        value = raster.read(1)
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert set(np.unique(value)) <= {0, 1, 2, 3, 255}
        assert (value[value != 255] == 3).mean() >= 0.05
        accidents = gpd.read_file(country / "accidents.geojson").to_crs(raster.crs)
        held = [v[0] for v in raster.sample(accidents.get_coordinates().to_numpy())]
        assert min(held) == 3  # the ground around known evidence keeps the highest class whatever a model says
    with rasterio.open(out[1]) as raster:
        assert np.nanmax(raster.read(1)) <= 1
    for path in out[3:]:
        run(*base, "--report", path, "--model", "logistic", "-q")
        assert path.stat().st_size > 500
    run(*base, "-o", tmp_path / "x.gpkg", code=2)
    run(*base, "--res", 0.5, code=1)
    run(*base, "--split", "2030-01-01", code=1)


def test_a_model_that_is_worse_than_the_distance_raises_no_priority(country, tmp_path, monkeypatch):
    """The model is turned upside down: then every cell it would raise is a mistake, and none may be raised."""
    from geotools.analysis.risk_surface import models

    right = models.Logistic.predict

    def upside_down(self, values):
        return 1 - right(self, values) if values.shape[1] > 1 else right(self, values)

    rng = np.random.default_rng(0)
    points(country / "places.geojson", rng.uniform(0, 30000, (40, 2)), name="P")
    base = ["risk", "surface", country, "--res", 500, "--model", "logistic"]
    monkeypatch.setattr(models.Logistic, "predict", upside_down)
    result = run(*base, "-o", tmp_path / "bad.tif", "--report", tmp_path / "bad.json")
    assert "no model is better than the distance" in result.stderr
    assert "It is not better than the distance alone, so it raises no priority." in result.stdout
    data = json.loads((tmp_path / "bad.json").read_text("utf-8"))
    assert data["best"] == "distance baseline"
    assert data["better_than_baseline"] == []
    with rasterio.open(tmp_path / "bad.tif") as raster:
        value = raster.read(1)
        grid = np.array([raster.xy(row, column) for row, column in zip(*np.nonzero(value == 3), strict=True)])
        accidents = gpd.read_file(country / "accidents.geojson").to_crs(raster.crs).get_coordinates().to_numpy()
    finds = gpd.read_file(country / "finds.geojson").to_crs(raster.crs).get_coordinates().to_numpy()
    evidence = np.vstack([accidents, finds])
    near = np.hypot(*(grid[:, None] - evidence[None]).transpose(2, 0, 1)).min(axis=1)
    assert (value == 3).sum() <= 0.06 * (value != 255).sum()  # of two different orders it would be nearly twice that
    assert near.max() < 1500


@pytest.mark.slow
def test_risk_surface_says_when_nothing_beats_chance():
    result = run("risk", "surface", SAMPLE, "--res", 100)
    if "nothing here beats chance" in result.stdout:
        assert "no better than a draw" in result.stderr
    assert "Distance to known evidence alone" in result.stdout


def test_results_open_as_layers_of_the_offline_map(tmp_path):
    """What residual and pattern write is read again as a survey and drawn."""
    rng = np.random.default_rng(3)
    row = np.column_stack([np.delete(np.arange(20) * 3.0, 9), np.full(19, 10.0)]) + rng.normal(0, 0.05, (19, 2))
    finds = points(tmp_path / "finds.geojson", np.vstack([row, rng.uniform((0, 0), (57, 30), (12, 2))]))
    task = polygons(tmp_path / "task.geojson", [shapely.box(0, 0, 60, 30)], classification="CHA")
    run("risk", "pattern", finds, "-o", tmp_path / "rows.gpkg")
    run("risk", "residual", task, "--items", 3, "-o", tmp_path / "left.gpkg")
    run("risk", "residual", task, "--items", 3, "-o", tmp_path / "left.tif")
    with rasterio.open(tmp_path / "left.tif") as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    for name, layers in (("rows", {"rows", "gaps", "finds"}), ("left", {"search_first", "hazards"})):
        assert set(open_survey(tmp_path / f"{name}.gpkg").layers) == layers
        run("map", tmp_path / f"{name}.gpkg", "--layers", ",".join(layers), "-o", tmp_path / f"{name}.html", "-q")
    run("risk", "pattern", points(tmp_path / "one.geojson", [(1.0, 1.0)]), "-o", tmp_path / "none.gpkg")
    assert set(gpd.list_layers(tmp_path / "none.gpkg")["name"]) >= {"finds"}


def test_risk_pattern(tmp_path):
    rng = np.random.default_rng(3)
    row = np.column_stack([np.delete(np.arange(20) * 3.0, 9), np.full(19, 10.0)]) + rng.normal(0, 0.05, (19, 2))
    finds = points(
        tmp_path / "finds.geojson", np.vstack([row, rng.uniform((0, 0), (57, 30), (12, 2))]), category="ap_mine"
    )
    record = points(tmp_path / "record.geojson", np.column_stack([np.arange(20) * 3.0, np.full(20, 10.0)]), row_id="1")
    text = run("risk", "pattern", finds, "--record", record, "-o", tmp_path / "rows.gpkg").stdout
    assert "1 row among 31 finds" in text
    assert "no gap over 50 m" in text
    assert "20 recorded, 19 found, 0 craters, 1 unaccounted for" in text
    assert len(gpd.read_file(tmp_path / "rows.gpkg", layer="gaps")) >= 5
    ground = polygons(tmp_path / "done.geojson", [shapely.box(-5, -5, 62, 35)], product="cleared")
    fade = ["--searched", ground, "--fadeout", 10]
    assert "Fade-out 10 m (invented 3.1)" in run("risk", "pattern", finds, *fade, "--authority", "invented 3.1").stdout
    run("risk", "pattern", finds, *fade, code=2)
    data = json.loads(run("risk", "pattern", finds, "--category", "ap_mine", "--json").stdout)
    assert data["rows"][0]["spacing_m"] == pytest.approx(3, abs=0.02)
    assert json.loads(run("risk", "pattern", finds, "--category", "uxo", "--json").stdout)["rows"] == []


def test_finds_without_a_position_are_one_line_with_their_number(tmp_path):
    rows = [{"id": f"F-{n:03d}", "longitude": "", "latitude": "", "category": "ap_mine"} for n in range(40)]
    rows += [{"id": f"G-{n}", "longitude": 47.15 + n / 1e4, "latitude": 39.6, "category": "ap_mine"} for n in range(6)]
    pd.DataFrame(rows).to_csv(tmp_path / "finds.csv", index=False)
    text = run("risk", "pattern", tmp_path / "finds.csv").stderr
    lines = [line for line in text.splitlines() if "no position" in line]
    assert lines == [
        "warning: 40 finds: no position: this find is in no row (F-000, F-001, F-002, F-003, F-004 and 35 more)"
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["trial"],
        ["trial", "design"],
        ["trial", "freeze"],
        ["trial", "score"],
        ["trial", "report"],
        ["plan"],
        ["plan", "sample"],
        ["risk"],
        ["risk", "residual"],
        ["risk", "pattern"],
        ["risk", "surface"],
    ],
)
def test_every_command_has_help_and_an_example(command):
    text = run(*command, "--help").output
    assert "Example: geotools" in text
