"""Geometry that has broken GEOS and its users before: no crash, no hang, every other rule still runs."""

from __future__ import annotations

import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt

X, Y = 683_000.0, 4_385_000.0


def star(points, turns):
    angle = np.arange(points) * 2 * np.pi * turns / points
    return shapely.Polygon(np.column_stack([X + 100 * np.cos(angle), Y + 100 * np.sin(angle)]))


def comb(teeth):
    x = np.repeat(np.arange(teeth), 4) * 1.0 + np.tile([0, 0.2, 0.2, 1.0], teeth)
    y = np.tile([0, 100.0, 0.0, 0.0], teeth)
    return shapely.Polygon(np.vstack([np.column_stack([X + x, Y + y]), [[X + teeth, Y - 5], [X, Y - 5]]]))


def odd(points):
    with np.errstate(invalid="ignore", over="ignore"):
        return shapely.Polygon(points)


def walk(points, seed):
    """A drunken boundary that crosses itself hundreds of times."""
    steps = np.random.default_rng(seed).normal(0, 10, (points, 2))
    return shapely.Polygon(np.cumsum(steps, axis=0) + np.array([X, Y]))


CASES = {
    "star that crosses itself hundreds of times": star(151, 75),
    "pentagram": star(5, 2),
    "drunken boundary": walk(1200, 1),
    "drunken boundary of 79 points": walk(79, 2),
    "comb of a thousand teeth": comb(1000),
    "all points on one line": shapely.Polygon([(X, Y), (X + 10, Y + 10), (X + 20, Y + 20), (X + 5, Y + 5)]),
    "one point three times": shapely.Polygon([(X, Y)] * 4),
    "nearly coincident edges": shapely.Polygon([(X, Y), (X + 100, Y), (X + 100, Y + 1e-9), (X, Y + 2e-9)]),
    "edge through a vertex by a nanometre": shapely.Polygon([(X, Y), (X + 100, Y), (X + 50, Y + 1e-9), (X + 50, Y + 80)]),
    "hole equal to its shell": shapely.Polygon(shapely.box(X, Y, X + 50, Y + 50).exterior, [shapely.box(X, Y, X + 50, Y + 50).exterior]),
    "hole touching along an edge": shapely.Polygon(shapely.box(X, Y, X + 50, Y + 50).exterior, [shapely.box(X, Y + 10, X + 20, Y + 30).exterior]),
    "holes in holes": shapely.Polygon(shapely.box(X, Y, X + 50, Y + 50).exterior, [shapely.box(X + 5, Y + 5, X + 45, Y + 45).exterior, shapely.box(X + 10, Y + 10, X + 40, Y + 40).exterior]),
    "parts that share an edge": shapely.MultiPolygon([shapely.box(X, Y, X + 50, Y + 50), shapely.box(X + 50, Y, X + 90, Y + 50)]),
    "empty polygon": shapely.Polygon(),
    "empty part": shapely.MultiPolygon([shapely.Polygon(), shapely.box(X, Y, X + 50, Y + 50)]),
    "collection": shapely.GeometryCollection([shapely.Point(X, Y), shapely.box(X, Y, X + 50, Y + 50), shapely.LineString([(X, Y), (X + 9, Y)])]),
    "collection in a collection": shapely.GeometryCollection([shapely.GeometryCollection([shapely.box(X, Y, X + 5, Y + 5)])]),
    "not a number": odd([(X, Y), (X + 50, np.nan), (X + 50, Y + 50), (X, Y + 50)]),
    "infinite": odd([(X, Y), (np.inf, Y), (X + 50, Y + 50), (X, Y + 50)]),
    "huge numbers": odd([(1e300, 1e300), (2e300, 1e300), (2e300, 2e300)]),
    "tiny numbers": odd([(1e-300, 0), (2e-300, 0), (2e-300, 1e-300)]),
    "three dimensions": odd([(X, Y, 5), (X + 50, Y, 7), (X + 50, Y + 50, np.nan)]),
    "point": shapely.Point(X, Y),
    "none": None,
}  # fmt: skip


def frames(shapes):
    rows = [{"id": f"H-{n:03}", "classification": "SHA", "status": "open"} for n in range(len(shapes))]
    hazards = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=gpd.GeoSeries(list(shapes), crs="EPSG:32638"))
    releases = hazards.assign(product="cleared", method="manual", hazard_id=hazards["id"], depth_cm=20.0).drop(
        columns=["classification", "status"]
    )
    return {"hazards": hazards, "releases": releases.assign(id=hazards["id"].str.replace("H", "R"))}


@pytest.mark.parametrize("name", CASES)
def test_hard_case_alone(name):
    layers = frames([CASES[name], shapely.box(X + 20, Y + 20, X + 70, Y + 60)])
    start = time.process_time()
    issues = gt.check(layers)
    assert time.process_time() - start < 6
    assert not (issues["check"] == "CK-00").any(), issues.loc[issues["check"] == "CK-00", "message"].tolist()
    out, changes = gt.checks.repair(layers["hazards"])
    there = out.geometry[~out.geometry.isna()]
    assert there[there.geom_type.isin(["Polygon", "MultiPolygon"])].is_valid.all()
    left = set(changes.loc[changes["state"] == "rejected", "id"])
    assert set(out["id"]) | left == set(layers["hazards"]["id"])


def test_all_hard_cases_together():
    issues = gt.check(frames(list(CASES.values())))
    assert not (issues["check"] == "CK-00").any(), issues.loc[issues["check"] == "CK-00", "message"].tolist()
    assert {"GC-01", "GC-02", "TP-19", "TP-20", "CR-04"} <= set(issues["check"])


def test_tables_without_geometry_without_ids_and_without_rows():
    assert "AT-03" in set(gt.check({"hazards": pd.DataFrame({"status": ["open", "open"]})})["check"])
    assert gt.check({"hazards": gpd.GeoDataFrame({"id": []}, geometry=[], crs=4326)}).empty
    assert "CR-01" in set(
        gt.check(
            {"hazards": gpd.GeoDataFrame({"id": ["a"], "classification": ["SHA"]}, geometry=[shapely.box(0, 0, 1, 1)])}
        )["check"]
    )


def test_hostile_words_stay_words():
    nasty = "<script>alert(1)</script>{id}%s=cmd|' /C calc'!A0\u202e\x00"
    frame = gpd.GeoDataFrame(
        {"id": [nasty, "H-2"], "classification": ["SHA", nasty], "organisation": [nasty, None], nasty: [nasty, nasty]},
        geometry=[shapely.box(47, 39, 47.01, 39.01), None],
        crs=4326,
    )
    issues = gt.check({"hazards": frame})
    assert not (issues["check"] == "CK-00").any()
    assert not issues["message"].str.contains("[\x00\u202e]").any()


@pytest.mark.parametrize(
    "name", ["id", "status", "date", "h_acc_m", "area_reported_m2", "depth_cm", "product", "note", 7]
)
def test_doubled_and_numbered_columns_stop_no_rule(name):
    rows = pd.DataFrame({"id": ["A-1", "A-2"], name: ["1", "2"]})
    rows = pd.concat([rows, rows[[name]]], axis=1)
    frame = gpd.GeoDataFrame(rows, geometry=[shapely.box(X, Y, X + 50, Y + 50), None], crs=32638)
    kinds = ("hazards", "releases", "finds", "accidents", "marks", "places", "activities", "samples", "other")
    issues = gt.check(dict.fromkeys(kinds, frame))
    assert issues[issues["check"] == "CK-00"]["message"].tolist() == []
    assert set(issues.loc[(issues["check"] == "GC-17") & issues["message"].str.contains("twice"), "kind"]) == set(kinds)
    assert list(frame.columns) == ["id", *([name] if name != "id" else []), name, "geometry"]


def test_a_geometry_column_that_is_there_twice_is_read_once():
    shape = gpd.GeoSeries([shapely.box(X, Y, X + 50, Y + 50)], crs=32638)
    frame = gpd.GeoDataFrame({"id": ["A-1"], "geometry": shape, "g": shape}, geometry="geometry")
    frame.columns = ["id", "geometry", "geometry"]
    assert "CK-00" not in gt.check({"hazards": frame})["check"].tolist()
