"""Slope of a large height model: ours from file to file beside gdaldem and beside the naive whole-array way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from geotools.analysis import terrain

CODE = """
import json, sys, time
from geotools.analysis import terrain
begin = time.process_time()
terrain.derive(sys.argv[1], sys.argv[2], products=["slope"])
cpu = time.process_time() - begin
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # its own: ru_maxrss holds the parent's too
print(json.dumps({"cpu_s": cpu, "peak_mb": int(peak.split()[1]) / 1024}))
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


def naive(path: Path) -> np.ndarray:
    """What a notebook does: everything in memory, differences of two neighbours, map distances; nothing written."""
    with rasterio.open(path) as source:
        z = source.read(1)
    north, east = np.gradient(z, 10.0)
    return np.degrees(np.arctan(np.hypot(east, north)))


@pytest.mark.slow
def test_slope_of_a_large_model_stays_within_a_minute_and_little_memory_per_hundred_million_cells(tmp_path):
    """10,000 × 10,000 cells: at most 60 s and 1.5 GB. Here 4,000 × 4,000: time in proportion, memory that of the tiles."""
    side = 4000
    path = model(tmp_path / "dem.tif", side)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(path), str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    took = json.loads(done.stdout)
    assert took["cpu_s"] * 1e8 / side**2 < 60, took
    assert took["peak_mb"] < 400, took


@pytest.mark.benchmark(group="slope of 4 million cells")
@pytest.mark.parametrize("who", ["ours", "naive", "gdaldem"])
def test_slope(benchmark, tmp_path, who):
    path = model(tmp_path / "dem.tif", 2000)
    if who == "ours":
        benchmark.pedantic(lambda: terrain.derive(path, tmp_path / "out", products=["slope"], overwrite=True), rounds=3)
    elif who == "naive":
        benchmark.pedantic(lambda: naive(path), rounds=3)
    else:
        if shutil.which("gdaldem") is None:
            pytest.skip("gdaldem (Debian package gdal-bin) is not installed")
        words = [
            "gdaldem",
            "slope",
            str(path),
            str(tmp_path / "g.tif"),
            "-q",
            "-of",
            "COG",
            "-co",
            "COMPRESS=DEFLATE",
            "-co",
            "PREDICTOR=YES",
        ]
        benchmark.pedantic(lambda: subprocess.run(words, check=True, capture_output=True), rounds=3)
