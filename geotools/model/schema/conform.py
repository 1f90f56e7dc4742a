"""Bring a raw frame to its schema: names, words, numbers, dates and ids, with an issue for everything odd.

For tables already in memory; not for geometry (see `space.geom`) or files (see `io`). No row is ever dropped here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from geotools.model.schema.answers import to_boolean, to_working
from geotools.model.schema.columns import Column, Schema
from geotools.model.schema.instants import instants
from geotools.model.schema.issues import Issue
from geotools.model.schema.stated import by_beginning, by_unit, doubts, factor_of
from geotools.model.units import has_unit, quantity, units_of
from geotools.model.vocab import fold

# Issue codes of this room: 10 ids, 11 words, 12 numbers, 13 dates and times, 14 yes/no, 15 columns.
MISSING = frozenset({"", "nan", "none", "null", "<na>", "nat", "n/a", "#n/a", "-"})
_LONGEST = max(map(len, MISSING))
FLAGS = frozenset({"is_on"})  # answers that tell whether a tool was at work
_DEEPEST_CM = 1000.0
_EXCEL_EPOCH = pd.Timestamp("1899-12-30")


def conform(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    words: Mapping[str, Mapping[str, str]] | None = None,
    columns: Mapping[str, str] | None = None,
    numbers: Sequence[int] | None = None,
) -> tuple[pd.DataFrame, list[Issue]]:
    """Rename and convert the columns of `frame` to those of `schema`.

    Parameters
    ----------
    frame
        Any table; its index is replaced by 0…n−1, its rows keep their order.
    words
        A programme's own spellings: vocabulary → {spelling: key}.
    columns
        A programme's own column names: {name in file: canonical name}.
    numbers
        What messages and made-up ids call the rows, where some rows of the file are not in `frame`; default 1, 2, ….

    Returns
    -------
    frame, issues
        Every row of the input, `id` unique text. Words not in a vocabulary, and answers that are neither yes nor no, become
        missing and are kept as typed in ``<column>_as_entered``. Columns that the schema does not know are kept unchanged.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> out, issues = conform(pd.DataFrame({"ID": ["a"], "Type": ["suspected"]}), schema("hazards"))
    >>> out.loc[0, "classification"], issues
    ('SHA', [])
    """
    issues: list[Issue] = []
    mapping = reading(frame.columns, schema, columns)
    renamed = frame.reset_index(drop=True).rename(columns=mapping)
    issues += doubts(list(map(str, frame.columns)), schema, mapping)
    headings = {target: name for name, target in mapping.items()}
    data: dict[str, Any] = {name: renamed[name] for name in renamed.columns}
    ids = _ids(data.pop("id", None), numbers if numbers is not None else range(1, len(renamed) + 1), schema, issues)
    done: dict[str, Any] = {"id": ids}
    for column in schema:
        if column.name == "id":
            continue
        if column.name not in data:
            if column.required:
                issues.append(
                    Issue(
                        "RD-15",
                        "warning",
                        schema.kind,
                        column=column.name,
                        message=f"no column '{column.name}' in the file: all values are missing",
                    )
                )
                done[column.name] = _empty(column, len(renamed))
            continue
        raw = data.pop(column.name)
        asked = (column, headings.get(column.name, column.name))
        done[column.name], as_entered = _convert(raw, asked, schema.kind, ids, words or {}, issues)
        if as_entered is not None:
            done[f"{column.name}_as_entered"] = as_entered
    return pd.DataFrame({**done, **data}, index=renamed.index), issues


def reading(names: Iterable[str], schema: Schema, columns: Mapping[str, str] | None = None) -> dict[str, str]:
    """As `renaming`, and headings with a unit of their own as well: their numbers must be converted, as `conform` does.

    So are names that a shapefile cut to ten bytes, where only one column can be meant.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> reading(["Kod", "Alan (ha)", "colour"], schema("hazards"))
    {'Kod': 'id', 'Alan (ha)': 'area_reported_m2'}
    """
    present = list(names)
    mapping = renaming(present, schema, columns)
    rest = [name for name in present if name not in mapping and name not in schema.names and name != "geometry"]
    mapping |= by_unit(rest, schema, {*mapping.values(), *present})
    return mapping | by_beginning([name for name in rest if name not in mapping], schema, {*mapping.values(), *present})


def renaming(names: Iterable[str], schema: Schema, columns: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which of these column names stand for which column of the schema; names that already do are left out.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> renaming(["Hazard ID", "Status", "colour"], schema("hazards"))
    {'Hazard ID': 'id', 'Status': 'status'}
    """
    present = list(names)
    own = {fold(source): target for source, target in (columns or {}).items()}
    taken = {name for name in present if name in schema.names}
    mapping: dict[str, str] = {}
    for lookup in (own, schema.by_spelling):
        for name in present:
            if name in mapping or name in schema.names or name == "geometry":
                continue
            target = lookup.get(fold(name))
            if target and target not in taken:
                mapping[name] = target
                taken.add(target)
    return mapping


def _missing(value: Any) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().casefold() in MISSING


def as_text(value: Any) -> str | None:
    """A cell as trimmed text; whole floats lose their ``.0``; missing is None."""
    if isinstance(value, str):
        text = _whole(value).strip()
        return None if len(text) <= _LONGEST and text.casefold() in MISSING else text
    if _missing(value):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(value))
    return _whole(str(value)).strip()


def _whole(text: str) -> str:
    """Text without half characters (lone surrogates), which no file can hold."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def _ids(raw: pd.Series | None, numbers: Sequence[int], schema: Schema, issues: list[Issue]) -> pd.Series:
    texts = [None] * len(numbers) if raw is None else [as_text(value) for value in raw]
    empty = raw is not None and len(texts) > 1 and not any(texts)
    if (raw is None or empty) and len(numbers):
        why = "the id column is empty" if empty else "the file has no id column"
        said = f"{why}: ids are made from row numbers"
        issues.append(Issue("RD-10", "warning" if empty else "info", schema.kind, column="id", message=said))
        if len(set(numbers)) == len(numbers):
            return pd.Series([f"row-{number}" for number in numbers], dtype=object)
    used = {text for text in texts if text}
    seen: dict[str, int] = {}
    out: list[str] = []
    for row, text in zip(numbers, texts, strict=True):
        if not text:
            made = _free(f"row-{row}", used)
            if raw is not None:
                issues.append(
                    Issue("RD-10", "warning", schema.kind, made, "id", f"row {row} has no id: it is called '{made}'")
                )
            out.append(made)
            continue
        seen[text] = seen.get(text, 0) + 1
        if seen[text] > 1:
            made = _free(f"{text}~{seen[text]}", used)
            issues.append(
                Issue(
                    "RD-10",
                    "error",
                    schema.kind,
                    made,
                    "id",
                    f"id '{text}' is used more than once: row {row} is kept as '{made}'",
                    value=text,
                )
            )
            out.append(made)
        else:
            out.append(text)
    return pd.Series(out, dtype=object)


def _free(wanted: str, used: set[str]) -> str:
    name, turn = wanted, 1
    while name in used:
        turn += 1
        name = f"{wanted}.{turn}"
    used.add(name)
    return name


def _empty(column: Column, count: int) -> pd.Series:
    dtype = {
        "number": "float64",
        "integer": "Int64",
        "boolean": "boolean",
        "date": "datetime64[ms]",
        "time": "datetime64[ms, UTC]",
    }
    return pd.Series([None] * count, dtype=dtype.get(column.kind, "object"))


def _convert(
    raw: pd.Series,
    asked: tuple[Column, str],
    kind: str,
    ids: pd.Series,
    words: Mapping[str, Mapping[str, str]],
    issues: list[Issue],
) -> tuple[pd.Series, pd.Series | None]:
    column, heading = asked

    def report(row: int, code: str, message: str, severity: str = "warning", limit: Any = "") -> None:
        issues.append(
            Issue(
                code,
                severity,
                kind,
                ids.iloc[row],
                column.name,
                _whole(message),
                value=as_text(raw.iloc[row]) or "",
                limit=limit,
            )
        )

    if column.kind in ("word", "words"):
        return _words(raw, column, words.get(column.words, {}), report)
    if column.kind == "boolean":
        return _booleans(raw, column, report)
    if column.kind == "number":
        return _numbers(raw, column, report, heading), None
    convert = {"integer": _integers, "date": _dates, "time": _times}.get(column.kind)
    if convert is None:
        return pd.Series([as_text(value) for value in raw], dtype=object), None
    return convert(raw, column, report), None


Report = Callable[..., None]


def _words(
    raw: pd.Series, column: Column, aliases: Mapping[str, str], report: Report
) -> tuple[pd.Series, pd.Series | None]:
    vocabulary = column.vocabulary
    assert vocabulary is not None
    cache: dict[str, tuple[str | None, bool]] = {}
    known: dict[str, str | None] = {}  # spellings as they stand in the file
    found: list[str | None] = []
    strange: list[str | None] = [None] * len(raw)
    for row, value in enumerate(raw):
        if isinstance(value, str) and value in known:
            found.append(known[value])
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple | set | np.ndarray) else as_text(value)
        if not text and isinstance(value, str) and fold(value) in vocabulary.keys:
            text = value.strip()  # «none» is a word of its own here: a receiver without a position writes it
        if not text:
            found.append(None)
            continue
        text = _CODE.sub(r"\1", text)
        if text not in cache:
            parts = [text] if column.kind == "word" else [p for p in re.split(r"[,;|/]|\s\+\s", text) if p.strip()]
            whole = vocabulary.match(text, aliases)
            keys = [whole] if whole else [vocabulary.match(part, aliases) for part in parts]
            cache[text] = (",".join(dict.fromkeys(k for k in keys if k)) or None, None in keys)
        keys_text, unknown = cache[text]
        found.append(keys_text)
        if isinstance(value, str) and not unknown:
            known[value] = keys_text
        if unknown:
            strange[row] = text
            report(row, "RD-11", f"'{text}' is not a known word for {column.name}", limit=", ".join(vocabulary.keys))
    return pd.Series(found, dtype=object), pd.Series(strange, dtype=object) if any(strange) else None


def to_number(value: Any) -> float | None:
    """A number from a cell: plain, with decimal comma, with thousands separators, or None.

    Examples
    --------
    >>> to_number("1 234,5"), to_number("1.234,5"), to_number("12,500.25"), to_number("abc") is None
    (1234.5, 1234.5, 12500.25, True)
    """
    if isinstance(value, bool | np.bool_):
        return float(value)
    if isinstance(value, int | float | np.integer | np.floating):
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:  # a whole number of more than 308 digits
            return None
    text = re.sub(r"[\s\u00a0\u202f'’]", "", str(value))
    if "," in text and "." in text:
        last = max(text.rfind(","), text.rfind("."))
        text = re.sub(r"[.,]", "", text[:last]) + "." + text[last + 1 :]
    elif text.count(",") == 1:
        text = text.replace(",", ".")
    elif text.count(",") > 1:
        text = text.replace(",", "")
    text = text.replace("−", "-")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _numbers(raw: pd.Series, column: Column, report: Report, heading: str = "") -> pd.Series:
    times = factor_of(heading, column) or 1.0
    if pd.api.types.is_numeric_dtype(raw.dtype) and not pd.api.types.is_bool_dtype(raw.dtype):
        values = raw.astype("float64").to_numpy(copy=True, na_value=np.nan)
        for row in map(int, np.flatnonzero(np.isinf(values))):
            report(row, "RD-12", f"{column.name} is infinite: it is taken as missing")
        values[~np.isfinite(values)] = np.nan
        plain = np.isfinite(values)
    else:
        values, plain = _typed_numbers(raw, column, report)
    if times != 1.0 and plain.any():
        _in_unit(values, plain, (raw, column, heading, times), report)
    low, high = column.minimum, column.maximum
    with np.errstate(invalid="ignore"):
        wrong = (values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high))
    for row in map(int, np.flatnonzero(wrong)):
        report(
            row,
            "RD-12",
            f"{column.name} is outside what is possible",
            "error",
            f"{low if low is not None else ''}…{high if high is not None else ''}",
        )
    return pd.Series(values)


def _typed_numbers(raw: pd.Series, column: Column, report: Report) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of cells, those with a unit of their own in the unit of the column, and which cells have none of their own."""
    values, plain = np.full(len(raw), np.nan), np.zeros(len(raw), dtype=bool)
    typed: list[int] = []
    for row, value in enumerate(raw):
        if _missing(value):
            continue
        if units_of(column.unit) and isinstance(value, str) and has_unit(value):
            number = quantity(value, column.unit)
            if number is None:
                said = f"'{value}' cannot be read in {column.unit}: write the plain number in {column.unit}"
                report(row, "RD-12", said)
            else:
                values[row] = number
                typed.append(row)
            continue
        number = to_number(value)
        if number is None:
            report(row, "RD-12", f"'{value}' is not a number")
            continue
        values[row], plain[row] = number, True
        if isinstance(value, str) and _AMBIGUOUS.fullmatch(value.strip()):
            said = f"'{value}' is read as {number:g} with a decimal comma; if the comma groups thousands, correct it"
            report(row, "RD-12", said)
    if typed:
        first = typed[0]
        told = f"{len(typed)} values of {column.name} carry a unit and were converted to {column.unit} ('{raw.iloc[first]}' is {values[first]:g})"
        report(first, "RD-12", told, "info")
    return values, plain


def _in_unit(values: np.ndarray, plain: np.ndarray, what: tuple[pd.Series, Column, str, float], report: Report) -> None:
    """Plain numbers under a heading with another unit, brought to the unit of the column, in place, and told.

    A depth that no one searches to is a slip of the heading: it is not read, for it would claim more than was done.
    """
    raw, column, heading, times = what
    values[plain] = np.round(values[plain] * times, 9)
    far = plain & (values > _DEEPEST_CM) if column.unit == "cm" and times > 1 else np.zeros(len(values), dtype=bool)
    for row in map(int, np.flatnonzero(far)):
        said = f"'{raw.iloc[row]}' under the heading '{heading}' would be {values[row]:g} {column.unit}: it is not read; correct the heading or the number"
        report(row, "RD-12", said)
    values[far] = np.nan
    done = np.flatnonzero(plain & ~far)
    if len(done):
        first = int(next((row for row in done if values[row] != 0), done[0]))
        told = f"the heading '{heading}' states its unit: {len(done)} values of {column.name} were converted to {column.unit} ('{raw.iloc[first]}' is {values[first]:.12g})"
        report(first, "RD-12", told, "info")


def _integers(raw: pd.Series, column: Column, report: Report) -> pd.Series:
    values = _numbers(raw, column, report)
    for large in np.flatnonzero(values.abs() >= 2.0**62):
        report(int(large), "RD-12", f"{column.name} is larger than any count: it is taken as missing")
        values[int(large)] = np.nan
    whole = values.round()
    for row in np.flatnonzero((values - whole).abs() > 1e-9):
        report(int(row), "RD-12", f"{column.name} must be a whole number: it was rounded")
    return whole.astype("Int64")


def _booleans(raw: pd.Series, column: Column, report: Report) -> tuple[pd.Series, pd.Series | None]:
    """Answers, and as they were typed those that are neither yes nor no: an unread answer is not a missing one."""
    read = to_working if column.name in FLAGS else to_boolean
    meant: dict[str, tuple[bool | None, str]] = {}
    values: list[bool | None] = []
    strange: list[str | None] = [None] * len(raw)
    for row, value in enumerate(raw):
        key = value if isinstance(value, str) else repr(value)
        if key not in meant:
            meant[key] = read(value), as_text(value) or ""
        found, text = meant[key]
        if found is None and text:
            strange[row] = text
            report(row, "RD-14", f"'{value}' is neither yes nor no")
        values.append(found)
    return pd.Series(values, dtype="boolean"), pd.Series(strange, dtype=object) if any(strange) else None


_DAY_FIRST = re.compile(r"^(\d{1,2})[./\-](\d{1,2})[./\-](\d{4})(?:[ T].*)?$")
_ISO_DAY = re.compile(r"^(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T\sZ+-].*)?$", re.IGNORECASE)
_SECOND_DAY = re.compile(r"[T\s+-].*(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})", re.IGNORECASE)
_HALF = re.compile("[\ud800-\udfff]")
_CODE = re.compile(r"^(\d+)\.0+$")  # a code that went through a spreadsheet
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # twelve and a half, or twelve thousand five hundred?


def to_day(value: Any) -> date | None:
    """A day from a cell: ISO, day-first text (31.12.2024), a date or timestamp, or None.

    An instant with a time zone gives the day as written in that zone, as text and as timestamp alike.

    Examples
    --------
    >>> to_day("05.03.2024"), to_day("2024-03-05T10:00:00"), to_day("31.02.2024") is None
    (datetime.date(2024, 3, 5), datetime.date(2024, 3, 5), True)
    """
    if isinstance(value, datetime | pd.Timestamp):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else pd.Timestamp(value).date()
    text = str(value).strip()
    if len(text) > 16 and _SECOND_DAY.search(text, 8):  # from one day to another: neither is the day
        return None
    try:
        if match := _ISO_DAY.match(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _DAY_FIRST.match(text):
            first, second = int(match[1]), int(match[2])
            day, month = (first, second) if second <= 12 else (second, first)
            return date(int(match[3]), month, day)
        if re.fullmatch(r"\d{8}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    return None


def _impossible(days: np.ndarray) -> np.ndarray:
    """Which days lie outside the years 1900 to 2200."""
    found: np.ndarray = (days < np.datetime64("1900-01-01")) | (days >= np.datetime64("2201-01-01"))
    return found


def _dates(raw: pd.Series, column: Column, report: Report) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(raw.dtype):
        days = raw.dt.tz_localize(None).to_numpy().astype("datetime64[D]")  # as written in its zone
        if not _impossible(days).any():
            return pd.Series(days.astype("datetime64[ms]"))
    elif {type(value) for value in raw} <= {date, type(None)}:
        days = np.array(raw, dtype="datetime64[D]")
        if not _impossible(days).any():
            return pd.Series(days.astype("datetime64[ms]"))
    values: list[date | None] = []
    for row, value in enumerate(raw):
        if type(value) is date and 1900 <= value.year <= 2200:
            values.append(value)
            continue
        if _missing(value):
            values.append(None)
            continue
        day = to_day(value)
        if day is None and (number := to_number(value)) is not None and 20000 <= number <= 80000:
            day = (_EXCEL_EPOCH + pd.Timedelta(days=int(number))).date()
            report(row, "RD-13", f"{column.name} is a spreadsheet day number: read as {day.isoformat()}", "info")
        if day is None or not 1900 <= day.year <= 2200:
            report(row, "RD-13", f"'{value}' is not a date", limit="YYYY-MM-DD or DD.MM.YYYY")
            values.append(None)
            continue
        if isinstance(value, str) and (match := _DAY_FIRST.match(value.strip())) and int(match[2]) > 12:
            report(row, "RD-13", f"{column.name} '{value}' reads month first: taken as {day.isoformat()}", "info")
        values.append(day)
    return pd.Series(np.array(values, dtype="datetime64[D]").astype("datetime64[ms]"))


def _times(raw: pd.Series, column: Column, report: Report) -> pd.Series:
    return instants(raw, _missing, column.name, report)
