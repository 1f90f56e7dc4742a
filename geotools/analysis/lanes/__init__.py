"""Lanes: where to drive, walk or lead a dog so that a task is covered, and what of that plan has been done.

For planning work to come and comparing it with work done; a planned lane says nothing about the state of the land.
"""

from geotools.analysis.lanes.compare import Comparison, compare
from geotools.analysis.lanes.heading import bearing, crossings
from geotools.analysis.lanes.judged import shut
from geotools.analysis.lanes.measures import coverage, overlap, route_length_m
from geotools.analysis.lanes.planning import plan
from geotools.analysis.lanes.result import Plan
from geotools.analysis.lanes.sequence import order
from geotools.analysis.lanes.tool import Settings, Tool, hours, passes, turn_m

__all__ = [
    "Comparison",
    "Plan",
    "Settings",
    "Tool",
    "bearing",
    "compare",
    "coverage",
    "crossings",
    "hours",
    "order",
    "overlap",
    "passes",
    "plan",
    "route_length_m",
    "shut",
    "turn_m",
]
