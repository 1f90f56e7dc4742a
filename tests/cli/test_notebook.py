"""`geotools notebook` writes a notebook that is valid and runs on the user's records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli


@pytest.fixture
def written(tmp_path: Path, make: Any) -> Path:
    folder = tmp_path / 'o\'brien "x"'
    gt.write(make.frame(make.hazard()), folder / "hazards.gpkg")
    gt.write(make.frame(make.release()), folder / "releases.gpkg")
    out = tmp_path / "a.ipynb"
    result = CliRunner().invoke(cli, ["notebook", str(folder), "-o", str(out), "--no-open"])
    assert result.exit_code == 0, result.output
    return out


def test_it_is_a_valid_notebook_with_the_path_quoted(written: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(written, as_version=4)
    nbformat.validate(book)
    compile(book.cells[1].source, "cell", "exec")
    assert "brien" in book.cells[1].source


@pytest.mark.notebooks
@pytest.mark.slow
def test_it_runs(written: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(written, as_version=4)
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
