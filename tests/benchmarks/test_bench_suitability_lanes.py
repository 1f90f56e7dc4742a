"""Suitability beside the naive whole-array way, exact shares beside exactextract and brute force, lanes beside clipping lines one by one."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from shapely import affinity

from geotools.analysis import lanes, suitability, terrain

LIMITS = {"source": "SYNTHETIC", "grade": "user"}
CODE = """
import json, sys, time
import geopandas as gpd, shapely
from geotools.analysis import suitability as su, terrain
any_ = {name: su.Figure(any=True, source="SYNTHETIC", grade="user") for name in su.CRITERIA.values()}
own = {"slope_along_deg": (12, 20), "slope_across_deg": (7, 10), "access_slope_deg": (20, 20)}
limits = {name: su.Figure(ok=low, max=high, source="SYNTHETIC", grade="user") for name, (low, high) in own.items()}
near = su.Figure(value=25.0, source="SYNTHETIC", grade="user")
who = su.Machine("m", "m", figures={**any_, **limits, "building_m": near, "width_m": su.Figure(value=1.7, source="SYNTHETIC", grade="user")})
with terrain.gradients(sys.argv[1]) as slopes:
    west, north = slopes.transform @ (0, 0)
    east, south = slopes.transform @ (slopes.shape[1], slopes.shape[0])
    road = gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.LineString([(west, north), (east, south)])], crs=slopes.crs)
    begin = time.process_time()
    done = su.assess(slopes, who, su.Layers(roads=road, buildings=road), settings=su.Settings(bearing_deg=30))
done.write(sys.argv[2])
cpu = time.process_time() - begin
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"cpu_s": cpu, "peak_mb": int(peak.split()[1]) / 1024, "ground": done.ground_m2}))
"""


def model(path: Path, side: int) -> Path:
    """A seeded synthetic height model with hills, valleys and noise, 10 m cells."""
    rng = np.random.default_rng(0)
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "float32", "crs": "EPSG:32638", "nodata": -9999,
        "transform": Affine(10, 0, 650_000, 0, -10, 4_450_000), "tiled": True,
    }  # fmt: skip
    x = np.arange(side)
    with rasterio.open(path, "w", **profile) as target:
        for row in range(0, side, 500):
            y = np.arange(row, min(row + 500, side))[:, None]
            z = (
                800
                + 300 * np.sin(x / 700) * np.cos(y / 500)
                + 60 * np.sin(x / 90 + y / 130)
                + rng.normal(0, 0.3, (len(y), side))
            )
            target.write(z.astype("float32"), 1, window=((row, row + len(y)), (0, side)))
    return path


def measured(tmp_path: Path, side: int) -> dict:
    path = model(tmp_path / "dem.tif", side)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(path), str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_suitability_of_a_large_model_stays_within_a_minute_and_little_memory(tmp_path):
    """10,000 x 10,000 cells with slope, distances, access and writing: at most 60 s and 1.5 GB. Here 4,000 x 4,000 in proportion."""
    side = 4000
    took = measured(tmp_path, side)
    assert took["cpu_s"] * 1e8 / side**2 < 60, took
    assert took["peak_mb"] < 700, took
    assert sum(took["ground"].values()) == pytest.approx(side**2 * 100, rel=2e-3)


@pytest.mark.slow
def test_exact_shares_are_much_faster_than_cutting_every_cell():
    import time

    begin = time.process_time()
    shares(polygons(5))
    ours = time.process_time() - begin
    begin = time.process_time()
    brute(polygons(5))
    assert ours < 0.5 * (time.process_time() - begin)


def polygons(count: int) -> list[shapely.Polygon]:
    rng = np.random.default_rng(4)
    out = []
    for _ in range(count):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 24))
        reach = rng.uniform(300, 900) * rng.uniform(0.5, 1, 24)
        out.append(shapely.Polygon(np.c_[2000 + reach * np.cos(angle), -2000 + reach * np.sin(angle)]).buffer(0))
    return out


WHERE = Affine(10, 0, 0, 0, -10, 0)


def shares(shapes):
    return [suitability.fractions(shape, WHERE, (400, 400)) for shape in shapes]


def brute(shapes):
    rows, columns = np.indices((400, 400))
    boxes = shapely.box(columns * 10, -rows * 10 - 10, columns * 10 + 10, -rows * 10)
    return [shapely.area(shapely.intersection(boxes, shape)) / 100 for shape in shapes]


@pytest.mark.benchmark(group="exact shares of 20 polygons on 160,000 cells")
@pytest.mark.parametrize("who", ["ours", "naive", "exactextract"])
def test_shares(benchmark, who):
    shapes = polygons(20)
    if who == "exactextract":
        library = pytest.importorskip("exactextract")
        from exactextract.raster import NumPyRasterSource

        source = NumPyRasterSource(np.zeros((400, 400)), 0, -4000, 4000, 0)
        features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in shapes]
        benchmark.pedantic(lambda: library.exact_extract(source, features, ["values", "coverage"]), rounds=3)
    else:
        benchmark.pedantic(lambda: {"ours": shares, "naive": brute}[who](shapes), rounds=3)


def naive_classes(path: Path) -> np.ndarray:
    """What a notebook does: everything in memory, two limits, no layers, no access."""
    with rasterio.open(path) as source:
        z = source.read(1)
    north, east = np.gradient(z, 10.0)
    along, across = np.abs(east * 0.5 - north * 0.866), np.abs(east * 0.866 + north * 0.5)
    return np.where((along > math.tan(0.35)) | (across > math.tan(0.17)), 4, 1)


@pytest.mark.benchmark(group="suitability of 4 million cells")
@pytest.mark.parametrize("who", ["ours", "naive"])
def test_suitability(benchmark, tmp_path, who):
    path = model(tmp_path / "dem.tif", 2000)
    free = {name: suitability.Figure(any=True, **LIMITS) for name in suitability.CRITERIA.values()}
    machine = suitability.Machine(
        "m",
        "m",
        figures={
            **free,
            "slope_along_deg": suitability.Figure(max=20, **LIMITS),
            "slope_across_deg": suitability.Figure(max=10, **LIMITS),
        },
    )

    def ours():
        with terrain.gradients(path) as slopes:
            return suitability.assess(slopes, machine, settings=suitability.Settings(bearing_deg=30)).classes()

    benchmark.pedantic(ours if who == "ours" else lambda: naive_classes(path), rounds=3)


def field() -> shapely.Polygon:
    ground = (
        shapely.box(0, 0, 300, 200)
        .difference(shapely.Point(120, 90).buffer(20))
        .difference(shapely.box(200, 150, 260, 200))
    )
    return affinity.translate(affinity.rotate(ground, 20), 683_000, 4_385_000)


def clipped(ground: shapely.Polygon) -> list:
    """Lines clipped to the ground one by one, without rounds, order or any promise to stay inside."""
    west, south, east, north = ground.bounds
    return [
        shapely.LineString([(west, y), (east, y)]).intersection(ground).buffer(0.85)
        for y in np.arange(south, north, 1.5)
    ]


@pytest.mark.benchmark(group="lanes of a field of 5.5 ha")
@pytest.mark.parametrize("who", ["ours", "naive"])
def test_lanes(benchmark, who):
    task = gpd.GeoDataFrame({"id": ["T"]}, geometry=[field()], crs="EPSG:32638")
    tool = lanes.Tool(1.7, 0.2)
    benchmark.pedantic((lambda: lanes.plan(task, tool)) if who == "ours" else (lambda: clipped(field())), rounds=3)
