"""Coverage at national scale, beside geopandas, DuckDB spatial and PostGIS, as ratios of CPU time in one run.

    pytest tests/benchmarks/test_bench_release.py --benchmark-only                            10,000 releases, groups of pytest-benchmark
    python tests/benchmarks/test_bench_release.py 10000 [geos] [duckdb] [postgis] [outside]   one run, printed ratios
    python tests/benchmarks/test_bench_release.py 100000
    python tests/benchmarks/test_bench_release.py command 10000     `geotools coverage` of a GeoPackage beside reading and repairing it
    python tests/benchmarks/test_bench_release.py whole 1000        the whole of gt.coverage: CPU seconds and peak memory
    python tests/benchmarks/test_bench_release.py parts 1000000 serial threads dask     `geotools coverage` of layers in parts, on 2 workers

The yardstick is what a user would write: overlay for the pairs, dissolve per product, difference of the products, and
difference for what remains. It gives areas per product and remaining ground; the engines give that and the credit of each release.

DuckDB needs its extension `spatial`, which it fetches from the network by itself; here it is only loaded, from where DuckDB keeps it
or from the package duckdb-extension-spatial (of the same version as duckdb), and left out with the reason where it is not.
PostGIS runs in a cluster of its own (tests/postgis.py); its CPU is that of the server's processes.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.analysis import release
from geotools.analysis.release import engine
from geotools.io import parts as parts_
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


def spatial():
    """A DuckDB connection with its extension, or the reason why there is none."""
    try:
        import duckdb
    except ImportError:
        return None, "DuckDB is not installed"
    base = duckdb.connect(config={"threads": 1, "allow_unsigned_extensions": "true"})
    package = importlib.util.find_spec("duckdb_extension_spatial")
    kept = sorted(Path(package.origin).parent.rglob("spatial.duckdb_extension")) if package else []
    for what in ("spatial", *(f"'{file}'" for file in kept)):
        try:
            base.execute(f"load {what}")
            return base, ""
        except duckdb.Error as error:
            why = str(error).splitlines()[0]
    return None, f"DuckDB's extension spatial cannot be loaded: {why}"


AREAS = """with p as (select h.h, r.c, ST_Intersection(h.g, r.g) g from h join r on ST_Intersects(h.g, r.g)),
u as (select h, {union}(g) filter (where c = 0) a, {union}(g) filter (where c <= 1) b, {union}(g) d from p group by h)
select h.h, ST_Area(a), ST_Area(b), ST_Area(d),
{wkb}(ST_Difference(h.g, coalesce(d, ST_GeomFromText('POLYGON EMPTY')))) from h left join u using (h)"""


def duckdb_areas(ground, covers, strength):
    """The same areas and remaining ground in one SQL statement of DuckDB spatial: CPU seconds and m² released, or why not."""
    base, why = spatial()
    if base is None:
        return why
    base.register("hz", pd.DataFrame({"h": np.arange(len(ground)), "g": shapely.to_wkb(ground)}))
    base.register("rl", pd.DataFrame({"c": strength, "g": shapely.to_wkb(covers)}))
    base.execute(
        "create table h as select h, ST_GeomFromWKB(g) g from hz; create table r as select c, ST_GeomFromWKB(g) g from rl"
    )
    begin = time.process_time()
    rows = base.execute(AREAS.format(union="ST_Union_Agg", wkb="ST_AsWKB")).fetchall()
    return time.process_time() - begin, sum(row[3] or 0.0 for row in rows)


def postgis_areas(ground, covers, strength):
    """The same in PostGIS, one worker: CPU seconds of the server's process and m² released, or why not."""
    spec = importlib.util.spec_from_file_location("postgis", Path(__file__).parents[1] / "postgis.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["postgis"] = module
    spec.loader.exec_module(module)
    try:
        import psycopg

        cluster = module.launch()
    except (ImportError, RuntimeError) as error:
        return str(error)
    try:
        with psycopg.connect(cluster.url(cluster.database()), autocommit=True) as base:
            base.execute("set max_parallel_workers_per_gather = 0")
            for name, key, shapes, values in (("h", "h", ground, range(len(ground))), ("r", "c", covers, strength)):
                base.execute(f"create table {name} ({key} int, g geometry)")
                with base.cursor().copy(f"copy {name} from stdin") as copy:
                    for value, wkb in zip(values, shapely.to_wkb(shapes, hex=True), strict=True):
                        copy.write_row((int(value), wkb))
                base.execute(f"create index on {name} using gist (g)")
                base.execute(f"vacuum analyze {name}")
            begin = server_seconds(base.info.backend_pid)
            rows = base.execute(AREAS.format(union="ST_Union", wkb="ST_AsBinary")).fetchall()
            return server_seconds(base.info.backend_pid) - begin, sum(row[3] or 0.0 for row in rows)
    finally:
        cluster.stop(at_once=True)
        shutil.rmtree(cluster.folder, ignore_errors=True)


def server_seconds(pid):
    """CPU seconds of a process, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    for peer, ask in (("DuckDB spatial", duckdb_areas), ("PostGIS", postgis_areas)):
        if peer.split()[0].lower() not in wanted:
            continue
        found = ask(ground, covers, strength)
        if isinstance(found, str):
            print(f"  {peer:18} left out: {found}")
            continue
        ratios = ", ".join(f"{name} {found[0] / seconds:.1f}" for name, (seconds, *_) in figures.items())
        gap = abs(found[1] - per_class(work, figures["sweep"][2], strength).sum())
        print(f"  {peer:18} {found[0]:8.2f} s CPU   this/ours: {ratios}   largest difference {gap:.2e} m²")
    if "outside" in wanted:
        slow = cpu(overlay_outside, ground, covers)
        for name in ("geos", "sweep"):
            fast = cpu(lambda name=name: ours(outside(ground, covers, name)[0], name))
            print(
                f"  outside, {name:10} {fast[0]:8.2f} s CPU   overlay/this {slow[0] / fast[0]:.1f}; difference {abs(fast[2].left.sum() - slow[2]):.2e} m²; with the rest: {(naive[0] + slow[0]) / (figures[name][0] + fast[0]):.1f}"
            )
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


READ_AND_REPAIR = """
import sys, numpy, pyogrio, shapely
for layer in ("hazards", "releases"):
    shapes = numpy.array(pyogrio.read_dataframe(sys.argv[1], layer=layer, use_arrow=True).geometry.array)
    bad = ~shapely.is_valid(shapes)
    shapes[bad] = shapely.make_valid(shapes[bad])
"""


def of_child(words):
    """CPU and wall seconds of a program."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=usual)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - begin


def command(n, rounds=3):
    """The whole command, start of the interpreter included, beside a script that only reads and repairs: (CPU, wall) of both, round by round."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "national.gpkg")
        for name, frame in zip(("hazards", "releases"), national(n), strict=True):
            frame.to_file(file, layer=name)
        ours = [sys.executable, "-c", "from geotools.cli.main import main; main()", "coverage", str(file)]
        of_child(ours)
        for _ in range(rounds):
            found.append((of_child([sys.executable, "-c", READ_AND_REPAIR, str(file)]), of_child(ours)))
    for bare, all_ in found:
        print(
            f"{n} releases: read and repair {bare[0]:.2f} s CPU {bare[1]:.2f} s wall, geotools coverage {all_[0]:.2f} s CPU {all_[1]:.2f} s wall: "
            f"{all_[0] / bare[0]:.2f} CPU {all_[1] / bare[1]:.2f} wall"
        )
    return found


def whole(n):
    """All of gt.coverage with its issues, without and with remaining ground."""
    hazards, releases = national(n)
    small = national(1000, seed=5)
    for geometry in (False, True):
        release.coverage(*small, geometry=geometry, engine="sweep")
        begin = time.process_time()
        found = release.coverage(hazards, releases, geometry=geometry, engine="sweep")
        table, issues = time.process_time() - begin, len(found.issues)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{n} releases, {'with' if geometry else 'without'} remaining ground: {table:.2f} s CPU, with {issues} issues "
            f"{time.process_time() - begin:.2f} s CPU, peak memory {peak:.2f} GB"
        )


MEASURED = """
import os, resource, sys, time
from geotools.cli.main import cli
begin = time.perf_counter()
try:
    cli(sys.argv[2:], standalone_mode=False)
except SystemExit:
    pass
own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss knows the parent's
with open(sys.argv[1], "w") as told:
    told.write(f"{seconds} {time.perf_counter() - begin} {peak / 1e6}")
"""


def parts(sizes, *executors):
    """`geotools coverage` of layers in parts: CPU and wall seconds, peak GB of the command without workers, per size and executor."""
    found = {}
    for n in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for kind, frame in zip(("hazards", "releases"), national(n), strict=True):
                parts_.write(frame, Path(folder, f"{kind}.parquet"), kind)
            del frame
            for name in executors:
                note, way = (
                    Path(folder, "note"),
                    ["--executor", name, *([] if name == "serial" else ["--workers", "2"])],
                )
                words = [
                    sys.executable,
                    "-c",
                    MEASURED,
                    str(note),
                    "coverage",
                    folder,
                    "--by",
                    "product",
                    "--quiet",
                    *way,
                ]
                said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
                found[n, name] = (*map(float, note.read_text().split()), said)
                print(
                    n,
                    name,
                    "CPU {:.1f} s, wall {:.1f} s, {:.2f} GB".format(*found[n, name]),
                    flush=True,
                )
            assert len({found[n, name][-1] for name in executors}) == 1
    return found


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
    """At 2,000 releases: both engines are several times cheaper than overlays, and all agree."""
    pytest.importorskip("numba")
    ground, covers, strength = repaired(2_000)
    ours(engine.job(ground[:20], covers[:200]), "sweep")
    work = engine.job(ground, covers)
    naive = cpu(overlay, ground, covers, strength)
    for name, least in (("sweep", 3.5), ("geos", 2.5)):
        seconds, _, found = cpu(ours, work, name)
        assert np.allclose(np.r_[per_class(work, found, strength), found.left.sum()], naive[2], rtol=1e-9, atol=1e-3)
        assert naive[0] / seconds > least


@pytest.mark.slow
def test_the_command_takes_a_few_times_what_reading_takes():
    """10,000 releases from a GeoPackage to the printed ledger: about twice the time of reading and repairing alone (2.6 times under load)."""
    pytest.importorskip("numba")
    found = command(10_000)
    for measure in (0, 1):  # CPU, wall
        bare, all_ = (min(pair[way][measure] for pair in found) for way in (0, 1))
        assert all_ < 2.6 * bare


@pytest.mark.slow
def test_polygons_of_parts_are_not_in_memory():
    """40,000 releases with everything that is said about them, in less than their frames and ledger take in memory (0.82 GB)."""
    pytest.importorskip("numba")
    assert parts([40_000], "serial")[40_000, "serial"][2] < 0.79


if __name__ == "__main__":
    if sys.argv[1] == "parts":
        parts([int(sys.argv[2])], *(sys.argv[3:] or ["serial"]))
    elif sys.argv[1] in ("command", "whole"):
        {"command": command, "whole": whole}[sys.argv[1]](int(sys.argv[2]))
    else:
        report(int(sys.argv[1]), *sys.argv[2:])
