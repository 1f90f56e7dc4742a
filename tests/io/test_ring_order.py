"""Outer rings counter-clockwise and holes clockwise in the written text itself, slivers included (RFC 7946, 3.1.6)."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools import io
from geotools.io.geojson import features_text, to_rfc7946


def twice_the_area(ring: list[list[float]]) -> Fraction:
    """Signed, of the numbers as they stand in the text, without rounding."""
    points = [(Fraction(p[0]), Fraction(p[1])) for p in ring]
    return sum((a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points)), Fraction(0))


def wound_rightly(frame: gpd.GeoDataFrame) -> None:
    for text in features_text(frame):
        shape = json.loads(text)["geometry"]
        for polygon in [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]:
            assert twice_the_area(polygon[0]) > 0, text
            for hole in polygon[1:]:
                assert twice_the_area(hole) < 0, text


offsets = st.floats(-3e-7, 3e-7, allow_nan=False)


@st.composite
def slivers(draw) -> shapely.Polygon:
    """Thin triangles and quadrangles, from a millimetre to some decimetres wide, in any direction and order."""
    x, y = draw(st.floats(46.0, 47.0)), draw(st.floats(38.5, 40.0))
    length = draw(st.sampled_from([1e-7, 5e-7, 1e-5, 1e-3]))
    turn = draw(st.floats(0, 2 * np.pi))
    along = np.array([np.cos(turn), np.sin(turn)]) * length
    count = draw(st.integers(3, 5))
    shares = sorted(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)))
    points = [(x + along[0] * s + draw(offsets), y + along[1] * s + draw(offsets)) for s in shares]
    points = points[::-1] if draw(st.booleans()) else points
    return shapely.Polygon(points)


@given(slivers())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_slivers(shape):
    if shape.is_valid and shape.area > 0:
        wound_rightly(gpd.GeoDataFrame({"id": ["a"]}, geometry=[shape], crs="EPSG:4326"))


@given(slivers(), st.booleans())
@settings(max_examples=50, deadline=None, derandomize=True)
def test_holes_that_are_slivers(hole, clockwise):
    outer = shapely.box(*np.add(hole.bounds, [-1e-5, -1e-5, 1e-5, 1e-5]), ccw=not clockwise)
    shape = shapely.Polygon(outer.exterior, [hole.exterior])
    if shape.is_valid and hole.area > 0:
        wound_rightly(gpd.GeoDataFrame({"id": ["a"]}, geometry=[shape], crs="EPSG:4326"))


def test_a_sliver_that_rounding_turns_over(tmp_path):
    """Counter-clockwise as measured, clockwise once its corners are moved to the seventh decimal."""
    rng = np.random.default_rng(1)
    turned = []
    while len(turned) < 5:
        shape = shapely.Polygon(47 + rng.uniform(0, 6e-7, (3, 2)) - [0, 8])
        rounded = shapely.Polygon(np.round(shapely.get_coordinates(shape), 7))
        if shape.area and rounded.area and shape.exterior.is_ccw != rounded.exterior.is_ccw:
            turned.append(shape)
    frame = gpd.GeoDataFrame({"id": list("abcde")}, geometry=turned, crs="EPSG:4326")
    wound_rightly(frame)
    assert shapely.is_valid(to_rfc7946(frame)).all()
    path = io.write(frame, tmp_path / "hazards.geojson")
    assert io.read(path, "hazards").geometry.exterior.is_ccw.all()


@pytest.mark.parametrize("height", [None, 120.5])
def test_order_and_heights_of_ordinary_areas(height):
    ring = [(47.0, 39.0), (47.0, 39.1), (47.1, 39.1), (47.1, 39.0)]
    hole = [(47.02, 39.02), (47.04, 39.02), (47.04, 39.04), (47.02, 39.04)]
    high = [[(*p, height) for p in part] if height else part for part in (ring, hole)]
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Polygon(high[0], [high[1]])], crs="EPSG:4326")
    wound_rightly(frame)
    assert to_rfc7946(frame)[0].has_z == (height is not None)
