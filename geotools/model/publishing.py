"""What the mark ``safe_to_publish`` means: one rule for maps, packages and team files.

For the mark of a record only; what lies on or is linked to a withheld hazard is in `geotools.space.withheld`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geotools.model.schema.answers import to_boolean

MARK = "safe_to_publish"
CAUTIOUS = frozenset({"accidents", "victims"})  # no mark means no: people were hurt there and may be known by the place


def publishable(frame: pd.DataFrame, kind: str) -> np.ndarray:
    """Whether the place of each record may be published.

    A mark in any spelling of yes means yes: true, 1, "yes", "True", "да". Every other mark means no, also a word that
    nobody knows. A record without a mark may be published, except an accident: it may only where it is marked so.

    Parameters
    ----------
    frame
        Records, with a column ``safe_to_publish`` or without.
    kind
        Their kind.

    Examples
    --------
    >>> marks = pd.DataFrame({"safe_to_publish": [True, "yes", "no", "False", "0", 0.0, "perhaps", None, ""]})
    >>> publishable(marks, "hazards").tolist()
    [True, True, False, False, False, False, False, True, True]
    >>> publishable(marks, "accidents").tolist()
    [True, True, False, False, False, False, False, False, False]
    """
    missing = kind not in CAUTIOUS
    if MARK not in frame:
        return np.full(len(frame), missing, dtype=bool)
    marks = pd.DataFrame(frame[MARK]).iloc[:, 0].to_numpy(dtype=object)  # of a doubled column the first
    return np.array([missing if _unsaid(mark) else to_boolean(mark) is True for mark in marks], dtype=bool)


def _unsaid(mark: Any) -> bool:
    return bool(pd.isna(mark)) if pd.api.types.is_scalar(mark) and not isinstance(mark, str) else not str(mark).strip()
