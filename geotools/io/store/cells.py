"""Cells of any column as JSON text and back, without loss: the form in which a store keeps what a record says.

For values of one column; not for whole frames (see `layout`) or for geometry, which is kept as WKB.

A missing cell of a typed column, and None elsewhere, is left out. What JSON has no word for is an object with one key that
begins with "$" (``{"$float": "nan"}``, ``{"$date": "2024-05-01"}``, ``{"$stamp": "2024-05-01T06:00:00Z"}`` …).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.model.errors import GeotoolsError, StoreError

EXACT = 2.0**53
OBJECT = np.dtype(object)
TEXT_IS_OBJECT = pd.Series(["a"]).dtype == OBJECT  # as before pandas 3: a gap in text is NaN or None by chance
_ODD = re.compile("[\ud800-\udfff\x00]")  # halves of surrogate pairs and NUL: no database takes them as text
_quote: Callable[[str], str] = json.encoder.encode_basestring


@contextmanager
def understood(what: str) -> Iterator[None]:
    """A block that makes sense of what a store holds; what makes none was changed by others, or is damaged.

    Raises
    ------
    StoreError
        With what could not be understood.
    """
    try:
        yield
    except GeotoolsError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        shapely.GEOSException,
    ) as error:
        raise StoreError(
            f"{what} in this store makes no sense: another program changed it, or the file is damaged",
            hint="take the last good copy; geotools store verify shows what is still whole",
        ) from error


def text_of(value: Any) -> str:
    """One cell as canonical JSON text.

    Raises
    ------
    TypeError
        If there is no lossless form for such a value.

    Examples
    --------
    >>> text_of("Füzuli"), text_of(float("nan")), text_of(pd.Timestamp("2024-05-01", tz="UTC"))
    ('"Füzuli"', '{"$float":"nan"}', '{"$stamp":"2024-05-01T00:00:00Z"}')
    """
    if type(value) is str and not _ODD.search(value):
        return _quote(value)
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """A value in JSON's own types, tagged where those do not suffice."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64 | np.timedelta64):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return {"$text": str(value).encode("utf-16-be", "surrogatepass").hex()} if _ODD.search(value) else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if value is pd.NA or value is pd.NaT:
        return {"$missing": "NA" if value is pd.NA else "NaT"}
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    raise TypeError(f"a {type(value).__name__} has no lossless form")


def _stamp(value: datetime | np.datetime64) -> dict[str, Any]:
    stamp = pd.Timestamp(value)
    if stamp.tzinfo is None:
        return {"$stamp": _short(stamp.isoformat())}
    zone = zone_name(stamp.tzinfo)
    text = _short(stamp.tz_convert("UTC").tz_localize(None).isoformat()) + "Z"
    return {"$stamp": text} if zone == "UTC" else {"$stamp": text, "zone": zone}


def _datetime(value: datetime) -> dict[str, Any]:
    if isinstance(value, pd.Timestamp):
        return _stamp(value)
    fold = {"fold": 1} if value.fold else {}
    if isinstance(value.tzinfo, ZoneInfo):
        return {"$datetime": value.replace(tzinfo=None).isoformat(), "zone": str(value.tzinfo), **fold}
    return {"$datetime": value.isoformat(), **fold}


def zone_name(zone: Any) -> str:
    """Name or offset of a time zone: ``UTC``, ``Asia/Baku``, ``UTC+04:00``."""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    return "UTC" if name in ("UTC", "utc", "Etc/UTC") else str(name)


def _short(text: str) -> str:
    """Seconds without trailing zeros of their fraction, so that the unit of a column does not matter."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _pairs(value: dict[Any, Any]) -> Any:
    if all(isinstance(k, str) and not k.startswith("$") and not _ODD.search(k) for k in value):
        return {k: _plain(v) for k, v in value.items()}
    return {"$pairs": [[_plain(k), _plain(v)] for k, v in value.items()]}


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (datetime, _datetime),
    (np.datetime64, _stamp),
    (date, lambda v: {"$date": v.isoformat()}),
    (time, lambda v: {"$clock": v.isoformat(), **({"fold": 1} if v.fold else {})}),
    ((pd.Timedelta, np.timedelta64), lambda v: {"$span": int(pd.Timedelta(v).as_unit("ns").value)}),
    (timedelta, lambda v: {"$delta": [v.days, v.seconds, v.microseconds]}),
    (Decimal, lambda v: {"$decimal": str(v)}),
    (UUID, lambda v: {"$uuid": str(v)}),
    (bytes, lambda v: {"$bytes": base64.b64encode(v).decode("ascii")}),
    (BaseGeometry, lambda v: {"$wkb": to_wkb(np.array([v], dtype=object))[0].hex()}),
    (list, lambda v: [_plain(item) for item in v]),
    (tuple, lambda v: {"$tuple": [_plain(item) for item in v]}),
    ((set, frozenset), lambda v: {"$set": sorted((_plain(item) for item in v), key=repr)}),
    (np.ndarray, lambda v: {"$array": [_plain(item) for item in v.tolist()], "dtype": str(v.dtype)}),
    (dict, _pairs),
)


def _read_datetime(v: dict[str, Any]) -> datetime:
    moment = datetime.fromisoformat(v["$datetime"]).replace(fold=v.get("fold", 0))
    return moment.replace(tzinfo=ZoneInfo(v["zone"])) if "zone" in v else moment


def _read_stamp(v: dict[str, Any]) -> pd.Timestamp:
    stamp = pd.Timestamp(v["$stamp"])
    return stamp if stamp.tzinfo is None else stamp.tz_convert(v.get("zone", "UTC"))


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "$text": lambda v: bytes.fromhex(v["$text"]).decode("utf-16-be", "surrogatepass"),
    "$float": lambda v: float(v["$float"]),
    "$missing": lambda v: pd.NA if v["$missing"] == "NA" else pd.NaT,
    "$stamp": _read_stamp,
    "$datetime": _read_datetime,
    "$date": lambda v: date.fromisoformat(v["$date"]),
    "$clock": lambda v: time.fromisoformat(v["$clock"]).replace(fold=v.get("fold", 0)),
    "$span": lambda v: pd.Timedelta(v["$span"], unit="ns"),
    "$delta": lambda v: timedelta(*v["$delta"]),
    "$decimal": lambda v: Decimal(v["$decimal"]),
    "$uuid": lambda v: UUID(v["$uuid"]),
    "$bytes": lambda v: base64.b64decode(v["$bytes"]),
    "$wkb": lambda v: shapely.from_wkb(bytes.fromhex(v["$wkb"])),
    "$tuple": lambda v: tuple(value_of(item) for item in v["$tuple"]),
    "$set": lambda v: {value_of(item) for item in v["$set"]},
    "$array": lambda v: np.array([value_of(item) for item in v["$array"]], dtype=v["dtype"]),
    "$pairs": lambda v: {value_of(key): value_of(item) for key, item in v["$pairs"]},
}


def value_of(plain: Any) -> Any:
    """The value that a parsed JSON cell stands for.

    Examples
    --------
    >>> value_of({"$date": "2024-05-01"}), value_of(["a", 1])
    (datetime.date(2024, 5, 1), ['a', 1])
    """
    if isinstance(plain, list):
        return [value_of(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    tag = next((key for key in plain if key.startswith("$")), None)
    return {k: value_of(v) for k, v in plain.items()} if tag is None else _READERS[tag](plain)


def column_texts(column: pd.Series) -> list[str | None]:
    """Each cell of a column as canonical JSON text; None where it is missing and left out.

    Raises
    ------
    TypeError
        If a value has no lossless form; the message names its position.
    """
    dtype = OBJECT if column.dtype.kind == "O" and isinstance(column.dtype, np.dtype) else column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return column_texts(column.astype(dtype.categories.dtype if column.notna().all() else object))
    missing = column.isna().to_numpy()
    if pd.api.types.is_bool_dtype(dtype):
        return [None if m else "true" if v else "false" for v, m in zip(column.array, missing, strict=True)]
    if pd.api.types.is_float_dtype(dtype):
        numbers = column.to_numpy(dtype="float64", na_value=np.nan).tolist()
        return [None if m else _number(v) for v, m in zip(numbers, missing, strict=True)]
    if pd.api.types.is_integer_dtype(dtype):
        return [None if m else str(int(v)) for v, m in zip(column.array, missing, strict=True)]
    if isinstance(dtype, np.dtype | pd.DatetimeTZDtype) and dtype.kind == "M":
        return _stamp_texts(column, missing)
    values = column.array if dtype is OBJECT else column.astype(object).array
    exact = dtype is OBJECT and not (TEXT_IS_OBJECT and all(isinstance(v, str) for v in column.array[~missing]))
    out: list[str | None] = []
    for place, (value, gap) in enumerate(zip(values, missing, strict=True)):
        try:
            out.append(None if value is None or (gap and not exact) else text_of(value))
        except (TypeError, ValueError) as error:
            raise TypeError(f"row {place + 1}: {error}") from error
    return out


def _number(value: float) -> str:
    if not math.isfinite(value):
        return text_of(value)
    whole = value.is_integer() and abs(value) < EXACT and not (value == 0 and math.copysign(1, value) < 0)
    return str(int(value)) if whole else float.__repr__(value)


def _stamp_texts(column: pd.Series, missing: np.ndarray) -> list[str | None]:
    zone = getattr(column.dtype, "tz", None)
    flat = column if zone is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    texts = np.datetime_as_string(flat.to_numpy()).tolist()
    name = None if zone is None else zone_name(zone)
    tail = '"}' if name is None else 'Z"}' if name == "UTC" else f'Z","zone":{_quote(name)}}}'
    return [None if m else f'{{"$stamp":"{_short(t)}{tail}' for t, m in zip(texts, missing, strict=True)]


def to_wkb(shapes: np.ndarray) -> np.ndarray:
    """Geometry as little-endian ISO WKB with every dimension it has; None stays None."""
    return shapely.to_wkb(shapes, output_dimension=4, byte_order=1, flavor="iso")


def column_of(plain: Sequence[Any], dtype: str, missing: Any = None) -> Any:
    """A column of the given type from parsed cells, `missing` standing for those left out.

    Values that do not fit the type make it an object column: nothing is forced.
    """
    gaps = np.fromiter((cell is missing for cell in plain), dtype=bool, count=len(plain))
    try:
        made = _typed(plain, dtype, gaps)
    except (TypeError, ValueError, KeyError, OverflowError):
        made = None
    if made is not None:
        return made
    out = np.empty(len(plain), dtype=object)
    for place, cell in enumerate(plain):
        out[place] = None if gaps[place] else value_of(cell)
    return pd.Series(out, dtype=object)


def _typed(plain: Sequence[Any], dtype: str, gaps: np.ndarray) -> pd.Series | None:
    if dtype == "object":
        return None
    if dtype in ("str", "string") or dtype.startswith("string["):
        if not all(g or isinstance(v, str | dict) for v, g in zip(plain, gaps, strict=True)):
            return None
        texts = [None if g else value_of(v) for v, g in zip(plain, gaps, strict=True)]
        if dtype == "str" and not _has_str_dtype():
            return pd.Series(texts, dtype=object)
        return pd.Series(texts, dtype=dtype)
    if dtype.lower().startswith("float"):
        return pd.Series([None if g else _as_number(v) for v, g in zip(plain, gaps, strict=True)], dtype=dtype)
    if dtype.lower().startswith(("int", "uint")):
        if not all(g or type(v) is int for v, g in zip(plain, gaps, strict=True)):
            return None
        kind = dtype.replace("uint", "UInt").replace("int", "Int") if gaps.any() else dtype
        return pd.Series([None if g else v for v, g in zip(plain, gaps, strict=True)], dtype=kind)
    if dtype in ("bool", "boolean"):
        if not all(g or type(v) is bool for v, g in zip(plain, gaps, strict=True)):
            return None
        return pd.Series(
            [None if g else v for v, g in zip(plain, gaps, strict=True)], dtype="boolean" if gaps.any() else dtype
        )
    if dtype.startswith("datetime64"):
        return _stamps(plain, dtype, gaps)
    made = pd.Series([None if g else value_of(v) for v, g in zip(plain, gaps, strict=True)], dtype=object)
    return made.astype(pd.api.types.pandas_dtype(dtype))  # type: ignore[call-overload]


def _as_number(value: Any) -> float:
    number = value_of(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError("not a number")
    if isinstance(number, int) and abs(number) >= EXACT:
        raise TypeError(
            "a whole number that no float holds exactly"
        )  # a float of that size is written with an exponent
    return float(number)


def _has_str_dtype() -> bool:
    return int(pd.__version__.split(".", maxsplit=1)[0]) >= 3


def _stamps(plain: Sequence[Any], dtype: str, gaps: np.ndarray) -> pd.Series | None:
    unit, _, zone = dtype.removeprefix("datetime64[").removesuffix("]").partition(", ")
    texts = ["NaT" if g else v["$stamp"] for v, g in zip(plain, gaps, strict=True)]
    zones = {
        v.get("zone", "UTC") if v["$stamp"].endswith("Z") else "" for v, g in zip(plain, gaps, strict=True) if not g
    }
    if zones - {zone}:
        return None
    stamps = np.array(
        [t.removesuffix("Z") for t in texts], dtype="datetime64[ns]" if unit == "ns" else f"datetime64[{unit}]"
    )
    series = pd.Series(stamps)
    return series.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else series


def utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
