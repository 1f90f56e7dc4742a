"""What is modelled, and the blocks of ground that are left out together: spatial cross-validation and no other.

A random split would let a place be predicted from its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from geotools.analysis.risk_surface.models import LOGISTIC, MODELS
from geotools.analysis.risk_surface.places import plane_of
from geotools.model import arguments
from geotools.model.errors import SchemaError, StatisticsError


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
    models
        Judged beside the baseline: ``logistic``, ``boosted trees`` (needs the extra ``learning``).

    Raises
    ------
    StatisticsError
        If a name is no text, a model is not known, or a figure is out of its range.

    Examples
    --------
    >>> Setup("eo", "event_m", features=("slope_deg", "event_m")).columns
    ('event_m', 'slope_deg')
    """

    label: str
    distance: str
    features: tuple[str, ...] = ()
    block_m: float = 2000.0
    folds: int = 5
    gap_m: float = 0.0
    penalty: float = 1.0
    seed: int = 0
    models: tuple[str, ...] = (LOGISTIC,)

    def __post_init__(self) -> None:
        for name, value in (("label", self.label), ("distance", self.distance)):
            if not isinstance(value, str) or not value:
                raise StatisticsError(
                    f"{name} is the name of a column", hint="for example label='eo', distance='event_m'"
                )
        for name, several in (("features", self.features), ("models", self.models)):
            for entry in arguments.sequence(several, name):
                if not isinstance(entry, str):
                    raise StatisticsError(f"{name} are names, each a text", hint="for example features=('slope_deg',)")
        arguments.positive(self.block_m, "block_m")
        arguments.whole(self.folds, "folds", least=2)
        arguments.number(self.gap_m, "gap_m", least=0)
        arguments.positive(self.penalty, "penalty")
        arguments.whole(self.seed, "seed")
        for name in self.models:
            arguments.one_of(name, "model", MODELS)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the models beyond the baseline."""
        return tuple(dict.fromkeys((self.distance, *self.features)))


def folds(places: gpd.GeoDataFrame, label: np.ndarray, setup: Setup) -> tuple[np.ndarray, np.ndarray]:
    """Fold of every place, and its position in metres: whole blocks go together, known ordnance is shared out evenly."""
    _, spots = plane_of(places)
    there = ~(shapely.is_missing(spots) | shapely.is_empty(spots))
    xy = shapely.get_coordinates(spots)
    if not there.all() or len(xy) != len(places):
        raise SchemaError("some places have no geometry", hint="drop them first, and say so")
    cell = np.floor(xy / setup.block_m).astype(int)
    _, block = np.unique(cell, axis=0, return_inverse=True)
    block = block.ravel()
    positives = np.bincount(block, weights=label)
    load = np.zeros((setup.folds, 2))
    fold_of = np.zeros(len(positives), dtype=int)
    rng = np.random.default_rng(setup.seed)
    for b in sorted(rng.permutation(len(positives)), key=lambda b: -positives[b]):
        # blocks without known ordnance even out the sizes: all in one fold they would turn the pooled ranking upside down
        first, second = (load[:, 0], load[:, 1]) if positives[b] else (load[:, 1], load[:, 0])
        lightest = int(np.lexsort((second, first))[0])
        fold_of[b] = lightest
        load[lightest] += positives[b], (block == b).sum()
    fold = fold_of[block]
    if sum(bool(label[fold == f].any()) for f in range(setup.folds)) < 2 or label.all():
        raise StatisticsError(
            "known ordnance lies in too few blocks to judge a model", hint="smaller blocks, or more ground"
        )
    return fold, xy
