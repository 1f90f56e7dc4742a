"""Words of a package in the team's language: fixed texts and the names of columns.

For README, forms and files; words inside columns come from `model.vocab`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from geotools.model.errors import SchemaError
from geotools.model.figures import grouped
from geotools.model.schema import Column
from geotools.model.vocab import LANGUAGES

ENGLISH_NAMES = {"en": "English", "az": "Azerbaijani", "tr": "Turkish", "ru": "Russian"}


@cache
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(resources.files("geotools.field.package").joinpath("words.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Phrases:
    """Texts in one language; what is missing there is English.

    Examples
    --------
    >>> Phrases("tr")("magnetic"), Phrases("en").column("depth_cm")
    ('manyetik', 'Depth, cm')
    """

    lang: str = "en"

    def __post_init__(self) -> None:
        if self.lang not in LANGUAGES:
            raise SchemaError(f"'{self.lang}' is not a language here", hint=f"use {', '.join(LANGUAGES)}")

    def __call__(self, key: str, **values: Any) -> str:
        """A fixed text."""
        row = _tables()["text"][key]
        text = row.get(self.lang) or row["en"]
        return text.format(**values) if values else text

    def number(self, value: float, decimals: int = 0) -> str:
        """A number in a sentence, with the signs of the language; files for machines keep the point.

        Examples
        --------
        >>> Phrases("az").number(1234.56, 1), Phrases("en").number(1234.56, 1)
        ('1.234,6', '1,234.6')
        """
        return grouped(value, decimals, self.lang)

    def column(self, name: str | Column) -> str:
        """What people call a column."""
        key = name if isinstance(name, str) else name.name
        row = _tables()["column"].get(key, {})
        return row.get(self.lang) or row.get("en") or key.replace("_", " ").capitalize()

    def kind(self, name: str) -> str:
        """What people call a layer."""
        row = _tables()["layer"].get(name, {})
        return row.get(self.lang) or row.get("en") or name.capitalize()


def languages(*, first: str = "en") -> tuple[Phrases, ...]:
    """All languages, the given one first."""
    return tuple(Phrases(lang) for lang in (first, *(other for other in LANGUAGES if other != first)))
