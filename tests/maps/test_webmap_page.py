"""The page in a browser with no network: nothing asked, nothing failing, everything drawn, every control working."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import shape

import geotools as gt

pytestmark = pytest.mark.browser
Show = Callable[..., Any]


def test_nothing_is_asked_and_everything_is_drawn(
    show: Show, small_page: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    opened = show(small_page)
    opened.quiet()
    assert len(opened.requests) == 1
    counts = opened.page.evaluate("Object.fromEntries(geotools.pages[0].layers.map(l => [l.spec.id, l.order.length]))")
    assert counts["hazards"] == len(survey_frames["hazards"])
    assert counts["finds"] == len(survey_frames["finds"])
    assert counts["accidents"] == 2  # the third is marked as not to be published


def test_every_feature_can_be_hit(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    features = opened.page.evaluate(
        """() => geotools.pages[0].layers.flatMap((l, i) => l.spec.quiet || l.spec.silent ? [] : (l.on = true, [...l.order].map(f => [i, f, geotools.pages[0].feature(l, f).geometry])))"""
    )
    places = [[i, f, *shape(geometry).representative_point().coords[0]] for i, f, geometry in features]
    missed = opened.page.evaluate(
        """places => places.filter(([i, f, x, y]) => { const p = geotools.pages[0];
        return !geotools.hits(p.layers, geotools.mercX(x), geotools.mercY(y), 18, 5).some(h => h.layer === p.layers[i] && h.items.includes(f)); })""",
        places,
    )
    assert len(places) > 80
    assert missed == []


def test_the_colour_at_a_place_is_the_class_drawn_there(show: Show, small_page: Path) -> None:
    """Remaining CHA ground has its fill and hatch; the legend swatch is drawn by the same function."""
    opened = show(small_page)
    found = opened.page.evaluate(
        """() => { const p = geotools.pages[0], l = p.layers.find(x => x.spec.id === 'remaining'), s = p.sides[0];
        const ink = new Set(); const tile = document.createElement('canvas');
        tile.width = tile.height = 256; const f = l.order[0], z = 17, scale = 256 * 2 ** z;
        const x = Math.floor((l.box[4*f] + l.box[4*f+2]) / 2 * 2 ** z), y = Math.floor((l.box[4*f+1] + l.box[4*f+3]) / 2 * 2 ** z);
        tile.gt = {coords: {x: x, y: y, z: z}}; s.draw(tile);
        const px = tile.getContext('2d').getImageData(0, 0, 256, 256).data; let painted = 0;
        for (let i = 3; i < px.length; i += 4) if (px[i]) { painted++; ink.add(px[i-3] + ',' + px[i-2] + ',' + px[i-1] + ',' + px[i]); }
        return [painted, ink.size]; }"""
    )
    assert found[0] > 2000
    assert found[1] > 3


def test_figures_under_the_slider_are_those_of_the_ledger(
    show: Show, small_page: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    opened = show(small_page)
    for day in ("2021-02-01", "2021-03-01", "2022-06-15", "2023-04-16", "2024-04-30"):
        totals = gt.coverage(survey_frames["hazards"], survey_frames["releases"], as_of=day).totals
        opened.page.evaluate("d => { const p = geotools.pages[0]; p.day = geotools.day(d); p.update(); }", day)
        shown = opened.page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('.gt-figure')].map(e => [e.dataset.key, +e.dataset.m2]))"
        )
        for key, value in shown.items():
            if day >= "2021-03-01" or key == "remaining":
                assert value == pytest.approx(totals[f"{key}_m2"], abs=1.0), (day, key)


def test_popup_shows_the_ledger_line(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    opened.page.fill("#gt-search", "h 01")
    opened.page.click(".gt-results button")
    opened.settle()
    text = opened.page.inner_text(".gt-card")
    assert "H-01" in text
    assert "Remaining" in text
    assert "Recorded area" in text
    assert "m²" in text
    opened.quiet()


def test_search_folds_letters(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    for typed, expected in (
        ("ornekkoy", "Örnekköy"),
        ("numunekend", "Nümunəkənd"),
        ("SİNAQ SAHESİ 3", "H-03"),
        ("образцово", "Образцово"),
    ):
        opened.page.fill("#gt-search", typed)
        assert expected in opened.page.inner_text(".gt-results"), typed


def test_download_is_valid_geojson_with_the_same_coordinates(
    show: Show, small_page: Path, survey_frames: dict[str, gpd.GeoDataFrame]
) -> None:
    opened = show(small_page, accept_downloads=True)
    opened.page.fill("#gt-search", "H-05")
    opened.page.click(".gt-results button")
    with opened.page.expect_download() as waiting:
        opened.page.click(".gt-actions button:last-child")
    data = json.loads(Path(waiting.value.path()).read_text("utf-8"))
    frame = gpd.GeoDataFrame.from_features(data["features"], crs="EPSG:4326")
    assert frame.geometry.iloc[0].normalize().equals_exact(survey_frames["hazards"].geometry.iloc[5].normalize(), 1e-7)
    assert data["features"][0]["id"] == "H-05"


def test_measure_agrees_with_the_ellipsoid(show: Show, small_page: Path) -> None:
    import shapely
    from geographiclib.geodesic import Geodesic

    opened = show(small_page)
    ring = [[46.70, 39.80], [46.75, 39.81], [46.74, 39.86], [46.71, 39.85]]
    got = opened.page.evaluate("r => geotools.pages[0].measured(r)", ring)
    assert got["m2"] == pytest.approx(gt.measure.area(shapely.Polygon(ring)), rel=1e-6)
    sides = [Geodesic.WGS84.Inverse(a[1], a[0], b[1], b[0])["s12"] for a, b in itertools.pairwise(ring)]
    assert got["metres"] == pytest.approx(sum(sides), abs=1e-3)


def test_coordinates_agree_with_pyproj_and_mgrs(show: Show, small_page: Path) -> None:
    import pyproj

    opened = show(small_page)
    for lon, lat in ((46.765596, 39.841436), (48.0001, 40.2), (-70.3, -33.4), (5.2, 60.4), (15.0, 78.2)):
        got = opened.page.evaluate("p => [geotools.readings(p[0], p[1]), geotools.toUtm(p[0], p[1])]", [lon, lat])
        zone = got[1]["zone"]
        east, north = pyproj.Transformer.from_crs(4326, (32700 if lat < 0 else 32600) + zone, always_xy=True).transform(
            lon, lat
        )
        assert (got[1]["e"], got[1]["n"]) == pytest.approx((east, north), abs=2e-3)
        assert got[0]["mgrs"].split()[2:] == [f"{int(east) % 100000:05d}", f"{int(north) % 100000:05d}"]
        back = opened.page.evaluate("u => geotools.fromUtm(u.zone, u.south, u.e, u.n)", got[1])
        assert back == pytest.approx([lon, lat], abs=1e-7)


TYPED = (
    "39.841436, 46.765596",
    "39°50′29.17″N 46°45′56.15″E",
    "46 45 56.15 E, 39 50 29.17 N",
    "38N 651063 4411649",
    "38S PK 51063 11649",
    "39,841436 46,765596",
)


def test_go_to_understands(show: Show, small_page: Path) -> None:
    opened = show(small_page)
    for typed in TYPED:
        assert opened.page.evaluate("t => geotools.parsePlace(t)", typed) == pytest.approx(
            [46.765596, 39.841436], abs=3e-5
        ), typed
    for typed in ("no place at all", "99 N 200 E", "12", "38N 1 2", ""):
        assert opened.page.evaluate("t => geotools.parsePlace(t)", typed) is None, typed
