"""Classes as QGIS renderers, labels and QML files (QGIS 3.22 and later).

For projects and style files; every hatch, dash, marker and letter comes from the one symbol table.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from geotools.maps.styles.classes import AREAS, COUNTED, LINES, POINTS, PROCESSED, StyleClass, classes
from geotools.maps.symbols import Symbol, Theme
from geotools.model.methods import MACHINE, SEARCH
from geotools.model.vocab import vocabulary

VERSION = "3.22.16-Białowieża"
MM = 0.2646  # one CSS pixel on paper
HATCH_MM = 2.1
ANGLES = {"diagonal": (45,), "back": (135,), "cross": (45, 135), "grid": (0, 90), "horizontal": (0,), "vertical": (90,)}
MARKERS = {
    "triangle": "equilateral_triangle", "square": "square", "circle": "circle", "diamond": "diamond", "hexagon": "hexagon",
    "cross": "cross_fill", "burst": "star", "house": "pentagon", "pin": "triangle", "ring": "circle", "dot": "circle",
    "flag": "cross", "peak": "equilateral_triangle",
}  # fmt: skip
SYMBOL_TYPES = {AREAS: "fill", LINES: "line", POINTS: "marker"}
GEOMETRY = {POINTS: "0", LINES: "1", AREAS: "2"}


def renderer(kind: str, shape: str = AREAS, *, look: Theme | None = None, lang: str = "en") -> ET.Element:
    """The ``renderer-v2`` element of a layer: categories over an expression, first class that fits.

    Examples
    --------
    >>> made = renderer("releases")
    >>> made.get("type"), len(made.find("categories"))
    ('categorizedSymbol', 5)
    """
    listed = classes(kind, shape, look)
    out = ET.Element("renderer-v2", {
        "type": "categorizedSymbol", "attr": expression(listed), "symbollevels": "0", "forceraster": "0", "enableorderby": "0",
    })  # fmt: skip
    categories, symbols = ET.SubElement(out, "categories"), ET.SubElement(out, "symbols")
    for number, entry in enumerate(listed):
        label = f"[{entry.symbol.letter}] {entry.label(lang)}" if entry.symbol.letter else entry.label(lang)
        ET.SubElement(
            categories, "category", {"symbol": str(number), "value": entry.id, "label": label, "render": "true"}
        )
        symbols.append(symbol(entry.symbol, shape, str(number)))
    return out


def expression(listed: tuple[StyleClass, ...]) -> str:
    """A QGIS expression that gives the id of a record's class.

    Examples
    --------
    >>> expression(classes("processed"))
    "'processed'"
    """
    return _cases(listed, [entry.id for entry in listed])


def letters(listed: tuple[StyleClass, ...]) -> str:
    """A QGIS expression that gives the letter of a record's class."""
    return _cases(listed, [entry.symbol.letter for entry in listed])


def _cases(listed: tuple[StyleClass, ...], values: list[str]) -> str:
    """The value of the first class that fits."""
    whens = [
        f"WHEN {' AND '.join(f'{_name(c)} = {_text(v)}' for c, v in entry.tests.items())} THEN {_text(value)}"
        for entry, value in zip(listed, values, strict=True)
        if entry.tests
    ]
    if not whens:
        return _text(values[-1])
    cases = f"CASE {' '.join(whens)} ELSE {_text(values[-1])} END"
    counted = any(COUNTED in entry.tests for entry in listed)
    return f"with_variable('{COUNTED}', {_counted()}, {cases})" if counted else cases


def _counted() -> str:
    """What a release counts as (see `classes.counted_as`), in a layer with or without the columns that tell it."""
    searched = ", ".join(_text(k) for k in vocabulary("method").keys if k != MACHINE)
    after = ", ".join(map(_text, sorted(SEARCH)))
    method = f"coalesce({_cell('method')}, {_cell('method_as_entered')})"
    follow_up = f"coalesce({_cell('follow_up')}, {_cell('follow_up_as_entered')}, '')"
    waits = f"{method} IS NOT NULL AND {method} NOT IN ({searched}) AND {follow_up} NOT IN ({after})"
    return f"coalesce({_cell(COUNTED)}, CASE WHEN {waits} THEN {_text(PROCESSED)} ELSE {_cell('product')} END)"


def _cell(column: str) -> str:
    """A column that a layer may lack, NULL where it is empty."""
    return f"nullif(trim(attribute($currentfeature, {_text(column)})), '')"


def _name(column: str) -> str:
    return f"@{COUNTED}" if column == COUNTED else '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def symbol(look: Symbol, shape: str, name: str) -> ET.Element:
    """One QGIS symbol."""
    out = ET.Element(
        "symbol", {"type": SYMBOL_TYPES[shape], "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}
    )
    {AREAS: _area, LINES: _line, POINTS: _marker}[shape](out, look, name)
    return out


def _area(out: ET.Element, look: Symbol, name: str) -> None:
    _layer(out, "SimpleFill", {
        "style": "solid" if look.fill_alpha else "no", "color": rgba(look.fill, look.fill_alpha), "outline_style": "no",
    })  # fmt: skip
    for angle in ANGLES.get(look.hatch, ()):
        layer = _layer(out, "LinePatternFill", {
            "angle": str(angle), "distance": f"{HATCH_MM:g}", "distance_unit": "MM", "offset": "0", "offset_unit": "MM",
            "line_width": "0.2", "line_width_unit": "MM", "color": rgba(look.hatch_color, look.hatch_alpha),
        })  # fmt: skip
        inner = _inner(layer, "line", f"@{name}@{len(out) - 1}")
        _layer(inner, "SimpleLine", _stroke(look.hatch_color, look.hatch_alpha, 0.2, ()))
    if look.hatch == "dots":
        layer = _layer(out, "PointPatternFill", {
            "distance_x": f"{HATCH_MM:g}", "distance_y": f"{HATCH_MM:g}", "displacement_x": f"{HATCH_MM / 2:g}", "displacement_y": "0",
            "distance_x_unit": "MM", "distance_y_unit": "MM", "displacement_x_unit": "MM",
        })  # fmt: skip
        inner = _inner(layer, "marker", f"@{name}@{len(out) - 1}")
        dot = {
            "name": "circle",
            "size": "0.6",
            "size_unit": "MM",
            "color": rgba(look.hatch_color, look.hatch_alpha),
            "outline_style": "no",
        }
        _layer(inner, "SimpleMarker", dot)
    _layer(out, "SimpleLine", _stroke(look.outline, 1.0, look.width * MM, look.dash))


def _line(out: ET.Element, look: Symbol, name: str) -> None:
    if look.casing:
        _layer(out, "SimpleLine", _stroke(look.casing, 1.0, (look.width + 1.2) * MM, ()))
    _layer(out, "SimpleLine", _stroke(look.outline, 1.0, look.width * MM, look.dash))


def _marker(out: ET.Element, look: Symbol, name: str) -> None:
    hollow = look.marker == "ring"
    _layer(out, "SimpleMarker", {
        "name": MARKERS.get(look.marker, "circle"), "size": f"{look.size * 2 * MM:.3f}", "size_unit": "MM",
        "angle": "180" if look.marker == "pin" else "0",
        "color": rgba(look.fill, 0.0 if hollow else 1.0), "outline_color": rgba(look.fill if hollow else look.outline, 1.0),
        "outline_style": "solid", "outline_width": "0.25", "outline_width_unit": "MM",
    })  # fmt: skip


def _stroke(color: str, alpha: float, width_mm: float, dash: tuple[float, ...]) -> dict[str, str]:
    return {
        "line_color": rgba(color, alpha), "line_style": "solid", "line_width": f"{width_mm:.3f}", "line_width_unit": "MM",
        "use_custom_dash": "1" if dash else "0", "customdash": ";".join(f"{v * MM:.3f}" for v in dash or (9, 4)),
        "customdash_unit": "MM", "capstyle": "flat", "joinstyle": "miter",
    }  # fmt: skip


def rgba(text: str, alpha: float) -> str:
    """``#rrggbb`` and opacity as QGIS writes it.

    Examples
    --------
    >>> rgba("#d55e00", 0.2)
    '213,94,0,51'
    """
    return f"{int(text[1:3], 16)},{int(text[3:5], 16)},{int(text[5:7], 16)},{round(alpha * 255)}"


def _layer(parent: ET.Element, kind: str, options: dict[str, str]) -> ET.Element:
    layer = ET.SubElement(parent, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    table = ET.SubElement(layer, "Option", {"type": "Map"})
    for key, value in options.items():
        ET.SubElement(table, "Option", {"type": "QString", "name": key, "value": value})
    return layer


def _inner(layer: ET.Element, kind: str, name: str) -> ET.Element:
    return ET.SubElement(
        layer, "symbol", {"type": kind, "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}
    )


def labeling(kind: str, shape: str = AREAS, *, look: Theme | None = None) -> ET.Element:
    """The ``labeling`` element of a layer: the letter of its class, then its id or name.

    Parameters
    ----------
    kind
        Record kind, or a kind of computed ground such as ``remaining``.
    shape
        Geometry of the layer.
    look
        The theme; its letters are used.

    Examples
    --------
    >>> made = labeling("places")
    >>> made.get("type"), made.find("settings/text-style").get("fieldName")
    ('simple', 'coalesce("name", "id")')
    """
    what = 'coalesce("name", "id")' if kind == "places" else '"id"'
    listed = classes(kind, shape, look)
    text = f"trim(concat({letters(listed)}, ' ', {what}))" if any(entry.symbol.letter for entry in listed) else what
    out = ET.Element("labeling", {"type": "simple"})
    settings = ET.SubElement(out, "settings", {"calloutType": "simple"})
    style = ET.SubElement(settings, "text-style", {
        "fieldName": text, "isExpression": "1", "fontFamily": "Sans", "fontSize": "8", "fontSizeUnit": "Point", "fontWeight": "50",
        "textColor": "20,33,43,255", "textOpacity": "1", "namedStyle": "", "allowHtml": "0",
    })  # fmt: skip
    ET.SubElement(style, "text-buffer", {
        "bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferColor": "255,255,255,255", "bufferOpacity": "0.8",
    })  # fmt: skip
    ET.SubElement(
        settings,
        "placement",
        {"placement": {AREAS: "4", LINES: "2", POINTS: "6"}[shape], "dist": "1", "distUnits": "MM"},
    )
    ET.SubElement(
        settings,
        "rendering",
        {"drawLabels": "1", "scaleVisibility": "1", "scaleMin": "0", "scaleMax": "25000", "obstacle": "0"},
    )
    return out


def qml(kind: str, shape: str = AREAS, *, look: Theme | None = None, lang: str = "en") -> bytes:
    """A style file that QGIS loads on a layer.

    Examples
    --------
    >>> qml("hazards")[:15]
    b'<!DOCTYPE qgis '
    """
    root = ET.Element("qgis", {"version": VERSION, "styleCategories": "Symbology|Labeling", "labelsEnabled": "1"})
    root.append(renderer(kind, shape, look=look, lang=lang))
    root.append(labeling(kind, shape, look=look))
    ET.SubElement(root, "layerGeometryType").text = GEOMETRY[shape]
    ET.indent(root, " ")
    head = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + ET.tostring(root, encoding="utf-8") + b"\n"
