"""What the columns of a foreign layer are called: names cut to ten letters, and which of several keys is the key.

For the step before columns are renamed (see `model.schema.conform`); not for what a programme says of its columns (see
`io.headings`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from geotools.io.raw import Finding, Raw
from geotools.model.schema import Schema, renaming
from geotools.model.schema.conform import as_text
from geotools.model.schema.stated import whole_name
from geotools.model.vocab import fold

_BLANK = frozenset({None, "0"})


def settle(raw: Raw, schema: Schema, columns: Mapping[str, str], label: str) -> None:
    """Give cut names their ends back and set aside an empty key beside a real one; `raw` is changed, findings say so."""
    told = {fold(name) for name in columns}
    for name, whole in _whole_names(raw.table, schema, told).items():
        raw.table = raw.table.rename(columns={name: whole})
        said = f"{label}: the column '{name}' is read as '{whole}', cut to ten letters as shapefiles do"
        raw.findings.append(Finding("RD-07", "info", said, column=name, value=name, limit=whole))
    if "id" not in columns.values():
        _real_key(raw, schema, label)


def _whole_names(table: pd.DataFrame, schema: Schema, told: set[str]) -> dict[str, str]:
    """Name cut inside a word → the spelling it is the beginning of, where nothing else is that column."""
    taken = {*renaming(table.columns, schema).values(), *table.columns}
    out: dict[str, str] = {}
    for name in map(str, table.columns):
        target, whole = whole_name(name, schema)
        if target and target not in taken and fold(name) not in told:
            out[name] = whole
            taken.add(target)
    return out


def _real_key(raw: Raw, schema: Schema, label: str) -> None:
    """ArcGIS gives new shapefiles a column Id that nobody fills: where another column is a key, that one is taken."""
    table = raw.table
    spellings = {name: schema.by_spelling.get(fold(name)) for name in map(str, table.columns)}
    keys = [name for name in table.columns if name == "id" or spellings.get(name) == "id"]
    chosen = "id" if "id" in keys else next(iter(keys), None)
    if chosen is None or len(table) == 0:
        return
    values = {as_text(v) for v in table[chosen]}
    if not (values <= _BLANK or (len(values) == 1 and len(table) > 1)):
        return
    keys += [name for name in map(str, table.columns) if whole_name(name, schema)[0] == "id"]
    for other in (name for name in keys if name != chosen):
        texts = [as_text(v) for v in table[other]]
        if None in texts or len(set(texts)) < len(texts) or set(texts) <= _BLANK:
            continue
        aside = next(n for n in ("row_id", *(f"row_id_{i}" for i in range(2, 99))) if n not in table.columns)
        raw.table = table.rename(columns={chosen: aside, other: "id"})
        same = next(iter(values)) or "nothing"
        said = f"{label}: '{other}' is taken as the id, for '{chosen}' holds {same} in every row"
        raw.findings.append(Finding("RD-10", "info", said, column=str(other), value=other, limit=chosen))
        return
