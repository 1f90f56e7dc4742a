"""Files to take along: GeoJSON for a field team, one GeoPackage of everything for an analyst.

For writing what is computed already; not for forms, or for merging what comes back (see `field.merge`).
"""

from geotools.field.export.everything import RESULTS, survey_gpkg
from geotools.field.export.team import LAYERS, FieldLayer, field_files

__all__ = ["LAYERS", "RESULTS", "FieldLayer", "field_files", "survey_gpkg"]
