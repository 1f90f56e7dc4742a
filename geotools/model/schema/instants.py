"""Instants from cells of a column: ISO 8601, day-first and month-first dates, seconds since 1970; never a day that nobody wrote.

For times of logs; not for days without a time of day (see `conform`) or for putting a date and a time of day together (see `io`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

ZONED = re.compile(
    r"(Z|\bUTC|\bGMT|:\d{2}(?:[.,]\d+)?\s*[+-]\d{2}(?::?\d{2})?|T\d{4,6}(?:[.,]\d+)?[+-]\d{2}(?::?\d{2})?)$",
    re.IGNORECASE,
)
_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ].*)?"
_DAY_OR_MONTH = re.compile(r"^(\d{1,2})([./\-])(\d{1,2})\2(\d{4}|\d{2})(?=$|[ T,])(.*)$")
_CALENDAR = re.compile(
    r"^(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?\b|\d{8}(?:$|[T ]|\d{4}(?:\d{2})?(?:[.,]\d+)?$)|\d{1,2}[./-]\d{1,2}[./-]\d{4}"
    r"|(?:\w+,?\s+)?\d{1,2}[\s.-]+[^\W\d]{3,}\.?,?[\s.-]+\d{4}|(?:\w+,?\s+)?[^\W\d]{3,}\.?\s+\d{1,2},?\s+\d{4})"
)
_PLAIN = re.compile(r"^\d+(?:\.\d+)?$")
_CLOCK = re.compile(
    r"^T?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?\s*(?:[AP]\.?M\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_SINCE_1970 = (
    (10**8, 10**10, 1000.0),
    (10**12, 10**13, 1.0),  # from 2001 on: twelve digits are a day and time written together, 202605040630
    (10**14, 10**16, 1e-3),
)  # seconds, milliseconds, microseconds
FIRST, LAST = pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2201-01-01", tz="UTC")
Report = Callable[..., None]


def instants(raw: pd.Series, missing: Callable[[Any], bool], name: str, report: Report) -> pd.Series:
    """A column as instants in UTC, NaT where it holds none; `report(row, code, message, severity, limit)` is told what is odd.

    Parameters
    ----------
    missing
        Whether a cell is empty.
    name
        The column, for messages.
    """
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        return raw.dt.tz_convert("UTC").astype("datetime64[ms, UTC]")
    if pd.api.types.is_datetime64_dtype(raw.dtype):
        if raw.notna().any():
            report(0, "RD-13", f"{name} has no time zone: taken as UTC", "info")
        return pd.to_datetime(raw, utc=True, errors="coerce").astype("datetime64[ms, UTC]")
    empty = np.array([missing(value) for value in raw], dtype=bool)
    if pd.api.types.is_numeric_dtype(raw.dtype) and not pd.api.types.is_bool_dtype(raw.dtype):
        values = _counted(raw.astype("float64").where(~empty))
        zoned = np.ones(len(raw), dtype=bool)
    else:
        values, zoned = _typed(raw, empty, name, report)
    values = values.where((values >= FIRST) & (values < LAST)).astype("datetime64[ms, UTC]")
    naive = values.notna().to_numpy() & ~zoned
    if naive.any() and (values.notna().to_numpy() & zoned).any():
        rows = np.flatnonzero(naive)
        said = f"{name} of {len(rows)} rows has no time zone, while others have one: nobody can say which instants these are; they are taken as missing"
        report(int(rows[0]), "RD-13", said, "error", "YYYY-MM-DDThh:mm:ssZ")
        values = values.mask(naive)
    elif naive.any():
        report(int(np.flatnonzero(naive)[0]), "RD-13", f"{name} has no time zone: taken as UTC", "info")
    for row in np.flatnonzero(values.isna().to_numpy() & ~empty & ~naive):
        report(int(row), "RD-13", _why_not(raw.iloc[row]), "warning", "YYYY-MM-DDThh:mm:ssZ")
    return values


def _why_not(value: Any) -> str:
    if isinstance(value, str) and _CLOCK.match(value.strip()):
        return f"'{value}' is a time of day without a date: it is taken as missing"
    return f"'{value}' is not a time"


def _counted(numbers: pd.Series) -> pd.Series:
    """Seconds, milliseconds or microseconds since 1970; a lesser number is not placed on the calendar."""
    out = pd.Series(np.nan, index=numbers.index)
    for low, high, factor in _SINCE_1970:
        out = out.where(~numbers.between(low, high), numbers * factor)
    return out.round().astype("Int64").astype("datetime64[ms]").dt.tz_localize("UTC")


def _typed(raw: pd.Series, empty: np.ndarray, name: str, report: Report) -> tuple[pd.Series, np.ndarray]:
    """Instants from texts and dates, and which of them state their zone."""
    cells = [
        None if gone else value.strip() if isinstance(value, str) else value
        for gone, value in zip(empty, raw, strict=True)
    ]
    texts = pd.Series(cells, dtype=object)
    zoned = np.array(
        [bool(ZONED.search(v)) if isinstance(v, str) else getattr(v, "tzinfo", None) is not None for v in cells],
        dtype=bool,
    )
    if all(value is None or isinstance(value, str) for value in cells) and texts.dropna().str.fullmatch(_ISO).all():
        return pd.to_datetime(texts, utc=True, errors="coerce", format="mixed"), zoned
    plain = np.array([isinstance(v, str) and bool(_PLAIN.match(v)) for v in cells], dtype=bool)
    counted = _counted(pd.to_numeric(texts.where(plain), errors="coerce").astype("float64"))
    known = counted.notna().to_numpy()
    dated = _by_order(texts, name, report)
    on_calendar = np.array([not isinstance(v, str) or bool(_CALENDAR.match(v)) for v in dated], dtype=bool)
    read = pd.to_datetime(dated.where(on_calendar & ~known, None), utc=True, errors="coerce", format="mixed")
    return read.astype("datetime64[ms, UTC]").where(~known, counted), zoned | known


def _by_order(texts: pd.Series, name: str, report: Report) -> pd.Series:
    """Dates such as 05.04.2026 as year-month-day: day first, unless the column itself shows that the month comes first."""
    found = {row: match for row, v in enumerate(texts) if isinstance(v, str) and (match := _DAY_OR_MONTH.match(v))}
    if not found:
        return texts
    first, second = (np.array([int(m[i]) for m in found.values()]) for i in (1, 3))
    us = bool((second > 12).any() and not (first > 12).any())
    out = list(texts)
    for row, m in found.items():
        if m[2] == "-" and len(m[4]) == 2:
            continue  # 26-05-04 may be any of three orders
        year = m[4] if len(m[4]) == 4 else f"{19 if int(m[4]) >= 80 else 20}{m[4]}"
        day, month = (m[3], m[1]) if us else (m[1], m[3])
        out[row] = f"{year}-{month:0>2}-{day:0>2}{m[5]}"
    row, m = next(iter(found.items()))
    if us:
        said = f"{name} is written month first, as other rows show: '{m[0]}' is read as {str(out[row])[:10]}"
        report(row, "RD-13", said, "info")
    elif not (first > 12).any() and m[2] == "/":
        said = f"'{m[0]}' is read day first, as {str(out[row])[:10]}, and so are all such times of {name}; if the month comes first, correct it"
        report(row, "RD-13", said, "info")
    return pd.Series(out, index=texts.index, dtype=object)
