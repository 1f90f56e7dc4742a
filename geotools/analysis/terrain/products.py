"""The terrain products of a `Raster` of heights, tile by tile, each as a `Raster` of float32.

For heights in memory; files of any size go through `files.derive`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from geotools.analysis.terrain import surface
from geotools.analysis.terrain.elevation import Elevation, of_raster
from geotools.analysis.terrain.flow import upstream
from geotools.model.arguments import number, one_of
from geotools.model.doors import checked
from geotools.model.progress import Progress
from geotools.space.grid import Raster

TILE = 512
DRAINAGE_M2 = 100_000.0
Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Layer:
    """One output band: its name, unit, what it is, and how a block of heights becomes it."""

    name: str
    unit: str
    title: str
    kernel: Kernel


def layers(product: str, *, north: str = "true", method: str = "riley") -> list[Layer]:
    """The bands of a product that are computed tile by tile (drainage is not)."""
    one_of(north, "north", ("true", "grid"))
    one_of(method, "way to measure ruggedness", ("riley", "wilson", "range"))
    facing = f"direction the slope faces, degrees clockwise from {north} north"
    table = {
        "slope": [Layer("slope", "degree", "slope (Horn), degrees", surface.slope)],
        "aspect": [Layer("aspect", "degree", facing, partial(surface.aspect, north=north))],
        "tri": [Layer("tri", "m", f"terrain ruggedness ({method}), metres", partial(surface.tri, method=method))],
        "curvature": [
            Layer(
                f"curvature_{kind}",
                "1/m",
                f"{kind} curvature, 1/m, convex positive",
                partial(surface.curvature, kind=kind),
            )
            for kind in ("profile", "plan")
        ],
    }
    return table[product]


def block(dem: Elevation, window: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray, int]:
    """Heights of a window with one more cell on every side, the ground planes of its cells, and how many have impossible heights."""
    row, column, rows, columns = window
    z = dem.raw(row - 1, column - 1, rows + 2, columns + 2)
    impossible = np.isinf(z)
    z[impossible] = np.nan
    return z, dem.ground.over(row, column, (rows, columns)), int(impossible[1:-1, 1:-1].sum())


def _local(dem: Raster, layer: Layer, vertical_unit: str | None, tile: int) -> Raster:
    heights = of_raster(dem, vertical_unit)
    out = np.empty(heights.shape, dtype="float32")
    for window in heights.windows(tile):
        row, column, rows, columns = window
        out[row : row + rows, column : column + columns] = layer.kernel(*block(heights, window)[:2])
    return Raster(out, dem.grid, float("nan"), layer.name)


@checked
def slope(dem: Raster, *, vertical_unit: str | None = None, tile: int = TILE) -> Raster:
    """Slope in degrees, from the eight neighbours (Horn 1981, Proc. IEEE 69).

    Distances are those on the ground: per row from the ellipsoid in geographic systems, and in projected ones with point scale and
    convergence taken out. That changes UTM slopes by at most 0.1 %, but Web Mercator at 40° by 30 %.

    Parameters
    ----------
    dem
        Heights in any reference system. Heights below −1,000 m or above 9,000 m are taken as missing.
    vertical_unit
        m, ft or us-ft; default: the vertical axis of the reference system, else metres.
    tile
        Side of the windows computed at a time. The result is the same, bit by bit, for any size.

    Returns
    -------
    Raster
        float32, NaN where the cell or one of its eight neighbours is missing, so always at the edge.

    Raises
    ------
    CRSError
        If the reference system or the vertical unit cannot be used.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid(500000, 4385000, 10, (3, 3), "EPSG:32638")
    >>> round(float(slope(Raster(np.tile([0.0, 10.0, 20.0], (3, 1)), grid)).values[1, 1]), 2)
    44.99
    """
    return _local(dem, layers("slope")[0], vertical_unit, tile)


@checked
def aspect(dem: Raster, *, north: str = "true", vertical_unit: str | None = None, tile: int = TILE) -> Raster:
    """Direction the slope faces (downhill), degrees clockwise from true north; NaN where level or unknown.

    Parameters
    ----------
    dem, vertical_unit, tile
        As for `slope`.
    north
        ``"true"`` (the meridian), or ``"grid"`` (up on the map, as gdaldem has it).

    Raises
    ------
    StatisticsError
        If `north` is neither.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid(500000, 4385000, 10, (3, 3), "EPSG:32638")
    >>> round(float(aspect(Raster(np.tile([0.0, 10.0, 20.0], (3, 1)), grid)).values[1, 1]), 1)
    270.0
    """
    return _local(dem, layers("aspect", north=north)[0], vertical_unit, tile)


@checked
def tri(dem: Raster, *, method: str = "riley", vertical_unit: str | None = None, tile: int = TILE) -> Raster:
    """Terrain ruggedness in metres of height between a cell and its eight neighbours. It depends on the cell size.

    Parameters
    ----------
    dem, vertical_unit, tile
        As for `slope`.
    method
        ``"riley"`` (root of the sum of squares, Riley et al. 1999), ``"wilson"`` (mean, Wilson et al. 2007) or ``"range"``
        (highest minus lowest of the nine, "roughness").

    Raises
    ------
    StatisticsError
        If `method` is none of these.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid(500000, 4385000, 10, (3, 3), "EPSG:32638")
    >>> float(tri(Raster(np.tile([0.0, 10.0, 20.0], (3, 1)), grid), method="range").values[1, 1])
    20.0
    """
    return _local(dem, layers("tri", method=method)[0], vertical_unit, tile)


@checked
def curvature(dem: Raster, *, kind: str = "profile", vertical_unit: str | None = None, tile: int = TILE) -> Raster:
    """Curvature in 1/m, positive where the ground is convex (crests, spurs); NaN where level or unknown.

    From the quadratic that fits the nine heights best (Evans 1980); exact on quadratic surfaces.

    Parameters
    ----------
    dem, vertical_unit, tile
        As for `slope`.
    kind
        ``"profile"`` (of the ground along the fall line) or ``"plan"`` (of the contour).

    Raises
    ------
    StatisticsError
        If `kind` is neither.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid(500000, 4385000, 10, (3, 3), "EPSG:32638")
    >>> float(curvature(Raster(np.tile([0.0, 10.0, 20.0], (3, 1)), grid)).values[1, 1])
    -0.0
    """
    one_of(kind, "kind of curvature", ("profile", "plan"))
    return _local(dem, layers("curvature")[("profile", "plan").index(kind)], vertical_unit, tile)


@checked
def drainage(
    dem: Raster,
    *,
    threshold_m2: float = DRAINAGE_M2,
    vertical_unit: str | None = None,
    progress: Progress | None = None,
) -> Raster:
    """Drainage lines: cells that drain at least `threshold_m2` of ground, after filling pits (D8).

    Unlike the other products this one needs the whole model at once: water comes from anywhere upstream. At most 50 million cells.
    Distances between cells are those of the middle column of each row.
    Water is taken to leave the model over its edge and into missing ground, so a pit that touches them is not filled.

    Parameters
    ----------
    dem, vertical_unit
        As for `slope`.
    threshold_m2
        Least upstream ground of a line.

    Returns
    -------
    Raster
        float32: upstream ground in m² (at least) on lines, 0 off them; NaN beside missing cells and where ground that is not in the model may
        add enough water to make a line.

    Raises
    ------
    ReadError
        If the model has too many cells.
    StatisticsError
        If `threshold_m2` is not positive.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid(500000, 4385000, 10, (5, 5), "EPSG:32638")
    >>> valley = np.abs(np.arange(5) - 2.0) + np.arange(5)[:, None]
    >>> bool(np.isnan(drainage(Raster(valley, grid), threshold_m2=500).values).sum() >= 16)
    True
    """
    return Raster(lines(of_raster(dem, vertical_unit), threshold_m2, progress), dem.grid, float("nan"), "drainage")


def lines(heights: Elevation, threshold_m2: float, progress: Progress | None) -> np.ndarray:
    """Values of `drainage`."""
    number(threshold_m2, "the least upstream ground of a drainage line (a positive area in m²)", above=0)
    area, unsure, unknown = upstream(heights, progress=progress)
    out = np.where(area >= threshold_m2, area, 0.0).astype("float32")
    out[unknown | (unsure & (area < threshold_m2))] = np.nan
    return out
