"""Swath coverage against closed forms, laws and bad input."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.analysis import swath
from geotools.model.errors import CoverageError, CRSError, SchemaError
from geotools.model.programme import Programme


def _simulator():
    name = "swath_simulator"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


sim = _simulator()
Log, task, arc, box = sim.Log, sim.task, sim.arc, shapely.box


# Each fixture: frame, task, tool, expected square metres by name.
def straight():
    return (
        Log().stroke([(0, 0), (50, 0)]).frame(width_m=1.0),
        task(box(0, -1, 50, 1)),
        None,
        {"covered_m2": 50, "missed_m2": 50},
    )


def lanes_side_by_side():
    log, _ = sim.lanes(10, 40, 0.5, hz=5)
    return log.frame(width_m=0.5), task(box(0, 0, 5, 40)), None, {"covered_m2": 200, "missed_m2": 0, "overlap_m2": 0}


def lanes_overlapping():
    log, _ = sim.lanes(20, 60, 0.5, hz=5)
    return (
        log.frame(width_m=0.65),
        task(box(-1, 0, 11, 60)),
        None,
        {"covered_m2": (19 * 0.5 + 0.65) * 60, "overlap_m2": 19 * 0.15 * 60},
    )


def missing_lane():
    log, _ = sim.lanes(12, 30, 0.5, hz=5, skip=(5,))
    return log.frame(width_m=0.5), task(box(0, 0, 6, 30)), None, {"covered_m2": 165, "missed_m2": 15, "gaps_m2": 15}


def curve():
    frame = Log().stroke(arc((0, 0), 20, 0, 270)).frame(width_m=1.0)
    return frame, task(box(-25, -25, 25, 25)), None, {"covered_m2": 1.5 * np.pi * 20}


def s_bend():
    line = np.vstack([arc((0, 0), 15, 180, 0), arc((30, 0), 15, 180, 360)[1:]])
    return (
        Log().stroke(line).frame(width_m=0.5),
        task(box(-20, -20, 50, 20)),
        None,
        {"covered_m2": 2 * np.pi * 15 * 0.5},
    )


def headland():
    line = np.vstack([[(0, 0), (0, 30)], arc((6, 30), 6, 180, 0)[1:], [(12, 0)]])
    return (
        Log().stroke(line).frame(width_m=2.0),
        task(box(-5, -5, 20, 40)),
        None,
        {"covered_m2": 2 * (60 + np.pi * 6), "overlap_m2": 0},
    )


def island():
    ground = box(0, 0, 20, 20) - box(8, 8, 12, 12)
    log = Log()
    for i in range(10):
        log.stroke([(0, 2 * i + 1), (20, 2 * i + 1)]).wait(10)
    return log.frame(width_m=1.0), task(ground), None, {"task_m2": 384, "covered_m2": 200 - 2 * 4}


def many_parts():
    frame = Log().stroke([(0, 0), (60, 0)]).frame(width_m=2.0)
    return (
        frame,
        task(box(0, -5, 10, 5), shapely.MultiPolygon([box(20, -5, 30, 5), box(40, -5, 50, 5)])),
        None,
        {"covered_m2": 60, "missed_m2": 240, "outside_m2": 60},
    )


def overlapping_tasks():
    frame = Log().stroke([(0, 0), (30, 0)]).frame(width_m=1.0)
    return frame, task(box(0, -1, 20, 1), box(10, -1, 30, 1)), None, {"task_m2": 60, "covered_m2": 30}


def outage():
    frame = Log().stroke([(0, 0), (70, 0)]).frame(width_m=1.0)
    x = frame.geometry.x
    return (
        frame[(x <= 20.05) | (x >= 33.99)],
        task(box(0, -0.5, 70, 0.5)),
        None,
        {"covered_m2": 20.02 + 70 - 34.02, "outages": 1},
    )


def jump():
    log = Log().stroke([(0, 0), (20, 0)]).stroke([(40, 0), (60, 0)])
    return log.frame(width_m=1.0), task(box(0, -0.5, 60, 0.5)), None, {"covered_m2": 40, "missed_m2": 20, "outages": 1}


def duplicate_lane():
    log = Log().stroke([(0, 0), (40, 0)]).wait(20).stroke([(0, 0), (40, 0)])
    return log.frame(width_m=0.8), task(box(0, -1, 40, 1)), None, {"covered_m2": 32, "overlap_m2": 32}


def reverse_lane():
    log = Log().stroke([(0, 0), (40, 0), (0, 0)])
    return log.frame(width_m=0.8), task(box(0, -1, 40, 1)), None, {"covered_m2": 32, "overlap_m2": 32}


def out_of_boundary():
    return (
        Log().stroke([(-20, 0), (60, 0)]).frame(width_m=1.0),
        task(box(0, -2, 40, 2)),
        None,
        {"covered_m2": 40, "outside_m2": 40},
    )


def border_line():
    return (
        Log().stroke([(0, 0), (40, 0)]).frame(width_m=1.0),
        task(box(0, 0, 40, 4)),
        None,
        {"covered_m2": 20, "outside_m2": 20},
    )


def variable_width():
    log = Log().stroke([(0, 0), (20, 0)], width_m=1.0).stroke([(20, 0), (50, 0)], width_m=2.5)
    frame = log.frame()
    frame = frame[
        ~frame.geometry.duplicated()
    ]  # the wider tool starts one fix later: the lesser width counts until then
    return frame, task(box(0, -5, 50, 5)), None, {"covered_m2": 20.07 + 29.93 * 2.5}


def lift_outs():
    log = Log()
    for i in range(5):
        log.stroke([(i * 10, 0), (i * 10 + 6, 0)]).stroke([(i * 10 + 6, 0), (i * 10 + 10, 0)], on=False)
    return log.frame(width_m=1.0), task(box(0, -0.5, 50, 0.5)), None, {"covered_m2": 30, "missed_m2": 20, "outages": 0}


def antenna_offset():
    frame = Log().stroke([(0, 0), (40, 0)]).frame(width_m=2.0)
    return (
        frame,
        task(box(3, -4, 43, 0)),
        swath.Tool(ahead_m=3.0, right_m=2.0),
        {"covered_m2": 80 - 0, "outside_m2": 0, "missed_m2": 80},
    )


def antenna_offset_on_curve():
    frame = Log().stroke(arc((0, 0), 20, 0, 300)).frame(width_m=1.0)
    return frame, task(box(-30, -30, 30, 30)), swath.Tool(right_m=1.0), {"covered_m2": 5 / 3 * np.pi * 21}


def towed_tool():
    frame = Log().stroke([(0, 0), (0, 40)]).frame(width_m=1.5)
    return frame, task(box(-2, -5, 2, 40)), swath.Tool(ahead_m=-5.0), {"covered_m2": 60, "outside_m2": 0}


def sections():
    log = Log().stroke([(0, 0), (20, 0)], left=True).stroke([(20, 0), (50, 0)], left=False)
    frame = log.frame()
    frame = frame[~frame.geometry.duplicated()]
    tool = swath.Tool(
        sections=(swath.Section("left", 1.0, right_m=-0.5, is_on="left"), swath.Section("right", 1.0, right_m=0.5))
    )
    return frame, task(box(0, -2, 50, 2)), tool, {"covered_m2": 70, "overlap_m2": 0}


def overlapping_sections_count_once():
    frame = Log().stroke([(0, 0), (50, 0)]).frame()
    tool = swath.Tool(sections=(swath.Section("left", 1.0, right_m=-0.4), swath.Section("right", 1.0, right_m=0.4)))
    return frame, task(box(0, -2, 50, 2)), tool, {"covered_m2": 90, "overlap_m2": 0}


def diagonal():
    turn = np.radians(33)
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    log = Log(hz=5)
    for i in range(12):
        log.stroke(np.array([(0, 0.5 * i), (40, 0.5 * i)]) @ rotate).wait(10)
    ground = shapely.Polygon(np.array([(0, -0.25), (40, -0.25), (40, 5.75), (0, 5.75)]) @ rotate)
    return log.frame(width_m=0.6), task(ground), None, {"covered_m2": 240, "missed_m2": 0, "overlap_m2": 11 * 0.1 * 40}


def crossing():
    log = Log().stroke([(-20, 0), (20, 0)]).wait(30).stroke([(0, -20), (0, 20)])
    return (
        log.frame(width_m=1.5),
        task(box(-20, -20, 20, 20)),
        None,
        {"covered_m2": 2 * 40 * 1.5 - 1.5**2, "overlap_m2": 1.5**2},
    )


def one_hertz():
    log, _ = sim.lanes(8, 35, 1.0, hz=1, speed=1.0)
    return log.frame(width_m=1.2), task(box(-1, 0, 9, 35)), None, {"covered_m2": 8.2 * 35, "overlap_m2": 7 * 0.2 * 35}


def two_assets_two_days():
    one = Log().stroke([(0, 0), (40, 0)]).frame(width_m=1.0)
    two = Log(asset="D-2", start=sim.DAY + pd.Timedelta("1D")).stroke([(0, 0.5), (40, 0.5)]).frame(width_m=1.0)
    return pd.concat([one, two], ignore_index=True), task(box(0, -1, 40, 2)), None, {"covered_m2": 60, "overlap_m2": 20}


FIXTURES = [
    straight, lanes_side_by_side, lanes_overlapping, missing_lane, curve, s_bend, headland, island, many_parts, overlapping_tasks, outage, jump,
    duplicate_lane, reverse_lane, out_of_boundary, border_line, variable_width, lift_outs, antenna_offset, antenna_offset_on_curve, towed_tool,
    sections, overlapping_sections_count_once, diagonal, crossing, one_hertz, two_assets_two_days,
]  # fmt: skip


@pytest.mark.parametrize("make", FIXTURES, ids=lambda f: f.__name__)
def test_closed_form(make):
    frame, ground, tool, expected = make()
    result = swath.cover(swath.prepare(frame, ground, tool=tool), ground)
    total = result.totals
    for name, value in expected.items():
        assert total[name] == pytest.approx(value, rel=1e-3, abs=1e-3 * expected.get("covered_m2", 1)), name
    assert total["covered_m2"] + total["missed_m2"] == pytest.approx(total["task_m2"], rel=1e-9)
    shape = {name: getattr(result, name).geometry.union_all() for name in ("covered", "missed", "task")}
    assert shape["covered"].area + shape["missed"].area == pytest.approx(shape["task"].area, rel=1e-9)
    assert shape["covered"].intersection(shape["missed"]).area < 1e-9
    account = swath.prepare(frame, ground, tool=tool).counts
    assert account["read"] == len(frame) == account.drop("read").sum()


def area_of(frame, ground, **rules):
    return swath.cover(swath.prepare(frame, ground, rules=swath.Rules(**rules)), ground).totals


def noisy(seed=0):
    site = sim.marked_lanes(count=12, length=30.0, gaps=4, sigma=0.03, seed=seed)
    return site.fixes, site.task


def test_a_wider_tool_never_covers_less():
    frame, ground = noisy()
    covered = [
        swath.cover(swath.passes(frame.assign(width_m=w), ground), ground).totals["covered_m2"]
        for w in (0.2, 0.35, 0.5, 0.7, 1.0)
    ]
    assert covered == sorted(covered)


def test_more_fixes_of_work_never_cover_less():
    frame, ground = noisy()
    half = frame[frame["time"] < frame["time"].iloc[len(frame) // 2]]
    assert area_of(half, ground)["covered_m2"] <= area_of(frame, ground)["covered_m2"] + 1e-9


def test_row_order_changes_nothing():
    frame, ground = noisy()
    wild = sim.messy(frame, spikes=10)
    one, two = (swath.cover(swath.prepare(f, ground), ground) for f in (wild, wild.sample(frac=1, random_state=3)))
    assert one.covered.geometry.iloc[0].equals_exact(two.covered.geometry.iloc[0], 0)
    pd.testing.assert_frame_equal(pd.DataFrame(one.gaps), pd.DataFrame(two.gaps))
    assert one.totals.to_dict() == two.totals.to_dict()


def test_tiles_change_nothing():
    frame, ground = noisy()
    passes = swath.passes(frame, ground)
    whole = swath.cover(passes, ground).totals
    for tile in (3.0, 17.0):
        tiled = swath.cover(passes, ground, rules=swath.CoverRules(tile_m=tile)).totals
        for name in ("covered_m2", "missed_m2", "outside_m2", "overlap_m2", "gaps", "gaps_m2"):
            assert tiled[name] == pytest.approx(whole[name], rel=1e-9), name


@pytest.mark.parametrize(
    "crs",
    ["EPSG:4326", "EPSG:3857", "EPSG:32638", "EPSG:32639", "+proj=tmerc +lat_0=39 +lon_0=47 +units=us-ft +datum=WGS84"],
)
def test_any_reference_system_gives_the_same_ground(crs):
    log, _ = sim.lanes(6, 40, 0.5, hz=2)
    home = log.frame(width_m=0.6), task(box(0, 0, 3, 40))
    away = log.frame(crs=crs, width_m=0.6), task(box(0, 0, 3, 40), crs=crs)
    a, b = (swath.cover(swath.prepare(*pair), pair[1]) for pair in (home, away))
    assert b.totals["covered_m2"] == pytest.approx(a.totals["covered_m2"], rel=1e-4)
    assert b.covered.crs == away[1].crs


def test_inputs_are_not_changed():
    frame, ground = noisy()
    before = frame.copy(), ground.copy()
    swath.cover(swath.prepare(frame, ground), ground)
    pd.testing.assert_frame_equal(pd.DataFrame(before[0]), pd.DataFrame(frame))
    pd.testing.assert_frame_equal(pd.DataFrame(before[1]), pd.DataFrame(ground))


def test_an_outage_is_listed_with_its_place_and_never_bridged():
    frame, ground, _, _ = outage()
    made = swath.prepare(frame, ground)
    gap = made.outages[~made.outages["is_bridged"]]
    assert len(gap) == 1
    assert gap["length_m"].iloc[0] == pytest.approx(14.0, abs=0.1)
    row = made.issues[made.issues["check"] == "SW-02"]
    assert len(row) == 1
    assert row.geometry.iloc[0].length > 0
    assert "nothing is shown as covered" in row["message"].iloc[0]


def test_a_short_pause_is_bridged_and_listed():
    frame, ground, _, _ = straight()
    thin = frame[(frame.index < 200) | (frame.index > 230)]
    made = swath.prepare(thin, ground)
    assert made.outages["is_bridged"].tolist() == [True]
    assert "SW-03" in set(made.issues["check"])


def test_spikes_and_repeats_do_not_paint_and_are_counted():
    frame, ground, _, expected = lanes_overlapping()
    bad = sim.messy(frame, drop=0.0, spikes=30, repeats=40)
    made = swath.prepare(bad, ground)
    assert made.counts["spike"] == 30
    assert made.counts["duplicate_time"] == 40
    total = swath.cover(made, ground).totals
    assert total["covered_m2"] == pytest.approx(expected["covered_m2"], rel=2e-3)
    assert total["covered_m2"] <= expected["covered_m2"] * (1 + 1e-6)
    assert total["outside_m2"] < 0.02


def test_new_ground_of_days_adds_up():
    frame, ground, _, _ = two_assets_two_days()
    shares = swath.cover(swath.passes(frame, ground), ground).shares
    days = shares[shares["by"] == "day"]
    assert days["covered_m2"].tolist() == pytest.approx([40, 40])
    assert days["new_m2"].tolist() == pytest.approx([40, 20])
    assert shares[shares["by"] == "asset"]["key"].tolist() == ["D-1", "D-2"]


def test_machine_ground_is_processed_until_a_search_followed():
    frame, ground, _, _ = straight()
    machine = swath.passes(frame, ground)
    alone = swath.cover(machine, ground, method="mechanical")
    assert alone.totals["processed_m2"] == pytest.approx(50)
    assert alone.totals["searched_m2"] == pytest.approx(0)
    assert alone.covered["state"].tolist() == ["processed"]
    search = swath.passes(Log(start=sim.DAY + pd.Timedelta("2D")).stroke([(0, 0), (20, 0)]).frame(width_m=1.0), ground)
    after = swath.cover(machine, ground, method="mechanical", follow_up=search)
    assert after.totals["processed_m2"] == pytest.approx(30)
    assert any("not cleared" in line for line in after.sentences)


def test_depth_and_speed_are_layers_of_their_own():
    log = Log().stroke([(0, 0), (20, 0)], depth_cm=20.0).stroke([(20, 0), (50, 0)], depth_cm=8.0)
    frame = log.frame(width_m=1.0)
    ground = task(box(0, -0.5, 50, 0.5))
    result = swath.cover(swath.prepare(frame, ground, rules=swath.Rules(depth_cm=15.0)), ground)
    assert result.totals["shallow_m2"] == pytest.approx(30, rel=5e-3)
    assert result.totals["covered_m2"] == pytest.approx(50, rel=1e-3)
    fast = swath.cover(swath.prepare(frame, ground, rules=swath.Rules(speed_max_mps=0.5)), ground)
    assert fast.totals["fast_m2"] == pytest.approx(50, rel=1e-3)
    slow = swath.cover(swath.prepare(frame, ground, rules=swath.Rules(speed_max_mps=0.9)), ground)
    assert slow.totals["fast_m2"] == 0


def test_unknown_depth_counts_as_not_reached():
    frame = Log().stroke([(0, 0), (20, 0)]).frame(width_m=1.0, depth_cm=np.nan)
    ground = task(box(0, -0.5, 20, 0.5))
    made = swath.prepare(frame, ground, rules=swath.Rules(depth_cm=15.0))
    assert not made.passes["is_deep"].any()
    assert "SW-10" in set(made.issues["check"])


def test_required_passes():
    log = Log().stroke([(0, 0), (40, 0)]).wait(20).stroke([(0, 0.5), (40, 0.5)])
    ground = task(box(0, -0.5, 40, 1.0))
    total = swath.cover(
        swath.passes(log.frame(width_m=1.0), ground), ground, rules=swath.CoverRules(required_passes=2)
    ).totals
    assert total["short_m2"] == pytest.approx(40, rel=1e-3)


def test_tracks_that_cannot_show_coverage_say_so():
    frame, ground, _, _ = lanes_overlapping()
    result = swath.cover(swath.prepare(frame.assign(h_acc_m=2.0), ground), ground)
    assert any("cannot show coverage" in line for line in result.sentences)
    fine = swath.cover(swath.prepare(frame.assign(h_acc_m=0.02), ground), ground)
    assert not any("cannot show coverage" in line for line in fine.sentences)


@pytest.mark.parametrize("columns", [{}, {"h_acc_m": np.nan}, {"h_acc_m": 0.0}, {"hdop": 0.8}])
def test_a_track_of_unknown_accuracy_proves_no_more_than_a_hand_held_receiver(columns):
    """A phone track without accuracy is never taken as exact: its ground is worked, not searched, and nothing of it is assured."""
    frame, ground, _, _ = lanes_overlapping()
    made = swath.prepare(frame.assign(**columns), ground)
    result = swath.cover(made, ground, method="manual")
    poor = swath.cover(swath.prepare(frame.assign(h_acc_m=3.0), ground), ground, method="manual")
    assert result.totals["covered_m2"] == pytest.approx(poor.totals["covered_m2"])
    assert result.totals["searched_m2"] == poor.totals["searched_m2"] == 0
    assert set(result.covered["state"]) == set(poor.covered["state"]) == {"worked"}
    assert {"SW-20", "SW-21"} <= set(result.issues["check"])
    told = [line for line in result.sentences if "3 m per axis" in line]
    assert len(told) == 1, "the assumption is stated"
    known = swath.prepare(frame.assign(**columns), ground, rules=swath.Rules(h_acc_m=0.02))
    assert swath.cover(known, ground, method="manual").totals["searched_m2"] > 0, (
        "a person who knows the receiver says so"
    )


def test_one_fix_without_accuracy_makes_no_pass_better():
    """A pass whose fixes state 9 m is not a hand-held receiver's 3 m because one of them states nothing."""
    frame, ground, _, _ = lanes_overlapping()
    poor = frame.assign(h_acc_m=9.0, width_m=16.0)
    partly = poor.copy()
    partly.loc[partly.index[len(partly) // 2], "h_acc_m"] = np.nan
    for some in (poor, partly):
        made = swath.prepare(some, ground)
        assert made.passes["h_acc_m"].min() == 9.0
        assert swath.cover(made, ground, method="manual").totals["searched_m2"] == 0


def test_the_programme_says_what_an_unknown_receiver_is_worth():
    frame, ground, _, _ = lanes_overlapping()
    made = swath.prepare(frame, ground)
    fine = swath.CoverRules(programme=Programme(limits={"h_acc_default_m": 0.02}))
    result = swath.cover(made, ground, method="manual", rules=fine)
    assert result.totals["searched_m2"] == pytest.approx(result.totals["covered_m2"])
    assert {"SW-20", "SW-21"} & set(result.issues["check"]) == {"SW-21"}


def test_how_accurate_the_fixes_are_is_said_of_those_that_touch_the_task(tmp_path):
    """A track beside the task that states no accuracy says nothing about the task, in memory and from disk."""
    log = Log().stroke([(0, 0), (50, 0)]).wait(600).stroke([(0, 200), (50, 200)])
    frame = log.frame(width_m=1.0)
    frame["h_acc_m"] = np.where(frame.geometry.y < 100, 0.02, np.nan)
    path = tmp_path / "fixes.parquet"
    plain = pd.DataFrame(frame.drop(columns="geometry")).assign(x=frame.geometry.x, y=frame.geometry.y)
    plain.to_parquet(path)
    for ground, percent in (
        (task(box(0, -1, 50, 1)), None),
        (task(box(0, 199, 50, 201)), 100),
        (task(box(0, -1, 50, 201)), 50),
    ):
        for done in (
            swath.cover(swath.prepare(frame, ground), ground, method="manual"),
            swath.cover_stream(path, ground, job=swath.Job(crs=sim.LOCAL, method="manual")),
        ):
            said = [line for line in done.sentences if "do not state how accurate" in line]
            assert bool(said) == (percent is not None)
            assert not said or said[0].startswith(f"On {percent} % of the length")
            assert (done.totals["searched_m2"] > 0) == (percent is None)
    away = swath.cover(swath.prepare(frame, straight()[1]), task(box(0, 90, 50, 100)), method="manual")
    assert any("No pass lies in the task" in line for line in away.sentences)


def test_one_fix_without_accuracy_leaves_its_pass_without():
    frame, ground, _, _ = straight()
    passes = swath.passes(frame.assign(h_acc_m=[0.02] * (len(frame) - 1) + [np.nan]), ground)
    assert passes["h_acc_m"].isna().all()


# Bad input: a clear error or issue rows, and nothing painted.
def painted(frame, ground, **keywords):
    made = swath.prepare(frame, ground, **keywords)
    return swath.cover(made, ground).totals["covered_m2"], made


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: f.assign(width_m=0.0), "no_width"),
        (lambda f: f.assign(width_m=np.nan), "no_width"),
        (lambda f: f.assign(width_m=-1.0), "no_width"),
        (lambda f: f.assign(time=pd.Series(pd.NaT, index=f.index).dt.tz_localize("UTC")), "no_time"),
        (lambda f: f.set_geometry(gpd.GeoSeries([None] * len(f), index=f.index, crs=f.crs)), "no_geometry"),
        (lambda f: f.set_geometry(gpd.points_from_xy([np.nan] * len(f), [np.nan] * len(f), crs=f.crs)), "no_geometry"),
        (
            lambda f: f.set_geometry(gpd.points_from_xy([0.0] * len(f), [0.0] * len(f), crs=4326).to_crs(f.crs)),
            "far_away",
        ),
        (lambda f: f.set_geometry(f.geometry.translate(500_000)), "far_away"),
        (lambda f: f.assign(fix_quality="simulated"), "no_position_solution"),
        (lambda f: f.assign(fix_quality="none"), "no_position_solution"),
        (lambda f: f.assign(h_acc_m=50.0), "inaccurate"),
        (lambda f: f.iloc[:1], "alone"),
        (lambda f: f.assign(time=f["time"].iloc[0]), "duplicate_time"),
        (lambda f: f.assign(time=sim.DAY + pd.to_timedelta(np.arange(len(f)) * 60, unit="s")), "alone"),
        (lambda f: f.set_geometry(gpd.points_from_xy([5.0] * len(f), [0.0] * len(f), crs=f.crs)), "alone"),
    ],
)
def test_useless_fixes_paint_nothing_and_are_counted(spoil, reason):
    frame, ground, _, _ = straight()
    covered, made = painted(spoil(frame), ground)
    assert covered == 0
    assert made.counts[reason] >= len(spoil(frame)) - 1
    assert made.counts["read"] == made.counts.drop("read").sum()
    assert len(made.issues[made.issues["check"].isin(["SW-01", "SW-09"])]) >= 2


def test_null_island_is_named():
    frame, ground, _, _ = straight()
    away = frame.to_crs(4326)
    lost = away.set_geometry(gpd.points_from_xy([0.0] * len(away), [0.0] * len(away), crs=4326))
    covered, made = painted(lost, ground)
    assert covered == 0
    assert made.counts["null_island"] == len(frame)


def test_fixes_of_another_zone_are_not_painted():
    frame, ground, _, _ = straight()
    other = frame.to_crs("EPSG:32639")
    mixed = gpd.GeoDataFrame(
        pd.concat(
            [frame.to_crs("EPSG:32638")[:300], gpd.GeoDataFrame(other[300:]).set_crs("EPSG:32638", allow_override=True)]
        ),
        crs="EPSG:32638",
    )
    covered, made = painted(mixed, ground)
    assert made.counts["far_away"] == len(frame) - 300
    assert covered == pytest.approx(299 * 0.07, rel=1e-3)


def test_no_fixes_at_all():
    frame, ground, _, _ = straight()
    covered, made = painted(frame.iloc[:0], ground)
    assert covered == 0
    assert made.counts["read"] == 0


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda f, t: (f.drop(columns="time"), t), CoverageError),
        (lambda f, t: (f.set_crs(None, allow_override=True), t), CRSError),
        (lambda f, t: (f, t.set_crs(None, allow_override=True)), CRSError),
        (lambda f, t: (f, t.iloc[:0]), CoverageError),
        (lambda f, t: (f, task(shapely.Polygon())), CoverageError),
        (lambda f, t: (f, task(shapely.Point(0, 0))), CoverageError),
        (lambda f, t: (f.set_geometry(f.geometry.buffer(1)), t), CoverageError),
    ],
)
def test_broken_calls_are_refused_in_words(spoil, error):
    frame, ground, _, _ = straight()
    with pytest.raises(error) as caught:
        painted(*spoil(frame, ground))
    assert len(str(caught.value)) > 15


@pytest.mark.parametrize(
    "bad", [{"outage_s": 0}, {"smooth_s": 10}, {"thin_m": -1}, {"turn_deg": 170}, {"step_m": float("nan")}]
)
def test_rules_that_would_hide_gaps_are_refused(bad):
    with pytest.raises(CoverageError):
        swath.Rules(**bad)


def test_frames_that_are_not_passes_are_refused():
    frame, ground, _, _ = straight()
    with pytest.raises(SchemaError):
        swath.cover(frame, ground)


def test_a_broken_task_outline_is_repaired_and_said():
    frame, _, _, _ = straight()
    bow = task(shapely.Polygon([(0, -1), (50, 1), (50, -1), (0, 1)]))
    result = swath.cover(swath.prepare(frame, bow), bow)
    assert "SW-15" in set(result.issues["check"])
    assert result.totals["task_m2"] == pytest.approx(50)


def test_hostile_names_stay_text():
    frame, ground, _, _ = straight()
    frame = frame.assign(asset_id="<script>alert(1)</script>", operator="=cmd()")
    result = swath.cover(swath.prepare(frame, ground), ground)
    assert "<script>" not in result._repr_html_()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.floats(-5, 30), st.floats(-5, 30), st.floats(-5, 30), st.floats(-5, 30)), min_size=1, max_size=6
    ),
    st.lists(st.tuples(st.floats(0, 25), st.floats(0, 25)), min_size=3, max_size=7, unique=True),
    st.floats(0.1, 3.0),
)
def test_covered_and_missed_are_the_task_whatever_the_lanes(strokes, outline, width):
    ground = shapely.convex_hull(shapely.MultiPoint(outline))
    if ground.geom_type != "Polygon" or ground.area < 0.5:
        return
    log = Log(hz=2)
    for x0, y0, x1, y1 in strokes:
        if np.hypot(x1 - x0, y1 - y0) < 0.5:
            continue
        if log.rows:
            log.wait(20)
        log.stroke([(x0, y0), (x1, y1)])
    if not log.rows:
        return
    made = swath.prepare(log.frame(width_m=width), task(ground))
    result = swath.cover(made, task(ground))
    t = result.totals
    assert t["covered_m2"] + t["missed_m2"] == pytest.approx(t["task_m2"], rel=1e-9)
    assert 0 <= t["overlap_m2"] <= t["covered_m2"] + 1e-9
    swept = swath.swaths(made.passes)
    assert t["covered_m2"] <= swept.area.sum() * (1 + 1e-9)
    assert t["covered_m2"] + t["outside_m2"] == pytest.approx(swept.union_all().area, rel=1e-9)


@pytest.mark.parametrize(
    "word", ["mechanical", "Mechanical", "MECHANICAL ", "flail", "Mechanical flail", "Machine", "механизированная"]
)
def test_a_machine_in_any_spelling_only_processes(word):
    frame, ground, _, _ = straight()
    result = swath.cover(swath.passes(frame, ground), ground, method=word)
    assert result.totals["processed_m2"] == pytest.approx(50)
    assert result.totals["searched_m2"] == pytest.approx(0)
    assert result.covered["state"].tolist() == ["processed"]


@pytest.mark.parametrize("word", ["zzz", 5, "unknown", "\u202ezzz\x07"])
def test_a_method_nobody_knows_is_worked_and_named(word):
    frame, ground, _, _ = straight()
    result = swath.cover(swath.passes(frame, ground), ground, method=word)
    assert result.totals["searched_m2"] == result.totals["processed_m2"] == 0
    assert result.covered["state"].tolist() == ["worked"]
    said = result.issues.loc[result.issues["check"] == "SW-16", "message"].tolist()
    assert len(said) == 1
    assert str(word).strip("\u202e\x07") in said[0]
    assert "\u202e" not in said[0]
    assert any("is not a known word" in line for line in result.sentences)


@pytest.mark.parametrize("word", [None, "", float("nan")])
def test_no_method_is_worked(word):
    frame, ground, _, _ = straight()
    result = swath.cover(swath.passes(frame, ground), ground, method=word)
    assert result.totals["searched_m2"] == 0
    assert result.covered["state"].tolist() == ["worked"]


def test_a_search_in_any_spelling_searches():
    frame, ground, _, _ = straight()
    for word in ("manual", "Manual", "Detector"):
        passes = swath.passes(frame.assign(h_acc_m=0.02), ground)
        assert swath.cover(passes, ground, method=word).totals["searched_m2"] == pytest.approx(50)


def together(*sides, order=None, count=400, step=0.25, width=0.5, shake=0.0, seed=0):
    """Fixes of several tools abreast, one after the other as `order` says, logged as one; the truth is the union of their own swaths."""
    turn = np.resize(np.arange(len(sides)) if order is None else order, count)
    xy = (
        np.column_stack([np.arange(count) * step, np.array(sides)[turn]])
        + np.random.default_rng(seed).normal(size=(count, 2)) * shake
    )
    frame = sim.as_fixes(np.arange(count) * 0.5, xy, width_m=width)
    return frame, shapely.union_all([box(-1, y - width / 2, count * step + 1, y + width / 2) for y in sides])


def false_ground(frame, truth):
    made = swath.prepare(frame.drop(columns="asset_id"), task(box(-50, -50, 250, 50)))
    assert made.counts["read"] == made.counts.drop("read").sum()
    return shapely.difference(swath.swaths(made.passes).union_all(), truth.buffer(1e-6)).area, made


@pytest.mark.parametrize("spacing", [0.8, 1.0, 1.6, 2.0, 2.4, 2.6, 2.9])
@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (0, 1, 1, 1, 1, 1)])
def test_two_tools_logged_as_one_paint_nothing_between_them(spacing, order):
    frame, truth = together(-spacing / 2, spacing / 2, order=order)
    area, made = false_ground(frame, truth)
    assert area < 0.3
    assert made.counts["mixed_tools"] > 0.9 * len(frame)
    said = made.issues[made.issues["column"].isin(["mixed_tools", "asset_id"])]
    assert len(said) == 2


@pytest.mark.parametrize("spacing", [0.8, 1.0, 1.4, 2.0, 2.4, 2.6])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_three_tools_logged_as_one_paint_nothing_between_them(spacing, order):
    frame, truth = together(0, spacing, 2 * spacing, order=order, step=0.2)
    area, made = false_ground(frame, truth)
    assert area < 0.3
    assert "SW-17" in set(made.issues["check"])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spacing", [1.0, 1.8, 2.4])
def test_tools_that_write_in_no_order_and_shake_paint_nothing_between_them(seed, spacing):
    order = np.random.default_rng(seed).integers(0, 2, 600)
    frame, truth = together(-spacing / 2, spacing / 2, order=order, count=600, shake=0.02, seed=seed)
    area, _ = false_ground(frame, truth.buffer(0.06))
    assert area < 0.01 * spacing * 150


def test_a_stretch_of_two_tools_does_not_cost_the_work_before_it():
    frame, truth = together(-1.0, 1.0, count=100)
    alone = sim.as_fixes(np.arange(80) * 0.5, along_x(40.0) - [40.5, -1.0], width_m=0.5)
    both = pd.concat([alone, frame.assign(time=frame["time"] + pd.Timedelta("40s"))], ignore_index=True)
    area, made = false_ground(gpd.GeoDataFrame(both, crs=frame.crs), truth.union(box(-41, 0.75, 0, 1.25)))
    assert area < 0.3
    assert made.passes["length_m"].sum() > 36


def along_x(length, step=0.5):
    x = np.arange(0, length, step)
    return np.column_stack([x, np.zeros(len(x))])


def swing(per_swing, reach=0.6, length=20.0, forward=0.1):
    """A detector swung from side to side with so many fixes for each swing."""
    count = int(length / forward * per_swing)
    phase = np.arange(count) / per_swing
    side = reach * (1 - 2 * np.abs(phase % 2 - 1))
    return np.column_stack([phase * forward, side])


def short_lanes(step, hop, length=5.0, count=10):
    """Short lanes up and down without a pause, with one step aside between them."""
    y = np.arange(0, length + 1e-9, step)
    return np.vstack([np.column_stack([np.full(len(y), i * hop), y if i % 2 == 0 else y[::-1]]) for i in range(count)])


HONEST = {
    "swing 2": swing(2), "swing 2.5": swing(2.5), "swing 3": swing(3), "swing 7.3": swing(7.3), "lanes": short_lanes(0.7, 0.9), "narrow": short_lanes(0.7, 0.45),
    "steps": np.column_stack([np.repeat(np.arange(60) * 0.6, 3), np.zeros(180)]),
    "zigzag": np.vstack([np.column_stack([np.linspace(0, 2, 6)[:-1] + 2 * i, np.linspace(0, 3, 6)[:-1] * (-1) ** i + 3 * (i % 2)]) for i in range(12)]),
    "circle": np.column_stack([2 * np.cos(np.arange(100) * 0.4), 2 * np.sin(np.arange(100) * 0.4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_the_turns_and_swings_of_one_tool_keep_their_ground(name):
    rng = np.random.default_rng(4)
    track = HONEST[name]
    for noise in (0.0, 0.01, 0.03):
        frame = sim.as_fixes(np.arange(len(track)) * 1.0, track + rng.normal(size=track.shape) * noise, width_m=0.4)
        assert swath.prepare(frame, task(box(-50, -50, 250, 50))).counts["mixed_tools"] == 0


def test_a_track_with_lost_fixes_is_not_taken_for_several_tools():
    rng = np.random.default_rng(5)
    log, _ = sim.lanes(10, 30, 0.5, hz=1)
    frame = log.frame(width_m=0.3)
    assert swath.prepare(frame[rng.random(len(frame)) > 0.3], task(box(0, 0, 5, 30))).counts["mixed_tools"] == 0


def test_rows_without_a_tool_are_always_said():
    frame, ground, _, _ = straight()
    for bare in (
        frame.drop(columns="asset_id"),
        frame.assign(asset_id=None),
        frame.assign(asset_id=[""] + ["D"] * (len(frame) - 1)),
    ):
        assert "SW-17" in set(swath.prepare(bare, ground).issues["check"])
    assert "SW-17" not in set(swath.prepare(frame, ground).issues["check"])


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_an_accuracy_of_zero_or_less_is_unknown_never_perfect(value):
    frame, ground, _, _ = lanes_overlapping()
    made = swath.prepare(frame.assign(h_acc_m=value), ground)
    assert made.passes["h_acc_m"].isna().all()
    assert made.issues.loc[made.issues["check"] == "SW-18", "value"].astype(int).tolist() == [len(frame)]
    assert "SW-21" in set(swath.cover(made, ground).issues["check"])
    with pytest.raises(CoverageError, match="how accurate"):
        swath.assurance(made.passes, swath.grid_of(ground, 0.5), task=ground)
    with pytest.raises(CoverageError, match="how accurate"):
        swath.assurance(made.passes.assign(h_acc_m=value), swath.grid_of(ground, 0.5), task=ground)
    assumed = swath.prepare(frame.assign(h_acc_m=value, fix_quality="rtk_float"), ground).passes["h_acc_m"]
    assert assumed.tolist() == pytest.approx([0.3] * len(assumed))


@pytest.mark.parametrize(
    ("width", "tool"),
    [
        (120.0, None),
        (20.1, None),
        (np.nan, swath.Tool(width_m=120.0)),
        (np.nan, swath.Tool(sections=(swath.Section("one", 50.0), swath.Section("two", 1.0, right_m=3)))),
    ],
)
def test_a_width_no_tool_has_claims_nothing(width, tool):
    frame, ground, _, _ = straight()
    covered, made = painted(frame.assign(width_m=width), ground, tool=tool)
    assert covered == 0
    assert made.counts["implausible_width"] == len(frame)
    assert "implausible_width" in set(made.issues["column"])


def test_a_wide_tool_is_doubted_and_the_limits_can_be_set():
    frame, ground, _, _ = straight()
    wide = swath.prepare(frame.assign(width_m=12.0), ground)
    assert wide.issues.loc[wide.issues["check"] == "SW-19", "limit"].astype(float).tolist() == [8.0]
    assert (
        (swath.cover(wide.passes, ground).issues["check"] == "SW-19").sum()
        == (swath.cover(wide, ground).issues["check"] == "SW-19").sum()
        == 1
    )
    known = swath.prepare(frame.assign(width_m=24.0), ground, rules=swath.Rules(width_warn_m=25, width_max_m=30))
    assert known.counts["used"] == len(frame)
    assert "SW-19" not in set(known.issues["check"])
    assert "SW-19" not in set(swath.prepare(frame, ground).issues["check"])


@pytest.mark.parametrize(
    ("value", "on", "unreadable"),
    [
        ("yes", True, False),
        ("Ja?", False, True),
        ("0", False, False),
        ("1", True, False),
        (1.0, True, False),
        (0.5, False, True),
        (2, False, True),
        ("вкл", True, False),
        ("щщ", False, True),
        ("да", True, False),
    ],
)
def test_working_flags_in_words_and_numbers(value, on, unreadable):
    frame, ground, _, _ = straight()
    covered, made = painted(frame.assign(is_on=value), ground)
    assert covered == pytest.approx(50 if on else 0, rel=1e-3)
    said = made.issues[(made.issues["check"] == "SW-04") & (made.issues["severity"] == "warning")]
    assert len(said) == int(unreadable)
    half = swath.Tool(sections=(swath.Section("one", 1.0, is_on="boom"),))
    covered, made = painted(frame.assign(boom=value), ground, tool=half)
    assert (covered > 40) == on
    assert ("SW-04" in set(made.issues["check"])) == unreadable


def test_flags_of_mixed_kinds_are_read_one_by_one():
    frame, ground, _, _ = straight()
    mixed = pd.Series(
        np.resize(np.array([True, "yes", 1, "on", np.int64(1)], dtype=object), len(frame)), index=frame.index
    )
    assert painted(frame.assign(is_on=mixed), ground)[0] == pytest.approx(50, rel=1e-3)
    mixed.iloc[100:200] = None
    mixed.iloc[300:400] = "perhaps"
    covered, made = painted(frame.assign(is_on=mixed), ground)
    assert covered == pytest.approx(50 - 202 * 0.07, abs=0.1)
    assert made.counts["tool_lifted"] == 200


@pytest.mark.parametrize("column", ["width_m", "is_on", "asset_id"])
def test_a_column_that_occurs_twice_is_refused_in_words(column):
    frame, ground, _, _ = straight()
    twice = pd.concat([frame, frame[[column]]], axis=1)
    with pytest.raises(CoverageError, match=column):
        swath.prepare(twice, ground)
    passes = swath.passes(frame, ground)
    with pytest.raises(CoverageError, match="width_m"):
        swath.cover(pd.concat([passes, passes[["width_m"]]], axis=1), ground)


def nowhere(passes):
    with np.errstate(invalid="ignore"):
        return gpd.GeoSeries(shapely.linestrings([[(0.0, 0.0), (np.nan, 1.0)]] * len(passes)), crs=passes.crs)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p.set_geometry(gpd.GeoSeries([None] * len(p), crs=p.crs)),
        lambda p: p.set_geometry(p.geometry.buffer(3)),
        lambda p: p.set_geometry(p.geometry.centroid),
        lambda p: p.set_geometry(nowhere(p)),
        lambda p: p.assign(width_m="wide"),
        lambda p: p.assign(width_m="1.0"),
        lambda p: p.assign(width_m=np.inf),
        lambda p: p.assign(width_m=np.nan),
        lambda p: p.assign(width_m=-1.0),
    ],
)
def test_passes_without_a_line_or_a_width_are_refused_in_words(spoil):
    frame, ground, _, _ = straight()
    with pytest.raises(CoverageError, match="every pass needs"):
        swath.cover(spoil(swath.passes(frame, ground)), ground)


@pytest.mark.parametrize(
    ("column", "values", "metres"),
    [
        ("Width (ft)", 3.0, 0.9144),
        ("working_width_cm", 80, 0.8),
        ("width_mm", 800.0, 0.8),
        ("width_m", "2.5 ft", 0.762),
        ("width_m", "80 cm", 0.8),
        ("width_m", "wide", None),
        ("width_m", "5 parsec", None),
    ],
)
def test_widths_in_any_unit_of_length(column, values, metres):
    frame, ground, _, _ = straight()
    given = frame.drop(columns="width_m").assign(**{column: values})
    covered, made = painted(given, ground)
    assert covered == pytest.approx(50 * metres if metres else 0, rel=1e-6)
    assert made.counts["no_width"] == (0 if metres else len(frame))
    assert ("SW-25" in set(made.issues["check"])) == (column != "width_m")


def test_depth_in_inches_is_held_against_centimetres():
    frame, ground, _, _ = straight()
    rules = swath.Rules(depth_cm=20.0)
    for column, value, deep in (
        ("depth_in", 8.0, True),
        ("depth_in", 7.5, False),
        ("depth_cm", 20, True),
        ("depth_mm", 200, True),
    ):
        made = swath.prepare(frame.assign(**{column: value}), ground, rules=rules)
        assert made.passes["is_deep"].all() == deep, column


def test_the_words_of_a_programme_count():
    frame, ground, _, _ = straight()
    passes = swath.passes(frame.assign(h_acc_m=0.02), ground)
    programme = Programme(words={"method": {"Kratzer": "mechanical", "Sonde": "detector"}})
    for word, name in (("Kratzer", "processed_m2"), ("Sonde", "searched_m2")):
        unknown = swath.cover(passes, ground, method=word)
        assert unknown.totals["searched_m2"] == unknown.totals["processed_m2"] == 0
        known = swath.cover(passes, ground, method=word, rules=swath.CoverRules(programme=programme))
        assert known.totals[name] == pytest.approx(50)


def test_the_account_of_fixes_adds_up_from_the_files_on():
    frame, ground, _, _ = straight()
    counts = swath.prepare(sim.messy(frame, spikes=5, repeats=7), ground).counts
    reading = pd.DataFrame(
        [
            ("RD-00", "fixes", "a.csv: 900 rows", "rows=900 kept=890 repaired=3 rejected=10"),
            ("RD-00", "fixes", "b.csv: 5 rows", "rows=5 kept=4 repaired=0 rejected=1"),
            ("RD-00", "hazards", "", "rows=3 kept=1 repaired=0 rejected=2"),
            *[("RD-02", "fixes", f"a.csv row {n}: rejected: it lies nowhere (id 'x{n}')", "") for n in range(8)],
            ("RD-02", "hazards", "rejected: something else", ""),
        ],
        columns=["check", "kind", "message", "value"],
    )  # fmt: skip
    found = swath.account(counts, reading, elsewhere=100)
    assert found.refused == {"for other reasons": 3, "it lies nowhere": 8}
    assert found.in_files == found.read + 100 + 11
    assert found.read == found.used + found.lifted + sum(found.dropped.values())
    assert found.issues["check"].tolist() == ["SW-24"]
    assert len(swath.account(counts).issues) == 0
    numbers = [int(word) for word in found.sentences[1].replace("fixes:", "").split() if word.isdigit()]
    assert numbers[0] == sum(numbers[1:])


def test_a_share_is_never_rounded_up_to_all():
    frame, _, _, _ = straight()
    ground = task(box(0, -0.49999, 50, 0.50001))
    result = swath.cover(swath.prepare(frame, ground), ground)
    assert result.totals["missed_m2"] > 0
    assert "(100.00 %)" not in result.sentences[0]


def test_poor_geometry_of_satellites_makes_an_assumed_accuracy_worse():
    frame, ground, _, _ = straight()
    for columns, sigma in (
        ({"fix_quality": "rtk_fixed"}, 0.02), ({"fix_quality": "rtk_fixed", "hdop": 4.0}, 0.08), ({"fix_quality": "rtk_fixed", "hdop": 0.6}, 0.02),
        ({"fix_quality": "rtk_fixed", "hdop": 4.0, "h_acc_m": 0.03}, 0.03), ({"hdop": 4.0}, np.nan),
    ):  # fmt: skip
        passes = swath.passes(frame.assign(**columns), ground)
        assert passes["h_acc_m"].tolist() == pytest.approx([sigma] * len(passes), nan_ok=True), columns


def test_fixes_left_out_are_a_layer_with_their_reason():
    frame, ground, _, _ = lanes_overlapping()
    layers = swath.cover(swath.prepare(sim.messy(frame, spikes=10, repeats=5), ground), ground).layers()
    assert layers["swath_dropped"]["reason"].value_counts().to_dict() == {"spike": 10, "duplicate_time": 5}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(0.5, 3000), st.floats(0.5, 3000), st.floats(0.01, 20), st.integers(4, 20_000), st.floats(-500, 500))
def test_a_grid_within_a_number_of_cells_never_has_more_and_covers_the_task(width, height, cell, most, shift):
    x, y = 700_000 + shift, 4_380_000 - shift
    task = gpd.GeoSeries([shapely.box(x, y, x + width, y + height)], crs="EPSG:32638")
    grid = swath.grid_within(task, cell, most)
    assert grid.shape[0] * grid.shape[1] <= most and grid.cell >= cell
    west, south, east, north = task.to_crs(grid.crs).total_bounds
    left, low, right, high = grid.bounds
    assert left <= west + 1e-6 and low <= south + 1e-6 and right >= east - 1e-6 and high >= north - 1e-6
    if grid.cell > cell:  # no larger than it has to be: half the side would make far too many
        assert 4 * width * height / grid.cell**2 + 8 * (width + height) / grid.cell + 4 > most


@pytest.mark.parametrize("cell, most", [(0, 100), (-1, 100), ("1", 100), (1, 3), (1, 10.5), (1, None), (1, 10**12)])
def test_a_grid_within_something_else_is_refused(cell, most):
    task = gpd.GeoSeries([shapely.box(700_000, 4_380_000, 700_100, 4_380_100)], crs="EPSG:32638")
    with pytest.raises(CoverageError):
        swath.grid_within(task, cell, most)


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({"run_id": "again"}, 50),
        ({"run_id": "again", "asset_id": "other"}, 50),
        ({"run_id": "again", "is_on": False}, 0),
        ({"run_id": "again", "width_m": 0.5}, 25),
    ],
)
def test_a_file_read_twice_is_one_pass(change, covered):
    frame, ground, _, _ = straight()
    once = frame.assign(run_id="first", asset_id="A", is_on=True, width_m=1.0)
    both = pd.concat([once, once.assign(**change)], ignore_index=True)
    made = swath.prepare(both, ground)
    assert made.counts["duplicate_time"] == len(frame) and made.counts.drop("read").sum() == len(both)
    assert made.passes["pass_id"].nunique() == int(covered > 0)
    assert swath.cover(made, ground).totals["covered_m2"] == pytest.approx(covered, rel=1e-3)
    turned = swath.prepare(both.iloc[::-1], ground)
    assert turned.passes.drop(columns="geometry").equals(made.passes.drop(columns="geometry"))
    assert (
        swath.prepare(pd.concat([once, once.assign(run_id="again", time=once["time"] + pd.Timedelta("1h"))]), ground)
        .passes["pass_id"]
        .nunique()
        == 2
    )
