"""`Survey`: the named layers of one programme, opened from a folder, a GeoPackage, a survey.toml or one file.

The composing floor above analysis, maps and field; what a survey is stands in `record`, which files it is made of in
`sources`, how they are read in `opening`.
"""

from geotools.survey.opening import open_survey
from geotools.survey.parted import Parted, layers_in_parts
from geotools.survey.record import Survey, SurveySummary
from geotools.survey.sources import RASTERS, LayerSource

__all__ = ["RASTERS", "LayerSource", "Parted", "Survey", "SurveySummary", "layers_in_parts", "open_survey"]
