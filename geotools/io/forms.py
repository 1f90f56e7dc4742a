"""Field-form submissions (ODK, KoBo): geopoint, geotrace and geoshape, latitude first, with the accuracy of every vertex.

For the text `lat lon alt acc; …`, the split columns of exports, and JSON submissions. Not for the forms themselves.
Layout after the ODK XForms specification.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io.raw import Finding, Raw, Source
from geotools.model.schema import kind_of
from geotools.model.schema.conform import as_text
from geotools.model.vocab import fold
from geotools.space import crs as _crs

_NUM = r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?"
_POINT = re.compile(rf"^\s*{_NUM}\s+{_NUM}\s+{_NUM}(?:\s+{_NUM})?\s*$")
_PRECISE = re.compile(r"^\s*-?\d{1,2}\.\d{3,}\s+-?\d{1,3}\.\d{3,}\s")
_NAMED = re.compile(
    r"geo|gps|location|locat|position|coord|point|place|where|shape|area|boundary|perimeter|polygon|trace|track|line|nokt|yer|konum"
)
_SPLIT = {
    "latitude": re.compile(r"^(.*?)[\s_\-.:/]*latitude$", re.IGNORECASE),
    "longitude": re.compile(r"^(.*?)[\s_\-.:/]*longitude$", re.IGNORECASE),
    "altitude": re.compile(r"^(.*?)[\s_\-.:/]*altitude$", re.IGNORECASE),
    "accuracy": re.compile(r"^(.*?)[\s_\-.:/]*(?:accuracy|precision)$", re.IGNORECASE),
}
_ROW_KEYS = ("results", "value", "data", "submissions", "records", "features", "items")


def locate(table: pd.DataFrame, source: Source) -> Raw | None:
    """The layer if the table has form positions, else None."""
    for name in table.columns:
        if table[name].dtype == object and _is_form(table[name], str(name)):
            return _from_column(table, name, source)
    return _from_split(table, source)


def _is_form(column: pd.Series, name: str) -> bool:
    """Whether most texts are positions; three numbers are one only where the name or their decimals say so."""
    samples = [v for v in column if isinstance(v, str) and v.strip()][:50]
    if not samples:
        return False
    fitting = [
        all(_POINT.match(p) for p in v.split(";") if p.strip()) and (v.count(";") or len(v.split()) in (3, 4))
        for v in samples
    ]
    named = _NAMED.search(fold(name)) is not None
    precise = sum(bool(_PRECISE.match(v)) for v in samples) > len(samples) / 2
    return (named or precise) and sum(map(bool, fitting)) / len(samples) > 0.5


def _from_column(table: pd.DataFrame, name: str, source: Source) -> Raw:
    findings: list[Finding] = []
    shapes = np.empty(len(table), dtype=object)
    worst: list[float | None] = []
    each: list[str | None] = []
    for row, value in enumerate(table[name]):
        cell = value.strip() if isinstance(value, str) else ""
        accuracy: list[float] = []
        if cell:
            try:
                made, accuracy = shape(cell)
                shapes[row] = made
            except ValueError as error:
                findings.append(
                    Finding(
                        "RD-03",
                        "error",
                        f"{error}; the row is kept without geometry",
                        row,
                        column=name,
                        value=cell[:80],
                    )
                )
        known = [a for a in accuracy if a == a]  # noqa: PLR0124
        worst.append(max(known) if known else None)
        each.append(" ".join(f"{a:g}" for a in accuracy) if known and len(accuracy) > 1 else None)
    out = table.drop(columns=[name])
    _add_accuracy(out, worst, each)
    if findings:
        bad = {f.row for f in findings}
        out["source_coords"] = pd.Series(
            [table[name].iloc[r] if r in bad else None for r in range(len(table))], dtype=object
        )
    return Raw(source.path.stem, out, shapes, _crs.WGS84, False, findings)


def _add_accuracy(table: pd.DataFrame, worst: list[float | None], each: list[str | None]) -> None:
    """``h_acc_m``: the worst vertex; ``vertex_h_acc_m``: all of them, in order."""
    if any(v is not None for v in worst) and "h_acc_m" not in table:
        table["h_acc_m"] = pd.Series([np.nan if v is None else v for v in worst], dtype=float)
    if any(each):
        table["vertex_h_acc_m"] = pd.Series(each, dtype=object)


def shape(cell: str) -> tuple[BaseGeometry, list[float]]:
    """Geometry and accuracy in metres of each vertex (NaN if not given) from form text.

    One position is a point, several are a line, several that end where they began are an area. Heights are kept unless
    all are 0.

    Raises
    ------
    ValueError
        In plain words.

    Examples
    --------
    >>> made, accuracy = shape("39.6 47.2 120.5 4.2")
    >>> made.wkt, accuracy
    ('POINT Z (47.2 39.6 120.5)', [4.2])
    """
    rows, accuracy = [], []
    for part in cell.split(";"):
        values = part.split()
        if not values:
            continue
        if len(values) < 2:
            raise ValueError(f"the position '{part.strip()[:40]}' has only one number")
        try:
            numbers = [float(v) for v in values[:4]]
        except ValueError as error:
            raise ValueError(f"the position '{part.strip()[:40]}' holds something that is not a number") from error
        lat, lon, height, acc = (numbers + [float("nan")] * 4)[:4]
        rows.append((lon, lat, height))
        accuracy.append(acc if acc > 0 else float("nan"))  # forms write 0 where the accuracy is not known
    if not rows:
        raise ValueError("there is no position between the semicolons")
    points = np.array(rows, dtype=float)
    if np.isnan(points[:, 2]).any() or not points[:, 2].any():
        points = points[:, :2]
    return _made(points), accuracy


def _made(points: np.ndarray) -> BaseGeometry:
    with np.errstate(invalid="ignore"):
        if len(points) == 1:
            return shapely.Point(points[0])
        if len(points) >= 4 and (points[0][:2] == points[-1][:2]).all():
            return shapely.Polygon(points)
        return shapely.LineString(points)


def _from_split(table: pd.DataFrame, source: Source) -> Raw | None:
    """Exports that split a geopoint: ``where-Latitude``, ``_where_longitude``, …"""
    found: dict[str, dict[str, str]] = {}
    for name in table.columns:
        for part, pattern in _SPLIT.items():
            match = pattern.match(str(name))
            if match and (match[1] or str(name).startswith("_")):
                found.setdefault(match[1].strip("_ "), {})[part] = name
    chosen = next((parts for parts in found.values() if {"latitude", "longitude"} <= set(parts)), None)
    if chosen is None or not ("accuracy" in chosen or "altitude" in chosen):
        return None

    def text(row: int, part: str) -> str:
        return as_text(table[chosen[part]].iloc[row]) or "" if part in chosen else ""

    cells = []
    for row in range(len(table)):
        lat, lon = text(row, "latitude"), text(row, "longitude")
        cells.append(
            f"{lat or '?'} {lon or '?'} {text(row, 'altitude') or 'nan'} {text(row, 'accuracy') or 'nan'}"
            if lat or lon
            else None
        )
    name = "__position__"
    return _from_column(
        table.drop(columns=list(chosen.values())).assign(**{name: pd.Series(cells, index=table.index, dtype=object)}),
        name,
        source,
    )


def from_json(data: Any, source: Source) -> Raw:
    """Rows from a JSON document that is not GeoJSON: a list of submissions, bare or under ``results`` or ``value``.

    Raises
    ------
    ReadError
        If there are no records in it.
    """
    rows = (
        data
        if isinstance(data, list)
        else next((data[k] for k in _ROW_KEYS if isinstance(data, dict) and isinstance(data.get(k), list)), None)
    )
    if rows is None or (rows and not any(isinstance(row, dict) for row in rows)):
        raise source.refuse(
            "it is JSON, but there are no GeoJSON features or form submissions in it", "export it as GeoJSON"
        )
    findings: list[Finding] = []
    flat: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            findings.append(
                Finding("RD-02", "error", "rejected: it is not a record", number=number, value=str(row)[:80])
            )
            continue
        flat.append(_flat(row))
        numbers.append(number)
    names = dict.fromkeys(name for row in flat for name in row)
    table = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in flat], dtype=object) for name in names}, index=range(len(flat))
    )
    from geotools.io import places

    rows = np.array(numbers, dtype=np.int64)
    return places.locate(_short_names(table, source), source, rows, findings=findings)


def _flat(row: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested groups as ``group/question``; positions as form text; lists as JSON text."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "coordinates" in value and "type" in value:
            out[name] = _as_form(value)
        elif isinstance(value, dict) and depth < 20:
            out |= _flat(value, f"{name}/", depth + 1)
        elif isinstance(value, list | dict):
            out[name] = json.dumps(value, ensure_ascii=False) if value else None
        else:
            out[name] = value
    return out


def _as_form(value: dict[str, Any]) -> str | None:
    """A GeoJSON position of a submission (with ``properties.accuracy``) as form text."""
    points = value["coordinates"]
    if value["type"] == "Point":
        points = [points]
    elif value["type"] == "Polygon":
        points = points[0] if points else []
    accuracy = (value.get("properties") or {}).get("accuracy") if isinstance(value.get("properties"), dict) else None
    tail = "" if accuracy is None else f" {accuracy}"
    try:
        return ";".join(f"{p[1]} {p[0]} {p[2] if len(p) > 2 and p[2] is not None else 0}{tail}" for p in points) or None
    except (TypeError, IndexError, KeyError):
        return json.dumps(value)


def _short_names(table: pd.DataFrame, source: Source) -> pd.DataFrame:
    """``group/question`` as ``question`` where that is unique; ``_uuid`` and ``instanceID`` as the guid and key."""
    last = [str(name).rsplit("/", 1)[-1] for name in table.columns]
    names = [
        short if last.count(short) == 1 else str(full).replace("/", "_")
        for full, short in zip(table.columns, last, strict=True)
    ]
    out = table.set_axis(names, axis=1)
    folded = {fold(name): name for name in reversed(names)}
    guid = next((folded[w] for w in ("uuid", "instanceid", "id instanceid", "meta instanceid") if w in folded), None)
    if guid is not None and "id" not in out and "guid" not in out:
        out = out.rename(columns={guid: "guid"})
        if kind_of(source.path.stem) is None or not any(
            fold(n) in ("hazard id", "id", "find id", "local id") for n in names
        ):
            out.insert(0, "id", out["guid"])
    return out
