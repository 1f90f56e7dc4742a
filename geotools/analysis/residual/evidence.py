"""The evidence behind "all reasonable effort": what is shown, what is not, and what is missing.

A checklist for the person who decides. It has no total and no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geotools.analysis.residual.account import Ledger
from geotools.model import arguments
from geotools.model.errors import StatisticsError

# fact → (what it shows, how the value compares with what is required, its unit)
FACTS: Mapping[str, tuple[str, str, str]] = {
    "searched_share": ("Required coverage reached", "least", "share"),
    "depth_share": ("Required depth shown on the searched ground", "least", "share"),
    "pod_low": ("Detection shown in blind lanes (lower limit)", "least", "share"),
    "expected_left": ("Items left (not exceeded with 95 %)", "most", "items"),
    "edge_m": ("Distance from the outermost find to the edge", "least", "m"),
    "sample": ("Inspection sample", "word", ""),
    "unaccounted": ("Recorded positions unaccounted for", "most", "positions"),
    "open_nonconformities": ("Open critical non-conformities", "most", "findings"),
    "gaps": ("Gaps in rows not yet searched", "most", "gaps"),
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
    ledger
        As from `ledger`.
    facts
        Values by name (see `FACTS`); `searched_share` and `expected_left` come from the ledger unless given.
    required
        What the authority requires, by the same names. Where it requires nothing, a value cannot be judged and is missing.
    references
        Document and paragraph of each requirement.

    Returns
    -------
    DataFrame
        `item, value, required, unit, value_words, required_words, status, reference, note`; status is shown, not shown or missing, the
        words are rounded for reading (a share that falls short is never rounded up to what is required). The last row, the decision
        of a named person, is always missing here.

    Raises
    ------
    StatisticsError
        If a fact or requirement has an unknown name.

    Examples
    --------
    >>> import numpy as np
    >>> from geotools.analysis.residual import Search, ledger
    >>> from geotools.space.grid import Grid, Raster
    >>> grid = Grid.around((0, 0, 10, 10), 1.0, "EPSG:32638")
    >>> lanes = Search("manual", Raster(np.ones((10, 10), int), grid), found=9000, targets=10000)
    >>> account = ledger(Raster(np.full((10, 10), 0.1), grid), [lanes], found=20)
    >>> lines = checklist(account, {"pod_low": 0.89}, {"searched_share": 1.0, "pod_low": 0.9})
    >>> lines[["value_words", "required_words", "status"]].iloc[[0, 2, -1]].values.tolist()
    [['100 %', '100 %', 'shown'], ['89 %', '90 %', 'not shown'], ['', '', 'missing']]
    """
    arguments.instance(ledger, "the ledger", Ledger, hint="the result of residual.ledger")
    cited = {} if references is None else arguments.mapping(references, "references")
    given = {**arguments.mapping(facts, "facts"), **arguments.mapping(required, "required")}
    unknown = sorted(str(name) for name in given if name not in FACTS)
    if unknown:
        raise StatisticsError(f"there is no evidence item '{unknown[0]}'", hint=f"one of {', '.join(FACTS)}")
    for table in (facts, required):
        for name, value in table.items():
            if FACTS[name][1] != "word" and value is not None:
                arguments.number(value, f"'{name}'", least=0)
    known = {"searched_share": ledger.searched_share, "expected_left": ledger.at_most, **facts}
    rows = []
    for name, (item, how, unit) in FACTS.items():
        value, limit = known.get(name), required.get(name)
        if name == "expected_left":
            item = f"Items left (not exceeded with {50 * (1 + ledger.confidence):g} %)"
        rows.append(
            {
                "item": item,
                "value": value,
                "required": limit,
                "unit": unit,
                "value_words": in_words(value, unit, down=how == "least"),
                "required_words": in_words(limit, unit, down=False),
                "status": _status(value, limit, how),
                "reference": str(cited.get(name, "")),
                "note": _note(name, value, limit, ledger),
            }
        )
    rows.append(
        {
            "item": "Decision by a named person of the authority",
            "value": None,
            "required": None,
            "unit": "",
            "value_words": "",
            "required_words": "",
            "status": "missing",
            "reference": "",
            "note": "to be signed on the evidence, not on this list",
        }
    )
    return pd.DataFrame(rows, dtype=object)


def in_words(value: Any, unit: str, *, down: bool = False) -> str:
    """A value of the checklist for reading: percent for shares, whole units, metres to 0.1; empty where there is none.

    Parameters
    ----------
    down
        Round down, for what must be reached; otherwise up, for what must not be passed.

    Examples
    --------
    >>> in_words(0.9996, "share", down=True), in_words(3.0, "gaps"), in_words(None, "m")
    ('99.9 %', '3 gaps', '')
    """
    if value is None:
        return ""
    if unit == "":
        return str(value)
    scale = 10 if unit != "share" else 1000
    turn = math.floor if down else math.ceil
    number = turn(round(float(value) * scale, 6)) / 10
    return f"{number:,.10g} {'%' if unit == 'share' else unit}"


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
