"""What each format and the writer promise, one promise per test; answers come from other programs where there are any."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess

import geopandas as gpd
import gpxpy
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import geotools as gt
from geotools import io
from geotools.io import geojson, gpx, text
from geotools.io.raw import Source
from geotools.io.tables import guard, unguard
from geotools.model.errors import CRSError, ReadError, WriteError
from geotools.model.programme import Programme

# --- accounting ------------------------------------------------------------------------------------------------------

RING = st.lists(st.tuples(st.floats(46, 48), st.floats(39, 41)), min_size=1, max_size=7)
SHAPE = st.one_of(
    st.none(),
    RING.map(lambda p: {"type": "Polygon", "coordinates": [[list(c) for c in p]]}),
    RING.map(lambda p: {"type": "MultiPolygon", "coordinates": [[[list(c) for c in p]]]}),
    RING.map(lambda p: {"type": "LineString", "coordinates": [list(c) for c in p]}),
    st.just({"type": "Point", "coordinates": [0, 0]}),
    st.just({"type": "Point", "coordinates": []}),
    st.dictionaries(st.sampled_from(["type", "coordinates"]), st.one_of(st.text(max_size=4), st.integers(), st.none())),
)
FEATURE = st.one_of(
    st.none(),
    st.builds(
        lambda shape, key: {"type": "Feature", "properties": {"id": key, "classification": "CHA"}, "geometry": shape},
        SHAPE,
        st.sampled_from(["a", "b", "c", None, 1, 1.5]),
    ),
)


@given(st.lists(FEATURE, max_size=12), st.sampled_from([None, "hazards", "fixes", "tracks", "places"]))
def test_every_row_is_kept_repaired_or_rejected(tmp_path_factory, holds, features, kind):
    path = tmp_path_factory.mktemp("x") / "stuff.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    frame, issues = io.read_with_issues(path, kind)
    assert holds(frame, issues)["rows"] == len(features)


def test_repair_says_the_area_before_and_after(put):
    ring = [[47.0, 39.0], [47.01, 39.01], [47.01, 39.0], [47.0, 39.01], [47.0, 39.0]]
    feature = {"type": "Feature", "properties": {"id": "a"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path = put("hazards.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    frame, issues = io.read_with_issues(path)
    row = issues[issues["check"] == "RD-01"].iloc[0]
    assert float(row["limit"]) == pytest.approx(gt.measure.area(frame).iloc[0], abs=0.06)
    assert row["geometry"].distance(shapely.Point(47.005, 39.005)) < 1e-9
    assert row["id"] == "a"
    assert "area before" in row["message"]


def test_a_name_that_does_not_fit_rejects_nothing(put):
    feature = {"type": "Feature", "properties": {"id": "a"}, "geometry": {"type": "Point", "coordinates": [47, 39]}}
    path = put("land.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    frame, issues = io.read_with_issues(path)
    assert len(frame) == 1
    assert issues["message"].str.contains("no geometry in it fits").any()


def test_own_words_and_columns_of_a_programme(put):
    path = put("hazards.csv", "Nomre,Sinif,lon,lat\nX-1,Qırmızı,47,39\n")
    own = Programme(
        words={"classification": {"Qırmızı": "CHA"}}, columns={"hazards": {"Nomre": "id", "Sinif": "classification"}}
    )
    kept, issues = io.read_with_issues(path, "hazards", programme=own)
    assert kept["id"].tolist() == ["X-1"], "a recorded danger stays in the records, whatever its shape"
    assert kept.geometry.isna().all()
    found = issues[issues["check"] == "RD-03"].iloc[0]
    assert (found["severity"], found["id"]) == ("error", "X-1")
    assert found.geometry.equals(shapely.Point(47, 39)), "the issue shows where it is"


def test_a_rejected_row_is_named_by_its_id(put):
    shape = '{"type": "Polygon", "coordinates": [[[47, 39], [47.1, 39], [47.1, 39.1], [47, 39]]]}'
    path = put(
        "finds.geojson",
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": "F-9"}, "geometry": %s}]}'
        % shape,
    )
    frame, issues = io.read_with_issues(path, "finds")
    assert frame.empty
    assert "F-9" in issues[issues["check"] == "RD-02"]["message"].iloc[0]


def test_rows_whose_shape_could_not_be_read_are_never_called_copies(put):
    def feature(bad):
        return (
            '{"type": "Feature", "properties": {"id": "H1"}, "geometry": {"type": "Polygon", "coordinates": [[[47, 39], [47.1, "%s"], [47.1, 39.1], [47, 39]]]}}'
            % bad
        )

    path = put("hazards.geojson", '{"type": "FeatureCollection", "features": [%s, %s]}' % (feature("x"), feature("y")))
    frame, issues = io.read_with_issues(path)
    assert len(frame) == 2
    assert not (issues["check"] == "RD-02").any()
    assert (
        io.read(
            put("finds.csv", "Nomre,lon,lat\nX-1,47,39\n"), programme=Programme(columns={"finds": {"Nomre": "id"}})
        ).loc[0, "id"]
        == "X-1"
    )


def test_the_system_of_the_programme_is_the_last_resort(put):
    path = put("marks.csv", "id,x,y\na,700000,4380000\n")
    frame, issues = io.read_with_issues(path, programme=Programme(crs="EPSG:32638"))
    assert frame.crs.to_epsg() == 32638
    assert (issues["check"] == "RD-08").any()
    with pytest.raises(CRSError) as caught:
        io.read(path)
    assert "--crs" in caught.value.hint


def test_a_system_that_the_file_says_is_not_overruled_silently(make, tmp_path):
    path = io.write(make["hazards"]("EPSG:32638"), tmp_path / "hazards.gpkg")
    frame, issues = io.read_with_issues(path, crs="EPSG:32639")
    assert frame.crs.to_epsg() == 32638
    assert (issues["check"] == "RD-08").any()


# --- writing ---------------------------------------------------------------------------------------------------------


def test_geojson_is_rfc7946(make, tmp_path):
    clockwise = make["hazards"]("EPSG:32638")
    clockwise["geometry"] = [
        g if g is None else shapely.orient_polygons(g, exterior_cw=True) for g in clockwise.geometry
    ]
    data = json.loads(io.write(clockwise, tmp_path / "hazards.geojson").read_text("utf-8"))
    assert "crs" not in data
    assert [f["id"] for f in data["features"]] == ["H-1", "H-2", "H-3", "H-4"]
    assert all("id" not in f["properties"] for f in data["features"])
    assert data["features"][1]["geometry"] is None
    for feature in data["features"]:
        if feature["geometry"] is None:
            continue
        shape = shapely.geometry.shape(feature["geometry"])
        for part in shapely.get_parts(shape):
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)
        for number in shapely.get_coordinates(shape).ravel():
            assert round(number, 7) == number


@pytest.mark.parametrize("size", [1e-8, 3e-8, 1e-7])
def test_areas_smaller_than_the_rounding_are_not_lost(size, tmp_path):
    tiny = shapely.box(47.1, 39.5, 47.1 + size, 39.5 + size)
    holed = shapely.Polygon(
        shapely.box(47.2, 39.5, 47.3, 39.6).exterior, [shapely.box(47.25, 39.55, 47.25 + size, 39.55 + size).exterior]
    )
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[tiny, holed], crs="EPSG:4326")
    back, issues = io.read_with_issues(io.write(frame, tmp_path / "hazards.geojson"), "hazards")
    assert back.geometry.is_valid.all()
    assert back.geometry.iloc[0].area > 0
    assert len(back.geometry.iloc[1].interiors) == 1
    assert "RD-01" not in set(issues["check"])


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="needs GDAL's ogrinfo")
@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "fgb", "kml", "gpx"])
def test_gdal_opens_what_is_written(suffix, make, tmp_path):
    frame = make["tracks"]()
    path = io.write(frame, tmp_path / f"tracks.{suffix}")
    told = subprocess.run(["ogrinfo", "-ro", "-al", "-so", path], capture_output=True, text=True, check=True).stdout
    assert "Feature Count: 2" in told


def test_an_existing_file_is_not_replaced(make, tmp_path):
    path = tmp_path / "hazards.geojson"
    path.write_text("mine")
    with pytest.raises(WriteError, match="exists already") as caught:
        io.write(make["hazards"](), path)
    assert "overwrite" in caught.value.hint
    assert path.read_text() == "mine"
    io.write(make["hazards"](), path, overwrite=True)
    assert len(io.read(path)) == 4


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "csv", "kml", "zip", "parquet", "fgb", "xlsx"])
def test_a_failing_disk_leaves_the_old_file(suffix, make, tmp_path, monkeypatch):
    path = tmp_path / f"hazards.{suffix}"
    io.write(make["hazards"](), path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError):
        io.write(make["hazards"]().iloc[:1], path, overwrite=True)
    monkeypatch.undo()
    assert (tmp_path / path.name).read_bytes() == before[path.name]
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_two_writings_are_the_same_bytes(make, tmp_path):
    for suffix in ("geojson", "kml", "gpx", "csv", "zip", "kmz"):
        source = make["fixes"]() if suffix == "gpx" else make["hazards"]()
        one, two = (io.write(source, tmp_path / f"hazards_{n}" / f"hazards.{suffix}").read_bytes() for n in "ab")
        assert one == two


def test_coordinates_without_a_system_are_not_written(make, tmp_path):
    with pytest.raises(CRSError):
        io.write(make["hazards"]().set_crs(None, allow_override=True), tmp_path / "a.gpkg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"an_unknown_long_name": ["x"]}, "does not fit"),
        ({"note": ["x" * 300]}, "300 bytes"),
        ({"Team": ["x"], "team": ["y"]}, "would both be called"),
    ],
)
def test_a_shapefile_refuses_to_cut(columns, said, tmp_path):
    frame = gpd.GeoDataFrame({"id": ["a"], **columns}, geometry=[shapely.box(47, 39, 48, 40)], crs=4326)
    with pytest.raises(WriteError, match=said):
        io.write(frame, tmp_path / "hazards.shp")
    assert not list(tmp_path.iterdir())


def test_a_shapefile_of_every_kind_has_short_unique_names():
    from geotools.io.shapefile import short_names

    for schema in gt.schema.KINDS.values():
        short = short_names([*schema.names, *(f"{c.name}_as_entered" for c in schema if c.words)])
        assert len({s.lower() for s in short.values()}) == len(short)
        assert max(len(s) for s in short.values()) <= 10


def test_formulas_do_not_reach_a_spreadsheet(tmp_path):
    risky = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", "'=1", "-5", "+994501234567", "plain"]
    frame = gpd.GeoDataFrame(
        {"id": [str(i) for i in range(10)], "note": risky}, geometry=gpd.points_from_xy([47] * 10, [39] * 10), crs=4326
    )
    path = io.write(frame, tmp_path / "finds.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        cells = [row["note"] for row in csv.DictReader(stream)]
    assert not [c for c in cells if c[0] in "=@\t\r" or (c[0] in "+-" and not c[1:].isdigit())]
    back = io.read(path, "finds")["note"].tolist()
    assert back == [v.strip() for v in risky]
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.write(frame, tmp_path / "finds.xlsx"))
    assert {cell.data_type for row in book.active.iter_rows(min_row=2, max_col=2) for cell in row} == {"s"}


@given(st.text(max_size=12))
def test_guarding_is_undone(value):
    assert unguard(guard(value)) == value or not guard(value).startswith("'")


# --- GPX -------------------------------------------------------------------------------------------------------------

GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="urn:x">
<wpt lat="39.5" lon="47.5"><ele>12.5</ele><time>2024-05-01T14:00:00+04:00</time><name>TP01</name><sym>Flag &amp; pole</sym></wpt>
<wpt lat="39.6" lon="47.6"><name>TP02</name><extensions><x:acc>3.5</x:acc></extensions></wpt>
<rte><name>R</name><rtept lat="39.1" lon="47.1"><name>a</name></rtept><rtept lat="39.2" lon="47.2"/></rte>
<trk><name>one</name><trkseg>{plain}</trkseg><trkseg>
  <trkpt lat="39.3" lon="47.3"><ele>3</ele><time>2024-05-01T10:00:05Z</time><extensions><x:hr>90</x:hr></extensions></trkpt>
  <trkpt lon="47.4" lat="39.4"/>
</trkseg></trk>
<trk><name>two</name><trkseg>{plain}</trkseg></trk>
</gpx>"""
PLAIN = "".join(
    f'<trkpt lat="39.{i}" lon="47.{i}">\n<ele>{i}</ele><time>2024-05-01T10:00:0{i}Z</time><hdop>0.{i}</hdop></trkpt>'
    for i in range(1, 5)
)


def test_gpx_counts_and_values_equal_gpxpy(put):
    path = put("walk.gpx", GPX.format(plain=PLAIN))
    theirs = gpxpy.parse(path.read_text())
    ours = gpx.Document(Source(path)).counts
    points = [p for t in theirs.tracks for s in t.segments for p in s.points]
    assert ours == {
        "waypoints": len(theirs.waypoints), "routes": len(theirs.routes), "tracks": len(theirs.tracks),
        "route_points": sum(len(r.points) for r in theirs.routes), "fixes": len(points),
    }  # fmt: skip
    fixes = io.read(path, "fixes")
    assert fixes.geometry.x.tolist() == [p.longitude for p in points]
    assert fixes.geometry.y.tolist() == [p.latitude for p in points]
    assert [None if pd.isna(t) else t for t in fixes["time"]] == [p.time for p in points]
    assert fixes["elevation_m"].fillna(-1).tolist() == [-1 if p.elevation is None else p.elevation for p in points]
    assert fixes["run_id"].unique().tolist() == ["one/1", "one/2", "two/1"]
    assert fixes["hr"].dropna().tolist() == ["90"]


def test_gpx_read_quickly_and_slowly_is_the_same(put, monkeypatch):
    path = put("walk.gpx", GPX.format(plain=PLAIN))
    quick = io.read(path, "fixes")
    monkeypatch.setattr(gpx.document, "QUICK_MAX", 0)
    slow = io.read(path, "fixes")
    pd.testing.assert_frame_equal(pd.DataFrame(quick), pd.DataFrame(slow), check_like=True)


def test_gpx_waypoints_keep_instants_heights_and_extensions(put):
    frame = io.read(put("marks.gpx", GPX.format(plain="")), "marks", layer="waypoints")
    assert frame["id"].tolist() == ["TP01", "TP02"]
    assert frame.geometry.iloc[0].z == 12.5
    assert frame["time"].iloc[0] == pd.Timestamp("2024-05-01T10:00:00Z")
    assert frame["sym"].iloc[0] == "Flag & pole"
    assert frame["acc"].tolist() == [None, "3.5"]


def test_gpx_asks_which_layer(put):
    with pytest.raises(ReadError, match="3 layers: waypoints, routes, tracks"):
        io.read(put("walk.gpx", GPX.format(plain=PLAIN)))


# --- KML, shapefiles, GeoPackage -------------------------------------------------------------------------------------

KML = """<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>All</name>
<Folder><name>Team A</name><Folder><name>May</name><Placemark id="p1"><name>One</name><ExtendedData>
<Data name="classification"><value>CHA</value></Data><SchemaData><SimpleData name="team">T-1</SimpleData></SchemaData></ExtendedData>
<MultiGeometry><Polygon><outerBoundaryIs><LinearRing><coordinates>47,39,0 47.1,39,0 47.1,39.1,0 47,39,0</coordinates></LinearRing></outerBoundaryIs>
</Polygon></MultiGeometry></Placemark></Folder></Folder>
<Placemark><name>Walk</name><gx:Track><when>2024-05-01T10:00:00Z</when><when>2024-05-01T10:01:00Z</when><gx:coord>47 39 100</gx:coord><gx:coord>47.1 39 101</gx:coord></gx:Track></Placemark>
</Document></kml>"""


def test_kml_folders_data_and_tracks(put):
    frame = io.read(put("mixed.kml", KML))
    assert frame["folder"].tolist() == ["Team A / May", None]
    assert frame["team"].tolist() == ["T-1", None]
    assert frame["id"].iloc[0] == "p1"
    assert [g.geom_type for g in frame.geometry] == ["MultiPolygon", "LineString"]
    assert not frame.geometry.iloc[0].has_z
    assert frame["end"].iloc[1] == "2024-05-01T10:01:00Z"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1251", "Минное поле"), ("cp1254", "Şırnak ılıca"), ("utf-8", "Ağdam Əfətli"), ("cp866", "Минное поле")],
)
def test_shapefile_text_in_its_code_page(encoding, name, tmp_path):
    path = tmp_path / "hazards.shp"
    frame = gpd.GeoDataFrame({"id": ["a"], "name": [name]}, geometry=[shapely.box(47, 39, 48, 40)], crs=4326)
    pyogrio.write_dataframe(frame, path, encoding=encoding)
    assert io.read(path)["name"].iloc[0] == name
    path.with_suffix(".cpg").unlink()
    assert io.read(path, encoding=encoding)["name"].iloc[0] == name
    with pytest.raises(ReadError, match="no text encoding"):
        io.read(path, encoding="klingon")


def test_the_azerbaijani_letter_is_in_neither_page():
    for page in ("cp1251", "cp1254"):
        with pytest.raises(UnicodeEncodeError):
            "ə".encode(page)
    assert text.suspect(["Fəxri".encode()]) == "utf-8"


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="needs GDAL's ogr2ogr")
@pytest.mark.parametrize("suffix", ["gpkg", "gdb"])
def test_curves_are_straightened_and_measures_left_out(suffix, put, tmp_path):
    arc = "CURVEPOLYGON (COMPOUNDCURVE (CIRCULARSTRING (47.1 39.1, 47.15 39.15, 47.2 39.1),(47.2 39.1, 47.15 39.0, 47.1 39.1)))"
    source = put("in.csv", f'id,WKT\na,"{arc}"\nb,"POLYGON ((47 39,48 39,48 40,47 39))"\n')
    driver = {"gpkg": "GPKG", "gdb": "OpenFileGDB"}[suffix]
    path = tmp_path / f"curves.{suffix}"
    kind = "GEOMETRY" if suffix == "gpkg" else "MULTISURFACE"
    subprocess.run(
        ["ogr2ogr", "-f", driver, path, source, "-oo", "GEOM_POSSIBLE_NAMES=WKT", "-a_srs", "EPSG:4326", "-nlt", kind, "-nln", "hazards"],
        check=True, capture_output=True,
    )  # fmt: skip
    frame, issues = io.read_with_issues(path, "hazards")
    assert issues.loc[issues["check"] == "RD-06", "id"].tolist() == ["a"]
    half_disc, triangle = np.pi * 0.05**2 / 2, 0.1 * 0.1 / 2
    assert 0.99 < frame.geometry.iloc[0].area / (half_disc + triangle) <= 1.0


def test_a_layer_of_a_geopackage_is_chosen_by_its_kind(make, tmp_path):
    path = tmp_path / "all.gpkg"
    io.write_layers({"hazard_areas": make["hazards"](), "clearance": make["hazards"]()}, path)
    frame, issues = io.read_with_issues(path, "hazards")
    assert len(frame) == 4
    assert issues["message"].str.contains("the file also has clearance").any()
    with pytest.raises(ReadError, match="2 layers"):
        io.read(path)


# --- tables, forms, coordinates as typed -----------------------------------------------------------------------------


def test_positions_as_typed_are_kept(put):
    rows = [
        "1,38S PJ 83738 85550", "2,\"39°36'00\"\" N 47°08'24\"\" E\"", "3,38N 683738 4385550", "4,\"39 36.0 N, 47 08.4 E\"", "5,39.6 N 47.14 E",
    ]  # fmt: skip
    frame = io.read(put("finds.csv", "id,coordinates\n" + "\n".join(rows) + "\n"))
    assert frame["source_coords"].iloc[0] == "38S PJ 83738 85550"
    assert frame["source_crs"].iloc[2] == "EPSG:32638"
    away = shapely.distance(frame.geometry.array, shapely.Point(47.14, 39.6))
    assert away.max() < 2e-5
    assert frame["h_acc_m"].iloc[1] == pytest.approx(15.5, abs=0.5)


def test_three_small_numbers_are_no_position(put):
    frame = io.read(put("finds.csv", "id,depths\n1,10 20 30\n2,12 20 30\n"), "finds")
    assert frame.geometry.isna().all()
    assert frame["depths"].tolist() == ["10 20 30", "12 20 30"]


@pytest.mark.parametrize(("crs", "easting"), [("EPSG:28408", 8683738), ("EPSG:32638", 683738), ("EPSG:2498", 683738)])
def test_northing_first_is_read_where_only_that_fits(crs, easting, put):
    for first, second in ((easting, 4385550), (4385550, easting)):
        frame, issues = io.read_with_issues(put("marks.csv", f"id,X,Y\n1,{first},{second}\n"), "marks", crs=crs)
        assert frame.geometry.iloc[0].coords[0] == (easting, 4385550)
        assert (issues["check"] == "RD-08").any() == (first != easting)


def test_a_layer_far_from_its_system_is_said(put):
    _, issues = io.read_with_issues(put("marks.csv", "id,X,Y\n1,683738,4385550\n"), "marks", crs="EPSG:28408")
    row = issues[issues["check"] == "RD-08"].iloc[0]
    assert row["severity"] == "error"
    assert "datum --explain" in row["message"]


def test_positions_in_metres_need_a_system(put):
    path = put("finds.csv", "id,coordinates\n1,8683738 4385550\n")
    with pytest.raises(CRSError, match="metres without a reference system"):
        io.read(path)
    frame, issues = io.read_with_issues(path, crs="EPSG:28408")
    assert frame["transform_op"].iloc[0] == "EPSG:15865 (4.5 m)"
    assert frame["source_crs"].iloc[0] == "EPSG:28408"
    assert frame.crs.to_epsg() == 4326
    assert "RD-08" not in set(issues["check"])


def test_corners_make_areas_in_their_order(put, holds):
    lines = [
        "A,1,turning,47.1,39.1",
        "A,3,turning,47.2,39.2",
        "A,2,turning,47.2,39.1",
        "A,,benchmark,47,39",
        "B,TP2,,47.3,39.4",
        "B,TP1,,47.3,39.3",
        "B,TP3,,47.4,39.3",
    ]
    frame, issues = io.read_with_issues(
        put("hazards.csv", "hazard_id,point_no,point_type,lon,lat\n" + "\n".join(lines) + "\n")
    )
    holds(frame, issues)
    assert frame.geometry.iloc[0].equals(shapely.Polygon([(47.1, 39.1), (47.2, 39.1), (47.2, 39.2)]))
    assert frame.geometry.iloc[1].equals(shapely.Polygon([(47.3, 39.3), (47.3, 39.4), (47.4, 39.3)]))
    assert issues["message"].str.contains("benchmark in row 5").any()


def test_traverse_sheets_are_legs(put):
    frame, issues = io.read_with_issues(put("legs.csv", "from,to,azimuth,distance,north\nSP,TP1,92.0,118.4,magnetic\n"))
    assert frame[["from_point", "to_point", "bearing", "north"]].iloc[0].tolist() == ["SP", "TP1", "92.0", "magnetic"]
    assert "RD-03" not in set(issues["check"])


def test_form_submissions_are_latitude_first_with_accuracy(put):
    shape = "39.6 47.2 1 4;39.61 47.2 1 5;39.61 47.21 1 6;39.6 47.2 1 4"
    frame = io.read(put("hazards.csv", f"id,area\n1,{shape}\n"), "hazards")
    assert frame.geometry.iloc[0].exterior.coords[0][:2] == (47.2, 39.6)
    assert frame["h_acc_m"].iloc[0] == 6.0
    assert frame["vertex_h_acc_m"].iloc[0] == "4 5 6 4"
    submissions = {"results": [{"_uuid": "u1", "g": {"category": "ap"}, "where": "39.5 47.5 0 0"}]}
    found = io.read(put("finds.json", json.dumps(submissions)))
    assert found.geometry.iloc[0].wkt == "POINT (47.5 39.5)"
    assert found["guid"].iloc[0] == "u1"
    assert "h_acc_m" not in found  # a form writes 0 where it does not know


def test_imsma_core_links(put):
    path = put(
        "releases.csv",
        'imsma_id,imsma_links,wkt\nr_1,"hazard_poly_12,task_3",SRID=32638;POINT(700000 4380000)\nr_2,"hazard_1,hazard_2",\n',
    )
    frame, issues = io.read_with_issues(path, "releases")
    assert frame["id"].tolist() == ["r_2"]
    assert pd.isna(frame["hazard_id"].iloc[0])
    assert issues["message"].str.contains("linked to 2 features").any()


def test_maxml_polygons_by_point_number(put):
    corners = [(3, 39.2, 47.1), (1, 39.1, 47.1), (2, 39.1, 47.2)]
    points = "".join(
        f"<geoPoint><pointNo>{n}</pointNo><latitude>{a}</latitude><longitude>{o}</longitude></geoPoint>"
        for n, a, o in corners
    )
    body = f"<Hazard><localID>H-7</localID><status>Open</status><GeospatialInfo><shapeEnum>Polygon</shapeEnum>{points}</GeospatialInfo></Hazard>"
    path = put(
        "r.maxml",
        f"<MineActionFieldReport><FieldReport><FieldReportInfo><reportID>R1</reportID></FieldReportInfo>{body}</FieldReport></MineActionFieldReport>",
    )
    frame = io.read(path)
    assert frame[["id", "status", "reportID"]].iloc[0].tolist() == ["H-7", "open", "R1"]
    assert frame.geometry.iloc[0].equals(shapely.Polygon([(47.1, 39.1), (47.2, 39.1), (47.1, 39.2)]))


def sentence(body: str) -> str:
    check = 0
    for byte in body.encode():
        check ^= byte
    return f"${body}*{check:02X}\r\n"


def test_nmea_dates_qualities_and_midnight(put):
    gga = "GPGGA,{},3930.600,N,04706.000,E,{},08,0.9,45.4,M,46.9,M,,"
    lines = [
        gga.format("235958", 4),
        "GPRMC,235958,A,3930.600,N,04706.000,E,010.0,090.0,310525,003.1,W",
        gga.format("235959", 5),
        gga.format("000001", 0),
    ]
    frame = io.read(put("fixes.nmea", "".join(map(sentence, lines))))
    assert frame["time"].tolist() == [
        pd.Timestamp(t, tz="UTC") for t in ("2025-05-31 23:59:58", "2025-05-31 23:59:59", "2025-06-01 00:00:01")
    ]
    assert frame["fix_quality"].tolist() == ["rtk_fixed", "rtk_float", "none"]
    assert frame.geometry.iloc[0].coords[0] == pytest.approx((47.1, 39.51))


def test_a_published_nmea_sentence(put):
    """The GGA and RMC that most descriptions of NMEA 0183 print."""
    lines = "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\n$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\n"
    frame = io.read(put("fixes.nmea", lines))
    assert frame.geometry.iloc[0].coords[0] == pytest.approx((11 + 31 / 60, 48 + 7.038 / 60))
    assert frame["time"].iloc[0] == pd.Timestamp("1994-03-23T12:35:19Z")
    assert frame["speed_mps"].iloc[0] == pytest.approx(22.4 * 1852 / 3600)


# --- reading in parts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "nmea"])
def test_parts_are_the_whole(suffix, put, holds):
    if suffix == "csv":
        content = "id,lon,lat\n" + "".join(f"{i},{47 + i * 1e-5:.6f},39.5\n" for i in range(250))
    else:
        content = sentence("GPRMC,000000,A,3930.000,N,04706.000,E,0,0,010125,,")
        content += "".join(
            sentence(f"GPGGA,{i // 60:04d}{i % 60:02d},3930.{i:03d},N,04706.000,E,4,08,0.9,45.4,M,46.9,M,,")
            for i in range(250)
        )
    path = put(f"fixes.{suffix}", content)
    whole = io.read(path)
    parts = list(io.stream(path, rows=100))
    assert [len(frame) for frame, _ in parts] == [100, 100, 50]
    for frame, issues in parts:
        holds(frame, issues)
    joined = pd.concat([frame for frame, _ in parts], ignore_index=True)
    pd.testing.assert_frame_equal(pd.DataFrame(joined), pd.DataFrame(whole))


def test_other_formats_are_only_read_whole(make, tmp_path):
    with pytest.raises(ReadError, match="only read whole"):
        next(io.stream(io.write(make["hazards"](), tmp_path / "hazards.kml")))


def test_a_geopackage_in_parts_is_the_whole(make, tmp_path, holds):
    frame = pd.concat([make["hazards"]()] * 9, ignore_index=True)
    frame["id"] = [f"H-{n}" for n in range(len(frame))]
    frame.loc[[2, 7], "geometry"] = None
    path = io.write(frame, tmp_path / "hazards.gpkg")
    found = list(io.stream(path, rows=4))
    assert len(found) == -(-len(frame) // 4)
    for part, issues in found:
        holds(part, issues)
    joined = pd.concat([part for part, _ in found], ignore_index=True)
    whole = io.read(path)
    assert list(joined["id"]) == list(whole["id"])
    assert (joined.geometry.isna() == whole.geometry.isna()).all()
    assert joined.geometry.dropna().geom_equals(whole.geometry.dropna()).all()
    io.write(frame.iloc[:0], tmp_path / "none.gpkg", layer="hazards")
    assert [len(part) for part, _ in io.stream(tmp_path / "none.gpkg", "hazards", rows=4)] == [0]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "nmea"])
def test_memory_stays_flat(suffix, tmp_path):
    """Four times the file, the same memory: so it is for a gigabyte."""
    import tracemalloc

    def peak(count: int) -> int:
        path = tmp_path / f"fixes.{suffix}"
        with path.open("w") as stream:
            stream.write(
                "id,lon,lat,time\n"
                if suffix == "csv"
                else sentence("GPRMC,000000,A,3930.000,N,04706.000,E,0,0,010125,,")
            )
            for i in range(count):
                clock = f"{i // 3600 % 24:02d}{i // 60 % 60:02d}{i % 60:02d}"
                stream.write(
                    f"{i},47.1,39.5,2025-01-01T00:00:00Z\n"
                    if suffix == "csv"
                    else sentence(f"GPGGA,{clock},3930.000,N,04706.000,E,4,08,0.9,45.4,M,46.9,M,,")
                )
        tracemalloc.start()
        assert sum(len(frame) for frame, _ in io.stream(path, "fixes", rows=2000)) == count
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    small, large = peak(10_000), peak(40_000)
    assert large < 1.3 * small


# --- the rest --------------------------------------------------------------------------------------------------------


def test_the_table_of_formats():
    table = io.formats().set_index("name")
    assert len(table) >= 16
    assert table.loc["filegdb", ["read", "write"]].tolist() == [True, False]
    endings = [s for cell in table["suffixes"] for s in cell.split()]
    assert len(endings) == len(set(endings))


def test_a_plug_in_adds_a_format_but_replaces_none(monkeypatch, put):
    from importlib import metadata

    from geotools.io import registry

    class Entry:
        name = "upper"

        @staticmethod
        def load():
            return [
                registry.Format("upper", "Upper", (".upper",), "geotools.io.tables:read"),
                registry.Format("csv", "Other", (".csv",)),
            ]

    registry.table.cache_clear()
    monkeypatch.setattr(metadata, "entry_points", lambda group: [Entry] if group == "geotools.formats" else [])
    try:
        assert registry.table()["csv"].title == "CSV"
        assert len(io.read(put("finds.upper", "id,lon,lat\n1,47,39\n"), "finds")) == 1
    finally:
        registry.table.cache_clear()


def test_inputs_are_not_changed(make, tmp_path):
    frame = make["hazards"]()
    before = frame.copy(deep=True)
    for suffix in ("geojson", "gpkg", "shp", "csv", "kml", "parquet", "fgb"):
        io.write(frame, tmp_path / f"a.{suffix}")
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before))


def test_heights_survive_a_change_of_system(tmp_path):
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(700000, 4380000, 55.5)], crs="EPSG:32638")
    assert geojson.to_rfc7946(frame)[0].z == 55.5


def test_a_perimeter_walked_as_a_closed_track_is_a_hazard_but_never_a_release(put):
    ring = "[[47, 39], [47.1, 39], [47.1, 39.1], [47, 39.1], [47, 39]]"
    body = (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": "H-1"}, "geometry": {"type": "LineString", "coordinates": %s}}]}'
        % ring
    )
    frame, issues = io.read_with_issues(put("perimeter.geojson", body), "hazards")
    assert frame.geometry.iloc[0].equals(shapely.box(47, 39, 47.1, 39.1))
    assert issues[issues["check"] == "RD-01"]["message"].str.contains("closed line").all()
    assert "repaired=1" in issues[issues["check"] == "RD-00"]["value"].iloc[0]
    frame, issues = io.read_with_issues(put("walk.geojson", body), "releases")
    assert frame.empty
    assert (issues["check"] == "RD-02").any()
