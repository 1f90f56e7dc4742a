"""`geotools store save` of rows without ids: alike rows are one line, and the hint says how the other layers are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from geotools.cli.main import cli
from geotools.io import store as stores


def _save(store: Path, folder: Path, *more: str) -> Any:
    arguments = ["store", "save", str(store), str(folder), "--note", "n", "--author", "A. Officer (synthetic)", *more]
    return CliRunner().invoke(cli, arguments)


def test_rows_without_ids_are_one_line_and_the_other_layers_are_named(tmp_path: Path, make: Any) -> None:
    store, folder = tmp_path / "programme.gpkg", tmp_path / "week"
    stores.init(store, author="A. Officer (synthetic)").close()
    folder.mkdir()
    make.frame(make.hazard("H-1")).to_file(folder / "hazards.gpkg", layer="hazards")
    make.frame(make.release("R-1")).to_file(folder / "releases.gpkg", layer="releases")
    for name in ("fixes_1", "fixes_2"):
        lines = [f"2026-05-04T06:00:{n:02}Z,47.2,{39.6 + n * 1e-5:.5f}" for n in range(60)]
        (folder / f"{name}.csv").write_text("\n".join(["time,lon,lat", *lines]) + "\n", "utf-8")
    refused = _save(store, folder)
    assert refused.exit_code != 0
    told = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert len(told) == 1 and "120 fixes" in told[0] and "and 108 more" in told[0]
    assert "--only hazards --only releases" in refused.exception.hint
    assert "fixes" not in refused.exception.hint
    done = _save(store, folder, "--only", "hazards", "--only", "releases")
    assert done.exit_code == 0 and "2 added" in done.output


def test_no_other_layers_no_such_hint(tmp_path: Path) -> None:
    store, file = tmp_path / "programme.gpkg", tmp_path / "fixes.csv"
    stores.init(store, author="A. Officer (synthetic)").close()
    file.write_text("time,lon,lat\n2026-05-04T06:00:00Z,47.2,39.6\n", "utf-8")
    assert "--only" not in _save(store, file).exception.hint
