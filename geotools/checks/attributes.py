"""Words, ids, numbers and texts in the tables: GC-12, 13, 17, AT-01…07, RP-01. Not for dates and links (see `workflow`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geotools.checks.layers import Data, Layer
from geotools.checks.marks.points import squeezed, stem
from geotools.checks.rule import GEOCHECK, Check, Finding, listed
from geotools.model.vocab import fold, vocabulary

ID_COLUMNS = (
    "id",
    "hazard_id",
    "activity_id",
    "task_id",
    "feature_id",
    "parent_id",
    "supersedes_id",
    "asset_id",
    "lot_id",
)
OPEN_LISTS = ("organisation", "team", "admin1", "admin2", "place", "asset", "model")
CATEGORIES = {"finds": ("category", "find_category"), "accidents": ("cause", "accident_cause")}
BULK = ("fixes",)  # a log, not records: millions of rows, written by a machine


def _texts(layer: Layer) -> list[str]:
    """Names of columns that hold text."""
    frame = layer.frame
    return [
        str(c)
        for c in frame.columns
        if c != getattr(frame, "active_geometry_name", None)
        and (pd.api.types.is_object_dtype(frame[c].dtype) or pd.api.types.is_string_dtype(frame[c].dtype))
    ]


def id_twice(data: Data) -> Iterator[Finding]:
    """GC-12: an id used twice in a layer, also one that reading had to rename or that differs by blanks or case."""
    for layer in data.each():
        if layer.kind in BULK or layer.kind == "marks":
            continue
        known = set(layer.ids)
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(layer.ids):
            own = stem(name) if stem(name) in known else name
            rows.setdefault(squeezed(own), []).append(row)
        for found in rows.values():
            if len(found) > 1:
                names = sorted({stem(layer.ids[r]) for r in found})
                yield Finding(
                    layer.kind,
                    names[0],
                    "id",
                    {"count": len(found), "names": listed(names)},
                    value=len(found),
                    limit=1,
                    geometry=layer.lonlat[found[1]],
                )


def device_twice(data: Data) -> Iterator[Finding]:
    """GC-13: the same sort and number of devices entered twice in a record: same day, and same place or none."""
    for layer in data.each("finds"):
        columns = [layer.text(c) for c in ("activity_id", "hazard_id", "category", "model", "qty", "date")]
        seen: dict[tuple[Any, ...], int] = {}
        for row in range(len(layer)):
            place = layer.lonlat[row]
            where = (
                tuple(np.round(shapely.get_coordinates(place)[0], 6))
                if place is not None and not place.is_empty
                else None
            )
            key = (*(c[row] for c in columns), where)
            if not (columns[2][row] or columns[3][row]) or not (columns[0][row] or columns[1][row]):
                continue
            if key in seen:
                words = {
                    "other": layer.ids[seen[key]],
                    "model": columns[3][row] or columns[2][row],
                    "qty": columns[4][row] or "?",
                }
                yield Finding(layer.kind, layer.ids[row], "model", words, value=layer.ids[seen[key]], geometry=place)
            else:
                seen[key] = row


def spelling_variants(data: Data) -> Iterator[Finding]:
    """GC-17: one word spelled several ways, and columns that are there twice."""
    for layer in data.each():
        if layer.kind in BULK:
            continue
        for column in OPEN_LISTS:
            if not layer.has(column):
                continue
            counts: dict[str, dict[str, int]] = {}
            for text in layer.typed(column):
                if text and fold(text):
                    spellings = counts.setdefault(fold(text), {})
                    spellings[text] = spellings.get(text, 0) + 1
            for spellings in counts.values():
                if len(spellings) > 1:
                    shown = ", ".join(f"'{t}' × {n}" for t, n in sorted(spellings.items(), key=lambda s: (-s[1], s[0])))
                    yield Finding(layer.kind, "", column, {"column": column, "values": shown}, value=shown)
        yield from _columns_twice(layer)


def _columns_twice(layer: Layer) -> Iterator[Finding]:
    names: dict[str, list[str]] = {}
    for name, given in layer.given_name.items():
        key = (
            re.sub(r"([ _.]?\d+|_[xy])$", "", fold(given))
            if given not in (layer.schema.names if layer.schema else ())
            else fold(given)
        )
        names.setdefault(key or given, []).append(name)
    for found in names.values():
        if len(found) > 1 and not any(n.endswith("_as_entered") for n in found):
            yield Finding(layer.kind, "", found[1], {"values": listed(found)}, variant="columns", value=listed(found))


_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


def scripts(text: str) -> set[str]:
    """The alphabets of a text.

    Examples
    --------
    >>> sorted(scripts("НА-12")), sorted(scripts("HА-12"))
    (['CYRILLIC'], ['CYRILLIC', 'LATIN'])
    """
    names = (unicodedata.name(c, "") for c in text if c.isalpha())
    return {script for name in names for script in _SCRIPTS if name.startswith(script)}


# Cyrillic and Greek letters that look like Latin ones, for comparing ids by eye.
_LOOKS = str.maketrans("АВЕЅІЈКМНОРСТУХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABESIJKMHOPCTYXaeopcyxijsABEZHIKMNOPTYX")


def lookalikes(data: Data) -> Iterator[Finding]:
    """AT-01: letters of two alphabets in one id or name, or two ids that look the same and are not."""
    for layer in data.each():
        if layer.kind in BULK:
            continue
        for column in (*ID_COLUMNS, "organisation", "team"):
            if not layer.has(column):
                continue
            for row, text in enumerate(layer.text(column)):
                if text and not text.isascii() and _mixed_word(text):
                    strange = sorted({f"{c} (U+{ord(c):04X})" for c in text if c.isalpha() and not c.isascii()})
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        column,
                        {"value": text, "letters": listed(strange)},
                        value=text,
                        geometry=layer.lonlat[row],
                    )
        yield from _ids_that_look_alike(layer)


def _ids_that_look_alike(layer: Layer) -> Iterator[Finding]:
    """Ids in one foreign alphabet: beside a twin that looks the same, or alone among ids in Latin letters."""
    names = list(dict.fromkeys(layer.ids))
    latin = sum(scripts(name) <= {"LATIN"} for name in names) > 0.9 * len(names)
    plain = {name for name in names if name.isascii()}
    for name in names:
        looks = name.translate(_LOOKS)
        if name.isascii() or not looks.isascii() or _mixed_word(name):
            continue
        if looks in plain:
            where = layer.lonlat[layer.index[name]]
            yield Finding(layer.kind, name, "id", {"other": looks}, variant="pair", value=looks, geometry=where)
        elif latin:
            strange = sorted({f"{c} (U+{ord(c):04X})" for c in name if not c.isascii()})
            where = layer.lonlat[layer.index[name]]
            yield Finding(
                layer.kind, name, "id", {"value": name, "letters": listed(strange)}, value=name, geometry=where
            )


def _mixed_word(text: str) -> bool:
    return any(len(scripts(word)) > 1 for word in re.split(r"[\s,;]+", text)) or (
        len(scripts(text)) > 1 and not re.search(r"\s", text)
    )


_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def blanks_in_ids(data: Data) -> Iterator[Finding]:
    """AT-02: blanks around or invisible characters in ids and links."""
    for layer in data.each():
        if layer.kind in BULK:
            continue
        for column in (*ID_COLUMNS, "shape_id"):
            for row, text in enumerate(layer.typed(column)):
                if text and (text != text.strip() or _INVISIBLE.search(text) or "  " in text):
                    shown = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)
                    yield Finding(
                        layer.kind, layer.ids[row], column, {"value": shown}, value=shown, geometry=layer.lonlat[row]
                    )


def required_missing(data: Data) -> Iterator[Finding]:
    """AT-03: a field that every record needs is empty."""
    for layer in data.each():
        if layer.schema is None or layer.kind in BULK:
            continue
        for column in layer.schema:
            if not column.required:
                continue
            if column.name == "id":
                rows = np.flatnonzero([t is None for t in layer.text("id")])
            else:
                rows = np.flatnonzero([t is None for t in layer.text(column.name)])
            if len(rows) == len(layer) and len(rows) > 1:
                yield Finding(
                    layer.kind,
                    "",
                    column.name,
                    {"column": column.name, "count": len(rows)},
                    variant="all",
                    value=len(rows),
                )
                continue
            for row in rows:
                entered = layer.text(f"{column.name}_as_entered")[row]
                if not entered:  # a word that is there but unknown is RP-01
                    yield Finding(
                        layer.kind, layer.ids[row], column.name, {"column": column.name}, geometry=layer.lonlat[row]
                    )


def out_of_range(data: Data) -> Iterator[Finding]:
    """AT-04: a number outside what its field can hold, or text where a number belongs."""
    for layer in data.each():
        if layer.schema is None:
            continue
        for column in layer.schema:
            if column.kind not in ("number", "integer") or not layer.has(column.name):
                continue
            if layer.kind == "legs" and column.name == "distance_m":
                continue  # SV-04
            values = layer.numbers(column.name)
            low = -np.inf if column.minimum is None else column.minimum
            high = np.inf if column.maximum is None else column.maximum
            with np.errstate(invalid="ignore"):
                wrong = (values < low) | (values > high) | np.isinf(values)
            limit = f"{column.minimum if column.minimum is not None else ''}…{column.maximum if column.maximum is not None else ''}"
            for row in np.flatnonzero(wrong).tolist():
                words = {"column": column.name, "value": f"{values[row]:g}", "limit": limit}
                yield Finding(
                    layer.kind,
                    layer.ids[row],
                    column.name,
                    words,
                    value=float(values[row]),
                    limit=limit,
                    geometry=layer.lonlat[row],
                )
            if layer.kind in BULK or pd.api.types.is_numeric_dtype(layer.frame[column.name].dtype):
                continue
            for row, text in enumerate(layer.text(column.name)):
                if text is not None and np.isnan(values[row]):
                    yield Finding(
                        layer.kind,
                        layer.ids[row],
                        column.name,
                        {"column": column.name, "value": text},
                        variant="text",
                        value=text,
                        geometry=layer.lonlat[row],
                    )


_MARKUP = re.compile(
    r"<\s*/?\s*(script|img|iframe|svg|a|object|style|div|b|body|html)\b|javascript:|on\w+\s*=", re.IGNORECASE
)
_FORMULA = re.compile(r"^\s*[=@]|^\s*[+-](?![\d\s.,])|^\s*[+-]\d.*[(!|]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def hostile_text(data: Data) -> Iterator[Finding]:
    """AT-05: text that a spreadsheet or a browser would run, or that does not show."""
    tests = (("markup", _MARKUP), ("formula", _FORMULA), ("control", _CONTROL))
    for layer in data.each():
        if layer.kind in BULK:
            continue
        for column in _texts(layer):
            for row, text in enumerate(layer.typed(column)):
                sort = next((name for name, pattern in tests if pattern.search(text)), None) if text else None
                if sort:
                    shown = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in str(text))[:120]
                    words = {"column": column, "value": shown}
                    yield Finding(
                        layer.kind, layer.ids[row], column, words, variant=sort, value=shown, geometry=layer.lonlat[row]
                    )


def guid_twice(data: Data) -> Iterator[Finding]:
    """AT-06: a UUID used twice."""
    for layer in data.each():
        seen: dict[str, str] = {}
        for row, text in enumerate(layer.text("guid") if layer.has("guid") else []):
            key = (text or "").strip("{}").casefold()
            if key and key in seen:
                yield Finding(
                    layer.kind, layer.ids[row], "guid", {"other": seen[key]}, value=text, geometry=layer.lonlat[row]
                )
            elif key:
                seen[key] = layer.ids[row]


def garbled_text(data: Data) -> Iterator[Finding]:
    """AT-07: letters lost in a wrong encoding (Ð°Ð±, Ã¶, replacement marks)."""
    broken = re.compile(
        "\ufffd|[ÃÐÑÅÄ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u017d\u017e\u2018-\u2022\u2026\u20ac\u2122]|\\?{4,}"
    )
    for layer in data.each():
        if layer.kind in BULK:
            continue
        for column in _texts(layer):
            if column.endswith("_as_entered"):
                continue  # that word is RP-01
            rows = [row for row, text in enumerate(layer.typed(column)) if text and broken.search(text)]
            if rows:
                words = {"column": column, "count": len(rows), "value": layer.typed(column)[rows[0]][:60]}
                yield Finding(
                    layer.kind, layer.ids[rows[0]], column, words, value=len(rows), geometry=layer.lonlat[rows[0]]
                )


def unknown_words(data: Data) -> Iterator[Finding]:
    """RP-01: words outside the lists and categories that nobody knows, counted and never dropped; district names no place has."""
    for layer in data.each():
        if layer.schema is None or layer.kind in BULK:
            continue
        for column in layer.schema:
            if column.vocabulary is None:
                continue
            counts: dict[str, list[str]] = {}
            for row, text in enumerate(layer.text(column.name)):
                entered = (
                    layer.text(f"{column.name}_as_entered")[row] if layer.has(f"{column.name}_as_entered") else None
                )
                parts = [entered] if entered else [p.strip() for p in (text or "").split(",") if p.strip()]
                for part in parts:
                    if part and (
                        entered or column.vocabulary.match(part, data.programme.words.get(column.words, {})) is None
                    ):
                        counts.setdefault(str(part), []).append(layer.ids[row])
            for word, ids in sorted(counts.items()):
                words = {"value": word, "column": column.name, "count": len(ids), "ids": listed(ids)}
                yield Finding(
                    layer.kind,
                    ids[0] if len(ids) == 1 else "",
                    column.name,
                    words,
                    value=word,
                    limit=listed(column.vocabulary.keys, 8),
                )
    yield from _unknown_categories(data)
    yield from _unmatched_admin(data)


def _unknown_categories(data: Data) -> Iterator[Finding]:
    for layer in data.each(*CATEGORIES):
        column, list_ = CATEGORIES[layer.kind]
        given, typed = layer.text(column), layer.text(f"{column}_as_entered")
        known = vocabulary(list_)
        own = data.programme.words.get(list_, {})
        none = [
            row
            for row, text in enumerate(given)
            if not typed[row] and (not text or known.match(text, own) == "unknown")
        ]
        if none:
            words = {"column": column, "count": len(none), "ids": listed(layer.ids[none])}
            lone = layer.ids[none[0]] if len(none) == 1 else ""
            yield Finding(layer.kind, lone, column, words, variant="none", value=len(none))


def _unmatched_admin(data: Data) -> Iterator[Finding]:
    places = data.layer("places")
    known = {fold(n) for n in places.text("admin1") if n}
    if not known:
        return
    for layer in data.each("hazards", "releases", "finds", "accidents", "activities"):
        strange: dict[str, list[str]] = {}
        for row, text in enumerate(layer.text("admin1")):
            if text and fold(text) not in known:
                strange.setdefault(text, []).append(layer.ids[row])
        for name, ids in sorted(strange.items()):
            words = {"value": name, "count": len(ids), "ids": listed(ids)}
            yield Finding(layer.kind, ids[0] if len(ids) == 1 else "", "admin1", words, variant="admin", value=name)


ALL = ("every layer",)
RULES = (
    Check("GC-12", id_twice, ALL, "error", source=f"{GEOCHECK} duplicate_localids"),
    Check("GC-13", device_twice, ("finds",), "warning", source=f"{GEOCHECK} duplicate_devices"),
    Check("GC-17", spelling_variants, ALL, "info", source=f"{GEOCHECK} ToolBox"),
    Check("AT-01", lookalikes, ALL, "warning"),
    Check("AT-02", blanks_in_ids, ALL, "warning"),
    Check("AT-03", required_missing, ALL, "error"),
    Check("AT-04", out_of_range, ALL, "error"),
    Check("AT-05", hostile_text, ALL, "warning"),
    Check("AT-06", guid_twice, ALL, "error"),
    Check("AT-07", garbled_text, ALL, "warning"),
    Check("RP-01", unknown_words, ALL, "warning", source="SEMA data catalogue"),
)
