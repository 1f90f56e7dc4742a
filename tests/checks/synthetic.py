"""A synthetic programme without a fault, about any number of records, of every kind that is checked.

All names and places are invented. The same seed gives the same programme.
"""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
import shapely.affinity

UTM = "EPSG:32638"
CRS = {"hazards": UTM, "releases": UTM, "activities": UTM, "places": UTM, "marks": UTM, "finds": "EPSG:4326", "accidents": "EPSG:4326", "samples": UTM}  # fmt: skip
WEST, SOUTH = 620_000.0, 4_360_000.0
STEP = 700.0
DISTRICTS = ("Ashaga", "Yukhari", "Orta")
ORGANISATIONS = ("Unit North (synthetic)", "Unit South (synthetic)")
TO_LONLAT = pyproj.Transformer.from_crs(UTM, 4326, always_xy=True)
EXTENT = (44.0, 38.0, 51.0, 42.0)
World = dict[str, list[dict[str, Any]]]


def day(text: str, plus: int = 0) -> pd.Timestamp:
    return pd.Timestamp(text) + pd.Timedelta(days=plus)


def blob(
    rng: np.random.Generator, x: float, y: float, radius: float = 150.0, points: int | None = None
) -> shapely.Polygon:
    """An irregular star-shaped polygon, sides a few metres and more."""
    count = points or int(rng.integers(6, 26))
    angle = (np.arange(count) + rng.uniform(-0.25, 0.25, count)) * 2 * np.pi / count
    reach = radius * rng.uniform(0.6, 1.0, count)
    return shapely.Polygon(np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)]))


def lonlat(shape: Any) -> Any:
    return shapely.transform(shape, lambda c: np.column_stack(TO_LONLAT.transform(c[:, 0], c[:, 1])))


def inside(rng: np.random.Generator, area: Any) -> shapely.Point:
    """A point well inside."""
    core = area.buffer(-5)
    west, south, east, north = core.bounds
    while True:
        point = shapely.Point(rng.uniform(west, east), rng.uniform(south, north))
        if core.contains(point):
            return point


class Maker:
    """Fills the layers cell by cell; one cell holds one hazard and what belongs to it."""

    def __init__(self, seed: int, cells: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.cells = cells
        self.side = math.ceil(math.sqrt(cells))
        self.world: World = {
            kind: []
            for kind in (
                "hazards",
                "releases",
                "activities",
                "finds",
                "accidents",
                "marks",
                "legs",
                "samples",
                "places",
            )
        }

    def centre(self, cell: int) -> tuple[float, float]:
        return WEST + (cell % self.side) * STEP + 350, SOUTH + (cell // self.side) * STEP + 350

    def district(self, cell: int) -> str:
        return DISTRICTS[int((cell % self.side) * len(DISTRICTS) / self.side)]

    def add(self, kind: str, id: str, geometry: Any, **values: Any) -> dict[str, Any]:
        row = {"id": id, **values, "geometry": geometry}
        self.world[kind].append(row)
        return row

    def hazard(self, cell: int, geometry: Any, *, suffix: str = "", **values: Any) -> dict[str, Any]:
        org = ORGANISATIONS[cell % 2]
        area = shapely.area(geometry) if geometry is not None else None
        base = {
            "classification": "CHA", "status": "open", "contamination": "ap,av", "evidence": "direct", "date_info": day("2020-01-10", cell % 300),
            "date_entry": day("2020-01-20", cell % 300), "organisation": org, "admin1": self.district(cell), "h_acc_m": 0.4, "area_reported_m2": round(area, 0),
            "parent_id": None, "supersedes_id": None, "guid": f"{cell:08d}-0000-4000-8000-{len(suffix):012d}", "note": "synthetic, not a real place",
        }  # fmt: skip
        return self.add("hazards", f"H-{cell:05d}{suffix}", geometry, **{**base, **values})

    def activity(self, cell: int, sort: str, suffix: str, geometry: Any = None, **values: Any) -> dict[str, Any]:
        base = {
            "type": sort, "status": "completed", "method": {"nts": "nts", "ts": "ts"}.get(sort, "manual"), "organisation": ORGANISATIONS[cell % 2], "team": f"T{cell % 5}",
            "start": day("2021-03-01", cell % 90), "end": day("2021-09-01", cell % 90), "hazard_id": f"H-{cell:05d}", "processed_m2": None, "devices_found": None,
        }  # fmt: skip
        return self.add("activities", f"A-{cell:05d}-{suffix}", geometry, **{**base, **values})

    def release(
        self, cell: int, product: str, suffix: str, geometry: Any, activity: str, **values: Any
    ) -> dict[str, Any]:
        base = {
            "hazard_id": f"H-{cell:05d}", "activity_id": activity, "product": product, "method": {"cancelled": "nts", "reduced": "ts"}.get(product, "manual"), "follow_up": None,
            "date": day("2021-09-10", cell % 90), "handover_date": day("2021-10-10", cell % 90), "depth_cm": 20.0 if product == "cleared" else None, "organisation": ORGANISATIONS[cell % 2],
            "area_reported_m2": round(shapely.area(geometry), 0), "h_acc_m": 0.4, "admin1": self.district(cell),
        }  # fmt: skip
        return self.add("releases", f"R-{cell:05d}-{suffix}", geometry, **{**base, **values})

    def cell(self, cell: int) -> None:
        x, y = self.centre(cell)
        sort = cell % 10
        shape = shapely.box(x - 120, y - 90, x + 130, y + 110) if sort == 4 else blob(self.rng, x, y)
        if sort >= 8:
            shape = blob(self.rng, x, y, 45.0, 12)
        if sort in (0, 1, 2):  # released in full and closed
            self.hazard(cell, shape, status="closed")
            self.work(cell, shape, share=1.0)
            self.activity(cell, "completion_report", "C")
        elif sort in (3, 5):  # under way
            self.hazard(cell, shape, status="worked_on", classification="SHA", evidence="indirect")
            self.work(cell, shape, share=0.6)
        elif sort == 4:  # two neighbours with one common side
            left, right = shapely.box(x - 120, y - 90, x, y + 110), shapely.box(x, y - 90, x + 130, y + 110)
            self.hazard(cell, left)
            self.hazard(cell, right, suffix="b", guid=f"{cell:08d}-1111-4000-8000-000000000000")
        elif sort == 6:  # a confirmed area taken out of a suspected one
            self.hazard(cell, shape, classification="SHA", evidence="indirect")
            self.hazard(
                cell,
                shape.centroid.buffer(30, quad_segs=3),
                suffix="c",
                parent_id=f"H-{cell:05d}",
                guid=f"{cell:08d}-2222-4000-8000-000000000000",
            )
        elif sort == 7:  # a hole that is not suspect
            hole = shapely.box(x - 20, y - 15, x + 25, y + 20)
            self.hazard(cell, shapely.orient_polygons(shape.difference(hole), exterior_cw=False))
        else:
            self.hazard(cell, shape)
        if sort in (8, 9):
            self.survey(cell, shape)
        if sort == 9:
            self.accident(cell, x, y)

    def work(self, cell: int, shape: Any, share: float) -> None:
        """Strips from west to east: cancelled, reduced, cleared; what share of the hazard they cover."""
        west, south, east, north = shape.bounds
        corners = shapely.get_coordinates(shape)[:, 0]
        cuts = west + (east - west) * np.array([0, 0.25, 0.5, 0.75, 1.0]) * (1.0 if share == 1 else share)
        for k in range(1, 5):  # not through or beside a corner, where the cut would leave a short side
            while share < 1 or k < 4:
                beside = np.abs(cuts[k] - corners).min()
                if beside > 1.5:
                    break
                cuts[k] += 0.7
        plan = (
            ("cancelled", "nts", "N"),
            ("reduced", "ts", "T"),
            ("cleared", "clearance", "K"),
            ("cleared", "clearance", "K"),
        )
        activities = {suffix: self.activity(cell, sort, suffix) for _, sort, suffix in plan[:3]}
        cleared = 0.0
        for number, ((product, _, suffix), a, b) in enumerate(zip(plan, cuts[:-1], cuts[1:], strict=True)):
            piece = shape.intersection(shapely.box(a, south - 1, b, north + 1))
            if piece.is_empty or piece.geom_type not in ("Polygon", "MultiPolygon"):
                continue
            self.release(cell, product, f"{number}", piece, activities[suffix]["id"])
            if product == "cleared":
                cleared += piece.area
                if number == 2:
                    self.finds(cell, max(getattr(piece, "geoms", [piece]), key=lambda p: p.area), activities["K"])
        activities["K"]["processed_m2"] = math.ceil(cleared * 1.05)

    def finds(self, cell: int, piece: Any, activity: dict[str, Any]) -> None:
        if piece.area < 800:
            activity["devices_found"] = 0
            return
        total = 0
        for number in range(3):
            quantity = int(self.rng.integers(1, 4))
            total += quantity
            self.add(
                "finds", f"F-{cell:05d}-{number}", lonlat(inside(self.rng, piece)), activity_id=activity["id"], hazard_id=activity["hazard_id"], category="ap_mine", model="model A",
                qty=quantity, depth_cm=8.0, date=activity["start"] + pd.Timedelta(days=5 + number), organisation=activity["organisation"], h_acc_m=0.4, admin1=self.district(cell),
            )  # fmt: skip
        activity["devices_found"] = total

    def survey(self, cell: int, shape: Any) -> None:
        """Landmark, benchmark and turning points as marks; the sides as legs with grid bearings."""
        points = shapely.get_coordinates(shape)[:-1]
        start = points[0]
        away = (start - np.array(self.centre(cell))) / np.hypot(*(start - np.array(self.centre(cell))))
        outside = (("LM", "landmark", start + away * 90), ("BM", "benchmark", start + away * 40))
        common = {"feature_id": f"H-{cell:05d}", "h_acc_m": 0.4, "bearing": None, "north": None, "distance_m": None}
        for name, sort, place in outside:
            self.add(
                "marks",
                f"{cell:05d}-{name}",
                shapely.Point(place),
                shape_id=None,
                point_no=None,
                point_type=sort,
                **common,
            )
        names = []
        for number, place in enumerate(points, start=1):
            names.append(f"{cell:05d}-{'SP' if number == 1 else f'TP{number - 1}'}")
            self.add(
                "marks",
                names[-1],
                shapely.Point(place),
                shape_id="1",
                point_no=number,
                point_type="start" if number == 1 else "turning",
                **common,
            )
        for number, (a, b) in enumerate(zip(points, np.roll(points, -1, axis=0), strict=True)):
            step = b - a
            self.add(
                "legs", f"{cell:05d}-L{number:02d}", None, feature_id=f"H-{cell:05d}", leg_no=number + 1, from_point=names[number], to_point=names[(number + 1) % len(names)],
                bearing=f"{math.degrees(math.atan2(step[0], step[1])) % 360:.3f}", bearing_unit="deg", north="grid", distance_m=round(float(np.hypot(*step)), 2), date=day("2020-01-09"),
            )  # fmt: skip

    def accident(self, cell: int, x: float, y: float) -> None:
        self.add(
            "accidents", f"X-{cell:05d}", lonlat(shapely.Point(x + 10, y + 10)), date=day("2019-05-05"), cause="mine", killed=0, injured=1, safe_to_publish=True,
            hazard_id=f"H-{cell:05d}", admin1=self.district(cell), h_acc_m=3.0,
        )  # fmt: skip

    def finish(self) -> World:
        width = self.side * STEP
        for number, name in enumerate(DISTRICTS):
            columns = [c for c in range(self.side) if self.district(c) == name]
            if columns:
                west, east = WEST + columns[0] * STEP, WEST + (columns[-1] + 1) * STEP
                self.add(
                    "places",
                    f"P-{number}",
                    shapely.box(west, SOUTH, east, SOUTH + width),
                    name=name,
                    type="settlement",
                    admin1=name,
                )
        for cell in range(0, self.cells, 10):
            self.add(
                "samples",
                f"Q-{cell:05d}",
                shapely.Point(self.centre(cell)),
                hazard_id=f"H-{cell:05d}",
                date=day("2021-12-20"),
                result="passed",
                nonconformity="none",
                inspector="inspector 1",
                lot_id=f"L{cell}",
            )
        return self.world


def clean(seed: int, cells: int = 320) -> World:
    """About six records per cell."""
    maker = Maker(seed, cells)
    for cell in range(cells):
        maker.cell(cell)
    return maker.finish()


def frames(world: World) -> dict[str, gpd.GeoDataFrame]:
    """The layers as frames, rows in a shuffled but fixed order."""
    out = {}
    for kind, rows in world.items():
        if rows:
            table = pd.DataFrame([{k: v for k, v in row.items() if k != "geometry"} for row in rows])
            frame = gpd.GeoDataFrame(
                table, geometry=gpd.GeoSeries([row["geometry"] for row in rows], crs=CRS.get(kind, UTM))
            )
            out[kind] = frame.sample(frac=1.0, random_state=7).reset_index(drop=True)
    return out
