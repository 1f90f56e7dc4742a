"""Rows that were cut or joined: which pieces stand for which row of the base, and what a side says of the whole.

For lineage by ``parent_id``; what is done with the pieces is decided in `three_way`. Shapes are not looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from geotools.field.merge.same import same
from geotools.field.merge.sides import PARENT, Row, Side, unique

Rows = Mapping[str, Row]


class Cuts:
    """The pieces that two sides made of the rows of a base.

    Parameters
    ----------
    base
        Rows by key.
    sides
        ``ours`` and ``theirs``, likewise.

    Examples
    --------
    >>> base = {"H": {"id": "H", "status": "open"}}
    >>> cut = {"a": {"id": "a", PARENT: "H", "status": "closed"}, "b": {"id": "b", PARENT: "H", "status": "closed"}}
    >>> cuts = Cuts(base, {"ours": cut, "theirs": base})
    >>> cuts.pieces("ours", "H"), cuts.whole("ours", "H", "status"), cuts.whole("theirs", "H", "status")
    (['a', 'b'], ('closed',), None)
    """

    def __init__(self, base: Rows, sides: Mapping[str, Rows]) -> None:
        self._base, self._sides = base, sides
        self._keys = keys_by_id(base)
        self._pieces: dict[str, dict[str, list[str]]] = {}
        self._again: dict[str, dict[str, list[str]]] = {}
        for side, rows in sides.items():
            found, further = self._pieces.setdefault(side, {}), self._again.setdefault(side, {})
            for name, row in rows.items():
                if name in base:
                    continue
                for parent in parents(row, self._keys):
                    key = self._keys.get(parent)
                    (further if key is None else found).setdefault(key or parent, []).append(name)

    def names(self) -> list[str]:
        """Rows of the base of which either side has pieces, sorted."""
        return sorted({name for found in self._pieces.values() for name in found})

    def pieces(self, side: str, name: str) -> list[str]:
        """The pieces that a side has of a row."""
        return sorted(self._pieces[side].get(name, ()))

    def again(self, side: str) -> Mapping[str, list[str]]:
        """Pieces that a side has of rows that the base does not know: pieces of pieces."""
        return self._again[side]

    def origin(self, mine: Row, other: Row) -> Row:
        """What a new row was cut or joined from said, if both sides name the same: the columns in which all its parents agree."""
        one, two = (parents(row, self._keys) for row in (mine, other))
        if set(one) != set(two) or not one or not all(p in self._keys for p in one):
            return {}
        first, *rest = (self._base[self._keys[p]] for p in one)
        return {c: v for c, v in first.items() if c != "geometry" and all(same(v, r.get(c), c) for r in rest)}

    def _of(self, side: str, name: str) -> list[Row]:
        """What stands for a row on one side: the row itself, if it is there, and its pieces."""
        rows = self._sides[side]
        return [rows[n] for n in (name, *self.pieces(side, name)) if n in rows]

    def whole(self, side: str, name: str, column: str) -> tuple[Any] | None:
        """The value to which a side changed a column of a whole row, all its pieces alike; None if it did not."""
        rows, old = self._of(side, name), self._base[name].get(column)
        if not rows or same(rows[0].get(column), old, column):
            return None
        alike = all(same(row.get(column), rows[0].get(column), column) for row in rows)
        return (rows[0].get(column),) if alike else None

    def agreed(self, voice: str, cutter: str, piece: str, said: tuple[str, Any]) -> bool:
        """Whether a side says the same, a column and its value, of every row of which the other side made a piece."""
        column, wanted = said
        of = [self._keys[p] for p in parents(self._sides[cutter][piece], self._keys) if p in self._keys]
        told = [self.whole(voice, name, column) for name in of]
        return all(one is not None and same(one[0], wanted, column) for one in told)

    def edited(self, side: Side, name: str) -> bool:
        """Whether a side changed anything of a row; a column or a shape that is missing is no change."""
        row, old = side.rows[name], self._base[name]
        shape = row.get("geometry")
        moved = shape is not None and not shape.is_empty and not same(shape, old.get("geometry"), "geometry")
        return moved or any(not same(row.get(c), old.get(c), c) for c in side.columns if c != "guid")

    def untouched(self, side: str, name: str, column: str) -> bool:
        """Whether all that stands for a row on one side still says what the base said; a joined piece must have had one thing to say."""
        old = self._base[name].get(column)
        return all(
            same(row.get(column), old, column)
            and all(
                same(self._base[self._keys[p]].get(column), old, column)
                for p in parents(row, self._keys)
                if p in self._keys
            )
            for row in self._of(side, name)
        )


def keys_by_id(base: Rows) -> dict[str, str]:
    """Key or id of a row of the base → its key; ``parent_id`` may hold either."""
    ids = {str(row["id"]): name for name, row in reversed(list(base.items())) if row.get("id") is not None}
    return {**ids, **{name: name for name in base}}


def parents(row: Row, known: Mapping[str, str]) -> list[str]:
    """What a row was cut or joined from; a comma may stand between several, or be part of one id.

    Examples
    --------
    >>> parents({PARENT: "H-1, H-2"}, {}), parents({PARENT: "H,1"}, {"H,1": "H,1"}), parents({PARENT: None}, {})
    (['H-1', 'H-2'], ['H,1'], [])
    """
    text = str(row.get(PARENT) or "").strip()
    if text in known:
        return [text]
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def inherited(side: Side, base: Side, columns: Sequence[str]) -> Side:
    """A side whose pieces say what the row they were cut from said, in every column that the file of the side does not have."""
    absent = [c for c in columns if c not in side.columns]
    if not absent:
        return side
    known = keys_by_id(base.rows)
    rows = dict(side.rows)
    for name, row in side.rows.items():
        named = [] if name in base.rows else parents(row, known)
        if len(named) == 1 and named[0] in known:
            origin = base.rows[known[named[0]]]
            rows[name] = {**{c: origin.get(c) for c in absent if c not in ("id", "guid", PARENT)}, **row}
    return replace(side, rows=rows)


def with_names_of_their_own(side: Side, other: Side, cuts: Cuts, key: str) -> Side:
    """A side in which no piece has the id of a whole that the other side cut away: an app may leave that id with one piece."""
    rows = dict(side.rows)
    for name in cuts.names():
        if name in other.rows or name not in rows:
            continue
        if cuts.pieces(side.label, name) and cuts.pieces(other.label, name) and cuts.edited(side, name):
            row = rows.pop(name)
            new = unique(f"{name}~1", key)
            own = {"id": f"{row.get('id') or name}~1", "guid": unique(f"{name}~1", "guid"), key: new}
            rows[new] = {
                **row,
                PARENT: row.get("id") or name,
                **{c: v for c, v in own.items() if row.get(c) is not None},
            }
    return replace(side, rows=rows) if rows.keys() != side.rows.keys() else side
