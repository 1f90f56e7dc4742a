"""The error of positions in two parts: what neighbouring lanes share, and what differs between them.

For the split of a standard deviation by lane timing; cells are in `probability`, draws in `draws`.

An error per axis with standard deviation σ and correlation time τ (Ornstein-Uhlenbeck) is, between lanes Δt apart, correlated by
ρ = exp(−Δt/τ): the common part σ·√ρ moves neighbours together, the rest σ·√(1−ρ) opens seams between them. Which lanes are
neighbours depends on σ: with a large error the ground between two lanes may be reached by many others, worked much later, so ρ is a
mean over all pairs, each weighted by how likely both reach the same ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.swath.counts import trip_shapes
from geotools.analysis.swath.fixes import stated_sigma
from geotools.analysis.swath.passes import require_times
from geotools.analysis.swath.rules import real
from geotools.model.errors import CoverageError

CAUTIOUS = 0.9  # assured ground takes the timing of the slower seams, which share less of their error


@dataclass(frozen=True)
class Group:
    """Passes whose errors hang together: one asset on one day.

    `shapes` holds one swath per pass; `rho` is the correlation of passes that may reach the same ground, `rho_low` the cautious one of
    lanes side by side.
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
    if real("errors", "tau_s", tau_s) <= 0 or (sigma_m is not None and real("errors", "sigma_m", sigma_m) < 0):
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
        out.append(group_of(part, sigma_m, tau_s, worst=worst))
    return out


def group_of(part: gpd.GeoDataFrame, sigma_m: float | None, tau_s: float, *, worst: float = 0.0) -> Group:
    """The group of the passes of one asset and day; `worst` stands for an accuracy that is not stated."""
    known = stated_sigma(part) if sigma_m is None else np.zeros(0)
    known = np.where(np.isnan(known), worst, known)
    sigma = float(sigma_m) if sigma_m is not None else float(np.sqrt(np.mean(known**2)))
    wait, rho = _correlation(part, sigma, tau_s)
    low = float(np.exp(-np.quantile(wait, CAUTIOUS) / tau_s)) if len(wait) else rho
    return Group(part, trip_shapes(part), sigma, rho, low)


def _correlation(passes: gpd.GeoDataFrame, sigma: float, tau_s: float) -> tuple[np.ndarray, float]:
    """Seconds between lanes side by side, one number per pair, and the correlation of passes that may reach the same ground.

    The weight of a pair is ``exp(−d² / (4σ² + w²/6))``, the overlap of two swaths of width w at distance d blurred by σ; d is measured
    from the middle of either pass to the other, so that passes one behind the other count little.
    """
    if len(passes) < 2 or "start" not in passes:
        return np.zeros(0), 1.0
    require_times(passes)
    lines = np.asarray(passes.geometry.array, dtype=object)
    width = float(passes["width_m"].median())
    trips = pd.factorize(passes["pass_id"])[0]
    left, right = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=max(1.5 * width, 3.0 * sigma))
    pair = (left < right) & (trips[left] != trips[right])
    left, right = left[pair], right[pair]
    if not len(left):
        return np.zeros(0), 1.0
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    apart = np.maximum(shapely.distance(middle[left], lines[right]), shapely.distance(middle[right], lines[left]))
    clock = (passes["start"] + (passes["end"] - passes["start"]) / 2).dt.tz_localize(None).to_numpy(
        "datetime64[us]"
    ).astype(np.int64) / 1e6
    wait = np.abs(clock[left] - clock[right])
    power = -(apart**2) / (4 * sigma**2 + width**2 / 6)
    weight = np.exp(power - power.max())
    beside = wait[shapely.distance(lines[left], lines[right]) <= 1.5 * width]
    return beside, float(np.average(np.exp(-wait / tau_s), weights=weight))
