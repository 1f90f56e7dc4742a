"""`geotools field`: what a team takes along (`field_package`) and what comes back from it (`field_merge`)."""

from __future__ import annotations

import click

from geotools.cli.field_merge import command as merge
from geotools.cli.field_package import command as package


@click.group(name="field", short_help="Packages for field teams, and combining what comes back.")
def command() -> None:
    """Packages for field teams, and combining what they bring back."""


command.add_command(package)
command.add_command(merge)
