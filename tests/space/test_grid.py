"""The lattice: aligned, large enough, and its windows are parts of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import CRSError, SchemaError
from geotools.space.grid import Grid, Raster

places = st.floats(-1e6, 1e6, allow_nan=False)


@given(places, places, st.floats(0.01, 2000), st.floats(0.01, 2000), st.sampled_from([0.1, 0.25, 0.5, 1.0, 7.0]))
def test_a_grid_around_bounds_holds_them_and_is_aligned(x, y, width, height, cell):
    width, height = min(width, 300 * cell), min(height, 300 * cell)
    grid = Grid.around((x, y, x + width, y + height), cell, "EPSG:32638")
    west, south, east, north = grid.bounds
    slack = 1e-6
    assert west <= x + slack
    assert south <= y + slack
    assert east >= x + width - slack
    assert north >= y + height - slack
    assert (west / cell) == pytest.approx(round(west / cell), abs=1e-6)
    assert grid.shape[0] * cell <= height + 2 * cell + slack


def test_centres_transform_and_windows_agree():
    grid = Grid.around((0, 0, 10, 5), 0.5, "EPSG:32638")
    x, y = grid.centres
    assert (x[0], y[0]) == (0.25, 4.75)
    assert (grid.transform.c, grid.transform.f, grid.transform.a, grid.transform.e) == (0.0, 5.0, 0.5, -0.5)
    part = grid.window(2, 4, (3, 5))
    assert np.array_equal(part.centres[0], x[4:9])
    assert np.array_equal(part.centres[1], y[2:5])


def test_bad_grids_and_rasters_are_refused():
    for cell in (0, -1, float("nan")):
        with pytest.raises(CRSError):
            Grid.around((0, 0, 1, 1), cell, "EPSG:32638")
    with pytest.raises(CRSError):
        Grid.around((0, 0, float("inf"), 1), 1, "EPSG:32638")
    with pytest.raises(ValueError, match="shape"):
        Raster(np.zeros((2, 2)), Grid.around((0, 0, 3, 3), 1, "EPSG:32638"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"west": "1"}, {"north": None}, {"cell": float("nan")}, {"cell": "0.5"}, {"cell": -1.0}, {"shape": (2,)}, {"shape": (2, -1)},
        {"shape": (2.0, 3)}, {"shape": None}, {"crs": None}, {"crs": "nowhere"}, {"crs": object()}, {"west": 1j},
    ],
)  # fmt: skip
def test_a_grid_that_cannot_be_is_refused_in_a_sentence(wrong):
    with pytest.raises(CRSError) as error:
        Grid(**{"west": 0.0, "north": 0.0, "cell": 1.0, "shape": (2, 2), "crs": "EPSG:32638"} | wrong)
    assert error.value.hint


@pytest.mark.parametrize(
    "bounds, cell",
    [((0, 0, 1), 1), ((1, 0, 0, 1), 1), (None, 1), (("a", 0, 1, 1), 1), ((0, 0, 1, 1), None), ((0, 0, 1e9, 1), 1e-9)],
)
def test_bounds_that_cannot_be_are_refused(bounds, cell):
    with pytest.raises(CRSError):
        Grid.around(bounds, cell, "EPSG:32638")


def test_a_raster_of_no_array_is_refused():
    for values, grid in (([[1]], Grid(0, 0, 1, (1, 1), "EPSG:32638")), (np.zeros((1, 1)), None)):
        with pytest.raises(SchemaError):
            Raster(values, grid)
