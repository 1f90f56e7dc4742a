"""What a method of work proves about ground: searched, only processed by a machine, or unknown. One rule for all rooms.

For ledger, tracks, checks and maps alike; an unknown word never proves a search.
Source: follow-up search is required before mechanically processed ground is released (Lebanon NMAS 09.50).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
