"""Reading: ours beside the plain library call and beside the peer, in one run; the ratios count, not the seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import gpxpy
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geotools import io
from geotools.io import gpx
from geotools.io.raw import Source

POLYGONS = 10_000
POINTS = 200_000


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """10,000 hazards of 40 corners each; 7 in a hundred cross themselves, as in real files."""
    rng = np.random.default_rng(7)
    centres = rng.uniform([46.5, 39.0], [48.0, 40.5], (POLYGONS, 2))
    angles = np.sort(rng.uniform(0, 2 * np.pi, (POLYGONS, 40)), axis=1)
    rings = centres[:, None, :] + 0.002 * np.dstack([np.cos(angles), np.sin(angles)])
    rings[::14, [3, 9]] = rings[::14, [9, 3]]
    frame = gpd.GeoDataFrame(
        {
            "id": [f"H-{i}" for i in range(POLYGONS)],
            "name": "Füzuli ərazisi",
            "classification": rng.choice(["CHA", "SHA"], POLYGONS),
            "status": rng.choice(["open", "closed"], POLYGONS),
            "area_reported_m2": rng.uniform(1, 1e5, POLYGONS),
            "date_info": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, POLYGONS), unit="D"),
        },
        geometry=shapely.polygons(rings),
        crs="EPSG:4326",
    )
    return io.write(frame, tmp_path_factory.mktemp("bench") / "hazards.gpkg")


@pytest.fixture(scope="module")
def walk(tmp_path_factory) -> Path:
    """A GPX log of 200,000 points in four tracks."""
    path = tmp_path_factory.mktemp("bench") / "walk.gpx"
    with path.open("w") as stream:
        stream.write(
            '<?xml version="1.0"?>\n<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">\n'
        )
        for track in range(4):
            stream.write(f"<trk><name>T{track}</name><trkseg>\n")
            for i in range(POINTS // 4):
                clock = f"{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}"
                place = f'lat="{39 + i * 1e-6:.7f}" lon="{47 + i * 1e-6:.7f}"'
                stream.write(f"<trkpt {place}><ele>{100 + i % 7}</ele><time>2024-05-01T{clock}Z</time></trkpt>\n")
            stream.write("</trkseg></trk>\n")
        stream.write("</gpx>\n")
    return path


def plain_read(path: Path) -> Any:
    frame = pyogrio.read_dataframe(path)
    shapely.is_valid(frame.geometry.array)
    return frame


def plain_repair(path: Path) -> Any:
    """What a careful script does: read, repair, measure the repaired on the ellipsoid."""
    from geotools.space import geom, measure

    frame = pyogrio.read_dataframe(path)
    bad = ~shapely.is_valid(frame.geometry.array)
    measure.area(frame.geometry[bad])
    frame.loc[bad, "geometry"] = geom.repair(frame.geometry.array[bad])
    measure.area(frame.geometry[bad])
    return frame


@pytest.mark.benchmark(group="GeoPackage, 10,000 areas")
@pytest.mark.parametrize(
    "read",
    [lambda p: io.read_with_issues(p, "hazards"), plain_read, plain_repair],
    ids=["ours", "pyogrio+validity", "pyogrio+repair"],
)
def test_geopackage(benchmark, read, package):
    benchmark(read, package)


@pytest.mark.benchmark(group="GPX, 200,000 points")
@pytest.mark.parametrize(
    "read",
    [lambda p: gpx.Document(Source(p)), lambda p: gpxpy.parse(p.read_text()), lambda p: io.read(p, "fixes")],
    ids=["ours", "gpxpy", "ours, to a checked layer"],
)
def test_gpx(benchmark, read, walk):
    benchmark.pedantic(read, (walk,), rounds=2)


def cpu(call: Callable[[], Any], rounds: int = 3) -> float:
    """The best of some rounds, in seconds of processor time."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return min(times)


@pytest.mark.slow
def test_gpx_is_many_times_faster_than_gpxpy(walk):
    ours, theirs = cpu(lambda: gpx.Document(Source(walk))), cpu(lambda: gpxpy.parse(walk.read_text()), rounds=1)
    assert gpx.Document(Source(walk)).counts["fixes"] == POINTS
    assert theirs / ours > 6  # 9 to 12 on a quiet machine


@pytest.mark.slow
def test_accounting_costs_little(package):
    ours = cpu(lambda: io.read_with_issues(package))
    assert ours / cpu(lambda: plain_repair(package)) < 2.5
