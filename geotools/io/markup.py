"""Streaming XML that cannot be turned against its reader: no DTD, no entities, no network.

For the KML, GPX and maXML rooms; a thin layer on the standard library's expat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from geotools.io.raw import Source

CHUNK = 1 << 20
DEPTH_MAX = 200
_ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535, *range(55296, 57344)), "�")


class RefusedError(Exception):
    """The document holds something that is never needed in a survey file."""


def run(
    source: Source,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> None:
    """Parse a file, calling back with element names (without prefix), attributes and text.

    Raises
    ------
    ReadError
        If it is not XML (with line and column), or has a DTD or entities.
    """
    made = parser()
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MAX:
            raise RefusedError(f"its elements are nested more than {DEPTH_MAX} deep")
        start(name.rpartition(":")[2], attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2])

    made.StartElementHandler = opened
    made.EndElementHandler = closed
    made.CharacterDataHandler = text
    feed(made, source)


def parser() -> Any:
    """An expat parser that refuses DTDs and entities; the caller sets its element handlers."""
    made: Any = expat.ParserCreate()
    made.buffer_text = True

    def forbid(*_: Any) -> None:
        raise RefusedError("it has a document type declaration (DTD) or entities, which can hide attacks")

    made.StartDoctypeDeclHandler = forbid
    made.EntityDeclHandler = forbid
    made.UnparsedEntityDeclHandler = forbid
    made.ExternalEntityRefHandler = forbid
    return made


def require_plain(stream: IO[bytes], source: Source) -> None:
    """Refuse a document that declares a type or entities, whatever its encoding and however long what stands before.

    Only what stands before the first element is parsed: nothing can be declared after it. For documents that another
    library reads.

    Raises
    ------
    ReadError
        If there is such a declaration. What is no XML at all is left to that library.
    """
    made = parser()
    begun = False

    def opened(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal begun
        begun = True

    made.StartElementHandler = opened
    try:
        while not begun and (chunk := stream.read(1 << 12)):
            made.Parse(chunk, False)
    except RefusedError as refusal:
        raise source.refuse(str(refusal), "save it again from Excel or LibreOffice") from refusal
    except (expat.ExpatError, LookupError, ValueError):
        return


def feed(made: Any, source: Source) -> None:
    """Run a parser over a file, a megabyte at a time.

    Raises
    ------
    ReadError
        If it is not XML (with line and column), or has a DTD or entities.
    """
    try:
        with source.path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                made.Parse(chunk, False)
            made.Parse(b"", True)
    except RefusedError as refusal:
        raise source.refuse(
            str(refusal), "export it again as a plain file; such declarations are never needed"
        ) from refusal
    except (expat.ExpatError, LookupError, ValueError) as error:
        line, column = made.ErrorLineNumber, made.ErrorColumnNumber
        what = expat.ErrorString(made.ErrorCode) if made.ErrorCode else str(error)
        cut = made.CurrentByteIndex >= source.path.stat().st_size - 1 or "no element" in what
        said = f"it is cut off at line {line}" if cut else f"it is not XML at line {line}, column {column} ({what})"
        raise source.refuse(said, "copy it again, or export it again from where it came from") from error


def quoted(value: str) -> str:
    """Text for an element: markup escaped, characters that XML cannot hold replaced by U+FFFD.

    Examples
    --------
    >>> quoted("<b>&")
    '&lt;b&gt;&amp;'
    """
    return escape(value.translate(_ILLEGAL))


def attribute(value: str) -> str:
    """Text for an attribute in double quotes."""
    return escape(value.translate(_ILLEGAL), {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})
