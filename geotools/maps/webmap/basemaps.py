"""Base maps of a page: relief, land cover and ortho of the survey, any raster or set of tiles by path.

For choosing what lies below the layers and keeping it within the size of the page; warping is in `rasters`, tiles in `tiles`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geotools.io.rasters import class_names
from geotools.maps.symbols import Symbol, Theme
from geotools.maps.webmap import tiles, words
from geotools.maps.webmap.layers import RasterLayer
from geotools.model.errors import MapError, ReadError
from geotools.model.vocab import vocabulary

# What a reader may ask for by name → the survey's raster and how it is drawn.
NAMED = {"hillshade": ("dem", "relief"), "landcover": ("landcover", "classes"), "ortho": ("ortho", "photo")}
PAGE_BYTES = 400_000  # scripts, styles and words of a page
PAPER = (236, 238, 233)  # what land-cover colours are mixed with: the page's own ground
MAX_CLASSES = 60
Bounds = tuple[float, float, float, float]


def chosen(asked: Any, rasters: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """(id, raster, kind) of the base maps asked for, the first shown first.

    Parameters
    ----------
    asked
        True: all the survey has; False or ``none``: nothing; a name of `NAMED`, a path, or several of them.

    Raises
    ------
    MapError
        If a name is asked for that the survey has no raster for.
    """
    if asked is False or asked is None:
        return []
    if asked is True:
        return [(name, rasters[role], kind) for name, (role, kind) in NAMED.items() if role in rasters]
    several = [asked] if isinstance(asked, str | Path) else list(asked)
    out = []
    for n, item in enumerate(several):
        text = str(item)
        if text in ("none", ""):
            continue
        if text in NAMED:
            role, kind = NAMED[text]
            if role not in rasters:
                raise MapError(
                    f"the survey has no raster for the base map '{text}'",
                    hint=f'name it under [rasters] in survey.toml as {role} = "file.tif", or give the path of a raster or of tiles',
                )
            out.append((text, rasters[role], kind))
        else:
            out.append((f"base-{n + 1}", Path(text), ""))
    return out


def pictures(
    asked: list[tuple[str, Any, str]], theme: Theme, area: Bounds | None, budget: int
) -> tuple[list[RasterLayer], list[Any]]:
    """The base maps as elements of the page, and notes for its reader.

    Parameters
    ----------
    area
        West, south, east, north of the data, to which tiles are cut.
    budget
        Bytes that all base maps together may take; finer levels and resolutions that do not fit are left out with a note.
    """
    out: list[RasterLayer] = []
    notes: list[Any] = []
    left = budget
    for name, source, kind in asked:
        if isinstance(source, Path) and kind == "" and (source.is_dir() or tiles.is_tiles(source)):
            found = tiles.open_tiles(source)
            picked = tiles.choose(found, area or (-180.0, -85.0, 180.0, 85.0), left)
            out.append(tiles.TileLayer(picked, picked.name, id=name))
            notes += tiles.notes(picked, round(budget / 1e6, 1))
            left -= len(picked.data) * 4 // 3
        else:
            made = _picture(name, source, kind or _kind_of(source), theme, left)
            if made.image.coarser:
                notes.append(words.fill(words.label("note", "basemap_coarse"), n=made.image.coarser))
            left -= len(made.image.data) * 4 // 3
            out.append(made)
    return out, notes


def _picture(name: str, source: Any, kind: str, theme: Theme, budget: int) -> RasterLayer:
    title = words.label("layer", {"hillshade": "dem"}.get(name, name)) if name in NAMED else Path(str(source)).stem
    more: dict[str, Any] = {
        "id": {"hillshade": "relief"}.get(name, name),
        "basemap": True,
        "max_bytes": max(budget, 1) * 3 // 4,
    }
    if kind == "classes":
        colors, labels = _classes(source, theme)
        return RasterLayer(source, title, kind=kind, labels=labels, colors=colors, **more)
    return RasterLayer(source, title, kind=kind, **more)


def _classes(source: Any, theme: Theme) -> tuple[dict[int, str] | None, dict[int, words.Label]]:
    """Colours and words of a classified raster, as on the printed sheet; none where the file does not say what its numbers mean."""
    known = class_names(source) if isinstance(source, str | Path) else {}
    if not known:
        return None, {}
    keys = set(vocabulary("landcover").keys)
    return (
        {n: _on_paper(theme.symbol("landcover", w)) for n, w in known.items()},
        {n: words.word("landcover", w) if w in keys else w for n, w in known.items()},
    )


def _on_paper(symbol: Symbol) -> str:
    ink = [int(symbol.fill[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [round(a * symbol.fill_alpha + b * (1 - symbol.fill_alpha)) for a, b in zip(ink, PAPER, strict=True)]
    return "#" + "".join(f"{v:02x}" for v in mixed)


def _kind_of(path: Any) -> str:
    """How a raster of which only the path is known is drawn: photo, classes or relief.

    Raises
    ------
    ReadError
        If it cannot be read.
    """
    import rasterio

    try:
        with rasterio.open(path) as file:
            if file.count >= 3:
                return "photo"
            if np.dtype(file.dtypes[0]).kind == "f":
                return "relief"
            step = max(1, max(file.shape) // 1000)
            sample = file.read(1, out_shape=(max(1, file.height // step), max(1, file.width // step)))
            return "classes" if len(np.unique(sample)) <= MAX_CLASSES else "relief"
    except rasterio.errors.RasterioIOError as error:
        raise ReadError(
            "not a raster or set of tiles that can be read",
            hint="give a GeoTIFF, an MBTiles file or a folder of z/x/y.png",
            file=path,
        ) from error
