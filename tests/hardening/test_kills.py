"""Power lost at any moment: what was there is whole or still the old one, and the next call goes through."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyogrio
import pytest
import rasterio

from .conftest import NOON, WORDS


def whole_pdf(path: Path) -> bool:
    return path.read_bytes().rstrip().endswith(b"%%EOF")


def whole_gpkg(path: Path) -> bool:
    return all(pyogrio.read_info(path, layer=name)["features"] >= 0 for name, _ in pyogrio.list_layers(path))


def whole_tifs(path: Path) -> bool:
    for file in path.glob("*.tif"):
        with rasterio.open(file) as source:
            source.read(1)
    return (path / "terrain.json").is_file()


def whole_run(path: Path) -> bool:
    return (path / "provenance.json").is_file() and whole_gpkg(path / "survey.gpkg")


def whole_zip(path: Path) -> bool:
    return zipfile.ZipFile(path).testzip() is None


COMMANDS: dict[str, tuple[list[str], str, Callable[[Path], bool]]] = {
    "run": (["run", "IN", "-o", "OUT", "--skip", "map"], "out", whole_run),
    "map": (["map", "IN", "-o", "OUT"], "out.html", lambda p: p.read_text("utf-8").rstrip().endswith("</html>")),
    "sheet": (["sheet", "IN", "--task", "İ-1", "-o", "OUT"], "out.pdf", whole_pdf),
    "convert": (["convert", "IN/releases.geojson", "OUT"], "out.gpkg", whole_gpkg),
    "shapefile": (["convert", "IN/releases.geojson", "OUT"], "out.shp.zip", whole_zip),
    "terrain": (["terrain", "IN/dem.tif", "-o", "OUT", "--products", "slope,tri"], "out", whole_tifs),
    "check": (["check", "IN", "--repair", "OUT"], "out.gpkg", whole_gpkg),
}


KILLS = 40 if os.environ.get("GEOTOOLS_BIG") else 4


@pytest.mark.slow
@pytest.mark.parametrize("name", list(COMMANDS))
def test_killed_at_any_moment(name: str, survey: Path, tmp_path: Path) -> None:
    words, target, whole = COMMANDS[name]
    out = tmp_path / target
    arguments = [
        w.replace("IN", str(survey), 1) if w.startswith("IN") else str(out) if w == "OUT" else w for w in words
    ]
    environment = os.environ | {"SOURCE_DATE_EPOCH": NOON}

    def start(*more: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*WORDS, *arguments, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        )  # fmt: skip

    began = time.monotonic()
    assert start().wait(120) == 0
    span = time.monotonic() - began
    assert whole(out)
    luck = random.Random(name)
    for turn in range(KILLS):
        old = turn < KILLS // 2  # first over what is there, then where nothing is
        if not old:
            remove(out)
        process = start(*(["--overwrite"] if old else []))
        time.sleep(span * luck.uniform(0.4, 1.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert whole(out) if old else not out.exists() or whole(out)
        if turn == KILLS - 1:
            remove(out)
    assert start().wait(120) == 0  # what a killed call left behind is in nobody's way
    assert whole(out)


def remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
