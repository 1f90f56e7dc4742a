"""A release whose boundary crosses itself does not say which ground was meant: an error, to be confirmed by a person."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools import io

X, Y = 683_000.0, 4_385_000.0
BOW = [(0, 0), (100, 100), (100, 0), (0, 100)]  # signed area 0, repaired 5,000 m²
UNEVEN = [(0, 0), (0, 100), (60, 0), (60, 100)]
TOUCHING = [(0, 0), (100, 0), (100, 100), (50, 0), (0, 100)]  # touches its own side: nothing in doubt
LOOP = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 51), (-1, 49), (0, 49), (-1, 51), (0, 50)]  # 1 m² of 10,000


def issue(points, kind: str, tmp_path, **limits) -> dict:
    shape = shapely.Polygon([(X + x, Y + y) for x, y in points])
    assert not shape.is_valid
    frame = gpd.GeoDataFrame({"id": ["R-1"]}, geometry=[shape], crs="EPSG:32638")
    frame.to_parquet(tmp_path / f"{kind}.parquet")
    _, issues = io.read_with_issues(tmp_path / f"{kind}.parquet", kind, programme=gt.Programme(limits=limits))
    (found,) = issues[issues["check"] == "RD-01"].to_dict("records")
    assert found["id"] == "R-1"
    return found


@pytest.mark.parametrize("points", [BOW, UNEVEN], ids=["bow", "uneven"])
def test_a_crossing_release_is_an_error(points, tmp_path):
    found = issue(points, "releases", tmp_path)
    assert found["severity"] == "error"
    assert "which ground was meant is uncertain" in found["message"]
    assert "confirmed before it is signed" in found["message"]
    assert "area before" in found["message"]


@pytest.mark.parametrize("points", [TOUCHING, LOOP], ids=["touching", "loop"])
def test_a_release_that_keeps_its_area_is_a_warning(points, tmp_path):
    found = issue(points, "releases", tmp_path)
    assert found["severity"] == "warning"
    assert "uncertain" not in found["message"]


def test_the_limit_is_that_of_the_programme(tmp_path):
    assert issue(LOOP, "releases", tmp_path, repair_area_share=0.0)["severity"] == "error"
    assert issue(UNEVEN, "releases", tmp_path, repair_area_share=1e9)["severity"] == "warning"


@pytest.mark.parametrize("kind", ["hazards", "activities"])
def test_other_kinds_keep_their_warning(kind, tmp_path):
    assert issue(BOW, kind, tmp_path)["severity"] == "warning"
