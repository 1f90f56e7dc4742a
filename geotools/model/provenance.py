"""`Provenance`: where a product came from, so that it can be defended and made again.

For the block written beside every output; holds file names, never absolute paths.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from threading import Thread
from typing import Any

NAME = "geotools-demining"  # of the distribution


def version() -> str:
    """Version of geotools."""
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "0+source"


def now() -> datetime:
    """The current UTC time, or that of SOURCE_DATE_EPOCH, which makes products reproducible to the byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        stamp = datetime.fromtimestamp(int(epoch), UTC) if epoch and epoch.isdecimal() else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):  # beyond the calendar
        stamp = datetime.now(UTC)
    return stamp.replace(microsecond=0)


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hex; a file of several layers is read through once."""
    file = Path(path)
    found = file.stat()
    return _sha256(file.absolute(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def hashing(paths: Iterable[Path]) -> Iterator[None]:
    """Hash files on a thread of its own while the block reads them; `sha256` then knows them already.

    Examples
    --------
    >>> with hashing([Path("no such file")]):
    ...     pass
    """
    wanted = [path for path in dict.fromkeys(paths) if path.is_file()]
    beside = Thread(target=_hash_all, args=(wanted,), daemon=True)  # nobody waits for it if reading is given up
    beside.start()
    yield
    beside.join()


def _hash_all(paths: list[Path]) -> None:
    for path in paths:
        with suppress(OSError):  # who asks for it later is told
            sha256(path)


@dataclass(frozen=True)
class InputFile:
    """One input: name (not path), size in bytes, hash, and what was read from it."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None
    crs: str = ""
    operation: str = ""
    operation_accuracy_m: float | None = None

    @classmethod
    def of(cls, path: str | Path, **known: Any) -> InputFile:
        """Describe a file on disk, or a folder that is one data set (.gdb): the hash then covers names and bytes."""
        file = Path(path)
        if not file.is_dir():
            return cls(name=file.name, bytes=file.stat().st_size, sha256=sha256(file), **known)
        parts = sorted(p for p in file.rglob("*") if p.is_file())
        digest = hashlib.sha256(
            "\n".join(f"{p.relative_to(file).as_posix()} {sha256(p)}" for p in parts).encode()
        ).hexdigest()
        return cls(name=file.name, bytes=sum(p.stat().st_size for p in parts), sha256=digest, **known)


@dataclass(frozen=True)
class Provenance:
    """How a product was made: inputs, parameters, as-of date and version.

    Examples
    --------
    >>> Provenance(what="coverage").to_dict()["what"]
    'coverage'
    """

    what: str
    inputs: tuple[InputFile, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    as_of: date | None = None
    created: datetime = field(default_factory=now)
    version: str = field(default_factory=version)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, dates as ISO text."""
        return {
            "what": self.what,
            "software": f"geotools {self.version}",
            "created": self.created.isoformat().replace("+00:00", "Z"),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "inputs": [{k: v for k, v in vars(item).items() if v not in (None, "")} for item in self.inputs],
            "parameters": {k: _plain(v) for k, v in sorted(self.parameters.items())},
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return [_plain(v) for v in value] if isinstance(value, Iterable) else str(value)
