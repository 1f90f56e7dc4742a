"""GeoPackage, FlatGeobuf and other formats that GDAL reads well, through pyogrio.

For formats in which GDAL drops nothing unnoticed, or where what it drops can be counted; GeoJSON, KML, GPX and tables have
readers of their own for that reason.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import pyproj
import shapely

from geotools.io import words
from geotools.io.raw import Finding, Raw, Source, choose_layer
from geotools.model.errors import ReadError, WriteError
from geotools.space import crs as _crs

Blobs = Any  # WKB of each row: a numpy array of bytes, or a column of Arrow
SLICE = 5_000  # rows whose WKB becomes bytes of Python at a time
_TYPES = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int64Dtype(),
    pa.int16(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def layers(source: Source) -> list[str]:
    """Layer names in the order of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [str(name) for name, _ in pyogrio.list_layers(source.path)]
    except pyogrio.errors.DataSourceError as error:
        raise _damaged(source, error) from error


def read(source: Source) -> Raw:
    """Read one layer.

    Raises
    ------
    ReadError
        If GDAL cannot open it, stops before its end, or finds fewer rows than the file says.
    """
    layer, findings = choose_layer(source, layers(source))
    meta, table, blobs, said = fetch(source, layer)
    shapes = None
    if blobs is not None:
        shapes, more = decode(blobs, source, layer)
        findings += more
        findings += measures(said, shapes, source)
    return Raw(layer, table, shapes, as_crs(meta["crs"]), False, findings)


def chunks(source: Source, rows: int = 100_000) -> Iterator[Raw]:
    """A GeoPackage layer in parts of `rows` rows, with memory for one of them.

    Raises
    ------
    ReadError
        As `read`, but only when the row is reached.
    """
    layer, findings = choose_layer(source, layers(source))
    try:
        expected = pyogrio.read_info(source.path, layer=layer, force_feature_count=True)["features"]
        for done in range(0, max(expected, 1), rows):
            meta, table, blobs = _by_arrow(source.path, layer, None, skip_features=done, max_features=rows)
            if len(table) != min(rows, expected - done):
                raise source.refuse(
                    f"it is damaged: {expected} rows are announced, {done + len(table)} could be read",
                    "copy it again, or export it again from where it came from",
                )
            shapes, more = (None, []) if blobs is None else decode(blobs, source, layer)
            numbers = np.arange(done + 1, done + len(table) + 1)
            yield Raw(layer, table, shapes, as_crs(meta["crs"]), False, [*findings, *more], numbers)
            findings = []
    except (*_ERRORS, pa.ArrowException, RuntimeError) as error:
        raise _damaged(source, error) from error


def fetch(
    source: Source, layer: str, encoding: str | None = None, *, deleted: int = 0
) -> tuple[dict[str, Any], pd.DataFrame, Blobs | None, list[str]]:
    """All rows of a layer and their WKB, what GDAL said on the way, and a check that no row is missing."""
    heard = _Ear()
    loggers = [logging.getLogger(name) for name in ("pyogrio", "pyogrio._io", "pyogrio._err", "pyogrio._geometry")]
    for logger in loggers:
        logger.addHandler(heard)
    ending = source.path.suffix.lower()  # Arrow holds UTF-8 only; GDAL gives it the bytes of other pages as they are
    take = _by_columns if ending == ".fgb" or (encoding and ending in (".tab", ".mif")) else _by_arrow
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            meta, table, blobs = take(source.path, layer, encoding)
            expected = pyogrio.read_info(source.path, layer=layer, force_feature_count=True)["features"]
    except (*_ERRORS, pa.ArrowException, RuntimeError) as error:
        raise _damaged(source, error) from error
    finally:
        for logger in loggers:
            logger.removeHandler(heard)
    said = [str(w.message) for w in caught] + heard.lines
    if 0 <= expected != len(table) and expected - deleted != len(table):  # GDAL counts rows marked as deleted
        raise source.refuse(
            f"it is damaged: {expected} rows are announced, {len(table)} could be read",
            "copy it again, or export it again from where it came from",
        )
    return meta, table, blobs, said


_ERRORS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.GeometryError,
)


def _by_arrow(
    path: Path, layer: str, encoding: str | None, **window: int
) -> tuple[dict[str, Any], pd.DataFrame, Blobs | None]:
    meta, table = pyogrio.read_arrow(
        path, layer=layer, return_fids=True, encoding=encoding, datetime_as_string=True, **window
    )
    names = table.column_names  # row number first, geometry last; attributes may be called the same
    keep = list(range(len(names)))
    if names and names[0] == (meta["fid_column"] or "OGC_FID"):
        keep.pop(0)
    blobs = None
    if keep and names[-1] == (meta["geometry_name"] or "wkb_geometry"):
        blobs = table.column(keep.pop())
    kinds = dict(zip(meta["fields"], meta["ogr_types"], strict=True))
    for place in keep:
        if kinds.get(names[place]) == "OFTDateTime":
            table = table.set_column(place, names[place], _moments(table.column(place)))
    return meta, to_pandas(table.select(keep)), blobs


def _moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times as they were written: in UTC, in one other zone, or without a zone; where these are mixed, the texts themselves.

    GDAL's own Arrow times are all moved to UTC, which puts the midnight of a day east of Greenwich on the day before.
    """
    zones = set(pc.unique(pc.replace_substring_regex(column, r"^.*T[0-9:.]*", "")).to_pylist())
    zones.discard(None)
    zone = next(iter(zones), "") if len(zones) < 2 else None
    if zone is None:
        return column
    try:
        return column.cast(pa.timestamp("ms", {"": None, "Z": "UTC", "+00:00": "UTC"}.get(zone, zone)))
    except pa.ArrowInvalid:  # finer than a millisecond, or no time at all
        return column


def _by_columns(path: Path, layer: str, encoding: str | None) -> tuple[dict[str, Any], pd.DataFrame, np.ndarray | None]:
    """For FlatGeobuf: GDAL's Arrow stream of it has wrong offsets where a geometry is null."""
    meta, _, blobs, fields = pyogrio.raw.read(path, layer=layer, encoding=encoding, datetime_as_string=True)
    data: dict[str, Any] = {}
    for name, values, ogr_type in zip(meta["fields"], fields, meta["ogr_types"], strict=True):
        column = pd.Series(values)
        if ogr_type == "OFTDateTime":
            column = to_pandas(pa.table({"": _moments(pa.chunked_array([pa.array(values, pa.string())]))}))[""]
        elif ogr_type.startswith("OFTInteger") and column.dtype == "float64":
            column = column.astype("Int64")
        elif ogr_type == "OFTDate":
            column = pd.Series([None if v is pd.NaT else v.date() for v in column], dtype=object)
        data[str(name)] = _plain(column)
    frame = pd.DataFrame(data, index=range(len(blobs) if blobs is not None else len(fields[0]) if len(fields) else 0))
    return meta, frame, blobs


class _Ear(logging.Handler):
    """Collects what GDAL reports through pyogrio while a file is read."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())


def _damaged(source: Source, error: Exception) -> ReadError:
    why = words.said(error, {str(source.path): source.label})
    return source.refuse(f"it is damaged or not what its name says{words.bracketed(why)}", words.AGAIN)


def decode(blobs: Blobs, source: Source, layer: str | None = None) -> tuple[np.ndarray, list[Finding]]:
    """Shapely geometries from WKB; curves are drawn with straight edges, and what cannot be decoded is listed."""
    try:
        with np.errstate(invalid="ignore"):
            return _shapes(blobs), []
    except (shapely.errors.ShapelyError, ValueError, TypeError, NotImplementedError):
        pass
    blobs = blobs if isinstance(blobs, np.ndarray) else blobs.to_numpy()
    findings: list[Finding] = []
    curved = np.flatnonzero([_is_curve(blob) for blob in blobs])
    if len(curved):
        plain = pyogrio.raw.read(source.path, layer=layer, columns=[])[2]
        blobs = blobs.copy()
        blobs[curved] = plain[curved]
        said = "its curves were drawn with straight edges"
        findings = [Finding("RD-06", "warning", said, int(row)) for row in curved]
    shapes = np.empty(len(blobs), dtype=object)
    for row, blob in enumerate(blobs):
        try:
            with np.errstate(invalid="ignore"):
                shapes[row] = None if blob is None else shapely.from_wkb(bytes(blob))
        except (shapely.errors.ShapelyError, ValueError, TypeError, NotImplementedError):
            reason = "its geometry is damaged and cannot be read; the row is kept without geometry"
            findings.append(Finding("RD-03", "error", reason, row))
    return shapes, findings


def _shapes(blobs: Blobs) -> np.ndarray:
    """Geometries of a column of WKB, slice by slice: all of it in bytes of Python would stay in the heap between them."""
    if isinstance(blobs, np.ndarray):
        return np.asarray(shapely.from_wkb(blobs))
    out = np.empty(len(blobs), dtype=object)
    for start in range(0, len(blobs), SLICE):
        part = blobs.slice(start, SLICE).to_numpy()
        out[start : start + len(part)] = shapely.from_wkb(part)
    return out


def _is_curve(blob: bytes | None) -> bool:
    """Whether a WKB is of a type with arcs (8 to 14), in any dimension."""
    if not blob or len(blob) < 5:
        return False
    code = int.from_bytes(blob[1:5], "little" if blob[0] == 1 else "big") & 0x0FFFFFFF
    return 8 <= code % 1000 <= 14


def measures(said: list[str], shapes: np.ndarray, source: Source) -> list[Finding]:
    """A note where GDAL left out measure values itself; where it did not, accounting does."""
    if shapely.has_m(shapes).any() or not any("measured" in line.lower() for line in said):
        return []
    return [Finding("RD-06", "warning", f"{source.label}: measure values (M) were in the file and are left out")]


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas: text as objects with None, whole numbers with gaps as Int64, dates as dates."""
    out: dict[str, pd.Series] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            out[name] = pd.Series(column.to_numpy(), dtype=object)
        else:
            out[name] = _plain(column.to_pandas(types_mapper=_TYPES.get, date_as_object=True))
    return pd.DataFrame(out, index=range(table.num_rows))


def _plain(column: pd.Series) -> pd.Series:
    """Text as objects with None; whole numbers and booleans without gaps as plain types."""
    if isinstance(column.dtype, pd.StringDtype):
        return pd.Series([v if isinstance(v, str) else None for v in column], index=column.index, dtype=object)
    if column.dtype in ("Int64", "boolean") and not column.isna().any():
        return column.astype("int64" if column.dtype == "Int64" else bool)
    return column


def as_crs(text: Any) -> pyproj.CRS | None:
    """A CRS from what GDAL says; None for nothing or an engineering placeholder."""
    if not text:
        return None
    crs = _crs.parse(text)
    return None if crs.is_engineering or crs.name.lower().startswith(("undefined", "unknown engineering")) else crs


def write_gpkg(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Add a layer to a GeoPackage, or make one."""
    names = _distinct(frame, "a GeoPackage")
    options = {"FID": _free("fid", names), "GEOMETRY_NAME": _free("geom", names)}
    _write(frame, path, layer, "GPKG", options)


def write_flatgeobuf(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write a FlatGeobuf; rows keep their order (no spatial index)."""
    _distinct(frame, "a FlatGeobuf")
    _write(frame, path, layer, "FlatGeobuf", {"SPATIAL_INDEX": "NO"})


def _distinct(frame: gpd.GeoDataFrame, what: str) -> list[str]:
    """The names of the attributes; GDAL writes two that differ in capitals only into one."""
    names = [str(name) for name in frame.columns if name != frame.active_geometry_name]
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise WriteError(
                f"the columns '{other}' and '{name}' differ in capitals only; {what} cannot hold both",
                hint="rename one",
            )
    return names


def _free(wanted: str, names: Iterable[str]) -> str:
    """A name for a column of the format's own that no attribute has, in any capitals.

    Examples
    --------
    >>> _free("fid", ["id"]), _free("geom", ["id", "Geom", "gpkg_geom"])
    ('fid', 'gpkg_geom_2')
    """
    taken = {name.lower() for name in names}
    choices = chain([wanted, f"gpkg_{wanted}"], (f"gpkg_{wanted}_{number}" for number in count(2)))
    return next(name for name in choices if name not in taken)


def _write(frame: gpd.GeoDataFrame, path: Path, layer: str, driver: str, options: dict[str, str]) -> None:
    if frame.crs is None:  # nothing but a table: a geometry without system is refused earlier
        table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        only = {k: v for k, v in options.items() if k == "FID"}
        if driver == "FlatGeobuf":
            raise WriteError("a FlatGeobuf needs geometry", hint="write a GeoPackage or CSV")
        pyogrio.write_dataframe(table, path, layer=layer, driver=driver, use_arrow=True, layer_options=only)
        return
    announced, several = geometry_type(frame.geometry)
    frame = apart(frame)
    by_arrow = driver == "GPKG" or not taken_for_row_number(frame.columns)
    pyogrio.write_dataframe(
        frame, path, layer=layer, driver=driver, use_arrow=by_arrow, geometry_type=announced, layer_options=options, promote_to_multi=several,
    )  # fmt: skip


def apart(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The frame with a name for its geometry that no attribute has in other capitals: GDAL cannot tell the two apart."""
    names = [str(name) for name in frame.columns if name != frame.active_geometry_name]
    free = _free("geometry", names)
    return frame if frame.active_geometry_name == free else frame.rename_geometry(free)


def taken_for_row_number(names: Iterable[str]) -> bool:
    """Whether an Arrow stream of these columns would lose one: GDAL takes it for its own row number."""
    return "ogc_fid" in {str(name).lower() for name in names}


def geometry_type(shapes: gpd.GeoSeries) -> tuple[str, bool]:
    """The type to announce for a layer, and whether single parts must become multi-parts.

    Areas and multi-areas together are announced as multi-areas: programs split a layer of mixed type in two and show
    one of them only.
    """
    kinds = set(shapes.dropna().geom_type)
    bare = {kind.removeprefix("Multi") for kind in kinds}
    if len(bare) != 1 or kinds == {"GeometryCollection"}:
        return "Unknown", False
    several = len(kinds) > 1
    name = f"Multi{bare.pop()}" if several else kinds.pop()
    return (f"{name} Z" if shapes.has_z.any() else name), several
