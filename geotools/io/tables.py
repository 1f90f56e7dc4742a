"""Tables: CSV and tab-separated text, with coordinates as lon/lat, x/y or WKT columns.

For text tables and for finding where in any table the coordinates are; not for what the other columns mean (see `model.schema`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.io import nmea, places, text
from geotools.io.raw import Finding, Raw, Source
from geotools.space import crs as _crs

DELIMITERS = ",;\t|"
FIELD_MAX = 1 << 28
_HEAD = 1 << 18
_RISKY = re.compile(
    r"^'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])"
)  # blanks before it, or wide forms, do not make a formula harmless
_REMARK = re.compile(r"[#%](?![,;\t|])")  # a column may be called #
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def read(source: Source) -> Raw:
    """Read a text table whose first line names its columns.

    Raises
    ------
    ReadError
        If it is not text, has no header, or a quote is never closed (with the line).
    """
    if nmea.begins(source):
        return nmea.read(source)
    content, findings = _text(source)
    content, remarks = _without_remarks(content)
    if remarks:
        said = f"{source.label}: {remarks} lines of remarks before the names of the columns are left out"
        findings.append(Finding("RD-07", "info", said, value=remarks))
    rows, numbers, delimiter, bare = _rows(content, source)
    if bare:
        said = f"{source.label}: {len(bare)} lines hold separators and nothing else (the first is line {bare[0]})"
        findings.append(Finding("RD-07", "info", said, value=len(bare)))
    if len(rows) == 1 and not content.endswith(("\n", "\r")):
        raise source.refuse(
            "it is cut off in its first line", "copy it again, or export it again from where it came from", 1
        )
    table, more = _frame(rows, source, delimiter)
    return places.locate(table, source, np.array(numbers[1:], dtype=np.int64), findings=findings + more)


def chunks(source: Source, rows: int = 100_000) -> Iterator[Raw]:
    """The table in layers of `rows` lines, with memory for one of them; corners are not joined to areas.

    Raises
    ------
    ReadError
        As `read`, but only when the line is reached.
    """
    if nmea.begins(source):
        yield from nmea.chunks(source, rows)
        return
    encoding, delimiter, announced = _sniff(source)
    findings: list[Finding] = []
    limit = csv.field_size_limit(FIELD_MAX)
    try:
        with source.path.open(encoding=encoding, errors="replace", newline="") as lines:
            if announced:
                next(lines)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            names: list[str] | None = None
            body: list[list[str]] = []
            numbers: list[int] = []
            for cells, number in _numbered(reader, source):
                if names is None:
                    names = header(cells, source, findings)
                    continue
                body.append(cells)
                numbers.append(number)
                if len(body) >= rows:
                    yield _chunk(names, body, numbers, source, delimiter)
                    body, numbers = [], []
            if names is None:
                raise source.refuse("there is nothing in it, not even a header", "the first line names the columns")
            if body or not findings:
                raw = _chunk(names, body, numbers, source, delimiter)
                raw.findings[:0] = findings
                yield raw
    finally:
        csv.field_size_limit(limit)


def _sniff(source: Source) -> tuple[str, str, bool]:
    """Encoding and delimiter from the beginning of a file, and whether a line ``sep=`` announces the latter."""
    with source.path.open("rb") as stream:
        head = stream.read(_HEAD)
    encoding = text.bom(head) or (text.known(source.encoding) if source.encoding else None)
    whole = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1]
    encoding = encoding or text.suspect(whole.split(b"\n")) or "utf-8"
    first = whole.decode(encoding, "replace").lstrip("\ufeff")
    announced = first.lower().startswith("sep=")
    return encoding, (first[4:5] if announced else _delimiter(first, source)), announced


def _chunk(names: list[str], body: list[list[str]], numbers: list[int], source: Source, delimiter: str) -> Raw:
    table, findings = _frame([list(names), *body], source, delimiter)
    return places.locate(table, source, np.array(numbers, dtype=np.int64), join=False, findings=findings)


def _numbered(reader: Any, source: Source, bare: list[int] | None = None) -> Iterator[tuple[list[str], int]]:
    """Lines that are not blank, with the number of the line where each begins; lines of separators only go to `bare`."""
    at = 1
    try:
        for cells in reader:
            if any(cell and not cell.isspace() for cell in cells):
                yield cells, at
            elif len(cells) > 1 and bare is not None:
                bare.append(at)
            at = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise source.refuse(
                f"a quotation mark opened in line {at} is never closed", "close it, or remove it, and read again", at
            ) from error
        raise source.refuse(
            f"line {reader.line_num} cannot be split into columns ({error})",
            "look at the quotation marks in that line",
            reader.line_num,
        ) from error


def _text(source: Source) -> tuple[str, list[Finding]]:
    data = source.path.read_bytes()
    mark = text.bom(data)
    encoding = mark or (source.encoding and text.known(source.encoding)) or None
    if source.encoding and encoding is None:
        raise source.refuse(f"there is no text encoding '{source.encoding}'", "for example utf-8, cp1251, cp1254")
    if mark is None and b"\x00" in data[: 1 << 20]:
        raise source.refuse(
            "it is not a text table (it holds zero bytes)", "is it a spreadsheet or database with the wrong ending?"
        )
    if encoding is not None:
        try:
            return data.decode(encoding), []
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            guess = text.suspect([data]) or "another code page"
            note = f"{source.label}: line {line} is not {encoding}, as was said; it looks like {guess}"
            return data.decode(encoding, "replace"), [Finding("RD-05", "error", note, value=guess, limit=encoding)]
    guess = text.suspect(data.split(b"\n")) or "utf-8"
    if guess == "utf-8":
        return data.decode("utf-8"), []
    note = f"{source.label}: its text is not UTF-8; it was read as {guess}. If letters look wrong, give encoding= (--encoding)"
    return data.decode(guess, "replace"), [Finding("RD-05", "warning", note, value=guess)]


def _without_remarks(content: str) -> tuple[str, int]:
    """The text with blank lines for the remarks on top (lines that begin with # or %), and how many there are.

    Only where a line of names follows them: at least two cells, none of which is a number. A last remark with as many cells
    as that line is the line of names itself (``#id,name``), and what follows is a record.
    """
    if not _REMARK.match(content):
        return content, 0
    at = count = 0
    while _REMARK.match(content, at) and (end := content.find("\n", at)) >= 0:
        at, count = end + 1, count + 1
    last = content[:at].rstrip("\r\n").rpartition("\n")[2]
    names, remark = (re.split(r"[,;\t|]", line.strip()) for line in (content[at:].partition("\n")[0], last))
    if len(names) < 2 or len(remark) == len(names) or any(not name.strip() or is_number(name) for name in names):
        return content, 0
    return "\n" * count + content[at:], count


def _rows(content: str, source: Source) -> tuple[list[list[str]], list[int], str, list[int]]:
    """Cells and numbers of all lines that are not blank (the first is the header), the delimiter, lines of separators."""
    if content.lower().startswith("sep="):
        first, _, rest = content.partition("\n")
        delimiter, content = first.strip()[4:5] or ",", "\n" + rest
    else:
        delimiter = _delimiter(content, source)
    bare: list[int] = []
    limit = csv.field_size_limit(FIELD_MAX)
    try:
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        found = list(_numbered(reader, source, bare))
    finally:
        csv.field_size_limit(limit)
    rows, numbers = [cells for cells, _ in found], [number for _, number in found]
    if not rows:
        raise source.refuse("there is nothing in it, not even a header", "the first line names the columns")
    return rows, numbers, delimiter, bare


def _delimiter(content: str, source: Source) -> str:
    if source.path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    head = next((line for line in content[: 1 << 16].splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", head)
    # as many commas as others are commas in names: "id;East, m;North, m"
    return max(DELIMITERS, key=lambda d: (bare.count(d), d != ",")) if any(d in bare for d in DELIMITERS) else ","


def _frame(rows: list[list[str]], source: Source, delimiter: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Text columns under the names of the header; ragged lines are padded and named."""
    findings: list[Finding] = []
    if any("\n" in cell and delimiter in cell for cell in rows[0]):
        raise source.refuse(
            "a quotation mark in the first line is not closed there", "close it, or remove it, and read again", 1
        )
    names = header(rows[0], source, findings)
    body = rows[1:]
    width = len(names)
    for row, cells in enumerate(body):
        if any("\n" in cell and delimiter in cell for cell in cells):
            findings += _swallowed(row, cells, max(1, width - 1), delimiter)
        if len(cells) == width:
            continue
        extra = [cell for cell in cells[width:] if cell.strip()]
        if extra:
            findings.append(
                Finding(
                    "RD-07",
                    "warning",
                    f"the line has {len(cells)} cells, the header {width}; the rest is kept in 'more_cells'",
                    row,
                    value=" | ".join(extra)[:200],
                )
            )
        elif len(cells) < width:
            findings.append(
                Finding(
                    "RD-07",
                    "info",
                    f"the line has {len(cells)} cells, the header {width}; the missing ones are empty",
                    row,
                )
            )
    if any(len(cells) > width and any(c.strip() for c in cells[width:]) for cells in body):
        names = [*names, "more_cells"]
        body = [
            [*cells[:width], *[""] * (width - len(cells)), " | ".join(c for c in cells[width:] if c.strip())]
            for cells in body
        ]
    else:
        body = [cells[:width] if len(cells) >= width else [*cells, *[""] * (width - len(cells))] for cells in body]
    columns = list(zip(*body, strict=True)) if body else [()] * len(names)
    data = {
        name: pd.Series([unguard(cell) for cell in column], dtype=object)
        for name, column in zip(names, columns, strict=True)
    }
    return pd.DataFrame(data, index=range(len(body))), findings


def _swallowed(row: int, cells: list[str], needed: int, delimiter: str) -> list[Finding]:
    """A cell that holds whole lines: a quotation mark was opened by mistake and closed rows later."""
    lines = [line for cell in cells if "\n" in cell for line in cell.split("\n")[1:] if line.count(delimiter) >= needed]
    if not lines:
        return []
    said = f"one cell of it holds {len(lines)} lines that look like rows of their own; is a quotation mark missing or too many?"
    return [Finding("RD-07", "error", said, row, value=lines[0][:120])]


def is_number(cell: str) -> bool:
    """Whether a text is a plain number."""
    return bool(_NUMBER.match(cell.strip().replace(",", ".")))


def header(cells: Sequence[Any], source: Source, findings: list[Finding]) -> list[str]:
    """Column names from a first line: trimmed, named where empty, made different where equal.

    Raises
    ------
    ReadError
        If every cell is a number: then there is no header.
    """
    names = [re.sub(r"\s+", " ", "" if c is None else str(c)).strip().lstrip("\ufeff") for c in cells]
    while len(names) > 1 and not names[-1]:
        names.pop()
    filled = [name for name in names if name]
    if filled and all(_NUMBER.match(name) for name in filled):
        raise source.refuse(
            "its first line holds numbers, not the names of columns", "put a line with names on top, e.g. id,lon,lat", 1
        )
    out: list[str] = []
    for number, name in enumerate(names, start=1):
        wanted = name or f"column_{number}"
        unique, turn = wanted, 1
        while unique in out:
            turn += 1
            unique = f"{wanted}.{turn}"
        if turn > 1:
            findings.append(
                Finding(
                    "RD-07",
                    "warning",
                    f"{source.label}: the column '{wanted}' is there more than once; the later one is called '{unique}'",
                    column=unique,
                )
            )
        out.append(unique)
    return out


def guard(cell: str) -> str:
    """A text that a spreadsheet will not run as a formula; plain numbers stay.

    Examples
    --------
    >>> guard("=HYPERLINK(1)"), guard("-12.5"), guard("AP mine")
    ("'=HYPERLINK(1)", '-12.5', 'AP mine')
    """
    return f"'{cell}" if _RISKY.match(cell) and not _NUMBER.match(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` was given.

    Examples
    --------
    >>> unguard("'=HYPERLINK(1)"), unguard("'quoted'")
    ('=HYPERLINK(1)', "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write UTF-8 CSV: points in WGS 84 as ``lon`` and ``lat``, other geometry as ``wkt`` (with ``SRID=…;`` if not WGS 84).

    Text that a spreadsheet would take for a formula gets an apostrophe in front, which reading takes away again.
    """
    _write(frame, path, ",")


def write_tsv(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write tab-separated text, otherwise as `write`."""
    _write(frame, path, "\t")


def _write(frame: gpd.GeoDataFrame, path: Path, delimiter: str) -> None:
    places = place_columns(frame)
    names = [name for name in frame.columns if name != frame.geometry.name and name not in places]
    columns = [_cells(frame[name]) for name in names] + list(places.values())
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        stream.write(_line([guard(str(name)) for name in (*names, *places)], delimiter))
        stream.writelines(_line(cells, delimiter) for cells in (zip(*columns, strict=True) if columns else ()))


_QUOTED = re.compile(r'[",;|\t\r\n]|^\s|\s$')


def _line(cells: Sequence[str], delimiter: str) -> str:
    """One line of RFC 4180, also where a cell holds a bare carriage return, which `csv.writer` leaves unquoted."""
    quoted = ('"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell for cell in cells)
    return (delimiter.join(quoted) or '""') + "\n"


def place_columns(frame: gpd.GeoDataFrame) -> dict[str, list[str]]:
    """Columns that hold the geometry as text: ``lon`` and ``lat`` for points in WGS 84, else ``wkt``."""
    shapes = np.array(frame.geometry.array, dtype=object)
    present = ~shapely.is_missing(shapes)
    if frame.crs is None or not (present.any() or len(frame) == 0):
        return {}
    crs = _crs.parse(frame.crs)
    flat_points = (shapely.get_type_id(shapes[present]) == 0) & ~shapely.has_z(shapes[present])
    if crs == _crs.WGS84 and flat_points.all() and len(flat_points):
        lon, lat = [""] * len(shapes), [""] * len(shapes)
        for row in np.flatnonzero(present):
            lon[row], lat[row] = repr(float(shapes[row].x)), repr(float(shapes[row].y))
        return {"lon": lon, "lat": lat}
    code = crs.to_epsg(min_confidence=100)
    if code is None:
        from geotools.io.geojson import to_lonlat

        shapes, code = to_lonlat(shapes, crs), 4326
    texts = shapely.to_wkt(shapes, rounding_precision=-1)
    return {"wkt": [f"SRID={code};{t}" if t else "" for t in texts]}


def _cells(values: pd.Series) -> list[str]:
    from geotools.io.geojson import json_value

    out = []
    for value in values:
        made = json_value(value)
        if made is None:
            out.append("")
        elif isinstance(made, bool):
            out.append("true" if made else "false")
        elif isinstance(made, float):
            out.append(repr(made))
        else:
            out.append(guard(made) if isinstance(made, str) else str(made))
    return out
