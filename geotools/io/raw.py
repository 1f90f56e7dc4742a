"""What a format's reader hands over: rows as they stand in the file, and what was odd about them.

For the readers of this floor; not for judging or repairing rows (see `io.accounting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
from shapely.geometry.base import BaseGeometry

from geotools.model.errors import ReadError
from geotools.model.schema import kind_of


@dataclass(frozen=True)
class Source:
    """What is to be read: file, layer, the kind that is expected, and what the caller says about it."""

    path: Path
    layer: str | None = None
    kind: str | None = None
    encoding: str | None = None
    crs: pyproj.CRS | None = None
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)  # what the programme says its headings are

    @property
    def label(self) -> str:
        """The file as people know it (also when it was unpacked from an archive)."""
        return self.name or self.path.name

    def refuse(self, message: str, hint: str = "", row: int | str | None = None) -> ReadError:
        """A `ReadError` about this file, to be raised."""
        return ReadError(message, hint=hint, file=self.label, layer=self.layer, row=row)


@dataclass(frozen=True)
class Finding:
    """Something odd about a row or the whole layer, before rows have ids.

    Parameters
    ----------
    code
        Issue code: RD-02 rejected, RD-03 geometry missing or set aside, RD-05 text, RD-06 geometry changed in form,
        RD-07 about the file, RD-08 reference system.
    row
        Position in the table of `Raw`, or None for the whole layer or a rejected row.
    number
        Row number in the file, for rows that are not in the table.
    """

    code: str
    severity: str
    message: str
    row: int | None = None
    number: int | None = None
    column: str = ""
    value: Any = ""
    limit: Any = ""
    geometry: BaseGeometry | None = None


@dataclass
class Raw:
    """A layer as it stands in the file.

    Parameters
    ----------
    table
        Attributes, one row for each source row that is not in `findings` as RD-02.
    geometry
        One shapely geometry or None for each row; None if the layer has no geometry at all.
    crs
        As the file says; None if it does not.
    implied
        The system is the format's default and not written in the file (GeoJSON, lon/lat columns).
    settled
        The caller's system was used already, in reading positions from text.
    numbers
        Row numbers as people count them in this file; default 1, 2, ….
    headings
        All columns of a table as it stood in the file, those of the position too; empty for other formats.
    """

    layer: str
    table: pd.DataFrame
    geometry: np.ndarray | None
    crs: pyproj.CRS | None = None
    implied: bool = False
    findings: list[Finding] = field(default_factory=list)
    numbers: np.ndarray | None = None
    settled: bool = False
    headings: tuple[str, ...] = ()

    @property
    def row_numbers(self) -> np.ndarray:
        """Row numbers as people count them."""
        return np.arange(1, len(self.table) + 1) if self.numbers is None else self.numbers


def choose_layer(source: Source, names: Sequence[str], prefer: str | None = None) -> tuple[str, list[Finding]]:
    """The layer of a file to read: the one asked for, the only one, or the only one of the kind wanted.

    Raises
    ------
    ReadError
        If it is not clear which; nothing is picked by chance.
    """
    if source.layer is not None:
        if source.layer in names:
            return source.layer, []
        known = ", ".join(names) or "none"
        raise ReadError(f"it has no layer '{source.layer}'", hint=f"its layers are: {known}", file=source.label)
    if len(names) == 1:
        return names[0], []
    if not names:
        raise ReadError(
            "there is no layer in it: it is empty or damaged",
            hint="copy it again, or export it again",
            file=source.label,
        )
    fitting = [name for name in names if source.kind and kind_of(name) == source.kind]
    wanted = fitting[0] if len(fitting) == 1 else prefer
    if wanted is None or wanted not in names:
        raise ReadError(
            f"it has {len(names)} layers: {', '.join(names)}",
            hint="say which: layer='…' or --layer …",
            file=source.label,
        )
    left = [name for name in names if name != wanted]
    note = f"{source.label}: only the layer '{wanted}' was read; the file also has {', '.join(left)}"
    return wanted, [Finding("RD-07", "info", note, value=wanted, limit=", ".join(names))]
