"""Layers of a GeoPackage written piece by piece: their polygons are worked out, put aside and written without ever being in memory together.

For national layers whose columns fit into memory and whose polygons do not; a frame in memory is written by `writing`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely

from geotools.io import ogr, verification, words
from geotools.io.atomic import replacing
from geotools.io.shelf import Shelf, put
from geotools.io.writing import plain
from geotools.model.errors import GeotoolsError, WriteError
from geotools.model.progress import Progress, tracked
from geotools.space.shapes import hilbert

ROWS = 4_000  # polygons worked out, or written, at a time


@dataclass(frozen=True)
class Layer:
    """A layer whose polygons are not there yet.

    Attributes
    ----------
    table
        Its rows without geometry, in the order in which they are to be written.
    bounds
        About where each row lies, in any system: neighbours are worked out together.
    draw
        Polygons of some rows, given by rising position; None where there is none, and then no row is written.
    crs
        Their system.
    """

    table: pd.DataFrame
    bounds: np.ndarray
    draw: Callable[[np.ndarray], np.ndarray]
    crs: pyproj.CRS

    def frame(self) -> gpd.GeoDataFrame:
        """All of it in memory."""
        shapes = self.draw(np.arange(len(self.table)))
        there = ~shapely.is_missing(shapes)
        table = self.table[there].reset_index(drop=True)
        return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes[there], crs=self.crs))


def write(
    layers: Mapping[str, Layer],
    path: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write layers into one new GeoPackage, all or none: the rows and polygons of `writing.write_layers`.

    Raises
    ------
    WriteError
        If it exists and `overwrite` is false, or writing fails; nothing is changed then.

    Examples
    --------
    >>> squares = shapely.box(0, 0, [1, 2, 3], 1)
    >>> layer = Layer(pd.DataFrame({"id": ["a", "b", "c"]}), shapely.bounds(squares), lambda rows: squares[rows], pyproj.CRS(6933))
    >>> file = write({"some": layer}, Path(tempfile.mkdtemp(), "some.gpkg"))
    >>> pyogrio.read_dataframe(file, layer="some").area.tolist()
    [1.0, 2.0, 3.0]
    """
    target = Path(path)
    try:
        with replacing(target, overwrite=overwrite) as temporary:
            told = {name: _layer(name, layer, temporary, progress) for name, layer in layers.items()}
            verification.geopackage(temporary, told)
    except GeotoolsError:
        raise
    except Exception as error:
        why = words.said(error) if isinstance(error, ValueError | TypeError) else ""
        raise WriteError(
            f"writing failed ({why or 'the file could not be completed'}); nothing was changed",
            hint="is the disk full or the file open elsewhere?",
            file=target,
        ) from error
    return target


def _layer(name: str, layer: Layer, path: Path, progress: Progress | None) -> gpd.GeoDataFrame:
    """Write one layer; a frame of as many rows and of the same extent, to verify it by."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        aside = _aside(layer, Path(folder), f"working out {name.removeprefix('result_')} ground", progress)
        shelf, there, types, extent = aside
        rows = np.flatnonzero(there)
        columns = _columns(layer.table.iloc[rows])
        announced, several = ogr.geometry_type(gpd.GeoSeries(_examples(types)))
        given: dict[str, Any] = {
            "layer": name, "driver": "GPKG", "geometry_name": GEOMETRY, "geometry_type": announced, "crs": _said(layer.crs),
            "layer_options": {"FID": "fid", "GEOMETRY_NAME": "geom"},
        }  # fmt: skip
        for start in range(0, max(len(rows), 1), ROWS):
            shapes = shelf.draw(rows[start : start + ROWS])
            if several:
                single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
                shapes[single] = shapely.multipolygons(shapes[single].reshape(-1, 1))
            blocks = pa.array([None if shapely.is_empty(one) else shapely.to_wkb(one) for one in shapes], pa.binary())
            piece = columns.slice(start, ROWS).append_column(GEOMETRY, blocks)
            if start:
                given.pop("layer_options", None)
            pyogrio.raw.write_arrow(piece, path, append=start > 0, **given)
    return _stand_in(types, extent, layer.crs)


GEOMETRY = "geometry"


def _aside(
    layer: Layer, folder: Path, what: str, progress: Progress | None
) -> tuple[Shelf, np.ndarray, np.ndarray, np.ndarray]:
    """The polygons on a shelf, which rows have one, the type of each that does (−1: empty), and the extent."""
    count = len(layer.table)
    order = np.argsort(hilbert(layer.bounds), kind="stable")
    there, types, ends = np.zeros(count, dtype=bool), np.full(count, -1, dtype=np.int8), []
    extent, files = np.array([np.inf, np.inf, -np.inf, -np.inf]), []
    groups = [np.sort(order[start : start + ROWS]) for start in range(0, count, ROWS)]
    for number, rows in enumerate(tracked(groups, what, progress, total=len(groups))):
        shapes = layer.draw(rows)
        there[rows] = ~shapely.is_missing(shapes)
        shapes[~there[rows]] = shapely.Polygon()
        types[rows] = np.where(shapely.is_empty(shapes), -1, shapely.get_type_id(shapes))
        west, south, east, north = shapely.total_bounds(shapes)
        extent[:2], extent[2:] = np.fmin(extent[:2], (west, south)), np.fmax(extent[2:], (east, north))
        files.append(folder / f"{number}.wkb")
        ends.append(put(shapes, files[-1]))
    place = np.empty(count, dtype=np.int64)
    place[np.concatenate([np.zeros(0, dtype=np.int64), *groups])] = np.arange(count)
    return Shelf(files, ends).only(place), there, types[there], extent


def _columns(table: pd.DataFrame) -> pa.Table:
    """The columns as they are written, of all rows: a piece alone might not tell what a column holds."""
    none = gpd.GeoSeries(np.full(len(table), None), index=table.index, crs=4326)
    made = plain(gpd.GeoDataFrame(table, geometry=none), binary=True).drop(columns="geometry")
    columns = pa.Table.from_pandas(pd.DataFrame(made), preserve_index=False)
    for place, field in enumerate(columns.schema):
        if pa.types.is_null(field.type):
            columns = columns.set_column(place, field.name, columns[place].cast(pa.string()))
    return columns


def _examples(types: np.ndarray) -> np.ndarray:
    """One geometry of every type that occurs."""
    some = {3: shapely.box(0, 0, 1, 1), 6: shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])}
    return np.array([some[int(kind)] for kind in np.unique(types[types >= 0])], dtype=object)


def _said(crs: pyproj.CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt("WKT1_GDAL"))


def _stand_in(types: np.ndarray, extent: np.ndarray, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    shapes = np.full(len(types), None, dtype=object)
    if np.isfinite(extent).all():
        shapes[types >= 0] = shapely.box(*extent)
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=crs))
