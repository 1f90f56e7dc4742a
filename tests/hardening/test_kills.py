"""Power lost at any moment: what was there is whole or still the old one, and the next call goes through."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from .commands import BIG, WRITERS, Writer, commands, turn
from .conftest import Server, Tally
from .faulty import Trial

STEPS, MOMENTS = (200, 30) if BIG else (2, 1)


def test_every_command_that_writes_is_in_the_table() -> None:
    """A command with an output, or a store to change, cannot be forgotten."""
    table = {writer.path for writer in WRITERS}
    reading = {("info",), ("doctor",), ("store", "history"), ("store", "verify")}
    assert {path for path, _ in commands()} - table == reading | {
        ("init",)
    }  # which writes beside the records: see below
    assert len({writer.label for writer in WRITERS}) == len(WRITERS)


@pytest.mark.slow
@pytest.mark.parametrize("writer", turn(3), ids=lambda w: w.label)
def test_killed_at_any_moment(writer: Writer, trial: Trial, server: Server, tally: Tally) -> None:
    """At changes of files, evenly from first to last, and at moments between: over an old output and where nothing is."""
    luck = random.Random(writer.label)
    count = min(STEPS, trial.steps)
    steps = sorted({1 + round(n * (trial.steps - 1) / max(1, count - 1)) for n in range(count)})
    plans: list[tuple[int, bool]] = [(n, over) for n in steps for over in (False, True)]
    plans += [(0, n % 2 == 0) for n in range(MOMENTS)]
    for step, over in plans:
        trial.prepare("old" if over else "")
        if step:
            ended = trial.call(0, *trial.over(over), fault=[str(trial.out), step, "kill"])
            assert ended.code == -signal.SIGKILL or over, ended.said
        else:
            started = server.start([*trial.words(0), *trial.over(over)])
            time.sleep(trial.span * luck.uniform(0.3, 1.0))
            os.kill(started[0], signal.SIGKILL)
            ended = server.wait(started)
        tally.faults += 1
        tally.no_trace(ended.said)
        trial.judge(tally, was_there=over)
    if not writer.in_place:
        target = trial.out / writer.target
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        again = trial.call(0, *trial.over(True))
        assert again.code == trial.code, again.said  # what a killed call left behind is in nobody's way
        assert trial.judge(tally, was_there=False) or not trial.same_bytes


def test_the_table_of_temporary_names_is_hidden(tmp_path: Path) -> None:
    """What a killed call leaves behind begins with a full stop, so that no survey folder takes it for records."""
    from geotools import io

    assert not io.is_survey_file(tmp_path / ".geotools-x" / ".hazards.gpkg")


@pytest.mark.slow
def test_a_table_of_a_folder_is_whole_or_not_there(
    server: Server, district: Path, tmp_path: Path, tally: Tally
) -> None:
    """`geotools init` writes one file among the records: killed at any change of it, the records are as they were."""
    import tomllib

    from .commands import tree

    for step in range(1, 60):
        folder = tmp_path / f"{step}"
        shutil.copytree(district / "survey", folder)
        (folder / "survey.toml").unlink()
        before = tree(folder)
        ended = server.call(["init", str(folder)], fault=[str(folder), step, "kill"])
        tally.faults += 1
        tally.no_trace(ended.said)
        after = tree(folder)
        assert {name: value for name, value in after.items() if name != "survey.toml"} == before
        if (folder / "survey.toml").exists():
            tally.is_whole(bool(tomllib.loads((folder / "survey.toml").read_text("utf-8"))), "survey.toml")
        if ended.code == 0:
            break
    assert ended.code == 0
