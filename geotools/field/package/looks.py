"""What a package needs of the map floor, as a protocol: styles, icons, the offline map and the task card.

A survey brings it along as `survey.pictures`; this floor imports no map. Not for drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree as ET

from geotools.field.package.cargo import Cargo


class Looks(Protocol):
    """Styles and pictures of a cargo; everything is made from the cargo alone."""

    def style(self, kind: str, shape: str, row: Mapping[str, Any]) -> tuple[str, str, str]:
        """Id of the style of a record, the letter of its class and the class in words (English)."""

    def kml_style(self, style_id: str, icon: str) -> ET.Element:
        """The KML style of that id with an icon file."""

    def picture(self, style_id: str) -> bytes:
        """The icon of that style as PNG."""

    def qgis(self, kind: str, shape: str, lang: str) -> tuple[ET.Element, ET.Element]:
        """Renderer and labels of a layer for QGIS."""

    def qml(self, kind: str, shape: str, lang: str) -> bytes:
        """The style file of a layer for QGIS."""

    def map(self, cargo: Cargo, path: Path, lang: str) -> None:
        """Write the offline map of a cargo."""

    def card(self, cargo: Cargo, hazard_id: str, path: Path, lang: str) -> bool:
        """Write the one-page card of a hazard; False if it fits no sheet."""
