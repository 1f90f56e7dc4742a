"""`Grid` and `Raster`: a lattice of square cells as one value, and numbers on it.

For every raster computation; reading and writing raster files is in `io`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine

from geotools.model.errors import CRSError, SchemaError
from geotools.space import crs as _crs

MOST = 2**31  # rows or columns


@dataclass(frozen=True)
class Grid:
    """A north-up lattice: upper-left corner (x, y), cell size in CRS units, shape (rows, columns).

    Raises
    ------
    CRSError
        If the reference system is not understood, the cell size not positive, or a number not finite.

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
        object.__setattr__(self, "crs", _crs.parse(self.crs))
        _corner_and_cell((self.west, self.north), self.cell)
        if not (isinstance(self.shape, tuple) and len(self.shape) == 2 and all(map(_is_count, self.shape))):
            raise CRSError(f"a grid cannot have the shape {self.shape!r:.60}", hint="give (rows, columns)")

    @classmethod
    def around(cls, bounds: tuple[float, float, float, float], cell: float, crs: Any) -> Grid:
        """The smallest grid aligned to whole multiples of `cell` that holds `bounds` (west, south, east, north)."""
        _corner_and_cell(bounds, cell)
        if len(bounds) != 4 or bounds[0] > bounds[2] or bounds[1] > bounds[3]:
            raise CRSError("bounds are (west, south, east, north)", hint="west and south are the smaller numbers")
        west, north = np.floor(bounds[0] / cell) * cell, np.ceil(bounds[3] / cell) * cell
        if max(bounds[2] - west, north - bounds[1]) / cell > MOST:
            raise CRSError(f"cells of {cell:g} are too small for these bounds", hint="take larger cells")
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


def _corner_and_cell(corner: Any, cell: Any) -> None:
    """Refuse text, missing and infinite numbers, and cells that are no cells."""
    try:
        numbers = np.asarray([*corner, cell])
        good = numbers.dtype.kind in "iuf" and bool(np.isfinite(numbers).all()) and cell > 0
    except (TypeError, ValueError):
        good = False
    if not good:
        raise CRSError(
            "a grid needs finite coordinates and a positive cell size",
            hint="numbers, in the unit of the reference system",
        )


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 0)


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
    SchemaError
        If the values are no array, or have another shape than the grid.

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
        if not isinstance(self.values, np.ndarray) or not isinstance(self.grid, Grid):
            raise SchemaError("a raster is an array of values on a Grid", hint="Raster(np.zeros(grid.shape), grid)")
        if self.values.shape != self.grid.shape:
            raise SchemaError(
                f"values have shape {self.values.shape}, the grid has {self.grid.shape}",
                hint="rows first, then columns",
            )
