"""GPX 1.0 and 1.1: waypoints, routes, tracks and track points, with every child element kept; written for hand-helds.

Read in one pass over the file. GPX has no areas: a boundary is written as a closed track and stays a line when read.
"""

from geotools.io.gpx.document import Document
from geotools.io.gpx.layers import layers, read
from geotools.io.gpx.write import write

__all__ = ["Document", "layers", "read", "write"]
