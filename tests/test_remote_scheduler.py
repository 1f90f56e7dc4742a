"""A scheduler and workers that were started elsewhere: other working folders, other homes, other folders for temporary files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import geotools as gt
from geotools.io import parts

SAMPLE = Path(__file__).parents[1] / "sample_data" / "fuzuli"
pytestmark = [pytest.mark.slow, pytest.mark.dask]


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """One process of the cluster, at home nowhere but in a folder of its own."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True)
    env = {**os.environ, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    env.pop("PYTHONPATH", None)
    code = "import sys; from dask.__main__ import main; sys.argv[0] = 'dask'; main()"
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-c", code, *words], cwd=folder, env=env, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("cluster")
    note = folder / "scheduler.json"
    said = ("--host", "127.0.0.1", "--no-dashboard")
    running = [start(folder / "scheduler", "scheduler", "--port", "0", "--scheduler-file", str(note), *said)]
    try:
        for _ in range(600):
            if note.exists() and note.read_text():
                break
            time.sleep(0.1)
        address = json.loads(note.read_text())["address"]
        running += [start(folder / f"w{n}", "worker", address, "--nthreads", "1", *said) for n in (1, 2)]
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
        for process in reversed(running):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def geotools(folder: Path, *words: object, fine: bool = True) -> str:
    given = [sys.executable, "-c", "from geotools.cli import main; main()", *map(str, words)]
    done = subprocess.run(given, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode == 0) is fine, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_relative_names_and_the_same_bytes(scheduler: str, tmp_path: Path) -> None:
    """Names are those of the folder in which the command was called, wherever the workers are."""
    far = ("--executor", "dask", "--scheduler", scheduler)
    (tmp_path / "keep").mkdir()
    survey = gt.open_survey(SAMPLE)
    for kind in ("hazards", "releases"):
        parts.write(survey.layers[kind], tmp_path / "country" / f"{kind}.parquet", kind)
    geotools(tmp_path, "coverage", "country", "-o", "one.csv")
    geotools(tmp_path, "coverage", "country", "-o", "two.csv", "--keep", "keep", *far)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert "folder that all of them can write to" in geotools(tmp_path, "coverage", "country", *far, fine=False)
    geotools(tmp_path, "check", SAMPLE, "-o", "one_issues.csv")
    geotools(tmp_path, "check", SAMPLE, "-o", "two_issues.csv", *far)
    assert (tmp_path / "one_issues.csv").read_bytes() == (tmp_path / "two_issues.csv").read_bytes()
    (tmp_path / "dem.tif").write_bytes((SAMPLE / "dem.tif").read_bytes())
    geotools(tmp_path, "terrain", "dem.tif", "-o", "one")
    geotools(tmp_path, "terrain", "dem.tif", "-o", "two", *far)
    rasters = sorted(file.name for file in (tmp_path / "one").glob("*.tif"))
    assert rasters
    for name in rasters:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_errors_of_the_work_are_not_told_as_errors_of_the_scheduler(scheduler: str, tmp_path: Path) -> None:
    far = ("--executor", "dask", "--scheduler", scheduler)
    said = geotools(tmp_path, "coverage", "none.gpkg", *far, fine=False)
    assert "does not answer" not in said
