"""ZIP files whose bytes depend on their content and the stated time only. Not for reading."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from geotools.model.provenance import now

_CORE = "docProps/core.xml"


def stamp() -> tuple[int, int, int, int, int, int]:
    """The stated time as ZIP holds it, never before 1980."""
    day = now()
    return max(day, day.replace(year=1980)).timetuple()[:6] if day.year < 1980 else day.timetuple()[:6]


def entry(name: str) -> zipfile.ZipInfo:
    """A member without marks of this machine."""
    made = zipfile.ZipInfo(name, stamp())
    made.compress_type = zipfile.ZIP_DEFLATED
    made.create_system = 3
    made.external_attr = 0o100644 << 16
    return made


def packed(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP of these members, in the order given.

    Examples
    --------
    >>> packed([("a.txt", b"x")]) == packed([("a.txt", b"x")])
    True
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, data in members:
            book.writestr(entry(name), data, compresslevel=6)
    return out.getvalue()


def packed_folder(folder: Path, target: Path, inside: str) -> None:
    """A ZIP of a folder, its files under the name `inside`, sorted."""
    with zipfile.ZipFile(target, "w") as book:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            with (
                file.open("rb") as stream,
                book.open(entry(f"{inside}/{file.relative_to(folder).as_posix()}"), "w") as member,
            ):
                while block := stream.read(1 << 20):
                    member.write(block)


def repacked(workbook: bytes) -> bytes:
    """A workbook with the stated time in place of the clock's.

    Raises
    ------
    zipfile.BadZipFile
        If it is none.
    """
    text = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with zipfile.ZipFile(io.BytesIO(workbook)) as book:
        members = [(name, book.read(name)) for name in book.namelist()]
    fixed = [
        (
            name,
            re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + text.encode(), data)
            if name == _CORE
            else data,
        )
        for name, data in members
    ]
    return packed(fixed)
