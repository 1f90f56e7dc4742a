"""Whether a version can have started from a base at all: the wrong file makes every row look deleted and every other new.

For stopping before a merge; how rows are combined is in `three_way`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geotools.field.merge.layers import computed, family
from geotools.model.schema.conform import as_text

_KEYS = ("guid", "id")
_OF = ("parent_id", "supersedes_id")  # what a piece was cut from
_PIECE = "-_~./ "  # behind the name of what a piece was cut from


def strange(base: Mapping[str, Any], side: Mapping[str, Any], key: str | None = None) -> tuple[int, int] | None:
    """How many records base and side have in the layers that both hold, where not one is known to the other; else None.

    Parameters
    ----------
    base, side
        Layer name → frame. Layers of one kind belong together; computed ones are passed over.
    key
        Column that identifies a row, beside ``guid`` and ``id``.

    Examples
    --------
    >>> import geopandas as gpd
    >>> def of(*ids): return {"hazards": gpd.GeoDataFrame({"id": ids}, geometry=[None] * len(ids))}
    >>> strange(of("H-1", "H-2"), of("X-1")), strange(of("H-1"), of("H-2", "H-1")), strange(of("H-1"), of("H-1-a"))
    ((2, 1), None, None)
    >>> strange(of("H-1"), {}) is None
    True
    """
    names = tuple(dict.fromkeys([*([key] if key else []), *_KEYS]))
    here, there = _ids(base, names), _ids(side, (*names, *_OF))
    shared = [kind for kind in here if here[kind] and there.get(kind)]
    if not shared:
        return None
    for kind in shared:
        mine = here[kind]
        if any(text in mine or _cut_from(text, mine) for text in there[kind]):
            return None
    return _rows(base, shared), _rows(side, shared)


def _cut_from(text: str, known: set[str]) -> bool:
    return any(text[n] in _PIECE and text[:n] in known for n in range(1, len(text)))


def _of(frames: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, frame in frames.items():
        if not computed(name, frame):
            found.setdefault(family(name) or name.casefold(), []).append(frame)
    return found


def _ids(frames: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind, tables in _of(frames).items():
        values = (value for table in tables for c in columns if c in table for value in table[c])
        found[kind] = {text for value in values if (text := as_text(value))}
    return found


def _rows(frames: Mapping[str, Any], kinds: list[str]) -> int:
    found = _of(frames)
    return sum(len(table) for kind in kinds for table in found[kind])
