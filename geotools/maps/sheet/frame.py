"""The map frame: grid lines with numbers, scale bar, norths, turning-point labels.

For the furniture of the map; areas and points on it are drawn by `ground`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from geotools.maps.sheet.paper import Box, nice
from geotools.maps.sheet.phrase import angle as _degrees
from geotools.maps.sheet.phrase import number, word
from geotools.space import crs as _crs
from geotools.space.declination import convergence_deg, declination_deg

GRID_MM = 40.0  # about this far apart on paper
BAR_MM = 50.0  # the longest scale bar


@dataclass(frozen=True)
class Norths:
    """Angles at the centre of the sheet, degrees, east positive, and the grid's scale factor."""

    convergence: float
    declination: float
    scale_factor: float
    day: date

    @property
    def grid_magnetic(self) -> float:
        """What is subtracted from a grid bearing to get the magnetic one."""
        return self.declination - self.convergence

    @classmethod
    def at(cls, lon: float, lat: float, crs: Any, day: date) -> Norths:
        """Norths of a place and day."""
        import pyproj

        factor = pyproj.Proj(crs).get_factors(lon, lat).meridional_scale
        return cls(
            float(convergence_deg(lon, lat, crs)), float(declination_deg(lat, lon, date=day)), float(factor), day
        )


def grid(axes: Axes, bounds: tuple[float, float, float, float], scale: float) -> float:
    """Grid lines and numbers of the projected system: principal digits large, as on military maps. Returns the spacing in metres."""
    west, south, east, north = bounds
    step = nice(GRID_MM * scale / 1000 * 1.3)
    for low, high, vertical in ((west, east, True), (south, north, False)):
        for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
            draw = axes.axvline if vertical else axes.axhline
            draw(value, color="#2c4a63", linewidth=0.35, alpha=0.55, zorder=58)
            _number(axes, value, bounds, vertical=vertical, step=step)
    return step


def _number(
    axes: Axes, value: float, bounds: tuple[float, float, float, float], *, vertical: bool, step: float
) -> None:
    west, south, east, north = bounds
    text = f"{round(value):d}"
    head, big, tail = text[:-5], text[-5:-3], text[-3:]
    label = f"$^{{{head}}}\\mathregular{{{big}}}^{{{tail}}}$" if step < 1000 else f"$^{{{head}}}\\mathregular{{{big}}}$"
    style: dict[str, Any] = {"fontsize": 7, "color": "#1d2f3f", "clip_on": False, "zorder": 99, "parse_math": True}
    if vertical:
        axes.annotate(
            label,
            (value, north),
            (0, 2.5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            annotation_clip=False,
            **style,
        )
        axes.annotate(
            label,
            (value, south),
            (0, -2.5),
            textcoords="offset points",
            ha="center",
            va="top",
            annotation_clip=False,
            **style,
        )
    else:
        axes.annotate(
            label,
            (west, value),
            (-2.5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            rotation=90,
            annotation_clip=False,
            **style,
        )
        axes.annotate(
            label,
            (east, value),
            (2.5, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            rotation=90,
            annotation_clip=False,
            **style,
        )


def bar_corner(box: Box, bounds: tuple[float, float, float, float], scale: float, shapes: Any) -> tuple[float, float]:
    """Where a scale bar covers none of the shapes: a corner of a map frame (mm) that shows `bounds`, the lower left if none is free."""
    left, bottom, width, height = box
    wide = nice(BAR_MM * scale / 1000) * 1000 / scale + 14
    spots = [(x, y) for y in (bottom + 4, bottom + height - 10) for x in (left + 5, left + width - wide)]
    spots = [spots[0], spots[2], spots[3], spots[1]]  # the lower right last: keys stand there
    per_mm = scale / 1000
    for x, y in spots:
        west, south = bounds[0] + (x - 2.5 - left) * per_mm, bounds[1] + (y - 1.6 - bottom) * per_mm
        ground = shapely.box(west, south, west + wide * per_mm, south + 8.2 * per_mm)
        if not shapely.intersects(ground, shapes).any():
            return x, y
    return spots[0]


def scale_bar(
    page: Axes, left: float, bottom: float, scale: float, *, longest_mm: float = BAR_MM, lang: str = "en"
) -> float:
    """A bar of four parts on the page (mm coordinates); returns its length in metres."""
    length = nice(longest_mm * scale / 1000)
    part = length / 4 * 1000 / scale
    page.add_patch(
        Rectangle(
            (left - 2.5, bottom - 1.6), part * 4 + 11, 8.2, facecolor="white", edgecolor="none", alpha=0.86, zorder=90
        )
    )
    for index in range(4):
        page.add_patch(
            Rectangle(
                (left + index * part, bottom),
                part,
                1.5,
                facecolor="black" if index % 2 == 0 else "white",
                edgecolor="black",
                linewidth=0.5,
                zorder=91,
            )
        )
    for index in (0, 2, 4):
        value = length * index / 4
        unit = f" {word('m', lang)}" if index == 4 else ""
        page.text(
            left + index * part,
            bottom + 2.4,
            f"{number(value, 0 if value == int(value) else 1, lang)}{unit}",
            fontsize=6.5,
            ha="center" if index < 4 else "left",
            va="bottom",
            zorder=92,
        )
    return length


def north_figure(page: Axes, centre: float, bottom: float, height: float, norths: Norths, lang: str) -> None:
    """Three norths drawn well apart (real angles overlap on paper), in the true order from west to east."""
    rows = [
        ("grid", 0.0, word("grid_north", lang)),
        ("true", -norths.convergence, word("true_north", lang)),
        ("magnetic", norths.grid_magnetic, word("magnetic_north", lang)),
    ]
    rows.sort(key=lambda row: row[1])
    for (name, angle, label), drawn in zip(rows, (-34.0, 0.0, 34.0), strict=True):
        turn = np.radians(drawn)
        x, y = centre + height * np.sin(turn), bottom + height * np.cos(turn)
        page.annotate(
            "", (x, y), (centre, bottom), zorder=92,
            arrowprops={"arrowstyle": "-|>" if name != "true" else "-", "color": "black", "linewidth": 1.1 if name == "grid" else 0.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7},
        )  # fmt: skip
        if name == "true":
            page.plot([x], [y], marker="*", color="black", markersize=5, zorder=92)
        side = "center" if drawn == 0 else "right" if drawn < 0 else "left"
        text = label if name == "grid" else f"{label}\n{_degrees(angle, lang)}"
        lift = 1.6 if drawn == 0 else -1.0
        page.text(
            x + 1.5 * np.sign(drawn), y + lift, text, fontsize=6, ha=side, va="bottom", zorder=92, linespacing=1.1
        )


def turning_points(polygon: Any) -> np.ndarray:
    """Vertices of all rings, first ring first, closing points left out: columns ring, x, y."""
    rings = [
        r
        for part in shapely.get_parts(shapely.orient_polygons(polygon, exterior_cw=True))
        for r in (part.exterior, *part.interiors)
    ]
    return np.vstack(
        [
            np.column_stack([np.full(len(xy) - 1, n), xy[:-1]])
            for n, r in enumerate(rings)
            for xy in (shapely.get_coordinates(r)[:, :2],)
        ]
    )


def point_table(points: np.ndarray, norths: Norths, crs: Any) -> list[tuple[str, float, float, float, float, float]]:
    """Name, easting, northing, grid and magnetic bearing to the next point, ground distance to it (geodesic)."""
    back = _crs.transformer(_crs.parse(crs).to_wkt(), "EPSG:4326")
    rows = []
    for ring in np.unique(points[:, 0]):
        members = np.flatnonzero(points[:, 0] == ring)
        following = np.roll(members, -1)
        for here, then in zip(members, following, strict=True):
            dx, dy = points[then, 1:] - points[here, 1:]
            bearing = np.degrees(np.arctan2(dx, dy)) % 360
            lon, lat = back.transform([points[here, 1], points[then, 1]], [points[here, 2], points[then, 2]])
            metres = _crs.GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]
            rows.append(
                (
                    f"TP{here + 1}",
                    points[here, 1],
                    points[here, 2],
                    float(bearing),
                    float((bearing - norths.grid_magnetic) % 360),
                    float(metres),
                )
            )
    return rows


def point_labels(axes: Axes, points: np.ndarray, polygon: Any, scale: int) -> int:
    """Mark turning points and number as many as have room, outside the polygon first; returns how many got a number.

    Every point is in the table whether or not there was room for its number here.
    """
    mm = scale / 1000
    axes.plot(
        points[:, 1],
        points[:, 2],
        linestyle="none",
        marker="o",
        markersize=3.0,
        markerfacecolor="white",
        markeredgecolor="black",
        markeredgewidth=0.7,
        zorder=65,
    )
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    taken: list[tuple[float, float, float, float]] = []
    done = 0
    for index, (_, x, y) in enumerate(points):
        text = f"TP{index + 1}"
        width, height = (1.45 * len(text) + 0.8) * mm, 2.6 * mm
        for cx, cy in _places(x, y, width, height, 1.4 * mm, polygon):
            box = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
            free = all(box[2] < b[0] or b[2] < box[0] or box[3] < b[1] or b[3] < box[1] for b in taken)
            clear = not (np.abs(points[:, 1] - cx) < width / 2 + 0.5 * mm)[
                np.abs(points[:, 2] - cy) < height / 2 + 0.5 * mm
            ].any()
            if free and clear and west < box[0] and box[2] < east and south < box[1] and box[3] < north:
                taken.append(box)
                done += 1
                axes.text(
                    cx,
                    cy,
                    text,
                    fontsize=6,
                    fontweight="bold",
                    ha="center",
                    va="center",
                    zorder=66,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.4},
                )
                break
    return done


def _places(x: float, y: float, width: float, height: float, gap: float, polygon: Any) -> list[tuple[float, float]]:
    """Eight places around a point, those outside the polygon first."""
    angles = np.radians(np.arange(0, 360, 45))
    spots = [(x + np.sin(a) * (width / 2 + gap), y + np.cos(a) * (height / 2 + gap)) for a in angles]
    inside = shapely.contains_xy(polygon, *np.array(spots).T)
    return [spot for _, spot in sorted(zip(inside, spots, strict=True), key=lambda item: bool(item[0]))]
