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
    assert list(sheets) == ["released", "found", "annual", "balance", "productivity"]
    assert sheets["released"]["organisation"].iloc[0] == "'=cmd()"
    again = CliRunner().invoke(cli, ["progress", str(survey), "-o", str(tmp_path / "folder")])
    assert again.exit_code == 0, again.output
    assert sorted(p.name for p in (tmp_path / "folder").iterdir()) == [
        "annual.csv",
        "balance.csv",
        "found.csv",
        "productivity.csv",
        "released.csv",
    ]


def test_as_of_leaves_later_work_out(survey: Path) -> None:
    result = CliRunner().invoke(cli, ["progress", str(survey), "--as-of", "2022-03-31", "--json", "--no-forecast"])
    data = json.loads(result.stdout)
    assert sum(row["releases"] for row in data["released"]) == 3
    assert data["forecast"] is None


def test_balance_of_the_years_closes_and_adds_up(survey: Path) -> None:
    data = json.loads(CliRunner().invoke(cli, ["progress", str(survey), "--json"]).stdout)
    sheet = pd.DataFrame(data["balance"])
    came = sheet[["new_m2", "extended_m2", "corrected_in_m2", "reopened_m2"]].sum(axis=1)
    went = sheet[["cancelled_m2", "reduced_m2", "cleared_m2", "transferred_m2", "corrected_out_m2"]].sum(axis=1)
    assert (sheet["opening_m2"] + came - went - sheet["closing_m2"]).abs().max() < 1e-3
    assert sheet["opening_m2"].iloc[1:].to_numpy() == pytest.approx(sheet["closing_m2"].iloc[:-1].to_numpy(), abs=1e-3)


def test_charts_are_drawn_and_reproducible(survey: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        result = CliRunner().invoke(cli, ["progress", str(survey), "--charts", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a" / "released.svg").read_bytes() == (tmp_path / "b" / "released.svg").read_bytes()
    assert "<svg" in (tmp_path / "a" / "forecast.svg").read_text("utf-8")


def test_ground_worked_by_machine_only_is_in_no_figure_of_released_land(tmp_path: Path, make: Any) -> None:
    gt.write(make.frame(make.hazard()), tmp_path / "hazards.gpkg")
    rows = [make.release("R-1"), make.release("R-2", make.square(50, 50, 50), method="mechanical")]
    gt.write(make.frame(*rows), tmp_path / "releases.gpkg")
    opened = gt.open_survey(tmp_path)
    ledger = gt.coverage(opened.hazards, opened.releases)
    assert ledger.totals["processed_m2"] > 2000
    data = json.loads(CliRunner().invoke(cli, ["progress", str(tmp_path), "--json", "--no-forecast"]).stdout)
    for table in ("released", "annual"):
        assert sum(row["released_m2"] for row in data[table]) == pytest.approx(ledger.totals["released_m2"], abs=1e-3)
    rates = gt.progress.monthly_rates(ledger.credits, as_of=pd.Timestamp("2022-12-31").date())
    assert rates.sum() == pytest.approx(ledger.totals["released_m2"], abs=1e-3)


def test_a_bulletin_names_hectares_and_square_metres(survey: Path) -> None:
    result = CliRunner().invoke(cli, ["progress", str(survey), "--bulletin", "2022-01-01", "2022-12-31", "--json"])
    assert result.exit_code == 0, result.output
    last = json.loads(result.stdout)["bulletin"][-1]
    assert last["organisation"] == "Total"
    assert last["released_m2"] == pytest.approx(600, abs=1)
    shown = CliRunner().invoke(cli, ["progress", str(survey), "--bulletin", "2022-01-01", "2022-12-31"]).output
    assert "bulletin" in shown
