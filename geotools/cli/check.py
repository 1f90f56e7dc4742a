"""`geotools check`: find errors in the data, explain them, repair what is safe. A thin skin over `geotools.checks`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

STDOUT_ROWS = 40


@click.command(
    name="check",
    epilog="Example: geotools check sample_data/fuzuli -o issues.html --fail-on error",
    short_help="Find errors and explain them.",
)
@click.argument("survey", type=click.Path(path_type=str), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Where to write the issues: .gpkg, .csv, .geojson, .json, or .html for a page with thumbnails (may be repeated).",
)
@click.option(
    "--since", type=click.Path(path_type=Path), help="Issues of an earlier run: says what is new, fixed and still open."
)
@click.option("--only", help="Only these rules: codes or beginnings of codes, e.g. GC,TP-03.")
@click.option("--exclude", help="Leave these rules out.")
@click.option("--list", "list_rules", is_flag=True, help="List all rules with their limits, and stop.")
@click.option(
    "--lang",
    type=click.Choice(["en", "az", "tr", "ru"]),
    help="Language of the messages (default: the programme's first).",
)
@click.option(
    "--repair",
    "repair_to",
    type=click.Path(path_type=Path),
    help="Write safely repaired layers, their originals and a log of changes to this GeoPackage.",
)
@options.kind
@options.crs
@options.encoding
@options.overwrite
@options.executor
@options.as_json
@options.fail_on
@options.common
def command(survey: str | None, **choices: Any) -> None:
    """Find errors in the records of a survey, explain each in words, and repair only what is safe.

    SURVEY is a folder, a .gpkg, a survey.toml or one file of records. With --repair the input is not touched: closing
    rings, dropping repeated points, turning rings, trimming ids and mending polygons within the area limits are done;
    larger changes are only proposed, and rows that stay invalid are kept in layers of their own.
    """  # fmt: skip
    if choices["list_rules"]:
        _list(choices)
        return
    if survey is None:
        raise click.UsageError("Missing argument 'SURVEY' (or --list for the rules).")
    from geotools import checks
    from geotools.checks import files
    from geotools.model.errors import SchemaError
    from geotools.survey import open_survey

    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, kind=choices["kind"], crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    programme = opened.programme
    if choices["lang"]:
        programme = dataclasses.replace(programme, languages=(choices["lang"],))
    earlier = files.load(choices["since"]) if choices["since"] else None
    try:
        with options.executing(choices):
            found = _found(opened, programme, choices, bar)
    except SchemaError as error:
        raise click.UsageError(f"{error}\n{error.hint}") from error
    issues = _with_reading(opened.issues, found, choices)
    for target in choices["output"]:
        _write(target, issues, opened, earlier, programme.languages[0], overwrite=choices["overwrite"])
    repaired = _repair(opened, programme, choices) if choices["repair_to"] else None
    trend = None if earlier is None else checks.compare(earlier, issues)
    _tell(issues, trend, repaired, choices)
    options.exit_for(issues, choices["fail_on"])


def _found(survey: Any, programme: Any, choices: dict[str, Any], bar: Any) -> Any:
    """The checks asked for; codes of reading (RD) choose among what reading found, see `_with_reading`."""
    from geotools import checks
    from geotools.model.schema import issues_frame

    only, exclude = ([c for c in _codes(choices[name] or "") if not c.startswith("RD")] for name in ("only", "exclude"))
    if choices["only"] and not only:
        return issues_frame()
    return checks.check(survey, programme=programme, only=only or None, exclude=exclude or None, progress=bar)


def _list(choices: dict[str, Any]) -> None:
    from geotools import checks

    table = checks.catalogue(language=choices["lang"] or "en")
    if choices["as_json"]:
        options.print_json(table.to_dict("records"))
        return
    for row in table.itertuples(index=False):
        by = "" if row.evaluated_by == "checks" else f"  [by {row.evaluated_by}]"
        click.echo(f"{row.code:6} {row.severity:8} {row.title}{by}")
        click.echo(f"       {row.explanation}")
        extra = " · ".join(str(part) for part in (row.kinds, row.parameters, row.source) if part)
        click.echo(f"       {extra}")


def _with_reading(reading: Any, found: Any, choices: dict[str, Any]) -> Any:
    """Issues of reading and of the checks as one table, by the same choice of rules."""
    from geotools import checks

    both = checks.together(found, reading)
    keep = both["check"].str.startswith(_codes(choices["only"])) if choices["only"] else both["check"] != ""
    if choices["exclude"]:
        keep &= ~both["check"].str.startswith(_codes(choices["exclude"]))
    return both[keep].reset_index(drop=True)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(c.strip().upper() for c in text.split(",") if c.strip())


def _write(target: Path, issues: Any, survey: Any, earlier: Any, language: str, *, overwrite: bool) -> None:
    from geotools.checks import files, report
    from geotools.io.atomic import write_text

    if target.suffix.lower() in (".html", ".htm"):
        write_text(target, report.page(issues, survey, since=earlier, language=language), overwrite=overwrite)
    else:
        files.save(issues, target, overwrite=overwrite)
    options.say(f"written: {target}")


def _repair(survey: Any, programme: Any, choices: dict[str, Any]) -> Any:
    from geotools import checks
    from geotools.io import write_layers

    layers, changes = checks.repair_layers(survey.layers, programme=programme)
    write_layers(layers, choices["repair_to"], overwrite=choices["overwrite"])
    options.say(f"written: {choices['repair_to']}")
    return changes


def _tell(issues: Any, trend: Any, repaired: Any, choices: dict[str, Any]) -> None:
    if choices["as_json"]:
        from geotools.checks import files

        data = files.to_dict(issues)
        if trend is not None:
            data["trend"] = {state: int((trend["state"] == state).sum()) for state in ("new", "open", "fixed")}
        if repaired is not None:
            data["repair"] = {
                state: int((repaired["state"] == state).sum()) for state in ("done", "proposed", "rejected")
            }
        options.print_json(data)
        return
    for row in issues.head(STDOUT_ROWS).itertuples(index=False):
        click.echo(f"{row.severity:8} {row.check:6} {row.message}")
    if len(issues) > STDOUT_ROWS:
        click.echo(f"… {len(issues) - STDOUT_ROWS} more; write all of them with -o issues.html or -o issues.gpkg")
    chosen = "only the rules chosen; " if choices["only"] or choices["exclude"] else ""
    scope = f"{chosen}reading and rules; run `geotools coverage` for the ledger, `geotools run` for ledger and tracks as well"
    click.echo(options.issue_line(issues, scope=scope))
    if trend is not None:
        states = trend["state"].value_counts()
        click.echo(
            f"since {choices['since'].name}: {states.get('new', 0)} new, {states.get('fixed', 0)} fixed, {states.get('open', 0)} still open"
        )
    if repaired is not None:
        states = repaired["state"].value_counts()
        click.echo(
            f"repair: {states.get('done', 0)} changes done, {states.get('proposed', 0)} proposed, {states.get('rejected', 0)} rows not repaired (kept in layers named …_rejected)"
        )
