"""The sample district: planted points, records and sheets are found as `truth.json` says."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from geotools import io
from geotools.model.programme import Programme
from geotools.space import crs
from geotools.space.traverse import solve_all

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"
TRUTH = json.loads((SAMPLE / "truth.json").read_text("utf-8"))


def test_zone_8_points_reach_wgs84_within_the_operations_accuracy():
    points = TRUTH["releases"]["pulkovo_points"]
    frame = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([p["gk8_x"] for p in points], [p["gk8_y"] for p in points]), crs="EPSG:28408"
    )
    want = [p["lon"] for p in points], [p["lat"] for p in points]
    for operation, limit in ((None, 0.02), ("EPSG:1808", 5.0)):
        out, done = crs.shift(frame, "EPSG:4326", operation=operation)
        off = crs.GEOD.inv(out.geometry.x, out.geometry.y, *want)[2]
        assert np.max(off) < min(limit, done.accuracy_m)


def test_the_doctor_finds_exactly_the_records_whose_shift_was_forgotten():
    hazards = io.read(SAMPLE / "hazards.gpkg", "hazards", layer="hazard_areas")
    columns = {"tehlikeli_alan": "hazard_id"}
    releases = io.read(
        SAMPLE / "releases" / "tr_unit_1.geojson", "releases", programme=Programme(columns={"releases": columns})
    )
    found = crs.diagnose(releases, reference=hazards)
    item = next(finding for finding in found.findings if finding.fault == "unshifted-records")
    planted = TRUTH["releases"]["pulkovo_as_wgs84"]
    assert item.count == len(planted)
    assert all(name in item.message for name in planted)
    assert item.metres == pytest.approx(101, abs=3)
    right = releases[~releases["id"].isin(planted)]
    assert not [f for f in crs.diagnose(right, reference=hazards).findings if f.fault == "unshifted-records"]


@pytest.mark.parametrize("name", ["72", "open", "blunder", "mils"])
def test_sheets_close_as_planted(name):
    legs = io.read(SAMPLE / "traverse" / f"sheet_{name}.csv", "legs")
    marks = io.read(SAMPLE / "traverse" / "marks.csv", "marks", crs="EPSG:4326")
    done = solve_all(legs, fixes=marks)
    key = f"SHEET-{name.upper()}"
    truth, figure = TRUTH["traverse"][key], done.solved[key]
    assert figure.correction_deg == pytest.approx(truth["correction_deg"], abs=0.05)
    if truth["misclosure_m"] is None:
        assert not figure.misclosure.measured
    else:
        assert figure.misclosure.distance_m == pytest.approx(truth["misclosure_m"], abs=0.01)
        assert figure.misclosure.length_m == pytest.approx(truth["perimeter_m"], abs=0.02)
    assert abs(figure.fit.rotation_deg) < 2
    blunder = done.issues.loc[done.issues["check"] == "SV-02", "message"].str.contains("leg TP2 → TP3").any()
    assert blunder == (name == "blunder")
