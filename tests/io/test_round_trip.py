"""read(write(x)) == x, for every format that is written and every sort of layer it can hold."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from geotools import io
from geotools.model.errors import WriteError

UTM = "EPSG:32638"
KINDS = ("hazards", "fixes", "tracks", "legs")
WRITTEN = [f for f in io.formats().itertuples() if f.write]
# What a format cannot hold, and must refuse rather than lose.
REFUSED = {("shapefile", "legs"), ("zip", "legs"), ("flatgeobuf", "legs"), ("gpx", "legs"), ("gpx", "hazards")}
# GPX has no place for the null geometry of a fix or hazard; multi-part lines are tracks with segments.
TOLERANCE_DEG = 1e-7


def same_cells(left: pd.Series, right: pd.Series) -> None:
    assert [None if pd.isna(v) else v for v in left] == [None if pd.isna(v) else v for v in right], left.name


def same_shapes(left: gpd.GeoSeries, right: gpd.GeoSeries, tolerance: float) -> None:
    for a, b in zip(left, right, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            one, other = (shapely.multipolygons([g]) if g.geom_type == "Polygon" else g for g in (a, b))
            one, other = (shapely.multilinestrings([g]) if g.geom_type == "LineString" else g for g in (one, other))
            assert one.normalize().equals_exact(other.normalize(), tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", WRITTEN, ids=lambda f: f.name)
def test_reading_gives_back_what_was_written(form, kind, make, holds, tmp_path):
    frame = make[kind]()
    path = tmp_path / f"{kind}{form.suffixes.split()[0]}"
    if (form.name, kind) in REFUSED:
        with pytest.raises(WriteError):
            io.write(frame, path)
        assert list(tmp_path.iterdir()) == []
        return
    assert io.write(frame, path) == path
    back, issues = io.read_with_issues(path, kind)
    holds(back, issues)
    assert set(frame.columns) <= set(back.columns)
    assert not set(back.columns) - set(frame.columns) - {"start", "end", "name"}
    for name in frame.columns.drop("geometry"):
        same_cells(frame[name], back[name])
        if pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
            assert back[name].dtype == frame[name].dtype
    if kind != "legs":
        assert back.crs == frame.crs
        same_shapes(frame.geometry, back.geometry, TOLERANCE_DEG)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("form", [f for f in WRITTEN if f.crs == "kept"], ids=lambda f: f.name)
def test_the_system_is_kept(form, make, tmp_path):
    frame = make["hazards"](UTM)
    path = io.write(frame, tmp_path / f"hazards{form.suffixes.split()[0]}")
    back = io.read(path, "hazards")
    assert back.crs == frame.crs
    same_shapes(frame.geometry, back.geometry, 1e-6)


@pytest.mark.parametrize("form", [f for f in WRITTEN if f.crs == "WGS 84" and f.name != "gpx"], ids=lambda f: f.name)
def test_exchange_formats_are_in_wgs84(form, make, tmp_path):
    path = io.write(make["hazards"](UTM), tmp_path / f"hazards{form.suffixes.split()[0]}")
    back = io.read(path, "hazards")
    assert back.crs.to_epsg() == 4326
    same_shapes(make["hazards"]().geometry, back.geometry, 2e-7)


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "parquet", "geojson", "kml", "csv", "gpx", "shp", "zip", "xlsx"])
def test_heights_are_kept(suffix, tmp_path):
    high = shapely.Point(47.1, 39.5, 123.5)
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[high, shapely.Point(47.2, 39.6, 0.25)], crs="EPSG:4326")
    back = io.read(io.write(frame, tmp_path / f"finds.{suffix}"), "finds")
    assert [g.z for g in back.geometry] == pytest.approx([123.5, 0.25])


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "parquet", "geojson", "shp"])
def test_gdal_reads_the_same(suffix, make, tmp_path):
    path = io.write(make["hazards"](), tmp_path / f"hazards.{suffix}")
    other = pyogrio.read_dataframe(path) if suffix != "parquet" else gpd.read_parquet(path)
    assert len(other) == 4
    same_shapes(make["hazards"]().geometry, other.geometry, TOLERANCE_DEG)


def test_a_foreign_geodatabase_is_read(make, holds, tmp_path):
    path = tmp_path / "survey.gdb"
    pyogrio.write_dataframe(
        make["tracks"]().drop(columns="asset_id"), path, driver="OpenFileGDB", layer="tracks", promote_to_multi=True
    )
    frame, issues = io.read_with_issues(path)
    assert holds(frame, issues)["kept"] == 2
    assert io.layers(path) == ["tracks"]
    assert frame["width_m"].tolist() == [1.7, 0.5]


def test_several_layers_in_one_geopackage(make, tmp_path):
    path = tmp_path / "survey.gpkg"
    io.write_layers({"hazards": make["hazards"](), "fixes": make["fixes"]()}, path)
    io.write(make["tracks"](), path, layer="tracks")
    assert io.layers(path) == ["hazards", "fixes", "tracks"]
    with pytest.raises(WriteError, match="layer 'tracks' already"):
        io.write(make["tracks"](), path, layer="tracks")
    io.write(make["tracks"]().iloc[:1], path, layer="tracks", overwrite=True)
    assert len(io.read(path, layer="tracks")) == 1
    assert len(io.read(path, "hazards")) == 4


@pytest.mark.parametrize("form", WRITTEN, ids=lambda f: f.name)
def test_an_empty_layer_is_read_with_a_warning(form, make, holds, tmp_path):
    path = io.write(make["hazards"]().iloc[:0], tmp_path / f"hazards{form.suffixes.split()[0]}")
    back, issues = io.read_with_issues(path, "hazards")
    assert holds(back, issues)["rows"] == 0
    assert issues.loc[issues["check"] == "RD-00", "severity"].tolist() == ["warning"]


def test_times_with_another_zone_keep_the_instant(make, tmp_path):
    frame = make["fixes"]()
    frame["time"] = frame["time"].dt.tz_convert("Asia/Baku")
    for suffix in ("gpkg", "geojson", "csv", "parquet", "fgb", "gpx"):
        back = io.read(
            io.write(frame, tmp_path / f"fixes.{suffix}"), "fixes", layer="waypoints" if suffix == "gpx" else None
        )
        assert (back["time"].dropna() == make["fixes"]()["time"].dropna()).all()
