"""The ground of a coverage: remaining, released, processed, outside and claimed more than once, on any day of the slider.

For layers of results; hazards as recorded are in `hazards`, the pieces of earlier days come from `history`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.history import History
from geotools.maps.webmap.layers import AreaLayer, ClassRow, LayerSpec, VectorLayer
from geotools.maps.webmap.survey.content import Content
from geotools.maps.webmap.survey.rows import class_rows, ground_rows, keys
from geotools.model import methods as _methods

# Layer of a coverage → (group in the panel, column of its area, whether it is switched on).
_LAYERS = {
    "released": ("released", "net_m2", True),
    "processed": ("work", "net_m2", True),
    "outside": ("released", "outside_m2", False),
    "overlaps": ("released", "overlap_m2", False),
}


def covered(out: Content, coverage: Any, theme: Theme, hazards: gpd.GeoDataFrame, past: History) -> None:
    """Layers of a coverage; ground of a withheld hazard, or linked to it, is in the figures only."""
    if out.veil.nameless:
        return  # withheld rows without ids cannot be told apart in the ledger
    rows = ground_rows(theme)
    left = out.veil.result(coverage.remaining, "remaining")
    _remaining(out, left, rows, _days_by_id(hazards), past.since.get("remaining", {}))
    earlier = {name: out.veil.result(frame, name) for name, frame in past.earlier.items()}
    _then(out, "remaining", earlier.get("remaining"), rows, always=not len(left))
    for name in _LAYERS:
        frame = out.veil.result(getattr(coverage, name), name)
        classes = _classes(name, theme)
        if name == "overlaps":
            frame = _once(_with_day(frame, coverage), coverage)
        _ground(out, name, frame, classes, past.since.get(name, {}))
        _then(out, name, earlier.get(name), classes, always=not len(frame))


def _classes(name: str, theme: Theme) -> tuple[ClassRow, ...]:
    if name == "released":
        return class_rows("product", "area", theme)
    symbol = theme.symbol("area", "overlap" if name == "overlaps" else name)
    return (ClassRow(name, words.label("layer", name), symbol),)


def _remaining(
    out: Content,
    frame: gpd.GeoDataFrame,
    rows: tuple[ClassRow, ...],
    days: Mapping[str, Any],
    since: Mapping[str, Any],
) -> None:
    if not len(frame):
        return
    left = frame.assign(date_info=[days.get(str(i)) for i in frame["id"]])
    spec = LayerSpec(
        "remaining", words.label("layer", "remaining"), "hazards", "areas", rows, lambda f: keys(f, "classification", rows),
        columns=("id", "name", "status", "admin1", "place", "date_info", "remaining_m2", "processed_m2", "coverage"), date="date_info",
        extra={"area_m2": left["remaining_m2"].astype(float).round(2).reset_index(drop=True), **_since(left, since)}, search=(),
    )  # fmt: skip
    out.add(AreaLayer(left, spec.title, spec=spec))


def _ground(
    out: Content, name: str, frame: gpd.GeoDataFrame, rows: tuple[ClassRow, ...], since: Mapping[str, Any]
) -> None:
    """One layer of what was claimed; rows without a date are shown on the last day only."""
    if not len(frame):
        return
    group, area, visible = _LAYERS[name]
    column = "counted_as" if "counted_as" in frame else "product"
    by = (lambda f: keys(f, column, rows, "unknown")) if len(rows) > 1 else None
    extra: dict[str, Any] = {
        "area_m2": frame["once_m2" if name == "overlaps" else area].astype(float).round(2).reset_index(drop=True),
        **_since(frame, since),
    }
    spec = LayerSpec(
        name, words.label("layer", name), "releases", group, rows, by, date="date", undated="late", extra=extra, visible=visible,
        columns=tuple(c for c in frame.columns if c not in ("area_m2", "once_m2", "geometry", "counted_as")),
        search=("id",) if name == "released" else (), told=("product",) if name == "released" else (),
    )  # fmt: skip
    out.add(AreaLayer(frame, spec.title, spec=spec))


def _then(
    out: Content, name: str, pieces: gpd.GeoDataFrame | None, rows: tuple[ClassRow, ...], *, always: bool = False
) -> None:
    """Ground that belonged to a layer only before the last day, drawn with that layer and counted in its legend.

    Parameters
    ----------
    always
        There is nothing of the layer on the last day: the pieces are a layer of their own.
    """
    if pieces is None or not len(pieces):
        return
    one = len(rows) == 1
    bare = tuple(ClassRow(r.key, r.label, r.symbol, adds="" if always else f"{name}|{r.key}", bare=True) for r in rows)
    group = "areas" if name == "remaining" else _LAYERS[name][0]
    spec = LayerSpec(
        name if always else f"{name}-then", words.label("layer", name), "", group, bare,
        (lambda f: [rows[0].key] * len(f)) if one else (lambda f: keys(f, "class", rows)),
        columns=("since",), date="until", inverse=True, undated="late", silent=not always, twin="" if always else name, search=(),
        visible=name == "remaining" or _LAYERS[name][2],
        extra={"until": pieces["until"].reset_index(drop=True), "area_m2": pieces["area_m2"].round(2).reset_index(drop=True)},
    )  # fmt: skip
    out.add(AreaLayer(pieces, spec.title, spec=spec))


def _with_day(overlaps: gpd.GeoDataFrame, coverage: Any) -> gpd.GeoDataFrame:
    """With the day from which ground was claimed twice: that of the later claim, none if either has none."""
    days = dict(zip(coverage.credits["id"].astype(str), pd.to_datetime(coverage.credits["date"]), strict=True))
    pairs = [(days.get(str(a)), days.get(str(b))) for a, b in zip(overlaps["id"], overlaps["other_id"], strict=True)]
    when = [None if any(d is None or pd.isna(d) for d in pair) else max(pair) for pair in pairs]  # type: ignore[type-var]
    return overlaps.assign(date=pd.Series(when, dtype="datetime64[s]", index=overlaps.index))


def _once(overlaps: gpd.GeoDataFrame, coverage: Any) -> gpd.GeoDataFrame:
    """With the m² of each pair that no earlier pair of the same later claim holds: three claims of one place are two claims
    too many, not three, and the rows of the layer add up to the total of the ledger."""
    order = overlaps.sort_values(["date", "other_id"], kind="stable", na_position="last").index
    ids = overlaps["id"].astype(str)
    often = set(coverage.credits["id"].astype(str)[coverage.credits["id"].duplicated(keep=False)])
    once = overlaps["overlap_m2"].astype(float).copy()
    for name, rows in ids.loc[order].groupby(ids.loc[order], sort=False).groups.items():
        if len(rows) < 2 or name in often:  # acts that share an id cannot be told apart
            continue
        shapes = overlaps.geometry.loc[rows].to_numpy()
        before = shapes[0]
        for row, shape in zip(rows[1:], shapes[1:], strict=True):
            whole = shapely.area(shape)
            held = shapely.area(shapely.intersection(shape, before)) / whole if whole > 0 else 0.0
            once[row] *= 1 - min(held, 1.0)
            before = shapely.union(before, shape)
    return overlaps.assign(once_m2=once)


def _since(frame: gpd.GeoDataFrame, since: Mapping[str, Any]) -> dict[str, Any]:
    """The day from which a row is shown, where that is not its own date."""
    days = [since.get(str(i)) for i in frame["id"]]
    if all(day is None for day in days):
        return {}
    when = np.array(["NaT" if day is None else np.datetime64(int(day), "D") for day in days], dtype="datetime64[D]")
    return {"since": pd.Series(when.astype("datetime64[s]"))}


def _days_by_id(hazards: gpd.GeoDataFrame) -> dict[str, Any]:
    if "date_info" not in hazards or "id" not in hazards:
        return {}
    days = pd.to_datetime(hazards["date_info"], errors="coerce")
    return {str(i): d for i, d in zip(hazards["id"], days, strict=True) if pd.notna(d)}


def released_records(
    frame: gpd.GeoDataFrame, theme: Theme, coverage: Any, methods: Mapping[str, str] | None
) -> VectorLayer:
    """Release records as they are, where the ground of a coverage is not drawn; what is only processed is not called released."""
    counted = _counted(frame, coverage, methods)
    rows = (
        *class_rows("product", "area", theme),
        ClassRow("processed", words.label("layer", "processed"), theme.symbol("area", "processed")),
    )
    known = {row.key for row in rows}
    spec = LayerSpec(
        "released", words.label("layer", "released"), "releases", "released", rows,
        lambda f: [key if key in known else "unknown" for key in counted],
        date="date", undated="late", search=("id",), told=("product",),
    )  # fmt: skip
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
