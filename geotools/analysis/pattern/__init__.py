"""Patterns of finds: rows and gaps, records against finds, and fade-out. For planning clearance only.

Nothing here releases ground: a gap is searched first, and ground outside a pattern keeps its status.
"""

from geotools.analysis.pattern.clutter import feature_probability
from geotools.analysis.pattern.fade import FadeOut, circular_normal_m, exponential_m, fadeout
from geotools.analysis.pattern.fields import LIMITS_SOURCE, Pattern, rows
from geotools.analysis.pattern.records import Reconciliation, reconcile

__all__ = [
    "LIMITS_SOURCE",
    "FadeOut",
    "Pattern",
    "Reconciliation",
    "circular_normal_m",
    "exponential_m",
    "fadeout",
    "feature_probability",
    "reconcile",
    "rows",
]
