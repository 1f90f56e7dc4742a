"""Days as people and spreadsheets write them: months by name, and month first where the column shows it.

For text in date columns before it is read (see `model.schema.conform`, which reads ISO and day-first text); not for
milliseconds (see `io.epochs`).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pandas as pd

from geotools.io.epochs import date_columns
from geotools.io.raw import Finding, Raw

_NUMBERS = re.compile(r"^(\d{1,2})([./\-])(\d{1,2})\2(\d{4})((?:[ T].*)?)$")
_MONTHS = (
    "jan|january|enero|janvier|января", "feb|february|febrero|février|fevrier|февраля", "mar|march|marzo|mars|марта",
    "apr|april|abril|avril|апреля", "may|mayo|mai|мая", "jun|june|junio|juin|июня", "jul|july|julio|juillet|июля",
    "aug|august|agosto|août|aout|августа", "sep|sept|september|septiembre|septembre|сентября", "oct|october|octubre|octobre|октября",
    "nov|november|noviembre|novembre|ноября", "dec|december|diciembre|décembre|decembre|декабря",
)  # fmt: skip
_MONTH = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split("|")}
_END = r"(?:\s*(?:г\.?|года))?(?:[\sT,]+\d{1,2}[:.]\d{2}(?![.\d]*\d{4}).*)?$"  # a time of day at most: 'to 5 May 2021' is another day
_DAY_NAMED = re.compile(
    r"^(\d{1,2})(?:st|nd|rd|th)?[\s\-./]*(?:de\s+)?([^\W\d_]{3,10})\.?[\s\-./,]*(?:de\s+)?(\d{4})" + _END, re.IGNORECASE
)
_NAMED_DAY = re.compile(
    r"^([^\W\d_]{3,10})\.?[\s\-./]*(\d{1,2})(?:st|nd|rd|th)?,?[\s\-./]+(\d{4})" + _END, re.IGNORECASE
)


def settle(raw: Raw, kind: str | None) -> None:
    """Write such days in date columns as ISO days; `raw` is changed, and findings say what was understood."""
    made: dict[str, pd.Series] = {}
    for name in date_columns(raw, kind):
        if raw.table[name].dtype == object:
            values = [_named(v) for v in raw.table[name]]
            values, findings = _ordered(values, str(name))
            raw.findings += findings
            made[name] = pd.Series(values, dtype=object, index=raw.table.index)
    raw.table = raw.table.assign(**made)


def _named(value: Any) -> Any:
    """A day with the month by name as ISO text; anything else as it is.

    Examples
    --------
    >>> _named("5-Mar-2021"), _named("March 5, 2021"), _named("5 de marzo de 2021"), _named("31 feb 2021"), _named("5.3.2021")
    ('2021-03-05', '2021-03-05', '2021-03-05', '31 feb 2021', '5.3.2021')
    >>> _named("5 March 2021 - 7 May 2021"), _named("5 March 2021 (planned)")
    ('5 March 2021 - 7 May 2021', '5 March 2021 (planned)')
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:4].isdigit() or text.isdigit():
        return value
    if match := _DAY_NAMED.match(text):
        day, month, year = match[1], match[2], match[3]
    elif match := _NAMED_DAY.match(text):
        month, day, year = match[1], match[2], match[3]
    else:
        return value
    try:
        return date(int(year), _MONTH[month.casefold()], int(day)).isoformat()
    except (KeyError, ValueError):
        return value


def _ordered(values: list[Any], name: str) -> tuple[list[Any], list[Finding]]:
    """Days of numbers, month first in all rows if some can be nothing else and none must be day first."""
    parts = {row: match for row, v in enumerate(values) if isinstance(v, str) and (match := _NUMBERS.match(v.strip()))}
    month_first = [row for row, m in parts.items() if int(m[1]) <= 12 < int(m[3]) <= 31]
    either = [
        row
        for row, m in parts.items()
        if 1 <= int(m[1]) <= 12 and 1 <= int(m[3]) <= 12 and m[1].zfill(2) != m[3].zfill(2)
    ]
    if not month_first or not either:
        return values, []
    if any(12 < int(m[1]) <= 31 for m in parts.values()):
        first = either[0]
        said = f"{name} has days written day first and days written month first: {len(either)} that can be read both ways are read day first ('{values[first]}' …); correct those that are not"
        return values, [Finding("RD-13", "warning", said, first, column=name, value=len(either))]
    out = list(values)
    for row in either:
        match = parts[row]
        out[row] = f"{match[4]}-{int(match[1]):02d}-{int(match[3]):02d}"
    first = either[0]
    said = f"{name} is written month first ('{values[month_first[0]]}' can be nothing else): so {len(either)} days that could be read both ways are read month first too ('{values[first]}' is {out[first]})"
    return out, [Finding("RD-13", "warning", said, first, column=name, value=str(values[first]), limit=out[first])]
