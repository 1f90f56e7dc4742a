"""The doctor finds what is planted, names the remedy, and never falls over the illness."""

from __future__ import annotations

import importlib.util
import json

import pytest
from click.testing import CliRunner

from geotools.cli.main import cli
from geotools.io import environment


def run(*arguments: str):
    return CliRunner().invoke(cli, ["doctor", *arguments])


def test_a_sound_machine_has_nothing_wrong():
    done = run("--json")
    rows = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {row["state"] for row in rows} <= {"good", "lacking"}
    assert {"GDAL drivers", "Pulkovo 1942", "fonts", "area on the ellipsoid"} <= {row["subject"] for row in rows}


def test_a_missing_extra_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name == "numba" else real(name))
    done = run()
    assert done.exit_code == 0
    assert "extra fast" in done.stdout and "geotools-demining[fast]" in done.stdout


def test_wrong_arithmetic_is_the_exit_code(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "area", lambda frame: frame.geometry.area)
    done = run()
    assert done.exit_code == 1
    assert "area on the ellipsoid" in done.stdout and "trust no figure" in done.stdout


def test_an_examination_that_fails_is_a_finding_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch):
    def broken():
        raise OSError("disk gone")

    monkeypatch.setattr(environment, "_disk", broken)
    found = environment.examine()
    assert any("disk gone" in finding.found and finding.state == "wrong" for finding in found)
    assert any(finding.subject == "what is written is read" for finding in found)
