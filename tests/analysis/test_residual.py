"""Residual risk: closed forms to six digits, calibration on simulated campaigns, best allocation, and one-sided errors."""

import re
from itertools import product

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, nbinom

from geotools.analysis import residual
from geotools.analysis.residual import account
from geotools.model.errors import StatisticsError
from geotools.space.grid import Grid, Raster

GRID = Grid(700000.0, 4380020.0, 1.0, (20, 20), "EPSG:32638")


def search(counts, found=90, targets=100, **more):
    return residual.Search(
        more.pop("name", "manual"), Raster(np.asarray(counts, dtype=int), GRID), found, targets, **more
    )


def even(items=10.0):
    return Raster(np.full(GRID.shape, items / 400), GRID)


# ---- closed forms -----------------------------------------------------------------------------------------------


def test_detection_laws():
    coverage = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0]
    assert residual.random_search(coverage) == pytest.approx(
        [0.2212, 0.3935, 0.5276, 0.6321, 0.7769, 0.8647, 0.9502], abs=5e-5
    )
    assert residual.inverse_cube(coverage) == pytest.approx(
        [0.2460, 0.4691, 0.6528, 0.7899, 0.9399, 0.9878, 0.9998], abs=5e-5
    )


def test_misses_of_independent_and_correlated_passes():
    assert residual.miss(0.8, [1, 2, 3, 4]) == pytest.approx([0.2, 0.04, 0.008, 0.0016], abs=1e-9)
    assert residual.beta_shape(0.8, 0.15) == pytest.approx((4.8889, 1.2222), abs=5e-5)
    assert residual.miss(0.8, [1, 2, 3, 4], sd=0.15) == pytest.approx([0.2, 0.0625, 0.024829, 0.011506], abs=5e-7)
    a, b = residual.beta_shape(0.8, 0.15)
    for n in (1, 2, 3, 7):
        integral = quad(lambda p, n=n: (1 - p) ** n * beta.pdf(p, a, b), 0, 1)[0]
        assert residual.miss(0.8, n, sd=0.15) == pytest.approx(integral, abs=1e-6)


def test_posteriors_and_counts_left():
    q = [0.1, 0.01, 0.001]
    assert residual.posterior(0.5, q) == pytest.approx([0.090909, 0.009901, 0.000999], abs=5e-7)
    assert residual.posterior(0.05, q) == pytest.approx([0.005236, 0.000526, 0.000053], abs=5e-7)
    assert (residual.expected_left(20, 0.9), residual.expected_left(20, 0.99)) == pytest.approx(
        (2.3333, 0.2121), abs=5e-5
    )
    assert (residual.probability_none(20, 0.9), residual.probability_none(20, 0.99)) == pytest.approx(
        (0.1094, 0.8097), abs=5e-5
    )
    assert residual.expected_left(20, 0.9) == pytest.approx(nbinom(21, 0.9).mean())


@given(st.floats(0.05, 0.98), st.floats(0.01, 0.9), st.integers(1, 12))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_correlation_never_flatters(pod, share, n):
    sd = share * np.sqrt(pod * (1 - pod))
    assert residual.miss(pod, n, sd=sd) >= residual.miss(pod, n) - 1e-9
    assert residual.miss(pod, n + 1, sd=sd) <= residual.miss(pod, n, sd=sd)


# ---- allocation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effort", "expected", "success", "uniform"),
    [(1.0, (0.7554, 0.2446, 0, 0), 0.3302, 0.2212), (4.0, (1.9049, 1.3941, 0.7010, 0), 0.7268, 0.6321)],
)
def test_published_allocation(effort, expected, success, uniform):
    pi = np.array([0.5, 0.3, 0.15, 0.05])
    z = residual.allocate(pi, 1.0, effort)
    assert z == pytest.approx(expected, abs=5e-5)
    assert (pi * (1 - np.exp(-z))).sum() == pytest.approx(success, abs=5e-5)
    assert (pi * (1 - np.exp(-effort / 4))).sum() == pytest.approx(uniform, abs=5e-5)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 4), st.floats(0.2, 5)), min_size=1, max_size=8),
    st.floats(0.01, 20),
    st.integers(0, 99),
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_no_other_division_beats_the_allocation(places, effort, seed):
    pi, b, c = np.array(places).T
    z = residual.allocate(pi, b, effort, cost=c)

    def success(spent):
        return (pi * -np.expm1(-b * spent)).sum()

    assert (z >= 0).all()
    if pi.sum() > 0:
        assert (c * z).sum() == pytest.approx(effort)
    rng = np.random.default_rng(seed)
    uniform = np.full(len(pi), effort / c.sum())
    for other in [uniform, *(rng.dirichlet(np.ones(len(pi)), 20) * effort / c)]:
        assert success(z) >= success(other) - 1e-9


# ---- the ledger -------------------------------------------------------------------------------------------------


def test_many_lane_targets_give_the_closed_form():
    result = residual.ledger(even(), [search(np.ones(GRID.shape), 900_000, 1_000_000)], found=20)
    assert result.left == pytest.approx(2.3333, abs=2e-3)
    assert result.none == pytest.approx(0.1094, abs=5e-4)
    law = nbinom(21, 0.9)
    runs = [(b - a, a, b) for a in range(9) for b in range(a, 9) if law.cdf(b) - law.cdf(a - 1) >= 0.9]
    assert result.high - result.low == min(runs)[0]
    assert result.held == pytest.approx(law.cdf(result.high) - law.cdf(result.low - 1), abs=1e-3)
    assert result.held >= 0.9
    assert result.at_most == int(law.ppf(0.95))


def test_cells_add_up_and_drivers_add_up():
    counts = np.zeros(GRID.shape)
    counts[:10], counts[:5] = 1, 2
    result = residual.ledger(even(), [search(counts, sd=0.1, reach=0.9)], found=3, items_sd=8)
    assert result.expected.values.sum() == pytest.approx(result.left)
    assert result.drivers["expected_left"].sum() == pytest.approx(result.left)
    assert result.drivers["area_m2"].sum() == pytest.approx(400)
    assert (result.drivers["too_deep"] + result.drivers["missed"]).to_numpy() == pytest.approx(
        result.drivers["expected_left"].to_numpy()
    )
    assert result.drivers["group"].iloc[0] == "not searched"
    assert result.searched_share == pytest.approx(0.5)
    assert result.left_independent <= result.left
    assert ((result.probability.values >= 0) & (result.probability.values <= 1)).all()


def test_more_search_never_raises_and_nothing_searched_lowers_nothing():
    nothing = residual.ledger(even(), [search(np.zeros(GRID.shape))])
    assert nothing.left == pytest.approx(10)
    before = np.inf
    for n in range(5):
        result = residual.ledger(even(), [search(np.full(GRID.shape, n), sd=0.15, reach=0.95)])
        assert result.left <= before + 1e-12
        before = result.left
    assert before >= 10 * 0.05  # what no search reaches stays


def test_nothing_searched_at_all():
    result = residual.ledger(even(), [])
    assert result.left == pytest.approx(10)
    assert result.searched_share == 0
    assert result.low < 10 < result.high


def test_a_perfect_lane_record_is_not_certainty():
    result = residual.ledger(even(), [search(np.ones(GRID.shape), 16, 16)])
    assert result.left > 0.2
    assert result.high >= 1


def test_depth_reached_by_another_search_counts_only_there():
    ones = np.ones(GRID.shape)
    shallow = search(ones, 10**6, 10**6 + 1, reach=0.6)
    deep = search(ones, 800_000, 1_000_000, name="deep", reach=0.9)
    result = residual.ledger(even(), [shallow, deep])
    # by hand: 60 % seen by both, 30 % by the deep search only, 10 % by none
    assert result.left == pytest.approx(10 * (0.0 + 0.3 * 0.2 + 0.1), abs=2e-2)


def campaign(rng, items_mean, items_sd):
    """Items, lanes and searches drawn from the model's own assumptions; the interval, what it claims, and the truth."""
    pod = rng.beta(30, 4)
    sd = 0.12 if pod * (1 - pod) > 0.02 else 0.0
    targets = 80
    lanes = rng.binomial(targets, pod)
    counts = rng.integers(0, 3, GRID.shape)
    items = rng.poisson(rng.gamma((items_mean / items_sd) ** 2, items_sd**2 / items_mean))
    rows, columns = rng.integers(0, 20, (2, items))
    a, b = residual.beta_shape(pod, sd) if sd else (np.inf, np.inf)
    each = rng.beta(a, b, items) if sd else np.full(items, pod)
    missed = rng.random(items) < (1 - each) ** counts[rows, columns]
    result = residual.ledger(
        even(items_mean),
        [search(counts, int(lanes), targets, sd=sd)],
        found=int((~missed).sum()),
        items_sd=items_sd,
        seed=1,
    )
    left = missed.sum()
    return result.low <= left <= result.high, result.held, left <= result.at_most, result.left, left


LEFT = {8: 3, 21: 8, 40: 15, 120: 46, 300: 116}  # expected items before the searches → left after them, about


@pytest.mark.parametrize("items", LEFT)
@pytest.mark.parametrize("runs", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_calibrated_on_simulated_campaigns(items, runs):
    """90 % ± 3 at few and at many items: what the interval claims for itself always, how often it held the truth within chance."""
    rng = np.random.default_rng(21)
    inside, held, within, expected, truth = np.array(
        [campaign(rng, float(items), items / 2) for _ in range(runs)], dtype=float
    ).T
    assert held.min() >= 0.90 - 1e-9
    assert held.mean() <= 0.93
    if runs > 100:  # a frequency of 25 says nothing
        noise = 2 * np.sqrt(0.09 / runs)
        assert 0.90 - noise <= inside.mean() <= 0.93 + noise
        assert within.mean() >= 0.95 - noise
        assert expected.sum() / truth.sum() == pytest.approx(1, abs=0.12)


@given(st.floats(0.3, 60), st.floats(0.02, 0.98), st.floats(0.5, 0.99))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_interval_is_the_shortest_that_holds_enough(size, p, confidence):
    law = nbinom(size, p)
    low, high = account._shortest(law.cdf, confidence)
    assert law.cdf(high) - law.cdf(low - 1) >= confidence - 1e-9
    if law.ppf(1 - confidence) < account.STARTS:
        starts = np.arange(int(law.ppf(1 - confidence)) + 1)
        ends = law.ppf(np.minimum(law.cdf(starts - 1) + confidence, 1 - 1e-9))
        assert high - low <= (ends - starts).min() + 1e-9


def test_next_actions_are_real_reductions_in_order():
    counts = np.zeros(GRID.shape)
    counts[:10] = 1
    result = residual.ledger(even(), [search(counts, sd=0.1)])
    options = [residual.Option("manual", 90, 100, cost_m2=3.0, sd=0.1), residual.Option("dogs", 70, 100, cost_m2=1.0)]
    table = residual.next_actions(result, options)
    assert len(table) == 4
    assert table["lowers_by_per_cost"].is_monotonic_decreasing
    assert (table["lowers_by"] > 0).all()
    first = table.iloc[0]
    assert first["group"] == "not searched"
    again = table[(table["option"] == "manual") & (table["group"] == "manual × 1")].iloc[0]
    done = residual.ledger(even(), [search(np.where(counts == 1, 2, 0), sd=0.1)])
    assert again["after"] == pytest.approx(done.drivers.set_index("group").loc["manual × 2", "expected_left"], rel=0.1)
    money = residual.spend(result, options[0], 500.0)
    assert money["cost"].sum() == pytest.approx(500)
    assert (money["after"] <= money["expected_left"]).all()


# ---- ground -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [0.5, 1.3])
def test_only_cells_wholly_searched_count(cell):
    rng = np.random.default_rng(22)
    shapes = [
        shapely.Point(*rng.uniform((700003, 4380003), (700017, 4380017))).buffer(rng.uniform(1, 5)) for _ in range(5)
    ]
    layer = gpd.GeoSeries(shapes, crs="EPSG:32638")
    grid = Grid.around((700000, 4380000, 700020, 4380020), cell, "EPSG:32638")
    counts = residual.passes(layer, grid).values
    joined = shapely.union_all(shapes).buffer(1e-5)
    for row, column in product(range(grid.shape[0]), range(grid.shape[1])):
        west, north = grid.west + column * cell, grid.north - row * cell
        box = shapely.box(west, north - cell, west + cell, north)
        assert (counts[row, column] > 0) <= joined.covers(box)
        assert counts[row, column] <= max(1, sum(shape.buffer(1e-5).covers(box) for shape in shapes))


def test_touching_blocks_leave_no_seam_and_overlaps_count_twice():
    grid = Grid.around((700000, 4380000, 700020, 4380010), 1.0, "EPSG:32638")
    blocks = gpd.GeoSeries(
        [shapely.box(700000, 4380000, 700010.5, 4380010), shapely.box(700010.5, 4380000, 700020, 4380010)],
        crs="EPSG:32638",
    )
    assert (residual.passes(blocks, grid).values == 1).all()
    double = gpd.GeoSeries([shapely.box(700000, 4380000, 700020, 4380010)] * 2, crs="EPSG:32638")
    assert residual.passes(double, grid).values[3:7, 3:17].min() == 2


def test_the_prior_adds_up_and_follows_evidence():
    task = gpd.GeoSeries([shapely.box(700000, 4380000, 700040, 4380030)], crs="EPSG:32638")
    grid = residual.task_grid(task, 1.0)
    finds = gpd.GeoSeries([shapely.Point(700010, 4380010)], crs="EPSG:32638")
    surface = residual.prior(task, grid, items=7, evidence={"finds": (finds, 2.0, 3.0)}).values
    assert surface.sum() == pytest.approx(7)
    near = np.unravel_index(surface.argmax(), surface.shape)
    assert surface.max() > 5 * np.median(surface[surface > 0])
    assert abs(near[1] - 10) <= 2
    assert surface[surface > 0].min() > 0
    with pytest.raises(StatisticsError):
        residual.prior(task, grid, items=7, base=0)


@given(st.integers(0, 500), st.floats(0.05, 1.0))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_concentration_is_the_smallest_ground_with_its_share(seed, share):
    values = np.random.default_rng(seed).exponential(size=(8, 9)) ** 3
    grid = Grid(700000.0, 4380008.0, 1.0, (8, 9), "EPSG:32638")
    ground = residual.concentration(Raster(values, grid), share=share)
    assert ground["expected_left"].sum() >= share * values.sum() * (1 - 1e-9)
    reached, wanted = np.cumsum(np.sort(values.ravel())[::-1]), share * values.sum()
    least, most = (np.searchsorted(reached, wanted * (1 + off)) + 1 for off in (-1e-9, 1e-9))  # sums round
    assert least - 1 <= ground["area_m2"].sum() <= min(most, 72) + 1
    assert ground.to_crs(32638).area.sum() == pytest.approx(ground["area_m2"].sum(), abs=1e-3)
    assert ground["expected_left"].is_monotonic_decreasing


# ---- evidence ---------------------------------------------------------------------------------------------------


def test_the_checklist_shows_what_is_missing_and_never_decides():
    result = residual.ledger(even(), [search(np.ones(GRID.shape))])
    table = residual.checklist(
        result, {"pod_low": 0.83, "sample": "accepted"}, {"pod_low": 0.9, "searched_share": 1.0}
    ).set_index("item")
    assert table["status"].iloc[-1] == "missing"
    assert table.loc["Detection shown in blind lanes (lower limit)", "status"] == "not shown"
    assert table.loc["Required coverage reached", "status"] == "shown"
    assert table.loc["Inspection sample", "status"] == "shown"
    assert (table["status"] == "missing").sum() >= 5
    text = f"{result.to_dict()} {table.to_dict()}".lower()
    assert not re.search(r"\bsafe\b|\bcancel", text)
    with pytest.raises(StatisticsError):
        residual.checklist(result, {"wishes": 1}, {})


@pytest.mark.parametrize("wrong", [{"found": 5, "targets": 4}, {"found": 0, "targets": 0}, {"reach": 0.0}])
def test_a_search_without_lane_counts_is_refused(wrong):
    with pytest.raises(StatisticsError):
        search(np.ones(GRID.shape), **{"found": 1, "targets": 2, **wrong})
    other = Grid(0.0, 0.0, 1.0, (20, 20), "EPSG:32638")
    with pytest.raises(StatisticsError):
        residual.ledger(Raster(np.ones((20, 20)), other), [search(np.ones(GRID.shape))])
