"""Placemarks as ArcGIS and IMSMA export them: attributes in tables of HTML, ids made up by the program."""

from __future__ import annotations

import time

import pytest

import geotools as gt
from geotools.io.balloons import attributes

PLACE = "<Polygon><outerBoundaryIs><LinearRing><coordinates>47.2,39.6 47.3,39.6 47.3,39.7 47.2,39.6</coordinates></LinearRing></outerBoundaryIs></Polygon>"


def balloon(title, **values):
    rows = "".join(f'<tr bgcolor="#D4E4F3">\n<td>{k}</td>\n<td>{v}</td>\n</tr>' for k, v in values.items())
    return (
        f"<html><head><meta charset='utf-8'><style>td {{}}</style></head><body><table><tr><td>{title}</td></tr>"
        f"<tr><td><table>{rows}</table></td></tr></table></body></html>"
    )


def kml(folder, placemarks):
    path = folder / "hazards.kml"
    path.write_text(
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{"".join(placemarks)}</Document></kml>', "utf-8"
    )
    return path


def placemark(key, name, description="", data=""):
    return f'<Placemark id="{key}"><name>{name}</name><description><![CDATA[{description}]]></description>{data}{PLACE}</Placemark>'


def test_tables_in_descriptions_are_attributes(tmp_path):
    rows = [
        placemark(
            "ID_00000", "a", balloon("a", hazard_id="H-1", hazard_type="CHA", status="Open", survey_date="2023-03-01")
        ),
        placemark(
            "ID_00001",
            "b",
            balloon("b", hazard_id="H-2", hazard_type="SHA", status="&lt;Null&gt;", survey_date="31.12.2024"),
        ),
    ]
    frame, issues = gt.read_with_issues(kml(tmp_path, rows))
    assert frame["id"].tolist() == ["H-1", "H-2"]
    assert frame["classification"].tolist() == ["CHA", "SHA"]
    assert frame["status"].tolist() == ["open", None]
    assert frame["date_info"].dt.strftime("%Y-%m-%d").tolist() == ["2023-03-01", "2024-12-31"]
    assert frame["placemark_id"].tolist() == ["ID_00000", "ID_00001"]
    assert "note" not in frame or frame["note"].isna().all()
    assert issues["message"].str.contains("attributes of 2 placemarks").sum() == 1


def test_what_the_placemark_says_itself_comes_first(tmp_path):
    data = '<ExtendedData><Data name="status"><value>Closed</value></Data></ExtendedData>'
    frame = gt.read(kml(tmp_path, [placemark("H-7", "a", balloon("a", status="Open", team="T-1"), data)]))
    assert frame["status"].tolist() == ["closed"] and frame["status_described"].tolist() == ["Open"]
    assert frame["id"].tolist() == ["H-7"]  # no program made it up


@pytest.mark.parametrize("made_up", ["ID_0000{}", "kml_{}", "hazards.{}"])
def test_names_that_differ_are_better_keys_than_made_up_ids(made_up, tmp_path):
    rows = [placemark(made_up.format(n), f"H-{n}") for n in range(2)]
    assert gt.read(kml(tmp_path, rows))["id"].tolist() == ["H-0", "H-1"]
    same = [placemark(made_up.format(n), "Polygon") for n in range(2)]
    assert gt.read(kml(tmp_path, same))["id"].tolist() == [made_up.format(n) for n in range(2)]


def test_other_text_stays_as_it_is(tmp_path):
    frame = gt.read(kml(tmp_path, [placemark("H-1", "a", "seen by <b>shepherds</b>, 3 < 5")]))
    assert frame["note"].tolist() == ["seen by <b>shepherds</b>, 3 < 5"]


def test_text_beside_a_table_is_kept():
    pairs, rest = attributes(
        "Watch out<table><tr><td>a:</td><td>1</td><tr><td>a:</td><td>2</td></tr><tr><td>x</td></tr></table> ok"
    )
    assert pairs == {"a": "1"}
    assert all(word in rest for word in ("Watch out", "2", "x", "ok"))


def test_damaged_html_takes_no_time():
    start = time.process_time()
    for text in (
        "<td" * 30_000,
        "<td><!--" + "<" * 90_000,
        "<tr><td>" * 10_000,
        "<td " + "a=" * 40_000,
        "<td>" * 2_000_000,
    ):
        attributes(text)
    assert time.process_time() - start < 5
