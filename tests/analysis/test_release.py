"""The land-release ledger: identities, priority, days, careless input."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.model.errors import CRSError, ReleaseError, SchemaError

EAST, NORTH = 700_000, 4_380_000
PARTS = ["cancelled_m2", "reduced_m2", "cleared_m2", "transferred_m2", "corrected_m2", "remaining_m2"]


def box(west, south, east, north):
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def layer(rows, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(rows), crs="EPSG:32638")


def field(*shapes, **more):
    return layer(shapes, id=[f"H-{n}" for n in range(len(shapes))], **more)


def acts(*rows):
    """Rows of (id, product, date, geometry, further columns)."""
    table = [{"id": i, "product": p, "date": d, **(m[0] if m else {})} for i, p, d, _, *m in rows]
    return gpd.GeoDataFrame(pd.DataFrame(table), geometry=[row[3] for row in rows], crs="EPSG:32638")


def test_every_square_metre_is_in_one_state():
    hazards = field(box(0, 0, 100, 100), box(200, 0, 300, 100))
    releases = acts(
        ("a", "cleared", "2024-01-01", box(0, 0, 50, 100)),
        ("b", "reduced", "2024-02-01", box(25, 0, 75, 100)),
        ("c", "cancelled", "2024-03-01", box(90, 0, 210, 100)),
    )
    found = gt.coverage(hazards, releases)
    assert np.allclose(found.table[PARTS].sum(axis=1), found.table["area_m2"], atol=1e-6)
    k = found.table["area_m2"][0] / 10_000
    assert found.table.loc[0, ["cleared_m2", "reduced_m2", "cancelled_m2"]].tolist() == pytest.approx(
        [5000 * k, 2500 * k, 1000 * k], rel=1e-5
    )
    assert found.table["overlap_m2"][0] == pytest.approx(2500 * k, rel=1e-5)
    assert found.totals["outside_m2"] == pytest.approx(10_000 * k, rel=1e-5)
    assert found.totals["claimed_m2"] == pytest.approx(22_000 * k, rel=1e-5)
    assert found.totals["claimed_m2"] == pytest.approx(
        found.totals[["union_m2", "overlap_m2", "reopened_m2"]].sum(), abs=1e-6
    )


def test_areas_are_those_of_the_measure():
    hazards = field(
        box(0, 0, 100, 100),
        box(500, 0, 90_500, 1000),
        shapely.difference(box(0, 2000, 900, 2900), box(10, 2010, 20, 2020)),
    )
    assert np.allclose(gt.coverage(hazards, acts()).table["area_m2"], gt.measure.area(hazards), rtol=1e-12)


@pytest.mark.parametrize(
    ("dates", "winner"), [(("2024-02-01", "2024-01-01"), "b"), ((None, "2024-01-01"), "b"), (("2024-01-01", None), "a")]
)
def test_the_first_by_date_keeps_the_credit(dates, winner):
    releases = acts(("a", "cleared", dates[0], box(0, 0, 60, 60)), ("b", "cancelled", dates[1], box(0, 0, 60, 60)))
    found = gt.coverage(field(box(0, 0, 100, 100)), releases)
    assert found.credits.set_index("id")["net_m2"].gt(0).pipe(lambda s: list(s.index[s])) == [winner]
    loser = found.credits.set_index("id").drop(winner)
    assert loser["why_zero"].tolist() == ["all of its ground had been released before"]
    assert "RL-11" in set(found.issues["check"])


def test_on_one_day_cleared_comes_before_reduced_before_cancelled():
    same = [
        (n, p, "2024-01-01", box(0, 0, 60, 60)) for n, p in zip("abc", ["cancelled", "reduced", "cleared"], strict=True)
    ]
    found = gt.coverage(field(box(0, 0, 100, 100)), acts(*same))
    assert (found.credits.set_index("id")["net_m2"] > 0).to_dict() == {"a": False, "b": False, "c": True}


def test_machine_work_is_processed_until_someone_searches():
    machine = ("m", "cleared", "2024-01-01", box(0, 0, 60, 100), {"method": "mechanical"})
    hazards = field(box(0, 0, 100, 100))
    alone = gt.coverage(hazards, acts(machine)).table.iloc[0]
    assert alone["cleared_m2"] == alone["released_m2"] == 0
    assert alone["processed_m2"] == pytest.approx(0.6 * alone["area_m2"], rel=1e-5)
    assert alone["remaining_m2"] == pytest.approx(alone["area_m2"])
    after = gt.coverage(
        hazards, acts(machine, ("d", "cleared", "2024-03-01", box(0, 0, 30, 100), {"method": "mdd"}))
    ).table.iloc[0]
    assert after["cleared_m2"] == pytest.approx(0.3 * after["area_m2"], rel=1e-5)
    assert after["processed_m2"] == pytest.approx(0.3 * after["area_m2"], rel=1e-5)
    searched = gt.coverage(hazards, acts((*machine[:4], {"method": "mechanical", "follow_up": "manual"}))).table.iloc[0]
    assert searched["cleared_m2"] == pytest.approx(0.6 * searched["area_m2"], rel=1e-5)


def test_as_of_leaves_out_what_was_not_known():
    hazards = field(box(0, 0, 100, 100), box(200, 0, 300, 100), date_info=["2023-01-01", "2025-01-01"])
    releases = acts(
        ("a", "cleared", "2024-01-01", box(0, 0, 50, 100)),
        ("b", "cleared", "2024-06-01", box(50, 0, 60, 100)),
        ("c", "cleared", None, box(60, 0, 70, 100)),
    )
    found = gt.coverage(hazards, releases, as_of="2024-05-31")
    assert found.table["id"].tolist() == ["H-0"]
    assert found.totals["coverage"] == pytest.approx(0.5, rel=1e-5)
    assert gt.coverage(hazards, releases).totals["released_m2"] == pytest.approx(
        0.7 * found.totals["area_m2"], rel=1e-5
    )
    assert {"RL-04", "RL-17"} <= set(found.issues["check"])


def test_totals_count_shared_ground_once():
    hazards = field(box(0, 0, 100, 100), box(50, 0, 150, 100))
    found = gt.coverage(hazards, acts(("a", "cleared", "2024-01-01", box(50, 0, 100, 100))))
    assert found.totals["area_m2"] == pytest.approx(0.75 * found.totals["row_area_m2"], rel=1e-5)
    assert found.totals["cleared_m2"] * 2 == pytest.approx(found.table["cleared_m2"].sum(), rel=1e-5)
    assert found.totals["remaining_m2"] == pytest.approx(
        found.totals["area_m2"] - found.totals["released_m2"], abs=1e-6
    )


def test_geometry_decides_and_links_are_compared():
    hazards = field(box(0, 0, 100, 100), box(200, 0, 300, 100))
    releases = acts(
        ("a", "cleared", "2024-01-01", box(0, 0, 50, 50), {"hazard_id": "H-1"}),
        ("b", "cleared", "2024-01-02", box(60, 0, 70, 50), {"hazard_id": "nowhere"}),
        ("c", "cleared", "2024-01-03", box(80, 0, 90, 50), {"hazard_id": None}),
        ("d", "cleared", "2024-01-04", box(200, 0, 250, 50), {"hazard_id": "H-1"}),
    )
    found = gt.coverage(hazards, releases)
    by = found.issues.set_index("id")["check"]
    assert (by["a"], by["b"], by["c"]) == ("RL-09", "RL-08", "RL-10")
    assert "d" not in by
    assert found.table["released_m2"].gt(0).tolist() == [True, True]


def test_careless_rows_count_nothing_and_are_told():
    bow = shapely.Polygon([(EAST, NORTH), (EAST + 20, NORTH + 20), (EAST + 20, NORTH), (EAST, NORTH + 20)])
    shapes = [
        None,
        shapely.Polygon(),
        bow,
        shapely.Point(EAST, NORTH),
        shapely.box(np.inf, 0, np.inf, 1),
        box(0, 0, 5, 5),
    ]
    releases = layer(shapes, product=["cleared"] * 5 + ["???"])
    found = gt.coverage(field(box(0, 0, 100, 100), None), releases)
    assert len(found.credits) == 6
    assert (found.credits["net_m2"] > 0).sum() == 1
    checks = found.issues["check"].tolist()
    assert (checks.count("RL-02"), checks.count("RL-01"), checks.count("RL-03"), checks.count("RL-06")) == (4, 1, 1, 1)
    assert found.table["coverage"].isna().tolist() == [False, True]
    assert found._repr_html_().startswith("<div>")


def test_empty_and_bare_frames():
    nothing = gpd.GeoDataFrame()
    assert gt.coverage(nothing, nothing).totals["area_m2"] == 0
    one = gpd.GeoSeries([box(0, 0, 10, 10)], crs="EPSG:32638")
    found = gt.coverage(one, one, product="reduced", date="2024-01-01")
    assert found.totals["coverage"] == pytest.approx(1)
    assert found.table["id"].tolist() == ["row-1"]
    assert len(found.remaining) == 0
    assert len(found.released) == 1


def test_broken_calls_are_refused_in_words():
    one = field(box(0, 0, 10, 10))
    with pytest.raises(CRSError):
        gt.coverage(one.set_crs(None, allow_override=True), one)
    with pytest.raises(SchemaError):
        gt.coverage(pd.DataFrame({"id": [1]}), one)
    for wrong in ({"priority": "last"}, {"engine": "magic"}, {"as_of": "yesterday"}):
        with pytest.raises(ReleaseError) as caught:
            gt.coverage(one, one, **wrong)
        assert caught.value.hint


def test_hazards_that_supersede_each_other_are_told_and_counted_once():
    """Whatever the circle, there is an answer: the links are ignored, shared ground goes to the hazard recorded first."""
    same = [box(0, 0, 10, 10)] * 4
    links = ["H-1", "H-2", "H-0", "H-1"]
    days = ["2020-01-03", "2020-01-01", "2020-01-02", "2020-01-04"]
    one = ("a", "cleared", "2024-01-01", box(0, 0, 5, 10))
    found = gt.coverage(field(*same, supersedes_id=links, date_info=days), acts(one))
    told = found.issues[found.issues["check"] == "RL-23"]
    assert told["id"].tolist() == ["H-0", "H-1", "H-2"] and (told["severity"] == "error").all()
    assert found.totals["area_m2"] == pytest.approx(found.table["area_m2"].iloc[0])
    assert found.totals["coverage"] == pytest.approx(0.5)
    plain = gt.coverage(field(*same, supersedes_id=[None, None, None, "H-1"], date_info=days), acts(one))
    pd.testing.assert_frame_equal(found.table, plain.table)
    assert sum(found.periods()["closing_m2"].tail(1)) == pytest.approx(found.totals["remaining_m2"])


def test_groups_add_up_to_the_total():
    hazards = field(box(0, 0, 100, 100), box(50, 0, 150, 100), admin1=["Fuzuli", None])
    releases = acts(
        (
            "a",
            "cleared",
            "2024-01-01",
            box(0, 0, 60, 60),
            {"organisation": "One", "method": "manual", "team": "t", "depth_cm": 20.0},
        ),
        (
            "b",
            "reduced",
            "2025-01-01",
            box(30, 30, 90, 90),
            {"organisation": "Two", "method": "ts", "team": None, "depth_cm": None},
        ),
        (
            "c",
            "cleared",
            None,
            box(140, 0, 400, 30),
            {"organisation": None, "method": "mechanical", "team": "t", "depth_cm": None},
        ),
    )
    found = gt.coverage(hazards, releases)
    for column in ("product", "organisation", "admin1", "year", "method", "team", "depth", "month", "classification"):
        group = found.by(column)
        for name in ("cancelled_m2", "reduced_m2", "cleared_m2", "released_m2", "processed_m2", "outside_m2"):
            assert group[name].sum() == pytest.approx(found.totals[name], abs=1e-6), (column, name)
    assert found.by("district")["remaining_m2"].sum() == pytest.approx(found.totals["remaining_m2"], abs=1e-6)
    with pytest.raises(ReleaseError):
        found.by("colour")


def test_every_column_of_every_group_adds_up_to_the_totals():
    """Also ground released twice where no hazard is, once by acts that name none, and land that was reopened."""
    from geotools.cli.coverage import GROUPS

    hazards = field(
        box(0, 0, 100, 100), box(50, 0, 150, 100), admin1=["Fuzuli", "Zangilan"], admin2=["A", "B"], place=["P", "Q"]
    )
    rows = [
        ("a", "cleared", "2024-01-01", box(0, 0, 60, 60), {"hazard_id": "H-0", "method": "manual"}),
        ("b", "reduced", "2025-01-01", box(30, 30, 90, 160), {"hazard_id": "H-0", "method": "ts"}),
        ("c", "cleared", "2025-02-01", box(30, 110, 90, 160), {"hazard_id": "H-1", "method": "manual"}),
        ("d", "cleared", "2025-03-01", box(1000, 0, 1100, 100), {"hazard_id": None, "method": "manual"}),
        ("e", "cleared", "2025-04-01", box(1000, 0, 1050, 100), {"hazard_id": None, "method": "manual"}),
        ("f", "cancelled", None, box(1040, 0, 1120, 100), {"hazard_id": "H-77", "method": "nts"}),
        ("g", "cleared", "2025-05-01", box(0, 60, 60, 90), {"hazard_id": "H-0", "method": "mechanical"}),
    ]
    events = field(box(0, 0, 20, 20)).assign(
        id=["E-1"], hazard_id=["H-0"], act=["reopened"], date=pd.to_datetime(["2025-06-01"])
    )
    found = gt.coverage(hazards, acts(*rows), events=events)
    assert found.totals["overlap_m2"] > 50 * 100, "ground beside all hazards is released twice"
    for column in GROUPS:
        group = found.by(column)
        shared = [name for name in group if name in found.totals and name != "coverage"]
        assert {"released_m2", "outside_m2", "overlap_m2"} <= set(shared)
        for name in shared:
            assert group[name].sum() == pytest.approx(found.totals[name], abs=1e-6), (column, name)
    for column in ("admin1", "admin2", "place"):
        rest = found.by(column).set_index(column).loc["not stated"]
        assert rest[["outside_m2", "overlap_m2"]].tolist() == pytest.approx([120 * 100, 110 * 100], rel=1e-3)


def test_groups_without_any_ground_are_empty():
    nothing = gt.coverage(field().set_crs("EPSG:32638"), acts(("a", "cleared", "2024-01-01", None)))
    for column in ("admin1", "product"):
        assert nothing.by(column)["outside_m2"].sum() == 0


def test_layers_hold_the_same_square_metres_as_the_figures():
    hazards = field(box(0, 0, 100, 100), box(50, 0, 150, 100))
    releases = acts(
        ("a", "cleared", "2024-01-01", box(0, 0, 60, 60)), ("b", "reduced", "2024-01-02", box(30, 30, 190, 90))
    )
    found = gt.coverage(hazards, releases.to_crs("EPSG:4326"))
    for frame, column, total in (
        (found.remaining, "remaining_m2", found.table["remaining_m2"].sum()),
        (found.released, "net_m2", found.totals["released_m2"]),
        (found.outside, "outside_m2", found.totals["outside_m2"]),
    ):
        assert frame.crs == hazards.crs
        assert np.allclose(gt.measure.area(frame), frame[column], atol=1e-4)
        assert frame[column].sum() == pytest.approx(total, abs=1e-2)
    assert found.overlaps[["id", "other_id"]].to_numpy().tolist() == [["b", "a"]]
    assert found.released.geometry.union_all().area == pytest.approx(sum(found.released.area), rel=1e-9)
