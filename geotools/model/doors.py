"""`checked` and `check_fields`: the annotations of a public function or settings class are held when it is called.

For arguments that are no number, no day, no table; what a number may be and what a table must hold each function says itself.
"""

from __future__ import annotations

import inspect
import numbers
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from geotools.model.errors import GeotoolsError, SchemaError, StatisticsError

P = ParamSpec("P")
R = TypeVar("R")
WHOLE = 2**53  # whole numbers beyond are no counts
REFUSED = object()
NAMES: dict[Any, str] = {
    float: "a finite number", int: "a whole number", str: "text", bool: "True or False", date: "a day (datetime.date)",
    "GeoDataFrame": "a layer (GeoDataFrame)", "GeoSeries": "a GeoSeries", "DataFrame": "a table (DataFrame)",
}  # fmt: skip
TABLES = ("GeoDataFrame", "DataFrame", "GeoSeries", "Series")


@typing.overload
def checked(function: Callable[P, R]) -> Callable[P, R]: ...
@typing.overload
def checked(*, least: Mapping[str, float] = ..., endless: tuple[str, ...] = ...) -> Callable[[Callable[P, R]], Callable[P, R]]: ...  # fmt: skip
def checked(
    function: Callable[P, R] | None = None, *, least: Mapping[str, float] | None = None, endless: tuple[str, ...] = ()
) -> Any:
    """A function that refuses arguments which are not what its annotations say.

    Text of the form YYYY-MM-DD is taken for a day, a moment for its day, and 3.0 for the whole number 3; all else goes in as it is given.

    Parameters
    ----------
    least
        Smallest value of arguments that are numbers; ``seed`` is never below 0.
    endless
        Numbers that may be infinite.

    Raises
    ------
    SchemaError
        If a table or layer is something else.
    StatisticsError
        If another argument is.

    Examples
    --------
    >>> @checked
    ... def half(number: float) -> float:
    ...     return number / 2
    >>> half(3)
    1.5
    >>> half("3")
    Traceback (most recent call last):
    geotools.model.errors.StatisticsError: number must be a finite number, not '3'
    """
    if function is None:
        return lambda given: _checked(given, {"seed": 0, **(least or {})}, endless)
    return _checked(function, {"seed": 0}, ())


def _checked(function: Callable[P, R], least: Mapping[str, float], endless: tuple[str, ...]) -> Callable[P, R]:
    signature = inspect.signature(function)

    @wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)  # a wrong number of arguments stays Python's own error
        for name, value in bound.arguments.items():
            hint = _hints(function).get(name)
            if hint is not None and signature.parameters[name].kind not in (
                inspect.Parameter.VAR_POSITIONAL,
                inspect.Parameter.VAR_KEYWORD,
            ):
                bound.arguments[name] = held(value, name, hint, least=least.get(name), endless=name in endless)
        return function(*bound.args, **bound.kwargs)

    return door


def check_fields(settings: Any, *, endless: tuple[str, ...] = ()) -> None:
    """Refuse fields of a dataclass that are not what their annotations say; for its ``__post_init__``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Tool:
    ...     width_m: float
    ...     def __post_init__(self) -> None:
    ...         check_fields(self)
    >>> Tool(None)
    Traceback (most recent call last):
    geotools.model.errors.StatisticsError: width_m must be a finite number, not None
    """
    for name, hint in _hints(type(settings)).items():
        value = getattr(settings, name)
        kept = held(value, name, hint, endless=name in endless)
        if kept is not value:
            object.__setattr__(settings, name, kept)


def held(value: Any, name: str, hint: Any, *, least: float | None = None, endless: bool = False) -> Any:
    """The value of an argument, if it is what its annotation says.

    Examples
    --------
    >>> held("2024-05-01", "as_of", date)
    datetime.date(2024, 5, 1)
    """
    kept = _fitting(value, hint, endless)
    if kept is REFUSED:
        raise _refusal(value, name, hint)
    number = isinstance(kept, numbers.Real) and not isinstance(kept, bool)
    if least is not None and number and kept < least:
        raise StatisticsError(f"{name} must be at least {least:g}, not {kept:g}", hint="look at the numbers given")
    return kept


def _hints(thing: Any) -> dict[str, Any]:
    return _read(thing)


@lru_cache(maxsize=1024)
def _read(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing)
    except NameError:  # a name that only the type checker knows
        return {}


def _fitting(value: Any, hint: Any, endless: bool) -> Any:
    """The value as its annotation says, or REFUSED."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        tried = (_fitting(value, part, endless) for part in parts)
        return next((kept for kept in tried if kept is not REFUSED), REFUSED)
    if origin is typing.Literal:
        return value if value in parts else REFUSED
    if hint is None or hint is type(None):
        return None if value is None else REFUSED
    if hint in PLAIN:
        return PLAIN[hint](value, endless)
    if origin is not None:
        return _container(value, origin, parts, endless)
    if hint is np.ndarray:
        return REFUSED if value is None or isinstance(value, str | int | float) else value
    if not isinstance(hint, type) or getattr(hint, "_is_protocol", False):
        return value if value is not None or not getattr(hint, "_is_protocol", False) else REFUSED
    bare = hint.__name__ == "GeoDataFrame" and getattr(value, "active_geometry_name", None) is None
    return value if isinstance(value, hint) and not bare else REFUSED


def _container(value: Any, origin: Any, parts: tuple[Any, ...], endless: bool) -> Any:
    if origin is np.ndarray:
        return _fitting(value, np.ndarray, endless)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return value if isinstance(value, Mapping) else REFUSED
    if origin is Callable:
        return value if callable(value) else REFUSED
    if value is None or isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        return REFUSED
    if not isinstance(value, list | tuple):
        return value
    wanted = parts[:1] * len(value) if origin is not tuple or parts[-1:] == (...,) else parts
    if len(wanted) != len(value):
        return REFUSED
    fits = all(_fitting(one, part, endless) is not REFUSED for one, part in zip(value, wanted, strict=True))
    return value if fits else REFUSED


def _real(value: Any, endless: bool) -> Any:
    good = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    return value if good and (np.isfinite(float(value)) or (endless and not np.isnan(float(value)))) else REFUSED


def _whole(value: Any, _endless: bool) -> Any:
    good = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if not good or not abs(float(value)) <= WHOLE or value != int(value):
        return REFUSED
    return value if isinstance(value, int | np.integer) else int(value)


def _day(value: Any, _endless: bool) -> Any:
    if isinstance(value, datetime):
        return REFUSED if value is pd.NaT else value.date()
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return REFUSED
    return value if isinstance(value, date) else REFUSED


PLAIN: dict[Any, Callable[[Any, bool], Any]] = {
    Any: lambda value, _: value,
    object: lambda value, _: value,
    float: _real,
    int: _whole,
    bool: lambda value, _: value if isinstance(value, bool | np.bool_) else REFUSED,
    str: lambda value, _: value if isinstance(value, str) else REFUSED,
    date: _day,
}


def _refusal(value: Any, name: str, hint: Any) -> GeotoolsError:
    choices = [one for one in (typing.get_args(hint) or (hint,)) if one is not type(None)]
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        choices = [hint]
    wanted = " or ".join(dict.fromkeys(_named(one) for one in choices))
    text = repr(value) if isinstance(value, str | int | float | date) or value is None else f"a {type(value).__name__}"
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    table = any(getattr(one, "__name__", "") in TABLES for one in choices)
    how = (
        "read it with geotools.read, or make a GeoDataFrame with a crs"
        if table
        else "help() of the function shows an example"
    )
    kind = SchemaError if table else StatisticsError
    return kind(f"{name} must be {wanted}, not {text[:60]}", hint=how)


def _named(hint: Any) -> str:
    plain = NAMES.get(hint) if isinstance(hint, type) else None
    short = getattr(hint, "__name__", str(hint))
    origin = typing.get_origin(hint)
    if origin is tuple and ... not in typing.get_args(hint):
        return f"{len(typing.get_args(hint))} values"
    if origin is not None:
        return "a mapping of names" if isinstance(origin, type) and issubclass(origin, Mapping) else "a list"
    return plain or NAMES.get(short) or f"a {short}"
