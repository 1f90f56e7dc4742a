"""Blind lanes: published values, laws of the intervals, matching against brute force, sealing, curves and comparisons."""

from itertools import combinations, pairwise, permutations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import trapezoid
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from geotools.analysis import trial
from geotools.model.errors import StatisticsError
from geotools.space.pairing import pair


def points(xy, **columns):
    frame = {"id": [f"p{n}" for n in range(len(xy))], **columns}
    return gpd.GeoDataFrame(
        frame,
        geometry=gpd.GeoSeries(shapely.points(np.asarray(xy, float) + np.array([700000, 4380000])), crs="EPSG:32638"),
    )


# ---- intervals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "exact", "wilson", "one_sided"),
    [
        (16, 16, (0.7941, 1.0), (0.8064, 1.0), 0.8293),
        (29, 29, (0.8806, 1.0), (0.8830, 1.0), 0.9019),
        (6, 8, (0.3491, 0.9681), (0.4093, 0.9285), None),
        (0, 10, (0.0, 0.3085), (0.0, 0.2775), 0.0),
    ],
)
def test_published_limits(k, n, exact, wilson, one_sided):
    assert trial.interval(k, n) == pytest.approx(exact, abs=5e-5)
    assert trial.interval(k, n, method="wilson") == pytest.approx(wilson, abs=5e-5)
    if one_sided is not None:
        assert trial.interval(k, n, side="lower")[0] == pytest.approx(one_sided, abs=5e-5)


def test_limits_equal_scipy_and_statsmodels():
    for n in (1, 2, 7, 29, 60, 400):
        for k in range(0, n + 1, max(1, n // 9)):
            for level in (0.8, 0.95, 0.99):
                ours = trial.interval(k, n, confidence=level)
                theirs = stats.binomtest(k, n).proportion_ci(level, method="exact")
                assert ours == pytest.approx(tuple(theirs), abs=1e-10)
                ours = trial.interval(k, n, confidence=level, method="wilson")
                assert ours == pytest.approx(proportion_confint(k, n, alpha=1 - level, method="wilson"), abs=1e-10)


def test_coverage_of_exact_limits_is_never_below_nominal():
    for n in (5, 16, 29, 60):
        low, high = trial.interval(np.arange(n + 1), np.full(n + 1, n))
        for p in np.linspace(0.01, 0.99, 99):
            covered = stats.binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum()
            assert covered >= 0.95 - 1e-12


def test_simulated_coverage_of_limits():
    rng = np.random.default_rng(1)
    for p in (0.5, 0.9, 0.97):
        for n in (8, 29, 59):
            k = rng.binomial(n, p, 4000)
            low, high = trial.interval(k, n)
            assert ((low <= p) & (p <= high)).mean() >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 4000)
    for rate in (0.02, 0.3, 2.0):
        count = rng.poisson(rate * 30, 4000)
        low, high = trial.rate_interval(count, 30.0)
        assert ((low <= rate) & (rate <= high)).mean() >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 4000)


@pytest.mark.parametrize(
    ("count", "area", "limits"),
    [(0, 10, (0, 0.3689)), (3, 10, (0.0619, 0.8767)), (9, 30, (0.1372, 0.5695)), (30, 100, (0.2024, 0.4283))],
)
def test_published_rates(count, area, limits):
    assert trial.rate_interval(count, area) == pytest.approx(limits, abs=5e-5)
    chi = stats.chi2.ppf(0.025, 2 * count) / 2 / area if count else 0.0, stats.chi2.ppf(0.975, 2 * count + 2) / 2 / area
    assert trial.rate_interval(count, area) == pytest.approx(chi, rel=1e-9)


def test_targets_needed_values():
    assert [trial.zero_failure_n(p, 0.95) for p in (0.8, 0.9, 0.95, 0.99, 0.996, 0.999)] == [14, 29, 59, 299, 748, 2995]
    for pod, expected in ((0.9, [29, 46, 61, 76, 89]), (0.95, [59, 93, 124, 153, 181]), (0.8, [14, 22, 30, 37, 44])):
        assert [trial.targets_needed(pod, 0.95, misses=m) for m in range(5)] == expected


@given(st.floats(0.3, 0.99), st.floats(0.5, 0.99), st.integers(0, 6))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_targets_needed_is_where_the_one_sided_limit_reaches_the_claim(pod, confidence, misses):
    n = trial.targets_needed(pod, confidence, misses=misses)
    assert trial.interval(n - misses, n, confidence=confidence, side="lower")[0] >= pod - 1e-9
    if n - 1 > misses:
        assert trial.interval(n - 1 - misses, n - 1, confidence=confidence, side="lower")[0] < pod + 1e-9


@pytest.mark.parametrize("bad", [(3, 2), (-1, 4), (1.5, 4), (np.nan, 3), (1, np.inf)])
def test_impossible_counts_are_refused(bad):
    with pytest.raises(StatisticsError):
        trial.interval(*bad)


def test_no_trial_says_nothing():
    assert trial.interval(0, 0) == (0.0, 1.0)


# ---- published trials -------------------------------------------------------------------------------------------


def test_aphill_run_1_and_dogs():
    assert 6 / 8 == 0.75
    assert trial.interval(6, 8) == pytest.approx((0.349, 0.968), abs=5e-4)
    assert pytest.approx(0.467, abs=5e-4) == 7 / 15
    low, high = trial.interval(213, 290)
    assert low < 0.7345 < high
    assert trial.interval(213, 213)[0] > 0.98


# ---- matching ---------------------------------------------------------------------------------------------------


def brute(targets, marks, reach):
    """Most pairs, then least distance, by trying every assignment."""
    best = (0, 0.0)
    distance = np.hypot(*(targets[:, None] - marks[None]).transpose(2, 0, 1))
    for size in range(1, min(len(targets), len(marks)) + 1):
        sums = [
            sum(distance[a, b] for a, b in zip(rows, columns, strict=True))
            for rows in combinations(range(len(targets)), size)
            for columns in permutations(range(len(marks)), size)
            if all(distance[a, b] <= reach for a, b in zip(rows, columns, strict=True))
        ]
        if not sums:
            break
        best = (size, min(sums))
    return best


@given(st.integers(0, 4), st.integers(0, 5), st.integers(0, 10_000))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_pairing_equals_brute_force(n, m, seed):
    rng = np.random.default_rng(seed)
    targets, marks = rng.uniform(0, 0.8, (n, 2)), rng.uniform(0, 0.8, (m, 2))
    pairs = pair(targets, marks, 0.3)
    size, total = brute(targets, marks, 0.3)
    assert len(pairs) == size
    assert np.hypot(*(targets[pairs[:, 0]] - marks[pairs[:, 1]]).T).sum() == pytest.approx(total, abs=1e-9)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == size


def greedy(targets, marks, reach):
    used, hits = set(), 0
    for target in targets:
        distance = np.hypot(*(marks - target).T) if len(marks) else np.empty(0)
        near = [m for m in np.argsort(distance) if distance[m] <= reach and m not in used]
        if near:
            used.add(near[0])
            hits += 1
    return hits


def lane(rng, spacing, targets=20, halo=0.2):
    aims = np.column_stack([np.arange(targets) * spacing, np.zeros(targets)])
    found = aims[rng.random(targets) < 0.85]
    marks = np.vstack(
        [
            found + rng.normal(0, 0.08, found.shape),
            np.column_stack([rng.uniform(0, targets * spacing, 3), rng.uniform(-0.5, 0.5, 3)]),
        ]
    )
    return aims, marks, sum(bool((np.hypot(*(marks - aim).T) <= halo).any()) for aim in aims)


@pytest.mark.parametrize("spacing", [0.3, 0.5])
def test_naive_at_least_optimal_at_least_greedy(spacing):
    rng = np.random.default_rng(2)
    results = []
    for _ in range(120):
        aims, marks, naive = lane(rng, spacing)
        best = len(pair(aims, marks, 0.2))
        assert naive >= best >= greedy(aims, marks, 0.2)
        results.append((naive, best, greedy(aims, marks, 0.2)))
    means = np.mean(results, axis=0)
    if spacing == 0.5:
        assert means[0] == means[1] == means[2]
    else:
        assert means[0] > means[1] > means[2]
        assert means[1] == pytest.approx(16.50, abs=0.6)


def test_scoring_counts_hits_duplicates_and_false_marks():
    targets = points([(1, 1), (5, 1), (9, 1)], lane_id="L", target_type=["A", "A", "decoy"], depth_cm=[5, 10, 5])
    signals = points([(1.1, 1), (1.15, 1), (3, 1), (9, 1.1), (30, 30)], lane_id="L", operator="op-1")
    lanes = gpd.GeoDataFrame({"id": ["L"]}, geometry=[shapely.box(700000, 4380000, 700010, 4380002)], crs="EPSG:32638")
    scored = trial.score(targets, signals, halo_m=0.2, lanes=lanes)
    assert scored.marks.sort_values("id")["verdict"].tolist() == ["hit", "duplicate", "false", "false", "outside"]
    overall = scored.strata().iloc[0]
    assert (overall["k"], overall["n"], overall["false_alarms"]) == (1, 2, 2)
    assert overall["area_m2"] == pytest.approx(20 - 2 * np.pi * 0.04, rel=2e-3)  # UTM against the ellipsoid: 0.04 %
    assert scored.location()["mean_m"] == pytest.approx(0.1, abs=1e-3)
    assert scored.location()["bias_along_m"] == pytest.approx(0.1, abs=1e-3)
    assert scored.real["hit"].sum() == 1
    assert "TR-13" in set(scored.issues["check"])


def test_a_run_without_marks_counts_when_the_roster_is_given():
    targets = points([(1, 1), (5, 1)], lane_id="L")
    signals = points([(1, 1)], lane_id="L", operator="P", detector="X", run_id="1")
    roster = pd.DataFrame(
        {
            "lane_id": ["L", "L"],
            "operator": ["P", "Q"],
            "detector": ["X", "X"],
            "run_id": ["1", "2"],
            "minutes": [10, 12],
        }
    )
    table = trial.score(targets, signals, halo_m=0.2, runs=roster).strata(["operator"]).set_index("operator")
    assert table[["k", "n"]].loc["P"].tolist() == [1, 2]
    assert table[["k", "n"]].loc["Q"].tolist() == [0, 2]


def test_scores_do_not_depend_on_row_order_and_inputs_stay():
    rng = np.random.default_rng(5)
    targets = points(rng.uniform(0, 20, (15, 2)), lane_id="L", depth_cm=rng.integers(5, 20, 15))
    signals = points(
        rng.uniform(0, 20, (30, 2)), lane_id="L", operator=rng.choice(["P", "Q"], 30), score=rng.random(30)
    )
    before = targets.copy(), signals.copy()
    one = trial.score(targets, signals, halo_m=0.8)
    two = trial.score(targets.sample(frac=1, random_state=1), signals.sample(frac=1, random_state=2), halo_m=0.8)
    assert one.to_dict() == two.to_dict()
    pd.testing.assert_frame_equal(one.matches, two.matches)
    pd.testing.assert_frame_equal(pd.DataFrame(targets), pd.DataFrame(before[0]))
    pd.testing.assert_frame_equal(pd.DataFrame(signals), pd.DataFrame(before[1]))


def test_rows_without_position_or_lane_become_issues():
    targets = points([(1, 1), (2, 2)], lane_id="L")
    targets.loc[1, "geometry"] = None
    signals = points([(1, 1), (1, 1)], lane_id=["L", "elsewhere"])
    scored = trial.score(targets, signals, halo_m=0.2)
    assert {"TR-10", "TR-11"} <= set(scored.issues["check"])
    assert scored.strata()["n"].iloc[0] == 1


# ---- design and blindness ---------------------------------------------------------------------------------------


def lanes_frame():
    boxes = [shapely.box(700000 + 10 * n, 4380000, 700002 + 10 * n, 4380030) for n in range(4)]
    return gpd.GeoDataFrame(
        {"id": list("ABCD"), "soil": ["clay", "clay", "sand", "sand"]}, geometry=boxes, crs="EPSG:32638"
    )


def test_design_is_balanced_spaced_sealed_and_reproducible():
    wanted = trial.Wanted(("big", "small"), (5, 10, 15), halo_m=0.2, head_m=0.3, pod=0.95)
    plan = trial.design(lanes_frame(), wanted, operators=list("PQRS"), detectors=["X", "Y"], salt="s", seed=3)
    again = trial.design(lanes_frame(), wanted, operators=list("PQRS"), detectors=["X", "Y"], salt="s", seed=3)
    assert plan.seal == again.seal != trial.design(lanes_frame(), wanted, salt="s", seed=4).seal
    assert len(plan.targets) == 59
    counts = plan.targets.groupby(["soil", "target_type", "depth_cm"]).size()
    assert counts.max() - counts.min() <= 1
    assert trial.spacing_issues(plan.targets, halo_m=0.2, head_m=0.3).empty
    assert plan.targets.to_crs(32638).within(lanes_frame().union_all()).all()
    assert "salt" not in repr(plan)
    assert "s" not in plan.to_dict().values()
    close = plan.targets.copy()
    close.loc[1, "geometry"] = close.geometry.iloc[0]
    close.loc[1, "lane_id"] = close["lane_id"].iloc[0]
    assert set(trial.spacing_issues(close, halo_m=0.2, head_m=0.3)["check"]) == {"TR-02"}


def test_a_lane_too_small_is_said():
    tiny = lanes_frame().iloc[:1].assign(geometry=[shapely.box(700000, 4380000, 700002, 4380003)])
    plan = trial.design(tiny, trial.Wanted(("A",), (5,), halo_m=0.2, head_m=0.3), salt="s")
    assert plan.issues["check"].tolist() == ["TR-01"]
    assert len(plan.targets) < 29


@pytest.mark.parametrize("detectors", [2, 3, 4, 5])
def test_crossover_is_balanced(detectors):
    names = [f"D{n}" for n in range(detectors)]
    people = [f"P{n}" for n in range(2 * detectors)]
    roster, issues = trial.crossover(people, names, [f"L{n}" for n in range(detectors)])
    assert not issues
    assert (roster.groupby(["operator", "detector"]).size() == 1).all()
    assert roster.groupby(["period", "detector"]).size().nunique() == 1
    assert (roster.groupby(["operator", "lane_id"]).size() == 1).all()
    follows = roster.sort_values("period").groupby("operator")["detector"].agg(lambda s: list(pairwise(s))).explode()
    assert follows.value_counts().nunique() == 1


def test_scoring_needs_frozen_unedited_marks_and_the_sealed_layout():
    targets = points([(1, 1), (5, 1)], lane_id="L", target_type="A", depth_cm=[5.0, 10.0])
    signals = points([(1.1, 1)], lane_id="L", operator="P")
    sealed = trial.seal(targets, "salt")
    frozen = trial.freeze(signals, sealed)
    good = trial.Blind(sealed, "salt", frozen)
    assert trial.score(targets.sample(frac=1, random_state=0).to_crs(4326), signals, halo_m=0.2, blind=good).blind
    moved = signals.assign(geometry=signals.translate(0.5))
    added = pd.concat([signals, signals.assign(id="new")])
    cases = [
        (targets, moved, good), (targets, added, good), (targets.assign(depth_cm=5.0), signals, good), (targets.iloc[:1], signals, good),
        (targets, signals, trial.Blind(sealed, "other", frozen)), (targets, signals, trial.Blind(sealed, "salt", {})),
        (targets, signals, trial.Blind(trial.seal(targets, "x"), "x", frozen)),
    ]  # fmt: skip
    for layout, marks, blind in cases:
        with pytest.raises(StatisticsError):
            trial.score(layout, marks, halo_m=0.2, blind=blind)


# ---- groups, depth, curves --------------------------------------------------------------------------------------


def test_holm_and_fisher_equal_statsmodels_and_scipy():
    p = np.random.default_rng(0).random(9) ** 2
    assert trial.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    table = trial.compare(pd.Series({"P": 19, "Q": 12}), pd.Series({"P": 20, "Q": 20}))
    assert table["p_value"].iloc[0] == pytest.approx(stats.fisher_exact([[19, 1], [12, 8]])[1])


def test_equal_groups_are_rarely_called_different():
    rng = np.random.default_rng(3)
    n = pd.Series(20, index=list("ABCDE"))
    wrong = sum(
        trial.compare(pd.Series(rng.binomial(20, 0.85, 5), index=n.index), n)["different"].any() for _ in range(60)
    )
    assert wrong <= 6


def test_shrinkage_pulls_small_groups_more():
    k, n = pd.Series({"small": 8, "large": 60, "other": 40}), pd.Series({"small": 8, "large": 60, "other": 60})
    table = trial.shrink(k, n).table
    pulled = (table["pod"] - table["shrunk"]).abs()
    assert pulled["small"] > pulled["large"]
    assert ((table["shrunk_low"] <= table["shrunk"]) & (table["shrunk"] <= table["shrunk_high"])).all()


@pytest.mark.slow
def test_simulated_coverage_of_shrunk_limits():
    rng = np.random.default_rng(4)
    inside = total = 0
    for _ in range(40):
        p = rng.beta(17, 3, 8)
        sizes = rng.integers(8, 60, 8)
        fit = trial.shrink(pd.Series(rng.binomial(sizes, p)), pd.Series(sizes)).table
        inside += ((fit["shrunk_low"] <= p) & (p <= fit["shrunk_high"])).sum()
        total += 8
    assert inside / total >= 0.91


def test_depth_curve_is_finite_under_separation_and_near_the_truth():
    separated = trial.depth_curve([5] * 10 + [20] * 10, [1] * 10 + [0] * 10)
    assert np.isfinite([separated.intercept, separated.slope]).all()
    everything = trial.depth_curve([5, 10, 15] * 5, [1] * 15)
    assert np.isfinite(everything.intercept)
    assert (everything.curve["high"] >= everything.curve["pod"]).all()
    assert (everything.curve["low"] < 0.95).all()
    rng = np.random.default_rng(6)
    depth = rng.integers(4, 50, 400) / 2
    fit = trial.depth_curve(depth, rng.random(400) < 1 / (1 + np.exp(-(5 - 0.3 * depth))))
    half = fit.depths.iloc[1]
    assert half["low_cm"] < 5 / 0.3 < half["high_cm"]
    assert fit.slope == pytest.approx(-0.3, abs=0.1)


def test_firth_equals_brute_force_maximum():
    from scipy.optimize import minimize

    x, y = np.array([5, 5, 10, 10, 15, 15, 20.0]), np.array([1, 1, 1, 0, 1, 0, 0.0])
    design = np.column_stack([np.ones_like(x), x])

    def objective(beta):
        p = 1 / (1 + np.exp(-(design @ beta)))
        return -(
            y @ np.log(p)
            + (1 - y) @ np.log(1 - p)
            + 0.5 * np.linalg.slogdet(design.T @ (design * (p * (1 - p))[:, None]))[1]
        )

    best = minimize(
        objective, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}
    ).x
    fit = trial.depth_curve(x, y)
    assert (fit.intercept, fit.slope) == pytest.approx(tuple(best), abs=1e-4)


def test_froc_grows_and_ends_at_the_full_score():
    rng = np.random.default_rng(7)
    targets = points(np.column_stack([np.arange(20) * 1.0 + 0.5, np.ones(20)]), lane_id="L")
    xy = np.vstack(
        [
            np.column_stack([np.arange(16) * 1.0 + 0.55, np.ones(16)]),
            np.column_stack([rng.uniform(0, 20, 10), rng.uniform(1.4, 2, 10)]),
        ]
    )
    signals = points(xy, lane_id="L", score=np.r_[rng.uniform(0.4, 1, 16), rng.uniform(0, 0.7, 10)])
    lanes = gpd.GeoDataFrame({"id": ["L"]}, geometry=[shapely.box(700000, 4380000, 700021, 4380002)], crs="EPSG:32638")
    scored = trial.score(targets, signals, halo_m=0.2, lanes=lanes)
    table = trial.froc(scored)
    assert table["k"].is_monotonic_increasing
    assert table["far_m2"].is_monotonic_increasing
    assert table["k"].iloc[-1] == scored.strata()["k"].iloc[0]


def test_roc_area_equals_mann_whitney():
    rng = np.random.default_rng(8)
    values, truth = (
        np.r_[rng.normal(1, 1, 30), rng.normal(0, 1, 25)].round(1),
        np.r_[np.ones(30, bool), np.zeros(25, bool)],
    )
    curve = trial.roc(values, truth)
    assert curve.auc == pytest.approx(stats.mannwhitneyu(values[truth], values[~truth]).statistic / (30 * 25))
    assert curve.low < curve.auc < curve.high
    assert trapezoid(curve.table["tpr"], curve.table["fpr"]) == pytest.approx(curve.auc)


def test_every_detector_row_has_its_source(tmp_path):
    table = trial.detectors()
    assert table[["source", "grade"]].notna().all(axis=None)
    own = tmp_path / "own.toml"
    own.write_text(
        '[[detector]]\nid = "u1"\nname = "Unit set"\nhead_mm = 280\nsource = "own measurement"\ngrade = "user"\n'
    )
    assert trial.detectors(own).set_index("id").loc["u1", "head_mm"] == 280
    own.write_text('[[detector]]\nid = "u1"\nname = "Unit set"\nhead_mm = 280\n')
    with pytest.raises(ValueError, match="source"):
        trial.detectors(own)


def test_no_mark_at_all_is_a_result_with_a_roster_and_a_question_without():
    targets = points([(1, 1), (5, 1)], lane_id="L")
    nothing = points([(1, 1)], lane_id="L", operator="P", detector="X", run_id="1").iloc[:0]
    with pytest.raises(StatisticsError, match="no run"):
        trial.score(targets, nothing, halo_m=0.2)
    roster = pd.DataFrame({"lane_id": ["L"], "operator": ["P"], "detector": ["X"], "run_id": ["1"]})
    scored = trial.score(targets, nothing, halo_m=0.2, runs=roster)
    assert scored.strata()[["k", "n"]].to_numpy().tolist() == [[0, 2]]
    assert "0 of 2 targets were found" in trial.report_html(scored)
    with pytest.raises(StatisticsError, match="no target"):
        trial.score(targets.assign(target_type="decoy"), nothing, halo_m=0.2, runs=roster)
