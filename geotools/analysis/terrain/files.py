"""`derive`: a height model of any size on disk into cloud-optimised GeoTIFFs, in bounded memory.

For files; rasters in memory are in `products`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from geotools.analysis.terrain import surface
from geotools.analysis.terrain.elevation import Elevation, of_file
from geotools.analysis.terrain.ground import horizontal
from geotools.analysis.terrain.products import DRAINAGE_M2, TILE, Layer, block, layers, lines
from geotools.io.atomic import replacing
from geotools.model.arguments import one_of
from geotools.model.errors import StatisticsError, WriteError
from geotools.model.parallel import iter_ordered
from geotools.model.progress import Progress, tracked
from geotools.model.provenance import InputFile, Provenance

PRODUCTS = ("slope", "aspect", "tri", "curvature", "drainage")
CLASSES_DEG = (0, 5, 10, 15, 20, 25, 30, 35)  # bands that describe the ground; limits of machines are rows of their own
CACHE_MB = 128


@dataclass(frozen=True)
class Settings:
    """How products are made; the fields are the parameters of the functions of the same names.

    Parameters
    ----------
    vertical_unit
        Of the heights, whatever the file says; None: as the file says, else metres.
    north
        ``true`` or ``grid``, for aspect.
    tri_method
        ``riley``, ``wilson`` or ``range``.
    drainage_m2
        Least upstream ground of a channel.
    tile
        Side of the windows computed at a time, in cells; the result is the same for any.

    Examples
    --------
    >>> Settings(vertical_unit="feet", drainage_m2=5000).tri_method
    'riley'
    """

    vertical_unit: str | None = None
    north: str = "true"
    tri_method: str = "riley"
    drainage_m2: float = DRAINAGE_M2
    tile: int = TILE


@dataclass(frozen=True)
class Derived:
    """What `derive` wrote and how steep the ground is.

    Parameters
    ----------
    files
        Path of each band by name.
    cells, unknown_cells
        Cells of the model, and those without a slope: missing, beside a missing cell, or at the edge.
    impossible_cells
        Cells with heights no land has (below −1,000 m or above 9,000 m); they count as missing.
    area_m2
        Ground (on the map plane, not along the slope) by class of slope in degrees (``"0-5"`` … ``"over 35"``), and ``"unknown"``.
    provenance
        Input with hash, and parameters.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from geotools.io.rasters import write_raster
    >>> from geotools.space.grid import Grid, Raster
    >>> heights = Raster(np.tile(np.arange(6.0), (6, 1)), Grid(500000, 4385000, 10, (6, 6), "EPSG:32638"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> done = derive(write_raster(heights, folder / "dem.tif"), folder / "terrain", products=["slope"])
    >>> done.cells, done.unknown_cells, round(done.area_m2["5-10"]), sorted(done.files)
    (36, 20, 1601, ['slope'])
    """

    files: Mapping[str, Path]
    cells: int
    unknown_cells: int
    impossible_cells: int
    area_m2: Mapping[str, float]
    provenance: Provenance

    @property
    def share(self) -> dict[str, float]:
        """Share of all ground of the model by class of slope, the unknown too, 0–1."""
        total = sum(self.area_m2.values())
        return {name: area / total if total else 0.0 for name, area in self.area_m2.items()}

    @property
    def sentences(self) -> list[str]:
        """The result for a person."""
        head = f"{sum(self.area_m2.values()) / 1e6:,.2f} km² in {self.cells:,} cells; {self.unknown_cells:,} cells have no slope (missing, or beside missing ground or the edge)."
        rows = [
            f"  {name + ('°' if name != 'unknown' else ''):>9}  {100 * part:5.1f} %  {self.area_m2[name] / 1e4:12,.1f} ha"
            for name, part in self.share.items()
        ]
        odd = f"{self.impossible_cells:,} cells have heights no land has (below -1,000 m or above 9,000 m) and count as missing."
        return [head, *([odd] if self.impossible_cells else []), "Ground by slope:", *rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "files": {name: path.name for name, path in self.files.items()},
            "cells": self.cells,
            "unknown_cells": self.unknown_cells,
            "impossible_cells": self.impossible_cells,
            "slope_classes": [{"slope_deg": name, "area_m2": round(area, 1), "share": round(self.share[name], 6)} for name, area in self.area_m2.items()],
            "provenance": self.provenance.to_dict(),
        }  # fmt: skip


def derive(
    path: str | Path, folder: str | Path, *, products: Iterable[str] = PRODUCTS, settings: Settings | None = None,
    overwrite: bool = False, progress: Progress | None = None,
) -> Derived:  # fmt: skip
    """Derive terrain products of a file of heights into `folder`, one GeoTIFF (COG, float32, NaN = unknown) per band.

    Files: ``slope.tif aspect.tif tri.tif curvature_profile.tif curvature_plan.tif drainage.tif`` and ``terrain.json`` with the summary
    and the provenance. The values are those of `slope` and its companions. Cells need not be square.

    Parameters
    ----------
    path
        Heights, band 1, in any reference system; no-data, masks, scale, offset and unit of the band are honoured.
    products
        Some of slope, aspect, tri, curvature, drainage.
    settings
        Vertical unit, north, ruggedness method, least upstream ground, tile size.

    Returns
    -------
    Derived
        The files, and the ground by class of slope in m².

    Raises
    ------
    ReadError, CRSError
        If the heights cannot be used, or are too many for drainage (50 million cells).
    WriteError
        If a file exists and `overwrite` is false; nothing is computed then.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from geotools.io.rasters import write_raster
    >>> from geotools.space.grid import Grid, Raster
    >>> heights = Raster(np.tile(np.arange(6.0), (6, 1)), Grid(500000, 4385000, 10, (6, 6), "EPSG:32638"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> done = derive(write_raster(heights, folder / "dem.tif"), folder / "terrain", products=["slope"])
    >>> done.files["slope"].name, round(done.share["5-10"], 3)
    ('slope.tif', 0.444)
    """
    settings = settings or Settings()
    chosen = {
        one_of(name, "terrain product", PRODUCTS) for name in ([products] if isinstance(products, str) else products)
    }
    wanted = [name for name in PRODUCTS if name in chosen]
    if not wanted:
        raise StatisticsError("no terrain product is named", hint=f"name at least one of {', '.join(PRODUCTS)}")
    bands = [
        band
        for name in wanted
        if name != "drainage"
        for band in layers(name, north=settings.north, method=settings.tri_method)
    ]
    names = [band.name for band in bands] + ["drainage"] * ("drainage" in wanted)
    target = Path(folder)
    for name in [f"{name}.tif" for name in names] + ["terrain.json"]:
        if (target / name).exists() and not overwrite:
            raise WriteError(
                "it exists already",
                hint="choose another folder or add --overwrite (overwrite=True)",
                file=target / name,
            )
    with (
        rasterio.Env(GDAL_CACHEMAX=CACHE_MB),
        of_file(path, settings.vertical_unit) as heights,
        _workplace(target) as drafts,
    ):
        places = {name: drafts / f"{name}.tif" for name in names}
        if "drainage" in wanted:
            _whole(lines(heights, settings.drainage_m2, progress), settings.drainage_m2, places["drainage"], heights)
        area, unknown_cells, impossible_cells = _tiles(
            heights, {band: places[band.name] for band in bands}, settings.tile, progress
        )
        parameters = {**vars(settings), "vertical_unit_m": heights.unit_m, "products": wanted}
        made = Provenance("terrain", (InputFile.of(path, crs=heights.crs.name),), parameters)
        files = {name: target / f"{name}.tif" for name in names}
        result = Derived(files, heights.shape[0] * heights.shape[1], unknown_cells, impossible_cells, area, made)
        _publish(places, result, target, overwrite=overwrite, progress=progress)
    return result


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """A hidden folder for drafts beside `folder`, gone at the end."""
    near = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    try:
        place = Path(tempfile.mkdtemp(prefix=".geotools-", dir=near))
    except OSError as error:
        raise WriteError(
            f"the folder cannot be written ({error.strerror or error})", hint="choose another folder", file=folder
        ) from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _publish(
    drafts: Mapping[str, Path], result: Derived, folder: Path, *, overwrite: bool, progress: Progress | None
) -> None:
    """All drafts as compressed, tiled GeoTIFFs with overviews, and the summary; all or none in a folder that is ours alone."""
    options = {
        "compress": "deflate",
        "predictor": "floating_point",
        "blocksize": 256,
        "overview_resampling": "nearest",
        "num_threads": "2",
    }
    names = {"terrain.json", *(f"{name}.tif" for name in drafts)}
    there = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
    if names & there and not overwrite:
        raise WriteError(
            "it exists already", hint="choose another name or add --overwrite (overwrite=True)", file=folder / min(names & there)
        )  # fmt: skip
    own = {"terrain.json", *(f"{name}.tif" for name in PRODUCTS)}
    with ExitStack() as stack:
        if folder.is_symlink() or there - own:  # other people's files are in it: each of ours is replaced by itself
            places = {
                n: stack.enter_context(replacing(folder / n, overwrite=overwrite)) for n in sorted(names, reverse=True)
            }
        else:
            whole = stack.enter_context(replacing(folder, overwrite=True))
            whole.mkdir()
            places = {name: whole / name for name in names}
            for name in there - names:
                shutil.copy2(folder / name, whole / name)
        summary = json.dumps(result.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        places["terrain.json"].write_bytes(summary.encode("utf-8"))
        for name, draft in tracked(list(drafts.items()), "writing GeoTIFFs", progress):
            rasterio.shutil.copy(draft, places[f"{name}.tif"], driver="COG", **options)
            draft.unlink()


def _profile(heights: Elevation) -> dict[str, Any]:
    rows, columns = heights.shape
    return {
        "driver": "GTiff", "width": columns, "height": rows, "count": 1, "dtype": "float32", "nodata": float("nan"), "transform": heights.transform,
        "crs": rasterio.CRS.from_wkt(horizontal(heights.crs).to_wkt()), "tiled": True, "blockxsize": 256, "blockysize": 256, "bigtiff": "if_safer",
    }  # fmt: skip


def _tiles(
    heights: Elevation, bands: Mapping[Layer, Path], tile: int, progress: Progress | None
) -> tuple[dict[str, float], int, int]:
    """Write every band tile by tile; the ground by class of slope, and the numbers of cells without one and with impossible heights."""
    area, unknown, impossible = np.zeros(len(CLASSES_DEG) + 1), 0, 0
    with ExitStack() as stack:
        targets = {
            band: stack.enter_context(rasterio.open(place, "w", **_profile(heights))) for band, place in bands.items()
        }
        for band, target in targets.items():
            target.set_band_description(1, band.title)
            target.set_band_unit(1, band.unit)
        windows = list(heights.windows(tile))
        done = iter_ordered(partial(_tile, tuple(targets)), (block(heights, window) for window in windows))
        for (row, column, rows, columns), found in tracked(
            zip(windows, done, strict=True), "computing terrain", progress, len(windows)
        ):
            impossible += found.impossible
            unknown += found.unknown
            area += found.area
            for target, values in zip(targets.values(), found.values, strict=True):
                target.write(values, 1, window=Window(column, row, columns, rows))
    names = [f"{low}-{high}" for low, high in pairwise(CLASSES_DEG)] + [f"over {CLASSES_DEG[-1]}", "unknown"]
    return dict(zip(names, area.tolist(), strict=True)), unknown, impossible


@dataclass(frozen=True)
class _Tile:
    """The bands of one tile, and what is counted of it."""

    values: list[np.ndarray]
    area: np.ndarray
    unknown: int
    impossible: int


def _tile(bands: tuple[Layer, ...], part: tuple[np.ndarray, np.ndarray, int]) -> _Tile:
    z, planes, odd = part
    steep = surface.rise(z, planes)
    group = np.searchsorted(np.tan(np.radians(CLASSES_DEG[1:])), steep.ravel(), side="right")
    missing = np.isnan(steep).ravel()
    group[missing] = len(CLASSES_DEG)
    size = np.nan_to_num(np.broadcast_to(planes[4], steep.shape).ravel())
    values = [np.degrees(np.arctan(steep)) if band.name == "slope" else band.kernel(z, planes) for band in bands]
    return _Tile(
        [v.astype("float32", copy=False) for v in values],
        np.bincount(group, weights=size, minlength=len(CLASSES_DEG) + 1),
        int(missing.sum()),
        odd,
    )


def _whole(values: np.ndarray, least_m2: float, place: Path, heights: Elevation) -> None:
    with rasterio.open(place, "w", **_profile(heights)) as target:
        target.set_band_description(1, f"upstream ground, m², of lines that drain {least_m2:,.0f} m² or more")
        target.set_band_unit(1, "m2")
        target.write(values, 1)
