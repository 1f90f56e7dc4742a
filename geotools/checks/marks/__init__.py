"""Rules about survey marks and traverse legs: GC-04…11 on points, SV-01…07. Not for the polygons made of them."""

from geotools.checks.marks.legs import RULES as LEGS
from geotools.checks.marks.points import RULES as POINTS

RULES = (*POINTS, *LEGS)
