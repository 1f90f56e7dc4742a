"""Small pictures of symbols as PNG: markers for points, swatches with hatch and letter for areas.

For programs that cannot draw hatches or our markers; drawn by the same functions as the printed sheet.
"""

from __future__ import annotations

import dataclasses
import io
from functools import lru_cache

import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from geotools.maps.sheet import ground
from geotools.maps.symbols import Symbol

SIDE = 64  # pixels


@lru_cache(maxsize=256)
def icon(symbol: Symbol) -> bytes:
    """A marker as PNG of 64 × 64 pixels, transparent around it.

    Examples
    --------
    >>> from geotools.maps.symbols import theme
    >>> icon(theme().symbol("find", "uxo"))[:4]
    b'\\x89PNG'
    """
    figure, axes = _canvas()
    drawn = dataclasses.replace(symbol, size=40.0 * min(symbol.size, 8.0) / 8.0)
    ground.marker(axes, [0.5], [0.5], drawn, clip=False)
    return _png(figure)


@lru_cache(maxsize=256)
def swatch(symbol: Symbol) -> bytes:
    """An area's fill, hatch, outline and letter as PNG of 64 × 64 pixels.

    Parameters
    ----------
    symbol
        Of a theme.

    Examples
    --------
    >>> from geotools.maps.symbols import theme
    >>> swatch(theme("safe").symbol("hazard", "CHA"))[:4]
    b'\\x89PNG'
    """
    figure, axes = _canvas()
    box = shapely.box(0.04, 0.04, 0.96, 0.96)
    axes.add_patch(_white(box))
    ground.area(axes, box, symbol, 60)
    if symbol.letter:
        axes.text(
            0.5, 0.5, symbol.letter, fontsize=26, fontweight="bold", ha="center", va="center", zorder=99,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "boxstyle": "circle,pad=0.12"}, parse_math=False,
        )  # fmt: skip
    return _png(figure)


def _white(box: shapely.Polygon) -> PathPatch:
    return PathPatch(ground.polygon_path(box), facecolor="white", edgecolor="none", zorder=0)


def _canvas() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(1, 1), dpi=SIDE)
    figure.patch.set_alpha(0.0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_axis_off()
    return figure, axes


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()
