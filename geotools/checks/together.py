"""Issues of reading, of the checks and of the ledger as one table in which each fault of a record stands once.

For showing; every room keeps its own complete list. What each code means is in `messages.toml` and `model/codes.toml`.
"""

from __future__ import annotations

from collections import defaultdict

import geopandas as gpd

from geotools.model.schema import join_issues
from geotools.model.schema.issues import SEVERITIES

# What a rule says in more words than reading or the ledger: their row gives way to it, and leaves it their severity.
SAID_BY: dict[str, tuple[str, ...]] = {
    "RD-03": ("TP-19", "CR-04"),
    "RD-10": ("GC-12", "AT-03"),
    "RD-11": ("RP-01",),
    "RD-12": ("AT-04",),
    "RD-15": ("AT-03",),
    "RL-01": ("TP-19",),
    "RL-02": ("TP-19",),
    "RL-07": ("WF-08",),
    "RL-08": ("WF-06",),
    "RL-09": ("TP-16",),
    "RL-13": ("WF-10",),
    "RL-18": ("RD-10", "GC-12", "AT-03"),
}
BY_COLUMN = ("RD-11", "RD-15")  # said of a whole column, not of a record
ACCOUNT = "RD-00"  # one line a file, no fault


def together(found: gpd.GeoDataFrame, *others: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The issues of the checks, and what `others` (reading, ledger) say beyond them.

    Left out are the accounting lines of reading (RD-00) and what a check says of the same record or column again; the row that
    stays takes the worst severity of those that went.

    Parameters
    ----------
    found
        An ISSUES table of `check`.
    *others
        ISSUES tables of reading (`Survey.issues`) and of the ledger (`Coverage.issues`).

    Examples
    --------
    >>> from geotools.model.schema import Issue, issues_frame
    >>> found = issues_frame([Issue("TP-19", "warning", "hazards", "H-1")])
    >>> reading = issues_frame([Issue("RD-03", "warning", "hazards", "H-1"), Issue("RD-00", "info"), Issue("RD-02", "error", "hazards", "H-9")])
    >>> ledger = issues_frame([Issue("RL-01", "error", "hazards", "H-1")])
    >>> together(found, reading, ledger)[["check", "severity"]].values.tolist()
    [['TP-19', 'error'], ['RD-02', 'error']]
    """
    table = join_issues(found, *others)
    rank = {severity: n for n, severity in enumerate(SEVERITIES)}
    worst = [rank[severity] for severity in table["severity"]]
    columns = [table[name].tolist() for name in ("check", "kind", "id", "column")]
    by_record: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    by_column: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row, (code, kind, name, column) in enumerate(zip(*columns, strict=True)):
        by_record[code, kind, name].append(row)
        by_column[code, kind, column].append(row)
    keep = []
    for row, (code, kind, name, column) in enumerate(zip(*columns, strict=True)):
        again = [n for c in SAID_BY.get(code, ()) for n in by_record.get((c, kind, name), ())] if name else []
        if code in BY_COLUMN:
            again += [n for c in SAID_BY[code] for n in by_column.get((c, kind, column), ())]
        for n in again:
            worst[n] = min(worst[n], worst[row])
        keep.append(code != ACCOUNT and not again)
    said = table.assign(severity=[SEVERITIES[n] for n in worst])[keep]
    return said.reset_index(drop=True)
