"""The score of a Landmine Impact Survey, from recalled weights: every result says that it is unverified.

For comparing with old surveys; not for deciding, until an authority has put in its own weights.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.priority.indicators import Indicators
from geotools.model.doors import checked
from geotools.model.errors import SchemaError

WARNING = "LIS weights and classes are UNVERIFIED (recalled, not checked against the protocol); a country sets its own"
_FROM = {"cropland": "arable_m2", "pasture": "pasture_m2", "drinking_water": "water", "housing": "people_100_m", "roads": "road_m", "services": "schools"}  # fmt: skip


def settings() -> dict[str, Any]:
    """Weights and class limits of the preset ``lis_unverified``."""
    text = resources.files("geotools.analysis.priority").joinpath("presets.toml").read_text("utf-8")
    return dict(tomllib.loads(text)["lis_unverified"])


@checked
def lis(answers: pd.DataFrame, *, weights: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """``c_m·mines + c_u·uxo + Σ w_b·blocked_b + c_v·victims`` of communities or tasks, with what is not known as an interval.

    Parameters
    ----------
    answers
        One row each; ``mines``, ``uxo`` (0 or 1), one column per kind of blocked access (0 or 1), ``victims`` of the last 24 months (and
        ``victims_low``, ``victims_high``). A missing answer, or column, is unknown: it widens the score and never counts as no.
    weights
        Replaces the unverified preset: ``mines uxo victim blocked high medium``. The blocked weights must add up to 10.

    Returns
    -------
    DataFrame
        ``score_low score_high class_low class_high note`` on the index of `answers`; victims unknown: no upper end (infinite).

    Raises
    ------
    SchemaError
        If the blocked weights do not add up to 10, or an answer is neither 0 nor 1.

    Examples
    --------
    >>> rows = pd.DataFrame({"mines": [1], "uxo": [0], "cropland": [1], "victims": [2]})
    >>> lis(rows)[["score_low", "score_high", "class_low", "class_high"]].values.tolist()
    [[7.0, 16.0, 'medium', 'high']]
    """
    rule = {**settings(), **(weights or {})}
    blocked = dict(rule["blocked"])
    if abs(sum(blocked.values()) - 10) > 1e-9:
        raise SchemaError(f"the weights of blocked access add up to {sum(blocked.values()):g}, not 10")
    low, high = np.zeros(len(answers)), np.zeros(len(answers))
    for name, weight in {"mines": rule["mines"], "uxo": rule["uxo"], **blocked}.items():
        said = _answers(answers, name)
        low += weight * np.where(np.isnan(said), 0, said)
        high += weight * np.where(np.isnan(said), 1, said)
    least, most = (_numbers(answers, n) for n in ("victims_low", "victims_high"))
    victims = _numbers(answers, "victims")
    low += rule["victim"] * np.nan_to_num(np.where(np.isnan(least), victims, least))
    high += rule["victim"] * np.where(np.isnan(most), np.where(np.isnan(victims), np.inf, victims), most)
    note = WARNING if weights is None else ""
    out = pd.DataFrame({"score_low": low, "score_high": high}, index=answers.index)
    for end in ("low", "high"):
        out[f"class_{end}"] = [_class(v, rule) for v in out[f"score_{end}"]]
    return out.assign(note=note)


def _answers(answers: pd.DataFrame, name: str) -> np.ndarray:
    said = _numbers(answers, name)
    if not (np.isnan(said) | (said == 0) | (said == 1)).all():
        raise SchemaError(f"'{name}' is answered 0 or 1, or not at all")
    return said


def _numbers(answers: pd.DataFrame, name: str) -> np.ndarray:
    if name not in answers:
        return np.full(len(answers), np.nan)
    return pd.to_numeric(answers[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _class(score: float, rule: Mapping[str, Any]) -> str:
    return "high" if score >= rule["high"] else "medium" if score >= rule["medium"] else "low" if score >= 1 else "none"


@checked
def answers_from(indicators: Indicators, contamination: pd.Series) -> pd.DataFrame:
    """Answers as far as the records give them: contamination by task id, and indicators above 0. What they do not hold stays unknown.

    Parameters
    ----------
    indicators
        As from `indicators`.
    contamination
        Words of the vocabulary ``contamination``, several joined by commas, by task id; missing, ``mixed`` and ``unknown`` answer nothing.

    Returns
    -------
    DataFrame
        One row per task, for `lis`: ``mines uxo`` and a column per kind of blocked access known (1 yes, 0 no, NaN unknown), ``victims``,
        ``victims_low``, ``victims_high`` where the indicators have them.

    Examples
    --------
    >>> from geotools.analysis.priority import Indicators
    >>> figures = Indicators.of(pd.DataFrame({"arable_m2": [2500.0, 0.0]}, index=["A", "B"]))
    >>> answers_from(figures, pd.Series({"A": "ap,uxo", "B": "unknown"})).T.to_dict()
    {'A': {'mines': 1.0, 'uxo': 1.0, 'cropland': 1.0}, 'B': {'mines': nan, 'uxo': nan, 'cropland': 0.0}}
    """
    index = indicators.value.index
    said = contamination.reindex(index)
    words = [set() if v is None or v != v else {w.strip() for w in str(v).split(",")} for v in said]  # noqa: PLR0124
    known = [bool(w - {"unknown", "mixed", ""}) for w in words]
    out = pd.DataFrame(index=index)
    for name, kinds in (("mines", {"ap", "av"}), ("uxo", {"uxo", "axo", "cmr"})):
        out[name] = [float(bool(w & kinds)) if k else np.nan for w, k in zip(words, known, strict=True)]
    for name, column in _FROM.items():
        if column in indicators.value:
            figure = indicators.low[column]
            out[name] = np.where(figure.isna(), np.nan, (figure > 0).astype(float))
            unsure = (figure == 0) & (indicators.high[column] > 0)
            out.loc[unsure, name] = np.nan
    for end in ("", "_low", "_high"):
        frame = {"": indicators.value, "_low": indicators.low, "_high": indicators.high}[end]
        if "victims" in frame:
            out[f"victims{end}"] = frame["victims"]
    return out
