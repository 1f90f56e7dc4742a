"""The series of a coverage is the coverage of each day."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

import geotools as gt

FIGURES = ["area_m2", "remaining_m2", "released_m2", "cleared_m2", "reduced_m2", "cancelled_m2", "processed_m2"]


def random_records(seed, *, machines, count=12):
    rng = np.random.default_rng(seed)

    def boxes(n):
        low = rng.uniform(0, 300, (n, 2))
        return [
            shapely.box(*(low[i] + [7e5, 4.38e6]), *(low[i] + rng.uniform(20, 150, 2) + [7e5, 4.38e6]))
            for i in range(n)
        ]

    def days(n):
        return [
            None
            if rng.random() < 0.2
            else str(np.datetime64("2020-01-01") + np.timedelta64(int(rng.integers(0, 40)), "D"))
            for _ in range(n)
        ]

    hazards = gpd.GeoDataFrame(
        {"id": [f"H{n}" for n in range(6)], "date_info": days(6)}, geometry=boxes(6), crs="EPSG:32638"
    )
    releases = gpd.GeoDataFrame(
        {
            "id": [f"R{n}" for n in range(count)],
            "date": days(count),
            "product": rng.choice(["cleared", "reduced", "cancelled"], count),
            "method": rng.choice(["manual", "mechanical"] if machines else ["manual"], count),
        },
        geometry=boxes(count), crs="EPSG:32638",
    )  # fmt: skip
    events = gpd.GeoDataFrame(
        {"id": ["E"], "event": ["reopened"], "hazard_id": [None], "date": ["2020-01-20"]},
        geometry=boxes(1),
        crs="EPSG:32638",
    )
    return hazards, releases, events


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("machines", "eventful", "more"), [(False, False, {}), (True, False, {}), (False, True, {}), (False, False, {"priority": "strongest"}), (False, False, {"as_of": "2020-01-25"})])  # fmt: skip
def test_each_row_is_the_coverage_of_that_day(seed, machines, eventful, more):
    hazards, releases, events = random_records(seed, machines=machines)
    found = gt.coverage(hazards, releases, events=events if eventful else None, **more)
    table = found.series()
    assert table["day"].is_monotonic_increasing
    assert len(table) > 5
    for _, row in table.iterrows():
        same = found.at(row["day"].date()).totals
        assert np.allclose(row[FIGURES].to_numpy(dtype=float), same[FIGURES].to_numpy(dtype=float), atol=1e-4), row[
            "day"
        ]


def test_without_a_date_there_is_no_day():
    hazards, releases, _ = random_records(0, machines=False)
    assert gt.coverage(hazards.drop(columns="date_info"), releases.drop(columns="date")).series().empty
    assert gt.coverage(gpd.GeoDataFrame(), gpd.GeoDataFrame()).series().columns.tolist() == ["day", *FIGURES]
