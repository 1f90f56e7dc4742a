"""`compare`: what changed between two states of a survey, as one map with a divider between old and new.

For showing ground that was added, reopened or released; the figures of each state come from its own ledger.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geotools.maps.symbols import theme as _theme
from geotools.maps.webmap import survey as _survey
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import AreaLayer, ClassRow, LayerSpec
from geotools.maps.webmap.page import (
    MapOptions,
    OfflineMap,
    _information_day,
    _known_on,
    _ledger,
    _no_ground,
    _pictures,
)
from geotools.maps.webmap.sources import frames_of, notes, on_earth
from geotools.model.schema import Issue
from geotools.space import crs as _crs
from geotools.space import geom, measure

CHANGED_M2 = 1.0  # thinner differences come from rounding of coordinates
SLIVER_M = 0.05
_KINDS = ("hazards", "releases")


def compare(
    old: Any, new: Any, *, days: tuple[Any, Any] = (None, None), names: tuple[str, str] = ("", ""), **settings: Any
) -> OfflineMap:
    """A map with the old state left and the new state right of a divider, and the changes as layers of their own.

    Parameters
    ----------
    old, new
        Two surveys, or the same survey with two `days`.
    days
        As-of day of each; None: all that is recorded.
    names
        What to call them; default: their as-of days.
    **settings
        See `MapOptions`.

    Returns
    -------
    OfflineMap
        Layers ``added`` (ground that was not hazardous, or was released, and now remains) and ``gone`` (ground that
        remained and no longer does), and the remaining and released ground of both states.

    Raises
    ------
    MapError
        As `map_survey`.
    """
    options = MapOptions.of(settings)
    theme = _theme(options.theme)
    made = OfflineMap(options)
    states = [_state(s, day) for s, day in zip((old, new), days, strict=True)]
    programme = getattr(new, "programme", None)
    methods = programme.words.get("method") if programme is not None else None
    for side, (frames, coverage, lost) in zip(("old", "new"), states, strict=True):
        content = _survey.content(
            frames, coverage=coverage, issues=None, theme=theme, sensitive=options.sensitive, methods=methods
        )
        for layer in content.layers:
            if layer.spec.id in ("hazards", "hazard_points", "remaining", "released"):
                layer.spec = replace(
                    layer.spec,
                    id=f"{side}-{layer.spec.id}",
                    side=side,
                    date="",
                    title=words.join(layer.spec.title, _name(side, days, names)),
                )
                made.add_child(layer)
        if side == "new":
            made.page.notes = [*notes(lost), *content.notes]
            made.page.no_ground = _no_ground(frames.get("hazards"), coverage)
    for name, frame in changes(
        *(coverage_or_hazards for coverage_or_hazards in (_ground(*s[:2]) for s in states))
    ).items():
        if len(frame):
            spec = LayerSpec(
                name,
                words.label("layer", name),
                "",
                "compare",
                (ClassRow("", words.label("layer", name), theme.symbol("area", name)),),
                search=("id",),
                side="new",
            )
            made.add_child(AreaLayer(frame, spec.title, spec=spec))
    made.page.compare = {"old": _name("old", days, names), "new": _name("new", days, names)}
    made.page.title = options.title or (
        programme.texts.get("title", programme.name) if programme is not None else "geotools"
    )
    made.page.as_of = _information_day(states[1][0], days[1])
    _pictures(made, new, options)
    return made


def _name(side: str, days: tuple[Any, Any], names: tuple[str, str]) -> str:
    at = 0 if side == "old" else 1
    return str(days[at] or Path(names[at]).stem or side)


def _state(survey: Any, day: Any) -> tuple[dict[str, gpd.GeoDataFrame], Any, list[Issue]]:
    frames, lost = on_earth(frames_of(survey))
    shown = {k: _known_on(frames[k], day) for k in _KINDS if k in frames}
    ledger = _ledger(frames, shown, None, day, getattr(survey, "programme", None))
    return shown, ledger, [i for i in lost if i.kind in shown]


def _ground(frames: dict[str, gpd.GeoDataFrame], coverage: Any) -> gpd.GeoDataFrame:
    """Remaining ground of a state; all recorded hazards where there is no ledger."""
    empty = gpd.GeoDataFrame({"id": []}, geometry=[], crs=_crs.WGS84)
    return coverage.remaining if coverage is not None else frames.get("hazards", empty)


def changes(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Ground that remains only in one of two states, one row per hazard.

    Returns
    -------
    dict
        ``added`` and ``gone``: frames in WGS 84 with ``id`` and ``area_m2``.

    Examples
    --------
    >>> one = gpd.GeoDataFrame({"id": ["H-1"]}, geometry=[shapely.box(46.7, 39.8, 46.71, 39.81)], crs="EPSG:4326")
    >>> {name: len(frame) for name, frame in changes(one, one).items()}
    {'added': 0, 'gone': 0}
    """
    boxes = [shapely.total_bounds(_crs.to_wgs84(f).geometry.array) for f in (old, new) if len(f)]
    if not boxes:
        boxes = [np.zeros(4)]
    low, high = np.nanmin(boxes, axis=0), np.nanmax(boxes, axis=0)
    plane = _crs.utm((low[0] + high[2]) / 2, (low[1] + high[3]) / 2)
    shapes = [geom.repair(_crs.transform(f.geometry.array, _crs.require(f), plane)) for f in (old, new)]
    return {"added": _only(new, shapes[1], shapes[0], plane), "gone": _only(old, shapes[0], shapes[1], plane)}


def _only(frame: gpd.GeoDataFrame, mine: np.ndarray, theirs: np.ndarray, plane: Any) -> gpd.GeoDataFrame:
    """The part of each row that lies in none of the others."""
    out = mine.copy()
    one, other = shapely.STRtree(theirs).query(mine, predicate="intersects")
    for index in np.unique(one):
        out[index] = shapely.difference(mine[index], shapely.union_all(theirs[other[one == index]]))
    out = geom.polygonal(
        shapely.buffer(shapely.buffer(out, -SLIVER_M, join_style="mitre"), SLIVER_M, join_style="mitre")
    )
    keep = ~shapely.is_missing(out) & (shapely.area(out) >= CHANGED_M2)
    ids = frame["id"].to_numpy(dtype=object)[keep] if "id" in frame else np.arange(len(frame))[keep].astype(str)
    lonlat = _crs.transform(out[keep], plane, _crs.WGS84)
    changed = gpd.GeoDataFrame({"id": ids}, geometry=gpd.GeoSeries(lonlat, crs=_crs.WGS84))
    return changed.assign(area_m2=measure.area(changed).round(1)) if len(changed) else changed


__all__ = ["changes", "compare"]
