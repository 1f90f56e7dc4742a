"""Heights as windows of metres with NaN where they are missing, from a `Raster` or a file of any size.

For the terrain products; writing rasters is in `files` and `io.rasters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
from affine import Affine
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from geotools.analysis.terrain.ground import Ground, ground
from geotools.model.arguments import instance, whole
from geotools.model.errors import CRSError, ReadError, SchemaError
from geotools.space.grid import Raster

LAND_M = (-1000.0, 9000.0)  # no land is lower or higher: such heights are undeclared no-data values
UNITS = {
    "m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "cm": 0.01, "centimetre": 0.01, "dm": 0.1, "km": 1000.0,
    "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "international foot": 0.3048, "us-ft": 1200 / 3937, "ftus": 1200 / 3937,
    "us survey foot": 1200 / 3937, "us survey feet": 1200 / 3937, "foot_us": 1200 / 3937,
}  # fmt: skip


@dataclass(frozen=True)
class Elevation:
    """A height model that gives windows. `raw` is as `read`, but heights no land has are infinite there, so they can be counted."""

    transform: Affine
    shape: tuple[int, int]
    crs: pyproj.CRS
    ground: Ground
    raw: Callable[[int, int, int, int], np.ndarray]
    unit_m: float

    def read(self, row: int, column: int, rows: int, columns: int) -> np.ndarray:
        """Heights of a window in metres, float64, NaN where missing or outside."""
        metres = self.raw(row, column, rows, columns)
        metres[np.isinf(metres)] = np.nan
        return metres

    def windows(self, tile: int) -> Iterator[tuple[int, int, int, int]]:
        """(row, column, rows, columns) of tiles that cover the model once."""
        whole(tile, "the side of a tile, in cells,", least=1)
        rows, columns = self.shape
        for row in range(0, rows, tile):
            for column in range(0, columns, tile):
                yield row, column, min(tile, rows - row), min(tile, columns - column)


def metres_per(unit: str | None, crs: Any) -> float:
    """Metres per vertical unit: as named, else as the vertical axis of the reference system says, else 1.

    Raises
    ------
    CRSError
        If the unit is not known.

    Examples
    --------
    >>> metres_per("feet", None), metres_per(None, "EPSG:32638"), round(metres_per(None, "EPSG:2272+6360"), 6)
    (0.3048, 1.0, 0.304801)
    """
    if unit and unit.strip():
        try:
            return UNITS[unit.strip().lower()]
        except KeyError:
            raise CRSError(
                f"heights in '{unit.strip()[:40]}' are not understood", hint="give the vertical unit: m, ft or us-ft"
            ) from None
    axes = [] if crs is None else pyproj.CRS.from_user_input(crs).axis_info
    return next((float(axis.unit_conversion_factor) for axis in axes if axis.direction.lower() == "up"), 1.0)


def of_raster(dem: Raster, unit: str | None) -> Elevation:
    """Heights in memory."""
    instance(dem, "the heights", Raster, hint="a Raster (gt.grid.Raster), or derive for a file")
    if dem.values.ndim != 2 or dem.values.dtype.kind not in "iuf" or dem.values.size == 0:
        raise SchemaError(
            "the heights are no array of numbers in rows and columns", hint="give heights in metres, NaN where missing"
        )
    unit_m = metres_per(unit, dem.grid.crs)
    rows, columns = dem.values.shape

    def read(row: int, column: int, height: int, width: int) -> np.ndarray:
        out = np.full((height, width), np.nan)
        top, left, bottom, right = max(row, 0), max(column, 0), min(row + height, rows), min(column + width, columns)
        if top < bottom and left < right:
            part = dem.values[top:bottom, left:right]
            metres = part.astype("float64") * unit_m
            if dem.nodata is not None:
                metres[part == dem.nodata] = np.nan
            out[top - row : bottom - row, left - column : right - column] = metres
        return _plausible(out)

    where = dem.grid.transform
    return Elevation(where, dem.grid.shape, dem.grid.crs, ground(where, dem.grid.shape, dem.grid.crs), read, unit_m)


@contextmanager
def of_file(path: str | Path, unit: str | None) -> Iterator[Elevation]:
    """Heights in a raster file, read by window; masks, no-data, scale, offset and the unit of the band are honoured.

    Raises
    ------
    ReadError
        If it is missing, not a raster, rotated, or damaged.
    CRSError
        If it has no reference system or an unknown vertical unit.
    """
    if not Path(path).exists():
        raise ReadError("no such file or folder", hint="give a GeoTIFF of heights", file=path)
    try:
        source = rasterio.open(path)
    except RasterioIOError as error:
        raise ReadError("not a raster that can be read", hint="give a whole GeoTIFF of heights", file=path) from error
    with source:
        yield _opened(source, path, unit)


def _opened(source: Any, path: str | Path, unit: str | None) -> Elevation:
    where = source.transform
    if source.crs is None:
        raise CRSError(
            "the raster has no coordinate reference system",
            hint="add one, for example with gdal_edit.py -a_srs",
            file=path,
        )
    if where.b or where.d or where.a <= 0 or where.e >= 0:
        raise ReadError(
            "the raster is rotated or upside down", hint="resample it first, for example with gdalwarp", file=path
        )
    if source.dtypes[0].startswith("complex"):
        raise ReadError("the raster holds complex numbers, not heights", hint="give a raster of heights", file=path)
    crs = pyproj.CRS.from_wkt(source.crs.to_wkt())
    scale, offset = source.scales[0], source.offsets[0]
    unit_m = metres_per(unit or source.units[0], crs)

    def read(row: int, column: int, height: int, width: int) -> np.ndarray:
        out = np.full((height, width), np.nan)
        top, left, bottom, right = (
            max(row, 0),
            max(column, 0),
            min(row + height, source.height),
            min(column + width, source.width),
        )
        if top < bottom and left < right:
            part = _part(source, path, Window(left, top, right - left, bottom - top))
            metres = part.astype("float64").filled(np.nan)
            if (scale, offset) != (1.0, 0.0):
                metres = metres * scale + offset
            out[top - row : bottom - row, left - column : right - column] = metres * unit_m
        return _plausible(out)

    shape = (source.height, source.width)
    return Elevation(where, shape, crs, ground(where, shape, crs), read, unit_m)


def _part(source: Any, path: str | Path, window: Window) -> Any:
    try:
        return source.read(1, window=window, masked=True)
    except RasterioIOError as error:
        raise ReadError(
            "the raster is damaged: a part of it cannot be read", hint="copy it again from where it came", file=path
        ) from error


def _plausible(metres: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        metres[(metres < LAND_M[0]) | (metres > LAND_M[1])] = np.inf
    return metres
