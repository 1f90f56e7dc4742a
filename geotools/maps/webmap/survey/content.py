"""What a map shows: layers bottom to top and notes for the reader; and which records may be shown at all.

For collecting; which records become which layers is in the files beside this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.maps.webmap import words
from geotools.maps.webmap.layers import VectorLayer
from geotools.model.publishing import publishable
from geotools.space import crs as _crs
from geotools.space import withheld as _withheld


@dataclass(frozen=True)
class Veil:
    """What a map withholds.

    Attributes
    ----------
    rows
        Kind → whether each of its records stays off the map, by index.
    closed
        Kind → their ids; none where they have no ids and cannot be told apart in a ledger.
    marked
        The part of `closed` that is marked so itself.
    ground
        Shapes of the withheld hazards in WGS 84.
    """

    rows: Mapping[str, pd.Series] = field(default_factory=dict)
    closed: Mapping[str, set[str]] = field(default_factory=dict)
    marked: Mapping[str, set[str]] = field(default_factory=dict)
    ground: tuple[Any, ...] = ()

    @property
    def nameless(self) -> bool:
        """Whether rows are withheld that cannot be told apart in a ledger."""
        return any(kind in self.closed and not self.closed[kind] for kind in ("hazards", "releases"))

    def hides(self, kind: str, record: str) -> bool:
        """Whether that record is withheld, or may be."""
        return kind in self.closed and (record in self.closed[kind] or not self.closed[kind])

    def open(self, frame: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
        """The records of a kind that may be shown, without links to the others."""
        if kind in self.rows:
            frame = frame[~self.rows[kind].reindex(frame.index, fill_value=True).to_numpy(dtype=bool)]
        return _withheld.unlinked(frame, self.closed) if self.closed else frame

    def result(self, frame: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
        """Rows of a layer of a coverage that come from no withheld record and do not lie on its ground."""
        if not self.closed or not len(frame):
            return frame
        if name == "remaining":  # what remains of another hazard is shown, wherever it lies
            hazards = self.closed.get("hazards", set())
            return _withheld.unlinked(frame[~frame["id"].astype(str).isin(hazards)], self.closed)
        gone = _withheld.revealing({name: frame}, self.closed, self.ground)[name]
        return _withheld.unlinked(frame[~gone], self.closed)


def veiled(frames: Mapping[str, gpd.GeoDataFrame], also: Iterable[Veil] = ()) -> Veil:
    """What is not to be published: records that are marked so, and what is linked to a withheld hazard or lies on it.

    Parameters
    ----------
    frames
        Kind → all its records, also of kinds that the map does not show, each with an index of its own rows.
    also
        What other maps beside this one withhold.
    """
    rows = {kind: ~publishable(frame, kind) for kind, frame in frames.items()}
    marked = {kind: _ids(frames[kind], found) for kind, found in rows.items() if found.any()}
    ground = _shapes(frames.get("hazards"), rows.get("hazards"))
    for other in also:
        ground += other.ground
        for kind, ids in other.closed.items():
            marked[kind] = ids | marked.get(kind, ids)
    if not marked:
        return Veil()
    for kind, found in _withheld.revealing(frames, marked, ground).items():
        rows[kind] = rows[kind] | found
    if "hazards" in frames and "id" in frames["hazards"]:
        rows["hazards"] |= frames["hazards"]["id"].astype(str).isin(marked.get("hazards", set())).to_numpy(dtype=bool)
    closed = {kind: _ids(frames[kind], found) | marked.get(kind, set()) for kind, found in rows.items() if found.any()}
    series = {kind: pd.Series(found, index=frames[kind].index) for kind, found in rows.items() if found.any()}
    return Veil(series, {**marked, **closed}, marked, ground)


def _ids(frame: gpd.GeoDataFrame, rows: np.ndarray) -> set[str]:
    return set(frame["id"].astype(str)[rows]) if "id" in frame else set()


def _shapes(hazards: gpd.GeoDataFrame | None, rows: np.ndarray | None) -> tuple[Any, ...]:
    if hazards is None or rows is None or not rows.any() or hazards.crs is None:
        return ()
    return tuple(s for s in _crs.to_wgs84(hazards[rows]).geometry.array if s is not None and not s.is_empty)


@dataclass
class Content:
    """Layers bottom to top, notes for the reader, and what was withheld: how many rows, and which."""

    layers: list[VectorLayer] = field(default_factory=list)
    notes: list[words.Label] = field(default_factory=list)
    withheld: int = 0
    restricted: bool = False
    veil: Veil = field(default_factory=Veil)

    def add(self, layer: VectorLayer) -> None:
        """Add a layer that has any record."""
        if layer.features:
            self.layers.append(layer)

    def open(self, frame: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
        """The records of a kind that may be shown; the others are counted."""
        kept = self.veil.open(frame, kind)
        self.withheld += len(frame) - len(kept)
        return kept
