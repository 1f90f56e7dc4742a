"""`geotools plan`: plans for work to come. Each command is a file of its own that imports nothing heavy until it is called."""

from __future__ import annotations

import click

from geotools.cli.plan_lanes import command as lanes
from geotools.cli.plan_sample import command as sample
from geotools.cli.plan_suitability import command as suitability


@click.group(
    name="plan",
    epilog="Example: geotools plan sample cleared.geojson -o sample.gpkg",
    short_help="Plans for work to come.",
)
def command() -> None:
    """Plans for work to come. They advise; a named person decides."""


for _plan in (sample, suitability, lanes):
    command.add_command(_plan)
