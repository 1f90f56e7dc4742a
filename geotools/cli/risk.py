"""`geotools risk`: residual risk and mine-row patterns, for planning clearance. It releases nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from geotools.cli import options


class LaneCounts(click.ParamType):
    """Hits and targets of blind lanes, K/N."""

    name = "k/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse two whole numbers; a bare percentage is refused."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", str(value))
        if not match or int(match[1]) > int(match[2]) or int(match[2]) == 0:
            self.fail(f"'{value}' is not a count: write hits/targets of the blind lanes, e.g. 55/59", param, ctx)
        return int(match[1]), int(match[2])


@click.group(
    name="risk",
    epilog="Example: geotools risk pattern finds.csv -o rows.gpkg",
    short_help="Residual risk and mine rows.",
)
def command() -> None:
    """Residual risk and mine-row patterns, for clearance planning. Nothing here releases land."""


@command.command(
    "residual",
    epilog="Example: geotools risk residual task.geojson --searched cleared.geojson --lanes 55/59 --found 12 --items 15 -o left.tif",
)
@click.argument("task", type=options.InputFile())
@click.option(
    "--searched",
    multiple=True,
    type=options.InputFile(),
    help="Polygons searched by one method; repeat, with --lanes for each. Overlaps count as passes.",
)
@click.option(
    "--lanes",
    "lanes_counts",
    multiple=True,
    type=LaneCounts(),
    help="Blind-lane result of that method, hits/targets, e.g. 55/59.",
)
@click.option(
    "--sd",
    multiple=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="Spread of detection between items and operators for that method (0: passes independent).",
)
@click.option(
    "--reach",
    multiple=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of items within the depth that method reaches.",
)
@click.option(
    "--items",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Expected items in the task before any search.",
)
@click.option(
    "--items-sd", type=click.FloatRange(min=0), help="Uncertainty of that number; without it the finds alone decide."
)
@click.option("--found", type=click.IntRange(min=0), help="Items these searches found in the task.")
@click.option(
    "--evidence",
    multiple=True,
    type=(options.InputFile(), float, float),
    metavar="FILE WEIGHT METRES",
    help="Finds, records or gaps that raise the expectation nearby; repeat.",
)
@click.option(
    "--offer",
    multiple=True,
    type=(str, LaneCounts(), float),
    metavar="NAME K/N COST_PER_M2",
    help="A further search on offer; repeat.",
)
@click.option(
    "--fact",
    "facts",
    multiple=True,
    type=(str, str),
    metavar="NAME VALUE",
    help="Evidence for the checklist, e.g. pod_low 0.91, sample accepted; repeat.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    type=(str, float),
    metavar="NAME VALUE",
    help="What the authority requires, e.g. searched_share 1, pod_low 0.9; repeat.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.90,
    show_default=True,
    help="Of the interval.",
)
@options.res
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.common
def residual(task: Path, output: Path | None, **choices: Any) -> None:
    """Account for what the searches of TASK may have left, where, and what to search next.

    OUTPUT is a .tif of the expected items left per cell, or a file of polygons: the smallest ground that holds half of them, to
    search first. A cell counts as searched only where a polygon holds it wholly.
    """
    from geotools import io
    from geotools.analysis import residual as room

    result, table = _account(task, choices, room)
    checklist = room.checklist(
        result, {name: _value(value) for name, value in choices["facts"]}, dict(choices["required"])
    )
    if output is not None:
        if output.suffix.lower() in (".tif", ".tiff"):
            _raster(result.expected, output, choices["overwrite"])
        else:
            io.write(room.concentration(result.expected), output, overwrite=choices["overwrite"])
        options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json(
            {
                **result.to_dict(),
                "next_actions": table.to_dict("records"),
                "evidence": checklist.where(checklist.notna(), None).to_dict("records"),
            }
        )
        return
    click.echo(
        f"Expected items left: {result.left:.3g}; between {result.low} and {result.high} with {100 * result.confidence:g} % confidence."
    )
    click.echo(
        f"If passes were independent it would be {result.left_independent:.3g}. {100 * result.searched_share:.1f} % of the task was searched at least once."
    )
    for row in result.drivers.head(8).itertuples():
        click.echo(
            f"  {row.group}: {row.area_m2:,.0f} m², {row.expected_left:.3g} left ({100 * row.share:.0f} %), of them {row.too_deep:.3g} too deep"
        )
    for row in table.head(5).itertuples():
        click.echo(f"  next: {row.option} on '{row.group}' lowers it by {row.lowers_by:.3g} for {row.cost:,.0f}")
    click.echo("Evidence:")
    for row in checklist.to_dict("records"):
        click.echo(
            f"  {row['status']:9}  {row['item']}"
            + (f": {row['value']}" if row["value"] is not None else "")
            + (f" (required {row['required']})" if row["required"] is not None else "")
        )
    click.echo("An estimate under the stated assumptions, for a named person's decision. It releases no land.")


@command.command("pattern", epilog="Example: geotools risk pattern finds.csv --half-width 0.5 -o rows.gpkg")
@click.argument("finds", type=options.InputFile())
@click.option(
    "--half-width",
    "half_width_m",
    type=click.FloatRange(min=0, min_open=True),
    default=0.5,
    show_default=True,
    help="Half the width of a row in metres.",
)
@click.option(
    "--false-rows",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Rows reported per field of pure clutter, on average at most.",
)
@click.option(
    "--area",
    type=options.InputFile(),
    help="Polygons of the ground that was searched; default: the hull of the finds.",
)
@click.option("--category", "categories", multiple=True, help="Only finds of this category (e.g. ap_mine); repeat.")
@click.option(
    "--record",
    type=options.InputFile(),
    help="Recorded positions (points with row_id) to reconcile with the finds.",
)
@click.option(
    "--reach",
    "reach_m",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Greatest distance between a recorded position and its find.",
)
@click.option(
    "--searched",
    type=options.InputFile(),
    help="Polygons searched to the required standard, for the fade-out check.",
)
@click.option(
    "--fadeout",
    "fadeout_m",
    type=click.FloatRange(min=0, min_open=True),
    help="The authority's distance around finds in metres (with --searched and --authority).",
)
@click.option("--authority", help="Where the authority states that distance.")
@click.option(
    "--drift",
    "drift_m",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Greatest common movement of a row (flood, slope).",
)
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.common
def pattern(finds: Path, output: Path | None, **choices: Any) -> None:
    """Find rows among FINDS, their spacing, and the gaps to search first.

    OUTPUT is a .gpkg with the layers rows, gaps and points (and unaccounted, with --record).
    """
    from geotools import io
    from geotools.analysis import pattern as room

    points = io.read(finds, "finds", crs=choices["crs"])
    if choices["categories"]:
        points = points[points["category"].isin(choices["categories"])] if "category" in points else points.iloc[:0]
    area = None if choices["area"] is None else io.read(choices["area"], crs=choices["crs"])
    found = room.rows(points, half_width_m=choices["half_width_m"], false_rows=choices["false_rows"], area=area)
    record = None
    if choices["record"] is not None:
        record = room.reconcile(
            io.read(choices["record"], crs=choices["crs"]),
            points,
            reach_m=choices["reach_m"],
            drift_m=choices["drift_m"],
        )
    fade = _fadeout(points, choices, room)
    if output is not None:
        layers = {"rows": found.rows, "gaps": found.gaps, "points": found.points}
        layers |= {} if record is None else {"unaccounted": record.unaccounted}
        layers |= {} if fade is None else {"not_searched": fade.missing}
        io.write_layers(layers, output, overwrite=choices["overwrite"])
        options.say(f"written: {output}")
    if choices["as_json"]:
        more = {"record": record, "fadeout": fade}
        options.print_json(
            {**found.to_dict(), **{name: part.to_dict() for name, part in more.items() if part is not None}}
        )
        return
    click.echo(f"{len(found.rows)} rows among {len(found.points)} finds; {len(found.gaps)} gaps to search first.")
    for row in found.rows.itertuples():
        spacing = f"one every {row.spacing_m:.2f} m" if row.spacing_m == row.spacing_m else "no regular spacing"
        click.echo(
            f"  {row.id}: {row.points} finds over {row.length_m:.1f} m, {spacing}, bearing {row.bearing_deg:.0f}°"
        )
    if record is not None:
        total = record.to_dict()
        click.echo(
            f"Record: {total['recorded']} recorded, {total['found']} found, {total['craters']} craters, {total['unaccounted']} unaccounted for; {total['unrecorded']} finds not in the record."
        )
    if fade is not None:
        short = int(fade.finds["short"].sum())
        click.echo(
            f"Fade-out {fade.fadeout_m:g} m ({fade.authority_ref}): {short} of {len(fade.finds)} finds lie nearer to the edge; {fade.missing['area_m2'].sum():,.0f} m² around finds not searched."
        )
    click.echo("Ground outside the rows keeps its status.")


def _fadeout(points: Any, choices: dict[str, Any], room: Any) -> Any:
    from geotools import io

    given = [choices[name] is not None for name in ("searched", "fadeout_m", "authority")]
    if not any(given):
        return None
    if not all(given):
        raise click.UsageError(
            "a fade-out check needs --searched, --fadeout and --authority: the distance is the authority's"
        )
    ground = io.read(choices["searched"], "releases", crs=choices["crs"])
    return room.fadeout(points, ground, fadeout_m=choices["fadeout_m"], authority_ref=choices["authority"])


def _account(task: Path, choices: dict[str, Any], room: Any) -> tuple[Any, Any]:
    from geotools import io

    files, counts = choices["searched"], choices["lanes_counts"]
    if len(files) != len(counts):
        raise click.UsageError(
            "each --searched needs its --lanes hits/targets: a detection figure without its counts is not used"
        )
    for name in ("sd", "reach"):
        if choices[name] and len(choices[name]) != len(files):
            raise click.UsageError(f"give --{name} for every --searched or for none")
    ground = io.read(task, "hazards", crs=choices["crs"])
    grid = room.task_grid(ground, choices["res"] or 0.5)
    evidence = {
        path.name: (io.read(path, crs=choices["crs"]), weight, metres) for path, weight, metres in choices["evidence"]
    }
    surface = room.prior(ground, grid, items=choices["items"], evidence=evidence)
    spreads, reaches = choices["sd"] or [0.0] * len(files), choices["reach"] or [1.0] * len(files)
    searches = [
        room.Search(
            path.stem, room.passes(io.read(path, "releases", crs=choices["crs"]), grid), k, n, sd=sd, reach=reach
        )
        for path, (k, n), sd, reach in zip(files, counts, spreads, reaches, strict=True)
    ]
    result = room.ledger(
        surface, searches, found=choices["found"], items_sd=choices["items_sd"], confidence=choices["confidence"]
    )
    offers = [room.Option(name, k, n, cost) for name, (k, n), cost in choices["offer"]]
    return result, room.next_actions(result, offers)


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _raster(raster: Any, path: Path, overwrite: bool) -> None:
    import rasterio

    from geotools.io.atomic import replacing

    rows, columns = raster.grid.shape
    profile = {
        "driver": "GTiff",
        "height": rows,
        "width": columns,
        "count": 1,
        "dtype": "float32",
        "compress": "deflate",
        "tiled": True,
        "nodata": None,
    }
    with (
        replacing(path, overwrite=overwrite) as temporary,
        rasterio.open(
            temporary, "w", crs=raster.grid.crs.to_wkt(), transform=raster.grid.transform, **profile
        ) as target,
    ):
        target.write(raster.values.astype("float32"), 1)
        target.set_band_description(1, raster.name)
