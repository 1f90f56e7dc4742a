"""What a long computation reports, and nothing about how it is shown.

For the `progress=` argument of long functions; the bars themselves live in the CLI and in Jupyter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

T = TypeVar("T")
COMPILING = "compiling the fast engine first"  # in the name of a stage that begins with a wait worth a word in any log


class Progress(Protocol):
    """Receiver of progress: `start` once per stage, `advance` as work is done, `finish` at its end."""

    def start(self, what: str, total: int | None = None) -> None:
        """Begin a stage named in plain words, with the number of steps if known."""

    def advance(self, steps: int = 1) -> None:
        """Some steps are done."""

    def finish(self) -> None:
        """The stage is over."""


class Quiet:
    """A `Progress` that shows nothing.

    Examples
    --------
    >>> Quiet().start("reading", 3)
    """

    def start(self, what: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


def tracked(items: Iterable[T], what: str, progress: Progress | None, total: int | None = None) -> Iterator[T]:
    """Yield `items`, telling `progress` about each one.

    Examples
    --------
    >>> list(tracked([1, 2], "counting", None))
    [1, 2]
    """
    if progress is None:
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    progress.start(what, total)
    try:
        for item in items:
            yield item
            progress.advance()
    finally:
        progress.finish()
