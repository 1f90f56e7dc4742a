"""Survey priority: the baseline is always there, blocks are never split, metrics obey their identities, priority only rises."""

import dataclasses
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
from geotools.analysis.risk_surface import blocks, models
from geotools.model.errors import MissingLibraryError, SchemaError, StatisticsError


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
    fold, xy = blocks.folds(frame, frame["eo"].to_numpy(), SETUP)
    block = pd.Series([tuple(c) for c in np.floor(xy / SETUP.block_m).astype(int)])
    assert pd.Series(fold).groupby(block).nunique().max() == 1
    assert len(plane) == len(frame)
    shuffled = frame.sample(frac=1, random_state=1)
    again = surface.evaluate(shuffled, SETUP)
    pd.testing.assert_frame_equal(again.scores.loc[frame.index], result.scores, rtol=1e-6)


def test_folds_hold_known_and_other_places_in_like_shares():
    """Ordnance in a few blocks only: the many other blocks are spread over the folds, or pooled ranks turn upside down."""
    rng = np.random.default_rng(9)
    xy = rng.uniform(0, 30000, (1200, 2))
    near = np.hypot(*(xy - 15000).T)
    frame = gpd.GeoDataFrame(
        {"event_m": near, "eo": rng.random(1200) < 0.9 * (near < 5000)},
        geometry=gpd.points_from_xy(*(xy + np.array([700000, 4380000])).T), crs="EPSG:32638",
    )  # fmt: skip
    result = surface.evaluate(frame, surface.Setup("eo", "event_m"))
    table = result.scores.assign(eo=frame["eo"]).groupby("fold")["eo"].agg(["sum", "size"])
    assert table.max().to_numpy() == pytest.approx(table.min().to_numpy(), rel=0.35)
    assert result.metrics["roc_auc"].min() > 0.9


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


BOTH = dataclasses.replace(SETUP, models=(surface.LOGISTIC, surface.BOOSTED))


def bent(seed=4, n=2500):
    """Ordnance near events and on middling slopes only: a straight line through the slope cannot say that."""
    frame = places(seed, n)
    rng = np.random.default_rng(seed)
    eta = 1.2 - frame["event_m"] / 900 - 0.02 * (frame["slope_deg"] - 15) ** 2
    return frame.assign(eo=rng.random(n) < 1 / (1 + np.exp(-eta)))


def test_boosted_trees_beside_the_baseline_judged_by_another_library():
    sklearn = pytest.importorskip("sklearn.metrics")
    frame = bent()
    result = surface.evaluate(frame, BOTH)
    table = result.metrics.set_index("model")
    assert list(table.index) == ["distance baseline", "logistic", "boosted trees"]
    for name in table.index:
        score = result.scores[name]
        assert table.loc[name, "roc_auc"] == pytest.approx(sklearn.roc_auc_score(frame["eo"], score))
        assert table.loc[name, "pr_auc"] == pytest.approx(sklearn.average_precision_score(frame["eo"], score))
        assert table.loc[name, "brier"] == pytest.approx(sklearn.brier_score_loss(frame["eo"], score))
    assert table.loc["boosted trees", "pr_auc"] > table.loc["logistic", "pr_auc"]
    assert table.loc["boosted trees", "calibration_error"] < 0.05
    assert result.best == "boosted trees"
    text = surface.findings(result)
    assert text[0].startswith("Distance to known evidence alone")
    assert "never removes land" in text[-1]
    assert not re.search(r"\bsafe\b|\bcancel", " ".join(text).lower())
    assert len(surface.figure(result).axes) == 2


def test_boosted_trees_do_not_depend_on_the_order_of_places():
    pytest.importorskip("sklearn")
    frame = bent(n=700)
    one = surface.evaluate(frame, BOTH)
    two = surface.evaluate(frame.sample(frac=1, random_state=3), BOTH)
    pd.testing.assert_frame_equal(one.metrics, two.metrics, rtol=1e-9)
    for name in ("distance baseline", "logistic", "boosted trees"):
        known = one.predict(frame, name)
        pd.testing.assert_series_equal(two.predict(frame, name), known, rtol=1e-6)
    gap = frame.assign(slope_deg=frame["slope_deg"].where(frame.index != 5))
    assert one.predict(gap, "logistic").isna().sum() == 1  # never filled in silently


def test_a_missing_library_is_named_with_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(MissingLibraryError) as stop:
        surface.evaluate(places(), BOTH)
    assert "[learning]" in stop.value.hint
    assert surface.evaluate(places(), SETUP).best in ("logistic", "distance baseline")  # the others need nothing


def test_reliability_holds_the_truth_of_a_calibrated_score():
    rng = np.random.default_rng(8)
    score = rng.beta(1, 6, 20000)
    table = surface.reliability(rng.random(20000) < score, score)
    assert table["n"].sum() == 20000
    assert ((table["low"] <= table["predicted"]) & (table["predicted"] <= table["high"])).sum() >= 8
    assert surface.calibration_error(rng.random(20000) < score, score) < 0.01
    assert surface.calibration_error(rng.random(20000) < score, np.minimum(score * 2, 1)) > 0.1


@given(st.integers(1, 60), st.integers(0, 999))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_model_takes_no_priority_from_the_baseline(n, seed):
    scores = np.random.default_rng(seed).random((n, 2))
    both, alone = surface.classes(scores), surface.classes(scores[:, 0])
    assert (both >= alone).all()
    assert (alone >= 1).sum() >= max(1, round(0.2 * n))
    scores[0] = np.nan
    assert surface.classes(scores)[0] == 0


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
    fit = models.Logistic.of(x, y, 2.0)
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
