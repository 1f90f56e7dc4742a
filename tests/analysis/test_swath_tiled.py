"""Coverage worked from disk, tile by tile: the same figures as in memory, in the memory of one tile."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis import swath
from geotools.analysis.swath.seams import Seams
from geotools.io.rasters import read_raster
from geotools.model.errors import CoverageError, CRSError, ReadError, WriteError


def _simulator():
    name = "swath_simulator"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


sim = _simulator()
box = shapely.box
AREAS = ("task_m2", "covered_m2", "missed_m2", "searched_m2", "processed_m2", "outside_m2", "overlap_m2", "short_m2", "shallow_m2", "fast_m2", "gaps_m2")  # fmt: skip


def work(path):
    """Lanes of two assets over three days with omissions, an outage, travel outside the task, depths and a task with a hole."""
    logs = []
    for day, asset in enumerate(("A", "B", "A")):
        log = sim.Log(hz=1, speed=1.0, asset=asset, start=sim.DAY + pd.Timedelta(days=day))
        for lane in range(30):
            if lane in (7, 8, 21):
                continue
            x = lane * 0.9 + day * 24.0
            log.stroke([(x, -5), (x, 60 if lane % 5 else 31)], depth_cm=20.0 if lane % 4 else 5.0).wait(20)
        logs.append(log.frame(width_m=1.0))
    frame = pd.concat(logs, ignore_index=True)
    frame = frame[(frame.index < 500) | (frame.index > 515)]
    table = pd.DataFrame(frame.drop(columns="geometry")).assign(x=frame.geometry.x, y=frame.geometry.y)
    table.to_parquet(path)
    return frame, sim.task(box(0, 0, 80, 55) - box(30, 20, 37, 33), box(85, 0, 95, 20))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "fixes.parquet"
    frame, task = work(path)
    return path, frame, task


@pytest.mark.parametrize(("tile", "heavy", "passes"), [(100.0, 4000, 1), (7.0, 4000, 2), (13.7, 5, 1), (200.0, 20, 2)])
def test_disk_and_memory_agree(both, tmp_path, monkeypatch, tile, heavy, passes):
    path, frame, task = both
    monkeypatch.setattr(sys.modules["geotools.analysis.swath.tiled"], "HEAVY", heavy)
    monkeypatch.setattr(sys.modules["geotools.analysis.swath.stream"], "ROWS", 2000)
    rules = swath.Rules(depth_cm=15.0, speed_max_mps=1.5)
    whole = swath.cover(
        swath.prepare(frame, task, rules=rules), task, rules=swath.CoverRules(required_passes=passes), method="manual"
    )
    limits = swath.CoverRules(required_passes=passes, tile_m=tile)
    job = swath.Job(crs=sim.LOCAL, rules=rules, limits=limits, method="manual")
    out = tmp_path / "swath.gpkg"
    streamed = swath.cover_stream(path, task, output=out, job=job)
    assert set(streamed.totals.index) == set(whole.totals.index)
    for name, value in whole.totals.items():
        if name in AREAS or name in ("coverage", "length_m"):
            assert streamed.totals[name] == pytest.approx(value, rel=1e-9, abs=1e-8), name
        elif name == "widest_gap_m":
            assert streamed.totals[name] == pytest.approx(value, abs=0.2)  # found to a tolerance, not exactly
        else:
            assert streamed.totals[name] == value, name
    pd.testing.assert_frame_equal(streamed.shares, whole.shares, rtol=1e-9, atol=1e-8)
    assert streamed.gaps["area_m2"].tolist() == pytest.approx(whole.gaps["area_m2"].tolist(), rel=1e-9)
    for a, b in zip(streamed.gaps.geometry, whole.gaps.geometry, strict=True):
        assert a.symmetric_difference(b).area < 1e-4
    assert (streamed.counts == swath.prepare(frame, task, rules=rules).counts).all()
    kept = ["check", "severity", "message", "value"]
    assert sorted(map(tuple, streamed.issues[kept].values)) == sorted(map(tuple, whole.issues[kept].values))
    for name in ("covered", "missed", "outside", "overlap", "shallow"):
        layer = gpd.read_file(out, layer=f"result_swath_{name}")
        assert layer["area_m2"].sum() == pytest.approx(whole.totals[f"{name}_m2"], rel=1e-9, abs=1e-8)
        mine, theirs = layer.geometry.union_all(), getattr(whole, name).geometry.union_all()
        assert mine.symmetric_difference(theirs).area < 1e-3
    assert len(gpd.read_file(out, layer="result_swath_passes")) == len(swath.passes(frame, task, rules=rules))
    assert [p.name for p in tmp_path.iterdir()] == ["swath.gpkg"]  # nothing is left of what was put aside
    assert streamed.sentences == whole.sentences


def test_unknown_accuracy_proves_nothing_on_disk_either(both):
    path, frame, task = both
    streamed = swath.cover_stream(path, task, job=swath.Job(crs=sim.LOCAL, method="manual"))
    whole = swath.cover(swath.prepare(frame, task), task, method="manual")
    assert streamed.totals["searched_m2"] == whole.totals["searched_m2"] == 0
    wanted = [whole.issues.loc[whole.issues["check"] == code, "message"].tolist() for code in ("SW-20", "SW-21")]
    assert wanted == [
        streamed.issues.loc[streamed.issues["check"] == code, "message"].tolist() for code in ("SW-20", "SW-21")
    ]
    assert all(wanted)


def test_machine_ground_stays_processed_on_disk(both):
    path, frame, task = both
    for word, name in (("Flail", "processed_m2"), ("manual", "searched_m2")):
        rules = swath.Rules(h_acc_m=0.02)
        streamed = swath.cover_stream(path, task, job=swath.Job(crs=sim.LOCAL, rules=rules, method=word))
        whole = swath.cover(swath.prepare(frame, task, rules=rules), task, method=word)
        assert streamed.totals[name] == pytest.approx(whole.totals[name], rel=1e-9)
        assert streamed.totals[name] == pytest.approx(streamed.totals["covered_m2"])


def test_a_task_without_work_is_missed_whole(both, tmp_path):
    path, _, _ = both
    task = sim.task(box(300, 300, 333, 340))
    result = swath.cover_stream(path, task, output=tmp_path / "none.gpkg", job=swath.Job(crs=sim.LOCAL))
    assert result.totals["missed_m2"] == pytest.approx(33 * 40, rel=1e-9)
    assert result.totals["covered_m2"] == 0
    assert result.totals["gaps"] == 1
    assert "SW-12" in set(result.issues["check"])


@pytest.mark.parametrize(("sigma", "day_long"), [(None, True), (0.3, False)])
def test_rasters_from_disk_are_those_of_memory(both, tmp_path, monkeypatch, sigma, day_long):
    """Cell by cell: pass counts, and the probability that a pass went there, of several tools on several days."""
    _, frame, task = both
    monkeypatch.setattr(sys.modules["geotools.analysis.swath.stream"], "ROWS", 2000)
    for name, attribute, value in (("counts", "BLOCK_ROWS", 150), ("probability", "TILE", 100)):
        monkeypatch.setattr(sys.modules[f"geotools.analysis.swath.{name}"], attribute, value)
    frame = frame.assign(h_acc_m=np.where(frame["asset_id"] == "A", 0.1, 0.25))
    frame.loc[frame.index[:400], "h_acc_m"] = np.nan
    table = pd.DataFrame(frame.drop(columns="geometry")).assign(x=frame.geometry.x, y=frame.geometry.y)
    table.to_parquet(tmp_path / "fixes.parquet", row_group_size=1500)
    tau = 300.0 if day_long else 60.0
    cells = swath.Cells(tmp_path / "out", 0.2, sigma, tau, assumed_m=0.4)
    out = tmp_path / "out" / "swath.gpkg"
    made = swath.cover_stream(tmp_path / "fixes.parquet", task, output=out, job=swath.Job(crs=sim.LOCAL, cells=cells))
    passes = swath.passes(frame, task)
    assert passes["h_acc_m"].isna().any()
    passes["h_acc_m"] = passes["h_acc_m"].fillna(0.4)
    grid = swath.grid_of(task, 0.2)
    sure = swath.assurance(passes, grid, sigma_m=sigma, tau_s=tau, task=task, options=swath.Draws(count=0))
    assert made.rasters.cell_m == {"passes": 0.2, "probability_searched": 0.2}
    for raster in (swath.count(passes, grid), sure.probability):
        there = read_raster(made.rasters.files[raster.name])
        assert there.grid.bounds == grid.bounds
        assert there.values.dtype == raster.values.dtype
        assert np.array_equal(there.values, raster.values), raster.name
    assert there.values.size > 1 and 0.2 < there.values.mean() < 0.9
    expected = sure.totals["model_uncovered_m2"]
    assert made.rasters.expected_uncovered_m2 == pytest.approx(expected, rel=1e-4)
    assert made.rasters.sigma_m == pytest.approx(sure.totals["sigma_m"])
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"swath.gpkg", "passes.tif", "probability_searched.tif"}


def test_rasters_that_are_there_stay_and_a_failure_leaves_none(both, tmp_path):
    path, _, task = both
    cells = swath.Cells(tmp_path, 0.5)
    (tmp_path / "passes.tif").write_text("mine")
    with pytest.raises(WriteError):
        swath.cover_stream(path, task, job=swath.Job(crs=sim.LOCAL, cells=cells))
    assert [p.name for p in tmp_path.iterdir()] == ["passes.tif"]
    assert (tmp_path / "passes.tif").read_text() == "mine"
    (tmp_path / "passes.tif").unlink()
    damaged = tmp_path / "damaged.parquet"
    data = bytearray(path.read_bytes())
    data[1000:3000] = bytes(2000)
    damaged.write_bytes(data)
    with pytest.raises(ReadError):
        swath.cover_stream(damaged, task, job=swath.Job(crs=sim.LOCAL, cells=cells))
    assert [p.name for p in tmp_path.iterdir()] == ["damaged.parquet"]
    nothing = sim.task(box(300, 300, 310, 312))
    made = swath.cover_stream(path, nothing, job=swath.Job(crs=sim.LOCAL, cells=cells)).rasters
    assert [read_raster(file).values.max() for file in made.files.values()] == [0, 0]


def test_an_existing_file_stays_and_a_failure_leaves_nothing(both, tmp_path):
    path, _, task = both
    out = tmp_path / "swath.gpkg"
    out.write_text("mine")
    with pytest.raises(WriteError):
        swath.cover_stream(path, task, output=out, job=swath.Job(crs=sim.LOCAL))
    assert out.read_text() == "mine"
    with pytest.raises(CRSError):
        swath.cover_stream(path, task, output=tmp_path / "new.gpkg")
    with pytest.raises(ReadError):
        swath.cover_stream(tmp_path / "none.parquet", task, output=tmp_path / "new.gpkg")
    with pytest.raises(CoverageError):
        swath.cover_stream(path, task.iloc[:0], output=tmp_path / "new.gpkg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["swath.gpkg"]
    swath.cover_stream(path, task, output=out, job=swath.Job(crs=sim.LOCAL), overwrite=True)
    assert "result_swath_covered" in set(pyogrio.list_layers(out)[:, 0])


METRES = st.floats(0, 38).map(
    lambda v: round(v, 9)
)  # to the nanometre: near 1e-300 the geometry engine divides by zero


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(METRES, METRES, st.floats(0.5, 20), st.floats(0.5, 20)), min_size=1, max_size=8),
    st.sampled_from([3.0, 7.0, 10.0, 16.0]),
)
def test_gaps_cut_by_tiles_are_put_together_again(tmp_path_factory, boxes, side):
    """Blocks of missed ground, cut by a lattice and joined again, are the parts they were."""
    ground = shapely.union_all([box(x, y, min(40, x + w), min(40, y + h)) for x, y, w, h in boxes])
    parts = [part for part in shapely.get_parts(ground) if part.area >= 0.15]
    with Seams(tmp_path_factory.mktemp("seams") / "missed", side, area_m2=0.15, width_m=0.0) as seams:
        for column in range(int(40 // side) + 1):
            for row in range(int(40 // side) + 1):
                tile = box(column * side, row * side, (column + 1) * side, (row + 1) * side)
                seams.add(shapely.intersection(ground, tile), 0)
        gaps = seams.gaps(sim.LOCAL)
    assert sorted(gaps["area_m2"]) == pytest.approx(sorted(part.area for part in parts), rel=1e-9)


def test_a_gap_too_large_to_draw_is_still_counted_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["geotools.analysis.swath.seams"], "DRAWN_BYTES", 100)
    with Seams(tmp_path / "missed", 10.0, area_m2=0.15, width_m=0.05) as seams:
        seams.add(box(0, 0, 10, 2), 0)
        seams.add(box(10, 0, 15, 2), 0)
        gaps = seams.gaps(sim.LOCAL)
    assert gaps["area_m2"].tolist() == [30.0]
    assert seams.undrawn == 1


# Memory.
CHILD = """
import json, sys
from pathlib import Path
import geopandas as gpd
from geotools.analysis import swath
task = gpd.read_file(sys.argv[2])
out = swath.cover_stream(sys.argv[1], task, output=sys.argv[3], job=swath.Job(crs=task.crs, method="manual"))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
import time
print(json.dumps({"used": int(out.counts["used"]), "coverage": out.totals["coverage"], "peak": int(peak.split()[1]) / 1024, "cpu": time.process_time(),
                  "passes": out.totals["passes"], "gaps": out.totals["gaps"]}))
"""


def in_a_child(folder, count, **options):
    """Peak memory and figures of streaming so many fixes, in a process of its own."""
    path, ground = folder / "fixes.parquet", folder / "task.gpkg"
    sim.write_parquet(path, count, **options).to_file(ground)
    arguments = [sys.executable, "-c", CHILD, str(path), str(ground), str(folder / "out.gpkg")]
    said = json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
    print(count, options, said)
    return said


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize(("count", "hz"), [(600_000, 1.0), (2_000_000, 10.0)])
def test_fixes_stream_in_bounded_memory(tmp_path, count, hz):
    said = in_a_child(tmp_path, count, hz=hz)
    assert said["used"] >= count - 4
    assert said["peak"] < 600


@needs_proc
@pytest.mark.skipif(
    "GEOTOOLS_BIG" not in os.environ, reason="110 million fixes: minutes of work, set GEOTOOLS_BIG to run"
)
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_million_fixes_take_the_memory_of_ten(tmp_path):
    ten, hundred = (
        in_a_child(tmp_path / str(n), n * 1_000_000) for n in (10, 100) if (tmp_path / str(n)).mkdir() is None
    )
    assert max(ten["peak"], hundred["peak"]) <= 600
    assert hundred["peak"] <= 1.15 * ten["peak"]
    assert hundred["used"] >= 100_000_000 - 4
    assert np.isclose(ten["coverage"], hundred["coverage"], atol=0.2)


def test_a_day_without_working_flags_is_no_work_where_other_days_have_them(tmp_path):
    """Pieces of a file are judged by the whole file: silence in one of them is not leave to count all movement."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def leg(day, y, on):
        rows = {
            "x": 700_000 + 0.5 * np.arange(101), "y": y, "width_m": 1.0, "asset_id": "M1", "run_id": "",
            "time": pd.date_range(f"2026-05-0{day}T06:00Z", periods=101, freq="s"), "is_on": pd.array([on] * 101, dtype="boolean"),
        }  # fmt: skip
        return pd.DataFrame(rows)

    parts = [leg(4, 4_380_000.5, True), leg(5, 4_380_001.5, None)]
    form = pa.Table.from_pandas(parts[0], preserve_index=False).schema.remove_metadata()
    for name, wanted in (("both", 0.5), ("silent", 1.0)):
        chosen = parts if name == "both" else [leg(4, 4_380_000.5, None), parts[1]]
        file = tmp_path / f"{name}.parquet"
        with pq.ParquetWriter(file, form) as writer:
            for part in chosen:
                writer.write_table(pa.Table.from_pandas(part, schema=form, preserve_index=False))
        task = gpd.GeoSeries([shapely.box(700_000, 4_380_000, 700_050, 4_380_002)], crs="EPSG:32638")
        table = pd.concat(chosen, ignore_index=True)
        fixes = gpd.GeoDataFrame(
            table.drop(columns=["x", "y"]), geometry=gpd.points_from_xy(table["x"], table["y"]), crs="EPSG:32638"
        )
        whole = swath.cover(swath.prepare(fixes, task), task)
        streamed = swath.cover(swath.stream(file, task, crs="EPSG:32638"), task)
        tiled = swath.cover_stream(file, task, job=swath.Job(crs="EPSG:32638"))
        shares = [float(found.totals["coverage"]) for found in (whole, streamed, tiled)]
        assert shares == pytest.approx([wanted] * 3, abs=1e-3), name
