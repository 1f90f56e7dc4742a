"""Ingest accounting: every row of a file ends as kept, repaired (area before and after) or rejected (why).

For the step between a format's reader and the schema; not for judging what valid records say (see `checks`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io import headings, logs, naming, text
from geotools.io.raw import Finding, Raw
from geotools.model.errors import CRSError
from geotools.model.programme import Programme
from geotools.model.schema import Issue, Schema, conform, renaming
from geotools.model.schema.columns import Column
from geotools.model.schema.conform import as_text
from geotools.space import crs as _crs
from geotools.space import geom, measure

TYPES = (
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
PLAIN = {"Point": "a point", "LineString": "a line", "Polygon": "an area", "MultiPoint": "several points"} | {
    "MultiLineString": "several lines", "MultiPolygon": "several areas", "GeometryCollection": "a mixture", "LinearRing": "a line",
}  # fmt: skip
DANGER = "hazards"
POSITION_IS_THE_RECORD = frozenset({"fixes"})  # without a usable position such a row is rejected
ANY = Schema(
    "",
    tuple(t for t in TYPES),
    (Column("id", "id", required=True, aliases=("fid", "imsma_id", "localid", "local id")),),
)
FARTHEST_M = 1.0e8
FAR_DEG = 6.0  # a neighbouring zone is still common practice
SAMPLE = 20_000  # points that tell where the middle of a layer is


@dataclass
class _Ledger:
    """The rows of one layer on their way in."""

    raw: Raw
    schema: Schema
    label: str
    geometry: np.ndarray
    rejected: np.ndarray
    repaired: np.ndarray
    share: float  # change of area from which a repaired release is in doubt
    findings: list[Finding] = field(default_factory=list)
    without: set[int] = field(default_factory=set)

    @cached_property
    def numbers(self) -> np.ndarray:
        return self.raw.row_numbers

    @cached_property
    def entered_ids(self) -> pd.Series | None:
        """The ids as typed, if the file has any."""
        table = self.raw.table
        mapping = renaming(table.columns, self.schema, {})
        key = (
            "id" if "id" in table.columns else next((name for name, target in mapping.items() if target == "id"), None)
        )
        return None if key is None else table[key]

    def place(self, row: int) -> str:
        return f"{self.label} row {self.numbers[row]}"

    def reject(self, row: int, reason: str, value: Any = "", geometry: BaseGeometry | None = None) -> None:
        self.rejected[row] = True
        entered = None if self.entered_ids is None else as_text(self.entered_ids.iloc[row])
        who = f" (id '{entered}')" if entered else ""
        self.findings.append(Finding("RD-02", "error", f"rejected: {reason}{who}", row, value=value, geometry=geometry))

    def set_aside(self, row: int, reason: str, value: Any = "", geometry: BaseGeometry | None = None) -> None:
        """Keep the row without its geometry, or reject it where the position is all there is."""
        if self.schema.kind in POSITION_IS_THE_RECORD:
            self.reject(row, reason, value)
        else:
            self.findings.append(
                Finding(
                    "RD-03", "error", f"{reason}; the row is kept without geometry", row, value=value, geometry=geometry
                )
            )
        self.geometry[row] = None
        self.without.add(row)


def account(raw: Raw, schema: Schema | None, label: str, programme: Programme) -> tuple[gpd.GeoDataFrame, list[Issue]]:
    """Decide the fate of each row, then bring the survivors to the schema.

    Parameters
    ----------
    schema
        What the layer should be; None: any geometry, columns unchanged but for ``id``.
    label
        The file as messages call it.

    Returns
    -------
    frame, issues
        Rows in file order, geometry in the CRS of `raw`; the first issue is the count line RD-00.
    """
    own = schema or replace(ANY, kind=raw.layer)
    naming.settle(raw, own, programme.columns.get(own.kind, {}), label)
    count = len(raw.table)
    shapes = np.full(count, None, dtype=object) if raw.geometry is None else np.array(raw.geometry, dtype=object)
    ledger = _Ledger(
        raw, own, label, shapes, np.zeros(count, dtype=bool), np.zeros(count, dtype=bool),
        programme.limit("repair_area_share"), list(raw.findings),
    )  # fmt: skip
    ledger.without = {f.row for f in raw.findings if f.code == "RD-03" and f.row is not None}
    columns = programme.columns.get(own.kind, {})
    if "geometry" in raw.table:  # the name of the shapes themselves
        raw.table = raw.table.rename(columns={"geometry": "geometry_property"})
    raw.table, odd = text.sound(raw.table, label)
    raw.table, told = logs.settle(raw.table, own, columns, label)
    ledger.findings += odd + told + headings.doubts(raw, own, columns, label)
    columns = headings.of_attributes(columns, own)
    _copies(ledger, columns)
    if own.geometry:
        _measures(ledger)
        _blank(ledger)
        if raw.crs is not None:
            _positions(ledger, raw.crs)
        _types(ledger)
        _validity(ledger)
    elif raw.geometry is not None:
        _unused(ledger)
    return _finish(ledger, columns, programme)


def _copies(ledger: _Ledger, columns: Any) -> None:
    """Reject rows that repeat an earlier one in everything, id included."""
    table = ledger.raw.table
    mapping = renaming(table.columns, ledger.schema, columns)
    key = "id" if "id" in table.columns else next((name for name, target in mapping.items() if target == "id"), None)
    if key is None:
        return
    ids = table[key].reset_index(drop=True)
    unread = [f.row for f in ledger.raw.findings if f.row is not None and f.code == "RD-03" and f.severity == "error"]
    try:
        again = (ids.duplicated(keep=False) & ids.notna()).to_numpy(copy=True)
    except TypeError:  # lists or other things that are no keys
        ids = ids.astype(str)
        again = ids.duplicated(keep=False).to_numpy(copy=True)
    again[unread] = False  # what could not be read cannot be called the same
    if not again.any():
        return
    rows = np.flatnonzero(again)
    text = pd.DataFrame({i: [repr(v) for v in table.iloc[rows, i]] for i in range(table.shape[1])}, index=rows)
    text["wkb"] = shapely.to_wkb(ledger.geometry[rows], output_dimension=4)
    text["key"] = ids[rows].to_numpy()
    first = (
        pd.Series(rows, index=rows)
        .groupby([text[c] for c in text.columns], sort=False, dropna=False)
        .transform("first")
    )
    for row in rows[first.to_numpy() != rows]:
        ledger.reject(int(row), f"an exact copy of row {ledger.numbers[first[row]]}", value=ids[row])


def _alive(ledger: _Ledger) -> np.ndarray:
    return ~ledger.rejected & ~shapely.is_missing(ledger.geometry)


def _measures(ledger: _Ledger) -> None:
    """Leave out M values, keep heights."""
    measured = np.flatnonzero(shapely.has_m(ledger.geometry))
    for row in measured:
        shape = ledger.geometry[row]
        ledger.geometry[row] = (
            shapely.from_wkb(shapely.to_wkb(shape, output_dimension=3)) if shape.has_z else shapely.force_2d(shape)
        )
    if len(measured):
        said = f"{ledger.label}: measure values (M) of {len(measured)} rows are left out"
        ledger.findings.append(Finding("RD-06", "warning", said, value=len(measured)))


def _blank(ledger: _Ledger) -> None:
    if ledger.raw.geometry is None:
        if len(ledger.geometry):
            severity = "error" if ledger.schema.kind in POSITION_IS_THE_RECORD else "warning"
            said = f"{ledger.label}: no coordinates were found in it (lon/lat, x/y, WKT or text); all rows are kept without geometry"
            ledger.findings.append(Finding("RD-03", severity, said, value=len(ledger.geometry)))
        return
    hollow = shapely.is_empty(ledger.geometry)
    ledger.geometry[hollow] = None
    missing = shapely.is_missing(ledger.geometry) & ~ledger.rejected
    for row in np.flatnonzero(missing):
        if int(row) in ledger.without:
            if ledger.schema.kind in POSITION_IS_THE_RECORD:
                _reject_unusable(ledger, int(row))
            continue
        said = "its geometry is empty" if hollow[row] else "it has no geometry"
        ledger.findings.append(
            Finding("RD-03", "warning", f"{said}; the row is kept", int(row), value="empty" if hollow[row] else "")
        )
        ledger.without.add(int(row))


def _reject_unusable(ledger: _Ledger, row: int) -> None:
    """A reader set the geometry aside, but the position is the record: rejected for the same reason."""
    index = next(i for i, f in enumerate(ledger.findings) if f.row == row and f.code == "RD-03")
    old = ledger.findings.pop(index)
    ledger.reject(row, old.message.removesuffix("; the row is kept without geometry"), old.value)


def _positions(ledger: _Ledger, crs: pyproj.CRS) -> None:
    """Set aside geometry whose coordinates cannot be places on Earth."""
    alive = np.flatnonzero(_alive(ledger))
    if not len(alive):
        return
    if _unremarkable(ledger, alive, crs):
        return
    points, owner = shapely.get_coordinates(ledger.geometry[alive], include_z=True, return_index=True)
    x, y = points[:, 0], points[:, 1]
    finite = np.isfinite(x) & np.isfinite(y)
    zero = (x == 0) & (y == 0) & (crs.is_geographic or crs.area_of_use is not None)
    if crs.is_geographic:
        full = 180.0 if crs.axis_info[0].unit_name.startswith("degree") else 200.0
        far = (np.abs(x) > full) | (np.abs(y) > full / 2)
        small = np.zeros(len(x), dtype=bool)
    else:
        per_m = crs.axis_info[0].unit_conversion_factor or 1.0 if crs.axis_info else 1.0
        far = np.maximum(np.abs(x), np.abs(y)) * per_m > FARTHEST_M
        small = (np.abs(x) <= 180) & (np.abs(y) <= 90) & ~zero & _is_zoned(crs)
    _refuse_if_all(ledger, crs, far & finite & ~zero, small, finite & ~zero, points)
    _compare_with_area_of_use(ledger, crs, points[finite & ~zero & ~far & ~small])
    for mask, reason in (
        (~finite, "a coordinate is not a number"),
        (zero & finite, "a coordinate is 0, 0 (the place of a missing position)"),
        (far & finite, "a coordinate is outside the range of its reference system"),
        (small & finite, "a coordinate looks like degrees, but the layer is in metres"),
    ):
        for local in np.unique(owner[mask]):
            row = int(alive[local])
            if not ledger.rejected[row] and row not in ledger.without:
                at = points[np.flatnonzero(mask & (owner == local))[0]]
                ledger.set_aside(row, reason, value=f"{at[0]:.10g} {at[1]:.10g}")
    odd = np.unique(owner[np.isinf(points[:, 2])])
    for local in odd:
        row = int(alive[local])
        ledger.geometry[row] = shapely.force_2d(ledger.geometry[row])
        ledger.findings.append(
            Finding("RD-06", "warning", "a height is not a number: heights of this row are left out", row)
        )


def _unremarkable(ledger: _Ledger, alive: np.ndarray, crs: pyproj.CRS) -> bool:
    """Whether one look at the extremes shows that every coordinate is a finite number in range, none is 0, 0 and none looks like degrees."""
    shapes = ledger.geometry[alive]
    points = shapely.get_coordinates(shapes)
    if shapely.has_z(shapes).any() or not len(points) or not np.isfinite(points).all():
        return False
    west, south, east, north = shapely.total_bounds(shapes)
    if west <= 0 <= east and south <= 0 <= north:
        return False
    if crs.is_geographic:
        return bool(west >= -90 and east <= 90 and south >= -45 and north <= 45)  # in range whatever the unit
    per_m = crs.axis_info[0].unit_conversion_factor or 1.0 if crs.axis_info else 1.0
    if max(-west, east, -south, north) * per_m > FARTHEST_M or (west <= 180 and south <= 90):
        return False
    _compare_with_area_of_use(ledger, crs, points)
    return True


def _compare_with_area_of_use(ledger: _Ledger, crs: pyproj.CRS, points: np.ndarray) -> None:
    """Say so where the middle of a layer lies far from where its projected system is used: numbers of another system."""
    area = crs.area_of_use
    if area is None or not crs.is_projected or not len(points):
        return
    middle = np.median(points[:: max(1, len(points) // SAMPLE), :2], axis=0)
    try:
        where = shapely.get_coordinates(_crs.transform([shapely.Point(middle)], crs, _crs.WGS84))[0]
    except CRSError:
        where = np.array([np.nan, np.nan])
    if area.west <= area.east:
        inside = area.west - FAR_DEG <= where[0] <= area.east + FAR_DEG
    else:
        inside = not area.east + FAR_DEG < where[0] < area.west - FAR_DEG
    if inside and area.south - FAR_DEG <= where[1] <= area.north + FAR_DEG:
        return
    place = f"at {where[0]:.1f}° E, {where[1]:.1f}° N" if np.isfinite(where).all() else "nowhere on Earth"
    said = f"{ledger.label}: in {crs.name} this layer lies {place}, outside the area of that system; try: geotools datum --explain FILE"
    value = f"{middle[0]:.10g} {middle[1]:.10g}"
    ledger.findings.append(
        Finding("RD-08", "error", said, value=value, limit=f"{area.west}…{area.east} E, {area.south}…{area.north} N")
    )


def _is_zoned(crs: pyproj.CRS) -> bool:
    operation = crs.coordinate_operation
    return operation is not None and "Transverse Mercator" in (operation.method_name or "")


def _refuse_if_all(
    ledger: _Ledger, crs: pyproj.CRS, far: np.ndarray, small: np.ndarray, counted: np.ndarray, points: np.ndarray
) -> None:
    wrong = far | small
    if not counted.any() or not wrong[counted].all():
        return
    example = points[np.flatnonzero(wrong)[0]]
    if small.any():
        message = f"the coordinates look like degrees, but the layer is said to be in {crs.name}"
        hint = "give the system they are in, for example crs='EPSG:4326' or --crs EPSG:4326"
    else:
        if np.abs(points[far][:, :2]).max() < 1000:
            return
        message = f"the coordinates cannot be in {crs.name} (for example {example[0]:.10g}, {example[1]:.10g})"
        hint = "give the system they are in, for example crs='EPSG:32638' or --crs EPSG:32638; try: geotools datum --explain FILE"
    raise CRSError(message, hint=hint, file=ledger.label)


def _types(ledger: _Ledger) -> None:
    """Reject geometry of a type that the kind does not hold; take fitting parts out of mixtures."""
    alive = np.flatnonzero(_alive(ledger))
    ids = shapely.get_type_id(ledger.geometry[alive])
    rings = ids == 2
    if rings.any():
        ledger.geometry[alive[rings]] = [shapely.LineString(g) for g in ledger.geometry[alive[rings]]]
        ids[rings] = 1
    allowed = np.array([ledger.schema.accepts(name) for name in TYPES])
    for row, kind in zip(alive[~allowed[ids]], ids[~allowed[ids]], strict=True):
        shape = ledger.geometry[row]
        fitted, left_out = _fitting(shape, ledger.schema)
        ring = _boundary(shape) if fitted is None and ledger.schema.kind == DANGER else None
        if ring is not None:  # for a danger the larger reading is the safe one; a release is never made of a walk
            ledger.geometry[row] = ring
            ledger.repaired[row] = True
            said = "repaired: a closed line was taken as the boundary of the area"
            ledger.findings.append(
                Finding("RD-01", "warning", said, int(row), value=TYPES[kind], geometry=shape.centroid)
            )
            continue
        if fitted is None:
            wanted = " or ".join(PLAIN[t] for t in ledger.schema.geometry if not t.startswith("Multi"))
            reason = f"its geometry is {PLAIN[TYPES[kind]]}, but {ledger.schema.kind} needs {wanted}"
            if ledger.schema.kind == DANGER:  # a recorded danger never leaves the records; the issue shows where it is
                ledger.set_aside(int(row), reason, TYPES[kind], shape)
            else:
                ledger.reject(int(row), reason, TYPES[kind], shape)
            continue
        ledger.geometry[row] = fitted
        ledger.repaired[row] = True
        rest = f"; {left_out} other parts were left out" if left_out else ""
        why = [(f"a mixture of geometries: its fitting parts were taken{rest}", shape.centroid)]
        one = np.empty((2, 1), dtype=object)
        one[0, 0], one[1, 0] = shape, fitted
        ledger.findings += _repair_notes(ledger, np.array([row]), why, one[0], one[1])


def _boundary(shape: Any) -> BaseGeometry | None:
    """The area inside a line that ends where it began, as field receivers store perimeters; None for any other shape."""
    lines = shapely.get_parts(shape)
    if len(lines) != 1 or lines[0].geom_type != "LineString" or not lines[0].is_closed or len(lines[0].coords) < 4:
        return None
    area = geom.repair(shapely.Polygon(lines[0].coords))
    return None if area.is_empty else area


def _fitting(shape: Any, schema: Schema) -> tuple[BaseGeometry | None, int]:
    """The parts of a collection that the schema holds, as one geometry, and how many others there are."""
    if not hasattr(shape, "geoms"):
        return None, 0
    leaves = _leaves(shape)
    several: Any
    for single, several in (
        ("Polygon", shapely.MultiPolygon),
        ("LineString", shapely.MultiLineString),
        ("Point", shapely.MultiPoint),
    ):
        parts = [leaf for leaf in leaves if leaf.geom_type == single and not leaf.is_empty]
        if not parts or not schema.accepts(single):
            continue
        if len(parts) == 1:
            return parts[0], len(leaves) - 1
        if schema.accepts(several.__name__):
            return several(parts), len(leaves) - len(parts)
    return None, 0


def _leaves(shape: Any) -> list[Any]:
    return [leaf for part in shape.geoms for leaf in _leaves(part)] if hasattr(shape, "geoms") else [shape]


def _validity(ledger: _Ledger) -> None:
    """Repair invalid areas; what collapses to nothing is set aside."""
    alive = np.flatnonzero(_alive(ledger))
    shapes = ledger.geometry[alive]
    bad = ~geom.valid(shapes)
    if not bad.any():
        return
    rows, before = alive[bad], shapes[bad]
    thin = shapely.get_dimensions(before) < 2
    for row, shape in zip(rows[thin], before[thin], strict=True):
        ledger.set_aside(int(row), "the line has no length", value=shape.geom_type)
    rows, before = rows[~thin], before[~thin]
    after = geom.repair(before)
    gone = shapely.is_empty(after)
    for row, shape in zip(rows[gone], before[gone], strict=True):
        reason, _ = geom.why_invalid(shape)
        ledger.set_aside(int(row), f"{reason}, and nothing is left of it after repair", value=shape.geom_type)
    rows, before, after = rows[~gone], before[~gone], after[~gone]
    ledger.geometry[rows] = after
    ledger.repaired[rows] = True
    why = [geom.why_invalid(shape) for shape in before]
    ledger.findings += _repair_notes(ledger, rows, why, before, after)


def _repair_notes(
    ledger: _Ledger, rows: np.ndarray, why: list[tuple[str, Any]], before: np.ndarray, after: np.ndarray
) -> list[Finding]:
    """RD-01 for each row, with the area before and after; an error where that leaves in doubt which ground was released."""
    m2 = np.array([_areas(before, ledger.raw.crs), _areas(after, ledger.raw.crs)])
    notes = []
    for row, (reason, where), (old, new) in zip(rows, why, m2.T, strict=True):
        message = f"repaired: {reason}"
        if np.isfinite([old, new]).all():
            message += f"; area before {old:,.1f} m², after {new:,.1f} m²"
        value, limit = (f"{v:.1f}" if np.isfinite(v) else "" for v in (old, new))
        doubtful = ledger.schema.kind == "releases" and not abs(new - old) <= ledger.share * min(old, new)
        if doubtful:
            message += "; which ground was meant is uncertain: it must be confirmed before it is signed"
        severity = "error" if doubtful else "warning"
        notes.append(Finding("RD-01", severity, message, int(row), value=value, limit=limit, geometry=where))
    return notes


def _areas(shapes: np.ndarray, crs: pyproj.CRS | None) -> np.ndarray:
    """Areas in m²; NaN for lines and points, and where coordinates cannot be placed on Earth."""
    blank = np.full(len(shapes), np.nan)
    flat = shapely.get_dimensions(shapes) < 2
    if crs is None or flat.all():
        return blank
    try:
        areas = measure.area(gpd.GeoSeries(geom.polygonal(shapes), crs=crs)).to_numpy()
    except CRSError:
        return blank
    return np.where(flat, np.nan, areas)


def _unused(ledger: _Ledger) -> None:
    present = ~shapely.is_missing(ledger.geometry)
    if present.any():
        texts = shapely.to_wkt(ledger.geometry, rounding_precision=-1)
        ledger.raw.table["geometry_as_entered"] = pd.Series(texts, dtype=object)
        note = f"{ledger.label}: {ledger.schema.kind} have no geometry; the {int(present.sum())} given are kept as text"
        ledger.findings.append(Finding("RD-06", "info", note, column="geometry_as_entered"))
    ledger.geometry[:] = None


def _finish(ledger: _Ledger, columns: Any, programme: Programme) -> tuple[gpd.GeoDataFrame, list[Issue]]:
    raw, kind = ledger.raw, ledger.schema.kind
    keep = ~ledger.rejected
    fates = ("RD-01", "RD-03")  # a rejected row was neither repaired nor kept
    ledger.findings = [f for f in ledger.findings if f.row is None or keep[f.row] or f.code not in fates]
    numbers = ledger.numbers[keep]
    table, schema_issues = conform(
        raw.table.loc[keep], ledger.schema, words=programme.words, columns=columns, numbers=[int(n) for n in numbers]
    )
    frame = gpd.GeoDataFrame(
        table, geometry=gpd.GeoSeries(ledger.geometry[keep], index=table.index, crs=raw.crs), crs=raw.crs
    )
    names = np.full(len(raw.table), "", dtype=object)
    names[keep] = frame["id"].to_numpy(dtype=object)
    names[~keep] = [f"row-{n}" for n in ledger.numbers[~keep]]
    outside = sum(1 for f in ledger.findings if f.code == "RD-02" and f.row is None)
    total = len(raw.table) + outside
    rejected = int(ledger.rejected.sum()) + outside
    repaired = int((ledger.repaired & keep).sum())
    kept = total - rejected - repaired
    value = f"rows={total} kept={kept} repaired={repaired} rejected={rejected}"
    said = f"{ledger.label}: {total} rows: {kept} kept, {repaired} repaired, {rejected} rejected"
    count = Issue(
        "RD-00",
        "info" if total else "warning",
        kind,
        message=said if total else f"{ledger.label}: the layer is empty",
        value=value,
    )
    return frame, [count, *_as_issues(ledger, names), *schema_issues]


def _as_issues(ledger: _Ledger, names: np.ndarray) -> list[Issue]:
    """Findings with ids, places in WGS 84, in file order; layer-wide ones first."""
    made = []
    order = sorted(ledger.findings, key=lambda f: ledger.numbers[f.row] if f.row is not None else f.number or 0)
    places = _on_the_map([f.geometry for f in order], ledger.raw.crs)
    for finding, place in zip(order, places, strict=True):
        row = finding.row
        number = ledger.numbers[row] if row is not None else finding.number
        where = f"{ledger.label} row {number}: " if number is not None else ""
        key = names[row] if row is not None else f"row-{number}" if number is not None else ""
        made.append(
            Issue(
                finding.code, finding.severity, ledger.schema.kind, str(key), finding.column, where + finding.message,
                finding.value, finding.limit, place,
            )
        )  # fmt: skip
    return made


def _on_the_map(shapes: list[BaseGeometry | None], crs: pyproj.CRS | None) -> np.ndarray:
    """Places in WGS 84; those that cannot be moved there are None."""
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    if crs is None:
        return np.full(len(shapes), None, dtype=object)
    try:
        return _crs.transform(array, crs, _crs.WGS84)
    except CRSError:
        return np.array([_moved(shape, crs) for shape in shapes], dtype=object)


def _moved(shape: BaseGeometry | None, crs: pyproj.CRS) -> Any:
    try:
        return _crs.transform([shape], crs, _crs.WGS84)[0]
    except CRSError:
        return None
