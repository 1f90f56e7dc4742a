"""The controlled words of the trade, each written once (in `words.toml`) with its names in four languages.

For matching what people type to a canonical key and for labelling keys; not for the columns that hold them.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

LANGUAGES = ("en", "az", "tr", "ru")

# Letters that Unicode decomposition leaves alone but that people type either way; İ first: it lower-cases to two.
_LETTERS = str.maketrans({"İ": "i", "I": "i", "ı": "i", "ə": "e", "Ə": "e", "ß": "ss", "ø": "o", "Ø": "o"})


def fold(text: object) -> str:
    """Reduce text to what two spellings of one word have in common: case, accents, ə/ı, separators.

    Examples
    --------
    >>> fold("  Worked-On ") == fold("worked on") == "worked on"
    True
    >>> fold("Təmizlənmiş") == fold("TEMİZLENMİS")
    True
    """
    plain = unicodedata.normalize("NFKD", str(text).translate(_LETTERS).casefold())
    letters = (c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")  # Cf: not seen
    plain = "".join(c if c.isalnum() or c == "+" else " " for c in letters)
    return " ".join(plain.split())


@dataclass(frozen=True)
class Word:
    """One canonical word: its key, its label per language, and other spellings seen in files.

    Parameters
    ----------
    key
        How the word stands in frames.
    labels
        The word as people read it, by language (``en``, ``az``, ``tr``, ``ru``).
    aliases
        Other spellings that are read as this word.

    Examples
    --------
    >>> word = Word("manual", {"en": "Manual", "ru": "Вручную"}, ("by hand",))
    >>> word.label("ru"), word.label("az")
    ('Вручную', 'Manual')
    """

    key: str
    labels: Mapping[str, str]
    aliases: tuple[str, ...] = ()

    def label(self, language: str = "en") -> str:
        """The word as people read it, falling back to English, then to the key."""
        return self.labels.get(language) or self.labels.get("en") or self.key


@dataclass(frozen=True)
class Vocabulary:
    """A closed list of words, e.g. `classification` or `product`.

    Examples
    --------
    >>> vocabulary("product").match("Təmizlənmiş")
    'cleared'
    >>> vocabulary("product").match("???") is None
    True
    """

    name: str
    words: tuple[Word, ...]
    _index: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, str] = {}
        for word in self.words:
            for spelling in (word.key, *word.labels.values(), *word.aliases):
                folded = fold(spelling)
                if index.setdefault(folded, word.key) != word.key:
                    raise ValueError(f"{self.name}: '{spelling}' names both {index[folded]} and {word.key}")
        object.__setattr__(self, "_index", index)

    def __iter__(self) -> Iterator[Word]:
        return iter(self.words)

    def __contains__(self, key: object) -> bool:
        return key in self.keys

    @property
    def keys(self) -> tuple[str, ...]:
        """The canonical keys, in the order of the trade (worst or first state first)."""
        return tuple(word.key for word in self.words)

    def match(self, text: object, aliases: Mapping[str, str] | None = None) -> str | None:
        """The key that `text` stands for, or None. `aliases` (a programme's own words) win; one for no key of the list is none."""
        folded = fold(text)
        if aliases:
            for spelling, key in aliases.items():
                if fold(spelling) == folded:
                    return self._index.get(fold(key))
        return self._index.get(folded)

    def label(self, key: str, language: str = "en") -> str:
        """The label of a key in a language; an unknown key is returned as it is."""
        return next((word.label(language) for word in self.words if word.key == key), key)


@cache
def _tables() -> dict[str, Vocabulary]:
    raw = tomllib.loads(resources.files("geotools.model").joinpath("words.toml").read_text("utf-8"))
    return {
        name: Vocabulary(
            name,
            tuple(
                Word(key, {lang: row[lang] for lang in LANGUAGES if lang in row}, tuple(row.get("aliases", ())))
                for key, row in rows.items()
            ),
        )
        for name, rows in raw.items()
    }


def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of that name; see `names()`.

    Raises
    ------
    KeyError
        If there is none.

    Examples
    --------
    >>> product = vocabulary("product")
    >>> product.keys[:3], product.match("Təmizlənmiş"), product.label("cleared", "tr")
    (('cleared', 'reduced', 'cancelled'), 'cleared', 'Temizlenmiş')
    """
    return _tables()[name]


def names() -> tuple[str, ...]:
    """Names of all vocabularies, for `vocabulary`.

    Examples
    --------
    >>> names()[:3], "find_category" in names()
    (('classification', 'hazard_status', 'product'), True)
    """
    return tuple(_tables())
