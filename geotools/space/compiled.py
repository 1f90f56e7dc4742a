"""Load the compiled tests of outlines at once, without what numba looks for and none of them uses.

For commands, which are a process of their own; a library never hides a module from the program it runs in.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

UNUSED = ("scipy.linalg.cython_blas", "cffi")


def load() -> None:
    """Import numba and make the first call, at which it reads all that it knows of numpy.

    It then also looks for the linear algebra of scipy, which takes as long as all the rest and makes one thing of numba
    faster that nothing here does, correlation of series; and for cffi, which lets compiled code call libraries of C.

    Examples
    --------
    >>> load()
    >>> "geotools.space.simple" in sys.modules
    True
    """
    with _absent(UNUSED):
        simple = importlib.import_module("geotools.space.simple")
        none = np.zeros(1, dtype=np.int64)
        simple.simple(np.zeros((0, 2)), np.zeros(0, dtype=bool), none, none)


@contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Import as if these modules were not installed; those that are loaded already stay."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
