"""`geotools plan`: plans for work to come. Each command is a file of its own that imports nothing heavy until it is called."""

from __future__ import annotations

import click

from geotools.cli.plan_lanes import command as lanes
from geotools.cli.plan_priority import command as priority
from geotools.cli.plan_sample import command as sample
from geotools.cli.plan_suitability import command as suitability
from geotools.cli.plan_teams import command as teams


@click.group(
    name="plan",
    epilog="Example: geotools plan priority sample_data/fuzuli -o out/priority",
    short_help="Plans for work to come.",
)
def command() -> None:
    """Plans for work to come. They advise; a named person decides."""


for _plan in (suitability, lanes, priority, teams, sample):
    command.add_command(_plan)
