"""`geotools plan sample`: draw the cells of a cleared lot to inspect. Not for judging what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    name="sample",
    epilog="Example: geotools plan sample cleared.geojson --lot R-017 --remaining 3 --confidence 0.9 --block 10 -o sample.gpkg",
    short_help="Which cells of a cleared lot to inspect.",
)
@options.survey_argument
@click.option(
    "--lot",
    "lots",
    multiple=True,
    help="Id of a released polygon; repeat to join several into one lot. Default: all cleared polygons are one lot.",
)
@click.option(
    "--rule",
    type=click.Choice(["zero", "iso2859"]),
    default="zero",
    show_default=True,
    help="Accept on zero (exact), or ISO 2859-1 level II.",
)
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), help="A fixed share of the area instead of a rule, e.g. 0.1."
)
@click.option(
    "--remaining",
    type=click.IntRange(1, 2000),
    default=1,
    show_default=True,
    help="Number of remaining items the sample should meet.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.90,
    show_default=True,
    help="With this confidence.",
)
@click.option(
    "--sensitivity",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Chance that inspecting a cell reveals the item in it.",
)
@click.option(
    "--cell",
    "cell_m",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Side of a cell in metres.",
)
@click.option(
    "--block",
    "block_m",
    type=click.FloatRange(min=0, min_open=True),
    help="Draw walkable blocks of this side instead of single cells.",
)
@click.option(
    "--near-finds",
    type=(float, float),
    metavar="METRES WEIGHT",
    help="Sample WEIGHT times as densely within METRES of the survey's finds.",
)
@click.option(
    "--near-edge",
    type=(float, float),
    metavar="METRES WEIGHT",
    help="Sample WEIGHT times as densely within METRES of the lot's edge.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same cells.")
@click.option(
    "--results",
    type=options.InputFile(),
    help="Inspections made (kind samples): judge the lot by the plan with the same options.",
)
@click.option(
    "--required-depth",
    "depth_cm",
    type=click.FloatRange(min=0),
    help="Depth in cm an inspection must have reached to count (with --results).",
)
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.common
def command(survey: str, output: Path | None, **choices: Any) -> None:
    """Draw the cells of a cleared lot to inspect, in walking order, and say what the sample can and cannot show.

    SURVEY is a survey or one file of released polygons. OUTPUT gets the cells: id, stratum, order of visit, area, lon, lat, grid reference.
    With --results it is a .gpkg with the judged cells and the ground to inspect again.
    """
    from geotools import io
    from geotools.analysis import sampling

    lot, finds = _lot(survey, choices)
    rule: Any = sampling.AcceptZero(choices["remaining"], choices["confidence"], choices["sensitivity"])
    if choices["share"] is not None:
        rule = sampling.Share(choices["share"])
    elif choices["rule"] == "iso2859":
        rule = sampling.Iso2859()
    layers = {}
    if choices["near_finds"] is not None:
        layers["near finds"] = (finds, *choices["near_finds"])
    if choices["near_edge"] is not None:
        layers["near the edge"] = (lot.boundary, *choices["near_edge"])
    strata = sampling.strata_near(layers) if layers else None
    drawn = sampling.plan(
        lot, rule, unit_m=choices["cell_m"], block_m=choices["block_m"], strata=strata, seed=choices["seed"]
    )
    if choices["results"] is not None:
        _judge(drawn, output, choices)
        return
    if output is not None:
        io.write(drawn.cells, output, overwrite=choices["overwrite"])
        options.say(f"written: {output}")
    if choices["as_json"]:
        curve = drawn.curve.astype(object).where(drawn.curve.notna(), None)
        options.print_json({**drawn.to_dict(), "operating_curve": curve.to_dict("records")})
        return
    click.echo(drawn.words)
    if choices["block_m"] and choices["remaining"] > 1 and choices["rule"] != "iso2859" and choices["share"] is None:
        click.echo(
            f"--remaining {choices['remaining']} changes nothing here: all of them may lie in one block, so blocks are counted for one."
        )
    from geotools.model.figures import percent

    for row in drawn.strata.to_dict("records"):
        click.echo(f"  {row['stratum']}: {row['sample']:,} of {row['units']:,} units ({percent(row['share'])})")


def _judge(drawn: Any, output: Path | None, choices: dict[str, Any]) -> None:
    from geotools import io
    from geotools.analysis import sampling

    results, _ = io.read_with_issues(choices["results"], "samples", crs=choices["crs"])
    decision = sampling.judge(drawn, results, required_depth_cm=choices["depth_cm"])
    for row in decision.issues.head(20).itertuples():
        options.say(f"{row.severity}: {row.id}: {row.message}")
    if output is not None:
        io.write_layers({"cells": decision.cells, "again": decision.again}, output, overwrite=choices["overwrite"])
        options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json({"plan": drawn.to_dict(), "decision": decision.to_dict()})
    else:
        click.echo(f"{decision.status}: {decision.reason}")
        from geotools.model.figures import square_metres

        again = square_metres(float(decision.again["area_m2"].sum()), toward="up")
        click.echo(
            f"{int(decision.cells['inspected'].sum())} of {len(decision.cells)} chosen cells inspected; {again} m² to inspect again."
        )


def _lot(survey: str, choices: dict[str, Any]) -> tuple[Any, Any]:
    from geotools.model.errors import SchemaError
    from geotools.survey import open_survey

    opened = open_survey(survey, crs=choices["crs"])
    ground = opened.releases
    if ground.empty:  # one file of polygons of another kind is taken as it is
        areas = [
            layer
            for layer in opened.layers.values()
            if len(layer) and layer.geom_type.isin(["Polygon", "MultiPolygon"]).any()
        ]
        ground = areas[0] if len(areas) == 1 else ground
    elif not choices["lots"] and "product" in ground:
        ground = ground[ground["product"] == "cleared"]
    if choices["lots"]:
        unknown = sorted(set(choices["lots"]) - set(ground["id"].astype(str)))
        if unknown:
            raise SchemaError(
                f"there is no released polygon '{unknown[0]}'",
                hint="see geotools info, or the column id of the file",
                file=survey,
            )
        ground = ground[ground["id"].astype(str).isin(choices["lots"])]
    placed = ground[ground.geometry.notna() & ~ground.geometry.is_empty] if len(ground) else ground
    if not len(placed):
        raise SchemaError(
            "there is no cleared polygon to sample",
            hint="give a file of polygons, or --lot with an id of a release",
            file=survey,
        )
    if len(placed) < len(ground):
        options.say(
            f"warning: {len(ground) - len(placed)} of {len(ground)} polygons have no geometry and are not in the lot"
        )
    return placed, opened.finds
