"""`geotools coverage`: the land-release ledger and coverage of each hazard. Not for drawing (see `map`) or checking (see `check`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

GROUPS = (
    "product", "method", "organisation", "team", "year", "month", "depth",
    "admin1", "admin2", "district", "place", "country", "classification", "status", "contamination",
)  # fmt: skip
SHOWN = 40
HEADS = {"area_sigma_m2": "±", "area_grid_m2": "on the grid"}


@click.command(
    name="coverage",
    epilog="Example: geotools coverage sample_data/fuzuli --as-of 2025-12-31 --by organisation",
    short_help="The ledger and coverage of each hazard.",
)
@options.survey_argument
@options.as_of
@options.known_on
@click.option("--by", type=click.Choice(GROUPS), help="Figures per word of this column instead of per hazard.")
@click.option(
    "--explain", "explain_id", metavar="ID", help="Who released which m² of one hazard, when, and why a row counts 0."
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "geos", "sweep"]),
    default="auto",
    show_default=True,
    help="How areas are computed; the answer is the same.",
)
@click.option(
    "--priority",
    type=click.Choice(["first", "strongest"]),
    default="first",
    show_default=True,
    help="Which act gets the credit for ground released twice.",
)
@click.option(
    "--product", type=click.Choice(["cleared", "reduced", "cancelled"]), help="Product of releases that do not say."
)
@options.output
@options.overwrite
@options.crs
@options.encoding
@options.kind
@options.executor
@options.as_json
@options.fail_on
@options.common
def command(survey: str, output: Path | None, **choices: Any) -> None:
    """Compute what was cancelled, reduced and cleared in each hazard, what remains, and who released it.

    SURVEY is a folder, a .gpkg, a survey.toml, a store (programme.gpkg, postgresql://…) or one file. A folder with hazards.parquet and
    releases.parquet in parts (geotools convert --parts) is worked on without holding its polygons in memory. OUTPUT is a .csv, .xlsx or .json of the table, or a .gpkg
    of the ground itself; with --explain a .json or .txt of the story or an .html map. Mechanically processed ground counts as remaining.

    The rows of a table count ground of several hazards in each of them. Beside coverage.csv (.xlsx) the file coverage_totals.csv (.xlsx)
    is written: the national totals with shared ground once, the sums of the rows, and the difference. The .json holds both.
    """
    from geotools.analysis import release
    from geotools.survey import layers_in_parts, open_survey

    bar = options.progress_bar(choices["progress"])
    click.get_current_context().with_resource(options.executing(choices))
    release.warm(survey, choices["engine"])
    known = options.knowledge(survey, choices["as_of"], choices["known_on"])
    ground = output is not None and output.suffix.lower() == ".gpkg"
    how = {name: choices[name] for name in ("as_of", "priority", "engine", "product")}
    wide = layers_in_parts(survey) if choices["kind"] is None else None
    if wide is not None:
        found = wide.coverage(**how, progress=bar, geometry=False)
    else:
        opened = open_survey(
            survey, kind=choices["kind"], crs=choices["crs"], encoding=choices["encoding"], as_of=known, progress=bar
        )
        found = opened.coverage(**how, progress=bar, geometry=ground)
    if choices["explain_id"]:
        _explain(found, output, choices)
        return
    group = found.by(choices["by"]) if choices["by"] else None
    if output is not None:
        for file in _write(found, group, output, (choices["overwrite"], bar)):
            options.say(f"written: {file}")
    if choices["as_json"]:
        data = found.to_dict()
        if group is not None:
            data["by"] = {choices["by"]: release.records(group)}
        options.print_json(data)
    elif output is None or str(output) != "-":
        click.echo(_words(found, group))
    options.exit_for(found.marks, choices["fail_on"])


def _explain(found: Any, output: Path | None, choices: dict[str, Any]) -> None:
    from geotools.analysis import release
    from geotools.io.atomic import write_text

    if choices["explain_id"] not in set(found.table["id"].astype(str)):
        some = ", ".join(_clean(name) for name in found.table["id"].head(3))
        raise click.BadParameter(
            f"there is no hazard '{_clean(choices['explain_id'])}'; hazards are called, for example, {some}",
            param_hint="--explain",
        )
    told = release.explain(found, choices["explain_id"])
    if output is not None:
        kind = output.suffix.lower()
        if kind == ".html":
            _draw(told, output, choices["overwrite"])
        else:
            text = (
                json.dumps(told.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
                if kind == ".json"
                else told.text()
            )
            write_text(output, text + "\n", overwrite=choices["overwrite"])
        options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json(told.to_dict())
    elif output is None:
        click.echo(told.text())


def _draw(told: Any, output: Path, overwrite: bool) -> None:
    from geotools.maps import webmap

    ground = {"hazards": told.layers["hazards"], "releases": told.layers["records"]}
    webmap.save(webmap.map_survey(ground), output, overwrite=overwrite)


def _write(found: Any, group: Any, output: Path, how: tuple[bool, Any]) -> list[Path]:
    """Write the result; beside a table for people also its totals. The files written."""
    from geotools import io
    from geotools.analysis import release
    from geotools.io.atomic import write_text

    table = release.known(found.table) if group is None else group
    kind, (overwrite, bar) = output.suffix.lower(), how
    if kind == ".json":
        data = found.to_dict() if group is None else {**found.to_dict(), "by": release.records(group)}
        write_text(output, json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n", overwrite=overwrite)
    elif kind == ".gpkg":
        found.write_ground(output, overwrite=overwrite, progress=bar)
    elif kind in (".csv", ".xlsx"):
        beside = output.with_name(f"{output.stem}_totals{kind}")
        _free(output, beside, overwrite=overwrite)
        totals = release.totals_table(table if group is not None else found.table, found.totals)
        for frame, file in ((table, output), (totals, beside)):
            if kind == ".csv":
                write_text(file, release.spreadsheet(frame), overwrite=overwrite)
            else:
                io.write(frame, file, overwrite=overwrite)
        return [output, beside]
    else:
        io.write(table, output, overwrite=overwrite)
    return [output]


def _free(*files: Path, overwrite: bool) -> None:
    """Say before anything is written that one of several files is there already."""
    from geotools.model.errors import WriteError

    taken = next((file for file in files if file.exists() and not overwrite), None)
    if taken is not None:
        raise WriteError("it exists already", hint="choose another name or add --overwrite", file=taken)


def _words(found: Any, group: Any) -> str:
    from geotools.analysis import release

    lines = [found.summary(), ""]
    table, first = (release.known(found.table), "id") if group is None else (group, group.columns[0])
    columns = [
        c
        for c in (
            "area_m2",
            "area_sigma_m2",
            "area_grid_m2",
            "cancelled_m2",
            "reduced_m2",
            "cleared_m2",
            "processed_m2",
            "remaining_m2",
            "outside_m2",
            "overlap_m2",
        )
        if c in table
    ]
    width = max([len(first), *(len(str(value)) for value in table[first].head(SHOWN))]) if len(table) else len(first)
    lines.append(
        f"{first:{width}} "
        + " ".join(f"{HEADS.get(name, name):>13}" for name in columns)
        + ("  coverage" if "coverage" in table else "")
    )
    for _, row in table.head(SHOWN).iterrows():
        cells = " ".join(f"{_cell(row[name], name):>13}" for name in columns)
        share = f"  {_percent(row['coverage']):>8}" if "coverage" in table else ""
        lines.append(f"{_clean(row[first]):{width}} {cells}{share}")
    if len(table) > SHOWN:
        lines.append(f"… and {len(table) - SHOWN} more: write them with -o coverage.csv")
    lines += _totals(found, columns, width, once=group is not None)
    if group is not None and first == "year" and (words := release.early(found.credits, found.table)):
        lines += ["", words]
    scope = "ledger only; run `geotools check` for reading and rules, `geotools run` for all of them in issues.csv"
    lines += ["", options.issue_line(found.marks, scope=scope)]
    lines.append("No record is not no contamination. Areas are on the WGS 84 ellipsoid.")
    return "\n".join(lines)


def _totals(found: Any, columns: list[str], width: int, *, once: bool) -> list[str]:
    """The last row: the national figures, ground that hazards share counted once; and why rows per hazard add up to more."""
    from geotools.analysis.release import hectares

    totals = found.totals
    cells = " ".join(f"{_cell(totals[name], name) if name in totals else '':>13}" for name in columns)
    share = f"  {_percent(float(totals['coverage'])):>8}" if "area_m2" in columns else ""
    lines = ["", f"{'TOTAL':{width}} {cells}{share}"]
    if beside := options.beyond_map(totals):
        lines[-1] += f"  on the map; and {beside}"
    if not once and totals["shared_m2"] >= 1:
        again = hectares(float(totals["shared_m2"]))
        lines.append(
            f"The total counts ground of several hazards once; the rows count it in each, {again} more together."
        )
    return lines


def _cell(value: float, name: str) -> str:
    from geotools.model.figures import UNKNOWN, direction, square_metres

    return UNKNOWN if value != value else square_metres(value, toward=direction(name))  # noqa: PLR0124


def _clean(value: Any) -> str:
    return "".join(c if c.isprintable() else "·" for c in str(value))


def _percent(share: float) -> str:
    from geotools.analysis.release import percent

    return percent(share)
