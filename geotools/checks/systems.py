"""Reference systems and places: CR-01…06. Is the system known, are the coordinates where they can be? It changes nothing.

For moving coordinates between datums see `space.crs`; shifted copies of one polygon (CR-07) are in `relations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyproj
import shapely
from pyproj.crs import CoordinateOperation  # type: ignore[attr-defined]

from geotools.checks.layers import Data, Layer
from geotools.checks.rule import Check, Finding, listed, metres, spot
from geotools.space import crs as _crs


def _there(layer: Layer) -> np.ndarray:
    return ~(shapely.is_missing(layer.raw) | shapely.is_empty(layer.raw))


def system_unknown(data: Data) -> Iterator[Finding]:
    """CR-01: no reference system, or one that cannot be true of these numbers."""
    for layer in data.each():
        rows = np.flatnonzero(_there(layer))
        if not len(rows):
            continue
        if layer.crs is None:
            yield Finding(layer.kind, "", "geometry", {"count": len(rows)}, value=len(rows))
            continue
        box = np.abs(shapely.bounds(layer.raw[rows]))
        if layer.crs.is_geographic:
            beyond = (box[:, [0, 2]] > 360).any(axis=1) | (box[:, [1, 3]] > 360).any(axis=1)
            if beyond.mean() > 0.5:
                words: dict[str, Any] = {"system": layer.crs.name, "count": int(beyond.sum())}
                yield Finding(layer.kind, "", "geometry", words, variant="metres", value=int(beyond.sum()))
        elif layer.crs.is_projected:
            small = (box <= 180).all(axis=1) & (box > 1e-6).any(axis=1)
            if small.mean() > 0.5:
                words = {"system": layer.crs.name, "count": int(small.sum())}
                yield Finding(layer.kind, "", "geometry", words, variant="degrees", value=int(small.sum()))


def operation(data: Data) -> Iterator[Finding]:
    """CR-02: reaching WGS 84 is less certain than the limit, or used outside its area, or not on record."""
    limit = data.limit("operation_accuracy_m")
    for layer in data.each():
        if layer.crs is not None and _there(layer).any():
            accuracy, inside = _to_wgs84(layer.crs, data.centre)
            if accuracy is None or accuracy > limit or not inside:
                shown = "?" if accuracy is None else metres(accuracy)
                variant = "area" if not inside else ""
                words = {"system": layer.crs.name, "accuracy": shown, "limit": metres(limit)}
                yield Finding(layer.kind, "", "geometry", words, variant=variant, value=shown, limit=limit)
        named, used = layer.text("source_crs"), layer.text("transform_op")
        lost = [r for r in range(len(layer)) if named[r] and not used[r] and _other_datum(named[r])]
        if lost:
            unsaid = {"count": len(lost), "ids": listed(layer.ids[lost]), "system": named[lost[0]]}
            yield Finding(
                layer.kind,
                layer.ids[lost[0]] if len(lost) == 1 else "",
                "transform_op",
                unsaid,
                variant="record",
                value=len(lost),
            )
        yield from _recorded_operations(layer, used, limit)


def _recorded_operations(layer: Layer, used: np.ndarray, limit: float) -> Iterator[Finding]:
    """Operations on record that are not certain enough, or not meant for where the records lie."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(used):
        if text:
            rows.setdefault(str(text), []).append(row)
    for text, mine in sorted(rows.items()):
        accuracy, area = _told(text)
        bounds = shapely.bounds(layer.lonlat[mine])
        beyond = [row for row, box in zip(mine, bounds, strict=True) if area is not None and _apart(area, box)]
        poor = mine if accuracy is not None and accuracy > limit else []
        for found, variant in ((beyond, "area"), (poor, "")):
            if found:
                words = {"system": text, "accuracy": metres(accuracy or 0.0), "limit": metres(limit)}
                lone = layer.ids[found[0]] if len(found) == 1 else ""
                yield Finding(layer.kind, lone, "transform_op", words, variant=variant, value=text, limit=limit)
                break


_OPERATION = re.compile(r"(?:EPSG|epsg)\s*:{1,2}\s*(\d{3,6})")
_ACCURACY = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*m(?:et(?:re|er)s?)?\b")


def _told(text: str) -> tuple[float | None, Any]:
    """Accuracy in metres and area of use of an operation as it stands on record."""
    said = [float(value) for value in _ACCURACY.findall(text)]
    for code in _OPERATION.findall(text):
        try:
            known = CoordinateOperation.from_epsg(int(code))
        except pyproj.exceptions.CRSError:  # the code of a system
            continue
        stated = known.accuracy if known.accuracy is not None and known.accuracy >= 0 else None
        return max([*said, *([] if stated is None else [stated])], default=None), known.area_of_use
    return (said[-1] if said else None), None


def _apart(area: Any, box: np.ndarray, margin: float = 0.5) -> bool:
    """Whether a box lies beside an area of use, by more than a margin in degrees; an area may reach across 180°."""
    west, south, east, north = box
    if not np.isfinite(box).all():
        return False
    far = area.east + (360.0 if area.east < area.west else 0.0)
    beside = all(west + turn > far + margin or east + turn < area.west - margin for turn in (-360.0, 0.0, 360.0))
    return bool(beside or south > area.north + margin or north < area.south - margin)


def _to_wgs84(crs: pyproj.CRS, centre: tuple[float, float]) -> tuple[float | None, bool]:
    """Accuracy in metres of the operation that would be used here, and whether the system is meant for this place."""
    lon, lat = centre
    area = crs.area_of_use
    inside = area is None or not _apart(area, np.array([lon, lat, lon, lat]), 1.0)
    datum = crs.datum.name if crs.datum is not None else ""
    if "World Geodetic System 1984" in datum or "WGS 84" in datum or "WGS_1984" in datum:
        return 0.0, inside
    place = pyproj.transformer.AreaOfInterest(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)
    group = pyproj.transformer.TransformerGroup(crs, _crs.WGS84, always_xy=True, area_of_interest=place)
    accuracies = [t.accuracy for t in group.transformers if t.accuracy is not None and t.accuracy >= 0]
    return (accuracies[0] if accuracies else None), inside


def _other_datum(text: str) -> bool:
    try:
        crs = pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        return not re.search(r"wgs\s*_?\s*(19)?84|4326|mgrs", text, re.IGNORECASE)
    return crs.datum is not None and "World Geodetic System 1984" not in crs.datum.name


# What a pair of metres without a named system may be, as the trade meets it between 26° and 52° E (reference §6.1).
CANDIDATES = (("WGS 84 / UTM 37N", 32637), ("WGS 84 / UTM 38N", 32638), ("WGS 84 / UTM 39N", 32639), ("Pulkovo 1942 / CM 45E", 2498), ("Pulkovo 1942 / CM 51E", 2499))  # fmt: skip
_PAIR = re.compile(r"^\D*(\d{5,8}(?:[.,]\d+)?)\s*[;,\s/]\s*\D*(\d{5,8}(?:[.,]\d+)?)\D*$")


def two_readings(data: Data) -> Iterator[Finding]:
    """CR-03: coordinates as typed fit two systems, or fit better the other way round; ask, never guess."""
    extent = data.programme.extent
    for layer in data.each():
        typed, named = layer.text("source_coords"), layer.text("source_crs")
        for row in range(len(layer)):
            match = _PAIR.match(typed[row] or "") if not named[row] else None
            if match:
                x, y = (float(v.replace(",", ".")) for v in match.groups())
                fits = [name for name, code in CANDIDATES if _fits(x, y, code, extent, data.centre)]
                if len(fits) > 1:
                    words = {"value": typed[row], "systems": listed(fits)}
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        "source_coords",
                        words,
                        value=typed[row],
                        limit=listed(fits),
                        geometry=layer.lonlat[row],
                    )
        yield from _layer_swapped(data, layer)


def _fits(x: float, y: float, code: int, extent: Any, centre: tuple[float, float]) -> bool:
    lon, lat = _crs.transformer(f"EPSG:{code}", "EPSG:4326").transform(x, y)
    west, south, east, north = extent or (centre[0] - 2, centre[1] - 2, centre[0] + 2, centre[1] + 2)
    return bool(west <= lon <= east and south <= lat <= north)


def _layer_swapped(data: Data, layer: Layer) -> Iterator[Finding]:
    """A whole layer that lies apart from the others, and among them once x and y change places."""
    others = [o for o in data.layers.values() if o is not layer and o.crs is not None]
    middle, rest = _middle([layer]), _middle(others)
    if middle is None or rest is None or layer.crs is None or not layer.crs.is_geographic:
        return
    here = np.hypot(*(middle - rest))
    swapped = np.hypot(*(middle[::-1] - rest))
    if here > 3 and swapped < 1:
        words = {
            "count": len(layer),
            "place": f"{middle[0]:.3f}, {middle[1]:.3f}",
            "other": f"{middle[1]:.3f}, {middle[0]:.3f}",
        }
        yield Finding(layer.kind, "", "geometry", words, variant="swapped", value=words["place"], limit=words["other"])


def _middle(layers: list[Layer]) -> np.ndarray | None:
    boxes = [shapely.bounds(layer.lonlat) for layer in layers]
    points = np.concatenate([(b[:, :2] + b[:, 2:]) / 2 for b in boxes]) if boxes else np.empty((0, 2))
    points = points[np.isfinite(points).all(axis=1)]
    return np.asarray(np.median(points, axis=0)) if len(points) else None


def wrong_place(data: Data) -> Iterator[Finding]:
    """CR-04: coordinates that are nowhere, at 0/0, swapped, one zone off, or outside the country."""
    extent = data.programme.extent
    for layer in data.each():
        if layer.crs is None:
            continue
        for row in np.flatnonzero(layer.impossible).tolist():
            yield Finding(layer.kind, layer.ids[row], "geometry", {}, variant="impossible")
        box = shapely.bounds(layer.lonlat)
        middle = (box[:, :2] + box[:, 2:]) / 2
        with np.errstate(invalid="ignore"):
            null = np.asarray((np.abs(middle) < 0.01).all(axis=1))
            if extent is None:
                apart = _crs_distance(middle, data.centre)
                out = apart > data.limit("outlier_distance_m")
            else:
                west, south, east, north = extent
                out = (box[:, 0] < west) | (box[:, 2] > east) | (box[:, 1] < south) | (box[:, 3] > north)
        nowhere = set(np.flatnonzero(null).tolist())
        for row in np.flatnonzero(null | out).tolist():
            variant = "null" if row in nowhere else _reading(middle[row], data)
            words = {"place": spot(shapely.Point(middle[row])), "limit": _limit_text(data)}
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                words,
                variant=variant,
                value=words["place"],
                limit=words["limit"],
                geometry=layer.lonlat[row],
            )


def _crs_distance(lonlat: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    safe = np.where(np.isfinite(lonlat), lonlat, 0.0)
    _, _, apart = _crs.GEOD.inv(
        safe[:, 0], np.clip(safe[:, 1], -90, 90), np.full(len(safe), centre[0]), np.full(len(safe), centre[1])
    )
    return np.where(np.isfinite(lonlat).all(axis=1), apart, np.nan)


def _limit_text(data: Data) -> str:
    extent = data.programme.extent
    if extent is not None:
        return ", ".join(f"{v:g}" for v in extent)
    return metres(data.limit("outlier_distance_m"))


def _reading(point: np.ndarray, data: Data) -> str:
    """Which slip would explain the place: swapped axes, or one UTM zone too far east or west."""

    def fits(lon: float, lat: float) -> bool:
        if data.programme.extent is not None:
            west, south, east, north = data.programme.extent
            return west <= lon <= east and south <= lat <= north
        return abs(lon - data.centre[0]) < 2 and abs(lat - data.centre[1]) < 2

    lon, lat = float(point[0]), float(point[1])
    if fits(lat, lon):
        return "swapped"
    return "zone" if fits(lon - 6, lat) or fits(lon + 6, lat) else ""


def minutes_as_decimals(data: Data) -> Iterator[Finding]:
    """CR-05: in a whole layer no fraction of a degree reaches .60: degrees and minutes typed as decimals?"""
    for layer in data.each():
        if layer.crs is None or not layer.crs.is_geographic:
            continue
        coords = shapely.get_coordinates(layer.raw)
        coords = np.unique(coords[np.isfinite(coords).all(axis=1)], axis=0)
        fractions = np.abs(coords) % 1
        spread = np.ptp(coords, axis=0).min() if len(coords) else 0.0
        # 40 fractions below .60 by chance: 0.6^40, one in a thousand million; the layer must span the whole degree
        if len(coords) >= 20 and spread > 1.5 and (fractions < 0.6).all():
            words = {"count": len(coords), "largest": f"{fractions.max():.3f}"}
            yield Finding(layer.kind, "", "geometry", words, value=words["largest"], limit="0.60")


def mixed_digits(data: Data) -> Iterator[Finding]:
    """CR-06: coordinates rounded to so few decimals that a vertex may be tens of metres away."""
    for layer in data.each("hazards", "releases"):
        if layer.crs is None or not layer.crs.is_geographic:
            continue
        rings = layer.rings
        if not len(rings.ring):
            continue
        coarse = np.abs(rings.lonlat * 1e4 - np.round(rings.lonlat * 1e4)).max(axis=1) < 1e-6
        counted = np.bincount(rings.vertex_row, minlength=len(layer))
        all_coarse = (np.bincount(rings.vertex_row, weights=coarse, minlength=len(layer)) == counted) & (counted > 2)
        for row in np.flatnonzero(all_coarse):
            yield Finding(
                layer.kind,
                layer.ids[row],
                "geometry",
                {"error": metres(8.0)},
                value="4 decimals",
                limit="7 decimals",
                geometry=layer.lonlat[row],
            )


ALL = ("every layer",)
RULES = (
    Check("CR-01", system_unknown, ALL, "error"),
    Check("CR-02", operation, ALL, "warning", ("operation_accuracy_m",)),
    Check("CR-03", two_readings, ALL, "error"),
    Check("CR-04", wrong_place, ALL, "error", ("outlier_distance_m",)),
    Check("CR-05", minutes_as_decimals, ALL, "warning"),
    Check("CR-06", mixed_digits, ("hazards", "releases"), "warning"),
)
