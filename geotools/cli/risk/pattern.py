"""`geotools risk pattern`: rows among finds, a record against finds, fade-out. For planning clearance only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options
from geotools.cli.risk import words

NAMED = 5  # records named in a line about many
SHOWN = 20


@click.command("pattern", epilog="Example: geotools risk pattern finds.csv --half-width 0.5 -o rows.gpkg")
@click.argument("finds", type=options.InputFile())
@click.option(
    "--half-width",
    "half_width_m",
    type=click.FloatRange(min=0, min_open=True),
    default=0.5,
    show_default=True,
    help="Half the width of a row in metres.",
)
@click.option(
    "--false-rows",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Rows reported per field of pure clutter, on average at most.",
)
@click.option(
    "--longest-gap",
    "longest_gap_m",
    type=click.FloatRange(min=0, min_open=True),
    default=50.0,
    show_default=True,
    help="Greatest distance between neighbours of one row in metres. Chosen by this software, no doctrine: set it from the records.",
)
@click.option(
    "--longest-row",
    "longest_row_m",
    type=click.FloatRange(min=0, min_open=True),
    default=1000.0,
    show_default=True,
    help="Greatest length of one row in metres; what goes on beyond is another row.",
)
@click.option(
    "--area",
    type=options.InputFile(),
    help="Polygons of the ground that was searched; default: the hull of the finds.",
)
@click.option("--category", "categories", multiple=True, help="Only finds of this category (e.g. ap_mine); repeat.")
@click.option(
    "--record",
    type=options.InputFile(),
    help="Recorded positions (points with row_id) to reconcile with the finds.",
)
@click.option(
    "--reach",
    "reach_m",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Greatest distance between a recorded position and its find.",
)
@click.option(
    "--searched",
    type=options.InputFile(),
    help="Polygons searched to the required standard, for the fade-out check.",
)
@click.option(
    "--fadeout",
    "fadeout_m",
    type=click.FloatRange(min=0, min_open=True),
    help="The authority's distance around finds in metres (with --searched and --authority).",
)
@click.option("--authority", help="Where the authority states that distance.")
@click.option(
    "--drift",
    "drift_m",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Greatest common movement of a row (flood, slope).",
)
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.common
def pattern(finds: Path, output: Path | None, **choices: Any) -> None:
    """Find rows among FINDS, their spacing, and the gaps to search first.

    FINDS is a file of finds, or a survey that has some.
    OUTPUT is a .gpkg with the layers rows, gaps and finds (and unaccounted, with --record).
    """
    from geotools import io
    from geotools.analysis import pattern as room

    points = _finds(finds, choices["crs"])
    if choices["categories"]:
        points = points[points["category"].isin(choices["categories"])] if "category" in points else points.iloc[:0]
    area = None if choices["area"] is None else io.read(choices["area"], crs=choices["crs"])
    limits = {name: choices[name] for name in ("half_width_m", "false_rows", "longest_gap_m", "longest_row_m")}
    found = room.rows(points, area=area, **limits)
    record = None
    if choices["record"] is not None:
        record = room.reconcile(
            io.read(choices["record"], crs=choices["crs"]),
            points,
            reach_m=choices["reach_m"],
            drift_m=choices["drift_m"],
        )
    fade = _fadeout(points, choices, room)
    if output is not None:
        layers = {"rows": found.rows, "gaps": found.gaps, "finds": found.points}
        layers |= {} if record is None else {"unaccounted": record.unaccounted}
        layers |= {} if fade is None else {"not_searched": fade.missing}
        io.write_layers(layers, output, overwrite=choices["overwrite"])
        options.say(f"written: {output} (layers {', '.join(layers)})")
    if choices["as_json"]:
        more = {"record": record, "fadeout": fade}
        options.print_json(
            {**found.to_dict(), **{name: part.to_dict() for name, part in more.items() if part is not None}}
        )
        return
    for line in [*noted(found.issues), *([] if record is None else noted(record.issues))]:
        options.say(line)
    click.echo("\n".join(sentences(found, record, fade)))


def noted(issues: Any) -> list[str]:
    """Issues for a person: what many records share is said once, with their number and the first of them."""
    lines = []
    for alike in options.alike(issues):
        severity, kind, message = alike[["severity", "kind", "message"]].iloc[0]
        ids = [_plain(value) for value in alike["id"].head(NAMED)]
        if len(alike) == 1:
            lines.append(f"{severity}: {kind} {ids[0]}: {_plain(message)}")
        else:
            more = f" and {len(alike) - NAMED} more" if len(alike) > NAMED else ""
            lines.append(f"{severity}: {len(alike):,} {kind}: {_plain(message)} ({', '.join(ids)}{more})")
    rest = [f"and {len(lines) - SHOWN} more kinds of notes"] if len(lines) > SHOWN else []
    return [*lines[:SHOWN], *rest]


def _plain(text: object) -> str:
    return "".join(c if c.isprintable() else " " for c in str(text))


def sentences(found: Any, record: Any, fade: Any) -> list[str]:
    """The result for a person: rows with their limits, then the record, then the fade-out."""
    many = f"{len(found.rows)} rows" if len(found.rows) != 1 else "1 row"
    limits = (
        f"A row has no gap over {found.longest_gap_m:g} m and is at most {found.longest_row_m:g} m long ({found.to_dict()['limits_source']}); "
        f"in pure clutter on the {words.area(found.area_m2)} near the finds, {found.false_rows:g} such rows are expected at most."
    )
    lines = [
        f"{many} among {len(found.points)} finds; {len(found.gaps)} gaps to search first.",
        limits,
    ]
    for row in found.rows.itertuples():
        spacing = f"one every {row.spacing_m:.2f} m" if row.spacing_m == row.spacing_m else "no regular spacing"
        lines.append(
            f"  {row.id}: {row.points} finds over {row.length_m:.1f} m, {spacing}, bearing {row.bearing_deg:.0f}°"
        )
    if record is not None:
        total = record.to_dict()
        lines.append(
            f"Record: {total['recorded']} recorded, {total['found']} found, {total['craters']} craters, {total['unaccounted']} unaccounted for; {total['unrecorded']} finds not in the record."
        )
    if fade is not None:
        short = int(fade.finds["short"].sum())
        lines.append(
            f"Fade-out {fade.fadeout_m:g} m ({fade.authority_ref}): {short} of {len(fade.finds)} finds lie nearer to the edge; {words.area(fade.missing['area_m2'].sum(), 'up')} around finds not searched."
        )
    return [*lines, "Ground outside the rows keeps its status."]


def _finds(source: Path, crs: str | None) -> Any:
    """The finds of a survey, or the rows of one file."""
    from geotools import io

    if not source.is_dir() and source.suffix.lower() not in (".toml", ".gpkg"):
        return io.read(source, "finds", crs=crs)
    from geotools.survey import open_survey

    opened = open_survey(source, crs=crs)
    if "finds" in opened.layers or len(opened.layers) != 1:
        return opened.finds
    return next(iter(opened.layers.values()))


def _fadeout(points: Any, choices: dict[str, Any], room: Any) -> Any:
    from geotools import io

    given = [choices[name] is not None for name in ("searched", "fadeout_m", "authority")]
    if not any(given):
        return None
    if not all(given):
        raise click.UsageError(
            "a fade-out check needs --searched, --fadeout and --authority: the distance is the authority's"
        )
    ground = io.read(choices["searched"], "releases", crs=choices["crs"])
    return room.fadeout(points, ground, fadeout_m=choices["fadeout_m"], authority_ref=choices["authority"])
