"""`geotools terrain`: slope, aspect, ruggedness, curvature and drainage lines of a height model. Figures come from `analysis.terrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options

TABLES = (".gpkg", ".toml", ".sqlite", ".db")  # files that hold a survey; others hold heights
PRODUCTS = ("slope", "aspect", "tri", "curvature", "drainage")


class Products(click.ParamType):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Parse and check the names."""
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(",") if part.strip())
        for name in names:
            if name not in PRODUCTS:
                self.fail(f"there is no product '{name}'; there are {', '.join(PRODUCTS)}", param, ctx)
        if not names:
            self.fail(f"name at least one of {', '.join(PRODUCTS)}", param, ctx)
        return names


@click.command(
    name="terrain",
    epilog="Example: geotools terrain sample_data/fuzuli/dem.tif --products slope,aspect -o out/terrain",
    short_help="Slope, aspect, ruggedness, curvature, drainage.",
)
@click.argument("dem", metavar="DEM_OR_SURVEY", type=click.Path(path_type=Path))
@click.option("--products", type=Products(), default=",".join(PRODUCTS), show_default=True, help="Which, with commas.")
@click.option(
    "--vertical-unit",
    type=click.Choice(["m", "ft", "us-ft"]),
    help="Unit of the heights (default: as the file says, else metres).",
)
@click.option(
    "--north", type=click.Choice(["true", "grid"]), default="true", show_default=True, help="What aspect counts from."
)
@click.option(
    "--drainage-area",
    type=click.FloatRange(min=0, min_open=True),
    default=100_000.0,
    show_default=True,
    help="Least upstream ground of a drainage line, m².",
)
@options.output_required
@options.overwrite
@options.executor
@options.as_json
@options.common
def command(dem: Path, output: Path, **choices: Any) -> None:
    """Slope, aspect, ruggedness, curvature and drainage lines, as GeoTIFFs in a folder, and how much ground is how steep.

    DEM_OR_SURVEY is a raster of heights, or a survey (folder, .gpkg, survey.toml) with one named dem. Cells beside missing heights
    stay unknown.
    """
    from geotools.analysis import terrain

    bar = options.progress_bar(choices["progress"])
    settings = terrain.Settings(
        vertical_unit=choices["vertical_unit"], north=choices["north"], drainage_m2=choices["drainage_area"]
    )
    with options.executing(choices):
        done = terrain.derive(
            heights_of(dem, bar),
            output,
            products=choices["products"],
            settings=settings,
            overwrite=choices["overwrite"],
            progress=bar,
        )
    options.say(f"written: {output} ({len(done.files) + 1} files)")
    if choices["as_json"]:
        options.print_json(done.to_dict())
    else:
        click.echo("\n".join(done.sentences))


def heights_of(source: Path, bar: Any) -> Path:
    """The file of heights: the one given, or the survey's."""
    if source.is_file() and source.suffix.lower() not in TABLES:
        return source
    from geotools.model.errors import ReadError
    from geotools.survey import open_survey

    rasters = open_survey(source, progress=bar).rasters
    if "dem" not in rasters:
        raise ReadError(
            "the survey has no heights", hint="put dem.tif beside the layers, or give the raster itself", file=source
        )
    return Path(rasters["dem"])
