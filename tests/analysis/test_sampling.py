"""Sampling: exact sizes against integer arithmetic, simulated confidence, the ISO table, drawn plans and lot decisions."""

import re
from fractions import Fraction
from math import comb

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from geotools.analysis import sampling
from geotools.model.errors import StatisticsError

CASES = [*[(n, d, c) for n in (1, 7, 30, 100, 365, 1000, 5000) for d in (1, 2, 3, 5, 10) for c in ("0.8", "0.9", "0.95") if d <= n][:96:2],
    (1000, 1, "0.9"), (1000, 1, "0.95"), (20, 1, "0.95"), (10, 1, "0.9"), (12000, 40, "0.99"), (50, 49, "0.95"),
]  # fmt: skip


def brute(units, held, confidence):
    allowed = 1 - Fraction(confidence)

    def enough(n):
        return Fraction(comb(units - held, n), comb(units, n)) <= allowed

    guess = sampling.accept_zero_n(units, held, float(confidence))  # the law falls with n: two neighbours decide
    if units > 1000:
        return guess if enough(guess) and not enough(guess - 1) else -1
    return next(n for n in range(1, units + 1) if enough(n))


def test_sizes_equal_exact_integer_arithmetic():
    assert len(CASES) >= 50
    for units, held, confidence in CASES:
        assert sampling.accept_zero_n(units, held, float(confidence)) == brute(units, held, confidence), (
            units,
            held,
            confidence,
        )


@pytest.mark.parametrize(("held", "shares"), [(1, (80, 90, 95)), (3, (41.5, 53.6, 63)), (10, (15, 20.6, 26))])
def test_reality_check_of_small_samples(held, shares):
    for units in (1000, 5000):
        sizes = [sampling.accept_zero_n(units, held, c) for c in (0.8, 0.9, 0.95)]
        assert [100 * n / units for n in sizes] == pytest.approx(shares, abs=0.6)


def test_miss_probability_equals_scipy():
    for units, sample, held in [(50, 10, 3), (1000, 205, 10), (9, 9, 2), (400, 0, 5), (400, 17, 0), (30, 20, 15)]:
        assert sampling.miss_probability(units, sample, held) == pytest.approx(
            hypergeom.pmf(0, units, held, sample), abs=1e-12
        )
    q = 0.7
    sums = sum(hypergeom.pmf(j, 80, 6, 20) * (1 - q) ** j for j in range(7))
    assert sampling.miss_probability(80, 20, 6, sensitivity=q) == pytest.approx(sums)


@given(st.integers(1, 300), st.integers(1, 12), st.floats(0.5, 0.99), st.floats(0.3, 1))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_size_grows_with_confidence_and_falls_with_sensitivity(units, held, confidence, sensitivity):
    held = min(held, units)
    size = sampling.accept_zero_n(units, held, confidence, sensitivity=sensitivity)
    assert sampling.accept_zero_n(units, held, confidence) <= size <= units
    assert sampling.accept_zero_n(units, held, min(0.995, confidence + 0.004), sensitivity=sensitivity) >= size


def test_iso_letters_and_sizes():
    table = [(2, "A", 2), (9, "B", 3), (16, "C", 5), (26, "D", 8), (51, "E", 13), (91, "F", 20), (151, "G", 32), (281, "H", 50), (501, "J", 80),
             (1201, "K", 125), (3201, "L", 200), (10001, "M", 315), (35001, "N", 500), (150001, "P", 800), (500001, "Q", 1250)]  # fmt: skip
    rule = sampling.Iso2859()
    for (lot, letter, size), following in zip(table, [*table[1:], (10**7, "", 0)], strict=True):
        assert (rule.letter(lot), rule.size(lot)) == (letter, size)
        assert rule.letter(following[0] - 1) == letter


def lot(width=60, height=40):
    shape = shapely.box(0, 0, width, height).difference(shapely.Point(20, 20).buffer(6))
    return gpd.GeoDataFrame(
        {"id": ["lot"]},
        geometry=[shapely.transform(shape, lambda c: c + np.array([700000, 4380000]))],
        crs="EPSG:32638",
    )


def found_share(plan, spots_of, runs, seed):
    """Share of simulated lots in which the plan's rule, redrawn with a new seed, meets a remaining item."""
    rng = np.random.default_rng(seed)
    everything = sampling.plan(lot(), sampling.Share(1.0), unit_m=plan["unit_m"])
    ids = everything.cells["id"].to_numpy()
    xy = np.array([[int(v) for v in re.match(r"R(\d+)C(\d+)", i).groups()] for i in ids])
    hits = 0
    for run in range(runs):
        chosen = set(
            sampling.plan(lot(), plan["rule"], unit_m=plan["unit_m"], strata=plan.get("strata"), seed=run).cells["id"]
        )
        hits += bool(chosen & set(ids[spots_of(xy, rng)]))
    return hits / runs


@pytest.mark.parametrize("runs", [25, pytest.param(300, marks=pytest.mark.slow)])
def test_simulated_confidence_for_scattered_and_clustered_items(runs):
    rule = sampling.AcceptZero(remaining=5, confidence=0.9)
    setup = {"rule": rule, "unit_m": 3.0}

    def scattered(xy, rng):
        return rng.choice(len(xy), 5, replace=False)

    def clustered(xy, rng):
        return np.argsort(np.abs(xy - xy[rng.integers(len(xy))]).sum(axis=1), kind="stable")[:5]

    near = gpd.GeoDataFrame(
        {"stratum": ["near finds"], "weight": [3.0]},
        geometry=[shapely.box(700000, 4380000, 700015, 4380040)],
        crs="EPSG:32638",
    )
    tolerance = 3 * np.sqrt(0.09 / runs)
    for spots in (scattered, clustered):
        assert found_share(setup, spots, runs, 1) >= 0.9 - tolerance
        assert found_share({**setup, "strata": near}, spots, runs, 2) >= 0.9 - tolerance


@given(st.lists(st.tuples(st.integers(2, 12), st.integers(0, 12)), min_size=1, max_size=3), st.integers(1, 6))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_worst_spread_equals_brute_force(strata, held):
    units = [u for u, _ in strata]
    samples = [min(u, s) for u, s in strata]
    if held > sum(units):
        return
    spreads = np.array(np.meshgrid(*[range(min(held, u) + 1) for u in units])).reshape(len(units), -1).T
    worst = max(
        np.prod([hypergeom.pmf(0, u, int(d), s) for u, d, s in zip(units, spread, samples, strict=True)])
        for spread in spreads if spread.sum() == held
    )  # fmt: skip
    assert sampling.worst_miss(units, samples, held) == pytest.approx(worst, abs=1e-9)


def test_cells_lie_in_the_lot_without_overlap_and_all_cells_fill_it():
    whole = sampling.plan(lot(), sampling.Share(1.0), unit_m=3.0)
    assert whole.cells["area_m2"].sum() == pytest.approx(whole.area_m2, rel=1e-6)
    assert (
        whole.cells.to_crs(32638).union_all().symmetric_difference(lot().union_all()).area < 0.3
    )  # a millimetre along the edge
    part = sampling.plan(lot(), sampling.AcceptZero(5, 0.9), unit_m=1.0, seed=4)
    assert part.cells["id"].is_unique
    assert part.sample == len(part.cells) == part.strata["sample"].sum()
    assert part.cells["mgrs"].str.len().eq(15).all()
    assert part.shown >= 0.9


def test_a_lot_of_scattered_parts_counts_only_what_lies_inside():
    """A lot in four places kilometres apart: its box would hold 400 million units, its ground holds 10,000."""
    corners = [(700000 + 7000 * n, 4380000 + 6000 * n) for n in range(4)]
    parts = gpd.GeoSeries([shapely.box(x, y, x + 50, y + 50) for x, y in corners], crs="EPSG:32638")
    drawn = sampling.plan(parts, sampling.AcceptZero(20, 0.9))
    assert 10_000 <= drawn.units <= 11_000  # cells cut by an edge count as units of their own
    assert f"of {drawn.units:,} units" in drawn.words
    everything = sampling.plan(parts, sampling.Share(1.0), unit_m=5.0)
    assert everything.cells["area_m2"].sum() == pytest.approx(everything.area_m2, rel=1e-6)
    assert len(everything.cells) == everything.units
    with pytest.raises(StatisticsError, match=r"about [\d,]+ units of 0.01 m"):
        sampling.plan(parts, unit_m=0.01)


def test_same_seed_same_sample_whatever_the_row_order():
    parts = gpd.GeoDataFrame(
        {"id": ["a", "b"]},
        geometry=[shapely.box(700000, 4380000, 700020, 4380040), shapely.box(700020, 4380000, 700060, 4380040)],
        crs="EPSG:32638",
    )
    one = sampling.plan(parts, sampling.Share(0.1), seed=9)
    two = sampling.plan(parts.iloc[::-1], sampling.Share(0.1), seed=9)
    other = sampling.plan(parts, sampling.Share(0.1), seed=10)
    assert one.cells["id"].tolist() == two.cells["id"].tolist() != other.cells["id"].tolist()


def test_blocks_are_sized_for_items_that_lie_together():
    cells = sampling.plan(lot(), sampling.AcceptZero(5, 0.9), unit_m=1.0)
    blocks = sampling.plan(lot(), sampling.AcceptZero(5, 0.9), unit_m=1.0, block_m=5.0)
    assert blocks.held == 1
    assert blocks.cells["area_m2"].sum() > cells.cells["area_m2"].sum()
    assert blocks.sample == sampling.accept_zero_n(blocks.units, 1, 0.9)


def test_every_stratum_is_sampled_at_least_like_the_rest():
    finds = gpd.GeoSeries([shapely.Point(700030, 4380020)], crs="EPSG:32638")
    strata = sampling.strata_near({"near finds": (finds, 8.0, 4.0), "boundary": (lot().boundary, 2.0, 2.0)})
    drawn = sampling.plan(lot(), sampling.AcceptZero(10, 0.9), strata=strata, seed=2)
    table = drawn.strata.set_index("stratum")
    assert table.loc["near finds", "share"] > table.loc["boundary", "share"] > table.loc["rest", "share"]
    with pytest.raises(StatisticsError):
        sampling.plan(lot(), strata=strata.assign(weight=0.5))


def test_lot_decisions():
    drawn = sampling.plan(lot(), sampling.AcceptZero(10, 0.9), unit_m=2.0, seed=1)
    good = drawn.cells[["id", "geometry"]].assign(result="passed", depth_cm=20.0)
    accepted = sampling.judge(drawn, good, required_depth_cm=15)
    assert (accepted.status, len(accepted.again), accepted.shown) == ("accepted", 0, drawn.shown)
    bad = good.copy()
    bad.loc[3, "result"] = "failed"
    rejected = sampling.judge(drawn, bad)
    assert rejected.status == "rejected"
    assert rejected.again["area_m2"].sum() == pytest.approx(drawn.area_m2)
    shallow = sampling.judge(drawn, good.assign(depth_cm=[10.0] + [20.0] * (len(good) - 1)), required_depth_cm=15)
    assert shallow.status == "incomplete"
    assert len(shallow.again) == 1
    assert set(shallow.issues["check"]) == {"SM-02"}
    assert shallow.shown < drawn.shown
    elsewhere = gpd.GeoDataFrame({"id": ["x"], "result": ["failed"]}, geometry=[shapely.Point(0, 0)], crs="EPSG:4326")
    assert sampling.judge(drawn, pd.concat([good.to_crs(4326), elsewhere])).status == "rejected"
    placed = good.assign(
        id=[f"q{n}" for n in range(len(good))], geometry=good.to_crs(32638).representative_point().to_crs(4326)
    )
    assert sampling.judge(drawn, placed).status == "accepted"


def test_no_text_calls_land_safe():
    drawn = sampling.plan(lot(), unit_m=2.0)
    decision = sampling.judge(drawn, drawn.cells[["id", "geometry"]].assign(result="passed"))
    text = (
        f"{drawn.words} {sampling.in_words(1000, 80)} {drawn.to_dict()} {decision.reason} {decision.to_dict()}".lower()
    )
    assert not re.search(r"\bsafe\b|\bfree of\b|\bclear of\b", text)
    assert "needs 90.1 % of the area" in drawn.words  # 571 of 634 units, rounded up


@pytest.mark.parametrize(
    "call",
    [
        lambda: sampling.AcceptZero(0),
        lambda: sampling.AcceptZero(1, 1.0),
        lambda: sampling.Share(0),
        lambda: sampling.plan(shapely.Polygon()),
        lambda: sampling.Iso2859().size(0),
    ],
)
def test_impossible_requests_are_refused(call):
    with pytest.raises(StatisticsError):
        call()
