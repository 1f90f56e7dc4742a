"""Which layers a survey and its coverage show, in which classes and order.

For turning the trade's records into layers; not for encoding them (see `layers`) or for the page (see `page`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import AreaLayer, ClassRow, LayerSpec, PointLayer, TrackLayer, VectorLayer
from geotools.model import methods as _methods
from geotools.model.vocab import vocabulary
from geotools.space import crs as _crs
from geotools.space import measure

# Kinds shown unless the caller says which; the others hold raw positions or training data.
SHOWN = ("hazards", "releases", "activities", "tracks", "finds", "accidents", "samples", "marks", "places", "landuse")
AREA_TYPES, LINE_TYPES, POINT_TYPES = (
    ("Polygon", "MultiPolygon"),
    ("LineString", "MultiLineString"),
    ("Point", "MultiPoint"),
)
LEDGER = ("area", "remaining", "cleared", "reduced", "cancelled", "processed", "outside", "overlap")
_SWATH = ("covered", "missed", "assured", "task")


@dataclass
class Content:
    """What a map shows: layers bottom to top, notes for the reader."""

    layers: list[VectorLayer] = field(default_factory=list)
    notes: list[words.Label] = field(default_factory=list)
    withheld: int = 0
    restricted: bool = False

    def add(self, layer: VectorLayer) -> None:
        """Add a layer that has any record."""
        if layer.features:
            self.layers.append(layer)


def content(
    frames: Mapping[str, gpd.GeoDataFrame],
    *,
    coverage: Any,
    issues: gpd.GeoDataFrame | None,
    theme: Theme,
    sensitive: bool,
    methods: Mapping[str, str] | None = None,
) -> Content:
    """All layers of a map.

    Parameters
    ----------
    frames
        Record kind, or name of a result (``covered``, ``missed``, ``assured``, ``task``), or any other name → layer.
    coverage
        What `geotools.coverage` returned for these hazards and releases, or None.
    methods
        The programme's own words for methods of work.
    """
    out = Content()
    kept = {kind: _publishable(frame, out, sensitive=sensitive) for kind, frame in frames.items() if len(frame)}
    kept = {kind: frame for kind, frame in kept.items() if len(frame)}
    _landuse(out, kept.pop("landuse", None), theme)
    hazards, releases = kept.pop("hazards", None), kept.pop("releases", None)
    if coverage is not None and hazards is not None:
        _covered(out, coverage, theme, hazards)
    if hazards is not None:
        _hazards(out, hazards, coverage, theme)
    if releases is not None and (coverage is None or hazards is None):
        out.add(_releases(releases, _counted(releases, coverage, methods), theme))
    for kind in sorted(kept, key=_order):
        _KNOWN.get(kind, _other)(out, kept[kind], theme, kind)
    if issues is not None and len(issues):
        out.add(_issues(issues, frames, theme))
    missing = sum(layer.features - layer.placed for layer in out.layers if layer.spec.id != "issues")
    if missing:
        out.notes.append(words.fill(words.label("note", "without_place"), n=missing))
    if out.withheld:
        out.notes.append(words.fill(words.label("note", "withheld"), n=out.withheld))
    return out


def _order(kind: str) -> tuple[int, str]:
    kinds = (
        *_SWATH,
        "activities",
        "tracks",
        "fixes",
        "samples",
        "marks",
        "finds",
        "accidents",
        "places",
        "targets",
        "signals",
    )
    return (kinds.index(kind) if kind in kinds else len(kinds), kind)


def _publishable(frame: gpd.GeoDataFrame, out: Content, *, sensitive: bool) -> gpd.GeoDataFrame:
    """Without rows whose location is marked as not to be published, unless the caller asked for them."""
    if "safe_to_publish" not in frame:
        return frame
    closed = frame["safe_to_publish"].map(lambda v: v is not None and v is not pd.NA and v == 0).to_numpy(dtype=bool)
    if sensitive:
        out.restricted |= bool(closed.any())
        return frame
    out.withheld += int(closed.sum())
    return frame[~closed]


def _has(frame: gpd.GeoDataFrame, types: tuple[str, ...]) -> np.ndarray:
    return frame.geometry.geom_type.isin(types).to_numpy(dtype=bool)


def _words(vocab: str, group: str, theme: Theme, *, unknown: str = "unknown") -> tuple[ClassRow, ...]:
    rows = [ClassRow(w.key, words.word(vocab, w.key), theme.symbol(group, w.key)) for w in vocabulary(vocab)]
    if unknown not in {r.key for r in rows}:
        rows.append(ClassRow(unknown, words.label("class", "unknown"), theme.symbol(group, unknown)))
    return tuple(rows)


def _keys(frame: gpd.GeoDataFrame, column: str, allowed: tuple[ClassRow, ...], default: str = "unknown") -> list[str]:
    known = {row.key for row in allowed}
    values = frame[column] if column in frame else pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return [v if isinstance(v, str) and v in known else default for v in values]


# ---------------------------------------------------------------------------------------------------------------- hazards


def _class_label(code: str) -> words.Label:
    return words.label("class", code) if words.known("class", code) else words.word("classification", code)


def _hazard_rows(theme: Theme, *, outline: bool) -> tuple[ClassRow, ...]:
    rows = []
    for code in (*(w.key for w in vocabulary("classification")), "unknown"):
        full = words.label("class", "unknown") if code == "unknown" else words.word("classification", code)
        for status in (*(w.key for w in vocabulary("hazard_status")), "unknown"):
            symbol = theme.hazard(code, status)
            if outline and not theme.ended(status):
                symbol = _outline(symbol)
            state = words.label("class", "unknown") if status == "unknown" else words.word("hazard_status", status)
            rows.append(
                ClassRow(
                    f"{code}|{status}",
                    words.join(code if code in words.CODES else _class_label(code), state),
                    symbol,
                    words.join(full, state),
                )
            )
    return tuple(rows)


def _outline(symbol: Any) -> Any:
    from dataclasses import replace

    return replace(symbol, fill_alpha=0.03, hatch="none", order=symbol.order + 22)


def _hazard_keys(frame: gpd.GeoDataFrame) -> list[str]:
    classes, states = set(vocabulary("classification").keys), set(vocabulary("hazard_status").keys)
    code = frame["classification"] if "classification" in frame else pd.Series([None] * len(frame), index=frame.index)
    state = frame["status"] if "status" in frame else pd.Series([None] * len(frame), index=frame.index)
    return [
        f"{c if c in classes else 'unknown'}|{s if s in states else 'unknown'}"
        for c, s in zip(code, state, strict=True)
    ]


def _hazards(out: Content, frame: gpd.GeoDataFrame, coverage: Any, theme: Theme) -> None:
    """Hazards as areas, and those recorded as a point or line as danger points, which have no ground of their own."""
    spots = _has(frame, (*POINT_TYPES, *LINE_TYPES)) & ~frame.geometry.is_empty.to_numpy()
    if spots.any():
        out.add(_hazard_points(frame[spots], theme))
    if not spots.all():
        out.add(_hazard_areas(frame[~spots], coverage, theme))


def _hazard_points(frame: gpd.GeoDataFrame, theme: Theme) -> VectorLayer:
    from dataclasses import replace

    rows = tuple(
        replace(
            row,
            symbol=replace(row.symbol, marker="diamond", size=9, fill=row.symbol.solid, outline="#ffffff", order=75),
        )
        for row in _hazard_rows(theme, outline=False)
    )
    lines = _has(frame, LINE_TYPES)
    shapes = frame.geometry.where(~lines, frame.geometry.representative_point())
    spec = LayerSpec(
        "hazard_points", words.label("layer", "hazard_points"), "hazards", "areas", rows, _hazard_keys,
        date="date_info", search=("id", "name", "place"),
    )  # fmt: skip
    return PointLayer(frame.set_geometry(shapes), spec.title, spec=spec)


def _hazard_areas(frame: gpd.GeoDataFrame, coverage: Any, theme: Theme) -> VectorLayer:
    extra: dict[str, Any] = {}
    if coverage is not None:
        table = coverage.table.drop_duplicates("id").set_index("id")
        ids = [str(v) for v in frame["id"]] if "id" in frame else [""] * len(frame)
        known = table.reindex(ids)
        known = known.where(
            known["area_m2"] > 0
        )  # without ground there is no ledger to show: 0 m² would read as nothing left
        extra = {
            f"ledger_{name}_m2": known[f"{name}_m2"].astype(float).round(1).to_numpy()
            for name in LEDGER
            if f"{name}_m2" in known
        }
    spec = LayerSpec(
        "hazards", words.label("layer", "hazards"), "hazards", "areas", _hazard_rows(theme, outline=coverage is not None), _hazard_keys,
        date="date_info", label="id", ledger=bool(extra), folded=coverage is not None, extra={k: pd.Series(v) for k, v in extra.items()},
    )  # fmt: skip
    return AreaLayer(frame, spec.title, spec=spec)


def _ground_rows(theme: Theme) -> tuple[ClassRow, ...]:
    codes = (*(w.key for w in vocabulary("classification")), "unknown")
    return tuple(
        ClassRow(
            c,
            _class_label(c),
            theme.hazard(c),
            words.label("class", "unknown") if c == "unknown" else words.word("classification", c),
        )
        for c in codes
    )


def _covered(out: Content, coverage: Any, theme: Theme, hazards: gpd.GeoDataFrame | None) -> None:
    """Layers of a coverage: remaining, released, processed, outside, claimed more than once."""
    rows = _ground_rows(theme)
    remaining = coverage.remaining
    since = _days_by_id(hazards)
    left = remaining.assign(date_info=[since.get(str(i)) for i in remaining["id"]]) if len(remaining) else remaining
    if len(left):
        spec = LayerSpec(
            "remaining", words.label("layer", "remaining"), "hazards", "areas", rows, lambda f: _keys(f, "classification", rows),
            columns=("id", "name", "status", "admin1", "place", "date_info", "remaining_m2", "processed_m2", "coverage"), date="date_info",
            extra={"area_m2": left["remaining_m2"].astype(float).round(1).reset_index(drop=True)}, search=(),
        )  # fmt: skip
        out.add(AreaLayer(left, spec.title, spec=spec))
    later = _later(coverage, hazards)
    if len(later):
        bare = tuple(ClassRow(r.key, r.label, r.symbol, adds=f"remaining|{r.key}", bare=True) for r in rows)
        spec = LayerSpec(
            "later", words.label("layer", "remaining"), "", "areas", bare, lambda f: _keys(f, "classification", rows), columns=("since",), date="date",
            inverse=True, undated="late", silent=True, search=(),
            extra={"date": later["date"].reset_index(drop=True), "area_m2": measure.area(later).round(1).reset_index(drop=True)},
        )  # fmt: skip
        out.add(AreaLayer(later, spec.title, spec=spec))
    products = tuple(r for r in _words("product", "area", theme))
    _ground(out, coverage.released, ("released", "released", "net_m2"), products, late=True)
    one = (ClassRow("processed", words.label("layer", "processed"), theme.symbol("area", "processed")),)
    _ground(out, coverage.processed, ("processed", "work", "net_m2"), one)
    one = (ClassRow("outside", words.label("layer", "outside"), theme.symbol("area", "outside")),)
    _ground(out, coverage.outside, ("outside", "released", "outside_m2"), one, visible=False)
    one = (ClassRow("overlaps", words.label("layer", "overlaps"), theme.symbol("area", "overlap")),)
    _ground(out, coverage.overlaps, ("overlaps", "released", "overlap_m2"), one, visible=False)


def _ground(
    out: Content,
    frame: gpd.GeoDataFrame,
    names: tuple[str, str, str],
    rows: tuple[ClassRow, ...],
    *,
    visible: bool = True,
    late: bool = False,
) -> None:
    """One layer of a coverage; `names` are its id, group and column of area."""
    if not len(frame):
        return
    layer, group, area = names
    column = "counted_as" if "counted_as" in frame else "product"
    by = (lambda f: _keys(f, column, rows, "unknown")) if len(rows) > 1 else None
    columns = tuple(c for c in frame.columns if c not in ("area_m2", "geometry", "counted_as"))
    spec = LayerSpec(
        layer, words.label("layer", layer), "releases", group, rows, by, columns=columns, date="date" if "date" in frame else "",
        undated="late" if late else "", extra={"area_m2": frame[area].astype(float).round(1).reset_index(drop=True)},
        visible=visible, search=("id",) if layer == "released" else (),
    )  # fmt: skip
    out.add(AreaLayer(frame, spec.title, spec=spec))


def _days_by_id(hazards: gpd.GeoDataFrame | None) -> dict[str, Any]:
    if hazards is None or "date_info" not in hazards or "id" not in hazards:
        return {}
    days = pd.to_datetime(hazards["date_info"], errors="coerce")
    return {str(i): d for i, d in zip(hazards["id"], days, strict=True) if pd.notna(d)}


def _later(coverage: Any, hazards: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Released ground by the hazard it lay in, drawn as remaining on days before its release."""
    released = coverage.released
    empty = gpd.GeoDataFrame({"classification": [], "date": [], "since": []}, geometry=[], crs=_crs.WGS84)
    if hazards is None or not len(released):
        return empty
    frame = hazards[_has(hazards, AREA_TYPES)]
    if not len(frame):
        return empty
    from geotools.space import geom

    plane = _crs.utm(*_centre(released))
    ground = geom.repair(_crs.transform(frame.geometry.array, frame.crs, plane))
    pieces = geom.repair(_crs.transform(released.geometry.array, released.crs, plane))
    piece, hazard = shapely.STRtree(ground).query(pieces, predicate="intersects")
    shapes = geom.polygonal(shapely.intersection(pieces[piece], ground[hazard]))
    keep = shapely.area(shapes) > 0.05
    piece, hazard, shapes = piece[keep], hazard[keep], shapes[keep]
    order = np.lexsort((hazard, piece))
    days = (
        pd.to_datetime(frame["date_info"], errors="coerce")
        if "date_info" in frame
        else pd.Series([pd.NaT] * len(frame))
    )
    classes = frame["classification"] if "classification" in frame else pd.Series([None] * len(frame))
    table = {
        "classification": classes.to_numpy(dtype=object)[hazard[order]],
        "date": pd.Series(released["date"].to_numpy()[piece[order]]),
        "since": pd.Series(days.to_numpy()[hazard[order]]),
    }
    lonlat = _crs.transform(shapes[order], plane, _crs.WGS84)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(lonlat, crs=_crs.WGS84))


def _centre(frame: gpd.GeoDataFrame) -> tuple[float, float]:
    west, south, east, north = shapely.total_bounds(_crs.to_wgs84(frame).geometry.array)
    return float(west + east) / 2, float(south + north) / 2


def _releases(frame: gpd.GeoDataFrame, counted: list[str], theme: Theme) -> VectorLayer:
    """Release records as they are, where the ground of a coverage is not drawn; what is only processed is not called released."""
    rows = (
        *_words("product", "area", theme),
        ClassRow("processed", words.label("layer", "processed"), theme.symbol("area", "processed")),
    )
    spec = LayerSpec(
        "released",
        words.label("layer", "released"),
        "releases",
        "released",
        rows,
        lambda f: [key if key in {row.key for row in rows} else "unknown" for key in counted],
        date="date",
        undated="late",
        search=("id",),
    )
    return AreaLayer(frame, spec.title, spec=spec)


def _counted(frame: gpd.GeoDataFrame, coverage: Any, methods: Mapping[str, str] | None) -> list[str]:
    """What each release row counts as: as the coverage says where there is one, else its product or ``processed``."""
    waits = _methods.processed_rows(frame, methods)
    products = frame["product"] if "product" in frame else [None] * len(frame)
    own = ["processed" if w else p if isinstance(p, str) else "unknown" for w, p in zip(waits, products, strict=True)]
    if coverage is None or "id" not in frame:
        return own
    ids = frame["id"].astype(str)
    told = dict(zip(coverage.credits["id"].astype(str), coverage.credits["counted_as"], strict=True))
    # rows that share an id cannot be told apart in the ledger: for them the rule itself
    return [o if twice else told.get(i, o) for o, i, twice in zip(own, ids, ids.duplicated(keep=False), strict=True)]


# ------------------------------------------------------------------------------------------------------------- other kinds


def _landuse(out: Content, frame: gpd.GeoDataFrame | None, theme: Theme) -> None:
    if frame is None:
        return
    area, line = frame[_has(frame, AREA_TYPES)], frame[_has(frame, LINE_TYPES)]
    rows = _words("landuse", "landuse", theme, unknown="other")
    if len(area):
        spec = LayerSpec(
            "landuse",
            words.label("layer", "landuse"),
            "landuse",
            "context",
            rows,
            lambda f: _keys(f, "use", rows, "other"),
            columns=("id", "name", "use"),
            quiet=True,
            context=True,
            search=(),
            folded=True,
        )
        out.add(AreaLayer(area, spec.title, spec=spec))
    rows = _words("landuse", "line", theme, unknown="other")
    if len(line):
        spec = LayerSpec(
            "lines",
            words.label("layer", "lines"),
            "landuse",
            "context",
            rows,
            lambda f: _keys(f, "use", rows, "other"),
            columns=("id", "name", "use"),
            quiet=True,
            context=True,
            search=("name",),
        )
        out.add(TrackLayer(line, spec.title, spec=spec))


def _points(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows that are points, or have no place at all."""
    return frame[_has(frame, POINT_TYPES) | frame.geometry.isna().to_numpy()]


def _finds(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = _words("find_category", "find", theme)
    spec = LayerSpec(
        "finds",
        words.label("layer", "finds"),
        kind,
        "finds",
        rows,
        lambda f: _keys(f, "category", rows),
        date="date",
        search=("id", "model"),
        min_zoom=14,
    )
    out.add(PointLayer(_points(frame), spec.title, spec=spec))


def _accidents(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = tuple(
        ClassRow(k, words.label("class", "accident" if k == "unknown" else k), theme.symbol("accident", k))
        for k in ("killed", "injured", "unknown")
    )

    def keys(f: gpd.GeoDataFrame) -> list[str]:
        number = [
            pd.to_numeric(f[c], errors="coerce").fillna(0).to_numpy(dtype=float) if c in f else np.zeros(len(f))
            for c in ("killed", "injured")
        ]
        return ["killed" if k > 0 else "injured" if i > 0 else "unknown" for k, i in zip(*number, strict=True)]

    spec = LayerSpec(
        "accidents", words.label("layer", "accidents"), kind, "finds", rows, keys, date="date", search=("id",)
    )
    out.add(PointLayer(_points(frame), spec.title, spec=spec))


def _places(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = _words("place_type", "place", theme, unknown="other")
    points = (
        frame.assign(**{frame.geometry.name: frame.geometry.representative_point()})
        if _has(frame, AREA_TYPES).any()
        else frame
    )
    spec = LayerSpec(
        "places",
        words.label("layer", "places"),
        kind,
        "context",
        rows,
        lambda f: _keys(f, "type", rows, "other"),
        label="name",
        rank="population" if "population" in frame else "",
        cluster=False,
        search=("name", "id"),
        folded=True,
        min_zoom=10,
    )
    out.add(PointLayer(points, spec.title, spec=spec))


def _marks(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = _words("point_type", "mark", theme, unknown="other")
    spec = LayerSpec(
        "marks",
        words.label("layer", "marks"),
        kind,
        "work",
        rows,
        lambda f: _keys(f, "point_type", rows, "other"),
        visible=False,
        search=("id",),
    )
    out.add(PointLayer(_points(frame), spec.title, spec=spec))


def _samples(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    for name, chosen, group, make in (
        ("samples", _points(frame), "point", PointLayer),
        ("sample_areas", frame[_has(frame, AREA_TYPES)], "area", AreaLayer),
    ):
        if len(chosen):
            rows = tuple(
                ClassRow(w.key, words.word("inspection_result", w.key), theme.symbol(group, f"sample_{w.key}"))
                for w in vocabulary("inspection_result")
            )
            rows = (*rows, ClassRow("unknown", words.label("class", "unknown"), theme.symbol(group, "other")))
            spec = LayerSpec(
                name,
                words.label("layer", name),
                kind,
                "work",
                rows,
                partial(_keys, column="result", allowed=rows),
                date="date",
                visible=False,
                search=("id",),
            )
            out.add(make(chosen, spec.title, spec=spec))


def _activities(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    kinds = (
        ("activities", frame[_has(frame, AREA_TYPES)], "area", AreaLayer),
        ("activity_points", frame[_has(frame, POINT_TYPES)], "point", PointLayer),
        ("activity_lines", frame[_has(frame, LINE_TYPES)], "line", TrackLayer),
    )
    for name, chosen, group, make in kinds:
        if len(chosen):
            spec = LayerSpec(
                name,
                words.label("layer", name),
                kind,
                "work",
                (ClassRow("", words.label("layer", name), theme.symbol(group, "activity")),),
                date="start" if "start" in chosen else "",
                search=("id", "name"),
            )
            out.add(make(chosen, spec.title, spec=spec))


def _tracks(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    spec = LayerSpec(
        "tracks",
        words.label("layer", "tracks"),
        kind,
        "work",
        (ClassRow("", words.label("layer", "tracks"), theme.symbol("line", "track")),),
        visible=False,
        search=("id",),
    )
    out.add(TrackLayer(frame[_has(frame, LINE_TYPES)], spec.title, spec=spec))


def _dots(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    symbol = theme.symbol("point", {"fixes": "fix", "targets": "target", "signals": "signal"}[kind])
    spec = LayerSpec(
        kind,
        words.label("layer", kind),
        kind,
        "work",
        (ClassRow("", words.label("layer", kind), symbol),),
        visible=False,
        cluster=False,
        search=(),
    )
    out.add(PointLayer(frame[_has(frame, POINT_TYPES)], spec.title, spec=spec))


def _result(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    spec = LayerSpec(
        kind,
        words.label("layer", kind),
        "",
        "work",
        (ClassRow("", words.label("layer", kind), theme.symbol("area", kind)),),
        search=("id", "task_id"),
    )
    out.add(AreaLayer(frame[_has(frame, AREA_TYPES)], spec.title, spec=spec))


def _other(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    """A layer the trade has no symbols for: plain, switched on, under its own name."""
    for types, group, make in (
        (AREA_TYPES, "area", AreaLayer),
        (LINE_TYPES, "line", TrackLayer),
        (POINT_TYPES, "point", PointLayer),
    ):
        chosen = frame[_has(frame, types)]
        if len(chosen):
            spec = LayerSpec(
                f"{kind}-{group}",
                words.label("layer", kind),
                "",
                "work",
                (ClassRow("", words.label("layer", kind), theme.symbol(group, "other")),),
                search=("id", "name"),
            )
            out.add(make(chosen, spec.title, spec=spec))


_KNOWN = {
    "finds": _finds, "accidents": _accidents, "places": _places, "marks": _marks, "samples": _samples, "activities": _activities, "tracks": _tracks,
    "fixes": _dots, "targets": _dots, "signals": _dots, **dict.fromkeys(_SWATH, _result),
}  # fmt: skip


def _issues(issues: gpd.GeoDataFrame, frames: Mapping[str, gpd.GeoDataFrame], theme: Theme) -> VectorLayer:
    """Issues at their place, or at the record they are about."""
    rows = _words("severity", "issue", theme, unknown="info")
    lonlat = _crs.to_wgs84(issues) if issues.crs is not None else issues.set_crs(_crs.WGS84)
    places = {
        (kind, str(i)): g
        for kind, frame in frames.items()
        if "id" in frame and frame.crs is not None
        for i, g in zip(frame["id"], _crs.to_wgs84(frame).geometry, strict=True)
    }
    shapes = []
    for kind, i, shape in zip(lonlat["kind"], lonlat["id"], lonlat.geometry, strict=True):
        found = shape if shape is not None and not shape.is_empty else places.get((str(kind), str(i)))
        shapes.append(
            None
            if found is None or found.is_empty
            else found
            if found.geom_type == "Point"
            else found.representative_point()
        )
    frame = gpd.GeoDataFrame(
        {c: lonlat[c].to_numpy() for c in issues.columns if c != issues.geometry.name},
        geometry=gpd.GeoSeries(shapes, crs=_crs.WGS84),
    )
    spec = LayerSpec(
        "issues",
        words.label("layer", "issues"),
        "issues",
        "issues",
        rows,
        lambda f: _keys(f, "severity", rows, "info"),
        columns=("id", "severity", "check", "kind", "column", "message", "value", "limit"),
        visible=False,
        search=("id",),
    )
    return PointLayer(frame, spec.title, spec=spec)
