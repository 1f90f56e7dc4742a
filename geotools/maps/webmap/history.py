"""The ground of a coverage on earlier days: what was still remaining, only processed or outside before it became what it is.

For drawing and tabling any day between the first record and the last; every figure is the ledger's own, never measured again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.analysis.release.entries import CANCELLED, PROCESSED, WORDS
from geotools.space import crs as _crs
from geotools.space.geom import polygonal

LEAST_M2 = 0.01  # thinner pieces come from rounding of shared edges
MOST_DAYS = 200  # of a ledger that has to be asked day by day
LEDGER = ("area", "cancelled", "reduced", "cleared", "processed", "remaining")
ALWAYS, NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max  # days of what has none: hazards first, releases last
LAST = int(np.datetime64("9999-12-31", "D").astype(np.int64))  # a day that only the last step of the slider reaches


@dataclass(frozen=True)
class History:
    """Ground as it was before the last day.

    Attributes
    ----------
    earlier
        Name of a layer of the coverage → pieces that belonged to it for a time: ``class``, ``since`` and ``until`` (missing:
        from the beginning, up to the last step), ``area_m2``; WGS 84.
    since
        Name of a layer → id → day from which all of that row's ground belongs to it, where that is later than its own date.
    book
        Movements per hazard: ``id, day, figure, m2``; their sum up to a day is the hazard's ledger line of that day.
    complete
        Whether earlier days are drawn; False for a ledger with events on too many days, whose ground stays that of the last.
    """

    earlier: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    since: dict[str, dict[str, Any]] = field(default_factory=dict)
    book: pd.DataFrame = field(default_factory=lambda: _frame_of({name: [] for name in ("id", "day", "figure", "m2")}))
    complete: bool = True


def history(coverage: Any) -> History:
    """What `coverage.at(day)` says of the ground on every day, as pieces with a beginning and an end.

    A ledger of hazards and releases alone is told from its own acts; one with events (reopened, extended or transferred
    ground) or another rule of priority is asked day by day.

    Parameters
    ----------
    coverage
        What `geotools.coverage` returns.
    """
    book = coverage._book
    if len(book.events) or book.work.priority != "first":
        return _asked(coverage)
    return _Acts(coverage).history()


# ------------------------------------------------------------------------------------------------ from the acts themselves


class _Acts:
    """The acts of a ledger without events, on its plane, with the day of each."""

    def __init__(self, coverage: Any) -> None:
        book, shot = coverage._book, coverage._shot
        self.coverage, self.book, self.shot = coverage, book, shot
        self.ids = book.releases.rows.id[shot.release]
        self.hazard_ids = book.hazards.rows.id[shot.hazard]
        self.acted = _number(book.releases.rows.day[shot.release], NEVER)
        self.known = _number(book.hazards.rows.day[shot.hazard], ALWAYS)
        classes = book.hazards.rows.text("classification")
        self.classes = classes[shot.hazard]
        self._first: dict[str, dict[int, Any]] = {}

    def history(self) -> History:
        """Pieces and movements."""
        pairs = self._pairs()
        work, table = self._processed(pairs)
        parts = {name: self._parts(name) for name in ("released", "processed")}
        outside = [(c, int(self.acted[c]), day, g, m2) for c, day, g, m2 in parts["released"] if day > self.acted[c]]
        earlier = {
            "remaining": [self._remaining(pairs)],
            "outside": [self._of_acts(outside)],
            "released": [self._of_acts(self._by_and_by(parts["released"]))],
            "processed": [work, self._of_acts(self._by_and_by(parts["processed"]))],
        }
        since = {name: self._since(found) for name, found in parts.items()}
        filled = {name: [f for f in frames if len(f)] for name, frames in earlier.items()}
        joined = {name: pd.concat(frames, ignore_index=True) for name, frames in filled.items() if frames}
        return History(joined, since, self._book(pairs, table))

    def _pairs(self) -> pd.DataFrame:
        """Which act released how much of which hazard first."""
        shot = self.shot
        mine = (shot.act[shot.pair_c] <= CANCELLED) & (shot.net > LEAST_M2)
        table = pd.DataFrame({"h": shot.pair_h[mine], "c": shot.pair_c[mine], "m2": shot.net[mine]})
        return table.assign(since=self.known[table["h"]], until=self.acted[table["c"]])

    def first(self, name: str = "released") -> dict[int, Any]:
        """Act → ground on the plane that it was the first to release (or process)."""
        if name not in self._first:
            frame = getattr(self.coverage, name)
            place = {text: n for n, text in enumerate(self.ids)}
            shapes = _crs.transform(frame.geometry.array, self.book.crs, self.book.plane)
            self._first[name] = {place[i]: shape for i, shape in zip(frame["id"], shapes, strict=True)}
        return self._first[name]

    def _remaining(self, pairs: pd.DataFrame) -> gpd.GeoDataFrame:
        """Ground that was released later, by the hazard it lay in."""
        first = self.first()
        some = pairs[(pairs["since"] < pairs["until"]) & pairs["c"].isin(list(first))]
        shapes = polygonal(
            shapely.intersection(_objects([first[c] for c in some["c"]]), self.shot.ground[some["h"].to_numpy()])
        )
        rows = some.assign(**{"class": self.classes[some["h"].to_numpy()], "id": self.hazard_ids[some["h"].to_numpy()]})
        return self._drawn(rows, shapes)

    def _parts(self, name: str) -> list[tuple[int, int, Any, float]]:
        """(act, day the hazard was known, ground, m²) of acts on ground where some hazard was recorded only after them."""
        shot, out = self.shot, []
        touched = pd.DataFrame({"h": shot.pair_h, "c": shot.pair_c, "raw": shot.raw})
        touched = touched[touched["raw"] > LEAST_M2]
        touched["since"], touched["when"] = self.known[touched["h"]], self.acted[touched["c"]]
        late = set(touched.loc[touched["since"] > touched["when"], "c"])
        order = touched[touched["c"].isin(late)].sort_values(["c", "since", "h"])
        hazards_of = {c: list(zip(g["h"], g["since"], strict=True)) for c, g in order.groupby("c")}
        frame = getattr(self.coverage, name)
        m2 = dict(zip(frame["id"], frame["net_m2"], strict=True))
        for act, ground in self.first(name).items() if late else ():
            if act not in late:
                continue
            rest, scale = ground, float(m2[self.ids[act]]) / max(shapely.area(ground), LEAST_M2)
            for h, since in hazards_of[act]:
                part = polygonal(shapely.intersection(np.array([rest]), shot.ground[[h]]))[0]
                rest = polygonal(shapely.difference(np.array([rest]), shot.ground[[h]]))[0]
                if shapely.area(part) > LEAST_M2:
                    out.append((act, int(since), part, float(shapely.area(part)) * scale))
        return out

    def _since(self, parts: list[tuple[int, int, Any, float]]) -> dict[str, int]:
        """Act → the day from which all its ground lies in known hazards."""
        found: dict[str, int] = {}
        for act, day, _, _ in parts:
            if day > self.acted[act]:
                found[str(self.ids[act])] = max(day, found.get(str(self.ids[act]), day))
        return found

    def _by_and_by(self, parts: list[tuple[int, int, Any, float]]) -> list[tuple[int, int, int, Any, float]]:
        """The parts whose hazard was known before that of the last part, from then until the act is shown whole."""
        whole = self._since(parts)
        rows = [(c, max(day, int(self.acted[c])), whole.get(str(self.ids[c])), g, m2) for c, day, g, m2 in parts]
        return [(c, begin, end, g, m2) for c, begin, end, g, m2 in rows if end is not None and begin < end]

    def _of_acts(self, parts: list[tuple[int, int, int, Any, float]]) -> gpd.GeoDataFrame:
        """Pieces (act, since, until, ground, m²) as a frame."""
        rows = pd.DataFrame(
            {
                "class": [WORDS[self.shot.act[c]] for c, *_ in parts], "id": [self.ids[c] for c, *_ in parts],
                "since": [p[1] for p in parts], "until": [p[2] for p in parts], "m2": [p[4] for p in parts],
            }
        )  # fmt: skip
        return self._drawn(rows, _objects([p[3] for p in parts]))

    def _processed(self, pairs: pd.DataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
        """Ground worked by machine before a search released it, and how much of each hazard."""
        shot = self.shot
        machine = np.flatnonzero(shot.act == PROCESSED)
        first = self.first() if len(machine) else {}
        acts = np.array(sorted(first), dtype=int)
        rows: list[dict[str, Any]] = []
        shapes: list[Any] = []
        if len(acts) and len(machine):
            released = _objects([first[c] for c in acts])
            tree = shapely.STRtree(released)
            taken: dict[int, Any] = {}
            for p in machine:  # in order of priority: ground that two machines worked counts for the first
                for n in np.sort(tree.query(shot.cover[p], predicate="intersects")):
                    c = int(acts[n])
                    ground = shapely.intersection(shot.cover[p], taken.get(c, released[n]))
                    taken[c] = shapely.difference(taken.get(c, released[n]), shot.cover[p])
                    if self.acted[p] < self.acted[c] and shapely.area(ground) > LEAST_M2:
                        rows.append({"p": int(p), "c": c})
                        shapes.append(ground)
        inside, table = self._in_hazards(rows, shapes)
        return inside, table

    def _in_hazards(self, rows: list[dict[str, Any]], shapes: list[Any]) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
        """The pieces from the day their hazard was known, and the m² of every hazard they lie in."""
        shot, out, cut, lines = self.shot, [], [], []
        by_act = pd.Series(shot.pair_h).groupby(shot.pair_c).agg(list).to_dict() if rows else {}
        for row, shape in zip(rows, shapes, strict=True):
            hazards = np.array(by_act.get(row["c"], []), dtype=int)
            hazards = hazards[np.lexsort((hazards, self.known[hazards]))]
            rest, end = shape, int(self.acted[row["c"]])
            for h in hazards:
                begin = max(int(self.known[h]), int(self.acted[row["p"]]))
                here = shapely.area(shapely.intersection(shape, shot.ground[h])) * float(shot.factor[h])
                part = polygonal(shapely.intersection(np.array([rest]), shot.ground[[h]]))[0]
                rest = shapely.difference(rest, shot.ground[h])
                if begin >= end:
                    continue
                if here > LEAST_M2:
                    lines.append({"h": int(h), "since": begin, "until": end, "m2": here})
                if shapely.area(part) > LEAST_M2:
                    m2 = float(shapely.area(part)) * float(shot.factor[h])
                    out.append({"class": "processed", "id": self.ids[row["p"]], "since": begin, "until": end, "m2": m2})
                    cut.append(part)
        names = ["class", "id", "since", "until", "m2"]
        return self._drawn(pd.DataFrame(out, columns=names), _objects(cut)), pd.DataFrame(
            lines, columns=["h", "since", "until", "m2"]
        )

    def _drawn(self, rows: pd.DataFrame, shapes: np.ndarray) -> gpd.GeoDataFrame:
        """Pieces as a frame in WGS 84."""
        keep = np.array([shapely.area(s) > 0 for s in shapes], dtype=bool)
        rows, shapes = rows[keep], shapes[keep]
        table = {
            "class": rows["class"].to_numpy(dtype=object), "id": rows["id"].to_numpy(dtype=object),
            "since": _dates(rows["since"]), "until": _dates(rows["until"]), "area_m2": rows["m2"].to_numpy(dtype=float),
        }  # fmt: skip
        lonlat = _crs.transform(shapes, self.book.plane, _crs.WGS84) if len(shapes) else shapes
        return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(lonlat, crs=_crs.WGS84))

    def _book(self, pairs: pd.DataFrame, work: pd.DataFrame) -> pd.DataFrame:
        """Movements of every hazard: recorded, released by product, processed and no longer only processed."""
        shot = self.shot
        gross = pd.DataFrame({"h": np.arange(len(shot.hazard)), "day": self.known, "m2": shot.gross})
        when = np.maximum(pairs["since"], pairs["until"])
        out = [gross.assign(figure="area"), gross.assign(figure="remaining")]
        released = pairs.assign(day=when)[["h", "c", "day", "m2"]]
        words = np.array(WORDS, dtype=object)[shot.act[released["c"].to_numpy()]]
        out += [released.assign(figure=words), released.assign(figure="remaining", m2=-released["m2"])]
        still = (shot.act[shot.pair_c] == PROCESSED) & (shot.net > LEAST_M2)
        last = pd.DataFrame({"h": shot.pair_h[still], "m2": shot.net[still]})
        last["day"] = np.maximum(self.known[shot.pair_h[still]], self.acted[shot.pair_c[still]])
        out.append(last.assign(figure="processed"))
        out.append(work.assign(day=work["since"], figure="processed"))
        out.append(work.assign(day=work["until"], figure="processed", m2=-work["m2"]))
        return _movements(pd.concat([o[["h", "day", "figure", "m2"]] for o in out if len(o)]), self.hazard_ids)


# -------------------------------------------------------------------------------------------------------- day by day


def _asked(coverage: Any) -> History:
    """The same from the ledger of every day, for ledgers whose ground also comes back."""
    book = coverage._book
    days = np.concatenate([layer.rows.day for layer in (book.hazards, book.releases, book.events)])
    days = np.unique(days[~np.isnat(days)]).astype("datetime64[D]")
    days = days if coverage.as_of is None else days[days <= np.datetime64(coverage.as_of, "D")]
    if not len(days) or len(days) > MOST_DAYS:
        return History(complete=not len(days))
    states = [coverage.at(day.astype(object)) for day in days]
    runs: dict[str, list[dict[str, Any]]] = {}
    since: dict[str, dict[str, Any]] = {}
    for name in ("remaining", "released", "processed", "outside"):
        runs[name], since[name] = _runs([getattr(s, name) for s in (*states, coverage)], days, name)
    earlier = {name: _run_frame(rows, book.crs) for name, rows in runs.items() if rows}
    return History(earlier, since, _asked_book([*states, coverage], days))


def _runs(frames: list[gpd.GeoDataFrame], days: np.ndarray, name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Stretches of days on which a row kept its ground: those that ended, and since when those of the last day have theirs."""
    column = {"remaining": "remaining_m2", "outside": "outside_m2"}.get(name, "net_m2")
    kind = "classification" if name == "remaining" else "counted_as"
    numbers = days.astype("datetime64[D]").astype(np.int64)
    open_: dict[str, dict[str, Any]] = {}
    ended = []
    for step, frame in enumerate(frames):
        day = int(numbers[step]) if step < len(numbers) else NEVER
        words = frame[kind] if kind in frame else [None] * len(frame)
        now = {
            str(i): {"class": w, "id": str(i), "m2": float(m), "shape": g}
            for i, w, m, g in zip(frame["id"], words, frame[column], frame.geometry, strict=True)
        }
        for i, row in list(open_.items()):
            if i not in now or not row["shape"].equals(now[i]["shape"]):
                ended.append({**row, "until": day})
                del open_[i]
        for i, row in now.items():
            open_.setdefault(i, {**row, "since": ALWAYS if step == 0 and name == "remaining" else day})
    begun = {i: row["since"] for i, row in open_.items() if row["since"] != ALWAYS}
    return ended, {i: LAST if day == NEVER else day for i, day in begun.items()}


def _run_frame(rows: list[dict[str, Any]], crs: Any) -> gpd.GeoDataFrame:
    shapes = _crs.transform(_objects([r["shape"] for r in rows]), crs, _crs.WGS84)
    table = {
        "class": _objects([r["class"] for r in rows]), "id": _objects([r["id"] for r in rows]),
        "since": _dates(pd.Series([r["since"] for r in rows])), "until": _dates(pd.Series([r["until"] for r in rows])),
        "area_m2": [r["m2"] for r in rows],
    }  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=_crs.WGS84))


def _asked_book(states: list[Any], days: np.ndarray) -> pd.DataFrame:
    numbers = [*days.astype("datetime64[D]").astype(np.int64).tolist(), NEVER]
    names = [f"{name}_m2" for name in LEDGER]
    before: pd.DataFrame | None = None
    out = []
    for step, (state, day) in enumerate(zip(states, numbers, strict=True)):
        table = state.table.drop_duplicates("id").set_index("id")[names].astype(float)
        moved = table if before is None else table.sub(before, fill_value=0.0)
        long = moved.stack()
        long = long[long.abs() > LEAST_M2]
        keys = long.index.get_level_values
        when = ALWAYS if step == 0 else day
        out.append(_frame_of({"id": keys(0), "day": when, "figure": [k[:-3] for k in keys(1)], "m2": long.to_numpy()}))
        before = table
    return pd.concat(out, ignore_index=True)


# ----------------------------------------------------------------------------------------------------------- small things


def _frame_of(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def _movements(table: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """One row per hazard, day and figure, by hazard and day."""
    summed = table.groupby(["h", "day", "figure"], as_index=False, sort=True)["m2"].sum()
    return summed.assign(id=ids[summed["h"].to_numpy(dtype=int)])[["id", "day", "figure", "m2"]]


def _objects(values: list[Any]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _number(day: np.ndarray, missing: int) -> np.ndarray:
    return np.where(np.isnat(day), missing, day.astype("datetime64[D]").astype(np.int64))


def _dates(days: pd.Series) -> pd.Series:
    """Day numbers as dates; ALWAYS and NEVER as missing."""
    numbers = days.to_numpy(dtype=np.int64)
    odd = (numbers == ALWAYS) | (numbers == NEVER)
    out = np.where(odd, 0, numbers).astype("datetime64[D]").astype("datetime64[s]")
    return pd.Series(out).mask(odd)
