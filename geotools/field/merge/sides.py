"""One version of a layer as rows by key: columns named as they were, copies told from pieces, rows without a key kept.

For undoing what apps do to a file; not for comparing versions.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geotools.field.merge.same import plain, same, shown
from geotools.model.schema import KINDS, Issue, conform
from geotools.model.schema.conform import as_text, renaming
from geotools.space import crs as _crs

PARENT = "parent_id"
SHORT = 10  # letters that a shapefile leaves of a column name
_MADE = re.compile(r"(.+)~\d+")
SPACE = uuid.UUID("0b0c2a4e-8f0b-5d0e-9a53-7069656365ff")

Row = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One version of a layer."""

    label: str
    rows: Mapping[str, Row]
    columns: tuple[str, ...]
    dtypes: Mapping[str, Any]

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, label: str, how: How, issues: list[Issue]) -> Side:
        """Read a frame; what is odd about its keys is reported."""
        moved = frame if frame.crs is None else frame.set_geometry(
            gpd.GeoSeries(_crs.transform(frame.geometry.array, frame.crs, how.crs), index=frame.index, crs=how.crs)
        )  # fmt: skip
        table = pd.DataFrame(moved.drop(columns=moved.geometry.name)).reset_index(drop=True)
        shapes = list(moved.geometry.array)
        table = keyed(lengthened(table, how.columns), shapes, how, label, issues)
        if how.kind in KINDS:
            table, _ = conform(table, KINDS[how.kind])
        rows = _rows(table.assign(geometry=pd.Series(shapes, dtype=object)), label, how, issues)
        return cls(label, rows, tuple(c for c in table.columns if c != "geometry"), dict(table.dtypes))


@dataclass(frozen=True)
class How:
    """What is common to the versions: key column, CRS, kind, and the columns that the base had."""

    key: str
    crs: Any
    kind: str
    columns: Sequence[str] = ()

    def said(self, issues: list[Issue], row: tuple[str, Any], severity: str, message: str) -> None:
        """Report something about a key; `row` is its name and geometry."""
        issues.append(Issue("MG-05", severity, self.kind, row[0], self.key, message, geometry=row[1]))


def lengthened(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Columns cut to ten letters get the name back that the base has for them, where only one fits.

    Examples
    --------
    >>> list(lengthened(pd.DataFrame({"classifica": [1], "status_cha": [2]}), ["classification", "status_changed_date", "status_changed_reason"]))
    ['classification', 'status_cha']
    """
    missing = [c for c in columns if c not in table and len(c) > SHORT]
    fitting = {
        name: [c for c in missing if c[:SHORT].casefold() == str(name).casefold()]
        for name in table.columns
        if name not in columns
    }
    return table.rename(columns={name: found[0] for name, found in fitting.items() if len(found) == 1})


def keyed(table: pd.DataFrame, shapes: list[Any], how: How, label: str, issues: list[Issue]) -> pd.DataFrame:
    """Rows without a key get one made of what they say, so that the same row gets the same key again."""
    names = renaming(table.columns, KINDS[how.kind]) if how.kind in KINDS else {}
    column = how.key if how.key in table else next((c for c, target in names.items() if target == how.key), None)
    if column is None:
        return table
    values = [as_text(v) for v in table[column]]
    if all(values):
        return table
    for n, value in enumerate(values):
        if not value:
            values[n] = f"new-{_digest(table.iloc[n], shapes[n])}"
            how.said(
                issues,
                (str(values[n]), shapes[n]),
                "warning",
                f"a row of {label} has no {how.key}: it is kept as '{values[n]}'",
            )
    return table.assign(**{str(column): pd.Series(values, dtype=object)})


def _digest(row: pd.Series, shape: Any) -> str:
    told = {str(k): shown(plain(v)) for k, v in row.items()}
    where = "" if shape is None else shapely.to_wkt(shapely.normalize(shape), rounding_precision=6)
    return hashlib.sha256(
        json.dumps([told, where], sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    ).hexdigest()[:10]


def _rows(table: pd.DataFrame, label: str, how: How, issues: list[Issue]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for record in table.to_dict("records"):
        row = {str(c): plain(v) for c, v in record.items()}
        name = row.get(how.key)
        if name is None:
            how.said(
                issues,
                (str(row.get("id") or ""), row["geometry"]),
                "error",
                f"a row of {label} has no {how.key}: it was set aside",
            )
            continue
        name = str(name)
        made = _MADE.fullmatch(name)  # reading calls the second row of an id 'id~2'
        original = made[1] if made and made[1] in rows else name
        if original not in rows:
            rows[name] = row
        elif not any(_copy(rows[n], row, how.key) for n in rows if n == original or n.startswith(f"{original}~")):
            _add(rows, row, (original, name), label, how, issues)
    return rows


def _copy(first: Row, second: Row, key: str) -> bool:
    """Whether a row says nothing new: a submission that was sent twice."""
    return all(same(first.get(c), second.get(c), c) for c in second if c not in (key, "id", "guid"))


def _add(rows: dict[str, Row], row: Row, names: tuple[str, str], label: str, how: How, issues: list[Issue]) -> None:
    """A second row of one key that differs (a polygon cut in two): kept under a name of its own."""
    original, name = names
    number = 2
    while name in rows:
        name = f"{original}~{number}"
        number += 1
    rows[name] = {**row, how.key: unique(name, how.key)}
    if how.key != "id" and row.get("id") is not None and not _MADE.fullmatch(str(row["id"])):
        rows[name]["id"] = f"{row['id']}~{max(number - 1, 2)}"
    if PARENT in row and row[PARENT] is None:
        rows[name][PARENT] = rows[original].get("id") or original
    key = str(rows[name][how.key])
    if key != name:
        rows[key] = rows.pop(name)
    how.said(
        issues,
        (key, row["geometry"]),
        "warning",
        f"{label} has two different rows with {how.key} '{original}': the second is kept as '{key}'",
    )


def unique(name: str, key: str) -> str:
    """A key made of a name, the same each time: itself, or a UUID."""
    return str(uuid.uuid5(SPACE, name)) if key == "guid" else name
