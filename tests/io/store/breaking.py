"""A program that is killed while it saves, over and over; run by `test_store_crash` as a process of its own.

It forks a child that saves without end, kills it (SIGKILL) at a random moment, and looks at what is left. What the child
was told is committed comes through a pipe: that much must be there. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

import geopandas as gpd
import shapely

from geotools.io import store as stores

ROWS = 60


def layer(tag: str) -> gpd.GeoDataFrame:
    """A layer of which every row carries the same tag."""
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(ROWS)]
    return gpd.GeoDataFrame(
        {"id": [f"H-{i:03}" for i in range(ROWS)], "note": tag, "text": tag * 20}, geometry=shapes, crs="EPSG:32638"
    )


def child(url: str, pipe: int) -> None:
    """Save until killed; tell the parent each revision that was committed."""
    with stores.open(url) as store:
        os.write(pipe, b"ready\n")
        while True:
            tag = str(store.head().number + 1)
            kinds = {"hazards": layer(tag), "releases": layer(tag)[: ROWS // 2]}
            done = store.save(kinds, note=tag, author="a child (synthetic)")
            os.write(pipe, f"{done.revision.number}\n".encode())


def one_kill(url: str, chance: random.Random, pace: float) -> dict[str, int]:
    """Fork, wait, kill, look."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            child(url, writing)
        finally:
            os._exit(1)
    os.close(writing)
    told = b""
    while not told.startswith(b"ready\n"):
        told += os.read(reading, 6)
    time.sleep(chance.random() * pace)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while block := os.read(reading, 65536):
        told += block
    os.close(reading)
    acknowledged = max([0, *(int(n) for n in told.split()[1:])])
    with stores.open(url) as store:
        head = store.head().number
        states = [set(store.load(kind)["note"]) if head else {"0"} for kind in ("hazards", "releases")]
        rows = [len(store.load(kind)) if head else n for kind, n in (("hazards", ROWS), ("releases", ROWS // 2))]
        return {
            "lost": int(head < acknowledged), "half": int(states != [{str(head)}] * 2 or rows != [ROWS, ROWS // 2]),
            "beyond": int(head - acknowledged if acknowledged else 0), "saved": len(told.split()) - 1,
        }  # fmt: skip


def main() -> None:
    """Usage: breaking.py URL KILLS. A kill comes within the time of three saves."""
    url, kills = sys.argv[1], int(sys.argv[2])
    chance = random.Random(7)
    with stores.open(url) as store:
        for number in range(1, 4):
            begin = time.perf_counter()
            tag = str(number)
            store.save(
                {"hazards": layer(tag), "releases": layer(tag)[: ROWS // 2]}, note=tag, author="the parent (synthetic)"
            )
            pace = 3 * (time.perf_counter() - begin)
    sums = {"lost": 0, "half": 0, "beyond": 0, "saved": 0}
    for _ in range(kills):
        for name, value in one_kill(url, chance, pace).items():
            sums[name] += value
    with stores.open(url) as store:
        print(json.dumps({**sums, "kills": kills, "head": store.head().number, "faults": len(store.verify())}))


if __name__ == "__main__":
    main()
