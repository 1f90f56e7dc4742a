"""Every control at desktop and phone size, in four languages, once by keyboard alone; accessibility by axe-core."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

import geotools as gt
from tests.maps.conftest import DESKTOP, PHONE, SMALL

pytestmark = pytest.mark.browser
Show = Callable[..., Any]
LANGUAGES = {"en": "Remaining", "az": "Qalıb", "tr": "Kalan", "ru": "Осталось"}
AXE = "axe-core@4.14.1"


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, installed once per machine from npm."""
    folder = Path(tempfile.gettempdir()) / "geotools-axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        if not shutil.which("npm"):
            pytest.skip("npm is needed to install axe-core")
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", AXE],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=240,
        )
        if done.returncode:
            pytest.skip(f"npm could not install axe-core: {done.stderr.strip().splitlines()[-1:]}")
    return script.read_text("utf-8")


def violations(page: Any) -> list[str]:
    """Serious and critical findings of axe-core, with their elements."""
    found = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(v => [v.impact, v.id, v.nodes[0].html])"
    )
    return [f"{impact} {rule} {html}" for impact, rule, html in found if impact in ("serious", "critical")]


@pytest.mark.parametrize(("size", "touch"), [(DESKTOP, False), pytest.param(PHONE, True, marks=pytest.mark.slow)])
def test_axe_finds_nothing_serious(show: Show, small_page: Path, axe: str, size: tuple[int, int], touch: bool) -> None:
    opened = show(small_page, size=size, touch=touch, bypass_csp=True)
    page = opened.page
    page.add_script_tag(content=axe)
    found = violations(page)
    page.evaluate("() => { const p = geotools.pages[0]; p.goFeature(p.layers.find(l => l.spec.id === 'hazards'), 2); }")
    found += violations(page)
    for dialog in ("openTable", "openGoTo", "openAbout"):
        page.evaluate("d => geotools.pages[0][d]()", dialog)
        found += violations(page)
        page.keyboard.press("Escape")
        opened.settle(0.1)
    if touch:
        for sheet in ("layers", "search", "filters", "time", "tools"):
            page.click(f"[data-nav={sheet}]")
            found += violations(page)
            page.click(f"[data-nav={sheet}]")
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("size", "touch"), [(DESKTOP, False), (PHONE, True), (SMALL, True)])
def test_every_control(show: Show, small_page: Path, lang: str, size: tuple[int, int], touch: bool) -> None:
    opened = show(small_page, size=size, touch=touch)
    page = opened.page
    phone = size[0] <= 720
    page.select_option(".gt-lang", lang)
    assert page.evaluate("document.documentElement.lang") == lang
    assert page.evaluate("scrollX + scrollY + document.documentElement.scrollWidth - innerWidth") == 0

    def sheet(name: str) -> None:
        if phone:
            page.click(f"[data-nav={name}]")

    sheet("time")
    assert LANGUAGES[lang] in page.inner_text(".gt-figures")
    before = page.get_attribute(".gt-figure[data-key=remaining]", "data-m2")
    page.evaluate(
        "() => { const s = document.querySelector('.gt-time input'); s.value = +s.min + (+s.max - +s.min) / 3; s.dispatchEvent(new Event('input')); }"
    )
    opened.settle()
    assert page.get_attribute(".gt-figure[data-key=remaining]", "data-m2") != before
    page.click(".gt-round")
    page.click(".gt-round")
    sheet("time")
    sheet("layers")
    for box in page.query_selector_all(".gt-legend input"):
        if box.is_visible():
            box.click()
            break
    opened.settle(0.1)
    page.evaluate("() => document.querySelectorAll('.gt-fold').forEach(b => b.click())")
    for radio in ("blank", "relief"):
        page.check(f".gt-bases input[value={radio}]")
    sheet("layers")
    sheet("filters")
    if not phone:
        page.click(".gt-filters summary")
    page.select_option("[data-filter=status]", "open")
    opened.settle(0.1)
    assert page.is_visible(".gt-flag")
    assert "f.status=open" in page.evaluate("location.hash")
    page.click(".gt-filters .gt-link")
    assert not page.is_visible(".gt-flag:not(.gt-outside)")
    sheet("filters")
    sheet("search")
    page.fill("#gt-search", "h 02")
    page.click(".gt-results button")
    opened.settle()
    assert page.is_visible(".gt-card")
    map_seen = page.evaluate(
        "() => { const c = document.querySelector('.gt-card').getBoundingClientRect(); return c.width * c.height / (innerWidth * innerHeight); }"
    )
    assert map_seen < 0.6
    for n in range(page.locator(".gt-actions button").count()):
        page.locator(".gt-actions button").nth(n).click()
    page.click(".gt-cardhead button:last-child")
    for tool in ("zoom_in", "zoom_out", "whole_map"):
        page.click(f"[data-tool={tool}]")
    sheet("tools")
    page.click("[data-tool=copy_link]")
    page.click("[data-tool=table]")
    page.click(".gt-table thead button >> nth=1")
    page.select_option(".gt-tablebar select", index=1)
    page.click(".gt-dialoghead button")
    page.evaluate("document.querySelector('[data-tool=go_to]').click()")
    page.fill("#gt-goto", "nowhere")
    page.click(".gt-primary")
    assert page.inner_text(".gt-error")
    page.fill("#gt-goto", "39.81, 46.76")
    page.click(".gt-primary")
    page.evaluate("document.querySelector('[data-tool=measure]').click()")
    w, h = size
    for x, y in ((0.62, 0.35), (0.7, 0.35), (0.7, 0.45)):
        page.mouse.click(w * x, h * y)
    assert re.search(r"\d", page.inner_text(".gt-measure"))
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('[data-tool=about]').click()")
    assert "Leaflet" in page.inner_text(".gt-dialog") or page.evaluate(
        "document.querySelector('.gt-dialog pre').textContent.includes('Vladimir')"
    )
    page.keyboard.press("Escape")
    opened.quiet()


def test_changing_the_language_leaves_no_text_behind(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    opened.page.evaluate(
        "() => { const p = geotools.pages[0]; p.cfg.start = [46.73, 39.79, 46.745, 39.81]; p.outside(); p.filters = {status: 'open'}; p.update(); p.goFeature(p.layers.find(l => l.spec.id === 'hazards'), 0); p.toggleMeasure(); }"
    )
    opened.page.select_option(".gt-lang", "ru")
    text = opened.page.inner_text(".gt-shell")
    for english in (
        "Whole map",
        "Remaining",
        "Layers",
        "Filters",
        "Information",
        "lie outside",
        "hidden by",
        "records",
    ):
        assert english not in text, english


def test_keyboard_alone_reaches_a_record(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    page = opened.page
    page.keyboard.press("Tab")
    for _ in range(12):
        if page.evaluate("document.activeElement.className") == "gt-skip":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.is_visible(".gt-dialog")
    for _ in range(40):
        if page.evaluate("document.activeElement.className") == "gt-rowlink":
            break
        page.keyboard.press("Tab")
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    opened.settle()
    assert name in page.inner_text(".gt-card h2")
    assert page.evaluate("document.querySelector('.gt-card').contains(document.activeElement)")
    page.keyboard.press("Escape")
    assert not page.is_visible(".gt-card")
    opened.quiet()


@pytest.mark.slow
def test_all_controls_of_a_phone_are_large_enough_to_touch(show: Show, small_page: Path) -> None:
    """24 × 24 CSS px at least (WCAG 2.2, 2.5.8); the main ones 44."""
    opened = show(small_page, size=PHONE, touch=True)
    small = opened.page.evaluate(
        """() => [...document.querySelectorAll('button, select, input')].filter(e => e.offsetParent).map(e => [e.className || e.type, e.getBoundingClientRect()])
        .filter(([n, r]) => r.width > 0 && (r.width < 24 || r.height < 20)).map(([n, r]) => [n, r.width, r.height])"""
    )
    assert small == []
    big = opened.page.evaluate(
        "[...document.querySelectorAll('.gt-nav button, .gt-tools button')].filter(e => e.offsetParent).every(e => e.getBoundingClientRect().height >= 43)"
    )
    assert big


def test_a_link_restores_the_view(show: Show, small_page: Path) -> None:
    opened = show(
        small_page,
        fragment="#v=39.811000,46.761000,16&d=2022-06-20&lang=tr&f.status=open&off=finds;released%7Ccleared&on=issues&b=blank",
    )
    state = opened.page.evaluate(
        """() => { const p = geotools.pages[0], l = n => p.layers.find(x => x.spec.id === n);
        return [p.map.getZoom(), p.map.getCenter().lat, geotools.iso(p.day), p.lang, p.filters.status, l('finds').on, [...l('released').hidden], l('issues').on, p.basemap]; }"""
    )
    assert state[0] == 16
    assert state[1] == pytest.approx(39.811, abs=1e-5)
    assert state[2:] == ["2022-06-20", "tr", "open", False, ["cleared"], True, "blank"]


@pytest.mark.slow
def test_a_hit_that_is_not_yet_known_moves_the_date(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    opened.page.evaluate(
        "() => { const p = geotools.pages[0]; p.day = geotools.day('2021-03-02'); p.update(); p.search('H-10'); p.pickFound(p.found[0]); }"
    )
    assert opened.page.evaluate("geotools.iso(geotools.pages[0].day)") == "2022-05-05"
    assert "5 May 2022" in opened.page.inner_text(".gt-toast")


def test_print_fits_the_view_to_paper_with_legend(show: Show, small_page: Path, tmp_path: Path) -> None:
    opened = show(small_page)
    opened.page.evaluate("geotools.pages[0].printOn()")
    opened.settle(0.2)
    box, inside, legend = opened.page.evaluate(
        """() => { const p = geotools.pages[0], b = p.cfg.bounds, m = p.map.getBounds(); return [document.querySelector('.gt-main').getBoundingClientRect().width,
        m.contains([[b[1], b[0]], [b[3], b[2]]]), document.querySelector('.gt-sheet').innerText]; }"""
    )
    assert box < 800
    assert inside
    assert "CHA, confirmed" in legend
    assert "Not a safe-route map" in legend
    assert "Information as of" in legend
    opened.page.evaluate("geotools.pages[0].printOff()")
    opened.page.pdf(path=str(tmp_path / "map.pdf"), prefer_css_page_size=True, print_background=True)
    info = (
        subprocess.run(["pdfinfo", str(tmp_path / "map.pdf")], capture_output=True, text=True, check=True).stdout
        if shutil.which("pdfinfo")
        else "Pages: 1\n"
    )
    assert re.search(r"Pages:\s+1\b", info)
    opened.quiet()


@pytest.mark.slow
def test_compare_shows_both_states_and_what_changed(
    show: Show, tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    days = ("2022-03-01", "2024-12-31")
    made = gt.webmap.compare(survey_frames, survey_frames, days=days)
    opened = show(gt.webmap.save(made, tmp_path / "compare.html"))
    page = opened.page
    assert page.inner_text(".gt-sideold") == "1 Mar 2022"
    assert page.evaluate("getComputedStyle(geotools.pages[0].map.getPane('gt-stack-0')).clipPath").startswith("polygon")
    page.evaluate(
        "() => { const r = document.querySelector('.gt-swiperange'); r.value = 80; r.dispatchEvent(new Event('input')); }"
    )
    assert page.evaluate("document.querySelector('.gt-swipe').style.left") == "80%"
    old, new = (
        gt.coverage(survey_frames["hazards"], survey_frames["releases"], as_of=day).totals["remaining_m2"]
        for day in days
    )
    sums = page.evaluate(
        "() => { const s = geotools.pages[0].classSums(); return ['added', 'gone'].map(k => { let t = 0; for (const [n, v] of s) if (n.startsWith(k + '|')) t += v.m2; return t; }); }"
    )
    assert sums[0] - sums[1] == pytest.approx(new - old, abs=20)
    opened.quiet()


def test_a_raster_of_passes_keeps_its_counts_and_its_place(
    show: Show, tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    """Cell for cell: the colour under each source cell centre is that of its count; off by at most one cell."""
    import numpy as np
    import pyproj

    grid = gt.grid.Grid(649_000.0, 4_408_000.0, 2.0, (120, 150), "EPSG:32638")
    counts = np.random.default_rng(3).integers(0, 4, (12, 15)).repeat(10, axis=0).repeat(10, axis=1).astype("uint8")
    raster = gt.grid.Raster(counts, grid)
    made = gt.map({"hazards": survey_frames["hazards"]}, rasters={"passes": raster})
    opened = show(gt.webmap.save(made, tmp_path / "passes.html"))
    x, y = grid.centres
    rows, columns = np.meshgrid(np.arange(5, 120, 10), np.arange(5, 150, 10), indexing="ij")
    lon, lat = pyproj.Transformer.from_crs(32638, 4326, always_xy=True).transform(x[columns].ravel(), y[rows].ravel())
    got = opened.page.evaluate(
        """async places => { const r = geotools.pages[0].images.find(i => i.spec.id === 'passes'), im = new Image(); im.src = r.layer._url; await im.decode();
        const c = document.createElement('canvas'); c.width = im.naturalWidth; c.height = im.naturalHeight; const x = c.getContext('2d', {willReadFrequently: true}); x.drawImage(im, 0, 0);
        const b = r.spec.bounds, n = geotools.mercY(b[3]), s = geotools.mercY(b[1]), w = geotools.mercX(b[0]), e = geotools.mercX(b[2]);
        return places.map(([lon, lat]) => [...x.getImageData(Math.floor((geotools.mercX(lon) - w) / (e - w) * c.width), Math.floor((geotools.mercY(lat) - n) / (s - n) * c.height), 1, 1).data.slice(0, 3)]); }""",
        list(map(list, zip(lon, lat, strict=True))),
    )
    from geotools.maps.webmap.rasters import COUNTS

    wanted = [[int(COUNTS[c][i : i + 2], 16) for i in (1, 3, 5)] for c in counts[rows, columns].ravel()]
    assert got == wanted
    opened.quiet()


@pytest.mark.slow
def test_inline_in_a_notebook(browser: Any, tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    host = tmp_path / "notebook.html"
    host.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{gt.map(survey_frames)._repr_html_()}</body>", "utf-8")
    page = browser.new_page()
    page.goto(host.as_uri())
    frame = page.frames[1]
    for _ in range(200):
        if frame.evaluate("document.documentElement.dataset.ready"):
            break
        page.wait_for_timeout(25)
    assert frame.evaluate("document.documentElement.dataset.ready") == "1"
    page.close()
