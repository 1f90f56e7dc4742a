"""Laws of repair: idempotent, area within the limit, output valid, nothing lost; and what is done, proposed, rejected."""

from __future__ import annotations

import geopandas as gpd
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings

import geotools as gt

X, Y = 683_000.0, 4_385_000.0
LIMITS = {"repair_area_share": 0.01, "repair_area_m2": 100.0}
repair = gt.checks.repair


def same(first, second):
    """Equal to the last bit, broken geometry too."""
    assert first.crs == second.crs
    tables = [
        pd.DataFrame(f.drop(columns="geometry")).assign(wkb=f.geometry.to_wkb().to_numpy()) for f in (first, second)
    ]
    pd.testing.assert_frame_equal(*tables)


def frame_of(shapes, crs="EPSG:32638", **columns):
    ids = [f"H-{n:03}" for n in range(len(shapes))]
    return gpd.GeoDataFrame({"id": ids, "classification": "SHA", **columns}, geometry=list(shapes), crs=crs)


number = st.floats(-200, 200, allow_nan=False, width=32)
ring = st.lists(st.tuples(number, number), min_size=3, max_size=14)


@st.composite
def messy(draw):
    """Rings of any order with repeats, spikes and runs past the start; sometimes two parts or a hole."""
    points = [(X + round(x, 2), Y + round(y, 2)) for x, y in draw(ring)]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(points) - 1))
        points.insert(at, points[draw(st.integers(0, len(points) - 1))] if draw(st.booleans()) else points[at])
    if draw(st.booleans()):
        points = [*points, points[0], points[0]]
    shape = shapely.Polygon(points)
    sort = draw(st.sampled_from(["one", "one", "two", "hole", "none"]))
    if sort == "two":
        return shapely.MultiPolygon([shape, shapely.box(X, Y, X + 50, Y + 40)])
    if sort == "hole":
        return shapely.Polygon(shapely.box(X - 300, Y - 300, X + 300, Y + 300).exterior, [shape.exterior])
    return None if sort == "none" else shape


@given(st.lists(messy(), min_size=1, max_size=6), st.sampled_from(["EPSG:32638", "EPSG:2498"]))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_laws_of_repair(shapes, crs):
    frame = frame_of(shapes, crs=crs)
    before = frame.copy(deep=True)
    out, changes = repair(frame, kind="hazards", programme=gt.Programme(limits=LIMITS))
    same(frame, before)  # input untouched
    left = set(changes.loc[changes["state"] == "rejected", "id"])
    assert set(frame["id"]) == set(out["id"]) | left and not set(out["id"]) & left  # nothing lost
    assert set(gt.checks.rejected(frame, changes)["id"]) == left
    there = out.geometry[~out.geometry.isna()]
    assert there.is_valid.all()  # output valid
    again, more = repair(out, kind="hazards", programme=gt.Programme(limits=LIMITS))
    same(again, out)  # idempotent
    assert more.empty
    for row in out.itertuples():  # area within both limits, measured by something else: the plane of the file
        old = frame.geometry[frame["id"] == row.id].iloc[0]
        if old is not None:
            assert (
                abs(row.geometry.area - old.area) <= 0.0101 * old.area + 1e-6
                and abs(row.geometry.area - old.area) <= 101
            )


def test_valid_data_come_back_the_same(synthetic):
    for kind, frame in synthetic.frames(synthetic.clean(1, 40)).items():
        out, changes = repair(frame, kind=kind)
        done = changes[changes["rule"] != "orientation"]
        assert done.empty and len(out) == len(frame)


def test_what_is_done_is_logged_with_before_and_after():
    ring = [(X, Y), (X, Y + 100), (X, Y + 100), (X + 100, Y + 100), (X + 100, Y)]
    out, changes = repair(frame_of([shapely.Polygon(ring)]))
    assert changes["rule"].tolist() == ["repeats", "orientation"] and set(changes["state"]) == {"done"}
    assert changes.geometry.iloc[-1].equals_exact(out.geometry.iloc[0], 0)
    assert len(changes["geometry_before"].iloc[0].exterior.coords) == 6
    assert changes["area_before_m2"].iloc[0] == pytest.approx(9994, rel=0.001)  # on the ellipsoid, not the grid
    assert out.geometry.iloc[0].exterior.is_ccw


def test_a_small_loop_is_mended_and_a_bow_tie_only_proposed():
    loop = shapely.Polygon(
        [
            (X, Y),
            (X + 100, Y),
            (X + 100, Y + 100),
            (X + 49, Y + 100),
            (X + 51, Y + 101),
            (X + 51, Y + 99.5),
            (X, Y + 100),
        ]
    )
    bow = shapely.Polygon([(X, Y), (X + 90, Y + 90), (X + 90, Y), (X, Y + 90), (X - 30, Y + 45)])
    assert not loop.is_valid and not bow.is_valid
    out, changes = repair(frame_of([loop, bow]))
    assert out["id"].tolist() == ["H-000"]
    states = changes.groupby("id")["state"].agg(list).to_dict()
    assert states["H-000"] == ["done"]
    assert states["H-001"][-1] == "rejected" and "proposed" in states["H-001"]
    order = changes[changes["rule"] == "vertex_order"].iloc[0]
    assert order.geometry.is_valid and "swap" in order["note"]


def test_limits_of_the_programme_decide():
    loop = shapely.Polygon(
        [
            (X, Y),
            (X + 100, Y),
            (X + 100, Y + 100),
            (X + 49, Y + 100),
            (X + 51, Y + 101),
            (X + 51, Y + 99.5),
            (X, Y + 100),
        ]
    )
    assert len(repair(frame_of([loop]), programme=gt.Programme(limits={"repair_area_m2": 0.0}))[0]) == 0
    assert len(repair(frame_of([loop]), programme=gt.Programme(limits={"repair_area_share": 0.0}))[0]) == 0


def test_ids_are_trimmed_unless_two_become_one():
    squares = [shapely.box(X + d, Y, X + d + 50, Y + 50) for d in (0, 100, 200)]
    frame = frame_of(squares, parent_id=[None, " H-1", None]).assign(id=["H-1 ", "H-2", "H-2\u200b"])
    out, changes = repair(frame, kind="hazards")
    assert out["id"].tolist() == ["H-1", "H-2", "H-2\u200b"]
    assert out["parent_id"].tolist()[1] == "H-1"
    trimmed = changes[changes["rule"] == "trim"]
    assert sorted(zip(trimmed["column"], trimmed["state"], strict=True)) == [
        ("id", "done"),
        ("id", "proposed"),
        ("parent_id", "done"),
    ]


def test_a_closed_line_becomes_an_area_and_an_open_one_is_proposed():
    points = [(X, Y), (X + 50, Y), (X + 50, Y + 50), (X, Y + 50)]
    closed, gap = shapely.LineString([*points, points[0]]), shapely.LineString(points)
    out, changes = repair(frame_of([closed, gap]))
    assert out.geometry.geom_type.tolist() == ["Polygon", "LineString"]
    assert changes.loc[changes["id"] == "H-001", "state"].tolist() == ["proposed"]


def test_a_repaired_layer_raises_none_of_the_repaired_issues(plant, synthetic):
    names = [
        "start_repeated_at_the_end",
        "point_repeated_at_once",
        "ring_runs_past_its_start",
        "hole_drawn_like_its_shell",
        "blank_after_id",
    ]
    frames, truth = plant(5, names, cells=60)
    issues = gt.check(frames)
    found = set(zip(issues["check"], issues["kind"], issues["id"], strict=True))
    assert all(tuple(t[1:]) in found for t in truth)
    fixed, _ = gt.checks.repair_layers(frames)
    left = gt.check({k: v for k, v in fixed.items() if not k.startswith("result_")})
    assert not (set(left["check"]) & {"GC-16", "TP-05", "AT-02", "GC-06", "GC-01"}), left[["check", "id"]]


def test_layers_of_a_repaired_survey_lose_nothing(plant):
    frames, _ = plant(2, ["crossing_boundary", "two_points_only"], cells=60)
    layers, log = gt.checks.repair_layers(frames)
    for kind, frame in frames.items():
        back = [layers[kind], *([layers[f"{kind}_rejected"]] if f"{kind}_rejected" in layers else [])]
        assert sorted(pd.concat(back)["id"]) == sorted(frame["id"])
    assert len(layers["hazards_rejected"]) == 2
    assert_geodataframe_equal(layers["result_hazards_as_entered"], frames["hazards"])
    assert log.crs.to_epsg() == 4326 and (log["state"] == "rejected").sum() == 2


def test_a_log_has_the_same_types_whatever_layers_it_is_of():
    """Of a layer without changes beside one with some, and of none: warnings are errors, also those of older pandas."""
    ring = shapely.Polygon([(47, 39.5), (47, 39.501), (47.001, 39.501), (47.001, 39.5)])
    wrong = frame_of([ring], "EPSG:4326", classification="SHA")
    _, alone = gt.checks.repair_layers({"hazards": wrong})
    right, _ = repair(wrong, kind="hazards")
    assert len(alone) and repair(right, kind="hazards")[1].empty
    types = alone.dtypes.astype(str).to_dict()
    assert (types["row"], types["area_before_m2"]) == ("int64", "float64")
    placeless = right.set_crs(None, allow_override=True)
    for layers in ({"hazards": right, "places": wrong}, {"hazards": wrong, "places": right}, {"hazards": right}, {}):
        _, log = gt.checks.repair_layers({name: frame.drop(columns="classification", errors="ignore") if name == "places" else frame for name, frame in layers.items()})  # fmt: skip
        assert log.dtypes.astype(str).to_dict() == types
        assert log.crs.to_epsg() == 4326
    assert gt.checks.repair_layers({"hazards": placeless, "places": wrong})[1].dtypes.astype(str).to_dict() == types


def test_unknown_kind_is_asked_for():
    with pytest.raises(gt.errors.SchemaError, match="what these records are"):
        repair(gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(0, 0)], crs=4326))


def test_without_a_reference_system_nothing_with_an_area_is_changed():
    ring = [(0, 0), (0, 1), (1, 1), (1, 1), (1, 0)]
    out, changes = repair(
        frame_of([shapely.Polygon(ring), shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], crs=None)
    )
    assert out.crs is None and out["id"].tolist() == ["H-000"]
    assert np.isnan(changes["area_before_m2"].astype(float)).all()
