"""Places to be judged: their plane, their distances to what is known, their labels and features as numbers.

For points or cells in any CRS; a place with a missing value is refused, never filled in silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model import arguments
from geotools.model.errors import SchemaError
from geotools.space import crs as _crs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geotools.analysis.risk_surface.blocks import Setup


def distances(
    places: gpd.GeoDataFrame | gpd.GeoSeries, layers: Mapping[str, gpd.GeoDataFrame | gpd.GeoSeries]
) -> pd.DataFrame:
    """Distance in metres from every place to the nearest feature of each layer.

    Returns
    -------
    DataFrame
        ``<layer>_m`` on the index of `places`; missing where the layer or the place has no geometry.

    Examples
    --------
    >>> places = gpd.GeoSeries([shapely.Point(700000, 4380000)], crs="EPSG:32638")
    >>> road = gpd.GeoSeries([shapely.LineString([(700000, 4380100), (700500, 4380100)])], crs="EPSG:32638")
    >>> distances(places, {"road": road})["road_m"].round(0).tolist()
    [100.0]
    """
    arguments.layer(places, "the places")
    if not arguments.placed(places).any():
        return pd.DataFrame({f"{name}_m": np.full(len(places), np.nan) for name in layers}, index=places.index)
    plane, spots = plane_of(places)
    out = {}
    for name, layer in arguments.mapping(layers, "layers").items():
        arguments.layer(layer, f"the layer '{name}'")
        values = np.full(len(spots), np.nan)
        shapes = _crs.transform(layer.geometry.array, _crs.require(layer), plane)
        tree = shapely.STRtree([s for s in shapes if s is not None and not s.is_empty])
        there = np.flatnonzero(~shapely.is_missing(spots) & ~shapely.is_empty(spots))
        if len(tree) and len(there):
            (index, _), distance = tree.query_nearest(spots[there], return_distance=True, all_matches=False)
            values[there[index]] = distance
        out[f"{name}_m"] = values
    return pd.DataFrame(out, index=places.index)


def plane_of(places: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[Any, np.ndarray]:
    """An equal-area plane around the places, and their middles on it."""
    lonlat = _crs.transform(places.geometry.array, _crs.require(places), _crs.WGS84)
    plane = _crs.equal_area(tuple(shapely.total_bounds(lonlat)))
    return plane, np.asarray(shapely.centroid(_crs.transform(lonlat, _crs.WGS84, plane)), dtype=object)


def labels(places: gpd.GeoDataFrame, setup: Setup) -> np.ndarray:
    """Whether ordnance is known at each place; columns of the setup are checked."""
    arguments.columns(arguments.layer(places, "the places"), "the places")
    missing = [c for c in (setup.label, *setup.columns) if c not in places]
    if missing:
        raise SchemaError(
            f"the places have no column '{missing[0]}'", hint=f"it needs {', '.join((setup.label, *setup.columns))}"
        )
    for name in (setup.label, *setup.columns):
        values = pd.to_numeric(places[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        if not np.isfinite(values).all():
            raise SchemaError(
                f"column '{name}' has missing values or text", hint="drop or fill those places first, and say so"
            )
    values = pd.to_numeric(places[setup.label]).to_numpy(dtype=float)
    if not np.isin(values, (0, 1)).all():
        raise SchemaError(f"column '{setup.label}' is yes or no for every place", hint="True where ordnance is known")
    return values > 0


def matrix(places: pd.DataFrame, setup: Setup, columns: Sequence[str]) -> np.ndarray:
    """Features as numbers, one row per place; the distance as log(1 + metres)."""
    return np.column_stack(
        [
            np.log1p(np.maximum(places[c].to_numpy(dtype=float), 0))
            if c == setup.distance
            else places[c].to_numpy(dtype=float)
            for c in columns
        ]
    )
