"""A class as a KML 2.2 `Style`: colours, widths and an icon. KML has no hatch; the icon and the letter carry it.

For KML and KMZ; element order as in the OGC schema.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from geotools.maps.symbols import Symbol

LEAST_ALPHA = 0.35  # without a hatch, a fainter fill would be lost on imagery


def kml_style(name: str, symbol: Symbol, *, icon: str = "", scale: float = 0.7) -> ET.Element:
    """The style of a symbol.

    Parameters
    ----------
    name
        Its ``id``.
    icon
        File of its icon beside the document; empty for none.

    Examples
    --------
    >>> from geotools.maps.symbols import theme
    >>> [part.tag for part in kml_style("CHA", theme().hazard("CHA"), icon="icons/cha.png")]
    ['IconStyle', 'LabelStyle', 'LineStyle', 'PolyStyle']
    """
    style = ET.Element("Style", {"id": name})
    mark = ET.SubElement(style, "IconStyle")
    _put(mark, "scale", f"{scale if icon else 0:g}")
    if icon:
        _put(ET.SubElement(mark, "Icon"), "href", icon)
    _put(ET.SubElement(style, "LabelStyle"), "scale", "0.8")
    line = ET.SubElement(style, "LineStyle")
    _put(line, "color", colour(symbol.casing or symbol.outline, 1.0))
    _put(line, "width", f"{max(symbol.width, 1.0):g}")
    area = ET.SubElement(style, "PolyStyle")
    _put(area, "color", colour(symbol.fill, max(symbol.fill_alpha, LEAST_ALPHA) if symbol.fill_alpha else 0.0))
    return style


def colour(text: str, alpha: float) -> str:
    """``#rrggbb`` and opacity as KML's aabbggrr.

    Examples
    --------
    >>> colour("#d55e00", 0.5)
    '80005ed5'
    """
    red, green, blue = text[1:3], text[3:5], text[5:7]
    return f"{round(alpha * 255):02x}{blue}{green}{red}".lower()


def _put(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
