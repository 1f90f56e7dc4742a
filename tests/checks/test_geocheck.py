"""One test per rule of GICHD geocheck, named after its view; and what geocheck cannot see.

Facts from the published SQL: the view names, what they compare, their limits.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt

X, Y = 683_000.0, 4_385_000.0


def codes(layers, **options):
    issues = gt.check(layers, **options)
    return set(zip(issues["check"], issues["id"], strict=True))


def hazards(make, *shapes):
    return {"hazards": make.frame(*(make.hazard(f"H-{n}", shape) for n, shape in enumerate(shapes, start=1)))}


def marks(*rows, crs="EPSG:32638"):
    """(id, type, shape id, number, x, y)"""
    table = pd.DataFrame(
        [{"id": r[0], "feature_id": "H-1", "point_type": r[1], "shape_id": r[2], "point_no": r[3]} for r in rows]
    )
    return {"marks": gpd.GeoDataFrame(table, geometry=[shapely.Point(X + r[4], Y + r[5]) for r in rows], crs=crs)}


SQUARE = [("SP", "start", "1", 1, 0, 0), ("TP1", "turning", "1", 2, 40, 0), ("TP2", "turning", "1", 3, 40, 40), ("TP3", "turning", "1", 4, 0, 40)]  # fmt: skip


def test_invalid_polys(make):
    bow = shapely.Polygon([(X, Y), (X + 50, Y + 50), (X + 50, Y), (X, Y + 50)])
    issues = gt.check(hazards(make, bow), only="GC-01")
    assert issues["id"].tolist() == ["H-1"]
    place = issues.to_crs(32638).geometry.iloc[0]
    assert place.distance(shapely.Point(X + 25, Y + 25)) < 0.01
    assert "crosses itself" in issues["message"].iloc[0]


def test_few_vertices(make):
    line = shapely.Polygon([(X, Y), (X + 50, Y), (X, Y), (X + 50, Y)])
    assert ("GC-02", "H-1") in codes(hazards(make, line))
    assert ("GC-02", "H-1") in codes(marks(*SQUARE[:2]))


def test_duplicate_polygons(make):
    twice = shapely.MultiPolygon([make.square(), shapely.Polygon(make.square().exterior.coords[::-1])])
    assert ("GC-03", "H-1") in codes(hazards(make, twice))


def test_duplicate_polygon_polyid():
    again = [(f"{r[0]}b", *r[1:4], r[4] + 500, r[5]) for r in SQUARE]
    assert ("GC-04", "H-1") in codes(marks(*SQUARE, *again))


def test_duplicate_polygon_polyid_trimmed():
    odd = [SQUARE[0], SQUARE[1], (*SQUARE[2][:2], " 1", *SQUARE[2][3:]), SQUARE[3]]
    found = codes(marks(*odd))
    assert ("GC-05", "H-1") in found and ("GC-04", "H-1") not in found


def test_duplicate_polygon_points(make):
    ring = [(X, Y), (X + 40, Y), (X + 40, Y + 40), (X + 20, Y), (X, Y + 40)]
    ring[3] = (X + 40, Y)
    assert ("GC-06", "H-1") in codes(hazards(make, shapely.Polygon(ring)))
    assert ("GC-06", "H-1") in codes(
        marks(*SQUARE[:3], ("TP3", "turning", "1", 4, 40, 0), ("TP4", "turning", "1", 5, 0, 40))
    )


def test_polygon_point_localid():
    assert ("GC-07", "H-1") in codes(marks(*SQUARE[:3], ("TP2", "turning", "1", 4, 0, 40)))


def test_polygon_point_localid_trimmed():
    found = codes(marks(*SQUARE[:3], ("TP2 ", "turning", "1", 4, 0, 40)))
    assert ("GC-08", "H-1") in found and ("GC-07", "H-1") not in found


def test_same_name_of_another_type_is_no_duplicate():
    assert not {c for c, _ in codes(marks(*SQUARE[:3], ("TP2", "intermediate", "1", 4, 0, 40)))} & {"GC-07", "GC-08"}


def test_duplicate_points():
    assert ("GC-09", "H-1") in codes(marks(("LM", "landmark", None, None, 5, 5), ("BM", "benchmark", None, None, 5, 5)))


def test_point_point_localid():
    assert ("GC-10", "H-1") in codes(marks(("EV", "evidence", None, None, 5, 5), ("EV", "evidence", None, None, 9, 5)))


def test_point_point_localid_trimmed():
    assert ("GC-11", "H-1") in codes(marks(("EV", "evidence", None, None, 5, 5), ("ev ", "evidence", None, None, 9, 5)))


def test_duplicate_localids(make):
    frame = make.frame(make.hazard("H-1"), make.hazard("H-1", make.square(500)))
    assert ("GC-12", "H-1") in codes({"hazards": frame})


def test_duplicate_devices():
    point = shapely.Point(47.1, 39.6)
    row = {"activity_id": "A-1", "category": "ap_mine", "model": "PMN", "qty": 2, "date": pd.Timestamp("2022-01-01")}
    frame = gpd.GeoDataFrame([{"id": "F-1", **row}, {"id": "F-2", **row}], geometry=[point, point], crs=4326)
    assert ("GC-13", "F-2") in codes({"finds": frame})
    frame["qty"] = [2, 3]
    assert "GC-13" not in {c for c, _ in codes({"finds": frame})}


@pytest.mark.parametrize(("length", "found"), [(4990.0, False), (5010.0, True)])
def test_adv_distance(make, length, found):
    shape = shapely.Polygon(
        [(X, Y), (X + length, Y), (X + length - 20, Y + 2500), (X + length / 2, Y + 4000), (X, Y + 2000)]
    )
    assert (("GC-14", "H-1") in codes(hazards(make, shape))) is found


@pytest.mark.parametrize(("shift", "found"), [(98.0, True), (99.3, False), (100.0, False)])
def test_adv_overlapping(make, shift, found):
    """0.9 percent of the union, as in the SQL."""
    parts = shapely.MultiPolygon([make.square(), make.square(shift)])
    assert (("GC-15", "H-1") in codes(hazards(make, parts))) is found


def test_toolbox_duplicate_vertices(make):
    c = list(make.square().exterior.coords)
    closed_twice, doubled, overrun = (
        shapely.Polygon([*c, c[0]]),
        shapely.Polygon([c[0], c[1], c[1], *c[2:]]),
        shapely.Polygon([*c, c[1]]),
    )
    for shape in (closed_twice, doubled, overrun):
        assert ("GC-16", "H-1") in codes(hazards(make, shape))


def test_toolbox_enumeration_values(make):
    frame = make.frame(
        make.hazard("H-1", organisation="Unit A"), make.hazard("H-2", make.square(500), organisation="unit-a")
    )
    issues = gt.check({"hazards": frame}, only="GC-17")
    assert "'Unit A' × 1" in issues["message"].iloc[0] and "'unit-a' × 1" in issues["message"].iloc[0]


def test_toolbox_duplicate_custom_fields(make):
    frame = make.frame(make.hazard("H-1")).assign(region="x", Region_2="x")
    assert "Region_2" in gt.check({"hazards": frame}, only="GC-17")["message"].iloc[0]


# ---- what geocheck cannot see ----------------------------------------------------------------------------------------
def test_two_objects_are_compared(make):
    assert ("TP-01", "H-1") in codes(hazards(make, make.square(), make.square(60)))


def test_the_closing_edge_is_looked_at(make):
    shape = shapely.Polygon([(X, Y), (X + 2600, Y + 100), (X + 5200, Y)])
    found = codes(hazards(make, shape))
    assert ("TP-06", "H-1") in found and ("GC-14", "H-1") not in found


def test_invalid_polygons_are_compared_too(make):
    bow = shapely.Polygon([(X, Y), (X + 50, Y + 50), (X + 50, Y), (X, Y + 50)])
    assert ("TP-01", "H-1") in codes(hazards(make, bow, make.square(30, 30)))


def test_duplicates_within_a_tolerance(make):
    near = shapely.transform(
        make.square(), lambda c: c + np.random.default_rng(0).normal(0, 0.3, c.shape)[[0, 1, 2, 3, 0]]
    )
    assert ("TP-14", "H-1") in codes(hazards(make, make.square(), near))


def test_records_are_not_mixed_when_local_ids_repeat():
    other = {"marks": marks(*SQUARE)["marks"].assign(feature_id="H-2")}
    both = {"marks": pd.concat([marks(*SQUARE)["marks"], other["marks"]], ignore_index=True)}
    assert not {c for c, _ in codes(both)} & {"GC-04", "GC-06", "GC-07", "GC-08"}
