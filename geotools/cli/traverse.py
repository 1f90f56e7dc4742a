"""`geotools traverse`: bearings and distances to a polygon, a sheet to fill in, and a polygon back to bearings."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

UNITS = ("deg", "dms", "gon", "mil6000", "mil6400", "quadrant")


class _Group(click.Group):
    """`geotools traverse LEGS …` is `geotools traverse solve LEGS …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden verb where none was typed."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["solve", *args]
        return super().parse_args(ctx, args)


@click.group(
    name="traverse",
    cls=_Group,
    short_help="Bearings and distances to a polygon, and back.",
    epilog="Example: geotools traverse legs.csv -o perimeter.geojson --start '39.6000 N 47.1400 E' --north magnetic --date 2026-06-12",
)
def command() -> None:
    """Bearings and distances to a polygon, and back.

    `geotools traverse LEGS -o OUT …` computes a sheet (the same as `traverse solve`).

    Declare the north the bearings count from: a wrong one still closes. Two or more GNSS fixes on its points are the only check.
    """


@command.command(
    name="solve",
    short_help="Compute a sheet of legs (the default).",
    epilog="Example: geotools traverse sheet.csv -o area.geojson --fixes marks.csv",
)
@click.argument("legs", type=click.Path(path_type=str))
@options.output
@options.format_
@options.overwrite
@click.option(
    "--start",
    help="Known first point: coordinates as text ('39.6 N 47.14 E', '38SPJ8373885550'), in --crs if they are metres.",
)
@click.option(
    "--fixes", type=click.Path(path_type=str), help="GNSS positions of points (id = point name): starts and checks."
)
@click.option(
    "--north",
    type=click.Choice(["true", "grid", "magnetic"]),
    help="North the bearings count from, where the sheet does not say.",
)
@click.option("--date", "day", type=options.Day(), help="Day of the magnetic bearings, where the sheet does not say.")
@click.option(
    "--unit",
    type=click.Choice(UNITS),
    default="deg",
    show_default=True,
    help="Unit of bearings, where the sheet does not say.",
)
@options.crs
@click.option(
    "--adjust",
    type=click.Choice(["bowditch", "least-squares", "none"]),
    default="bowditch",
    show_default=True,
    help="How a misclosure is shared out.",
)
@click.option("--declination", type=float, help="Declination in degrees, east positive, instead of the magnetic model.")
@click.option(
    "--grid-correction", type=float, help="Magnetic to grid in degrees, found between two known points of the task."
)
@click.option(
    "--instrument",
    type=click.Choice(["compass", "total-station"]),
    default="compass",
    show_default=True,
    help="Sets the closure tolerance.",
)
@click.option("--fitted", is_flag=True, help="Write the polygon moved onto the fixes.")
@click.option(
    "--points",
    "points_out",
    type=click.Path(path_type=Path),
    help="Also write the adjusted points with their error ellipses.",
)
@options.as_json
@options.fail_on
@options.common
def solve(legs: str, output: Path | None, as_json: bool, fail_on: str, progress: bool | None, **given: Any) -> None:
    """Compute the figures of a sheet of LEGS.

    LEGS has the columns from, to, bearing and distance (see `geotools traverse template`), any table format.
    """
    from geotools import io
    from geotools.space import traverse

    table, read_issues = io.read_with_issues(legs, "legs")
    fixes = io.read(given["fixes"], "marks", crs=_geographic(given["crs"])) if given["fixes"] else None
    chosen = traverse.TraverseOptions(
        crs=_projected(given["crs"]),
        unit=given["unit"],
        adjust=given["adjust"],
        declination_deg=given["declination"],
        grid_correction_deg=given["grid_correction"],
        instrument=given["instrument"],
    )
    start = _start(given["start"], given["crs"])
    done = traverse.solve_all(table, start, north=given["north"], date=given["day"], fixes=fixes, options=chosen)
    _write(done, output, given)
    from geotools.model.schema import join_issues

    issues = join_issues(read_issues, done.issues)
    if as_json:
        options.print_json(done.to_dict())
    else:
        for name, figure in done.solved.items():
            click.echo(_text(name, figure))
        _tell(issues)
    if not done.solved:
        raise click.exceptions.Exit(3)
    options.exit_for(issues, fail_on)


def _start(text: str | None, crs: str | None) -> Any:
    if text is None:
        return None
    from geotools.space.notation import parse_position

    return parse_position(text, crs=crs, order="xy" if _projected(crs) else None)


def _projected(crs: str | None) -> str | None:
    from geotools.space.notation.systems import system

    known = system(crs)  # also "GK": Pulkovo 1942 with the zone in front of the easting
    return crs if known is not None and known.projected else None


def _geographic(crs: str | None) -> str:
    from geotools.space.notation.systems import system

    known = system(crs)
    return "EPSG:4326" if known is None else known.code


def _write(done: Any, output: Path | None, given: dict[str, Any]) -> None:
    from geotools import io

    if output is not None:
        frame = done.polygons
        if given["fitted"]:
            import pandas as pd

            parts = [
                figure.to_frame(name, fitted=True) for name, figure in done.solved.items() if figure.polygon is not None
            ]
            frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
        if len(frame):
            options.say(f"wrote {io.write(frame, output, format=given['format_'], overwrite=given['overwrite'])}")
        else:
            options.say("no polygon: nothing was written")
    if given["points_out"] is not None and done.solved:
        import pandas as pd

        frames = [
            figure.adjusted.to_crs(4326).assign(feature_id=name, id=[f"{name}-{p}" for p in figure.adjusted["id"]])
            for name, figure in done.solved.items()
        ]
        options.say(
            f"wrote {io.write(pd.concat(frames, ignore_index=True), given['points_out'], overwrite=given['overwrite'])}"
        )


def _text(name: str, figure: Any) -> str:
    from geotools.space import crs as systems

    lines = [f"{name}   {systems.label(figure.crs)}   {figure.method}"]
    lines.append(
        f"  {'point':10} {'kind':12} {'east m':>12} {'north m':>13} {'moved m':>8}  {'± m (1σ ellipse)':24} MGRS"
    )
    lonlat = figure.adjusted.to_crs(4326).geometry
    for row, point in zip(figure.adjusted.itertuples(), lonlat, strict=True):
        ellipse = f"{row.sigma_major_m:.2f} × {row.sigma_minor_m:.2f} at {row.sigma_bearing_deg:.0f}°"
        lines.append(
            f"  {row.id:10} {row.point_type:12} {row.x_m:12.3f} {row.y_m:13.3f} {row.moved_m:8.3f}  {ellipse:24} {systems.to_mgrs(point.x, point.y)}"
        )
    if figure.start_h_acc_m:
        lines.append(
            f"  ± is relative to the start, whose accuracy is not stated (taken as {figure.start_h_acc_m:g} m in what is written)"
        )
    closure = figure.misclosure
    if closure.measured:
        ratio = "exact" if closure.ratio is None else f"1:{closure.ratio:.0f}"
        lines.append(f"  closure   {closure.distance_m:.3f} m in {closure.length_m:.2f} m ({ratio})")
    else:
        lines.append("  closure   not measured: nothing checks this figure")
    if figure.correction_deg is not None:
        lines.append(f"  north     magnetic {figure.correction_deg:+.2f}° = grid")
    if figure.polygon is not None:
        lines.append(
            f"  area      {figure.area_m2:,.1f} m² ± {figure.area_sigma_m2:,.1f} m²   perimeter {figure.perimeter_m:,.2f} m"
        )
    if figure.fit is not None:
        worst = figure.fit.residuals["residual_m"].max()
        lines.append(
            f"  fixes     {len(figure.fit.residuals)}: rotation {figure.fit.rotation_deg:+.2f}°, scale {figure.fit.scale:.4f}, largest residual {worst:.2f} m"
        )
    return "\n".join(lines)


def _tell(issues: Any) -> None:
    shown = issues[issues["severity"] != "info"]
    for row in shown.itertuples():
        options.say(f"{row.severity} {row.check} {row.id}: {row.message}")
    notes = int((issues["check"] == "SV-05").sum()) - int((shown["check"] == "SV-05").sum())
    if notes:
        options.say(f"{notes} notes on long sides without an intermediate point")


@command.command(
    name="template",
    short_help="An empty sheet to fill in, .csv or .xlsx.",
    epilog="Example: geotools traverse template sheet.xlsx",
)
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path), required=False)
@options.output
@options.overwrite
@options.common
def template(target: Path | None, output: Path | None, overwrite: bool, progress: bool | None) -> None:
    """Write an empty sheet of legs with one invented example: OUT (or -o OUT) is .csv or .xlsx."""
    target = target or output
    if target is None:
        raise click.UsageError("name the file to write, for example sheet.xlsx")
    from geotools.io.atomic import replacing, write_text
    from geotools.model.errors import WriteError, need
    from geotools.model.schema import schema
    from geotools.space.traverse import template as sheet

    table = sheet()
    if target.suffix.lower() == ".csv":
        write_text(target, "\ufeff" + table.to_csv(index=False, lineterminator="\n"), overwrite=overwrite)
    elif target.suffix.lower() == ".xlsx":
        from io import BytesIO

        from geotools.io.excel import settled

        book = need("openpyxl", "excel").Workbook()
        page = book.active
        page.title = "legs"
        page.append(list(table.columns))
        for row in table.itertuples(index=False):
            page.append(list(row))
        for cell in page[1]:
            cell.font = need("openpyxl.styles", "excel").Font(bold=True)
            page.column_dimensions[cell.column_letter].width = max(12, len(str(cell.value)) + 2)
        page.freeze_panes = "A2"
        words = book.create_sheet("words")
        for line in _words(schema("legs")):
            words.append(line)
        draft = BytesIO()
        book.save(draft)
        with replacing(target, overwrite=overwrite) as temporary:
            temporary.write_bytes(settled(draft.getvalue()))
    else:
        raise WriteError("a template is .csv or .xlsx", hint="name it sheet.csv or sheet.xlsx", file=target)
    options.say(
        f"wrote {target}: replace the example rows, then  geotools traverse {target.name} -o area.geojson --start …"
    )


def _words(kind: Any) -> list[list[str]]:
    rows = [["column", "words allowed", "what it is"]]
    for column in kind:
        allowed = ", ".join(column.vocabulary.keys) if column.vocabulary else column.unit
        rows.append([column.name, allowed, column.help])
    return rows


@command.command(
    name="inverse",
    short_help="A polygon back to bearings and distances.",
    epilog="Example: geotools traverse inverse hazards.gpkg --id H-7 --date 2026-11-20 -o walk.csv",
)
@click.argument("polygon", type=click.Path(path_type=str))
@options.output
@options.overwrite
@options.layer
@click.option("--id", "key", help="Which polygon, by its id, where there are several.")
@options.crs
@click.option(
    "--date", "day", type=options.Day(), default=None, help="Day of the walk, for magnetic bearings; default: today."
)
@click.option("--landmark", help="Coordinates of a landmark to walk in from.")
@click.option(
    "--unit", type=click.Choice(UNITS), default="deg", show_default=True, help="Unit of the printed bearings."
)
@click.option(
    "--direction",
    type=click.Choice(["clockwise", "counterclockwise", "stored"]),
    default="clockwise",
    show_default=True,
    help="Which way round.",
)
@options.as_json
@options.common
def inverse(polygon: str, output: Path | None, as_json: bool, progress: bool | None, **given: Any) -> None:
    """A leg table to walk around a POLYGON: true, grid and magnetic bearings, distances, MGRS."""
    from geotools import io
    from geotools.io.atomic import write_text
    from geotools.model.provenance import now
    from geotools.model.schema import kind_of
    from geotools.space import traverse
    from geotools.space.notation import format_angle, parse_position

    flat = kind_of(Path(polygon).stem) == "legs"  # a polygon that was made from a sheet may still be called so
    kind = "hazards" if flat else None
    frame = io.read(polygon, kind, layer=given["layer"], crs=None if _projected(given["crs"]) else given["crs"])
    if given["key"] is not None:
        frame = frame[frame["id"].astype(str) == given["key"]]
    landmark = None
    if given["landmark"]:
        found = parse_position(given["landmark"])
        landmark = (found.lon, found.lat)
    day: date = given["day"] or now().date()
    table = traverse.inverse(
        frame, crs=_projected(given["crs"]), date=day, landmark=landmark, direction=given["direction"]
    )
    if output is not None:
        rounded = table.round(
            {
                "true_deg": 3,
                "grid_deg": 3,
                "magnetic_deg": 3,
                "distance_m": 2,
                "declination_deg": 3,
                "convergence_deg": 3,
                "to_lon": 7,
                "to_lat": 7,
            }
        )
        if output.suffix.lower() == ".csv":
            text = "\ufeff" + rounded.to_csv(index=False, lineterminator="\n")
            write_text(output, text, overwrite=given["overwrite"])
        elif output.suffix.lower() == ".xlsx":
            from geotools import io

            io.write(rounded, output, layer="legs", overwrite=given["overwrite"])
        else:
            from geotools.model.errors import WriteError

            raise WriteError("a table of legs is .csv or .xlsx", hint="name it walk.csv or walk.xlsx", file=output)
        options.say(f"wrote {output}")
    if as_json:
        options.print_json({"date": day.isoformat(), "legs": table.to_dict("records")})
    elif output is None:
        click.echo(
            f"magnetic bearings for {day.isoformat()}: declination {table['declination_deg'].mean():+.2f}°, convergence {table['convergence_deg'].mean():+.2f}°"
        )
        click.echo(f"{'leg':>3}  {'from → to':14} {'magnetic':>12} {'grid':>12} {'true':>12} {'metres':>9}  end at")
        row: Any
        for row in table.itertuples():
            bearings = " ".join(
                f"{format_angle(float(v), given['unit']):>12}" for v in (row.magnetic_deg, row.grid_deg, row.true_deg)
            )
            click.echo(
                f"{row.leg_no:>3}  {f'{row.from_point} → {row.to_point}':14} {bearings} {row.distance_m:9.2f}  {row.to_mgrs}"
            )
