"""What logs of machines and receivers call their time, whether the tool was at work, and whether a position is one.

For columns of fixes under names of their makers, before the schema is applied; not for geometry or for units (see `model.schema`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from geotools.io.raw import Finding
from geotools.model.schema import Schema, renaming
from geotools.model.schema.answers import folded, to_boolean, to_working
from geotools.model.schema.conform import as_text, to_number
from geotools.model.vocab import fold


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split("|"))


_DATES = _words("date|utc date|date utc|gps date|gnss date|fix date|log date|day|datum|tarix|tarih|дата")
_CLOCKS = _words("utc time|time utc|gps time|gnss time|time of day|fix time|log time|clock|saat|время|zeit")
EARLY = "2010"  # logs of before that are of no programme that would read them now
_WEEKS = _words("gps week|week|gpsweek|wn|week number|gnss week")
_SECONDS = _words("sow|tow|gps sow|gps tow|gpstow|seconds of week|second of week|time of week|gps seconds")
_MILLISECONDS = _words("itow|i tow|tow ms|itow ms")
_LEAPS = (
    ("2017-01-01", 18),
    ("2015-07-01", 17),
    ("2012-07-01", 16),
    ("2009-01-01", 15),
    ("2006-01-01", 14),
    ("1999-01-01", 13),
)
_CLOCK = re.compile(
    r"^T?(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*([AP]\.?M\.?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_DIGITS = re.compile(r"^(\d{5,6})([.,]\d+)?$")

_TOOL = _words(
    "tool|flail|rotor|tiller|roller|drum|pto|implement|section|mulcher|chain|hammer|attachment|boom|arm|work|working|"
    "machine|detector|shaft|unit|alet|avadanliq|инструмент|орган|рабочий|трал|цеп"
)
_STATES = _words("is|flag|status|state|signal|bool|yes|no")
_NOISE = _words("is|the|flag|status|state|signal|bool|yes|no|position|0|1|2|3|4|5|6|7|8|9")
_WORKS = _words(
    "on|engaged|engage|active|down|lowered|enabled|running|operating|calisiyor|isleyir|вкл|включен|работает|опущен"
)
_RESTS = _words(
    "up|raised|raise|lifted|lift|off|idle|transport|disengaged|stopped|disabled|qaldirilib|kaldirildi|выкл|выключен|поднят"
)
_MODES = frozenset(("status", "state", "mode", "durum", "rejim", "режим", "состояние"))
_TURNS = _words("rpm|revs|devir|обороты")  # a tool that does not turn is not at work
_FIGURES = _words("speed|pressure|power|torque|load|control")  # figures of a tool, from which somebody could tell
_VALID = _words(
    "valid|gps valid|fix valid|position valid|location valid|gnss valid|pos valid|is valid|valid fix|valid position|gps fix ok|fix ok"
)
_FIX_TYPES = frozenset(("fix type", "fixtype", "gps fix type", "gnss fix type"))


def settle(
    table: pd.DataFrame, schema: Schema, columns: Mapping[str, str], label: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """A table of fixes with ``time``, ``is_on`` and ``fix_quality`` made from what its maker calls them; nothing is taken away.

    Parameters
    ----------
    columns
        What the programme says of headings: those are left alone.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> log = pd.DataFrame({"Date": ["04.05.2026"], "Time": ["06:00:00"], "Tool raised": ["1"]})
    >>> made, said = settle(log, schema("fixes"), {}, "log.csv")
    >>> made["Time"].tolist(), made["is_on"].tolist()
    (['04.05.2026 06:00:00'], ['no'])
    """
    names = [str(name) for name in table.columns]
    if schema.kind != "fixes" or not len(table) or len(set(names)) < len(names):
        return table, []
    mapping = {name: name for name in names if name in schema.names} | renaming(names, schema, columns)
    taken = {target: name for name, target in mapping.items()}
    free = {fold(name): name for name in reversed(names) if name not in mapping}
    out, findings = table.copy(), list[Finding]()
    _clock(out, taken, free, (label, findings))
    _flag(out, taken, free, (label, findings), columns)
    _quality(out, taken, free, (label, findings))
    _deviations(out, taken, free)
    return out, findings


Told = tuple[str, list[Finding]]


def _say(told: Told, severity: str, message: str, column: str, value: object = "") -> None:
    label, findings = told
    findings.append(Finding("RD-07", severity, f"{label}: {message}", column=column, value=value))


def _texts(column: pd.Series) -> list[str]:
    return [as_text(value) or "" for value in column]


def _clock(table: pd.DataFrame, taken: dict[str, str], free: dict[str, str], told: Told) -> None:
    """Put a date and a time of day together, or a week and its seconds."""
    own = taken.get("time")
    if own is not None and pd.api.types.is_datetime64_any_dtype(table[own].dtype):
        return
    source = own or next((free[name] for name in free if name in _CLOCKS), None)
    day = next((free[name] for name in free if name in _DATES), None)
    if source is not None and day is not None and not pd.api.types.is_datetime64_any_dtype(table[day].dtype):
        days, open_ = _days(_texts(table[day]))
        clocks = [_hours(cell) for cell in _texts(table[source])]
        if any(clocks) and sum(map(bool, clocks)) >= sum(map(bool, _texts(table[source]))) / 2:
            zone = "Z" if {"utc", "gmt"} & {*fold(source).split(), *fold(day).split()} else ""
            given = _texts(table[source])
            joined = [
                f"{day} {clock}{'' if clock.endswith('Z') or '+' in clock else zone}" if clock and day else text
                for day, clock, text in zip(days, clocks, given, strict=True)
            ]
            table[source if own else "time"] = pd.Series(joined, index=table.index, dtype=object)
            _say(told, "info", f"the times were put together from '{day}' and '{source}'", "time", joined[0])
            if open_:
                _say(
                    told, "warning",
                    f"'{day}' could be day-month-year or year-month-day: it was read as receivers write it, day first",
                    "time", joined[0],
                )  # fmt: skip
            return
    week = next((free[name] for name in free if name in _WEEKS), None)
    seconds = next(
        (
            (free[name], unit)
            for names, unit in ((_SECONDS, 1.0), (_MILLISECONDS, 1e-3))
            for name in free
            if name in names
        ),
        None,
    )
    if week is not None and seconds is None and own is not None and _within_week(table[own]):
        seconds = (own, 1.0)
    if week is not None and seconds is not None and (own is None or own == seconds[0]):
        made = _of_week(table[week], table[seconds[0]], seconds[1])
        if made.notna().any():
            table[own or "time"] = made
            _say(
                told,
                "info",
                f"the times were put together from '{week}' and '{seconds[0]}' (GPS time, turned into UTC)",
                "time",
            )


def _hours(cell: str) -> str:
    """A time of day as hh:mm:ss, from 06:00:00, 6:00 PM or 060000.00; empty if it is none."""
    if found := _CLOCK.match(cell):
        hour, minute, second = int(found[1]), found[2], (found[3] or "00").replace(",", ".")
        half = (found[4] or "").replace(".", "").upper()
        if half:
            if not 1 <= hour <= 12:
                return ""
            hour = hour % 12 + (12 if half == "PM" else 0)
        zone = (found[5] or "").upper()
        return f"{hour:02d}:{minute}:{second}{'Z' if zone in ('UTC', 'GMT') else zone}"
    if found := _DIGITS.match(cell):
        whole = found[1].zfill(6)
        return f"{whole[:2]}:{whole[2:4]}:{whole[4:]}{(found[2] or '').replace(',', '.')}"
    return ""


def _days(cells: list[str]) -> tuple[list[str], bool]:
    """Dates of one column, those of six digits as year-month-day, others as they are; and whether their order is a guess.

    Receivers write ddmmyy. It is yymmdd where only that gives days, or days nearer to each other (a log is no years long), or
    days since 2010.
    """
    short = sorted({cell for cell in cells if re.fullmatch(r"\d{5,6}", cell)})
    digits = [cell.zfill(6) for cell in short]
    orders = [[f"20{d[4:]}-{d[2:4]}-{d[:2]}" for d in digits], [f"20{d[:2]}-{d[2:4]}-{d[4:]}" for d in digits]]
    ranks = [(_span(days), any(day < EARLY for day in days)) for days in orders]
    chosen = orders[1] if ranks[1] < ranks[0] else orders[0]
    words = dict(zip(short, chosen, strict=True))
    midnight = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
    guess = bool(short) and ranks[0] == ranks[1] and orders[0] != orders[1] and ranks[0][0] < math.inf
    return [words.get(cell) or midnight.sub("", cell) for cell in cells], guess


def _span(days: list[str]) -> float:
    """Days from the first to the last; without end where one is none."""
    try:
        ordered = sorted(date.fromisoformat(day) for day in days)
    except ValueError:
        return math.inf
    return (ordered[-1] - ordered[0]).days if ordered else 0


def _within_week(column: pd.Series) -> bool:
    numbers = pd.to_numeric(column, errors="coerce")
    return bool(numbers.notna().any() and numbers.dropna().between(0, 604_800).all())


def _of_week(weeks: pd.Series, seconds: pd.Series, unit: float) -> pd.Series:
    """Instants from GPS weeks and seconds of the week; weeks below 1024 were counted anew and may be of any of three decades."""
    week, second = (pd.to_numeric(column, errors="coerce").astype("float64") for column in (weeks, seconds))
    second = second * unit
    good = week.between(1024, 9999) & (week == week.round()) & second.between(0, 604_800)
    ms = ((week * 604_800 + second) * 1000).where(good).round()
    gps = pd.Timestamp("1980-01-06", tz="UTC") + pd.to_timedelta(ms, unit="ms")
    leaps = pd.Series(0, index=week.index)
    for since, count in reversed(_LEAPS):
        leaps = leaps.mask(gps >= pd.Timestamp(since, tz="UTC"), count)
    return (gps - pd.to_timedelta(leaps, unit="s")).astype("datetime64[ms, UTC]")


def _flag(
    table: pd.DataFrame, taken: dict[str, str], free: dict[str, str], told: Told, said_by: Mapping[str, str]
) -> None:
    """Make ``is_on`` from columns such as 'flail engaged', 'tool raised' or 'mode' (work, transport)."""
    own = taken.get("is_on")
    if own == "is_on" or own in said_by:
        return
    found: dict[str, list[str]] = {}
    doubted, turning = list[str](), list[str]()
    for name, column in free.items():
        words = {*name.split()}
        if not (_sense(name) or name in _MODES or words & _TOOL):
            continue
        texts = _texts(table[column])
        side = _side(name, texts)
        if side:
            found[column] = texts if side > 0 else [_turned(text) for text in texts]
        elif (
            words & _TOOL - {"machine", "work", "working", "unit"}
            and words <= _TOOL | _NOISE | _FIGURES | _TURNS | _WORKS | _RESTS
            and any(texts)
        ):
            (turning if words & _TURNS else doubted).append(column)
    for column in turning:
        found[column] = [_turning(text) for text in _texts(table[column])]
        said = f"rows where '{column}' is 0 or empty are taken as not at work, all others as at work; if the tool also turns while it is raised, make a column is_on (yes, no)"
        _say(told, "warning", said, "is_on", column)
    if not found and doubted and own is None:
        listed = ", ".join(f"'{column}'" for column in doubted)
        said = f"{listed} may tell when the tool was at work, but not in words that can be read; make a column is_on (yes, no) from it, or all movement counts as work"
        _say(told, "warning", said, "is_on", doubted[0])
    if not found:
        return
    if own is not None:  # such as 'recording': what else tells of the tool counts as well
        found = {own: _texts(table[own]), **found}
    rows = list(zip(*found.values(), strict=True))
    table["is_on"] = pd.Series(
        [row[0] if len(row) == 1 else _all_of(row) for row in rows], index=table.index, dtype=object
    )
    listed = " and ".join(f"'{column}'" for column in found)
    _say(told, "info", f"whether the tool was at work (is_on) was taken from {listed}", "is_on", next(iter(found)))


def _side(name: str, texts: list[str]) -> int:
    """1 where yes means at work, −1 where yes means at rest, 0 where the column says neither."""
    given = {text for text in texts if text}
    readable = {text for text in given if to_working(text) is not None}
    if not readable:
        return 0
    if name in _MODES:
        return int(readable == given and all(to_boolean(text) is None for text in given))
    return 0 if _figures(name, given) else _sense(name)


def _figures(name: str, given: set[str]) -> bool:
    """Whether numbers under the mere name of a part, as section or boom position, are its number or place and no answers.

    Answers are 0 and 1, and beside those what ISO 11783 and others write for an error.
    """
    if {*name.split()} & (_STATES | _WORKS | _RESTS):
        return False
    numbers = {number for text in given if (number := to_number(text)) is not None}
    return bool(numbers - {0.0, 1.0}) and (0.0 not in numbers or not numbers <= {-1.0, 0.0, 1.0, 2.0, 3.0})


def _sense(name: str) -> int:
    """As `_side`, by a folded heading alone."""
    words = {*name.split()} - _NOISE
    rest = words - _TOOL
    if not words or not rest <= _WORKS | _RESTS or (rest & _WORKS and rest & _RESTS):
        return 0
    return -1 if rest & _RESTS else 1


def names_a_state(heading: str) -> bool:
    """Whether a heading, by its words, is that of a column that tells whether a tool was at work.

    Examples
    --------
    >>> names_a_state("Flail engaged"), names_a_state("tool_raised"), names_a_state("rotor rpm"), names_a_state("note")
    (True, True, True, False)
    """
    words = {*fold(heading).split()}
    return _sense(fold(heading)) != 0 or bool(words & _TURNS and words & _TOOL and words <= _TOOL | _NOISE | _TURNS)


def _turning(text: str) -> str:
    number = to_number(text) if text else None
    return text and "?" if number is None else "yes" if number > 0 else "no"


def _turned(text: str) -> str:
    """The answer of a column whose yes means at rest; words that speak for themselves (raised, lowered) stay."""
    answer = to_boolean(text)
    return text if answer is None else "no" if answer else "yes"


def _all_of(answers: tuple[str, ...]) -> str:
    """At work only where all say so."""
    read = [to_working(answer) for answer in answers]
    return (
        "no"
        if False in read
        else "yes"
        if all(read)
        else next((a for a, r in zip(answers, read, strict=True) if a and r is None), "")
    )


def _quality(table: pd.DataFrame, taken: dict[str, str], free: dict[str, str], told: Told) -> None:
    """Rows that a column 'valid' (or a status of A and V alone) calls no position; and codes of fix types, which are not those of NMEA."""
    own = taken.get("fix_quality")
    if own is not None and fold(own) in _FIX_TYPES:
        texts = _texts(table[own])
        given = {text for text in texts if text}
        if given and all(re.fullmatch(r"\d(\.0)?", text) for text in given):
            words = ["" if not t else "none" if t[0] in "01" else "autonomous" for t in texts]
            table[own] = pd.Series(words, index=table.index, dtype=object)
            said = f"the numbers of '{own}' differ between makers: none of them is taken as better than autonomous"
            _say(told, "warning", said, "fix_quality", own)
    bad = np.zeros(len(table), dtype=bool)
    for name, column in free.items():
        if not (name in _VALID or name in _MODES or name == "fix"):
            continue
        texts = [folded(value) for value in table[column]]
        letters = {text for text in texts if text}
        if letters and letters <= {"a", "v"}:
            bad |= np.array([text == "v" for text in texts])
        elif name in _VALID:
            bad |= np.array([to_boolean(text) is False for text in texts])
    if bad.any():
        words = _texts(table[own]) if own is not None else [""] * len(table)
        table[own or "fix_quality"] = pd.Series(
            ["none" if b else w for b, w in zip(bad, words, strict=True)], index=table.index, dtype=object
        )
        _say(
            told,
            "warning",
            f"{int(bad.sum())} rows are marked as not valid: they are taken as without a position (fix_quality none)",
            "fix_quality",
            int(bad.sum()),
        )


def _deviations(table: pd.DataFrame, taken: dict[str, str], free: dict[str, str]) -> None:
    """The worse of the standard deviations north and east as ``h_acc_m``."""
    north, east = (
        next((free[name] for name in (short, f"{short} m") if name in free), None) for short in ("sdn", "sde")
    )
    if "h_acc_m" not in taken and north is not None and east is not None:
        both = pd.concat([pd.to_numeric(table[column], errors="coerce").abs() for column in (north, east)], axis=1)
        table["h_acc_m"] = both.max(axis=1, skipna=False)
