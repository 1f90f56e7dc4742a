"""`geotools swath`: what a detector or machine covered and missed of a task, from its fixes. Not for the ledger (see `coverage`)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from geotools.cli import options
from geotools.cli.swath.products import assured, left_behind, overridden, words, write_products, write_words
from geotools.cli.swath.source import Source, load, task_of

__all__ = ["assured", "command", "left_behind", "load", "overridden", "task_of", "words", "write_products"]


class PodType(click.ParamType):
    """FOUND/TARGETS of a trial, or MEAN,LOW,HIGH."""

    name = "found/targets"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse into (found, targets) or (mean, low, high)."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        try:
            if "/" in text:
                found, targets = (int(part) for part in text.split("/"))
                return found, targets
            mean, low, high = (float(part) for part in text.split(","))
        except ValueError:
            self.fail(
                "give a trial as FOUND/TARGETS (27/30) or MEAN,LOW,HIGH (0.90,0.75,0.98); a lone number says too little",
                param,
                ctx,
            )
        return mean, low, high


class Length(click.ParamType):
    """A length in metres, or with its unit: 1.7, 170cm, 5.5ft."""

    name = "length"

    def __init__(self, *, positive: bool = False) -> None:
        self.positive = positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse into metres."""
        if isinstance(value, float):
            return value
        from geotools.analysis.swath.units import length

        metres = length(str(value))
        if not math.isfinite(metres) or (self.positive and not metres > 0):
            what = "a length above zero" if self.positive else "a length"
            self.fail(
                f"'{value}' is not {what}: write metres, or a unit behind the number (1.7, 170cm, 5.5ft)", param, ctx
            )
        return metres


class SectionType(click.ParamType):
    """NAME,WIDTH,RIGHT[,AHEAD[,COLUMN]] of one section of an implement."""

    name = "name,width,right"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse into the parts of a section."""
        if isinstance(value, tuple):
            return value
        name, *rest = (part.strip() for part in str(value).split(","))
        if not 2 <= len(rest) <= 4 or not name:
            self.fail("write NAME,WIDTH,RIGHT[,AHEAD[,COLUMN]], for example left,1.2,-0.6", param, ctx)
        numbers = [Length().convert(part, param, ctx) for part in rest[:3]]
        return name, *numbers, *([0.0] if len(numbers) < 3 else []), rest[3] if len(rest) > 3 else "is_on"


@click.command(
    name="swath",
    epilog="""\b
Example: geotools swath sample_data/fuzuli --task TASK-D1 -o out/swath
A hand detector, 0.5 m of ground per sweep, RTK at 2 cm, 27 of 30 targets found in the trial:
  geotools swath detector.gpx --task lane.geojson --width 0.5 --sigma 0.02 --pod 27/30 --method detector -o out/lane
A MEMATT-type machine: flail 1.7 m wide, 2.1 m ahead of the antenna, two passes and 20 cm required:
  geotools swath machine.csv --task box.gpkg --width 1.7 --ahead 2.1 --method mechanical --required-passes 2 --depth 20 -o out/box""",
    short_help="What a tool covered and missed, from its fixes.",
)
@options.survey_argument
@click.option(
    "--task", required=True, help="Id of the task (an activity or hazard of the survey), or a file with its polygon."
)
@click.option(
    "--width", type=Length(positive=True), help="Width of the tool where fixes state none: 1.7, 170cm, 5.5ft."
)
@click.option(
    "--ahead", type=Length(), default=0.0, show_default=True, help="Tool ahead of the antenna (negative: behind)."
)
@click.option(
    "--right", type=Length(), default=0.0, show_default=True, help="Tool to the right of the antenna (negative: left)."
)
@click.option(
    "--section", "sections", type=SectionType(), multiple=True,
    help="One section of an implement, instead of --width: name, width, place to the right of the antenna, and if need be place ahead and the column that says whether it works; again for each.",
)  # fmt: skip
@click.option(
    "--method",
    help="Method of the work: a machine processes ground, it does not search it (default: from the survey; an unknown word is neither).",
)
@click.option(
    "--sigma",
    type=click.FloatRange(min=0),
    help="Position error per axis, metres (default: as the fixes state; where they state none, a hand-held receiver's, 3 m unless the programme says otherwise).",
)
@click.option(
    "--tau",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Correlation time of the position error, seconds.",
)
@click.option("--pod", type=PodType(), help="Detection per pass: FOUND/TARGETS of a trial, or MEAN,LOW,HIGH.")
@click.option(
    "--resolution",
    type=click.FloatRange(min=0.01),
    default=0.05,
    show_default=True,
    help="Cell size of the pass counts, metres.",
)
@click.option(
    "--required-passes", type=click.IntRange(1, 2), default=1, show_default=True, help="Passes the ground needs."
)
@click.option(
    "--depth",
    type=click.FloatRange(min=0, min_open=True),
    help="Required depth, cm (default: of the programme, where the fixes record a depth).",
)
@click.option("--speed-max", type=click.FloatRange(min=0, min_open=True), help="Fastest speed that still detects, m/s.")
@click.option(
    "--draws",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Monte Carlo layouts for the expected uncovered area.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers.")
@options.output
@options.overwrite
@options.crs
@options.encoding
@options.executor
@options.as_json
@options.fail_on
@options.common
def command(survey: str, task: str, output: Path | None, **choices: Any) -> None:
    """Covered and missed ground of a task, the gaps to walk to, pass counts, and how sure all this is.

    SURVEY is a survey (folder, .gpkg, survey.toml) with fixes, or one file of fixes (GPX, NMEA, CSV, GeoPackage, Parquet). OUTPUT
    is a folder for layers (swath.gpkg), rasters, the gap list (gaps.gpx for the receiver) and summary.txt. Covered means that the
    tool went there; it never means that the ground is safe.
    """
    from geotools.analysis import swath
    from geotools.cli.swath.products import as_data
    from geotools.model.schema import join_issues

    bar = options.progress_bar(choices["progress"])
    click.get_current_context().with_resource(options.executing(choices))
    source = load(survey, task, choices, bar)
    sections = tuple(swath.Section(n, w, right, ahead, column) for n, w, right, ahead, column in choices["sections"])
    tool = swath.Tool(choices["width"], choices["ahead"], choices["right"], sections)
    streamed = isinstance(source.fixes, Path)
    depth = choices["depth"] if choices["depth"] is not None or streamed else source.depth_cm
    rules = swath.Rules(depth_cm=depth, speed_max_mps=choices["speed_max"], h_acc_m=choices["sigma"] or None)
    choices["programme"] = source.programme
    limits = swath.CoverRules(required_passes=choices["required_passes"], programme=source.programme)
    method = choices["method"] or source.method
    if streamed:
        job = swath.Job(choices["crs"], tool, rules, limits, method)
        found = large(source, job, output, {**choices, "name": task})
    else:
        prepared = swath.prepare(source.fixes, source.ground, tool=tool, rules=rules)
        covered = swath.cover(prepared, source.ground, rules=limits, method=method, progress=bar)
        if (said := overridden(prepared.passes, choices["sigma"])) is not None:
            options.say(said)
        found = {"covered": covered, "assurance": assured(prepared.passes, source.ground, choices)}
        found["residual"] = left_behind(prepared.passes, source.ground, choices)
        found["account"] = swath.account(prepared.counts, source.issues, elsewhere=source.elsewhere)
        extra = [found["account"].issues, None if found["assurance"] is None else found["assurance"].issues]
        found["issues"] = join_issues(source.issues, covered.issues, *extra)
        if output is not None:
            written = write_products(output, found, prepared.passes, source.ground, {**choices, "name": task})
            options.say(f"written: {output} ({len(written)} files)")
    if choices["as_json"]:
        options.print_json(as_data(found, task))
    else:
        click.echo("\n".join(words(found)))
    options.exit_for(found["issues"], choices["fail_on"])


def large(source: Source, job: Any, output: Path | None, choices: dict[str, Any]) -> dict[str, Any]:
    """Coverage of a table larger than memory; what needs all passes at once is left out, and that is said."""
    from dataclasses import replace

    from geotools.analysis import swath
    from geotools.model.programme import Programme

    bar = options.progress_bar(choices["progress"])
    options.say(
        "the table is large: it is worked tile by tile; assured ground, drawn layouts and detection need a part of it (one task, one day)"
        + ("" if output is not None else "; with -o pass counts and position uncertainty are written as rasters")
    )
    target = None if output is None else output / "swath.gpkg"
    if output is not None:
        assumed = (source.programme or Programme()).limit("h_acc_default_m")
        cells = swath.Cells(output, choices["resolution"], choices["sigma"], choices["tau"], assumed)
        job = replace(job, cells=cells)
    covered = swath.cover_stream(
        source.fixes, source.ground, output=target, job=job, overwrite=choices["overwrite"], progress=bar
    )
    found = {"covered": covered, "assurance": None, "residual": None, "issues": covered.issues}
    found["account"] = swath.account(covered.counts)
    if output is not None:
        written = write_words(output, found, choices)
        rasters = 0 if covered.rasters is None else len(covered.rasters.files)
        options.say(f"written: {output} ({len(written) + 1 + rasters} files)")
    return found
