"""Where survey should look first: a distance-to-evidence baseline beside models that must beat it on ground they have not seen.

For ordering survey. A score may add priority; it never lowers one, and it is not evidence that land holds nothing.
"""

from geotools.analysis.risk_surface.blocks import Setup
from geotools.analysis.risk_surface.evaluation import Surface, evaluate
from geotools.analysis.risk_surface.metrics import calibration_error, heights, pr_auc, reliability, roc_auc
from geotools.analysis.risk_surface.models import BASELINE, BOOSTED, LOGISTIC
from geotools.analysis.risk_surface.places import distances
from geotools.analysis.risk_surface.priority import classes, raise_priority
from geotools.analysis.risk_surface.words import figure, findings

__all__ = [
    "BASELINE",
    "BOOSTED",
    "LOGISTIC",
    "Setup",
    "Surface",
    "calibration_error",
    "classes",
    "distances",
    "evaluate",
    "figure",
    "findings",
    "heights",
    "pr_auc",
    "raise_priority",
    "reliability",
    "roc_auc",
]
