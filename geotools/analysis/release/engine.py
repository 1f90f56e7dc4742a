"""Who covers which ground first: the one question both engines answer, and how work is cut into chunks for them.

For choosing and feeding an engine; the geometry itself is in `geos` and `sweep`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import shapely

from geotools.analysis.release.kept import codec
from geotools.model.errors import ReleaseError
from geotools.model.parallel import iter_ordered, map_ordered, workers
from geotools.model.progress import COMPILING, Progress
from geotools.space import compiled
from geotools.space.shapes import Shapes, hilbert, meeting

P = TypeVar("P", np.ndarray, Shapes)
ENGINES = ("auto", "geos", "sweep")
SWEEP_FROM = 2_000  # pairs from which loading the compiled sweep pays
COMPILE_FROM = 10_000  # pairs from which compiling it pays, once for all runs: ten seconds for two of each run
COMPILE_ANEW_FROM = 50_000  # the same where compiled code cannot be kept for the next run
CHUNK_VERTICES = 400_000
PAIRS = 8_000  # pairs of polygons measured at a time
LARGE_BYTES = 5_000_000  # of files, from which the compiled engine will be worth loading
FEW = 500  # pairs below which a second thread does not pay
LEAST_VERTICES = 20_000  # below this a second thread does not pay


@dataclass(frozen=True)
class Job(Generic[P]):
    """Containers, covers in order of priority, and which cover may touch which container.

    Attributes
    ----------
    containers, covers
        Valid polygons on one plane; `covers` are in order of priority, first wins.
    container, cover
        The pairs, sorted by container, then by priority.
    kept
        Covers from this position on are credited, but leave the ground in the rest (processed, not released).
    geometry
        Whether the uncovered rest of each container is wanted as a polygon.
    credit
        Whether `Settled.net` and `Settled.raw` are wanted; without them they may be 0.
    """

    containers: P
    covers: P
    container: np.ndarray
    cover: np.ndarray
    kept: int
    geometry: bool = True
    credit: bool = True


@dataclass(frozen=True)
class Settled:
    """Who took what.

    Attributes
    ----------
    net
        Per pair: m² of the container that this cover was the first to take.
    raw
        Per pair: m² of the container under this cover.
    left
        Per container: m² under no cover before `Job.kept`.
    rest
        Per container: that ground, or None if it was not wanted.
    """

    net: np.ndarray
    raw: np.ndarray
    left: np.ndarray
    rest: np.ndarray | None


def job(containers: P, covers: P, *, kept: int | None = None, geometry: bool = True) -> Job[P]:
    """Pair containers with the covers whose bounding boxes touch theirs."""
    pairs = meeting(Shapes.of(containers).bounds, Shapes.of(covers).bounds)
    return paired(containers, covers, *pairs, kept=kept, geometry=geometry)


def paired(
    containers: P,
    covers: P,
    container: np.ndarray,
    cover: np.ndarray,
    *,
    kept: int | None = None,
    geometry: bool = True,
    credit: bool = True,
) -> Job[P]:
    """A job from known pairs, in any order."""
    order = np.lexsort((cover, container))
    stop = len(covers) if kept is None else kept
    return Job(containers, covers, np.asarray(container)[order], np.asarray(cover)[order], stop, geometry, credit)


def choose(engine: str, pairs: int) -> str:
    """The engine to use: what was asked for, else by the size of the work and what is installed.

    Raises
    ------
    ReleaseError
        If there is no engine of that name.
    MissingLibraryError
        If ``sweep`` is asked for without its library.

    Examples
    --------
    >>> choose("auto", 10)
    'geos'
    """
    if engine not in ENGINES:
        raise ReleaseError(f"there is no engine '{engine}'", hint=f"use one of {', '.join(ENGINES)}")
    installed = importlib.util.find_spec("numba") is not None
    if engine == "sweep" and not installed:
        from geotools.model.errors import need

        need("numba", "fast")
    if engine != "auto":
        return engine
    least = {True: SWEEP_FROM, False: COMPILE_FROM, None: COMPILE_ANEW_FROM}[_kept()] if installed else np.inf
    return "sweep" if pairs >= least else "geos"


def warm(source: str | Path, engine: str = "auto") -> bool:
    """Load the compiled engine before so much is read that it will be used anyway: reading, too, then looks at outlines faster.

    Parameters
    ----------
    source
        The file or folder that is going to be read; only its size is looked at.
    engine
        As for `coverage`.

    Returns
    -------
    bool
        Whether it was loaded. It changes no answer.

    Examples
    --------
    >>> import tempfile
    >>> warm(tempfile.mkdtemp())  # nothing in it: not worth it
    False
    """
    path = Path(source)
    if engine == "geos" or not path.exists() or choose("auto", SWEEP_FROM) != "sweep":
        return False
    files = path.iterdir() if path.is_dir() else [path]
    if sum(file.stat().st_size for file in files if file.is_file()) < LARGE_BYTES:
        return False
    compiled.load()
    return True


def _kept() -> bool | None:
    """Whether the sweep was compiled before; None where that could not be kept."""
    return compiled.kept(Path(__file__).with_name("arrange.py"))


def solve(
    work: Job[Any],
    engine: str,
    *,
    progress: Progress | None = None,
    threads: int | None = None,
    chunk: int = CHUNK_VERTICES,
    what: str = "measuring released ground",
) -> Settled:
    """Answer a job in chunks along a Hilbert curve; the answer depends on neither the chunks nor the threads."""
    work = _spread(work)
    chunks = cut(work, chunk, workers(threads))
    net, raw = np.zeros(len(work.cover)), np.zeros(len(work.cover))
    left = np.zeros(len(work.containers))
    rest = np.full(len(work.containers), shapely.Polygon(), dtype=object) if work.geometry else None
    parts = (part_of(work, rows) for rows in chunks)
    answers = iter_ordered(partial(_answer, engine), parts, threads=threads, codec=codec(engine, Settled))
    if progress is not None:
        first = engine == "sweep" and len(chunks) and not _kept()
        progress.start(f"{what} ({COMPILING})" if first else what, len(work.containers))
    try:
        for rows, found in zip(chunks, answers, strict=True):
            pairs = _pairs_of(work, rows)
            net[pairs], raw[pairs], left[rows] = found.net, found.raw, found.left
            if rest is not None:
                rest[rows] = found.rest
            if progress is not None:
                progress.advance(len(rows))
    finally:
        if progress is not None:
            progress.finish()
    return Settled(net, raw, left, rest)


def _spread(work: Job[Any]) -> Job[Shapes]:
    return replace(work, containers=Shapes.of(work.containers), covers=Shapes.of(work.covers))


def part_of(work: Job[Shapes], rows: np.ndarray) -> Job[Shapes]:
    """The job of some containers, with only the covers it needs, in their order."""
    pairs = _pairs_of(work, rows)
    local, cover = np.searchsorted(rows, work.container[pairs]), work.cover[pairs]
    needed, place = np.unique(cover, return_inverse=True)
    kept = int(np.searchsorted(needed, work.kept))
    return replace(
        work, containers=work.containers.take(rows), covers=work.covers.take(needed), container=local, cover=place, kept=kept
    )  # fmt: skip


def _answer(engine: str, part: Job[Shapes]) -> Settled:
    ground, covers = np.asarray(part.containers), np.asarray(part.covers)
    drawn = Job(ground, covers, part.container, part.cover, part.kept, part.geometry, part.credit)
    return _engine(engine)(drawn)


def shared_area(shapes: Shapes, pairs: tuple[np.ndarray, np.ndarray], engine: str) -> np.ndarray:
    """m² that pairs of valid polygons share, by position."""
    left, right = (np.asarray(side) for side in pairs)
    parts = (
        (shapes.take(left[rows]), shapes.take(right[rows]))
        for rows in np.array_split(np.arange(len(left)), max(1, len(left) // PAIRS, min(workers(), len(left) // FEW)))
    )
    return np.concatenate([np.zeros(0), *map_ordered(partial(_shared, engine), parts)])


def _shared(engine: str, pair: tuple[Shapes, Shapes]) -> np.ndarray:
    """m² that each of some polygons shares with the one beside it."""
    from geotools.analysis.release import clean, geos

    one, other = (np.asarray(side) for side in pair)
    # every pair is a group of its own, so that one that is not clean keeps no other from being measured
    work = Job(one, other, np.arange(len(one)), np.arange(len(one)), len(other), geometry=False)
    if engine == "sweep":
        _, raw, good = importlib.import_module("geotools.analysis.release.sweep").crossed(work, touched_only=True)
    else:
        found, good = clean.settle(work)
        raw = found.raw
    area = np.where(good, raw, 0.0)
    rest = np.flatnonzero(~good)
    near = rest[shapely.intersects(one[rest], other[rest])]
    area[near] = shapely.area(geos.overlay(shapely.intersection, one[near], other[near]))
    return area


def _engine(name: str) -> Callable[[Job[np.ndarray]], Settled]:
    if name == "sweep":
        run: Callable[[Job[np.ndarray]], Settled] = importlib.import_module("geotools.analysis.release.sweep").run
        return run
    from geotools.analysis.release import geos

    return geos.run


def cut(work: Job[Any], vertices: int, threads: int = 1) -> list[np.ndarray]:
    """Containers in chunks of about so many vertices, fewer if every thread is to have some; neighbours together, each chunk sorted by row."""
    count = len(work.containers)
    if not count:
        return []
    containers, covers = Shapes.of(work.containers), Shapes.of(work.covers)
    load = containers.vertices + 1.0 + np.bincount(work.container, weights=covers.vertices[work.cover], minlength=count)
    if threads > 1 and load.sum() > LEAST_VERTICES:
        vertices = min(vertices, int(load.sum() / (3 * threads)) + 1)
    if load.sum() <= vertices:
        return [np.arange(count)]
    order = np.lexsort((np.arange(count), hilbert(containers.bounds)))
    piece = (np.cumsum(load[order]) // vertices).astype(int)
    return [np.sort(rows) for rows in np.split(order, np.flatnonzero(np.diff(piece)) + 1)]


def _pairs_of(work: Job[Any], rows: np.ndarray) -> np.ndarray:
    first = np.searchsorted(work.container, rows, side="left")
    last = np.searchsorted(work.container, rows, side="right")
    size = last - first
    if not size.sum():
        return np.zeros(0, dtype=int)
    start = np.repeat(first - np.r_[0, np.cumsum(size)[:-1]], size)
    return start + np.arange(size.sum())
