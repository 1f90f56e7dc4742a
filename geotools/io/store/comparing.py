"""Rows against conditions, and versions of rows against each other, in words a person can read.

For filters, histories and differences; not for deciding what a save changes (see `saving`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.io.store import cells
from geotools.io.store.backend import Rows
from geotools.io.store.cells import understood
from geotools.io.store.chain import DELETED, Entry, Revision, stamp
from geotools.io.store.layout import Layout
from geotools.io.store.saving import dumped
from geotools.model.errors import StoreError
from geotools.space import crs as _crs

DIFF_COLUMNS = ("kind", "id", "change", "column", "before", "after")


def needle(column: str, wanted: Any) -> str | None:
    """Text that the stored row of a match must contain, where that can be said: for one text value.

    Examples
    --------
    >>> needle("product", "cleared"), needle("depth_cm", 20)
    ('"product":"cleared"', None)
    """
    if not isinstance(wanted, str) or column == "id":
        return None
    value = cells.text_of(wanted)
    return None if value.startswith("{") else f"{cells.text_of(column)}:{value}"


def matching(frame: pd.DataFrame, where: Mapping[str, Any]) -> np.ndarray:
    """Which rows meet every condition.

    Raises
    ------
    StoreError
        If there is no such column.
    """
    keep = np.ones(len(frame), dtype=bool)
    for column, wanted in where.items():
        if column not in frame.columns:
            raise StoreError(f"there is no column '{column}'", hint=f"columns are {', '.join(map(str, frame.columns))}")
        values = wanted if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
        found = np.zeros(len(frame), dtype=bool)
        for value in values:
            if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
                found |= frame[column].isna().to_numpy()
            else:
                found |= np.array([_equal(cell, value) for cell in frame[column]], dtype=bool)
        keep &= found
    return keep


def _equal(cell: Any, value: Any) -> bool:
    try:
        return bool(cell == value)
    except (TypeError, ValueError):
        return False


def shown(plain: Any) -> str:
    """A parsed cell as a person reads it."""
    if plain is None:
        return ""
    value = cells.value_of(plain)
    if isinstance(value, pd.Timestamp):
        midnight = value.tzinfo is None and value == value.normalize()
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, str):
        return value
    return dumped(plain) if isinstance(value, list | dict) else str(value)


def _wkt(wkb: bytes | None) -> str:
    return "" if wkb is None else str(shapely.to_wkt(shapely.from_wkb(wkb), rounding_precision=-1))


def changed_columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Columns in which two parsed rows differ."""
    return [c for c in sorted({*old, *new}) if (c in old) != (c in new) or dumped(old.get(c)) != dumped(new.get(c))]


def differences(old: Mapping[str, Rows], new: Mapping[str, Rows], layouts: Mapping[str, Layout]) -> gpd.GeoDataFrame:
    """One row per changed column; a row added or deleted as a whole has one row, with all it said."""
    out: list[tuple[Any, ...]] = []
    shapes: list[Any] = []
    for kind in sorted({*old, *new}):
        one, two = ({i: (t, w) for i, t, w in zip(*side[kind], strict=True)} for side in (old, new))
        system = layouts[kind].crs or "EPSG:4326"
        for id_ in sorted({*one, *two}):
            lines = _lines(one.get(id_), two.get(id_))
            out += [(kind, id_, *line) for line in lines]
            place = _located((two.get(id_) or one[id_])[1], system) if lines else None
            shapes += [place] * len(lines)
    table = pd.DataFrame(out, columns=list(DIFF_COLUMNS), dtype=object)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs="EPSG:4326"))


def _lines(
    old: tuple[str, bytes | None] | None, new: tuple[str, bytes | None] | None
) -> list[tuple[str, str, str, str]]:
    if old is None or new is None:
        side = old or new
        assert side is not None
        with understood("a row"):
            said = "; ".join(f"{c}={shown(v)}" for c, v in json.loads(side[0]).items())
        return [("added", "", "", said)] if old is None else [("deleted", "", said, "")]
    with understood("a row"):
        one, two = json.loads(old[0]), json.loads(new[0])
        lines = [("changed", c, shown(one.get(c)), shown(two.get(c))) for c in changed_columns(one, two)]
    if old[1] != new[1]:
        lines.append(("changed", "geometry", _wkt(old[1]), _wkt(new[1])))
    return lines


def _located(wkb: bytes | None, system: str) -> Any:
    if wkb is None:
        return None
    shape = shapely.set_srid(shapely.from_wkb(wkb), 0)
    moved: Any = _crs.transform(np.array([shape], dtype=object), system, _crs.WGS84)
    return moved[0]


def versions(
    entries: Sequence[Entry], revisions: Mapping[int, Revision], layouts: Mapping[str, Layout]
) -> gpd.GeoDataFrame:
    """Every version of a record, oldest first: what was done by whom, and the record as it was then.

    Where several kinds know the id, all of them, told apart by the column ``kind``; geometry in the system of the layer, or in
    WGS 84 if the layers differ.
    """
    kinds = list(dict.fromkeys(e.kind for e in entries))
    frames = [_versions_of([e for e in entries if e.kind == k], revisions, layouts[k]) for k in kinds]
    if len(frames) == 1:
        return frames[0]
    systems = {_crs.code_or_wkt(_crs.parse(f.crs)) for f in frames}
    common = systems.pop() if len(systems) == 1 else "EPSG:4326"
    shapes: list[Any] = []
    for frame in frames:
        shapes += list(_crs.transform(np.asarray(frame.geometry.array, dtype=object), frame.crs, _crs.parse(common)))
    tables = [pd.DataFrame(f.drop(columns="geometry")).astype(object) for f in frames]
    joined = pd.concat(tables, ignore_index=True).assign(revision=[r for f in frames for r in f["revision"]])
    told = gpd.GeoDataFrame(joined, geometry=gpd.GeoSeries(shapes, crs=common))
    return told.sort_values(["revision", "kind"], kind="stable", ignore_index=True)


def _versions_of(entries: Sequence[Entry], revisions: Mapping[int, Revision], layout: Layout) -> gpd.GeoDataFrame:
    told: list[tuple[Any, ...]] = []
    old: Entry | None = None
    for e in entries:
        gone = e.action == DELETED
        columns: list[str] = []
        if old is not None and not gone:
            columns = changed_columns(json.loads(old.attributes), json.loads(e.attributes))
            columns += ["geometry"] if e.wkb != old.wkb else []
        r = revisions.get(e.revision)
        known = (stamp(r.at), r.author, r.note) if r else ("", "", "")
        what = "deleted" if gone else "added" if old is None else "changed"
        told.append((e.revision, *known, what, ", ".join(columns)))
        old = None if gone else e
    names = ["revision", "at", "author", "revision_note", "action", "changed"]
    head = pd.DataFrame(told, columns=names)
    frame = layout.frame([e.id for e in entries], [e.attributes for e in entries], [e.wkb for e in entries])
    own = {c: f"{c}_recorded" for c in (*names, "kind", "geometry") if c in frame and c != frame.geometry.name}
    joined = pd.concat([head, frame.drop(columns=frame.geometry.name).rename(columns=own)], axis=1)
    shapes = gpd.GeoSeries(shapely.set_srid(frame.geometry.array, 0), crs=frame.crs)
    return gpd.GeoDataFrame(joined.assign(kind=entries[0].kind), geometry=shapes)
