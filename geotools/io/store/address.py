"""Where a store is: a GeoPackage file or a ``postgresql://`` URL, and how to name the latter without its password.

For taking addresses apart; not for connecting.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from geotools.model.errors import StoreError

SCHEMES = ("postgresql://", "postgres://")
SCHEMA = "geotools"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SECRETS = ("password", "sslpassword", "passfile", "sslkey")


def is_url(source: object) -> bool:
    """Whether a source is the address of a server.

    Examples
    --------
    >>> is_url("postgresql://db/programme"), is_url("programme.gpkg")
    (True, False)
    """
    return isinstance(source, str) and source.lower().startswith(SCHEMES)


def label(url: str) -> str:
    """Database and schema, for provenance: no host, no user.

    Examples
    --------
    >>> label("postgresql://officer@db:5432/programme")
    'postgresql programme/geotools'
    """
    plain, schema = split(url)
    return f"postgresql {unquote(urlsplit(plain).path.lstrip('/')) or 'default'}/{schema}"


def split(url: str) -> tuple[str, str]:
    """The URL for the server, and the schema of the store (``?schema=name``; default ``geotools``).

    Raises
    ------
    StoreError
        If the name of the schema is not a plain one.
    """
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise StoreError("this is not a usable address", hint="postgresql://user@host:5432/database") from None
    schema = next((v for k, v in pairs if k == "schema"), SCHEMA)
    require_name(schema, "schema")
    query = urlencode([(k, v) for k, v in pairs if k != "schema"])
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, "")), schema


def require_name(name: str, what: str) -> str:
    """A plain lower-case name, or a refusal.

    Raises
    ------
    StoreError
        If it is anything else.
    """
    if not _NAME.fullmatch(name):
        raise StoreError(f"'{name[:60]}' cannot be the name of a {what}", hint="lower-case letters, digits and _, at most 40, beginning with a letter")  # fmt: skip
    return name


def redacted(source: object) -> str:
    """The address as it may be shown: a URL without its password, a file by its name.

    Examples
    --------
    >>> redacted("postgresql://officer:secret@db:5432/programme?sslmode=require")
    'postgresql://officer@db:5432/programme?sslmode=require'
    """
    if not is_url(source):
        return Path(str(source)).name
    try:
        parts = urlsplit(str(source))
        user = (parts.username or "") + "@" if parts.username else ""
        place = parts.netloc.rpartition("@")[2]
        kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in _SECRETS]
    except ValueError:
        return "postgresql://…"
    return urlunsplit(("postgresql", user + place, parts.path, urlencode(kept, safe="/"), ""))


def without_secrets(text: str, url: str) -> str:
    """A message of the driver with every password of the URL taken out."""
    try:
        parts = urlsplit(url)
        secrets = [parts.password or "", *(v for k, v in parse_qsl(parts.query) if k in _SECRETS)]
    except ValueError:
        return "the address cannot be read"
    for secret in secrets:
        for form in {secret, unquote(secret)} - {""}:
            text = text.replace(form, "…")
    return text.replace(url, redacted(url))
