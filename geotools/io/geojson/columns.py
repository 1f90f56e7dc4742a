"""Columns of a table from the objects of JSON, in types that keep every value. Not for geometry (see `shapes`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

EXACT = 2**53  # whole numbers above are not all numbers of a float


def table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """One column for each name in any of the rows; missing is None.

    Examples
    --------
    >>> table([{"id": 9007199254740993}, {"id": 12345678901234567890}])["id"].tolist()
    ['9007199254740993', '12345678901234567890']
    """
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        column = [row.get(name) for row in rows]
        columns["geometry_property" if name == "geometry" else name] = typed(column)
    return pd.DataFrame(columns, index=range(len(rows)))


def typed(values: list[Any]) -> pd.Series:
    """A column in the narrowest type that holds its values; whole numbers that no type holds exactly are text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if None in values else bool)
    if kinds == {int} and all(v is None or abs(v) < 2**63 for v in values):
        return pd.Series(values, dtype="Int64" if None in values else "int64")
    if kinds and kinds <= {int, float}:
        if any(isinstance(v, int) and abs(v) > EXACT for v in values):
            return pd.Series([None if v is None else _text(v) for v in values], dtype=object)
        return pd.Series(
            [np.nan if v is None else float(v) if abs(v) < 1e300 else np.inf for v in values], dtype="float64"
        )
    return pd.Series(values, dtype=object)


def _text(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # more than 4,300 digits
        return "inf"
