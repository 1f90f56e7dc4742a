"""What a save would change: rows compared with what the store holds, refused as a whole where they cannot be told apart.

For deciding; nothing is written here (see `store`). Codes: ST-01 row without a usable id · ST-02 id twice · ST-03 changed by
someone else since it was loaded · ST-04 deleted by someone else since · ST-05 to be deleted but not there (note).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geotools.io.store import cells
from geotools.io.store.backend import Backend, Rows
from geotools.io.store.chain import DELETED, SAVED, Entry, Head, row_hash
from geotools.io.store.layout import SHAPE, Layout, flat, take_apart
from geotools.model.errors import ConflictError, StoreError
from geotools.model.progress import Progress, tracked
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs

LONGEST_ID = 400


@dataclass
class Plan:
    """The entries and layouts that a save brings, and what it leaves alone."""

    entries: list[Entry] = field(default_factory=list)
    layouts: dict[str, str] = field(default_factory=dict)
    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    outdated: int = 0
    issues: list[Issue] = field(default_factory=list)
    progress: Progress | None = None


@dataclass(frozen=True)
class Wish:
    """What is to be saved of one kind; ``whole``: rows that are not in the frame are deleted."""

    kind: str
    frame: pd.DataFrame | None
    deleted: Sequence[str] = ()
    whole: bool = False


def usable(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The frame, flat, with one usable id per row.

    Raises
    ------
    StoreError
        If a row has no id, or two rows have the same; ``issues`` lists them all.
    """
    frame = flat(frame)
    if "id" not in frame:
        raise StoreError(
            "the layer has no column 'id'", hint="every record needs a key that stays the same", layer=kind
        )
    issues = []
    seen: dict[str, int] = {}
    for place, id_ in enumerate(frame["id"]):
        row = place + 1
        if not isinstance(id_, str) or not id_.strip() or len(id_) > LONGEST_ID or cells.text_of(id_).startswith("{"):
            said = (
                "has no id"
                if pd.api.types.is_scalar(id_) and (pd.isna(id_) or id_ == "")
                else "has an id that is not a usable text"
            )
            issues.append(
                Issue(
                    "ST-01",
                    "error",
                    kind,
                    "",
                    "id",
                    f"row {row} {said}",
                    value=repr(id_)[:80],
                    limit="text, 1 to 400 characters",
                )
            )
        elif id_ in seen:
            issues.append(
                Issue(
                    "ST-02",
                    "error",
                    kind,
                    id_,
                    "id",
                    f"rows {seen[id_]} and {row} have the same id",
                    value=id_,
                    limit="once",
                )
            )
        else:
            seen[id_] = row
    if issues:
        raise _refused(StoreError, f"{len(issues)} rows of '{kind}' cannot be saved: {issues[0].message}", issues, "nothing was saved; mend these rows and save again")  # fmt: skip
    return frame


def _refused(kind: type[StoreError], message: str, issues: Sequence[Issue], hint: str) -> StoreError:
    error = kind(message, hint=hint)
    error.issues = issues_frame(issues)
    return error


def plan(
    backend: Backend, wishes: Sequence[Wish], base: int | None, revision: int, *, progress: Progress | None = None
) -> Plan:
    """Compare what is to be saved with what is there; only within `writing`.

    Raises
    ------
    ConflictError
        If someone else changed the same rows since revision `base`.
    """
    made = Plan(progress=progress)
    layouts = backend.layouts(revision - 1)
    for wish in wishes:
        _plan_kind(backend, wish, layouts.get(wish.kind), base, made)
    conflicts = [i for i in made.issues if i.severity == "error"]
    if conflicts:
        raise _refused(
            ConflictError, f"{len(conflicts)} rows were changed by someone else since revision {base}", conflicts,
            "nothing was saved; load the latest state, merge (geotools field merge) and save again",
        )  # fmt: skip
    start = backend.next_entry()
    made.entries.sort(key=lambda e: (e.kind, e.id))
    made.entries = [e._replace(entry=start + n, revision=revision) for n, e in enumerate(made.entries)]
    return made


def _plan_kind(backend: Backend, wish: Wish, known: str | None, base: int | None, made: Plan) -> None:
    kind, frame = wish.kind, wish.frame
    old = None if known is None else Layout.from_text(known)
    if frame is not None:
        layout = _layout(kind, frame, old)
        if layout.to_text() != known:
            made.layouts[kind] = layout.to_text()
        rows = take_apart(frame, kind)
        heads = backend.heads(kind, None if wish.whole else rows.ids)
        standing = sum(h.action != DELETED for h in heads.values())
        if wish.whole and not rows.ids and standing:
            raise StoreError(
                f"the layer is empty: all {standing} rows in the store would be deleted", hint="is the file whole? delete rows by their ids", layer=kind
            )  # fmt: skip
        rows = _with_what_is_not_said(backend, kind, rows, frame, old, heads)
        told = tracked(zip(*rows, strict=True), f"comparing {kind}", made.progress, len(rows.ids))
        hashes = [row_hash(kind, i, SAVED, t, w) for i, t, w in told]
        touched = _touched(backend, kind, dict(zip(rows.ids, hashes, strict=True)), heads, base, made)
        for id_, text, wkb, hashed in zip(rows.ids, rows.texts, rows.wkbs, hashes, strict=True):
            head = heads.get(id_)
            if id_ not in touched:
                continue
            same = head is not None and head.hash == hashed
            new = head is None or head.action == DELETED
            if not kind.startswith("store_"):  # what people call rows
                made.unchanged += same
                made.added += new and not same
                made.changed += not new and not same
            if same:
                continue
            made.entries.append(Entry(0, 0, kind, id_, SAVED, None if head is None else head.entry, text, wkb, hashed))
        gone = _missing(backend, kind, set(rows.ids), heads, base) if wish.whole else []
        _delete(backend, kind, [*gone, *wish.deleted], base, made)
    elif wish.deleted:
        _delete(backend, kind, wish.deleted, base, made)


def _layout(kind: str, frame: pd.DataFrame, old: Layout | None) -> Layout:
    new = Layout.of(frame)
    shaped = (
        bool(new.geometry) and not bool(shapely.is_missing(frame.geometry.array).all())
        if isinstance(frame, gpd.GeoDataFrame)
        else False
    )
    if shaped and not new.crs:
        raise StoreError("the layer has shapes but no reference system", hint="frame.set_crs(...)", layer=kind)
    if old is not None and old.crs and new.crs and _crs.parse(old.crs) != _crs.parse(new.crs):
        if shaped:
            raise StoreError(
                f"the store keeps this layer in {_crs.label(old.crs)}, the frame is in {_crs.label(new.crs)}",
                hint="bring it there first: geotools.crs.shift(frame, to) where the datum differs, frame.to_crs(...) where it does not",
                layer=kind,
            )
        new = Layout(new.columns, new.geometry, "", new.categories)
    if new.geometry and old is not None and old.columns.get(new.geometry, SHAPE) != SHAPE:
        raise StoreError(
            f"'{new.geometry}' is a plain column in the store and the geometry here", hint="rename it", layer=kind
        )
    return new if old is None else old.with_(new)


def _with_what_is_not_said(
    backend: Backend, kind: str, rows: Rows, frame: pd.DataFrame, old: Layout | None, heads: Mapping[str, Head]
) -> Rows:
    """A column that a frame does not have, and geometry if it has none, is not an edit: it stays as it is."""
    if old is None:
        return rows
    absent = [c for c, t in old.columns.items() if t != SHAPE and c != "id" and c not in frame.columns]
    plain = not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None
    if not (absent or (plain and old.geometry)):
        return rows
    there = [i for i in rows.ids if i in heads and heads[i].action != DELETED]
    kept = backend.rows(kind, ids=there)
    before = {i: (t, w) for i, t, w in zip(*kept, strict=True)}
    texts, wkbs = list(rows.texts), list(rows.wkbs)
    for place, id_ in enumerate(rows.ids):
        if id_ not in before:
            continue
        row, wkb = json.loads(before[id_][0]), before[id_][1]
        said = json.loads(texts[place])
        said |= {c: row[c] for c in absent if c in row}
        texts[place] = "{" + ",".join(f"{cells.text_of(c)}:{dumped(said[c])}" for c in sorted(said)) + "}"
        if plain and wkb is not None:
            wkbs[place] = iso(wkb)
    return Rows(rows.ids, texts, wkbs)


def dumped(plain: Any) -> str:
    """A parsed cell as the canonical text it came from."""
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def iso(wkb: bytes) -> bytes:
    """WKB in the form that is hashed, whatever form the database keeps."""
    return bytes(shapely.to_wkb(shapely.from_wkb(wkb), output_dimension=4, byte_order=1, flavor="iso"))


def _touched(
    backend: Backend, kind: str, new: Mapping[str, str], heads: Mapping[str, Head], base: int | None, made: Plan
) -> set[str]:
    """Ids that the writer really means to set; a row that others changed since and the writer too is a conflict.

    Even if both came to the same value: two clerks who each add one to a count of seven must not end at eight.
    """
    later = [i for i in new if base is not None and i in heads and heads[i].revision > base]
    if not later or base is None:
        return set(new)
    before = backend.hashes(kind, base, later)
    touched = set(new) - set(later)
    for id_ in later:
        head = heads[id_]
        if before.get(id_) == new[id_]:  # the writer has the old row only because the whole layer was loaded
            made.unchanged += head.hash == new[id_]
            made.outdated += head.hash != new[id_]
            continue
        what = "deleted" if head.action == DELETED else "changed" if id_ in before else "added"
        made.issues.append(
            Issue(
                "ST-04" if what == "deleted" else "ST-03", "error", kind, id_,
                message=f"{what} by someone else in revision {head.revision}, {'to the same as' if head.hash == new[id_] else 'and different'} here",
                value=f"revision {head.revision}", limit=f"revision {base}",
            )
        )  # fmt: skip
    return touched


def _missing(backend: Backend, kind: str, told: set[str], heads: Mapping[str, Head], base: int | None) -> list[str]:
    """Rows that a whole layer no longer has; those that others added since it was loaded were never in it."""
    gone = [i for i, h in heads.items() if h.action != DELETED and i not in told]
    later = [i for i in gone if base is not None and heads[i].revision > base]
    if not later or base is None:
        return gone
    known = backend.hashes(kind, base, later)
    return [i for i in gone if i not in later or i in known]


def _delete(backend: Backend, kind: str, ids: Sequence[str], base: int | None, made: Plan) -> None:
    if not ids:
        return
    heads = backend.heads(kind, list(ids))
    for id_ in sorted(set(ids)):
        head = heads.get(id_)
        if head is None or head.action == DELETED:
            made.issues.append(Issue("ST-05", "info", kind, id_, message="to be deleted, but not there"))
        elif base is not None and head.revision > base:
            made.issues.append(
                Issue("ST-03", "error", kind, id_, message=f"to be deleted here, changed by someone else in revision {head.revision}", value=f"revision {head.revision}", limit=f"revision {base}")
            )  # fmt: skip
        else:
            made.deleted += 1
            made.entries.append(
                Entry(0, 0, kind, id_, DELETED, head.entry, "{}", None, row_hash(kind, id_, DELETED, "{}", None))
            )
