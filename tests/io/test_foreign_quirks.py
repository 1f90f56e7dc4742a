"""What other programs leave in files: rows marked as deleted, system members of old GeoJSON, zones in a column, broken numbers."""

from __future__ import annotations

import json
import warnings

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

import geotools as gt
from geotools.model.errors import CRSError

AREAS = [shapely.box(688000 + 200 * n, 4385000, 688100 + 200 * n, 4385100) for n in range(4)]


def shapefile(folder, **columns):
    path = folder / "hazards.shp"
    columns = columns or {"id": ["H-1", "H-2", "H-3", "H-4"]}
    gpd.GeoDataFrame(columns, geometry=AREAS, crs="EPSG:32638").to_file(path, engine="pyogrio")
    return path


@pytest.mark.parametrize("gone", [[0], [1, 2], [3], [0, 1, 2, 3]])
def test_rows_marked_as_deleted_are_left_out_and_counted(gone, tmp_path):
    path = shapefile(tmp_path)
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    first, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
    for row in gone:
        data[first + row * width] = ord("*")
    path.with_suffix(".dbf").write_bytes(data)
    frame, issues = gt.read_with_issues(path)
    left = [n for n in range(4) if n not in gone]
    assert frame["id"].tolist() == [f"H-{n + 1}" for n in left]
    assert all(a.equals(AREAS[n]) for a, n in zip(frame.geometry, left, strict=True))
    assert issues["message"].str.contains(f"{len(gone)} rows are marked as deleted").sum() == 1


@pytest.mark.parametrize(
    ("page", "word"), [("cp1251", "Минное поле у дороги"), ("cp1254", "Şırnak mayınlı"), ("cp1252", "zone minée")]
)
def test_the_mark_of_any_machine_says_no_page(page, word, tmp_path):
    """ArcGIS marks a .dbf with 'the page of this machine': that is cp1252 in few of the countries concerned."""
    path = tmp_path / "hazards.shp"
    frame = gpd.GeoDataFrame({"id": ["H-1"], "name": [word]}, geometry=AREAS[:1], crs="EPSG:32638")
    frame.to_file(path, engine="pyogrio", encoding=page)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    data[29] = 0x57
    path.with_suffix(".dbf").write_bytes(data)
    read, issues = gt.read_with_issues(path)
    assert read["name"].tolist() == [word]
    assert (issues["check"] == "RD-05").sum() == (page != "cp1252")


@pytest.mark.parametrize(
    "member",
    [
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32638"}},
        {"type": "EPSG", "properties": {"code": 32638}},
        {"type": "link", "properties": {"href": "http://spatialreference.org/ref/epsg/32638/proj4/"}},
        {"type": "link", "properties": {"href": "http://www.opengis.net/def/crs/EPSG/0/32638"}},
        "EPSG:32638",
    ],
)
def test_a_system_is_found_however_it_is_named(member, tmp_path):
    rows = [{"type": "Feature", "properties": {"id": "H-1"}, "geometry": shapely.geometry.mapping(AREAS[0])}]
    path = tmp_path / "hazards.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": member, "features": rows}), "utf-8")
    frame = gt.read(path)
    assert frame.crs.to_epsg() == 32638 and frame.geometry.iloc[0].equals(AREAS[0])


def test_a_system_of_no_meaning_is_given_by_the_caller(tmp_path):
    rows = [{"type": "Feature", "properties": {"id": "H-1"}, "geometry": shapely.geometry.mapping(AREAS[0])}]
    path = tmp_path / "hazards.geojson"
    member = {"type": "name", "properties": {"name": "our grid"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": member, "features": rows}), "utf-8")
    with pytest.raises(CRSError, match="our grid"):
        gt.read(path)
    assert gt.read(path, crs="EPSG:32638").crs.to_epsg() == 32638


def test_a_coordinate_that_is_no_number_warns_nobody_outside(tmp_path):
    with np.errstate(invalid="ignore"):
        bad = shapely.Polygon([(47.2, 39.6), (47.3, np.nan), (47.3, 39.7)])
    path = tmp_path / "hazards.gpkg"
    gpd.GeoDataFrame({"id": ["H-1"]}, geometry=[bad], crs="EPSG:4326").to_file(path, engine="pyogrio")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame, issues = gt.read_with_issues(path)
    assert frame.geometry.isna().all() and (issues["check"] == "RD-03").sum() == 1


@pytest.mark.parametrize(
    ("zone", "code"), [("38N", 32638), ("38 N", 32638), ("38S", 32638), ("38t", 32638), ("33L", 32733), ("36S", 32736)]
)
def test_easting_and_northing_with_the_zone_beside_them(zone, code, tmp_path):
    east, north = (500000, 8600000 if zone == "33L" else 8000000) if code > 32700 else (688000, 4385000)
    path = tmp_path / "accidents.csv"
    path.write_text(
        f"id,Zone,Easting,Northing\nA-1,{zone},{east},{north}\nA-2,{zone},,\nA-3,,{east},{north}\n", "utf-8"
    )
    frame, issues = gt.read_with_issues(path)
    lon, lat = pyproj.Transformer.from_crs(code, 4326, always_xy=True).transform(east, north)
    assert frame.geometry.iloc[0].distance(shapely.Point(lon, lat)) < 1e-9
    assert frame.geometry.isna().tolist() == [False, True, True] and len(frame) == 3
    assert issues.loc[issues["check"] == "RD-03", "severity"].tolist() == ["warning", "error"]


def test_a_zone_without_hemisphere_places_nothing(tmp_path):
    path = tmp_path / "accidents.csv"
    path.write_text("id,Zone,Easting,Northing\nA-1,38,688000,4385000\n", "utf-8")
    with pytest.raises(CRSError):
        gt.read(path)
    assert gt.read(path, crs="EPSG:32738").crs.to_epsg() == 32738
    path.write_text("id,Zone,Easting,Northing\nA-1,38N,8688000,4385000\n", "utf-8")
    assert gt.read(path, crs="EPSG:28408").crs.to_epsg() == 28408  # what the caller says of the system holds
