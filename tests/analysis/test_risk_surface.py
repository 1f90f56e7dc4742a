"""Survey priority: the baseline is always there, blocks are never split, metrics obey their identities, priority only rises."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import mannwhitneyu

from geotools.analysis import risk_surface as surface
from geotools.model.errors import SchemaError, StatisticsError


def places(seed=0, n=900):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 20000, (n, 2))
    events = rng.uniform(0, 20000, (6, 2))
    near = np.hypot(*(xy[:, None] - events[None]).transpose(2, 0, 1)).min(axis=1)
    slope = rng.uniform(0, 30, n)
    chance = 1 / (1 + np.exp(-(1.0 - near / 900 - 0.08 * slope)))
    frame = {"event_m": near, "slope_deg": slope, "noise": rng.normal(size=n), "eo": rng.random(n) < chance}
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(*(xy + np.array([700000, 4380000])).T), crs="EPSG:32638")


SETUP = surface.Setup("eo", "event_m", ("slope_deg", "noise"))


def test_baseline_first_full_model_better_and_calibrated():
    result = surface.evaluate(places(), SETUP)
    assert result.metrics["model"].tolist() == ["distance baseline", "logistic"]
    base, full = result.metrics["roc_auc"]
    assert 0.6 < base < full
    assert (result.metrics["pr_auc"] > result.metrics["base_rate"]).all()
    assert result.scores.notna().all(axis=None)
    assert result.coefficients["log distance"] < 0
    assert abs(result.coefficients["noise"]) < 0.3
    table = result.calibration[result.calibration["model"] == "logistic"]
    assert (table["predicted"] - table["observed"]).abs().mean() < 0.08
    assert not re.search(r"\bsafe\b|\bcancel", str(result.to_dict()).lower())


def test_no_block_is_in_two_folds_and_order_does_not_matter():
    frame = places()
    result = surface.evaluate(frame, SETUP)
    plane = result.scores.join(frame[["geometry"]])
    fold, xy = surface._folds(frame, frame["eo"].to_numpy(), SETUP)
    blocks = pd.Series([tuple(c) for c in np.floor(xy / SETUP.block_m).astype(int)])
    assert pd.Series(fold).groupby(blocks).nunique().max() == 1
    assert len(plane) == len(frame)
    shuffled = frame.sample(frac=1, random_state=1)
    again = surface.evaluate(shuffled, SETUP)
    pd.testing.assert_frame_equal(again.scores.loc[frame.index], result.scores, rtol=1e-6)


def test_gap_leaves_out_near_neighbours_and_impossible_setups_are_refused():
    frame = places()
    assert surface.evaluate(frame, surface.Setup("eo", "event_m", gap_m=500)).scores.notna().all(axis=None)
    with pytest.raises(StatisticsError):
        surface.evaluate(frame.assign(eo=np.arange(len(frame)) == 0), SETUP)
    with pytest.raises(SchemaError):
        surface.evaluate(frame.assign(slope_deg=np.nan), SETUP)
    with pytest.raises(SchemaError):
        surface.evaluate(frame.drop(columns="noise"), SETUP)
    with pytest.raises(StatisticsError):
        surface.Setup("eo", "event_m", folds=1)


@given(st.integers(2, 30), st.integers(2, 60), st.integers(0, 999))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_metric_identities(positives, negatives, seed):
    rng = np.random.default_rng(seed)
    label = np.r_[np.ones(positives, bool), np.zeros(negatives, bool)]
    score = rng.permutation(len(label)) + label * 3.5
    auc = surface.roc_auc(label, score)
    assert auc == pytest.approx(mannwhitneyu(score[label], score[~label]).statistic / (positives * negatives))
    r_height, height = surface.heights(label, score)
    assert r_height == pytest.approx(negatives * (1 - auc))
    assert height == pytest.approx(positives * (1 - auc))
    brute = np.mean([label[score >= s].mean() for s in score[label]])
    assert surface.pr_auc(label, score) == pytest.approx(brute)


def test_logistic_equals_a_general_optimiser():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(120, 3))
    y = rng.random(120) < 1 / (1 + np.exp(-x[:, 0]))
    fit = surface._Logistic.of(x, y, 2.0)
    z = np.column_stack([np.ones(120), (x - x.mean(axis=0)) / x.std(axis=0)])
    best = minimize(
        lambda b: (np.logaddexp(0, z @ b) - y * (z @ b)).sum() + (b[1:] ** 2).sum(),
        np.zeros(4),
        method="BFGS",
        options={"gtol": 1e-9},
    ).x
    assert fit.beta == pytest.approx(best, abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), min_size=1, max_size=20), st.floats(0, 1))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_priority_never_falls(rows, threshold):
    current, score = pd.Series([r[0] for r in rows]), pd.Series([r[1] for r in rows])
    raised = surface.raise_priority(current, score, threshold=threshold)
    assert (raised >= current).all()
    assert (surface.raise_priority(current, score.iloc[:0], threshold=threshold) == current).all()


def test_distances_equal_geometry():
    frame = places(n=30)
    roads = gpd.GeoSeries([shapely.LineString([(700000, 4385000), (720000, 4390000)]), None], crs="EPSG:32638")
    table = surface.distances(frame.to_crs(4326), {"road": roads, "nothing": roads.iloc[1:]})
    assert table["road_m"].to_numpy() == pytest.approx(frame.distance(roads.iloc[0]).to_numpy(), rel=2e-3, abs=5)
    assert table["nothing_m"].isna().all()
