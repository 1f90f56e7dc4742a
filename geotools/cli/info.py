"""`geotools info`: what a survey or file holds. Not for judging it (see `check`)."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli import options


@click.command(
    name="info",
    epilog="Example: geotools info sample_data/fuzuli",
    short_help="What is in a survey or file.",
)
@options.survey_argument
@options.kind
@options.crs
@options.encoding
@options.as_json
@click.option("--issues", "list_issues", is_flag=True, help="List every issue that reading found, not only the counts.")
@options.fail_on
@options.common
def command(
    survey: str,
    kind: str | None,
    crs: str | None,
    encoding: str | None,
    as_json: bool,
    list_issues: bool,
    fail_on: str,
    progress: bool | None,
) -> None:
    """Show layers, rows, reference systems, dates and what reading found.

    SURVEY is a folder, a .gpkg, a survey.toml or one file of records.
    """
    from geotools.survey import open_survey

    opened = open_survey(survey, kind=kind, crs=crs, encoding=encoding, progress=options.progress_bar(progress))
    summary = opened.summary()
    if as_json:
        data = summary.to_dict()
        if list_issues:
            data["issue_rows"] = opened.issues.drop(columns="geometry").to_dict("records")
        options.print_json(data)
    else:
        click.echo(_text(opened, summary))
        if list_issues:
            for row in opened.issues.itertuples():
                click.echo(f"{row.severity:8} {row.check:6} {row.kind} {row.id}: {row.message}")
    options.exit_for(opened.issues, fail_on)


def _text(survey: Any, summary: Any) -> str:
    lines = [f"{summary.name}", ""]
    lines.append(f"{'layer':14} {'rows':>7} {'on map':>7}  {'system':22} geometry")
    for kind, d in summary.layers.items():
        lines.append(
            f"{kind:14} {d['rows']:>7} {d['with_geometry']:>7}  {d['crs'][:22]:22} {', '.join(d['geometry']) or 'none'}"
        )
    counts = survey.issues[survey.issues["check"] == "RD-00"]
    if len(counts):
        lines += ["", "every row accounted for:"]
        lines += [f"  {row.message}" for row in counts.itertuples()]
    if summary.bounds:
        west, south, east, north = summary.bounds
        lines += ["", f"extent   {west:.4f} {south:.4f} … {east:.4f} {north:.4f} (WGS 84)"]
    if summary.dates:
        lines.append(f"dates    {summary.dates[0]} … {summary.dates[1]}")
    for role, file in survey.rasters.items():
        lines.append(f"raster   {role}: {file.name}")
    found = summary.issues
    lines.append(
        f"reading  {found['error']} errors, {found['warning']} warnings, {found['info']} notes   (list them: geotools info --issues)"
    )
    return "\n".join(lines)
