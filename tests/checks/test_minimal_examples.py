"""One broken record and its good twin for the rules of the trade: each speaks of the first and not of the second."""

from __future__ import annotations

import copy

import geopandas as gpd
import pandas as pd
import pytest
from shapely import MultiPolygon, Point, Polygon, box

import geotools as gt

X, Y = 700_000.0, 4_380_000.0


def area(west, south, east, north):
    return box(X + west, Y + south, X + east, Y + north)


def point(east, north):
    return Point(X + east, Y + north)


def ring(*points):
    return Polygon([(X + a, Y + b) for a, b in points])


def frame(rows, crs=32638):
    g = [r.pop("g", None) for r in rows]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=gpd.GeoSeries(g, crs=crs), crs=crs)


def hz(id="H-1", g=None, **k):
    return {
        "id": id,
        "classification": "CHA",
        "status": "open",
        "evidence": "direct",
        "date_info": "2020-01-01",
        "h_acc_m": 0.5,
        "g": g if g is not None else area(0, 0, 200, 200),
        **k,
    }


def rl(id="R-1", g=None, **k):
    return {
        "id": id,
        "hazard_id": "H-1",
        "product": "cleared",
        "method": "manual",
        "date": "2021-06-01",
        "depth_cm": 20,
        "h_acc_m": 0.5,
        "g": g if g is not None else area(0, 0, 100, 100),
        **k,
    }


def ac(id="A-1", **k):
    return {
        "id": id,
        "type": "clearance",
        "status": "completed",
        "method": "manual",
        "hazard_id": "H-1",
        "start": "2021-01-01",
        "end": "2021-06-01",
        **k,
    }


def mk(id, t, n, g, **k):
    return {
        "id": id,
        "feature_id": "H-1",
        "shape_id": "S1" if n else None,
        "point_no": n,
        "point_type": t,
        "h_acc_m": 0.5,
        "g": g,
        **k,
    }


def tri(*extra):
    return [
        mk("SP", "start", 1, point(0, 0)),
        mk("TP1", "turning", 2, point(40, 0)),
        mk("TP2", "turning", 3, point(40, 40)),
        mk("TP3", "turning", 4, point(0, 40)),
        *extra,
    ]


CASES = []  # code, bad, good, programme, note


def case(code, bad, good, prog=None, note=""):
    CASES.append((code, bad, good, prog, note))


def H(*rows):
    return {"hazards": list(rows)}


bow = ring((0, 0), (100, 100), (100, 0), (0, 100))
case("GC-01", H(hz(g=bow)), H(hz()))
case("GC-02", H(hz(g=ring((0, 0), (100, 0), (0, 0)))), H(hz(g=ring((0, 0), (100, 0), (0, 100)))))
case(
    "GC-02",
    {"marks": [mk("SP", "start", 1, point(0, 0)), mk("TP1", "turning", 2, point(50, 0))]},
    {"marks": tri()},
    note="marks",
)
case(
    "GC-03",
    H(hz(g=MultiPolygon([area(0, 0, 50, 50), area(0, 0, 50, 50)]))),
    H(hz(g=MultiPolygon([area(0, 0, 50, 50), area(60, 0, 110, 50)]))),
)
case("GC-06", H(hz(g=ring((0, 0), (50, 50), (100, 0), (100, 100), (50, 50), (0, 100)))), H(hz()))
case("GC-07", {"marks": [dict(m, id="TP1") if m["id"] == "TP2" else m for m in tri()]}, {"marks": tri()})
case("GC-08", {"marks": [dict(m, id="TP1 ") if m["id"] == "TP2" else m for m in tri()]}, {"marks": tri()})
case(
    "GC-09",
    {"marks": [mk("L1", "landmark", None, point(-100, 0)), mk("B1", "benchmark", None, point(-100, 0))]},
    {"marks": [mk("L1", "landmark", None, point(-100, 0)), mk("B1", "benchmark", None, point(-50, 0))]},
)
case(
    "GC-10",
    {"marks": [mk("L1", "landmark", None, point(-100, 0)), mk("L1", "landmark", None, point(-150, 0))]},
    {"marks": [mk("L1", "landmark", None, point(-100, 0)), mk("L2", "landmark", None, point(-150, 0))]},
)
case(
    "GC-11",
    {"marks": [mk("L1", "landmark", None, point(-100, 0)), mk(" l1", "landmark", None, point(-150, 0))]},
    {"marks": [mk("L1", "landmark", None, point(-100, 0)), mk("L2", "landmark", None, point(-150, 0))]},
)
case("GC-12", H(hz(), hz(g=area(500, 0, 600, 100))), H(hz(), hz("H-2", g=area(500, 0, 600, 100))))
case(
    "GC-13",
    {
        "finds": [
            {
                "id": f"F{i}",
                "activity_id": "A-1",
                "category": "ap_mine",
                "model": "PMN",
                "qty": 3,
                "date": "2021-05-01",
                "g": point(10, 10),
            }
            for i in range(2)
        ]
    },
    {
        "finds": [
            {
                "id": f"F{i}",
                "activity_id": "A-1",
                "category": "ap_mine",
                "model": "PMN",
                "qty": 3,
                "date": "2021-05-01",
                "g": point(10, 10 + i),
            }
            for i in range(2)
        ]
    },
    note="same place",
)
case("GC-14", H(hz(g=area(0, 0, 6000, 100))), H(hz(g=area(0, 0, 4900, 100))))
case(
    "GC-15",
    H(hz(g=MultiPolygon([area(0, 0, 60, 100), area(50, 0, 110, 100)]))),
    H(hz(g=MultiPolygon([area(0, 0, 50, 100), area(60, 0, 110, 100)]))),
)
case("GC-16", H(hz(g=ring((0, 0), (100, 0), (100, 0), (100, 100), (0, 100)))), H(hz()))
case("TP-01", H(hz(), hz("H-2", g=area(150, 0, 350, 200))), H(hz(), hz("H-2", g=area(200, 0, 400, 200))))
case("TP-02", {**H(hz()), "releases": [rl(g=area(150, 0, 300, 100))]}, {**H(hz()), "releases": [rl()]})
case(
    "TP-03",
    {**H(hz()), "releases": [rl(), rl("R-2", g=area(50, 0, 150, 100), date="2022-01-01")]},
    {**H(hz()), "releases": [rl(), rl("R-2", g=area(100, 0, 200, 100), date="2022-01-01")]},
)
case(
    "TP-04",
    H(hz(), hz("H-2", g=area(200.3, 0, 400, 200))),
    H(hz(), hz("H-2", g=area(200, 0, 400, 200))),
    note="gap 0.3 m",
)
case(
    "TP-05",
    H(hz(g=Polygon(area(0, 0, 100, 100).exterior, [area(200, 0, 210, 10).exterior]))),
    H(hz(g=Polygon(area(0, 0, 100, 100).exterior, [area(20, 20, 30, 30).exterior.reverse()]))),
    note="hole outside",
)
case(
    "TP-05",
    H(hz(g=MultiPolygon([area(0, 0, 100, 100), area(20, 20, 40, 40)]))),
    H(hz(g=MultiPolygon([area(0, 0, 100, 100), area(120, 20, 140, 40)]))),
    note="nested",
)
case(
    "TP-06",
    H(hz(g=ring((0, 0), (3000, 0), (6000, 0), (6000, 50)))),
    H(hz(g=ring((0, 0), (3000, 0), (3000, 50)))),
    note="closing edge 6 km",
)
case("TP-07", H(hz(g=area(0, 0, 0.5, 0.5))), H(hz()))
case("TP-07", H(hz(g=area(0, 0, 90000, 90000))), H(hz()), note="huge")
case(
    "TP-08",
    {**H(hz()), "marks": [mk("B1", "benchmark", None, point(50, 50))]},
    {**H(hz()), "marks": [mk("B1", "benchmark", None, point(-50, 50))]},
)
case(
    "TP-08",
    {
        **H(hz(), hz("H-2", g=area(-300, 0, -250, 200))),
        "marks": [
            mk("L1", "landmark", None, point(-400, 50)),
            mk("B1", "benchmark", None, point(-50, 50), from_point="L1"),
        ],
    },
    {
        **H(hz(), hz("H-2", g=area(-300, 300, -250, 400))),
        "marks": [
            mk("L1", "landmark", None, point(-400, 50)),
            mk("B1", "benchmark", None, point(-50, 50), from_point="L1"),
        ],
    },
    note="approach line",
)


def fd(x, y, **k):
    return dict(
        id="F1",
        hazard_id="H-1",
        category="ap_mine",
        model="PMN",
        qty=1,
        date="2021-05-01",
        h_acc_m=1,
        g=point(x, y),
        **k,
    )


case("TP-09", {**H(hz()), "finds": [fd(400, 50)]}, {**H(hz()), "finds": [fd(50, 50)]})
case(
    "TP-10",
    {**H(hz()), "releases": [rl()], "finds": [dict(fd(50, 50), date="2022-05-01")]},
    {**H(hz()), "releases": [rl()], "finds": [fd(50, 50)]},
)
case(
    "TP-10",
    {
        **H(hz()),
        "releases": [rl()],
        "accidents": [{"id": "X1", "date": "2022-05-01", "cause": "mine", "g": point(50, 50)}],
    },
    {
        **H(hz()),
        "releases": [rl()],
        "accidents": [{"id": "X1", "date": "2020-05-01", "cause": "mine", "g": point(50, 50)}],
    },
    note="accident",
)


def lg(i, a, b, br, d, **k):
    return dict(
        id=f"L{i}",
        feature_id="H-1",
        leg_no=i,
        from_point=a,
        to_point=b,
        bearing=br,
        bearing_unit="deg",
        north="magnetic",
        distance_m=d,
        date="2021-01-01",
        **k,
    )


def sq(**k):
    return [
        lg(1, "SP", "TP1", 0, 100, **k),
        lg(2, "TP1", "TP2", 90, 100, **k),
        lg(3, "TP2", "TP3", 180, 100, **k),
        lg(4, "TP3", "SP", 270, 100, **k),
    ]


def legs(f=lambda r: r):
    return {"legs": [f(dict(r)) for r in sq()]}


case("SV-01", legs(lambda r: {**r, "north": None}), legs())
case("SV-02", legs(lambda r: {**r, "distance_m": 130} if r["id"] == "L2" else r), legs())
case("SV-02", {"legs": list(sq()[:3])}, legs(), note="closing leg not measured")
case("SV-04", legs(lambda r: {**r, "bearing": 400} if r["id"] == "L2" else r), legs())
case("SV-04", legs(lambda r: {**r, "distance_m": 0} if r["id"] == "L2" else r), legs(), note="zero")
case("SV-05", {"marks": [dict(m, g=point(3 * (m["g"].x - X), 3 * (m["g"].y - Y))) for m in tri()]}, {"marks": tri()})
case("SV-06", {"marks": [dict(m, h_acc_m=None) for m in tri()]}, {"marks": [dict(m, h_acc_m=0.5) for m in tri()]})
case(
    "SV-06",
    {"marks": [dict(m, h_acc_m=50.0) for m in tri()]},
    {"marks": [dict(m, h_acc_m=0.5) for m in tri()]},
    note="large",
)
CAUCASUS = gt.Programme(extent=(46.0, 39.0, 50.0, 41.0))
case(
    "CR-04",
    {"hazards": ("raw", 4326, [hz(g=box(0, 0, 0.001, 0.001))])},
    {"hazards": ("raw", 4326, [hz(g=box(47.3, 39.5, 47.301, 39.501))])},
    CAUCASUS,
)
case(
    "CR-04",
    {"hazards": ("raw", 4326, [hz(g=box(39.5, 47.3, 39.501, 47.301))])},
    {"hazards": ("raw", 4326, [hz(g=box(47.3, 39.5, 47.301, 39.501))])},
    CAUCASUS,
    "swapped",
)
case(
    "CR-04",
    {"hazards": ("raw", 4326, [hz(g=box(10, 50, 10.001, 50.001))])},
    {"hazards": ("raw", 4326, [hz(g=box(47.3, 39.5, 47.301, 39.501))])},
    CAUCASUS,
    "outside country",
)
case(
    "CR-01",
    {"hazards": ("raw", None, [hz(g=box(47.3, 39.5, 47.301, 39.501))])},
    {"hazards": ("raw", 4326, [hz(g=box(47.3, 39.5, 47.301, 39.501))])},
    CAUCASUS,
)
case(
    "CR-01",
    {"hazards": ("raw", 4326, [hz(g=area(0, 0, 100, 100))])},
    {"hazards": ("raw", 32638, [hz(g=area(0, 0, 100, 100))])},
    CAUCASUS,
    "metres as degrees",
)
case(
    "WF-01",
    H(hz(status="closed")),
    {**H(hz(status="closed")), "activities": [ac(type="completion_report")], "releases": [rl(g=area(0, 0, 200, 200))]},
)
case(
    "WF-01",
    {**H(hz(status="worked_on")), "activities": [ac("A-9", hazard_id="H-9")]},
    {**H(hz(status="worked_on")), "activities": [ac()]},
    note="worked_on",
)
case(
    "WF-02",
    H(hz(), hz("H-2", g=area(500, 0, 600, 100), supersedes_id="H-1", date_info="2019-01-01")),
    H(hz(), hz("H-2", g=area(500, 0, 600, 100), supersedes_id="H-1", date_info="2021-01-01")),
)
case("WF-03", {**H(hz()), "activities": [ac(start="2021-06-01", end="2021-01-01")]}, {**H(hz()), "activities": [ac()]})
case("WF-03", {**H(hz()), "releases": [rl(date="2999-01-01")]}, {**H(hz()), "releases": [rl()]}, note="future")
case("WF-03", {**H(hz()), "releases": [rl(date="2018-01-01")]}, {**H(hz()), "releases": [rl()]}, note="before survey")
case(
    "WF-04",
    {**H(hz()), "releases": [rl(product="cancelled", activity_id="A-1")], "activities": [ac()]},
    {
        **H(hz()),
        "releases": [rl(product="cancelled", activity_id="A-1", method="nts", depth_cm=None)],
        "activities": [ac(type="nts", method="nts")],
    },
)
case(
    "WF-04",
    {**H(hz()), "releases": [rl(activity_id="A-1")], "activities": [ac(type="nts", method="nts")]},
    {**H(hz()), "releases": [rl(activity_id="A-1")], "activities": [ac()]},
    note="cleared by nts",
)
case("WF-05", H(hz(evidence="indirect")), H(hz()))
case(
    "WF-05",
    H(hz(classification="SHA", evidence="direct")),
    H(hz(classification="SHA", evidence="indirect")),
    note="SHA direct",
)
case("WF-06", {**H(hz()), "releases": [rl(hazard_id="H-77")]}, {**H(hz()), "releases": [rl()]})
case(
    "WF-06",
    H(hz(parent_id="H-2"), hz("H-2", g=area(500, 0, 600, 100), parent_id="H-1")),
    H(hz(parent_id="H-2"), hz("H-2", g=area(500, 0, 600, 100))),
    note="cycle",
)
case(
    "WF-06", {**H(hz()), "activities": [ac(hazard_id=None)]}, {**H(hz()), "activities": [ac()]}, note="orphan activity"
)
case(
    "WF-06",
    H(hz(links="H-2"), hz("H-2", g=area(500, 0, 600, 100), links=None)),
    H(hz(links="H-2"), hz("H-2", g=area(500, 0, 600, 100), links="H-1")),
    note="one-way",
)
case("WF-07", {**H(hz()), "releases": [rl(depth_cm=None)]}, {**H(hz()), "releases": [rl()]})
case(
    "WF-08",
    {**H(hz()), "releases": [rl(method="mechanical")]},
    {**H(hz()), "releases": [rl(method="mechanical", follow_up="manual")]},
)
case(
    "AR-03",
    {**H(hz()), "releases": [rl(), rl("R-2", product="reduced", depth_cm=None, method="ts", g=area(50, 0, 150, 100))]},
    {**H(hz()), "releases": [rl(), rl("R-2", product="reduced", method="ts", depth_cm=None, g=area(100, 0, 150, 100))]},
)
case("AR-05", {**H(hz()), "releases": [rl(g=area(150, 0, 300, 100))]}, {**H(hz()), "releases": [rl()]})
case(
    "AR-06",
    {
        **H(hz()),
        "activities": [ac(processed_m2=5000)],
        "releases": [rl(activity_id="A-1", method="mechanical", follow_up="manual")],
    },
    {
        **H(hz()),
        "activities": [ac(processed_m2=12000)],
        "releases": [rl(activity_id="A-1", method="mechanical", follow_up="manual")],
    },
)
case(
    "AR-07",
    {
        **H(hz()),
        "activities": [
            ac("P1", type="progress_report", g=area(0, 0, 50, 100)),
            ac("CR", type="completion_report", g=area(0, 0, 100, 100)),
        ],
    },
    {
        **H(hz()),
        "activities": [
            ac("P1", type="progress_report", g=area(0, 0, 50, 100)),
            ac("P2", type="progress_report", g=area(50, 0, 100, 100)),
            ac("CR", type="completion_report", g=area(0, 0, 100, 100)),
        ],
    },
)
case("AR-11", H(hz(area_reported_m2=46000)), H(hz(area_reported_m2=40100)))
case(
    "AR-12",
    {**H(hz()), "activities": [ac(devices_found=5)], "finds": [dict(fd(50, 50), activity_id="A-1", qty=3)]},
    {**H(hz()), "activities": [ac(devices_found=3)], "finds": [dict(fd(50, 50), activity_id="A-1", qty=3)]},
)
case("AR-13", H(hz(area_reported_m2=4)), H(hz(area_reported_m2=40000)), note="ha")
case("AR-13", H(hz(area_reported_m2=0.04)), H(hz(area_reported_m2=40000)), note="km2")
case("AR-13", H(hz(area_reported_m2=400000)), H(hz(area_reported_m2=40000)), note="x10")
case("RP-01", {**H(hz()), "finds": [dict(fd(50, 50), category=None)]}, {**H(hz()), "finds": [fd(50, 50)]})
case(
    "PR-02",
    {"accidents": [{"id": "X1", "date": "2022-05-01", "cause": "mine", "safe_to_publish": None, "g": point(50, 50)}]},
    {"accidents": [{"id": "X1", "date": "2022-05-01", "cause": "mine", "safe_to_publish": True, "g": point(50, 50)}]},
)
case(
    "GC-04",
    {
        "marks": tri()
        + [mk("B" + m["id"], m["point_type"], m["point_no"], point(m["g"].x - X + 300, m["g"].y - Y)) for m in tri()]
    },
    {
        "marks": tri()
        + [
            {
                **mk("B" + m["id"], m["point_type"], m["point_no"], point(m["g"].x - X + 300, m["g"].y - Y)),
                "shape_id": "S2",
            }
            for m in tri()
        ]
    },
)
case("GC-05", {"marks": tri()[:2] + [{**m, "shape_id": "S1 "} for m in tri()[2:]]}, {"marks": tri()})
case(
    "GC-17",
    H(hz(organisation="Unit A"), hz("H-2", g=area(500, 0, 600, 100), organisation="unit a")),
    H(hz(organisation="Unit A"), hz("H-2", g=area(500, 0, 600, 100), organisation="Unit A")),
)
case(
    "CR-02",
    H(hz(source_crs="EPSG:4284", transform_op=None)),
    H(hz(source_crs="EPSG:4284", transform_op="EPSG:15865, 4.5 m")),
)
case(
    "CR-02",
    H(hz(source_crs="EPSG:4284", transform_op="EPSG:1254, 999 m")),
    H(hz(source_crs="EPSG:4284", transform_op="EPSG:15865, 4.5 m")),
    note="accuracy",
)
case(
    "CR-02",
    H(hz(source_crs="EPSG:4284", transform_op="EPSG:1809")),
    H(hz(source_crs="EPSG:4284", transform_op="EPSG:15865")),
    note="1809 outside its area",
)
case(
    "PR-01",
    {
        "accidents": [
            {
                "id": "X1",
                "date": "2022-05-01",
                "cause": "mine",
                "safe_to_publish": True,
                "victim_name": "N N",
                "g": point(50, 50),
            }
        ]
    },
    {"accidents": [{"id": "X1", "date": "2022-05-01", "cause": "mine", "safe_to_publish": True, "g": point(50, 50)}]},
)
case(
    "WF-09",
    {
        **H(hz(status="closed")),
        "activities": [ac(type="completion_report")],
        "releases": [rl(g=area(0, 0, 200, 200))],
        "samples": [
            {
                "id": "Q1",
                "activity_id": "A-1",
                "hazard_id": "H-1",
                "date": "2021-07-01",
                "result": "fail",
                "nonconformity": "critical",
                "g": area(0, 0, 10, 10),
            }
        ],
    },
    {
        **H(hz(status="closed")),
        "activities": [ac(type="completion_report")],
        "releases": [rl(g=area(0, 0, 200, 200))],
        "samples": [
            {
                "id": "Q1",
                "activity_id": "A-1",
                "hazard_id": "H-1",
                "date": "2021-07-01",
                "result": "pass",
                "nonconformity": None,
                "g": area(0, 0, 10, 10),
            }
        ],
    },
)
case(
    "WF-10",
    {**H(hz(status="closed")), "activities": [ac(type="completion_report")], "releases": [rl()]},
    {**H(hz(status="closed")), "activities": [ac(type="completion_report")], "releases": [rl(g=area(0, 0, 200, 200))]},
)
case("WF-11", {**H(hz()), "releases": [rl(g=area(0, 0, 200, 200))]}, {**H(hz()), "releases": [rl()]})
case("TP-20", H(hz(g=point(0, 0))), H(hz()))
case("TP-11", H(hz(g=ring((0, 0), (100, 0), (100, 50), (180, 50.05), (100, 50.1), (100, 100), (0, 100)))), H(hz()))


def sv3(n, rotate):
    legs = [
        {
            "id": f"L{i + 1}",
            "feature_id": "H-1",
            "leg_no": i + 1,
            "from_point": a,
            "to_point": b,
            "bearing": br + rotate,
            "bearing_unit": "deg",
            "north": "grid",
            "distance_m": d,
            "date": "2021-01-01",
        }
        for i, (a, b, br, d) in enumerate(
            [("SP", "TP1", 90, 80), ("TP1", "TP2", 0, 60), ("TP2", "TP3", 270, 80), ("TP3", "SP", 180, 60)]
        )
    ]
    legs = [{**leg, "bearing": leg["bearing"] % 360} for leg in legs]
    pts = [
        ("SP", "start", 1, 0, 0),
        ("TP1", "turning", 2, 80, 0),
        ("TP2", "turning", 3, 80, 60),
        ("TP3", "turning", 4, 0, 60),
    ][:n]
    return {"legs": legs, "marks": [mk(a, t, k, point(x, y)) for a, t, k, x, y in pts]}


case("SV-03", sv3(4, 8), sv3(4, 0), note="rotation 8 deg")
case("SV-03", sv3(1, 0), sv3(4, 0), note="one fix")


def build(layers):
    made = copy.deepcopy(layers)
    return {kind: frame(rows[2], rows[1]) if isinstance(rows, tuple) else frame(rows) for kind, rows in made.items()}


@pytest.mark.parametrize(
    ("code", "bad", "good", "programme"), [case[:4] for case in CASES], ids=[f"{c[0]} {c[4]}".strip() for c in CASES]
)
def test_the_broken_record_is_told_and_its_twin_is_not(code, bad, good, programme):
    assert code in set(gt.check(build(bad), programme=programme)["check"])
    assert code not in set(gt.check(build(good), programme=programme)["check"])


@pytest.mark.parametrize(
    "case", [c for c in CASES if c[0][:2] in ("GC", "TP") and "hazards" in c[1]], ids=lambda c: c[0]
)
@pytest.mark.parametrize("kind", ["hazards", "releases"])
def test_repair_adds_no_ground(case, kind):
    """Safe repair never gives a release ground that its record did not hold, and says what it did to every row."""
    for layers in case[1:3]:
        rows = build(layers)["hazards"]
        if kind == "releases":
            rows = rows.assign(product="cleared").drop(columns=["classification", "status", "evidence"])
        out, changes = gt.checks.repair(rows, kind=kind)
        assert out.geometry.is_valid.all()
        assert len(out) + (changes["state"] == "rejected").sum() >= len(rows)
        for index, shape in out.geometry.items():
            given = rows.geometry[index]
            if given.is_valid:
                assert shape.difference(given).area <= 1e-6
            hull = gpd.GeoSeries([given], crs=rows.crs).convex_hull[0]
            assert shape.area <= max(given.area, 0.0) + 1.0 and shape.difference(hull.buffer(1e-6)).area <= 1e-6


def test_repair_takes_ids_of_any_sort():
    ids = [{"a": 1}, [1], "H-1 ", None, 3, "3 "]
    rows = frame([hz(name, area(300 * n, 0, 300 * n + 200, 200)) for n, name in enumerate(ids)])
    out, changes = gt.checks.repair(rows, kind="hazards")
    assert out["id"].tolist()[2] == "H-1" and len(out) == len(ids)
    assert changes.loc[changes["rule"] == "trim", "state"].tolist() == ["done", "proposed"]  # '3 ' would become 3
