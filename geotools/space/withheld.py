"""Which records would give a withheld place away: they lie on it or are linked to it. One rule for maps and packages.

For records and their links only; what the mark of a record means is in `geotools.model.publishing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.space import crs as _crs

NEAR_M = 2.0  # a vertex closer than this to a withheld one would give it away
CONTEXT = ("places", "landuse", "roads")
TASKS = "tasks-named"
# Column → what it names.
LINKS: Mapping[str, tuple[str, ...]] = {
    "hazard_id": ("hazards",), "feature_id": ("hazards", "activities", "releases"), "parent_id": ("hazards",), "supersedes_id": ("hazards",),
    "activity_id": ("activities",), "task_id": ("activities", TASKS), "release_id": ("releases",), "other_id": ("releases",),
}  # fmt: skip
# Layer of results or of team files → the kind whose ids it bears.
KIND_OF = {
    "remaining": "hazards", "released": "releases", "processed": "releases", "outside": "releases", "overlaps": "releases",
    "tasks": "activities", "roads": "landuse",
}  # fmt: skip
FREE_TEXT = (
    "note", "name", "links", "place", "source", "status_changed_reason", "description", "message", "remarks",
)  # fmt: skip
_SHORT = 3  # a shorter id, such as "1", is a word of any text


def revealing(
    layers: Mapping[str, gpd.GeoDataFrame],
    closed: Mapping[str, Iterable[str]],
    ground: Any,
    *,
    edges: Any = None,
) -> dict[str, np.ndarray]:
    """Rows that lie on withheld ground or are linked to a withheld record, through other records as well.

    Parameters
    ----------
    layers
        Kind → records, in any CRS. Hazards are left alone: no hazard is hidden for the sake of another.
    closed
        Kind → ids that are withheld to begin with.
    ground
        Withheld shapes in WGS 84; what lies within 2 m of one is on it.
    edges
        Shapes in WGS 84 that places and land use may not draw; default: the ground itself.

    Returns
    -------
    dict
        Layer → whether each row is to stay behind. A record is followed through its task only where it names no hazard
        of its own that is open to be seen.

    Examples
    --------
    >>> none = gpd.GeoSeries([None], crs="EPSG:4326")
    >>> work = gpd.GeoDataFrame({"id": ["A-1"], "hazard_id": ["H-9"]}, geometry=none)
    >>> finds = gpd.GeoDataFrame({"id": ["F-1"], "activity_id": ["A-1"]}, geometry=none)
    >>> {k: v.tolist() for k, v in revealing({"finds": finds, "activities": work}, {"hazards": ["H-9"]}, []).items()}
    {'finds': [True], 'activities': [True]}
    """
    keys: dict[str, set[str]] = {kind: {str(i) for i in ids} for kind, ids in closed.items()}
    spots = np.array([*ground, None], dtype=object)[:-1]
    borders = spots if edges is None else np.array([*edges, None], dtype=object)[:-1]
    others = {name: frame for name, frame in layers.items() if name != "hazards"}
    out = {name: _on(frame, borders if name in CONTEXT else spots) for name, frame in others.items()}
    grown = True
    while grown:
        grown = False
        for name, frame in others.items():
            mine = keys.setdefault(KIND_OF.get(name, name), set())
            found = out[name] | _among(frame, "id", mine) | _linked(frame, keys)
            out[name] = found
            grown |= _grow(mine, frame, "id", found)
            if KIND_OF.get(name, name) == "activities":
                grown |= _grow(keys.setdefault(TASKS, set()), frame, "task_id", found)
    return out


def unlinked(frame: gpd.GeoDataFrame, closed: Mapping[str, Iterable[str]]) -> gpd.GeoDataFrame:
    """The records without links to withheld ones, and without free text that names a withheld hazard.

    Examples
    --------
    >>> rows = gpd.GeoDataFrame({"id": ["H-1"], "parent_id": ["H-9"], "note": ["north of H-9"]}, geometry=gpd.GeoSeries([None]))
    >>> unlinked(rows, {"hazards": ["H-9"]})[["parent_id", "note"]].isna().all(axis=None).item()
    True
    """
    keys = {kind: {str(i) for i in ids} for kind, ids in closed.items()}
    changed = {}
    for column, kinds in LINKS.items():
        gone = _among(frame, column, set().union(*(keys.get(kind, set()) for kind in kinds)))
        if gone.any():
            changed[column] = frame[column].astype(object).where(~gone, None)
    for column in (c for c in FREE_TEXT if c in frame):
        gone = naming(frame[column], keys.get("hazards", set()))
        if gone.any():
            changed[column] = frame[column].astype(object).where(~gone, None)
    return frame.assign(**changed) if changed else frame


def naming(texts: Iterable[Any], ids: Iterable[str]) -> np.ndarray:
    """Which texts name one of the ids; ids of one or two characters are not looked for.

    Examples
    --------
    >>> naming(["see H-9.", "H-90", None], {"H-9"}).tolist()
    [True, False, False]
    """
    cells = list(texts)
    told = sorted((i for i in ids if len(i) >= _SHORT), key=len, reverse=True)
    if not told:
        return np.zeros(len(cells), dtype=bool)
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, told)) + r")(?!\w)", re.IGNORECASE)
    seen = {text: pattern.search(text) is not None for text in {c for c in cells if isinstance(c, str)}}
    return np.array([isinstance(c, str) and seen[c] for c in cells], dtype=bool)


def distance(shapes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """About how many metres each shape is from the nearest of the others, both in WGS 84; infinite where there is none.

    Examples
    --------
    >>> a, b = (np.array([shapely.Point(47.0, lat)]) for lat in (39.5, 39.501))
    >>> distance(a, b).round().tolist(), distance(a, b[:0]).tolist()
    ([111.0], [inf])
    """
    near = np.full(len(shapes), np.inf)
    spots = [s for s in others if s is not None and not s.is_empty]
    if not spots:
        return near
    joined = shapely.geometrycollections(spots)
    lat = float(np.cos(np.radians(joined.bounds[1] + joined.bounds[3]) / 2))
    stretch = np.array([111_200 * max(lat, 0.05), 111_200.0])
    flat = shapely.transform(shapes, lambda xy: xy * stretch)
    tree = shapely.STRtree(shapely.transform(np.array(spots, dtype=object), lambda xy: xy * stretch))
    (rows, _), metres = tree.query_nearest(flat, return_distance=True, all_matches=False)
    near[rows] = metres
    return near


def _on(frame: gpd.GeoDataFrame, spots: np.ndarray) -> np.ndarray:
    if not len(frame) or not len(spots) or not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        return np.zeros(len(frame), dtype=bool)
    shapes = np.array(_crs.to_wgs84(frame).geometry.array, dtype=object)
    return np.asarray(distance(shapes, spots) <= NEAR_M, dtype=bool)


def _among(frame: pd.DataFrame, column: str, ids: set[str]) -> np.ndarray:
    if column not in frame or not ids:
        return np.zeros(len(frame), dtype=bool)
    return np.array([not pd.isna(v) and str(v) in ids for v in frame[column].to_numpy(dtype=object)], dtype=bool)


def _linked(frame: pd.DataFrame, keys: Mapping[str, set[str]]) -> np.ndarray:
    out = np.zeros(len(frame), dtype=bool)
    for column, kinds in LINKS.items():
        found = _among(frame, column, set().union(*(keys.get(kind, set()) for kind in kinds)))
        if column == "task_id" and "hazard_id" in frame and found.any():
            found &= frame["hazard_id"].isna().to_numpy(dtype=bool) | _among(
                frame, "hazard_id", keys.get("hazards", set())
            )
        out |= found
    return out


def _grow(keys: set[str], frame: pd.DataFrame, column: str, rows: np.ndarray) -> bool:
    """Add what the rows bear in a column; whether anything was new."""
    if column not in frame or not rows.any():
        return False
    more = {str(v) for v in frame[column].to_numpy(dtype=object)[rows] if not pd.isna(v)} - keys
    keys |= more
    return bool(more)
