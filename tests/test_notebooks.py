"""Every notebook runs from top to bottom within its time, and carries no output but figures."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS_PER_NOTEBOOK = 180
LARGEST_BYTES = 600_000


def _name(path: Path) -> str:
    return path.stem


def _cells(path: Path) -> list[dict[str, Any]]:
    """Cells with their source as one text (read as JSON: the notebook libraries are slow to load)."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def test_there_are_notebooks():
    assert "01_coverage" in {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_is_stripped_except_figures(path):
    """Outputs are figures only (PNG), so that a change of wording or figures in code shows as a change of the code."""
    assert path.stat().st_size < LARGEST_BYTES
    for cell in _cells(path):
        if cell["cell_type"] != "code":
            continue
        assert cell["execution_count"] is None, cell["source"][:60]
        for output in cell["outputs"]:
            assert output["output_type"] == "display_data", cell["source"][:60]
            assert "image/png" in output["data"]
            assert set(output["data"]) <= {"image/png", "text/plain"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_explains_itself(path):
    """Prose before code: a heading first, and no two code cells in three without words between them."""
    cells = _cells(path)
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"].startswith("# ")
    kinds = "".join("c" if cell["cell_type"] == "code" else "m" for cell in cells)
    assert "cccc" not in kinds
    assert kinds.count("m") * 2 >= kinds.count("c")


@pytest.mark.notebooks
@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_runs(path, tmp_path, monkeypatch):
    """In its own folder, on a fresh kernel, without an error and in time."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    begin = time.monotonic()
    client = nbclient.NotebookClient(
        book, timeout=SECONDS_PER_NOTEBOOK, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()
    assert time.monotonic() - begin < SECONDS_PER_NOTEBOOK
    warned = [
        o.text
        for c in book.cells
        if c.cell_type == "code"
        for o in c.outputs
        if o.output_type == "stream" and o.name == "stderr"
    ]
    assert not [text for text in warned if "Warning" in text], warned
