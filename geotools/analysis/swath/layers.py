"""Layers of a GeoPackage written bit by bit, so that no layer need be in memory.

For results larger than memory; ordinary results are written by `io`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.rows import Rows
from geotools.analysis.swath.task import Task
from geotools.space import crs as _crs

CORNERS = 200_000  # written at once


class Layers:
    """Appends to layers of one GeoPackage; without a file everything is let go.

    Parameters
    ----------
    path
        The file to make.
    task
        Gives the plane of what is added and the system to write.
    """

    def __init__(self, path: Path | None, task: Task) -> None:
        self._path, self._task = path, task
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._corners: dict[str, int] = {}
        self._made: set[str] = set()

    def add_rows(self, name: str, rows: Rows) -> None:
        """Lines with their columns."""
        if self._path is not None and len(rows):
            self._append(name, Rows(rows.data, self._home(rows.geometry), self._task.home).frame(), "LineString")

    def add_shape(self, name: str, shape: BaseGeometry, label: tuple[str, tuple[int, int, int] | None]) -> None:
        """Ground of a tile; `label` is its state and the tile."""
        if self._path is None or shape.is_empty:
            return
        where = "rest" if label[1] is None else "/".join(map(str, label[1]))
        row = {"id": f"{name}/{where}", "state": label[0], "area_m2": float(shape.area), "geometry": shape}
        self._waiting.setdefault(name, []).append(row)
        self._corners[name] = self._corners.get(name, 0) + int(shapely.get_num_coordinates(shape))
        if self._corners[name] > CORNERS:
            self._flush(name)

    def frames(self, frames: Mapping[str, gpd.GeoDataFrame], issues: gpd.GeoDataFrame) -> None:
        """The last, small layers; everything that waits is written before."""
        if self._path is None:
            return
        for name in list(self._waiting):
            self._flush(name)
        for name, frame in frames.items():
            if len(frame):
                kind = {"outages": "LineString", "dropped": "Point"}.get(name, "MultiPolygon")
                self._append(name, frame, kind)
        if len(issues):
            self._append("issues", issues, "Unknown")

    def _flush(self, name: str) -> None:
        rows = self._waiting.pop(name)
        self._corners[name] = 0
        shapes = self._home(np.array([row.pop("geometry") for row in rows], dtype=object))
        self._append(
            name,
            gpd.GeoDataFrame(pd.DataFrame(rows), geometry=gpd.GeoSeries(shapes, crs=self._task.home)),
            "MultiPolygon",
        )

    def _home(self, shapes: np.ndarray) -> np.ndarray:
        return _crs.transform(shapes, self._task.plane, self._task.home)

    def _append(self, name: str, frame: gpd.GeoDataFrame, kind: str) -> None:
        layer = name if name == "issues" else f"result_swath_{name}"
        pyogrio.write_dataframe(
            frame, self._path, layer=layer, driver="GPKG", append=layer in self._made, geometry_type=kind,
            promote_to_multi=kind.startswith("Multi"), layer_options=None if layer in self._made else {"GEOMETRY_NAME": "geom"},
        )  # fmt: skip
        self._made.add(layer)
