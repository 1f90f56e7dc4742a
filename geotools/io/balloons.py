"""Tables in the descriptions of placemarks, as ArcGIS and IMSMA write attributes for Google Earth.

For the two columns of name and value; other text of a description stays text. Not for placemarks themselves (see `io.kml`).
"""

from __future__ import annotations

from html.parser import HTMLParser

NAME_MAX = 80
LENGTH_MAX = 100_000  # the parser takes long over damaged text, and no balloon is longer
_EMPTY = frozenset({"", "<null>", "null", "&lt;null&gt;"})


def attributes(description: str) -> tuple[dict[str, str | None], str]:
    """Names and values of a table in a description, and the text beside it; no names where there is no such table.

    Examples
    --------
    >>> attributes("<b>H-1</b><table><tr><td>Status</td><td>Open</td></tr><tr><td>Date</td><td>&lt;Null&gt;</td></tr></table>")
    ({'Status': 'Open', 'Date': None}, 'H-1')
    >>> attributes("seen on 3 May")
    ({}, 'seen on 3 May')
    """
    if len(description) > LENGTH_MAX or "<td" not in description.lower():
        return {}, description
    parser = _Tables()
    parser.feed(description)
    parser.close()
    parser.end_row()
    if not parser.pairs:
        return {}, description
    return parser.pairs, " ".join(" ".join(parser.rest).split())


class _Tables(HTMLParser):
    """Collects rows of two cells, of tables within tables too, and all other text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pairs: dict[str, str | None] = {}
        self.rest: list[str] = []
        self._rows: list[list[list[str]]] = []
        self._open: list[bool] = []  # whether text belongs to a cell of the innermost row
        self._mute = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or cell."""
        if tag == "tr":
            if self._open and not self._open[-1]:  # the row before was never closed
                self.end_row()
            self._rows.append([])
            self._open.append(False)
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].append([])
            self._open[-1] = True
        elif tag in ("script", "style", "title"):
            self._mute += 1

    def handle_endtag(self, tag: str) -> None:
        """End a row or cell."""
        if tag in ("td", "th") and self._open:
            self._open[-1] = False
        elif tag == "tr":
            self.end_row()
        elif tag in ("script", "style", "title"):
            self._mute = max(0, self._mute - 1)

    def handle_data(self, data: str) -> None:
        """Text of a cell, or beside all tables."""
        if self._mute:
            return
        if self._rows and self._open[-1] and self._rows[-1]:
            self._rows[-1][-1].append(data)
        elif data.strip():
            self.rest.append(data)

    def end_row(self) -> None:
        """Keep the innermost row: as a name and value if it has two cells, else as text."""
        if not self._rows:
            return
        cells = [" ".join("".join(parts).split()) for parts in self._rows.pop()]
        self._open.pop()
        name = cells[0].rstrip(": ") if len(cells) == 2 else ""
        if 0 < len(name) <= NAME_MAX and name not in self.pairs:
            self.pairs[name] = None if cells[1].casefold() in _EMPTY else cells[1]
        else:
            self.rest += [cell for cell in cells if cell]
