"""How a sheet of a workbook looks: number and date formats by column, bold frozen header with filter, widths that fit.

For what a person sees in a spreadsheet; the cells keep their full values, which `excel` writes and reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from geotools.model.errors import need

GENERAL, TEXT, WHOLE, DAY, MOMENT = "General", "@", "0", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
GROUPED = ("_m2", "_ha", "cost")  # amounts; years, numbers of things and coordinates are not grouped
MOST_DECIMALS = 7  # of a degree: one centimetre
NARROW, WIDE = 8, 46  # letters
LONG = 255  # more letters a cell that is marked as text shows as ###
SAMPLE = 2000  # rows that a width is taken from


def number_format(name: str, values: Iterable[Any]) -> str:
    """The format of a column by its name and cells: whole, as many decimals as the values have, days, moments or text.

    Signs for thousands and decimals are those of the reader's own spreadsheet. Square metres and hectares are grouped and
    keep two decimals; a share keeps as many as it has, up to seven, so that almost all is never shown as all.

    Examples
    --------
    >>> number_format("releases", [1, 2]), number_format("area_m2", [1234.567]), number_format("coverage", [0.9996, None])
    ('0', '#,##0.00', '0.0000')
    >>> number_format("date", [date(2024, 5, 1)]), number_format("id", ["H-1"]), number_format("empty", [None])
    ('yyyy-mm-dd', '@', 'General')
    """
    known = [v for v in values if v is not None and v != ""]
    if not known or any(isinstance(v, bool) for v in known):
        return GENERAL
    if all(isinstance(v, str) for v in known):
        return TEXT if max(map(len, known)) <= LONG else GENERAL
    if all(isinstance(v, datetime | date) for v in known):
        return DAY if all(not isinstance(v, datetime) or v.time() == time() for v in known) else MOMENT
    if not all(isinstance(v, int | float) for v in known):
        return GENERAL
    grouped = name.endswith(GROUPED)
    decimals = _decimals(known, 2 if grouped else MOST_DECIMALS)
    if grouped and decimals:
        decimals = 2
    return ("#,##0" if grouped else WHOLE) + ("." + "0" * decimals if decimals else "")


def _decimals(values: Iterable[float], most: int) -> int:
    """As few decimals as say the values exactly, `most` if none do."""
    need_: int = 0
    for value in values:
        while need_ < most and round(value, need_) != value:
            need_ += 1
    return need_


def width(name: str, values: Sequence[Any], form: str) -> float:
    """Width of a column in letters: its heading with the arrow of the filter, and its cells, within limits."""
    shown = max((len(_shown(v, form)) for v in values[:SAMPLE] if v is not None), default=0)
    return float(min(max(len(name) + 4, shown + 2, NARROW), WIDE))


def _shown(value: Any, form: str) -> str:
    if form in (DAY, MOMENT):
        return form
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.{len(form.partition('.')[2])}f}"
    return str(value)


def heading(cell: Any) -> Any:
    """A cell of the header: bold."""
    cell.font = need("openpyxl.styles", "excel").Font(bold=True)
    return cell


def frame_sheet(sheet: Any, names: Sequence[str], columns: Sequence[Sequence[Any]], formats: Sequence[str]) -> None:
    """Freeze the header and set widths and the filter; before the first row of a write-only sheet."""
    letter = need("openpyxl.utils", "excel").get_column_letter
    sheet.freeze_panes = "A2"
    for n, (name, values, form) in enumerate(zip(names, columns, formats, strict=True), start=1):
        sheet.column_dimensions[letter(n)].width = width(name, values, form)
    if names:
        sheet.auto_filter.ref = f"A1:{letter(len(names))}{max(map(len, columns), default=0) + 1}"


def dress(book: Any) -> None:
    """Format every sheet of a workbook in memory whose first row is its header.

    Examples
    --------
    >>> import openpyxl
    >>> book = openpyxl.Workbook()
    >>> book.active.append(["id", "area_m2"])
    >>> book.active.append(["H-1", 12345.678])
    >>> dress(book)
    >>> book.active["B2"].number_format, book.active.freeze_panes, book.active["A1"].font.bold
    ('#,##0.00', 'A2', True)
    """
    for sheet in book.worksheets:
        cells = [list(column) for column in sheet.iter_cols()]
        if not cells or (cells[0][0].value is None and len(cells) == 1):
            continue
        names = [str(column[0].value or "") for column in cells]
        columns = [[cell.value for cell in column[1:]] for column in cells]
        formats = [number_format(name, values) for name, values in zip(names, columns, strict=True)]
        frame_sheet(sheet, names, columns, formats)
        for column, form in zip(cells, formats, strict=True):
            heading(column[0])
            for cell in column[1:]:
                cell.number_format = form
