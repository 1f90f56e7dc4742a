"""Esri JSON and TopoJSON against GDAL's readers of them, and what GDAL does not tell: codes, days, cut exports, curves."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import mapping

import geotools as gt
from geotools.io import epochs, reading
from geotools.io.geojson import esri
from geotools.model.errors import CRSError, ReadError

AREAS = [
    shapely.box(47.20, 39.60, 47.21, 39.61),
    shapely.Polygon(shapely.box(47.3, 39.6, 47.4, 39.7).exterior, [shapely.box(47.32, 39.62, 47.36, 39.66).exterior]),
    shapely.MultiPolygon(
        [
            shapely.Polygon(
                shapely.box(47.5, 39.6, 47.6, 39.7).exterior, [shapely.box(47.52, 39.62, 47.58, 39.68).exterior]
            ),
            shapely.box(47.54, 39.64, 47.56, 39.66),
        ]
    ),
]
FIELDS = [
    {"name": "imsma_id", "type": "esriFieldTypeString"},
    {"name": "survey_date", "type": "esriFieldTypeDate"},
    {
        "name": "hazard_type", "type": "esriFieldTypeString",
        "domain": {"type": "codedValue", "codedValues": [{"code": "1", "name": "CHA"}, {"code": "2", "name": "SHA"}]},
    },
]  # fmt: skip


def rings(area, turn=1):
    """Rings of an area, outer ones clockwise (`turn` 1) or the wrong way round (-1)."""
    out = []
    for part in getattr(area, "geoms", [area]):
        for number, ring in enumerate([part.exterior, *part.interiors]):
            wanted = (number == 0) == (turn == 1)  # clockwise
            points = list(ring.coords)
            out.append([list(p) for p in (points[::-1] if shapely.is_ccw(ring) == wanted else points)])
    return out


def feature_set(reference, crs="EPSG:4326", turn=1, **more):
    shapes = gpd.GeoSeries(AREAS, crs="EPSG:4326").to_crs(crs)
    rows = [
        {
            "attributes": {"OBJECTID": n, "imsma_id": f"H-{n}", "hazard_type": "12"[n % 2], "survey_date": 1_677_628_800_000},
            "geometry": {"rings": rings(area, turn)},
        }
        for n, area in enumerate(shapes)
    ]  # fmt: skip
    return {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": reference,
        "fields": FIELDS,
        "features": rows,
        **more,
    }


def saved(folder: Path, data, name="hazards.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.mark.parametrize(
    ("reference", "crs"),
    [
        ({"wkid": 4326, "latestWkid": 4326}, "EPSG:4326"),
        ({"wkid": 102100}, "EPSG:3857"),
        ({"wkid": 102100, "latestWkid": 3857}, "EPSG:3857"),
        ({"wkid": 32638}, "EPSG:32638"),
        ({"wkid": 28408}, "EPSG:28408"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # GDAL's, of old codes
def test_ground_is_where_gdal_reads_it(reference, crs, tmp_path):
    path = saved(tmp_path, feature_set(reference, crs))
    frame, issues = gt.read_with_issues(path)
    theirs = pyogrio.raw.read(path)[2]
    assert frame.crs.to_epsg() == int(crs[5:])
    assert issues["value"].iloc[0] == "rows=3 kept=3 repaired=0 rejected=0"
    assert all(a.equals(b) for a, b in zip(frame.geometry, shapely.from_wkb(theirs), strict=True))
    assert [a.geom_type for a in frame.geometry] == ["Polygon", "Polygon", "MultiPolygon"]
    assert frame["id"].tolist() == ["H-0", "H-1", "H-2"]


def test_codes_become_the_words_of_the_file_and_milliseconds_days(tmp_path):
    frame, issues = gt.read_with_issues(saved(tmp_path, feature_set({"wkid": 4326})))
    assert frame["classification"].tolist() == ["CHA", "SHA", "CHA"]
    assert frame["date_info"].dt.date.astype(str).tolist() == ["2023-03-01"] * 3
    assert issues["message"].str.contains("codes of hazard_type were replaced").any()


@pytest.mark.parametrize("all_one_way", [False, True])
def test_rings_that_run_the_wrong_way_are_holes_where_they_lie_in_others(all_one_way, tmp_path):
    data = feature_set({"wkid": 4326}, turn=-1)
    for feature in data["features"] if all_one_way else []:
        given = feature["geometry"]["rings"]
        feature["geometry"]["rings"] = [r if shapely.is_ccw(shapely.LinearRing(r)) else r[::-1] for r in given]
    frame, issues = gt.read_with_issues(saved(tmp_path, data))
    assert all(a.equals(b) for a, b in zip(frame.geometry, AREAS, strict=True))
    assert issues["message"].str.contains("wrong way round").sum() == 3


def test_an_export_that_the_server_cut_off_is_an_error(tmp_path):
    _, issues = gt.read_with_issues(saved(tmp_path, feature_set({"wkid": 4326}, exceededTransferLimit=True)))
    assert issues[issues["severity"] == "error"]["message"].str.contains("cut this export off").sum() == 1
    for more in ({"exceededTransferLimit": True}, {"properties": {"exceededTransferLimit": True}}):
        data = {"type": "FeatureCollection", "features": [], **more}
        _, issues = gt.read_with_issues(saved(tmp_path, data, "other.geojson"))
        assert issues["message"].str.contains("cut this export off").any()


def test_the_error_of_a_server_is_no_layer(tmp_path):
    with pytest.raises(ReadError, match="Token Required"):
        gt.read(saved(tmp_path, {"error": {"code": 499, "message": "Token Required"}}))


def test_nothing_is_placed_without_a_system(tmp_path):
    data = feature_set({"wkid": 4326})
    del data["spatialReference"]
    with pytest.raises(CRSError, match="no reference system"):
        gt.read(saved(tmp_path, data))
    assert gt.read(saved(tmp_path, data), crs="EPSG:4326").geometry.iloc[0].equals(AREAS[0])
    for feature, code in zip(data["features"], (4326, 4326, 32638), strict=True):
        feature["geometry"]["spatialReference"] = {"wkid": code}
    with pytest.raises(CRSError, match="different systems"):
        gt.read(saved(tmp_path, data))


def test_points_heights_and_missing_places(tmp_path):
    data = {
        "geometryType": "esriGeometryPoint", "spatialReference": {"wkid": 4326}, "hasZ": True,
        "features": [
            {"attributes": {"accident_id": "A-1"}, "geometry": {"x": 47.2, "y": 39.6, "z": 120.5}},
            {"attributes": {"accident_id": "A-2"}, "geometry": {"x": "NaN", "y": 39.6}},
            {"attributes": {"accident_id": "A-3"}, "geometry": {"x": None}},
            {"attributes": {"accident_id": "A-4"}},
            {"attributes": {"accident_id": "A-5"}, "geometry": {"x": 47.2, "y": "north"}},
            None,
        ],
    }  # fmt: skip
    frame, issues = gt.read_with_issues(saved(tmp_path, data, "accidents.json"))
    assert issues["value"].iloc[0] == "rows=6 kept=5 repaired=0 rejected=1"
    assert frame.geometry.iloc[0].z == 120.5
    assert frame.geometry.isna().tolist() == [False, True, True, True, True]
    assert (issues["check"] == "RD-03").sum() == 4


def test_measures_are_never_taken_for_heights(tmp_path):
    ring = [[47.2, 39.6, 7], [47.2, 39.7, 8], [47.3, 39.7, 9], [47.2, 39.6, 7]]
    feature = {"attributes": {"id": "H-1"}, "geometry": {"rings": [ring]}}
    data = {"spatialReference": {"wkid": 4326}, "hasM": True, "features": [feature]}
    assert not gt.read(saved(tmp_path, data)).geometry.iloc[0].has_z
    assert gt.read(saved(tmp_path, {**data, "hasM": False, "hasZ": True})).geometry.iloc[0].has_z


@pytest.mark.parametrize(
    ("ring", "area"),
    [
        ([[0, 0], {"c": [[0, 20], [-10, 10]]}, {"c": [[0, 0], [10, 10]]}], math.pi * 100),
        ([[0, 0], {"a": [[0, 0], [10, 0], 0, 1, 0, 10, 1]}], math.pi * 100),
        ([[0, 0], {"a": [[20, 0], [10, 0], 0, 1]}, [0, 0]], math.pi * 50),
        ([[0, 0], [0, 10], {"b": [[10, 0], [0, 10], [10, 0]]}, [0, 0]], 50),
    ],
)
def test_curves_are_drawn_closely_and_said(ring, area):
    remarks: dict[str, None] = {}
    made = esri.shape({"curveRings": [ring]}, remarks)
    assert made.is_valid and made.area == pytest.approx(area, rel=1e-3)
    assert list(remarks) == ["its curves were drawn with straight edges"]


def test_a_curve_that_is_not_read_is_no_straight_line():
    with pytest.raises(ValueError, match="elliptic"):
        esri.shape({"curveRings": [[[0, 0], {"a": [[0, 0], [10, 0], 0, 1, 0, 10, 0.5]}]]}, {})


@pytest.mark.parametrize("lon", [-75.0, -17.0, 0.0, 18.0, 36.0, 47.2, 69.0, 105.0])
@pytest.mark.parametrize("summer", [0, 1])
def test_a_day_typed_at_its_place_is_that_day(lon, summer):
    """Midnight of the civil time, noon as survey forms keep a day, and midnight of UTC: all are the day that was typed."""
    offset = round(lon / 15) + summer
    noon = pd.Timestamp("2023-03-01T12:00:00Z")
    for stamp in (noon - pd.Timedelta(hours=12 + offset), noon - pd.Timedelta(hours=offset), noon.floor("D")):
        value = int(stamp.timestamp() * 1000)
        assert str(epochs.days([value], lon)[0]) == "2023-03-01"


@pytest.mark.parametrize("ending", ["geojson", "csv"])
def test_milliseconds_in_files_without_types_are_days_too(ending, tmp_path):
    values = [1_677_614_400_000, None]  # 1 March 2023, midnight at UTC+4
    if ending == "geojson":
        rows = [
            {"type": "Feature", "properties": {"id": f"A-{n}", "date": v}, "geometry": {"type": "Point", "coordinates": [47.2, 39.6]}}
            for n, v in enumerate(values)
        ]  # fmt: skip
        path = saved(tmp_path, {"type": "FeatureCollection", "features": rows}, "accidents.geojson")
    else:
        path = tmp_path / "accidents.csv"
        path.write_text(f"id,date,lon,lat\nA-0,{values[0]},47.2,39.6\nA-1,,47.2,39.6\n", "utf-8")
    frame, issues = gt.read_with_issues(path)
    assert frame["date"].iloc[0] == pd.Timestamp("2023-03-01") and pd.isna(frame["date"].iloc[1])
    assert issues["message"].str.contains("milliseconds since 1970").sum() == 1


@pytest.mark.parametrize("text", ["20230105", "202301051230", "44986", "20230105123000", "x1677614400000"])
def test_other_numbers_are_not_taken_for_milliseconds(text):
    assert epochs.whole([text]) is None


def topology(quantised: bool):
    """A topology of the areas, each ring cut in two arcs of which the second is stored backwards."""
    arcs, geometries = [], []

    def arc(points):
        if not quantised:
            arcs.append([list(p) for p in points])
        else:
            whole = [[round((x - 47) / 1e-6), round((y - 39) / 1e-6)] for x, y in points]
            arcs.append([whole[0], *([b[0] - a[0], b[1] - a[1]] for a, b in itertools.pairwise(whole))])
        return len(arcs) - 1

    for number, area in enumerate(AREAS):
        parts = [
            [[arc(list(r.coords)[:3]), ~arc(list(r.coords)[2:][::-1])] for r in (p.exterior, *p.interiors)]
            for p in getattr(area, "geoms", [area])
        ]
        kind, made = ("Polygon", parts[0]) if len(parts) == 1 else ("MultiPolygon", parts)
        geometries.append({"type": kind, "arcs": made, "properties": {"imsma_id": f"H-{number}", "hazard_type": "CHA"}})
    data = {
        "type": "Topology",
        "objects": {"areas": {"type": "GeometryCollection", "geometries": geometries}},
        "arcs": arcs,
    }
    return {**data, "transform": {"scale": [1e-6, 1e-6], "translate": [47, 39]}} if quantised else data


@pytest.mark.parametrize("quantised", [False, True])
def test_a_topology_is_where_gdal_reads_it(quantised, tmp_path):
    path = saved(tmp_path, topology(quantised), "hazards.topojson")
    frame, issues = gt.read_with_issues(path)
    theirs = pyogrio.read_dataframe(path)
    assert issues["value"].iloc[0] == "rows=3 kept=3 repaired=0 rejected=0"
    for ours, other, truth in zip(frame.geometry, theirs.geometry, AREAS, strict=True):
        assert ours.symmetric_difference(other).area < 1e-15
        assert np.allclose(ours.bounds, truth.bounds, atol=1e-9) and ours.area == pytest.approx(truth.area)
    assert frame["id"].tolist() == ["H-0", "H-1", "H-2"]
    assert reading.layers(path) == ["areas"] and len(gt.read(path, layer="areas")) == 3


def test_each_object_of_a_topology_is_a_layer(tmp_path):
    data = topology(False)
    data["objects"] = {"hazards": data["objects"]["areas"], "sites": {"type": "Point", "coordinates": [47.2, 39.6]}}
    path = saved(tmp_path, data, "country.topojson")
    assert reading.layers(path) == ["hazards", "sites"]
    assert len(gt.open_survey(path).hazards) == 3
    assert gt.read(path, layer="sites").geometry.iloc[0].equals(shapely.Point(47.2, 39.6))


def test_arcs_that_are_not_there_lose_no_row(tmp_path):
    data = topology(False)
    data["objects"]["areas"]["geometries"][0]["arcs"] = [[900]]
    frame, issues = gt.read_with_issues(saved(tmp_path, data, "hazards.topojson"))
    assert len(frame) == 3 and frame.geometry.isna().tolist() == [True, False, False]
    assert issues["message"].str.contains("its arcs are not all there").any()


def test_whole_numbers_of_any_size_are_kept(tmp_path):
    ids = [9_007_199_254_740_993, 12_345_678_901_234_567_890, 7]
    rows = [{"type": "Feature", "properties": {"hazard_id": i}, "geometry": mapping(AREAS[0])} for i in ids]
    frame = gt.read(saved(tmp_path, {"type": "FeatureCollection", "features": rows}))
    assert frame["id"].tolist() == [str(i) for i in ids]
