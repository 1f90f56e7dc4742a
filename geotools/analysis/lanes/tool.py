"""`Tool` and `Settings`: what works the lanes and how they are laid; number of passes, turns and hours.

For formulas and choices; geometry is in `strips`, machines with their sources are rows of the suitability room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from geotools.model.doors import check_fields, checked
from geotools.model.errors import CoverageError

KINDS = ("machine", "dog", "manual")
PATTERNS = ("auto", "boustrophedon", "snake", "spiral", "interleaved")
SECONDS = ("perpendicular", "offset")


@dataclass(frozen=True)
class Tool:
    """What works a lane.

    Parameters
    ----------
    width_m
        Working width, in metres, as measured on the unit itself.
    overlap_m
        Least overlap of neighbouring lanes, in metres.
    kind
        ``machine`` keeps its full width everywhere; ``manual`` and ``dog`` lanes are searched up to any boundary.
    turn_radius_m
        0: it turns on the spot.
    speed_kmh
        Speed while working, from the unit's own day sheets. None: expected times stay unknown.
    turn_s
        Seconds per turn.

    Examples
    --------
    >>> Tool(1.7, 0.2).step_m
    1.5
    """

    width_m: float
    overlap_m: float = 0.0
    kind: str = "machine"
    turn_radius_m: float = 0.0
    speed_kmh: float | None = None
    turn_s: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.kind not in KINDS:
            raise CoverageError(f"a lane is worked by {', '.join(KINDS)}, not by '{self.kind}'")
        numbers = (self.width_m, self.overlap_m, self.turn_radius_m, self.turn_s)
        if not all(math.isfinite(v) and v >= 0 for v in numbers) or not self.width_m >= 0.05:
            raise CoverageError(
                "a lane is at least 0.05 m wide, and overlap, turning radius and turning time are not negative",
                hint="give the working width of the tool in metres",
            )
        if not self.overlap_m < self.width_m:
            raise CoverageError(
                f"an overlap of {self.overlap_m:g} m leaves nothing of a width of {self.width_m:g} m",
                hint="the overlap is part of the width: give less",
            )
        if self.speed_kmh is not None and not (math.isfinite(self.speed_kmh) and self.speed_kmh > 0):
            raise CoverageError("the working speed is a positive number of km/h")

    @property
    def step_m(self) -> float:
        """Distance between the middles of neighbouring lanes, at most."""
        return round(self.width_m - self.overlap_m, 9)

    @property
    def rigid(self) -> bool:
        """Whether the full width must fit everywhere."""
        return self.kind == "machine"


@dataclass(frozen=True)
class Settings:
    """How lanes are laid.

    Parameters
    ----------
    bearing_deg
        Direction of the lanes clockwise from true north; None: chosen (fewest lanes, and start line, wind and slope if given).
    headlands
        Rounds along the boundary, worked first; None: as many as the turns of a machine need (at least 1), none for dogs and people.
    passes
        1 or 2. The second is laid as `second` says: ``perpendicular`` to the first or ``offset`` by half a lane.
    pattern
        Order of the lanes: ``auto`` takes neighbours in turn, or ``interleaved`` where the turning radius asks for it.
    setback_m
        Distance kept from exclusion zones.
    wind_from_deg
        For dogs: where the wind comes from. Lanes run across it and are worked from the lee side, so that scent of ground to come
        reaches the dog. A handler's judgement on the day goes before.
    slope_limits_deg
        Greatest slope along and across the lanes; with `slopes` of `plan`, directions that exceed them on the least ground are taken.

    Raises
    ------
    CoverageError
        If a value is out of its range.

    Examples
    --------
    >>> Settings(bearing_deg=90, headlands=2).pattern
    'auto'
    >>> Settings(passes=3)
    Traceback (most recent call last):
    geotools.model.errors.CoverageError: a plan has 1 or 2 passes
    """

    bearing_deg: float | None = None
    headlands: int | None = None
    passes: int = 1
    second: str = "perpendicular"
    pattern: str = "auto"
    setback_m: float = 0.0
    wind_from_deg: float | None = None
    slope_limits_deg: tuple[float | None, float | None] = (None, None)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.passes not in (1, 2):
            raise CoverageError("a plan has 1 or 2 passes", hint="plan further passes separately")
        if self.second not in SECONDS:
            raise CoverageError(f"the second pass is {' or '.join(SECONDS)}, not '{self.second}'")
        if self.pattern not in PATTERNS:
            raise CoverageError(f"the order of lanes is one of {', '.join(PATTERNS)}, not '{self.pattern}'")
        if self.headlands is not None and self.headlands not in range(21):
            raise CoverageError("headlands are 0 to 20 rounds")
        if not (math.isfinite(self.setback_m) and self.setback_m >= 0):
            raise CoverageError("a setback is not negative")
        for angle in (self.bearing_deg, self.wind_from_deg):
            if angle is not None and not -360 <= angle <= 360:
                raise CoverageError("a bearing is between 0 and 360 degrees")


@checked
def passes(width_m: float, tool: Tool) -> int:
    """Lanes needed across a width: 1 + ceil((B - W) / (W - o)).

    Examples
    --------
    >>> passes(50, Tool(1.7, 0.2)), passes(100, Tool(1.7, 0.2)), passes(50, Tool(1.7))
    (34, 67, 30)
    """
    if not width_m > 0:
        return 0
    return 1 + max(0, math.ceil((width_m - tool.width_m) / tool.step_m - 1e-9))


@checked
def turn_m(distance_m: float, radius_m: float) -> float:
    """Length of the turn from one lane into a parallel one at `distance_m`, the other way round.

    Far enough apart it is a half circle with a straight part; nearer, the shortest turn that only goes forward (three arcs; Dubins 1957).

    Examples
    --------
    >>> round(turn_m(8, 4), 3), round(turn_m(0, 1), 3), turn_m(3, 0)
    (12.566, 7.33, 3.0)
    """
    if radius_m <= 0:
        return float(distance_m)
    if distance_m >= 2 * radius_m:
        return math.pi * radius_m + distance_m - 2 * radius_m
    return radius_m * (math.pi + 4 * math.acos((2 * radius_m + distance_m) / (4 * radius_m)))


@checked
def hours(length_m: float, turns: int, tool: Tool) -> float:
    """Working time: length / speed + turns x time per turn; NaN without a speed.

    Examples
    --------
    >>> round(hours(3400, 33, Tool(1.7, 0.2, speed_kmh=1.0, turn_s=30)), 3)
    3.675
    """
    if tool.speed_kmh is None:
        return math.nan
    return length_m / (1000 * tool.speed_kmh) + turns * tool.turn_s / 3600
