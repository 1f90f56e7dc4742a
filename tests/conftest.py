"""Factories every test may use, the Hypothesis profile, and the rule that CI may not skip what it installed."""

from __future__ import annotations

import os
from datetime import date
from typing import Any

import geopandas as gpd
import hypothesis
import numpy as np
import pandas as pd
import pytest
import shapely

hypothesis.settings.register_profile("geotools", deadline=None, derandomize=True, max_examples=40, database=None)
hypothesis.settings.load_profile("geotools")

UTM = "EPSG:32638"
ORIGIN = (683_000.0, 4_385_000.0)  # Karabakh lowlands, UTM 38N


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Under GEOTOOLS_REQUIRE=all a skip for a missing tool is a failure: CI installs everything."""
    outcome = yield
    report = outcome.get_result()
    asked = ("--benchmark-skip", "GEOTOOLS_BIG")  # left out on purpose, not for want of a tool
    benchmark = any(word in str(report.longrepr) for word in asked)
    if (
        report.skipped
        and not benchmark
        and not hasattr(report, "wasxfail")
        and os.environ.get("GEOTOOLS_REQUIRE") == "all"
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped although GEOTOOLS_REQUIRE=all: {report.longrepr}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for machines: what the hardening tests did, summed over all workers (see `tests/hardening/conftest.py`)."""
    total: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                for name, count in report.user_properties:
                    if str(name).startswith("hardening:"):
                        key = name.partition(":")[2].replace("_", " ")
                        total[key] = total.get(key, 0) + int(count)
    if total:
        words = {"faults": "faults injected", "inputs": "inputs tried"}
        terminalreporter.write_line("hardening: " + ", ".join(f"{words.get(k, k)} {n}" for k, n in total.items()))


def square(x: float = 0.0, y: float = 0.0, side: float = 100.0) -> shapely.Polygon:
    """A square with its lower left corner (x, y) metres from ORIGIN, in UTM 38N."""
    west, south = ORIGIN[0] + x, ORIGIN[1] + y
    return shapely.box(west, south, west + side, south + side)


def hazard(id: str = "H-1", geometry: Any = None, **values: Any) -> dict[str, Any]:
    """One hazard row; a 100 m square unless a geometry is given."""
    row = {
        "id": id,
        "classification": "CHA",
        "status": "open",
        "contamination": "ap",
        "date_info": pd.Timestamp("2021-01-01"),
    }
    return {**row, "geometry": square() if geometry is None else geometry, **values}


def release(id: str = "R-1", geometry: Any = None, **values: Any) -> dict[str, Any]:
    """One release row; the lower left quarter of the default hazard unless a geometry is given."""
    row = {
        "id": id, "hazard_id": "H-1", "product": "cleared", "method": "manual", "date": pd.Timestamp("2022-06-01"),
        "depth_cm": 20.0, "organisation": "Sample Agency (synthetic)",
    }  # fmt: skip
    return {**row, "geometry": square(side=50.0) if geometry is None else geometry, **values}


def frame(*rows: dict[str, Any], crs: Any = UTM) -> gpd.GeoDataFrame:
    """A GeoDataFrame of rows made by the factories."""
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


def fixes(points: Any, *, step_s: float = 1.0, width_m: float = 1.0, crs: Any = UTM, **values: Any) -> gpd.GeoDataFrame:
    """Fixes of one tool at `points` (n, 2), metres from ORIGIN, one every `step_s` seconds."""
    xy = np.asarray(points, dtype=float) + ORIGIN
    count = len(xy)
    start = pd.Timestamp("2024-05-01T06:00:00Z")
    table = {
        "id": [f"F{i:06d}" for i in range(count)],
        "asset_id": "A-1",
        "run_id": "1",
        "time": pd.DatetimeIndex(start + pd.to_timedelta(np.arange(count) * step_s, unit="s")),
        "width_m": width_m,
        "is_on": True,
        **values,
    }
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=crs)


def legs(*rows: tuple[str, str, float, float], **values: Any) -> pd.DataFrame:
    """Traverse legs from (from, to, bearing, distance) tuples."""
    table = pd.DataFrame(rows, columns=["from_point", "to_point", "bearing", "distance_m"])
    return table.assign(id=[f"L{i}" for i in range(len(rows))], bearing_unit="deg", date=date(2026, 11, 23), **values)


def dem(function: Any, *, cell: float = 10.0, shape: tuple[int, int] = (50, 60)) -> Any:
    """A `Raster` of heights function(x, y) on a UTM 38N grid at ORIGIN."""
    from geotools.space.grid import Grid, Raster

    grid = Grid(ORIGIN[0], ORIGIN[1] + shape[0] * cell, cell, shape, UTM)
    x, y = grid.centres
    return Raster(
        np.asarray(function(x[None, :] - ORIGIN[0], y[:, None] - ORIGIN[1]), dtype="float32")
        + np.zeros(shape, "float32"),
        grid,
    )


@pytest.fixture(name="make")
def make_fixture() -> Any:
    """The factories as one namespace: make.hazard(), make.release(), make.frame(), make.fixes(), make.legs(), make.dem()."""
    from types import SimpleNamespace

    return SimpleNamespace(
        square=square,
        hazard=hazard,
        release=release,
        frame=frame,
        fixes=fixes,
        legs=legs,
        dem=dem,
        utm=UTM,
        origin=ORIGIN,
    )
