"""Write beside, then rename: a killed or failing writer leaves the old file or the new one, never half.

For every file geotools writes; not for databases, which have transactions.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geotools.io import words
from geotools.model.errors import GeotoolsError, WriteError


@contextmanager
def replacing(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` (same name, in a hidden folder); on success it takes the place of `path`.

    Raises
    ------
    WriteError
        If `path` exists and `overwrite` is false, its folder cannot be written, or the writer failed with an OSError.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole", "utf-8")
    >>> (folder / "a.txt").read_text("utf-8")
    'whole'
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise WriteError(
            "it exists already", hint="choose another name or add --overwrite (overwrite=True)", file=target
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".geotools-", dir=target.parent))
    except OSError as error:
        raise WriteError(
            f"the folder cannot be written ({error.strerror or error})", hint="choose another folder", file=target
        ) from error
    try:
        temporary = folder / target.name
        try:
            yield temporary
            _sync(temporary)
            _settle(temporary, target)
        except WriteError as error:
            error.file = _as_called(error.file, temporary, target)
            raise
        except GeotoolsError:
            raise  # of what was being written, e.g. a file that is read meanwhile
        except OSError as error:
            raise WriteError(
                f"writing failed{words.bracketed(os.strerror(error.errno) if error.errno else words.said(error))}; nothing was changed",
                hint="is the disk full or the file open elsewhere?",
                file=target,
            ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_called(file: str | None, temporary: Path, target: Path) -> str:
    """The name that people know instead of the temporary one."""
    if file is None:
        return str(target)
    place = Path(file)
    return str(target / place.relative_to(temporary)) if place.is_relative_to(temporary) else file


def _sync(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _settle(temporary: Path, target: Path) -> None:
    """Put the new thing in the place of the old one of the same sort; never a file over a folder, nor over a device."""
    if target.exists() and target.is_dir() != temporary.is_dir():
        what = "a folder" if target.is_dir() else "a file"
        raise WriteError(
            f"there is {what} of this name already; nothing was changed", hint="choose another name", file=target
        )
    if target.exists() and not (target.is_dir() or target.is_file()):
        raise WriteError(
            "this is neither a file nor a folder; nothing was changed", hint="choose another name", file=target
        )
    if target.is_dir() and not target.is_symlink():
        old = temporary.parent / ".old"
        target.replace(old)
        temporary.replace(target)
    else:
        temporary.replace(target)


def write_text(path: str | Path, text: str, *, overwrite: bool = False) -> Path:
    """Write UTF-8 text with LF line ends, whole or not at all.

    Raises
    ------
    WriteError
        As `replacing`.
    """
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
    return Path(path)
