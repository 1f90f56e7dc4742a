"""Lay out a blind lane: how many inert training targets, where, and which operator walks which lane with which detector.

For trials of detectors and operators in training lanes; not for scoring them (see `trial.scoring`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.trial.blind import DEGREE_DIGITS, new_salt, seal
from geotools.analysis.trial.intervals import targets_needed
from geotools.model import arguments
from geotools.model.errors import StatisticsError
from geotools.model.schema import Issue, issues_frame
from geotools.space import crs as _crs
from geotools.space import geom, measure

TRIES = 400


@dataclass(frozen=True)
class Wanted:
    """What the trial must be able to show, and with which targets.

    Parameters
    ----------
    types, depths_cm
        Levels of the two factors; every type occurs at every depth as evenly as the number allows.
    halo_m
        Radius around a target inside which a mark counts. Set by the trial plan: there is no default.
    head_m
        Measured width of the widest detector head; targets keep more than 2 × halo + head apart.
    pod, confidence, misses
        The claim to be shown, and how many misses the trial should survive.

    Examples
    --------
    >>> Wanted(("A", "B"), (5, 10), halo_m=0.2, head_m=0.3).number
    29
    """

    types: tuple[str, ...]
    depths_cm: tuple[float, ...]
    halo_m: float
    head_m: float
    pod: float = 0.90
    confidence: float = 0.95
    misses: int = 0

    def __post_init__(self) -> None:
        for name, values in (("types", self.types), ("depths_cm", self.depths_cm)):
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise StatisticsError(
                    f"a trial needs at least one value in {name}",
                    hint="for example types=('A', 'B'), depths_cm=(5, 10)",
                )
        for depth in self.depths_cm:
            arguments.number(depth, "a depth in cm", least=0)
        arguments.positive(self.halo_m, "halo_m")
        arguments.number(self.head_m, "head_m", least=0)
        targets_needed(self.pod, self.confidence, misses=self.misses)

    @property
    def number(self) -> int:
        """Targets needed for the claim with the allowed misses."""
        return targets_needed(self.pod, self.confidence, misses=self.misses)

    @property
    def spacing_m(self) -> float:
        """Targets lie further apart than this: 2 × halo + head."""
        return 2 * self.halo_m + self.head_m


@dataclass(frozen=True)
class Design:
    """A layout. `targets` and `salt` stay with the trial director; `lanes`, `roster` and `seal` may be published.

    Attributes
    ----------
    targets
        Kind ``targets``: ``id lane_id target_type depth_cm soil`` and points in WGS 84.
    lanes
        Outlines with ``id soil area_m2``, in the CRS given.
    roster
        One row per run: ``run_id period operator detector lane_id``.
    seal, salt
        See `seal`.
    wanted
        As given.
    issues
        ISSUES rows: TR-01 no room, TR-03 and TR-04 of the roster, TR-05 a lane without outline.

    Examples
    --------
    >>> lane = gpd.GeoDataFrame({"id": ["L1"]}, geometry=[shapely.box(700000, 4380000, 700002, 4380060)], crs="EPSG:32638")
    >>> plan = design(lane, Wanted(("A",), (5, 10), halo_m=0.2, head_m=0.3), salt="00")
    >>> plan.to_dict()["targets_needed"], plan.to_dict()["spacing_m"], "salt=" in repr(plan)
    (29, 0.7, False)
    """

    targets: gpd.GeoDataFrame
    lanes: gpd.GeoDataFrame
    roster: pd.DataFrame
    seal: str
    salt: str = field(repr=False)
    wanted: Wanted
    issues: gpd.GeoDataFrame

    def to_dict(self) -> dict[str, Any]:
        """What may be published: numbers, seal and rules, no position and no salt."""
        return {
            "targets": len(self.targets), "targets_needed": self.wanted.number, "pod": self.wanted.pod,
            "confidence": self.wanted.confidence, "misses_allowed": self.wanted.misses, "halo_m": self.wanted.halo_m,
            "spacing_m": round(self.wanted.spacing_m, 3), "lanes": [str(v) for v in self.lanes["id"]],
            "runs": len(self.roster), "seal": self.seal, "issues": len(self.issues),
        }  # fmt: skip


def design(
    lanes: gpd.GeoDataFrame,
    wanted: Wanted,
    *,
    operators: Sequence[str] = (),
    detectors: Sequence[str] = (),
    salt: str | None = None,
    seed: int = 0,
) -> Design:
    """Place targets at random over depth × type × soil, draw up a balanced crossover, and seal the layout.

    Parameters
    ----------
    lanes
        Polygons in any CRS with `id` and, if the ground differs, `soil`. Targets are shared out by area, so that every soil
        carries the same mix of types and depths.
    operators, detectors
        For the roster; without them it is empty.
    salt
        Secret for the seal; default: a fresh random one.

    Returns
    -------
    Design
        `.targets` of kind ``targets`` in WGS 84 (positions on a 1e-7° raster), `.lanes` with `area_m2`, `.roster`, `.issues`.

    Raises
    ------
    StatisticsError
        If there is no usable lane.

    Examples
    --------
    >>> lane = gpd.GeoDataFrame({"id": ["L1"]}, geometry=[shapely.box(700000, 4380000, 700002, 4380060)], crs="EPSG:32638")
    >>> plan = design(lane, Wanted(("A",), (5, 10), halo_m=0.2, head_m=0.3), salt="00")
    >>> len(plan.targets), len(plan.issues)
    (29, 0)
    """
    issues: list[Issue] = []
    ground = _ground(arguments.columns(arguments.layer(lanes, "the lanes"), "the lanes", ("id",)), issues)
    if not isinstance(wanted, Wanted):
        raise StatisticsError(
            "what the trial must show is not given", hint="trial.Wanted(types, depths_cm, halo_m, head_m)"
        )
    seed = arguments.whole(seed, "seed")
    rng = np.random.default_rng(seed)
    plane = _crs.equal_area(tuple(_crs.to_wgs84(ground).total_bounds))
    shapes = _crs.transform(ground.geometry.array, _crs.require(ground), plane)
    rows: list[dict[str, Any]] = []
    for (lane, soil, count), shape in zip(_shares(ground, wanted.number), shapes, strict=True):
        points = _scatter(shape, count, wanted, rng)
        if len(points) < count:
            text = (
                f"lane {lane} has room for {len(points)} of its {count} targets at this spacing: add or enlarge lanes"
            )
            issues.append(Issue("TR-01", "warning", "targets", lane, message=text, value=len(points), limit=count))
        rows += [{"lane_id": lane, "soil": soil, "point": point} for point in points]
    targets = _dealt(rows, wanted, rng, plane)
    roster, more = crossover(operators, detectors, [str(v) for v in ground["id"]], seed=seed)
    secret = new_salt() if salt is None else salt
    return Design(targets, ground, roster, seal(targets, secret), secret, wanted, issues_frame([*issues, *more]))


def _ground(lanes: gpd.GeoDataFrame, issues: list[Issue]) -> gpd.GeoDataFrame:
    raw = np.asarray(lanes.geometry.array, dtype=object).copy()
    raw[~arguments.placed(lanes)] = None
    shapes = geom.polygonal(geom.repair(raw))
    outlines = gpd.GeoSeries(shapes, index=lanes.index, crs=_crs.require(lanes))
    usable = arguments.placed(outlines) & (shapely.area(shapes) > 0)
    if "id" not in lanes or not usable.any():
        raise StatisticsError("no lane outline with an id", hint="lanes are polygons with a column 'id'")
    issues += [
        Issue(
            "TR-05",
            "warning",
            "targets",
            str(lane),
            message="this lane has no usable outline: no target is placed in it",
        )
        for lane in lanes.loc[~usable, "id"]
    ]
    out = lanes[usable].set_geometry(outlines[usable])
    out["id"] = out["id"].astype(str)
    out = out.sort_values("id").reset_index(drop=True)
    if out["id"].duplicated().any():
        raise StatisticsError("two lanes have the same id", hint="give every lane its own id")
    out["soil"] = out["soil"].fillna("").astype(str) if "soil" in out else ""
    out["area_m2"] = measure.area(out)
    return out


def _shares(ground: gpd.GeoDataFrame, number: int) -> list[tuple[str, str, int]]:
    wanted = number * ground["area_m2"].to_numpy() / ground["area_m2"].sum()
    counts = np.floor(wanted).astype(int)
    for row in np.argsort(-(wanted - counts), kind="stable")[: number - counts.sum()]:
        counts[row] += 1
    return [(str(i), str(s), int(c)) for i, s, c in zip(ground["id"], ground["soil"], counts, strict=True)]


def _scatter(shape: Any, count: int, wanted: Wanted, rng: np.random.Generator) -> list[np.ndarray]:
    inner = shapely.buffer(shape, -wanted.halo_m)
    points: list[np.ndarray] = []
    if inner.is_empty:
        return points
    shapely.prepare(inner)
    west, south, east, north = inner.bounds
    spacing = wanted.spacing_m + 0.03  # room for the 1e-7° raster
    for _ in range(TRIES * max(count, 1)):
        if len(points) == count:
            break
        spot = rng.uniform((west, south), (east, north))
        if shapely.contains_xy(inner, *spot) and all(np.hypot(*(spot - p)) > spacing for p in points):
            points.append(spot)
    return points


def _dealt(rows: list[dict[str, Any]], wanted: Wanted, rng: np.random.Generator, plane: Any) -> gpd.GeoDataFrame:
    cells = list(product(wanted.types, wanted.depths_cm))
    kinds: dict[int, tuple[str, float]] = {}
    for soil in sorted({row["soil"] for row in rows}):
        members = [n for n, row in enumerate(rows) if row["soil"] == soil]
        deck: list[int] = []
        while len(deck) < len(members):
            deck += rng.permutation(len(cells)).tolist()
        kinds |= {n: cells[card] for n, card in zip(rng.permutation(members), deck, strict=False)}
    lonlat = _crs.transform(shapely.points([row["point"] for row in rows]) if rows else [], plane, _crs.WGS84)
    places: Any = shapely.transform(lonlat, lambda c: np.round(c, DEGREE_DIGITS)) if rows else []
    data = {
        "id": [f"T{n + 1:04d}" for n in range(len(rows))],
        "lane_id": [row["lane_id"] for row in rows],
        "target_type": [kinds[n][0] for n in range(len(rows))],
        "depth_cm": [float(kinds[n][1]) for n in range(len(rows))],
        "soil": [row["soil"] for row in rows],
    }
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(places, crs=_crs.WGS84))


def spacing_issues(targets: gpd.GeoDataFrame, *, halo_m: float, head_m: float) -> gpd.GeoDataFrame:
    """ISSUES (TR-02) for targets of one lane that lie closer than 2 × halo + head: scoring would depend on the rule.

    Parameters
    ----------
    targets
        Kind ``targets``, geometry in any CRS.
    halo_m, head_m
        Radius inside which a mark counts, and width of the detector head, in metres.

    Returns
    -------
    GeoDataFrame
        One row per pair; ``value`` and ``limit`` are distances in metres as text.

    Raises
    ------
    StatisticsError
        If `halo_m` is not positive or `head_m` negative.
    SchemaError
        If it is not a layer with an `id`.

    Examples
    --------
    >>> near = gpd.points_from_xy([700000.0, 700000.5], [4380000.0, 4380000.0])
    >>> targets = gpd.GeoDataFrame({"id": ["t1", "t2"], "lane_id": "L1"}, geometry=near, crs="EPSG:32638")
    >>> spacing_issues(targets, halo_m=0.2, head_m=0.3)[["check", "id", "value", "limit"]].values.tolist()
    [['TR-02', 't1', '0.50 m', '0.70 m']]
    """
    from scipy.spatial import cKDTree

    arguments.columns(arguments.layer(targets, "the targets"), "the targets", ("id",))
    halo_m, head_m = arguments.positive(halo_m, "halo_m"), arguments.number(head_m, "head_m", least=0)
    there = targets[arguments.placed(targets)]
    if len(there) < 2:
        return issues_frame()
    lonlat = _crs.to_wgs84(there)
    xy = shapely.get_coordinates(
        shapely.centroid(_crs.transform(lonlat.geometry.array, _crs.WGS84, _crs.equal_area(tuple(lonlat.total_bounds))))
    )
    limit = 2 * halo_m + head_m
    ids, lane = (
        there["id"].astype(str).to_numpy(),
        there["lane_id"].to_numpy() if "lane_id" in there else np.zeros(len(there)),
    )
    found = []
    for a, b in sorted(cKDTree(xy).query_pairs(limit)):
        if lane[a] == lane[b]:
            text = f"targets {ids[a]} and {ids[b]} lie closer than two halos and a detector head"
            value = f"{np.hypot(*(xy[a] - xy[b])):.2f} m"
            found.append(
                Issue(
                    "TR-02",
                    "warning",
                    "targets",
                    str(ids[a]),
                    message=text,
                    value=value,
                    limit=f"{limit:.2f} m",
                    geometry=lonlat.geometry.iloc[a],
                )
            )
    return issues_frame(found)


def crossover(
    operators: Sequence[str], detectors: Sequence[str], lanes: Sequence[str], *, seed: int = 0
) -> tuple[pd.DataFrame, list[Issue]]:
    """A balanced crossover: every operator uses every detector once, each order of two detectors equally often (Williams).

    Returns
    -------
    roster, issues
        Columns `run_id, period, operator, detector, lane_id`; an issue (TR-03) where an operator must walk a lane twice, or
        (TR-04) where the number of operators does not fill the design.

    Raises
    ------
    StatisticsError
        If operators or detectors are not lists of names.

    Examples
    --------
    >>> roster, issues = crossover(["P", "Q"], ["X", "Y"], ["L1", "L2"])
    >>> roster.groupby("period")["detector"].nunique().tolist(), issues
    ([2, 2], [])
    """
    columns = ["run_id", "period", "operator", "detector", "lane_id"]
    for name, values in (("operators", operators), ("detectors", detectors), ("lanes", lanes)):
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise StatisticsError(f"{name} must be a list of names", hint="for example ['OP-1', 'OP-2']")
        if not all(isinstance(value, str | int) for value in values):
            raise StatisticsError(f"{name} must be names, each a text", hint="for example ['OP-1', 'OP-2']")
    seed = arguments.whole(seed, "seed")
    if not operators or not detectors or not lanes:
        return pd.DataFrame({name: [] for name in columns}), []
    orders = _williams(len(detectors))
    people = [operators[i] for i in np.random.default_rng(seed).permutation(len(operators))]
    rows = [
        {
            "period": period + 1,
            "operator": who,
            "detector": detectors[orders[n % len(orders)][period]],
            "lane_id": lanes[(n + period) % len(lanes)],
        }
        for n, who in enumerate(people)
        for period in range(len(detectors))
    ]
    issues = []
    if len(lanes) < len(detectors):
        text = "there are fewer lanes than detectors: an operator walks a known lane again, which is not blind"
        issues.append(Issue("TR-03", "warning", "signals", message=text, value=len(lanes), limit=len(detectors)))
    if len(people) % len(orders):
        text = "the number of operators does not fill the crossover: detectors are not fully balanced over periods"
        issues.append(
            Issue("TR-04", "info", "signals", message=text, value=len(people), limit=f"multiple of {len(orders)}")
        )
    roster = pd.DataFrame(rows).sort_values(["period", "operator"]).reset_index(drop=True)
    roster.insert(0, "run_id", [f"R{n + 1:03d}" for n in range(len(roster))])
    return roster[columns], issues


def _williams(size: int) -> list[list[int]]:
    first = [(step + 1) // 2 if step % 2 else (size - step // 2) % size for step in range(size)]
    square = [[(value + row) % size for value in first] for row in range(size)]
    return square if size % 2 == 0 or size == 1 else square + [row[::-1] for row in square]
