"""A shelf of polygons on disk: they are put there once and drawn from it by row.

For geometry that does not fit into memory while it is worked on; not for records that anyone keeps (see `parts`).
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

GAP = 64 * 1024  # bytes read along with what is wanted rather than reading twice


def put(polygons: np.ndarray, path: Path) -> np.ndarray:
    """Write polygons one after the other; whole or not at all. Gives where each ends."""
    blocks = shapely.to_wkb(polygons)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with temporary.open("wb") as target:
        for block in blocks:
            target.write(block)
    temporary.replace(path)
    return np.cumsum([len(block) for block in blocks], dtype=np.int64)


class Shelf:
    """Polygons in several files, by row over all of them.

    Parameters
    ----------
    files
        What `put` wrote. Their names stand for their content.
    ends
        What `put` gave, per file.
    keeper
        What has to live as long as the files are needed, e.g. a temporary folder.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "some")
    >>> shelf = Shelf([file], [put(shapely.box(0, 0, [1, 2, 3], 1), file)])
    >>> shapely.area(shelf.draw(np.array([2, 0]))).tolist()
    [3.0, 1.0]
    """

    def __init__(self, files: Sequence[Path], ends: Sequence[np.ndarray], keeper: Any = None) -> None:
        self._keeper = keeper
        self._files = tuple(str(file) for file in files)
        self._file = np.repeat(np.arange(len(files), dtype=np.int32), [len(end) for end in ends])
        self._end = np.concatenate([np.zeros(0, dtype=np.int64), *ends])
        self._size = np.concatenate([np.zeros(0, dtype=np.int32), *(np.diff(end, prepend=0) for end in ends)])
        self._size = self._size.astype(np.int32)

    def __len__(self) -> int:
        return len(self._end)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_keeper": None}  # another process reads the files, it does not own them

    def only(self, rows: np.ndarray) -> Shelf:
        """A shelf of some of the rows, in this order: little to send to another process."""
        out = Shelf((), (), self._keeper)
        used, number = np.unique(self._file[rows], return_inverse=True)
        out._file = number.astype(np.int32)
        out._files = tuple(self._files[one] for one in used)
        out._end, out._size = self._end[rows], self._size[rows]
        return out

    def draw(self, rows: np.ndarray) -> np.ndarray:
        """Polygons of these rows, in this order."""
        out = np.empty(len(rows), dtype=object)
        file, end, size = self._file[rows], self._end[rows], self._size[rows].astype(np.int64)
        begin = end - size
        order = np.lexsort((begin, file))
        new = np.r_[True, (np.diff(file[order]) != 0) | (begin[order][1:] - end[order][:-1] > GAP)] if len(rows) else []
        blocks: list[bytes] = []
        for run in np.split(order, np.flatnonzero(new)[1:]) if len(rows) else []:
            start = int(begin[run[0]])
            data = _piece(self._files[file[run[0]]], start, int(end[run].max()) - start)
            blocks += [
                data[a:b] for a, b in zip((begin[run] - start).tolist(), (end[run] - start).tolist(), strict=True)
            ]
        out[order] = shapely.from_wkb(np.array(blocks, dtype=object))
        return out

    def named(self, rows: np.ndarray) -> bytes:
        """What stands for the content of these rows."""
        digest = hashlib.sha256("\0".join(Path(name).name for name in self._files).encode())
        for column in (self._file, self._end):
            digest.update(np.ascontiguousarray(column[rows], dtype=np.int64).tobytes())
        return digest.digest()


def _piece(path: str, start: int, size: int) -> bytes:
    with Path(path).open("rb", buffering=0) as source:
        found = os.pread(source.fileno(), size, start)
        while len(found) < size:
            more = os.pread(source.fileno(), size - len(found), start + len(found))
            if not more:
                raise OSError(f"{path} is shorter than it was")
            found += more
    return found
