"""Cost of the ledger over 100 ha at 0.5 m, of the row finder among 5,000 points, and of drawing a sample of 100 ha."""

import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.analysis import residual, sampling
from geotools.analysis.pattern import lines

TASK = gpd.GeoSeries([shapely.box(700000, 4380000, 701000, 4381000)], crs="EPSG:32638")


def account():
    grid = residual.task_grid(TASK, 0.5)
    rng = np.random.default_rng(0)
    finds = gpd.GeoSeries(shapely.points(rng.uniform((700000, 4380000), (701000, 4381000), (60, 2))), crs="EPSG:32638")
    west = 700000 + np.arange(0, 1000, 50.0)
    blocks = gpd.GeoSeries(shapely.box(west, 4380000, west + 52, 4380900), crs="EPSG:32638")
    machine = gpd.GeoSeries([shapely.box(700000, 4380000, 701000, 4380500)], crs="EPSG:32638")
    surface = residual.prior(TASK, grid, items=80, evidence={"finds": (finds, 10.0, 2.0)})
    searches = [
        residual.Search("manual", residual.passes(blocks, grid), 55, 59, sd=0.08, reach=0.97),
        residual.Search("machine", residual.passes(machine, grid), 40, 50, sd=0.1, reach=0.9),
    ]
    return residual.ledger(surface, searches, found=60, items_sd=60)


def field(points=5000):
    rng = np.random.default_rng(1)
    rows = points // 90
    along = np.tile(10 + np.arange(45) * 3.0, rows)
    across = 15 + np.repeat(np.arange(rows), 45) * 6.0
    mines = np.column_stack([along, across]) + rng.normal(0, 0.15, (45 * rows, 2))
    size = np.array([160.0, rows * 6 + 30])
    return np.vstack([mines, rng.uniform((0, 0), size, (points - len(mines), 2))]), float(size.prod()), rows


@pytest.mark.benchmark(group="risk: 100 ha at 0.5 m")
def test_ledger_100_ha(benchmark):
    result = benchmark.pedantic(account, rounds=1)
    assert result.expected.values.sum() == pytest.approx(result.left)


@pytest.mark.benchmark(group="risk: rows among 5,000 points")
def test_rows_5000_points(benchmark):
    xy, area, rows = field()
    found = benchmark.pedantic(lines.find, args=(xy, 0.5, area), kwargs={"false_rows": 1e-3}, rounds=1)
    assert len(found) >= 0.98 * rows


@pytest.mark.benchmark(group="risk: sample of 100 ha, 1 m units")
def test_sample_100_ha(benchmark):
    drawn = benchmark.pedantic(sampling.plan, args=(TASK, sampling.AcceptZero(20, 0.9)), rounds=1)
    assert drawn.units >= 1_000_000


@pytest.mark.slow
def test_within_the_stated_time():
    start = time.process_time()
    account()
    middle = time.process_time()
    xy, area, _ = field()
    lines.find(xy, 0.5, area, false_rows=1e-3)
    assert middle - start <= 30
    assert time.process_time() - middle <= 20


@pytest.mark.slow
def test_the_ledger_of_100_ha_keeps_within_2_gb():
    """The peak of a fresh process with everything in it, libraries included."""
    code = "import resource, runpy, sys; runpy.run_path(sys.argv[1])['account'](); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", code, __file__], capture_output=True, text=True, check=True)
    assert int(done.stdout) / 1024 <= 2048
