"""The report of a run of the checks as one HTML page that needs no network. Not a map: see `maps.webmap`."""

from geotools.checks.report.page import page

__all__ = ["page"]
