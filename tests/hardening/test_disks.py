"""Disks that are full, fail or may not be written: one sentence with a hint, the old output as it was, nothing temporary."""

from __future__ import annotations

import pytest

from .commands import BIG, WRITERS, Writer, turn
from .conftest import Disk, Server, Tally
from .faulty import Trial

SHARES = (0.02, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97) if BIG else (0.1, 0.7)
FAULTS = 60 if BIG else 2


def apply(n):
    return lambda function: pytest.mark.slow(
        pytest.mark.parametrize("writer", turn(n), ids=lambda w: w.label)(function)
    )


@apply(0)
def test_a_full_disk(writer: Writer, trial: Trial, disk: Disk, tally: Tally) -> None:
    """A disk in memory with room for a part of the output, temporary files included; elsewhere a limit on each file."""
    disk.resize(64 << 20)
    for n, share in enumerate(SHARES):
        over = n % 2 == 1
        disk.resize(64 << 20)
        trial.prepare("old" if over else "", disk.folder)
        room = sum(-(-p.stat().st_size // 4096) * 4096 for p in disk.folder.rglob("*") if p.is_file())
        disk.resize(room + int(trial.size * share))
        how = {"env": {"TMPDIR": str(disk.folder)}} if n % 2 == 0 else {}
        if not disk.limited:
            how["bytes"] = int(trial.largest * share)
        ended = trial.call(0, *trial.over(over), out=disk.folder, **how)
        tally.faults += 1
        if ended.code in (0, 1):
            assert trial.judge(tally, was_there=over, out=disk.folder) or not trial.same_bytes
        else:
            trial.refused(ended, tally, disk.folder)
            disk.resize(64 << 20)
            trial.judge(tally, was_there=over, out=disk.folder)
    disk.resize(64 << 20)
    trial.prepare("", disk.folder)


@apply(1)
def test_a_disk_that_fails_once(writer: Writer, trial: Trial, tally: Tally) -> None:
    """No room, an error of the device, or no right, at one change of a file: refused or done, never half."""
    for n in range(min(FAULTS, trial.steps)):
        step = 1 + round((n + 0.5) * (trial.steps - 1) / FAULTS)
        for over, what in ((False, "ENOSPC"), (True, "EIO" if n % 2 else "EACCES")):
            trial.prepare("old" if over else "")
            ended = trial.call(0, *trial.over(over), fault=[str(trial.out), step, what])
            tally.faults += 1
            tally.no_trace(ended.said)
            assert ended.code in (0, 1, 3), ended.said
            assert ended.code != 3 or "hint:" in ended.said, ended.said
            trial.judge(tally, was_there=over)


@apply(2)
def test_a_folder_that_may_not_be_written(writer: Writer, trial: Trial, tally: Tally) -> None:
    """Modes hold for the call, also where the tests run as root; the old output stays."""
    for over in (False, True):
        trial.prepare("old" if over else "")
        for place in (trial.out, *trial.out.rglob("*")):
            place.chmod(0o555 if place.is_dir() else 0o444)
        try:
            ended = trial.call(0, *trial.over(over), no_rights=True)
        finally:
            for place in (trial.out, *trial.out.rglob("*")):
                place.chmod(0o755 if place.is_dir() else 0o644)
        tally.faults += 1
        trial.refused(ended, tally)
        assert not trial.judge(tally, was_there=over) or trial.old == trial.new


@pytest.mark.slow
def test_records_on_a_medium_that_is_only_read(
    server: Server, trials, disk: Disk, district, tally: Tally, tmp_path
) -> None:
    """Every command works from a stick or folder that cannot be written, without a home folder."""
    if not disk.limited:
        pytest.skip("no disk can be mounted here: --benchmark-skip")
    import shutil

    disk.resize(64 << 20)
    for item in disk.folder.iterdir():
        shutil.rmtree(item) if item.is_dir() else item.unlink()
    shutil.copytree(district, disk.folder, dirs_exist_ok=True)
    disk.resize(64 << 20, read_only=True)
    try:
        for writer in WRITERS:
            out = tmp_path / "out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            if writer.in_place:
                shutil.copy(district / "more" / "store.gpkg", out / "store.gpkg")
            ended = server.call(
                writer.arguments(disk.folder, out),
                env={"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent", "MPLCONFIGDIR": ""},
            )
            tally.faults += 1
            tally.no_trace(ended.said)
            assert ended.code in (0, 1), (writer.label, ended.said)
            assert (out / writer.target).exists()
    finally:
        disk.resize(64 << 20)
        for item in disk.folder.iterdir():
            shutil.rmtree(item) if item.is_dir() else item.unlink()
