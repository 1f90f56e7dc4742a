"""What each release says of itself: RL-04, 06, 07, 11, 19, 22 and AR-11. Its link to a hazard is in `links`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release.findings.found import Alike, Found
from geotools.analysis.release.ledger import Ledger, Snapshot
from geotools.analysis.release.reopenings import Layer
from geotools.model.figures import square_metres
from geotools.model.methods import UNKNOWN
from geotools.model.vocab import vocabulary


def release_rows(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> Iterator[Found | Alike]:
    """Day, product, method, effect and reported area of each release."""
    layer = book.releases
    rows, ids, day = layer.rows, layer.rows.id, layer.rows.day
    usable = layer.ground.state == _p.USABLE
    for row in np.flatnonzero(np.isnat(day)):
        told = "a date that cannot be read" if rows.odd_day[row] else "no date"
        then = "is credited after all dated ones" if shot.as_of is None else f"is not counted as of {shot.as_of}"
        yield Found("RL-04", "warning", "releases", ids[row], "date", f"it has {told}: it {then}", at=row)
    for row in np.flatnonzero(rows.act == _e.NOTHING):
        yield Found(
            "RL-06",
            "error",
            "releases",
            ids[row],
            "product",
            "its product is missing or not a known word: it releases 0 m²",
            limit=", ".join(_e.PRODUCTS),
            at=row,
        )
    yield from _strange_methods(book)
    strange = _e.methods(rows.frame, book.programme) == UNKNOWN

    def unsearched(row: int) -> Found:
        says = "a machine processed this ground and no search after it is recorded: it is processed, not released"
        return Found("RL-07", "warning", "releases", ids[row], "follow_up", says, at=row)

    yield Alike("RL-07", "warning", np.flatnonzero((rows.act == _e.PROCESSED) & usable & ~strange), unsearched)
    acts = np.isin(rows.act, _e.RELEASING)
    why = credits_["why_zero"].to_numpy()
    for row in np.flatnonzero(acts & usable & (why == "all of its ground had been released before")):
        yield Found(
            "RL-11",
            "warning",
            "releases",
            ids[row],
            "",
            "all of its ground had been released before: it adds 0 m²",
            value=0,
            at=row,
        )
    out = credits_["outside_m2"].to_numpy()
    share = book.programme.limit("overlap_share")
    least = book.programme.limit("overlap_m2")

    def astray(row: int) -> Found:
        says = (
            f"{square_metres(out[row], toward='up')} m² of it lie outside every recorded hazard: they are listed apart"
        )
        return Found(
            "RL-22", "warning", "releases", ids[row], "geometry", says, value=float(out[row]), limit=least, at=row
        )

    yield Alike("RL-22", "warning", np.flatnonzero(out > np.maximum(least, share * layer.ground.area)), astray)
    reported = rows.number("area_reported_m2")
    yield from _reported(book, layer, "releases", reported)
    yield from _reported(book, book.hazards, "hazards", book.hazards.rows.number("area_reported_m2"))


def _strange_methods(book: Ledger) -> Iterator[Found]:
    """A method nobody knows proves no search: cleared ground under it is not released."""
    layer = book.releases
    typed = _e.as_entered(layer.rows.frame, "method")
    for row in np.flatnonzero(_e.methods(layer.rows.frame, book.programme) == UNKNOWN):
        held = layer.rows.act[row] == _e.PROCESSED
        then = "a search is not proved, its ground is processed, not released" if held else "it is counted as it says"
        yield Found(
            "RL-19", "error" if held else "warning", "releases", layer.rows.id[row], "method",
            f"its method '{typed[row]}' is not a known word: {then}", value=typed[row],
            limit=", ".join(vocabulary("method").keys), at=row,
        )  # fmt: skip


def _reported(book: Ledger, layer: Layer, name: str, reported: np.ndarray) -> Iterator[Found]:
    """A11: reported against measured area, beyond the larger of 2 % and twice the ±."""
    area = layer.ground.area
    sigma = book.sigma[0] if name == "hazards" else book.sigma[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(reported - area) / area
        limit = np.maximum(book.programme.limit("area_mismatch_share"), 2 * sigma / area)
    for row in np.flatnonzero((area > 0) & np.isfinite(reported) & (off > limit)):
        ratio = max(reported[row], 1e-9) / area[row]
        slip = next(
            (
                f": the figure may be in {unit}"
                for factor, unit in _SLIPS
                if abs(np.log10(ratio) - np.log10(factor)) < 0.1
            ),
            "",
        )
        yield Found(
            "AR-11", "warning", name, layer.rows.id[row], "area_reported_m2",
            f"it reports {square_metres(reported[row])} m² and measures {square_metres(area[row])} ± {square_metres(sigma[row])} m²{slip}",
            value=float(reported[row]), limit=f"{100 * limit[row]:.1f} %", at=row,
        )  # fmt: skip


_SLIPS = (
    (1e-4, "hectares"),
    (1e-6, "square kilometres"),
    (1e-3, "dönüm of 1,000 m²"),
    (1e4, "square centimetres or entered twice as hectares"),
)
