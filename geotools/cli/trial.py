"""`geotools trial`: design, freeze, score and report blind lanes. Not for clearance records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

targets_argument = click.argument("targets", type=options.InputFile())
signals_argument = click.argument("signals", type=options.InputFile())
halo = click.option(
    "--halo",
    "halo_m",
    type=click.FloatRange(min=0, min_open=True),
    required=True,
    help="Radius in metres inside which a mark counts; from the trial plan.",
)
lanes_option = click.option(
    "--lanes",
    type=options.InputFile(),
    help="Lane outlines (column id or lane_id), for false alarms per m².",
)
runs_option = click.option(
    "--runs", type=options.InputFile(), help="Roster of runs, so that runs without marks count too."
)
seal_option = click.option("--seal", "seal_file", type=options.InputFile(), help="seal.json of the design.")
frozen_option = click.option("--frozen", type=options.InputFile(), help="frozen.json of the marks.")
salt_option = click.option("--salt", type=options.InputFile(), help="salt.txt, opened after the marks were frozen.")
pod_option = click.option(
    "--pod",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.90,
    show_default=True,
    help="Detection to be shown.",
)


@click.group(
    name="trial",
    epilog="Example: geotools trial score targets.csv signals.csv --halo 0.2 --lanes lanes.geojson",
    short_help="Blind lanes.",
)
def command() -> None:
    """Blind lanes: design, freeze, score and report detection trials on inert targets."""


@command.command(
    "design",
    epilog="Example: geotools trial design lanes.geojson --type large --type small --depth 5 --depth 10 --halo 0.2 --head 0.3 -o trial1",
)
@click.argument("lanes", type=options.InputFile())
@click.option("--type", "types", multiple=True, required=True, help="Target type; repeat.")
@click.option("--depth", "depths", multiple=True, type=float, required=True, help="Depth in cm; repeat.")
@halo
@click.option(
    "--head",
    "head_m",
    type=click.FloatRange(min=0),
    required=True,
    help="Measured width of the widest detector head, metres.",
)
@pod_option
@click.option(
    "--misses", type=click.IntRange(min=0), default=0, show_default=True, help="Misses the trial should survive."
)
@click.option("--operator", "operators", multiple=True, help="Operator code; repeat.")
@click.option("--detector", "detectors", multiple=True, help="Detector; repeat.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same layout.")
@options.output_required
@options.crs
@options.as_json
@options.common
def design(lanes: Path, output: Path, **choices: Any) -> None:
    """Lay out targets in LANES and seal the layout.

    OUTPUT is a new folder: director/ holds the targets and the salt and stays closed until the marks are frozen;
    lanes.geojson, roster.csv and seal.json may be handed out.
    """
    from geotools import io
    from geotools.analysis import trial
    from geotools.io.atomic import replacing, write_text

    ground = _lanes(lanes, choices["crs"])
    wanted = trial.Wanted(
        tuple(choices["types"]), tuple(choices["depths"]), choices["halo_m"], choices["head_m"], pod=choices["pod"], misses=choices["misses"]
    )  # fmt: skip
    plan = trial.design(
        ground, wanted, operators=choices["operators"], detectors=choices["detectors"], seed=choices["seed"]
    )
    with replacing(output) as folder:
        (folder / "director").mkdir(parents=True)
        io.write(plan.targets, folder / "director" / "targets.geojson")
        write_text(folder / "director" / "salt.txt", plan.salt + "\n")
        io.write(plan.lanes[["id", "soil", "area_m2", "geometry"]], folder / "lanes.geojson")
        write_text(folder / "roster.csv", plan.roster.to_csv(index=False, lineterminator="\n"))
        write_text(folder / "seal.json", json.dumps(plan.to_dict(), ensure_ascii=False, indent=2) + "\n")
    _tell(plan.issues)
    options.say(f"written: {output}")
    if choices["as_json"]:
        options.print_json(plan.to_dict())
    else:
        click.echo(
            f"{len(plan.targets)} targets for POD {choices['pod']} at 95 % with {choices['misses']} misses, {len(plan.roster)} runs, seal {plan.seal[:16]}…"
        )


@command.command(
    "freeze", epilog="Example: geotools trial freeze signals.csv --seal trial1/seal.json -o trial1/frozen.json"
)
@signals_argument
@click.option("--seal", "seal_file", type=options.InputFile(), required=True, help="seal.json of the design.")
@options.output_required
@options.overwrite
@options.crs
@options.common
def freeze(signals: Path, seal_file: Path, output: Path, **choices: Any) -> None:
    """Record the marks in SIGNALS as final; later changes are refused when scoring."""
    from geotools import io
    from geotools.analysis import trial
    from geotools.io.atomic import write_text

    marks, issues = io.read_with_issues(signals, "signals", crs=choices["crs"])
    record = trial.freeze(marks, _json(seal_file, "seal"))
    write_text(output, json.dumps(record, indent=2) + "\n", overwrite=choices["overwrite"])
    _tell(issues)
    click.echo(f"{record['count']} marks frozen at {record['frozen_at']}")


@command.command(
    "score",
    epilog="Example: geotools trial score targets.csv signals.csv --halo 0.2 --lanes lanes.geojson --by operator --json",
)
@targets_argument
@signals_argument
@halo
@lanes_option
@runs_option
@seal_option
@frozen_option
@salt_option
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(["operator", "detector", "target_type", "depth_cm", "soil", "lane_id"]),
    help="Figures per group; repeat to cross.",
)
@options.output
@options.overwrite
@options.crs
@options.as_json
@options.fail_on
@options.common
def score(targets: Path, signals: Path, output: Path | None, **choices: Any) -> None:
    """Match SIGNALS to TARGETS and count, with exact limits. OUTPUT is a table: one row per run and target, or per group with --by."""
    from geotools import io
    from geotools.analysis import trial

    scored = _scored(targets, signals, choices)
    _tell(scored.issues)
    table = scored.strata(list(choices["by"]))
    if output is not None:
        rows = table if choices["by"] else scored.matches.rename(columns={"target_id": "id"})
        io.write(rows, output, overwrite=choices["overwrite"])
        options.say(f"written: {output}")
    if choices["as_json"]:
        data = scored.to_dict()
        data["shrunk"] = {
            name: trial.shrink(*_counts(scored, name)).to_dict()
            for name in ("operator", "detector")
            if scored.real[name].nunique() > 1
        }
        options.print_json(data)
    else:
        click.echo("\n".join(trial.findings(scored)))
        if choices["by"]:
            click.echo(_plain("\n" + table.to_string(index=False, float_format=lambda v: f"{v:.3f}")))
    options.exit_for(scored.issues, choices["fail_on"])


@command.command(
    "report",
    epilog="Example: geotools trial report targets.csv signals.csv --halo 0.2 --lanes lanes.geojson -o trial.html",
)
@targets_argument
@signals_argument
@halo
@lanes_option
@runs_option
@seal_option
@frozen_option
@salt_option
@pod_option
@click.option("--title", default="Blind lane trial", show_default=True, help="Heading of the report.")
@options.output_required
@options.overwrite
@options.crs
@options.common
def report(targets: Path, signals: Path, output: Path, **choices: Any) -> None:
    """Write the report of a trial: one .html page that needs no network, or a .pdf."""
    from geotools.analysis import trial

    if output.suffix.lower() not in (".html", ".htm", ".pdf"):
        raise click.BadParameter("the report is a .html or a .pdf file", param_hint="--output")
    scored = _scored(targets, signals, choices)
    _tell(scored.issues)
    trial.write_report(scored, output, title=choices["title"], pod=choices["pod"], overwrite=choices["overwrite"])
    options.say(f"written: {output}")


def _scored(targets: Path, signals: Path, choices: dict[str, Any]) -> Any:
    from geotools import io
    from geotools.analysis import trial
    from geotools.model.schema import join_issues

    aims, first = io.read_with_issues(targets, "targets", crs=choices["crs"])
    marks, second = io.read_with_issues(signals, "signals", crs=choices["crs"])
    _tell(join_issues(first, second))
    given = [choices[name] is not None for name in ("seal_file", "frozen", "salt")]
    if any(given) and not all(given):
        raise click.UsageError("--seal, --frozen and --salt prove blindness together: give all three or none")
    blind = None
    if all(given):
        blind = trial.Blind(_json(choices["seal_file"], "seal"), _salt(choices["salt"]), _json(choices["frozen"]))
    lanes = None if choices["lanes"] is None else _lanes(choices["lanes"], choices["crs"])
    runs = None if choices["runs"] is None else _runs(choices["runs"])
    return trial.score(aims, marks, halo_m=choices["halo_m"], lanes=lanes, runs=runs, blind=blind)


def _lanes(path: Path, crs: str | None) -> Any:
    from geotools import io

    frame, issues = io.read_with_issues(path, None, crs=crs)
    _tell(issues)
    if "lane_id" in frame:
        frame = frame.assign(id=frame["lane_id"].astype(str))
    return frame


def _runs(path: Path) -> Any:
    import pandas as pd

    from geotools.model.errors import ReadError

    try:
        return pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        raise ReadError(
            "not a readable table of runs",
            hint="a .csv with run_id, lane_id, operator, detector and, if known, minutes",
            file=path,
        ) from error


def _salt(path: Path) -> str:
    from geotools.model.errors import ReadError

    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise ReadError(
            "not the salt of a trial", hint="use the salt.txt that trial design wrote", file=path
        ) from error


def _json(path: Path, key: str | None = None) -> Any:
    from geotools.model.errors import ReadError

    try:
        data = json.loads(path.read_text("utf-8"))
        return data if key is None else data[key]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReadError(
            "not a record of this kind of trial",
            hint="use the files written by trial design and trial freeze",
            file=path,
        ) from error


def _counts(scored: Any, factor: str) -> tuple[Any, Any]:
    table = scored.strata([factor]).set_index(factor)
    return table["k"], table["n"]


def _tell(issues: Any) -> None:
    for row in issues[issues["severity"] != "info"].head(20).itertuples():
        options.say(_plain(f"{row.severity}: {row.kind} {row.id}: {row.message}"))


def _plain(text: str) -> str:
    """Text for a terminal: control and direction marks that a file may carry become blanks."""
    import unicodedata

    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text)
