"""Laws of the ledger on random programmes: row order, chunks, engines, monotony, identities, and answers of other software."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import geotools as gt

EAST, NORTH = 560_000, 4_380_000
PARTS = ["cancelled_m2", "reduced_m2", "cleared_m2", "transferred_m2", "corrected_m2", "remaining_m2"]
numpy_seed = st.integers(0, 2**31)


def shape(rng):
    kind = rng.integers(0, 8)
    x, y = EAST + rng.integers(0, 30) * 10, NORTH + rng.integers(0, 30) * 10
    w, h = rng.integers(2, 15, 2) * 10
    base = shapely.box(x, y, x + w, y + h)
    if kind == 0:
        return None if rng.random() < 0.5 else shapely.Polygon([(x, y), (x + w, y + h), (x + w, y), (x, y + h)])
    if kind == 1:
        return base.difference(shapely.box(x + w / 4, y + h / 4, x + w / 2, y + h / 2))
    if kind == 2:
        return shapely.MultiPolygon([base, shapely.box(x + w + 5, y, x + w + 15, y + h)])
    if kind == 3:
        return shapely.Polygon([(x, y), (x + w, y + h), (x + w, y + h + 1e-6)])
    if kind == 4:
        angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
        return shapely.Polygon(np.column_stack([x + w * np.cos(angle), y + h * np.sin(angle)]))
    return shapely.affinity.translate(base, rng.choice([0, 1e-6, -1e-6]), 0)


def programme(seed, hazards=5, releases=9):
    rng = np.random.default_rng(seed)
    ids = [f"H{n}" for n in range(hazards)]
    ground = gpd.GeoDataFrame(
        {"id": ids, "admin1": rng.choice(["A", "B"], hazards)}, geometry=[shape(rng) for _ in ids], crs="EPSG:32638"
    )
    table = {
        "id": [f"R{n}" for n in range(releases)],
        "product": rng.choice(["cleared", "reduced", "cancelled", None], releases, p=[0.5, 0.25, 0.2, 0.05]),
        "method": rng.choice(["manual", "mechanical", "nts"], releases),
        "date": [None if rng.random() < 0.1 else f"2024-0{rng.integers(1, 5)}-01" for _ in range(releases)],
        "hazard_id": rng.choice([*ids, None, "gone"], releases),
        "organisation": rng.choice(["One", "Two"], releases),
    }
    return ground, gpd.GeoDataFrame(table, geometry=[shape(rng) for _ in range(releases)], crs="EPSG:32638")


def same(a, b):
    pd.testing.assert_frame_equal(a.table, b.table, check_exact=True)
    pd.testing.assert_series_equal(a.totals, b.totals, check_exact=True)
    pd.testing.assert_frame_equal(a.credits, b.credits, check_exact=True)
    pd.testing.assert_frame_equal(
        pd.DataFrame(a.issues.drop(columns="geometry")), pd.DataFrame(b.issues.drop(columns="geometry"))
    )
    for name in ("remaining", "released", "outside", "overlaps"):
        one, two = getattr(a, name), getattr(b, name)
        assert shapely.to_wkb(one.geometry.array).tolist() == shapely.to_wkb(two.geometry.array).tolist(), name


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=numpy_seed)
def test_row_order_changes_no_bit(seed):
    hazards, releases = programme(seed)
    rng = np.random.default_rng(seed + 1)
    other = hazards.iloc[rng.permutation(len(hazards))], releases.iloc[rng.permutation(len(releases))]
    same(gt.coverage(hazards, releases), gt.coverage(*other))


@pytest.mark.parametrize("engine", ["geos", "sweep"])
def test_chunks_change_no_bit(engine):
    pytest.importorskip("numba")
    hazards, releases = programme(7, 40, 80)
    whole = gt.coverage(hazards, releases, engine=engine, threads=1)
    same(whole, gt.coverage(hazards, releases, engine=engine, chunk=200, threads=2))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=numpy_seed, priority=st.sampled_from(["first", "strongest"]))
def test_identities(seed, priority):
    hazards, releases = programme(seed)
    found = gt.coverage(hazards, releases, priority=priority)
    table, totals = found.table, found.totals
    assert np.allclose(table[PARTS].sum(axis=1), table["area_m2"], atol=1e-6, rtol=0)
    assert np.allclose(totals[PARTS].sum(), totals["area_m2"], atol=1e-5, rtol=0)
    assert (table["processed_m2"] <= table["remaining_m2"] + 1e-6).all()
    assert totals["claimed_m2"] == pytest.approx(
        totals[["released_m2", "outside_m2", "overlap_m2", "reopened_m2"]].sum(), abs=1e-6
    )
    released = found.credits["counted_as"].isin(["cleared", "reduced", "cancelled"])
    assert found.credits.loc[released, "net_m2"].sum() == pytest.approx(totals["released_m2"], abs=1e-5)
    assert found.credits.loc[released, "area_m2"].sum() == pytest.approx(totals["claimed_m2"], rel=1e-6, abs=1e-4)
    for column in ("product", "organisation", "admin1", "month"):
        assert found.by(column)["released_m2"].sum() == pytest.approx(totals["released_m2"], abs=1e-5)
    zero = (found.credits["net_m2"] <= 1e-6) & released
    assert (found.credits.loc[zero, "why_zero"] != "").all()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=numpy_seed)
def test_a_new_release_never_raises_what_remains(seed):
    hazards, releases = programme(seed)
    before = gt.coverage(hazards, releases.iloc[:-1]).table.set_index("id")
    after = gt.coverage(hazards, releases).table.set_index("id")
    assert (after["remaining_m2"] <= before["remaining_m2"] + 1e-6).all()
    assert (after["released_m2"] >= before["released_m2"] - 1e-6).all()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=numpy_seed)
def test_engines_and_systems_give_one_answer(seed):
    pytest.importorskip("numba")
    hazards, releases = programme(seed)
    one = gt.coverage(hazards, releases, engine="geos")
    two = gt.coverage(hazards, releases, engine="sweep")
    numbers = [name for name in one.table if name.endswith("_m2") and "sigma" not in name]
    assert np.allclose(one.table[numbers], two.table[numbers], atol=1e-6, rtol=0)
    assert np.allclose(
        one.credits[["net_m2", "raw_m2", "outside_m2"]], two.credits[["net_m2", "raw_m2", "outside_m2"]], atol=1e-6
    )
    other = gt.coverage(hazards, releases.to_crs("EPSG:4326"))
    assert np.allclose(one.table[PARTS], other.table[PARTS], atol=1e-3)


def test_against_geopandas_overlay():
    """Unions and differences of geopandas on an equal-area plane, areas from its own algorithms."""
    hazards, releases = programme(11, 12, 30)
    acting = releases[
        releases["product"].notna() & (releases["method"] != "mechanical") & releases.geometry.notna()
    ].to_crs("EPSG:6933")
    ground = hazards[hazards.geometry.notna()].to_crs("EPSG:6933")
    for frame in (acting, ground):
        frame.geometry = frame.geometry.make_valid()
    rest = gpd.overlay(ground, acting, how="difference", keep_geom_type=True)
    left = rest.set_index("id").area
    done = gpd.overlay(acting, ground[["geometry"]].dissolve(), how="difference", keep_geom_type=True).union_all().area
    found = gt.coverage(hazards, releases)
    mine = found.table.set_index("id")["remaining_m2"].loc[left.index]
    assert np.allclose(mine, left, rtol=1e-5, atol=0.5)
    assert found.totals["outside_m2"] == pytest.approx(done, rel=1e-5, abs=0.5)


def test_against_counting_cells():
    """Brute force: the state of the centre of every 1 m cell, in the plane of the layers."""
    hazards, releases = programme(23, 4, 8)
    found = gt.coverage(hazards, releases)
    x, y = np.meshgrid(EAST - 150 + np.arange(800) + 0.503, NORTH - 150 + np.arange(800) + 0.507)
    acting = releases[releases["product"].notna() & (releases["method"] != "mechanical") & releases.geometry.notna()]
    done = np.zeros(x.shape, dtype=bool)
    for polygon in shapely.make_valid(acting.geometry.array):
        done |= shapely.contains_xy(polygon, x, y)
    scale = None
    for row, polygon in enumerate(hazards.geometry):
        if polygon is None:
            continue
        inside = shapely.contains_xy(shapely.make_valid(polygon), x, y)
        scale = scale or found.table["area_m2"][row] / max(inside.sum(), 1)
        expected = (inside & ~done).sum() * scale
        assert found.table["remaining_m2"][row] == pytest.approx(expected, rel=0.01, abs=25)


def test_broken_outlines_have_an_answer_and_issues():
    rng = np.random.default_rng(5)
    mess = [shapely.Polygon(EAST + rng.uniform(0, 200, (n, 2)) + [0, NORTH - EAST]) for n in rng.integers(4, 15, 12)]
    spike = shapely.Polygon(
        [
            (EAST, NORTH),
            (EAST + 50, NORTH),
            (EAST + 50, NORTH + 50),
            (EAST + 50, NORTH + 900),
            (EAST + 50, NORTH + 50),
            (EAST, NORTH + 50),
        ]
    )
    twice = shapely.MultiPolygon([shapely.box(EAST, NORTH, EAST + 30, NORTH + 30)] * 2)
    hazards = gpd.GeoDataFrame({"id": list("abc")}, geometry=[spike, twice, mess[0]], crs="EPSG:32638")
    releases = gpd.GeoDataFrame({"product": ["cleared"] * len(mess)}, geometry=mess, crs="EPSG:32638")
    found = gt.coverage(hazards, releases)
    assert np.allclose(found.table[PARTS].sum(axis=1), found.table["area_m2"], atol=1e-6)
    assert (found.issues["check"] == "RL-03").sum() >= 10


def test_areas_across_the_zone_edge_and_in_feet():
    geo = pytest.importorskip("geographiclib.geodesic")
    shape_ = shapely.Polygon(
        [(47.99, 39.5), (48.02, 39.5), (48.02, 39.53), (47.99, 39.53)],
        [[(48.0, 39.51), (48.01, 39.51), (48.01, 39.52), (48.0, 39.52)]],
    )

    def area(ring):
        figure = geo.Geodesic.WGS84.Polygon()
        for lon, lat in ring.coords[:-1]:
            figure.AddPoint(lat, lon)
        return abs(figure.Compute()[2])

    expected = area(shape_.exterior) - area(shape_.interiors[0])
    flipped = shapely.Polygon(shape_.exterior.coords[::-1], [shape_.interiors[0].coords[::-1]])
    for frame in (
        gpd.GeoSeries([shape_], crs="EPSG:4326"),
        gpd.GeoSeries([flipped], crs="EPSG:4326"),
        gpd.GeoSeries([shape_], crs="EPSG:4326").to_crs("EPSG:32638"),
        gpd.GeoSeries([shape_], crs="EPSG:4326").to_crs(
            "+proj=tmerc +lat_0=39 +lon_0=48 +k=1 +units=us-ft +datum=WGS84"
        ),
    ):
        half = gpd.GeoSeries([shapely.box(47.98, 39.49, 48.005, 39.54)], crs="EPSG:4326")
        found = gt.coverage(frame, half, product="cleared")
        assert found.table["area_m2"][0] == pytest.approx(expected, rel=1e-6)
        assert found.table["coverage"][0] == pytest.approx(0.5, abs=1e-4)
