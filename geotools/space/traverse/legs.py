"""`Leg`: one bearing and distance made plain; and `read_legs`, which makes them from a table.

For units, slopes and which north; positions are computed in `network`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geotools.model.doors import checked
from geotools.model.errors import NotationError, TraverseError
from geotools.model.schema import Issue, conform, issues_frame, schema
from geotools.model.vocab import vocabulary
from geotools.space.notation import parse_angle

_MORE_NAMES = {
    "lm": "landmark",
    "l": "landmark",
    "ob": "other",
    "obs": "other",
    "st": "other",
    "station": "other",
    "observer": "other",
    "t": "turning",
}


@dataclass(frozen=True)
class Leg:
    """A leg: horizontal distance in metres, bearing in degrees clockwise from its stated north.

    Parameters
    ----------
    start, end
        Names of the points.
    bearing_deg
        Degrees clockwise from `north`, which is ``true``, ``magnetic`` or ``grid``.
    distance_m
        Horizontal distance in metres.
    point_type
        Of the end point, in words of the vocabulary ``point_type``.
    date
        Day of the measurement.
    row
        Row of the sheet, for messages.

    Examples
    --------
    >>> table = pd.DataFrame({"from": ["SP"], "to": ["TP1"], "bearing": [92.5], "distance": [100]})
    >>> leg = read_legs(table, north="magnetic")[0]
    >>> leg.start, leg.end, leg.bearing_deg, leg.north, leg.distance_m
    ('SP', 'TP1', 92.5, 'magnetic', 100.0)
    """

    start: str
    end: str
    bearing_deg: float
    north: str
    distance_m: float
    point_type: str = ""
    date: dt.date | None = None
    row: int = 0


@checked
def read_legs(legs: pd.DataFrame, *, north: str | None = None, unit: str = "deg") -> tuple[Leg, ...]:
    """Legs from a table with the columns of record kind *legs*.

    Parameters
    ----------
    legs
        ``from_point, to_point, bearing, distance_m`` and, where known, ``leg_no, bearing_unit, north, slope_deg, date,
        point_type``; common other names are understood. A `slope_deg` reduces the distance to the horizontal.
    north
        ``true``, ``grid`` or ``magnetic`` for legs that do not say; never guessed.
    unit
        Unit of bearings for legs that do not say.

    Returns
    -------
    tuple of Leg
        In the order of ``leg_no``, or of the rows where that is not given.

    Raises
    ------
    TraverseError
        If north is not declared (SV-01) or a leg cannot be used (SV-04); ``.issues`` lists them all.

    Examples
    --------
    >>> table = pd.DataFrame({"from": ["SP"], "to": ["TP1"], "bearing": ["12-00"], "unit": ["mil6000"], "distance": [100]})
    >>> read_legs(table, north="grid")[0].bearing_deg
    72.0
    """
    needed = {"from_point", "to_point", "bearing", "distance_m"}
    table = legs if needed <= set(legs.columns) else conform(pd.DataFrame(legs), schema("legs"))[0]
    declared = _north_word(north) if north is not None else None
    table = _ordered(table.reset_index(drop=True))
    found: list[Leg] = []
    issues: list[Issue] = []
    for row in table.to_dict("records"):  # keys are column names
        try:
            found.append(_leg({str(k): v for k, v in row.items()}, declared, unit, int(row["_row"])))
        except _BadLegError as bad:
            name = _text(row.get("id")) or f"leg {row['_row']}"
            issues.append(
                Issue(
                    bad.code,
                    "error",
                    "legs",
                    name,
                    bad.column,
                    f"leg {_text(row.get('from_point'))} → {_text(row.get('to_point'))}: {bad}",
                    bad.value,
                )
            )
    if issues:
        first = issues[0]
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        error = TraverseError(f"{first.check}: {first.message}{more}", hint=_HINTS.get(first.check, ""))
        error.issues = issues_frame(issues)
        raise error
    if not found:
        raise TraverseError(
            "there are no legs",
            hint="a leg has from_point, to_point, bearing and distance_m; see geotools traverse template",
        )
    return tuple(found)


_HINTS = {
    "SV-01": "say which north the bearings count from: north='true', 'grid' or 'magnetic' (--north); a wrong one still closes",
    "SV-04": "correct the leg in the sheet; units are deg, dms, gon, mil6000, mil6400, quadrant (--unit)",
}


class _BadLegError(Exception):
    def __init__(self, message: str, code: str = "SV-04", column: str = "", value: Any = "") -> None:
        super().__init__(message)
        self.code, self.column, self.value = code, column, value


def _leg(row: dict[str, Any], north: str | None, unit: str, number: int) -> Leg:
    start, end = _text(row.get("from_point")), _text(row.get("to_point"))
    if not start or not end:
        raise _BadLegError("it does not say from which point to which", column="from_point")
    if start == end:
        raise _BadLegError("it ends where it starts", column="to_point", value=end)
    said = _text(row.get("north"))
    own = (vocabulary("north").match(said) or "") if said else ""
    if said and not own:
        raise _BadLegError(f"'{said}' is not a north", "SV-01", "north", said)
    if own and north and own != north:
        raise _BadLegError(f"the sheet counts from {own} north, the call says {north}", "SV-01", "north", own)
    if not (own or north):
        raise _BadLegError("it is not said which north the bearing counts from", "SV-01", "north")
    try:
        bearing = parse_angle(row.get("bearing"), _text(row.get("bearing_unit")) or unit)
    except NotationError as error:
        raise _BadLegError(
            f"{error.message} ({error.hint})" if error.hint else error.message, "SV-04", "bearing", row.get("bearing")
        ) from error
    return Leg(start, end, bearing, own or str(north), _horizontal(row), _type(row, end), _day(row.get("date")), number)


def _horizontal(row: dict[str, Any]) -> float:
    distance, slope = _number(row.get("distance_m")), _number(row.get("slope_deg"))
    if distance is None or not distance > 0:
        raise _BadLegError("the distance must be more than 0 m", column="distance_m", value=row.get("distance_m"))
    if slope is None:
        said = _text(row.get("slope_deg"))
        if said:
            raise _BadLegError(f"the slope '{said}' is not a number", "SV-04", "slope_deg", said)
        return distance
    if abs(slope) >= 80:
        raise _BadLegError(f"a slope of {slope:g}° cannot be taped", column="slope_deg", value=slope)
    return distance * math.cos(math.radians(slope))


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    out = table.assign(_row=range(1, len(table) + 1))
    if "leg_no" in out.columns and len(out) and out["leg_no"].notna().all() and out["leg_no"].is_unique:
        return out.sort_values("leg_no", kind="stable")
    return out


def _type(row: dict[str, Any], name: str) -> str:
    return _text(row.get("point_type")) or type_of(name)


def type_of(name: str) -> str:
    """What a point is by its name: SP start, TP7 turning, BM benchmark, LM landmark; empty if the name says nothing.

    Examples
    --------
    >>> [type_of(name) for name in ("SP", "TP 12", "BM", "LM1", "7")]
    ['start', 'turning', 'benchmark', 'landmark', '']
    """
    letters = re.sub(r"[\W\d_]+", " ", name).strip()
    return vocabulary("point_type").match(letters) or _MORE_NAMES.get(letters.casefold(), "") if letters else ""


def _north_word(north: str) -> str:
    key = vocabulary("north").match(north)
    if key is None:
        raise TraverseError(f"'{north}' is not a north", hint="use true, grid or magnetic")
    return key


def _text(value: Any) -> str:
    return "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value).strip()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _day(value: Any) -> dt.date | None:
    if value is None or pd.isna(value):
        return None
    try:
        return pd.Timestamp(value).date()
    except (TypeError, ValueError) as error:
        raise TraverseError(f"{str(value)[:40]!r} is no day", hint="write the day of a leg as YYYY-MM-DD") from error
