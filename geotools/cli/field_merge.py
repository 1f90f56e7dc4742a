"""`geotools field merge`: what came back, merged with what the office has. How is decided in `geotools.field.merge`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click

from geotools.cli import options


@click.command(
    name="merge",
    short_help="Combine what came back with what the office has.",
    epilog="Example: geotools field merge out/T-1/qfield/team.gpkg office.gpkg returned.gpkg -o merged.gpkg",
)
@click.argument("base", type=click.Path(path_type=str))
@click.argument("ours", type=click.Path(path_type=str))
@click.argument("theirs", type=click.Path(path_type=str))
@options.output_required
@click.option(
    "--kind", help="Record kind of the layer (default: guessed; a GeoPackage with several is merged layer by layer)."
)
@click.option("--key", help="Column that identifies a row for ever (default: guid, else id).")
@click.option(
    "--prefer",
    multiple=True,
    metavar="SIDE or COLUMN=SIDE",
    help="Whose value stands where both changed it: ours (default), theirs or newest, for all or for one column.",
)
@click.option(
    "--decisions",
    type=click.Path(path_type=str, exists=True),
    help="A conflicts file (CSV or XLSX) with ours or theirs written into its column 'decision'.",
)
@click.option(
    "--conflicts", type=click.Path(path_type=Path), help="Where to list the conflicts (default: beside the output)."
)
@options.layer
@options.crs
@options.overwrite
@options.as_json
@options.fail_on
@options.common
def command(base: str, ours: str, theirs: str, output: Path, **choices: Any) -> None:
    """Merge OURS and THEIRS, which both started from BASE, by a stable key, attribute by attribute.

    Every layer that any of the three has is merged; the tables of one kind that a package splits by geometry become one layer,
    and a layer that cannot be merged is an error and exit code 1. Layers that were computed from records (remaining ground,
    turning points, results of a run) are left out: they do not know these returns. Rows are never matched by their number. What cannot be combined is listed with both values; write ours or theirs into the
    column 'decision' of that list and merge again with --decisions. Several teams are merged one after the other, each
    against the BASE it left with; a file that is merged again changes nothing. Nothing is lost, nothing that was deleted or split comes back, and OUTPUT is written whole.
    """
    from geotools import io
    from geotools.field.merge import listing
    from geotools.model.schema import KINDS, join_issues, kind_of

    kind = choices["kind"]
    if kind is not None and kind not in KINDS:
        raise click.BadParameter(f"'{kind}' is not a record kind; kinds are {', '.join(KINDS)}", param_hint="--kind")
    files = (base, ours, theirs)
    unread: list[Any] = []
    if choices["layer"] is None and any(_many(file) for file in files):
        merged, conflicts = _all(files, kind, choices, unread)
        named = True
    else:
        kind = kind or kind_of(choices["layer"] or Path(base).stem)
        frame, conflicts = _one(files, kind, choices, unread)
        merged, named = {str(kind or output.stem): frame}, kind is not None
    found = join_issues(conflicts, *unread)
    overwrite = bool(choices["overwrite"])
    target = Path(choices["conflicts"] or output.with_name(f"{output.stem}_conflicts.csv"))
    lists = _lists(target, choices["decisions"])
    if len(merged) == 1:
        io.write(next(iter(merged.values())), output, layer=next(iter(merged)) if named else None, overwrite=overwrite)
    else:
        io.write_layers(merged, output, overwrite=overwrite)
    target = _list(listing(found), target, choices["decisions"], lists)
    _tell(output, merged, found, target, choices)


def _many(file: str) -> bool:
    """Whether a file may hold several layers of records: a folder, a survey, or a GeoPackage with more than one table."""
    path = Path(file)
    if _is_survey(path):
        return True
    return path.suffix.lower() == ".gpkg" and path.is_file() and len(_names(file)) > 1


def _is_survey(path: Path) -> bool:
    return (path.is_dir() and path.suffix != ".gdb") or path.suffix == ".toml"


def _names(file: str) -> list[str]:
    import pyogrio

    from geotools.model.errors import ReadError

    try:
        return [str(name) for name, _ in pyogrio.list_layers(file)]
    except pyogrio.errors.DataSourceError as error:
        raise ReadError("not a readable GeoPackage", hint="copy it again", file=file) from error


def _all(files: tuple[str, ...], kind: str | None, choices: dict[str, Any], unread: list[Any]) -> tuple[Any, Any]:
    """Every layer of the three files, or every table of one kind."""
    from geotools.field.merge import computed, family, merge_layers
    from geotools.model.errors import SchemaError

    only = _only_kind(files)
    sides = [_layers(file, (kind, only), choices["crs"], unread if n else []) for n, file in enumerate(files)]
    if kind is not None:
        sides = [{name: frame for name, frame in side.items() if family(name) == kind} for side in sides]
    _same_origin(files, sides, choices["key"])
    for file, side in zip(files[1:], sides[1:], strict=True):
        here = {family(name) or name.casefold() for name in side}
        records = [name for name, frame in sides[0].items() if not computed(name, frame)]
        for name in dict.fromkeys(family(name) or name for name in records):
            if name.casefold() not in here:
                options.say(f"{Path(file).name} has no layer '{name}': nothing of it is changed")
    merged, found = merge_layers(
        *sides, key=choices["key"], prefer=lambda name: _prefer(choices["prefer"], choices["decisions"], name)
    )
    if not merged:
        raise SchemaError("these files hold no records, only what was computed from records", hint="merge the records")
    noted = (found["check"] == "MG-09") & (found["severity"] == "info")
    choices["left_out"] = found.loc[noted, "id"].tolist()
    if choices["left_out"]:
        names = ", ".join(choices["left_out"])
        options.say(f"left out, because computed before these returns: {names}; compute again with geotools run")
    for text in found.loc[(found["check"] == "MG-09") & ~noted, "message"]:
        options.say(f"warning: {text}")
    return merged, found[~noted].reset_index(drop=True)


def _only_kind(files: tuple[str, ...]) -> str | None:
    """The one kind that the files with several layers and the base hold: what a file with one layer of another name is."""
    from geotools.field.merge import family
    from geotools.model.schema import kind_of

    names = [n for f in files if _many(f) and not _is_survey(Path(f)) for n in _names(f)]
    kinds = {family(n) for n in names} - {None}
    if not _many(files[0]):
        kinds = {kind_of(n) for n in (Path(files[0]).stem,)} - {None} or kinds
    return next(iter(kinds)) if len(kinds) == 1 else None


def _layers(file: str, known: tuple[str | None, str | None], crs: str | None, unread: list[Any]) -> dict[str, Any]:
    """The layers of a file by name: records conformed to their kind, others as they stand."""
    from geotools.field.merge import family
    from geotools.model.schema import kind_of

    kind, only = known
    path = Path(file)
    if _is_survey(path):
        from geotools.survey import open_survey

        survey = open_survey(file, crs=crs)
        unread.append(_rejected(survey.issues))
        return {**_beside(path, crs, unread), **survey.layers}
    if path.suffix.lower() == ".gpkg" and path.is_file():
        names = _names(file)
        if len(names) > 1:
            return {n: _as_is(file, n, family(n), crs, unread) for n in names}
        name = next(iter(names), path.stem)
    else:
        name = path.stem
    found = family(name) or kind or only or kind_of(path.stem)
    return {found or name: _read(file, found, None, crs, unread)}


def _beside(survey: Path, crs: str | None, unread: list[Any]) -> dict[str, Any]:
    """Layers in the GeoPackages of a survey that it takes for outcomes, not records: the merge says what becomes of them."""
    from geotools.io.store import is_store
    from geotools.survey.sources import plan, records_of

    files = dict.fromkeys(item.path for item in plan(survey, crs, None).sources)
    packages = [file for file in files if file.suffix.lower() == ".gpkg" and file.is_file() and not is_store(file)]
    found = {}
    for file in packages:
        names = _names(str(file))
        for name in sorted(set(names) - set(records_of(file, names))) if len(names) > 1 else ():
            found[name] = _as_is(str(file), name, None, crs, unread)
    return found


def _as_is(file: str, layer: str, kind: str | None, crs: str | None, unread: list[Any]) -> Any:
    """A table of a GeoPackage as it stands, no row set aside, no cell changed; columns of records get the names of their kind.

    A shape that cannot be decoded is added to `unread`; its row stays.
    """
    import geopandas as gpd

    from geotools.io import ogr
    from geotools.io.raw import Source
    from geotools.model.schema import KINDS
    from geotools.model.schema.conform import renaming

    source = Source(Path(file), layer)
    meta, table, blobs, _ = ogr.fetch(source, layer)
    columns = renaming(list(table.columns), KINDS[kind]) if kind in KINDS else {}
    table = table.rename(columns=columns)
    if blobs is None:
        return table
    shapes, findings = ogr.decode(blobs, source, layer)
    unread.append(_undecoded(findings, table, kind or layer))
    if "geometry" in table:
        table = table.rename(columns={"geometry": "geometry_property"})
    system = ogr.as_crs(meta["crs"]) or crs or meta["crs"]
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, index=table.index, crs=system))


def _undecoded(findings: list[Any], table: Any, kind: str) -> Any:
    """Shapes that could not be decoded, as errors."""
    from geotools.model.schema import Issue, issues_frame

    ids = table["id"].astype(object) if "id" in table else None
    issues = []
    for finding in findings:
        if finding.severity == "error":
            name = "" if ids is None else str(ids.iloc[finding.row])
            said = f"shape not merged, row {finding.row + 1} of layer '{kind}': {finding.message}"
            issues.append(Issue("MG-08", "error", kind, name, "geometry", said))
    return issues_frame(issues)


def _rejected(issues: Any) -> Any:
    """Rows or shapes that could not be read and so are in no result, as errors; exact copies of another row are none."""
    gone = (issues["check"] == "RD-02") | ((issues["check"] == "RD-03") & (issues["severity"] == "error"))
    lost = issues[gone & ~issues["message"].str.contains("an exact copy of row", regex=False)]
    return lost.assign(check="MG-08", severity="error", message="not merged, " + lost["message"].astype(object))


def _one(files: tuple[str, ...], kind: str | None, choices: dict[str, Any], unread: list[Any]) -> tuple[Any, Any]:
    from geotools.field.merge import merge

    layer, crs = choices["layer"], choices["crs"]
    base = _read(files[0], kind, layer, crs, [])
    ours, theirs = (base if _lacks(file, layer) else _read(file, kind, layer, crs, unread) for file in files[1:])
    prefer = _prefer(choices["prefer"], choices["decisions"], kind)
    _same_origin(files, [{kind or "records": frame} for frame in (base, ours, theirs)], choices["key"])
    return merge(base, ours, theirs, kind=kind, key=choices["key"], prefer=prefer)


def _same_origin(files: tuple[str, ...], sides: list[dict[str, Any]], key: str | None) -> None:
    """Stop where a file cannot have started from BASE: as if all had been deleted and all were new, nothing would be merged."""
    from geotools.field.merge import strange
    from geotools.model.errors import SchemaError

    odd = [(file, strange(sides[0], side, key)) for file, side in zip(files[1:], sides[1:], strict=True)]
    found = [(file, counts) for file, counts in odd if counts is not None]
    if not found:
        return
    file, (before, after) = found[0]
    if len(found) == 2:
        blame = f"BASE ({Path(files[0]).name}) is the wrong file"
    else:
        blame = f"either it or BASE ({Path(files[0]).name}) is the wrong file"
    raise SchemaError(
        f"none of its {after:,} records is among the {before:,} of BASE, so it cannot have started from there: {blame}; nothing was written",
        hint="BASE is what the team left with: qfield/team.gpkg of its package. If its ids have another name, say which column holds them: --key",
        file=file,
    )


def _lacks(file: str, layer: str | None) -> bool:
    """Whether a GeoPackage with several layers has none of this name: nothing of it came back, so nothing of it changed."""
    if layer is None or not file.lower().endswith(".gpkg") or not Path(file).is_file():
        return False
    import pyogrio

    names = [str(name) for name, _ in pyogrio.list_layers(file)]
    if layer in names or len(names) == 1:
        return False
    options.say(f"{Path(file).name} has no layer '{layer}': nothing of it is changed")
    return True


def _read(file: str, kind: str | None, layer: str | None, crs: str | None, unread: list[Any]) -> Any:
    """One layer of a file, also one that an app renamed; rows that could not be read are added to `unread`.

    A name that reading made from a row number is taken back: rows are never matched by their number.
    """
    from geotools import io
    from geotools.io.raw import Source
    from geotools.io.registry import of_path

    path = Path(file)
    form = of_path(path)
    lister = form.layers() if form is not None and layer and path.is_file() else None
    if lister is not None and layer not in (names := lister(Source(path))) and len(names) == 1:
        layer = None
    if path.suffix.lower() == ".gpkg" and path.is_file() and (layer or len(_names(file)) == 1):
        return _as_is(file, layer or _names(file)[0], kind, crs, unread)
    frame, issues = io.read_with_issues(file, kind, layer=layer, crs=crs)
    unread.append(_rejected(issues))
    told = issues[issues["check"] == "RD-10"]
    if told["message"].str.contains("made from row numbers", regex=False).any():
        return frame.assign(id=None)
    made = set(told.loc[told["message"].str.contains("has no id", regex=False), "id"])
    return frame.assign(id=frame["id"].where(~frame["id"].isin(made), None)) if made else frame


def _table(file: Path) -> Any:
    """A conflicts file as it stands; ids are those that were written, also where one row has several conflicts."""
    from geotools.io.raw import Source
    from geotools.io.reading import read_raw

    return read_raw(Source(file)).table


def _lists(target: Path, decisions: str | None) -> list[Any]:
    """The lists that people may have written into: the decisions given, and what is where the new list goes."""
    from geotools.model.errors import WriteError

    given = [Path(decisions)] if decisions else []
    tables = [_table(file) for file in given]
    if target.is_file() and not any(file.samefile(target) for file in given):
        there = _table(target)
        if "decision" not in there:
            raise WriteError("it is not a list of conflicts", hint="name another with --conflicts", file=target)
        if (there["decision"].astype(object).fillna("").astype(str).str.strip() != "").any():
            options.say(f"decisions in {target.name} are kept but not applied: name it with --decisions")
        tables.append(there)
    return tables


def _list(new: Any, target: Path, decisions: str | None, lists: list[Any]) -> Path:
    """Write the conflicts with every decision made so far; a file that a person works in is left as it is where it says all.

    The list given with --decisions is written again only as CSV, which loses nothing; beside a workbook stands a new list.
    """
    from geotools import io
    from geotools.field.merge import carried

    table = carried(new, *lists)
    if not len(table):
        return target
    if decisions and target.is_file() and Path(decisions).samefile(target):
        if not len(new):
            return target
        if target.suffix.lower() != ".csv":
            names = (target.with_name(f"{target.stem}_{n}.csv") for n in itertools.count(2))
            target = next(name for name in names if not name.exists())
    io.write(table, target, overwrite=True)
    return target


def _prefer(texts: object, decisions: str | None, kind: str | None) -> Any:
    chosen: dict[Any, str] = {}
    whole = "ours"
    for text in texts if isinstance(texts, tuple) else ():
        column, _, side = str(text).rpartition("=")
        if side not in ("ours", "theirs", "newest"):
            raise click.BadParameter(f"'{text}': write ours, theirs, newest, or column=theirs", param_hint="--prefer")
        if column:
            chosen[column] = side
        else:
            whole = side
    if decisions:
        from geotools.field.merge import decisions as read

        chosen |= read(_table(Path(decisions)), kind)
    if not chosen:
        return whole
    if whole != "ours":
        chosen = _Whole(whole, chosen)
    return chosen


class _Whole(dict[Any, str]):
    """Sides by column or cell, with one side for everything else."""

    def __init__(self, side: str, chosen: dict[Any, str]) -> None:
        super().__init__(chosen)
        self.side = side

    def get(self, key: Any, default: Any = None) -> Any:
        """The side for a column; one asked for everything stands for those without their own."""
        if key in self or isinstance(key, tuple):
            return super().get(key, default)
        return self.side


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _tell(output: Path, merged: dict[str, Any], found: Any, target: Any, choices: dict[str, Any]) -> None:
    counts = {name: len(frame) for name, frame in merged.items()}
    rows = sum(counts.values())
    if choices["as_json"]:
        options.print_json(
            {
                "rows": rows, "layers": counts, "conflicts": len(found),
                "by_rule": found["check"].value_counts().sort_index().to_dict(), "output": output.name,
                "left_out": choices.get("left_out", []),
                "conflict_rows": found.drop(columns="geometry").to_dict("records"),
            }
        )  # fmt: skip
    else:
        click.echo(f"{_counted(rows, 'row')} merged into {output}")
        said = f", listed with both values in {target}" if len(found) else ""
        click.echo(f"{_counted(len(found), 'conflict')}{said}")
        gone = int(((found["check"] == "MG-07") & (found["severity"] == "info")).sum())
        if gone:
            click.echo(
                f"{_counted(gone, 'row')} deleted by a side {'is' if gone == 1 else 'are'} not in the result (MG-07); a store keeps deleted rows unless you save with --whole"
            )
        if len(found):
            click.echo("write ours or theirs into its column 'decision' and merge again with --decisions")
    options.exit_for(found, str(choices["fail_on"]))
    options.exit_for(found[found["check"] == "MG-08"], "error")
