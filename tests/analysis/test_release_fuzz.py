"""Thousands of random soups: the engines of the ledger, and the short way and the long way of the compiled one, agree to 1e-6 m²."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate, scale, translate

from geotools.analysis.release import clean, engine, geos
from geotools.space.geom import repair

sweep = pytest.importorskip("geotools.analysis.release.sweep", reason="needs numba")
PLACES = ((0.0, 0.0), (1e5, -2e5), (123456.789, 98765.4321))


def star(rng, x, y):
    angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 40)))
    reach = rng.uniform(1, 8) * rng.uniform(0.3, 1, len(angle))
    return shapely.Polygon(np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)]))


def outline(rng, place):
    """Boxes on a lattice or off it, turned ones, rings, parts, slivers, stars and random scribbles, with gaps down to 1e-9 m."""
    kind = rng.integers(0, 9)
    x, y = rng.integers(0, 20, 2).astype(float) if rng.random() < 0.6 else rng.uniform(0, 20, 2)
    w, h = rng.integers(1, 11, 2)
    shape = shapely.box(x + rng.choice([0, 0, 0, 1e-6, -1e-6, 1e-9]), y, x + w, y + h)
    if kind == 0:
        shape = shape.difference(shapely.box(x + w * 0.25, y + h * 0.25, x + w * 0.75, y + h * 0.75))
    elif kind == 1:
        shape = shapely.MultiPolygon([shape, shapely.box(x + w + 2, y, x + w + 3, y + h)])
    elif kind == 2:
        shape = shapely.Polygon([(x, y), (x + w, y + h), (x + w, y + h + 10.0 ** -rng.integers(3, 9))])
    elif kind in (3, 4):
        count = rng.integers(3, 10)
        shape = shapely.Polygon(rng.integers(0, 20, (count, 2)) if kind == 3 else rng.uniform(0, 20, (count, 2)))
    elif kind in (5, 6):
        shape = rotate(star(rng, x, y), rng.uniform(0, 360) if kind == 6 else 0)
    elif kind == 7:
        shape = rotate(shape, rng.choice([30, 45, rng.uniform(0, 360)]))
    return translate(shape, *place)


def soup(seed):
    """Containers and covers: touching, nested, repeated, nearly the same, near the origin and far from it, small and large."""
    rng = np.random.default_rng(seed)
    place = PLACES[seed % 3]
    ground = [outline(rng, place) for _ in range(rng.integers(1, 5))]
    covers = [outline(rng, place) for _ in range(rng.integers(1, 9))]
    if rng.random() < 0.3:
        covers.append(covers[0])
    if rng.random() < 0.2:
        covers.append(ground[0])
    if rng.random() < 0.2:
        factor = 1 + rng.choice([1e-6, 1e-9, -1e-7])
        covers.append(scale(covers[0], factor, factor))
    size = rng.choice([1, 1, 10, 100])
    layers = [[scale(shape, size, size, origin=place) for shape in layer] for layer in (ground, covers)]
    arrays = [repair(np.array(layer, dtype=object)) for layer in layers]
    return [array[shapely.area(array) > 0] for array in arrays]


def differences(seeds):
    """Largest difference of the figures, and of drawn remaining ground to its figure (m², seed), and the share of clean containers."""
    worst, drawn, clean, all_ = (0.0, -1), (0.0, -1), 0, 0
    for seed in seeds:
        ground, covers = soup(seed)
        if not len(ground) or not len(covers):
            continue
        work = engine.job(ground, covers, kept=max(1, len(covers) - seed % 3))
        areas = engine.paired(ground, covers, work.container, work.cover, kept=work.kept, geometry=False)
        one, others = geos.run(work), (sweep.run(work), sweep.run(areas))
        for other in others:
            for name in ("net", "raw", "left"):
                gap = np.abs(getattr(one, name) - getattr(other, name)).max(initial=0.0)
                worst = max(worst, (float(gap), seed))
        gap = np.abs(shapely.area(one.rest) - others[0].left).max(initial=0.0)
        drawn = max(drawn, (float(gap), seed))
        touched = np.unique(work.container)
        clean, all_ = clean + int(sweep.crossed(areas)[2][touched].sum()), all_ + len(touched)
    return worst, drawn, clean / all_


def test_the_engines_agree():
    worst, drawn, clean = differences([*range(60), 1199])  # 1199: nearly parallel needles far from the origin
    assert worst[0] < 1e-6, worst
    assert drawn[0] < 1e-6, drawn
    assert 0.5 < clean < 1  # both the short way and the long way are tried


def test_what_is_told_from_clean_outlines_is_what_the_scan_line_tells():
    """Areas and remaining ground without overlays, wherever the outlines are said to be clean; some are, some are not."""
    told = all_ = 0
    for seed in range(80):
        ground, covers = soup(seed)
        work = engine.job(ground, covers, kept=max(1, len(covers) - seed % 3)) if len(ground) and len(covers) else None
        if work is None or not len(work.cover):
            continue
        found, good = clean.settle(work)
        other, mine = sweep.run(work), good[work.container]
        assert np.allclose(found.net[mine], other.net[mine], atol=1e-6, rtol=0)
        assert np.allclose(found.raw[mine], other.raw[mine], atol=1e-6, rtol=0)
        assert np.allclose(found.left[good], other.left[good], atol=1e-6, rtol=0)
        apart = shapely.area(shapely.symmetric_difference(found.rest[good], other.rest[good]))
        assert (apart < 1e-4).all() and shapely.is_valid(found.rest[good]).all()
        told, all_ = told + int(good.sum()), all_ + len(good)
    assert 0.4 < told / all_ < 1


def test_outlines_with_too_many_edges_to_compare_are_handed_back():
    def comb(turn):
        x = np.repeat(np.arange(3000), 2) * 0.1
        teeth = np.column_stack([x, np.where(np.arange(6000) % 2, 100.0, 1.0)])
        return rotate(shapely.Polygon(np.r_[teeth, [[x[-1], -5.0], [0.0, -5.0]]]), turn)

    work = engine.job(np.array([comb(0)]), np.array([comb(0.1)]))
    assert not clean.settle(work)[1].any()


@pytest.mark.slow
def test_the_engines_agree_on_thousands_of_soups():
    worst, drawn, _ = differences(range(10_000, 12_500))
    assert worst[0] < 1e-6, worst
    assert drawn[0] < 1e-5, drawn  # a needle of 10⁻⁶ m may have its figure but no polygon
