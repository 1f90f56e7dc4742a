"""`gradients`: rise per metre to the east and to the north, window by window, for rooms that judge slopes in a direction.

For handing slopes on without writing them; slope and aspect as rasters are in `products` and `files`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
from affine import Affine

from geotools.analysis.terrain import surface
from geotools.analysis.terrain.elevation import Elevation, of_file, of_raster
from geotools.analysis.terrain.ground import horizontal
from geotools.analysis.terrain.products import block
from geotools.space.grid import Raster


@dataclass(frozen=True)
class Gradients:
    """Slopes of a height model that are computed when a window is asked for; the same numbers whatever the window.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> heights = Raster(np.tile([0.0, 1.0, 2.0], (3, 1)), Grid(500000, 4385000, 10, (3, 3), "EPSG:32638"))
    >>> with gradients(heights) as slopes:
    ...     slopes.shape, slopes.crs.to_epsg(), slopes.area(1, 1, 1, 1).round().tolist()
    ((3, 3), 32638, [[100.0]])
    """

    heights: Elevation

    @property
    def transform(self) -> Affine:
        """Affine of (column, row) to (x, y)."""
        return self.heights.transform

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.heights.shape

    @property
    def crs(self) -> pyproj.CRS:
        """Horizontal reference system."""
        return horizontal(self.heights.crs)

    def rise(self, row: int, column: int, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        """Rise per metre to the true east and to the true north (Horn 1981); NaN where a neighbour is missing."""
        z, planes, _ = block(self.heights, (row, column, rows, columns))
        return surface.gradient(z, planes)

    def area(self, row: int, column: int, rows: int, columns: int) -> np.ndarray:
        """Ground of each cell in m²."""
        return self.heights.ground.area(row, column, (rows, columns))


@contextmanager
def gradients(dem: Raster | str | Path, *, vertical_unit: str | None = None) -> Iterator[Gradients]:
    """Open heights for slopes in any direction.

    Parameters
    ----------
    dem
        A raster in memory or a file of heights; see `slope` and `derive`.
    vertical_unit
        m, ft or us-ft; default: as the file or reference system says, else metres.

    Raises
    ------
    ReadError, CRSError
        If the heights cannot be used.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid(500000, 4385000, 10, (3, 3), "EPSG:32638")
    >>> with gradients(Raster(np.tile([0.0, 1.0, 2.0], (3, 1)), grid)) as slopes:
    ...     east, north = slopes.rise(1, 1, 1, 1)
    >>> east.round(3).tolist(), np.abs(north).round(3).tolist()
    ([[0.1]], [[0.0]])
    """
    if isinstance(dem, Raster):
        yield Gradients(of_raster(dem, vertical_unit))
        return
    with of_file(dem, vertical_unit) as heights:
        yield Gradients(heights)
