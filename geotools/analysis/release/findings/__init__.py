"""What is odd in the records of land release, as rows of the ISSUES table (RL- and AR- codes).

For faults the ledger meets; faults of a single record are in `checks`.

RL-01 hazard without usable ground    RL-02 release or event without usable ground    RL-03 repaired boundary
RL-04 release without a date          RL-05 hazard without a date                     RL-06 product missing or unknown
RL-07 mechanical without a search     RL-08 link to no known hazard                   RL-09 link and geometry disagree
RL-10 release without a link          RL-11 all ground released before                RL-12 hazards share ground
RL-13 closed but ground remains       RL-14 released before it was recorded           RL-15 superseded ground without a release
RL-16 event that cannot be applied    RL-17 left out as of the day                    RL-18 id missing or used twice
RL-19 method is not a known word      RL-20 hazard that names itself as another       RL-21 released twice
RL-22 released outside every hazard   RL-23 hazards supersede each other in a circle
AR-01 the ledger does not close       AR-11 reported and measured area differ
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from geotools.analysis.release.findings.claims import doubles, hazard_rows, shared
from geotools.analysis.release.findings.found import Alike, Found, each, frame, tally
from geotools.analysis.release.findings.happenings import events, late_additions
from geotools.analysis.release.findings.links import links
from geotools.analysis.release.findings.records import ground_and_ids
from geotools.analysis.release.findings.releases import release_rows
from geotools.analysis.release.ledger import Ledger, Snapshot

__all__ = ["Alike", "Found", "each", "findings", "frame", "tally"]


def findings(book: Ledger, shot: Snapshot, table: pd.DataFrame, credits_: pd.DataFrame) -> Iterator[Found | Alike]:
    """All findings, one after the other; `frame` makes the ISSUES table of `each`, `tally` only counts them."""
    for name in ("hazards", "releases", "events"):
        yield from ground_and_ids(book, shot, name)
    yield from release_rows(book, shot, credits_)
    yield from links(book, shot)
    yield from events(book)
    yield from late_additions(book)
    yield from hazard_rows(book, shot, table)
    yield from shared(book, shot)
    yield from doubles(book, shot)
    yield from _left_out(book, shot)


def _left_out(book: Ledger, shot: Snapshot) -> Iterator[Found]:
    """How many records are later than the day asked for."""
    if shot.as_of is None:
        return
    for name in ("hazards", "releases", "events"):
        day = getattr(book, name).rows.day
        count = int((day > shot.as_of).sum())
        if count:
            yield Found(
                "RL-17",
                "info",
                name,
                "",
                "",
                f"{count} records are dated after {shot.as_of} and are left out",
                value=count,
                limit=str(shot.as_of),
            )
