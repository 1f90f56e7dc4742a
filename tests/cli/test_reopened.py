"""Ground that was opened again is remaining ground in every product, not only in the ledger's own command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli
from geotools.maps.webmap import page

ROOT = Path(gt.__file__).parent


@pytest.fixture
def survey(make: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "survey"
    folder.mkdir()
    done = {"status": "closed", "date_info": pd.Timestamp("2020-01-01")}
    gt.write(make.frame(make.hazard("H-1", make.square(), **done)), folder / "hazards.gpkg")
    cleared = make.release("R-1", make.square(), hazard_id="H-1", date=pd.Timestamp("2021-05-01"), depth_cm=20)
    gt.write(make.frame(cleared), folder / "releases.gpkg")
    event = {
        "id": "E-1",
        "event": "reopened",
        "hazard_id": "H-1",
        "date": pd.Timestamp("2022-03-01"),
        "geometry": make.square(),
    }
    gt.write(make.frame(event), folder / "events.gpkg")
    return folder


def call(*words: object) -> Any:
    return CliRunner().invoke(cli, [str(w) for w in words])


def test_a_survey_passes_its_events_to_the_ledger(survey: Path) -> None:
    opened = gt.open_survey(survey)
    assert len(opened.events) == 1
    assert opened.coverage().totals["remaining_m2"] == pytest.approx(10_000, rel=1e-2)
    assert opened.coverage(as_of="2021-12-31").totals["remaining_m2"] == pytest.approx(0, abs=0.01)


def test_no_product_calls_it_released(survey: Path, tmp_path: Path) -> None:
    assert json.loads(call("coverage", survey, "--json").stdout)["totals"]["released_m2"] == pytest.approx(0, abs=0.01)
    told = call("report", survey, "--task", "H-1", "-o", tmp_path / "r.pdf", "--json")
    assert told.exit_code == 1 and not json.loads(told.stdout)["complete"]
    balance = json.loads(call("progress", survey, "--json").stdout)
    assert balance["balance"][-1]["closing_m2"] == pytest.approx(10_000, rel=1e-2)
    layers = {
        spec.id
        for child in page.map_survey(gt.open_survey(survey))._children.values()
        if (spec := getattr(child, "spec", None))
    }
    assert "remaining" in layers


def test_commands_ask_the_survey_for_its_ledger() -> None:
    """A ledger without the events of the survey calls reopened ground released."""
    for file in (ROOT / "cli").rglob("*.py"):
        source = file.read_text("utf-8")
        assert "release.coverage(" not in source or "events" in source, file.name
