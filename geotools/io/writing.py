"""`write` and `write_layers`: a frame to a file, whole or not at all.

For choosing the format and making columns plain; what a format looks like is in one room per family.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.io import registry, words
from geotools.io.atomic import replacing
from geotools.model.errors import CRSError, GeotoolsError, WriteError

BINARY = ("gpkg", "parquet")  # formats that hold bytes (a small photo, a signature) as they are


def write(
    frame: gpd.GeoDataFrame,
    path: str | Path,
    *,
    layer: str | None = None,
    format: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write one layer.

    Parameters
    ----------
    frame
        Geometry in any CRS. GeoJSON and KML are written in WGS 84, other formats keep the CRS.
    layer
        Name of the layer. A GeoPackage that exists gets it as a further layer; one that has it already needs `overwrite`,
        and its other layers stay.
    format
        Name from `formats()`; default: by the ending of `path`.

    Returns
    -------
    Path
        The file. It is complete when this returns; if writing fails, an old file is untouched.

    Raises
    ------
    WriteError
        If it exists and `overwrite` is false, if the format cannot hold the columns or geometry without loss, or if the
        disk refuses.
    CRSError
        If there are coordinates without a reference system.

    Examples
    --------
    >>> import tempfile, shapely
    >>> frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(47.2, 39.6)], crs="EPSG:4326")
    >>> write(frame, Path(tempfile.mkdtemp(), "a.geojson")).name
    'a.geojson'
    """
    target = Path(path)
    chosen = registry.to_write(target, format)
    name = layer or target.name.split(".")[0]
    beside = chosen.many and layer is not None and target.is_file()
    if beside and not overwrite and layer in _names(chosen, target):
        raise WriteError(
            f"it has a layer '{layer}' already",
            hint="choose another name or add --overwrite (overwrite=True)",
            file=target,
        )
    _fill({name: frame}, target, chosen, keep=beside, overwrite=overwrite or beside)
    return target


def write_layers(
    frames: Mapping[str, gpd.GeoDataFrame],
    path: str | Path,
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write several layers into one new file (GeoPackage), all or none.

    Parameters
    ----------
    frames
        Layer name → frame; each may have its own CRS.
    path
        The file; its ending says the format unless `format` does.
    overwrite
        Replace an existing file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WriteError
        As `write`; also if the format holds only one layer.

    Examples
    --------
    >>> import tempfile, shapely
    >>> finds = gpd.GeoDataFrame({"id": ["F-1"]}, geometry=[shapely.Point(47.2, 39.6)], crs=4326)
    >>> file = write_layers({"finds": finds, "places": finds.assign(id="P-1")}, Path(tempfile.mkdtemp(), "survey.gpkg"))
    >>> from geotools.io import layers
    >>> layers(file)
    ['finds', 'places']
    """
    target = Path(path)
    chosen = registry.to_write(target, format)
    if len(frames) > 1 and not chosen.many:
        raise WriteError(f"{chosen.title} holds one layer, not {len(frames)}", hint="write a .gpkg", file=target)
    _fill(frames, target, chosen, keep=False, overwrite=overwrite)
    return target


def _fill(
    frames: Mapping[str, gpd.GeoDataFrame], target: Path, chosen: registry.Format, *, keep: bool, overwrite: bool
) -> None:
    writer, verify = chosen.write(), chosen.verify()
    try:
        with replacing(target, overwrite=overwrite) as temporary:
            if keep:
                shutil.copyfile(target, temporary)
            for name, frame in frames.items():
                _need_crs(frame, target)
                writer(plain(frame, binary=chosen.name in BINARY), temporary, name)
            if verify is not None:
                verify(temporary, frames)
    except GeotoolsError as error:
        error.file = error.file if error.file in (None, str(target)) else str(target)
        error.file = error.file or str(target)
        raise
    except Exception as error:
        why = words.said(error) if isinstance(error, ValueError | TypeError) else ""  # others speak of their own inside
        raise WriteError(
            f"writing failed ({why or 'the file could not be completed'}); nothing was changed",
            hint="is the disk full or the file open elsewhere?",
            file=target,
        ) from error


def _names(chosen: registry.Format, target: Path) -> list[str]:
    from geotools.io.raw import Source

    lister = chosen.layers()
    return list(lister(Source(target))) if lister else []


def _need_crs(frame: gpd.GeoDataFrame, target: Path) -> None:
    if _geometry(frame).notna().any() and frame.crs is None:
        raise CRSError(
            "the coordinates have no reference system", hint="say which: frame.set_crs('EPSG:32638')", file=target
        )


def _geometry(frame: Any) -> gpd.GeoSeries:
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        return frame.geometry
    return gpd.GeoSeries([None] * len(frame), index=frame.index)


def plain(frame: gpd.GeoDataFrame, *, binary: bool = False) -> gpd.GeoDataFrame:
    """A copy with columns that every format understands and the geometry last, called ``geometry``.

    Bytes stay bytes where the format is `binary`. Lists and dictionaries become JSON text, day-only datetimes become dates, categories become text, further geometry
    columns become WKT; one of them, or an attribute, that is called ``geometry`` becomes ``geometry_property``. Empty geometry
    becomes None.
    """
    shapes = _geometry(frame)
    active = shapes.name if isinstance(frame, gpd.GeoDataFrame) else None
    data = {str(name): _plain_column(frame[name], binary) for name in frame.columns if name != active}
    if "geometry" in data:
        data = {("geometry_property" if name == "geometry" else name): values for name, values in data.items()}
    clear = shapes.array.copy()
    if len(clear):
        clear[np.asarray(shapes.is_empty)] = None
    out = pd.DataFrame(data, index=pd.RangeIndex(len(frame)))
    return gpd.GeoDataFrame(out, geometry=gpd.GeoSeries(clear, index=out.index, crs=shapes.crs), crs=shapes.crs)


def _plain_column(values: pd.Series, binary: bool) -> pd.Series:
    values = values.reset_index(drop=True)
    if isinstance(values.dtype, gpd.array.GeometryDtype):
        return gpd.GeoSeries(values).to_wkt().astype(object)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _days(values)
    if isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype):
        return pd.Series([None if v is None or v is pd.NA or v != v else str(v) for v in values], dtype=object)  # noqa: PLR0124
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        return values.dt.total_seconds()
    if values.dtype == object:
        return _plain_objects(values, binary)
    return values


def _days(values: pd.Series) -> pd.Series:
    """Naive midnights become dates; instants stay."""
    naive = getattr(values.dtype, "tz", None) is None
    filled = values.dropna()
    if naive and len(filled) and (filled == filled.dt.normalize()).all():
        return pd.Series([None if v is pd.NaT else v.date() for v in values], dtype=object)
    return values


def _plain_objects(values: pd.Series, binary: bool) -> pd.Series:
    found = [None if _is_missing(v) else v for v in values]
    kinds = {type(v) for v in found if v is not None}
    if binary and kinds == {bytes}:
        return pd.Series(found, dtype=object)
    if kinds <= {str} or kinds in ({date}, {bool}):
        return pd.Series(found, dtype="boolean" if kinds == {bool} else object)
    if kinds and kinds <= {int, np.int64, np.int32}:
        return pd.Series(found, dtype="Int64")
    if kinds and kinds <= {int, float, np.int64, np.float64, np.float32}:
        return pd.Series([np.nan if v is None else float(v) for v in found])
    if kinds and kinds <= {pd.Timestamp, datetime}:
        stamps = pd.Series(found)
        return _days(stamps) if pd.api.types.is_datetime64_any_dtype(stamps.dtype) else pd.to_datetime(stamps, utc=True)
    return pd.Series([None if v is None else _as_text(v) for v in found], dtype=object)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)  # noqa: PLR0124


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | dict | set | np.ndarray):
        items = (
            value.tolist()
            if isinstance(value, np.ndarray)
            else sorted(value, key=str)
            if isinstance(value, set)
            else value
        )
        return json.dumps(items, ensure_ascii=False, default=str)
    return str(value)
