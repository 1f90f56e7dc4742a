"""`geotools plan lanes`: lanes over tasks, and what of them is done. Lanes come from `analysis.lanes`, machines from `analysis.suitability`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options

FILES = ("lanes.gpkg", "lanes.geojson", "lanes.gpx", "lanes.kml", "lanes.json")


@click.command(
    name="lanes",
    epilog="Example: geotools plan lanes sample_data/fuzuli --task TASK-M1 --machine mematt --overlap 0.2 --speed 1 -o out/lanes",
    short_help="Lanes over a task, in the order of work.",
)
@options.survey_argument
@click.option(
    "--task",
    "task_ids",
    multiple=True,
    help="Id of a task, activity or hazard; repeat for several. Default: all tasks with a polygon.",
)
@click.option(
    "--machine",
    "machine_id",
    default="manual",
    show_default=True,
    help="Who works: mematt, mv-10, dog, manual …; their widths are rows with a source.",
)
@click.option(
    "--machines", "own", type=click.Path(path_type=Path), help="TOML file with the machines of your own programme."
)
@click.option(
    "--width",
    type=click.FloatRange(min=0, min_open=True),
    help="Working width in m, as measured (default: the machine's).",
)
@click.option(
    "--overlap",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Least overlap of neighbouring lanes, m.",
)
@click.option("--bearing", type=click.FloatRange(0, 360), help="Direction from true north (default: fewest lanes).")
@click.option(
    "--headland",
    type=click.IntRange(0, 20),
    help="Rounds along the boundary (default: as turns need; none for dogs and people).",
)
@click.option("--passes", type=click.IntRange(1, 2), default=1, show_default=True, help="2: work the ground twice.")
@click.option(
    "--second",
    type=click.Choice(["perpendicular", "offset"]),
    default="perpendicular",
    show_default=True,
    help="How the second pass lies.",
)
@click.option(
    "--turn-radius", type=click.FloatRange(min=0), help="Turning radius, m (default: the machine's, else on the spot)."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="Working speed in km/h from your day sheets; without it times stay unknown.",
)
@click.option("--turn-time", type=click.FloatRange(min=0), default=0.0, show_default=True, help="Seconds per turn.")
@click.option("--exclude", "excluded", type=click.Path(path_type=Path), help="File of zones no lane may touch.")
@click.option("--remaining", is_flag=True, help="Hazards: only ground that no release in the survey has released.")
@click.option(
    "--suitability",
    "judged_file",
    type=click.Path(path_type=Path),
    help="suitability.gpkg of geotools plan suitability, for the same machine: lanes only on ground judged as workable or conditional.",
)
@click.option(
    "--setback", type=click.FloatRange(min=0), default=0.0, show_default=True, help="Distance kept from those zones, m."
)
@click.option(
    "--start",
    "start_file",
    type=click.Path(path_type=Path),
    help="File with cleared ground or a start line (default: released land that touches the task).",
)
@click.option("--wind-from", type=click.FloatRange(0, 360), help="For dogs: where the wind comes from.")
@click.option(
    "--slope-along",
    type=click.FloatRange(0, 90, min_open=True),
    help="Greatest slope along the lanes, degrees; needs heights.",
)
@click.option(
    "--slope-across",
    type=click.FloatRange(0, 90, min_open=True),
    help="Greatest slope across the lanes, degrees; needs heights.",
)
@click.option(
    "--worked",
    "worked_file",
    type=click.Path(path_type=Path),
    help="Covered ground (as geotools swath writes it): compare the plan with it.",
)
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.common
def command(survey: str, output: Path | None, **choices: Any) -> None:
    """Lay lanes over a task, number them in the order of work, and write them for guidance.

    SURVEY is a survey or one file of polygons. OUTPUT is a folder: lanes.gpkg (lines and ground), lanes.geojson, lanes.gpx and lanes.kml (lines), lanes.json
    (figures). A plan is not clearance: every lane is "planned". Working widths known from the press only should be measured on your machine and given with --width.
    """
    from dataclasses import replace

    from geotools.analysis import lanes
    from geotools.model.schema import issues_frame, join_issues
    from geotools.survey import open_survey

    refuse_existing(output, FILES, overwrite=choices["overwrite"])
    opened = open_survey(survey, crs=choices["crs"], progress=options.progress_bar(choices["progress"]))
    tasks = tasks_of(opened, choices["task_ids"], survey)
    tasks = _remaining(opened, tasks, survey) if choices["remaining"] else tasks
    tool = _tool(choices)
    settings = lanes.Settings(
        bearing_deg=choices["bearing"], headlands=choices["headland"], passes=choices["passes"], second=choices["second"], setback_m=choices["setback"],
        wind_from_deg=choices["wind_from"], slope_limits_deg=(choices["slope_along"], choices["slope_across"]),
    )  # fmt: skip
    zones, notes = _excluded(tasks, choices)
    made = lanes.plan(
        tasks,
        tool,
        settings=settings,
        exclusions=zones,
        start=_start(opened, tasks, choices),
        slopes=_slopes(opened, tasks, choices, survey),
    )
    made = replace(made, issues=join_issues(issues_frame(notes), made.issues))
    seen = lanes.compare(made.lanes, _read(choices["worked_file"], choices["crs"])) if choices["worked_file"] else None
    for row in made.issues.head(30).itertuples():
        options.say(f"{row.severity}: {row.id}: {row.message}")
    if output is not None:
        _write(made, seen, (output, opened), choices)
        options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json(made.to_dict() | ({} if seen is None else {"worked": seen.to_dict()}))
        return
    click.echo("\n".join([*made.sentences, *([] if seen is None else seen.sentences)]))


def tasks_of(opened: Any, wanted: tuple[str, ...], survey: str) -> Any:
    """The polygons of the tasks asked for, with their ids; without ids all activities with a polygon, else all hazards, else the only polygons there are."""
    import pandas as pd
    from geopandas import GeoDataFrame

    from geotools.model.errors import SchemaError

    frames = [
        opened.activities,
        opened.hazards,
        *[f for kind, f in opened.layers.items() if kind not in ("activities", "hazards", "releases")],
    ]
    known: list[tuple[str, ...]] = []
    for frame in frames:
        areas = (
            frame[frame.geometry.notna() & frame.geom_type.isin(["Polygon", "MultiPolygon"])] if len(frame) else frame
        )
        if not len(areas) or "id" not in areas:
            continue
        names = [areas["id"].astype(str), *([areas["task_id"].astype(str)] if "task_id" in areas else [])]
        known += [tuple(column) for column in names]
        for column in names:
            chosen = areas[column.isin(wanted)] if wanted else areas
            if len(chosen) and (not wanted or set(wanted) <= set(column)):
                shown = column.loc[chosen.index] if wanted else areas["id"].astype(str)
                return GeoDataFrame(
                    {"id": pd.Series(shown.to_numpy())}, geometry=chosen.geometry.reset_index(drop=True), crs=chosen.crs
                )
    listed = sorted({name for column in known for name in column if name not in ("None", "nan", "<NA>")})
    message = f"there is no task '{wanted[0]}' with a polygon" if wanted else "there is no polygon to plan for"
    hint = (
        f"known: {', '.join(listed[:12])}{' …' if len(listed) > 12 else ''}"
        if listed
        else "give a survey with tasks or hazards, or one file of polygons"
    )
    raise SchemaError(message, hint=hint, file=survey)


def _tool(choices: dict[str, Any]) -> Any:
    from geotools.analysis import lanes, suitability
    from geotools.model.errors import SchemaError

    machine = suitability.machine(choices["machine_id"], choices["own"])
    width = choices["width"] or machine.value("width_m")
    if width is None:
        raise SchemaError(f"the working width of {machine.name} is not known", hint="measure it and give --width")
    known = machine.figure("width_m")
    if choices["width"] is None and known is not None and not known.trusted:
        options.say(
            f"note: a width of {width:g} m is known from the press only ({known.source}); measure yours and give --width"
        )
    radius = choices["turn_radius"] if choices["turn_radius"] is not None else machine.value("turn_radius_m") or 0.0
    return lanes.Tool(
        width,
        choices["overlap"],
        kind=machine.kind,
        turn_radius_m=radius,
        speed_kmh=choices["speed"],
        turn_s=choices["turn_time"],
    )


def _read(path: Path | None, crs: str | None) -> Any:
    from geotools import io

    return None if path is None else io.read(path, crs=crs)


def _start(opened: Any, tasks: Any, choices: dict[str, Any]) -> Any:
    """Cleared ground given, or ground at these tasks that the ledger counts as cleared: not what was reopened since, nor under unknown or unrecorded methods."""
    if choices["start_file"] is not None:
        return _read(choices["start_file"], choices["crs"])
    if not len(opened.releases) or not len(opened.hazards):
        return None
    released = opened.coverage().released
    if "method" not in released:
        return None
    cleared = released[
        (released["counted_as"] == "cleared") & (released["method"].fillna("").astype(str).str.strip() != "")
    ]
    if not len(cleared):
        return None
    from geotools.space import crs, geom

    plane = crs.metric(tasks).dropna().iloc[0]
    core = tasks.to_crs(plane).buffer(-0.1).union_all()  # threads between layers touch much that is not at the task
    whole = geom.repair(crs.transform(cleared.geometry.array, cleared.crs, plane))
    near = cleared.set_geometry(whole).set_crs(plane, allow_override=True)
    touching = near[near.dwithin(core, 1.0)]
    if not len(touching):
        return None
    options.say(f"note: work begins at cleared ground of the survey: {', '.join(touching['id'].astype(str)[:5])}")
    return touching


def _slopes(opened: Any, tasks: Any, choices: dict[str, Any], survey: str) -> Any:
    """Slopes at the cells inside each task, if a limit was given."""
    if choices["slope_along"] is None and choices["slope_across"] is None:
        return None
    from geotools.analysis import suitability, terrain
    from geotools.model.errors import ReadError

    if "dem" not in opened.rasters:
        raise ReadError(
            "a slope limit needs heights, and the survey has none", hint="put dem.tif beside the layers", file=survey
        )
    out = {}
    with terrain.gradients(opened.rasters["dem"]) as slopes:
        local = tasks.to_crs(slopes.crs)
        for name, shape in zip(local["id"], local.geometry, strict=True):
            rows, columns, _ = suitability.fractions(shape, slopes.transform, slopes.shape)
            if len(rows):
                top, left = int(rows.min()), int(columns.min())
                east, north = slopes.rise(top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1)
                out[name] = (east[rows - top, columns - left], north[rows - top, columns - left])
            else:
                options.say(f"warning: {name}: the heights do not reach this task; slope limits are not looked at")
    return out


def _remaining(opened: Any, tasks: Any, survey: str) -> Any:
    """What no release has released of hazards that are tasks."""
    from geotools.model.errors import SchemaError

    done = opened.coverage()
    rest = done.remaining[done.remaining["id"].astype(str).isin(tasks["id"])]
    if not len(rest):
        raise SchemaError(
            "no hazard among these tasks has ground left that is not released",
            hint="leave out --remaining, or name a hazard with --task",
            file=survey,
        )
    return rest[["id", "geometry"]].reset_index(drop=True)


def _excluded(tasks: Any, choices: dict[str, Any]) -> tuple[Any, Any]:
    """Zones given, and all ground of the tasks that was not judged as workable or conditional for this machine; with what must be said of it."""
    from geotools import io
    from geotools.analysis import lanes
    from geotools.model.errors import SchemaError

    zones = _read(choices["excluded"], choices["crs"])
    if choices["judged_file"] is None:
        return zones, ()
    file, wanted = choices["judged_file"], choices["machine_id"]
    judged = io.read(file, layer="suitability")
    if "class" not in judged:
        raise SchemaError("these are not classes of suitability", hint="give suitability.gpkg", file=file)
    made_for = sorted(set(judged["machine"].fillna("").astype(str))) if "machine" in judged else [""]
    if made_for and made_for != [wanted]:
        whose = f"for {', '.join(name or 'a machine it does not name' for name in made_for)}"
        raise SchemaError(
            f"this ground was judged {whose}, not for {wanted}",
            hint=f"run geotools plan suitability --machine {wanted}, or plan lanes for the machine it was judged for (--machine)",
            file=file,
        )
    return lanes.shut(tasks, judged, zones)


def provenance(what: str, opened: Any, choices: dict[str, Any], files: tuple[Any, ...]) -> dict[str, Any]:
    """Where a plan came from: the survey's files, further files with their hashes, and the options."""
    from geotools.model.provenance import InputFile, Provenance

    extra = tuple(InputFile.of(Path(file)) for file in files if file is not None and Path(file).is_file())
    given = {
        k: (v.name if isinstance(v, Path) else [str(w) for w in v] if isinstance(v, tuple) else v)
        for k, v in choices.items()
        if v not in (None, (), False) and k not in ("progress", "as_json", "overwrite")
    }
    return Provenance(what, (*opened.inputs, *extra), given).to_dict()


def _write(made: Any, seen: Any, where: tuple[Path, Any], choices: dict[str, Any]) -> None:
    import json
    import shutil
    import tempfile
    from contextlib import ExitStack

    from geotools import io
    from geotools.io.atomic import replacing, write_text

    folder, opened = where
    files = tuple(choices[n] for n in ("own", "excluded", "judged_file", "start_file", "worked_file"))
    layers = made.layers() | ({} if seen is None else {"lanes_worked": seen.lanes, "lanes_to_do": seen.left})
    figures = made.to_dict() | ({} if seen is None else {"worked": seen.to_dict()})
    figures["provenance"] = provenance("planned lanes", opened, choices, files)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        drafts = Path(name)
        io.write_layers({k: v for k, v in layers.items() if len(v)}, drafts / FILES[0])
        for file in FILES[1:4] if len(made.lines) else ():
            io.write(made.lines, drafts / file)
        write_text(drafts / FILES[4], json.dumps(figures, ensure_ascii=False, indent=2, default=str) + "\n")
        for draft in sorted(drafts.iterdir()):
            shutil.copyfile(draft, stack.enter_context(replacing(folder / draft.name, overwrite=choices["overwrite"])))


def refuse_existing(folder: Path | None, files: tuple[str, ...], *, overwrite: bool) -> None:
    """Say before the work, not after it, that a file is there already."""
    from geotools.model.errors import WriteError

    for file in files:
        if folder is not None and not overwrite and (folder / file).exists():
            raise WriteError("it exists already", hint="choose another folder or add --overwrite", file=folder / file)
