"""How each organisation writes its records: file, reference system, column names and spellings.

For dressing rows of `land`, `tracks`, `training` and `sheets`; nothing about ground is decided here.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import shapely

from synthetic import files, land, tracks
from synthetic.plane import AS_OF, GK8, NOTE, UTM, lonlat, pick, rng, some_day, to_gk8, to_pulkovo, to_wgs84, utm

_SAID = {
    "CHA": ("CHA", "CHA", "Confirmed hazardous area", "cha", "Təsdiqlənmiş təhlükəli ərazi"),
    "SHA": ("SHA", "SHA", "Suspected", "Şübhəli təhlükəli ərazi", "sha"),
    "open": ("Open", "Open", "Açıq"), "worked_on": ("Worked On", "In progress", "İş gedir"), "suspended": ("Suspended", "On hold"),
    "closed": ("Closed", "closed", "Bağlı"), "cancelled": ("Cancelled", "Ləğv edilib"),
    "ap": ("AP", "AP mines"), "av": ("AV", "AT"), "ap,av": ("AP; AV", "AP mines, AT mines"), "uxo": ("UXO",), "cmr": ("Cluster", "CMR"),
    "ap,uxo": ("AP; UXO",), "unknown": ("Unknown", "n/a", "Naməlum"),
}  # fmt: skip


def hazards(folder: Path, rows: list[dict]) -> dict:
    """`hazards.gpkg`, WGS 84: 120 rows and one of them twice."""
    stream = rng(51)
    out = []
    for row in rows:
        drawn = row.get("drawn", row["ground"]) if row["has_geometry"] else None
        exact = files_area(row["ground"])
        out.append({
            "local_id": row["id"], "hazard_type": pick(stream, _SAID[row["classification"]]), "status": pick(stream, _SAID[row["status"]]),
            "contamination_type": pick(stream, _SAID[row["contamination"]]), "evidence": row["evidence"].replace("_", " ").capitalize(),
            "info_date": row["info_date"].isoformat(), "entry_date": (row["info_date"] + timedelta(days=int(stream.randint(3, 60)))).isoformat(),
            "area_size": round(exact * stream.uniform(0.98, 1.02)), "district": "Füzuli" if not row["east"] else "Beyləqan", "settlement": row["settlement"],
            "remarks": NOTE, "geometry": to_wgs84(drawn),
        })  # fmt: skip
    truth = _strange_words(stream, out)
    repeated = next(r for r in out if r["geometry"] is not None and r["geometry"].is_valid)
    out.append(dict(repeated))
    files.gdal(
        folder / "hazards.gpkg",
        files.frame(out),
        "GPKG",
        layer="hazard_areas",
        layer_options={"DESCRIPTION": f"{NOTE} hazardous areas"},
    )
    return {
        **truth,
        "rows": len(out),
        "repeated_id": repeated["local_id"],
        "without_geometry": sorted(r["local_id"] for r in out if r["geometry"] is None),
    }


def _strange_words(stream, out: list[dict]) -> dict:
    free = list(stream.permutation(len(out)))
    words = {}
    for column, value in (("hazard_type", "əlavə yoxlanmalı"), ("status", "???"), ("contamination_type", "шум")):
        row = out[free.pop()]
        row[column] = value
        words[row["local_id"]] = {"column": column, "value": value}
    late = out[free.pop()]
    late["entry_date"] = (date.fromisoformat(late["info_date"]) - timedelta(days=9)).isoformat()
    marked = out[free.pop()]
    marked["remarks"] = f'{NOTE} field <east> & "old" trench; = not a formula'
    return {
        "unknown_words": words,
        "entry_before_information": [late["local_id"]],
        "special_characters": [marked["local_id"]],
    }


def files_area(ground) -> float:
    """Area of the ground meant, m²."""
    from synthetic.plane import area_m2

    return area_m2(ground)


_RU = {"cleared": ("Очищено", "Очищ."), "reduced": ("Сокращено",), "cancelled": ("Исключено",)}
_RU_METHOD = {
    "manual": "Вручную",
    "mdd": "Минно-розыскные собаки",
    "mechanical": "Механизированный",
    "mixed": "Смешанный",
    "ts": "Техническое обследование",
    "nts": "Нетехническое обследование",
    "bac": "Очистка районов боёв",
}
_TR = {
    "cleared": ("Temizlenmiş", "Temizlenen", "TEMİZLENMİŞ"),
    "reduced": ("Azaltılmış",),
    "cancelled": ("İptal edilmiş",),
}
_TR_METHOD = {
    "manual": "Elle",
    "mdd": "Mayın arama köpekleri",
    "mechanical": "Mekanik",
    "mixed": "Karma",
    "ts": "Teknik keşif",
    "nts": "Teknik olmayan keşif",
    "bac": "Muharebe alanı temizliği",
}
_AZ = {"cleared": ("Təmizlənmiş", "təmizlənmiş"), "reduced": ("Azaldılmış",), "cancelled": ("Ləğv edilmiş",)}
_AZ_METHOD = {
    "manual": "Əl ilə",
    "mdd": "Mina axtarış itləri",
    "mechanical": "Maşınla",
    "mixed": "Qarışıq",
    "ts": "Texniki kəşfiyyat",
    "nts": "Qeyri-texniki kəşfiyyat",
    "bac": "Döyüş sahəsinin təmizlənməsi",
}
_EN = {
    "cleared": ("Cleared", "clearance", "CLEARED"),
    "reduced": ("Reduced", "reduction"),
    "cancelled": ("Cancelled", "canceled"),
}
_EN_METHOD = {
    "manual": "Manual",
    "mdd": "MDD",
    "mechanical": "Mechanical",
    "mixed": "Mixed",
    "ts": "Technical survey",
    "nts": "NTS",
    "bac": "BAC",
}


def _day(day: date | None, dotted: bool = False) -> str:
    return "" if day is None else day.strftime("%d.%m.%Y") if dotted else day.isoformat()


def releases(folder: Path, rows: list[dict]) -> dict:
    """One file per organisation; returns the file of each release and some Pulkovo points."""
    stream = rng(52)
    by_org = {org: [r for r in rows if r["org"] == org] for org in land.ORGANISATIONS}
    target = folder / "releases"
    _agency(target, by_org["AG"], stream)
    _az1(target, by_org["AZ1"], stream)
    _az2(target, by_org["AZ2"], stream)
    _tr1(target, by_org["TR1"], stream)
    _tr2(target, by_org["TR2"], stream)
    _ngo(target, by_org["NG"], stream)
    return {
        "rows_per_organisation": {land.ORGANISATIONS[o]: len(v) for o, v in by_org.items()},
        "pulkovo_points": _pulkovo_points(by_org["AZ1"]),
    }


def _said(stream, row: dict, words: dict) -> str:
    """The spelling of the product; a repeated row repeats it."""
    return row["words"].setdefault("product", pick(stream, words[row["product"]]))


def _drawn(row: dict):
    return row.get("drawn", row["ground"])


def _agency(target: Path, rows: list[dict], stream) -> None:
    out = [{
        "release_id": r["id"], "hazard_id": r["hazard_id"], "product": _said(stream, r, _EN), "method": _EN_METHOD[r["method"]], "follow_up": r["follow_up"],
        "release_date": _day(r["date"]), "depth_cm": r["depth_cm"], "area_sqm": r["area_reported"], "activity_id": r["activity_id"], "team": r["team"],
        "technical_asset": None if r["technical_asset"] is None else "yes" if r["technical_asset"] else "no", "remarks": NOTE, "geometry": _drawn(r),
    } for r in rows]  # fmt: skip
    files.gdal(
        target / "agency.gpkg",
        files.frame(out, UTM),
        "GPKG",
        layer="clearance",
        layer_options={"DESCRIPTION": f"{NOTE} releases"},
    )


def _az1(target: Path, rows: list[dict], stream) -> None:
    out = [{
        "ID": r["id"], "OPASN": r["hazard_id"], "VID": _said(stream, r, _RU), "METOD": _RU_METHOD[r["method"]],
        "DOPOLN": _RU_METHOD.get(r["follow_up"], ""), "DATA": _day(r["date"], dotted=True), "GLUBINA": r["depth_cm"], "PLOSHAD": r["area_reported"],
        "RABOTA": r["activity_id"], "GRUPPA": r["team"], "PRIM": f"{NOTE} (вымышлено)", "geometry": to_gk8(_drawn(r)),
    } for r in rows]  # fmt: skip
    files.shapefile_zip(target / "az_unit_1_pulkovo.zip", files.frame(out, GK8), "CP1251")


def _az2(target: Path, rows: list[dict], stream) -> None:
    out = [{
        "Kod": r["id"], "Təhlükəli ərazi": r["hazard_id"], "Nəticə": _said(stream, r, _AZ), "Üsul": _AZ_METHOD[r["method"]],
        "Sonrakı üsul": _AZ_METHOD.get(r["follow_up"], ""), "Tarix": _day(r["date"], dotted=True), "Dərinlik": r["depth_cm"], "Sahə": r["area_reported"],
        "İş": r["activity_id"], "Komanda": r["team"], "Qeyd": NOTE, "geometry": to_wgs84(_drawn(r)),
    } for r in rows]  # fmt: skip
    files.kml(target / "az_unit_2.kml", out, "Təmizlənmiş ərazilər")


def _tr1(target: Path, rows: list[dict], stream) -> None:
    out = [{
        "id": r["id"], "tehlikeli_alan": r["hazard_id"], "sonuç": _said(stream, r, _TR), "yöntem": _TR_METHOD[r["method"]],
        "ek_yöntem": _TR_METHOD.get(r["follow_up"]), "tarih": _day(r["date"]) or None, "derinlik": r["depth_cm"], "alan": r["area_reported"],
        "faaliyet": r["activity_id"], "tim": r["team"], "açıklama": NOTE,
        "geometry": to_pulkovo(_drawn(r)) if r.get("pulkovo_as_wgs84") else to_wgs84(_drawn(r)),
    } for r in rows]  # fmt: skip
    files.geojson(target / "tr_unit_1.geojson", out)


def _tr2(target: Path, rows: list[dict], stream) -> None:
    out = [{
        "id": r["id"], "hazard": r["hazard_id"], "product": _said(stream, r, _EN), "method": _TR_METHOD[r["method"]],
        "follow_up": _TR_METHOD.get(r["follow_up"]), "date": r["date"], "depth": r["depth_cm"], "area": float(r["area_reported"]), "activity": r["activity_id"],
        "team": r["team"], "note": NOTE, "geometry": to_wgs84(_drawn(r)),
    } for r in rows]  # fmt: skip
    target.mkdir(parents=True, exist_ok=True)
    files.frame(out).to_parquet(target / "tr_unit_2.parquet", index=False)


def _ngo(target: Path, rows: list[dict], stream) -> None:
    out = [{
        "Release ID": r["id"], "Hazard ID": r["hazard_id"], "Release type": _said(stream, r, _EN), "Operational method": _EN_METHOD[r["method"]],
        "Follow-up": _EN_METHOD.get(r["follow_up"], ""), "Date released": _day(r["date"]), "Depth (cm)": "" if r["depth_cm"] is None else r["depth_cm"],
        "Area sqm": r["area_reported"], "Activity ID": r["activity_id"], "Team": r["team"], "Comments": NOTE,
        "WKT": "" if _drawn(r) is None else shapely.to_wkt(_drawn(r), rounding_precision=3),
    } for r in rows]  # fmt: skip
    files.table(target / "ngo_utm38n.csv", out, delimiter=";")


def _pulkovo_points(rows: list[dict]) -> list[dict]:
    """First corner of five releases: as in the file, and its true place."""
    out = []
    for row in [r for r in rows if r["ground"] is not None and "drawn" not in r and r["ground"].geom_type == "Polygon"][
        :5
    ]:
        x, y = row["ground"].exterior.coords[0]
        gk = to_gk8(shapely.Point(x, y))
        lon, lat = lonlat(x, y)
        out.append({"id": row["id"], "gk8_x": gk.x, "gk8_y": gk.y, "lon": lon, "lat": lat})
    return out


_ACTIVITY = {"cleared": "Clearance", "reduced": "Technical survey", "cancelled": "Non-technical survey"}


def activities(folder: Path, hazard_rows: list[dict], rows: list[dict]) -> dict:
    """`activities.csv` without geometry: one per hazard, organisation, product and year, linked from the releases; `tasks.geojson`."""
    stream = rng(53)
    groups: dict[tuple, list[dict]] = {}
    for row in sorted(rows, key=lambda r: r["id"]):
        groups.setdefault(
            (row["true_hazard"], row["org"], row["product"], row["date"].year if row["date"] else 0), []
        ).append(row)
    out = []
    for number, ((hazard, org, product, _), members) in enumerate(sorted(groups.items()), start=1):
        days = [m["date"] for m in members if m["date"]] or [date(2024, 5, 1)]
        start = min(days) - timedelta(days=int(stream.randint(8, 40)))
        for member in members:
            member["activity_id"], member["start"] = f"ACT-{number:04d}", start
        out.append({
            "activity_id": f"ACT-{number:04d}", "activity_type": _ACTIVITY[product], "activity_status": "Completed", "organisation": land.ORGANISATIONS[org],
            "hazard_id": hazard, "task_id": "", "start_date": start.isoformat(), "end_date": max(days).isoformat(),
            "area_processed": round(sum(m["area_reported"] for m in members) * 1.05), "deminers": int(stream.randint(4, 14)), "work_hours": int(stream.randint(40, 400)), "note": NOTE,
        })  # fmt: skip
    truth = _wrong_activities(stream, out) | {"closed_without_completion_report": _completions(hazard_rows, rows, out)}
    files.table(folder / "activities.csv", out)
    files.geojson(folder / "tasks.geojson", [{
        "activity_id": f"ACT-{t.id}", "task_id": t.id, "activity_type": "Clearance", "activity_status": "Ongoing", "organisation": land.ORGANISATIONS["TR1" if "M" in t.id else "AZ1"],
        "asset": "MEMATT type (synthetic)" if "M" in t.id else "hand detector", "start_date": "2026-05-04", "name": f"Task {t.id} (synthetic)", "note": NOTE, "geometry": to_wgs84(t.ground),
    } for t in tracks.TASKS])  # fmt: skip
    return truth | {"rows": len(out)}


def _completions(hazard_rows: list[dict], rows: list[dict], out: list[dict]) -> list[str]:
    """A completion report for every closed or cancelled hazard but two."""
    done = [h for h in hazard_rows if h["status"] in ("closed", "cancelled")]
    forgotten = [h["id"] for h in done if h["has_geometry"]][3:5]
    for hazard in done:
        mine = [r for r in rows if r["true_hazard"] == hazard["id"]]
        if hazard["id"] in forgotten:
            continue
        last = max([r["date"] for r in mine if r["date"]], default=hazard["info_date"]) + timedelta(days=12)
        out.append({
            "activity_id": f"ACT-{len(out) + 1:04d}", "activity_type": "Completion report", "activity_status": "Completed",
            "organisation": land.ORGANISATIONS[mine[-1]["org"] if mine else "AG"], "hazard_id": hazard["id"], "task_id": "",
            "start_date": last.isoformat(), "end_date": last.isoformat(), "area_processed": "", "deminers": "", "work_hours": "", "note": NOTE,
        })  # fmt: skip
    return forgotten


def _wrong_activities(stream, out: list[dict]) -> dict:
    free = list(stream.permutation(len(out)))
    surveys = [i for i in free if out[i]["activity_type"] != "Clearance"]
    reversed_ids, spelled = [], []
    for _ in range(3):
        row = out[surveys.pop()]
        row["start_date"], row["end_date"] = row["end_date"], row["start_date"]
        if row["start_date"] > row["end_date"]:
            reversed_ids.append(row["activity_id"])
    for _ in range(6):
        row = out[free.pop()]
        row["organisation"] = row["organisation"].upper().replace(" ", "-", 1)
        spelled.append(row["activity_id"])
    return {"start_after_end": sorted(reversed_ids), "organisation_variants": sorted(spelled)}


def finds(folder: Path, rows: list[dict]) -> dict:
    """`finds.csv` with lon/lat inside cleared blocks; a quarter without coordinates, some at 0, 0, some swapped."""
    stream = rng(54)
    cleared = [
        r
        for r in rows
        if r["ground"] is not None
        and r["product"] == "cleared"
        and r["date"]
        and not r.get("repeated")
        and not r.get("same_ground_as")
    ]
    out: list[dict] = []
    reopened = []
    for row in cleared:
        for _ in range(stream.randint(0, 4)):
            point = _inside(stream, row["ground"])
            lon, lat = lonlat(point.x, point.y)
            late = len(reopened) < 3 and len(out) % 40 == 20
            day = (
                row["date"] + timedelta(days=45)
                if late
                else row["start"] + timedelta(days=int(stream.randint(0, max((row["date"] - row["start"]).days, 1))))
            )
            out.append({
                "find_id": f"F-{len(out) + 1:04d}", "activity_id": row["activity_id"], "hazard_id": row["true_hazard"], "device_category": pick(stream, ("AP mine", "AP", "AT mine", "UXO", "submunition", "Metal fragment")),
                "qty": int(stream.choice([1, 1, 1, 1, 2, 3])), "depth_cm": int(stream.randint(0, 21)), "date_found": day.isoformat(), "disposal": "destroyed in place",
                "lon": lon, "lat": lat, "gps_accuracy": pick(stream, (2, 3, 5)), "note": NOTE,
            })  # fmt: skip
            if late:
                reopened.append({"find": out[-1]["find_id"], "release": row["id"]})
    late_ids = {r["find"] for r in reopened}
    free = [i for i in stream.permutation(len(out)) if out[i]["find_id"] not in late_ids]
    truth: dict = {"rows": len(out), "in_released_land_later": reopened}
    truth["null_island"] = _spoil_points(out, [free.pop() for _ in range(2)], lambda r: (0.0, 0.0))
    truth["swapped"] = _spoil_points(out, [free.pop() for _ in range(2)], lambda r: (r["lat"], r["lon"]))
    truth["without_geometry"] = len(_spoil_points(out, [free.pop() for _ in range(len(out) // 4)], lambda r: ("", "")))
    files.table(folder / "finds.csv", out)
    return truth


def _spoil_points(rows: list[dict], chosen: list[int], change) -> list[str]:
    for index in chosen:
        rows[index]["lon"], rows[index]["lat"] = change(rows[index])
    return sorted(rows[i]["find_id"] for i in chosen)


def _inside(stream, ground):
    west, south, east, north = ground.bounds
    while True:
        point = shapely.Point(round(stream.uniform(west, east), 2), round(stream.uniform(south, north), 2))
        if ground.buffer(-1).contains(point):
            return point


def accidents(folder: Path, hazard_rows: list[dict], rows: list[dict]) -> dict:
    """`accidents.geojson`: 18 rows, four without geometry, two inside land that was released before."""
    stream = rng(55)
    mapped = [h for h in hazard_rows if h["has_geometry"]]
    untouched = [h for h in mapped if h["status"] == "open" and not h.get("overlaps_hazard")]
    early = [
        r
        for r in rows
        if r["ground"] is not None and r["date"] and r["date"] < date(2024, 1, 1) and r["product"] == "cleared"
    ][:2]
    out, later = [], []
    for number in range(1, 19):
        hazard = pick(stream, untouched)
        point, day = _inside(stream, hazard["ground"]), some_day(stream, date(2021, 2, 1), AS_OF)
        if number <= 2:
            hazard = next(h for h in mapped if h["id"] == early[number - 1]["true_hazard"])
            point, day = _inside(stream, early[number - 1]["ground"]), date(2025, 3, 10 + number)
            later.append({"accident": f"ACC-{number:03d}", "release": early[number - 1]["id"]})
        out.append({
            "accident_id": f"ACC-{number:03d}", "date": day.isoformat(), "accident_type": pick(stream, ("Mine", "Mine", "UXO", "Unknown", "Cluster")), "killed": int(stream.randint(0, 2)),
            "injured": int(stream.randint(0, 4)), "activity_at_time": pick(stream, ("herding", "farming", "travelling", "demining")), "publish": "no",
            "hazard_id": hazard["id"], "district": "Füzuli" if not hazard["east"] else "Beyləqan", "note": NOTE, "geometry": None if number > 14 else to_wgs84(point),
        })  # fmt: skip
    files.geojson(folder / "accidents.geojson", out)
    return {"rows": len(out), "without_geometry": 4, "in_released_land_later": later}


def places(folder: Path) -> dict:
    """`places.csv`: invented settlements and some services, names in Azerbaijani, Turkish and Russian spelling."""
    stream = rng(56)
    out = []
    for number, name in enumerate(land.SETTLEMENTS, start=1):
        x, y = land.WEST[0] + stream.uniform(300, 10_500), land.WEST[1] + stream.uniform(300, 9_500)
        if number > len(land.SETTLEMENTS) - 2:
            x, y = utm(48.0 + (0.006 if number % 2 else -0.007), 39.56)
        out.append(
            _place(
                number,
                f"{name} (synthetic)",
                pick(stream, ("Kənd", "Köy", "village", "Settlement")),
                x,
                y,
                int(stream.randint(60, 4200)),
            )
        )
    for extra, (kind, count) in enumerate((("School", 4), ("Su mənbəyi", 3), ("Körpü", 2), ("Clinic", 1))):
        for index in range(count):
            x, y = land.WEST[0] + stream.uniform(300, 10_500), land.WEST[1] + stream.uniform(300, 9_500)
            out.append(_place(100 + extra * 10 + index, f"{kind} {index + 1} (synthetic)", kind, x, y, ""))
    files.table(folder / "places.csv", out)
    return {"rows": len(out)}


def _place(number: int, name: str, kind: str, x: float, y: float, people) -> dict:
    lon, lat = lonlat(x, y)
    return {
        "place_id": f"PL-{number:03d}",
        "name": name,
        "place_type": kind,
        "population": people,
        "lon": lon,
        "lat": lat,
        "note": NOTE,
    }


def landuse(folder: Path, hazard_rows: list[dict]) -> dict:
    """`landuse.fgb` (fields, UTM 38N) and `roads.geojson` (lines)."""
    stream = rng(57)
    out = []
    for row in hazard_rows:
        if row["east"] or row.get("overlaps_hazard") or stream.rand() < 0.2:
            continue
        west, south, east, north = row["local"].bounds
        box = shapely.box(
            west - stream.uniform(5, 60),
            south - stream.uniform(5, 40),
            east + stream.uniform(5, 60),
            north + stream.uniform(5, 40),
        )
        out.append({"landuse_id": f"LU-{len(out) + 1:03d}", "land_use": pick(stream, ("Əkin sahəsi", "Əkin sahəsi", "Arable", "Otlaq", "Bağ")), "note": NOTE,
                    "geometry": land.placed(box, row["centre"], row["angle"])})  # fmt: skip
    files.gdal(
        folder / "landuse.fgb", files.frame(out, UTM), "FlatGeobuf", layer="landuse", layer_options={"TITLE": NOTE}
    )
    x0, y0 = land.WEST
    lines = [
        ("R1", [(x0 - 600, y0 + 520), (x0 + 3000, y0 + 480), (x0 + 6500, y0 + 530), (x0 + 11_800, y0 + 470)]),
        ("R2", [(x0 - 600, y0 + 5480), (x0 + 2800, y0 + 5510), (x0 + 7000, y0 + 5490), (x0 + 11_800, y0 + 5540)]),
        ("R3", [(x0 + 1520, y0 - 500), (x0 + 1490, y0 + 4000), (x0 + 1510, y0 + 9900)]),
        ("R4", [(x0 + 6490, y0 - 500), (x0 + 6520, y0 + 5200), (x0 + 6500, y0 + 9900)]),
        ("R5", [(x0 + 11_800, y0 + 5540), (x0 + 30_000, y0 + 3200), utm(47.96, 39.553), utm(48.04, 39.557)]),
    ]
    roads = [
        {
            "landuse_id": name,
            "type": "Yol",
            "name": f"Road {name} (synthetic)",
            "note": NOTE,
            "geometry": to_wgs84(shapely.LineString(p)),
        }
        for name, p in lines
    ]
    files.geojson(folder / "roads.geojson", roads)
    return {"fields": len(out), "roads": len(roads)}


def samples(folder: Path, rows: list[dict]) -> dict:
    """`inspections.csv`: quality inspections inside cleared blocks."""
    stream = rng(58)
    cleared = [
        r for r in rows if r["ground"] is not None and r["product"] == "cleared" and r["date"] and not r.get("repeated")
    ]
    out = []
    for row in cleared[::5]:
        point = _inside(stream, row["ground"])
        lon, lat = lonlat(point.x, point.y)
        out.append({"sample_id": f"QC-{len(out) + 1:03d}", "lot": row["id"], "activity_id": row["activity_id"], "hazard_id": row["true_hazard"], "inspection_date": (row["date"] + timedelta(days=9)).isoformat(),
                    "result": pick(stream, ("Passed", "Passed", "Passed", "ok", "Failed", "Pending")), "inspected_organisation": land.ORGANISATIONS[row["org"]], "lon": lon, "lat": lat, "note": NOTE})  # fmt: skip
    files.table(folder / "inspections.csv", out)
    return {"rows": len(out)}
