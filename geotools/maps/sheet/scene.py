"""What is drawn on the ground of one sheet: relief, land use, hazards, the ledger's ground, marks and finds.

For choosing layers and symbols and filling the legend with what is really there; drawing itself is in `ground`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle

from geotools.maps.sheet import ground as _ground
from geotools.maps.sheet.phrase import term, word
from geotools.maps.sheet.task import Task
from geotools.maps.symbols import Symbol
from geotools.model.vocab import vocabulary

PRODUCTS = ("cleared", "reduced", "cancelled")
Swatch = Callable[[Axes, float, float, float, float], None]


def draw_ground(axes: Axes, task: Task, box: Any, scale: int, legend: dict[str, Swatch]) -> float | None:
    """Everything on the ground, quiet things first; fills the legend with what is really there."""
    look, lang = task.theme, task.lang
    dem = task.survey.rasters.get("dem")
    step = _ground.relief(axes, dem, task.crs, box.bounds) if dem else None
    cover = task.survey.rasters.get("landcover")
    for key in _ground.land_cover(axes, cover, task.crs, box.bounds, look) if cover else ():
        legend[vocabulary("landcover").label(key, lang)] = _cover_swatch(look.symbol("landcover", key))
    for row in task.layer("landuse", box).itertuples():
        said = getattr(row, "use", None)
        use = said if isinstance(said, str) and said else "other"
        if row.geometry.geom_type.endswith("Polygon"):
            _add_area(
                axes,
                row.geometry.intersection(box),
                look.symbol("landuse", use),
                vocabulary("landuse").label(use, lang),
                scale,
                legend,
            )
        else:
            _ground.line(axes, row.geometry, look.symbol("line", use))
    _hazards(axes, task, box, scale, legend)
    if task.coverage is not None:
        _ledger_ground(axes, task, box, scale, legend)
    axes.add_patch(_outline(task.shape))
    legend[word("this_task", lang)] = _boundary_swatch
    _points_of(axes, task, box, legend)
    return step


def _cover_swatch(symbol: Symbol) -> Swatch:
    def swatch(page: Axes, x: float, y: float, w: float, h: float) -> None:
        look: Any = {"facecolor": symbol.fill, "alpha": symbol.fill_alpha, "edgecolor": "none"}
        page.add_patch(Rectangle((x, y), w, h, **look))

    return swatch


def _boundary_swatch(page: Axes, x: float, y: float, w: float, h: float) -> None:
    page.add_patch(Rectangle((x, y), w, h, facecolor="none", edgecolor="black", linewidth=1.6))


def _outline(shape: Any) -> Any:
    return PathPatch(
        _ground.polygon_path(shape), facecolor="none", edgecolor="black", linewidth=1.6, zorder=60, joinstyle="miter"
    )


def _hazards(axes: Axes, task: Task, box: Any, scale: int, legend: dict[str, Swatch]) -> None:
    for row in task.layer("hazards", box).itertuples():
        own = row.id == task.row["id"]
        status = getattr(row, "status", None)
        classification = getattr(row, "classification", None)
        symbol = task.theme.hazard(
            classification if isinstance(classification, str) else None, status if isinstance(status, str) else None
        )
        ended = task.theme.ended(status if isinstance(status, str) else None)
        if own and not ended and task.coverage is not None:
            continue  # its remaining ground is drawn from the ledger
        label = (
            word("closed_hazard", task.lang)
            if ended
            else term("classification", classification, task.lang, word("unclassified", task.lang))
        )
        _add_area(axes, row.geometry.intersection(box.buffer(1)), symbol, label, scale, legend, faint=not own)


def _ledger_ground(axes: Axes, task: Task, box: Any, scale: int, legend: dict[str, Swatch]) -> None:
    lang, look = task.lang, task.theme
    remaining = task.near(task.coverage.remaining, box)
    for row in remaining[remaining["id"] == task.row["id"]].itertuples():
        kind = task.row.get("classification")
        symbol = look.hazard(kind if isinstance(kind, str) else None, None)
        _add_area(
            axes,
            row.geometry,
            symbol,
            f"{word('remaining', lang)}: {term('classification', kind, lang, word('unclassified', lang))}",
            scale,
            legend,
        )
    released = task.near(task.coverage.released, box)
    for product in PRODUCTS:
        shapes = (
            released.loc[released["counted_as"] == product].geometry
            if "counted_as" in released
            else released.geometry[:0]
        )
        if len(shapes):
            joined = shapely.union_all(np.asarray(shapes.array)).intersection(box)
            _add_area(
                axes, joined, look.symbol("area", product), vocabulary("product").label(product, lang), scale, legend
            )
    worked = task.near(task.coverage.processed, box)
    if len(worked):
        joined = shapely.union_all(np.asarray(worked.geometry.array)).intersection(box)
        _add_area(axes, joined, look.symbol("area", "processed"), word("processed", lang), scale, legend)


def _add_area(
    axes: Axes, geometry: Any, symbol: Symbol, label: str, scale: int, legend: dict[str, Swatch], *, faint: bool = False
) -> None:
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and not p.is_empty]
    if not parts:
        return
    _ground.area(axes, shapely.MultiPolygon(parts), symbol, scale, faint=faint)

    def swatch(page: Axes, x: float, y: float, w: float, h: float) -> None:
        _ground.area(page, shapely.box(x, y, x + w, y + h), symbol, 1000)
        if symbol.letter:
            page.text(
                x + w / 2,
                y + h / 2,
                symbol.letter,
                fontsize=6,
                ha="center",
                va="center",
                zorder=symbol.order + 1,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.8},
            )

    legend.setdefault(label, swatch)


def _points_of(axes: Axes, task: Task, box: Any, legend: dict[str, Swatch]) -> None:
    rows = (
        ("places", "place", "type", "place_type", "{}"), ("marks", "mark", "point_type", "point_type", "{}"),
        ("finds", "find", "category", "find_category", "{}"),
    )  # fmt: skip
    for layer, group, column, words, text in rows:
        frame = task.layer(layer, box)
        keys = frame[column].fillna("unknown") if column in frame else pd.Series("unknown", index=frame.index)
        for key in sorted(set(keys)):
            symbol = task.theme.symbol(group, str(key))
            chosen = frame[keys == key].geometry.centroid
            _ground.marker(axes, chosen.x, chosen.y, symbol)
            legend.setdefault(text.format(vocabulary(words).label(str(key), task.lang)), _mark_swatch(symbol))
    accidents = task.layer("accidents", box)
    for row in accidents.itertuples():
        killed = getattr(row, "killed", None)
        key = "unknown" if killed is None or pd.isna(killed) else "killed" if killed > 0 else "injured"
        symbol = task.theme.symbol("accident", key)
        _ground.marker(axes, [row.geometry.centroid.x], [row.geometry.centroid.y], symbol)
        said = (
            word("accident", task.lang)
            if key == "unknown"
            else f"{word('accident', task.lang)}: {word(key, task.lang)}"
        )
        legend.setdefault(said, _mark_swatch(symbol))


def _mark_swatch(symbol: Symbol) -> Swatch:
    return lambda page, x, y, w, h: _ground.marker(page, [x + w / 2], [y + h / 2], symbol, clip=False)


def dot_swatch() -> Swatch:
    """Legend swatch of a turning point."""

    def draw_dot(page: Axes, x: float, y: float, w: float, h: float) -> None:
        page.plot(
            [x + w / 2],
            [y + h / 2],
            marker="o",
            markersize=3,
            markerfacecolor="white",
            markeredgecolor="black",
            markeredgewidth=0.7,
            linestyle="none",
        )

    return draw_dot
