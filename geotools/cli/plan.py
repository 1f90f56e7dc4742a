"""`geotools plan`: plans for work to come. A small lazy group: each command is a row of PLANS and is imported when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

# name → (where the command is, one-line help)
PLANS: dict[str, tuple[str, str]] = {
    "sample": ("geotools.cli.plan_sample:command", "Which cells of a cleared lot to inspect, and what that can show."),
}


class LazyPlans(click.Group):
    """The group of plans, listed without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(PLANS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one plan, or None."""
        if cmd_name not in PLANS:
            return None
        module, attribute = PLANS[cmd_name][0].split(":")
        loaded: Any = getattr(importlib.import_module(module), attribute)
        return loaded if isinstance(loaded, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List plans from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in PLANS.items()])


@click.group(name="plan", cls=LazyPlans, epilog="Example: geotools plan sample cleared.geojson -o sample.gpkg", short_help="Plans for work to come.")
def command() -> None:
    """Plans for work to come. They advise; a named person decides."""
