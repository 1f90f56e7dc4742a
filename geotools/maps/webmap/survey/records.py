"""Layers of the other record kinds and of results by name: context, finds, accidents, work, tracks, swaths.

For turning those records into layers; hazards and the ground of a coverage are in `hazards` and `ground`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import AreaLayer, ClassRow, LayerSpec, PointLayer, TrackLayer
from geotools.maps.webmap.survey.content import Content
from geotools.maps.webmap.survey.plain import plain_layers
from geotools.maps.webmap.survey.rows import AREA_TYPES, LINE_TYPES, POINT_TYPES, class_rows, has, keys
from geotools.model.vocab import vocabulary

RESULTS = ("covered", "missed", "assured", "task")
_ORDER = (
    *RESULTS,
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
# Columns that say when ground was worked, the last first: it counts from then, not from when the work began.
_DAYS = ("end", "date", "day", "time", "start")


def other_layers(out: Content, kept: Mapping[str, gpd.GeoDataFrame], theme: Theme, *, by: str = "") -> None:
    """Layers of everything but hazards, releases and land use, in the order of the panel; `by` classes those of no known kind."""
    for kind in sorted(kept, key=lambda k: (_ORDER.index(k) if k in _ORDER else len(_ORDER), k)):
        if kind in _KNOWN:
            _KNOWN[kind](out, kept[kind], theme, kind)
        else:
            plain_layers(out, kept[kind], theme, kind, by=by)


def _day_column(frame: gpd.GeoDataFrame) -> str:
    return next((c for c in _DAYS if c in frame and frame[c].notna().any()), "")


def landuse(out: Content, frame: gpd.GeoDataFrame | None, theme: Theme) -> None:
    """Land use and roads, below everything else."""
    if frame is None:
        return
    area, line = frame[has(frame, AREA_TYPES)], frame[has(frame, LINE_TYPES)]
    rows = class_rows("landuse", "landuse", theme, unknown="other")
    if len(area):
        spec = LayerSpec(
            "landuse",
            words.label("layer", "landuse"),
            "landuse",
            "context",
            rows,
            lambda f: keys(f, "use", rows, "other"),
            told=("use",),
            columns=("id", "name", "use"),
            quiet=True,
            context=True,
            search=(),
            folded=True,
        )
        out.add(AreaLayer(area, spec.title, spec=spec))
    rows = class_rows("landuse", "line", theme, unknown="other")
    if len(line):
        spec = LayerSpec(
            "lines",
            words.label("layer", "lines"),
            "landuse",
            "context",
            rows,
            lambda f: keys(f, "use", rows, "other"),
            told=("use",),
            columns=("id", "name", "use"),
            quiet=True,
            context=True,
            search=("name",),
        )
        out.add(TrackLayer(line, spec.title, spec=spec))


def _points(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows that are points, or have no place at all."""
    return frame[has(frame, POINT_TYPES) | frame.geometry.isna().to_numpy()]


def _finds(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = class_rows("find_category", "find", theme)
    spec = LayerSpec(
        "finds",
        words.label("layer", "finds"),
        kind,
        "finds",
        rows,
        lambda f: keys(f, "category", rows),
        date="date",
        told=("category",),
        search=("id", "model"),
        min_zoom=14,
    )
    out.add(PointLayer(_points(frame), spec.title, spec=spec))


def _accidents(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = tuple(
        ClassRow(k, words.label("class", "accident" if k == "unknown" else k), theme.symbol("accident", k))
        for k in ("killed", "injured", "unknown")
    )

    def harm(f: gpd.GeoDataFrame) -> list[str]:
        number = [
            pd.to_numeric(f[c], errors="coerce").fillna(0).to_numpy(dtype=float) if c in f else np.zeros(len(f))
            for c in ("killed", "injured")
        ]
        return ["killed" if k > 0 else "injured" if i > 0 else "unknown" for k, i in zip(*number, strict=True)]

    spec = LayerSpec(
        "accidents", words.label("layer", "accidents"), kind, "finds", rows, harm, date="date", search=("id",)
    )
    out.add(PointLayer(_points(frame), spec.title, spec=spec))


def _places(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = class_rows("place_type", "place", theme, unknown="other")
    points = (
        frame.assign(**{frame.geometry.name: frame.geometry.representative_point()})
        if has(frame, AREA_TYPES).any()
        else frame
    )
    spec = LayerSpec(
        "places",
        words.label("layer", "places"),
        kind,
        "context",
        rows,
        lambda f: keys(f, "type", rows, "other"),
        told=("type",),
        label="name",
        rank="population" if "population" in frame else "",
        cluster=False,
        search=("name", "id"),
        folded=True,
        min_zoom=10,
    )
    out.add(PointLayer(points, spec.title, spec=spec))


def _marks(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    rows = class_rows("point_type", "mark", theme, unknown="other")
    spec = LayerSpec(
        "marks",
        words.label("layer", "marks"),
        kind,
        "work",
        rows,
        lambda f: keys(f, "point_type", rows, "other"),
        told=("point_type",),
        visible=False,
        search=("id",),
    )
    out.add(PointLayer(_points(frame), spec.title, spec=spec))


def _samples(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    for name, chosen, group, make in (
        ("samples", _points(frame), "point", PointLayer),
        ("sample_areas", frame[has(frame, AREA_TYPES)], "area", AreaLayer),
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
                partial(keys, column="result", allowed=rows),
                date="date",
                undated="late",
                visible=False,
                search=("id",),
                told=("result",),
            )
            out.add(make(chosen, spec.title, spec=spec))


def _activities(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    kinds = (
        ("activities", frame[has(frame, AREA_TYPES)], "area", AreaLayer),
        ("activity_points", frame[has(frame, POINT_TYPES)], "point", PointLayer),
        ("activity_lines", frame[has(frame, LINE_TYPES)], "line", TrackLayer),
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
                undated="late",
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
        date=_day_column(frame),
        undated="late",
        visible=False,
        search=("id",),
    )
    out.add(TrackLayer(frame[has(frame, LINE_TYPES)], spec.title, spec=spec))


def _dots(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    symbol = theme.symbol("point", {"fixes": "fix", "targets": "target", "signals": "signal"}[kind])
    spec = LayerSpec(
        kind,
        words.label("layer", kind),
        kind,
        "work",
        (ClassRow("", words.label("layer", kind), symbol),),
        date="time" if kind == "fixes" and "time" in frame else "",
        undated="late" if kind == "fixes" else "",
        visible=False,
        cluster=False,
        search=(),
    )
    out.add(PointLayer(frame[has(frame, POINT_TYPES)], spec.title, spec=spec))


def _result(out: Content, frame: gpd.GeoDataFrame, theme: Theme, kind: str) -> None:
    spec = LayerSpec(
        kind,
        words.label("layer", kind),
        "",
        "work",
        (ClassRow("", words.label("layer", kind), theme.symbol("area", kind)),),
        date=_day_column(frame),
        undated="" if kind == "task" else "late",
        search=("id", "task_id"),
    )
    out.add(AreaLayer(frame[has(frame, AREA_TYPES)], spec.title, spec=spec))


_KNOWN = {
    "finds": _finds, "accidents": _accidents, "places": _places, "marks": _marks, "samples": _samples, "activities": _activities, "tracks": _tracks,
    "fixes": _dots, "targets": _dots, "signals": _dots, **dict.fromkeys(RESULTS, _result),
}  # fmt: skip
