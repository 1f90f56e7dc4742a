"""Pictures for the map from rasters: hillshade, pass counts, classes and values, warped to Web Mercator.

Counts and classes are nearest-neighbour and lossless, because a colour is a count; relief is bilinear and may be lossy.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from geotools.maps.webmap.words import Label
from geotools.model.errors import MapError, ReadError
from geotools.space.grid import Raster

KINDS = ("relief", "counts", "classes", "values", "photo")
MAX_SIDE = 4096
RELIEF_SIDE = 1400
LEAST_SIDE = 128
QUALITY = 72
_MERCATOR = "EPSG:3857"
# Counts: 0 is a warning colour, then from light to dark green; more than the last shares its colour.
COUNTS = ("#d55e00", "#cdeadd", "#86cdb1", "#3fa784", "#0b7a58", "#00543c")
LANDCOVER = (
    "#d9d2c4",
    "#e9e0b0",
    "#cfdcb4",
    "#b3cbb0",
    "#b8d3e6",
    "#c9b8b0",
    "#e4ddd2",
    "#d6c6dd",
    "#c4d9b0",
    "#f0e6d8",
)


@dataclass(frozen=True)
class Picture:
    """An encoded image with its corners (west, south, east, north, degrees) and legend (colour, label)."""

    data: bytes
    mime: str
    bounds: tuple[float, float, float, float]
    pixelated: bool
    legend: tuple[tuple[str, Label], ...] = ()
    coarser: int = 0  # how many times coarser than asked, to keep within a size

    @property
    def base64(self) -> str:
        """The image as base64 text."""
        return base64.b64encode(self.data).decode("ascii")


def image(
    raster: Any,
    *,
    kind: str,
    colors: Sequence[str] | Mapping[int, str] | None = None,
    labels: Mapping[int, Label] | None = None,
    max_bytes: int | None = None,
) -> Picture:
    """Warp and colour a raster.

    Parameters
    ----------
    raster
        Path of a raster file with a CRS, or a `Raster`.
    kind
        One of `KINDS`.
    colors
        Colours of counts 0, 1, 2, … or of classes in ascending order, or value → colour.
    labels
        Value → text of the legend.
    max_bytes
        Relief and photos are halved in resolution until they fit; counts and classes are never changed.

    Raises
    ------
    MapError
        If the kind is unknown, the raster would be larger than 4096 cells a side, or it does not fit `max_bytes`.
    ReadError
        If the file cannot be read or has no CRS.
    """
    if kind not in KINDS:
        raise MapError(f"a raster layer is one of {', '.join(KINDS)}, not '{kind}'")
    if kind in ("relief", "photo"):
        return _fitting(raster, kind, max_bytes)
    values, mask, bounds = _warped(raster, kind)
    made = _ramp(values, mask, bounds) if kind == "values" else _coded(values, mask, bounds, kind, colors, labels or {})
    if max_bytes is not None and len(made.data) > max_bytes:
        raise MapError(
            f"the raster takes {len(made.data) * 4 / 3e6:.1f} MB of the page, more than is left for it",
            hint="cut it to the area of interest, or allow more (--max-mb)",
        )
    return made


def _fitting(raster: Any, kind: str, max_bytes: int | None) -> Picture:
    """A picture whose loss of detail does not matter, coarse enough to fit."""
    side, coarser = (RELIEF_SIDE if kind == "relief" else MAX_SIDE), 1
    while True:
        made = _photo(raster, side) if kind == "photo" else _relief(*_warped(raster, kind, side))
        if max_bytes is None or len(made.data) <= max_bytes:
            return replace(made, coarser=coarser if coarser > 1 else 0)
        if side < LEAST_SIDE:
            raise MapError(
                f"not even {side} cells a side of the base map fit the page",
                hint="allow more (--max-mb), or leave the base map out",
            )
        side, coarser = side // 2, coarser * 2


def _photo(raster: Any, side: int) -> Picture:
    """Three bands of a file, read at the resolution they are shown in, so that a large ortho never fills the memory."""
    import rasterio
    from rasterio.vrt import WarpedVRT
    from rasterio.warp import Resampling

    try:
        with rasterio.open(Path(raster)) as file:
            if file.crs is None:
                raise ReadError(
                    "the raster has no reference system", hint="assign one with gdal_translate -a_srs", file=raster
                )
            if file.count < 3:
                raise ReadError("a photo has three bands, red, green and blue", file=raster)
            with WarpedVRT(
                file, crs=_MERCATOR, resampling=Resampling.bilinear, add_alpha=file.nodata is None
            ) as warped:
                shrink = max(1.0, max(warped.width, warped.height) / side)
                shape = max(1, round(warped.height / shrink)), max(1, round(warped.width / shrink))
                bands = warped.read([1, 2, 3], out_shape=(3, *shape), resampling=Resampling.average)
                seen = warped.dataset_mask(out_shape=shape) > 0
                box = warped.bounds
    except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError, MemoryError) as error:
        raise ReadError("not a readable raster", hint="give a GeoTIFF, or copy it again", file=raster) from error
    if bands.dtype != np.uint8:
        known = bands[:, seen]
        low, high = (np.percentile(known, 2), np.percentile(known, 98)) if known.size else (0.0, 1.0)
        bands = (np.clip((bands - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)
    rgba = np.dstack([*bands, np.where(seen, 255, 0).astype(np.uint8)])
    back = pyproj.Transformer.from_crs(_MERCATOR, "EPSG:4326", always_xy=True)
    (w, e), (s, n) = back.transform([box[0], box[2]], [box[1], box[3]])
    data, mime = _encode(rgba, lossless=False)
    return Picture(data, mime, (float(w), float(s), float(e), float(n)), False)


def _source(raster: Any) -> tuple[np.ndarray, np.ndarray, Any, Any]:
    """Values, mask of valid cells, transform and CRS."""
    if isinstance(raster, Raster):
        values = np.asarray(raster.values)
        valid = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
        if raster.nodata is not None:
            valid &= values != raster.nodata
        return values, valid, raster.grid.transform, raster.grid.crs.to_wkt()
    import rasterio

    try:
        with rasterio.open(Path(raster)) as file:
            if file.crs is None:
                raise ReadError(
                    "the raster has no reference system", hint="assign one with gdal_translate -a_srs", file=raster
                )
            values = file.read(1)
            valid = file.read_masks(1) > 0
            if values.dtype.kind == "f":
                valid &= np.isfinite(values)
            return values, valid, file.transform, file.crs.to_wkt()
    except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError, MemoryError) as error:
        raise ReadError("not a readable raster", hint="give a GeoTIFF, or copy it again", file=raster) from error


def _warped(
    raster: Any, kind: str, most: int = MAX_SIDE
) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float, float]]:
    """Values and mask on a Web-Mercator lattice, and its corners in degrees."""
    import rasterio
    from affine import Affine
    from rasterio.warp import Resampling, reproject

    values, valid, transform, crs = _source(raster)
    rows, columns = values.shape
    west, south, east, north = _corners(transform, rows, columns)
    box = pyproj.Transformer.from_crs(crs, _MERCATOR, always_xy=True).transform_bounds(
        west, south, east, north, densify_pts=21
    )
    if not np.isfinite(box).all():
        raise MapError("the raster lies outside the map")
    wide, high = box[2] - box[0], box[3] - box[1]
    cell = max(min(wide / columns, high / rows), 1e-3)
    side = most
    if max(wide, high) / cell > side:
        if kind in ("counts", "classes"):
            cell = max(wide, high) / side if max(rows, columns) <= side else 0.0
            if not cell:
                raise MapError(
                    f"the raster has more than {MAX_SIDE} cells a side", hint="cut it to the area of interest first"
                )
        else:
            cell = max(wide, high) / side
    shape = (max(1, math.ceil(high / cell)), max(1, math.ceil(wide / cell)))
    target = Affine(cell, 0, box[0], 0, -cell, box[3])
    smooth = kind in ("relief", "values")
    out = np.zeros(shape, dtype=np.float32 if smooth else values.dtype)
    seen = np.zeros(shape, dtype=np.uint8)
    with rasterio.Env(GDAL_CACHEMAX=64):
        data = (
            np.where(valid, values, np.nan).astype(np.float32)
            if smooth
            else np.where(valid, values, 0).astype(values.dtype)
        )
        reproject(
            data,
            out,
            src_transform=transform,
            src_crs=crs,
            dst_transform=target,
            dst_crs=_MERCATOR,
            resampling=Resampling.bilinear if smooth else Resampling.nearest,
            **({"src_nodata": np.nan, "dst_nodata": np.nan} if smooth else {}),
        )
        reproject(
            valid.astype(np.uint8),
            seen,
            src_transform=transform,
            src_crs=crs,
            dst_transform=target,
            dst_crs=_MERCATOR,
            resampling=Resampling.nearest,
        )
    mask = (seen > 0) & (np.isfinite(out) if smooth else True)
    corners = (box[0], box[3] - shape[0] * cell, box[0] + shape[1] * cell, box[3])
    back = pyproj.Transformer.from_crs(_MERCATOR, "EPSG:4326", always_xy=True)
    (w, e), (s, n) = back.transform([corners[0], corners[2]], [corners[1], corners[3]])
    return out, mask, (float(w), float(s), float(e), float(n))


def _corners(transform: Any, rows: int, columns: int) -> tuple[float, float, float, float]:
    """(west, south, east, north) of a lattice, turned ones included."""
    a, b, c, d, e, f = (float(v) for v in tuple(transform)[:6])
    x = [c + a * i + b * j for i in (0, columns) for j in (0, rows)]
    y = [f + d * i + e * j for i in (0, columns) for j in (0, rows)]
    return min(x), min(y), max(x), max(y)


def _encode(rgba: np.ndarray, *, lossless: bool) -> tuple[bytes, str]:
    from PIL import Image

    stream = io.BytesIO()
    if lossless:
        Image.fromarray(rgba, "RGBA").save(stream, "WEBP", lossless=True, quality=100, method=4, exact=True)
    else:
        Image.fromarray(rgba, "RGBA").save(stream, "WEBP", quality=QUALITY, alpha_quality=60, method=5)
    return stream.getvalue(), "image/webp"


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _coded(
    values: np.ndarray,
    mask: np.ndarray,
    bounds: Any,
    kind: str,
    colors: Sequence[str] | Mapping[int, str] | None,
    labels: Mapping[int, Label],
) -> Picture:
    codes = np.asarray(np.rint(values), dtype=np.int64)
    present = sorted(int(v) for v in np.unique(codes[mask])) if mask.any() else []
    own = colors if isinstance(colors, Mapping) else {}
    table = list((None if own else colors) or (COUNTS if kind == "counts" else LANDCOVER))
    rgba = np.zeros((*codes.shape, 4), dtype=np.uint8)
    legend: list[tuple[str, Label]] = []
    for n, value in enumerate(present):
        at = min(value, len(table) - 1) if kind == "counts" else n % len(table)
        color = str(own.get(value, table[at]))
        where = mask & (codes == value)
        rgba[where] = (*_rgb(color), 255)
        more = kind == "counts" and value >= len(table) - 1 and present[-1] > value
        if kind == "counts" and value > len(table) - 1:
            continue
        legend.append((color, labels.get(value, f"{value}+" if more else str(value))))
    data, mime = _encode(rgba, lossless=True)
    return Picture(data, mime, bounds, True, tuple(legend))


def _ramp(values: np.ndarray, mask: np.ndarray, bounds: Any) -> Picture:
    import matplotlib as mpl

    low, high = (float(np.nanmin(values[mask])), float(np.nanmax(values[mask]))) if mask.any() else (0.0, 1.0)
    scale = mpl.colormaps["viridis"]
    share = np.clip((values - low) / (high - low if high > low else 1.0), 0, 1)
    rgba = (scale(np.nan_to_num(share)) * 255).round().astype(np.uint8)
    rgba[..., 3] = np.where(mask, 205, 0)
    data, mime = _encode(rgba, lossless=True)
    steps = [low + (high - low) * k / 4 for k in range(5)]
    legend = tuple((mpl.colors.to_hex(scale(k / 4)), f"{step:.4g}") for k, step in enumerate(steps))
    return Picture(data, mime, bounds, False, legend)


def hillshade(heights: np.ndarray, cell_m: float) -> np.ndarray:
    """Light from several directions on a surface, 0 (dark) to 1 (light); flat ground is about 0.7.

    Lambert shading with the sun at 45°, from north-west mostly, with weaker lights from west, north and south-west so
    that no slope is lost in shadow.

    Examples
    --------
    >>> float(hillshade(np.zeros((3, 3)), 10.0)[1, 1].round(2))
    0.71
    """
    dy, dx = np.gradient(heights.astype(float), cell_m)
    slope = np.arctan(np.hypot(dx, dy))
    aspect = np.arctan2(dy, -dx)
    zenith = math.radians(45)
    shade = np.zeros(heights.shape)
    for azimuth, weight in ((315, 0.55), (270, 0.15), (0, 0.15), (225, 0.15)):
        light = math.radians(450 - azimuth)
        shade += weight * np.clip(
            math.cos(zenith) * np.cos(slope) + math.sin(zenith) * np.sin(slope) * np.cos(light - aspect), 0, 1
        )
    return shade


def _relief(values: np.ndarray, mask: np.ndarray, bounds: Any) -> Picture:
    columns = values.shape[1]
    middle = math.radians((bounds[1] + bounds[3]) / 2)
    across = math.radians(bounds[2] - bounds[0]) * 6378137 * math.cos(middle)
    cell = across / columns
    known = np.where(mask, values, np.nan)
    filled = np.where(mask, values, np.nanmean(known) if mask.any() else 0.0)
    low, high = (np.nanpercentile(known, 2), np.nanpercentile(known, 98)) if mask.any() else (0.0, 1.0)
    height = np.clip((filled - low) / max(high - low, 1.0), 0, 1)[..., None]
    steep = float(np.nanpercentile(np.hypot(*np.gradient(filled, cell)), 90)) if mask.any() else 0.0
    lift = float(np.clip(0.22 / max(steep, 1e-6), 1.0, 6.0))
    shade = (hillshade(filled * lift, cell) / math.cos(math.radians(45)))[..., None]
    plain = np.array([[[238.0, 240.0, 232.0]]]) * (1 - height) + np.array([[[243.0, 238.0, 226.0]]]) * height
    light = np.clip(0.95 + 0.60 * (shade - 1.0), 0.62, 1.0)
    tint = plain * light + np.array([[[96.0, 108.0, 122.0]]]) * (1 - light) * 0.35
    rgba = np.dstack([np.clip(tint, 0, 255), np.where(mask, 255, 0)[..., None]]).astype(np.uint8)
    data, mime = _encode(rgba, lossless=False)
    return Picture(data, mime, bounds, False)
