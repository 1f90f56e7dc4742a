"""A browser with no network for the page tests, and small surveys that look like the trade's."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
DESKTOP, PHONE, SMALL = (1280, 800), (390, 844), (320, 568)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, headless; the test is skipped where there is none."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = CHROMIUM if CHROMIUM.exists() else Path(shutil.which("chromium") or "")
    if not path.is_file():
        pytest.skip("there is no Chromium on this machine")
    from tests.maps.playing import playing

    with playing() as play:
        running = play.chromium.launch(executable_path=str(path), args=ARGS)
        yield running
        running.close()


@dataclass
class Opened:
    """A page in the browser and what it did: requests, console messages, errors, scripts run by hostile text."""

    page: Any
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ready(self, seconds: float = 30.0) -> Opened:
        """Wait for the first drawn frame; polling, because the page's policy forbids evaluated strings."""
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            if self.page.evaluate("document.documentElement.dataset.failed || document.documentElement.dataset.ready"):
                break
            time.sleep(0.02)
        assert self.page.evaluate("document.documentElement.dataset.ready") == "1", (self.console, self.errors)
        return self

    def settle(self, seconds: float = 0.25) -> None:
        """Give animations and the drawing queue time."""
        self.page.wait_for_timeout(int(seconds * 1000))

    def quiet(self) -> None:
        """Assert that nothing was asked for and nothing went wrong."""
        outside = [url for url in self.requests[1:] if not url.startswith(("data:", "blob:"))]
        assert (outside, self.console, self.errors) == ([], [], [])


@pytest.fixture
def show(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open a file in a fresh, offline context."""
    contexts: list[Any] = []

    def open_(
        path: Path, *, size: tuple[int, int] = DESKTOP, touch: bool = False, fragment: str = "", **settings: Any
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=touch, is_mobile=touch, reduced_motion="reduce", **settings
        )  # fmt: skip
        contexts.append(context)
        context.set_offline(True)
        opened = Opened(context.new_page())
        opened.page.on("request", lambda r: opened.requests.append(r.url))
        opened.page.on(
            "console",
            lambda m: opened.console.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None,
        )
        opened.page.on("pageerror", lambda e: opened.errors.append(str(e)))
        opened.page.goto(path.as_uri() + fragment)
        return opened.ready()

    yield open_
    for context in contexts:
        context.close()


ORIGIN = (46.74, 39.80)


def area(x: float, y: float, wide: float = 0.004, high: float = 0.003) -> shapely.Polygon:
    """A box of a few hundred metres, x and y in steps of 0.01 degree from the origin."""
    west, south = ORIGIN[0] + 0.01 * x, ORIGIN[1] + 0.01 * y
    return shapely.box(west, south, west + wide, south + high)


def small_survey() -> dict[str, gpd.GeoDataFrame]:
    """Twelve hazards, twenty releases, forty finds, three accidents, three places; synthetic."""
    rng = np.random.default_rng(4)
    places = [(x, y) for y in range(3) for x in range(4)]
    hazards = gpd.GeoDataFrame(
        {
            "id": [f"H-{i:02d}" for i in range(12)],
            "name": [f"Sınaq sahəsi {i}" for i in range(12)],
            "classification": ["CHA", "SHA", "CHA"] * 4,
            "status": ["open", "worked_on", "closed", "suspended"] * 3,
            "date_info": pd.to_datetime(["2021-03-01"] * 10 + ["2022-05-05", None]),
            "organisation": ["Sample Agency (synthetic)", "NGO Örnək (synthetic)"] * 6,
        },
        geometry=[area(x, y) for x, y in places],
        crs="EPSG:4326",
    )
    rows = []
    for i in range(20):
        x, y = places[i % 12]
        rows.append(shapely.affinity.translate(area(x, y, 0.0012, 0.003), 0.0012 * (i // 12), 0))
    releases = gpd.GeoDataFrame(
        {
            "id": [f"R-{i:02d}" for i in range(20)],
            "hazard_id": [f"H-{i % 12:02d}" for i in range(20)],
            "product": ["cleared", "cleared", "reduced", "cancelled"] * 5,
            "method": ["manual", "mdd", "mechanical", "nts", "manual"] * 4,
            "date": pd.to_datetime([f"202{1 + i % 4}-0{1 + i % 9}-15" for i in range(19)] + [None]),
            "organisation": ["Sample Agency (synthetic)"] * 20,
        },
        geometry=rows,
        crs="EPSG:4326",
    )
    points = [shapely.Point(ORIGIN[0] + rng.uniform(0, 0.035), ORIGIN[1] + rng.uniform(0, 0.025)) for _ in range(46)]
    finds = gpd.GeoDataFrame(
        {
            "id": [f"F-{i:02d}" for i in range(40)],
            "category": ["ap_mine", "av_mine", "uxo", "fragment"] * 10,
            "date": pd.to_datetime(["2022-01-01"] * 40),
        },
        geometry=points[:40],
        crs="EPSG:4326",
    )
    accidents = gpd.GeoDataFrame(
        {
            "id": ["A-1", "A-2", "A-3"],
            "killed": [1, 0, 0],
            "injured": [0, 2, 1],
            "safe_to_publish": [True, True, False],
            "date": pd.to_datetime(["2021-06-01"] * 3),
        },
        geometry=points[40:43],
        crs="EPSG:4326",
    )
    named = gpd.GeoDataFrame(
        {
            "id": ["P-1", "P-2", "P-3"],
            "name": ["Nümunəkənd", "Örnekköy", "Образцово"],
            "type": ["settlement"] * 3,
            "population": [900, 300, 10],
        },
        geometry=points[43:],
        crs="EPSG:4326",
    )
    return {"hazards": hazards, "releases": releases, "finds": finds, "accidents": accidents, "places": named}


@pytest.fixture(scope="session")
def survey_frames() -> dict[str, gpd.GeoDataFrame]:
    """The small survey; not to be changed by a test."""
    return small_survey()


@pytest.fixture(scope="session")
def dem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hills of 4 × 3 km in UTM 38N, 20 m cells."""
    import rasterio
    from affine import Affine

    path = tmp_path_factory.mktemp("dem") / "dem.tif"
    y, x = np.mgrid[0:170, 0:190]
    heights = (300 + 60 * np.sin(x / 17) * np.cos(y / 23) + x * 0.4).astype("float32")
    profile = {
        "driver": "GTiff",
        "height": 170,
        "width": 190,
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:32638",
        "transform": Affine(20, 0, 648_600, 0, -20, 4_409_600),
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(heights, 1)
    return path


@pytest.fixture(scope="session")
def small_page(survey_frames: dict[str, gpd.GeoDataFrame], dem: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small survey as an offline file, with relief."""
    import geotools as gt
    from geotools.model.schema import Issue, issues_frame

    issues = issues_frame(
        [
            Issue("GC-01", "error", "hazards", "H-03", message="the boundary crosses itself"),
            Issue("AC-02", "warning", "finds", "F-01", message="no depth"),
        ]
    )
    made = gt.map(survey_frames, issues=issues, title="Clearance progress, sector F (synthetic)")
    gt.webmap.RasterLayer(dem, gt.webmap.words.label("layer", "dem"), kind="relief", id="relief", basemap=True).add_to(
        made
    )
    return gt.webmap.save(made, tmp_path_factory.mktemp("page") / "small.html")
