"""`coverage` and `Coverage`: what was released, what remains, and who released it, for every hazard of a programme.

The door of this room; the square metres come from `ledger`, their arrangement from `tables`.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd

from geotools.analysis.release import balance as _balance
from geotools.analysis.release import entries as _e
from geotools.analysis.release import findings as _findings
from geotools.analysis.release import layers as _layers
from geotools.analysis.release import ledger as _ledger
from geotools.analysis.release import series as _series
from geotools.analysis.release import tables as _tables
from geotools.analysis.release.figures import hectares, percent
from geotools.io import pieces
from geotools.model.figures import without_polygon
from geotools.model.programme import Programme
from geotools.model.progress import Progress
from geotools.space.sketch import sketch


class More(TypedDict, total=False):
    """Rarer arguments of `coverage`, by keyword.

    ``events``: frame of reopenings, extensions, transfers and corrections. ``product``, ``date``: for releases that do
    not say. ``geometry=False``: areas only; remaining ground is worked out when it is asked for. ``threads``, ``chunk``
    (vertices at a time), ``progress``: how the work is done, never what comes out.
    """

    events: Any
    product: str | None
    date: Any
    geometry: bool
    threads: int | None
    chunk: int
    progress: Progress | None


def coverage(
    hazards: gpd.GeoDataFrame | str | Path,
    releases: gpd.GeoDataFrame | str | Path,
    *,
    as_of: Any = None,
    programme: Programme | None = None,
    priority: str = "first",
    engine: str = "auto",
    **more: Unpack[More],
) -> Coverage:
    """The land-release ledger: every m² of every hazard in one state, each released m² with the act that released it.

    Geometry decides what is released; `hazard_id` is only compared with it. A m² released twice counts once, for the
    act that released it first (by ``date``; undated last; on one day cleared before reduced before cancelled). Ground
    worked by a machine without a search after it (``method`` mechanical, no ``follow_up``) is processed, not released; so is
    cleared ground under a method word that nobody knows.

    Parameters
    ----------
    hazards, releases
        Frames of polygons in any CRS (they may differ), or folders of layers in parts (``geotools.write_parts``), whose
        polygons are then never in memory all at once. Columns as in `geotools.schema` (all optional); missing, empty or invalid
        geometry is counted as 0 m² or repaired, and reported in `Coverage.issues`. ``events=`` may add a layer of the same kind with
        ``event`` (reopened, extended, transferred, corrected_in, corrected_out), ``hazard_id`` and ``date``. A reopening
        without ground on the hazard it names reopens all of it; a word nobody knows is treated as a reopening. A transfer or
        outward correction that names a hazard takes only ground that no other hazard claims or that was let go there before.
    as_of
        Only what was dated on or before this day: later releases and hazards are left out, and so are releases
        without a date; hazards without a date are counted.
    programme
        Limits, words and default position accuracy.
    priority
        ``first``: the earliest act gets the credit. ``strongest``: cleared before reduced before cancelled, whatever the day.
    engine
        ``geos`` (always there), ``sweep`` (extra ``fast``), or ``auto`` by size.
    **more
        See `More`.

    Returns
    -------
    Coverage
        Areas in m² on the WGS 84 ellipsoid; geometries in the CRS of the hazards.

    Raises
    ------
    ReleaseError
        If an argument is not understood.
    CRSError
        If a layer with geometry has no CRS.
    ReadError
        If a folder is no layer in parts.

    Examples
    --------
    >>> import shapely
    >>> field = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> half = gpd.GeoSeries([shapely.box(700000, 4380000, 700050, 4380100)], crs="EPSG:32638")
    >>> done = coverage(field, half, product="cleared", date="2024-05-01")
    >>> round(float(done.totals["coverage"]), 4), len(done.remaining)
    (0.5, 1)
    """
    _e.one_day(more.get("date"), "date")  # refused here if it is none
    defaults = {"product": more.get("product"), "date": more.get("date")}
    unknown = sorted(set(more) - set(More.__annotations__))
    if unknown:
        raise TypeError(f"coverage() got an unexpected argument '{unknown[0]}'")
    work = _ledger.Work(
        priority=priority, engine=engine, threads=more.get("threads"), progress=more.get("progress"),
        chunk=more.get("chunk", _ledger.Work.chunk), geometry=more.get("geometry", True),
    )  # fmt: skip
    given = {"hazards": hazards, "releases": releases, "events": more.get("events")}
    found = {name: _records(layer, name) for name, layer in given.items()}
    filled = _e.with_default(found["releases"].frame, defaults)
    found["releases"] = replace(found["releases"], frame=filled)
    book = _ledger.ledger(**found, programme=programme or Programme(), work=work)
    return at(book, _e.one_day(as_of, "as_of"))


def _records(layer: Any, what: str) -> _ledger.Records:
    if isinstance(layer, str | Path):
        from geotools.analysis.release import filed

        return filed.records(Path(layer), what)
    return _ledger.records(_e.as_frame(layer, what), what)


def at(book: _ledger.Ledger, day: np.datetime64 | None) -> Coverage:
    """The coverage of a ledger on a day."""
    shot = book.snapshot(day)
    table = _tables.hazard_table(book, shot)
    return Coverage(
        table=table,
        totals=_tables.totals(book, shot),
        credits=_tables.credit_table(book, shot),
        as_of=None if day is None else day.astype(object),
        priority=book.work.priority,
        engine=shot.engine,
        _book=book,
        _shot=shot,
    )


@dataclass(frozen=True)
class Coverage:
    """The state of released and remaining ground, as known on a day.

    Attributes
    ----------
    table
        One row per hazard, by id: ``area_m2``, ``cancelled_m2``, ``reduced_m2``, ``cleared_m2``, ``processed_m2`` (worked by
        machine only; it is part of what remains), ``released_m2`` (cancelled + reduced + cleared), ``remaining_m2``
        (area − released − transferred − corrected), ``coverage`` (released / area, 0–1), ``outside_m2`` (released ground outside every hazard,
        by link or nearest claim), ``overlap_m2`` (claimed more than once), ``transferred_m2``, ``corrected_m2``, ``shared_m2`` (also claimed by
        another hazard), ``area_sigma_m2``, ``released_sigma_m2``, ``remaining_sigma_m2`` (± from position accuracy), ``releases``.
    totals
        The same for the whole programme with no m² counted twice, and ``claimed_m2`` (sum over release rows) =
        ``released_m2`` + ``outside_m2`` + ``overlap_m2`` + ``reopened_m2``; ``overlap_outside_m2`` is the part of the overlap that
        lies beside all hazards, so in no row of `table`; ``union_m2`` (ground truth) = released + outside;
        ``row_area_m2`` (sum over hazard rows), ``reported_m2`` (sum of what the releases say themselves);
        ``hazards_without_ground`` (hazards without a usable polygon, which no area can count) and
        ``reported_without_ground_m2`` (the sum of what they report).
    credits
        One row per release: what it says (``product hazard_id organisation team method date depth_cm``), ``counted_as``, ``area_m2``, ``raw_m2`` (in hazards), ``net_m2`` (first to release), ``outside_m2``, ``why_zero``.
    as_of, priority, engine
        How it was computed; ``as_of`` None means all that is recorded.

    Examples
    --------
    >>> import shapely

    >>> field = gpd.GeoSeries([shapely.box(700000, 4380000, 700100, 4380100)], crs="EPSG:32638")
    >>> half = gpd.GeoSeries([shapely.box(700000, 4380000, 700050, 4380100)], crs="EPSG:32638")

    >>> done = coverage(field, half, product="cleared", date="2024-05-01")
    >>> done.table[["released_m2", "remaining_m2"]].round().values.tolist(), done.credits["net_m2"].round().tolist()
    ([[4999.0, 4999.0]], [4999.0])
    >>> done.remaining.crs.to_epsg(), len(done.outside)
    (32638, 0)
    """

    table: pd.DataFrame
    totals: pd.Series
    credits: pd.DataFrame
    as_of: date | None
    priority: str
    engine: str
    _book: _ledger.Ledger = field(repr=False, compare=False)
    _shot: _ledger.Snapshot = field(repr=False, compare=False)

    @cached_property
    def issues(self) -> gpd.GeoDataFrame:
        """What is odd in the records, as an ISSUES table (RL- and AR- codes)."""
        return _findings.frame(self._book, list(_findings.each(self._found())))

    def _found(self) -> Iterator[_findings.Found | _findings.Alike]:
        return _findings.findings(self._book, self._shot, self.table, self.credits)

    @cached_property
    def marks(self) -> pd.DataFrame:
        """Columns ``check`` and ``severity`` of `issues`, in another order: for counting, without holding words and places of all."""
        counts = _findings.tally(self._found())
        kinds = sorted(counts)
        many = np.repeat(np.array(kinds, dtype=object).reshape(-1, 2), [counts[kind] for kind in kinds], axis=0)
        return pd.DataFrame(many, columns=["check", "severity"], dtype=object)

    @cached_property
    def remaining(self) -> gpd.GeoDataFrame:
        """Ground not released, one row per hazard that has any: id, told columns, ``remaining_m2``, ``processed_m2``, geometry."""
        return _layers.remaining(self._book, self._shot, self.table).frame()

    @cached_property
    def released(self) -> gpd.GeoDataFrame:
        """Released ground inside hazards, one row per release that counted, each m² in one row only: ``net_m2``, geometry."""
        return _layers.released(self._book, self._shot, self.credits).frame()

    @cached_property
    def processed(self) -> gpd.GeoDataFrame:
        """Ground worked by machine only, not released: one row per release row that processed any."""
        return _layers.processed(self._book, self._shot, self.credits).frame()

    @cached_property
    def outside(self) -> gpd.GeoDataFrame:
        """Released ground outside every recorded hazard, one row per release, each m² in one row only: ``outside_m2``, geometry."""
        return _layers.outside(self._book, self._shot, self.credits).frame()

    @cached_property
    def overlaps(self) -> gpd.GeoDataFrame:
        """Ground that two releases claim: ``id``, ``other_id`` (the one that released it first), ``overlap_m2``, geometry."""
        return _layers.overlaps(self._book, self._shot).frame()

    def write_ground(self, path: str | Path, *, overwrite: bool = False, progress: Progress | None = None) -> Path:
        """Write the ground as a GeoPackage, some thousand polygons at a time, so that none of the layers is ever in memory.

        Parameters
        ----------
        path
            A .gpkg; its layers are ``result_remaining``, ``result_released``, ``result_processed``, ``result_outside`` and
            ``result_overlaps``, with the rows and polygons of the attributes of these names.
        overwrite
            Whether an existing file may be replaced; it is, whole or not at all.

        Raises
        ------
        WriteError
            If it exists and may not be replaced, or writing fails; nothing is changed then.
        """
        book, shot = self._book, self._shot
        ground = {
            "result_remaining": _layers.remaining(book, shot, self.table),
            **{f"result_{layer.__name__}": layer(book, shot, self.credits) for layer in _layers.CREDITED},
            "result_overlaps": _layers.overlaps(book, shot),
        }
        return pieces.write(ground, path, overwrite=overwrite, progress=progress)

    def by(self, column: str) -> pd.DataFrame:
        """Figures per word of a column; each figure adds up to the total.

        Parameters
        ----------
        column
            Of releases: product, method, organisation, team, year, month, depth. Of hazards: admin1, admin2, place,
            country, classification, status, contamination.

        Raises
        ------
        ReleaseError
            If it is none of these.
        """
        return _tables.grouped(self._book, self._shot, column)

    def at(self, as_of: Any) -> Coverage:
        """The same ledger on another day, without reading the layers again."""
        return at(self._book, _e.one_day(as_of, "as_of"))

    def series(self) -> pd.DataFrame:
        """The figures of `totals` on every day with a record, up to `as_of`.

        Returns
        -------
        DataFrame
            ``day`` and, in m², ``area_m2``, ``remaining_m2``, ``released_m2``, ``cleared_m2``, ``reduced_m2``, ``cancelled_m2``,
            ``processed_m2``: what `at` gives for that day. Releases without a date are in none of them.
        """
        return _series.series(self._book, None if self.as_of is None else np.datetime64(self.as_of, "D"))

    @cached_property
    def bookings(self) -> pd.DataFrame:
        """Every movement of ground: ``day`` (days since 1970), ``kind``, ``hazard`` (row), ``record`` and ``m2``."""
        return _balance.bookings(self._book)

    def between(self, start: Any = None, end: Any = None) -> _balance.Balance:
        """The balance sheet of a period: after `start`, up to and including `end`.

        Parameters
        ----------
        start, end
            Days; None: from the beginning, up to `as_of` or the last record. Periods that follow on each other add up.

        Raises
        ------
        ReleaseError
            If the period ends before it starts.
        """
        last = self.as_of if end is None else end
        return _balance.between(self._book, self.bookings, _e.one_day(start, "start"), _e.one_day(last, "end"))

    def periods(self, unit: str = "year") -> pd.DataFrame:
        """One balance sheet per calendar year, quarter or month of the records; they add up to the whole.

        Raises
        ------
        ReleaseError
            If `unit` is none of these.
        """
        return _balance.periods(self._book, self.bookings, unit)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: totals, hazards, credits, counts of issues; missing values are None."""
        counts = Counter(zip(self.marks["check"], self.marks["severity"], strict=True))
        return {
            "what": "coverage",
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "priority": self.priority,
            "area": "WGS 84 ellipsoid, m²",
            "totals": {name: plain(value) for name, value in self.totals.items()},
            "hazards": records(self.table),
            "credits": records(self.credits),
            "issues": [
                {"check": check, "severity": severity, "count": n} for (check, severity), n in sorted(counts.items())
            ],
        }

    def summary(self) -> str:
        """The state in a few plain sentences."""
        t = self.totals
        when = f"As of {self.as_of}" if self.as_of else "All records"
        products = ", ".join(
            f"{name} {hectares(t[f'{name}_m2'], 'down')}" for name in ("cleared", "reduced", "cancelled")
        )
        twice, beyond = hectares(t["overlap_m2"]), hectares(t["outside_m2"])
        beside = without_polygon(t["hazards_without_ground"], t["reported_without_ground_m2"])
        on_map, rest, part = (" on the map", f"; and {beside}", ". On the map") if beside else ("", "", ", of which")
        drawn = f": {t['hazards'] - t['hazards_without_ground']:.0f}" if beside else ""
        lines = [
            f"{when}: {t['hazards']:.0f} hazards{drawn} with {hectares(t['area_m2'])} ± {hectares(t['area_sigma_m2'])} of ground{on_map}, counted once{rest}.",
            f"Released {hectares(t['released_m2'], 'down')} ({percent(t['coverage'])}): {products}.",
            f"Remaining {hectares(t['remaining_m2'], 'up')}{on_map}{rest}{part} {hectares(t['processed_m2'])} without a proved search (worked by machine, or by an unknown method).",
            f"The release rows add up to {hectares(t['claimed_m2'])}: {twice} more than once, {beyond} outside every recorded hazard.",
        ]
        if t["hazards_without_ground"] > 0:
            lines.insert(2, _without_ground(t["hazards_without_ground"], t["reported_without_ground_m2"]))
        idle = self.credits[self.credits["why_zero"] == _tables.NO_PRODUCT]
        if len(idle):
            lines.append(_without_product(len(idle), float(idle["area_m2"].sum())))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.table.head(20)
        columns = [
            c
            for c in ("id", "name", "classification", "area_m2", "released_m2", "remaining_m2", "coverage")
            if c in shown
        ]
        head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(row[c]))}</td>" for c in columns) + "</tr>"
            for _, row in shown.iterrows()
        )
        more = len(self.table) - len(shown)
        rest = f"<p>… and {more} more hazards in <code>.table</code></p>" if more > 0 else ""
        words = "<br>".join(html.escape(line) for line in self.summary().splitlines())
        note = "No record is not no contamination."
        picture = sketch([(self.remaining, "#a63603"), (self.released, "#00664a")])
        return f"<div><p>{words}</p>{picture}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}<p><em>{note}</em></p></div>"


def _without_product(count: int, area: float) -> str:
    who = "1 release counts" if count == 1 else f"{count} releases count"
    return f"But {who} nothing ({hectares(area)}): the product is missing or not a known word. Teach it under [programme.words.product]."


def _without_ground(count: float, reported: float) -> str:
    told = f" ({hectares(reported, 'up')} as reported)" if reported > 0 else ""
    who = "1 hazard has" if count == 1 else f"{count:.0f} hazards have"
    return f"But {who} no usable polygon{told} and cannot be in these figures: none of that ground is shown to be released."


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return "" if value is None else str(value)


def plain(value: Any) -> Any:
    """One value for JSON."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as plain dictionaries.

    Parameters
    ----------
    table
        Any table; leave a geometry out, which has no place in JSON.

    Returns
    -------
    list of dict
        Ready for JSON: what is missing or not finite is None, a moment is its day as ISO text.

    Examples
    --------
    >>> records(pd.DataFrame({"id": ["H-1"], "date": pd.to_datetime(["2024-03-05"]), "remaining_m2": [np.nan]}))
    [{'id': 'H-1', 'date': '2024-03-05', 'remaining_m2': None}]
    """
    columns = {str(name): [plain(value) for value in table[name].tolist()] for name in table.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
