"""Frames as RFC 7946 text: one collection, or one feature per line. Not for making columns plain (see `io.writing`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.io.geojson.rounding import to_rfc7946
from geotools.model.schema import KINDS
from geotools.model.vocab import fold


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write RFC 7946 GeoJSON: WGS 84, right-hand rule, 7 decimals, ``id`` member, no ``crs``."""
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
        stream.write(
            '{"type": "FeatureCollection", "name": ' + json.dumps(layer, ensure_ascii=False) + ', "features": ['
        )
        for number, feature in enumerate(features_text(frame)):
            stream.write((",\n" if number else "\n") + feature)
        stream.write("\n]}\n")


def write_sequence(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write one RFC 7946 feature per line; with RS characters (RFC 8142) if the file is called .geojsons."""
    mark = "\x1e" if path.suffix.lower() == ".geojsons" else ""
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
        for feature in features_text(frame):
            stream.write(f"{mark}{feature}\n")
        if frame.empty:
            stream.write("\n")  # a file of no bytes is one that was not copied whole


def features_text(frame: gpd.GeoDataFrame) -> Iterator[str]:
    """Each row of a plain frame (see `io.writing.plain`) as the text of an RFC 7946 feature.

    Examples
    --------
    >>> frame = gpd.GeoDataFrame({"id": ["a"], "n": [1]}, geometry=[shapely.Point(47.123456789, 39)], crs="EPSG:4326")
    >>> next(features_text(frame))
    '{"type": "Feature", "id": "a", "properties": {"n": 1}, "geometry": {"type":"Point","coordinates":[47.1234568,39.0]}}'
    """
    shapes = to_rfc7946(frame)
    texts = shapely.to_geojson(shapes)
    names = [name for name in frame.columns if name not in ("id", frame.geometry.name)]
    if "id" in frame and _other_keys().intersection(map(fold, names)):  # else a reader takes that column for the key
        names = ["id", *names]
    columns = [[json_value(v) for v in frame[name]] for name in names]
    ids = [json_value(v) for v in frame["id"]] if "id" in frame else None
    keys = [json.dumps(name, ensure_ascii=False) for name in names]
    for row in range(len(frame)):
        body = ", ".join(
            f"{key}: {json.dumps(column[row], ensure_ascii=False)}" for key, column in zip(keys, columns, strict=True)
        )
        head = f'"id": {json.dumps(ids[row], ensure_ascii=False)}, ' if ids is not None and ids[row] is not None else ""
        yield f'{{"type": "Feature", {head}"properties": {{{body}}}, "geometry": {texts[row] or "null"}}}'


@cache
def _other_keys() -> frozenset[str]:
    """Names under which the key comes in files and that are no column of a schema themselves."""
    own = {fold(name) for schema in KINDS.values() for name in schema.names if name != "id"}
    return frozenset(s for schema in KINDS.values() for s, name in schema.by_spelling.items() if name == "id") - own | {
        "id"
    }


def json_value(value: Any) -> Any:
    """A cell as JSON holds it: missing and not-a-number are null, dates and instants ISO text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
