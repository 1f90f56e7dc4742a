"""Which revision was the latest at a moment: the record time of a store.

``as_of`` asks what the store *knew* then. What the records themselves say about days (``date``, ``date_info``) is another
time, and is asked with ``geotools.coverage(..., as_of=)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd

from geotools.io.store.cells import utc
from geotools.io.store.chain import Revision, stamp
from geotools.model.errors import StoreError
from geotools.model.schema import Issue

WRITE = "write YYYY-MM-DD, YYYY-MM-DDThh:mm:ssZ, or the number of a revision"
LONGEST = 40  # characters of the longest way to write a moment
AHEAD = timedelta(minutes=10)  # clocks of honest machines differ by less


def moment(as_of: Any) -> datetime:
    """The last instant that a day or time stands for: a day means its end, in UTC; a time without a zone is UTC.

    Raises
    ------
    StoreError
        If it is none of these.

    Examples
    --------
    >>> moment("2024-05-01").isoformat()
    '2024-05-01T23:59:59.999999+00:00'
    """
    if isinstance(as_of, str):
        if len(as_of) > LONGEST or not as_of.isascii():
            raise StoreError("this is not a moment", hint=WRITE)
        try:
            as_of = date.fromisoformat(as_of) if len(as_of) == 10 else datetime.fromisoformat(as_of)
        except ValueError:
            raise StoreError(f"'{as_of}' is not a moment", hint=WRITE) from None
    if isinstance(as_of, datetime) and not pd.isna(as_of):
        try:
            return utc(as_of)
        except OverflowError:
            raise StoreError(f"'{as_of}' is not a moment of the calendar", hint=WRITE) from None
    if isinstance(as_of, date) and not pd.isna(as_of):
        return datetime.combine(as_of, time.max, tzinfo=UTC)
    raise StoreError(f"as_of is a {type(as_of).__name__}", hint="give a day, a time or the number of a revision")


def revision_at(revisions: Sequence[Revision], as_of: Any) -> Revision:
    """The latest revision at a moment, or the one of that number.

    Raises
    ------
    StoreError
        If the store did not exist then, or has no such revision.
    """
    if isinstance(as_of, str) and as_of.isascii() and as_of.isdigit() and len(as_of) <= LONGEST:
        as_of = int(as_of)
    if isinstance(as_of, int) and not isinstance(as_of, bool):
        for revision in revisions:
            if revision.number == as_of:
                return revision
        raise StoreError(
            f"there is no revision {as_of if abs(as_of) < 10**LONGEST else 'of that number'}", hint=f"the store has revisions 0 to {revisions[-1].number}: geotools store history STORE"
        )  # fmt: skip
    until = moment(as_of)
    known = [r for r in revisions if r.at <= until]
    if not known:
        raise StoreError(
            f"the store knew nothing then: it begins on {stamp(revisions[0].at)}",
            hint="give a later day; for what is known today about an earlier day: --known-on with today's date",
        )
    return known[-1]


def ahead(revision: Revision, now: datetime) -> list[Issue]:
    """A warning if a revision is dated later than it is now: a clock was wrong when it was saved, or is now."""
    if revision.at <= now + AHEAD:
        return []
    words = (
        f"revision {revision.number} is dated {stamp(revision.at)}, by the clock it is {stamp(now)}: one of the two clocks is wrong. "
        f"Until that day comes, every save is dated like it, and what was known on an earlier day is told without those saves: "
        f"ask for the number of a revision instead"
    )
    return [Issue("ST-17", "warning", id=f"revision {revision.number}", message=words, value=stamp(revision.at), limit=stamp(now))]  # fmt: skip
