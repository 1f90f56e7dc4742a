"""`geotools run` on fixes that name no task: the summary and issues.csv say why nothing was evaluated, and what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


def _run(folder: Path, out: Path, *more: str) -> Any:
    return CliRunner().invoke(cli, ["run", str(folder), "-o", str(out), "--skip", "map", "--skip", "field", *more])


@pytest.fixture
def folder(tmp_path: Path, make: Any) -> Path:
    place = tmp_path / "district"
    gt.write(make.frame(make.hazard("H-1")), place / "hazards.gpkg")
    gt.write(make.frame(make.hazard("TASK-1")).drop(columns="classification"), place / "activities.gpkg")
    lines = [f"2026-05-04T06:00:{n:02}Z,47.2,{39.6 + n * 1e-5:.5f}" for n in range(20)]
    for name in ("fixes_1", "fixes_2"):
        (place / f"{name}.csv").write_text("\n".join(["time,lon,lat", *lines]) + "\n", "utf-8")
    return place


def test_fixes_without_a_task_are_told_with_the_line_to_write(folder: Path, tmp_path: Path) -> None:
    done = _run(folder, tmp_path / "out")
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("tracks: ")]
    assert "40 of 40 fixes" in line and "task_id" in line and 'values = { task_id = "TASK-1" }' in line
    table = pd.read_csv(tmp_path / "out" / "issues.csv")
    assert (table["check"] == "SW-00").sum() == 1 and not (tmp_path / "out" / "swath").exists()


def test_a_day_before_all_fixes_and_a_step_left_out(folder: Path, tmp_path: Path) -> None:
    assert "no fix is dated" in _run(folder, tmp_path / "early", "--as-of", "2026-01-01").output
    assert "tracks: " not in _run(folder, tmp_path / "skipped", "--skip", "swath").output.replace("the tracks: ", "")


def test_a_task_without_an_area_is_told_too(folder: Path, tmp_path: Path) -> None:
    for name in ("fixes_1", "fixes_2"):
        file = folder / f"{name}.csv"
        head, *rows = file.read_text("utf-8").splitlines()
        file.write_text("\n".join([f"{head},task_id", *(f"{row},NOWHERE" for row in rows)]) + "\n", "utf-8")
    told = [line for line in _run(folder, tmp_path / "out").output.splitlines() if line.startswith("tracks: ")]
    assert len(told) == 1 and "there is no task 'NOWHERE' with a polygon" in told[0]
