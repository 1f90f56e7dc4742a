"""What an export needs of a survey and of a coverage, so that this floor imports neither.

For typing and for reaching a layer; not for data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import geopandas as gpd
import pandas as pd

from geotools.space import crs as _crs


class SurveyLike(Protocol):
    """What is needed of a survey (see `geotools.Survey`)."""

    @property
    def name(self) -> str:
        """As printed."""

    @property
    def layers(self) -> Mapping[str, gpd.GeoDataFrame]:
        """Record kind → frame."""

    @property
    def inputs(self) -> tuple[Any, ...]:
        """Files it was read from."""


class CoverageLike(Protocol):
    """What is needed of a coverage (see `geotools.coverage`)."""

    @property
    def table(self) -> pd.DataFrame:
        """One row per hazard."""

    @property
    def as_of(self) -> Any:
        """The day, or None."""

    @property
    def remaining(self) -> gpd.GeoDataFrame:
        """Ground not released."""

    @property
    def released(self) -> gpd.GeoDataFrame:
        """Released ground."""

    @property
    def processed(self) -> gpd.GeoDataFrame:
        """Machine-processed ground."""

    @property
    def outside(self) -> gpd.GeoDataFrame:
        """Released outside hazards."""

    @property
    def overlaps(self) -> gpd.GeoDataFrame:
        """Claimed twice."""

    @property
    def issues(self) -> gpd.GeoDataFrame:
        """Findings of the ledger."""


def layer_of(survey: SurveyLike, kind: str) -> gpd.GeoDataFrame:
    """The layer of a kind, or an empty frame."""
    frame = survey.layers.get(kind)
    return (
        gpd.GeoDataFrame({"id": pd.Series(dtype=object)}, geometry=gpd.GeoSeries([], crs=_crs.WGS84))
        if frame is None
        else frame
    )
