"""Polygons as plain arrays of vertices and rings, made once for all that is asked about them.

For both engines of the ledger and the test for valid polygons; where many polygons are kept is in `shapes`.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import shapely


class Outlines:
    """The vertices of many polygons in one array.

    Attributes
    ----------
    polygons
        The polygons.
    xy, last
        Vertices, and which of them closes a ring.
    first, ring_first
        First vertex and first ring of each polygon, and the end.
    ring, shell
        First vertex of each ring and the end; whether the ring is a shell.
    valid
        Said by the maker: every polygon is valid; then nobody looks again.
    """

    def __init__(self, polygons: np.ndarray, *, valid: bool = False) -> None:
        self.polygons, self._valid = polygons, valid
        self.xy, self.last, self.first, self.ring_first, self.ring, self.shell = _flat(polygons)

    @cached_property
    def box(self) -> np.ndarray:
        """Bounds of each polygon; zeros where it is empty."""
        return np.nan_to_num(shapely.bounds(self.polygons))

    @cached_property
    def clean(self) -> np.ndarray:
        """Which polygons are one ring that certainly neither crosses nor touches itself; others may be valid, too."""
        from geotools.space import simple

        return np.asarray(simple.simple(self.xy, self.last, self.first, self.ring_first))

    @cached_property
    def sure(self) -> np.ndarray:
        """Which polygons are valid and not empty; most are found so without GEOS."""
        if self._valid:
            return np.diff(self.first) > 0
        sure = self.clean.copy()
        rest = np.flatnonzero(~sure)
        sure[rest] = shapely.is_valid(self.polygons[rest]) & ~shapely.is_empty(self.polygons[rest])
        return sure

    @cached_property
    def sign(self) -> np.ndarray:
        """+1 for rings whose order of vertices is that of their area, else −1."""
        from geotools.space import simple

        return simple.signs(self.xy, self.ring, self.shell)


def _flat(polygons: np.ndarray) -> tuple[np.ndarray, ...]:
    """Vertices and where polygons and rings start; rings are taken out one by one only where there are several."""
    size = shapely.get_num_coordinates(polygons)
    plain = (shapely.get_type_id(polygons) == 3) & (shapely.get_num_interior_rings(polygons) == 0) & (size > 0)
    other = np.flatnonzero(~plain)
    parts, owner = shapely.get_parts(polygons[other], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    whole = ~shapely.is_empty(rings)
    rings, part = rings[whole], part[whole]
    count = plain.astype(np.int64)
    count[other] = np.bincount(owner[part], minlength=len(other))
    ring_first = np.r_[0, np.cumsum(count)]
    length, shell = np.zeros(ring_first[-1], dtype=np.int64), np.ones(ring_first[-1], dtype=bool)
    length[ring_first[:-1][plain]] = size[plain]
    places = np.repeat(~plain, count)
    length[places] = shapely.get_num_coordinates(rings)
    shell[places] = np.r_[True, np.diff(part) != 0][: len(part)]
    ring = np.r_[0, np.cumsum(length)]
    xy = shapely.get_coordinates(polygons)
    last = np.zeros(len(xy), dtype=bool)
    last[ring[1:][length > 0] - 1] = True
    return xy, last, ring[ring_first], ring_first, ring, shell
