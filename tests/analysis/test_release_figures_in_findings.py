"""Square metres in the findings of the ledger follow the one rule of figures: claims are cut, what remains is raised."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools.model.figures import square_metres

X, Y = 560_000, 4_380_000


def box(west: float, east: float) -> shapely.Polygon:
    return shapely.box(X + west, Y, X + east, Y + 100.37)


@pytest.mark.parametrize(("code", "toward"), [("RL-12", "down"), ("RL-21", "down"), ("RL-22", "up"), ("RL-13", "up")])
def test_figures_in_findings_are_never_nearest(code: str, toward: str) -> None:
    hazards = gpd.GeoDataFrame(
        {"id": ["H-1", "H-2"], "classification": "CHA", "status": ["closed", "open"], "date_info": "2020-01-01"},
        geometry=[box(0, 100.3), box(77.77, 200)], crs="EPSG:32638",
    )  # fmt: skip
    releases = gpd.GeoDataFrame(
        {"id": ["R-1", "R-2"], "hazard_id": "H-1", "product": ["cleared", "reduced"], "method": ["manual", "ts"], "date": ["2024-01-01", "2024-02-01"]},
        geometry=[box(-33.3, 50.1), box(33.3, 60.6)], crs="EPSG:32638",
    )  # fmt: skip
    issues = gt.coverage(hazards, releases).issues
    found = issues[issues["check"] == code]
    assert len(found)
    for row in found.itertuples():
        assert f"{square_metres(float(row.value), toward=toward)} m²" in row.message
