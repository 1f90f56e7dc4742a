"""`Grid` and `Raster`: a lattice of square cells as one value, and numbers on it.

For every raster computation; reading and writing raster files is in `io`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyproj
from affine import Affine

from geotools.model.errors import CRSError


@dataclass(frozen=True)
class Grid:
    """A north-up lattice: upper-left corner (x, y), cell size in CRS units, shape (rows, columns).

    Examples
    --------
    >>> grid = Grid.around((0, 0, 10, 5), 0.5, "EPSG:32638")
    >>> grid.shape, grid.bounds
    ((10, 20), (0.0, 0.0, 10.0, 5.0))
    """

    west: float
    north: float
    cell: float
    shape: tuple[int, int]
    crs: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "crs", pyproj.CRS.from_user_input(self.crs))
        if not (self.cell > 0 and np.isfinite([self.west, self.north, self.cell]).all()):
            raise CRSError("a grid needs a positive, finite cell size")

    @classmethod
    def around(cls, bounds: tuple[float, float, float, float], cell: float, crs: Any) -> Grid:
        """The smallest grid aligned to whole multiples of `cell` that holds `bounds` (west, south, east, north)."""
        if not (cell > 0 and np.isfinite(bounds).all()):
            raise CRSError("a grid needs finite bounds and a positive cell size")
        west, north = np.floor(bounds[0] / cell) * cell, np.ceil(bounds[3] / cell) * cell
        columns = max(1, int(np.ceil(round((bounds[2] - west) / cell, 9))))
        rows = max(1, int(np.ceil(round((north - bounds[1]) / cell, 9))))
        return cls(float(west), float(north), float(cell), (rows, columns), crs)

    @property
    def transform(self) -> Affine:
        """Affine of (column, row) to (x, y), as rasterio uses it."""
        return Affine(self.cell, 0, self.west, 0, -self.cell, self.north)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north)."""
        rows, columns = self.shape
        return (self.west, self.north - rows * self.cell, self.west + columns * self.cell, self.north)

    @property
    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """x of the columns and y of the rows, at cell centres."""
        rows, columns = self.shape
        return self.west + (np.arange(columns) + 0.5) * self.cell, self.north - (np.arange(rows) + 0.5) * self.cell

    def window(self, row: int, column: int, shape: tuple[int, int]) -> Grid:
        """The part of this grid that starts at (row, column)."""
        return replace(self, west=self.west + column * self.cell, north=self.north - row * self.cell, shape=shape)


@dataclass(frozen=True)
class Raster:
    """Values on a grid: an array of shape (rows, columns), with an optional no-data value.

    Parameters
    ----------
    values
        The first row is the northernmost.
    grid
        Where the cells lie, see `Grid`.
    nodata
        Value that stands for none.
    name
        What the values are.

    Raises
    ------
    ValueError
        If the values have another shape than the grid.

    Examples
    --------
    >>> counts = Raster(np.array([[0, 1], [2, 2]]), Grid.around((0, 0, 1, 1), 0.5, "EPSG:32638"), name="passes")
    >>> int(counts.values.max()), counts.grid.cell, counts.grid.bounds
    (2, 0.5, (0.0, 0.0, 1.0, 1.0))
    """

    values: np.ndarray
    grid: Grid
    nodata: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.values.shape != self.grid.shape:
            raise ValueError(f"values have shape {self.values.shape}, the grid has {self.grid.shape}")
