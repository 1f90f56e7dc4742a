"""Tables as plain arrays: passes, interruptions and left-out fixes before anybody wants a frame of them.

For speed, since a frame costs more than the work on a few thousand fixes; not for anything a caller sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj


@dataclass(frozen=True)
class Rows:
    """Columns of one length with a geometry per row; times are microseconds UTC."""

    data: Mapping[str, np.ndarray]
    geometry: np.ndarray
    crs: pyproj.CRS | None = None

    def __len__(self) -> int:
        return len(self.geometry)

    def __contains__(self, name: object) -> bool:
        return name in self.data

    def take(self, index: np.ndarray) -> Rows:
        """The rows at `index` (positions or a mask)."""
        return Rows({name: values[index] for name, values in self.data.items()}, self.geometry[index], self.crs)

    def head(self, count: int) -> Rows:
        """The first rows."""
        return self if len(self) <= count else self.take(np.arange(count))

    def words(self, name: str) -> np.ndarray:
        """A column as text, empty where missing or absent."""
        if name not in self.data:
            return np.full(len(self), "", dtype=object)
        values = self.data[name]
        missing = pd.isna(values)
        return np.where(missing, "", values.astype(object)).astype(str).astype(object)

    def numbers(self, name: str) -> np.ndarray:
        """A column as floats, NaN where missing or absent."""
        if name not in self.data:
            return np.full(len(self), np.nan)
        return np.asarray(pd.to_numeric(pd.Series(self.data[name]), errors="coerce").to_numpy(float, na_value=np.nan))

    def ordered(self, *by: str) -> Rows:
        """Sorted by columns, the first of them first; the same object if it is in order already."""
        index = np.arange(len(self))
        for name in reversed(by):
            values = self.data[name][index]
            values = values if values.dtype != object else np.array([*map(str, values)], dtype=object)
            if len(values) > 1 and not (values[1:] >= values[:-1]).all():
                index = index[np.argsort(values, kind="stable")]
        return self if (index[1:] > index[:-1]).all() else self.take(index)

    def frame(self) -> gpd.GeoDataFrame:
        """The rows as a frame."""
        data = {
            name: pd.Series(pd.to_datetime(values)).dt.tz_localize("UTC") if values.dtype.kind == "M" else values
            for name, values in self.data.items()
        }
        return gpd.GeoDataFrame(pd.DataFrame(data), geometry=gpd.GeoSeries(self.geometry, crs=self.crs))

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame) -> Rows:
        """From a frame of the same columns."""
        data = {}
        for name in frame.columns:
            if name == frame.geometry.name:
                continue
            values = frame[name]
            dated = isinstance(values.dtype, pd.DatetimeTZDtype)
            data[str(name)] = values.to_numpy(dtype="datetime64[us]") if dated else values.to_numpy()
        return cls(data, np.asarray(frame.geometry.array, dtype=object), frame.crs)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of the same columns one after the other; of no parts nothing is known, so there must be one."""
    filled = [part for part in parts if len(part)] or list(parts[:1])
    if len(filled) == 1:
        return filled[0]
    data: dict[str, Any] = {name: np.concatenate([part.data[name] for part in filled]) for name in filled[0].data}
    return Rows(data, np.concatenate([part.geometry for part in filled]), filled[0].crs)
