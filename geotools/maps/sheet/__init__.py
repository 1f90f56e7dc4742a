"""Printed map sheets at true scale: one task per sheet, or an atlas of many.

For paper and PDF; the interactive map is `maps.webmap`. Figures come from the ledger, nothing is computed here.
"""

from geotools.maps.sheet.atlas import atlas
from geotools.maps.sheet.card import card
from geotools.maps.sheet.compose import Sheet, draw
from geotools.maps.sheet.paper import PAPERS, SCALES

__all__ = ["PAPERS", "SCALES", "Sheet", "atlas", "card", "draw"]
