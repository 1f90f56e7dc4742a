"""Vertex lists: a table with one row per corner, joined into areas.

For sheets on which people note polygons point by point; not for bearings and distances (see `space.traverse`).
Rules after the IMSMA guidance on points: order by number, close the ring, leave landmarks and benchmarks outside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.io.raw import Finding, Raw, Source
from geotools.model.schema import KINDS, renaming
from geotools.model.schema.conform import as_text, to_number
from geotools.model.vocab import fold, vocabulary

ORDER = (
    "point no",
    "pointno",
    "point number",
    "no",
    "seq",
    "order",
    "vertex",
    "vertex no",
    "vertex id",
    "point",
    "tp",
    "turning point",
    "point id",
    "pointid",
    "№",
    "sira",
    "nomre",
)
PART = ("shape id", "shapeid", "part", "part no", "polygon no", "ring", "shape")
TYPE = ("point type", "pointtype", "pointtypeenum", "type of point")
NOT_CORNERS = frozenset({"landmark", "reference", "benchmark", "evidence", "usage", "offset"})


def joined(raw: Raw, source: Source, kind: str | None) -> Raw:
    """The layer with its points joined to areas, if that is what the rows are; else as it is."""
    key = _key(raw, kind)
    if key is None:
        return raw
    numbers = raw.row_numbers
    owners = [as_text(v) for v in raw.table[key]]
    roles = {name: _column(raw.table, names, key) for name, names in (("order", ORDER), ("part", PART), ("role", TYPE))}
    groups: dict[str, list[int]] = {}
    for row, owner in enumerate(owners):
        if owner:
            groups.setdefault(owner, []).append(row)
    area_of = {row: area for area, members in enumerate(groups.values()) for row in members}
    problems = {f.row: f.message for f in raw.findings if f.code == "RD-03" and f.row is not None}
    order = roles["order"]
    note = f"{source.label}: {len(raw.table)} rows are corners of {len(groups)} areas, joined by '{key}'"
    note += f" in the order of '{order}'" if order else " in the order of the file"
    findings = [Finding("RD-07", "info", note, value=len(raw.table), limit=len(groups))]
    for row in (r for r, owner in enumerate(owners) if not owner):
        said = f"rejected: the corner does not say which area it belongs to (no {key})"
        findings.append(Finding("RD-02", "error", said, number=int(numbers[row])))
    for f in raw.findings:
        if f.code != "RD-03" and (f.row is None or f.row in area_of):
            where = "" if f.row is None else f"corner in row {numbers[f.row]}: "
            findings.append(replace(f, row=None if f.row is None else area_of[f.row], message=where + f.message))
    rows: list[dict[str, Any]] = []
    shapes = np.empty(len(groups), dtype=object)
    for area, (owner, members) in enumerate(groups.items()):
        corners = _Corners(raw, members, roles, problems)
        shapes[area] = corners.shape
        rows.append(corners.attributes(key, owner))
        findings += [replace(f, row=area) for f in corners.findings]
    table = pd.DataFrame(rows).astype(object)
    firsts = np.array([numbers[members[0]] for members in groups.values()], dtype=np.int64)
    return Raw(raw.layer, table.where(table.notna(), None), shapes, raw.crs, raw.implied, findings, firsts, raw.settled)


def _key(raw: Raw, kind: str | None) -> str | None:
    """The column that says which area a corner belongs to; None if rows are not corners."""
    if kind is None or raw.geometry is None or not KINDS[kind].accepts("Polygon") or KINDS[kind].accepts("Point"):
        return None
    present = raw.geometry[~shapely.is_missing(raw.geometry)]
    if not len(present) or (shapely.get_type_id(present) != 0).any():
        return None
    table = raw.table
    own = renaming(table.columns, KINDS[kind])
    key = "id" if "id" in table else next((name for name, target in own.items() if target == "id"), None)
    if key is None:
        return None
    counts = pd.Series([as_text(v) for v in table[key]], dtype=object).value_counts()
    numbered = _column(table, ORDER, key) is not None
    return key if len(counts) and (counts.max() >= 3 if not numbered else counts.max() >= 2) else None


def _column(table: pd.DataFrame, names: Sequence[str], key: str) -> str | None:
    folded = {fold(name): name for name in reversed(list(table.columns)) if name != key}
    return next((folded[name] for name in names if name in folded), None)


class _Corners:
    """The corners of one area."""

    def __init__(self, raw: Raw, members: list[int], roles: dict[str, str | None], problems: dict[int, str]) -> None:
        self.raw, self.members, self.roles = raw, members, roles
        self.findings: list[Finding] = []
        self.shape: Any = None
        numbers = raw.row_numbers
        bad = [r for r in members if raw.geometry is not None and raw.geometry[r] is None and self._is_corner(r)]
        if bad:
            why = problems.get(bad[0], "it has no position").split(";")[0]
            said = f"the corner in row {numbers[bad[0]]} cannot be used ({why})"
            said += f", and {len(bad) - 1} more" if len(bad) > 1 else ""
            self.findings.append(
                Finding("RD-03", "error", f"{said}; the area is kept without geometry", value=len(bad))
            )
            return
        rings = [ring for ring in (self._ring(part) for part in self._parts()) if ring is not None]
        if rings:
            self.shape = rings[0] if len(rings) == 1 else shapely.MultiPolygon(rings)

    def _is_corner(self, row: int) -> bool:
        role = self.roles["role"]
        word = None if role is None else vocabulary("point_type").match(self.raw.table[role].iloc[row])
        return word not in NOT_CORNERS

    def _parts(self) -> list[list[int]]:
        corners = [r for r in self.members if self._is_corner(r)]
        left = [r for r in self.members if r not in corners]
        if left:
            role = self.roles["role"]
            listed = ", ".join(f"{self.raw.table[role].iloc[r]} in row {self.raw.row_numbers[r]}" for r in left)
            self.findings.append(
                Finding("RD-06", "info", f"not corners, so not part of the boundary: {listed}", value=len(left))
            )
        part = self.roles["part"]
        if part is None:
            return [corners]
        parts: dict[str, list[int]] = {}
        for row in corners:
            parts.setdefault(as_text(self.raw.table[part].iloc[row]) or "", []).append(row)
        return list(parts.values())

    def _ring(self, rows: list[int]) -> Any:
        ordered = self._ordered(rows)
        shapes = self.raw.geometry
        assert shapes is not None
        flat = not all(shapely.has_z(shapes[r]) for r in ordered)
        points = [shapely.get_coordinates(shapes[r], include_z=not flat)[0] for r in ordered]
        while len(points) > 1 and (points[0][:2] == points[-1][:2]).all():
            points.pop()
        if len({tuple(p[:2]) for p in points}) < 3:
            said = f"it has {len(points)} different corners, and an area needs three; it is kept without geometry"
            self.findings.append(Finding("RD-03", "error", said, value=len(points)))
            return None
        with np.errstate(invalid="ignore"):
            return shapely.Polygon(points)

    def _ordered(self, rows: list[int]) -> list[int]:
        order = self.roles["order"]
        if order is None:
            return rows
        given = [_place(self.raw.table[order].iloc[r]) for r in rows]
        known = [g for g in given if g is not None]
        if len(known) < len(rows) or len(set(known)) < len(known):
            said = f"the numbers of its corners ('{order}') are missing or repeat; they are joined in the order of the file"
            self.findings.append(Finding("RD-06", "warning", said, column=order))
            return rows
        listed = _missing(known)
        if listed:
            said = f"corners number {listed} are missing; the others are joined"
            self.findings.append(Finding("RD-06", "warning", said, column=order, value=listed))
        return [row for _, row in sorted(zip(known, rows, strict=True))]

    def attributes(self, key: str, owner: str) -> dict[str, Any]:
        """One value for each column; where corners differ, all of them in order, with semicolons between."""
        out: dict[str, Any] = {key: owner}
        for name in self.raw.table.columns:
            if name == key:
                continue
            values = list(self.raw.table[name].iloc[self.members])
            if name == "h_acc_m":
                known = [n for v in values if as_text(v) is not None and (n := to_number(v)) is not None]
                out[name] = max(known) if known else None
                continue
            texts = list(dict.fromkeys(t for v in values if (t := as_text(v)) is not None))
            out[name] = (
                values[0]
                if len(texts) <= 1 and as_text(values[0])
                else texts[0]
                if len(texts) == 1
                else "; ".join(as_text(v) or "" for v in values)
                if texts
                else None
            )
        return out


def _missing(known: list[float]) -> str:
    """The first ten whole numbers that are not there between the least and the greatest, and that there are more."""
    if not all(k.is_integer() for k in known):
        return ""
    numbers = sorted(map(int, known))
    gaps = (n for one, two in itertools.pairwise(numbers) for n in range(one + 1, two))
    first = list(itertools.islice(gaps, 11))
    return ", ".join(map(str, first[:10])) + (" and more" if len(first) > 10 else "")


def _place(value: Any) -> float | None:
    """The number in a corner's name: 3, TP3, TP-03; the start point is number 0."""
    text = as_text(value)
    if text is None:
        return None
    number = to_number(text)
    if number is not None:
        return number
    digits = "".join(c for c in text if c.isdecimal())
    if 0 < len(digits) < 16:
        return float(digits)
    return 0.0 if vocabulary("point_type").match(text) == "start" else None
