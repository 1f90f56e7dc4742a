"""Run one function over many items, in order, on one or several threads.

For work that releases the interpreter lock (GEOS, numpy, compressed I/O); results never depend on the executor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def workers(wanted: int | None = None) -> int:
    """How many threads to use: what was asked for, else the processors this process may use (at most 8)."""
    if wanted is not None:
        return max(1, wanted)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(8, available))


def map_ordered(function: Callable[[A], B], items: Iterable[A], *, threads: int | None = None) -> list[B]:
    """Apply `function` to every item and return the results in the order of the items.

    Examples
    --------
    >>> map_ordered(abs, [-1, 2], threads=2)
    [1, 2]
    """
    todo = list(items)
    count = min(workers(threads), len(todo))
    if count <= 1:
        return [function(item) for item in todo]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, todo))
