"""Milliseconds since 1970, as map servers write their dates, as days and instants.

For date columns of Esri services and what was exported from them; not for times of receivers (see `model.schema.conform`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.io.raw import Finding, Raw
from geotools.model.errors import CRSError
from geotools.model.schema import KINDS, renaming
from geotools.space import crs as _crs

DAY_MS = 86_400_000
QUARTER_MS = 900_000  # offsets of civil time are whole quarters of an hour
SMALLEST = 1_000_000_000_000  # one value at least is of 13 digits: shorter numbers may be days written without dashes
LARGEST = 7_289_654_400_000  # 2201-01-01
FAR_HOURS = 2.5  # civil time from the time of the sun, summer time included
_START = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"[+-]?\d{1,13}(\.0*)?")


def settle(raw: Raw, kind: str | None) -> None:
    """Bring date columns that hold milliseconds to days; `raw` is changed, and a finding says so."""
    made: dict[str, pd.Series] = {}
    for name in date_columns(raw, kind):
        values = whole(list(raw.table[name]))
        if values is None:
            continue
        made[name] = days(values, longitude(raw))
        said = f"{name} is in milliseconds since 1970: read as days, as map servers write them"
        first = next(row for row, value in enumerate(values) if value is not None)
        raw.findings.append(
            Finding("RD-13", "info", said, first, column=str(name), value=values[first], limit=made[name][first])
        )
    raw.table = raw.table.assign(**made)


def date_columns(raw: Raw, kind: str | None) -> list[str]:
    """The columns of a table that are dates of a kind of layer, under names of the schema or others that are known."""
    if kind is None:
        return []
    schema = KINDS[kind]
    targets = {**{n: n for n in raw.table.columns}, **renaming(raw.table.columns, schema)}
    dates = {column for column in schema.names if schema.column(column).kind == "date"}
    return [name for name in raw.table.columns if targets[name] in dates]


def whole(values: Sequence[Any]) -> list[int | None] | None:
    """The milliseconds in a column, or None if it holds anything else, or nothing."""
    out: list[int | None] = []
    for value in values:
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            out.append(None)
        elif isinstance(value, str):
            text = value.strip()
            if text and not _DIGITS.fullmatch(text):
                return None
            out.append(int(float(text)) if text else None)
        elif (
            isinstance(value, bool | np.bool_)
            or not isinstance(value, int | float | np.integer | np.floating)
            or not np.isfinite(value)
            or float(value) != int(value)
        ):
            return None
        else:
            out.append(int(value))
    sizes = [abs(v) for v in out if v is not None]
    return out if sizes and SMALLEST <= max(sizes) <= LARGEST else None


def days(values: Sequence[int | None], lon: float | None) -> pd.Series:
    """The day of each instant: where it is a midnight of the civil time there, the day that begins with it; else the UTC day.

    Servers keep a day as an instant; where it was typed at 47° E, 1 March stands as 28 February, 20:00 UTC.

    Parameters
    ----------
    values
        Milliseconds since 1970-01-01T00:00:00Z.
    lon
        Longitude of the layer; None: the UTC day.

    Examples
    --------
    >>> midnight_in_baku = 1_677_614_400_000  # 2023-02-28T20:00:00Z
    >>> days([midnight_in_baku, None], 47.2).tolist(), days([midnight_in_baku], None).tolist()
    ([datetime.date(2023, 3, 1), None], [datetime.date(2023, 2, 28)])
    """
    return pd.Series([None if v is None else _day(v, lon) for v in values], dtype=object)


def _day(value: int, lon: float | None) -> date:
    return (_START + timedelta(milliseconds=value + (_offset(value, lon) or 0))).date()


def is_midnight(value: int, lon: float | None) -> bool:
    """Whether an instant is a midnight of UTC, or of the civil time of a longitude."""
    return _offset(value, lon) is not None


def _offset(value: int, lon: float | None) -> int | None:
    """Milliseconds from UTC to the civil time in which an instant is a midnight; None if it is none."""
    into = value % DAY_MS
    if not into:
        return 0
    if lon is None or into % QUARTER_MS:
        return None
    both = (DAY_MS - into, -into)  # east of Greenwich midnight comes before that of UTC, west after it
    return next((offset for offset in both if abs(offset / 3_600_000 - lon / 15) <= FAR_HOURS), None)


def instants(values: Sequence[int | None]) -> pd.Series:
    """Times in UTC from milliseconds.

    Examples
    --------
    >>> instants([0]).dt.year.tolist()
    [1970]
    """
    stamps = pd.array([pd.NA if v is None else v for v in values], dtype="Int64")
    return pd.Series(stamps).astype("datetime64[ms]").dt.tz_localize("UTC")


def longitude(raw: Raw) -> float | None:
    """The longitude of the middle of a layer, or None where its system is not known."""
    if raw.geometry is None:
        return None
    present = raw.geometry[~shapely.is_missing(raw.geometry)][:200]
    points = shapely.get_coordinates(present)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points) or raw.crs is None:
        return None
    x, y = np.median(points, axis=0)
    try:
        lon = shapely.get_coordinates(_crs.transform([shapely.Point(x, y)], raw.crs, _crs.WGS84))[0][0]
    except CRSError:
        return None
    return float(lon) if abs(lon) <= 180 else None
