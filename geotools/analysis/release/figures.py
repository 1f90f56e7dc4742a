"""Areas and shares as people read them: in sentences, in columns and in a table for a spreadsheet.

For words and files of the ledger; machines get full numbers from `Coverage.to_dict`.
"""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pandas as pd

from geotools.io.tables import guard


def square_metres(value: float) -> str:
    """m² for people: whole, with one decimal below 10.

    Examples
    --------
    >>> square_metres(1234.56), square_metres(0.42), square_metres(0.0)
    ('1,235', '0.4', '0')
    """
    return f"{value:,.1f}" if 0.05 <= abs(value) < 9.95 else f"{value + 0.0:,.0f}"


def hectares(value: float) -> str:
    """Area for people: m² below one hectare, else hectares.

    Examples
    --------
    >>> hectares(812.4), hectares(1_234_567)
    ('812 m²', '123.46 ha')
    """
    return f"{square_metres(value)} m²" if abs(value) < 10_000 else f"{value / 10_000:,.2f} ha"


def percent(share: float) -> str:
    """A fraction for people; never rounded up to 100 %.

    Examples
    --------
    >>> percent(0.99999), percent(1.0), percent(float("nan"))
    ('99.9 %', '100.0 %', 'no area')
    """
    if math.isnan(share):
        return "no area"
    return f"{math.floor(share * 1000 + 1e-9) / 10:.1f} %"


def spreadsheet(table: pd.DataFrame) -> str:
    """A table as CSV text that a spreadsheet opens right: areas with two decimals, days as YYYY-MM-DD, marked as UTF-8.

    Shares have four decimals and are never rounded up; text that would run as a formula is guarded.

    Examples
    --------
    >>> spreadsheet(pd.DataFrame({"id": ["Füzuli"], "area_m2": [1e7 / 3], "coverage": [0.99999]}))
    '\\ufeffid,area_m2,coverage\\nFüzuli,3333333.33,0.9999\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guard(str(name)) for name in table.columns])
    columns = [[_cell(str(name), value) for value in table[name].tolist()] for name in table.columns]
    writer.writerows(zip(*columns, strict=True))
    return "\ufeff" + out.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            return ""
        if name == "coverage":
            return f"{math.floor(value * 1e4 + 1e-9) / 1e4:.4f}"
        return f"{round(float(value), 2) + 0.0:.2f}" if name.endswith("_m2") else f"{value:.10g}"
    return guard(value.replace("\r", " ").replace("\n", " ")) if isinstance(value, str) else str(value)
