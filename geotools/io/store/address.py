"""Where a store is: a GeoPackage file or a ``postgresql://`` URL, and how to name the latter without its password.

For taking addresses apart; not for connecting. What can be read in more than one way is neither shown nor used.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from geotools.model.errors import StoreError

SCHEMES = ("postgresql://", "postgres://")
SCHEMA = "geotools"
UNKNOWN = "postgresql://…"
SHORT = 3
NAMES = "lower-case letters, digits and _, at most 40, beginning with a letter"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MEANT = re.compile(r"\s*postgres\w*(\+\w+)?:|.*\b(ssl)?password\s*=", re.IGNORECASE | re.DOTALL)
_FORM = re.compile(r"([^/?]*)(/[^?]*)?(?:\?(.*))?")
_PLACE = r"(\[[0-9a-fA-F:.]*\]|[\w.%-]*)(:\d*)?"
_HOST = re.compile(f"{_PLACE}(,{_PLACE})*", re.ASCII)
_ODD = re.compile(r"[\x00-\x1f\x7f#]|%(?![0-9a-fA-F]{2})|%00")
_PERSON = re.compile(r"[\w.-]*")
_SHOWN = {  # no other setting is ever shown, and these only with a value such as they have
    "schema": _NAME,
    "host": re.compile(r"[\w./,%-]*", re.ASCII),
    "hostaddr": re.compile(r"[0-9a-fA-F.:,]*"),
    "port": re.compile(r"[\d,]*"),
    "sslmode": re.compile(r"disable|allow|prefer|require|verify-ca|verify-full"),
    "connect_timeout": re.compile(r"\d*"),
}
DOUBT = "this is not a usable address"
WAY_OUT = (
    "postgresql://user@host:5432/database, the password best in ~/.pgpass; in an address the characters @ / ? # % : & = [ ] "
    "of a password are written %40 %2F %3F %23 %25 %3A %26 %3D %5B %5D"
)


def is_url(source: object) -> bool:
    """Whether a source is meant as the address of a server, be it well written or not.

    Examples
    --------
    >>> is_url("postgresql://db/programme"), is_url("programme.gpkg")
    (True, False)
    """
    return isinstance(source, str) and _MEANT.match(source) is not None


class Parts(NamedTuple):
    """An address taken apart, each part as it was written."""

    user: str
    password: str
    host: str
    path: str
    query: list[tuple[str, str]]


def parts(url: str) -> Parts:
    """Take an address apart.

    Raises
    ------
    StoreError
        If it could be read in more than one way: a character of a password may stand where a host, a database or a
        setting is expected. The message shows nothing of it.
    """
    text = url.strip()
    scheme = next((s for s in SCHEMES if text.lower().startswith(s)), None)
    found = None if scheme is None else _FORM.fullmatch(text[len(scheme) :])
    if found is None or _ODD.search(text):
        raise StoreError(DOUBT, hint=WAY_OUT)
    authority, path, query = (found[n] or "" for n in (1, 2, 3))
    userinfo, _, host = authority.rpartition("@")
    pieces = [piece.partition("=") for piece in query.split("&")] if query else []
    clear = not (set("@") & set(userinfo + path + query)) and path.count("/") < 2 and _HOST.fullmatch(host)
    if not clear or not all(key and mark for key, mark, _ in pieces):
        raise StoreError(DOUBT, hint=WAY_OUT)
    user, _, password = userinfo.partition(":")
    return Parts(user, password, host, path, [(key, value) for key, _, value in pieces])


def label(url: str) -> str:
    """Database and schema, for provenance: no host, no user.

    Examples
    --------
    >>> label("postgresql://officer@db:5432/programme")
    'postgresql programme/geotools'
    """
    plain, schema = split(url)
    return f"postgresql {unquote(parts(plain).path.lstrip('/')) or 'default'}/{schema}"


def split(url: str) -> tuple[str, str]:
    """The URL for the server, and the schema of the store (``?schema=name``; default ``geotools``).

    Raises
    ------
    StoreError
        If the name of the schema is not a plain one, or the address can be read in more than one way.
    """
    taken = parts(url)
    schema = next((unquote(v) for k, v in taken.query if k == "schema"), SCHEMA)
    if not _NAME.fullmatch(schema):  # not repeated: what was meant as a password may have slipped into it
        raise StoreError("what stands after schema= cannot be the name of a schema", hint=NAMES)
    user = f"{taken.user}{':' if taken.password else ''}{taken.password}@" if taken.user or taken.password else ""
    query = "&".join(f"{k}={v}" for k, v in taken.query if k != "schema")
    return f"postgresql://{user}{taken.host}{taken.path}{'?' if query else ''}{query}", schema


def require_name(name: str, what: str) -> str:
    """A plain lower-case name, or a refusal.

    Raises
    ------
    StoreError
        If it is anything else.
    """
    if not _NAME.fullmatch(name):
        raise StoreError(f"'{name[:60]}' cannot be the name of a {what}", hint=NAMES)
    return name


def _may_show(key: str, value: str) -> bool:
    return key in _SHOWN and _SHOWN[key].fullmatch(value) is not None


def redacted(source: object) -> str:
    """The address as it may be shown: a URL without its password, a file by its name.

    Of the query only settings that can hold no secret are shown; of an address that can be read in more than one way, nothing.

    Examples
    --------
    >>> redacted("postgresql://officer:secret@db:5432/programme?sslmode=require&PASSWORD=x")
    'postgresql://officer@db:5432/programme?sslmode=require'
    >>> redacted("postgresql://officer:se/cret@db/programme")
    'postgresql://…'
    """
    if not is_url(source):
        return Path(str(source)).name
    try:
        taken = parts(str(source))
    except StoreError:
        return UNKNOWN
    user = f"{taken.user if _PERSON.fullmatch(taken.user) else '…'}@" if taken.user else ""
    query = "&".join(f"{k}={v}" for k, v in taken.query if _may_show(k, v))
    return f"postgresql://{user}{taken.host}{taken.path}{'?' if query else ''}{query}"


def without_secrets(text: str, url: str) -> str:
    """A message of the driver with the address as it may be shown, and every password of it taken out.

    Examples
    --------
    >>> without_secrets('no: "a%20b" or "a b"', "postgresql://officer:a%20b@db/programme")
    'no: "…" or "…"'
    """
    try:
        taken, plain = parts(url), split(url)[0]
    except StoreError:
        return "the address cannot be read"
    secrets = [taken.password, *(v for k, v in taken.query if not _may_show(k, v))]
    forms = {form for s in secrets for form in (s, unquote(s), unquote_plus(s)) if form}
    for whole in (url, plain):
        text = text.replace(whole, redacted(url))
    for form in sorted(forms, key=len, reverse=True):
        # a short one only as a word of its own: the letters around a gap would give it away
        text = text.replace(form, "…") if len(form) > SHORT else re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", "…", text)
    return text
