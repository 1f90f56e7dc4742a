"""`assurance`: how sure the covered ground is when positions have errors, and whether the tracks can show it at all.

For position error only; whether the tool finds what it passes over is in `detection`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.optimize import brentq
from scipy.special import expit, logit
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath import draws, union
from geotools.analysis.swath.counts import burn, require_metric
from geotools.analysis.swath.cover import in_order, on_plane
from geotools.analysis.swath.errormodel import Group, groups
from geotools.analysis.swath.kept import codec
from geotools.analysis.swath.passes import require_passes
from geotools.analysis.swath.probability import missed
from geotools.analysis.swath.rules import real
from geotools.analysis.swath.summary import figure
from geotools.analysis.swath.task import task_ground
from geotools.model.errors import CoverageError
from geotools.model.parallel import iter_ordered
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space.grid import Grid, Raster

ENOUGH = 20  # drawn layouts whose mean may correct the probability per cell


@dataclass(frozen=True)
class Draws:
    """How uncertainty is drawn and stated.

    Parameters
    ----------
    count
        Monte Carlo layouts; 100 or more for a figure that is signed off, 0 for none.
    seed
        Of the random numbers.
    confidence
        Of assured ground (radius of a circular error) and of the interval.

    Raises
    ------
    CoverageError
        If count or seed is no whole number from 0, or the confidence is not between 0.5 and 1.

    Examples
    --------
    >>> round(Draws(confidence=0.95).radius, 3)
    2.448
    """

    count: int = 100
    seed: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        whole = all(
            isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= 0 for v in (self.count, self.seed)
        )
        if not whole or not 0.5 <= real("draws", "confidence", self.confidence) < 1:
            raise CoverageError("count and seed must be whole numbers from 0, and the confidence between 0.5 and 1")

    @property
    def radius(self) -> float:
        """Radius in standard deviations of the circle that holds a circular normal error with that confidence."""
        return float(np.sqrt(-2 * np.log(1 - self.confidence)))


@dataclass(frozen=True)
class Assurance:
    """Result of `assurance`.

    Attributes
    ----------
    probability
        Per cell the probability that at least one pass went over it; from 20 draws on its mean is no better than theirs.
    assured, possible
        Ground that was covered, and ground that may have been, at the stated confidence; inside the task if one was given.
        One row each: ``id state area_m2``.
    totals
        Figures by name, among them ``expected_uncovered_m2`` with ``uncovered_low_m2`` and ``uncovered_high_m2``.
    sensitivity
        What assured ground and the ground expected uncovered would be if the position error or its correlation time were half or
        double: ``what sigma_m tau_s assured_m2 assured_share expected_uncovered_m2``.
    issues
        ISSUES rows SW-20 … SW-22.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd, shapely
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=3, freq="120s")
    >>> lines = [shapely.LineString([(0, y), (20, y)]) for y in (1.0, 1.8, 2.6)]
    >>> made = {"id": list("abc"), "pass_id": list("abc"), "width_m": 1.0, "start": times, "end": times + pd.Timedelta("60s")}
    >>> passes = gpd.GeoDataFrame(made, geometry=lines, crs="EPSG:32638")
    >>> result = assurance(passes, Grid(0, 4, 0.1, (40, 200), "EPSG:32638"), sigma_m=0.02, options=Draws(count=0))
    >>> result.probability.values.shape, bool(result.assured.area.sum() < result.possible.area.sum()), len(result.sentences)
    ((40, 200), True, 2)
    """

    probability: Raster
    assured: gpd.GeoDataFrame
    possible: gpd.GeoDataFrame
    totals: pd.Series
    sensitivity: pd.DataFrame
    issues: gpd.GeoDataFrame

    @property
    def sentences(self) -> list[str]:
        """The result in plain words."""
        return [str(message) for message in self.issues["message"]]

    def to_dict(self) -> dict[str, Any]:
        """Totals, sensitivity and sentences as plain data."""
        rows = self.sensitivity.astype(object).where(self.sensitivity.notna(), None).to_dict("records")
        plain = {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in self.totals.items()}
        return {"totals": plain, "sensitivity": rows, "sentences": self.sentences}


def assurance(
    passes: gpd.GeoDataFrame,
    grid: Grid,
    *,
    sigma_m: float | None = None,
    tau_s: float = 300.0,
    task: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    options: Draws | None = None,
) -> Assurance:
    """How sure the coverage is under position error with standard deviation `sigma_m` per axis and correlation time `tau_s`.

    The error has a part that neighbouring lanes share and a part that differs; the lane timing in the passes tells how much is which.
    Assured ground: each pass narrowed by k times the differing part, their union eroded by k times the shared part. Possible ground:
    widened instead. Expected uncovered ground: Monte Carlo over whole layouts.

    Parameters
    ----------
    passes
        As made by `passes`.
    grid
        In metres, for the probability; see `grid_of`. Cells of half of sigma are fine enough.
    sigma_m
        None takes the accuracy the fixes state, or assume from their quality.
    tau_s
        Correlation time: about 60 s to 600 s in published work; its effect is part of the result.
    task
        Polygons; without a task the whole grid is judged.
    options
        Draws, seed and confidence.

    Returns
    -------
    Assurance

    Raises
    ------
    CoverageError
        If no accuracy is known, a value is out of range, or the grid is not in metres.

    Notes
    -----
    Eroding the union alone is not honest: it takes seams between lanes as safe, where independent errors open gaps.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd, shapely
    >>> times = pd.date_range("2026-05-04T06:00Z", periods=3, freq="120s")
    >>> lines = [shapely.LineString([(0, y), (20, y)]) for y in (1.0, 1.8, 2.6)]
    >>> made = {"id": list("abc"), "pass_id": list("abc"), "width_m": 1.0, "start": times, "end": times + pd.Timedelta("60s")}
    >>> passes = gpd.GeoDataFrame(made, geometry=lines, crs="EPSG:32638")
    >>> result = assurance(passes, Grid(0, 4, 0.1, (40, 200), "EPSG:32638"), sigma_m=0.02, options=Draws(count=0))
    >>> bool(result.totals["assured_m2"] < 52 < result.totals["possible_m2"])
    True
    """
    limits = options or Draws()
    require_metric(grid)
    made = in_order(on_plane(require_passes(passes), grid.crs))
    ground = shapely.box(*grid.bounds) if task is None else ground_on(task, grid)
    parts = groups(made, sigma_m, tau_s)
    searched = 1 - missed(parts, grid, [1.0])[0]
    sure, maybe = _grounds([_reaches(parts, limits.radius, grow) for grow in (False, True)], ground)
    totals = _totals(parts, ground, sure, maybe, tau_s=tau_s)
    totals["model_uncovered_m2"] = _expected(1 - searched, grid, ground)
    drawn = draws.uncovered(parts, ground, tau_s, count=limits.count, seed=limits.seed)
    searched = _tempered(searched, burn([ground], grid).astype(bool), drawn / ground.area)
    totals |= _interval(drawn, limits, totals["model_uncovered_m2"])
    table = _sensitivity(made, ground, (sigma_m, tau_s), limits)
    if len(drawn):  # few draws tell differences well, the level badly: it is taken from all of them
        shift = float(drawn.mean()) - float(table["expected_uncovered_m2"].iloc[0])
        table["expected_uncovered_m2"] = (table["expected_uncovered_m2"] + shift).clip(lower=0.0)
    home = _crs.require(passes) if task is None else _crs.require(task)
    return Assurance(
        Raster(searched, grid, name="probability_searched"), _frame("assured", sure, grid, home), _frame("possible", maybe, grid, home),
        pd.Series(totals, dtype=object), table, issues_frame(_findings(made, totals, limits)),
    )  # fmt: skip


def ground_on(task: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> BaseGeometry:
    """Ground of a task on the system of a grid."""
    plane, ground, _ = task_ground(task)
    return _crs.transform(np.array([ground], dtype=object), plane, grid.crs)[0]


@dataclass(frozen=True)
class Reach:
    """Swaths of one asset and day for one worker, by how much they are narrowed or widened, each alone and all together (metres)."""

    shapes: np.ndarray
    own: float
    common: float
    grow: bool


KEPT = codec("assured")


def _reaches(parts: Sequence[Group], radius: float, grow: bool) -> list[Reach]:
    return [Reach(g.shapes, radius * g.own(cautious=True), radius * g.common(cautious=not grow), grow) for g in parts]


def reached(group: Reach) -> BaseGeometry:
    """Assured ground of a group, or possible ground if it grows."""
    if group.grow:
        return shapely.buffer(union.joined(shapely.buffer(group.shapes, group.own)), group.common)
    narrow = shapely.buffer(group.shapes, -group.own, join_style="mitre", mitre_limit=5.0)
    return shapely.buffer(union.joined(narrow), -max(group.common, 1e-9))


def _grounds(several: Sequence[list[Reach]], ground: BaseGeometry) -> list[BaseGeometry]:
    """Of each list of groups their ground together, inside the task."""
    found = iter_ordered(reached, itertools.chain.from_iterable(several), codec=KEPT)
    out = []
    for reaches in several:
        whole = union.joined(np.array([shape for _, shape in zip(reaches, found, strict=False)], dtype=object))
        out.append(union.polygons(shapely.intersection(whole, ground)))
    return out


def _expected(miss: np.ndarray, grid: Grid, ground: BaseGeometry) -> float:
    inside = burn([ground], grid).astype(bool)
    return float(miss[inside].mean() * ground.area) if inside.any() else 0.0


def _tempered(searched: np.ndarray, inside: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The probabilities, lowered by one shift of their log-odds until their mean agrees with the drawn layouts; never raised.

    Two levels of error cannot follow a correlation that fades from lane to lane, which matters where the error is larger than the
    tool: there the closed form says up to three points too much.
    """
    if len(drawn) < ENOUGH or not inside.any() or 1 - searched[inside].mean() >= drawn.mean():
        return searched
    odds = logit(np.clip(searched.astype(float), 1e-12, 1 - 1e-12))
    shift = brentq(lambda by: expit(odds[inside] - by).mean() - (1 - drawn.mean()), 0.0, 60.0, xtol=1e-4)
    return np.minimum(searched, expit(odds - shift).astype(np.float32))


def _totals(
    parts: Sequence[Group], ground: BaseGeometry, sure: BaseGeometry, maybe: BaseGeometry, *, tau_s: float
) -> dict[str, Any]:
    task = float(ground.area)
    return {
        "task_m2": task, "assured_m2": float(sure.area), "assured_share": float(sure.area) / task, "possible_m2": float(maybe.area),
        "possible_share": float(maybe.area) / task, "sigma_m": max((g.sigma_m for g in parts), default=float("nan")),
        "sigma_least_m": min((g.sigma_m for g in parts), default=float("nan")), "tau_s": float(tau_s),
        "rho": float(np.mean([g.rho for g in parts])) if parts else float("nan"),
    }  # fmt: skip


def _interval(drawn: np.ndarray, limits: Draws, model: float) -> dict[str, Any]:
    if not len(drawn):
        return {
            "expected_uncovered_m2": model,
            "uncovered_low_m2": float("nan"),
            "uncovered_high_m2": float("nan"),
            "draws": 0,
            "seed": limits.seed,
        }
    tail = (1 - limits.confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return {
        "expected_uncovered_m2": float(drawn.mean()),
        "uncovered_low_m2": float(low),
        "uncovered_high_m2": float(high),
        "draws": len(drawn),
        "seed": limits.seed,
    }


def _sensitivity(
    made: gpd.GeoDataFrame, ground: BaseGeometry, model: tuple[float | None, float], limits: Draws
) -> pd.DataFrame:
    """Assured ground and expected uncovered ground under other errors, with the same random numbers."""
    cases: list[tuple[str, float, list[Group]]] = []
    for what, times, slower in (
        ("as given", 1.0, 1.0),
        ("sigma half", 0.5, 1.0),
        ("sigma double", 2.0, 1.0),
        ("tau half", 1.0, 0.5),
        ("tau double", 1.0, 2.0),
    ):
        sigma, tau = model[0], model[1] * slower
        if sigma is None:
            scaled = made.assign(h_acc_m=made["h_acc_m"] * times) if "h_acc_m" in made else made
            cases.append((what, tau, groups(scaled, None, tau)))
        else:
            cases.append((what, tau, groups(made, sigma * times, tau)))
    grounds = _grounds([_reaches(parts, limits.radius, False) for *_, parts in cases], ground)
    rows = []
    for (what, tau, parts), sure in zip(cases, grounds, strict=True):
        drawn = draws.uncovered(parts, ground, tau, count=-(-limits.count // 4), seed=limits.seed)
        rows.append({
            "what": what, "sigma_m": max((g.sigma_m for g in parts), default=np.nan), "tau_s": tau, "assured_m2": float(sure.area),
            "assured_share": float(sure.area / ground.area), "expected_uncovered_m2": float(drawn.mean()) if len(drawn) else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _frame(state: str, shape: BaseGeometry, grid: Grid, home: Any) -> gpd.GeoDataFrame:
    rows = [] if shape.is_empty else [shape]
    data = {"id": [state] * len(rows), "state": [state] * len(rows), "area_m2": [float(row.area) for row in rows]}
    return gpd.GeoDataFrame(
        data, geometry=gpd.GeoSeries(_crs.transform(np.array(rows, dtype=object), grid.crs, home), crs=home), crs=home
    )


def _findings(made: gpd.GeoDataFrame, totals: dict[str, Any], limits: Draws) -> list[Issue]:
    percent = f"{100 * limits.confidence:g} %"
    width = float(made["width_m"].min()) if len(made) else float("nan")
    least, worst = totals["sigma_least_m"], totals["sigma_m"]
    error = (
        f"a position error of {worst:.2f} m"
        if worst - least < 0.005
        else f"position errors from {least:.2f} to {worst:.2f} m"
    )
    share = f"{100 * totals['assured_share']:.1f} %"
    text = f"{figure(totals['assured_m2'])} of {figure(totals['task_m2'])} m² ({share}) are assured at {percent} for {error}"
    issues = [Issue("SW-22", "info", "fixes", message=text, value=totals["assured_m2"])]
    if totals["assured_share"] < 0.01:
        text = (
            f"These tracks cannot show coverage: with {error} per axis next to nothing of the work of a tool {width:.2f} m wide "
            f"is sure ({percent}). Use marked lanes or better positions."
        )
        limit = width / 2 / limits.radius
        issues.append(
            Issue("SW-20", "error", "fixes", column="h_acc_m", message=text, value=totals["sigma_m"], limit=limit)
        )
    expected = f"{figure(totals['expected_uncovered_m2'])} m² of the task are expected to be uncovered"
    if totals["draws"]:
        expected += f" ({percent} of {totals['draws']} draws between {figure(totals['uncovered_low_m2'])} and {figure(totals['uncovered_high_m2'])} m²)"
    return [*issues, Issue("SW-22", "info", "fixes", message=expected, value=totals["expected_uncovered_m2"])]
