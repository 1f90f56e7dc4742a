"""NMEA 0183 logs of GNSS receivers: one fix per GGA sentence, dated by RMC and ZDA, checksums verified.

Read line by line, so that a log of any size needs little memory. Not for proprietary sentences, which are counted.
Sentence layout after the public NMEA 0183 field lists of GGA, RMC, GLL and ZDA.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import reduce
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import shapely

from geotools.io.raw import Finding, Raw, Source
from geotools.space import crs as _crs

COLUMNS = ("time", "fix_quality", "satellites", "hdop", "elevation_m", "geoid_m", "speed_mps", "heading_deg", "is_on")
KNOT = 1852 / 3600
LINE_MAX = 4096


class _Log:
    """State between sentences: the date, the last speed and course, and what was passed over."""

    def __init__(self) -> None:
        self.day: date | None = None
        self.clock = -1.0
        self.motion: tuple[float, float, float] | None = None
        self.passed: dict[str, int] = {}
        self.sentences = 0
        self.unsigned = 0
        self.waiting: list[tuple[dict[str, Any], float]] = []  # fixes before the first date
        self.has_gga = False


def read(source: Source) -> Raw:
    """Read a whole log.

    Raises
    ------
    ReadError
        If there is no NMEA position in it.
    """
    parts = list(chunks(source, rows=1 << 62))
    return parts[0]


def chunks(source: Source, rows: int = 100_000) -> Iterator[Raw]:
    """The log in layers of about `rows` fixes.

    Raises
    ------
    ReadError
        If there is no NMEA position in it.
    """
    log = _Log()
    log.has_gga = _has_gga(source)
    fixes: list[dict[str, Any]] = []
    findings: list[Finding] = []
    total = 0
    with source.path.open("rb") as stream:
        for number, line in _lines(stream):
            made = _sentence(line, number, log, findings)
            if made is not None:
                fixes.append(made)
            if len(fixes) >= rows:
                total += len(fixes)
                yield _raw(fixes, findings, source)
                fixes, findings = [], []
    if not log.sentences or not (total + len(fixes) + len(findings)):
        raise source.refuse("there is no NMEA position sentence (GGA or RMC) in it", "is it really an NMEA 0183 log?")
    if fixes or findings or not total:
        findings += _closing(log, source)
        yield _raw(fixes, findings, source)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(LINE_MAX):
        number += 1
        while not line.endswith(b"\n") and len(line) == LINE_MAX and (rest := stream.readline(LINE_MAX)):
            if rest.endswith(b"\n"):
                break
        stripped = line.strip()
        if stripped:
            yield number, stripped


def _has_gga(source: Source) -> bool:
    with source.path.open("rb") as stream:
        head = stream.read(1 << 20)
    return b"GGA," in head


def _sentence(line: bytes, number: int, log: _Log, findings: list[Finding]) -> dict[str, Any] | None:
    """A fix, or None; rejected lines go into `findings`."""
    at = line.find(b"$")
    if at < 0:
        log.passed["text"] = log.passed.get("text", 0) + 1
        return None
    body, star, check = line[at + 1 :].partition(b"*")
    name = body[2:5].decode("ascii", "replace")
    if name not in ("GGA", "RMC", "ZDA", "GLL"):
        log.passed[name] = log.passed.get(name, 0) + 1
        return None
    shown = line[:90].decode("ascii", "replace")
    if star:
        try:
            right = int(check[:2], 16) == reduce(operator.xor, body, 0)
        except ValueError:
            right = False
        if not right:
            if name != "ZDA":
                findings.append(
                    Finding(
                        "RD-02", "error", "rejected: the checksum does not fit the sentence", number=number, value=shown
                    )
                )
            return None
    else:
        log.unsigned += 1
    fields = body.decode("ascii", "replace").split(",")
    log.sentences += 1
    try:
        return _HANDLERS[name](fields, number, log)
    except (ValueError, IndexError):
        if name in ("GGA", "RMC"):
            findings.append(
                Finding(
                    "RD-02",
                    "error",
                    "rejected: the sentence is cut off or holds no number where one should be",
                    number=number,
                    value=shown,
                )
            )
        return None


def _gga(f: list[str], number: int, log: _Log) -> dict[str, Any]:
    clock = _seconds(f[1])
    if f[6] == "" and f[2] == "":
        f[6] = "0"
    made = {
        "time": _instant(clock, log), "x": _degrees(f[4], f[5]), "y": _degrees(f[2], f[3]), "fix_quality": str(int(f[6])),
        "satellites": int(f[7]) if f[7] else None, "hdop": _number(f[8]), "elevation_m": _number(f[9]), "geoid_m": _number(f[11]),
        "row": number,
    }  # fmt: skip
    if log.day is None:
        log.waiting.append((made, clock))
    if log.motion is not None and abs(log.motion[0] - clock) < 0.01:
        made["speed_mps"], made["heading_deg"] = log.motion[1:]
    return made


def _rmc(f: list[str], number: int, log: _Log) -> dict[str, Any] | None:
    clock = _seconds(f[1])
    if len(f[9]) >= 6:
        _dated(log, date(_year(int(f[9][4:6])), int(f[9][2:4]), int(f[9][:2])), clock)
    log.motion = (clock, _number(f[7]) * KNOT, _number(f[8]))
    if log.has_gga:
        log.passed["RMC"] = log.passed.get("RMC", 0) + 1
        return None
    good = f[2] == "A"
    return {
        "time": _instant(clock, log), "x": _degrees(f[5], f[6]), "y": _degrees(f[3], f[4]), "fix_quality": "1" if good else "0",
        "speed_mps": log.motion[1], "heading_deg": log.motion[2], "row": number,
    }  # fmt: skip


def _zda(f: list[str], number: int, log: _Log) -> None:
    _dated(log, date(int(f[4]), int(f[3]), int(f[2])), _seconds(f[1]))
    log.passed["ZDA"] = log.passed.get("ZDA", 0) + 1


def _gll(f: list[str], number: int, log: _Log) -> None:
    log.passed["GLL"] = log.passed.get("GLL", 0) + 1


_HANDLERS: dict[str, Any] = {"GGA": _gga, "RMC": _rmc, "ZDA": _zda, "GLL": _gll}


def _year(two: int) -> int:
    """GNSS time begins in 1980."""
    return 1900 + two if two >= 80 else 2000 + two


def _dated(log: _Log, day: date, clock: float) -> None:
    """A sentence with a date: fixes that waited for one get it too."""
    log.day, log.clock = day, clock
    waiting, log.waiting = log.waiting, []
    for fix, earlier in waiting:
        back = earlier > clock + 43200
        fix["time"] = ((day - date(1970, 1, 1)).days - back) * 86400.0 + earlier


def _instant(clock: float, log: _Log) -> float:
    """Seconds since 1970; the clock jumping back half a day or more is the next day."""
    if log.day is None:
        return float("nan")
    if clock < log.clock - 43200:
        log.day += timedelta(days=1)
    elif clock > log.clock + 43200:
        return (log.day - timedelta(days=1) - date(1970, 1, 1)).days * 86400.0 + clock
    log.clock = clock
    return (log.day - date(1970, 1, 1)).days * 86400.0 + clock


def _seconds(text: str) -> float:
    value = int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:])
    if not 0 <= value < 86401:
        raise ValueError(text)
    return value


def _degrees(text: str, side: str) -> float:
    """ddmm.mmmm and a hemisphere letter as degrees; NaN where there is none."""
    if not text:
        return float("nan")
    if side not in ("N", "S", "E", "W"):
        raise ValueError(side)
    dot = text.index(".") if "." in text else len(text)
    minutes = float(text[dot - 2 :])
    if not 0 <= minutes < 60:
        raise ValueError(text)
    value = int(text[: dot - 2] or 0) + minutes / 60
    return -value if side in "SW" else value


def _number(text: str) -> float:
    return float(text) if text else float("nan")


def _closing(log: _Log, source: Source) -> list[Finding]:
    """What is said once about the whole log."""
    out = []
    passed = {name: count for name, count in sorted(log.passed.items()) if count}
    if passed:
        listed = ", ".join(f"{count} {name}" for name, count in passed.items())
        out.append(
            Finding(
                "RD-07",
                "info",
                f"{source.label}: sentences that are not positions were passed over: {listed}",
                value=sum(passed.values()),
            )
        )
    if log.waiting:
        note = f"{source.label}: {len(log.waiting)} fixes have a time of day but no date (no RMC or ZDA); their time is missing"
        out.append(Finding("RD-07", "error", note, column="time", value=len(log.waiting)))
    if log.unsigned:
        out.append(
            Finding(
                "RD-07", "warning", f"{source.label}: {log.unsigned} sentences have no checksum", value=log.unsigned
            )
        )
    return out


def _raw(fixes: list[dict[str, Any]], findings: list[Finding], source: Source) -> Raw:
    count = len(fixes)
    data: dict[str, Any] = {}
    for name in COLUMNS:
        values = [fix.get(name) for fix in fixes]
        if any(v is not None for v in values):
            data[name] = _column(name, values)
    x = np.array([fix["x"] for fix in fixes], dtype=float)
    y = np.array([fix["y"] for fix in fixes], dtype=float)
    shapes = np.empty(count, dtype=object)
    good = ~(np.isnan(x) | np.isnan(y))
    shapes[good] = shapely.points(x[good], y[good])
    numbers = np.array([fix["row"] for fix in fixes], dtype=np.int64)
    return Raw(
        source.path.stem, pd.DataFrame(data, index=range(count)), shapes, _crs.WGS84, False, list(findings), numbers
    )


def _column(name: str, values: Iterable[Any]) -> pd.Series:
    if name == "time":
        seconds = np.array([np.nan if v is None else v for v in values], dtype=float)
        stamps = np.full(len(seconds), np.datetime64("NaT", "ms"))
        known = ~np.isnan(seconds)
        stamps[known] = (seconds[known] * 1000).round().astype("int64").astype("datetime64[ms]")
        return pd.Series(stamps).dt.tz_localize("UTC")
    if name == "fix_quality":
        return pd.Series(list(values), dtype=object)
    if name == "satellites":
        return pd.Series(list(values), dtype="Int64")
    return pd.Series([np.nan if v is None else v for v in values], dtype=float)
