"""Offline interactive maps: folium in front, our own layers and page behind, one HTML file that asks for nothing.

The door of this room: `map_survey` (as `geotools.map`), `save`, and the layer elements. Static sheets are in `maps.sheet`.
"""

from geotools.maps.webmap import payload, words
from geotools.maps.webmap.changes import compare
from geotools.maps.webmap.layers import AreaLayer, ClassRow, LayerSpec, PointLayer, RasterLayer, TrackLayer
from geotools.maps.webmap.offline import render, save
from geotools.maps.webmap.page import MapOptions, OfflineMap, map_survey

__all__ = [
    "AreaLayer",
    "ClassRow",
    "LayerSpec",
    "MapOptions",
    "OfflineMap",
    "PointLayer",
    "RasterLayer",
    "TrackLayer",
    "compare",
    "map_survey",
    "payload",
    "render",
    "save",
    "words",
]
