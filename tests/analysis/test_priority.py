"""Priority: published examples, brute force, and laws: nobody twice, nothing unknown as zero, weights that swap are the weights."""

from __future__ import annotations

import itertools
import json
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis import priority
from geotools.analysis.priority import Criteria, Criterion, Indicators, Preference
from geotools.maps.charts import save
from geotools.model.errors import ReadError, SchemaError, StatisticsError

UTM = "EPSG:32638"
X, Y = 690_000.0, 4_380_000.0
DAY = date(2026, 6, 30)
QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def tasks_of(boxes, **more):
    shapes = [None if b is None else shapely.box(X + b[0], Y + b[1], X + b[2], Y + b[3]) for b in boxes]
    ids = [f"T{k}" for k in range(len(boxes))]
    return gpd.GeoDataFrame({"id": ids, **more}, geometry=gpd.GeoSeries(shapes, crs=UTM), crs=UTM)


def homes_of(points, population, **more):
    return gpd.GeoDataFrame(
        {"population": population, **more}, geometry=[shapely.Point(X + x, Y + y) for x, y in points], crs=UTM
    )


# ---- AHP: published examples

DRINKS = {
    ("coffee", "wine"): 9, ("coffee", "tea"): 5, ("coffee", "beer"): 2, ("coffee", "soda"): 1, ("coffee", "milk"): 1, ("coffee", "water"): 1 / 2,
    ("wine", "tea"): 1 / 3, ("wine", "beer"): 1 / 9, ("wine", "soda"): 1 / 9, ("wine", "milk"): 1 / 9, ("wine", "water"): 1 / 9,
    ("tea", "beer"): 1 / 3, ("tea", "soda"): 1 / 4, ("tea", "milk"): 1 / 3, ("tea", "water"): 1 / 9,
    ("beer", "soda"): 1 / 2, ("beer", "milk"): 1, ("beer", "water"): 1 / 3,
    ("soda", "milk"): 2, ("soda", "water"): 1 / 2, ("milk", "water"): 1 / 3,
}  # fmt: skip


def test_the_drinks_of_saaty_2008():
    found = priority.ahp(DRINKS)
    expected = {
        "coffee": 0.1775,
        "wine": 0.0191,
        "tea": 0.0418,
        "beer": 0.1164,
        "soda": 0.1896,
        "milk": 0.1288,
        "water": 0.3268,
    }
    assert found.weights.round(4).to_dict() == expected
    assert found.lambda_max == pytest.approx(7.1766, abs=5e-5)
    assert found.ci == pytest.approx(0.0294, abs=5e-5)
    assert found.cr == pytest.approx(0.0223, abs=5e-5)
    assert priority.ahp(DRINKS, random_index="saaty2005").cr == pytest.approx(0.0218, abs=5e-5)


def test_four_criteria_of_the_ahpy_readme():
    found = priority.ahp({("a", "b"): 1, ("a", "c"): 5, ("a", "d"): 2, ("b", "c"): 3, ("b", "d"): 4, ("c", "d"): 3 / 4}, random_index="donegan-dodd")  # fmt: skip
    assert found.weights.round(4).to_dict() == {"a": 0.3742, "b": 0.3917, "c": 0.0991, "d": 0.1349}
    assert found.cr == pytest.approx(0.0372, abs=5e-5)


@QUICK
@given(st.lists(st.floats(0.05, 20), min_size=2, max_size=8))
def test_consistent_judgements_give_their_weights_back_and_no_inconsistency(weights):
    names = [f"c{k}" for k in range(len(weights))]
    pairs = {(names[a], names[b]): weights[a] / weights[b] for a, b in itertools.combinations(range(len(weights)), 2)}
    found = priority.ahp(pairs)
    assert found.weights.to_numpy() == pytest.approx(np.array(weights) / sum(weights), rel=1e-6)
    assert found.cr == pytest.approx(0, abs=1e-6)
    frame = pd.DataFrame([[a / b for b in weights] for a in weights], index=names, columns=names)
    assert priority.ahp(frame).weights.to_numpy() == pytest.approx(found.weights.to_numpy())


def test_contradictions_are_refused_and_the_odd_one_is_named():
    pairs = {("people", "land"): 3, ("land", "roads"): 3, ("people", "roads"): 1 / 9}
    with pytest.raises(StatisticsError, match="consistency ratio") as caught:
        priority.ahp(pairs)
    assert "'people' against 'roads'" in caught.value.hint
    taken = priority.ahp(pairs, accept_inconsistent=True)
    assert not taken.consistent
    assert "ABOVE" in taken.words


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({}, "no judgement"),
        ({("a", "b"): 2, ("b", "c"): 2}, "a / c is not judged"),
        ({("a", "b"): 2, ("b", "a"): 0.5}, "twice"),
        ({("a", "b"): 0}, "not a number above 0"),
        ({("a", "b"): "much"}, "not a number above 0"),
        (pd.DataFrame([[1, 2], [2, 1]], index=["a", "b"], columns=["a", "b"]), "reciprocals"),
    ],
)
def test_judgements_that_cannot_be(pairs, said):
    with pytest.raises(SchemaError, match=said):
        priority.ahp(pairs)


# ---- PROMETHEE: published examples and brute force

PLANTS = np.array([  # Brans, Vincke and Mareschal, EJOR 24 (1986): six power plants, six criteria, all six functions
    [80, 65, 83, 40, 52, 94], [90, 58, 60, 80, 72, 96], [60, 20, 40, 100, 60, 70],
    [5.4, 9.7, 7.2, 7.5, 2.0, 3.6], [8, 1, 4, 7, 3, 5], [5, 1, 7, 10, 8, 6],
])  # fmt: skip
FUNCTIONS = [
    ("less", Preference("u-shape", q=10)), ("more", Preference("v-shape", p=30)), ("less", Preference("linear", q=5, p=50)),
    ("less", Preference("level", q=1, p=6)), ("less", Preference("usual")), ("more", Preference("gaussian", s=5)),
]  # fmt: skip


def _rank(matrix, functions, weights):
    names = [f"c{k}" for k in range(len(weights))]
    table = pd.DataFrame(
        np.asarray(matrix, dtype=float), columns=names, index=[f"x{k + 1}" for k in range(len(matrix))]
    )
    rows = tuple(
        Criterion(n, n, w, better=b, preference=f) for n, w, (b, f) in zip(names, weights, functions, strict=True)
    )
    return priority.rank(Indicators.of(table), Criteria(rows), method="promethee")


def test_the_six_power_plants_of_brans_vincke_and_mareschal():
    signed = [(-1 if b == "less" else 1) * row for row, (b, _) in zip(PLANTS, FUNCTIONS, strict=True)]
    pairs = [priority.flows(row, f) for row, (_, f) in zip(signed, FUNCTIONS, strict=True)]
    leaving, entering = (sum(p[n] for p in pairs) / 6 * 5 for n in (0, 1))  # the paper does not divide by n − 1
    # as printed: sums of indices that were rounded to three decimals
    assert leaving == pytest.approx([1.099, 1.980, 1.234, 1.644, 2.274, 1.500], abs=0.0025)
    assert entering == pytest.approx([1.827, 1.895, 1.681, 1.746, 0.808, 1.774], abs=0.0025)
    found = _rank(PLANTS.T, FUNCTIONS, [1] * 6)
    assert found.scores.to_numpy() == pytest.approx((leaving - entering) / 5)
    assert found.table["id"].tolist() == ["x5", "x2", "x4", "x6", "x3", "x1"]


def test_the_example_of_papathanasiou_and_ploskas():
    """Multiple Criteria Decision Aid (2018), chapter 3: net flows to all decimals."""
    matrix = [[8, 7, 2, 1], [5, 3, 7, 5], [7, 5, 6, 4], [9, 9, 7, 3], [11, 10, 3, 7], [6, 9, 5, 4]]
    found = _rank(matrix, [("more", Preference("linear", q=1, p=2))] * 4, [0.4, 0.3, 0.1, 0.2])
    assert found.scores.round(4).tolist() == [-0.26, -0.52, -0.22, 0.36, 0.70, -0.06]


SHAPES = [Preference("usual"), Preference("u-shape", q=0.3), Preference("v-shape", p=0.7), Preference("level", q=0.2, p=0.9), Preference("linear", q=0.2, p=0.9), Preference("gaussian", s=0.4)]  # fmt: skip


@pytest.mark.parametrize("function", SHAPES, ids=lambda f: f.shape)
def test_flows_equal_the_double_loop(function):
    rng = np.random.default_rng(4)
    x = rng.normal(size=60)
    x[::7] = x[3]
    leaving, entering = priority.flows(x, function)
    d = x[:, None] - x[None, :]
    assert leaving == pytest.approx(function.of(d).sum(axis=1) / 59, abs=1e-9)
    assert entering == pytest.approx(function.of(-d).sum(axis=1) / 59, abs=1e-9)
    assert (leaving - entering).sum() == pytest.approx(0, abs=1e-9)
    d = np.linspace(-2, 2, 401)
    assert (np.diff(function.of(d)) >= 0).all()
    assert function.of(d).min() == 0
    assert function.of(d).max() <= 1


@pytest.mark.parametrize(
    "wrong",
    [{"shape": "cubic"}, {"shape": "linear", "q": 2, "p": 1}, {"shape": "gaussian"}, {"shape": "u-shape", "q": -1}],
)
def test_a_preference_that_cannot_be(wrong):
    with pytest.raises(StatisticsError):
        Preference(**wrong)


# ---- people: nobody twice


def test_two_areas_on_one_another_have_the_people_of_one():
    homes = homes_of([(150, 50), (550, 50), (5000, 0)], [50, 70, 900])
    ground = tasks_of([(0, 0, 100, 100), (0, 0, 100, 100)])
    found = priority.people_within(ground, homes)
    assert found.table["people_100_m"].tolist() == [50, 50]
    assert found.table["people_500_m"].tolist() == [120, 120]
    assert found.totals[["people_100_m", "people_500_m", "people_1000_m"]].tolist() == [50, 120, 120]
    one_task = ground.assign(id="T")
    assert priority.people_within(one_task, homes).table["people_500_m"].tolist() == [120]


def test_rings_against_a_loop_over_people_and_areas():
    rng = np.random.default_rng(6)
    boxes = [
        (x, y, x + w, y + h)
        for x, y, w, h in zip(
            *rng.uniform([[0], [0], [50], [50]], [[9000], [9000], [600], [600]], (4, 30)), strict=True
        )
    ]
    homes = homes_of(rng.uniform(0, 9000, (400, 2)), rng.integers(1, 90, 400))
    ground = tasks_of(boxes)
    found = priority.people_within(ground, homes)
    for distance in (100, 500, 1000):
        near = np.array([[h.distance(g) <= distance for h in homes.geometry] for g in ground.geometry])
        table = found.table.set_index("id").loc[ground["id"], f"people_{distance}_m"]
        assert (
            np.abs(table.to_numpy() - near @ homes["population"].to_numpy()).max() <= 90
        )  # a home on the line, plane against plane
        assert np.mean(table.to_numpy() == near @ homes["population"].to_numpy()) > 0.9
        assert found.totals[f"people_{distance}_m"] <= table.sum()
    rings = found.table[["people_100_m", "people_500_m", "people_1000_m"]].to_numpy()
    assert (np.diff(rings, axis=1) >= 0).all()


def test_people_of_areas_count_by_their_share_of_ground():
    block = gpd.GeoDataFrame({"population": [1000]}, geometry=[shapely.box(X + 100, Y, X + 300, Y + 100)], crs=UTM)
    ground = tasks_of([(0, 0, 100, 100)])
    found = priority.people_within(ground, block, distances_m=[0, 100, 200])
    corner = 2 * 0  # the block is level with the task: only the straight side reaches it
    assert found.table["people_0_m"].item() == pytest.approx(0, abs=0.1)
    assert found.table["people_100_m"].item() == pytest.approx(500 + corner, rel=2e-3)
    assert found.table["people_200_m"].item() == pytest.approx(1000, rel=2e-3)


def test_a_village_without_a_figure_widens_and_never_counts_as_nobody():
    homes = homes_of(
        [(150, 50), (160, 50), (170, 50)], [40, 400, None], type=["settlement", "settlement", "settlement"]
    )
    school = homes_of([(150, 60)], [None], type=["school"])
    both = pd.concat([homes, school], ignore_index=True)
    found = priority.people_within(tasks_of([(0, 0, 100, 100), None]), both)
    row = found.table.iloc[0]
    assert (row["people_100_m_low"], row["people_100_m"], row["people_100_m_high"]) == (440, 660, 840)
    assert found.unknown == 1
    assert found.table.iloc[1, 1:].isna().all()
    fixed = priority.people_within(tasks_of([(0, 0, 100, 100)]), both, unknown=(100, 200)).table.iloc[0]
    assert (fixed["people_100_m_low"], fixed["people_100_m_high"]) == (540, 640)


# ---- indicators


def _layers():
    places = gpd.GeoDataFrame(
        {"id": list("abcd"), "type": ["settlement", "school", "water", "settlement"], "population": [120, None, None, 80]},
        geometry=[shapely.Point(X + x, Y + 50) for x in (400, 300, 200, 3000)], crs=UTM,
    )  # fmt: skip
    landuse = gpd.GeoDataFrame(
        {"id": list("pqrst"), "use": ["arable", "arable", "pasture", "road", "orchard"]},
        geometry=[shapely.box(X, Y, X + 60, Y + 100), shapely.box(X + 40, Y, X + 80, Y + 100), shapely.box(X + 80, Y, X + 300, Y + 100),
                  shapely.LineString([(X - 500, Y + 120), (X + 500, Y + 120)]), shapely.box(X, Y - 90, X + 10, Y - 80)], crs=UTM,
    )  # fmt: skip
    accidents = gpd.GeoDataFrame(
        {"id": list("xyzw"), "date": pd.to_datetime(["2025-07-01", "2026-12-01", None, "2010-01-01"]), "killed": [1, 5, 0, 1], "injured": [2, 5, None, 1],
         "hazard_id": [None, None, "T1", "T0"]},
        geometry=[shapely.Point(X + 120, Y + 50), shapely.Point(X + 50, Y + 50), None, shapely.Point(X + 50, Y + 50)], crs=UTM,
    )  # fmt: skip
    return {"places": places, "landuse": landuse, "accidents": accidents}


def test_indicators_measure_what_they_say():
    ground = tasks_of(
        [(0, 0, 100, 100), (5000, 0, 5100, 100), None],
        evidence=["direct", "indirect", None],
        info_reliability=["2 possible", None, None],
    )
    found = priority.indicators(ground, _layers(), as_of=DAY)
    first = found.value.loc["T0"]
    assert first["arable_m2"] == pytest.approx(8000, rel=1e-3)  # fields that overlap count once
    assert first["pasture_m2"] == pytest.approx(2000, rel=1e-3)
    assert first["road_m"] == pytest.approx(100 + 2 * np.sqrt(50**2 - 20**2), rel=2e-3)
    assert (first["settlements"], first["schools"], first["water"]) == (1, 1, 1)
    assert first[["people_100_m", "people_500_m"]].tolist() == [0, 120]
    assert (first["accidents"], first["victims"]) == (1, 3)  # not the later one, not the old one
    assert first["evidence"] == pytest.approx(0.8)
    second = found.value.loc["T1"]
    assert (second["settlements"], second["arable_m2"], second["evidence"]) == (0, 0, 0.5)
    assert (found.low.loc["T1", "accidents"], found.high.loc["T1", "accidents"]) == (0, 1)  # linked, no date
    assert found.high.loc["T1", "victims"] >= found.value.loc["T1", "victims"] >= 1
    nowhere = found.value.loc["T2"]
    assert nowhere.isna().all()
    assert found.low.loc["T2", "accidents"] == 0 < found.high.loc["T2", "accidents"]


def test_a_missing_layer_is_unknown_not_zero_and_rows_may_come_in_any_order():
    ground = tasks_of([(0, 0, 100, 100), (200, 0, 300, 100)])
    bare = priority.indicators(ground, {}, as_of=DAY)
    assert bare.value.drop(columns="area_m2").isna().all().all()
    assert "unknown" in bare.notes["people_500_m"]
    layers = _layers()
    one = priority.indicators(ground, layers, as_of=DAY)
    two = priority.indicators(
        ground.iloc[::-1].to_crs(4326), {k: v.iloc[::-1].to_crs(4326) for k, v in layers.items()}, as_of=DAY
    )
    pd.testing.assert_frame_equal(one.value, two.value, rtol=1e-6)
    with pytest.raises(SchemaError, match="'id'"):
        priority.indicators(ground.drop(columns="id"), layers, as_of=DAY)


# ---- weighted sum


def _random(seed, tasks=40, blank=0.2):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        rng.lognormal(2, 1, (tasks, 4)), columns=list("abcd"), index=[f"T{k:02d}" for k in range(tasks)]
    )
    table = table.mask(rng.random(table.shape) < blank)
    rows = (
        Criterion("A", "a", 0.4),
        Criterion("B", "b", 0.3, scale="log"),
        Criterion("C", "c", 0.2, better="less"),
        Criterion("D", "d", 0.1),
    )
    return Indicators(table, table * 0.9, table * 1.2), Criteria(rows)


def test_scores_equal_the_sum_written_out():
    figures, rules = _random(1, blank=0.0)
    found = priority.rank(figures, rules).table.set_index("id")["score"]
    least, most = figures.low.min(), figures.high.max()
    for name, row in figures.value.iterrows():
        total = 0.4 * (row["a"] - least["a"]) / (most["a"] - least["a"])
        total += 0.3 * (np.log1p(row["b"]) - np.log1p(least["b"])) / (np.log1p(most["b"]) - np.log1p(least["b"]))
        total += 0.2 * (most["c"] - row["c"]) / (most["c"] - least["c"]) + 0.1 * (row["d"] - least["d"]) / (
            most["d"] - least["d"]
        )
        assert found[name] == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("method", priority.METHODS)
def test_intervals_hold_every_score_that_figures_within_them_can_give(method):
    figures, rules = _random(2, tasks=12)
    known = priority.rank(figures, rules, method=method)
    table = known.table.set_index("id")
    assert (table["score_low"] <= table["score"] + 1e-9).all()
    assert (table["score"] <= table["score_high"] + 1e-9).all()
    rng = np.random.default_rng(0)
    ends = (figures.low.min(), figures.high.max())
    fixed = tuple(Criterion(c.name, c.indicator, c.weight, c.better, c.scale, *((ends[0][c.indicator], ends[1][c.indicator])[:: 1 if c.better == "more" else -1]), preference=Preference("usual")) for c in rules.rows)  # fmt: skip
    rules = Criteria(fixed)
    table = priority.rank(figures, rules, method=method).table.set_index("id")
    for _ in range(40):
        share = rng.random(figures.value.shape)
        filled = figures.low + share * (figures.high - figures.low)
        filled = filled.where(filled.notna(), ends[0].to_numpy() + share * (ends[1] - ends[0]).to_numpy())
        score = priority.rank(Indicators.of(filled), rules, method=method).scores
        assert (score >= table["score_low"][score.index] - 1e-9).all()
        assert (score <= table["score_high"][score.index] + 1e-9).all()


def test_what_is_unknown_is_neither_zero_nor_silent():
    table = pd.DataFrame({"a": [0.0, 10.0, np.nan], "b": [5.0, 1.0, 3.0]}, index=["none", "many", "unknown"])
    found = priority.rank(
        Indicators.of(table), Criteria((Criterion("People", "a", 0.8), Criterion("Land", "b", 0.2)))
    ).table.set_index("id")
    assert found.loc["unknown", "unknown_weight"] == pytest.approx(0.8)
    assert found.loc["none", "score"] < found.loc["unknown", "score"] < found.loc["many", "score"]
    assert found.loc["unknown", ["score_low", "score_high"]].tolist() == pytest.approx([0.1, 0.9])
    assert "not known: people (weight 80%, ±0.40)" in found.loc["unknown", "words"]
    assert "land 3 (weight 20%) gives 0.10" in found.loc["unknown", "words"]


@QUICK
@given(st.integers(0, 10_000), st.sampled_from(priority.METHODS))
def test_a_worse_task_never_rises_and_order_does_not_matter(seed, method):
    figures, rules = _random(seed, tasks=8)
    first = priority.rank(figures, rules, method=method)
    mixed = figures.value.sample(frac=1, random_state=seed).index
    other = priority.rank(
        Indicators(figures.value.loc[mixed], figures.low.loc[mixed], figures.high.loc[mixed]), rules, method=method
    )
    pd.testing.assert_frame_equal(first.table, other.table)
    assert first.parts.notna().all().all()
    if method == "promethee":
        assert first.scores.sum() == pytest.approx(0, abs=1e-9)
    value = figures.value.copy()
    value.loc["T00"] = np.where(value.loc["T00"].notna(), value.min() * [0.99, 0.99, 1, 0.99], np.nan)
    value.loc["T00", "c"] = value["c"].max() * 1.01
    fixed = Criteria(
        tuple(Criterion(c.name, c.indicator, c.weight, c.better, preference=Preference("usual")) for c in rules.rows)
    )
    before, after = (
        priority.rank(Indicators.of(t), fixed, method="promethee").table.set_index("id")["rank"]["T00"]
        for t in (figures.value, value)
    )
    assert after >= before


def test_equal_tasks_stand_in_the_order_of_their_ids():
    table = pd.DataFrame({"a": [1.0] * 3}, index=["C", "A", "B"])
    assert priority.rank(Indicators.of(table), Criteria((Criterion("A", "a", 1),))).table["id"].tolist() == [
        "A",
        "B",
        "C",
    ]


# ---- stability


@pytest.mark.parametrize("method", priority.METHODS)
def test_no_doubt_no_change(method):
    figures, rules = _random(3, blank=0.0)
    exact = Indicators.of(figures.value)
    sure = Criteria(tuple(Criterion(c.name, c.indicator, c.weight, c.better, c.scale, error=0.0) for c in rules.rows))
    found = priority.stability(priority.rank(exact, sure, method=method), top=5, draws=20, concentration=np.inf)
    assert found.table["p_top"].tolist() == [1.0] * 5 + [0.0] * 35
    for name in ("rank_low", "rank_median", "rank_high"):
        assert (found.table[name] == found.table["rank"]).all()
    assert found.agreement == 1


@pytest.mark.parametrize("method", priority.METHODS)
def test_ranks_are_a_permutation_and_shares_add_up(method):
    figures, rules = _random(4)
    found = priority.stability(priority.rank(figures, rules, method=method), top=6, draws=200, seed=5)
    assert (np.sort(found.sampled, axis=1) == np.arange(1, 41)).all()
    assert found.table["p_top"].sum() == pytest.approx(6)
    assert found.table["p_top"].is_monotonic_decreasing or found.table["p_top"].corr(found.table["rank"]) < -0.6
    again = priority.stability(priority.rank(figures, rules, method=method), top=6, draws=200, seed=5)
    assert again.to_dict() == found.to_dict()
    wider = priority.stability(priority.rank(figures, rules, method=method), top=6, draws=200, seed=5, concentration=3)
    assert wider.agreement < found.agreement


def test_weights_vary_as_said():
    from geotools.analysis.priority.stability import _weights

    drawn = _weights(np.array([0.2, 0.5, 0.3, 0.0]), 50, 40_000, np.random.default_rng(1))
    assert drawn.sum(axis=1) == pytest.approx(1)
    assert drawn.mean(axis=0) == pytest.approx([0.2, 0.5, 0.3, 0], abs=0.002)
    assert drawn.std(axis=0) == pytest.approx(np.sqrt(np.array([0.16, 0.25, 0.21, 0]) / 51), abs=0.002)


@pytest.mark.parametrize("method", priority.METHODS)
def test_the_weight_that_swaps_two_tasks_swaps_them_and_a_smaller_change_does_not(method):
    figures, rules = _random(7)
    found = priority.rank(figures, rules, method=method)
    table = priority.swaps(found)
    assert len(table) == 39

    def difference(row, k, weight):
        weights = rules.weights * (1 - weight) / (1 - rules.weights[k])
        weights[k] = weight
        return (found.parts.loc[row.above].to_numpy() - found.parts.loc[row.below].to_numpy()) @ weights

    done = 0
    for row in table.itertuples():
        if not row.criterion:
            assert all(difference(row, k, w) >= -1e-12 for k in range(4) for w in np.linspace(0, 1, 41))
            continue
        k = rules.names.index(row.criterion)
        assert difference(row, k, row.needed) == pytest.approx(0, abs=1e-9)
        assert difference(row, k, row.needed - row.change * 0.01) >= -1e-9
        if 0.01 < row.needed < 0.99:
            assert difference(row, k, row.needed + np.sign(row.change) * 0.005) <= 1e-9
        pairs = priority.swap(found, row.above, row.below)
        assert pairs["change"].abs().min() == pytest.approx(abs(row.change))
        assert row.below in row.words
        done += 1
    assert done > 20


def test_a_list_not_longer_than_its_first_places_says_nothing_of_them():
    """That all of nine are among the first nine is no news; of the first eight it is."""
    figures, rules = _random(7)
    nine = Indicators(figures.value.head(9), figures.low.head(9), figures.high.head(9))
    found = priority.rank(nine, rules)
    assert priority.stability(found, top=9, draws=20).words == ""
    assert "of the first 8 are there in at least nine tenths" in priority.stability(found, top=8, draws=20).words


def test_a_weight_that_would_have_to_leave_its_range_is_no_way_to_swap():
    """A and B differ in one criterion only: they tie at its weight 0, and no weight is below it; no threshold is -0."""
    figures = Indicators.of(pd.DataFrame({"people": [900.0, 10.0], "roads": [5.0, 5.0]}, index=["A", "B"]))
    both = Criteria((Criterion("People", "people", 0.7), Criterion("Roads", "roads", 0.3)))
    table = priority.swaps(priority.rank(figures, both))
    assert table["needed"].isna().all() and table["words"].tolist() == ["no change of a single weight puts B before A"]
    assert priority.swap(priority.rank(figures, both), "A", "B")["needed"].isna().all()


def test_broken_calls():
    figures, rules = _random(1)
    with pytest.raises(SchemaError, match="twice"):
        Indicators.of(pd.DataFrame({"a": [1, 2]}, index=["T", "T"]))
    found = priority.rank(figures, rules)
    for wrong in ({"draws": 2}, {"top": 0}, {"concentration": 0}):
        with pytest.raises(StatisticsError):
            priority.stability(found, **wrong)
    with pytest.raises(StatisticsError, match="not in the list"):
        priority.swap(found, "T00", "nobody")
    with pytest.raises(StatisticsError, match="not a way"):
        priority.rank(figures, rules, method="guess")
    with pytest.raises(StatisticsError, match="no task"):
        priority.rank(Indicators.of(figures.value.iloc[:0]), rules)
    with pytest.raises(SchemaError, match="no indicator 'z'"):
        priority.rank(figures, Criteria((Criterion("Z", "z", 1),)))


# ---- criteria as data


@pytest.mark.parametrize("name", ["example", "people"])
def test_presets_say_that_no_authority_set_them(name):
    assert name in priority.presets()
    assert "UNVERIFIED" in priority.criteria(name).words


def test_criteria_from_a_file_with_judgements(tmp_path):
    file = tmp_path / "criteria.toml"
    file.write_text(
        'title = "District"\nsource = "meeting of 3 May"\nverified = true\n[ahp]\njudgements = [["People", "Land", 3]]\n'
        '[[criterion]]\nname = "People"\nindicator = "people_500_m"\n[[criterion]]\nname = "Land"\nindicator = "arable_m2"\npreference = "linear"\nq = 10\np = 100\n',
        "utf-8",
    )
    found = priority.criteria(file)
    assert found.weights.tolist() == pytest.approx([0.75, 0.25])
    assert found.rows[1].preference == Preference("linear", q=10, p=100)
    assert "UNVERIFIED" not in found.words
    assert "consistency ratio 0.000" in found.words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no [[criterion]]"),
        ("[[criterion]]\nname = 'A'", "no indicator"),
        ("[[criterion]]\nname = 'A'\nindicator = 'a'\nweigth = 2", "unknown entry 'weigth'"),
        ("[[criterion]]\nname = 'A'\nindicator = 'a'\nweight = 'x'", "not a number"),
        ("[[criterion]]\nname = 'A'\nindicator = 'a'\nweight = -1", "not negative"),
        ("[[criterion]]\nname = 'A'\nindicator = 'a'\nweight = 0", "weight above 0"),
        ("[[criterion]]\nname = 'A'\nindicator = 'a'\nbetter = 'big'", "more or less"),
        ("[[criterion]]\nname = 'A'\nindicator = 'a'\n[[criterion]]\nname = 'A'\nindicator = 'b'", "same name"),
        ("[ahp]\njudgements = [['A', 'B', 3]]\n[[criterion]]\nname = 'A'\nindicator = 'a'", "not both"),
        ("[ahp]\njudgements = [['A', 3]]\n[[criterion]]\nname = 'A'\nindicator = 'a'", "needs judgements"),
    ],
)
def test_criteria_that_cannot_be(text, said, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SchemaError) as caught:
        priority.criteria(file)
    assert said in caught.value.message
    assert caught.value.file == str(file)


def test_no_such_criteria(tmp_path):
    with pytest.raises(SchemaError, match="no preset 'none'"):
        priority.criteria("none")
    with pytest.raises(ReadError):
        priority.criteria(tmp_path / "c.toml")


# ---- the score of an impact survey

YES = {"mines": 1, "uxo": 1, "victims": 3} | dict.fromkeys(
    ("cropland", "pasture", "drinking_water", "other_water", "housing", "roads", "other_infrastructure", "forest", "services", "other"), 1
)  # fmt: skip


def test_the_impact_score_adds_up_and_says_that_it_is_unverified():
    found = priority.lis(pd.DataFrame([YES, dict.fromkeys(YES, 0)]))
    assert found["score_low"].tolist() == found["score_high"].tolist() == [2 + 1 + 10 + 6, 0]
    assert found["class_low"].tolist() == ["high", "none"]
    assert found["note"].str.contains("UNVERIFIED").all()


@pytest.mark.parametrize("name", sorted(YES))
def test_the_impact_score_rises_with_every_answer_and_unknown_lies_between(name):
    base = dict.fromkeys(YES, 0)
    rows = pd.DataFrame([base, base | {name: 1}, base | {name: None}]).astype(float)
    found = priority.lis(rows)
    assert found["score_low"].iloc[1] > found["score_low"].iloc[0] == found["score_low"].iloc[2]
    assert found["score_high"].iloc[2] >= found["score_high"].iloc[1]


def test_blocked_access_weighs_ten_and_answers_are_yes_or_no():
    own = {"blocked": {"cropland": 10.0}}
    assert (
        priority.lis(pd.DataFrame({"mines": [1], "uxo": [0], "cropland": [1], "victims": [0]}), weights=own)[
            "score_high"
        ].item()
        == 12
    )
    with pytest.raises(SchemaError, match="not 10"):
        priority.lis(pd.DataFrame(), weights={"blocked": {"cropland": 9.0}})
    with pytest.raises(SchemaError, match="0 or 1"):
        priority.lis(pd.DataFrame({"mines": [2]}))


def test_answers_from_records_leave_open_what_they_do_not_hold():
    ground = tasks_of([(0, 0, 100, 100), None])
    figures = priority.indicators(ground, _layers(), as_of=DAY)
    answers = priority.answers_from(figures, pd.Series({"T0": "ap,uxo", "T1": "unknown"}))
    assert answers.loc["T0", ["mines", "uxo", "cropland", "drinking_water", "victims"]].tolist() == [1, 1, 1, 1, 3]
    assert answers.loc["T1", ["mines", "uxo", "cropland", "victims"]].isna().all()
    assert "other" not in answers


# ---- pictures


@pytest.mark.parametrize("method", ["sum", pytest.param("promethee", marks=pytest.mark.slow)])
def test_charts_are_the_same_bytes_and_take_hostile_names(method, tmp_path):
    figures, rules = _random(5, tasks=12)
    names = [f"$x_{{{k}}}$ <b>&\u202e=1+1" for k in range(12)]
    renamed = Indicators(*(f.set_axis(names) for f in (figures.value, figures.low, figures.high)))
    found = priority.rank(renamed, rules, method=method)
    firm = priority.stability(found, top=3, draws=20)
    for turn in ("a", "b"):
        save({"parts": priority.contributions(found), "ranks": priority.rank_intervals(firm)}, tmp_path / turn)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    assert "UNVERIFIED" in (tmp_path / "a" / "parts.svg").read_text("utf-8")


@pytest.mark.parametrize("method", ["sum", "promethee"])
def test_nothing_known_is_no_order_and_one_figure_makes_one(method):
    blank = pd.DataFrame({"people": [np.nan] * 3, "roads": [np.nan] * 3}, index=["b", "a", "c"])
    both = Criteria(
        (Criterion("People", "people", 0.7), Criterion("Roads", "roads", 0.3), Criterion("Idle", "roads", 0.0))
    )
    found = priority.rank(Indicators.of(blank), both, method=method)
    assert found.unranked.startswith("not ranked") and "(People, Roads)" in found.unranked
    assert found.table["id"].tolist() == ["a", "b", "c"]
    assert found.table[["rank", "score"]].isna().all().all()
    assert (found.table["score_high"] > found.table["score_low"]).all(), "any score is possible"
    firm = priority.stability(found, draws=20)
    assert firm.words == found.unranked and firm.swaps.empty
    assert "words" in firm.swaps
    assert firm.table[["p_top", "rank", "rank_median"]].isna().all().all()
    for chart in (priority.contributions(found), priority.rank_intervals(firm)):
        assert any("not ranked" in text.get_text() for text in chart.texts)
        assert [label.get_text() for label in chart.axes[0].get_yticklabels()] == ["a", "b", "c"]
    for told in (found.to_dict(), firm.to_dict()):
        assert "NaN" not in json.dumps(told, allow_nan=False)
    blank.loc["c", "people"] = 10.0
    known = priority.rank(Indicators.of(blank), both, method=method)
    assert not known.unranked and known.table["rank"].tolist() == [1, 2, 3]
