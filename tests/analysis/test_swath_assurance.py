"""Position error, detection, re-search and streams against simulated truth and closed forms."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.special import beta as beta_function
from scipy.stats import norm

from geotools.analysis import swath
from geotools.analysis.swath.counts import burn
from geotools.model.errors import CoverageError, ReadError
from geotools.space.grid import Grid


def _simulator():
    name = "swath_simulator"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


sim = _simulator()
box = shapely.box
CASES = [(0.02, 120), (0.05, 120), (0.1, 300), (0.2, 300), (0.5, 600), (1.0, 600), (2.0, 600)]


def truths(frame, sigma, tau, count, family, seed=1):
    rng = np.random.default_rng(seed)
    t = (frame["time"] - sim.DAY).dt.total_seconds().to_numpy()
    return [sim.true_ground(frame, family(t, sigma, tau, rng), 1.0) for _ in range(count)]


def judged(sigma, tau, *, family=sim.ou, count=40, wrong=(1.0,), draws=100):
    """Expected against true uncovered ground, reliability of P, and the share of missed ground called assured."""
    frame, task, _ = sim.steered(skip=(7,))
    ground = task.geometry.iloc[0]
    true = truths(frame, sigma, tau, count, family)
    missed = [ground.difference(u) for u in true]
    passes = swath.passes(frame, task)
    grid = swath.grid_of(task, float(np.clip(sigma / 2, 0.05, 0.25)))
    result = swath.assurance(passes, grid, sigma_m=sigma, tau_s=tau, task=task, options=swath.Draws(count=draws))
    inside = burn([ground], grid) > 0
    said, was = result.probability.values[inside], np.mean([burn([u], grid) for u in true], axis=0)[inside]
    bins = np.clip((said * 10).astype(int), 0, 9)
    error = sum(abs(said[bins == k].mean() - was[bins == k].mean()) * (bins == k).mean() for k in np.unique(bins))
    bad = []
    for factor in wrong:
        sure = swath.assurance(
            passes, grid, sigma_m=sigma, tau_s=tau * factor, task=task, options=swath.Draws(count=0)
        ).assured
        shape = sure.geometry.iloc[0] if len(sure) else shapely.Polygon()
        bad.append(sum(m.intersection(shape).area for m in missed) / sum(m.area for m in missed))
    return result, np.mean([m.area for m in missed]), error, bad


@pytest.mark.parametrize(("sigma", "tau"), [(0.05, 120), (0.5, 600)])
def test_expected_uncovered_meets_simulated_truth(sigma, tau):
    result, truth, error, bad = judged(sigma, tau, count=16, draws=40)
    assert result.totals["expected_uncovered_m2"] == pytest.approx(truth, rel=0.15)
    assert result.totals["uncovered_low_m2"] < truth < result.totals["uncovered_high_m2"]
    assert error < 0.03
    assert max(bad) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "tau"), CASES)
def test_calibration_on_the_model_family(sigma, tau):
    result, truth, error, bad = judged(sigma, tau, wrong=(0.5, 1.0, 2.0))
    if sigma <= 1.0:
        assert result.totals["expected_uncovered_m2"] == pytest.approx(truth, rel=0.10)
    assert error <= 0.03
    assert max(bad) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "tau"), CASES)
def test_missed_ground_is_not_assured_under_a_foreign_error(sigma, tau):
    _, _, error, bad = judged(sigma, tau, family=sim.walk, wrong=(0.5, 1.0, 2.0), draws=0, count=20)
    assert max(bad) <= 0.05
    assert error < 0.10


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_planted_omissions_between_marked_lanes_are_not_assured(sigma):
    site = sim.marked_lanes(sigma=sigma, width=1.0, overlap=0.15, count=12, length=30.0, gaps=4, seed=5)
    passes = swath.passes(site.fixes, site.task)
    result = swath.assurance(
        passes, swath.grid_of(site.task, 0.1), sigma_m=sigma, tau_s=120.0, task=site.task, options=swath.Draws(count=0)
    )
    missed = site.task.geometry.iloc[0].difference(site.truth)
    sure = result.assured.geometry.iloc[0] if len(result.assured) else shapely.Polygon()
    assert missed.intersection(sure).area <= 0.05 * missed.area


@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_an_error_too_large_for_the_width_is_said_in_words(sigma):
    frame, task, _ = sim.steered(count=4, length=20)
    result = swath.assurance(
        swath.passes(frame, task), swath.grid_of(task, 0.25), sigma_m=sigma, task=task, options=swath.Draws(count=8)
    )
    assert any("cannot show coverage" in line for line in result.sentences)
    told = f"{result.totals['assured_m2']:.1f} of {result.totals['task_m2']:,.1f} m² (0.0 %) are assured at"
    assert result.sentences[0].startswith(told), "the figure is never left out"
    assert result.totals["assured_share"] < 0.01
    assert len(result.sensitivity) == 5
    assert result.sensitivity["expected_uncovered_m2"].iloc[0] == pytest.approx(result.totals["expected_uncovered_m2"])
    assert result.sensitivity["sigma_m"].tolist() == [sigma, sigma / 2, sigma * 2, sigma, sigma]


def test_assured_shrinks_and_possible_grows_with_the_error():
    frame, task, _ = sim.steered(count=6, length=20)
    passes = swath.passes(frame, task)
    results = [
        swath.assurance(passes, swath.grid_of(task, 0.1), sigma_m=s, task=task, options=swath.Draws(count=0)).totals
        for s in (0.0, 0.02, 0.05, 0.1, 0.3)
    ]
    assured, possible = [r["assured_m2"] for r in results], [r["possible_m2"] for r in results]
    assert (np.diff(assured) <= 1e-6).all()
    assert (np.diff(possible) >= -1e-6).all()
    covered = swath.cover(passes, task).totals["covered_m2"]
    assert assured[0] == pytest.approx(covered, rel=1e-6)
    assert all(a <= covered * (1 + 1e-9) for a in assured)


def test_one_straight_pass_has_the_normal_profile():
    line = gpd.GeoDataFrame(
        {"id": ["a"], "pass_id": ["a"], "width_m": [1.0]},
        geometry=[shapely.LineString([(0, 5), (40, 5)])],
        crs="EPSG:32638",
    )
    grid = Grid(0, 10, 0.05, (200, 800), "EPSG:32638")
    result = swath.assurance(line, grid, sigma_m=0.4, options=swath.Draws(count=0))
    d = grid.centres[1] - 5
    expected = norm.cdf((0.5 - d) / 0.4) - norm.cdf((-0.5 - d) / 0.4)
    np.testing.assert_allclose(result.probability.values[:, 400], expected, atol=0.01)


def test_the_same_seed_gives_the_same_answer():
    frame, task, _ = sim.steered(count=3, length=15)
    passes = swath.passes(frame, task)
    grid = swath.grid_of(task, 0.2)
    one, two = (
        swath.assurance(
            passes.sample(frac=1, random_state=k), grid, sigma_m=0.2, task=task, options=swath.Draws(count=8, seed=4)
        )
        for k in (1, 2)
    )
    assert one.totals.to_dict() == two.totals.to_dict()
    np.testing.assert_array_equal(one.probability.values, two.probability.values)


def test_accuracy_must_be_known():
    frame, task, _ = sim.steered(count=3, length=15)
    with pytest.raises(CoverageError, match="how accurate"):
        swath.assurance(swath.passes(frame, task), swath.grid_of(task, 0.2), task=task)
    stated = swath.passes(frame.assign(fix_quality="rtk_fixed"), task)
    assert swath.assurance(stated, swath.grid_of(task, 0.2), task=task, options=swath.Draws(count=0)).totals[
        "sigma_m"
    ] == pytest.approx(0.02)
    with pytest.raises(CoverageError):
        swath.assurance(stated, Grid(47, 40, 0.001, (10, 10), "EPSG:4326"), task=task)


# Counts.
def test_raster_and_vector_agree():
    log, _ = sim.lanes(20, 60, 0.5, hz=5)
    frame, task = log.frame(width_m=0.65), sim.task(box(-1, 0, 11, 60))
    passes = swath.passes(frame, task)
    cells = swath.count(passes, swath.grid_of(task, 0.05)).values
    total = swath.cover(passes, task).totals
    assert (cells >= 1).sum() * 0.0025 == pytest.approx(total["covered_m2"], rel=1e-3)
    assert (cells >= 2).sum() * 0.0025 == pytest.approx(19 * 0.15 * 60, rel=2e-3)
    assert cells.max() == 2


def test_one_shape_per_day_would_lose_the_overlap():
    log, _ = sim.lanes(10, 30, 0.5, hz=5)
    frame, task = log.frame(width_m=0.65), sim.task(box(0, 0, 5, 30))
    passes = swath.passes(frame, task)
    merged = swath.count(passes.assign(pass_id="one"), swath.grid_of(task, 0.05)).values
    assert (merged >= 2).sum() == 0
    assert (swath.count(passes, swath.grid_of(task, 0.05)).values >= 2).sum() * 0.0025 == pytest.approx(
        9 * 0.15 * 30, rel=2e-3
    )


def test_many_passes_saturate_and_never_wrap():
    lines = [shapely.LineString([(0, 1), (2, 1)])] * 300
    names = [f"{i:04d}" for i in range(300)]
    passes = gpd.GeoDataFrame({"id": names, "pass_id": names, "width_m": 1.0}, geometry=lines, crs="EPSG:32638")
    assert swath.count(passes, Grid(0, 2, 0.5, (4, 4), "EPSG:32638")).values.max() == 255


# Gaps.
def found_gaps(sigma, seed, width_m=0.05):
    site = sim.marked_lanes(sigma=sigma, tau=120.0, seed=seed, count=24, length=40.0, gaps=12)
    gaps = swath.cover(swath.passes(site.fixes, site.task), site.task, rules=swath.CoverRules(gap_width_m=width_m)).gaps
    planted = [p for p in site.planted if p.area >= 0.25]
    shapes = list(gaps.geometry)
    recall = [any(s.intersection(p).area > 0.2 * p.area for s in shapes) for p in planted]
    precision = [any(s.intersection(p).area > 0.2 * s.area for p in site.planted) for s in shapes]
    return recall, precision


def test_planted_gaps_are_found():
    for sigma in (0.0, 0.02, 0.05):
        hits = [found_gaps(sigma, seed) for seed in range(2)]
        recall, precision = ([x for pair in hits for x in pair[k]] for k in (0, 1))
        assert np.mean(recall) == 1.0, sigma
        if sigma <= 0.02:
            assert np.mean(precision) >= 0.95, sigma


# Detection.
def test_residual_of_exact_passes_is_the_closed_form():
    lines = [shapely.LineString([(0, 1), (10, 1)])] * 3
    passes = gpd.GeoDataFrame(
        {"id": list("abc"), "pass_id": list("abc"), "width_m": 2.0}, geometry=lines, crs="EPSG:32638"
    )
    pod = swath.Pod.from_trial(27, 30)
    result = swath.residual(passes, Grid(0, 2, 0.1, (20, 100), "EPSG:32638"), pod=pod)
    assert result.totals["independent"] == pytest.approx(0.1**3, rel=1e-4)
    assert result.totals["correlated"] == pytest.approx(beta_function(27.5, 6.5) / beta_function(27.5, 3.5), rel=1e-4)
    assert result.by_passes["correlated"].tolist() == pytest.approx(
        [beta_function(27.5, 3.5 + n) / beta_function(27.5, 3.5) for n in range(8)]
    )


def test_correlated_misses_are_never_the_smaller_number():
    frame, task, _ = sim.steered(count=5, length=20)
    result = swath.residual(
        swath.passes(frame, task), swath.grid_of(task, 0.1), pod=swath.Pod.from_trial(19, 20), sigma_m=0.2, task=task
    )
    t = result.totals
    assert t["unsearched"] <= t["independent_low"] <= t["independent"] <= t["independent_high"]
    assert t["correlated"] >= t["independent"]
    assert "share their blindness" in result.sentences[0]


def test_position_error_raises_the_residual():
    frame, task, _ = sim.steered(count=5, length=20)
    passes, pod, grid = swath.passes(frame, task), swath.Pod.from_interval(0.9, 0.75, 0.97), swath.grid_of(task, 0.1)
    exact, vague = (swath.residual(passes, grid, pod=pod, sigma_m=s, tau_s=120, task=task).totals for s in (0.0, 0.5))
    assert vague["independent"] > exact["independent"]


@pytest.mark.parametrize(
    "bad",
    [
        lambda: swath.Pod.from_trial(31, 30),
        lambda: swath.Pod.from_interval(0.9, 0.95, 0.99),
        lambda: swath.Pod(0.5, 0.6, 0.7, 1, 1),
    ],
)
def test_impossible_detection_probabilities_are_refused(bad):
    with pytest.raises(CoverageError):
        bad()


# Re-search.
def worked(days):
    frames = [
        sim.Log(asset=asset, start=pd.Timestamp(f"2026-05-{day:02d}T06:00Z"))
        .stroke([(0, y), (10, y)])
        .frame(width_m=1.0, operator=f"op {asset}")
        for asset, day, y in days
    ]
    return swath.passes(pd.concat(frames, ignore_index=True))


def checks(*rows):
    return pd.DataFrame(
        [{"asset_id": a, "date": pd.Timestamp(d), "result": r} for a, d, r in rows],
        columns=["asset_id", "date", "result"],
    )


def test_everything_since_the_last_passed_check():
    passes = worked([("A", 1, 0), ("A", 3, 5), ("A", 5, 10), ("B", 2, 20)])
    area = swath.research_area(passes, checks(("A", "2026-05-03", "passed"), ("A", "2026-05-04", "failed"))).set_index(
        "id"
    )
    assert area.loc["A", "area_m2"] == pytest.approx(20, rel=1e-3)  # the day of the check counts as not checked
    assert area.loc["B", "area_m2"] == pytest.approx(10, rel=1e-3)
    assert area.loc["A", "since"] == "2026-05-03"
    early = swath.research_area(passes, checks(("A", "2026-05-03", "passed")), as_of=date(2026, 5, 4), who="A")
    assert early["area_m2"].tolist() == pytest.approx([10], rel=1e-3)
    assert swath.research_area(passes, checks(), by="operator")["id"].tolist() == ["op A", "op B"]


def test_a_find_in_searched_ground_names_all_work_since_the_check_before():
    passes = worked([("A", 1, 0), ("A", 3, 5), ("A", 5, 10), ("B", 2, 20)])
    find = gpd.GeoSeries(
        [shapely.line_interpolate_point(passes.geometry[passes["day"] == "2026-05-03"].iloc[0], 5)], crs=passes.crs
    ).to_crs(4326)
    again = swath.rework(passes, find, checks(("A", "2026-05-02", "passed"), ("A", "2026-05-04", "passed")))
    assert again["id"].tolist() == ["A"]
    assert again["area_m2"].tolist() == pytest.approx([20], rel=1e-3)
    nowhere = gpd.GeoSeries([shapely.Point(0, 100)], crs=passes.crs)
    assert len(swath.rework(passes, nowhere, checks())) == 0


# Streams.
def test_a_stream_gives_what_memory_gives(tmp_path):
    path = tmp_path / "fixes.parquet"
    task = sim.write_parquet(path, 30_000, hz=5, lane_m=40.0, chunk=4_000)
    table = pd.read_parquet(path)
    frame = gpd.GeoDataFrame(
        table.drop(columns=["x", "y"]), geometry=gpd.points_from_xy(table["x"], table["y"]), crs=sim.LOCAL
    )
    whole = swath.prepare(frame, task)
    rows = sys.modules["geotools.analysis.swath.stream"]
    for size in (1_500, 7_000):
        old, rows.ROWS = rows.ROWS, size
        try:
            streamed = swath.stream(path, task, crs=sim.LOCAL)
        finally:
            rows.ROWS = old
        pd.testing.assert_series_equal(streamed.counts, whole.counts)
        pd.testing.assert_frame_equal(
            pd.DataFrame(streamed.passes.drop(columns="geometry")), pd.DataFrame(whole.passes.drop(columns="geometry"))
        )
        pd.testing.assert_frame_equal(
            pd.DataFrame(streamed.outages.drop(columns="geometry")),
            pd.DataFrame(whole.outages.drop(columns="geometry")),
        )
        assert shapely.equals_exact(streamed.passes.geometry.to_numpy(), whole.passes.geometry.to_numpy(), 1e-9).all()


def test_a_stream_refuses_disorder_instead_of_losing_fixes(tmp_path):
    path = tmp_path / "fixes.parquet"
    task = sim.write_parquet(path, 20_000, hz=5, lane_m=40.0, chunk=4_000, assets=1)
    table = pd.read_parquet(path)
    pd.concat([table[10_000:], table[:10_000]]).to_parquet(path)
    rows = sys.modules["geotools.analysis.swath.stream"]
    old, rows.ROWS = rows.ROWS, 2_000
    try:
        with pytest.raises(CoverageError, match="order of time"):
            swath.stream(path, task, crs=sim.LOCAL)
    finally:
        rows.ROWS = old
    with pytest.raises(ReadError):
        swath.stream(tmp_path / "none.parquet", task)
