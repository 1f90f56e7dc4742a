"""`geotools sheet`: printed map sheets at true scale. Drawing is in `maps.sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    name="sheet",
    epilog="Example: geotools sheet sample_data/fuzuli --task FZ-0097 -o FZ-0097.pdf",
    short_help="Printed map sheets at true scale.",
)
@options.survey_argument
@options.output_required
@click.option(
    "--task", multiple=True, help="Hazard to draw (may be repeated; several make an atlas). Default: all, as an atlas."
)
@click.option("--paper", type=click.Choice(["A4", "A3"]), default="A4", show_default=True, help="Paper size.")
@click.option("--scale", type=click.IntRange(min=100), help="Scale denominator (default: the largest that fits).")
@click.option("--lang", type=click.Choice(["en", "az", "tr", "ru"]), help="Language (default: the programme's first).")
@click.option("--theme", default="safe", show_default=True, help="Symbols: safe, imsma, or your own .toml.")
@click.option("--dpi", type=click.IntRange(50, 600), default=200, show_default=True, help="Resolution of a .png.")
@options.as_of
@options.crs
@options.encoding
@options.overwrite
@options.common
def command(survey: str, output: Path, task: tuple[str, ...], **choices: Any) -> None:
    """Draw a hazard with its ledger, turning points, norths and grid as .pdf or .png, or an atlas of many as .pdf.

    The map is at true scale: a metre on the ground is exactly the stated part of it on paper. Print without "fit to page".
    """
    from geotools.maps import sheet
    from geotools.survey import open_survey

    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    coverage = opened.coverage(as_of=choices["as_of"], progress=bar)
    look = {name: choices[name] for name in ("paper", "scale", "lang", "theme") if choices[name] is not None}
    if len(task) == 1:
        page = sheet.draw(opened, task[0], coverage, **look)  # type: ignore[arg-type]
        page.save(output, overwrite=choices["overwrite"], dpi=choices["dpi"])
        click.echo(
            f"{output}: {task[0]} at 1:{page.scale:,} on {page.paper}, {len(page.figures)} page{'s' if len(page.figures) > 1 else ''}"
        )
        return
    sheet.atlas(
        opened, output, hazard_ids=task or None, coverage=coverage, overwrite=choices["overwrite"], progress=bar, **look
    )  # type: ignore[arg-type]
    click.echo(f"{output}: atlas with an index page")
