"""Widths and depths of fixes in any unit of length, by the name of their column or a unit behind the number.

For columns such as ``width_cm`` or ``Width (ft)``; what `io` knows already arrives as ``width_m`` and ``depth_cm``.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd

from geotools.model.units import METRES

_NAME = r"(?:swath|working|implement|tool)?[\s_]*{what}[\s_]*[\(\[]?\s*({units})\s*[\)\]]?"
_TEXT = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*([^\d\s.,+-]*)\s*")


def unit_of(column: object, what: str) -> str | None:
    """The unit that the name of a column states for a width or depth, or None.

    Examples
    --------
    >>> unit_of("Width (ft)", "width"), unit_of("working_width_cm", "width"), unit_of("width", "width")
    ('ft', 'cm', None)
    """
    return _unit_of(str(column), what)


@lru_cache(maxsize=1024)
def _unit_of(column: str, what: str) -> str | None:
    units = "|".join(sorted(map(re.escape, METRES), key=len, reverse=True))
    found = re.fullmatch(_NAME.format(what=what, units=units), column.strip().casefold())
    return found.group(1) if found else None


def measured(values: pd.Series, unit: str) -> np.ndarray:
    """A column as lengths in `unit`: numbers as they are, texts in the unit they state; NaN for what is no length.

    Examples
    --------
    >>> measured(pd.Series(["5 ft", "150 cm", "1,5", "wide", None]), "m").tolist()
    [1.524, 1.5, 1.5, nan, nan]
    """
    if pd.api.types.is_complex_dtype(values.dtype):
        return np.full(len(values), np.nan)
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        out = values.to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(out), out, np.nan)
    texts = values.astype(object).where(values.notna(), "").map(str)
    known = {text: length(text, unit) for text in texts.unique()}
    return np.array([known[text] for text in texts], dtype=float)


def length(text: str, unit: str = "m") -> float:
    """A length in `unit` from a number, in the unit behind it if there is one; NaN if it is no length.

    Examples
    --------
    >>> length("170 cm"), length("1.7"), length("5.5 ft"), length("wide"), length("1e9 km")
    (1.7, 1.7, 1.6764, nan, nan)
    """
    found = _TEXT.fullmatch(text)
    stated = METRES.get(found.group(2).casefold() or unit) if found else None
    if not (found and stated):
        return float("nan")
    return round(float(found.group(1).replace(",", ".")) * stated / METRES[unit], 9)


def filled(rows: pd.DataFrame, what: str, given: np.ndarray, unit: str) -> np.ndarray:
    """Lengths in `unit`, and where there are none what a column named with another unit says."""
    for column in rows.columns if np.isnan(given).any() else ():
        stated = unit_of(column, what)
        if stated is not None:
            found = np.round(measured(rows[column], stated) * (METRES[stated] / METRES[unit]), 9)
            given = np.where(np.isnan(given), found, given)
    return given
