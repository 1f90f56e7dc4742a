"""Where a survey lies: the box of its rows, without those that plainly lie elsewhere by mistake.

For a figure that people read and for looking at files whose system is unknown; checks judge single rows (`checks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import shapely

from geotools.model.programme import Programme
from geotools.space import crs as _crs

Bounds = tuple[float, float, float, float]
REASONS = {
    "zero": "at 0, 0 (an empty cell read as zero)",
    "exchanged": "with latitude and longitude exchanged, as it looks",
    "far": "more than {km:g} km from the others",
    "outside": "outside the programme's extent",
    "impossible": "with coordinates that are no place on earth",
}
_ZERO_DEG = 0.001
_AWAY_M = 200_000.0  # nearer than this an exchange is not told from a remote place
_BACK = 0.2  # exchanged, such a vertex lies this much nearer to the others


@dataclass(frozen=True)
class Extent:
    """The box of a survey.

    Parameters
    ----------
    bounds
        (west, south, east, north) in degrees, WGS 84; None if no row has a believable place.
    left_out
        Reason → rows that the box does not contain because of it; the reasons are the keys of `REASONS`.
    """

    bounds: Bounds | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def words(self, programme: Programme | None = None) -> list[str]:
        """The rows left out, one phrase for each reason.

        Examples
        --------
        >>> Extent(left_out={"zero": 2}).words()
        ['2 at 0, 0 (an empty cell read as zero)']
        """
        km = (programme or Programme()).limit("outlier_distance_m") / 1000.0
        return [f"{count} {REASONS[reason].format(km=km)}" for reason, count in self.left_out.items()]


def extent_of(frames: Iterable[gpd.GeoDataFrame], programme: Programme | None = None) -> Extent:
    """The box of all rows that lie where most of them, or the programme's extent, say they can lie.

    A row is left out if any of its vertices is at 0, 0, is no place on earth, lies outside the programme's extent if that is
    stated, or (if it is not) lies farther than the limit `outlier_distance_m` from the median place of all rows, or lies
    near it only with its axes exchanged.

    Examples
    --------
    >>> points = gpd.GeoSeries.from_xy([47.1, 47.2, 47.3, 39.6, 0.0], [39.5, 39.6, 39.7, 47.2, 0.0], crs=4326)
    >>> found = extent_of([gpd.GeoDataFrame(geometry=points)])
    >>> found.bounds, found.left_out
    ((47.1, 39.5, 47.3, 39.7), {'zero': 1, 'exchanged': 1})
    """
    settings = programme or Programme()
    arrays = [np.asarray(_crs.to_wgs84(f).geometry.array, dtype=object) for f in frames if f.crs is not None and len(f)]
    shapes = np.concatenate(arrays) if arrays else np.empty(0, dtype=object)
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    if not len(points):
        return Extent()
    why = _judged(points, owner, settings)
    left: dict[str, int] = {}
    bad = np.zeros(len(shapes), dtype=bool)
    for number, reason in enumerate(REASONS, start=1):
        rows = np.unique(owner[why == number])
        rows = rows[~bad[rows]]
        bad[rows] = True
        if len(rows):
            left[reason] = len(rows)
    good = points[~bad[owner]]
    if not len(good):
        return Extent(None, left)
    (west, south), (east, north) = good.min(axis=0), good.max(axis=0)
    return Extent((float(west), float(south), float(east), float(north)), left)


def _judged(points: np.ndarray, owner: np.ndarray, programme: Programme) -> np.ndarray:
    """For each vertex 0, or the number of its reason in `REASONS`."""
    number = {reason: place for place, reason in enumerate(REASONS, start=1)}
    why = np.zeros(len(points), dtype=np.int8)
    with np.errstate(invalid="ignore"):
        possible = np.isfinite(points).all(axis=1) & (np.abs(points) <= (180.0, 90.0)).all(axis=1)
        zero = possible & (np.abs(points) < _ZERO_DEG).all(axis=1)
        sound = possible & ~zero
        if sound.any():
            middle = _middle(points[sound], owner[sound], programme)
            away = _metres(points, middle)
            back = _metres(points[:, ::-1], middle)
            turned = sound & (away > _AWAY_M) & (back < _BACK * away)
            if programme.extent is not None:
                west, south, east, north = programme.extent
                inside = (points >= (west, south)).all(axis=1) & (points <= (east, north)).all(axis=1)
                why[sound & ~inside] = number["outside"]
                turned &= ~inside
            else:
                why[sound & (away > programme.limit("outlier_distance_m"))] = number["far"]
            why[turned] = number["exchanged"]
    why[zero] = number["zero"]
    why[~possible] = number["impossible"]
    return why


def _middle(points: np.ndarray, owner: np.ndarray, programme: Programme) -> np.ndarray:
    """The middle of the programme's extent, or the median place of the rows, each counted once."""
    if programme.extent is not None:
        west, south, east, north = programme.extent
        return np.array([(west + east) / 2.0, (south + north) / 2.0])
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    return np.median(points[first], axis=0)


def _metres(points: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Great-circle distance to one place, metres (haversine on a sphere; good to 0.6 %)."""
    (lon, lat), (lon0, lat0) = np.radians(points.T), np.radians(middle)
    half = np.sin((lat - lat0) / 2) ** 2 + np.cos(lat) * np.cos(lat0) * np.sin((lon - lon0) / 2) ** 2
    return np.asarray(2 * 6_371_008.8 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))
