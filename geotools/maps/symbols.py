"""One table of symbols (colour, hatch, dash, marker, letter) for the web map, the sheet, charts and legends.

For looking symbols up by the words of the trade; not for drawing them, and not for which class a record has.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from geotools.model.errors import MapError

HATCHES = ("none", "diagonal", "back", "cross", "grid", "horizontal", "vertical", "dots")
MARKERS = (
    "",
    "triangle",
    "square",
    "circle",
    "diamond",
    "hexagon",
    "cross",
    "burst",
    "house",
    "pin",
    "ring",
    "dot",
    "flag",
    "peak",
)
DEFAULT = "safe"


@dataclass(frozen=True)
class Symbol:
    """How one class is drawn as area, line or point.

    Parameters
    ----------
    fill, hatch_color, outline, casing, solid
        Colours as ``#rrggbb``; `solid` is used where a shape is too small for its hatch.
    fill_alpha, hatch_alpha
        Opacity, 0 to 1.
    hatch
        One of `HATCHES`.
    width, dash, size
        Outline width, dash pattern and marker radius in CSS pixels (one pixel is 0.2646 mm on paper).
    marker
        One of `MARKERS`; empty for areas and lines.
    letter
        Tells the class without colour.
    order
        Drawing order, low first.

    Examples
    --------
    >>> Symbol(fill="#00664a", hatch="cross", letter="C").to_dict()
    {'fill': '#00664a', 'hatch': 'cross', 'letter': 'C'}
    """

    fill: str = "#ffffff"
    fill_alpha: float = 0.0
    hatch: str = "none"
    hatch_color: str = "#000000"
    hatch_alpha: float = 0.0
    outline: str = "#000000"
    width: float = 1.0
    dash: tuple[float, ...] = ()
    casing: str = ""
    solid: str = "#808080"
    marker: str = ""
    size: float = 6.0
    letter: str = ""
    order: int = 50

    def to_dict(self) -> dict[str, Any]:
        """Plain data, only what differs from the defaults."""
        return {
            f.name: list(value) if isinstance(value := getattr(self, f.name), tuple) else value
            for f in dataclasses.fields(self)
            if getattr(self, f.name) != f.default
        }


@dataclass(frozen=True)
class Theme:
    """A complete set of symbols.

    Examples
    --------
    >>> theme("safe").symbol("hazard", "CHA").hatch
    'cross'
    >>> theme("safe").hazard("SHA", "worked_on").dash
    (9, 4)
    """

    name: str
    title: str
    symbols: Mapping[tuple[str, str], Symbol] = field(repr=False)
    status: Mapping[str, Mapping[str, Any]] = field(repr=False)

    def symbol(self, group: str, key: str) -> Symbol:
        """The symbol of a class, or that of ``other``/``unknown`` in its group if the class has none of its own.

        Raises
        ------
        MapError
            If there is no such group.
        """
        for candidate in (key, "other", "unknown"):
            found = self.symbols.get((group, candidate))
            if found is not None:
                return found
        raise MapError(
            f"the theme has no symbols for '{group}'", hint=f"groups: {', '.join(sorted({g for g, _ in self.symbols}))}"
        )

    def ended(self, status: str | None) -> bool:
        """Whether an area of this status is no longer drawn as hazardous ground; unknown statuses are not ended."""
        return bool(self.status.get(status or "unknown", {}).get("ended", False))

    def hazard(self, classification: str | None, status: str | None = None) -> Symbol:
        """The symbol of a hazardous area: ground by its classification, outline by its status.

        An unknown classification gets the strongest symbol, never a weaker one.
        """
        if self.ended(status):
            base = self.symbol("area", "ended")
            return dataclasses.replace(base, dash=tuple(self.status[status or ""].get("dash", ())))
        base = self.symbols.get(("hazard", classification or "unknown")) or self.symbols[("hazard", "unknown")]
        return dataclasses.replace(base, dash=tuple(self.status.get(status or "unknown", {}).get("dash", ())))


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("geotools.maps").joinpath("symbols.toml").read_text("utf-8"))


def themes() -> tuple[str, ...]:
    """Names of the built-in themes; the first is the default.

    Examples
    --------
    >>> themes()
    ('safe', 'imsma')
    """
    return tuple(_tables())


def theme(name: str | Path = DEFAULT) -> Theme:
    """A built-in theme by name, or an authority's own from a TOML file.

    Parameters
    ----------
    name
        One of `themes()`, or the path of a TOML file with tables such as ``[hazard]`` and ``[area]`` holding the rows to
        change; everything else comes from the default theme.

    Raises
    ------
    MapError
        If there is no such theme or file, or a row has an unknown key, hatch, marker or colour.

    Examples
    --------
    >>> theme("imsma").symbol("hazard", "CHA").fill
    '#ff0000'
    """
    built_in = _tables()
    if str(name) in built_in:
        return _built(str(name))
    path = Path(name)
    if path.suffix != ".toml" or not path.is_file():
        raise MapError(f"there is no theme '{name}'", hint=f"use {', '.join(built_in)}, or a .toml file of your own")
    try:
        own = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MapError(
            f"not a readable theme ({error})", hint="start from geotools/maps/symbols.toml", file=path
        ) from error
    return _assemble(path.stem, own, file=path)


@cache
def _built(name: str) -> Theme:
    return _assemble(name, _tables()[name])


def _assemble(name: str, own: Mapping[str, Any], *, file: Path | None = None) -> Theme:
    base = _tables()[DEFAULT]
    for group in own:
        rows = own[group]
        tables = isinstance(rows, dict) and all(isinstance(row, dict) for row in rows.values())
        if isinstance(base.get(group), dict) and not tables:
            hint = f'[{group}.NAME]\nfill = "#336699"'
            raise MapError(f"[{group}] of the theme must hold tables", hint=hint, file=file)
    symbols: dict[tuple[str, str], Symbol] = {}
    for group, rows in base.items():
        if isinstance(rows, dict) and group != "status":
            merged = {**rows, **own.get(group, {})}
            symbols.update({(group, key): _symbol(row, f"{group}.{key}", file) for key, row in merged.items()})
    unknown = [g for g, rows in own.items() if isinstance(rows, dict) and g not in base]
    if unknown:
        raise MapError(f"unknown table [{unknown[0]}] in the theme", file=file)
    return Theme(name, str(own.get("title", name)), symbols, {**base["status"], **own.get("status", {})})


def _symbol(row: Mapping[str, Any], where: str, file: Path | None) -> Symbol:
    known = {f.name for f in dataclasses.fields(Symbol)}
    for key, value in row.items():
        good = key in known
        if key in ("fill", "hatch_color", "outline", "casing", "solid"):
            good = good and isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value) is not None
        elif key == "hatch":
            good = value in HATCHES
        elif key == "marker":
            good = value in MARKERS
        elif key in ("dash",):
            good = isinstance(value, list) and all(isinstance(v, int | float) for v in value)
        elif key != "letter":
            good = good and isinstance(value, int | float)
        if not good:
            raise MapError(
                f"{where}: {key} = {value!r} is not usable in a theme",
                hint="see the head of geotools/maps/symbols.toml",
                file=file,
            )
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Symbol(**values)
