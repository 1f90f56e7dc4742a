"""Excel workbooks (.xlsx): each sheet a layer, coordinates located as in any table. Needs the extra ``excel``.

For values, never formulas: what a cell showed when the workbook was saved is what is read.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.io import archive, markup, places, tables
from geotools.io import excel_looks as looks
from geotools.io.raw import Finding, Raw, Source, choose_layer
from geotools.model.errors import WriteError, need

HEADER_ROWS = 30
ROWS_MAX = 1_048_576
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def layers(source: Source) -> list[str]:
    """Names of the visible sheets that hold anything."""
    with _open(source) as book:
        named = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible" and _cells(sheet, 1)]
        if not book.worksheets:
            raise source.refuse("the workbook has no sheet", "save it again from Excel or LibreOffice")
        return named or [book.worksheets[0].title]


def read(source: Source) -> Raw:
    """Read one sheet; lines above the row of column names are passed over and said.

    Raises
    ------
    ReadError
        If it is damaged, unsafe, or no row looks like column names.
    """
    layer, findings = choose_layer(source, layers(source))
    with _open(source) as book:
        rows = [
            (number, list(cells))
            for number, cells in enumerate(book[layer].iter_rows(values_only=True), start=1)
            if _filled(cells)
        ]
    if not rows:
        raise source.refuse(f"the sheet '{layer}' is empty", "the first row names the columns")
    start = _header(rows[:HEADER_ROWS])
    if start:
        shown = " | ".join(str(c) for c in rows[0][1] if c is not None)[:80]
        findings.append(
            Finding(
                "RD-07",
                "info",
                f"{source.label}: {start} lines above the column names were passed over ('{shown}' …)",
                value=start,
            )
        )
    names = tables.header(rows[start][1], source, findings)
    body = rows[start + 1 :]
    table, more = _table(names, [cells for _, cells in body])
    numbers = np.array([number for number, _ in body], dtype=np.int64)
    raw = places.locate(table, source, numbers, findings=findings + more)
    raw.layer = source.path.stem if layer.lower().startswith(("sheet", "лист", "sayfa", "vərəq")) else layer
    return raw


@contextmanager
def _open(source: Source) -> Iterator[Any]:
    """The workbook for as long as the block lasts; a damaged one leaves no file open either."""
    with source.path.open("rb") as stream:
        book = _load(stream, source)
        try:
            yield book
        finally:
            book.close()


def _load(stream: BinaryIO, source: Source) -> Any:
    openpyxl = need("openpyxl", "excel")
    try:
        with zipfile.ZipFile(stream) as packed:
            archive.check(packed.infolist(), source)
            for member in packed.infolist():
                if member.filename.lower().endswith((".xml", ".rels", ".vml")):
                    with packed.open(member) as part:
                        markup.require_plain(part, source)
        return openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, KeyError, EOFError, OSError) as error:
        hint = (
            "old .xls files must be saved as .xlsx first"
            if source.path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0"
            else "copy it again"
        )
        raise source.refuse("it is damaged or not an .xlsx workbook", hint) from error


def _cells(sheet: Any, rows: int) -> bool:
    return any(_filled(cells) for cells in sheet.iter_rows(max_row=max(rows, HEADER_ROWS), values_only=True))


def _filled(cells: Sequence[Any]) -> bool:
    return any(c is not None and str(c).strip() for c in cells)


def _header(rows: list[tuple[int, list[Any]]]) -> int:
    """Position of the row that names the columns: the first that is text in most of the columns used below it."""
    width = max(sum(c is not None and bool(str(c).strip()) for c in cells) for _, cells in rows)
    for at, (_, cells) in enumerate(rows):
        filled = [c for c in cells if c is not None and str(c).strip()]
        words = [c for c in filled if isinstance(c, str) and not tables.is_number(c)]
        if len(filled) >= max(2, 0.6 * width) and len(words) >= 0.8 * len(filled):
            return at
    return 0


def _table(names: list[str], body: list[list[Any]]) -> tuple[pd.DataFrame, list[Finding]]:
    width = len(names)
    findings = []
    for row, cells in enumerate(body):
        extra = [str(c) for c in cells[width:] if c is not None and str(c).strip()]
        if extra:
            findings.append(
                Finding(
                    "RD-07",
                    "warning",
                    f"cells beyond the last named column are left out: {' | '.join(extra)[:120]}",
                    row,
                    value=" | ".join(extra)[:200],
                )
            )
    data = {
        name: pd.Series([_value(cells[i]) if i < len(cells) else None for cells in body], dtype=object)
        for i, name in enumerate(names)
    }
    return pd.DataFrame(data, index=range(len(body))), findings


def _value(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, timedelta | time):
        return str(cell)
    return cell


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write one sheet: points in WGS 84 as lon and lat, other geometry as WKT; no text is ever a formula.

    Raises
    ------
    WriteError
        If there are more rows than a sheet holds, or a text longer than a cell.
    """
    openpyxl = need("openpyxl", "excel")
    if len(frame) >= ROWS_MAX:
        raise WriteError(f"a sheet holds {ROWS_MAX - 1:,} rows, not {len(frame):,}", hint="write CSV or GeoPackage")
    spots = tables.place_columns(frame)
    names = [name for name in frame.columns if name != frame.geometry.name and name not in spots]
    columns = [[_cell(v) for v in frame[name]] for name in names]
    columns += [[_degrees(v) if name != "wkt" else v or None for v in values] for name, values in spots.items()]
    if any(isinstance(v, str) and len(v) > 32_767 for column in columns for v in column):
        raise WriteError(
            "a text or boundary is longer than a cell of a workbook (32,767 letters)", hint="write CSV or GeoPackage"
        )
    book = openpyxl.Workbook(write_only=True)
    _fill(openpyxl, book.create_sheet(layer[:31] or "Sheet1"), [*map(str, names), *spots], columns)
    draft = io.BytesIO()
    book.save(draft)
    path.write_bytes(settled(draft.getvalue()))


def settled(workbook: bytes, moment: str = "1980-01-01T00:00:00Z") -> bytes:
    """A workbook that bears `moment` instead of the time of its writing, so that the same table gives the same bytes.

    Workbooks are made in memory and written by one call: of a full disk only that call's own error remains.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>" + moment.encode(), content)
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _fill(openpyxl: Any, sheet: Any, names: list[str], columns: list[list[Any]]) -> None:
    """Header and rows of a write-only sheet; one cell of each column is filled again and again, as rows are written at once."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    formats = [looks.number_format(name, values) for name, values in zip(names, columns, strict=True)]
    looks.frame_sheet(sheet, names, columns, formats)

    def text(cell: Any, value: str) -> Any:
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        cell.data_type = "s"
        return cell

    sheet.append([text(looks.heading(openpyxl.cell.WriteOnlyCell(sheet)), name) for name in names])
    cells = [openpyxl.cell.WriteOnlyCell(sheet) for _ in names]
    for cell, form in zip(cells, formats, strict=True):
        cell.number_format = form

    def filled(cell: Any, form: str, value: Any) -> Any:
        if isinstance(value, str):
            return text(cell, value)
        if value is None or form == looks.GENERAL:  # a mixed column: each value as the library writes it
            return value
        cell.value = value
        return cell

    for row in zip(*columns, strict=True) if columns else ():
        sheet.append([filled(*each) for each in zip(cells, formats, row, strict=True)])


def _degrees(text: str) -> float | None:
    return float(text) if text else None


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z") if value.tzinfo else value.to_pydatetime()
    if isinstance(value, datetime | date | str):
        return value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    return float(value) if np.isfinite(value) else None
