"""Whole or not at all: what a writer leaves when it succeeds, fails, or meets something else in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geotools.io.atomic import replacing, write_text
from geotools.model.errors import WriteError


def test_a_failing_writer_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(WriteError, match="nothing was changed"), replacing(target, overwrite=True) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_any_other_failure_passes_through_and_cleans_up(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_a_file_never_takes_the_place_of_a_folder_or_a_pipe(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "x"
    if kind == "folder":
        target.mkdir()
        (target / "photo.jpg").write_bytes(b"precious")
    else:
        os.mkfifo(target)
    with pytest.raises(WriteError, match="nothing was changed"):
        write_text(target, "text", overwrite=True)
    assert target.exists()
    if kind == "folder":
        assert (target / "photo.jpg").read_bytes() == b"precious"


def test_a_folder_takes_the_place_of_a_folder_but_not_of_a_file(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("old")
    with replacing(target, overwrite=True) as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("new")
    assert [p.name for p in target.iterdir()] == ["new"]
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(WriteError, match="a file of this name"), replacing(file, overwrite=True) as temporary:
        temporary.mkdir()
    assert file.read_text() == "x"
