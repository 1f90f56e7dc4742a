"""The words of the rules and of their report, in four languages, from `messages.toml`. Not for the words of the data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from geotools.checks.rule import Check, Finding
from geotools.model.codes import titles
from geotools.model.figures import MARKS
from geotools.model.vocab import LANGUAGES, vocabulary

FILES = ("messages.toml",)


@cache
def table() -> dict[str, Any]:
    """Everything in the message files: rule codes, ``kinds`` and ``report``; and the titles of the codes of other rooms."""
    merged: dict[str, Any] = {code: {"title": list(row)} for code, row in titles().items()}
    for name in FILES:
        merged |= tomllib.loads(resources.files("geotools.checks").joinpath(name).read_text("utf-8"))
    return merged


def text(section: str, key: str, language: str) -> str:
    """One text, in English where the language lacks it, empty where there is none."""
    return _choose(table().get(section, {}).get(key, ""), language)


def _choose(entry: Any, language: str) -> str:
    if isinstance(entry, Mapping):
        return str(entry.get(language) or entry.get("en") or "")
    if isinstance(entry, list):
        place = LANGUAGES.index(language) if language in LANGUAGES else 0
        return str((entry[place] if place < len(entry) else "") or entry[0])
    return str(entry)


def of_check(check: Check, key: str, language: str = "en") -> str:
    """Title, message, remedy or why of a rule."""
    own = check.texts.get(key)
    return _choose(own, language) if own is not None else text(check.code, key, language)


# Which words of a sentence are keys of which lists; a value that is in none of them stays as it is.
_VOCABULARIES = {
    "status": ("hazard_status",),
    "product": ("product",),
    "method": ("method",),
    "evidence": ("evidence",),
    "activity": ("activity_type",),
    "type": ("point_type", "activity_type"),
}


def _word(value: str, lists: tuple[str, ...], language: str) -> str:
    known = next((vocabulary(name) for name in lists if value in vocabulary(name)), None)
    if known is None:
        return value
    label = known.label(value, language)
    return label[:1].lower() + label[1:]


class _Words(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(check: Check, finding: Finding, language: str) -> str:
    """What was found and what to do, as a person reads it.

    The record comes first, then the sentence of the rule, then its remedy. Values are put in as text, never as a
    pattern, so that braces in the data stay braces.
    """
    variant = f"_{finding.variant}" if finding.variant else ""
    said = of_check(check, f"message{variant}", language) or of_check(check, "message", language)
    remedy = of_check(check, f"remedy{variant}", language) or of_check(check, "remedy", language)
    words = _Words({k: _figure(_one_line(v), language, bare=k in _BARE) for k, v in finding.words.items()})
    for name, lists in _VOCABULARIES.items():
        if name in words:
            words[name] = _word(words[name], lists, language)
    if "reason" in words:
        words["reason"] = text("reasons", words["reason"], language) or words["reason"]
    body = said.format_map(words).strip()
    subject = record(finding, language)
    head = f"{subject}: {body}" if subject else body[:1].upper() + body[1:]
    return " ".join(part for part in (_full_stop(head), remedy.format_map(words).strip()) if part)


def record(finding: Finding, language: str) -> str:
    """``Hazard H-1`` in a language; the layer alone where no record is meant."""
    kind = text("kinds", finding.kind, language) or finding.kind
    return f"{kind} {_one_line(finding.id)}".strip() if kind else ""


def _one_line(value: Any) -> str:
    """Text of a value without control or direction characters, cut at 200 letters."""
    plain = "".join(c if c.isprintable() or c in "\u00a0\u202f" else "\ufffd" for c in str(value))
    return plain if len(plain) <= 200 else plain[:199] + "…"


_AMOUNT = re.compile(r"(?:< )?-?\d{1,3}(?:[,\u00a0]?\d{3})*(?:\.\d+)? (?:m²|m|km|ha|%)(?: ± .*)?")


_NUMBER = re.compile(r"[+-]?\d{1,3}(?:,?\d{3})*(?:\.\d+)?")
_BARE = ("share", "percent", "limit", "reported")  # words that are numbers, their unit stands in the sentence


def _figure(value: str, language: str, *, bare: bool = False) -> str:
    """An amount with its unit (or a `bare` number) in the signs of a language; all else, ids and coordinates too, as it is.

    Examples
    --------
    >>> _figure("1,117 m²", "az"), _figure("4.8 %", "ru"), _figure("H-1.5 m", "az"), _figure("1,117 m²", "en")
    ('1.117 m²', '4,8 %', 'H-1.5 m', '1,117 m²')
    >>> _figure("0.861", "az", bare=True), _figure("0.861", "az")
    ('0,861', '0.861')
    """
    if not (_AMOUNT.fullmatch(value) or (bare and _NUMBER.fullmatch(value))):
        return value
    thousands, decimal = MARKS.get(language, MARKS["en"])
    return value.translate({ord(","): thousands, 0xA0: thousands, ord("."): decimal})


def _full_stop(said: str) -> str:
    return said if said.endswith((".", "?", "!", ":")) else said + "."


def languages() -> tuple[str, ...]:
    """Languages the messages exist in."""
    return LANGUAGES
