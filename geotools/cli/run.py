"""`geotools run`: the main job, from raw files to ledger, map and field files in one folder.

For putting the verbs of the lower floors in order; nothing is computed here.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    name="run",
    epilog="Example: geotools run sample_data/fuzuli -o out",
    short_help="The main job, into one folder.",
)
@options.survey_argument
@options.output_required
@options.as_of
@options.known_on
@options.kind
@options.crs
@options.encoding
@click.option(
    "--lang",
    type=click.Choice(["en", "az", "tr", "ru"]),
    help="Language the map opens in (default: the programme's first).",
)
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice(["check", "swath", "map", "field"]),
    help="Leave a step out (may be repeated).",
)
@options.overwrite
@options.executor
@options.as_json
@options.fail_on
@options.common
def command(survey: str, output: Path, **choices: Any) -> None:
    """Open, check, compute the ledger and coverage, draw the offline map and write field files.

    SURVEY is a folder, a .gpkg, a survey.toml, a store (programme.gpkg, postgresql://…) or one file. OUTPUT is a folder that is written whole or not at all:

    \b
    map.html         the offline map, one file that opens in any browser
    coverage.csv     one row per hazard: released, remaining, outside, overlap (m²)
    coverage_totals.csv  the national totals, ground that hazards share counted once
    coverage.json    rows and totals for programs
    survey.gpkg      all layers and results, for QGIS
    field/           GeoJSON for field teams
    issues.csv       everything found in the data, in plain words
    provenance.json  inputs with hashes, parameters, version
    """
    from geotools.io.atomic import replacing
    from geotools.model.errors import GeotoolsError
    from geotools.survey import open_survey

    _refuse_foreign(output, overwrite=choices["overwrite"])
    bar = options.progress_bar(choices["progress"], stages=True)
    known = options.knowledge(survey, choices["as_of"], choices["known_on"])
    opened = open_survey(
        survey, kind=choices["kind"], crs=choices["crs"], encoding=choices["encoding"], as_of=known, progress=bar
    )
    try:
        with options.executing(choices), replacing(output, overwrite=choices["overwrite"]) as folder:
            folder.mkdir()
            result = _products(opened, folder, choices, bar)
    except GeotoolsError as error:
        error.file = error.file and re.sub(
            r"\.geotools-[^/\\]+[/\\]", "", error.file
        )  # the file as it would have been called
        raise
    if choices["as_json"]:
        options.print_json(result["json"])
    else:
        click.echo(_words(opened, result, output, choices["skip"]))
    options.exit_for(result["issues"], choices["fail_on"])


OURS = {
    "map.html", "coverage.csv", "coverage_totals.csv", "coverage.json", "survey.gpkg", "field", "issues.csv", "provenance.json", "swath",
}  # fmt: skip


def _refuse_foreign(output: Path, *, overwrite: bool) -> None:
    """Never replace a file, or a folder that holds anything this command does not make."""
    from geotools.model.errors import WriteError

    if output.exists() and not output.is_dir():
        raise WriteError("a file of that name is in the way", hint="choose another name for the folder", file=output)
    if output.is_dir() and overwrite and {p.name for p in output.iterdir()} - OURS:
        raise WriteError(
            "this folder holds other things, it is not replaced", hint="choose an empty or new folder", file=output
        )


def _products(survey: Any, folder: Path, choices: dict[str, Any], bar: Any) -> dict[str, Any]:
    from geotools import checks, io
    from geotools.analysis import release
    from geotools.field import export
    from geotools.io.atomic import write_text
    from geotools.model.schema import issues_frame, join_issues

    skip, as_of = choices["skip"], choices["as_of"]
    coverage = survey.coverage(as_of=as_of, progress=bar)
    counts = survey.issues[survey.issues["check"] == "RD-00"]  # one line a file: rows kept, repaired, rejected
    judged = issues_frame() if "check" in skip else checks.check(survey, progress=bar)
    found = [counts, checks.together(judged, survey.issues, coverage.issues)]
    beyond = len(found[1]) - len(checks.together(judged, survey.issues))
    swath = [] if "swath" in skip else _swath(survey, folder, found, (as_of, bar))
    issues = join_issues(*found)
    write_text(folder / "coverage.csv", release.spreadsheet(release.known(coverage.table.reset_index(drop=True))))
    write_text(
        folder / "coverage_totals.csv", release.spreadsheet(release.totals_table(coverage.table, coverage.totals))
    )
    _write_json(folder / "coverage.json", coverage.to_dict())
    io.write(issues, folder / "issues.csv")
    export.survey_gpkg(survey, coverage, folder / "survey.gpkg", issues=issues)
    if "field" not in skip:
        export.field_files(survey, coverage, folder / "field")
    if "map" not in skip:
        _map(survey, coverage, issues, folder / "map.html", {**choices, "tracks": swath})
    provenance = _provenance(survey, as_of, choices)
    _write_json(folder / "provenance.json", provenance)
    summary = {
        "coverage": coverage.to_dict()["totals"],
        "survey": survey.summary().to_dict(),
        "swath": [item["data"] for item in swath],
        "provenance": provenance,
    }
    parts = {
        "reading and rules": len(found[1]) - beyond,
        "the ledger beyond them": beyond,
        "tracks": sum(map(len, found[2:])),
        "lines that account for rows": len(counts),
    }
    return {
        "coverage": coverage,
        "issues": issues,
        "parts": parts,
        "swath": swath,
        "json": summary,
        "no_tracks": _no_tracks(found[2:]),
    }


def _swath(survey: Any, folder: Path, found: list[Any], when: tuple[date | None, Any]) -> list[dict[str, Any]]:
    """Coverage by tracks of every task that has fixes and a polygon; layers, rasters and gap lists go to swath/TASK/."""
    from geotools.analysis import swath
    from geotools.cli.swath.products import as_data, assured, write_products
    from geotools.cli.swath.source import task_of
    from geotools.model.errors import CoverageError, CRSError
    from geotools.model.schema import Issue, issues_frame, join_issues

    as_of, bar = when
    fixes, results = survey.fixes, []
    if as_of is not None and "time" in fixes and len(fixes):
        fixes = fixes[fixes["time"].dt.date <= as_of]
    names = sorted(set(fixes["task_id"].dropna())) if "task_id" in fixes and len(fixes) else []
    found += _without_task(survey, fixes)
    settings = {"sigma": None, "tau": 300.0, "pod": None, "resolution": 0.1, "draws": 50, "seed": 0, "overwrite": False}
    for name in map(str, names):
        try:
            ground, method = task_of(survey, name, survey.name)
            mine = fixes[fixes["task_id"] == name]
            prepared = swath.prepare(mine, ground)
            rules = swath.CoverRules(programme=survey.programme)
            covered = swath.cover(prepared, ground, rules=rules, method=method, progress=bar)
            sure = assured(prepared.passes, ground, settings)
            account = swath.account(prepared.counts, survey.issues, elsewhere=len(survey.fixes) - len(mine))
            result = {"covered": covered, "assurance": sure, "residual": None, "account": account}
            issues = join_issues(covered.issues, None if sure is None else sure.issues)
            write_products(
                folder / "swath" / _file_name(name),
                {**result, "issues": issues},
                prepared.passes,
                ground,
                {**settings, "name": name},
            )
        except (CoverageError, CRSError) as error:  # one unusable log does not hold up the rest
            found.append(
                issues_frame(
                    [
                        Issue(
                            "SW-00",
                            "error",
                            "fixes",
                            name,
                            message=f"the tracks of this task cannot be evaluated: {error}",
                        )
                    ]
                )
            )
            continue
        found.append(issues)
        results.append(
            {
                "task": name,
                "covered": covered,
                "end": _last_day(mine),
                "sentences": [*covered.sentences, *(() if sure is None else sure.sentences[:1])],
                "data": as_data(result, name),
            }
        )
    return results


def _no_tracks(found: list[Any]) -> list[str]:
    """What was said of fixes and tasks that could not be evaluated."""
    told = [row for t in found for row in t[t["check"].eq("SW-00") & t["severity"].ne("info")].itertuples()]
    return [options.shown(f"{row.id}: {row.message}" if row.id else row.message) for row in told]


def _without_task(survey: Any, fixes: Any) -> list[Any]:
    """Why fixes are in no coverage by tracks, as a table of issues; none where every fix names a task."""
    from geotools.model.schema import Issue, issues_frame

    total = len(survey.fixes)
    bare = int(fixes["task_id"].isna().sum()) if "task_id" in fixes else len(fixes)
    if total and not len(fixes):
        bare, said = total, "no fix is dated before the end of the day of --as-of"
    elif bare:
        areas = _task_areas(survey)
        known = ", ".join(areas[:5]) + (" …" if len(areas) > 5 else "")
        said = "the column task_id does not say which task they belong to; " + (
            f"tasks with an area: {known}" if areas else "and no activity has an area, which is needed too"
        )
        name = json.dumps(areas[0] if len(areas) == 1 else "TASK", ensure_ascii=False)
        said += f"; fill task_id, or give their layer in survey.toml: values = {{ task_id = {name} }}"
    else:
        return []
    said = f"{bare:,} of {total:,} fixes are in no coverage by tracks: {said}"
    return [issues_frame([Issue("SW-00", "warning", "fixes", "", "task_id", said, value=str(bare))])]


def _task_areas(survey: Any) -> list[str]:
    """The activities that have a polygon: what a fix can name as its task."""
    layer = survey.layers.get("activities")
    if layer is None:
        return []
    rows = layer[layer.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    ids = rows["task_id"].fillna(rows["id"]) if "task_id" in rows else rows["id"]
    return sorted(set(map(str, ids)))


def _file_name(text: str) -> str:
    """A name that is safe as a folder on every system."""
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in text)[:60]
    return plain.strip("_") or "task"


def _last_day(fixes: Any) -> Any:
    """The day of the last fix, without a zone: from then on the ground is known as covered or missed."""
    import pandas as pd

    last = pd.to_datetime(fixes["time"], utc=True).max() if "time" in fixes else pd.NaT
    return last if pd.isna(last) else last.tz_localize(None).normalize()


def _map(survey: Any, coverage: Any, issues: Any, path: Path, choices: dict[str, Any]) -> None:
    from dataclasses import replace

    import pandas as pd

    from geotools.maps import webmap

    extra = {}
    for name in ("covered", "missed"):
        frames = [getattr(item["covered"], name).to_crs(4326).assign(end=item["end"]) for item in choices["tracks"]]
        filled = [frame for frame in frames if len(frame)]
        if filled:
            extra[name] = pd.concat(filled, ignore_index=True)
    shown = replace(survey, layers={**survey.layers, **extra})
    lang = choices["lang"] or survey.programme.languages[0]
    webmap.save(webmap.map_survey(shown, coverage=coverage, issues=issues, as_of=choices["as_of"], lang=lang), path)


def _provenance(survey: Any, as_of: date | None, choices: dict[str, Any]) -> dict[str, Any]:
    from geotools.model.provenance import Provenance

    parameters = {"skip": list(choices["skip"]), "limits": dict(survey.programme.limits), "survey": survey.name}
    return Provenance("run", survey.inputs, parameters, as_of).to_dict()


def _write_json(path: Path, data: Any) -> None:
    from geotools.io.atomic import write_text

    write_text(path, json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _line(label: str, name: str, totals: Any) -> str:
    """A figure of the ledger: square metres, and hectares beside them."""
    from geotools.model.figures import direction, in_hectares, square_metres

    value, toward = float(totals[name]), direction(name)
    line = f"{label:38}{square_metres(value, toward=toward):>14} m²  {in_hectares(value, toward):>10,.2f} ha"
    beside = options.beyond_map(totals) if name in ("area_m2", "remaining_m2") else ""
    return f"{line} on the map; and {beside}" if beside else line


def _without_ground(coverage: Any) -> list[str]:
    """What the figures cannot hold: hazards known on that day that have no polygon."""
    from geotools.model.figures import hectares

    count, told = (float(coverage.totals[name]) for name in ("hazards_without_ground", "reported_without_ground_m2"))
    if not count:
        return []
    said = f"; they report {hectares(told, 'up')} together" if told > 0 else ""
    return [
        "",
        f"{count:.0f} hazards on record have no ground that can be drawn or counted{said}: no figure above includes them",
    ]


def _shared(coverage: Any) -> list[str]:
    """Why the rows of the table add up to more than the totals."""
    from geotools.model.figures import hectares

    totals = coverage.totals
    if totals["shared_m2"] < 1:
        return []
    rows = hectares(float(totals["row_area_m2"]))
    return [f"the rows of coverage.csv add up to {rows} recorded: they count ground of several hazards in each of them"]


def _issues(result: dict[str, Any], skip: tuple[str, ...]) -> list[str]:
    """The rows of issues.csv, and where they come from."""
    parts = ", ".join(f"{number:,} {name}" for name, number in result["parts"].items())
    left = {"check": "the rules were not checked", "swath": "the tracks were not evaluated"}
    missing = "".join(f"; {text} (--skip {name})" for name, text in left.items() if name in skip)
    return [options.issue_line(result["issues"], scope="the rows of issues.csv"), f"  {parts}{missing}"]


def _words(survey: Any, result: dict[str, Any], output: Path, skip: tuple[str, ...]) -> str:
    from geotools.model.figures import percent

    totals = result["coverage"].totals
    day = (
        result["json"]["coverage"].get("as_of")
        or result["json"]["provenance"]["as_of"]
        or survey.information_day
        or "all records"
    )
    rows = [
        ("hazardous land recorded", "area_m2"), ("  cancelled", "cancelled_m2"), ("  reduced", "reduced_m2"), ("  cleared", "cleared_m2"),
        ("released in all", "released_m2"), ("machine-processed only, not released", "processed_m2"), ("remaining", "remaining_m2"),
    ]  # fmt: skip
    lines = [f"{survey.name}   as of {day}", ""]
    lines += [_line(label, name, totals) for label, name in rows]
    lines += [
        "",
        f"{'coverage (released / recorded)':38}{percent(float(totals['coverage'])):>17}"
        if totals["area_m2"] > 0
        else "no hazard has a polygon: coverage cannot be stated",
    ]
    extra = [
        ("released outside recorded hazards", "outside_m2"),
        ("ground claimed more than once", "overlap_m2"),
        ("sum of the rows as claimed", "claimed_m2"),
    ]
    lines += [_line(label, name, totals) for label, name in extra]
    lines += _shared(result["coverage"])
    lines += _without_ground(result["coverage"])
    for item in result["swath"]:
        lines += ["", f"tracks of {item['task']}:", *(f"  {text}" for text in item["sentences"])]
    lines += ["", *(f"tracks: {text}" for text in result["no_tracks"])] if result["no_tracks"] else []
    lines.append("")
    lines += [
        *_issues(result, skip),
        "",
        f"written: {output}/{', '.join(sorted(f'{p.name}/' if p.is_dir() else p.name for p in output.iterdir()))}",
        "Absence of a record is not absence of contamination. This supports a decision; it does not declare land safe.",
    ]
    return "\n".join(lines)
