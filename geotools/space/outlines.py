"""Polygons as plain arrays of vertices and rings, made once for all that is asked about them.

For the compiled engine; the polygons themselves stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import shapely


class Outlines:
    """The vertices of many polygons in one array.

    Attributes
    ----------
    polygons
        The polygons; they are found again by being the same objects.
    xy, last
        Vertices, and which of them closes a ring.
    first, ring_first
        First vertex and first ring of each polygon, and the end.
    ring, shell
        First vertex of each ring and the end; whether the ring is a shell.
    valid
        Said by the maker: every polygon is valid.
    """

    def __init__(self, polygons: np.ndarray, *, valid: bool = False) -> None:
        self.polygons, self._valid = polygons, valid
        self.xy, self.last, self.first, self.ring_first, self.ring, self.shell = _flat(polygons)

    @classmethod
    def joined(cls, parts: Sequence[Outlines]) -> Outlines:
        """Several, one after the other."""
        out = cls.__new__(cls)
        out.polygons = np.concatenate([part.polygons for part in parts])
        out._valid = all(part._valid for part in parts)
        out.xy = np.concatenate([part.xy for part in parts])
        out.last = np.concatenate([part.last for part in parts])
        out.shell = np.concatenate([part.shell for part in parts])
        out.first = _chained([part.first for part in parts])
        out.ring_first = _chained([part.ring_first for part in parts])
        out.ring = _chained([part.ring for part in parts])
        return out

    @cached_property
    def box(self) -> np.ndarray:
        """Bounds of each polygon; zeros where it is empty."""
        return np.nan_to_num(shapely.bounds(self.polygons))

    @cached_property
    def _row(self) -> dict[int, int]:
        return {id(polygon): row for row, polygon in enumerate(self.polygons)}

    def rows(self, polygons: np.ndarray) -> np.ndarray | None:
        """Where these very objects stand; None if one of them is not here."""
        found = self._row
        try:
            return np.array([found[id(polygon)] for polygon in polygons], dtype=np.int64)
        except KeyError:
            return None

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


def _chained(offsets: list[np.ndarray]) -> np.ndarray:
    """Offsets of several arrays, for the arrays one after the other."""
    start = np.cumsum([0, *(part[-1] for part in offsets)])
    return np.concatenate([[0], *(part[1:] + begin for part, begin in zip(offsets, start[:-1], strict=True))])


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
