"""Times of GDAL's formats are those that were written: no day moves because a zone was left behind."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

import geotools as gt

BOX = shapely.box(47, 39, 47.01, 39.01)
CASES = {
    "UTC": ("2024-06-01T00:00:00Z", "2024-06-02T10:00:00Z"),
    "another zone": ("2024-06-01T00:00:00+04:00", "2024-06-02T23:00:00+04:00"),
    "no zone": ("2024-06-01T00:00:00", "2024-06-02T10:00:00"),
    "mixed zones": ("2024-06-01T00:00:00+04:00", "2024-06-02T23:00:00Z"),
    "some without": ("2024-06-01T00:00:00", "2024-06-02T00:30:00+04:00"),
}


def geopackage(path: Path, times: tuple[str, str]) -> Path:
    """Two releases whose times stand in the file as these words."""
    moments = pd.to_datetime(["2000-01-01T00:00:00Z"] * 2)
    frame = gpd.GeoDataFrame(
        {"id": ["R-1", "R-2"], "product": "cleared", "date": moments}, geometry=[BOX, BOX], crs="EPSG:4326"
    )
    pyogrio.write_dataframe(frame, path, layer="releases", driver="GPKG")
    with sqlite3.connect(path) as file:
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{trigger}"')
        file.executemany("UPDATE releases SET date = ? WHERE id = ?", zip(times, frame["id"], strict=True))
    file.close()
    return path


@pytest.mark.parametrize("times", CASES.values(), ids=CASES)
def test_the_day_of_a_release_is_the_day_written(tmp_path: Path, times: tuple[str, str]) -> None:
    found = gt.read(geopackage(tmp_path / "work.gpkg", times), "releases")
    assert [day.date() for day in found["date"]] == [date(2024, 6, 1), date(2024, 6, 2)]


def test_ground_is_not_released_a_day_early(tmp_path: Path) -> None:
    releases = gt.read(geopackage(tmp_path / "work.gpkg", CASES["another zone"]), "releases")
    hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[BOX], crs="EPSG:4326")
    assert gt.coverage(hazards, releases, as_of="2024-05-31").totals["released_m2"] == 0
    assert gt.coverage(hazards, releases, as_of="2024-06-01").totals["released_m2"] > 0


def test_flatgeobuf_keeps_the_zone_too(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"id": ["R-1"], "date": pd.to_datetime([CASES["another zone"][0]])}, geometry=[BOX], crs="EPSG:4326"
    )
    pyogrio.write_dataframe(frame, tmp_path / "releases.fgb", driver="FlatGeobuf")
    assert gt.read(tmp_path / "releases.fgb", "releases")["date"].dt.date.tolist() == [date(2024, 6, 1)]
