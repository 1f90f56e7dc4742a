"""Frames of each kind for the io tests; everything in them is synthetic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

UTM = "EPSG:32638"


def hazards(crs: str = "EPSG:4326") -> gpd.GeoDataFrame:
    """Areas: with a hole, in two parts, without geometry; words, numbers, dates, yes/no and hostile text."""
    whole = shapely.box(47.10, 39.50, 47.12, 39.52)
    holed = shapely.Polygon(
        shapely.box(47.2, 39.5, 47.3, 39.6).exterior, [shapely.box(47.22, 39.52, 47.24, 39.54).exterior]
    )
    parts = shapely.MultiPolygon([shapely.box(46.0, 39.0, 46.01, 39.01), shapely.box(46.2, 39.0, 46.21, 39.01)])
    frame = gpd.GeoDataFrame(
        {
            "id": ["H-1", "H-2", "H-3", "H-4"],
            "name": ["Füzuli ərazisi", '=HYPERLINK("http://x")', "-5", 'comma, "quote"\nnew line <b>&'],
            "classification": ["CHA", "SHA", None, "SHA"],
            "contamination": ["ap,av", None, "uxo", "cmr"],
            "area_reported_m2": [1000.5, np.nan, 20.0, 3.25],
            "date_info": pd.to_datetime(["2024-01-05", None, "2023-02-03", "2024-02-02"]).astype("datetime64[ms]"),
            "safe_to_publish": pd.array([True, None, False, True], dtype="boolean"),
        },
        geometry=[whole, None, holed, parts],
        crs="EPSG:4326",
    )
    return frame if crs == "EPSG:4326" else frame.to_crs(crs)


def fixes(crs: str = "EPSG:4326") -> gpd.GeoDataFrame:
    """Points with instants in UTC and whole numbers with gaps."""
    stamps = pd.to_datetime(["2024-05-01T10:00:00.250Z", "2024-05-01T10:00:01Z", None], utc=True, format="ISO8601")
    frame = gpd.GeoDataFrame(
        {
            "id": ["1", "2", "3"],
            "asset_id": ["M-1", "M-1", "M-2"],
            "time": pd.Series(stamps).astype("datetime64[ms, UTC]"),
            "fix_quality": ["rtk_fixed", "autonomous", None],
            "satellites": pd.array([12, None, 9], dtype="Int64"),
            "is_on": pd.array([True, False, None], dtype="boolean"),
        },
        geometry=gpd.points_from_xy([47.1, 47.1000001, 47.2], [39.5, 39.5000001, 39.6]),
        crs="EPSG:4326",
    )
    return frame if crs == "EPSG:4326" else frame.to_crs(crs)


def tracks(crs: str = "EPSG:4326") -> gpd.GeoDataFrame:
    """Lines, one of them in two parts."""
    frame = gpd.GeoDataFrame(
        {"id": ["T-1", "T-2"], "asset_id": ["M-1", None], "width_m": [1.7, 0.5]},
        geometry=[
            shapely.LineString([(47.1, 39.5), (47.2, 39.5), (47.2, 39.6)]),
            shapely.MultiLineString([[(47.1, 39.6), (47.2, 39.61)], [(47.3, 39.6), (47.4, 39.61)]]),
        ],
        crs="EPSG:4326",
    )
    return frame if crs == "EPSG:4326" else frame.to_crs(crs)


def legs() -> gpd.GeoDataFrame:
    """A table without geometry."""
    data = {
        "id": ["L-1", "L-2"], "feature_id": ["P", "P"], "leg_no": pd.array([1, 2], dtype="Int64"), "from_point": ["SP", "TP1"],
        "to_point": ["TP1", "SP"], "bearing": ["92.0", "N 45 E"], "north": ["magnetic", "grid"], "distance_m": [118.4, 60.25],
    }  # fmt: skip
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries([None, None]))


FACTORIES = {"hazards": hazards, "fixes": fixes, "tracks": tracks, "legs": legs}


def counts(issues: gpd.GeoDataFrame) -> dict[str, int]:
    """The numbers of the count line."""
    lines = issues.loc[issues["check"] == "RD-00", "value"]
    assert len(lines) == 1
    match = re.fullmatch(r"rows=(\d+) kept=(\d+) repaired=(\d+) rejected=(\d+)", lines.iloc[0])
    assert match, lines.iloc[0]
    return dict(zip(("rows", "kept", "repaired", "rejected"), map(int, match.groups()), strict=True))


def account_holds(frame: gpd.GeoDataFrame, issues: gpd.GeoDataFrame) -> dict[str, int]:
    """The law of reading: nothing is lost, and everything that happened is said."""
    said = counts(issues)
    assert said["kept"] + said["repaired"] + said["rejected"] == said["rows"]
    assert len(frame) == said["kept"] + said["repaired"]
    assert (issues["check"] == "RD-02").sum() == said["rejected"]
    assert issues.loc[issues["check"] == "RD-01", "id"].nunique() == said["repaired"]
    assert frame["id"].is_unique
    assert frame["id"].notna().all()
    without = set(frame.loc[frame.geometry.isna(), "id"])
    told = set(issues.loc[(issues["check"] == "RD-03") & (issues["id"] != ""), "id"])
    layer_wide = ((issues["check"] == "RD-03") & (issues["id"] == "")).any()
    assert layer_wide or told == without or not len(told | without) or (issues["kind"] == "legs").all()
    assert frame.geometry.dropna().is_valid.all()
    assert not frame.geometry.dropna().is_empty.any()
    return said


@pytest.fixture(scope="session")
def make() -> dict[str, Any]:
    """Factory of a frame by record kind."""
    return FACTORIES


@pytest.fixture(scope="session")
def holds() -> Any:
    """The law of reading, applied to (frame, issues); gives the counts."""
    return account_holds


@pytest.fixture
def put(tmp_path: Path):
    """Write text or bytes to a file in the test's folder."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return write
