"""ISSUES tables to and from files: GeoPackage, CSV, GeoJSON, JSON, and the report page. Not for records (see `io`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geotools.io import write, write_layers
from geotools.io.atomic import write_text
from geotools.model.errors import ReadError, WriteError
from geotools.model.schema import ISSUE_COLUMNS
from geotools.model.schema.issues import ISSUE_CRS

TABLES = (".gpkg", ".csv", ".geojson", ".json")
LAYER = "issues"


def save(issues: gpd.GeoDataFrame, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write an ISSUES table; the ending of the name chooses the format.

    Raises
    ------
    WriteError
        If the ending is not one of .gpkg, .csv, .geojson, .json, or the file cannot be written.
    """
    target = Path(path)
    ending = target.suffix.lower()
    if ending == ".json":
        return write_text(target, json.dumps(to_dict(issues), ensure_ascii=False, indent=1) + "\n", overwrite=overwrite)
    if ending not in TABLES:
        raise WriteError(
            f"issues are not written as '{ending or target.name}'",
            hint=f"use {', '.join(TABLES)} or .html",
            file=target,
        )
    if ending == ".gpkg":
        return write_layers({LAYER: issues}, target, overwrite=overwrite)
    return write(issues, target, overwrite=overwrite)


def to_dict(issues: gpd.GeoDataFrame) -> dict[str, Any]:
    """Counts and every issue, for JSON; places as GeoJSON geometry in WGS 84."""
    rows = issues.drop(columns="geometry").to_dict("records")
    shapes = [None if g is None or g.is_empty else json.loads(shapely.to_geojson(g)) for g in issues.geometry]
    counts = {severity: int((issues["severity"] == severity).sum()) for severity in ("error", "warning", "info")}
    by_check = {str(k): int(v) for k, v in sorted(issues["check"].value_counts().items())}
    return {
        "counts": counts,
        "by_check": by_check,
        "issues": [{**row, "geometry": g} for row, g in zip(rows, shapes, strict=True)],
    }


def load(path: str | Path) -> gpd.GeoDataFrame:
    """Read an ISSUES table that `save` wrote.

    Raises
    ------
    ReadError
        If it is not there or is no such table.
    """
    source = Path(path)
    if not source.is_file():
        raise ReadError(
            "no such file", hint="give the issues of an earlier run (.gpkg, .csv, .geojson or .json)", file=source
        )
    try:
        frame = _frame(source)
    except ReadError:
        raise
    except Exception as error:
        raise ReadError(f"it cannot be read as issues ({type(error).__name__})", file=source) from error
    missing = [c for c in ("check", "kind", "id") if c not in frame.columns]
    if missing:
        raise ReadError(
            f"it has no column '{missing[0]}'", hint="give the issues of an earlier run of geotools check", file=source
        )
    for column in ISSUE_COLUMNS:
        frame[column] = frame[column].fillna("").astype(str) if column in frame else ""
    return frame[[*ISSUE_COLUMNS, "geometry"]]


def _frame(source: Path) -> gpd.GeoDataFrame:
    ending = source.suffix.lower()
    if ending == ".json":
        rows = json.loads(source.read_text("utf-8"))["issues"]
        return _located(pd.DataFrame(rows), [r.get("geometry") for r in rows])
    if ending == ".csv":
        table = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        texts = next((table[c] for c in ("wkt", "WKT", "geometry") if c in table), pd.Series([""] * len(table)))
        shapes = [shapely.from_wkt(t, on_invalid="ignore") if t else None for t in texts]
        return gpd.GeoDataFrame(
            table.drop(columns=["geometry"], errors="ignore"), geometry=gpd.GeoSeries(shapes, crs=ISSUE_CRS)
        )
    layer = LAYER if ending == ".gpkg" else None
    frame = gpd.read_file(source, layer=layer) if layer else gpd.read_file(source)
    return (
        frame
        if frame.active_geometry_name
        else gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame), crs=ISSUE_CRS))
    )


def _located(table: pd.DataFrame, shapes: list[Any]) -> gpd.GeoDataFrame:
    found = [None if s is None else shapely.geometry.shape(s) for s in shapes]
    return gpd.GeoDataFrame(
        table.drop(columns=["geometry"], errors="ignore"), geometry=gpd.GeoSeries(found, crs=ISSUE_CRS)
    )
