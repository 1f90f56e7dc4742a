"""Legs to positions on the grid: who hangs on whom, which leg closes a loop, and each leg's own vector.

For raw positions; adjustment and accuracy are in `adjusting`.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pyproj

from geotools.model.errors import TraverseError
from geotools.space import crs as _crs
from geotools.space import declination as _north
from geotools.space.traverse.legs import Leg
from geotools.space.traverse.settings import TraverseOptions


@dataclass(frozen=True)
class Vector:
    """A leg on the grid: (dx, dy) in metres from `start` to `end`, its grid bearing and its covariance (2 × 2)."""

    leg: Leg
    dx: float
    dy: float
    grid_deg: float
    covariance: np.ndarray


@dataclass(frozen=True)
class Network:
    """Points in order of appearance, the tree that reaches them, and the legs left over, which close loops.

    Parameters
    ----------
    names
        Points; the first is the start.
    xy
        Raw grid coordinates, one row per name.
    tree
        Point → (the point it hangs on, index of the vector, +1 or −1).
    closing
        Indices of vectors between points already known.
    """

    names: tuple[str, ...]
    xy: np.ndarray
    vectors: tuple[Vector, ...]
    tree: dict[str, tuple[str, int, int]]
    closing: tuple[int, ...]
    sigma_north_deg: float
    correction_deg: float | None

    def path(self, name: str) -> list[str]:
        """The points from the start to `name`."""
        out = [name]
        while out[-1] in self.tree:
            out.append(self.tree[out[-1]][0])
        return out[::-1]

    def combination(self, name: str) -> np.ndarray:
        """The signs with which the vectors add up to a point."""
        row = np.zeros(len(self.vectors))
        while name in self.tree:
            name, index, sign = self.tree[name]
            row[index] += sign
        return row


class Turner:
    """Turns bearings of any north into grid bearings at a place, and remembers how sure that is."""

    def __init__(self, plane: pyproj.CRS, options: TraverseOptions, date: dt.date | None) -> None:
        self.plane, self.options, self.date = plane, options, date
        self._back = _crs.transformer(_crs.code_or_wkt(plane), "EPSG:4326")
        self.sigma_deg = options.sigma_north_deg or 0.0
        self.corrections: list[float] = []

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of grid coordinates."""
        lon, lat = self._back.transform(x, y)
        if not (math.isfinite(lon) and math.isfinite(lat)):
            raise TraverseError(
                f"the point {x:.0f}, {y:.0f} is nowhere in {self.plane.name}", hint="is the start in another system?"
            )
        return float(lon), float(lat)

    def grid(self, leg: Leg, x: float, y: float) -> tuple[float, float]:
        """Grid bearing of a leg observed at (x, y), and the scale of distances there."""
        lon, lat = self.place(x, y)
        gamma, scale = _north.factors(lon, lat, self.plane)
        turn = 0.0 if leg.north == "grid" else -gamma
        if leg.north == "magnetic":
            turn = self._magnetic(leg, lon, lat, gamma) + self.options.local_deg
            self.corrections.append(turn)
        return leg.bearing_deg + turn, scale if self.options.scale else 1.0

    def _magnetic(self, leg: Leg, lon: float, lat: float, gamma: float) -> float:
        if self.options.grid_correction_deg is not None:
            return self.options.grid_correction_deg
        if self.options.declination_deg is not None:
            return self.options.declination_deg - gamma
        day = leg.date or self.date
        if day is None:
            raise TraverseError(
                "magnetic bearings need the day they were measured: the declination changes",
                hint="give date= (--date 2026-11-20), or a declination",
            )
        value, sigma = _north.field(lat, lon, date=day)
        if self.options.sigma_north_deg is None:
            self.sigma_deg = max(self.sigma_deg, sigma)
        return value - gamma


def build(legs: tuple[Leg, ...], start: tuple[str, float, float], turner: Turner) -> Network:
    """Chain the legs from the start; legs may come in any order and either direction.

    Raises
    ------
    TraverseError
        If a leg hangs on nothing.
    """
    known: dict[str, tuple[float, float]] = {start[0]: start[1:]}
    tree: dict[str, tuple[str, int, int]] = {}
    vectors: dict[int, Vector] = {}
    closing: list[int] = []
    waiting = list(range(len(legs)))
    while waiting:
        later: list[int] = []
        for index in waiting:
            leg = legs[index]
            if leg.start not in known and leg.end not in known:
                later.append(index)
                continue
            here = known.get(leg.start) or known[leg.end]
            vector = vectors[index] = _vector(leg, here, turner)
            if leg.start in known and leg.end in known:
                closing.append(index)
            elif leg.start in known:
                tree[leg.end] = (leg.start, index, 1)
                known[leg.end] = (here[0] + vector.dx, here[1] + vector.dy)
            else:
                tree[leg.start] = (leg.end, index, -1)
                known[leg.start] = (here[0] - vector.dx, here[1] - vector.dy)
        if len(later) == len(waiting):
            lost = legs[later[0]]
            raise TraverseError(
                f"leg {lost.start} → {lost.end} is not connected to the start {start[0]}",
                hint="check the point names; the start can be named with --start-name",
            )
        waiting = later
    correction = float(np.mean(turner.corrections)) if turner.corrections else None
    ordered = tuple(vectors[index] for index in range(len(legs)))
    return Network(
        tuple(known),
        np.array(list(known.values())),
        ordered,
        tree,
        tuple(sorted(closing)),
        turner.sigma_deg,
        correction,
    )


def _vector(leg: Leg, here: tuple[float, float], turner: Turner) -> Vector:
    bearing, scale = turner.grid(leg, *here)
    radians = math.radians(bearing)
    length = leg.distance_m * scale
    along, across = np.array([math.sin(radians), math.cos(radians)]), np.array([math.cos(radians), -math.sin(radians)])
    options = turner.options
    sigma_along = math.hypot(options.sigma_distance_m, options.sigma_distance_share * length)
    sigma_across = length * math.radians(options.sigma_bearing_deg)
    covariance = sigma_along**2 * np.outer(along, along) + sigma_across**2 * np.outer(across, across)
    return Vector(leg, length * along[0], length * along[1], bearing % 360.0, covariance)
