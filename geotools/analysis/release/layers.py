"""The ground itself: remaining, released, processed, outside and overlapping polygons, in the CRS of the hazards.

For maps and files, all at once or piece by piece (`io.pieces`); the figures beside each polygon come from `tables`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release import ledger as _ledger
from geotools.analysis.release import projection as _p
from geotools.analysis.release.engine import shared_area
from geotools.analysis.release.geos import overlay, union
from geotools.analysis.release.ledger import SLIVER_M2, Ledger, Snapshot
from geotools.io.pieces import Layer
from geotools.space import geom
from geotools.space.shapes import Shapes, meeting

DRAWN_M2 = 0.01  # thinner left-overs come from rounding of shared edges: they stay in the figures, not on the map
TOLD = ("id", "name", "classification", "status", "organisation", "admin1", "admin2", "place")
CREDIT = ("id", "product", "counted_as", "hazard_id", "organisation", "team", "method", "date", "depth_cm")


def remaining(book: Ledger, shot: Snapshot, table: pd.DataFrame) -> Layer:
    """What no act has released, one row per hazard that has any."""
    rows = np.flatnonzero(table["remaining_m2"].to_numpy() > DRAWN_M2)
    columns = [c for c in (*TOLD, "remaining_m2", "processed_m2", "area_m2", "coverage") if c in table.columns]
    rest_of, ground = _ledger.rest_of(book, shot), book.hazards.ground

    def draw(places: np.ndarray) -> np.ndarray:
        mine = rows[places]
        rest, hazard = rest_of(mine), shot.hazard[mine]
        there = shapely.area(rest) > 0
        as_recorded = shapely.equals_exact(rest, ground.plane[hazard], 0.0) & ~ground.repaired[hazard]
        shapes = np.full(len(mine), None, dtype=object)
        shapes[there & as_recorded] = _recorded(book, hazard[there & as_recorded])
        shapes[there & ~as_recorded] = _p.back(rest[there & ~as_recorded], book.plane, book.crs)
        return shapes

    return Layer(table.iloc[rows][columns], shot.ground.bounds[rows], draw, book.crs)


def _recorded(book: Ledger, rows: np.ndarray) -> np.ndarray:
    """Geometries as given, in the CRS of the hazards; repaired there if they are not valid."""
    return geom.repair(book.hazards.ground.given[rows])


def released(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> Layer:
    """The ground each release was the first to release, inside hazards."""
    return _credited(book, shot, credits_, shot.act <= _e.CANCELLED)


def processed(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> Layer:
    """The ground each mechanical row was the first to process and nobody released."""
    return _credited(book, shot, credits_, shot.act == _e.PROCESSED)


def _credited(book: Ledger, shot: Snapshot, credits_: pd.DataFrame, wanted: np.ndarray) -> Layer:
    own = shot.release < len(book.releases)
    gained = np.bincount(shot.own_c, weights=shot.own_net, minlength=len(shot.cover))[: len(shot.cover)]
    chosen = _by_record(shot, wanted & own & (gained > DRAWN_M2))
    table = credits_.iloc[shot.release[chosen]][[*CREDIT, "net_m2", "area_m2"]]

    def draw(places: np.ndarray) -> np.ndarray:
        acts = chosen[places]
        turn = np.argsort(acts)
        shapes = np.empty(len(acts), dtype=object)
        shapes[turn] = first_ground(shot, acts[turn])
        return _p.back(shapes, book.plane, book.crs)

    return Layer(table, shot.cover.bounds[chosen], draw, book.crs)


def _by_record(shot: Snapshot, wanted: np.ndarray) -> np.ndarray:
    """Acts in the order of the records."""
    chosen = np.flatnonzero(wanted)
    return chosen[np.argsort(shot.release[chosen])]


def first_ground(shot: Snapshot, chosen: np.ndarray) -> np.ndarray:
    """Polygons on the plane: the part of each chosen act (rising) inside hazards that no act before it covers."""
    inside = _inside(shot, chosen)
    one, other = meeting(shapely.bounds(inside).reshape(-1, 4), shot.cover.bounds)
    before = other < chosen[one]
    one, other = one[before], other[before]
    earlier, which = _each(shot.cover, other)
    near = shapely.intersects(inside[one], earlier[which])
    one, which = one[near], which[near]
    order = np.lexsort((which, one))
    one, which = one[order], which[order]
    if len(one):
        starts = np.r_[0, np.flatnonzero(np.diff(one)) + 1]
        joined = np.array([union(earlier[group]) for group in np.split(which, starts[1:])], dtype=object)
        rows = one[starts]
        inside[rows] = geom.polygonal(overlay(shapely.difference, inside[rows], joined))
    return inside


def _each(shapes: Shapes, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The polygons of these rows, each drawn once, and for every row which of them it is."""
    needed, which = np.unique(rows, return_inverse=True)
    return shapes[needed], which


def _inside(shot: Snapshot, chosen: np.ndarray) -> np.ndarray:
    """The part of each chosen act that lies in any hazard."""
    out = np.full(len(chosen), shapely.Polygon(), dtype=object)
    position = np.full(len(shot.cover), -1)
    position[chosen] = np.arange(len(chosen))
    mine = (position[shot.pair_c] >= 0) & (shot.raw > 0)
    act, hazard = position[shot.pair_c[mine]], shot.pair_h[mine]
    order = np.lexsort((hazard, act))
    act, hazard = act[order], hazard[order]
    if not len(act):
        return out
    covers = shot.cover[chosen]
    ground, which = _each(shot.ground, hazard)
    shapely.prepare(ground)
    whole = shapely.covers(ground[which], covers[act])
    starts = np.r_[0, np.flatnonzero(np.diff(act)) + 1]
    for group_act, group, group_whole in zip(
        np.split(act, starts[1:]), np.split(which, starts[1:]), np.split(whole, starts[1:]), strict=True
    ):
        place = group_act[0]
        if group_whole.any():
            out[place] = covers[place]
            continue
        joined = np.array([union(ground[group])], dtype=object)
        out[place] = geom.polygonal(overlay(shapely.intersection, covers[[place]], joined))[0]
    return out


def outside(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> Layer:
    """Released ground outside every hazard, by the release that claimed it first."""
    chosen = _by_record(shot, (shot.outside > DRAWN_M2) & (shot.release < len(book.releases)))
    table = credits_.iloc[shot.release[chosen]][[*CREDIT, "outside_m2", "area_m2"]]
    outside_of = _ledger.outside_of(book, shot)

    def draw(places: np.ndarray) -> np.ndarray:
        acts = chosen[places]
        turn = np.argsort(acts)
        shapes = np.empty(len(acts), dtype=object)
        shapes[turn] = outside_of(acts[turn])
        return _p.back(shapes, book.plane, book.crs)

    return Layer(table, shot.cover.bounds[chosen], draw, book.crs)


def overlap_pairs(book: Ledger, shot: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Releases that claim the same ground: (later, first, m²), in order of priority."""
    rows = np.flatnonzero((shot.act <= _e.CANCELLED) & (shot.release < len(book.releases)))
    cover = shot.cover.take(rows)
    later, first = meeting(cover.bounds, cover.bounds)
    keep = first < later
    later, first = later[keep], first[keep]
    area = shared_area(cover, (later, first), shot.engine)
    some = area > SLIVER_M2
    return rows[later[some]], rows[first[some]], area[some]


def overlaps(book: Ledger, shot: Snapshot) -> Layer:
    """One row per pair of releases that claim the same ground."""
    later, first, area = overlap_pairs(book, shot)
    drawn = area > DRAWN_M2
    later, first, area = later[drawn], first[drawn], area[drawn]
    ids = book.releases.rows.id
    table = pd.DataFrame(
        {
            "id": ids[shot.release[later]],
            "other_id": ids[shot.release[first]],
            "product": np.array([_e.WORDS[code] for code in shot.act[later]], dtype=object),
            "other_product": np.array([_e.WORDS[code] for code in shot.act[first]], dtype=object),
            "overlap_m2": area,
        }
    )
    order = np.lexsort((table["other_id"].to_numpy().astype(str), table["id"].to_numpy().astype(str)))
    later, first = later[order], first[order]

    def draw(places: np.ndarray) -> np.ndarray:
        one, other = _each(shot.cover, later[places]), _each(shot.cover, first[places])
        shapes = geom.polygonal(overlay(shapely.intersection, one[0][one[1]], other[0][other[1]]))
        return _p.back(shapes, book.plane, book.crs)

    return Layer(table.iloc[order], shot.cover.bounds[later], draw, book.crs)


CREDITED = (released, processed, outside)
