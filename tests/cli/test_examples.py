"""Every example in `--help` that needs nothing but the sample district is run as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from geotools.cli.main import cli

ROOT = Path(__file__).parents[2]
WORDS = [sys.executable, "-c", "from geotools.cli import main; main()"]
EXAMPLE = re.compile(r"geotools ((?:(?!\s{3,}|geotools ).)+)")


def epilogs(command: click.Command, context: click.Context) -> Iterator[str]:
    yield command.epilog or ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from epilogs(inner, click.Context(inner, info_name=name, parent=context))


def examples() -> list[str]:
    texts = [text for part in epilogs(cli, click.Context(cli)) for text in EXAMPLE.findall(part)]
    return sorted({text.strip().removesuffix(".") for text in texts if "sample_data" in text})


def test_there_are_examples_on_the_sample() -> None:
    assert len(examples()) >= 18


@pytest.mark.slow
@pytest.mark.parametrize("text", examples())
def test_the_example_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    shutil.copy(ROOT / "sample_data" / "fuzuli" / "machines.toml", tmp_path / "limits.toml")
    words = shlex.split(text)
    files = [w for w in words if w.endswith(".toml") and "/" not in w and not (tmp_path / w).exists()]
    if files:
        words = [
            w for n, w in enumerate(words) if w not in files and (n + 1 == len(words) or words[n + 1] not in files)
        ]
    if any(w.startswith("out/") for w in words):
        (tmp_path / "out").mkdir()
    done = subprocess.run([*WORDS, *words], cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 1:
        assert "--fail-on" in words or words[0] == "report", done.stderr
    if "-o" in words:
        assert (tmp_path / words[words.index("-o") + 1]).exists()
