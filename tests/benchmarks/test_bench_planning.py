"""Planning beside the naive way: PROMETHEE flows, people near tasks, rank stability of 5,000 tasks, and plans of teams."""

from __future__ import annotations

import time
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geotools.analysis import priority, teams
from geotools.analysis.priority import Criteria, Criterion, Indicators, Preference

LINEAR = Preference("linear", q=0.2, p=1.5)


def naive_flows(x, preference):
    d = x[:, None] - x[None, :]
    return preference.of(d).sum(axis=1) / (len(x) - 1), preference.of(-d).sum(axis=1) / (len(x) - 1)


def tasks_and_homes(tasks, homes, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(600_000, 700_000, tasks), rng.uniform(4_350_000, 4_450_000, tasks)
    w, h = rng.uniform(100, 600, (2, tasks))
    ground = gpd.GeoDataFrame(
        {"id": [f"T{k:05d}" for k in range(tasks)]}, geometry=shapely.box(x, y, x + w, y + h), crs="EPSG:32638"
    )
    points = gpd.points_from_xy(rng.uniform(600_000, 700_000, homes), rng.uniform(4_350_000, 4_450_000, homes))
    return ground, gpd.GeoDataFrame({"population": rng.integers(5, 500, homes)}, geometry=points, crs="EPSG:32638")


def naive_people(ground, homes, distance):
    people = homes["population"].to_numpy()
    return [float(people[homes.distance(shape) <= distance].sum()) for shape in ground.geometry]


def many(tasks=5000, seed=0):
    rng = np.random.default_rng(seed)
    names = list("abcdefghi")
    table = pd.DataFrame(rng.lognormal(3, 2, (tasks, 9)), columns=names, index=[f"T{k:05d}" for k in range(tasks)])
    table = table.mask(rng.random(table.shape) < 0.05)
    return Indicators(table, table * 0.8, table * 1.3), Criteria(
        tuple(Criterion(n, n, k + 1, scale="log") for k, n in enumerate(names))
    )


def district(steps=40, crews=6, seed=1):
    rng = np.random.default_rng(seed)
    points = gpd.points_from_xy(47 + rng.random(steps) * 0.1, 39.5 + rng.random(steps) * 0.1)
    data = {
        "id": [f"T{k:02d}" for k in range(steps)],
        "area_m2": rng.integers(200, 3000, steps) * 1.0,
        "value": rng.integers(1, 10, steps) * 1.0,
    }
    work = teams.steps(gpd.GeoDataFrame(data, geometry=points, crs=4326), skills=("manual",))
    return work, [
        teams.Team(f"M{k}", {"manual": teams.Rate(100 + 50 * k, 0.2, 0.4)}, base=(47.05, 39.55), move_days=1)
        for k in range(crews)
    ]


@pytest.mark.parametrize("how", ["ours", "naive"])
@pytest.mark.benchmark(group="PROMETHEE flows of 4,000 tasks on one criterion")
def test_flows(benchmark, how):
    x = np.random.default_rng(0).normal(size=4000)
    found = benchmark(priority.flows if how == "ours" else naive_flows, x, LINEAR)
    assert found[0] == pytest.approx(naive_flows(x, LINEAR)[0], abs=1e-9)


@pytest.mark.parametrize("how", ["ours", "naive"])
@pytest.mark.benchmark(group="people within 1 km of 300 tasks, 20,000 homes")
def test_people(benchmark, how):
    ground, homes = tasks_and_homes(300, 20_000)
    if how == "ours":
        benchmark(lambda: priority.people_within(ground, homes, distances_m=[1000]))
    else:
        benchmark.pedantic(naive_people, args=(ground, homes, 1000), rounds=1)


@pytest.mark.parametrize("method", priority.METHODS)
@pytest.mark.benchmark(group="5,000 tasks ranked, 1,000 draws")
def test_stability(benchmark, method):
    figures, rules = many()
    benchmark.pedantic(
        lambda: priority.stability(priority.rank(figures, rules, method=method), top=50, draws=1000), rounds=1
    )


@pytest.mark.parametrize("effort", [0.0, 1.0])
@pytest.mark.benchmark(group="40 steps, 6 teams: greedy and solver")
def test_plan(benchmark, effort):
    work, crews = district()
    benchmark.pedantic(lambda: teams.plan(work, crews, start=date(2026, 6, 1), effort=effort), rounds=1)


@pytest.mark.slow
@pytest.mark.parametrize("method", priority.METHODS)
def test_five_thousand_tasks_are_ranked_with_stability_in_half_a_minute(method):
    figures, rules = many()
    begin = time.process_time()
    found = priority.stability(priority.rank(figures, rules, method=method), top=50, draws=1000)
    spent = time.process_time() - begin
    assert len(found.table) == 5000
    assert spent <= 30, f"{spent:.1f} s"


@pytest.mark.slow
def test_sorted_sums_beat_the_double_loop_and_a_tree_beats_every_distance():
    x = np.random.default_rng(0).normal(size=4000)
    ground, homes = tasks_and_homes(200, 20_000)
    spent = {}
    for name, call in (
        ("flows", lambda: priority.flows(x, LINEAR)),
        ("flows naive", lambda: naive_flows(x, LINEAR)),
        ("people", lambda: priority.people_within(ground, homes, distances_m=[1000])),
        ("people naive", lambda: naive_people(ground, homes, 1000)),
    ):
        begin = time.process_time()
        call()
        spent[name] = time.process_time() - begin
    assert spent["flows"] * 10 < spent["flows naive"], spent
    assert spent["people"] * 2 < spent["people naive"], spent
