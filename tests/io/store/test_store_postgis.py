"""What only a server does: roles, rules that the database keeps itself, lost connections, addresses without passwords."""

from __future__ import annotations

import logging
import sys
import threading
import traceback

import pytest

from geotools.io import store as stores
from geotools.io.store import address
from geotools.model.errors import MissingLibraryError, StoreError

pytestmark = pytest.mark.postgis
WHO = {"author": "B. Clerk (synthetic)"}


@pytest.fixture
def url(postgis_url):
    return postgis_url


@pytest.fixture
def people(url, make, cluster):
    """A store with three roles and one account in each, and one in none."""
    with stores.init(url, author="a", roles=True) as store:
        store.save(make.frame(make.hazard("H-1"), make.hazard("H-2")), kind="hazards", note="n", **WHO)
    accounts = {}
    for role in ("reader", "team", "officer", "stranger"):
        name = f"{role}_of_{url.split('/')[3].split('?')[0]}"
        cluster.run(f"CREATE ROLE {name} LOGIN")
        if role != "stranger":
            cluster.run(f"GRANT geotools_{role} TO {name}")
        accounts[role] = url.replace("//owner@", f"//{name}@")
    yield accounts
    for account in accounts.values():
        name = account.split("//")[1].split("@")[0]
        cluster.run(f"DROP OWNED BY {name}")
        cluster.run(f"DROP ROLE {name}")


def test_who_may_do_what(people, make):
    new = make.frame(make.hazard("H-3"))
    with stores.open(people["reader"]) as store:
        assert len(store.load("hazards")) == len(store.load("hazards", as_of=1)) == 2
        assert not len(store.verify())
        assert len(store.history("H-1")) == 1
        with pytest.raises(StoreError, match="may not do this"):
            store.save(new, kind="hazards", note="n", **WHO)
        assert store.head().number == 1, "the connection goes on"
    with stores.open(people["team"]) as store:
        assert store.save(new, kind="hazards", note="n", **WHO).added == 1
        assert store.head().account.startswith("team_of"), "the account is recorded by the server"
        with pytest.raises(StoreError, match="only an officer may delete"):
            store.save({}, deleted={"hazards": ["H-3"]}, note="n", **WHO)
        with pytest.raises(StoreError, match="only an officer may restore"):
            store.restore(1, note="n", **WHO)
    with stores.open(people["officer"]) as store:
        assert store.save({}, deleted={"hazards": ["H-3"]}, note="n", **WHO).deleted == 1
        assert store.restore(2, note="n", **WHO).added == 1
        assert not len(store.verify())
    with pytest.raises(StoreError, match="may not do this"):
        stores.open(people["stranger"])


def test_no_account_but_the_owner_can_change_history_and_the_owner_must_break_the_seal_first(people, url):
    import psycopg

    statements = [
        f"{verb} geotools.{table}{rest}"
        for table in ("history", "revisions", "layouts", "current", "meta")
        for verb, rest in (("DELETE FROM", ""), ("TRUNCATE", ""), ("ALTER TABLE", " ADD x int"), ("DROP TABLE", ""))
    ]
    statements += [
        "UPDATE geotools.history SET attributes = '{}'",
        "UPDATE geotools.current SET entry = 1",
        "UPDATE geotools.meta SET value = '9'",
    ]
    statements += [
        "INSERT INTO geotools.current SELECT * FROM geotools.current",
        "DROP TRIGGER sealed ON geotools.history",
        "CREATE TABLE geotools.x (y int)",
    ]
    for role in ("reader", "team", "officer"):
        with psycopg.connect(people[role], autocommit=True) as db:
            for statement in statements:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    db.execute(statement)
    with psycopg.connect(url, autocommit=True) as db:
        for verb in (
            "UPDATE geotools.history SET id = 'x'",
            "DELETE FROM geotools.revisions",
            "TRUNCATE geotools.history",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
                db.execute(verb)


def test_the_database_itself_refuses_a_fork_a_gap_and_a_false_name(people):
    import psycopg

    row = "INSERT INTO geotools.revisions VALUES ({number}, now() + interval '1 day', 'x', 'n', '{what}', '{who}', NULL, '[]', 0, 'c', '{previous}', 'h')"
    with psycopg.connect(people["team"], autocommit=True) as db:
        head = db.execute("SELECT hash FROM geotools.revisions ORDER BY number DESC LIMIT 1").fetchone()[0]
        me = db.execute("SELECT session_user::text").fetchone()[0]
        for number, who, what, previous in (
            (1, me, "save", head),
            (3, me, "save", head),
            (2, me, "save", "0"),
            (2, "owner", "save", head),
            (2, me, "restore", head),
        ):
            with pytest.raises((psycopg.errors.SerializationFailure, psycopg.errors.InsufficientPrivilege)):
                db.execute(row.format(number=number, who=who, what=what, previous=previous))
        entry = "INSERT INTO geotools.history (entry, revision, kind, id, action, attributes, hash, previous) VALUES (99, 1, 'hazards', 'H-1', 'save', '{{}}', 'h', {})"
        for previous in ("NULL", "2", "77"):
            with pytest.raises((psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation)):
                db.execute(entry.format(previous))


def test_several_stores_in_one_database_and_names_that_are_no_names(url, make):
    with stores.init(f"{url}&schema=north", author="a") as north, stores.init(url, author="a") as other:
        north.save(make.frame(make.hazard()), kind="hazards", note="n", **WHO)
        assert other.kinds() == []
    for name in ('x"; DROP SCHEMA public; --', "A", "1a", "", "x" * 60):
        with pytest.raises(StoreError, match="cannot be the name"):
            stores.open(f"{url}&schema={name}")
    with pytest.raises(StoreError, match="no store in this database"):
        stores.open(f"{url}&schema=south")


SECRET = "hunt3r%21two"


@pytest.mark.parametrize(
    "bad",
    [
        f"postgresql://officer:{SECRET}@127.0.0.1:1/db", f"postgresql://officer:{SECRET}@/db?host=/nowhere&password={SECRET}x", f"postgresql://officer:{SECRET}@[::1/db",
        f"postgresql://officer:{SECRET}@127.0.0.1:notaport/db", f"postgresql://officer:{SECRET}@h/db?nonsense=1", f"postgres://officer:{SECRET}@127.0.0.1:1/db%zz",
    ],
)  # fmt: skip
def test_a_password_is_in_no_message_no_log_and_no_trace(bad, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreError) as caught:
        stores.open(bad)
    told = (
        "".join(traceback.format_exception(caught.value))
        + caplog.text
        + str(caught.value.file)
        + repr(caught.value.__reduce__())
    )
    for form in (SECRET, "hunt3r!two", "hunt3r"):
        assert form not in told, told
    assert caught.value.__cause__ is None
    assert caught.value.hint


def test_an_open_store_shows_no_password(cluster, url, caplog):
    caplog.set_level(logging.DEBUG)
    with_password = url.replace("//owner@", f"//owner:{SECRET}@")
    with stores.init(with_password, author="a") as store:
        assert SECRET not in repr(store) + store.address + store.label + caplog.text
        assert "hunt3r" not in repr(store) + store.address + store.label + caplog.text
        with pytest.raises(StoreError) as caught:
            store._backend._refuse(
                store._backend._psycopg.ProgrammingError(f"odd words of a driver: hunt3r!two {with_password}")
            )
        assert "hunt3r" not in str(caught.value)
    assert address.redacted(with_password).startswith("postgresql://owner@/")


def test_without_the_extra_the_way_to_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingLibraryError) as caught:
        stores.open("postgresql://db/programme")
    assert "geotools-demining[postgis]" in caught.value.hint


def test_a_save_into_a_restarting_server_is_a_clean_error_and_leaves_nothing_half(url, make, cluster):
    many = make.frame(*(make.hazard(f"H-{i:05}", make.square(i)) for i in range(20_000)))
    with stores.init(url, author="a") as store:
        store.save(many[:50], kind="hazards", note="n", **WHO)
        for delay in (0.0, 0.3, 0.6, 1.2):
            timer = threading.Timer(delay, cluster.restart)
            number = store.head().number
            timer.start()
            try:
                store.save(many.assign(note=f"{delay}"), kind="hazards", note="while it restarts", **WHO)
                saved = number + 1
            except StoreError as error:
                saved = number
                assert "connection" in error.message or "reached" in error.message
                assert error.hint
            timer.join()
            assert store.head().number == saved, "the store goes on when the server answers"
            assert len(store.load("hazards")) == (50 if saved == 1 else 20_000)
        assert not len(store.verify())


def test_a_server_that_is_gone_is_a_clean_error(url, make, cluster):
    with stores.init(url, author="a") as store:
        cluster.stop(at_once=True)
        try:
            with pytest.raises(StoreError, match=r"connection|reached"):
                store.load("hazards")
            with pytest.raises(StoreError, match="reached"):
                store.head()
        finally:
            cluster.start()
        assert store.head().number == 0
