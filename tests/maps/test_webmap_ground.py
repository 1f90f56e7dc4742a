"""What the map calls ground: processed is never drawn as cleared, and hazards without ground are said."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.maps.webmap import payload
from geotools.model.vocab import LANGUAGES

# (method, as entered, follow_up, follow-up as entered, whether the ground waits for a search)
WORK = [
    ("manual", None, None, None, False),
    ("mechanical", None, None, None, True),
    ("mechanical", None, "manual", None, False),
    ("mechanical", None, "nts", None, True),
    ("mechanical", None, "visual", None, True),
    ("mechanical", None, "bac_surface", None, True),
    ("mechanical", None, None, "Manual", False),
    ("mechanical", None, None, "zzz", True),
    (None, "Mechanical flail", None, None, True),
    (None, "Mechanical flail", "mdd", None, False),
    (None, "zzz", None, None, True),
    (None, None, None, None, False),
]


def releases() -> gpd.GeoDataFrame:
    """One cleared box of 100 m per way of work, in UTM 38N."""
    rows = pd.DataFrame(
        WORK, columns=["method", "method_as_entered", "follow_up", "follow_up_as_entered", "waits"], dtype=object
    )
    boxes = [shapely.box(700_000 + 200 * n, 4_380_000, 700_100 + 200 * n, 4_380_100) for n in range(len(rows))]
    rows.insert(0, "id", [f"R-{n:02}" for n in range(len(rows))])
    return gpd.GeoDataFrame(rows.assign(product="cleared"), geometry=boxes, crs=32638)


def drawn(made: Any, layer: str = "released") -> dict[str, str]:
    """Id → class of a layer as the page gets it."""
    found = next(e for e in made._children.values() if getattr(getattr(e, "spec", None), "id", "") == layer)
    columns = payload.decode(found.payload.body).columns
    return dict(zip(columns["id"], columns["cls"], strict=True))


def test_ground_that_waits_for_a_search_is_not_drawn_as_cleared() -> None:
    frame = releases()
    expected = {i: "processed" if w else "cleared" for i, w in zip(frame["id"], frame["waits"], strict=True)}
    assert drawn(gt.map({"releases": frame})) == expected
    assert drawn(gt.map({"hazards": frame.iloc[:0], "releases": frame}, coverage=False)) == expected


def test_with_a_coverage_the_map_says_what_the_ledger_says() -> None:
    frame = releases().drop(columns=["method_as_entered", "follow_up_as_entered"])
    ground = gpd.GeoDataFrame(
        {"id": ["H-1"]}, geometry=[shapely.box(699_000, 4_379_000, 705_000, 4_381_000)], crs=32638
    )
    ledger = gt.coverage(ground, frame)
    said = dict(zip(ledger.credits["id"], ledger.credits["counted_as"], strict=True))
    assert drawn(gt.map({"releases": frame}, ledger)) == said
    shown = drawn(gt.map({"hazards": ground, "releases": frame}, ledger))
    assert shown == {i: kind for i, kind in said.items() if kind != "processed"}


def test_rows_that_share_an_id_do_not_lend_each_other_a_search() -> None:
    frame = releases().iloc[[0, 1]].assign(id="R-1")[["id", "method", "product", "geometry"]]
    ledger = gt.coverage(frame.assign(id=["H-1", "H-2"])[["id", "geometry"]], frame)
    found = next(
        e
        for e in gt.map({"releases": frame}, ledger)._children.values()
        if getattr(getattr(e, "spec", None), "id", "") == "released"
    )
    assert sorted(payload.decode(found.payload.body).columns["cls"]) == ["cleared", "processed"]


def test_own_words_of_the_programme_are_understood() -> None:
    frame = releases().iloc[[8]].assign(method_as_entered="handwork")
    programme = gt.Programme(words={"method": {"handwork": "manual"}})
    survey = type("Survey", (), {"layers": {"releases": frame}, "programme": programme, "inputs": (), "rasters": {}})()
    assert list(drawn(gt.map(survey)).values()) == ["cleared"]
    assert list(drawn(gt.map({"releases": frame})).values()) == ["processed"]


def bare_hazards() -> gpd.GeoDataFrame:
    """A polygon, no place, a point and a line."""
    shapes = [
        shapely.box(46.7, 39.8, 46.71, 39.805),
        None,
        shapely.Point(46.715, 39.803),
        shapely.LineString([(46.7, 39.81), (46.71, 39.81)]),
    ]
    return gpd.GeoDataFrame(
        {
            "id": [f"H-{n}" for n in range(1, 5)],
            "classification": "CHA",
            "status": ["open", "open", "open", "closed"],
            "area_reported_m2": [100.0, 5e4, 7e4, None],
        },
        geometry=shapes,
        crs=4326,
    )


def test_hazards_without_ground_are_counted_with_what_they_report() -> None:
    hazards = bare_hazards()
    release = releases().iloc[:1]
    for layers in ({"hazards": hazards}, {"hazards": hazards, "releases": release}):
        assert gt.map(layers).page.describe()["noGround"] == {"n": 3, "m2": 120_000.0, "unstated": 1}
    ledger = gt.coverage(hazards, release)
    assert ledger.totals["hazards_without_ground"] == 3
    assert (
        gt.map({"hazards": hazards.iloc[:2]}, ledger).page.describe()["noGround"]["n"] == 3
    )  # the ledger knows more than is shown
    assert "noGround" not in gt.map({"hazards": hazards.iloc[:1]}).page.describe()


def test_hazards_recorded_as_points_are_danger_points() -> None:
    made = gt.map({"hazards": bare_hazards()})
    assert drawn(made, "hazard_points") == {"H-3": "CHA|open", "H-4": "CHA|closed"}
    assert set(drawn(made, "hazards")) == {"H-1", "H-2"}
    points = next(e for e in made._children.values() if getattr(getattr(e, "spec", None), "id", "") == "hazard_points")
    assert [s.geom_type for s in payload.decode(points.payload.body).geometries] == ["Point", "Point"]
    assert points.spec.visible
    only = gt.map({"hazards": bare_hazards().iloc[[2]]})
    assert drawn(only, "hazard_points") == {"H-3": "CHA|open"}


@pytest.mark.browser
def test_the_panel_says_what_has_no_ground(show: Any, tmp_path: Any) -> None:
    made = gt.map({"hazards": bare_hazards(), "releases": releases().iloc[:1].assign(date=pd.Timestamp("2022-01-01"))})
    opened = show(gt.webmap.save(made, tmp_path / "map.html"))
    for lang in LANGUAGES:
        opened.page.select_option(".gt-lang", lang)
        assert opened.page.text_content(".gt-noground").startswith(("3 ", "Опасных районов без границы на карте: 3"))
        assert "12" in opened.page.text_content(".gt-noground")
        assert opened.page.text_content(".gt-figures .gt-bare b") == "+3"
    opened.quiet()


def test_a_comparison_names_what_it_cannot_draw() -> None:
    hazards = bare_hazards()
    far = hazards.assign(geometry=[shapely.box(1e9, 1e9, 1e9 + 1, 1e9 + 1), *hazards.geometry[1:]])
    page = gt.webmap.compare({"hazards": hazards}, {"hazards": far}).page
    assert page.describe()["noGround"]["n"] == 4
    assert "H-1" in page.notes[0]["en"]
