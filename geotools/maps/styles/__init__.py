"""The one symbol table as styles of other programs: KML styles and icons, QGIS renderers and QML files.

For files that are opened elsewhere; our own maps and sheets draw from `maps.symbols` themselves.
"""

from geotools.maps.styles.classes import StyleClass, class_of, classes
from geotools.maps.styles.icons import icon, swatch
from geotools.maps.styles.kml import kml_style
from geotools.maps.styles.qgis import labeling, qml, renderer

__all__ = ["StyleClass", "class_of", "classes", "icon", "kml_style", "labeling", "qml", "renderer", "swatch"]
