"""Printed sheets: true scale measured on the PDF, nothing cut or overlapping, the same bytes, four languages."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import geotools as gt
from geotools.maps import sheet
from geotools.maps.sheet import column, paper, phrase
from geotools.model.errors import MapError, WriteError
from geotools.model.vocab import LANGUAGES

poppler = pytest.mark.skipif(
    shutil.which("pdftocairo") is None, reason="poppler-utils (pdftocairo, pdftotext) is not installed"
)
DAY = date(2026, 11, 23)


@pytest.fixture
def survey(make: Any) -> Any:
    ring = [(0, 0), (180, -20), (260, 60), (240, 200), (120, 260), (-30, 180)]
    shape = shapely.affinity.translate(shapely.Polygon(ring), *make.origin)
    hazards = make.frame(
        make.hazard("H-1", shape, place="Nümunə <b>kənd</b> $x$"),
        make.hazard("H-2", make.square(700, 600, 90), classification="SHA"),
    )
    releases = make.frame(
        make.release("R-1", make.square(20, 10, 120)),
        make.release("R-2", make.square(150, 60, 60), method="mechanical"),
    )
    finds = make.frame(
        {
            "id": "F-1",
            "category": "ap_mine",
            "qty": 1,
            "geometry": shapely.Point(make.origin[0] + 60, make.origin[1] + 60),
        }
    )
    return gt.Survey("Test programme (synthetic)", {"hazards": hazards, "releases": releases, "finds": finds})


@pytest.fixture
def ledger(survey: Any) -> Any:
    return gt.coverage(survey.hazards, survey.releases)


def grid_lines(pdf: Path) -> tuple[np.ndarray, np.ndarray]:
    """x of the vertical and y of the horizontal grid lines in mm from the lower left corner, read from the PDF by poppler.

    The path data are in the page's own points; the transform that poppler adds only fits the page to its canvas.
    """
    svg = subprocess.run(
        ["pdftocairo", "-svg", "-f", "1", "-l", "1", str(pdf), "-"], capture_output=True, check=True, text=True
    ).stdout
    x, y = set(), set()
    for tag in re.findall(r"<path[^>]+>", svg):
        points = re.search(r' d="M ([\d.-]+) ([\d.-]+) L ([\d.-]+) ([\d.-]+) "', tag)
        if "stroke:rgb(17.25" not in tag or not points:
            continue
        a, b, c, d = (float(v) * 25.4 / 72 for v in points.groups())
        if abs(a - c) < 1e-6:
            x.add(a)
        elif abs(b - d) < 1e-6:
            y.add(b)
    return np.array(sorted(x)), np.array(sorted(y))


@poppler
@pytest.mark.parametrize("name", ["A4", "A3"])
def test_a_hundred_metres_on_the_ground_are_forty_millimetres_at_one_to_2500(
    survey: Any, tmp_path: Path, name: str
) -> None:
    page = sheet.draw(survey, "H-1", scale=2500, paper=name, day=DAY)
    x, y = grid_lines(page.save(tmp_path / "a.pdf"))
    assert len(x) > 2
    assert len(y) > 2
    assert np.abs(np.diff(x) - 40).max() < 0.01
    assert np.abs(np.diff(y) - 40).max() < 0.01
    left, bottom, *_ = page.frame_mm
    eastings = page.bounds[0] + (x - left) * 2.5
    northings = page.bounds[1] + (y - bottom) * 2.5
    assert np.abs(eastings / 100 - np.round(eastings / 100)).max() * 100 / 2.5 < 0.1, (
        "within 0.1 mm of the right easting"
    )
    assert np.abs(northings / 100 - np.round(northings / 100)).max() * 100 / 2.5 < 0.1


@poppler
@pytest.mark.parametrize("lang", LANGUAGES)
def test_text_comes_out_of_the_pdf_with_the_right_letters(survey: Any, ledger: Any, tmp_path: Path, lang: str) -> None:
    file = sheet.draw(survey, "H-1", ledger, lang=lang, day=DAY).save(tmp_path / "a.pdf")
    text = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True).stdout
    words = " ".join(text.split())
    for wanted in (
        "H-1",
        phrase.word("legend", lang),
        phrase.word("turning_points", lang),
        phrase.word("remaining", lang),
        "Nümunə <b>kənd</b> $x$",
    ):
        assert wanted in words, wanted
    start = phrase.word("warning", lang).split()[:4]
    assert " ".join(start) in words
    fonts = subprocess.run(["pdffonts", str(file)], capture_output=True, check=True, text=True).stdout.splitlines()[2:]
    assert fonts
    assert all(line[-25:].split()[0] == "yes" or " yes " in line for line in fonts), "every font is embedded"


def boxes(figure: Any) -> list[tuple[str, Any]]:
    FigureCanvasAgg(figure)
    figure.set_dpi(200)
    figure.canvas.draw()
    found = []
    for axes in figure.axes:
        for text in axes.findobj(Text):
            if text.get_text().strip() and text.get_visible():
                found.append((text.get_text(), text.get_window_extent()))
    return found


def assert_nothing_is_cut_or_overlaps(figure: Any) -> None:
    width, height = figure.get_size_inches() * 200
    texts = boxes(figure)
    for name, box in texts:
        assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, f"cut off: {name}"
    for n, (one, a) in enumerate(texts):
        for two, b in texts[n + 1 :]:
            wide = min(a.x1, b.x1) - max(a.x0, b.x0)
            high = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert not (wide > 4 and high > 6), f"'{one}' lies over '{two}'"


@pytest.mark.parametrize(("seed", "lang"), [(1, "en"), (2, "ru"), (3, "az"), (4, "tr")])
def test_nothing_is_cut_and_no_text_lies_over_another(make: Any, seed: int, lang: str) -> None:
    check_random_task(make, seed, lang)


@pytest.mark.slow
def test_nothing_overlaps_on_twenty_random_tasks(make: Any) -> None:
    for seed in range(10, 30):
        check_random_task(make, seed, LANGUAGES[seed % 4])


def check_random_task(make: Any, seed: int, lang: str) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(4, 40))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    reach = rng.uniform(40, 40 * 4 ** rng.uniform(0.2, 2)) * rng.uniform(0.5, 1, count)
    shape = gt.geom.repair(
        shapely.Polygon(np.column_stack([reach * np.sin(angles), reach * np.cos(angles)]) + make.origin)
    )
    hazards = make.frame(make.hazard("H-1", shape, place="Çox uzun adlı yaşayış məntəqəsi " * 3))
    cut = shapely.box(*shape.bounds).buffer(-10)
    releases = make.frame(
        *(
            make.release(f"R-{p}", shapely.affinity.translate(cut, 40 * n, 0), product=p)
            for n, p in enumerate(("cleared", "reduced", "cancelled"))
        )
    )
    survey = gt.Survey(
        "Programme with a name that is longer than a line " * 2, {"hazards": hazards, "releases": releases}
    )
    page = sheet.draw(
        survey, "H-1", gt.coverage(hazards, releases), lang=lang, day=DAY, paper="A4" if seed % 3 else "A3"
    )
    for figure in page.figures:
        assert_nothing_is_cut_or_overlaps(figure)
    west, south, east, north = page.bounds
    assert west < shape.bounds[0] and shape.bounds[2] < east and south < shape.bounds[1] and shape.bounds[3] < north


def test_every_turning_point_is_in_the_table_with_bearings_that_close(survey: Any) -> None:
    page = sheet.draw(survey, "H-1", day=DAY)
    shown = {t.get_text() for f in page.figures for a in f.axes for t in a.findobj(Text)}
    assert {f"TP{n}" for n in range(1, 7)} <= shown
    from geotools.maps.sheet.frame import Norths, point_table, turning_points

    norths = Norths.at(47.13, 39.6, page.crs, DAY)
    shape = gt.crs.to_wgs84(survey.hazards).geometry.iloc[0]
    flat = gt.crs.transform(np.array([shape], dtype=object), gt.crs.WGS84, page.crs)[0]
    rows = point_table(turning_points(flat), norths, page.crs)
    east = sum(r[5] * np.sin(np.radians(r[3])) for r in rows)
    north = sum(r[5] * np.cos(np.radians(r[3])) for r in rows)
    assert np.hypot(east, north) < 0.02
    assert abs(sum(r[5] for r in rows) - gt.measure.length(shape)) < 1e-3
    for row in rows:
        assert (row[3] - row[4]) % 360 == pytest.approx(norths.grid_magnetic)
    assert norths.grid_magnetic == pytest.approx(4.95, abs=0.05), "Fuzuli 2026.9, published as D − γ"


def test_the_same_input_gives_the_same_bytes(
    survey: Any, ledger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    for ending in ("pdf", "png"):
        one = sheet.draw(survey, "H-1", ledger, day=DAY).save(tmp_path / f"1.{ending}").read_bytes()
        assert one == sheet.draw(survey, "H-1", ledger, day=DAY).save(tmp_path / f"2.{ending}").read_bytes()


def test_an_area_that_does_not_fit_is_refused_never_cut(survey: Any, tmp_path: Path) -> None:
    with pytest.raises(MapError, match="do not fit on A4 at 1:500"):
        sheet.draw(survey, "H-1", scale=500, day=DAY)
    with pytest.raises(MapError, match="no hazard 'X'"):
        sheet.draw(survey, "X")
    page = sheet.draw(survey, "H-1", day=DAY)
    with pytest.raises(MapError, match=r"\.pdf or \.png"):
        page.save(tmp_path / "a.svg")
    page.save(tmp_path / "a.png", dpi=60)
    with pytest.raises(WriteError, match="exists"):
        page.save(tmp_path / "a.png", dpi=60)


def test_the_largest_scale_that_fits_is_taken_in_either_direction() -> None:
    for bounds in ((0, 0, 400, 100), (0, 0, 100, 400), (0, 0, 3000, 2500)):
        place, scale = paper.choose(bounds, "A4", None)
        assert all(np.array(place.extent(scale)) >= np.array([bounds[2], bounds[3]]) * 1.1)
        for larger in [s for s in paper.SCALES if s < scale]:
            with pytest.raises(MapError):
                paper.choose(bounds, "A4", larger)
    assert paper.choose((0, 0, 400, 100), "A4", None)[0].landscape
    assert not paper.choose((0, 0, 200, 320), "A3", None)[0].landscape


def test_every_phrase_is_there_in_every_language_and_wraps_within_its_column() -> None:
    assert all(languages == set(LANGUAGES) for languages in phrase.keys().values())
    for lang in LANGUAGES:
        for line in column.wrap(phrase.word("warning", lang), 60, 6.6, bold=True):
            assert column.text_width(line, 6.6, bold=True) <= 60
    assert column.wrap("x" * 400, 20, 7)[0] != "x" * 400


@poppler
def test_atlas_has_an_index_and_a_page_for_each_task(survey: Any, tmp_path: Path) -> None:
    gt.write(survey.hazards, tmp_path / "s" / "hazards.gpkg")
    gt.write(survey.releases, tmp_path / "s" / "releases.gpkg")
    result = CliRunner().invoke(
        gt_cli(), ["sheet", str(tmp_path / "s"), "-o", str(tmp_path / "atlas.pdf"), "--lang", "tr"]
    )
    assert result.exit_code == 0, result.output
    info = subprocess.run(["pdfinfo", str(tmp_path / "atlas.pdf")], capture_output=True, check=True, text=True).stdout
    pages = int(re.search(r"Pages:\s+(\d+)", info).group(1))
    assert pages >= 3
    text = subprocess.run(
        ["pdftotext", str(tmp_path / "atlas.pdf"), "-"], capture_output=True, check=True, text=True
    ).stdout
    assert phrase.word("index", "tr") in text
    assert "H-1" in text
    assert "H-2" in text
    one = CliRunner().invoke(
        gt_cli(), ["sheet", str(tmp_path / "s"), "--task", "H-2", "-o", str(tmp_path / "h2.png"), "--dpi", "60"]
    )
    assert "H-2 at 1:1,000 on A4" in one.output


def gt_cli() -> Any:
    from geotools.cli.main import cli

    return cli


def test_land_cover_lies_under_the_ledger_and_only_what_is_there_is_in_the_legend(
    survey: Any, ledger: Any, tmp_path: Path
) -> None:
    import rasterio

    west, _, _, north = survey.hazards.total_bounds
    path = tmp_path / "landcover.tif"
    classes = np.full((100, 100), 40, dtype="uint8")
    classes[:, 50:] = 80
    with rasterio.open(
        path, "w", driver="GTiff", width=100, height=100, count=1, dtype="uint8", crs=survey.hazards.crs.to_wkt(),
        transform=rasterio.Affine(20, 0, west - 500, 0, -20, north + 500),
    ) as target:  # fmt: skip
        target.write(classes, 1)
    covered = gt.Survey(survey.name, survey.layers, rasters={"landcover": path})
    plain = sheet.draw(survey, "H-1", ledger, day=DAY)
    page = sheet.draw(covered, "H-1", ledger, day=DAY)
    words = {text for text, _ in boxes(page.figures[0])} - {text for text, _ in boxes(plain.figures[0])}
    assert {"Cropland", "Water"} & words
    assert not {"Tree cover", "Grassland"} & words
    picture = next(image for axes in page.figures[0].axes for image in axes.images)
    assert picture.get_zorder() < min(patch.get_zorder() for patch in picture.axes.patches)
    for figure in page.figures:
        assert_nothing_is_cut_or_overlaps(figure)


def test_the_state_of_records_is_the_last_day_they_speak_of(survey: Any, ledger: Any) -> None:
    last = survey.information_day.isoformat()
    texts = [text for text, _ in boxes(sheet.draw(survey, "H-1", ledger, day=DAY).figures[0])]
    assert any(f"State of records: {last}" in text for text in texts)
    assert all(f"State of records: {DAY.isoformat()}" not in text for text in texts)


def bottom_of(figure: Any) -> float:
    """The lowest text of a page, as a share of its height."""
    height = figure.get_size_inches()[1] * 200
    return min(box.y0 for _, box in boxes(figure)) / height


def test_a_second_page_is_full_points_above_and_the_surroundings_below(make: Any) -> None:
    ring = [(0, 0), (180, -20), (260, 60), (240, 200), (120, 260), (-30, 180)]
    angles = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    shape = shapely.Polygon(np.column_stack([200 * np.cos(angles), 180 * np.sin(angles)]) + np.array(make.origin))
    few = shapely.affinity.translate(shapely.Polygon(ring), *make.origin)
    for boundary in (shape, few):
        hazards = make.frame(
            make.hazard("H-1", boundary), make.hazard("H-2", make.square(700, 600, 90), status="closed")
        )
        roads = make.frame(
            {
                "id": "L-1",
                "use": "road",
                "geometry": shapely.LineString([make.origin, (make.origin[0] + 9000, make.origin[1])]),
            }
        )
        places = make.frame(
            {"id": "P-1", "name": "Kənd", "geometry": shapely.Point(make.origin[0] - 900, make.origin[1])}
        )
        survey = gt.Survey("x", {"hazards": hazards, "landuse": roads, "places": places})
        releases = make.frame(
            *(
                make.release(f"R-{p}", make.square(40 * n, 0, 40), product=p)
                for n, p in enumerate(("cleared", "reduced", "cancelled"))
            )
        )
        page = sheet.draw(survey, "H-1", gt.coverage(hazards, releases), day=DAY)
        assert len(page.figures) <= 2
        for figure in page.figures:
            assert_nothing_is_cut_or_overlaps(figure)
            assert bottom_of(figure) < 0.3, "what is free is less than a picture of the surroundings needs"
        if len(page.figures) == 2:
            words = {text for text, _ in boxes(page.figures[1])}
            assert {"Kənd", "TP1"} <= {w for text in words for w in text.split()}
            first = {text for text, _ in boxes(page.figures[0])}
            assert any("Magnetic bearing" in text for text in first), "what the map is read with stands beside it"
    assert len(sheet.draw(survey, "H-1", day=DAY, paper="A3").figures) == 1, "where there is room, one page holds all"


def test_shares_of_a_sheet_make_the_whole_and_a_sliver_that_remains_is_not_nothing(make: Any) -> None:
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 400)))
    releases = make.frame(
        make.release(
            "R-1", make.square(0, 0, 400).difference(make.square(398, 398, 2)).difference(make.square(0, 0, 230))
        ),
        make.release("R-2", make.square(0, 0, 230), product="reduced"),
    )
    ledger = gt.coverage(hazards, releases)
    texts = [
        text for text, _ in boxes(sheet.draw(gt.Survey("x", {"hazards": hazards}), "H-1", ledger, day=DAY).figures[0])
    ]
    at = {name: texts.index(name) for name in ("Cleared", "Reduced", "Cancelled", "Remaining")}
    found = {name: float(texts[n + 2]) for name, n in at.items() if re.fullmatch(r"[\d.]+", texts[n + 2])}
    assert len(found) == 4 and sum(found.values()) == pytest.approx(100.0)
    assert 4.0 < ledger.table["remaining_m2"].sum() < 4.01
    assert found["Remaining"] == 0.1 and texts[at["Remaining"] + 1] == "4.1"  # what remains is never told smaller
