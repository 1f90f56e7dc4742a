"""`Tool` and `Rules`: what carried the antenna, and how fixes become passes.

For the numbers a person may set; not for computing anything with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geotools.model.errors import CoverageError

ACCEPTED = ("autonomous", "differential", "pps", "rtk_fixed", "rtk_float", "estimated")

# Assumed standard deviation per axis in metres by fix quality, used only where a fix states no accuracy of its own.
# Orders of magnitude for open sky, grade "assumed": a programme that has measured its receivers gives `sigma_m`.
ASSUMED_SIGMA_M = {
    "rtk_fixed": 0.02,
    "rtk_float": 0.3,
    "pps": 1.0,
    "differential": 1.0,
    "autonomous": 3.0,
    "estimated": 5.0,
}


MAY_BE_MISSING = ("depth_cm", "speed_max_mps", "h_acc_m")


def real(owner: str, name: str, value: Any) -> float:
    """A finite number.

    Raises
    ------
    CoverageError
        If it is text, missing, not finite or something else.
    """
    plain = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not plain or not np.isfinite(value):
        raise CoverageError(
            f"{owner}: {name} must be a number, not {value!r:.60}", hint="lengths are in metres, times in seconds"
        )
    return float(value)


def _positive(owner: str, **values: float | None) -> None:
    for name, value in values.items():
        if value is None and name in MAY_BE_MISSING:
            continue
        if real(owner, name, value) <= 0:
            raise CoverageError(
                f"{owner}: {name} must be a positive number, not {value}",
                hint="lengths are in metres, times in seconds",
            )


@dataclass(frozen=True)
class Section:
    """One section of an implement: its own width, place and working flag.

    Parameters
    ----------
    name
        As it shall appear in the passes.
    width_m
        Width that this section works.
    right_m, ahead_m
        Its centre seen from the antenna; negative is left, behind.
    is_on
        Column of the fixes that says whether this section works; by default the flag of the whole tool.

    Raises
    ------
    CoverageError
        If a size is no number, or the width not positive.

    Examples
    --------
    >>> left = Section("left", 0.6, right_m=-0.6)
    >>> Tool(width_m=1.8, sections=(left, Section("right", 0.6, right_m=0.6))).is_offset
    True
    """

    name: str
    width_m: float
    right_m: float = 0.0
    ahead_m: float = 0.0
    is_on: str = "is_on"

    def __post_init__(self) -> None:
        owner = f"section {self.name}"
        _positive(owner, width_m=self.width_m)
        for name in ("right_m", "ahead_m"):
            real(owner, name, getattr(self, name))


@dataclass(frozen=True)
class Tool:
    """The working tool: its width, and where its centre is seen from the antenna.

    Parameters
    ----------
    width_m
        Width worked where a fix does not state its own.
    ahead_m, right_m
        Place of the tool seen from the antenna; negative is behind, left.
    sections
        Sections of an implement, instead of one width.

    Examples
    --------
    >>> Tool(width_m=1.7, ahead_m=2.1).is_offset
    True
    """

    width_m: float | None = None
    ahead_m: float = 0.0
    right_m: float = 0.0
    sections: tuple[Section, ...] = ()

    def __post_init__(self) -> None:
        if self.width_m is not None:
            _positive("tool", width_m=self.width_m)
        for name in ("ahead_m", "right_m"):
            real("tool", name, getattr(self, name))
        sections = tuple(self.sections) if isinstance(self.sections, list | tuple) else (self.sections,)
        if not all(isinstance(section, Section) for section in sections):
            raise CoverageError("the sections of a tool are a list of geotools.swath.Section")
        object.__setattr__(self, "sections", sections)
        if len({s.name for s in self.sections}) < len(self.sections):
            raise CoverageError("two sections of the tool have the same name")

    @property
    def is_offset(self) -> bool:
        """Whether a heading is needed to place the tool."""
        return bool(self.sections) or self.ahead_m != 0 or self.right_m != 0


@dataclass(frozen=True)
class Rules:
    """How fixes become passes. Every default errs toward "not covered".

    Parameters
    ----------
    outage_s, step_m
        A longer pause between two fixes, or a longer step, is an outage and is never bridged.
    spike_m
        A fix farther than this from the median of the five around it is dropped.
    smooth_s
        Moving average inside runs; 0 is none. No fix is moved by more than 1 cm plus four times the noise of its run.
    thin_m
        Tolerance of thinning (Douglas-Peucker).
    turn_deg
        A pass ends where the heading leaves it by more than this.
    chord_m
        Length over which the heading is taken when the tool is offset from the antenna.
    h_acc_max_m
        Fixes that state a worse accuracy are dropped.
    h_acc_m
        Accuracy (standard deviation per axis) of fixes that state none and no quality, as somebody knows it of the receiver. None:
        unknown; such passes then prove nothing better than a hand-held receiver would (limit `h_acc_default_m` of the programme).
    far_m
        Fixes farther than this from the task are dropped (without a task: farther than 50 km from the middle of the fixes).
    width_warn_m, width_max_m
        Working widths (of a section, where there are sections) above the first are doubted in an issue; fixes with a width above the
        second are dropped: a width in centimetres taken as metres would cover everything.
    accept
        Words of `fix_quality` that count as a position; a fix without the word is accepted.
    depth_cm
        Required depth: passes are split where the recorded depth falls short of it. An unknown depth falls short.
    speed_max_mps
        Passes are split where the tool moved faster than this.

    Raises
    ------
    CoverageError
        If a limit is out of its range.

    Examples
    --------
    >>> strict = Rules(outage_s=2, depth_cm=15)
    >>> strict.outage_s, strict.to_dict()["depth_cm"]
    (2, 15)
    """

    outage_s: float = 5.0
    step_m: float = 3.0
    spike_m: float = 3.0
    smooth_s: float = 2.0
    thin_m: float = 0.01
    turn_deg: float = 60.0
    chord_m: float = 1.0
    h_acc_max_m: float = 10.0
    far_m: float = 10_000.0
    width_warn_m: float = 8.0
    width_max_m: float = 20.0
    accept: tuple[str, ...] = field(default=ACCEPTED)
    depth_cm: float | None = None
    speed_max_mps: float | None = None
    h_acc_m: float | None = None

    def __post_init__(self) -> None:
        _positive(
            "rules", outage_s=self.outage_s, step_m=self.step_m, spike_m=self.spike_m, thin_m=self.thin_m, turn_deg=self.turn_deg,
            chord_m=self.chord_m, h_acc_max_m=self.h_acc_max_m, far_m=self.far_m, depth_cm=self.depth_cm, speed_max_mps=self.speed_max_mps,
            width_warn_m=self.width_warn_m, width_max_m=self.width_max_m,
            h_acc_m=self.h_acc_m,
        )  # fmt: skip
        if not 0 <= real("rules", "smooth_s", self.smooth_s) <= 4:
            raise CoverageError(
                f"rules: smooth_s must be between 0 and 4 seconds, not {self.smooth_s}",
                hint="a longer average hides gaps",
            )
        if isinstance(self.accept, str) or not all(isinstance(word, str) for word in np.atleast_1d(self.accept)):
            raise CoverageError("rules: accept is a list of words of fix_quality")
        if self.turn_deg > 120:
            raise CoverageError("rules: turn_deg must be at most 120", hint="a pass must not run back over itself")

    def to_dict(self) -> dict[str, Any]:
        """All rules as plain data."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
