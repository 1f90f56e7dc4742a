"""The evidence behind "all reasonable effort": what is shown, what is not, and what is missing.

A checklist for the person who decides. It has no total and no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geotools.analysis.residual.account import Ledger
from geotools.model.errors import StatisticsError

# fact → (what it shows, how the value compares with what is required)
FACTS: Mapping[str, tuple[str, str]] = {
    "searched_share": ("Required coverage reached", "least"),
    "depth_share": ("Required depth shown on the searched ground (share)", "least"),
    "pod_low": ("Detection shown in blind lanes (lower limit)", "least"),
    "expected_left": ("Expected items left (upper end of the interval)", "most"),
    "edge_m": ("Distance from the outermost find to the edge (m)", "least"),
    "sample": ("Inspection sample", "word"),
    "unaccounted": ("Recorded positions unaccounted for", "most"),
    "open_nonconformities": ("Open critical non-conformities", "most"),
    "gaps": ("Gaps in rows not yet searched", "most"),
}
STATUS = ("shown", "not shown", "missing")
PASSED = frozenset({"accepted", "passed"})


def checklist(
    ledger: Ledger,
    facts: Mapping[str, Any],
    required: Mapping[str, float],
    *,
    references: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Line up the evidence with what the authority requires.

    Parameters
    ----------
    facts
        Values by name (see `FACTS`); `searched_share` and `expected_left` come from the ledger unless given.
    required
        What the authority requires, by the same names. Where it requires nothing, a value cannot be judged and is missing.
    references
        Document and paragraph of each requirement.

    Returns
    -------
    DataFrame
        `item, value, required, status, reference, note`; status is shown, not shown or missing. The last row, the decision of a
        named person, is always missing here.

    Raises
    ------
    StatisticsError
        If a fact or requirement has an unknown name.
    """
    unknown = sorted((set(facts) | set(required)) - set(FACTS))
    if unknown:
        raise StatisticsError(f"there is no evidence item '{unknown[0]}'", hint=f"one of {', '.join(FACTS)}")
    known = {"searched_share": ledger.searched_share, "expected_left": ledger.at_most, **facts}
    rows = []
    for name, (item, how) in FACTS.items():
        value, limit = known.get(name), required.get(name)
        rows.append(
            {
                "item": item,
                "value": value,
                "required": limit,
                "status": _status(value, limit, how),
                "reference": (references or {}).get(name, ""),
                "note": _note(name, value, limit, ledger),
            }
        )
    rows.append(
        {
            "item": "Decision by a named person of the authority",
            "value": None,
            "required": None,
            "status": "missing",
            "reference": "",
            "note": "to be signed on the evidence, not on this list",
        }
    )
    return pd.DataFrame(rows).astype({"value": object, "required": object})


def _status(value: Any, limit: float | None, how: str) -> str:
    if value is None or (limit is None and how != "word"):
        return "missing"
    if how == "word":
        return "shown" if str(value) in PASSED else "not shown"
    return "shown" if (value >= limit if how == "least" else value <= limit) else "not shown"


def _note(name: str, value: Any, limit: float | None, ledger: Ledger) -> str:
    if value is None:
        return "no evidence given"
    if limit is None and FACTS[name][1] != "word":
        return "the authority's requirement is not given"
    return f"mostly from ground: {ledger.drivers['group'].iloc[0]}" if name == "expected_left" else ""
