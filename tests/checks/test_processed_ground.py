"""WF-08 and TP-10 agree with the one rule for what a method of work proves about ground."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.model.methods import method_key, only_processed

X, Y = 700_000.0, 4_380_000.0
TYPED = ("manual", "mechanical", "zzz", None)
AFTER = (None, "manual", "mdd", "nts", "visual", "bac_surface", "mechanical", "zzz")


def survey(*, as_entered: bool) -> dict[str, gpd.GeoDataFrame]:
    """A cleared box per pair of method and follow-up, and a find in each a year later."""
    rows = pd.DataFrame([(m, f) for m in TYPED for f in AFTER], columns=["method", "follow_up"], dtype=object)
    if as_entered:
        rows = rows.rename(columns=lambda c: f"{c}_as_entered").assign(method=None, follow_up=None)
    rows = rows.assign(
        id=[f"R-{n:02}" for n in range(len(rows))], product="cleared", depth_cm=20, date=pd.Timestamp("2022-05-01")
    )
    boxes = [shapely.box(X + 200 * n, Y, X + 200 * n + 100, Y + 100) for n in range(len(rows))]
    finds = pd.DataFrame({"id": rows["id"].str.replace("R", "F"), "date": pd.Timestamp("2023-05-01")})
    return {
        "releases": gpd.GeoDataFrame(rows, geometry=boxes, crs=32638),
        "finds": gpd.GeoDataFrame(finds, geometry=[b.centroid for b in boxes], crs=32638),
    }


@pytest.mark.parametrize("as_entered", [False, True])
def test_processed_ground_is_one_thing_for_all_rules(as_entered: bool):
    pairs = [(m, f) for m in TYPED for f in AFTER]
    waits = np.array([only_processed(method_key(m), method_key(f)) for m, f in pairs])
    issues = gt.check(survey(as_entered=as_entered), only="WF-08,TP-10")
    numbers = {code: {int(i[2:]) for i in found["id"]} for code, found in issues.groupby("check")}
    assert numbers["WF-08"] == set(np.flatnonzero(waits).tolist())
    assert numbers["TP-10"] == set(np.flatnonzero(~waits).tolist())


def test_the_method_of_the_activity_counts_where_the_release_names_none():
    frames = survey(as_entered=False)
    frames["releases"] = frames["releases"].iloc[[24]].assign(activity_id="A-1")
    frames["activities"] = gpd.GeoDataFrame(
        {"id": ["A-1"], "method": [None], "method_as_entered": ["Flail"]}, geometry=[None], crs=32638
    )
    assert gt.check(frames, only="WF-08")["value"].tolist() == ["mechanical"]


def test_an_unknown_word_is_said_as_such():
    frames = {"releases": survey(as_entered=True)["releases"].iloc[[16]]}
    assert "no known word" in gt.check(frames, only="WF-08")["message"].iloc[0]
