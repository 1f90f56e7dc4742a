"""`geotools plan suitability`: where a machine, dog or team can work. Figures come from `analysis.suitability`, slopes from `analysis.terrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options
from geotools.cli.plan_lanes import provenance, refuse_existing, tasks_of

LAYERS = ("soil", "vegetation", "rock", "obstacles", "buildings", "water", "roads", "stands")
USES = {"buildings": "built_up", "water": "water", "roads": "road"}  # layers the survey's own land use can stand for
CELL_M = 10.0
FILES = ("suitability.tif", "suitability.gpkg", "suitability_tasks.csv", "suitability_limits.csv", "suitability.json")
SHOWN = 40


class Pair(click.ParamType):
    """name=text."""

    name = "name=text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, mark, text = str(value).partition("=")
        if not (mark and name.strip() and text.strip()):
            self.fail(f"'{value}' is not understood; write {self.name}", param, ctx)
        return name.strip(), text.strip()


@click.command(
    name="suitability",
    epilog="Example: geotools plan suitability sample_data/fuzuli --machine mematt --machines limits.toml --bearing 90 -o out/suitability",
    short_help="Where a machine can work, and why not.",
)
@options.survey_argument
@click.option(
    "--machine",
    "machine_id",
    default="mematt",
    show_default=True,
    help="Id of a machine row; an unknown one lists the names.",
)
@click.option(
    "--machines",
    "own",
    type=click.Path(path_type=Path),
    help="TOML file with the limits of your own authority; they go before the published ones.",
)
@click.option(
    "--task",
    "task_ids",
    multiple=True,
    help="Id of a task, activity or hazard; repeat for several. Default: all tasks with a polygon.",
)
@click.option(
    "--bearing", type=click.FloatRange(0, 360), help="Direction of the lanes from true north (default: any direction)."
)
@click.option("--dem", type=click.Path(path_type=Path), help="Heights (default: the survey's).")
@click.option("--cover", type=click.Path(path_type=Path), help="Land cover (default: the survey's).")
@click.option(
    "--legend",
    "legend",
    type=Pair(),
    multiple=True,
    metavar="CODE=WORD",
    help="What a code of the land cover means, where the raster does not say. Repeat.",
)
@click.option(
    "--layer-file",
    "layer_files",
    type=Pair(),
    multiple=True,
    metavar="NAME=FILE",
    help=f"A further layer: {', '.join(LAYERS)}. Repeat for several.",
)
@click.option(
    "--waive",
    "waived",
    type=Pair(),
    multiple=True,
    metavar="CRITERION=REASON",
    help="Ground unknown on a criterion becomes conditional on a reason: who decided, on what ground.",
)
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.common
def command(survey: str, output: Path | None, **choices: Any) -> None:
    """Judge every cell and task for one machine: workable, conditional, not, or unknown, and which limit excludes how many m².

    SURVEY is a survey or one file of polygons. OUTPUT is a folder: suitability.tif (classes with colours), suitability.gpkg (for the map), two tables, and suitability.json (figures, limits and where they came from).
    Limits without a source do not exist here: most machines have no published slope, soil or vegetation limit, and ground is unknown until your authority's
    own figures stand in a machines file. Workable says the machine can go there, never that land is safe.
    """
    from geotools.analysis import suitability
    from geotools.survey import open_survey

    refuse_existing(output, FILES, overwrite=choices["overwrite"])
    bar = options.progress_bar(choices["progress"])
    machine = suitability.machine(choices["machine_id"], choices["own"])
    settings = suitability.Settings(bearing_deg=choices["bearing"], waived=dict(choices["waived"]))
    opened = open_survey(survey, crs=choices["crs"], progress=bar)
    tasks = tasks_of(opened, choices["task_ids"], survey)
    layers = _layers(opened, choices)
    with _ground(opened, tasks, choices) as slopes:
        done = suitability.assess(slopes, machine, layers, tasks=tasks, settings=settings, progress=bar)
        if output is not None:
            files = (
                choices["own"],
                choices["dem"] or opened.rasters.get("dem"),
                layers.cover,
                *(file for _, file in choices["layer_files"]),
            )
            made = provenance("planned suitability", opened, choices, files)
            done.write(output, overwrite=choices["overwrite"], provenance=made)
            options.say(f"written: {output}")
    for row in done.issues.head(SHOWN).itertuples():
        options.say(f"{row.severity}: {f'{row.id}: ' if row.kind == 'tasks' and row.id else ''}{row.message}")
    if len(done.issues) > SHOWN:
        options.say(f"… and {len(done.issues) - SHOWN} more")
    if choices["as_json"]:
        options.print_json(done.to_dict())
    else:
        click.echo("\n".join(done.sentences))


def _ground(opened: Any, tasks: Any, choices: dict[str, Any]) -> Any:
    """Slopes of the heights there are, or a flat lattice over the tasks on which every slope is unknown."""
    from contextlib import nullcontext

    from geotools.analysis import suitability, terrain
    from geotools.space import crs
    from geotools.space.grid import Grid

    dem = choices["dem"] or opened.rasters.get("dem")
    if dem is not None:
        return terrain.gradients(dem)
    plane = crs.metric(tasks).dropna().iloc[0]
    west, south, east, north = tasks.to_crs(plane).total_bounds
    return nullcontext(
        suitability.Flat(Grid.around((west - CELL_M, south - CELL_M, east + CELL_M, north + CELL_M), CELL_M, plane))
    )


def _layers(opened: Any, choices: dict[str, Any]) -> Any:
    from geotools import io
    from geotools.analysis import suitability
    from geotools.model.errors import SchemaError

    found: dict[str, Any] = {}
    landuse = opened.layers.get("landuse")
    if landuse is not None and "use" in landuse:
        for name, use in USES.items():
            part = landuse[landuse["use"] == use]  # rows without a place, too: they make the criterion unknown
            found |= {name: part} if len(part) else {}
    for name, file in choices["layer_files"]:
        if name not in LAYERS:
            raise SchemaError(f"there is no layer '{name}'", hint=f"layers are {', '.join(LAYERS)}")
        found[name] = io.read(file, crs=choices["crs"])
    if not all(code.isdigit() for code, _ in choices["legend"]):
        raise SchemaError("codes of the land cover are whole numbers", hint="for example --legend 10=trees")
    legend = {int(code): word for code, word in choices["legend"]} or None
    return suitability.Layers(legend=legend, cover=choices["cover"] or opened.rasters.get("landcover"), **found)
