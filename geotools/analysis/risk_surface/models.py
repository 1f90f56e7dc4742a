"""The models: ridge-penalised logistic regression by Newton's method, and boosted trees of scikit-learn.

Each is fitted on a matrix and predicts probabilities; which places it may see is decided in `risk_surface.evaluation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from geotools.model.errors import need

BASELINE, LOGISTIC, BOOSTED = "distance baseline", "logistic", "boosted trees"
MODELS = (LOGISTIC, BOOSTED)
STEPS = 100
# Small trees and slow learning: the known ordnance of a programme is a few hundred places, not millions.
TREES = {"max_iter": 150, "learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 20, "l2_regularization": 1.0}


class Model(Protocol):
    """Anything fitted that turns rows of features into probabilities."""

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Probability per row."""


def fitted(name: str, values: np.ndarray, label: np.ndarray, *, penalty: float, seed: int) -> Model:
    """A model of that name, fitted.

    Raises
    ------
    MissingLibraryError
        If boosted trees are asked for and scikit-learn is not installed (extra ``learning``).
    """
    return Boosted.of(values, label, seed) if name == BOOSTED else Logistic.of(values, label, penalty)


@dataclass(frozen=True)
class Boosted:
    """Histogram-based gradient boosting; fitted on rows in one fixed order, so that the order given does not matter."""

    trees: Any

    @classmethod
    def of(cls, values: np.ndarray, label: np.ndarray, seed: int) -> Boosted:
        """Fit with the settings of `TREES`, without early stopping (that would need a random split)."""
        learner = need("sklearn.ensemble", "learning").HistGradientBoostingClassifier
        order = np.lexsort((*values.T, label))
        trees = learner(**TREES, early_stopping=False, random_state=seed)
        with _one_thread():
            return cls(trees.fit(values[order], label[order]))

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Probability per row."""
        with _one_thread():
            return np.asarray(self.trees.predict_proba(values)[:, 1])


def _one_thread() -> Any:
    """Sums in one order give the same trees on every machine; several threads gain little on a few thousand places."""
    return need("threadpoolctl", "learning").threadpool_limits(limits=1)


@dataclass(frozen=True)
class Logistic:
    """Ridge-penalised logistic regression on standardised inputs, by Newton's method."""

    beta: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, label: np.ndarray, penalty: float) -> Logistic:
        """Fit by Newton's method with step halving."""
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
        """Probability per row."""
        from scipy.special import expit

        return np.asarray(expit(self.beta[0] + ((values - self.mean) / self.sd) @ self.beta[1:]))
