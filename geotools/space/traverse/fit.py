"""Fit computed points onto independent GNSS fixes: rotation, scale and what is left over.

The only check that sees a wrong north; a closing leg does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geotools.model.doors import checked
from geotools.model.errors import TraverseError


@dataclass(frozen=True)
class HelmertFit:
    """Two-dimensional similarity of computed onto measured points.

    Parameters
    ----------
    rotation_deg
        To be added to every bearing, clockwise positive: about the error of the north correction.
    scale
        Measured over computed: about the tape error.
    residuals
        ``id, dx_m, dy_m, residual_m``: measured minus fitted.
    sigma_m
        Standard deviation per axis of one fix from the residuals; None with two fixes, which always fit but for scale.

    Examples
    --------
    >>> fit = fit_points({"A": (0, 0), "B": (0, 100)}, {"A": (5, 5), "B": (105, 5)})
    >>> fit.apply([(0, 50)]).round(3).tolist(), fit.sigma_m is None
    ([[55.0, 5.0]], True)
    """

    rotation_deg: float
    scale: float
    residuals: pd.DataFrame
    sigma_m: float | None
    _matrix: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    _origin: tuple[float, float] = (0.0, 0.0)

    def apply(self, xy: Any) -> np.ndarray:
        """Grid coordinates moved onto the fixes."""
        points = np.asarray(xy, dtype=float) - self._origin
        a, b, x, y = self._matrix
        return np.column_stack([a * points[:, 0] + b * points[:, 1] + x, a * points[:, 1] - b * points[:, 0] + y])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rotation_deg": round(self.rotation_deg, 4),
            "scale": round(self.scale, 6),
            "sigma_m": None if self.sigma_m is None else round(self.sigma_m, 3),
            "residuals": [
                {k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}
                for row in self.residuals.to_dict("records")
            ],
        }


@checked
def fit_points(computed: Mapping[str, tuple[float, float]], measured: Mapping[str, tuple[float, float]]) -> HelmertFit:
    """Least-squares similarity over the points both have, in grid metres.

    Raises
    ------
    TraverseError
        If fewer than two different points are common.

    Examples
    --------
    >>> fit = fit_points({"A": (0, 0), "B": (0, 100)}, {"A": (5, 5), "B": (105, 5)})
    >>> round(fit.rotation_deg, 6), round(fit.scale, 6)
    (90.0, 1.0)
    """
    names = sorted(set(computed) & set(measured))
    source = np.array([computed[name] for name in names], dtype=float).reshape(-1, 2)
    target = np.array([measured[name] for name in names], dtype=float).reshape(-1, 2)
    if len(names) < 2 or np.ptp(source, axis=0).max() < 1e-6:
        raise TraverseError(
            f"a fit needs at least two different fixes on points of the traverse; {len(names)} found",
            hint="name the fixes as in the legs",
        )
    origin, middle = source.mean(axis=0), target.mean(axis=0)
    p, q = source - origin, target - middle
    size = float((p**2).sum())
    a = float((p * q).sum()) / size
    b = float((p[:, 1] * q[:, 0] - p[:, 0] * q[:, 1]).sum()) / size
    fit = HelmertFit(
        math.degrees(math.atan2(b, a)),
        math.hypot(a, b),
        pd.DataFrame(),
        None,
        (a, b, float(middle[0]), float(middle[1])),
        (float(origin[0]), float(origin[1])),
    )
    left = target - fit.apply(source)
    residuals = pd.DataFrame({"id": names, "dx_m": left[:, 0], "dy_m": left[:, 1], "residual_m": np.hypot(*left.T)})
    free = 2 * len(names) - 4
    sigma = math.sqrt(float((left**2).sum()) / free) if free > 0 else None
    return HelmertFit(fit.rotation_deg, fit.scale, residuals, sigma, fit._matrix, fit._origin)
