"""`Store`: load, save, history, diff, restore, verify, the same over a GeoPackage and over PostGIS.

For working with a programme's records and all their former states; not for reading other files (see `io.reading`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Unpack

import geopandas as gpd
import pandas as pd
import shapely

from geotools.io.store import cells, comparing, moments, saving, verifying
from geotools.io.store.asked import PROGRAMME, More, said, source_of, wishes_of
from geotools.io.store.backend import Backend, Change
from geotools.io.store.chain import DELETED, SAVED, Entry, Revision, content_hash, row_hash
from geotools.io.store.layout import Layout
from geotools.model.errors import StoreError
from geotools.model.programme import Programme
from geotools.model.progress import Progress
from geotools.model.schema import KINDS, issues_frame
from geotools.space import crs as _crs

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Saved:
    """What a save did: the revision it made (the last one, if nothing changed) and the number of rows by outcome.

    ``outdated`` rows were left alone: the writer had not changed them, someone else had.

    Examples
    --------
    >>> import tempfile
    >>> from geotools.io.store import init
    >>> at = gpd.points_from_xy([47.0], [39.5])
    >>> with init(f"{tempfile.mkdtemp()}/programme.gpkg", author="A. Officer (synthetic)") as store:
    ...     done = store.save(gpd.GeoDataFrame({"id": ["P-1"]}, geometry=at, crs=4326), kind="places", note="first list", author="A")
    >>> done.added, done.changed, done.revision.number
    (1, 0, 1)
    """

    revision: Revision
    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    outdated: int = 0
    issues: gpd.GeoDataFrame = field(default_factory=issues_frame, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**{k: v for k, v in vars(self).items() if k != "issues"}, "revision": self.revision.to_dict()}


class Store:
    """The records of a programme with every former state; opened with `geotools.store.open`.

    Two times are kept apart. *Record time*: every save is a revision with a moment; ``as_of`` here asks what the store
    **knew** then. *Valid time*: the days that the records state themselves; ``geotools.coverage(..., as_of=)`` asks what was
    the case then, by the records given to it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from geotools.io.store import init
    >>> file = Path(tempfile.mkdtemp()) / "programme.gpkg"
    >>> at = gpd.points_from_xy([47.0], [39.5])
    >>> with init(file, author="A. Officer (synthetic)") as store:
    ...     first = store.save(gpd.GeoDataFrame({"id": ["P-1"], "name": ["x"]}, geometry=at, crs=4326), kind="places", note="first list", author="A")
    ...     second = store.save(pd.DataFrame({"id": ["P-1"], "name": ["y"]}), kind="places", note="name corrected", author="B")
    ...     store.load("places")["name"][0], store.load("places", as_of=1)["name"][0], len(store.verify())
    ('y', 'x', 0)
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def address(self) -> str:
        """File name or URL, never with a password."""
        return self._backend.address

    @property
    def label(self) -> str:
        """Short name for provenance: the file, or the database and schema, without host or user."""
        return self._backend.label

    @property
    def name(self) -> str:
        """Name of the programme."""
        with self._backend.reading():
            return self._backend.meta().get("name", "")

    def __repr__(self) -> str:
        return f"<Store {self.address}>"

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the server."""
        self._backend.close()

    # ---- reading

    def head(self) -> Revision:
        """The latest revision; its number is the ``base`` of an edit that begins now, its hash seals all before it."""
        with self._backend.reading():
            return self._backend.last()

    def revision(self, as_of: Any = None) -> Revision:
        """The revision in force at a moment (day: its end in UTC), or of that number; None: the latest.

        Raises
        ------
        StoreError
            If the store did not exist then.
        """
        if as_of is None:
            return self.head()
        with self._backend.reading():
            return moments.revision_at(self._backend.revisions(), as_of)

    def kinds(self, *, as_of: Any = None) -> list[str]:
        """Layers that the store has, or had."""
        number = self.revision(as_of).number
        with self._backend.reading():
            found = [k for k in self._backend.layouts(number) if k != PROGRAMME]
        order = list(KINDS)
        return sorted(found, key=lambda k: (order.index(k) if k in order else len(order), k))

    def load(
        self, kind: str, *, as_of: Any = None, where: Mapping[str, Any] | None = None, bbox: Region | None = None
    ) -> gpd.GeoDataFrame:
        """A layer as the store knows it, or knew it.

        Parameters
        ----------
        as_of
            Day, time, or number of a revision: the state after the latest revision then. None: now.
        where
            Column → value, or list of values, that a row must have (None: a missing value).
        bbox
            (west, south, east, north) in degrees WGS 84: rows whose bounding box meets it. Rows without geometry
            are in no box. For a layer in another system the box is enlarged to that system's axes, never reduced.

        Returns
        -------
        GeoDataFrame
            All columns ever saved, with their types; sorted by ``id``; geometry to the bit as saved.

        Raises
        ------
        StoreError
            If there is no such layer, or the store did not exist then.
        """
        with self._backend.reading():
            last = self._backend.last().number
            number = last if as_of is None else moments.revision_at(self._backend.revisions(), as_of).number
            text = self._backend.layouts(number).get(kind)
            if text is None:
                return self._empty(kind)
            layout = Layout.from_text(text)
            box = None if bbox is None else _box(bbox, layout)
            needles = [n for c, v in (where or {}).items() if (n := comparing.needle(c, v))]
            rows = self._backend.rows(kind, None if number == last else number, box=box, needles=needles)
        frame = layout.frame(*rows)
        keep = comparing.matching(frame, where or {})
        if box is not None:
            west, south, east, north = shapely.bounds(frame.geometry.array).T
            keep &= (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
        return frame if keep.all() else frame[keep].reset_index(drop=True)

    def _empty(self, kind: str) -> gpd.GeoDataFrame:
        if kind not in KINDS:
            raise StoreError(f"there is no layer '{kind}'", hint=f"layers are {', '.join(self.kinds()) or 'none yet'}")
        table = {name: pd.Series(dtype=object) for name in KINDS[kind].names}
        return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([], crs="EPSG:4326"))

    def programme(self, *, as_of: Any = None) -> Programme | None:
        """The programme's settings as they were kept, or None."""
        number = self.revision(as_of).number
        with self._backend.reading():
            if PROGRAMME not in self._backend.layouts(number):
                return None
            texts = self._backend.rows(PROGRAMME, number).texts
        return Programme.from_dict(cells.value_of(json.loads(texts[0]))["settings"]) if texts else None

    def revisions(self) -> pd.DataFrame:
        """All revisions, one per row: number, at (UTC), author, account, what, note, base, rows, sources, hash."""
        with self._backend.reading():
            found = self._backend.revisions()
        table = pd.DataFrame([r.to_dict() for r in found]).drop(columns=["content", "previous"])
        table["sources"] = [", ".join(str(s.get("name", "")) for s in r.sources) for r in found]
        table["base"] = table["base"].astype("Int64")
        return table.rename(columns={"number": "revision"}).assign(at=pd.to_datetime([r.at for r in found], utc=True))

    def history(self, id: str, *, kind: str | None = None) -> gpd.GeoDataFrame:
        """Every version of one record: revision, at, author, note, action, changed columns, then the record as it was.

        Where several kinds know the id and `kind` does not choose one, all of them, told apart by the column ``kind``.

        Raises
        ------
        StoreError
            If no record ever had this id.
        """
        with self._backend.reading():
            found = self._backend.versions(id, kind)
            revisions = {r.number: r for r in self._backend.revisions()}
            layouts = {k: Layout.from_text(t) for k, t in self._backend.layouts(max(revisions)).items()}
        if not found:
            raise StoreError(
                f"no record ever had the id '{id}'", hint="ids are exact: capital letters and blanks count"
            )
        with cells.understood("the history of this record"):
            return comparing.versions(found, revisions, layouts)

    def diff(self, old: Any, new: Any = None, *, kind: str | None = None) -> gpd.GeoDataFrame:
        """What changed between two revisions (or moments): one row per changed column of a record.

        Returns
        -------
        GeoDataFrame
            kind, id, change (added, changed, deleted), column, before, after, and the later geometry in WGS 84.
        """
        with self._backend.reading():
            known = self._backend.revisions()
            one = moments.revision_at(known, old).number
            two = known[-1].number if new is None else moments.revision_at(known, new).number
            low, high = sorted((one, two))
            touched: dict[str, set[str]] = {}
            for entry in self._backend.entries(low + 1, high):
                if entry.kind != PROGRAMME and kind in (None, entry.kind):
                    touched.setdefault(entry.kind, set()).add(entry.id)
            sides = [
                {k: self._backend.rows(k, number, ids=sorted(ids)) for k, ids in touched.items()}
                for number in (one, two)
            ]
            layouts = {k: Layout.from_text(t) for k, t in self._backend.layouts(high).items()}
        with cells.understood("the history of these layers"):
            return comparing.differences(sides[0], sides[1], layouts)

    def verify(self, *, anchor: str | None = None) -> gpd.GeoDataFrame:
        """Whether the history is whole: an ISSUES table, empty if every hash, pointer and layer agrees.

        Parameters
        ----------
        anchor
            Hash of a revision noted elsewhere (it stands in every provenance block): shows also if the end was cut off
            or the whole chain rewritten, which no store can show by itself.
        """
        with self._backend.reading():
            return verifying.verify(self._backend, anchor)

    # ---- writing

    def save(
        self,
        layers: pd.DataFrame | Mapping[str, pd.DataFrame],
        *,
        note: str,
        author: str,
        kind: str | None = None,
        base: int | None = None,
        **more: Unpack[More],
    ) -> Saved:
        """Save records as one revision, all or nothing.

        Rows are told apart by ``id``: new ones are added, differing ones changed, equal ones left alone. A column that the
        frame does not have is not an edit. Rows that the frame does not have stay, unless ``whole`` or ``deleted`` says
        otherwise; a deleted row leaves a tombstone, and its history stays.

        Parameters
        ----------
        layers
            A frame (with `kind`), or kind → frame.
        note, author
            Why, and who.
        base
            The revision on which the edit began: rows that someone else changed since are conflicts. None: on
            whatever is there now.
        **more
            See `More`.

        Returns
        -------
        Saved
            The revision, and how many rows were added, changed, deleted or left alone.

        Raises
        ------
        ConflictError
            If someone else changed the same rows since `base`; ``issues`` lists them, nothing was saved.
        StoreError
            If rows have no id or the same one, or the database refuses; nothing was saved.
        """
        wishes = wishes_of(layers, kind, more)
        known: dict[str, Any] = {"note": said(note, "note", empty=True), "author": said(author, "author")}
        sources = tuple(source_of(s) for s in more.get("sources") or ())
        with self._backend.writing():
            last = self._backend.last()
            if base is not None and not 0 <= base <= last.number:
                raise StoreError(f"there is no revision {base}", hint=f"the latest is {last.number}")
            plan = saving.plan(self._backend, wishes, base, last.number + 1, progress=more.get("progress"))
            plan.issues += moments.ahead(last, self._backend.now())
            if not plan.entries and not plan.layouts:
                return Saved(last, unchanged=plan.unchanged, outdated=plan.outdated, issues=issues_frame(plan.issues))
            known = {**known, "base": base, "sources": sources}
            made = self._append(last, plan.entries, plan.layouts, progress=more.get("progress"), **known)
        counts = {n: getattr(plan, n) for n in ("added", "changed", "deleted", "unchanged", "outdated")}
        return Saved(made, **counts, issues=issues_frame(plan.issues))

    def restore(self, as_of: Any, *, note: str, author: str, progress: Progress | None = None) -> Saved:
        """Make the state of a former revision (or moment) the current one, as a new revision; nothing is taken out of history.

        Raises
        ------
        StoreError
            If there is no such revision, or the database refuses.
        """
        known = {"note": said(note, "note", empty=True), "author": said(author, "author")}
        with self._backend.writing():
            last = self._backend.last()
            then = moments.revision_at(self._backend.revisions(), as_of)
            entries, layouts, counts = self._back_to(then.number, last.number)
            if not entries and not layouts:
                return Saved(last)
            issues = moments.ahead(last, self._backend.now())
            made = self._append(last, entries, layouts, progress=progress, what="restore", base=then.number, **known)
        return Saved(made, **counts, issues=issues_frame(issues))

    def _back_to(self, then: int, last: int) -> tuple[list[Entry], dict[str, str], dict[str, int]]:
        """Entries that lead back to a former state."""
        start = self._backend.next_entry()
        entries: list[Entry] = []
        before, now_ = self._backend.layouts(then), self._backend.layouts(last)
        counts = {"added": 0, "changed": 0, "deleted": 0}
        for kind in sorted(now_):
            rows = self._backend.rows(kind, then) if kind in before else ([], [], [])
            heads = self._backend.heads(kind)
            there = set(rows[0])
            for id_, text, blob in zip(*rows, strict=True):
                wkb = None if blob is None else saving.iso(blob)
                hashed, head = row_hash(kind, id_, SAVED, text, wkb), heads[id_]
                if head.hash != hashed:
                    counts["added" if head.action == DELETED else "changed"] += 1
                    entries.append(Entry(0, 0, kind, id_, SAVED, head.entry, text, wkb, hashed))
            for id_, head in sorted(heads.items()):
                if id_ not in there and head.action != DELETED:
                    counts["deleted"] += 1
                    hashed = row_hash(kind, id_, DELETED, "{}", None)
                    entries.append(Entry(0, 0, kind, id_, DELETED, head.entry, "{}", None, hashed))
        entries.sort(key=lambda e: (e.kind, e.id))
        layouts = {k: t for k, t in before.items() if now_[k] != t}
        return [e._replace(entry=start + n, revision=last + 1) for n, e in enumerate(entries)], layouts, counts

    def _append(
        self,
        last: Revision,
        entries: Sequence[Entry],
        layouts: Mapping[str, str],
        *,
        progress: Progress | None = None,
        **known: Any,
    ) -> Revision:
        content = content_hash(((e.kind, e.id, e.hash) for e in entries), sorted(layouts.items()))
        at = max(self._backend.now(), last.at)  # a clock that was set back does not turn history round
        revision = Revision(
            number=last.number + 1, at=at, account=self._backend.account(), rows=len(entries), content=content, previous=last.hash, **known
        ).sealed()  # fmt: skip
        self._backend.append(Change(revision, layouts, entries, progress))
        return revision


def _box(region: Region, layout: Layout) -> Region:
    west, south, east, north = (float(v) for v in region)
    if not (west <= east and south <= north):
        raise StoreError("a region is (west, south, east, north) in degrees", hint="west ≤ east and south ≤ north")
    system = _crs.parse(layout.crs or "EPSG:4326")
    if system == _crs.parse("EPSG:4326"):
        return west, south, east, north
    edges = _crs.transformer("EPSG:4326", system).transform_bounds(west, south, east, north, densify_pts=51)
    return float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])
