"""`save`: any folium map as one self-contained HTML file that asks for nothing and runs only the scripts we wrote out.

For assembling, checking and writing the page; not for what is on it. Refuses what would need a network or could run text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from importlib import resources
from pathlib import Path

import folium

from geotools.io.atomic import write_text
from geotools.maps.webmap import stock, trim
from geotools.maps.webmap.layers import RasterLayer, VectorLayer
from geotools.maps.webmap.page import OfflineMap, Page, _walk
from geotools.model.errors import MapError
from geotools.model.schema.names import whole_text
from geotools.model.vocab import LANGUAGES

SCRIPTS = ("leaflet.js", "flatbush.js", "mgrs.js", "fflate-gunzip.js")
PAGE = ("core.js", "draw.js", "app.js", "panel.js", "records.js", "tools.js")
LICENCES = ("leaflet", "flatbush", "mgrs", "fflate")
# Harmless texts that look like links: a name space, and comments or home pages inside the vendored files.
ALLOWED = (
    "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "https://leafletjs.com", "https://bugs.chromium.org/p/chromium/issues/detail?id=600120",
    "https://bugzilla.mozilla.org/show_bug.cgi?id=888319", "https://github.com/rawrunprotected/hilbert_curves", "http://threadlocalmutex.com/",
)  # fmt: skip


@cache
def asset(name: str, folder: str = "assets") -> str:
    """Text of a vendored file or of our own page, LF line ends.

    Raises
    ------
    MapError
        If the file is not in the package.
    """
    try:
        return (
            resources.files("geotools.maps.webmap")
            .joinpath(folder, name)
            .read_bytes()
            .decode("utf-8")
            .replace("\r\n", "\n")
        )
    except FileNotFoundError as error:
        raise MapError(
            f"the page's file '{name}' is missing from this installation", hint="install geotools again"
        ) from error


@cache
def _styles() -> str:
    # the pictures of Leaflet's own layer control and markers: the first is never on the page, the second comes with `stock`
    leaflet = re.sub(r"background-image: url\(images/[\w.-]+\);", "", asset("leaflet.css"))
    return f"{trim.style(leaflet)}\n{trim.style(asset('page.css', 'page'))}".replace("</style", "<\\/style")


def _script(text: str) -> str:
    """Script text that cannot end its element early, with the line ends and characters a parser would put there."""
    text = whole_text(text).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return text.replace("</script", "<\\/script").replace("</SCRIPT", "<\\/SCRIPT").replace("<!--", "<\\!--")


def render(made: folium.Map) -> str:
    """The whole page as text.

    Parameters
    ----------
    made
        As for `save`.

    Returns
    -------
    str
        HTML that asks for nothing outside itself.

    Raises
    ------
    MapError
        If the map holds an object that needs the network, is not known to be safe, or brings an unknown link.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)

    >>> from geotools.maps.webmap import map_survey
    >>> page = render(map_survey({"hazards": hazards}, title="Sector F"))
    >>> page[:15], "<title>Sector F</title>" in page, "<script src" in page
    ('<!DOCTYPE html>', True, False)
    """
    if not isinstance(made, folium.Map):
        raise MapError(f"only a folium map can be saved, not a {type(made).__name__}")
    if not any(isinstance(e, Page) for e in _walk(made)):
        made.add_child(Page())
    page = next(e for e in _walk(made) if isinstance(e, Page))
    _fixed_names(made)
    stock.inspect(made)
    with stock.escaped(made):
        blocks, script = _rendered(made)
    scripts = (
        [_script(asset(name)) for name in SCRIPTS]
        + ([_script(stock.shim())] if stock.needed(made) else [])
        + [_script(trim.script(asset(name, "page"))) for name in PAGE]
        + [_script(script)]
    )
    text = _assemble(made, page, blocks, scripts)
    _no_links(text)
    return text


def _fixed_names(made: folium.Map) -> None:
    """Names from the place in the tree, so that two renders are the same bytes."""
    made._id = "gt"
    for number, element in enumerate(_walk(made)):
        element._id = f"{number:04d}"
        if isinstance(element, folium.Popup):
            inner = list(element.html._children.values())
            for part, child in enumerate(inner):
                child._id = f"{number:04d}_{part}"
            element.html._children = type(element.html._children)((child.get_name(), child) for child in inner)


def _rendered(made: folium.Map) -> tuple[str, str]:
    """Inert blocks (html) and the script of all elements.

    The elements' macros are called directly: folium passes what they return through a template a second time, where
    braces in the data would be read as instructions.
    """
    blocks: list[str] = []
    scripts: list[str] = []
    for element in [made, *_walk(made)]:
        if isinstance(element, folium.Popup):
            scripts.append(element._template.render(this=element, kwargs={}))
            continue
        if isinstance(element, folium.GeoJson):
            setattr(element, "parent_map", made)  # noqa: B010 - what GeoJson.render does
        macros = element._template.module.__dict__
        for part, texts in (("html", blocks), ("script", scripts)):
            if part in macros:
                texts.append(str(macros[part](element, {})))
        if isinstance(element, folium.map.Layer) and element.show:
            scripts.append(
                f"{element.get_name()}.addTo({element._parent.get_name() if element._parent else made.get_name()});"
            )
    starts = [text for text in scripts if text.startswith("window.geotools.start(")]
    return "\n".join(blocks), "\n".join([text for text in scripts if text not in starts] + starts)


def _assemble(made: folium.Map, page: Page, blocks: str, scripts: list[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode('utf-8')).digest()).decode('ascii')}'" for s in scripts
    )
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    name = made.get_name()
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{html.escape(page.title)}</title>",
        f"<style>\n{_styles()}</style>",
    ]
    licences = html.escape("\n\n".join(f"{item}\n{asset(f'{item}.LICENSE')}" for item in LICENCES), quote=False)
    words = html.escape(page.title)
    noscript = f"<noscript><h1>{words}</h1><p>This map needs JavaScript, which this viewer does not run. Open the file in a web browser. No record is not no contamination; this is not a safe-route map.</p></noscript>"
    body = [
        noscript,
        blocks,
        f'<script type="text/plain" id="gt-licences">{licences}</script>',
        *[f"<script>{s}</script>" for s in scripts],
    ]
    lang = page.options.lang if page.options.lang in LANGUAGES else "en"
    text = (
        f'<!DOCTYPE html>\n<html lang="{lang}" data-map="{name}">\n<head>\n'
        + "\n".join(head)
        + "\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
    return whole_text(text).replace("\r\n", "\n")


_LINK = re.compile(
    r"""(?:\b(?:src|href|action|data|poster|srcset)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?|fetch\(\s*["'`]|sourceMappingURL=|XMLHttpRequest|WebSocket\(|importScripts\(|EventSource\()\s*(?:https?:|wss?:)?//[^\s"'<>)]*""",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s\"'`<>)\\]+", re.IGNORECASE)


def _no_links(text: str) -> None:
    """A second net over everything that is not data: nothing that could be fetched."""
    code = re.sub(
        r'<script type="(?:application/json|application/octet-stream|text/plain)"[^>]*>.*?</script>',
        "",
        text,
        flags=re.DOTALL,
    )
    for found in _LINK.finditer(code):
        if any(allowed in found[0] for allowed in ALLOWED):
            continue
        raise MapError(
            f"the page would ask for {found[0][:120]}", hint="use the layers of geotools.webmap, which need no network"
        )
    for url in _URL.findall(code):
        if not url.startswith(ALLOWED):
            raise MapError(
                f"the page holds an unknown link {url[:120]}",
                hint="remove the object that brings it, or use the layers of geotools.webmap",
            )


def save(made: folium.Map, path: str | Path, *, overwrite: bool = False, max_mb: float | None = None) -> Path:
    """Write a map as one HTML file that works without internet.

    Everything the page needs is inside; it makes no request, and its security policy lets only these scripts run. Stock
    folium objects are allowed where they are safe (`Marker` without icon, `Circle`, `CircleMarker`, `PolyLine`,
    `Polygon`, `Rectangle`, `FeatureGroup`, `Popup`, `Tooltip`, `GeoJson` without popups or styles of its own); their
    texts are shown as text, never as HTML.

    Parameters
    ----------
    made
        What `geotools.map` returned, or any folium map with layers of `geotools.webmap`.
    path
        The file to write.
    overwrite
        Replace an existing file.
    max_mb
        Refuse to write more than this many megabytes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MapError
        If something on the map needs the network or is not known to be safe, or the page is larger than `max_mb`.
    WriteError
        If the file exists or cannot be written.

    Examples
    --------
    >>> import tempfile, geopandas as gpd, shapely
    >>> hazards = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["CHA"]}, geometry=[shapely.box(47, 39.5, 47.001, 39.501)], crs=4326)

    >>> from geotools.maps.webmap import map_survey
    >>> save(map_survey({"hazards": hazards}), Path(tempfile.mkdtemp(), "map.html")).name
    'map.html'
    """
    text = render(made)
    size = len(text.encode("utf-8")) / 1e6
    if max_mb is not None and size > max_mb:
        raise MapError(
            f"the map would have {size:.1f} MB, more than the {max_mb:g} MB allowed",
            hint="show fewer layers (--layers), leave out the base map, or allow more (--max-mb)",
        )
    return write_text(path, text, overwrite=overwrite)


__all__ = ["OfflineMap", "RasterLayer", "VectorLayer", "asset", "render", "save"]
