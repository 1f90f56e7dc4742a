"""What a library said about a file, in words for people: its sentence where that helps, nothing where it is code.

For the messages of readers and writers; the words of the trade are in `model.vocab`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LENGTH_MAX = 200
AGAIN = "copy it again from where it came from (a copy that stopped half-way looks like this), or export it there again"
_PLAIN = (
    ("malformed", "parts of it are missing or overwritten"),
    ("file is not a database", "there is no database in it, as a GeoPackage is one"),
    ("not recognized as being in a supported file format", "its content is of no known format"),
    ("no such table", "tables that belong in it are missing"),
    ("disk i/o error", "the disk cannot be read or written"),
    ("disk is full", "the disk is full"),
)
_CODE = re.compile(
    r"sqlite|\bsql\b|select |insert |pragma |gpkg_|rtree|gdal|\bogr|pyogrio|from arrow|\barrow|\bvsi|\bcpl|errno|0x[0-9a-f]"
    r"|nonetype|keyerror|traceback|site-packages|geterror|\w\(\)",
    re.IGNORECASE,
)


def said(error: BaseException, names: Mapping[str, str] | None = None) -> str:
    """The first line of an error as a person can use it; empty where it speaks of the inside of a program.

    Parameters
    ----------
    names
        Paths to replace by what people call them.

    Examples
    --------
    >>> said(ValueError("sqlite3_prepare_v2(SELECT 1) failed: database disk image is malformed"))
    'parts of it are missing or overwritten'
    >>> said(ValueError("sqlite3_exec(COMMIT) failed")), said(ValueError("line 3 has 4 cells, not 5"))
    ('', 'line 3 has 4 cells, not 5')
    """
    lines = str(error).strip().splitlines()
    first = lines[0].strip() if lines else ""
    for mark, plain in _PLAIN:
        if mark in first.lower():
            return plain
    for path, name in (names or {}).items():
        first = first.replace(path, name)
    return "" if _CODE.search(first) else first[:LENGTH_MAX]


def bracketed(text: str) -> str:
    """Text in brackets after a blank, or nothing.

    Examples
    --------
    >>> bracketed("the disk is full"), bracketed("")
    (' (the disk is full)', '')
    """
    return f" ({text})" if text else ""
