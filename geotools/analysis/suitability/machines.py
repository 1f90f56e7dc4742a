"""Machines, dogs and teams as rows of sourced figures: what is published, and an authority's own file over it.

For limits and their sources; no figure here is a promise, and a missing one stays missing.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from geotools.model.doors import checked
from geotools.model.errors import SchemaError
from geotools.model.programme import load_toml

GRADES = ("manual", "trial", "standard", "press", "user")
KINDS = ("machine", "dog", "manual")
RANGES = ("slope_along_deg", "slope_across_deg", "stem_cm", "rock_cm", "remote_m", "access_slope_deg")
DISTANCES = ("obstacle_m", "building_m", "water_m")
TABLES = ("cover", "soil")
FACTS = ("width_m", "depth_cm", "mass_t", "rate_m2_h", "travel_kmh", "turn_radius_m")
FIGURES = (*FACTS, *RANGES, *DISTANCES, *TABLES)
TEXTS = ("id", "name", "kind", "note")


@dataclass(frozen=True)
class Figure:
    """One figure with where it comes from.

    Parameters
    ----------
    value
        A fact (``width_m``) or a distance to keep (``building_m``).
    ok, max
        Up to `ok` workable, up to `max` conditional, above not; without `ok` all up to `max` is workable.
    words
        Word → ``workable``, ``conditional`` or ``not`` (``cover``, ``soil``).
    any
        The source says that this does not limit the machine.
    source, as_of
        Who said so, and when.
    grade
        ``press`` makes ground conditional at best.

    Examples
    --------
    >>> Figure(ok=15, max=25, source="invented").text, Figure(max=25, grade="press").trusted
    ('15, conditional to 25', False)
    """

    value: float | None = None
    ok: float | None = None
    max: float | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    any: bool = False
    source: str = ""
    as_of: str = ""
    grade: str = ""

    @property
    def trusted(self) -> bool:
        """Whether the source is better than press."""
        return self.grade != "press"

    @property
    def text(self) -> str:
        """The figure for a person."""
        if self.any:
            return "does not limit"
        if self.words:
            return "; ".join(
                f"{state}: {', '.join(sorted(w for w, s in self.words.items() if s == state))}"
                for state in ("workable", "conditional", "not")
                if state in self.words.values()
            )
        if self.max is not None:
            return (
                f"{self.max:g}"
                if self.ok is None or self.ok == self.max
                else f"{self.ok:g}, conditional to {self.max:g}"
            )
        return "" if self.value is None else f"{self.value:g}"


@dataclass(frozen=True)
class Machine:
    """A machine, dog or team: its name, kind and figures by name; a figure that is not there is unknown.

    Examples
    --------
    >>> made = Machine("flail", "Invented flail", figures={"width_m": Figure(value=2.0), "slope_along_deg": Figure(max=20)})
    >>> made.value("width_m"), made.value("slope_along_deg"), made.figure("slope_across_deg") is None
    (2.0, 20, True)
    """

    id: str
    name: str
    kind: str = "machine"
    note: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)

    def figure(self, name: str) -> Figure | None:
        """A figure, or None where nobody has published one."""
        return self.figures.get(name)

    def value(self, name: str) -> float | None:
        """The number of a figure (its limit where it is a limit), or None."""
        found = self.figures.get(name)
        return None if found is None else found.value if found.value is not None else found.max


@checked
def machine(name: str, own: str | Path | None = None) -> Machine:
    """One machine by its id.

    Parameters
    ----------
    own
        A TOML file of an authority or unit: ``[[machine]]`` rows as in the built-in file, which replace rows of the same id figure by
        figure, and a ``[defaults]`` table with figures for every machine that has none.

    Raises
    ------
    SchemaError
        If there is no such machine, or a figure has no source or an unknown grade or form.
    ReadError
        If the file cannot be read.

    Examples
    --------
    >>> mematt = machine("mematt")
    >>> mematt.value("width_m"), mematt.figure("slope_along_deg") is None
    (1.7, True)
    """
    known = _all(own)
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, 1)
        meant = f"did you mean '{near[0]}'? " if near else ""
        raise SchemaError(
            f"there is no machine '{name[:60]}'",
            hint=f"{meant}known: {', '.join(sorted(known))}; others go into a file of your own (--machines)",
            file=own,
        )
    return known[name]


def machines(own: str | Path | None = None) -> pd.DataFrame:
    """All figures, one row each: `machine name kind figure limit source as_of grade`.

    Examples
    --------
    >>> table = machines()
    >>> bool(table["source"].str.len().gt(0).all()), "mematt" in set(table["machine"])
    (True, True)
    """
    rows = [
        {"machine": m.id, "name": m.name, "kind": m.kind, "figure": figure, "limit": f.text, "source": f.source, "as_of": f.as_of, "grade": f.grade}
        for m in _all(own).values()
        for figure, f in m.figures.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).sort_values(["machine", "figure"], ignore_index=True)


def _all(own: str | Path | None) -> dict[str, Machine]:
    text = resources.files("geotools.analysis.suitability").joinpath("machines.toml").read_text("utf-8")
    rows: dict[str, dict[str, Any]] = {row["id"]: row for row in tomllib.loads(text)["machine"]}
    data = load_toml(own) if own is not None else {}
    listed = data.get("machine", [])
    if not isinstance(listed, list) or not all(
        isinstance(row, Mapping) and isinstance(row.get("id"), str) for row in listed
    ):
        raise SchemaError(
            "a machine row has no id", hint="write [[machine]] rows, each with id, name and figures", file=own
        )
    for row in listed:
        rows[row["id"]] = {**rows.get(row["id"], {}), **row}
    defaults = data.get("defaults", {})
    if not isinstance(defaults, Mapping):
        raise SchemaError("[defaults] must be a table of figures", hint="write [defaults] above its lines", file=own)
    return {name: _machine({**defaults, **row}, own) for name, row in rows.items()}


def _machine(row: Mapping[str, Any], file: Any) -> Machine:
    strange = sorted(set(row) - set(FIGURES) - set(TEXTS))
    if strange:
        raise SchemaError(
            f"machine '{row['id']}' has an unknown figure '{strange[0]}'",
            hint=f"known figures: {', '.join(FIGURES)}",
            file=file,
        )
    kind = str(row.get("kind", "machine"))
    if kind not in KINDS:
        raise SchemaError(
            f"machine '{row['id']}' is of the unknown kind '{kind}'", hint=f"kinds are {', '.join(KINDS)}", file=file
        )
    figures = {name: _figure(row[name], f"{row['id']}.{name}", name, file) for name in FIGURES if name in row}
    return Machine(row["id"], str(row.get("name", row["id"])), kind, str(row.get("note", "")), figures)


def _figure(data: Any, label: str, name: str, file: Any) -> Figure:
    if not isinstance(data, Mapping) or not data.get("source") or data.get("grade") not in GRADES:
        raise SchemaError(
            f"the figure {label} has no source or grade",
            hint=f'write it as {{ value = 1.7, source = "…", as_of = "2026-05-01", grade = "user" }}; grades are {", ".join(GRADES)}',
            file=file,
        )
    facts: dict[str, Any] = {
        "source": str(data["source"]),
        "as_of": str(data.get("as_of", "")),
        "grade": str(data["grade"]),
    }
    if data.get("any") is True and name not in FACTS:
        return Figure(any=True, **facts)
    if name in TABLES and all(isinstance(data.get(s, []), list) for s in ("workable", "conditional", "not")):
        words = {
            str(word).strip().lower(): state
            for state in ("workable", "conditional", "not")
            for word in data.get(state, [])
        }
        if words:
            return Figure(words=words, **facts)
    numbers = {
        key: float(data[key])
        for key in ("value", "ok", "max")
        if isinstance(data.get(key), int | float) and math.isfinite(data[key]) and data[key] >= 0
    }
    ordered = numbers.get("ok", 0.0) <= numbers.get("max", math.inf)
    if ordered and ("max" in numbers if name in RANGES else "value" in numbers and name not in TABLES):
        return Figure(value=numbers.get("value"), ok=numbers.get("ok"), max=numbers.get("max"), **facts)
    form = (
        "ok (optional) and max" if name in RANGES else "lists workable, conditional, not" if name in TABLES else "value"
    )
    raise SchemaError(
        f"the figure {label} is not understood",
        hint=f"it needs {form}, with numbers of at least 0" + ("" if name in FACTS else ", or any = true"),
        file=file,
    )
