"""Own headings of a programme: the position under any name, and mistakes in `columns` said aloud."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import shapely

import geotools as gt
from geotools import io
from geotools.model.programme import Programme

RING = "POLYGON ((47 39, 47.001 39, 47.001 39.001, 47 39.001, 47 39))"


def own(**columns: str) -> Programme:
    return Programme(crs="EPSG:4326", columns={"hazards": columns})


def csv(folder: Path, text: str, name: str = "hazards.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("heading", ["Həndəsə (WKT)", "Геометрия"])
@pytest.mark.parametrize("target", ["geometry", "wkt"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_columns_may_name_the_geometry(tmp_path: Path, heading: str, target: str, ending: str) -> None:
    rows = [["id", heading, "classification"], ["H-1", RING, "SHA"], ["H-2", "unknown", "CHA"]]
    if ending == "csv":
        path = csv(tmp_path, "\n".join(";".join(row) for row in rows))
    else:
        path = tmp_path / "hazards.xlsx"
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    frame, issues = io.read_with_issues(path, programme=own(**{heading: target}))
    assert frame.geometry[0].equals(shapely.from_wkt(RING))
    assert frame.geometry[1] is None
    assert not (issues["check"] == "RD-07").any(), "nothing is doubtful about the heading"
    assert ((issues["check"] == "RD-03") & (issues["id"] == "H-2")).any()


@pytest.mark.parametrize(
    ("header", "cells", "columns"),
    [
        ("Uz,En", "47.5,39.5", {"Uz": "lon", "En": "lat"}),
        ("Şərq,Şimal", "715000,4375000", {"Şərq": "easting", "Şimal": "northing"}),
        ("Yer", "38SQJ1500075000", {"Yer": "mgrs"}),
        ("Yer", "POINT (47.5 39.5)", {"Yer": "geometry"}),
    ],
)
def test_columns_may_name_every_part_of_a_position(tmp_path: Path, header: str, cells: str, columns: dict) -> None:
    path = csv(tmp_path, f"id,{header},category\nF-1,{cells},UXO\n", "finds.csv")
    crs = "EPSG:32638" if "Şərq" in columns else "EPSG:4326"
    frame, issues = io.read_with_issues(path, programme=Programme(crs=crs, columns={"finds": columns}))
    assert frame.to_crs("EPSG:4326").geometry[0].distance(shapely.Point(47.5, 39.5)) < 0.05
    assert not (issues["check"] == "RD-07").any()


def test_what_columns_names_wins_over_a_usual_heading(tmp_path: Path) -> None:
    path = csv(tmp_path, "id,lon,lat,Uz,En\nF-1,0.5,0.5,47.5,39.5\n", "finds.csv")
    frame = io.read(path, programme=Programme(columns={"finds": {"Uz": "lon", "En": "lat"}}))
    assert frame.geometry[0].equals(shapely.Point(47.5, 39.5))


def test_the_only_column_of_wkt_is_the_geometry_and_that_is_said(tmp_path: Path) -> None:
    frame, issues = io.read_with_issues(csv(tmp_path, f'id,Sərhəd\nH-1,"{RING}"\nH-2,\n'), crs="EPSG:4326")
    assert frame.geometry[0].equals(shapely.from_wkt(RING))
    said = issues[issues["check"] == "RD-07"].iloc[0]
    assert (said["severity"], said["column"]) == ("info", "Sərhəd")
    assert "hazards.csv" in said["message"]


@pytest.mark.parametrize(
    "text",
    [f'id,A,B\nH-1,"{RING}","{RING}"\n', f'id,A\nH-1,"{RING}"\nH-2,by the well\n', "id,A\nH-1,Pointe-Noire\n"],
    ids=["two columns", "one cell is none", "a town"],
)
def test_no_column_is_taken_by_its_cells_where_that_is_not_plain(tmp_path: Path, text: str) -> None:
    frame, issues = io.read_with_issues(csv(tmp_path, text), crs="EPSG:4326")
    assert frame.geometry.isna().all()
    assert issues["message"].str.contains("say which").any() == ("A,B" in text)


@pytest.mark.parametrize(
    ("columns", "severity", "words", "listed"),
    [
        ({"Sinf": "classification"}, "warning", "no column 'Sinf'", "Sinif"),
        ({"Həndəsə": "geometry"}, "info", "no column 'Həndəsə'", "Sinif"),
        ({"classification": "Sinif"}, "warning", "the other way round", "Sinif"),
        ({"Sinif": "clasification"}, "warning", "no column of hazards", "classification"),
        ({"status": "classification"}, "warning", "was not taken as classification", "Sinif"),
        ({"Sinif": "geometry"}, "warning", "none could be read", ""),
    ],
)
def test_mistakes_in_columns_are_said(tmp_path: Path, columns: dict, severity: str, words: str, listed: str) -> None:
    path = csv(tmp_path, f'id,Sinif,status,wkt\nH-1,SHA,open,"{RING}"\n')
    frame, issues = io.read_with_issues(path, programme=own(**columns))
    assert frame.geometry[0].equals(shapely.from_wkt(RING)), "a mistake there takes no position away"
    said = issues[issues["check"] == "RD-07"]
    assert len(said) == 1
    said = said.iloc[0]
    assert said["severity"] == severity
    assert words in said["message"]
    assert "hazards.csv" in said["message"]
    assert listed in said["limit"]


def test_headings_that_serve_another_file_of_the_kind_are_only_mentioned(tmp_path: Path) -> None:
    path = csv(tmp_path, f'id,Sinif,wkt\nH-1,SHA,"{RING}"\n')
    _, issues = io.read_with_issues(path, programme=own(Sinif="classification", Klass="classification"))
    assert issues.loc[issues["check"] == "RD-07", "severity"].tolist() == ["info"]


def test_a_column_that_survey_toml_fills_is_not_called_missing(tmp_path: Path) -> None:
    csv(tmp_path, f'id,Yer\nH-1,"{RING}"\n', "list.csv")
    text = '[[layer]]\nkind = "hazards"\nfile = "list.csv"\ncrs = "EPSG:4326"\ncolumns = { "Yer" = "geometry" }\n'
    for values, missing in (("", 1), ('values = { classification = "SHA" }\n', 0)):
        (tmp_path / "survey.toml").write_text(text + values, "utf-8")
        survey = gt.open_survey(tmp_path)
        said = survey.issues[(survey.issues["check"] == "RD-15") & (survey.issues["column"] == "classification")]
        assert len(said) == missing
    assert survey.hazards["classification"].tolist() == ["SHA"]
    assert survey.hazards.geometry.notna().all()


def test_columns_of_a_layer_without_a_kind_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    csv(tmp_path, "Nomre,lon,lat\nX-1,47,39\n", "list.csv")
    (tmp_path / "survey.toml").write_text('[[layer]]\nfile = "list.csv"\ncolumns = { Nomre = "id" }\n', "utf-8")
    issues = gt.open_survey(tmp_path).issues
    said = issues[issues["check"] == "RD-04"].iloc[0]
    assert said["severity"] == "warning"
    assert "Nomre" in said["message"]


@pytest.mark.parametrize(
    ("east", "north"),
    [
        ("Şərq", "Şimal"),
        ("ŞƏRQ (m)", "ŞİMAL (m)"),
        ("Doğu", "Kuzey"),
        ("Doğu (m)", "Kuzey (m)"),
        ("Восток (м)", "Север (м)"),
    ],
)
def test_metres_under_the_words_for_east_and_north_are_a_position(tmp_path: Path, east: str, north: str) -> None:
    path = csv(tmp_path, f"id;{north};{east}\nF-1;4385550,5;683738\n", "finds.csv")
    frame = io.read(path, crs=32638)
    assert (frame.geometry.x[0], frame.geometry.y[0]) == (683738.0, 4385550.5)


def test_the_width_of_a_tool_is_known_in_the_languages_of_the_crews(tmp_path: Path) -> None:
    for heading in ("İş eni", "İş genişliği", "çalışma genişliği", "Ширина захвата", "İş eni (m)"):
        text = f"time;lat;lon;{heading}\n2026-05-04T06:00:00Z;39.6;47.2;2,4\n"
        assert io.read(csv(tmp_path, text, "fixes.csv"))["width_m"].tolist() == [2.4], heading
