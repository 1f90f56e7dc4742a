"""Hostile text in every place that carries text: nothing runs, nothing breaks, the reader sees it as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import folium
import folium.plugins
import geopandas as gpd
import pytest
import shapely

import geotools as gt
from geotools.model.errors import MapError
from geotools.model.programme import Programme
from geotools.model.provenance import InputFile
from geotools.model.schema import Issue, issues_frame
from geotools.survey import Survey

Show = Callable[..., Any]

FAMILIES = {
    "img": '<img src=x onerror="window.XSS=1">',
    "script": "</script><script>window.XSS=2</script>",
    "template": "${window.XSS=3}",
    "backtick": "`;window.XSS=4;`",
    "link": '<a href="javascript:window.XSS=5">x</a>',
    "svg": "<svg onload=window.XSS=6>",
    "jinja": "{{ 7*7 }}{% raw %}{# x #}",
    "quote": "\"';window.XSS=8;//\\",
    "separators": "a\u2028b\u2029c\u202e\x00d\r\n<!--",
}


def hostile(text: str) -> folium.Map:
    """A map with the text in every carrier we know."""
    box = shapely.box(46.74, 39.80, 46.76, 39.82)
    hazards = gpd.GeoDataFrame(
        {"id": [text, "H-2"], "name": [text, None], "classification": [text, "CHA"], "status": [text, "open"], "place": [text, "x"], text or "c": [text, 1.5], "organisation": [text, "Org"]},
        geometry=[box, shapely.affinity.translate(box, 0.03, 0)], crs="EPSG:4326",
    )  # fmt: skip
    places = gpd.GeoDataFrame(
        {"id": ["P-1"], "name": [text], "type": ["settlement"], "population": [5]},
        geometry=[box.centroid],
        crs="EPSG:4326",
    )
    programme = Programme(name=text, texts={"title": text, "footer": text})
    survey = Survey(
        text, {"hazards": hazards, "places": places, text: hazards}, programme, inputs=(InputFile(text, 1, "0" * 64),)
    )
    issues = issues_frame([Issue("GC-01", "error", "hazards", text, text, text, text, text, box.centroid)])
    made = gt.map(survey, issues=issues, subtitle=text, sensitivity=text, layers=("hazards", "places", text))
    gt.webmap.AreaLayer(hazards, text, by="name", label="name", id=text).add_to(made)
    gt.webmap.PointLayer(places, {"en": text, "az": text, "tr": text, "ru": text}, by="name").add_to(made)
    folium.Marker(
        [39.81, 46.75], popup=folium.Popup(text, show=True), tooltip=folium.Tooltip(text, permanent=True)
    ).add_to(made)
    folium.Circle([39.81, 46.75], 50, popup=text, tooltip=text).add_to(made)
    folium.FeatureGroup(name=text).add_to(made)
    return made


@pytest.mark.browser
@pytest.mark.parametrize(
    "family", [f if f in ("script", "separators") else pytest.param(f, marks=pytest.mark.slow) for f in FAMILIES]
)
def test_nothing_runs(show: Show, tmp_path: Path, family: str) -> None:
    text = FAMILIES[family]
    opened = show(gt.webmap.save(hostile(text), tmp_path / "hostile.html"))
    page = opened.page
    page.fill("#gt-search", "window.XSS" if "XSS" in text else "h 2")
    for button in page.query_selector_all(".gt-results button")[:2]:
        button.click()
    page.mouse.move(700, 400)
    page.evaluate(
        "() => { const p = geotools.pages[0]; for (const l of p.layers) { l.on = true; for (const f of l.order) p.openCard([{layer: l, f: f}], 0); } p.update(); p.legend(); }"
    )
    for tool in ("table", "about"):
        page.evaluate("t => document.querySelector(`[data-tool=${t}]`).click()", tool)
        page.keyboard.press("Escape")
    opened.settle(0.2)
    assert page.evaluate("window.XSS") is None
    assert (
        page.evaluate(
            "document.querySelectorAll('.gt-shell img, .gt-shell svg[onload], .gt-shell a[href]').length - document.querySelectorAll('.leaflet-pane img, .leaflet-popup-close-button').length"
        )
        == 0
    )
    shown = page.inner_text(".gt-panel h1")
    plain = re.sub(r"\s+", " ", text.replace("\x00", "")).strip()
    assert plain[:6] in re.sub(r"\s+", " ", shown)
    opened.quiet()


@pytest.mark.browser
def test_policy_stops_a_planted_handler_and_any_request(show: Show, small_page: Path) -> None:
    """The second wall: even markup put in by mistake cannot run or call out."""
    opened = show(small_page)
    opened.page.evaluate(
        """() => { const d = document.createElement('div'); d.innerHTML = '<img src=x onerror="window.XSS=1"><a id=evil href="javascript:window.XSS=2">x</a>'; document.body.append(d);
        const s = document.createElement('script'); s.textContent = 'window.XSS=3'; document.body.append(s); document.getElementById('evil').click(); }"""
    )
    refused = opened.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', e => String(e))")
    opened.settle(0.3)
    assert opened.page.evaluate("window.XSS") is None
    assert refused != "sent"
    assert any("Content Security Policy" in line for line in opened.console)


def test_policy_lists_exactly_the_scripts_that_are_there(small_page: Path) -> None:
    import base64
    import hashlib

    text = small_page.read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert text.index("Content-Security-Policy") < text.index("<style>")
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    hashes = {"sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert set(re.findall(r"'(sha256-[^']+)'", policy[1])) == hashes
    assert "default-src 'none'" in policy[1]
    assert "connect-src 'none'" in policy[1]
    assert "unsafe-eval" not in policy[1]


@pytest.mark.parametrize(
    "child",
    [
        lambda: folium.TileLayer("https://tile.example.org/{z}/{x}/{y}.png", attr="x"),
        lambda: folium.Marker([39.8, 46.7], icon=folium.Icon(icon="star")),
        lambda: folium.Marker([39.8, 46.7], icon=folium.DivIcon(html="<b>x</b>")),
        lambda: folium.LayerControl(),
        lambda: folium.plugins.MeasureControl(),
        lambda: folium.plugins.HeatMap([[39.8, 46.7]]),
        lambda: folium.Element("<script>1</script>"),
    ],
)
def test_what_needs_a_network_or_could_run_text_is_refused(
    child: Callable[[], Any], survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:

    made = gt.map({"hazards": survey_frames["hazards"]})
    made.add_child(child())
    with pytest.raises(MapError, match="cannot be on an offline map") as caught:
        gt.webmap.render(made)
    assert caught.value.hint


def test_html_added_to_the_figure_by_hand_is_refused(survey_frames: dict[str, gpd.GeoDataFrame]) -> None:
    made = gt.map({"hazards": survey_frames["hazards"]})
    made.get_root().html.add_child(folium.Element("<h1>title</h1>"))
    with pytest.raises(MapError, match="by hand"):
        gt.webmap.render(made)


@pytest.mark.browser
def test_a_plain_folium_map_with_safe_children_works_offline(
    show: Show, tmp_path: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    made = folium.Map([39.81, 46.75], zoom_start=14, tiles=None)
    gt.webmap.AreaLayer(survey_frames["hazards"], "Hazards", by="classification").add_to(made)
    folium.Marker([39.81, 46.75], popup="a <b>popup</b>").add_to(made)
    folium.PolyLine([[39.80, 46.74], [39.82, 46.76]]).add_to(made)
    folium.GeoJson(survey_frames["hazards"][["geometry"]]).add_to(made)
    opened = show(gt.webmap.save(made, tmp_path / "plain.html"))
    opened.page.click(".leaflet-marker-icon", force=True)
    opened.settle()
    assert "<b>popup</b>" in opened.page.inner_text(".leaflet-popup-content")
    opened.quiet()


@pytest.mark.browser
@pytest.mark.parametrize("block", ["gt-page", r"[^\"]*_data", r"[^\"]*"], ids=["page", "data", "description"])
def test_a_damaged_page_says_so_and_shows_nothing(browser: Any, small_page: Path, tmp_path: Path, block: str) -> None:
    """Half a copy, a cut download: a box of words, no empty map that looks like land without hazards."""
    text = small_page.read_text()
    layer = " data-gt-layer" if block == r"[^\"]*" else ""
    found = re.search(rf'<script[^>]*{layer}[^>]*id="{block}"[^>]*>([^<]{{40,}})</script>', text) or re.search(
        rf'<script[^>]*id="{block}"[^>]*{layer}[^>]*>([^<]{{40,}})</script>', text
    )
    assert found is not None
    cut = found.start(1) + 4 * ((found.end(1) - found.start(1)) // 8)
    (tmp_path / "cut.html").write_text(text[:cut] + text[found.end(1) :])
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((tmp_path / "cut.html").as_uri())
    page.wait_for_selector(".gt-fail", timeout=10_000)
    said = page.evaluate("[document.documentElement.dataset.failed, document.documentElement.dataset.ready]")
    page.close()
    assert (said, wrong) == (["1", None], [])
