"""The ground itself: remaining, released, processed, outside and overlapping polygons, in the CRS of the hazards.

For maps and files; the figures beside each polygon come from `tables`.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release.engine import shared_area
from geotools.analysis.release.geos import overlay, union
from geotools.analysis.release.ledger import SLIVER_M2, Ledger, Snapshot
from geotools.space import geom
from geotools.space.shapes import meeting

DRAWN_M2 = 0.01  # thinner left-overs come from rounding of shared edges: they stay in the figures, not on the map
TOLD = ("id", "name", "classification", "status", "organisation", "admin1", "admin2", "place")
CREDIT = ("id", "product", "counted_as", "hazard_id", "organisation", "team", "method", "date", "depth_cm")


def remaining(book: Ledger, shot: Snapshot, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """What no act has released, one row per hazard that has any."""
    rest = shot.rest if shot.rest is not None else book.snapshot(shot.as_of, geometry=True).rest
    assert rest is not None
    open_ = (table["remaining_m2"].to_numpy() > DRAWN_M2) & (shapely.area(rest) > 0)
    rows = np.flatnonzero(open_)
    columns = [c for c in (*TOLD, "remaining_m2", "processed_m2", "area_m2", "coverage") if c in table.columns]
    hazard = shot.hazard[rows]
    ground = book.hazards.ground
    as_recorded = shapely.equals_exact(rest[rows], ground.plane[hazard], 0.0) & ~ground.repaired[hazard]
    shapes = np.empty(len(rows), dtype=object)
    shapes[as_recorded] = _recorded(book, hazard[as_recorded])
    shapes[~as_recorded] = _p.back(rest[rows[~as_recorded]], book.plane, book.crs)
    return _frame(table.iloc[rows][columns], shapes, book)


def _recorded(book: Ledger, rows: np.ndarray) -> np.ndarray:
    """Geometries as given, in the CRS of the hazards; repaired there if they are not valid."""
    return geom.repair(book.hazards.ground.given[rows])


def _frame(table: pd.DataFrame, shapes: np.ndarray, book: Ledger) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=gpd.GeoSeries(shapes, crs=book.crs))


def released(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> gpd.GeoDataFrame:
    """The ground each release was the first to release, inside hazards."""
    return _credited(book, shot, credits_, shot.act <= _e.CANCELLED)


def processed(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> gpd.GeoDataFrame:
    """The ground each mechanical row was the first to process and nobody released."""
    return _credited(book, shot, credits_, shot.act == _e.PROCESSED)


def _credited(book: Ledger, shot: Snapshot, credits_: pd.DataFrame, wanted: np.ndarray) -> gpd.GeoDataFrame:
    own = shot.release < len(book.releases)
    gained = np.bincount(shot.own_c, weights=shot.own_net, minlength=len(shot.cover))[: len(shot.cover)]
    chosen = np.flatnonzero(wanted & own & (gained > DRAWN_M2))
    shapes = first_ground(shot, chosen)
    rows = shot.release[chosen]
    order = np.argsort(rows)
    columns = [*CREDIT, "net_m2", "area_m2"]
    table = credits_.iloc[rows[order]][columns]
    return _frame(table, _p.back(shapes[order], book.plane, book.crs), book)


def first_ground(shot: Snapshot, chosen: np.ndarray) -> np.ndarray:
    """Polygons on the plane: the part of each chosen act inside hazards that no act before it covers."""
    inside = _inside(shot, chosen)
    one, other = meeting(shapely.bounds(inside), shot.cover.bounds)
    before = other < chosen[one]
    one, other = one[before], other[before]
    near = shapely.intersects(inside[one], shot.cover[other])
    one, other = one[near], other[near]
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    if len(one):
        starts = np.r_[0, np.flatnonzero(np.diff(one)) + 1]
        joined = np.array([union(shot.cover[group]) for group in np.split(other, starts[1:])], dtype=object)
        rows = one[starts]
        inside[rows] = geom.polygonal(overlay(shapely.difference, inside[rows], joined))
    return inside


def _inside(shot: Snapshot, chosen: np.ndarray) -> np.ndarray:
    """The part of each chosen act that lies in any hazard."""
    out = np.full(len(chosen), shapely.Polygon(), dtype=object)
    position = np.full(len(shot.cover), -1)
    position[chosen] = np.arange(len(chosen))
    mine = (position[shot.pair_c] >= 0) & (shot.raw > 0)
    act, hazard = shot.pair_c[mine], shot.pair_h[mine]
    order = np.lexsort((hazard, act))
    act, hazard = act[order], hazard[order]
    if not len(act):
        return out
    ground = shot.ground[hazard]
    shapely.prepare(ground)
    whole = shapely.covers(ground, shot.cover[act])
    starts = np.r_[0, np.flatnonzero(np.diff(act)) + 1]
    for group_act, group_hazard, group_whole in zip(
        np.split(act, starts[1:]), np.split(hazard, starts[1:]), np.split(whole, starts[1:]), strict=True
    ):
        cover = shot.cover[group_act[0]]
        if group_whole.any():
            out[position[group_act[0]]] = cover
            continue
        ground = np.array([union(shot.ground[group_hazard])], dtype=object)
        out[position[group_act[0]]] = geom.polygonal(
            overlay(shapely.intersection, np.array([cover], dtype=object), ground)
        )[0]
    return out


def outside(book: Ledger, shot: Snapshot, credits_: pd.DataFrame) -> gpd.GeoDataFrame:
    """Released ground outside every hazard, by the release that claimed it first."""
    chosen = np.flatnonzero((shot.outside > DRAWN_M2) & (shot.release < len(book.releases)))
    rows = shot.release[chosen]
    order = np.argsort(rows)
    table = credits_.iloc[rows[order]][[*CREDIT, "outside_m2", "area_m2"]]
    ground = shot.outside_ground
    if ground is None:
        ground = book.snapshot(shot.as_of, geometry=True).outside_ground
    assert ground is not None
    return _frame(table, _p.back(ground[chosen[order]], book.plane, book.crs), book)


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


def overlaps(book: Ledger, shot: Snapshot) -> gpd.GeoDataFrame:
    """One row per pair of releases that claim the same ground."""
    later, first, area = overlap_pairs(book, shot)
    drawn = area > DRAWN_M2
    later, first, area = later[drawn], first[drawn], area[drawn]
    shape = geom.polygonal(overlay(shapely.intersection, shot.cover[later], shot.cover[first]))
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
    return _frame(table.iloc[order], _p.back(shape[order], book.plane, book.crs), book)
