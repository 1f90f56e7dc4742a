"""Which stock folium objects may stay on an offline page, and how their texts are made harmless.

For keeping users' own markers and lines; anything not listed here is refused when the map is saved.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import folium
import folium.features
import folium.vector_layers
from branca.element import Html

from geotools.maps.webmap.layers import RasterLayer, VectorLayer
from geotools.maps.webmap.page import Page, _walk
from geotools.model.errors import MapError

SAFE = (
    folium.Marker, folium.CircleMarker, folium.Circle, folium.PolyLine, folium.Polygon, folium.Rectangle, folium.FeatureGroup, folium.Popup, folium.Tooltip,
    folium.GeoJson, folium.map.FitBounds, Html,
)  # fmt: skip
OURS = (VectorLayer, RasterLayer, Page)
NEVER = (folium.TileLayer, folium.Icon, folium.DivIcon, folium.GeoJsonTooltip, folium.GeoJsonPopup, folium.LayerControl)
_HINTS = {
    "TileLayer": "the map is offline; use basemap=True or RasterLayer for a background",
    "WmsTileLayer": "the map is offline; use RasterLayer for a background",
    "Icon": "use folium.CircleMarker, or geotools.webmap.PointLayer with a symbol",
    "DivIcon": "use geotools.webmap.PointLayer with a symbol",
    "GeoJsonTooltip": "use geotools.webmap.AreaLayer, whose popups show every column as text",
    "GeoJsonPopup": "use geotools.webmap.AreaLayer, whose popups show every column as text",
    "LayerControl": "the page has its own layer panel; add layers as geotools.webmap layers",
}
_ODD = {ord(c): f"&#{ord(c)};" for c in "&<>\"'`$\\{}\u2028\u2029"}


def _marker_images() -> str:
    folder = resources.files("geotools.maps.webmap").joinpath("assets")
    uri = {
        n: "data:image/png;base64," + base64.b64encode(folder.joinpath(n).read_bytes()).decode("ascii")
        for n in ("marker-icon.png", "marker-icon-2x.png", "marker-shadow.png")
    }
    return (
        "delete L.Icon.Default.prototype._getIconUrl;"
        f'L.Icon.Default.mergeOptions({{iconUrl:"{uri["marker-icon.png"]}",iconRetinaUrl:"{uri["marker-icon-2x.png"]}",shadowUrl:"{uri["marker-shadow.png"]}"}});'
    )


# folium's popups build their element with `$(html)[0]`; the text inside is escaped before it gets here.
_DOLLAR = "window.$=function(s){const t=document.createElement('template');t.innerHTML=String(s).trim();return [t.content.firstElementChild];};"


def shim() -> str:
    """What stock objects need of a page: Leaflet's marker pictures as data, and the one call of jQuery that popups make."""
    return _marker_images() + _DOLLAR


def needed(made: folium.Map) -> bool:
    """Whether there is any stock object on the map."""
    return any(not isinstance(element, OURS) for element in _walk(made))


def escape(text: str) -> str:
    """Text as character references, so that neither HTML nor a script template reads it as anything but text.

    Examples
    --------
    >>> escape("${x}<b>")
    '&#36;&#123;x&#125;&#60;b&#62;'
    """
    return text.translate(_ODD)


def inspect(made: folium.Map) -> None:
    """Refuse what is not known to be safe offline.

    Raises
    ------
    MapError
        Naming the object and what to use instead.
    """
    for element in _walk(made):
        name = type(element).__name__
        if isinstance(element, OURS):
            continue
        if isinstance(element, NEVER) or not isinstance(element, SAFE):
            raise MapError(
                f"a {name} cannot be on an offline map",
                hint=_HINTS.get(name, "use AreaLayer, PointLayer, TrackLayer or RasterLayer of geotools.webmap"),
            )
        if isinstance(element, folium.GeoJson) and (_own_ways(element)):
            raise MapError(
                "a GeoJson with an address, functions or styles of its own cannot be on an offline map",
                hint="use geotools.webmap.AreaLayer",
            )
        if getattr(element, "includes", None):
            raise MapError(
                f"a {name} with script of its own cannot be on an offline map", hint="use the layers of geotools.webmap"
            )
    figure = made._parent
    if figure is not None:
        own = {made.get_name(), *(e.get_name() for e in _walk(made))}
        for part in (figure.html, figure.script):
            for name, child in part._children.items():
                if name not in own and not name.startswith(
                    ("map_", "page_", "arealayer_", "pointlayer_", "tracklayer_", "rasterlayer_")
                ):
                    raise MapError(
                        "HTML or script was added to the figure by hand",
                        hint="use title=, subtitle= and the layers of geotools.webmap",
                    )
                del child


def _own_ways(element: folium.GeoJson) -> bool:
    return bool(
        element.style
        or element.highlight
        or not element.embed
        or element.marker
        or getattr(element, "on_each_feature", None)
        or element.zoom_on_click
    )


@contextmanager
def escaped(made: folium.Map) -> Iterator[None]:
    """Texts of popups, tooltips and names as character references while the page is rendered."""
    undo: list[tuple[Any, str, Any]] = []

    def change(element: Any, attribute: str, value: Any) -> None:
        undo.append((element, attribute, getattr(element, attribute)))
        setattr(element, attribute, value)

    try:
        for element in _walk(made):
            if isinstance(element, OURS):
                continue
            for attribute in ("layer_name", "text"):
                value = getattr(element, attribute, None)
                if isinstance(value, str):
                    change(element, attribute, escape(value))
            if isinstance(element, folium.Popup):
                for child in element.html._children.values():
                    change(child, "data", escape(str(getattr(child, "data", ""))))
                    change(child, "script", True)
        yield
    finally:
        for element, attribute, value in reversed(undo):
            setattr(element, attribute, value)
