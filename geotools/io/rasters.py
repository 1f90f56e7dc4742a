"""Rasters to and from cloud-optimised GeoTIFF, whole or by window.

For numbers on a `Grid`; vector layers are written by `write`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geotools.io import verification
from geotools.io.atomic import replacing
from geotools.model.errors import CRSError, GeotoolsError, ReadError, WriteError
from geotools.model.vocab import vocabulary
from geotools.space.grid import Grid, Raster

KINDS = {"bool": "uint8", "float64": "float32", "int64": "int32"}


def write_raster(raster: Raster, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a raster as a compressed, tiled GeoTIFF with overviews (COG), whole or not at all.

    Parameters
    ----------
    raster
        Its name becomes the band's description; bool is written as uint8, float64 as float32, int64 as int32.
    path
        A ``.tif`` file.

    Raises
    ------
    WriteError
        If the file exists and `overwrite` is false, the folder cannot be written, or the file does not read as it was written.

    Examples
    --------
    >>> import tempfile
    >>> grid = Grid(700000, 4380000, 0.5, (2, 3), "EPSG:32638")
    >>> path = write_raster(Raster(np.arange(6, dtype="uint8").reshape(2, 3), grid, name="passes"), Path(tempfile.mkdtemp()) / "a.tif")
    >>> read_raster(path).values.tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    kind = KINDS.get(str(raster.values.dtype), str(raster.values.dtype))
    rows, columns = raster.grid.shape
    profile: dict[str, Any] = {
        "driver": "COG", "width": columns, "height": rows, "count": 1, "dtype": kind, "crs": rasterio.CRS.from_wkt(raster.grid.crs.to_wkt()),
        "transform": raster.grid.transform, "nodata": raster.nodata, "compress": "deflate",
        "predictor": "standard" if kind.startswith(("u", "i")) else "floating_point", "blocksize": 256, "overview_resampling": "nearest",
    }  # fmt: skip
    values = raster.values.astype(kind, copy=False)
    with replacing(path, overwrite=overwrite) as temporary:
        try:
            with rasterio.open(temporary, "w", **profile) as target:
                target.write(values, 1)
                if raster.name:
                    target.set_band_description(1, raster.name)
            whole = _is_whole(temporary, values)
        except Exception as error:  # a full disk shows in many ways
            raise WriteError(
                "writing failed (the file could not be completed); nothing was changed",
                hint=verification.HINT,
                file=path,
            ) from error
        if not whole:
            raise WriteError(
                "writing failed: parts of it are missing; nothing was changed", hint=verification.HINT, file=path
            )
    return Path(path)


def _is_whole(path: Path, values: np.ndarray) -> bool:
    """Whether every cell reads as it was written: not every error of closing is reported."""
    floating = values.dtype.kind == "f"
    with rasterio.open(path) as source:
        for top in range(0, len(values), 1024):
            part = values[top : top + 1024]
            there = source.read(1, window=Window(0, top, part.shape[1], part.shape[0]))
            if not np.array_equal(there, part, equal_nan=floating):
                return False
    return True


@contextmanager
def readable(path: str | Path) -> Iterator[None]:
    """A block that reads a raster: whatever its library says about damage becomes a `ReadError` with the file.

    Raises
    ------
    ReadError
        If it is no raster, is damaged, or does not fit into memory.
    """
    try:
        yield
    except GeotoolsError:
        raise
    except (RasterioError, CPLE_BaseError, OSError, ValueError) as error:
        raise ReadError("not a raster that can be read", hint="give a GeoTIFF, or copy it again", file=path) from error
    except MemoryError as error:
        raise ReadError("it does not fit into memory", hint="cut it to the district first (gdalwarp -te)", file=path) from error  # fmt: skip


def read_raster(path: str | Path, *, bounds: tuple[float, float, float, float] | None = None, band: int = 1) -> Raster:
    """Read one band, or the part of it around `bounds` in the raster's own system.

    Raises
    ------
    ReadError
        If the file is missing or not a raster, is rotated, or has no cell in `bounds`.
    CRSError
        If it has no coordinate reference system.
    """
    with readable(path), rasterio.open(path) as source:
        turned = (
            source.transform.b
            or source.transform.d
            or source.transform.a <= 0
            or abs(source.transform.a + source.transform.e) > 1e-9 * source.transform.a
        )
        if turned:
            raise ReadError(
                "the raster is rotated or its cells are not square",
                hint="resample it first, for example with gdalwarp -tr",
                file=path,
            )
        if source.crs is None:
            raise CRSError(
                "the raster has no coordinate reference system",
                hint="add one, for example with gdal_edit.py -a_srs",
                file=path,
            )
        window = Window(0, 0, source.width, source.height) if bounds is None else _window(source, bounds, path)
        values = source.read(band, window=window)
        cell = abs(source.transform.a)
        grid = Grid(
            source.transform.c + window.col_off * cell,
            source.transform.f - window.row_off * cell,
            cell,
            values.shape,
            source.crs.to_wkt(),
        )
        return Raster(values, grid, source.nodata, source.descriptions[band - 1] or "")


def _window(source: Any, bounds: tuple[float, float, float, float], path: str | Path) -> Window:
    west, south, east, north = bounds
    cell, left_edge, top_edge = source.transform.a, source.transform.c, source.transform.f
    top, left = (
        max(0, int(np.floor((top_edge - north) / cell + 1e-9))),
        max(0, int(np.floor((west - left_edge) / cell + 1e-9))),
    )
    bottom = min(source.height, int(np.ceil((top_edge - south) / cell - 1e-9)))
    right = min(source.width, int(np.ceil((east - left_edge) / cell - 1e-9)))
    if bottom <= top or right <= left:
        raise ReadError(
            "the raster does not reach the asked bounds", hint="is it the right place and reference system?", file=path
        )
    return Window(left, top, right - left, bottom - top)


def class_names(path: str | Path) -> dict[int, str]:
    """The land-cover class behind each number of a classified raster, as words of the `landcover` vocabulary.

    The file's own list wins: a tag ``CLASSES`` (``10=trees, 20=shrub``) or a tag per number. Without one, numbers are read as
    those of ESA WorldCover if every number in the band is one of them. A name that is not understood becomes ``other``.

    Returns
    -------
    dict
        Number to word; empty if neither the file nor its numbers say what the classes are.

    Raises
    ------
    ReadError
        If the file is missing or not a raster.
    """
    words = vocabulary("landcover")
    with readable(path), rasterio.open(path) as source:
        tags = {**source.tags(), **source.tags(1)}
        listed = re.findall(r"(\d+)\s*[=:]\s*([^,;]+)", tags.get("CLASSES", ""))
        listed = listed or [(key, name) for key, name in tags.items() if key.isdigit()]
        if listed:
            return {int(number): words.match(name) or "other" for number, name in listed}
        if np.dtype(source.dtypes[0]).kind not in "ui":
            return {}
        found: set[int] = set()
        for _, window in source.block_windows(1):
            found |= {int(v) for v in np.unique(source.read(1, window=window, masked=True).compressed())}
    found.discard(0)
    known = {number: words.match(str(number)) for number in sorted(found)}
    return {n: w for n, w in known.items() if w} if all(known.values()) else {}
