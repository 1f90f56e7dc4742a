"""A line of sums under the records is no record: it is set aside, counted and told; a record of that name stays."""

from __future__ import annotations

from pathlib import Path

import pytest

import geotools as gt

RING = '"POLYGON((47 39,47.01 39,47.01 39.01,47 39))"'


def read(folder: Path, text: str, name: str = "hazards.csv") -> tuple[gt.GeoDataFrame, list[str], str]:
    file = folder / name
    file.write_text(text, "utf-8")
    frame, issues = gt.read_with_issues(file, crs=4326)
    return frame, issues.loc[issues["check"] == "RD-02", "message"].tolist(), str(issues["value"].iloc[0])


@pytest.mark.parametrize(
    "line",
    [
        'Cəmi,,"52,1",', "TOPLAM:,,52.1 ha,", ",Total,52.1,", "Итого,,52,", "Yekun,,,", "Genel toplam,,52.1,",
        "Sum,,52,", "1,Grand total,52.1,", "Всего га,,5,", "Cəmi,2 sahə,52,",
    ],
)  # fmt: skip
def test_a_line_of_sums_is_set_aside_and_told(tmp_path: Path, line: str) -> None:
    frame, said, count = read(tmp_path, f"id,name,area,wkt\nH-1,North,30,{RING}\nH-2,South,22.1,\n{line}\n")
    assert frame["id"].tolist() == ["H-1", "H-2"]
    assert count == "rows=3 kept=2 repaired=0 rejected=1"
    assert len(said) == 1 and "row 4: rejected: it looks like a total line" in said[0]


@pytest.mark.parametrize(
    "line",
    [
        f"Total,,52.1,{RING}", "H-3,Total,52.1,", "Total,North,52.1,", "Total,,2024-05-01,", "Cəmiyyət,,52.1,",
        "Total,,52.1,POLYGON((47 39", ",,52.1,",
    ],
)  # fmt: skip
def test_a_record_that_is_merely_called_so_stays(tmp_path: Path, line: str) -> None:
    frame, said, _ = read(tmp_path, f"id,name,area,wkt\nH-1,North,30,{RING}\n{line}\n")
    assert len(frame) == 2 and said == []


def test_only_the_last_lines_are_looked_at(tmp_path: Path) -> None:
    text = f"id,name,area,wkt\nTotal,,1,\nH-1,North,30,{RING}\nAra toplam,,30,\nGenel toplam,,30,\n"
    frame, said, _ = read(tmp_path, text)
    assert frame["id"].tolist() == ["Total", "H-1"] and len(said) == 2


def test_in_a_workbook_and_in_tables_of_corners_and_without_positions(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for cells in (
        ["id", "lat", "lon", "area"],
        ["F-1", 39.6, 47.2, 3],
        ["F-2", 39.7, 47.2, 4],
        ["Cəmi", None, None, 7.0],
    ):
        book.active.append(cells)
    book.save(tmp_path / "finds.xlsx")
    frame, issues = gt.read_with_issues(tmp_path / "finds.xlsx")
    assert frame["id"].tolist() == ["F-1", "F-2"] and (issues["check"] == "RD-02").sum() == 1
    corners = "\n".join(f"H-1,{n},{lat},{lon}" for n, (lat, lon) in enumerate([(39, 47), (39, 48), (40, 48)], 1))
    frame, said, _ = read(tmp_path, f"id,point no,lat,lon\n{corners}\nTotal,3,,\n")
    assert frame["id"].tolist() == ["H-1"] and frame.geometry.iloc[0].area == 0.5 and len(said) == 1
    frame, said, _ = read(tmp_path, "id,name,hours\nA-1,Search,5\nCəmi,,5\n", "activities.csv")
    assert frame["id"].tolist() == ["A-1"] and len(said) == 1
