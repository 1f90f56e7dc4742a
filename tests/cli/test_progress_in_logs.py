"""What a log is told while a command works: long waits in a line of words, nothing else, nothing under --quiet."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from geotools.cli import options
from geotools.model.progress import COMPILING


def work(*arguments: str, stages: bool = False) -> str:
    @click.command()
    @options.common
    def command(progress: bool | None) -> None:
        bar = options.progress_bar(progress, stages=stages)
        for what in ("reading", f"measuring released ground ({COMPILING})"):
            bar.start(what, 3)
            bar.advance(3)
            bar.finish()

    return CliRunner().invoke(command, arguments).output


@pytest.mark.parametrize("arguments", [(), ("--no-progress",)])
def test_a_wait_for_compiling_is_one_line_in_a_log(arguments: tuple[str, ...]) -> None:
    assert work(*arguments) == f"{COMPILING}: it takes some ten seconds, once on this machine …\n"


def test_stages_name_each_stage_once() -> None:
    assert work(stages=True).splitlines() == ["reading (3) …", f"measuring released ground ({COMPILING}) (3) …"]


def test_quiet_is_quiet() -> None:
    assert work("--quiet") == work("-q", stages=True) == ""
