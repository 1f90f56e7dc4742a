"""The residual-risk ledger: what the searches of a task may have left, where, why, and how sure.

A statement of what may remain, for a named person's decision. It releases nothing and lowers no status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from geotools.analysis.residual.formulas import miss, updated
from geotools.model import arguments
from geotools.model.errors import StatisticsError
from geotools.model.parallel import map_ordered
from geotools.space.grid import Raster

DRAWS = 400
WORTH = 200_000  # groups × searches × draws that one worker is handed; tasks of one or two methods stay below it
MOST_PASSES = 200
MOST_TARGETS = 10**9
STARTS = 64  # lower ends tried for the shortest interval


@dataclass(frozen=True)
class Search:
    """One way in which the task was searched: a method with a class of operators.

    Parameters
    ----------
    passes
        Raster of the number of passes over each cell (whole passes only).
    found, targets
        Hits and targets in the blind lanes of this method and operator class, under conditions like the task's.
            The detection probability and its uncertainty come from these counts: 30 of 30 is not taken as certainty.
    sd
        Spread of detection between items and operators (`trial.shrink(...).sd`); 0 takes all passes as independent.
    reach
        Share of items that lie within the depth this search reaches; the others cannot be found by it.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid.around((0, 0, 2, 1), 1.0, "EPSG:32638")
    >>> round(Search("manual", Raster(np.array([[1, 2]]), grid), found=30, targets=30).pod, 3)
    0.984
    """

    name: str
    passes: Raster
    found: int
    targets: int
    sd: float = 0.0
    reach: float = 1.0

    def __post_init__(self) -> None:
        arguments.instance(self.passes, "the passes", Raster, hint="a Raster of whole numbers, see residual.passes")
        arguments.whole(self.found, "found")
        arguments.whole(self.targets, "targets", most=MOST_TARGETS)
        arguments.number(self.sd, "the spread", least=0)
        arguments.number(self.reach, "reach", above=0, most=1)
        if self.found > self.targets or self.targets < 1:
            raise StatisticsError(
                f"search '{self.name}' needs lane counts with 0 ≤ found ≤ targets",
                hint="a detection figure without its counts is not used",
            )
        values = self.passes.values
        if not np.issubdtype(values.dtype, np.integer) or (
            values.size and (values.min() < 0 or values.max() > MOST_PASSES)
        ):
            raise StatisticsError(f"search '{self.name}': passes are whole numbers from 0 to {MOST_PASSES}")

    @property
    def pod(self) -> float:
        """Mean detection probability given the counts (Jeffreys): (k + ½)/(n + 1)."""
        return (self.found + 0.5) / (self.targets + 1)


@dataclass(frozen=True)
class Ledger:
    """What may remain.

    Parameters
    ----------
    expected
        Expected items left per cell; the cells add up to `left`.
    probability
        Probability per cell that an item is there although nothing was found, π·q/(1−π+π·q).
    left, low, high
        Expected items left in the task, and the interval for their number: the shortest run of whole numbers that holds it with at
        least `confidence`.
    held
        Probability of that interval. Whole numbers cannot hold exactly 90 %: about 93 % with 3 items left, 91 % with 15.
    at_most
        One-sided limit: the number is greater with a probability of (1 − `confidence`)/2 at most. The checklist uses this one.
    left_independent
        The same if all passes were independent: never more than `left`, shown beside it.
    none
        Probability that none is left.
    effective_pod
        Share of the expected items that the searches together find.
    drivers
        One row per combination of passes: `group, area_m2, expected_left, too_deep, missed, share`, greatest first.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid.around((0, 0, 10, 10), 1.0, "EPSG:32638")
    >>> lanes = Search("manual", Raster(np.ones((10, 10), int), grid), found=27, targets=30)

    >>> account = ledger(Raster(np.full((10, 10), 0.02), grid), [lanes], found=2)
    >>> round(account.left, 2), (account.low, account.high), account.searched_share
    (0.42, (0, 1), 1.0)
    """

    expected: Raster
    probability: Raster
    left: float
    low: int
    high: int
    held: float
    at_most: int
    left_independent: float
    none: float
    effective_pod: float
    found: int | None
    confidence: float
    drivers: pd.DataFrame
    _state: _State = field(repr=False, compare=False)

    @property
    def searched_share(self) -> float:
        """Share of the task's area with at least one pass."""
        area = self.drivers["area_m2"]
        return float(1 - area[self.drivers["group"] == NOT_SEARCHED].sum() / area.sum())

    def to_dict(self) -> dict[str, Any]:
        """Figures and drivers as plain data."""
        return {
            "expected_left": self.left, "interval": [self.low, self.high], "interval_probability": self.held, "confidence": self.confidence,
            "at_most": self.at_most, "at_most_probability": (1 + self.confidence) / 2,
            "expected_left_if_passes_were_independent": self.left_independent, "probability_none_left": self.none,
            "effective_pod": self.effective_pod, "found": self.found, "searched_share": self.searched_share,
            "main_driver": str(self.drivers["group"].iloc[0]), "drivers": self.drivers.to_dict("records"),
            "searches": [{"name": s.name, "found": s.found, "targets": s.targets, "sd": s.sd, "reach": s.reach} for s in self._state.searches],
            "note": "An estimate under the stated assumptions. It releases no land; a named person decides on the whole evidence.",
        }  # fmt: skip


NOT_SEARCHED = "not searched"


@dataclass(frozen=True)
class _State:
    """Cells grouped by how often each search passed over them."""

    searches: tuple[Search, ...]
    counts: np.ndarray  # groups × searches
    weight: np.ndarray  # share of the expected items in each group
    area: np.ndarray  # m² of each group
    scale: float  # expected items in the task, given the finds

    @property
    def looks(self) -> _Looks:
        """What is needed to tell what is missed."""
        return _Looks(self.counts, tuple(s.sd for s in self.searches), tuple(s.reach for s in self.searches))

    def missed(self, pods: Sequence[float] | np.ndarray, *, independent: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """See `_Looks.missed`."""
        return self.looks.missed(pods, independent=independent)


@dataclass(frozen=True)
class _Looks:
    """How often each search passed over each group of cells, and the spread and reach of each search."""

    counts: np.ndarray  # groups × searches
    spreads: tuple[float, ...]
    reaches: tuple[float, ...]

    def missed(self, pods: Sequence[float] | np.ndarray, *, independent: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Per group: probability that an item is left, and the part of it that no search could reach."""
        looks = [
            miss(p, self.counts[:, n], sd=0.0 if independent else _spread(sd, p))
            for n, (sd, p) in enumerate(zip(self.spreads, pods, strict=True))
        ]
        reaches = np.array(self.reaches)
        edges = np.r_[0.0, np.unique(reaches)]
        left = np.zeros(len(self.counts))
        for low, high in pairwise(edges):  # items by depth: each search reaches the shallower ones
            band = np.ones(len(self.counts))
            for reach, look in zip(reaches, looks, strict=True):
                band = band * look if reach >= high else band
            left += (high - low) * band
        used = np.where(self.counts > 0, reaches, 0.0).max(axis=1, initial=0.0)
        deepest = 1 - used
        return left + (1 - edges[-1]), np.where(used > 0, deepest, 0.0)


@dataclass(frozen=True)
class _Drawn:
    """Some drawn detection probabilities (draws × searches) for one worker, who needs no random numbers."""

    looks: _Looks
    pods: np.ndarray
    independent: bool


def _missed(drawn: _Drawn) -> np.ndarray:
    """Per draw what `_Looks.missed` tells: shape (draws, 2, groups)."""
    return np.array([drawn.looks.missed(pods, independent=drawn.independent) for pods in drawn.pods])


def _spread(sd: float, pod: float) -> float:
    return min(sd, 0.95 * float(np.sqrt(max(pod * (1 - pod), 0.0))))


def ledger(
    prior: Raster,
    searches: Sequence[Search],
    *,
    found: int | None = None,
    items_sd: float | None = None,
    confidence: float = 0.90,
    seed: int = 0,
) -> Ledger:
    """Account for what the searches may have left in a task.

    The number of items is Poisson with an uncertain mean: a Gamma prior with the mean Λ₀ = Σ prior and standard deviation `items_sd`; if that is
    not given but `found` is, every mean is equally likely, which gives E[left] = (k+1)(1−p)/p. The finds k update it. The predictive
    distribution (negative binomial) is averaged over the detection probabilities that the lane counts allow (Jeffreys).

    The interval is the shortest run of whole numbers with at least `confidence` of that distribution. Equal tails would hold up to an
    atom more at either end (93.5 instead of 90 % at 15 items left), mid-P tails less than they say at small counts (85 %); nothing is
    randomised. Its own probability is given as `held`, and `at_most` keeps the cautious one-sided limit.

    Parameters
    ----------
    prior
        Expected items per cell before any search (see `prior`), ≥ 0.
    searches
        All searches, on the grid of the prior. Different searches are taken as independent looks, passes of one search as correlated by its `sd`;
        searches with one sensor and one kind of error belong into one `Search`.
    found
        Items these searches found in the task; None: not used.
    items_sd
        Standard deviation of the expected number of items.

    Raises
    ------
    StatisticsError
        If the prior is empty or negative, a search lies on another grid, or neither finds nor searches say anything.

    Examples
    --------
    >>> from geotools.space.grid import Grid
    >>> grid = Grid.around((0, 0, 10, 10), 1.0, "EPSG:32638")
    >>> lanes = Search("manual", Raster(np.ones((10, 10), int), grid), found=9000, targets=10000)
    >>> result = ledger(Raster(np.full((10, 10), 0.1), grid), [lanes], found=20)
    >>> round(result.left, 2), round(result.none, 2)
    (2.34, 0.11)
    """
    arguments.instance(prior, "the prior", Raster, hint="a Raster of expected items, see residual.prior")
    for search in arguments.sequence(searches, "searches"):
        arguments.instance(search, "a search", Search, hint="residual.Search(name, passes, found, targets)")
    confidence = arguments.number(confidence, "confidence", above=0, below=1)
    found = None if found is None else arguments.whole(found, "found", most=MOST_TARGETS)
    items_sd = None if items_sd is None else arguments.number(items_sd, "items_sd", least=0, most=1e9)
    seed = arguments.whole(seed, "seed")
    state, group = _grouped(prior, searches)
    outlook = _outlook(state, (items_sd, found), seed)
    alone = _outlook(state, (items_sd, found), seed, independent=True)
    per_group = outlook.left * state.weight  # expected items left, by group
    left, none = float(per_group.sum()), float(outlook.below(0))
    cells = prior.values / state.scale  # share of the expected items
    weight = np.where(state.weight > 0, state.weight, 1.0)
    expected = cells * (per_group / weight)[group].reshape(cells.shape)
    chance = updated(-np.expm1(-cells * outlook.items), outlook.missed[group].reshape(cells.shape))
    low, high = _shortest(outlook.below, confidence)
    now = _State(state.searches, state.counts, state.weight, state.area, outlook.items)
    return Ledger(
        Raster(expected, prior.grid, name="expected_left"), Raster(np.where(cells > 0, chance, 0.0), prior.grid, name="probability_left"),
        left, low, high, float(outlook.below(high) - outlook.below(low - 1)), int(_quantile(outlook.below, (1 + confidence) / 2)), min(left, float((alone.left * state.weight).sum())), none,
        1 - float((state.weight * outlook.missed).sum()), found, confidence, _drivers(state, per_group, outlook), now,
    )  # fmt: skip


def _grouped(prior: Raster, searches: Sequence[Search]) -> tuple[_State, np.ndarray]:
    values = prior.values
    if values.dtype.kind not in "fiub" or not np.isfinite(values).all() or (values < 0).any() or not values.sum() > 0:
        raise StatisticsError("the prior must be finite, not negative, and above 0 somewhere")
    key = np.zeros(values.size, dtype=np.int64)
    sizes = []
    for search in searches:
        if search.passes.grid != prior.grid:
            raise StatisticsError(f"search '{search.name}' lies on another grid than the prior")
        sizes.append(int(search.passes.values.max()) + 1)
        key = key * sizes[-1] + search.passes.values.ravel()
    weight = np.bincount(key, weights=values.ravel()) if key.max() < 1 << 24 else None
    if weight is None:
        raise StatisticsError("too many combinations of passes", hint="join searches of one method")
    area = np.bincount(key[values.ravel() > 0], minlength=len(weight)) * prior.grid.cell**2
    present = np.flatnonzero(np.bincount(key))
    index = np.zeros(len(weight), dtype=np.int64)
    index[present] = np.arange(len(present))
    counts = np.zeros((len(present), len(searches)), dtype=np.int64)
    rest = present.copy()
    for n in range(len(searches) - 1, -1, -1):
        counts[:, n], rest = rest % sizes[n], rest // sizes[n]
    total = float(values.sum())
    return _State(tuple(searches), counts, weight[present] / total, area[present], total), index[key]


@dataclass(frozen=True)
class _Outlook:
    """Predictive distribution of the number left, averaged over the detection that the lane counts allow.

    `left` per group: items in the task × probability of being missed; `missed` and `deep` the probabilities alone.
    """

    items: float
    left: np.ndarray
    missed: np.ndarray
    deep: np.ndarray
    below: Callable[[Any], Any]


def _outlook(
    state: _State, known: tuple[float | None, int | None], seed: int, *, independent: bool = False
) -> _Outlook:
    from scipy.stats import nbinom, poisson

    items_sd, found = known
    rng = np.random.default_rng(seed)
    draws = [rng.beta(s.found + 0.5, s.targets - s.found + 0.5, DRAWS) for s in state.searches]
    each = np.array(draws).T if draws else np.zeros((1, 0))
    some = max(1, WORTH // max(1, state.counts.size))  # draws that are worth handing out
    given = (_Drawn(state.looks, each[at : at + some], independent) for at in range(0, len(each), some))
    q, deepest = np.concatenate(map_ordered(_missed, given)).transpose(1, 0, 2)
    left = q @ state.weight
    gone = 1 - left
    shape, rate = _gamma(state.scale, items_sd, found, float(gone.max()))
    if np.isinf(shape):
        weight, items = np.full(len(q), 1 / len(q)), np.full(len(q), state.scale)
        law = poisson(state.scale * left)
    else:
        size = shape + (found or 0)
        bottom = rate + (np.maximum(gone, 1e-12) if found is not None else np.zeros(len(q)))
        log = np.zeros(len(q)) if found is None else found * np.log(np.maximum(gone, 1e-12)) - size * np.log(bottom)
        weight = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
        items = size / bottom
        law = nbinom(size, bottom / (bottom + left))

    def below(x: Any) -> Any:
        return np.minimum(law.cdf(np.asarray(x, dtype=float)[..., None]) @ weight, 1.0)

    return _Outlook(
        float(weight @ items),
        (weight * items) @ q,
        weight @ q,
        weight @ deepest * float(weight @ items),
        below,
    )


def _gamma(scale: float, items_sd: float | None, found: int | None, gone: float) -> tuple[float, float]:
    """Shape and rate of the Gamma prior on the mean number of items; (1, 0) is flat, an infinite shape is a fixed number."""
    if items_sd is None:
        return (1.0, 0.0) if found is not None and gone > 0 else (np.inf, np.inf)
    return (np.inf, np.inf) if items_sd == 0 else ((scale / items_sd) ** 2, scale / items_sd**2)


def _quantile(below: Callable[[Any], Any], q: Any) -> np.ndarray:
    """Smallest whole numbers below or at which lies at least q."""
    wanted = np.minimum(np.asarray(q, dtype=float), 1 - 1e-9)
    top = 1
    while below(top) < wanted.max() and top < 1 << 40:
        top *= 2
    low, high = np.full(wanted.shape, -1), np.full(wanted.shape, top)
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = below(middle) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _shortest(below: Callable[[Any], Any], confidence: float) -> tuple[int, int]:
    """The shortest run of whole numbers with at least `confidence`; of equally short ones the likeliest, then the higher."""
    last = int(_quantile(below, 1 - confidence))
    low = np.arange(0, last + 1, max(1, last // STARTS))
    before = np.where(low > 0, below(low - 1), 0.0)
    low, before = low[before + confidence <= 1 - 1e-9], before[before + confidence <= 1 - 1e-9]
    if not len(low):
        return 0, int(_quantile(below, confidence))
    high = _quantile(below, before + confidence)
    best = np.lexsort((-low, before - below(high), high - low))[0]
    return int(low[best]), int(high[best])


def _drivers(state: _State, left: np.ndarray, outlook: _Outlook) -> pd.DataFrame:
    deep = np.minimum(state.weight * outlook.deep, left)
    total = left.sum()
    rows = pd.DataFrame({
        "group": [group_name(state.searches, counts) for counts in state.counts], "area_m2": state.area, "expected_left": left,
        "too_deep": deep, "missed": left - deep, "share": left / total if total > 0 else 0.0,
    })  # fmt: skip
    rows = rows[rows["area_m2"] > 0]
    return rows.sort_values(["expected_left", "group"], ascending=[False, True]).reset_index(drop=True)


def group_name(searches: Sequence[Search], counts: np.ndarray) -> str:
    """The kind of ground with these passes, in words."""
    parts = [f"{s.name} × {n}" for s, n in zip(searches, counts, strict=True) if n]
    return ", ".join(parts) if parts else NOT_SEARCHED
