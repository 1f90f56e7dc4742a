"""Rasters for the ledger: where items may be, and how often each cell was searched.

Errs one way only: every cell the task touches may hold items, only cells wholly inside searched ground count as searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geotools.model import arguments
from geotools.model.errors import StatisticsError
from geotools.space import crs as _crs
from geotools.space import geom
from geotools.space.grid import Grid, Raster

MOST_CELLS = 400_000_000


def task_grid(task: gpd.GeoDataFrame | gpd.GeoSeries, cell_m: float = 0.5) -> Grid:
    """An equal-area grid over a task.

    Raises
    ------
    StatisticsError
        If the task has no area, or more cells than are computed at once.

    Examples
    --------
    >>> task_grid(gpd.GeoSeries([shapely.box(700000, 4380000, 700010, 4380005)], crs="EPSG:32638"), 1.0).shape
    (6, 11)
    """
    arguments.layer(task, "the task")
    cell_m = arguments.positive(cell_m, "cell_m")
    if not arguments.placed(task).any():
        raise StatisticsError("the task has no area", hint="a task is at least one polygon")
    plane = _crs.equal_area(tuple(_crs.to_wgs84(gpd.GeoDataFrame(geometry=task.geometry)).total_bounds))
    shape = _union(task, plane)
    if shape.is_empty:
        raise StatisticsError("the task has no area", hint="a task is at least one polygon")
    west, south, east, north = shape.bounds
    if (east - west) * (north - south) / cell_m**2 > MOST_CELLS:
        raise StatisticsError(
            f"the task has more than {MOST_CELLS:,} cells of {cell_m:g} m",
            hint="choose larger cells, or one task at a time",
        )
    return Grid.around(shape.bounds, cell_m, plane)


def prior(
    task: gpd.GeoDataFrame | gpd.GeoSeries,
    grid: Grid,
    *,
    items: float,
    evidence: Mapping[str, tuple[gpd.GeoDataFrame | gpd.GeoSeries, float, float]] | None = None,
    base: float = 1.0,
) -> Raster:
    """Expected items per cell before any search, adding up to `items`.

    Parameters
    ----------
    items
        Expected number of items in the whole task.
    evidence
        name → (layer in any CRS, weight, spread in metres): finds, recorded positions, gaps of rows. The layer's points or polygons
        are spread with a Gaussian of that standard deviation; the weight is the share it gets beside the others.
    base
        Weight of the ground of the task as such, evenly; above 0, because evidence never shows that the rest holds nothing.

    Returns
    -------
    Raster
        ``expected_items``; 0 outside the task.

    Raises
    ------
    StatisticsError
        If the grid does not touch the task, or a row of evidence is not (layer, weight, spread in metres).

    Examples
    --------
    >>> task = gpd.GeoSeries([shapely.box(700000, 4380000, 700010, 4380005)], crs="EPSG:32638")
    >>> round(float(prior(task, task_grid(task, 1.0), items=3).values.sum()), 9)
    3.0
    """
    arguments.layer(task, "the task")
    arguments.instance(grid, "the grid", Grid, hint="see residual.task_grid")
    items, base = arguments.positive(items, "items"), arguments.positive(base, "base, the weight of the other ground,")
    inside = _burn([_union(task, grid.crs)], grid, touched=True) > 0
    if not inside.any():
        raise StatisticsError("the grid does not touch the task")
    total = np.where(inside, base / inside.sum(), 0.0)
    weights = base
    for name, entry in ({} if evidence is None else arguments.mapping(evidence, "evidence")).items():
        if not isinstance(entry, tuple | list) or len(entry) != 3:
            raise StatisticsError(
                f"evidence '{name}' needs (layer, weight, spread in metres)", hint="for example (finds, 2, 5)"
            )
        layer = arguments.layer(entry[0], f"evidence '{name}'")
        weight, spread_m = (
            arguments.number(entry[1], "a weight", least=0),
            arguments.number(entry[2], "a spread", least=0),
        )
        surface = np.where(inside, _spread(layer, grid, spread_m), 0.0)
        if weight > 0 and surface.sum() > 0:
            total += weight * surface / surface.sum()
            weights += weight
    return Raster(total * (items / weights), grid, name="expected_items")


def passes(searched: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> Raster:
    """How many of the searched polygons hold each cell wholly.

    Touching polygons leave no seam: the union of all counts as one pass wherever it holds a cell.

    Examples
    --------
    >>> grid = Grid.around((0, 0, 4, 4), 1.0, "EPSG:32638")
    >>> two = gpd.GeoSeries([shapely.box(0, 0, 2, 4), shapely.box(1.5, 0, 4, 4)], crs="EPSG:32638")
    >>> passes(two, grid).values[0].tolist()
    [1, 1, 1, 1]
    """
    arguments.layer(searched, "the searched ground")
    arguments.instance(grid, "the grid", Grid, hint="see residual.task_grid")
    half = grid.cell / np.sqrt(2)
    shapes = _shapes(searched, grid.crs)
    if not len(shapes):
        return Raster(np.zeros(grid.shape, dtype=np.uint8), grid, name="passes")
    each = _burn(shapely.buffer(shapes, -half, join_style="mitre"), grid)
    once = _burn([shapely.buffer(shapely.union_all(shapes), -half, join_style="mitre")], grid)
    edge = _inner(shapes, grid)
    return Raster(np.maximum(np.maximum(each, once), edge).astype(np.uint16), grid, name="passes")


def concentration(expected: Raster, *, share: float = 0.5) -> gpd.GeoDataFrame:
    """The smallest ground that holds a share of the expected items: where further search finds most.

    Parameters
    ----------
    expected
        Expected items per cell, e.g. `Ledger.expected`.
    share
        Share of the expected items, 0 to 1.

    Returns
    -------
    GeoDataFrame
        `id, expected_left, area_m2` and polygons in WGS 84, most expected items first. The other ground keeps its status.

    Raises
    ------
    StatisticsError
        If there are no expected items in the raster.

    Examples
    --------
    >>> grid = Grid(700000.0, 4380001.0, 1.0, (1, 3), "EPSG:32638")
    >>> concentration(Raster(np.array([[0.6, 0.3, 0.1]]), grid, name="x"), share=0.85)["expected_left"].round(2).tolist()
    [0.9]
    """
    from rasterio.features import shapes
    from scipy.ndimage import label
    from scipy.ndimage import sum as sum_by

    arguments.instance(expected, "the expected items", Raster, hint="for example Ledger.expected")
    share = arguments.number(share, "the share", above=0, most=1)
    values = expected.values
    if not (np.isfinite(values).all() and values.sum() > 0 and values.min() >= 0):
        raise StatisticsError("there are no expected items in the raster", hint="for example Ledger.expected")
    order = np.argsort(-values, axis=None, kind="stable")
    total = np.cumsum(values.ravel()[order])
    chosen = np.zeros(values.size, dtype=bool)
    chosen[order[: int(np.searchsorted(total, share * total[-1] * (1 - 1e-12))) + 1]] = True
    patches, count = label((chosen & (values.ravel() > 0)).reshape(values.shape))
    held = np.atleast_1d(sum_by(values, patches, np.arange(1, count + 1)))
    size = np.bincount(patches.ravel(), minlength=count + 1)[1:] * expected.grid.cell**2
    drawn = {
        int(v): shapely.geometry.shape(s)
        for s, v in shapes(patches.astype("int32"), mask=patches > 0, connectivity=4, transform=expected.grid.transform)
    }
    rank = np.argsort(-held, kind="stable")
    outlines = np.array([drawn[int(n) + 1] for n in rank], dtype=object)
    data = {"id": [f"G{n + 1:03d}" for n in range(count)], "expected_left": held[rank], "area_m2": size[rank]}
    return gpd.GeoDataFrame(
        data, geometry=gpd.GeoSeries(_crs.transform(outlines, expected.grid.crs, _crs.WGS84), crs=_crs.WGS84)
    )


def _inner(shapes: np.ndarray, grid: Grid) -> np.ndarray:
    """Cells wholly inside the union whose corner is nearer to its edge than half a diagonal (straight edges along the grid)."""
    joined = shapely.union_all(shapes)
    candidates = (_burn([joined], grid) > 0) & (_burn([shapely.buffer(joined, -grid.cell * np.sqrt(2) / 2)], grid) == 0)
    rows, columns = np.nonzero(candidates)
    west, north = grid.west + columns * grid.cell, grid.north - rows * grid.cell
    out = np.zeros(grid.shape, dtype=np.uint16)
    joined = shapely.buffer(joined, 1e-6, join_style="mitre")  # rounding of coordinates, a thousandth of a millimetre
    shapely.prepare(joined)
    out[rows, columns] = shapely.covers(joined, shapely.box(west, north - grid.cell, west + grid.cell, north))
    return out


def _shapes(layer: gpd.GeoDataFrame | gpd.GeoSeries, plane: Any) -> np.ndarray:
    source = _crs.require(layer)
    there = np.asarray(layer.geometry.array, dtype=object)[arguments.placed(layer)]
    moved = geom.polygonal(geom.repair(there if source == plane else _crs.to_equal_area(there, source, plane)))
    return np.array([shape for shape in moved if shape is not None and not shape.is_empty], dtype=object)


def _union(layer: gpd.GeoDataFrame | gpd.GeoSeries, plane: Any) -> Any:
    return shapely.union_all(_shapes(layer, plane))


def _burn(shapes: Any, grid: Grid, *, touched: bool = False) -> np.ndarray:
    from rasterio.enums import MergeAlg
    from rasterio.features import rasterize

    some = [(shape, 1) for shape in shapes if not shape.is_empty]
    if not some:
        return np.zeros(grid.shape, dtype=np.uint16)
    return np.asarray(
        rasterize(
            some,
            grid.shape,
            fill=0,
            transform=grid.transform,
            all_touched=touched,
            merge_alg=MergeAlg.add,
            dtype="uint16",
        )
    )


def _spread(layer: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid, spread_m: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    there = layer.geometry[arguments.placed(layer)]
    shapes = _crs.transform(there.array, _crs.require(layer), grid.crs) if len(there) else np.empty(0, dtype=object)
    areas = [shape for shape in shapes if shape.area > 0]
    surface = _burn(areas, grid, touched=True).astype(float)
    xy = shapely.get_coordinates([shapely.centroid(shape) for shape in shapes if shape.area == 0])
    if len(xy):
        column = np.floor((xy[:, 0] - grid.west) / grid.cell).astype(int)
        row = np.floor((grid.north - xy[:, 1]) / grid.cell).astype(int)
        held = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
        np.add.at(surface, (row[held], column[held]), 1.0)
    return gaussian_filter(surface, spread_m / grid.cell, mode="constant", truncate=5.0) if spread_m > 0 else surface
