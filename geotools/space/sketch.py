"""A small picture of geometries as inline SVG, for notebooks. Not a map: no symbols, no scale for measuring.

For showing at a glance where things lie; drawing with symbols is on the floor of maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from geotools.space import crs as _crs

MOST_POINTS = 6000  # of the whole picture


def sketch(layers: Sequence[tuple[Any, str]], *, width: int = 420, height: int = 260) -> str:
    """An ``<svg>`` of several layers, or an empty text if there is nothing to draw.

    Parameters
    ----------
    layers
        Pairs of a GeoSeries or GeoDataFrame (any CRS) and a colour ``#rrggbb``, drawn in this order.
    width, height
        Largest size in pixels.

    Examples
    --------
    >>> import geopandas as gpd
    >>> sketch([(gpd.GeoSeries([shapely.box(47, 39, 47.1, 39.1)], crs=4326), "#a63603")])[:4]
    '<svg'
    """
    flat = [
        (_crs.transform(_present(g), g.crs, _crs.WGS84), colour) for g, colour in layers if len(g) and g.crs is not None
    ]
    flat = [(shapes, colour) for shapes, colour in flat if len(shapes)]
    if not flat:
        return ""
    west, south, east, north = np.nanpercentile(np.vstack([shapely.bounds(s) for s, _ in flat]), (0, 100), axis=0)[
        [0, 0, 1, 1], [0, 1, 2, 3]
    ]
    squeeze = np.cos(np.radians((south + north) / 2))
    scale = min(width / max((east - west) * squeeze, 1e-9), height / max(north - south, 1e-9)) * 0.94
    wide, high = max((east - west) * squeeze * scale, 8) * 1.06, max((north - south) * scale, 8) * 1.06
    total = sum(int(shapely.get_num_coordinates(s).sum()) for s, _ in flat)
    coarse = 0.0 if total <= MOST_POINTS else 0.7 / scale
    parts = []
    for shapes, colour in flat:
        small = shapely.simplify(shapes, coarse) if coarse else shapes
        moved = shapely.transform(
            small,
            lambda p: np.column_stack(
                [(p[:, 0] - west) * squeeze * scale + wide * 0.03, (north - p[:, 1]) * scale + high * 0.03]
            ),
        )
        parts += [_element(shape, colour) for shape in moved if not shape.is_empty]
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" role="img" aria-label="sketch of the layers">{"".join(parts)}</svg>'


def _present(geometries: Any) -> np.ndarray:
    shapes = np.asarray(geometries.geometry.array, dtype=object)
    shapes = shapes[~shapely.is_missing(shapes)]
    bounds = shapely.bounds(shapes) if len(shapes) else np.zeros((0, 4))
    return shapes[np.isfinite(bounds).all(axis=1)]


def _element(shape: Any, colour: str) -> str:
    kind = shapely.get_dimensions(shape)
    if kind == 0:
        dots = shapely.get_coordinates(shape)
        return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="{colour}"/>' for x, y in dots)
    lines = []
    for part in shapely.get_parts(shape):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = shapely.get_coordinates(ring)
            lines.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if kind == 2 else ""))
    fill = f'fill="{colour}" fill-opacity="0.45" fill-rule="evenodd"' if kind == 2 else 'fill="none"'
    return f'<path d="{"".join(lines)}" {fill} stroke="{colour}" stroke-width="0.8"/>'
