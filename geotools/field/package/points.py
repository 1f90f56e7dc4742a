"""Turning points of a boundary, marks and the approach lane: numbers, positions, distances and bearings in three norths.

For tables and waypoints; numbering is that of the map sheet (clockwise from the first vertex, TP01). Not for drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.field.package.cargo import Cargo, placed
from geotools.space import crs as _crs
from geotools.space.declination import convergence_deg, declination_deg

COLUMNS = (
    "feature", "point", "ring", "lat_deg", "lon_deg", "mgrs", "utm", "to_point", "distance_m", "bearing_true_deg",
    "bearing_grid_deg", "bearing_magnetic_deg", "recorded_mark",
)  # fmt: skip
SHORT = {"landmark": "LM", "reference": "RP", "benchmark": "BM", "start": "SP", "end": "EP"}
SAME_M = 1.0
INTO_M = 1.0


@dataclass(frozen=True)
class Points:
    """What a team walks by.

    Parameters
    ----------
    table
        One row per turning point with `COLUMNS`; distances on the ground, bearings from the stated north.
    marks
        Recorded marks of the features with a short ``label`` (LM, BM, SP, …), WGS 84.
    approaches
        ``feature``, line from landmark over benchmark to the start; only lanes that cross no unreleased ground.
    crossing
        Features whose approach as recorded crosses unreleased ground: not drawn, to be said.
    day
        The day that the declination is for.
    """

    table: pd.DataFrame
    marks: gpd.GeoDataFrame
    approaches: gpd.GeoDataFrame
    crossing: tuple[str, ...]
    day: date


def points_of(cargo: Cargo, day: date) -> Points:
    """Turning points, marks and approach lanes of the figures of a cargo.

    Parameters
    ----------
    day
        For the declination (World Magnetic Model).
    """
    marks = _marks(cargo)
    tables = [_table(name, shape, marks, day) for name, shape in sorted(cargo.figures().items())]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({name: [] for name in COLUMNS})
    approaches, crossing = _approaches(cargo, marks)
    return Points(table, marks, approaches, crossing, day)


def rings_of(polygon: Any) -> list[np.ndarray]:
    """Rings without their closing point, outer ones clockwise, each outer ring followed by its holes."""
    parts = shapely.get_parts(shapely.orient_polygons(polygon, exterior_cw=True))
    return [shapely.get_coordinates(ring)[:-1, :2] for part in parts for ring in (part.exterior, *part.interiors)]


def _table(name: str, polygon: Any, marks: gpd.GeoDataFrame, day: date) -> pd.DataFrame:
    rings = rings_of(polygon)
    xy = np.concatenate(rings)
    ring = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    after = np.concatenate(
        [
            np.roll(np.arange(len(r)), -1) + start
            for r, start in zip(rings, np.cumsum([0, *map(len, rings[:-1])]), strict=True)
        ]
    )
    lon, lat = xy.T
    middle = polygon.representative_point()
    plane = _crs.utm(middle.x, middle.y)
    east, north = _crs.transformer("EPSG:4326", _crs.code_or_wkt(plane)).transform(lon, lat)
    azimuth, _, metres = _crs.GEOD.inv(lon, lat, lon[after], lat[after])
    grid = np.degrees(np.arctan2(east[after] - east, north[after] - north))
    turn = declination_deg(middle.y, middle.x, date=day) - float(convergence_deg(middle.x, middle.y, plane))
    width = max(2, len(str(len(xy))))
    labels = np.array([f"TP{n:0{width}d}" for n in range(1, len(xy) + 1)], dtype=object)
    return pd.DataFrame(
        {
            "feature": name, "point": labels, "ring": ring + 1,
            "lat_deg": np.round(lat, 7), "lon_deg": np.round(lon, 7),
            "mgrs": np.atleast_1d(_crs.to_mgrs(lon, lat)), "utm": np.atleast_1d(_crs.to_utm(lon, lat, decimals=1)),
            "to_point": labels[after], "distance_m": np.round(metres, 2),
            "bearing_true_deg": _turned(azimuth), "bearing_grid_deg": _turned(grid), "bearing_magnetic_deg": _turned(grid - turn),
            "recorded_mark": _recorded(lon, lat, marks),
        }
    )[list(COLUMNS)]  # fmt: skip


def _turned(degrees: Any) -> np.ndarray:
    return np.round(np.asarray(degrees, dtype=float) % 360.0, 2) % 360.0


def _recorded(lon: np.ndarray, lat: np.ndarray, marks: gpd.GeoDataFrame) -> list[str]:
    """The recorded mark that stands at each point, within a metre."""
    out = [""] * len(lon)
    for label, shape in zip(marks["label"], marks.geometry, strict=True):
        *_, metres = _crs.GEOD.inv(lon, lat, np.full(len(lon), shape.x), np.full(len(lon), shape.y))
        nearest = int(np.argmin(metres))
        if metres[nearest] <= SAME_M and not out[nearest]:
            out[nearest] = str(label)
    return out


def _marks(cargo: Cargo) -> gpd.GeoDataFrame:
    frame = cargo.layer("marks")
    kept = frame[placed(frame) & frame.geometry.geom_type.eq("Point")]
    kinds = kept["point_type"] if "point_type" in kept else pd.Series(None, index=kept.index, dtype=object)
    names = kept["id"].astype(str)
    label = [SHORT.get(kind) or name for kind, name in zip(kinds, names, strict=True)]
    feature = kept["feature_id"] if "feature_id" in kept else pd.Series(None, index=kept.index, dtype=object)
    data = {"id": names, "feature": feature.astype(object), "kind": kinds.astype(object), "label": label}
    return gpd.GeoDataFrame(data, geometry=kept.geometry, crs=_crs.WGS84).reset_index(drop=True)


def _approaches(cargo: Cargo, marks: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    rest = cargo.results.get("remaining")
    danger = [] if rest is None else [s for s in rest.geometry.array if s is not None]
    unknown = cargo.hazards[placed(cargo.hazards)]
    if rest is None and cargo.coverage is None:
        danger = list(unknown.geometry.array)
    names, lines, crossing = [], [], []
    for feature, rows in marks.groupby("feature", sort=True):
        spots = [
            rows.geometry[rows["kind"].isin(kinds)] for kinds in (("landmark", "reference"), ("benchmark",), ("start",))
        ]
        path = [found.iloc[0] for found in spots if len(found)]
        if len(path) < 2:
            continue
        lane = shapely.LineString(path)
        if _into(lane, danger) > INTO_M:
            crossing.append(str(feature))
        else:
            names.append(str(feature))
            lines.append(lane)
    return gpd.GeoDataFrame({"feature": names}, geometry=gpd.GeoSeries(lines, crs=_crs.WGS84)), tuple(crossing)


def _into(lane: Any, danger: list[Any]) -> float:
    """Metres of a lane inside hazardous ground."""
    inside = [shapely.intersection(lane, shape) for shape in danger if shapely.intersects(lane, shape)]
    return float(sum(pyproj.Geod(ellps="WGS84").geometry_length(part) for part in inside if part.length))
