"""Polygons by position: whatever they are kept in, the same ones come back, with the same figures; boxes meet as in a tree."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import shapely

from geotools.space import shapes as _shapes
from geotools.space.shapes import Shapes, meeting


def some(count, seed):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 100, (count, 2))
    out = shapely.box(*corner.T, *(corner + rng.uniform(0.1, 9, (count, 2))).T)
    out[rng.random(count) < 0.1] = shapely.Polygon()
    return out


class Drawer:
    """A shelf that remembers what was asked of it."""

    def __init__(self, polygons):
        self.polygons, self.asked = polygons, []

    def draw(self, rows):
        self.asked.append(rows)
        return self.polygons[rows]

    def only(self, rows):
        out = Drawer(self.polygons[rows])
        out.asked = self.asked
        return out

    def named(self, rows):
        return b"drawer " + shapely.to_wkb(shapely.union_all(self.polygons[rows]))


def test_every_way_to_keep_them_gives_the_same():
    polygons, more = some(50, 1), some(20, 2)
    both = np.r_[polygons, more]
    mixed = Shapes.joined([Shapes.of(polygons), Shapes([Drawer(more)], np.zeros(20, np.int8), np.arange(20))])
    rows = np.random.default_rng(3).permutation(70)
    for kept in (Shapes.of(both), mixed, mixed.take(rows).take(np.argsort(rows)), Shapes.of(mixed)):
        assert len(kept) == 70
        assert (np.asarray(kept) == both).all() and kept[3] == both[3] and (kept[60:] == both[60:]).all()
        assert (kept[both != shapely.Polygon()] == both[both != shapely.Polygon()]).all()
        assert np.array_equal(kept.area, shapely.area(both))
        assert np.array_equal(kept.bounds, shapely.bounds(both), equal_nan=True)
        assert np.array_equal(kept.vertices, shapely.get_num_coordinates(both))
    assert mixed.on_shelf and not Shapes.of(both).on_shelf


def test_replaced_ones_have_their_own_figures():
    polygons = some(30, 4)
    kept = Shapes.of(polygons)
    assert kept.area.sum() > 0  # known before
    other = kept.replaced(np.array([5, 2]), np.array([shapely.box(0, 0, 3, 1), shapely.box(0, 0, 1, 1)]))
    assert other.area[[5, 2]].tolist() == [3, 1] and other[5].equals(shapely.box(0, 0, 3, 1))
    assert kept[5] == polygons[5] and np.array_equal(kept.area, shapely.area(polygons))
    assert kept.replaced(np.array([]), np.array([])) is kept
    again = other.replaced(np.array([5]), np.array([shapely.box(0, 0, 1, 1)])).take(np.array([5, 5, 0]))
    assert again.area[:2].tolist() == [1, 1] and (np.asarray(again)[2] == polygons[0])


def test_no_more_than_needed_travels():
    kept = Shapes.of(some(1000, 5)).take(np.arange(3))
    assert len(pickle.dumps(kept)) < 3_000
    assert pickle.loads(pickle.dumps(kept)).named() == kept.named()
    drawer = Drawer(some(1000, 6))
    shelf = Shapes([drawer], np.zeros(1000, np.int8), np.arange(1000), area=shapely.area(drawer.polygons))
    assert shelf.take(np.arange(10)).area.shape == (10,) and not drawer.asked  # nothing was drawn yet
    assert shelf.named() != shelf.take(np.arange(999)).named()


def test_none_at_all():
    for nothing in (
        Shapes.of(np.zeros(0, dtype=object)),
        Shapes.of(some(5, 1)).take(np.zeros(0, dtype=int)),
        Shapes.joined([Shapes.of([])]),
    ):
        assert len(nothing) == 0 and nothing.area.shape == (0,) and nothing.bounds.shape == (0, 4)
        assert np.asarray(nothing).shape == (0,) and not list(nothing.batches())
    assert [len(side) for side in meeting(np.zeros((0, 4)), np.zeros((3, 4)))] == [0, 0]


@pytest.mark.parametrize("tile", [7, 60, 60_000])
def test_boxes_meet_as_in_a_tree(monkeypatch, tile):
    monkeypatch.setattr(_shapes, "TILE", tile)
    one, other = some(300, 7), some(200, 8)
    one[10] = shapely.box(0, 0, 100, 100)  # one that meets everything
    one[11], other[12] = shapely.Point(3, 3), shapely.box(3, 3, 3, 8)
    for left, right in ((one, other), (one, one)):
        a, b = shapely.STRtree(right).query(left)
        order = np.lexsort((b, a))
        found = meeting(shapely.bounds(left), shapely.bounds(right))
        assert np.array_equal(found[0], a[order]) and np.array_equal(found[1], b[order])
