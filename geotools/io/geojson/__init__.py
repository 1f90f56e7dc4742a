"""GeoJSON and GeoJSON text sequences: read leniently with every oddity named, written as RFC 7946.

Read here rather than through GDAL, which passes over features it does not understand. Esri JSON (`esri`) and TopoJSON
(`topology`) come under the same endings, so they are read here too; they are not written.
"""

from geotools.io.geojson.parse import layers, read, read_sequence
from geotools.io.geojson.rounding import to_lonlat, to_rfc7946, with_heights
from geotools.io.geojson.write import features_text, json_value, write, write_sequence

__all__ = [
    "features_text",
    "json_value",
    "layers",
    "read",
    "read_sequence",
    "to_lonlat",
    "to_rfc7946",
    "with_heights",
    "write",
    "write_sequence",
]
