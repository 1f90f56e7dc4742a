"""Hazards as recorded: areas, danger points, and the ledger line of each on any day.

For the records themselves; the ground that remains or was released is in `ground`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.history import ALWAYS, NEVER, History
from geotools.maps.webmap.history import LEDGER as MOVING
from geotools.maps.webmap.layers import AreaLayer, LayerSpec, PointLayer, VectorLayer, whole_stays
from geotools.maps.webmap.survey.content import Content
from geotools.maps.webmap.survey.rows import LINE_TYPES, POINT_TYPES, has, hazard_keys, hazard_rows

Keys = Callable[[gpd.GeoDataFrame], list[str]]
LEDGER = ("area", "remaining", "cleared", "reduced", "cancelled", "processed", "outside", "overlap")


def hazard_layers(
    out: Content, frame: gpd.GeoDataFrame, coverage: Any, theme: Theme, *, past: History | None = None, day: Any = None
) -> None:
    """Hazards as areas, and those recorded as a point or line as danger points, which have no ground of their own."""
    keys = partial(hazard_keys, theme=theme, day=day)
    spots = has(frame, (*POINT_TYPES, *LINE_TYPES)) & ~frame.geometry.is_empty.to_numpy()
    if spots.any():
        out.add(_points(frame[spots], theme, keys))
    if not spots.all():
        out.add(_areas(frame[~spots], coverage, (theme, keys), past))


def _points(frame: gpd.GeoDataFrame, theme: Theme, keys: Keys) -> VectorLayer:
    rows = tuple(
        replace(
            row,
            symbol=replace(row.symbol, marker="diamond", size=9, fill=row.symbol.solid, outline="#ffffff", order=75),
        )
        for row in hazard_rows(theme, outline=False)
    )
    lines = has(frame, LINE_TYPES)
    shapes = frame.geometry.where(~lines, frame.geometry.representative_point())
    spec = LayerSpec(
        "hazard_points", words.label("layer", "hazard_points"), "hazards", "areas", rows, keys,
        date="date_info", search=("id", "name", "place"), told=("classification", "status"),
    )  # fmt: skip
    return PointLayer(frame.set_geometry(shapes), spec.title, spec=spec)


def _areas(frame: gpd.GeoDataFrame, coverage: Any, look: tuple[Theme, Keys], past: History | None) -> VectorLayer:
    theme, keys = look
    extra, book = ({}, {}) if coverage is None else _ledger(frame, coverage, past)
    spec = LayerSpec(
        "hazards", words.label("layer", "hazards"), "hazards", "areas", hazard_rows(theme, outline=coverage is not None), keys,
        date="date_info", label="id", ledger=bool(extra), folded=coverage is not None, extra=extra, book=book, told=("classification", "status"),
    )  # fmt: skip
    return AreaLayer(frame, spec.title, spec=spec)


def _ledger(frame: gpd.GeoDataFrame, coverage: Any, past: History | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ledger line of each hazard on the last day, and its movements before."""
    table = coverage.table.drop_duplicates("id").set_index("id")
    ids = [str(v) for v in frame["id"]] if "id" in frame else [""] * len(frame)
    known = table.reindex(ids)
    known = known.where(known["area_m2"] > 0)  # without ground there is no ledger to show: 0 m² would read as all done
    extra = {
        f"ledger_{name}_m2": pd.Series(whole_stays(known[f"{name}_m2"].astype(float)).to_numpy())
        for name in LEDGER
        if f"{name}_m2" in known
    }
    return extra, _movements(ids, past)


def _movements(ids: list[str], past: History | None) -> dict[str, Any]:
    """Feature, day (None: from the beginning; -1 as a step: only on the last day), figure and m² of every movement."""
    if past is None or not past.complete:
        return {}
    row = {name: n for n, name in enumerate(ids)}
    moves = past.book[past.book["id"].isin(list(row)) & past.book["figure"].isin(list(MOVING))]
    days = moves["day"].to_numpy(dtype=np.int64)
    return {
        "f": [row[i] for i in moves["id"]],
        "d": ["first" if d == ALWAYS else "last" if d == NEVER else int(d) for d in days.tolist()],
        "k": [MOVING.index(k) for k in moves["figure"]],
        "m2": moves["m2"].astype(float).round(2).tolist(),
        "figures": list(MOVING),
    }
