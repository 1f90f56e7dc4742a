"""Total lines at the end of a table: sums that a spreadsheet writes under its records, which are no records themselves.

For tables read whole; not for logs read in parts, nor for lines above the names of the columns (see `io.excel`).
"""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from geotools.io.raw import Finding, Raw
from geotools.model.schema.conform import as_text
from geotools.model.vocab import fold

_NAMES = (
    "total|totals|grand total|sub total|subtotal|total area|sum|sums|in total|overall total|overall|"
    "cəmi|cəm|yekun|yekunu|ümumi|ümumi cəm|cəmi sahə|ümumi sahə|icmal|"
    "toplam|genel toplam|ara toplam|toplam alan|"
    "итого|всего|итог|общий итог|итого по листу|общая площадь|сумма"
)
WORDS = frozenset(fold(name) for name in _NAMES.split("|"))
_UNITS = frozenset(fold(unit) for unit in ("ha", "m2", "m²", "km2", "km²", "sqm", "га", "м2", "м²", "hektar", "dönüm"))
_NUMBER = re.compile(r"[-+(]?\d[\d\s.,'’]*\s*(\D{0,12}|m2|km2|м2|км2)")


def set_aside(raw: Raw) -> None:
    """Take the total lines off the end of a table, each as a rejected row (RD-02) that is told.

    A last row is one only if the words in it are nothing but a word for a total (``Cəmi``, ``Toplam``, ``Итого``, ``Total``),
    every other cell is blank or a number, and no position was given for it. A table always keeps its first row.
    """
    table, end = raw.table, len(raw.table)
    given = {f.row for f in raw.findings if f.code == "RD-03" and any(c.isalnum() for c in str(f.value))}
    while end > 1 and _has_no_place(raw, end - 1) and end - 1 not in given and _is_total(table.iloc[end - 1]):
        end -= 1
    if end == len(table):
        return
    numbers = raw.row_numbers
    kept = []
    for found in raw.findings:
        if found.row is None or found.row < end:
            kept.append(found)
        elif found.code != "RD-03":
            kept.append(replace(found, row=None, number=int(numbers[found.row])))
    for row in range(end, len(table)):
        cells = " | ".join(text for value in table.iloc[row] if (text := as_text(value)) is not None)[:80]
        said = f"rejected: it looks like a total line, not a record ('{cells}')"
        kept.append(Finding("RD-02", "warning", said, number=int(numbers[row]), value=cells))
    raw.findings = kept
    raw.table = table.iloc[:end].copy()
    raw.geometry = None if raw.geometry is None else raw.geometry[:end]
    raw.numbers = numbers[:end]


def _has_no_place(raw: Raw, row: int) -> bool:
    return raw.geometry is None or raw.geometry[row] is None or bool(raw.geometry[row].is_empty)


def _is_total(cells: pd.Series) -> bool:
    """Whether the only words of a row are for a total."""
    texts = [text for value in cells if (text := as_text(value)) is not None and any(c.isalnum() for c in text)]
    words = [text for text in texts if not _NUMBER.fullmatch(text)]
    return bool(words) and all(_says_total(text) for text in words)


def _says_total(text: str) -> bool:
    parts = fold(text).split()
    while len(parts) > 1 and parts[-1] in _UNITS:
        parts.pop()
    return " ".join(parts) in WORDS
