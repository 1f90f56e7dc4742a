"""Columns that are called as a format calls its own: all of them are there after writing and reading."""

from __future__ import annotations

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geotools import io
from geotools.model.errors import WriteError

NAMES = ("geom", "GEOM", "Geom", "fid", "FID", "ogc_fid", "OGC_FID", "gpkg_geom", "gpkg_fid", "Geometry", "rowid")
ENDINGS = ("gpkg", "fgb", "shp", "geojson", "parquet", "kml", "csv")


def frame_with(*names: str, values: tuple[object, object] = ("u", "v")) -> gpd.GeoDataFrame:
    columns = {"id": ["a", "b"], **{name: list(values) for name in names}}
    return gpd.GeoDataFrame(
        columns | {"place": [shapely.Point(47, 39), shapely.Point(47, 40)]}, geometry="place", crs="EPSG:4326"
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_columns_come_back(ending, name, tmp_path):
    frame = frame_with(name)
    path = io.write(frame, tmp_path / f"things.{ending}")
    back = io.read(path)
    assert set(back.columns) == {"id", name, "geometry"}
    assert back[name].tolist() == ["u", "v"]
    assert back["id"].tolist() == ["a", "b"]
    assert back.geometry.tolist() == frame.geometry.tolist()


@pytest.mark.parametrize("name", ["fid", "FID", "ogc_fid", "OGC_FID"])
@pytest.mark.parametrize("ending", ["gpkg", "fgb", "shp", "parquet"])
def test_numbers_are_not_taken_for_row_numbers(ending, name, tmp_path):
    back = io.read(io.write(frame_with(name, values=(9, 7)), tmp_path / f"things.{ending}"))
    assert back[name].tolist() == [9, 7]


def test_all_of_them_at_once(tmp_path):
    names = ("geom", "fid", "gpkg_geom", "gpkg_fid", "ogc_fid", "gpkg_geom_2", "wkb_geometry")
    path = io.write(frame_with(*names), tmp_path / "things.gpkg")
    assert set(io.read(path).columns) == {"id", *names, "geometry"}
    assert set(pyogrio.read_info(path)["fields"]) == {"id", *names}  # another reader sees the same


@pytest.mark.parametrize("ending", ["gpkg", "fgb", "geojson", "parquet", "csv"])
def test_an_attribute_called_geometry_is_kept_beside_the_shapes(ending, tmp_path):
    back = io.read(io.write(frame_with("geometry"), tmp_path / f"things.{ending}"))
    assert back["geometry_property"].tolist() == ["u", "v"]
    assert back.geometry.notna().all()


def test_a_foreign_file_with_an_attribute_called_geometry(tmp_path):
    pyogrio.write_dataframe(
        frame_with("geometry"),
        tmp_path / "things.gpkg",
        geometry_type="Point",
        layer_options={"GEOMETRY_NAME": "place"},
        use_arrow=False,
    )
    back = io.read(tmp_path / "things.gpkg")
    assert back["geometry_property"].tolist() == ["u", "v"]
    assert back.geometry.notna().all()


@pytest.mark.parametrize("ending", ["gpkg", "fgb"])
def test_names_that_differ_in_capitals_only_are_refused_in_plain_words(ending, tmp_path):
    with pytest.raises(WriteError, match="'Status' and 'status' differ in capitals") as caught:
        io.write(frame_with("Status", "status"), tmp_path / f"things.{ending}")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


CASES = [
    (ending, name)
    for ending in (*ENDINGS, "geojsonl", "xlsx")
    for name in ("code", "imsma_id", "local id", "ID")
    if name != "ID" or ending not in ("gpkg", "fgb", "shp")  # which refuse names that differ in capitals only
]


@pytest.mark.parametrize("kind", ["hazards", "finds"])
@pytest.mark.parametrize(("ending", "name"), CASES)
def test_another_column_that_could_be_the_key_does_not_become_it(ending, name, kind, tmp_path):
    """What the frame calls id is the id again, whatever other keys a programme keeps beside it."""
    shapes = [shapely.box(47, 39, 48, 40), shapely.box(48, 39, 49, 40)]
    if kind == "finds":
        shapes = [shape.centroid for shape in shapes]
    frame = gpd.GeoDataFrame({"id": ["a", "b"], name: ["u", "v"]}, geometry=shapes, crs="EPSG:4326")
    back = io.read(io.write(frame, tmp_path / f"{kind}.{ending}"))
    assert back["id"].tolist() == ["a", "b"] and back[name].tolist() == ["u", "v"]
    assert "feature_id" not in back
