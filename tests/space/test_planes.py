"""Densification and the equal-area plane: against geodesics, and the same on both sides of a shared edge."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import CRSError
from geotools.space import crs, measure


@pytest.mark.parametrize("side_m", [100, 1000, 8000])
def test_plane_area_of_a_densified_polygon_is_the_geodesic_area(side_m):
    for lon in (45.2, 47.99, 50.8):
        d = side_m / 111_000
        shape = shapely.box(lon, 39.5, lon + d, 39.5 + d)
        plane = crs.equal_area((44.7, 38.3, 51.0, 42.0))
        flat = crs.to_equal_area([shape], crs.WGS84, plane)[0]
        assert flat.area == pytest.approx(measure.area(shape), rel=2e-8)


def test_densified_points_lie_on_the_geodesic_and_are_close_together():
    line = shapely.LineString([(45, 40), (45.2, 40.1)])
    dense = shapely.get_coordinates(crs.densify([line], 500.0)[0])
    _, _, steps = crs.GEOD.inv(*dense[:-1].T, *dense[1:].T)
    assert steps.max() <= 500.0
    assert steps.sum() == pytest.approx(measure.length(line), abs=1e-6)


@given(st.floats(44, 51), st.floats(38, 42), st.floats(0.01, 0.2), st.floats(-0.2, 0.2))
def test_a_shared_edge_gets_the_same_points_from_both_sides(lon, lat, dx, dy):
    edge = [(lon, lat), (lon + dx, lat + dy)]
    there, back = crs.densify([shapely.LineString(edge), shapely.LineString(edge[::-1])])
    assert np.array_equal(shapely.get_coordinates(there), shapely.get_coordinates(back)[::-1])


def test_short_edges_stay_as_they_are_and_holes_are_kept():
    small = shapely.box(47, 39.5, 47.001, 39.501)
    big = shapely.Polygon(
        shapely.box(47, 39.5, 47.1, 39.6).exterior, [shapely.box(47.02, 39.52, 47.06, 39.56).exterior]
    )
    out = crs.densify([small, big, None, shapely.Polygon(), shapely.MultiPolygon([big, small])])
    assert out[0] is small
    assert len(out[1].interiors) == 1
    assert shapely.get_num_coordinates(out[1]) > 40
    assert out[2] is None
    assert out[3].is_empty
    assert out[4].geom_type == "MultiPolygon"
    assert out[1].is_valid


def test_transform_refuses_what_has_no_image_and_keeps_none():
    with pytest.raises(CRSError, match="cannot be expressed"):
        crs.transform([shapely.Point(47, 95)], "EPSG:4326", "EPSG:32638")
    out = crs.transform([None, shapely.Point(47, 40)], "EPSG:4326", "EPSG:32638")
    assert out[0] is None
    assert out[1].x == pytest.approx(670_725.5, abs=5)


def test_each_feature_is_metric_in_its_own_zone():
    frame = gpd.GeoSeries(
        [shapely.Point(47.999, 40), shapely.Point(48.001, 40), shapely.Point(5, 60), shapely.Point(30, -20), None],
        crs=4326,
    )
    assert crs.metric(frame).tolist() == ["EPSG:32638", "EPSG:32639", "EPSG:32632", "EPSG:32736", None]
    assert crs.metric(frame.iloc[:2].to_crs(32638)).tolist() == ["EPSG:32638", "EPSG:32639"]


def test_nonsense_is_no_system():
    with pytest.raises(CRSError, match="not a coordinate reference system"):
        crs.parse("EPSG:fuzuli")


@pytest.mark.parametrize(
    "text", ["EPSG:32638", "+proj=laea +lat_0=39.6 +lon_0=47.15 +datum=WGS84 +units=m +no_defs", "EPSG:28408"]
)
def test_the_key_of_a_system_says_everything_and_is_looked_for_once(text, monkeypatch):
    system = crs.parse(text)
    key = crs.code_or_wkt(system)
    assert crs.parse(key) == system
    assert crs.code_or_wkt(crs.parse(system.to_wkt())) == key
    monkeypatch.setattr(type(system), "to_epsg", None)
    assert crs.code_or_wkt(crs.parse(text)) == key
