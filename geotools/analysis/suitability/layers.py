"""What is known of the ground besides slope: land cover, soil, vegetation, obstacles, buildings, water, roads, operators' stands.

For turning rasters and layers into states per cell, window by window; every doubt about where an edge runs goes to the worse state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import rasterio.features
import shapely
from affine import Affine

from geotools.analysis.suitability.limits import NOT, OK, UNKNOWN, doubted, rated, word_state
from geotools.analysis.suitability.machines import Figure
from geotools.model.errors import SchemaError
from geotools.space import crs as _crs
from geotools.space import geom
from geotools.space.grid import Grid

BLOCK = 512  # vectors are burnt in blocks of the whole lattice, so that a window never changes them
QUARTER = 16
MARGIN = 1.01 / math.cos(math.pi / (4 * QUARTER))  # a drawn distance is never a little short


class Slopes(Protocol):
    """Where the cells are and how steep they are; `terrain.gradients` gives it."""

    @property
    def transform(self) -> Affine: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, int]: ...  # noqa: D102
    @property
    def crs(self) -> pyproj.CRS: ...  # noqa: D102
    def rise(self, row: int, column: int, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]: ...  # noqa: D102
    def area(self, row: int, column: int, rows: int, columns: int) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True)
class Flat:
    """A lattice without heights: every slope is unknown.

    Examples
    --------
    >>> east, north = Flat(Grid(683000, 4385000, 10, (2, 2), "EPSG:32638")).rise(0, 0, 2, 2)
    >>> bool(np.isnan(east).all())
    True
    """

    grid: Grid

    @property
    def transform(self) -> Affine:
        """Affine of (column, row) to (x, y)."""
        return self.grid.transform

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grid.shape

    @property
    def crs(self) -> pyproj.CRS:
        """Reference system."""
        return self.grid.crs

    def rise(self, row: int, column: int, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        """Unknown."""
        return np.full((rows, columns), np.nan), np.full((rows, columns), np.nan)

    def area(self, row: int, column: int, rows: int, columns: int) -> np.ndarray:
        """Cells of the plane, all alike."""
        return np.full((rows, columns), self.grid.cell**2)


@dataclass(frozen=True)
class Layers:
    """Layers that are there; one that is missing leaves its criterion unknown.

    Parameters
    ----------
    cover
        Raster of land-cover codes.
    legend
        Code → word; default: the tag ``CLASSES`` of the raster, such as ``10=trees, 20=shrub``.
    soil, vegetation, rock
        Polygons with the columns ``soil`` (a word), ``stem_cm`` (thickest stems), ``rock_cm`` (largest stones).
    obstacles, buildings, water
        Polygons, lines or points to keep away from. Without `buildings` or `water`, cells of cover that the vocabulary `landcover`
        knows as ``built`` and ``water`` stand for them; under names that it does not know either could lie.
    roads, stands
        Where the machine can come from, and where its operator can stand.

    A row without a place could lie anywhere: what its layer tells is unknown then, except where placed rows exclude ground already.

    Examples
    --------
    >>> import shapely
    >>> house = gpd.GeoDataFrame({"id": ["b"]}, geometry=[shapely.Point(683050, 4384950)], crs="EPSG:32638")
    >>> given = Layers(buildings=house)
    >>> len(given.buildings), given.soil is None
    (1, True)
    """

    cover: Path | None = None
    legend: Mapping[int, str] | None = None
    soil: gpd.GeoDataFrame | None = None
    vegetation: gpd.GeoDataFrame | None = None
    rock: gpd.GeoDataFrame | None = None
    obstacles: gpd.GeoDataFrame | None = None
    buildings: gpd.GeoDataFrame | None = None
    water: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    stands: gpd.GeoDataFrame | None = None


def placed(frame: gpd.GeoDataFrame | None) -> np.ndarray:
    """Which rows of a layer have a place on the map."""
    if frame is None:
        return np.zeros(0, dtype=bool)
    array = np.asarray(frame.geometry.array, dtype=object)
    return np.asarray(
        ~shapely.is_missing(array) & ~shapely.is_empty(array) & np.isfinite(shapely.bounds(array)).all(axis=-1)
    )


def shapes_of(
    frame: gpd.GeoDataFrame | None, crs: pyproj.CRS, distance_m: float = 0.0, *, inner: bool = False
) -> np.ndarray:
    """Geometries of a layer on the lattice's system, grown by a distance in metres (`inner`: never more than that; else never less)."""
    if frame is None or not placed(frame).any():
        return np.array([], dtype=object)
    source = _crs.require(frame)
    array = np.asarray(frame.geometry.array, dtype=object)
    array = np.asarray(geom.repair(array[placed(frame)]), dtype=object)
    if distance_m > 0 and len(array):
        lonlat = _crs.transform(array, source, _crs.WGS84)
        plane = _crs.equal_area(tuple(shapely.total_bounds(lonlat)))
        grown = shapely.buffer(
            _crs.to_equal_area(lonlat, _crs.WGS84, plane), distance_m * (0.99 if inner else MARGIN), quad_segs=QUARTER
        )
        array, source = grown, plane
    return _crs.transform(array, source, crs) if len(array) else array


@dataclass(frozen=True)
class Lattice:
    """The cells: their transform, shape and system, and how long a side is on the ground at least."""

    transform: Affine
    shape: tuple[int, int]
    crs: pyproj.CRS
    side_m: float

    @classmethod
    def of(cls, slopes: Slopes) -> Lattice:
        """The lattice of some slopes; its side is measured at the four corners and the middle."""
        rows, columns = slopes.shape
        places = [(r, c) for r in (0, rows - 1) for c in (0, columns - 1)] + [(rows // 2, columns // 2)]
        lean = slopes.transform.a / -slopes.transform.e
        sides = [math.sqrt(float(slopes.area(r, c, 1, 1)[0, 0])) for r, c in places]
        good = [s for s in sides if math.isfinite(s)]
        return cls(
            slopes.transform,
            slopes.shape,
            slopes.crs,
            min(good, default=1.0) * min(math.sqrt(lean), 1 / math.sqrt(lean)),
        )

    def at(self, row: int, column: int) -> Affine:
        """Transform of the window that begins there."""
        return self.transform @ Affine.translation(column, row)

    def box(self, row: int, column: int, rows: int, columns: int) -> shapely.Polygon:
        """Outline of a window."""
        (west, north), (east, south) = self.transform @ (column, row), self.transform @ (column + columns, row + rows)
        return shapely.box(west, south, east, north)


class Burnt:
    """Levels burnt onto the lattice: `levels` are (value, shapes), a later one over an earlier one, every touched cell.

    Cells that are not wholly inside the shapes get `outside` where that is worse. `figure` says whether its source is press.
    """

    def __init__(
        self,
        lattice: Lattice,
        levels: list[tuple[int, np.ndarray]],
        *,
        outside: int | None = None,
        figure: Figure | None = None,
    ) -> None:
        self.lattice, self.levels, self.outside, self.figure = lattice, levels, outside, figure
        self.trees = [shapely.STRtree(shapes) for _, shapes in levels]
        self.block = lru_cache(maxsize=max(64, 2 * (lattice.shape[1] // BLOCK + 2)))(self._block)

    def _block(self, high: int, wide: int) -> np.ndarray | int:
        row, column = high * BLOCK, wide * BLOCK
        rows, columns = min(BLOCK, self.lattice.shape[0] - row), min(BLOCK, self.lattice.shape[1] - column)
        around = self.lattice.box(row - 2, column - 2, rows + 4, columns + 4)
        out = np.zeros((rows, columns), dtype=np.uint8)
        known: list[Any] = []
        for (value, shapes), tree in zip(self.levels, self.trees, strict=True):
            here = shapes[np.sort(tree.query(around))]
            known += list(here)
            if len(here):
                self._touch(out, here, value, (row, column))
        if self.outside is not None:
            rest = shapely.difference(
                around, shapely.union_all(np.array(known, dtype=object)) if known else shapely.Polygon()
            )
            beyond = np.zeros_like(out)
            if not rest.is_empty:
                self._touch(beyond, np.array([rest], dtype=object), 1, (row, column))
            out = np.maximum(out, beyond * np.uint8(self.outside))
        return int(out[0, 0]) if (out == out[0, 0]).all() else out

    def _touch(self, out: np.ndarray, shapes: np.ndarray, value: int, start: tuple[int, int]) -> None:
        hit = rasterio.features.rasterize(
            list(shapes),
            out_shape=out.shape,
            transform=self.lattice.at(*start),
            all_touched=True,
            fill=0,
            default_value=1,
            dtype="uint8",
        )
        np.maximum(out, hit * np.uint8(value), out=out)

    def window(self, row: int, column: int, rows: int, columns: int) -> np.ndarray:
        """Burnt values of a window inside the lattice."""
        out = np.empty((rows, columns), dtype=np.uint8)
        for high in range(row // BLOCK, (row + rows - 1) // BLOCK + 1):
            for wide in range(column // BLOCK, (column + columns - 1) // BLOCK + 1):
                top, left = max(row, high * BLOCK), max(column, wide * BLOCK)
                bottom, right = min(row + rows, (high + 1) * BLOCK), min(column + columns, (wide + 1) * BLOCK)
                part = self.block(high, wide)
                if isinstance(part, np.ndarray):
                    part = part[top - high * BLOCK : bottom - high * BLOCK, left - wide * BLOCK : right - wide * BLOCK]
                out[top - row : bottom - row, left - column : right - column] = part
        return doubted(out, self.figure)


def zones(lattice: Lattice, frame: gpd.GeoDataFrame | None, column: str, figure: Figure | None) -> Burnt | int:
    """States of polygons by their word or number; unknown where no polygon covers a cell whole.

    A row without a place that would not leave ground workable makes the rest unknown: it could lie anywhere.
    """
    if figure is not None and figure.any:
        return word_state("", figure)
    if figure is None or frame is None or not len(frame):
        return UNKNOWN
    if column not in frame:
        raise SchemaError(
            f"the layer has no column '{column}'",
            hint=f"add {column}, or leave the layer out: the criterion is unknown then",
        )
    if figure.words:
        states = np.array(
            [word_state(v.strip().lower() if isinstance(v, str) else None, figure) for v in frame[column]]
        )
    else:
        states = rated(np.array([_number(v) for v in frame[column]]), figure)
    there = placed(frame)
    kept, lost, states = frame[there], states[~there], states[there]
    levels = [(value, shapes_of(kept[states == value], lattice.crs)) for value in range(4)]
    if (lost != OK).any():
        levels = [(UNKNOWN, np.array([lattice.box(-2, -2, *(n + 4 for n in lattice.shape))], dtype=object)), *levels]
    return Burnt(lattice, [(value, shapes) for value, shapes in levels if len(shapes)], outside=UNKNOWN)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) and number >= 0 else math.nan


def away(lattice: Lattice, frame: gpd.GeoDataFrame | None, figure: Figure | None) -> Burnt | int:
    """NOT within a distance of a layer; unknown without the layer or the distance, and elsewhere if a row of it has no place."""
    there = placed(frame)
    if figure is None or not there.any():
        return word_state("", figure) if figure is not None and figure.any else UNKNOWN
    near = shapes_of(frame, lattice.crs, 0.0 if figure.any else figure.value or 0.0)
    outside = None if figure.any or there.all() else UNKNOWN
    return Burnt(lattice, [(NOT, near)], outside=outside, figure=figure)


def reach(lattice: Lattice, frame: gpd.GeoDataFrame | None, figure: Figure | None) -> Burnt | int:
    """OK wholly within a distance of a layer, NOT beyond (unknown if a row of it has no place); unknown without the layer or the distance."""
    if figure is not None and figure.any:
        return word_state("", figure)
    there = placed(frame)
    if figure is None or not there.any():
        return UNKNOWN
    near = shapes_of(frame, lattice.crs, figure.max or 0.0, inner=True)
    return Burnt(lattice, [(OK, near)], outside=NOT if there.all() else UNKNOWN, figure=figure)
