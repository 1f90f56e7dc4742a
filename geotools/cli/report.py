"""`geotools report`: the document that people sign. It is built in `maps.report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

SLIVERS_M2 = 10.0  # above this nobody should think of slivers


@click.command(
    name="report",
    epilog="Example: geotools report sample_data/fuzuli --task FZ-0097 -o FZ-0097.pdf --lang az",
    short_help="Completion report or handover certificate, as PDF.",
)
@options.survey_argument
@click.option("--task", required=True, help="Hazard to report on.")
@options.output_required
@click.option("--certificate", is_flag=True, help="A handover certificate, if nothing speaks against completion.")
@click.option(
    "--photo",
    "photos",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Photograph to include (may be repeated).",
)
@click.option("--lang", type=click.Choice(["en", "az", "tr", "ru"]), help="Language (default: the programme's first).")
@click.option(
    "--paper", type=click.Choice(["A4", "A3"]), default="A4", show_default=True, help="Paper of the map page."
)
@click.option("--theme", default="safe", show_default=True, help="Symbols: safe, imsma, or your own .toml.")
@options.as_of
@options.crs
@options.encoding
@options.overwrite
@options.as_json
@options.common
def command(survey: str, task: str, output: Path, **choices: Any) -> None:
    """Set out areas, ledger, map, turning points, finds, inspections, open issues and provenance of one task.

    The title says "completion" only if nothing in the records speaks against it; otherwise the reasons stand first.
    Exit code 1: the report was written, but the work is not complete.
    """
    from geotools import checks
    from geotools.maps import report
    from geotools.model.errors import need
    from geotools.survey import open_survey

    for library in ("pypdf", "segno"):
        need(library, "report")  # before the work, not after it
    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    coverage = opened.coverage(as_of=choices["as_of"], progress=bar)
    lang = choices["lang"] or opened.programme.languages[0]
    found = checks.check(opened, programme=replace(opened.programme, languages=(lang,)), progress=bar)
    issues = checks.together(found, opened.issues, coverage.issues)
    tracks = _tracks(opened, task)
    document = report.build(
        opened, task, coverage, issues=issues, lang=lang,
        certificate=choices["certificate"], photos=choices["photos"], swath=tracks, paper=choices["paper"], theme=choices["theme"],
    )  # fmt: skip
    document.save(output, overwrite=choices["overwrite"])
    if choices["as_json"]:
        options.print_json(
            {
                "task": task,
                "complete": document.complete,
                "reasons": list(document.reasons),
                "sha256": document.digest,
                "manifest": document.manifest,
            }
        )
    else:
        click.echo(f"{output}: {document.title}")
        for reason in document.reasons:
            click.echo(f"  - {reason}")
        if choices["certificate"] and not document.complete:
            options.say("no handover certificate was written: this is the report of a task that is not complete")
        left = document.manifest["figures"].get("remaining_m2", 0.0)
        if opened.programme.limit("finished_m2") < left < SLIVERS_M2:
            options.say(
                "if what remains is slivers of digitising, the authority may allow them: [programme.limits] finished_m2 = …"
            )
    if not document.complete:
        raise click.exceptions.Exit(1)


def _tracks(opened: Any, hazard_id: str) -> list[str]:
    """Sentences about the tracks of every task that lies on the hazard."""
    from geotools.analysis import swath
    from geotools.cli.swath.source import task_of
    from geotools.model.errors import CoverageError
    from geotools.space import crs as systems

    fixes, tasks = opened.fixes, opened.activities
    if not len(fixes) or "task_id" not in fixes or not len(tasks):
        return []
    hazard = systems.to_wgs84(opened.hazards[opened.hazards["id"] == hazard_id])
    drawn = systems.to_wgs84(tasks[tasks.geometry.geom_type.isin(["Polygon", "MultiPolygon"])])
    lines = []
    for row in drawn[drawn.intersects(hazard.union_all())].itertuples():
        logged = fixes[fixes["task_id"].isin({row.id, getattr(row, "task_id", None)} - {None})]
        if not len(logged):
            continue
        try:
            ground, method = task_of(opened, str(row.id), opened.name)
            rules = swath.CoverRules(programme=opened.programme)
            covered = swath.cover(swath.prepare(logged, ground), ground, rules=rules, method=method)
        except CoverageError as error:
            lines.append(f"{row.id}: {error}")
            continue
        lines += [f"{row.id}: {sentence}" for sentence in covered.sentences]
    return lines
