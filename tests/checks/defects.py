"""Ways in which records go wrong, planted into the clean programme of `synthetic` with the truth recorded.

A defect is a function that spoils one cell and says which rule must find it, in which layer, under which id.
Every one uses cells of its own, so that defects do not hide each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import shapely
import shapely.affinity

Truth = tuple[str, str, str]
DEFECTS: dict[str, Callable[[Any], Truth]] = {}
WHOLE, OPEN, WORKING, PAIR, CHILD, HOLE, SURVEYED = (0, 1, 2), (8,), (3, 5), (4,), (6,), (7,), (8, 9)


def defect(function: Callable[[Any], Truth]) -> Callable[[Any], Truth]:
    DEFECTS[function.__name__] = function
    return function


class Planter:
    def __init__(self, world: dict[str, list[dict[str, Any]]], seed: int, tools: Any) -> None:
        self.world, self.tools = world, tools
        self.rng = np.random.default_rng(seed + 1000)
        cells = sorted({int(row["id"][2:7]) for row in world["hazards"]})
        self.free = {sort: [c for c in cells if c % 10 == sort] for sort in range(10)}

    def cell(self, sorts: tuple[int, ...]) -> int:
        """A cell not used before, of the sort that has most left."""
        sort = max(sorts, key=lambda s: len(self.free[s]))
        return self.free[sort].pop()

    def row(self, kind: str, id: str) -> dict[str, Any]:
        return next(row for row in self.world[kind] if row["id"] == id)

    def hazard(self, sorts: tuple[int, ...] = OPEN) -> dict[str, Any]:
        return self.row("hazards", f"H-{self.cell(sorts):05d}")

    def of(self, kind: str, cell: str, **wanted: Any) -> list[dict[str, Any]]:
        return [r for r in self.world[kind] if cell in r["id"] and all(r.get(k) == v for k, v in wanted.items())]

    def release(self, product: str = "cleared", sorts: tuple[int, ...] = WHOLE) -> dict[str, Any]:
        return self.of("releases", f"-{self.cell(sorts):05d}-", product=product)[0]

    def add(self, kind: str, source: dict[str, Any], id: str, **values: Any) -> dict[str, Any]:
        row = {**source, "id": id, **({"guid": None} if "guid" in source else {}), **values}
        self.world[kind].append(row)
        return row


def ring(row: dict[str, Any]) -> np.ndarray:
    return shapely.get_coordinates(row["geometry"].exterior)[:-1]


def cell_of(row: dict[str, Any]) -> str:
    return row["id"][2:7]


# ---- one polygon -----------------------------------------------------------------------------------------------------
@defect
def crossing_boundary(p):
    row = p.hazard()
    c = np.array(row["geometry"].centroid.coords[0])
    row["geometry"] = shapely.Polygon(c + np.array([[0, 0], [40, 40], [40, 0], [0, 40]]))
    return "GC-01", "hazards", row["id"]


@defect
def swapped_points(p):
    row = p.hazard()
    for k in range(10):  # a swap that leaves the ring uncrossed cannot be seen in it
        points = ring(row)
        points[[k, k + 1]] = points[[k + 1, k]]
        if not shapely.Polygon(points).is_valid:
            break
    row["geometry"] = shapely.Polygon(points)
    return "TP-13", "hazards", row["id"]


@defect
def moved_point(p):
    row = p.hazard()
    points = ring(row)
    row["geometry"] = shapely.Polygon(np.insert(np.delete(points, 2, axis=0), 7, points[2], axis=0))
    return "TP-13", "hazards", row["id"]


@defect
def run_of_points_turned(p):
    row = p.hazard()
    points = ring(row)
    points[3:8] = points[3:8][::-1]
    row["geometry"] = shapely.Polygon(points)
    return "TP-13", "hazards", row["id"]


@defect
def two_points_only(p):
    row = p.hazard()
    a, b = ring(row)[:2]
    row["geometry"] = shapely.Polygon([a, b, a, b])
    return "GC-02", "hazards", row["id"]


@defect
def part_twice(p):
    row = p.hazard()
    row["geometry"] = shapely.MultiPolygon([row["geometry"], row["geometry"]])
    return "GC-03", "hazards", row["id"]


@defect
def point_twice(p):
    row = p.hazard()
    points = ring(row)
    row["geometry"] = shapely.Polygon(np.insert(points, 6, points[1], axis=0))
    return "GC-06", "hazards", row["id"]


@defect
def long_edge(p):
    row = p.hazard()
    points = ring(row)
    points[4] += (0, 6000)
    row["geometry"] = shapely.Polygon(points)
    return "GC-14", "hazards", row["id"]


@defect
def long_closing_edge(p):
    row = p.hazard()
    row["geometry"] = shapely.Polygon(ring(row)[0] + np.array([[0, 0], [3000, 10], [5900, 0], [3000, -40]])[[0, 3, 2]])
    points = ring(row)
    row["geometry"] = shapely.Polygon(np.array([points[0], (points[0] + points[2]) / 2 + (0, 30), points[2]]))
    return "TP-06", "hazards", row["id"]


@defect
def last_point_left_out(p):
    row = p.hazard()
    c = np.array(row["geometry"].centroid.coords[0])
    row["geometry"] = shapely.Polygon(
        c + np.array([[-20, 10], [-20, -20], [0, -20], [0, 20], [20, 20], [20, -20], [40, -20], [40, 5]])
    )
    return "TP-06", "hazards", row["id"]


@defect
def parts_overlap(p):
    row = p.hazard()
    row["geometry"] = shapely.MultiPolygon([row["geometry"], shapely.affinity.translate(row["geometry"], 20)])
    return "GC-15", "hazards", row["id"]


@defect
def start_repeated_at_the_end(p):
    row = p.hazard()
    points = ring(row)
    row["geometry"] = shapely.Polygon([*points, points[0], points[0]])
    return "GC-16", "hazards", row["id"]


@defect
def point_repeated_at_once(p):
    row = p.hazard()
    row["geometry"] = shapely.Polygon(np.insert(ring(row), 3, ring(row)[3], axis=0))
    return "GC-16", "hazards", row["id"]


@defect
def ring_runs_past_its_start(p):
    row = p.hazard()
    points = ring(row)
    row["geometry"] = shapely.Polygon([*points, points[0], points[1]])
    return "GC-16", "hazards", row["id"]


@defect
def spike(p):
    row = p.hazard()
    points = ring(row)
    middle = (points[2] + points[3]) / 2
    tip = middle + (middle - np.array(row["geometry"].centroid.coords[0])) * 1.0
    across = (points[3] - points[2]) / np.hypot(*(points[3] - points[2])) * 0.1
    row["geometry"] = shapely.Polygon(np.insert(points, 3, [middle - across, tip, middle + across], axis=0))
    return "TP-11", "hazards", row["id"]


@defect
def nearly_the_same_point(p):
    row = p.hazard()
    row["geometry"] = shapely.Polygon(np.insert(ring(row), 3, ring(row)[2] + (0.14, 0.14), axis=0))
    return "TP-12", "hazards", row["id"]


@defect
def hole_outside(p):
    row = p.hazard()
    x, y = row["geometry"].centroid.coords[0]
    row["geometry"] = shapely.Polygon(ring(row), [shapely.box(x + 100, y, x + 120, y + 20).exterior.coords])
    return "TP-05", "hazards", row["id"]


@defect
def part_inside_part(p):
    row = p.hazard()
    row["geometry"] = shapely.MultiPolygon([row["geometry"], row["geometry"].centroid.buffer(8, quad_segs=2)])
    return "TP-05", "hazards", row["id"]


@defect
def hole_drawn_like_its_shell(p):
    row = p.hazard(HOLE)
    shape = row["geometry"]
    row["geometry"] = shapely.Polygon(shape.exterior.coords, [hole.coords[::-1] for hole in shape.interiors])
    return "TP-05", "hazards", row["id"]


@defect
def tiny_polygon(p):
    row = p.hazard()
    row["geometry"] = shapely.affinity.scale(row["geometry"], 0.005, 0.005)
    return "TP-07", "hazards", row["id"]


@defect
def strip_thinner_than_the_accuracy(p):
    row = p.hazard()
    x, y = row["geometry"].centroid.coords[0]
    row["geometry"] = shapely.box(x, y, x + 60, y + 0.4)
    return "TP-17", "hazards", row["id"]


@defect
def hazard_without_polygon(p):
    row = p.hazard()
    row["geometry"] = None
    return "TP-19", "hazards", row["id"]


@defect
def hazard_as_point(p):
    row = p.hazard()
    row["geometry"] = row["geometry"].centroid
    return "TP-20", "hazards", row["id"]


# ---- two records -----------------------------------------------------------------------------------------------------
@defect
def hazards_overlap(p):
    row = p.hazard(PAIR)
    p.row("hazards", row["id"] + "b")["geometry"] = shapely.affinity.translate(
        p.row("hazards", row["id"] + "b")["geometry"], -30
    )
    return "TP-01", "hazards", row["id"]


@defect
def hazards_overlap_by_a_strip(p):
    row = p.hazard(PAIR)
    other = p.row("hazards", row["id"] + "b")
    other["geometry"] = shapely.affinity.translate(other["geometry"], -0.3)
    return "TP-04", "hazards", row["id"]


@defect
def gap_between_neighbours(p):
    row = p.hazard(PAIR)
    other = p.row("hazards", row["id"] + "b")
    other["geometry"] = shapely.affinity.translate(other["geometry"], 0.3)
    return "TP-04", "hazards", row["id"]


@defect
def same_hazard_from_two_organisations(p):
    row = p.hazard()
    copy = p.add("hazards", row, f"Z-{cell_of(row)}", organisation="Unit South (synthetic)")
    copy["geometry"] = shapely.affinity.translate(copy["geometry"], 0.4, -0.3)
    return "TP-14", "hazards", row["id"]


@defect
def same_hazard_exactly(p):
    row = p.hazard()
    p.add("hazards", row, f"Z-{cell_of(row)}")
    return "TP-14", "hazards", row["id"]


@defect
def unlinked_hazard_in_hazard(p):
    row = p.hazard(CHILD)
    p.row("hazards", row["id"] + "c")["parent_id"] = None
    return "TP-15", "hazards", row["id"] + "c"


@defect
def pulkovo_copy(p):
    row = p.hazard()
    copy = p.add("hazards", row, f"Z-{cell_of(row)}")
    to = p.tools.pulkovo_plotted_as_wgs84
    copy["geometry"] = shapely.transform(row["geometry"], to)
    return "CR-07", "hazards", copy["id"]


@defect
def release_read_in_the_wrong_datum(p):
    row = p.release(sorts=WORKING)
    row["geometry"] = shapely.transform(row["geometry"], p.tools.pulkovo_plotted_as_wgs84)
    return "CR-07", "releases", row["id"]


@defect
def release_outside_its_hazard(p):
    row = p.release(sorts=WORKING)
    row["geometry"] = (
        row["geometry"]
        .buffer(12, join_style="mitre")
        .union(shapely.affinity.translate(row["geometry"], 0, 60))
        .convex_hull
    )
    return "TP-02", "releases", row["id"]


@defect
def released_twice(p):
    row = p.release(sorts=WORKING)
    copy = p.add("releases", row, f"R-{cell_of(row)}-z")
    copy["geometry"] = shapely.affinity.scale(row["geometry"], 1.0, 0.5)
    return "TP-03", "releases", row["id"]


@defect
def two_products_on_one_ground(p):
    row = p.release(sorts=WORKING)
    p.add(
        "releases",
        row,
        f"R-{cell_of(row)}-z",
        product="reduced",
        method="ts",
        activity_id=row["activity_id"][:-1] + "T",
    )
    return "AR-03", "hazards", row["hazard_id"]


@defect
def all_released_beyond_the_hazard(p):
    row = p.release("cancelled", sorts=WORKING)
    row["geometry"] = shapely.affinity.translate(row["geometry"], -20)
    return "AR-05", "hazards", row["hazard_id"]


@defect
def release_linked_to_another_hazard(p):
    row, other = p.release(sorts=WORKING), p.hazard(HOLE)
    row["hazard_id"] = other["id"]
    return "TP-16", "releases", row["id"]


@defect
def landmark_in_hazard(p):
    cell = f"{p.cell(SURVEYED):05d}"
    p.row("marks", f"{cell}-LM")["geometry"] = p.row("hazards", f"H-{cell}")["geometry"].centroid
    return "TP-08", "marks", f"{cell}-LM"


@defect
def approach_through_hazard(p):
    cell = f"{p.cell(SURVEYED):05d}"
    shape, mark = p.row("hazards", f"H-{cell}")["geometry"], p.row("marks", f"{cell}-LM")
    x, y = shape.centroid.coords[0]
    bx, by = p.row("marks", f"{cell}-BM")["geometry"].coords[0]
    mark["geometry"] = shapely.Point(2 * x - bx, 2 * y - by)
    return "TP-08", "marks", f"{cell}-LM"


@defect
def find_outside_its_polygons(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["geometry"] = shapely.affinity.translate(row["geometry"], 0.0035)
    return "TP-09", "finds", row["id"]


@defect
def find_in_released_land(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["date"] = pd.Timestamp("2024-04-01")
    return "TP-10", "finds", row["id"]


@defect
def accident_in_released_land(p):
    row = p.release()
    point = p.tools.lonlat(row["geometry"].representative_point())
    p.world["accidents"].append(
        {
            **p.world["accidents"][0],
            "id": f"X-{cell_of(row)}",
            "hazard_id": row["hazard_id"],
            "admin1": row["admin1"],
            "date": pd.Timestamp("2025-01-01"),
            "geometry": point,
        }
    )
    return "TP-10", "accidents", f"X-{cell_of(row)}"


@defect
def district_contradicts_the_map(p):
    row = p.hazard()
    row["admin1"] = next(d for d in ("Ashaga", "Orta") if d != row["admin1"])
    return "RP-02", "hazards", row["id"]


# ---- marks and legs --------------------------------------------------------------------------------------------------
def marked(p) -> tuple[str, list[dict[str, Any]]]:
    cell = f"{p.cell(SURVEYED):05d}"
    return cell, [m for m in p.world["marks"] if m["id"].startswith(cell) and m["shape_id"]]


@defect
def polygon_id_twice(p):
    cell, points = marked(p)
    for point in points[:4]:
        p.add("marks", point, point["id"] + "bis", geometry=shapely.affinity.translate(point["geometry"], 1500))
    return "GC-04", "marks", f"H-{cell}"


@defect
def polygon_id_with_a_blank(p):
    cell, points = marked(p)
    points[3]["shape_id"] = "1 "
    return "GC-05", "marks", f"H-{cell}"


@defect
def mark_coordinates_twice(p):
    cell, points = marked(p)
    points[5]["geometry"] = points[2]["geometry"]
    return "GC-06", "marks", f"H-{cell}"


@defect
def point_name_twice_in_polygon(p):
    cell, points = marked(p)
    points[5]["id"] = points[4]["id"]
    return "GC-07", "marks", f"H-{cell}"


@defect
def point_name_twice_but_for_a_blank(p):
    cell, points = marked(p)
    points[5]["id"] = points[4]["id"] + " "
    return "GC-08", "marks", f"H-{cell}"


@defect
def two_loose_points_in_one_place(p):
    cell, _ = marked(p)
    p.row("marks", f"{cell}-LM")["geometry"] = p.row("marks", f"{cell}-BM")["geometry"]
    return "GC-09", "marks", f"H-{cell}"


@defect
def loose_point_name_twice(p):
    cell, _ = marked(p)
    mark = p.row("marks", f"{cell}-BM")
    p.add("marks", mark, mark["id"], geometry=shapely.affinity.translate(mark["geometry"], 3))
    return "GC-10", "marks", f"H-{cell}"


@defect
def loose_point_name_twice_but_for_a_blank(p):
    cell, _ = marked(p)
    mark = p.row("marks", f"{cell}-BM")
    p.add("marks", mark, " " + mark["id"], geometry=shapely.affinity.translate(mark["geometry"], 3))
    return "GC-11", "marks", f"H-{cell}"


@defect
def two_turning_points_only(p):
    cell, points = marked(p)
    for point in points[2:]:
        p.world["marks"].remove(point)
    return "GC-02", "marks", f"H-{cell}"


@defect
def north_not_named(p):
    cell, _ = marked(p)
    p.of("legs", f"{cell}-")[2]["north"] = None
    return "SV-01", "legs", f"H-{cell}"


@defect
def distance_misread(p):
    cell, _ = marked(p)
    p.of("legs", f"{cell}-")[3]["distance_m"] += 10
    return "SV-02", "legs", f"H-{cell}"


@defect
def last_leg_not_measured(p):
    cell, _ = marked(p)
    p.world["legs"].remove(p.of("legs", f"{cell}-")[-1])
    return "SV-02", "legs", f"H-{cell}"


@defect
def magnetic_bearings_called_grid(p):
    cell, _ = marked(p)
    for leg in p.of("legs", f"{cell}-"):
        leg["bearing"] = f"{(float(leg['bearing']) - 4.95) % 360:.3f}"
    return "SV-03", "legs", f"H-{cell}"


@defect
def no_independent_fix(p):
    cell, points = marked(p)
    for mark in points[1:]:
        mark["geometry"] = None
        mark["bearing"], mark["north"], mark["distance_m"] = 10.0, "grid", 10.0
    return "SV-03", "legs", f"H-{cell}"


@defect
def bearing_in_mils(p):
    cell, _ = marked(p)
    leg = p.of("legs", f"{cell}-")[3]
    leg["bearing"] = "4250"
    return "SV-04", "legs", leg["id"]


@defect
def distance_zero(p):
    cell, _ = marked(p)
    leg = p.of("legs", f"{cell}-")[3]
    leg["distance_m"] = 0.0
    return "SV-04", "legs", leg["id"]


@defect
def sides_without_intermediate_points(p):
    cell, points = marked(p)
    x, y = p.row("hazards", f"H-{cell}")["geometry"].centroid.coords[0]
    for point in points:
        point["geometry"] = shapely.affinity.scale(point["geometry"], 1, 1)
        a, b = point["geometry"].coords[0]
        point["geometry"] = shapely.Point(x + 4 * (a - x), y + 4 * (b - y))
    return "SV-05", "marks", f"H-{cell}"


@defect
def poor_accuracy(p):
    row = p.hazard()
    row["h_acc_m"] = 45.0
    return "SV-06", "hazards", row["id"]


@defect
def turning_point_lost(p):
    cell, points = marked(p)
    p.world["marks"].remove(points[5])
    return "SV-07", "marks", f"H-{cell}"


# ---- systems ---------------------------------------------------------------------------------------------------------
@defect
def system_of_origin_without_operation(p):
    row = p.hazard()
    row["source_crs"] = "EPSG:4284"
    return "CR-02", "hazards", row["id"]


@defect
def typed_coordinates_fit_two_systems(p):
    row = p.hazard()
    row["source_coords"] = "683750.0 4385600.0"
    return "CR-03", "hazards", row["id"]


@defect
def latitude_and_longitude_exchanged(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["geometry"] = shapely.Point(row["geometry"].y, row["geometry"].x)
    return "CR-04", "finds", row["id"]


@defect
def coordinates_never_entered(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["geometry"] = shapely.Point(0, 0)
    return "CR-04", "finds", row["id"]


@defect
def one_zone_off(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["geometry"] = shapely.affinity.translate(row["geometry"], 6.0)
    return "CR-04", "finds", row["id"]


@defect
def no_place_on_earth(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["geometry"] = shapely.Point(47.0, 139.6)
    return "CR-04", "finds", row["id"]


# ---- work, dates, links ----------------------------------------------------------------------------------------------
@defect
def closed_without_report(p):
    cell = f"{p.cell(WHOLE):05d}"
    p.world["activities"].remove(p.row("activities", f"A-{cell}-C"))
    return "WF-01", "hazards", f"H-{cell}"


@defect
def worked_on_by_nobody(p):
    row = p.hazard()
    row["status"] = "worked_on"
    return "WF-01", "hazards", row["id"]


@defect
def successor_with_older_date(p):
    row = p.hazard()
    p.add(
        "hazards", row, f"Z-{cell_of(row)}", supersedes_id=row["id"], date_info=row["date_info"] - pd.Timedelta(days=1)
    )
    return "WF-02", "hazards", f"Z-{cell_of(row)}"


@defect
def progress_after_completion(p):
    cell = f"{p.cell(WHOLE):05d}"
    report = p.row("activities", f"A-{cell}-C")
    p.add("activities", report, f"A-{cell}-P", type="progress_report", end=report["end"] + pd.Timedelta(days=9))
    return "WF-02", "activities", report["id"]


@defect
def start_after_end(p):
    row = p.of("activities", f"-{p.cell(WHOLE):05d}-")[0]
    row["start"], row["end"] = row["end"], row["start"]
    return "WF-03", "activities", row["id"]


@defect
def date_still_to_come(p):
    row = p.release()
    row["date"] = row["handover_date"] = pd.Timestamp("2091-06-01")
    return "WF-03", "releases", row["id"]


@defect
def released_before_survey(p):
    row = p.release("cancelled")
    row["date"] = pd.Timestamp("2019-01-01")
    return "WF-03", "releases", row["id"]


@defect
def found_outside_its_task(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["date"] = pd.Timestamp("2020-12-01")
    return "WF-03", "finds", row["id"]


@defect
def cleared_by_survey(p):
    row = p.release()
    row["activity_id"] = row["activity_id"][:-1] + "N"
    return "WF-04", "releases", row["id"]


@defect
def cleared_with_method_nts(p):
    row = p.release()
    row["method"] = "nts"
    return "WF-04", "releases", row["id"]


@defect
def confirmed_without_direct_evidence(p):
    row = p.hazard()
    row["evidence"] = "indirect"
    return "WF-05", "hazards", row["id"]


@defect
def suspected_with_direct_evidence(p):
    row = p.hazard(WORKING)
    row["evidence"] = "direct"
    return "WF-05", "hazards", row["id"]


@defect
def link_to_nothing(p):
    row = p.release()
    row["hazard_id"] = "H-99999"
    return "WF-06", "releases", row["id"]


@defect
def circle_of_parents(p):
    row = p.hazard(CHILD)
    row["parent_id"] = row["id"] + "c"
    return "WF-06", "hazards", row["id"]


@defect
def work_that_belongs_to_nothing(p):
    row = p.of("activities", f"-{p.cell(WHOLE):05d}-")[0]
    p.add(
        "activities",
        row,
        f"A-{cell_of(row)}-o",
        type="clearance",
        hazard_id=None,
        devices_found=None,
        processed_m2=None,
    )
    return "WF-06", "activities", f"A-{cell_of(row)}-o"


@defect
def cleared_without_depth(p):
    row = p.release()
    row["depth_cm"] = None
    return "WF-07", "releases", row["id"]


@defect
def cleared_too_shallow(p):
    row = p.release()
    row["depth_cm"] = 5.0
    return "WF-07", "releases", row["id"]


@defect
def machine_alone_called_cleared(p):
    row = p.release(sorts=WORKING)
    row["method"] = "mechanical"
    return "WF-08", "releases", row["id"]


@defect
def closed_with_failed_inspection(p):
    cell = f"{p.cell((0,)):05d}"
    sample = p.row("samples", f"Q-{cell}")
    sample["result"], sample["nonconformity"] = "failed", "critical"
    return "WF-09", "hazards", f"H-{cell}"


@defect
def closed_with_land_left(p):
    row = p.release("cancelled")
    p.world["releases"].remove(row)
    return "WF-10", "hazards", row["hazard_id"]


@defect
def released_but_open(p):
    row = p.hazard(WHOLE)
    row["status"] = "open"
    return "WF-11", "hazards", row["id"]


# ---- areas -----------------------------------------------------------------------------------------------------------
@defect
def processed_less_than_cleared(p):
    row = p.release()
    p.row("activities", row["activity_id"])["processed_m2"] = 100.0
    return "AR-06", "activities", row["activity_id"]


@defect
def progress_is_not_completion(p):
    cell = f"{p.cell(WHOLE):05d}"
    shape, report = p.row("hazards", f"H-{cell}")["geometry"], p.row("activities", f"A-{cell}-C")
    report["geometry"] = shape
    p.add(
        "activities",
        report,
        f"A-{cell}-P",
        type="progress_report",
        geometry=shapely.affinity.scale(shape, 0.9, 1),
        end=report["end"],
    )
    return "AR-07", "activities", report["id"]


@defect
def reported_area_wrong(p):
    row = p.hazard()
    row["area_reported_m2"] *= 1.35
    return "AR-11", "hazards", row["id"]


def _unit(name: str, change: Callable[[float, Any], float]) -> None:
    def plant(p):
        row = p.hazard()
        row["area_reported_m2"] = change(row["area_reported_m2"], row["geometry"])
        return "AR-13", "hazards", row["id"]

    plant.__name__ = name
    defect(plant)


_unit("area_in_hectares", lambda a, g: a / 1e4)
_unit("area_in_square_kilometres", lambda a, g: a / 1e6)
_unit("area_times_ten_thousand", lambda a, g: a * 1e4)
_unit("area_times_a_million", lambda a, g: a * 1e6)
_unit("area_with_a_digit_too_many", lambda a, g: a * 10)
_unit("area_in_square_degrees", lambda a, g: a / (111_035.0 * 111_412.0 * math.cos(math.radians(39.45))))
_unit("area_of_web_mercator", lambda a, g: a / math.cos(math.radians(39.45)) ** 2)


@defect
def devices_do_not_add_up(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    row["qty"] += 4
    return "AR-12", "activities", row["activity_id"]


# ---- words, ids, texts -----------------------------------------------------------------------------------------------
@defect
def id_twice(p):
    row, other = p.hazard(), p.hazard()
    other["id"] = row["id"]
    return "GC-12", "hazards", row["id"]


@defect
def id_that_reading_renamed(p):
    row, other = p.hazard(), p.hazard()
    other["id"] = row["id"] + "~2"
    return "GC-12", "hazards", row["id"]


@defect
def devices_entered_twice(p):
    row = p.of("finds", f"-{p.cell(WHOLE):05d}-")[0]
    p.add("finds", row, row["id"] + "z")
    return "GC-13", "finds", row["id"] + "z"


@defect
def cyrillic_letter_in_id(p):
    row = p.hazard()
    row["id"] = row["id"].replace("H", "Н")
    p_id = row["id"]
    for mark in p.world["marks"] + p.world["legs"]:
        if mark["feature_id"] == p_id.replace("Н", "H"):
            mark["feature_id"] = p_id
    return "AT-01", "hazards", p_id


@defect
def cyrillic_letter_in_organisation(p):
    row = p.hazard()
    row["organisation"] = "Unit Nоrth (synthetic)"
    return "AT-01", "hazards", row["id"]


@defect
def blank_after_id(p):
    row = p.hazard(HOLE)
    row["id"] += " "
    return "AT-02", "hazards", row["id"].strip()


@defect
def classification_empty(p):
    row = p.hazard()
    row["classification"] = None
    return "AT-03", "hazards", row["id"]


@defect
def negative_depth(p):
    row = p.release()
    row["depth_cm"] = -20.0
    return "AT-04", "releases", row["id"]


@defect
def formula_in_note(p):
    row = p.hazard()
    row["note"] = '=HYPERLINK("http://example.invalid","open")'
    return "AT-05", "hazards", row["id"]


@defect
def script_in_note(p):
    row = p.hazard()
    row["note"] = "<img src=x onerror=alert(1)>"
    return "AT-05", "hazards", row["id"]


@defect
def text_turned_round(p):
    row = p.hazard()
    row["note"] = "safe \u202eerac\u202c"
    return "AT-05", "hazards", row["id"]


@defect
def guid_twice(p):
    row, other = p.hazard(), p.hazard()
    other["guid"] = row["guid"]
    return "AT-06", "hazards", max(row["id"], other["id"])


@defect
def garbled_letters(p):
    row = p.of("activities", f"-{p.cell(WHOLE):05d}-")[0]
    row["team"] = "Ağdam".encode().decode("latin-1")
    return "AT-07", "activities", row["id"]


@defect
def unknown_status(p):
    row = p.hazard()
    row["status"] = "half finished"
    return "RP-01", "hazards", row["id"]


@defect
def district_nobody_knows(p):
    row = p.hazard()
    row["admin1"] = "Nowhere-" + row["id"]
    return "RP-01", "hazards", row["id"]


@defect
def spelling_variant(p):
    row = p.hazard()
    row["organisation"] = "UNIT NORTH (Synthetic)"
    return "GC-17", "hazards", ""


@defect
def telephone_in_note(p):
    row = p.hazard()
    row["note"] = "ask the owner, +994 50 000 00 00"
    return "PR-01", "hazards", row["id"]


@defect
def place_not_to_be_published(p):
    cell = f"{p.cell((9,)):05d}"
    p.row("accidents", f"X-{cell}")["safe_to_publish"] = False
    return "PR-02", "accidents", f"X-{cell}"
