"""The elevation model and the land-cover raster of the west block.

For two GeoTIFFs in UTM 38N with 10 m cells; heights and cover are invented.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from scipy import ndimage

from synthetic.plane import UTM, rng

WEST, NORTH, COLUMNS, ROWS, CELL = 677_000.0, 4_391_500.0, 1_350, 1_250, 10.0
STEP = 0.25  # heights are multiples of this, which keeps the file small
CLASSES = {10: "trees", 20: "shrub", 30: "grass", 40: "crop", 50: "built", 60: "bare", 80: "water"}


def heights() -> np.ndarray:
    """Foothills in the west that run out into a plain in the east, in metres (float32, multiples of 0.25)."""
    stream = rng(41)
    x, y = np.meshgrid((np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS)
    hills = np.clip(1.15 - 1.9 * x - 0.25 * y, 0, 1) ** 1.3
    z = 150.0 + 170.0 * (1 - x) + 25.0 * (1 - y)
    for _ in range(26):
        cx, cy, size, height = (
            stream.uniform(-0.05, 0.62),
            stream.uniform(0, 1),
            stream.uniform(0.03, 0.12),
            stream.uniform(25, 130),
        )
        z += hills * height * np.exp(-(((x - cx) / size) ** 2 + ((y - cy) / (size * stream.uniform(0.6, 1.6))) ** 2))
    for size, height in ((12, 4.0), (30, 10.0), (70, 18.0)):
        rough = ndimage.gaussian_filter(stream.normal(0, 1, (ROWS, COLUMNS)), size)
        z += (0.06 + hills) * height * rough / rough.std()
    z -= 6.0 * np.exp(-(((y - 0.55 - 0.08 * np.sin(7 * x)) / 0.006) ** 2))
    return (np.round(z / STEP) * STEP).astype("float32")


def cover(z: np.ndarray) -> np.ndarray:
    """Land-cover classes (codes as in common global products) from slope, height and patches."""
    stream = rng(42)
    dy, dx = np.gradient(ndimage.gaussian_filter(z, 3), CELL)
    slope = np.degrees(np.arctan(np.hypot(dx, dy)))
    patch = ndimage.gaussian_filter(stream.normal(0, 1, z.shape), 18)
    patch /= patch.std()
    out = np.full(z.shape, 40, dtype="uint8")
    out[patch > 0.8] = 30
    out[slope > 6] = 30
    out[(slope > 9) | (patch < -1.6)] = 20
    out[(slope > 12) & (patch > 0)] = 10
    out[slope > 24] = 60
    x, y = np.meshgrid((np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS)
    out[np.abs(y - 0.55 - 0.08 * np.sin(7 * x)) < 0.0016] = 80
    for _ in range(12):
        cx, cy = stream.uniform(0.25, 0.95), stream.uniform(0.05, 0.95)
        out[(np.abs(x - cx) < 0.018) & (np.abs(y - cy) < 0.014) & (patch > -0.6)] = 50
    return ndimage.median_filter(out, 3)


def write(folder: Path) -> None:
    """Write `dem.tif` and `landcover.tif`."""
    place = from_origin(WEST, NORTH, CELL, CELL)
    common = {
        "driver": "GTiff",
        "width": COLUMNS,
        "height": ROWS,
        "count": 1,
        "crs": UTM,
        "transform": place,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    z = heights()
    with rasterio.open(
        folder / "dem.tif", "w", dtype="float32", nodata=-9999.0, compress="deflate", zlevel=9, predictor=3, **common
    ) as out:
        out.write(z, 1)
        out.update_tags(TIFFTAG_IMAGEDESCRIPTION="SYNTHETIC elevation, metres; not the ground of any real place")
        out.set_band_description(1, "elevation_m (SYNTHETIC)")
    with rasterio.open(
        folder / "landcover.tif", "w", dtype="uint8", nodata=0, compress="deflate", zlevel=9, **common
    ) as out:
        out.write(cover(z), 1)
        out.update_tags(
            TIFFTAG_IMAGEDESCRIPTION="SYNTHETIC land cover", CLASSES=", ".join(f"{k}={v}" for k, v in CLASSES.items())
        )
        out.set_band_description(1, "land cover class (SYNTHETIC)")
