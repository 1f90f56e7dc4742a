"""A small survey, and the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

X, Y = 683_000.0, 4_385_000.0
UTM = "EPSG:32638"
NOON = "1780315200"  # 2026-06-01T12:00:00Z
WORDS = [sys.executable, "-c", "from geotools.cli import main; main()"]


def square(x: float, side: float = 100.0) -> shapely.Polygon:
    return shapely.box(X + x, Y, X + x + side, Y + side)


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    folder = tmp_path / "survey"
    folder.mkdir()
    hazards = gpd.GeoDataFrame(
        {"id": ["İ-1", "ı-2"], "classification": ["CHA", "SHA"], "status": ["open", "open"], "date_info": ["2021-03-04", "04.03.2021"]},
        geometry=[square(0), square(300)], crs=UTM,
    )  # fmt: skip
    releases = gpd.GeoDataFrame(
        {"id": ["R-1", "R-2"], "hazard_id": ["İ-1", "ı-2"], "product": ["Təmizlənmiş", "REDUCED"], "method": ["MANUAL", "nts"],
         "date": ["2024-05-01", "2024-06-01"], "depth_cm": [20, None]},
        geometry=[square(0, 50.0), square(300, 70.0)], crs=UTM,
    )  # fmt: skip
    hazards.to_file(folder / "hazards.gpkg", layer="hazards")
    releases.to_file(folder / "releases.geojson")
    heights(folder / "dem.tif")
    return folder


def heights(path: Path) -> None:
    from geotools.io.rasters import write_raster
    from geotools.space.grid import Grid, Raster

    values = np.add.outer(np.arange(60.0), np.arange(80.0)).astype("float32")
    write_raster(Raster(values, Grid(X - 200, Y + 400, 10, values.shape, UTM), name="height"), path)


@pytest.fixture
def geotools() -> Callable[..., subprocess.CompletedProcess]:
    def call(*arguments: object, code: int | None = 0, **surroundings: str) -> subprocess.CompletedProcess:
        """Run a command under other environment variables; no trace, whatever happens."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "SOURCE_DATE_EPOCH": NOON,
            **surroundings,
        }
        done = subprocess.run(
            [*WORDS, *(os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments)],
            capture_output=True, env=environment, timeout=120, check=False,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, done.stderr.decode("utf-8", "replace")
        assert code is None or done.returncode == code, done.stderr.decode("utf-8", "replace")
        return done

    return call
