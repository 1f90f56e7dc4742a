"""Addresses of servers: what they are taken apart into, and that no part of a password is ever shown."""

from __future__ import annotations

import random
import traceback
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from geotools.cli.main import cli
from geotools.io import store as stores
from geotools.io.store import address
from geotools.model.errors import StoreError

# letters that stand in no message, so that each three of a password in a row are its own
LETTERS = "ZQXJKVWäжß漢"
MARKS = "@/?#%:&=[]+;,~!$^*(){}|<>\\'\"` \t"


def _passwords(count):
    chance = random.Random(20)
    for mark in MARKS:
        yield f"ZQX{mark}JKV"
        yield f"ZQ{mark}{mark}XJ{mark}KVW"
    for _ in range(count):
        yield "".join(chance.choice(LETTERS + MARKS) for _ in range(chance.randint(4, 14)))


def _forms(password):
    for place in ("db.example/prog", "127.0.0.1:1/prog", "db", "/prog?host=/nowhere", "[::1]:1/prog"):
        yield f"postgresql://officer:{password}@{place}"
    for key in ("password", "PASSWORD", "Password", "sslpassword", "passfile", "SSLKEY", "options", "pass%77ord"):
        yield f"postgresql://officer@db/prog?{key}={password}"
        yield f"postgres://officer@db/prog?sslmode=require&{key}={password}&schema=north"
    yield f"POSTGRESQL://officer:{password}@db/prog?schema=x;password={password}"
    yield f"postgresql+psycopg://officer:{password}@db/prog"
    yield f"host=db user=officer password={password} dbname=prog"
    yield f"host=db PASSWORD = '{password}'"
    yield f" postgresql:/officer:{password}@db/prog"
    yield f"postgresql://officer:{password}@db/prog?sslmode={password}"


def _shown(url):
    told = [address.redacted(url), address.without_secrets(f'connection to "{url}" failed', url)]
    for call in (address.label, address.split):
        try:
            told.append(call(url) if call is address.label else call(url)[1])
        except StoreError as error:
            assert error.hint
            assert error.__cause__ is None
            told += [str(error), repr(error), error.hint, "".join(traceback.format_exception_only(error))]
    return "\n".join(told)


def _parts(password):
    return {password[i : i + 3] for i in range(len(password) - 2)} | {quote(password, safe=""), password}


def _leaks(password, told):
    own = [p for p in _parts(password) if any(c in LETTERS for c in p)]  # ": /" alone tells nothing
    return [part for part in own if part in told]


def test_no_part_of_a_hostile_password_is_shown():
    for password in _passwords(300):
        for written in {password, quote(password, safe="")}:
            for url in _forms(written):
                told = _shown(url)
                assert not _leaks(password, told) and not _leaks(written, told), (url, told)


def test_opening_a_store_shows_no_part_of_it_either(caplog):
    pytest.importorskip("psycopg")
    caplog.set_level("DEBUG")
    for password in list(_passwords(25))[::3]:
        for written in (password, quote(password, safe="")):
            for url in (f"postgresql://officer:{written}@127.0.0.1:1/prog", f"postgresql://o@127.0.0.1:1/p?PASSWORD={written}", f"host=db password={written}"):  # fmt: skip
                with pytest.raises(StoreError) as caught:
                    stores.open(url)
                told = "".join(traceback.format_exception(caught.value)[-1:]) + repr(caught.value.__reduce__())
                told += caplog.text + CliRunner().invoke(cli, ["store", "history", url]).output
                assert not _leaks(password, told) and not _leaks(written, told), (url, told)


@pytest.mark.parametrize("bad", ["hun/ter2", "pa#ss", "hun?ter", "p@ss", "50%zz"])
def test_a_password_that_must_be_written_otherwise_is_refused_with_the_way_to_write_it(bad):
    url = f"postgresql://officer:{bad}@db/prog"
    assert address.redacted(url) == address.UNKNOWN
    with pytest.raises(StoreError, match="not a usable address") as caught:
        stores.open(url)
    assert "%40" in caught.value.hint
    right = f"postgresql://officer:{quote(bad, safe='')}@db/prog"
    assert address.split(right) == (right, "geotools")
    assert address.redacted(right) == "postgresql://officer@db/prog"


def test_what_the_server_is_told_is_what_was_written():
    url = "postgres://o%20f:a%20b+c%40@db:5432,[::1]:5433/dist%20f?sslmode=require&schema=north&password=x%20y+z&target_session_attrs=any"
    plain, schema = address.split(url)
    assert schema == "north"
    assert plain == "postgresql" + url.removeprefix("postgres").replace("&schema=north", "")
    assert address.redacted(url) == "postgresql://…@db:5432,[::1]:5433/dist%20f?sslmode=require&schema=north"
    assert address.label(url) == "postgresql dist f/north"
    psycopg = pytest.importorskip("psycopg")
    told = psycopg.conninfo.conninfo_to_dict(plain)
    assert (told["user"], told["password"]) == ("o f", "x y+z")


def test_short_passwords_do_not_show_by_the_gap_they_leave():
    assert address.without_secrets("could not connect: o", "postgresql://x:o@db/p") == "could not connect: …"
