"""A survey out of a store: the records as they are known now, or were known at a moment.

For opening; saving is the store's own (`geotools.store`), files are read in `opening`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd

from geotools.io import store as stores
from geotools.model.programme import Programme
from geotools.model.progress import Progress, tracked
from geotools.model.provenance import InputFile
from geotools.model.schema import Issue, issues_frame, join_issues
from geotools.space import crs as _crs
from geotools.survey.record import Survey

Moved = Callable[[gpd.GeoDataFrame, Programme], tuple[gpd.GeoDataFrame, Any, Any]]


def from_store(source: str | Path, moved: Moved, *, as_of: Any = None, progress: Progress | None = None) -> Survey:
    """The survey that a store holds; its one input is the revision, sealed by its hash.

    Parameters
    ----------
    moved
        Brings a layer in another datum onto WGS 84, as for files.
    as_of
        Day, time or number of a revision: what the store knew then; None: now.

    Raises
    ------
    StoreError
        If there is no store, or it knew nothing then.
    """
    with stores.open(source) as store:
        revision = store.revision(as_of)
        programme = store.programme(as_of=revision.number) or Programme(name=store.name or Programme().name)
        layers, found, rows = {}, [], 0
        name = f"{store.label} revision {revision.number}"
        for kind in tracked(store.kinds(as_of=revision.number), "loading layers", progress):
            frame = store.load(kind, as_of=revision.number)
            system = _crs.label(frame.crs)
            layers[kind], shifted, _ = moved(frame, programme)
            count = len(frame)
            rows += count
            note = Issue(
                "RD-00", "info", kind, message=f"{name}, {kind}: {count} rows, all kept ({system})",
                value=f"rows={count} kept={count} repaired=0 rejected=0",
            )  # fmt: skip
            found += [issues_frame([note]), *([shifted] if shifted is not None else [])]
        title = programme.name if programme.name != Programme().name else store.name or Path(store.label).stem
    sealed = InputFile(name, 0, revision.hash, rows)
    return Survey(title, layers, programme, join_issues(*found), (sealed,), {})
