"""What may be left behind: the chance that a thing is missed, per cell, when each pass finds it only with some probability.

For detection on top of position; two answers are always given side by side: passes that miss independently, and passes that share
their blindness. Trials themselves are scored elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.optimize import brentq
from scipy.special import betaln, roots_jacobi
from scipy.stats import beta, binomtest

from geotools.analysis.swath.assurance import ground_on
from geotools.analysis.swath.counts import burn, require_metric
from geotools.analysis.swath.cover import in_order, on_plane
from geotools.analysis.swath.errormodel import groups
from geotools.analysis.swath.passes import require_passes
from geotools.analysis.swath.probability import missed
from geotools.analysis.swath.rules import real
from geotools.model.errors import CoverageError
from geotools.space.grid import Grid, Raster

NODES = 8  # exact for up to 15 passes over one cell
MANY = 8  # rows of the table by number of passes


@dataclass(frozen=True)
class Pod:
    """Detection probability per pass with its interval, and the Beta distribution that says the same.

    Make it from a trial with `from_trial`, or from a stated interval with `from_interval`; a lone number is not enough.

    Examples
    --------
    >>> pod = Pod.from_trial(27, 30)
    >>> round(pod.mean, 2), round(pod.low, 3), round(pod.high, 3)
    (0.9, 0.735, 0.979)
    """

    mean: float
    low: float
    high: float
    a: float
    b: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.mean <= self.high <= 1 and self.a > 0 and self.b > 0):
            raise CoverageError(
                "a detection probability needs low ≤ mean ≤ high between 0 and 1",
                hint="for example Pod.from_trial(found=27, targets=30)",
            )

    @classmethod
    def from_trial(cls, found: int, targets: int, *, confidence: float = 0.95) -> Pod:
        """From `found` of `targets` in a trial: exact (Clopper-Pearson) interval, Beta with half a count on either side."""
        whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in (found, targets))
        if not whole or not 0 <= found <= targets or targets < 1:
            raise CoverageError(f"{found} of {targets} targets found is not a trial result")
        bounds = binomtest(found, targets).proportion_ci(confidence, method="exact")
        return cls(found / targets, float(bounds.low), float(bounds.high), found + 0.5, targets - found + 0.5)

    @classmethod
    def from_interval(cls, mean: float, low: float, high: float) -> Pod:
        """From a stated mean and 95 % interval; the Beta has that mean and reaches down to `low`."""
        mean, low, high = (real("detection", name, v) for name, v in (("mean", mean), ("low", low), ("high", high)))
        if not 0 < low < mean < 1 or not mean <= high <= 1:
            raise CoverageError(
                "the interval must be 0 < low < mean < 1 and mean ≤ high", hint="for example 0.90,0.75,0.98"
            )

        def gap(log_size: float) -> float:
            size = np.exp(log_size)
            return float(beta.ppf(0.025, mean * size, (1 - mean) * size) - low)

        size = float(np.exp(brentq(gap, -3.0, 16.0))) if gap(-3.0) * gap(16.0) < 0 else 2.0
        return cls(mean, low, high, mean * size, (1 - mean) * size)

    def missed_by(self, passes: int) -> tuple[float, float]:
        """Chance that `passes` passes all miss: independent ``(1−p)^n``, and sharing one unknown p ``B(a, b+n) / B(a, b)``.

        Examples
        --------
        >>> [round(x, 4) for x in Pod.from_trial(27, 30).missed_by(2)]
        [0.01, 0.0159]
        """
        return (1 - self.mean) ** passes, float(np.exp(betaln(self.a, self.b + passes) - betaln(self.a, self.b)))


@dataclass(frozen=True)
class Residual:
    """Result of `residual`.

    Attributes
    ----------
    independent, correlated
        Per cell the chance that a thing there is missed by every pass.
    totals
        Means over the task: ``independent``, ``independent_low`` … ``independent_high`` (over the interval of the detection
        probability), ``correlated``, and ``unsearched`` (no pass at all).
    by_passes
        Chance of a miss after 0, 1, 2 … passes under both assumptions.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> one = gpd.GeoDataFrame({"id": ["a"], "pass_id": ["a"], "width_m": [2.0]}, geometry=[shapely.LineString([(0, 1), (10, 1)])], crs="EPSG:32638")
    >>> result = residual(one, Grid(0, 2, 0.1, (20, 100), "EPSG:32638"), pod=Pod.from_trial(27, 30))
    >>> result.by_passes.head(3).round(3).values.tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.1, 0.113], [2.0, 0.01, 0.016]]
    """

    independent: Raster
    correlated: Raster
    totals: pd.Series
    by_passes: pd.DataFrame
    pod: Pod

    @property
    def sentences(self) -> list[str]:
        """The result in plain words."""
        share = {name: f"{100 * value:.1f} %" for name, value in self.totals.items()}
        span = f"{share['independent_low']} to {share['independent_high']} over the interval of the trial"
        first = f"If things lay anywhere in the task with equal chance, {share['independent']} would be missed if passes miss independently ({span})"
        return [
            f"{first}, and {share['correlated']} if they share their blindness. {share['unsearched']} is ground no pass reached."
        ]

    def to_dict(self) -> dict[str, Any]:
        """Totals, table and sentences as plain data."""
        return {
            "totals": self.totals.to_dict(),
            "by_passes": self.by_passes.to_dict("records"),
            "pod": vars(self.pod),
            "sentences": self.sentences,
        }


def residual(
    passes: gpd.GeoDataFrame,
    grid: Grid,
    *,
    pod: Pod,
    sigma_m: float | None = 0.0,
    tau_s: float = 300.0,
    task: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> Residual:
    """Chance that a thing is missed in each cell, for independent and for correlated passes.

    Parameters
    ----------
    passes, grid
        As for `assurance`.
    pod
        Detection probability per pass, with its interval.
    sigma_m, tau_s
        Position error; 0 takes positions as exact, None takes what the fixes state.
    task
        Where means are taken; without it the whole grid.

    Returns
    -------
    Residual

    Raises
    ------
    CoverageError
        If the grid is not in metres or a value is out of range.

    Notes
    -----
    Independent: ``G(σ_c) * Π_i (1 − p·q_i)``, q_i the chance that pass i went over the cell. Correlated: the same, averaged over
    p ~ Beta(a, b) common to all passes (Gauss-Jacobi); with exact positions and n passes it is ``B(a, b+n) / B(a, b)``.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> one = gpd.GeoDataFrame({"id": ["a"], "pass_id": ["a"], "width_m": [2.0]}, geometry=[shapely.LineString([(0, 1), (10, 1)])], crs="EPSG:32638")
    >>> result = residual(one, Grid(0, 2, 0.1, (20, 100), "EPSG:32638"), pod=Pod.from_trial(27, 30))
    >>> result.totals[["independent", "correlated"]].round(3).tolist()
    [0.1, 0.113]
    """
    require_metric(grid)
    made = in_order(on_plane(require_passes(passes), grid.crs))
    parts = groups(made, sigma_m, tau_s)
    nodes, weights = roots_jacobi(NODES, pod.b - 1, pod.a - 1)
    layers = missed(parts, grid, [pod.mean, pod.low, pod.high, 1.0, *((nodes + 1) / 2)])
    correlated = np.tensordot((weights / weights.sum()).astype(np.float32), layers[4:], axes=1)
    inside = burn([shapely.box(*grid.bounds) if task is None else ground_on(task, grid)], grid).astype(bool)
    mean = [float(layer[inside].mean(dtype=float)) for layer in layers[:4]]
    totals = pd.Series(
        {
            "independent": mean[0], "independent_low": mean[2], "independent_high": mean[1], "correlated": float(correlated[inside].mean(dtype=float)),
            "unsearched": mean[3],
        }
    )  # fmt: skip
    rows = [(n, *pod.missed_by(n)) for n in range(MANY)]
    table = pd.DataFrame(rows, columns=["passes", "independent", "correlated"])
    return Residual(
        Raster(layers[0], grid, name="missed_independent"),
        Raster(correlated, grid, name="missed_correlated"),
        totals,
        table,
        pod,
    )
