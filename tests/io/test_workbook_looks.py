"""A workbook is ready to read: formats by column, frozen bold header, filter and widths; its values stay whole."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geotools import io

openpyxl = pytest.importorskip("openpyxl")


def frame() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "id": ["0012", "=1+1", "H-3"],
            "area_m2": [123456.789, 12.0, None],
            "coverage": [0.99996, 0.5, 0.0],
            "depth_cm": [20, 13, 0],
            "date": pd.to_datetime(["2024-05-01", None, "2024-12-31"]),
            "seen": pd.to_datetime(["2024-05-01 10:20", "2024-05-02 00:00", None]),
        },
        geometry=gpd.points_from_xy([47.1234567, 47.2, 47.3], [39.5, 39.6, 39.7]),
        crs=4326,
    )


@pytest.fixture
def sheet(tmp_path: Path):
    return openpyxl.load_workbook(io.write(frame(), tmp_path / "finds.xlsx")).active


def column(sheet, name: str) -> list:
    at = [cell.value for cell in sheet[1]].index(name)
    return [row[at] for row in sheet.iter_rows(min_row=2)]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("id", "@"), ("area_m2", "#,##0.00"), ("coverage", "0.00000"), ("depth_cm", "0"), ("date", "yyyy-mm-dd"),
        ("seen", "yyyy-mm-dd hh:mm:ss"), ("lon", "0.0000000"), ("lat", "0.0"),
    ],
)  # fmt: skip
def test_each_column_has_its_format(sheet, name: str, form: str) -> None:
    assert {cell.number_format for cell in column(sheet, name) if cell.value is not None} == {form}


def test_values_are_whole_and_text_is_never_a_formula(sheet) -> None:
    assert [c.value for c in column(sheet, "area_m2")] == [123456.789, 12, None]
    assert [c.value for c in column(sheet, "lon")] == [47.1234567, 47.2, 47.3]
    assert [(c.value, c.data_type) for c in column(sheet, "id")] == [("0012", "s"), ("=1+1", "s"), ("H-3", "s")]


def test_almost_all_is_not_shown_as_all(sheet) -> None:
    cell = column(sheet, "coverage")[0]
    decimals = len(cell.number_format.partition(".")[2])
    assert f"{cell.value:.{decimals}f}" != f"{1:.{decimals}f}"


def test_the_header_is_bold_frozen_and_filters_all_rows(sheet) -> None:
    assert all(cell.font.bold for cell in sheet[1]) and not any(cell.font.bold for cell in sheet[2])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(sheet.max_column)}{sheet.max_row}"


def test_columns_are_as_wide_as_what_they_show_within_limits(tmp_path: Path) -> None:
    wide = gpd.GeoDataFrame(
        {"id": ["a"], "note": ["x" * 900], "area_m2": [1234567.891]}, geometry=[shapely.box(47, 39, 48, 40)], crs=4326
    )
    sheet = openpyxl.load_workbook(io.write(wide, tmp_path / "hazards.xlsx")).active
    widths = {
        sheet.cell(1, n).value: sheet.column_dimensions[openpyxl.utils.get_column_letter(n)].width for n in range(1, 4)
    }
    assert widths["area_m2"] >= len("1,234,567.89")
    assert widths["note"] <= 60 and widths["id"] >= 6


def test_an_empty_table_is_written(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(io.write(frame().iloc[:0], tmp_path / "finds.xlsx")).active
    assert sheet.max_row == 1 and sheet.freeze_panes == "A2"


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    back = io.read(io.write(frame(), tmp_path / "finds.xlsx"), "finds")
    assert sorted(back["id"]) == ["0012", "=1+1", "H-3"]
    assert sorted(back.geometry.x) == [47.1234567, 47.2, 47.3]
