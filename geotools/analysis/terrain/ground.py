"""How far one cell is on the ground: metres east and north per step of column and row, in any reference system.

For turning height differences per cell into slopes; areas of polygons are in `space.measure`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
from affine import Affine

from geotools.model.errors import CRSError

NODE_M = 2000.0  # between nodes the scale of a projection is linear to 1e-8
NODE_CELLS = 512
STEP_M = 50.0  # half length of the difference that gives the scale at a node


@dataclass(frozen=True)
class Ground:
    """Planes on a lattice of nodes (cell indices `rows`, `columns`), interpolated between them.

    `planes` has shape (5, rows, columns): the four numbers that turn a gradient per (column, row upwards) into a gradient per metre
    (east, north), and the area of a cell in m². A single row or column of nodes holds for all.
    """

    rows: np.ndarray
    columns: np.ndarray
    planes: np.ndarray

    def over(self, row: int, column: int, shape: tuple[int, int]) -> np.ndarray:
        """The planes for the cells of a window; each cell's numbers depend on its place only, never on the window."""
        low, part = _between(self.rows, row, shape[0])
        planes = self.planes[:, low]
        if len(self.rows) > 1:
            planes = planes * (1 - part)[:, None] + self.planes[:, low + 1] * part[:, None]
        if len(self.columns) == 1:
            return planes
        low, part = _between(self.columns, column, shape[1])
        return planes[:, :, low] * (1 - part) + planes[:, :, low + 1] * part

    def area(self, row: int, column: int, shape: tuple[int, int]) -> np.ndarray:
        """Area of the cells of a window in m²."""
        return np.broadcast_to(Ground(self.rows, self.columns, self.planes[4:]).over(row, column, shape)[0], shape)


def _between(nodes: np.ndarray, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(first, first + count)
    if len(nodes) == 1:
        return np.zeros(count, dtype=int), np.zeros(count)
    low = np.clip(np.searchsorted(nodes, index, side="right") - 1, 0, len(nodes) - 2)
    return low, (index - nodes[low]) / (nodes[low + 1] - nodes[low])


def horizontal(crs: Any) -> pyproj.CRS:
    """The horizontal part of a reference system that can be on a map.

    Raises
    ------
    CRSError
        If it is geocentric or purely vertical.
    """
    crs = pyproj.CRS.from_user_input(crs)
    while crs.is_compound or crs.is_bound:
        crs = crs.sub_crs_list[0] if crs.is_compound else crs.source_crs
    if crs.is_geocentric or crs.is_vertical:
        raise CRSError(
            "heights on this reference system have no map position", hint="reproject the heights, for example to UTM"
        )
    return crs


def ground(transform: Affine, shape: tuple[int, int], crs: Any) -> Ground:
    """Ground distances of the cells of a raster, on the ellipsoid of its reference system (height 0).

    Geographic systems: radii of curvature of the ellipsoid at each row. Projected systems: the Jacobian of the inverse projection
    at nodes at most 2 km apart, so point scale, convergence, distortion and unit (feet too) are all in it. Local engineering
    systems: the unit of the axis. At 3,000 m above the ellipsoid true distances are 0.05 % longer; that is left out.

    Examples
    --------
    >>> cells = ground(Affine(0.001, 0, 47, 0, -0.001, 40), (2, 2), "EPSG:4326")
    >>> cells.area(0, 0, (2, 2))[0].round(1).tolist()
    [9481.7, 9481.7]
    """
    crs = horizontal(crs)
    if crs.is_geographic:
        return _geographic(transform, shape[0], crs)
    if crs.is_projected:
        return _projected(transform, shape, crs)
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return _of(
        np.array([0]), np.array([0]), np.array([[[transform.a * unit]], [[0.0]], [[0.0]], [[-transform.e * unit]]])
    )


def _of(rows: np.ndarray, columns: np.ndarray, steps: np.ndarray) -> Ground:
    """From the metres (east, north) of one column step and one row step upwards."""
    east_column, north_column, east_row, north_row = steps
    with np.errstate(divide="ignore", invalid="ignore"):
        area = east_column * north_row - east_row * north_column
        area = np.where(np.isfinite(area) & (area > 0), area, np.nan)
        planes = np.stack([north_row / area, -north_column / area, -east_row / area, east_column / area, area])
    return Ground(rows, columns, planes)


def _radii(crs: pyproj.CRS, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres per radian along the parallel and along the meridian."""
    body = crs.ellipsoid
    if body is None:
        raise CRSError("the reference system has no ellipsoid", hint="reproject the heights, for example to UTM")
    squash = 1 - (body.semi_minor_metre / body.semi_major_metre) ** 2
    root = np.sqrt(1 - squash * np.sin(latitude) ** 2)
    along = np.where(np.abs(latitude) < np.pi / 2, body.semi_major_metre / root * np.cos(latitude), np.nan)
    return along, body.semi_major_metre * (1 - squash) / root**3


def _geographic(transform: Affine, rows: int, crs: pyproj.CRS) -> Ground:
    unit = crs.axis_info[0].unit_conversion_factor
    latitude = (transform.f + (np.arange(rows) + 0.5) * transform.e) * unit
    parallel, meridian = _radii(crs, latitude)
    nothing = np.zeros(rows)
    steps = np.stack([parallel * transform.a * unit, nothing, nothing, meridian * -transform.e * unit])
    return _of(np.arange(rows), np.array([0]), steps[:, :, None])


def _projected(transform: Affine, shape: tuple[int, int], crs: pyproj.CRS) -> Ground:
    cell_m = max(transform.a, -transform.e) * crs.axis_info[0].unit_conversion_factor
    step = int(np.clip(NODE_M / cell_m, 1, NODE_CELLS))
    rows, columns = (np.unique(np.r_[0 : count - 1 : step, count - 1]) for count in shape)
    half = max(0.5, STEP_M / cell_m)
    geographic = crs.geodetic_crs
    if geographic is None:
        raise CRSError("the reference system has no geographic base", hint="reproject the heights, for example to UTM")
    inverse = pyproj.Transformer.from_crs(crs, geographic, always_xy=True)
    unit = geographic.axis_info[0].unit_conversion_factor

    def at(down: float, right: float) -> tuple[np.ndarray, np.ndarray]:
        across, along = np.meshgrid(columns + 0.5 + right, rows + 0.5 + down)
        lon, lat = inverse.transform(transform.c + across * transform.a, transform.f + along * transform.e)
        return np.asarray(lon) * unit, np.asarray(lat) * unit

    parallel, meridian = _radii(crs, at(0, 0)[1])
    steps: list[np.ndarray] = []
    with np.errstate(invalid="ignore"):
        for ahead, behind in ((at(0, half), at(0, -half)), (at(-half, 0), at(half, 0))):
            turn = np.remainder(ahead[0] - behind[0] + np.pi, 2 * np.pi) - np.pi
            steps += [turn * parallel / (2 * half), (ahead[1] - behind[1]) * meridian / (2 * half)]
        return _of(rows, columns, np.stack(steps))
