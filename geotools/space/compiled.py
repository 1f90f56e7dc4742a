"""Load the compiled tests of outlines at once, without what numba looks for and none of them uses.

For commands, which are a process of their own; a library never hides a module from the program it runs in.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

UNUSED = ("scipy.linalg.cython_blas", "cffi")
SETTINGS = Path(".numba_config.yaml")  # of the folder that numba is started in, if its user has any


def load() -> None:
    """Import numba and make the first call, at which it reads all that it knows of numpy.

    It then also looks for the linear algebra of scipy, which takes as long as all the rest and makes one thing of numba
    faster that nothing here does, correlation of series; for cffi, which lets compiled code call libraries of C; and for a
    reader of its own file of settings, unless there is one.

    Examples
    --------
    >>> load()
    >>> "geotools.space.simple" in sys.modules
    True
    """
    with _absent(UNUSED if SETTINGS.exists() else (*UNUSED, "yaml")):
        simple = importlib.import_module("geotools.space.simple")
        none = np.zeros(1, dtype=np.int64)
        simple.simple(np.zeros((0, 2)), np.zeros(0, dtype=bool), none, none)
    gc.freeze()  # all this never dies: looking for cycles need not go through it again


def kept(source: Path) -> bool | None:
    """Whether what numba made of a file of code was kept for the next process; None where there is no place to keep it.

    It is if the function that is called as the file is, which is kept last. Asked without loading numba, which takes longer than most work. What was made of older code does not count.

    Examples
    --------
    >>> kept(Path("/no/such/folder/simple.py")) in (False, None)
    True
    """
    folder = next((place for place in _folders(source) if _writable(place)), None)
    if folder is None:
        return None
    found = folder.glob(f"{source.stem}.{source.stem}-*.py{sys.version_info.major}{sys.version_info.minor}*.nbi")
    return any(index.stat().st_mtime >= source.stat().st_mtime for index in found)


def _folders(source: Path) -> list[Path]:
    """Where numba looks, in its order: a folder that was named, beside the code, the user's."""
    if sys.platform == "win32":
        users = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"), "numba", "Cache")
    elif sys.platform == "darwin":
        users = Path.home() / "Library/Caches/numba"
    else:
        users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "numba")
    beside = source.absolute().parent
    mine = f"{beside.name}_{hashlib.sha1(str(beside).encode(), usedforsecurity=False).hexdigest()}"
    named = os.environ.get("NUMBA_CACHE_DIR")
    return [*([Path(named, mine)] if named else []), beside / "__pycache__", users / mine]


def _writable(folder: Path) -> bool:
    """Whether a folder could be written to, or be made."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


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
