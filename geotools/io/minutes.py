"""Degrees and minutes in one number, and hemispheres in columns of their own, as receivers write them into tables.

For pairs of latitude and longitude columns; not for other notations (see `space.notation`) or for NMEA sentences (see `nmea`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from geotools.io.raw import Finding
from geotools.model.schema.answers import folded
from geotools.model.vocab import fold

_NORTH_SOUTH = (
    "n s|ns|n s indicator|north south|lat ns|latns|lat hemisphere|latitude hemisphere|lat hemi|lat dir|lat direction|latitude direction|"
    "lat ref|latitude ref|gps latitude ref|hemisphere ns|ns hemisphere|ns indicator|lat side"
)
_EAST_WEST = (
    "e w|ew|e w indicator|east west|lon ew|lonew|lon hemisphere|longitude hemisphere|lon hemi|lon dir|lon direction|longitude direction|"
    "lon ref|longitude ref|gps longitude ref|hemisphere ew|ew hemisphere|ew indicator|lon side"
)
_SIDES = {"lat": frozenset(_NORTH_SOUTH.split("|")), "lon": frozenset(_EAST_WEST.split("|"))}
_LETTERS = {
    "lat": {"n": 1.0, "north": 1.0, "s": -1.0, "south": -1.0},
    "lon": {"e": 1.0, "east": 1.0, "w": -1.0, "west": -1.0},
}
_JOINED = re.compile(r"^\s*([NSEW])?\s*(\d{3,5}\.\d+)\s*([NSEW])?\s*$", re.IGNORECASE)
Numbers = Callable[[pd.Series], np.ndarray]


def degrees(
    table: pd.DataFrame, pair: tuple[str, str], numbers: Numbers, findings: list[Finding]
) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of two columns as signed degrees; NaN where a cell is no plain number.

    Numbers beyond what degrees can be are degrees and minutes (4012.3456 is 40° 12.3456′) if a hemisphere is stated beside all of
    them, or a letter stands in each cell, and no minutes reach 60; otherwise they stay as they are and are judged elsewhere.
    Both columns are written in one way: beside 3512.3 N, 00130.5 E is 1° 30.5′ and not a longitude of 130.5°.
    """
    read = []
    for name, axis in ((pair[0], "lon"), (pair[1], "lat")):
        read.append(_joined(table[name], axis) or (numbers(table[name]), _sides(table, axis)))
    packed = _are_packed(read)
    out = []
    for name, (values, sign) in zip(pair, read, strict=True):
        if sign is not None:
            if packed:
                values = np.floor(values / 100) + values % 100 / 60
                said = f"'{name}' holds degrees and minutes in one number: they were turned into degrees"
                findings.append(Finding("RD-08", "info", said, column=name))
            turned = np.where(values > 0, values * sign, values)
            if (turned < values).any():
                said = f"the hemisphere of '{name}' is stated in letters: S and W were taken as negative"
                findings.append(Finding("RD-08", "info", said, column=name))
            values = turned
        out.append(values)
    return out[0], out[1]


def _are_packed(read: list[tuple[np.ndarray, np.ndarray | None]]) -> bool:
    """Whether longitude and latitude are both degrees and minutes: one is beyond what degrees can be, and none is against it."""
    beyond = False
    for (values, sign), full in zip(read, (180.0, 90.0), strict=True):
        stated = values[~np.isnan(values)]
        if sign is None or not _packed(stated, full):
            return False
        beyond |= bool((stated > full).any())
    return beyond


def _packed(values: np.ndarray, full: float) -> bool:
    """Whether numbers can be degrees and minutes: none negative, minutes below 60, degrees within range."""
    return bool((values >= 0).all() and (values % 100 < 60).all() and (np.floor(values / 100) <= full).all())


def _sides(table: pd.DataFrame, axis: str) -> np.ndarray | None:
    """1 or −1 by a column of letters, infinite where the letter is missing among others that turn the sign; None without such a column."""
    column = next((name for name in table.columns if fold(name) in _SIDES[axis]), None)
    if column is None:
        return None
    letters = [folded(value) for value in table[column]]
    known = _LETTERS[axis]
    if not any(letters) or not {letter for letter in letters if letter} <= set(known):
        return None
    missing = float("inf") if any(known.get(letter, 1.0) < 0 for letter in letters) else 1.0
    return np.array([known.get(letter, missing) for letter in letters])


def _joined(cells: pd.Series, axis: str) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Numbers and signs of cells such as 4012.3456N; None unless all that are not blank are written so."""
    values, sign = np.full(len(cells), np.nan), np.ones(len(cells))
    for row, cell in enumerate(cells):
        if not folded(cell):
            continue
        found = _JOINED.match(cell) if isinstance(cell, str) else None
        letter = found and (found[1] or found[3])
        if not found or not letter or letter.lower() not in _LETTERS[axis]:
            return None
        values[row], sign[row] = float(found[2]), _LETTERS[axis][letter.lower()]
    return None if np.isnan(values).all() else (values, sign)
