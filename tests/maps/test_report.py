"""The report that people sign: it never says more than the records, reads right in four languages, and is reproducible."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import geotools as gt
from geotools.maps.report import facts
from geotools.model.errors import MapError
from geotools.model.schema import Issue, issues_frame
from geotools.model.vocab import LANGUAGES

pypdf = pytest.importorskip("pypdf")
pytest.importorskip("segno")
poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils (pdftotext) is not installed")


@pytest.fixture
def survey(make: Any) -> Any:
    done, half = make.square(), make.square(400, 0)
    hazards = make.frame(make.hazard("H-1", done, place="Şəffaf kənd"), make.hazard("H-2", half))
    releases = make.frame(
        make.release("R-1", make.square(side=60), date=pd.Timestamp("2022-03-01"), activity_id="A-1"),
        make.release(
            "R-2",
            make.square(-5, -5, 110),
            date=pd.Timestamp("2022-04-01"),
            organisation="İkinci Birlik (synthetic)",
            activity_id=None,
        ),
        make.release("R-3", make.square(400, 0, 50), hazard_id="H-2", activity_id=None),
    )
    finds = make.frame(
        {"id": "F-1", "activity_id": "A-1", "category": "ap_mine", "qty": 2, "depth_cm": 7.0, "date": pd.Timestamp("2022-03-02"), "model": "<script>$x$", "geometry": shapely.Point(make.origin[0] + 9, make.origin[1] + 9)},
        {"id": "F-2", "activity_id": "A-1", "category": None, "qty": None, "depth_cm": None, "date": None, "model": None, "geometry": None},
    )  # fmt: skip
    activities = make.frame(
        {
            "id": "A-1",
            "type": "clearance",
            "method": "manual",
            "start": pd.Timestamp("2022-02-01"),
            "end": pd.Timestamp("2022-03-01"),
            "workers": 8,
            "hours": 300.0,
            "geometry": None,
        }
    )
    samples = make.frame(
        {
            "id": "Q-1",
            "hazard_id": "H-1",
            "date": pd.Timestamp("2022-05-01"),
            "result": "passed",
            "nonconformity": "none",
            "geometry": done.centroid,
        }
    )
    return gt.Survey(
        "Test programme (synthetic)",
        {"hazards": hazards, "releases": releases, "finds": finds, "activities": activities, "samples": samples},
    )


@pytest.fixture
def ledger(survey: Any) -> Any:
    return gt.coverage(survey.hazards, survey.releases)


NO_ISSUES = issues_frame()


def text_of(file: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True)
    return " ".join(done.stdout.split())


@poppler
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_finished_task_reads_right_in_every_language(survey: Any, ledger: Any, tmp_path: Path, lang: str) -> None:
    document = gt.report.build(survey, "H-1", ledger, lang=lang, issues=NO_ISSUES)
    assert document.complete, document.reasons
    text = text_of(document.save(tmp_path / "r.pdf"))
    for key in (
        "completion",
        "summary",
        "ledger",
        "boundary",
        "finds",
        "activities",
        "inspections",
        "signatures",
        "provenance",
        "statement",
    ):
        wanted = facts.word(key, lang)
        assert wanted in text or key == "summary", (key, wanted)
    for exact in ("H-1", "R-1", "R-2", "İkinci Birlik (synthetic)", "<script>$x$", "Şəffaf kənd", document.digest):
        assert exact in text, exact
    assert set(facts.words()["map"]) == set(LANGUAGES)
    assert all(set(row) == set(LANGUAGES) for row in facts.words().values())


def test_the_ledger_of_the_report_adds_up_to_the_ledger(survey: Any, ledger: Any) -> None:
    told = facts.Facts.of(survey, "H-1", ledger, NO_ISSUES)
    line = ledger.table.set_index("id").loc["H-1"]
    assert told.releases["here_m2"].sum() == pytest.approx(line["released_m2"], abs=0.01)
    assert told.depths()["m2"].sum() == pytest.approx(line["cleared_m2"], abs=0.01)
    assert told.releases["id"].tolist() == ["R-1", "R-2"]
    assert told.finds["id"].tolist() == ["F-1", "F-2"]


def test_what_speaks_against_completion_stands_first_and_changes_the_title(survey: Any, ledger: Any, make: Any) -> None:
    open_work = gt.report.build(survey, "H-2", ledger, issues=NO_ISSUES, certificate=True)
    assert not open_work.complete
    assert "7,50" in open_work.reasons[0].replace("\u00a0", ",")
    assert open_work.title.startswith("Task report: work not complete")
    error = issues_frame([Issue("TP-03", "error", "releases", "R-1", message="overlaps another")])
    assert "data errors that concern this task: 1" in gt.report.build(survey, "H-1", ledger, issues=error).reasons[0]
    critical = survey.samples.assign(nonconformity="critical")
    layers = {**survey.layers, "samples": critical}
    assert "critical" in gt.report.build(gt.Survey("x", layers), "H-1", ledger, issues=NO_ISSUES).reasons[0]
    for wrong in ({"result": "failed"}, {"nonconformity": "major"}):
        layers = {**survey.layers, "samples": survey.samples.assign(**wrong)}
        refused = gt.report.build(gt.Survey("x", layers), "H-1", ledger, issues=NO_ISSUES, certificate=True)
        assert not refused.complete
        assert "Q-1" in refused.reasons[0]
        assert "Handover" not in refused.title
    shallow = survey.releases.assign(depth_cm=np.nan)
    again = gt.report.build(
        gt.Survey("x", {**survey.layers, "releases": shallow}),
        "H-1",
        gt.coverage(survey.hazards, shallow),
        issues=NO_ISSUES,
    )
    assert "no recorded depth" in again.reasons[0]
    machine = survey.releases.assign(method="mechanical")
    worked = gt.report.build(
        gt.Survey("x", {**survey.layers, "releases": machine}),
        "H-1",
        gt.coverage(survey.hazards, machine),
        issues=NO_ISSUES,
    )
    assert not worked.complete
    assert "only worked by machine" in " ".join(worked.reasons)


def test_the_same_records_give_the_same_bytes_with_bookmarks(
    survey: Any, ledger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    files = [gt.report.build(survey, "H-1", ledger, issues=NO_ISSUES).save(tmp_path / f"{n}.pdf") for n in (1, 2)]
    assert files[0].read_bytes() == files[1].read_bytes()
    reader = pypdf.PdfReader(files[0])
    titles = [entry.title for entry in reader.outline]
    assert titles[:3] == ["Area summary", "Map", "Boundary: turning points"]
    assert reader.metadata.title == "Completion report H-1"


def test_unknown_hazards_and_unreadable_photographs_are_refused(survey: Any, ledger: Any, tmp_path: Path) -> None:
    with pytest.raises(MapError, match="no hazard 'nothing'"):
        gt.report.build(survey, "nothing", ledger)
    broken = tmp_path / "photo.jpg"
    broken.write_bytes(b"not a picture")
    with pytest.raises(MapError, match="photograph cannot be read"):
        gt.report.build(survey, "H-1", ledger, photos=[broken])


def test_a_photograph_gets_a_page(survey: Any, ledger: Any, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (60, 40), "green").save(tmp_path / "a.png")
    document = gt.report.build(survey, "H-1", ledger, photos=[tmp_path / "a.png"], issues=NO_ISSUES)
    assert "Photographs" in [title for title, _ in document.chapters]


def test_a_task_of_two_thousand_vertices_and_three_hundred_finds_takes_seconds(make: Any, tmp_path: Path) -> None:
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    reach = 400 + 40 * np.sin(9 * angles)
    shape = shapely.Polygon(
        np.column_stack([reach * np.cos(angles), reach * np.sin(angles)]) + np.array(make.origin) + 500
    )
    hazards = make.frame(make.hazard("H-1", shape))
    releases = make.frame(make.release("R-1", shape))
    points = np.random.default_rng(1).uniform(300, 700, (300, 2)) + make.origin
    finds = make.frame(
        *({"id": f"F-{n}", "category": "ap_mine", "qty": 1, "geometry": shapely.Point(p)} for n, p in enumerate(points))
    )
    survey = gt.Survey("Large", {"hazards": hazards, "releases": releases, "finds": finds})
    ledger = gt.coverage(hazards, releases)
    start = time.process_time()
    gt.report.build(survey, "H-1", ledger, issues=NO_ISSUES).save(tmp_path / "r.pdf")
    assert time.process_time() - start < 20, "10 s on an idle machine"


def test_the_command_writes_the_report_and_says_what_is_missing(survey: Any, tmp_path: Path) -> None:
    from geotools.cli.main import cli

    for kind in ("hazards", "releases"):
        gt.write(survey.layers[kind], tmp_path / "s" / f"{kind}.gpkg")
    out = tmp_path / "r.pdf"
    result = CliRunner().invoke(cli, ["report", str(tmp_path / "s"), "--task", "H-2", "-o", str(out), "--json"])
    assert result.exit_code == 1, result.output
    assert not json.loads(result.stdout)["complete"]
    assert out.read_bytes().startswith(b"%PDF")


def test_tracks_on_the_task_get_a_section_of_their_own(survey: Any, make: Any, tmp_path: Path) -> None:
    from geotools.cli.main import cli

    for kind in ("hazards", "releases"):
        gt.write(survey.layers[kind], tmp_path / "s" / f"{kind}.gpkg")
    task = make.frame(
        {"id": "ACT-1", "task_id": "T-1", "type": "clearance", "method": "manual", "geometry": make.square(10, 10, 20)}
    )
    gt.write(task, tmp_path / "s" / "activities.gpkg")
    walk = [(10 + 0.5 * n, 12.0) for n in range(40)]
    gt.write(make.fixes(walk, task_id="T-1", h_acc_m=0.02), tmp_path / "s" / "fixes.gpkg")
    out = tmp_path / "r.pdf"
    result = CliRunner().invoke(cli, ["report", str(tmp_path / "s"), "--task", "H-1", "-o", str(out)])
    assert result.exit_code in (0, 1), result.output
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(out).pages)
    assert "Coverage by tracks" in text
    assert "ACT-1" in text


def test_an_accident_on_the_ground_is_the_first_reason_and_allows_no_certificate(
    survey: Any, ledger: Any, make: Any
) -> None:
    accident = make.frame(
        {
            "id": "ACC-1",
            "date": pd.Timestamp("2024-02-01"),
            "cause": "mine",
            "killed": 1,
            "injured": 0,
            "geometry": make.square().centroid,
        }
    )
    layers = {**survey.layers, "accidents": accident}
    issue = issues_frame([Issue("TP-10", "error", "accidents", "ACC-1", message="after its release")])
    document = gt.report.build(gt.Survey("x", layers), "H-1", ledger, issues=issue, certificate=True)
    assert not document.complete
    assert "ACC-1" in document.reasons[0]
    told = facts.Facts.of(gt.Survey("x", layers), "H-1", ledger, issue)
    assert told.issues["check"].tolist() == ["TP-10"]


def test_slivers_within_the_stated_tolerance_do_not_keep_a_task_open_and_are_told(make: Any) -> None:
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 100)))
    releases = make.frame(make.release("R-1", make.square(0, 0, 99.97), date=pd.Timestamp("2022-04-01")))
    error = issues_frame([Issue("RL-13", "error", "hazards", "H-1", message="closed with land remaining")])
    ledger = gt.coverage(hazards, releases)
    left = float(ledger.table["remaining_m2"].iloc[0])
    assert 5 < left < 7
    strict = gt.report.build(gt.Survey("x", {"hazards": hazards, "releases": releases}), "H-1", ledger, issues=error)
    assert not strict.complete and len(strict.reasons) == 2
    allowed = gt.Survey(
        "x", {"hazards": hazards, "releases": releases}, programme=gt.Programme(limits={"finished_m2": 10.0})
    )
    document = gt.report.build(allowed, "H-1", ledger, issues=error)
    assert document.complete
    assert facts.Facts.of(allowed, "H-1", ledger, error).tolerated_m2 == pytest.approx(left)
    two = issues_frame([Issue("TP-03", "error", "hazards", "H-1", message="overlaps another")])
    assert not gt.report.build(allowed, "H-1", ledger, issues=two).complete


@poppler
def test_what_is_let_pass_and_the_titles_of_issues_are_printed_in_the_language(make: Any, tmp_path: Path) -> None:
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 100)))
    releases = make.frame(make.release("R-1", make.square(0, 0, 99.97), date=pd.Timestamp("2022-04-01")))
    survey = gt.Survey(
        "x", {"hazards": hazards, "releases": releases}, programme=gt.Programme(limits={"finished_m2": 10.0})
    )
    found = issues_frame([Issue("RL-10", "info", "releases", "R-1", message="it names no hazard")])
    document = gt.report.build(survey, "H-1", gt.coverage(hazards, releases), issues=found, lang="tr")
    text = text_of(document.save(tmp_path / "r.pdf"))
    assert "sayısallaştırma artıkları" in text
    assert "Serbest bırakma alan belirtmiyor" in text


def test_text_flows_from_page_to_page_with_the_map_between_and_bookmarks_that_hit(
    survey: Any, ledger: Any, tmp_path: Path
) -> None:
    found = issues_frame([Issue("TP-19", "warning", "releases", "R-1", message="said at some length " * 9)] * 38)
    document = gt.report.build(survey, "H-1", ledger, issues=found)
    starts = dict(document.chapters)
    assert list(starts) == [
        "Area summary",
        "Map",
        "Boundary: turning points",
        "Explosive ordnance found",
        "Open issues in the data",
        "Sign-off",
    ]
    assert starts["Area summary"] == 0 and starts["Map"] == 1
    texts = [[t for a in figure.axes for t in a.texts] for figure in document.figures]
    for title, page in document.chapters:
        if title not in ("Area summary", "Map"):
            assert any(t.get_text() == title for t in texts[page]), title
    for number, page in enumerate(texts, start=1):
        if number - 1 != starts["Map"]:
            assert any(t.get_text() == f"Page {number}" for t in page)
    for page in (t for n, t in enumerate(texts[:-1]) if n != starts["Map"]):
        lowest = min(t.get_position()[1] for t in page if t.get_position()[1] > 20)
        assert lowest < 75, "the next block would not have fitted"


def printed(document: Any) -> list[list[str]]:
    """The texts of each page."""
    return [[t.get_text() for a in figure.axes for t in a.texts] for figure in document.figures]


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_what_a_record_leaves_out_is_never_printed_as_a_computer_word(survey: Any, make: Any, lang: str) -> None:
    """Missing as pandas has it (NaN, NA, None) in every column of words that the report prints."""
    layers = dict(survey.layers)
    for missing in (np.nan, pd.NA, None):
        gaps = {"hazards": ("classification", "status", "contamination", "place"), "releases": ("method", "organisation", "team"), "activities": ("type", "method"), "samples": ("result", "nonconformity", "inspector")}  # fmt: skip
        for kind, columns in gaps.items():
            empty = [pd.Series([missing] * len(layers[kind]), index=layers[kind].index, dtype=object)] * len(columns)
            layers[kind] = layers[kind].assign(**dict(zip(columns, empty, strict=True)))
        place = make.square().centroid
        layers["accidents"] = make.frame(
            {"id": "X-1", "hazard_id": "H-1", "cause": missing, "date": pd.NaT, "geometry": place}
        )
        bare = gt.Survey("Test programme (synthetic)", layers)
        document = gt.report.build(bare, "H-1", gt.coverage(bare.hazards, bare.releases), lang=lang)
        said = [text for page in printed(document) for text in page]
        assert not [text for text in said if text.lower() in ("nan", "none", "<na>", "nat")]
        assert not [text for text in said if "nan" in text.lower().split() or "<na>" in text.lower()]
        assert facts.word("not_stated", lang) in said  # the method of the releases


def test_a_table_that_goes_over_a_page_says_its_title_again(survey: Any, ledger: Any) -> None:
    found = issues_frame([Issue("TP-19", "warning", "releases", "R-1", message="said at some length " * 9)] * 38)
    document = gt.report.build(survey, "H-1", ledger, issues=found)
    pages = printed(document)
    with_rows = [n for n, page in enumerate(pages) if "TP-19" in page]
    assert len(with_rows) > 1
    first, *others = with_rows
    assert "Open issues in the data" in pages[first]
    for number in others:
        assert pages[number].count("Open issues in the data (continued)") == 1
        assert "Open issues in the data" not in pages[number]
    assert sum(page.count("TP-19") for page in pages) == 38, "no row is lost or told twice"


def test_a_long_ruled_table_repeats_its_head_on_each_page(survey: Any, ledger: Any, make: Any) -> None:
    layers = dict(survey.layers)
    one = layers["finds"].iloc[0].to_dict()
    layers["finds"] = make.frame(*({**one, "id": f"F-{n}"} for n in range(150)))
    document = gt.report.build(gt.Survey("Test programme (synthetic)", layers), "H-1", ledger, issues=issues_frame([]))
    pages = [page for page in printed(document) if "AP mine" in page or any(t.startswith("F-") for t in page)]
    assert len(pages) > 1
    assert all(facts.word("col_category") in page for page in pages)
    assert all("Explosive ordnance found (continued)" in page for page in pages[1:])


def test_what_is_not_a_pdf_is_refused_with_a_hint_about_the_report(survey: Any, ledger: Any, tmp_path: Path) -> None:
    document = gt.report.build(survey, "H-1", ledger, issues=NO_ISSUES)
    with pytest.raises(MapError, match=r"written as \.pdf") as caught:
        document.save(tmp_path)
    assert caught.value.hint == "give -o a name that ends in .pdf"
