"""Weights from pairwise judgements (AHP): principal eigenvector, consistency ratio, and the judgement that fits least.

For turning judgements into weights; judgements that contradict each other are refused, unless they are asked for by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geotools.model.doors import checked
from geotools.model.errors import SchemaError, StatisticsError

CR_MOST = 0.1
RANDOM_INDEX: dict[str, dict[int, float]] = {
    # Saaty, The Analytic Hierarchy Process, 1980
    "saaty": {3: 0.58, 4: 0.90, 5: 1.12, 6: 1.24, 7: 1.32, 8: 1.41, 9: 1.45, 10: 1.49, 11: 1.51, 12: 1.54, 13: 1.56, 14: 1.57, 15: 1.59},
    # Saaty, Theory and Applications of the Analytic Network Process, 2005
    "saaty2005": {3: 0.52, 4: 0.89, 5: 1.11, 6: 1.25, 7: 1.35, 8: 1.40, 9: 1.45, 10: 1.49, 11: 1.52, 12: 1.54, 13: 1.56, 14: 1.58, 15: 1.59},
    # Donegan and Dodd, Mathematical and Computer Modelling 15(10), 1991
    "donegan-dodd": {3: 0.4914, 4: 0.8286, 5: 1.0591, 6: 1.1797, 7: 1.2519, 8: 1.3171, 9: 1.3733, 10: 1.4055, 11: 1.4213, 12: 1.4497, 13: 1.4643, 14: 1.4822, 15: 1.4969},
}  # fmt: skip


@dataclass(frozen=True)
class Ahp:
    """Weights and how well the judgements agree: ``lambda_max``, ``ci = (λmax − n)/(n − 1)``, ``cr = ci / ri``.

    Examples
    --------
    >>> found = ahp({("people", "land"): 3, ("people", "roads"): 6, ("land", "roads"): 2})
    >>> found.consistent, round(found.lambda_max, 6)
    (True, 3.0)
    """

    weights: pd.Series
    lambda_max: float
    ci: float
    cr: float
    random_index: str
    words: str

    @property
    def consistent(self) -> bool:
        """Whether the consistency ratio is at most 0.1."""
        return self.cr <= CR_MOST

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "weights": {str(k): float(v) for k, v in self.weights.items()},
            "lambda_max": self.lambda_max,
            "ci": self.ci,
            "cr": self.cr,
            "random_index": self.random_index,
            "consistent": self.consistent,
            "words": self.words,
        }


@checked
def ahp(
    judgements: Mapping[tuple[str, str], float] | pd.DataFrame,
    *,
    random_index: str = "saaty",
    accept_inconsistent: bool = False,
) -> Ahp:
    """Weights from how many times more important one criterion is than another.

    Parameters
    ----------
    judgements
        ``{("people", "roads"): 3}``, each pair once, or a square frame with the reciprocal below the diagonal.
    random_index
        Whose table of random indices divides the consistency index: ``saaty`` (1980), ``saaty2005`` or ``donegan-dodd``.
    accept_inconsistent
        Take weights of judgements with a consistency ratio above 0.1 as well; the words say so.

    Raises
    ------
    SchemaError
        If a pair is missing or twice, or a value is not above 0.
    StatisticsError
        If the consistency ratio is above 0.1 and not accepted; the hint names the judgement that fits least.

    Examples
    --------
    >>> found = ahp({("people", "land"): 3, ("people", "roads"): 6, ("land", "roads"): 2})
    >>> found.weights.round(3).to_dict(), round(abs(found.cr), 6)
    ({'people': 0.667, 'land': 0.222, 'roads': 0.111}, 0.0)
    """
    names, matrix = _matrix(judgements)
    count = len(names)
    tables = RANDOM_INDEX.get(random_index)
    if tables is None:
        raise StatisticsError(
            f"'{random_index}' is not a table of random indices", hint=f"use one of {', '.join(RANDOM_INDEX)}"
        )
    if count > max(tables):
        raise StatisticsError(
            f"{count} criteria are more than pairs can weigh", hint=f"at most {max(tables)}; group them"
        )
    values, vectors = np.linalg.eig(matrix)
    at = int(np.argmax(values.real))
    vector = np.abs(vectors[:, at].real)
    weights = pd.Series(vector / vector.sum(), index=pd.Index(names, name="criterion"), name="weight")
    lambda_max = float(values[at].real)
    ci = (lambda_max - count) / (count - 1) if count > 1 else 0.0
    cr = max(0.0, ci / tables[count]) if count in tables else 0.0
    advice = _advice(names, matrix, weights.to_numpy())
    if cr > CR_MOST and not accept_inconsistent:
        raise StatisticsError(f"the judgements contradict each other: consistency ratio {cr:.3f}, at most {CR_MOST} is usable", hint=advice)  # fmt: skip
    words = f"consistency ratio {cr:.3f} ({'within' if cr <= CR_MOST else 'ABOVE'} {CR_MOST})" + (
        f"; {advice}" if cr > CR_MOST else ""
    )
    return Ahp(weights, lambda_max, ci, cr, random_index, words)


def _matrix(judgements: Mapping[tuple[str, str], float] | pd.DataFrame) -> tuple[list[str], np.ndarray]:
    if isinstance(judgements, pd.DataFrame):
        return _of_frame(judgements)
    names: list[str] = []
    for pair in judgements:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise SchemaError(f"{str(pair)[:40]!r} is no pair of criteria", hint="write {('people', 'roads'): 3}")
        names += [str(n) for n in pair if str(n) not in names]
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    for (a, b), given in judgements.items():
        i, j = names.index(str(a)), names.index(str(b))
        value = _positive(given, f"{a} / {b}")
        if i == j or not np.isnan(matrix[i, j]):
            raise SchemaError(f"the pair {a} / {b} is judged twice, or against itself")
        matrix[i, j], matrix[j, i] = value, 1 / value
    if np.isnan(matrix).any() or not names:
        i, j = (int(k[0]) for k in np.nonzero(np.isnan(matrix))) if names else (0, 0)
        raise SchemaError(
            f"the pair {names[i]} / {names[j]} is not judged" if names else "there is no judgement",
            hint=f"{len(names)} criteria need {len(names) * (len(names) - 1) // 2} judgements",
        )
    return names, matrix


def _of_frame(frame: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    names = [str(n) for n in frame.index]
    if [str(n) for n in frame.columns] != names or len(set(names)) != len(names):
        raise SchemaError("a frame of judgements has the same criteria as rows and columns, each once")
    matrix = np.array([[_positive(v, f"{a} / {b}") for b, v in zip(names, row, strict=True)] for a, row in zip(names, frame.to_numpy(), strict=True)])  # fmt: skip
    if not np.allclose(matrix * matrix.T, 1.0, rtol=0.01):
        raise SchemaError("below the diagonal of a frame of judgements stand the reciprocals")
    return names, matrix


def _positive(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number > 0):
        raise SchemaError(f"the judgement {where} is '{value}', not a number above 0")
    return number


def _advice(names: list[str], matrix: np.ndarray, weights: np.ndarray) -> str:
    """The judgement farthest from what all others together say; of several (among three criteria all are) the strongest."""
    expected = weights[:, None] / weights[None, :]
    off = np.triu(np.abs(np.log(matrix / expected)), 1)
    strength = np.triu(np.abs(np.log(matrix)), 1)
    i, j = np.unravel_index(int(np.where(off > off.max() - 1e-9, strength, -1.0).argmax()), off.shape)
    return f"'{names[i]}' against '{names[j]}' is judged {matrix[i, j]:.3g}; the other judgements together say about {expected[i, j]:.2g}"
