"""The table and the popup on any day: one row per hazard with the ledger of that day, no word twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.model.figures import direction

pytestmark = pytest.mark.browser
Show = Callable[..., Any]
FIGURES = ("area", "cancelled", "reduced", "cleared", "processed", "remaining")
ROWS = "() => [...document.querySelectorAll('.gt-table tbody tr')].map(r => [...r.children].map(c => c.textContent))"


@pytest.mark.parametrize("day", ["2022-06-15", None])
def test_the_table_is_the_ledger_of_the_day(
    show: Show, small_page: Path, survey_frames: dict[str, gpd.GeoDataFrame], day: str | None
) -> None:
    page = show(small_page).page
    page.evaluate("d => { const p = geotools.pages[0]; p.day = d && geotools.day(d); p.update(); p.openTable(); }", day)
    heads = page.evaluate("() => [...document.querySelectorAll('.gt-table thead th')].map(h => h.textContent.trim())")
    assert len(set(heads)) == len(heads)
    assert sum(h.startswith(("Class", "Status")) for h in heads) == 1
    assert [h.split(" (")[0] for h in heads[2:8]] == ["Recorded area", "Cancelled", "Reduced", "Cleared", "Processed by machine", "Remaining"]  # fmt: skip
    truth = gt.coverage(survey_frames["hazards"], survey_frames["releases"], as_of=day).table.set_index("id")
    rows = {row[0]: row for row in page.evaluate(ROWS)}
    assert set(rows) == set(truth.index)
    for name, row in rows.items():
        shown = [float(re.sub(r"[^\d.]", "", cell)) for cell in row[2:8]]
        for figure, said in zip(FIGURES, shown, strict=True):
            exact = float(truth.loc[name, f"{figure}_m2"])
            low, high = {"down": (exact - 1, exact), "up": (exact, exact + 1), "nearest": (exact - 0.51, exact + 0.51)}[
                direction(figure)
            ]
            assert low - 0.02 <= said <= high + 0.02, (day, name, figure)
    if day:
        assert "15 Jun 2022" in page.inner_text(".gt-tableday")
    page.click(".gt-table thead button >> nth=7")  # by remaining
    left = [float(re.sub(r"[^\d.]", "", row[7])) for row in page.evaluate(ROWS)]
    assert left == sorted(left)


def test_the_popup_and_the_status_follow_the_date(show: Show, small_page: Path) -> None:
    """H-02 is recorded as closed, without saying when: on an earlier day its status is not known."""
    opened = show(small_page)
    page = opened.page
    page.evaluate("() => { const p = geotools.pages[0]; p.goFeature(p.layers.find(l => l.spec.id === 'hazards'), 2); }")
    last = page.inner_text(".gt-card")
    assert "Closed" in last
    page.evaluate("() => { const p = geotools.pages[0]; p.day = geotools.day('2021-06-01'); p.update(); }")
    then = page.inner_text(".gt-card")
    assert "status on that day not recorded" in then
    assert "1 Jun 2021" in then
    assert "Closed" not in then
    opened.quiet()


def test_overlapping_hazards_are_explained_only_where_they_are(show: Show, small_page: Path, tmp_path: Path) -> None:
    assert show(small_page).page.query_selector(".gt-aside") is None
    boxes = [shapely.box(46.74, 39.80, 46.75, 39.81), shapely.box(46.745, 39.80, 46.755, 39.81)]
    hazards = gpd.GeoDataFrame({"id": ["H-1", "H-2"], "classification": ["CHA", "SHA"]}, geometry=boxes, crs=4326)
    releases = gpd.GeoDataFrame(
        {"id": ["R-1"], "product": ["cleared"], "method": ["manual"], "date": [pd.Timestamp("2022-01-01")]},
        geometry=[shapely.box(46.74, 39.80, 46.742, 39.81)], crs=4326,
    )  # fmt: skip
    page = show(gt.webmap.save(gt.map({"hazards": hazards, "releases": releases}), tmp_path / "o.html")).page
    assert "count the ground once" in page.inner_text(".gt-aside")


def test_pictures_of_covered_ground_are_true_on_their_day(
    show: Show, tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    import numpy as np

    grid = gt.grid.Grid(649_000.0, 4_408_000.0, 5.0, (40, 40), "EPSG:32638")
    raster = gt.grid.Raster(np.ones((40, 40), dtype="uint8"), grid)
    made = gt.map(survey_frames)
    gt.webmap.RasterLayer(raster, "Passes", id="dated", visible=True, date="2022-05-05").add_to(made)
    gt.webmap.RasterLayer(raster, "Passes", id="undated", visible=True).add_to(made)
    page = show(gt.webmap.save(made, tmp_path / "p.html")).page
    seen = "d => { const p = geotools.pages[0]; p.day = d && geotools.day(d); p.update(); return p.images.map(r => !!r.shown); }"
    assert page.evaluate(seen, "2022-05-04") == [False, False]
    assert page.evaluate(seen, "2022-05-05") == [True, False]
    assert page.evaluate(seen, None) == [True, True]


def test_codes_of_issues_are_told_in_the_language_of_the_reader(show: Show, small_page: Path) -> None:
    page = show(small_page).page
    page.evaluate(
        "() => { const p = geotools.pages[0]; const l = p.layers.find(l => l.spec.id === 'issues'); p.goFeature(l, [0, 1].find(f => geotools.value(l.data, 'check', f) === 'GC-01')); }"
    )
    for lang in ("az", "tr", "ru", "en"):
        page.select_option(".gt-lang", lang)
        told = [d for d in page.locator(".gt-card dd").all_inner_texts() if d.startswith("GC-01")]
        assert told == [f"GC-01 · {gt.checks.messages.text('GC-01', 'title', lang)}"]
