"""Column names as text, each once: what a careless frame needs before anything can be asked of it by name.

For frames handed over in Python; not for recognising columns (see `conform`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import geopandas as gpd
import pandas as pd

_HALF = re.compile("[\ud800-\udfff]")


def whole_text(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, which no file can hold.

    Examples
    --------
    >>> whole_text("A" + chr(0xD800)) == "A" + chr(0xFFFD)
    True
    """
    return _HALF.sub("\ufffd", text)


def single_names(columns: Iterable[object]) -> list[str]:
    """Names as text; a name that was used before gets a number.

    Examples
    --------
    >>> single_names(["id", 7, "id", "id.2"])
    ['id', '7', 'id.3', 'id.2']
    """
    given = [whole_text(str(name)) for name in columns]
    used, out = set(given), []
    seen: set[str] = set()
    for name in given:
        number, new = 1, name
        while new in seen or (number > 1 and new in used):
            number += 1
            new = f"{name}.{number}"
        seen.add(new)
        out.append(new)
    return out


def with_single_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame itself, or one with `single_names` if it needs them; values, CRS and active geometry are kept.

    Examples
    --------
    >>> list(with_single_names(pd.DataFrame([[1, 2]], columns=["x", "x"])).columns)
    ['x', 'x.2']
    """
    names = single_names(frame.columns)
    if names == list(frame.columns):
        return frame
    flat = pd.DataFrame(frame).set_axis(names, axis=1)
    active = str(frame._geometry_column_name) if isinstance(frame, gpd.GeoDataFrame) else ""
    given = [str(name) for name in frame.columns]
    return gpd.GeoDataFrame(flat, geometry=names[given.index(active)]) if active in given else flat
