"""Datum shifts: the choice, its record, its accuracy, and the same answer as PROJ's own operation."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from geotools.model.errors import CRSError
from geotools.model.programme import Programme
from geotools.space import crs

PLACES = {"Fuzuli": (47.14, 39.6), "Kalbajar": (46.04, 40.1), "Agdam": (46.93, 39.99), "Baku": (49.9, 40.5)}


def layer(points, system):
    points = np.atleast_2d(points)
    return gpd.GeoDataFrame(
        {"id": [f"P{i}" for i in range(len(points))]}, geometry=gpd.points_from_xy(*points.T), crs=system
    )


def lonlat(frame):
    return shapely.get_coordinates(frame.geometry.to_numpy())


@pytest.mark.parametrize("place", list(PLACES))
def test_pulkovo_points_move_west_by_about_a_hundred_metres(place):
    """The error signature of the trade reference: 101–104 m in Karabakh, 97–98 m in Baku, towards 263–266°."""
    frame = layer(PLACES[place], "EPSG:4284")
    out, done = crs.shift(frame, "EPSG:4326")
    azimuth, _, metres = crs.GEOD.inv(*PLACES[place], *lonlat(out)[0])
    low, high = (96, 99) if place == "Baku" else (100, 105)
    assert low < metres < high
    assert 260 < azimuth % 360 < 268
    assert done.moved_m == pytest.approx(metres, abs=0.01)
    assert (done.operation.code, done.accuracy_m) == ("EPSG:15865", 4.5)


def test_it_is_projs_own_operation_to_the_millimetre():
    direct = pyproj.Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::15865")
    lat, lon = direct.transform(39.6, 47.14)[:2]
    out, _ = crs.shift(layer((47.14, 39.6), "EPSG:4284"), "EPSG:4326")
    assert crs.GEOD.inv(lon, lat, *lonlat(out)[0])[2] < 1e-3


@pytest.mark.parametrize(
    ("system", "place"),
    [
        ("EPSG:28408", (8_683_738.0, 4_385_550.0)),
        ("EPSG:2498", (683_738.0, 4_385_550.0)),
        ("EPSG:28409", (9_407_000.0, 4_475_000.0)),
        ("EPSG:2499", (407_000.0, 4_475_000.0)),
    ],
)
def test_zones_with_and_without_prefix_meet_the_geographic_answer(system, place):
    frame = layer(place, system)
    out, done = crs.shift(frame, "EPSG:4326")
    geographic = frame.to_crs(4284)
    again, other = crs.shift(geographic, "EPSG:4326")
    assert crs.GEOD.inv(*lonlat(out)[0], *lonlat(again)[0])[2] < 1e-3
    assert done.operation.code == other.operation.code


def test_nominally_better_operations_made_for_elsewhere_are_not_taken():
    """EPSG:1809 states 2 m, but for the Baku–Astara coast; EPSG:5044 3 m, but for Russia."""
    rows = crs.operations(layer((47.14, 39.6), "EPSG:4284"))
    assert rows[0]["code"] == "EPSG:15865"
    better = [row["code"] for row in rows if row["accuracy_m"] is not None and row["accuracy_m"] < 4.5]
    assert {"EPSG:1809", "EPSG:5044"} <= set(better)
    assert not any(row["covers"] for row in rows if row["code"] in better)
    coast = crs.operations(layer((49.2, 39.0), "EPSG:4284"))
    assert coast[0]["code"] == "EPSG:1809"


def test_a_layer_across_an_area_border_takes_one_operation():
    """PROJ alone changes the operation at 48.93° E and would tear a boundary by metres."""
    line = np.column_stack([np.linspace(48.5, 49.5, 21), np.full(21, 39.5)])
    out, done = crs.shift(layer(line, "EPSG:4284"), "EPSG:4326")
    moved = lonlat(out) - line
    assert np.abs(np.diff(moved, axis=0)).max() < 5e-6
    assert done.operation.code == "EPSG:15865"


def test_the_spread_of_sensible_operations_is_said_in_metres():
    _, done = crs.shift(layer((47.14, 39.6), "EPSG:4284"), "EPSG:4326")
    assert 3.4 < done.spread_m < 4.8
    row = done.issues.iloc[0]
    assert (row["check"], row["severity"]) == ("CR-02", "warning")
    assert "3.5 m" in row["message"]
    _, calm = crs.shift(
        layer((47.14, 39.6), "EPSG:4284"), "EPSG:4326", programme=Programme(limits={"operation_spread_m": 10.0})
    )
    assert calm.issues.empty


def test_the_programmes_operation_wins_also_backwards_and_for_the_projected_systems():
    mine = Programme(operations={"EPSG:4284": "EPSG:1808"})
    for system, place in (("EPSG:4284", (47.14, 39.6)), ("EPSG:28408", (8_683_738.0, 4_385_550.0))):
        out, done = crs.shift(layer(place, system), "EPSG:4326", programme=mine)
        assert done.operation.code == "EPSG:1808"
        assert done.issues["severity"].tolist() == ["info"]
        back, again = crs.shift(out, system, programme=mine)
        assert again.operation.code == "EPSG:1808"
        assert lonlat(back)[0] == pytest.approx(place, abs=0.02)  # heights are not carried: millimetres


def test_own_helmert_parameters_give_the_published_operation():
    """EPSG:1808's own parameters, typed in, are EPSG:1808."""
    steps = pyproj.crs.CoordinateOperation.from_epsg(1808)
    values = {item.name: item.value for item in steps.params}
    names = [
        "X-axis translation",
        "Y-axis translation",
        "Z-axis translation",
        "X-axis rotation",
        "Y-axis rotation",
        "Z-axis rotation",
        "Scale difference",
    ]
    sign = -1.0 if "Coordinate Frame" in steps.method_name else 1.0
    numbers = [values.get(name, 0.0) * (sign if "rotation" in name else 1.0) for name in names]
    frame = layer((47.14, 39.6), "EPSG:4284")
    want, _ = crs.shift(frame, "EPSG:4326", operation=1808)
    text = "+towgs84=" + ",".join(map(str, numbers)) + " accuracy=2"
    for out, done in (
        crs.shift(frame, "EPSG:4326", operation=text),
        crs.shift(frame, "EPSG:4326", programme=Programme(operations={"EPSG:4284": text})),
    ):
        assert crs.GEOD.inv(*lonlat(out)[0], *lonlat(want)[0])[2] < 1e-3
        assert done.accuracy_m == 2.0
    back, _ = crs.shift(want, "EPSG:4284", programme=Programme(operations={"EPSG:4284": text}))
    assert lonlat(back)[0] == pytest.approx((47.14, 39.6), abs=1e-7)


def test_turkish_systems():
    out, done = crs.shift(layer((32.85, 39.93), "EPSG:4230"), "EPSG:4326")
    assert done.operation.code == "EPSG:1784"
    assert done.accuracy_m == 2.0
    assert 100 < crs.GEOD.inv(32.85, 39.93, *lonlat(out)[0])[2] < 125
    _, tm = crs.shift(layer((500_000.0, 4_420_000.0), "EPSG:5254"), "EPSG:4326")
    assert (tm.operation.code, tm.accuracy_m) == ("EPSG:5261", 1.0)


def test_no_datum_change_needs_no_operation():
    frame = layer((47.9999, 40.0), "EPSG:4326")
    for target in ("EPSG:32638", "EPSG:32639", "EPSG:3857", "EPSG:4979"):
        _, done = crs.shift(frame, target)
        assert (done.operation.name, done.accuracy_m, done.moved_m) == ("no datum change", 0.0, 0.0)
        assert done.issues.empty
    with pytest.raises(CRSError, match="share one datum"):
        crs.shift(frame, "EPSG:32638", operation="EPSG:1808")


@pytest.mark.parametrize("lon", [47.999, 48.001])
def test_both_sides_of_48_east(lon):
    frame = layer((lon, 40.0), "EPSG:4326")
    zone = crs.metric(frame).iloc[0]
    out, _ = crs.shift(frame, zone)
    x = lonlat(out)[0][0]
    assert (x > 500_000) == (zone == "EPSG:32638")
    back, _ = crs.shift(out, "EPSG:4326")
    assert lonlat(back)[0] == pytest.approx((lon, 40.0), abs=1e-9)


@pytest.mark.parametrize(
    "operation",
    [
        "EPSG:9999",
        "EPSG:1784",
        "+towgs84=1,2",
        "+proj=helmert +x=1 +rx=2",
        "+nonsense",
        "hello",
        "+proj=pipeline +step +proj=nowhere",
    ],
)
def test_operations_that_do_not_lead_there_are_refused(operation):
    with pytest.raises(CRSError):
        crs.shift(layer((47.14, 39.6), "EPSG:4284"), "EPSG:4326", operation=operation)


def test_unknown_datum_is_refused_and_missing_geometry_kept():
    with pytest.raises(CRSError, match="no operation is known"):
        crs.shift(layer((47.14, 39.6), "+proj=longlat +ellps=krass +no_defs +type=crs"), "EPSG:4326")
    with pytest.raises(CRSError, match="no coordinate reference system"):
        crs.shift(layer((47.14, 39.6), None), "EPSG:4326")
    frame = gpd.GeoDataFrame(
        {"id": ["a", "b", "c"]}, geometry=[shapely.Point(47, 39.6), None, shapely.Polygon()], crs=4284, index=[4, 2, 9]
    )
    out, _ = crs.shift(frame, "EPSG:4326")
    assert out.index.tolist() == [4, 2, 9]
    assert out.geometry.isna().tolist() == [False, True, False]
    assert frame.crs.to_epsg() == 4284
    empty, done = crs.shift(frame.iloc[:0], "EPSG:4326")
    assert empty.empty
    assert done.to_dict()["target"] == "EPSG:4326"


def test_heights_stay_as_they_are():
    shapes = [
        shapely.Point(47, 39.6, 812.5),
        shapely.Point(47, 39.6),
        shapely.LineString([(47, 39.6, 1.0), (47.1, 39.6, 2.0)]),
    ]
    out, _ = crs.shift(gpd.GeoDataFrame(geometry=shapes, crs=4284), "EPSG:32638")
    assert out.geometry.iloc[0].z == 812.5
    assert not out.geometry.iloc[1].has_z
    assert [z for *_, z in out.geometry.iloc[2].coords] == [1.0, 2.0]
    assert out.geometry.iloc[0].x == out.geometry.iloc[1].x


def test_row_order_changes_nothing():
    rng = np.random.default_rng(3)
    frame = layer(np.column_stack([rng.uniform(46, 48, 50), rng.uniform(39, 40, 50)]), "EPSG:4284")
    one, first = crs.shift(frame, "EPSG:4326")
    two, second = crs.shift(frame.iloc[::-1], "EPSG:4326")
    assert np.array_equal(lonlat(one), lonlat(two)[::-1])
    assert first.to_dict() == second.to_dict()


def test_a_null_island_fix_does_not_choose_the_operation_of_all_others() -> None:
    x, y = np.full(20, 8683738.0) + np.arange(20), np.full(20, 4385550.0)
    clean = gpd.GeoDataFrame({"id": range(20)}, geometry=gpd.points_from_xy(x, y), crs="EPSG:28408")
    dirty = clean.copy()
    dirty.loc[7, "geometry"] = shapely.Point(0, 0)
    one, told = crs.shift(clean, "EPSG:4326")
    two, also = crs.shift(dirty, "EPSG:4326")
    assert told.operation.code == also.operation.code
    same = [n for n in range(20) if n != 7]
    assert one.geometry.iloc[same].geom_equals(two.geometry.iloc[same]).all()


def test_a_row_that_is_no_place_stays_without_geometry_and_is_named() -> None:
    frame = gpd.GeoDataFrame(
        {"id": ["A", "B", "C"]},
        geometry=[shapely.Point(8683738, 4385550), shapely.Point(8683739, 4385551), shapely.Point(1e30, 1e30)],
        crs="EPSG:28408",
    )
    moved, done = crs.shift(frame, "EPSG:4326")
    assert moved.geometry.isna().tolist() == [False, False, True]
    said = done.issues[done.issues["check"] == "CR-04"]
    assert said["id"].tolist() == ["C"] and (said["severity"] == "error").all()
    assert frame.geometry.notna().all()
    with pytest.raises(CRSError):
        crs.shift(frame.iloc[[2]], "EPSG:4326")
