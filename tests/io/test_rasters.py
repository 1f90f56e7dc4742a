"""Rasters on disk: what is written is read, by GDAL's own tools as well."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from geotools.io.rasters import class_names, read_raster, write_raster
from geotools.model.errors import ReadError, WriteError
from geotools.space.grid import Grid, Raster

GRID = Grid(700000, 4380000, 0.5, (300, 400), "EPSG:32638")


@pytest.mark.parametrize("kind", ["uint8", "int16", "float32", "bool", "float64"])
def test_what_is_written_is_read(tmp_path, kind):
    values = (np.random.default_rng(0).random(GRID.shape) * 200).astype(kind)
    back = read_raster(write_raster(Raster(values, GRID, name="x"), tmp_path / "a.tif"))
    np.testing.assert_array_equal(back.values, values.astype(back.values.dtype))
    assert (back.grid.bounds, back.grid.cell, back.grid.crs, back.name) == (GRID.bounds, GRID.cell, GRID.crs, "x")


def test_it_is_a_cloud_optimised_geotiff(tmp_path):
    big = Grid(700000, 4380000, 0.5, (1200, 1100), "EPSG:32638")
    path = write_raster(Raster(np.zeros(big.shape, dtype="uint8"), big, nodata=255), tmp_path / "a.tif")
    with rasterio.open(path) as source:
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.overviews(1)
        assert source.nodata == 255


def test_a_window_is_the_same_cells(tmp_path):
    values = np.arange(300 * 400, dtype="int32").reshape(GRID.shape)
    path = write_raster(Raster(values, GRID), tmp_path / "a.tif")
    part = read_raster(path, bounds=(700010, 4379900, 700020, 4379950))
    np.testing.assert_array_equal(part.values, values[100:200, 20:40])
    assert part.grid.bounds == (700010, 4379900, 700020, 4379950)


def test_an_existing_file_stays_unless_asked(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")
    with pytest.raises(WriteError):
        write_raster(Raster(np.zeros(GRID.shape, dtype="uint8"), GRID), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(ReadError):
        read_raster(tmp_path / "none.tif")
    (tmp_path / "text.tif").write_text("no raster", "utf-8")
    with pytest.raises(ReadError):
        read_raster(tmp_path / "text.tif")
    path = write_raster(Raster(np.zeros(GRID.shape, dtype="uint8"), GRID), tmp_path / "a.tif")
    with pytest.raises(ReadError):
        read_raster(path, bounds=(0, 0, 1, 1))


@pytest.mark.parametrize(
    ("numbers", "tags", "expected"),
    [
        ([10, 40, 80], {}, {10: "trees", 40: "crop", 80: "water"}),
        ([0, 30], {}, {30: "grass"}),
        ([1, 2, 3], {}, {}),
        ([1, 2, 3], {"CLASSES": "1=Water, 2 = built-up; 3: zzz"}, {1: "water", 2: "built", 3: "other"}),
        ([4, 5], {"4": "Cropland", "5": "Ağac örtüyü"}, {4: "crop", 5: "trees"}),
        ([10, 40, 77], {}, {}),
    ],
)
def test_classes_come_from_the_file_or_from_numbers_all_of_which_are_known(tmp_path, numbers, tags, expected):
    path = tmp_path / "cover.tif"
    values = np.resize(np.array(numbers, dtype="uint8"), (8, 9))
    with rasterio.open(
        path, "w", driver="GTiff", width=9, height=8, count=1, dtype="uint8", crs="EPSG:32638", transform=GRID.transform
    ) as target:
        target.write(values, 1)
        target.update_tags(**tags)
    assert class_names(path) == expected


def test_heights_have_no_classes(tmp_path):
    path = write_raster(
        Raster(np.full((4, 4), 40, dtype="float32"), GRID.__class__(0, 4, 1, (4, 4), "EPSG:32638")), tmp_path / "d.tif"
    )
    assert class_names(path) == {}
    with pytest.raises(ReadError):
        class_names(tmp_path / "none.tif")
