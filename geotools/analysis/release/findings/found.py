"""One finding of the ledger while it is collected, and all of them as the ISSUES table.

For gathering tens of thousands of rows column by column; the places on the map are worked out together at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.release.ledger import Ledger
from geotools.model.schema.issues import ISSUE_COLUMNS, ISSUE_CRS, as_issue_text

WEIGHT = {"error": 0, "warning": 1, "info": 2}


class Found(NamedTuple):
    """A finding (see `model.schema.Issue`); `at` is the row of its layer that shows where."""

    check: str
    severity: str
    kind: str
    id: str
    column: str
    message: str
    value: Any = ""
    limit: Any = ""
    at: Any = None


@dataclass(frozen=True)
class Alike:
    """Findings of one check, by their positions; each is put into words only when it is asked for."""

    check: str
    severity: str
    rows: np.ndarray
    tell: Callable[[int], Found]

    def __iter__(self) -> Iterator[Found]:
        return map(self.tell, self.rows.tolist())


def each(found: Iterable[Found | Alike]) -> Iterator[Found]:
    """All findings, one by one."""
    for one in found:
        if isinstance(one, Alike):
            yield from one
        else:
            yield one


def tally(found: Iterable[Found | Alike]) -> Counter[tuple[str, str]]:
    """How many findings there are of each check and severity, without their words."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        counts[one.check, one.severity] += len(one.rows) if isinstance(one, Alike) else 1
    return Counter({kind: count for kind, count in counts.items() if count})


def frame(book: Ledger, found: list[Found]) -> gpd.GeoDataFrame:
    """The ISSUES table, sorted by severity, check and id."""
    found = sorted(found, key=lambda f: (WEIGHT[f.severity], f.check, f.kind, f.id, f.message))
    columns = list(zip(*found, strict=True)) or [()] * len(Found._fields)
    data = {}
    for name, cells in zip(ISSUE_COLUMNS, columns, strict=False):
        texts = [cell if type(cell) is str else as_issue_text(cell) for cell in cells]
        data[name] = pd.Series(texts, dtype=object)
    kind = np.array(columns[2], dtype=object)
    row = np.array([-1 if at is None else at for at in columns[-1]], dtype=int)
    shapes = np.full(len(found), None, dtype=object)
    for name in ("hazards", "releases", "events"):
        mine = np.flatnonzero((kind == name) & (row >= 0))
        if len(mine):
            rows, back = np.unique(row[mine], return_inverse=True)
            shapes[mine] = getattr(book, name).ground.points(rows)[back]
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=ISSUE_CRS))
