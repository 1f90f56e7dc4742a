"""Is the history whole? Every hash, pointer and layer of a store looked at again.

For finding that something was altered past the store; not for judging what records say. Codes: ST-10 a revision was altered ·
ST-11 a row of history was altered · ST-12 a revision is missing or out of order · ST-13 current state or a layer differs
from history · ST-14 rows of a revision are missing or too many · ST-15 versions of a row do not follow each other · ST-16 the
anchor is not in the chain · ST-17 a revision is dated in the future (a warning: a clock is wrong, the chain may be whole).
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from geotools.io.store import moments
from geotools.io.store.backend import Backend
from geotools.io.store.chain import DELETED, Entry, Revision, content_hash, row_hash
from geotools.io.store.saving import iso
from geotools.model.schema import Issue, issues_frame


def verify(backend: Backend, anchor: str | None = None) -> gpd.GeoDataFrame:
    """All findings as ISSUES; the caller gives one unchanging view."""
    revisions = backend.revisions()
    issues = _chain(revisions, anchor)
    now = backend.now()
    issues += [issue for revision in revisions for issue in moments.ahead(revision, now)]
    last = max((r.number for r in revisions), default=0)
    issues += _rows(backend, {r.number: r for r in revisions}, last)
    issues += [Issue("ST-13", "error", kind, id_, message=what) for kind, id_, what in backend.current_faults()]
    return issues_frame(issues)


def _chain(revisions: Sequence[Revision], anchor: str | None) -> list[Issue]:
    issues = []
    for place, revision in enumerate(revisions):
        before = revisions[place - 1] if place else None
        name = f"revision {revision.number}"
        if revision.number != (before.number + 1 if before else 0):
            expected = before.number + 1 if before else 0
            issues.append(Issue("ST-12", "error", id=name, message=f"revision {expected} is missing before {name}", value=revision.number, limit=expected))  # fmt: skip
        elif revision.previous != (before.hash if before else ""):
            issues.append(Issue("ST-12", "error", id=name, message=f"{name} does not follow the one before it: that one was altered or put in its place", value=revision.previous[:16]))  # fmt: skip
        if revision.seal() != revision.hash:
            issues.append(Issue("ST-10", "error", id=name, message=f"{name} was altered: who, when, why or its files are not what was sealed", value=revision.hash[:16], limit=revision.seal()[:16]))  # fmt: skip
        if before and revision.at < before.at:
            issues.append(Issue("ST-12", "error", id=name, message=f"{name} is dated before the one it follows"))
    if anchor is not None and anchor not in {r.hash for r in revisions}:
        issues.append(Issue("ST-16", "error", message="the hash noted elsewhere is not in this chain: its end was cut off, or it was written anew", value=anchor[:16]))  # fmt: skip
    return issues


def _rows(backend: Backend, revisions: dict[int, Revision], last: int) -> list[Issue]:
    issues: list[Issue] = []
    latest: dict[tuple[str, str], int] = {}
    numbers = sorted(revisions)
    hashes: dict[int, list[tuple[str, str, str]]] = {n: [] for n in numbers}
    for entry in backend.entries(0, last + 1_000_000_000):
        key = (entry.kind, entry.id)
        name = f"revision {entry.revision}"
        found = _hash_of(entry)
        if found != entry.hash:
            issues.append(Issue("ST-11", "error", *key, message=f"this row of {name} was altered after it was saved", value=entry.hash[:16], limit=(found or "unreadable")[:16]))  # fmt: skip
        if entry.previous != latest.get(key):
            issues.append(Issue("ST-15", "error", *key, message=f"the version of {name} does not follow the latest before it", value=entry.previous, limit=latest.get(key)))  # fmt: skip
        latest[key] = entry.entry
        if entry.revision in hashes:
            hashes[entry.revision].append((*key, entry.hash))
        else:
            issues.append(Issue("ST-14", "error", *key, message=f"this row belongs to {name}, which does not exist"))
    for number in numbers:
        revision, rows = revisions[number], hashes[number]
        layouts = sorted(backend.layouts_of(number).items())
        if len(rows) != revision.rows:
            issues.append(Issue("ST-14", "error", id=f"revision {number}", message=f"revision {number} brought {revision.rows} rows, {len(rows)} are there", value=len(rows), limit=revision.rows))  # fmt: skip
        elif content_hash(rows, layouts) != revision.content:
            issues.append(Issue("ST-14", "error", id=f"revision {number}", message=f"the rows or columns of revision {number} are not those that were sealed"))  # fmt: skip
    return issues


def _hash_of(entry: Entry) -> str | None:
    try:
        wkb = None if entry.wkb is None else iso(entry.wkb)
        if entry.action == DELETED and entry.wkb is not None:
            return None
        return row_hash(entry.kind, entry.id, entry.action, entry.attributes, wkb)
    except Exception:
        return None
