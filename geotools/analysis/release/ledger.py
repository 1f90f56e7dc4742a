"""The ledger: every hazard, release and event on one plane, and the state of the ground on any day.

For the arithmetic behind `Coverage` and the balance sheet; tables for people are made in `tables` and `balance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geotools.analysis.release import engine as _engine
from geotools.analysis.release import entries as _e
from geotools.analysis.release import projection as _p
from geotools.analysis.release import reopenings
from geotools.analysis.release.geos import overlay, union
from geotools.analysis.release.reopenings import Layer
from geotools.analysis.release.succession import claim_order, sortable, without_circles
from geotools.model.errors import ReleaseError
from geotools.model.programme import Programme
from geotools.model.progress import Progress
from geotools.space import crs as _crs
from geotools.space.geom import polygonal
from geotools.space.outlines import Outlines

PRIORITIES = ("first", "strongest")
SLIVER_M2 = 1e-6


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
    self_links: tuple[tuple[int, str], ...] = ()  # hazards that name themselves, and in which column
    circles: tuple[tuple[int, ...], ...] = ()  # hazards that supersede each other

    @cached_property
    def accuracy(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position accuracy of each hazard, release and event in metres, 1 sigma per axis; the programme's default where none is given."""
        default = self.programme.limit("h_acc_default_m")
        given = (layer.rows.number("h_acc_m") for layer in (self.hazards, self.releases, self.events))
        hazards, releases, events = (np.where(values > 0, values, default) for values in given)
        return hazards, releases, events

    @cached_property
    def sigma(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Standard deviation of the area of each hazard, release and event in m², from the accuracy of its recorded corners."""
        layers = (self.hazards, self.releases, self.events)
        hazards, releases, events = (self._sigma(layer, acc) for layer, acc in zip(layers, self.accuracy, strict=True))
        return hazards, releases, events

    def _sigma(self, layer: Layer, accuracy: np.ndarray) -> np.ndarray:
        sigma = _p.sigmas(layer.ground.outlines, accuracy)
        dense = np.flatnonzero(layer.ground.dense)
        if len(dense):  # vertices added along long edges are no observations
            corners = _crs.transform(layer.ground.lonlat[dense], _crs.WGS84, self.plane)
            sigma[dense] = _p.sigmas(Outlines(corners), accuracy[dense])
        return sigma

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
    ground: np.ndarray
    cover: np.ndarray
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
    outlines: Outlines | None = field(default=None, repr=False, compare=False)


def ledger(
    hazards: gpd.GeoDataFrame, releases: gpd.GeoDataFrame, events: gpd.GeoDataFrame, *, programme: Programme, work: Work
) -> Ledger:
    """Read the rows, bring all ground to one plane, repair what is invalid.

    Raises
    ------
    ReleaseError, CRSError, SchemaError
        If the call cannot be understood; odd data is kept and reported by `findings`.
    """
    if work.priority not in PRIORITIES:
        raise ReleaseError(f"there is no priority rule '{work.priority}'", hint=f"use one of {', '.join(PRIORITIES)}")
    _engine.choose(work.engine, 0)
    frames = {"hazards": hazards, "releases": releases, "events": events}
    systems = {name: _p.layer_crs(frame, name) for name, frame in frames.items()}
    found = {name: _p.taken(frame, systems[name]) for name, frame in frames.items()}
    found["hazards"] = found["hazards"].located()  # their exact areas are wanted
    plane = _p.plane_for([found["hazards"], found["releases"], found["events"]])
    acts: dict[str, Any] = {
        "hazards": lambda frame: np.full(len(frame), _e.NOTHING, dtype=np.int8),
        "releases": lambda frame: _e.release_acts(frame, programme),
        "events": lambda frame: _e.event_acts(frame, programme),
    }
    days = {"hazards": "date_info", "releases": "date", "events": "date"}
    layers = {}
    for name, frame in frames.items():
        rows, order = _e.entries(frame, found[name].places, day=days[name], acts=acts[name])
        if name == "hazards":
            rows, alone, circles = without_circles(rows)
        layers[name] = Layer(rows, _p.settle(found[name].take(order), plane))
    crs = systems["hazards"] or systems["releases"] or pyproj.CRS.from_epsg(4326)
    factor = _p.factors(layers["hazards"].ground)
    layers["events"], whole = reopenings.placed(layers["hazards"], layers["events"], programme)
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
    outlines = _outlines(book, ground, cover) if name == "sweep" else None
    work = replace(work, outlines=outlines)
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
        shapely.area(ground) * factor, settled.left * factor, settled.rest,
        own[0], own[1], own[2] * mine, own[3] * mine, own[4] * factor, own[5] * factor,
        shared, outside, outside_gross, where, reopened, name, outlines,
    )  # fmt: skip


def _outlines(book: Ledger, ground: np.ndarray, cover: np.ndarray) -> Outlines:
    """The polygons of a snapshot as arrays: those of the ledger where they are unchanged."""
    known = Outlines.joined([layer.ground.outlines for layer in (book.hazards, book.releases, book.events)])
    both = np.r_[ground, cover]
    return known if known.rows(both) is not None else Outlines(both, valid=True)


def _solve(book: Ledger, work: _engine.Job, name: str, what: str) -> _engine.Settled:
    how = book.work
    return _engine.solve(work, name, progress=how.progress, threads=how.threads, chunk=how.chunk, what=what)


def _extended(book: Ledger, hazard: np.ndarray, as_of: np.datetime64 | None) -> np.ndarray:
    """Ground of each hazard with the extensions and inward corrections known on the day."""
    ground = book.hazards.ground.plane[hazard].copy()
    adds = _e.event_adds(book.events.rows.frame, book.programme)
    target = book.events.rows.text("hazard_id")
    position = {book.hazards.rows.id[row]: n for n, row in enumerate(hazard)}
    for row in np.flatnonzero((adds != None) & known(book.events.rows.day, as_of, undated=True)):  # noqa: E711
        place = position.get(target[row])
        if place is not None and book.events.ground.area[row] > 0:
            ground[place] = polygonal([union(np.array([ground[place], book.events.ground.plane[row]]))])[0]
    return ground


def standing(
    book: Ledger, as_of: np.datetime64 | None, *, reopened: np.datetime64 | None, priority: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
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
    plane = np.r_[releases.ground.plane, events.ground.plane]
    counts = (act < _e.REOPENED) & (area > 0) & known(day, as_of, undated=False)
    rows = np.flatnonzero(counts)
    last = (act[rows] == _e.PROCESSED).astype(int)
    keys = [rows, act[rows], sortable(day[rows], undated_last=True), last]
    if priority == "strongest":
        keys = [rows, sortable(day[rows], undated_last=True), act[rows], last]
    rows = rows[np.lexsort(keys)]
    cover = plane[rows].copy()
    before = shapely.area(cover)
    back = (events.rows.act == _e.REOPENED) & (events.ground.area > 0)
    back &= known(events.rows.day, reopened, undated=True)
    _reopen(cover, (day[rows], act[rows]), events.ground.plane[back], events.rows.day[back])
    return rows, act[rows], cover, before - shapely.area(cover)


def _reopen(cover: np.ndarray, acts: tuple[np.ndarray, np.ndarray], ground: np.ndarray, day: np.ndarray) -> None:
    """Take reopened ground from every act of the same day or before; where a day is unknown, from all."""
    if not len(ground):
        return
    when, act = acts
    which, one = shapely.STRtree(cover).query(ground)
    late = np.isnat(day[which]) | np.isnat(when[one]) | (when[one] <= day[which])
    hit = late & (act[one] < _e.PROCESSED) & shapely.intersects(ground[which], cover[one])
    for row in np.unique(one[hit]):
        gone = union(ground[np.sort(which[hit & (one == row)])])
        cover[row] = polygonal(overlay(shapely.difference, cover[[row]], np.array([gone], dtype=object)))[0]


def _sharing(ground: np.ndarray) -> tuple[tuple[int, int, float], ...]:
    """Pairs of hazards that share ground, and how much on the plane."""
    one, two = shapely.STRtree(ground).query(ground)
    keep = one < two
    one, two = one[keep], two[keep]
    if not len(one):
        return ()
    near = shapely.intersects(ground[one], ground[two])
    one, two = one[near], two[near]
    area = shapely.area(overlay(shapely.intersection, ground[one], ground[two]))
    order = np.lexsort((two, one))
    return tuple((int(one[n]), int(two[n]), float(area[n])) for n in order if area[n] > 0)


def own_ground(book: Ledger, ground: np.ndarray) -> np.ndarray:
    """The part of each polygon that no polygon before it claims."""
    shared = _sharing(ground)
    own = ground.copy()
    if shared:
        rows, rest = _rest_of(book, ground, np.arange(len(ground)), shared)
        own[rows] = rest
    return own


def _rest_of(
    book: Ledger, ground: np.ndarray, claim: np.ndarray, shared: tuple[tuple[int, int, float], ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows that share ground with one of an earlier claim, and what is left of them without it."""
    later = np.array([b if claim[a] < claim[b] else a for a, b, _ in shared])
    first = np.array([a if claim[a] < claim[b] else b for a, b, _ in shared])
    rows = np.unique(later)
    cut = _engine.paired(ground[rows], ground, np.searchsorted(rows, later), first, credit=False)
    rest = _solve(book, cut, "geos", "hazards that overlap").rest
    assert rest is not None
    return rows, rest


def _own(
    book: Ledger, name: str, work: _engine.Job, settled: _engine.Settled, sharing: tuple[Any, ...]
) -> tuple[np.ndarray, ...]:
    """Pairs, areas and left-overs of the ground each hazard does not share with one that claims it first."""
    ground, claim, shared = sharing
    gross, left = shapely.area(ground), settled.left.copy()
    pairs = (work.container, work.cover, settled.net, settled.raw)
    if not shared:
        return (*pairs, gross, left)
    rows, rest = _rest_of(book, ground, claim, shared)
    keep = np.isin(work.container, rows)
    again = _engine.paired(
        rest, work.covers, np.searchsorted(rows, work.container[keep]), work.cover[keep], kept=work.kept, geometry=False
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
    inside: _engine.Job,
    act: np.ndarray,
    wanted: tuple[tuple[np.ndarray, ...], bool],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Released ground outside every hazard, each m² with the act that took it first."""
    ground, cover = inside.containers, inside.covers
    own, geometry = wanted
    area = shapely.area(cover)
    gross = area - np.bincount(own[1], weights=own[3], minlength=len(cover))[: len(cover)]
    some = (act <= _e.CANCELLED) & (gross > np.maximum(SLIVER_M2, 1e-9 * area))
    gross = np.where(some, gross, 0.0)
    net = np.zeros(len(cover))
    where = np.full(len(cover), shapely.Polygon(), dtype=object) if geometry else None
    rows = np.flatnonzero(some)
    if not len(rows):
        return net, gross, where
    one, hazard = shapely.STRtree(ground).query(cover[rows]) if len(ground) else (np.zeros(0, int), np.zeros(0, int))
    two, earlier = shapely.STRtree(cover[rows]).query(cover[rows])
    before = earlier < two
    blockers = np.r_[ground, cover[rows]]
    pairs = np.r_[one, two[before]], np.r_[hazard, earlier[before] + len(ground)]
    work = _engine.paired(cover[rows], blockers, *pairs, geometry=geometry, credit=False)
    settled = _solve(book, replace(work, outlines=inside.outlines), name, "released ground outside hazards")
    net[rows] = settled.left
    if where is not None:
        where[rows] = settled.rest
    return net, gross, where
