"""Rows, records and fade-out: detection power, false rows in pure clutter, closed forms and sums that must hold."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from geotools.analysis import pattern
from geotools.analysis.pattern import fields, lines
from geotools.model.errors import StatisticsError

ORIGIN = np.array([700000.0, 4380000.0])
LIMITS = {"longest_gap": fields.LONGEST_GAP_M, "longest_row": fields.LONGEST_ROW_M}


def frame(xy, **columns):
    data = {"id": [f"p{n:05d}" for n in range(len(xy))], **columns}
    return gpd.GeoDataFrame(
        data, geometry=gpd.GeoSeries(shapely.points(np.asarray(xy, float) + ORIGIN), crs="EPSG:32638")
    )


def mined(rng, clutter):
    """A field of 2 to 6 rows with missing mines, jitter and uniform clutter, turned by a random angle."""
    count, rows = int(rng.integers(15, 41)), int(rng.integers(2, 7))
    spacing, apart, jitter, missing = (
        rng.uniform(1.5, 5),
        rng.uniform(4, 10),
        rng.uniform(0.05, 0.2),
        rng.uniform(0, 0.2),
    )
    size = np.array([count * spacing + 20, rows * apart + 30])
    parts, label = [], []
    for row in range(rows):
        along = 10 + np.arange(count) * spacing + rng.uniform(0, spacing)
        xy = np.column_stack([along, np.full(count, 15 + row * apart)])[rng.random(count) > missing]
        parts.append(xy + rng.normal(0, jitter, xy.shape))
        label += [row] * len(xy)
    noise = int(clutter * len(label))
    xy = np.vstack([*parts, rng.uniform((0, 0), size, (noise, 2))])
    turn = rng.uniform(0, np.pi)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return xy @ matrix.T, np.array(label + [-1] * noise), float(size.prod()), rows


def power(rng, clutter, runs):
    found = true = false = 0
    for _ in range(runs):
        xy, label, area, rows = mined(rng, clutter)
        seen = set()
        for line in lines.find(xy, 0.5, area, false_rows=1e-3, **LIMITS):
            counts = np.bincount(label[line.members] + 1, minlength=rows + 1)[1:]
            if counts.max() >= 0.6 * len(line.members):
                seen.add(int(counts.argmax()))
            else:
                false += 1
        found, true = found + len(seen), true + rows
    return found / true, found / max(found + false, 1)


@pytest.mark.parametrize(
    ("clutter", "runs", "recall"),
    [
        (0.5, 6, 0.98),
        (1, 6, 0.95),
        pytest.param(1, 40, 0.98, marks=pytest.mark.slow),
        pytest.param(2, 12, 0.80, marks=pytest.mark.slow),
    ],
)
def test_rows_are_found_and_are_rows(clutter, runs, recall):
    got, precision = power(np.random.default_rng(11), clutter, runs)
    assert got >= recall
    assert precision >= 0.94


@pytest.mark.parametrize("runs", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_no_row_in_pure_clutter(runs):
    rng = np.random.default_rng(12)
    for _ in range(runs):
        xy = rng.uniform((0, 0), (150, 100), (int(rng.integers(50, 260)), 2))
        assert not lines.find(xy, 0.5, 15000.0, false_rows=1e-3, **LIMITS)


def test_a_dense_patch_of_clutter_is_not_a_row():
    rng = np.random.default_rng(13)
    for _ in range(3):
        patches = [rng.normal(rng.uniform((20, 20), (130, 80)), rng.uniform(2, 6), (30, 2)) for _ in range(3)]
        xy = np.vstack([rng.uniform((0, 0), (150, 100), (80, 2)), *patches])
        assert not lines.find(xy, 0.5, 15000.0, false_rows=1e-3, **LIMITS)


@pytest.mark.parametrize("runs", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_finds_of_different_places_are_no_row(runs):
    """A province with finds in clusters and alone: whatever lines up over kilometres is chance."""
    rng = np.random.default_rng(18)
    for _ in range(runs):
        alone = rng.uniform(0, 7000, (40, 2))
        lined = np.column_stack([np.linspace(100, 6900, 4), np.full(4, 3500.0)]) + rng.normal(0, 0.1, (4, 2))
        places = rng.uniform(0, 7000, (6, 2))
        clusters = [place + rng.uniform(-40, 40, (12, 2)) for place in places]
        found = pattern.rows(frame(np.vstack([alone, lined, *clusters])))
        assert found.rows.empty
        assert found.area_m2 < 0.1 * 7000**2  # only ground near a find is the reference
        assert found.to_dict()["longest_gap_m"] == 50


def test_rows_end_at_a_gap_and_at_the_greatest_length():
    rng = np.random.default_rng(19)
    t = np.r_[np.arange(30) * 3.0, 300 + np.arange(30) * 3.0]
    points = frame(np.column_stack([t, np.full(60, 5.0)]) + rng.normal(0, 0.05, (60, 2)))
    ground = gpd.GeoSeries([shapely.box(*(ORIGIN - 5000), *(ORIGIN + 5000))], crs="EPSG:32638")
    two = pattern.rows(points, area=ground)
    assert two.rows["points"].tolist() == [30, 30]
    assert two.rows["length_m"].max() < 100
    assert two.area_m2 < 60_000  # of 100 km² only what lies near the finds
    assert len(pattern.rows(points, area=ground, longest_gap_m=250.0).rows) == 1
    parts = pattern.rows(points, area=ground, longest_row_m=40.0).rows
    assert parts["length_m"].max() <= 40.5
    assert parts["points"].sum() >= 50


def test_tail_equals_scipy_and_is_never_understated():
    n, p, k = 400, np.array([0.01, 0.1, 0.5, 0.001, 1e-9]), np.array([10, 60, 200, 40, 300])
    ours, exact = lines.log_tail(n, p, k), binom.logsf(k - 1, n, p)
    finite = np.isfinite(exact)
    assert (ours[finite] >= exact[finite] - 1e-6).all()
    assert ours[:3] == pytest.approx(exact[:3], abs=1e-6)


def test_spacing_offset_gaps_and_order_independence():
    rng = np.random.default_rng(14)
    t = np.delete(np.arange(24) * 4.0, [5, 6, 15])
    xy = np.column_stack([t, np.full(len(t), 10.0)]) + rng.normal(0, 0.08, (len(t), 2))
    points = frame(np.vstack([xy, rng.uniform((0, 0), (95, 40), (20, 2))]))
    one = pattern.rows(points)
    two = pattern.rows(points.sample(frac=1, random_state=1))
    assert one.to_dict() == two.to_dict()
    assert len(one.rows) == 1
    assert one.rows["spacing_m"].iloc[0] == pytest.approx(4.0, rel=2e-3)
    inside = one.gaps[one.gaps["position"] == "inside"].to_crs(32638)
    centres = np.sort(shapely.get_coordinates(inside.centroid)[:, 0] - ORIGIN[0])
    assert centres == pytest.approx([20, 24, 60], abs=0.3)
    assert (one.gaps["position"] == "beyond").sum() == 4
    assert one.rows.to_crs(32638).length.iloc[0] == pytest.approx(92, abs=1)
    assert one.rows["bearing_deg"].iloc[0] == pytest.approx(91.45, abs=0.3)  # grid east, turned by the convergence


def test_irregular_rows_have_no_spacing_and_no_gaps():
    rng = np.random.default_rng(15)
    xy = np.column_stack([np.sort(rng.uniform(0, 90, 25)), rng.normal(20, 0.1, 25)])
    found = pattern.rows(frame(np.vstack([xy, rng.uniform((0, 0), (90, 40), (10, 2))])))
    assert len(found.rows) == 1
    assert found.rows["spacing_m"].isna().all()
    assert found.gaps.empty


def test_clutter_model_separates_and_admits_when_there_is_nothing():
    rng = np.random.default_rng(16)
    cloud = np.vstack([rng.uniform(0, 200, (150, 2)), rng.uniform(90, 110, (150, 2))])
    p = pattern.feature_probability(cloud)
    assert ((p > 0.5) == (np.arange(300) >= 150)).mean() > 0.9
    assert pattern.feature_probability(rng.uniform(0, 200, (300, 2))).isna().all()


# ---- records ----------------------------------------------------------------------------------------------------


def test_record_moved_by_a_flood_is_reconciled():
    rng = np.random.default_rng(17)
    places = np.array([(x, y) for y in (0.0, 8.0) for x in np.arange(12) * 4.0])
    record = frame(places, row_id=[f"r{int(y // 8)}" for _, y in places])
    there = np.delete(places, [3, 4, 15], axis=0) + np.array([2.5, -1.5]) + rng.normal(0, 0.1, (21, 2))
    finds = frame(np.vstack([there, [[30, 40]]]), condition=["crater", *["intact"] * 21])
    still = pattern.reconcile(record, finds, reach_m=0.8)
    moved = pattern.reconcile(record, finds, reach_m=0.8, drift_m=5.0)
    assert still.table["unaccounted"].sum() > 15
    assert moved.table[["recorded", "found", "craters", "unaccounted"]].sum().tolist() == [24, 20, 1, 3]
    assert moved.table["move_east_m"].to_numpy() == pytest.approx([2.5, 2.5], abs=0.25)
    assert len(moved.unrecorded) == 1
    assert set(moved.unaccounted["id"]) == {"p00003", "p00004", "p00015"}


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 999), st.floats(0, 4))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_recorded_is_found_plus_craters_plus_unaccounted(n, m, seed, drift):
    rng = np.random.default_rng(seed)
    record = frame(rng.uniform(0, 20, (n + 1, 2)), row_id=rng.choice(["a", "b"], n + 1))
    finds = frame(rng.uniform(0, 20, (m, 2)), condition=rng.choice(["crater", "intact"], m))
    result = pattern.reconcile(record, finds, reach_m=2.0, drift_m=drift)
    table = result.table
    assert (table["recorded"] == table["found"] + table["craters"] + table["unaccounted"]).all()
    assert table["recorded"].sum() == n + 1
    assert len(result.pairs) + len(result.unrecorded) == m


# ---- fade-out ---------------------------------------------------------------------------------------------------


def test_circular_normal_and_exponential_radii():
    assert [pattern.circular_normal_m(1, p) for p in (1e-2, 1e-3, 1e-4, 1e-6)] == pytest.approx(
        [2.5776, 3.1569, 3.6452, 4.4645], abs=5e-5
    )
    assert pattern.exponential_m(1, 1e-6) == pytest.approx(19.9, abs=0.05)
    assert pattern.circular_normal_m(7, 0.5) == pattern.exponential_m(7, 0.5) == 7


def test_fadeout_finds_what_was_not_searched():
    searched = gpd.GeoSeries([shapely.box(*ORIGIN, *(ORIGIN + 100))], crs="EPSG:32638")
    result = pattern.fadeout(
        frame([(50, 50), (90, 50), (120, 50)]), searched, fadeout_m=20, authority_ref="invented standard, 4.2"
    )
    assert result.finds["short"].tolist() == [False, True, True]
    assert result.finds["to_edge_m"].to_numpy() == pytest.approx([50, 10, -20], abs=0.05)
    assert not result.met
    halfplane = shapely.box(100, 0, 200, 100)
    exact = shapely.union_all([shapely.Point(x, 50).buffer(20, 64) for x in (90, 120)]).intersection(halfplane).area
    assert result.missing["area_m2"].sum() == pytest.approx(exact, rel=3e-3)
    assert result.missing["area_m2"].sum() >= exact * 0.999
    assert 0 < result.searched_share < 1


@pytest.mark.parametrize("arguments", [{"fadeout_m": 20, "authority_ref": " "}, {"fadeout_m": 0, "authority_ref": "x"}])
def test_the_authority_must_be_named(arguments):
    ground = gpd.GeoSeries([shapely.box(*ORIGIN, *(ORIGIN + 100))], crs="EPSG:32638")
    with pytest.raises(StatisticsError):
        pattern.fadeout(frame([(50, 50)]), ground, **arguments)


def test_no_text_calls_land_safe_and_empty_input_is_calm():
    points = frame(np.empty((0, 2)))
    text = str(pattern.rows(points).to_dict()).lower()
    assert not re.search(r"\bsafe\b|\bcancel", text)
    odd = frame([(0, 0), (1, 1), (2, 2)])
    odd.loc[1, "geometry"] = None
    assert pattern.rows(odd).issues["check"].tolist() == ["PT-01"]
    assert isinstance(pattern.rows(odd).points, pd.DataFrame)
