"""A thumbnail of the place of an issue as inline SVG: the record, its neighbours, and the spot. Not to scale on paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geotools.checks.layers import Data, Layer

WIDTH, HEIGHT = 220, 150
MOST_POINTS = 120  # per outline; a thumbnail needs no more


def minimap(data: Data, layer: Layer | None, row: int | None, spot: Any, label: str) -> str:
    """An ``<svg>``, or an empty text where there is nothing to draw.

    Parameters
    ----------
    layer, row
        The record concerned, if it is known.
    spot
        Geometry of the issue on the plane.
    label
        What a screen reader says; escaped by the caller.
    """
    record = layer.flat[row] if layer is not None and row is not None else None
    shapes = [s for s in (record, spot) if s is not None and not s.is_empty and np.isfinite(shapely.bounds(s)).all()]
    if not shapes:
        return ""
    view = _view([spot] if len(shapes) == 2 and _far(record, spot) else shapes)
    scale = WIDTH / (view[2] - view[0])
    parts = [_path(s, view, scale, "n") for s in _neighbours(layer, row, view)]
    if record is not None:
        parts.append(_path(record, view, scale, "r"))
    if spot is not None:
        parts.append(_path(spot, view, scale, "s"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        + "".join(parts)
        + _bar(view, scale)
        + "</svg>"
    )


def _far(record: Any, spot: Any) -> bool:
    """Whether one of them would be a dot in a picture of both."""
    box = shapely.total_bounds([record, spot])
    size = max(*_size(record), *_size(spot), 50.0)
    return bool(max(box[2] - box[0], box[3] - box[1]) > 8 * size)


def _size(shape: Any) -> tuple[float, float]:
    west, south, east, north = shapely.bounds(shape)
    return float(east - west), float(north - south)


def _view(shapes: list[Any]) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.total_bounds(shapes)
    x, y = (west + east) / 2, (south + north) / 2
    height = max(north - south, (east - west) * HEIGHT / WIDTH, 20.0) * 1.35
    width = height * WIDTH / HEIGHT
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _neighbours(layer: Layer | None, row: int | None, view: tuple[float, float, float, float]) -> list[Any]:
    if layer is None:
        return []
    near = layer.tree.query(shapely.box(*view))
    return [layer.plane[i] for i in sorted(near)[:30] if i != row and layer.plane[i] is not None]


def _path(shape: Any, view: tuple[float, float, float, float], scale: float, style: str) -> str:
    out = []
    for part in shapely.get_parts([shape]):
        if part.geom_type == "GeometryCollection":
            out += [_path(p, view, scale, style) for p in part.geoms]
        elif part.geom_type == "Point":
            x, y = _pixels(shapely.get_coordinates(part), view, scale)[0]
            out.append(f'<circle class="{style}" cx="{x:g}" cy="{y:g}" r="{5 if style == "s" else 3.5}"/>')
        elif part.geom_type == "Polygon":
            rings = [_line(ring, view, scale) + "Z" for ring in (part.exterior, *part.interiors)]
            out.append(f'<path class="{style}" d="{"".join(rings)}"/>')
        else:
            out.append(f'<path class="{style} l" d="{_line(part, view, scale)}"/>')
    return "".join(out)


def _line(line: Any, view: tuple[float, float, float, float], scale: float) -> str:
    points = shapely.get_coordinates(line)
    if len(points) > MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)]
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in _pixels(points, view, scale))


def _pixels(points: np.ndarray, view: tuple[float, float, float, float], scale: float) -> np.ndarray:
    x = (points[:, 0] - view[0]) * scale
    y = (view[3] - points[:, 1]) * scale
    return np.round(np.clip(np.column_stack([x, y]), -2000, 2000), 1)


def _bar(view: tuple[float, float, float, float], scale: float) -> str:
    """A bar of 1, 2 or 5 times a power of ten metres, about a third of the width."""
    wide = (view[2] - view[0]) / 3
    power = 10 ** np.floor(np.log10(wide))
    length = float(max(step * power for step in (1, 2, 5) if step * power <= wide))
    name = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    y = HEIGHT - 8
    return f'<path class="b" d="M8,{y - 4}V{y}H{8 + length * scale:.1f}V{y - 4}"/><text class="t" x="10" y="{y - 6}">{name}</text>'
