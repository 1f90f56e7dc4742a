"""Terrain: slope, aspect, ruggedness, curvature and drainage lines of a height model.

For describing ground; which machine can work on it is decided elsewhere, against the limits of that machine.
"""

from geotools.analysis.terrain.files import CLASSES_DEG, PRODUCTS, Derived, Settings, derive
from geotools.analysis.terrain.gradients import Gradients, gradients
from geotools.analysis.terrain.products import aspect, curvature, drainage, slope, tri

__all__ = [
    "CLASSES_DEG",
    "PRODUCTS",
    "Derived",
    "Gradients",
    "Settings",
    "aspect",
    "curvature",
    "derive",
    "drainage",
    "gradients",
    "slope",
    "tri",
]
