"""The ledger: every hazard, release and event on one plane, and the state of the ground on any day.

For the arithmetic behind `Coverage` and the balance sheet; tables for people are made in `tables` and `balance`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geotools.analysis.release import engine as _engine
from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release import reopenings, withdrawals
from geotools.analysis.release.geos import overlay, union
from geotools.analysis.release.projection import Ground
from geotools.analysis.release.reopenings import Layer
from geotools.analysis.release.succession import claim_order, sortable, without_circles
from geotools.analysis.release.withdrawals import Withheld
from geotools.model.errors import ReleaseError
from geotools.model.programme import Programme
from geotools.model.progress import Progress
from geotools.space.geom import polygonal
from geotools.space.shapes import Shapes, meeting

PRIORITIES = ("first", "strongest")
SLIVER_M2 = 1e-6
EARTH_M = 2e7  # half way round: no position is less certain
Drawn = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Work:
    """How to compute: priority rule, engine, threads, chunk size, progress, and whether remaining ground is wanted as polygons."""

    priority: str = "first"
    engine: str = "auto"
    threads: int | None = None
    chunk: int = _engine.CHUNK_VERTICES
    progress: Progress | None = None
    geometry: bool = True


@dataclass(frozen=True)
class Ledger:
    """All records, whatever their day."""

    hazards: Layer
    releases: Layer
    events: Layer
    plane: pyproj.CRS
    crs: pyproj.CRS
    programme: Programme
    work: Work
    factor: np.ndarray = field(repr=False)
    reopened_whole: frozenset[int] = frozenset()  # events that reopen all of the hazard they name
    withheld: Mapping[int, Withheld] = field(default_factory=dict)  # what transfers and corrections may not take
    self_links: tuple[tuple[int, str], ...] = ()  # hazards that name themselves, and in which column
    circles: tuple[tuple[int, ...], ...] = ()  # hazards that supersede each other

    @cached_property
    def accuracy(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position accuracy of each hazard, release and event in metres, 1 sigma per axis; the programme's default where none is given."""
        default = self.programme.limit("h_acc_default_m")
        given = (layer.rows.number("h_acc_m") for layer in (self.hazards, self.releases, self.events))
        hazards, releases, events = (np.where((values > 0) & (values < EARTH_M), values, default) for values in given)
        return hazards, releases, events

    @cached_property
    def sigma(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Standard deviation of the area of each hazard, release and event in m², from the accuracy of its recorded corners."""
        layers = (self.hazards, self.releases, self.events)
        each = (acc * layer.ground.spread for layer, acc in zip(layers, self.accuracy, strict=True))
        hazards, releases, events = each
        return hazards, releases, events

    @cached_property
    def order(self) -> np.ndarray:
        """Position of each hazard in the claim on shared ground: superseding before superseded, then by day and id."""
        return claim_order(self.hazards.rows)

    def snapshot(self, as_of: np.datetime64 | None, *, by_day: bool = False, geometry: bool | None = None) -> Snapshot:
        """The state of the ground on a day (None: all that is recorded).

        Parameters
        ----------
        by_day
            Shared ground belongs to the hazard recorded first, as the balance sheet needs it.
        """
        return _snapshot(self, as_of, by_day, self.work.geometry if geometry is None else geometry)


@dataclass(frozen=True)
class Snapshot:
    """Who released what of which hazard, as known on one day.

    Attributes
    ----------
    hazard, release
        Rows of the ledger that count, hazards in ledger order, releases and events by priority (events have their row
        plus the number of releases).
    ground
        Polygons of the hazards on the plane, with extensions; `cover` those of the acts, without what was reopened.
    pair_h, pair_c, net, raw
        Positions in `hazard` and `release`, m² first taken and m² touched, hazard by hazard.
    own_h, own_c, own_net, own_raw
        The same for ground that each hazard does not share with one before it: sums over these count nothing twice.
    gross, left, own_gross, own_left
        m² of each hazard, and under no releasing act.
    rest
        Remaining ground of each hazard (None if it was not asked for).
    outside, outside_gross, outside_ground
        Per act: m² outside every recorded hazard, counted once; the same with repetitions; and where.
    """

    as_of: np.datetime64 | None
    hazard: np.ndarray
    release: np.ndarray
    act: np.ndarray
    ground: Shapes
    cover: Shapes
    factor: np.ndarray
    pair_h: np.ndarray
    pair_c: np.ndarray
    net: np.ndarray
    raw: np.ndarray
    gross: np.ndarray
    left: np.ndarray
    rest: np.ndarray | None
    own_h: np.ndarray
    own_c: np.ndarray
    own_net: np.ndarray
    own_raw: np.ndarray
    own_gross: np.ndarray
    own_left: np.ndarray
    shared: tuple[tuple[int, int, float], ...]
    outside: np.ndarray
    outside_gross: np.ndarray
    outside_ground: np.ndarray | None
    reopened: np.ndarray
    engine: str


@dataclass(frozen=True)
class Records:
    """The rows of one layer as they came, and where their geometries are found."""

    frame: gpd.GeoDataFrame
    found: Found


class Found(Protocol):
    """The geometries of one layer: in memory (`projection.Taken`) or in files (`filed.Filed`)."""

    @property
    def source(self) -> pyproj.CRS | None:
        """The reference system of the layer."""

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Some of the geometries in WGS 84."""

    def centres(self) -> np.ndarray:
        """Longitude and latitude of the middle of each geometry's box, where there is one."""

    def settled(self, order: np.ndarray, plane: pyproj.CRS, *, exact: bool = False) -> Ground:
        """On the plane, in a given order; with areas on the ellipsoid if `exact`."""


def records(frame: gpd.GeoDataFrame, what: str) -> Records:
    """The rows of a layer in memory.

    Raises
    ------
    SchemaError, CRSError
        If it has rows but no geometry column, or geometries without a CRS.
    """
    source = _p.layer_crs(frame, what)
    shapes = np.full(len(frame), None) if source is None else np.asarray(frame.geometry.array, dtype=object)
    return Records(frame, _p.taken(shapes, source))


def ledger(hazards: Records, releases: Records, events: Records, *, programme: Programme, work: Work) -> Ledger:
    """Read the rows, bring all ground to one plane, repair what is invalid.

    Raises
    ------
    ReleaseError, CRSError, SchemaError
        If the call cannot be understood; odd data is kept and reported by `findings`.
    """
    if work.priority not in PRIORITIES:
        raise ReleaseError(f"there is no priority rule '{work.priority}'", hint=f"use one of {', '.join(PRIORITIES)}")
    _engine.choose(work.engine, 0)
    records = {"hazards": hazards, "releases": releases, "events": events}
    plane = _p.plane_for([layer.found for layer in records.values()])
    acts: dict[str, Any] = {
        "hazards": lambda frame: np.full(len(frame), _e.NOTHING, dtype=np.int8),
        "releases": lambda frame: _e.release_acts(frame, programme),
        "events": lambda frame: _e.event_acts(frame, programme),
    }
    days = {"hazards": "date_info", "releases": "date", "events": "date"}
    layers = {}
    for name, layer in records.items():
        rows, order = _e.entries(layer.frame, layer.found.places, day=days[name], acts=acts[name])
        if name == "hazards":
            rows, alone, circles = without_circles(rows)
        layers[name] = Layer(rows, layer.found.settled(order, plane, exact=name == "hazards"))
    crs = hazards.found.source or releases.found.source or pyproj.CRS.from_epsg(4326)
    factor = _p.factors(layers["hazards"].ground)
    layers["events"], whole = reopenings.placed(layers["hazards"], layers["events"], programme)
    layers["events"], withheld = withdrawals.placed(layers["hazards"], layers["events"], programme)
    return Ledger(
        layers["hazards"],
        layers["releases"],
        layers["events"],
        plane,
        crs,
        programme,
        work,
        factor,
        whole,
        withheld,
        alone,
        circles,
    )


def known(day: np.ndarray, as_of: np.datetime64 | None, *, undated: bool) -> np.ndarray:
    """Which rows are known on a day; rows without a day by `undated`."""
    if as_of is None:
        return np.ones(len(day), dtype=bool)
    return np.where(np.isnat(day), undated, day <= as_of).astype(bool)


def _snapshot(book: Ledger, as_of: np.datetime64 | None, by_day: bool, geometry: bool) -> Snapshot:
    hazard = np.flatnonzero(known(book.hazards.rows.day, as_of, undated=True))
    ground = _extended(book, hazard, as_of)
    factor = book.factor[hazard]
    release, act, cover, reopened = standing(book, as_of, reopened=as_of, priority=book.work.priority)
    kept = int(np.searchsorted(act == _e.PROCESSED, True)) if len(act) else 0
    work = _engine.job(ground, cover, kept=kept, geometry=geometry)
    name = _engine.choose(book.work.engine, len(work.cover))
    settled = _solve(book, work, name, "measuring released ground")
    claim = sortable(book.hazards.rows.day)[hazard] if by_day else book.order[hazard]
    claim = np.argsort(np.lexsort((np.arange(len(hazard)), claim)))
    shared = _sharing(ground)
    own = _own(book, name, work, settled, (ground, claim, shared))
    outside, outside_gross, where = _outside(book, name, work, act, (own, geometry))
    scale, mine = factor[work.container], factor[own[0]]
    return Snapshot(
        as_of, hazard, release, act, ground, cover, factor,
        work.container, work.cover, settled.net * scale, settled.raw * scale,
        ground.area * factor, settled.left * factor, settled.rest,
        own[0], own[1], own[2] * mine, own[3] * mine, own[4] * factor, own[5] * factor,
        shared, outside, outside_gross, where, reopened, name,
    )  # fmt: skip


def _solve(book: Ledger, work: _engine.Job[Shapes], name: str, what: str) -> _engine.Settled:
    how = book.work
    return _engine.solve(work, name, progress=how.progress, threads=how.threads, chunk=how.chunk, what=what)


def _extended(book: Ledger, hazard: np.ndarray, as_of: np.datetime64 | None) -> Shapes:
    """Ground of each hazard with the extensions and inward corrections known on the day."""
    ground = book.hazards.ground.plane.take(hazard)
    wider: dict[int, Any] = {}
    adds = _e.event_adds(book.events.rows.frame, book.programme)
    target = book.events.rows.text("hazard_id")
    position = {book.hazards.rows.id[row]: n for n, row in enumerate(hazard)}
    for row in np.flatnonzero((adds != None) & known(book.events.rows.day, as_of, undated=True)):  # noqa: E711
        place = position.get(target[row])
        if place is not None and book.events.ground.area[row] > 0:
            before = wider[place] if place in wider else ground[place]
            wider[place] = polygonal([union(np.array([before, book.events.ground.plane[row]]))])[0]
    return ground.replaced(np.array(list(wider)), np.array(list(wider.values()), dtype=object))


def standing(
    book: Ledger, as_of: np.datetime64 | None, *, reopened: np.datetime64 | None, priority: str
) -> tuple[np.ndarray, np.ndarray, Shapes, np.ndarray]:
    """Acts that count on a day, in order of priority: row, act, ground still standing, m² reopened since.

    Parameters
    ----------
    reopened
        Reopenings up to this day are taken off (None: all).
    """
    releases, events = book.releases, book.events
    act = np.r_[releases.rows.act, events.rows.act]
    day = np.r_[releases.rows.day, events.rows.day]
    area = np.r_[releases.ground.area, events.ground.area]
    plane = Shapes.joined([releases.ground.plane, events.ground.plane])
    counts = (act < _e.REOPENED) & (area > 0) & known(day, as_of, undated=False)
    rows = np.flatnonzero(counts)
    last = (act[rows] == _e.PROCESSED).astype(int)
    keys = [rows, act[rows], sortable(day[rows], undated_last=True), last]
    if priority == "strongest":
        keys = [rows, sortable(day[rows], undated_last=True), act[rows], last]
    rows = rows[np.lexsort(keys)]
    cover = plane.take(rows)
    before = cover.area
    back = (events.rows.act == _e.REOPENED) & (events.ground.area > 0)
    back &= known(events.rows.day, reopened, undated=True)
    standing_ = _reopen(cover, (day[rows], act[rows]), events.ground.plane[back], events.rows.day[back])
    return rows, act[rows], standing_, before - standing_.area


def _reopen(cover: Shapes, acts: tuple[np.ndarray, np.ndarray], ground: np.ndarray, day: np.ndarray) -> Shapes:
    """Take reopened ground from every act of the same day or before; where a day is unknown, from all."""
    when, act = acts
    which, one = meeting(shapely.bounds(ground).reshape(-1, 4), cover.bounds)
    late = np.isnat(day[which]) | np.isnat(when[one]) | (when[one] <= day[which])
    hit = late & (act[one] < _e.PROCESSED)
    which, one = which[hit], one[hit]
    meets = shapely.intersects(ground[which], cover[one])
    which, one = which[meets], one[meets]
    rows = np.unique(one)
    gone = np.array([union(ground[np.sort(which[one == row])]) for row in rows], dtype=object)
    return cover.replaced(rows, polygonal(overlay(shapely.difference, cover[rows], gone)))


def _sharing(ground: Shapes) -> tuple[tuple[int, int, float], ...]:
    """Pairs of hazards that share ground, and how much on the plane."""
    one, two = meeting(ground.bounds, ground.bounds)
    keep = one < two
    one, two = one[keep], two[keep]
    area = np.zeros(len(one))
    for rows in np.array_split(np.arange(len(one)), max(1, len(one) // _engine.PAIRS)):
        a, b = ground[one[rows]], ground[two[rows]]
        near = shapely.intersects(a, b)
        area[rows[near]] = shapely.area(overlay(shapely.intersection, a[near], b[near]))
    some = np.flatnonzero(area > 0)
    return tuple(zip(one[some].tolist(), two[some].tolist(), area[some].tolist(), strict=True))


def own_ground(book: Ledger, ground: Shapes) -> Shapes:
    """The part of each polygon that no polygon before it claims."""
    shared = _sharing(ground)
    return ground.replaced(*_rest_of(book, ground, np.arange(len(ground)), shared)) if shared else ground


def _rest_of(
    book: Ledger, ground: Shapes, claim: np.ndarray, shared: tuple[tuple[int, int, float], ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows that share ground with one of an earlier claim, and what is left of them without it."""
    later = np.array([b if claim[a] < claim[b] else a for a, b, _ in shared])
    first = np.array([a if claim[a] < claim[b] else b for a, b, _ in shared])
    rows = np.unique(later)
    cut = _engine.paired(ground.take(rows), ground, np.searchsorted(rows, later), first, credit=False)
    rest = _solve(book, cut, "geos", "hazards that overlap").rest
    assert rest is not None
    return rows, rest


def _own(
    book: Ledger, name: str, work: _engine.Job[Shapes], settled: _engine.Settled, sharing: tuple[Any, ...]
) -> tuple[np.ndarray, ...]:
    """Pairs, areas and left-overs of the ground each hazard does not share with one that claims it first."""
    ground, claim, shared = sharing
    gross, left = ground.area.copy(), settled.left.copy()
    pairs = (work.container, work.cover, settled.net, settled.raw)
    if not shared:
        return (*pairs, gross, left)
    rows, rest = _rest_of(book, ground, claim, shared)
    keep = np.isin(work.container, rows)
    again = _engine.paired(
        Shapes.of(rest),
        work.covers,
        np.searchsorted(rows, work.container[keep]),
        work.cover[keep],
        kept=work.kept,
        geometry=False,
    )
    mine = _solve(book, again, name, "ground of one hazard only")
    gross[rows], left[rows] = shapely.area(rest), mine.left
    parts = (rows[again.container], again.cover, mine.net, mine.raw)
    joined = [np.r_[old[~keep], new] for old, new in zip(pairs, parts, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    return (*(column[order] for column in joined), gross, left)


def _outside(
    book: Ledger,
    name: str,
    inside: _engine.Job[Shapes],
    act: np.ndarray,
    wanted: tuple[tuple[np.ndarray, ...], bool],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Released ground outside every hazard, each m² with the act that took it first."""
    ground, cover = inside.containers, inside.covers
    own, geometry = wanted
    area = cover.area
    gross = area - np.bincount(own[1], weights=own[3], minlength=len(cover))[: len(cover)]
    some = (act <= _e.CANCELLED) & (gross > np.maximum(SLIVER_M2, 1e-9 * area))
    gross = np.where(some, gross, 0.0)
    net = np.zeros(len(cover))
    where = np.full(len(cover), shapely.Polygon(), dtype=object) if geometry else None
    rows = np.flatnonzero(some)
    if not len(rows):
        return net, gross, where
    work = _astray(ground, cover, rows, geometry)
    settled = _solve(book, work, name, "released ground outside hazards")
    net[rows] = settled.left
    if where is not None:
        where[rows] = settled.rest
    return net, gross, where


def _astray(ground: Shapes, cover: Shapes, rows: np.ndarray, geometry: bool) -> _engine.Job[Shapes]:
    """Acts that reach outside hazards, with all that takes ground before them."""
    astray = cover.take(rows)
    one, hazard = meeting(astray.bounds, ground.bounds)
    two, earlier = meeting(astray.bounds, astray.bounds)
    before = earlier < two
    blockers = Shapes.joined([ground, astray])
    pairs = np.r_[one, two[before]], np.r_[hazard, earlier[before] + len(ground)]
    return _engine.paired(astray, blockers, *pairs, geometry=geometry, credit=False)


def rest_of(book: Ledger, shot: Snapshot) -> Drawn:
    """Remaining ground of some hazards, given by rising position: from the snapshot, or worked out now for them alone."""
    if shot.rest is not None:
        return shot.rest.__getitem__
    kept = int(np.searchsorted(shot.act == _e.PROCESSED, True)) if len(shot.act) else 0
    work = _engine.Job(shot.ground, shot.cover, shot.pair_h, shot.pair_c, kept)
    return _some(book, shot, work)


def outside_of(book: Ledger, shot: Snapshot) -> Drawn:
    """The same for the ground of some acts outside all hazards; each of them must have some."""
    if shot.outside_ground is not None:
        return shot.outside_ground.__getitem__
    rows = np.flatnonzero(shot.outside_gross > 0)
    found = _some(book, shot, _astray(shot.ground, shot.cover, rows, True))
    return lambda acts: found(np.searchsorted(rows, acts))


def _some(book: Ledger, shot: Snapshot, work: _engine.Job[Shapes]) -> Drawn:
    def draw(rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.zeros(0, dtype=object)
        how = book.work
        part = _engine.part_of(work, rows)
        rest = _engine.solve(part, shot.engine, threads=how.threads, chunk=how.chunk).rest
        assert rest is not None
        return rest

    return draw
