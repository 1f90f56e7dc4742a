"""Outlines as arrays, and the compiled test that tells clean ones: whatever it calls clean is valid to GEOS."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geotools.space import geom
from geotools.space.outlines import Outlines

BOX, HOLED = shapely.box(0, 0, 4, 4), shapely.box(0, 0, 9, 9).difference(shapely.box(2, 2, 3, 3))
SEVERAL = shapely.MultiPolygon(
    [shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1).difference(shapely.box(2.2, 0.2, 2.4, 0.4))]
)


def test_arrays_hold_every_ring():
    shapes = np.array([BOX, shapely.Polygon(), HOLED, SEVERAL], dtype=object)
    lines = Outlines(shapes)
    assert np.diff(lines.ring_first).tolist() == [1, 0, 2, 3]
    assert lines.shell.tolist() == [True, True, False, True, True, False]
    assert np.diff(lines.first).tolist() == shapely.get_num_coordinates(shapes).tolist()
    assert lines.last.sum() == 6 and (lines.xy == shapely.get_coordinates(shapes)).all()
    assert np.array_equal(lines.box, np.nan_to_num(shapely.bounds(shapes)))


def scribbles(count, seed):
    """Polygons of few and many vertices, on a lattice and off it, with spikes, repeated vertices and necks down to 1e-12."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n, kind = int(rng.integers(3, 25)), rng.integers(0, 5)
        if kind == 0:
            points = rng.integers(0, 6, (n, 2)).astype(float)
        elif kind == 1:
            points = rng.uniform(0, 1, (min(n, 6), 2))
        else:
            angle = np.sort(rng.uniform(0, 2 * np.pi, n))
            points = np.column_stack([np.cos(angle), np.sin(angle)]) * rng.uniform(0.3, 1, (n, 1))
        at = int(rng.integers(0, len(points)))
        if kind == 3:
            points = np.insert(points, at, points[[at]] + rng.choice([0.0, 1e-12, 1e-9, 1e-6, 1.0]), axis=0)
        elif kind == 4:
            points = np.insert(points, at, [points[at], points[at - 1] + rng.normal(0, 1, 2)], axis=0)
        yield shapely.Polygon(points * rng.choice([1.0, 1e-4, 300.0]) + rng.choice([0.0, 47.3, 4.3e6]))


def test_what_is_called_clean_is_valid():
    pytest.importorskip("numba")
    shapes = np.array([*scribbles(20_000, 1), BOX, HOLED, SEVERAL], dtype=object)
    known = shapely.is_valid(shapes)
    clean = Outlines(shapes).clean
    assert not (clean & ~known).any()
    assert clean.sum() > 0.8 * known.sum() and known.sum() < 0.9 * len(shapes)
    from geotools.space import simple

    assert simple is not None  # loaded: `valid` now looks at outlines first
    assert np.array_equal(geom.valid(np.append(shapes, None)), np.append(known, False))
    assert np.array_equal(Outlines(shapes).sure, known)
