"""Fit the baseline and the models, leaving out whole blocks of ground in turn, and say how they did.

For judging and predicting; metrics, blocks and models are in their own files of this room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.risk_surface import metrics as _metrics
from geotools.analysis.risk_surface.blocks import Setup, folds
from geotools.analysis.risk_surface.models import BASELINE, LOGISTIC, Model, fitted
from geotools.analysis.risk_surface.places import labels, matrix
from geotools.model import arguments
from geotools.model.errors import SchemaError, StatisticsError
from geotools.model.parallel import iter_ordered, map_ordered

NOTE = "For survey priority only. It may add priority and never removes land: a low score is no evidence about land and changes no status."


@dataclass(frozen=True)
class Surface:
    """Result of an evaluation.

    Parameters
    ----------
    metrics
        One row per model, the distance baseline always first: `model, roc_auc, pr_auc, base_rate, brier, calibration_error, r_height, height`.
        `r_height` is the mean number of negatives scored at least as high as a positive, `height` the mean number of positives scored at
        most as high as a negative.
    scores
        On the index of the places: `fold` and the score of each model, always from a model that had not seen the place's block.
    calibration
        `model, predicted, observed, low, high, n` in ten groups of equal size (see `reliability`).
    coefficients
        Of the logistic model on all places, per standard deviation of each feature (`log distance` for the distance); empty without it.
    label
        Whether ordnance is known at each place, in the order of `scores`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> xy = rng.uniform(0, 20000, (600, 2)) + (700000, 4380000)
    >>> near = np.hypot(*(xy - (705000, 4385000)).T)
    >>> frame = gpd.GeoDataFrame({"event_m": near, "eo": rng.random(600) < np.exp(-near / 3000)}, geometry=gpd.points_from_xy(*xy.T), crs="EPSG:32638")
    >>> found = evaluate(frame, Setup("eo", "event_m"))
    >>> found.best, found.beats_chance, bool(found.predict(frame).between(0, 1).all())
    ('distance baseline', True, True)
    """

    metrics: pd.DataFrame
    scores: pd.DataFrame
    calibration: pd.DataFrame
    coefficients: pd.Series
    setup: Setup
    label: np.ndarray = field(repr=False)
    _fits: Mapping[str, Model] = field(repr=False, compare=False)

    @property
    def best(self) -> str:
        """The model with the greatest PR-AUC on unseen blocks among those that beat the baseline; else the baseline."""
        good = self.metrics[self.metrics["model"].isin([BASELINE, *self.better])]
        return str(good["model"].iloc[int(np.argmax(good["pr_auc"].to_numpy()))])

    @property
    def better(self) -> tuple[str, ...]:
        """Models that rank unseen ground better than the distance alone: a greater PR-AUC, and no lesser ROC-AUC. No other is used."""
        base = self.metrics[self.metrics["model"] == BASELINE].iloc[0]
        more = (self.metrics["pr_auc"] > base["pr_auc"]) & (self.metrics["roc_auc"] >= base["roc_auc"])
        return tuple(self.metrics.loc[more, "model"].astype(str))

    @property
    def beats_chance(self) -> bool:
        """Whether the best model ranks unseen ground better than a draw: PR-AUC above the base rate and ROC-AUC above one half."""
        row = self.metrics[self.metrics["model"] == self.best]
        return bool((row["pr_auc"] > row["base_rate"]).all() and (row["roc_auc"] > 0.5).all())

    def predict(self, places: pd.DataFrame, model: str | None = None) -> pd.Series:
        """Score of a model fitted on all places (default: `best`), for other places with the same columns.

        A place with a missing value gets no score.
        """
        name = self.best if model is None else arguments.one_of(model, "model", tuple(self._fits))
        columns = (self.setup.distance,) if name == BASELINE else self.setup.columns
        arguments.columns(places, "the places", columns)
        try:
            values = matrix(places, self.setup, columns)
        except (TypeError, ValueError) as error:
            raise SchemaError("a feature holds text", hint=f"numbers are needed in {', '.join(columns)}") from error
        known = np.isfinite(values).all(axis=1)
        out = np.full(len(values), np.nan)
        if known.any():
            out[known] = self._fits[name].predict(values[known])
        return pd.Series(out, index=places.index, name="survey_score")

    def to_dict(self) -> dict[str, Any]:
        """Metrics, reliability, coefficients and the rule, as plain data."""
        return {
            "metrics": self.metrics.to_dict("records"), "best": self.best, "better_than_baseline": list(self.better),
            "beats_chance": self.beats_chance,
            "calibration": self.calibration.to_dict("records"),
            "coefficients": self.coefficients.to_dict(), "places": len(self.scores), "blocks_m": self.setup.block_m, "folds": self.setup.folds,
            "note": NOTE,
        }  # fmt: skip


def evaluate(places: gpd.GeoDataFrame, setup: Setup) -> Surface:
    """Fit the baseline and the models of the setup, leaving out whole blocks of ground in turn.

    Parameters
    ----------
    places
        Points or cells in any CRS with the columns of the setup; no value may be missing.

    Raises
    ------
    SchemaError
        If a column is missing, or has missing values or text.
    MissingLibraryError
        If boosted trees are asked for and scikit-learn is not installed.
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
    if not isinstance(setup, Setup):
        raise StatisticsError("what is modelled is not given", hint="risk_surface.Setup(label, distance, features)")
    label = labels(places, setup)
    fold, xy = folds(places, label, setup)
    names = (BASELINE, *dict.fromkeys(setup.models))
    inputs = {name: matrix(places, setup, (setup.distance,) if name == BASELINE else setup.columns) for name in names}
    scores = _out_of_fold(inputs, (label, fold, xy), setup)
    parts = [_metrics.reliability(label, scores[name]).assign(model=name) for name in names]
    whole = [_Task(name, inputs[name], label, setup.penalty, setup.seed) for name in names]
    fits = dict(zip(names, map_ordered(_fit, whole), strict=True))
    features = ["log distance" if c == setup.distance else c for c in setup.columns]
    beta = getattr(fits.get(LOGISTIC), "beta", None)
    return Surface(
        pd.DataFrame([{"model": name, **_metrics.summary(label, scores[name])} for name in names]),
        pd.DataFrame({"fold": fold, **scores}, index=places.index),
        pd.concat(parts, ignore_index=True)[["model", "predicted", "observed", "low", "high", "n"]],
        pd.Series(
            [] if beta is None else beta[1:], index=[] if beta is None else features, name="coefficient", dtype=float
        ),
        setup,
        label,
        fits,
    )


@dataclass(frozen=True)
class _Task:
    """A model to fit, for one worker: its name, features and labels, and its settings; and the places to be scored, if any."""

    name: str
    values: np.ndarray
    label: np.ndarray
    penalty: float
    seed: int
    others: np.ndarray | None = None


def _fit(task: _Task) -> Model:
    return fitted(task.name, task.values, task.label, penalty=task.penalty, seed=task.seed)


def _score(task: _Task) -> np.ndarray:
    return _fit(task).predict(np.asarray(task.others))


def _out_of_fold(
    inputs: Mapping[str, np.ndarray], known: tuple[np.ndarray, np.ndarray, np.ndarray], setup: Setup
) -> dict[str, np.ndarray]:
    """Scores of every model, each place scored by a model that had not seen its block."""
    label, fold, _ = known
    numbers = np.unique(fold)
    trains = [_train(known, fold == number, setup) for number in numbers]
    given = (
        _Task(name, values[train], label[train], setup.penalty, setup.seed, values[fold == number])
        for name, values in inputs.items()
        for number, train in zip(numbers, trains, strict=True)
    )
    found = iter_ordered(_score, given)
    out = {name: np.full(len(label), np.nan) for name in inputs}
    for scores in out.values():
        for number in numbers:
            scores[fold == number] = next(found)
    return out


def _train(known: tuple[np.ndarray, np.ndarray, np.ndarray], test: np.ndarray, setup: Setup) -> np.ndarray:
    """Places to learn from when others are left out."""
    from scipy.spatial import cKDTree

    label, _, xy = known
    train = ~test
    if setup.gap_m > 0:
        train &= cKDTree(xy[test]).query(xy)[0] >= setup.gap_m
    if not label[train].any() or label[train].all():
        raise StatisticsError(
            "a fold leaves no known ordnance to learn from", hint="fewer folds, smaller blocks or a smaller gap"
        )
    return train
