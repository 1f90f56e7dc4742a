"""Hazards and releases of the synthetic district, with what is planted in them.

For ground and its records; formats, column names and spellings are chosen in `layers`.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import shapely
from shapely import affinity

from synthetic.plane import AS_OF, area_m2, pick, placed, polygons_only, rng, some_day, tidy, utm

WEST = (678_600.0, 4_380_300.0)  # first cell of the west block, UTM 38N
CELL = 1_000.0
FIELD_ANGLE = 18.0

ORGANISATIONS = {
    "AG": "Sample Agency (synthetic)",
    "AZ1": "AZ Unit 1 (synthetic)",
    "AZ2": "AZ Unit 2 (synthetic)",
    "TR1": "TR Unit 1 (synthetic)",
    "TR2": "TR Unit 2 (synthetic)",
    "NG": "Sample NGO Örnək (synthetic)",
}
SETTLEMENTS = (
    "Nümunəkənd", "Sınaqlı", "Örnəkşəhər", "Yeni Sınaq", "Çöllü Nümunə", "Ağ Örnək", "Üçüncü Nümunə", "Günəşli Sınaq",
    "Deneme Köyü", "Örnekköy", "Образцовка", "Примерное", "Qızıl Nümunə", "Şəffaf", "Müvəqqəti", "Təlimgah",
)  # fmt: skip


def field_polygon(stream, half_width: float, half_height: float):
    """A field-edge polygon around (0, 0): a rectangle whose corners and edges are not quite straight."""
    w, h = half_width, half_height
    corners = [(-w, -h), (w, -h), (w, h), (-w, h)]
    points = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        points.append((x0 + stream.uniform(-9, 9), y0 + stream.uniform(-9, 9)))
        for part in sorted(stream.uniform(0.2, 0.8, size=stream.randint(0, 3))):
            bend = stream.uniform(-7, 7)
            dx, dy = (0.0, bend) if y0 == y1 else (bend, 0.0)
            points.append((x0 + part * (x1 - x0) + dx, y0 + part * (y1 - y0) + dy))
    return shapely.Polygon(points)


def hazards() -> list[dict]:
    """120 hazards: 105 in the west block, 12 on both sides of 48° E, 3 that overlap another; geometry in UTM 38N."""
    stream = rng(1)
    cells = [(c, r) for c in range(11) for r in range(10)]
    keep = sorted(stream.permutation(len(cells))[:105])
    centres = [
        (
            WEST[0] + CELL * cells[i][0] + stream.uniform(-150, 150),
            WEST[1] + CELL * cells[i][1] + stream.uniform(-150, 150),
        )
        for i in keep
    ]
    meridian, north = utm(48.0, 39.55)
    centres += [(meridian + dx, north + dy) for dy in (-1000, 0, 1000, 2000) for dx in (-1100, 0, 1100)]
    out = []
    for number, centre in enumerate(centres, start=1):
        angle = FIELD_ANGLE + stream.uniform(-14, 14)
        local = field_polygon(stream, stream.uniform(70, 260), stream.uniform(60, 200))
        out.append(_hazard(stream, number, centre, angle, local))
    for number, base in zip((118, 119, 120), (out[10], out[40], out[70]), strict=True):
        local = affinity.translate(base["local"], 70, 25)
        out.append(_hazard(stream, number, base["centre"], base["angle"], local) | {"overlaps_hazard": base["id"]})
    _classify(stream, out)
    return out


def _hazard(stream, number: int, centre, angle: float, local) -> dict:
    return {
        "id": f"FZ-{number:04d}", "centre": centre, "angle": angle, "local": local, "ground": placed(local, centre, angle),
        "east": centre[0] > 740_000, "settlement": pick(stream, SETTLEMENTS),
        "info_date": some_day(stream, date(2021, 1, 10), date(2022, 6, 30)), "has_geometry": True,
    }  # fmt: skip


def _classify(stream, rows: list[dict]) -> None:
    """Classification, contamination, status; 29 of 120 rows get no geometry."""
    kinds = ["CHA"] * 62 + ["SHA"] * 58
    stream.shuffle(kinds)
    spared = {r["id"] for r in rows if r["east"] or r.get("overlaps_hazard")} | {
        r["overlaps_hazard"] for r in rows if r.get("overlaps_hazard")
    }
    blank = [r for r in rows if r["id"] not in spared]
    for index in stream.permutation(len(blank))[:29]:
        blank[index]["has_geometry"] = False
    mapped = [r for r in rows if r["has_geometry"]]
    statuses = ["closed"] * 18 + ["worked_on"] * 36 + ["suspended"] * 5 + ["cancelled"] * 4 + ["open"] * 28
    stream.shuffle(statuses)
    for row, status in zip(mapped, statuses, strict=True):
        row["status"] = status
    for row, kind in zip(rows, kinds, strict=True):
        row["classification"] = kind
        row.setdefault("status", pick(stream, ("open", "open", "worked_on", "closed")))
        row["contamination"] = pick(stream, ("ap", "ap,av", "av", "uxo", "cmr", "ap,uxo", "unknown"))
        row["evidence"] = "direct" if kind == "CHA" else pick(stream, ("indirect", "indirect", "not_specified"))


def _stairs(stream, x: float, low: float, high: float) -> list[tuple[float, float]]:
    """A working edge across the field near `x`: one step per lane of 10 m."""
    points = []
    y = low
    while y < high:
        at = x + stream.randint(-8, 9) * 0.5
        points += [(at, y), (at, min(y + 10.0, high))]
        y += 10.0
    return points


def blocks(stream, hazard: dict, share: float, count: int) -> list[dict]:
    """Up to `count` neighbouring lane-stepped blocks that take `share` of a hazard from its west side; geometry in UTM 38N."""
    west, south, east, north = hazard["local"].bounds
    low, high = south - 20, north + 20
    until = west + share * (east - west)
    count = max(1, min(count, int((until - west) // 16)))  # wider than the steps of two neighbouring edges
    cuts = [west - 20.0, *np.linspace(west, until, count + 1)[1:]]
    edges = [_stairs(stream, cut, low, high) for cut in cuts]
    edges[0] = [(cuts[0], low), (cuts[0], high)]
    if share >= 1.0:
        edges[-1] = [(east + 20, low), (east + 20, high)]
    out = []
    for index in range(count):
        back = round(float(stream.uniform(0.4, 2.0)), 1) if index and stream.rand() < 0.3 else 0.0
        left = [(x - back, y) for x, y in edges[index]]
        local = polygons_only(shapely.Polygon([*left, *reversed(edges[index + 1])]).intersection(hazard["local"]))
        if local is not None:
            out.append({"ground": placed(local, hazard["centre"], hazard["angle"]), "local": local, "overlap_m": back})
    return out


def releases(hazard_rows: list[dict]) -> list[dict]:
    """About 400 releases: blocks of worked hazards, and records without geometry; nothing is corrupted yet."""
    stream = rng(2)
    mapped = [
        h for h in hazard_rows if h["has_geometry"] and h["status"] not in ("open",) and not h.get("overlaps_hazard")
    ]
    out: list[dict] = []
    processed = 0
    for hazard in mapped:
        owners = _owners(stream, hazard)
        share = 1.0 if hazard["status"] in ("closed", "cancelled") else float(stream.uniform(0.25, 0.8))
        pieces = blocks(stream, hazard, share, 1 if hazard["status"] == "cancelled" else int(stream.randint(4, 7)))
        days = sorted(
            some_day(stream, max(hazard["info_date"], date(2021, 6, 1)), AS_OF - timedelta(days=20)) for _ in pieces
        )
        for index, (piece, day) in enumerate(zip(pieces, days, strict=True)):
            org = owners[0] if index < len(pieces) / 2 else owners[-1]
            out.append(
                _release(stream, hazard, org, day) | {"ground": piece["ground"], "overlap_m": piece["overlap_m"]}
            )
            if out[-1]["method"] == "mechanical" and not out[-1]["follow_up"]:
                processed += 1
                if processed % 2 == 0:
                    out.append(_follow_up(stream, out[-1]))
    spare = [h for h in hazard_rows if h["status"] != "open"]
    while len(out) < 396:
        hazard = pick(stream, spare)
        day = some_day(stream, hazard["info_date"], AS_OF - timedelta(days=20))
        out.append(_release(stream, hazard, pick(stream, ORGANISATIONS), day) | {"ground": None, "overlap_m": 0.0})
    _number(out)
    _report_areas(stream, out)
    return out


def _owners(stream, hazard: dict) -> list[str]:
    if hazard["east"]:
        return [pick(stream, ("AG", "TR1"))]
    first = pick(stream, ("AG", "AZ1", "AZ1", "AZ2", "TR1", "TR2", "NG"))
    second = pick(stream, ("AG", "AZ1", "TR1")) if stream.rand() < 0.45 else first
    return [first, second]


def _release(stream, hazard: dict, org: str, day: date) -> dict:
    if hazard["status"] == "cancelled":
        product, method = "cancelled", "nts"
    else:
        product, method = pick(stream, (
            ("cleared", "manual"), ("cleared", "manual"), ("cleared", "manual"), ("cleared", "mdd"), ("cleared", "mixed"),
            ("cleared", "mechanical"), ("cleared", "bac"), ("reduced", "ts"), ("reduced", "mdd"), ("cancelled", "nts"),
        ))  # fmt: skip
    follow_up = pick(stream, ("manual", "mdd", "", "")) if method == "mechanical" else ""
    return {
        "true_hazard": hazard["id"], "hazard_id": hazard["id"], "org": org, "team": f"{org}-T{stream.randint(1, 5)}", "product": product,
        "method": method, "follow_up": follow_up, "date": day, "depth_cm": pick(stream, (20, 20, 20, 25)) if product == "cleared" else None,
        "technical_asset": method == "mdd" if product == "reduced" else None, "settlement": hazard["settlement"],
    }  # fmt: skip


def _follow_up(stream, processed: dict) -> dict:
    """The manual search that follows mechanical processing of the same block: the same ground, recorded again."""
    later = min(processed["date"] + timedelta(days=int(stream.randint(5, 60))), AS_OF)
    return processed | {"method": "manual", "date": later, "follows": processed, "overlap_m": 0.0}


def _number(rows: list[dict]) -> None:
    rows.sort(key=lambda r: (r["date"], r["true_hazard"]))
    counter: dict[str, int] = defaultdict(int)
    for row in rows:
        counter[row["org"]] += 1
        row["id"] = f"{row['org']}-R-{counter[row['org']]:03d}"
        row["words"] = {}  # shared by copies of the row
    for row in rows:
        if "follows" in row:
            row["follows"] = row["follows"]["id"]


def _report_areas(stream, rows: list[dict]) -> None:
    for row in rows:
        exact = area_m2(row["ground"]) if row["ground"] is not None else float(stream.randint(15, 240) * 50)
        row["area_reported"] = round(exact * stream.uniform(0.985, 1.015))


def overlaps(rows: list[dict]) -> list[dict]:
    """Every pair of releases (each id once) that share more than 1 m² of ground, before corruption."""
    whole = [r for r in rows if r["ground"] is not None and not r.get("repeated")]
    tree = shapely.STRtree([r["ground"] for r in whole])
    out = []
    for i, j in sorted(zip(*tree.query([r["ground"] for r in whole], predicate="intersects"), strict=True)):
        if i >= j:
            continue
        a, b = sorted((whole[i], whole[j]), key=lambda r: r["id"])
        shared = area_m2(polygons_only_small(a["ground"].intersection(b["ground"])))
        if shared > 1.0:
            out.append({"ids": [a["id"], b["id"]], "area_m2": shared, "why": _why(a, b)})
    return out


def polygons_only_small(geometry):
    """The polygon parts of an intersection, however small."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if parts else None


def _why(a: dict, b: dict) -> str:
    if a.get("same_ground_as") == b["id"] or b.get("same_ground_as") == a["id"]:
        return "re-entered under another id"
    if a.get("follows") == b["id"] or b.get("follows") == a["id"]:
        return "mechanical, then manual"
    if a.get("pulkovo_as_wgs84") or b.get("pulkovo_as_wgs84"):
        return "forgotten datum shift"
    return "seam between organisations" if a["org"] != b["org"] else "seam between blocks"


def outside(hazard_rows: list[dict], rows: list[dict]) -> list[dict]:
    """Every release with more than 1 m² outside all mapped hazards, before corruption."""
    ground = shapely.union_all([h["ground"] for h in hazard_rows if h["has_geometry"]])
    out = []
    for row in sorted(rows, key=lambda r: r["id"]):
        if row["ground"] is not None:
            value = area_m2(polygons_only_small(row["ground"].difference(ground)))
            if value > 1.0:
                out.append(
                    {"id": row["id"], "area_m2": value, "why": row.get("why_outside", "seen from neighbouring ground")}
                )
    return out


def plant(hazard_rows: list[dict], rows: list[dict]) -> dict:
    """Plant wrong links, missing dates and depths, ground outside, forgotten datum shift, repeated records; say which."""
    stream = rng(3)
    clean = [
        r
        for r in rows
        if r["ground"] is not None and "follows" not in r and not any(o.get("follows") == r["id"] for o in rows)
    ]
    stream.shuffle(clean)
    take = iter(clean)
    truth: dict = {
        "mislinked": [],
        "dangling": [],
        "undated": [],
        "depth_missing": [],
        "depth_short": [],
        "unit_slip": [],
        "pulkovo_as_wgs84": [],
    }
    ids = [h["id"] for h in hazard_rows if h["has_geometry"]]
    for _ in range(8):
        row = next(take)
        row["hazard_id"] = pick(stream, [i for i in ids if i != row["true_hazard"]])
        truth["mislinked"].append({"id": row["id"], "recorded": row["hazard_id"], "true": row["true_hazard"]})
    for _ in range(3):
        row = next(take)
        row["hazard_id"] = f"FZ-9{stream.randint(100, 999)}"
        truth["dangling"].append({"id": row["id"], "recorded": row["hazard_id"], "true": row["true_hazard"]})
    for _ in range(5):
        row = next(take)
        row["date"] = None
        truth["undated"].append(row["id"])
    for row in [r for r in take if r["product"] == "cleared"][:6]:
        row["depth_cm"] = None
        truth["depth_missing"].append(row["id"])
    for row in [r for r in clean if r["product"] == "cleared" and r["depth_cm"] == 20][:4]:
        row["depth_cm"] = 13
        truth["depth_short"].append(row["id"])
    for row in [r for r in clean if r["org"] == "TR2"][:3]:
        row["area_reported"] = round(row["area_reported"] / 10_000, 3)
        truth["unit_slip"].append(
            {"id": row["id"], "reported": row["area_reported"], "meant": "hectares in a column of m2"}
        )
    _plant_outside(clean, rows)
    for row in [r for r in clean if r["org"] == "TR1" and not r.get("why_outside")][:3]:
        row["pulkovo_as_wgs84"] = True
        truth["pulkovo_as_wgs84"].append(row["id"])
    truth["duplicates"] = _repeat(stream, rows, clean)
    return {key: sorted(value, key=str) if isinstance(value, list) else value for key, value in truth.items()}


def _plant_outside(clean: list[dict], rows: list[dict]) -> None:
    """Six blocks that run over the edge of their hazard by some metres."""
    for row in [r for r in clean if r["org"] in ("AG", "AZ1", "NG")][:6]:
        row["ground"] = tidy(polygons_only(affinity.translate(row["ground"], -9.0, 14.0)))
        row["why_outside"] = "block drawn beyond the edge of the hazard"
        row["area_reported"] = round(area_m2(row["ground"]))


def _repeat(stream, rows: list[dict], clean: list[dict]) -> list[dict]:
    """Two rows repeated with their id, two entered again under a new id (1 % of about 400)."""
    out = []
    same = [
        r
        for r in clean
        if r["org"] in ("AG", "TR1") and not r.get("why_outside") and not r.get("pulkovo_as_wgs84") and r["date"]
    ]
    for row, change, how in (
        (same[0], {}, "the same row twice"),
        (same[1], {"team": "?"}, "the same row twice, with another team"),
    ):
        rows.append(dict(row) | {"repeated": True} | change)
        out.append({"ids": [row["id"], row["id"]], "how": how})
    for row in same[2:4]:
        again = dict(row) | {
            "id": row["id"].replace("-R-", "-R-9"),
            "same_ground_as": row["id"],
            "date": row["date"] + timedelta(days=3),
        }
        rows.append(again)
        out.append({"ids": [row["id"], again["id"]], "how": "the same ground entered again under another id"})
    return out
