"""A store on PostGIS at national scale: saving in bulk, reading a thousand rows by region, and reading a former state.

    pytest tests/benchmarks/test_bench_store.py --benchmark-only       20,000 releases, groups of pytest-benchmark
    python tests/benchmarks/test_bench_store.py 1000000                one run: seconds (wall and own CPU), against the limits

The cluster is one of its own (tests/postgis.py) with its usual care for the disk (fsync on).
"""

from __future__ import annotations

import statistics
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.io import store as stores

try:
    from tests.postgis import cluster, launch, new_postgis, postgis_url  # noqa: F401  (fixtures)
except ModuleNotFoundError:  # run as a script
    sys.path.insert(0, str(__import__("pathlib").Path(__file__).parents[2]))
    from tests.postgis import launch

WHO = {"note": "bulk", "author": "A. Officer (synthetic)"}
WEST, SOUTH, SIDE = 600_000.0, 4_300_000.0, 60.0
BLOCK = 100_000


def releases(first, count, wide, seed=0):
    """`count` releases from number `first` on, squares in a grid `wide` across; synthetic."""
    rng = np.random.default_rng(seed + first)
    number = np.arange(first, first + count)
    x, y = WEST + (number % wide) * SIDE, SOUTH + (number // wide) * SIDE
    size = rng.uniform(20, 50, count)
    table = {
        "id": [f"R-{n:07}" for n in number], "hazard_id": [f"H-{n // 12:06}" for n in number], "product": rng.choice(["cleared", "reduced", "cancelled"], count),
        "method": rng.choice(["manual", "mdd", "ts"], count), "date": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, count), unit="D"),
        "depth_cm": rng.choice([13.0, 20.0, np.nan], count), "organisation": rng.choice(["Unit 1 (synthetic)", "Ünit 2 (synthetic)"], count),
        "team": rng.choice(list("ABCDEF"), count), "area_reported_m2": np.round(size**2, 1), "note": None,
    }  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=shapely.box(x, y, x + size, y + size), crs="EPSG:32638")


def region(wide, rows, place=0.4):
    """A region (degrees) that holds about `rows` releases."""
    edge = int(rows**0.5)
    corner = int(wide * place)
    west, south = WEST + corner * SIDE, SOUTH + corner * SIDE
    box = gpd.GeoSeries(
        [shapely.box(west, south, west + (edge - 1) * SIDE + 5, south + (edge - 1) * SIDE + 5)], crs="EPSG:32638"
    )
    return tuple(box.to_crs(4326).total_bounds)


def fill(url, count):
    """A store of `count` releases in blocks, a tenth of each corrected later; seconds per block."""
    wide, seconds = int(count**0.5), []
    with stores.init(url, author="a") as store:
        for first in range(0, count, BLOCK):
            frame = releases(first, min(BLOCK, count - first), wide)
            begin, own = time.perf_counter(), time.process_time()
            store.save(frame, kind="releases", **WHO)
            seconds.append((time.perf_counter() - begin, time.process_time() - own))
        then = store.head().number
        for first in range(0, count, BLOCK):
            corrected = releases(first, min(BLOCK, count - first), wide)[::10].assign(note="corrected")
            store.save(corrected, kind="releases", **WHO)
    return seconds, then


def timed(function, times=9):
    """Median and least seconds of a call, after one that warms up."""
    function()
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        function()
        took.append(time.perf_counter() - begin)
    return statistics.median(took), min(took)


@pytest.fixture(scope="module")
def filled(cluster):
    url = cluster.url(cluster.database())
    _, then = fill(url, 20_000)
    with stores.open(url) as store:
        yield store, then


@pytest.mark.postgis
@pytest.mark.benchmark(group="store: a thousand rows of a region")
@pytest.mark.parametrize("state", ["now", "then"])
def test_region(benchmark, filled, state):
    store, then = filled
    box = region(141, 1000)
    found = benchmark(lambda: store.load("releases", bbox=box, as_of=then if state == "then" else None))
    assert 800 < len(found) < 1200


@pytest.mark.postgis
@pytest.mark.benchmark(group="store: a whole layer")
@pytest.mark.parametrize("state", ["now", "then"])
def test_whole(benchmark, filled, state):
    store, then = filled
    assert len(benchmark(lambda: store.load("releases", as_of=then if state == "then" else None))) == 20_000


@pytest.mark.postgis
@pytest.mark.benchmark(group="store: save 20,000 rows, beside geopandas.to_file of the same")
@pytest.mark.parametrize("way", ["postgis", "gpkg", "to_file"])
def test_save(benchmark, way, new_postgis, tmp_path):
    frame, turn = releases(0, 20_000, 141), iter(range(100))

    def once():
        if way == "to_file":
            frame.to_file(tmp_path / f"{next(turn)}.gpkg", layer="releases")
            return
        with stores.init(new_postgis() if way == "postgis" else tmp_path / f"{next(turn)}.gpkg", author="a") as store:
            store.save(frame, kind="releases", **WHO)

    benchmark.pedantic(once, rounds=3)


@pytest.mark.slow
@pytest.mark.postgis
def test_a_former_state_of_a_region_costs_at_most_three_plain_reads(filled):
    store, then = filled
    box = region(141, 1000)
    _, plain = timed(lambda: store.load("releases", bbox=box), 7)
    _, former = timed(lambda: store.load("releases", bbox=box, as_of=then), 7)
    assert former <= 3 * plain, f"{former:.3f} s beside {plain:.3f} s"


@pytest.mark.slow
@pytest.mark.postgis
def test_regions_are_found_by_the_spatial_index(filled, monkeypatch):
    store, then = filled
    backend, plans = store._backend, []
    run = backend._run

    def spy(statement, values=(), **names):
        if "geom &&" in statement:
            plans.append("\n".join(row[0] for row in run(f"EXPLAIN {statement}", values, **names).fetchall()))
        return run(statement, values, **names)

    run("ANALYZE {s}.current, {s}.history")
    monkeypatch.setattr(backend, "_run", spy)
    store.load("releases", bbox=region(141, 100))
    store.load("releases", bbox=region(141, 100), as_of=then)
    assert "history_geom" in plans[0], plans[0]
    assert "history_geom" in plans[1], plans[1]


def main(count):
    """One run at full size, with the limits beside the figures."""
    server = launch()
    try:
        url = server.url(server.database())
        seconds, then = fill(url, count)
        for n, (wall, own) in enumerate(seconds):
            print(
                f"save of {min(BLOCK, count):,} rows into {n * BLOCK:>9,}: {wall:6.1f} s wall, {own:5.1f} s own CPU   (limit 30 s)",
                flush=True,
            )
        wide = int(count**0.5)
        with stores.open(url) as store:
            box = region(wide, 1000)
            for name, call in (
                ("region, now", lambda: store.load("releases", bbox=box)),
                ("region, then", lambda: store.load("releases", bbox=box, as_of=then)),
                ("region, first revision", lambda: store.load("releases", bbox=region(wide, 1000, 0.01), as_of=1)),
                ("one hazard, now", lambda: store.load("releases", where={"hazard_id": "H-000100"}, bbox=box)),
            ):
                middle, least = timed(call)
                print(
                    f"{name:24} {len(call()):>5} rows   median {1000 * middle:7.1f} ms   least {1000 * least:7.1f} ms",
                    flush=True,
                )
            for name, as_of in (("whole, now", None), ("whole, then", then)):
                begin, own = time.perf_counter(), time.process_time()
                rows = len(store.load("releases", as_of=as_of))
                print(
                    f"{name:24} {rows:>9,} rows   {time.perf_counter() - begin:6.1f} s wall, {time.process_time() - own:5.1f} s own CPU",
                    flush=True,
                )
            begin = time.perf_counter()
            print(f"verify: {len(store.verify())} findings in {time.perf_counter() - begin:.1f} s", flush=True)
    finally:
        server.stop(at_once=True)
        import shutil

        shutil.rmtree(server.folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
