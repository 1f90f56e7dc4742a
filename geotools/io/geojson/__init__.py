"""GeoJSON and GeoJSON text sequences: read leniently with every oddity named, written as RFC 7946.

Read here rather than through GDAL, which passes over features it does not understand. Not for TopoJSON or Esri JSON.
"""

from geotools.io.geojson.parse import read, read_sequence
from geotools.io.geojson.rounding import to_lonlat, to_rfc7946, with_heights
from geotools.io.geojson.write import features_text, json_value, write, write_sequence

__all__ = [
    "features_text",
    "json_value",
    "read",
    "read_sequence",
    "to_lonlat",
    "to_rfc7946",
    "with_heights",
    "write",
    "write_sequence",
]
