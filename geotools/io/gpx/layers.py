"""Rows of waypoints, routes, tracks and fixes from a GPX document. Not for parsing (see `document`)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.io.gpx.document import LINES, POINTS, Document, as_number
from geotools.io.raw import Finding, Raw, Source, choose_layer
from geotools.model.schema import kind_of
from geotools.space import crs as _crs

_ZONED = re.compile(r"(?:[Zz]|:\d{2}(?:\.\d+)?[+-]\d{2}(?::?\d{2})?)$")
_PLAIN = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?$")
PREFERRED = {"fixes": "fixes", "tracks": "tracks"}
_NUMERIC = frozenset({"ele", "hdop", "vdop", "pdop", "speed", "course"})
_RENAMED = {
    "ele": "elevation_m",
    "sat": "satellites",
    "fix": "fix_quality",
    "course": "heading_deg",
    "speed": "speed_mps",
}


def layers(source: Source) -> list[str]:
    """Layers with rows: waypoints, routes, tracks. Single track points are the layer ``fixes``, on request only."""
    counts = Document(source).counts
    return [name for name in ("waypoints", "routes", "tracks") if counts[name]] or ["waypoints"]


def read(source: Source) -> Raw:
    """Read waypoints, routes or tracks as rows; ``layer="fixes"`` or kind ``fixes`` reads the points of tracks.

    Raises
    ------
    ReadError
        If it is not GPX, or holds several layers and none was named.
    """
    document = Document(source)
    counts = document.counts
    kind = source.kind or kind_of(source.path.stem)
    names = [name for name, count in counts.items() if count] or ["waypoints"]
    offered = [name for name in names if name not in ("route_points", "fixes")] or names
    prefer = PREFERRED.get(kind or "", "waypoints" if kind else None)
    if source.layer is not None or prefer in names:
        layer, findings = choose_layer(source, names if source.layer is not None else [str(prefer)])
        left = [name for name in offered if name != layer and not (layer == "fixes" and name == "tracks")]
        if source.layer is None and left:
            beside = " and ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in left)
            note = f"{source.label}: only the {layer} were read, not the {beside} beside them; take them with layer= (--layer {left[0]})"
            findings.append(Finding("RD-07", "warning", note, value=layer, limit=", ".join(left)))
    else:
        layer, findings = choose_layer(source, offered)
    tag = next(t for t, n in (POINTS | LINES).items() if n == layer)
    raw = _point_layer(document, tag, source) if tag in POINTS else _line_layer(document, tag, source)
    raw.findings[:0] = findings
    return raw


def _point_layer(document: Document, tag: str, source: Source) -> Raw:
    points = document.points[tag]
    count = len(points.lat)
    data: dict[str, Any] = {_RENAMED.get(name, name): _column(points.texts(name), name) for name in points.names}
    if tag != "wpt":
        data |= _owners(document, tag, count)
    table = pd.DataFrame(data, index=range(count))
    x, y = np.array(points.lon, dtype=float), np.array(points.lat, dtype=float)
    bad = np.flatnonzero(np.isnan(x) | np.isnan(y))
    shapes = np.empty(count, dtype=object)
    good = ~(np.isnan(x) | np.isnan(y))
    shapes[good] = shapely.points(x[good], y[good])
    if tag != "trkpt":
        _raise(shapes, table, keep=source.kind == "fixes")
    findings = [
        Finding("RD-03", "error", "its lat or lon is missing or not a number; the row is kept without geometry", int(r))
        for r in bad
    ]
    if tag == "wpt":
        _id_from_names(table)
    return Raw(POINTS[tag], table, shapes, _crs.WGS84, False, findings)


def _raise(shapes: np.ndarray, table: pd.DataFrame, *, keep: bool) -> None:
    """Elevations of waypoints become heights of their points; fixes keep them as a column too."""
    if "elevation_m" not in table or table["elevation_m"].dtype == object:
        return
    z = table["elevation_m"].to_numpy(dtype=float)
    rows = np.flatnonzero(np.isfinite(z) & ~shapely.is_missing(shapes))
    shapes[rows] = shapely.points(shapely.get_x(shapes[rows]), shapely.get_y(shapes[rows]), z[rows])
    if not keep:
        del table["elevation_m"]


def _owners(document: Document, tag: str, count: int) -> dict[str, Any]:
    """The run (track and segment) that each point belongs to."""
    lines = document.lines["trk" if tag == "trkpt" else "rte"]
    out = np.full(count, None, dtype=object)
    seen: dict[int, int] = {}
    titles = _titles(lines.rows)
    for number, (owner, begin) in enumerate(lines.segments):
        stop = lines.segments[number + 1][1] if number + 1 < len(lines.segments) else count
        seen[owner] = seen.get(owner, 0) + 1
        title = titles[owner]
        out[begin:stop] = title if tag == "rtept" else f"{title}/{seen[owner]}"
    return {"run_id": pd.Series(out, dtype=object)}


def _titles(rows: list[dict[str, str]]) -> list[str]:
    """A name for each track, its own where it has one; tracks of one name are told apart, so that nothing joins them."""
    named = [row.get("name", f"{number}") for number, row in enumerate(rows, start=1)]
    used = set(named)
    out, first = [], set[str]()
    for name in named:
        title, turn = name, 1
        while title in first or (turn > 1 and title in used):
            turn += 1
            title = f"{name}~{turn}"
        first.add(title)
        out.append(title)
    return out


def _column(values: list[str | None], name: str) -> pd.Series:
    column = pd.Series(values, dtype=object)
    return _times(column) if name == "time" else _numbers(column) if name in _NUMERIC else column


def _times(column: pd.Series) -> pd.Series:
    """Instants in UTC where every text has its zone; otherwise left to be judged row by row.

    The times of GPX are UTC by definition: where some state it, the others mean it.
    """
    filled = column.dropna()
    zoned = np.array([bool(_ZONED.search(v)) for v in filled], dtype=bool)
    if not zoned.any():
        return column
    if not zoned.all():
        column = column.map(lambda v: v if v is None or not _PLAIN.match(v) else f"{v}Z", na_action="ignore")
        if not all(_ZONED.search(v) for v in column.dropna()):
            return column
    try:
        return pd.to_datetime(column, utc=True, format="ISO8601").astype("datetime64[ms, UTC]")
    except (ValueError, OverflowError):
        return column


def _numbers(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column


def _line_layer(document: Document, tag: str, source: Source) -> Raw:
    lines = document.lines[tag]
    points = document.points["trkpt" if tag == "trk" else "rtept"]
    x, y = np.array(points.lon, dtype=float), np.array(points.lat, dtype=float)
    heights = np.array([as_number(value) for value in points.texts("ele")], dtype=float)
    findings: list[Finding] = []
    parts: list[list[np.ndarray]] = [[] for _ in lines.rows]
    times: list[list[str]] = [[] for _ in lines.rows]
    clock = points.texts("time")
    for number, (owner, begin) in enumerate(lines.segments):
        stop = lines.segments[number + 1][1] if number + 1 < len(lines.segments) else len(x)
        times[owner] += [t for r in (begin, stop - 1) if begin < stop and (t := clock[r])]
        if stop - begin == 1:
            findings.append(
                Finding(
                    "RD-06",
                    "warning",
                    "a segment of a single point is not part of the line",
                    owner,
                    value=f"{x[begin]:.7f} {y[begin]:.7f}",
                )
            )
        elif stop > begin:
            whole = np.isfinite(heights[begin:stop]).all()
            parts[owner].append(np.column_stack([x, y, heights] if whole else [x, y])[begin:stop])
    shapes = np.empty(len(lines.rows), dtype=object)
    shapes[:] = [_line(own) for own in parts]
    names = dict.fromkeys(name for row in lines.rows for name in row)
    table = pd.DataFrame(
        {n: pd.Series([row.get(n) for row in lines.rows], dtype=object) for n in names}, index=range(len(lines.rows))
    )
    if any(times):
        table["start"] = pd.Series([own[0] if own else None for own in times], dtype=object)
        table["end"] = pd.Series([own[-1] if own else None for own in times], dtype=object)
    _id_from_names(table)
    return Raw(LINES[tag], table, shapes, _crs.WGS84, False, findings)


def _line(parts: list[np.ndarray]) -> BaseGeometry | None:
    with np.errstate(invalid="ignore"):
        if not parts:
            return None
        if len(parts) == 1:
            return shapely.LineString(parts[0])
        flat = len({p.shape[1] for p in parts}) > 1
        return shapely.MultiLineString([p[:, :2] if flat else p for p in parts])


def _id_from_names(table: pd.DataFrame) -> None:
    """Hand-helds name each point: where names are there and differ, they are the key."""
    if "id" in table or "name" not in table:
        return
    if table["name"].notna().all() and table["name"].is_unique:
        table.insert(0, "id", table["name"])
