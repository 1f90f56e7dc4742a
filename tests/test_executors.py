"""Whatever the executor: the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
