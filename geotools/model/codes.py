"""What each code of an ISSUES row means, in four languages (from `codes.toml`).

For the codes of reading, ledger, swaths, merging, maps and trials; the rules of `checks` bring their own texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from geotools.model.vocab import LANGUAGES


@cache
def titles() -> Mapping[str, tuple[str, ...]]:
    """Code to its title in each of `vocab.LANGUAGES`.

    Examples
    --------
    >>> titles()["RD-02"][0]
    'Row rejected while reading'
    """
    raw = tomllib.loads(resources.files("geotools.model").joinpath("codes.toml").read_text("utf-8"))
    return {code: tuple(row) for code, row in raw.items()}


def title(code: str, language: str = "en") -> str:
    """The title of a code in a language, in English where the language is not known; empty for a code of no list.

    Examples
    --------
    >>> title("RL-04", "tr"), title("XX-99")
    ('Tarihsiz serbest bırakma', '')
    """
    row = titles().get(code, ("",))
    place = LANGUAGES.index(language) if language in LANGUAGES else 0
    return row[place] if place < len(row) else row[0]
