"""`Column` and `Schema`: frozen descriptions of a layer. Not for data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from geotools.model.vocab import Vocabulary, fold, vocabulary

VALUE_KINDS = ("id", "text", "word", "words", "number", "integer", "boolean", "date", "time")


@dataclass(frozen=True)
class Column:
    """One column: its name (with the unit in it), value kind, and the names it has in files.

    Parameters
    ----------
    name
        With the unit in it, such as ``depth_cm``.
    kind
        One of `VALUE_KINDS`. `word` holds one key of `vocabulary`, `words` several joined by commas,
        `date` a day (datetime64, no time zone), `time` an instant (datetime64, UTC).
    unit
        Unit of a number, for people; the name ends in it as well.
    required
        Whether a layer without the column is an issue (RD-15).
    words
        Name of the vocabulary.
    aliases
        Other names it has in files.
    help
        What it says, for people.
    short
        Name of at most 10 characters for shapefiles.
    minimum, maximum
        Range of a number, in its unit.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> column = schema("finds").column("category")
    >>> column.kind, column.words, column.vocabulary.match("AP mine")
    ('word', 'find_category', 'ap_mine')
    """

    name: str
    kind: str = "text"
    unit: str = ""
    required: bool = False
    words: str = ""
    aliases: tuple[str, ...] = ()
    help: str = ""
    short: str = ""
    minimum: float | None = None
    maximum: float | None = None

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The closed list this column draws from, if any."""
        return vocabulary(self.words) if self.words else None


@dataclass(frozen=True)
class Schema:
    """A record kind: its geometry types and columns; `id` is always the key.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> schema("hazards").column("classification").words
    'classification'
    """

    kind: str
    geometry: tuple[str, ...]
    columns: tuple[Column, ...]
    title: str = ""
    aliases: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order, without the geometry."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises
        ------
        KeyError
            If the kind has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @cached_property
    def by_spelling(self) -> dict[str, str]:
        """Folded spelling → column name, over names, short names and aliases; earlier columns win."""
        spellings: dict[str, str] = {}
        for column in self.columns:
            spellings.setdefault(fold(column.name), column.name)
        for column in self.columns:
            for spelling in (column.short, *column.aliases):
                if spelling:
                    spellings.setdefault(fold(spelling), column.name)
        return spellings

    def accepts(self, geometry_type: str) -> bool:
        """Whether a geometry of that type belongs in this layer."""
        return geometry_type in self.geometry
