"""Slope, aspect, ruggedness and curvature of a block of heights with one more cell on every side.

For blocks of numbers; windows, units and files are in `elevation`, `products` and `files`.
"""

from __future__ import annotations

import numpy as np


def gradient(z: np.ndarray, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rise per metre to the east and to the north (Horn 1981); NaN where any of the nine heights is missing."""
    centre = z[1:-1, 1:-1]
    right = z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]
    left = z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2]
    above = z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:]
    below = z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]
    across = (right - left) / 8 + (centre - centre)
    up = (above - below) / 8
    return planes[0] * across + planes[1] * up, planes[2] * across + planes[3] * up


def rise(z: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Tangent of the slope."""
    east, north = gradient(z, planes)
    return np.sqrt(east * east + north * north)


def slope(z: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Slope in degrees."""
    return np.degrees(np.arctan(rise(z, planes)))


def aspect(z: np.ndarray, planes: np.ndarray, *, north: str = "true") -> np.ndarray:
    """Direction the slope faces, degrees clockwise; NaN where it is level."""
    east, up = gradient(z, planes)
    angle = np.degrees(np.arctan2(-east, -up))
    if north == "grid":
        angle = angle - np.degrees(np.arctan2(-planes[2], planes[0]))
    angle = np.remainder(angle, 360.0).astype("float32")
    angle[angle >= 360] = 0
    angle[(east == 0) & (up == 0)] = np.nan
    return angle


def tri(z: np.ndarray, _planes: np.ndarray, *, method: str = "riley") -> np.ndarray:
    """Ruggedness in metres: root of the sum of squares (riley), mean (wilson) or range of nine (range)."""
    rows, columns = z.shape[0] - 2, z.shape[1] - 2
    centre = z[1:-1, 1:-1]
    around = [z[r : r + rows, c : c + columns] for r in range(3) for c in range(3) if (r, c) != (1, 1)]
    if method == "range":
        high, low = centre, centre
        for other in around:
            high, low = np.maximum(high, other), np.minimum(low, other)
        return high - low
    total = np.zeros_like(centre)
    for other in around:
        step = other - centre
        total += step * step if method == "riley" else np.abs(step)
    return np.sqrt(total) if method == "riley" else total / 8


def curvature(z: np.ndarray, planes: np.ndarray, *, kind: str = "profile") -> np.ndarray:
    """Curvature along the fall line (profile) or of the contour (plan), 1/m, positive where the ground is convex; NaN where level."""
    east, north, along, cross, down = _second(z, planes)
    square = east * east + north * north
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "profile":
            bend = east * east * along + 2 * east * north * cross + north * north * down
            out = -bend / (square * (1 + square) ** 1.5)
        else:
            bend = north * north * along - 2 * east * north * cross + east * east * down
            out = -bend / square**1.5
    out[square == 0] = np.nan
    return out


def _second(z: np.ndarray, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First and second derivatives per metre from the quadratic that fits the nine heights best (Evans 1980)."""
    a, b, c = z[:-2, :-2], z[:-2, 1:-1], z[:-2, 2:]
    d, e, f = z[1:-1, :-2], z[1:-1, 1:-1], z[1:-1, 2:]
    g, h, i = z[2:, :-2], z[2:, 1:-1], z[2:, 2:]
    across, up = ((c + f + i) - (a + d + g)) / 6, ((a + b + c) - (g + h + i)) / 6
    xx = ((a + d + g) + (c + f + i) - 2 * (b + e + h)) / 3
    yy = ((a + b + c) + (g + h + i) - 2 * (d + e + f)) / 3
    xy = (c + g - a - i) / 4
    k, m, n, o = planes[0], planes[1], planes[2], planes[3]
    return (
        k * across + m * up,
        n * across + o * up,
        k * k * xx + 2 * k * m * xy + m * m * yy,
        k * n * xx + (k * o + m * n) * xy + m * o * yy,
        n * n * xx + 2 * n * o * xy + o * o * yy,
    )
