"""Make `sample_data/fuzuli`: a SYNTHETIC district programme with known faults, the same on every run.

    python sample_data/make_fuzuli.py [FOLDER]

Needs only geopandas, rasterio and scipy. Everything is invented; no line describes a real place, person or minefield.
`truth.json` says what is planted where, and `README.md` explains it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import geopandas as gpd
import shapely

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from synthetic import corrupt, files, land, layers, rasters, sheets, tracks, training  # noqa: E402
from synthetic.plane import AS_OF, NOTE, SEED, UTM, area_m2, rng, to_wgs84  # noqa: E402

ANY = ("small_loop", "spike", "bow_tie", "hole_outside", "repeated_hole", "two_points")
INVALID_PER_ORGANISATION = {  # a shapefile and a KML hold only what their readers do not mend on the way
    "AG": (ANY, 7), "AZ1": (("small_loop", "spike", "bow_tie"), 5), "AZ2": (("small_loop", "spike", "bow_tie"), 4),
    "TR1": (("small_loop", "spike", "bow_tie", "repeated_hole"), 4), "TR2": (("small_loop", "spike", "bow_tie"), 3), "NG": (("small_loop", "spike", "bow_tie"), 3),
}  # fmt: skip


def _invalid(found: list[dict]) -> list[dict]:
    return sorted(
        ({"id": f["id"], "kind": f["kind"], "area_meant_m2": area_m2(f["ground"])} for f in found),
        key=lambda f: f["id"],
    )


def make_land(folder: Path) -> dict:
    """Hazards, releases and everything that hangs on them."""
    hazards = land.hazards()
    rows = land.releases(hazards)
    planted = land.plant(hazards, rows)
    doubled = {i for d in planted["duplicates"] for i in d["ids"]} | {p["id"] for p in planted["mislinked"]}
    for row in rows:
        row["keep_valid"] = row["id"] in doubled or row.get("why_outside") or row.get("pulkovo_as_wgs84")
    truth = {"overlaps": land.overlaps(rows), "outside": land.outside(hazards, rows)}
    stream = rng(4)
    bad_releases = [
        f
        for org, (kinds, count) in INVALID_PER_ORGANISATION.items()
        for f in corrupt.corrupt(stream, [r for r in rows if r["org"] == org], kinds, count)
    ]
    bad_hazards = corrupt.corrupt(
        stream,
        [h | {"row": h} for h in hazards if h["has_geometry"] and not h.get("overlaps_hazard")],
        ("small_loop", "spike", "bow_tie"),
        8,
    )
    for bad in bad_hazards:
        hazard = next(h for h in hazards if h["id"] == bad["id"])
        hazard["drawn"] = corrupt.KINDS[bad["kind"]](hazard["ground"])
    truth["activities"] = layers.activities(folder, hazards, rows)
    truth["hazards"] = layers.hazards(folder, hazards) | {
        "ids": len(hazards), "invalid": _invalid(bad_hazards), "area_m2": {h["id"]: area_m2(h["ground"]) for h in hazards if h["has_geometry"]},
        "overlapping": [{"ids": [h["overlaps_hazard"], h["id"]], "area_m2": _shared(hazards, h)} for h in hazards if h.get("overlaps_hazard")],
        "across_48_east": [h["id"] for h in hazards if h["has_geometry"] and h["east"] and _crosses_48(h["ground"])],
    }  # fmt: skip
    mechanical = [r for r in rows if r["method"] == "mechanical" and not r["follow_up"]]
    truth["releases"] = layers.releases(folder, rows) | {
        "rows": len(rows), "without_geometry": sum(r["ground"] is None for r in rows), "invalid": _invalid(bad_releases), **planted,
        "mechanical_without_follow_up": sorted({r["id"] for r in mechanical}), "searched_later": sorted({r["follows"] for r in rows if "follows" in r}),
        "overlaps": truth.pop("overlaps"), "outside": truth.pop("outside"),
    }  # fmt: skip
    truth["finds"] = layers.finds(folder, rows)
    truth["accidents"] = layers.accidents(folder, hazards, rows)
    truth["inspections"] = layers.samples(folder, rows)
    truth["places"] = layers.places(folder)
    truth["landuse"] = layers.landuse(folder, hazards)
    return truth


def _shared(hazards: list[dict], upper: dict) -> float:
    base = next(h for h in hazards if h["id"] == upper["overlaps_hazard"])
    return area_m2(base["ground"].intersection(upper["ground"]))


def _crosses_48(ground) -> bool:
    west, _, east, _ = to_wgs84(ground).bounds
    return west < 48.0 < east


def make_tracks(folder: Path) -> dict:
    """Fixes of the three tasks: two CSV with lon/lat and one GeoParquet in UTM 38N."""
    truth = {}
    for name, maker in (
        ("detector", tracks.detector),
        ("machine_rtk", tracks.machine_rtk),
        ("machine_consumer", tracks.machine_consumer),
    ):
        rows, facts = maker()
        for gap in facts["missed"]:
            gap["geometry_utm38n"] = json.loads(shapely.to_geojson(gap.pop("ground")))
        truth[name] = {"fixes": len(rows), **facts}
        if name == "machine_rtk":
            frame = [{"fix_id": r["id"], "machine": r["asset_id"], "run": r["run_id"], "task": r["task_id"], "time": r["time"], "width": r["width_m"], "working": r["is_on"],
                      "fix_type": r["quality"], "h_acc_m": r["h_acc_m"], "operator": r["operator"], "note": NOTE, "geometry": shapely.Point(r["x"], r["y"])} for r in rows]  # fmt: skip
            (folder / "fixes").mkdir(parents=True, exist_ok=True)
            gpd.GeoDataFrame(frame, geometry="geometry", crs=UTM).to_parquet(
                folder / "fixes" / "machine_rtk.parquet", index=False, compression="zstd"
            )
        else:
            files.table(folder / "fixes" / f"{name}.csv", [{
                "fix_id": r["id"], "asset": r["asset_id"], "run": r["run_id"], "task": r["task_id"], "utc_time": r["time"].isoformat().replace("+00:00", "Z"), "lon": f"{r['lon']:.7f}",
                "lat": f"{r['lat']:.7f}", "width_m": r["width_m"], "working": int(r["is_on"]), "fix_quality": r["quality"], "h_acc_m": r["h_acc_m"], "operator": r["operator"], "note": NOTE,
            } for r in rows])  # fmt: skip
    return truth


def make_training(folder: Path) -> dict:
    """The training camp: lanes, targets and marks."""
    pieces = training.targets()
    marks, operators = training.signals(pieces)
    files.table(folder / "training" / "targets.csv", pieces)
    files.table(folder / "training" / "signals.csv", marks)
    lanes = training.lane_grounds()
    files.geojson(
        folder / "training" / "lanes.geojson",
        [
            {"lane_id": k, "area_m2": training.LENGTH * training.WIDTH, "note": NOTE, "geometry": to_wgs84(g)}
            for k, g in lanes.items()
        ],
    )
    return {
        "halo_m": training.HALO,
        "lanes": list(lanes),
        "lane_m2": training.LENGTH * training.WIDTH,
        "targets": len(pieces),
        "signals": len(marks),
        "operators": operators,
    }


def make_sheets(folder: Path) -> dict:
    """Bearing and distance sheets, one CSV each, and the marks."""
    legs, marks, truth = sheets.sheets()
    for name, rows in legs.items():
        files.table(folder / "traverse" / f"{name.lower().replace('-', '_')}.csv", rows)
    files.table(folder / "traverse" / "marks.csv", marks)
    return truth


def make(folder: Path) -> dict:
    """Write the whole programme into `folder` and return the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("releases", "fixes", "training", "traverse"):
        shutil.rmtree(folder / part, ignore_errors=True)
    truth = {"what": f"{NOTE}: every record is invented", "seed": SEED, "as_of": AS_OF.isoformat(), **make_land(folder)}
    truth |= {"fixes": make_tracks(folder), "training": make_training(folder), "traverse": make_sheets(folder)}
    rasters.write(folder)
    for name in ("survey.toml", "machines.toml", "teams.toml", "README.md"):
        source = HERE / "synthetic" / f"fuzuli_{name}"
        files.text(folder / name, source.read_text("utf-8"))
    files.text(folder / "truth.json", json.dumps(truth, ensure_ascii=False, indent=1, default=str) + "\n")
    return truth


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "fuzuli"
    made = make(target)
    size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
    print(
        f"{target}: {made['hazards']['rows']} hazards, {made['releases']['rows']} releases, {size / 1e6:.2f} MB (SYNTHETIC)"
    )
