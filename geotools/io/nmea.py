"""NMEA 0183 logs of GNSS receivers: one fix per epoch, from GGA, else GNS, RMC or GLL; checksums verified, days from RMC and ZDA.

Read piece by piece, so that a log of any size needs little memory; days are in `days`. Not for proprietary sentences, which are
counted. Sentence layout after the public NMEA 0183 field lists.
"""

from __future__ import annotations

import codecs
import operator
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.io.days import BACK_S, Calendar
from geotools.io.raw import Finding, Raw, Source
from geotools.space import crs as _crs

COLUMNS = ("time", "fix_quality", "satellites", "hdop", "elevation_m", "geoid_m", "speed_mps", "heading_deg")
KNOT = 1852 / 3600
BLOCK = 1 << 16
PATIENCE_S = 10.0  # so long after the last GGA or GNS, positions of RMC and GLL are still left out
HELD = 20  # so many parts may wait for their day before they are handed over without one
_NAME = re.compile(rb"[A-Z]{2}([A-Z]{3}),")
_FULL = re.compile(rb"\$[A-Z]{2}(?:GGA|GNS),")
_MODES = {"S": "8", "M": "7", "N": "0", "E": "6", "A": "1", "P": "3", "D": "2", "F": "5", "R": "4"}  # the worst first


class _Epoch:
    """What the sentences of one instant said."""

    def __init__(self, clock: float) -> None:
        self.clock = clock
        self.day: date | None = None
        self.doubtful: date | None = None  # a date from a receiver that has no position yet
        self.motion: tuple[float, float] | None = None
        self.made: dict[str, list[dict[str, Any]]] = {"GGA": [], "GNS": [], "RMC": [], "GLL": []}


class _Log:
    """State between sentences: the epoch being read, days, and what was passed over."""

    def __init__(self, has_full: bool) -> None:
        self.epoch: _Epoch | None = None
        self.calendar = Calendar()
        self.has_full = has_full
        self.full_at: float | None = None  # clock of the last GGA or GNS
        self.reserve: list[tuple[_Epoch, list[dict[str, Any]]]] = []
        self.fixes: list[dict[str, Any]] = []
        self.findings: list[Finding] = []
        self.passed: dict[str, int] = {}
        self.sentences = 0
        self.unsigned = 0

    def count(self, name: str, number: int = 1) -> None:
        self.passed[name] = self.passed.get(name, 0) + number

    def at(self, clock: float) -> _Epoch:
        """The epoch of this time of day; a new one ends the one before."""
        if self.epoch is None or abs(self.epoch.clock - clock) > 0.005:
            self.close()
            self.epoch = _Epoch(clock)
        return self.epoch

    def close(self) -> None:
        """Keep the best positions of the epoch that was read."""
        epoch, self.epoch = self.epoch, None
        if epoch is None:
            return
        full = epoch.made["GGA"] or epoch.made["GNS"]
        poor = epoch.made["RMC"] or epoch.made["GLL"]
        for name, made in epoch.made.items():
            if made and made is not full and (full or made is not poor):
                self.count(name, len(made))
        if full:
            self.full_at = epoch.clock
            self._drop_reserve()
            self._emit(epoch, full)
        elif poor:
            if self.full_at is None and self.has_full:
                self.full_at = epoch.clock
            self.reserve.append((epoch, poor))
            if self.full_at is None or PATIENCE_S < (epoch.clock - self.full_at) % 86400 < 86400 - BACK_S:
                for held, made in self.reserve:
                    self._emit(held, made)
                self.reserve = []
            elif epoch.day is not None:
                self.calendar.note(epoch.day, epoch.clock)
        elif epoch.day is not None:
            self.calendar.note(epoch.day, epoch.clock)

    def _drop_reserve(self) -> None:
        for _, made in self.reserve:
            self.count("RMC" if "speed_mps" in made[0] else "GLL", len(made))
        self.reserve = []

    def _emit(self, epoch: _Epoch, made: list[dict[str, Any]]) -> None:
        if epoch.motion is not None:
            for fix in made:
                fix["speed_mps"], fix["heading_deg"] = epoch.motion
        if epoch.day is None and epoch.doubtful is not None:
            for fix in made:
                fix["time"] = (epoch.doubtful - date(1970, 1, 1)).days * 86400.0 + epoch.clock
        else:
            self.calendar.place(made, epoch.clock, epoch.day)
        self.fixes += made

    def finish(self) -> None:
        """The end of the log."""
        self.close()
        self._drop_reserve()
        self.calendar.finish()


def begins(source: Source) -> bool:
    """Whether a text file without a telling name is such a log: its first line that is not blank is a sentence."""
    first = next((line for _, line in _lines(source)), b"").strip(b"\x00 \t")
    return bool(re.match(rb"\$(?:P[A-Z]{3}|[A-Z]{2}[A-Z]{3}),[^$]*\*[0-9A-Fa-f]{2}", first))


def read(source: Source) -> Raw:
    """Read a whole log.

    Raises
    ------
    ReadError
        If there is no NMEA position in it.
    """
    return next(chunks(source, rows=1 << 62))


def chunks(source: Source, rows: int = 100_000) -> Iterator[Raw]:
    """The log in layers of about `rows` fixes.

    Raises
    ------
    ReadError
        If there is no NMEA position in it.
    """
    log = _Log(_has_full(source))
    handed = 0
    for number, line in _lines(source):
        before, *sentences = line.split(b"$")
        if before.strip(b"\x00 \t") and not sentences:
            log.count("text")
        for sentence in sentences:
            _sentence(sentence, number, log)
        if len(log.fixes) >= rows and (not log.calendar.waiting or len(log.fixes) >= HELD * rows):
            log.calendar.give_up()
            handed += len(log.fixes)
            yield _raw(log.fixes, log.findings, source)
            log.fixes, log.findings = [], []
    log.finish()
    if not (handed + len(log.fixes) + len(log.findings)):
        said = "there is no NMEA position sentence (GGA, GNS, RMC or GLL) in it"
        raise source.refuse(said, "is it really an NMEA 0183 log?")
    if log.fixes or log.findings or not handed:
        log.findings += _closing(log, source)
        yield _raw(log.fixes, log.findings, source)


def _blocks(source: Source) -> Iterator[bytes]:
    """The file in pieces; text of two bytes a letter is turned into plain text."""
    with source.path.open("rb") as stream:
        head = stream.read(BLOCK)
        some = head[:512]
        wide = some[:2] in (b"\xff\xfe", b"\xfe\xff") or some.count(0) > 0.4 * len(some) > 4
        if not wide:
            while head:
                yield head
                head = stream.read(BLOCK)
            return
        big = some[:2] == b"\xfe\xff" or (some[:2] != b"\xff\xfe" and some[:1] == b"\x00")
        decoder = codecs.getincrementaldecoder("utf-16-be" if big else "utf-16-le")("replace")
        while head:
            yield decoder.decode(head).encode("latin-1", "replace")
            head = stream.read(BLOCK)


def _lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank and their numbers, whatever ends them; a line without end is cut before a sentence."""
    number, rest = 0, b""
    for block in _blocks(source):
        data = rest + block
        held = b"\r" if data.endswith(b"\r") else b""
        *whole, rest = data.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if len(rest) > BLOCK:
            cut = rest.rfind(b"$")
            whole.append(rest[:cut] if cut > 0 else rest)
            rest = rest[cut:] if cut > 0 else b""
        rest += held
        for line in whole:
            number += 1
            if line and not line.isspace():
                yield number, line
    for line in rest.replace(b"\r", b"\n").split(b"\n"):
        number += 1
        if line and not line.isspace():
            yield number, line


def _has_full(source: Source) -> bool:
    """Whether sentences with quality and dilution begin in the first megabyte."""
    for taken, (_, line) in enumerate(_lines(source)):
        if _FULL.search(line):
            return True
        if taken > 10_000:
            break
    return False


def _sentence(sentence: bytes, number: int, log: _Log) -> None:
    """Put what one sentence says into the log; what is rejected goes into its findings."""
    named = _NAME.match(sentence)
    name = named[1].decode() if named else "proprietary" if sentence[:1] == b"P" else "text"
    if name not in _HANDLERS:
        log.count(name)
        return
    body, star, check = sentence.partition(b"*")
    if star and not _fits(body, check):
        if name != "ZDA":
            log.findings.append(_rejected("the checksum does not fit the sentence", number, sentence))
        return
    log.unsigned += not star
    log.sentences += 1
    try:
        _HANDLERS[name](body.decode("ascii", "replace").strip().split(","), number, log)
    except (ValueError, IndexError):
        if name != "ZDA":
            log.findings.append(
                _rejected("the sentence is cut off or holds no number where one should be", number, sentence)
            )


def _fits(body: bytes, check: bytes) -> bool:
    stated = check[:2].upper()
    return stated == b"%02X" % reduce(operator.xor, body, 0)


def _rejected(why: str, number: int, sentence: bytes) -> Finding:
    shown = "$" + sentence[:90].decode("ascii", "replace").rstrip()
    return Finding("RD-02", "error", f"rejected: {why}", number=number, value=shown)


def _gga(f: list[str], number: int, log: _Log) -> None:
    if f[6] == "" and f[2] == "":
        f[6] = "0"
    made = {
        "x": _degrees(f[4], f[5]), "y": _degrees(f[2], f[3]), "fix_quality": str(int(f[6])),
        "satellites": int(f[7]) if f[7] else None, "hdop": _number(f[8]), "elevation_m": _number(f[9]), "geoid_m": _number(f[11]),
        "row": number,
    }  # fmt: skip
    if not f[1]:
        log.close()
        log.fixes.append(made | {"time": float("nan")})
        return
    log.at(_seconds(f[1])).made["GGA"].append(made)


def _gns(f: list[str], number: int, log: _Log) -> None:
    if not (f[1] or f[2]):  # a receiver that has just been switched on
        log.count("GNS")
        return
    used = f[6].replace("N", "") or "N"
    made = {
        "x": _degrees(f[4], f[5]), "y": _degrees(f[2], f[3]), "fix_quality": _mode(min(used, key=list(_MODES).index)),
        "satellites": int(f[7]) if f[7] else None, "hdop": _number(f[8]), "elevation_m": _number(f[9]), "geoid_m": _number(f[10]),
        "row": number,
    }  # fmt: skip
    log.at(_seconds(f[1])).made["GNS"].append(made)


def _rmc(f: list[str], number: int, log: _Log) -> None:
    if f[2] == "V" and not (f[1] or f[3]):
        log.count("RMC")
        return
    good = f[2] == "A"
    quality = _mode(f[12] or "A" if len(f) > 12 else "A") if good else "0"
    x, y, motion = _degrees(f[5], f[6]), _degrees(f[3], f[4]), (_number(f[7]) * KNOT, _number(f[8]))
    stated = f[9]
    epoch = log.at(_seconds(f[1]))
    epoch.motion = motion
    epoch.made["RMC"].append(
        {"x": x, "y": y, "fix_quality": quality, "speed_mps": motion[0], "heading_deg": motion[1], "row": number}
    )
    if len(stated) >= 6:
        day = date(_year(int(stated[4:6])), int(stated[2:4]), int(stated[:2]))
        if good:
            epoch.day = day
        else:
            epoch.doubtful = day


def _gll(f: list[str], number: int, log: _Log) -> None:
    if len(f) == 5 or not f[5]:  # older receivers write it without a time
        log.count("GLL")
        return
    quality = _mode(f[7] or "A" if len(f) > 7 else "A") if f[6] == "A" else "0"
    made = {"x": _degrees(f[3], f[4]), "y": _degrees(f[1], f[2]), "fix_quality": quality, "row": number}
    log.at(_seconds(f[5])).made["GLL"].append(made)


def _zda(f: list[str], number: int, log: _Log) -> None:
    day = date(int(f[4]), int(f[3]), int(f[2]))
    log.at(_seconds(f[1])).day = day
    log.count("ZDA")


_HANDLERS: dict[str, Any] = {"GGA": _gga, "GNS": _gns, "RMC": _rmc, "GLL": _gll, "ZDA": _zda}


def _mode(letter: str) -> str:
    """The quality of GGA for a mode letter of other sentences."""
    if letter not in _MODES:
        raise ValueError(letter)
    return _MODES[letter]


def _year(two: int) -> int:
    """GNSS time begins in 1980."""
    return 1900 + two if two >= 80 else 2000 + two


def _seconds(text: str) -> float:
    hours, minutes, seconds = int(text[:2]), int(text[2:4]), float(text[4:])
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):
        raise ValueError(text)
    return hours * 3600 + minutes * 60 + seconds


def _degrees(text: str, side: str) -> float:
    """ddmm.mmmm and a hemisphere letter as degrees; NaN where there is none."""
    if not text:
        return float("nan")
    if side not in ("N", "S", "E", "W") or not text[0].isdigit():
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
        said = f"{source.label}: sentences that are not positions, or repeat one, were passed over: {listed}"
        out.append(Finding("RD-07", "info", said, value=sum(passed.values())))
    undated, guessed = log.calendar.undated, log.calendar.guessed
    if undated:
        note = f"{source.label}: {undated} fixes have a time of day but no date (no RMC or ZDA); their time is missing"
        out.append(Finding("RD-07", "error", note, column="time", value=undated))
    if guessed:
        note = f"{source.label}: {guessed} fixes after a long pause have no date of their own; they were put on the first day that their time of day allows"
        out.append(Finding("RD-07", "warning", note, column="time", value=guessed))
    if log.unsigned:
        said = f"{source.label}: {log.unsigned} sentences have no checksum"
        out.append(Finding("RD-07", "warning", said, value=log.unsigned))
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
