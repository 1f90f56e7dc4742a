"""People near hazardous ground, each counted once: rings are drawn around the union of a task's polygons.

For counts within distances with what is not known; not for how much a person weighs in a decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model.arguments import layer
from geotools.model.doors import checked
from geotools.model.errors import SchemaError, StatisticsError
from geotools.space import crs as _crs
from geotools.space import geom

DISTANCES_M = (100.0, 500.0, 1000.0)
LIVED_IN = ("settlement", "camp")  # kinds of place that have people even where no figure is given
CORNERS = 32  # segments per quarter of a ring drawn around areas


@dataclass(frozen=True)
class People:
    """People within distances.

    ``table`` has one row per task and columns ``id`` and, for each distance, ``people_100_m`` with ``_low`` and ``_high``; all missing where the
    task has no ground. ``totals`` has the same figures for all tasks together: a person near two tasks counts once.
    ``unknown`` is how many lived-in places have no population.

    Examples
    --------
    >>> ground = gpd.GeoDataFrame({"id": ["A"]}, geometry=[shapely.box(680000, 4380000, 680100, 4380100)], crs=32638)
    >>> homes = gpd.GeoDataFrame({"population": [50, None]}, geometry=gpd.points_from_xy([680150, 680120], [4380050, 4380050]), crs=32638)
    >>> found = people_within(ground, homes, distances_m=[100])
    >>> found.table["people_100_m_low"].tolist(), found.unknown
    ([50.0], 1)
    """

    table: pd.DataFrame
    totals: pd.Series
    unknown: int


@checked
def people_within(
    tasks: gpd.GeoDataFrame,
    population: gpd.GeoDataFrame,
    *,
    distances_m: Sequence[float] = DISTANCES_M,
    unknown: tuple[float, float] | None = None,
) -> People:
    """Count people within distances of each task, and of all tasks together.

    Parameters
    ----------
    tasks
        ``id`` and polygons, any CRS; several rows of one id are one task and are joined first.
    population
        ``population`` with points (a place counts whole where its point is near) or polygons (a share of the people by area).
        Places without a figure count as unknown if they are lived in (``type`` settlement or camp, or no type).
    distances_m
        From the boundary of the task; ground inside it is at distance 0.
    unknown
        Fewest and most people of a place without a figure; default 0 and the most of any known place.

    Raises
    ------
    SchemaError
        If ``id`` or ``population`` is missing.
    StatisticsError
        If a distance is negative.

    Examples
    --------
    >>> ground = gpd.GeoDataFrame({"id": ["A", "B"]}, geometry=[shapely.box(0, 0, 100, 100)] * 2, crs=32638)
    >>> ground = ground.translate(680000, 4380000).to_frame("geometry").assign(id=["A", "B"])
    >>> homes = gpd.GeoDataFrame({"population": [50]}, geometry=[shapely.Point(680150, 4380050)], crs=32638)
    >>> found = people_within(ground, homes, distances_m=[100])
    >>> found.table["people_100_m"].tolist(), float(found.totals["people_100_m"])
    ([50.0, 50.0], 50.0)
    """
    if "id" not in tasks or "population" not in population:
        raise SchemaError("tasks need a column 'id', and places a column 'population'")
    if any(d < 0 for d in distances_m):
        raise StatisticsError("a distance is not negative")
    areas = joined(tasks)
    plane = plane_of(areas)
    shapes = on_plane(areas, plane)
    lived, counts, missing = _lived_in(population, unknown)
    ground = on_plane(lived, plane)
    table = pd.DataFrame({"id": areas["id"].to_numpy()})
    everything = shapely.union_all(shapes[~shapely.is_missing(shapes)]) if len(shapes) else shapely.Polygon()
    totals: dict[str, float] = {}
    for distance in distances_m:
        shares = _shares(shapes, ground, distance)
        whole = _shares(np.array([everything], dtype=object), ground, distance)
        for ending, values in zip(("", "_low", "_high"), counts, strict=True):
            name = f"people_{distance:g}_m{ending}"
            table[name] = np.where(shapely.is_missing(shapes), np.nan, shares @ values)
            totals[name] = float((whole @ values)[0])
    return People(table, pd.Series(totals, name="people"), missing)


def joined(tasks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One row per id with the union of its ground, repaired; None where there is none. Sorted by id."""
    frame = gpd.GeoDataFrame(
        {"id": tasks["id"].astype(str).to_numpy()},
        geometry=np.asarray(tasks.geometry.array, dtype=object),
        crs=_crs.require(tasks),
    )
    frame.geometry = gpd.GeoSeries(geom.repair(np.asarray(frame.geometry.array, dtype=object)), crs=frame.crs)
    rows: dict[str, list[Any]] = {}
    for name, shape in zip(frame["id"], frame.geometry, strict=True):
        rows.setdefault(name, []).extend([shape] if shape is not None and not shape.is_empty else [])
    names = sorted(rows)
    shapes = [None if not rows[n] else rows[n][0] if len(rows[n]) == 1 else shapely.union_all(rows[n]) for n in names]
    return gpd.GeoDataFrame({"id": names}, geometry=gpd.GeoSeries(shapes, crs=frame.crs))


def plane_of(areas: gpd.GeoDataFrame) -> Any:
    """An equal-area plane for these tasks; lengths on it are right to 1 in 5,000 within 250 km of its middle."""
    shapes = np.asarray(_crs.to_wgs84(areas).geometry.array, dtype=object)
    bounds = shapely.total_bounds(shapes) if len(shapes) else np.zeros(4)
    west, south, east, north = np.nan_to_num(bounds).tolist()
    return _crs.equal_area((west, south, east, north))


def on_plane(frame: gpd.GeoDataFrame, plane: Any) -> np.ndarray:
    """Geometries of a layer on the plane; None stays None, empty becomes None."""
    shapes = np.asarray(layer(frame, "a layer of what is near").geometry.array, dtype=object).copy()
    shapes[shapely.is_empty(shapes)] = None
    shapes = np.asarray(geom.repair(shapes), dtype=object)
    return _crs.to_equal_area(shapes, _crs.require(frame), plane) if len(shapes) else shapes


def _lived_in(
    population: gpd.GeoDataFrame, unknown: tuple[float, float] | None
) -> tuple[gpd.GeoDataFrame, tuple[np.ndarray, np.ndarray, np.ndarray], int]:
    """Places with people, and their numbers: best guess, fewest, most."""
    number = pd.to_numeric(population["population"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    number = np.where(number >= 0, number, np.nan)
    kind = population["type"] if "type" in population else pd.Series(None, index=population.index, dtype=object)
    keep = np.isfinite(number) | (kind.isna() | kind.isin(LIVED_IN)).to_numpy()
    number = number[keep]
    known = number[np.isfinite(number)]
    low, high = unknown if unknown is not None else (0.0, float(known.max()) if len(known) else np.nan)
    guess = float(np.clip(np.median(known), low, high)) if len(known) else (low + high) / 2
    missing = ~np.isfinite(number)
    counts = tuple(np.where(missing, filler, number) for filler in (guess, low, high))
    return population[keep], (counts[0], counts[1], counts[2]), int(missing.sum())


def _shares(shapes: np.ndarray, ground: np.ndarray, distance: float) -> Any:
    """Which share of each place lies within a distance of each task, as a sparse matrix (tasks × places)."""
    from scipy import sparse

    if not len(shapes) or not len(ground):
        return sparse.csr_matrix((len(shapes), len(ground)))
    tree = shapely.STRtree(ground)
    task, place = tree.query(shapes, predicate="dwithin", distance=distance)
    share = np.ones(len(task))
    area = np.isin(shapely.get_type_id(ground[place]), geom.POLYGONAL)
    if area.any():
        rings = shapely.buffer(shapes, distance, quad_segs=CORNERS) if distance else shapes
        pieces = shapely.area(shapely.intersection(rings[task[area]], ground[place[area]]))
        share[area] = pieces / np.maximum(shapely.area(ground[place[area]]), 1e-12)
    return sparse.csr_matrix((np.minimum(share, 1.0), (task, place)), shape=(len(shapes), len(ground)))
