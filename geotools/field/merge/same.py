"""Whether two cells or two geometries say the same, whatever an app did to their type. Not for deciding who is right."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

SAME_M = 0.01  # vertices closer than this are the same vertex, heights too
ROUNDED = 6e-15  # what a file that writes fifteen digits does to a number; nobody sees it
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")  # '1,000' may be one or a thousand: only the same text is the same
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
    """Whether two cells of a column say the same: whole numbers and text exactly, others but for the last digits of a file.

    Examples
    --------
    >>> same("10", 10.0, "depth_cm"), same(pd.Timestamp("2024-03-05"), "2024-03-05", "date"), same(True, "true", "x")
    (True, True, True)
    >>> same("01", "1", "id"), same(None, "", "note")
    (False, False)
    >>> same(5000000001, 5000000002, "serial"), same(0.1 + 0.2, 0.3, "depth_m"), same("5000000001", 5000000002.0, "serial")
    (False, True, False)
    """
    if column == "geometry":
        return same_place(a, b)
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, int | float) and isinstance(b, int | float):
        return _equal(a, b)
    if type(a) is type(b):
        return bool(a == b)
    return str(a).strip() == str(b).strip() or _across(a, b)


def _equal(a: float, b: float) -> bool:
    """Whole numbers exactly, also where one is kept as a float; others to what fifteen digits keep."""
    if a == b:
        return True
    if isinstance(a, int) or isinstance(b, int) or (a.is_integer() and b.is_integer()):
        return False
    return math.isclose(a, b, rel_tol=ROUNDED, abs_tol=1e-15)


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
            return _is_number(text, a)
        if isinstance(a, date | datetime):
            there, here = pd.Timestamp(text), pd.Timestamp(a)
            return bool(there.tz_localize(here.tzinfo) == here if there.tzinfo is None else there == here)
    except (ValueError, TypeError):
        return False
    return False


def _is_number(text: str, number: float) -> bool:
    """Whether a text is that number, to the last digit of a whole one."""
    if not _NUMBER.fullmatch(text) or _THOUSANDS.fullmatch(text):
        return False
    said = Decimal(text.replace(",", "."))
    if said == Decimal(number):
        return True
    whole = said == said.to_integral_value() and float(number).is_integer()
    return not whole and _equal(float(said), float(number))


def same_place(a: Any, b: Any, tolerance: float | None = None) -> bool:
    """Whether two geometries have the same vertices within `tolerance` (CRS units; default 1 cm or its like in degrees).

    Start point and direction of rings do not matter, nor does the order of parts; a single part in a collection is that part.
    Heights are compared where either has them, to 1 cm; a vertex without one counts as 0, which is what apps write for it.

    Examples
    --------
    >>> same_place(shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(0, 0, 1, 1).reverse()]))
    True
    >>> same_place(shapely.Point(1, 2, 1), shapely.Point(1, 2, 9)), same_place(shapely.Point(1, 2, 0), shapely.Point(1, 2))
    (False, True)
    """
    if a is None or b is None or a.is_empty or b.is_empty:
        return (a is None or a.is_empty) and (b is None or b.is_empty)
    limit = _limit(a, b, tolerance)
    return _same_plan(a, b, limit) and _same_heights(a, b, limit)


def flat(shape: Any) -> bool:
    """Whether a geometry tells no height: it has none, or only what apps write for none.

    Examples
    --------
    >>> flat(shapely.Point(1, 2)), flat(shapely.Point(1, 2, 0)), flat(shapely.Point(1, 2, 9))
    (True, True, False)
    """
    return not isinstance(shape, BaseGeometry) or not bool(np.any(_vertices(shape)[:, 2]))


def _limit(a: BaseGeometry, b: BaseGeometry, tolerance: float | None) -> float:
    if tolerance is not None:
        return tolerance
    small = max(abs(v) for v in (*a.bounds, *b.bounds)) <= 360
    return SAME_M / 111_320 if small else SAME_M


def _vertices(shape: BaseGeometry) -> np.ndarray:
    """x, y and height of every vertex; a height that is not there is 0."""
    return np.nan_to_num(shapely.get_coordinates(shape, include_z=True), nan=0.0)


def _same_heights(a: BaseGeometry, b: BaseGeometry, limit: float) -> bool:
    """Whether geometries of the same plan have the same heights, vertex by vertex in whatever order."""
    if not (a.has_z or b.has_z):
        return True
    one, two = _vertices(a), _vertices(b)
    if len(one) == len(two) and bool(np.all(np.abs(one - two) <= (limit, limit, SAME_M))):
        return True
    origin = one.min(axis=0)
    scale = np.array([max(limit, 1e-300), max(limit, 1e-300), SAME_M])
    one, two = (one - origin) / scale, (two - origin) / scale
    return all(bool(np.all(cKDTree(p).query(q, p=np.inf)[0] <= 1 + 1e-6)) for p, q in ((one, two), (two, one)))


def _same_plan(a: BaseGeometry, b: BaseGeometry, limit: float) -> bool:
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
