"""The second page of a sheet: its surroundings at a smaller scale, as high as the page has room.

For finding the task among its neighbours; the task itself is drawn in `scene`, the whole survey in the locator of `contents`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle

from geotools.maps.sheet import column as _column
from geotools.maps.sheet import frame as _frame
from geotools.maps.sheet import ground as _ground
from geotools.maps.sheet.phrase import clean, number, word
from geotools.maps.sheet.task import Task
from geotools.model.vocab import vocabulary

LEAST = 45.0  # mm: lower pictures show too little
FURTHER = 5  # times the scale of the sheet
SCALES = (2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000)
SIZE = 6.4
KEY = (70.0, 18.0)  # mm that the key may take in the lower right corner


def surroundings(task: Task, bounds: tuple[float, float, float, float], scale: int, *, height: float) -> _column.Block:
    """Hazards as recorded, roads and places around the task, with the frame of the sheet and a bar of scale.

    Parameters
    ----------
    bounds, scale
        Frame of the sheet, in its system, and its scale.
    height
        In mm.
    """
    smaller = next((s for s in SCALES if s >= FURTHER * scale), FURTHER * scale)
    middle = np.array([bounds[0] + bounds[2], bounds[1] + bounds[3]]) / 2
    per_mm = smaller / 1000

    def draw(page: Axes, left: float, top: float, width: float) -> None:
        low = np.array([left, top - height])
        centre = low + np.array([width, height]) / 2
        half = np.array([width, height]) / 2 * per_mm
        seen = shapely.box(*(middle - half), *(middle + half))

        def shift(xy: np.ndarray) -> np.ndarray:
            return np.asarray((xy - middle) / per_mm + centre)

        for line in _lines(task, seen):
            xy = shift(shapely.get_coordinates(line))
            page.plot(xy[:, 0], xy[:, 1], color="#8a7f72", linewidth=0.8, solid_capstyle="butt")
        shown = _hazards(page, task, seen, shift)
        corner = shift(np.array([bounds[:2]]))[0]
        size = (np.array(bounds[2:]) - np.array(bounds[:2])) / per_mm
        page.add_patch(Rectangle(tuple(corner), *size, facecolor="none", edgecolor="black", linewidth=1.1, zorder=92))
        _column.box_around(page, (left, top - height, width, height), color=_column.QUIET, width=0.5)
        east, south = seen.bounds[2], seen.bounds[1]
        corner_key = shapely.box(east - KEY[0] * per_mm, south, east, south + KEY[1] * per_mm)
        taken = np.array([*task.hazard_ground(seen), corner_key], dtype=object)
        spot = _frame.bar_corner((left, top - height, width, height), seen.bounds, smaller, taken)
        _frame.scale_bar(page, *spot, smaller, lang=task.lang)
        _names(page, task, seen, shift, spot)
        key(page, shown, left + width, top - height)

    title = f"{word('locator', task.lang)} · 1:{number(smaller, lang=task.lang)}"
    return _column.together(_column.heading(title), _column.Block(lambda _: height, draw))


def _lines(task: Task, seen: Any) -> list[Any]:
    """Roads and other lines of land use."""
    found = task.layer("landuse", seen)
    cut = [shape.intersection(seen) for shape in found.geometry if "Line" in shape.geom_type]
    return [part for shape in cut for part in shapely.get_parts(shape) if part.geom_type == "LineString"]


def _hazards(page: Axes, task: Task, seen: Any, shift: Any) -> dict[str, Any]:
    """Draw them; what their colours mean."""
    shown: dict[str, Any] = {}
    for row in task.layer("hazards", seen).itertuples():
        if "Polygon" not in row.geometry.geom_type:
            continue
        kind, status = (getattr(row, name, None) for name in ("classification", "status"))
        symbol = task.theme.hazard(kind if isinstance(kind, str) else None, status if isinstance(status, str) else None)
        cut = shapely.get_parts(row.geometry.intersection(seen))
        parts = [part for part in cut if part.geom_type == "Polygon"]
        if parts:
            path = _ground.polygon_path(shapely.transform(shapely.MultiPolygon(parts), shift))
            page.add_patch(PathPatch(path, facecolor=symbol.solid, edgecolor=symbol.outline, linewidth=0.5))
            named = vocabulary("classification").label(str(kind), task.lang) if isinstance(kind, str) else "–"
            ended = isinstance(status, str) and task.theme.ended(status)
            shown[word("closed_hazard", task.lang) if ended else named] = symbol
    return dict(sorted(shown.items()))


def key(page: Axes, shown: dict[str, Any], right: float, bottom: float) -> None:
    """What the colours mean, in the lower right corner."""
    if not shown:
        return
    wide, high = 11 + max(_column.text_width(label, SIZE) for label in shown), 4.4 * len(shown) + 2
    low = (right - wide - 1.5, bottom + 1.5)
    page.add_patch(Rectangle(low, wide, high, facecolor="white", edgecolor="none", alpha=0.9, zorder=90))
    for turn, (label, symbol) in enumerate(shown.items()):
        y = low[1] + high - 4.4 * (turn + 1) - 0.4
        box = Rectangle(
            (low[0] + 1.5, y), 6, 3, facecolor=symbol.solid, edgecolor=symbol.outline, linewidth=0.5, zorder=91
        )
        page.add_patch(box)
        page.text(
            low[0] + 9, y + 1.5, label, fontsize=SIZE, va="center", color=_column.INK, zorder=92, parse_math=False
        )


def _names(page: Axes, task: Task, seen: Any, shift: Any, bar: tuple[float, float]) -> None:
    """Places with their names; a name that would lie over another, the scale bar, the key or the edge is left out."""
    lead = SIZE * _column.PT * 1.5
    taken: list[tuple[float, float, float, float]] = [(bar[0] - 2.5, bar[1] - 1.6, bar[0] + KEY[0], bar[1] + 6.6)]
    places = task.layer("places", seen)
    if not len(places) or "name" not in places:
        return
    edge = shift(np.array([seen.bounds[:2], seen.bounds[2:]]))
    for row in places.sort_values("id" if "id" in places else "name").itertuples():
        x, y = shift(shapely.get_coordinates(row.geometry.representative_point()))[0]
        page.plot([x], [y], marker="o", markersize=3, color=_column.INK, markeredgecolor="white", markeredgewidth=0.4)
        text = clean(row.name, 40)
        box = (x + 1.2, y - lead / 2, x + 1.8 + _column.text_width(text, SIZE), y + lead / 2)
        over = any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)
        keyed = box[1] < edge[0][1] + KEY[1] and box[2] > edge[1][0] - KEY[0]
        if text and not over and not keyed and box[2] < edge[1][0] and edge[0][1] < box[1] and box[3] < edge[1][1]:
            _column.put(page, (x + 1.4, y + 0.76 * SIZE * _column.PT / 2), text, SIZE)
            taken.append(box)
