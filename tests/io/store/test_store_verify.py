"""Tampering shows, history is sealed, older formats are brought up to date without touching what they recorded."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from geotools.io import store as stores
from geotools.io.store import chain
from geotools.model.errors import StoreError

WHO = {"author": "B. Clerk (synthetic)"}


def fill(store, make):
    store.save({"hazards": make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300))), "releases": make.frame(make.release())}, note="one", **WHO)  # fmt: skip
    store.save(make.frame(make.hazard("H-1", status="closed")), kind="hazards", note="two", **WHO)
    store.save({}, deleted={"hazards": ["H-2"]}, note="three", **WHO)


class Tampering:
    """Statements past the store, guards and seals taken away first, as someone with the file or the server would do."""

    def __init__(self, place):
        self.place = place

    def __call__(self, *statements):
        if self.place.startswith("postgresql"):
            import psycopg

            with psycopg.connect(self.place, autocommit=True) as db:
                db.execute("SET session_replication_role = replica")
                db.execute("SET search_path = geotools, public")
                for statement in statements:
                    db.execute(statement)
            return
        db = sqlite3.connect(self.place)
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            for table in ("revisions", "layouts", "history", "current"):
                statement = statement.replace(f" {table} ", f" store_{table} ").replace("geom =", "wkb =")
            db.execute(statement)
        db.commit()
        db.close()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE revisions SET author = 'Z' WHERE number = 1", "ST-10"),
        ("UPDATE revisions SET note = 'innocent' WHERE number = 2", "ST-10"),
        ("UPDATE revisions SET at = '2020-01-01T00:00:00Z' WHERE number = 2", "ST-10"),
        ("UPDATE history SET attributes = replace(attributes, 'closed', 'open') WHERE revision = 2", "ST-11"),
        ("UPDATE history SET geom = NULL WHERE revision = 1 AND id = 'R-1'", "ST-11"),
        ("UPDATE history SET id = 'H-7' WHERE revision = 2", "ST-11"),
        ("UPDATE history SET action = 'delete' WHERE revision = 2", "ST-11"),
        ("DELETE FROM history WHERE revision = 2", "ST-14"),
        ("DELETE FROM revisions WHERE number = 2", "ST-12"),
        ("DELETE FROM revisions WHERE number = 0", "ST-12"),
        ("UPDATE layouts SET layout = replace(layout, 'status', 'Status') WHERE kind = 'hazards'", "ST-14"),
        ("UPDATE current SET entry = 1 WHERE id = 'R-1'", "ST-13"),
        ("DELETE FROM current WHERE id = 'H-1'", "ST-13"),
        ("UPDATE history SET previous = 99 WHERE revision = 3", "ST-15"),
    ],
)
def test_every_tampering_shows(store, place, make, statement, code):
    fill(store, make)
    assert not len(store.verify())
    store.close()
    Tampering(place)(statement)
    with stores.open(place) as opened:
        found = opened.verify()
    assert code in set(found["check"]), found[["check", "message"]].to_numpy().tolist()
    assert set(found["severity"]) == {"error"}
    assert found["message"].str.len().min() > 20


def test_a_row_altered_with_its_hash_shows_in_the_revision_and_a_rewritten_chain_at_the_anchor(store, place, make):
    fill(store, make)
    anchor = store.head().hash
    whole = [r.hash for r in store._backend.revisions()]
    text = store._backend.versions("H-1")[1].attributes.replace("closed", "open")
    wkb = store._backend.versions("H-1")[1].wkb
    store.close()
    forged = chain.row_hash("hazards", "H-1", "save", text, shapely.to_wkb(shapely.from_wkb(wkb), byte_order=1))
    Tampering(place)(f"UPDATE history SET attributes = '{text}', hash = '{forged}' WHERE revision = 2 AND id = 'H-1'", f"UPDATE current SET hash = '{forged}' WHERE id = 'H-1'")  # fmt: skip
    with stores.open(place) as opened:
        assert "ST-14" in set(opened.verify()["check"])
        assert not len(opened.verify(anchor=anchor).query("check == 'ST-16'"))
    Tampering(place)("DELETE FROM revisions WHERE number = 3", "DELETE FROM history WHERE revision = 3")
    with stores.open(place) as opened:
        assert "ST-16" in set(opened.verify(anchor=anchor)["check"]), "the end was cut off"
        assert "ST-16" not in set(opened.verify(anchor=whole[2])["check"])


def test_history_is_sealed_against_plain_statements(store, place, make):
    fill(store, make)
    store.close()
    if place.startswith("postgresql"):
        import psycopg

        def run(statement):
            with psycopg.connect(place, autocommit=True) as db:
                db.execute(statement)

        tables, refusal = (
            ("geotools.history", "geotools.revisions", "geotools.layouts"),
            psycopg.errors.InsufficientPrivilege,
        )
    else:

        def run(statement):
            with closing(sqlite3.connect(place)) as db, db:
                db.execute(statement)

        tables, refusal = (
            ("store_history", "store_revisions", "store_layouts", "hazards", "store_current"),
            sqlite3.IntegrityError,
        )
    for table in tables:
        with pytest.raises(refusal, match=r"never changed|kept by a geotools store"):
            run(f"DELETE FROM {table}")
    with pytest.raises(refusal):
        run(f"UPDATE {tables[0]} SET attributes = '{{}}'")
    with stores.open(place) as opened:
        assert not len(opened.verify())


# ---- formats


def to_format_1(place):
    """A store as the first format had it: no pointer to the version before, no seals."""
    if place.startswith("postgresql"):
        import psycopg

        with psycopg.connect(place, autocommit=True) as db:
            db.execute("SET search_path = geotools, public")
            for table in ("history", "revisions", "layouts"):
                db.execute(f"DROP TRIGGER sealed ON {table}")
            db.execute("DROP TRIGGER follow ON history")
            db.execute("DROP TRIGGER next_revision ON revisions")
            db.execute("DROP FUNCTION follow, next_revision, may, sealed")
            db.execute("ALTER TABLE history DROP COLUMN previous")
            db.execute("UPDATE meta SET value = '1' WHERE key = 'format'")
        return
    db = sqlite3.connect(place)
    guards = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND (name LIKE 'store_guard%' OR name LIKE '%_sealed_%')"
    )
    for (name,) in db.execute(guards).fetchall():
        db.execute(f'DROP TRIGGER "{name}"')
    for name in ("store_history_previous", "store_history_first"):
        db.execute(f"DROP INDEX {name}")
    db.execute("ALTER TABLE store_history DROP COLUMN previous")
    db.execute("UPDATE store_meta SET value = '1' WHERE key = 'format'")
    db.commit()
    db.close()


def test_a_store_of_format_1_is_refused_with_words_then_brought_up_to_date_with_every_hash_as_it_was(
    store, place, make, clock
):
    fill(store, make)
    before, states = [r.hash for r in store._backend.revisions()], [store.load("hazards", as_of=n) for n in (1, 2, 3)]
    store.close()
    to_format_1(place)
    with pytest.raises(StoreError, match="format 1, an older one") as caught:
        stores.open(place)
    assert "store init" in caught.value.hint
    clock("2025-01-01")
    with stores.init(place, author="A. Officer (synthetic)") as new:
        assert [r.hash for r in new._backend.revisions()][:4] == before
        assert new.revisions()["what"].tolist() == ["init", "save", "save", "save", "migrate"]
        for number, state in zip((1, 2, 3), states, strict=True):
            assert_geodataframe_equal(new.load("hazards", as_of=number), state)
        assert not len(new.verify())
        assert new.history("H-1")["action"].tolist() == ["added", "changed"]
        new.save(make.frame(make.hazard("H-2")), kind="hazards", note="again", **WHO)
        assert not len(new.verify())
    with stores.init(place, author="A. Officer (synthetic)") as again:
        assert again.head().number == 5, "init of a store of today's format changes nothing"


def test_a_store_of_a_later_format_is_refused(store, place):
    store.close()
    Tampering(place)("UPDATE meta SET value = '99' WHERE key = 'format'" if place.startswith("postgresql") else "UPDATE store_meta SET value = '99' WHERE key = 'format'")  # fmt: skip
    with pytest.raises(StoreError, match="has format 99") as caught:
        stores.open(place)
    assert "newer" in caught.value.hint


def test_a_migration_that_fails_leaves_the_old_store_as_it_was(tmp_path, make, monkeypatch):
    from geotools.io.store import migrations

    place = str(tmp_path / "old.gpkg")
    with stores.init(place, author="a") as store:
        fill(store, make)
    to_format_1(place)
    shutil.copy(place, tmp_path / "copy.gpkg")
    monkeypatch.setattr(
        migrations, "geopackage_guards", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk is full"))
    )
    with pytest.raises(StoreError, match="disk is full"):
        stores.init(place, author="a")
    monkeypatch.undo()
    with closing(sqlite3.connect(place)) as one, closing(sqlite3.connect(tmp_path / "copy.gpkg")) as two:
        assert list(one.iterdump()) == list(two.iterdump())
    with stores.init(place, author="a") as new:
        assert not len(new.verify())
