"""Ground that went to the equal-area plane comes back to where it was: PROJ's own inverse is up to 0.8 mm off."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

from geotools.space import crs


@pytest.mark.parametrize("lat", [-60.0, -5.0, 0.0, 39.55, 62.0, 80.0])
def test_there_and_back_is_within_a_ten_thousandth_of_a_millimetre(lat: float) -> None:
    rng = np.random.default_rng(3)
    x, y = 47.0 + rng.uniform(-4, 4, 500), np.clip(lat + rng.uniform(-4, 4, 500), -88, 88)
    plane = crs.equal_area((47.0, lat, 47.0, lat))
    home = crs.transform(crs.transform(shapely.points(x, y), crs.WGS84, plane), plane, crs.WGS84)
    metres = pyproj.Geod(ellps="WGS84").inv(x, y, shapely.get_x(home), shapely.get_y(home))[2]
    assert np.max(metres) < 1e-7


def test_the_direct_way_to_a_grid_is_corrected_too() -> None:
    point = np.array([shapely.Point(47.123456, 39.54321)], dtype=object)
    plane = crs.equal_area((47.1, 39.5, 47.2, 39.6))
    straight = crs.transform(point, crs.WGS84, "EPSG:32638")[0]
    round_about = crs.transform(crs.transform(point, crs.WGS84, plane), plane, "EPSG:32638")[0]
    assert straight.distance(round_about) < 1e-6


def test_heights_stay_and_flat_geometries_stay_flat() -> None:
    shapes = np.array(
        [
            shapely.Point(47.5, 39.5, 812.25),
            shapely.Point(47.5, 39.5),
            None,
            shapely.Polygon([(47, 39, 1.0), (47.1, 39, 2.0), (47.1, 39.1, np.nan)]),
        ],
        dtype=object,
    )
    moved = crs.transform(shapes, "EPSG:4326", "EPSG:32638")
    assert moved[0].z == 812.25 and not moved[1].has_z and moved[2] is None
    assert (moved[0].x, moved[0].y) == (moved[1].x, moved[1].y)
    assert shapely.get_coordinates(moved[3], include_z=True)[:2, 2].tolist() == [1.0, 2.0]
    plane = crs.equal_area((47, 39, 47.2, 39.2))
    there = crs.transform(crs.transform(shapes[:1], "EPSG:4326", plane), plane, "EPSG:32638")
    assert there[0].z == 812.25
