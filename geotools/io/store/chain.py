"""Revisions and the chain of hashes that binds them: what was saved, by whom, when, why, from which files.

For computing and naming; not for storing (see `geopackage`, `postgis`).

A row's hash covers its layer, id, what was done, its attributes and its WKB. A revision's hash covers who, when, why, the
files, every row hash in order, the layouts, and the hash of the revision before it: a change anywhere shows from there on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

FORMAT = 2
SAVED, DELETED = "save", "delete"


class Entry(NamedTuple):
    """One version of one row: an element of the append-only history. ``previous`` is the entry it takes the place of."""

    entry: int
    revision: int
    kind: str
    id: str
    action: str
    previous: int | None
    attributes: str
    wkb: bytes | None
    hash: str


class Head(NamedTuple):
    """The latest version of a row."""

    entry: int
    revision: int
    action: str
    hash: str


@dataclass(frozen=True)
class Revision:
    """One change of a store: who, when (UTC), why, from which files, and the hash that seals it.

    Examples
    --------
    >>> Revision(0, datetime(2024, 5, 1, tzinfo=UTC), "A. Officer (synthetic)", what="init").sealed().hash[:8]
    '6ed15a56'
    """

    number: int
    at: datetime
    author: str
    note: str = ""
    what: str = "save"
    account: str = ""
    base: int | None = None
    sources: tuple[Mapping[str, Any], ...] = ()
    rows: int = 0
    content: str = ""
    previous: str = ""
    hash: str = field(default="", compare=False)

    def sealed(self) -> Revision:
        """The revision with its hash."""
        return Revision(**{**vars(self), "hash": self.seal()})

    def seal(self) -> str:
        """The hash that this revision must have."""
        told = {k: v for k, v in vars(self).items() if k != "hash"}
        told |= {"at": stamp(self.at), "sources": [dict(s) for s in self.sources]}
        text = json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "at": stamp(self.at), "sources": [dict(s) for s in self.sources]}


def clock() -> datetime:
    """The time by this machine's clock (UTC, whole seconds): when a save happened is a fact, whatever products are dated."""
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    """A UTC moment as text, to the second.

    Examples
    --------
    >>> stamp(datetime(2024, 5, 1, tzinfo=UTC))
    '2024-05-01T00:00:00Z'
    """
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def row_hash(kind: str, id: str, action: str, attributes: str, wkb: bytes | None) -> str:
    """SHA-256 of one version of a row; each part is preceded by its length, so that parts cannot run into each other."""
    digest = hashlib.sha256()
    for part in (kind.encode(), id.encode(), action.encode(), attributes.encode()):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    digest.update(b"-" if wkb is None else b"%d:" % len(wkb) + wkb)
    return digest.hexdigest()


def content_hash(entries: Iterable[tuple[str, str, str]], layouts: Sequence[tuple[str, str]]) -> str:
    """SHA-256 of a revision's (kind, id, row hash) in order of kind and id, and of the layouts it brought."""
    digest = hashlib.sha256()
    for _, _, hashed in sorted(entries):
        digest.update(hashed.encode("ascii"))
    for kind, text in sorted(layouts):
        digest.update(f"\n{kind} {text}".encode())
    return digest.hexdigest()
