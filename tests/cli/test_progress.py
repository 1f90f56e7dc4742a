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
from geotools.model import figures


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


def test_tables_for_people_end_with_a_total_and_have_one_style_and_one_word(survey: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli,
        ["progress", str(survey), "-o", str(tmp_path / "t"), "--bulletin", "2022-01-01", "2022-12-31", "--by", "team"],
    )
    assert result.exit_code == 0, result.output
    tables = {file.stem: pd.read_csv(file) for file in (tmp_path / "t").iterdir()}
    data = json.loads(CliRunner().invoke(cli, ["progress", str(survey), "--json", "--by", "team"]).stdout)
    totals = gt.open_survey(survey).coverage().totals
    for name in ("released", "annual", "balance", "bulletin"):
        table = tables[name]
        assert table.iloc[-1, 0] == "Total", name
        assert table["released_m2"].iloc[-1] == pytest.approx(table["released_m2"].iloc[:-1].sum(), abs=0.05)
        if name in data:
            assert len(data[name]) == len(table) - 1, "rows for programs are the rows alone"
    assert tables["released"]["released_m2"].iloc[-1] == pytest.approx(totals["released_m2"], abs=0.01)
    balance = tables["balance"]
    assert balance["closing_m2"].iloc[-1] == balance["closing_m2"].iloc[-2]
    assert balance["opening_m2"].iloc[-1] == balance["opening_m2"].iloc[0]
    assert set(tables["released"]["team"].iloc[:-1]) == {"not stated"}
    assert "(not stated)" not in result.output and "not stated" in result.output


def test_what_is_counted_is_said_with_the_figures_of_coverage(tmp_path: Path, make: Any) -> None:
    bare = make.hazard("H-2", make.square(), area_reported_m2=25_000.0)
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 400)), bare)
    hazards.loc[hazards["id"] == "H-2", "geometry"] = None
    gt.write(hazards, tmp_path / "hazards.gpkg")
    gt.write(make.frame(make.release("R-1", make.square(0, 0, 150))), tmp_path / "releases.gpkg")
    said = CliRunner().invoke(cli, ["progress", str(tmp_path), "--no-forecast"]).stdout
    totals = gt.open_survey(tmp_path).coverage().totals
    released, remaining = (
        figures.hectares(totals[f"{n}_m2"], w) for n, w in (("released", "down"), ("remaining", "up"))
    )
    assert f"{released} released, {remaining} remaining" in said
    assert "not counted: 1 hazards without a boundary (2.50 ha as reported)" in said
    row = next(line for line in said.splitlines() if line.startswith("Total"))
    assert f"{totals['released_m2']:,.0f}" in row
    data = json.loads(CliRunner().invoke(cli, ["progress", str(tmp_path), "--json", "--no-forecast"]).stdout)
    assert data["counted"]["remaining_m2"] == pytest.approx(totals["remaining_m2"])


def test_charts_say_what_they_are_about_and_end_at_the_figures_of_the_ledger(make: Any) -> None:
    from geotools.maps import charts

    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 400)))
    rows = [make.release(f"R-{n}", make.square(10 * n, 0, 10), date=pd.Timestamp(2024, n, 5)) for n in range(1, 13)]
    rows += [
        make.release("R-U", make.square(0, 50, 20), date=pd.NaT),
        make.release("R-J", make.square(0, 90, 20), date=pd.Timestamp(2025, 1, 3)),
    ]
    ledger = gt.coverage(hazards, make.frame(*rows))
    credits, left = ledger.credits, float(ledger.totals["remaining_m2"])
    cast = gt.progress.forecast(credits, left, as_of=pd.Timestamp(2025, 1, 3).date(), draws=50)
    rates = gt.progress.monthly_rates(credits, as_of=cast.as_of)
    undated = float(credits.loc[credits["date"].isna(), "net_m2"].sum())
    current = float(credits["net_m2"].sum()) - undated - float(rates.sum())
    drawn = charts.completion(rates, cast, subtitle="Programme", undated_m2=undated, current_m2=current)
    texts = " ".join(t.get_text() for t in drawn.axes[0].texts)
    assert f"{float(ledger.totals['area_m2']) / 10_000:,.2f} ha, released and remaining together" in texts
    assert (
        figures.hectares(float(ledger.totals["released_m2"]), "down").split()[0] in texts
        or ledger.totals["released_m2"] < 10_000
    )
    assert drawn._suptitle.get_text().strip() == "Land released so far, and when the rest may be done"
    assert any(t.get_text() == "Programme" for t in drawn.texts)
    bars = charts.released(gt.progress.released(credits, period="year"), lang="tr")
    assert bars._suptitle.get_text() == "Dönemlere göre serbest bırakılan arazi"


def test_the_forecast_says_from_which_day_it_is_reckoned_and_warns_of_quiet_months(survey: Path) -> None:
    """The last release is of October 2023: what is reckoned from it has long passed; the warning is no part of any output."""
    plain = CliRunner().invoke(cli, ["progress", str(survey)])
    assert plain.exit_code == 0, plain.output
    assert "forecast from 3 October 2023, the last record, for " in plain.stdout
    assert "warning: no release for " in plain.stderr and "give --as-of" in plain.stderr
    assert "warning" not in plain.stdout
    soon = CliRunner().invoke(cli, ["progress", str(survey), "--as-of", "2023-12-31"])
    assert "forecast from 31 December 2023, as asked with --as-of, for " in soon.stdout
    assert "warning" not in soon.stderr
    late = CliRunner().invoke(cli, ["progress", str(survey), "--as-of", "2025-04-03"])
    assert "no release for 18 months before 2025-04-03" in late.stderr


def test_a_pace_that_nobody_recorded_is_not_known(survey: Path, make: Any) -> None:
    """Activities without workers: no "nan" is printed."""
    rows = [{"id": f"A-{n}", "end": pd.Timestamp("2023-01-05"), "geometry": make.square()} for n in range(3)]
    gt.write(make.frame(*rows), survey / "activities.gpkg")
    done = CliRunner().invoke(cli, ["progress", str(survey)])
    assert done.exit_code == 0, done.output
    assert "not known how many m² per worker and day" in done.stdout and "nan" not in done.stdout
