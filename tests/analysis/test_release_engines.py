"""The two engines of the ledger: one answer, on random, touching, nested, broken and hard polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis.release import engine, geos
from geotools.model.errors import ReleaseError
from geotools.space.geom import repair
from geotools.space.shapes import hilbert

sweep = pytest.importorskip("geotools.analysis.release.sweep", reason="needs numba")
ENGINES = [pytest.param(geos.run, id="geos"), pytest.param(sweep.run, id="sweep")]


@st.composite
def outlines(draw):
    """Polygons on a coarse lattice, so that they touch, nest, repeat and share edges; some with holes, parts or 1e-6 m gaps."""
    kind = draw(st.sampled_from(["box", "box", "ring", "any", "parts", "sliver"]))
    n = st.integers(0, 20)
    x, y, w, h = draw(n), draw(n), draw(st.integers(1, 10)), draw(st.integers(1, 10))
    gap = draw(st.sampled_from([0.0, 0.0, 0.0, 1e-6, -1e-6, 1e-9]))
    base = shapely.box(x + gap, y, x + w, y + h)
    if kind == "ring":
        return base.difference(shapely.box(x + w * 0.25, y + h * 0.25, x + w * 0.75, y + h * 0.75))
    if kind == "parts":
        return shapely.MultiPolygon([base, shapely.box(x + w + 2, y, x + w + 3, y + h)])
    if kind == "sliver":
        return shapely.Polygon([(x, y), (x + w, y + h), (x + w, y + h + 1e-6)])
    if kind == "any":
        return shapely.Polygon(draw(st.lists(st.tuples(n, n), min_size=3, max_size=9)))
    return base


soups = st.tuples(st.lists(outlines(), min_size=1, max_size=4), st.lists(outlines(), min_size=0, max_size=7))


def prepared(polygons):
    array = repair(np.array(polygons, dtype=object)) if polygons else np.zeros(0, dtype=object)
    return array[shapely.area(array) > 0] if len(array) else array


def expected(ground, covers, kept):
    """The slow and plain way: one polygon after the other."""
    net, raw, rest, left = [], [], ground, ground
    for n, cover in enumerate(covers):
        raw.append(ground.intersection(cover).area)
        net.append(left.intersection(cover).area)
        left = left.difference(cover)
        rest = rest.difference(cover) if n < kept else rest
    return net, raw, rest


def limit(ground):
    west, south, east, north = shapely.total_bounds(ground)
    return max(1e-6, 1e-12 * (east - west) * (north - south) * len(ground))


@pytest.mark.parametrize("run", ENGINES)
@settings(max_examples=50, deadline=None, derandomize=True)
@given(soup=soups, spared=st.integers(0, 2))
def test_identities_and_the_plain_answer(run, soup, spared):
    ground, covers = prepared(soup[0]), prepared(soup[1])
    if not len(ground):
        return
    work = engine.job(ground, covers, kept=max(0, len(covers) - spared))
    found = run(work)
    net = np.bincount(work.container, weights=np.where(work.cover < work.kept, found.net, 0), minlength=len(ground))
    assert np.allclose(net + found.left, shapely.area(ground), atol=limit(ground), rtol=0)
    assert np.allclose(shapely.area(found.rest), found.left, atol=limit(ground), rtol=0)
    assert shapely.is_valid(found.rest).all()
    assert (found.net >= 0).all() and (found.net <= found.raw + 1e-9).all()
    for row, polygon in enumerate(ground):
        mine = work.container == row
        known = expected(polygon, covers[work.cover[mine]], int((work.cover[mine] < work.kept).sum()))
        assert np.allclose(found.net[mine], known[0], atol=1e-6)
        assert np.allclose(found.raw[mine], known[1], atol=1e-6)
        assert found.rest[row].symmetric_difference(known[2]).area < 1e-5


@settings(max_examples=50, deadline=None, derandomize=True)
@given(soup=soups)
def test_engines_are_equal(soup):
    ground, covers = prepared(soup[0]), prepared(soup[1])
    if not len(ground):
        return
    work = engine.job(ground, covers)
    one, two = geos.run(work), sweep.run(work)
    for a, b in ((one.net, two.net), (one.raw, two.raw), (one.left, two.left)):
        assert np.allclose(a, b, atol=1e-6, rtol=0)
    assert np.allclose(shapely.area(shapely.symmetric_difference(one.rest, two.rest)), 0, atol=1e-5)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(soup=soups)
def test_the_sweep_needs_no_repair(soup):
    """Even-odd on raw rings gives the areas of the line-work repair."""
    raw = [p for p in soup[1] if not p.is_empty]
    ground = prepared(soup[0])
    if not len(ground) or not raw:
        return
    broken = np.array(raw, dtype=object)
    mended = np.array([shapely.make_valid(p) for p in raw], dtype=object)
    one = sweep.run(
        engine.paired(ground, broken, *np.indices((len(ground), len(broken))).reshape(2, -1), geometry=False)
    )
    for n in range(len(one.raw)):
        g, c = divmod(n, len(broken))
        assert one.raw[n] == pytest.approx(ground[g].intersection(mended[c]).area, abs=1e-6)


def crowd(count, seed):
    rng = np.random.default_rng(seed)

    def blob():
        angle = np.sort(rng.uniform(0, 2 * np.pi, 25))
        reach = rng.uniform(30, 150) * rng.uniform(0.4, 1, 25)
        x, y = rng.uniform(0, 1500, 2)
        return shapely.Polygon(np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)]))

    return prepared([blob() for _ in range(count)])


@pytest.mark.parametrize("name", ["geos", "sweep"])
def test_chunks_and_threads_change_no_bit(name):
    work = engine.job(crowd(40, 1), crowd(120, 2))
    one = engine.solve(work, name, threads=1)
    for chunk, threads in ((500, 2), (3000, 1), (1, 2)):
        other = engine.solve(work, name, threads=threads, chunk=chunk)
        for a, b in ((one.net, other.net), (one.raw, other.raw), (one.left, other.left)):
            assert a.tobytes() == b.tobytes()
        assert (shapely.to_wkb(one.rest) == shapely.to_wkb(other.rest)).all()


def test_engines_agree_on_a_crowd():
    work = engine.job(crowd(60, 3), crowd(200, 4), kept=180)
    one, two = geos.run(work), sweep.run(work)
    assert np.abs(one.net - two.net).max() < 1e-6
    assert np.abs(one.left - two.left).max() < 1e-6
    assert shapely.area(shapely.symmetric_difference(one.rest, two.rest)).max() < 1e-5


# Shapes known to have failed in older overlay code: nearly coincident edges, needles, far coordinates, shared sub-edges.
HARD = {
    "nearly the same edge": (
        "POLYGON ((0 0, 10 1e-9, 20 0, 20 10, 0 10, 0 0))",
        "POLYGON ((0 0, 20 0, 20 -5, 0 -5, 0 0), (5 -1, 6 -1, 6 -2, 5 -1))",
    ),
    "needle across": (
        "POLYGON ((0 0, 100 0, 100 100, 0 100, 0 0))",
        "POLYGON ((-1 50, 101 50, 101 50.0000000001, -1 50))",
    ),
    "shared broken edge": (
        "POLYGON ((0 0, 3 1, 0 2, 0 0))",
        "POLYGON ((0 0, 1 0.3333333333333333, 2 0.6666666666666666, 3 1, 3 -1, 0 0))",
    ),
    "far away": (
        "POLYGON ((426857.9877165967 5427937.523402, 426857.98 5427947.52, 426867.98 5427947.5234, 426867.98 5427937.5, 426857.9877165967 5427937.523402))",
        "POLYGON ((426857.98771659 5427937.523402, 426867.98 5427947.52, 426877 5427937, 426857.98771659 5427937.523402))",
    ),
    "twice the same ring but rotated": (
        "POLYGON ((0 0, 7 3, 11 1, 9 8, 1 9, 0 0))",
        "POLYGON ((11 1, 9 8, 1 9, 0 0, 7 3, 11 1))",
    ),
    "touching at a point": ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))", "POLYGON ((0 0, 2 2, 4 0, 4 4, 2 2, 0 4, 0 0))"),
}


@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("run", ENGINES)
def test_hard_cases(case, run):
    ground, cover = prepared([shapely.from_wkt(HARD[case][0])]), prepared([shapely.from_wkt(HARD[case][1])])
    found = run(engine.paired(ground, cover, [0], [0]))
    assert found.net[0] + found.left[0] == pytest.approx(ground[0].area, abs=1e-6)
    assert found.rest[0].area == pytest.approx(found.left[0], abs=1e-5)
    assert found.raw[0] == pytest.approx(ground[0].intersection(cover[0]).area, abs=1e-6)


def test_the_engine_is_chosen_by_size():
    assert engine.choose("auto", 10) == "geos"
    assert engine.choose("auto", 10**6) == "sweep"
    with pytest.raises(ReleaseError):
        engine.choose("abacus", 1)


def test_hilbert_neighbours_are_near():
    points = shapely.points(np.indices((16, 16)).reshape(2, -1).T.astype(float))
    order = np.argsort(hilbert(shapely.bounds(points), level=4), kind="stable")
    steps = np.hypot(*np.diff(shapely.get_coordinates(points[order]), axis=0).T)
    assert steps.max() == 1.0
