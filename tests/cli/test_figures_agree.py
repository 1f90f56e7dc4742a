"""The same figure is the same wherever it is said: run, check, info, coverage, their files, and the map."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import geotools as gt
from geotools.analysis import release
from geotools.cli.main import cli
from geotools.model import figures


@pytest.fixture
def survey(tmp_path: Path, make: Any) -> Path:
    """Two hazards that overlap, one without a boundary, ground claimed three times and ground outside; synthetic."""
    folder = tmp_path / "s"
    hazards = make.frame(
        make.hazard("H-1", make.square(0, 0, 300)),
        make.hazard("H-2", make.square(250, 0, 300), date_info=pd.Timestamp("2021-02-01")),
        make.hazard("H-3", make.square(), area_reported_m2=20_001.0),
    )
    hazards.loc[hazards["id"] == "H-3", "geometry"] = None
    releases = make.frame(
        make.release("R-1", make.square(0, 0, 150)),
        make.release("R-2", make.square(50, 50, 150), product="reduced", date=pd.Timestamp("2022-07-01")),
        make.release("R-3", make.square(100, 100, 150), date=pd.Timestamp("2022-08-01")),
        make.release("R-4", make.square(240, 280, 60), date=pd.Timestamp("2022-09-01"), product="cancelled"),
    )
    gt.write(hazards, folder / "hazards.gpkg")
    gt.write(releases, folder / "releases.gpkg")
    return folder


def said(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def kept(figure: str, cell: float, full: float) -> None:
    """The law of a written area: released ground is never more than the full figure, what remains never less."""
    assert abs(cell - full) < 0.01 + 1e-6, figure
    way = figures.direction(figure)
    if way == "down":
        assert cell <= full + 1e-6, figure
    elif way == "up":
        assert cell >= full - 1e-6, figure
    else:
        assert abs(cell - full) <= 0.005 + 1e-6, figure


def line(text: str) -> tuple[int, int, int, int, str]:
    """Number of issues, errors, warnings, notes, and what the line says of its scope."""
    found = re.findall(r"^([\d,]+) issues: ([\d,]+) errors, ([\d,]+) warnings, ([\d,]+) notes(.*)$", text, re.MULTILINE)
    assert len(found) == 1, text
    *numbers, scope = found[0]
    total, errors, warnings, notes = (int(n.replace(",", "")) for n in numbers)
    assert total == errors + warnings + notes
    return total, errors, warnings, notes, scope


def test_every_command_counts_issues_in_one_form_and_says_what_it_has_not_looked_at(
    survey: Path, tmp_path: Path
) -> None:
    info, check, ledger = (line(said(name, survey)) for name in ("info", "check", "coverage"))
    whole_text = said("run", survey, "-o", tmp_path / "out", "--skip", "map")
    whole = line(whole_text)
    table = pd.read_csv(tmp_path / "out" / "issues.csv")
    assert whole[0] == len(table)
    assert list(whole[1:4]) == [int((table["severity"] == level).sum()) for level in ("error", "warning", "info")]
    parts = dict(
        reversed(part.split(" ", 1))  # type: ignore[misc]
        for part in whole_text.splitlines()[whole_text.splitlines().index(_row(whole_text)) + 1].strip().split(", ")
    )
    assert sum(int(n.replace(",", "")) for n in parts.values()) == whole[0]
    assert int(parts["reading and rules"]) == check[0]
    assert info[0] == len(gt.open_survey(survey).issues)
    assert "reading only" in info[4] and "geotools check" in info[4]
    assert "run `geotools coverage` for the ledger" in check[4]
    assert "ledger only" in ledger[4] and "geotools check" in ledger[4]
    assert "issues.csv" in whole[4]
    assert "only the rules chosen" in line(said("check", survey, "--only", "TP"))[4]


def _row(text: str) -> str:
    return next(row for row in text.splitlines() if " issues: " in row)


def test_what_was_left_out_of_a_run_is_said(survey: Path, tmp_path: Path) -> None:
    text = said("run", survey, "-o", tmp_path / "out", "--skip", "map", "--skip", "check")
    assert "the rules were not checked (--skip check)" in text


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_totals_stand_beside_the_table_and_shared_ground_is_in_them_once(
    survey: Path, tmp_path: Path, ending: str
) -> None:
    if ending == "xlsx":
        pytest.importorskip("openpyxl")
    read = pd.read_csv if ending == "csv" else pd.read_excel
    said("coverage", survey, "-o", tmp_path / f"c.{ending}")
    table, totals = (read(tmp_path / name) for name in (f"c.{ending}", f"c_totals.{ending}"))
    assert table["id"].tolist() == ["H-1", "H-2", "H-3"], "no row of the table is anything but a hazard"
    assert set(totals["scope"]) == {"TOTAL (shared ground once)"}
    truth = json.loads(said("coverage", survey, "--json"))["totals"]
    for row in totals.itertuples():
        kept(row.figure, row.total_m2, truth[row.figure])
        if row.figure in table:
            assert row.sum_of_rows_m2 == pytest.approx(table[row.figure].sum(), abs=0.02)
            assert row.counted_again_m2 == pytest.approx(row.sum_of_rows_m2 - row.total_m2, abs=0.02)
    again = totals.set_index("figure")["counted_again_m2"]
    assert again["area_m2"] == pytest.approx(truth["shared_m2"], abs=0.02) and again["area_m2"] > 10_000
    refused = CliRunner().invoke(cli, ["coverage", str(survey), "-o", str(tmp_path / f"c.{ending}")])
    assert refused.exit_code != 0
    (tmp_path / f"d_totals.{ending}").write_text("kept")
    refused = CliRunner().invoke(cli, ["coverage", str(survey), "-o", str(tmp_path / f"d.{ending}")])
    assert refused.exit_code != 0 and not (tmp_path / f"d.{ending}").exists()
    assert (tmp_path / f"d_totals.{ending}").read_text() == "kept"


def test_the_help_and_the_folder_of_a_run_name_the_totals(survey: Path, tmp_path: Path) -> None:
    assert "coverage_totals" in said("coverage", "--help") and "coverage_totals.csv" in said("run", "--help")
    text = said("run", survey, "-o", tmp_path / "out", "--skip", "map")
    totals = pd.read_csv(tmp_path / "out" / "coverage_totals.csv").set_index("figure")["total_m2"]
    found = json.loads((tmp_path / "out" / "coverage.json").read_text("utf-8"))["totals"]
    for label, name in (("released in all", "released_m2"), ("remaining", "remaining_m2"), ("  cleared", "cleared_m2")):
        row = next(row for row in text.splitlines() if row.startswith(f"{label:38}"))
        kept(name, totals[name], found[name])
        assert f"{figures.in_hectares(found[name], figures.direction(name)):,.2f} ha" in row
    assert figures.percent(found["coverage"]) in text
    rows = pd.read_csv(tmp_path / "out" / "coverage.csv")["area_m2"].sum()
    assert f"the rows of coverage.csv add up to {figures.hectares(rows)} recorded" in text
    assert "TOTAL" in said("coverage", survey)


def test_a_hazard_without_a_boundary_is_unknown_not_nothing(survey: Path, tmp_path: Path) -> None:
    told = said("coverage", survey, "--explain", "H-3")
    for name in ("area", "remaining", "coverage"):
        assert re.search(rf"^  {name} +unknown", told, re.MULTILINE), told
    assert "2.01 ha as reported" in told and "0 m²" not in told.split("\n\n")[0]
    data = json.loads(said("coverage", survey, "--explain", "H-3", "--json"))["hazard"]
    assert data["area_m2"] is None and data["remaining_m2"] is None and data["coverage"] is None
    assert said("coverage", survey).count("unknown") >= 5
    said("coverage", survey, "-o", tmp_path / "c.csv")
    table = pd.read_csv(tmp_path / "c.csv").set_index("id")
    assert table.loc["H-3", ["area_m2", "remaining_m2", "released_m2"]].isna().all()
    assert table.loc[["H-1", "H-2"], ["area_m2", "remaining_m2", "released_m2"]].notna().all().all()


def test_ground_claimed_three_times_is_two_claims_too_many_on_the_map_as_in_the_ledger(survey: Path) -> None:
    from geotools.maps.webmap import payload
    from geotools.maps.webmap.layers import VectorLayer

    opened = gt.open_survey(survey)
    ledger = opened.coverage()
    pairs = float(ledger.overlaps["overlap_m2"].sum())
    assert pairs > ledger.totals["overlap_m2"] + 1000, "the pairs count the middle of three claims thrice"
    made = gt.map(opened, coverage=ledger)
    layer = next(e for e in made._children.values() if isinstance(e, VectorLayer) and e.spec.id == "overlaps")
    shown = sum(payload.decode(layer.payload.body).columns["area_m2"])
    assert shown == pytest.approx(float(ledger.totals["overlap_m2"]), abs=0.5)


def test_the_risk_commands_write_areas_and_shares_like_all_others() -> None:
    from geotools.cli.risk import words

    for area in (0.4, 812.4, 19_999.0, 150_000.0, 2_148_779.39):
        assert words.area(area) == figures.hectares(area)
        assert words.area(area, "up") == figures.hectares(area, "up")
    for share in (0.0, 1 / 3, 0.99999, 1.0):
        assert words.percent(share) == figures.percent(share)


def law_of(written: pd.DataFrame, full: pd.DataFrame) -> int:
    """Every area of a written table against the full figures; how many cells were cut or raised."""
    sided = 0
    for name in [c for c in full if c.endswith("_m2")]:
        for cell, value in zip(written[name], full[name], strict=True):
            if not math.isnan(cell):
                kept(name, cell, value)
                sided += figures.direction(name) != "nearest" and abs(cell - value) > 0.005
    return sided


@pytest.mark.parametrize("group", [None, "product", "contamination"])
def test_no_area_of_a_written_table_is_rounded_towards_danger(survey: Path, tmp_path: Path, group: str | None) -> None:
    found = gt.open_survey(survey).coverage()
    said("coverage", survey, "-o", tmp_path / "c.csv", *(["--by", group] if group else []))
    written, totals = (pd.read_csv(tmp_path / name) for name in ("c.csv", "c_totals.csv"))
    full = found.table if group is None else found.by(group)
    sided = law_of(written, full.reset_index(drop=True))
    for row in totals.itertuples():
        kept(row.figure, row.total_m2, found.totals[row.figure])
        if row.figure in full:
            kept(row.figure, row.sum_of_rows_m2, math.fsum(full[row.figure]))
    assert sided, "some cell must show the difference to the nearest"
    said("run", survey, "-o", tmp_path / "out", "--skip", "map")
    if group is None:
        assert law_of(pd.read_csv(tmp_path / "out" / "coverage.csv"), full.reset_index(drop=True)) == sided
        assert (tmp_path / "out" / "coverage_totals.csv").read_text("utf-8") == (tmp_path / "c_totals.csv").read_text(
            "utf-8"
        )


def test_run_progress_and_coverage_print_the_same_square_metres(survey: Path, tmp_path: Path) -> None:
    found = gt.open_survey(survey).coverage().totals
    assert round(found["released_m2"]) > found["released_m2"], "to the nearest it would be more than the evidence"
    ledger = next(row for row in said("coverage", survey).splitlines() if row.startswith("TOTAL")).split()
    whole = said("run", survey, "-o", tmp_path / "out", "--skip", "map").splitlines()
    years = next(row for row in said("progress", survey).splitlines() if row.startswith("Total")).split()
    names = {"cancelled_m2": "  cancelled", "reduced_m2": "  reduced", "cleared_m2": "  cleared"}
    for place, (name, label) in enumerate(
        {**names, "released_m2": "released in all", "remaining_m2": "remaining"}.items()
    ):
        shown = figures.square_metres(found[name], toward=figures.direction(name))
        assert next(row for row in whole if row.startswith(f"{label:38}"))[38:].split()[0] == shown
        if name != "remaining_m2":
            assert years[1 + place] == shown
        if name != "released_m2":
            assert shown in ledger


def test_overlap_beside_all_hazards_is_never_ground_counted_again_below_nothing(tmp_path: Path, make: Any) -> None:
    releases = [make.release(f"R-{n}", make.square(2000, 0, 300), date=pd.Timestamp("2022-06-01")) for n in range(3)]
    gt.write(make.frame(make.hazard("H-1", make.square(0, 0, 300))), tmp_path / "s" / "hazards.gpkg")
    gt.write(make.frame(*releases), tmp_path / "s" / "releases.gpkg")
    said("coverage", tmp_path / "s", "-o", tmp_path / "c.csv")
    totals = pd.read_csv(tmp_path / "c_totals.csv").set_index("figure")
    assert totals.loc["overlap_m2", "total_m2"] > 170_000 and totals.loc["overlap_m2", "sum_of_rows_m2"] == 0
    assert totals.loc["overlap_m2", "counted_again_m2"] == 0, "none of it lies in a hazard, so none is in two rows"
    assert "beside all hazards included" in totals.loc["overlap_m2", "meaning"]
    assert not (totals["counted_again_m2"] < 0).any()
    assert totals.loc["area_m2", "counted_again_m2"] == 0


def test_overlap_beside_hazards_does_not_make_ground_counted_again_less(tmp_path: Path, make: Any) -> None:
    """Two hazards share ground that was released twice, and two releases overlap beside them: the first is counted again, all of it."""
    hazards = make.frame(make.hazard("H-1", make.square(0, 0, 300)), make.hazard("H-2", make.square(0, 0, 300)))
    inside = [make.release(f"R-{n}", make.square(0, 0, 200), date=pd.Timestamp("2022-06-01")) for n in range(2)]
    beside = [make.release(f"S-{n}", make.square(2000, 0, 100), date=pd.Timestamp("2022-06-01")) for n in range(2)]
    shared, both = (
        release.totals_table(found.table, found.totals).set_index("figure").loc["overlap_m2"]
        for found in (gt.coverage(hazards, make.frame(*rows)) for rows in (inside, [*inside, *beside]))
    )
    assert shared["counted_again_m2"] == pytest.approx(200**2, rel=2e-3)
    assert both["counted_again_m2"] == pytest.approx(shared["counted_again_m2"], rel=1e-9)
    assert both["total_m2"] == pytest.approx(shared["total_m2"] + 100**2, rel=2e-3)
    groups = gt.coverage(hazards, make.frame(*inside, *beside))
    told = release.totals_table(groups.by("product"), groups.totals).set_index("figure").loc["overlap_m2"]
    assert told["counted_again_m2"] == pytest.approx(0, abs=1e-6), "groups hold what lies beside hazards too"
