"""Whether two cells or two geometries say the same, whatever an app did to their type. Not for deciding who is right."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

SAME_M = 0.01  # vertices closer than this are the same vertex
_TRUTH = {"true": True, "false": False}


def plain(value: Any) -> Any:
    """A cell in one comparable form: missing is None, numpy scalars are Python's."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return None
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value


def same(a: Any, b: Any, column: str) -> bool:
    """Whether two cells of a column say the same.

    Examples
    --------
    >>> same("10", 10.0, "depth_cm"), same(pd.Timestamp("2024-03-05"), "2024-03-05", "date"), same(True, "true", "x")
    (True, True, True)
    >>> same("01", "1", "id"), same(None, "", "note")
    (False, False)
    """
    if column == "geometry":
        return same_place(a, b)
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, int | float) and isinstance(b, int | float):
        return bool(np.isclose(a, b, rtol=1e-9, atol=1e-9))
    if type(a) is type(b):
        return bool(a == b)
    return str(a).strip() == str(b).strip() or _across(a, b)


def _across(a: Any, b: Any) -> bool:
    """Cells of different types, one of them text: what the text would be as the other type."""
    if isinstance(a, str):
        a, b = b, a
    if not isinstance(b, str):
        return isinstance(a, date | datetime) and isinstance(b, date | datetime) and pd.Timestamp(a) == pd.Timestamp(b)
    text = b.strip()
    if isinstance(a, bool):
        return _TRUTH.get(text.casefold()) is a or text == str(int(a))
    try:
        if isinstance(a, int | float):
            return bool(np.isclose(float(text.replace(",", ".")), a, rtol=1e-9, atol=1e-9))
        if isinstance(a, date | datetime):
            there, here = pd.Timestamp(text), pd.Timestamp(a)
            return bool(there.tz_localize(here.tzinfo) == here if there.tzinfo is None else there == here)
    except (ValueError, TypeError):
        return False
    return False


def same_place(a: Any, b: Any, tolerance: float | None = None) -> bool:
    """Whether two geometries have the same vertices within `tolerance` (CRS units; default 1 cm or its like in degrees).

    Start point and direction of rings do not matter, nor does the order of parts; a single part in a collection is that part.

    Examples
    --------
    >>> same_place(shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(0, 0, 1, 1).reverse()]))
    True
    """
    if a is None or b is None or a.is_empty or b.is_empty:
        return (a is None or a.is_empty) and (b is None or b.is_empty)
    small = max(abs(v) for v in (*a.bounds, *b.bounds)) <= 360
    limit = tolerance if tolerance is not None else SAME_M / 111_320 if small else SAME_M
    if shapely.equals_exact(a, b, limit):
        return True
    one, two = (shapely.normalize(_single(shapely.force_2d(g))) for g in (a, b))
    if shapely.equals_exact(one, two, limit):
        return True
    if one.geom_type != two.geom_type or shapely.get_num_coordinates(one) != shapely.get_num_coordinates(two):
        return False
    # Vertices that moved by less than the limit may be sorted otherwise by `normalize`.
    mine, other = (shapely.MultiPoint(shapely.get_coordinates(g)) for g in (one, two))
    if shapely.hausdorff_distance(mine, other) > limit:
        return False
    if shapely.get_dimensions(one) < 2:
        return one.geom_type.endswith("Point")
    if not (one.is_valid and two.is_valid):
        return False
    return bool(shapely.symmetric_difference(one, two).area <= limit * max(one.length, limit))


def _single(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape


def shown(value: Any) -> str:
    """A cell as people read it."""
    if isinstance(value, BaseGeometry):
        return shapely.to_wkt(value, rounding_precision=7)
    if isinstance(value, dict):
        return ", ".join(f"{k}={shown(v)}" for k, v in value.items() if k != "geometry" and v is not None)
    return "" if value is None else str(value)
