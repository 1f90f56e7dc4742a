"""`geotools swath`: what a detector or machine covered and missed of a task, from its fixes. Not for the ledger (see `coverage`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options

MANY = 2_000_000  # rows of a Parquet file above which it is streamed
SHOWN = 10
SURVEYS = (".gpkg", ".toml", ".sqlite", ".db")  # files that hold a survey; others hold fixes


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


@click.command(
    name="swath",
    epilog="Example: geotools swath sample_data/fuzuli --task TASK-D1 --sigma 0.02 -o out/swath",
    short_help="What a tool covered and missed, from its fixes.",
)
@options.survey_argument
@click.option(
    "--task", required=True, help="Id of the task (an activity or hazard of the survey), or a file with its polygon."
)
@click.option(
    "--width", type=click.FloatRange(min=0, min_open=True), help="Width of the tool in metres where fixes state none."
)
@click.option(
    "--ahead", type=float, default=0.0, show_default=True, help="Tool ahead of the antenna, metres (negative: behind)."
)
@click.option(
    "--right",
    type=float,
    default=0.0,
    show_default=True,
    help="Tool to the right of the antenna, metres (negative: left).",
)
@click.option(
    "--method",
    help="Method of the work: a machine processes ground, it does not search it (default: from the survey; an unknown word is neither).",
)
@click.option(
    "--sigma", type=click.FloatRange(min=0), help="Position error per axis, metres (default: as the fixes state)."
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
@click.option("--depth", type=click.FloatRange(min=0, min_open=True), help="Required depth, cm.")
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
@options.as_json
@options.fail_on
@options.common
def command(survey: str, task: str, output: Path | None, **choices: Any) -> None:
    """Covered and missed ground of a task, the gaps to walk to, pass counts, and how sure all this is.

    SURVEY is a survey (folder, .gpkg, survey.toml) with fixes, or one file of fixes. OUTPUT is a folder for layers, rasters
    and the gap list.
    """
    from geotools.analysis import swath
    from geotools.model.schema import join_issues

    bar = options.progress_bar(choices["progress"])
    ground, fixes, notes, method = load(survey, task, choices, bar)
    tool = swath.Tool(width_m=choices["width"], ahead_m=choices["ahead"], right_m=choices["right"])
    rules = swath.Rules(depth_cm=choices["depth"], speed_max_mps=choices["speed_max"])
    if isinstance(fixes, Path):
        prepared = swath.stream(fixes, ground, crs=choices["crs"], tool=tool, rules=rules, progress=bar)
    else:
        prepared = swath.prepare(fixes, ground, tool=tool, rules=rules)
    limits = swath.CoverRules(required_passes=choices["required_passes"])
    covered = swath.cover(prepared, ground, rules=limits, method=choices["method"] or method, progress=bar)
    sure = assured(prepared.passes, ground, choices)
    left = left_behind(prepared.passes, ground, choices)
    issues = join_issues(notes, covered.issues, None if sure is None else sure.issues)
    found = {"covered": covered, "assurance": sure, "residual": left}
    if output is not None:
        written = write_products(
            output, {**found, "issues": issues}, prepared.passes, ground, {**choices, "name": task}
        )
        options.say(f"written: {output} ({len(written)} files)")
    if choices["as_json"]:
        options.print_json(as_data(found, task))
    else:
        click.echo("\n".join(words(found)))
    options.exit_for(issues, choices["fail_on"])


def load(survey: str, task: str, choices: dict[str, Any], bar: Any) -> tuple[Any, Any, Any, str | None]:
    """Task polygons, fixes (or the path of a table too large for memory), what reading found, and the method of the task."""
    from geotools import io
    from geotools.model.errors import CoverageError

    source, wanted = Path(survey), Path(task)
    if source.is_file() and source.suffix.lower() not in SURVEYS:
        if not wanted.is_file():
            raise CoverageError(
                "with one file of fixes, --task must be a file with the polygon",
                hint="for example --task task.geojson",
                file=survey,
            )
        ground = io.read(wanted)
        return ground, *_fixes_file(source, choices), None
    from geotools.survey import open_survey

    opened = open_survey(survey, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    if not len(opened.fixes):
        raise CoverageError(
            "the survey has no fixes", hint="add a layer of kind 'fixes', or give the file of fixes itself", file=survey
        )
    if wanted.is_file():
        return io.read(wanted), opened.fixes, opened.issues, None
    ground, method = task_of(opened, task, survey)
    fixes = opened.fixes
    if "task_id" in fixes and (fixes["task_id"] == task).any():
        fixes = fixes[fixes["task_id"] == task]
    return ground, fixes, opened.issues, method


def _fixes_file(source: Path, choices: dict[str, Any]) -> tuple[Any, Any]:
    from geotools import io

    if source.suffix.lower() in (".parquet", ".geoparquet"):
        import pyarrow.parquet as pq

        if pq.read_metadata(source).num_rows > MANY:
            return source, None
    return io.read_with_issues(source, "fixes", crs=choices["crs"], encoding=choices["encoding"])


def task_of(opened: Any, task: str, survey: str) -> tuple[Any, str | None]:
    """The polygons of a task of a survey, and the method of its work: a key, a word nobody knows as it was entered, or None if nothing is said."""
    from geotools.model.errors import CoverageError

    for kind in ("activities", "hazards"):
        layer = opened.layers.get(kind)
        if layer is None:
            continue
        same = (layer["id"] == task) | (layer["task_id"] == task) if "task_id" in layer else layer["id"] == task
        rows = layer[same & layer.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
        if len(rows):
            return rows, _method_of(rows)
    raise CoverageError(
        f"there is no task '{task}' with a polygon",
        hint="give the id of an activity or hazard, or a file with the polygon",
        file=survey,
    )


def _method_of(rows: Any) -> str | None:
    """The method of all rows: a machine before a word nobody knows before a search, so that no ground passes for searched by mistake.

    A machine is recognised by the name of its asset as well.
    """
    from geotools.model.methods import MACHINE, UNKNOWN, method_key

    said = [
        str(value)
        for name in ("method", "method_as_entered")
        if name in rows
        for value in rows[name]
        if method_key(value)
    ]
    keys = [method_key(value) for value in said]
    assets = rows.get("asset", [])
    if MACHINE in keys or (
        not said and any(method_key(value) == MACHINE for name in assets for value in (name, *str(name).split()))
    ):
        return MACHINE
    return said[keys.index(UNKNOWN)] if UNKNOWN in keys else keys[0] if keys else None


def assured(passes: Any, ground: Any, choices: dict[str, Any]) -> Any:
    """Assurance, or None where nobody has said how accurate the positions are."""
    from geotools.analysis import swath

    if not len(passes) or (choices["sigma"] is None and not passes["h_acc_m"].notna().any()):
        return None
    sigma = choices["sigma"] if choices["sigma"] is not None else float(passes["h_acc_m"].median())
    grid = swath.grid_of(ground, min(0.25, max(choices["resolution"], sigma / 2)))
    limits = swath.Draws(count=choices["draws"], seed=choices["seed"])
    return swath.assurance(passes, grid, sigma_m=choices["sigma"], tau_s=choices["tau"], task=ground, options=limits)


def left_behind(passes: Any, ground: Any, choices: dict[str, Any]) -> Any:
    """Residual miss probability, or None without a detection probability."""
    from geotools.analysis import swath

    if choices["pod"] is None or not len(passes):
        return None
    pod = (
        swath.Pod.from_trial(*choices["pod"]) if len(choices["pod"]) == 2 else swath.Pod.from_interval(*choices["pod"])
    )
    sigma = choices["sigma"] if choices["sigma"] is not None or passes["h_acc_m"].notna().any() else 0.0
    grid = swath.grid_of(ground, max(choices["resolution"], 0.1))
    return swath.residual(passes, grid, pod=pod, sigma_m=sigma, tau_s=choices["tau"], task=ground)


def write_products(
    folder: Path, found: dict[str, Any], passes: Any, ground: Any, choices: dict[str, Any]
) -> list[Path]:
    """Layers, rasters, gap list, figures and summary into a folder."""
    import json

    from geotools import io
    from geotools.analysis import swath
    from geotools.io.atomic import write_text
    from geotools.io.rasters import write_raster

    over = {"overwrite": choices["overwrite"]}
    covered, sure, left = found["covered"], found["assurance"], found["residual"]
    layers = {f"result_{name}" if name != "issues" else name: frame for name, frame in covered.layers().items()}
    layers["issues"] = found["issues"]
    layers["result_swath_passes"] = passes.to_crs(covered.covered.crs)
    if sure is not None:
        layers |= {
            f"result_swath_{name}": getattr(sure, name) for name in ("assured", "possible") if len(getattr(sure, name))
        }
    out = [
        io.write_layers({name: frame for name, frame in layers.items() if len(frame)}, folder / "swath.gpkg", **over)
    ]
    rasters = [swath.count(passes, swath.grid_of(ground, choices["resolution"]))] if len(passes) else []
    rasters += [] if sure is None else [sure.probability]
    rasters += [] if left is None else [left.independent, left.correlated]
    out += [write_raster(raster, folder / f"{raster.name}.tif", **over) for raster in rasters]
    if len(covered.gaps):
        out += [io.write(covered.gaps.to_crs(4326), folder / f"gaps.{kind}", **over) for kind in ("gpx", "geojson")]
    data = json.dumps(as_data(found, choices.get("name", "")), ensure_ascii=False, indent=2, allow_nan=False)
    out.append(write_text(folder / "swath.json", data + "\n", **over))
    out.append(write_text(folder / "summary.txt", "\n".join(words(found)) + "\n", **over))
    return out


def as_data(found: dict[str, Any], task: str) -> dict[str, Any]:
    """Everything as plain data."""
    names = {"covered": "coverage", "assurance": "assurance", "residual": "residual"}
    return {
        "task": task,
        **{name: found[key].to_dict() if found[key] is not None else None for key, name in names.items()},
    }


def words(found: dict[str, Any]) -> list[str]:
    """The result for a person."""
    covered, sure, left = found["covered"], found["assurance"], found["residual"]
    lines = list(covered.sentences)
    for more in (sure, left):
        if more is not None:
            lines += [
                line
                for line in more.sentences
                if not (
                    line.startswith("These tracks cannot") and any(x.startswith("These tracks cannot") for x in lines)
                )
            ]
    if len(covered.gaps):
        lines += ["", f"{'gap':6} {'m²':>9} {'width m':>8}  middle (latitude, longitude)"]
        for _, row in covered.gaps.head(SHOWN).iterrows():
            lines.append(
                f"{row['id']:6} {row['area_m2']:9.2f} {row['width_m']:8.2f}  {row['latitude']:.7f}, {row['longitude']:.7f}"
            )
        if len(covered.gaps) > SHOWN:
            lines.append(f"… and {len(covered.gaps) - SHOWN} more")
    account = covered.totals.filter(like="fixes_")
    return [
        *lines,
        "",
        "fixes: "
        + ", ".join(f"{name.removeprefix('fixes_').replace('_', ' ')} {value}" for name, value in account.items()),
    ]
