"""`geotools risk residual`: what the searches of a task may have left, from polygons or from the fixes of a survey. It releases nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from geotools.cli import options
from geotools.cli.risk import words

SHOWN = 8
MOST_CELLS = 8_000_000


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


@click.command(
    "residual",
    epilog="Example: geotools risk residual task.geojson --searched cleared.geojson --lanes 55/59 --found 12 --items 15 -o left.tif     "
    "From fixes: geotools risk residual sample_data/fuzuli --task TASK-D1 --lanes 55/59 --sigma 0.02",
)
@click.argument("survey", metavar="SURVEY", type=options.InputFile())
@click.option(
    "--task",
    help="Id of the task (an activity or hazard of the survey). Without it SURVEY is a file with the polygons of the task.",
)
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
    help="Blind-lane result of that method, hits/targets, e.g. 55/59. With fixes of a survey the first one is theirs.",
)
@click.option(
    "--fixes/--no-fixes",
    "use_fixes",
    default=True,
    show_default=True,
    help="With --task: count the passes of the survey's fixes.",
)
@click.option(
    "--width", type=click.FloatRange(min=0, min_open=True), help="Width of the tool in metres where fixes state none."
)
@click.option(
    "--sigma",
    type=click.FloatRange(min=0),
    help="Position error of the fixes per axis, metres (default: as they state).",
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
@options.executor
@options.as_json
@options.common
def residual(survey: Path, output: Path | None, **choices: Any) -> None:
    """Account for what the searches of a task may have left, where, and what to search next.

    SURVEY is a file with the polygons of the task; or a survey with --task, whose fixes then give the passes.
    OUTPUT is a .tif (COG) of the expected items left per cell, or a file of polygons: the smallest ground that holds half of them, to
    search first (a .gpkg also gets the task). A cell counts as searched only where a pass or polygon holds it wholly.
    """
    from geotools.analysis import residual as room

    if len(choices["lanes_counts"]) < len(choices["searched"]):
        raise click.UsageError(UNCOUNTED)
    click.get_current_context().with_resource(options.executing(choices))
    ground, fixes, method = _task(survey, choices)
    result, table, searches, walked = _account(ground, (fixes, method), choices, room)
    facts = {name: _value(value) for name, value in choices["facts"]}
    checklist = room.checklist(result, _shown(searches) | facts, dict(choices["required"]))
    if output is not None:
        _write(result, ground, output, choices["overwrite"], room)
    if choices["as_json"]:
        data = {**result.to_dict(), "next_actions": table.to_dict("records"), "evidence": checklist.to_dict("records")}
        data["coverage_from_fixes"] = None if walked is None else walked.to_dict()
        options.print_json(data)
        return
    if walked is not None:
        click.echo(
            f"{walked.sentences[0]} Below, a cell of {result.expected.grid.cell:g} m counts only where a pass holds it wholly."
        )
    click.echo("\n".join(sentences(result, table)))
    click.echo("\n".join(evidence(checklist)))
    click.echo("An estimate under the stated assumptions, for a named person's decision. It releases no land.")


UNCOUNTED = "each --searched needs its --lanes hits/targets: a detection figure without its counts is not used"


def sentences(result: Any, table: Any) -> list[str]:
    """The account for a person: how many, how sure, from which ground, and what next."""
    sure = f"{100 * result.confidence:g} %"
    number = (
        f"Expected items left: {words.items(result.left)}. Their number lies between {result.low} and {result.high} "
        f"with a probability of {words.about(result.held)} (at least {sure} asked for); "
        f"it is above {result.at_most} with {50 * (1 - result.confidence):g} % at most."
    )
    ground = (
        f"If passes were independent it would be {words.items(result.left_independent)}. "
        f"{words.percent(result.searched_share)} of the task was searched at least once."
    )
    lines = [number, ground]
    for row in result.drivers.head(SHOWN).itertuples():
        deep = f", of them {words.items(row.too_deep)} too deep" if row.too_deep > 0 else ""
        lines.append(
            f"  {_plain(row.group)}: {words.area(row.area_m2)}, {words.items(row.expected_left)} left ({words.about(row.share)} of all){deep}"
        )
    for row in table.head(5).itertuples():
        lines.append(
            f"  next: {_plain(row.option)} on '{_plain(row.group)}' ({words.area(row.area_m2)}) lowers it by {words.items(row.lowers_by)} for a cost of {row.cost:,.0f}"
        )
    return lines


def evidence(checklist: Any) -> list[str]:
    """The checklist for a person."""
    lines = ["Evidence:"]
    for row in checklist.to_dict("records"):
        value = f": {_plain(row['value_words'])}" if row["value_words"] else ""
        asked = f" (required {row['required_words']})" if row["required_words"] else ""
        note = f"; {_plain(row['note'])}" if row["note"] else ""
        lines.append(f"  {row['status']:9}  {row['item']}{value}{asked}{note}")
    return lines


def _plain(text: object) -> str:
    import unicodedata

    return "".join(c if unicodedata.category(c)[0] != "C" else " " for c in str(text))


def _shown(searches: list[Any]) -> dict[str, float]:
    """What the lane counts show of detection: the lowest one-sided 95 % limit of the searches."""
    from geotools.analysis import trial

    return {"pod_low": min(trial.interval(s.found, s.targets, side="lower")[0] for s in searches)} if searches else {}


def _task(survey: Path, choices: dict[str, Any]) -> tuple[Any, Any, str | None]:
    """Polygons of the task, the fixes made in it (None without), and the method of the work."""
    from geotools import io

    if choices["task"] is None:
        if survey.is_dir() or survey.suffix.lower() == ".toml":
            raise click.UsageError("with a survey, --task says which task: the id of an activity or hazard")
        return io.read(survey, "hazards", crs=choices["crs"]), None, None
    from geotools.cli.swath import task_of
    from geotools.survey import open_survey

    opened = open_survey(survey, crs=choices["crs"])
    ground, method = task_of(opened, choices["task"], str(survey))
    fixes = opened.fixes
    if "task_id" in fixes and (fixes["task_id"] == choices["task"]).any():
        fixes = fixes[fixes["task_id"] == choices["task"]]
    if not choices["use_fixes"] or not len(fixes):
        return ground, None, method
    if choices["found"] is None:
        _mention(opened.finds, ground)
    return ground, fixes, method


def _mention(finds: Any, ground: Any) -> None:
    from geotools.model import arguments

    there = finds[arguments.placed(finds)] if len(finds) else finds
    if len(there):
        number = int(there.to_crs(4326).intersects(ground.to_crs(4326).union_all()).sum())
        options.say(
            f"{number} finds of the survey lie in the task; give --found if these searches made them: they are not used unless you say so"
        )


def _account(
    ground: Any, walked: tuple[Any, str | None], choices: dict[str, Any], room: Any
) -> tuple[Any, Any, list[Any], Any]:
    from geotools import io

    fixes, method = walked
    files, counts = choices["searched"], choices["lanes_counts"]
    number = len(files) + (fixes is not None)
    if number != len(counts):
        raise click.UsageError(
            f"{UNCOUNTED} (with the fixes of a survey first: --lanes K/N for them)" if fixes is not None else UNCOUNTED
        )
    for name in ("sd", "reach"):
        if choices[name] and len(choices[name]) != number:
            raise click.UsageError(f"give --{name} for every search or for none")
    grid = _grid(ground, choices["res"], fixes is not None, room)
    near = {
        path.name: (io.read(path, crs=choices["crs"]), weight, metres) for path, weight, metres in choices["evidence"]
    }
    surface = room.prior(ground, grid, items=choices["items"], evidence=near)
    made: list[tuple[str, Any]] = []
    passed: Any = None
    if fixes is not None:
        counted, passed = _walked(fixes, ground, (grid, method), choices, room)
        made.append((method or "fixes", counted))
    made += [(path.stem, room.passes(io.read(path, "releases", crs=choices["crs"]), grid)) for path in files]
    spreads, reaches = choices["sd"] or [0.0] * number, choices["reach"] or [1.0] * number
    searches = [
        room.Search(name, counted, k, n, sd=sd, reach=reach)
        for (name, counted), (k, n), sd, reach in zip(made, counts, spreads, reaches, strict=True)
    ]
    result = room.ledger(
        surface, searches, found=choices["found"], items_sd=choices["items_sd"], confidence=choices["confidence"]
    )
    offers = [room.Option(name, k, n, cost) for name, (k, n), cost in choices["offer"]]
    return result, room.next_actions(result, offers), searches, passed


def _grid(ground: Any, cell_m: float | None, fine: bool, room: Any) -> Any:
    """The grid asked for, or for fixes the finest one that is cheap: lanes a metre wide hold few cells of half a metre wholly."""
    if cell_m is not None or not fine:
        return room.task_grid(ground, cell_m or 0.5)
    rough = room.task_grid(ground, 5.0)
    square_metres = rough.shape[0] * rough.shape[1] * 25.0
    return room.task_grid(ground, next((c for c in (0.1, 0.2) if square_metres / c**2 <= MOST_CELLS), 0.5))


def _walked(
    fixes: Any, ground: Any, place: tuple[Any, str | None], choices: dict[str, Any], room: Any
) -> tuple[Any, Any]:
    """Passes of the fixes over each cell, only on ground that they covered with assurance where the accuracy is known."""
    import numpy as np

    from geotools.analysis import swath
    from geotools.cli.swath import assured, overridden
    from geotools.model.methods import MACHINE
    from geotools.space.grid import Raster

    grid, method = place
    prepared = swath.prepare(fixes, ground, tool=swath.Tool(width_m=choices["width"]))
    rows = prepared.passes
    if method == MACHINE:
        options.say(
            "warning: the fixes are of a machine, which processes ground and does not search it; its --lanes must be a trial of that machine"
        )
    serious = prepared.issues[prepared.issues["severity"] != "info"]
    for _, alike in serious.groupby("check", sort=False):
        more = f" (and {len(alike) - 1} more of this kind)" if len(alike) > 1 else ""
        options.say(f"{alike['severity'].iloc[0]}: {_plain(alike['message'].iloc[0])}{more}")
    covered = swath.cover(prepared, ground, method=method)
    said = overridden(rows, choices["sigma"])
    if said is not None:
        options.say(said)
    if not len(rows):
        return Raster(np.zeros(grid.shape, dtype=np.uint16), grid, name="passes"), covered
    strips = swath.swaths(rows)
    each = strips.groupby(rows["pass_id"]).agg(lambda parts: parts.union_all())
    counted = room.passes(each.set_crs(strips.crs), grid)
    sure = assured(rows, ground, {"sigma": choices["sigma"], "resolution": 0.1, "draws": 0, "seed": 0, "tau": 300.0})
    if sure is None:
        options.say("warning: nobody has said how accurate the positions are; they are taken as exact (give --sigma)")
        return counted, covered
    held = room.passes(sure.assured, grid).values > 0
    return Raster(np.where(held, counted.values, 0).astype(np.uint16), grid, name="passes"), covered


def _write(result: Any, ground: Any, output: Path, overwrite: bool, room: Any) -> None:
    from geotools import io
    from geotools.io.rasters import write_raster

    if output.suffix.lower() in (".tif", ".tiff"):
        write_raster(result.expected, output, overwrite=overwrite)
    else:
        first = room.concentration(result.expected)
        if output.suffix.lower() == ".gpkg":
            io.write_layers({"search_first": first, "task": ground}, output, overwrite=overwrite)
        else:
            io.write(first, output, overwrite=overwrite)
    options.say(f"written: {output}")


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
