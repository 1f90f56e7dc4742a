"""A small synthetic district with one input of every sort that some command reads.

For the tests of this folder: it is made once and copied. Everything in it is invented.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely

import geotools as gt
from geotools.io.rasters import write_raster
from geotools.space.grid import Grid, Raster

UTM, WGS = "EPSG:32638", "EPSG:4326"
X, Y = 683_000.0, 4_385_000.0
SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(X + x, Y + y, X + x + width, Y + y + height)


def layer(path: Path, shapes: list[Any], crs: str = UTM, **columns: Any) -> None:
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)
    gt.write(frame if path.suffix == ".gpkg" else frame.to_crs(WGS), path)


def build(folder: Path) -> Path:
    """`survey/` with a survey.toml, and `more/` with what single options take."""
    survey, more = folder / "survey", folder / "more"
    survey.mkdir(parents=True)
    more.mkdir()
    _records(survey)
    _rasters(survey)
    _sheets(more)
    _camp(more)
    _tables(more)
    _team(more)
    _pictures(more)
    return folder


def altered(folder: Path) -> Path:
    """Other records under the same names: moved ground, one leg, one mark and one team fewer or other."""
    survey, more = folder / "survey", folder / "more"
    for name in ("hazards.gpkg", "releases.geojson"):
        frame = gt.read(survey / name).to_crs(UTM)
        moved = frame.assign(geometry=frame.translate(3, 2))
        gt.write(moved if name.endswith("gpkg") else moved.to_crs(WGS), survey / name, overwrite=True)
    for name in ("survey/finds.csv", "survey/fixes.csv", "more/signals.csv"):
        lines = (folder / name).read_text("utf-8").splitlines()
        (folder / name).write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    (more / "legs.csv").write_text((more / "legs.csv").read_text("utf-8").replace("118.4", "118.6"), "utf-8")
    (more / "theirs.gpkg").unlink()
    shutil.copy(more / "ours.gpkg", more / "theirs.gpkg")
    with rasterio.open(survey / "dem.tif") as file:
        values, place = file.read(1), file.profile
    (survey / "dem.tif").unlink()
    with rasterio.open(survey / "dem.tif", "w", **{**place, "driver": "GTiff"}) as file:
        file.write(values * 1.5, 1)
    return folder


def _records(survey: Path) -> None:
    layer(
        survey / "hazards.gpkg", [box(0, 0, 100, 100), box(300, 0, 120, 90), box(700, 300, 200, 150)],
        id=["H-1", "H-2", "H-3"], classification=["CHA", "SHA", "CHA"], status=["open", "worked_on", "open"], contamination=["ap", "av", "uxo"],
        evidence=["direct", "indirect", "direct"], date_info=pd.to_datetime(["2023-01-10"] * 3),
    )  # fmt: skip
    layer(
        survey / "releases.geojson", [box(0, 0, 50, 100), box(300, 0, 70, 90), box(20, 20, 60, 60)],
        id=["R-1", "R-2", "R-3"], hazard_id=["H-1", "H-2", "H-1"], activity_id=["A-00", "A-01", "A-02"], product=["cleared", "reduced", "cleared"],
        method=["manual", "nts", "mechanical"], organisation=["Unit (synthetic)"] * 3, depth_cm=[20.0, np.nan, 20.0],
        date=pd.to_datetime(["2024-05-20", "2024-06-01", "2025-07-01"]),
    )  # fmt: skip
    (survey / "tasks.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [{
            "type": "Feature",
            "properties": {"activity_id": "ACT-T1", "task_id": "TASK-1", "activity_type": "Clearance", "activity_status": "Ongoing", "organisation": "Unit (synthetic)", "start_date": "2026-05-04"},
            "geometry": json.loads(shapely.to_geojson(gpd.GeoSeries([box(0, 0, 30, 20)], crs=UTM).to_crs(WGS).iloc[0])),
        }]}), "utf-8",
    )  # fmt: skip
    days = pd.bdate_range("2026-04-01", periods=15)
    sheets = {
        "id": [f"A-{k:02d}" for k in range(30)], "type": "clearance", "method": ["manual"] * 15 + ["mdd"] * 15, "team": ["Hand"] * 15 + ["Dogs"] * 15,
        "processed_m2": [300.0, 500.0, 400.0] * 5 + [700.0, 900.0, 800.0] * 5, "start": [*days, *days], "end": [*days, *days],
    }  # fmt: skip
    pd.DataFrame(sheets).to_csv(survey / "activities.csv", index=False)
    rng = np.random.default_rng(5)
    along = np.arange(24) * 4.0
    lons, lats = _lonlat(X + 5 + along, Y + 30 + rng.normal(0, 0.1, 24))
    finds = {"find_id": [f"F-{n:02d}" for n in range(24)], "hazard_id": "H-1", "device_category": "AP mine", "qty": 1,
             "date_found": [f"202{3 + n % 4}-0{1 + n % 9}-11" for n in range(24)], "depth_cm": 5, "lon": lons, "lat": lats}  # fmt: skip
    pd.DataFrame(finds).to_csv(survey / "finds.csv", index=False)
    layer(survey / "accidents.geojson", [shapely.Point(X + 60, Y + 40)], id=["AC-1"], date=pd.to_datetime(["2022-03-11"]), killed=[0], injured=[1], hazard_id=["H-1"])  # fmt: skip
    lons, lats = _lonlat(np.array([X - 200, X + 900]), np.array([Y + 50, Y + 300]))
    pd.DataFrame({"place_id": ["P-1", "P-2"], "name": ["Nümunə (synthetic)", "Sınaq (synthetic)"], "place_type": ["village", "school"], "population": [700, None], "lon": lons, "lat": lats}).to_csv(survey / "places.csv", index=False)  # fmt: skip
    layer(survey / "landuse.fgb", [box(-100, -100, 600, 300)], id=["L-1"], use=["arable"])
    rows = [
        (x, y)
        for k, y in enumerate(np.arange(0.5, 12.0, 1.0))
        for x in (np.arange(0, 30, 1.0) if k % 2 else np.arange(30, 0, -1.0))
    ]
    x, y = np.array(rows).T
    lons, lats = _lonlat(X + x, Y + y)
    times = pd.Timestamp("2026-05-04T04:00:00Z") + pd.to_timedelta(np.arange(len(x)), unit="s")
    pd.DataFrame({"fix_id": [f"D-{n:04d}" for n in range(len(x))], "asset": "DET-1", "run": "1", "task": "TASK-1", "utc_time": times.strftime("%Y-%m-%dT%H:%M:%SZ"),
                  "lon": lons, "lat": lats, "width_m": 1.0, "working": 1, "fix_quality": "RTK fixed", "h_acc_m": 0.02}).to_csv(survey / "fixes.csv", index=False)  # fmt: skip
    lons, lats = _lonlat(np.array([X + 20.0]), np.array([Y + 40.0]))
    pd.DataFrame({"sample_id": ["Q-1"], "lot": ["R-1"], "hazard_id": ["H-1"], "inspection_date": ["2025-01-01"], "result": ["Passed"], "lon": lons, "lat": lats}).to_csv(survey / "inspections.csv", index=False)  # fmt: skip
    (survey / "survey.toml").write_text(SURVEY, "utf-8")


SURVEY = """
[programme]
name = "District (SYNTHETIC)"
country = "Azerbaijan"
crs = "EPSG:32638"
extent = [46.8, 39.3, 48.3, 39.9]
languages = ["en", "az"]
depth_cm = { default = 20 }
[programme.words.product]
"Очищ." = "cleared"
[rasters]
dem = "dem.tif"
landcover = "landcover.tif"
[[layer]]
kind = "hazards"
file = "hazards.gpkg"
[[layer]]
kind = "releases"
file = "releases.geojson"
values = { team = "One" }
[[layer]]
kind = "activities"
file = "tasks.geojson"
[[layer]]
kind = "activities"
file = "activities.csv"
[[layer]]
kind = "finds"
file = "finds.csv"
crs = "EPSG:4326"
[[layer]]
kind = "accidents"
file = "accidents.geojson"
[[layer]]
kind = "places"
file = "places.csv"
crs = "EPSG:4326"
[[layer]]
kind = "landuse"
file = "landuse.fgb"
[[layer]]
kind = "fixes"
file = "fixes.csv"
crs = "EPSG:4326"
[[layer]]
kind = "samples"
file = "inspections.csv"
crs = "EPSG:4326"
"""


def _lonlat(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=UTM).to_crs(WGS)
    return points.x.round(8).to_numpy(), points.y.round(8).to_numpy()


def _rasters(survey: Path) -> None:
    rows, columns = 80, 130
    heights = 100 + np.add.outer(np.sin(np.arange(rows) / 9.0) * 4, np.cos(np.arange(columns) / 11.0) * 4)
    grid = Grid(X - 200, Y + 600, 10, heights.shape, UTM)
    write_raster(Raster(heights.astype("float32"), grid, name="height"), survey / "dem.tif")
    cover = np.where(np.arange(columns)[None, :] % 40 < 25, 40, 30).astype("uint8") + np.zeros((rows, 1), "uint8")
    place = {"crs": UTM, "transform": rasterio.Affine(10, 0, X - 200, 0, -10, Y + 600)}
    with rasterio.open(survey / "landcover.tif", "w", driver="GTiff", height=rows, width=columns, count=1, dtype="uint8", nodata=0, **place) as file:  # fmt: skip
        file.write(cover, 1)
        file.update_tags(CLASSES="30=grass, 40=crop")


def _sheets(more: Path) -> None:
    (more / "legs.csv").write_text(
        "leg_id,feature_id,leg_no,from,to,bearing,unit,north,distance_m,date\n"
        "1,S,1,SP,TP1,92,deg,magnetic,118.4,2026-06-12\n2,S,2,TP1,TP2,171.5,deg,magnetic,76.2,2026-06-12\n"
        "3,S,3,TP2,TP3,265,deg,magnetic,104.1,2026-06-12\n4,S,4,TP3,SP,343.4,deg,magnetic,85.2,2026-06-12\n", "utf-8",
    )  # fmt: skip
    lons, lats = _lonlat(np.array([X]), np.array([Y]))
    pd.DataFrame({"id": ["SP"], "lon": lons, "lat": lats, "h_acc_m": [0.02]}).to_csv(more / "marks.csv", index=False)
    pd.DataFrame({"name": ["SP"], "position": ["38SPJ8300085000"]}).to_csv(more / "points.csv", index=False)


def _camp(more: Path) -> None:
    camp = SAMPLE / "training"
    shutil.copy(camp / "lanes.geojson", more / "lanes.geojson")
    for name, rows in (("targets", 13), ("signals", 25)):
        lines = (camp / f"{name}.csv").read_text("utf-8").splitlines()
        (more / f"{name}.csv").write_text("\n".join(lines[:rows]) + "\n", "utf-8")
    _sealed(more)
    (more / "runs.csv").write_text("run_id,lane_id,operator,detector,minutes\nOP-1-L1,L1,OP-1,D,20\n", "utf-8")


def _sealed(more: Path) -> None:
    """Seal and salt of a design, and frozen marks."""
    from geotools.analysis import trial

    lanes = gt.read(more / "lanes.geojson")
    wanted = trial.Wanted(("A",), (5.0,), 0.1, 0.1, pod=0.6)
    plan = trial.design(lanes.assign(id=lanes["lane_id"]), wanted, operators=("OP-1",), detectors=("D",), seed=1)
    (more / "seal.json").write_text(json.dumps(plan.to_dict()), "utf-8")
    (more / "salt.txt").write_text(plan.salt + "\n", "utf-8")
    marks = gt.read(more / "signals.csv", "signals", crs=WGS)
    (more / "frozen.json").write_text(json.dumps(trial.freeze(marks, plan.seal)), "utf-8")


def _tables(more: Path) -> None:
    for name in ("teams", "machines"):
        shutil.copy(SAMPLE / f"{name}.toml", more / f"{name}.toml")
    from geotools.analysis.priority.criteria import example_text

    (more / "criteria.toml").write_text(example_text(), "utf-8")
    (more / "priority.csv").write_text("id,score\nH-1,0.8\nH-2,0.3\nH-3,0.5\n", "utf-8")
    (more / "workable.csv").write_text("id,workable_m2\nH-1,2000\nH-3,9000\n", "utf-8")
    (more / "costs.csv").write_text("id,cost_per_m2\nH-1,2.5\nH-3,1\n", "utf-8")
    from geotools.maps.symbols import HATCHES

    (more / "theme.toml").write_text(f'title = "Own"\n[hazard.CHA]\nfill = "#ff0000"\nhatch = "{sorted(HATCHES)[0]}"\n', "utf-8")  # fmt: skip
    layer(more / "searched.geojson", [box(0, 0, 60, 60)], id=["S-1"])
    layer(more / "zones.geojson", [box(10, 10, 5, 5)], id=["Z-1"])
    layer(more / "area.geojson", [box(-50, -50, 300, 300)], id=["AREA"])
    lons, lats = _lonlat(X + 5 + np.arange(10) * 4.0, np.full(10, Y + 30.0))
    pd.DataFrame({"id": range(10), "row_id": "ROW-1", "lon": lons, "lat": lats}).to_csv(more / "record.csv", index=False)  # fmt: skip
    pd.DataFrame({"check": ["GC-01"], "severity": ["error"], "kind": ["hazards"], "id": ["H-1"], "column": [""], "message": ["x"], "value": [""], "limit": [""], "wkt": ["POINT (47.1 39.6)"]}).to_csv(more / "since.csv", index=False)  # fmt: skip


def _team(more: Path) -> None:
    base = gpd.GeoDataFrame({"id": ["H-1", "H-2"], "status": ["open", "open"], "note": ["", "a"]}, geometry=[box(0, 0, 100, 100), box(300, 0, 80, 80)], crs=UTM)  # fmt: skip
    for name, frame in (("base", base), ("ours", base.assign(status=["worked_on", "open"])), ("theirs", base.assign(status=["closed", "open"], note=["", "b"]))):  # fmt: skip
        gt.write(frame, more / f"{name}.gpkg", layer="hazards")
    (more / "decisions.csv").write_text("layer,id,column,base,ours,theirs,decision\nhazards,H-1,status,open,worked_on,closed,ours\n", "utf-8")  # fmt: skip
    from geotools import store

    with store.init(more / "store.gpkg", author="a") as opened:
        opened.save({"hazards": base}, note="first", author="a")
        opened.save({"hazards": base.assign(status=["closed", "open"])}, note="second", author="a")


def _pictures(more: Path) -> None:
    from PIL import Image

    picture = Image.fromarray((np.arange(64 * 64 * 3) % 251).astype("uint8").reshape(64, 64, 3))
    picture.save(more / "photo.jpg")
    picture.save(more / "tile.png")
    with sqlite3.connect(more / "tiles.mbtiles") as file:
        file.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        file.executemany("INSERT INTO metadata VALUES (?, ?)", [("name", "T"), ("format", "png"), ("bounds", "47,39,48,40"), ("minzoom", "0"), ("maxzoom", "0")])  # fmt: skip
        file.execute("CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)")
        file.execute("INSERT INTO tiles VALUES (0, 0, 0, ?)", ((more / "tile.png").read_bytes(),))
    file.close()
