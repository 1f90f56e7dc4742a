"""Rows of a PostGIS store as revisions and entries, geometry in the server's own form, and texts of statements taken apart.

For `postgis`; nothing here talks to a server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import numpy as np
import shapely

from geotools.io.store.cells import understood
from geotools.io.store.chain import Entry, Revision


def statements_of(text: str) -> list[str]:
    """Statements of a text, those with a body of their own kept whole."""
    out, inside = [""], False
    for line in text.strip().splitlines():
        inside ^= line.count("$$") % 2 == 1
        out[-1] += line + "\n"
        if line.rstrip().endswith(";") and not inside:
            out.append("")
    return [statement.strip().rstrip(";") for statement in out if statement.strip()]


def revision_of(row: Sequence[Any]) -> Revision:
    """A revision from the row of its table."""
    with understood("a revision"):
        number, at, author, note, what, account, base, sources, rows, content, previous, hashed = row
        return Revision(
            number, at.astimezone(UTC), author, note, what, account, base, tuple(json.loads(sources)), rows, content, previous, hashed
        )  # fmt: skip


def entry_of(row: Sequence[Any]) -> Entry:
    """A version of a row from the row of the history table."""
    entry, revision, kind, id_, action, previous, attributes, geom, hashed = row
    return Entry(
        entry, revision, kind, id_, action, previous, attributes, None if geom is None else bytes(geom), hashed
    )


def ewkb(wkbs: Sequence[bytes | None], srids: Sequence[int]) -> list[str | None]:
    """ISO WKB as the server's own form, in hex, with its reference system."""
    blobs = np.empty(len(wkbs), dtype=object)
    blobs[:] = list(wkbs)
    shapes = shapely.set_srid(shapely.from_wkb(blobs), np.array(srids, dtype="int32"))
    return list(
        shapely.to_wkb(shapes, hex=True, output_dimension=4, byte_order=1, include_srid=True, flavor="extended")
    )
