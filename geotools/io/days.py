"""Days for times of day: which date a fix of a log belongs to, where only some of its sentences state one.

For logs that are read in the order in which they were written; not for zones (receivers write UTC) or for reading text.
"""

from __future__ import annotations

from datetime import date
from typing import Any

DAY_S = 86400.0
PAUSE_S = 3600.0  # after a longer pause only a stated date tells the day
BACK_S = 60.0  # receivers repeat or swap sentences by this much
_EPOCH = date(1970, 1, 1)


class Calendar:
    """Gives ``time`` (seconds since 1970) to fixes, at once where the day is sure, else when a date is met.

    Examples
    --------
    >>> calendar, early, late = Calendar(), {}, {}
    >>> calendar.place([early], 86399.0, None)
    >>> calendar.place([late], 1.0, date(2026, 5, 5))
    >>> late["time"] - early["time"]
    2.0
    """

    def __init__(self) -> None:
        self.known: tuple[int, float] | None = None  # day and time of day of what was placed last
        self.waiting: list[tuple[list[dict[str, Any]], float]] = []
        self.undated = 0
        self.guessed = 0

    def place(self, fixes: list[dict[str, Any]], clock: float, stated: date | None) -> None:
        """Fixes of one instant, with the date that is stated for it."""
        if stated is not None:
            self.note(stated, clock)
            _date(fixes, (stated - _EPOCH).days, clock)
            return
        ahead = None if self.known is None or self.waiting else _step(self.known[1], clock)
        if self.known is None or ahead is None:
            for fix in fixes:
                fix["time"] = float("nan")
            self.waiting.append((fixes, clock))
            return
        self.known = self.known[0] + ahead, clock
        _date(fixes, *self.known)

    def note(self, stated: date, clock: float) -> None:
        """A date that is stated for a time of day: what waited for one is settled."""
        anchor = (stated - _EPOCH).days, clock
        later, unsure = anchor, len(self.waiting)
        while unsure and (back := _step(self.waiting[unsure - 1][1], later[1])) is not None:
            fixes, earlier = self.waiting[unsure - 1]
            later = later[0] - back, earlier
            _date(fixes, *later)
            unsure -= 1
        self._guess(self.waiting[:unsure], later)
        self.waiting, self.known = [], anchor

    def _guess(self, held: list[tuple[list[dict[str, Any]], float]], limit: tuple[int, float] | None) -> None:
        """Fixes that no date is near to: onward from what is known, not beyond `limit`, or else back from there."""
        placed: list[tuple[list[dict[str, Any]], tuple[int, float]]] = []
        if self.known is not None:
            place = self.known
            for fixes, clock in held:
                place = place[0] + _onward(place[1], clock), clock
                placed.append((fixes, place))
        if held and limit is not None and (not placed or placed[-1][1] > limit):
            place, placed = limit, []
            for fixes, clock in reversed(held):
                place = place[0] - _onward(clock, place[1]), clock
                placed.append((fixes, place))
        for fixes, where in placed:
            _date(fixes, *where)
            self.guessed += len(fixes)

    def give_up(self) -> None:
        """What waits is not waited for any longer."""
        if self.known is not None:
            self._guess(self.waiting, None)
        else:
            self.undated += sum(len(fixes) for fixes, _ in self.waiting)
        self.waiting = []

    def finish(self) -> None:
        """The end of the log."""
        self.give_up()


def _date(fixes: list[dict[str, Any]], day: int, clock: float) -> None:
    for fix in fixes:
        fix["time"] = day * DAY_S + clock


def _step(before: float, after: float) -> int | None:
    """Days from one time of day to the next in a log that goes on; None after a pause too long to tell."""
    ahead = after - before
    if -BACK_S <= ahead <= PAUSE_S:
        return 0
    if -BACK_S <= ahead + DAY_S <= PAUSE_S:
        return 1
    return -1 if ahead - DAY_S >= -BACK_S else None


def _onward(before: float, after: float) -> int:
    """Days to the next time that the clock shows `after`."""
    sure = _step(before, after)
    return sure if sure is not None else int(after < before)
