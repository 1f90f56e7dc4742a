"""Ordinary good data that reading must not be clever about: keys with points, numbers of parts, sentences that come late."""

from __future__ import annotations

import json
import operator
from functools import reduce

import pandas as pd
import pytest

import geotools as gt

SQUARE = "<Polygon><outerBoundaryIs><LinearRing><coordinates>47,39 47.1,39 47.1,39.1 47,39</coordinates></LinearRing></outerBoundaryIs></Polygon>"


def kml(folder, keys):
    rows = "".join(f'<Placemark id="{key}"><name>Field {n}</name>{SQUARE}</Placemark>' for n, key in enumerate(keys))
    path = folder / "hazards.kml"
    path.write_text(
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>Areas</name>{rows}</Folder></Document></kml>',
        "utf-8",
    )
    return path


def test_a_key_with_a_point_and_a_number_is_a_key(tmp_path):
    keys = ["AZ.HA.0012", "AZ.HA.0047"]
    assert gt.read(kml(tmp_path, keys))["id"].tolist() == keys
    assert gt.read(kml(tmp_path, ["Areas.1", "Areas.2"]))["id"].tolist() == ["Field 0", "Field 1"]


def log(folder, sentences):
    lines = [f"${body}*{reduce(operator.xor, body.encode(), 0):02X}" for body in sentences]
    path = folder / "fixes.nmea"
    path.write_text("\r\n".join(lines) + "\r\n", "ascii")
    return path


def test_a_sentence_that_comes_a_second_late_is_no_second_fix(tmp_path):
    sentences = []
    for second in range(1, 40):
        sentences += [
            f"GPGGA,1200{second:02d}.00,3912.0000,N,04712.00{second:02d},E,4,08,1.0,100.0,M,0.0,M,,",
            f"GPRMC,1200{second - 1:02d}.00,A,3912.0000,N,04712.00{second - 1:02d},E,1.0,0.0,040526,,,A",
        ]
    fixes = gt.read(log(tmp_path, sentences), "fixes")
    assert len(fixes) == 39 and fixes["time"].is_monotonic_increasing
    assert fixes["time"].iloc[0] == pd.Timestamp("2026-05-04T12:00:01Z")


def test_a_receiver_just_switched_on_and_positions_without_a_time_are_passed_over(tmp_path):
    sentences = ["GPGLL,,,,,,V,N", "GPRMC,,V,,,,,,,,,,N", "GNGNS,,,,,,NN,00,99.99,,,,"]
    sentences += [
        "GPGGA,120000.00,3912.0000,N,04712.0000,E,4,08,1.0,100.0,M,0.0,M,,", "GPGLL,3912.0000,N,04712.0000,E",
        "GPRMC,120000.00,A,3912.0000,N,04712.0000,E,1.0,0.0,040526,,,A",
    ]  # fmt: skip
    fixes, issues = gt.read_with_issues(log(tmp_path, sentences), "fixes")
    assert len(fixes) == 1 and not (issues["severity"] == "error").any()


@pytest.mark.parametrize(("heading", "cells"), [("section", "123"), ("unit", "224"), ("boom position", ["0", "2.5"])])
def test_numbers_of_parts_are_no_answers(tmp_path, heading, cells):
    path = tmp_path / "fixes.csv"
    rows = [f"2026-05-04T06:00:0{n}Z,47.1,39.1,{cell}" for n, cell in enumerate(cells)]
    path.write_text("\n".join([f"time,lon,lat,{heading}", *rows]), "utf-8")
    fixes = gt.read(path, "fixes")
    assert "is_on" not in fixes or fixes["is_on"].isna().all()
    assert "is_on_as_entered" not in fixes


@pytest.mark.parametrize(
    ("lat", "lon", "place"),
    [("3512.30,N", "00130.50,E", (1.508333, 35.205)), ("0030.30,S", "2912.50,E", (29.208333, -0.505)), ("35.205,N", "1.5083333,W", (-1.508333, 35.205))],
)  # fmt: skip
def test_degrees_and_minutes_beside_the_equator_and_greenwich(tmp_path, lat, lon, place):
    path = tmp_path / "places.csv"
    path.write_text(f"id,lat,lat dir,lon,lon dir\nA,{lat},{lon}\n", "utf-8")
    point = gt.read(path).geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx(place, abs=1e-5)


def test_a_day_and_time_of_twelve_digits_is_not_in_1976(tmp_path):
    path = tmp_path / "fixes.csv"
    path.write_text("time,lon,lat\n202605040630,47.1,39.1\n202605040631,47.1,39.1\n", "utf-8")
    times = gt.read(path, "fixes")["time"].dropna()
    assert times.tolist() in ([], [pd.Timestamp("2026-05-04T06:30Z"), pd.Timestamp("2026-05-04T06:31Z")])


@pytest.mark.parametrize(
    "text",
    [
        "5.3.2021 - 7.4.2021",
        "2021-03-05 - 2021-04-05",
        "12 March 2021 - 15 May 2021",
        "March 12 2021 to April 5 2021",
        "5 March 2021 (planned)",
    ],
)
def test_two_days_or_a_remark_are_not_one_day(tmp_path, text):
    path = tmp_path / "accidents.csv"
    path.write_text(f'id,date,lon,lat\nA,"{text}",47.1,39.1\n', "utf-8")
    frame, issues = gt.read_with_issues(path)
    assert frame["date"].isna().all() and "RD-13" in set(issues["check"])


@pytest.mark.parametrize("heading", ["completion", "horizontal"])
def test_a_whole_word_is_not_a_name_that_was_cut(tmp_path, heading):
    path = tmp_path / "accidents.csv"
    path.write_text(f"id,{heading},lon,lat\nA-1,20210305,47.1,39.1\n", "utf-8")
    assert gt.read(path)[heading].tolist() == ["20210305"]


def test_codes_of_decimal_fields_have_words_too_and_nothing_is_told_of_none(tmp_path):
    fields = [{"name": "kind", "type": "esriFieldTypeDouble", "domain": {"codedValues": [{"code": 1, "name": "One"}]}}]
    path = tmp_path / "rows.json"
    for values, words in (([1.0, 2.5], ["One", 2.5]), ([2.0, 2.5], [2.0, 2.5])):
        rows = [{"attributes": {"kind": value}, "geometry": {"x": 47, "y": 39}} for value in values]
        data = {"geometryType": "esriGeometryPoint", "spatialReference": {"wkid": 4326}, "fields": fields}
        path.write_text(json.dumps({**data, "features": rows}), "utf-8")
        frame, issues = gt.read_with_issues(path)
        assert frame["kind"].tolist() == words
        assert issues["message"].str.contains("codes of kind").any() == ("One" in words)


def test_names_that_begin_with_a_hash_are_no_remark(tmp_path):
    path = tmp_path / "accidents.csv"
    path.write_text("#id,name,position\nA-1,North,38SPJ1234567890\nA-2,South,38SPJ1234567891\n", "utf-8")
    assert len(gt.read(path)) == 2


def test_commas_in_names_of_columns_part_no_columns(tmp_path):
    file = tmp_path / "finds.csv"
    file.write_text("id;Север, м;Восток, м\nF-1;4385550,5;683739,2\n", "utf-8")
    finds = gt.read(file, "finds", crs="EPSG:32638")
    assert finds["id"].tolist() == ["F-1"] and finds.geometry.notna().all()
