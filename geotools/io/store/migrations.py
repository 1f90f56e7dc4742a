"""From one format of a store to the next: what is added is derived from what was there; no recorded fact is rewritten.

Format 1: revisions, layouts, history, current state. Format 2 adds to each version of a row the version it takes the place of
(which the database keeps unique, so that no history can fork), and guards against writing past the store.
"""

# ruff: noqa: S608  (identifiers are our own and quoted; every value is a parameter)

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from geotools.io.store import features
from geotools.io.store.chain import FORMAT
from geotools.model.errors import StoreError

SEALED = "the history of a store is never changed: it can only grow"


def require_format(meta: Mapping[str, str], where: object, *, any_format: bool = False) -> None:
    """Refuse a store of another format.

    Raises
    ------
    StoreError
        If the format is newer than this software, or older and not yet migrated.
    """
    text = meta.get("format", "")
    if not text.isdigit():
        raise StoreError("this is not a geotools store", hint="geotools store init makes one", file=where)
    if int(text) > FORMAT:
        raise StoreError(
            f"this store has format {text}; this version of geotools knows formats up to {FORMAT}",
            hint="use a newer geotools", file=where,
        )  # fmt: skip
    if int(text) < FORMAT and not any_format:
        raise StoreError(
            f"this store has format {text}, an older one", hint="keep a copy, then bring it up to date with  geotools store init", file=where
        )  # fmt: skip


def geopackage_guards(connection: sqlite3.Connection) -> None:
    """History grows and is never rewritten; all else is written by a saving store alone."""
    connection.execute(
        "CREATE UNIQUE INDEX store_history_previous ON store_history (previous) WHERE previous IS NOT NULL"
    )
    connection.execute("CREATE UNIQUE INDEX store_history_first ON store_history (kind, id) WHERE previous IS NULL")
    for table in ("store_revisions", "store_history", "store_layouts", "store_current"):
        features.guard(connection, table)
    for table in ("store_revisions", "store_history", "store_layouts"):
        for event in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {table}_sealed_{event.lower()} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{SEALED}'); END"
            )


def migrate_geopackage(connection: sqlite3.Connection, old: int) -> None:
    """Bring an open store to today's format, within the caller's transaction."""
    if old < 2:
        connection.execute("ALTER TABLE store_history RENAME TO store_history_1")
        connection.execute("DROP INDEX IF EXISTS store_history_revision")
        connection.execute(
            "CREATE TABLE store_history (entry INTEGER PRIMARY KEY, revision INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, action TEXT NOT NULL, "
            "previous INTEGER, attributes TEXT NOT NULL, wkb BLOB, hash TEXT NOT NULL, UNIQUE (kind, id, revision))"
        )
        connection.execute("CREATE INDEX store_history_revision ON store_history (revision)")
        connection.execute(
            "INSERT INTO store_history SELECT entry, revision, kind, id, action, "
            "lag(entry) OVER (PARTITION BY kind, id ORDER BY entry), attributes, wkb, hash FROM store_history_1"
        )
        connection.execute("DROP TABLE store_history_1")
        geopackage_guards(connection)
        for (kind,) in connection.execute(
            "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'"
        ).fetchall():
            features.guard(connection, kind)
    connection.execute("UPDATE store_meta SET value = ? WHERE key = 'format'", (str(FORMAT),))


def migrate_postgis(execute: Any, old: int) -> None:
    """Bring a server's store to today's format, within the caller's transaction; `execute` runs one statement in its schema."""
    if old < 2:
        execute("ALTER TABLE {s}.history ADD COLUMN previous bigint")
        execute(
            "UPDATE {s}.history h SET previous = p.before FROM (SELECT entry, lag(entry) OVER (PARTITION BY kind, id ORDER BY entry) AS before FROM {s}.history) p "
            "WHERE p.entry = h.entry AND p.before IS NOT NULL"
        )
    execute("UPDATE {s}.meta SET value = '" + str(FORMAT) + "' WHERE key = 'format'")
