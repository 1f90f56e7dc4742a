"""Whatever the executor: the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
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


def national(count: int, seed: int = 5) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Overlapping hazards and releases over half a degree, synthetic."""
    rng = np.random.default_rng(seed)

    def ground(n: int, size: float) -> gpd.GeoSeries:
        x, y = rng.uniform(7e5, 7.4e5, n), rng.uniform(4.36e6, 4.4e6, n)
        side = rng.uniform(0.3, 1, n) * size
        return gpd.GeoSeries(shapely.buffer(shapely.points(x, y), side, quad_segs=6), crs="EPSG:32638")

    hazards = gpd.GeoDataFrame({"id": [f"H-{n}" for n in range(count // 5)]}, geometry=ground(count // 5, 900.0))
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, count), unit="D")
    table = {
        "id": [f"R-{n}" for n in range(count)], "date": day, "product": rng.choice(["cleared", "reduced", "cancelled"], count),
        "method": rng.choice(["manual", "mechanical"], count),
    }  # fmt: skip
    return hazards, gpd.GeoDataFrame(table, geometry=ground(count, 500.0))


def alike(one: Any, two: Any) -> None:
    pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)
    pd.testing.assert_frame_equal(one.credits, two.credits, check_exact=True)
    assert one.totals.equals(two.totals)
    for layer in ("remaining", "released", "outside"):
        assert (
            shapely.to_wkb(getattr(one, layer).geometry.array).tolist()
            == shapely.to_wkb(getattr(two, layer).geometry.array).tolist()
        )


ENGINES = ["geos", pytest.param("sweep", marks=pytest.mark.slow)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("executor", ["threads", DASK])
def test_the_ledger_is_the_same_to_the_bit_under_every_executor(engine: str, executor: str) -> None:
    layers = national(300)
    with parallel.using("serial"):
        one = gt.coverage(*layers, engine=engine, chunk=3_000)
        alike(one, one)  # works the layers out here, not later
    with parallel.using(executor, workers=2):
        two = gt.coverage(*layers, engine=engine, chunk=5_000)
        alike(one, two)


def test_a_ledger_goes_on_where_it_was_and_never_trusts_a_damaged_part(tmp_path: Path) -> None:
    layers = national(300)
    with parallel.using("threads", workers=2, keep=tmp_path / "parts"):
        one = gt.coverage(*layers, engine="geos", chunk=3_000)
        parts = sorted((tmp_path / "parts").iterdir())
        assert len(parts) > 3
        parts[0].write_bytes(b"")
        parts[1].unlink()
        stamps = {p.name: p.stat().st_mtime_ns for p in parts[2:]}
        alike(one, gt.coverage(*layers, engine="geos", chunk=3_000))
        assert {p.name: p.stat().st_mtime_ns for p in parts[2:]} == stamps
        other = national(300, seed=6)
        changed = gt.coverage(*other, engine="geos", chunk=3_000)
    alike(changed, gt.coverage(*other, engine="geos"))
