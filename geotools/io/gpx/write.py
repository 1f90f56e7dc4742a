"""Frames as GPX 1.1 for hand-helds. Not for reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geotools.io import geojson, markup
from geotools.model.errors import WriteError

NAMESPACE = "https://geotools.example/gpx/1"


def write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write GPX 1.1: points as waypoints, lines as tracks, areas as closed tracks; columns as extensions."""
    shapes = geojson.to_rfc7946(frame)
    names = [name for name in frame.columns if name != frame.geometry.name]
    values = {name: [geojson.json_value(v) for v in frame[name]] for name in names}
    body: dict[str, list[str]] = {"wpt": [], "trk": []}
    for row, shape in enumerate(shapes):
        data = {name: values[name][row] for name in names if values[name][row] is not None}
        tag, text = _element(shape, data)
        body[tag].append(text)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="geotools" ')
        stream.write(f'xmlns="http://www.topografix.com/GPX/1/1" xmlns:geotools="{NAMESPACE}">\n')
        stream.writelines((*body["wpt"], *body["trk"]))
        stream.write("</gpx>\n")


def _element(shape: Any, data: dict[str, Any]) -> tuple[str, str]:
    title = markup.quoted(str(data.get("name", data.get("id", ""))))
    more = "".join(
        f'<geotools:value name="{markup.attribute(str(k))}">{markup.quoted(str(v).lower() if isinstance(v, bool) else str(v))}</geotools:value>'
        for k, v in data.items()
        if k not in ("name", "time")
    )
    extensions = f"<extensions>{more}</extensions>" if more else ""
    if shape is None:
        raise WriteError(
            f"the row '{title}' has no geometry, and GPX holds nothing without a position",
            hint="write GeoPackage or CSV, or leave such rows out",
        )
    if shape.geom_type == "Point":
        head = f"<ele>{shape.z!r}</ele>" if shape.has_z else ""
        head += f"<time>{markup.quoted(str(data['time']))}</time>" if "time" in data else ""
        return "wpt", f'<wpt lat="{shape.y!r}" lon="{shape.x!r}">{head}<name>{title}</name>{extensions}</wpt>\n'
    if shape.geom_type in ("MultiPoint", "GeometryCollection"):
        raise WriteError(
            f"GPX has no place for the {shape.geom_type} of '{title}'",
            hint="split it into points, or write a GeoPackage",
        )
    rings = [
        r
        for part in shapely.get_parts(shape)
        for r in ([part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part])
    ]
    segments = "".join(
        f"<trkseg>{''.join(_trkpt(p) for p in shapely.get_coordinates(r, include_z=r.has_z))}</trkseg>" for r in rings
    )
    return "trk", f"<trk><name>{title}</name>{extensions}{segments}</trk>\n"


def _trkpt(point: np.ndarray) -> str:
    ele = f"<ele>{float(point[2])!r}</ele>" if len(point) > 2 else ""
    return f'<trkpt lat="{float(point[1])!r}" lon="{float(point[0])!r}">{ele}</trkpt>'
