"""Which rows of a table of fixes belong together: blocks that end where every asset and run pauses, and parts made of blocks.

For tables larger than memory, by the numbers of their rows; reading them is in `reading`, working them in `parts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geotools.analysis.swath.fixes import times
from geotools.analysis.swath.path import SECOND
from geotools.analysis.swath.reading import Source, stretches_of
from geotools.analysis.swath.rules import Rules
from geotools.model.errors import CoverageError
from geotools.model.progress import Progress, tracked

HELD = (
    400_000  # fixes held back for what may follow; beyond it assets and runs that are not in the newest rows are let go
)
LONGEST = 2_000_000  # fixes of one asset without any pause
PART = 400_000  # fixes that are handed out together, about


@dataclass(frozen=True)
class Stamps:
    """Fixes as the plan sees them: number of the row, code of asset and run, time, and whether there is one."""

    row: np.ndarray
    key: np.ndarray
    t: np.ndarray
    timed: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, mask: np.ndarray) -> Stamps:
        """Some of them."""
        return Stamps(self.row[mask], self.key[mask], self.t[mask], self.timed[mask])

    def __add__(self, other: Stamps) -> Stamps:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Stamps(*(np.concatenate(pair) for pair in pairs))


def parts(source: Source, rules: Rules, progress: Progress | None) -> Iterator[tuple[np.ndarray, ...]]:
    """Blocks in groups of about `PART` rows, for one worker each: stretches of rows of every block."""
    held: list[np.ndarray] = []
    size = 0
    for rows in blocks(source, rules, progress):
        held.append(stretches_of(rows))
        size += len(rows)
        if size >= PART:
            yield tuple(held)
            held, size = [], 0
    if held:
        yield tuple(held)


def blocks(source: Source, rules: Rules, progress: Progress | None) -> Iterator[np.ndarray]:
    """Numbers of the rows of blocks that end where every asset and run pauses for longer than an outage.

    Raises
    ------
    CoverageError
        If the fixes of an asset are not in the order of time, or one asset has more than 2 million fixes without a pause.
    """
    held: Stamps | None = None
    names: dict[str, int] = {}
    done: dict[int, int] = {}
    for begin, frame in tracked(source.order(), "reading fixes", progress):
        new = Stamps(begin + np.arange(len(frame)), _keys(frame, names), *times(frame))
        every = new if held is None else held + new
        ready = _ready(every, np.unique(new.key) if len(every) > HELD else None, rules)
        held = every.take(~ready)
        if len(held) > LONGEST:
            raise CoverageError(
                "one asset has more than 2 million fixes without a pause",
                hint="split the file by day, or check the times",
                file=source.path,
            )
        if ready.any():
            out = every.take(ready)
            _remember(out, done, rules, source.path)
            yield out.row
    if held is not None and len(held):
        _remember(held, done, rules, source.path)
        yield held.row


def _keys(frame: pd.DataFrame, names: dict[str, int]) -> np.ndarray:
    """Code of asset and run of each row; `names` remembers which code is whose."""
    code = np.zeros(len(frame), dtype=np.int64)
    words = [""] if len(frame) else []
    for name in ("asset_id", "run_id"):
        if name not in frame or not len(frame):
            continue
        values = frame[name]
        place, known = pd.factorize(values if values.dtype != object else values.map(str, na_action="ignore"))
        texts = [*map(str, known), ""]  # the last stands for what is missing
        pairs, code = np.unique(code * len(texts) + np.where(place < 0, len(texts) - 1, place), return_inverse=True)
        words = [f"{words[pair // len(texts)]}\x1f{texts[pair % len(texts)]}" for pair in pairs.tolist()]
    known_by = np.array([names.setdefault(word, len(names)) for word in words], dtype=np.int64)
    return known_by[code] if len(frame) else code


def _ready(every: Stamps, current: np.ndarray | None, rules: Rules) -> np.ndarray:
    """Rows that no later row can belong with: before the last pause of their asset and run, or of one that is not `current` any more."""
    names, code = np.unique(every.key, return_inverse=True)
    ready = ~every.timed
    order = np.lexsort((every.t, code))
    order = order[every.timed[order]]
    c, s = code[order], every.t[order]
    opens = (
        np.concatenate(([True], (np.diff(c) != 0) | (np.diff(s) > rules.outage_s * SECOND)))
        if len(order)
        else np.zeros(0, dtype=bool)
    )
    last = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(last, c[opens], np.flatnonzero(opens))
    gone = np.zeros(len(names), dtype=bool) if current is None else ~np.isin(names, current)
    ready[order] = (np.arange(len(order)) < last[c]) | gone[c]
    return ready


def _remember(block: Stamps, done: dict[int, int], rules: Rules, path: Path) -> None:
    """Note how far each asset and run is worked; a row that belongs before that would be lost, so it is an error."""
    key, t = block.key[block.timed], block.t[block.timed]
    order = np.argsort(key, kind="stable")
    names, first = np.unique(key[order], return_index=True)
    if not len(names):
        return
    low, high = np.minimum.reduceat(t[order], first), np.maximum.reduceat(t[order], first)
    for name, least, most in zip(names.tolist(), low.tolist(), high.tolist(), strict=True):
        if name in done and least <= done[name] + rules.outage_s * SECOND:
            raise CoverageError(
                "the fixes of an asset are not in the order of time",
                hint="sort the table by asset_id, run_id and time first",
                file=path,
            )
        done[name] = most
