"""Areas and lengths: against GeographicLib, on both sides of 48° E, in any system, whatever the ring order."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import CRSError
from geotools.space import crs, measure


def outside_answer(ring) -> float:
    """Area of a ring by GeographicLib's own Python, not by PROJ."""
    polygon = Geodesic.WGS84.Polygon()
    for lon, lat in shapely.get_coordinates(ring)[:-1]:
        polygon.AddPoint(lat, lon)
    return abs(polygon.Compute(False, True)[2])


def star(lon, lat, radius_m=200.0, corners=25, seed=0):
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    r = rng.uniform(0.3, 1.0, corners) * radius_m / 111_000
    return shapely.Polygon(np.column_stack([lon + r * np.cos(turn) / np.cos(np.radians(lat)), lat + r * np.sin(turn)]))


@pytest.mark.parametrize("lon", [45.0, 47.999, 48.0, 49.9])
@pytest.mark.parametrize("radius_m", [5, 300, 20_000])
def test_area_is_geographiclibs_to_a_billionth(lon, radius_m):
    shape = star(lon, 40.0, radius_m)
    assert measure.area(shape) == pytest.approx(outside_answer(shape.exterior), rel=1e-9, abs=3e-5)


def test_holes_are_subtracted_in_either_ring_order():
    shell, hole = star(48.0, 40.0, 400), shapely.box(47.9999, 39.9999, 48.0001, 40.0001)
    want = outside_answer(shell.exterior) - outside_answer(hole.exterior)
    for outer in (shell.exterior.coords, shell.exterior.coords[::-1]):
        for inner in (hole.exterior.coords, hole.exterior.coords[::-1]):
            assert measure.area(shapely.Polygon(outer, [inner])) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize(
    "system", ["EPSG:32638", "EPSG:32639", "EPSG:28408", "EPSG:3857", "EPSG:6933", "ft-us", "EPSG:5254"]
)
def test_the_system_of_the_layer_does_not_matter(system):
    shape = star(47.9, 40.0, 300)
    target = "+proj=utm +zone=38 +datum=WGS84 +units=us-ft" if system == "ft-us" else system
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shape], crs=4326, index=[7])
    moved = crs.shift(frame, target)[0] if system == "EPSG:28408" else frame.to_crs(target)
    got = measure.area(moved)
    assert got.index.tolist() == [7]
    assert got.name == "area_m2"
    assert got.iloc[0] == pytest.approx(outside_answer(shape.exterior), rel=1e-7)


def test_state_plane_feet():
    shape = star(-73.9, 40.7, 500)
    feet = gpd.GeoSeries([shape], crs=4326).to_crs(2263)
    back = shapely.transform(
        feet.iloc[0], lambda xy: np.column_stack(crs.transformer("EPSG:2263", "EPSG:4326").transform(*xy.T))
    )
    assert measure.area(feet).iloc[0] == pytest.approx(outside_answer(back.exterior), rel=1e-9)
    assert feet.area.iloc[0] > 10 * measure.area(feet).iloc[0]


def test_missing_empty_points_and_nested_collections():
    one, two = star(47, 40, seed=1), star(47.1, 40, seed=2)
    nested = shapely.GeometryCollection(
        [shapely.MultiPolygon([one]), shapely.GeometryCollection([two, shapely.Point(47, 40)])]
    )
    got = measure.area(
        gpd.GeoSeries(
            [None, shapely.Polygon(), shapely.Point(47, 40), shapely.MultiPolygon([one, two]), nested], crs=4326
        )
    )
    assert np.isnan(got.iloc[0])
    assert got.iloc[1:3].tolist() == [0.0, 0.0]
    assert got.iloc[3] == got.iloc[4] == pytest.approx(measure.area(one) + measure.area(two), rel=1e-12)


def test_no_system_is_refused():
    with pytest.raises(CRSError, match="no coordinate reference system"):
        measure.area(gpd.GeoSeries([star(47, 40)]))


@given(st.floats(-179, 179), st.floats(-75, 75), st.integers(0, 10_000))
def test_area_adds_up_when_a_polygon_is_cut_along_a_diagonal(lon, lat, seed):
    """Parts sum to the whole: the cut is one geodesic for both."""
    ring = shapely.get_coordinates(star(lon, lat, 5000, 12, seed))[:-1]
    whole = abs(crs.GEOD.polygon_area_perimeter(*ring.T)[0])
    parts = [crs.GEOD.polygon_area_perimeter(*piece.T)[0] for piece in (ring[:7], np.vstack([ring[6:], ring[:1]]))]
    assert abs(sum(parts)) == pytest.approx(whole, rel=1e-8, abs=1e-4)


def test_length_is_the_sum_of_geodesics_also_around_holes():
    shape = shapely.Polygon(star(47, 40, 300).exterior, [shapely.box(46.9999, 39.9999, 47.0001, 40.0001).exterior])
    want = sum(
        Geodesic.WGS84.Inverse(a[1], a[0], b[1], b[0])["s12"]
        for ring in (shape.exterior, *shape.interiors)
        for a, b in zip(ring.coords[:-1], ring.coords[1:], strict=True)
    )
    series = gpd.GeoSeries(
        [shape, shape.exterior, shapely.MultiLineString([shape.exterior]), None, shapely.Point(1, 1)], crs=4326
    )
    got = measure.length(series)
    assert got.iloc[0] == pytest.approx(want, abs=1e-6)
    assert got.iloc[1] == got.iloc[2] == pytest.approx(measure.length(shapely.Polygon(shape.exterior)), abs=1e-9)
    assert np.isnan(got.iloc[3])
    assert got.iloc[4] == 0


def test_area_sigma_against_monte_carlo_and_the_closed_form():
    rng = np.random.default_rng(4)
    shape = shapely.box(700_000, 4_380_000, 700_100, 4_380_100)
    hole = shapely.Polygon(shape.exterior, [shapely.box(700_040, 4_380_040, 700_060, 4_380_060).exterior])
    got = measure.area_sigma(gpd.GeoSeries([shape, hole, None], crs="EPSG:32638"), 3.0)
    assert got.iloc[0] == pytest.approx(np.sqrt(2) * 100 * 3.0, rel=1e-3)
    points = shapely.get_coordinates(shape)[:-1]
    areas = [shapely.Polygon(points + rng.normal(0, 3.0, points.shape)).area for _ in range(4000)]
    assert got.iloc[0] == pytest.approx(np.std(areas), rel=0.05)
    assert got.iloc[1] == pytest.approx(np.sqrt(2) * 3.0 * np.hypot(100, 20), rel=1e-3)
    assert np.isnan(got.iloc[2])


@pytest.mark.slow
def test_a_hundred_thousand_polygons_take_seconds():
    import time

    shapes = np.array([star(45 + 5 * i / 2000, 39 + i / 1000, seed=i) for i in range(2000)], dtype=object)
    frame = gpd.GeoSeries(np.tile(shapes, 50), crs=4326)
    begin = time.process_time()
    got = measure.area(frame)
    assert time.process_time() - begin < 6.0
    assert (got > 0).all()
