"""Units that the heading of a column states: "Alan (ha)", "Sahə, m²", "Area [sq m]", "depth_m".

For finding the column and the factor; numbers are converted in `conform`, units behind numbers are read in `model.units`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from geotools.model.schema.columns import Column, Schema
from geotools.model.schema.issues import Issue
from geotools.model.units import factor, units_of
from geotools.model.vocab import fold

_BRACKETS = re.compile(r"^(?P<name>[^(\[{]*[^\s(\[{,:;/])[\s,:;/_]*[(\[{]\s*(?P<unit>[^)\]}]+?)\s*[)\]}]\s*[:.]?$")
_BEHIND = re.compile(r"^(?P<name>.*[^\s,;:/_.-])[\s,;:/_.-]+(?P<unit>(?:(?:sq|kv|кв)[\s._-]+)?[^\s,;:/_.\d-]+[\d²]?)\.?$", re.IGNORECASE)  # fmt: skip
_CUT = 10  # letters, or bytes, that a shapefile keeps of a name
_WORDS = frozenset({"in", "da", "foot", "ar"})  # words of a sentence as well: units in brackets only


def parts(heading: object) -> tuple[str, str, bool] | None:
    """The name, what may be a unit behind it, and whether that stands in brackets; None where nothing is behind it.

    Examples
    --------
    >>> parts("Alan (ha)"), parts("Sahə, m²"), parts("depth_m"), parts("Area [sq m]"), parts("Alan")
    (('Alan', 'ha', True), ('Sahə', 'm²', False), ('depth', 'm', False), ('Area', 'sq m', True), None)
    """
    text = " ".join(str(heading).split())
    found = _BRACKETS.match(text)
    if found is not None:
        return found["name"], found["unit"], True
    found = _BEHIND.match(text)
    return None if found is None or fold(found["unit"]) in _WORDS else (found["name"], found["unit"], False)


def factor_of(heading: object, column: Column) -> float | None:
    """By what numbers under this heading are multiplied to be in the unit of `column`; None where it states no unit of that sort.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> area, depth = schema("hazards").column("area_reported_m2"), schema("releases").column("depth_cm")
    >>> factor_of("Alan (ha)", area), factor_of("Dərinlik (sm)", depth), factor_of("depth_m", depth), factor_of("Alan (m)", area)
    (10000.0, 1.0, 100.0, None)
    """
    said = parts(heading) if column.kind == "number" and units_of(column.unit) else None
    return None if said is None or str(heading) == column.name else factor(said[1], column.unit)


def by_unit(names: Iterable[str], schema: Schema, taken: Iterable[str]) -> dict[str, str]:
    """Names that are a column of the schema once the unit behind them is taken off; those in its own unit go first.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> by_unit(["Alan (ha)", "Alan (m2)", "Qeyd (ha)", "Alan (acres)"], schema("hazards"), ())
    {'Alan (m2)': 'area_reported_m2'}
    """
    found: list[tuple[bool, int, str, str]] = []
    for turn, name in enumerate(names):
        column = _column(name, schema)
        times = None if column is None else factor_of(name, column)
        if column is not None and times is not None:
            found.append((times != 1.0, turn, name, column.name))
    gone, out = set(taken), {}
    for _, _, name, target in sorted(found):
        if target not in gone:
            out[name] = target
            gone.add(target)
    return out


def by_beginning(names: Iterable[str], schema: Schema, taken: Iterable[str]) -> dict[str, str]:
    """Names of the ten bytes that a shapefile has room for, which begin the spellings of one column and no other.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> by_beginning(["Classifica", "Çirklənm", "Land", "status_cha", "completion"], schema("hazards"), ())
    {'Classifica': 'classification', 'Çirklənm': 'contamination'}
    """
    gone, out = set(taken), {}
    for name in names:
        target, _ = whole_name(name, schema)
        if target and target not in gone:
            out[name] = target
            gone.add(target)
    return out


def whole_name(name: str, schema: Schema) -> tuple[str, str]:
    """The one column that a name cut inside a word can be the beginning of, and the spelling; two empty texts for any other name.

    A name that ends with its word says all that it says: completion is not the completion date.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> whole_name("hazard_typ", schema("hazards")), whole_name("completion", schema("hazards"))
    (('classification', 'hazard_type'), ('', ''))
    """
    short = fold(name)
    if not _is_full(name) or short in schema.by_spelling or name in schema.names:
        return "", ""
    ends = {s: column for s, column in schema.by_spelling.items() if s.startswith(short)}
    inside = all(s[len(short)].strip() for s in ends)
    targets = set(ends.values())
    return (targets.pop(), min(ends, key=len).replace(" ", "_")) if inside and len(targets) == 1 else ("", "")


def _is_full(name: str) -> bool:
    """Whether a name has all the letters or bytes there is room for; nine bytes where a letter of two would have been halved."""
    size = len(name.encode("utf-8", "replace"))
    return _CUT in (len(fold(name)), size) or (size == _CUT - 1 and not name.isascii())


def _column(heading: str, schema: Schema) -> Column | None:
    """The number with a unit that the name before the unit stands for."""
    said = parts(heading)
    target = None if said is None else schema.by_spelling.get(fold(said[0]))
    if (
        said is not None and target is None
    ):  # area and depth of a schema end in their unit: "area_reported" of area_reported_m2
        target = next((c.name for c in schema if c.unit and fold(c.name) == fold(f"{said[0]} {c.unit}")), None)
    column = None if target is None else schema.column(target)
    return column if column is not None and column.kind == "number" and units_of(column.unit) else None


def doubts(names: Iterable[str], schema: Schema, mapping: Mapping[str, str]) -> list[Issue]:
    """Headings whose unit is not known or none of the sort: said, not guessed.

    Parameters
    ----------
    mapping
        Name in the file → column, of those that are read.

    Examples
    --------
    >>> from geotools.model.schema import schema
    >>> [issue.message for issue in doubts(["Alan (feddan)"], schema("hazards"), {})]
    ["the heading 'Alan (feddan)' does not say its unit in a way that is known: it is not read as area_reported_m2 but kept as it is; write the unit as m2, ha or km2"]
    """
    out = []
    for name in names:
        said = parts(name)
        told = mapping.get(name)
        column = schema.column(told) if told in schema.names else _column(name, schema) if told is None else None
        if said is None or column is None or column.kind != "number" or not units_of(column.unit):
            continue
        if name == column.name or factor_of(name, column) is not None or not _unit_meant(name, said, column, schema):
            continue
        if told is not None:
            severity = "warning"
            what = f"its numbers are taken to be in {column.unit}, as columns or its name says"
        elif column.name in mapping.values() or column.name in names:
            continue
        else:
            severity = "warning"
            known = "m2, ha or km2" if column.unit == "m2" else "m, cm or ft"
            what = f"it is not read as {column.name} but kept as it is; write the unit as {known}"
        message = f"the heading '{name}' does not say its unit in a way that is known: {what}"
        out.append(Issue("RD-12", severity, schema.kind, column=column.name, message=message, value=said[1]))
    return out


def _unit_meant(name: str, said: tuple[str, str, bool], column: Column, schema: Schema) -> bool:
    """Whether what is behind a heading can only be meant as its unit: brackets, or a unit of another sort."""
    if schema.by_spelling.get(fold(name)) == column.name:
        return False  # a name of the column as it stands
    return said[2] or any(factor(said[1], unit) is not None for unit in ("m", "m2"))
