"""The lazy command table and the top-level error handler. Commands themselves are one file per group."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

# name → (where the command is, one-line help). Nothing here is imported until the command is called.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": (
        "geotools.cli.run:command",
        "The main job: check, ledger, coverage, offline map and field files, into one folder.",
    ),
    "init": ("geotools.cli.init:command", "A first survey.toml for a folder of your own files."),
    "info": ("geotools.cli.info:command", "What is in a survey or file: layers, rows, systems, dates, issues."),
    "convert": ("geotools.cli.convert:command", "One layer or file into another format or reference system."),
    "check": ("geotools.cli.check:command", "Find errors in the data, explain them, and repair what is safe."),
    "traverse": ("geotools.cli.traverse:command", "Bearings and distances to a polygon, and back."),
    "datum": ("geotools.cli.datum:command", "Change or diagnose the reference system of coordinates."),
    "coverage": ("geotools.cli.coverage:command", "The land-release ledger and coverage of each hazard."),
    "progress": ("geotools.cli.progress:command", "Land released and devices found per period, and done by when."),
    "swath": ("geotools.cli.swath:command", "What a detector or machine covered and missed, from its fixes."),
    "terrain": ("geotools.cli.terrain:command", "Slope, aspect, ruggedness, curvature and drainage of a height model."),
    "trial": ("geotools.cli.trial:command", "Blind lanes: design, score and report detection trials."),
    "risk": ("geotools.cli.risk:command", "Residual risk and mine-row patterns, for clearance planning."),
    "plan": (
        "geotools.cli.plan:command",
        "Where machines can work, lanes, which land first, who works when, inspection samples.",
    ),
    "map": ("geotools.cli.map:command", "One offline HTML map of a survey."),
    "sheet": ("geotools.cli.sheet:command", "Printed map sheets at true scale, one task or an atlas."),
    "report": ("geotools.cli.report:command", "Completion report or handover certificate of a task, as PDF."),
    "notebook": ("geotools.cli.notebook:command", "Start a Jupyter notebook on your own records."),
    "store": ("geotools.cli.store:command", "Keep records with every former state: who changed what, when and why."),
    "field": ("geotools.cli.field:command", "Packages for field teams, and combining what comes back."),
    "doctor": ("geotools.cli.doctor:command", "What this machine has and lacks, and a test of the arithmetic."),
}

GROUP = "geotools.commands"
LOGGED = ("geotools", "pyogrio", "rasterio")


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of built-in and plug-in commands, in the order of the work."""
        return [*COMMANDS, *sorted(set(_plugins()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command, or None if there is no such name."""
        if cmd_name in COMMANDS:
            module, attribute = COMMANDS[cmd_name][0].split(":")
            loaded: click.Command = getattr(importlib.import_module(module), attribute)
            return loaded
        entry = _plugins().get(cmd_name)
        return None if entry is None else entry.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands from the table, without importing them."""
        rows = [(name, text) for name, (_, text) in COMMANDS.items()]
        rows += [(name, "(plug-in)") for name in sorted(set(_plugins()) - set(COMMANDS))]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _plugins() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: geotools run sample_data/fuzuli -o out     Results are evidence for a decision; none of them declares land safe.",
)
@click.version_option(package_name="geotools-demining", prog_name="geotools")
def cli() -> None:
    """Survey and clearance records in; a ledger that adds up, coverage, offline maps and field files out."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 good, 1 issues, 2 usage, 3 cannot read or write, 4 land-release rule broken."""
    arguments = list(sys.argv[1:] if args is None else args)
    _compute_alone()
    _collect_rarely()
    hooks = sys.unraisablehook, sys.excepthook
    if not _wants_traces(arguments):  # what a library could not clean up after an error that is said below
        sys.unraisablehook, sys.excepthook = lambda _: None, lambda *_: None
    try:
        code = cli.main(arguments, prog_name="geotools", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        code = 130
    except OSError as error:
        if error.errno != errno.EPIPE:
            code = _wall(error, arguments)
        else:  # the reader of our output has gone, as in  geotools info … | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
    except Exception as error:
        code = _wall(error, arguments)
    finally:
        sys.unraisablehook, sys.excepthook = hooks
    sys.exit(code if isinstance(code, int) else 0)


def _compute_alone() -> None:
    """No threads of linear algebra, unless asked for: they spin a tenth of a second for the little there is to do, and share our cores."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _collect_rarely() -> None:
    """Look for cycles less often, and not at all on the way out: the loaded libraries are 150,000 objects that never die."""
    gc.set_threshold(100_000, 10, 10)
    atexit.register(gc.freeze)


def _wall(error: Exception, arguments: Sequence[str]) -> int:
    """The last wall: one sentence, never a traceback unless asked for."""
    if _wants_traces(arguments):
        raise error
    return _explain(error)


def _wants_traces(arguments: Sequence[str]) -> bool:
    return "-vv" in arguments or list(arguments).count("-v") > 1


def _explain(error: Exception) -> int:
    from geotools.model.errors import GeotoolsError, ReleaseError

    if isinstance(error, GeotoolsError):
        click.echo(f"error: {error}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
        return 4 if isinstance(error, ReleaseError) else 3
    if isinstance(error, OSError | MemoryError):
        return _explain_machine(error)
    text = str(error).strip().splitlines()
    click.echo(f"error: {type(error).__name__}: {text[0] if text else 'no further message'}", err=True)
    click.echo("hint: run again with -vv for the full trace; nothing half-written was left", err=True)
    return 3


def _explain_machine(error: OSError | MemoryError) -> int:
    """What the machine refused: room on a disk, a right, memory."""
    if isinstance(error, MemoryError):
        said, hint = "there is not enough memory for this", "take a part of the ground (--bounds), or a larger computer"
    else:
        text = str(error).strip().splitlines()
        said = os.strerror(error.errno) if error.errno else text[0] if text else "reading or writing failed"
        said = f"{os.fsdecode(error.filename)}: {said}" if isinstance(error.filename, str | bytes) else said
        hint = "is the disk (or the one for temporary files) full, write-protected, or the file open elsewhere? nothing half-written was left"
    click.echo(f"error: {said}", err=True)
    click.echo(f"hint: {hint}", err=True)
    return 3
