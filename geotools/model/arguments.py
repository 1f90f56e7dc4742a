"""What a caller hands in: a number in range, a layer, a table, a kind of result; or one clear refusal.

For arguments of functions; values in files become issues (see `model.schema`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from geotools.model.errors import SchemaError, StatisticsError


def number(
    value: Any,
    name: str,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
) -> float:
    """A finite number within its limits.

    Parameters
    ----------
    name
        What the number is, for the sentence of the refusal.
    above, below
        Limits that the number does not reach.
    least, most
        Limits that it may reach.

    Raises
    ------
    StatisticsError
        If it is text, missing, not finite or out of range.

    Examples
    --------
    >>> number(0.9, "confidence", above=0, below=1)
    0.9
    >>> number("0.9", "confidence", above=0, below=1)
    Traceback (most recent call last):
    geotools.model.errors.StatisticsError: confidence must be a number above 0 and below 1, not '0.9'
    """
    bounds = [
        f"{word} {limit:g}"
        for word, limit in (("above", above), ("of at least", least), ("below", below), ("of at most", most))
        if limit is not None
    ]
    wanted = " ".join(["a number", " and ".join(bounds)]).strip()
    plain = None if isinstance(value, str | bytes | bool | np.bool_) else _float(value)
    good = plain is not None and math.isfinite(plain)
    if good and plain is not None:
        good = (above is None or plain > above) and (least is None or plain >= least)
        good = good and (below is None or plain < below) and (most is None or plain <= most)
    if not good or plain is None:
        fraction = most == 1 or below == 1
        hint = "write 0.9 for 90 %" if fraction else "give a plain finite number, without a unit"
        raise StatisticsError(f"{name} must be {wanted}, not {_shown(value)}", hint=hint)
    return plain


def positive(value: Any, name: str) -> float:
    """A finite number above 0.

    Examples
    --------
    >>> positive(2, "block_m")
    2.0
    """
    return number(value, name, above=0)


def whole(value: Any, name: str, *, least: int = 0, most: int | None = None) -> int:
    """A whole number within its limits.

    Examples
    --------
    >>> whole(3.0, "remaining", least=1)
    3
    """
    plain = number(value, name, least=least, most=most)
    if plain != math.floor(plain):
        raise StatisticsError(f"{name} must be a whole number, not {_shown(value)}", hint="count in whole items")
    return int(plain)


def array(values: Any, name: str) -> np.ndarray:
    """An array of numbers; text or ragged lists are refused, missing values stay NaN.

    Examples
    --------
    >>> array([1, 2], "k").tolist()
    [1.0, 2.0]
    """
    try:
        kept = np.asarray(values)
        if kept.dtype.kind in "USMmVc":
            raise ValueError
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"{name} must be numbers, not text", hint="one number or a list of numbers") from error


def one_of(value: Any, name: str, choices: Any) -> Any:
    """A value out of a list of words.

    Examples
    --------
    >>> one_of("both", "side", ("both", "lower"))
    'both'
    """
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise StatisticsError(f"there is no {name} {_shown(value)}", hint=f"one of {', '.join(known)}")
    return value


def layer(value: Any, name: str) -> Any:
    """A GeoDataFrame or GeoSeries with a geometry.

    Examples
    --------
    >>> import geopandas as gpd
    >>> len(layer(gpd.GeoSeries([], crs=4326), "the task"))
    0
    """
    import geopandas as gpd

    if isinstance(value, gpd.GeoSeries) or (
        isinstance(value, gpd.GeoDataFrame) and value.active_geometry_name is not None
    ):
        return value
    raise SchemaError(
        f"{name} must be a layer with geometry, not {type(value).__name__}",
        hint="read it with geotools.read, or make a GeoDataFrame with a crs",
    )


def columns(frame: Any, name: str, wanted: tuple[str, ...] = ()) -> Any:
    """A table that has these columns.

    Examples
    --------
    >>> import pandas as pd
    >>> len(columns(pd.DataFrame({"id": ["a"]}), "the targets", ("id",)))
    1
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise SchemaError(
            f"{name} must be a table, not {type(frame).__name__}",
            hint="read it with geotools.read, or make a DataFrame",
        )
    missing = [column for column in wanted if column not in frame]
    if missing:
        raise SchemaError(f"{name} has no column '{missing[0]}'", hint=f"it needs {', '.join(wanted)}")
    return frame


def instance(value: Any, name: str, kind: type | tuple[type, ...], *, hint: str) -> Any:
    """A value of a kind.

    Examples
    --------
    >>> instance(3, "the number", int, hint="a whole number")
    3
    """
    if not isinstance(value, kind):
        raise StatisticsError(f"{name} cannot be {type(value).__name__}", hint=hint)
    return value


def sequence(value: Any, name: str) -> list[Any]:
    """A list of values, not one text.

    Examples
    --------
    >>> sequence(("a", "b"), "operators")
    ['a', 'b']
    """
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple | np.ndarray):
        raise StatisticsError(f"{name} must be a list, not {type(value).__name__}", hint="for example ['A', 'B']")
    return list(value)


def placed(frame: Any) -> np.ndarray:
    """Which rows of a layer have a geometry that is somewhere: not missing, not empty, with finite coordinates.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> placed(gpd.GeoSeries([shapely.Point(1, 2), None, shapely.Point()])).tolist()
    [True, False, False]
    """
    import shapely

    shapes = np.asarray(frame.geometry.array, dtype=object)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    there[there] = np.isfinite(shapely.bounds(shapes[there])).all(axis=1)
    return np.asarray(there)


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """A mapping of names.

    Examples
    --------
    >>> mapping({"a": 1}, "facts")
    {'a': 1}
    """
    if not isinstance(value, Mapping):
        raise StatisticsError(
            f"{name} must be a mapping of names, not {type(value).__name__}", hint="give {name: value}"
        )
    return value


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) or value is None else type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."
