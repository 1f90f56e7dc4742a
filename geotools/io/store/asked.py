"""What a caller asks a store to save: frames, ids, sources and words, taken and checked before anything is begun.

For understanding the arguments of `Store.save`; what a save would change is found in `saving`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd

from geotools.io.store import address, geopackage, saving
from geotools.model.errors import StoreError
from geotools.model.programme import Programme
from geotools.model.progress import Progress
from geotools.model.provenance import InputFile

PROGRAMME = "store_programme"  # the programme's settings are kept like a record, so that they have a history too


class More(TypedDict, total=False):
    """Rarer arguments of `Store.save`, by keyword.

    ``deleted``: ids to be deleted (kind → ids where several kinds are saved). ``whole``: rows that are not in the frame are
    deleted. ``sources``: files the records come from (paths or `InputFile`), kept by name and hash. ``programme``: settings
    to be kept with the records. ``progress``: told of rows as they are compared and written.
    """

    deleted: Sequence[str] | Mapping[str, Sequence[str]]
    whole: bool
    sources: Iterable[str | Path | InputFile]
    programme: Programme | None
    progress: Progress | None


def said(text: str, what: str, *, empty: bool = False) -> str:
    """Words of a person, without what no database takes."""
    clean = "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in str(text)).strip()
    if not clean and not empty:
        raise StoreError(f"a revision needs its {what}", hint=f"{what}='…'")
    return clean


def source_of(source: str | Path | InputFile) -> dict[str, Any]:
    """A file that records come from, as it is kept with the revision."""
    found = source if isinstance(source, InputFile) else InputFile.of(source)
    return {k: v for k, v in vars(found).items() if v not in (None, "")}


def wishes_of(layers: Any, kind: str | None, more: More) -> list[saving.Wish]:
    """What is to be saved, kind by kind, each frame checked for its ids."""
    unknown = sorted(set(more) - set(More.__annotations__))
    if unknown:
        raise TypeError(f"save() got an unexpected argument '{unknown[0]}'")
    given = more.get("deleted") or ()
    if isinstance(layers, pd.DataFrame):
        if kind is None:
            raise StoreError("a frame is saved under a kind", hint="store.save(frame, kind='hazards', …)")
        layers = {kind: layers}
    gone = dict(given) if isinstance(given, Mapping) else {kind or next(iter(layers), ""): list(given)} if given else {}
    wishes = []
    for name in dict.fromkeys((*layers, *gone)):
        address.require_name(name, "layer")
        if name.startswith(geopackage.RESERVED):
            raise StoreError(f"'{name}' is a name the store uses itself", hint="call the layer something else")
        frame = layers.get(name)
        checked = None if frame is None else saving.usable(frame, name)
        wishes.append(saving.Wish(name, checked, [str(i) for i in gone.get(name, ())], bool(more.get("whole"))))
    programme = more.get("programme")
    if programme is not None:
        settings = pd.DataFrame({"id": ["programme"], "settings": [programme.to_dict()]}, dtype=object)
        wishes.append(saving.Wish(PROGRAMME, settings))
    return wishes
