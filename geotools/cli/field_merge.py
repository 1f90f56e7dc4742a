"""`geotools field merge`: what came back, merged with what the office has. How is decided in `geotools.field.merge`."""

from __future__ import annotations

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

    Rows are never matched by their number. What cannot be combined is listed with both values; write ours or theirs into the
    column 'decision' of that list and merge again with --decisions. Several teams are merged one after the other, each
    against the BASE it left with. Nothing is lost, nothing that was deleted or split comes back, and OUTPUT is written whole.
    """
    from geotools import io
    from geotools.field.merge import listing
    from geotools.model.schema import KINDS, join_issues

    kind = choices["kind"]
    if kind is not None and kind not in KINDS:
        raise click.BadParameter(f"'{kind}' is not a record kind; kinds are {', '.join(KINDS)}", param_hint="--kind")
    plan = _plan(base, kind, choices["layer"])
    merged, conflicts = {}, []
    for name, layer in plan:
        frame, found = _one((base, ours, theirs), name, layer, choices)
        merged[name or output.stem] = frame
        conflicts.append(found)
    found = join_issues(*conflicts)
    overwrite = bool(choices["overwrite"])
    target = choices["conflicts"] or output.with_name(f"{output.stem}_conflicts.csv")
    if len(merged) == 1:
        io.write(
            next(iter(merged.values())), output, layer=next(iter(merged)) if plan[0][0] else None, overwrite=overwrite
        )
    else:
        io.write_layers(merged, output, overwrite=overwrite)
    if len(found):
        io.write(listing(found), Path(str(target)), overwrite=True)
    _tell(output, merged, found, target, choices)


def _plan(base: str, kind: str | None, layer: str | None) -> list[tuple[str | None, str | None]]:
    """(kind, layer) of what is merged: the one asked for, or every record layer of a GeoPackage with several."""
    from geotools.model.schema import KINDS, kind_of

    if kind is None and layer is None and base.lower().endswith(".gpkg"):
        import pyogrio

        from geotools.model.errors import ReadError

        try:
            names = [str(name) for name, _ in pyogrio.list_layers(base)]
        except pyogrio.errors.DataSourceError as error:
            raise ReadError("not a readable GeoPackage", hint="copy it again", file=base) from error
        kinds = [name for name in names if name in KINDS]
        if len(names) > 1 and kinds:
            return [(name, name) for name in kinds]
    guessed = kind or kind_of(layer or Path(base).stem)
    return [(str(guessed) if guessed else None, layer)]


def _one(files: tuple[str, str, str], kind: str | None, layer: str | None, choices: dict[str, Any]) -> tuple[Any, Any]:
    from geotools.field.merge import merge

    base = _read(files[0], kind, layer, choices["crs"])
    ours, theirs = (base if _lacks(file, layer) else _read(file, kind, layer, choices["crs"]) for file in files[1:])
    prefer = _prefer(choices["prefer"], choices["decisions"], kind)
    return merge(base, ours, theirs, kind=kind, key=choices["key"], prefer=prefer)


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


def _read(file: str, kind: str | None, layer: str | None, crs: str | None) -> Any:
    """One layer of a file, also one that an app renamed; of a folder or survey, the records of that kind.

    A name that reading made from a row number is taken back: rows are never matched by their number.
    """
    from geotools import io
    from geotools.io.raw import Source
    from geotools.io.registry import of_path

    path = Path(file)
    if (path.is_dir() and path.suffix != ".gdb") or path.suffix == ".toml":
        from geotools.survey import open_survey

        return open_survey(file, crs=crs).layer(str(kind))
    form = of_path(path)
    lister = form.layers() if form is not None and layer and path.is_file() else None
    if lister is not None and layer not in (names := lister(Source(path))) and len(names) == 1:
        layer = None
    frame, issues = io.read_with_issues(file, kind, layer=layer, crs=crs)
    told = issues[issues["check"] == "RD-10"]
    if told["message"].str.contains("made from row numbers", regex=False).any():
        return frame.assign(id=None)
    made = set(told.loc[told["message"].str.contains("has no id", regex=False), "id"])
    return frame.assign(id=frame["id"].where(~frame["id"].isin(made), None)) if made else frame


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
        from geotools import io
        from geotools.field.merge import decisions as read

        chosen |= read(io.read(decisions), kind)
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


def _tell(output: Path, merged: dict[str, Any], found: Any, target: Any, choices: dict[str, Any]) -> None:
    counts = {name: len(frame) for name, frame in merged.items()}
    rows = sum(counts.values())
    if choices["as_json"]:
        options.print_json(
            {
                "rows": rows, "layers": counts, "conflicts": len(found),
                "by_rule": found["check"].value_counts().sort_index().to_dict(), "output": output.name,
                "conflict_rows": found.drop(columns="geometry").to_dict("records"),
            }
        )  # fmt: skip
    else:
        click.echo(f"{rows} rows merged into {output}")
        said = f", listed with both values in {target}" if len(found) else ""
        click.echo(f"{len(found)} conflicts{said}")
        if len(found):
            click.echo("write ours or theirs into its column 'decision' and merge again with --decisions")
    options.exit_for(found, str(choices["fail_on"]))
