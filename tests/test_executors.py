"""Whatever the executor: the same bytes."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import geotools as gt
from geotools.analysis import terrain
from geotools.io.rasters import write_raster
from geotools.model import parallel
from geotools.space.grid import Grid, Raster

DASK = pytest.param("dask", marks=[pytest.mark.slow, pytest.mark.dask, pytest.mark.filterwarnings("ignore")])


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.tif"))}


@pytest.fixture(scope="module")
def heights(tmp_path_factory: Any) -> Path:
    rng = np.random.default_rng(3)
    values = np.cumsum(rng.normal(0, 1, (300, 340)), axis=0).astype("float32") + 200
    grid = Grid(700000, 4380000, 10, values.shape, "EPSG:32638")
    return write_raster(Raster(values, grid, name="height"), tmp_path_factory.mktemp("dem") / "dem.tif")


@pytest.mark.parametrize("executor", ["threads", DASK])
def test_terrain_is_the_same_under_every_executor(heights: Path, tmp_path: Path, executor: str) -> None:
    products = ("slope", "aspect", "tri", "curvature")
    with parallel.using("serial"):
        one = terrain.derive(heights, tmp_path / "one", products=products, settings=terrain.Settings(tile=64))
    with parallel.using(executor, workers=2):
        two = terrain.derive(heights, tmp_path / "two", products=products, settings=terrain.Settings(tile=96))
    assert digests(tmp_path / "one") == digests(tmp_path / "two") != {}
    assert one.cells == two.cells and one.unknown_cells == two.unknown_cells
    assert one.area_m2 == pytest.approx(two.area_m2, rel=1e-12)


@pytest.mark.slow
@pytest.mark.dask
@pytest.mark.filterwarnings("ignore")
def test_checks_are_the_same_on_a_cluster() -> None:
    survey = gt.open_survey(Path(__file__).parents[1] / "sample_data" / "fuzuli")
    one = gt.check(survey)
    with parallel.using("dask", workers=2):
        two = gt.check(survey)
    assert len(one) > 50
    assert_geodataframe_equal(one, two)


def national(count: int, seed: int = 5) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Overlapping hazards and releases over half a degree, synthetic."""
    rng = np.random.default_rng(seed)

    def ground(n: int, size: float) -> gpd.GeoSeries:
        x, y = rng.uniform(7e5, 7.4e5, n), rng.uniform(4.36e6, 4.4e6, n)
        side = rng.uniform(0.3, 1, n) * size
        return gpd.GeoSeries(shapely.buffer(shapely.points(x, y), side, quad_segs=6), crs="EPSG:32638")

    hazards = gpd.GeoDataFrame({"id": [f"H-{n}" for n in range(count // 5)]}, geometry=ground(count // 5, 900.0))
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, count), unit="D")
    table = {
        "id": [f"R-{n}" for n in range(count)], "date": day, "product": rng.choice(["cleared", "reduced", "cancelled"], count),
        "method": rng.choice(["manual", "mechanical"], count),
    }  # fmt: skip
    return hazards, gpd.GeoDataFrame(table, geometry=ground(count, 500.0))


def alike(one: Any, two: Any) -> None:
    pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)
    pd.testing.assert_frame_equal(one.credits, two.credits, check_exact=True)
    assert one.totals.equals(two.totals)
    for layer in ("remaining", "released", "outside"):
        assert (
            shapely.to_wkb(getattr(one, layer).geometry.array).tolist()
            == shapely.to_wkb(getattr(two, layer).geometry.array).tolist()
        )


ENGINES = ["geos", pytest.param("sweep", marks=pytest.mark.slow)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("executor", ["threads", DASK])
def test_the_ledger_is_the_same_to_the_bit_under_every_executor(engine: str, executor: str) -> None:
    layers = national(300)
    with parallel.using("serial"):
        one = gt.coverage(*layers, engine=engine, chunk=3_000)
        alike(one, one)  # works the layers out here, not later
    with parallel.using(executor, workers=2):
        two = gt.coverage(*layers, engine=engine, chunk=5_000)
        alike(one, two)


def test_a_ledger_goes_on_where_it_was_and_never_trusts_a_damaged_part(tmp_path: Path) -> None:
    layers = national(300)
    with parallel.using("threads", workers=2, keep=tmp_path / "parts"):
        one = gt.coverage(*layers, engine="geos", chunk=3_000)
        parts = sorted((tmp_path / "parts").iterdir())
        assert len(parts) > 3
        parts[0].write_bytes(b"")
        parts[1].unlink()
        stamps = {p.name: p.stat().st_mtime_ns for p in parts[2:]}
        alike(one, gt.coverage(*layers, engine="geos", chunk=3_000))
        assert {p.name: p.stat().st_mtime_ns for p in parts[2:]} == stamps
        other = national(300, seed=6)
        changed = gt.coverage(*other, engine="geos", chunk=3_000)
    alike(changed, gt.coverage(*other, engine="geos"))


# Swath: from disk, in memory, and how sure it is.
def _simulator() -> Any:
    name = "swath_simulator"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "analysis" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def room(name: str) -> Any:
    return importlib.import_module(f"geotools.analysis.swath.{name}")


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: Any) -> tuple[Path, gpd.GeoDataFrame]:
    """A table of 24,000 fixes of two tools over some lanes, synthetic, and its task with a hole."""
    path = tmp_path_factory.mktemp("tracks") / "fixes.parquet"
    task = _simulator().write_parquet(path, 24_000, hz=2, lane_m=50.0, chunk=3_000)
    table = pd.read_parquet(path)
    table["h_acc_m"] = 0.05
    table = table[(table.index % 5_000 > 60) | (table.index < 5_000)]  # interruptions
    table.to_parquet(path, row_group_size=4_000)
    west, south = task.total_bounds[:2]
    hole = shapely.box(west + 7, south + 10, west + 11, south + 21)
    return path, task.set_geometry(task.geometry.difference(hole))


def streamed(tracks: tuple[Path, gpd.GeoDataFrame], output: Path, **more: Any) -> Any:
    path, task = tracks
    job = gt.swath.Job(crs=task.crs, method="manual", limits=gt.swath.CoverRules(tile_m=20.0))
    return gt.swath.cover_stream(path, task, output=output, job=job, **more)


def ground_of(path: Path) -> dict[str, list[Any]]:
    layers = {name: gpd.read_file(path, layer=name) for name in gpd.list_layers(path)["name"]}
    return {
        name: [*shapely.to_wkb(f.geometry.array).tolist(), f.drop(columns="geometry").to_csv()]
        for name, f in layers.items()
    }


def same_swath(one: Any, two: Any) -> None:
    assert one.totals.equals(two.totals)
    pd.testing.assert_frame_equal(one.shares, two.shares, check_exact=True)
    assert one.counts.equals(two.counts)
    for layer in ("gaps", "outages", "issues"):
        assert_geodataframe_equal(getattr(one, layer), getattr(two, layer))
    assert ground_of(one.path) == ground_of(two.path)


@pytest.mark.parametrize("executor", ["threads", DASK])
def test_swath_from_disk_is_the_same_under_every_executor(
    tracks: Any, tmp_path: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room("stream"), "ROWS", 2_000)
    with parallel.using("serial"):
        one = streamed(tracks, tmp_path / "one.gpkg")
    assert one.totals["outages"] > 3
    assert len(one.gaps) > 0
    for workers, part in ((2, 3_000), (3, 9_000)) if executor == "threads" else ((2, 5_000),):
        monkeypatch.setattr(room("plan"), "PART", part)
        with parallel.using(executor, workers=workers):
            two = streamed(tracks, tmp_path / "two.gpkg", overwrite=True)
        same_swath(one, two)


def test_swath_from_disk_goes_on_where_it_was_and_never_trusts_a_damaged_part(
    tracks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room("stream"), "ROWS", 2_000)
    monkeypatch.setattr(room("plan"), "PART", 4_000)
    one = streamed(tracks, tmp_path / "one.gpkg")
    parts = tmp_path / "parts"
    kept: list[dict[str, int]] = []
    with parallel.using("threads", workers=2, keep=parts):
        with pytest.raises(KeyboardInterrupt):
            streamed(tracks, tmp_path / "two.gpkg", progress=Stopper("joining swaths", 4, interrupted))
        assert not (tmp_path / "two.gpkg").exists()
        kept.append({p.name: p.stat().st_mtime_ns for p in parts.iterdir()})
        fixes, tiles = (sorted(name for name in kept[0] if name.startswith(kind)) for kind in ("fixes-", "tile-"))
        assert len(fixes) >= 4
        assert len(tiles) >= 4
        (parts / fixes[0]).write_bytes(b"half a file")
        (parts / tiles[0]).unlink()
        same_swath(one, streamed(tracks, tmp_path / "two.gpkg"))
        again = {p.name: p.stat().st_mtime_ns for p in parts.iterdir()}
    assert {name for name in kept[0] if again[name] != kept[0][name]} == {fixes[0], tiles[0]}
    table = pd.read_parquet(tracks[0])
    table["x"] += 0.5
    table.to_parquet(tmp_path / "moved.parquet", row_group_size=4_000)
    with parallel.using(
        "threads", workers=2, keep=parts
    ):  # another file of the same shape takes nothing from these parts
        moved = streamed((tmp_path / "moved.parquet", tracks[1]), tmp_path / "moved.gpkg")
    assert moved.totals["covered_m2"] != one.totals["covered_m2"]


class Stopper:
    """Progress that does something at a step of a stage."""

    def __init__(self, stage: str, step: int, action: Any) -> None:
        self.stage, self.step, self.action, self.now = stage, step, action, ""

    def start(self, what: str, total: int | None = None) -> None:
        self.now, self.done = what, 0

    def advance(self, steps: int = 1) -> None:
        self.done += steps
        if self.now == self.stage and self.done == self.step:
            self.action()

    def finish(self) -> None:
        self.now = ""


def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.dask
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("stage", ["reading fixes", "joining swaths"])
def test_a_worker_killed_in_the_middle_costs_only_its_parts(
    tracks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    from distributed.diagnostics.plugin import SchedulerPlugin

    class Counter(SchedulerPlugin):  # type: ignore[misc]
        done = 0

        def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:
            self.done += (start, finish) == ("processing", "memory")

    monkeypatch.setattr(room("stream"), "ROWS", 1_000)
    monkeypatch.setattr(room("plan"), "PART", 1_000)
    with parallel.using("serial", keep=tmp_path / "parts"):
        one = streamed(tracks, tmp_path / "one.gpkg")
    parts = len(list((tmp_path / "parts").iterdir()))
    with parallel.using("dask", workers=2):
        client = parallel._HOW.get().client
        counter = Counter()
        client.cluster.scheduler.add_plugin(counter)
        pids = client.run(os.getpid)
        victim = sorted(pids.values())[0]
        two = streamed(
            tracks, tmp_path / "two.gpkg", progress=Stopper(stage, 9, lambda: os.kill(victim, signal.SIGKILL))
        )
        assert victim not in client.run(os.getpid).values()
    same_swath(one, two)
    print(f"{stage}: {parts} parts, {counter.done} worked")
    assert parts > 30
    assert parts <= counter.done <= parts + 2 * parallel.AHEAD  # what the lost worker held, and nothing else


@pytest.mark.parametrize("executor", ["threads", DASK])
def test_swath_in_memory_is_the_same_under_every_executor(
    tracks: Any, tmp_path: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room("probability"), "TILE", 64)
    monkeypatch.setattr(room("counts"), "BLOCK_ROWS", 100)
    path, task = tracks
    task = task.set_geometry(task.geometry.intersection(shapely.box(-1e5, -1e5, 30, 1e5)))
    table = pd.read_parquet(path)
    fixes = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["x"], table["y"]), crs=task.crs)
    prepared = gt.swath.prepare(fixes[fixes["x"] < 30], task)
    grid = gt.swath.grid_of(task, 0.25)

    def everything() -> tuple[Any, ...]:
        rules = gt.swath.CoverRules(tile_m=15.0)
        found = gt.swath.cover(prepared, task, rules=rules, method="flail", follow_up=prepared.passes.head(20))
        few = prepared.passes.head(40)
        sure = gt.swath.assurance(few, grid, sigma_m=0.1, task=task, options=gt.swath.Draws(count=22, seed=3))
        left = gt.swath.residual(few, grid, pod=gt.swath.Pod.from_trial(27, 30), sigma_m=0.1, task=task)
        return found, sure, left, gt.swath.count(prepared.passes, grid)

    with parallel.using("serial"):
        one, sure, left, counts = everything()
    with parallel.using(executor, workers=2, keep=tmp_path / "parts"):
        for _ in range(2):  # worked, then taken from what was kept
            again = everything()
            assert one.totals.equals(again[0].totals)
            assert one.shares.equals(again[0].shares)
            for name in ("covered", "missed", "overlap", "gaps"):
                assert_geodataframe_equal(getattr(one, name), getattr(again[0], name))
            assert np.array_equal(sure.probability.values, again[1].probability.values)
            assert sure.totals.equals(again[1].totals)
            assert sure.sensitivity.equals(again[1].sensitivity)
            assert (
                shapely.to_wkb(sure.assured.geometry.array).tolist()
                == shapely.to_wkb(again[1].assured.geometry.array).tolist()
            )
            assert np.array_equal(left.correlated.values, again[2].correlated.values)
            assert np.array_equal(counts.values, again[3].values)
    kinds = {p.name.split("-")[0] for p in (tmp_path / "parts").iterdir()}
    assert kinds == {"cover", "assured", "probability", "draws", "count"}


@pytest.mark.parametrize("executor", ["threads", DASK])
def test_residual_and_survey_priority_are_the_same_under_every_executor(
    executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("geotools.analysis.residual.account"), "WORTH", 400)
    rng = np.random.default_rng(2)
    grid = Grid(0, 40, 1.0, (40, 50), "EPSG:32638")
    prior = Raster(rng.random((40, 50)) / 500, grid)
    searches = [
        gt.residual.Search(name, Raster(rng.integers(0, 4, (40, 50)), grid), k, n, sd, reach)
        for name, k, n, sd, reach in (("manual", 50, 55, 0.1, 0.9), ("dogs", 30, 34, 0.0, 1.0))
    ]
    xy = rng.uniform((700_000, 4_380_000), (720_000, 4_400_000), (900, 2))
    near = np.hypot(*(xy - (705_000, 4_385_000)).T)
    places = gpd.GeoDataFrame(
        {"event_m": near, "slope": rng.random(900), "eo": rng.random(900) < np.exp(-near / 3000)},
        geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638",
    )  # fmt: skip
    surface = gt.risk_surface
    setup = surface.Setup("eo", "event_m", ("slope",), models=(surface.LOGISTIC,), folds=4)

    def everything() -> tuple[Any, ...]:
        found = gt.residual.ledger(prior, searches, found=4, items_sd=3.0, seed=5)
        return found.to_dict(), found.expected.values.tobytes(), surface.evaluate(places, setup)

    with parallel.using("serial"):
        one = everything()
    with parallel.using(executor, workers=2):
        two = everything()
    assert one[:2] == two[:2]
    assert one[2].scores.equals(two[2].scores)
    assert one[2].metrics.equals(two[2].metrics)
    assert one[2].coefficients.equals(two[2].coefficients)
