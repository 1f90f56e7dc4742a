"""A disk that is full at any byte: refused in a plain sentence with nothing left behind, or the file is whole."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools import io
from geotools.io import ogr, shapefile, verification
from geotools.io.rasters import read_raster, write_raster
from geotools.io.writing import plain
from geotools.model.errors import WriteError
from geotools.space.grid import Grid, Raster

resource = pytest.importorskip("resource", reason="limits of file size are those of POSIX systems")
INSIDE = re.compile(r"sqlite|sql|commit|gdal|ogr|pyogrio|cple|errno|\.geotools-|traceback", re.IGNORECASE)
ENDINGS = ("gpkg", "fgb", "shp", "shp.zip", "geojson", "geojsonl", "csv", "kml", "kmz", "parquet")


def many(rows: int) -> gpd.GeoDataFrame:
    x = 683_000.0 + 120.0 * (np.arange(rows) % 200)
    y = 4_385_000.0 + 120.0 * (np.arange(rows) // 200)
    names = [f"H-{i:06d}" for i in range(rows)]
    return gpd.GeoDataFrame(
        {"id": names, "status": "open"}, geometry=shapely.box(x, y, x + 100, y + 100), crs="EPSG:32638"
    )


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


def limits(size: int, steps: int) -> list[int]:
    return sorted(
        {0, 64, 1000, size - 4096, size - 1, *np.linspace(0.02 * size, size - 1, steps).astype(int)} & set(range(size))
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_refused_at_any_byte(ending, tmp_path):
    frame = many(300)
    path = tmp_path / f"hazards.{ending}"
    io.write(frame, path)
    size = max(p.stat().st_size for p in tmp_path.iterdir())
    for part in tmp_path.iterdir():
        part.unlink()
    for limit in limits(size, 12):
        try:
            with room(limit):
                io.write(frame, path)
        except WriteError as error:
            assert "writing failed" in error.message
            assert "disk" in error.hint
            assert not INSIDE.search(f"{error} {error.hint}"), (limit, error)
            assert error.file == str(path)
            assert list(tmp_path.iterdir()) == [], limit
        else:
            assert io.read(path, "hazards")["id"].tolist() == frame["id"].tolist(), limit
            for part in tmp_path.iterdir():
                part.unlink()


@pytest.mark.parametrize("ending", ["gpkg", "fgb", "shp", "geojson"])
def test_the_old_file_stays(ending, tmp_path):
    path = io.write(many(20), tmp_path / f"hazards.{ending}")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    size = sum(len(b) for b in before.values())
    for share in (0.3, 0.9):
        with pytest.raises(WriteError), room(int(size * share)):
            io.write(many(900), path, overwrite=True)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_further_layer_that_does_not_fit_leaves_the_first(tmp_path):
    path = tmp_path / "survey.gpkg"
    io.write(many(50), path, layer="hazards")
    before = path.read_bytes()
    with pytest.raises(WriteError), room(len(before) + 5000):
        io.write(many(900), path, layer="more")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["survey.gpkg"]


def test_a_raster_that_does_not_fit(tmp_path):
    values = np.random.default_rng(3).integers(0, 200, (600, 600)).astype("uint8")
    raster = Raster(values, Grid(700_000, 4_380_000, 0.5, values.shape, "EPSG:32638"), name="passes")
    path = write_raster(raster, tmp_path / "passes.tif")
    size = path.stat().st_size
    path.unlink()
    for limit in limits(size, 12):
        with pytest.raises(WriteError) as caught, room(limit):
            write_raster(raster, path)
        assert not INSIDE.search(str(caught.value)), limit
        assert list(tmp_path.iterdir()) == []
    assert (read_raster(write_raster(raster, path)).values == values).all()


def _last_byte_gone(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _row_gone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM gpkg_ogr_contents")
        for name in ("hazards_geom_delete", "hazards"):
            connection.execute(f'DROP TRIGGER IF EXISTS "rtree_{name}"')
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("DELETE FROM hazards WHERE fid = 7")


def _index_gone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE rtree_hazards_geom")


def _extent_gone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE gpkg_contents SET max_x = NULL")


def _middle_zeroed(path: Path) -> None:
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + bytes(4096) + data[half + 4096 :])


@pytest.mark.parametrize("damage", [_last_byte_gone, _row_gone, _index_gone, _extent_gone, _middle_zeroed])
def test_a_geopackage_that_is_not_whole_is_noticed(damage, tmp_path):
    frame = plain(many(300))
    ogr.write_gpkg(frame, tmp_path / "a.gpkg", "hazards")
    verification.geopackage(tmp_path / "a.gpkg", {"hazards": frame})
    damage(tmp_path / "a.gpkg")
    with pytest.raises(WriteError):
        verification.geopackage(tmp_path / "a.gpkg", {"hazards": frame})


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_flatgeobuf_that_is_cut_off_is_noticed(cut, tmp_path):
    frame = plain(many(300))
    path = tmp_path / "a.fgb"
    ogr.write_flatgeobuf(frame, path, "a")
    verification.flatgeobuf(path, {"a": frame})
    os.truncate(path, path.stat().st_size - cut)
    with pytest.raises(WriteError):
        verification.flatgeobuf(path, {"a": frame})


@pytest.mark.parametrize("suffix", [".shp", ".shx", ".dbf", ".prj", ".cpg"])
def test_a_shapefile_with_a_short_part_is_noticed(suffix, tmp_path):
    frame = many(30)
    path = tmp_path / "a.shp"
    shapefile.write(plain(frame), path, "a")
    verification.shapefile(path, frame)
    os.truncate(path.with_suffix(suffix), path.with_suffix(suffix).stat().st_size - 2)
    with pytest.raises(WriteError):
        verification.shapefile(path, frame)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["gpkg", "fgb"])
def test_reading_back_costs_little(ending, tmp_path):
    frame = plain(many(60_000))
    write, verify = (
        (ogr.write_gpkg, verification.geopackage)
        if ending == "gpkg"
        else (ogr.write_flatgeobuf, verification.flatgeobuf)
    )
    wrote, verified = [], []
    for turn in range(3):
        path = tmp_path / f"{turn}.{ending}"
        start = time.process_time()
        write(frame, path, "hazards")
        middle = time.process_time()
        verify(path, {"hazards": frame})
        wrote.append(middle - start)
        verified.append(time.process_time() - middle)
    assert min(verified) < 0.25 * min(wrote), (wrote, verified)
