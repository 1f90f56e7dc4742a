"""Records shifted by the step between two datums: CR-07. A copy beside its original, a release beside its hazard.

For finding them; how to move coordinates properly is in `space.crs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
import shapely.affinity

from geotools.checks import overlay
from geotools.checks.layers import POLYGONAL, Data, Layer
from geotools.checks.relations.ground import linked_ground
from geotools.checks.rule import Check, Finding, metres
from geotools.space import crs as _crs

# Systems that people mix up with WGS 84: the copy read in the wrong one lies beside the right one (reference §6.3).
SHIFTED = (("Pulkovo 1942", 4284), ("ED50", 4230))


def shifted_copies(data: Data) -> Iterator[Finding]:
    """CR-07: two records of one shape, apart by just the step between two datums."""
    for layer in data.each("hazards", "releases"):
        centres = shapely.centroid(layer.flat)
        size = shapely.get_num_coordinates(layer.flat)
        usable = np.flatnonzero(np.isin(shapely.get_type_id(layer.flat), POLYGONAL) & (size > 4))
        if len(usable) < 2:
            continue
        xy = shapely.get_coordinates(centres[usable])
        order = {int(row): k for k, row in enumerate(usable)}
        a, b = _alike_near(layer, usable, xy, size)
        for name, code in SHIFTED:
            steps = _steps(data, code)
            if steps is None:
                continue
            for first, second in zip(a, b, strict=True):
                offset = xy[order[int(second)]] - xy[order[int(first)]]
                for step, wrong in ((steps, second), (-steps, first)):
                    if np.hypot(*(offset - step)) < 3.0:
                        yield _shift_finding(layer, int(first), int(second), int(wrong), name, float(np.hypot(*offset)))


def _alike_near(layer: Layer, usable: np.ndarray, xy: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows 60–160 m apart with as many points and the same outline once laid on each other."""
    from scipy.spatial import cKDTree

    # Points of the same count only: the fourth coordinate axis keeps the others out of reach
    keyed = np.column_stack(
        [xy, 1000.0 * size[usable], 1000.0 * np.log(np.maximum(shapely.area(layer.flat[usable]), 1e-9))]
    )
    pairs = cKDTree(keyed).query_pairs(160.0, output_type="ndarray")
    if not len(pairs):
        return np.empty(0, int), np.empty(0, int)
    apart = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    areas = shapely.area(layer.flat[usable])
    near = (apart > 60) & (np.abs(areas[pairs[:, 0]] - areas[pairs[:, 1]]) < 0.002 * areas[pairs[:, 0]])
    pairs = np.sort(usable[pairs[near]], axis=1)
    keep = [_same_outline(layer.flat[i], layer.flat[j]) for i, j in pairs]
    pairs = pairs[np.array(keep, dtype=bool)] if len(pairs) else pairs
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs[:, 0], pairs[:, 1]


def _same_outline(first: Any, second: Any) -> bool:
    a, b = shapely.get_coordinates(first), shapely.get_coordinates(second)
    # a datum step turns and stretches by a few parts per million only
    return bool(np.abs((a - a.mean(axis=0)) - (b - b.mean(axis=0))).max() < 0.5)


def _steps(data: Data, code: int) -> np.ndarray | None:
    """Metres east and north from the right place to where it plots when its coordinates are read as WGS 84."""
    lon, lat = data.centre
    change = _crs.transformer(f"EPSG:{code}", "EPSG:4326")
    x, y = change.transform(lon, lat)
    if not np.isfinite([x, y]).all():
        return None
    points = data.to_plane(shapely.points([[lon, lat], [x, y]]))
    if shapely.is_missing(points).any():
        return None
    coords = shapely.get_coordinates(points)
    step = coords[0] - coords[1]
    return np.asarray(step) if np.hypot(*step) > 20 else None


def _shift_finding(layer: Layer, first: int, second: int, wrong: int, name: str, apart: float) -> Finding:
    right = first if wrong == second else second
    return Finding(
        layer.kind,
        layer.ids[wrong],
        "geometry",
        {"other": layer.ids[right], "distance": metres(apart), "system": name},
        value=round(apart, 1),
        geometry=layer.lonlat[wrong],
    )


def shifted_releases(data: Data) -> Iterator[Finding]:
    """CR-07: a release that lies in no hazard as a whole, and would lie in one, were it read in another datum."""
    hazards = data.layer("hazards")
    steps = [(name, step) for name, code in SHIFTED if (step := _steps(data, code)) is not None]
    for layer in data.each("releases"):
        rows, grounds, _ = linked_ground(data, layer)
        inside = shapely.area(overlay.intersection(layer.plane[rows], grounds))
        suspects = rows[inside < 0.9 * layer.area[rows]]
        for row in suspects.tolist():
            if _home(hazards, layer.plane[row]) is not None:
                continue
            for name, step in steps:
                home = _home(hazards, shapely.affinity.translate(layer.plane[row], *-step))
                if home is not None:
                    words = {"other": hazards.ids[home], "distance": metres(float(np.hypot(*step))), "system": name}
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        "geometry",
                        words,
                        variant="release",
                        value=name,
                        geometry=layer.lonlat[row],
                    )
                    break


def _home(hazards: Layer, shape: Any) -> int | None:
    """The hazard that holds at least 98 % of a polygon, the one with most of it."""
    near = [int(i) for i in sorted(hazards.tree.query(shape, predicate="intersects")) if hazards.area[i] > 0]
    shares = [shapely.area(overlay.intersection(hazards.plane[i], shape)) / shape.area for i in near]
    return near[int(np.argmax(shares))] if shares and max(shares) >= 0.98 else None


def shifted(data: Data) -> Iterator[Finding]:
    """CR-07, both ways."""
    yield from shifted_copies(data)
    yield from shifted_releases(data)


RULES = (Check("CR-07", shifted, ("hazards", "releases"), "error"),)
