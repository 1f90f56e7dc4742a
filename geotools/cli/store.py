"""`geotools store`: keep a programme's records with every former state. The work is done by `geotools.store`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

SHOWN = 200
NAMED = 12  # ids in a line that says the same of many rows

store_argument = click.argument("store", metavar="STORE", type=click.Path(path_type=str))
note_option = click.option("--note", required=True, help="Why: kept with the revision for ever.")
author_option = click.option(
    "--author", required=True, envvar="GEOTOOLS_AUTHOR", show_envvar=True, help="Who: kept with the revision for ever."
)
moment_option = click.option(
    "--as-of",
    "as_of",
    metavar="MOMENT",
    help="What the store knew then: day (its end, UTC), time, or number of a revision.",
)


@click.group(name="store", short_help="Keep records with every former state; who changed what, when and why.")
def command() -> None:
    """Keep a programme's records with every former state.

    STORE is a GeoPackage (programme.gpkg: one file, opens in QGIS) or a server (postgresql://user@host/database, with
    ?schema=name for another schema than geotools). Passwords belong in ~/.pgpass, not on the command line.
    """


@command.command(
    name="init", epilog="Example: geotools store init programme.gpkg --name 'District F' --author 'A. Officer'     "
    "On a server: geotools store init postgresql://owner@db/programme --roles --author 'A. Officer'",
)  # fmt: skip
@store_argument
@click.option("--name", default="", help="Name of the programme.")
@author_option
@click.option(
    "--roles", is_flag=True, help="On a server: also make the roles reader, team and officer with their rights."
)
@options.as_json
@options.common
def init(store: str, name: str, author: str, roles: bool, as_json: bool, progress: bool | None) -> None:
    """Make an empty store, or bring one of an older format up to date.

    With --roles the server gets SCHEMA_reader (loads), SCHEMA_team (also saves) and SCHEMA_officer (also deletes and
    restores); give them to accounts with GRANT geotools_team TO name.
    """
    from geotools.io import store as stores

    with stores.init(store, author=author, name=name, roles=roles) as made:
        head = made.head()
        if as_json:
            options.print_json({"store": made.address, "head": head.to_dict()})
        else:
            click.echo(f"{made.address}: ready at revision {head.number}")


@command.command(
    name="save", epilog="Example: geotools store save programme.gpkg incoming/week_17 --note 'week 17, Unit 1' --author 'A. Officer'",
)  # fmt: skip
@store_argument
@options.survey_argument
@note_option
@author_option
@options.kind
@click.option("--only", multiple=True, metavar="KIND", help="Save only these layers (may be repeated).")
@click.option("--base", type=int, help="Revision on which the edit began: rows that others changed since are refused.")
@click.option("--whole", is_flag=True, help="Rows that SURVEY does not have are deleted from its layers (tombstones).")
@click.option(
    "--settings/--no-settings", default=True, show_default=True, help="Keep the programme's settings (survey.toml) too."
)
@options.crs
@options.encoding
@options.as_json
@options.fail_on
@options.common
def save(store: str, survey: str, **choices: Any) -> None:
    """Save the records of SURVEY (folder, .gpkg, survey.toml or one file) as one revision, all or nothing.

    Rows are told apart by id: new ones are added, differing ones changed, equal ones left alone. A column that a file
    does not have is not an edit. A row without an id of its own, or with one that is used twice, is refused; where a
    file has no ids at all its guid takes the place, if every row has one. With --whole, rows that could not be read stop
    the save and are listed: mend them, save without --whole, or leave their layer out with --only.
    """
    from geotools.io import store as stores
    from geotools.io.store.keys import with_own_ids
    from geotools.model.errors import StoreError
    from geotools.model.programme import Programme
    from geotools.survey import open_survey

    bar = options.progress_bar(choices["progress"])
    opened = open_survey(survey, kind=choices["kind"], crs=choices["crs"], encoding=choices["encoding"], progress=bar)
    layers = {k: f for k, f in opened.layers.items() if not choices["only"] or k in choices["only"]}
    missing = sorted(set(choices["only"]) - set(layers))
    if missing:
        raise click.BadParameter(f"there is no layer '{missing[0]}' in {opened.name}", param_hint="--only")
    kept = opened.programme if choices["settings"] and opened.programme != Programme() else None
    with stores.open(store) as target:
        try:
            if choices["whole"]:
                _refuse_unread(opened.issues, layers, survey)
            layers = with_own_ids(layers, opened.issues)
            done = target.save(
                {k: _as_kept(target, k, f, opened.programme) for k, f in layers.items()}, note=choices["note"], author=choices["author"],
                base=choices["base"], whole=choices["whole"], sources=opened.inputs, programme=kept, progress=bar,
            )  # fmt: skip
        except StoreError as error:
            _tell(error.issues)
            _name_the_others(error, layers)
            raise
    _tell(opened.issues)
    _tell(done.issues)
    if choices["as_json"]:
        options.print_json(done.to_dict())
    else:
        nothing = not (done.added or done.changed or done.deleted)
        what = "nothing new" if nothing else f"{done.added} added, {done.changed} changed, {done.deleted} deleted"
        click.echo(
            f"revision {done.revision.number}: {what}, {done.unchanged} as they were, {done.outdated} left alone"
        )
    options.exit_for(opened.issues, choices["fail_on"])


def _name_the_others(error: Any, layers: dict[str, Any]) -> None:
    """Add to the hint how the layers that were not refused can be saved meanwhile."""
    told = error.issues
    if told is None or not told["check"].isin(["ST-01"]).any():
        return
    refused = set(told.loc[told["check"] == "ST-01", "kind"])
    good = [kind for kind, frame in layers.items() if kind not in refused and len(frame)]
    if good and refused <= set(layers):
        others = " ".join(f"--only {_clean(kind)}" for kind in good)
        error.hint = f"{error.hint or ''}; meanwhile the other layers can be saved: {others}".removeprefix("; ")


def _refuse_unread(issues: Any, layers: dict[str, Any], survey: str) -> None:
    """Refuse to delete what a file leaves out, if rows of these layers could not be read: they may be the ones that seem to be missing."""
    from geotools.model.errors import StoreError

    mine = issues["kind"].isin([*layers, ""]) | issues["kind"].isna()
    copies = issues["message"].str.contains("an exact copy of row", regex=False)
    unread = issues[(issues["check"] == "RD-02") & mine & ~copies]
    if not len(unread):
        return
    by_kind = ", ".join(f"{_clean(kind) or 'file'} {n}" for kind, n in unread["kind"].value_counts(sort=False).items())
    error = StoreError(
        f"--whole deletes what {Path(survey).name} does not have, but {len(unread)} of its rows could not be read ({by_kind}): "
        "they may be the very rows that seem to be missing; nothing was saved",
        hint="mend the rows listed above and save again; or save without --whole (adds and changes, deletes nothing); "
        "or leave the layer out by naming the others with --only",
        file=survey,
    )
    error.issues = unread
    raise error


def _as_kept(target: Any, kind: str, frame: Any, programme: Any) -> Any:
    """The layer in the system in which the store keeps it."""
    from geotools.space import crs

    there = target.load(kind) if kind in target.kinds() else None
    if there is None or there.crs is None or crs.parse(there.crs) == crs.parse(frame.crs):
        return frame
    moved, done = crs.shift(frame, there.crs, programme=programme)
    options.say(f"{kind}: {done.source} → {done.target} by {done.operation}, as the store keeps it")
    return moved


def _tell(issues: Any) -> None:
    """Errors and warnings on stderr, alike ones in one line."""
    if issues is None:
        return
    groups = options.alike(issues[issues["severity"].isin(["error", "warning"])])
    for group in groups[:SHOWN]:
        row, ids = group.iloc[0], [_clean(name) for name in group["id"] if name]
        more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
        alike = f"{len(group):,} {_clean(row['kind'])} ({', '.join(ids[:NAMED])}{more})"
        who = f"{_clean(row['kind'])} {_clean(row['id'])}" if len(group) == 1 else alike
        options.say(f"{row['severity']}: {who}: {_clean(row['message'])}")
    if len(groups) > SHOWN:
        options.say(f"… and {len(groups) - SHOWN} more kinds of errors and warnings")


def _clean(value: Any) -> str:
    return "".join(c if c.isprintable() else "·" for c in str(value))


@command.command(
    name="load", epilog="Example: geotools store load programme.gpkg releases --as-of 2025-06-30 --where product=cleared -o cleared.geojson",
)  # fmt: skip
@store_argument
@click.argument("kind", required=False)
@moment_option
@options.bounds
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only rows with this value (may be repeated).")
@options.output_required
@options.format_
@options.overwrite
@options.common
def load(store: str, kind: str | None, output: Path, **choices: Any) -> None:
    """Write a layer, or all of them, as the store knows it now or knew it.

    Without KIND all layers go to one .gpkg. OUTPUT '-' prints GeoJSON features, one a line.
    """
    from geotools import io
    from geotools.io import store as stores

    where = dict(_condition(text) for text in choices["where"])
    asked = {"as_of": choices["as_of"], "bbox": choices["bounds"]}
    with stores.open(store) as source:
        kinds = [kind] if kind else source.kinds(as_of=choices["as_of"])
        frames = {k: source.load(k, where=where or None, **asked) for k in kinds}
    rows = ", ".join(f"{k} {len(f)}" for k, f in frames.items()) or "no layer yet"
    if kind and str(output) == "-":
        from geotools.io.geojson import features_text
        from geotools.io.writing import plain

        for line in features_text(plain(frames[kind])):
            click.echo(line)
    elif kind:
        io.write(frames[kind], output, layer=kind, format=choices["format_"], overwrite=choices["overwrite"])
    else:
        if str(output) == "-":
            raise click.UsageError("Name the layer that is to be printed.")
        io.write_layers(frames, output, format=choices["format_"], overwrite=choices["overwrite"])
    options.say(rows)


def _condition(text: str) -> tuple[str, Any]:
    column, mark, value = text.partition("=")
    if not mark or not column:
        raise click.BadParameter(f"'{text}': write COLUMN=VALUE", param_hint="--where")
    return column, value or None


@command.command(
    name="history", epilog="Example: geotools store history programme.gpkg FZ-0012     All revisions: geotools store history programme.gpkg",
)  # fmt: skip
@store_argument
@click.argument("record", required=False)
@click.option("--kind", help="Layer of the record, where an id is used in several.")
@options.as_json
@options.common
def history(store: str, record: str | None, kind: str | None, as_json: bool, progress: bool | None) -> None:
    """Every version of RECORD with who, when and why (of every layer that knows the id); or all revisions of the store."""
    from geotools.io import store as stores

    with stores.open(store) as source:
        told = source.history(record, kind=kind) if record else source.revisions()
    if as_json:
        options.print_json(_records(told))
        return
    rows: Any = told.itertuples()
    several = bool(record) and told["kind"].nunique() > 1
    for row in rows:
        if record:
            which = f"{_clean(row.kind)} " if several else ""
            changed = f" ({row.changed})" if row.changed else ""
            click.echo(
                f"revision {row.revision}  {row.at}  {_clean(row.author)}: {which}{row.action}{changed}  {_clean(row.revision_note)}"
            )
        else:
            files = f"  [{_clean(row.sources)}]" if row.sources else ""
            click.echo(
                f"revision {row.revision}  {row.at:%Y-%m-%dT%H:%M:%SZ}  {_clean(row.author)}: {row.what}, {row.rows} rows  {_clean(row.note)}{files}  {row.hash[:16]}"
            )


@command.command(
    name="diff", epilog="Example: geotools store diff programme.gpkg 2025-06-30 2025-07-31 -o july.geojson"
)
@store_argument
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.option("--kind", help="Only this layer.")
@options.output
@options.overwrite
@options.as_json
@options.common
def diff(store: str, old: str, new: str | None, **choices: Any) -> None:
    """What changed from OLD to NEW (revision numbers or days; default: now), column by column.

    OUTPUT takes the same as a layer: the format goes by its name (.csv, .geojson, .gpkg).
    """
    from geotools import io
    from geotools.io import store as stores

    with stores.open(store) as source:
        told = source.diff(old, new, kind=choices["kind"])
    if choices["output"] is not None:
        io.write(told, choices["output"], overwrite=choices["overwrite"])
    if choices["as_json"]:
        options.print_json(_records(told))
    else:
        for row in told.head(SHOWN).itertuples():
            what = (
                f"{row.column}: {_short(row.before)} → {_short(row.after)}"
                if row.column
                else _short(row.before or row.after)
            )
            click.echo(f"{row.kind} {_clean(row.id)} {row.change}  {what}")
        if len(told) > SHOWN:
            click.echo(f"… and {len(told) - SHOWN} more: write them with -o changes.csv")
        options.say(f"{told['id'].nunique()} records, {len(told)} changes")


def _short(value: Any) -> str:
    text = _clean(value)
    return text if len(text) <= 90 else text[:89] + "…"


def _records(table: Any) -> list[dict[str, Any]]:
    """Rows as plain data, geometry as GeoJSON."""
    rows = (
        json.loads(table.to_json(default_handler=str, date_format="iso", orient="records"))
        if "geometry" not in table
        else None
    )
    if rows is not None:
        return list(rows)
    return [{**f["properties"], "geometry": f["geometry"]} for f in json.loads(table.to_json(default=str))["features"]]


@command.command(
    name="restore", epilog="Example: geotools store restore programme.gpkg 41 --note 'the wrong file was imported' --author 'A. Officer'",
)  # fmt: skip
@store_argument
@click.argument("moment", metavar="MOMENT")
@note_option
@author_option
@options.as_json
@options.common
def restore(store: str, moment: str, note: str, author: str, as_json: bool, progress: bool | None) -> None:
    """Make the state of MOMENT (revision number or day) the current one, as a new revision; nothing leaves the history."""
    from geotools.io import store as stores

    with stores.open(store) as target:
        done = target.restore(moment, note=note, author=author, progress=options.progress_bar(progress))
    _tell(done.issues)
    if as_json:
        options.print_json(done.to_dict())
    else:
        click.echo(
            f"revision {done.revision.number}: {done.added} brought back, {done.changed} set back, {done.deleted} deleted"
        )


@command.command(name="verify", epilog="Example: geotools store verify programme.gpkg --anchor 9fdc6bbc994f3fff…")
@store_argument
@click.option(
    "--anchor", metavar="HASH", help="Hash of a revision noted elsewhere (provenance.json): shows also a cut-off end."
)
@options.as_json
@options.common
def verify(store: str, anchor: str | None, as_json: bool, progress: bool | None) -> None:
    """Look at every hash, version and layer again: was anything altered past the store? Exit code 1 if so."""
    from geotools.io import store as stores

    with stores.open(store) as source:
        found, head = source.verify(anchor=anchor), source.head()
    if as_json:
        options.print_json(
            {
                "head": head.to_dict(),
                "whole": not (found["severity"] == "error").any(),
                "issues": found.drop(columns="geometry").to_dict("records"),
            }
        )
    elif not (found["severity"] == "error").any():
        click.echo(f"the history is whole: revisions 0 to {head.number}")
        click.echo(f"note the hash of the last one elsewhere: {head.hash}")
    for row in found.head(SHOWN).itertuples():
        options.say(f"{row.severity}: {row.check} {_clean(row.kind)} {_clean(row.id)}: {_clean(row.message)}")
    options.exit_for(found, "error")
