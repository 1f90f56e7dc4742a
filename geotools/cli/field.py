"""`geotools field`: what a team takes along (see `field_package`) and what comes back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options
from geotools.cli.field_package import command as package


@click.group(name="field", short_help="Packages for field teams, and combining what comes back.")
def command() -> None:
    """Packages for field teams, and combining what they bring back."""


command.add_command(package)


@command.command(
    name="merge",
    epilog="Example: geotools field merge sent.gpkg office.gpkg returned.gpkg -o merged.gpkg --kind hazards",
)
@click.argument("base", type=click.Path(path_type=str))
@click.argument("ours", type=click.Path(path_type=str))
@click.argument("theirs", type=click.Path(path_type=str))
@options.output_required
@click.option("--kind", help="Record kind of the layer (default: guessed from the file name of BASE).")
@click.option("--key", help="Column that identifies a row for ever (default: guid, else id).")
@click.option(
    "--prefer",
    multiple=True,
    metavar="SIDE or COLUMN=SIDE",
    help="Whose value stands where both changed it: ours (default) or theirs, for all or for one column.",
)
@click.option(
    "--conflicts", type=click.Path(path_type=Path), help="Where to list the conflicts (default: beside the output)."
)
@options.layer
@options.crs
@options.overwrite
@options.as_json
@options.fail_on
@options.common
def merge(base: str, ours: str, theirs: str, output: Path, **choices: Any) -> None:
    """Merge OURS and THEIRS, which both started from BASE, by a stable key, attribute by attribute.

    Rows are never matched by their number. What cannot be combined is listed with both values, in ISSUES form; nothing
    is lost and nothing that was deleted or split comes back.
    """
    from geotools import io
    from geotools.field.merge import merge as combine
    from geotools.model.schema import KINDS, kind_of

    kind = choices["kind"] or kind_of(Path(base).stem)
    if kind is not None and kind not in KINDS:
        raise click.BadParameter(f"'{kind}' is not a record kind; kinds are {', '.join(KINDS)}", param_hint="--kind")
    frames = [
        io.read(path, str(kind) if kind else None, layer=choices["layer"], crs=choices["crs"])
        for path in (base, ours, theirs)
    ]
    merged, found = combine(
        *frames, kind=str(kind) if kind else None, key=choices["key"], prefer=_prefer(choices["prefer"])
    )
    overwrite = bool(choices["overwrite"])
    listing = choices["conflicts"] or output.with_name(f"{output.stem}_conflicts.csv")
    io.write(merged, output, layer=str(kind) if kind else None, overwrite=overwrite)
    if len(found):
        io.write(found, Path(str(listing)), overwrite=True)
    summary = {
        "rows": len(merged),
        "conflicts": len(found),
        "by_rule": found["check"].value_counts().sort_index().to_dict(),
    }
    if choices["as_json"]:
        options.print_json(
            {**summary, "output": output.name, "conflict_rows": found.drop(columns="geometry").to_dict("records")}
        )
    else:
        click.echo(f"{len(merged)} rows merged into {output}")
        click.echo(f"{len(found)} conflicts" + (f", listed with both values in {listing}" if len(found) else ""))
    options.exit_for(found, str(choices["fail_on"]))


def _prefer(texts: object) -> str | dict[str, str]:
    chosen: dict[str, str] = {}
    whole = "ours"
    for text in texts if isinstance(texts, tuple) else ():
        column, _, side = str(text).rpartition("=")
        if side not in ("ours", "theirs"):
            raise click.BadParameter(f"'{text}': write ours, theirs, or column=theirs", param_hint="--prefer")
        if column:
            chosen[column] = side
        else:
            whole = side
    if not chosen:
        return whole
    if whole == "theirs":
        raise click.BadParameter("give either one side for all columns or a side per column", param_hint="--prefer")
    return chosen
