"""The first view and the words under the slider: nothing hides behind a panel, nothing is smaller than it need be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.maps.webmap import offline, trim
from tests.maps.conftest import DESKTOP, PHONE, SMALL, small_survey

# Where the drawn records are on the screen, and what lies over the map.
PLACES = """() => { const p = geotools.pages[0], m = p.map, at = m.getContainer().getBoundingClientRect(), out = {zoom: m.getZoom(), over: {}};
const b = p.cfg.start || p.cfg.bounds, a = m.latLngToContainerPoint([b[3], b[0]]), z = m.latLngToContainerPoint([b[1], b[2]]);
out.data = [at.left + a.x, at.top + a.y, at.left + z.x, at.top + z.y]; out.map = [at.left, at.top, at.right, at.bottom];
for (const q of ['.gt-panel', '.gt-time', '.gt-nav', '.gt-head', '.gt-outside']) { const e = document.querySelector(q), r = e && e.getBoundingClientRect(); if (r && r.width && r.height) out.over[q] = [r.left, r.top, r.right, r.bottom]; }
for (const e of document.querySelectorAll('.gt-tools > div')) { const r = e.getBoundingClientRect(); if (r.width && r.height) out.over['tools' + r.top] = [r.left, r.top, r.right, r.bottom]; }
return out; }"""


def survey(east: float = 1.0, north: float = 1.0) -> dict[str, gpd.GeoDataFrame]:
    """The small survey, stretched: wide and low, or narrow and high."""
    stretched = {}
    for kind, frame in small_survey().items():
        moved = frame.geometry.affine_transform([east, 0, 0, north, 46.74 * (1 - east), 39.80 * (1 - north)])
        stretched[kind] = frame.set_geometry(moved)
    return stretched


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("views")
    shapes = {"square": (1.0, 1.0), "wide": (2.3, 0.5), "high": (0.5, 3.1)}
    return {name: gt.webmap.save(gt.map(survey(*by)), folder / f"{name}.html") for name, by in shapes.items()}


def apart(one: list[float], other: list[float]) -> bool:
    return one[2] <= other[0] + 1 or other[2] <= one[0] + 1 or one[3] <= other[1] + 1 or other[3] <= one[1] + 1


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, (1920, 1080), PHONE, SMALL], ids=str)
@pytest.mark.parametrize("shape", ["square", "wide", "high"])
def test_the_first_view_fills_what_the_panels_leave_free(
    show: Any, pages: dict[str, Path], shape: str, size: Any
) -> None:
    """All records are in sight, none under a panel, and no view a tenth of a zoom closer would still fit."""
    opened = show(pages[shape], size=size, touch=size[0] < 700)
    seen = opened.page.evaluate(PLACES)
    for name, over in seen["over"].items():
        if not (size[0] < 700 and name == ".gt-panel"):
            assert apart(seen["data"], over), (name, over, seen["data"])
    west, north, east, south = seen["data"]
    assert seen["map"][0] <= west
    assert east <= seen["map"][2]
    grown = 2**0.1
    room = opened.page.evaluate(
        "(() => { const r = geotools.pages[0].room(), p = r.padding || [0, 0]; return [r.paddingTopLeft || p, r.paddingBottomRight || p]; })()"
    )
    free = (size[0] - room[0][0] - room[1][0], seen["map"][3] - seen["map"][1] - room[0][1] - room[1][1])
    assert (east - west) * grown > free[0] or (south - north) * grown > free[1] or seen["zoom"] >= 17
    opened.quiet()


@pytest.mark.browser
@pytest.mark.parametrize("shape", ["square", "high"])
def test_the_time_panel_of_a_phone_never_covers_the_whole_view(show: Any, pages: dict[str, Path], shape: str) -> None:
    opened = show(pages[shape], size=PHONE, touch=True)
    before = opened.page.evaluate(PLACES)
    opened.page.click("[data-nav=time]")
    seen = opened.page.evaluate(PLACES)
    assert ".gt-time" in seen["over"]
    assert apart(seen["data"], seen["over"][".gt-time"])
    opened.page.click("[data-nav=time]")
    assert opened.page.evaluate(PLACES)["data"] == pytest.approx(before["data"], abs=1)
    opened.page.evaluate("geotools.pages[0].map.panBy([40, 40], {animate: false})")
    moved = opened.page.evaluate(PLACES)["data"]
    opened.page.click("[data-nav=time]")
    assert opened.page.evaluate(PLACES)["data"] == pytest.approx(moved, abs=1), "a view that the reader chose stays"
    opened.quiet()


@pytest.mark.browser
def test_a_view_between_two_zooms_is_drawn_sharp_and_comes_back_by_its_link(show: Any, pages: dict[str, Path]) -> None:
    opened = show(pages["square"], size=PHONE, touch=True)
    zoom = opened.page.evaluate("geotools.pages[0].map.getZoom()")
    assert zoom % 1, "this test needs a view between two zooms"
    scale = opened.page.evaluate(
        "Array.from(document.querySelectorAll('.leaflet-gt-stack-0-pane .leaflet-tile-container')).filter(e => e.childElementCount).map(e => new DOMMatrix(getComputedStyle(e).transform).a)"
    )
    assert scale
    assert scale == pytest.approx([1.0] * len(scale)), "its tiles are drawn at this very zoom, not stretched"
    opened.page.evaluate("geotools.pages[0].moved()")
    link = opened.page.evaluate("geotools.pages[0].link")
    again = show(pages["square"], size=PHONE, touch=True, fragment=link)
    assert again.page.evaluate("geotools.pages[0].map.getZoom()") == pytest.approx(zoom, abs=0.01)
    again.page.evaluate("geotools.pages[0].map.zoomIn(1, {animate: false})")
    assert again.page.evaluate("geotools.pages[0].map.getZoom()") % 1 == 0, "buttons go on in whole zooms"
    again.quiet()


@pytest.mark.browser
def test_hazards_without_boundary_follow_the_date(show: Any, tmp_path: Path) -> None:
    square = shapely.box(47.1, 39.6, 47.11, 39.61)
    hazards = gpd.GeoDataFrame(
        {
            "id": list("abcde"),
            "classification": "CHA",
            "status": "open",
            "date_info": pd.to_datetime(["2021-01-10", "2021-03-10", "2022-06-01", "2022-06-01", None]),
            "area_reported_m2": [9e5, 5e4, 7e4, None, 2e4],
        },
        geometry=[square, None, None, None, None],
        crs=4326,
    )
    release = gpd.GeoDataFrame(
        {
            "id": ["r"],
            "hazard_id": ["a"],
            "product": ["cleared"],
            "method": ["manual"],
            "date": pd.to_datetime(["2023-01-01"]),
        },
        geometry=[shapely.box(47.1, 39.6, 47.105, 39.61)],
        crs=4326,
    )
    made = gt.map({"hazards": hazards, "releases": release})
    told = made.page.describe()["noGround"]
    days = [int(np.datetime64(d, "D").astype(int)) for d in ("2021-03-10", "2022-06-01")]
    assert told == {
        "n": 4,
        "m2": 140_000.0,
        "unstated": 1,
        "late": [[days[0], 1, 50_000.0, 0], [days[1], 2, 70_000.0, 1]],
    }
    opened = show(gt.webmap.save(made, tmp_path / "map.html"))
    for day, count, area in (
        ("2021-02-01", 1, "2"),
        ("2021-03-10", 2, "7"),
        ("2022-06-01", 4, "14"),
        ("2023-01-01", 4, "14"),
    ):
        opened.page.evaluate(
            f"(() => {{ const p = geotools.pages[0]; p.day = geotools.day('{day}'); p.update(); p.legend(); }})()"
        )
        assert opened.page.text_content(".gt-figures .gt-bare b") == f"+{count}", day
        words = opened.page.text_content(".gt-noground")
        assert words.startswith(f"{count} "), (day, words)
        assert re.search(rf"\b{area}(\.\d+)?\sha", words), (day, words)
    opened.quiet()


def test_a_trimmed_script_says_the_same() -> None:
    """Without blanks and comments both are the same; every text and every line's code is kept."""
    tokens = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|\s+|.', re.DOTALL)

    def bare(text: str) -> str:
        kept = (t for t in tokens.findall(text) if t[0] == '"' or not (t.isspace() or t[:2] in ("//", "/*")))
        return "".join(kept)

    total = [0, 0]
    for name in offline.PAGE:
        whole = offline.asset(name, "page")
        short = trim.script(whole)
        assert bare(short) == bare(whole), name
        total = [total[0] + len(whole), total[1] + len(short)]
    assert total[1] < 0.85 * total[0]
