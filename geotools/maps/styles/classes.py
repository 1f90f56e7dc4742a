"""Which classes a layer has and which one a record is in: one list for KML, QGIS and legends.

For telling records apart by columns; how a class looks is in `maps.symbols`. The first class that fits is the one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geotools.maps.symbols import Symbol, Theme, theme
from geotools.model.errors import MapError
from geotools.model.methods import method_key, only_processed
from geotools.model.vocab import vocabulary

AREAS, LINES, POINTS = "area", "line", "point"
STATES = ("worked_on", "suspended")
COUNTED, PROCESSED = "counted_as", "processed"


@dataclass(frozen=True)
class StyleClass:
    """One class of a layer.

    Parameters
    ----------
    id
        Letters, digits and hyphens; unique in its layer.
    tests
        Column → value that a record must have; none fits every record.
    symbol
        How it is drawn.
    words
        (vocabulary, key) pairs that name the class.

    Examples
    --------
    >>> found = next(entry for entry in classes("hazards") if entry.fits({"classification": "CHA"}))
    >>> found.label("en"), found.symbol.hatch
    ('Confirmed hazardous area', 'cross')
    """

    id: str
    tests: Mapping[str, str]
    symbol: Symbol
    words: tuple[tuple[str, str], ...] = ()

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a record is in this class, leaving earlier classes aside."""
        return all(row.get(column) == value for column, value in self.tests.items())

    def label(self, lang: str = "en") -> str:
        """The class in words."""
        return ", ".join(vocabulary(name).label(key, lang) for name, key in self.words) or self.id


def classes(kind: str, shape: str = AREAS, look: Theme | None = None) -> tuple[StyleClass, ...]:
    """The classes of a layer, the one for everything else last.

    Parameters
    ----------
    kind
        Record kind, or ``remaining``, ``released``, ``processed``.
    shape
        ``area``, ``line`` or ``point``.

    Examples
    --------
    >>> [c.id for c in classes("releases")]
    ['cleared', 'reduced', 'cancelled', 'processed', 'other']
    >>> len(classes("hazards"))
    21
    """
    found = look or theme()
    maker = _MAKERS.get(kind)
    return maker(found, shape) if maker else (StyleClass("other", {}, _other(found, shape)),)


def class_of(row: Mapping[str, Any], listed: tuple[StyleClass, ...]) -> StyleClass:
    """The first class that fits a record; the last class fits every record.

    Examples
    --------
    >>> class_of({"classification": "SHA", "status": "worked_on"}, classes("hazards")).id
    'SHA-worked-on'
    >>> class_of({"product": "cleared", "method": "mechanical"}, classes("releases")).id
    'processed'
    """
    known = {**row, COUNTED: counted_as(row)} if any(COUNTED in c.tests for c in listed) else row
    return next((c for c in listed if c.fits(known)), listed[-1])


def counted_as(row: Mapping[str, Any]) -> Any:
    """What a release counts as: as its ledger says, else ``processed`` where its method proves no search, else its product.

    Examples
    --------
    >>> counted_as({"product": "cleared", "method": "mechanical", "follow_up": "mdd"})
    'cleared'
    """
    told = row.get(COUNTED)
    if isinstance(told, str) and told.strip():
        return told
    method, after = (method_key(row.get(c)) or method_key(row.get(f"{c}_as_entered")) for c in ("method", "follow_up"))
    return PROCESSED if only_processed(method, after) else row.get("product")


def _other(look: Theme, shape: str) -> Symbol:
    return look.symbol("point" if shape == POINTS else shape, "other")


def _hazards(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    out = [
        StyleClass(f"ended-{state}", {"status": state}, look.hazard(None, state), (("hazard_status", state),))
        for state in vocabulary("hazard_status").keys
        if look.ended(state)
    ]
    for code in vocabulary("classification").keys:
        name = ("classification", code)
        for state in STATES:
            tests = {"classification": code, "status": state}
            symbol = _spot(look.hazard(code, state), shape)
            out.append(StyleClass(f"{code}-{state.replace('_', '-')}", tests, symbol, (name, ("hazard_status", state))))
        out.append(StyleClass(code, {"classification": code}, _spot(look.hazard(code), shape), (name,)))
    for state in STATES:
        symbol = _spot(look.hazard(None, state), shape)
        out.append(
            StyleClass(f"unknown-{state.replace('_', '-')}", {"status": state}, symbol, (("hazard_status", state),))
        )
    return (*out, StyleClass("unknown", {}, _spot(look.hazard(None), shape), (("contamination", "unknown"),)))


def _spot(symbol: Symbol, shape: str) -> Symbol:
    """A hazard that is recorded as a point is a danger point."""
    from dataclasses import replace

    return (
        replace(symbol, marker="diamond", size=9.0, fill=symbol.solid, outline="#ffffff") if shape == POINTS else symbol
    )


def _remaining(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    rows = [
        StyleClass(c, {"classification": c}, look.hazard(c), (("classification", c),))
        for c in vocabulary("classification").keys
    ]
    return (*rows, StyleClass("unknown", {}, look.hazard(None), (("contamination", "unknown"),)))


def _by_word(column: str, vocab: str, group: str) -> Callable[[Theme, str], tuple[StyleClass, ...]]:
    def make(look: Theme, shape: str) -> tuple[StyleClass, ...]:
        rows = [
            StyleClass(k.replace("_", "-"), {column: k}, look.symbol(group, k), ((vocab, k),))
            for k in vocabulary(vocab).keys
        ]
        try:
            last = look.symbol(group, "unknown")
        except MapError:
            last = _other(look, shape)
        kept = [r for r in rows if r.id != "other"]
        own = next((r for r in rows if r.id == "other"), None)
        return (*kept, StyleClass("other", {}, last, own.words if own else ()))

    return make


def _releases(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    """By what the ground counts as, never by the product alone: a machine's work is not cleared ground."""
    *products, last = _by_word("product", "product", "area")(look, shape)
    rows = [StyleClass(c.id, {COUNTED: c.tests["product"]}, c.symbol, c.words) for c in products]
    return (*rows, StyleClass(PROCESSED, {COUNTED: PROCESSED}, look.symbol("area", PROCESSED), _AWAITS), last)


def _processed(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    return (StyleClass(PROCESSED, {}, look.symbol(shape, PROCESSED), _AWAITS),)


_AWAITS = ((COUNTED, PROCESSED),)


def _landuse(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    return _by_word("use", "landuse", "line" if shape == LINES else "landuse")(look, shape)


def _samples(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    group = "point" if shape == POINTS else "area"
    rows = [
        StyleClass(k, {"result": k}, look.symbol(group, f"sample_{k}"), (("inspection_result", k),))
        for k in vocabulary("inspection_result").keys
    ]
    return (*rows, StyleClass("other", {}, _other(look, shape)))


def _one(name: str) -> Callable[[Theme, str], tuple[StyleClass, ...]]:
    def make(look: Theme, shape: str) -> tuple[StyleClass, ...]:
        return (StyleClass(name, {}, look.symbol(shape, name)),)

    return make


def _accidents(look: Theme, shape: str) -> tuple[StyleClass, ...]:
    return (StyleClass("accident", {}, look.symbol("accident", "unknown")),)


_MAKERS: dict[str, Callable[[Theme, str], tuple[StyleClass, ...]]] = {
    "hazards": _hazards,
    "remaining": _remaining,
    "releases": _releases,
    "released": _releases,
    "processed": _processed,
    "activities": _one("activity"),
    "finds": _by_word("category", "find_category", "find"),
    "accidents": _accidents,
    "samples": _samples,
    "marks": _by_word("point_type", "point_type", "mark"),
    "tracks": _one("track"),
    "places": _by_word("type", "place_type", "place"),
    "landuse": _landuse,
}
