"""Tables for humanitarian exchange: a line of HXL tags under the names, and names of coordinates in other languages."""

from __future__ import annotations

import pytest
import shapely

import geotools as gt
from geotools.io import places
from geotools.model.vocab import fold


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_line_of_tags_is_no_record(ending, tmp_path):
    rows = [
        ["Accident ID", "Date", "Latitude", "Longitude", "Killed"],
        ["#event+id", "#date", "#geo+lat", "#geo +lon", "#affected+killed"],
        ["A-1", "2021-01-01", 39.6, 47.2, 1],
        ["A-2", "2021-01-02", None, None, 0],
    ]
    path = tmp_path / f"accidents.{ending}"
    if ending == "csv":
        path.write_text("\n".join(",".join("" if c is None else str(c) for c in row) for row in rows), "utf-8")
    else:
        book = pytest.importorskip("openpyxl").Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    frame, issues = gt.read_with_issues(path)
    assert issues["value"].iloc[0] == "rows=2 kept=2 repaired=0 rejected=0"
    assert frame["id"].tolist() == ["A-1", "A-2"] and frame["killed"].tolist() == [1, 0]
    assert frame.geometry.iloc[0].equals(shapely.Point(47.2, 39.6))
    assert issues["message"].str.contains("HXL tags").sum() == 1
    assert issues.loc[issues["check"] == "RD-03", "message"].str.contains("row 4").all()  # as people count them


def test_a_record_with_a_hash_sign_is_a_record(tmp_path):
    path = tmp_path / "accidents.csv"
    path.write_text("id,lon,lat\n#1,47.2,39.6\n#2,47.3,39.6\n", "utf-8")
    assert gt.read(path)["id"].tolist() == ["#1", "#2"]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("Longitud", "Latitud"),
        ("Довгота", "Широта"),
        ("خط الطول", "خط العرض"),
        ("Geografska dužina", "Geografska širina"),
    ],
)
def test_coordinates_under_names_of_other_languages(lon, lat, tmp_path):
    path = tmp_path / "accidents.csv"
    path.write_text(f"id,{lat},{lon}\nA-1,7.58,-75.4\n", "utf-8")
    assert gt.read(path).geometry.iloc[0].equals(shapely.Point(-75.4, 7.58))


def test_every_name_stands_as_it_is_compared():
    assert [name for names in places.NAMES.values() for name in names if fold(name) != name] == []
