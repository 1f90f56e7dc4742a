"""Traverses: the published vector to the millimetre, laws of closure and rotation, accuracy against Monte Carlo, and the way back."""

from __future__ import annotations

import warnings
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geotools.model.errors import TraverseError
from geotools.model.programme import Programme
from geotools.space import crs, measure, traverse
from geotools.space.declination import convergence_deg, declination_deg
from geotools.space.traverse import Start, TraverseOptions, inverse, solve, solve_all

SP = Start(683_750.0, 4_385_600.0, "EPSG:32638")
VECTOR = [
    ("SP", "TP1", 92.0, 118.40),
    ("TP1", "TP2", 171.5, 76.20),
    ("TP2", "TP3", 244.0, 64.90),
    ("TP3", "TP4", 278.5, 88.70),
    ("TP4", "SP", 8.0, 93.10),
]
PLAIN = {
    "TP1": (683_869.269, 4_385_596.576),
    "TP2": (683_881.139, 4_385_521.669),
    "TP3": (683_823.323, 4_385_493.607),
    "TP4": (683_736.303, 4_385_507.249),
}
TURNED = {
    "TP1": (683_868.529, 4_385_586.298),
    "TP2": (683_873.891, 4_385_510.646),
    "TP3": (683_813.869, 4_385_487.677),
    "TP4": (683_728.351, 4_385_508.777),
}
GRID = TraverseOptions(scale=False, crs="EPSG:32638")


def sheet(rows=VECTOR, **columns):
    return pd.DataFrame([{"from": a, "to": b, "bearing": bearing, "distance": d} for a, b, bearing, d in rows]).assign(
        **columns
    )


def spots(frame):
    return {row["id"]: (row["x_m"], row["y_m"]) for row in frame.to_dict("records")}


def leg(a, b):
    east, north = np.subtract(b, a)
    return np.degrees(np.arctan2(east, north)) % 360, np.hypot(east, north)


def legs_of(corners, names=None):
    names = names or ["SP", *(f"TP{i}" for i in range(1, len(corners)))]
    pairs = [(i, (i + 1) % len(corners)) for i in range(len(corners))]
    return [(names[i], names[j], *leg(corners[i], corners[j])) for i, j in pairs]


FIGURE = [
    (683_750.0, 4_385_600.0),
    (683_868.5, 4_385_586.3),
    (683_873.9, 4_385_510.6),
    (683_813.9, 4_385_487.7),
    (683_728.4, 4_385_508.8),
]


@pytest.mark.parametrize(("correction", "want"), [(0.0, PLAIN), (4.95, TURNED)])
def test_the_published_vector_to_the_printed_millimetre(correction, want):
    done = solve(sheet(), SP, north="magnetic", options=TraverseOptions(scale=False, grid_correction_deg=correction))
    got = spots(done.adjusted)
    for name, place in want.items():
        assert got[name] == pytest.approx(place, abs=0.00051), name
    assert done.misclosure.distance_m == pytest.approx(4.392, abs=5e-4)
    assert round(done.misclosure.ratio) == 100
    assert done.misclosure.length_m == pytest.approx(441.30)
    assert done.plane_area_m2 == pytest.approx(12_680.15, abs=0.005)
    assert shapely.Polygon(done.points.geometry.to_numpy()).area == pytest.approx(12_865.16, abs=0.005)
    if correction == 0:
        assert (done.misclosure.dx_m, done.misclosure.dy_m) == pytest.approx((-3.509, -2.641), abs=5e-4)


def test_the_largest_move_between_norths_is_thirteen_metres():
    moves = [np.hypot(*np.subtract(PLAIN[name], TURNED[name])) for name in PLAIN]
    assert max(moves) == pytest.approx(13.19, abs=0.005)


@given(st.floats(-180, 180))
def test_a_wrong_north_still_closes(turn):
    """Rotation changes neither misclosure nor area: only fixes can see it."""
    a = solve(sheet(), SP, north="magnetic", options=TraverseOptions(scale=False, grid_correction_deg=0.0))
    b = solve(sheet(), SP, north="magnetic", options=TraverseOptions(scale=False, grid_correction_deg=turn))
    assert b.misclosure.distance_m == pytest.approx(a.misclosure.distance_m, abs=1e-6)
    assert b.plane_area_m2 == pytest.approx(a.plane_area_m2, abs=1e-4)
    assert b.area_sigma_m2 == pytest.approx(a.area_sigma_m2, rel=1e-6)


def test_north_must_be_declared():
    with pytest.raises(TraverseError, match="SV-01") as caught:
        solve(sheet(), SP)
    assert len(caught.value.issues) == 5
    assert "north=" in caught.value.hint
    with pytest.raises(TraverseError, match="the sheet counts from magnetic"):
        solve(sheet(north="magnetic"), SP, north="grid")
    with pytest.raises(TraverseError, match="not a north"):
        solve(sheet(), SP, north="upwards")
    assert solve(sheet(north="Maqnit şimalı"), SP, date=date(2026, 11, 20)).correction_deg == pytest.approx(
        4.94, abs=0.02
    )


def test_magnetic_bearings_need_their_day():
    with pytest.raises(TraverseError, match="day they were measured"):
        solve(sheet(), SP, north="magnetic")
    early = solve(sheet(date="2012-06-01"), SP, north="magnetic")
    late = solve(sheet(date="2026-06-01"), SP, north="magnetic")
    assert late.correction_deg - early.correction_deg == pytest.approx(
        declination_deg(39.6, 47.14, date=2026.42) - declination_deg(39.6, 47.14, date=2012.42), abs=0.01
    )


def test_true_grid_and_magnetic_bearings_of_one_figure_give_one_figure():
    lon, lat = crs.transformer("EPSG:32638", "EPSG:4326").transform(SP.x, SP.y)
    gamma, d = convergence_deg(lon, lat, "EPSG:32638"), declination_deg(lat, lon, date=date(2026, 6, 1))
    grid = solve(sheet(), SP, north="grid", options=GRID)
    true = solve(sheet([(a, b, v + gamma, m) for a, b, v, m in VECTOR]), SP, north="true", options=GRID)
    magnetic = solve(
        sheet([(a, b, (v + gamma - d) % 360, m) for a, b, v, m in VECTOR]),
        SP,
        north="magnetic",
        date=date(2026, 6, 1),
        options=GRID,
    )
    for other in (true, magnetic):
        for name, place in spots(grid.adjusted).items():
            assert spots(other.adjusted)[name] == pytest.approx(place, abs=0.01)


@pytest.mark.parametrize(
    ("unit", "write"),
    [
        ("deg", lambda v: f"{v:.6f}"), ("gon", lambda v: f"{v / 0.9:.6f}"), ("mil6400", lambda v: f"{v * 6400 / 360:.4f}"), ("mil6000", lambda v: f"{int(v / 6 * 100) // 100}-{v / 6 * 100 % 100:07.4f}"),
        ("dms", lambda v: f"{int(v)}°{int(v % 1 * 60)}'{v * 3600 % 60:.3f}\""),
    ],
)  # fmt: skip
def test_every_unit_gives_the_same_figure(unit, write):
    rows = [(a, b, write(v), m) for a, b, v, m in VECTOR]
    done = solve(sheet(rows), SP, north="grid", options=TraverseOptions(unit=unit, scale=False))
    assert spots(done.adjusted)["TP3"] == pytest.approx(PLAIN["TP3"], abs=0.002)
    by_column = solve(sheet(rows, unit=unit), SP, north="grid", options=GRID)
    assert spots(by_column.adjusted) == spots(done.adjusted)


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [("bearing", 400, "outside 0 to 360"), ("bearing", -3, "not a bearing"), ("bearing", "12-34", "not a bearing"), ("distance", 0, "more than 0"), ("distance", -5, "more than 0"), ("distance", None, "more than 0"), ("to", "SP", "ends where it starts"), ("to", None, "from which point")],
)  # fmt: skip
def test_impossible_legs_are_named(column, value, text):
    table = sheet().astype(object)
    table.loc[0, column] = value
    with warnings.catch_warnings(), pytest.raises(TraverseError, match="SV-04") as caught:
        warnings.simplefilter("error")
        solve(table, SP, north="grid")
    assert text in caught.value.message
    assert caught.value.issues["check"].tolist() == ["SV-04"]


def test_slope_distances_are_reduced():
    slope = [0, 10, -20, 5, 0]
    steep = sheet(
        [(a, b, v, m / np.cos(np.radians(s))) for (a, b, v, m), s in zip(VECTOR, slope, strict=True)], slope=slope
    )
    assert spots(solve(steep, SP, north="grid", options=GRID).adjusted)["TP4"] == pytest.approx(PLAIN["TP4"], abs=1e-3)


@pytest.mark.parametrize("method", ["bowditch", "least-squares"])
def test_a_perfect_figure_is_not_moved_and_any_order_of_rows_gives_it(method):
    options = TraverseOptions(scale=False, adjust=method)
    rows = sheet(legs_of(FIGURE)).assign(leg_no=range(1, 6))
    done = solve(rows, SP, north="grid", options=options)
    assert done.misclosure.distance_m < 1e-6
    assert done.adjusted["moved_m"].max() < 1e-6
    assert done.polygon.equals_exact(shapely.Polygon(FIGURE), 1e-6)
    again = solve(rows.iloc[::-1], SP, north="grid", options=options)
    assert spots(again.adjusted) == spots(done.adjusted)
    backwards = rows.copy()
    a, b, v, m = VECTOR[1][0], VECTOR[1][1], *legs_of(FIGURE)[1][2:]
    backwards.loc[1, ["from", "to", "bearing"]] = [b, a, (v + 180) % 360]
    assert spots(solve(backwards, SP, north="grid", options=options).adjusted)["TP3"] == pytest.approx(
        FIGURE[3], abs=1e-6
    )
    assert m > 0


def test_adjustment_shares_the_misclosure_by_length():
    done = solve(sheet(), SP, north="grid", options=GRID)
    walked = np.cumsum([m for *_, m in VECTOR])[:-1]
    assert done.adjusted["moved_m"].to_numpy()[1:] == pytest.approx(
        done.misclosure.distance_m * walked / walked[-1] * walked[-1] / 441.3, abs=1e-6
    )
    raw = solve(sheet(), SP, north="grid", options=TraverseOptions(scale=False, adjust="none"))
    assert raw.adjusted["moved_m"].max() == 0
    assert raw.misclosure.distance_m == done.misclosure.distance_m


def test_two_arms_that_meet_close_like_one_walk_around():
    around = solve(sheet(), SP, north="grid", options=GRID)
    arms = [VECTOR[0], VECTOR[1], ("SP", "TP4", 188.0, 93.10), ("TP4", "TP3", 98.5, 88.70), VECTOR[2]]
    meeting = solve(sheet(arms), SP, north="grid", options=GRID)
    assert meeting.misclosure.distance_m == pytest.approx(around.misclosure.distance_m, abs=1e-9)
    assert spots(meeting.adjusted)["TP3"] == pytest.approx(spots(around.adjusted)["TP3"], abs=1e-6)


def test_least_squares_is_scipys_solution():
    from scipy.optimize import least_squares

    options = TraverseOptions(
        scale=False, adjust="least-squares", sigma_bearing_deg=0.8, sigma_distance_m=0.2, sigma_distance_share=0.003
    )
    cross = [*VECTOR, ("TP1", "TP3", *leg(PLAIN["TP1"], (683_824.0, 4_385_493.0)))]
    done = solve(sheet(cross), SP, north="grid", options=options)
    names = ["TP1", "TP2", "TP3", "TP4"]

    def residuals(flat):
        place = {"SP": (SP.x, SP.y), **dict(zip(names, flat.reshape(-1, 2), strict=True))}
        out = []
        for a, b, v, m in cross:
            off = np.subtract(place[b], place[a]) - m * np.array([np.sin(np.radians(v)), np.cos(np.radians(v))])
            along, across = (
                np.array([np.sin(np.radians(v)), np.cos(np.radians(v))]),
                np.array([np.cos(np.radians(v)), -np.sin(np.radians(v))]),
            )
            out += [off @ along / np.hypot(0.2, 0.003 * m), off @ across / (m * np.radians(0.8))]
        return np.array(out)

    best = least_squares(
        residuals, np.array([PLAIN[n] for n in names]).ravel(), xtol=1e-15, ftol=1e-15, gtol=1e-15
    ).x.reshape(-1, 2)
    got = spots(done.adjusted)
    for name, place in zip(names, best, strict=True):
        assert got[name] == pytest.approx(place, abs=2e-5)
    with pytest.raises(TraverseError, match="more than one loop") as caught:
        solve(sheet(cross), SP, north="grid", options=GRID)
    assert "least-squares" in caught.value.hint


@pytest.mark.parametrize("method", ["bowditch", "least-squares"])
def test_ellipses_and_area_accuracy_are_what_monte_carlo_gives(method):
    rng = np.random.default_rng(8)
    options = TraverseOptions(
        scale=False,
        adjust=method,
        sigma_bearing_deg=0.5,
        sigma_distance_m=0.2,
        sigma_distance_share=0.0,
        sigma_north_deg=0.3,
    )
    perfect = legs_of(FIGURE)
    stated = solve(sheet(perfect), SP, north="grid", options=options)
    places, areas = [], []
    for _ in range(120):
        north = rng.normal(0, 0.3)
        rows = [(a, b, (v + north + rng.normal(0, 0.5)) % 360, m + rng.normal(0, 0.2)) for a, b, v, m in perfect]
        one = solve(sheet(rows), SP, north="grid", options=options)
        places.append(one.adjusted[["x_m", "y_m"]].to_numpy())
        areas.append(one.plane_area_m2)
    spread = np.std(places, axis=0)
    stated_axis = stated.adjusted["h_acc_m"].to_numpy()
    assert np.sqrt((spread**2).mean(axis=1))[1:] == pytest.approx(stated_axis[1:], rel=0.25)
    assert np.std(areas) == pytest.approx(stated.area_sigma_m2, rel=0.25)
    assert stated_axis[0] == 0.0


def test_more_error_in_never_gives_less_error_out():
    small = solve(sheet(), SP, north="grid", options=TraverseOptions(scale=False, sigma_bearing_deg=0.5)).adjusted
    for more in (
        {"sigma_bearing_deg": 1.0},
        {"sigma_bearing_deg": 0.5, "sigma_distance_m": 0.5},
        {"sigma_bearing_deg": 0.5, "sigma_north_deg": 1.0},
    ):
        big = solve(sheet(), SP, north="grid", options=TraverseOptions(scale=False, **more)).adjusted
        assert (big["h_acc_m"] >= small["h_acc_m"] - 1e-12).all()
    unknown = solve(sheet(), SP, north="grid", options=GRID).to_frame()["h_acc_m"].iloc[0]
    exact = (
        solve(sheet(), Start(SP.x, SP.y, SP.crs, h_acc_m=0.0), north="grid", options=GRID).to_frame()["h_acc_m"].iloc[0]
    )
    assert unknown == pytest.approx(np.hypot(exact, 3.0))
    start = Start(SP.x, SP.y, SP.crs, h_acc_m=4.0)
    assert (solve(sheet(), start, north="grid", options=GRID).adjusted["h_acc_m"] >= 4.0).all()


def test_an_unmeasured_closing_leg_is_said():
    done = solve(sheet(VECTOR[:-1]), SP, north="grid", options=GRID)
    assert not done.misclosure.measured
    assert done.misclosure.ratio is None
    assert "not measured" in done.issues.loc[done.issues["check"] == "SV-02", "message"].iloc[0]
    assert done.polygon is not None
    assert "no closing leg" in done.method


@pytest.mark.parametrize(("extra", "severity"), [(0.0, None), (5.0, "warning"), (12.0, "error")])
def test_a_misclosure_is_judged_and_the_blunder_found(extra, severity):
    rows = [list(row) for row in legs_of(FIGURE)]
    rows[2][3] += extra
    issues = solve(sheet(rows), SP, north="grid", options=GRID).issues
    found = issues[issues["check"] == "SV-02"]
    assert found["severity"].tolist() == ([] if severity is None else [severity])
    if severity:
        assert "too long in leg TP2 → TP3" in found["message"].iloc[0]
    strict = TraverseOptions(scale=False, instrument="total-station")
    rows[2][3] += 0.3 - extra
    assert (solve(sheet(rows), SP, north="grid", options=strict).issues["check"] == "SV-02").any()
    lenient = TraverseOptions(
        scale=False, programme=Programme(limits={"misclosure_warn_ratio": 5.0, "misclosure_error_ratio": 2.0})
    )
    rows[2][3] += 12
    assert not (solve(sheet(rows), SP, north="grid", options=lenient).issues["check"] == "SV-02").any()


def test_landmark_benchmark_and_observers_are_no_corners():
    lead = [("LM", "BM", 84.5, 61.3), ("BM", "SP", 35.0, 48.0)]
    done = solve(
        sheet([*lead, *VECTOR]), (47.139, 39.6), north="grid", options=TraverseOptions(crs="EPSG:32638", scale=False)
    )
    assert done.corners == ("SP", "TP1", "TP2", "TP3", "TP4")
    assert done.misclosure.length_m == pytest.approx(441.30)
    assert done.plane_area_m2 == pytest.approx(12_680.15, abs=0.01)
    assert done.adjusted.set_index("id").loc[["LM", "BM"], "moved_m"].max() == 0
    observer = [
        ("OB", name, *leg((683_800.0, 4_385_400.0), place))
        for name, place in zip(["A", "B", "C", "D"], FIGURE, strict=False)
    ]
    seen = solve(sheet(observer), Start(683_800.0, 4_385_400.0, "EPSG:32638"), north="grid", options=GRID)
    assert seen.corners == ("A", "B", "C", "D")
    assert seen.polygon.equals_exact(shapely.Polygon(FIGURE[:4]), 1e-6)


def test_offset_points_hang_on_their_station_and_become_corners_in_their_place():
    """TP3 cannot be entered: it is sighted from OB3 on the way around."""
    names, way = ["SP", "TP1", "TP2", "OB3", "TP4"], [*FIGURE[:3], (683_830.0, 4_385_470.0), FIGURE[4]]
    rows = legs_of(way, names)
    rows.insert(3, ("OB3", "TP3", *leg(way[3], FIGURE[3])))
    done = solve(sheet(rows), SP, north="grid", options=GRID)
    assert done.corners == ("SP", "TP1", "TP2", "TP3", "TP4")
    assert done.polygon.equals_exact(shapely.Polygon(FIGURE), 1e-6)


def test_intermediate_points_on_the_line_are_no_corners():
    middle = tuple(np.add(FIGURE[0], FIGURE[1]) / 2)
    way, names = [FIGURE[0], middle, *FIGURE[1:]], ["SP", "IP1", "TP1", "TP2", "TP3", "TP4"]
    done = solve(sheet(legs_of(way, names)), SP, north="grid", options=GRID)
    assert "IP1" not in done.corners
    assert done.polygon.area == pytest.approx(shapely.Polygon(FIGURE).area, abs=1e-6)
    long_sides = done.issues[done.issues["check"] == "SV-05"]["id"].tolist()
    assert not any("IP1" in name for name in long_sides)
    off = (middle[0], middle[1] + 20)
    bent = solve(sheet(legs_of([FIGURE[0], off, *FIGURE[1:]], names)), SP, north="grid", options=GRID)
    assert "IP1" in bent.corners


def test_a_boundary_that_crosses_itself_names_the_exchange_that_mends_it():
    crossed = [FIGURE[0], FIGURE[1], FIGURE[3], FIGURE[2], FIGURE[4]]
    issues = solve(sheet(legs_of(crossed)), SP, north="grid", options=GRID).issues
    found = issues[issues["check"] == "GC-01"].iloc[0]
    assert found["value"] == "TP2 TP3"
    assert "crosses itself" in found["message"]


def test_loose_legs_and_too_few_points_are_said():
    with pytest.raises(TraverseError, match="not connected"):
        solve(sheet([*VECTOR[:2], ("X", "Y", 10, 10)]), SP, north="grid", options=GRID)
    two = solve(sheet(VECTOR[:1]), SP, north="grid", options=GRID)
    assert two.polygon is None
    assert (two.issues["check"] == "GC-02").any()
    with pytest.raises(TraverseError, match="no polygon"):
        two.to_frame()
    with pytest.raises(TraverseError, match="no legs"):
        solve(sheet([]).reindex(columns=["from", "to", "bearing", "distance"]), SP, north="grid")


# fixes and the fit


def fixes_of(places, turn_deg=0.0, scale=1.0, names=None):
    """Fixes for grid places, turned clockwise about the start."""
    turn = np.radians(turn_deg)
    out = {}
    for name, place in places.items():
        if names and name not in names:
            continue
        e, n = np.subtract(place, (SP.x, SP.y)) * scale
        out[name] = Start(
            SP.x + e * np.cos(turn) + n * np.sin(turn), SP.y - e * np.sin(turn) + n * np.cos(turn), "EPSG:32638", name
        )
    return out


@given(st.floats(-20, 20), st.floats(0.95, 1.05))
def test_the_fit_recovers_rotation_and_scale(turn, scale):
    done = solve(
        sheet(legs_of(FIGURE)),
        SP,
        north="grid",
        options=GRID,
        fixes=fixes_of(dict(zip(["TP1", "TP2", "TP3"], FIGURE[1:4], strict=True)), turn, scale),
    )
    assert done.fit.rotation_deg == pytest.approx(turn, abs=0.001)
    assert done.fit.scale == pytest.approx(scale, abs=1e-6)
    assert done.fit.residuals["residual_m"].max() < 1e-5


@pytest.mark.parametrize(
    ("north", "turn", "words"),
    [
        ("grid", 4.95, "declination probably not applied"),
        ("true", 6.31, "declination probably not applied"),
        ("magnetic", -4.94, "applied twice"),
        ("grid", -60.0, "probably wrong"),
    ],
)
def test_the_fit_says_what_a_rotation_probably_is(north, turn, words):
    day = date(2026, 6, 1)
    plain = solve(sheet(legs_of(FIGURE)), SP, north=north, date=day, options=GRID)
    fixes = fixes_of(spots(plain.adjusted), turn, names=["TP1", "TP3"])
    done = solve(sheet(legs_of(FIGURE)), SP, north=north, date=day, options=GRID, fixes=fixes)
    found = done.issues[done.issues["check"] == "SV-03"]
    assert words in found["message"].iloc[0]
    assert done.fit.rotation_deg == pytest.approx(turn, abs=0.001)
    fitted = done.to_frame(fitted=True).to_crs(32638).geometry.iloc[0]
    for fix in fixes.values():
        assert fitted.exterior.distance(shapely.Point(fix.x, fix.y)) < 1e-3


def test_fewer_than_two_fixes_see_nothing_and_strays_are_said():
    alone = solve(sheet(), SP, north="grid", options=GRID)
    assert "cannot be seen" in alone.issues.loc[alone.issues["check"] == "SV-03", "message"].iloc[0]
    assert alone.fit is None
    stray = solve(sheet(), SP, north="grid", options=GRID, fixes={"TP9": (47.1, 39.6)})
    assert "TP9" in stray.issues.loc[stray.issues["check"] == "SV-03", "id"].tolist()
    with pytest.raises(TraverseError, match="no fixes"):
        alone.to_frame(fitted=True)


# the way back


@pytest.mark.parametrize("lon", [46.2, 47.995, 48.005, 50.5])
@pytest.mark.parametrize(
    ("column", "north"), [("true_deg", "true"), ("grid_deg", "grid"), ("magnetic_deg", "magnetic")]
)
def test_polygon_to_legs_to_polygon_is_the_identity(lon, column, north):
    shape = shapely.Polygon([(lon, 40.0), (lon + 0.002, 40.0003), (lon + 0.0025, 39.9988), (lon + 0.0004, 39.9985)])
    day = date(2026, 11, 20)
    table = inverse(shape, date=day)
    legs = table.rename(columns={column: "bearing"})[["from_point", "to_point", "bearing", "distance_m"]]
    done = solve(legs, (lon, 40.0), north=north, date=day)
    back = done.to_frame().geometry.iloc[0]
    assert done.misclosure.distance_m < 0.01
    for a, b in zip(shape.exterior.coords[:-1], back.exterior.coords[:-1], strict=True):
        assert crs.GEOD.inv(*a, *b)[2] < 0.01
    assert done.area_m2 == pytest.approx(measure.area(shape), rel=1e-4)
    assert table["to_mgrs"].iloc[-1] == crs.to_mgrs(lon, 40.0)


def test_inverse_walks_in_from_a_landmark_and_refuses_what_is_no_polygon():
    shape = shapely.box(47, 39.5, 47.001, 39.501)
    table = inverse(gpd.GeoDataFrame({"id": ["a"]}, geometry=[shape], crs=4326).to_crs(28408), landmark=(46.999, 39.5))
    assert table["from_point"].iloc[0] == "LM"
    assert table["magnetic_deg"].isna().all()
    for bad in (
        shapely.Point(0, 0),
        shapely.Polygon(),
        shapely.MultiPolygon([shape, shapely.box(48, 39, 48.1, 39.1)]),
        gpd.GeoSeries([shape, shape], crs=4326),
    ):
        with pytest.raises(TraverseError):
            inverse(bad)


def test_the_template_is_a_sheet_that_can_be_computed_and_closes():
    done = solve(traverse.template(), (47.14, 39.6))
    assert done.corners == ("SP", "TP1", "TP2", "TP3")
    assert done.misclosure.ratio > 500


def test_several_figures_one_bad_one_does_not_stop_the_others():
    table = pd.concat(
        [sheet(feature_id="H-1"), sheet(feature_id="H-2").assign(distance=[-1, 1, 1, 1, 1]), sheet(feature_id="H-3")],
        ignore_index=True,
    )
    fixes = gpd.GeoDataFrame(
        {"id": ["H-1-SP", "H-2/SP", "SP"], "feature_id": ["H-1", "H-2", "H-9"]},
        geometry=gpd.points_from_xy([SP.x] * 3, [SP.y] * 3),
        crs=32638,
    )
    done = solve_all(table, north="grid", fixes=fixes)
    assert list(done.solved) == ["H-1"]
    assert done.polygons["id"].tolist() == ["H-1"]
    errors = done.issues[done.issues["severity"] == "error"]
    assert len(errors) == 2
    assert "no known position" in errors["message"].iloc[1]
    with pytest.raises(TraverseError, match="one start"):
        solve_all(table, (47, 39), north="grid")


def test_metres_without_a_system_and_wrong_settings_are_refused():
    with pytest.raises(TraverseError, match="not stated"):
        solve(sheet(), (683_750, 4_385_600), north="grid")
    assert solve(sheet(), (683_750, 4_385_600), north="grid", options=GRID).misclosure.measured
    for bad in ({"adjust": "guess"}, {"instrument": "sextant"}):
        with pytest.raises(TraverseError):
            TraverseOptions(**bad)
    with pytest.raises(TraverseError, match="not in metres"):
        solve(sheet(), (-73.9, 40.7), north="grid", options=TraverseOptions(crs="EPSG:2263"))
    with pytest.raises(TraverseError, match="no grid"):
        solve(sheet(), (47, 40), north="grid", options=TraverseOptions(crs="EPSG:4326"))


def test_inputs_are_not_changed_and_results_are_plain_data():
    import json

    table = sheet()
    before = table.copy(deep=True)
    done = solve(table, SP, north="grid", options=GRID)
    pd.testing.assert_frame_equal(table, before)
    assert json.loads(json.dumps(done.to_dict()))["misclosure"]["ratio"] == 100


def test_inverse_goes_the_way_it_is_told_from_the_same_point():
    ring = shapely.Polygon([(47, 39.5), (47.001, 39.5), (47.001, 39.501), (47, 39.502)])
    there, back = inverse(ring), inverse(ring, direction="counterclockwise")
    assert there["from_point"].iloc[0] == back["from_point"].iloc[0] == "SP"
    assert there["distance_m"].tolist() == pytest.approx(back["distance_m"].tolist()[::-1])
    assert ((there["true_deg"].to_numpy()[::-1] - back["true_deg"].to_numpy()) % 360).round(1).tolist() == [180.0] * 4
    assert inverse(ring, direction="stored").equals(back)
    assert inverse(shapely.reverse(ring)).equals(there)
    with pytest.raises(TraverseError):
        inverse(ring, direction="left")


def test_a_slope_in_words_is_a_bad_leg():
    legs = pd.DataFrame(
        {"from_point": ["A", "B", "C"], "to_point": ["B", "C", "A"], "bearing": [0, 120, 240], "distance_m": [50.0] * 3, "slope_deg": ["", "steep", None]}
    )  # fmt: skip
    done = solve_all(legs, Start(47.0, 39.5), north="grid")
    said = done.issues[done.issues["check"] == "SV-04"]
    assert said["message"].str.contains("steep").any()
