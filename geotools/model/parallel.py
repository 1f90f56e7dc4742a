"""Run one function over many items, in order: one after another, on threads, or on a Dask cluster.

How work is done, never what comes out: results do not depend on the executor. What is cut into items is decided by each room.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from geotools.model.errors import GeotoolsError, need
from geotools.model.provenance import NAME, version

A = TypeVar("A")
B = TypeVar("B")

EXECUTORS = ("serial", "threads", "dask")
ANSWER_S = 15
AHEAD = 2  # items handed out per worker: more would only fill memory
WORKER_MEMORY = {  # workers that give every array back to the system at once spend a third of their time on that
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 64 << 20,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 << 20,
}


@dataclass(frozen=True)
class Codec(Generic[A, B]):
    """How finished parts of a room are kept on disk: a key of the item, and the result as plain arrays (no pickles)."""

    key: Callable[[A], str]
    dump: Callable[[B], Mapping[str, np.ndarray]]
    load: Callable[[Mapping[str, np.ndarray]], B]


@dataclass(frozen=True)
class _How:
    name: str = "threads"
    workers: int | None = None
    client: Any = None
    keep: Path | None = None
    far: bool = False  # the workers may be on other machines


_DEFAULT = _How()
_HOW: ContextVar[_How] = ContextVar("geotools_executor", default=_DEFAULT)
_WORKING: ContextVar[bool] = ContextVar("geotools_working", default=False)


@contextmanager
def using(
    executor: str = "threads",
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    keep: str | Path | None = None,
) -> Iterator[None]:
    """Do the work inside this block with another executor.

    Parameters
    ----------
    executor
        ``serial``, ``threads`` (the default everywhere) or ``dask`` (extra ``dask``).
    workers
        Threads or processes; default: the processors this process may use.
    scheduler
        Address of a running Dask scheduler, e.g. ``tcp://10.0.0.5:8786``; without one a cluster of processes is started here.
    keep
        A folder for finished parts: after a crash the same call goes on where it was. The folder may be deleted when the results are no longer needed.

    Raises
    ------
    GeotoolsError
        If there is no such executor, or the scheduler does not answer within 15 s, has no workers, or they have no geotools of this version.
    MissingLibraryError
        If ``dask`` is asked for without its library.

    Examples
    --------
    >>> with using("serial"):
    ...     map_ordered(abs, [-1, 2])
    [1, 2]
    """
    if executor not in EXECUTORS:
        raise GeotoolsError(f"there is no executor '{executor}'", hint=f"use one of {', '.join(EXECUTORS)}")
    if scheduler is not None and executor != "dask":
        raise GeotoolsError("a scheduler is only used by the executor 'dask'", hint="add executor='dask'")
    folder = None if keep is None else Path(keep)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    if executor != "dask":
        with _set(_How(executor, workers, None, folder)):
            yield
        return
    with _client(scheduler, workers) as client, _set(_How("dask", workers, client, folder, scheduler is not None)):
        yield


@contextmanager
def _set(how: _How) -> Iterator[None]:
    token = _HOW.set(how)
    try:
        yield
    finally:
        _HOW.reset(token)


@contextmanager
def _client(scheduler: str | None, wanted: int | None) -> Iterator[Any]:
    import logging

    distributed = need("distributed", "dask")
    import dask

    logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every connection otherwise
    settings = {
        "distributed.scheduler.allowed-failures": 5, "distributed.admin.large-graph-warning-threshold": "1GB",
        "distributed.worker.profile.enabled": False, **WORKER_MEMORY,
    }  # fmt: skip
    with dask.config.set(settings):
        if scheduler is not None:
            with _reached(distributed, scheduler) as client:
                yield client
            return
        with (
            distributed.LocalCluster(
                n_workers=workers(wanted), threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):  # fmt: skip
            yield client


def _reached(distributed: Any, scheduler: str) -> Any:
    """A client of a running scheduler that has workers; both have this version of geotools."""
    try:
        _require_greeting(scheduler)
        client = distributed.Client(scheduler, timeout=ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:  # errors of the work itself come later, and are not this
        raise GeotoolsError(
            f"the Dask scheduler at {scheduler} does not answer", hint="check the address and that it is running"
        ) from error
    try:
        _require_workers(client, scheduler)
    except BaseException:
        client.close()
        raise
    return client


def _require_greeting(scheduler: str) -> None:
    """Something answers in the manner of Dask at this address; a client would wait for ever for one that is silent."""
    import asyncio

    from distributed.comm.core import connect

    async def greet() -> None:
        there = await asyncio.wait_for(connect(scheduler, timeout=ANSWER_S), ANSWER_S + 1)
        await there.close()

    with ThreadPoolExecutor(1) as beside:  # a notebook has a loop of its own, in which no other can run
        beside.submit(asyncio.run, greet()).result()


def _require_workers(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=ANSWER_S)
        told = client.get_versions(packages=[NAME])
    except TimeoutError as error:
        raise GeotoolsError(
            f"the Dask scheduler at {scheduler} has no workers", hint=f"start some: dask worker {scheduler}"
        ) from error
    there = {"the scheduler": told["scheduler"], **{f"worker {name}": one for name, one in told["workers"].items()}}
    for who, one in there.items():
        found = one["packages"].get(NAME)
        if found != told["client"]["packages"].get(NAME):
            what = "no geotools installed" if found is None else f"geotools {found}, not {version()}"
            raise GeotoolsError(
                f"{who} of the Dask cluster has {what}",
                hint=f"install the same version there: pip install '{NAME}[dask]'",
            )


def workers(wanted: int | None = None) -> int:
    """How many to use: what was asked for, else what `using` says, else the processors this process may use (at most 8)."""
    asked = wanted if wanted is not None else _HOW.get().workers
    if asked is not None:
        return max(1, asked)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(8, available))


def on_cluster() -> bool:
    """Whether work inside this block goes to a cluster: data then have to travel with it."""
    return _HOW.get().name == "dask"


def room() -> tuple[Path, Any]:
    """A folder that every worker can write to, and what has to be kept as long as it is needed.

    It is the folder that `using` names for finished parts, else a temporary one that goes with the second value.

    Raises
    ------
    GeotoolsError
        If workers may be on other machines and no folder was named.
    """
    how = _HOW.get()
    if how.keep is not None:
        return how.keep.resolve(), None
    if how.far:
        raise GeotoolsError(
            "workers on other machines need a folder that all of them can write to",
            hint="name one: --keep /shared/folder, keep='/shared/folder'",
        )
    made = _Room()
    return made.path, made


class _Room:
    """A temporary folder that goes with this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="geotools-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def map_ordered(
    function: Callable[[A], B],
    items: Iterable[A],
    *,
    threads: int | None = None,
    codec: Codec[A, B] | None = None,
) -> list[B]:
    """Apply `function` to every item and return the results in the order of the items.

    Examples
    --------
    >>> map_ordered(abs, [-1, 2], threads=2)
    [1, 2]
    """
    return list(iter_ordered(function, items, threads=threads, codec=codec))


def map_here(function: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """The same, but never on a cluster, and on a worker one by one: for work that is done sooner than its data are sent.

    Examples
    --------
    >>> map_here(abs, [-1, 2])
    [1, 2]
    """
    if _WORKING.get():
        return [function(item) for item in items]
    how = _HOW.get()
    with _set(replace(how, name="threads" if how.name == "dask" else how.name)):
        return map_ordered(function, items)


def iter_ordered(
    function: Callable[[A], B],
    items: Iterable[A],
    *,
    threads: int | None = None,
    codec: Codec[A, B] | None = None,
) -> Iterator[B]:
    """Apply `function` to every item; results come in the order of the items, with few items in memory at a time.

    Parameters
    ----------
    function
        A function of a module: a cluster has to find it by name. It releases the interpreter lock where threads should pay.
    items
        May be a generator; it is drawn from as work is taken up.
    threads
        Over the number that `using` says.
    codec
        How results are kept if `using` names a folder for them; without one nothing is kept.

    Examples
    --------
    >>> list(iter_ordered(len, ["a", "bc"], threads=2))
    [1, 2]
    """
    how = _HOW.get()
    count = 1 if how.name == "serial" else workers(threads)
    kept = _Kept(how.keep, codec) if how.keep is not None and codec is not None else None
    if how.name == "dask":
        yield from _ahead(items, kept, AHEAD * max(1, len(how.client.nthreads())), _on_dask(how.client, function))
    elif count <= 1:
        yield from _ahead(items, kept, 1, lambda item: lambda: function(item))
    else:
        with ThreadPoolExecutor(count) as pool:
            yield from _ahead(items, kept, AHEAD * count, lambda item: pool.submit(_alone, function, item).result)


def _alone(function: Callable[[A], B], item: A) -> B:
    """Do one item on a worker, which is told that it is one; see `map_here`."""
    token = _WORKING.set(True)
    try:
        return function(item)
    finally:
        _WORKING.reset(token)


def _on_dask(client: Any, function: Callable[[A], B]) -> Callable[[A], Callable[[], B]]:
    """Items travel with their tasks: the scheduler gives those of a lost worker to another by itself."""
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    name = getattr(function, "__name__", "part")

    def start(item: A) -> Callable[[], B]:
        future = client.submit(_alone, function, item, key=f"{name}-{uuid.uuid4().hex}", pure=False, retries=2)

        def wait() -> B:
            try:
                return future.result()  # type: ignore[no-any-return]
            except (FutureCancelledError, KilledWorker):
                return function(item)  # no worker could keep it: it is done here

        return wait

    return start


def _ahead(items: Iterable[A], kept: _Kept | None, limit: int, start: Callable[[A], Callable[[], B]]) -> Iterator[B]:
    """Start items ahead of the one that is waited for, at most `limit` at a time."""
    waiting: deque[Callable[[], B]] = deque()
    for item in items:
        waiting.append(start(item) if kept is None else kept.start(item, start))
        if len(waiting) >= limit:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


class _Kept:
    """Finished parts in a folder, each a file of plain arrays under the key of its item; damaged files are done again."""

    def __init__(self, folder: Path, codec: Codec[Any, Any]) -> None:
        self.folder, self.codec = folder, codec

    def start(self, item: Any, start: Callable[[Any], Callable[[], Any]]) -> Callable[[], Any]:
        file = self.folder / f"{self.codec.key(item)}.npz"
        found = self._read(file)
        if found is not None:
            return lambda: found
        wait = start(item)

        def finish() -> Any:
            result = wait()
            self._write(file, result)
            return result

        return finish

    def _read(self, file: Path) -> Any:
        if not file.is_file():
            return None
        try:
            with np.load(file, allow_pickle=False) as stored:
                return self.codec.load({name: stored[name] for name in stored.files})
        except Exception:  # half a file, or not ours: the part is done again
            return None

    def _write(self, file: Path, result: Any) -> None:
        temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        arrays: Any = dict(self.codec.dump(result))
        with temporary.open("wb") as target:
            np.savez(target, **arrays)
        temporary.replace(file)
