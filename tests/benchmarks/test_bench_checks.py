"""Checks on many polygons: seconds of processor time, growth, and a pairwise geopandas version beside it.

pytest tests/benchmarks/test_bench_checks.py --benchmark-only -o addopts="--import-mode=importlib"
"""

from __future__ import annotations

import math
import resource
import time
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt

RULES = "GC,TP"


def polygons(count: int, seed: int = 0) -> dict[str, gpd.GeoDataFrame]:
    """Six tenths hazards of 8 to 60 points, some crossing, some reaching into neighbours; four tenths releases in them."""
    rng = np.random.default_rng(seed)
    hazards = int(count * 0.6)
    side = math.ceil(math.sqrt(hazards))
    number = np.arange(hazards)
    x, y = 400_000 + (number % side) * 260.0, 4_300_000 + (number // side) * 260.0
    shapes = []
    for k in range(hazards):
        points = int(rng.integers(8, 61))
        angle = (np.arange(points) + rng.uniform(-0.3, 0.3, points)) * 2 * np.pi / points
        reach = rng.uniform(60, 115) * rng.uniform(0.85, 1.0, points) * (1.6 if rng.random() < 0.05 else 1.0)
        xy = np.column_stack([x[k] + reach * np.cos(angle), y[k] + reach * np.sin(angle)])
        if rng.random() < 0.01:
            at = int(rng.integers(0, points - 1))
            xy[[at, at + 1]] = xy[[at + 1, at]]
        shapes.append(shapely.Polygon(xy))
    table = pd.DataFrame(
        {
            "id": [f"H-{k:06}" for k in number],
            "classification": "CHA",
            "status": "open",
            "organisation": np.where(number % 2, "A", "B"),
        }
    )
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:32638")
    chosen = rng.permutation(hazards)[: count - hazards]
    valid = shapely.make_valid(frame.geometry.array[chosen])
    box = shapely.bounds(valid)
    half = shapely.box(box[:, 0] - 1, box[:, 1] - 1, (box[:, 0] + box[:, 2]) / 2, box[:, 3] + 1)
    pieces = shapely.intersection(valid, half)
    releases = pd.DataFrame(
        {
            "id": [f"R-{k:06}" for k in chosen],
            "hazard_id": [f"H-{k:06}" for k in chosen],
            "product": "cleared",
            "method": "manual",
            "depth_cm": 20.0,
        }
    )
    return {"hazards": frame, "releases": gpd.GeoDataFrame(releases, geometry=pieces, crs="EPSG:32638")}


def naive(layers: dict[str, gpd.GeoDataFrame]) -> int:
    """What a script does: validity, then every polygon against the whole layer, layer by layer."""
    found = 0
    for frame in layers.values():
        plane = gpd.GeoDataFrame(frame.assign(geometry=frame.geometry.make_valid()))
        found += int((~frame.geometry.is_valid).sum())
        for k, shape in enumerate(plane.geometry):
            others = plane.geometry.iloc[k + 1 :]
            found += int((others.intersection(shape).area > 1).sum())
    return found


def seconds(function: Any, *arguments: Any, **options: Any) -> tuple[float, Any]:
    start = time.process_time()
    result = function(*arguments, **options)
    return time.process_time() - start, result


@pytest.mark.parametrize("who", ["ours", "pairwise geopandas"])
@pytest.mark.benchmark(group="checks: 1,000 polygons, overlaps and validity")
def test_bench_thousand(benchmark, who):
    layers = polygons(1000)
    run = (lambda: gt.check(layers, only=RULES)) if who == "ours" else (lambda: naive(layers))
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
@pytest.mark.benchmark(group="checks: growth of all geometry and relation rules")
def test_bench_growth(benchmark, count):
    layers = polygons(count)
    spent = []
    benchmark.pedantic(lambda: spent.append(seconds(gt.check, layers, only=RULES)[0]), rounds=1)
    benchmark.extra_info |= {
        "cpu_s": round(spent[0], 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


@pytest.mark.slow
def test_cost_grows_no_faster_than_n_log_n_and_beats_pairs():
    gt.check(polygons(200), only=RULES)
    small, large = polygons(1_000), polygons(10_000)
    first, issues = min((seconds(gt.check, small, only=RULES) for _ in range(3)), key=lambda r: r[0])
    second, _ = seconds(gt.check, large, only=RULES)
    allowed = 10 * math.log(10_000) / math.log(1_000)
    assert second / first < 1.5 * allowed
    pairwise, found = seconds(naive, small)
    assert (
        pairwise / first > 1.2
    )  # and that is validity and overlap alone; ours ran every rule of geometry and relation
    seen = issues["check"].value_counts()
    assert found == sum(int(seen.get(code, 0)) for code in ("GC-01", "TP-01", "TP-03", "TP-14", "TP-15")) > 0
