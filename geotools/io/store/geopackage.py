"""A store in one GeoPackage: revisions and history in tables of their own, current state as feature tables for QGIS.

For one file on a laptop or a share, written by one program at a time; not for many users at once (see `postgis`).
The file is one file at rest (rollback journal, not WAL): what is copied to a stick is whole.
"""

# ruff: noqa: S608  (identifiers are our own and quoted; every value is a parameter)

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from geotools.io.store import chain, features, geopackage_schema, migrations
from geotools.io.store.backend import Box, Change, Rows
from geotools.io.store.cells import understood
from geotools.io.store.chain import DELETED, FORMAT, Entry, Head, Revision, stamp
from geotools.io.store.layout import Layout
from geotools.model.errors import StoreError, WriteError
from geotools.model.progress import tracked

WAIT_S = 60.0
SHOWN = ("store_revisions", "store_history", "store_layouts")
RESERVED = ("store_", "gpkg_", "rtree_", "sqlite_")


def is_store(path: Path) -> bool:
    """Whether a file is a GeoPackage store; one whose last writer was killed is put in order by looking."""
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 20)
    except OSError:
        return False
    if not head.startswith(b"SQLite format 3\x00"):
        return False
    try:  # not read-only: what a killed writer left behind must be rolled back before anything can be read
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT_S)
    except sqlite3.Error:
        return b"store_history" in head
    try:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'store_meta'").fetchone() is not None
    except (sqlite3.Error, UnicodeError):
        return b"store_history" in head  # damaged, locked or not to be rolled back here: opening it says what is wrong
    finally:
        connection.close()


def create(path: Path, meta: Mapping[str, str], first: Revision) -> None:
    """Write an empty store; only ever to a temporary path (see `atomic.replacing`)."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA application_id = 1196444487")
        connection.execute("PRAGMA user_version = 10300")
        connection.execute("BEGIN IMMEDIATE")
        for statement in geopackage_schema.TABLES.split(";\n"):
            connection.execute(statement)
        connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", geopackage_schema.SYSTEMS)
        features.place(connection, "", Layout({}, crs="EPSG:4326"))
        connection.executemany("INSERT INTO store_meta VALUES (?, ?)", list(meta.items()))
        for table in SHOWN:
            connection.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)",
                (table, table),
            )
        migrations.geopackage_guards(connection)
        connection.execute("INSERT INTO store_meta VALUES ('saving', '1')")
        _insert_revision(connection, first)
        connection.execute("DELETE FROM store_meta WHERE key = 'saving'")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        said = "the disk is full" if "full" in str(error) else f"writing failed ({error})"
        raise WriteError(
            f"{said}; nothing was changed", hint="make room, or choose another folder", file=path
        ) from error
    finally:
        connection.close()


def _insert_revision(connection: sqlite3.Connection, r: Revision) -> None:
    sources = json.dumps([dict(s) for s in r.sources], ensure_ascii=False, sort_keys=True)
    connection.execute(
        "INSERT INTO store_revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (r.number, stamp(r.at), r.author, r.note, r.what, r.account, r.base, sources, r.rows, r.content, r.previous, r.hash),
    )  # fmt: skip


def _revision(row: Sequence[Any]) -> Revision:
    with understood("a revision"):
        number, at, author, note, what, account, base, sources, rows, content, previous, hashed = row
        return Revision(
            int(number), datetime.fromisoformat(at), str(author), str(note), what, account, base, tuple(json.loads(sources)), rows, content, previous, hashed,
        )  # fmt: skip


class GeoPackage:
    """The `Backend` of a GeoPackage file."""

    def __init__(self, path: Path, *, any_format: bool = False) -> None:
        self.path = path
        self.address = self.label = path.name
        self._lock = threading.RLock()  # one connection: threads take turns
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False
            )  # fmt: skip
        except sqlite3.Error as error:
            self._refuse(error)
        try:  # a store that is refused is let go of at once: nobody else could
            self._prepare(any_format=any_format)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, *, any_format: bool) -> None:
        try:
            self._db.execute("PRAGMA synchronous = EXTRA")
            features.functions(self._db)
            meta = self.meta()
        except sqlite3.Error as error:
            self._refuse(error)
        migrations.require_format(meta, self.path, any_format=any_format)

    def _refuse(self, error: sqlite3.Error | UnicodeDecodeError) -> NoReturn:
        """Say what SQLite says in words a person can act on."""
        text = str(error)
        for sign, message, hint in (
            ("locked", "another program is writing this store, or holds it open for editing", "close it there (QGIS, a sync program) and try again"),
            ("readonly", "this store cannot be written here", "is the file or its folder write-protected, or open from a read-only place?"),
            ("unable to open", "this file cannot be opened", "is it there, and are you allowed to read and write it and its folder?"),
            ("disk is full", "the disk is full; nothing was saved", "make room and save again"),
            ("malformed", "this file is damaged", "take the last good copy; geotools store verify shows what history it holds"),
            ("not a database", "this is not a GeoPackage store", "geotools store init makes one"),
            ("within a transaction", "this store is being read or saved to by the same work", "let that come to its end first"),
            ("closed database", "this store was closed", "open it again"),
            ("no such table", "this is not a geotools store, or parts of it were taken away", "geotools store init makes one"),
            ("kept by a geotools store", features.MESSAGE, "geotools store save"),
        ):  # fmt: skip
            if sign in text:
                raise StoreError(message, hint=hint, file=self.path) from error
        raise StoreError(f"the database refuses ({text})", hint="nothing was changed", file=self.path) from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One unchanging view; other threads wait until it is given up."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            with self._transaction("BEGIN", "ROLLBACK"):
                yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The only writer, until all is committed or nothing is; other threads wait."""
        with self._lock, self._transaction("BEGIN IMMEDIATE", "COMMIT"):
            yield

    @contextmanager
    def _transaction(self, first: str, last: str) -> Iterator[None]:
        """What this call began, it ends; a transaction that was there before is not its business."""
        begun = False
        try:
            self._db.execute(first)
            begun = True
            yield
            self._db.execute(last)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._refuse(error)
        finally:
            if begun and self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def now(self) -> datetime:
        """The time by this machine's clock."""
        return chain.clock()

    def account(self) -> str:
        """A file has no accounts."""
        return ""

    def meta(self) -> dict[str, str]:
        """Name and format version."""
        return dict(self._db.execute("SELECT key, value FROM store_meta").fetchall())

    def revisions(self) -> list[Revision]:
        """All revisions in order."""
        return [_revision(row) for row in self._db.execute("SELECT * FROM store_revisions ORDER BY number")]

    def last(self) -> Revision:
        """The latest revision."""
        row = self._db.execute("SELECT * FROM store_revisions ORDER BY number DESC LIMIT 1").fetchone()
        if row is None:
            raise StoreError("this store has no revision at all: its history was taken away", file=self.path)
        return _revision(row)

    def layouts(self, revision: int) -> dict[str, str]:
        """Kind → layout in force at a revision."""
        rows = self._db.execute(
            "SELECT kind, layout FROM store_layouts WHERE revision <= ? ORDER BY revision", (revision,)
        )
        return dict(rows.fetchall())

    def layouts_of(self, revision: int) -> dict[str, str]:
        """Kind → layout that this very revision brought."""
        return dict(
            self._db.execute("SELECT kind, layout FROM store_layouts WHERE revision = ?", (revision,)).fetchall()
        )

    def heads(self, kind: str, ids: Sequence[str] | None = None) -> dict[str, Head]:
        """Latest version of each row, deleted ones included."""
        chosen, values = self._chosen("id", ids)
        rows = self._db.execute(
            f"SELECT id, entry, revision, action, hash FROM store_current WHERE kind = ?{chosen}", (kind, *values)
        )
        return {row[0]: Head(*row[1:]) for row in rows}

    def _chosen(self, column: str, ids: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
        """A condition on many ids, as one parameter."""
        if ids is None:
            return "", ()
        return f" AND {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)

    def rows(
        self,
        kind: str,
        revision: int | None = None,
        *,
        box: Box | None = None,
        ids: Sequence[str] | None = None,
        needles: Iterable[str] = (),
    ) -> Rows:
        """Rows that stood at a revision, by id."""
        chosen, given = self._chosen("h.id", ids)
        values: tuple[Any, ...] = given
        for needle in needles:
            chosen += " AND instr(h.attributes, ?) > 0"
            values += (needle,)
        if revision is None:
            inside = ""
            if box is not None:
                tree = features.quoted(f"rtree_{kind}_geom")
                inside = (
                    f" AND c.entry IN (SELECT id FROM {tree} WHERE minx <= ? AND maxx >= ? AND miny <= ? AND maxy >= ?)"
                )
                values += (box[2], box[0], box[3], box[1])
            rows = self._db.execute(
                "SELECT h.id, h.attributes, h.wkb FROM store_current c JOIN store_history h ON h.entry = c.entry "
                f"WHERE c.kind = ? AND c.action != '{DELETED}'{chosen}{inside} ORDER BY h.id",
                (kind, *values),
            ).fetchall()
        else:
            rows = self._db.execute(
                "SELECT h.id, h.attributes, h.wkb FROM store_history h "
                f"WHERE h.kind = ? AND h.revision <= ? AND h.action != '{DELETED}' AND NOT EXISTS "
                f"(SELECT 1 FROM store_history n WHERE n.previous = h.entry AND n.revision <= ?){chosen} ORDER BY h.id",
                (kind, revision, revision, *values),
            ).fetchall()
        return Rows([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])

    def hashes(self, kind: str, revision: int, ids: Sequence[str]) -> dict[str, str]:
        """Row hash of each of these rows as of a revision, where it stood then."""
        chosen, values = self._chosen("h.id", ids)
        rows = self._db.execute(
            "SELECT h.id, h.hash FROM store_history h "
            f"WHERE h.kind = ? AND h.revision <= ? AND h.action != '{DELETED}' AND NOT EXISTS "
            f"(SELECT 1 FROM store_history n WHERE n.previous = h.entry AND n.revision <= ?){chosen}",
            (kind, revision, revision, *values),
        )
        return dict(rows.fetchall())

    def entries(self, first: int, last: int) -> Iterator[Entry]:
        """History between two revisions, in order of entry."""
        rows = self._db.execute(
            "SELECT entry, revision, kind, id, action, previous, attributes, wkb, hash FROM store_history "
            "WHERE revision BETWEEN ? AND ? ORDER BY entry",
            (first, last),
        )
        return (Entry(*row) for row in rows)

    def versions(self, id: str, kind: str | None = None) -> list[Entry]:
        """All versions of one record."""
        rows = self._db.execute(
            "SELECT entry, revision, kind, id, action, previous, attributes, wkb, hash FROM store_history "
            "WHERE id = ? AND (? IS NULL OR kind = ?) ORDER BY kind, entry",
            (id, kind, kind),
        )
        return [Entry(*row) for row in rows]

    def next_entry(self) -> int:
        """The number of the next history entry."""
        return int(self._db.execute("SELECT coalesce(max(entry), 0) + 1 FROM store_history").fetchone()[0])

    def append(self, change: Change) -> None:
        """Add a revision; only within `writing`."""
        self._db.execute("INSERT OR REPLACE INTO store_meta VALUES ('saving', '1')")
        _insert_revision(self._db, change.revision)
        self._db.executemany(
            "INSERT INTO store_layouts (revision, kind, layout) VALUES (?, ?, ?)",
            [(change.revision.number, kind, text) for kind, text in sorted(change.layouts.items())],
        )
        told = tracked(change.entries, "writing versions", change.progress)
        self._db.executemany("INSERT INTO store_history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", told)
        self._db.executemany(
            "INSERT OR REPLACE INTO store_current VALUES (?, ?, ?, ?, ?, ?)",
            [(e.kind, e.id, e.entry, e.revision, e.action, e.hash) for e in change.entries],
        )
        layouts = self.layouts(change.revision.number)
        touched = sorted({e.kind for e in change.entries} | set(change.layouts))
        for kind in tracked(touched, "showing layers", change.progress):
            self._show(kind, Layout.from_text(layouts[kind]), [e for e in change.entries if e.kind == kind])
        self._db.execute("DELETE FROM store_meta WHERE key = 'saving'")

    def _show(self, kind: str, layout: Layout, entries: Sequence[Entry]) -> None:
        if kind.startswith(RESERVED):
            return
        kept, gone = [e for e in entries if e.action != DELETED], [e.id for e in entries]
        has, needs = features.needed(self._db, kind, [e.wkb for e in kept], gone)
        if has != needs:
            if has:
                features.drop(self._db, kind)
                kept = self._standing(kind)
            features.create(self._db, kind, needs)
        features.refresh(self._db, kind, kept, features.place(self._db, kind, layout), gone=gone)

    def _standing(self, kind: str) -> list[Entry]:
        """The latest version of every row that is not deleted."""
        rows = self._db.execute(
            "SELECT h.entry, h.revision, h.kind, h.id, h.action, h.previous, h.attributes, h.wkb, h.hash "
            "FROM store_current c JOIN store_history h ON h.entry = c.entry "
            f"WHERE c.kind = ? AND c.action != '{DELETED}' ORDER BY h.id",
            (kind,),
        )
        return [Entry(*row) for row in rows]

    def current_faults(self) -> list[tuple[str, str, str]]:
        """Where the current state or a feature table is not what history says."""
        latest = "SELECT kind, id, entry, revision, action, hash FROM store_history h WHERE NOT EXISTS (SELECT 1 FROM store_history n WHERE n.previous = h.entry)"
        current = "SELECT kind, id, entry, revision, action, hash FROM store_current"
        pairs = {
            (row[0], row[1])
            for one, other in ((latest, current), (current, latest))
            for row in self._db.execute(f"{one} EXCEPT {other}")
        }
        faults = [
            (*pair, "the current state does not point to the latest version of this row") for pair in sorted(pairs)
        ]
        for kind, text in self.layouts(self.last().number).items():
            if not kind.startswith(RESERVED):
                faults += self._feature_faults(kind, Layout.from_text(text))
        return faults

    def _feature_faults(self, kind: str, layout: Layout) -> list[tuple[str, str, str]]:
        try:
            shown = {
                row[2]: row
                for row in self._db.execute(
                    f"SELECT fid, geom, {', '.join(features.quoted(n) for n in ('id', *features.columns(kind), 'extra', 'revision'))} FROM {features.quoted(kind)}"
                )
            }
        except sqlite3.OperationalError:
            return [(kind, "", "the layer shown in QGIS is gone or was altered")]
        rows = self._db.execute(
            "SELECT h.id, h.attributes, h.wkb, h.entry, h.revision FROM store_current c JOIN store_history h ON h.entry = c.entry "
            f"WHERE c.kind = ? AND c.action != '{DELETED}'",
            (kind,),
        ).fetchall()
        srs = self._db.execute("SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = ?", (kind,)).fetchone()
        try:
            told = features.tuples(kind, [r[0] for r in rows], [r[1] for r in rows], [r[4] for r in rows])
            shapes = features.blobs([r[2] for r in rows], srs[0] if srs else 0)
        except Exception:
            return []  # a row that cannot even be read is reported by its hash
        expected = {t[0]: (r[3], blob, *t) for r, blob, t in zip(rows, shapes, told, strict=True)}
        message = "the layer shown in QGIS differs from the history of this row: it was changed outside the store"
        return [
            (kind, id_, message) for id_ in sorted(set(shown) | set(expected)) if shown.get(id_) != expected.get(id_)
        ]

    def close(self) -> None:
        """Let go of the file, when no other thread is at work on it."""
        with self._lock:
            self._db.close()


def bring_up_to_date(path: Path, note: Revision | None = None) -> None:
    """Migrate an older store within one transaction; nothing happens to one of today's format."""
    old = GeoPackage(path, any_format=True)
    try:
        if old.meta()["format"] != str(FORMAT):
            with old.writing():
                migrations.migrate_geopackage(old._db, int(old.meta()["format"]))
                if note is not None:
                    last = old.last()
                    old.append(Change(_after(last, note), {}, ()))
    finally:
        old.close()


def _after(last: Revision, note: Revision) -> Revision:
    following = {"number": last.number + 1, "at": max(last.at, note.at), "previous": last.hash}
    return Revision(**{**vars(note), **following}).sealed()
