"""What a programme's `columns` say of one table: which of its headings hold the position, and what in them fits nothing.

For the mapping of headings alone; not for reading positions (see `io.places`) or reading (see `model.schema.conform`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geotools.io.raw import Finding, Raw
from geotools.model.schema import KINDS, Schema, reading
from geotools.model.vocab import fold

ROLES = {
    "geometry": "wkt", "geom": "wkt", "wkt": "wkt", "lon": "lon", "longitude": "lon", "lat": "lat", "latitude": "lat",
    "x": "east", "easting": "east", "y": "north", "northing": "north", "mgrs": "text", "coordinates": "text",
}  # fmt: skip


def role(target: str, schema: Schema | None) -> str | None:
    """Which part of a position a target of `columns` stands for; None for a column of the kind or an unknown word.

    Examples
    --------
    >>> role("geometry", KINDS["hazards"]), role("classification", KINDS["hazards"]) is None
    ('wkt', True)
    """
    return None if schema is not None and target in schema.names else ROLES.get(fold(target))


def told(names: Iterable[str], columns: Mapping[str, str], kind: str | None) -> dict[str, str]:
    """The headings of a table that `columns` gives a part in the position: role → heading.

    Examples
    --------
    >>> told(["Kod", "Uzunluq (°)", "Enlik (°)"], {"Uzunluq (°)": "lon", "Enlik (°)": "lat", "Kod": "id"}, "finds")
    {'lon': 'Uzunluq (°)', 'lat': 'Enlik (°)'}
    """
    present = {fold(name): name for name in reversed(list(names))}
    out: dict[str, str] = {}
    for source, target in columns.items():
        part = role(target, KINDS.get(kind or ""))
        if part is not None and fold(source) in present:
            out.setdefault(part, present[fold(source)])
    return out


def of_attributes(columns: Mapping[str, str], schema: Schema) -> dict[str, str]:
    """`columns` without those that hold the position."""
    return {source: target for source, target in columns.items() if role(target, schema) is None}


def doubts(raw: Raw, schema: Schema, columns: Mapping[str, str], label: str) -> list[Finding]:
    """What in `columns` fits nothing: a heading that is not in the file, a target that is no column, one not taken."""
    if not columns or not len(raw.table):
        return []
    headings = [str(name) for name in (raw.headings or raw.table.columns) if name != "geometry_property"]
    present = {fold(name) for name in (*headings, *raw.table.columns)}
    used = reading(raw.table.columns, schema, of_attributes(columns, schema))
    filled = {*used.values(), *raw.table.columns}
    taken = {(fold(name), target) for name, target in used.items()}
    rest = {fold(name) for name in raw.table.columns}
    found = []
    for source, target in columns.items():
        place = role(target, schema)
        severity, limit = "warning", ", ".join(headings)
        if fold(source) not in present:
            if place == "wkt" and raw.geometry is not None and not raw.headings:
                continue  # the shapes themselves, in a format that keeps them apart
            known = schema.kind not in KINDS or target in schema.names
            there = raw.geometry is not None if place else known and target in filled
            severity = "info" if there else "warning"
            turned = fold(target) in present and source in schema.names
            hint = f'; write it the other way round: "{target}" = "{source}"' if turned else ""
            said = f"no column '{source}', which columns names for {target}{hint}"
        elif place is None and schema.kind in KINDS and target not in schema.names:
            limit = ", ".join(schema.names)
            said = f"columns gives '{source}' the name '{target}', which is no column of {schema.kind}: it is not used"
        elif place is None and fold(source) in rest and source != target and (fold(source), target) not in taken:
            why = (
                f"it is itself a column of {schema.kind}"
                if source in schema.names
                else "another column is that already"
            )
            said = f"'{source}' was not taken as {target}, as columns says: {why}"
        else:
            continue
        found.append(Finding("RD-07", severity, f"{label}: {said}", column=target, value=source, limit=limit))
    return found
