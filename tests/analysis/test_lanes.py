"""Lanes: they stay on permitted ground and cover what can be reached; published counts, costs and orders; plan against work."""

from __future__ import annotations

import dataclasses
import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

import geotools as gt
from geotools.analysis import lanes
from geotools.analysis.lanes.ground import inside, plane_of
from geotools.analysis.lanes.sequence import cells
from geotools.analysis.lanes.strips import Piece
from geotools.model.errors import CoverageError, CRSError

UTM = "EPSG:32638"
X, Y = 683_000.0, 4_385_000.0
K = 1 / plane_of(gpd.GeoSeries([shapely.box(X, Y, X + 10, Y + 10)], crs=UTM)).scale  # ground metres per map metre here


def task(*shapes, crs=UTM, ids=None) -> gpd.GeoDataFrame:
    moved = [affinity.translate(s, X, Y) for s in shapes]
    return gpd.GeoDataFrame({"id": ids or [f"T-{i}" for i in range(1, len(shapes) + 1)]}, geometry=moved, crs=crs)


def star(rng, radius: float, corners: int, spike: float) -> shapely.Polygon:
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = radius * rng.uniform(1 - spike, 1, corners)
    return shapely.Polygon(np.c_[reach * np.cos(angle), reach * np.sin(angle)]).buffer(0)


def field(seed: int) -> shapely.Polygon:
    """A random polygon: plain, with holes, with a narrow arm, or a bent corridor."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(4)
    ground = star(rng, rng.uniform(12, 70), rng.integers(4, 14), rng.uniform(0, 0.8))
    for _ in range(rng.integers(1, 5) * (kind > 0)):
        hole = affinity.translate(star(rng, rng.uniform(1, 10), 6, 0.6), *rng.uniform(-40, 40, 2))
        ground = ground.difference(hole)
    if kind == 2:
        arm = affinity.rotate(
            shapely.box(0, 0, rng.uniform(30, 120), rng.uniform(1, 4)), rng.uniform(0, 360), origin=(0, 0)
        )
        ground = ground.union(arm)
    if kind == 3:
        ground = shapely.LineString(rng.uniform(-50, 50, (rng.integers(2, 6), 2))).buffer(
            rng.uniform(2, 8), cap_style="flat"
        )
    return ground


def check_lanes(seed: int) -> None:
    rng = np.random.default_rng(seed + 1)
    ground = field(seed)
    width = rng.uniform(0.8, 4)
    tool = lanes.Tool(width, rng.choice([0, 0.2]) * width, turn_radius_m=float(rng.choice([0, 0, 3])))
    if ground.is_empty or ground.area < 5:
        return
    made = lanes.plan(task(ground), tool)
    here = affinity.translate(ground, X, Y)
    allowed = here.buffer(1e-6)
    assert shapely.covers(allowed, made.lanes.geometry.array).all(), seed
    assert shapely.covers(allowed, made.lines.geometry.array).all(), seed
    # an independent reckoning of what can be reached: GEOS's own buffers, finer arcs
    half = width / K / 2
    can = here.buffer(-half, quad_segs=64).buffer(half, quad_segs=64)
    if can.area > 50:
        under = shapely.union_all(made.lanes.geometry.array)
        assert under.intersection(can).area / can.area >= 0.995, seed


@pytest.mark.parametrize("seed", range(14))
def test_lanes_cover_what_can_be_reached_and_never_leave_the_ground(seed):
    check_lanes(seed)


@pytest.mark.slow
def test_lanes_of_many_random_fields():
    for seed in range(100, 200):
        check_lanes(seed)


def convex(seed: int) -> shapely.Polygon:
    """A convex field of 1 to 10 ha, its width at least a tenth of its length."""
    rng = np.random.default_rng(seed)
    while True:
        hull = shapely.convex_hull(
            shapely.MultiPoint(rng.uniform(0, 1, (rng.integers(3, 12), 2)) * [1, rng.uniform(0.25, 1)])
        )
        sides = sorted(np.hypot(*np.diff(shapely.get_coordinates(shapely.oriented_envelope(hull)), axis=0)[:2].T))
        if sides[0] > 0.1 * sides[1]:
            break
    side = math.sqrt(10 ** rng.uniform(4, 5) / hull.area)
    return affinity.rotate(affinity.scale(hull, side, side, origin=(0, 0)), rng.uniform(0, 180))


@pytest.mark.parametrize("seed", range(6))
def test_the_way_through_convex_fields_is_short(seed):
    """At most 1.15 x area / effective width, turns and ways between included."""
    ground = convex(seed)
    tool = lanes.Tool([1.7, 2.45, 3.5][seed % 3], [0.0, 0.2, 0.3][seed // 2])
    made = lanes.plan(task(ground), tool).table.iloc[0]
    assert made["work_m"] + made["turn_m"] + made["move_m"] <= 1.15 * ground.area * K**2 / tool.step_m
    assert made["coverage"] >= 0.995


def test_pass_counts_times_and_rates_of_the_formulas():
    """100 x 50 m, W = 1.7 m, o = 0.2 m, turns of 30 s, 1 km/h."""
    tool = lanes.Tool(1.7, 0.2, speed_kmh=1.0, turn_s=30)
    assert (lanes.passes(50, tool), lanes.passes(100, tool), lanes.passes(50, lanes.Tool(1.7))) == (34, 67, 30)
    assert lanes.hours(3400, 33, tool) == pytest.approx(3.675, abs=5e-4)
    assert 5000 / lanes.hours(3400, 33, tool) == pytest.approx(1360.5, abs=0.1)
    assert lanes.hours(3350, 66, tool) == pytest.approx(3.900, abs=5e-4)
    assert 5000 / lanes.hours(3350, 66, tool) == pytest.approx(1282.1, abs=0.1)
    assert 5000 / lanes.hours(3000, 29, lanes.Tool(1.7, speed_kmh=1.0, turn_s=30)) == pytest.approx(1542.4, abs=0.1)
    fast = lanes.Tool(1.7, 0.2, speed_kmh=4.0, turn_s=30)
    assert 5000 / lanes.hours(3400, 33, fast) == pytest.approx(4444, abs=1)
    ground = task(shapely.box(0, 0, 100 / K, 50 / K))  # 100 x 50 m on the ground
    along = lanes.plan(ground, tool, settings=lanes.Settings(headlands=0)).table.iloc[0]
    assert (along["lanes"], round(along["work_m"], 1), round(along["hours"], 3)) == (34, 3400, 3.675)
    across = lanes.plan(
        ground, tool, settings=lanes.Settings(headlands=0, bearing_deg=along["bearing_deg"] + 90)
    ).table.iloc[0]
    assert (across["lanes"], round(across["hours"], 2)) == (67, 3.9)


def test_published_check_values_of_coverage_overlap_orders_and_costs():
    square = shapely.box(0, 0, 4, 4)
    one, two, three = (shapely.box(0, low, 4, low + 2) for low in (0, 2, 1))
    assert lanes.coverage([one], square) == 0.5
    assert lanes.coverage([one, three], square) == 0.75
    assert lanes.coverage([one, three, two], square) == 1.0
    assert lanes.coverage([], square) == 0.0
    assert lanes.overlap([one, two], square) == 0.0
    assert lanes.overlap([one, three], square) == 0.25
    assert lanes.overlap([one, two, three], square) == lanes.overlap([two, one, three], square) == 0.5
    assert lanes.overlap([two, two], square) == 0.5
    lines = [shapely.LineString([(0, i), (1, i)]) for i in range(1, 11)]

    def walked(numbers):
        ways = [lines[n - 1] if i % 2 == 0 else shapely.reverse(lines[n - 1]) for i, n in enumerate(numbers)]
        return lanes.route_length_m(ways)

    assert lanes.order(10, "snake") == [1, 3, 5, 7, 9, 10, 8, 6, 4, 2]
    assert walked(lanes.order(10, "snake")) == 27
    assert lanes.order(9, "snake") == [1, 3, 5, 7, 9, 8, 6, 4, 2]
    assert walked(lanes.order(9, "snake")) == 24
    assert walked(lanes.order(4, "boustrophedon")) == 7
    assert lanes.order(10, "spiral", size=6) == [1, 6, 2, 5, 3, 4, 7, 10, 8, 9]
    assert lanes.order(10, "spiral", size=5) == [1, 5, 2, 4, 3, 6, 10, 7, 9, 8]
    cell = shapely.Polygon([(0, 0), (4, 0), (4, 5), (0, 4)])
    assert lanes.crossings(cell, 90, 0.1) == pytest.approx(50)
    assert lanes.crossings(cell, 0, 0.1) == pytest.approx(40)
    holes = [[(0.1, 0.1), (0.1, 3.0), (0.2, 3.6), (0.2, 0.1)], [(2.1, 0.1), (2.1, 3.0), (2.2, 3.6), (2.2, 0.1)]]
    assert lanes.crossings(shapely.Polygon(cell.exterior, holes[:1]), 90, 0.1) == pytest.approx(85)
    assert lanes.crossings(shapely.Polygon(cell.exterior, holes), 90, 0.1) == pytest.approx(120)
    assert lanes.crossings(shapely.Polygon(cell.exterior, holes), 0, 0.1) == pytest.approx(42)


@pytest.mark.parametrize(
    ("count", "width", "step", "true"), [(5, 26, 20, 0.24), (10, 12, 10, 0.18), (50, 2.4, 2.0, 0.196)]
)
def test_overlap_counts_every_pair_where_a_published_library_counts_half(count, width, step, true):
    ground = shapely.box(0, 0, 100, 100)
    lows = [i * step - (width - step) / 2 for i in range(count)]
    shapes = [shapely.box(0, low, 100, low + width) for low in lows]
    assert lanes.overlap(shapes, ground) == pytest.approx(true, abs=1e-9)
    fine = np.linspace(0, 100, 200_001)[:-1] + 0.00025
    depth = sum(((fine > low) & (fine < low + width)).astype(int) for low in lows)
    assert lanes.overlap(shapes, ground) == pytest.approx((depth > 1).mean(), abs=1e-4)


@given(
    count=st.integers(0, 60),
    pattern=st.sampled_from(["boustrophedon", "snake", "spiral", "interleaved"]),
    size=st.integers(1, 9),
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_every_order_takes_every_lane_once(count, pattern, size):
    assert sorted(lanes.order(count, pattern, size=size)) == list(range(1, count + 1))


def test_turns_are_shortest_forward_paths():
    assert lanes.turn_m(8, 4) == pytest.approx(4 * math.pi)
    assert lanes.turn_m(10, 4) == pytest.approx(4 * math.pi + 2)
    assert lanes.turn_m(0, 3) == pytest.approx(3 * 7 * math.pi / 3)  # a full turn back into the same lane
    assert lanes.turn_m(7.999999, 4) == pytest.approx(lanes.turn_m(8, 4), abs=0.02)


def test_the_best_bearing_of_a_convex_field_lies_across_its_least_width():
    for seed in range(8):
        ground = convex(seed)
        best = lanes.bearing(ground)
        widths = []
        for angle in np.arange(0, 180, 0.25):
            points = shapely.get_coordinates(ground) @ [math.cos(math.radians(angle)), -math.sin(math.radians(angle))]
            widths.append(np.ptp(points))
        across = shapely.get_coordinates(ground) @ [math.cos(math.radians(best)), -math.sin(math.radians(best))]
        assert np.ptp(across) <= min(widths) + 1e-6
        assert lanes.crossings(ground, best, 1.0) == pytest.approx(np.ptp(across))


def test_a_bearing_keeps_within_slope_limits_where_it_can():
    ground = shapely.box(0, 0, 200, 50)  # fewest lanes run east
    east = np.full(100, math.tan(math.radians(12)))  # the ground rises to the east
    slopes = (east, np.zeros(100))
    assert lanes.bearing(ground) == 90
    assert lanes.bearing(ground, slopes=slopes, limits_deg=(15, 5)) == 90  # straight up: 12 along, 0 across
    assert lanes.bearing(ground, slopes=slopes, limits_deg=(10, None)) not in (90.0,)
    chosen = math.radians(lanes.bearing(ground, slopes=slopes, limits_deg=(10, None)))
    assert math.degrees(math.atan(math.tan(math.radians(12)) * math.sin(chosen))) <= 10


def test_exclusion_zones_and_their_setback_are_left_out():
    zone = gpd.GeoSeries([shapely.Point(X + 30, Y + 25)], crs=UTM).to_crs(4326)
    made = lanes.plan(
        task(shapely.box(0, 0, 80, 60)), lanes.Tool(2), settings=lanes.Settings(setback_m=5), exclusions=zone
    )
    assert shapely.distance(made.lanes.geometry.array, shapely.Point(X + 30, Y + 25)).min() >= 5 / K - 1e-6
    assert made.table["permitted_m2"][0] < made.table["task_m2"][0]
    assert "LN-07" in set(made.issues["check"])
    whole = gpd.GeoSeries([shapely.box(X - 1, Y - 1, X + 99, Y + 99)], crs=UTM)
    none = lanes.plan(task(shapely.box(0, 0, 80, 60)), lanes.Tool(2), exclusions=whole)
    assert len(none.lanes) == 0
    assert none.issues["check"].tolist() == ["LN-01"]
    assert none.to_dict()["tasks"][0]["coverage"] == 0


@pytest.mark.parametrize("kind", ["machine", "manual"])
@pytest.mark.parametrize(
    "mark",
    [
        shapely.Point(30, 25),
        shapely.LineString([(-5, 25), (90, 31)]),
        shapely.MultiPoint([(30, 25), (60, 25)]),
        shapely.GeometryCollection([shapely.Point(30, 25), shapely.box(60, 10, 65, 15)]),
    ],
)
def test_points_and_lines_are_never_crossed_without_a_setback(mark, kind):
    """A point has no ground of its own: without a setback lanes still keep half the tool's width, and the plan says so."""
    zone = gpd.GeoSeries([affinity.translate(mark, X, Y)], crs=UTM)
    made = lanes.plan(task(shapely.box(0, 0, 80, 60)), lanes.Tool(2, kind=kind), exclusions=zone)
    assert len(made.lanes)
    for part in shapely.get_parts(zone.array[0]):
        apart = shapely.distance(made.lanes.geometry.array, part).min()
        assert apart >= (0 if part.area else 1 / K) - 1e-6
        assert part.area or not shapely.intersects(made.lines.geometry.array, part).any()
    assert "LN-09" in set(made.issues["check"])
    far = lanes.plan(
        task(shapely.box(0, 0, 80, 60)), lanes.Tool(2, kind=kind), exclusions=zone, settings=lanes.Settings(setback_m=3)
    )
    assert "LN-09" not in set(far.issues["check"])


@pytest.mark.parametrize("nowhere", [None, shapely.Point(), shapely.Polygon([(0, 0), (9, 0), (0, 0)])])
def test_exclusions_without_a_place_are_an_error_of_the_plan(nowhere):
    zones = gpd.GeoDataFrame(
        {"id": ["well", "pit"]}, geometry=[nowhere, shapely.box(X + 20, Y + 20, X + 25, Y + 25)], crs=UTM
    )
    made = lanes.plan(task(shapely.box(0, 0, 80, 60)), lanes.Tool(2), exclusions=zones)
    told = made.issues.set_index("check").loc["LN-08"]
    assert told["severity"] == "error"
    assert "well" in told["message"]
    assert "pit" not in told["message"]
    assert not shapely.overlaps(made.lanes.geometry.array, zones.geometry.array[1]).any()
    alone = lanes.plan(task(shapely.box(0, 0, 80, 60)), lanes.Tool(2), exclusions=zones.geometry.iloc[:1])
    assert "LN-08" in set(alone.issues["check"])
    assert "LN-08" not in set(lanes.plan(task(shapely.box(0, 0, 80, 60)), lanes.Tool(2)).issues["check"])


def test_lanes_of_people_run_off_the_start_line_and_begin_there():
    start = gpd.GeoSeries([shapely.box(X - 5, Y - 10, X + 105, Y)], crs=UTM)
    ground = shapely.box(0, 0, 100, 40).difference(shapely.Point(50, 20).buffer(6))
    made = lanes.plan(task(ground), lanes.Tool(1.0, kind="manual"), start=start)
    assert made.table["direction"][0] == "straight off the start line"
    assert made.table["coverage"][0] == pytest.approx(1.0, abs=1e-6)
    ends = shapely.get_coordinates(shapely.get_point(made.lines.geometry.array, 0))[:, 1]
    far = shapely.get_coordinates(shapely.get_point(made.lines.geometry.array, -1))[:, 1]
    assert (ends < far).all()
    assert "LN-04" not in set(made.issues["check"])
    timed = lanes.plan(task(ground), lanes.Tool(1.0, kind="manual", speed_kmh=0.1), start=start).table.iloc[0]
    assert timed["hours"] == pytest.approx(timed["work_m"] / 100)
    assert timed["move_m"] < 1.5 * timed["work_m"]  # back over the lane just searched
    away = lanes.plan(task(ground), lanes.Tool(1.0, kind="manual"), start=start.translate(0, -30))
    assert "LN-04" in set(away.issues["check"])


def test_dogs_work_across_the_wind_from_the_lee_side():
    made = lanes.plan(
        task(shapely.box(0, 0, 60, 60)), lanes.Tool(8, 1, kind="dog"), settings=lanes.Settings(wind_from_deg=0)
    )
    middles = shapely.get_coordinates(shapely.centroid(made.lines.geometry.array))[:, 1]
    assert made.table["bearing_deg"][0] == pytest.approx(90, abs=1.5)
    assert middles[0] == middles.min()  # wind from the north: begin in the south


def test_second_pass_is_perpendicular_or_half_a_lane_aside():
    ground = task(shapely.box(0, 0, 60, 40))
    cross = lanes.plan(ground, lanes.Tool(2), settings=lanes.Settings(passes=2))
    first, second = (cross.lines[(cross.lines["pass_no"] == n) & (cross.lines["kind"] == "lane")] for n in (1, 2))
    assert abs(first["bearing_deg"].iloc[0] - second["bearing_deg"].iloc[0]) % 180 == pytest.approx(90, abs=0.1)
    for number in (1, 2):
        under = shapely.union_all(cross.lanes[cross.lanes["pass_no"] == number].geometry.array)
        assert under.area / (60 * 40) > 0.995
    aside = lanes.plan(ground, lanes.Tool(2, 0.4), settings=lanes.Settings(passes=2, second="offset"))
    assert aside.lanes["id"].is_unique
    assert (aside.lanes["status"] == "planned").all()


def test_cells_split_at_a_hole():
    def piece(strip, begin, stop):
        return Piece(
            shapely.LineString([(begin, strip), (stop, strip)]),
            shapely.box(begin, strip, stop, strip + 1),
            strip,
            strip,
            begin,
            stop,
        )

    around = [piece(0, 0, 10), piece(1, 0, 4), piece(1, 6, 10), piece(2, 0, 4), piece(2, 6, 10), piece(3, 0, 10)]
    assert sorted(len(cell) for cell in cells(around)) == [1, 1, 2, 2]


def test_interleaved_order_spares_narrow_turns():
    ground = task(convex(2))
    tool = lanes.Tool(1.7, 0.2, turn_radius_m=4)
    near = lanes.plan(ground, tool, settings=lanes.Settings(pattern="boustrophedon")).table.iloc[0]
    auto = lanes.plan(ground, tool).table.iloc[0]
    assert auto["work_m"] == pytest.approx(near["work_m"])
    assert auto["turn_m"] < 0.8 * near["turn_m"]


def test_ground_too_narrow_for_the_tool_is_named():
    arm = shapely.box(0, 0, 30, 30).union(shapely.box(30, 10, 60, 11))
    made = lanes.plan(task(arm), lanes.Tool(2))
    assert made.narrow["area_m2"].iloc[0] == pytest.approx(30, abs=2.5)
    assert "LN-03" in set(made.issues["check"])
    none = lanes.plan(task(shapely.box(0, 0, 50, 1)), lanes.Tool(2))
    assert none.issues["check"].tolist() == ["LN-02"]
    assert none.table["covered_m2"][0] == 0


def test_any_system_gives_the_same_plan():
    ground = task(shapely.box(0, 0, 90, 60))
    own, degrees = lanes.plan(ground, lanes.Tool(2)), lanes.plan(ground.to_crs(4326), lanes.Tool(2))
    assert degrees.lanes.crs.to_epsg() == 4326
    assert degrees.table["work_m"][0] == pytest.approx(own.table["work_m"][0], rel=2e-3)
    assert degrees.table["bearing_deg"][0] == pytest.approx(own.table["bearing_deg"][0], abs=0.1)
    assert degrees.table["coverage"][0] >= 0.9999
    with pytest.raises(CRSError, match="no coordinate reference system"):
        lanes.plan(ground.set_crs(None, allow_override=True), lanes.Tool(2))


def test_row_order_does_not_matter_and_inputs_stay():
    two = task(shapely.box(0, 0, 30, 20), shapely.box(50, 0, 70, 40), ids=["B", "A"])
    before = two.copy()
    forth, back = lanes.plan(two, lanes.Tool(2)), lanes.plan(two.iloc[::-1], lanes.Tool(2))
    assert forth.lines["id"].tolist() == back.lines["id"].tolist()
    assert shapely.equals_exact(forth.lines.geometry.array, back.lines.geometry.array, 1e-9).all()
    assert before.equals(two)


def test_threads_between_layers_get_no_lanes():
    ground = shapely.box(0, 0, 60, 40).union(shapely.box(60, 0, 200, 0.01)).union(shapely.box(100, 5, 160, 5.02))
    made = lanes.plan(task(ground), lanes.Tool(1.0, kind="manual"), settings=lanes.Settings(bearing_deg=1))
    assert shapely.bounds(made.lanes.geometry.array)[:, 2].max() < X + 60.5
    assert made.table["coverage"][0] == pytest.approx(1, abs=1e-6)
    assert made.narrow["area_m2"].sum() == pytest.approx(140 * 0.01 + 60 * 0.02, abs=0.1)


def test_rows_of_one_id_are_one_task():
    made = lanes.plan(task(shapely.box(0, 0, 30, 20), shapely.box(20, 0, 50, 20), ids=["A", "A"]), lanes.Tool(2))
    assert made.table["task_m2"].tolist() == pytest.approx([1000], rel=1e-3)
    assert made.lanes["id"].is_unique


def test_a_side_that_is_not_quite_straight_does_not_cost_a_lane():
    slanted = shapely.Polygon([(0, 0), (100, 0.002), (100, 50.001), (0, 50)])
    made = lanes.plan(task(slanted), lanes.Tool(1.7, 0.2), settings=lanes.Settings(headlands=0))
    assert made.table["coverage"][0] > 0.999
    assert shapely.covers(affinity.translate(slanted, X, Y).buffer(1e-6), made.lanes.geometry.array).all()


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda: lanes.Tool(0.0), "0.05"),
        (lambda: lanes.Tool(1.0, 1.0), "leaves nothing"),
        (lambda: lanes.Tool(1.0, kind="horse"), "horse"),
        (lambda: lanes.Tool(1.0, speed_kmh=0), "speed"),
        (lambda: lanes.Settings(passes=3), "passes"),
        (lambda: lanes.Settings(pattern="x"), "order"),
        (lambda: lanes.plan(task(shapely.Point(0, 0)), lanes.Tool(1)), "no area"),
    ],
)
def test_choices_that_make_no_sense_are_refused(wrong, match):
    with pytest.raises(CoverageError, match=match):
        wrong()


def test_inside_keeps_its_distance_from_any_boundary():
    for seed in range(6):
        ground = field(seed)
        left = inside(ground, 1.5)
        if not left.is_empty:
            assert shapely.distance(left.boundary, ground.boundary) >= 1.5 - 1e-9


def test_planned_lanes_go_to_guidance_files_and_back(tmp_path):
    made = lanes.plan(task(shapely.box(0, 0, 40, 20)), lanes.Tool(2, speed_kmh=2))
    for ending in ("geojson", "gpx", "kml", "gpkg"):
        path = gt.write(made.lines, tmp_path / f"lanes.{ending}")
        back = gt.read(path)
        assert len(back) == len(made.lines), ending
        assert back["id"].astype(str).tolist() == made.lines["id"].tolist(), ending
    assert made.lines["minutes"].sum() == pytest.approx(60 * made.table["hours"][0], rel=0.05)


def test_plan_against_work():
    ground = task(shapely.box(0, 0, 100 / K, 20 / K))
    made = lanes.plan(ground, lanes.Tool(2), settings=lanes.Settings(headlands=0))
    worked = gpd.GeoSeries(
        [shapely.box(X - 1, Y - 1, X + 101, Y + 6 / K), shapely.box(X - 1, Y + 6 / K - 0.1, X + 50 / K, Y + 8 / K)],
        crs=UTM,
    )
    seen = lanes.compare(made.lanes, worked.to_crs(4326))
    states = seen.lanes.sort_values("id")["state"].value_counts().to_dict()
    assert states == {"not_begun": 6, "done": 3, "part": 1}
    whole = seen.table[seen.table["state"] == "all"].iloc[0]
    assert whole["done_m2"] == pytest.approx(700, rel=1e-4)
    assert whole["left_m2"] == pytest.approx(1300, rel=1e-4)
    assert seen.left["area_m2"].sum() == pytest.approx(1300, rel=1e-4)
    assert seen.table.query("state != 'all'")["lanes"].sum() == len(made.lanes)
    more = gpd.GeoSeries([shapely.box(X - 1, Y - 1, X + 101, Y + 9)], crs=UTM)
    assert (
        lanes.compare(made.lanes, more).lanes.set_index("id")["share"] >= seen.lanes.set_index("id")["share"] - 1e-9
    ).all()
    nothing = lanes.compare(made.lanes, gpd.GeoSeries([], crs=UTM))
    assert set(nothing.lanes["state"]) == {"not_begun"}
    with pytest.raises(CoverageError, match="no planned lanes"):
        lanes.compare(made.lanes.iloc[:0], worked)


def test_work_in_the_next_lane_does_not_begin_this_one():
    ground = task(shapely.box(0, 0, 100 / K, 20 / K))
    made = lanes.plan(ground, lanes.Tool(2, 0.8), settings=lanes.Settings(headlands=0))
    first = made.lanes.geometry.iloc[[0]]
    states = lanes.compare(made.lanes, first).lanes["state"]
    assert states.value_counts().to_dict() == {"not_begun": len(made.lanes) - 1, "done": 1}


def test_ground_is_open_only_where_it_was_judged_so():
    """Workable under not is shut, seams between patches shut nothing, and zones given go on with their ids."""
    ground = task(shapely.box(0, 0, 60, 40), ids=["T"])
    parts = [shapely.box(0, 0, 20.0000001, 40), shapely.box(20, 0, 40, 40), shapely.box(30, 0, 40, 40), None]
    judged = task(*parts[:3], ids=["a", "b", "c"]).assign(**{"class": ["workable", "conditional", "not"]})
    well = gpd.GeoDataFrame({"id": ["well", "lost"]}, geometry=[shapely.Point(X + 10, Y + 20), None], crs=UTM)
    zones, issues = lanes.shut(ground, judged, well.to_crs(4326))
    assert zones["id"].tolist() == ["judged-T", "well", "lost"]
    assert zones.geometry.iloc[0].symmetric_difference(shapely.box(X + 30, Y, X + 60, Y + 40)).area < 0.1
    assert [(i.check, i.id) for i in issues] == [("LN-10", "T")]
    assert issues[0].value == pytest.approx(800 * K**2, abs=0.1)
    made = lanes.plan(ground, lanes.Tool(2), exclusions=zones)
    assert shapely.bounds(made.lanes.geometry.array)[:, 2].max() <= X + 30 + 1e-6
    assert {"LN-08", "LN-09"} <= set(made.issues["check"])
    near = lanes.plan(ground, lanes.Tool(2), exclusions=zones, settings=lanes.Settings(setback_m=3))
    assert shapely.bounds(near.lanes.geometry.array)[:, 2].max() <= X + 27.1
    assert shapely.bounds(near.lanes.geometry.array)[:, 0].min() < X + 0.1


@pytest.mark.parametrize("left", [0.04, 0.3, 0.49, 7.0])
def test_words_of_lanes_never_say_all_while_ground_is_left(left):
    ground = task(shapely.box(0, 0, 100 / K, 20 / K))
    made = lanes.plan(ground, lanes.Tool(2), settings=lanes.Settings(headlands=0))
    seen = lanes.compare(
        made.lanes, gpd.GeoSeries([shapely.box(X - 1, Y - 1, X + 101, Y + (20 - left / 100) / K)], crs=UTM)
    )
    told = seen.sentences[0]
    assert "(99." in told and "100.0 %" not in told and " 0 m² left" not in told
    row = made.table.iloc[0]
    short = made.table.assign(coverage=1 - left / 2000, covered_m2=row["permitted_m2"] - left)
    words = dataclasses.replace(made, table=short).sentences[1]
    assert "99.9 %" in words or left > 2
    assert "100.0" not in words and "; 0 m² of permitted ground" not in words
    whole = lanes.compare(made.lanes, gpd.GeoSeries([shapely.box(X - 1, Y - 1, X + 101, Y + 21)], crs=UTM))
    assert "(100.0 %), 0 m² left." in whole.sentences[0]
