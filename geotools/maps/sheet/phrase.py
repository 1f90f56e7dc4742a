"""Words and numbers of the sheet in the reader's language. Not for words of the trade (see `model.vocab`)."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd

from geotools.model import figures
from geotools.model.vocab import LANGUAGES, vocabulary

FIXED = "\u00a0"
_FIXED = frozenset("\u00a0\u202f")
_GAP = re.compile(" +")


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("geotools.maps.sheet").joinpath("words.toml").read_text("utf-8"))


def word(key: str, lang: str = "en", **values: Any) -> str:
    """A fixed word or sentence.

    Examples
    --------
    >>> word("remaining", "tr"), word("contours", "en", step=5)
    ('Kalan', 'Contours every 5 m')
    """
    text = _words()[key].get(lang) or _words()[key]["en"]
    return text.format(**values) if values else text


def keys() -> dict[str, set[str]]:
    """Every key with the languages it has."""
    return {key: set(row) & set(LANGUAGES) for key, row in _words().items()}


def number(value: float | None, decimals: int = 0, lang: str = "en") -> str:
    """A number with the thousands and decimal sign of the language, as on the map; missing is a dash.

    Examples
    --------
    >>> number(12345.678, 1, "ru") == "12\u00a0345,7", number(12345.678), number(None)
    (True, '12,346', '–')
    """
    return "–" if value is None or pd.isna(value) else figures.grouped(float(value), decimals, lang)


def plain(value: float, decimals: int, lang: str = "en") -> str:
    """A coordinate or factor with the decimal sign of the language; coordinates are not grouped.

    Examples
    --------
    >>> plain(4383295.94, 1, "az"), plain(0.99999, 5)
    ('4383295,9', '0.99999')
    """
    return f"{value:.{decimals}f}".replace(".", figures.MARKS.get(lang, figures.MARKS["en"])[1])


def angle(value: float, lang: str = "en", decimals: int = 2) -> str:
    """A signed angle in degrees, east positive.

    Examples
    --------
    >>> angle(-1.316, "tr"), angle(4.98)
    ('−1,32°', '+4.98°')
    """
    return f"{plain(value, decimals, lang) if value < 0 else '+' + plain(value, decimals, lang)}°".replace(
        "-", "\u2212"
    )


def square_metres(value: float | None, lang: str = "en", figure: str = "") -> str:
    """m² without the unit, as everywhere: whole, with one decimal below 10, rounded as the figure of this name; missing is a dash."""
    if value is None or pd.isna(value):
        return "–"
    return figures.square_metres(float(value), lang, figures.direction(figure))


def day(value: Any) -> str:
    """A date as ISO text, which reads alike in all languages; missing is a dash."""
    if value is None or pd.isna(value):
        return "–"
    return value.isoformat() if type(value) is date else pd.Timestamp(value).date().isoformat()


def term(words: str, key: Any, lang: str = "en", missing: str = "–") -> str:
    """A word of the trade by its key; what a record leaves out is a dash, or what is given for it.

    Examples
    --------
    >>> term("method", "manual", "tr"), term("method", float("nan")), term("method", "", missing="not stated")
    ('Elle', '–', 'not stated')
    """
    return vocabulary(words).label(key, lang) if isinstance(key, str) and key.strip() else missing


def terms(words: str, keys: Any, lang: str = "en") -> list[str]:
    """Words of the trade by a list of keys parted by commas; none where the record says nothing.

    Examples
    --------
    >>> terms("contamination", "ap,cmr"), terms("contamination", float("nan"))
    (['Anti-personnel mines', 'Cluster munition remnants'], [])
    """
    return [vocabulary(words).label(key, lang) for key in keys.split(",") if key] if isinstance(keys, str) else []


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())


def clean(value: Any, limit: int = 80) -> str:
    """Free text fit for one printed line: no control or direction marks, letters the typeface lacks as □, at most `limit` long.

    Fixed spaces stay, so that no number is parted at the end of a line.

    Examples
    --------
    >>> clean("a\u202eb\tc 地雷"), clean("x" * 90)[-2:]
    ('a b c □□', 'x…')
    """
    text = "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)
    text = "".join(
        FIXED if c in _FIXED else c if ord(c) in _glyphs() else "□" if c.isprintable() else " " for c in text
    )
    text = " ".join(_GAP.split("".join(c if c.isprintable() or c == FIXED else " " for c in text).strip()))
    return text if len(text) <= limit else text[: limit - 1] + "…"
