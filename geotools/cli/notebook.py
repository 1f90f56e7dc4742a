"""`geotools notebook`: a starting notebook on the user's own records. The analysis itself is in the notebooks and the library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from geotools.cli import options

CELLS: tuple[tuple[str, str], ...] = (
    (
        "markdown",
        "# Survey analysis\n\nEvery figure below comes from the records opened in the next cell. Nothing here declares land safe.",
    ),
    ("code", "import geotools as gt\n\nsurvey = gt.open_survey({source!r})\nsurvey"),
    ("markdown", "## What is wrong with the data?"),
    ("code", "issues = gt.check(survey)\nissues.groupby(['severity', 'check']).size().rename('count').reset_index()"),
    ("markdown", "## Ledger and coverage"),
    ("code", "coverage = survey.coverage()\ncoverage"),
    ("code", "coverage.table.sort_values('remaining_m2', ascending=False).head(10)"),
    ("markdown", "## Map (offline, inline)"),
    ("code", "gt.map(survey, coverage=coverage, issues=issues)"),
    ("markdown", "## Progress"),
    ("code", "gt.progress.released(coverage.credits, period='year')"),
)


@click.command(
    name="notebook",
    epilog="Example: geotools notebook sample_data/fuzuli -o analysis.ipynb --no-open",
    short_help="Start a notebook on your own records.",
)
@options.survey_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("analysis.ipynb"),
    show_default=True,
    help="Notebook to write.",
)
@click.option(
    "--open/--no-open", "start", default=True, show_default=True, help="Start JupyterLab on it (local machine only)."
)
@options.overwrite
@options.common
def command(survey: str, output: Path, start: bool, overwrite: bool, progress: bool | None) -> None:
    """Write a notebook that opens SURVEY, checks it and shows ledger, map and progress; then start JupyterLab on it."""
    from geotools.io.atomic import write_text
    from geotools.model.errors import ReadError, need

    source = Path(survey)
    if not source.exists():
        raise ReadError(
            "no such file or folder", hint="give a folder, a .gpkg, a survey.toml or one file of records", file=survey
        )
    if start:
        need("jupyterlab", "notebooks")
    write_text(output, as_notebook(str(source.resolve())), overwrite=overwrite)
    click.echo(f"{output}: written")
    if start:
        subprocess.run([sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", str(output)], check=False)


def as_notebook(source: str) -> str:
    """The notebook as JSON text."""
    cells = []
    for number, (kind, text) in enumerate(CELLS):
        lines = text.replace("{source!r}", repr(source)).splitlines(keepends=True)
        cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{number:02d}", "metadata": {}, "source": lines}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return (
        json.dumps(
            {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False
        )
        + "\n"
    )
