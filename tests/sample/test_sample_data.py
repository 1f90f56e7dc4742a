"""The sample data are what their README and truth.json say, read with plain tools, and the script makes them again."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import rasterio
import shapely

ROOT = Path(__file__).resolve().parents[2]
FUZULI = ROOT / "sample_data" / "fuzuli"
UTM = "EPSG:32638"
TEXT = {".csv", ".geojson", ".kml", ".toml", ".md", ".json"}
GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((FUZULI / "truth.json").read_text("utf-8"))


def _kml(path: Path) -> gpd.GeoDataFrame:
    """Values by the XML itself (GDAL spoils names that are not ASCII), geometry by GDAL."""
    space = "{http://www.opengis.net/kml/2.2}"
    marks = ET.parse(path).getroot().iter(f"{space}Placemark")
    rows = [{d.get("name"): d.findtext(f"{space}value") for d in mark.iter(f"{space}Data")} for mark in marks]
    return gpd.GeoDataFrame(rows, geometry=pyogrio.read_dataframe(path).geometry)


def _columns(frame: gpd.GeoDataFrame, *, key: str, hazard: str, geometry=None) -> gpd.GeoDataFrame:
    shapes = frame.geometry if geometry is None else geometry
    return gpd.GeoDataFrame(
        {"id": frame[key].astype(object), "hazard_id": frame[hazard].astype(object)}, geometry=shapes, crs=shapes.crs
    )


@pytest.fixture(scope="module")
def release_files() -> dict[str, gpd.GeoDataFrame]:
    """The six release files with plain readers: id, hazard_id, geometry in the file's own system."""
    at = FUZULI / "releases"
    ngo = pd.read_csv(at / "ngo_utm38n.csv", sep=";", dtype=str, keep_default_na=False)
    shapes = gpd.GeoSeries([shapely.from_wkt(text) if text else None for text in ngo["WKT"]], crs=UTM)
    return {
        "AG": _columns(pyogrio.read_dataframe(at / "agency.gpkg"), key="release_id", hazard="hazard_id"),
        "AZ1": _columns(
            pyogrio.read_dataframe(at / "az_unit_1_pulkovo.zip", encoding="cp1251"), key="ID", hazard="OPASN"
        ),
        "AZ2": _columns(_kml(at / "az_unit_2.kml"), key="Kod", hazard="Təhlükəli ərazi"),
        "TR1": _columns(pyogrio.read_dataframe(at / "tr_unit_1.geojson"), key="id", hazard="tehlikeli_alan"),
        "TR2": _columns(gpd.read_parquet(at / "tr_unit_2.parquet"), key="id", hazard="hazard"),
        "NG": _columns(ngo, key="Release ID", hazard="Hazard ID", geometry=shapes),
    }


@pytest.fixture(scope="module")
def releases(release_files) -> gpd.GeoDataFrame:
    """All releases in UTM 38N."""
    return pd.concat([f.to_crs(UTM) for f in release_files.values()], ignore_index=True)


@pytest.fixture(scope="module")
def hazards() -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(FUZULI / "hazards.gpkg")


def _ellipsoid_m2(geometry) -> float:
    lonlat = gpd.GeoSeries([geometry], crs=UTM).to_crs(4326).iloc[0]
    return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(lonlat))[0])


def _invalid_ids(frame: gpd.GeoDataFrame, key: str = "id") -> set[str]:
    has = frame[frame.geometry.notna()]
    return set(has.loc[~has.geometry.is_valid, key])


# ------------------------------------------------------------------------------------------------ the whole


def test_small_and_everything_says_synthetic():
    files = [f for f in FUZULI.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) < 8_000_000
    for file in files:
        content = file.read_bytes()
        if file.suffix == ".zip":
            content = pyogrio.read_dataframe(file, encoding="cp1251").to_csv().encode()
        if file.suffix == ".parquet":
            content = gpd.read_parquet(file).to_csv().encode()
        assert b"SYNTHETIC" in content, file.name


@pytest.mark.slow
def test_made_again_the_same(tmp_path):
    """Text files to the byte; binary ones by what they hold, because their writers put versions inside."""
    subprocess.run([sys.executable, ROOT / "sample_data" / "make_fuzuli.py", tmp_path], check=True, capture_output=True)
    committed = {f.relative_to(FUZULI).as_posix() for f in FUZULI.rglob("*") if f.is_file()}
    assert committed == {f.relative_to(tmp_path).as_posix() for f in tmp_path.rglob("*") if f.is_file()}
    for name in sorted(committed):
        old, new = FUZULI / name, tmp_path / name
        if old.suffix in TEXT:
            assert hashlib.sha256(old.read_bytes()).digest() == hashlib.sha256(new.read_bytes()).digest(), name
        elif old.suffix == ".tif":
            with rasterio.open(old) as a, rasterio.open(new) as b:
                assert np.array_equal(a.read(), b.read()), name
        else:
            assert _held(old) == _held(new), name


def _held(file: Path) -> str:
    frame = gpd.read_parquet(file) if file.suffix == ".parquet" else pyogrio.read_dataframe(file)
    table = frame.drop(columns="geometry").to_csv()
    return table + "".join(shapely.to_wkb(g, hex=True) if g is not None else "-" for g in frame.geometry)


# ------------------------------------------------------------------------------------------------ hazards


def test_hazards_are_as_planted(hazards, truth):
    facts = truth["hazards"]
    assert len(hazards) == facts["rows"] == 121
    assert hazards["local_id"].nunique() == facts["ids"] == 120
    assert hazards["local_id"].value_counts()[lambda n: n > 1].to_dict() == {facts["repeated_id"]: 2}
    assert sorted(hazards.loc[hazards.geometry.isna(), "local_id"]) == facts["without_geometry"]
    assert 0.2 <= len(facts["without_geometry"]) / len(hazards) <= 0.3
    assert _invalid_ids(hazards, "local_id") == {row["id"] for row in facts["invalid"]}
    assert 0.06 <= len(facts["invalid"]) / facts["rows"] <= 0.09
    for ident, word in facts["unknown_words"].items():
        assert word["value"] in hazards[hazards["local_id"] == ident].iloc[0].to_list()
    late = hazards.set_index("local_id").loc[facts["entry_before_information"][0]]
    assert late["entry_date"] < late["info_date"]


def test_hazard_areas_and_overlaps(hazards, truth):
    facts = truth["hazards"]
    plane = hazards.drop_duplicates("local_id").set_index("local_id").geometry.to_crs(UTM)
    bad = {row["id"] for row in facts["invalid"]}
    for ident, expected in facts["area_m2"].items():
        if ident not in bad:
            assert _ellipsoid_m2(plane[ident]) == pytest.approx(
                expected, rel=1e-4
            )  # corners are stored to 7 decimals, about 1 cm
    for pair in facts["overlapping"]:
        assert _ellipsoid_m2(plane[pair["ids"][0]].intersection(plane[pair["ids"][1]])) == pytest.approx(
            pair["area_m2"], rel=1e-3
        )


def test_both_sides_of_48_east(hazards, truth):
    boxes = hazards.set_index("local_id").bounds
    crossing = boxes[(boxes["minx"] < 48) & (boxes["maxx"] > 48)]
    assert set(crossing.index) == set(truth["hazards"]["across_48_east"])
    assert len(crossing) >= 3
    assert (boxes["minx"] > 48).any()
    assert (boxes["maxx"] < 47.5).any()


# ------------------------------------------------------------------------------------------------ releases


def test_release_counts_shares_and_systems(release_files, truth):
    facts = truth["releases"]
    rows = sum(len(f) for f in release_files.values())
    blank = sum(int(f.geometry.isna().sum()) for f in release_files.values())
    assert (rows, blank) == (facts["rows"], facts["without_geometry"])
    assert 0.2 <= blank / rows <= 0.3
    assert {f.crs.to_epsg() for f in release_files.values()} == {4326, 32638, 28408}
    invalid = set().union(*(_invalid_ids(f) for f in release_files.values()))
    assert invalid == {row["id"] for row in facts["invalid"]}
    assert 0.06 <= len(invalid) / rows <= 0.09
    assert len({row["kind"] for row in facts["invalid"]}) == 6


def test_one_percent_duplicates(releases, truth):
    planted = truth["releases"]["duplicates"]
    assert 0.005 <= len(planted) / len(releases) <= 0.015
    twice = Counter(releases["id"])
    for pair in planted:
        if "same row" in pair["how"]:
            assert twice.pop(pair["ids"][0]) == 2
        else:
            a, b = (releases[releases["id"] == i].geometry.iloc[0] for i in pair["ids"])
            assert a.equals(b)
    assert max(twice.values()) == 1


def test_links(releases, truth, hazards):
    recorded = releases.drop_duplicates("id").set_index("id")["hazard_id"]
    known = set(hazards["local_id"])
    for row in truth["releases"]["mislinked"]:
        assert recorded[row["id"]] == row["recorded"] != row["true"]
        assert row["recorded"] in known
    for row in truth["releases"]["dangling"]:
        assert recorded[row["id"]] == row["recorded"]
        assert row["recorded"] not in known


def test_overlaps_and_outside(releases, truth, hazards):
    """Areas by another library path (UTM plane with its scale) agree with truth for what is valid and not shifted."""
    facts = truth["releases"]
    bad = {row["id"] for row in facts["invalid"]} | set(facts["pulkovo_as_wgs84"])
    plane = releases.drop_duplicates("id").set_index("id").geometry
    checked = 0
    for pair in facts["overlaps"]:
        if not bad & set(pair["ids"]):
            checked += 1
            assert plane[pair["ids"][0]].intersection(plane[pair["ids"][1]]).area == pytest.approx(
                pair["area_m2"], rel=0.01, abs=1.5
            )
    assert checked > 60
    assert {"seam between blocks", "seam between organisations", "mechanical, then manual"} <= {
        p["why"] for p in facts["overlaps"]
    }
    spare = {row["id"] for row in truth["hazards"]["invalid"]}
    whole = hazards[hazards.geometry.notna() & ~hazards["local_id"].isin(spare)].to_crs(UTM).geometry
    for row in facts["outside"]:
        left = plane[row["id"]].difference(shapely.union_all(whole.to_numpy())).area
        assert left >= row["area_m2"] * 0.99 - 1
    assert len(facts["outside"]) == 6


def test_pulkovo_points_are_where_they_should_be(truth):
    """GK zone 8 corners go to their true place by EPSG:15865, and lie about 100 m off if the shift is forgotten."""
    back = pyproj.Transformer.from_crs("EPSG:28408", "EPSG:4284", always_xy=True)
    shift = pyproj.Transformer.from_pipeline("EPSG:15865")
    for point in truth["releases"]["pulkovo_points"]:
        lon, lat = back.transform(point["gk8_x"], point["gk8_y"])
        moved = shift.transform(lat, lon)[:2]
        assert GEOD.inv(moved[1], moved[0], point["lon"], point["lat"])[2] < 0.05
        azimuth, _, off = GEOD.inv(lon, lat, point["lon"], point["lat"])
        assert 100 < off < 105
        assert 260 < azimuth % 360 < 270


def test_forgotten_shift_lies_east_of_its_hazard(releases, hazards, truth):
    plane = releases.drop_duplicates("id").set_index("id").geometry
    ground = shapely.union_all(
        hazards[hazards.geometry.notna() & hazards.geometry.is_valid].to_crs(UTM).geometry.to_numpy()
    )
    assert len(truth["releases"]["pulkovo_as_wgs84"]) == 3
    for ident in truth["releases"]["pulkovo_as_wgs84"]:
        assert plane[ident].difference(ground).area > 1


# ------------------------------------------------------------------------------------------------ points


def test_finds_and_accidents(truth):
    finds = pd.read_csv(FUZULI / "finds.csv").set_index("find_id")
    facts = truth["finds"]
    assert len(finds) == facts["rows"]
    assert finds["lon"].isna().sum() == facts["without_geometry"]
    assert 0.2 <= facts["without_geometry"] / len(finds) <= 0.3
    assert set(finds.index[(finds["lon"] == 0) & (finds["lat"] == 0)]) == set(facts["null_island"])
    assert set(finds.index[(finds["lat"] > 45)]) == set(facts["swapped"])
    accidents = json.loads((FUZULI / "accidents.geojson").read_text("utf-8"))["features"]
    assert sum(f["geometry"] is None for f in accidents) == truth["accidents"]["without_geometry"]


def test_names_are_not_ascii():
    names = pd.read_csv(FUZULI / "places.csv")["name"].str.cat()
    assert set("əğşı") <= set(names)
    assert any("а" <= letter <= "я" for letter in names)
    shape = pyogrio.read_dataframe(FUZULI / "releases" / "az_unit_1_pulkovo.zip", encoding="cp1251")
    assert "Очищено" in set(shape["VID"])
    assert "Очищено" not in set(pyogrio.read_dataframe(FUZULI / "releases" / "az_unit_1_pulkovo.zip")["VID"])


# ------------------------------------------------------------------------------------------------ fixes, lanes, sheets


@pytest.fixture(scope="module")
def fixes() -> dict[str, gpd.GeoDataFrame]:
    out = {"machine_rtk": gpd.read_parquet(FUZULI / "fixes" / "machine_rtk.parquet").rename(columns={"task": "task"})}
    for name in ("detector", "machine_consumer"):
        table = pd.read_csv(FUZULI / "fixes" / f"{name}.csv")
        out[name] = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326).to_crs(
            UTM
        )
    return out


@pytest.mark.parametrize("name", ["detector", "machine_rtk", "machine_consumer"])
def test_planted_fixes(fixes, truth, name):
    facts, table = truth["fixes"][name], fixes[name].set_index("fix_id")
    assert len(table) == facts["fixes"]
    if name != "machine_rtk":
        assert set(table.index[(table["lon"] == 0) & (table["lat"] == 0)]) == set(facts["null_island"])
    spikes = table.loc[facts["spikes"]]
    place = table.index.get_indexer(spikes.index)
    before = table.geometry.iloc[place - 1]
    assert (spikes.geometry.to_numpy() != before.to_numpy()).all()
    step = spikes.geometry.distance(gpd.GeoSeries(before.to_numpy(), index=spikes.index, crs=table.crs))
    assert ((step > 5) & (step < 60)).all() or set(table.index[place - 1]) & set(facts["null_island"])
    times = pd.to_datetime(table["utc_time" if name != "machine_rtk" else "time"])
    assert (
        times.loc[facts["repeated_time"]].to_numpy()
        == times.iloc[table.index.get_indexer(facts["repeated_time"]) - 1].to_numpy()
    ).all()


@pytest.mark.parametrize("name", ["machine_rtk", "detector"])
def test_no_good_fix_lies_in_a_missed_strip(fixes, truth, name):
    """A pass buffered by half its width leaves the planted strips open: fixes with the tool on keep that far away."""
    facts, table = truth["fixes"][name], fixes[name].set_index("fix_id")
    noisy = set(facts["spikes"]) | set(facts["null_island"])
    on = table[table["working"].astype(bool) & ~table.index.isin(noisy) & table["h_acc_m"].lt(0.1)]
    for strip in facts["missed"]:
        shape = shapely.from_geojson(json.dumps(strip["geometry_utm38n"]))
        assert _ellipsoid_m2(shape) == pytest.approx(strip["area_m2"], rel=0.01, abs=0.05)
        inner = shape.buffer(-0.15)
        assert on.geometry.distance(inner).min() > facts["width_m"] / 2 - 0.1 or not on.geometry.intersects(inner).any()
    assert facts["missed_m2"] == pytest.approx(sum(s["area_m2"] for s in facts["missed"]), abs=0.05)


def test_missed_strips_of_the_machine_have_the_closed_form_areas(truth):
    """0.4 m × 100 m too wide; 1.3 m (1.7 − 2 × 0.2) over 14, 12 and 7 m."""
    areas = sorted(s["area_m2"] for s in truth["fixes"]["machine_rtk"]["missed"])
    assert areas == pytest.approx([1.3 * 7, 1.3 * 12, 1.3 * 14, 0.4 * 100], rel=0.025)


def test_blind_lanes_score_as_truth_says(truth):
    """Nearest-target scoring by hand: at this spacing no two targets compete for a mark."""
    facts = truth["training"]
    targets, signals = (pd.read_csv(FUZULI / "training" / f"{n}.csv") for n in ("targets", "signals"))
    assert len(targets) == facts["targets"] == 48
    for _, lane in targets.groupby("lane_id"):
        gaps = np.hypot(*(np.subtract.outer(lane[c].to_numpy(), lane[c].to_numpy()) for c in ("x_m", "y_m")))
        assert gaps[~np.eye(len(lane), dtype=bool)].min() > 2 * facts["halo_m"]
    for operator, expected in facts["operators"].items():
        marks = signals[signals["operator"] == operator].merge(targets, on="lane_id", suffixes=("", "_t"))
        marks["near"] = np.hypot(marks["x_m"] - marks["x_m_t"], marks["y_m"] - marks["y_m_t"]) <= facts["halo_m"]
        found = set(marks.loc[marks["near"], "target_id"])
        assert len(found) == expected["hits"]
        assert set(targets["target_id"]) - found == set(expected["missed"])
        false = ~marks.groupby("signal_id")["near"].any()
        assert int(false.sum()) == expected["false_alarms"]
        assert len(false) - int(false.sum()) - len(found) == expected["duplicates"]


def _closing(name: str) -> tuple[float, float, str]:
    with (FUZULI / "traverse" / name).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    unit = {"deg": 1.0, "mil6000": 0.06}
    angle = np.radians([float(r["bearing"]) * unit[r["unit"]] for r in rows])
    length = np.array([float(r["distance_m"]) * np.cos(np.radians(float(r["slope_deg"] or 0))) for r in rows])
    return (
        float(length.sum()),
        float(np.hypot((length * np.sin(angle)).sum(), (length * np.cos(angle)).sum())),
        rows[-1]["to"],
    )


def test_sheets_close_as_stated(truth):
    total, off, end = _closing("sheet_72.csv")
    assert (round(total, 2), round(off, 3), end) == (441.30, 4.392, "SP")
    for name, facts in truth["traverse"].items():
        total, off, end = _closing(f"{name.lower().replace('-', '_')}.csv")
        assert total == pytest.approx(facts["perimeter_m"], abs=0.01)
        assert (end == "SP") == facts["closing_leg"]
        if facts["closing_leg"]:
            assert off == pytest.approx(facts["misclosure_m"], abs=0.002)
    assert truth["traverse"]["SHEET-BLUNDER"]["ratio"] < 50 < truth["traverse"]["SHEET-MILS"]["ratio"]


def test_rasters():
    with rasterio.open(FUZULI / "dem.tif") as dem, rasterio.open(FUZULI / "landcover.tif") as cover:
        assert dem.crs == cover.crs == rasterio.crs.CRS.from_epsg(32638)
        assert dem.res == (10.0, 10.0)
        heights = dem.read(1)
        assert np.isfinite(heights).all()
        assert heights.max() - heights.min() > 200
        assert set(np.unique(cover.read(1))) <= {10, 20, 30, 40, 50, 60, 80}
