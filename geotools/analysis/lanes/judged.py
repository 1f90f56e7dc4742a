"""Ground judged for a machine: lanes lie on what was found workable or conditional, and nowhere else.

For shutting the rest of the tasks, ground that nobody judged included; how ground is judged is in the suitability room.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.lanes.ground import Plane, plane_of, task_rows, thick
from geotools.model.doors import checked
from geotools.model.schema import Issue
from geotools.space import crs as _crs
from geotools.space import geom

OPEN = ("workable", "conditional")
SEAM_M = 0.01  # thinner strips come from rounding where patches meet


@checked
def shut(
    task: gpd.GeoDataFrame | gpd.GeoSeries, judged: gpd.GeoDataFrame, exclusions: gpd.GeoDataFrame | gpd.GeoSeries | None = None
) -> tuple[gpd.GeoDataFrame, list[Issue]]:  # fmt: skip
    """Exclusion zones that leave of the tasks only ground judged as workable or conditional.

    Parameters
    ----------
    task
        Polygons in any CRS, as for `plan`.
    judged
        Polygons with the column ``class`` (`Suitability.patches`); where patches of several classes lie over each other, the ground is shut.
    exclusions
        Further zones, handed on with their ids.

    Returns
    -------
    tuple
        Zones for `plan`, and an issue LN-10 for each task with ground that no patch covers: it is shut, too.

    Raises
    ------
    CRSError
        If something has no CRS.

    Examples
    --------
    >>> field = gpd.GeoDataFrame({"id": ["T"]}, geometry=[shapely.box(500000, 0, 500010, 10)], crs="EPSG:32638")
    >>> west = gpd.GeoDataFrame({"class": ["workable"]}, geometry=[shapely.box(500000, 0, 500004, 10)], crs="EPSG:32638")
    >>> zones, issues = shut(field, west)
    >>> zones.area.round(6).tolist(), issues[0].check
    ([60.0], 'LN-10')
    """
    plane = plane_of(task)
    patches = _on(plane, judged)
    classes = judged["class"].to_numpy()
    workable = np.isin(classes, OPEN)
    known = _union(patches)
    free = shapely.difference(_union(patches[workable]), _union(patches[~workable]))
    zones: list[tuple[str, BaseGeometry]] = []
    issues: list[Issue] = []
    for name, shape in task_rows(task):
        ground = shapely.union_all(plane.place([shape], _crs.require(task, "task")))
        zones.append((f"judged-{name}", thick(shapely.difference(ground, free), SEAM_M)))
        missing = thick(shapely.difference(ground, known), SEAM_M).area / plane.scale**2
        if missing > SEAM_M:
            issues.append(
                Issue(
                    "LN-10",
                    "warning",
                    "tasks",
                    name,
                    "",
                    f"{missing:,.0f} of {ground.area / plane.scale**2:,.0f} m² of this task were not judged for the machine: no lane is planned there; judge them first",
                    round(missing, 2),
                )
            )
    zones = [(name, shape) for name, shape in zones if not shape.is_empty]
    if exclusions is not None and len(exclusions):
        named = (
            exclusions["id"]
            if isinstance(exclusions, gpd.GeoDataFrame) and "id" in exclusions
            else range(1, len(exclusions) + 1)
        )
        zones += list(zip(map(str, named), _on(plane, exclusions, mended=False), strict=True))
    shapes = gpd.GeoSeries([shape for _, shape in zones], crs=plane.crs)
    return gpd.GeoDataFrame({"id": [name for name, _ in zones]}, geometry=shapes, crs=plane.crs), issues


def _on(plane: Plane, frame: gpd.GeoDataFrame | gpd.GeoSeries, *, mended: bool = True) -> np.ndarray:
    """Geometries on the plane, row by row; what has no place stays without."""
    out = np.asarray(frame.geometry.array, dtype=object).copy()
    source = _crs.require(frame.geometry, "zones")
    there = ~shapely.is_missing(out) & ~shapely.is_empty(out)
    out[there] = geom.repair(out[there]) if mended else out[there]
    if there.any() and _crs.parse(source) != plane.crs:
        moved = _crs.to_equal_area(out[there], source, plane.crs)
        out[there] = geom.repair(moved) if mended else moved
    return out


def _union(shapes: np.ndarray) -> Any:
    return geom.polygonal([shapely.union_all(shapes)])[0]
