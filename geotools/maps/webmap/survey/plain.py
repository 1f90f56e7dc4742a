"""Layers the trade has no symbols for: plain colours that differ, or classes of one column, words or numbers.

For an analyst's own frames; record kinds of the trade are in the files beside this one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.maps.symbols import Symbol, Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import AreaLayer, ClassRow, LayerSpec, PointLayer, TrackLayer
from geotools.maps.webmap.survey.content import Content
from geotools.maps.webmap.survey.rows import AREA_TYPES, LINE_TYPES, POINT_TYPES, has

# Colours that people with any colour vision tell apart, none of them the red and orange of hazardous ground.
DISTINCT = (
    "#3b6fa8",
    "#5d8a3a",
    "#8a5a9e",
    "#2f8f8b",
    "#a07b2c",
    "#6b7280",
    "#b0548a",
    "#3f5aa6",
    "#7a9a1f",
    "#5b7f95",
)
# From light to dark, for numbers.
RAMP = ("#dcebf3", "#a9cfe2", "#6aa9cb", "#3479a9", "#174a7c")
MOST_WORDS = 10
STEPS = len(RAMP)


def plain_layers(out: Content, frame: gpd.GeoDataFrame, theme: Theme, name: str, *, by: str = "") -> None:
    """One layer per type of geometry, under its own name, in a colour of its own or by the classes of a column."""
    number = sum(layer.spec.group == "other" for layer in out.layers)
    keys, classes = _classes(frame, by)
    for types, group, make in (
        (AREA_TYPES, "area", AreaLayer),
        (LINE_TYPES, "line", TrackLayer),
        (POINT_TYPES, "point", PointLayer),
    ):
        chosen = has(frame, types)
        if not chosen.any():
            continue
        base = theme.symbol(group, "other")
        title = words.label("layer", name)
        if classes:
            rows = tuple(ClassRow(k, text, _tinted(base, color, group)) for k, text, color in classes)
            mine = [k for k, ok in zip(keys, chosen, strict=True) if ok]
        else:
            rows = (ClassRow("", title, _tinted(base, DISTINCT[number % len(DISTINCT)], group)),)
            mine = [""] * int(chosen.sum())
        if classes:
            said = by.replace("_", " ").strip()
            title = said if name == "layer" else words.join(title, said)
        spec = LayerSpec(
            f"{name}-{group}", title, "", "other", rows,
            partial(_given, mine), search=("id", "name"), label="name" if group == "area" and "name" in frame else "",
        )  # fmt: skip
        out.add(make(frame[chosen], spec.title, spec=spec))


def _given(keys: list[str], _: gpd.GeoDataFrame) -> list[str]:
    return keys


def _tinted(base: Symbol, color: str, group: str) -> Symbol:
    """A symbol in a colour, with an outline dark enough to be seen on any ground."""
    r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    while 0.2126 * r + 0.7152 * g + 0.0722 * b > 110:
        r, g, b = int(r * 0.85), int(g * 0.85), int(b * 0.85)
    dark = f"#{r:02x}{g:02x}{b:02x}"
    if group == "area":
        light = color in RAMP
        return replace(base, fill=color, fill_alpha=0.85 if light else 0.3, outline=dark, width=1.2, solid=color)
    if group == "line":
        return replace(base, outline=dark, width=2.0, solid=dark, casing="#ffffff")
    return replace(base, fill=color, solid=color, outline=dark if color in RAMP else base.outline)


def _classes(frame: gpd.GeoDataFrame, by: str) -> tuple[list[str], list[tuple[str, words.Label, str]]]:
    """Class key of each row, and the classes: key, text, colour. No classes where the frame has no such column."""
    if not by or by not in frame.columns:
        return [], []
    values = frame[by]
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return _steps(pd.to_numeric(values, errors="coerce").astype(float))
    text = ["" if v is None or pd.isna(v) else str(v) for v in values]
    common = pd.Series([t for t in text if t], dtype=object).value_counts()
    kept = sorted(sorted(common.index, key=lambda k: (-int(common[k]), k))[:MOST_WORDS])
    keys = ["" if not t else t if t in kept else "\0other" for t in text]
    classes: list[tuple[str, words.Label, str]] = [(k, k, DISTINCT[n % len(DISTINCT)]) for n, k in enumerate(kept)]
    if "\0other" in keys:
        classes.append(("\0other", words.label("class", "other"), "#9aa3ab"))
    return keys, _with_unknown(keys, classes)


def _steps(values: pd.Series) -> tuple[list[str], list[tuple[str, words.Label, str]]]:
    """Up to five classes with about as many rows each; a few different numbers are classes of their own."""
    known = values[np.isfinite(values)]
    if not len(known):
        return [""] * len(values), _with_unknown([""], [])
    single = np.unique(known)
    if len(single) <= STEPS:
        at = np.searchsorted(single, values.fillna(single[0]))
        texts = [f"{v:g}" for v in single]
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, STEPS + 1)))
        at = np.clip(np.searchsorted(edges, values.fillna(edges[0]), side="right") - 1, 0, len(edges) - 2)
        texts = [f"{a:.4g} – {b:.4g}" for a, b in pairwise(edges)]
    keys = [str(int(n)) if np.isfinite(v) else "" for n, v in zip(at, values, strict=True)]
    colors = [RAMP[round(n * (STEPS - 1) / max(1, len(texts) - 1))] for n in range(len(texts))]
    classes: list[Any] = [(str(n), text, color) for n, (text, color) in enumerate(zip(texts, colors, strict=True))]
    return keys, _with_unknown(keys, classes)


def _with_unknown(keys: list[str], classes: list[Any]) -> list[tuple[str, words.Label, str]]:
    return [*classes, ("", words.label("class", "unknown"), "#c9ced2")] if "" in keys else classes
