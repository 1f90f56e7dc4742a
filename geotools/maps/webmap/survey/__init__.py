"""Which layers a survey and its coverage show, in which classes and order; the door of this room.

For turning the trade's records into layers; not for encoding them (see `layers`) or for the page (see `page`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.history import history
from geotools.maps.webmap.survey.content import Content, Veil, veiled
from geotools.maps.webmap.survey.ground import covered, released_records
from geotools.maps.webmap.survey.hazards import hazard_layers
from geotools.maps.webmap.survey.issues import issue_layer, open_issues
from geotools.maps.webmap.survey.records import landuse, other_layers

# Kinds shown unless the caller says which; the others hold raw positions or training data.
SHOWN = ("hazards", "releases", "activities", "tracks", "finds", "accidents", "samples", "marks", "places", "landuse")


def content(
    frames: Mapping[str, gpd.GeoDataFrame],
    *,
    coverage: Any,
    issues: gpd.GeoDataFrame | None,
    theme: Theme,
    sensitive: bool,
    methods: Mapping[str, str] | None = None,
    day: Any = None,
    by: str = "",
    veil: Veil | None = None,
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
    day
        As-of day of the map, None: all that is recorded.
    by
        Column that classes layers of no known kind.
    veil
        What is withheld, where more is known than these frames (see `veiled`).
    """
    hidden = veiled(frames) if veil is None else veil
    out = Content(restricted=sensitive and bool(hidden.marked), veil=Veil() if sensitive else hidden)
    kept = {kind: out.open(frame, kind) for kind, frame in frames.items() if len(frame)}
    kept = {kind: frame for kind, frame in kept.items() if len(frame)}
    landuse(out, kept.pop("landuse", None), theme)
    hazards, releases = kept.pop("hazards", None), kept.pop("releases", None)
    past = history(coverage) if coverage is not None and hazards is not None else None
    if hazards is not None:
        if past is not None:
            covered(out, coverage, theme, hazards, past)
        hazard_layers(out, hazards, coverage, theme, past=past, day=day)
    if releases is not None and past is None:
        out.add(released_records(releases, theme, coverage, methods))
    other_layers(out, kept, theme, by=by)
    if issues is not None and len(issues):
        told = open_issues(issues, out.veil)
        out.withheld += len(issues) - len(told)
        out.add(issue_layer(told, frames, theme))
    _notes(out, past is None or past.complete)
    return out


def _notes(out: Content, complete: bool) -> None:
    missing = sum(layer.features - layer.placed for layer in out.layers if layer.spec.id != "issues")
    if missing:
        out.notes.append(words.fill(words.label("note", "without_place"), n=missing))
    if out.withheld:
        out.notes.append(words.fill(words.label("note", "withheld"), n=out.withheld))
    if not complete:
        out.notes.append(words.label("note", "last_ground"))


__all__ = ["SHOWN", "Content", "Veil", "content", "veiled"]
