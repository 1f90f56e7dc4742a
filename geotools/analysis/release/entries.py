"""The rows of the ledger: ids, days, products and methods of hazards, releases and events, as the arithmetic needs them.

For reading careless frames without losing a row; geometry is brought to the plane in `projection`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geotools.model.errors import ReleaseError, SchemaError
from geotools.model.methods import UNKNOWN, method_key, only_processed
from geotools.model.programme import Programme
from geotools.model.schema import KINDS
from geotools.model.schema.conform import as_text, to_day
from geotools.model.vocab import fold, vocabulary

NO_DAY = np.datetime64("NaT", "D")

# What an act does to a square metre. The order is the strength on one day: cleared > reduced > cancelled.
CLEARED, REDUCED, CANCELLED, TRANSFERRED, CORRECTED, PROCESSED, REOPENED, NOTHING = range(8)
WORDS = ("cleared", "reduced", "cancelled", "transferred", "corrected", "processed", "reopened", "")
PRODUCTS = {"cleared": CLEARED, "reduced": REDUCED, "cancelled": CANCELLED}
RELEASING = (CLEARED, REDUCED, CANCELLED)


@dataclass(frozen=True)
class Entries:
    """The rows of one layer in ledger order (by id, then geometry, then what else is known).

    Attributes
    ----------
    frame
        The rows, in ledger order, on a 0…n−1 index; `origin` gives their position in the input.
    id
        Unique text ids; `made` where the row had none, `twice` where the id was used before.
    day
        Day of the record or act (datetime64[D], NaT where unknown); `odd_day` where a text could not be read.
    act
        What the row does to the ground (`CLEARED` … `NOTHING`).
    """

    frame: gpd.GeoDataFrame
    origin: np.ndarray
    id: np.ndarray
    made: np.ndarray
    twice: np.ndarray
    day: np.ndarray
    odd_day: np.ndarray
    act: np.ndarray
    _texts: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.id)

    def text(self, column: str) -> np.ndarray:
        """A column as trimmed text, None where it is missing or there is no such column."""
        if column not in self._texts:
            self._texts[column] = texts(self.frame, column)
        return self._texts[column].copy()

    def word(self, column: str, words: str, programme: Programme) -> np.ndarray:
        """A column as keys of a vocabulary."""
        return keys(self.frame, column, words, programme)

    def number(self, column: str) -> np.ndarray:
        """A column as floats, NaN where it is missing."""
        return numbers(self.frame, column)


def as_frame(layer: Any, what: str) -> gpd.GeoDataFrame:
    """A GeoDataFrame from what a caller may hand over: a frame, a series of polygons, or None.

    Raises
    ------
    SchemaError
        If it is something else.
    """
    if layer is None:
        return gpd.GeoDataFrame({"geometry": []}, geometry="geometry")
    if isinstance(layer, gpd.GeoSeries):
        return gpd.GeoDataFrame(geometry=layer)
    if not isinstance(layer, gpd.GeoDataFrame):
        raise SchemaError(
            f"the {what} are a {type(layer).__name__}, not a GeoDataFrame",
            hint="read them with geotools.read(path) or geopandas.read_file(path)",
        )
    _one_of_each(layer, what)
    return layer


def _one_of_each(layer: gpd.GeoDataFrame, what: str) -> None:
    known = set(KINDS[what].names) if what in KINDS else {"id", "event", "hazard_id", "date"}
    known |= {f"{name}_as_entered" for name in known} | {"geometry", layer._geometry_column_name}
    double = sorted({str(name) for name in layer.columns[layer.columns.duplicated()] if name in known})
    if double:
        raise ReleaseError(
            f"the {what} have more than one column '{double[0]}': it cannot be told which one is right",
            hint="keep the right one and give the other a name of its own",
            layer=what,
        )


def entries(
    frame: gpd.GeoDataFrame,
    places: Callable[[np.ndarray], np.ndarray],
    *,
    day: str,
    acts: Callable[[gpd.GeoDataFrame], np.ndarray],
    prefix: str = "row-",
) -> tuple[Entries, np.ndarray]:
    """Put rows in an order that does not depend on the input's, and give each a unique id.

    Parameters
    ----------
    places
        Gives the geometry of rows in WGS 84, asked only where ids do not tell rows apart.

    Returns
    -------
    Entries, order
        `order` are the positions in the input, in ledger order.
    """
    frame = frame.reset_index(drop=True)
    given = texts(frame, "id")
    keyed = np.array([text or "" for text in given], dtype=object)
    order = _order(frame, keyed, places)
    names = _unique([given[i] or None for i in order], order, prefix)
    sorted_frame = frame.take(order).reset_index(drop=True)
    made = given[order] == None  # noqa: E711
    twice = pd.Series(given[order]).duplicated().to_numpy() & ~made
    days, odd = days_of(sorted_frame, day)
    found = Entries(sorted_frame, order, names, made, twice, days, odd, acts(sorted_frame))
    return found, order


def _order(frame: gpd.GeoDataFrame, ids: np.ndarray, places: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Stable order by id; rows that share one (or have none) by their geometry, then by all they say."""
    order = np.argsort(ids.astype(str), kind="stable") if len(ids) else np.zeros(0, dtype=int)
    names = ids[order].astype(str) if len(ids) else ids
    same = names[1:] == names[:-1]
    if not same.any():
        return order
    tied = np.r_[same, False] | np.r_[False, same]
    rows = order[tied]
    wkb = shapely.to_wkb(shapely.normalize(places(rows)))
    told = _told(frame, rows)
    key = sorted(range(len(rows)), key=lambda n: (str(ids[rows[n]]), wkb[n], told[n]))
    out = order.copy()
    out[tied] = rows[key]
    return out


def _told(frame: gpd.GeoDataFrame, rows: np.ndarray) -> list[str]:
    """All that each row says beside its geometry, as one text, cell by cell: cells may hold anything, or nothing."""
    names = sorted(
        (str(name), place) for place, name in enumerate(frame.columns) if name != frame._geometry_column_name
    )
    cells = [frame.iloc[:, place].to_numpy(dtype=object)[rows] for _, place in names]
    return ["\x1f".join(as_text(column[n]) or "" for column in cells) for n in range(len(rows))]


def _unique(given: list[str | None], order: np.ndarray, prefix: str) -> np.ndarray:
    if None not in given and len(set(given)) == len(given):
        return np.array(given, dtype=object)
    used = {text for text in given if text}
    count: dict[str, int] = {}
    out = []
    for text, position in zip(given, order, strict=True):
        if text is None:
            out.append(_free(f"{prefix}{position + 1}", used))
            continue
        count[text] = count.get(text, 0) + 1
        out.append(text if count[text] == 1 else _free(f"{text}~{count[text]}", used))
    return np.array(out, dtype=object)


def _free(wanted: str, used: set[str]) -> str:
    name, turn = wanted, 1
    while name in used:
        turn += 1
        name = f"{wanted}.{turn}"
    used.add(name)
    return name


def texts(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as trimmed text or None."""
    if column not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    cache: dict[Any, str | None] = {}
    cells = frame[column].to_numpy(dtype=object)
    if pd.api.types.infer_dtype(cells, skipna=True) == "string":  # text and missing cells only: each text once
        codes, known = pd.factorize(cells)
        words = np.array([as_text(text) or None for text in known] + [None], dtype=object)
        return words[codes]
    out = np.empty(len(frame), dtype=object)
    for row, value in enumerate(cells):
        if isinstance(value, str):
            if value not in cache:
                cache[value] = as_text(value) or None
            out[row] = cache[value]
        else:
            out[row] = as_text(value) or None
    return out


def keys(frame: pd.DataFrame, column: str, words: str, programme: Programme) -> np.ndarray:
    """A column as keys of a vocabulary; None where it is missing or not a known word."""
    vocab, own = vocabulary(words), programme.words.get(words, {})
    raw = texts(frame, column)
    found = {text: text if text in vocab else vocab.match(text, own) for text in set(raw) - {None}}
    return np.array([found.get(text) for text in raw], dtype=object)


def numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as floats, NaN where it is missing or not a number."""
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    cells = frame[column]
    if cells.dtype == object:  # cells may hold anything
        cells = cells.map(lambda value: value if isinstance(value, str | int | float | np.number) else None)
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def days_of(frame: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """A column as days, and where a value was there that is not a date."""
    count = len(frame)
    if column not in frame.columns:
        return np.full(count, NO_DAY), np.zeros(count, dtype=bool)
    raw = frame[column]
    if pd.api.types.is_datetime64_dtype(raw.dtype):
        return raw.to_numpy().astype("datetime64[D]"), np.zeros(count, dtype=bool)
    cache: dict[tuple[type, Any], np.datetime64] = {}
    days = np.full(count, NO_DAY)
    odd = np.zeros(count, dtype=bool)
    for row, value in enumerate(raw.to_numpy(dtype=object)):
        if value is None or value is pd.NaT or as_text(value) is None:
            continue
        known = (type(value), value if isinstance(value, str | date | int | float) else str(value))
        if known not in cache:
            found = to_day(value)
            cache[known] = NO_DAY if found is None else np.datetime64(found, "D")
        days[row] = cache[known]
        odd[row] = np.isnat(days[row])
    return days, odd


def one_day(value: Any, what: str) -> np.datetime64 | None:
    """A day given by a caller, None for None.

    Raises
    ------
    ReleaseError
        If it is not a date.
    """
    if value is None:
        return None
    found = value if type(value) is date else None if as_text(value) is None else to_day(value)
    if found is None:
        raise ReleaseError(f"{what} is not a date: '{value}'", hint="write YYYY-MM-DD, for example as_of='2025-12-31'")
    return np.datetime64(found, "D")


def with_default(frame: gpd.GeoDataFrame, values: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """The frame with columns set where they are absent or missing; the input is not changed."""
    out = frame
    for column, value in values.items():
        if value is None:
            continue
        if column in out.columns:
            filled = out[column].astype(object)
            out = out.assign(**{column: filled.where(filled.notna(), value)})
        else:
            out = out.assign(**{column: value})
    return out


def as_entered(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column of words as text; where the word was not understood on reading, what was typed (``<column>_as_entered``)."""
    clean, typed = texts(frame, column), texts(frame, f"{column}_as_entered")
    return np.where(clean != None, clean, typed)  # noqa: E711


def methods(frame: pd.DataFrame, programme: Programme, column: str = "method") -> np.ndarray:
    """Method of each row as a key: ``unknown`` where there is a word that nobody knows, None where there is none."""
    vocab, own = vocabulary("method"), programme.words.get("method", {})
    raw = as_entered(frame, column)
    found = {text: method_key(text, own) for text in set(raw)}
    found = {text: key if key is None or key in vocab else UNKNOWN for text, key in found.items()}
    return np.array([found[text] for text in raw], dtype=object)


def release_acts(frame: gpd.GeoDataFrame, programme: Programme) -> np.ndarray:
    """What each release does: its product, or `PROCESSED` where no search is proved.

    That is machine work of any product without a search after it, and cleared ground whose method is a word nobody knows.
    """
    product = keys(frame, "product", "product", programme)
    method, after = methods(frame, programme), methods(frame, programme, "follow_up")
    act = np.array([PRODUCTS.get(p, NOTHING) for p in product], dtype=np.int8)
    waits = np.array([only_processed(m, f) for m, f in zip(method, after, strict=True)], dtype=bool)
    waits &= (method != UNKNOWN) | (act == CLEARED)
    act[waits & (act != NOTHING)] = PROCESSED
    return act


EVENT_ACTS = {"reopened": REOPENED, "transferred": TRANSFERRED, "corrected_out": CORRECTED}
ADDING = {"extended": "extended", "corrected_in": "corrected_in"}
_REOPENING = ("reopen", "openedagain", "yenidenac", "tekrarac", "повторнооткр", "переоткр")  # folded, without blanks


def events_of(frame: pd.DataFrame, programme: Programme) -> np.ndarray:
    """What happened, as a key of the vocabulary ``event``; ``unknown`` where the word is missing or nobody knows it."""
    vocab, own = vocabulary("event"), programme.words.get("event", {})
    raw = as_entered(frame, "event")
    found = {text: _event(text, vocab.match(text, own) if text else None) for text in set(raw)}
    return np.array([found[text] for text in raw], dtype=object)


def _event(text: str | None, known: str | None) -> str:
    if known in EVENT_ACTS or known in ADDING:
        return str(known)
    return "reopened" if any(stem in fold(text or "").replace(" ", "") for stem in _REOPENING) else UNKNOWN


def event_acts(frame: gpd.GeoDataFrame, programme: Programme) -> np.ndarray:
    """What each event does to the ground; extensions and corrections that add ground are `NOTHING` here.

    A word that nobody knows may be a reopening: it is counted as one, so that released ground is never claimed against it.
    """
    act = {**EVENT_ACTS, UNKNOWN: REOPENED}
    return np.array([act.get(key, NOTHING) for key in events_of(frame, programme)], dtype=np.int8)


def event_adds(frame: gpd.GeoDataFrame, programme: Programme) -> np.ndarray:
    """For events that add ground: ``extended`` or ``corrected_in``; None for all others."""
    return np.array([ADDING.get(key) for key in events_of(frame, programme)], dtype=object)
