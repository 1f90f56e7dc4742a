"""A store on a PostGIS server: many users, roles, spatial and time indexes; the rules are the database's own.

For `store` to work over; statements that make the tables are in `postgis_schema`. Needs the extra ``postgis`` (psycopg 3).
"""

# ruff: noqa: S608  (statements are composed by psycopg.sql; every value is a parameter)

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NoReturn

from geotools.io.store import address, migrations, postgis_schema
from geotools.io.store.backend import Box, Change, Rows
from geotools.io.store.chain import FORMAT, Entry, Head, Revision
from geotools.io.store.layout import Layout
from geotools.io.store.postgis_rows import entry_of, ewkb, revision_of, statements_of
from geotools.model.errors import StoreError, need
from geotools.model.progress import tracked

LOGGER = logging.getLogger(__name__)
WAIT_S = 120
BLOCK = 5000
STOOD = "h.kind = %s AND h.revision <= %s AND h.action <> 'delete' AND NOT EXISTS (SELECT 1 FROM {s}.history n WHERE n.previous = h.entry AND n.revision <= %s)"
ENTRY = "entry, revision, kind, id, action, previous, attributes, geom, hash"


class PostGIS:
    """The `Backend` of a PostGIS database."""

    def __init__(self, url: str, *, any_format: bool = False) -> None:
        self._lock = threading.RLock()  # one connection: threads take turns
        self._psycopg = need("psycopg", "postgis")
        self._sql = need("psycopg.sql", "postgis")
        self._url, self._schema = address.split(url)
        self.address, self.label = address.redacted(url), address.label(url)
        self._db: Any = self._connect()
        self._depth, self._extension = 0, ""
        self._codes: dict[str, int] = {}
        try:
            meta = self.meta()
        except self._psycopg.Error as error:
            self.close()
            if isinstance(error, self._psycopg.errors.UndefinedTable | self._psycopg.errors.InvalidSchemaName):
                raise StoreError("there is no store in this database", hint="geotools store init makes one", file=self.address) from None  # fmt: skip
            self._refuse(error)
        try:
            migrations.require_format(meta, self.address, any_format=any_format)
        except StoreError:
            self.close()
            raise

    # ---- connection

    def _connect(self) -> Any:
        try:
            connection = self._psycopg.connect(
                self._url, autocommit=True, connect_timeout=15, application_name="geotools", options="-c TimeZone=UTC -c client_encoding=UTF8"
            )  # fmt: skip
        except self._psycopg.Error as error:
            said = address.without_secrets(str(error).strip(), self._url)
            raise StoreError(
                f"the server cannot be reached or refuses ({said.splitlines()[-1] if said else 'no reason given'})",
                hint="check host, port, database, user and .pgpass", file=self.address,
            ) from None  # fmt: skip
        LOGGER.debug("connected to %s", self.address)
        return connection

    def _refuse(self, error: Any) -> NoReturn:
        """Say what the server says in words a person can act on; never with a password."""
        errors = self._psycopg.errors
        detail = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
        said = address.without_secrets(detail.strip(), self._url).splitlines()
        text = said[0] if said else type(error).__name__
        if isinstance(error, errors.InsufficientPrivilege):
            raise StoreError(f"your account may not do this ({text})", hint="ask for the role <schema>_team or <schema>_officer", file=self.address) from None  # fmt: skip
        if isinstance(error, errors.LockNotAvailable | errors.QueryCanceled):
            raise StoreError("someone else has been saving for a long time; nothing was saved", hint="try again", file=self.address) from None  # fmt: skip
        if isinstance(error, errors.SerializationFailure | errors.UniqueViolation):
            raise StoreError(f"someone else saved at the same moment ({text}); nothing was saved", hint="try again", file=self.address) from None  # fmt: skip
        if isinstance(error, self._psycopg.OperationalError | self._psycopg.InterfaceError):
            raise StoreError("the connection to the server was lost; nothing was saved", hint="try again when the server answers: the store is as it was", file=self.address) from None  # fmt: skip
        raise StoreError(f"the database refuses ({text}); nothing was saved", file=self.address) from None

    def _run(self, statement: str, values: Sequence[Any] = (), **names: Any) -> Any:
        """Run one statement; ``{s}`` is the schema, values are parameters."""
        composed = self._sql.SQL(statement).format(s=self._sql.Identifier(self._schema), **names)
        cursor = self._db.cursor(binary=True)
        return cursor.execute(composed, tuple(values)) if values else cursor.execute(composed)

    def _ready(self) -> None:
        if self._db.closed or self._db.broken:
            with suppress(Exception):
                self._db.close()
            self._db = self._connect()

    @contextmanager
    def _transaction(self, first: str) -> Iterator[None]:
        with self._lock:  # `_depth` belongs to the thread that holds it: others wait
            if self._depth:
                yield
                return
            with self._begun(first):
                yield

    def _begin(self) -> None:
        """Begin; an idle connection that the server dropped meanwhile is made anew, once: nothing was under way on it."""
        self._ready()
        try:
            self._db.execute("BEGIN")
        except self._psycopg.OperationalError:
            self._ready()
            self._db.execute("BEGIN")

    @contextmanager
    def _begun(self, first: str) -> Iterator[None]:
        ending = False
        self._depth += 1
        try:
            self._begin()
            self._db.execute(first)
            yield
            ending = True
            self._db.execute("COMMIT")
        except self._psycopg.Error as error:
            if ending and (self._db.broken or self._db.closed):
                raise StoreError(
                    "the connection was lost at the very moment of saving: the save is whole or not there at all",
                    hint="geotools store history STORE shows whether the revision arrived", file=self.address,
                ) from None  # fmt: skip
            self._refuse(error)
        finally:
            self._depth -= 1
            if not (self._db.closed or self._db.broken):
                status = self._psycopg.pq.TransactionStatus
                if self._db.info.transaction_status != status.IDLE:
                    with suppress(self._psycopg.Error):
                        self._db.execute("ROLLBACK")

    def reading(self) -> Any:
        """One unchanging view."""
        return self._transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The only writer of this schema, until all is committed or nothing is."""
        with self._lock:
            if self._depth:
                raise StoreError("this store is being read or saved to by the same work", hint="let that come to its end first", file=self.address)  # fmt: skip
            with self._sole():
                yield

    @contextmanager
    def _sole(self) -> Iterator[None]:
        with self._transaction(f"SET LOCAL lock_timeout = '{WAIT_S}s'"):
            self._run("SELECT pg_advisory_xact_lock(hashtext('geotools store'), hashtext(%s))", (self._schema,))
            yield

    def now(self) -> datetime:
        """The time by the server's clock: the same for everyone who saves."""
        found: datetime = self._run("SELECT clock_timestamp()").fetchone()[0]
        return found.astimezone(UTC).replace(microsecond=0)

    def account(self) -> str:
        """The account at work, as the server knows it."""
        return str(self._run("SELECT session_user::text").fetchone()[0])

    def close(self) -> None:
        """Let go of the server, when no other thread is at work on it."""
        with self._lock:
            self._db.close()

    # ---- reading

    def meta(self) -> dict[str, str]:
        """Name and format version."""
        return dict(self._run("SELECT key, value FROM {s}.meta").fetchall())

    def revisions(self) -> list[Revision]:
        """All revisions in order."""
        return [revision_of(row) for row in self._run("SELECT * FROM {s}.revisions ORDER BY number").fetchall()]

    def last(self) -> Revision:
        """The latest revision."""
        row = self._run("SELECT * FROM {s}.revisions ORDER BY number DESC LIMIT 1").fetchone()
        if row is None:
            raise StoreError("this store has no revision at all: its history was taken away", file=self.address)
        return revision_of(row)

    def layouts(self, revision: int) -> dict[str, str]:
        """Kind → layout in force at a revision."""
        return dict(self._run("SELECT DISTINCT ON (kind) kind, layout FROM {s}.layouts WHERE revision <= %s ORDER BY kind, revision DESC", (revision,)).fetchall())  # fmt: skip

    def layouts_of(self, revision: int) -> dict[str, str]:
        """Kind → layout that this very revision brought."""
        return dict(self._run("SELECT kind, layout FROM {s}.layouts WHERE revision = %s", (revision,)).fetchall())

    def heads(self, kind: str, ids: Sequence[str] | None = None) -> dict[str, Head]:
        """Latest version of each row, deleted ones included."""
        chosen, values = (" AND id = ANY(%s)", [list(ids)]) if ids is not None else ("", [])
        rows = self._run("SELECT id, entry, revision, action, hash FROM {s}.current WHERE kind = %s" + chosen, (kind, *values))  # fmt: skip
        return {row[0]: Head(*row[1:]) for row in rows}

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
        extra: list[tuple[str, Any]] = []
        if ids is not None:
            extra.append(("h.id = ANY(%s)", list(ids)))
        extra += [("strpos(h.attributes, %s) > 0", needle) for needle in needles]
        if box is not None:
            corners = json.dumps({"type": "Polygon", "coordinates": [[[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]], [box[0], box[1]]]]})  # fmt: skip
            extra.append(("h.geom && {g}.ST_SetSRID({g}.ST_GeomFromGeoJSON(%s), {srid})", corners))
        more = "".join(f" AND {text}" for text, _ in extra)
        values = [value for _, value in extra]
        if revision is None:
            statement = "SELECT h.id, h.attributes, h.geom FROM {s}.history h JOIN {s}.current c ON c.kind = h.kind AND c.id = h.id AND c.entry = h.entry WHERE h.kind = %s AND h.action <> 'delete'"
            known: list[Any] = [kind]
        else:
            statement, known = (
                "SELECT h.id, h.attributes, h.geom FROM {s}.history h WHERE " + STOOD,
                [kind, revision, revision],
            )
        names = (
            {"g": self._sql.Identifier(self._postgis()), "srid": self._sql.Literal(self._srid(kind))}
            if box is not None
            else {}
        )
        found = self._run(statement + more + ' ORDER BY h.id COLLATE "C"', (*known, *values), **names).fetchall()
        return Rows(
            [r[0] for r in found], [r[1] for r in found], [None if r[2] is None else bytes(r[2]) for r in found]
        )

    def _postgis(self) -> str:
        """The schema in which PostGIS is installed; asked once."""
        if not self._extension:
            row = self._run(
                "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'"
            ).fetchone()
            self._extension = str(row[0]) if row else ""
        return self._extension or "public"

    def _srid(self, kind: str) -> int:
        """The code of a layer's system; it never changes once a layer has one."""
        if not self._codes.get(kind):
            text = self.layouts(2**62).get(kind)
            self._codes[kind] = 0 if text is None else Layout.from_text(text).epsg or 0
        return self._codes[kind]

    def hashes(self, kind: str, revision: int, ids: Sequence[str]) -> dict[str, str]:
        """Row hash of each of these rows as of a revision, where it stood then."""
        found = self._run("SELECT h.id, h.hash FROM {s}.history h WHERE " + STOOD + " AND h.id = ANY(%s)", (kind, revision, revision, list(ids)))  # fmt: skip
        return dict(found.fetchall())

    def entries(self, first: int, last: int) -> Iterator[Entry]:
        """History between two revisions, in order of entry, a block at a time."""
        done = -1
        while True:
            found = self._run(
                f"SELECT {ENTRY} FROM {{s}}.history WHERE revision BETWEEN %s AND %s AND entry > %s ORDER BY entry LIMIT %s",
                (first, last, done, BLOCK),
            ).fetchall()
            yield from (entry_of(row) for row in found)
            if len(found) < BLOCK:
                return
            done = found[-1][0]

    def versions(self, id: str, kind: str | None = None) -> list[Entry]:
        """All versions of one record."""
        kinds = [kind] if kind else sorted(self.layouts(2**62))
        found = self._run(
            f"SELECT {ENTRY} FROM {{s}}.history WHERE kind = ANY(%s) AND id = %s ORDER BY kind, entry", (kinds, id)
        )
        return [entry_of(row) for row in found.fetchall()]

    def next_entry(self) -> int:
        """The number of the next history entry."""
        return int(self._run("SELECT coalesce(max(entry), 0) + 1 FROM {s}.history").fetchone()[0])

    def current_faults(self) -> list[tuple[str, str, str]]:
        """Where the current state is not what history says."""
        latest = "SELECT kind, id, entry, revision, action, hash FROM {s}.history h WHERE NOT EXISTS (SELECT 1 FROM {s}.history n WHERE n.previous = h.entry)"
        current = "SELECT kind, id, entry, revision, action, hash FROM {s}.current"
        pairs = {
            (row[0], row[1])
            for one, other in ((latest, current), (current, latest))
            for row in self._run(f"({one}) EXCEPT ({other})").fetchall()
        }
        message = "the current state of this row is not its latest version"
        return [(*pair, message) for pair in sorted(pairs)]

    # ---- writing

    def append(self, change: Change) -> None:
        """Add a revision; only within `writing`."""
        r = change.revision
        sources = json.dumps([dict(s) for s in r.sources], ensure_ascii=True, sort_keys=True)
        self._run(
            "INSERT INTO {s}.revisions VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (r.number, r.at, r.author, r.note, r.what, r.account, r.base, sources, r.rows, r.content, r.previous, r.hash),
        )  # fmt: skip
        for kind, text in sorted(change.layouts.items()):
            self._run("INSERT INTO {s}.layouts VALUES (%s, %s, %s)", (r.number, kind, text))
        if not change.entries:
            return
        statement = self._sql.SQL("COPY {s}.history (" + ENTRY + ") FROM STDIN").format(
            s=self._sql.Identifier(self._schema)
        )
        codes = {kind: Layout.from_text(text).epsg or 0 for kind, text in self.layouts(r.number).items()}
        shapes = ewkb([e.wkb for e in change.entries], [codes[e.kind] for e in change.entries])
        with self._db.cursor() as cursor, cursor.copy(statement) as copy:
            rows = zip(change.entries, shapes, strict=True)
            for e, shape in tracked(rows, "writing versions", change.progress, len(change.entries)):
                copy.write_row((*e[:7], shape, e.hash))

    # ---- making

    @classmethod
    def init(
        cls, url: str, meta: Mapping[str, str], first: Revision, *, note: Revision | None = None, roles: bool = False
    ) -> PostGIS:
        """Make a store, or bring an older one up to date; with `roles` also (again) the three roles and their rights."""
        made = cls.__new__(cls)
        made._lock = threading.RLock()
        made._psycopg = need("psycopg", "postgis")
        made._sql = need("psycopg.sql", "postgis")
        made._url, made._schema = address.split(url)
        made.address, made.label, made._depth = address.redacted(url), address.label(url), 0
        made._extension, made._codes = "", {}
        made._db = made._connect()
        try:
            with made._transaction(f"SET LOCAL lock_timeout = '{WAIT_S}s'"):
                made._run("SELECT pg_advisory_xact_lock(hashtext('geotools store'), hashtext(%s))", (made._schema,))
                there = made._run("SELECT to_regclass(%s) IS NOT NULL", (f'"{made._schema}".meta',)).fetchone()[0]
                if there:
                    made._migrate(note)
                else:
                    made._make(meta, first)
                if roles:
                    made._make_roles()
        finally:
            made.close()
        return cls(url)

    def _statements(self, text: str) -> None:
        names = {name: self._sql.Identifier(f"{self._schema}_{name}") for name in postgis_schema.NAMES}
        for statement in statements_of(text):
            self._run(
                statement, g=self._sql.Identifier(self._postgis()), history=self._sql.Literal(f'"{self._schema}".history'),
                officer_name=self._sql.Literal(f"{self._schema}_officer"), **names,
            )  # fmt: skip

    def _make(self, meta: Mapping[str, str], first: Revision) -> None:
        if not self._run("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone():
            self._run("CREATE EXTENSION postgis")
        self._run("CREATE SCHEMA IF NOT EXISTS {s}")
        self._statements(postgis_schema.TABLES)
        self._run("ALTER TABLE {s}.history ADD COLUMN previous bigint")
        self._statements(postgis_schema.RULES)
        for key, value in meta.items():
            self._run("INSERT INTO {s}.meta VALUES (%s, %s)", (key, value))
        self.append(Change(Revision(**{**vars(first), "at": self.now(), "account": self.account()}).sealed(), {}, ()))

    def _migrate(self, note: Revision | None) -> None:
        meta = self.meta()
        migrations.require_format(meta, self.address, any_format=True)
        if meta["format"] == str(FORMAT):
            return
        migrations.migrate_postgis(self._run, int(meta["format"]))
        self._statements(postgis_schema.RULES)
        if note is not None:
            last = self.last()
            following = {
                "number": last.number + 1,
                "at": max(last.at, self.now()),
                "previous": last.hash,
                "account": self.account(),
            }
            self.append(Change(Revision(**{**vars(note), **following}).sealed(), {}, ()))

    def _make_roles(self) -> None:
        for name in postgis_schema.NAMES:
            role = f"{self._schema}_{name}"
            if not self._run("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                self._run("CREATE ROLE {role} NOLOGIN", role=self._sql.Identifier(role))
        self._statements(postgis_schema.ROLES)
