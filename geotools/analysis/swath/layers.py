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
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.rows import Rows, joined
from geotools.analysis.swath.task import Task

CORNERS = 200_000  # written at once
LINES = 20_000


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
        self._path, self._home = path, task.home
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._lines: dict[str, list[Rows]] = {}
        self._corners: dict[str, int] = {}
        self._made: set[str] = set()

    @property
    def home(self) -> pyproj.CRS | None:
        """The system in which shapes are to be given; None if nothing is written."""
        return None if self._path is None else self._home

    def add_rows(self, name: str, rows: Rows) -> None:
        """Lines with their columns, in the system of the task."""
        if self._path is None or not len(rows):
            return
        self._lines.setdefault(name, []).append(rows)
        if sum(map(len, self._lines[name])) > LINES:
            self._flush_lines(name)

    def add_shape(self, name: str, shape: BaseGeometry, label: tuple[str, tuple[int, int, int] | None, float]) -> None:
        """Ground of a tile, in the system of the task; `label` is its state, the tile, and its area."""
        if self._path is None:
            return
        where = "rest" if label[1] is None else "/".join(map(str, label[1]))
        row = {"id": f"{name}/{where}", "state": label[0], "area_m2": label[2], "geometry": shape}
        self._waiting.setdefault(name, []).append(row)
        self._corners[name] = self._corners.get(name, 0) + int(shapely.get_num_coordinates(shape))
        if self._corners[name] > CORNERS:
            self._flush(name)

    def frames(self, frames: Mapping[str, gpd.GeoDataFrame], issues: gpd.GeoDataFrame) -> None:
        """The last, small layers; everything that waits is written before."""
        if self._path is None:
            return
        for name in list(self._lines):
            self._flush_lines(name)
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
        shapes = gpd.GeoSeries(np.array([row.pop("geometry") for row in rows], dtype=object), crs=self._home)
        self._append(name, gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes), "MultiPolygon")

    def _flush_lines(self, name: str) -> None:
        self._append(name, joined(self._lines.pop(name)).frame(), "LineString")

    def _append(self, name: str, frame: gpd.GeoDataFrame, kind: str) -> None:
        layer = name if name == "issues" else f"result_swath_{name}"
        pyogrio.write_dataframe(
            frame, self._path, layer=layer, driver="GPKG", append=layer in self._made, geometry_type=kind,
            promote_to_multi=kind.startswith("Multi"), layer_options=None if layer in self._made else {"GEOMETRY_NAME": "geom"},
        )  # fmt: skip
        self._made.add(layer)
