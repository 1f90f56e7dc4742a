"""Coverage at national scale, beside geopandas and DuckDB, as ratios of CPU time in one run.

    pytest tests/benchmarks/test_bench_release.py --benchmark-only                            10,000 releases, groups of pytest-benchmark
    python tests/benchmarks/test_bench_release.py 10000 [geos] [duckdb] [outside]             one run, printed ratios
    python tests/benchmarks/test_bench_release.py 100000

The yardstick is what a user would write: overlay for the pairs, dissolve per product, difference of the products, and
difference for what remains. It gives areas per product and remaining ground; the engines give that and the credit of each release.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.analysis.release import engine
from geotools.space.geom import repair

_spec = importlib.util.spec_from_file_location("national", Path(__file__).with_name("national.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
national = _module.national
WORDS = ("cleared", "reduced", "cancelled")


def repaired(n, seed=0):
    """Valid polygons on a plane, releases in order of strength (cleared first), with their class."""
    hazards, releases = national(n, seed, crs=None)
    releases = releases[releases.geometry.notna()]
    strength = np.array([WORDS.index(word) for word in releases["product"]])
    order = np.argsort(strength, kind="stable")
    return repair(hazards.geometry.array), repair(releases.geometry.array)[order], strength[order]


def ours(work, name, threads=1):
    return engine.solve(work, name, threads=threads)


def overlay(ground, covers, strength):
    """Areas per product, no m² twice, and remaining ground, by geopandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hazards = gpd.GeoDataFrame({"h": np.arange(len(ground))}, geometry=ground)
        releases = gpd.GeoDataFrame({"c": strength}, geometry=covers)
        pairs = gpd.overlay(hazards, releases, how="intersection")
        one = pairs.dissolve(by=["h", "c"]).reset_index()
        cleared, reduced, cancelled = (one[one["c"] == c] for c in range(3))
        reduced = gpd.overlay(reduced, cleared[["geometry"]], how="difference")
        cancelled = gpd.overlay(
            gpd.overlay(cancelled, cleared[["geometry"]], how="difference"), reduced[["geometry"]], how="difference"
        )
        rest = gpd.overlay(hazards, releases, how="difference")
        return [frame.area.sum() for frame in (cleared, reduced, cancelled, rest)]


def overlay_outside(ground, covers):
    """Released ground outside every hazard, no m² twice, by geopandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hazards, releases = (gpd.GeoDataFrame(geometry=shapes) for shapes in (ground, covers))
        return gpd.overlay(releases, hazards, how="difference").dissolve().area.sum()


def outside(ground, covers, name):
    """The same by an engine: what neither a hazard nor an earlier release covers."""
    one, hazard = shapely.STRtree(ground).query(covers)
    two, earlier = shapely.STRtree(covers).query(covers)
    before = earlier < two
    blockers = np.r_[ground, covers]
    return engine.paired(
        covers, blockers, np.r_[one, two[before]], np.r_[hazard, earlier[before] + len(ground)], credit=False
    ), name


def duckdb_areas(ground, covers, strength):
    """The same areas in one SQL statement of DuckDB spatial; None where the extension is not installed."""
    duckdb = pytest.importorskip("duckdb")
    base = duckdb.connect(config={"threads": 1})
    try:
        base.load_extension("spatial")
    except duckdb.Error:
        return None
    hazards = {"h": np.arange(len(ground)), "g": shapely.to_wkb(ground)}
    import pandas as pd

    base.register("hz", pd.DataFrame(hazards))
    base.register("rl", pd.DataFrame({"c": strength, "g": shapely.to_wkb(covers)}))
    base.execute(
        "create table h as select h, ST_GeomFromWKB(g) g from hz; create table r as select c, ST_GeomFromWKB(g) g from rl"
    )
    begin = time.process_time()
    rows = base.execute(
        """with p as (select h.h, r.c, ST_Intersection(h.g, r.g) g from h join r on ST_Intersects(h.g, r.g)),
        u as (select h, ST_Union_Agg(g) filter (c = 0) a, ST_Union_Agg(g) filter (c <= 1) b, ST_Union_Agg(g) d from p group by h)
        select h.h, ST_Area(a), ST_Area(b), ST_Area(d), ST_AsWKB(ST_Difference(h.g, coalesce(d, ST_GeomFromText('POLYGON EMPTY')))) from h left join u using (h)"""
    ).fetchall()
    return time.process_time() - begin, rows


def cpu(function, *arguments):
    begin, wall = time.process_time(), time.perf_counter()
    result = function(*arguments)
    return time.process_time() - begin, time.perf_counter() - wall, result


def per_class(work, found, strength):
    return np.bincount(strength[work.cover], weights=found.net, minlength=3)


def report(n, *wanted):
    ground, covers, strength = repaired(n)
    warm = engine.job(ground[:20], covers[:200])
    ours(warm, "sweep")
    work, areas = engine.job(ground, covers), engine.job(ground, covers, geometry=False)
    inside = shapely.covers(ground[work.container], covers[work.cover]).mean()
    print(f"{n} releases, {len(ground)} hazards, {len(work.cover)} pairs, {inside:.0%} wholly inside")
    figures = {}
    figures["sweep, areas only"] = cpu(ours, areas, "sweep")
    figures["sweep"] = cpu(ours, work, "sweep")
    if n <= 20_000 or "geos" in wanted:
        figures["geos"] = cpu(ours, work, "geos")
        figures["geos, 2 threads"] = cpu(ours, work, "geos", 2)
    naive = cpu(overlay, ground, covers, strength)
    for name, (seconds, wall, found) in figures.items():
        gap = np.abs(np.r_[per_class(work, found, strength), found.left.sum()] - naive[2]).max()
        print(
            f"  {name:18} {seconds:8.2f} s CPU {wall:8.2f} s wall   overlay/this: {naive[0] / seconds:5.1f} CPU {naive[1] / wall:5.1f} wall   largest difference {gap:.2e} m²"
        )
    print(f"  {'geopandas.overlay':18} {naive[0]:8.2f} s CPU {naive[1]:8.2f} s wall")
    if "duckdb" in wanted and (found := duckdb_areas(ground, covers, strength)):
        print(f"  {'DuckDB spatial':18} {found[0]:8.2f} s CPU   this/geos {found[0] / figures['geos'][0]:.1f}")
    if "outside" in wanted:
        slow = cpu(overlay_outside, ground, covers)
        for name in ("geos", "sweep"):
            fast = cpu(lambda name=name: ours(outside(ground, covers, name)[0], name))
            print(
                f"  outside, {name:10} {fast[0]:8.2f} s CPU   overlay/this {slow[0] / fast[0]:.1f}; difference {abs(fast[2].left.sum() - slow[2]):.2e} m²; with the rest: {(naive[0] + slow[0]) / (figures[name][0] + fast[0]):.1f}"
            )
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


@pytest.fixture(scope="module")
def country():
    pytest.importorskip("numba")
    ground, covers, strength = repaired(10_000)
    ours(engine.job(ground[:20], covers[:200]), "sweep")
    return ground, covers, strength


@pytest.mark.benchmark(group="coverage of 10,000 releases")
@pytest.mark.parametrize("way", ["sweep", "sweep areas", "geos", "overlay"])
def test_coverage(benchmark, country, way):
    ground, covers, _ = country
    if way == "overlay":
        benchmark.pedantic(overlay, args=country, rounds=1)
        return
    work = engine.job(ground, covers, geometry=way != "sweep areas")
    benchmark.pedantic(ours, args=(work, way.split()[0]), rounds=1)


@pytest.mark.slow
def test_ratios_hold():
    """At 2,000 releases: the sweep is several times cheaper than overlays, GEOS in bulk is not dearer, and all agree."""
    pytest.importorskip("numba")
    ground, covers, strength = repaired(2_000)
    ours(engine.job(ground[:20], covers[:200]), "sweep")
    work = engine.job(ground, covers)
    naive = cpu(overlay, ground, covers, strength)
    for name, least in (("sweep", 3.5), ("geos", 1.1)):
        seconds, _, found = cpu(ours, work, name)
        assert np.allclose(np.r_[per_class(work, found, strength), found.left.sum()], naive[2], rtol=1e-9, atol=1e-3)
        assert naive[0] / seconds > least


if __name__ == "__main__":
    report(int(sys.argv[1]), *sys.argv[2:])
