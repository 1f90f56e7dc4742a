"""Who claims the same ground, and what is left of a hazard: RL-12, 13, 15, 21 and AR-01."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from geotools.analysis.release import layers as _layers
from geotools.analysis.release import tables as _tables
from geotools.analysis.release.findings.found import Alike, Found
from geotools.analysis.release.ledger import Ledger, Snapshot
from geotools.model.figures import square_metres

CLOSED = frozenset({"closed", "released", "cancelled"})
IDENTITY_M2, IDENTITY_SHARE = 1.0, 0.001  # A1


def hazard_rows(book: Ledger, shot: Snapshot, table: pd.DataFrame) -> Iterator[Found]:
    """Status against what remains, superseded ground, and whether each row closes."""
    status = book.hazards.rows.word("status", "hazard_status", book.programme)[shot.hazard]
    heir = book.hazards.rows.text("supersedes_id")
    replaced = {heir[row]: book.hazards.rows.id[row] for row in shot.hazard if heir[row]}
    left, gross = table["remaining_m2"].to_numpy(), table["area_m2"].to_numpy()
    spent = np.sum([table[f"{name}_m2"].to_numpy() for name in _tables.ACTS if name != "processed"], axis=0)
    for n, row in enumerate(shot.hazard):
        name = book.hazards.rows.id[row]
        tolerance = max(IDENTITY_M2, IDENTITY_SHARE * gross[n])
        if abs(gross[n] - spent[n] - left[n]) > tolerance:
            yield Found(
                "AR-01",
                "error",
                "hazards",
                name,
                "",
                f"its ledger does not close: of {square_metres(gross[n])} m² recorded, {square_metres(spent[n], toward='down')} are released and "
                f"{square_metres(left[n], toward='up')} remain; {square_metres(abs(gross[n] - spent[n] - left[n]), toward='up')} m² differ",
                value=float(gross[n]),
                limit=tolerance,
            )
        if left[n] > tolerance and status[n] in CLOSED and name not in replaced:
            yield Found(
                "RL-13",
                "error",
                "hazards",
                name,
                "status",
                f"it is {status[n]}, but {square_metres(left[n], toward='up')} m² of it were never released: they remain open",
                value=float(left[n]),
                limit=tolerance,
                at=row,
            )
        if name in replaced and shot.own_left[n] > tolerance:
            yield Found(
                "RL-15",
                "warning",
                "hazards",
                name,
                "geometry",
                f"it is superseded by {replaced[name]}, but {square_metres(shot.own_left[n], toward='up')} m² lie outside that and were never released: they remain open",
                value=float(shot.own_left[n]),
                at=row,
            )


def shared(book: Ledger, shot: Snapshot) -> Iterator[Found]:
    """Ground that two hazards claim."""
    names, link = book.hazards.rows.id, book.hazards.rows.text("supersedes_id")
    parent = book.hazards.rows.text("parent_id")
    limit, share = book.programme.limit("overlap_m2"), book.programme.limit("overlap_share")
    for one, two, area in shot.shared:
        a, b = shot.hazard[one], shot.hazard[two]
        if area <= max(limit, share * min(shot.gross[one], shot.gross[two])):
            continue
        related = names[a] in (link[b], parent[b]) or names[b] in (link[a], parent[a])
        yield Found(
            "RL-12", "info" if related else "warning", "hazards", names[a], "geometry",
            f"it shares {square_metres(area, toward='down')} m² with {names[b]}: in totals that ground is counted once", value=area, limit=limit,
            at=a,
        )  # fmt: skip


def doubles(book: Ledger, shot: Snapshot) -> Iterator[Alike]:
    """A3: ground released twice."""
    later, first, area = _layers.overlap_pairs(book, shot)
    ids, ground = book.releases.rows.id, book.releases.ground.area
    one, two = shot.release[later], shot.release[first]
    limit, share = book.programme.limit("overlap_m2"), book.programme.limit("overlap_share")
    bad = np.flatnonzero((area > limit) & (area > share * np.minimum(ground[one], ground[two])))

    def tell(n: int) -> Found:
        says = f"{square_metres(area[n], toward='down')} m² of it were also released by {ids[two[n]]}, which keeps the credit"
        return Found(
            "RL-21", "error", "releases", ids[one[n]], "geometry", says, value=float(area[n]), limit=limit, at=one[n]
        )

    yield Alike("RL-21", "error", bad, tell)
