"""Units in headings: converted, told, and never a larger claim than was typed."""

from __future__ import annotations

import pandas as pd
import pytest

from geotools.model.schema import KINDS, reading, renaming
from geotools.model.schema.conform import conform


def _area(heading: str, values: list[object], kind: str = "hazards") -> tuple[list[float], list[object]]:
    frame = pd.DataFrame({"id": [f"H-{n}" for n in range(len(values))], heading: values})
    out, issues = conform(frame, KINDS[kind])
    told = [issue for issue in issues if issue.check == "RD-12"]
    return (out["area_reported_m2"].tolist() if "area_reported_m2" in out else []), told


@pytest.mark.parametrize(
    ("heading", "value", "m2"),
    [
        ("Alan (ha)", "2,5", 25000.0),
        ("Alan_ha", 2.5, 25000.0),
        ("Sahə, m²", "812,5", 812.5),
        ("Sahəsi (kv.m)", 812, 812.0),
        ("Area [sq m]", 812, 812.0),
        ("Площадь (га)", "0,5", 5000.0),
        ("Area, km2", "0.02", 20000.0),
        ("AREA (HA)", "1", 10000.0),
        ("area_reported_ha", 1, 10000.0),
        ("Alan (dönüm)", 3, 3000.0),
        ("Alan (ha):", 1, 10000.0),
    ],
)
def test_an_area_is_brought_to_square_metres(heading: str, value: object, m2: float) -> None:
    values, told = _area(heading, [value])
    assert values == [m2]
    words = [issue.message for issue in told]
    assert (len(words) == 1 and heading in words[0] and "m2" in words[0]) if m2 != 812.5 and m2 != 812 else not words


def test_the_row_that_says_so_has_the_count_the_unit_and_an_example() -> None:
    _, (told,) = _area("Alan (ha)", ["2,5", "1", None])
    assert told.severity == "info"
    assert "2 values of area_reported_m2 were converted to m2 ('2,5' is 25000)" in told.message


def test_a_cell_with_its_own_unit_wins_over_the_heading() -> None:
    values, told = _area("Alan (ha)", ["2,5", "300 m²", "0,1 km2"])
    assert values == [25000.0, 300.0, 100000.0]
    assert sorted(issue.message[:1] for issue in told) == ["2", "t"]


@pytest.mark.parametrize("heading", ["Alan (feddan)", "Alan (m)", "Alan (reported)"])
def test_a_unit_that_is_not_known_is_told_and_nothing_is_read(heading: str) -> None:
    values, (told,) = _area(heading, ["2,5"])
    assert values == [] and told.severity == "warning" and heading in told.message


def test_a_programme_that_names_such_a_heading_is_obeyed_and_told() -> None:
    out, issues = conform(
        pd.DataFrame({"id": ["a"], "Alan (feddan)": [2]}),
        KINDS["hazards"],
        columns={"Alan (feddan)": "area_reported_m2"},
    )
    assert out["area_reported_m2"].tolist() == [2.0]
    assert any("taken to be in m2" in issue.message for issue in issues)


def test_a_programme_names_a_heading_and_its_unit_still_counts() -> None:
    out, _ = conform(
        pd.DataFrame({"id": ["a"], "Böyüklük (ha)": [2]}),
        KINDS["hazards"],
        columns={"Böyüklük (ha)": "area_reported_m2"},
    )
    assert out["area_reported_m2"].tolist() == [20000.0]


@pytest.mark.parametrize(
    ("heading", "value", "cm"),
    [("Derinlik (cm)", "20", 20.0), ("Dərinlik (sm)", 13, 13.0), ("Depth_m", "0,2", 20.0), ("Глубина, мм", 130, 13.0)],
)
def test_a_depth_is_brought_to_centimetres(heading: str, value: object, cm: float) -> None:
    out, _ = conform(pd.DataFrame({"id": ["a"], heading: [value]}), KINDS["releases"])
    assert out["depth_cm"].tolist() == [cm]


def test_a_depth_that_no_one_searches_to_is_not_claimed() -> None:
    out, issues = conform(pd.DataFrame({"id": ["a", "b"], "Depth (m)": [20, 0.2]}), KINDS["releases"])
    assert out["depth_cm"].isna().tolist() == [True, False] and out["depth_cm"].iloc[1] == 20
    assert any("2000 cm" in issue.message and issue.severity == "warning" for issue in issues)


def test_the_column_in_its_own_unit_goes_first_and_names_are_never_renamed_without_their_numbers() -> None:
    names = ["Alan (ha)", "Alan (m2)"]
    assert reading(names, KINDS["hazards"]) == {"Alan (m2)": "area_reported_m2"}
    assert renaming(names, KINDS["hazards"]) == {}


@pytest.mark.parametrize("heading", ["note_m", "Qeyd (ha)", "name (m2)", "ha", "(ha)", "Name in", "alan da"])
def test_other_headings_stay_as_they_are(heading: str) -> None:
    out, _ = conform(pd.DataFrame({"id": ["a"], heading: ["5"]}), KINDS["hazards"])
    assert heading in out and "area_reported_m2" not in out


def test_a_name_that_a_shapefile_cut_is_its_column_where_only_one_can_be_meant() -> None:
    out, _ = conform(pd.DataFrame({"id": ["a"], "Classifica": ["SHA"], "status_cha": ["x"]}), KINDS["hazards"])
    assert out["classification"].tolist() == ["SHA"] and "status_cha" in out
