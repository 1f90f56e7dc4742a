"""How firm the ranks are: weights and figures are drawn anew many times, and the least change that swaps two tasks is worked out.

For saying what a quarrel about weights would change; not for choosing weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.priority import promethee
from geotools.analysis.priority.criteria import Criterion
from geotools.analysis.priority.ranking import Ranking, _scaled, ends, plain_rows, preference_of, utility
from geotools.model.doors import checked
from geotools.model.errors import StatisticsError
from geotools.model.progress import Progress, tracked

CHUNK = 2_000_000  # figures drawn at a time
REACH = 1e-9  # a weight must leave so much room to either end that it can be passed


@dataclass(frozen=True)
class Stability:
    """Ranks under doubt.

    ``table``: per task ``id rank p_top rank_low rank_median rank_high score_low score_high`` (ranks and scores hold nine tenths of the draws;
    ``p_top`` is the share of draws in which the task is among the first `top`). ``swaps``: per pair of neighbours in the list, the least change of
    one weight that makes them change places (see `swaps`). ``agreement``: mean share of the first `top` that stays among them.
    Of a list that is no ranking (`Ranking.unranked`) all of these are missing, and ``words`` says why.

    Examples
    --------
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank, stability
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7, error=0.0), Criterion("Roads", "roads", 0.3, error=0.0)))

    >>> found = stability(rank(figures, both), top=1, draws=200)
    >>> found.table[["id", "rank", "rank_low", "rank_high"]].values.tolist()
    [['A', 1, 1, 1], ['B', 2, 2, 2]]
    """

    top: int
    draws: int
    concentration: float
    table: pd.DataFrame
    swaps: pd.DataFrame
    agreement: float
    words: str
    sampled: np.ndarray = field(repr=False, default_factory=lambda: np.zeros((0, 0)))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "top": self.top,
            "draws": self.draws,
            "concentration": self.concentration,
            "agreement": self.agreement if np.isfinite(self.agreement) else None,
            "words": self.words,
            "tasks": plain_rows(self.table),
            "swaps": plain_rows(self.swaps),
        }


@checked(least={"top": 1, "draws": 10}, endless=("concentration",))
def stability(
    ranking: Ranking,
    *,
    top: int = 10,
    draws: int = 1000,
    concentration: float = 50.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Stability:
    """Draw weights and figures anew and look at the ranks.

    Weights are drawn from a Dirichlet distribution around the chosen ones: a weight w varies by ``sqrt(w(1 − w) / (concentration + 1))``,
    0.2 by ±0.056 at 50. A figure with an interval is drawn from a triangle over it, peak at the figure; any other varies by the relative
    error of its criterion. An unknown one is drawn from the figures of the other tasks, within its limits if it has any.

    Parameters
    ----------
    ranking
        As from `rank`.
    top
        How many first places to watch.
    draws, seed
        How many times; same seed, same result.
    concentration
        How firmly the weights are held; infinity keeps them.

    Raises
    ------
    StatisticsError
        If a number makes no sense.

    Examples
    --------
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7, error=0.0), Criterion("Roads", "roads", 0.3, error=0.0)))
    >>> found = stability(rank(figures, both), top=1, draws=200)
    >>> found.table["p_top"].round(1).tolist(), round(float(found.swaps["needed"].iloc[0]), 2)
    ([1.0, 0.0], 0.5)
    """
    count = len(ranking.table)
    if draws < 10 or top < 1 or not concentration > 0:
        raise StatisticsError("at least 10 draws, one first place and a concentration above 0")
    if ranking.unranked:
        return _without_order(ranking, (top, draws, concentration))
    rng = np.random.default_rng(seed)
    weights = _weights(ranking.criteria.weights, concentration, draws, rng)
    score = np.empty((draws, count), dtype=np.float32)
    ranks = np.empty((draws, count), dtype=np.int32)
    drawers = [_Drawer(ranking, k) for k in range(len(ranking.criteria.rows))]
    rows = max(1, CHUNK // max(1, count * len(drawers)))
    order = np.argsort(np.argsort(ranking.indicators.value.index.astype(str), kind="stable"), kind="stable")
    for low in tracked(range(0, draws, rows), "drawing ranks", progress):
        size = min(rows, draws - low)
        total = np.zeros((size, count))
        for k, drawer in enumerate(drawers):
            total += weights[low : low + size, k, None] * drawer.draw(rng, size)
        score[low : low + size] = total
        ranks[low : low + size] = _ranks(total, order)
    return _summary(ranking, ranks, score, (top, draws, concentration))


def _weights(weights: np.ndarray, concentration: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    out = np.zeros((draws, len(weights)))
    counted = weights > 0
    if not np.isfinite(concentration) or counted.sum() == 1:
        out[:] = weights
    else:
        out[:, counted] = rng.dirichlet(weights[counted] * concentration, size=draws)
    return out


class _Drawer:
    """Draws one criterion's part of the score for all tasks."""

    def __init__(self, ranking: Ranking, k: int) -> None:
        self.criterion: Criterion = ranking.criteria.rows[k]
        frames = (ranking.indicators.value, ranking.indicators.low, ranking.indicators.high)
        value, low, high = (f[self.criterion.indicator].to_numpy(dtype=float) for f in frames)
        self.method = ranking.method
        self.ends = ends(value, low, high, self.criterion)
        self.function = preference_of(value, self.criterion)
        known = np.isfinite(value)
        self.value, self.low, self.high = value, low, high
        self.spread = known & np.isfinite(low) & np.isfinite(high) & (high > low)
        self.noisy = known & ~self.spread
        self.blank = ~known
        self.pool = value[known]

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        x = np.broadcast_to(self.value, (size, len(self.value))).copy()
        if self.criterion.error > 0 and self.noisy.any():
            noise = rng.standard_normal((size, int(self.noisy.sum())))
            x[:, self.noisy] *= np.maximum(0.0, 1 + self.criterion.error * noise)
        if self.spread.any():
            a, b = self.low[self.spread], self.high[self.spread]
            x[:, self.spread] = rng.triangular(
                a, np.clip(self.value[self.spread], a, b), b, (size, int(self.spread.sum()))
            )
        if self.blank.any() and len(self.pool):
            drawn = rng.choice(self.pool, (size, int(self.blank.sum())))
            x[:, self.blank] = np.fmin(np.fmax(drawn, self.low[self.blank]), self.high[self.blank])
        if self.method == "sum":
            out = utility(x, *self.ends, self.criterion)
            lost = np.isnan(out)
            out[lost] = rng.random(int(lost.sum()))
            return out
        return np.array([np.subtract(*promethee.flows(_scaled(row, self.criterion), self.function)) for row in x])


def _ranks(total: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rank of each task in each row, 1 for the highest; equal scores in the order of ids."""
    by_id = np.argsort(order)
    sorted_ = by_id[np.argsort(-total[:, by_id], axis=1, kind="stable")]
    out = np.empty_like(sorted_)
    np.put_along_axis(out, sorted_, np.arange(1, total.shape[1] + 1)[None, :].repeat(len(total), axis=0), axis=1)
    return out


def _summary(ranking: Ranking, ranks: np.ndarray, score: np.ndarray, settings: tuple[int, int, float]) -> Stability:
    top, draws, concentration = settings
    names = ranking.indicators.value.index.astype(str)
    held = np.quantile(ranks, [0.05, 0.5, 0.95], axis=0, method="nearest")
    around = np.quantile(score, [0.05, 0.95], axis=0)
    found = pd.DataFrame(
        {
            "id": names, "p_top": (ranks <= top).mean(axis=0), "rank_low": held[0].astype(int), "rank_median": held[1].astype(int),
            "rank_high": held[2].astype(int), "score_low": around[0].astype(float), "score_high": around[1].astype(float),
        }
    )  # fmt: skip
    table = ranking.table[["id", "rank"]].merge(found, on="id", how="left", validate="one_to_one")
    first = set(ranking.table["id"].head(top))
    inside = np.isin(names.to_numpy(dtype=object), list(first))
    agreement = float((ranks[:, inside] <= top).sum(axis=1).mean() / max(1, len(first)))
    sure = int((table["p_top"].head(top) >= 0.9).sum())
    words = (
        f"{sure} of the first {len(first)} are there in at least nine tenths of {draws:,} draws of weights and figures; "
        f"on average {agreement:.0%} of the first {len(first)} stay among them"
    )
    words = words if len(table) > top else ""  # all of a list are always among its first
    return Stability(top, draws, concentration, table, swaps(ranking), agreement, words, ranks)


def _without_order(ranking: Ranking, settings: tuple[int, int, float]) -> Stability:
    table = ranking.table[["id", "rank"]].assign(
        p_top=np.nan, rank_low=ranking.table["rank"], rank_median=ranking.table["rank"], rank_high=ranking.table["rank"],
        score_low=ranking.table["score_low"], score_high=ranking.table["score_high"],
    )  # fmt: skip
    return Stability(*settings, table, swaps(ranking), np.nan, ranking.unranked)


@checked
def swaps(ranking: Ranking) -> pd.DataFrame:
    """For each pair of neighbours in the list, the least change of one weight that makes them change places.

    All other weights keep their proportions.

    Parameters
    ----------
    ranking
        As from `rank`.

    Returns
    -------
    DataFrame
        ``above below criterion weight needed change words``, one row per pair in the order of the list; ``needed`` is missing where no
        change of a single weight does it. No rows of a list that is no ranking.

    Examples
    --------
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7), Criterion("Roads", "roads", 0.3)))

    >>> swaps(rank(figures, both))[["above", "below", "criterion", "weight", "needed"]].round(6).values.tolist()
    [['A', 'B', 'People', 0.7, 0.5]]
    """
    if ranking.unranked:
        return _swap_table(ranking, [], [], [])
    index = {str(name): place for place, name in enumerate(ranking.indicators.value.index)}
    order = np.array([index[name] for name in ranking.table["id"]], dtype=int)
    parts = ranking.parts.to_numpy()[order]
    rows = _least_change(parts[:-1], parts[1:], ranking.criteria.weights)
    return _swap_table(ranking, list(ranking.table["id"][:-1]), list(ranking.table["id"][1:]), rows)


@checked
def swap(ranking: Ranking, above: str, below: str) -> pd.DataFrame:
    """For two tasks and every criterion: the weight at which they change places, the nearest change first.

    Parameters
    ----------
    ranking
        As from `rank`.
    above, below
        Ids of the two tasks.

    Returns
    -------
    DataFrame
        ``criterion weight needed change``; ``needed`` is missing where no weight from 0 to 1 does it, the others in proportion.

    Raises
    ------
    StatisticsError
        If a task is not in the list.

    Examples
    --------
    >>> from geotools.analysis.priority import Criteria, Criterion, Indicators, rank
    >>> figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 6.0]}, index=["A", "B"]))
    >>> both = Criteria((Criterion("People", "people", 0.7), Criterion("Roads", "roads", 0.3)))
    >>> swap(rank(figures, both), "A", "B")[["criterion", "weight", "needed"]].round(6).values.tolist()
    [['People', 0.7, 0.5], ['Roads', 0.3, 0.5]]
    """
    for name in (above, below):
        if name not in set(ranking.table["id"]):
            raise StatisticsError(f"'{name}' is not in the list")
    parts = ranking.parts.set_axis(ranking.parts.index.astype(str))
    needed = _needed(parts.loc[[above]].to_numpy(), parts.loc[[below]].to_numpy(), ranking.criteria.weights)[0]
    table = pd.DataFrame({"criterion": ranking.criteria.names, "weight": ranking.criteria.weights, "needed": needed})
    table["change"] = table["needed"] - table["weight"]
    return table.sort_values("change", key=lambda c: c.abs(), kind="stable", ignore_index=True)


def _needed(above: np.ndarray, below: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weight of each criterion at which a pair ties, the other weights in proportion; NaN where none between 0 and 1 does."""
    delta = above - below
    total = delta @ weights
    rest = np.maximum(1 - weights, 1e-300)
    others = (total[:, None] - delta * weights) / rest
    with np.errstate(divide="ignore", invalid="ignore"):
        out = others / (others - delta)
    inside = (out > REACH) & (out < 1 - REACH)  # at the ends they tie, and there is no weight beyond
    usable = np.isfinite(out) & (inside | (np.abs(out - weights) <= REACH)) & (weights < 1)
    result: np.ndarray = np.where(usable, np.clip(out, 0.0, 1.0) + 0.0, np.nan)  # never -0
    return result


def _least_change(above: np.ndarray, below: np.ndarray, weights: np.ndarray) -> list[tuple[int, float]]:
    needed = _needed(above, below, weights)
    change = np.where(np.isfinite(needed), np.abs(needed - weights), np.inf)
    at = change.argmin(axis=1) if len(change) else np.zeros(0, dtype=int)
    return [
        (int(k), float(needed[row, k])) if np.isfinite(change[row, k]) else (-1, np.nan) for row, k in enumerate(at)
    ]


def _swap_table(ranking: Ranking, above: list[str], below: list[str], rows: list[tuple[int, float]]) -> pd.DataFrame:
    weights, names = ranking.criteria.weights, ranking.criteria.names
    out = []
    for a, b, (k, needed) in zip(above, below, rows, strict=True):
        if k < 0:
            out.append((a, b, "", np.nan, np.nan, np.nan, f"no change of a single weight puts {b} before {a}"))
            continue
        words = f"{b} comes before {a} if {names[k]} weighs {'less' if needed < weights[k] else 'more'} than {needed:.3f} instead of {weights[k]:.3f}"
        out.append((a, b, names[k], float(weights[k]), needed, needed - float(weights[k]), words))
    return pd.DataFrame(out, columns=["above", "below", "criterion", "weight", "needed", "change", "words"])
