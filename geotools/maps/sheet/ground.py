"""Draw areas, lines, points and relief on the map frame, with symbols from the one table.

Hatches are lines cut to the polygon and spaced in millimetres of paper: a renderer's own hatch fades in PDF.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from geotools.io import rasters
from geotools.maps.symbols import Symbol, Theme
from geotools.model.vocab import vocabulary

PX = 0.75  # one CSS pixel in points
HATCH_MM = 2.1
ANGLES = {"diagonal": (45,), "back": (-45,), "cross": (45, -45), "grid": (0, 90), "horizontal": (0,), "vertical": (90,)}
MARKS = {
    "triangle": "^", "square": "s", "circle": "o", "diamond": "D", "hexagon": "h", "cross": "X", "burst": (8, 1, 0),
    "house": "p", "pin": "v", "ring": "o", "dot": ".", "flag": "P", "peak": "^",
}  # fmt: skip


def polygon_path(geometry: Any) -> Path:
    """One compound path of a (multi)polygon, holes included."""
    points, codes = [], []
    for part in shapely.get_parts(shapely.orient_polygons(geometry)):
        for ring in (part.exterior, *part.interiors):
            xy = shapely.get_coordinates(ring)
            points.append(xy)
            codes.append(np.r_[Path.MOVETO, np.full(len(xy) - 2, Path.LINETO), Path.CLOSEPOLY])
    return Path(np.concatenate(points), np.concatenate(codes).astype(np.uint8))


def area(axes: Axes, geometry: Any, symbol: Symbol, scale: int, *, faint: bool = False) -> None:
    """Draw one area: fill, hatch, outline; `faint` halves the strength (neighbours)."""
    if geometry is None or geometry.is_empty:
        return
    strength = 0.45 if faint else 1.0
    path = polygon_path(geometry)
    if symbol.fill_alpha:
        axes.add_patch(
            PathPatch(
                path, facecolor=symbol.fill, edgecolor="none", alpha=symbol.fill_alpha * strength, zorder=symbol.order
            )
        )
    if symbol.hatch != "none":
        hatch(axes, geometry, symbol, HATCH_MM * scale / 1000, strength=strength)
    axes.add_patch(
        PathPatch(
            path, facecolor="none", edgecolor=symbol.outline, linewidth=symbol.width * PX, alpha=max(strength, 0.6),
            linestyle=dashes(symbol), zorder=symbol.order + 0.3, joinstyle="miter", capstyle="butt",
        )
    )  # fmt: skip


def dashes(symbol: Symbol) -> Any:
    """Matplotlib's line style of a symbol."""
    if not symbol.dash:
        return "solid"
    unit = max(symbol.width, 0.5)
    return (0, tuple(v / unit for v in symbol.dash))


def hatch(axes: Axes, geometry: Any, symbol: Symbol, step: float, *, strength: float = 1.0) -> None:
    """Hatch lines or dots of a polygon, `step` metres apart, aligned over the whole sheet."""
    alpha = symbol.hatch_alpha * strength
    if symbol.hatch == "dots":
        west, south, east, north = geometry.bounds
        x = np.arange(np.floor(west / step), np.ceil(east / step) + 1) * step
        y = np.arange(np.floor(south / step), np.ceil(north / step) + 1) * step
        grid = np.array([(a + (step / 2 if row % 2 else 0), b) for row, b in enumerate(y) for a in x])
        inside = shapely.contains_xy(geometry, grid[:, 0], grid[:, 1])
        axes.plot(
            *grid[inside].T,
            linestyle="none",
            marker=".",
            markersize=1.6,
            color=symbol.hatch_color,
            alpha=alpha,
            markeredgewidth=0,
            zorder=symbol.order + 0.1,
        )
        return
    pieces = [line for angle in ANGLES[symbol.hatch] for line in _lines(geometry, angle, step)]
    axes.add_collection(
        LineCollection(pieces, colors=symbol.hatch_color, linewidths=0.45, alpha=alpha, zorder=symbol.order + 0.1),
        autolim=False,
    )


def _lines(geometry: Any, angle: float, step: float) -> list[np.ndarray]:
    turn = np.radians(angle)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    corners = shapely.get_coordinates(shapely.box(*geometry.bounds))
    reach, span = corners @ along, corners @ across
    offsets = np.arange(np.floor(span.min() / step), np.ceil(span.max() / step) + 1) * step
    ends = np.stack(
        [reach.min() * along + offsets[:, None] * across, reach.max() * along + offsets[:, None] * across], axis=1
    )
    cut = shapely.intersection(shapely.linestrings(ends), geometry)
    parts = shapely.get_parts(cut[~shapely.is_empty(cut)])
    return [shapely.get_coordinates(p) for p in parts if p.geom_type == "LineString"]


def marker(axes: Axes, x: Any, y: Any, symbol: Symbol, *, clip: bool = True) -> None:
    """Draw points with a white rim."""
    hollow = symbol.marker == "ring"
    axes.plot(
        x, y, linestyle="none", marker=MARKS.get(symbol.marker, "o"), markersize=symbol.size * PX * 1.1,
        markerfacecolor="none" if hollow else symbol.fill, markeredgecolor=symbol.fill if hollow else symbol.outline,
        markeredgewidth=0.7, zorder=symbol.order, clip_on=clip,
    )  # fmt: skip


def line(axes: Axes, geometry: Any, symbol: Symbol) -> None:
    """Draw a road or track, with its casing."""
    for part in shapely.get_parts(geometry):
        x, y = shapely.get_coordinates(part).T
        if symbol.casing:
            axes.plot(
                x,
                y,
                color=symbol.casing,
                linewidth=(symbol.width + 1.2) * PX,
                zorder=symbol.order,
                solid_capstyle="round",
            )
        axes.plot(
            x, y, color=symbol.outline, linewidth=symbol.width * PX, zorder=symbol.order + 0.1, linestyle=dashes(symbol)
        )


def relief(axes: Axes, file: Any, crs: Any, bounds: tuple[float, float, float, float]) -> float | None:
    """Hillshade and contours of a DEM inside `bounds`; the contour step in metres, or None where there is no relief."""
    heights, extent = _window(file, crs, bounds)
    if heights is None:
        return None
    west, south, east, north = extent
    dx = (east - west) / heights.shape[1]
    filled = np.where(np.isfinite(heights), heights, np.nanmean(heights))
    gy, gx = np.gradient(filled, dx)
    slope, aspect = np.arctan(np.hypot(gx, gy)), np.arctan2(-gx, gy)
    sun, rise = np.radians(315.0), np.radians(45.0)
    shade = np.sin(rise) * np.cos(slope) + np.cos(rise) * np.sin(slope) * np.cos(sun - aspect)
    axes.imshow(
        np.clip(shade, 0.1, 0.74), extent=(west, east, south, north), cmap="gray", vmin=0.1, vmax=0.74, alpha=0.30, interpolation="bilinear",
        zorder=0, aspect="auto", rasterized=True,
    )  # fmt: skip
    spread = float(np.nanmax(heights) - np.nanmin(heights))
    if spread < 2:
        return None
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if spread / s <= 14)
    levels = np.arange(np.floor(np.nanmin(heights) / step), np.ceil(np.nanmax(heights) / step) + 1) * step
    x = west + (np.arange(heights.shape[1]) + 0.5) * dx
    y = north - (np.arange(heights.shape[0]) + 0.5) * dx
    axes.contour(x, y, heights, levels=levels, colors="#8a6d4b", linewidths=0.35, alpha=0.55, zorder=0.5)
    return float(step)


def land_cover(axes: Axes, file: Any, crs: Any, bounds: tuple[float, float, float, float], theme: Theme) -> list[str]:
    """The classes of a land-cover raster inside `bounds`, quiet and below everything; returns those really there."""
    names = rasters.class_names(file)
    classes, _ = _window(file, crs, bounds, smooth=False) if names else (None, None)
    if classes is None:
        return []
    west, south, east, north = bounds
    picture = np.zeros((*classes.shape, 4), dtype="uint8")
    seen = []
    for number, word in names.items():
        there = classes == number
        if there.any():
            symbol = theme.symbol("landcover", word)
            picture[there] = (*(int(symbol.fill[i : i + 2], 16) for i in (1, 3, 5)), round(255 * symbol.fill_alpha))
            seen.append(word)
    axes.imshow(
        picture, extent=(west, east, south, north), interpolation="nearest", zorder=-1, aspect="auto", rasterized=True
    )
    return sorted(set(seen), key=vocabulary("landcover").keys.index)


def _window(file: Any, crs: Any, bounds: tuple[float, float, float, float], *, smooth: bool = True) -> tuple[Any, Any]:
    import rasterio
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT
    from rasterio.warp import transform_bounds

    west, south, east, north = bounds
    with rasters.readable(file), rasterio.open(file) as source:
        if source.crs is None:
            return None, None
        box = transform_bounds(crs, source.crs, *bounds)
        inside = shapely.box(*box).intersects(shapely.box(*source.bounds))
        if not inside:
            return None, None
        cell = max((east - west) / 500, 1.0)
        shape = (max(2, int((north - south) / cell)), max(2, int((east - west) / cell)))
        cells = rasterio.Affine((east - west) / shape[1], 0, west, 0, (south - north) / shape[0], north)
        with WarpedVRT(
            source, crs=crs, transform=cells, width=shape[1], height=shape[0],
            resampling=Resampling.cubic_spline if smooth else Resampling.nearest, nodata=np.nan if source.nodata is None else source.nodata, dtype="float32",
        ) as warped:  # fmt: skip
            data = warped.read(1, masked=True).astype("float64").filled(np.nan)
    return (data, bounds) if np.isfinite(data).mean() > 0.5 else (None, None)
