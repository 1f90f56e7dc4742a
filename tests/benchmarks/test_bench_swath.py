"""Swath coverage against what most scripts do: ratios in one run, skipped by default. All data are synthetic."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import shapely

from geotools.analysis import swath
from geotools.analysis.swath import path
from geotools.analysis.swath.fixes import UNIT_M, Fixes
from geotools.analysis.swath.passes import _cut, _pieces, _states, _thin, turns


def _simulator():
    name = "swath_simulator"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "analysis" / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


sim = _simulator()


def site(count=4000, hz=10.0, *, lane_m=40.0, spacing=0.4, width=0.5, speed=0.7, white=0.005, drift=0.02, seed=0):
    """Raw fixes of parallel lanes with white noise and slow drift, and the task."""
    rng = np.random.default_rng(seed)
    per = int(lane_m / speed * hz)
    i = np.arange(count)
    lane, gone = i // per, (i % per) * speed / hz
    strip = lane // 400
    y = np.where(lane % 2 == 0, gone, lane_m - gone) + strip * (lane_m + 5)
    knots = np.cumsum(rng.normal(size=(count // 50 + 2, 2)) * 0.003, axis=0)
    slow = np.column_stack([np.interp(i / 50, np.arange(len(knots)), knots[:, k]) for k in (0, 1)])
    slow *= drift / max(float(slow.std()), 1e-9)
    xy = np.column_stack([(lane % 400 + 0.5) * spacing, y]) + slow + rng.normal(size=(count, 2)) * white
    frame = sim.as_fixes(i / hz + lane * 8.0, xy, width_m=width)
    return frame, sim.task(shapely.box(0, 0, min(400, lane.max() + 1) * spacing, float(y.max())))


def ours(frame, task):
    return swath.cover(swath.prepare(frame, task), task, rules=swath.CoverRules(overlap=False)).covered_m2


def arrays(frame):
    """The fixes as the engine works on them."""
    xy = np.rint(np.column_stack([frame.geometry.x, frame.geometry.y]) / UNIT_M).astype(np.int64)
    t = frame["time"].dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    n, none = len(frame), np.full(len(frame), np.nan)
    return Fixes(
        xy[:, 0],
        xy[:, 1],
        t,
        np.zeros(n, np.int64),
        np.arange(n),
        np.ones((n, 1), bool),
        frame["width_m"].to_numpy(),
        none,
        none,
    )


def engine(fixes):
    """Sort, spikes, outages, smoothing, thinning, passes, swaths and their union: arrays in, one geometry out."""
    rules = swath.Rules()
    fixes, _ = path.in_time_order(fixes)
    fixes = fixes.take(~path.spikes(fixes, path.blocks(fixes, rules), rules))
    first, _ = path.sequences(fixes, rules)
    x, y = path.smoothed(fixes, first, rules)
    nodes = _thin(x, y, *_pieces(first, _states(fixes, x, y, first, rules)), rules)
    low, _ = path.extent(first)
    parts = _cut(nodes, turns(nodes.x, nodes.y, low[nodes.fix], 0.5, fixes.width[nodes.fix] / 2))
    lines = shapely.linestrings(np.column_stack([parts.x, parts.y]), indices=parts.part)
    return shapely.union_all(shapely.buffer(lines, fixes.width[0] / 2, cap_style="flat", join_style="bevel"))


def per_fix_buffers(frame, task):
    shapes = shapely.buffer(np.asarray(frame.geometry.array, dtype=object), frame["width_m"].to_numpy() / 2)
    return shapely.union_all(shapes).intersection(task.geometry.iloc[0]).area


def segment_quads(frame, task):
    """One flat rectangle per segment of the prepared passes, joined."""
    lines = np.asarray(swath.passes(frame, task).geometry.array, dtype=object)
    return _quads(lines, float(frame["width_m"].iloc[0])).intersection(task.geometry.iloc[0]).area


def _quads(lines, width):
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    inside = owner[1:] == owner[:-1]
    segments = shapely.linestrings(np.stack([xy[:-1][inside], xy[1:][inside]], axis=1))
    return shapely.union_all(shapely.buffer(segments, width / 2, cap_style="flat"))


def cpu(function, *arguments, times=3):
    best = np.inf
    for _ in range(times):
        begin = time.process_time()
        function(*arguments)
        best = min(best, time.process_time() - begin)
    return best


@pytest.mark.parametrize("way", [ours, per_fix_buffers], ids=["ours", "buffer per fix"])
@pytest.mark.benchmark(group="swath: 4,000 raw fixes at 10 Hz")
def test_bench_raw_fixes(benchmark, way):
    benchmark.pedantic(way, args=site(), rounds=3)


@pytest.mark.parametrize("hz", [1.0, 10.0])
@pytest.mark.benchmark(group="swath: one million fixes")
def test_bench_million(benchmark, hz):
    benchmark.pedantic(ours, args=site(1_000_000, hz, lane_m=100.0, spacing=0.5, width=0.6), rounds=1)


def everything(frame, task):
    """All figures, shares, gaps and issues, as the command gives them."""
    result = swath.cover(swath.prepare(frame, task), task)
    return result.totals, result.shares, result.gaps, result.issues


@pytest.mark.slow
def test_preparing_beats_a_buffer_per_fix():
    frame, task = site()
    ours(frame, task)
    naive = cpu(per_fix_buffers, frame, task, times=2)
    core, whole = naive / cpu(engine, arrays(frame), times=7), naive / cpu(ours, frame, task, times=15)
    print(f"buffer per fix / engine = {core:.0f}; / prepare and cover = {whole:.0f}", end="; ")
    print(f"/ with all figures, shares, gaps and issues = {naive / cpu(everything, frame, task):.1f}")
    assert core >= 50
    assert whole >= 40  # 55 on a quiet machine
    many, ground = site(40_000)
    assert cpu(per_fix_buffers, many, ground, times=1) / cpu(ours, many, ground) > 50


@pytest.mark.slow
def test_one_buffer_per_pass_beats_quads():
    frame, task = site(60_000, 10.0, white=0.02, lane_m=60.0)
    lines = np.asarray(swath.passes(frame, task).geometry.array, dtype=object)
    mine = cpu(lambda: shapely.union_all(shapely.buffer(lines, 0.25, cap_style="flat", join_style="bevel")))
    ratio = cpu(_quads, lines, 0.5) / mine
    print(f"segment quads / ours = {ratio:.1f}")
    assert ratio >= 3.5


@pytest.mark.slow
def test_a_hectare_takes_about_a_second():
    log = sim.Log(hz=3.34, speed=1.0)
    for lane in range(200):
        x = (lane + 0.5) * 0.5
        if lane:
            log.wait(10)
        log.stroke([(x, 0), (x, 100)] if lane % 2 == 0 else [(x, 100), (x, 0)])
    frame, task = log.frame(width_m=0.5), sim.task(shapely.box(0, 0, 100, 100))
    seconds = cpu(ours, frame, task)
    print(f"1 ha, {len(frame)} fixes: {seconds:.2f} CPU s")
    assert seconds < 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("hz", "bar"), [(1.0, 0.4), (10.0, 1.2)])
def test_throughput(hz, bar):
    frame, task = site(1_000_000, hz, lane_m=100.0, spacing=0.5, width=0.6)
    rate = len(frame) / 1e6 / cpu(ours, frame, task, times=2)
    print(f"{hz:g} Hz: {rate:.2f} M fixes per CPU second")
    assert rate > bar  # 0.7 and 2.0 on a quiet two-core machine
