"""`geotools init`: a first survey.toml for a folder of files as they come. Not for changing the files themselves."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from geotools.cli import options

WIDTH = 22  # of the column of reference systems


@click.command(
    name="init",
    epilog="Example: geotools init my_records     then answer its questions in my_records/survey.toml, and: geotools info my_records",
    short_help="A first survey.toml for a folder of your own files.",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a survey.toml that is there.")
@click.option("--dry-run", is_flag=True, help="Show the text on stdout and write nothing.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="FILE=KIND",
    help="What a file holds, where its name does not say, e.g. --kind liste.xlsx=finds (may be repeated).",
)
@options.as_json
@options.common
def command(
    folder: Path, force: bool, dry_run: bool, kinds: tuple[str, ...], as_json: bool, progress: bool | None
) -> None:
    """Look at every file in FOLDER and write FOLDER/survey.toml: what each holds, its columns, its reference system.

    Shapefiles, tables, form exports, GPX, KML, GeoPackages and workbooks are taken as they come, in folders below too. What
    only a person can know (a missing reference system, a file whose content is not plain) stands there as a question with
    answers to choose from, never as a guess. No record is changed.
    """
    from geotools.io.atomic import write_text
    from geotools.model.errors import WriteError
    from geotools.survey.starter import as_toml, propose

    target = folder / "survey.toml"
    there = next((p for p in (target, folder / "geotools.toml") if p.exists()), None)
    if there is not None and not (force or dry_run):
        raise WriteError(
            "it exists already; nothing was changed", hint="look at it, or replace it with --force", file=there
        )
    proposal = propose(folder, kinds=_kinds(kinds), progress=options.progress_bar(progress))
    text = as_toml(proposal)
    if dry_run and not as_json:
        click.echo(text, nl=False)
        return
    if not dry_run:
        write_text(target, text, overwrite=force)
    if as_json:
        options.print_json({"written": None if dry_run else str(target), **proposal.to_dict()})
        return
    click.echo(_words(proposal, target))


def _kinds(answers: tuple[str, ...]) -> dict[str, str]:
    """File → kind, as given on the command line."""
    from geotools.model.schema import KINDS

    out = {}
    for answer in answers:
        file, sign, kind = answer.rpartition("=")
        if not sign or kind not in KINDS:
            raise click.BadParameter(f"'{answer}': write FILE=KIND; kinds are {', '.join(KINDS)}", param_hint="--kind")
        out[file] = kind
    return out


def _words(proposal: Any, target: Path) -> str:
    lines = [f"{'file':40} {'rows':>7}  {'kind':11} {'system':{WIDTH}} columns"]
    for layer in proposal.layers:
        if not layer.out:
            lines.append(_line(layer, proposal.name(layer)))
    lines += _systems(proposal)
    left = [layer for layer in proposal.layers if layer.out]
    if left or proposal.aside:
        lines += ["", "not used:"]
        lines += [f"  {_shown(proposal.name(layer))}: {layer.out}" for layer in left]
        lines += [f"  {_shown(name)}: {words}" for name, words in proposal.aside.items()]
    warned = [(layer, words) for layer in proposal.layers if not layer.out for words in layer.system.words]
    if warned:
        lines += ["", "look at:"]
        lines += [f"  {_shown(proposal.name(layer))}: {words}" for layer, words in warned]
    if proposal.questions:
        lines += ["", f"questions ({len(proposal.questions)}), to be answered in {target}:"]
        lines += [f"  {_shown(words)}" for words in proposal.questions]
        asked = [one for one in proposal.layers if not one.out and one.look.choices]
        if asked:
            answer = f"{proposal.name(asked[0])}={asked[0].look.choices[0][0]}"
            lines.append(
                f"  or say what a file holds here: geotools init {shlex.quote(str(target.parent))} --force --kind {shlex.quote(_shown(answer))}"
            )
    lines += ["", f"wrote    {target}", "", "next:", f"  geotools info {shlex.quote(str(target.parent))}"]
    return "\n".join(lines)


def _systems(proposal: Any) -> list[str]:
    """Reference systems without a code, in full, with the files that are in them."""
    files: dict[str, list[str]] = {}
    for layer in proposal.layers:
        if not layer.out and layer.system.state == "stated" and len(layer.system.crs) > WIDTH:
            files.setdefault(_shown(layer.system.crs), []).append(_shown(proposal.name(layer)))
    if not files:
        return []
    lines = ["", "reference systems without a code, as the files say:"]
    for system, names in files.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(f"  {system}: {', '.join(names[:3])}{more}")
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _line(layer: Any, name: str) -> str:
    seen, system = layer.look, layer.system
    known = {"asked": "?", "none": "-"}.get(system.state) or system.crs
    understood = len(seen.columns) + len(seen.guesses)
    total = understood + len(seen.open) + len(seen.unknown)
    if seen.raw is None:
        words = "could not be read"
    elif not seen.kind:
        perhaps = f", perhaps {seen.kinds[0]}" if seen.kinds else ""
        words = f"{len(seen.raw.table.columns)} columns{perhaps}"
    else:
        words = f"{understood} of {total} understood" + (f", {len(seen.open)} asked" if seen.open else "")
    shown = _shown(name)
    return f"{shown if len(shown) <= 40 else '…' + shown[-39:]:40} {seen.rows:>7}  {seen.kind or '?':11} {_cut(_shown(known)):{WIDTH}} {words}"


def _shown(text: str) -> str:
    """A name without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else "�" for c in text)
