"""Texts of the page in four languages: interface, layer and column names, and the trade's words that a map uses.

For looking texts up; not for formatting numbers and dates, which the page does in the reader's language (but for a day in a note).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from geotools.model.schema import KINDS
from geotools.model.vocab import LANGUAGES, vocabulary

Label = Mapping[str, str] | str

# Class codes that are the same in every language of the trade.
CODES = ("CHA", "SHA")
# Columns that hold words without being a word column of that kind's schema (results of the ledger).
WORDS = {
    "product": "product",
    "counted_as": "product",
    "other_product": "product",
    "severity": "severity",
    "method": "method",
    "status": "hazard_status",
    "classification": "classification",
    "category": "find_category",
}


@cache
def interface() -> dict[str, dict[str, str]]:
    """Language → key → text of the page's own controls."""
    folder = resources.files("geotools.maps.webmap").joinpath("i18n")
    return {lang: json.loads(folder.joinpath(f"{lang}.json").read_text("utf-8")) for lang in LANGUAGES}


@cache
def _labels() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files("geotools.maps.webmap").joinpath("i18n", "labels.toml").read_text("utf-8"))


def known(table: str, key: str) -> bool:
    """Whether the table (layer, class, note or column) has that key."""
    return key in _labels().get(table, {})


def label(table: str, key: str) -> Label:
    """Text of a layer, class, note or column in all languages; the key made readable where there is none.

    Examples
    --------
    >>> label("layer", "remaining")["en"], label("column", "wind_speed")
    ('Remaining ground', 'Wind speed')
    """
    texts = _labels().get(table, {}).get(key)
    if texts is not None:
        return dict(zip(LANGUAGES, texts, strict=True))
    plain = str(key).replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]


def word(vocab: str, key: str) -> Label:
    """A word of a vocabulary in all languages, or the text itself if it is none."""
    for entry in vocabulary(vocab):
        if entry.key == key:
            return {lang: entry.label(lang) for lang in LANGUAGES}
    return key


def text(label_: Label, lang: str = "en") -> str:
    """A label in one language.

    Examples
    --------
    >>> text(label("layer", "dem"), "tr")
    'Kabartma'
    """
    return label_ if isinstance(label_, str) else label_.get(lang) or label_["en"]


def join(*parts: Label) -> Label:
    """Labels side by side, e.g. classification and status."""
    if all(isinstance(part, str) for part in parts):
        return " · ".join(str(part) for part in parts)
    return {lang: " · ".join(part if isinstance(part, str) else part[lang] for part in parts) for lang in LANGUAGES}


def fill(template: Label, **values: object) -> Label:
    """A label with its {places} filled in."""
    if isinstance(template, str):
        return template.format(**values)
    return {lang: text.format(**values) for lang, text in template.items()}


def day(value: date) -> Label:
    """A day as the page writes it (`GT.dayText` in `core.js`).

    Examples
    --------
    >>> text(day(date(2024, 5, 2)), "en"), text(day(date(2024, 5, 2)), "tr")
    ('2 May 2024', '2 May 2024')
    """
    return {
        lang: f"{value.day} {interface()[lang]['months'].split(' ')[value.month - 1]} {value.year}"
        for lang in LANGUAGES
    }


# Columns of the ISSUES table whose words stand with the checks: code of the rule, and record kind.
ISSUE_WORDS = {"check": "codes", "kind": "kinds"}


def vocab_of(kind: str, column: str) -> str | None:
    """The vocabulary of a column of a record kind, if it holds words."""
    if kind == "issues" and column in ISSUE_WORDS:
        return ISSUE_WORDS[column]
    if kind in KINDS and column in KINDS[kind].names:
        return KINDS[kind].column(column).words or None
    return WORDS.get(column)


def tables(used: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
    """Vocabulary → key → texts, for the words that a page uses."""
    return {
        name: _issue_words(name, keys)
        if name in ISSUE_WORDS.values()
        else {key: word(name, key) for key in sorted(set(keys) & set(vocabulary(name).keys))}
        for name, keys in sorted(used.items())
    }


def _issue_words(name: str, keys: Iterable[str]) -> dict[str, Label]:
    """What the codes of issues mean, and what record kinds are called there; nothing for a code of no list."""
    from geotools.checks import messages

    out: dict[str, Label] = {}
    for key in sorted(set(keys)):
        section, entry = (key, "title") if name == "codes" else ("kinds", key)
        said = {lang: messages.text(section, entry, lang) for lang in LANGUAGES}
        if said["en"]:
            out[key] = {lang: f"{key} · {text_}" if name == "codes" else text_ for lang, text_ in said.items()}
    return out
