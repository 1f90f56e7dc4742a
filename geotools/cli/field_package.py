"""`geotools field package`: one folder and one ZIP for a team. What goes into it is decided in `geotools.field.package`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    name="package",
    short_help="One folder and one ZIP for a team.",
    epilog="Example: geotools field package sample_data/fuzuli --area FZ-0004 -o out/FZ-0004 --lang az",
)
@options.survey_argument
@options.output_required
@click.option("--task", help="Only this task (task_id of the activities) and what lies around it.")
@click.option("--area", metavar="FILE|HAZARD", help="Only this area: a hazard's id, or a file with polygons.")
@click.option(
    "--redact",
    type=click.Choice(["internal", "partner", "public"]),
    default="internal",
    show_default=True,
    help="What may leave: everything; without persons and unsafe places; or unreleased ground in grid squares only.",
)
@click.option("--lang", type=click.Choice(["en", "az", "tr", "ru"]), help="Language (default: the programme's first).")
@click.option("--zip/--no-zip", "zip_", default=True, help="Write OUTPUT.zip beside the folder.  [default: zip]")
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice(["map", "card", "forms", "qfield"]),
    help="Leave a part out (may be repeated).",
)
@options.crs
@options.encoding
@options.overwrite
@options.as_json
@options.common
def command(survey: str, output: Path, **choices: Any) -> None:
    """Write what a team takes along: maps, tables, forms and files for phones.

    OUTPUT is a folder that is written whole or not at all, and OUTPUT.zip beside it:

    \b
    map.html, card.pdf      the offline map and a one-page card
    gps/                    GPX with numbered turning points; KML and KMZ styled like the map
    qfield/                 GeoPackage and QGIS/QField project with forms
    odk/                    XLSForms for ODK and KoBo, and the list of hazards they choose from
    geojson/, points/       one GeoJSON per layer; turning points with bearings in three norths
    README.txt, manifest.json
    """
    from geotools.field import package
    from geotools.field.package.redact import reasons
    from geotools.survey import open_survey

    opened = open_survey(
        survey, crs=choices["crs"], encoding=choices["encoding"], progress=options.progress_bar(choices["progress"])
    )
    made = package(
        opened, output, task=choices["task"], area=choices["area"], redact=choices["redact"], lang=choices["lang"],
        zip=choices["zip_"], skip=tuple(choices["skip"]), overwrite=bool(choices["overwrite"]),
    )  # fmt: skip
    if choices["as_json"]:
        options.print_json(made.to_dict())
        return
    told = made.manifest
    click.echo(
        f"{told.get('task') or 'whole survey'}, level {told['level']}: {len(told['files'])} files in {made.folder}"
    )
    click.echo(", ".join(f"{kind} {n}" for kind, n in told["counts"].items()))
    if told["withheld"]:
        click.echo("stays behind:")
        for line in reasons(told["level"], told["withheld"]):
            click.echo(f"  {line}")
    if told["level"] == "public" and not told["counts"].get("hazards"):
        options.say(
            "note: no hazard is in this package: at the level public only those leave that are not marked unsafe to publish and have unreleased ground"
        )
    if made.archive is not None:
        click.echo(f"to send: {made.archive} ({made.archive.stat().st_size / 1e6:.1f} MB)")
    options.say("No record is not no contamination; this package declares no land safe.")
