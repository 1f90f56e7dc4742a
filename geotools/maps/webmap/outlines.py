"""Coast and border lines for small scales, from the vendored outlines, cut to the neighbourhood of the data.

For orientation when zoomed far out: lines only, no names, no areas; they state nothing about any boundary.
"""

from __future__ import annotations

import zlib
from functools import cache
from importlib import resources

import geopandas as gpd
import numpy as np
import shapely

from geotools.maps.symbols import Symbol
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import ClassRow, LayerSpec, TrackLayer
from geotools.maps.webmap.payload import read_varints
from geotools.space import crs as _crs

STEP = 0.01  # degrees, about a kilometre: the asset's resolution
MAX_ZOOM = 9  # closer, the lines would be more wrong than helpful
REACH = 9.0  # degrees around the data
SOURCE = "Natural Earth 1:50m, public domain; simplified to about 2 km"
_INK = {
    "coast": Symbol(outline="#7f95a3", width=1.2, solid="#7f95a3", order=1),
    "border": Symbol(outline="#8b8378", width=1.1, dash=(6, 3, 1.5, 3), solid="#8b8378", order=1),
}


@cache
def lines() -> tuple[np.ndarray, np.ndarray]:
    """All lines of the asset, WGS 84, and whether each is a border between two countries (else a coast)."""
    raw = resources.files("geotools.maps.webmap").joinpath("assets", "outlines.gz").read_bytes()
    data = np.frombuffer(zlib.decompress(raw, 31), dtype=np.uint8)
    count, at = read_varints(data, 2)
    lengths, used = read_varints(data[at:], int(count.sum()))
    at += used
    axes = []
    for _ in range(2):
        values, used = read_varints(data[at:], int(lengths.sum()))
        at += used
        signed = (values >> np.uint64(1)).astype(np.int64) ^ -(values & np.uint64(1)).astype(np.int64)
        axes.append(np.cumsum(signed) * STEP)
    owner = np.repeat(np.arange(len(lengths)), lengths.astype(np.int64))
    made = np.asarray(shapely.linestrings(np.column_stack(axes), indices=owner), dtype=object)
    return made, np.arange(len(made)) >= int(count[0])


def layer(bounds: tuple[float, float, float, float]) -> TrackLayer | None:
    """The lines near the data (west, south, east, north), or None where there are none."""
    west, south, east, north = bounds
    box = (west - REACH, max(-85.0, south - REACH), east + REACH, min(85.0, north + REACH))
    whole, border = lines()
    near = shapely.clip_by_rect(whole, *box)
    there = ~shapely.is_empty(near)
    if not there.any():
        return None
    words_ = np.where(border[there], "border", "coast")
    frame = gpd.GeoDataFrame({"what": words_}, geometry=gpd.GeoSeries(near[there], crs=_crs.WGS84))
    spec = LayerSpec(
        "outlines", words.label("layer", "outlines"), "", "context", tuple(ClassRow(k, words.label("layer", "outlines"), s) for k, s in _INK.items()), "what",
        columns=(), quiet=True, silent=True, context=True, search=(), max_zoom=MAX_ZOOM,
    )  # fmt: skip
    return TrackLayer(frame, spec.title, spec=spec)
