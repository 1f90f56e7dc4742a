"""Traverses: bearings and distances to points and a polygon, how well they close, how sure each point is; and back again.

For legs in memory; files are read in `io` and written by the command line.
"""

from geotools.model.errors import TraverseError
from geotools.space.traverse.fit import HelmertFit, fit_points
from geotools.space.traverse.inverse import inverse, template
from geotools.space.traverse.legs import Leg, read_legs
from geotools.space.traverse.many import Figures, solve_all
from geotools.space.traverse.settings import Start, TraverseOptions
from geotools.space.traverse.solving import Misclosure, Traverse, solve

__all__ = [
    "Figures",
    "HelmertFit",
    "Leg",
    "Misclosure",
    "Start",
    "Traverse",
    "TraverseError",
    "TraverseOptions",
    "fit_points",
    "inverse",
    "read_legs",
    "solve",
    "solve_all",
    "template",
]
