"""The whole account of fixes: from the rows of the files to the ones that made passes, with a reason for every other.

For the sum that a person can check; what the reasons mean is in `fixes`, what reading refused in the issues of reading.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geotools.analysis.swath.fixes import LIFTED, REASONS
from geotools.analysis.swath.summary import clipped
from geotools.model.schema import Issue, issues_frame

_COUNT = re.compile(r"rows=(\d+) kept=(\d+) repaired=\d+ rejected=(\d+)")
_WHY = re.compile(r"rejected: (.+?)(?: \(id .*\))?$")
OTHER = "for other reasons"


@dataclass(frozen=True)
class Account:
    """Where every fix went: ``in_files`` = ``refused`` + ``elsewhere`` + ``read``; ``read`` = ``used`` + ``lifted`` + ``dropped``.

    Attributes
    ----------
    in_files
        Rows of the files of fixes.
    refused
        Rows that reading refused, by reason; nobody knows whose task they were.
    elsewhere
        Fixes of other tasks.
    read
        Fixes that were given to this task.
    used, lifted
        Of these the ones that made passes, and those with the tool lifted.
    dropped
        The rest, by reason.

    Examples
    --------
    >>> print(Account(7, {"no time": 1}, 0, 6, 5, 1).sentences[0])
    rows of the files: 7 = 6 of this task + 1 refused in reading (no time)
    """

    in_files: int
    refused: dict[str, int]
    elsewhere: int
    read: int
    used: int
    lifted: int
    dropped: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain data."""
        return dict(vars(self))

    @property
    def sentences(self) -> list[str]:
        """The account in plain words."""
        out = [f"fixes: {self.read} read = {self.used} used + {self.lifted} with the tool lifted"]
        out[0] += "".join(f" + {n} that {REASONS[why]}" for why, n in self.dropped.items())
        if self.in_files != self.read:
            refused = "".join(f" + {n} refused in reading ({why})" for why, n in self.refused.items())
            other = f" + {self.elsewhere} of other tasks" if self.elsewhere else ""
            out.insert(0, f"rows of the files: {self.in_files} = {self.read} of this task{other}{refused}")
        return out

    @property
    def issues(self) -> Any:
        """ISSUES row SW-24 for fixes that never came this far; none if there are none."""
        count = sum(self.refused.values())
        if not count:
            return issues_frame()
        why = "; ".join(f"{n}: {reason}" for reason, n in self.refused.items())
        text = f"{count} rows of the files of fixes were refused when they were read, and nobody can say whose task they were ({why})"
        return issues_frame([Issue("SW-24", "warning", "fixes", message=text, value=count)])


def account(counts: pd.Series, reading: pd.DataFrame | None = None, *, elsewhere: int = 0) -> Account:
    """The account of fixes from the files on.

    Parameters
    ----------
    counts
        ``Prepared.counts``.
    reading
        Issues of reading (``read_with_issues`` or ``Survey.issues``); without them the files are not known.
    elsewhere
        Fixes that were read but belong to other tasks.

    Examples
    --------
    >>> counts = pd.Series({"read": 5, "used": 4, "tool_lifted": 1})
    >>> reading = pd.DataFrame({"check": ["RD-00"], "kind": ["fixes"], "message": [""], "value": ["rows=6 kept=5 repaired=0 rejected=1"]})
    >>> account(counts, reading).sentences[0]
    'rows of the files: 6 = 5 of this task + 1 refused in reading (for other reasons)'
    """
    refused = {} if reading is None else _refused(reading)
    known = {name: int(value) for name, value in counts.items()}
    dropped = {why: known[why] for why in REASONS if known.get(why)}
    whole = known["read"] + elsewhere + sum(refused.values())
    return Account(whole, refused, elsewhere, known["read"], known["used"], known[LIFTED], dropped)


def _refused(reading: pd.DataFrame) -> dict[str, int]:
    """Rows that reading refused, by reason; the sum is what the count lines say."""
    mine = reading[reading["kind"] == "fixes"] if "kind" in reading else reading
    counted = [_COUNT.search(str(value)) for value in mine["value"][mine["check"] == "RD-00"]]
    total = sum(int(found.group(3)) for found in counted if found)
    reasons = Counter[str]()
    for message in mine["message"][mine["check"] == "RD-02"]:
        found = _WHY.search(str(message))
        reasons[clipped(found.group(1)) if found else OTHER] += 1
    missing = total - sum(reasons.values())
    if missing > 0:
        reasons[OTHER] += missing
    return dict(sorted(reasons.items()))
