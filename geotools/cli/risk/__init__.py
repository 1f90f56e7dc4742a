"""`geotools risk`: residual risk, mine rows and survey priority, for planning. It releases nothing.

Each command is a file of its own that imports nothing heavy until it is called.
"""

from __future__ import annotations

import click

from geotools.cli.risk.pattern import pattern
from geotools.cli.risk.residual import residual
from geotools.cli.risk.surface import surface


@click.group(
    name="risk",
    epilog="Example: geotools risk pattern finds.csv -o rows.gpkg",
    short_help="Residual risk, mine rows and survey priority.",
)
def command() -> None:
    """Residual risk, mine rows and survey priority, for planning work. Nothing here releases land."""


for _one in (residual, pattern, surface):
    command.add_command(_one)
