"""The issues found in the data, as points at the records they are about.

For showing the ISSUES table on the map; the rules behind it are in `geotools.checks` and the rooms that read and reckon.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd

from geotools.maps.symbols import Theme
from geotools.maps.webmap import words
from geotools.maps.webmap.layers import LayerSpec, PointLayer, VectorLayer
from geotools.maps.webmap.survey.rows import class_rows, keys
from geotools.space import crs as _crs


def issue_layer(
    issues: gpd.GeoDataFrame, frames: Mapping[str, gpd.GeoDataFrame], theme: Theme, closed: Mapping[str, set[str]]
) -> VectorLayer:
    """Issues at their place, or at the record they are about; those about withheld records have no place here."""
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
        if kind in closed and (str(i) in closed[kind] or not closed[kind]):
            found = None
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
