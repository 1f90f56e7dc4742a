"""How much ground a machine, a deminer or a dog team does in a day, with every factor in sight.

For planning figures with their doubt; never for a maker's figure taken as it is: field efficiency has no default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from geotools.model.doors import check_fields, checked
from geotools.model.errors import StatisticsError


@dataclass(frozen=True)
class Rate:
    """Ground one team does on one working day, and how well that is known.

    Parameters
    ----------
    m2_per_day
        Mean over working days, in m².
    cv
        Relative standard deviation of this mean: how well the rate is known for ground not yet worked on.
    day_cv
        Relative standard deviation from day to day.
    days
        Working days of record that it rests on; 0 for a figure that somebody stated.
    basis
        Where it comes from, in words.
    ground_cv
        Relative standard deviation from one piece of ground to the next.

    Examples
    --------
    >>> low, high = Rate(200.0, cv=0.25).interval(0.8)
    >>> round(low), round(high)
    (142, 266)
    """

    m2_per_day: float
    cv: float = 0.0
    day_cv: float = 0.0
    days: float = 0.0
    basis: str = ""
    ground_cv: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if not (math.isfinite(self.m2_per_day) and self.m2_per_day > 0):
            raise StatisticsError(
                f"a rate is more than 0 m² a day, not {self.m2_per_day}", hint="leave out what a team cannot do"
            )
        if not all(0 <= cv < 10 for cv in (self.cv, self.day_cv, self.ground_cv)):
            raise StatisticsError("a relative standard deviation is a fraction, e.g. 0.25 for 25 %")

    def luck(self, days: float) -> float:
        """Relative standard deviation of the mean over so many days on one piece of ground, given the rate."""
        return math.sqrt(self.ground_cv**2 + self.day_cv**2 / max(1.0, days))

    def interval(self, level: float = 0.8) -> tuple[float, float]:
        """Where the mean rate lies with this probability, in m² a day (log-normal, equal tails).

        Raises
        ------
        StatisticsError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise StatisticsError("a level lies between 0 and 1, e.g. 0.8")
        sigma = math.sqrt(math.log1p(self.cv**2))
        middle = math.log(self.m2_per_day) - sigma**2 / 2
        z = float(stats.norm.ppf(0.5 + level / 2))
        return math.exp(middle - z * sigma), math.exp(middle + z * sigma)


@checked
def passes(breadth_m: float, width_m: float, overlap_m: float = 0.0) -> int:
    """How many passes cover a breadth: ``1 + ceil((B − W) / (W − o))``.

    Raises
    ------
    StatisticsError
        If the overlap leaves no effective width.

    Examples
    --------
    >>> passes(50, 1.7, 0.2), passes(100, 1.7, 0.2), passes(50, 1.7)
    (34, 67, 30)
    """
    effective = width_m - overlap_m
    if not (width_m > 0 and effective > 0 and overlap_m >= 0 and breadth_m > 0):
        raise StatisticsError("the overlap must be smaller than the working width, and both more than 0")
    return 1 + max(0, math.ceil((breadth_m - width_m) / effective - 1e-9))


@dataclass(frozen=True)
class FieldWork:
    """One machine on one rectangular field: passes, path, time, net rate and field efficiency ``A / (W·v·T)``.

    Attributes
    ----------
    passes
        Number of passes along the length.
    path_m
        Metres worked.
    hours
        With the turns.
    m2_per_hour
        Net rate.
    efficiency
        0 to 1.

    Examples
    --------
    >>> done = field_work(100, 50, width_m=1.7, overlap_m=0.2, speed_kmh=1.0, turn_s=30)
    >>> done.passes, round(done.hours, 1)
    (34, 3.7)
    """

    passes: int
    path_m: float
    hours: float
    m2_per_hour: float
    efficiency: float


@checked
def field_work(
    length_m: float, breadth_m: float, *, width_m: float, speed_kmh: float, overlap_m: float = 0.0, turn_s: float = 0.0
) -> FieldWork:
    """Time of a machine on a rectangle worked along its length: ``T = Σ L / v + (n − 1)·t_turn``.

    Parameters
    ----------
    length_m, breadth_m
        Sides of the field; passes run along the length.
    width_m, overlap_m
        Working width and overlap of neighbouring passes, m.
    speed_kmh
        Working speed, not travel speed.
    turn_s
        Seconds from the end of one pass to the start of the next.

    Raises
    ------
    StatisticsError
        If a figure makes no sense.

    Examples
    --------
    >>> done = field_work(100, 50, width_m=1.7, overlap_m=0.2, speed_kmh=1.0, turn_s=30)
    >>> done.passes, done.path_m, round(done.hours, 3), round(done.m2_per_hour, 1), round(done.efficiency, 3)
    (34, 3400.0, 3.675, 1360.5, 0.8)
    """
    if not (speed_kmh > 0 and length_m > 0 and turn_s >= 0):
        raise StatisticsError("length and working speed must be more than 0, the time of a turn not less")
    number = passes(breadth_m, width_m, overlap_m)
    path = number * length_m
    hours = path / (1000 * speed_kmh) + (number - 1) * turn_s / 3600
    area = length_m * breadth_m
    return FieldWork(number, float(path), hours, area / hours, area / (width_m * 1000 * speed_kmh * hours))


@checked
def machine_day(
    width_m: float, speed_kmh: float, *, efficiency: float, hours: float, availability: float, maintenance: float
) -> float:
    """Ground a machine prepares on a day: ``η·W·v · h · a · (1 − m)``, in m².

    Machine-prepared ground is not cleared: a search follows.

    Parameters
    ----------
    width_m, speed_kmh
        Working width and working speed.
    efficiency
        Field efficiency η: what turns, overlap and obstacles leave of width times speed (see `field_work`). There is no default.
    hours
        Machine hours of a working day.
    availability
        Share of those hours that weather and safety allow.
    maintenance
        Share of the remaining hours that maintenance takes.

    Raises
    ------
    StatisticsError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> round(machine_day(1.7, 1.0, efficiency=0.8, hours=5, availability=0.9, maintenance=0.25))
    4590
    """
    if not (0 < efficiency <= 1 and 0 <= availability <= 1 and 0 <= maintenance < 1):
        raise StatisticsError("efficiency, availability and maintenance are shares between 0 and 1")
    if not (width_m > 0 and speed_kmh > 0 and 0 < hours <= 24):
        raise StatisticsError("width and speed must be more than 0, and a day has at most 24 hours")
    return efficiency * width_m * 1000 * speed_kmh * hours * availability * (1 - maintenance)


@dataclass(frozen=True)
class LaneMinutes:
    """Minutes that lane work takes: per m² for vegetation, sweep and checks, per signal, per mine.

    Examples
    --------
    >>> lane = LaneMinutes(vegetation=4.0, sweep=3.0, checks=0.5, signal=6.0, mine=45.0)
    >>> round(lane.m2_per_day(300, signals_m2=0.5, mines_m2=0.0005), 2)
    28.51
    >>> round(lane.m2_per_day(300, signals_m2=0.5, mines_m2=0.0005, fast_share=0.92), 2)
    38.65
    """

    vegetation: float
    sweep: float
    checks: float
    signal: float
    mine: float

    def m2_per_day(self, minutes: float, *, signals_m2: float, mines_m2: float, fast_share: float = 0.0) -> float:
        """Ground of one worker on one day: ``h / (t_veg + t_sweep + λ(1 − q)·t_sig + μ·t_mine + t_qa)``, in m².

        Parameters
        ----------
        minutes
            Minutes of lane work in the day.
        signals_m2, mines_m2
            Signals and mines per m².
        fast_share
            Share of signals dealt with fast, as a dual sensor allows; they are still dealt with.

        Raises
        ------
        StatisticsError
            If there is no time at all in a m², or a figure is negative.
        """
        if not 0 <= fast_share <= 1 or min(minutes, signals_m2, mines_m2) < 0:
            raise StatisticsError("minutes and densities are not negative, and a share lies between 0 and 1")
        per_m2 = (
            self.vegetation
            + self.sweep
            + self.checks
            + signals_m2 * (1 - fast_share) * self.signal
            + mines_m2 * self.mine
        )
        if per_m2 <= 0:
            raise StatisticsError("a square metre takes no time: at least one of the minutes must be more than 0")
        return minutes / per_m2
