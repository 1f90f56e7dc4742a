"""The balance sheet: what was open, what came, what was released, what is open now (identity A9), for any period.

For flows between days; the state on one day is in `coverage`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.analysis.release import engine as _engine
from geotools.analysis.release import entries as _e
from geotools.analysis.release import ledger as _l
from geotools.analysis.release.ledger import Ledger
from geotools.analysis.release.succession import sortable
from geotools.model.errors import ReleaseError
from geotools.model.figures import direction, square_metres
from geotools.space.shapes import Shapes

ALWAYS, NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max  # undated ground is always there; undated acts come last
COMING = ("new", "extended", "corrected_in", "reopened")
GOING = ("cancelled", "reduced", "cleared", "transferred", "corrected_out")
KINDS = (*COMING, *GOING)


@dataclass(frozen=True)
class Balance:
    """The ledger of a period, in m² counted once (A9): what was open plus what came less what went is what is open.

    Attributes
    ----------
    start, end
        The period: after ``start``, up to and including ``end``. None: from the beginning, to the last record (with undated acts).
    new_m2
        Ground first recorded as hazardous. ``extended_m2``: added to a hazard that was known (``extended`` events, hazards
        with a parent or superseding another). ``corrected_in_m2`` and ``corrected_out_m2``: corrections of the records,
        never booked as cancelled (A10). ``reopened_m2``: released ground that became hazardous again.
    cancelled_m2, reduced_m2, cleared_m2
        Released in the period, by the act that released it first. ``transferred_m2``: handed to another register.
    conversions, converted_m2
        Hazards that took the place of one of another class (SHA to CHA) and the ground they share: it releases nothing.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from geotools.analysis.release import coverage
    >>> field = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> half = gpd.GeoSeries([shapely.box(700000, 4380000, 700050, 4380100)], crs="EPSG:32638")
    >>> year = coverage(field, half, product="cleared", date="2024-05-01").between(date(2024, 1, 1), date(2024, 12, 31))
    >>> round(year.opening_m2), round(year.released_m2), round(year.closing_m2), round(year.difference_m2, 6)
    (9998, 4999, 4999, 0.0)
    """

    start: date | None
    end: date | None
    opening_m2: float
    new_m2: float
    extended_m2: float
    corrected_in_m2: float
    reopened_m2: float
    cancelled_m2: float
    reduced_m2: float
    cleared_m2: float
    transferred_m2: float
    corrected_out_m2: float
    closing_m2: float
    conversions: int
    converted_m2: float

    @property
    def released_m2(self) -> float:
        """Cancelled, reduced and cleared in the period."""
        return math.fsum((self.cancelled_m2, self.reduced_m2, self.cleared_m2))

    @property
    def difference_m2(self) -> float:
        """What the sheet fails to close by: rounding only."""
        came = [getattr(self, f"{kind}_m2") for kind in COMING]
        went = [-getattr(self, f"{kind}_m2") for kind in GOING]
        return math.fsum((self.opening_m2, *came, *went, -self.closing_m2))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, dates as ISO text."""
        data = asdict(self)
        data["start"], data["end"] = (d.isoformat() if d else None for d in (self.start, self.end))
        data["released_m2"] = self.released_m2
        return data

    def _repr_html_(self) -> str:
        signs = {**dict.fromkeys(COMING, "+"), **dict.fromkeys(GOING, "−")}
        rows = [("open before", self.opening_m2, "up")]
        rows += [(f"{sign} {k.replace('_', ' ')}", getattr(self, f"{k}_m2"), direction(k)) for k, sign in signs.items()]
        rows.append(("open after", self.closing_m2, "up"))
        body = "".join(
            f"<tr><td>{name}</td><td style='text-align:right'>{square_metres(value, toward=toward)} m²</td></tr>"
            for name, value, toward in rows
        )
        return f"<table><caption>{self.start or 'beginning'} – {self.end or 'all records'}</caption><tbody>{body}</tbody></table>"


def between(book: Ledger, entries_: pd.DataFrame, start: np.datetime64 | None, end: np.datetime64 | None) -> Balance:
    """The balance of one period from the bookings of a ledger.

    Raises
    ------
    ReleaseError
        If the period ends before it starts.
    """
    if start is not None and end is not None and end < start:
        raise ReleaseError(f"the period ends ({end}) before it starts ({start})", hint="give the earlier day first")
    day, kind, amount = (entries_[name].to_numpy() for name in ("day", "kind", "m2"))
    low = None if start is None else int(start.astype(np.int64))
    high = NEVER if end is None else int(end.astype(np.int64))
    before = np.zeros(len(day), dtype=bool) if low is None else day <= low
    upto = day <= high
    inside = upto & ~before
    sign = np.where(np.isin(kind, COMING), 1.0, -1.0)
    flows = {f"{name}_m2": math.fsum(amount[inside & (kind == name)].tolist()) for name in KINDS}
    converted = [area for when, area in conversions(book) if (low is None or when > low) and when <= high]
    return Balance(
        start=None if start is None else start.astype(object),
        end=None if end is None else end.astype(object),
        opening_m2=math.fsum((sign * amount)[before].tolist()),
        closing_m2=math.fsum((sign * amount)[upto].tolist()),
        conversions=len(converted),
        converted_m2=math.fsum(converted),
        **flows,
    )


def conversions(book: Ledger) -> Iterator[tuple[int, float]]:
    """Day and shared ground of each hazard that supersedes one of another class."""
    rows, ground = book.hazards.rows, book.hazards.ground
    position = {name: n for n, name in enumerate(rows.id)}
    classes = rows.word("classification", "classification", book.programme)
    for row, text in enumerate(rows.text("supersedes_id")):
        old = position.get(text) if text else None
        if old is not None and classes[old] != classes[row]:
            shared = shapely.area(shapely.intersection(ground.plane[row], ground.plane[old]))
            yield int(sortable(rows.day[[row]])[0]), float(shared * book.factor[row])


def bookings(book: Ledger) -> pd.DataFrame:
    """Every movement of the ledger: day number, kind, hazard, record and m²; each m² is booked once per movement.

    Ground belongs to the hazard recorded first. A release of ground that was recorded later is booked on the day of the
    record. Periods always book by the first act, whatever the priority of the coverage.
    """
    pieces = _pieces(book)
    parts = [_opened(pieces)]
    touched = _reopened_pieces(book, pieces["own"])
    parts.append(_released(book, pieces, np.flatnonzero(~touched), None, None))
    if touched.any():
        parts += _with_reopenings(book, pieces, np.flatnonzero(touched))
    table = pd.concat(parts, ignore_index=True)
    return table[table["m2"] > 0].reset_index(drop=True)


def _pieces(book: Ledger) -> dict[str, np.ndarray]:
    """Hazards and additions to them, each with the ground no earlier piece claims."""
    hazards, events = book.hazards, book.events
    names = {name: n for n, name in enumerate(hazards.rows.id)}
    adds, target = _e.event_adds(events.rows.frame, book.programme), events.rows.text("hazard_id")
    extra = [row for row in range(len(events)) if adds[row] and target[row] in names and events.ground.area[row] > 0]
    owner = np.array([*range(len(hazards)), *(names[target[row]] for row in extra)], dtype=int)
    parent, heir = hazards.rows.text("parent_id"), hazards.rows.text("supersedes_id")
    related = [bool((a and a in names) or (b and b in names)) for a, b in zip(parent, heir, strict=True)]
    kind = np.array([*("extended" if r else "new" for r in related), *(adds[row] for row in extra)], dtype=object)
    day = sortable(hazards.rows.day)
    day = np.r_[day, np.maximum(sortable(events.rows.day[extra]), day[owner[len(hazards) :]])]
    ground = Shapes.joined([hazards.ground.plane, events.ground.plane.take(np.array(extra, dtype=int))])
    record = np.r_[hazards.rows.id, events.rows.id[extra]]
    order = np.lexsort((np.arange(len(day)), day))
    own = np.asarray(_l.own_ground(book, ground.take(order)), dtype=object)
    own_by, factor = owner[order], book.factor[owner[order]]
    return {
        "own": own,
        "owner": own_by,
        "kind": kind[order],
        "day": day[order],
        "record": record[order],
        "factor": factor,
    }


def _opened(pieces: dict[str, np.ndarray]) -> pd.DataFrame:
    area = shapely.area(pieces["own"]) * pieces["factor"]
    return _rows(pieces["day"], pieces["kind"], pieces["owner"], pieces["record"], area)


def _rows(day: Any, kind: Any, hazard: Any, record: Any, amount: Any) -> pd.DataFrame:
    table = pd.DataFrame({"day": np.asarray(day, dtype=np.int64)})
    table["kind"] = np.asarray(kind, dtype=object)
    table["hazard"], table["record"] = np.asarray(hazard, dtype=int), np.asarray(record, dtype=object)
    table["m2"] = np.asarray(amount, dtype=float)
    return table


def _reopened_pieces(book: Ledger, own: np.ndarray) -> np.ndarray:
    back = (book.events.rows.act == _e.REOPENED) & (book.events.ground.area > 0) & ~np.isnat(book.events.rows.day)
    hit = np.zeros(len(own), dtype=bool)
    if back.any():
        hit[shapely.STRtree(own).query(book.events.ground.plane[back])[1]] = True
    return hit


def _credited(
    book: Ledger, own: np.ndarray, as_of: np.datetime64 | None, reopened: np.datetime64 | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of piece and act (position in `own`, act, ledger row) with m², as standing on a day."""
    row, act, cover, _ = _l.standing(book, as_of, reopened=reopened, priority="first")
    plain = act != _e.PROCESSED
    row, act, cover = row[plain], act[plain], cover.take(plain)
    work = _engine.job(Shapes.of(own), cover, geometry=False)
    name = _engine.choose(book.work.engine, len(work.cover))
    how = book.work
    found = _engine.solve(work, name, progress=how.progress, threads=how.threads, chunk=how.chunk, what="balance")
    return work.container, act[work.cover], row[work.cover], found.net


def _act_day(book: Ledger) -> np.ndarray:
    return sortable(np.r_[book.releases.rows.day, book.events.rows.day], undated_last=True)


NAMES = np.array(["corrected_out" if word == "corrected" else word for word in _e.WORDS], dtype=object)


def _released(
    book: Ledger,
    pieces: dict[str, np.ndarray],
    chosen: np.ndarray,
    as_of: np.datetime64 | None,
    reopened: np.datetime64 | None,
) -> pd.DataFrame:
    """What each act took from each piece, on the later of their days."""
    piece, act, row, net = _credited(book, pieces["own"][chosen], as_of, reopened)
    mine = chosen[piece] if len(piece) else np.zeros(0, dtype=int)
    day = np.maximum(_act_day(book)[row], pieces["day"][mine]) if len(row) else np.zeros(0, dtype=np.int64)
    ids = np.r_[book.releases.rows.id, book.events.rows.id]
    scale = book.factor[pieces["owner"][mine]] if len(mine) else np.zeros(0)
    return _rows(day, NAMES[act], pieces["owner"][mine], ids[row], net * scale)


def _with_reopenings(book: Ledger, pieces: dict[str, np.ndarray], chosen: np.ndarray) -> list[pd.DataFrame]:
    """Stage by stage between the days of reopening: within a stage nothing comes back, so first credit is final."""
    rows = book.events.rows
    days = np.unique(rows.day[(rows.act == _e.REOPENED) & (book.events.ground.area > 0) & ~np.isnat(rows.day)])
    parts, since = [], ALWAYS
    for day in days:
        number = int(day.astype(np.int64))
        known = chosen[pieces["day"][chosen] <= number]
        before = _released(book, pieces, known, day, day - np.timedelta64(1, "D"))
        after = _released(book, pieces, known, day, day)
        parts.append(_stage(before, since, number))
        lost = (
            before.groupby("hazard", sort=True)["m2"]
            .sum()
            .sub(after.groupby("hazard", sort=True)["m2"].sum(), fill_value=0.0)
        )
        parts.append(
            _rows(
                np.full(len(lost), number),
                np.full(len(lost), "reopened"),
                lost.index,
                np.full(len(lost), ""),
                lost.to_numpy(),
            )
        )
        since = number
    parts.append(_stage(_released(book, pieces, chosen, None, None), since, NEVER))
    return parts


def _stage(table: pd.DataFrame, since: int, upto: int) -> pd.DataFrame:
    late = table["day"] > since if since != ALWAYS else np.ones(len(table), dtype=bool)
    return table[late & (table["day"] <= upto)]


def periods(book: Ledger, entries_: pd.DataFrame, unit: str) -> pd.DataFrame:
    """One balance per calendar period in which anything moved; openings and closings follow on each other.

    Raises
    ------
    ReleaseError
        If `unit` is not year, quarter or month.
    """
    codes = {"year": "Y", "quarter": "Q", "month": "M"}
    if unit not in codes:
        raise ReleaseError(f"there are no periods of a '{unit}'", hint="use year, quarter or month")
    dated = entries_["day"][(entries_["day"] != ALWAYS) & (entries_["day"] != NEVER)]
    if dated.empty:
        return pd.DataFrame([{"period": "all records", **between(book, entries_, None, None).to_dict()}])
    first, last = (np.datetime64(int(v), "D") for v in (dated.min(), dated.max()))
    rows = []
    for period in pd.period_range(pd.Timestamp(first), pd.Timestamp(last), freq=codes[unit]):
        low = np.datetime64(period.start_time.date(), "D") - np.timedelta64(1, "D")
        high = np.datetime64(period.end_time.date(), "D")
        rows.append({"period": str(period), **between(book, entries_, low, high).to_dict()})
    if (entries_["day"] == NEVER).any():
        low = np.datetime64(period.end_time.date(), "D")
        rows.append({"period": "undated", **between(book, entries_, low, None).to_dict()})
    return pd.DataFrame(rows)
