"""Drainage lines: closed forms, water is neither made nor lost, a naive flood, the unseen stays unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geotools.analysis import terrain
from geotools.analysis.terrain import flow
from geotools.analysis.terrain.elevation import of_raster
from geotools.model.errors import ReadError
from geotools.space.grid import Grid, Raster

PLANE = 'ENGCRS["local",EDATUM["local"],CS[Cartesian,2],AXIS["(E)",east],AXIS["(N)",north],LENGTHUNIT["metre",1]]'
EIGHT = np.ones((3, 3))


def raster(z: np.ndarray, cell: float = 1.0, crs: object = PLANE, corner=(0.0, 0.0)) -> Raster:
    return Raster(np.asarray(z, dtype=float), Grid(*corner, cell, np.shape(z), crs))


def border(z: np.ndarray) -> np.ndarray:
    """Known cells with a missing neighbour."""
    known = np.pad(np.isfinite(z), 1)
    return np.isfinite(z) & ~ndimage.binary_erosion(known, EIGHT)[1:-1, 1:-1]


def filled(z: np.ndarray) -> np.ndarray:
    """Heights with pits filled, the slow way: lower a flood until nothing moves."""
    fixed = border(z)
    level = np.where(fixed, z, np.inf)
    while True:
        around = ndimage.minimum_filter(
            np.where(np.isfinite(z), level, np.inf), footprint=EIGHT, mode="constant", cval=np.inf
        )
        new = np.where(fixed | ~np.isfinite(z), level, np.maximum(z, around))
        if (new == level).all():
            return np.where(np.isfinite(z), new, np.nan)
        level = new


def passes(z: np.ndarray, engine=None):
    """Filled heights, directions, order and upstream area of one metre cells."""
    flood, steepest, accumulate = engine or flow._engine()
    level, direction = z.astype(float).copy(), np.full(z.shape, flow.UNSEEN, dtype="int8")
    order, area, unsure = np.empty(z.size, dtype="int32"), np.ones(z.shape), np.zeros(z.shape, dtype=bool)
    done = flood(level, direction, order)
    steepest(level, direction, unsure, flow._reach(of_raster(raster(z), None)))
    accumulate(direction, order[:done], area, unsure)
    return level, direction, order[:done], area, unsure


def hills(seed: int, shape=(23, 27), holes=0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = np.round(200 + 30 * ndimage.gaussian_filter(rng.normal(size=shape), 2), 1)  # rounded: flats and ties
    z[rng.random(shape) < holes] = np.nan
    return z


def test_a_valley_gathers_its_two_sides():
    rows, columns = 40, 21
    y, x = np.mgrid[0:rows, 0:columns]
    z = 100 + 2.0 * np.abs(x - 10) - 0.1 * y
    area = passes(z)[3]
    got = terrain.drainage(raster(z, 10.0), threshold_m2=3000).values
    for row in range(3, rows - 1):
        # nine inner cells a side, whose water goes straight or slantwise to the bed; the bed rows above that are inside the model
        assert area[row, 10] > area[row - 1, 10]
    lines = np.nan_to_num(got) > 0
    assert set(np.argwhere(lines)[:, 1]) == {10}
    assert lines[5 : rows - 1, 10].all()


def test_a_cone_sheds_all_its_ground():
    y, x = np.mgrid[-20:21, -20:21]
    z = 100 - np.hypot(x, y)
    _, direction, _, area, _ = passes(z)
    assert area[direction == flow.OUTLET].sum() == z.size
    assert area[20, 20] == 1


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_water_is_neither_made_nor_lost_and_always_arrives(seed):
    z = hills(seed)
    level, direction, order, area, _ = passes(z)
    known = np.isfinite(z)
    assert area[direction == flow.OUTLET].sum() == known.sum()
    assert sorted(order) == sorted(np.flatnonzero(known)), "every known cell once"
    place = np.argsort(order)
    rank = dict(zip(order.tolist(), range(len(order)), strict=True))
    assert len(place) == len(order)
    for r, c in np.argwhere(known & (direction != flow.OUTLET)):
        k = direction[r, c]
        y, x = r + flow.ROW[k], c + flow.COLUMN[k]
        assert level[y, x] <= level[r, c], "water does not climb"
        assert rank[y * z.shape[1] + x] < rank[r * z.shape[1] + c], "and does not turn in circles"
        assert area[y, x] > area[r, c]


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_pits_are_filled_to_their_outlet_and_no_higher(seed):
    z = hills(seed)
    np.testing.assert_array_equal(passes(z)[0], filled(z))


@settings(max_examples=10)
@given(st.integers(0, 2**31))
def test_each_cell_drains_to_its_steepest_lower_neighbour(seed):
    z = hills(seed)
    level, direction, _, _, _ = passes(z)
    for r, c in np.argwhere(np.isfinite(z) & (direction != flow.OUTLET)):
        falls = [
            (level[r, c] - level[r + i, c + j]) / np.hypot(i, j) for i, j in zip(flow.ROW, flow.COLUMN, strict=True)
        ]
        assert falls[direction[r, c]] == pytest.approx(max(falls), abs=1e-12)


@settings(max_examples=3)
@given(st.integers(0, 2**31))
def test_compiled_and_plain_agree(seed):
    pytest.importorskip("numba")
    z = hills(seed, (15, 17))
    for one, other in zip(passes(z), passes(z, (flow._flood, flow._steepest, flow._accumulate)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_ground_beside_the_unseen_stays_unknown_and_so_does_what_it_may_feed():
    z = hills(5, (60, 60), holes=0.0)
    z[30, 30] = np.nan
    got = terrain.drainage(raster(z), threshold_m2=40).values
    assert got.dtype == np.float32
    assert np.isnan(got[border(z)]).all()
    assert np.isnan(got[29:32, 29:32]).all()
    assert ((got == 0) | (got >= 40) | np.isnan(got)).all()
    assert 0.05 < (got == 0).mean() < 0.95


@settings(max_examples=10)
@given(st.integers(0, 2**31))
def test_more_ground_never_contradicts_what_was_said_off_the_lines(seed):
    """Ground around a window may turn unknown into known, but a cell said to be off the lines stays off.

    Only where pits play no part: a pit at the edge of the window may open the other way.
    """
    y, x = np.mgrid[0:40, 0:40]
    rng = np.random.default_rng(seed)
    z = 300 + 3.0 * y + 5 * np.sin(x / rng.uniform(3, 6) + rng.uniform(0, 6)) + 0.2 * x
    whole = terrain.drainage(raster(z), threshold_m2=30).values
    part = terrain.drainage(raster(z[8:32, 8:32]), threshold_m2=30).values
    inside = whole[8:32, 8:32]
    assert not ((part == 0) & (inside > 0)).any()
    assert (inside[part > 0] >= part[part > 0]).all()


def test_lower_thresholds_only_add_lines_and_constants_change_nothing():
    z = hills(3, (50, 50), holes=0.0)
    few, many = (np.nan_to_num(terrain.drainage(raster(z), threshold_m2=t).values) > 0 for t in (60, 20))
    assert (many | ~few).all()
    assert many.sum() > few.sum() > 0
    z = np.round(z * 4) / 4
    np.testing.assert_array_equal(
        terrain.drainage(raster(z), threshold_m2=20).values, terrain.drainage(raster(z + 512), threshold_m2=20).values
    )


def test_upstream_ground_is_square_metres_in_degrees_too():
    y, x = np.mgrid[0:30, 0:31]
    z = 500 + 2.0 * np.abs(x - 15) - 0.1 * y
    grid = Grid(47.0, 39.7, 1 / 3600, z.shape, "EPSG:4326")
    got = terrain.drainage(Raster(z, grid), threshold_m2=20_000).values
    cell = 23.85 * 30.84  # one second of arc at 39.7°
    count = passes(z)[3]
    bed = np.s_[15:29, 15]
    assert got[bed] == pytest.approx(count[bed] * cell, rel=2e-3)


def test_models_that_cannot_be_kept_whole_are_refused(monkeypatch):
    monkeypatch.setattr(flow, "MOST_CELLS", 100)
    with pytest.raises(ReadError, match="the whole model at once"):
        terrain.drainage(raster(hills(0)))
    with pytest.raises(ValueError, match="positive"):
        terrain.drainage(raster(hills(0)[:5, :5]), threshold_m2=0)
