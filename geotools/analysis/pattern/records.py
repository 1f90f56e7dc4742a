"""A minefield record against what was found: recorded, found, gone by detonation, unaccounted for, and how far it has moved.

A record is evidence, not truth: what it does not mention is not shown to be absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model import arguments
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space.pairing import pair

GONE = frozenset({"crater", "detonated", "exploded", "destroyed earlier"})
TABLE = ("row_id", "recorded", "found", "craters", "unaccounted", "move_east_m", "move_north_m", "scatter_m")


@dataclass(frozen=True)
class Reconciliation:
    """A reconciled record.

    Parameters
    ----------
    table
        Per row of the record `row_id, recorded, found, craters, unaccounted, move_east_m, move_north_m, scatter_m` (95th percentile
        of what the common movement leaves).
    pairs
        Matched positions: `record_id, find_id, row_id, distance_m`.
    unaccounted
        Recorded positions without find or crater, as search zones in WGS 84: `id, row_id, reach_m`.
    unrecorded
        Finds that no record explains, in WGS 84.

    Examples
    --------
    >>> record = gpd.GeoDataFrame({"id": ["a", "b"], "row_id": "1"}, geometry=gpd.points_from_xy([700000, 700004], [4380000, 4380000]), crs="EPSG:32638")
    >>> finds = gpd.GeoDataFrame({"id": ["f"]}, geometry=gpd.points_from_xy([700000.3], [4380000]), crs="EPSG:32638")
    >>> found = reconcile(record, finds, reach_m=1.0)
    >>> found.pairs[["record_id", "find_id"]].values.tolist(), found.unaccounted["id"].tolist(), len(found.unrecorded)
    ([['a', 'f']], ['b'], 0)
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    unaccounted: gpd.GeoDataFrame
    unrecorded: gpd.GeoDataFrame
    issues: gpd.GeoDataFrame

    def to_dict(self) -> dict[str, Any]:
        """Totals and rows as plain data."""
        rows = [
            {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
            for row in self.table.to_dict("records")
        ]
        totals = {name: int(self.table[name].sum()) for name in ("recorded", "found", "craters", "unaccounted")}
        return {**totals, "unrecorded": len(self.unrecorded), "rows": rows}


def reconcile(
    record: gpd.GeoDataFrame, finds: gpd.GeoDataFrame, *, reach_m: float, drift_m: float = 0.0
) -> Reconciliation:
    """Match recorded positions with finds, row by row, allowing the ground to have moved together.

    First every row's common movement is looked for (up to `drift_m`, as after floods or on slopes), then positions and finds are
    paired within `reach_m`: as many pairs as possible, then the nearest. recorded = found + craters + unaccounted, always.

    Parameters
    ----------
    record
        Recorded positions: points with `id` and `row_id` (any CRS).
    finds
        Kind ``finds``; `condition` of crater, detonated or exploded counts as a crater.
    reach_m
        Greatest distance between a recorded position, after the common movement, and its find.

    Raises
    ------
    StatisticsError
        If `reach_m` is not positive or `drift_m` is negative.

    Examples
    --------
    >>> record = gpd.GeoDataFrame({"id": ["a", "b"], "row_id": "1"}, geometry=gpd.points_from_xy([700000, 700004], [4380000, 4380000]), crs="EPSG:32638")
    >>> finds = gpd.GeoDataFrame({"id": ["f"]}, geometry=gpd.points_from_xy([700000.3], [4380000]), crs="EPSG:32638")
    >>> reconcile(record, finds, reach_m=1.0).table[["recorded", "found", "unaccounted"]].values.tolist()
    [[2, 1, 1]]
    """
    arguments.layer(record, "the record")
    arguments.layer(finds, "the finds")
    reach_m = arguments.number(reach_m, "reach_m", above=0, most=1e6)
    drift_m = arguments.number(drift_m, "drift_m", least=0, most=1e6)
    issues: list[Issue] = []
    plane = _crs.equal_area(tuple(_crs.to_wgs84(record).total_bounds))
    wanted, where = _placed(record, "record", plane, issues)
    found, spots = _placed(finds, "finds", plane, issues)
    condition = (
        found["condition"].astype(object).fillna("").astype(str).str.casefold()
        if "condition" in found
        else pd.Series("", index=found.index)
    )
    gone = condition.isin(GONE).to_numpy()
    row = wanted["row_id"].astype(str).to_numpy() if "row_id" in wanted else np.full(len(wanted), "")
    moves = {name: _movement(where[row == name], spots, drift_m, reach_m) for name in sorted(set(row))}
    moved = where + np.array([moves[name] for name in row]).reshape(-1, 2)
    pairs = pair(moved, spots, reach_m)
    distance = np.hypot(*(moved[pairs[:, 0]] - spots[pairs[:, 1]]).T)
    table, zones = [], []
    for name in sorted(set(row)):
        mine = row == name
        hit = np.isin(np.arange(len(row)), pairs[:, 0]) & mine
        own = mine[pairs[:, 0]]
        craters = int(gone[pairs[own, 1]].sum())
        scatter = float(np.quantile(distance[own], 0.95)) if own.any() else np.nan
        table.append(
            {
                "row_id": name,
                "recorded": int(mine.sum()),
                "found": int(own.sum()) - craters,
                "craters": craters,
                "unaccounted": int((mine & ~hit).sum()),
                "move_east_m": moves[name][0],
                "move_north_m": moves[name][1],
                "scatter_m": scatter,
            }
        )
        zones += [
            (
                str(wanted["id"].iloc[n]),
                name,
                shapely.LineString([where[n], moved[n]]) if drift_m else shapely.Point(moved[n]),
                reach_m,
            )
            for n in np.flatnonzero(mine & ~hit)
        ]
    other = np.setdiff1d(np.arange(len(found)), pairs[:, 1])
    matched = pd.DataFrame(
        {
            "record_id": wanted["id"].to_numpy()[pairs[:, 0]],
            "find_id": found["id"].to_numpy()[pairs[:, 1]],
            "row_id": row[pairs[:, 0]],
            "distance_m": distance,
        }
    )
    return Reconciliation(
        pd.DataFrame(table, columns=list(TABLE)),
        matched,
        _zones(zones, plane),
        _crs.to_wgs84(found.iloc[other]).reset_index(drop=True),
        issues_frame(issues),
    )


def _placed(frame: gpd.GeoDataFrame, kind: str, plane: Any, issues: list[Issue]) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    there = arguments.placed(frame)
    named = frame.assign(id=frame["id"].astype(str) if "id" in frame else [str(n) for n in range(len(frame))])
    issues += [
        Issue("PT-02", "warning", kind, str(i), message="no position: cannot be reconciled")
        for i in named.loc[~there, "id"]
    ]
    kept = named[there].sort_values("id", kind="stable").reset_index(drop=True)
    xy = shapely.get_coordinates(shapely.centroid(_crs.transform(kept.geometry.array, _crs.require(frame), plane)))
    return kept, xy.reshape(-1, 2)


def _movement(where: np.ndarray, spots: np.ndarray, drift: float, reach: float) -> tuple[float, float]:
    """The common shift of a row, not longer than `drift`, that brings most positions near a find; none if none is better."""
    if drift <= 0 or len(where) < 3 or not len(spots):
        return 0.0, 0.0
    from scipy.spatial import cKDTree

    shifts = (spots[None] - where[:, None]).reshape(-1, 2)
    shifts = shifts[np.hypot(*shifts.T) <= drift]
    if not len(shifts):
        return 0.0, 0.0
    tree = cKDTree(spots)

    def near(shift: np.ndarray) -> tuple[int, float]:
        distance = tree.query(where + shift)[0]
        return int((distance <= reach).sum()), -float(np.minimum(distance, reach).sum())

    still = near(np.zeros(2))
    best = max(shifts[:: max(1, len(shifts) // 2000)], key=near)
    distance, index = tree.query(where + best)
    inside = distance <= reach
    better = np.median(spots[index[inside]] - where[inside], axis=0) if inside.any() else best
    best = max([best, better], key=near)
    if near(best) <= still or np.hypot(*best) > drift:
        return 0.0, 0.0
    return float(best[0]), float(best[1])


def _zones(zones: list[tuple[str, str, Any, float]], plane: Any) -> gpd.GeoDataFrame:
    shapes = np.array([shapely.buffer(shape, reach) for _, _, shape, reach in zones], dtype=object)
    data = {"id": [z[0] for z in zones], "row_id": [z[1] for z in zones], "reach_m": [z[3] for z in zones]}
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(_crs.transform(shapes, plane, _crs.WGS84), crs=_crs.WGS84))
