"""What a caller hands over, as layers that can be drawn: names once, text that a file can hold, places on earth.

For careless frames in Python; a row that cannot be drawn stays in the table and is named, never dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.maps.webmap import words
from geotools.model.errors import CRSError, MapError
from geotools.model.schema import KINDS, Issue
from geotools.model.schema.names import whole_text, with_single_names
from geotools.space import crs as _crs

# A column that tells the kind of a layer given without a name.
TELLING = {
    "classification": "hazards",
    "product": "releases",
    "category": "finds",
    "killed": "accidents",
    "injured": "accidents",
    "point_type": "marks",
}
NAMED_IN_NOTE = 20


def frames_of(source: Any) -> dict[str, gpd.GeoDataFrame]:
    """Kind → layer of a survey, a mapping or a single layer; layers that are None are left out.

    Raises
    ------
    MapError
        If it is none of these, or a column that the map draws by is there twice with different values.
    """
    if isinstance(source, pd.DataFrame):
        layers: Any = {next((k for c, k in TELLING.items() if c in source.columns), "layer"): source}
    else:
        layers = source if isinstance(source, Mapping) else getattr(source, "layers", None)
    if not isinstance(layers, Mapping):
        raise MapError(
            f"a map is drawn of a survey or of layers, not of a {type(source).__name__}",
            hint='give layers by kind, for example gt.map({"hazards": frame})',
        )
    return {whole_text(str(kind)): _layer(str(kind), frame) for kind, frame in layers.items() if frame is not None}


def _layer(kind: str, frame: Any) -> gpd.GeoDataFrame:
    if isinstance(frame, gpd.GeoSeries):
        frame = gpd.GeoDataFrame(geometry=frame)
    if not isinstance(frame, pd.DataFrame):
        raise MapError(f"layer '{kind}' is a {type(frame).__name__}, not a table of records")
    out = with_single_names(_without_copies(kind, frame))
    if not isinstance(out, gpd.GeoDataFrame) or not out.active_geometry_name:
        out = gpd.GeoDataFrame(out, geometry=gpd.GeoSeries([None] * len(out), index=out.index, crs=_crs.WGS84))
    elif out.crs is None and bool((out.geometry.isna() | out.geometry.is_empty).all()):
        out = out.set_crs(_crs.WGS84)
    broken = {c: _whole(out[c]) for c in out.columns if out[c].dtype == object and not _holdable(out[c])}
    return out.assign(**broken) if broken else out


def _without_copies(kind: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column that is there twice with the same values once."""
    if frame.columns.is_unique:
        return frame
    keep = np.ones(len(frame.columns), dtype=bool)
    flat = pd.DataFrame(frame)
    for at in np.flatnonzero(frame.columns.duplicated()).tolist():
        name = frame.columns[at]
        first: Any = flat.iloc[:, list(frame.columns).index(name)]
        if first.equals(flat.iloc[:, at]):
            keep[at] = False
        elif kind in KINDS and str(name) in KINDS[kind].names:
            raise MapError(
                f"layer '{kind}' has more than one column '{name}', and they differ: it cannot be told which one is right",
                hint="remove or rename one of them",
            )
    return frame.loc[:, keep]


def _holdable(values: pd.Series) -> bool:
    try:
        "".join(v for v in values if isinstance(v, str)).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _whole(values: pd.Series) -> pd.Series:
    return values.map(lambda v: whole_text(v) if isinstance(v, str) else v).astype(object)


def on_earth(frames: Mapping[str, gpd.GeoDataFrame]) -> tuple[dict[str, gpd.GeoDataFrame], list[Issue]]:
    """The layers, rows numbered, without geometry that is no place on earth, and an issue for every such row."""
    out, issues = {}, []
    for kind, given in frames.items():
        frame = out[kind] = given.reset_index(drop=True)
        lost = np.flatnonzero(_nowhere(frame)) if frame.crs is not None else np.zeros(0, dtype=int)
        if not len(lost):
            continue
        shapes = np.asarray(frame.geometry.array, dtype=object).copy()
        shapes[lost] = None
        out[kind] = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
        for row in lost:
            name = str(frame["id"].iloc[row]) if "id" in frame else f"row-{row + 1}"
            issues.append(
                Issue(
                    "MP-01", "error", kind, name, "geometry", "its coordinates are no place on earth; it is not drawn"
                )
            )
    return out, issues


def _nowhere(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Rows with a coordinate that is not finite, or outside the world."""
    array = np.asarray(frame.geometry.array, dtype=object)
    coords, owner = shapely.get_coordinates(array, return_index=True)
    lost = np.zeros(len(array), dtype=bool)
    lost[owner[~np.isfinite(coords).all(axis=1)]] = True
    box: Any = shapely.bounds(array)
    if not frame.crs.is_geographic:
        box, odd = _corners(box, frame.crs)
        for row in np.flatnonzero(odd & ~lost):  # a corner of the box may have no image where the shape has one
            try:
                box[row] = shapely.bounds(_crs.transform(array[[row]], frame.crs, _crs.WGS84))[0]
            except CRSError:
                lost[row] = True
    with np.errstate(invalid="ignore"):
        outside = (box[:, 0] < -180.000001) | (box[:, 2] > 360) | (np.abs(box[:, 1::2]) > 90.000001).any(axis=1)
    return lost | outside


def _corners(box: np.ndarray, source: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bounds in WGS 84 from the four corners, and the rows where a corner has no image or lies outside the world."""
    change = _crs.transformer(_crs.code_or_wkt(source), "EPSG:4326")
    x, y = box[:, [0, 2, 2, 0]].ravel(), box[:, [1, 1, 3, 3]].ravel()
    there = np.isfinite(x) & np.isfinite(y)
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if there.any():
        lon[there], lat[there] = change.transform(x[there], y[there])
    lon4, lat4 = (v.reshape(-1, 4) for v in (lon, lat))
    bounds = np.column_stack([lon4.min(axis=1), lat4.min(axis=1), lon4.max(axis=1), lat4.max(axis=1)])
    full = np.isfinite(box).all(axis=1)
    with np.errstate(invalid="ignore"):
        odd = full & (~np.isfinite(bounds).all(axis=1) | (np.abs(bounds[:, 1::2]) > 90.000001).any(axis=1))
    return bounds, odd


def notes(issues: list[Issue]) -> list[words.Label]:
    """For the reader of the page: which records are not drawn, by id."""
    if not issues:
        return []
    named = [f"{i.kind} {i.id}" for i in issues[:NAMED_IN_NOTE]]
    more = f" … +{len(issues) - len(named)}" if len(issues) > len(named) else ""
    return [words.fill(words.label("note", "off_earth"), n=len(issues), ids=", ".join(named) + more)]
