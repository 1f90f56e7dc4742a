"""Executors: the same results in the same order, few items in memory, nothing done twice after a crash."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from geotools.model import parallel
from geotools.model.errors import GeotoolsError


def square(x: int) -> int:
    return x * x


def slow_square(x: int) -> tuple[int, int]:
    time.sleep(0.05)
    return os.getpid(), x * x


def refuse(x: int) -> int:
    raise ValueError(f"not {x}")


@pytest.mark.parametrize("executor", ["serial", "threads"])
@pytest.mark.parametrize("workers", [None, 1, 3])
def test_results_are_in_the_order_of_the_items(executor, workers):
    with parallel.using(executor, workers=workers):
        assert parallel.map_ordered(square, range(40)) == [x * x for x in range(40)]
        assert parallel.map_ordered(square, []) == []


def test_items_are_drawn_only_a_little_ahead_of_the_results():
    drawn = []

    def items():
        for n in range(100):
            drawn.append(n)
            yield n

    results = parallel.iter_ordered(square, items(), threads=2)
    assert next(results) == 0
    assert len(drawn) <= 2 * parallel.AHEAD
    assert list(results) == [x * x for x in range(1, 100)]


def test_an_error_in_an_item_is_the_error_of_the_call():
    with pytest.raises(ValueError, match="not 0"):
        parallel.map_ordered(refuse, [0, 1], threads=2)


def test_what_was_said_ends_with_the_block():
    with parallel.using("threads", workers=3):
        assert parallel.workers() == 3
    assert parallel.workers() == parallel.workers(None) >= 1


@pytest.mark.parametrize("wrong", [{"executor": "ray"}, {"executor": "threads", "scheduler": "tcp://127.0.0.1:1"}])
def test_unknown_executors_are_refused(wrong):
    with pytest.raises(GeotoolsError), parallel.using(**wrong):
        pass


CODEC = parallel.Codec(
    key=lambda item: f"part-{item}",
    dump=lambda result: {"value": np.array(result)},
    load=lambda arrays: int(arrays["value"]),
)


def test_finished_parts_are_kept_and_damaged_ones_done_again(tmp_path: Path):
    done = []

    def work(x: int) -> int:
        if x == 7 and not (tmp_path / "mended").exists():
            raise KeyboardInterrupt
        done.append(x)
        return x * x

    with parallel.using("serial", keep=tmp_path / "parts"):
        with pytest.raises(KeyboardInterrupt):
            parallel.map_ordered(work, range(10), codec=CODEC)
        assert done == [0, 1, 2, 3, 4, 5, 6]
        (tmp_path / "mended").touch()
        (tmp_path / "parts" / "part-3.npz").write_bytes(b"half a file")
        assert parallel.map_ordered(work, range(10), codec=CODEC) == [x * x for x in range(10)]
    assert done == [0, 1, 2, 3, 4, 5, 6, 3, 7, 8, 9]
    assert sorted(p.name for p in (tmp_path / "parts").iterdir()) == [f"part-{n}.npz" for n in range(10)]


@pytest.mark.dask
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_and_a_killed_worker_costs_only_its_part(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with parallel.using("dask", workers=2):
        assert parallel.map_ordered(square, range(20)) == [x * x for x in range(20)]
        results = parallel.iter_ordered(slow_square, range(40))
        first = next(results)
        os.kill(first[0], signal.SIGKILL)
        rest = list(results)
    assert [value for _, value in [first, *rest]] == [x * x for x in range(40)]
    assert first[0] not in {pid for pid, _ in rest[8:]}


@pytest.mark.dask
def test_a_scheduler_that_does_not_answer_is_said_plainly(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "ANSWER_S", 1)
    with pytest.raises(GeotoolsError, match="does not answer"), parallel.using("dask", scheduler="tcp://127.0.0.1:9"):
        pass


def _threads_inside(items):
    return len(set(parallel.map_here(_thread, items)))


def _thread(_):
    time.sleep(0.02)
    return threading.get_ident()


def test_what_a_worker_does_is_not_spread_again():
    """Eight threads that each started eight would be sixty-four."""
    with parallel.using("threads", workers=4):
        assert len(set(parallel.map_here(_thread, range(8)))) > 1
        assert parallel.map_ordered(_threads_inside, [range(8)] * 4) == [1] * 4
    with parallel.using("serial"):
        assert _threads_inside(range(8)) == 1


@pytest.mark.dask
def test_a_port_that_never_speaks_is_no_scheduler(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel, "ANSWER_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"

        async def asked() -> None:  # as in a notebook, which has a loop of its own
            with pytest.raises(GeotoolsError, match="does not answer"), parallel.using("dask", scheduler=address):
                pass

        with ThreadPoolExecutor(1) as beside:
            beside.submit(lambda: asyncio.run(asked())).result()
