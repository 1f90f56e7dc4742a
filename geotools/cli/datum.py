"""`geotools datum`: change the reference system of a layer by a recorded operation, or find out what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    name="datum",
    short_help="Change or diagnose the reference system of coordinates.",
    epilog="Examples: geotools datum --explain points.csv --bounds 44.7,38.3,51,42      geotools datum old.shp -o new.gpkg --crs EPSG:28408",
)
@click.argument("source", metavar="IN", type=click.Path(path_type=str))
@options.output
@options.format_
@options.overwrite
@options.layer
@options.crs
@options.encoding
@click.option("--dst-crs", default="EPSG:4326", show_default=True, help="Reference system of the output.")
@click.option("--operation", help="EPSG operation code, or '+towgs84=dx,dy,dz,rx,ry,rz,ppm', or a PROJ pipeline.")
@click.option(
    "--list-operations", is_flag=True, help="List every operation on offer for these points, the one used first."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Say what is probably wrong, by how many metres, and the option that reads it right.",
)
@click.option("--reference", type=click.Path(path_type=str), help="A trusted layer of the same place, for --explain.")
@options.bounds
@click.option(
    "--programme",
    "settings",
    type=click.Path(path_type=Path),
    help="survey.toml whose extent, limits and operations hold.",
)
@click.option("--swap-xy", is_flag=True, help="The axes of IN are exchanged.")
@click.option(
    "--degrees-minutes", is_flag=True, help="Degrees and minutes of IN were typed as decimals (39.45 for 39°45')."
)
@click.option("--drop-zero", is_flag=True, help="Points at 0, 0 are taken as missing; their rows are kept.")
@options.as_json
@options.fail_on
@options.common
def command(source: str, output: Path | None, as_json: bool, fail_on: str, progress: bool | None, **given: Any) -> None:
    """Bring the layer IN to another reference system, and record how.

    The whole layer takes one datum operation: made for the place first, accurate second. --crs says in which system the numbers
    of IN are, over whatever the file says.
    """
    frame, programme = _read(source, given), _programme(given["settings"])
    if given["explain"]:
        _explain(frame, programme, given, as_json=as_json, fail_on=fail_on)
        return
    from geotools.space import crs as systems

    if given["list_operations"]:
        rows = systems.operations(frame, given["dst_crs"], programme=programme)
        if as_json:
            options.print_json([{**row, "area": list(row["area"]) if row["area"] else None} for row in rows])
        else:
            click.echo(_operations(rows))
        return
    moved, done = systems.shift(frame, given["dst_crs"], operation=given["operation"], programme=programme)
    if output is not None:
        from geotools import io

        stamped = moved.assign(source_crs=done.source, transform_op=str(done.operation))
        options.say(f"wrote {io.write(stamped, output, format=given['format_'], overwrite=given['overwrite'])}")
    if as_json:
        options.print_json(done.to_dict())
    else:
        click.echo(_text(done, len(moved)))
    for row in done.issues.itertuples():
        options.say(f"{row.severity} {row.check}: {row.message}")
    options.exit_for(done.issues, fail_on)


def _programme(path: Path | None) -> Any:
    from geotools.model.programme import Programme

    return Programme.load(path) if path is not None else Programme()


def _read(source: str, given: dict[str, Any]) -> Any:
    """The layer as it stands in the file, with the corrections asked for and the system the caller says."""
    import geopandas as gpd

    from geotools.io.raw import Source
    from geotools.io.reading import read_raw
    from geotools.model.errors import CRSError, ReadError
    from geotools.space import crs as systems

    crs = systems.parse(given["crs"]) if given["crs"] else None
    raw = read_raw(Source(Path(source), given["layer"], None, given["encoding"], crs))
    lost = [item for item in raw.findings if item.code == "RD-02"]
    if lost:
        options.say(f"{len(lost)} rows have no usable coordinates, first: {lost[0].message}")
    if raw.geometry is None or not any(shape is not None for shape in raw.geometry):
        raise ReadError("there are no coordinates in it", hint="geotools info shows what was found", file=source)
    said = crs or raw.crs
    if crs is not None and raw.crs is not None and crs != raw.crs and not raw.implied:
        options.say(f"the file says {systems.label(raw.crs)}; read as {systems.label(crs)}, as asked")
    if given["swap_xy"] and any(item.code == "RD-08" and "northings" in item.message for item in raw.findings):
        options.say("the columns are northing first in this system: they were exchanged once, in reading")
        given = {**given, "swap_xy": False}
    frame = gpd.GeoDataFrame(raw.table.reset_index(drop=True), geometry=_mend(raw.geometry, given), crs=said)
    if frame.crs is None and not given["explain"]:
        raise CRSError(
            "the file does not say its reference system",
            hint=f"find out with: geotools datum --explain {source}",
            file=source,
        )
    return frame


def _mend(shapes: Any, given: dict[str, Any]) -> Any:
    import numpy as np
    import shapely

    out = np.asarray(shapes, dtype=object).copy()
    if given["drop_zero"]:
        zero = np.array(
            [
                s is not None and s.geom_type == "Point" and not s.is_empty and abs(s.x) < 1e-6 and abs(s.y) < 1e-6
                for s in out
            ]
        )
        out[zero] = None
        options.say(f"{int(zero.sum())} points at 0, 0 taken as missing")
    if given["degrees_minutes"]:
        out = shapely.transform(out, lambda xy: np.sign(xy) * (np.floor(np.abs(xy)) + (np.abs(xy) % 1.0) / 0.6))
    if given["swap_xy"]:
        out = shapely.transform(out, lambda xy: xy[:, ::-1])
    return out


def _explain(frame: Any, programme: Any, given: dict[str, Any], *, as_json: bool, fail_on: str) -> None:
    from geotools import io
    from geotools.space import crs as systems

    reference = io.read(given["reference"]) if given["reference"] else None
    found = systems.diagnose(frame, extent=given["bounds"], reference=reference, programme=programme)
    if as_json:
        options.print_json(found.to_dict())
    else:
        click.echo(_report(found))
    options.exit_for(found.issues, fail_on)


def _report(found: Any) -> str:
    lines = [f"{found.points} points, {found.crs or 'reference system not stated'}; held against {found.checked}"]
    if not found.findings and not found.question:
        lines.append(
            "nothing wrong was found"
            + (
                ""
                if found.checked.startswith("the ")
                else ", as far as can be seen without an extent or a reference layer"
            )
        )
    marks = {"error": "✗", "warning": "!", "info": "·"}
    for item in found.findings:
        lines.append(f"{marks[item.severity]} {item.message}")
        if item.option and not found.question:
            lines.append(
                f"    read it right: {item.option}" if item.severity != "info" else f"    if so: {item.option}"
            )
    if found.question:
        lines.append(f"? {found.question}")
    return "\n".join(lines)


def _operations(rows: Any) -> str:
    lines = [f"{'operation':14} {'accuracy':>9} {'made for here':14} {'differs':>9}  name"]
    for number, row in enumerate(rows):
        accuracy = "unknown" if row["accuracy_m"] is None else f"{row['accuracy_m']:g} m"
        mark = "used" if number == 0 else f"{row['differs_m']:.2f} m"
        lines.append(
            f"{row['code'] or '-':14} {accuracy:>9} {'yes' if row['covers'] else 'no':14} {mark:>9}  {row['name']}"
        )
    return "\n".join(lines)


def _text(done: Any, rows: int) -> str:
    accuracy = "unknown" if done.accuracy_m is None else f"{done.accuracy_m:g} m"
    lines = [
        f"{rows} rows   {done.source} → {done.target}",
        f"operation  {done.operation.code or done.operation.name}"
        + (f"  {done.operation.name}" if done.operation.code else ""),
    ]
    if done.moved_m > 0:
        lines += [
            f"accuracy   {accuracy}",
            f"moved by   {done.moved_m:.1f} m at most (the error if the shift were forgotten)",
        ]
    if done.spread_m > 0:
        lines.append(f"spread     {done.spread_m:.1f} m between sensible operations here")
    return "\n".join(lines)
