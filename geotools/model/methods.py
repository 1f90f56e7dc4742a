"""What a method of work proves about ground: searched, only processed by a machine, or unknown. One rule for all rooms.

For ledger, tracks, checks and maps alike; an unknown word never proves a search.
Source: follow-up search is required before mechanically processed ground is released (Lebanon NMAS 09.50).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geotools.model.vocab import fold, vocabulary

SEARCH = frozenset({"manual", "detector", "mdd", "mixed", "bac", "bac_subsurface"})  # may follow a machine
MACHINE = "mechanical"
UNKNOWN = "unknown"
_MACHINE_STEMS = (
    "mechan",
    "machin",
    "flail",
    "tiller",
    "mematt",
    "memat",
    "bozena",
    "excavat",
    "maşin",
    "masin",
    "makin",
    "механи",
    "машин",
)


def method_key(text: Any, aliases: Mapping[str, str] | None = None) -> str | None:
    """The key of a method word: one of the vocabulary, ``unknown`` for a word nobody knows, None for a missing value.

    A text that names a machine in any form, alone or with other words, is ``mechanical``; so are lists that contain it,
    unless the text as a whole is a known word (such as *mixed*).

    Examples
    --------
    >>> method_key("Mechanical flail"), method_key("manual"), method_key("zzz"), method_key(None) is None
    ('mechanical', 'manual', 'unknown', True)
    """
    if text is None or (isinstance(text, float) and text != text):  # noqa: PLR0124
        return None
    said = str(text).strip()
    if said.casefold() in ("", "nan", "none", "<na>", "nat"):
        return None
    known = vocabulary("method").match(said, aliases)
    if known:
        return known
    folded = fold(said)
    if any(stem in folded for stem in map(fold, _MACHINE_STEMS)):
        return MACHINE
    return UNKNOWN


def only_processed(method: str | None, follow_up: str | None) -> bool:
    """Whether ground worked by `method` waits for a search: machine work, or a word nobody knows, without a search after it.

    Parameters
    ----------
    method, follow_up
        Keys as from `method_key`.

    Examples
    --------
    >>> only_processed("mechanical", None), only_processed("mechanical", "manual"), only_processed("unknown", None), only_processed(None, None)
    (True, False, True, False)
    """
    return method in (MACHINE, UNKNOWN) and follow_up not in SEARCH


def method_keys(frame: pd.DataFrame, column: str, aliases: Mapping[str, str] | None = None) -> np.ndarray:
    """Keys of a column of method words, row by row; where the clean value is missing, of what was typed (``<column>_as_entered``).

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["manual", None, None], "method_as_entered": ["hand", "Mechanical flail", None]})
    >>> method_keys(rows, "method").tolist()
    ['manual', 'mechanical', None]
    """
    out = np.full(len(frame), None, dtype=object)
    for name in (column, f"{column}_as_entered"):
        if name in frame.columns:
            cells = pd.DataFrame(frame[name]).iloc[:, 0].to_numpy(dtype=object)  # of a doubled column the first
            keys = [key if key is not None else method_key(v, aliases) for key, v in zip(out, cells, strict=True)]
            out = np.array([*keys, None], dtype=object)[:-1]
    return out


def processed_rows(frame: pd.DataFrame, aliases: Mapping[str, str] | None = None) -> np.ndarray:
    """Rows whose ground waits for a search, by ``method`` and ``follow_up`` (see `only_processed`).

    Examples
    --------
    >>> processed_rows(pd.DataFrame({"method": ["mechanical"] * 3, "follow_up": ["manual", "nts", None]})).tolist()
    [False, True, True]
    """
    method, after = (method_keys(frame, name, aliases) for name in ("method", "follow_up"))
    return np.array([only_processed(m, f) for m, f in zip(method, after, strict=True)], dtype=bool)
