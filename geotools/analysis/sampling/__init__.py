"""Post-clearance sampling: how much to inspect, where, and what the result shows.

For quality inspection of cleared lots; small samples detect a failed process, not the last item.
"""

from geotools.analysis.sampling.lots import LotDecision, judge
from geotools.analysis.sampling.plans import SamplePlan, plan, strata_near
from geotools.analysis.sampling.sizes import (
    LEVEL_II,
    AcceptZero,
    Iso2859,
    Rule,
    Share,
    accept_zero_n,
    in_words,
    miss_probability,
    operating_curve,
    p_accept,
    worst_miss,
)

__all__ = [
    "LEVEL_II",
    "AcceptZero",
    "Iso2859",
    "LotDecision",
    "Rule",
    "SamplePlan",
    "Share",
    "accept_zero_n",
    "in_words",
    "judge",
    "miss_probability",
    "operating_curve",
    "p_accept",
    "plan",
    "strata_near",
    "worst_miss",
]
