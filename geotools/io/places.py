"""Where in a table the coordinates are: WKT, field-form positions, lon/lat, x/y, or text in any usual notation.

For tables of every kind (CSV, XLSX, Parquet without metadata, form exports); not for grouping vertices (see `io.vertices`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.io import forms, headings, minutes, totals, vertices
from geotools.io.raw import Finding, Raw, Source
from geotools.model.errors import CRSError
from geotools.model.schema import KINDS, kind_of, renaming
from geotools.model.schema.conform import as_text, to_number
from geotools.model.vocab import fold
from geotools.space import crs as _crs

_SPELLINGS = {
    "lon": "lon|longitude|long|lng|lon wgs84|longitude wgs84|lon dd|gps longitude|uzunluq|boylam|долгота|gps lon|decimal longitude|long dms|lon dms|longitude deg|lon deg|long deg|longitud|longitude x|довгота|geografska duzina|خط الطول|طول البلد|şərq uzunluğu|doğu boylamı|восточная долгота",
    "lat": "lat|latitude|lat wgs84|latitude wgs84|lat dd|gps latitude|enlik|en dairesi|enlem|широта|gps lat|decimal latitude|lat dms|latitude deg|lat deg|latitud|latitude y|geografska sirina|خط العرض|عرض البلد|şimal enliyi|kuzey enlemi|северная широта",
    "east": "x|easting|east|e|point x|x coord|xcoord|coord x|utm e|utm easting|utm x|x m|coordx|x easting|saga deyer|saga deger|восток|east m|easting m|utm east|şərq|şərq m|şərq koordinatı|doğu|doğu m|doğu koordinatı|восток m|восток м",
    "north": "y|northing|north|n|point y|y coord|ycoord|coord y|utm n|utm northing|utm y|y m|coordy|y northing|север|north m|northing m|utm north|yuxarı dəyər|yukarı değer|şimal|şimal m|şimal koordinatı|kuzey|kuzey m|kuzey koordinatı|север m|север м",
    "wkt": "wkt|geometry|geom|the geom|wkt geom|geometry wkt|shape|wkb geometry|ewkt|geometry as entered",
    "text": (
        "coordinates|coordinate|coords|coord|position|mgrs|utm|grid reference|grid ref|gridref|koordinat|koordinatlar|koordinatlari|"
        "координаты|координата|location|gps|gps position|lat lon|lat long|latitude longitude|latlon|latlong|lon lat|lonlat|long lat|enlik uzunluq|enlem boylam"
    ),
}
NAMES = {key: tuple(fold(spelling) for spelling in spellings.split("|")) for key, spellings in _SPELLINGS.items()}
_LON_FIRST = ("lon lat", "lonlat", "long lat")
_LAT_FIRST = (
    "lat lon",
    "lat long",
    "latitude longitude",
    "latlon",
    "latlong",
    "enlik uzunluq",
    "enlem boylam",
    "gps",
    "gps position",
)
_WKT_START = re.compile(
    r"^\s*(SRID\s*=\s*\d+\s*;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION|CIRCULARSTRING|COMPOUNDCURVE|CURVEPOLYGON|CURVE|SURFACE)",
    re.IGNORECASE,
)
_WKT_WHOLE = re.compile(_WKT_START.pattern + r"\s*(Z|M|ZM)?\s*(\(|EMPTY)", re.IGNORECASE)
_METRES = re.compile(r"^\s*\d{6,8}([.,]\d+)?[\s,;]+\d{6,8}([.,]\d+)?\s*$")
_HEX = re.compile(r"^(00|01)[0-9A-Fa-f]{40,}$")


_ZONES = frozenset({"zone", "utm zone", "utmzone", "grid zone", "gridzone", "zone utm", "zona", "zona utm", "huso"})
_UTM_ZONE = re.compile(r"\d{1,2}\s*[C-HJ-NP-Xc-hj-np-x]")
_TAG = re.compile(r"#[A-Za-z]\w*(\s*\+\s*\w+)*")

_NONE: Mapping[str, str] = MappingProxyType({})


def locate(
    table: pd.DataFrame,
    source: Source,
    numbers: np.ndarray | None = None,
    *,
    join: bool = True,
    findings: Sequence[Finding] = (),
) -> Raw:
    """Take the coordinate columns of a table and make geometry of them.

    Looked for in this order: what the programme's `columns` say, WKT, field-form positions, lon/lat, x/y, text, and last
    the one column of any name whose every cell is WKT (an issue says which). Rows that are vertices of areas are joined, total
    lines at the end set aside. A table without any is returned with no geometry. Both only if `join`: not for a part of a file.
    `findings` are those of the reader about rows of `table`; they follow their rows into the areas.
    """
    table, numbers, findings = _without_tags(table, source, numbers, findings)
    kind = source.kind or kind_of(source.path.stem)
    if kind is not None and not KINDS[kind].geometry:
        plain = Raw(source.path.stem, table, None, None, False, list(findings), numbers, headings=tuple(table.columns))
        if join:
            totals.set_aside(plain)
        return plain
    raw = _located(table, source, kind)
    raw.headings = tuple(table.columns)
    raw.numbers = numbers
    raw.findings[:0] = findings
    if not join:
        return raw
    totals.set_aside(raw)
    out = vertices.joined(raw, source, kind)
    out.headings = raw.headings
    return out


def _without_tags(
    table: pd.DataFrame, source: Source, numbers: np.ndarray | None, findings: Sequence[Finding]
) -> tuple[pd.DataFrame, np.ndarray | None, Sequence[Finding]]:
    """The table without a line of HXL tags (``#date``, ``#geo+lat``), which data for humanitarian exchange have under the names."""
    cells = [text for value in (table.iloc[0] if len(table) else ()) if (text := as_text(value)) is not None]
    if not cells or not all(_TAG.fullmatch(text) for text in cells) or len(cells) * 2 < table.shape[1]:
        return table, numbers, findings
    said = f"{source.label}: the line of HXL tags under the names of the columns is no record and was passed over"
    moved = [f if f.row is None else replace(f, row=f.row - 1) for f in findings if f.row != 0]
    rest = table.iloc[1:].reset_index(drop=True)
    left = (np.arange(1, len(table) + 1) if numbers is None else numbers)[1:]
    return rest, left, [*moved, Finding("RD-07", "info", said, value=" ".join(cells)[:200])]


def _located(table: pd.DataFrame, source: Source, kind: str | None) -> Raw:
    findings: list[Finding] = []
    said = headings.told(table.columns, source.columns, kind)
    raw = _as_told(table, source, said, findings) or _by_names(table, source, kind) or _by_cells(table, source)
    raw.findings[:0] = findings
    return raw


def _as_told(table: pd.DataFrame, source: Source, said: dict[str, str], findings: list[Finding]) -> Raw | None:
    """The position from the columns that the programme names for it; a finding if they do not hold one."""
    if not said:
        return None
    found = said.get("wkt")
    if found is not None and _holds_wkt(table[found]):
        return _of_wkt(table, found, source)
    for first, second, make in (("lon", "lat", _lonlat), ("east", "north", _eastnorth)):
        if first in said or second in said:
            usual = _pair(table, first, second, said)
            if usual is not None:
                return make(table, usual, source)
    for found in (said.get("text"), said.get("wkt")):
        if found is not None and (raw := _of_text(table, found, source)) is not None:
            return raw
    if len(table):
        names = ", ".join(f"'{name}'" for name in said.values())
        note = f"{source.label}: columns says that {names} holds the position, but none could be read from it"
        findings.append(Finding("RD-07", "warning", note, column=next(iter(said.values())), value=", ".join(said)))
    return None


def _by_cells(table: pd.DataFrame, source: Source) -> Raw:
    """No heading is known: the one column whose every cell is WKT is the geometry, and a finding says so."""
    shaped = [name for name in table.columns if _all_wkt(table[name])]
    if len(shaped) != 1:
        raw = Raw(source.path.stem, table, None, None, False, [])
        if shaped:
            listed = ", ".join(f"'{name}'" for name in shaped)
            note = f'{source.label}: {listed} all hold shapes as WKT, so none was taken; say which: columns = {{ "…" = "geometry" }}'
            raw.findings.append(Finding("RD-07", "warning", note, value=listed))
        return raw
    raw = _of_wkt(table, shaped[0], source)
    note = f"{source.label}: the column '{shaped[0]}' holds shapes as WKT and was taken as the geometry"
    raw.findings[:0] = [Finding("RD-07", "info", note, column=str(shaped[0]), value="geometry")]
    return raw


def _holds_wkt(column: pd.Series) -> bool:
    samples = [v for v in column if isinstance(v, str) and v.strip()]
    return any(_WKT_START.match(v) or _HEX.match(v.strip()) for v in samples[:50])


def _all_wkt(column: pd.Series) -> bool:
    """Whether there are cells and all that are not blank are WKT."""
    seen = False
    for value in column:
        if as_text(value) is None:
            continue
        if not (isinstance(value, str) and _WKT_WHOLE.match(value)):
            return False
        seen = True
    return seen


def _of_wkt(table: pd.DataFrame, found: str, source: Source) -> Raw:
    findings: list[Finding] = []
    shapes, crs = _from_wkt(table[found], findings, source)
    return Raw(source.path.stem, table.drop(columns=[found]), shapes, crs, False, findings)


def _by_names(table: pd.DataFrame, source: Source, kind: str | None) -> Raw | None:
    """The position from columns under their usual names."""
    for found in _columns(table, "wkt"):
        if _holds_wkt(table[found]):
            return _of_wkt(table, found, source)
    form = forms.locate(table, source)
    if form is not None:
        return form
    pair = _pair(table, "lon", "lat")
    if pair is not None:
        return _lonlat(table, pair, source)
    pair = _pair(table, "east", "north")
    if pair is not None and source.crs is None and (zone := _zone(table, pair)) is not None:
        return _in_zones(table, zone, pair, source)
    if pair is not None and not (kind in ("targets", "signals") and source.crs is None):
        return _eastnorth(table, pair, source)
    for found in _columns(table, "text"):
        if (raw := _of_text(table, found, source)) is not None:
            return raw
    return None


def _of_text(table: pd.DataFrame, found: str, source: Source) -> Raw | None:
    if _reads(table[found], found, source):
        return _from_text(table, found, source)
    if source.crs is None and _in_metres(table[found]):
        raise CRSError(
            f"the positions in '{found}' are metres without a reference system",
            hint="say which: crs='EPSG:28408', --crs EPSG:28408, or write the zone with them (38N 683738 4385550)",
            file=source.label,
        )
    return None


def _columns(table: pd.DataFrame, role: str) -> Iterator[str]:
    for name in table.columns:
        if fold(name) in NAMES[role] and table[name].dtype == object:
            yield name


def _pair(table: pd.DataFrame, first: str, second: str, said: Mapping[str, str] = _NONE) -> tuple[str, str] | None:
    folded = {fold(name): name for name in reversed(list(table.columns))}
    a = said.get(first) or next((folded[w] for w in NAMES[first] if w in folded), None)
    b = said.get(second) or next((folded[w] for w in NAMES[second] if w in folded), None)
    return (a, b) if a is not None and b is not None else None


def _from_wkt(column: pd.Series, findings: list[Finding], source: Source) -> tuple[np.ndarray, pyproj.CRS | None]:
    shapes = np.full(len(column), None, dtype=object)
    systems: dict[int, int] = {}
    for row, value in enumerate(column):
        cell = value.strip() if isinstance(value, str) else ""
        if not cell:
            continue
        match = re.match(r"SRID\s*=\s*(\d+)\s*;\s*(.*)", cell, re.IGNORECASE | re.DOTALL)
        if match:
            systems[int(match[1])] = systems.get(int(match[1]), 0) + 1
            cell = match[2]
        try:
            with np.errstate(invalid="ignore"):
                shapes[row] = shapely.from_wkb(cell) if _HEX.match(cell) else shapely.from_wkt(cell)
        except (shapely.errors.ShapelyError, ValueError, TypeError, NotImplementedError) as error:
            reason = str(error).splitlines()[0].split(":")[-1].strip()[:80]
            said = f"its WKT cannot be read ({reason}); the row is kept without geometry"
            findings.append(Finding("RD-03", "error", said, row, value=cell[:120]))
            continue
        if shapely.get_srid(shapes[row]):
            code = int(shapely.get_srid(shapes[row]))
            systems[code] = systems.get(code, 0) + 1
            shapes[row] = shapely.set_srid(shapes[row], 0)
    if len(systems) > 1:
        listed = ", ".join(map(str, sorted(systems)))
        raise CRSError(
            f"its rows are in different systems (SRID {listed})", hint="make one file for each", file=source.label
        )
    return shapes, _crs.parse(next(iter(systems))) if systems else None


def _lonlat(table: pd.DataFrame, pair: tuple[str, str], source: Source) -> Raw:
    """Longitude and latitude columns: decimal degrees at once, other notations through `space.notation`."""
    findings: list[Finding] = []
    x, y = minutes.degrees(table, pair, numbers, findings)
    odd = (np.isnan(x) & ~_blank(table[pair[0]])) | (np.isnan(y) & ~_blank(table[pair[1]]))
    rest = table.drop(columns=list(pair))
    geographic = source.crs is None or source.crs.is_geographic
    if odd.any() and geographic:
        cells = pd.Series(list(zip(table[pair[0]], table[pair[1]], strict=True)), index=table.index, dtype=object)
        typed = _Typed(cells.where(odd), "xy", source)
        rest = typed.into(rest, odd)
        good = odd & ~np.isnan(typed.x)
        x[good], y[good] = typed.x[good], typed.y[good]
        if source.crs is not None and source.crs != _crs.WGS84 and good.any():
            own = _crs.transform(shapely.points(typed.x[good], typed.y[good]), _crs.WGS84, source.crs)
            x[good], y[good] = shapely.get_x(own), shapely.get_y(own)
    points = _points(x, y, table, pair, findings)
    return Raw(source.path.stem, _as_typed(rest, table, pair, findings), points, _crs.WGS84, True, findings)


def _eastnorth(table: pd.DataFrame, pair: tuple[str, str], source: Source) -> Raw:
    """Easting and northing columns; the northing may come first, as X does in Soviet tables, where only that fits."""
    findings: list[Finding] = []
    x, y = numbers(table[pair[0]]), numbers(table[pair[1]])
    if _northing_first(x, y, source.crs):
        x, y = y, x
        said = (
            f"{source.label}: '{pair[0]}' holds northings and '{pair[1]}' eastings (only that order lies in "
            f"{source.crs.name if source.crs else ''}); they were read so"
        )
        findings.append(Finding("RD-08", "warning", said, column=pair[0], value=f"{pair[1]}, {pair[0]}"))
    points = _points(x, y, table, pair, findings)
    rest = _as_typed(table.drop(columns=list(pair)), table, pair, findings)
    return Raw(source.path.stem, rest, points, None, False, findings)


def _northing_first(x: np.ndarray, y: np.ndarray, crs: pyproj.CRS | None) -> bool:
    """Whether all `y` and no `x` are within 500 km of the false easting of a Transverse Mercator system in metres."""
    operation = None if crs is None else crs.coordinate_operation
    if operation is None or "Transverse Mercator" not in (operation.method_name or ""):
        return False
    false_easting = next(
        (p.value for p in operation.params if p.name == "False easting" and p.unit_name == "metre"), None
    )
    good = np.isfinite(x) & np.isfinite(y)
    if false_easting is None or not good.any():
        return False
    near_x, near_y = (np.abs(v[good] - false_easting) <= 500_000 for v in (x, y))
    return bool(near_y.all() and not near_x.any())


def _zone(table: pd.DataFrame, pair: tuple[str, str]) -> str | None:
    """The column with the UTM zone of each row (38N, 38 S, 38T); a number alone says neither hemisphere nor system."""
    found = next((name for name in table.columns if fold(name) in _ZONES and name not in pair), None)
    texts = [] if found is None else [t for v in table[found] if (t := as_text(v)) is not None]
    return found if texts and all(_UTM_ZONE.fullmatch(text) for text in texts) else None


def _in_zones(table: pd.DataFrame, zone: str, pair: tuple[str, str], source: Source) -> Raw:
    """Easting and northing with the zone of each row in a column of its own."""
    cells = []
    for parts in zip(table[zone], table[pair[0]], table[pair[1]], strict=True):
        texts = [as_text(part) for part in parts]
        numbers_of = [
            number if number is None or (v := to_number(number)) is None else f"{v:.12g}" for number in texts[1:]
        ]
        cells.append(None if not any(texts[1:]) else " ".join(text or "?" for text in (texts[0], *numbers_of)))
    name = f"{zone} {pair[0]} {pair[1]}"
    joined = table.drop(columns=[zone, *pair]).assign(**{name: pd.Series(cells, index=table.index, dtype=object)})
    return _from_text(joined, name, source)


def _points(
    x: np.ndarray, y: np.ndarray, table: pd.DataFrame, pair: tuple[str, str], findings: list[Finding]
) -> np.ndarray:
    """Points from numbers; what is not one is set aside and said."""
    points = np.full(len(table), None, dtype=object)
    good = ~np.isnan(x) & ~np.isnan(y)
    points[good] = shapely.points(x[good], y[good])
    for row in np.flatnonzero(~good & ~(_blank(table[pair[0]]) & _blank(table[pair[1]]))):
        bad = pair[0] if np.isnan(x[row]) else pair[1]
        cell = table[bad].iloc[row]
        what = f"{bad} is missing" if as_text(cell) is None else f"{bad} '{str(cell)[:40]}' is not a coordinate"
        said = f"{what}; the row is kept without geometry"
        findings.append(Finding("RD-03", "error", said, int(row), column=bad, value=str(cell)[:80]))
    return points


def _as_typed(rest: pd.DataFrame, table: pd.DataFrame, pair: tuple[str, str], findings: list[Finding]) -> pd.DataFrame:
    """`rest` with the coordinates as typed in ``source_coords``, for rows that have no point for an error."""
    rows = [f.row for f in findings if f.code == "RD-03" and f.row is not None]
    if not rows:
        return rest
    typed = list(rest["source_coords"]) if "source_coords" in rest else [None] * len(table)
    for row in rows:
        typed[row] = typed[row] or " ".join(as_text(table[name].iloc[row]) or "?" for name in pair)
    return rest.assign(source_coords=pd.Series(typed, index=rest.index, dtype=object))


def numbers(values: pd.Series) -> np.ndarray:
    """Numbers from a column; text with decimal comma is understood, the rest is NaN. Infinite stays infinite."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.array(values.astype("float64").to_numpy(na_value=np.nan), dtype=float)
    found = np.array(pd.to_numeric(values, errors="coerce"), dtype=float)
    for row in np.flatnonzero(np.isnan(found)):
        cell = values.iloc[row]
        number = to_number(cell) if isinstance(cell, str) and cell.strip() else None
        if number is not None:
            found[row] = number
    return found


def _blank(values: pd.Series) -> np.ndarray:
    return np.array([as_text(v) is None for v in values], dtype=bool)


class _Typed:
    """Positions read from text, and the columns that keep what was typed, its system, operation and accuracy."""

    def __init__(self, cells: pd.Series, order: str | None, source: Source) -> None:
        from geotools.space import notation

        self.given = cells.notna().to_numpy() & np.array([v != (None, None) for v in cells], dtype=bool)
        read = notation.parse_positions(list(cells[self.given]), crs=source.crs, order=order)
        self.read = read.set_index(np.flatnonzero(self.given))
        size = len(cells)
        self.x, self.y = np.full(size, np.nan), np.full(size, np.nan)
        self.x[self.given], self.y[self.given] = self.read["lon"], self.read["lat"]

    def into(self, rest: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
        """`rest` with the as-entered columns filled for these rows."""
        out = rest.copy()
        row: Any
        for name in ("source_crs", "source_coords", "transform_op", "h_acc_m"):
            column = list(out[name]) if name in out else [None] * len(out)
            for row, value in self.read[name].items():
                if rows[row] and value is not None and value == value and as_text(column[row]) is None:  # noqa: PLR0124
                    column[row] = value
            if any(v is not None for v in column):
                out[name] = pd.Series(column, index=out.index, dtype=object)
        return out


def _order(name: str) -> str | None:
    return "xy" if fold(name) in _LON_FIRST else "yx" if fold(name) in _LAT_FIRST else None


def _reads(column: pd.Series, name: str, source: Source) -> bool:
    """Whether most of the first texts of a column are positions."""
    from geotools.space import notation

    samples = [v for v in column if as_text(v) is not None][:30]
    if not samples:
        return False
    read = notation.parse_positions(samples, crs=source.crs, order=_order(name))
    return bool(read["lon"].notna().mean() >= 0.5)


def _in_metres(column: pd.Series) -> bool:
    samples = [v for v in column if isinstance(v, str) and v.strip()][:30]
    return bool(samples) and sum(bool(_METRES.match(v)) for v in samples) > len(samples) / 2


def _from_text(table: pd.DataFrame, name: str, source: Source) -> Raw:
    blank = _blank(table[name])
    typed = _Typed(table[name].where(~blank), _order(name), source)
    rest = table.drop(columns=[name])
    accuracy = next((c for c, target in renaming(rest.columns, KINDS["marks"]).items() if target == "h_acc_m"), None)
    if accuracy is not None and "h_acc_m" not in rest:
        rest = rest.rename(columns={accuracy: "h_acc_m"})
    rest = typed.into(rest, ~blank)
    findings: list[Finding] = []
    points = np.full(len(table), None, dtype=object)
    good = ~np.isnan(typed.x)
    points[good] = shapely.points(typed.x[good], typed.y[good])
    row: Any
    for row, error in typed.read["error"].items():
        if isinstance(error, str):
            said = f"its position cannot be read: {error}; the row is kept without geometry"
            findings.append(
                Finding("RD-03", "error", said, int(row), column=name, value=str(table[name].iloc[row])[:80])
            )
    for row, note in typed.read["note"].items():
        if isinstance(note, str) and note:
            findings.append(
                Finding(
                    "RD-08", "info", f"{name}: {note}", int(row), column=name, value=str(table[name].iloc[row])[:80]
                )
            )
    return Raw(source.path.stem, rest, points, _crs.WGS84, False, findings, settled=True)
