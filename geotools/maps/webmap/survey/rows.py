"""Class rows of layers: the words of the trade with their symbols, and which class a record has.

For legends of any layer; what a layer shows is in the files beside this one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.maps.symbols import Symbol, Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import ClassRow
from geotools.model.vocab import vocabulary

AREA_TYPES, LINE_TYPES, POINT_TYPES = (
    ("Polygon", "MultiPolygon"),
    ("LineString", "MultiLineString"),
    ("Point", "MultiPoint"),
)


def has(frame: gpd.GeoDataFrame, types: tuple[str, ...]) -> np.ndarray:
    """Rows with geometry of these types."""
    return frame.geometry.geom_type.isin(types).to_numpy(dtype=bool)


def class_rows(vocab: str, group: str, theme: Theme, *, unknown: str = "unknown") -> tuple[ClassRow, ...]:
    """A row per word of a vocabulary, and one for what is not stated."""
    rows = [ClassRow(w.key, words.word(vocab, w.key), theme.symbol(group, w.key)) for w in vocabulary(vocab)]
    if unknown not in {r.key for r in rows}:
        rows.append(ClassRow(unknown, words.label("class", "unknown"), theme.symbol(group, unknown)))
    return tuple(rows)


def keys(frame: gpd.GeoDataFrame, column: str, allowed: tuple[ClassRow, ...], default: str = "unknown") -> list[str]:
    """Class key of each record from a column of words."""
    known = {row.key for row in allowed}
    values = frame[column] if column in frame else pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return [v if isinstance(v, str) and v in known else default for v in values]


def class_label(code: str) -> words.Label:
    """Name of a classification, with its code where it has one."""
    return words.label("class", code) if words.known("class", code) else words.word("classification", code)


def ground_rows(theme: Theme) -> tuple[ClassRow, ...]:
    """Hazardous ground by its classification."""
    codes = (*(w.key for w in vocabulary("classification")), "unknown")
    long = [words.label("class", "unknown") if c == "unknown" else words.word("classification", c) for c in codes]
    return tuple(ClassRow(c, class_label(c), theme.hazard(c), text) for c, text in zip(codes, long, strict=True))


def hazard_rows(theme: Theme, *, outline: bool) -> tuple[ClassRow, ...]:
    """Hazards as recorded, by classification and status; with `outline` hardly filled, as their ground is drawn by a coverage.

    A status that ends a hazard holds from its own day: on days before, the page draws the row that `then` names.
    """
    rows = []
    for code in (*(w.key for w in vocabulary("classification")), "unknown"):
        full = words.label("class", "unknown") if code == "unknown" else words.word("classification", code)
        for status in (*(w.key for w in vocabulary("hazard_status")), "unknown"):
            symbol = theme.hazard(code, status)
            if outline and not theme.ended(status):
                symbol = _outlined(symbol)
            state = words.label("class", "unknown") if status == "unknown" else words.word("hazard_status", status)
            short = words.join(code if code in words.CODES else class_label(code), state)
            then = f"{code}|then" if theme.ended(status) else ""
            rows.append(ClassRow(f"{code}|{status}", short, symbol, words.join(full, state), then=then))
        short = words.join(code if code in words.CODES else class_label(code), words.label("class", "then"))
        symbol = _outlined(theme.hazard(code, "unknown")) if outline else theme.hazard(code, "unknown")
        rows.append(ClassRow(f"{code}|then", short, symbol, words.join(full, words.label("class", "then"))))
    return tuple(rows)


def _outlined(symbol: Symbol) -> Symbol:
    return replace(symbol, fill_alpha=0.03, hatch="none", order=symbol.order + 22)


def hazard_keys(frame: gpd.GeoDataFrame, *, theme: Theme, day: Any = None) -> list[str]:
    """Class key of each hazard: classification and status.

    Parameters
    ----------
    day
        As-of day of the map: a status that ends a hazard counts only if it is known to have held by then.
    """
    classes, states = set(vocabulary("classification").keys), set(vocabulary("hazard_status").keys)
    nothing: Any = pd.Series([None] * len(frame), index=frame.index)
    code, state = (frame.get(c, nothing) for c in ("classification", "status"))
    held = np.ones(len(frame), dtype=bool)
    if day is not None:
        changed = pd.to_datetime(frame.get("status_changed_date", nothing), errors="coerce")
        held = (changed <= pd.Timestamp(day)).to_numpy(dtype=bool)
    status = [s if s in states else "unknown" for s in state]
    status = ["then" if theme.ended(s) and not h else s for s, h in zip(status, held, strict=True)]
    return [f"{c if c in classes else 'unknown'}|{s}" for c, s in zip(code, status, strict=True)]
