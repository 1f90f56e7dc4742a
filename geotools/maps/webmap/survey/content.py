"""What a map shows: layers bottom to top and notes for the reader; and which records may be shown at all.

For collecting; which records become which layers is in the files beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd

from geotools.maps.webmap import words
from geotools.maps.webmap.layers import VectorLayer
from geotools.model import publishing


@dataclass
class Content:
    """Layers bottom to top, notes for the reader, and what was withheld: how many rows, and kind → ids."""

    layers: list[VectorLayer] = field(default_factory=list)
    notes: list[words.Label] = field(default_factory=list)
    withheld: int = 0
    restricted: bool = False
    closed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, layer: VectorLayer) -> None:
        """Add a layer that has any record."""
        if layer.features:
            self.layers.append(layer)

    def open_rows(self, frame: gpd.GeoDataFrame, kind: str) -> gpd.GeoDataFrame:
        """Rows of a result that do not come from a withheld record of that kind."""
        closed = self.closed.get(kind)
        return frame if not closed else frame[~frame["id"].astype(str).isin(closed)]


def publishable(frame: gpd.GeoDataFrame, kind: str, out: Content, *, sensitive: bool) -> gpd.GeoDataFrame:
    """Without rows whose location is marked as not to be published, unless the caller asked for them."""
    closed = ~publishing.publishable(frame, kind)
    if sensitive:
        out.restricted |= bool(closed.any())
        return frame
    out.withheld += int(closed.sum())
    if closed.any():
        out.closed[kind] = set(frame["id"].astype(str)[closed]) if "id" in frame else set()
    return frame[~closed]
