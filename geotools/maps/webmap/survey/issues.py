"""The issues found in the data, as points at the records they are about.

For showing the ISSUES table on the map; the rules behind it are in `geotools.checks` and the rooms that read and reckon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import geopandas as gpd

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import LayerSpec, PointLayer, VectorLayer
from geotools.maps.webmap.survey.content import Veil
from geotools.maps.webmap.survey.rows import class_rows, keys
from geotools.space import crs as _crs
from geotools.space.withheld import naming, revealing


def open_issues(issues: gpd.GeoDataFrame, veil: Veil) -> gpd.GeoDataFrame:
    """The issues that are not about a withheld record, do not name a withheld hazard and do not lie on one."""
    if not veil.closed:
        return issues
    hazards = veil.closed.get("hazards", set())
    gone = revealing({"issues": issues}, {}, veil.ground)["issues"]
    for column in (c for c in issues.columns if c not in ("kind", "severity", "geometry")):
        gone |= naming(issues[column], hazards)
    for row, (kind, i) in enumerate(zip(issues["kind"], issues["id"], strict=True)):
        about = re.split(r"[,;|+ ]+", str(i))
        gone[row] |= veil.hides(str(kind), str(i)) or any(one in hazards for one in about)
    return issues[~gone]


def issue_layer(issues: gpd.GeoDataFrame, frames: Mapping[str, gpd.GeoDataFrame], theme: Theme) -> VectorLayer:
    """Issues at their place, or at the record they are about."""
    rows = class_rows("severity", "issue", theme, unknown="info")
    lonlat = _crs.to_wgs84(issues) if issues.crs is not None else issues.set_crs(_crs.WGS84)
    places = {
        (kind, str(i)): g
        for kind, frame in frames.items()
        if "id" in frame and frame.crs is not None
        for i, g in zip(frame["id"], _crs.to_wgs84(frame).geometry, strict=True)
    }
    shapes = []
    for kind, i, shape in zip(lonlat["kind"], lonlat["id"], lonlat.geometry, strict=True):
        found = shape if shape is not None and not shape.is_empty else places.get((str(kind), str(i)))
        shapes.append(
            None
            if found is None or found.is_empty
            else found
            if found.geom_type == "Point"
            else found.representative_point()
        )
    frame = gpd.GeoDataFrame(
        {c: lonlat[c].to_numpy() for c in issues.columns if c != issues.geometry.name},
        geometry=gpd.GeoSeries(shapes, crs=_crs.WGS84),
    )
    spec = LayerSpec(
        "issues",
        words.label("layer", "issues"),
        "issues",
        "issues",
        rows,
        lambda f: keys(f, "severity", rows, "info"),
        columns=("id", "severity", "check", "kind", "column", "message", "value", "limit"),
        visible=False,
        search=("id",),
    )
    return PointLayer(frame, spec.title, spec=spec)
