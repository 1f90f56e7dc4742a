"""Pass counts on a grid: how many trips of the tool went over each cell.

For repeated work and required passes; areas come exact from `cover`. A trip counts once, however its track wriggles.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import rasterio.features
import shapely
from rasterio.enums import MergeAlg

from geotools.analysis.swath.cover import on_plane
from geotools.analysis.swath.kept import codec
from geotools.analysis.swath.passes import require_passes, swaths
from geotools.analysis.swath.rules import real
from geotools.analysis.swath.task import task_ground
from geotools.model.errors import CoverageError
from geotools.model.parallel import iter_ordered
from geotools.space.grid import Grid, Raster

CELL_M = 0.05
CELLS = 400_000_000  # a grid that would not fit into memory is refused
BLOCK_ROWS = 1024


def grid_of(task: gpd.GeoDataFrame | gpd.GeoSeries, cell_m: float = CELL_M, *, margin_m: float = 0.0) -> Grid:
    """A grid of square cells over a task, on its equal-area plane.

    Parameters
    ----------
    task
        Polygons in any CRS.
    cell_m
        5 cm keeps areas within 0.1 %; 10 cm is enough above 10 ha.
    margin_m
        Ground around the task to include.

    Raises
    ------
    CoverageError
        If the task has no area, or the grid would have more than 400 million cells.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> task = gpd.GeoSeries([shapely.box(47.15, 39.6, 47.1501, 39.6001)], crs=4326)
    >>> grid_of(task, 0.5).shape
    (23, 18)
    """
    plane, ground, _ = task_ground(task)
    west, south, east, north = ground.bounds
    if real("grid", "margin_m", margin_m) < 0 or not real("grid", "cell_m", cell_m) > 0:
        raise CoverageError("cells need a positive size in metres")
    if (east - west + 2 * margin_m) * (north - south + 2 * margin_m) / cell_m**2 > CELLS:
        raise CoverageError(
            "the grid would have more than 400 million cells", hint="take larger cells, or one task at a time"
        )
    return Grid.around((west - margin_m, south - margin_m, east + margin_m, north + margin_m), cell_m, plane)


def grid_within(task: gpd.GeoDataFrame | gpd.GeoSeries, cell_m: float, most: int) -> Grid:
    """A grid over a task with cells of that size, or as much larger as it needs to have at most so many cells.

    Parameters
    ----------
    task
        Polygons in any CRS.
    cell_m
        Smallest cell, in metres.
    most
        Largest number of cells, of at least four: rows and columns are aligned to whole multiples of the cell, so a task lies in two of each.

    Returns
    -------
    Grid
        On the equal-area plane of the task.

    Raises
    ------
    CoverageError
        If the task has no area, `cell_m` is not positive or `most` is not a whole number from 4 to 400 million.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> task = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> grid_within(task, 0.5, 1_000_000).cell, grid_within(task, 0.5, 1_000).cell
    (0.5, 3.41)
    """
    plane, ground, _ = task_ground(task)
    west, south, east, north = ground.bounds
    if not real("grid", "cell_m", cell_m) > 0:
        raise CoverageError("cells need a positive size in metres")
    if not 4 <= real("grid", "most", most) <= CELLS or most != int(most):
        raise CoverageError(f"the most cells of a grid is a whole number from 4 to {CELLS:,}", hint="such as 1000000")
    cell = cell_m
    least = ((east - west) * (north - south) / most) ** 0.5
    if least > cell:
        cell = math.ceil(least * 100) / 100
    while True:
        grid = Grid.around(ground.bounds, cell, plane)
        cells = grid.shape[0] * grid.shape[1]
        if cells <= most:
            return grid
        cell = math.ceil(max(cell * min((cells / most) ** 0.5, 1.02), cell + 0.01) * 100 - 1e-6) / 100


def count(passes: gpd.GeoDataFrame, grid: Grid) -> Raster:
    """Number of passes over the middle of each cell, as uint8 (255 stands for 255 or more).

    Parameters
    ----------
    passes
        As made by `passes`; rows with the same ``pass_id`` are one pass.
    grid
        In a metric CRS, see `grid_of`.

    Returns
    -------
    Raster
        Named ``passes``, without a no-data value: 0 is ground no pass reached.

    Notes
    -----
    One shape per pass, added. One shape per segment counts turns of the track as passes; one shape per day loses nearly all overlap.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> lines = [shapely.LineString([(0, 1), (10, 1)]), shapely.LineString([(0, 1.5), (10, 1.5)])]
    >>> two = gpd.GeoDataFrame({"id": ["a", "b"], "pass_id": ["a", "b"], "width_m": 1.0}, geometry=lines, crs="EPSG:32638")
    >>> np.bincount(count(two, Grid(0, 3, 0.25, (12, 40), "EPSG:32638")).values.ravel()).tolist()
    [240, 160, 80]
    """
    require_metric(grid)
    shapes = trip_shapes(on_plane(require_passes(passes), grid.crs))
    out = np.zeros(grid.shape, dtype=np.uint8)
    tree = shapely.STRtree(shapes)
    given = (Window(shapes[np.sort(tree.query(shapely.box(*part.bounds)))], part) for part in strips(grid))
    start = 0
    for counted in iter_ordered(counted_in, given, codec=KEPT):
        out[start : start + len(counted)] = counted
        start += len(counted)
    return Raster(out, grid, name="passes")


def strips(grid: Grid) -> list[Grid]:
    """A grid in strips of some rows, from the north."""
    starts = range(0, grid.shape[0], BLOCK_ROWS)
    return [grid.window(start, 0, (min(BLOCK_ROWS, grid.shape[0] - start), grid.shape[1])) for start in starts]


@dataclass(frozen=True)
class Window:
    """A part of a grid, and the trips that may reach into it."""

    shapes: np.ndarray
    grid: Grid


def counted_in(window: Window) -> np.ndarray:
    """Trips over the middle of each cell; 255 stands for 255 or more."""
    if not len(window.shapes):
        return np.zeros(window.grid.shape, dtype=np.uint8)
    return np.minimum(_added(window.shapes, window.grid), 255).astype(np.uint8)


KEPT = codec("count")


def require_metric(grid: Grid) -> None:
    """Refuse a grid in degrees or feet.

    Raises
    ------
    CoverageError
        If the CRS of the grid is not projected in metres.
    """
    crs = pyproj.CRS(grid.crs)
    if not crs.is_projected or any(abs(axis.unit_conversion_factor - 1) > 1e-9 for axis in crs.axis_info):
        raise CoverageError("the grid must be in metres", hint="make it with geotools.swath.grid_of(task)")


def trip_shapes(passes: gpd.GeoDataFrame) -> np.ndarray:
    """One polygon per pass, in the order of ``pass_id``; parts of a pass are joined."""
    shapes = np.asarray(swaths(passes).array, dtype=object)
    ids = passes["pass_id"].astype(str).to_numpy(dtype=object)
    order = np.argsort(ids, kind="stable")
    shapes, ids = shapes[order], ids[order]
    first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]) if len(ids) else np.zeros(0, dtype=int)
    size = np.diff(np.r_[first, len(ids)])
    out = shapes[first]
    for position in np.flatnonzero(size > 1):
        out[position] = shapely.union_all(shapes[first[position] : first[position] + size[position]])
    return out


def burn(shapes: Any, grid: Grid, dtype: str = "uint8") -> np.ndarray:
    """1 where the middle of a cell lies in one of the shapes."""
    there = [shape for shape in shapes if not shape.is_empty]
    return filled(there, grid, dtype=dtype) if there else np.zeros(grid.shape, dtype=dtype)


def _added(shapes: np.ndarray, grid: Grid) -> np.ndarray:
    there = [shape for shape in shapes if not shape.is_empty]
    kind = "uint8" if len(there) < 256 else "uint16" if len(there) < 65536 else "int32"
    return filled(there, grid, dtype=kind, merge_alg=MergeAlg.add)


def filled(
    shapes: list[Any], grid: Grid, *, dtype: str = "uint8", merge_alg: MergeAlg = MergeAlg.replace
) -> np.ndarray:
    """Shapes drawn on a grid, one at a time in this process: the library silences a warning meanwhile, for all threads."""
    with _DRAWING:
        return rasterio.features.rasterize(
            shapes, out_shape=grid.shape, transform=grid.transform, dtype=dtype, default_value=1, merge_alg=merge_alg
        )


_DRAWING = threading.Lock()
