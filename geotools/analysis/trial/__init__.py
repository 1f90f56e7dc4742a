"""Blind training lanes: design, scoring, probability of detection with its limits, and reports.

For trials of detectors and operators on inert targets; not for clearance records. No figure without its interval.
"""

from geotools.analysis.trial.blind import Blind, freeze, new_salt, seal, verify
from geotools.analysis.trial.catalogue import detectors
from geotools.analysis.trial.charts import figures
from geotools.analysis.trial.curves import Roc, froc, roc
from geotools.analysis.trial.depth import DepthCurve, depth_curve
from geotools.analysis.trial.groups import Shrunk, compare, holm, shrink
from geotools.analysis.trial.intervals import further_targets, interval, rate_interval, targets_needed, zero_failure_n
from geotools.analysis.trial.layout import Design, Wanted, crossover, design, spacing_issues
from geotools.analysis.trial.report import findings, report_html, write_report
from geotools.analysis.trial.scoring import Score, score

__all__ = [
    "Blind",
    "DepthCurve",
    "Design",
    "Roc",
    "Score",
    "Shrunk",
    "Wanted",
    "compare",
    "crossover",
    "depth_curve",
    "design",
    "detectors",
    "figures",
    "findings",
    "freeze",
    "froc",
    "further_targets",
    "holm",
    "interval",
    "new_salt",
    "rate_interval",
    "report_html",
    "roc",
    "score",
    "seal",
    "shrink",
    "spacing_issues",
    "targets_needed",
    "verify",
    "write_report",
    "zero_failure_n",
]
