"""Areas of many polygons and grid references of many points: ours beside the loop people write."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.space import crs, measure


@pytest.fixture(scope="module")
def polygons():
    rng = np.random.default_rng(1)
    n = 20_000
    middle = np.column_stack([rng.uniform(45, 51, n), rng.uniform(38.5, 42, n)])
    turn, r = np.sort(rng.uniform(0, 2 * np.pi, (n, 25)), axis=1), rng.uniform(30, 300, (n, 25)) / 111_000
    xy = np.stack([middle[:, :1] + r * np.cos(turn) / 0.77, middle[:, 1:] + r * np.sin(turn)], axis=2)
    return gpd.GeoSeries(shapely.polygons(np.concatenate([xy, xy[:, :1]], axis=1)), crs=4326)


@pytest.mark.benchmark(group="area of 20,000 polygons of 25 vertices")
def test_area_ours(benchmark, polygons):
    assert (benchmark(lambda: measure.area(polygons)) > 0).all()


@pytest.mark.benchmark(group="area of 20,000 polygons of 25 vertices")
def test_area_pyproj_loop(benchmark, polygons):
    benchmark.pedantic(lambda: [abs(crs.GEOD.geometry_area_perimeter(shape)[0]) for shape in polygons], rounds=2)


@pytest.mark.benchmark(group="grid references of 20,000 points")
def test_mgrs_ours(benchmark, polygons):
    points = polygons.centroid if polygons.crs is None else shapely.centroid(polygons.to_numpy())
    x, y = shapely.get_x(points), shapely.get_y(points)
    benchmark(lambda: crs.to_mgrs(x, y))


@pytest.mark.benchmark(group="grid references read back, 20,000")
def test_mgrs_back(benchmark, polygons):
    points = shapely.centroid(polygons.to_numpy())
    texts = crs.to_mgrs(shapely.get_x(points), shapely.get_y(points))
    benchmark(lambda: crs.from_mgrs(texts))
