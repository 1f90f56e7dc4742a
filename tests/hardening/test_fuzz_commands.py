"""Every file that some option takes, damaged: an answer, or one sentence with a hint; never a trace, never half a result."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from .commands import READS, WRITERS, Writer, commands, emptied, hidden, whole
from .conftest import Server, Tally
from .fuzz import mutated

CASES = int(os.environ.get("GEOTOOLS_FUZZ", "3"))
CAP_S = 20.0
MEMORY = 4 << 30


def test_every_option_that_takes_a_file_is_tried() -> None:
    """Output options apart, each path option of each command stands in a call of the tables."""
    calls = [words.split() for words, _ in READS] + [writer.words.split() for writer in WRITERS]
    for path, command in commands():
        mine = [words for words in calls if tuple(words[: len(path)]) == path]
        for parameter in command.params:
            if parameter.param_type_name != "option" or parameter.type.name not in ("path", "file", "directory"):
                continue
            if parameter.name in (
                "output",
                "keep",
                "target",
                "conflicts",
                "judged_file",
            ):  # outputs, and what plan suitability wrote
                continue
            used = any(word in words for words in mine for word in parameter.opts)
            assert used, f"{' '.join(path)} {parameter.opts[-1]}"


@pytest.mark.slow
@pytest.mark.parametrize("words, files", READS, ids=[w.split(" -o ")[0][:60] for w, _ in READS])
def test_an_answer_or_a_sentence(
    words: str, files: tuple[str, ...], server: Server, district: Path, tmp_path: Path, tally: Tally
) -> None:
    place, out = tmp_path / "district", tmp_path / "out"
    shutil.copytree(district, place)
    for number in range(CASES):
        rng = random.Random(f"{words}-{number}")
        name = rng.choice(files)
        shutil.copy(district / "more" / "store.gpkg", emptied(out) / "store.gpkg")
        (place / name).write_bytes(mutated((place / name).suffix, (district / name).read_bytes(), rng))
        ended = server.call(Writer(words, "").arguments(place, out), memory=MEMORY)
        tally.inputs += 1
        tally.no_trace(ended.said)
        assert 0 <= ended.code <= 4, (number, name, ended)
        assert "error:" not in ended.said or "\nhint:" in ended.said or ended.code != 3, (number, name, ended.said)
        assert not hidden(out), (number, name)
        tally.is_whole(all(whole(p) for p in out.iterdir()), (number, name))
        assert ended.cpu < CAP_S, (number, name, ended)
        shutil.copy(district / name, place / name)
