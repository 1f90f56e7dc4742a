"""One Playwright per process: a second one beside it refuses to start. For the fixtures of the page tests and of the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_running: list[Any] = []
_users: list[int] = []


@contextmanager
def playing() -> Iterator[Any]:
    """The running Playwright, started for its first user and stopped after its last."""
    from playwright.sync_api import sync_playwright

    if not _users:
        _running.append(sync_playwright().start())
    _users.append(1)
    try:
        yield _running[-1]
    finally:
        _users.pop()
        if not _users:
            _running.pop().stop()
