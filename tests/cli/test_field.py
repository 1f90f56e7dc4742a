"""`geotools field merge` end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


def test_merge_writes_the_layer_and_lists_conflicts(tmp_path: Path, make: Any) -> None:
    base = make.frame(make.hazard("H-1"), make.hazard("H-2", make.square(300)))
    gt.write(base, tmp_path / "hazards.gpkg")
    gt.write(base.assign(status=["closed", "open"]), tmp_path / "ours.gpkg")
    gt.write(base.assign(status=["worked_on", "open"], contamination=["ap", "av"]), tmp_path / "theirs.gpkg")
    files = [str(tmp_path / n) for n in ("hazards.gpkg", "ours.gpkg", "theirs.gpkg")]
    out = tmp_path / "merged.gpkg"
    result = CliRunner().invoke(cli, ["field", "merge", *files, "-o", str(out), "--json", "--fail-on", "error"])
    assert result.exit_code == 1, result.output
    data = json.loads(result.stdout)
    assert data["conflicts"] == 1
    assert data["conflict_rows"][0]["check"] == "MG-01"
    merged = gt.read(out, "hazards").set_index("id")
    assert merged["status"].to_dict() == {"H-1": "closed", "H-2": "open"}
    assert merged["contamination"].to_dict() == {"H-1": "ap", "H-2": "av"}
    assert (tmp_path / "merged_conflicts.csv").is_file()
    again = CliRunner().invoke(
        cli, ["field", "merge", *files, "-o", str(tmp_path / "b.gpkg"), "--prefer", "status=theirs"]
    )
    assert again.exit_code == 0, again.output
    assert gt.read(tmp_path / "b.gpkg", "hazards").set_index("id")["status"]["H-1"] == "worked_on"


def test_prefer_and_kind_are_checked(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["field", "merge", "a", "b", "c", "-o", str(tmp_path / "x.gpkg"), "--kind", "nonsense"]
    )
    assert result.exit_code == 2
    assert "record kind" in result.output
