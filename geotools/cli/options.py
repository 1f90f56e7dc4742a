"""Every option that more than one command has, written once; and how commands print.

Inventory: SURVEY, -o/--output, -f/--format, --overwrite, --layer, --kind, --crs, --dst-crs, --encoding, --as-of, --known-on, --bounds, --res,
--json, --fail-on, --executor, --workers, --scheduler, --keep, -v, -q, --progress/--no-progress. Results go to stdout; words, progress and logs to stderr.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from geotools.model.progress import COMPILING

F = TypeVar("F", bound=Callable[..., Any])


class Day(click.ParamType):
    """A calendar day, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse ISO text."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is not a date; write YYYY-MM-DD", param, ctx)


class Bounds(click.ParamType):
    """west,south,east,north in degrees WGS 84."""

    name = "w,s,e,n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float, float]:
        """Parse four numbers."""
        if isinstance(value, tuple):
            return value
        try:
            west, south, east, north = (float(v) for v in str(value).replace(" ", ",").split(",") if v)
        except ValueError:
            self.fail("four numbers are needed: west,south,east,north", param, ctx)
        if not (west < east and south < north):
            self.fail("west must be less than east and south less than north", param, ctx)
        return west, south, east, north


class InputFile(click.Path):
    """A file to read. One that is not there cannot be read (exit code 3): the call itself is not wrong."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, if something is there."""
        path = super().convert(value, param, ctx)
        if not os.path.exists(path):  # noqa: PTH110  (false, not an error, for names no disk can hold)
            from geotools.model.errors import ReadError

            raise ReadError("there is no such file", hint="check the name and the folder", file=path)
        return path


survey_argument = click.argument("survey", type=click.Path(path_type=str))
output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to write; '-' is stdout where one layer is written."
)
output_required = click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Where to write.")
format_ = click.option(
    "-f",
    "--format",
    "format_",
    help="Output format by name (see geotools convert --formats); default: from the file name.",
)
overwrite = click.option("--overwrite", is_flag=True, help="Replace an existing output.")
layer = click.option("--layer", help="Layer to read where a file has several.")
kind = click.option("--kind", help="What one file holds, e.g. releases, where its name does not say.")
crs = click.option("--crs", help="Reference system of the input, where the file does not say (e.g. EPSG:32638).")
dst_crs = click.option("--dst-crs", help="Reference system of the output.")
encoding = click.option("--encoding", help="Text encoding of the input, e.g. cp1251.")
as_of = click.option("--as-of", type=Day(), help="State of knowledge on this day (YYYY-MM-DD).")
known_on = click.option(
    "--known-on", type=Day(), help="For a store: by what it knew at the end of this day (default: the day of --as-of)."
)
bounds = click.option("--bounds", type=Bounds(), help="Only within west,south,east,north (degrees).")
res = click.option("--res", type=click.FloatRange(min=0, min_open=True), help="Cell size in metres.")
as_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable result on stdout.")
fail_on = click.option(
    "--fail-on", type=click.Choice(["error", "warning", "info", "never"]), default="never", show_default=True,
    help="Exit with 1 if there are issues at or above this severity.",
)  # fmt: skip


def executor(function: F) -> F:
    """--executor, --workers, --scheduler and --keep: how long work is done, never what comes out. See `executing`."""
    for option in (
        click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Folder for finished parts: after a crash the same command goes on where it was."),
        click.option("--scheduler", metavar="ADDRESS", help="Running Dask scheduler, e.g. tcp://10.0.0.5:8786 (with --executor dask)."),
        click.option("--workers", type=click.IntRange(min=1), help="Threads or processes (default: the processors of this machine)."),
        click.option("--executor", type=click.Choice(["serial", "threads", "dask"]), default="threads", show_default=True, help="How the work is spread; results are the same."),
    ):  # fmt: skip
        function = option(function)
    return function


def executing(choices: dict[str, Any]) -> Any:
    """The block in which a command with the options of `executor` does its work."""
    from geotools.model.parallel import using

    return using(choices["executor"], workers=choices["workers"], scheduler=choices["scheduler"], keep=choices["keep"])


def common(function: F) -> F:
    """-v, -q and --progress, for every command; sets up logging before the command runs."""
    function = click.option(
        "--progress/--no-progress", default=None, help="Show progress on stderr (default: if it is a terminal)."
    )(function)
    function = click.option(
        "-q", "--quiet", count=True, help="Say less.", callback=_remember("quiet"), expose_value=False
    )(function)
    return click.option(
        "-v",
        "--verbose",
        count=True,
        help="Say more; -vv shows traces.",
        callback=_remember("verbose"),
        expose_value=False,
    )(function)


def _remember(name: str) -> Callable[[click.Context, click.Parameter, int], int]:
    def callback(ctx: click.Context, _param: click.Parameter, value: int) -> int:
        ctx.meta[name] = value
        level = max(10, 30 - 10 * (ctx.meta.get("verbose", 0) - ctx.meta.get("quiet", 0)))
        logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s", force=True)
        return value

    return callback


def say(text: str = "") -> None:
    """Words for a person, on stderr; silent under -q."""
    context = click.get_current_context(silent=True)
    if context is None or not context.meta.get("quiet"):
        click.echo(text, err=True)


def print_json(data: Any) -> None:
    """A result for a machine, on stdout: UTF-8, sorted by the writer, no NaN."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))


def progress_bar(wanted: bool | None, *, stages: bool = False) -> Any:
    """A `Progress` drawn by rich on stderr; where that would only be noise, one that tells of the long waits alone.

    With `stages`, a command of many steps names each of them on a line where stderr is not a terminal.
    """
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        return Stages(every=stages and wanted is None)
    return RichProgress()


class Stages:
    """The name of each stage once, on a line of its own: progress for logs; without `every` only waits that would surprise."""

    def __init__(self, *, every: bool = True) -> None:
        self._said, self._every = "", every

    def start(self, what: str, total: int | None = None) -> None:
        """Name the stage unless it was just named."""
        if not self._every and total != 0 and COMPILING in what:
            say(f"{COMPILING}: it takes some ten seconds, once on this machine …")
        if self._every and what != self._said and total != 0:
            say(f"{what} …" if total is None else f"{what} ({total}) …")
        self._said = what

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


class RichProgress:
    """Progress bars on stderr, one line per stage."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=24)),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task: Any = None

    def start(self, what: str, total: int | None = None) -> None:
        """Begin a stage."""
        self._bar.start()
        self._task = self._bar.add_task(what, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.advance(self._task, steps)

    def finish(self) -> None:
        """Remove the bar."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        self._bar.stop()


_ROW = re.compile(r"^[^:]*\brow \d+: ")  # the file and row that a message begins with
_OWN = re.compile(r"'[^']*'|\d+(?:[.,]\d+)*")  # what is typed or counted differs from row to row
BY_WORD = ("RD-11",)  # every unknown word is one thing to do


def alike(issues: Any) -> list[Any]:
    """The rows of an ISSUES table in groups that say the same of different records, in the order of their first rows.

    Which row, number or typed value a message names makes no difference, but every unknown word is a group of its own.
    """

    from geotools.model.vocab import fold

    def sense(row: Any) -> str:
        said = _ROW.sub("", str(row.message))
        return fold(said) if row.check in BY_WORD else _OWN.sub("…", said)

    table = issues.reset_index(drop=True)
    keys = [(r.severity, r.check, r.kind, r.column, sense(r)) for r in table.itertuples()]
    groups: dict[tuple[str, ...], list[int]] = {}
    for n, key in enumerate(keys):
        groups.setdefault(key, []).append(n)
    return [table.iloc[rows] for rows in groups.values()]


def alike_lines(issues: Any, *, named: int = 1) -> list[str]:
    """A line for each group of `alike`: what is said of many records is said once, with their number and the first of them."""
    lines = []
    for group in alike(issues):
        first = group.iloc[0]
        ids = [str(name) for name in group["id"] if name]
        if len(group) == 1:
            who = f"{first['kind']} {first['id']}".strip()
            lines.append(f"{first['severity']:8} {first['check']:6} {who}: {first['message']}")
            continue
        more = f" and {len(ids) - named} more" if len(ids) > named else ""
        which = f" ({', '.join(ids[:named])}{more})" if ids else ""
        lines.append(
            f"{first['severity']:8} {first['check']:6} {len(group):,} {first['kind']}{which}: {first['message']}"
        )
    return [shown(line) for line in lines]


def shown(text: object) -> str:
    """Text without characters that a terminal would obey: what stands in files is hostile text."""
    return "".join(c if c.isprintable() else "\ufffd" for c in str(text))


def beyond_map(totals: Any) -> str:
    """What stands beside figures of the ledger that cannot hold hazards without a polygon; empty where each has one."""
    from geotools.model.figures import without_polygon

    return without_polygon(float(totals["hazards_without_ground"]), float(totals["reported_without_ground_m2"]))


def issue_line(issues: Any, *, scope: str = "") -> str:
    """How many issues there are, in the one form of all commands; `scope` says what was not looked at."""
    from geotools.model.figures import issue_counts

    levels = list(issues["severity"])
    line = issue_counts(*(levels.count(level) for level in ("error", "warning", "info")))
    return f"{line}   ({scope})" if scope else line


def knowledge(survey: str, as_of: date | None, known_on: date | None) -> date | None:
    """The day whose knowledge is asked of a store; None for sources that remember only their present state."""
    if as_of is None and known_on is None:
        return None
    from geotools.io.store import is_store

    if not is_store(survey):
        if known_on is not None:
            raise click.BadParameter("only a store remembers what was known on a day", param_hint="--known-on")
        return None
    return known_on or as_of


def exit_for(issues: Any, fail_on: str) -> None:
    """Exit with 1 if `issues` holds anything at or above `fail_on`."""
    order = ("error", "warning", "info")
    if fail_on in order and issues["severity"].isin(order[: order.index(fail_on) + 1]).any():
        raise click.exceptions.Exit(1)
