"""`Finding`: one thing the doctor says about a layer. For what is said; what is wrong is found in `doctor` and `records`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    Parameters
    ----------
    code, severity
        Of the ISSUES table (CR-01 … CR-04).
    fault
        Key of the fault: ``null-island, swapped, xy-swapped, no-prefix, prefix, gk-as-utm, wrong-zone, minutes,
        unshifted, other-grid, sign, units, outside, unknown-crs``.
    message
        What is probably wrong, in plain words.
    metres
        How far the points lie from where they belong; None if it cannot be said.
    option
        Option of `geotools datum` that reads the layer right; empty if there is none.
    count
        Points concerned.

    Examples
    --------
    >>> from geotools.space.crs import diagnose
    >>> import geopandas as gpd
    >>> swapped = gpd.GeoSeries(gpd.points_from_xy([39.60, 39.61], [47.14, 47.15]), crs=4326)
    >>> found = diagnose(swapped, extent=(44.7, 38.3, 51.0, 41.95)).findings[0]
    >>> found.code, found.severity, found.fault, found.count
    ('CR-04', 'error', 'swapped', 2)
    """

    code: str
    severity: str
    fault: str
    message: str
    metres: float | None = None
    option: str = ""
    count: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "metres": None if self.metres is None else round(self.metres, 1)}


def metres_text(value: float) -> str:
    """A distance in words: metres, or kilometres from ten on.

    Examples
    --------
    >>> metres_text(1852.6), metres_text(515_000.0)
    ('1,853 m', '515 km')
    """
    if not math.isfinite(value):
        return "far"
    return f"{value / 1000:,.0f} km" if value >= 10_000 else f"{value:,.0f} m"
