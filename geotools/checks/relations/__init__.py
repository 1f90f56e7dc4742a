"""Rules about two records at a time: overlap, gaps, duplicates, links on the ground. Not for dates (see `workflow`)."""

from geotools.checks.relations.datums import RULES as DATUMS
from geotools.checks.relations.ground import RULES as GROUND
from geotools.checks.relations.neighbours import RULES as NEIGHBOURS

RULES = (*NEIGHBOURS, *GROUND, *DATUMS)
