"""Areas and states of the ledger wherever ground lies: seams of zones, poles, the 180th meridian, one millimetre to 100 km."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

import geotools as gt

GEOD = pyproj.Geod(ellps="WGS84")  # GeographicLib in C
NONE = gpd.GeoDataFrame({"id": [], "product": [], "date": []}, geometry=[], crs=4326)
PLACES = {
    "Fuzuli": (47.2, 39.6), "seam of 48 E": (48.0, 39.6), "seam of 42 E": (42.0, 40.1), "equator": (30.0, 0.0), "south": (-70.0, -50.0),
    "far north": (20.0, 78.0), "beside the pole": (10.0, 89.9), "west of 180": (179.9999, -17.0), "east of 180": (-180.0, 10.0),
}  # fmt: skip


def star(lon, lat, size, seed):
    rng = np.random.default_rng(seed)
    azimuth = np.sort(rng.uniform(0, 360, 24))
    far = size * rng.uniform(0.5, 1, 24)
    x, y, _ = GEOD.fwd(np.full(24, lon), np.full(24, lat), azimuth, far)
    return shapely.Polygon(np.column_stack([x, y]))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [1.0, 80.0, 3_000.0, 1e5])
def test_areas_are_those_of_the_ellipsoid(place, size):
    lon, lat = PLACES[place]
    ring = star(lon, lat, size, 3)
    want = abs(GEOD.polygon_area_perimeter(*ring.exterior.xy)[0])
    field = gpd.GeoDataFrame({"id": ["H"], "date_info": ["2020-01-01"]}, geometry=[ring], crs=4326)
    found = gt.coverage(field, field.assign(product="cleared", date="2021-01-01"))
    assert found.totals["area_m2"] == pytest.approx(want, rel=1e-9, abs=1e-4)
    assert found.totals["remaining_m2"] == pytest.approx(0, abs=1e-6)
    assert gt.coverage(field, NONE).totals["remaining_m2"] == pytest.approx(want, rel=1e-9, abs=1e-4)


WAYS = {
    "wrapped": shapely.Polygon([(179.9995, 10), (-179.9995, 10), (-179.9995, 10.001), (179.9995, 10.001)]),
    "in parts": shapely.MultiPolygon(
        [shapely.box(179.9995, 10, 180, 10.001), shapely.box(-180, 10, -179.9995, 10.001)]
    ),
    "beyond 180": shapely.box(179.9995, 10, 180.0005, 10.001),
    "below -180": shapely.box(-180.0005, 10, -179.9995, 10.001),
}


@pytest.mark.parametrize("way", WAYS)
def test_ground_on_both_sides_of_the_180th_meridian(way):
    sides = [shapely.box(179.999, 10, 180, 10.001), shapely.box(-180, 10, -179.999, 10.001)]
    field = gpd.GeoDataFrame({"id": ["west", "east"]}, geometry=sides, crs=4326)
    done = gpd.GeoDataFrame(
        {"id": ["R"], "product": ["cleared"], "date": ["2021-01-01"]}, geometry=[WAYS[way]], crs=4326
    )
    found = gt.coverage(field, done)
    half = found.table["area_m2"].to_numpy() / 2
    assert half == pytest.approx(6063.47, abs=0.01)
    assert found.table["released_m2"].to_numpy() == pytest.approx(
        half, abs=5e-3
    )  # an edge in two halves is not the geodesic of the whole
    assert found.totals["outside_m2"] == pytest.approx(0, abs=5e-3)


def test_one_row_on_another_continent_moves_nothing():
    field = gpd.GeoDataFrame({"id": list("abc")}, geometry=[star(47.2, 39.6, 100, n) for n in range(3)], crs=4326)
    far = gpd.GeoDataFrame({"id": ["far"]}, geometry=[star(-122, 40, 100, 9)], crs=4326)
    alone = gt.coverage(field, NONE).table["area_m2"].tolist()
    both = gt.coverage(gpd.pd.concat([field, far]), NONE).table.set_index("id")["area_m2"]
    assert both[["a", "b", "c"]].tolist() == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("engine", ["geos", "sweep"])
def test_a_hole_beside_its_shell_releases_nothing(engine):
    if engine == "sweep":
        pytest.importorskip("numba")
    shell, stray = (
        shapely.box(700_000, 4_380_000, 700_050, 4_380_100),
        shapely.box(700_060, 4_380_000, 700_070, 4_380_100),
    )
    field = gpd.GeoDataFrame({"id": ["H"]}, geometry=[shapely.box(700_000, 4_380_000, 700_100, 4_380_100)], crs=32638)
    one = shapely.Polygon(shell.exterior, [stray.exterior])
    for shape in (one, shapely.MultiPolygon([one, shapely.box(700_080, 4_380_000, 700_090, 4_380_100)])):
        done = gpd.GeoDataFrame({"id": ["R"]}, geometry=[shape], crs=32638)
        found = gt.coverage(field, done, product="cleared", date="2021-01-01", engine=engine)
        share = 0.5 if shape is one else 0.6
        assert found.totals["coverage"] == pytest.approx(share, rel=1e-6)
        assert "RL-03" in set(found.issues["check"])


def test_an_accuracy_beyond_the_earth_is_none():
    field = gpd.GeoDataFrame({"id": ["H"], "h_acc_m": [1e308]}, geometry=[star(47.2, 39.6, 100, 1)], crs=4326)
    plain = gt.coverage(field.drop(columns="h_acc_m"), NONE).table["area_sigma_m2"]
    assert gt.coverage(field, NONE).table["area_sigma_m2"].tolist() == plain.tolist()


def test_a_corner_that_is_no_number_is_told_without_a_warning():
    with np.errstate(invalid="ignore"):
        odd = shapely.Polygon([(47, 39, 1), (47.1, np.nan, 1), (47.1, 39.1, 1)])
    field = gpd.GeoDataFrame({"id": ["H"]}, geometry=[odd], crs=4326)
    assert set(gt.coverage(field, NONE).issues["check"]) >= {"RL-01"}


def test_reported_areas_may_be_any_number():
    given = [1e308, 1e308, 500.0]
    field = gpd.GeoDataFrame({"id": ["H", "I", "J"], "area_reported_m2": given}, geometry=[None] * 3, crs=4326)
    found = gt.coverage(field, NONE)
    assert found.totals["reported_without_ground_m2"] == 500  # larger than the Earth is no area
    assert "3 hazards have no usable polygon" in found.summary()
