"""`compare`: what changed between two states of a survey, as one map with a divider between old and new.

For showing ground that was added, reopened, released or withdrawn; the figures of each state come from its own ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
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
        Two surveys (or anything `map_survey` takes), or the same survey with two `days`.
    days
        As-of day of each; None: all that is recorded.
    names
        What to call them; default: their as-of days.
    **settings
        See `MapOptions`.

    Returns
    -------
    OfflineMap
        Layers ``added`` (remains now, was in no recorded hazard), ``reopened`` (remains now, was released or otherwise closed in a
        recorded hazard), ``gone`` (remained, is released now) and ``withdrawn`` (remained, is in the records no longer and was
        not released: nothing shows that it is safe), and the remaining and released ground of both states.

    Raises
    ------
    MapError
        As `map_survey`.

    Examples
    --------
    >>> import tempfile
    >>> from geotools.maps.webmap import save
    >>> old = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)
    >>> new = old.set_geometry([shapely.box(47, 39.5, 47.002, 39.501)])
    >>> made = compare({"hazards": old}, {"hazards": new}, names=("May", "June"))
    >>> save(made, Path(tempfile.mkdtemp(), "changes.html")).name
    'changes.html'
    """
    programme = getattr(new, "programme", None)
    options = MapOptions.of(settings).spoken(programme)
    theme = _theme(options.theme)
    made = OfflineMap(options)
    given = [on_earth(frames_of(survey)) for survey in (old, new)]
    states = [_state(*g, s, day) for g, s, day in zip(given, (old, new), days, strict=True)]
    veils = _veils([frames for frames, _ in given])
    methods = programme.words.get("method") if programme is not None else None
    for side, (frames, coverage, lost) in zip(("old", "new"), states, strict=True):
        content = _survey.content(
            frames,
            coverage=coverage,
            issues=None,
            theme=theme,
            sensitive=options.sensitive,
            methods=methods,
            day=days[0 if side == "old" else 1],
            veil=veils[0 if side == "old" else 1],
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
            lost = [i for i in lost if not content.veil.hides(i.kind, i.id)]
            made.page.notes = [*notes(lost), *content.notes]
            made.page.no_ground = _no_ground(frames.get("hazards"), coverage)
    for name, frame in changes(
        *(_ground(*s[:2], v) for s, v in zip(states, [_survey.Veil()] * 2 if options.sensitive else veils, strict=True))
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


def _name(side: str, days: tuple[Any, Any], names: tuple[str, str]) -> words.Label:
    """A day in the reader's own form, else the name that was given."""
    at = 0 if side == "old" else 1
    said = str(days[at] or Path(names[at]).stem or side)
    try:
        return words.day(date.fromisoformat(said[:10] if days[at] else said))
    except ValueError:
        return said


def _state(
    frames: dict[str, gpd.GeoDataFrame], lost: list[Issue], survey: Any, day: Any
) -> tuple[dict[str, gpd.GeoDataFrame], Any, list[Issue]]:
    shown = {k: _known_on(frames[k], day) for k in _KINDS if k in frames}
    ledger = _ledger(frames, shown, None, day, getattr(survey, "programme", None))
    return shown, ledger, [i for i in lost if i.kind in shown]


def _veils(frames: list[dict[str, gpd.GeoDataFrame]]) -> list[_survey.Veil]:
    """What each state withholds: a record that is withheld in one of them is withheld in both."""
    first = [_survey.veiled(layers) for layers in frames]
    return [_survey.veiled(layers, first) for layers in frames]


@dataclass(frozen=True)
class Ground:
    """What a state knows of the ground: what remains, what was ever recorded as hazardous, what was released."""

    remaining: gpd.GeoDataFrame
    hazards: gpd.GeoDataFrame
    released: gpd.GeoDataFrame


def _ground(frames: dict[str, gpd.GeoDataFrame], coverage: Any, veil: _survey.Veil) -> Ground:
    """The ground of a state without withheld records; all recorded hazards remain where there is no ledger."""
    empty = gpd.GeoDataFrame({"id": []}, geometry=[], crs=_crs.WGS84)
    hazards = veil.open(frames.get("hazards", empty), "hazards")
    if coverage is None:
        return Ground(hazards, hazards, empty)
    if veil.nameless:
        return Ground(empty, hazards, empty)
    return Ground(veil.result(coverage.remaining, "remaining"), hazards, veil.result(coverage.released, "released"))


def changes(old: Ground, new: Ground) -> dict[str, gpd.GeoDataFrame]:
    """Ground that remains only in one of two states, one row per hazard, by what became of it.

    Returns
    -------
    dict
        ``added``, ``reopened``, ``gone`` and ``withdrawn``: frames in WGS 84 with ``id`` and ``area_m2``.

    Examples
    --------
    >>> one = gpd.GeoDataFrame({"id": ["H-1"]}, geometry=[shapely.box(46.7, 39.8, 46.71, 39.81)], crs="EPSG:4326")
    >>> none = one.iloc[:0]
    >>> {name: len(frame) for name, frame in changes(Ground(none, one, one), Ground(one, one, none)).items()}
    {'added': 0, 'reopened': 1, 'gone': 0, 'withdrawn': 0}
    """
    frames = (old.remaining, new.remaining, old.hazards, new.released)
    boxes = [shapely.total_bounds(_crs.to_wgs84(f).geometry.array) for f in frames if len(f)]
    boxes = [box for box in boxes if np.isfinite(box).all()] or [np.zeros(4)]
    low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
    plane = _crs.utm((low[0] + high[2]) / 2, (low[1] + high[3]) / 2)
    was, now, recorded, released = (_on_plane(f, plane) for f in frames)
    more, less = _minus(now, was), _minus(was, now)
    return {
        "added": _frame(new.remaining, _minus(more, recorded), plane),
        "reopened": _frame(new.remaining, _within(more, recorded), plane),
        "gone": _frame(old.remaining, _within(less, released), plane),
        "withdrawn": _frame(old.remaining, _minus(less, released), plane),
    }


def _on_plane(frame: gpd.GeoDataFrame, plane: Any) -> np.ndarray:
    if not len(frame):
        return np.zeros(0, dtype=object)
    return geom.polygonal(geom.repair(_crs.transform(frame.geometry.array, _crs.require(frame), plane)))


def _minus(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The part of each shape that lies in none of the others."""
    return _cut(mine, theirs, shapely.difference, keep=True)


def _within(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The part of each shape that lies in any of the others."""
    return _cut(mine, theirs, shapely.intersection, keep=False)


def _cut(mine: np.ndarray, theirs: np.ndarray, how: Any, *, keep: bool) -> np.ndarray:
    out = mine.copy() if keep else np.full(len(mine), shapely.Polygon(), dtype=object)
    if not len(mine) or not len(theirs):
        return out
    one, other = shapely.STRtree(theirs).query(mine, predicate="intersects")
    for index in np.unique(one):
        out[index] = how(mine[index], shapely.union_all(theirs[other[one == index]]))
    return geom.polygonal(out)


def _frame(rows: gpd.GeoDataFrame, shapes: np.ndarray, plane: Any) -> gpd.GeoDataFrame:
    """The shapes that are more than rounding, with the id of their hazard."""
    thin = shapely.buffer(shapely.buffer(shapes, -SLIVER_M, join_style="mitre"), SLIVER_M, join_style="mitre")
    out = geom.polygonal(thin) if len(shapes) else shapes
    keep = ~shapely.is_missing(out) & (shapely.area(out) >= CHANGED_M2) if len(out) else np.zeros(0, dtype=bool)
    ids = rows["id"].to_numpy(dtype=object)[keep] if "id" in rows else np.arange(len(rows))[keep].astype(str)
    lonlat = _crs.transform(out[keep], plane, _crs.WGS84) if keep.any() else out[keep]
    changed = gpd.GeoDataFrame({"id": ids}, geometry=gpd.GeoSeries(lonlat, crs=_crs.WGS84))
    return changed.assign(area_m2=measure.area(changed).round(1)) if len(changed) else changed


__all__ = ["Ground", "changes", "compare"]
