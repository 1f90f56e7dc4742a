"""Residual risk: what the searches of a task may have left, where and why, and what to do next.

For decisions on clearance work. An estimate never releases land and is never shown without its interval.
"""

from geotools.analysis.residual.account import Ledger, Search, ledger
from geotools.analysis.residual.actions import Option, next_actions, spend
from geotools.analysis.residual.evidence import checklist
from geotools.analysis.residual.formulas import (
    allocate,
    beta_shape,
    expected_left,
    inverse_cube,
    miss,
    posterior,
    probability_none,
    random_search,
)
from geotools.analysis.residual.ground import concentration, passes, prior, task_grid

__all__ = [
    "Ledger",
    "Option",
    "Search",
    "allocate",
    "beta_shape",
    "checklist",
    "concentration",
    "expected_left",
    "inverse_cube",
    "ledger",
    "miss",
    "next_actions",
    "passes",
    "posterior",
    "prior",
    "probability_none",
    "random_search",
    "spend",
    "task_grid",
]
