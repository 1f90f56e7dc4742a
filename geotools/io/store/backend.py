"""What a store needs of the database under it, and nothing about what the records mean.

For `geopackage` and `postgis` to fulfil; the rules of saving are in `saving`, those of the chain in `chain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from geotools.io.store.chain import Entry, Head, Revision
from geotools.model.progress import Progress

Box = tuple[float, float, float, float]


class Rows(NamedTuple):
    """Rows as they are kept: ids, attributes as JSON, WKB (or EWKB)."""

    ids: list[str]
    texts: list[str]
    wkbs: list[bytes | None]


@dataclass(frozen=True)
class Change:
    """All that one revision brings: itself, the layouts that changed, and the new versions of rows; who is told of the writing."""

    revision: Revision
    layouts: Mapping[str, str]
    entries: Sequence[Entry]
    progress: Progress | None = None


class Backend(Protocol):
    """A database that keeps revisions, layouts, history and current state, and changes them whole or not at all."""

    address: str
    label: str

    def reading(self) -> AbstractContextManager[None]:
        """One unchanging view for the reads within."""

    def writing(self) -> AbstractContextManager[None]:
        """The only writer, until all is committed or nothing is."""

    def now(self) -> datetime:
        """The time by the clock of the place where the records are kept (UTC, whole seconds)."""

    def account(self) -> str:
        """The database account at work, where there is such a thing."""

    def meta(self) -> dict[str, str]:
        """Name and format version."""

    def revisions(self) -> list[Revision]:
        """All revisions in order."""

    def last(self) -> Revision:
        """The latest revision."""

    def layouts(self, revision: int) -> dict[str, str]:
        """Kind → layout in force at a revision."""

    def layouts_of(self, revision: int) -> dict[str, str]:
        """Kind → layout that this very revision brought."""

    def heads(self, kind: str, ids: Sequence[str] | None = None) -> dict[str, Head]:
        """Latest version of each row, deleted ones included."""

    def rows(
        self,
        kind: str,
        revision: int | None = None,
        *,
        box: Box | None = None,
        ids: Sequence[str] | None = None,
        needles: Iterable[str] = (),
    ) -> Rows:
        """Rows that stood at a revision (None: now), by id; a filter may let more through, never fewer."""

    def hashes(self, kind: str, revision: int, ids: Sequence[str]) -> dict[str, str]:
        """Row hash of each of these rows as of a revision, where it stood then."""

    def entries(self, first: int, last: int) -> Iterator[Entry]:
        """History between two revisions (both included), in order of entry."""

    def versions(self, id: str, kind: str | None = None) -> list[Entry]:
        """All versions of one record."""

    def next_entry(self) -> int:
        """The number of the next history entry."""

    def append(self, change: Change) -> None:
        """Add a revision; only within `writing`."""

    def current_faults(self) -> list[tuple[str, str, str]]:
        """(kind, id, what) where the current state is not what history says."""

    def close(self) -> None:
        """Let go of the database."""
