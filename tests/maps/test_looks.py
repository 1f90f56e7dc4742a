"""How maps and papers look: legend and map agree at every zoom, buttons in sight, one style of numbers, no heading over another."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import PathPatch
from matplotlib.text import Text

import geotools as gt
from geotools.maps import charts
from geotools.maps.sheet import card, column, frame, phrase
from geotools.model import figures as gt_figures
from geotools.model.schema import issues_frame
from geotools.model.vocab import LANGUAGES
from tests.maps.conftest import DESKTOP, Opened, area

atlas = importlib.import_module("geotools.maps.sheet.atlas")
Show = Callable[..., Opened]
POINT_NUMBER = re.compile(r"(?<![\w.,])\d+\.\d+(?![\w.])")
GROUPED = re.compile(r"\d{1,3}(\.\d{3})+")


@pytest.fixture
def survey(make: Any) -> Any:
    ring = [(0, 0), (180, -20), (260, 60), (240, 200), (120, 260), (-30, 180)]
    shape = shapely.affinity.translate(shapely.Polygon(ring), *make.origin)
    hazards = make.frame(
        make.hazard("H-1", shape, place="Nümunə"), make.hazard("H-2", make.square(700, 600, 90), classification="SHA")
    )
    releases = make.frame(
        make.release("R-1", make.square(20, 10, 120)),
        make.release("R-2", make.square(150, 60, 60), method="mechanical"),
    )
    return gt.Survey("Test programme (synthetic)", {"hazards": hazards, "releases": releases})


@pytest.fixture
def ledger(survey: Any) -> Any:
    return gt.coverage(survey.hazards, survey.releases)


def texts(figures: Any) -> list[str]:
    return [text.get_text() for figure in figures for text in figure.findobj(Text) if text.get_text().strip()]


# --- paper -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_heading_of_a_card_lies_over_another(survey: Any, ledger: Any, lang: str) -> None:
    (figure,) = card(survey, "H-1", ledger, lang=lang).figures
    FigureCanvasAgg(figure).draw()
    found = [
        (t.get_text(), t.get_window_extent())
        for t in figure.findobj(Text)
        if t.get_text().strip() and "mathregular" not in t.get_text()
    ]
    for n, (one, a) in enumerate(found):
        for two, b in found[n + 1 :]:
            wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert not (wide > 1 and high > 3), f"'{one}' lies over '{two}'"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_paper_writes_numbers_in_one_style(survey: Any, ledger: Any, lang: str) -> None:
    pytest.importorskip("segno")
    made = gt.report.build(survey, "H-1", ledger, lang=lang, issues=issues_frame())
    said = texts([*card(survey, "H-1", ledger, lang=lang).figures, *made.figures])
    lines = [line for line in said if "geotools" not in line and "\\mathregular" not in line]
    if lang == "en":
        assert any(POINT_NUMBER.search(line) for line in lines)
        assert not [line for line in lines if re.search(r"\d,\d{1,2}(?!\d)", line)]
    else:
        wrong = [n for line in lines for n in POINT_NUMBER.findall(line) if lang == "ru" or not GROUPED.fullmatch(n)]
        assert not wrong
        assert any(re.search(r"\d,\d", line) for line in lines)


@pytest.mark.parametrize(("lang", "said"), [("en", "12.34"), ("az", "12,34"), ("tr", "12,34"), ("ru", "12,34")])
def test_charts_write_numbers_in_the_same_style(lang: str, said: str) -> None:
    table = pd.DataFrame({"period": ["2024"], "cleared_m2": [123_400.0], "reduced_m2": [0.0], "cancelled_m2": [0.0]})
    figure = charts.released(table, lang=lang)
    assert said in [note.get_text() for note in figure.axes[0].texts]
    assert figure.axes[0].get_ylabel() == ("га" if lang == "ru" else "ha")


def test_a_number_is_never_parted_at_the_end_of_a_line() -> None:
    assert phrase.clean("6\u202f301\u00a0m² in\tall") == "6\u00a0301\u00a0m² in all"
    for width in (12, 14, 16, 20):
        assert not [
            line for line in column.wrap("in all 25\u00a0978\u00a0m² outside", width, 7) if line in ("25", "978")
        ]


def test_a_word_too_long_for_a_line_is_parted_with_a_hyphen_and_an_id_without() -> None:
    parts = column.wrap("Предупреждение", 14, 7)
    assert parts[0].endswith("-") and "".join(p.rstrip("-") for p in parts) == "Предупреждение"
    assert "".join(column.wrap("e0a682d612b0f57b", 10, 7)) == "e0a682d612b0f57b"


@pytest.mark.parametrize("seed", range(4))
def test_the_scale_bar_stands_where_no_hazard_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box, scale = (17.0, 17.0, 180.0, 160.0), 2000
    bounds = (0.0, 0.0, 360.0, 320.0)
    corners = [shapely.box(x, y, x + 90, y + 60) for x in (0, 270) for y in (0, 260)]
    blocked = rng.permutation(4)[:3]
    shapes = np.array([corners[n] for n in blocked], dtype=object)
    x, y = frame.bar_corner(box, bounds, scale, shapes)
    west, south = (x - box[0]) * scale / 1000, (y - box[1]) * scale / 1000
    assert not shapely.intersects(shapely.box(west, south, west + 100, south + 6), shapes).any()


def test_the_index_of_an_atlas_shows_the_hazards_that_have_no_sheet(survey: Any) -> None:
    figure, *_ = atlas._index(survey, survey.hazards, ["H-1"], {"lang": "az"})
    drawn = [patch for patch in figure.findobj(PathPatch) if patch.get_alpha() is not None]
    assert sorted(patch.get_alpha() for patch in drawn) == [0.4, 1.0]
    assert "1" in texts([figure]) and "2" not in texts([figure])


def test_the_index_frames_the_sheets_and_counts_those_far_away() -> None:
    near = np.array([[x, y, x + 100, y + 100] for x in range(0, 3000, 500) for y in range(0, 3000, 500)], dtype=float)
    far = near[:2] + 90_000
    assert atlas._block(near).all()
    assert atlas._block(np.vstack([near, far])).sum() == len(near)


def test_areas_are_never_parted_from_their_heading(survey: Any, ledger: Any) -> None:
    from geotools.maps.sheet.contents import areas
    from geotools.maps.sheet.task import Task

    assert len(areas(Task.of(survey, "H-1", ledger, {"lang": "az"}))) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_last_page_of_a_report_never_holds_the_code_alone(survey: Any, ledger: Any, lang: str) -> None:
    pytest.importorskip("segno")
    made = gt.report.build(survey, "H-1", ledger, lang=lang, issues=issues_frame())
    last = texts([made.figures[-1]])
    assert any(made.digest in line for line in last), "the digest in words stands beside its code"
    assert any(line.startswith("geotools ") for line in last)


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("languages", "asked", "expected"),
    [(("az", "en"), "", "az"), (("fr", "tr"), "", "tr"), (("fr",), "", "en"), (("az",), "ru", "ru")],
)
def test_the_page_opens_in_the_first_language_of_the_programme(
    survey: Any, tmp_path: Path, languages: tuple[str, ...], asked: str, expected: str
) -> None:
    spoken = gt.Survey(survey.name, survey.layers, programme=replace(survey.programme, languages=languages))
    made = gt.map(spoken, coverage=False, lang=asked) if asked else gt.map(spoken, coverage=False)
    text = gt.webmap.save(made, tmp_path / "map.html").read_text("utf-8")
    assert f'<html lang="{expected}"' in text
    assert made.page.describe()["lang"] == expected


def test_what_the_reader_chose_goes_before_the_programme(show: Show, survey: Any, tmp_path: Path) -> None:
    spoken = gt.Survey(survey.name, survey.layers, programme=replace(survey.programme, languages=("az", "en")))
    path = gt.webmap.save(gt.map(spoken, coverage=False), tmp_path / "map.html")
    opened = show(path)
    assert opened.page.evaluate("document.documentElement.lang") == "az"
    opened.page.select_option(".gt-lang", "tr")
    opened.page.reload()
    opened.ready()
    assert opened.page.evaluate("document.documentElement.lang") == "tr"


SWATCH = """(id) => { const c = document.getElementById(id).closest('.gt-row').querySelector('canvas.gt-swatch'), r = c.width / 26;
  return Array.from(c.getContext('2d').getImageData(Math.round(23 * r), Math.round(9 * r), 1, 1).data); }"""


def test_legend_and_map_agree_on_areas_too_small_for_a_pattern(show: Show, tmp_path: Path) -> None:
    frame_ = gpd.GeoDataFrame(
        {"id": ["H-1", "H-2"], "classification": ["CHA", "SHA"], "status": ["open", "open"]},
        geometry=[area(0, 0), area(1, 0, 0.0002, 0.0002)],
        crs="EPSG:4326",
    )
    path = gt.webmap.save(gt.map({"hazards": frame_}), tmp_path / "map.html")
    opened = show(path, fragment="#v=39.811,46.756,15")
    page, theme = opened.page, gt.symbols.theme("safe")
    said = page.evaluate("geotools.pages[0].layers.map((l) => [l.spec.id, Array.from(l.small)])")
    flags = dict(said)
    (name,) = [n for n in flags if n.endswith("hazards")]
    classes = page.evaluate(
        "(n) => geotools.pages[0].layers.find((l) => l.spec.id === n).spec.classes.map((c) => c.key)", name
    )
    small = dict(zip(classes, flags[name], strict=True))
    assert [key for key, on in small.items() if on and key.startswith(("CHA", "SHA"))] and not any(
        on for key, on in small.items() if key.startswith("CHA")
    )
    assert page.locator(".gt-plain").count() == 1
    page.evaluate("geotools.pages[0].map.setView([39.811, 46.756], 19, { animate: false })")
    opened.settle()
    assert page.locator(".gt-plain").count() == 0
    page.evaluate("geotools.pages[0].map.setView([39.811, 46.756], 7, { animate: false })")
    opened.settle()
    rows = page.evaluate("Array.from(document.querySelectorAll('.gt-rowsub input')).map((i) => i.id)")
    for key in ("CHA", "SHA"):
        (row,) = [r for r in rows if f"--{key}" in r][:1]
        solid = theme.hazard(key, "open").solid
        assert page.evaluate(SWATCH, row)[:3] == [int(solid[n : n + 2], 16) for n in (1, 3, 5)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_button_of_the_card_is_in_sight(show: Show, small_page: Path, lang: str) -> None:
    opened = show(small_page, size=DESKTOP, fragment=f"#lang={lang}")
    opened.page.fill("#gt-search", "h 01")
    opened.page.click(".gt-results button")
    opened.settle()
    whole = opened.page.locator(".gt-card").bounding_box()
    buttons = [b.bounding_box() for b in opened.page.locator(".gt-actions button").all()]
    assert len(buttons) == 3
    for one in buttons:
        assert one["y"] + one["height"] <= whole["y"] + whole["height"]
        assert whole["x"] <= one["x"] and one["x"] + one["width"] <= whole["x"] + whole["width"]


def test_the_table_of_the_map_cuts_what_is_released_and_raises_what_remains(show: Show, tmp_path: Path) -> None:
    shape = area(0, 0)
    part = shapely.affinity.scale(shape, xfact=0.33337, origin=(shape.bounds[0], shape.bounds[1]))
    hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shape], crs="EPSG:4326")
    releases = gpd.GeoDataFrame(
        {"id": ["R-1"], "hazard_id": ["H-1"], "product": ["cleared"], "date": pd.to_datetime(["2024-05-01"])},
        geometry=[part], crs="EPSG:4326",
    )  # fmt: skip
    line = gt.coverage(hazards, releases).table.iloc[0]
    opened = show(gt.webmap.save(gt.map({"hazards": hazards, "releases": releases}, lang="ru"), tmp_path / "map.html"))
    opened.page.evaluate("geotools.pages[0].openTable()")
    cells = opened.page.locator(".gt-table tbody tr td.gt-num").all_inner_texts()
    for name in ("cleared_m2", "remaining_m2"):
        assert gt_figures.square_metres(line[name], "ru", gt_figures.direction(name)) in cells
    assert not [cell for cell in cells if "м" in cell]


def test_days_of_a_comparison_are_named_in_the_language_of_the_page(show: Show, tmp_path: Path) -> None:
    hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[area(0, 0)], crs="EPSG:4326")
    made = gt.webmap.compare(
        {"hazards": hazards}, {"hazards": hazards}, days=("2023-01-01", "2024-06-30"), names=("", ""), lang="az"
    )
    opened = show(gt.webmap.save(made, tmp_path / "map.html"))
    assert opened.page.locator(".gt-side").all_inner_texts() == ["1 yan 2023", "30 iyn 2024"]
    titles = opened.page.evaluate(
        "(() => { const p = geotools.pages[0]; return p.layers.map((l) => p.pick(l.spec.title)); })()"
    )
    assert any("30 iyn 2024" in title for title in titles) and not any("2024-06-30" in title for title in titles)


def test_a_printed_legend_is_never_cut_and_names_hazards_without_a_boundary(show: Show, tmp_path: Path) -> None:
    shapes = [*[area(n % 8, n // 8) for n in range(48)], None]
    names = [f"H-{n}" for n in range(49)]
    hazards = gpd.GeoDataFrame({"id": names, "classification": "CHA"}, geometry=shapes, crs="EPSG:4326")
    many = {f"a layer with a rather long name {n}": hazards.iloc[[n]][["id", "geometry"]] for n in range(48)}
    opened = show(gt.webmap.save(gt.map({"hazards": hazards, **many}), tmp_path / "map.html"))
    opened.page.evaluate("geotools.pages[0].printOn()")
    opened.settle()
    assert "scale" in opened.page.evaluate("document.querySelector('.gt-sheet').style.transform"), (
        "more than paper holds"
    )
    sheet, last = (opened.page.locator(name).last.bounding_box() for name in (".gt-sheet", ".gt-sheet p"))
    assert last["y"] + last["height"] <= sheet["y"] + sheet["height"] + 1
    assert opened.page.locator(".gt-sheet .gt-noground").get_attribute("data-n") == "1"
