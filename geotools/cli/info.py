"""`geotools info`: what a survey or file holds. Not for judging it (see `check`)."""

from __future__ import annotations

from collections.abc import Iterable
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
@click.option(
    "--issues",
    "list_issues",
    is_flag=True,
    help="List what reading found, not only the counts; alike issues are one line.",
)
@click.option("--all", "every", is_flag=True, help="List every issue on a line of its own.")
@options.fail_on
@options.common
def command(
    survey: str,
    kind: str | None,
    crs: str | None,
    encoding: str | None,
    as_json: bool,
    list_issues: bool,
    every: bool,
    fail_on: str,
    progress: bool | None,
) -> None:
    """Show layers, rows, reference systems, dates and what reading found.

    SURVEY is a folder, a .gpkg, a survey.toml or one file of records. In a folder every file is listed with its state: one
    that cannot be read does not hide the others, and the next command is named. The exit code is 3 if rows are missing for it.
    """
    from geotools.survey.inventory import take_stock

    stock = take_stock(survey, kind=kind, crs=crs, encoding=encoding, progress=options.progress_bar(progress))
    opened, summary = stock.survey, stock.survey.summary()
    if as_json:
        data = summary.to_dict()
        data["states"] = [item.to_dict() for item in stock.states]
        data["next"] = list(stock.commands)
        if list_issues or every:
            data["issue_rows"] = opened.issues.drop(columns="geometry").to_dict("records")
        options.print_json(data)
    else:
        click.echo(_text(stock, summary))
        if every:
            for row in opened.issues.itertuples():
                click.echo(options.shown(f"{row.severity:8} {row.check:6} {row.kind} {row.id}: {row.message}"))
        elif list_issues:
            for line in options.alike_lines(opened.issues):
                click.echo(line)
    if stock.unread:
        files = len(stock.unread)
        options.say(
            f"{files} of {files + len(opened.inputs)} files could not be read yet: nothing above counts their rows"
        )
        raise click.exceptions.Exit(3)
    options.exit_for(opened.issues, fail_on)


def _text(stock: Any, summary: Any) -> str:
    survey = stock.survey
    lines = [f"{summary.name}", ""]
    lines.append(f"{'layer':14} {'rows':>7} {'on map':>7}  {'system':22} geometry")
    for kind, d in summary.layers.items():
        lines.append(
            f"{kind:14} {d['rows']:>7} {d['with_geometry']:>7}  {d['crs'][:22] or '–':22} {', '.join(d['geometry']) or 'none'}"
        )
    if not summary.layers:
        lines.append("(nothing could be read)")
    counts = survey.issues[survey.issues["check"] == "RD-00"]
    if len(counts):
        lines += ["", "every row accounted for:"]
        lines += [f"  {row.message}" for row in counts.itertuples()]
    lines += _states(stock.states)
    lines += _extent(survey, summary)
    if summary.dates:
        lines.append(f"dates    {summary.dates[0]} … {summary.dates[1]}")
    for role, file in survey.rasters.items():
        lines.append(f"raster   {role}: {file.name}")
    scope = (
        "reading only; list them with --issues; run `geotools check` for the rules, `geotools coverage` for the ledger"
    )
    lines += ["", options.issue_line(survey.issues, scope=scope)]
    if stock.commands:
        lines += ["", "next:"]
        lines += [f"  {line}" for line in stock.commands]
    return "\n".join(map(options.shown, lines))


def _states(states: Iterable[Any]) -> list[str]:
    """Files whose rows are not in the table above, by state."""
    lines: list[str] = []
    for state, heading in (
        ("question", "not read, an answer is needed:"),
        ("unreadable", "not read, damaged or not usable:"),
        ("unnamed", "records that are not used:"),
        ("aside", "left aside:"),
    ):
        own = [item for item in states if item.state == state]
        if not own:
            continue
        lines += ["", heading]
        for item in own:
            lines.append(f"  {item.file}: {item.message}")
            if item.hint:
                lines.append(f"      {item.hint}")
    return lines


def _extent(survey: Any, summary: Any) -> list[str]:
    found = survey.extent()
    lines = [""]
    if summary.bounds:
        west, south, east, north = summary.bounds
        lines.append(
            f"extent   longitude {west:.4f} … {east:.4f}, latitude {south:.4f} … {north:.4f} (degrees, WGS 84, EPSG:4326)"
        )
    words = found.words(survey.programme)
    if words:
        lines += [] if summary.bounds else ["extent   none: no row lies where it can be believed"]
        lines.append(f"         rows left out of it: {'; '.join(words)} (see geotools check)")
    return lines if len(lines) > 1 else [""]
