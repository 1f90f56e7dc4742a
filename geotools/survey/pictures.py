"""`Pictures`: what field packages need of the map floor: styles, icons, the offline map and the task card.

Maps and field files are rooms of one floor and do not know each other; a survey stands above both and hands this over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from geotools.field.package.phrases import Phrases
from geotools.maps import sheet, styles, webmap
from geotools.maps.symbols import theme
from geotools.maps.webmap import words as webmap_words
from geotools.model.errors import MapError
from geotools.model.vocab import LANGUAGES


class Pictures:
    """Styles and pictures of a cargo (see `geotools.field.package.looks`).

    Parameters
    ----------
    name
        Theme of symbols.

    Examples
    --------
    >>> Pictures().style("releases", "area", {"product": "cleared"})
    ('releases-area-cleared', 'K', 'Cleared')
    >>> Pictures().style("releases", "area", {"product": "cleared", "method": "mechanical"})
    ('releases-area-processed', 'P', 'Machine-processed, not released')
    """

    def __init__(self, name: str | Path = "safe") -> None:
        self.theme = theme(name)

    def style(self, kind: str, shape: str, row: Mapping[str, Any]) -> tuple[str, str, str]:
        """Id of the style of a record, the letter of its class and the class in words."""
        found = styles.class_of(row, styles.classes(kind, shape, self.theme))
        return f"{kind}-{shape}-{found.id}", found.symbol.letter if shape == "area" else "", found.label()

    def _class(self, style_id: str) -> tuple[str, styles.StyleClass]:
        kind, shape, name = style_id.split("-", 2)
        return shape, next(c for c in styles.classes(kind, shape, self.theme) if c.id == name)

    def kml_style(self, style_id: str, icon: str) -> ET.Element:
        """The KML style of that id."""
        return styles.kml_style(style_id, self._class(style_id)[1].symbol, icon=icon)

    def picture(self, style_id: str) -> bytes:
        """The icon of that style: a marker, or a swatch with hatch and letter."""
        shape, found = self._class(style_id)
        return styles.icon(found.symbol) if shape == "point" else styles.swatch(found.symbol)

    def qgis(self, kind: str, shape: str, lang: str) -> tuple[ET.Element, ET.Element]:
        """Renderer and labels of a layer for QGIS."""
        return styles.renderer(kind, shape, look=self.theme, lang=lang), styles.labeling(kind, shape, look=self.theme)

    def qml(self, kind: str, shape: str, lang: str) -> bytes:
        """The style file of a layer for QGIS."""
        return styles.qml(kind, shape, look=self.theme, lang=lang)

    def map(self, cargo: Any, path: Path, lang: str) -> None:
        """Write the offline map of a cargo; a public one shows its squares as records, without a ledger."""
        shown = cargo
        if cargo.public and "released" in cargo.results:
            shown = replace(shown, layers={**cargo.layers, "releases": cargo.results["released"]})
        ledger = False if cargo.coverage is None else cargo.coverage
        made = webmap.map_survey(shown, coverage=ledger, sensitive=True, lang=lang, theme=self.theme.name)
        made.page.as_of = cargo.information_day  # of what leaves; of public squares the month only
        said = {other: " · ".join(_said(cargo, other, day=_day(cargo, other))) for other in LANGUAGES}
        made.page.notes += [said] if any(said.values()) else []
        webmap.save(made, path)

    def card(self, cargo: Any, hazard_id: str, path: Path, lang: str) -> bool:
        """Write the one-page card of a hazard: with its turning points where they fit, else without."""
        elsewhere = "→ points/turning_points.csv"
        try:
            made = sheet.card(
                _with_note(cargo, lang),
                hazard_id,
                cargo.coverage,
                elsewhere=elsewhere,
                lang=lang,
                points=not cargo.public,
            )
        except MapError:
            return False
        made.save(path)
        return True


def _with_note(cargo: Any, lang: str) -> Any:
    """The cargo with a foot note: in which squares ground is shown."""
    footer = " · ".join(text for text in (cargo.programme.texts.get("footer"), *_squares(cargo, Phrases(lang))) if text)
    return replace(cargo, programme=replace(cargo.programme, texts={**cargo.programme.texts, "footer": footer}))


def _said(cargo: Any, lang: str, *, day: str) -> list[str]:
    """In which squares ground is shown, up to when the cargo knows, and how far it goes."""
    phrases = Phrases(lang)
    return [*_squares(cargo, phrases), *cargo.said(phrases, day=day)]


def _squares(cargo: Any, phrases: Phrases) -> list[str]:
    key = "squares_note" if cargo.public else "squares"
    return [phrases(key, side=f"{cargo.precision_m:g}")] if cargo.precision_m else []


def _day(cargo: Any, lang: str) -> str:
    """The day of the information as the rest of the page writes it."""
    known = cargo.information_day
    return "" if known is None else webmap_words.text(webmap_words.day(known), lang)
