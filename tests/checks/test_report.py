"""The report page: whole, offline, safe against hostile words, right counts; and the comparison of two runs."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geotools as gt
from geotools.checks import files, report
from geotools.checks.messages import LANGUAGES, table
from geotools.model.schema import Issue, issues_frame

NASTY = "<script>document.title='owned'</script>\"'><img src=x onerror=document.title='owned'>\u202e"
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def spoiled(plant, defects):
    frames, _ = plant(4, ["crossing_boundary", *list(defects)[2::6]], cells=160)
    hazards = frames["hazards"].copy()
    hazards.loc[hazards.index[0], "organisation"] = NASTY
    hazards.loc[hazards.index[0], "note"] = NASTY
    hazards.loc[hazards.index[1], "id"] = NASTY
    return {**frames, "hazards": hazards}


@pytest.fixture(scope="module")
def found(spoiled):
    return gt.check(spoiled)


def test_page_is_whole_and_loads_nothing(spoiled, found):
    page = report.page(found, spoiled, title=NASTY)
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert "default-src 'none'" in page
    outside = re.sub(r"https?://(www\.w3\.org|example\.invalid)[^\s\"'<&]*", "", page)
    assert (
        not re.search(r"(src|href)\s*=\s*[\"']?(https?:|//)", outside) and "@import" not in page and "url(" not in page
    )
    assert page.count("<script") == 1 and "onerror=document" not in page.replace("&", "").replace(
        "img src=x onerror", ""
    )


def test_counts_on_the_page_are_those_of_the_table(spoiled, found):
    page = report.page(found, spoiled)
    for code, count in found.groupby(["severity", "check"]).size().items():
        anchor = f"{code[1]}-{code[0]}"
        assert re.search(rf'href="#{anchor}">.*?<td class="num">{count}</td></tr>', page), anchor
    assert page.count('<article class="card"') == sum(min(n, 100) for n in found.groupby(["severity", "check"]).size())


def test_most_cards_have_a_thumbnail(spoiled, found):
    page = report.page(found, spoiled)
    assert page.count("<svg") > 0.8 * (found.geometry.notna() & ~found.geometry.is_empty).sum()


def test_page_without_issues_says_so_and_is_bytewise_stable(spoiled, found, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert "does not prove" in report.page(issues_frame())
    assert report.page(found, spoiled) == report.page(found, spoiled)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_speaks_four_languages(found, language):
    page = report.page(found, language=language)
    place = LANGUAGES.index(language)
    assert f'<html lang="{language}">' in page
    assert table()["report"]["by_rule"][place] in page and table()["GC-01"]["title"][place] in page


def issue(check, id, message="m", **more):
    return Issue(check, "error", "hazards", id, message=message, **more)


def test_comparison_adds_up_whatever_the_runs():
    rng = np.random.default_rng(1)
    for _ in range(6):
        runs = [
            issues_frame(
                [issue(f"GC-0{a}", f"H-{b}", f"m{c}") for a, b, c in rng.integers(1, 5, (int(rng.integers(0, 30)), 3))]
            )
            for _ in range(2)
        ]
        both = gt.checks.compare(*runs)
        counts = both["state"].value_counts()
        assert counts.get("new", 0) + counts.get("open", 0) == len(runs[1])
        assert counts.get("fixed", 0) + counts.get("open", 0) == len(runs[0])
        assert (gt.checks.compare(runs[0], runs[0])["state"] == "open").all()


def test_a_figure_that_moved_is_still_the_old_fault():
    before = issues_frame([issue("TP-01", "H-1", "overlaps on 12 m²"), issue("TP-01", "H-1", "overlaps on 30 m²")])
    after = issues_frame(
        [
            issue("TP-01", "H-1", "overlaps on 30 m²"),
            issue("TP-01", "H-1", "overlaps on 13 m²"),
            issue("TP-01", "H-1", "overlaps on 99 m²"),
        ]
    )
    assert gt.checks.compare(before, after)["state"].value_counts().to_dict() == {"open": 2, "new": 1}


@pytest.mark.parametrize("ending", files.TABLES)
def test_saved_issues_come_back(tmp_path, found, ending):
    path = files.save(found, tmp_path / f"issues{ending}")
    back = files.load(path)
    assert len(back) == len(found)
    assert (gt.checks.compare(found, back)["state"] == "open").all()
    with pytest.raises(gt.errors.WriteError):
        files.save(found, path)


def test_what_is_no_table_of_issues_is_refused(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    broken = tmp_path / "broken.json"
    broken.write_text("{", "utf-8")
    for path in (other, broken, tmp_path / "nothing.gpkg"):
        with pytest.raises(gt.errors.ReadError):
            files.load(path)
    with pytest.raises(gt.errors.WriteError, match="xlsx"):
        files.save(issues_frame(), tmp_path / "issues.xlsx")


def test_report_of_a_large_run_stays_small_and_says_what_it_leaves_out():
    shapes = [shapely.box(47 + n * 1e-4, 39.5, 47 + n * 1e-4 + 5e-5, 39.5001) for n in range(3000)]
    hazards = gpd.GeoDataFrame(pd.DataFrame({"id": [f"H-{n}" for n in range(3000)]}), geometry=shapes, crs=4326)
    issues = issues_frame([issue("GC-01", f"H-{n}", geometry=shapes[n]) for n in range(3000)])
    page = report.page(issues, {"hazards": hazards})
    assert len(page) < 600_000 and "The first 100 of 3000" in page


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_page_opens_offline_in_a_browser(tmp_path, spoiled, found, width, height):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip("no Chromium at /usr/bin/chromium")
    path = tmp_path / "issues.html"
    older = found.iloc[::2]
    path.write_text(report.page(found, spoiled, since=older, title=NASTY), "utf-8")
    from tests.maps.playing import playing

    with playing() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        page = context.new_page()
        errors, requests = [], []
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: requests.append(r.url))
        page.goto(path.as_uri())
        assert "owned" not in page.title()[:6] and page.evaluate("document.images.length") == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        visible = "[...document.querySelectorAll('.card')].filter(c => c.style.display !== 'none').length"
        everything = page.evaluate(visible)
        page.select_option("#severity", "error")
        errors_only = page.evaluate(visible)
        assert errors_only == page.locator('.card[data-severity="error"]').count() < everything
        page.fill("#search", "H-00158")
        assert 0 < page.evaluate(visible) < errors_only
        page.select_option("#state", "fixed")
        assert page.evaluate(visible) == 0
        page.fill("#search", "")
        page.select_option("#severity", "")
        page.select_option("#state", "new")
        assert page.evaluate(visible) == page.locator('.card[data-state="new"]').count() > 0
        assert page.evaluate("[...document.querySelectorAll('svg path.r')].every(p => p.getBBox().width >= 0)")
        assert errors == [] and [r for r in requests if not r.startswith("file:")] == []
        browser.close()
