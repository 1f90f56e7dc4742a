"""Suitability: which ground a machine, dog or team can work, which not, which under conditions, and where that is unknown.

For planning; limits are rows of data with their source. "Workable" says a tool can go there, never that land is safe.
"""

from geotools.analysis.suitability.assess import assess
from geotools.analysis.suitability.layers import Flat, Layers
from geotools.analysis.suitability.limits import CLASSES, CRITERIA, Settings
from geotools.analysis.suitability.machines import Figure, Machine, machine, machines
from geotools.analysis.suitability.result import Suitability
from geotools.analysis.suitability.zones import fractions

__all__ = [
    "CLASSES",
    "CRITERIA",
    "Figure",
    "Flat",
    "Layers",
    "Machine",
    "Settings",
    "Suitability",
    "assess",
    "fractions",
    "machine",
    "machines",
]
