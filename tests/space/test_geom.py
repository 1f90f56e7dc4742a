"""Repair: what is valid is untouched, what is repaired is valid and claims no new ground."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geotools.space import geom

rings = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=12).map(
    lambda points: shapely.Polygon(np.array([*points, points[0]], dtype=float))
)


@given(rings)
def test_repair_gives_valid_polygons_and_is_idempotent(ring):
    once = geom.repair(ring)
    assert once.is_valid
    assert once.geom_type in ("Polygon", "MultiPolygon")
    assert geom.repair(once) is once or geom.repair(once).equals(once)


@given(rings)
def test_repair_stays_inside_the_outline_as_drawn(ring):
    """No ground outside the convex hull, and none that the boundary does not enclose."""
    once = geom.repair(ring)
    assert once.difference(ring.convex_hull.buffer(1e-9)).area == pytest.approx(0, abs=1e-9)
    enclosed = shapely.union_all(list(shapely.polygonize([shapely.node(ring.exterior)]).geoms))
    assert once.difference(enclosed.buffer(1e-9)).area == pytest.approx(0, abs=1e-6)


@given(rings)
def test_valid_input_comes_back_itself(ring):
    if ring.is_valid:
        assert geom.repair(ring) is ring


def test_arrays_keep_their_length_and_missing_stays_missing():
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    flat = shapely.Polygon([(0, 0), (1, 1), (2, 2)])
    mixed = shapely.GeometryCollection([bow, shapely.Point(5, 5)])
    given_in = np.array([bow, None, shapely.Point(1, 1), flat, mixed], dtype=object)
    out = geom.repair(given_in)
    assert out[0].area == 2.0
    assert out[1] is None
    assert out[2].geom_type == "Point"
    assert out[3].is_empty
    assert out[4].geom_type in ("Polygon", "MultiPolygon")
    assert given_in[0] is bow


def test_why_invalid_speaks_plainly():
    reason, where = geom.why_invalid(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))
    assert (reason, where) == ("the boundary crosses itself", shapely.Point(1, 1))
    outside = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(9, 9), (9, 10), (10, 10), (10, 9)]])
    assert geom.why_invalid(outside)[0] == "a hole lies outside the area"
    assert geom.why_invalid(shapely.box(0, 0, 1, 1)) == ("", None)


@given(rings)
def test_orientation_follows_rfc_7946_and_changes_no_area(ring):
    if ring.is_valid:
        turned = geom.orient([ring])[0]
        assert turned.exterior.is_ccw
        assert turned.equals(ring)


@pytest.mark.parametrize("far", [1e155, 1e300, 1.7e308])
def test_a_corner_damaged_beyond_all_numbers_is_repaired_without_a_warning(far: float) -> None:
    """Warnings are errors here: a reader must not pass on what the arithmetic of a damaged file stirs up."""
    ring = [(46.21, 39), (46.2, 39), (far, 39.01), (46.21, 39.02), (46.2, 39.005)]
    hole = [(46.01, 39.001), (46.011, -far), (46.012, 39.002)]
    for shape in (shapely.Polygon(ring), shapely.Polygon(ring, [hole]), shapely.Polygon([(46, 39), (47, 40), (47, 39), (46, far)])):  # fmt: skip
        assert geom.repair(shape).is_valid
