"""`Survey`: the named layers of one programme, opened from a folder, a GeoPackage, a survey.toml or one file.

The composing floor above analysis, maps and field; what a survey is stands in `record`, how it is read in `opening`.
"""

from geotools.survey.opening import RASTERS, LayerSource, open_survey
from geotools.survey.record import Survey, SurveySummary

__all__ = ["RASTERS", "LayerSource", "Survey", "SurveySummary", "open_survey"]
