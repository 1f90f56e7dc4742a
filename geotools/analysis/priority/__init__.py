"""Priority: which land first, by criteria that are stated, with what is not known, how firm the ranks are, and each score in words.

For lists that a named person decides on; it never closes or cancels land.
"""

from geotools.analysis.priority.ahp import CR_MOST, RANDOM_INDEX, Ahp, ahp
from geotools.analysis.priority.charts import contributions, rank_intervals
from geotools.analysis.priority.criteria import Criteria, Criterion, criteria, example_text, presets
from geotools.analysis.priority.indicators import Indicators, Near, indicators
from geotools.analysis.priority.lis import answers_from, lis
from geotools.analysis.priority.people import People, people_within
from geotools.analysis.priority.promethee import Preference, flows
from geotools.analysis.priority.ranking import METHODS, Ranking, rank
from geotools.analysis.priority.stability import Stability, stability, swap, swaps

__all__ = [
    "CR_MOST",
    "METHODS",
    "RANDOM_INDEX",
    "Ahp",
    "Criteria",
    "Criterion",
    "Indicators",
    "Near",
    "People",
    "Preference",
    "Ranking",
    "Stability",
    "ahp",
    "answers_from",
    "contributions",
    "criteria",
    "example_text",
    "flows",
    "indicators",
    "lis",
    "people_within",
    "presets",
    "rank",
    "rank_intervals",
    "stability",
    "swap",
    "swaps",
]
