"""Whose value stands where both changed it: a side, a side per column, the newer edit, or a person's decision.

For rules and for the conflicts file that a person edits; what is in conflict is found by `three_way`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geotools.model.errors import SchemaError
from geotools.model.provenance import now

SIDES = ("ours", "theirs")
NEWEST = "newest"
TIMES = ("edited_at", "modified", "last_edited", "date_entry")  # columns that say when a row was edited
LISTED = ("kind", "id", "column", "check", "stands", "value_that_stands", "other_value", "decision", "message")
SLACK = pd.Timedelta(minutes=10)  # clocks of phones differ by that much without being wrong
_STANDS = re.compile(r"(?:value|pieces|layer) of (ours|theirs) stand|, (ours|theirs) changed it: it is kept")

Prefer = str | Mapping[Any, str]


@dataclass(frozen=True)
class Rules:
    """What `prefer` says.

    Parameters
    ----------
    prefer
        ``ours``, ``theirs`` or ``newest``, or a mapping from a column, or from (id, column), to one of them.
    """

    prefer: Prefer
    latest: pd.Timestamp = field(default_factory=lambda: pd.Timestamp(now()) + SLACK)

    def __post_init__(self) -> None:
        if not isinstance(self.prefer, str | Mapping):
            raise SchemaError("prefer is a word, or a mapping of columns to words", hint="'ours', 'theirs' or 'newest'")
        named = [self.prefer] if isinstance(self.prefer, str) else list(self.prefer.values())
        wrong = [name for name in named if name not in (*SIDES, NEWEST)]
        if wrong:
            raise SchemaError(f"prefer is 'ours', 'theirs' or 'newest', not '{wrong[0]}'")

    def decided(self, key: str, column: str) -> str | None:
        """The side that a person chose for one cell, or None."""
        found = None if isinstance(self.prefer, str) else self.prefer.get((key, column))
        return found if found in SIDES else None

    def side(self, key: str, column: str, rows: tuple[Any, Any, Any]) -> tuple[str, str]:
        """The side whose value stands, and why if it is not as asked; `rows` are base, ours and theirs."""
        asked = (
            self.prefer
            if isinstance(self.prefer, str)
            else self.prefer.get((key, column), self.prefer.get(column, "ours"))
        )
        return (asked, "") if asked in SIDES else self._newer(*rows)

    def _newer(self, base: Any, ours: Any, theirs: Any) -> tuple[str, str]:
        for name in TIMES:
            mine, other = moment(ours.get(name)), moment(theirs.get(name))
            if mine is None or other is None:
                continue
            began = moment(base.get(name)) if base else None
            for label, when in (("ours", mine), ("theirs", other)):
                if when > self.latest:
                    return "ours", f"the clock of {label} is ahead ({when.isoformat()}), so the newer one is not known"
                if began is not None and when < began - SLACK:
                    return "ours", f"the clock of {label} is behind ({when.isoformat()}), so the newer one is not known"
            if abs(mine - other) > SLACK:
                return ("ours", "") if mine > other else ("theirs", "")
            return "ours", "both were edited within ten minutes, so the newer one is not known"
        return "ours", "no edit times, so the newer one is not known"


def moment(value: Any) -> pd.Timestamp | None:
    """A time that a row states, in UTC; None if it is none."""
    found = None if value is None else pd.to_datetime(value, errors="coerce", utc=True)
    return None if found is None or pd.isna(found) else pd.Timestamp(found)


def listing(conflicts: pd.DataFrame) -> pd.DataFrame:
    """The conflicts as a table that a person edits: both values, which one stands, and an empty ``decision``.

    Parameters
    ----------
    conflicts
        What `merge` returned.

    Returns
    -------
    DataFrame
        ``kind id column check stands value_that_stands other_value decision message``; write ``ours`` or ``theirs`` into ``decision`` and
        merge again with `decisions`.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geotools.field import merge
    >>> base = gpd.GeoDataFrame({"id": ["a"], "name": ["x"]}, geometry=gpd.points_from_xy([47.0], [39.5]), crs=4326)
    >>> merged, conflicts = merge(base, base.assign(name="y"), base.assign(name="z"))
    >>> listing(conflicts)[["id", "column", "stands", "value_that_stands", "other_value", "decision"]].values.tolist()
    [['a', 'name', 'ours', 'y', 'z', '']]
    """
    hits = [_STANDS.search(message) for message in conflicts["message"]]
    return pd.DataFrame(
        {
            "kind": conflicts["kind"], "id": conflicts["id"], "column": conflicts["column"], "check": conflicts["check"],
            "stands": [next(g for g in hit.groups() if g) if hit else "" for hit in hits],
            "value_that_stands": conflicts["limit"], "other_value": conflicts["value"],
            "decision": pd.Series([""] * len(conflicts), index=conflicts.index, dtype=object), "message": conflicts["message"],
        }
    )[list(LISTED)].reset_index(drop=True)  # fmt: skip


def decisions(table: pd.DataFrame, kind: str | None = None) -> dict[tuple[str, str], str]:
    """What a person wrote into the ``decision`` column of a conflicts file, for `merge(prefer=…)`.

    Parameters
    ----------
    table
        The edited file as read; other columns are left aside.
    kind
        Only rows of that layer, where the table has a ``kind``.

    Raises
    ------
    SchemaError
        If a column is missing or a decision is neither ours nor theirs.

    Examples
    --------
    >>> decisions(pd.DataFrame({"id": ["H-1"], "column": ["status"], "decision": ["Theirs "]}))
    {('H-1', 'status'): 'theirs'}
    """
    missing = [name for name in ("id", "column", "decision") if name not in table]
    if missing:
        raise SchemaError(
            f"the decisions have no column '{missing[0]}'", hint="edit the conflicts file that merge wrote"
        )
    out: dict[tuple[str, str], str] = {}
    for row in table.to_dict("records"):
        said = _cell(row["decision"]).casefold()
        if not said or (kind and _cell(row.get("kind")) not in ("", kind)):
            continue
        if said not in SIDES:
            raise SchemaError(
                f"the decision for '{row['id']}' is '{row['decision']}'", hint="write ours or theirs, or leave it empty"
            )
        out[(_cell(row["id"]), _cell(row["column"]))] = said
    return out


def _cell(value: Any) -> str:
    return (
        "" if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)) else str(value).strip()
    )


def carried(new: pd.DataFrame, *earlier: pd.DataFrame) -> pd.DataFrame:
    """A new list of conflicts with what people wrote into earlier ones: nobody decides, or comments, twice.

    Parameters
    ----------
    new
        What `listing` gives.
    earlier
        Lists as read, the one that counts first. Their decided rows stay as they are, with every column; comments
        beside a row that is still undecided go with its new values, and stay where the conflict is gone.

    Returns
    -------
    DataFrame
        `LISTED`, then other columns of the earlier lists: decided rows first, last what is left to decide.

    Examples
    --------
    >>> old = pd.DataFrame({"id": ["a"], "column": ["note"], "decision": ["theirs"], "by": ["K."]})
    >>> new = pd.DataFrame({"id": ["b"], "column": ["note"], "decision": [""]})
    >>> carried(new, old)[["id", "decision", "by"]].values.tolist()
    [['a', 'theirs', 'K.'], ['b', '', '']]
    """
    tables = [*earlier, new]
    names = [c for c in LISTED if any(c in t for t in tables)]
    names += [c for c in dict.fromkeys(str(c) for t in earlier for c in t.columns) if c not in names]
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    asked: dict[tuple[str, ...], dict[str, str]] = {}
    for table in earlier:
        for row in _texts(table):
            if _cell(row.get("decision")):
                rows.setdefault(_cell_of(row), row)
            elif any(text.strip() for c, text in row.items() if c not in LISTED):
                asked.setdefault(_place(row), row)
    left = [{**asked.pop(_place(row), {}), **row} for row in _texts(new) if _cell_of(row) not in rows]
    stale = [row for row in asked.values() if _cell_of(row) not in rows]
    return pd.DataFrame([*rows.values(), *stale, *left], columns=names, dtype=object).fillna("")


def _texts(table: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(c): v if isinstance(v, str) else _cell(v) for c, v in row.items()} for row in table.to_dict("records")]


def _cell_of(row: Mapping[str, str]) -> tuple[str, ...]:
    """The cell that a decision is about."""
    return _cell(row.get("kind")), _cell(row.get("id")), _cell(row.get("column"))


def _place(row: Mapping[str, str]) -> tuple[str, ...]:
    return *_cell_of(row), _cell(row.get("check"))
