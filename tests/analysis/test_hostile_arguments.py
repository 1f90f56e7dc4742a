"""Whatever a caller hands to the rooms of trial, residual risk, sampling, pattern and risk surface: a result or one clear refusal.

Every public function with each argument in turn replaced by something hostile. A refusal is an error of the tree, in a sentence.
"""

from __future__ import annotations

import dataclasses
import inspect
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.analysis import pattern, residual, risk_surface, sampling, trial
from geotools.model.errors import GeotoolsError
from geotools.space.grid import Grid, Raster

UTM = "EPSG:32638"
X, Y = 700000.0, 4380000.0
GRID = Grid(X, Y + 6, 1.0, (6, 6), UTM)


def points(count=12, **columns):
    xy = np.column_stack([X + 3.0 * np.arange(count), np.full(count, Y) + 0.01 * np.arange(count) ** 2])
    data = {"id": [f"p{n}" for n in range(count)], **columns}
    return gpd.GeoDataFrame(data, geometry=gpd.points_from_xy(*xy.T), crs=UTM)


def ground(side=20.0):
    return gpd.GeoDataFrame({"id": ["L1"]}, geometry=[shapely.box(X, Y, X + side, Y + side)], crs=UTM)


TARGETS = pd.DataFrame({"id": ["t1", "t2"], "x_m": [0.0, 3.0], "y_m": [0.0, 0.0], "depth_cm": [5.0, 10.0]})
SIGNALS = pd.DataFrame({"id": ["m1"], "x_m": [0.1], "y_m": [0.0], "score": [0.7]})
SCORED = trial.score(TARGETS, SIGNALS, halo_m=0.2)
WANTED = trial.Wanted(("A",), (5.0,), halo_m=0.2, head_m=0.3, pod=0.5)
RASTER = Raster(np.full((6, 6), 0.1), GRID)
SEARCH = residual.Search("manual", Raster(np.ones((6, 6), int), GRID), 9, 10)
LEDGER = residual.ledger(RASTER, [SEARCH])
OPTION = residual.Option("manual", 9, 10, cost_m2=1.0)
PLAN = sampling.plan(ground(), unit_m=5.0)
RNG = np.random.default_rng(0)
XY = RNG.uniform(0, 20000, (120, 2)) + np.array([X, Y])
NEAR = np.hypot(*(XY - (X + 5000, Y + 5000)).T)
PLACES = gpd.GeoDataFrame(
    {"event_m": NEAR, "eo": RNG.random(120) < np.exp(-NEAR / 6000)}, geometry=gpd.points_from_xy(*XY.T), crs=UTM
)
SETUP = risk_surface.Setup("eo", "event_m", folds=2)
SURFACE = risk_surface.evaluate(PLACES, SETUP)
COUNTS = pd.Series({"P": 3, "Q": 5}), pd.Series({"P": 8, "Q": 8})

CALLS = {
    trial.interval: {"k": 3, "n": 9, "confidence": 0.9, "method": "wilson", "side": "lower"},
    trial.rate_interval: {"count": 3, "exposure": 10.0, "confidence": 0.9},
    trial.zero_failure_n: {"pod": 0.9, "confidence": 0.9},
    trial.targets_needed: {"pod": 0.9, "confidence": 0.9, "misses": 1},
    trial.further_targets: {"k": 3, "n": 9, "pod": 0.9, "confidence": 0.9},
    trial.Wanted: {"types": ("A",), "depths_cm": (5.0,), "halo_m": 0.2, "head_m": 0.3, "pod": 0.9, "confidence": 0.9, "misses": 1},
    trial.design: {"lanes": ground(), "wanted": WANTED, "operators": ["P"], "detectors": ["D"], "salt": "00", "seed": 1},
    trial.crossover: {"operators": ["P"], "detectors": ["D"], "lanes": ["L"], "seed": 1},
    trial.spacing_issues: {"targets": points(3), "halo_m": 0.2, "head_m": 0.3},
    trial.score: {"targets": TARGETS, "signals": SIGNALS, "halo_m": 0.2, "lanes": ground(), "runs": pd.DataFrame({"operator": ["P"]})},
    trial.seal: {"targets": TARGETS, "salt": "00"},
    trial.freeze: {"signals": SIGNALS, "sealed": "ab"},
    trial.compare: {"k": COUNTS[0], "n": COUNTS[1], "confidence": 0.9},
    trial.shrink: {"k": COUNTS[0], "n": COUNTS[1], "confidence": 0.9},
    trial.holm: {"p_values": [0.1, 0.2]},
    trial.depth_curve: {"depth_cm": [5, 5, 10, 10], "hit": [1, 1, 1, 0], "confidence": 0.9},
    trial.froc: {"scored": SCORED, "confidence": 0.9},
    trial.roc: {"score": [0.9, 0.1], "is_target": [True, False], "confidence": 0.9},
    trial.findings: {"scored": SCORED, "pod": 0.9, "confidence": 0.9},
    residual.Search: {"name": "m", "passes": SEARCH.passes, "found": 1, "targets": 2, "sd": 0.1, "reach": 0.9},
    residual.ledger: {"prior": RASTER, "searches": [SEARCH], "found": 3, "items_sd": 2.0, "confidence": 0.8, "seed": 1},
    residual.Option: {"name": "m", "found": 1, "targets": 2, "cost_m2": 1.0, "sd": 0.1, "reach": 0.9},
    residual.next_actions: {"ledger": LEDGER, "options": [OPTION]},
    residual.spend: {"ledger": LEDGER, "option": OPTION, "budget": 10.0},
    residual.checklist: {"ledger": LEDGER, "facts": {"gaps": 1}, "required": {"gaps": 0}, "references": {"gaps": "x"}},
    residual.task_grid: {"task": ground(), "cell_m": 1.0},
    residual.prior: {"task": ground(5.0), "grid": GRID, "items": 3.0, "evidence": {"finds": (points(3), 1.0, 2.0)}, "base": 1.0},
    residual.passes: {"searched": ground(), "grid": GRID},
    residual.concentration: {"expected": RASTER, "share": 0.5},
    residual.random_search: {"coverage": 1.0},
    residual.inverse_cube: {"coverage": 1.0},
    residual.beta_shape: {"mean": 0.8, "sd": 0.1},
    residual.miss: {"pod": 0.8, "passes": 2, "sd": 0.1},
    residual.posterior: {"prior": 0.5, "missed": 0.1},
    residual.expected_left: {"found": 3, "pod": 0.9},
    residual.probability_none: {"found": 3, "pod": 0.9},
    residual.allocate: {"prior": [0.5, 0.3], "rate": 1.0, "effort": 1.0, "cost": 1.0},
    sampling.AcceptZero: {"remaining": 1, "confidence": 0.9, "sensitivity": 0.9},
    sampling.Share: {"share": 0.1},
    sampling.Iso2859().size: {"units": 100},
    sampling.Iso2859().letter: {"units": 100},
    sampling.Share(0.1).size: {"units": 100},
    sampling.accept_zero_n: {"units": 100, "remaining": 2, "confidence": 0.9, "sensitivity": 0.9},
    sampling.miss_probability: {"units": 100, "sample": 10, "remaining": 2, "sensitivity": 0.9},
    sampling.p_accept: {"share": 0.1, "items": 2, "sensitivity": 0.9},
    sampling.operating_curve: {"units": 100, "sample": 10, "sensitivity": 0.9, "remaining": (1, 2)},
    sampling.in_words: {"units": 100, "sample": 10, "sensitivity": 0.9},
    sampling.worst_miss: {"units": [50, 50], "samples": [5, 5], "remaining": 2, "sensitivity": 0.9},
    sampling.plan: {"area": ground(), "rule": sampling.Share(0.5), "unit_m": 5.0, "block_m": 10.0, "seed": 1},
    sampling.strata_near: {"layers": {"finds": (points(3), 5.0, 2.0)}},
    sampling.judge: {"plan": PLAN, "samples": points(3, result="passed"), "required_depth_cm": 10.0},
    pattern.rows: {"finds": points(), "half_width_m": 0.5, "false_rows": 1e-3, "area": ground(), "longest_gap_m": 50.0, "longest_row_m": 500.0},
    pattern.reconcile: {"record": points(4, row_id="1"), "finds": points(3), "reach_m": 1.0, "drift_m": 1.0},
    pattern.fadeout: {"finds": points(3), "searched": ground(), "fadeout_m": 5.0, "authority_ref": "invented 1", "seed": 1},
    pattern.feature_probability: {"xy": RNG.uniform(0, 9, (30, 2)), "neighbours": 4},
    pattern.circular_normal_m: {"median_m": 1.0, "share": 0.01},
    pattern.exponential_m: {"median_m": 1.0, "share": 0.01},
    risk_surface.Setup: {"label": "eo", "distance": "event_m", "features": ("a",), "block_m": 9.0, "folds": 2, "gap_m": 1.0, "penalty": 1.0, "seed": 1, "models": ("logistic",)},
    risk_surface.evaluate: {"places": PLACES, "setup": SETUP},
    risk_surface.distances: {"places": PLACES, "layers": {"a": points(2)}},
    risk_surface.raise_priority: {"current": pd.Series([1, 0]), "score": pd.Series([0.1, 0.9]), "threshold": 0.5},
    risk_surface.classes: {"scores": [0.1, 0.5, 0.9], "shares": (0.5, 0.2)},
    risk_surface.roc_auc: {"label": [True, False], "score": [0.9, 0.1]},
    risk_surface.pr_auc: {"label": [True, False], "score": [0.9, 0.1]},
    risk_surface.heights: {"label": [True, False], "score": [0.9, 0.1]},
    risk_surface.reliability: {"label": [True, False], "score": [0.9, 0.1], "groups": 2, "confidence": 0.9},
    risk_surface.calibration_error: {"label": [True, False], "score": [0.9, 0.1], "groups": 2},
    risk_surface.findings: {"surface": SURFACE},
    SURFACE.predict: {"places": PLACES, "model": "logistic"},
}  # fmt: skip

BARE = gpd.GeoDataFrame({"id": ["a", "b"], "product": [None, "\x00=1+1"]})
NO_CRS = points(3).set_crs(None, allow_override=True)
HOLES = points(3, result="failed", row_id=None)
HOLES.loc[0, "geometry"] = None
HOLES.loc[1, "geometry"] = shapely.Point()
BROKEN = gpd.GeoDataFrame(
    {"id": [None, "x", "x"], "depth_cm": ["deep", None, "5"]},
    geometry=[shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), shapely.Point(np.nan, np.nan), shapely.LineString([(0, 0), (1, 1)])],
    crs=4326,
)  # fmt: skip
FAR = gpd.GeoDataFrame({"id": ["f"], "row_id": ["1"]}, geometry=[shapely.Point(1e9, 1e9)], crs=UTM)
HOSTILE = {
    "none": None, "text": "0.9", "words": "<b>\u202e=1+1\x00", "nan": math.nan, "inf": math.inf, "minus inf": -math.inf,
    "negative": -1, "zero": 0, "huge": 10**30, "half": 0.5, "true": True, "list": [1, "a", None], "empty list": [],
    "ragged": [[1], [2, 3]], "mapping": {"a": object()}, "object": object(), "complex": 1j, "date": pd.Timestamp("2024-01-01"),
    "missing": pd.NA, "table": pd.DataFrame({"a": [1]}), "empty layer": points(0), "bare layer": BARE, "no crs": NO_CRS,
    "holes": HOLES, "broken": BROKEN, "far": FAR, "nan array": np.array([np.nan, 1.0]), "class": int,
}  # fmt: skip


def name(function):
    owner = getattr(function, "__self__", None)
    return (
        f"{type(owner).__name__}.{function.__name__}"
        if owner is not None
        else f"{function.__module__.split('.')[2]}.{function.__name__}"
    )


@pytest.mark.parametrize("function", CALLS, ids=name)
def test_good_arguments_work_and_hostile_ones_are_refused_in_a_sentence(function):
    good = CALLS[function]
    assert set(good) <= set(inspect.signature(function).parameters)
    function(**good)
    wrong = []
    for argument in good:
        for label, value in HOSTILE.items():
            try:
                function(**{**good, argument: value})
            except GeotoolsError as error:
                if not 15 < len(error.message) < 300 or "object at 0x" in str(error) or "\x00" in str(error):
                    wrong.append(f"{argument}={label}: unreadable refusal {error!r}")
            except Exception as error:
                wrong.append(f"{argument}={label}: {type(error).__name__}: {str(error)[:80]}")
    assert not wrong, f"{len(wrong)} tracebacks:\n" + "\n".join(wrong)


def test_every_public_function_of_these_rooms_is_tried():
    tried = {getattr(f, "__name__", "") for f in CALLS}
    plain = {"Blind", "Design", "Score", "Shrunk", "Roc", "DepthCurve", "Ledger", "SamplePlan", "LotDecision", "FadeOut", "Pattern", "Reconciliation", "Surface", "Rule", "Iso2859"}  # fmt: skip
    tested_by_file = {"verify", "new_salt", "detectors", "figures", "figure", "report_html", "write_report"}
    for room in (trial, residual, sampling, pattern, risk_surface):
        for public in room.__all__:
            thing = getattr(room, public)
            assert public in tried | plain | tested_by_file or not callable(thing), public
            assert public not in plain or dataclasses.is_dataclass(thing) or inspect.isclass(thing)
