"""`geotools progress`: the periods add up to the ledger, in every output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


@pytest.fixture
def survey(tmp_path: Path, make: Any) -> Path:
    folder = tmp_path / "survey"
    gt.write(make.frame(make.hazard()), folder / "hazards.gpkg")
    rows = [
        make.release(
            f"R-{m}",
            make.square(x=10 * (m - 1), side=10),
            date=pd.Timestamp(2022 + m // 7, (m - 1) % 12 + 1, 3),
            organisation="=cmd()",
        )
        for m in range(1, 11)
    ]
    gt.write(make.frame(*rows), folder / "releases.gpkg")
    return folder


def test_periods_add_up_to_the_ledger(survey: Path) -> None:
    opened = gt.open_survey(survey)
    total = float(gt.coverage(opened.hazards, opened.releases).totals["released_m2"])
    result = CliRunner().invoke(cli, ["progress", str(survey), "--json", "--by", "organisation", "--period", "month"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert sum(row["released_m2"] for row in data["released"]) == pytest.approx(total, abs=1e-3)
    assert len(data["released"]) == 10
    assert data["forecast"]["months_observed"] == 21  # October 2023 is not whole


def test_tables_open_in_a_spreadsheet_without_running_anything(survey: Path, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    book = tmp_path / "p.xlsx"
    result = CliRunner().invoke(cli, ["progress", str(survey), "--by", "organisation", "-o", str(book)])
    assert result.exit_code == 0, result.output
    sheets = pd.read_excel(book, sheet_name=None)
    assert list(sheets) == ["released", "found", "productivity"]
    assert sheets["released"]["organisation"].iloc[0] == "'=cmd()"
    again = CliRunner().invoke(cli, ["progress", str(survey), "-o", str(tmp_path / "folder")])
    assert again.exit_code == 0, again.output
    assert sorted(p.name for p in (tmp_path / "folder").iterdir()) == ["found.csv", "productivity.csv", "released.csv"]


def test_as_of_leaves_later_work_out(survey: Path) -> None:
    result = CliRunner().invoke(cli, ["progress", str(survey), "--as-of", "2022-03-31", "--json", "--no-forecast"])
    data = json.loads(result.stdout)
    assert sum(row["releases"] for row in data["released"]) == 3
    assert data["forecast"] is None
