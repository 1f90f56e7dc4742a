"""The error of positions in two parts: what neighbouring lanes share, and what differs between them.

For the split of a standard deviation by lane timing; cells are in `probability`, draws in `draws`.

An error per axis with standard deviation σ and correlation time τ (Ornstein-Uhlenbeck) is, between lanes Δt apart, correlated by
ρ = exp(−Δt/τ): the common part σ·√ρ moves neighbours together, the rest σ·√(1−ρ) opens seams between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.swath.counts import trip_shapes
from geotools.analysis.swath.fixes import stated_sigma
from geotools.analysis.swath.passes import swaths
from geotools.model.errors import CoverageError

CAUTIOUS = 0.9  # assured ground takes the timing of the slower seams, which share less of their error


@dataclass(frozen=True)
class Group:
    """Passes whose errors hang together: one asset on one day.

    `shapes` holds one swath per pass, `lines` and `rows` the parts; `rho` the typical and `rho_low` the cautious correlation of
    neighbouring lanes.
    """

    passes: gpd.GeoDataFrame
    shapes: np.ndarray
    sigma_m: float
    rho: float
    rho_low: float

    def common(self, *, cautious: bool = False) -> float:
        """Standard deviation of the part that neighbours share."""
        return self.sigma_m * float(np.sqrt(self.rho_low if cautious else self.rho))

    def own(self, *, cautious: bool = False) -> float:
        """Standard deviation of the part that differs between neighbours."""
        return self.sigma_m * float(np.sqrt(1 - (self.rho_low if cautious else self.rho)))


def groups(passes: gpd.GeoDataFrame, sigma_m: float | None, tau_s: float) -> list[Group]:
    """Groups of passes, in the order of asset and day.

    Parameters
    ----------
    sigma_m
        Standard deviation per axis; None takes what the fixes state or their quality suggests, the worst of each group.

    Raises
    ------
    CoverageError
        If a value is not positive, or no accuracy is given and none is stated.
    """
    if not (np.isfinite(tau_s) and tau_s > 0) or (sigma_m is not None and not (np.isfinite(sigma_m) and sigma_m >= 0)):
        raise CoverageError("sigma_m must be 0 or more and tau_s more than 0", hint="metres and seconds")
    stated = stated_sigma(passes)
    if sigma_m is None and not np.isfinite(stated).any() and len(passes):
        raise CoverageError(
            "the fixes do not state how accurate they are",
            hint="give sigma_m, the standard deviation per axis in metres",
        )
    worst = 0.0 if sigma_m is not None or not len(passes) else float(np.nanmax(stated))
    out = []
    by = [
        passes[name].astype(str) if name in passes else pd.Series("", index=passes.index)
        for name in ("asset_id", "day")
    ]
    for _, part in passes.groupby(by, sort=True):
        known = stated_sigma(part) if sigma_m is None else np.zeros(0)
        known = np.where(np.isnan(known), worst, known)
        sigma = float(sigma_m) if sigma_m is not None else float(np.sqrt(np.mean(known**2)))
        wait = intervals(part)
        rho, low = (
            (float(np.exp(-q / tau_s)) for q in (np.median(wait), np.quantile(wait, CAUTIOUS)))
            if len(wait)
            else (1.0, 1.0)
        )
        out.append(Group(part, trip_shapes(part), sigma, rho, low))
    return out


def intervals(passes: gpd.GeoDataFrame) -> np.ndarray:
    """Seconds between the middles of passes that lie beside each other, one number per pair of neighbours."""
    if len(passes) < 2 or "start" not in passes:
        return np.zeros(0)
    shapes = np.asarray(swaths(passes).array, dtype=object)
    reach = float(passes["width_m"].median()) / 2
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=reach)
    trips = pd.factorize(passes["pass_id"])[0]
    pair = (left < right) & (trips[left] != trips[right])
    middle = (passes["start"] + (passes["end"] - passes["start"]) / 2).dt.tz_localize(None).to_numpy(
        "datetime64[us]"
    ).astype(np.int64) / 1e6
    return np.abs(middle[left[pair]] - middle[right[pair]])
