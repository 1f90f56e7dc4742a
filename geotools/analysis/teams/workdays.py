"""On which days work goes on: weekdays, holidays, stand-downs, seasons, and days that weather takes.

For counting working days; not for who works where.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from geotools.model.doors import check_fields
from geotools.model.errors import SchemaError

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = DAY_NAMES


@dataclass(frozen=True)
class Calendar:
    """The days of a team, a machine or a task.

    Parameters
    ----------
    weekdays
        Working days of the week, e.g. ``("mon", "tue", "wed", "thu", "fri")``.
    holidays
        Single days without work.
    closed
        Stand-downs: (first day, last day), both without work.
    seasons
        (``"MM-DD"``, ``"MM-DD"``) parts of the year in which work goes on; none: the whole year. A season may run over New Year.
    weather
        Share of working days lost to weather in each month, January first; one number counts for every month.

    Raises
    ------
    SchemaError
        If a name, a date or a share cannot be understood.

    Examples
    --------
    >>> week = Calendar(weekdays=("mon", "tue", "wed", "thu", "fri"), holidays=(date(2026, 5, 28),))
    >>> int(week.open_days(date(2026, 5, 25), 7).sum())
    4
    """

    weekdays: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    holidays: tuple[date, ...] = ()
    closed: tuple[tuple[date, date], ...] = ()
    seasons: tuple[tuple[str, str], ...] = ()
    weather: tuple[float, ...] | float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        unknown = [d for d in self.weekdays if d not in DAY_NAMES]
        if unknown or not self.weekdays:
            raise SchemaError(
                f"'{unknown[0]}' is not a day of the week" if unknown else "a week has no working day",
                hint=f"days are {', '.join(DAY_NAMES)}",
            )
        for first, last in self.closed:
            if last < first:
                raise SchemaError(f"a stand-down ends ({last}) before it begins ({first})")
        for window in self.seasons:
            for text in window:
                _month_day(text)
        if len(self.lost) != 12 or not all(0 <= share < 1 for share in self.lost):
            raise SchemaError("weather is one share, or twelve, each at least 0 and less than 1")

    @property
    def lost(self) -> tuple[float, ...]:
        """Share of working days lost to weather, one per month."""
        return (float(self.weather),) * 12 if isinstance(self.weather, int | float) else tuple(self.weather)

    def open_days(self, start: date, days: int) -> np.ndarray:
        """Which of `days` days from `start` are working days, before weather; a boolean array."""
        stamps = np.datetime64(start, "D") + np.arange(days, dtype="timedelta64[D]")
        number = (stamps.astype("datetime64[D]").astype(int) + 3) % 7  # 1970-01-01 was a Thursday
        wanted = np.array([name in self.weekdays for name in DAY_NAMES])
        out: np.ndarray = wanted[number]
        if self.holidays:
            out &= ~np.isin(stamps, np.array(self.holidays, dtype="datetime64[D]"))
        for first, last in self.closed:
            out &= (stamps < np.datetime64(first, "D")) | (stamps > np.datetime64(last, "D"))
        return out & self._in_season(stamps)

    def lost_share(self, start: date, days: int) -> np.ndarray:
        """Share of each of `days` days from `start` that weather takes on average."""
        stamps = np.datetime64(start, "D") + np.arange(days, dtype="timedelta64[D]")
        month = stamps.astype("datetime64[M]").astype(int) % 12
        return np.asarray(self.lost, dtype=float)[month]

    def available(self, start: date, days: int) -> np.ndarray:
        """Expected working share of each of `days` days from `start`: 0 when closed, 1 less weather otherwise."""
        return np.where(self.open_days(start, days), 1 - self.lost_share(start, days), 0.0)

    def count(self, first: date, last: date) -> int:
        """Working days from `first` to `last`, both included, before weather.

        Examples
        --------
        >>> Calendar().count(date(2026, 6, 1), date(2026, 6, 14))
        10
        """
        return int(self.open_days(first, (last - first).days + 1).sum()) if last >= first else 0

    def _in_season(self, stamps: np.ndarray) -> np.ndarray:
        if not self.seasons:
            return np.ones(len(stamps), dtype=bool)
        months = stamps.astype("datetime64[M]")
        key = (months.astype(int) % 12 + 1) * 100 + (stamps - months.astype("datetime64[D]")).astype(int) + 1
        out = np.zeros(len(stamps), dtype=bool)
        for first, last in self.seasons:
            a, b = _month_day(first), _month_day(last)
            out |= (key >= a) & (key <= b) if a <= b else (key >= a) | (key <= b)
        return out


def _month_day(text: str) -> int:
    try:
        month, day = (int(part) for part in str(text).split("-"))
        date(2024, month, day)
    except ValueError as error:
        raise SchemaError(f"'{text}' is not a day of the year", hint='write month and day, e.g. "04-01"') from error
    return month * 100 + day


def seasons_of(text: Any) -> tuple[tuple[str, str], ...]:
    """Seasons written as text, ``04-01/11-15`` with commas between several; nothing for empty text.

    Raises
    ------
    SchemaError
        If it is not of that form.

    Examples
    --------
    >>> seasons_of("04-01/06-15, 09-01/11-15")
    (('04-01', '06-15'), ('09-01', '11-15'))
    """
    if text is None or (isinstance(text, float) and np.isnan(text)) or not str(text).strip():
        return ()
    out = []
    for part in str(text).split(","):
        ends = tuple(p.strip() for p in part.split("/"))
        if len(ends) != 2:
            raise SchemaError(f"'{part.strip()}' is not a season", hint='write it as "04-01/11-15"')
        _month_day(ends[0]), _month_day(ends[1])
        out.append((ends[0], ends[1]))
    return tuple(out)


def day(start: date, offset: float) -> date:
    """The date `offset` days after `start`."""
    return start + timedelta(days=int(offset))
