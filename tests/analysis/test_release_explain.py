"""Explanations: the acts of a hazard add up to its row, and say who lost what to whom."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely

from geotools.analysis.release import coverage, explain
from geotools.model.errors import ReleaseError

X, Y = 560_000, 4_380_000


def box(west, south, east, north):
    return shapely.box(X + west, Y + south, X + east, Y + north)


@pytest.fixture(scope="module")
def found():
    hazards = gpd.GeoDataFrame(
        {"id": ["H-1", "H-2"], "status": ["closed", "open"]},
        geometry=[box(0, 0, 100, 100), box(90, 0, 200, 100)],
        crs="EPSG:32638",
    )
    releases = gpd.GeoDataFrame(
        {
            "id": ["a", "b", "c", "d", "e"],
            "hazard_id": ["H-1", "H-1", "H-1", "H-1", None],
            "product": ["cleared", "reduced", "cleared", "cleared", "cancelled"],
            "method": ["manual", "ts", "mechanical", "manual", "nts"],
            "date": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", None],
            "organisation": ["One\x1b[2J", "Two", None, None, "Three"],
        },
        geometry=[box(0, 0, 50, 100), box(40, 0, 60, 100), box(60, 0, 80, 120), None, box(300, 0, 310, 10)], crs="EPSG:32638",
    )  # fmt: skip
    events = gpd.GeoDataFrame(
        {"id": ["x"], "event": ["reopened"], "hazard_id": ["H-1"], "date": ["2025-01-01"]},
        geometry=[box(0, 0, 10, 10)],
        crs="EPSG:32638",
    )
    return coverage(hazards, releases, events=events)


def test_the_acts_add_up_to_the_row(found):
    told = explain(found, "H-1")
    acts = told.acts.set_index("id")
    released = acts.loc[acts["counted_as"].isin(["cleared", "reduced", "cancelled"]), "net_m2"].sum()
    assert released == pytest.approx(told.hazard["released_m2"], abs=1e-6)
    assert acts["net_m2"].to_numpy() + acts["lost_m2"].to_numpy() == pytest.approx(acts["raw_m2"].to_numpy(), abs=1e-5)
    assert acts.loc["b", "lost_to"] == "a"
    assert acts.loc["a", "reopened_m2"] == pytest.approx(100, rel=1e-2)
    assert acts.loc["c", "counted_as"] == "processed"
    assert told.idle["id"].tolist() == ["d"]
    assert told.shared["id"].tolist() == ["H-2"]
    assert {"RL-13", "RL-21", "RL-02", "RL-07"} <= set(told.issues["check"])


def test_text_is_plain_and_json_is_json(found):
    told = explain(found, "H-1")
    text = told.text()
    assert "had been taken before by a" in text and "were reopened" in text and "\x1b" not in text
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["hazard"]["id"] == "H-1"
    assert set(told.layers) == {"hazards", "records", "releases", "remaining", "overlaps"}
    assert told.layers["records"]["id"].tolist() == ["a", "b", "c"]
    assert "No act touches it." in explain(found, "H-2").text()


def test_unknown_hazards_are_refused(found):
    with pytest.raises(ReleaseError) as caught:
        explain(found, "H-9")
    assert "H-1" in caught.value.hint


class Listener:
    def __init__(self):
        self.stages, self.done, self.open = [], 0, 0

    def start(self, what, total=None):
        self.stages.append(what)
        self.open += 1

    def advance(self, steps=1):
        self.done += steps

    def finish(self):
        self.open -= 1


def test_progress_is_told():
    listener = Listener()
    one = gpd.GeoDataFrame({"id": ["a"]}, geometry=[box(0, 0, 10, 10)], crs="EPSG:32638")
    coverage(one, one, product="cleared", progress=listener)
    assert listener.stages[0] == "measuring released ground"
    assert listener.done >= 1
    assert listener.open == 0
