"""Fade-out: was the ground around the outermost finds searched far enough, and how much the answer hangs on the tail assumed.

The distance is the authority's, given with its reference; nothing here proposes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model import arguments
from geotools.model.errors import StatisticsError
from geotools.space import crs as _crs
from geotools.space import geom

RESAMPLES = 400


@dataclass(frozen=True)
class FadeOut:
    """Result of a fade-out check.

    Parameters
    ----------
    finds
        The finds in WGS 84 with `to_edge_m` (distance to the edge of the searched ground; negative if outside it) and `short` (nearer
        to the edge than the required distance).
    missing
        Ground within the required distance of a find that was not searched, in WGS 84, with `area_m2`.
    tails
        Distance from the middle of the finds within which all but a share of items lie, under two tail models with bootstrap limits:
        `share, normal_m, normal_low, normal_high, exponential_m, exponential_low, exponential_high`.

    Examples
    --------
    >>> finds = gpd.GeoDataFrame({"id": ["f"]}, geometry=[shapely.Point(700050, 4380090)], crs="EPSG:32638")
    >>> ground = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> found = fadeout(finds, ground, fadeout_m=20, authority_ref="invented standard 1")
    >>> found.met, found.finds["to_edge_m"].round(1).tolist(), round(found.searched_share, 2)
    (False, [10.0], 0.8)
    """

    finds: gpd.GeoDataFrame
    missing: gpd.GeoDataFrame
    tails: pd.DataFrame
    fadeout_m: float
    authority_ref: str
    searched_share: float

    @property
    def met(self) -> bool:
        """Whether every find is at least the required distance inside the searched ground."""
        return not bool(self.finds["short"].any())

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "fadeout_m": self.fadeout_m, "authority_ref": self.authority_ref, "requirement_met": self.met,
            "finds": len(self.finds), "finds_too_near_the_edge": int(self.finds["short"].sum()),
            "nearest_to_edge_m": float(self.finds["to_edge_m"].min()) if len(self.finds) else None,
            "searched_share_of_ring": self.searched_share, "not_searched_m2": float(self.missing["area_m2"].sum()),
            "tails": self.tails.to_dict("records"),
            "note": "The tail models differ widely: a distance for a given share is an assumption about the tail, not a measurement.",
        }  # fmt: skip


def circular_normal_m(median_m: float, share: float) -> float:
    """Radius beyond which a share of a circular normal pattern lies: CEP·√(log2(1/p)).

    Examples
    --------
    >>> [round(circular_normal_m(1.0, p), 4) for p in (1e-2, 1e-3, 1e-4, 1e-6)]
    [2.5776, 3.1569, 3.6452, 4.4645]
    """
    return float(arguments.number(median_m, "median_m", least=0) * np.sqrt(np.log2(1 / _share(share))))


def exponential_m(median_m: float, share: float) -> float:
    """Radius beyond which a share of a pattern with an exponential tail of the same median lies: CEP·log2(1/p).

    Examples
    --------
    >>> round(exponential_m(1.0, 1e-6), 1)
    19.9
    """
    return float(arguments.number(median_m, "median_m", least=0) * np.log2(1 / _share(share)))


def _share(share: float) -> float:
    return arguments.number(share, "the share", above=0, below=1)


def fadeout(
    finds: gpd.GeoDataFrame,
    searched: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    fadeout_m: float,
    authority_ref: str,
    seed: int = 0,
) -> FadeOut:
    """Compare the searched ground with the required distance around every find.

    Parameters
    ----------
    finds
        Points in any CRS; rows without geometry are left out.
    searched
        Polygons searched to the required standard, in any CRS.
    fadeout_m
        The authority's distance in metres. There is no default.
    authority_ref
        Where the authority says so (document, paragraph, date).

    Raises
    ------
    StatisticsError
        If the distance or its reference is missing, or no find has a position.

    Examples
    --------
    >>> finds = gpd.GeoDataFrame({"id": ["f"]}, geometry=[shapely.Point(700050, 4380050)], crs="EPSG:32638")
    >>> ground = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> fadeout(finds, ground, fadeout_m=20, authority_ref="invented standard 1").met
    True
    """
    arguments.layer(finds, "the finds")
    arguments.layer(searched, "the searched ground")
    fadeout_m = arguments.number(fadeout_m, "the authority's distance", above=0, most=1e6)
    seed = arguments.whole(seed, "seed")
    if not isinstance(authority_ref, str) or not authority_ref.strip():
        raise StatisticsError(
            "a fade-out check needs the authority's distance and its reference",
            hint="give fadeout_m= and authority_ref=",
        )
    there = finds[arguments.placed(finds)]
    if there.empty:
        raise StatisticsError("no find has a position")
    points = _crs.to_wgs84(there)
    plane = _crs.equal_area(tuple(points.total_bounds))
    spots = shapely.centroid(_crs.transform(points.geometry.array, _crs.WGS84, plane))
    ground = shapely.union_all(
        [
            g
            for g in geom.repair(
                _crs.transform(searched.geometry.array[arguments.placed(searched)], _crs.require(searched), plane)
            )
            if g is not None
        ]
    )
    distance = shapely.distance(spots, shapely.boundary(ground)) * np.where(shapely.intersects(ground, spots), 1, -1)
    # circumscribed circles, so that the ring is never drawn too small
    ring = shapely.union_all(shapely.buffer(spots, fadeout_m / np.cos(np.pi / 128), quad_segs=32))
    gap = geom.polygonal([shapely.difference(ring, ground)])[0]
    parts = [p for p in shapely.get_parts(gap) if p.area > 0]
    missing = gpd.GeoDataFrame(
        {"area_m2": [p.area for p in parts]},
        geometry=gpd.GeoSeries(_crs.transform(np.array(parts, dtype=object), plane, _crs.WGS84), crs=_crs.WGS84),
    )
    out = points.assign(to_edge_m=distance, short=distance < fadeout_m)
    return FadeOut(
        out,
        missing,
        _tails(shapely.get_coordinates(spots), seed),
        float(fadeout_m),
        str(authority_ref),
        float(1 - gap.area / ring.area),
    )


def _tails(xy: np.ndarray, seed: int) -> pd.DataFrame:
    def median(points: np.ndarray) -> float:
        return float(np.median(np.hypot(*(points - np.median(points, axis=0)).T)))

    rng = np.random.default_rng(seed)
    cep = median(xy)
    low, high = np.quantile([median(xy[rng.integers(len(xy), size=len(xy))]) for _ in range(RESAMPLES)], [0.025, 0.975])
    rows = []
    for share in (1e-2, 1e-3, 1e-4, 1e-6):
        row: dict[str, float] = {"share": share}
        for name, radius in (("normal", circular_normal_m), ("exponential", exponential_m)):
            row |= {
                f"{name}_m": radius(cep, share),
                f"{name}_low": radius(float(low), share),
                f"{name}_high": radius(float(high), share),
            }
        rows.append(row)
    return pd.DataFrame(rows)
