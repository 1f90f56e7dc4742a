"""`geotools doctor`: what this machine has and lacks, with remedies. The looking is in `io.environment`."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli import options

MARKS = {"good": "ok  ", "lacking": "–   ", "wrong": "!!  "}


@click.command(
    name="doctor",
    epilog="Example: geotools doctor --json > environment.json",
    short_help="What this machine has and lacks.",
)
@options.as_json
@click.option("--all", "everything", is_flag=True, help="List what is good as well.")
@options.common
def command(as_json: bool, everything: bool, progress: bool | None) -> None:
    """Look at libraries, drivers, reference systems, fonts and disk, and test the arithmetic against known answers.

    Nothing is changed and nothing leaves the machine. Exit code 1: something is wrong and results may be, too.
    """
    from geotools.io.environment import WRONG, examine

    found = examine()
    if as_json:
        options.print_json([finding.to_dict() for finding in found])
    else:
        click.echo("\n".join(_text(found, everything)))
    if any(finding.state == WRONG for finding in found):
        raise click.exceptions.Exit(1)


def _text(found: list[Any], everything: bool) -> list[str]:
    lines = []
    for finding in found:
        if everything or finding.state != "good":
            lines.append(f"{MARKS[finding.state]}{finding.subject:22} {finding.found}")
            if finding.remedy:
                lines.append(f"    {'':22} → {finding.remedy}")
    count = {state: sum(f.state == state for f in found) for state in MARKS}
    ended = "results may be wrong" if count["wrong"] else "nothing is wrong"
    lines.append(f"{count['good']} good, {count['lacking']} lacking, {count['wrong']} wrong: {ended}")
    return lines
