"""One command on its two districts: what it writes for each, and calls that end badly. See `commands` for the table."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

from .commands import Writer, emptied, hidden, tree, whole
from .conftest import Ended, Server, Tally


def outputs(writer: Writer, out: Path) -> dict[str, str]:
    """Hash by file of what the call promises, without side files of other names."""
    return {
        name: value
        for name, value in tree(out).items()
        if name == writer.target or name.startswith(writer.target + "/")
    }


def sound_store(place: Path, revisions: tuple[int, ...] = (2, 3)) -> bool:
    """The chain verifies, and there is at most one revision more than before."""
    from geotools import store

    with store.open(place) as opened:
        return not len(opened.verify()) and opened.head().number in revisions


class Trial:
    """A command, its sound results (`new` for the district, `old` for the other one), and a place to write to."""

    def __init__(self, writer: Writer, server: Server, districts: tuple[Path, Path], folder: Path) -> None:
        self.writer, self.server, self.districts, self.folder = writer, server, districts, folder
        self.out = emptied(folder / "out")
        self.prepare("")
        began = time.monotonic()
        ended = self.call(0, fault=[str(self.out), 0, "kill"])
        self.span = time.monotonic() - began
        self.code = ended.code
        assert self.code in (0, 1), ended.said
        self.steps = int(re.findall(r"changes=(\d+)", ended.said)[-1])
        self.size = sum(p.stat().st_size for p in self.out.rglob("*") if p.is_file())
        self.largest = max(p.stat().st_size for p in self.out.rglob("*") if p.is_file())
        assert whole(self.out / writer.target)
        self.new = outputs(writer, self.out)
        time.sleep(max(0.0, 1.05 - self.span))  # a second later a file that bears the time of writing is another
        self.prepare("")
        assert self.call(0).code == self.code
        self.same_bytes = outputs(writer, self.out) == self.new
        self.prepare("")
        assert self.call(1).code in (0, 1)
        self.old = outputs(writer, self.out)
        shutil.copytree(self.out, folder / "old")

    def prepare(self, what: str, out: Path | None = None) -> None:
        """What the call finds: the store it changes, the `old` output, or nothing."""
        place = self.out if out is None else out
        for item in place.iterdir():
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
        if self.writer.in_place:
            shutil.copy(self.districts[0] / "more" / "store.gpkg", place / "store.gpkg")
        elif what == "old" and self.writer.overwrites:
            shutil.copytree(self.folder / "old", place, dirs_exist_ok=True)

    def call(self, which: int, *more: str, out: Path | None = None, **how: Any) -> Ended:
        return self.server.call([*self.words(which, out), *more], **how)

    def words(self, which: int, out: Path | None = None) -> list[str]:
        return self.writer.arguments(self.districts[which], self.out if out is None else out)

    def over(self, wanted: bool) -> list[str]:
        return ["--overwrite"] if wanted and self.writer.overwrites and not self.writer.in_place else []

    def judge(self, tally: Tally, *, was_there: bool, out: Path | None = None) -> bool:
        """Old or new, to the byte where bytes are promised, else whole; whether the new one is there."""
        place = self.out if out is None else out
        if self.writer.in_place:
            tally.is_whole(sound_store(place / "store.gpkg"), self.writer.label)
            return sound_store(place / "store.gpkg", (3,))
        found = outputs(self.writer, place)
        if not found:
            assert not was_there or not self.writer.overwrites, "the old output is gone"
            return False
        tally.is_whole(whole(place / self.writer.target), self.writer.label)
        if self.same_bytes:
            known = (self.old, self.new) if was_there else (self.new,)
            tally.is_whole(found in known, sorted(set(found.items()) ^ set(self.new.items())))
        return found == self.new

    def refused(self, ended: Ended, tally: Tally, out: Path | None = None) -> None:
        """One sentence with a hint, code 3, nothing temporary."""
        tally.no_trace(ended.said)
        assert ended.code == 3, (ended.code, ended.said)
        assert "error:" in ended.said
        assert "hint:" in ended.said, ended.said
        assert not hidden(self.out if out is None else out), hidden(self.out if out is None else out)
