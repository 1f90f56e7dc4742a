"""`geotools convert`: one layer or file into another format or reference system. Not for judging records (see `check`)."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from geotools.cli import options


def _list_formats(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from geotools.io import formats

    click.echo(f"{'name':12} {'read':5} {'write':6} {'written in':11} {'endings':44} what it is")
    row: Any
    for row in formats().itertuples():
        marks = ("yes" if row.read else "-", "yes" if row.write else "-")
        note = f" ({row.note})" if row.note else ""
        click.echo(f"{row.name:12} {marks[0]:5} {marks[1]:6} {row.crs or '-':11} {row.suffixes:44} {row.title}{note}")
    ctx.exit()


SHOWN = 10
PIECE = 50_000  # rows read at a time


@click.command(
    name="convert",
    epilog="Example: geotools convert unit_1.zip releases.geojson --kind releases --crs EPSG:28408     '-' is GeoJSON lines on stdin or stdout.",
    short_help="One layer or file into another format or reference system.",
)
@click.argument("source", metavar="IN", type=click.Path(path_type=str))
@click.argument("target", metavar="OUT", type=click.Path(path_type=str))
@options.format_
@options.layer
@options.crs
@options.dst_crs
@click.option("--kind", help="Record kind, e.g. hazards, where the name does not say.")
@options.encoding
@click.option(
    "--parts",
    is_flag=True,
    help="Write a layer in parts: OUT is a folder, e.g. releases.parquet, of GeoParquet files of neighbours. For national layers.",
)
@options.overwrite
@options.fail_on
@click.option(
    "--formats",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_formats,
    help="List all formats and exit.",
)
@options.common
def command(source: str, target: str, dst_crs: str | None, fail_on: str, progress: bool | None, **choices: Any) -> None:
    """Convert IN to OUT; every row of IN is accounted for on stderr.

    Without --layer, all layers of IN are converted if OUT can hold several (GeoPackage).

    IN may be a survey (folder or survey.toml): one layer per kind of record; --layer or --kind names one of them.

    With --parts, GeoPackages are read and written in bounded memory; geotools coverage reads folders of such layers
    without holding their polygons.
    """
    from geotools import io

    if choices["parts"]:
        _in_parts(Path(source), Path(target), dst_crs, {**choices, "progress": progress, "fail_on": fail_on})
        return
    if source != "-" and _is_survey(Path(source)):
        _whole_survey(Path(source), target, {**choices, "dst_crs": dst_crs, "progress": progress, "fail_on": fail_on})
        return
    with tempfile.TemporaryDirectory(prefix="geotools-") as folder:
        path = Path(source)
        if source == "-":
            path = Path(folder, "stdin.geojsonl")
            path.write_bytes(sys.stdin.buffer.read())
        layers = _layers(path, target, choices)
        frames, found = {}, []
        for name in layers:
            frame, issues = io.read_with_issues(
                path, choices["kind"], layer=name, crs=choices["crs"], encoding=choices["encoding"]
            )
            frames[name or ""] = _moved(frame, dst_crs)
            found.append(issues)
        _write(frames, target, choices)
    from geotools.model.schema import join_issues

    told = join_issues(*found)
    _tell(told)
    _left_behind(path, layers, choices)
    options.exit_for(told, fail_on)
    if not sum(len(frame) for frame in frames.values()) and told["check"].eq("RD-02").any():
        options.say("error: no row could be written; is --kind right?")
        raise click.exceptions.Exit(1)


def _is_survey(path: Path) -> bool:
    """Whether records of several files come together here; folders that are one file to a program (.gdb, parts) are not."""
    from geotools.io import registry

    return path.suffix.lower() == ".toml" or (path.is_dir() and registry.of_path(path) is None)


def _whole_survey(path: Path, target: str, choices: dict[str, Any]) -> None:
    """The layers of a survey in one file, or the one that was named."""
    from geotools.survey import open_survey

    _refuse_inside(path, target)
    bar = options.progress_bar(choices["progress"])
    opened = open_survey(path, crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    taken = _chosen(opened, target, choices)
    frames = {name: _moved(opened.layers[name], choices["dst_crs"]) for name in taken}
    _write(frames, target, choices)
    _tell(opened.issues)
    for name, frame in frames.items():
        options.say(f"{name}: {len(frame):,} rows written")
    left = [name for name in opened.layers if name not in frames]
    if left:
        options.say(f"layers that were not asked for and not written: {', '.join(left)}")
    if opened.rasters:
        options.say(f"rasters are not converted: {', '.join(sorted(opened.rasters))}")
    options.exit_for(opened.issues, choices["fail_on"])


def _refuse_inside(path: Path, target: str) -> None:
    """Never write among the files of a folder that is read whole: the next reading would count every record twice."""
    from geotools.model.errors import WriteError
    from geotools.model.programme import load_toml
    from geotools.survey.sources import table_of

    if target == "-":
        return
    home, aim = path if path.is_dir() else path.parent, Path(target).resolve()
    table = table_of(path) if path.is_dir() else path
    listed = load_toml(table).get("layer") if table is not None else None
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    if listed and aim in [(home / str(row.get("file", ""))).resolve() for row in rows]:
        raise WriteError("it is one of the files of the survey", hint="choose another name", file=target)
    if not listed and home.resolve() in aim.parents:
        raise WriteError(
            "it would lie among the files of the survey, and every record would be read twice from then on",
            hint="write it outside that folder", file=target,
        )  # fmt: skip


def _chosen(opened: Any, target: str, choices: dict[str, Any]) -> list[str]:
    """The layers to write: the one that is named, or all that the output can hold."""
    from geotools.io import registry
    from geotools.model.errors import ReadError

    there = list(opened.layers)
    if not there:
        raise ReadError("there are no records in it", hint="geotools info tells what it holds", file=opened.name)
    for option, wanted in (("--layer", choices["layer"]), ("--kind", choices["kind"])):
        if wanted is None:
            continue
        if wanted not in there:
            raise click.BadParameter(
                f"there is no layer '{wanted}' in {opened.name}; layers: {', '.join(there)}", param_hint=option
            )
        return [wanted]
    many = target != "-" and registry.to_write(Path(target), choices["format_"]).many
    if len(there) > 1 and not many:
        raise click.BadParameter(
            f"{opened.name} has several layers: {', '.join(there)}; name one with --layer, for example --layer {there[0]}, "
            "or write a .gpkg, which holds them all",
            param_hint="OUT",
        )
    return there


def _tell(told: Any) -> None:
    for row in told[told["check"] == "RD-00"].itertuples():
        options.say(row.message)
    odd = told[told["severity"].isin(["error", "warning"])]
    lines = options.alike_lines(odd)
    for line in lines[:SHOWN]:
        options.say(line)
    if len(lines) > SHOWN:
        options.say(f"… and {len(lines) - SHOWN} more kinds of errors and warnings")


def _in_parts(source: Path, target: Path, dst_crs: str | None, choices: dict[str, Any]) -> None:
    """One layer, read part by part where its format allows, into a folder of neighbours."""
    from geotools.io import parts
    from geotools.model.progress import tracked
    from geotools.model.schema import join_issues

    if _is_survey(source):
        raise click.BadParameter(
            "parts are made of one file; give the file of the layer instead of the survey", param_hint="--parts"
        )
    if str(source) == "-" or choices["format_"] is not None:
        raise click.BadParameter("parts are GeoParquet, from a file; leave --format and '-' out", param_hint="--parts")
    kind, found = _kind_of(source, choices), []

    def frames() -> Iterator[Any]:
        for frame, issues in tracked(
            _pieces(source, kind, dst_crs, choices), "reading", options.progress_bar(choices["progress"])
        ):
            found.append(issues)
            yield frame

    parts.write(frames(), target, kind, overwrite=choices["overwrite"])
    told = join_issues(*found)
    _tell(told)
    if len(found) > 1:
        options.say(f"copies were looked for among {PIECE:,} rows at a time; geotools coverage names ids used twice")
    options.say(f"written: {target}")
    options.exit_for(told, choices["fail_on"])


def _kind_of(source: Path, choices: dict[str, Any]) -> str:
    from geotools.model.schema import KINDS, kind_of

    kind = choices["kind"] or kind_of(choices["layer"] or source.stem)
    if kind not in KINDS:
        raise click.BadParameter(
            "the name does not say what the records are; give --kind, for example releases", param_hint="--kind"
        )
    return str(kind)


def _pieces(source: Path, kind: str, dst_crs: str | None, choices: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    from geotools import io
    from geotools.model.errors import CRSError
    from geotools.space import crs

    how = {name: choices[name] for name in ("layer", "crs", "encoding")}
    pieces: Iterator[tuple[Any, Any]]
    if (
        dst_crs is not None or source.suffix.lower() != ".gpkg"
    ):  # of tables, copies and corners are told from the whole only
        frame, issues = io.read_with_issues(source, kind, **how)
        pieces = iter([(_moved(frame, dst_crs), issues)])
    else:
        pieces = io.stream(source, kind, rows=PIECE, **how)
    for frame, issues in pieces:
        if dst_crs is None and frame.crs is not None and not crs.on_wgs84(frame.crs):
            raise CRSError(
                f"{source.name} is in {crs.label(frame.crs)}, which is not on WGS 84: one datum operation must serve all of it",
                hint="add --dst-crs EPSG:4326", file=source,
            )  # fmt: skip
        yield frame, issues


def _left_behind(path: Path, taken: list[str | None], choices: dict[str, Any]) -> None:
    """Name the layers of the input that were not written."""
    from geotools import io

    if not path.is_file() and not path.is_dir():
        return
    names = list(io.layers(path))
    if len(names) > 1 and len(taken) == 1:
        options.say(
            f"layers in the file: {', '.join(names)}; one was written ({choices['layer'] or 'the first that fits'}), the others were not: take them with --layer, or write a .gpkg"
        )


def _layers(path: Path, target: str, choices: dict[str, Any]) -> list[str | None]:
    from geotools import io
    from geotools.io import registry

    if choices["layer"] is not None or target == "-":
        return [choices["layer"]]
    chosen = registry.to_write(Path(target), choices["format_"])
    names = io.layers(path)
    return list(names) if chosen.many and len(names) > 1 else [None]


def _moved(frame: Any, dst_crs: str | None) -> Any:
    if dst_crs is None or frame.crs is None:
        return frame
    from geotools.io.geojson import with_heights
    from geotools.space import crs

    moved, done = crs.shift(frame, dst_crs)
    if done.moved_m > 0:
        options.say(f"{done.source} → {done.target} by {done.operation}")
    for row in done.issues.itertuples():
        options.say(f"{row.severity}: {row.message}")
    return moved.set_geometry(with_heights(frame.geometry, moved.geometry))


def _write(frames: dict[str, Any], target: str, choices: dict[str, Any]) -> None:
    from geotools import io

    if target == "-":
        from geotools.io.geojson import features_text
        from geotools.io.writing import plain

        for line in features_text(plain(next(iter(frames.values())))):
            click.echo(line)
        return
    if len(frames) > 1:
        io.write_layers(frames, target, format=choices["format_"], overwrite=choices["overwrite"])
        return
    frame = next(iter(frames.values()))
    io.write(frame, target, format=choices["format_"], overwrite=choices["overwrite"])
