"""Merged rows as a layer again, with the types of the files they came from. Not for deciding what a row says."""

from __future__ import annotations

import contextlib
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.field.merge.sides import Row, Side
from geotools.model.schema import Issue
from geotools.space import crs as _crs


def located(issues: list[Issue], crs: Any) -> list[Issue]:
    """The issues with their shapes in WGS 84."""
    shapes: Any = (
        _crs.transform(np.array([i.geometry for i in issues], dtype=object), crs, _crs.WGS84) if issues else ()
    )
    return [Issue(**{**vars(issue), "geometry": shape}) for issue, shape in zip(issues, shapes, strict=True)]


def _typed(dtype: Any) -> bool:
    """Whether a column type may be given back to merged values: not text, and not a closed list of categories."""
    return dtype is not None and not isinstance(dtype, pd.CategoricalDtype) and not pd.api.types.is_object_dtype(dtype)


def _with_gaps(dtype: Any) -> Any:
    """The type that holds missing values beside these: a plain whole number or truth value has no room for one.

    Examples
    --------
    >>> [str(_with_gaps(np.dtype(name))) for name in ("int64", "bool", "float64")]
    ['Int64', 'boolean', 'float64']
    """
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    return "Int64" if pd.api.types.is_integer_dtype(dtype) else dtype


def frame(rows: list[Row], columns: list[str], sides: list[Side], crs: Any) -> gpd.GeoDataFrame:
    """Rows as a layer sorted by id, with the types that the sides had where the values still fit them."""
    data = {}
    for column in columns:
        values = pd.Series([row.get(column) for row in rows], dtype=object)
        dtype = next((s.dtypes[column] for s in sides if _typed(s.dtypes.get(column))), None)
        if dtype is not None:
            with contextlib.suppress(TypeError, ValueError):
                values = values.astype(dtype if values.notna().all() else _with_gaps(dtype))
        data[column] = values
    geometry = gpd.GeoSeries(np.array([row.get("geometry") for row in rows], dtype=object), crs=crs)
    out = gpd.GeoDataFrame(data, geometry=geometry, crs=crs)
    order = "id" if "id" in out else columns[0]
    return out.sort_values(order, kind="stable", ignore_index=True) if len(out) else out
