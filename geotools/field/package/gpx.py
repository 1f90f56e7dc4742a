"""GPX 1.1 for hand-helds and phones: boundaries as closed tracks, numbered turning points, marks and the approach lane.

Phones draw no polygons from GPX; so the boundary is a track. Element order as in the GPX 1.1 schema. Not for reading.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import shapely

from geotools.field.package.cargo import Cargo, placed
from geotools.field.package.phrases import Phrases
from geotools.field.package.points import Points, rings_of
from geotools.model.provenance import now
from geotools.model.vocab import vocabulary

NAMESPACE = "http://www.topografix.com/GPX/1/1"
WHERE = "http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd"
SYMBOLS = {"landmark": "Flag, Red", "benchmark": "Pin, Red", "start": "Flag, Green"}


def document(cargo: Cargo, points: Points | None, phrases: Phrases) -> bytes:
    """The GPX file of a package as bytes."""
    root = ET.Element("gpx", {
        "version": "1.1", "creator": "geotools", "xmlns": NAMESPACE,
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:schemaLocation": WHERE,
    })  # fmt: skip
    meta = ET.SubElement(root, "metadata")
    _text(meta, "name", " · ".join(t for t in (cargo.title, cargo.name) if t))
    _text(meta, "desc", phrases("warning"))
    _text(meta, "time", now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    if points is not None:
        _waypoints(root, cargo, points, phrases)
    _tracks(root, cargo, points, phrases)
    ET.indent(root, " ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n"


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _place(tag: str, parent: ET.Element, lon: float, lat: float) -> ET.Element:
    return ET.SubElement(parent, tag, {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"})


def _waypoints(root: ET.Element, cargo: Cargo, points: Points, phrases: Phrases) -> None:
    several = len(set(points.table["feature"])) > 1
    for row in points.table.to_dict("records"):
        spot = _place("wpt", root, row["lon_deg"], row["lat_deg"])
        _text(spot, "name", f"{row['feature']} {row['point']}" if several else row["point"])
        mark = f" = {row['recorded_mark']}" if row["recorded_mark"] else ""
        far, turn = (phrases.number(row[name], 1) for name in ("distance_m", "bearing_magnetic_deg"))
        said = f"{row['mgrs']}{mark}; {phrases('to')} {row['to_point']}: {far} m, {turn}° {phrases('magnetic')}"
        _text(spot, "desc", said)
        _text(spot, "sym", "Waypoint")
        _text(spot, "type", "turning point")
    for label, feature, kind, shape in zip(
        points.marks["label"], points.marks["feature"], points.marks["kind"], points.marks.geometry, strict=True
    ):
        spot = _place("wpt", root, shape.x, shape.y)
        _text(
            spot,
            "name",
            f"{feature} {label}"
            if isinstance(feature, str) and label in ("LM", "BM", "SP", "RP", "EP")
            else str(label),
        )
        if isinstance(kind, str):
            _text(spot, "desc", vocabulary("point_type").label(kind, phrases.lang))
            _text(spot, "sym", SYMBOLS.get(kind, "Waypoint"))
            _text(spot, "type", kind)


def _tracks(root: ET.Element, cargo: Cargo, points: Points | None, phrases: Phrases) -> None:
    if points is not None:
        for feature, lane in zip(points.approaches["feature"], points.approaches.geometry, strict=True):
            _track(
                root,
                f"{feature}: {phrases('approach')}",
                phrases("approach_note"),
                "approach",
                [shapely.get_coordinates(lane)],
            )
    for name, shape in sorted(cargo.figures().items()):
        if name not in set(cargo.hazards["id"].astype(str)):
            _track(root, f"{phrases('boundary')} {name}", phrases("task"), "boundary", _closed(shape))
    hazards: gpd.GeoDataFrame = cargo.hazards[placed(cargo.hazards)]
    for row in hazards.itertuples():
        kind, status = getattr(row, "classification", None), getattr(row, "status", None)
        words = [
            vocabulary(v).label(k, phrases.lang)
            for v, k in (("classification", kind), ("hazard_status", status))
            if isinstance(k, str)
        ]
        side = getattr(row, "precision_m", None)
        if isinstance(side, float) and side == side:  # noqa: PLR0124
            words.append(phrases("squares", side=f"{side:g}"))
        head = f"{phrases('boundary')} {kind or ''} {row.id}"
        _track(root, " ".join(head.split()), "; ".join(words), "boundary", _closed(row.geometry))


def _closed(shape: Any) -> list[np.ndarray]:
    if not shape.geom_type.endswith("Polygon"):
        return [shapely.get_coordinates(p) for p in shapely.get_parts(shape)]
    return [np.vstack([ring, ring[:1]]) for ring in rings_of(shape)]


def _track(root: ET.Element, name: str, said: str, kind: str, segments: list[np.ndarray]) -> None:
    track = ET.SubElement(root, "trk")
    _text(track, "name", name)
    if said:
        _text(track, "desc", said)
    _text(track, "type", kind)
    for segment in segments:
        part = ET.SubElement(track, "trkseg")
        for lon, lat, *_ in segment.tolist():
            _place("trkpt", part, lon, lat)
