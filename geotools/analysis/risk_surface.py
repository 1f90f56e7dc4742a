"""Where survey should look first: a distance-to-evidence baseline and a logistic model, judged on ground they have not seen.

For ordering survey. A score may add priority; it never lowers one, and it is not evidence that land holds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model.errors import SchemaError, StatisticsError
from geotools.space import crs as _crs

BASELINE, FULL = "distance baseline", "logistic"
STEPS = 100


@dataclass(frozen=True)
class Setup:
    """What is modelled and how it is judged.

    Parameters
    ----------
    label
        Boolean column: explosive ordnance known at the place.
    distance
        Column with the distance to the nearest earlier evidence; the baseline uses it alone, as log(1 + distance).
    features
        Numeric columns of the full model; the distance is always one of them.
    block_m
        Side of the square blocks that are left out together. Choose it larger than the range over which neighbours resemble each other.
    folds
        Groups of blocks. There is no random split: it would let a place be predicted from its neighbour.
    gap_m
        Training places nearer than this to a test place are left out as well.
    penalty
        Strength of the ridge penalty on standardised features.
    """

    label: str
    distance: str
    features: tuple[str, ...] = ()
    block_m: float = 2000.0
    folds: int = 5
    gap_m: float = 0.0
    penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.block_m > 0 and self.folds >= 2 and self.gap_m >= 0 and self.penalty > 0):
            raise StatisticsError("blocks, folds ≥ 2 and penalty must be positive, the gap not negative")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the full model."""
        return tuple(dict.fromkeys((self.distance, *self.features)))


@dataclass(frozen=True)
class Surface:
    """Result of an evaluation.

    Parameters
    ----------
    metrics
        One row per model, the distance baseline always first: `model, roc_auc, pr_auc, base_rate, brier, r_height, height`. `r_height` is the mean
        number of negatives scored at least as high as a positive, `height` the mean number of positives scored at most as high as a negative.
    scores
        On the index of the places: `fold` and the score of each model, always from a model that had not seen the place's block.
    calibration
        `model, predicted, observed, n` in ten groups of equal size.
    coefficients
        Of the full model on all places, per standard deviation of each feature (`log distance` for the distance).
    """

    metrics: pd.DataFrame
    scores: pd.DataFrame
    calibration: pd.DataFrame
    coefficients: pd.Series
    setup: Setup
    _fit: _Logistic = field(repr=False, compare=False)

    def predict(self, places: pd.DataFrame) -> pd.Series:
        """Score of the full model, fitted on all places, for other places with the same columns."""
        return pd.Series(
            self._fit.predict(_matrix(places, self.setup, self.setup.columns)), index=places.index, name="survey_score"
        )

    def to_dict(self) -> dict[str, Any]:
        """Metrics, coefficients and the rule, as plain data."""
        return {
            "metrics": self.metrics.to_dict("records"), "coefficients": self.coefficients.to_dict(), "blocks_m": self.setup.block_m, "folds": self.setup.folds,
            "note": "For survey priority only. A low score is no evidence about land and changes no status.",
        }  # fmt: skip


def distances(
    places: gpd.GeoDataFrame | gpd.GeoSeries, layers: Mapping[str, gpd.GeoDataFrame | gpd.GeoSeries]
) -> pd.DataFrame:
    """Distance in metres from every place to the nearest feature of each layer.

    Returns
    -------
    DataFrame
        ``<layer>_m`` on the index of `places`; missing where the layer or the place has no geometry.

    Examples
    --------
    >>> places = gpd.GeoSeries([shapely.Point(700000, 4380000)], crs="EPSG:32638")
    >>> road = gpd.GeoSeries([shapely.LineString([(700000, 4380100), (700500, 4380100)])], crs="EPSG:32638")
    >>> distances(places, {"road": road})["road_m"].round(0).tolist()
    [100.0]
    """
    plane, spots = _plane(places)
    out = {}
    for name, layer in layers.items():
        values = np.full(len(spots), np.nan)
        shapes = _crs.transform(layer.geometry.array, _crs.require(layer), plane)
        tree = shapely.STRtree([s for s in shapes if s is not None and not s.is_empty])
        there = np.flatnonzero(~shapely.is_missing(spots) & ~shapely.is_empty(spots))
        if len(tree) and len(there):
            (index, _), distance = tree.query_nearest(spots[there], return_distance=True, all_matches=False)
            values[there[index]] = distance
        out[f"{name}_m"] = values
    return pd.DataFrame(out, index=places.index)


def evaluate(places: gpd.GeoDataFrame, setup: Setup) -> Surface:
    """Fit the baseline and the full model, leaving out whole blocks of ground in turn.

    Parameters
    ----------
    places
        Points or cells in any CRS with the columns of the setup; no value may be missing.

    Raises
    ------
    SchemaError
        If a column is missing, or has missing values or text.
    StatisticsError
        If the blocks do not hold both kinds of places in at least two folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> xy = rng.uniform(0, 20000, (600, 2)) + (700000, 4380000)
    >>> near = np.hypot(*(xy - (705000, 4385000)).T)
    >>> frame = gpd.GeoDataFrame({"event_m": near, "eo": rng.random(600) < np.exp(-near / 3000)}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638")
    >>> evaluate(frame, Setup("eo", "event_m")).metrics["model"].tolist()
    ['distance baseline', 'logistic']
    """
    label = _label(places, setup)
    fold, xy = _folds(places, label, setup)
    inputs = {BASELINE: _matrix(places, setup, (setup.distance,)), FULL: _matrix(places, setup, setup.columns)}
    scores = {name: _out_of_fold(values, label, fold, xy, setup) for name, values in inputs.items()}
    table = pd.DataFrame({"fold": fold, **scores}, index=places.index)
    metrics = pd.DataFrame([{"model": name, **_metrics(label, values)} for name, values in scores.items()])
    groups = pd.concat(
        [_calibration(label, values).assign(model=name) for name, values in scores.items()], ignore_index=True
    )
    fit = _Logistic.of(inputs[FULL], label, setup.penalty)
    names = ["log distance" if c == setup.distance else c for c in setup.columns]
    return Surface(
        metrics,
        table,
        groups[["model", "predicted", "observed", "n"]],
        pd.Series(fit.beta[1:], index=names, name="coefficient"),
        setup,
        fit,
    )


def raise_priority(current: pd.Series, score: pd.Series, *, threshold: float) -> pd.Series:
    """Survey priority, raised to at least 1 step where the score reaches the threshold; nowhere lowered.

    Parameters
    ----------
    current
        Present priority, larger is more urgent.
    score
        From `Surface.predict` or `Surface.scores`, on the same index.

    Examples
    --------
    >>> raise_priority(pd.Series([3, 0, 0]), pd.Series([0.0, 0.9, 0.1]), threshold=0.5).tolist()
    [3, 1, 0]
    """
    aligned = score.reindex(current.index)
    return current.where(~(aligned >= threshold), np.maximum(current, 1)).rename("survey_priority")


def roc_auc(label: Any, score: Any) -> float:
    """Area under the ROC curve: chance that a positive outranks a negative, ties counting half.

    Examples
    --------
    >>> roc_auc([True, False, True, False], [0.9, 0.8, 0.3, 0.1])
    0.75
    """
    from scipy.stats import rankdata

    truth, ranks = np.asarray(label, dtype=bool), rankdata(score)
    positives = int(truth.sum())
    if positives in (0, len(truth)):
        raise StatisticsError("an area under a curve needs positives and negatives")
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives)))


def pr_auc(label: Any, score: Any) -> float:
    """Average precision: Σ (recall step) × precision, from the highest score down, ties taken together.

    Examples
    --------
    >>> round(pr_auc([True, False, True, False], [0.9, 0.8, 0.3, 0.1]), 4)
    0.8333
    """
    truth, values = np.asarray(label, dtype=bool), np.asarray(score, dtype=float)
    if truth.all() or not truth.any():
        raise StatisticsError("an area under a curve needs positives and negatives")
    order = np.argsort(-values, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(values[order])), len(values) - 1]
    hits = np.cumsum(truth[order])[last]
    return float((np.diff(np.r_[0, hits]) * hits / (last + 1)).sum() / hits[-1])


def heights(label: Any, score: Any) -> tuple[float, float]:
    """`r_height`: mean over positives of the negatives scored ≥ it; `height`: mean over negatives of the positives scored ≤ it.

    Without ties r_height = N₋·(1−AUC) and height = N₊·(1−AUC).

    Examples
    --------
    >>> heights([True, False, True, False], [0.9, 0.8, 0.3, 0.1])
    (0.5, 0.5)
    """
    truth, values = np.asarray(label, dtype=bool), np.asarray(score, dtype=float)
    yes, no = np.sort(values[truth]), np.sort(values[~truth])
    r_height = (len(no) - np.searchsorted(no, yes, side="left")).mean()
    return float(r_height), float(np.searchsorted(yes, no, side="right").mean())


def _plane(places: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[Any, np.ndarray]:
    lonlat = _crs.transform(places.geometry.array, _crs.require(places), _crs.WGS84)
    plane = _crs.equal_area(tuple(shapely.total_bounds(lonlat)))
    return plane, np.asarray(shapely.centroid(_crs.transform(lonlat, _crs.WGS84, plane)), dtype=object)


def _label(places: gpd.GeoDataFrame, setup: Setup) -> np.ndarray:
    missing = [c for c in (setup.label, *setup.columns) if c not in places]
    if missing:
        raise SchemaError(f"the places have no column '{missing[0]}'")
    for name in (setup.label, *setup.columns):
        values = pd.to_numeric(places[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        if not np.isfinite(values).all():
            raise SchemaError(
                f"column '{name}' has missing values or text", hint="drop or fill those places first, and say so"
            )
    return places[setup.label].to_numpy(dtype=bool)


def _matrix(places: pd.DataFrame, setup: Setup, columns: Sequence[str]) -> np.ndarray:
    return np.column_stack(
        [
            np.log1p(np.maximum(places[c].to_numpy(dtype=float), 0))
            if c == setup.distance
            else places[c].to_numpy(dtype=float)
            for c in columns
        ]
    )


def _folds(places: gpd.GeoDataFrame, label: np.ndarray, setup: Setup) -> tuple[np.ndarray, np.ndarray]:
    _, spots = _plane(places)
    xy = shapely.get_coordinates(spots)
    if len(xy) != len(places):
        raise SchemaError("some places have no geometry", hint="drop them first, and say so")
    cell = np.floor(xy / setup.block_m).astype(int)
    _, block = np.unique(cell, axis=0, return_inverse=True)
    block = block.ravel()
    positives = np.bincount(block, weights=label)
    load = np.zeros((setup.folds, 2))
    fold_of = np.zeros(len(positives), dtype=int)
    rng = np.random.default_rng(setup.seed)
    for b in sorted(rng.permutation(len(positives)), key=lambda b: -positives[b]):
        lightest = int(np.lexsort((load[:, 1], load[:, 0]))[0])
        fold_of[b] = lightest
        load[lightest] += positives[b], (block == b).sum()
    fold = fold_of[block]
    if sum(bool(label[fold == f].any()) for f in range(setup.folds)) < 2 or label.all():
        raise StatisticsError(
            "known ordnance lies in too few blocks to judge a model", hint="smaller blocks, or more ground"
        )
    return fold, xy


def _out_of_fold(values: np.ndarray, label: np.ndarray, fold: np.ndarray, xy: np.ndarray, setup: Setup) -> np.ndarray:
    from scipy.spatial import cKDTree

    out = np.full(len(label), np.nan)
    for number in np.unique(fold):
        test = fold == number
        train = ~test
        if setup.gap_m > 0:
            train &= cKDTree(xy[test]).query(xy)[0] >= setup.gap_m
        if not label[train].any() or label[train].all():
            raise StatisticsError(
                "a fold leaves no known ordnance to learn from", hint="fewer folds, smaller blocks or a smaller gap"
            )
        out[test] = _Logistic.of(values[train], label[train], setup.penalty).predict(values[test])
    return out


@dataclass(frozen=True)
class _Logistic:
    """Ridge-penalised logistic regression on standardised inputs, by Newton's method."""

    beta: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, label: np.ndarray, penalty: float) -> _Logistic:
        from scipy.special import expit

        mean, sd = values.mean(axis=0), values.std(axis=0)
        sd = np.where(sd > 0, sd, 1.0)
        design = np.column_stack([np.ones(len(values)), (values - mean) / sd])
        ridge = np.diag(np.r_[0.0, np.full(values.shape[1], penalty)])
        rate = float(np.clip(label.mean(), 1e-6, 1 - 1e-6))
        beta = np.r_[np.log(rate / (1 - rate)), np.zeros(values.shape[1])]

        def loss(b: np.ndarray) -> float:
            eta = design @ b
            return float((np.logaddexp(0, eta) - label * eta).sum() + 0.5 * b @ ridge @ b)

        for _ in range(STEPS):
            p = expit(design @ beta)
            gradient = design.T @ (p - label) + ridge @ beta
            step = np.linalg.solve(
                design.T @ (design * (p * (1 - p))[:, None]) + ridge + 1e-10 * np.eye(len(beta)), gradient
            )
            scale = 1.0
            while scale > 1e-8 and loss(beta - scale * step) > loss(beta):
                scale /= 2
            beta = beta - scale * step
            if np.abs(scale * step).max() < 1e-9:
                break
        return cls(beta, mean, sd)

    def predict(self, values: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        return np.asarray(expit(self.beta[0] + ((values - self.mean) / self.sd) @ self.beta[1:]))


def _metrics(label: np.ndarray, score: np.ndarray) -> dict[str, float]:
    r_height, height = heights(label, score)
    return {
        "roc_auc": roc_auc(label, score), "pr_auc": pr_auc(label, score), "base_rate": float(label.mean()),
        "brier": float(((score - label) ** 2).mean()), "r_height": r_height, "height": height,
    }  # fmt: skip


def _calibration(label: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    groups = np.array_split(np.argsort(score, kind="stable"), 10)
    return pd.DataFrame(
        [
            {"predicted": float(score[g].mean()), "observed": float(label[g].mean()), "n": len(g)}
            for g in groups
            if len(g)
        ]
    )
