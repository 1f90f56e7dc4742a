"""One layer of a file, looked at: its rows, the kind it seems to be, and which of its columns are understood.

For proposals only; what a survey.toml says is read in `survey.opening`. Nothing is guessed from few or ambiguous values.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geotools.io.raw import Raw, Source
from geotools.io.reading import read_raw
from geotools.model.schema import KINDS, Column, Schema, kind_of, kind_of_content, reading
from geotools.model.schema.conform import as_text, to_day
from geotools.model.schema.stated import parts
from geotools.model.vocab import fold
from geotools.space import crs as _crs
from geotools.survey.sources import LayerSource

KNOWN_SHARE = 0.8
INTENDED = ("plan", "expect", "propos", "target", "intend", "forecast", "план", "прогноз", "hedef")  # not done yet
ALIKE = 0.8  # of two names, by difflib
SAMPLE = 2000
LEDGER = ("hazards", "releases", "events")  # what the figures of coverage are made of
USUAL = {  # what ground, points, lines and bare tables mostly are, where nothing else tells
    "Polygon": ("hazards", "releases"), "Point": ("finds", "accidents", "marks"), "LineString": ("tracks", "landuse"), "": ("activities", "legs"),
}  # fmt: skip
_LINKS = {"hazard_id": "hazards", "activity_id": "activities"}


@dataclass
class Look:
    """What was seen of one layer.

    Parameters
    ----------
    kind, why
        The kind it is taken for and in words why; both empty where that is not plain.
    kinds
        Kinds that it might be, likeliest first, where `kind` is empty.
    columns
        Column in the file → column it is read as, known by its name.
    guesses
        Column in the file → (column it seems to be, in words why): from its values, unambiguous.
    open
        Column in the file → what it might be, in words: a person must say.
    unknown
        Columns kept as they are.
    error
        Why the layer cannot be read, if it cannot.
    """

    item: LayerSource
    raw: Raw | None = None
    kind: str = ""
    why: str = ""
    kinds: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, tuple[str, str]] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def supposed(self) -> str:
        """The kind whose columns are looked for: the one it is taken for, or the likeliest."""
        return self.kind or (self.kinds[0] if self.kinds else "")

    @property
    def choices(self) -> tuple[tuple[str, int], ...]:
        """Kinds that it might be, with how many of its columns each of them has; empty where the kind is plain."""
        raw = self.raw
        if self.kind or raw is None:
            return ()
        return tuple((kind, len(_matched(raw, KINDS[kind]))) for kind in self.kinds)

    @property
    def strange_words(self) -> dict[str, Counter[str]]:
        """Vocabulary → words of its columns that it does not know, with their rows; only where the kind is plain."""
        found: dict[str, Counter[str]] = {}
        if not self.kind or self.raw is None:
            return found
        for column in KINDS[self.kind]:
            known = column.vocabulary
            if known is not None and column.kind == "word" and (texts := self.values_of(column.name)):
                odd = Counter(text for text in texts if known.match(text) is None)
                if odd:
                    found.setdefault(column.words, Counter()).update(odd)
        return found

    @property
    def rows(self) -> int:
        """Rows in the file, rejected ones included."""
        if self.raw is None:
            return 0
        return len(self.raw.table) + sum(item.code == "RD-02" for item in self.raw.findings)

    @property
    def placed(self) -> bool:
        """Whether any row has coordinates."""
        shapes = None if self.raw is None else self.raw.geometry
        return shapes is not None and not shapely.is_missing(shapes).all()

    def frame(self) -> gpd.GeoDataFrame:
        """The rows as a frame in the system that the file says."""
        assert self.raw is not None
        shapes = self.raw.geometry if self.raw.geometry is not None else np.full(len(self.raw.table), None)
        crs: pyproj.CRS | None = self.raw.crs
        return gpd.GeoDataFrame(self.raw.table.reset_index(drop=True), geometry=gpd.GeoSeries(shapes, crs=crs))

    def values_of(self, name: str) -> list[str]:
        """Texts of the column that is read as `name`; empty if there is none."""
        assert self.raw is not None
        read = {**self.columns, **{c: target for c, (target, _) in self.guesses.items()}}
        source = next((c for c, target in read.items() if target == name), name)
        if source not in self.raw.table:
            return []
        return [text for value in self.raw.table[source] if (text := as_text(value)) is not None]


def look(item: LayerSource) -> Look:
    """Read one layer as it stands and see what it seems to be; reading errors are kept in `Look.error`."""
    try:
        raw = read_raw(Source(item.path, item.layer, item.kind, item.encoding, None))
    except (OSError, ValueError, ImportError) as error:  # the whole tree of GeotoolsError that readers raise
        named = item.kind or kind_of(item.layer or "") or kind_of(item.path.stem) or ""
        return Look(item, kind=named, why="its name" if named else "", error=error)
    seen = Look(item, raw)
    _see_kind(seen)
    if seen.supposed:
        _see_columns(seen)
    return seen


def _see_kind(seen: Look) -> None:
    raw, item = seen.raw, seen.item
    assert raw is not None
    if item.kind:
        seen.kind, seen.why = item.kind, "your answer"
        return
    named, home = kind_of(item.layer or item.path.stem), kind_of(item.path.parent.name)
    file = kind_of(item.path.stem)
    told = kind_of_content(seen.frame()) if len(raw.table) else None
    telling = _telling(raw)
    rival = (
        named is not None
        and named not in LEDGER
        and any(c not in _matched(raw, KINDS[named]) for c in telling.values())
    )
    sure = told is None or told[0] == named or (named is not None and len(_matched(raw, KINDS[named])) >= 2)
    if named and _fits(raw, KINDS[named]) and sure and not rival:
        seen.kind, seen.why = named, "its name"
    elif told is not None:
        seen.kind, seen.why = told[0], f"its column '{told[1]}'"
    elif file and _fits(raw, KINDS[file]) and _speaks_of(raw, KINDS[file]):
        seen.kind, seen.why = file, "the name of its file"
    elif home and _fits(raw, KINDS[home]) and _speaks_of(raw, KINDS[home]):
        seen.kind, seen.why = home, "the name of its folder"
    elif list(telling) == ["hazards"]:  # ground said to be dangerous is better in the ledger than out of it
        seen.kind, seen.why = "hazards", f"the words in '{telling['hazards']}' (guess)"
    elif plain := _plainly(raw):
        seen.kind, seen.why = plain, f"{len(_matched(raw, KINDS[plain]))} of its {len(raw.table.columns)} columns"
    else:
        hints = [kind for kind in (*telling, named, file, home) if kind and _fits(raw, KINDS[kind])]
        likely = [*hints, *(kind for _, kind in _likely(raw)), *_usual(raw)]
        seen.kinds = tuple(dict.fromkeys(likely))[:3]
        unfit = next((kind for kind in (named, file) if kind and not _fits(raw, KINDS[kind])), None)
        if unfit and item.path.suffix.lower() != ".gpx":
            seen.why = f"its name says {unfit}, but what it holds is not drawn as {unfit} are"


def _telling(raw: Raw) -> dict[str, str]:
    """Kinds whose telling words (SHA and CHA of hazards, cleared of releases) fill a column of any name → that column."""
    out: dict[str, str] = {}
    for kind, entry in KINDS.items():
        words = [c for c in entry.columns if c.required and c.kind == "word"]
        if kind in LEDGER and _fits(raw, entry):
            found = [str(c) for c in raw.table.columns if _by_words(raw.table[c], words)]
            out |= {kind: found[0]} if found else {}
    return out


def _speaks_of(raw: Raw, entry: Schema) -> bool:
    """Whether two columns are of the kind by their names, or one is by the words in it."""
    matched = _matched(raw, entry)
    if len(matched) >= 2:
        return True
    telling = [c for c in entry.columns if c.required and c.kind == "word"]
    left = [str(c) for c in raw.table.columns if str(c) not in matched]
    return any(_by_words(raw.table[name], telling) for name in left)


def _plainly(raw: Raw) -> str:
    """The kind that the columns plainly are of: all that it requires, or clearly more of them than of any other kind.

    Never a kind of the ledger: those say what they are by name or by their words, or a person does.
    """
    fits = _likely(raw, least=4)
    for count, kind in fits:
        required = {c.name for c in KINDS[kind].columns if c.required and c.name != "id"}
        if len(required) >= 3 and required <= set(_matched(raw, KINDS[kind]).values()):
            return kind
        lead = count - next((n for n, other in fits if other != kind), 0)
        if lead >= 3 and kind not in LEDGER:
            return kind
    return ""


def _fits(raw: Raw, entry: Schema) -> bool:
    shapes = raw.geometry
    if shapes is None or shapely.is_missing(shapes).all() or not entry.geometry:
        return True
    types = set(gpd.GeoSeries(shapes).dropna().geom_type)
    return bool(types & {*entry.geometry, "GeometryCollection"})


def _matched(raw: Raw, entry: Schema) -> dict[str, str]:
    names = [str(c) for c in raw.table.columns]
    return {**{n: n for n in names if n in entry.names}, **reading(names, entry)}


def _usual(raw: Raw) -> list[str]:
    """The kinds that are mostly drawn so, those first that share most columns with it."""
    shapes = None if raw.geometry is None else gpd.GeoSeries(raw.geometry).dropna()
    drawn = "" if shapes is None or not len(shapes) else str(shapes.geom_type.mode().iloc[0]).removeprefix("Multi")
    shared = {kind: len(set(_matched(raw, KINDS[kind]).values())) for kind in USUAL.get(drawn, ())}
    return sorted(shared, key=lambda kind: -shared[kind])


# Every form export has the first, reading itself adds the others: they tell nothing.
_ANY = frozenset({"id", "guid", "start", "end", "h_acc_m", "source_crs", "source_coords", "transform_op"})


def _likely(raw: Raw, *, least: int = 3) -> list[tuple[int, str]]:
    """Kinds whose columns and geometry fit, most columns first; at least three of them beside an id."""
    fits = [
        (len(set(_matched(raw, entry).values()) - _ANY), kind) for kind, entry in KINDS.items() if _fits(raw, entry)
    ]
    return sorted((pair for pair in fits if pair[0] >= least), key=lambda pair: -pair[0])


def _see_columns(seen: Look) -> None:
    raw = seen.raw
    assert raw is not None
    entry = KINDS[seen.supposed]
    seen.columns = _matched(raw, entry)
    taken = set(seen.columns.values())
    left = [str(c) for c in raw.table.columns if str(c) not in seen.columns]
    free = [c for c in entry.columns if c.name not in taken]
    fits = {name: _by_words(raw.table[name], free) for name in left}
    for name, targets in list(fits.items()):
        alike = [target for target in targets if SequenceMatcher(None, fold(name), target).ratio() >= ALIKE]
        if len(targets) > 1 and len(alike) == 1:
            fits = {other: [t for t in own if t != alike[0]] for other, own in fits.items()} | {name: alike}
    for name in left:
        if not fits[name] and (target := _by_question(name, entry, taken)):
            seen.guesses[name] = (target, "the question of a form")
            taken.add(target)
    for name, targets in fits.items():
        rivals = [other for other, own in fits.items() if other != name and set(own) & set(targets)]
        planned = any(stem in fold(name) for stem in INTENDED)
        if len(targets) == 1 and not rivals and not planned:
            seen.guesses[name] = (targets[0], "its words are those of this column")
        elif targets:
            seen.open[name] = f"its words would fit {' or '.join(targets)}"
    free = [c for c in free if c.name not in taken]
    for name in left:
        if (
            name not in seen.guesses
            and name not in seen.open
            and parts(name) is None
            and (said := _by_values(raw.table[name], free))
        ):
            seen.open[name] = said
    seen.unknown = tuple(n for n in left if n not in seen.guesses and n not in seen.open)


def _by_question(name: str, entry: Schema, taken: set[str]) -> str:
    """The column that the last part of ``group/question`` stands for, as form exports name it."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    if last == name or not last:
        return ""
    target = last if last in entry.names else next(iter(reading([last], entry).values()), "")
    return "" if target in taken else target


def _texts(values: pd.Series) -> list[str]:
    return [text for value in values.head(SAMPLE) if (text := as_text(value)) is not None]


def _by_words(values: pd.Series, free: list[Column]) -> list[str]:
    """Columns of closed words that nearly all of the texts belong to; texts that are numbers say nothing."""
    texts = [t for t in _texts(values) if not t.replace(".", "", 1).replace("-", "", 1).isdigit()]
    if len(texts) < 3:
        return []
    different = set(texts)
    out = []
    for column in free:
        known = column.vocabulary
        if known is None or column.kind != "word":
            continue
        share = sum(known.match(t) is not None for t in texts) / len(texts)
        if share >= KNOWN_SHARE and sum(known.match(t) is not None for t in different) >= 1:
            out.append(column.name)
    return out


def _by_values(values: pd.Series, free: list[Column]) -> str:
    """What the values of a column look like, as a question; empty if they look like nothing in particular."""
    texts = _texts(values)
    if len(texts) < 3:
        return ""
    days = [c.name for c in free if c.kind == "date"]
    if days and sum(_is_day(v) for v in values.head(SAMPLE)) >= KNOWN_SHARE * len(texts):
        return f"its values are days: {' or '.join(days)}?"
    if any(c.name == "id" for c in free) and len(set(texts)) == len(texts) == len(values.head(SAMPLE)):
        return "every value is different: is it the id?"
    return ""


def _is_day(value: Any) -> bool:
    if isinstance(value, str) and value.strip().isdigit():
        return False
    try:
        return to_day(value) is not None
    except (ValueError, TypeError, OverflowError):
        return False


def link(looks: list[Look]) -> None:
    """See which unknown columns hold the ids of other layers."""
    ids = {
        kind: {v for one in looks if one.kind == kind and one.raw is not None for v in one.values_of("id")}
        for kind in _LINKS.values()
    }
    for one in looks:
        kind_of_it = one.supposed
        if not kind_of_it or one.raw is None:
            continue
        taken = {*one.columns.values(), *(target for target, _ in one.guesses.values())}
        for target, kind in _LINKS.items():
            if kind_of_it == kind or target in taken or target not in KINDS[kind_of_it].names:
                continue
            found = [n for n in (*one.unknown, *one.open) if _are_ids(_texts(one.raw.table[n]), ids[kind])]
            if len(found) == 1:
                one.guesses[found[0]] = (target, f"its values are ids of {kind}")
                one.open.pop(found[0], None)
            else:
                one.open |= dict.fromkeys(found, f"its values are ids of {kind}: {target}?")
            one.unknown = tuple(n for n in one.unknown if n not in found)


def _are_ids(texts: list[str], ids: set[str]) -> bool:
    """Whether nearly all texts are ids of the other layer; short whole numbers are ids of anything."""
    telling = [t for t in texts if not (t.isdigit() and len(t) < 4)]
    return len(telling) >= 3 and sum(t in ids for t in telling) >= KNOWN_SHARE * len(texts)


def on_wgs84(one: Look) -> gpd.GeoDataFrame | None:
    """The layer where its system is known and its coordinates can be in it, else None."""
    if one.raw is None or not one.placed or one.raw.crs is None:
        return None
    frame = one.frame()
    if _crs.parse(frame.crs).is_geographic:
        points = shapely.get_coordinates(np.asarray(frame.geometry.array, dtype=object))
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points) or not ((np.abs(points) <= (180, 90)).all(axis=1).mean() > 0.5):
            return None
    try:
        return _crs.to_wgs84(frame)
    except (ValueError, OSError):
        return None


def same_records(one: Look, other: Look) -> bool:
    """Whether two layers of a kind are the same records in two files: drawn at the same places, row by row.

    Two rows may meet by chance: they need the same ids as well. Of more, formats such as KML may have changed the ids.
    """
    if one.kind != other.kind or not one.kind or one.raw is None or other.raw is None or one.rows < 2:
        return False
    mine, theirs = one.values_of("id"), other.values_of("id")
    if len(one.raw.table) != len(other.raw.table) or (one.rows < 3 and set(mine) != set(theirs)):
        return False
    here, there = on_wgs84(one), on_wgs84(other)
    return here is not None and there is not None and _boxes(here) == _boxes(there)


def _boxes(frame: gpd.GeoDataFrame) -> list[tuple[float, ...]]:
    """The box of each row in degrees, to a metre or so, in an order of their own."""
    table = frame.geometry.bounds.round(5).fillna(999.0) + 0.0
    return sorted(map(tuple, table.to_numpy()))
