"""Killed programs and many writers: no committed revision is lost, none is half there, no update overwrites another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geotools.io import store as stores

HERE = Path(__file__).parent
BIG = bool(os.environ.get("GEOTOOLS_BIG"))
KILLS = 200 if BIG else 25
TURNS = 500 if BIG else 60


def program(name, *arguments):
    return subprocess.Popen(
        [sys.executable, str(HERE / name), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def answer(process):
    out, err = process.communicate(timeout=280 if not BIG else 3000)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out)


@pytest.mark.slow
@pytest.mark.timeout(3600 if BIG else 300)
def test_a_program_killed_while_saving_loses_nothing_that_was_committed_and_leaves_nothing_half(place):
    """kill -9 at random moments; GEOTOOLS_BIG=1 makes it 200."""
    stores.init(place, author="a").close()
    told = answer(program("breaking.py", place, KILLS))
    assert (told["lost"], told["half"], told["faults"]) == (0, 0, 0), told
    assert told["kills"] == KILLS
    assert told["saved"] > 0
    print(told)


@pytest.mark.slow
@pytest.mark.timeout(3600 if BIG else 300)
def test_two_writers_lose_no_update(place):
    """Interleaved saves of one shared row; GEOTOOLS_BIG=1 makes it 500 each."""
    with stores.init(place, author="a") as store:
        one = gpd.GeoDataFrame({"id": ["counter"], "population": [0]}, geometry=[shapely.Point(0, 0)], crs="EPSG:32638")
        store.save(one, kind="places", note="start", author="a")
    writers = [program("writing.py", place, name, TURNS) for name in ("one", "two")]
    refused = [answer(writer) for writer in writers]
    with stores.open(place) as store:
        assert store.load("places")["population"].tolist() == [2 * TURNS]
        assert len(store.load("finds")) == 2 * TURNS
        assert store.head().number == 1 + 2 * TURNS
        assert store.load("places", as_of=1 + TURNS)["population"].tolist() == [TURNS], "every step is in history"
        assert not len(store.verify())
    print(refused)
