"""Where to inspect: a seeded random choice of cells or walkable blocks inside a polygon, by stratum, in walking order.

For post-clearance sampling; not for judging what the inspection found (see `sampling.lots`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geotools.analysis.sampling.sizes import AcceptZero, Iso2859, Rule, Share, in_words, operating_curve, worst_miss
from geotools.model import arguments
from geotools.model.errors import CRSError, StatisticsError
from geotools.space import crs as _crs
from geotools.space import geom, measure
from geotools.space.grid import Grid

REST = "rest"
MOST_CELLS = 20_000_000
CHUNK = 10_000
MOST_DRAWN = 400_000


@dataclass(frozen=True)
class SamplePlan:
    """A drawn sample of one lot.

    Parameters
    ----------
    cells
        Chosen units in WGS 84, in walking order: `id, stratum, visit, area_m2, lon, lat, mgrs`.
    strata
        Per stratum `stratum, units, sample, share, weight`.
    shown
        Confidence that `remaining` items would have been met, for the most unlucky spread over the strata; None for rules
        that promise none.
    held
        Units that hold the remaining items in the worst case; 0 for rules that promise nothing.

    Examples
    --------
    >>> lot = gpd.GeoSeries([shapely.box(700000, 4380000, 700050, 4380020)], crs="EPSG:32638")
    >>> drawn = plan(lot, AcceptZero(remaining=3, confidence=0.9), seed=1)
    >>> drawn.units, drawn.sample, round(drawn.shown, 3), drawn.cells["visit"].head(3).tolist()
    (1072, 574, 0.9, [1, 2, 3])
    """

    cells: gpd.GeoDataFrame
    strata: pd.DataFrame
    rule: Rule
    unit_m: float
    area_m2: float
    shown: float | None
    held: int
    seed: int
    outline: Any = field(repr=False)

    @property
    def units(self) -> int:
        """Units in the lot."""
        return int(self.strata["units"].sum())

    @property
    def sample(self) -> int:
        """Units to inspect."""
        return int(self.strata["sample"].sum())

    @property
    def sensitivity(self) -> float:
        """Chance that inspecting a unit reveals an item in it."""
        return float(getattr(self.rule, "sensitivity", 1.0))

    @property
    def curve(self) -> pd.DataFrame:
        """The operating curve of this sample size (see `operating_curve`)."""
        return operating_curve(self.units, self.sample, sensitivity=self.sensitivity)

    @property
    def words(self) -> str:
        """What the plan can and cannot show, in sentences."""
        return in_words(self.units, self.sample, sensitivity=self.sensitivity)

    def to_dict(self) -> dict[str, Any]:
        """Sizes, rule, strata and words as plain data."""
        return {
            **self.rule.to_dict(), "units": self.units, "sample": self.sample, "unit_m": self.unit_m, "area_m2": self.area_m2,
            "sample_area_m2": float(self.cells["area_m2"].sum()), "confidence_shown": self.shown, "seed": self.seed,
            "strata": self.strata.to_dict("records"), "words": self.words,
        }  # fmt: skip


def plan(
    area: Any,
    rule: Rule | None = None,
    *,
    unit_m: float = 1.0,
    block_m: float | None = None,
    strata: gpd.GeoDataFrame | None = None,
    seed: int = 0,
) -> SamplePlan:
    """Draw the units to inspect in one lot of cleared land.

    Parameters
    ----------
    area
        The lot: a GeoDataFrame or GeoSeries of polygons in any CRS (joined to one lot), or one shapely polygon in WGS 84.
    rule
        `AcceptZero` (default: one remaining item, 90 %), `Iso2859` or `Share`.
    unit_m
        Side of a square unit in metres, on an equal-area grid; units are clipped at the edge of the lot.
    block_m
        Side of walkable blocks in metres: then whole blocks are the units that are drawn and inspected completely. Items that lie
        together may all be in one block, so the size is computed for the fewest blocks that can hold them.
    strata
        Polygons with `stratum` and `weight` (≥ 1: how much more densely to sample than the rest), see `strata_near`. Where
        strata overlap the heaviest holds.

    Returns
    -------
    SamplePlan
        Reproducible: same lot, rule and seed, same cells, whatever the order of rows.

    Raises
    ------
    StatisticsError
        If the lot is empty or has more than 20 million units inside it, or a size is not a positive number.

    Examples
    --------
    >>> lot = gpd.GeoSeries([shapely.box(700000, 4380000, 700050, 4380020)], crs="EPSG:32638")
    >>> drawn = plan(lot, AcceptZero(remaining=3, confidence=0.9), seed=1)
    >>> drawn.sample == len(drawn.cells), drawn.shown >= 0.9
    (True, True)
    """
    chosen = AcceptZero() if rule is None else rule
    side = unit_m if block_m is None else block_m
    if not isinstance(chosen, AcceptZero | Iso2859 | Share) and not callable(getattr(chosen, "size", None)):
        raise StatisticsError(
            "the rule must say how many units to inspect", hint="AcceptZero(), Iso2859() or Share(0.1)"
        )
    unit_m, side = arguments.positive(unit_m, "unit_m"), arguments.positive(side, "block_m")
    seed = arguments.whole(seed, "seed")
    if side < unit_m:
        raise StatisticsError("a block is not smaller than a unit", hint="choose block_m ≥ unit_m")
    lonlat = _lot(area)
    plane = _crs.equal_area(lonlat.bounds)
    shape = _crs.to_equal_area([lonlat], _crs.WGS84, plane)[0]
    rows, columns, grid = _cells(shape, side, plane)
    layer = np.array([REST] * len(rows), dtype=object)
    weights = {REST: 1.0}
    if strata is not None and len(strata):
        layer, weights = _assign(strata, rows, columns, grid)
    names, counts = np.unique(layer, return_counts=True)
    held = None
    if isinstance(chosen, AcceptZero):
        per_block = 1 if block_m is None else math.ceil(side / unit_m) ** 2
        held = max(1, math.ceil(chosen.remaining / per_block))
    samples = _allot(counts, np.array([weights[n] for n in names]), chosen, held)
    if samples.sum() > MOST_DRAWN:
        raise StatisticsError(
            f"the plan would inspect {samples.sum():,} of {counts.sum():,} units of {side:g} m, more than anyone can walk to",
            hint="draw larger blocks (block_m, --block), plan lot by lot (--lot), or ask for more remaining items to be met",
        )
    picked = _draw(layer, names, samples, seed)
    cells = _units_frame(rows[picked], columns[picked], layer[picked], shape, grid)
    table = pd.DataFrame(
        {
            "stratum": names,
            "units": counts,
            "sample": samples,
            "share": samples / counts,
            "weight": [weights[n] for n in names],
        }
    )
    shown = None
    if isinstance(chosen, AcceptZero) and held is not None:
        shown = 1 - worst_miss(
            counts.tolist(), samples.tolist(), min(held, int(counts.sum())), sensitivity=chosen.sensitivity
        )
    return SamplePlan(cells, table, chosen, side, measure.area(lonlat), shown, held or 0, seed, lonlat)


def strata_near(layers: Mapping[str, tuple[gpd.GeoDataFrame | gpd.GeoSeries, float, float]]) -> gpd.GeoDataFrame:
    """Strata around what deserves denser sampling: finds, boundaries, machine-only lanes, changes of depth.

    Parameters
    ----------
    layers
        name → (layer in any CRS, distance in metres, weight ≥ 1).

    Returns
    -------
    GeoDataFrame
        `stratum, weight` and polygons in WGS 84, for `plan(strata=…)`.

    Raises
    ------
    StatisticsError
        If a row is not (layer, distance in metres, weight).

    Examples
    --------
    >>> finds = gpd.GeoSeries([shapely.Point(700010, 4380010)], crs="EPSG:32638")
    >>> strata_near({"near finds": (finds, 5.0, 3.0)})[["stratum", "weight"]].values.tolist()
    [['near finds', 3.0]]
    """
    rows = []
    for name, entry in arguments.mapping(layers, "layers").items():
        if not isinstance(entry, tuple | list) or len(entry) != 3:
            raise StatisticsError(
                f"stratum '{name}' needs (layer, distance in metres, weight)", hint="for example (finds, 5, 3)"
            )
        layer, distance_m = arguments.layer(entry[0], f"stratum '{name}'"), arguments.positive(entry[1], "the distance")
        weight = arguments.number(entry[2], "the weight of a stratum", least=1)
        there = layer.geometry[arguments.placed(layer)]
        if there.empty:
            continue
        bounds = gpd.GeoSeries(_crs.transform(there.array, _crs.require(there), _crs.WGS84)).total_bounds
        plane = _crs.equal_area(tuple(bounds))
        around = shapely.union_all(shapely.buffer(_crs.transform(there.array, _crs.require(there), plane), distance_m))
        rows.append(
            {"stratum": name, "weight": float(weight), "geometry": _crs.transform([around], plane, _crs.WGS84)[0]}
        )
    return gpd.GeoDataFrame(rows, columns=["stratum", "weight", "geometry"], geometry="geometry", crs=_crs.WGS84)


def _lot(area: Any) -> Any:
    if isinstance(area, gpd.GeoDataFrame | gpd.GeoSeries):
        area = arguments.layer(area, "the lot")
        shapes = _crs.transform(area.geometry.array, _crs.require(area), _crs.WGS84)
    elif isinstance(area, BaseGeometry):
        shapes = np.array([area], dtype=object)
    else:
        raise StatisticsError(
            f"a lot is a layer of polygons or one polygon, not {type(area).__name__}",
            hint="read it with geotools.read, or give a shapely polygon in degrees WGS 84",
        )
    good = [s for s in geom.polygonal(geom.repair(shapes)) if s is not None and not s.is_empty]
    joined = shapely.union_all(good) if good else shapely.Polygon()
    if joined.area > 0 and not (np.abs(joined.bounds) <= (180, 90, 180, 90)).all():
        raise CRSError(
            "the lot lies outside the globe", hint="a bare polygon is in degrees WGS 84; else give a layer with its CRS"
        )
    if joined.area <= 0:
        raise StatisticsError("there is no area to sample", hint="a lot is at least one polygon with an area")
    return joined


def _cells(shape: Any, side: float, plane: Any) -> tuple[np.ndarray, np.ndarray, Grid]:
    grid = Grid.around(shape.bounds, side, plane)
    about = shape.area / side**2
    if about > MOST_CELLS:
        raise StatisticsError(
            f"the lot has about {about:,.0f} units of {side:g} m", hint="choose larger units or split the lot"
        )
    shapely.prepare(shape)
    index = np.sort(np.concatenate([*_inside(shape, grid, (0, 0, *grid.shape)), np.zeros(0, dtype=np.int64)]))
    return index // grid.shape[1], index % grid.shape[1], grid


def _inside(shape: Any, grid: Grid, part: tuple[int, int, int, int]) -> Iterator[np.ndarray]:
    """Numbers of the cells of a part (row, column, rows, columns) that lie in the lot; ground far from it costs nothing."""
    row, column, high, wide = part
    window = grid.window(row, column, (high, wide))
    whole = shapely.box(*window.bounds)
    if not shapely.intersects(shape, whole):
        return
    if high * wide > CHUNK:
        up, left = max(1, high // 2), max(1, wide // 2)
        quarters = ((row, column, up, left), (row, column + left, up, wide - left),
                    (row + up, column, high - up, left), (row + up, column + left, high - up, wide - left))  # fmt: skip
        for quarter in quarters:
            if quarter[2] > 0 and quarter[3] > 0:
                yield from _inside(shape, grid, quarter)
        return
    rows, columns = (v.ravel() for v in np.indices((high, wide)))
    index = (row + rows).astype(np.int64) * grid.shape[1] + column + columns
    if shapely.contains_properly(shape, whole):
        yield index
        return
    boxes = _boxes(row + rows, column + columns, grid)
    inside = shapely.contains_properly(shape, boxes)
    edge = np.flatnonzero(~inside & shapely.intersects(shape, boxes))
    inside[edge] = shapely.area(_clipped(shape, boxes[edge])) > 1e-9 * grid.cell**2
    yield index[inside]


def _clipped(shape: Any, boxes: np.ndarray) -> np.ndarray:
    """The part of each box inside the lot; every box meets only the parts of the lot near it."""
    parts = shapely.get_parts(shape)
    box, part = shapely.STRtree(parts).query(boxes, predicate="intersects")
    pieces = shapely.intersection(boxes[box], parts[part])
    out = np.full(len(boxes), shapely.Polygon(), dtype=object)
    out[box] = pieces
    for row in np.flatnonzero(np.bincount(box, minlength=len(boxes)) > 1):
        out[row] = shapely.union_all(pieces[box == row])
    return out


def _boxes(rows: np.ndarray, columns: np.ndarray, grid: Grid) -> np.ndarray:
    west, north = grid.west + columns * grid.cell, grid.north - rows * grid.cell
    return np.asarray(shapely.box(west, north - grid.cell, west + grid.cell, north), dtype=object)


def _assign(
    strata: gpd.GeoDataFrame, rows: np.ndarray, columns: np.ndarray, grid: Grid
) -> tuple[np.ndarray, dict[str, float]]:
    arguments.columns(arguments.layer(strata, "the strata"), "the strata", ("stratum",))
    weight = pd.to_numeric(strata["weight"], errors="coerce") if "weight" in strata else 1.0
    table = pd.DataFrame({"stratum": strata["stratum"].astype(str), "weight": weight})
    if not ((table["weight"] >= 1) & (table["weight"] <= 1e6)).all():
        raise StatisticsError(
            "the weight of a stratum is at least 1", hint="1 samples it like the rest; no stratum is sampled less"
        )
    weights = table.groupby("stratum")["weight"].max()
    shapes = pd.Series(
        _crs.transform(geom.repair(strata.geometry.array), _crs.require(strata), grid.crs), index=strata.index
    )
    layer = np.array([REST] * len(rows), dtype=object)
    x, y = grid.west + (columns + 0.5) * grid.cell, grid.north - (rows + 0.5) * grid.cell
    order = sorted(weights.index, key=lambda name: (weights[name], name))
    for name in order:
        joined = shapely.union_all([s for s in shapes[table["stratum"] == name] if s is not None])
        shapely.prepare(joined)
        layer[shapely.intersects_xy(joined, x, y)] = name
    return layer, {REST: 1.0, **{str(k): float(v) for k, v in weights.items()}}


def _allot(counts: np.ndarray, weights: np.ndarray, rule: Rule, held: int | None) -> np.ndarray:
    total = int(counts.sum())
    base = (
        rule.size(total)
        if held is None or not isinstance(rule, AcceptZero)
        else AcceptZero(min(held, total), rule.confidence, rule.sensitivity).size(total)
    )

    def shares(size: int) -> np.ndarray:
        return np.minimum(counts, np.ceil(np.round(size / total * weights * counts, 9))).astype(int)

    if not isinstance(rule, AcceptZero) or held is None or len(counts) == 1:
        return shares(base)
    low, high = base - 1, total  # dividing a lot costs a little: raise the share until the worst spread is covered
    while high - low > 1:
        middle = (low + high) // 2
        miss = worst_miss(counts.tolist(), shares(middle).tolist(), min(held, total), sensitivity=rule.sensitivity)
        low, high = (low, middle) if miss <= (1 - rule.confidence) * (1 + 1e-12) else (middle, high)
    return shares(high)


def _draw(layer: np.ndarray, names: np.ndarray, samples: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picked = [
        rng.choice(np.flatnonzero(layer == name), size=count, replace=False)
        for name, count in zip(names, samples, strict=True)
    ]
    return np.sort(np.concatenate(picked))


def _units_frame(rows: np.ndarray, columns: np.ndarray, layer: np.ndarray, shape: Any, grid: Grid) -> gpd.GeoDataFrame:
    walk = np.lexsort((np.where(rows % 2 == 0, columns, -columns), rows))
    rows, columns, layer = rows[walk], columns[walk], layer[walk]
    clipped = _boxes(rows, columns, grid)
    edge = np.flatnonzero(~shapely.contains_properly(shape, clipped))
    clipped[edge] = geom.polygonal(_clipped(shape, clipped[edge]))
    inner = shapely.get_coordinates(_crs.transform(shapely.point_on_surface(clipped), grid.crs, _crs.WGS84))
    width = len(str(max(grid.shape)))
    data = {
        "id": [f"R{r:0{width}d}C{c:0{width}d}" for r, c in zip(rows, columns, strict=True)],
        "stratum": layer.astype(str),
        "visit": np.arange(1, len(rows) + 1),
        "area_m2": shapely.area(clipped),
        "lon": inner[:, 0],
        "lat": inner[:, 1],
        "mgrs": np.atleast_1d(_crs.to_mgrs(inner[:, 0], inner[:, 1])) if len(inner) else [],
    }
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(_crs.transform(clipped, grid.crs, _crs.WGS84), crs=_crs.WGS84))
