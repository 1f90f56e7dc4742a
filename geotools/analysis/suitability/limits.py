"""From slopes and states to one code per cell: the criteria, their states, and the class that follows.

For arithmetic on blocks of cells; where the numbers come from is in `layers` and `machines`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from geotools.analysis.suitability.machines import Figure, Machine
from geotools.model.errors import SchemaError

OK, CONDITIONAL, UNKNOWN, NOT = 0, 1, 2, 3  # states of one criterion; the worst of all decides
STATES = ("workable", "conditional", "unknown", "not")
CLASSES = {1: "workable", 2: "conditional", 3: "unknown", 4: "not"}  # values of the raster
CRITERIA: Mapping[str, str] = {
    "slope_along": "slope_along_deg", "slope_across": "slope_across_deg", "cover": "cover", "soil": "soil", "vegetation": "stem_cm", "rock": "rock_cm",
    "obstacles": "obstacle_m", "buildings": "building_m", "water": "water_m", "access": "access_slope_deg", "range": "remote_m",
}  # fmt: skip
PLACE = {name: 2 * index for index, name in enumerate(CRITERIA)}
LOW = np.uint32(sum(1 << place for place in PLACE.values()))


@dataclass(frozen=True)
class Settings:
    """How suitability is judged.

    Parameters
    ----------
    bearing_deg
        Direction of the lanes, clockwise from true north. None: slope is conditional where only some directions would do.
    waived
        Criterion → reason. Where nothing is known on it, ground becomes conditional on that reason; what a limit excludes stays excluded.
    task_share
        A task takes a class from this share of its ground on.
    tile
        Side of the windows computed at a time; the result is the same for any.

    Raises
    ------
    SchemaError
        If a waiver has no reason or names no criterion, or a figure is out of its range.

    Examples
    --------
    >>> Settings(waived={"soil": "walked on 2026-05-03, team leader (synthetic)"}).task_share
    0.95
    >>> Settings(waived={"soil": ""})
    Traceback (most recent call last):
    geotools.model.errors.SchemaError: a waiver needs a reason: who decided, on what ground
    """

    bearing_deg: float | None = None
    waived: Mapping[str, str] = field(default_factory=dict)
    task_share: float = 0.95
    tile: int = 512

    def __post_init__(self) -> None:
        strange = sorted(set(self.waived) - set(CRITERIA))
        if strange:
            raise SchemaError(
                f"there is no criterion '{strange[0]}' to waive", hint=f"criteria are {', '.join(CRITERIA)}"
            )
        if not all(str(reason).strip() for reason in self.waived.values()):
            raise SchemaError(
                "a waiver needs a reason: who decided, on what ground",
                hint='for example --waive soil="walked on 2026-05-03, team leader"',
            )
        if not 0.5 < self.task_share <= 1:
            raise SchemaError("task_share is above 0.5 and at most 1")
        if self.tile < 1:
            raise SchemaError("a tile has at least one cell")
        if self.bearing_deg is not None and not math.isfinite(self.bearing_deg):
            raise SchemaError("a bearing is a number of degrees")


def slopes(
    east: np.ndarray, north: np.ndarray, machine: Machine, bearing_deg: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """States of slope along and across the lanes of a bearing, or whatever the bearing.

    Without a bearing a state is OK where the whole slope is within the limit, and NOT where no direction keeps both limits:
    with slope t and limits a, b (tangents) that is where t² > a² + b².
    """
    limits = [machine.figure(CRITERIA[name]) for name in ("slope_along", "slope_across")]
    if bearing_deg is not None:
        sine, cosine = math.sin(math.radians(bearing_deg)), math.cos(math.radians(bearing_deg))
        rises = (np.abs(east * sine + north * cosine), np.abs(east * cosine - north * sine))
        return rated(rises[0], limits[0], tangent=True), rated(rises[1], limits[1], tangent=True)
    square = east * east + north * north
    missing = np.isnan(square)
    tops = [_tangent(figure, "max") for figure in limits]
    never = None if None in tops else sum(t * t for t in tops if t is not None)
    out = []
    for figure in limits:
        low = _tangent(figure, "ok")
        if low is None:
            out.append(np.full(square.shape, UNKNOWN, dtype=np.uint8))
            continue
        with np.errstate(invalid="ignore"):
            state = np.where(square <= low * low, OK, CONDITIONAL).astype(np.uint8)
            if never is not None:
                state[square > never] = NOT
        state[missing] = OK if figure is not None and figure.any else UNKNOWN
        out.append(doubted(state, figure))
    return out[0], out[1]


def _tangent(figure: Figure | None, end: str) -> float | None:
    """Tangent of a limit; infinite where the slope does not limit; None where it is unknown."""
    if figure is None:
        return None
    if figure.any:
        return math.inf
    degrees = figure.max if end == "max" or figure.ok is None else figure.ok
    return None if degrees is None else math.tan(math.radians(min(degrees, 89.999)))


def rated(values: np.ndarray, figure: Figure | None, *, tangent: bool = False) -> np.ndarray:
    """States of numbers against `ok` and `max`: unknown where the number or the limit is."""
    if figure is None:
        return np.full(values.shape, UNKNOWN, dtype=np.uint8)
    if figure.any:
        return doubted(np.zeros(values.shape, dtype=np.uint8), figure)
    ends = [
        _tangent(figure, end) if tangent else (figure.max if end == "max" or figure.ok is None else figure.ok)
        for end in ("ok", "max")
    ]
    with np.errstate(invalid="ignore"):
        state = np.where(values <= ends[0], OK, np.where(values <= ends[1], CONDITIONAL, NOT)).astype(np.uint8)
    state[np.isnan(values)] = UNKNOWN
    return doubted(state, figure)


def doubted(state: np.ndarray, figure: Figure | None) -> np.ndarray:
    """Workable by a press figure is conditional."""
    if figure is not None and not figure.trusted:
        state[state == OK] = CONDITIONAL
    return state


def word_state(word: str | None, figure: Figure | None) -> int:
    """State of a word in a table: unknown where the table or the word is."""
    if figure is None or word is None:
        return UNKNOWN
    state = STATES.index(figure.words[word]) if word in figure.words else OK if figure.any else UNKNOWN
    return CONDITIONAL if state == OK and not figure.trusted else state


def packed(states: Mapping[str, np.ndarray | int], waived: Mapping[str, str]) -> np.ndarray:
    """All states in one code per cell, two bits each; a waiver turns unknown into conditional."""
    shape = next(state.shape for state in states.values() if isinstance(state, np.ndarray))
    code = np.zeros(shape, dtype=np.uint32)
    for name, place in PLACE.items():
        state = states[name]
        if isinstance(state, np.ndarray):
            if name in waived:
                state = np.where(state == UNKNOWN, np.uint8(CONDITIONAL), state)
            code |= state.astype(np.uint32) << np.uint32(place)
        else:
            code |= np.uint32((CONDITIONAL if state == UNKNOWN and name in waived else state) << place)
    return code


def state_of(code: np.ndarray, name: str) -> np.ndarray:
    """State of one criterion."""
    return ((code >> np.uint32(PLACE[name])) & np.uint32(3)).astype(np.uint8)


def worst(code: np.ndarray) -> np.ndarray:
    """The worst state of each cell.

    Examples
    --------
    >>> code = packed({name: np.array([[0]]) for name in CRITERIA} | {"soil": np.array([[2]], dtype=np.uint8)}, {})
    >>> STATES[int(worst(code)[0, 0])]
    'unknown'
    """
    low, high = code & LOW, (code >> np.uint32(1)) & LOW
    out: np.ndarray = np.where(
        high & low, np.uint8(NOT), np.where(high, np.uint8(UNKNOWN), (low != 0).astype(np.uint8))
    )
    return out
