"""One tile of a job joined and measured: what a worker is handed, and the figures and ground that it gives back.

For jobs worked tile by tile from disk; putting tiles together is in `tiled`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.swath.ground import SHAPES, Asked, Share, Work
from geotools.analysis.swath.kept import codec
from geotools.analysis.swath.seams import Piece, Seams
from geotools.analysis.swath.spill import Tile, unpacked
from geotools.space import crs as _crs

DRAWN = ("covered", "missed", "outside", "overlap", "shallow", "fast")
PLACED = ("outside", "missed")


@dataclass(frozen=True)
class Drawing:
    """From which plane to which system ground is to be written; no system, no drawing."""

    plane: pyproj.CRS
    home: pyproj.CRS | None


@dataclass(frozen=True)
class Job:
    """A tile: its swath parts as they were put aside, the ground of the task in it, its side, and what is asked."""

    tile: Tile
    side_m: float
    blocks: tuple[bytes, ...]
    ground: BaseGeometry
    asked: Asked
    gap_m2: float
    drawing: Drawing


@dataclass(frozen=True)
class Done:
    """What is on a tile: areas by name, a place of some, shares, missed pieces, and the ground as it is to be written."""

    tile: Tile
    areas: Mapping[str, float]
    places: Mapping[str, BaseGeometry]
    shares: dict[Share, np.ndarray]
    missed: tuple[Piece, ...]
    drawn: Mapping[str, BaseGeometry]


KEPT = codec("tile", Done, Piece)


def worked(job: Job) -> Done:
    """Join and measure the swaths of a tile."""
    rows = unpacked(job.blocks)
    done = Work(rows, rows.geometry, job.ground, job.asked)
    found = {name: shape for name in SHAPES if not (shape := done.shape(name)).is_empty}
    return Done(
        job.tile,
        {name: float(shape.area) for name, shape in found.items()},
        {name: shapely.point_on_surface(found[name]) for name in PLACED if name in found},
        done.shares(),
        tuple(Seams.pieces(done.missed, job.side_m, job.gap_m2)),
        drawn({name: found[name] for name in DRAWN if name in found}, job.drawing),
    )


def drawn(shapes: Mapping[str, BaseGeometry], how: Drawing) -> dict[str, BaseGeometry]:
    """Shapes in the system in which they are written; none if they are not."""
    if how.home is None or not shapes:
        return {}
    moved = _crs.transform(np.array([*shapes.values()], dtype=object), how.plane, how.home)
    return dict(zip(shapes, moved, strict=True))
