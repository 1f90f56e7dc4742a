"""GeoParquet, by way of geopandas. Not for tables without geometry metadata, which are located like CSV."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geotools.io import ogr, words
from geotools.io.raw import Finding, Raw, Source


def read(source: Source) -> Raw:
    """Read a GeoParquet file, or a plain Parquet table with coordinate columns.

    Raises
    ------
    ReadError
        If it is damaged.
    """
    try:
        table = pq.read_table(source.path)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = words.bracketed(words.said(error))
        raise source.refuse(f"it is damaged or not Parquet{why}", "copy it again, or export it again") from error
    if b"geo" not in (table.schema.metadata or {}):
        from geotools.io import places

        return places.locate(ogr.to_pandas(table), source)
    try:
        frame = gpd.read_parquet(source.path)
    except Exception as error:
        raise source.refuse(
            f"its geometry cannot be read{words.bracketed(words.said(error))}", "copy it again, or export it again"
        ) from error
    active = frame.geometry.name
    attributes = pd.DataFrame({name: frame[name] for name in frame.columns if name != active})
    others = [name for name in attributes if isinstance(attributes[name].dtype, gpd.array.GeometryDtype)]
    for name in others:
        attributes[name] = gpd.GeoSeries(attributes[name]).to_wkt()
    findings = [
        Finding("RD-06", "info", f"{source.label}: the second geometry '{name}' was kept as text", column=str(name))
        for name in others
    ]
    for name in attributes:
        if isinstance(attributes[name].dtype, pd.StringDtype):
            attributes[name] = pd.Series([v if isinstance(v, str) else None for v in attributes[name]], dtype=object)
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return Raw(
        source.path.stem,
        attributes.reset_index(drop=True),
        shapes,
        None if frame.crs is None else frame.crs,
        False,
        findings,
    )


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write GeoParquet 1.1 with WKB geometry and zstd compression."""
    frame.to_parquet(path, index=False, compression="zstd")
